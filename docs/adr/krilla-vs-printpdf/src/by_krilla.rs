//! The report by krilla.

use std::cell::RefCell;
use std::collections::HashMap;
use std::num::NonZeroU16;

use krilla::Document;
use krilla::SerializeSettings;
use krilla::color::rgb;
use krilla::configure::validate::{Accessibility, Archival};
use krilla::configure::{Configuration, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;
use krilla::tagging::{Artifact, ArtifactType, ContentTag, Node, SpanTag, TableHeaderScope, Tag, TagGroup, TagTree};
use krilla::text::{Font, GlyphId, KrillaGlyph};

use crate::content::{COLUMNS, LEADING, PAGE, Page, TOP};

/// What is asked of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Marks on paper.
    Untagged,
    /// With headings, tables, rows and cells.
    Tagged,
    /// Tagged, and held to PDF/A-3a and PDF/UA-1.
    Archival,
}

/// The font, parsed once, and the strings shaped so far.
pub struct Library<'a> {
    font: Font,
    face: rustybuzz::Face<'a>,
    shaped: RefCell<HashMap<String, Vec<KrillaGlyph>>>,
}

impl<'a> Library<'a> {
    /// Parses the font.
    pub fn new(font: &'a [u8]) -> Library<'a> {
        Library {
            font: Font::new(font.to_vec().into(), 0).expect("krilla reads the font"),
            face: rustybuzz::Face::from_slice(font, 0).expect("rustybuzz reads the font"),
            shaped: RefCell::default(),
        }
    }

    /// The report's bytes.
    pub fn render(&self, pages: &[Page], kind: Kind) -> Vec<u8> {
        let mut document = Document::new_with(SerializeSettings {
            configuration: configuration(kind),
            enable_tagging: kind != Kind::Untagged,
            ..SerializeSettings::default()
        });
        let mut outline = Outline::new();
        let mut tree = TagTree::new().with_lang(Some("en".to_owned()));
        for (index, page) in pages.iter().enumerate() {
            let settings = PageSettings::from_wh(PAGE.0, PAGE.1).expect("a page has a size");
            let mut drawn = document.start_page_with(settings);
            let mut surface = drawn.surface();
            for node in self.draw(&mut surface, page, kind != Kind::Untagged) {
                tree.push(node);
            }
            surface.finish();
            drawn.finish();
            let top = XyzDestination::new(index, Point::from_xy(0.0, 0.0));
            outline.push_child(OutlineNode::new(page.title.clone(), top));
        }
        document.set_outline(outline);
        document.set_metadata(metadata());
        if kind != Kind::Untagged {
            document.set_tag_tree(tree);
        }
        document.finish().expect("krilla accepts the document")
    }

    fn draw(&self, surface: &mut Surface<'_>, page: &Page, tagged: bool) -> Vec<Node> {
        let mut groups = Vec::new();
        let mut heading = TagGroup::new(Tag::Hn(NonZeroU16::MIN, Some(page.title.clone())));
        self.text(surface, (COLUMNS[0], 60.0), 18.0, &page.title, tagged, &mut heading);
        groups.push(heading.into());
        let mut table = TagGroup::new(Tag::Table);
        for (n_row, row) in page.rows.iter().enumerate() {
            let y = TOP + n_row as f32 * LEADING;
            let mut tr = TagGroup::new(Tag::TR);
            for (x, cell) in COLUMNS.into_iter().zip(row) {
                let mut group =
                    if n_row == 0 { TagGroup::new(Tag::TH(TableHeaderScope::Column)) } else { TagGroup::new(Tag::TD) };
                self.text(surface, (x, y), 8.0, cell, tagged, &mut group);
                tr.push(group);
            }
            table.push(tr);
        }
        bars(surface, page, tagged);
        groups.push(table.into());
        groups
    }

    fn text(
        &self,
        surface: &mut Surface<'_>,
        at: (f32, f32),
        size: f32,
        text: &str,
        tagged: bool,
        into: &mut TagGroup,
    ) {
        if tagged {
            into.push(surface.start_tagged(ContentTag::Span(SpanTag::empty())));
        }
        surface.set_fill(Some(fill(33, 37, 41)));
        let mut shaped = self.shaped.borrow_mut();
        let glyphs = shaped.entry(text.to_owned()).or_insert_with(|| self.shape(text));
        surface.draw_glyphs(Point::from_xy(at.0, at.1), glyphs, self.font.clone(), text, size, false);
        if tagged {
            surface.end_tagged();
        }
    }

    fn shape(&self, text: &str) -> Vec<KrillaGlyph> {
        let mut buffer = rustybuzz::UnicodeBuffer::new();
        buffer.push_str(text);
        let output = rustybuzz::shape(&self.face, &[], buffer);
        let starts: Vec<usize> = output.glyph_infos().iter().map(|info| info.cluster as usize).collect();
        let em = self.font.units_per_em();
        let glyph = |(index, (info, position)): (usize, (&rustybuzz::GlyphInfo, &rustybuzz::GlyphPosition))| {
            let end = starts[index..].iter().copied().find(|start| *start > starts[index]).unwrap_or(text.len());
            let advance = position.x_advance as f32 / em;
            let (dx, dy) = (position.x_offset as f32 / em, position.y_offset as f32 / em);
            KrillaGlyph::new(GlyphId::new(info.glyph_id), advance, dx, dy, 0.0, starts[index]..end, None)
        };
        output.glyph_infos().iter().zip(output.glyph_positions()).enumerate().map(glyph).collect()
    }
}

fn bars(surface: &mut Surface<'_>, page: &Page, tagged: bool) {
    if tagged {
        surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Other)));
    }
    surface.set_fill(Some(fill(45, 108, 223)));
    for (n_row, bar) in page.bars.iter().enumerate().filter(|(_, bar)| **bar > 0.0) {
        let y = TOP + (n_row as f32 + 1.0) * LEADING + 2.0;
        let mut path = PathBuilder::new();
        path.push_rect(Rect::from_xywh(COLUMNS[6], y, *bar, 1.5).expect("a bar has a size"));
        surface.draw_path(&path.finish().expect("a rectangle is a path"));
    }
    if tagged {
        surface.end_tagged();
    }
}

fn fill(red: u8, green: u8, blue: u8) -> Fill {
    Fill { paint: rgb::Color::new(red, green, blue).into(), ..Fill::default() }
}

fn configuration(kind: Kind) -> Configuration {
    match kind {
        Kind::Untagged | Kind::Tagged => Configuration::default(),
        Kind::Archival => ConfigurationBuilder::new()
            .with_archival_validator(Archival::A3_A)
            .with_accessibility_validator(Accessibility::UA1)
            .finish()
            .expect("the two standards go together"),
    }
}

fn metadata() -> Metadata {
    Metadata::new()
        .title("Product licenses".to_owned())
        .language("en".to_owned())
        .creation_date(DateTime::new(2026).month(11).day(21).hour(2).minute(0).second(0).utc_offset_hour(0))
        .document_id("product-licenses".to_owned())
}
