//! Charts: the points that they hold are the cells', so that a viewer who computes nothing draws the same.

use super::area::Area;
use super::book::{Book, Sheet, Value};
use super::xml::Element;

pub fn findings(book: &Book, findings: &mut Vec<String>) {
    for sheet in &book.sheets {
        for chart in &sheet.charts {
            let at = format!("the chart `{}` on {}", chart.name, sheet.name);
            if chart.alt.is_empty() {
                findings.push(format!("{at} has no alternative text"));
            }
            let Some(root) = book.parts.get(&chart.path) else {
                findings.push(format!("{at}: {} is missing", chart.path));
                continue;
            };
            if root.below("ser").is_empty() {
                findings.push(format!("{at} has no series"));
            }
            for kind in ["numRef", "strRef"] {
                root.below(kind).iter().for_each(|reference| points(book, reference, &at, findings));
            }
        }
    }
}

/// The sheet and the cells that a reference of a chart names.
fn referred<'a>(book: &'a Book, formula: &str) -> Option<(&'a Sheet, Area)> {
    let (sheet, area) = formula.rsplit_once('!')?;
    let sheet = sheet.strip_prefix('\'').and_then(|name| name.strip_suffix('\'')).unwrap_or(sheet).replace("''", "'");
    Some((book.named(&sheet)?, Area::parse(area)?))
}

fn points(book: &Book, reference: &Element, at: &str, findings: &mut Vec<String>) {
    let formula = reference.child("f").map_or("", |formula| formula.text.as_str());
    let Some((sheet, area)) = referred(book, formula) else {
        return findings.push(format!("{at}: `{formula}` is no range of cells"));
    };
    let cache = reference.child("numCache").or(reference.child("strCache"));
    let Some(cache) = cache else { return findings.push(format!("{at}: `{formula}` holds no points")) };
    let n_places = area.places().count();
    let n_points = cache.child("ptCount").and_then(|count| count.number("val"));
    if n_points != Some(n_places) {
        findings.push(format!("{at}: `{formula}` holds {n_points:?} points for {n_places} cells"));
    }
    let is_number = cache.name == "numCache";
    let mut last = None;
    for point in cache.all("pt") {
        let index = point.number("idx").filter(|index| *index < n_places);
        if index.is_none() || index <= last {
            findings.push(format!("{at}: `{formula}` holds the point {:?} out of order", point.get("idx")));
        }
        last = index;
    }
    for (n, place) in area.places().enumerate() {
        let held = cache.all("pt").find(|point| point.number("idx") == Some(n)).and_then(|point| point.child("v"));
        let held = held.map(|value| value.text.as_str());
        let cell = sheet.value(place);
        if !agrees(held, cell, is_number) {
            findings.push(format!("{at}: point {n} of `{formula}` is {held:?}, the cell {cell:?}"));
        }
    }
}

/// A number is the cell's; a text, an error or nothing in a cell is a gap, not a 0.
fn agrees(held: Option<&str>, cell: &Value, is_number: bool) -> bool {
    match (held, cell) {
        (Some(held), Value::Number(number)) => held.parse() == Ok(*number),
        (Some(held), Value::Error(error)) => held == error,
        (Some(""), Value::Empty) => !is_number,
        (Some(held), Value::Text(text)) => !is_number && held == text,
        (held, Value::Text(_) | Value::Error(_) | Value::Empty) => {
            held.is_none() && (is_number || *cell == Value::Empty)
        }
        _ => false,
    }
}
