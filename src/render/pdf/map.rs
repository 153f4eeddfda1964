//! The world with its legend.

use super::look::{SMALL, base_line, line_height};
use super::mark::{Mark, Piece, Role, Room, element};
use crate::base::Quantity;
use crate::render::Colour;
use crate::render::chart::{Picture, bare, map_height, shade};
use crate::report::Map;

/// A legend's patch of colour, in points.
const PATCH: (f32, f32) = (14.0, 7.5);
/// The space between a patch and its words, and before the next patch.
const AFTER_PATCH: f32 = 4.0;
const AFTER_WORDS: f32 = 13.0;

/// The map across the room, and below it what its shades mean.
pub(super) fn pieces<'r>(chart: &'r Map, picture: Picture<'r>, room: Room<'r>, all: &mut Vec<Piece<'r>>) {
    // A map that leaves no room for its legend is made smaller.
    let height = map_height(room.width).min(room.height * 0.75);
    let mut piece = Piece::new(height).below(8.0).glued();
    let alt = chart.alt.as_str().into();
    piece.marks.push(Mark::Picture { x: 0.0, y: 0.0, width: room.width, height, picture, alt });
    all.push(piece);
    let mut lines = legend(chart, room);
    let n = lines.len();
    for (at, line) in lines.iter_mut().enumerate() {
        line.gap = if at == 0 { 6.0 } else { 0.0 };
        line.is_glued = at + 1 < n;
    }
    all.append(&mut lines);
}

/// What is counted, a patch with its range for each class, one for land without a value, and what is nowhere.
fn legend<'r>(chart: &'r Map, room: Room<'r>) -> Vec<Piece<'r>> {
    let theme = room.theme;
    let n_classes = chart.classes.len();
    let mut entries: Vec<(Option<Colour>, String)> = vec![(None, chart.value_label.clone())];
    entries.push((Some(bare(theme)), "none".to_owned()));
    for (n, class) in chart.classes.iter().enumerate() {
        entries.push((Some(shade(n, n_classes, theme)), class.label.clone()));
    }
    if chart.unknown != Quantity::ZERO {
        let of = if chart.unknown == Quantity::whole(1) { "license" } else { "licenses" };
        entries.push((None, format!("Unknown: {} {of}", chart.unknown.grouped())));
    }
    let (mut lines, mut x) = (vec![Piece::new(line_height(SMALL))], 0.0);
    for (n, (colour, words)) in entries.iter().enumerate() {
        let style = if n == 0 { theme.semi_bold(SMALL) } else { theme.quiet(SMALL) };
        let left = if colour.is_some() { PATCH.0 + AFTER_PATCH } else { 0.0 };
        let width = left + style.width(words);
        if x > 0.0 && x + width > room.width {
            lines.push(Piece::new(line_height(SMALL)));
            x = 0.0;
        }
        if let Some(line) = lines.last_mut() {
            if let Some(colour) = colour {
                line.rect(x, (line.height - PATCH.1) / 2.0, PATCH.0, PATCH.1, *colour);
            }
            line.begin(Role::Item);
            line.begin(Role::Body);
            line.name(x + left, base_line(SMALL, line.height), words, style, room.width - left);
            line.end();
            line.end();
        }
        x += width + AFTER_WORDS;
    }
    element(Role::List, lines)
}
