//! Micro charts in tables: sparklines over hidden cells that follow their row when the table is sorted.
//!
//! A sparkline stays in its cell when rows are sorted, and so does its range. The hidden cells beside a row
//! therefore look the row's name up in the hidden sheet of lists, by functions that Excel 2007 has.

use std::collections::BTreeSet;

use rust_xlsxwriter::{Format, Sparkline, Worksheet, utility};

use crate::base::{Quantity, plain_text};
use crate::render::RenderError;
use crate::report::{Slot, Table, Value};

use super::cell::{ABSENT, Cached, is_exact, put_formula, put_number, put_text};
use super::lists::{LISTS, Lists, escaped, put_point};
use super::look::{Place, colour};
use super::plan::FIRST;
use super::sheet::{Shared, Sheet};

/// Texts longer than this cannot be looked up.
const LOOKED_UP_UTF16_MAX: usize = 255;

/// Draws a table's n-th column of trends; `first` is the row of its first row, `beside` the first hidden column.
pub(super) fn put_trends(
    sheet: &mut Sheet<'_>,
    shared: &mut Shared,
    table: &Table,
    n: usize,
    first: u32,
    beside: u16,
) -> Result<(), RenderError> {
    let rows: Vec<&Vec<Value>> = table.rows.iter().collect();
    let courses: Vec<&[Option<Quantity>]> = rows.iter().map(|row| course(row.get(n))).collect();
    let keys = keys(&rows).filter(|_| courses.iter().any(|course| course.iter().any(Option::is_some)));
    let mut listed = None;
    for (key, course) in keys.iter().flatten().zip(&courses) {
        let row = shared.lists.add(&table.key, key, course)?;
        listed.get_or_insert(row);
    }
    for ((row, at), course) in rows.iter().zip(first..).zip(&courses) {
        match (listed, &keys) {
            (Some(list), Some(keys)) => {
                let lookup =
                    Lookup { list, n: keys.len(), key_column: FIRST, wild: keys.iter().any(|key| is_wild(key)) };
                lookup.put(&mut sheet.sheet, (at, beside), at - first, course)?;
            }
            _ => put_plain(&mut sheet.sheet, (at, beside), course)?,
        }
        sparkline(sheet, (at, column_of(n)), beside, course, slot(row), Place::Row)?;
    }
    if let Some(total) = &table.total {
        let at = first + u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let course = course(total.cells.get(n));
        put_plain(&mut sheet.sheet, (at, beside), course)?;
        sparkline(sheet, (at, column_of(n)), beside, course, Slot::Accent, Place::Total)?;
    }
    Ok(())
}

/// The longest course in a table's n-th column.
pub(super) fn n_points(table: &Table, n: usize) -> usize {
    let total = table.total.iter().map(|total| course(total.cells.get(n)).len());
    table.rows.iter().map(|row| course(row.get(n)).len()).chain(total).max().unwrap_or(0)
}

fn column_of(n: usize) -> u16 {
    FIRST + u16::try_from(n).unwrap_or(0)
}

fn course(value: Option<&Value>) -> &[Option<Quantity>] {
    if let Some(Value::Trend(course)) = value { course } else { &[] }
}

/// The colour of a row: that of the first name in it.
fn slot(row: &[Value]) -> Slot {
    row.iter()
        .find_map(|value| if let Value::Name { slot, .. } = value { Some(*slot) } else { None })
        .unwrap_or(Slot::Accent)
}

/// The names of rows, if each can be found by its name: a text, not too long, no other the same without case.
fn keys(rows: &[&Vec<Value>]) -> Option<Vec<String>> {
    let mut seen = BTreeSet::new();
    rows.iter()
        .map(|row| match row.first() {
            Some(Value::Text(name) | Value::Name { name, .. }) => {
                let name = plain_text(name);
                let fits = !name.is_empty() && name.encode_utf16().count() <= LOOKED_UP_UTF16_MAX;
                (fits && seen.insert(name.to_lowercase())).then_some(name)
            }
            _ => None,
        })
        .collect()
}

/// Whether MATCH would read a part of a name as a wildcard.
fn is_wild(name: &str) -> bool {
    name.contains(['*', '?', '~'])
}

/// Cells that find a row's course by the name that stands in the row now.
struct Lookup {
    /// The first row of the courses in the lists, and how many there are.
    list: u32,
    n: usize,
    /// The column of the table that the name stands in.
    key_column: u16,
    /// Whether wildcards in names must be escaped.
    wild: bool,
}

impl Lookup {
    /// Writes where the course stands (from 1), then its points.
    fn put(
        &self,
        sheet: &mut Worksheet,
        at: (u32, u16),
        position: u32,
        course: &[Option<Quantity>],
    ) -> Result<(), RenderError> {
        let plain = Format::default();
        let last = self.list + u32::try_from(self.n).unwrap_or(1) - 1;
        let list = |column| {
            let (from, to) =
                (utility::row_col_to_cell_absolute(self.list, column), utility::row_col_to_cell_absolute(last, column));
            format!("{LISTS}!{from}:{to}")
        };
        let mut key = utility::row_col_to_cell(at.0, self.key_column);
        if self.wild {
            key = escaped(&key);
        }
        let found = format!("MATCH({key},{},0)", list(Lists::NAMES));
        put_formula(sheet, at, &found, Cached::Number(f64::from(position + 1)), &plain)?;
        let place = utility::row_col_to_cell(at.0, at.1);
        for ((column, from), value) in (at.1 + 1..).zip(Lists::VALUES..).zip(course) {
            let result = value.filter(|value| is_exact(*value)).map_or(Cached::Gap, Cached::Quantity);
            put_formula(sheet, (at.0, column), &format!("INDEX({},{place})", list(from)), result, &plain)?;
        }
        Ok(())
    }
}

/// Writes a course as plain cells, for rows that are not sorted or have no name of their own.
fn put_plain(sheet: &mut Worksheet, at: (u32, u16), course: &[Option<Quantity>]) -> Result<(), RenderError> {
    for (column, value) in (at.1 + 1..).zip(course) {
        match value {
            Some(value) if is_exact(*value) => put_number(sheet, (at.0, column), value.to_f64(), &Format::default())?,
            _ => put_point(sheet, (at.0, column), None)?,
        }
    }
    Ok(())
}

fn sparkline(
    sheet: &mut Sheet<'_>,
    at: (u32, u16),
    beside: u16,
    course: &[Option<Quantity>],
    slot: Slot,
    place: Place,
) -> Result<(), RenderError> {
    if course.iter().all(Option::is_none) {
        return put_text(&mut sheet.sheet, at, ABSENT, &sheet.look.absent(place));
    }
    let last = beside + u16::try_from(course.len()).unwrap_or(0);
    let ink = colour(sheet.look.theme().colour(slot));
    let line = Sparkline::new()
        .set_range((sheet.name.as_str(), at.0, beside + 1, at.0, last))
        .show_hidden_data(true)
        .set_sparkline_color(ink)
        .set_line_weight(1.5)
        .show_last_point(true)
        .set_last_point_color(ink);
    sheet.sheet.write_blank(at.0, at.1, &sheet.look.text(place))?;
    sheet.sheet.add_sparkline(at.0, at.1, &line)?;
    Ok(())
}
