//! The raw rows as the file holds them, written straight from the stream: a cell costs a few bytes of text and no more.
//!
//! The crate makes everything around them: columns, headings, styles, the table. A sheet that it made has one row of
//! cells without values, one for each style that rows need; its numbers are read from there, and the rows take its
//! place.

use std::collections::HashMap;
use std::io::Write as _;

use rust_xlsxwriter::utility;

use crate::base::Quantity;
use crate::render::RenderError;
use crate::render::xlsx::cell::{ABSENT, cell_text, is_exact, n_decimals, serial};
use crate::render::xlsx::plan::FIRST;
use crate::report::{Cell, RawKind, RowsError};

/// How many styles of quantities there are besides the column's own: 1 to 6 decimals.
pub(in crate::render::xlsx) const N_DECIMALS: usize = 6;

/// A sheet of raw rows: where its rows go, and what they look like.
pub(in crate::render::xlsx) struct RawSheet {
    /// The name of its table.
    pub(in crate::render::xlsx) table: String,
    /// The row of the headings, and how many rows come below them.
    pub(in crate::render::xlsx) header: u32,
    pub(in crate::render::xlsx) n_rows: u32,
    pub(in crate::render::xlsx) kinds: Vec<RawKind>,
}

impl RawSheet {
    /// The last row, from 0.
    pub(super) fn last(&self) -> u32 {
        self.header + self.n_rows
    }

    /// The range of the table, headings included.
    pub(super) fn table_range(&self) -> String {
        let right = FIRST + u16::try_from(self.kinds.len()).unwrap_or(1) - 1;
        utility::cell_range(self.header, FIRST, self.last(), right)
    }
}

/// The texts of a workbook, each once, numbered after those that the crate wrote.
#[derive(Default)]
pub(super) struct Strings {
    numbers: HashMap<Box<str>, u32>,
    /// The items of the part, as XML.
    pub(super) items: Vec<u8>,
    /// How often any of them stands in a cell.
    pub(super) n_cells: u64,
    first: u32,
}

impl Strings {
    /// Numbers begin at so many.
    pub(super) fn new(first: u32) -> Strings {
        Strings { first, ..Strings::default() }
    }

    pub(super) fn n_unique(&self) -> u32 {
        self.numbers.len() as u32
    }

    fn number(&mut self, text: &str) -> u32 {
        self.n_cells += 1;
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.first + self.n_unique();
        self.numbers.insert(text.into(), number);
        self.items.extend(b"<si>");
        put_text(&mut self.items, text);
        self.items.extend(b"</si>");
        number
    }
}

/// Writes rows as XML.
pub(super) struct RowWriter {
    columns: Vec<Column>,
    /// The styles of quantities with 1 to 6 decimals, and of what is absent.
    decimals: [u32; N_DECIMALS],
    absent: u32,
    /// The texts; none where each stands in its own cell.
    pub(super) strings: Option<Strings>,
    /// What is written so far and not taken.
    pub(super) xml: Vec<u8>,
}

struct Column {
    letters: String,
    style: u32,
    is_quantity: bool,
    /// The text that stood here last, as it came, with its number: rows are sorted, so it often stands here again.
    last: (String, u32),
}

impl RowWriter {
    /// For columns of these kinds, with the styles that a sheet of the crate has for them.
    pub(super) fn new(kinds: &[RawKind], styles: &[u32], strings: Option<Strings>) -> Result<RowWriter, RenderError> {
        let missing = || RenderError::Workbook("the styles of the raw rows are missing".to_owned());
        let (own, others) = styles.split_at_checked(kinds.len()).ok_or_else(missing)?;
        let (decimals, others) = others.split_first_chunk::<N_DECIMALS>().ok_or_else(missing)?;
        let columns = (FIRST..)
            .zip(kinds.iter().zip(own))
            .map(|(column, (kind, style))| Column {
                letters: utility::column_number_to_name(column),
                style: *style,
                is_quantity: *kind == RawKind::Quantity,
                last: (String::new(), u32::MAX),
            })
            .collect();
        let absent = *others.first().ok_or_else(missing)?;
        Ok(RowWriter { columns, decimals: *decimals, absent, strings, xml: Vec::new() })
    }

    /// Writes a row; `row` counts from 0.
    pub(super) fn row(&mut self, row: u32, cells: &[Cell<'_>]) -> Result<(), RenderError> {
        if cells.len() != self.columns.len() {
            let (came, wanted) = (cells.len(), self.columns.len());
            return Err(RowsError(format!("a row of `{came}` cells came, `{wanted}` were promised")).into());
        }
        let mut digits = Digits::default();
        let row = digits.of(u64::from(row) + 1).to_owned();
        let RowWriter { columns, decimals, absent, strings, xml } = self;
        xml.extend(b"<row r=\"");
        xml.extend(row.as_bytes());
        xml.extend(b"\">");
        for (column, cell) in columns.iter_mut().zip(cells) {
            xml.extend(b"<c r=\"");
            xml.extend(column.letters.as_bytes());
            xml.extend(row.as_bytes());
            xml.extend(b"\" s=\"");
            match cell {
                Cell::Absent => column.text(ABSENT, *absent, strings.as_mut(), xml),
                Cell::Text(text) => column.text(text, column.style, strings.as_mut(), xml),
                Cell::Month(month) => match serial(*month) {
                    Some(day) => number(column.style, Quantity::whole(day as i64), xml),
                    None => column.text(&month.short(), column.style, strings.as_mut(), xml),
                },
                Cell::Quantity(quantity) if is_exact(*quantity) => {
                    let style = match n_decimals(*quantity) {
                        n if n > 0 && column.is_quantity => decimals[n - 1],
                        _ => column.style,
                    };
                    number(style, *quantity, xml);
                }
                Cell::Quantity(quantity) => column.text(&quantity.grouped(), column.style, strings.as_mut(), xml),
            }
        }
        xml.extend(b"</row>");
        Ok(())
    }
}

impl Column {
    /// A text by its number, or where there are no numbers, in its cell.
    fn text(&mut self, text: &str, style: u32, strings: Option<&mut Strings>, xml: &mut Vec<u8>) {
        let mut digits = Digits::default();
        xml.extend(digits.of(u64::from(style)).as_bytes());
        // Nothing is left of a text of control characters alone; most texts begin with a letter that is.
        if !text.bytes().any(|byte| matches!(byte, b' '..=b'~')) && cell_text(text).is_empty() {
            xml.extend(b"\"/>");
            return;
        }
        let Some(strings) = strings else {
            xml.extend(b"\" t=\"inlineStr\"><is>");
            put_text(xml, &cell_text(text));
            xml.extend(b"</is></c>");
            return;
        };
        if self.last.1 == u32::MAX || self.last.0 != text {
            let number = strings.number(&cell_text(text));
            self.last.0.clear();
            self.last.0.push_str(text);
            self.last.1 = number;
        } else {
            strings.n_cells += 1;
        }
        xml.extend(b"\" t=\"s\"><v>");
        xml.extend(digits.of(u64::from(self.last.1)).as_bytes());
        xml.extend(b"</v></c>");
    }
}

/// A number as it is, exactly: no floating point is asked.
fn number(style: u32, quantity: Quantity, xml: &mut Vec<u8>) {
    let mut digits = Digits::default();
    xml.extend(digits.of(u64::from(style)).as_bytes());
    xml.extend(b"\"><v>");
    let millionths = quantity.millionths();
    if millionths < 0 {
        xml.push(b'-');
    }
    let (whole, part) = (millionths.unsigned_abs() / 1_000_000, millionths.unsigned_abs() % 1_000_000);
    xml.extend(digits.of(whole).as_bytes());
    if part > 0 {
        // Writing into memory cannot fail.
        let _ = write!(
            xml,
            ".{:0width$}",
            part / 10_u64.pow((N_DECIMALS - n_decimals(quantity)) as u32),
            width = n_decimals(quantity)
        );
    }
    xml.extend(b"</v></c>");
}

/// A text element with what XML has a meaning for escaped, and what Excel has: `_x0041_` would read `A`
/// (ECMA-376 part 1, 22.9.2.19).
fn put_text(xml: &mut Vec<u8>, text: &str) {
    let is_edged = text.starts_with(' ') || text.ends_with(' ');
    xml.extend(if is_edged { b"<t xml:space=\"preserve\">".as_slice() } else { b"<t>".as_slice() });
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let instead: &[u8] = match byte {
            b'&' => b"&amp;",
            b'<' => b"&lt;",
            b'>' => b"&gt;",
            b'_' if is_code(text.as_bytes().get(at + 1..at + 7)) => b"_x005F_",
            _ => continue,
        };
        xml.extend(&text.as_bytes()[from..at]);
        xml.extend(instead);
        from = at + 1;
    }
    xml.extend(&text.as_bytes()[from..]);
    xml.extend(b"</t>");
}

/// Whether what follows a `_` makes it a character's code: `x0041_`.
fn is_code(following: Option<&[u8]>) -> bool {
    matches!(following, Some([b'x', code @ .., b'_']) if code.iter().all(u8::is_ascii_hexdigit))
}

/// Writes whole numbers without asking the formatter.
#[derive(Default)]
struct Digits([u8; 20]);

impl Digits {
    fn of(&mut self, mut n: u64) -> &str {
        let mut at = self.0.len();
        loop {
            at -= 1;
            self.0[at] = b'0' + (n % 10) as u8;
            n /= 10;
            if n == 0 {
                break;
            }
        }
        std::str::from_utf8(&self.0[at..]).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut xml = Vec::new();
        write(&mut xml);
        String::from_utf8(xml).unwrap()
    }

    #[test]
    fn numbers_are_written_to_the_last_digit() {
        for (text, expected) in [
            ("0", "0"),
            ("-0.469", "-0.469"),
            ("55.45", "55.45"),
            ("123456789012.000001", "123456789012.000001"),
            ("-7", "-7"),
        ] {
            assert_eq!(written(|xml| number(3, text.parse().unwrap(), xml)), format!("3\"><v>{expected}</v></c>"));
        }
    }

    #[test]
    fn texts_are_escaped_as_excel_reads_them() {
        for (text, expected) in [
            ("a<b>&c", "<t>a&lt;b&gt;&amp;c</t>"),
            (" x", "<t xml:space=\"preserve\"> x</t>"),
            ("_x0041_", "<t>_x005F_x0041_</t>"),
            ("_x00g1_ _", "<t>_x00g1_ _</t>"),
            ("<r>x</r>", "<t>&lt;r&gt;x&lt;/r&gt;</t>"),
        ] {
            assert_eq!(written(|xml| put_text(xml, text)), expected);
        }
    }

    #[test]
    fn a_row_has_a_cell_a_column_each_in_its_style() {
        let kinds = [RawKind::Text, RawKind::Quantity, RawKind::Usd, RawKind::Month];
        let styles = [1, 2, 3, 4, 11, 12, 13, 14, 15, 16, 20];
        let mut writer = RowWriter::new(&kinds, &styles, Some(Strings::new(40))).unwrap();
        let half: Quantity = "0.5".parse().unwrap();
        let month = "2026-10".parse().unwrap();
        for row in [6, 7] {
            let cells = [Cell::Text("a"), Cell::Quantity(half), Cell::Quantity(half), Cell::Month(month)];
            writer.row(row, &cells).unwrap();
        }
        writer.row(8, &[Cell::Absent; 4]).unwrap();
        writer.row(9, &[Cell::Text("\u{7}"), Cell::Absent, Cell::Absent, Cell::Text("")]).unwrap();
        assert!(writer.row(9, &[Cell::Absent; 3]).is_err());
        let xml = String::from_utf8(writer.xml).unwrap();
        let first = "<row r=\"7\"><c r=\"B7\" s=\"1\" t=\"s\"><v>40</v></c><c r=\"C7\" s=\"11\"><v>0.5</v></c>\
                     <c r=\"D7\" s=\"3\"><v>0.5</v></c><c r=\"E7\" s=\"4\"><v>46296</v></c></row>";
        assert!(xml.starts_with(first), "{xml}");
        assert!(xml.contains("<row r=\"9\"><c r=\"B9\" s=\"20\" t=\"s\"><v>41</v></c>"), "{xml}");
        assert!(xml.contains("<c r=\"B10\" s=\"1\"/>") && xml.contains("<c r=\"E10\" s=\"4\"/>"), "{xml}");
        let strings = writer.strings.unwrap();
        assert_eq!((strings.n_unique(), strings.n_cells), (2, 8));
        assert!(RowWriter::new(&kinds, &styles[..10], None).is_err());
    }
}
