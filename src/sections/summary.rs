//! Summary: the executive's whole question on one page.

use crate::base::{Growth, Month, Quantity};
use crate::facts::Measure;
use crate::report::words::{self, Course, Measured, Standing};
use crate::report::{Block, Card, Column, ColumnKind, Figure, Kpi, Section, SectionKind, Table, Total, Value};

use super::Context;
use super::figures::{Figures, Product};

/// The measures that are key figures, with label, note and name.
const KPIS: [(Measure, &str, &str); 3] = [
    (Measure::Licenses, "Licenses", "sold or managed"),
    (Measure::Deployed, "Licenses deployed", "assigned to users"),
    (Measure::Active, "Active licenses", "any use in 30 days"),
];

pub(super) fn section(context: &Context<'_>) -> Section {
    let figures = context.figures;
    let (lead, rest) = words::reading(&standing(figures));
    let mut blocks = vec![
        Block::Kpis(KPIS.iter().map(|(measure, label, note)| kpi(figures, *measure, label, note)).collect()),
        Block::Reading { lead, rest },
        Block::Cards(cards(figures)),
        Block::Heading("By product".to_owned()),
        Block::Table(by_product(context)),
    ];
    if figures.is_empty() {
        blocks.truncate(2);
    }
    Section { kind: SectionKind::Summary, title: context.title.to_owned(), lead: String::new(), blocks }
}

/// What the reading is written from.
fn standing(figures: &Figures) -> Standing<'_> {
    let last = figures.compared.map(|compared| compared.last);
    let lacking = |measure| last.map_or(Vec::new(), |month| figures.lacking(month, measure));
    let growth = |product: &Product| figures.product_growth(&product.name, Measure::Licenses);
    Standing {
        compared: figures.compared,
        licenses: last.and_then(|month| figures.total(month, Measure::Licenses)),
        without: last.map_or(String::new(), |month| coverage(figures, month, Measure::Licenses)),
        growth: Measured {
            growth: figures.total_growth(Measure::Licenses),
            is_partial: figures.growth_is_partial(Measure::Licenses),
        },
        deployment: last.and_then(|month| figures.ratio(month, Measure::Deployed, Measure::Licenses)),
        deployment_is_of_all: lacking(Measure::Deployed).is_empty(),
        active: Measured {
            growth: figures.total_growth(Measure::Active),
            is_partial: figures.growth_is_partial(Measure::Active) || !lacking(Measure::Active).is_empty(),
        },
        is_alike: figures.grow_alike(Measure::Licenses, Measure::Active),
        products: figures.products.iter().map(|product| (&*product.name, growth(product))).collect(),
    }
}

fn kpi(figures: &Figures, measure: Measure, label: &str, note: &str) -> Kpi {
    let compared = figures.compared;
    let current = compared.and_then(|compared| figures.total(compared.last, measure));
    let growth = figures.total_growth(measure);
    let since = compared.filter(|_| growth != Growth::Absent);
    let growth_note = since.map_or(String::new(), |compared| {
        let partial = if figures.growth_is_partial(measure) { ", where both are known" } else { "" };
        format!("since {}{partial}", compared.first.short())
    });
    let trend = figures.trend(|month| figures.total(month, measure));
    let course = Course {
        first: figures.range.first(),
        values: &trend,
        open: &figures.open(),
        is_alike: figures.is_alike(measure),
    };
    Kpi {
        alt: words::ended(&words::level(label, &course)),
        key: measure.column().to_owned(),
        label: label.to_owned(),
        note: note.to_owned(),
        current,
        growth,
        growth_note,
        trend,
        trend_current: compared.and_then(|compared| figures.range.index_of(compared.last)),
        coverage: compared.map_or(String::new(), |compared| coverage(figures, compared.last, measure)),
    }
}

/// `without Microsoft 365`: which products a count leaves out; nothing when it has all or none.
pub(super) fn coverage(figures: &Figures, month: Month, measure: Measure) -> String {
    let lacking = figures.lacking(month, measure);
    match lacking.len() {
        0 => String::new(),
        n if n == figures.products.len() => "not in the data".to_owned(),
        1..=2 => format!("without {}", words::list(&lacking)),
        n => format!("{} of {} products", figures.products.len() - n, figures.products.len()),
    }
}

fn cards(figures: &Figures) -> Vec<Card> {
    let card = |label: &str, figure, note: &str| Card { label: label.to_owned(), figure, note: note.to_owned() };
    let last = figures.compared.map(|compared| compared.last);
    let ratio = |part| Figure::Ratio(last.and_then(|month| figures.ratio(month, part, Measure::Licenses)));
    let unassigned = last.and_then(|month| figures.difference(month, Measure::Licenses, Measure::Deployed));
    let more_assigned = unassigned.is_some_and(Quantity::is_negative);
    vec![
        card("Deployment", ratio(Measure::Deployed), "deployed / licenses"),
        card("Usage", ratio(Measure::Active), "active / licenses"),
        card(
            "Unassigned",
            Figure::Quantity(unassigned),
            if more_assigned { "more are assigned than were sold" } else { "licenses that nobody holds" },
        ),
    ]
}

/// By product: licenses, share, growth, deployed, active, usage, revenue where it may be seen, and the course.
fn by_product(context: &Context<'_>) -> Table {
    let figures = context.figures;
    let month = context.current();
    let revenue = context.shows_revenue();
    let mut columns = vec![
        Column::new("Product", ColumnKind::Text),
        Column::new("Licenses", ColumnKind::Quantity),
        Column::new("Share", ColumnKind::Ratio),
        Column::new("Growth", ColumnKind::Growth),
        Column::new("Deployed", ColumnKind::Quantity),
        Column::new("Active", ColumnKind::Quantity),
        Column::new("Usage", ColumnKind::Ratio),
    ];
    if revenue {
        columns.push(Column::new("Revenue (USD)", ColumnKind::Usd));
    }
    columns.push(Column::new(&words::counted(figures.range.n_months(), "month", "months"), ColumnKind::Trend));
    let total = Total { cells: total_cells(figures, month, revenue), is_sum: true };
    Table {
        key: "products".to_owned(),
        caption: format!("Licenses by product, {}", month.long()),
        rows: figures.products.iter().map(|product| product_row(figures, product, month, revenue)).collect(),
        columns,
        total: Some(total),
        note: absent_note(figures, month),
    }
}

fn product_row(figures: &Figures, product: &Product, month: Month, revenue: bool) -> Vec<Value> {
    let name = &*product.name;
    let value = |measure| figures.product(name, month, measure);
    let share = |part: Option<Quantity>, whole: Option<Quantity>| {
        part.zip(whole).and_then(|(part, whole)| crate::base::Ratio::new(part, whole))
    };
    let mut cells = vec![
        Value::Name { name: name.to_owned(), slot: product.slot },
        Value::Quantity(value(Measure::Licenses)),
        Value::Ratio(share(value(Measure::Licenses), figures.total(month, Measure::Licenses))),
        Value::Growth(figures.product_growth(name, Measure::Licenses)),
        Value::Quantity(value(Measure::Deployed)),
        Value::Quantity(value(Measure::Active)),
        Value::Ratio(share(value(Measure::Active), value(Measure::Licenses))),
    ];
    if revenue {
        cells.push(Value::Usd(value(Measure::BilledRevenueUsd)));
    }
    cells.push(Value::Trend(figures.trend(|month| figures.product(name, month, Measure::Licenses))));
    cells
}

fn total_cells(figures: &Figures, month: Month, revenue: bool) -> Vec<Value> {
    let total = |measure| figures.total(month, measure);
    let licenses = total(Measure::Licenses);
    let mut cells = vec![
        Value::Text("All products".to_owned()),
        Value::Quantity(licenses),
        Value::Ratio(licenses.and_then(|licenses| crate::base::Ratio::new(licenses, licenses))),
        Value::Growth(figures.total_growth(Measure::Licenses)),
        Value::Quantity(total(Measure::Deployed)),
        Value::Quantity(total(Measure::Active)),
        Value::Ratio(figures.ratio(month, Measure::Active, Measure::Licenses)),
    ];
    if revenue {
        cells.push(Value::Usd(total(Measure::BilledRevenueUsd)));
    }
    cells.push(Value::Trend(figures.trend(|month| figures.total(month, Measure::Licenses))));
    cells
}

/// Which products' figures are absent, and that totals leave them out; nothing when none is.
fn absent_note(figures: &Figures, month: Month) -> String {
    let note = |(measure, label, _): &(Measure, &str, &str)| {
        let lacking = figures.lacking(month, *measure);
        let told = || words::ended(&format!("{label}: the data has none for {}", words::list(&lacking)));
        (!lacking.is_empty()).then(told)
    };
    let mut notes: Vec<String> = KPIS.iter().filter_map(note).collect();
    if !notes.is_empty() {
        notes.push("Totals and ratios leave out what is n/a.".to_owned());
    }
    notes.join(" ")
}
