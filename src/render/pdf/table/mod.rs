//! Tables: columns sized to what stands in them, rows that break across pages below a repeated head.

mod cell;
mod grid;

use std::rc::Rc;

use grid::Grid;

use super::block::{below, note, nothing};
use super::look::{SMALL, line_height};
use super::mark::{Piece, Role, Room, element};
use crate::render::text::{Direction, Span, fit, wrap};
use crate::report::{ColumnKind, Table, Value};

pub(super) use grid::width_min;

/// Row heights: where there is air, where there are many rows, and where a bar stands below the name.
const ROOMY: f32 = 25.0;
const DENSE: f32 = 17.0;
const BARRED: f32 = 27.0;
const BARRED_LOW: f32 = 23.0;
/// From this many rows on, rows are dense.
const DENSE_FROM: usize = 16;

/// Lays out a table.
pub(super) fn pieces<'r>(table: &'r Table, room: Room<'r>) -> Vec<Piece<'r>> {
    if table.columns.is_empty() || table.rows.is_empty() {
        let mut all = vec![nothing(room)];
        if !table.note.is_empty() {
            all.extend(note(&table.note, room));
        }
        return all;
    }
    let grid = Grid::of(table, room);
    let head = head(table, &grid, room);
    let again = head.as_ref().map(|head| Rc::new(head.again()));
    let mut all: Vec<Piece<'r>> = head.into_iter().map(|head| head.element(Role::TableHead).glued()).collect();
    let height = row_height(table, &grid, room);
    let n_rows = table.rows.len();
    let mut rows = Vec::new();
    for (n, values) in table.rows.iter().enumerate() {
        let mut row = cell::row(values, &grid, height, false, room);
        let is_last = n + 1 == n_rows;
        let colour = if is_last && table.total.is_some() { room.theme.ink } else { room.theme.line };
        row.rect(0.0, height, room.width, if is_last && table.total.is_some() { 0.75 } else { 0.5 }, colour);
        row.repeated.clone_from(&again);
        // The total never stands below fewer than two rows, nor is the first row the only one on its page.
        let is_of_total = table.total.is_some() && n + 2 >= n_rows;
        row.is_glued = is_of_total || (is_last && !table.note.is_empty()) || (n == 0 && n_rows > 1);
        rows.push(row);
    }
    all.extend(element(Role::TableBody, rows));
    if let Some(total) = &table.total {
        let mut row = cell::row(&total.cells, &grid, height, true, room);
        row.rect(0.0, height, room.width, 0.75, room.theme.ink);
        row.repeated.clone_from(&again);
        row.is_glued = !table.note.is_empty();
        all.push(row.element(Role::TableFoot));
    }
    all = element(Role::Table(&table.caption), all);
    if !table.note.is_empty() {
        all.extend(note(&table.note, room));
    }
    below(if room.is_panel { 2.0 } else { 8.0 }, all)
}

fn row_height(table: &Table, grid: &Grid, room: Room<'_>) -> f32 {
    let has_trend = table.columns.iter().any(|column| column.kind == ColumnKind::Trend);
    if grid.bar_below.is_some() {
        if has_trend { BARRED } else { BARRED_LOW }
    } else if table.rows.len() < DENSE_FROM && (has_trend || !room.is_panel) {
        ROOMY
    } else {
        DENSE
    }
}

/// The head, its labels at the foot of their cells. A small table in a panel speaks for itself and has none.
fn head<'r>(table: &'r Table, grid: &Grid, room: Room<'r>) -> Option<Piece<'r>> {
    if room.is_panel && table.columns.len() <= 3 {
        return None;
    }
    let style = room.theme.quiet(SMALL);
    let step = line_height(SMALL) - 1.0;
    let labels: Vec<_> = table
        .columns
        .iter()
        .zip(&grid.columns)
        .map(|(column, place)| {
            // Three lines are enough for every label of ours; a longer one is shortened like a name.
            let label = fit(&column.label, style, Direction::Ltr, place.width * 2.6);
            wrap(&[Span { text: &label.text, style }], place.width)
        })
        .collect();
    let n_lines = labels.iter().map(Vec::len).max().unwrap_or(1);
    let mut piece = Piece::new(n_lines as f32 * step + 5.0);
    piece.begin(Role::Row);
    for (lines, place) in labels.into_iter().zip(&grid.columns) {
        let missing = n_lines - lines.len();
        piece.begin(Role::ColumnHeader);
        for (n, line) in lines.into_iter().enumerate() {
            let y = (missing + n) as f32 * step + 8.0;
            let x = if place.is_left { place.x } else { place.x + place.width - line.width };
            piece.line(x, y, line);
        }
        piece.end();
    }
    piece.end();
    piece.rect(0.0, piece.height, room.width, 0.75, room.theme.ink);
    Some(piece)
}

/// The quantity that a bar stands for.
fn size_of(value: Option<&Value>) -> f32 {
    match value {
        Some(Value::Quantity(Some(quantity)) | Value::Usd(Some(quantity))) => quantity.to_f64().max(0.0) as f32,
        _ => 0.0,
    }
}
