//! The workbooks of good days and bad ones in other programs: openpyxl reads them, LibreOffice computes and sorts them,
//! Microsoft's validator passes them.

use std::path::{Path, PathBuf};

use crate::days::hostile::{self, TEXTS};
use crate::days::{self, Data, Day, day};
use crate::office::Office;
use crate::openpyxl;
use crate::sheets::area::{Area, Place};
use crate::sheets::book::{Book, Sheet, Value};
use crate::sheets::{self, readers};
use crate::workbook::ooxml_validate;

/// How far a number that LibreOffice computes may be from ours, of its size: it sums in another order.
const RELATIVE_MAX: f64 = 1e-9;

/// Days whose every text is foreign, each beginning with another.
fn hostile_days() -> Vec<Day> {
    let mut texts = TEXTS.iter().filter(|text| !text.contains("x005F")).cycle();
    let mut day = |_| hostile::hostile(|| texts.next().map(|text| (*text).to_owned()).unwrap_or_default());
    (0..4).map(&mut day).collect()
}

/// The workbook of a day and where it is.
struct Saved {
    day: Day,
    path: PathBuf,
    bytes: Vec<u8>,
}

fn saved(folder: &Path, days: Vec<Day>) -> Vec<Saved> {
    let save = |(n, day): (usize, Day)| {
        let (path, bytes) = (folder.join(format!("{n}-{}.xlsx", day.name)), day.workbook());
        std::fs::write(&path, &bytes).unwrap();
        Saved { day, path, bytes }
    };
    days.into_iter().enumerate().map(save).collect()
}

/// Fails with every finding, named by its day.
#[track_caller]
fn none(found: impl Iterator<Item = (&'static str, Vec<String>)>) {
    let found: Vec<String> =
        found.flat_map(|(day, found)| found.into_iter().map(move |finding| format!("{day}: {finding}"))).collect();
    let shown = found.iter().take(40).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(found.is_empty(), "{} findings:\n{shown}", found.len());
}

#[test]
fn openpyxl_reads_what_calamine_reads_and_what_the_report_holds() {
    let folder = tempfile::tempdir().unwrap();
    let files = saved(folder.path(), days::wanted().into_iter().chain(hostile_days()).collect());
    let paths: Vec<PathBuf> = files.iter().map(|file| file.path.clone()).collect();
    none(files.iter().zip(openpyxl::read(&paths)).map(|(file, read)| {
        let book = Book::read(&file.bytes).unwrap();
        let mut found = readers::differences(&readers::of_calamine(&file.bytes), &read.results);
        found.extend(readers::against_report(&file.day.of_kept_rows(), &file.day.rows, &book, &read.results));
        for (sheet, cell) in formulas(&book) {
            let read = read.formulas.get(&sheet.name).and_then(|cells| cells.get(&cell)).and_then(Value::text);
            let ours = sheet.cell(cell).and_then(|cell| cell.formula.as_ref()).map(|formula| format!("={formula}"));
            if read != ours.as_deref() {
                found.push(format!("{}!{cell}: {read:?} for {ours:?}", sheet.name));
            }
        }
        (file.day.name, found)
    }));
}

/// The cells that hold formulas.
fn formulas(book: &Book) -> impl Iterator<Item = (&Sheet, Place)> {
    let cells = |sheet: &Sheet| -> Vec<Place> {
        sheet.cells.iter().filter(|cell| cell.formula.is_some()).map(|cell| cell.place).collect()
    };
    book.sheets.iter().flat_map(move |sheet| cells(sheet).into_iter().map(move |place| (sheet, place)))
}

/// Formulas whose result in the file is another than the one that LibreOffice computes.
fn recalculated(office: &mut Office, path: &Path, bytes: &[u8]) -> Vec<String> {
    let book = Book::read(bytes).unwrap();
    office.open(path).unwrap();
    office.recalculate();
    let computed = office.formulas();
    let mut found = Vec::new();
    for (sheet, place) in formulas(&book) {
        let (cached, now) = (sheet.value(place), computed.get(&sheet.name).and_then(|cells| cells.get(&place)));
        if !now.is_some_and(|now| is_close(cached, now)) {
            found.push(format!("{}!{place}: {cached:?} in the file, {now:?} computed", sheet.name));
        }
    }
    found
}

fn is_close(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => (one - other).abs() <= RELATIVE_MAX * one.abs().max(other.abs()),
        _ => one == other,
    }
}

#[test]
fn libreoffice_computes_the_results_that_stand_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let files = saved(folder.path(), days::wanted().into_iter().chain(hostile_days()).collect());
    let n_formulas: usize = files.iter().map(|file| formulas(&Book::read(&file.bytes).unwrap()).count()).sum();
    assert!(n_formulas > 1_000, "{n_formulas}");
    let mut office = Office::start();
    none(files.iter().map(|file| (file.day.name, recalculated(&mut office, &file.path, &file.bytes))));
}

#[test]
fn libreoffice_reads_hostile_texts_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let files = saved(folder.path(), hostile_days());
    let mut office = Office::start();
    none(files.iter().map(|file| {
        office.open(&file.path).unwrap();
        (file.day.name, readers::differences(&readers::of_calamine(&file.bytes), &office.cells()))
    }));
}

#[test]
fn a_result_in_the_file_that_is_not_the_formulas_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let small = day("small", Data { n_months: 3, n_products: 2, n_markets: 3, n_skus: 1, ..Data::default() });
    let files = saved(folder.path(), vec![small]);
    let mut office = Office::start();
    assert_eq!(recalculated(&mut office, &files[0].path, &files[0].bytes), Vec::<String>::new());
    let book = Book::read(&files[0].bytes).unwrap();
    let (sheet, total) = formulas(&book).find(|(sheet, _)| sheet.name == "Geography").unwrap();
    let result = sheet.value(total).number().unwrap();
    let bytes = sheets::tampered(
        &files[0].bytes,
        &sheet.path,
        &format!("<v>{result}</v>"),
        &format!("<v>{}</v>", result + 1.0),
    );
    let path = folder.path().join("tampered.xlsx");
    std::fs::write(&path, &bytes).unwrap();
    let found = recalculated(&mut office, &path, &bytes);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with(&format!("Geography!{total}: ")), "{found:?}");
}

/// A table's rows with what stands beside them, hidden cells too, and the rows alone.
struct Rows<'a> {
    sheet: &'a Sheet,
    body: Area,
    wide: Area,
}

impl<'a> Rows<'a> {
    fn of(book: &'a Book, table: &str) -> Rows<'a> {
        let (sheet, table) = book.table(table).unwrap();
        let Area { from, to } = table.area;
        let last = sheet.cells.iter().map(|cell| cell.place.column).max().unwrap_or(to.column);
        let from = Place { row: from.row + 1, ..from };
        let body = Area { from, to: Place { row: to.row - u32::from(table.has_total), ..to } };
        Rows { sheet, body, wide: Area { from, to: Place { row: to.row, column: last } } }
    }

    /// Each row as one text, the total last if the table has one.
    fn read(&self, office: &mut Office) -> Vec<Vec<Value>> {
        office.read(&self.sheet.name, &self.wide.to_string())
    }
}

/// What goes wrong as a table is sorted by each of its columns, up and down.
fn sorted(office: &mut Office, book: &Book, table: &str) -> Vec<String> {
    let rows = Rows::of(book, table);
    let n = (rows.body.to.row - rows.body.from.row + 1) as usize;
    let spelled = |row: &Vec<Value>| format!("{row:?}");
    let before = rows.read(office);
    let mut whole: Vec<String> = before[..n].iter().map(spelled).collect();
    whole.sort();
    let mut found = Vec::new();
    for column in 0..(rows.body.to.column - rows.body.from.column + 1) as usize {
        for ascending in [true, false] {
            let at = format!("{table} by column {column}, ascending {ascending}");
            office.sort(&rows.sheet.name, &rows.body.to_string(), column, ascending);
            let after = rows.read(office);
            let mut now: Vec<String> = after[..n].iter().map(spelled).collect();
            now.sort();
            if now != whole {
                let torn: Vec<&String> = now.iter().filter(|row| !whole.contains(row)).collect();
                found.push(format!("{at}: {} rows are torn apart: {:?}", torn.len(), torn.first()));
            }
            if after[n..] != before[n..] {
                found.push(format!("{at}: the total moved"));
            }
            let mut numbers: Vec<f64> = after[..n].iter().filter_map(|row| row[column].number()).collect();
            if !ascending {
                numbers.reverse();
            }
            if !numbers.is_sorted() {
                found.push(format!("{at}: it is not sorted"));
            }
        }
    }
    found
}

/// How many formulas stand beside the rows of a table.
fn n_beside(book: &Book, table: &str) -> usize {
    let rows = Rows::of(book, table);
    let is_beside = |place: Place| {
        let is_wide = Area { to: Place { row: rows.body.to.row, ..rows.wide.to }, ..rows.wide }.contains(place);
        is_wide && !rows.body.contains(place)
    };
    formulas(book).filter(|(sheet, place)| sheet.name == rows.sheet.name && is_beside(*place)).count()
}

#[test]
fn rows_stay_whole_with_their_micro_charts_as_a_table_is_sorted_by_any_column() {
    let folder = tempfile::tempdir().unwrap();
    let files = saved(folder.path(), vec![day("standard", Data::default())]);
    let book = Book::read(&files[0].bytes).unwrap();
    let mut office = Office::start();
    office.open(&files[0].path).unwrap();
    office.recalculate();
    for table in ["countries", "products", "table_by_sku"] {
        assert_eq!(n_beside(&book, table) > 0, table != "countries", "{table}: its rows' micro charts stand beside it");
        assert_eq!(sorted(&mut office, &book, table), Vec::<String>::new());
    }
}

#[test]
fn a_micro_chart_that_stays_behind_as_its_row_moves_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let files = saved(folder.path(), vec![day("small", Data { n_markets: 4, n_skus: 1, ..Data::default() })]);
    let book = Book::read(&files[0].bytes).unwrap();
    let (sheet, _) = book.table("products").unwrap();
    // The first row's place in the list, whatever name stands in the row.
    let bytes = sheets::tampered(&files[0].bytes, &sheet.path, "<f>MATCH(", "<f>1+0*MATCH(");
    std::fs::write(&files[0].path, &bytes).unwrap();
    let mut office = Office::start();
    office.open(&files[0].path).unwrap();
    office.recalculate();
    let found = sorted(&mut office, &book, "products");
    assert!(found.iter().any(|finding| finding.contains("rows are torn apart")), "{found:?}");
}

#[test]
fn the_validator_of_microsoft_passes_every_workbook() {
    let folder = tempfile::tempdir().unwrap();
    let files = saved(folder.path(), days::wanted().into_iter().chain(hostile_days()).collect());
    let half = files.len().div_ceil(2);
    let verdict = |file: &Saved| (file.day.name, ooxml_validate(&file.path).err().into_iter().collect::<Vec<_>>());
    let found: Vec<(&str, Vec<String>)> = std::thread::scope(|scope| {
        let halves: Vec<_> = files
            .chunks(half)
            .map(|files| scope.spawn(move || files.iter().map(verdict).collect::<Vec<_>>()))
            .collect();
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    none(found.into_iter());
}
