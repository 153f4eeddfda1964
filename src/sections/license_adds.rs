//! License adds: what was added each month, and below the axis what was removed.

use std::cmp::Reverse;

use crate::base::{Month, Quantity};
use crate::facts::Measure;
use crate::report::words::{self, Adds, Flows};
use crate::report::{
    Block, Chart, Choice, Column, ColumnKind, Columns, FlowChoice, FlowCourse, FlowGroup, Panel, Section, SectionKind,
    Series, Slot, Table, Total, Value,
};

use super::Context;
use super::figures::{Part, Product};
use super::tally::Dimension;

/// How many SKUs have a chart of their own on paper; the table below has all.
const CHARTED_SKUS_MAX: usize = 9;

/// How many SKUs are named below a product's chart; the rest are summed.
const NAMED_SKUS_MAX: usize = 3;

pub(super) fn section(context: &Context<'_>) -> Section {
    let figures = context.figures;
    let skus = figures.parts(Dimension::Sku);
    let mut blocks = vec![Block::Chart(Chart::Columns(all_products(context)))];
    if !figures.products.is_empty() {
        blocks.push(Block::Choice(Choice::Flows(choice(context, &skus))));
    }
    if figures.products.len() > 1 {
        let panels = figures.products.iter().map(|product| panel(context, product, &skus)).collect();
        blocks.push(Block::OnPaper(vec![Block::Panels { columns: 2, panels }]));
    }
    blocks.push(Block::Heading("By SKU or service".to_owned()));
    let largest = largest(context, &skus);
    // One SKU alone is what the chart above shows already.
    if largest.len() > 1 {
        let panels = largest.into_iter().enumerate().map(|(n, part)| sku_panel(context, n, part)).collect();
        blocks.push(Block::OnPaper(vec![Block::Panels { columns: 3, panels }]));
    }
    blocks.push(Block::Table(by_sku(context, &skus)));
    Section { kind: SectionKind::LicenseAdds, title: "License adds".to_owned(), lead: lead(context), blocks }
}

fn lead(context: &Context<'_>) -> String {
    let figures = context.figures;
    let month = context.current();
    let total = |month, measure| figures.total(month, measure);
    let is_comparable = figures.range.index_of(month.prev()).is_some()
        && figures.coverage.is_full(month)
        && figures.coverage.is_full(month.prev())
        && figures.knows_alike(month.prev(), month, Measure::Added);
    words::adds(&Adds {
        month,
        added: total(month, Measure::Added),
        before: total(month.prev(), Measure::Added).filter(|_| is_comparable),
        removed: total(month, Measure::Removed),
    })
}

fn all_products(context: &Context<'_>) -> Columns {
    let figures = context.figures;
    let series = |measure| {
        let of = |product: &Product| Series {
            name: product.name.to_string(),
            slot: product.slot,
            values: figures.trend(|month| figures.product(&product.name, month, measure)),
        };
        figures.products.iter().map(of).collect()
    };
    chart(context, "adds", "Licenses added and removed by product", series(Measure::Added), series(Measure::Removed))
}

fn chart(context: &Context<'_>, key: &str, title: &str, above: Vec<Series>, below: Vec<Series>) -> Columns {
    let figures = context.figures;
    let months: Vec<Month> = figures.range.months().collect();
    let flows = Flows { months: &months, added: &above, removed: &below, open: &figures.open() };
    Columns {
        key: key.to_owned(),
        title: title.to_owned(),
        alt: words::flows(title, &flows),
        x_title: "Months".to_owned(),
        y_title: "Licenses added".to_owned(),
        months,
        above,
        below,
    }
}

/// Every product with every SKU of it that moved, and the totals of both.
fn choice(context: &Context<'_>, skus: &[Part<'_>]) -> FlowChoice {
    let figures = context.figures;
    let title = "Licenses added and removed by product and SKU";
    let course = |name: &str, value: &dyn Fn(Month, Measure) -> Option<Quantity>| FlowCourse {
        name: name.to_owned(),
        added: figures.trend(|month| value(month, Measure::Added)),
        removed: figures.trend(|month| value(month, Measure::Removed)),
    };
    let all = |value: &dyn Fn(Month, Measure) -> Option<Quantity>| course("All SKUs and services", value);
    let group = |product: &Product| {
        let of_product = |month, measure| figures.product(&product.name, month, measure);
        let courses = parts_of(context, product, skus)
            .into_iter()
            .map(|part| course(&part.label, &|month, measure| figures.of_product(part, month, measure)));
        FlowGroup { name: product.name.to_string(), courses: [all(&of_product)].into_iter().chain(courses).collect() }
    };
    let together = all(&|month, measure| figures.total(month, measure));
    let series = |values: &[Option<Quantity>]| {
        [Series { name: "All products".to_owned(), slot: Slot::Accent, values: values.to_vec() }]
    };
    let months: Vec<Month> = figures.range.months().collect();
    let (added, removed) = (series(&together.added), series(&together.removed));
    let flows = Flows { months: &months, added: &added, removed: &removed, open: &figures.open() };
    FlowChoice {
        key: "adds_choice".to_owned(),
        title: title.to_owned(),
        alt: words::flows(title, &flows),
        group_label: "Product".to_owned(),
        course_label: "SKU or service".to_owned(),
        y_title: "Licenses added".to_owned(),
        groups: [FlowGroup { name: "All products".to_owned(), courses: vec![together] }]
            .into_iter()
            .chain(figures.products.iter().map(group))
            .collect(),
        months,
    }
}

/// The SKUs of a product that moved in the range, those of which most was added first.
fn parts_of<'a, 'f>(context: &Context<'_>, product: &Product, skus: &'a [Part<'f>]) -> Vec<&'a Part<'f>> {
    let of_product = skus.iter().filter(|part| part.product.as_ref() == Some(&product.name));
    let mut parts: Vec<&Part<'_>> = of_product.filter(|part| moved(context, part)).collect();
    by_added(context, &mut parts);
    parts
}

/// Sorts SKUs by what was added over the range, most first.
fn by_added(context: &Context<'_>, parts: &mut [&Part<'_>]) {
    let added = |part: &Part<'_>| over_range(context, &|month| context.figures.of_product(part, month, Measure::Added));
    parts.sort_by_key(|part| (Reverse(added(part)), part.label.clone()));
}

fn panel(context: &Context<'_>, product: &Product, skus: &[Part<'_>]) -> Panel {
    let figures = context.figures;
    let series = |measure| {
        vec![Series {
            name: product.name.to_string(),
            slot: product.slot,
            values: figures.trend(|month| figures.product(&product.name, month, measure)),
        }]
    };
    let index = figures.products.iter().position(|other| other.name == product.name).unwrap_or(0);
    let (above, below) = (series(Measure::Added), series(Measure::Removed));
    let chart = chart(context, &format!("adds_{}", index + 1), &product.name, above, below);
    Panel {
        title: product.name.to_string(),
        slot: Some(product.slot),
        note: words::sums(&chart.above, &chart.below),
        blocks: vec![Block::Chart(Chart::Columns(chart))],
        footnote: by_month(context, product, skus),
    }
}

/// The SKUs of which most was added over the range, in that order.
fn largest<'a, 'f>(context: &Context<'_>, skus: &'a [Part<'f>]) -> Vec<&'a Part<'f>> {
    let mut largest: Vec<&Part<'_>> = skus.iter().filter(|part| moved(context, part)).collect();
    by_added(context, &mut largest);
    largest.truncate(CHARTED_SKUS_MAX);
    largest
}

/// The chart of the n-th SKU, in its product's colour.
fn sku_panel(context: &Context<'_>, n: usize, part: &Part<'_>) -> Panel {
    let figures = context.figures;
    let of_product = |product: &&Product| part.product.as_ref() == Some(&product.name);
    let slot = figures.products.iter().find(of_product).map_or(Slot::Others, |product| product.slot);
    let series = |measure| {
        let values = figures.trend(|month| figures.of_product(part, month, measure));
        vec![Series { name: part.label.clone(), slot, values }]
    };
    let (above, below) = (series(Measure::Added), series(Measure::Removed));
    let chart = chart(context, &format!("adds_sku_{}", n + 1), &part.label, above, below);
    Panel {
        title: part.label.clone(),
        slot: Some(slot),
        note: words::sums(&chart.above, &chart.below),
        blocks: vec![Block::Chart(Chart::Columns(chart))],
        footnote: String::new(),
    }
}

/// The sum over the range of all that is known; absent when nothing is.
fn over_range(context: &Context<'_>, value: &dyn Fn(Month) -> Option<Quantity>) -> Option<Quantity> {
    let known: Vec<Quantity> = context.figures.range.months().filter_map(value).collect();
    (!known.is_empty()).then(|| known.into_iter().sum())
}

/// `October: Office 365 E3 480 · Exchange Online (Plan 1) 259 · others 107`.
fn by_month(context: &Context<'_>, product: &Product, skus: &[Part<'_>]) -> String {
    let figures = context.figures;
    let month = context.current();
    let of_product = skus.iter().filter(|part| part.product.as_ref() == Some(&product.name));
    let mut added: Vec<(Quantity, &str)> = of_product
        .filter_map(|part| Some((figures.of_product(part, month, Measure::Added)?, part.label.as_str())))
        .filter(|(added, _)| *added > Quantity::ZERO)
        .collect();
    added.sort_by_key(|(added, label)| (Reverse(*added), *label));
    if added.is_empty() {
        return match figures.product(&product.name, month, Measure::Added) {
            Some(_) => format!("{}: nothing was added", month.name()),
            None => format!("{}: n/a", month.name()),
        };
    }
    let mut words: Vec<String> =
        added.iter().take(NAMED_SKUS_MAX).map(|(added, label)| format!("{label} {}", added.grouped())).collect();
    let others: Quantity = added.iter().skip(NAMED_SKUS_MAX).map(|(added, _)| *added).sum();
    if others > Quantity::ZERO {
        words.push(format!("others {}", others.grouped()));
    }
    format!("{}: {}", month.name(), words.join(" · "))
}

/// By SKU: added and removed in the current month and over the range.
fn by_sku(context: &Context<'_>, skus: &[Part<'_>]) -> Table {
    let figures = context.figures;
    let month = context.current();
    let cells = |names: Vec<Value>, value: &dyn Fn(Month, Measure) -> Option<Quantity>| {
        let mut cells = names;
        for measure in [Measure::Added, Measure::Removed] {
            cells.push(Value::Quantity(value(month, measure)));
        }
        for measure in [Measure::Added, Measure::Removed] {
            cells.push(Value::Quantity(over_range(context, &|month| value(month, measure))));
        }
        cells
    };
    let row = |product: &Product, part: &Part<'_>| {
        let names =
            vec![Value::Name { name: part.label.clone(), slot: product.slot }, Value::Text(product.name.to_string())];
        cells(names, &|month, measure| figures.of_product(part, month, measure))
    };
    let rows = figures
        .products
        .iter()
        .flat_map(|product| parts_of(context, product, skus).into_iter().map(move |part| (product, part)))
        .map(|(product, part)| row(product, part))
        .collect();
    let short = month.short();
    let range = words::counted(figures.range.n_months(), "month", "months");
    let total = vec![Value::Text("All".to_owned()), Value::Text(String::new())];
    Table {
        key: "adds_by_sku".to_owned(),
        caption: format!("Licenses added and removed by SKU or service, {} and {range}", month.long()),
        columns: vec![
            Column::new("SKU or service", ColumnKind::Text),
            Column::new("Product", ColumnKind::Text),
            Column::new(&format!("Added {short}"), ColumnKind::Quantity),
            Column::new(&format!("Removed {short}"), ColumnKind::Quantity),
            Column::new(&format!("Added, {range}"), ColumnKind::Quantity),
            Column::new(&format!("Removed, {range}"), ColumnKind::Quantity),
        ],
        rows,
        total: Some(Total { cells: cells(total, &|month, measure| figures.total(month, measure)), is_sum: true }),
        note: String::new(),
    }
}

/// Whether anything of a SKU was added or removed in the range.
fn moved(context: &Context<'_>, part: &Part<'_>) -> bool {
    let moved = |measure| {
        move |month| context.figures.of_product(part, month, measure).is_some_and(|value| value != Quantity::ZERO)
    };
    context.figures.range.months().any(moved(Measure::Added))
        || context.figures.range.months().any(moved(Measure::Removed))
}
