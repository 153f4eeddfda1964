//! Stacked columns over months.

use plotters::chart::{ChartBuilder, LabelAreaPosition};
use plotters::element::{PathElement, Rectangle, Text};
use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::{MonthLabel, axis, month_labels};
use super::{Area, Drawn, LABEL_SIZE, filled, label, stroke, units};
use crate::base::Quantity;
use crate::render::{Colour, Theme};
use crate::report::{Columns, Series};

/// The widest a column gets, in points: a chart of one month is not one block.
const COLUMN_MAX: f32 = 36.0;
/// A chart lower than this, in points, is one of many small ones.
const SMALL_BELOW: f32 = 150.0;
/// How much lighter what is stacked below the axis is, in percent.
const LIGHTER_BELOW: u8 = 60;

/// A piece of a column, in months across and licenses up.
struct Piece {
    month: usize,
    from: f64,
    to: f64,
    colour: Colour,
}

pub(super) fn draw<DB: DrawingBackend>(area: &Area<DB>, chart: &Columns, theme: &Theme) -> Drawn<DB> {
    let (width, height) = area.dim_in_pixel();
    let n_months = chart.months.len();
    // A small multiple says what its axes are by standing below the chart that does.
    let is_small = (height as i32) < units(SMALL_BELOW);
    let (x_title, y_title) = if is_small { ("", "") } else { (chart.x_title.as_str(), chart.y_title.as_str()) };
    let axis = axis(lowest(chart), highest(chart), if is_small { 3 } else { 5 });
    let grey = |horizontal, vertical| label(theme.grey, LABEL_SIZE, false, horizontal, vertical);
    let right = grey(HPos::Right, VPos::Center);
    let mut left_size = 0;
    for tick in &axis.ticks {
        left_size = left_size.max(area.estimate_text_size(&tick.grouped(), &right)?.0);
    }
    let left_size = left_size + units(5.0).unsigned_abs();
    let bottom_size = units(if x_title.is_empty() { 15.0 } else { 26.0 }).unsigned_abs();
    // Room for half a label above the uppermost line, and for the title of the axis.
    let top_size = units(if y_title.is_empty() { 4.0 } else { 16.0 });
    let mut context = ChartBuilder::on(area)
        .margin_top(top_size)
        .set_label_area_size(LabelAreaPosition::Left, left_size)
        .set_label_area_size(LabelAreaPosition::Bottom, bottom_size)
        .build_cartesian_2d(0.0..n_months as f64, axis.low..axis.high)?;
    let last = n_months as f64;
    for tick in &axis.ticks {
        let y = tick.to_f64();
        context.plotting_area().draw(&PathElement::new([(0.0, y), (last, y)], stroke(theme.line, 0.5)))?;
        let (x, y) = context.backend_coord(&(0.0, y));
        area.draw(&Text::new(tick.grouped(), (x - units(5.0), y), right.clone()))?;
    }
    let slot = (width - left_size) as f32 / n_months.max(1) as f32;
    let half = f64::from((0.3_f32).min(units(COLUMN_MAX) as f32 / 2.0 / slot.max(1.0)));
    context.draw_series(pieces(chart, theme).into_iter().map(|piece| {
        let middle = piece.month as f64 + 0.5;
        Rectangle::new([(middle - half, piece.from), (middle + half, piece.to)], filled(piece.colour))
    }))?;
    context.plotting_area().draw(&PathElement::new([(0.0, 0.0), (last, 0.0)], stroke(theme.ink, 0.75)))?;

    let top = grey(HPos::Center, VPos::Top);
    let text_width = |text: &str| area.estimate_text_size(text, &top).map_or(0.0, |size| size.0 as f32);
    let below = height as i32 - bottom_size as i32 + units(6.0);
    let middle = |label: &MonthLabel| {
        let half = (text_width(&label.text) / 2.0).ceil();
        let whole = width as f32;
        (left_size as f32 + slot * (label.index as f32 + 0.5)).clamp(half.min(whole - half), half.max(whole - half))
    };
    let span = |label: &MonthLabel| {
        let half = (text_width(&label.text) / 2.0).ceil();
        (middle(label) - half, middle(label) + half)
    };
    for month in month_labels(&chart.months, units(4.0) as f32, span) {
        let x = middle(&month).round() as i32;
        area.draw(&Text::new(month.text, (x, below), top.clone()))?;
    }
    if !x_title.is_empty() {
        let middle = (left_size + width) as i32 / 2;
        area.draw(&Text::new(x_title, (middle, height as i32), grey(HPos::Center, VPos::Bottom)))?;
    }
    if !y_title.is_empty() {
        area.draw(&Text::new(y_title, (0, 0), grey(HPos::Left, VPos::Top)))?;
    }
    Ok(())
}

/// The pieces of all columns, each from where the one before it ends. Absent values leave a gap.
fn pieces(chart: &Columns, theme: &Theme) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for month in 0..chart.months.len() {
        let mut stack = |all: &[Series], sign: f64, lighter: u8| {
            let mut total = Quantity::ZERO;
            for series in all {
                let value = value(series, month).unwrap_or(Quantity::ZERO);
                if value <= Quantity::ZERO {
                    continue;
                }
                let from = sign * total.to_f64();
                total += value;
                let colour = theme.colour(series.slot).lighter(lighter);
                pieces.push(Piece { month, from, to: sign * total.to_f64(), colour });
            }
        };
        stack(&chart.above, 1.0, 0);
        stack(&chart.below, -1.0, LIGHTER_BELOW);
    }
    pieces
}

fn value(series: &Series, month: usize) -> Option<Quantity> {
    series.values.get(month).copied().flatten()
}

fn highest(chart: &Columns) -> Quantity {
    let total = |month| chart.above.iter().filter_map(|series| value(series, month)).sum::<Quantity>();
    (0..chart.months.len()).map(total).max().unwrap_or(Quantity::ZERO)
}

fn lowest(chart: &Columns) -> Quantity {
    let total = |month| chart.below.iter().filter_map(|series| value(series, month)).sum::<Quantity>();
    -(0..chart.months.len()).map(total).max().unwrap_or(Quantity::ZERO)
}
