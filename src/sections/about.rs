//! About this report: definitions, sources, coverage, what is withheld, and how to verify it.

use std::collections::BTreeMap;

use crate::audience::{Scope, Withheld};
use crate::base::Month;
use crate::facts::{Export, Measure};
use crate::report::words;
use crate::report::{Block, Column, ColumnKind, Section, SectionKind, Table, Value};

use super::Context;

pub(super) fn section(context: &Context<'_>) -> Section {
    let mut blocks = vec![Block::Definitions(definitions(context))];
    blocks.push(Block::Heading("How it was computed".to_owned()));
    blocks.extend(computed(context).into_iter().map(Block::Text));
    let withheld = withheld(context);
    if !withheld.is_empty() {
        blocks.push(Block::Heading("Not shown".to_owned()));
        blocks.extend(withheld.into_iter().map(Block::Text));
    }
    blocks.push(Block::Heading("Sources".to_owned()));
    blocks.push(Block::Table(sources(context)));
    if !context.figures.coverage.left_out.is_empty() {
        blocks.push(Block::Heading("Left out".to_owned()));
        let sentence = |words: &String| Block::Text(format!("{}.", words.trim_end_matches('.')));
        blocks.extend(context.figures.coverage.left_out.iter().map(sentence));
    }
    blocks.push(Block::Heading("This file".to_owned()));
    blocks.push(Block::Definitions(identity(context)));
    Section { kind: SectionKind::About, title: "About this report".to_owned(), lead: String::new(), blocks }
}

fn definitions(context: &Context<'_>) -> Vec<(String, String)> {
    let compared = match context.figures.compared() {
        Some(compared) if compared.first != compared.last => format!(
            "The last full month of the range, {}; growth compares it with the first full month, {}. \
             A first month of 0 reads \"new\".",
            compared.last.long(),
            compared.first.long()
        ),
        Some(compared) => format!(
            "The last full month of the range, {}. It is the only full month, so there is no growth.",
            compared.last.long()
        ),
        None => "The last full month of the range; this range has none yet.".to_owned(),
    };
    [
        ("Licenses", "All licenses sold or managed by the partner, whether assigned or not, at month's end."),
        ("Licenses deployed", "Licenses that are assigned to users. Deployment is deployed / licenses."),
        (
            "Active licenses",
            "Licenses with any use in the last 30 days of the month. Usage is active / licenses; it may \
          exceed 100% when licenses change hands, when use of trials is counted, or in a grace period.",
        ),
        ("Licenses added, removed", "The rise and the fall of a license's count from one month to the next."),
        ("Current", &compared),
        ("n/a", "The data does not carry it. It is never counted as 0."),
    ]
    .into_iter()
    .map(|(term, meaning)| (term.to_owned(), meaning.to_owned()))
    .collect()
}

fn computed(context: &Context<'_>) -> Vec<String> {
    let mut words = vec![
        "A month is full when all its data was exported on or after the closing day of the next month.".to_owned(),
        "A license that has several rows, because several locations or attach types share it, counts once in totals: \
         the row that ranks first stands. Parts by location or attach type may therefore sum to more than the total."
            .to_owned(),
        "Where several data sets tell the same measure of a product and month, one of them speaks; they are never added."
            .to_owned(),
    ];
    if context.scope != &Scope::Organization {
        words.push("Only rows of the locations named in this report's scope are in it.".to_owned());
    }
    let month = context.current();
    for (measure, label) in [
        (Measure::Licenses, "Licenses"),
        (Measure::Deployed, "Licenses deployed"),
        (Measure::Active, "Active licenses"),
        (Measure::Added, "Licenses added and removed"),
    ] {
        let lacking = context.figures.lacking(month, measure);
        if !lacking.is_empty() {
            words.push(words::ended(&format!(
                "{label}: the data of {} has none for {}",
                month.long(),
                words::list(&lacking)
            )));
        }
    }
    words
}

/// What the role may not see, and whom to ask.
fn withheld(context: &Context<'_>) -> Vec<String> {
    Withheld::ALL
        .into_iter()
        .filter(|what| !context.role.may_see(*what))
        .map(|what| format!("{}: not shown for {}; ask your Global admin.", what.label(), context.role.label))
        .collect()
}

/// Each source with its months and the oldest and newest export among them.
fn sources(context: &Context<'_>) -> Table {
    let mut by_source: BTreeMap<&str, Vec<&Export>> = BTreeMap::new();
    for export in &context.figures.coverage.exports {
        by_source.entry(&export.source).or_default().push(export);
    }
    let row = |(source, exports): (&&str, &Vec<&Export>)| {
        let months = exports.iter().map(|export| export.month);
        let dates = exports.iter().map(|export| export.exported_at.date_naive());
        let span = |first: Option<String>, last: Option<String>| match (first, last) {
            (Some(first), Some(last)) if first == last => first,
            (Some(first), Some(last)) => format!("{first} – {last}"),
            _ => "n/a".to_owned(),
        };
        vec![
            Value::Text((*source).to_owned()),
            Value::Text(span(months.clone().min().map(Month::short), months.max().map(Month::short))),
            Value::Text(span(dates.clone().min().map(day), dates.max().map(day))),
        ]
    };
    Table {
        key: "sources".to_owned(),
        caption: "The data sets behind this report".to_owned(),
        columns: vec![
            Column::new("Data set", ColumnKind::Text),
            Column::new("Months", ColumnKind::Text),
            Column::new("Exported", ColumnKind::Text),
        ],
        rows: by_source.iter().map(row).collect(),
        total: None,
        note: what_is_missing(context),
    }
}

/// Which months are not full, and which data sets the last month lacks.
fn what_is_missing(context: &Context<'_>) -> String {
    let figures = context.figures;
    let open = |month: &Month| figures.coverage.months.contains_key(month) && !figures.coverage.is_full(*month);
    let open: Vec<String> = figures.range.months().filter(open).map(Month::long).collect();
    let mut notes = Vec::new();
    if !open.is_empty() {
        notes.push(format!("Not full yet, shown as it stands: {}.", open.join(", ")));
    }
    let last = figures.range.last();
    let gone = Vec::from_iter(figures.coverage.sources_gone(last));
    if figures.coverage.months.contains_key(&last) && !gone.is_empty() {
        notes.push(format!("Not in the data for {}, but for the month before: {}.", last.long(), gone.join(", ")));
    }
    notes.join(" ")
}

fn identity(context: &Context<'_>) -> Vec<(String, String)> {
    let request = context.request;
    let mut lines = vec![
        ("Report ID".to_owned(), request.edition.to_string()),
        ("Revision".to_owned(), request.revision.to_string()),
        ("Role and scope".to_owned(), format!("{}, {}", context.role.label, context.scope.label(request.partner))),
        (
            "How to verify it".to_owned(),
            "Compare this file's SHA-256 digest with the one in edition.json of the archive's folder for this Report ID."
                .to_owned(),
        ),
    ];
    if !request.contact.is_empty() {
        lines.push(("Questions".to_owned(), request.contact.to_owned()));
    }
    lines
}

fn day(day: chrono::NaiveDate) -> String {
    let month = Month::of(day);
    format!("{} {}", chrono::Datelike::day(&day), month.short())
}
