//! Marks → krilla's surface.

use std::sync::Arc;

use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::paint::Fill;
use krilla::surface::Surface;

use super::canvas::Canvas;
use super::mark::Mark;
use crate::render::text::Shaped;
use crate::render::{Colour, RenderError, Theme, chart};

/// Paints a page's marks in their order, which is the order of reading.
pub(super) fn marks(surface: &mut Surface<'_>, marks: &[Mark<'_>], theme: &Theme) -> Result<(), RenderError> {
    for mark in marks {
        match mark {
            Mark::Text { x, y, shaped, size, colour } => {
                text(surface, Point::from_xy(*x, *y), shaped, *size, *colour);
            }
            Mark::Rect { x, y, width, height, colour } => {
                let mut path = PathBuilder::new();
                if let Some(rect) = Rect::from_xywh(*x, *y, width.max(0.01), height.max(0.01)) {
                    path.push_rect(rect);
                }
                fill(surface, path, *colour);
            }
            Mark::Dot { x, y, radius, colour } => fill(surface, circle(*x, *y, *radius), *colour),
            Mark::Triangle { x, y, side, is_up, colour } => {
                let (foot, tip) = if *is_up { (*y, y - side * 0.87) } else { (y - side * 0.87, *y) };
                let mut path = PathBuilder::new();
                path.move_to(*x, foot);
                path.line_to(x + side, foot);
                path.line_to(x + side / 2.0, tip);
                path.close();
                fill(surface, path, *colour);
            }
            Mark::Picture { x, y, width, height, picture } => {
                let canvas = Canvas { surface, origin: (*x, *y), size: (*width, *height) };
                chart::draw(canvas, *picture, theme).map_err(|error| RenderError::Pdf(error.to_string()))?;
            }
        }
    }
    Ok(())
}

/// Draws a shaped line from its left end on the base line.
pub(super) fn text(surface: &mut Surface<'_>, start: Point, shaped: &Arc<Shaped>, size: f32, colour: Colour) {
    set_fill(surface, colour);
    let mut x = start.x;
    for run in &shaped.runs {
        if let Some(font) = run.font.font() {
            let start = Point::from_xy(x, start.y);
            surface.draw_glyphs(start, &run.glyphs, font.pdf.clone(), &shaped.text, size, false);
        }
        x += run.width * size;
    }
}

/// A circle as four Bézier curves.
pub(super) fn circle(x: f32, y: f32, radius: f32) -> PathBuilder {
    // 4/3 (√2 − 1): the handle that keeps within 0.03 % of the circle.
    let handle = radius * 0.552_284_8;
    let mut path = PathBuilder::new();
    path.move_to(x + radius, y);
    path.cubic_to(x + radius, y + handle, x + handle, y + radius, x, y + radius);
    path.cubic_to(x - handle, y + radius, x - radius, y + handle, x - radius, y);
    path.cubic_to(x - radius, y - handle, x - handle, y - radius, x, y - radius);
    path.cubic_to(x + handle, y - radius, x + radius, y - handle, x + radius, y);
    path.close();
    path
}

fn fill(surface: &mut Surface<'_>, path: PathBuilder, colour: Colour) {
    if let Some(path) = path.finish() {
        set_fill(surface, colour);
        surface.draw_path(&path);
    }
}

fn set_fill(surface: &mut Surface<'_>, colour: Colour) {
    surface.set_stroke(None);
    surface.set_fill(Some(Fill { paint: rgb::Color::new(colour.0, colour.1, colour.2).into(), ..Fill::default() }));
}
