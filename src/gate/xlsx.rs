//! Reads a workbook back: its first sheets' rows, cell by cell, and every text in it.

use std::borrow::Cow;
use std::io::{Cursor, Read};

use memchr::memmem;
use zip::{CompressionMethod, ZipArchive};

use super::cells;
use super::inflate::Inflater;
use super::search::{Looking, Search, Texts, Unit};
use super::xml::{self, plain, split_once};
use super::{Expected, ExpectedKpi, said};

/// The largest part that is inflated; more than Excel's largest sheet takes would be a bomb.
const PART_BYTES_MAX: u64 = 4 << 30;

/// Larger parts are inflated bit by bit, smaller ones at once, which takes a third of the time.
const AT_ONCE_BYTES_MAX: u64 = 64 << 20;

/// Sheets beyond this are raw rows; KPIs are not looked for in them.
const KPI_SHEET_BYTES_MAX: u64 = 8 << 20;

/// The part with the texts of cells.
const STRINGS: &str = "xl/sharedStrings.xml";

/// A cell that holds something.
#[derive(Clone, PartialEq, Debug)]
enum Cell<'a> {
    Text(Cow<'a, str>),
    Number(f64),
}

/// Parts with these endings are pictures.
const PICTURES: [&str; 4] = [".png", ".jpeg", ".jpg", ".gif"];

/// What is not as expected; an error when the file cannot be read. Each part is inflated once.
pub(super) fn inspect(expected: &Expected, bytes: &[u8], search: &Search) -> Result<Vec<String>, String> {
    let mut archive = Archive::open(bytes)?;
    let mut shared = Vec::new();
    if archive.zip.index_for_name(STRINGS).is_some() {
        shared.extend(archive.part(STRINGS)?);
    }
    let strings = cells::strings(&shared);
    let mut looking = Looking::new(search);
    looking.units(strings.iter().map(Cow::as_ref), Unit::Cell, &|n| cell_with(bytes, n));
    let mut open = Open { expected, partner: false, period: false, kpis: vec![None; expected.kpis.len()] };
    let sheets = archive.sheets()?;
    let mut parts = xml::Parts::default();
    for (n, name) in sheets.iter().enumerate() {
        let sheet = archive.part(name)?;
        if sheet.len() as u64 <= KPI_SHEET_BYTES_MAX && !open.is_done() {
            open.look_through(sheet, &strings);
        }
        let (around, data) = parted(sheet);
        around.iter().for_each(|around| parts.keep(around, n));
        look_through_cells(data, name, &mut looking);
    }
    let is_left = |name: &String| *name != STRINGS && !sheets.contains(name) && !name.ends_with('/');
    let is_picture = |name: &String| PICTURES.iter().any(|ending| name.ends_with(ending));
    let names = archive.zip.file_names().filter_map(Result::ok).map(Cow::into_owned);
    let others: Vec<String> = names.filter(is_left).filter(|name| !is_picture(name)).collect();
    for (n, name) in others.iter().enumerate() {
        parts.keep(archive.part(name)?, sheets.len() + n);
    }
    let name = |n: usize| sheets.iter().chain(&others).nth(n).map_or("", String::as_str);
    parts.look_through(&mut looking, &|n| format!("in `{}`", name(n)));
    let mut findings = open.findings();
    findings.extend(looking.findings);
    Ok(findings)
}

/// The parts of a workbook.
struct Archive<'a> {
    bytes: &'a [u8],
    zip: ZipArchive<Cursor<&'a [u8]>>,
    inflater: Inflater,
    /// The part that was read bit by bit last.
    part: Vec<u8>,
}

impl<'a> Archive<'a> {
    fn open(bytes: &'a [u8]) -> Result<Archive<'a>, String> {
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
        Ok(Archive { bytes, zip, inflater: Inflater::default(), part: Vec::new() })
    }

    /// The sheets, in the file's order.
    fn sheets(&self) -> Result<Vec<String>, String> {
        let name = |n: u32| format!("xl/worksheets/sheet{n}.xml");
        let sheets: Vec<String> = (1..).map(name).take_while(|name| self.zip.index_for_name(name).is_some()).collect();
        if sheets.is_empty() { Err("it has no sheet".to_owned()) } else { Ok(sheets) }
    }

    /// A part, inflated.
    fn part(&mut self, name: &str) -> Result<&[u8], String> {
        let says = |error: zip::result::ZipError| format!("`{name}`: {error}");
        let index = self.zip.index_for_name(name).ok_or_else(|| format!("it has no `{name}`"))?;
        let raw = self.zip.by_index_raw(index).map_err(says)?;
        let (n_raw, n, crc, method) = (raw.compressed_size(), raw.size(), raw.crc32(), raw.compression());
        let start = raw.data_start();
        drop(raw);
        let is_at_once = method == CompressionMethod::Deflated && n <= AT_ONCE_BYTES_MAX;
        let data = start.filter(|_| is_at_once).and_then(|start| {
            let start = usize::try_from(start).ok()?;
            self.bytes.get(start..start.checked_add(usize::try_from(n_raw).ok()?)?)
        });
        let inflated = data.and_then(|data| self.inflater.deflated(data, n as usize));
        if inflated.is_some_and(|part| libdeflater::crc32(part) == crc) {
            return Ok(self.inflater.last(n as usize));
        }
        self.read(index).map_err(|error| format!("`{name}`: {error}"))?;
        Ok(&self.part)
    }

    /// Reads a part bit by bit: it is large, stored, or broken, which is told.
    fn read(&mut self, index: usize) -> Result<(), String> {
        let file = self.zip.by_index(index).map_err(|error| error.to_string())?;
        self.part.clear();
        file.take(PART_BYTES_MAX + 1).read_to_end(&mut self.part).map_err(|error| error.to_string())?;
        if self.part.len() as u64 > PART_BYTES_MAX {
            return Err(format!("it has more than {PART_BYTES_MAX} bytes"));
        }
        Ok(())
    }
}

/// What stands in a sheet around its cells, and the cells.
fn parted(sheet: &[u8]) -> ([&[u8]; 2], &[u8]) {
    let Some((head, rest)) = split_once(sheet, b"<sheetData") else { return ([sheet, b""], b"") };
    let (data, tail) = split_once(rest, b"</sheetData>").unwrap_or((rest, b""));
    ([head, tail], data)
}

/// Looks through the texts of cells that are not among the shared strings.
fn look_through_cells(data: &[u8], name: &str, looking: &mut Looking<'_>) {
    // Of `inlineStr`, `"str"`, `"e"` and formulas what cells of numbers and shared strings do not have: most have nothing
    // else, and a sheet of raw rows is larger than all other parts.
    let marks: [&[u8]; 3] = [b"tr", b"e\"", b"<f"];
    if !marks.iter().any(|mark| memmem::find(data, mark).is_some()) {
        return;
    }
    let (mut texts, mut formulas, mut addresses) = (Texts::new(Unit::Cell), Texts::new(Unit::Text), Vec::new());
    cells::cells(data, &mut |cell| {
        if let Some(text) = cell.text() {
            texts.push(&text, addresses.len());
        }
        if !cell.formula.is_empty() {
            formulas.push(&plain(cell.formula), addresses.len());
        }
        addresses.push(cell.address);
    });
    let at = |n: usize| {
        let address: &[u8] = addresses.get(n).copied().unwrap_or_default();
        format!("in `{}` of `{name}`", String::from_utf8_lossy(address))
    };
    looking.texts(&texts, &at);
    looking.texts(&formulas, &at);
}

/// The first cell that has a shared string, as `B7` of a sheet; looked up when there is something to say of it.
fn cell_with(bytes: &[u8], string: usize) -> String {
    let found = || {
        let mut archive = Archive::open(bytes).ok()?;
        for name in archive.sheets().ok()? {
            let sheet = archive.part(&name).ok()?;
            if let Some((before, _)) = split_once(sheet, format!("t=\"s\"><v>{string}</v>").as_bytes()) {
                let cell = &before[memmem::rfind(before, b"<c r=\"")? + 6..];
                let cell = cell.split(|byte| *byte == b'"').next()?;
                return Some(format!("in `{}` of `{name}`", String::from_utf8_lossy(cell)));
            }
        }
        None
    };
    found().unwrap_or_else(|| format!("in `{STRINGS}`"))
}

/// What is still looked for.
struct Open<'a> {
    expected: &'a Expected,
    partner: bool,
    period: bool,
    /// For each KPI: what was found; none while its label was not.
    kpis: Vec<Option<Result<(), String>>>,
}

impl Open<'_> {
    fn is_done(&self) -> bool {
        self.partner && self.period && self.kpis.iter().all(|kpi| matches!(kpi, Some(Ok(()))))
    }

    fn look_through(&mut self, sheet: &[u8], strings: &[Cow<'_, str>]) {
        for row in rows(sheet) {
            let mut cells: Vec<Cell<'_>> = Vec::new();
            cells::cells(row, &mut |cell| cells.extend(cell_of(cell, strings)));
            for (n, cell) in cells.iter().enumerate() {
                let Cell::Text(text) = cell else { continue };
                self.partner |= text.contains(&self.expected.partner);
                self.period |= text.contains(&self.expected.period);
                for (kpi, found) in self.expected.kpis.iter().zip(&mut self.kpis) {
                    if *text == kpi.label && !matches!(found, Some(Ok(()))) {
                        let compared = compare(kpi, &cells[n + 1..]);
                        // The first row that begins with the label is the KPI's; tables head columns with it.
                        if compared.is_ok() || (found.is_none() && n == 0) {
                            *found = Some(compared);
                        }
                    }
                }
            }
        }
    }

    fn findings(self) -> Vec<String> {
        let mut findings = Vec::new();
        if !self.partner {
            findings.push("expected the partner's name, found no such text".to_owned());
        }
        if !self.period {
            findings.push(format!("expected the period `{}`, found no such text", self.expected.period));
        }
        for (kpi, found) in self.expected.kpis.iter().zip(self.kpis) {
            match found {
                Some(Ok(())) => {}
                Some(Err(what)) => findings.push(what),
                None => findings.push(format!("expected the KPI `{}`, found no such label", kpi.key)),
            }
        }
        findings
    }
}

/// Whether a KPI's figure and growth follow its label, each exactly.
fn compare(kpi: &ExpectedKpi, after: &[Cell<'_>]) -> Result<(), String> {
    let is_figure = after.first().is_some_and(|cell| match (cell, kpi.current) {
        (Cell::Number(number), Some(current)) => *number == current.to_f64(),
        (Cell::Text(text), _) => *text == kpi.figure(),
        (Cell::Number(_), None) => false,
    });
    let is_growth = after.get(1).is_some_and(|cell| match (cell, kpi.growth.to_f64()) {
        (Cell::Number(number), Some(growth)) => *number == growth,
        (Cell::Text(text), None) => text.trim_start_matches(['▲', '▼', ' ']) == kpi.growth.text(),
        (Cell::Number(_), None) | (Cell::Text(_), Some(_)) => false,
    });
    if is_figure && is_growth {
        return Ok(());
    }
    let found: Vec<String> = after
        .iter()
        .take(2)
        .map(|cell| match cell {
            Cell::Text(text) => said(text),
            Cell::Number(number) => format!("`{number}`"),
        })
        .collect();
    let found = if found.is_empty() { "nothing".to_owned() } else { found.join(" and ") };
    Err(format!("expected `{}` and `{}` beside `{}`, found {found}", kpi.figure(), kpi.growth.text(), kpi.key))
}

/// What a cell holds; none when it is empty.
fn cell_of<'a>(cell: &cells::Cell<'a>, strings: &'a [Cow<'a, str>]) -> Option<Cell<'a>> {
    let value = || std::str::from_utf8(cell.value).ok();
    if cell.kind == b"s" {
        return strings.get(value()?.parse::<usize>().ok()?).map(|text| Cell::Text(Cow::Borrowed(text.as_ref())));
    }
    cell.text().map(Cell::Text).or_else(|| value()?.parse().ok().map(Cell::Number))
}

/// The rows of a sheet, each up to where the next begins.
fn rows(sheet: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut starts = memmem::find_iter(sheet, b"<row ").peekable();
    std::iter::from_fn(move || {
        let start = starts.next()?;
        Some(&sheet[start..starts.peek().copied().unwrap_or(sheet.len())])
    })
}

#[cfg(test)]
mod tests {
    use rust_xlsxwriter::{Format, Workbook};

    use crate::gate::sample::{report, search};
    use crate::gate::{Kind, inspect};

    use super::*;

    const PARTNER: &str = "Example & Söhne";

    /// A workbook whose rows begin as a KPI's do; `change` alters a figure on its way.
    fn workbook(change: impl Fn(&str, f64) -> f64, texts: [&str; 3]) -> Vec<u8> {
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet();
        let ground = Format::new().set_bold();
        sheet.write(0, 1, texts[0]).unwrap().write(1, 1, texts[1]).unwrap();
        for column in 0..8 {
            sheet.write_blank(2, column, &ground).unwrap().write_blank(3, column, &ground).unwrap();
        }
        sheet.write(2, 1, "Licenses").unwrap().write(2, 2, change("Licenses", 173_682.0)).unwrap();
        sheet.write(2, 3, change("growth", 12_479.0 / 161_203.0)).unwrap();
        sheet.write(3, 1, "Licenses deployed").unwrap().write(3, 2, change("deployed", 136_134.5)).unwrap();
        sheet.write(3, 3, "▲ new").unwrap();
        sheet.write(4, 1, "Active licenses").unwrap().write(4, 2, "n/a").unwrap().write(4, 3, "n/a").unwrap();
        // A table's headings and its total.
        sheet.write(6, 1, "Product").unwrap().write(6, 2, "Licenses").unwrap().write(6, 3, "Share").unwrap();
        sheet.write(7, 1, "All").unwrap().write(7, 2, 173_682.0).unwrap();
        sheet.set_footer(texts[2]);
        workbook.save_to_buffer().unwrap()
    }

    const TEXTS: [&str; 3] = [PARTNER, "Product licenses · October 2026", "&LReport"];

    fn check(bytes: &[u8], others: &[&str], wants: &[&str]) {
        let whats: Vec<String> = match inspect(&report(PARTNER), Kind::Xlsx, bytes, &search(PARTNER, others)) {
            Ok(()) => Vec::new(),
            Err(error) => error.findings.into_iter().map(|finding| finding.what).collect(),
        };
        assert_eq!(whats.len(), wants.len(), "{whats:?}");
        for (what, want) in whats.iter().zip(wants) {
            assert!(what.contains(want), "{what} has no {want}");
        }
    }

    #[test]
    fn a_right_workbook_may_leave() {
        check(&workbook(|_, figure| figure, TEXTS), &["Another", "Example"], &[]);
    }

    #[test]
    fn a_wrong_figure_is_found_to_the_last_digit() {
        let off_by = |key: &'static str, by: f64| {
            workbook(move |is, figure| if is == key { figure + by } else { figure }, TEXTS)
        };
        check(
            &off_by("Licenses", 1.0),
            &[],
            &["expected `173,682` and `+7.74%` beside `licenses`, found `173683` and"],
        );
        check(&off_by("deployed", 0.000_001), &[], &["`136134.500001`"]);
        check(&off_by("growth", -0.000_000_1), &[], &["`+7.74%`"]);
    }

    #[test]
    fn a_missing_partner_period_or_label_is_found() {
        let right = |_: &str, figure: f64| figure;
        check(&workbook(right, ["Example", TEXTS[1], ""]), &[], &["the partner's name"]);
        check(&workbook(right, [PARTNER, "October 2025", ""]), &[], &["the period `October 2026`"]);
        let mut wanting = report(PARTNER);
        let Some(crate::report::Block::Kpis(kpis)) = wanting.sections[0].blocks.first_mut() else { panic!() };
        kpis[0].label = "Seats".to_owned();
        let error = inspect(&wanting, Kind::Xlsx, &workbook(right, TEXTS), &Search::default()).unwrap_err();
        assert_eq!(error.to_string(), "the workbook: expected the KPI `licenses`, found no such label");
    }

    #[test]
    fn another_partners_name_is_found_wherever_it_stands() {
        let right = |_: &str, figure: f64| figure;
        let bytes = workbook(right, [PARTNER, "October 2026, Third & Co", "&LAnother && Sons"]);
        let wants =
            ["partner `p0`, found the name in `xl/worksheets/sheet1.xml`", "`p1`, found the name in `B2` of `xl/"];
        check(&bytes, &["Another & Sons", "Third & Co", "Fourth"], &wants);
    }

    #[test]
    fn a_broken_file_is_found() {
        let bytes = workbook(|_, figure| figure, TEXTS);
        for broken in [&bytes[..bytes.len() / 2], &bytes[..bytes.len() - 30], b"%PDF-", b""] {
            check(broken, &[], &["found one that does not"]);
        }
        let mut flipped = bytes.clone();
        let at = flipped.windows(24).position(|name| name == b"xl/worksheets/sheet1.xml").unwrap() + 60;
        flipped[at] ^= 0xff;
        check(&flipped, &[], &["found one that does not"]);
    }
}
