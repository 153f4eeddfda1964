//! Cells: each once and in order, each with a value that every program reads alike.

use super::area::{Area, Place};
use super::book::{Book, Sheet, Value};

/// The longest text of a cell in UTF-16 units (Excel specifications and limits).
const TEXT_UTF16_MAX: usize = 32_767;

pub fn findings(book: &Book, findings: &mut Vec<String>) {
    for sheet in &book.sheets {
        order(sheet, findings);
        values(book, sheet, findings);
        dimension(book, sheet, findings);
    }
}

fn order(sheet: &Sheet, findings: &mut Vec<String>) {
    let mut last: Option<Place> = None;
    for cell in &sheet.cells {
        let at = format!("{}!{}", sheet.name, cell.place);
        if cell.row != cell.place.row {
            findings.push(format!("{at} stands in row {}", cell.row + 1));
        }
        match last {
            Some(last) if last == cell.place => findings.push(format!("{at} is there twice")),
            Some(last) if last > cell.place => findings.push(format!("{at} comes after {last}")),
            _ => {}
        }
        last = Some(cell.place);
    }
}

fn values(book: &Book, sheet: &Sheet, findings: &mut Vec<String>) {
    for cell in &sheet.cells {
        let at = format!("{}!{}", sheet.name, cell.place);
        match &cell.value {
            Value::Broken(why) => findings.push(format!("{at}: {why}")),
            Value::Empty if cell.formula.is_some() => findings.push(format!("{at}: a formula without its result")),
            Value::Text(text) if text.encode_utf16().count() > TEXT_UTF16_MAX => {
                findings.push(format!("{at}: a text over {TEXT_UTF16_MAX} UTF-16 units"));
            }
            _ => {}
        }
        if cell.kind == "str" && cell.formula.is_none() {
            findings.push(format!("{at}: the result of a formula, without a formula"));
        }
        if cell.format >= book.n_formats {
            findings.push(format!("{at}: there is no format {}", cell.format));
        }
    }
}

fn dimension(book: &Book, sheet: &Sheet, findings: &mut Vec<String>) {
    let Some(root) = book.parts.get(&sheet.path) else { return };
    let stated = root.child("dimension").and_then(|dimension| Area::parse(dimension.get("ref")?));
    let Some(stated) = stated else { return findings.push(format!("{}: no dimension", sheet.name)) };
    if let Some(cell) = sheet.cells.iter().find(|cell| !stated.contains(cell.place)) {
        findings.push(format!("{}!{} is outside the dimension {stated}", sheet.name, cell.place));
    }
    for table in
        sheet.tables.iter().filter(|table| !(stated.contains(table.area.from) && stated.contains(table.area.to)))
    {
        findings.push(format!("{}: the table `{}` is outside the dimension {stated}", sheet.name, table.name));
    }
}
