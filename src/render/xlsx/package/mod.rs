//! The crate's workbook made into ours: raw rows and chart points put in, and all of it packed anew.
//!
//! The crate packs fast; every part is unpacked, mended where it must be, and packed by libdeflate, which is twice as
//! fast as zlib at the same size.

mod points;
mod rows;
mod zip;

use std::io::{Cursor, Seek, Write};

use libdeflater::Decompressor;

use super::cell::TEXT_MARK;
use crate::render::RenderError;
use crate::report::{Cell, Rows, RowsError};

pub(super) use points::Points;
pub(super) use rows::{N_DECIMALS, RawSheet};
use rows::{RowWriter, Strings};
use zip::Zip;

/// How hard the crate's deflate tries: it is undone at once, and no level at all is refused.
pub(super) const LEVEL_OF_CRATE: u8 = 1;

/// How hard libdeflate tries. Measured on the standard workbook with 2,000 raw rows (its parts deflated once more):
/// level 4 6.6 ms and 194 KB, level 5 7.4 ms and 192 KB, level 6 10.2 ms and 179 KB, level 7 23.2 ms and 176 KB. The
/// design's bound of 185 KB decides.
const LEVEL: i32 = 6;

/// How hard zlib-rs tries at raw rows that are streamed: a million of 14 columns take 2.6 s and 91 MB.
const LEVEL_STREAMED: u32 = 2;

/// So much of streamed rows is written before it is packed.
const STREAMED_BYTES: usize = 256 * 1024;

const STRINGS: &str = "xl/sharedStrings.xml";

/// What the crate does not write.
pub(super) struct Additions<'a> {
    /// The points of charts over formulas.
    pub(super) points: Points,
    /// The sheets of raw rows with the number of each in the workbook, from 1.
    pub(super) raw: Vec<(usize, RawSheet)>,
    /// Their rows.
    pub(super) rows: Option<&'a dyn Rows>,
    /// Whether rows are streamed into the file, each text in its cell, instead of held in memory.
    pub(super) is_streamed: bool,
}

/// A part of the crate's workbook.
struct Part {
    name: String,
    content: Vec<u8>,
}

/// Writes the crate's workbook with everything that it lacks.
pub(super) fn write<W: Write + Seek>(saved: &[u8], additions: &Additions<'_>, out: W) -> Result<W, RenderError> {
    let mut parts = unpacked(saved)?;
    for part in &mut parts {
        mend(part, additions)?;
    }
    let mut zip = Zip::new(out, LEVEL);
    let raw = RawParts::cut(&mut parts, additions)?;
    if additions.is_streamed {
        parts.iter().try_for_each(|part| zip.put(&part.name, &part.content))?;
        raw.stream(additions, &mut zip)?;
    } else {
        raw.hold(additions, &mut parts)?;
        parts.iter().try_for_each(|part| zip.put(&part.name, &part.content))?;
    }
    zip.finish()
}

/// Every part, in the order of the file.
fn unpacked(saved: &[u8]) -> Result<Vec<Part>, RenderError> {
    let broken =
        |error: &dyn std::fmt::Display| RenderError::Workbook(format!("the workbook cannot be reopened: {error}"));
    let mut archive = ::zip::ZipArchive::new(Cursor::new(saved)).map_err(|error| broken(&error))?;
    let mut decompressor = Decompressor::new();
    (0..archive.len())
        .map(|n| {
            let entry = archive.by_index_raw(n).map_err(|error| broken(&error))?;
            let name = entry.name().map_err(|error| broken(&error))?.into_owned();
            let from = entry.data_start().ok_or_else(|| broken(&"a part has no beginning"))? as usize;
            let (deflated, inflated) = (entry.compressed_size() as usize, entry.size() as usize);
            let packed = saved.get(from..from + deflated).ok_or_else(|| broken(&"a part has no end"))?;
            let mut content = vec![0; inflated];
            decompressor.deflate_decompress(packed, &mut content).map_err(|error| broken(&error))?;
            Ok(Part { name, content })
        })
        .collect()
}

/// Puts right what the crate leaves wrong in a part.
fn mend(part: &mut Part, additions: &Additions<'_>) -> Result<(), RenderError> {
    if part.name.starts_with("xl/worksheets/sheet") {
        let marked = format!("<v>{TEXT_MARK}");
        if let Some(first) = find(&part.content, marked.as_bytes(), 0) {
            part.content = without(&part.content, &marked, first);
        }
    } else if part.name.starts_with("xl/charts/chart") {
        let chart = additions.points.fill(text(part)?);
        part.content = with_base_unit(&chart).into_bytes();
    } else if part.name.starts_with("xl/tables/table") {
        let table = text(part)?;
        // Columns have a `name` too, which a heading may make the same.
        let is_of = |raw: &RawSheet| table.contains(&format!(" displayName=\"{}\"", raw.table));
        if let Some((_, raw)) = additions.raw.iter().find(|(_, raw)| is_of(raw)) {
            part.content = with_references(table, &raw.table_range()).into_bytes();
        }
    }
    Ok(())
}

fn text(part: &Part) -> Result<&str, RenderError> {
    std::str::from_utf8(&part.content).map_err(|_| RenderError::Workbook(format!("`{}` is not UTF-8", part.name)))
}

/// Where some bytes stand, from a place on.
fn find(content: &[u8], bytes: &[u8], from: usize) -> Option<usize> {
    let first = *bytes.first()?;
    let mut at = from;
    loop {
        at += content.get(at..)?.iter().position(|byte| *byte == first)?;
        if content[at..].starts_with(bytes) {
            return Some(at);
        }
        at += 1;
    }
}

/// Takes the mark off every cached text; `first` is where the first one stands.
fn without(content: &[u8], marked: &str, first: usize) -> Vec<u8> {
    let mut clean = Vec::with_capacity(content.len());
    let (mut from, mut next) = (0, Some(first));
    while let Some(at) = next {
        clean.extend_from_slice(&content[from..at + "<v>".len()]);
        from = at + marked.len();
        next = find(content, marked.as_bytes(), from);
    }
    clean.extend_from_slice(&content[from..]);
    clean
}

/// An axis of dates that counts months, which the crate cannot say: with a month twice it would count days
/// (ECMA-376 part 1, 21.2.2.39: after the labels' offset).
fn with_base_unit(chart: &str) -> String {
    const OFFSET: &str = "<c:lblOffset val=\"100\"/>";
    let Some((before, axis)) = chart.split_once("<c:dateAx>") else { return chart.to_owned() };
    let axis = axis.replacen(OFFSET, &format!("{OFFSET}<c:baseTimeUnit val=\"months\"/>"), 1);
    format!("{before}<c:dateAx>{axis}")
}

/// A table's part with its range, and its filter's, set anew.
fn with_references(table: &str, range: &str) -> String {
    let mut parts = table.split(" ref=\"");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.split_once('"').map_or("", |(_, rest)| rest);
        text += &format!(" ref=\"{range}\"{rest}");
    }
    text
}

/// The sheets of raw rows, taken apart at the place where their rows go.
struct RawParts {
    sheets: Vec<RawPart>,
    styles: Vec<u32>,
}

struct RawPart {
    name: String,
    before: Vec<u8>,
    after: Vec<u8>,
    header: u32,
    n_rows: u32,
}

impl RawParts {
    /// Cuts the rows of styles out of the parts that have them, and takes these parts from the others.
    fn cut(parts: &mut Vec<Part>, additions: &Additions<'_>) -> Result<RawParts, RenderError> {
        let mut raw = RawParts { sheets: Vec::new(), styles: Vec::new() };
        for (number, sheet) in additions.raw.iter().filter(|(_, sheet)| sheet.n_rows > 0) {
            let name = format!("xl/worksheets/sheet{number}.xml");
            let missing = || RenderError::Workbook(format!("`{name}` has no place for raw rows"));
            let part = parts.iter_mut().find(|part| part.name == name).ok_or_else(missing)?;
            let row = format!("<row r=\"{}\"", sheet.header + 2);
            let from = find(&part.content, row.as_bytes(), 0).ok_or_else(missing)?;
            let to = find(&part.content, b"</sheetData>", from).ok_or_else(missing)?;
            raw.styles = styles(std::str::from_utf8(&part.content[from..to]).map_err(|_| missing())?);
            let before = with_dimension(std::str::from_utf8(&part.content[..from]).map_err(|_| missing())?, sheet);
            let after = part.content[to..].to_vec();
            raw.sheets.push(RawPart {
                name,
                before: before.into_bytes(),
                after,
                header: sheet.header,
                n_rows: sheet.n_rows,
            });
        }
        if additions.is_streamed {
            parts.retain(|part| raw.sheets.iter().all(|sheet| sheet.name != part.name));
        }
        Ok(raw)
    }

    /// Writes the rows into the parts, their texts among those of the workbook.
    fn hold(self, additions: &Additions<'_>, parts: &mut [Part]) -> Result<(), RenderError> {
        let missing = || RenderError::Workbook("the workbook has no texts".to_owned());
        let strings = parts.iter().position(|part| part.name == STRINGS).ok_or_else(missing)?;
        let counts = counts(text(&parts[strings])?).ok_or_else(missing)?;
        let mut made = Vec::new();
        let added = self.replay(additions, Some(Strings::new(counts.1)), &mut |step| {
            if let Step::End(sheet, xml) = step {
                made.push([sheet.before.as_slice(), xml, &sheet.after].concat());
                xml.clear();
            }
            Ok(())
        })?;
        for (sheet, content) in self.sheets.iter().zip(made) {
            if let Some(part) = parts.iter_mut().find(|part| part.name == sheet.name) {
                part.content = content;
            }
        }
        if let Some(added) = added {
            parts[strings].content = with_strings(text(&parts[strings])?, counts, &added);
        }
        Ok(())
    }

    /// Writes the rows into the file as they come.
    fn stream<W: Write + Seek>(self, additions: &Additions<'_>, zip: &mut Zip<W>) -> Result<(), RenderError> {
        self.replay(additions, None, &mut |step| match step {
            Step::Begin(sheet) => {
                zip.begin(&sheet.name, LEVEL_STREAMED)?;
                zip.add(&sheet.before)
            }
            Step::Row(xml) if xml.len() < STREAMED_BYTES => Ok(()),
            Step::Row(xml) => {
                zip.add(xml)?;
                xml.clear();
                Ok(())
            }
            Step::End(sheet, xml) => {
                zip.add(xml)?;
                xml.clear();
                zip.add(&sheet.after)?;
                zip.end_begun()
            }
        })?;
        Ok(())
    }

    /// Goes through the rows once, from sheet to sheet, and hands back the texts.
    fn replay(
        &self,
        additions: &Additions<'_>,
        strings: Option<Strings>,
        sink: &mut dyn FnMut(Step<'_>) -> Result<(), RenderError>,
    ) -> Result<Option<Strings>, RenderError> {
        let (Some(rows), Some((_, first))) = (additions.rows, additions.raw.first()) else { return Ok(strings) };
        if self.sheets.is_empty() {
            return Ok(strings);
        }
        let mut writer = RowWriter::new(&first.kinds, &self.styles, strings)?;
        let mut sheets = self.sheets.iter();
        let mut open: Option<(&RawPart, u32)> = None;
        let mut n = 0_u64;
        each(rows, &mut |cells| {
            if open.is_none_or(|(sheet, n_here)| n_here == sheet.n_rows) {
                if let Some((sheet, _)) = open {
                    sink(Step::End(sheet, &mut writer.xml))?;
                }
                let next = sheets.next().ok_or_else(|| RowsError("more came than were promised".to_owned()))?;
                sink(Step::Begin(next))?;
                open = Some((next, 0));
            }
            if let Some((sheet, n_here)) = &mut open {
                *n_here += 1;
                writer.row(sheet.header + *n_here, cells)?;
                sink(Step::Row(&mut writer.xml))?;
            }
            n += 1;
            Ok(())
        })?;
        if n != rows.n_rows() {
            return Err(RowsError(format!("`{}` were promised, `{n}` came", rows.n_rows())).into());
        }
        if let Some((sheet, _)) = open {
            sink(Step::End(sheet, &mut writer.xml))?;
        }
        Ok(writer.strings)
    }
}

/// A step of writing rows: the XML that is written so far may be taken.
enum Step<'a> {
    Begin(&'a RawPart),
    Row(&'a mut Vec<u8>),
    End(&'a RawPart, &'a mut Vec<u8>),
}

/// Replays rows to something that fails in its own way.
fn each(rows: &dyn Rows, write: &mut dyn FnMut(&[Cell<'_>]) -> Result<(), RenderError>) -> Result<(), RenderError> {
    let mut failed = None;
    let replayed = rows.replay(&mut |cells| {
        write(cells).map_err(|error| {
            let broken = RowsError(error.to_string());
            failed = Some(error);
            broken
        })
    });
    match failed {
        Some(error) => Err(error),
        None => Ok(replayed?),
    }
}

/// The styles of cells in a row of XML.
fn styles(row: &str) -> Vec<u32> {
    row.split(" s=\"").skip(1).filter_map(|rest| rest.split('"').next()?.parse().ok()).collect()
}

/// The beginning of a sheet's part with the range that its rows reach to.
fn with_dimension(before: &str, sheet: &RawSheet) -> String {
    let range = sheet.table_range();
    let (_, end) = range.split_once(':').unwrap_or(("", &range));
    match before.split_once("<dimension ref=\"").and_then(|(head, rest)| Some((head, rest.split_once('"')?.1))) {
        Some((head, rest)) => format!("{head}<dimension ref=\"B1:{end}\"{rest}"),
        None => before.to_owned(),
    }
}

/// How many cells have a text, and how many texts there are, as the part of texts says.
fn counts(strings: &str) -> Option<(u64, u32)> {
    let number = |name: &str| strings.split_once(name)?.1.split('"').next().map(str::to_owned);
    Some((number(" count=\"")?.parse().ok()?, number(" uniqueCount=\"")?.parse().ok()?))
}

/// The part of texts with more of them.
fn with_strings(strings: &str, (n_cells, n_unique): (u64, u32), added: &Strings) -> Vec<u8> {
    let count = |n: u64, unique: u32| format!(" count=\"{n}\" uniqueCount=\"{unique}\"");
    let all = count(n_cells + added.n_cells, n_unique + added.n_unique());
    let counted = strings.replacen(&count(n_cells, n_unique), &all, 1);
    let body = counted.strip_suffix("</sst>").unwrap_or(&counted);
    [body.as_bytes(), &added.items, b"</sst>"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_cached_texts_are_taken_off_once() {
        let sheet = format!("<v>{TEXT_MARK}365</v><v>7</v><v>{TEXT_MARK}</v><v>{TEXT_MARK}{TEXT_MARK}x</v>");
        let marked = format!("<v>{TEXT_MARK}");
        let clean = without(sheet.as_bytes(), &marked, find(sheet.as_bytes(), marked.as_bytes(), 0).unwrap());
        assert_eq!(clean, format!("<v>365</v><v>7</v><v></v><v>{TEXT_MARK}x</v>").as_bytes());
        assert_eq!(find(b"<v>7</v>", marked.as_bytes(), 0), None);
    }

    #[test]
    fn a_table_reaches_as_far_as_its_rows() {
        let table = "<table ref=\"B6:D7\" name=\"raw\"><autoFilter ref=\"B6:D7\"/></table>";
        let expected = "<table ref=\"B6:D90\" name=\"raw\"><autoFilter ref=\"B6:D90\"/></table>";
        assert_eq!(with_references(table, "B6:D90"), expected);
    }

    #[test]
    fn an_axis_of_dates_counts_months() {
        let axis = "<c:dateAx><c:lblOffset val=\"100\"/><c:majorTimeUnit val=\"months\"/></c:dateAx>";
        assert!(with_base_unit(axis).contains("<c:lblOffset val=\"100\"/><c:baseTimeUnit val=\"months\"/>"));
        assert_eq!(with_base_unit("<c:catAx/>"), "<c:catAx/>");
    }

    #[test]
    fn texts_are_added_after_those_that_are_there() {
        let part = "<sst xmlns=\"x\" count=\"5\" uniqueCount=\"2\"><si/><si/></sst>";
        assert_eq!(counts(part), Some((5, 2)));
        let mut added = Strings::new(2);
        added.items.extend(b"<si>3</si>");
        added.n_cells = 4;
        let text = String::from_utf8(with_strings(part, (5, 2), &added)).unwrap();
        assert_eq!(text, "<sst xmlns=\"x\" count=\"9\" uniqueCount=\"2\"><si/><si/><si>3</si></sst>");
    }
}
