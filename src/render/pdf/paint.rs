//! Marks → a page's content, with the structure that they are of.

use super::canvas::Canvas;
use super::links::{Anchors, PageLink};
use super::mark::{Mark, Role};
use super::structure::{Open, Structure, artifact};
use super::write::{Content, Holds, IMAGE, Marked, Path, twips};
use crate::render::chart::Picture;
use crate::render::text::Shaped;
use crate::render::{Colour, RenderError, Theme, chart};

/// A page being painted.
pub(super) struct Brush<'a, 'd, 'r> {
    pub(super) content: Content<'d>,
    pub(super) structure: &'a mut Structure<'r>,
    pub(super) theme: &'a Theme,
    pub(super) anchors: &'a Anchors<'r>,
    /// The page's index.
    pub(super) page: usize,
    /// What the texts of the marked content that is open are of.
    pub(super) inside: Option<Open>,
    /// The links of the page; the last one is open when `is_link_open`.
    pub(super) links: Vec<PageLink>,
    pub(super) is_link_open: bool,
}

impl<'d, 'r> Brush<'_, 'd, 'r> {
    /// Paints a page's marks: grounds, rules and signs first, which say nothing of their own, then what is read,
    /// in the order of reading.
    pub(super) fn marks(&mut self, marks: &[Mark<'r>]) -> Result<(), RenderError> {
        self.content.begin(Marked::Artifact("/Type/Layout"), Holds::Shapes);
        self.shapes(marks);
        self.content.end(Holds::Shapes);
        for mark in marks {
            match mark {
                Mark::Begin(role) => self.begin(*role),
                Mark::End => self.end(),
                Mark::Text { x, y, shaped, size, colour } => self.text((*x, *y), shaped, *size, *colour),
                Mark::Picture { x, y, width, height, picture, alt } => {
                    self.picture([*x, *y, *width, *height], *picture, alt)?;
                }
                Mark::Logo { x, y, width, height, alt, .. } => self.logo([*x, *y, *width, *height], alt),
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
        let mut paths: Vec<(u8, Colour, Path)> = Vec::new();
        for mark in marks {
            let (Mark::Rect { colour, .. } | Mark::Dot { colour, .. } | Mark::Triangle { colour, .. }) = mark else {
                continue;
            };
            let at = paths.iter().position(|(_, known, _)| known == colour).unwrap_or_else(|| {
                paths.push((layer(*colour), *colour, Path::default()));
                paths.len() - 1
            });
            shape(&mut paths[at].2, mark);
        }
        paths.sort_by_key(|(layer, ..)| *layer);
        for (_, colour, path) in paths {
            self.content.fill(&path, colour);
        }
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
    fn begin_content(&mut self, open: Open, holds: Holds) {
        let marked = match open {
            Open::Artifact(furniture) => Marked::Artifact(artifact(furniture)),
            Open::Element(element) => Marked::Content(self.structure.content(element, self.page)),
        };
        self.content.begin(marked, holds);
    }

    /// The same for texts, which go on in the content that is open where they are of the same.
    fn enter(&mut self) {
        let Some(open) = self.structure.current().filter(|open| self.inside != Some(*open)) else { return };
        self.leave();
        self.begin_content(open, Holds::Text);
        self.inside = Some(open);
    }

    fn leave(&mut self) {
        if self.inside.take().is_some() {
            self.content.end(Holds::Text);
        }
    }

    fn text(&mut self, start: (f32, f32), shaped: &Shaped, size: f32, colour: Colour) {
        if shaped.runs.is_empty() {
            return;
        }
        if let Some(link) = self.links.last_mut().filter(|_| self.is_link_open) {
            link.add(start, shaped, size);
        }
        match self.structure.current() {
            // What is not drawn in the order in which it is written says how it is written.
            Some(Open::Element(element)) if shaped.is_reordered => {
                self.leave();
                let mcid = self.structure.content(element, self.page);
                self.content.begin(Marked::Instead(mcid, &shaped.text), Holds::Text);
                self.content.text(start, shaped, size, colour, false);
                self.content.end(Holds::Text);
            }
            _ => {
                self.enter();
                self.content.text(start, shaped, size, colour, true);
            }
        }
    }

    /// Draws what fills a rectangle, given by its left and upper edge, width and height, as a figure.
    fn figure<T>(&mut self, bounds: [f32; 4], alt: &str, draw: impl FnOnce(&mut Content<'d>) -> T) -> T {
        let [x, y, width, height] = bounds;
        self.structure.figure(alt, [x, y, x + width, y + height]);
        self.leave();
        if let Some(open) = self.structure.current() {
            self.begin_content(open, Holds::Shapes);
        }
        let drawn = draw(&mut self.content);
        self.content.end(Holds::Shapes);
        self.structure.end();
        drawn
    }

    fn picture(&mut self, bounds: [f32; 4], picture: Picture<'r>, alt: &str) -> Result<(), RenderError> {
        let [x, y, width, height] = bounds;
        let theme = self.theme;
        self.figure(bounds, alt, |content| {
            let (origin, size) = ((twips(x), twips(y)), (width, height));
            let canvas = Canvas { content, origin, size, fonts: &theme.fonts, pending: None };
            chart::draw(canvas, picture, theme)
        })
        .map_err(|error| RenderError::Pdf(error.to_string()))
    }

    fn logo(&mut self, bounds: [f32; 4], alt: &str) {
        let [x, y, width, height] = bounds.map(twips);
        self.figure(bounds, alt, |content| content.image(IMAGE, x, y, width, height));
    }
}

/// Adds a mark that is a mere shape to a path. The thinnest is a twip wide.
fn shape(path: &mut Path, mark: &Mark<'_>) {
    match mark {
        Mark::Rect { x, y, width, height, .. } => {
            let (left, top) = (twips(*x), twips(*y));
            path.rect(left, top, (twips(x + width) - left).max(1), (twips(y + height) - top).max(1));
        }
        Mark::Dot { x, y, radius, .. } => path.circle(twips(*x), twips(*y), twips(*radius)),
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
