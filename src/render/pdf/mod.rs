//! The PDF: blocks → pieces → pages → a file. Charts are drawn by plotters into the page.
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
mod paint;
mod panels;
mod structure;
mod table;
#[cfg(test)]
mod tests;
mod write;

use flow::{Flow, Page};
use links::{Anchors, PageLink};
pub use logo::{LOGO_BYTES_MAX, Logo, LogoError};
use mark::{Anchor, Mark, Piece, Role, Room, element};
use paint::Brush;
use structure::Structure;
use write::{About, Document, Link, WriteError, short};

use super::{Format, Job, RenderError, Rendered, Renderer, Theme};
use crate::report::{Block, Report, Section, SectionKind};

/// The renderer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pdf;

impl Renderer for Pdf {
    fn format(&self) -> Format {
        Format::Pdf
    }

    fn render(&self, job: Job<'_>) -> Result<Rendered, RenderError> {
        let pages = layout(job.report, job.theme);
        let mut document = Document::new(pages.len(), job.theme.paper.size());
        let anchors = Anchors::of(&pages);
        let mut structure = Structure::default();
        if let Some(logo) = &job.theme.logo {
            document.image(logo.image());
        }
        for (index, page) in pages.iter().enumerate() {
            paint_page(&mut document, (index, page), job.theme, &anchors, &mut structure)?;
        }
        let titles: Vec<&str> = job.report.sections.iter().map(|section| section.title.as_str()).collect();
        let outline = links::outline(&mut document, &pages, &titles);
        let structure = structure.write(&mut document);
        let bytes = document.finish(&about(job.report)?, structure, outline)?;
        let n_replaced = pages.iter().flat_map(|page| &page.marks).map(Mark::n_missing).sum();
        Ok(Rendered { bytes, n_replaced })
    }
}

fn paint_page<'r>(
    document: &mut Document,
    (index, page): (usize, &Page<'r>),
    theme: &Theme,
    anchors: &Anchors<'r>,
    structure: &mut Structure<'r>,
) -> Result<(), RenderError> {
    let content = document.content();
    let (inside, links, is_link_open) = (None, Vec::new(), false);
    let mut brush = Brush { content, structure, theme, anchors, page: index, inside, links, is_link_open };
    brush.marks(&page.marks)?;
    let (elements, links): (Vec<usize>, Vec<Link>) = brush.links.into_iter().filter_map(PageLink::finish).unzip();
    let content = brush.content.finish();
    for (element, link) in elements.into_iter().zip(document.page(index, &content, &links)) {
        structure.link(element, index, link);
    }
    Ok(())
}

/// Title, language, the data's date, and an id that is the edition's; and the displayed figures as a file in the file.
fn about(report: &Report) -> Result<About, RenderError> {
    let head = &report.head;
    let figures = figures_csv::write(report).map_err(|error| RenderError::Pdf(error.to_string()))?;
    Ok(About {
        title: short(&format!("{} · {} · {}", head.title, head.partner_name, head.period.long())),
        language: head.language.clone(),
        at: head.data_at,
        id: head.edition.to_string(),
        attached: ("figures.csv", "The figures shown in this report", figures),
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

impl From<WriteError> for RenderError {
    fn from(error: WriteError) -> RenderError {
        RenderError::Pdf(error.to_string())
    }
}
