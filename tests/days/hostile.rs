//! A day whose every text is foreign: names, titles, captions, notes, headings and the cells of raw rows.

use pressrun::report::{
    Block, Card, Cell, Chart, Choice, Columns, Donut, FlowChoice, FlowGroup, Head, Kpi, Panel, PartChoice, PartGroup,
    Report, Rows, RowsBuffer, Section, Series, Table, Value,
};

use super::{Data, Day, day};

/// Texts that programs have stumbled over: markup, escapes, signs that XML has not, formulas, numbers, wildcards,
/// words of spreadsheets, and names that differ by case only.
pub const TEXTS: [&str; 40] = [
    "<r>x</r>",
    "<r><t>x</t></r>",
    "</t></si>",
    "<![CDATA[x]]>",
    "&amp;",
    "&",
    "&L&P",
    "\"quoted\"",
    "it's",
    "_x000D_",
    "_x0041_",
    "a_x005F_b",
    "\u{0}\u{1}\u{1f}\u{7f}",
    "\u{fffd}",
    "\u{fffe}x\u{feff}",
    "a\r\nb\tc",
    "😀👩‍👩‍👧",
    "עברית (ABC)",
    "\u{202e}gnp.exe",
    "e\u{301}\u{323}",
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "=HYPERLINK(\"http://example.com\")",
    "365",
    "1e5",
    "0x1F",
    "TRUE",
    "#N/A",
    "inf",
    "NaN",
    "*?~",
    "~*",
    "[x]'#]",
    "  blanks  ",
    "Wien",
    "wien",
    "WIEN",
    "",
];

/// A small day with each text replaced by the next one.
pub fn hostile(mut next: impl FnMut() -> String) -> Day {
    let data = Data { n_months: 3, n_products: 3, n_markets: 5, n_skus: 2, ..Data::default() };
    let mut day = day("hostile everywhere", data);
    for (_, text) in texts(&mut day.report) {
        *text = next();
    }
    day.rows = rows(&day, &mut next);
    day
}

/// The first rows with other texts, under the report's headings.
fn rows(day: &Day, next: &mut dyn FnMut() -> String) -> RowsBuffer {
    let blocks = day.report.sections.iter().flat_map(|section| &section.blocks);
    let columns =
        blocks.filter_map(|block| if let Block::RawRows { columns, .. } = block { Some(columns) } else { None });
    let mut rows = RowsBuffer::new(columns.flatten().cloned().collect());
    let _ended = day.rows.replay(&mut |row| {
        let foreign: Vec<String> = row.iter().map(|_| next()).collect();
        let cells = row.iter().zip(&foreign).map(|(cell, text)| match cell {
            Cell::Text(_) => Cell::Text(text),
            other => *other,
        });
        rows.push(&cells.collect::<Vec<_>>());
        if rows.n_rows() < 12 { Ok(()) } else { Err(pressrun::report::RowsError("enough".to_owned())) }
    });
    rows
}

/// Where a text of a report is to be seen in its workbook.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shown {
    /// A cell holds it and nothing else.
    Alone,
    /// As a part of a text, in a name that must be unique, or for screen readers, or not at all.
    Otherwise,
}

type Texts<'a> = Vec<(Shown, &'a mut String)>;

/// Every text of a report. Each type is taken apart field by field, so that a new field has to be thought of here.
pub fn texts(report: &mut Report) -> Texts<'_> {
    let Report { head, sections } = report;
    let mut found = of_head(head);
    for Section { kind: _, title, lead, blocks } in sections {
        found.extend([(Shown::Alone, title), (Shown::Alone, lead)]);
        found.extend(blocks.iter_mut().flat_map(of_block));
    }
    found
}

fn of_head(head: &mut Head) -> Texts<'_> {
    let Head { title, partner_name, role, scope, preliminary, correction, contact, products, .. } = head;
    let banners = preliminary.iter_mut().chain(correction).map(|text| (Shown::Alone, text));
    let named = [title, partner_name, role, scope, contact].into_iter();
    let products = products.iter_mut().map(|series| &mut series.name);
    banners.chain(named.chain(products).map(|text| (Shown::Otherwise, text))).collect()
}

fn of_block(block: &mut Block) -> Texts<'_> {
    match block {
        Block::Kpis(kpis) => kpis.iter_mut().flat_map(of_kpi).collect(),
        Block::Reading { lead, rest } => vec![(Shown::Alone, lead), (Shown::Alone, rest)],
        Block::Cards(cards) => cards
            .iter_mut()
            .flat_map(|Card { label, figure: _, note }| [(Shown::Alone, label), (Shown::Alone, note)])
            .collect(),
        Block::Heading(text) | Block::Text(text) => vec![(Shown::Alone, text)],
        Block::Definitions(terms) => {
            terms.iter_mut().flat_map(|(term, meaning)| [(Shown::Alone, term), (Shown::Alone, meaning)]).collect()
        }
        Block::Table(table) => of_table(table),
        Block::Chart(chart) => of_chart(chart),
        Block::Panels { columns: _, panels } => panels.iter_mut().flat_map(of_panel).collect(),
        Block::OnPaper(blocks) => {
            blocks.iter_mut().flat_map(of_block).map(|(_, text)| (Shown::Otherwise, text)).collect()
        }
        Block::Choice(choice) => of_choice(choice).into_iter().map(|text| (Shown::Otherwise, text)).collect(),
        Block::RawRows { columns, n_rows: _ } => {
            columns.iter_mut().map(|column| (Shown::Otherwise, &mut column.label)).collect()
        }
    }
}

fn of_kpi(kpi: &mut Kpi) -> Texts<'_> {
    let Kpi { key: _, label, note, current: _, growth: _, growth_note, trend: _, trend_current: _, coverage, alt } =
        kpi;
    let mut found: Texts<'_> =
        [label, note, growth_note, coverage].into_iter().map(|text| (Shown::Alone, text)).collect();
    found.push((Shown::Otherwise, alt));
    found
}

fn of_table(table: &mut Table) -> Texts<'_> {
    let Table { key: _, caption, columns, rows, total, note } = table;
    let labels = columns.iter_mut().map(|column| (Shown::Otherwise, &mut column.label));
    let total = total.iter_mut().flat_map(|total| &mut total.cells);
    let cells = rows.iter_mut().flatten().chain(total).filter_map(|value| match value {
        Value::Text(text) | Value::Name { name: text, slot: _ } => Some((Shown::Alone, text)),
        Value::Quantity(_) | Value::Usd(_) | Value::Ratio(_) | Value::Growth(_) | Value::Trend(_) | Value::Month(_) => {
            None
        }
    });
    [(Shown::Alone, caption), (Shown::Alone, note)].into_iter().chain(labels).chain(cells).collect()
}

fn of_chart(chart: &mut Chart) -> Texts<'_> {
    match chart {
        Chart::Columns(Columns { key: _, title, alt, x_title, y_title, months: _, above, below }) => {
            let names =
                above.iter_mut().chain(below).map(|Series { name, slot: _, values: _ }| (Shown::Otherwise, name));
            let words = [alt, x_title, y_title].into_iter().map(|text| (Shown::Otherwise, text));
            [(Shown::Alone, title)].into_iter().chain(words).chain(names).collect()
        }
        Chart::Donut(Donut { key: _, title, alt, centre_label, centre: _, slices }) => {
            let names = slices.iter_mut().map(|slice| (Shown::Alone, &mut slice.name));
            [(Shown::Alone, title), (Shown::Otherwise, alt), (Shown::Otherwise, centre_label)]
                .into_iter()
                .chain(names)
                .collect()
        }
        Chart::Map(map) => {
            let classes = map.classes.iter_mut().map(|class| &mut class.label);
            let words = [&mut map.title, &mut map.alt, &mut map.value_label].into_iter().chain(classes);
            words.map(|text| (Shown::Otherwise, text)).collect()
        }
    }
}

/// What can be chosen is made unique, and shown as far as it is chosen.
fn of_choice(choice: &mut Choice) -> Vec<&mut String> {
    match choice {
        Choice::Flows(FlowChoice { key: _, title, alt, group_label, course_label, y_title, months: _, groups }) => {
            let names = groups.iter_mut().flat_map(|FlowGroup { name, courses }| {
                [name].into_iter().chain(courses.iter_mut().map(|course| &mut course.name))
            });
            [title, alt, group_label, course_label, y_title].into_iter().chain(names).collect()
        }
        Choice::Parts(choice) => {
            let PartChoice { key: _, title, alt, group_label, part_label, value_label, is_whole: _, groups } = choice;
            let names = groups.iter_mut().flat_map(|PartGroup { name, whole: _, parts, note }| {
                [name, note].into_iter().chain(parts.iter_mut().map(|part| &mut part.name))
            });
            [title, alt, group_label, part_label, value_label].into_iter().chain(names).collect()
        }
    }
}

fn of_panel(panel: &mut Panel) -> Texts<'_> {
    let Panel { title, slot: _, note, blocks, footnote } = panel;
    let own = [title, note, footnote].into_iter().map(|text| (Shown::Alone, text));
    own.chain(blocks.iter_mut().flat_map(of_block)).collect()
}
