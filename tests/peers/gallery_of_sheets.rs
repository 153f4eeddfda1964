//! Each day's workbook sheet by sheet, as LibreOffice prints it: a PDF, and with `cargo xtask gallery` a picture of every
//! page beside those of the PDF.

use std::path::Path;

use pressrun::report::{Block, Cell, Report, Rows, RowsBuffer, RowsError};

use crate::days::{self, Day};
use crate::office::Office;
use crate::pdf::pdftotext;
use crate::peer;
use crate::sheets::book::Book;

/// Dots an inch of the pictures.
const DPI: &str = "70";
/// As many raw rows are printed: a page of them shows how all look.
const ROWS_PRINTED: u64 = 40;

/// The workbook with its first raw rows only.
fn short_workbook(day: &Day) -> Vec<u8> {
    let mut rows = RowsBuffer::new(day.rows.columns().to_vec());
    let _ended = day.rows.replay(&mut |row: &[Cell<'_>]| {
        rows.push(row);
        if rows.n_rows() < ROWS_PRINTED { Ok(()) } else { Err(RowsError("enough".to_owned())) }
    });
    let mut report: Report = day.report.clone();
    for block in report.sections.iter_mut().flat_map(|section| &mut section.blocks) {
        if let Block::RawRows { n_rows, .. } = block {
            *n_rows = rows.n_rows();
        }
    }
    days::workbook(&report, &rows, &day.theme)
}

/// Prints a day's workbook and says what of it is not on paper.
fn print(office: &mut Office, day: &Day, folder: &Path) -> Vec<String> {
    let bytes = short_workbook(day);
    let stem = folder.join(format!("{}-workbook", day.name));
    let (file, paper) = (stem.with_extension("xlsx"), stem.with_extension("pdf"));
    std::fs::write(&file, &bytes).unwrap();
    office.open(&file).unwrap();
    office.pdf(&paper);
    let text = pdftotext(&paper).unwrap();
    let book = Book::read(&bytes).unwrap();
    let shown: Vec<_> = book.sheets.iter().filter(|sheet| !sheet.is_hidden).collect();
    // Each sheet's title is its section's, and stands in the header of each of its pages, too.
    let titles = day.report.sections.iter().map(|section| section.title.as_str());
    let missing =
        titles.filter(|title| !text.contains(title)).map(|title| format!("{}: no page of `{title}`", day.name));
    let mut found: Vec<String> = missing.collect();
    if text.matches('\u{c}').count() < shown.len() {
        found.push(format!("{}: fewer pages than its {} sheets", day.name, shown.len()));
    }
    found
}

#[test]
fn every_sheet_of_each_day_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let gallery = std::env::var_os("PRESSRUN_GALLERY");
    let to = gallery.as_ref().map_or(folder.path(), Path::new);
    std::fs::create_dir_all(to).unwrap();
    let mut office = Office::start();
    let days = days::wanted();
    let found: Vec<String> = days.iter().flat_map(|day| print(&mut office, day, to)).collect();
    assert!(found.is_empty(), "{found:#?}");
    for day in days.iter().filter(|_| gallery.is_some()) {
        let stem = to.join(format!("{}-workbook", day.name));
        let paper = stem.with_extension("pdf");
        let output = peer::run(
            "pdftoppm",
            ["-r", DPI, "-png"].map(AsRef::as_ref).into_iter().chain([paper.as_os_str(), stem.as_os_str()]),
        );
        assert!(output.status.success(), "{}", peer::said(&output));
    }
}
