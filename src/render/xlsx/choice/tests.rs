//! Choices read back as another program would: what is shown before anything is chosen, and what can be.

use std::collections::BTreeMap;
use std::io::Cursor;

use calamine::{Data, Range, Reader, Xlsx as Book, open_workbook_from_rs};

use super::labels;
use crate::base::{Growth, Quantity, Ratio};
use crate::render::xlsx::cell::serial;
use crate::render::xlsx::{Xlsx, sample};
use crate::render::{Job, Renderer, Theme};
use crate::report::{
    Block, Choice, FlowChoice, FlowCourse, FlowGroup, GroupPart, PartChoice, PartGroup, Section, SectionKind,
};

/// Names that a formula could trip over.
const NAMES: [&str; 9] = ["365", "TRUE", "a*b", "A*B", "~?", "=1+1", "#N/A", " 1e5 ", "<r>x</r>"];

fn whole(n: i64) -> Option<Quantity> {
    Some(Quantity::whole(n))
}

fn flows() -> FlowChoice {
    let course = |name: &str, scale: i64| FlowCourse {
        name: name.to_owned(),
        added: (0..12).map(|n| (n != 2).then(|| Quantity::whole(n * scale))).collect(),
        removed: (0..12).map(|n| whole(n % 3)).collect(),
    };
    let group = |name: &str| FlowGroup {
        name: name.to_owned(),
        courses: NAMES.iter().enumerate().map(|(n, name)| course(name, n as i64 + 1)).collect(),
    };
    FlowChoice {
        key: "adds_choice".to_owned(),
        title: "By product and SKU".to_owned(),
        alt: "Added and removed.".to_owned(),
        group_label: "Product".to_owned(),
        course_label: "SKU or service".to_owned(),
        y_title: "Licenses added".to_owned(),
        months: sample::head("x").range.months().collect(),
        groups: NAMES.iter().map(|name| group(name)).collect(),
    }
}

fn parts(is_whole: bool) -> PartChoice {
    let part = |name: &str, n: i64| GroupPart {
        name: name.to_owned(),
        value: (n != 3).then(|| Quantity::from_millionths(n * 1_500_000)),
        share: Ratio::new(Quantity::whole(n), Quantity::whole(10)),
        growth: if n == 1 { Growth::New } else { Growth::between(whole(10), whole(n * 7)) },
    };
    let group = |(n, name): (usize, &&str)| PartGroup {
        name: (*name).to_owned(),
        whole: whole(10),
        parts: NAMES.iter().take(9 - n).enumerate().map(|(n, name)| part(name, n as i64)).collect(),
        note: if n == 1 { String::new() } else { "Overlapping".to_owned() },
    };
    PartChoice {
        key: format!("parts_{is_whole}"),
        title: "By country/region".to_owned(),
        alt: "Shares.".to_owned(),
        group_label: "Product".to_owned(),
        part_label: "Country/region".to_owned(),
        value_label: "Licenses".to_owned(),
        is_whole,
        groups: NAMES.iter().enumerate().map(group).collect(),
    }
}

fn rendered(choices: Vec<Choice>) -> Vec<u8> {
    let mut report = sample::report(0);
    report.sections = vec![Section {
        kind: SectionKind::LicenseAdds,
        title: "License adds".to_owned(),
        lead: String::new(),
        blocks: choices.into_iter().map(Block::Choice).collect(),
    }];
    let theme = Theme::default();
    Xlsx.render(Job { report: &report, rows: None, theme: &theme }).unwrap().bytes
}

/// A workbook and the ranges that it names.
struct Named {
    book: Book<Cursor<Vec<u8>>>,
    names: BTreeMap<String, String>,
}

impl Named {
    fn of(choices: Vec<Choice>) -> Named {
        let book: Book<Cursor<Vec<u8>>> = open_workbook_from_rs(Cursor::new(rendered(choices))).unwrap();
        let names = book.defined_names().iter().cloned().collect();
        Named { book, names }
    }

    /// The cells that a name stands for.
    fn cells(&mut self, name: &str) -> Vec<Vec<Data>> {
        let (sheet, range) = self.names[name].rsplit_once('!').unwrap();
        let sheet = self.book.worksheet_range(sheet.trim_matches('\'')).unwrap();
        let corners: Vec<(u32, u32)> = range.split(':').map(place).collect();
        let (from, to) = (corners[0], corners[corners.len() - 1]);
        let range: Range<Data> = sheet.range(from, to);
        range.rows().map(<[Data]>::to_vec).collect()
    }
}

/// `$C$7` as row and column from 0.
fn place(cell: &str) -> (u32, u32) {
    let mut parts = cell.trim_start_matches('$').split('$');
    let column = parts.next().unwrap().bytes().fold(0, |n, letter| n * 26 + u32::from(letter - b'A') + 1);
    (parts.next().unwrap().parse::<u32>().unwrap() - 1, column - 1)
}

fn text(text: &str) -> Data {
    Data::String(text.to_owned())
}

#[test]
fn names_to_choose_from_are_never_empty_too_long_or_the_same() {
    let long = "x".repeat(300);
    let labels = labels(["a", "A", " ", "", &long, &long].into_iter());
    assert_eq!(labels[..4], ["a", "A 2", "Not stated", "Not stated 2"]);
    assert!(labels[4].ends_with('…') && labels[4].encode_utf16().count() == 120);
    assert_ne!(labels[4], labels[5]);
}

#[test]
fn flows_show_the_first_course_over_all_months_before_anything_is_chosen() {
    let mut book = Named::of(vec![Choice::Flows(flows())]);
    assert_eq!(book.cells("adds_choice_chosen_group"), [[text("365")]]);
    assert_eq!(book.cells("adds_choice_chosen_course"), [[text("365")]]);
    let shown = book.cells("adds_choice_shown");
    assert_eq!(shown.len(), 12);
    for (n, row) in shown.iter().enumerate() {
        let added = if n == 2 { text("n/a") } else { Data::Float(n as f64) };
        assert_eq!(row[1..], [added, Data::Float(-((n % 3) as f64))], "month {n}");
    }
    let Data::DateTime(month) = shown[11][0] else { panic!("{:?}", shown[11]) };
    assert_eq!(Some(month.as_f64()), serial(sample::month("2026-10")));
    assert_eq!(book.cells("adds_choice_total")[0][1..], [Data::Float(64.0), Data::Float(-12.0)]);
    assert_eq!(book.cells("adds_choice_courses").len(), 81);
    assert_eq!(book.cells("adds_choice_firsts")[8], [Data::Float(73.0)]);
    let groups: Vec<Data> = book.cells("adds_choice_groups").into_iter().flatten().collect();
    let expected = ["365", "TRUE", "a*b", "A*B 2", "~?", "=1+1", "#N/A", "1e5", "<r>x</r>"];
    assert_eq!(groups, expected.map(text), "texts, each once without case");
}

#[test]
fn parts_show_the_first_group_and_leave_the_rows_beyond_it_empty() {
    for is_whole in [true, false] {
        let mut choice = parts(is_whole);
        choice.groups.reverse();
        let mut book = Named::of(vec![Choice::Parts(choice)]);
        let shown = book.cells(&format!("parts_{is_whole}_shown"));
        assert_eq!(shown.len(), 9);
        assert_eq!(shown[0][..3], [text("365"), Data::Float(0.0), Data::Float(0.0)]);
        for row in &shown[1..] {
            assert!(row.iter().all(|cell| *cell == text("")), "only one part is in the group: {row:?}");
        }
        assert_eq!(shown[0].len(), if is_whole { 3 } else { 4 });
        assert_eq!(book.cells(&format!("parts_{is_whole}_total"))[0][1], Data::Float(10.0));
    }
    let mut book = Named::of(vec![Choice::Parts(parts(false))]);
    let shown = book.cells("parts_false_shown");
    assert_eq!(shown[1], [text("TRUE"), Data::Float(1.5), Data::Float(0.1), text("▲ new")]);
    assert_eq!(shown[3][1], text("n/a"));
    assert_eq!(shown[6][0], text("#N/A"));
}

#[test]
fn several_choices_of_one_key_have_names_of_their_own() {
    let book = Named::of(vec![Choice::Parts(parts(true)), Choice::Parts(parts(true))]);
    for name in ["parts_true_groups", "parts_true_2_groups", "parts_true_2_chosen_group"] {
        assert!(book.names.contains_key(name), "{name}: {:?}", book.names.keys());
    }
}

#[test]
fn a_choice_of_nothing_leaves_nothing_behind() {
    let flows = FlowChoice { groups: Vec::new(), ..flows() };
    let parts = PartChoice { groups: Vec::new(), ..parts(true) };
    let book = Named::of(vec![Choice::Flows(flows), Choice::Parts(parts)]);
    assert!(book.names.keys().all(|name| name.starts_with('_')), "{:?}", book.names);
}
