//! The drawing surface that plotters gets: a part of a page.

use std::convert::Infallible;

use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontStyle,
    FontTransform,
};

use super::write::{Content, Path, TWIPS};
use crate::render::Colour;
use crate::render::chart::UNITS_PER_POINT;
use crate::render::text::{Direction, FontSet, Weight, shape};

/// Capital letters of Inter stand this high, in em: what a label is centred by.
const CAP_HEIGHT: f32 = 0.727;
/// A unit of the backend in twips.
const UNIT: i32 = (TWIPS / UNITS_PER_POINT) as i32;

/// A rectangle of a page, in units of a tenth of a point.
pub(super) struct Canvas<'a, 'd> {
    pub(super) content: &'a mut Content<'d>,
    /// Its upper left corner on the page, in twips.
    pub(super) origin: (i32, i32),
    /// Width and height, in points.
    pub(super) size: (f32, f32),
    /// What its labels are set in.
    pub(super) fonts: &'a FontSet,
    /// What is to be painted next, together with all that follows it in the same colour and width.
    pub(super) pending: Option<Pending>,
}

/// A path that may still grow: a map's countries of one class are one path, which takes a third of the bytes.
pub(super) struct Pending {
    path: Path,
    /// None of what is not seen.
    colour: Option<Colour>,
    /// Of a line, in units; none of what is filled.
    stroke_width: Option<u32>,
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl Canvas<'_, '_> {
    /// The path to draw on, painted with what stands in it already if that looks the same.
    fn path(&mut self, colour: BackendColor, stroke_width: Option<u32>) -> &mut Path {
        let colour = seen(colour);
        let is_same = |pending: &Pending| pending.colour == colour && pending.stroke_width == stroke_width;
        if !self.pending.as_ref().is_some_and(is_same) {
            self.flush();
        }
        let new = || Pending { path: Path::default(), colour, stroke_width };
        &mut self.pending.get_or_insert_with(new).path
    }

    /// Paints what is pending.
    fn flush(&mut self) {
        match self.pending.take() {
            Some(Pending { path, colour: Some(colour), stroke_width: None }) => self.content.fill(&path, colour),
            Some(Pending { path, colour: Some(colour), stroke_width: Some(width) }) => {
                self.content.stroke(&path, colour, width as i32 * UNIT);
            }
            _ => {}
        }
    }

    fn polyline(
        &mut self,
        points: impl IntoIterator<Item = BackendCoord>,
        colour: BackendColor,
        stroke_width: Option<u32>,
    ) -> &mut Path {
        let origin = self.origin;
        let path = self.path(colour, stroke_width);
        for (n, at) in points.into_iter().enumerate() {
            let (x, y) = place(origin, at);
            if n == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
        }
        path
    }
}

/// A colour, which no chart lets others shine through; none where nothing is seen.
fn seen(BackendColor { alpha, rgb: (red, green, blue) }: BackendColor) -> Option<Colour> {
    (alpha > 0.0).then_some(Colour(red, green, blue))
}

/// A place on the page, in twips.
fn place(origin: (i32, i32), (x, y): BackendCoord) -> (i32, i32) {
    (origin.0 + x * UNIT, origin.1 + y * UNIT)
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
        let ((left, top), (right, bottom)) = (place(self.origin, upper_left), place(self.origin, bottom_right));
        let (width, height) = ((right - left).abs(), (bottom - top).abs());
        if width > 0 && height > 0 {
            let stroke_width = (!fill).then(|| style.stroke_width());
            self.path(style.color(), stroke_width).rect(left.min(right), top.min(bottom), width, height);
        }
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        self.polyline(path, style.color(), Some(style.stroke_width()));
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(&mut self, center: BackendCoord, radius: u32, style: &S, fill: bool) -> Drawn {
        let (x, y) = place(self.origin, center);
        let stroke_width = (!fill).then(|| style.stroke_width());
        self.path(style.color(), stroke_width).circle(x, y, radius as i32 * UNIT);
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
        if !matches!(style.transform(), FontTransform::None) {
            return Err(DrawingErrorKind::FontError("no label is turned".into()));
        }
        let (x, y) = place(self.origin, pos);
        let start = (x as f32 / TWIPS + dx, y as f32 / TWIPS + dy);
        if let Some(colour) = seen(style.color()) {
            self.content.text(start, &shaped, size, colour, true);
        }
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
