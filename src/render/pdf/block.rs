//! Blocks → pieces of a page.

use super::look::{BODY, HEADING, READING, SMALL, base_line, line_height};
use super::mark::{Anchor, Piece, Role, Room, element, stacked};
use super::{figure, kpis, panels, table};
use crate::base::Quantity;
use crate::render::text::{Span, Style, wrap};
use crate::report::Block;

/// What stands where there is nothing to show.
const NOTHING: &str = "No data for this period";
/// The longest comfortable line of a paragraph, in points.
const MEASURE_MAX: f32 = 480.0;
/// The column of terms, as a part of the width.
const TERMS: f32 = 0.27;

/// Lays out a block of any kind.
pub(super) fn pieces<'r>(block: &'r Block, room: Room<'r>) -> Vec<Piece<'r>> {
    match block {
        Block::Kpis(all) => kpis::kpis(all, room),
        Block::Reading { lead, rest } => {
            let spans = [
                Span { text: lead, style: room.theme.semi_bold(READING) },
                // The blank divides the two sentences.
                Span { text: " ", style: room.theme.regular(READING) },
                Span { text: rest, style: room.theme.regular(READING) },
            ];
            below(20.0, element(Role::Paragraph, lines(&spans, room.width)))
        }
        Block::Cards(cards) => kpis::cards(cards, room),
        Block::Heading(text) => heading(text, Anchor::Heading(text), room),
        Block::Text(text) => words(text, room.theme.regular(BODY), 10.0, room),
        Block::Definitions(terms) => definitions(terms, room),
        Block::Table(table) => table::pieces(table, room),
        Block::Chart(chart) => figure::pieces(chart, room),
        Block::Panels { columns, panels } => panels::pieces(*columns, panels, room),
        Block::Choice(_) => Vec::new(),
        Block::OnPaper(blocks) => blocks.iter().flat_map(|block| pieces(block, room)).collect(),
        Block::RawRows { n_rows, .. } => words(&raw_rows(*n_rows), room.theme.regular(BODY), 10.0, room),
    }
}

/// Where the raw rows are to be found.
fn raw_rows(n_rows: u64) -> String {
    let n = Quantity::whole(i64::try_from(n_rows).unwrap_or(i64::MAX)).grouped();
    match n_rows {
        0 => "There are no raw rows for this period".to_owned(),
        1 => "1 row is in the workbook's Raw data sheet.".to_owned(),
        _ => format!("{n} rows are in the workbook's Raw data sheet."),
    }
}

/// In place of an empty frame.
pub(super) fn nothing<'r>(room: Room<'r>) -> Piece<'r> {
    let mut piece = Piece::new(line_height(BODY)).below(10.0);
    let style = room.theme.quiet(BODY);
    piece.words(0.0, base_line(BODY, piece.height), NOTHING, style);
    piece.element(Role::Paragraph)
}

/// A heading of the room's level.
pub(super) fn heading<'r>(text: &'r str, anchor: Anchor<'r>, room: Room<'r>) -> Vec<Piece<'r>> {
    let spans = [Span { text, style: room.theme.semi_bold(HEADING) }];
    let lines = below(26.0, lines(&spans, room.width));
    let mut all: Vec<Piece<'r>> = lines.into_iter().map(Piece::glued).collect();
    all = element(Role::Heading(room.level, text), all);
    if let Some(first) = all.first_mut() {
        *first = std::mem::take(first).anchored(anchor);
    }
    all
}

/// A paragraph in one style.
pub(super) fn words<'r>(text: &str, style: Style, gap: f32, room: Room<'r>) -> Vec<Piece<'r>> {
    below(gap, element(Role::Paragraph, lines(&[Span { text, style }], room.width.min(MEASURE_MAX))))
}

/// The lines of a paragraph; its first and its last line never stand alone on a page.
fn lines<'r>(spans: &[Span<'_>], width: f32) -> Vec<Piece<'r>> {
    let size = spans.iter().map(|span| span.style.size).fold(0.0, f32::max);
    let lines = wrap(spans, width);
    let n = lines.len();
    lines
        .into_iter()
        .enumerate()
        .map(|(at, line)| {
            let mut piece = Piece::new(line_height(size));
            piece.line(0.0, base_line(size, piece.height), line);
            piece.is_glued = at + 1 < n && (at == 0 || at + 2 == n);
            piece
        })
        .collect()
}

/// Gives the first piece a space above.
pub(super) fn below(gap: f32, mut pieces: Vec<Piece<'_>>) -> Vec<Piece<'_>> {
    if let Some(first) = pieces.first_mut() {
        first.gap = gap;
    }
    pieces
}

/// Terms at the left, what they mean at the right.
fn definitions<'r>(terms: &'r [(String, String)], room: Room<'r>) -> Vec<Piece<'r>> {
    let all: Vec<Piece<'r>> = terms.iter().flat_map(|term| definition(term, room)).collect();
    if all.is_empty() { vec![nothing(room)] } else { below(12.0, element(Role::List, all)) }
}

/// A term and its meaning. All lines of the term stand in the first piece, so that it is read before its meaning.
fn definition<'r>((term, meaning): &'r (String, String), room: Room<'r>) -> Vec<Piece<'r>> {
    let left = (room.width * TERMS).round();
    let right = room.width - left - 12.0;
    let terms = stacked(lines(&[Span { text: term, style: room.theme.semi_bold(BODY) }], left));
    let mut meanings = lines(&[Span { text: meaning, style: room.theme.regular(BODY) }], right);
    let n_beside = (terms.height / line_height(BODY)).round().max(1.0) as usize;
    let rest = meanings.split_off(n_beside.min(meanings.len()));
    let beside = element(Role::Body, vec![stacked(meanings)]);
    let mut first = Piece::new(line_height(BODY) * n_beside as f32).below(8.0);
    first.begin(Role::Item);
    first.absorb(terms.element(Role::Label), 0.0, 0.0);
    for piece in beside {
        first.absorb(piece, left + 12.0, 0.0);
    }
    // What follows on further lines is still the meaning.
    if !rest.is_empty() {
        first.marks.pop();
    }
    let n = rest.len();
    first.is_glued = n > 0;
    let mut all = vec![first];
    for (at, line) in rest.into_iter().enumerate() {
        let mut piece = Piece::new(line_height(BODY));
        piece.absorb(line, left + 12.0, 0.0);
        piece.is_glued = at + 2 == n;
        all.push(piece);
    }
    if let Some(last) = all.last_mut() {
        if n > 0 {
            last.end();
        }
        last.end();
    }
    all
}

/// A note below a table or a panel.
pub(super) fn note<'r>(text: &str, room: Room<'r>) -> Vec<Piece<'r>> {
    words(text, room.theme.quiet(SMALL), if room.is_panel { 4.0 } else { 7.0 }, room)
}
