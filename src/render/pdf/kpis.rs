//! Key figures in cards, and smaller figures with bars.

use super::block::nothing;
use super::look::{BODY, HEADING, READING, SMALL, TITLE, line_height};
use super::mark::{Mark, Piece, Room};
use crate::base::Growth;
use crate::render::chart::Picture;
use crate::render::text::{Direction, Span, Style, fit, wrap};
use crate::report::{Card, Figure, Kpi, Value};

/// How many cards stand side by side.
const CARDS_MAX: usize = 4;
const KPIS_MAX: usize = 3;
/// The space between two cards.
const GAP: f32 = 12.0;
/// The space inside a card.
const PAD: f32 = 12.0;

/// Large figures, each with its growth and its course.
pub(super) fn kpis<'r>(all: &'r [Kpi], room: Room<'r>) -> Vec<Piece<'r>> {
    if all.is_empty() {
        return vec![nothing(room)];
    }
    let mut rows = Vec::new();
    for row in all.chunks(KPIS_MAX) {
        let n = row.len().max(all.len().min(KPIS_MAX));
        let card_width = (room.width - GAP * (n - 1) as f32) / n as f32;
        let cards: Vec<Piece<'r>> = row.iter().map(|kpi| kpi_card(kpi, card_width, room)).collect();
        let height = cards.iter().map(|card| card.height).fold(0.0, f32::max);
        let mut piece = Piece::new(height).below(if rows.is_empty() { 22.0 } else { GAP });
        for (at, card) in cards.into_iter().enumerate() {
            let x = at as f32 * (card_width + GAP);
            piece.rect(x, 0.0, card_width, height, room.theme.ground);
            piece.rect(x, 0.0, card_width, 2.0, room.theme.accent);
            piece.absorb(card, x, 0.0);
        }
        rows.push(piece);
    }
    rows
}

fn kpi_card<'r>(kpi: &'r Kpi, card_width: f32, room: Room<'r>) -> Piece<'r> {
    let theme = room.theme;
    let inner = card_width - 2.0 * PAD;
    let mut card = Piece::new(146.0);
    card.name(PAD, 20.0, &kpi.label, theme.semi_bold(BODY), inner);
    card.name(PAD, 32.0, &kpi.note, theme.quiet(SMALL), inner);

    let figure = Value::Quantity(kpi.current).text();
    let mut style = theme.bold(TITLE);
    for size in [TITLE, HEADING, READING, BODY] {
        style.size = size;
        if style.width(&figure) <= inner {
            break;
        }
    }
    style.colour = if kpi.current.is_some() { theme.ink } else { theme.grey };
    card.name(PAD, 66.0, &figure, style, inner);
    let after = growth(&mut card, kpi.growth, (PAD, 85.0), inner, room);
    let x = PAD + after + 4.0;
    let left = card_width - PAD - x;
    if left > 20.0 {
        card.name(x, 85.0, &kpi.growth_note, theme.quiet(SMALL), left);
    }

    let picture = Picture::Micro(&kpi.trend, kpi.trend_current);
    if picture.is_empty() {
        card.words(PAD, 120.0, "No data for this period", theme.quiet(SMALL));
    } else {
        card.marks.push(Mark::Picture { x: PAD, y: 97.0, width: inner, height: 35.0, picture });
    }
    let mut y = 144.0;
    for line in wrap(&[Span { text: &kpi.coverage, style: theme.quiet(SMALL) }], inner) {
        card.line(PAD, y, line);
        y += line_height(SMALL);
        card.height = y;
    }
    card
}

/// Growth from its left end: ▲ or ▼, sign and figure. Says how wide it is.
fn growth<'r>(piece: &mut Piece<'r>, growth: Growth, (x, y): (f32, f32), width: f32, room: Room<'r>) -> f32 {
    let (text, direction) = (growth.text(), growth.direction());
    let colour = if growth == Growth::Absent { room.theme.grey } else { room.theme.direction(direction) };
    let mut offset = 0.0;
    if direction != 0 {
        piece.marks.push(Mark::Triangle { x, y, side: SIGN, is_up: direction > 0, colour });
        offset = SIGN + 3.5;
    }
    let style = Style { colour, ..room.theme.semi_bold(BODY) };
    offset + piece.name(x + offset, y, &text, style, width - offset)
}

/// The side of growth's triangle.
pub(super) const SIGN: f32 = 7.5;

/// Smaller figures between two rules.
pub(super) fn cards<'r>(all: &'r [Card], room: Room<'r>) -> Vec<Piece<'r>> {
    let theme = room.theme;
    let mut rows = Vec::new();
    for (at, row) in all.chunks(CARDS_MAX).enumerate() {
        let n = row.len().max(all.len().min(CARDS_MAX)) as f32;
        let card_width = (room.width - 24.0 * (n - 1.0)) / n;
        let mut piece = Piece::new(80.0).below(if at == 0 { 20.0 } else { 0.0 });
        if at == 0 {
            piece.rect(0.0, 0.0, room.width, 0.5, theme.line);
        }
        for (at, card) in row.iter().enumerate() {
            let x = at as f32 * (card_width + 24.0);
            let has_bar = figure(&mut piece, card, x, card_width, room);
            piece.name(x, if has_bar { 66.0 } else { 54.0 }, &card.note, theme.quiet(SMALL), card_width);
        }
        piece.rect(0.0, piece.height, room.width, 0.5, theme.line);
        rows.push(piece);
    }
    rows
}

/// Label, figure and, for a ratio, its bar. A ratio above 100 % is not clamped: the bar then ends where the ratio
/// does, and a notch marks 100 %.
fn figure<'r>(piece: &mut Piece<'r>, card: &'r Card, x: f32, card_width: f32, room: Room<'r>) -> bool {
    let theme = room.theme;
    piece.name(x, 21.0, &card.label, theme.quiet(BODY), card_width);
    let (value, bar) = match card.figure {
        Figure::Ratio(ratio) => (Value::Ratio(ratio), ratio),
        Figure::Quantity(quantity) => (Value::Quantity(quantity), None),
        Figure::Usd(usd) => (Value::Usd(usd), None),
    };
    let text = match value {
        Value::Usd(Some(_)) => format!("${}", value.text()),
        _ => value.text(),
    };
    let is_absent = matches!(value, Value::Ratio(None) | Value::Quantity(None) | Value::Usd(None));
    let style = if is_absent { theme.quiet(HEADING) } else { theme.bold(HEADING) };
    let shaped = fit(&text, style, Direction::Ltr, card_width);
    piece.text(x, 39.0, shaped, style);
    let Some(ratio) = bar else { return false };
    let part = ratio.to_f64().max(0.0) as f32;
    let whole = part.max(1.0);
    piece.rect(x, 48.0, card_width, 4.5, theme.line);
    piece.rect(x, 48.0, card_width * part / whole, 4.5, theme.accent);
    if ratio.exceeds_one() {
        piece.rect(x + card_width / whole - 0.5, 46.0, 1.0, 8.5, theme.ink);
    }
    true
}
