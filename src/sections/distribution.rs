//! License distribution: by product, by product and country/region, and by five dimensions.

use std::cmp::Reverse;

use crate::base::{Growth, Market, Quantity, Ratio};
use crate::facts::Measure;
use crate::report::words::{self, Shares};
use crate::report::{
    Block, Chart, Choice, Column, ColumnKind, Donut, GroupPart, Panel, PartChoice, PartGroup, Section, SectionKind,
    Slice, Slot, Table, Total, Value,
};

use super::Context;
use super::figures::{Part, Product};
use super::tally::Dimension;

/// How many countries/regions a product's breakdown names; the rest are *Others*. As Partner Center does.
const NAMED_MARKETS_MAX: usize = 4;

/// How many parts stand beside one another in a panel; longer leaderboards take the full width.
const PANEL_ROWS_MAX: usize = 12;

/// How many parts of a chosen dimension are shown; its leaderboard has all.
const CHOSEN_PARTS_MAX: usize = 12;

/// The longest leaderboard; what is beyond is counted below it.
const LEADERBOARD_ROWS_MAX: usize = 1_000;

pub(super) fn section(context: &Context<'_>) -> Section {
    let mut blocks = Vec::new();
    if let Some(donut) = by_product(context) {
        blocks.push(Block::Chart(Chart::Donut(donut)));
    }
    let products = &context.figures.products;
    let breakdowns: Vec<Breakdown<'_>> = products.iter().map(|product| breakdown(context, product)).collect();
    if !breakdowns.is_empty() {
        let panels =
            breakdowns.iter().enumerate().map(|(n, breakdown)| breakdown_panel(context, n, breakdown)).collect();
        let heading = Block::Heading("By product and country/region".to_owned());
        blocks.push(Block::OnPaper(vec![heading, Block::Panels { columns: 3, panels }]));
        blocks.push(Block::Choice(Choice::Parts(country_choice(context, &breakdowns))));
        blocks.push(Block::Choice(Choice::Parts(dimension_choice(context))));
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
struct Breakdown<'a> {
    product: &'a Product,
    whole: Option<Quantity>,
    parts: Vec<(&'static str, Quantity)>,
}

fn breakdown<'a>(context: &Context<'_>, product: &'a Product) -> Breakdown<'a> {
    let figures = context.figures;
    let month = context.current();
    let markets = figures.product_markets(&product.name, month, Measure::Licenses);
    let whole = figures.product(&product.name, month, Measure::Licenses);
    Breakdown { product, whole, parts: largest_and_others(markets) }
}

/// The largest countries/regions, and the sum of all others.
fn largest_and_others(mut markets: Vec<(Market, Quantity)>) -> Vec<(&'static str, Quantity)> {
    markets.retain(|(_, licenses)| *licenses != Quantity::ZERO);
    markets.sort_by_key(|(market, licenses)| (Reverse(*licenses), market.name()));
    let named = if markets.len() == NAMED_MARKETS_MAX + 1 { NAMED_MARKETS_MAX + 1 } else { NAMED_MARKETS_MAX };
    let others: Quantity = markets.iter().skip(named).map(|(_, licenses)| *licenses).sum();
    let is_cut = markets.len() > named;
    let largest = markets.into_iter().take(named).map(|(market, licenses)| (market.name(), licenses));
    largest.chain(is_cut.then_some(("Others", others))).collect()
}

fn breakdown_panel(context: &Context<'_>, n: usize, breakdown: &Breakdown<'_>) -> Panel {
    let Breakdown { product, whole, parts } = breakdown;
    let row = |(name, licenses): &(&str, Quantity)| {
        vec![
            Value::Text((*name).to_owned()),
            Value::Quantity(Some(*licenses)),
            Value::Ratio(whole.and_then(|whole| Ratio::new(*licenses, whole))),
        ]
    };
    let table = Table {
        key: format!("product_{}_countries", n + 1),
        caption: format!("{} by customer country/region, {}", product.name, context.current().long()),
        columns: vec![
            Column::new("Country/region", ColumnKind::Text),
            Column::new("Licenses", ColumnKind::QuantityBar),
            Column::new("Share", ColumnKind::Ratio),
        ],
        rows: parts.iter().map(row).collect(),
        total: None,
        note: String::new(),
    };
    Panel {
        title: product.name.to_string(),
        slot: Some(product.slot),
        note: whole.map_or("n/a".to_owned(), Quantity::grouped),
        blocks: vec![Block::Table(table)],
        footnote: String::new(),
    }
}

/// All products and each of them, by country/region.
fn country_choice(context: &Context<'_>, breakdowns: &[Breakdown<'_>]) -> PartChoice {
    let figures = context.figures;
    let month = context.current();
    let title = "Licenses by country/region";
    let whole = figures.total(month, Measure::Licenses);
    let licenses = |(market, course)| figures.of(course, month, Measure::Licenses).map(|licenses| (market, licenses));
    let all = largest_and_others(figures.markets().into_iter().filter_map(licenses).collect());
    let slices: Vec<Slice> =
        all.iter().map(|(name, value)| Slice { name: (*name).to_owned(), slot: Slot::Accent, value: *value }).collect();
    let lacking = figures.lacking(month, Measure::Licenses);
    let shares = whole.map(|whole| Shares { month, whole, slices: &slices, lacking: &lacking });
    let group = |name: &str, whole: Option<Quantity>, parts: &[(&str, Quantity)]| PartGroup {
        name: name.to_owned(),
        whole,
        parts: parts
            .iter()
            .map(|(name, value)| GroupPart {
                name: (*name).to_owned(),
                value: Some(*value),
                share: whole.and_then(|whole| Ratio::new(*value, whole)),
                growth: Growth::Absent,
            })
            .collect(),
        note: String::new(),
    };
    let each = breakdowns.iter().map(|breakdown| group(&breakdown.product.name, breakdown.whole, &breakdown.parts));
    PartChoice {
        key: "country_choice".to_owned(),
        title: title.to_owned(),
        alt: shares.map_or(title.to_owned(), |shares| words::shares(title, &shares)),
        group_label: "Product".to_owned(),
        part_label: "Country/region".to_owned(),
        value_label: "Licenses".to_owned(),
        is_whole: true,
        groups: [group("All products", whole, &all)].into_iter().chain(each).collect(),
    }
}

/// The five dimensions, each with its largest parts.
fn dimension_choice(context: &Context<'_>) -> PartChoice {
    let figures = context.figures;
    let month = context.current();
    let whole = figures.total(month, Measure::Licenses);
    let group = |dimension: Dimension| {
        let board = board(context, dimension);
        let parts = board.parts.iter().take(CHOSEN_PARTS_MAX);
        let part = |part: &Part<'_>| {
            let value = figures.of_product(part, month, Measure::Licenses);
            GroupPart {
                name: part.label.clone(),
                value,
                share: share(value, whole),
                growth: figures.part_growth(part, Measure::Licenses),
            }
        };
        let n_beyond = board.n_beyond + board.parts.len().saturating_sub(CHOSEN_PARTS_MAX);
        let parts = parts.map(part).collect();
        let mut note = note(dimension, board.differs, 0);
        if n_beyond > 0 {
            let n = Quantity::whole(n_beyond as i64).grouped();
            note = format!("{n} smaller ones are in the table below. {note}").trim_end().to_owned();
        }
        PartGroup { name: title(dimension).to_owned(), whole, parts, note }
    };
    let groups: Vec<PartGroup> = Dimension::ALL.into_iter().map(group).collect();
    let first = groups.first().and_then(|group| group.parts.first()).zip(groups.first());
    let alt = first.map_or(String::new(), |(part, group)| {
        let value = part.value.map_or("n/a".to_owned(), Quantity::grouped);
        format!("Licenses by {}, {}: {} has most, {value}", group.name.to_lowercase(), month.long(), part.name)
    });
    PartChoice {
        key: "dimension_choice".to_owned(),
        title: "Licenses by the dimension of your choice".to_owned(),
        alt: words::ended(&alt),
        group_label: "Dimension".to_owned(),
        part_label: "Part".to_owned(),
        value_label: "Licenses".to_owned(),
        is_whole: false,
        groups,
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

/// The parts of a dimension that are listed, largest first.
struct Board<'a> {
    parts: Vec<Part<'a>>,
    /// How many smaller ones are not listed.
    n_beyond: usize,
    /// Whether all parts sum to something else than the total.
    differs: bool,
}

fn board<'a>(context: &'a Context<'_>, dimension: Dimension) -> Board<'a> {
    let figures = context.figures;
    let month = context.current();
    let mut parts = figures.parts(dimension);
    let current = |part: &Part<'_>| figures.of_product(part, month, Measure::Licenses);
    let first = figures.compared.map(|compared| compared.first);
    parts.retain(|part| {
        let in_first = first.and_then(|first| figures.of_product(part, first, Measure::Licenses));
        [current(part), in_first].into_iter().flatten().any(|value| value != Quantity::ZERO)
    });
    parts.sort_by_key(|part| (Reverse(current(part)), part.label.clone()));
    let sum: Quantity = parts.iter().filter_map(current).sum();
    let differs = figures.total(month, Measure::Licenses) != Some(sum);
    let n_beyond = parts.len().saturating_sub(LEADERBOARD_ROWS_MAX);
    parts.truncate(LEADERBOARD_ROWS_MAX);
    Board { parts, n_beyond, differs }
}

fn share(value: Option<Quantity>, whole: Option<Quantity>) -> Option<Ratio> {
    value.zip(whole).and_then(|(value, whole)| Ratio::new(value, whole))
}

/// Value, share, growth and course of each part, largest first.
fn leaderboard(context: &Context<'_>, dimension: Dimension) -> Table {
    let figures = context.figures;
    let month = context.current();
    let total = figures.total(month, Measure::Licenses);
    let Board { parts, n_beyond, differs } = board(context, dimension);
    let row = |part: &Part<'_>| {
        let value = figures.of_product(part, month, Measure::Licenses);
        vec![
            Value::Text(part.label.clone()),
            Value::Quantity(value),
            Value::Ratio(share(value, total)),
            Value::Growth(figures.part_growth(part, Measure::Licenses)),
            Value::Trend(figures.trend(|month| figures.of_product(part, month, Measure::Licenses))),
        ]
    };
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
                Value::Ratio(share(total, total)),
                Value::Growth(figures.total_growth(Measure::Licenses)),
                Value::Trend(figures.trend(|month| figures.total(month, Measure::Licenses))),
            ],
            is_sum: n_beyond == 0 && !differs,
        }),
        note: note(dimension, differs, n_beyond),
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
