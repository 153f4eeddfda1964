//! The drawing surface that plotters gets: a part of a page.

use std::convert::Infallible;

use krilla::geom::{PathBuilder, Point, Rect, Transform};
use krilla::num::NormalizedF32;
use krilla::paint::{Fill, LineCap, LineJoin, Stroke};
use krilla::surface::Surface;
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontStyle,
    FontTransform,
};

use super::paint;
use crate::render::Colour;
use crate::render::chart::UNITS_PER_POINT;
use crate::render::text::{Direction, FontSet, Weight, shape};

/// Capital letters of Inter stand this high, in em: what a label is centred by.
const CAP_HEIGHT: f32 = 0.727;

/// A rectangle of a page, in units of a tenth of a point.
pub(super) struct Canvas<'a, 'p> {
    pub(super) surface: &'a mut Surface<'p>,
    /// Its upper left corner on the page, in points.
    pub(super) origin: (f32, f32),
    /// Width and height, in points.
    pub(super) size: (f32, f32),
    /// What its labels are set in.
    pub(super) fonts: &'a FontSet,
    /// What is to be painted next, together with all that follows it in the same colour and width.
    pub(super) pending: Option<Pending>,
}

/// A path that may still grow: a map's countries of one class are one path, which takes a third of the bytes.
pub(super) struct Pending {
    path: PathBuilder,
    color: BackendColor,
    stroke_width: Option<u32>,
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl Canvas<'_, '_> {
    /// A place on the page, in points.
    fn point(&self, (x, y): BackendCoord) -> (f32, f32) {
        let place = |origin: f32, at: i32| origin + at as f32 / UNITS_PER_POINT;
        (place(self.origin.0, x), place(self.origin.1, y))
    }

    /// The path to draw on, painted with what stands in it already if that looks the same.
    fn path(&mut self, color: BackendColor, stroke_width: Option<u32>) -> &mut PathBuilder {
        let is_same = |pending: &Pending| {
            // What shines through shows where two of it overlap.
            let is_solid = color.alpha >= 1.0 && pending.color.alpha >= 1.0;
            is_solid && pending.color.rgb == color.rgb && pending.stroke_width == stroke_width
        };
        if !self.pending.as_ref().is_some_and(is_same) {
            self.flush();
        }
        let new = || Pending { path: PathBuilder::new(), color, stroke_width };
        &mut self.pending.get_or_insert_with(new).path
    }

    /// Paints what is pending.
    fn flush(&mut self) {
        let Some(Pending { path, color, stroke_width }) = self.pending.take() else { return };
        let Some(path) = path.finish().filter(|_| color.alpha > 0.0) else { return };
        let opacity = NormalizedF32::new(color.alpha as f32).unwrap_or(NormalizedF32::ONE);
        let paint = krilla::color::rgb::Color::new(color.rgb.0, color.rgb.1, color.rgb.2);
        match stroke_width {
            None => {
                self.surface.set_fill(Some(Fill { paint: paint.into(), opacity, ..Fill::default() }));
                self.surface.set_stroke(None);
            }
            Some(width) => {
                self.surface.set_fill(None);
                self.surface.set_stroke(Some(Stroke {
                    paint: paint.into(),
                    width: width as f32,
                    line_cap: LineCap::Butt,
                    line_join: LineJoin::Round,
                    opacity,
                    ..Stroke::default()
                }));
            }
        }
        // Paths stand in the backend's units, whole numbers: they take half the room of decimals.
        let unit = 1.0 / UNITS_PER_POINT;
        self.surface.push_transform(&Transform::from_row(unit, 0.0, 0.0, unit, self.origin.0, self.origin.1));
        self.surface.draw_path(&path);
        self.surface.pop();
    }

    fn polyline(
        &mut self,
        points: impl IntoIterator<Item = BackendCoord>,
        color: BackendColor,
        stroke_width: Option<u32>,
    ) -> &mut PathBuilder {
        let path = self.path(color, stroke_width);
        for (n, (x, y)) in points.into_iter().enumerate() {
            let (x, y) = (x as f32, y as f32);
            if n == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
        }
        path
    }
}

fn weight(style: &impl BackendTextStyle) -> Weight {
    if matches!(style.style(), FontStyle::Bold) { Weight::SemiBold } else { Weight::Regular }
}

impl DrawingBackend for Canvas<'_, '_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        ((self.size.0 * UNITS_PER_POINT) as u32, (self.size.1 * UNITS_PER_POINT) as u32)
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        self.flush();
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Drawn {
        self.draw_rect((x, y), (x + 1, y + 1), &color, true)
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        upper_left: BackendCoord,
        bottom_right: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let ((left, top), (right, bottom)) = (upper_left, bottom_right);
        let [left, top, right, bottom] =
            [left.min(right), top.min(bottom), left.max(right), top.max(bottom)].map(|at| at as f32);
        let rect = Rect::from_ltrb(left, top, right, bottom);
        if let Some(rect) = rect.filter(|rect| rect.width() > 0.0 && rect.height() > 0.0) {
            self.path(style.color(), (!fill).then(|| style.stroke_width())).push_rect(rect);
        }
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        self.polyline(path, style.color(), Some(style.stroke_width()));
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(&mut self, center: BackendCoord, radius: u32, style: &S, fill: bool) -> Drawn {
        let (x, y) = (center.0 as f32, center.1 as f32);
        let stroke_width = (!fill).then(|| style.stroke_width());
        paint::push_circle(self.path(style.color(), stroke_width), x, y, radius as f32);
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, vert: I, style: &S) -> Drawn {
        self.polyline(vert, style.color(), None).close();
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, pos: BackendCoord) -> Drawn {
        self.flush();
        let size = style.size() as f32 / UNITS_PER_POINT;
        let shaped = shape(text, weight(style), Direction::Ltr, self.fonts);
        let width = shaped.width * size;
        let dx = match style.anchor().h_pos {
            HPos::Left => 0.0,
            HPos::Center => -width / 2.0,
            HPos::Right => -width,
        };
        let dy = match style.anchor().v_pos {
            VPos::Top => CAP_HEIGHT * size,
            VPos::Center => CAP_HEIGHT * size / 2.0,
            VPos::Bottom => 0.0,
        };
        let (x, y) = self.point(pos);
        let (red, green, blue) = style.color().rgb;
        let turn = match style.transform() {
            FontTransform::None => 0.0,
            FontTransform::Rotate90 => 90.0,
            FontTransform::Rotate180 => 180.0,
            FontTransform::Rotate270 => 270.0,
        };
        self.surface.push_transform(&Transform::from_rotate_at(turn, x, y));
        paint::text(self.surface, Point::from_xy(x + dx, y + dy), &shaped, size, Colour(red, green, blue));
        self.surface.pop();
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let size = style.size() as f32;
        let width = shape(text, weight(style), Direction::Ltr, self.fonts).width * size;
        Ok((width.ceil() as u32, (CAP_HEIGHT * size).ceil() as u32))
    }
}
