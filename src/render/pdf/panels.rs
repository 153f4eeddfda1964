//! Small multiples: panels side by side, each kept together.

use super::block::{self, below, note};
use super::look::{BODY, SMALL, line_height};
use super::mark::{Anchor, DOT_WIDTH, Piece, Role, Room, stacked};
use super::table;
use crate::render::text::{Direction, FontSet, Span, fit, wrap};
use crate::report::{Block, Panel};

/// The space between two panels side by side, and between two rows of them.
const BESIDE: f32 = 15.0;
const BETWEEN: f32 = 16.0;
/// The space between a panel's title and what stands below it.
const BELOW_HEADING: f32 = 4.0;

/// Panels in rows of up to `columns`, fewer where their tables need the width.
///
/// A panel that would not fit on an empty page is not cut: it is laid out across the page and breaks between its
/// rows, as any table does.
pub(super) fn pieces<'r>(columns: u8, panels: &'r [Panel], room: Room<'r>) -> Vec<Piece<'r>> {
    if panels.is_empty() {
        return vec![block::nothing(room)];
    }
    let width_of = |n: usize| (room.width - BESIDE * (n - 1) as f32) / n as f32;
    let needed = panels.iter().map(|panel| width_min(panel, &room.theme.fonts)).fold(0.0, f32::max);
    let wanted = usize::from(columns.clamp(1, 3)).min(panels.len().max(1));
    let n = (1..=wanted).rev().find(|n| width_of(*n) >= needed).unwrap_or(1);
    // A single panel among many columns keeps the width that it would have had.
    let width = width_of(n);
    let mut all = Vec::new();
    for row in panels.chunks(n) {
        match side_by_side(row, Room { width, is_panel: true, ..room }) {
            Some(piece) => all.push(piece.below(if all.is_empty() { 18.0 } else { BETWEEN })),
            None => {
                let across = Room { is_panel: false, ..room };
                for panel in row {
                    let mut pieces = vec![heading(panel, across)];
                    pieces.extend(body(panel, across));
                    all.extend(below(BETWEEN, pieces));
                }
            }
        }
    }
    all
}

/// A row of panels as one piece, their contents on one line; none if it is taller than a page.
fn side_by_side<'r>(row: &'r [Panel], room: Room<'r>) -> Option<Piece<'r>> {
    let headings: Vec<Piece<'r>> = row.iter().map(|panel| heading(panel, room)).collect();
    let bodies: Vec<Piece<'r>> = row.iter().map(|panel| stacked(body(panel, room))).collect();
    let height_of = |pieces: &[Piece<'r>]| pieces.iter().map(|piece| piece.height).fold(0.0, f32::max);
    let top = height_of(&headings) + BELOW_HEADING;
    let mut piece = Piece::new(top + height_of(&bodies));
    for (at, (heading, body)) in headings.into_iter().zip(bodies).enumerate() {
        let x = at as f32 * (room.width + BESIDE);
        piece.absorb(heading, x, 0.0);
        piece.absorb(body, x, top);
    }
    (piece.height <= room.height).then_some(piece)
}

/// How much width a panel needs so that no figure is shortened.
fn width_min(panel: &Panel, fonts: &FontSet) -> f32 {
    let of = |block: &Block| if let Block::Table(table) = block { table::width_min(table, fonts) } else { 0.0 };
    panel.blocks.iter().map(of).fold(0.0, f32::max)
}

/// What stands below a panel's title.
fn body<'r>(panel: &'r Panel, room: Room<'r>) -> Vec<Piece<'r>> {
    let tint = panel.slot.map_or(room.theme.accent, |slot| room.theme.colour(slot));
    let inner = Room { tint, title: &panel.title, level: room.level + 1, ..room };
    let mut all: Vec<Piece<'r>> = panel.blocks.iter().flat_map(|block| block::pieces(block, inner)).collect();
    if !panel.footnote.is_empty() {
        all.extend(note(&panel.footnote, inner));
    }
    all
}

/// The panel's title with its dot, and what is said beside it.
fn heading<'r>(panel: &'r Panel, room: Room<'r>) -> Piece<'r> {
    let theme = room.theme;
    let left = if panel.slot.is_some() { DOT_WIDTH } else { 0.0 };
    let title_style = theme.semi_bold(BODY);
    let title = fit(&panel.title, title_style, Direction::Ltr, (room.width - left) * 1.6);
    let mut spans = vec![Span { text: &title.text, style: title_style }];
    if !panel.note.is_empty() {
        spans.push(Span { text: " · ", style: theme.quiet(SMALL) });
        spans.push(Span { text: &panel.note, style: theme.quiet(SMALL) });
    }
    let lines = wrap(&spans, room.width - left);
    let step = line_height(BODY) - 1.0;
    let mut piece = Piece::new(lines.len() as f32 * step);
    for (n, line) in lines.into_iter().enumerate() {
        let y = n as f32 * step + 10.0;
        if let (0, Some(slot)) = (n, panel.slot) {
            piece.dot(0.0, y, theme.colour(slot));
        }
        piece.line(left, y, line);
    }
    let piece = piece.element(Role::Heading(room.level, &panel.title)).glued();
    if panel.slot.is_some() { piece.anchored(Anchor::Name(&panel.title)) } else { piece }
}
