//! The PDF: blocks → pieces → pages → krilla. Charts are drawn by plotters into the page.
//!
//! The layout is complete before anything is painted, so that each page can say how many there are. Colours, sizes
//! and margins are the theme's and `look`'s; what a section is about plays no part.

mod block;
mod canvas;
mod figure;
mod flow;
mod furniture;
mod kpis;
mod look;
mod mark;
mod paint;
mod panels;
mod table;
#[cfg(test)]
mod tests;

use chrono::{Datelike, Timelike};
use flow::{Flow, Page};
use krilla::SerializeSettings;
use krilla::destination::XyzDestination;
use krilla::geom::Point;
use krilla::metadata::{DateTime, Metadata};
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use mark::{Piece, Room};

use super::{Format, Job, RenderError, Renderer, Theme};
use crate::base::plain_text;
use crate::report::{Head, Report, Section, SectionKind};

/// The renderer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pdf;

impl Renderer for Pdf {
    fn format(&self) -> Format {
        Format::Pdf
    }

    fn render(&self, job: Job<'_>) -> Result<Vec<u8>, RenderError> {
        let (pages, outline) = layout(job.report, job.theme);
        // Untagged for now: the marks of a page stand in reading order, which is what tags will need.
        let settings = SerializeSettings { enable_tagging: false, ..SerializeSettings::default() };
        let mut document = krilla::Document::new_with(settings);
        document.set_metadata(metadata(&job.report.head));
        let (width, height) = job.theme.paper.size();
        for page in &pages {
            let settings = PageSettings::from_wh(width, height)
                .ok_or_else(|| RenderError::Pdf("the paper has no size".to_owned()))?;
            let mut sheet = document.start_page_with(settings);
            let mut surface = sheet.surface();
            paint::marks(&mut surface, &page.marks, job.theme)?;
            surface.finish();
            sheet.finish();
        }
        document.set_outline(outline);
        document.finish().map_err(|error| RenderError::Pdf(format!("{error:?}")))
    }
}

/// All pages, and the bookmarks: one a section.
fn layout<'r>(report: &'r Report, theme: &'r Theme) -> (Vec<Page<'r>>, Outline) {
    let (width, height) = flow::content_size(theme);
    let room = Room { theme, width, height, tint: theme.accent, title: "", is_panel: false };
    let mut flow = Flow::new(theme);
    let mut outline = Outline::new();
    if report.sections.is_empty() {
        flow.begin(&report.head.title);
        flow.place(furniture::opening(&report.head, room));
        flow.place(vec![block::nothing(room)]);
    }
    for (n, section) in report.sections.iter().enumerate() {
        let mut pieces = if n == 0 { furniture::opening(&report.head, room) } else { Vec::new() };
        // The report's own title stands above the summary.
        if n > 0 || section.kind != SectionKind::Summary {
            pieces.extend(block::heading(&section.title, room));
        }
        pieces.extend(contents(section, room));
        let height = pieces.iter().map(|piece| piece.gap + piece.height).sum();
        let (index, y) = flow.room_for(height).unwrap_or_else(|| (flow.begin(&section.title), 0.0));
        let place = XyzDestination::new(index, Point::from_xy(0.0, y));
        outline.push_child(OutlineNode::new(plain_text(&section.title), place));
        flow.place(pieces);
    }
    let mut pages = flow.finish();
    let n_pages = pages.len();
    for (number, page) in pages.iter_mut().enumerate() {
        furniture::dress(page, &report.head, (number, n_pages), theme);
    }
    (pages, outline)
}

/// What stands below a section's heading.
fn contents<'r>(section: &'r Section, room: Room<'r>) -> Vec<Piece<'r>> {
    let room = Room { title: &section.title, ..room };
    let mut pieces = if section.lead.is_empty() { Vec::new() } else { furniture::lead(&section.lead, room) };
    if section.blocks.is_empty() {
        pieces.push(block::nothing(room));
    }
    pieces.extend(section.blocks.iter().flat_map(|block| block::pieces(block, room)));
    pieces
}

/// Title, language, the data's date, and an id that is the edition's: nothing of when or where it was made.
fn metadata(head: &Head) -> Metadata {
    let at = head.data_at;
    let part = |n: u32| u8::try_from(n).unwrap_or(0);
    let created = DateTime::new(u16::try_from(at.year()).unwrap_or(0))
        .month(part(at.month()))
        .day(part(at.day()))
        .hour(part(at.hour()))
        .minute(part(at.minute()))
        .second(part(at.second()))
        .utc_offset_hour(0);
    let title = format!("{} · {} · {}", plain_text(&head.title), plain_text(&head.partner_name), head.period.long());
    Metadata::new()
        .title(title)
        .language(head.language.clone())
        .creator("pressrun".to_owned())
        .creation_date(created)
        .document_id(head.edition.to_string())
}
