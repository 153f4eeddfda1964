//! The whole workbook, read back as another program would.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use calamine::{Data, DataType, Range, Reader, Xlsx as Book, open_workbook_from_rs};

use super::raw::Bounds;
use super::{Xlsx, bounded, sample};
use crate::base::Quantity;
use crate::render::{Job, Renderer, Theme};
use crate::report::{Block, Chart, Report, SectionKind, Slot, Value};

/// The sample, rendered.
fn rendered(n_rows: u64) -> Vec<u8> {
    render(&sample::report(n_rows), n_rows)
}

fn render(report: &Report, n_rows: u64) -> Vec<u8> {
    let (rows, theme) = (sample::rows(n_rows), Theme::default());
    Xlsx.render(Job { report, rows: Some(&rows), theme: &theme }).unwrap().bytes
}

fn render_within(job: Job<'_>, bounds: Bounds) -> Vec<u8> {
    bounded(job, bounds, Cursor::new(Vec::new())).unwrap().into_inner()
}

fn book(bytes: &[u8]) -> Book<Cursor<&[u8]>> {
    open_workbook_from_rs(Cursor::new(bytes)).unwrap()
}

fn cells(bytes: &[u8], sheet: &str) -> Range<Data> {
    book(bytes).worksheet_range(sheet).unwrap()
}

/// The cells of the row that begins with a text.
fn row(range: &Range<Data>, first: &str) -> Vec<Data> {
    let found = range.rows().find(|row| row.iter().find(|cell| !cell.is_empty()).is_some_and(|cell| *cell == first));
    found.unwrap_or_else(|| panic!("no row begins with {first}")).to_vec()
}

/// Every part of a workbook as text.
pub(super) fn parts(bytes: &[u8]) -> BTreeMap<String, String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    names
        .into_iter()
        .map(|name| {
            let mut text = String::new();
            archive.by_name(&name).unwrap().read_to_string(&mut text).unwrap();
            (name, text)
        })
        .collect()
}

/// What stands between two marks, as often as it does.
fn between<'a>(text: &'a str, open: &str, close: &str) -> Vec<&'a str> {
    text.split(open).skip(1).filter_map(|rest| rest.split_once(close).map(|(inner, _)| inner)).collect()
}

#[test]
fn there_is_a_sheet_a_section_with_names_for_people() {
    let bytes = rendered(3);
    let names = ["Summary", "Geography", "License adds", "Distribution", "Raw data", "About", "Lists"];
    assert_eq!(book(&bytes).sheet_names(), names);
    assert!(parts(&bytes)["xl/workbook.xml"].contains(r#"name="Lists" sheetId="7" state="hidden""#));
}

#[test]
fn kpis_are_numbers_beside_their_labels() {
    let range = cells(&rendered(3), "Summary");
    let kpi = row(&range, "Licenses deployed");
    let numbers: Vec<f64> = kpi.iter().filter_map(DataType::get_float).collect();
    assert_eq!(numbers[0], 136_134.0);
    assert!((numbers[1] - 0.103_67).abs() < 0.000_01, "{numbers:?}");
    assert_eq!(range.rows().flatten().filter(|cell| **cell == "since Nov 2025").count(), 3);
}

#[test]
fn a_map_takes_no_room_and_leaves_nothing_behind() {
    let mut report = sample::report(3);
    let with = render(&report, 3);
    let n_blocks = |report: &Report| report.sections.iter().map(|section| section.blocks.len()).sum::<usize>();
    let n = n_blocks(&report);
    for section in &mut report.sections {
        section.blocks.retain(|block| !matches!(block, Block::Chart(Chart::Map(_))));
    }
    assert_eq!(n_blocks(&report), n - 1, "the sample has a map");
    assert!(with == render(&report, 3));
}

#[test]
fn figures_keep_their_decimals_and_what_is_absent_reads_n_a() {
    let range = cells(&rendered(3), "Summary");
    let power_bi = row(&range, "Power BI");
    assert!(power_bi.contains(&Data::Float(6962.0)));
    assert_eq!(power_bi.iter().filter(|cell| **cell == "n/a").count(), 2, "growth and deployed: {power_bi:?}");
    assert!(row(&range, "Dynamics 365").contains(&Data::Float(4696.5)));
    assert!(row(&range, "<r>Fabric</r>").contains(&Data::String("▲ new".to_owned())));
    assert!(row(&range, "Usage").contains(&Data::String("n/a".to_owned())));
}

#[test]
fn hostile_texts_stay_the_texts_they_are() {
    let bytes = rendered(12);
    for (sheet, text) in [
        ("Geography", "=SUM(A1)"),
        ("Geography", "<r>x</r>"),
        ("Geography", "المملكة العربية السعودية"),
        ("Raw data", "=cmd()"),
        ("Raw data", "365"),
        ("Raw data", "<r>x</r>"),
        ("License adds", "<r>Fabric</r>, removed"),
    ] {
        let range = cells(&bytes, sheet);
        assert!(range.rows().flatten().any(|cell| *cell == Data::String(text.to_owned())), "{text}");
    }
}

#[test]
fn totals_are_formulas_with_their_result_where_they_are_sums() {
    let bytes = rendered(3);
    let total = row(&cells(&bytes, "Geography"), "All countries/regions");
    assert!(total.contains(&Data::Float(20_000.0)) && total.contains(&Data::Float(13_650.0)));
    assert!(total.contains(&Data::Float(74_074.068)));
    let formulas = book(&bytes).worksheet_formula("Geography").unwrap();
    let formulas: Vec<&String> = formulas.rows().flatten().filter(|formula| !formula.is_empty()).collect();
    assert_eq!(formulas.len(), 3, "the share is no sum: {formulas:?}");
    assert!(formulas.iter().any(|formula| *formula == "SUBTOTAL(109,countries[Revenue '[USD'] '#1])"), "{formulas:?}");
}

#[test]
fn a_total_that_is_not_the_sum_is_a_plain_number() {
    let mut report = sample::report(0);
    for block in report.sections.iter_mut().flat_map(|section| &mut section.blocks) {
        if let Block::Table(table) = block
            && let Some(total) = &mut table.total
        {
            total.cells[1] = Value::Quantity(Some("19999".parse().unwrap()));
        }
    }
    let bytes = render(&report, 0);
    assert!(row(&cells(&bytes, "Geography"), "All countries/regions").contains(&Data::Float(19_999.0)));
    let formulas = book(&bytes).worksheet_formula("Geography").unwrap();
    assert!(!formulas.rows().flatten().any(|formula| formula.contains("Current licenses")));
}

#[test]
fn every_table_has_its_own_name_and_the_headings_of_its_cells() {
    let bytes = rendered(3);
    let parts = parts(&bytes);
    let tables: Vec<&String> =
        parts.iter().filter(|(name, _)| name.starts_with("xl/tables/")).map(|(_, text)| text).collect();
    let mut names: Vec<&str> = tables.iter().map(|table| between(table, " name=\"", "\"")[0]).collect();
    let n = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!((names.len(), n), (9, 9), "an empty table is none: {names:?}");
    let countries = tables.iter().find(|table| table.contains("name=\"countries\"")).unwrap();
    assert!(countries.contains("<autoFilter"), "{countries}");
    let headings: Vec<&str> = between(countries, "<tableColumn ", ">");
    let range = cells(&bytes, "Geography");
    let shown: Vec<String> = row(&range, "Country/region").iter().filter_map(DataType::as_string).collect();
    assert_eq!(shown.iter().filter(|heading| !heading.is_empty()).count(), 5);
    assert!(shown.iter().zip(&headings).all(|(shown, heading)| heading.contains(&format!("name=\"{shown}\""))));
}

/// A reference like `'License adds'!$C$19:$C$30` as sheet, rows and columns from 0.
fn corners(reference: &str) -> (String, [(u32, u32); 2]) {
    let (sheet, area) = reference.split_once('!').unwrap();
    let corner = |cell: &str| {
        let cell = cell.replace('$', "");
        let letters = cell.bytes().take_while(u8::is_ascii_alphabetic).count();
        let column = cell[..letters].bytes().fold(0, |sum, letter| sum * 26 + u32::from(letter - b'A') + 1) - 1;
        (cell[letters..].parse::<u32>().unwrap() - 1, column)
    };
    let (from, to) = area.split_once(':').unwrap_or((area, area));
    (sheet.trim_matches('\'').to_owned(), [corner(from), corner(to)])
}

#[test]
fn charts_hold_the_points_of_their_cells() {
    let bytes = rendered(3);
    let mut n_points = 0;
    for (name, text) in parts(&bytes).iter().filter(|(name, _)| name.starts_with("xl/charts/chart")) {
        assert_eq!(
            between(text, "<c:numRef>", "</c:numRef>").len(),
            between(text, "<c:numCache>", "</c:numCache>").len()
        );
        for numbers in between(text, "<c:numRef>", "</c:numRef>") {
            let (sheet, [from, to]) = corners(between(numbers, "<c:f>", "</c:f>")[0]);
            let range = cells(&bytes, &sheet);
            let places = (from.0..=to.0).flat_map(|row| (from.1..=to.1).map(move |column| (row, column)));
            for (n, place) in places.enumerate() {
                let cell = range.get_value(place).unwrap();
                let point = between(numbers, &format!("<c:pt idx=\"{n}\"><c:v>"), "</c:v>")
                    .first()
                    .map(|v| v.parse::<f64>().unwrap());
                let number = match cell {
                    Data::DateTime(date) => Some(date.as_f64()),
                    cell => cell.get_float(),
                };
                assert_eq!(point, number, "{name} {sheet} {place:?}");
                n_points += usize::from(point.is_some());
            }
        }
    }
    // Each series has its values and its months: three micro charts without months, the stack of ten with one
    // gap, a panel, a panel with the gap, and five slices whose names are texts.
    assert_eq!(n_points, 3 * 12 + (10 * 24 - 1) + 2 * 24 + (2 * 24 - 1) + 5);
}

#[test]
fn sparklines_look_their_row_up_so_that_they_follow_it() {
    let bytes = rendered(3);
    let formulas = book(&bytes).worksheet_formula("Summary").unwrap();
    let formulas: Vec<&String> = formulas.rows().flatten().filter(|formula| formula.starts_with("MATCH(")).collect();
    assert_eq!(formulas.len(), 5);
    let skus = book(&bytes).worksheet_formula("Distribution").unwrap();
    let skus: Vec<&String> = skus.rows().flatten().filter(|formula| formula.starts_with("MATCH(")).collect();
    assert_eq!(skus.len(), 3, "two locations share a name without case, so only the SKUs are looked up");
    assert!(skus.iter().all(|formula| formula.contains("SUBSTITUTE")), "a wildcard in a name is escaped: {skus:?}");
    let summary = &parts(&bytes)["xl/worksheets/sheet1.xml"];
    assert_eq!(between(summary, "<x14:sparkline>", "</x14:sparkline>").len(), 6);
    assert_eq!(
        between(summary, "<x14:sparklineGroup ", ">")
            .iter()
            .filter(|group| group.contains("displayHidden=\"1\""))
            .count(),
        6
    );
}

#[test]
fn the_same_job_gives_the_same_bytes_even_eight_at_once() {
    let first = rendered(200);
    assert_eq!(first, rendered(200));
    let same = std::thread::scope(|scope| {
        let renders: Vec<_> = (0..8).map(|_| scope.spawn(|| rendered(200))).collect();
        renders.into_iter().all(|render| render.join().unwrap() == first)
    });
    assert!(same);
}

#[test]
fn the_file_is_as_old_as_its_data_and_says_whose_it_is() {
    let parts = parts(&rendered(3));
    let core = &parts["docProps/core.xml"];
    assert_eq!(between(core, "W3CDTF\">", "<"), ["2026-11-21T06:00:00Z"; 2]);
    assert!(core.contains("Example &amp; Söhne Distribution · Product licenses · October 2026"), "{core}");
    let summary = &parts["xl/worksheets/sheet1.xml"];
    assert!(summary.contains("Example &amp;&amp; Söhne Distribution · Product licenses · October 2026"), "the header");
    assert!(summary.contains("fitToHeight=\"0\"") && summary.contains("&amp;P of &amp;N"));
    assert!(summary.contains("location=\"'License adds'!A1\""));
}

#[test]
fn raw_rows_go_on_over_several_sheets_in_memory_and_out_of_it() {
    let (report, rows, theme) = (sample::report(25), sample::rows(25), Theme::default());
    for rows_in_memory_max in [0, 100] {
        let bounds = Bounds { rows_a_sheet_max: 10, rows_in_memory_max };
        let bytes = render_within(Job { report: &report, rows: Some(&rows), theme: &theme }, bounds);
        for (sheet, n, spoken) in [
            ("Raw data", 10, "Rows 1 to 10 of 25; a sheet holds no more"),
            ("Raw data 2", 10, "Rows 11 to 20 of 25; a sheet holds no more"),
            ("Raw data 3", 5, "Rows 21 to 25 of 25; a sheet holds no more"),
        ] {
            let range = cells(&bytes, sheet);
            assert!(range.rows().flatten().any(|cell| *cell == spoken), "{sheet}");
            let rows = range.rows().skip_while(|row| !row.iter().any(|cell| *cell == "Month")).skip(1);
            let rows: Vec<&[Data]> = rows.collect();
            assert_eq!(rows.len(), n, "{sheet}");
            assert!(rows[0][0].is_datetime(), "{:?}", rows[0]);
            if sheet == "Raw data" {
                assert_eq!(
                    (&rows[1][3], &rows[2][3]),
                    (&Data::from("=cmd()".to_owned()), &Data::from("<r>x</r>".to_owned()))
                );
                assert_eq!((&rows[0][9], &rows[0][10]), (&Data::Float(0.469), &Data::from("n/a".to_owned())));
            }
        }
        assert_eq!(bytes, render_within(Job { report: &report, rows: Some(&rows), theme: &theme }, bounds));
    }
}

#[test]
fn rows_that_break_their_promise_are_refused() {
    let (report, theme) = (sample::report(25), Theme::default());
    let rows = sample::rows(0);
    assert!(Xlsx.render(Job { report: &report, rows: None, theme: &theme }).is_err());
    assert!(
        Xlsx.render(Job { report: &report, rows: Some(&rows), theme: &theme }).is_ok(),
        "the rows say how many they are"
    );
}

#[test]
fn a_report_of_nothing_is_a_workbook_too() {
    let mut report = sample::report(0);
    for section in &mut report.sections {
        if section.kind != SectionKind::RawData {
            section.blocks.clear();
        }
    }
    report.head.preliminary = Some("Preliminary: October 2026 is not complete".to_owned());
    let bytes = render(&report, 0);
    assert_eq!(book(&bytes).sheet_names().len(), 6);
    assert!(cells(&bytes, "Raw data").rows().flatten().any(|cell| *cell == "No rows"));
    assert!(cells(&bytes, "About").rows().flatten().any(|cell| *cell == "Preliminary: October 2026 is not complete"));
}

#[test]
fn key_figures_are_sums_of_the_table_below_where_it_has_them() {
    let mut report = sample::report(0);
    let Some(Block::Kpis(kpis)) = report.sections[0].blocks.first_mut() else { panic!("key figures come first") };
    kpis[0].current = Some(Quantity::whole(174_682));
    let bytes = render(&report, 0);
    assert!(row(&cells(&bytes, "Summary"), "Licenses").contains(&Data::Float(174_682.0)));
    let formulas = book(&bytes).worksheet_formula("Summary").unwrap();
    let sums: Vec<&String> = formulas.rows().flatten().filter(|formula| formula.starts_with("SUM(")).collect();
    assert_eq!(sums, ["SUM(table_by_product[Licenses])"], "the others differ from the table's totals");
}

#[test]
fn the_file_says_that_its_sheets_tie_with_the_data() {
    let bytes = rendered(3);
    let range = cells(&bytes, "About");
    assert!(range.rows().flatten().any(|cell| *cell == "ok: the sheets' totals tie with the data set's"));
    let licenses = row(&range, "Geography");
    assert!(
        licenses.contains(&Data::from("Current licenses (includes unassigned) by country/region".to_owned())),
        "{licenses:?}"
    );
    assert_eq!(
        licenses.iter().filter(|cell| **cell == Data::Float(20_000.0)).count(),
        2,
        "on the sheet and in the data"
    );
    let formulas = book(&bytes).worksheet_formula("About").unwrap();
    let formulas: Vec<&String> = formulas.rows().flatten().filter(|formula| !formula.is_empty()).collect();
    assert!(formulas.iter().any(|formula| *formula == "SUM(countries[Revenue '[USD'] '#1])"), "{formulas:?}");
    assert!(formulas[0].starts_with("IF(COUNTIF("), "{formulas:?}");
}

#[test]
fn a_total_that_parts_overlap_in_is_not_said_to_tie() {
    let mut report = sample::report(0);
    for block in report.sections.iter_mut().flat_map(|section| &mut section.blocks) {
        if let Block::Table(table) = block
            && let Some(total) = &mut table.total
        {
            total.is_sum = false;
        }
    }
    let bytes = render(&report, 0);
    assert!(!cells(&bytes, "About").rows().flatten().any(|cell| *cell == "ok"));
}

#[test]
fn series_of_one_grey_are_one_in_a_chart_and_its_figures() {
    let mut report = sample::report(0);
    let blocks =
        &mut report.sections.iter_mut().find(|section| section.kind == SectionKind::LicenseAdds).unwrap().blocks;
    let Some(Block::Chart(Chart::Columns(columns))) = blocks.first_mut() else { panic!("the chart comes first") };
    let names: Vec<String> = columns.above.iter().map(|series| series.name.clone()).collect();
    let sum: Quantity = columns.above[3..].iter().filter_map(|series| series.values[0]).sum();
    columns.above[3..].iter_mut().chain(&mut columns.below[3..]).for_each(|series| series.slot = Slot::Others);
    let bytes = render(&report, 0);
    let range = cells(&bytes, "License adds");
    let headings = row(&range, "Month");
    let at = headings.iter().position(|cell| *cell == "Others").unwrap();
    assert!(
        headings.iter().any(|cell| *cell == names[2].as_str())
            && !headings.iter().any(|cell| *cell == names[3].as_str())
    );
    let first = range.rows().skip_while(|row| !row.contains(&headings[at])).nth(1).unwrap();
    assert_eq!(first[at], Data::Float(sum.to_f64()));
}

#[test]
fn a_column_that_is_called_as_the_table_of_raw_rows_keeps_its_table_where_it_is() {
    let mut report = sample::report(3);
    for block in report.sections.iter_mut().flat_map(|section| &mut section.blocks) {
        if let Block::Table(table) = block {
            table.columns[0].label = "table_raw_data".to_owned();
        }
    }
    let bytes = render(&report, 3);
    let tables = parts(&bytes).into_iter().filter(|(name, _)| name.starts_with("xl/tables/"));
    let ranges: Vec<String> = tables.map(|(_, text)| between(&text, " ref=\"", "\"")[0].to_owned()).collect();
    let unique: std::collections::BTreeSet<&String> = ranges.iter().collect();
    assert_eq!(unique.len(), ranges.len(), "{ranges:?}");
}
