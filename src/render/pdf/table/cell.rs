//! The cells of a row.

use super::grid::{Grid, Place};
use super::size_of;
use crate::base::Growth;
use crate::render::Colour;
use crate::render::chart::Picture;
use crate::render::pdf::kpis::SIGN;
use crate::render::pdf::look::base_line;
use crate::render::pdf::mark::{Anchor, DOT_WIDTH, Mark, Piece, Role, Room};
use crate::render::text::{Direction, Style, fit};
use crate::report::Value;
use crate::report::words::trend_words;

/// A row; the total's is in semi-bold.
pub(super) fn row<'r>(values: &'r [Value], grid: &Grid, height: f32, is_total: bool, room: Room<'r>) -> Piece<'r> {
    let mut piece = Piece::new(height);
    let style = if is_total { room.theme.semi_bold(grid.size) } else { room.theme.regular(grid.size) };
    let colour = match values.first() {
        _ if is_total => room.theme.ink,
        Some(Value::Name { slot, .. }) => room.theme.colour(*slot),
        _ => room.tint,
    };
    let has_bar_below = grid.bar_below.is_some() && !is_total;
    let y = base_line(grid.size, if has_bar_below { height - 5.0 } else { height });
    piece.begin(Role::Row);
    for (n, place) in grid.columns.iter().enumerate() {
        piece.begin(if n == 0 { Role::RowHeader } else { Role::Cell });
        // A value that is missing leaves its cell empty, and the others in their columns.
        let Some(value) = values.get(n) else {
            piece.end();
            continue;
        };
        cell(&mut piece, value, *place, (y, height), style, colour, room);
        piece.end();
        let part = size_of(Some(value)) / grid.largest.get(n).copied().unwrap_or(0.0).max(f32::MIN_POSITIVE);
        if place.bar > 0.0 && !is_total {
            bar(&mut piece, (place.x, height / 2.0 - 3.0), (place.bar, 6.0), part, colour, room);
        }
        if let (true, Some(first)) = (grid.bar_below == Some(n) && !is_total, grid.columns.first()) {
            bar(&mut piece, (first.x, height - 7.5), (first.width, 3.0), part, colour, room);
        }
    }
    piece.end();
    piece
}

fn bar(
    piece: &mut Piece<'_>,
    (x, y): (f32, f32),
    (width, height): (f32, f32),
    part: f32,
    colour: Colour,
    room: Room<'_>,
) {
    piece.rect(x, y, width, height, room.theme.ground);
    if part > 0.0 {
        piece.rect(x, y, (width * part.min(1.0)).max(0.75), height, colour);
    }
}

fn cell<'r>(
    piece: &mut Piece<'r>,
    value: &'r Value,
    place: Place,
    (y, height): (f32, f32),
    style: Style,
    colour: Colour,
    room: Room<'r>,
) {
    let right = place.x + place.width;
    match value {
        Value::Name { name, slot } => {
            piece.dot(place.x, y, room.theme.colour(*slot));
            piece.begin(Role::Link(Anchor::Name(name)));
            piece.name(place.x + DOT_WIDTH, y, name, style, place.width - DOT_WIDTH);
            piece.end();
        }
        Value::Text(name) if place.is_left => {
            piece.name(place.x, y, name, style, place.width);
        }
        Value::Trend(values) => {
            let picture = Picture::Spark(values, colour);
            if picture.is_empty() {
                piece.words(place.x, y, "n/a", Style { colour: room.theme.grey, ..style });
            } else {
                let tall = (height - 8.0).min(17.0);
                let top = (height - tall) / 2.0;
                let alt = trend_words(room.head, values).into();
                piece.marks.push(Mark::Picture { x: place.x, y: top, width: place.width, height: tall, picture, alt });
            }
        }
        Value::Growth(growth) => self::growth(piece, *growth, right, y, style, place.width, room),
        Value::Quantity(None) | Value::Usd(None) | Value::Ratio(None) => {
            piece.right(right, y, &value.text(), Style { colour: room.theme.grey, ..style }, place.width);
        }
        Value::Text(_) | Value::Quantity(_) | Value::Usd(_) | Value::Ratio(_) | Value::Month(_) => {
            piece.right(right, y, &value.text(), style, place.width - place.bar);
        }
    }
}

/// Growth up to its right end: ▲ or ▼ before sign and figure.
fn growth(piece: &mut Piece<'_>, growth: Growth, right: f32, y: f32, style: Style, width: f32, room: Room<'_>) {
    let direction = growth.direction();
    let colour = if growth == Growth::Absent { room.theme.grey } else { room.theme.direction(direction) };
    let style = Style { colour, ..style };
    let sign = if direction == 0 { 0.0 } else { SIGN + 3.5 };
    let shaped = fit(&growth.text(), style, Direction::Ltr, width - sign);
    let x = right - shaped.width * style.size;
    if direction != 0 {
        piece.marks.push(Mark::Triangle { x: x - sign, y, side: SIGN, is_up: direction > 0, colour });
    }
    piece.text(x, y, shaped, style);
}
