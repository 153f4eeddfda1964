//! Hostile texts in every place of a report: the workbook stays sound, and each text is read back as it was.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::days::Day;
use crate::days::hostile::{self, Shown, TEXTS};
use crate::sheets;
use crate::sheets::book::Book;
use crate::sheets::readers::{self, cleaned};

/// A text that someone may have typed, pasted or planted.
fn text() -> impl Strategy<Value = String> {
    let known = (0..TEXTS.len()).prop_map(|n| TEXTS[n].to_owned());
    let joined =
        proptest::collection::vec(0..TEXTS.len(), 2..4).prop_map(|parts| parts.iter().map(|n| TEXTS[*n]).collect());
    let any = proptest::collection::vec(any::<char>(), 0..24).prop_map(String::from_iter);
    prop_oneof![8 => known, 4 => joined, 4 => any, 1 => "[ -~]{0,40}"]
}

/// What is wrong with the workbook of a hostile day.
fn findings(day: &mut Day) -> Vec<String> {
    let (bytes, report) = (day.workbook(), day.of_kept_rows());
    let cells = readers::of_calamine(&bytes);
    let mut found = sheets::findings(&bytes);
    found.retain(|finding| !is_known(finding));
    let Ok(book) = Book::read(&bytes) else { return found };
    found.extend(readers::against_report(&report, &day.rows, &book, &cells));
    let shown: BTreeSet<&str> =
        cells.values().flat_map(|sheet| sheet.values()).filter_map(|value| value.text()).collect();
    let head = &report.head;
    let n = head.range.n_months();
    let subtitle = format!("{} · {} · {} · {n} months", head.partner_name, head.title, head.period.long());
    let alone = hostile::texts(&mut day.report).into_iter().filter(|(where_, _)| *where_ == Shown::Alone);
    let wanted = alone.map(|(_, text)| cleaned(text)).filter(|text| !text.is_empty());
    let wanted: Vec<String> = wanted.chain([cleaned(&subtitle)]).collect();
    found.extend(
        wanted.iter().filter(|text| !shown.contains(text.as_str())).map(|text| format!("no cell holds {text:?}")),
    );
    found
}

/// What is as it should be, or known: words that were made empty describe nothing; and the crate reads no text of a cell
/// that is written as runs into the points of a chart, which is how `<r>x</r>` is kept from being markup.
fn is_known(finding: &str) -> bool {
    let is_run = finding.contains("is Some(\"\"), the cell Text(\"<r>") && finding.ends_with("</r>\")");
    is_run || finding.ends_with("has no alternative text")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, max_shrink_iters: 100, ..ProptestConfig::default() })]

    #[test]
    fn every_text_of_a_hostile_report_is_read_back_as_it_was(texts in proptest::collection::vec(text(), 60..90)) {
        let mut texts = texts.iter().cycle();
        let mut day = hostile::hostile(|| texts.next().cloned().unwrap_or_default());
        prop_assert_eq!(findings(&mut day), Vec::<String>::new());
    }
}

#[test]
fn texts_longer_than_a_cell_are_cut_at_an_ellipsis_wherever_they_stand() {
    let endless = "Ω long name ".repeat(2_750);
    assert!(endless.encode_utf16().count() > 32_767 && cleaned(&endless).ends_with('…'));
    let mut n = 0;
    let mut day = hostile::hostile(|| {
        n += 1;
        if n % 6 == 0 { endless.clone() } else { format!("text {n}") }
    });
    assert_eq!(findings(&mut day), Vec::<String>::new());
}

#[test]
fn each_known_text_stands_in_each_place_once() {
    for first in 0..TEXTS.len() / 4 {
        let mut texts = TEXTS.iter().cycle().skip(first * 4);
        let mut day = hostile::hostile(|| texts.next().map(|text| (*text).to_owned()).unwrap_or_default());
        assert_eq!(findings(&mut day), Vec::<String>::new());
    }
}
