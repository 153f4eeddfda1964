//! The points that a chart draws before anybody calculates: previewers and phones show nothing else.
//!
//! The crate fills them from cells that hold values, and leaves out those of formulas.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::render::xlsx::cell::{ABSENT, Cached, cell_text, serial};

/// The results of formula cells that charts draw.
#[derive(Debug, Default)]
pub(in crate::render::xlsx) struct Points(HashMap<(String, u32, u16), Point>);

/// What a chart draws of a cell.
#[derive(Clone, PartialEq, Debug)]
enum Point {
    Number(String),
    Month(String),
    Text(String),
    Gap,
}

impl Points {
    /// Keeps the result of a cell.
    pub(in crate::render::xlsx) fn keep(&mut self, sheet: &str, at: (u32, u16), result: Cached<'_>) {
        let point = match result {
            Cached::Number(number) => Point::Number(number.to_string()),
            Cached::Quantity(quantity) => Point::Number(quantity.to_string()),
            Cached::Month(month) => {
                serial(month).map_or(Point::Text(month.short()), |day| Point::Month(day.to_string()))
            }
            Cached::Text(text) if text == ABSENT => Point::Gap,
            Cached::Text(text) => Point::Text(cell_text(text).into_owned()),
            Cached::Gap => Point::Gap,
        };
        self.0.insert((sheet.to_owned(), at.0, at.1), point);
    }

    /// A chart's part with the points of formula cells in it.
    pub(super) fn fill(&self, chart: &str) -> String {
        let mut filled = String::with_capacity(chart.len() + 2048);
        let mut rest = chart;
        while let Some((before, reference, after)) = next_reference(rest) {
            filled.push_str(before);
            match self.of(reference.formula) {
                Some(points) => filled.push_str(&written(&reference, &points)),
                None => filled.push_str(reference.whole),
            }
            rest = after;
        }
        filled.push_str(rest);
        filled
    }

    /// The points of a range, if any of its cells is a formula's.
    fn of(&self, formula: &str) -> Option<Vec<Option<&Point>>> {
        let (sheet, range) = range(formula)?;
        let ((top, left), (bottom, right)) = range;
        let cells = (top..=bottom).flat_map(|row| (left..=right).map(move |column| (row, column)));
        let points: Vec<Option<&Point>> =
            cells.map(|(row, column)| self.0.get(&(sheet.clone(), row, column))).collect();
        points.iter().any(Option::is_some).then_some(points)
    }
}

/// A reference to cells in a chart's part.
struct Reference<'a> {
    whole: &'a str,
    formula: &'a str,
    /// What the crate wrote below the formula.
    cache: &'a str,
    /// Whether numbers are meant: a text among them is not drawn.
    is_value: bool,
}

/// What stands before the next reference, the reference, and what stands after it.
fn next_reference(text: &str) -> Option<(&str, Reference<'_>, &str)> {
    let found = ["<c:numRef>", "<c:strRef>"].into_iter().filter_map(|open| Some((text.find(open)?, open))).min()?;
    let (at, open) = found;
    let close = if open == "<c:numRef>" { "</c:numRef>" } else { "</c:strRef>" };
    let end = at + text[at..].find(close)? + close.len();
    let inner = &text[at + open.len()..end - close.len()];
    let (formula, cache) = inner.strip_prefix("<c:f>")?.split_once("</c:f>")?;
    let is_value = text[..at].ends_with("<c:val>");
    Some((&text[..at], Reference { whole: &text[at..end], formula, cache, is_value }, &text[end..]))
}

/// A reference with its points.
fn written(reference: &Reference<'_>, points: &[Option<&Point>]) -> String {
    let known = known_points(reference.cache);
    let is_text = |point: &&Point| matches!(point, Point::Text(_));
    let are_texts = !reference.is_value && points.iter().flatten().any(is_text);
    let are_months = points.iter().flatten().any(|point| matches!(point, Point::Month(_)));
    let kind = if are_texts { "str" } else { "num" };
    let format = match (are_texts, are_months) {
        (true, _) => "",
        (_, true) => "<c:formatCode>mmm yyyy</c:formatCode>",
        _ => "<c:formatCode>General</c:formatCode>",
    };
    let mut text = format!(
        "<c:{kind}Ref><c:f>{}</c:f><c:{kind}Cache>{format}<c:ptCount val=\"{}\"/>",
        reference.formula,
        points.len()
    );
    for (n, point) in points.iter().enumerate() {
        let value = match point {
            Some(Point::Number(number) | Point::Month(number)) => Some(number.clone()),
            Some(Point::Text(words)) if are_texts => Some(escaped(words)),
            Some(Point::Text(_) | Point::Gap) => None,
            // As the crate wrote it, escaped.
            None => known.get(&n).map(|value| (*value).to_owned()),
        };
        if let Some(value) = value {
            // Writing into a text cannot fail.
            let _ = write!(text, "<c:pt idx=\"{n}\"><c:v>{value}</c:v></c:pt>");
        }
    }
    text + &format!("</c:{kind}Cache></c:{kind}Ref>")
}

/// The points that the crate wrote, as they stand there.
fn known_points(cache: &str) -> HashMap<usize, &str> {
    let point = |part: &'_ str| -> Option<(usize, usize, usize)> {
        let (n, rest) = part.split_once("\"><c:v>")?;
        let start = part.len() - rest.len();
        Some((n.parse().ok()?, start, start + rest.find("</c:v>")?))
    };
    cache
        .split("<c:pt idx=\"")
        .skip(1)
        .filter_map(|part| point(part).map(|(n, from, to)| (n, &part[from..to])))
        .collect()
}

/// A text as XML content.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A sheet's name and the corners of a range: `'License adds'!$B$7:$B$18`.
type Corners = ((u32, u16), (u32, u16));

fn range(formula: &str) -> Option<(String, Corners)> {
    let (sheet, cells) = formula.rsplit_once('!')?;
    let sheet = sheet.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).unwrap_or(sheet);
    let sheet = sheet.replace("''", "'").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let (from, to) = cells.split_once(':').unwrap_or((cells, cells));
    Some((sheet, (cell(from)?, cell(to)?)))
}

/// Row and column of `$B$7`, from 0.
fn cell(address: &str) -> Option<(u32, u16)> {
    let (column, row) = address.strip_prefix('$')?.split_once('$')?;
    let letters = column.bytes().map(|letter| u16::from(letter.wrapping_sub(b'A')));
    let column = letters.fold(0_u16, |n, letter| n * 26 + letter + 1).checked_sub(1)?;
    Some((row.parse::<u32>().ok()?.checked_sub(1)?, column))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Quantity;

    fn points() -> Points {
        let mut points = Points::default();
        points.keep("License adds", (6, 1), Cached::Month("2026-10".parse().unwrap()));
        points.keep("License adds", (6, 2), Cached::Quantity(Quantity::whole(7)));
        points.keep("License adds", (7, 2), Cached::Text(ABSENT));
        points.keep("License adds", (6, 3), Cached::Text("A & B"));
        points.keep("License adds", (7, 3), Cached::Text(""));
        points
    }

    fn check(of: &str, written: &str, expected: &str) {
        assert_eq!(points().fill(&format!("<c:{of}>{written}</c:{of}>")), format!("<c:{of}>{expected}</c:{of}>"));
    }

    #[test]
    fn points_of_formulas_are_filled_in_by_their_kind() {
        check(
            "val",
            "<c:numRef><c:f>'License adds'!$C$7:$C$8</c:f></c:numRef>",
            "<c:numRef><c:f>'License adds'!$C$7:$C$8</c:f><c:numCache><c:formatCode>General</c:formatCode>\
             <c:ptCount val=\"2\"/><c:pt idx=\"0\"><c:v>7</c:v></c:pt></c:numCache></c:numRef>",
        );
        check(
            "cat",
            "<c:numRef><c:f>'License adds'!$B$7</c:f></c:numRef>",
            "<c:numRef><c:f>'License adds'!$B$7</c:f><c:numCache><c:formatCode>mmm yyyy</c:formatCode>\
             <c:ptCount val=\"1\"/><c:pt idx=\"0\"><c:v>46296</c:v></c:pt></c:numCache></c:numRef>",
        );
        check(
            "cat",
            "<c:numRef><c:f>'License adds'!$D$7:$D$8</c:f></c:numRef>",
            "<c:strRef><c:f>'License adds'!$D$7:$D$8</c:f><c:strCache><c:ptCount val=\"2\"/>\
             <c:pt idx=\"0\"><c:v>A &amp; B</c:v></c:pt><c:pt idx=\"1\"><c:v></c:v></c:pt></c:strCache></c:strRef>",
        );
    }

    #[test]
    fn what_the_crate_knows_stays() {
        let known = "<c:strRef><c:f>Lists!$C$7</c:f><c:strCache><c:ptCount val=\"1\"/></c:strCache></c:strRef>";
        check("tx", known, known);
        check(
            "val",
            "<c:numRef><c:f>'License adds'!$C$6:$C$7</c:f><c:numCache><c:ptCount val=\"2\"/>\
             <c:pt idx=\"0\"><c:v>5</c:v></c:pt></c:numCache></c:numRef>",
            "<c:numRef><c:f>'License adds'!$C$6:$C$7</c:f><c:numCache><c:formatCode>General</c:formatCode>\
             <c:ptCount val=\"2\"/><c:pt idx=\"0\"><c:v>5</c:v></c:pt><c:pt idx=\"1\"><c:v>7</c:v></c:pt></c:numCache>\
             </c:numRef>",
        );
    }

    #[test]
    fn ranges_are_read_as_charts_write_them() {
        assert_eq!(range("'It''s &amp; so'!$AA$10").unwrap(), ("It's & so".to_owned(), ((9, 26), (9, 26))));
        assert_eq!(range("Lists!$A$1:$B$3").unwrap(), ("Lists".to_owned(), ((0, 0), (2, 1))));
        assert_eq!(range("nonsense"), None);
    }
}
