//! Reads a workbook back: its first sheets' rows, cell by cell, and every text in it.

use std::borrow::Cow;
use std::io::{Cursor, Read};

use zip::ZipArchive;

use super::search::{Looking, Search, Unit};
use super::xml::{self, unescaped};
use super::{Expected, ExpectedKpi, said};

/// The largest part that is inflated; more than Excel's largest sheet takes would be a bomb.
const PART_BYTES_MAX: u64 = 4 << 30;

/// Sheets beyond this are raw rows; KPIs are not looked for in them.
const KPI_SHEET_BYTES_MAX: u64 = 8 << 20;

/// The part with the texts of cells.
const STRINGS: &str = "xl/sharedStrings.xml";

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

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
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    let shared = match archive.index_for_name(STRINGS) {
        Some(_) => part(&mut archive, STRINGS)?,
        None => String::new(),
    };
    let strings: Vec<Cow<'_, str>> = between(&shared, "<si>", "</si>").map(text_of).collect();
    let mut looking = Looking::new(search);
    looking.units(strings.iter().map(Cow::as_ref), Unit::Cell, &|n| cell_with(bytes, n));
    let mut open = Open { expected, partner: false, period: false, kpis: vec![None; expected.kpis.len()] };
    let sheets = sheets(&archive)?;
    for name in &sheets {
        let sheet = part(&mut archive, name)?;
        if sheet.len() as u64 <= KPI_SHEET_BYTES_MAX && !open.is_done() {
            open.look_through(&sheet, &strings);
        }
        look_through_sheet(&sheet, name, &strings, &mut looking);
    }
    let names: Vec<String> = archive.file_names().filter_map(Result::ok).map(Cow::into_owned).collect();
    let is_left = |name: &&String| *name != STRINGS && !sheets.contains(name) && !name.ends_with('/');
    for name in names.iter().filter(is_left).filter(|name| !PICTURES.iter().any(|ending| name.ends_with(ending))) {
        xml::look_through(&part(&mut archive, name)?, &mut looking, &|| format!("in `{name}`"));
    }
    let mut findings = open.findings();
    findings.extend(looking.findings);
    Ok(findings)
}

/// The sheets, in the file's order.
fn sheets(archive: &Archive<'_>) -> Result<Vec<String>, String> {
    let name = |n: u32| format!("xl/worksheets/sheet{n}.xml");
    let sheets: Vec<String> = (1..).map(name).take_while(|name| archive.index_for_name(name).is_some()).collect();
    if sheets.is_empty() { Err("it has no sheet".to_owned()) } else { Ok(sheets) }
}

/// The texts of a sheet that are not among the shared strings: around its cells, and in them where they are in place.
fn look_through_sheet(sheet: &str, name: &str, strings: &[Cow<'_, str>], looking: &mut Looking<'_>) {
    let place = || format!("in `{name}`");
    let Some((head, rest)) = sheet.split_once("<sheetData") else { return xml::look_through(sheet, looking, &place) };
    let (data, tail) = rest.split_once("</sheetData>").unwrap_or((rest, ""));
    xml::look_through(head, looking, &place);
    xml::look_through(tail, looking, &place);
    if !["inlineStr", "t=\"str\"", "t=\"e\"", "<f"].iter().any(|mark| data.contains(mark)) {
        return;
    }
    let at = |cell: &str| format!("in `{}` of `{name}`", cell.split('"').next().unwrap_or_default());
    for cell in between(data, "<c r=\"", "</c>") {
        // Empty cells close themselves, and what follows them up to the next `</c>` is the next cell's.
        let cell = cell.rsplit_once("<c r=\"").map_or(cell, |(_, last)| last);
        if !cell.contains("t=\"s\"")
            && let Some(Cell::Text(text)) = cell_of(cell, strings)
        {
            looking.at(&text, Unit::Cell, &|| at(cell));
        }
        for formula in cell.split("<f").skip(1).filter_map(|rest| rest.split_once('>')?.1.split_once("</f>")) {
            looking.at(&unescaped(formula.0), Unit::Text, &|| at(cell));
        }
    }
}

/// The first cell that has a shared string, as `B7` of a sheet; looked up when there is something to say of it.
fn cell_with(bytes: &[u8], string: usize) -> String {
    let found = || {
        let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
        for name in sheets(&archive).ok()? {
            let sheet = part(&mut archive, &name).ok()?;
            if let Some((before, _)) = sheet.split_once(&format!("t=\"s\"><v>{string}</v>")) {
                let cell = before.rsplit_once("<c r=\"")?.1.split('"').next()?.to_owned();
                return Some(format!("in `{cell}` of `{name}`"));
            }
        }
        None
    };
    found().unwrap_or_else(|| format!("in `{STRINGS}`"))
}

/// A part as text; what is not UTF-8 in it is replaced, since strangers may have written it.
fn part(archive: &mut Archive<'_>, name: &str) -> Result<String, String> {
    let file = archive.by_name(name).map_err(|error| format!("`{name}`: {error}"))?;
    let mut bytes = Vec::with_capacity(usize::try_from(file.size().min(1 << 26)).unwrap_or(0));
    let read = file.take(PART_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("`{name}`: {error}"))?;
    if bytes.len() as u64 > PART_BYTES_MAX {
        return Err(format!("`{name}` has more than {PART_BYTES_MAX} bytes"));
    }
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
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

    fn look_through(&mut self, sheet: &str, strings: &[Cow<'_, str>]) {
        for row in between(sheet, "<row ", "</row>") {
            let cells: Vec<Cell<'_>> = between(row, "<c ", "</c>").filter_map(|cell| cell_of(cell, strings)).collect();
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

/// A cell from what stands between `<c ` and `</c>`; none when it is empty.
fn cell_of<'a>(cell: &'a str, strings: &'a [Cow<'a, str>]) -> Option<Cell<'a>> {
    // Empty cells close themselves, and what follows them up to the next `</c>` is the next cell's.
    let cell = cell.rsplit_once("<c ").map_or(cell, |(_, last)| last);
    let (attributes, content) = cell.split_once('>')?;
    if attributes.contains("t=\"inlineStr\"") {
        return Some(Cell::Text(text_of(content)));
    }
    let value = between(content, "<v>", "</v>").next()?;
    if attributes.contains("t=\"s\"") {
        return strings.get(value.parse::<usize>().ok()?).map(|text| Cell::Text(Cow::Borrowed(text.as_ref())));
    }
    if attributes.contains("t=\"str\"") || attributes.contains("t=\"e\"") {
        return Some(Cell::Text(unescaped(value)));
    }
    value.parse().ok().map(Cell::Number)
}

/// What stands between two marks, as often as it does.
fn between<'a>(text: &'a str, open: &'a str, close: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(open).skip(1).filter_map(move |rest| rest.split_once(close).map(|(inner, _)| inner))
}

/// The text of a string item: the texts of its runs together.
fn text_of(item: &str) -> Cow<'_, str> {
    let mut texts = item.split("<t").skip(1).filter_map(|rest| {
        // `<t>` or `<t xml:space="preserve">`, not another element that begins with a t.
        let rest =
            rest.strip_prefix('>').or_else(|| rest.strip_prefix(' ').and_then(|rest| Some(rest.split_once('>')?.1)))?;
        rest.split_once("</t>").map(|(inner, _)| inner)
    });
    match (texts.next(), texts.next()) {
        (None, _) => Cow::Borrowed(""),
        (Some(only), None) => unescaped(only),
        (Some(first), Some(second)) => {
            [first, second].into_iter().chain(texts).map(unescaped).collect::<String>().into()
        }
    }
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

    #[test]
    fn strings_are_read_as_they_are_meant() {
        assert_eq!(text_of("<t>a&amp;lt;b</t>"), "a&lt;b");
        assert_eq!(text_of("<r><rPr><b/></rPr><t xml:space=\"preserve\">a </t></r><r><t>b</t></r>"), "a b");
        assert_eq!(text_of("<t/>"), "");
        assert_eq!(unescaped("_x005F_x0041_"), "_x0041_");
    }
}
