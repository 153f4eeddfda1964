//! Key figures in cards, and smaller figures with bars.

use super::block::nothing;
use super::look::{BODY, HEADING, READING, SMALL, TITLE, line_height};
use super::mark::{Mark, Piece, Role, Room, element};
use crate::base::Growth;
use crate::render::chart::Picture;
use crate::render::text::{Direction, Span, Style, fit, wrap};
use crate::report::words::trend_words;
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
            piece.absorb(card.element(Role::Item), x, 0.0);
        }
        rows.push(piece);
    }
    element(Role::List, rows)
}

fn kpi_card<'r>(kpi: &'r Kpi, card_width: f32, room: Room<'r>) -> Piece<'r> {
    let theme = room.theme;
    let inner = card_width - 2.0 * PAD;
    let mut card = Piece::new(146.0);
    card.begin(Role::Label);
    card.name(PAD, 20.0, &kpi.label, theme.semi_bold(BODY), inner);
    card.end();
    card.begin(Role::Body);
    card.paragraph(|card| card.name(PAD, 32.0, &kpi.note, theme.quiet(SMALL), inner));

    let figure = Value::Quantity(kpi.current).text();
    let mut style = theme.bold(TITLE);
    for size in [TITLE, HEADING, READING, BODY] {
        style.size = size;
        if style.width(&figure) <= inner {
            break;
        }
    }
    style.colour = if kpi.current.is_some() { theme.ink } else { theme.grey };
    card.paragraph(|card| card.name(PAD, 66.0, &figure, style, inner));
    let after = card.paragraph(|card| growth(card, kpi.growth, (PAD, 85.0), inner, room));
    let x = PAD + after + 4.0;
    let left = card_width - PAD - x;
    if left > 20.0 && !kpi.growth_note.is_empty() {
        card.paragraph(|card| card.name(x, 85.0, &kpi.growth_note, theme.quiet(SMALL), left));
    }

    let picture = Picture::Micro(&kpi.trend, kpi.trend_current);
    if picture.is_empty() {
        card.paragraph(|card| card.words(PAD, 120.0, "No data for this period", theme.quiet(SMALL)));
    } else {
        let alt = alt(kpi, room).into();
        card.marks.push(Mark::Picture { x: PAD, y: 97.0, width: inner, height: 35.0, picture, alt });
    }
    coverage(&mut card, kpi, inner, room);
    card.end();
    card
}

/// What a key figure's course shows; a report archived by an earlier version has no words for it.
fn alt(kpi: &Kpi, room: Room<'_>) -> String {
    if kpi.alt.is_empty() { trend_words(room.head, &kpi.trend) } else { kpi.alt.clone() }
}

/// Which products a count leaves out, below its course; the card grows by what it needs.
fn coverage<'r>(card: &mut Piece<'r>, kpi: &'r Kpi, inner: f32, room: Room<'r>) {
    let lines = wrap(&[Span { text: &kpi.coverage, style: room.theme.quiet(SMALL) }], inner);
    if lines.is_empty() {
        return;
    }
    card.paragraph(|card| {
        let mut y = 144.0;
        for line in lines {
            card.line(PAD, y, line);
            y += line_height(SMALL);
            card.height = y;
        }
    });
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
            piece.begin(Role::Item);
            let has_bar = figure(&mut piece, card, x, card_width, room);
            let y = if has_bar { 66.0 } else { 54.0 };
            piece.paragraph(|piece| piece.name(x, y, &card.note, theme.quiet(SMALL), card_width));
            piece.end();
            piece.end();
        }
        piece.rect(0.0, piece.height, room.width, 0.5, theme.line);
        rows.push(piece);
    }
    element(Role::List, rows)
}

/// Label, figure and, for a ratio, its bar; the item's body stays open for the note. A ratio above 100 % is not clamped: the bar then ends where the ratio
/// does, and a notch marks 100 %.
fn figure<'r>(piece: &mut Piece<'r>, card: &'r Card, x: f32, card_width: f32, room: Room<'r>) -> bool {
    let theme = room.theme;
    piece.begin(Role::Label);
    piece.name(x, 21.0, &card.label, theme.quiet(BODY), card_width);
    piece.end();
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
    piece.begin(Role::Body);
    piece.paragraph(|piece| piece.text(x, 39.0, shaped, style));
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
