//! License distribution: by product, by product and country/region, and by five dimensions.

use std::cmp::Reverse;

use crate::base::{Market, Quantity, Ratio};
use crate::facts::Measure;
use crate::report::words::{self, Shares};
use crate::report::{
    Block, Chart, Column, ColumnKind, Donut, Panel, Section, SectionKind, Slice, Slot, Table, Total, Value,
};

use super::Context;
use super::figures::{Part, Product};
use super::tally::Dimension;

/// How many countries/regions a product's breakdown names; the rest are *Others*. As Partner Center does.
const NAMED_MARKETS_MAX: usize = 4;

/// How many parts stand beside one another in a panel; longer leaderboards take the full width.
const PANEL_ROWS_MAX: usize = 12;

/// The longest leaderboard; what is beyond is counted below it.
const LEADERBOARD_ROWS_MAX: usize = 1_000;

pub(super) fn section(context: &Context<'_>) -> Section {
    let mut blocks = Vec::new();
    if let Some(donut) = by_product(context) {
        blocks.push(Block::Chart(Chart::Donut(donut)));
    }
    let breakdowns: Vec<Panel> =
        context.figures.products.iter().enumerate().map(|(n, product)| breakdown(context, n, product)).collect();
    if !breakdowns.is_empty() {
        blocks.push(Block::Heading("By product and country/region".to_owned()));
        blocks.push(Block::Panels { columns: 3, panels: breakdowns });
    }
    blocks.push(Block::Heading("By location, channel, SKU, attach type and segment".to_owned()));
    let (small, large): (Vec<_>, Vec<_>) = Dimension::ALL
        .into_iter()
        .map(|dimension| (dimension, leaderboard(context, dimension)))
        .partition(|(_, table)| table.rows.len() <= PANEL_ROWS_MAX);
    let panels: Vec<Panel> = small.into_iter().map(|(dimension, table)| board_panel(dimension, table)).collect();
    if !panels.is_empty() {
        blocks.push(Block::Panels { columns: 2, panels });
    }
    for (dimension, table) in large {
        blocks.push(Block::Heading(title(dimension).to_owned()));
        blocks.push(Block::Table(table));
    }
    let title = "License distribution".to_owned();
    Section { kind: SectionKind::Distribution, title, lead: lead(context), blocks }
}

fn lead(context: &Context<'_>) -> String {
    let figures = context.figures;
    let month = context.current();
    let licenses = |product: &Product| figures.product(&product.name, month, Measure::Licenses);
    let held = |product| licenses(product).filter(|licenses| *licenses > Quantity::ZERO);
    let products = figures.products.iter().filter_map(|product| Some((&*product.name, held(product)?)));
    let products: Vec<(&str, Quantity)> = products.collect();
    let total = figures.total(month, Measure::Licenses);
    words::largest(month, total, &products, &figures.lacking(month, Measure::Licenses))
}

/// The ring of products; none without licenses. Products beyond the sixth share one slice.
fn by_product(context: &Context<'_>) -> Option<Donut> {
    let figures = context.figures;
    let month = context.current();
    let centre = figures.total(month, Measure::Licenses).filter(|total| *total > Quantity::ZERO)?;
    let mut slices = Vec::new();
    let mut others = Quantity::ZERO;
    for product in &figures.products {
        let value = figures.product(&product.name, month, Measure::Licenses).unwrap_or(Quantity::ZERO);
        match product.slot {
            Slot::Others => others += value,
            slot if value > Quantity::ZERO => slices.push(Slice { name: product.name.to_string(), slot, value }),
            _ => {}
        }
    }
    if others > Quantity::ZERO {
        slices.push(Slice { name: "Others".to_owned(), slot: Slot::Others, value: others });
    }
    let title = "Licenses by product";
    let lacking = figures.lacking(month, Measure::Licenses);
    Some(Donut {
        key: "license_by_product".to_owned(),
        title: title.to_owned(),
        alt: words::shares(title, &Shares { month, whole: centre, slices: &slices, lacking: &lacking }),
        centre_label: "Licenses".to_owned(),
        centre,
        slices,
    })
}

/// One product's licenses by country/region: the top four and *Others*.
fn breakdown(context: &Context<'_>, n: usize, product: &Product) -> Panel {
    let figures = context.figures;
    let month = context.current();
    let total = figures.product(&product.name, month, Measure::Licenses);
    let mut markets: Vec<(Market, Quantity)> = figures.product_markets(&product.name, month, Measure::Licenses);
    markets.retain(|(_, licenses)| *licenses != Quantity::ZERO);
    markets.sort_by_key(|(market, licenses)| (Reverse(*licenses), market.name()));
    let share = |licenses: Quantity| Value::Ratio(total.and_then(|total| Ratio::new(licenses, total)));
    let row =
        |name: &str, licenses| vec![Value::Text(name.to_owned()), Value::Quantity(Some(licenses)), share(licenses)];
    let named = if markets.len() == NAMED_MARKETS_MAX + 1 { NAMED_MARKETS_MAX + 1 } else { NAMED_MARKETS_MAX };
    let mut rows: Vec<Vec<Value>> =
        markets.iter().take(named).map(|(market, licenses)| row(market.name(), *licenses)).collect();
    if markets.len() > named {
        rows.push(row("Others", markets.iter().skip(named).map(|(_, licenses)| *licenses).sum()));
    }
    let table = Table {
        key: format!("product_{}_countries", n + 1),
        caption: format!("{} by customer country/region, {}", product.name, month.long()),
        columns: vec![
            Column::new("Country/region", ColumnKind::Text),
            Column::new("Licenses", ColumnKind::QuantityBar),
            Column::new("Share", ColumnKind::Ratio),
        ],
        rows,
        total: None,
        note: String::new(),
    };
    Panel {
        title: product.name.to_string(),
        slot: Some(product.slot),
        note: total.map_or("n/a".to_owned(), Quantity::grouped),
        blocks: vec![Block::Table(table)],
        footnote: String::new(),
    }
}

fn title(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Location => "Partner location",
        Dimension::SalesChannel => "Sales channel",
        Dimension::Sku => "SKU",
        Dimension::AttachType => "Attach type",
        Dimension::Segment => "Customer segment",
    }
}

fn key(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Location => "by_location",
        Dimension::SalesChannel => "by_sales_channel",
        Dimension::Sku => "by_sku",
        Dimension::AttachType => "by_attach_type",
        Dimension::Segment => "by_segment",
    }
}

fn board_panel(dimension: Dimension, mut table: Table) -> Panel {
    let footnote = std::mem::take(&mut table.note);
    Panel {
        title: title(dimension).to_owned(),
        slot: None,
        note: String::new(),
        blocks: vec![Block::Table(table)],
        footnote,
    }
}

/// Value, share, growth and course of each part, largest first.
fn leaderboard(context: &Context<'_>, dimension: Dimension) -> Table {
    let figures = context.figures;
    let month = context.current();
    let total = figures.total(month, Measure::Licenses);
    let mut parts = figures.parts(dimension);
    let current = |part: &Part<'_>| figures.of_product(part, month, Measure::Licenses);
    let first = figures.compared.map(|compared| compared.first);
    parts.retain(|part| {
        let in_first = first.and_then(|first| figures.of_product(part, first, Measure::Licenses));
        [current(part), in_first].into_iter().flatten().any(|value| value != Quantity::ZERO)
    });
    parts.sort_by_key(|part| (Reverse(current(part)), part.label.clone()));
    let n_beyond = parts.len().saturating_sub(LEADERBOARD_ROWS_MAX);
    let sum: Quantity = parts.iter().filter_map(current).sum();
    parts.truncate(LEADERBOARD_ROWS_MAX);
    let share =
        |value: Option<Quantity>| Value::Ratio(value.zip(total).and_then(|(value, total)| Ratio::new(value, total)));
    let row = |part: &Part<'_>| {
        vec![
            Value::Text(part.label.clone()),
            Value::Quantity(current(part)),
            share(current(part)),
            Value::Growth(figures.part_growth(part, Measure::Licenses)),
            Value::Trend(figures.trend(|month| figures.of_product(part, month, Measure::Licenses))),
        ]
    };
    let is_sum = n_beyond == 0 && total == Some(sum);
    Table {
        key: key(dimension).to_owned(),
        caption: format!("Licenses by {}, {}", title(dimension).to_lowercase().replace("sku", "SKU"), month.long()),
        columns: vec![
            Column::new(title(dimension), ColumnKind::Text),
            Column::new("Licenses", ColumnKind::QuantityBar),
            Column::new("Share", ColumnKind::Ratio),
            Column::new("Growth", ColumnKind::Growth),
            Column::new(&words::counted(figures.range.n_months(), "month", "months"), ColumnKind::Trend),
        ],
        rows: parts.iter().map(row).collect(),
        total: Some(Total {
            cells: vec![
                Value::Text("All".to_owned()),
                Value::Quantity(total),
                share(total),
                Value::Growth(figures.total_growth(Measure::Licenses)),
                Value::Trend(figures.trend(|month| figures.total(month, Measure::Licenses))),
            ],
            is_sum,
        }),
        note: note(dimension, total != Some(sum), n_beyond),
    }
}

/// Why parts do not sum to the total, and what is not listed.
fn note(dimension: Dimension, differs: bool, n_beyond: usize) -> String {
    let mut notes = Vec::new();
    if differs && dimension.overlaps() {
        let how =
            if dimension == Dimension::AttachType { "attached in several ways" } else { "held at several locations" };
        notes.push(format!("Overlapping: one license can be {how}, so these parts sum to more than the total."));
    }
    if n_beyond > 0 {
        notes.push(format!("{} smaller ones are not listed.", Quantity::whole(n_beyond as i64).grouped()));
    }
    notes.join(" ")
}
