//! The living workbook in LibreOffice: whatever is chosen, the sheet shows what the report has of it.

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx as Book, open_workbook_from_rs};
use pressrun::base::Quantity;
use pressrun::report::{Block, Choice, FlowChoice, PartChoice, Report};
use serde_json::{Value as Json, json};

use crate::days;
use crate::draw::Draw;
use crate::office::{Office, Set};
use crate::sheets::area::Area;
use crate::sheets::book::Value;

/// How many selections are made of each choice.
const N_SELECTIONS: u64 = 10;

/// The sheet and the cells that a name of a workbook stands for.
fn place(bytes: &[u8], name: &str) -> (String, String) {
    let book = book(bytes);
    let (_, formula) = book.defined_names().iter().find(|(of, _)| of == name).unwrap_or_else(|| panic!("{name}"));
    let (sheet, cells) = formula.rsplit_once('!').unwrap();
    (sheet.trim_matches('\'').to_owned(), cells.replace('$', ""))
}

/// What stands in them, in order.
fn named(bytes: &[u8], name: &str) -> Vec<Json> {
    let (sheet, cells) = place(bytes, name);
    let Area { from, to } = Area::parse(&cells).unwrap();
    let range = book(bytes).worksheet_range(&sheet).unwrap();
    range.range((from.row, from.column), (to.row, to.column)).rows().flatten().map(json_of).collect()
}

fn book(bytes: &[u8]) -> Book<Cursor<&[u8]>> {
    open_workbook_from_rs(Cursor::new(bytes)).unwrap()
}

fn json_of(data: &Data) -> Json {
    match data {
        Data::Float(number) => json!(number),
        Data::DateTime(date) => json!(date.as_f64()),
        Data::String(text) => json!(text),
        other => panic!("{other:?}"),
    }
}

/// A selection: what is set under which names, and the rows that must stand there then.
struct Selection {
    set: Vec<(String, Json)>,
    read: [String; 2],
    shown: Vec<Vec<Json>>,
    total: Vec<Json>,
}

fn shown(value: Option<Quantity>) -> Json {
    value.map_or(json!("n/a"), |value| json!(value.to_f64()))
}

/// A product, one of its SKUs or one of another product's, and two months in any order.
fn of_flows(bytes: &[u8], choice: &FlowChoice, draw: &mut Draw) -> Selection {
    let key = &choice.key;
    let (groups, courses) = (named(bytes, &format!("{key}_groups")), named(bytes, &format!("{key}_courses")));
    let months = named(bytes, &format!("{key}_months"));
    let g = draw.below(groups.len());
    let first: usize = choice.groups[..g].iter().map(|group| group.courses.len()).sum();
    let of_group = &courses[first..first + choice.groups[g].courses.len()];
    let any = draw.below(courses.len());
    // One time in four a SKU is left over from what was chosen before.
    let chosen = if draw.below(4) == 0 { &courses[any] } else { &of_group[draw.below(of_group.len())] };
    let lower = |text: &Json| text.as_str().unwrap().to_lowercase();
    let c = of_group.iter().position(|course| lower(course) == lower(chosen)).unwrap_or(0);
    let course = &choice.groups[g].courses[c];
    let (from, to) = (draw.below(months.len()), draw.below(months.len()));
    let last = to.max(from);
    let removed = |n: usize| course.removed[n].map(|value| -value);
    let row = |n: usize| {
        let n = (from + n).min(last);
        vec![months[n].clone(), shown(course.added[n]), shown(removed(n))]
    };
    let sum = |value: &dyn Fn(usize) -> Option<Quantity>| {
        let known: Vec<Quantity> = (from..=last).filter_map(value).collect();
        shown((!known.is_empty()).then(|| known.into_iter().sum()))
    };
    let name = |of: &str| format!("{key}_{of}");
    Selection {
        set: vec![
            (name("chosen_group"), groups[g].clone()),
            (name("chosen_course"), chosen.clone()),
            (name("chosen_from"), months[from].clone()),
            (name("chosen_to"), months[to].clone()),
        ],
        read: [name("shown"), name("total")],
        shown: (0..months.len()).map(row).collect(),
        total: vec![json!("In all"), sum(&|n| course.added[n]), sum(&removed)],
    }
}

/// A product or a dimension.
fn of_parts(bytes: &[u8], choice: &PartChoice, draw: &mut Draw) -> Selection {
    let key = &choice.key;
    let groups = named(bytes, &format!("{key}_groups"));
    let g = draw.below(groups.len());
    let group = &choice.groups[g];
    let n_rows = choice.groups.iter().map(|group| group.parts.len()).max().unwrap_or(0);
    let n_columns = if choice.is_whole { 3 } else { 4 };
    let row = |n: usize| match group.parts.get(n) {
        Some(part) => {
            let growth = part.growth.to_f64().map_or_else(|| words(part.growth), |growth| json!(growth));
            let share = part.share.map_or(json!("n/a"), |share| json!(share.to_f64()));
            let mut row = vec![json!(pressrun::base::plain_text(&part.name)), shown(part.value), share, growth];
            row.truncate(n_columns);
            row
        }
        None => vec![json!(""); n_columns],
    };
    Selection {
        set: vec![(format!("{key}_chosen_group"), groups[g].clone())],
        read: [format!("{key}_shown"), format!("{key}_total")],
        shown: (0..n_rows).map(row).collect(),
        total: vec![json!("All"), shown(group.whole)],
    }
}

fn words(growth: pressrun::base::Growth) -> Json {
    if growth.direction() > 0 { json!(format!("▲ {}", growth.text())) } else { json!(growth.text()) }
}

/// The choices between anything: one of nothing takes no room.
fn choices(report: &Report) -> impl Iterator<Item = &Choice> {
    let blocks = report.sections.iter().flat_map(|section| &section.blocks);
    let is_any = |choice: &&Choice| match choice {
        Choice::Flows(choice) => !choice.groups.is_empty(),
        Choice::Parts(choice) => choice.groups.iter().any(|group| !group.parts.is_empty()),
    };
    blocks.filter_map(|block| if let Block::Choice(choice) = block { Some(choice) } else { None }).filter(is_any)
}

/// What is wrong with what stands in a file once something is chosen.
fn wrong(office: &mut Office, bytes: &[u8], selection: &Selection) -> Option<String> {
    let places: Vec<((String, String), &Json)> =
        selection.set.iter().map(|(name, value)| (place(bytes, name), value)).collect();
    for ((sheet, cell), value) in &places {
        let set: Set<'_> = (sheet, cell, (*value).clone());
        office.set(&set);
    }
    office.recalculate();
    let expected = [selection.shown.as_slice(), std::slice::from_ref(&selection.total)];
    selection.read.iter().zip(expected).find_map(|(name, expected)| {
        let (sheet, cells) = place(bytes, name);
        let read = office.read(&sheet, &cells);
        let is_row = |(row, expected): (&Vec<Value>, &Vec<Json>)| {
            row.len() == expected.len() && row.iter().zip(expected).all(|(one, other)| is_same(one, other))
        };
        let fits = read.len() == expected.len() && read.iter().zip(expected).all(is_row);
        (!fits).then(|| format!("{:?}: {name} is {read:?}, not {expected:?}", selection.set))
    })
}

fn is_same(value: &Value, expected: &Json) -> bool {
    match (value, expected) {
        (Value::Number(one), expected) => {
            expected.as_f64().is_some_and(|other| (one - other).abs() <= 1e-9 * one.abs().max(1.0))
        }
        (Value::Text(text), expected) => expected.as_str() == Some(text),
        (Value::Empty, expected) => expected.as_str() == Some(""),
        _ => false,
    }
}

#[test]
fn whatever_is_chosen_the_sheet_shows_what_the_report_has_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut office = Office::start();
    let mut draw = Draw(20_261_124);
    let (mut n, mut found) = (0, Vec::new());
    let days = days::wanted();
    for day in &days {
        let bytes = day.workbook();
        let file = folder.path().join(format!("{}.xlsx", day.name));
        std::fs::write(&file, &bytes).unwrap();
        office.open(&file).unwrap();
        for choice in choices(&day.report) {
            for _ in 0..N_SELECTIONS {
                let selection = match choice {
                    Choice::Flows(choice) => of_flows(&bytes, choice, &mut draw),
                    Choice::Parts(choice) => of_parts(&bytes, choice, &mut draw),
                };
                n += 1;
                found.extend(wrong(&mut office, &bytes, &selection).map(|words| format!("{}, {words}", day.name)));
            }
        }
    }
    assert!(found.is_empty(), "{} of {n}: {}", found.len(), found[0]);
    assert!(n >= 20 * days.len(), "{n} selections");
}
