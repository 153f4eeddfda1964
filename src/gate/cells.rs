//! The cells of a workbook's sheet and its shared strings, read tag by tag (ECMA-376-1, 18.3.1.4 and 18.4).

use std::borrow::Cow;

use memchr::memchr;

use super::xml::plain;

/// A cell as it stands in a sheet.
#[derive(Default)]
pub(super) struct Cell<'a> {
    /// Its address, as `B7`.
    pub(super) address: &'a [u8],
    /// What its value is: `s` of a shared string, `str` of a text; nothing of a number.
    pub(super) kind: &'a [u8],
    /// What stands in it, or is its formula's.
    pub(super) value: &'a [u8],
    pub(super) formula: &'a [u8],
    /// The runs of a text in place.
    runs: Vec<&'a [u8]>,
}

impl<'a> Cell<'a> {
    fn of_tag(tag: &'a [u8]) -> Cell<'a> {
        let attributes = memchr(b'>', tag).map_or(tag, |end| &tag[..end]);
        // Most are written in this order, and tens of thousands stand in a file.
        let address = match attributes.strip_prefix(b"c r=\"") {
            Some(rest) => rest.split(|byte| *byte == b'"').next().unwrap_or_default(),
            None => attribute(attributes, b" r="),
        };
        let kind = if attributes.ends_with(b" t=\"s\"") { b"s" } else { attribute(attributes, b" t=") };
        Cell { address, kind, ..Cell::default() }
    }

    /// Its text, if it has one and that is no shared string.
    pub(super) fn text(&self) -> Option<Cow<'a, str>> {
        match self.kind {
            b"inlineStr" => Some(joined(&self.runs)),
            b"" | b"n" | b"b" | b"s" => None,
            _ => Some(plain(self.value)),
        }
    }
}

/// What stands between the quotes behind a name.
fn attribute<'a>(attributes: &'a [u8], name: &[u8]) -> &'a [u8] {
    let mut parts = attributes.split(|byte| *byte == b'"');
    while let (Some(before), Some(value)) = (parts.next(), parts.next()) {
        if before.ends_with(name) {
            return value;
        }
    }
    b""
}

/// Hands out the cells of a sheet or of a row.
pub(super) fn cells<'a>(data: &'a [u8], found: &mut dyn FnMut(&Cell<'a>)) {
    let mut open: Option<Cell<'a>> = None;
    for tag in tags(data) {
        match (tag, &mut open) {
            ([b'c', b' ' | b'>', ..], _) => {
                open.iter().for_each(&mut *found);
                open = Some(Cell::of_tag(tag));
            }
            ([b'v', b' ' | b'>', ..], Some(cell)) => cell.value = content(tag),
            ([b'f', b' ' | b'>', ..], Some(cell)) => cell.formula = content(tag),
            ([b't', b' ' | b'>', ..], Some(cell)) => cell.runs.push(content(tag)),
            ([b'/', b'c', b'>', ..], Some(cell)) => {
                found(cell);
                open = None;
            }
            _ => {}
        }
    }
    open.iter().for_each(found);
}

/// The shared strings.
pub(super) fn strings(part: &[u8]) -> Vec<Cow<'_, str>> {
    let (mut strings, mut runs) = (Vec::new(), Vec::new());
    for tag in tags(part) {
        match tag {
            [b't', b' ' | b'>', ..] => runs.push(content(tag)),
            _ if tag.starts_with(b"si>") => runs.clear(),
            _ if tag.starts_with(b"/si>") || tag.starts_with(b"si/>") => {
                strings.push(joined(&runs));
                runs.clear();
            }
            _ => {}
        }
    }
    strings
}

fn joined<'a>(runs: &[&'a [u8]]) -> Cow<'a, str> {
    match runs {
        [] => Cow::Borrowed(""),
        [only] => plain(only),
        runs => runs.iter().map(|run| plain(run)).collect::<String>().into(),
    }
}

/// What follows each `<`.
fn tags(part: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = part;
    std::iter::from_fn(move || {
        rest = &rest[memchr(b'<', rest)? + 1..];
        Some(rest)
    })
}

/// The text behind a tag, up to the next one.
fn content(tag: &[u8]) -> &[u8] {
    let Some(end) = tag.iter().position(|byte| *byte == b'>') else { return b"" };
    let text = &tag[end + 1..];
    if tag[..end].ends_with(b"/") { b"" } else { memchr(b'<', text).map_or(text, |end| &text[..end]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_read_as_they_are_meant() {
        let part = b"<sst><si><t>a&amp;lt;b</t></si><si><r><rPr><b/></rPr><t xml:space=\"preserve\">a </t></r>\
            <r><t>b</t></r></si><si><t/></si><si/><si><t>_x005F_x0041_</t></si></sst>";
        assert_eq!(strings(part), ["a&lt;b", "a b", "", "", "_x0041_"]);
    }

    #[test]
    fn cells_are_read_whatever_they_hold() {
        let data = b"><row r=\"1\"><c r=\"A1\" s=\"2\"/><c r=\"B1\" s=\"3\" t=\"s\"><v>7</v></c><c t=\"str\" r=\"C1\">\
            <f t=\"shared\" si=\"0\"/><v>x &amp; y</v></c><c r=\"D1\" t=\"inlineStr\"><is><r><t>in </t></r><r><t>place</t>\
            </r></is></c><c r=\"E1\"><f>1+1</f><v>2</v></c></row>";
        let mut found = Vec::new();
        cells(data, &mut |cell| {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            found.push((text(cell.address), text(cell.value), text(cell.formula), cell.text().map(Cow::into_owned)));
        });
        let cell = |address: &str, value: &str, formula: &str, text: Option<&str>| {
            (address.to_owned(), value.to_owned(), formula.to_owned(), text.map(str::to_owned))
        };
        let wants = [
            cell("A1", "", "", None),
            cell("B1", "7", "", None),
            cell("C1", "x &amp; y", "", Some("x & y")),
            cell("D1", "", "", Some("in place")),
            cell("E1", "2", "1+1", None),
        ];
        assert_eq!(found, wants);
    }
}
