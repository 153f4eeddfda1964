//! What is another's, planted in a report in every place that a report has: the gate finds it in each format.

use std::io::{Cursor, Read};

use pressrun::audience::Scope;
use pressrun::gate::{self, BookWriter, Eyes, Kind, Own, Search};
use pressrun::render::{Artifact, Format, Job};
use pressrun::report::{Cell, Rows, RowsBuffer};

use crate::days::{self, Data, Day, hostile};
use crate::sheets;

/// A customer of another partner.
const NAME: &str = "Zimmerli & Töchter Handels GmbH";
const TENANT: &str = "5eca11ed-0000-4000-8000-00000000abcd";
const OTHER: &str = "7654321";

fn small() -> Day {
    days::day("small", Data { n_months: 3, n_products: 3, n_markets: 5, n_skus: 2, ..Data::default() })
}

/// A search in the files of a day for these customers of another partner, and for the columns that nobody may see.
fn search(day: &Day, customers: &[&str], without_columns: &[&str]) -> Search {
    let mut book = BookWriter::default();
    let partner = &day.report.head.partner_name;
    book.partner(&day.report.head.partner_id, Some(partner)).unwrap();
    book.partner(OTHER, Some("Zimmerli Holding")).unwrap();
    customers.iter().for_each(|name| book.customer(OTHER, None, Some(TENANT), Some(name)).unwrap());
    let eyes = Eyes {
        partner_id: day.report.head.partner_id.clone(),
        scope: Scope::Organization,
        names: vec![partner.clone()],
        customer_names: true,
        customer_ids: true,
        without_columns: without_columns.iter().map(|column| (*column).to_owned()).collect(),
    };
    let products = day.report.head.products.iter().map(|product| product.name.as_str());
    Search::new(&book.finish().unwrap(), eyes, Own::default().with(products))
}

fn files(day: &Day) -> [(Kind, Vec<u8>); 2] {
    let report = day.of_kept_rows();
    let job = Job { report: &report, rows: Some(&day.rows), theme: &day.theme };
    let bytes = |format| Artifact::of(job, format).unwrap().bytes.to_vec();
    [(Kind::Xlsx, bytes(Format::Xlsx)), (Kind::Pdf, bytes(Format::Pdf))]
}

/// What the gate says of a file; empty when it may leave.
fn said(day: &Day, (kind, bytes): (Kind, &[u8]), search: &Search) -> String {
    gate::inspect(&day.of_kept_rows(), kind, bytes, search).err().map_or(String::new(), |error| error.to_string())
}

/// Whether a text stands in a part of a workbook, as a program that knows nothing of workbooks sees it.
fn stands_in(bytes: &[u8], text: &str) -> bool {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..archive.len()).any(|index| {
        let mut part = Vec::new();
        archive.by_index(index).unwrap().read_to_end(&mut part).unwrap();
        String::from_utf8_lossy(&part).contains(text)
    })
}

#[test]
fn a_report_of_its_own_passes_in_each_format() {
    let day = small();
    let search = search(&day, &[NAME], &[]);
    for (kind, bytes) in files(&day) {
        assert_eq!(said(&day, (kind, &bytes), &search), "");
    }
}

#[test]
fn a_name_is_found_wherever_a_report_has_a_text() {
    let (own, mut day) = (small(), small());
    let names: Vec<String> =
        (0..hostile::texts(&mut day.report).len()).map(|n| format!("Zimmerli Handel {n} GmbH")).collect();
    for (n, (_, text)) in hostile::texts(&mut day.report).into_iter().enumerate() {
        *text = format!("{text} {}", names[n]);
    }
    let [(_, workbook), (_, pdf)] = files(&day);
    let (mut n_workbook, mut n_pdf) = (0, 0);
    // Some of each kind: a file is read back once for each of them.
    let some: Vec<&String> = names.iter().step_by(9).collect();
    for name in &some {
        let search = search(&own, &[name.as_str()], &[]);
        let sentence = format!("expected nothing of partner `{OTHER}`, found the name of its customer");
        let in_workbook = said(&day, (Kind::Xlsx, &workbook), &search);
        assert_eq!(in_workbook.contains(&sentence), stands_in(&workbook, name), "{name}: {in_workbook}");
        let in_pdf = said(&day, (Kind::Pdf, &pdf), &search);
        assert!(!in_pdf.contains("Zimmerli") && !in_workbook.contains("Zimmerli"), "{in_workbook}; {in_pdf}");
        n_workbook += usize::from(in_workbook.contains(&sentence));
        n_pdf += usize::from(in_pdf.contains(&sentence));
    }
    // The others are shortened there, chosen by a formula, or stand in the other format only.
    assert!(n_workbook * 2 > some.len() && n_pdf * 2 > some.len(), "{n_workbook} and {n_pdf} of {}", some.len());
}

/// The same day with rows in which another's customer stands under these headings.
fn with_rows(day: &Day, plant: &dyn Fn(&str) -> Option<&'static str>) -> Day {
    let columns = day.rows.columns().to_vec();
    let mut rows = RowsBuffer::new(columns.clone());
    let all = day.rows.replay(&mut |row| {
        let is_last = rows.n_rows() + 1 == day.rows.n_rows();
        let cells = row.iter().zip(&columns).map(|(cell, column)| match plant(&column.key) {
            Some(text) if is_last => Cell::Text(text),
            _ => *cell,
        });
        rows.push(&cells.collect::<Vec<_>>());
        Ok(())
    });
    all.unwrap();
    Day { rows, report: day.report.clone(), theme: day.theme.clone(), ..*day }
}

#[test]
fn a_row_of_another_partner_is_found_by_name_and_by_id_and_so_is_one_who_is_called_like_a_word() {
    let day = small();
    let search = search(&day, &[NAME, "Open", "3M"], &[]);
    let cell = |key: &'static str, text: &'static str| {
        let planted = with_rows(&day, &move |is| (is == key).then_some(text));
        let [(kind, bytes), _] = files(&planted);
        said(&planted, (kind, &bytes), &search)
    };
    for (key, text, sign) in [
        ("customer_name", NAME, "name of its customer"),
        ("customer_id", TENANT, "id of its customer"),
        ("location_id", OTHER, "id"),
        ("customer_name", "Open", "name of its customer"),
        ("customer_name", "3M", "name of its customer"),
        ("sku", "for Zimmerli Holding only", "name"),
    ] {
        let said = cell(key, text);
        let wanted = format!("the workbook: expected nothing of partner `{OTHER}`, found the {sign} in `");
        assert!(said.starts_with(&wanted) && said.ends_with("` of `xl/worksheets/sheet5.xml`"), "{text}: {said}");
    }
    assert_eq!(cell("customer_name", "Opening Ltd"), "");
}

#[test]
fn a_name_is_found_in_every_part_of_a_workbook() {
    let day = small();
    let search = search(&day, &[NAME], &[]);
    let [(kind, bytes), _] = files(&day);
    let mut archive = zip::ZipArchive::new(Cursor::new(&bytes)).unwrap();
    let escaped = NAME.replace('&', "&amp;");
    let mut n_parts = 0;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let name = entry.name().unwrap().into_owned();
        let mut part = String::new();
        entry.read_to_string(&mut part).unwrap();
        let root = part.split("?>").nth(1).unwrap().trim_start().split([' ', '>']).next().unwrap().to_owned();
        for planted in [format!("{root} x=\"{escaped}\""), format!("<!-- {NAME} -->{root}")] {
            // What stands beside the texts of the shared strings is no cell's.
            if name == "xl/sharedStrings.xml" {
                continue;
            }
            let bytes = sheets::tampered(&bytes, &name, &root, &planted);
            let said = said(&day, (kind, &bytes), &search);
            assert!(said.ends_with(&format!("found the name of its customer in `{name}`")), "{name}: {said}");
        }
        n_parts += 1;
    }
    assert!(n_parts > 20, "{n_parts}");
    let inline = (
        "<sheetData>",
        format!("<sheetData><row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>{escaped}</t></is></c></row>"),
    );
    let formula =
        ("<sheetData>", format!("<sheetData><row r=\"1\"><c r=\"A1\"><f>\"{escaped}\"</f><v>1</v></c></row>"));
    for (from, to) in [inline, formula] {
        let bytes = sheets::tampered(&bytes, "xl/worksheets/sheet5.xml", from, &to);
        let said = said(&day, (kind, &bytes), &search);
        assert!(said.ends_with("in `A1` of `xl/worksheets/sheet5.xml`"), "{said}");
    }
}

#[test]
fn a_column_that_the_role_may_not_see_is_found_by_its_heading_in_each_format() {
    let day = small();
    let search = search(&day, &[], &["Revenue (USD)", "Billed revenue (USD)"]);
    for (kind, bytes) in files(&day) {
        let said = said(&day, (kind, &bytes), &search);
        assert!(said.contains("expected no column `Revenue (USD)`, which the role may not see"), "{said}");
    }
}
