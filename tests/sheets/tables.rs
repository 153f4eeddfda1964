//! Tables: headings that are their cells', names that are nobody else's, places that nothing else takes.

use std::collections::BTreeSet;

use super::area::{Area, Place};
use super::book::{Book, Sheet, Table};

pub fn findings(book: &Book, findings: &mut Vec<String>) {
    let mut names: BTreeSet<String> = book.names.iter().map(|(name, _, _)| name.to_lowercase()).collect();
    for sheet in &book.sheets {
        let merged = merged(book, sheet);
        for (n, table) in sheet.tables.iter().enumerate() {
            let at = format!("the table `{}` on {}", table.name, sheet.name);
            if !names.insert(table.name.to_lowercase()) {
                findings.push(format!("{at} has the name of another"));
            }
            if table.alt.is_empty() {
                findings.push(format!("{at} has no alternative text"));
            }
            if sheet.tables[..n].iter().any(|other| other.area.overlaps(table.area)) {
                findings.push(format!("{at} lies upon another"));
            }
            if let Some(area) = merged.iter().find(|area| area.overlaps(table.area)) {
                findings.push(format!("{at} has merged cells at {area}"));
            }
            headings(sheet, table, &at, findings);
            totals(sheet, table, &at, findings);
            filter(table, &at, findings);
        }
        overlapping(&merged, sheet, findings);
    }
}

fn merged(book: &Book, sheet: &Sheet) -> Vec<Area> {
    let cells = book.parts.get(&sheet.path).and_then(|root| root.child("mergeCells"));
    cells
        .into_iter()
        .flat_map(|cells| cells.all("mergeCell"))
        .filter_map(|cell| Area::parse(cell.get("ref")?))
        .collect()
}

fn overlapping(merged: &[Area], sheet: &Sheet, findings: &mut Vec<String>) {
    for (n, area) in merged.iter().enumerate() {
        if merged[..n].iter().any(|other| other.overlaps(*area)) {
            findings.push(format!("{}: the merged cells at {area} lie upon others", sheet.name));
        }
    }
}

fn headings(sheet: &Sheet, table: &Table, at: &str, findings: &mut Vec<String>) {
    let n_columns = (table.area.to.column - table.area.from.column + 1) as usize;
    if table.columns.len() != n_columns {
        findings.push(format!("{at} has {} columns in {n_columns}", table.columns.len()));
    }
    if table.area.to.row - table.area.from.row < 1 + u32::from(table.has_total) {
        findings.push(format!("{at} has no row"));
    }
    let mut seen = BTreeSet::new();
    for (column, place) in table.columns.iter().zip(row(table, table.area.from.row)) {
        let cell = sheet.value(place).text();
        if cell != Some(column.name.as_str()) {
            findings.push(format!("{at}: the heading `{}` is {cell:?} in {place}", column.name));
        }
        if !seen.insert(column.name.to_lowercase()) {
            findings.push(format!("{at}: the heading `{}` is there twice", column.name));
        }
    }
}

fn row(table: &Table, row: u32) -> impl Iterator<Item = Place> {
    (table.area.from.column..=table.area.to.column).map(move |column| Place { row, column })
}

/// Labels are their cells' texts, unless they were cut to what a label holds, and functions their cells' formulas.
fn totals(sheet: &Sheet, table: &Table, at: &str, findings: &mut Vec<String>) {
    for (column, place) in table.columns.iter().zip(row(table, table.area.to.row)) {
        let formula = sheet.cell(place).and_then(|cell| cell.formula.as_deref());
        if let Some(label) = column.total_label.as_deref().filter(|label| !label.ends_with('…'))
            && sheet.value(place).text() != Some(label)
        {
            findings.push(format!("{at}: the total's label `{label}` is another in {place}"));
        }
        let is_sum = formula.is_some_and(|formula| formula.starts_with("SUBTOTAL(109,"));
        if (column.total_function.as_deref() == Some("sum")) != is_sum && table.has_total {
            findings.push(format!("{at}: the total of `{}` is {formula:?} in {place}", column.name));
        }
    }
}

/// A filter covers the headings and the rows, never the total.
fn filter(table: &Table, at: &str, findings: &mut Vec<String>) {
    let last = table.area.to.row - u32::from(table.has_total);
    let rows = Area { from: table.area.from, to: Place { row: last, ..table.area.to } };
    if let Some(filter) = &table.filter
        && Area::parse(filter) != Some(rows)
    {
        findings.push(format!("{at}: the filter is over {filter}, the rows are {rows}"));
    }
}
