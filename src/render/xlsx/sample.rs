//! A report with every block in it, for tests.

use chrono::{DateTime, Utc};

use crate::base::{EditionId, Growth, Month, Period, Quantity, Range, Ratio};
use crate::render::sample_map;
use crate::report::{
    Block, Card, Cell, Chart, Column, ColumnKind, Columns, Compared, Donut, Figure, Head, Kpi, Panel, RawColumn,
    RawKind, Report, RowsBuffer, Section, SectionKind, Series, Slice, Slot, Table, Total, Value,
};

const PRODUCTS: [(&str, i64); 5] = [
    ("Microsoft 365", 137_818),
    ("Dynamics 365", 15_464),
    ("Enterprise Mobility + Security", 13_438),
    ("Power BI", 6_962),
    ("<r>Fabric</r>", 1_000),
];

fn whole(n: i64) -> Quantity {
    Quantity::whole(n)
}

pub(super) fn month(text: &str) -> Month {
    text.parse().unwrap()
}

pub(super) fn head(partner_name: &str) -> Head {
    let period: Period = "2026-10".parse().unwrap();
    Head {
        edition: EditionId::of("monthly", period, "1:executive:organization:en", 1),
        revision: 1,
        title: "Product licenses".to_owned(),
        partner_id: "1234566".to_owned(),
        partner_name: partner_name.to_owned(),
        role: "Executive report viewer".to_owned(),
        scope: "Entire organization".to_owned(),
        language: "en".to_owned(),
        period,
        range: Range::ending_with(period, 12),
        compared: Some(Compared { first: month("2025-11"), last: month("2026-10") }),
        preliminary: None,
        correction: None,
        data_at: DateTime::<Utc>::from_timestamp(1_795_240_800, 0).unwrap(),
        contact: "Licensing desk".to_owned(),
        products: Vec::new(),
    }
}

fn course(last: i64) -> Vec<Option<Quantity>> {
    (0..12).map(|n| Some(whole(last - (11 - n) * last / 150 - (n % 3) * last / 400))).collect()
}

fn kpi(label: &str, note: &str, first: i64, last: i64) -> Kpi {
    Kpi {
        key: label.to_lowercase(),
        label: label.to_owned(),
        note: note.to_owned(),
        current: Some(whole(last)),
        growth: Growth::between(Some(whole(first)), Some(whole(last))),
        growth_note: "since Nov 2025".to_owned(),
        trend: course(last),
        trend_current: Some(11),
        coverage: String::new(),
        alt: format!("{label} rose from {} to {}.", whole(first).grouped(), whole(last).grouped()),
    }
}

fn name(n: usize) -> Value {
    Value::Name { name: PRODUCTS[n].0.to_owned(), slot: Slot::Product(n as u8) }
}

fn columns(list: &[(&str, ColumnKind)]) -> Vec<Column> {
    list.iter().map(|(label, kind)| Column::new(label, *kind)).collect()
}

fn share(part: i64, of: i64) -> Value {
    Value::Ratio(Ratio::new(whole(part), whole(of)))
}

fn by_product() -> Table {
    let sum: i64 = PRODUCTS.iter().map(|(_, n)| n).sum();
    let growth = |n: usize| match n {
        1 => Growth::between(Some(whole(16_400)), Some(whole(15_464))),
        3 => Growth::Absent,
        4 => Growth::New,
        _ => Growth::between(Some(whole(100)), Some(whole(108))),
    };
    let row = |n: usize| {
        let licenses = PRODUCTS[n].1;
        let mut trend = course(licenses);
        if n == 2 {
            trend[0] = None;
        }
        vec![
            name(n),
            Value::Quantity(Some(whole(licenses))),
            share(licenses, sum),
            Value::Growth(growth(n)),
            Value::Quantity((n != 3).then(|| "4696.5".parse().unwrap())),
            share(licenses * 7 / 10, licenses),
            Value::Trend(trend),
        ]
    };
    let total = vec![
        Value::Text("All products".to_owned()),
        Value::Quantity(Some(whole(sum))),
        share(sum, sum),
        Value::Growth(Growth::between(Some(whole(161_203)), Some(whole(173_682)))),
        Value::Quantity(Some("18786".parse().unwrap())),
        share(7, 10),
        Value::Trend(course(sum)),
    ];
    Table {
        key: "by_product".to_owned(),
        caption: "Licenses by product in October 2026".to_owned(),
        columns: columns(&[
            ("Product", ColumnKind::Text),
            ("Licenses", ColumnKind::Quantity),
            ("Share", ColumnKind::Ratio),
            ("Growth", ColumnKind::Growth),
            ("Licenses deployed", ColumnKind::Quantity),
            ("Usage", ColumnKind::Ratio),
            ("12 months", ColumnKind::Trend),
        ]),
        rows: (0..PRODUCTS.len()).map(row).collect(),
        total: Some(Total { cells: total, is_sum: true }),
        note: "Deployed licenses are not known for Power BI; the total sums what is known.".to_owned(),
    }
}

fn summary() -> Section {
    Section {
        kind: SectionKind::Summary,
        title: "Product licenses".to_owned(),
        lead: String::new(),
        blocks: vec![
            Block::Kpis(vec![
                kpi("Licenses", "sold or managed", 161_203, 173_682),
                kpi("Licenses deployed", "assigned to users", 123_346, 136_134),
                kpi("Active licenses", "any use in 30 days", 118_000, 113_360),
            ]),
            Block::Reading {
                lead: "Licenses grew 7.74% to 173,682; 78% of them are assigned.".to_owned(),
                rest: "Active use fell by 3.93%; Power BI grew fastest, by 22.66%. ".repeat(3),
            },
            Block::Cards(vec![
                Card {
                    label: "Deployment".to_owned(),
                    figure: Figure::Ratio(Ratio::new(whole(136_134), whole(173_682))),
                    note: "deployed / licenses".to_owned(),
                },
                Card { label: "Usage".to_owned(), figure: Figure::Ratio(None), note: "active / licenses".to_owned() },
                Card {
                    label: "Unassigned".to_owned(),
                    figure: Figure::Quantity(Some(whole(37_548))),
                    note: "licenses that nobody holds".to_owned(),
                },
            ]),
            Block::Heading("By product".to_owned()),
            Block::Table(by_product()),
        ],
    }
}

fn geography() -> Section {
    let markets = ["Germany", "France", "=SUM(A1)", "日本", "المملكة العربية السعودية", "<r>x</r>"];
    let rows = markets.iter().zip([90_i64, 60, 30, 12, 5, 3]).map(|(market, n)| {
        vec![
            Value::Text((*market).to_owned()),
            Value::Quantity(Some(whole(n * 100))),
            share(n, 200),
            Value::Quantity((n != 5).then(|| whole(n * 70))),
            Value::Usd(Some("12345.678".parse().unwrap())),
        ]
    });
    let table = Table {
        key: "countries".to_owned(),
        caption: "Licenses by country/region".to_owned(),
        columns: columns(&[
            ("Country/region", ColumnKind::Text),
            ("Current licenses (includes unassigned)", ColumnKind::QuantityBar),
            ("Share", ColumnKind::Ratio),
            ("Active licenses", ColumnKind::QuantityBar),
            ("Revenue [USD] #1", ColumnKind::Usd),
        ]),
        rows: rows.collect(),
        total: Some(Total {
            cells: vec![
                Value::Text("All countries/regions".to_owned()),
                Value::Quantity(Some(whole(20_000))),
                share(1, 1),
                Value::Quantity(Some(whole(13_650))),
                Value::Usd(Some("74074.068".parse().unwrap())),
            ],
            is_sum: true,
        }),
        note: String::new(),
    };
    Section {
        kind: SectionKind::Geography,
        title: "Geographical spread of licenses".to_owned(),
        lead: "6 countries/regions hold 20,000 licenses.".to_owned(),
        blocks: vec![Block::Chart(Chart::Map(sample_map::map(6))), Block::Table(table)],
    }
}

fn series(n: usize, values: impl Fn(usize) -> Option<Quantity>) -> Series {
    Series { name: PRODUCTS[n].0.to_owned(), slot: Slot::Product(n as u8), values: (0..12).map(values).collect() }
}

fn adds(key: &str, products: std::ops::Range<usize>) -> Columns {
    let period: Period = "2026-10".parse().unwrap();
    let scale = |n: usize| PRODUCTS[n].1 / 100;
    Columns {
        key: key.to_owned(),
        title: String::new(),
        alt: "Licenses added and removed by month, long words. ".repeat(8),
        x_title: "Months".to_owned(),
        y_title: "Licenses added".to_owned(),
        months: Range::ending_with(period, 12).months().collect(),
        above: products
            .clone()
            .map(|n| series(n, |m| (m != 3 || n != 1).then(|| whole(scale(n) + (m as i64 * 37 % 11) * scale(n) / 12))))
            .collect(),
        below: products.map(|n| series(n, |m| Some(whole(scale(n) * (m as i64 % 4) / 8)))).collect(),
    }
}

fn license_adds() -> Section {
    let panel = |n: usize| Panel {
        title: PRODUCTS[n].0.to_owned(),
        slot: Some(Slot::Product(n as u8)),
        note: "12,483 added, 4,429 removed".to_owned(),
        blocks: vec![Block::Chart(Chart::Columns(adds(&format!("adds_{n}"), n..n + 1)))],
        footnote: "October: E3 480 · Exchange Online (Plan 1) 259 · others 107".to_owned(),
    };
    Section {
        kind: SectionKind::LicenseAdds,
        title: "License adds".to_owned(),
        lead: "1,895 licenses were added in October, 25% more than in September; 532 were removed (below the axis)."
            .to_owned(),
        blocks: vec![
            Block::Chart(Chart::Columns(adds("adds", 0..5))),
            Block::Panels { columns: 2, panels: vec![panel(0), panel(1)] },
        ],
    }
}

fn distribution() -> Section {
    let sum: i64 = PRODUCTS.iter().map(|(_, n)| n).sum();
    let slice =
        |n: usize| Slice { name: PRODUCTS[n].0.to_owned(), slot: Slot::Product(n as u8), value: whole(PRODUCTS[n].1) };
    let donut = Donut {
        key: "products".to_owned(),
        title: "By product".to_owned(),
        alt: "Microsoft 365 holds 78.9% of 174,682 licenses".to_owned(),
        centre_label: "Licenses".to_owned(),
        centre: whole(sum),
        slices: (0..5).map(slice).collect(),
    };
    let board = |key: &str, names: [&str; 3]| Table {
        key: key.to_owned(),
        caption: String::new(),
        columns: columns(&[
            ("Name", ColumnKind::Text),
            ("Licenses", ColumnKind::QuantityBar),
            ("Share", ColumnKind::Ratio),
            ("Growth", ColumnKind::Growth),
            ("12 months", ColumnKind::Trend),
        ]),
        rows: names
            .iter()
            .zip([700, 200, 100])
            .map(|(name, n)| {
                vec![
                    Value::Text((*name).to_owned()),
                    Value::Quantity(Some(whole(n))),
                    share(n, 1000),
                    Value::Growth(Growth::between(Some(whole(n)), Some(whole(n)))),
                    Value::Trend(course(n)),
                ]
            })
            .collect(),
        total: None,
        note: "Parts may overlap and sum to more.".to_owned(),
    };
    let panel = |title: &str, table: Table| Panel {
        title: title.to_owned(),
        slot: None,
        note: String::new(),
        blocks: vec![Block::Table(table)],
        footnote: String::new(),
    };
    let mut empty = board("segments", ["", "", ""]);
    empty.rows.clear();
    Section {
        kind: SectionKind::Distribution,
        title: "License distribution".to_owned(),
        lead: "Microsoft 365 holds 78.9% of all licenses.".to_owned(),
        blocks: vec![
            Block::Chart(Chart::Donut(donut)),
            Block::Panels {
                columns: 2,
                panels: vec![
                    panel("By partner location", board("locations", ["Example Distribution GmbH", "Wien", "wien"])),
                    panel("By SKU", board("skus", ["E3*", "E5", &"A very long SKU name ".repeat(10)])),
                    panel("By segment", empty),
                ],
            },
        ],
    }
}

fn raw_columns() -> Vec<RawColumn> {
    let column = |key: &str, label: &str, kind| RawColumn { key: key.to_owned(), label: label.to_owned(), kind };
    let text = |key: &str, label: &str| column(key, label, RawKind::Text);
    vec![
        column("month", "Month", RawKind::Month),
        text("location_name", "Partner location"),
        text("customer_id", "Customer tenant ID"),
        text("customer_name", "Customer"),
        text("customer_market", "Country/region"),
        text("product", "Product"),
        text("sku", "SKU"),
        text("sales_channel", "Sales channel"),
        text("segment", "Segment"),
        column("licenses", "Licenses", RawKind::Quantity),
        column("deployed", "Licenses deployed", RawKind::Quantity),
        column("active", "Active licenses", RawKind::Quantity),
        column("added", "Licenses added", RawKind::Quantity),
        column("billed_revenue_usd", "Billed revenue (USD)", RawKind::Usd),
    ]
}

/// So many raw rows, with an odd one here and there.
pub(super) fn rows(n_rows: u64) -> RowsBuffer {
    let mut rows = RowsBuffer::new(raw_columns());
    let customers = ["Example Bakery", "=cmd()", "<r>x</r>", "Ελληνική Εταιρεία", "株式会社例", "365"];
    for n in 0..n_rows {
        let licenses = Quantity::from_millionths(n as i64 % 97 * 1_000_000 + if n % 10 == 0 { 469_000 } else { 0 });
        let tenant = format!("{:08x}-0000-4000-8000-{:012x}", n * 2_654_435_761 % 4_294_967_296, n % 150);
        rows.push(&[
            Cell::Month(month("2026-01").plus((n % 10) as i32)),
            Cell::Text(["Berlin", "Wien"][n as usize % 2]),
            Cell::Text(&tenant),
            Cell::Text(customers[n as usize % customers.len()]),
            Cell::Text(["DE", "AT", "FR"][n as usize % 3]),
            Cell::Text(PRODUCTS[n as usize % 5].0),
            Cell::Text(["E3", "E5", "Business Premium"][n as usize % 3]),
            Cell::Text("CSP"),
            Cell::Text("SMB"),
            Cell::Quantity(licenses),
            if n % 7 == 0 { Cell::Absent } else { Cell::Quantity(licenses) },
            Cell::Quantity(Quantity::ZERO),
            Cell::Quantity(whole(1)),
            Cell::Quantity("12.5".parse().unwrap()),
        ]);
    }
    rows
}

/// A report with every section and block.
pub(super) fn report(n_rows: u64) -> Report {
    let raw = Section {
        kind: SectionKind::RawData,
        title: "Raw data".to_owned(),
        lead: "The rows behind the figures.".to_owned(),
        blocks: vec![Block::RawRows { columns: raw_columns(), n_rows }],
    };
    let about = Section {
        kind: SectionKind::About,
        title: "About this report".to_owned(),
        lead: String::new(),
        blocks: vec![
            Block::Heading("Definitions".to_owned()),
            Block::Definitions(vec![
                ("Licenses".to_owned(), "Sold or managed, in the last full month. ".repeat(6)),
                ("Active licenses".to_owned(), "Any use in 30 days.".to_owned()),
            ]),
            Block::Heading("Withheld".to_owned()),
            Block::Text("Customer names are not shown for Report viewer; ask your Global admin.".to_owned()),
        ],
    };
    let sections = vec![summary(), geography(), license_adds(), distribution(), raw, about];
    Report { head: head("Example & Söhne Distribution"), sections }
}
