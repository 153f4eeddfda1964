//! The PDF: blocks → pieces → pages → krilla. Charts are drawn by plotters into the page.
//!
//! The layout is complete before anything is painted, so that each page can say how many there are. Colours, sizes
//! and margins are the theme's and `look`'s; what a section is about plays no part.

mod block;
mod canvas;
mod figure;
mod figures_csv;
mod flow;
mod furniture;
mod kpis;
mod links;
mod logo;
mod look;
mod map;
mod mark;
mod pack;
mod paint;
mod panels;
mod structure;
mod table;
#[cfg(test)]
mod tests;

use std::num::NonZeroU32;

use chrono::{Datelike, Timelike};
use flow::{Flow, Page};
use krilla::configure::{Accessibility, Archival, ConfigurationBuilder};
use krilla::embed::{AssociationKind, EmbeddedFile, MimeType};
use krilla::metadata::{DateTime, Metadata};
use krilla::page::{NumberingStyle, PageLabel, PageSettings};
use krilla::{Document, SerializeSettings};
use links::Anchors;
pub use logo::{LOGO_BYTES_MAX, Logo, LogoError};
use mark::{Anchor, Mark, Piece, Role, Room, element};
use paint::Brush;
use structure::Structure;

use super::{Format, Job, RenderError, Rendered, Renderer, Theme};
use crate::base::plain_text;
use crate::report::{Block, Head, Report, Section, SectionKind};

/// The renderer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pdf;

impl Renderer for Pdf {
    fn format(&self) -> Format {
        Format::Pdf
    }

    fn render(&self, job: Job<'_>) -> Result<Rendered, RenderError> {
        let pages = layout(job.report, job.theme);
        let mut document = Document::new_with(settings()?);
        document.set_metadata(metadata(&job.report.head));
        let titles: Vec<&str> = job.report.sections.iter().map(|section| section.title.as_str()).collect();
        document.set_outline(links::outline(&pages, &titles));
        let anchors = Anchors::of(&pages);
        let mut structure = Structure::default();
        for (index, page) in pages.iter().enumerate() {
            paint_page(&mut document, (index, page), job.theme, &anchors, &mut structure)?;
        }
        document.set_tag_tree(structure.finish(&job.report.head.language));
        document.embed_file(figures(job.report)?);
        let bytes = document.finish().map_err(|error| RenderError::Pdf(format!("{error:?}")))?;
        let bytes = pack::pack(&bytes).map_err(|what| RenderError::Pdf(what.to_owned()))?;
        let n_replaced = pages.iter().flat_map(|page| &page.marks).map(Mark::n_missing).sum();
        Ok(Rendered { bytes, n_replaced })
    }
}

/// PDF/A-3a, for the archive, and PDF/UA-1, for those who have it read to them, in one file.
fn settings() -> Result<SerializeSettings, RenderError> {
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A3_A)
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|error| RenderError::Pdf(format!("{error:?}")))?;
    // `pack` deflates, with one deflater for all.
    Ok(SerializeSettings { configuration, compress_content_streams: false, ..SerializeSettings::default() })
}

fn paint_page<'r>(
    document: &mut Document,
    (index, page): (usize, &Page<'r>),
    theme: &Theme,
    anchors: &Anchors<'r>,
    structure: &mut Structure,
) -> Result<(), RenderError> {
    let (width, height) = theme.paper.size();
    let number = u32::try_from(index + 1).ok().and_then(NonZeroU32::new);
    let settings = PageSettings::from_wh(width, height)
        .ok_or_else(|| RenderError::Pdf("the paper has no size".to_owned()))?
        .with_page_label(PageLabel::new(Some(NumberingStyle::Arabic), None, number));
    let mut sheet = document.start_page_with(settings);
    let mut surface = sheet.surface();
    let mut brush = Brush {
        surface: &mut surface,
        structure,
        theme,
        anchors,
        page: index,
        inside: None,
        links: Vec::new(),
        is_link_open: false,
    };
    brush.marks(&page.marks)?;
    let links = brush.links;
    surface.finish();
    for link in links {
        if let Some(annotation) = link.annotation() {
            let content = sheet.add_tagged_annotation(annotation);
            structure.content(link.element, content);
        }
    }
    sheet.finish();
    Ok(())
}

/// The displayed figures as a file in the file.
fn figures(report: &Report) -> Result<EmbeddedFile, RenderError> {
    let csv = figures_csv::write(report).map_err(|error| RenderError::Pdf(error.to_string()))?;
    Ok(EmbeddedFile {
        path: "figures.csv".to_owned(),
        mime_type: MimeType::new("text/csv"),
        description: Some("The figures shown in this report".to_owned()),
        association_kind: AssociationKind::Data,
        data: csv.into(),
        modification_date: Some(date(&report.head)),
        compress: Some(false),
        location: None,
    })
}

/// All pages.
fn layout<'r>(report: &'r Report, theme: &'r Theme) -> Vec<Page<'r>> {
    let (width, height) = flow::content_size(theme);
    let head = &report.head;
    let room = Room { theme, width, height, tint: theme.accent, title: "", level: 2, head, is_panel: false };
    let has_contents = report.sections.len() > 1;
    let mut flow = Flow::new(theme, if has_contents { furniture::CONTENTS } else { 0.0 });
    if report.sections.is_empty() {
        flow.begin(&report.head.title);
        flow.place(furniture::opening(&report.head, room));
        flow.place(vec![block::nothing(room)]);
    }
    for (n, section) in report.sections.iter().enumerate() {
        let mut pieces = if n == 0 { furniture::opening(&report.head, room) } else { Vec::new() };
        pieces.extend(element(Role::Section, of_section(n, section, room)));
        let height = pieces.iter().map(|piece| piece.gap + piece.height).sum();
        if !flow.has_room_for(height) {
            flow.begin(&section.title);
        }
        flow.place(pieces);
    }
    let mut pages = flow.finish();
    let n_pages = pages.len();
    if has_contents {
        let anchors = Anchors::of(&pages);
        let entry = |(n, section): (usize, &'r Section)| {
            anchors.get(Anchor::Section(n)).map(|place| (n, section.title.as_str(), place.page))
        };
        let entries: Vec<_> = report.sections.iter().enumerate().skip(1).filter_map(entry).collect();
        let contents = furniture::contents(&entries, theme);
        pages.iter_mut().take(1).for_each(|page| page.marks.extend(contents.marks.iter().cloned()));
    }
    for (number, page) in pages.iter_mut().enumerate() {
        furniture::dress(page, &report.head, (number, n_pages), theme);
    }
    pages
}

/// A section: its heading, unless the report's own title above the summary is it, its sentence and its blocks.
fn of_section<'r>(n: usize, section: &'r Section, room: Room<'r>) -> Vec<Piece<'r>> {
    let is_titled = n == 0 && section.kind == SectionKind::Summary;
    let mut pieces = if is_titled {
        vec![Piece::new(0.0).anchored(Anchor::Section(n))]
    } else {
        block::heading(&section.title, Anchor::Section(n), room)
    };
    let level = room.level + u16::from(!is_titled);
    let mut room = Room { title: &section.title, level, ..room };
    if !section.lead.is_empty() {
        pieces.extend(furniture::lead(&section.lead, room));
    }
    if section.blocks.is_empty() {
        pieces.push(block::nothing(room));
    }
    for block in on_paper(&section.blocks) {
        pieces.extend(block::pieces(block, room));
        // What follows a sub-heading stands below it.
        if matches!(block, Block::Heading(_)) {
            room.level = level + 1;
        }
    }
    pieces
}

/// Blocks with what is for paper among them, so that a sub-heading there is one for what follows it.
fn on_paper(blocks: &[Block]) -> Vec<&Block> {
    fn open(block: &Block) -> Vec<&Block> {
        if let Block::OnPaper(inner) = block { on_paper(inner) } else { vec![block] }
    }
    blocks.iter().flat_map(open).collect()
}

/// Title, language, the data's date, and an id that is the edition's: nothing of when or where it was made.
fn metadata(head: &Head) -> Metadata {
    let title = format!("{} · {} · {}", plain_text(&head.title), plain_text(&head.partner_name), head.period.long());
    Metadata::new()
        .title(title)
        .language(head.language.clone())
        .creator("pressrun".to_owned())
        .creation_date(date(head))
        .document_id(head.edition.to_string())
}

/// The data's date.
fn date(head: &Head) -> DateTime {
    let at = head.data_at;
    let part = |n: u32| u8::try_from(n).unwrap_or(0);
    DateTime::new(u16::try_from(at.year()).unwrap_or(0))
        .month(part(at.month()))
        .day(part(at.day()))
        .hour(part(at.hour()))
        .minute(part(at.minute()))
        .second(part(at.second()))
        .utc_offset_hour(0)
}
