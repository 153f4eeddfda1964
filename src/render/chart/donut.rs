//! A ring of shares with its figure in the middle.

use std::f64::consts::TAU;

use plotters::element::{Polygon, Text};
use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::{HPos, VPos};

use super::{Area, Drawn, filled, label, readable_on, units};
use crate::base::{Quantity, Ratio};
use crate::render::Theme;
use crate::report::Donut;

/// The hole, as a part of the ring's radius.
const HOLE: f64 = 0.6;
/// A chord of two degrees leaves its arc by less than a hundredth of a point here; plotters' own pie takes ten
/// times as many corners.
const CHORD: f64 = TAU / 180.0;
/// The smallest share that has room for its label.
const LABELLED_MIN: f64 = 0.06;
/// Half of the white line between two slices, in points.
const SEAM: f64 = 0.6;

pub(super) fn draw<DB: DrawingBackend>(area: &Area<DB>, chart: &Donut, theme: &Theme) -> Drawn<DB> {
    let (width, height) = area.dim_in_pixel();
    let (x, y) = (f64::from(width) / 2.0, f64::from(height) / 2.0);
    let outer = x.min(y);
    let inner = outer * HOLE;
    let total: Quantity = chart.slices.iter().map(|slice| slice.value).filter(|value| !value.is_negative()).sum();
    let n_slices = chart.slices.iter().filter(|slice| slice.value > Quantity::ZERO).count();
    // Twelve o'clock is a quarter turn before where angles begin.
    let at = |angle: f64, radius: f64| {
        let angle = angle - TAU / 4.0;
        ((x + radius * angle.cos()).round() as i32, (y + radius * angle.sin()).round() as i32)
    };
    let mut start = 0.0;
    for slice in &chart.slices {
        let share = Ratio::new(slice.value, total).map_or(0.0, Ratio::to_f64);
        if share <= 0.0 {
            continue;
        }
        let end = start + share * TAU;
        let colour = theme.colour(slice.slot);
        let seam = if n_slices > 1 { SEAM * f64::from(super::UNITS_PER_POINT) } else { 0.0 };
        let mut ring = arc(start, end, outer, seam, at);
        ring.extend(arc(start, end, inner, seam, at).into_iter().rev());
        area.draw(&Polygon::new(ring, filled(colour)))?;
        if share >= LABELLED_MIN {
            let text = Ratio::new(slice.value, total).map_or(String::new(), |ratio| ratio.percent(0));
            let place = at((start + end) / 2.0, f64::midpoint(outer, inner));
            let style = label(readable_on(colour, theme.ink), 7.5, true, HPos::Center, VPos::Center);
            area.draw(&Text::new(text, place, style))?;
        }
        start = end;
    }
    centre(area, chart, theme, (x as i32, y as i32), inner)
}

/// The corners of an arc from `start` to `end`, both ends drawn in by the seam.
fn arc(start: f64, end: f64, radius: f64, seam: f64, at: impl Fn(f64, f64) -> (i32, i32)) -> Vec<(i32, i32)> {
    let seam = (seam / radius).min((end - start) / 3.0);
    let (start, end) = (start + seam, end - seam);
    let n = ((end - start) / CHORD).ceil().max(1.0);
    (0..=n as u32).map(|step| at(start + (end - start) * f64::from(step) / n, radius)).collect()
}

/// The label and the figure in the hole, in the largest size that fits.
fn centre<DB: DrawingBackend>(
    area: &Area<DB>,
    chart: &Donut,
    theme: &Theme,
    (x, y): (i32, i32),
    radius: f64,
) -> Drawn<DB> {
    let figure = chart.centre.grouped();
    let room = radius * 2.0 * 0.86;
    let mut style = label(theme.ink, 13.0, true, HPos::Center, VPos::Top);
    for size in [13.0, 10.5, 9.0, 7.5] {
        style = label(theme.ink, size, true, HPos::Center, VPos::Top);
        if f64::from(area.estimate_text_size(&figure, &style)?.0) <= room {
            break;
        }
    }
    let above = label(theme.grey, 7.5, false, HPos::Center, VPos::Bottom);
    area.draw(&Text::new(chart.centre_label.as_str(), (x, y - units(4.0)), above))?;
    area.draw(&Text::new(figure, (x, y), style))
}
