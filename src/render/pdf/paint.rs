//! Marks → krilla's surface, with the structure that they are of.

use std::sync::Arc;

use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point, Rect, Transform};
use krilla::paint::Fill;
use krilla::surface::Surface;
use krilla::tagging::{Artifact, ArtifactType, ContentTag, SpanTag};

use super::canvas::Canvas;
use super::links::{Anchors, PageLink};
use super::logo::Logo;
use super::mark::{Mark, Role};
use super::structure::{Open, Structure, artifact};
use crate::render::chart::Picture;
use crate::render::text::Shaped;
use crate::render::{Colour, RenderError, Theme, chart};

/// A page being painted.
pub(super) struct Brush<'a, 'p, 'r> {
    pub(super) surface: &'a mut Surface<'p>,
    pub(super) structure: &'a mut Structure,
    pub(super) theme: &'a Theme,
    pub(super) anchors: &'a Anchors<'r>,
    /// The page's index.
    pub(super) page: usize,
    /// What the surface's marked content is of.
    pub(super) inside: Option<Open>,
    /// The links of the page; the last one is open when `is_link_open`.
    pub(super) links: Vec<PageLink>,
    pub(super) is_link_open: bool,
}

impl<'r> Brush<'_, '_, 'r> {
    /// Paints a page's marks: grounds, rules and signs first, which say nothing of their own, then what is read,
    /// in the order of reading.
    pub(super) fn marks(&mut self, marks: &[Mark<'r>]) -> Result<(), RenderError> {
        let layout = ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout));
        self.surface.start_tagged(layout);
        self.shapes(marks);
        self.surface.end_tagged();
        for mark in marks {
            match mark {
                Mark::Begin(role) => self.begin(*role),
                Mark::End => self.end(),
                Mark::Text { x, y, shaped, size, colour } => {
                    self.text(Point::from_xy(*x, *y), shaped, *size, *colour);
                }
                Mark::Picture { x, y, width, height, picture, alt } => {
                    self.picture(Rect::from_xywh(*x, *y, *width, *height), *picture, alt)?;
                }
                Mark::Logo { x, y, width, height, logo, alt } => {
                    self.logo(Rect::from_xywh(*x, *y, *width, *height), logo, alt);
                }
                Mark::Rect { .. } | Mark::Dot { .. } | Mark::Triangle { .. } | Mark::Anchor { .. } => {}
            }
        }
        self.leave();
        Ok(())
    }

    /// Paints all shapes of one colour as one path: grounds below tracks and rules, those below signs and bars, and
    /// what is in ink above all. Within a layer no shape lies on another.
    fn shapes(&mut self, marks: &[Mark<'r>]) {
        let layer = |colour: Colour| match colour {
            colour if colour == self.theme.ground || colour == self.theme.banner => 0,
            colour if colour == self.theme.line => 1,
            colour if colour == self.theme.ink => 3,
            _ => 2,
        };
        let mut paths: Vec<(u8, Colour, PathBuilder)> = Vec::new();
        for mark in marks {
            let (Mark::Rect { colour, .. } | Mark::Dot { colour, .. } | Mark::Triangle { colour, .. }) = mark else {
                continue;
            };
            let at = paths.iter().position(|(_, known, _)| known == colour).unwrap_or_else(|| {
                paths.push((layer(*colour), *colour, PathBuilder::new()));
                paths.len() - 1
            });
            shape(&mut paths[at].2, mark);
        }
        paths.sort_by_key(|(layer, ..)| *layer);
        self.surface.push_transform(&Transform::from_scale(1.0 / TWIPS, 1.0 / TWIPS));
        for (_, colour, path) in paths {
            fill(self.surface, path, colour);
        }
        self.surface.pop();
    }

    fn begin(&mut self, role: Role<'r>) {
        let Role::Link(anchor) = role else { return self.structure.begin(role) };
        match self.anchors.get(anchor).filter(|_| matches!(self.structure.current(), Some(Open::Element(_)))) {
            Some(place) => {
                self.structure.begin(role);
                if let Some(Open::Element(element)) = self.structure.current() {
                    self.links.push(PageLink::new(element, place));
                    self.is_link_open = true;
                }
            }
            None => self.structure.begin_nothing(),
        }
    }

    fn end(&mut self) {
        let ended = self.structure.current();
        self.structure.end();
        if self.links.last().is_some_and(|link| ended == Some(Open::Element(link.element))) {
            self.is_link_open = false;
        }
    }

    /// Makes what is painted next content of what is open.
    fn enter(&mut self) {
        let Some(open) = self.structure.current() else { return };
        if self.inside == Some(open) {
            return;
        }
        self.leave();
        match open {
            Open::Artifact(furniture) => {
                self.surface.start_tagged(ContentTag::Artifact(artifact(furniture)));
            }
            Open::Element(element) => {
                let content = self.surface.start_tagged(ContentTag::Other);
                self.structure.content(element, content);
            }
        }
        self.inside = Some(open);
    }

    fn leave(&mut self) {
        if self.inside.take().is_some() {
            self.surface.end_tagged();
        }
    }

    fn text(&mut self, start: Point, shaped: &Arc<Shaped>, size: f32, colour: Colour) {
        if shaped.runs.is_empty() {
            return;
        }
        if let Some(link) = self.links.last_mut().filter(|_| self.is_link_open) {
            link.add(start, shaped, size);
        }
        match self.structure.current() {
            // What is not drawn in the order in which it is written says how it is written (14.9.4).
            Some(Open::Element(element)) if shaped.is_reordered => {
                self.leave();
                let span = SpanTag::empty().with_actual_text(Some(&shaped.text));
                let content = self.surface.start_tagged(ContentTag::Span(span));
                self.structure.content(element, content);
                text(self.surface, start, shaped, size, colour);
                self.surface.end_tagged();
            }
            _ => {
                self.enter();
                text(self.surface, start, shaped, size, colour);
            }
        }
    }

    fn picture(&mut self, rect: Option<Rect>, picture: Picture<'r>, alt: &str) -> Result<(), RenderError> {
        // Whole tenths, the units of a picture: its coordinates are short then.
        let whole = |rect: Rect| Rect::from_xywh(tenths(rect.left()), tenths(rect.top()), rect.width(), rect.height());
        let Some(rect) = rect.and_then(whole) else { return Ok(()) };
        self.structure.figure(alt, self.page, rect);
        self.enter();
        let size = (rect.width(), rect.height());
        let canvas = Canvas {
            surface: self.surface,
            origin: (rect.left(), rect.top()),
            size,
            fonts: &self.theme.fonts,
            pending: None,
        };
        chart::draw(canvas, picture, self.theme).map_err(|error| RenderError::Pdf(error.to_string()))?;
        self.structure.end();
        Ok(())
    }

    fn logo(&mut self, rect: Option<Rect>, logo: &Logo, alt: &str) {
        let Some(rect) = rect else { return };
        self.structure.figure(alt, self.page, rect);
        self.enter();
        logo.draw(self.surface, rect);
        self.structure.end();
    }
}

/// A point of paper has so many of the units that shapes are drawn in: in whole numbers they take half the room.
const TWIPS: f32 = 20.0;

fn twips(points: f32) -> f32 {
    (points * TWIPS).round()
}

/// Adds a mark that is a mere shape to a path, in twips. The thinnest is one wide.
fn shape(path: &mut PathBuilder, mark: &Mark<'_>) {
    match mark {
        Mark::Rect { x, y, width, height, .. } => {
            let (left, top) = (twips(*x), twips(*y));
            let (right, bottom) = (twips(x + width).max(left + 1.0), twips(y + height).max(top + 1.0));
            if let Some(rect) = Rect::from_ltrb(left, top, right, bottom) {
                path.push_rect(rect);
            }
        }
        Mark::Dot { x, y, radius, .. } => push_circle(path, twips(*x), twips(*y), twips(*radius)),
        Mark::Triangle { x, y, side, is_up, .. } => {
            let (foot, tip) = if *is_up { (*y, y - side * 0.87) } else { (y - side * 0.87, *y) };
            path.move_to(twips(*x), twips(foot));
            path.line_to(twips(x + side), twips(foot));
            path.line_to(twips(x + side / 2.0), twips(tip));
            path.close();
        }
        _ => {}
    }
}

/// Draws a shaped line from its left end on the base line.
pub(super) fn text(surface: &mut Surface<'_>, start: Point, shaped: &Arc<Shaped>, size: f32, colour: Colour) {
    set_fill(surface, colour);
    let mut x = start.x;
    for run in &shaped.runs {
        if let Some(font) = run.font.pdf() {
            let start = Point::from_xy(hundredths(x), hundredths(start.y));
            surface.draw_glyphs(start, &run.glyphs, font.clone(), &shaped.text, size, false);
        }
        x += run.width * size;
    }
}

fn tenths(points: f32) -> f32 {
    (points * 10.0).round() / 10.0
}

/// Rounded to a hundredth of a point, which no eye sees: the tails of sums of decimals would be written out.
fn hundredths(points: f32) -> f32 {
    (points * 100.0).round() / 100.0
}

/// A circle as four Bézier curves, in whole units.
pub(super) fn push_circle(path: &mut PathBuilder, x: f32, y: f32, radius: f32) {
    // 4/3 (√2 − 1): the handle that keeps within 0.03 % of the circle.
    let handle = (radius * 0.552_284_8).round();
    path.move_to(x + radius, y);
    path.cubic_to(x + radius, y + handle, x + handle, y + radius, x, y + radius);
    path.cubic_to(x - handle, y + radius, x - radius, y + handle, x - radius, y);
    path.cubic_to(x - radius, y - handle, x - handle, y - radius, x, y - radius);
    path.cubic_to(x + handle, y - radius, x + radius, y - handle, x + radius, y);
    path.close();
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
