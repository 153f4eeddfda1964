//! Pages → a file that is PDF/A-3a (ISO 19005-3), for the archive, and PDF/UA-1 (ISO 14289-1), for those who have it
//! read to them.
//!
//! Over `pdf-writer`, which knows the syntax; what makes a file small and quick to write is here: a state that is kept
//! from text to text, fonts that are cut once, objects that are packed as they come.

mod catalog;
mod content;
mod fonts;
mod image;
mod objects;

pub(super) use catalog::About;
pub(super) use content::{Content, Holds, Marked, Painted, Path, TWIPS, twips};
use fonts::Fonts;
pub(super) use image::{Image, PIXELS, jpeg_segments};
use objects::Objects;
use pdf_writer::types::{AnnotationFlags, AnnotationType, TabOrder};
use pdf_writer::writers::Destination;
use pdf_writer::{Chunk, Finish, Name, Rect, Ref, TextStr};

use crate::base::{plain_text, short_name};

/// Why no file was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum WriteError {
    /// Its places no longer fit in four bytes.
    #[error("the document is too large for its cross-references")]
    TooLarge,
    /// The first glyphs of a theme's fonts are tried when the configuration is read; this is another one.
    #[error("a font's glyphs cannot be cut out of it")]
    Font,
    /// Shaping puts another sign in its place.
    #[error("a letter has no glyph")]
    NoGlyph,
}

/// A document being written.
pub(super) struct Document {
    objects: Objects,
    fonts: Fonts,
    /// Width and height of its pages, in points.
    size: (f32, f32),
    root: Ref,
    /// The fonts of all pages.
    named_fonts: Ref,
    /// What pages without the image draw with, and what those with it do.
    resources: [Ref; 2],
    pages: Vec<Ref>,
    image: Option<Ref>,
    n_links: usize,
}

/// A place to lead to: a page's index, and how far below its upper edge, in points.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub(super) page: usize,
    pub(super) y: f32,
}

/// What leads to a place when it is clicked at.
pub(super) struct Link {
    /// Left, top, right and bottom, in points.
    pub(super) edges: [f32; 4],
    pub(super) target: Target,
    /// Where it leads, in words.
    pub(super) words: String,
}

/// A link that was written: its object, and the key by which the structure is found from it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Linked {
    pub(super) object: Ref,
    pub(super) key: usize,
}

/// A letter takes four bytes at most (7.9.2.2), and more of a text nobody reads.
const TEXT_CHARS_MAX: usize = 4_000;

/// The name of a document's only image in its pages' resources.
pub(super) const IMAGE: &str = "I";

impl Document {
    /// A document of so many pages of a size in points.
    pub(super) fn new(n_pages: usize, size: (f32, f32)) -> Document {
        let mut objects = Objects::new();
        let [root, named_fonts, plain, illustrated] = std::array::from_fn(|_| objects.reserve());
        let resources = [plain, illustrated];
        let pages = (0..n_pages).map(|_| objects.reserve()).collect();
        Document {
            objects,
            fonts: Fonts::default(),
            size,
            root,
            named_fonts,
            resources,
            pages,
            image: None,
            n_links: 0,
        }
    }

    /// The content of a page, to be painted and handed to [`Document::page`].
    pub(super) fn content(&mut self) -> Content<'_> {
        Content::new(&mut self.fonts, self.size.1)
    }

    /// Writes the image that pages may show as [`IMAGE`], once.
    pub(super) fn image(&mut self, image: &Image) {
        self.image = self.image.or_else(|| Some(image.write(&mut self.objects)));
    }

    /// Writes a page: what is painted on it, and its links.
    pub(super) fn page(&mut self, index: usize, painted: &Painted, links: &[Link]) -> Vec<Linked> {
        let Some(id) = self.pages.get(index).copied() else { return Vec::new() };
        let linked: Vec<Linked> = links.iter().map(|link| self.link(link)).collect();
        let contents = self.objects.reserve();
        self.objects.stream(contents, &painted.bytes, |_| {});
        let mut page = self.objects.packed(id).page(id);
        page.parent(self.root).contents(contents).struct_parents(index as i32).tab_order(TabOrder::StructureOrder);
        // Not from the node above: an archive's pages say themselves what they draw with (ISO 19005-3, 6.2.2).
        page.pair(Name(b"Resources"), self.resources[usize::from(painted.has_image)]);
        if !linked.is_empty() {
            page.annotations(linked.iter().map(|linked| linked.object));
        }
        linked
    }

    /// Writes a link; its key follows those of the pages.
    fn link(&mut self, link: &Link) -> Linked {
        let (object, key) = (self.objects.reserve(), self.pages.len() + self.n_links);
        self.n_links += 1;
        let bounds = self.bounds(link.edges);
        let (pages, height) = (&self.pages, self.size.1);
        let mut annotation =
            self.objects.packed(object).indirect(object).start::<pdf_writer::writers::Annotation<'_>>();
        annotation
            .subtype(AnnotationType::Link)
            .rect(bounds)
            .flags(AnnotationFlags::PRINT)
            .border(0.0, 0.0, 0.0, None)
            .contents(TextStr(&short(&link.words)))
            .struct_parent(key as i32);
        let destination = annotation.insert(Name(b"Dest")).start();
        lead(destination, link.target, pages, height);
        Linked { object, key }
    }

    /// Left, top, right and bottom → a rectangle from the page's lower left corner.
    pub(super) fn bounds(&self, [left, top, right, bottom]: [f32; 4]) -> Rect {
        Rect::new(left, self.size.1 - bottom, right, self.size.1 - top)
    }

    /// The objects of all pages.
    pub(super) fn pages(&self) -> &[Ref] {
        &self.pages
    }

    /// A number for an object that is written later.
    pub(super) fn reserve(&mut self) -> Ref {
        self.objects.reserve()
    }

    /// Where to write an object, and only it.
    pub(super) fn object(&mut self, id: Ref) -> &mut Chunk {
        self.objects.packed(id)
    }

    /// Writes an item of the bookmarks.
    pub(super) fn bookmark(&mut self, id: Ref, title: &str, target: Target, around: &Around) {
        let (pages, height) = (&self.pages, self.size.1);
        let mut item = self.objects.packed(id).outline_item(id);
        item.title(TextStr(&short(title))).parent(around.parent);
        if let Some(before) = around.before {
            item.prev(before);
        }
        if let Some(after) = around.after {
            item.next(after);
        }
        if let (Some(first), Some(last)) = (around.below.first(), around.below.last()) {
            // Closed at first: as many would be seen when it is opened.
            item.first(*first).last(*last).count(-(around.below.len() as i32));
        }
        lead(item.dest(), target, pages, height);
    }

    /// Writes what all pages share: their tree, and their fonts and image.
    fn shared(&mut self) -> Result<(), WriteError> {
        let fonts = std::mem::take(&mut self.fonts).write(&mut self.objects)?;
        let mut named = self.objects.packed(self.named_fonts).indirect(self.named_fonts).dict();
        for (place, font) in fonts {
            named.pair(Name(place.to_string().as_bytes()), font);
        }
        named.finish();
        for (id, image) in self.resources.into_iter().zip([None, self.image]) {
            let mut resources = self.objects.packed(id).indirect(id).dict();
            resources.pair(Name(b"Font"), self.named_fonts);
            if let Some(image) = image {
                resources.insert(Name(b"XObject")).dict().pair(Name(IMAGE.as_bytes()), image);
            }
        }
        let (width, height) = self.size;
        let mut pages = self.objects.packed(self.root).pages(self.root);
        pages.kids(self.pages.iter().copied()).count(self.pages.len() as i32);
        pages.media_box(Rect::new(0.0, 0.0, width, height));
        Ok(())
    }
}

/// What stands around an item of the bookmarks.
pub(super) struct Around {
    pub(super) parent: Ref,
    pub(super) before: Option<Ref>,
    pub(super) after: Option<Ref>,
    pub(super) below: Vec<Ref>,
}

/// A text beside the pages, no longer than a string may be (ISO 19005-3, 6.1.13: 32,767 bytes).
pub(super) fn short(text: &str) -> String {
    short_name(&plain_text(text), TEXT_CHARS_MAX)
}

/// The left end of a line, so that nothing is scrolled sideways, at the zoom that is.
fn lead(destination: Destination<'_>, target: Target, pages: &[Ref], height: f32) {
    if let Some(page) = pages.get(target.page) {
        destination.page(*page).xyz(0.0, height - target.y, None);
    }
}
