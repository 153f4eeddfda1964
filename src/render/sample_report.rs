//! Reports that have everything in them, for the tests of the renderers: invented figures, odd names, bad days.

use chrono::{TimeZone, Utc};

use super::sample_map;
use crate::base::{EditionId, Growth, Month, Quantity, Range, Ratio};
use crate::report::words::{self, Course};
use crate::report::{
    Block, Card, Chart, Column, ColumnKind, Columns, Compared, Donut, Figure, Head, Kpi, Panel, RawColumn, RawKind,
    Report, Section, SectionKind, Series, Slice, Slot, Table, Total, Value,
};

/// Products of the sample with their licenses in the first and the last month.
const PRODUCTS: [(&str, i64, i64); 5] = [
    ("Office 365", 91_606, 99_054),
    ("Microsoft 365", 34_242, 38_764),
    ("Dynamics 365", 16_406, 15_464),
    ("Enterprise Mobility + Security", 13_284, 13_438),
    ("Power BI", 5_676, 6_962),
];

/// Names that a partner, a customer or a place may have.
pub(crate) const ODD_NAMES: [&str; 12] = [
    "شركة المثال للتوزيع (ABC)",
    "חברת הדוגמה בע״מ",
    "उदाहरण वितरण कंपनी",
    "บริษัท ตัวอย่าง จำกัด",
    "株式会社サンプル商事",
    "示例分销有限公司",
    "예시 유통 주식회사",
    "Παράδειγμα Διανομές",
    "Пример Дистрибуция",
    "Ñandú Łódź Østfold Þórður",
    "<r>x</r> & \"quoted\" =1+1",
    "Zażółć gęślą jaźń \u{1f600} \u{10fffd}",
];

/// A name of 200 characters.
pub(crate) fn long_name() -> String {
    "Long Name Holding and Distribution Company of the Northern Provinces ".chars().cycle().take(200).collect()
}

fn whole(n: i64) -> Option<Quantity> {
    Some(Quantity::whole(n))
}

/// A course of so many months from one value to another, with some unrest in it.
fn course(first: i64, last: i64, n: usize) -> Vec<Option<Quantity>> {
    let steps = n.saturating_sub(1).max(1) as i64;
    (0..n as i64)
        .map(|at| {
            let unrest = if at == 0 || at == steps { 0 } else { (at * 7919 % 13 - 6) * (last - first).abs() / 60 };
            whole(if n == 1 { last } else { first + (last - first) * at / steps + unrest })
        })
        .collect()
}

/// A course that ends with the sample's period.
fn all_full(values: &[Option<Quantity>]) -> Course<'_> {
    let last: Month = "2026-10".parse().unwrap();
    Course { first: last.plus(1 - values.len() as i32), values, open: &[], is_alike: true }
}

fn head(n_months: u32) -> Head {
    let period = "2026-10".parse().unwrap();
    let range = Range::ending_with(period, n_months);
    Head {
        edition: EditionId::of("monthly", period, "4711", 1),
        revision: 1,
        title: "Product licenses".to_owned(),
        partner_id: "4711".to_owned(),
        partner_name: "Example Distribution".to_owned(),
        role: "Executive report viewer".to_owned(),
        scope: "Entire organization".to_owned(),
        language: "en".to_owned(),
        period,
        range,
        compared: Some(Compared { first: range.first(), last: range.last() }),
        preliminary: None,
        correction: None,
        data_at: Utc.with_ymd_and_hms(2026, 11, 21, 4, 30, 0).unwrap(),
        contact: "Licensing desk, licensing@example.com".to_owned(),
        products: product_series(0),
    }
}

fn product_series(n_months: usize) -> Vec<Series> {
    PRODUCTS
        .iter()
        .enumerate()
        .map(|(n, (name, first, last))| Series {
            name: (*name).to_owned(),
            slot: Slot::Product(n as u8),
            values: if n_months == 0 { Vec::new() } else { course(*first, *last, n_months) },
        })
        .collect()
}

/// The whole report: every kind of block, 60 countries, names in every script.
pub(crate) fn full(n_months: u32) -> Report {
    let mut head = head(n_months);
    head.preliminary = Some("Preliminary: October 2026 is not complete; figures compare September 2026.".to_owned());
    head.correction = Some("Corrected: revision 1 left out the licenses of one location.".to_owned());
    let n = n_months as usize;
    let sections = vec![summary(n), geography(n), adds(head.range), distribution(n), raw_data(), about()];
    Report { head, sections }
}

/// A report without any figure.
pub(crate) fn empty() -> Report {
    let mut report = full(12);
    report.head.compared = None;
    for section in &mut report.sections {
        section.blocks.retain_mut(empty_block);
    }
    report
}

fn empty_block(block: &mut Block) -> bool {
    match block {
        Block::Kpis(kpis) => kpis.iter_mut().for_each(|kpi| {
            kpi.current = None;
            kpi.growth = Growth::Absent;
            kpi.trend.fill(None);
            kpi.alt = words::ended(&words::level(&kpi.label, &all_full(&kpi.trend)));
        }),
        Block::Cards(cards) => cards.iter_mut().for_each(|card| card.figure = Figure::Ratio(None)),
        Block::Table(table) => {
            table.rows.clear();
            table.total = None;
        }
        Block::Chart(Chart::Columns(chart)) => chart.months.clear(),
        Block::Chart(Chart::Donut(chart)) => chart.slices.clear(),
        Block::Chart(Chart::Map(chart)) => chart.values.clear(),
        Block::Panels { panels, .. } => {
            for panel in panels {
                panel.blocks.retain_mut(empty_block);
            }
        }
        Block::OnPaper(blocks) => blocks.retain_mut(empty_block),
        Block::RawRows { n_rows, .. } => *n_rows = 0,
        Block::Reading { .. } => return false,
        Block::Heading(_) | Block::Text(_) | Block::Definitions(_) | Block::Choice(_) => {}
    }
    true
}

fn kpi(key: &str, label: &str, note: &str, first: i64, last: i64, n: usize) -> Kpi {
    let trend = course(first, last, n);
    Kpi {
        alt: words::ended(&words::level(label, &all_full(&trend))),
        key: key.to_owned(),
        label: label.to_owned(),
        note: note.to_owned(),
        current: whole(last),
        growth: Growth::between(whole(first), whole(last)),
        growth_note: "since Nov 2025".to_owned(),
        trend,
        trend_current: n.checked_sub(1),
        coverage: String::new(),
    }
}

fn columns(all: &[(&str, ColumnKind)]) -> Vec<Column> {
    all.iter().map(|(label, kind)| Column::new(label, *kind)).collect()
}

fn ratio(part: i64, of: i64) -> Value {
    Value::Ratio(Ratio::new(Quantity::whole(part), Quantity::whole(of)))
}

fn summary(n: usize) -> Section {
    let mut active = kpi("active", "Active licenses", "any use in 30 days", 108_251, 113_360, n);
    active.coverage = "Without Power BI: its source does not count use.".to_owned();
    let card = |label: &str, figure, note: &str| Card { label: label.to_owned(), figure, note: note.to_owned() };
    let of = |part, whole| Figure::Ratio(Ratio::new(Quantity::whole(part), Quantity::whole(whole)));
    Section {
        kind: SectionKind::Summary,
        title: "Summary".to_owned(),
        lead: String::new(),
        blocks: vec![
            Block::Kpis(vec![
                kpi("licenses", "Licenses", "sold or managed", 161_203, 173_682, n),
                kpi("deployed", "Licenses deployed", "assigned to users", 123_343, 136_134, n),
                active,
            ]),
            Block::Reading {
                lead: "Licenses grew 7.74% to 173,682; 78% of them are assigned.".to_owned(),
                rest: "Active use grew by 4.72%, slower than licenses; Power BI grew fastest, by 22.66%.".to_owned(),
            },
            Block::Cards(vec![
                card("Deployment", of(136_134, 173_682), "deployed / licenses"),
                card("Usage", of(240, 100), "active / licenses; more users than licenses"),
                card("Unassigned", Figure::Quantity(whole(37_548)), "licenses that nobody holds"),
            ]),
            Block::Heading("By product".to_owned()),
            Block::Table(by_product(n)),
        ],
    }
}

fn by_product(n: usize) -> Table {
    let row = |(at, (name, first, last)): (usize, &(&str, i64, i64))| {
        let deployed = if at == 4 { None } else { whole(last * 8 / 10) };
        vec![
            Value::Name { name: (*name).to_owned(), slot: Slot::Product(at as u8) },
            Value::Quantity(whole(*last)),
            ratio(*last, 173_682),
            Value::Growth(Growth::between(whole(*first), whole(*last))),
            Value::Quantity(deployed),
            Value::Quantity(whole(last * 13 / 20)),
            ratio(13, 20),
            Value::Trend(course(*first, *last, n)),
        ]
    };
    Table {
        key: "products".to_owned(),
        caption: "Licenses by product".to_owned(),
        columns: columns(&[
            ("Product", ColumnKind::Text),
            ("Licenses", ColumnKind::Quantity),
            ("Share", ColumnKind::Ratio),
            ("Growth", ColumnKind::Growth),
            ("Deployed", ColumnKind::Quantity),
            ("Active", ColumnKind::Quantity),
            ("Usage", ColumnKind::Ratio),
            ("12 months", ColumnKind::Trend),
        ]),
        rows: PRODUCTS.iter().enumerate().map(row).collect(),
        total: Some(Total {
            cells: vec![
                Value::Text("All products".to_owned()),
                Value::Quantity(whole(173_682)),
                ratio(1, 1),
                Value::Growth(Growth::between(whole(161_203), whole(173_682))),
                Value::Quantity(whole(136_134)),
                Value::Quantity(whole(113_360)),
                ratio(113_360, 173_682),
                Value::Trend(course(161_203, 173_682, n)),
            ],
            is_sum: true,
        }),
        note: "Deployed does not include Power BI: its source does not carry it.".to_owned(),
    }
}

fn geography(n: usize) -> Section {
    let markets = celes_names();
    let rows = markets.iter().enumerate().map(|(at, name)| {
        let licenses = 40_000 / (at as i64 + 1);
        vec![
            Value::Text(name.clone()),
            Value::Quantity(whole(licenses)),
            ratio(licenses, 187_000),
            Value::Quantity(if at % 9 == 8 { None } else { whole(licenses * 2 / 3) }),
            ratio(licenses, 187_000),
            Value::Growth(Growth::between(whole(at as i64 % 4 * 100), whole(licenses / 20 + at as i64))),
            Value::Trend(course(licenses / 2, licenses, n)),
        ]
    });
    Section {
        kind: SectionKind::Geography,
        title: "Geographical spread of licenses".to_owned(),
        lead: "Licenses in 60 countries and regions; Japan, Germany and Brazil hold half of them.".to_owned(),
        blocks: vec![
            Block::Chart(Chart::Map(sample_map::map(60))),
            Block::Table(Table {
                key: "countries".to_owned(),
                caption: "Licenses by country/region".to_owned(),
                columns: columns(&[
                    ("Country/region", ColumnKind::Text),
                    ("Current licenses (includes unassigned)", ColumnKind::QuantityBar),
                    ("Share", ColumnKind::Ratio),
                    ("Active licenses", ColumnKind::Quantity),
                    ("Share of active licenses", ColumnKind::Ratio),
                    ("Growth", ColumnKind::Growth),
                    ("Course", ColumnKind::Trend),
                ]),
                rows: rows.collect(),
                total: Some(Total {
                    cells: vec![
                        Value::Text("All countries/regions".to_owned()),
                        Value::Quantity(whole(187_000)),
                        ratio(1, 1),
                        Value::Quantity(whole(124_000)),
                        ratio(1, 1),
                        Value::Growth(Growth::Absent),
                        Value::Trend(Vec::new()),
                    ],
                    is_sum: true,
                }),
                note: "Unknown: the customer's country is not in the source.".to_owned(),
            }),
        ],
    }
}

fn celes_names() -> Vec<String> {
    let plain = ["Japan", "Germany", "Brazil", "France", "India", "Canada", "United States", "Bosnia and Herzegovina"];
    let odd = ODD_NAMES.iter().map(|name| (*name).to_owned()).chain([long_name(), "W".repeat(120)]);
    let rest = (0..).map(|n| format!("Country {n}"));
    plain.iter().map(|name| (*name).to_owned()).chain(odd).chain(rest).take(60).collect()
}

fn flows(range: Range, scale: i64) -> Vec<Option<Quantity>> {
    range.months().enumerate().map(|(at, _)| whole((at as i64 * 37 % 11 + 4) * scale)).collect()
}

fn adds(range: Range) -> Section {
    let months: Vec<Month> = range.months().collect();
    let series = |at: usize, scale: i64| Series {
        name: PRODUCTS[at].0.to_owned(),
        slot: Slot::Product(at as u8),
        values: flows(range, scale),
    };
    let scales = [(0, 120, 40), (1, 60, 15), (2, 7, 15), (3, 9, 7), (4, 14, 3)];
    let chart = |key: &str, title: &str, above, below| Columns {
        key: key.to_owned(),
        title: title.to_owned(),
        alt: "Licenses added and removed a month".to_owned(),
        x_title: String::new(),
        y_title: String::new(),
        months: months.clone(),
        above,
        below,
    };
    let panel = |&(at, up, down): &(usize, i64, i64)| Panel {
        title: PRODUCTS[at].0.to_owned(),
        slot: Some(Slot::Product(at as u8)),
        note: "12,483 added, 4,429 removed".to_owned(),
        blocks: vec![Block::Chart(Chart::Columns(chart(
            &format!("adds_{at}"),
            PRODUCTS[at].0,
            vec![series(at, up)],
            vec![series(at, down)],
        )))],
        footnote: "October: Office 365 E3 480 · Exchange Online (Plan 1) 259 · Office 365 E1 115 · others 107"
            .to_owned(),
    };
    let all = Columns {
        x_title: "Months".to_owned(),
        y_title: "Licenses added".to_owned(),
        ..chart(
            "adds",
            "License adds",
            scales.iter().map(|(at, up, _)| series(*at, *up)).collect(),
            scales.iter().map(|(at, _, down)| series(*at, *down)).collect(),
        )
    };
    Section {
        kind: SectionKind::LicenseAdds,
        title: "License adds".to_owned(),
        lead: "1,895 licenses were added in October, 25% more than in September; 532 were removed (below the axis)."
            .to_owned(),
        blocks: vec![
            Block::Chart(Chart::Columns(all)),
            Block::Panels { columns: 2, panels: scales.iter().map(panel).collect() },
        ],
    }
}

fn leaderboard(key: &str, title: &str, names: &[&str], n: usize, note: &str) -> Panel {
    let rows = names.iter().enumerate().map(|(at, name)| {
        let (value, first) = (90_000 / (at as i64 + 1), 70_000 / (at as i64 * 2 + 1));
        vec![
            Value::Text((*name).to_owned()),
            Value::Quantity(whole(value)),
            ratio(value, 173_682),
            Value::Growth(Growth::between(whole(first), whole(value))),
            Value::Trend(course(first, value, n)),
        ]
    });
    Panel {
        title: title.to_owned(),
        slot: None,
        note: String::new(),
        blocks: vec![Block::Table(Table {
            key: key.to_owned(),
            caption: title.to_owned(),
            columns: columns(&[
                ("Name", ColumnKind::Text),
                ("Licenses", ColumnKind::QuantityBar),
                ("Share", ColumnKind::Ratio),
                ("Growth", ColumnKind::Growth),
                ("Course", ColumnKind::Trend),
            ]),
            rows: rows.collect(),
            total: None,
            note: String::new(),
        })],
        footnote: note.to_owned(),
    }
}

fn breakdown(at: usize) -> Panel {
    let names = ["Japan", "Brazil", "United States", "Bosnia and Herzegovina", "Others"];
    let rows = names.iter().enumerate().map(|(n, name)| {
        let name = if *name == "Others" {
            Value::Name { name: (*name).to_owned(), slot: Slot::Others }
        } else {
            Value::Text((*name).to_owned())
        };
        let value = 40_000 / (n as i64 + 1);
        vec![name, Value::Quantity(whole(value)), ratio(value, 100_000)]
    });
    Panel {
        title: PRODUCTS[at].0.to_owned(),
        slot: Some(Slot::Product(at as u8)),
        note: String::new(),
        blocks: vec![Block::Table(Table {
            key: format!("product_countries_{at}"),
            caption: String::new(),
            columns: columns(&[
                ("Country/region", ColumnKind::Text),
                ("Licenses", ColumnKind::QuantityBar),
                ("Share", ColumnKind::Ratio),
            ]),
            rows: rows.collect(),
            total: None,
            note: String::new(),
        })],
        footnote: String::new(),
    }
}

fn distribution(n: usize) -> Section {
    let slices = PRODUCTS.iter().enumerate().map(|(at, (name, _, last))| Slice {
        name: (*name).to_owned(),
        slot: Slot::Product(at as u8),
        value: Quantity::whole(*last),
    });
    let donut = Donut {
        key: "by_product".to_owned(),
        title: "Licenses by product".to_owned(),
        alt: "Office 365 holds 57 % of all licenses".to_owned(),
        centre_label: "Licenses".to_owned(),
        centre: Quantity::whole(173_682),
        slices: slices.collect(),
    };
    let overlap =
        "Overlapping: one license can be attached in several ways, so these parts sum to more than the total.";
    let odd: Vec<&str> = ODD_NAMES.iter().copied().take(6).collect();
    Section {
        kind: SectionKind::Distribution,
        title: "License distribution".to_owned(),
        lead: "Office 365 holds 57% of all licenses.".to_owned(),
        blocks: vec![
            Block::Chart(Chart::Donut(donut)),
            Block::Panels { columns: 3, panels: (0..5).map(breakdown).collect() },
            Block::Heading("By location, channel, attach type and segment".to_owned()),
            Block::Panels {
                columns: 2,
                panels: vec![
                    leaderboard("locations", "Partner location", &odd, n, ""),
                    leaderboard("channels", "Sales channel", &["CSP", "EA", "CSP indirect", "Direct"], n, ""),
                    leaderboard("attach", "Attach type", &["CSP Tier 1", "Partner admin link", "CPOR"], n, overlap),
                    leaderboard("segments", "Customer segment", &[&long_name(), "Public Sector"], n, ""),
                ],
            },
        ],
    }
}

fn raw_data() -> Section {
    let column = |key: &str, kind| RawColumn { key: key.to_owned(), label: key.to_owned(), kind };
    Section {
        kind: SectionKind::RawData,
        title: "Raw data".to_owned(),
        lead: String::new(),
        blocks: vec![Block::RawRows {
            columns: vec![column("month", RawKind::Month), column("licenses", RawKind::Quantity)],
            n_rows: 48_231,
        }],
    }
}
fn about() -> Section {
    let term = |term: &str, meaning: &str| (term.to_owned(), meaning.to_owned());
    let mut definitions = vec![
        term("Licenses", "Licenses sold or managed by the partner, at the end of a month."),
        term(
            "Licenses deployed",
            "Licenses assigned to users. A license that nobody holds is counted as unassigned, and its customer may \
             still pay for it; the difference between the two is what the summary calls unassigned.",
        ),
    ];
    definitions.extend(ODD_NAMES.iter().map(|name| term(name, "A customer with such a name.")));
    definitions.push((long_name(), long_name()));
    Section {
        kind: SectionKind::About,
        title: "About this report".to_owned(),
        lead: "What the figures mean and where they come from.".to_owned(),
        blocks: vec![
            Block::Text(
                "Not shown for Report viewer: billed revenue; ask your Global admin. 本報告書は毎月作成されます。"
                    .to_owned(),
            ),
            Block::Definitions(definitions),
        ],
    }
}
