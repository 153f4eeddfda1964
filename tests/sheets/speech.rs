//! Formulas wherever they stand: what they speak of exists, and every Excel since 2007 knows it.

use super::area::Area;
use super::book::{Book, Sheet};
use super::formula;
use super::xml::Element;

/// The functions that the workbook may use: Excel 2007 and LibreOffice have them, and none computes at every change.
const FUNCTIONS: [&str; 21] = [
    "INDEX",
    "MATCH",
    "IFERROR",
    "IF",
    "SUBSTITUTE",
    "MIN",
    "MAX",
    "SUM",
    "SUBTOTAL",
    "AVERAGE",
    "COUNT",
    "COUNTIF",
    "ROWS",
    "ROUND",
    "ABS",
    "AND",
    "OR",
    "NOT",
    "ISNUMBER",
    "NA",
    "TEXT",
];

/// Excel's limits, in UTF-16 units: a formula, that of a validation, a text in quotes.
const FORMULA_UTF16_MAX: usize = 8_192;
const VALIDATION_UTF16_MAX: usize = 255;
const TEXT_UTF16_MAX: usize = 255;

pub fn findings(book: &Book, findings: &mut Vec<String>) {
    for (name, _, formula) in &book.names {
        check(book, formula, &format!("the name `{name}`"), findings);
    }
    for sheet in &book.sheets {
        for cell in &sheet.cells {
            if let Some(formula) = &cell.formula {
                check(book, formula, &format!("{}!{}", sheet.name, cell.place), findings);
            }
        }
        let Some(root) = book.parts.get(&sheet.path) else { continue };
        validations(book, sheet, root, findings);
        conditions(book, sheet, root, findings);
        sparklines(book, sheet, root, findings);
    }
    for (path, chart) in book.parts.iter().filter(|(path, _)| path.starts_with("xl/charts/chart")) {
        chart.below("f").iter().for_each(|reference| check(book, &reference.text, path, findings));
    }
}

/// Holds one formula against the workbook.
fn check(book: &Book, formula: &str, at: &str, findings: &mut Vec<String>) {
    let n = formula.encode_utf16().count();
    if n > FORMULA_UTF16_MAX {
        findings.push(format!("{at}: a formula of {n} UTF-16 units"));
    }
    let uses = match formula::uses(formula) {
        Ok(uses) => uses,
        Err(why) => return findings.push(format!("{at}: `{formula}`: {why}")),
    };
    for function in uses.functions.iter().filter(|function| !FUNCTIONS.contains(&function.as_str())) {
        findings.push(format!("{at}: the function {function}"));
    }
    for sheet in uses.sheets.iter().filter(|sheet| book.named(sheet).is_none()) {
        findings.push(format!("{at}: there is no sheet `{sheet}`"));
    }
    for (name, columns) in &uses.tables {
        let Some((_, table)) = book.table(name) else {
            findings.push(format!("{at}: there is no table `{name}`"));
            continue;
        };
        let has = |name: &str| table.columns.iter().any(|column| column.name.to_lowercase() == name.to_lowercase());
        for column in columns.iter().filter(|column| !has(column)) {
            let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
            findings.push(format!("{at}: the table `{name}` has no column `{column}` beside {names:?}"));
        }
    }
    let is_defined = |name: &str| book.names.iter().any(|(known, _, _)| known.to_lowercase() == name.to_lowercase());
    for name in uses.names.iter().filter(|name| !is_defined(name) && book.table(name).is_none()) {
        findings.push(format!("{at}: there is no name `{name}`"));
    }
    if uses.text_utf16_max > TEXT_UTF16_MAX {
        findings.push(format!("{at}: a text of {} UTF-16 units in quotes", uses.text_utf16_max));
    }
}

fn validations(book: &Book, sheet: &Sheet, root: &Element, findings: &mut Vec<String>) {
    for validation in root.below("dataValidation") {
        let at = format!("{}: the validation of {}", sheet.name, validation.get("sqref").unwrap_or_default());
        // The first kind holds its formula as its text, that of Excel 2010 in an element of it.
        for formula in validation.children.iter().filter(|child| child.name.starts_with("formula")) {
            let text = formula.child("f").map_or(formula.text.as_str(), |inner| inner.text.as_str());
            let n = text.encode_utf16().count();
            if n > VALIDATION_UTF16_MAX {
                findings.push(format!("{at} has {n} UTF-16 units"));
            }
            check(book, text, &at, findings);
        }
    }
}

fn conditions(book: &Book, sheet: &Sheet, root: &Element, findings: &mut Vec<String>) {
    for rule in root.below("cfRule") {
        let at = format!("{}: a conditional format", sheet.name);
        for formula in rule.all("formula") {
            check(book, &formula.text, &at, findings);
        }
        if let Some(n) = rule.number("dxfId").filter(|n| *n >= book.n_conditional_formats) {
            findings.push(format!("{at}: there is no format {n}"));
        }
    }
}

fn sparklines(book: &Book, sheet: &Sheet, root: &Element, findings: &mut Vec<String>) {
    for line in root.below("sparkline") {
        let of = |name: &str| line.child(name).map_or("", |child| child.text.as_str());
        let at = format!("{}: the sparkline in {}", sheet.name, of("sqref"));
        check(book, of("f"), &at, findings);
        if Area::parse(of("sqref")).is_none() {
            findings.push(format!("{at} has no place"));
        }
    }
}
