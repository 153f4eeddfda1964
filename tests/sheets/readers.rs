//! A workbook's cells as a program read them, and the report's own values held against them.

use std::collections::{BTreeMap, HashMap};
use std::io::Cursor;

use calamine::{Data, Reader, Xlsx, open_workbook_from_rs};
use chrono::NaiveDate;
use pressrun::base::{Month, Quantity, plain_text};
use pressrun::report::{Block, Cell, Chart, Columns, Report, Rows, Series, Slot, Table, Value as Held};

use super::area::Place;
use super::book::{Book, Sheet, Table as ExcelTable, Value};

/// The cells of each sheet; empty ones are left out.
pub type Cells = BTreeMap<String, HashMap<Place, Value>>;

/// The longest text of a cell in UTF-16 units (Excel specifications and limits).
const TEXT_UTF16_MAX: usize = 32_767;

/// A text as a cell holds it: without control characters, too long a one cut at an ellipsis.
pub fn cleaned(text: &str) -> String {
    let plain = plain_text(text);
    if plain.encode_utf16().count() <= TEXT_UTF16_MAX {
        return plain;
    }
    let mut n = 0;
    let kept = plain.chars().take_while(|letter| {
        n += letter.len_utf16();
        n < TEXT_UTF16_MAX
    });
    kept.chain(['…']).collect()
}

/// As calamine reads it.
pub fn of_calamine(bytes: &[u8]) -> Cells {
    let mut book: Xlsx<_> = open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    let mut cells = Cells::new();
    for name in book.sheet_names() {
        let range = book.worksheet_range(&name).unwrap();
        let (top, left) = range.start().unwrap_or_default();
        let of_sheet = cells.entry(name).or_default();
        for (row, column, data) in range.used_cells() {
            let place = Place { row: top + row as u32, column: left + column as u32 };
            let value = match data {
                Data::Int(number) => Value::Number(*number as f64),
                Data::Float(number) => Value::Number(*number),
                Data::DateTime(date) => Value::Number(date.as_f64()),
                Data::String(text) if text.is_empty() => continue,
                Data::String(text) => Value::Text(text.clone()),
                Data::Bool(is) => Value::Bool(*is),
                Data::Error(error) => Value::Error(error.to_string()),
                Data::Empty => continue,
                other => Value::Broken(format!("{other:?}")),
            };
            of_sheet.insert(place, value);
        }
    }
    cells
}

/// Cells that two programs read differently, a sentence each.
pub fn differences(one: &Cells, other: &Cells) -> Vec<String> {
    let mut found = Vec::new();
    if !one.keys().eq(other.keys()) {
        found.push(format!("sheets {:?} and {:?}", one.keys(), other.keys()));
    }
    for (name, cells) in one {
        let Some(others) = other.get(name) else { continue };
        let places: std::collections::BTreeSet<&Place> = cells.keys().chain(others.keys()).collect();
        for place in places {
            let (first, second) = (cells.get(place), others.get(place));
            if first != second {
                found.push(format!("{name}!{place}: {first:?} and {second:?}"));
            }
        }
    }
    found
}

/// Where a report's values and rows are not what a program read in their cells, a sentence each.
pub fn against_report(report: &Report, rows: &dyn Rows, book: &Book, cells: &Cells) -> Vec<String> {
    let mut found = Vec::new();
    for section in &report.sections {
        of_blocks(&section.blocks, book, cells, &mut found);
    }
    if report.n_rows().is_some() {
        of_rows(rows, book, cells, &mut found);
    }
    found
}

fn of_blocks(blocks: &[Block], book: &Book, cells: &Cells, found: &mut Vec<String>) {
    for block in blocks {
        match block {
            Block::Table(table) => of_table(table, book, cells, found),
            Block::Chart(Chart::Columns(columns)) => of_columns(columns, book, cells, found),
            Block::Panels { panels, .. } => {
                panels.iter().for_each(|panel| of_blocks(&panel.blocks, book, cells, found))
            }
            _ => {}
        }
    }
}

fn of_table(table: &Table, book: &Book, cells: &Cells, found: &mut Vec<String>) {
    if table.rows.is_empty() || table.columns.is_empty() {
        return;
    }
    let Some((sheet, place)) = of_key(book, &table.key) else {
        return found.push(format!("there is no table `{}`", table.key));
    };
    headings(table.columns.iter().map(|column| column.label.as_str()), place, found);
    let total = table.total.iter().map(|total| &total.cells);
    for (row, at) in table.rows.iter().chain(total).zip(place.area.from.row + 1..) {
        for (value, column) in row.iter().zip(place.area.from.column..) {
            hold(wanted(value), (sheet, Place { row: at, column }), cells, found);
        }
    }
    let n_rows = table.rows.len() as u32 + u32::from(table.total.is_some());
    if place.area.to.row != place.area.from.row + n_rows {
        found.push(format!("the table `{}` has {n_rows} rows in {}", table.key, place.area));
    }
}

/// The table of a key, whose name has letters in front where the key alone could be read as a cell.
fn of_key<'a>(book: &'a Book, key: &str) -> Option<(&'a Sheet, &'a ExcelTable)> {
    book.table(key).or_else(|| book.table(&format!("table_{key}")))
}

/// A heading is its label, or begins with it where Excel wants another; blanks and curved quotes may stand where they keep it readable.
fn headings<'a>(labels: impl Iterator<Item = &'a str>, table: &ExcelTable, found: &mut Vec<String>) {
    let tight = |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
    for (label, column) in labels.zip(&table.columns) {
        // A straight quote would begin a text in formulas that name the column.
        let start: String = tight(&plain_text(label).replace('"', "”")).chars().take(100).collect();
        if !tight(&column.name).starts_with(&start) {
            found.push(format!("the table `{}`: the heading `{}` of `{label}`", table.name, column.name));
        }
    }
}

/// A chart's figures: a row a month, and below the axis what is negative.
fn of_columns(columns: &Columns, book: &Book, cells: &Cells, found: &mut Vec<String>) {
    if columns.months.is_empty() || columns.above.len() + columns.below.len() == 0 {
        return;
    }
    let Some((sheet, place)) = of_key(book, &columns.key) else {
        return found.push(format!("there is no table `{}`", columns.key));
    };
    for ((n, month), row) in columns.months.iter().enumerate().zip(place.area.from.row + 1..) {
        let above = of_month(&columns.above, n);
        let below = of_month(&columns.below, n).into_iter().map(|value| value.map(|value| -value));
        let values = above.into_iter().chain(below).map(Held::Quantity);
        for (value, column) in [Held::Month(*month)].into_iter().chain(values).zip(place.area.from.column..) {
            hold(wanted(&value), (sheet, Place { row, column }), cells, found);
        }
    }
}

/// The values of a month: each series with a colour of its own, and the sum of all that share the grey, if several do.
fn of_month(series: &[Series], n: usize) -> Vec<Option<Quantity>> {
    let (grey, own): (Vec<&Series>, Vec<&Series>) = series.iter().partition(|series| series.slot == Slot::Others);
    if grey.len() < 2 {
        return series.iter().map(|series| series.values[n]).collect();
    }
    let known: Vec<Quantity> = grey.iter().filter_map(|series| series.values[n]).collect();
    let sum = (!known.is_empty()).then(|| known.into_iter().sum());
    own.iter().map(|series| series.values[n]).chain([sum]).collect()
}

fn of_rows(rows: &dyn Rows, book: &Book, cells: &Cells, found: &mut Vec<String>) {
    let tables = book.sheets.iter().flat_map(|sheet| sheet.tables.iter().map(move |table| (sheet, table)));
    let raw: Vec<(&Sheet, &ExcelTable)> = tables.filter(|(_, table)| table.name.contains("raw_data")).collect();
    let places = raw.iter().flat_map(|(sheet, table)| {
        (table.area.from.row + 1..=table.area.to.row).map(move |row| (*sheet, Place { row, ..table.area.from }))
    });
    let places: Vec<(&Sheet, Place)> = places.collect();
    if places.len() as u64 != rows.n_rows() {
        found.push(format!("{} raw rows for {}", places.len(), rows.n_rows()));
    }
    for (_, table) in &raw {
        headings(rows.columns().iter().map(|column| column.label.as_str()), table, found);
    }
    let mut places = places.into_iter();
    let replayed = rows.replay(&mut |row| {
        let Some((sheet, first)) = places.next() else { return Ok(()) };
        for (cell, column) in row.iter().zip(first.column..) {
            let wanted = match cell {
                Cell::Absent => Wanted::Absent,
                Cell::Text(text) => Wanted::Text(cleaned(text)),
                Cell::Month(month) => serial(*month),
                Cell::Quantity(quantity) => Wanted::Quantity(*quantity),
            };
            hold(wanted, (sheet, Place { column, ..first }), cells, found);
        }
        Ok(())
    });
    replayed.unwrap();
}

/// What is to stand in a cell.
#[derive(Debug)]
enum Wanted {
    Absent,
    Text(String),
    Number(f64),
    /// Exactly, or as text where a number would be rounded.
    Quantity(Quantity),
    /// Growth that is no number, after its arrow.
    Words(String),
    /// A micro chart: nothing but the picture, or `n/a` without a point.
    Picture,
}

fn wanted(value: &Held) -> Wanted {
    match value {
        Held::Text(text) | Held::Name { name: text, .. } => Wanted::Text(cleaned(text)),
        Held::Quantity(Some(quantity)) | Held::Usd(Some(quantity)) => Wanted::Quantity(*quantity),
        Held::Quantity(None) | Held::Usd(None) | Held::Ratio(None) => Wanted::Absent,
        Held::Ratio(Some(ratio)) => Wanted::Number(ratio.to_f64()),
        Held::Growth(growth) => growth.to_f64().map_or(Wanted::Words(growth.text()), Wanted::Number),
        Held::Trend(_) => Wanted::Picture,
        Held::Month(month) => serial(*month),
    }
}

/// Excel's number of a month's first day, counted from the day before 1900 as Excel numbers them from March 1900 on.
fn serial(month: Month) -> Wanted {
    let epoch = NaiveDate::from_ymd_opt(1899, 12, 30).unwrap();
    Wanted::Number((month.first_day() - epoch).num_days() as f64)
}

fn hold(wanted: Wanted, (sheet, place): (&Sheet, Place), cells: &Cells, found: &mut Vec<String>) {
    let read = cells.get(&sheet.name).and_then(|cells| cells.get(&place)).unwrap_or(&Value::Empty);
    let agrees = match (&wanted, read) {
        (Wanted::Absent, Value::Text(text)) => text == "n/a",
        (Wanted::Text(wanted), Value::Text(text)) => wanted == text,
        (Wanted::Text(wanted), Value::Empty) => wanted.is_empty(),
        (Wanted::Number(wanted), Value::Number(number)) => wanted == number,
        (Wanted::Quantity(wanted), Value::Number(number)) => number.to_string().parse() == Ok(*wanted),
        (Wanted::Quantity(wanted), Value::Text(text)) => *text == wanted.grouped(),
        (Wanted::Words(words), Value::Text(text)) => text.trim_start_matches(['▲', '▼', ' ']) == words,
        (Wanted::Picture, Value::Text(text)) => text == "n/a",
        (Wanted::Picture, Value::Empty) => true,
        _ => false,
    };
    if !agrees {
        found.push(format!("{}!{place}: {read:?} for {wanted:?}", sheet.name));
    }
}
