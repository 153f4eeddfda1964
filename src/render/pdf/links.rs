//! Places in the document, and what leads to them: links in the text, and bookmarks.

use std::collections::HashMap;

use krilla::annotation::{Annotation, LinkAnnotation, Target};
use krilla::destination::XyzDestination;
use krilla::geom::{Point, Rect};
use krilla::outline::{Outline, OutlineNode};

use super::flow::Page;
use super::mark::{Anchor, Mark};
use crate::base::plain_text;
use crate::render::text::Shaped;

/// Where a place is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The page's index.
    pub(super) page: usize,
    y: f32,
}

impl Place {
    /// The place at the left end of its line, so that nothing is scrolled sideways.
    fn destination(self) -> XyzDestination {
        XyzDestination::new(self.page, Point::from_xy(0.0, self.y))
    }
}

/// All places of a document.
#[derive(Default)]
pub(super) struct Anchors<'r> {
    places: HashMap<Anchor<'r>, Place>,
}

impl<'r> Anchors<'r> {
    /// Finds the places on the pages. Of two panels of one name, the last one is where it is broken down.
    pub(super) fn of(pages: &[Page<'r>]) -> Anchors<'r> {
        Anchors { places: anchors(pages).collect() }
    }

    /// Where a place is, if the document has it.
    pub(super) fn get(&self, anchor: Anchor<'r>) -> Option<Place> {
        self.places.get(&anchor).copied()
    }
}

fn anchors<'a, 'r>(pages: &'a [Page<'r>]) -> impl Iterator<Item = (Anchor<'r>, Place)> + 'a {
    pages.iter().enumerate().flat_map(|(page, content)| {
        content.marks.iter().filter_map(move |mark| match mark {
            Mark::Anchor { y, anchor, .. } => Some((*anchor, Place { page, y: *y })),
            _ => None,
        })
    })
}

/// The bookmarks: the sections, and below them their sub-headings.
pub(super) fn outline(pages: &[Page<'_>], titles: &[&str]) -> Outline {
    let mut nodes: Vec<OutlineNode> = Vec::new();
    for (anchor, place) in anchors(pages) {
        let node = |text: &str| OutlineNode::new(plain_text(text), place.destination());
        match (anchor, nodes.last_mut()) {
            (Anchor::Section(n), _) => nodes.push(node(titles.get(n).copied().unwrap_or_default())),
            (Anchor::Heading(text), Some(section)) => section.push_child(node(text)),
            (Anchor::Heading(_) | Anchor::Name(_), _) => {}
        }
    }
    let mut outline = Outline::new();
    nodes.into_iter().for_each(|node| outline.push_child(node));
    outline
}

/// A link on a page, as it is being painted.
pub(super) struct PageLink {
    /// Its element in the structure.
    pub(super) element: usize,
    place: Place,
    text: String,
    /// Left, top, right and bottom of what leads there.
    edges: Option<[f32; 4]>,
}

impl PageLink {
    pub(super) fn new(element: usize, place: Place) -> PageLink {
        PageLink { element, place, text: String::new(), edges: None }
    }

    /// Adds a text to what leads there.
    pub(super) fn add(&mut self, start: Point, shaped: &Shaped, size: f32) {
        self.text.push_str(&shaped.text);
        let [left, top, right, bottom] =
            [start.x, start.y - size * 0.9, start.x + shaped.width * size, start.y + size * 0.3];
        self.edges = Some(match self.edges {
            Some([l, t, r, b]) => [l.min(left), t.min(top), r.max(right), b.max(bottom)],
            None => [left, top, right, bottom],
        });
    }

    /// The annotation; none when nothing was drawn.
    pub(super) fn annotation(&self) -> Option<Annotation> {
        let [left, top, right, bottom] = self.edges?;
        let rect = Rect::from_ltrb(left, top, right, bottom)?;
        let target = Target::Destination(self.place.destination().into());
        let words = format!("{}: page {}", plain_text(&self.text).trim(), self.place.page + 1);
        Some(Annotation::new_link(LinkAnnotation::new(rect, target), Some(words)))
    }
}
