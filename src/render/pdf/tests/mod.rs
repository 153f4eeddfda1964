//! Pages held to their paper, texts read back, bytes that repeat.

mod themed;

use std::collections::BTreeSet;

use lopdf::content::Content;
use lopdf::{Document, Object, ObjectId};

use super::mark::Mark;
use super::*;
use crate::base::{Growth, Quantity};
use crate::render::text::{Direction, FontSet, Shaped, Weight, shape};
use crate::render::{Colour, Paper, sample_report};
use crate::report::{Block, Chart, Column, ColumnKind, Panel, Series, Slot, Table, Total, Value};

fn render(report: &Report, theme: &Theme) -> Vec<u8> {
    Pdf.render(Job { report, rows: None, theme }).unwrap().bytes
}

fn letter() -> Theme {
    Theme { paper: Paper::Letter, ..Theme::default() }
}

/// The words of each page, a line for each text that is placed anew.
fn texts(bytes: &[u8]) -> Vec<String> {
    let document = Document::load_mem(bytes).unwrap();
    document.get_pages().values().map(|page| text(&document, *page)).collect()
}

fn text(document: &Document, page: ObjectId) -> String {
    let fonts = document.get_page_fonts(page).unwrap();
    let (mut text, mut font) = (String::new(), None);
    for operation in Content::decode(&document.get_page_content(page)).unwrap().operations {
        match (operation.operator.as_str(), &operation.operands[..]) {
            ("Tf", [Object::Name(name), _]) => font = Some(fonts[name].get_font_encoding(document).unwrap()),
            ("Td" | "Tm", _) => text.push('\n'),
            ("Tj", [codes]) => font.as_ref().unwrap().write_to_string(codes.as_str().unwrap(), &mut text).unwrap(),
            ("TJ", [Object::Array(parts)]) => {
                for codes in parts.iter().filter_map(|part| part.as_str().ok()) {
                    font.as_ref().unwrap().write_to_string(codes, &mut text).unwrap();
                }
            }
            _ => {}
        }
    }
    text
}

#[test]
fn the_page_says_the_figures_the_partner_the_period_and_the_edition() {
    let report = sample_report::full(12);
    let pages = texts(&render(&report, &Theme::default()));
    for figure in ["173,682", "136,134", "113,360", "+7.74%", "78.4%", "240.0%", "−5.74%", "n/a"] {
        assert!(pages[0].contains(figure), "{figure} is not on the first page:\n{}", pages[0]);
    }
    let n = pages.len();
    let spoken = report.head.edition.0.spoken();
    for (at, page) in pages.iter().enumerate() {
        for words in [
            "Example Distribution",
            "October 2026",
            "Executive report viewer",
            "Revision 1",
            "data of 21 Nov 2026",
            &format!("Report ID {spoken}"),
            &format!("{} of {n}", at + 1),
        ] {
            assert!(page.contains(words), "{words} is not on page {}", at + 1);
        }
    }
    assert!(pages.iter().any(|page| page.contains("48,231 rows are in the workbook's Raw data sheet.")));
    // This extractor knows neither direction nor `ActualText`, which the others need.
    for name in &sample_report::ODD_NAMES[4..11] {
        assert!(pages.iter().any(|page| page.contains(name)), "{name}");
    }
}

#[test]
fn a_report_without_figures_says_so_on_every_page_and_has_no_empty_frame() {
    let pages = texts(&render(&sample_report::empty(), &Theme::default()));
    assert!(pages[0].contains("n/a"));
    for page in &pages[..4] {
        assert!(page.contains("No data for this period"), "{page}");
    }
    let bare = Report { sections: Vec::new(), ..sample_report::empty() };
    assert!(texts(&render(&bare, &Theme::default()))[0].contains("No data for this period"));
}

#[test]
fn the_same_report_makes_the_same_bytes_in_any_order_and_from_eight_threads() {
    let (full, empty, theme) = (sample_report::full(12), sample_report::empty(), Theme::default());
    let first = render(&full, &theme);
    let other = render(&empty, &theme);
    assert_ne!(first, other);
    std::thread::scope(|scope| {
        for n in 0..8 {
            let (full, empty, theme, first, other) = (&full, &empty, &theme, &first, &other);
            scope.spawn(move || {
                if n % 2 == 0 {
                    assert!(render(empty, theme) == *other);
                }
                assert!(render(full, theme) == *first);
            });
        }
    });
}

#[test]
fn the_file_names_its_title_language_and_date_and_embeds_every_font() {
    let bytes = render(&sample_report::full(12), &Theme::default());
    let document = Document::load_mem(&bytes).unwrap();
    let catalog = document.catalog().unwrap();
    assert_eq!(catalog.get(b"Lang").unwrap().as_str().unwrap(), b"en");
    assert!(catalog.get(b"Outlines").is_ok());
    let info = document.trailer.get(b"Info").unwrap().as_reference().unwrap();
    let info = document.get_dictionary(info).unwrap();
    let date = info.get(b"CreationDate").unwrap().as_str().unwrap();
    assert!(date.starts_with(b"D:20261121043000"), "{}", String::from_utf8_lossy(date));
    let fonts: BTreeSet<String> = document
        .objects
        .values()
        .filter_map(|object| object.as_dict().ok())
        .filter(|dict| {
            dict.get(b"Type").is_ok_and(|kind| matches!(kind, Object::Name(name) if name == b"FontDescriptor"))
        })
        .map(|font| {
            assert!(font.has(b"FontFile2") || font.has(b"FontFile3"), "{font:?}");
            String::from_utf8_lossy(font.get(b"FontName").unwrap().as_name().unwrap()).into_owned()
        })
        .collect();
    assert!(fonts.len() >= 9 && fonts.iter().all(|name| name.as_bytes().get(6) == Some(&b'+')), "{fonts:?}");
}

#[test]
fn the_metadata_is_xml_and_has_the_title_of_the_information_whatever_a_partner_is_called() {
    let mut report = sample_report::full(1);
    report.head.partner_name = "A\u{1}<b> & \u{fffe}Co\n\u{202e}Ltd".to_owned();
    let document = Document::load_mem(&render(&report, &Theme::default())).unwrap();
    let reference = document.catalog().unwrap().get(b"Metadata").unwrap().as_reference().unwrap();
    let xmp = String::from_utf8(document.get_object(reference).unwrap().as_stream().unwrap().content.clone()).unwrap();
    let is_of_xml = |letter: char| !letter.is_control() && letter != '\u{fffe}' || matches!(letter, '\n' | '\t' | '\r');
    assert!(xmp.chars().all(is_of_xml), "{xmp}");
    let title = format!("{} · A<b> & Co Ltd · October 2026", report.head.title);
    assert!(xmp.contains(&title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")), "{xmp}");
    let info = document.get_dictionary(document.trailer.get(b"Info").unwrap().as_reference().unwrap()).unwrap();
    assert_eq!(lopdf::decode_text_string(info.get(b"Title").unwrap()).unwrap(), title);
}

#[test]
fn no_text_beside_the_pages_is_longer_than_a_string_may_be() {
    let mut report = sample_report::full(12);
    let long = "ま".repeat(20_000);
    report.head.partner_name.clone_from(&long);
    report.head.title.clone_from(&long);
    for section in &mut report.sections {
        section.title.clone_from(&long);
        for block in &mut section.blocks {
            if let Block::Table(table) = block {
                table.caption.clone_from(&long);
            }
            if let Block::Chart(Chart::Columns(chart)) = block {
                chart.alt.clone_from(&long);
            }
        }
    }
    let document = Document::load_mem(&render(&report, &Theme::default())).unwrap();
    fn longest(object: &Object) -> usize {
        match object {
            Object::String(bytes, _) => bytes.len(),
            Object::Array(items) => items.iter().map(longest).max().unwrap_or(0),
            Object::Dictionary(dict) => dict.iter().map(|(_, value)| longest(value)).max().unwrap_or(0),
            _ => 0,
        }
    }
    let found = document.objects.values().map(longest).max().unwrap();
    assert!((8_000..=32_767).contains(&found), "{found}");
}

/// The width of a text without the blank at which its line was broken, in em.
fn seen(shaped: &Shaped) -> f32 {
    let blank = shape(" ", Weight::Regular, Direction::Ltr, &FontSet::default()).width;
    shaped.width - if shaped.text.ends_with(' ') { blank } else { 0.0 }
}

/// Left, top, right and bottom of what a mark covers; texts by their capitals.
fn bounds(mark: &Mark<'_>) -> [f32; 4] {
    match mark {
        Mark::Text { x, y, shaped, size, .. } => [*x, y - size * 0.73, x + seen(shaped) * size, *y],
        Mark::Rect { x, y, width, height, .. }
        | Mark::Picture { x, y, width, height, .. }
        | Mark::Logo { x, y, width, height, .. } => [*x, *y, x + width, y + height],
        Mark::Dot { x, y, radius, .. } => [x - radius, y - radius, x + radius, y + radius],
        Mark::Triangle { x, y, side, .. } => [*x, y - side, x + side, *y],
        Mark::Anchor { .. } | Mark::Begin(_) | Mark::End => [100.0, 100.0, 100.0, 100.0],
    }
}

/// Nothing leaves the margins, and no text touches another text or a chart.
fn check(name: &str, report: &Report, theme: &Theme) {
    let (width, height) = theme.paper.size();
    let pages = layout(report, theme);
    for (at, page) in pages.iter().enumerate() {
        let texts: Vec<&Mark<'_>> = page.marks.iter().filter(|mark| matches!(mark, Mark::Text { .. })).collect();
        let pictures = page.marks.iter().filter(|mark| matches!(mark, Mark::Picture { .. } | Mark::Logo { .. }));
        for mark in &page.marks {
            let [left, top, right, bottom] = bounds(mark);
            let is_inside = left >= 39.5 && right <= width - 39.5 && top >= 20.0 && bottom <= height - 20.0;
            assert!(is_inside, "{name}, page {}: {mark:?} leaves the page", at + 1);
        }
        for (n, one) in texts.iter().enumerate() {
            for other in texts[..n].iter().copied().chain(pictures.clone()) {
                let ([l, t, r, b], [left, top, right, bottom]) = (bounds(one), bounds(other));
                let apart = l + 0.3 >= right || left + 0.3 >= r || t + 0.3 >= bottom || top + 0.3 >= b;
                assert!(apart, "{name}, page {}:\n{one:?}\n{other:?}", at + 1);
            }
        }
    }
    let bytes = render(report, theme);
    assert!(bytes.starts_with(b"%PDF-"), "{name}");
    if let Some(folder) = std::env::var_os("DUMP") {
        std::fs::write(std::path::Path::new(&folder).join(format!("{name}-{:?}.pdf", theme.paper)), &bytes).unwrap();
    }
}

#[test]
fn nothing_overlaps_or_leaves_the_page_on_good_days_and_bad_ones() {
    for theme in [Theme::default(), letter()] {
        check("full", &sample_report::full(12), &theme);
        check("one month", &sample_report::full(1), &theme);
        check("five years", &sample_report::full(60), &theme);
        check("empty", &sample_report::empty(), &theme);
        check("hostile", &hostile(), &theme);
    }
}

/// Everything too long, too many, too large or missing.
fn hostile() -> Report {
    let mut report = sample_report::full(13);
    let long = sample_report::long_name();
    let word = "Ungebrochenes".repeat(40);
    report.head.partner_name = long.clone();
    report.head.role = long.clone();
    report.head.scope = word.clone();
    report.head.title = long.clone();
    report.head.preliminary = Some(word.clone());
    report.head.revision = u32::MAX;
    let huge = Some(Quantity::from_millionths(i64::MAX));
    for section in &mut report.sections {
        section.title = word.clone();
        section.lead = long.repeat(30);
        for block in &mut section.blocks {
            distort(block, &word, huge);
        }
    }
    let sections = &mut report.sections;
    sections[0].blocks.push(Block::Table(wide_table(&word, huge)));
    sections[0].blocks.push(Block::Kpis(Vec::new()));
    let panel = |n_rows: usize| Panel {
        title: word.clone(),
        slot: Some(Slot::Product(200)),
        note: long.clone(),
        blocks: vec![Block::Table(long_table(n_rows)), Block::Text(String::new()), Block::Heading(long.clone())],
        footnote: word.clone(),
    };
    let panels = vec![panel(3), panel(200), panel(0)];
    sections[3].blocks.push(Block::Panels { columns: 0, panels: panels.clone() });
    sections[3].blocks.push(Block::Panels { columns: 9, panels });
    report
}

fn distort(block: &mut Block, word: &str, huge: Option<Quantity>) {
    match block {
        Block::Kpis(kpis) => {
            kpis.extend(kpis.clone());
            for kpi in kpis {
                kpi.current = huge;
                kpi.label = word.to_owned();
                kpi.growth_note = word.to_owned();
                kpi.growth = Growth::between(Some(Quantity::from_millionths(1)), huge);
                kpi.trend.fill(huge);
                kpi.trend_current = Some(99);
            }
        }
        Block::Cards(cards) => {
            cards.extend(cards.clone());
            cards.iter_mut().for_each(|card| card.label = word.to_owned());
        }
        Block::Table(table) => {
            table.rows.iter_mut().for_each(|row| row.truncate(row.len() - 1));
            table.rows[0][1] = Value::Quantity(huge);
            table.columns[1].label = word.to_owned();
        }
        Block::Chart(Chart::Columns(chart)) => {
            chart.above.iter_mut().for_each(|series| series.values.truncate(5));
            chart.above[0].values[0] = huge;
            chart.above.extend((0..40).map(|n| Series {
                name: format!("{word}{n}"),
                slot: Slot::Others,
                values: vec![None; 99],
            }));
        }
        Block::Chart(Chart::Donut(chart)) => {
            chart.centre = huge.unwrap();
            chart.slices.iter_mut().for_each(|slice| slice.name = word.to_owned());
        }
        _ => {}
    }
}

fn wide_table(word: &str, huge: Option<Quantity>) -> Table {
    let kinds = [ColumnKind::Text, ColumnKind::QuantityBar, ColumnKind::Usd, ColumnKind::Growth, ColumnKind::Trend];
    let columns = (0..20).map(|n| Column::new(&format!("{word} {n}"), kinds[n % 5])).collect();
    let values = [
        Value::Text(word.to_owned()),
        Value::Quantity(huge),
        Value::Usd(huge),
        Value::Growth(Growth::between(Some(Quantity::from_millionths(1)), huge)),
        Value::Trend(vec![huge, None, huge]),
    ];
    let row: Vec<Value> = (0..20).map(|n| values[n % 5].clone()).collect();
    Table {
        key: "wide".to_owned(),
        caption: String::new(),
        columns,
        rows: vec![row.clone(), row],
        total: Some(Total { cells: Vec::new(), is_sum: false }),
        note: word.to_owned(),
    }
}

fn long_table(n_rows: usize) -> Table {
    let row = |n: usize| vec![Value::Text(format!("Row {n}")), Value::Quantity(Some(Quantity::whole(n as i64)))];
    Table {
        key: "long".to_owned(),
        caption: String::new(),
        columns: vec![Column::new("Name", ColumnKind::Text), Column::new("Licenses", ColumnKind::Quantity)],
        rows: (0..n_rows).map(row).collect(),
        total: None,
        note: String::new(),
    }
}

#[test]
fn a_table_that_breaks_repeats_its_head_and_keeps_every_row() {
    let report = sample_report::full(12);
    let pages = texts(&render(&report, &Theme::default()));
    let with_head: Vec<&String> = pages.iter().filter(|page| page.contains("Country/region")).collect();
    assert_eq!(with_head.len(), 3, "below the map, a page of its own, and the rest");
    let rows = with_head.iter().flat_map(|page| page.lines()).filter(|line| line.starts_with("Country "));
    assert_eq!(rows.count(), 60 - 8 - 14);
    assert!(with_head[2].contains("All countries/regions"));
}

#[test]
fn a_total_stands_below_two_rows_at_least_wherever_its_table_breaks() {
    let theme = Theme::default();
    let mut report = sample_report::full(12);
    report.sections.truncate(1);
    for n_rows in 20..90 {
        let total = Total { cells: vec![Value::Text("All rows".to_owned())], is_sum: false };
        let table = Table { total: Some(total), ..long_table(n_rows) };
        report.sections[0].blocks = vec![Block::Table(table)];
        let pages = layout(&report, &theme);
        let n_with = |page: &Page<'_>, words: &str| {
            let texts = page
                .marks
                .iter()
                .filter_map(|mark| if let Mark::Text { shaped, .. } = mark { Some(shaped) } else { None });
            texts.filter(|shaped| shaped.text.starts_with(words)).count()
        };
        let last = pages.iter().find(|page| n_with(page, "All rows") > 0).unwrap();
        assert!(n_with(last, "Row ") >= 2, "of {n_rows} rows one is alone with the total");
        assert_eq!(pages.iter().map(|page| n_with(page, "Row ")).sum::<usize>(), n_rows);
    }
}
