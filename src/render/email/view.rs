//! What a mail's templates may print: every figure as text, ready to stand there.

use serde::Serialize;

use super::{Letter, picture};
use crate::base::{Growth, Quantity, plain_text};
use crate::render::Theme;
use crate::report::words::{counted, since};
use crate::report::{Block, Card, Column, ColumnKind, Figure, Kpi, Report, SectionKind, Table, Value};

/// How many products a mail lists; the rest stand in the attached files, and the mail says how many they are.
const PRODUCT_ROWS_MAX: usize = 12;

/// The names a template may use.
#[derive(Serialize)]
pub(super) struct View {
    title: String,
    partner: String,
    role: String,
    scope: String,
    language: String,
    period: String,
    months: String,
    preliminary: Option<String>,
    correction: Option<String>,
    revision: u32,
    report_id: String,
    report_id_short: String,
    data_on: String,
    contact: String,
    accent: String,
    kpis: Vec<KpiView>,
    readings: Vec<ReadingView>,
    cards: Vec<CardView>,
    products: Option<ProductsView>,
    attachments: Vec<AttachmentView>,
    left_out: Vec<AttachmentView>,
}

#[derive(Serialize)]
struct KpiView {
    label: String,
    note: String,
    figure: String,
    growth: String,
    arrow: &'static str,
    direction: &'static str,
    growth_note: String,
    coverage: String,
    since: String,
    course: String,
    chart: Option<ChartView>,
}

#[derive(Serialize)]
struct ChartView {
    cid: String,
    width: u32,
    height: u32,
}

#[derive(Serialize)]
struct ReadingView {
    lead: String,
    rest: String,
}

#[derive(Serialize)]
struct CardView {
    label: String,
    figure: String,
    note: String,
}

#[derive(Serialize)]
struct ProductsView {
    caption: String,
    name_label: String,
    figure_label: String,
    growth_label: String,
    rows: Vec<ProductView>,
    n_more: usize,
    total: Option<ProductView>,
    note: String,
}

#[derive(Serialize)]
struct ProductView {
    name: String,
    figure: String,
    growth: String,
    arrow: &'static str,
    direction: &'static str,
    is_total: bool,
}

#[derive(Serialize)]
struct AttachmentView {
    name: String,
    size: String,
}

/// The view of a report as one letter has it.
pub(super) fn view(report: &Report, theme: &Theme, letter: &Letter<'_>) -> View {
    let head = &report.head;
    let blocks: Vec<&Block> = report.sections.iter().flat_map(|section| &section.blocks).collect();
    let summary = report.section(SectionKind::Summary);
    let products = summary.and_then(|section| {
        section.blocks.iter().find_map(|block| if let Block::Table(table) = block { Some(table) } else { None })
    });
    View {
        title: plain_text(&head.title),
        partner: plain_text(&head.partner_name),
        role: plain_text(&head.role),
        scope: plain_text(&head.scope),
        language: plain_text(&head.language),
        period: head.period.long(),
        months: counted(head.range.n_months(), "month", "months"),
        // The banners of a mail say that word themselves.
        preliminary: head.preliminary.as_deref().map(|text| plain_text(text.trim_start_matches("Preliminary: "))),
        correction: head.correction.as_deref().map(plain_text),
        revision: head.revision,
        report_id: head.edition.to_string(),
        report_id_short: head.edition.0.spoken(),
        data_on: head.data_at.format("%-d %b %Y").to_string(),
        contact: plain_text(&head.contact),
        accent: theme.accent.hex(),
        kpis: report.kpis().enumerate().map(|(n, of)| kpi(report, letter, n, of)).collect(),
        readings: blocks.iter().filter_map(|block| reading(block)).collect(),
        cards: blocks.iter().filter_map(|block| cards(block)).flatten().map(card).collect(),
        products: products.and_then(product_table),
        attachments: files(letter.attached),
        left_out: files(letter.left_out),
    }
}

fn files(files: &[(&str, u64)]) -> Vec<AttachmentView> {
    files.iter().map(|(name, n_bytes)| AttachmentView { name: plain_text(name), size: size(*n_bytes) }).collect()
}

fn kpi(report: &Report, letter: &Letter<'_>, n: usize, kpi: &Kpi) -> KpiView {
    let (arrow, direction) = direction(kpi.growth);
    let (width, height) = picture::SIZE;
    KpiView {
        label: plain_text(&kpi.label),
        note: plain_text(&kpi.note),
        figure: Value::Quantity(kpi.current).text(),
        growth: kpi.growth.text(),
        arrow,
        direction,
        growth_note: plain_text(&kpi.growth_note),
        coverage: plain_text(&kpi.coverage),
        since: letter.since.map_or(String::new(), |before| since(report, kpi, before)),
        course: plain_text(&kpi.alt),
        chart: picture::content_id(n, kpi, letter).map(|cid| ChartView { cid, width, height }),
    }
}

fn reading(block: &Block) -> Option<ReadingView> {
    let Block::Reading { lead, rest } = block else { return None };
    Some(ReadingView { lead: plain_text(lead), rest: plain_text(rest) })
}

fn cards(block: &Block) -> Option<&[Card]> {
    if let Block::Cards(cards) = block { Some(cards) } else { None }
}

fn card(card: &Card) -> CardView {
    let figure = match card.figure {
        Figure::Ratio(ratio) => Value::Ratio(ratio).text(),
        Figure::Quantity(quantity) => Value::Quantity(quantity).text(),
        Figure::Usd(None) => Value::Usd(None).text(),
        Figure::Usd(usd) => format!("US$ {}", Value::Usd(usd).text()),
    };
    CardView { label: plain_text(&card.label), figure, note: plain_text(&card.note) }
}

/// Three columns of a table, as many as a phone has room for: the name, the first count, the first growth.
fn product_table(table: &Table) -> Option<ProductsView> {
    let first = |fits: fn(ColumnKind) -> bool| table.columns.iter().position(|column| fits(column.kind));
    let name = first(|kind| kind == ColumnKind::Text)?;
    let figure = first(|kind| matches!(kind, ColumnKind::Quantity | ColumnKind::QuantityBar))?;
    let growth = first(|kind| kind == ColumnKind::Growth);
    let text = |cells: &[Value], at: usize| cells.get(at).map_or(String::new(), |value| plain_text(&value.text()));
    let row = |cells: &[Value], is_total: bool| {
        let (arrow, direction) = match growth.and_then(|at| cells.get(at)) {
            Some(Value::Growth(growth)) => direction(*growth),
            _ => ("", ""),
        };
        let growth = growth.map_or(String::new(), |at| text(cells, at));
        ProductView { name: text(cells, name), figure: text(cells, figure), growth, arrow, direction, is_total }
    };
    let label = |at: usize| table.columns.get(at).map_or(String::new(), |Column { label, .. }| plain_text(label));
    Some(ProductsView {
        caption: plain_text(&table.caption),
        name_label: label(name),
        figure_label: label(figure),
        growth_label: growth.map_or(String::new(), label),
        rows: table.rows.iter().take(PRODUCT_ROWS_MAX).map(|cells| row(cells, false)).collect(),
        n_more: table.rows.len().saturating_sub(PRODUCT_ROWS_MAX),
        total: table.total.as_ref().map(|total| row(&total.cells, true)),
        note: plain_text(&table.note),
    })
}

/// The arrow and the class of a growth; neither where nothing rose or fell.
fn direction(growth: Growth) -> (&'static str, &'static str) {
    match growth.direction() {
        1 => ("▲", "rise"),
        -1 => ("▼", "fall"),
        _ => ("", ""),
    }
}

/// `812 bytes`, `130 KB`, `2.4 MB`: thousands, as mail programs count.
fn size(n_bytes: u64) -> String {
    let of = |unit: u64, decimals| {
        let millionths = i64::try_from(u128::from(n_bytes) * 1_000_000 / u128::from(unit)).unwrap_or(i64::MAX);
        Quantity::from_millionths(millionths).rounded(decimals)
    };
    match n_bytes {
        0..1_000 => counted(usize::try_from(n_bytes).unwrap_or(0), "byte", "bytes"),
        1_000..999_500 => format!("{} KB", of(1_000, 0)),
        _ => format!("{} MB", of(1_000_000, 1)),
    }
}

/// Everything that a view can hold, so that checking a template walks through all of it.
pub(super) fn full_sample() -> View {
    let text = || "x".to_owned();
    let product = |is_total| ProductView {
        name: text(),
        figure: text(),
        growth: text(),
        arrow: "▲",
        direction: "rise",
        is_total,
    };
    View {
        preliminary: Some(text()),
        correction: Some(text()),
        revision: 2,
        contact: text(),
        kpis: vec![KpiView {
            label: text(),
            note: text(),
            figure: text(),
            growth: text(),
            arrow: "▼",
            direction: "fall",
            growth_note: text(),
            coverage: text(),
            since: text(),
            course: text(),
            chart: Some(ChartView { cid: text(), width: 1, height: 1 }),
        }],
        readings: vec![ReadingView { lead: text(), rest: text() }],
        cards: vec![CardView { label: text(), figure: text(), note: text() }],
        products: Some(ProductsView {
            caption: text(),
            name_label: text(),
            figure_label: text(),
            growth_label: text(),
            rows: vec![product(false)],
            n_more: 1,
            total: Some(product(true)),
            note: text(),
        }),
        attachments: vec![AttachmentView { name: text(), size: text() }],
        left_out: vec![AttachmentView { name: text(), size: text() }],
        ..bare_sample()
    }
}

/// A view with nothing that may be missing.
pub(super) fn bare_sample() -> View {
    let text = || "x".to_owned();
    View {
        title: text(),
        partner: text(),
        role: text(),
        scope: text(),
        language: text(),
        period: text(),
        months: text(),
        preliminary: None,
        correction: None,
        revision: 1,
        report_id: text(),
        report_id_short: text(),
        data_on: text(),
        contact: String::new(),
        accent: text(),
        kpis: vec![],
        readings: vec![],
        cards: vec![],
        products: None,
        attachments: vec![],
        left_out: vec![],
    }
}
