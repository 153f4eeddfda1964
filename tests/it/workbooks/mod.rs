//! The workbooks of good days and bad ones, held against what no validator checks, and read back.

mod hostile;

use crate::days::{self, Day};
use crate::sheets::book::Book;
use crate::sheets::{self, readers};

/// What is wrong with each of these days, by two threads.
fn each(days: &[Day], check: fn(&Day) -> Vec<String>) -> Vec<String> {
    let half = days.len().div_ceil(2);
    let named =
        |day: &Day| check(day).into_iter().map(|finding| format!("{}: {finding}", day.name)).collect::<Vec<_>>();
    std::thread::scope(|scope| {
        let halves: Vec<_> =
            days.chunks(half).map(|days| scope.spawn(move || days.iter().flat_map(named).collect())).collect();
        halves.into_iter().flat_map(|half| -> Vec<String> { half.join().unwrap() }).collect()
    })
}

#[test]
fn the_workbook_of_every_day_holds_what_no_validator_checks() {
    let findings = each(&days::all(), |day| sheets::findings(&day.workbook()));
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn calamine_reads_back_every_value_of_the_report_and_its_rows() {
    let findings = each(&days::wanted(), |day| {
        let bytes = day.workbook();
        let book = Book::read(&bytes).unwrap();
        readers::against_report(&day.of_kept_rows(), &day.rows, &book, &readers::of_calamine(&bytes))
    });
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn a_value_that_was_changed_in_the_file_is_told_by_its_cell() {
    let day =
        days::day("small", days::Data { n_months: 2, n_products: 2, n_markets: 2, n_skus: 1, ..days::Data::default() });
    let bytes = day.workbook();
    let found = |part: &str, from: &str, to: &str| {
        let bytes = sheets::tampered(&bytes, part, from, to);
        let book = Book::read(&bytes).unwrap();
        readers::against_report(&day.of_kept_rows(), &day.rows, &book, &readers::of_calamine(&bytes))
    };
    let strings = found("xl/sharedStrings.xml", "<t>Japan</t>", "<t>Jordan</t>");
    assert!(strings.iter().any(|finding| finding.contains("Geography!B") && finding.contains("Jordan")), "{strings:?}");
    let raw = found("xl/worksheets/sheet5.xml", "<v>46266</v>", "<v>46267</v>");
    assert!(raw.iter().any(|finding| finding.starts_with("Raw data!")), "{raw:?}");
    let heading = found("xl/tables/table1.xml", "name=\"Licenses\"", "name=\"Seats\"");
    assert!(heading.iter().any(|finding| finding.contains("the heading `Seats` of `Licenses`")), "{heading:?}");
}
