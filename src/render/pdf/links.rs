//! Places in the document, and what leads to them: links in the text, and bookmarks.

use std::collections::HashMap;

use pdf_writer::Ref;

use super::flow::Page;
use super::mark::{Anchor, Mark};
use super::write::{Around, Document, Link, Target};
use crate::render::text::Shaped;

/// All places of a document.
#[derive(Default)]
pub(super) struct Anchors<'r> {
    places: HashMap<Anchor<'r>, Target>,
}

impl<'r> Anchors<'r> {
    /// Finds the places on the pages. Of two panels of one name, the last one is where it is broken down.
    pub(super) fn of(pages: &[Page<'r>]) -> Anchors<'r> {
        Anchors { places: anchors(pages).collect() }
    }

    /// Where a place is, if the document has it.
    pub(super) fn get(&self, anchor: Anchor<'r>) -> Option<Target> {
        self.places.get(&anchor).copied()
    }
}

fn anchors<'a, 'r>(pages: &'a [Page<'r>]) -> impl Iterator<Item = (Anchor<'r>, Target)> + 'a {
    pages.iter().enumerate().flat_map(|(page, content)| {
        content.marks.iter().filter_map(move |mark| match mark {
            Mark::Anchor { y, anchor, .. } => Some((*anchor, Target { page, y: *y })),
            _ => None,
        })
    })
}

/// Writes the bookmarks, the sections and below them their sub-headings; gives the number of what leads to them.
pub(super) fn outline(document: &mut Document, pages: &[Page<'_>], titles: &[&str]) -> Option<Ref> {
    let mut sections: Vec<Bookmark<'_>> = Vec::new();
    for (anchor, target) in anchors(pages) {
        match (anchor, sections.last_mut()) {
            (Anchor::Section(n), _) => {
                let title = titles.get(n).copied().unwrap_or_default();
                sections.push(Bookmark { title, target, below: Vec::new() });
            }
            (Anchor::Heading(title), Some(section)) => {
                section.below.push(Bookmark { title, target, below: Vec::new() });
            }
            (Anchor::Heading(_) | Anchor::Name(_), _) => {}
        }
    }
    let top = document.reserve();
    let ids = write_row(document, &sections, top);
    let (first, last) = (*ids.first()?, *ids.last()?);
    document.object(top).outline(top).first(first).last(last).count(ids.len() as i32);
    Some(top)
}

/// A bookmark and those below it.
struct Bookmark<'r> {
    title: &'r str,
    target: Target,
    below: Vec<Bookmark<'r>>,
}

/// Writes bookmarks that stand side by side; gives their numbers.
fn write_row(document: &mut Document, row: &[Bookmark<'_>], parent: Ref) -> Vec<Ref> {
    let ids: Vec<Ref> = row.iter().map(|_| document.reserve()).collect();
    for (n, (bookmark, id)) in row.iter().zip(&ids).enumerate() {
        let below = write_row(document, &bookmark.below, *id);
        let before = n.checked_sub(1).and_then(|before| ids.get(before).copied());
        let around = Around { parent, before, after: ids.get(n + 1).copied(), below };
        document.bookmark(*id, bookmark.title, bookmark.target, &around);
    }
    ids
}

/// A link on a page, as it is being painted.
pub(super) struct PageLink {
    /// Its element in the structure.
    pub(super) element: usize,
    target: Target,
    text: String,
    /// Left, top, right and bottom of what leads there.
    edges: Option<[f32; 4]>,
}

impl PageLink {
    pub(super) fn new(element: usize, target: Target) -> PageLink {
        PageLink { element, target, text: String::new(), edges: None }
    }

    /// Adds a text to what leads there.
    pub(super) fn add(&mut self, (x, y): (f32, f32), shaped: &Shaped, size: f32) {
        self.text.push_str(&shaped.text);
        let [left, top, right, bottom] = [x, y - size * 0.9, x + shaped.width * size, y + size * 0.3];
        self.edges = Some(match self.edges {
            Some([l, t, r, b]) => [l.min(left), t.min(top), r.max(right), b.max(bottom)],
            None => [left, top, right, bottom],
        });
    }

    /// What is written of it, after its element; none when nothing was drawn.
    pub(super) fn finish(self) -> Option<(usize, Link)> {
        let words = format!("{}: page {}", self.text.trim(), self.target.page + 1);
        Some((self.element, Link { edges: self.edges?, target: self.target, words }))
    }
}
