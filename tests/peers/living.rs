//! The living workbook in LibreOffice: computed anew, chosen from, sorted.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use calamine::{Data, Reader, Xlsx as Book, open_workbook_from_rs};
use pressrun::base::Quantity;
use pressrun::report::{Block, Choice, FlowChoice, PartChoice, Report};
use serde_json::{Value as Json, json};

use crate::days::{self, Day};
use crate::peer;
use crate::workbook::tampered;

/// How many selections are made of each choice.
const N_SELECTIONS: u64 = 10;

/// LibreOffice's answers to jobs: for each file, an answer a step.
fn libreoffice(jobs: &[Json]) -> Vec<Vec<Json>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/libreoffice.py");
    let office = peer::command("soffice").get_program().to_owned();
    let mut command = peer::command("python-uno");
    command.arg(script).arg(office).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(serde_json::to_string(jobs).unwrap().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", peer::said(&output));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", peer::said(&output)))
}

fn saved(folder: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(format!("{name}.xlsx"));
    std::fs::write(&path, bytes).unwrap();
    path
}

fn days() -> Vec<Day> {
    let is_long = std::env::var_os("PRESSRUN_LONG").is_some();
    days::all().into_iter().filter(|day| is_long || days::SHORT.contains(&day.name)).collect()
}

fn book(bytes: &[u8]) -> Book<Cursor<&[u8]>> {
    open_workbook_from_rs(Cursor::new(bytes)).unwrap()
}

/// The result of each formula cell as the file has it, by sheet, row and column; none for an error.
type Results = BTreeMap<(String, u64, u64), Option<Json>>;

fn cached(bytes: &[u8]) -> Results {
    let mut book = book(bytes);
    let mut results = Results::new();
    for sheet in book.sheet_names() {
        let (formulas, values) = (book.worksheet_formula(&sheet).unwrap(), book.worksheet_range(&sheet).unwrap());
        let start = formulas.start().unwrap_or_default();
        for (row, column, _) in formulas.used_cells().filter(|(_, _, formula)| !formula.is_empty()) {
            let at = (start.0 + row as u32, start.1 + column as u32);
            let result = values.get_value(at).cloned().unwrap_or_default();
            results.insert((sheet.clone(), u64::from(at.0), u64::from(at.1)), value(&result));
        }
    }
    results
}

fn value(data: &Data) -> Option<Json> {
    match data {
        Data::Error(_) => None,
        Data::Int(number) => Some(json!(*number as f64)),
        Data::Float(number) => Some(json!(number)),
        Data::DateTime(date) => Some(json!(date.as_f64())),
        Data::String(text) => Some(json!(text)),
        Data::Empty => Some(json!("")),
        other => panic!("{other:?}"),
    }
}

fn computed(answer: &Json) -> Results {
    let sheets = answer.as_object().unwrap();
    let cells = |(sheet, cells): (&String, &Json)| -> Vec<_> {
        let cell = |cell: &Json| {
            let at = (sheet.clone(), cell[0].as_u64().unwrap(), cell[1].as_u64().unwrap());
            (at, Some(cell[2].clone()).filter(|value| !value.is_null()))
        };
        cells.as_array().unwrap().iter().map(cell).collect()
    };
    sheets.iter().flat_map(cells).collect()
}

fn is_same(one: &Json, other: &Json) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => (one - other).abs() <= 1e-9 * one.abs().max(1.0),
        _ => one == other,
    }
}

/// The cells whose results are not the same.
fn differences(file: &Results, office: &Results) -> Vec<String> {
    let same = |one: &Option<Json>, other: &Option<Json>| match (one, other) {
        (Some(one), Some(other)) => is_same(one, other),
        (one, other) => one == other,
    };
    let there = file.iter().filter_map(|(at, cached)| match office.get(at) {
        Some(computed) if same(cached, computed) => None,
        computed => Some(format!("{at:?}: {cached:?} in the file, {computed:?} computed")),
    });
    there.chain(office.keys().filter(|at| !file.contains_key(*at)).map(|at| format!("{at:?} is no formula"))).collect()
}

#[test]
fn every_formula_s_result_is_what_libreoffice_computes() {
    let folder = tempfile::tempdir().unwrap();
    let mut books: Vec<(&str, Vec<u8>)> = days().iter().map(|day| (day.name, day.workbook())).collect();
    let mut texts = days::hostile::TEXTS.iter().cycle();
    let hostile = days::hostile::hostile(|| texts.next().map(|text| (*text).to_owned()).unwrap_or_default());
    books.push((hostile.name, hostile.workbook()));
    let sound = books[0].1.clone();
    // One planted error shows that the comparison finds any.
    books.push(("planted", tampered(&sound, "xl/worksheets/sheet1.xml", "</f><v>", "</f><v>1")));
    let step = json!([{ "recalculate": true }]);
    let jobs: Vec<Json> =
        books.iter().map(|(name, bytes)| json!({ "file": saved(&folder, name, bytes), "steps": step })).collect();
    for ((name, bytes), answer) in books.iter().zip(libreoffice(&jobs)) {
        let (file, office) = (cached(bytes), computed(&answer[0]));
        assert!(file.len() > 10 || *name == "no-rows", "{name} has {} formulas", file.len());
        let found = differences(&file, &office);
        if *name == "planted" {
            assert!(found.len() == 1 && found[0].contains("Summary"), "{found:?}");
        } else {
            assert!(found.is_empty(), "{name}: {} of {}: {:?}", found.len(), file.len(), &found[..found.len().min(5)]);
        }
    }
}

/// Numbers that are the same each time (Steele, Lea, Flood: SplitMix64).
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % n.max(1) as u64) as usize
    }
}

/// The cells that a name of a workbook stands for, in order.
fn named(bytes: &[u8], name: &str) -> Vec<Json> {
    let mut book = book(bytes);
    let formula = book.defined_names().iter().find(|(of, _)| of == name).unwrap_or_else(|| panic!("{name}")).1.clone();
    let (sheet, cells) = formula.rsplit_once('!').unwrap();
    let place = |cell: &str| {
        let mut parts = cell.trim_start_matches('$').split('$');
        let column = parts.next().unwrap().bytes().fold(0, |n, letter| n * 26 + u32::from(letter - b'A') + 1) - 1;
        (parts.next().unwrap().parse::<u32>().unwrap() - 1, column)
    };
    let (from, to) = cells.split_once(':').unwrap_or((cells, cells));
    let range = book.worksheet_range(sheet.trim_matches('\'')).unwrap().range(place(from), place(to));
    range.rows().flatten().map(|data| value(data).unwrap()).collect()
}

/// A selection: what is set, and the rows that must stand there then.
struct Selection {
    set: Json,
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
        set: json!({
            name("chosen_group"): groups[g], name("chosen_course"): chosen,
            name("chosen_from"): months[from], name("chosen_to"): months[to],
        }),
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
        set: json!({ format!("{key}_chosen_group"): groups[g] }),
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

#[test]
fn whatever_is_chosen_the_sheet_shows_what_the_report_has_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut draw = Draw(20_261_124);
    let (mut jobs, mut expected) = (Vec::new(), Vec::new());
    for day in days() {
        let bytes = day.workbook();
        let mut selections = Vec::new();
        for choice in choices(&day.report) {
            for _ in 0..N_SELECTIONS {
                selections.push(match choice {
                    Choice::Flows(choice) => of_flows(&bytes, choice, &mut draw),
                    Choice::Parts(choice) => of_parts(&bytes, choice, &mut draw),
                });
            }
        }
        let steps: Vec<Json> =
            selections.iter().map(|selection| json!({ "set": selection.set, "read": selection.read })).collect();
        jobs.push(json!({ "file": saved(&folder, day.name, &bytes), "steps": steps }));
        expected.push((day.name, selections));
    }
    let mut n = 0;
    for ((name, selections), answers) in expected.iter().zip(libreoffice(&jobs)) {
        for (selection, answer) in selections.iter().zip(answers) {
            let [shown, total] = selection.read.each_ref().map(|of| answer[of].as_array().unwrap());
            let is_row = |(row, expected): (&Json, &Vec<Json>)| {
                row.as_array().unwrap().iter().zip(expected).all(|(one, other)| is_same(one, other))
            };
            let fits = shown.len() == selection.shown.len() && shown.iter().zip(&selection.shown).all(is_row);
            assert!(fits, "{name}, {}: {shown:?}, not {:?}", selection.set, selection.shown);
            assert!(is_row((&total[0], &selection.total)), "{name}, {}: {total:?}", selection.set);
            n += 1;
        }
    }
    assert!(n >= 20 * expected.len(), "{n} selections");
}

#[test]
fn geography_sorts_by_every_column_and_keeps_its_rows_whole() {
    let folder = tempfile::tempdir().unwrap();
    let day = days().into_iter().next().unwrap();
    let bytes = day.workbook();
    let countries = day.report.sections.iter().flat_map(|section| &section.blocks).find_map(|block| match block {
        Block::Table(table) if table.key == "countries" => Some(table),
        _ => None,
    });
    let countries = countries.unwrap();
    let mut open = book(&bytes);
    let sheet = open.worksheet_range("Geography").unwrap();
    let heading = sheet.rows().position(|row| row.iter().any(|cell| *cell == "Country/region")).unwrap();
    let first = sheet.start().unwrap().0 as usize + heading + 2;
    let last = first + countries.rows.len() - 1;
    let right = char::from(b'A' + countries.columns.len() as u8);
    let place = format!("Geography!B{first}:{right}{last}");
    let sorts: Vec<(usize, bool)> = (0..countries.columns.len()).flat_map(|n| [(n, true), (n, false)]).collect();
    let mut steps: Vec<Json> =
        sorts.iter().map(|(n, up)| json!({ "sort": place, "column": n, "ascending": up })).collect();
    steps.push(json!({ "recalculate": true }));
    let answers = libreoffice(&[json!({ "file": saved(&folder, day.name, &bytes), "steps": steps })]).remove(0);
    let key = |row: &Json| row.to_string();
    let mut whole: Vec<String> = answers[0].as_array().unwrap().iter().map(key).collect();
    whole.sort();
    for ((n, ascending), rows) in sorts.iter().zip(&answers) {
        let rows = rows.as_array().unwrap();
        let mut keys: Vec<String> = rows.iter().map(key).collect();
        keys.sort();
        assert_eq!(keys, whole, "rows are whole when sorted by column {n}");
        let numbers: Vec<f64> = rows.iter().filter_map(|row| row[*n].as_f64()).collect();
        let sorted = numbers.is_sorted_by(|one, other| if *ascending { one <= other } else { one >= other });
        assert!(sorted && (*n == 0 || numbers.len() == rows.len()), "column {n}, ascending: {ascending}");
    }
    // Totals and ties are what they were.
    let found = differences(&cached(&bytes), &computed(answers.last().unwrap()));
    assert!(found.is_empty(), "{found:?}");
}
