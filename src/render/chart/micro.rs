//! Micro charts: a course in the height of a line of text.

use plotters::element::{Circle, PathElement, Rectangle};
use plotters::prelude::DrawingBackend;

use super::{Area, Drawn, filled, stroke, units};
use crate::base::Quantity;
use crate::render::{Colour, Theme};

/// A line from the lowest to the highest value over the area's height, broken where values are absent, that ends
/// in a dot. A course without change is a level line in the middle.
pub(super) fn spark<DB: DrawingBackend>(area: &Area<DB>, values: &[Option<Quantity>], colour: Colour) -> Drawn<DB> {
    let (width, height) = area.dim_in_pixel();
    let known = || values.iter().flatten().map(|value| value.to_f64());
    let (low, high) = known().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    let margin = f64::from(units(2.0));
    let step = (f64::from(width) - 2.0 * margin) / values.len().saturating_sub(1).max(1) as f64;
    let place = |(n, value): (usize, &Option<Quantity>)| {
        let value = (*value)?.to_f64();
        let part = if high > low { (high - value) / (high - low) } else { 0.5 };
        let x = if values.len() == 1 { f64::from(width) - margin } else { margin + step * n as f64 };
        Some((x.round() as i32, (margin + part * (f64::from(height) - 2.0 * margin)).round() as i32))
    };
    let places: Vec<Option<(i32, i32)>> = values.iter().enumerate().map(place).collect();
    for line in places.split(Option::is_none) {
        let line: Vec<(i32, i32)> = line.iter().flatten().copied().collect();
        if line.len() > 1 {
            area.draw(&PathElement::new(line, stroke(colour, 1.1)))?;
        } else if let [only] = line[..] {
            area.draw(&Circle::new(only, units(0.8), filled(colour)))?;
        }
    }
    match places.iter().rev().find_map(|place| *place) {
        Some(last) => area.draw(&Circle::new(last, units(1.8), filled(colour))),
        None => Ok(()),
    }
}

/// Columns from zero, the current one in the accent and the others lighter. Absent values leave a gap.
pub(super) fn columns<DB: DrawingBackend>(
    area: &Area<DB>,
    values: &[Option<Quantity>],
    current: Option<usize>,
    theme: &Theme,
) -> Drawn<DB> {
    let (width, height) = area.dim_in_pixel();
    let highest = values.iter().flatten().max().copied().unwrap_or(Quantity::ZERO).to_f64();
    // A course of one or two months does not fill the card with two blocks.
    let slot = (width as f32 / values.len().max(1) as f32).min(units(24.0) as f32);
    let gap = (slot * 0.18).min(units(2.0) as f32);
    for (n, value) in values.iter().enumerate() {
        let Some(value) = value else { continue };
        let part = if highest > 0.0 { (value.to_f64() / highest).clamp(0.0, 1.0) } else { 0.0 };
        // A known zero is a thin foot, not a gap.
        let tall = ((f64::from(height) * part).round() as i32).max(units(0.6));
        let colour = if current == Some(n) { theme.accent } else { theme.accent.lighter(60) };
        let left = (slot * n as f32).round() as i32;
        let right = (slot * (n + 1) as f32 - gap).round() as i32;
        let bottom = height as i32;
        area.draw(&Rectangle::new([(left, bottom - tall), (right, bottom)], filled(colour)))?;
    }
    Ok(())
}
