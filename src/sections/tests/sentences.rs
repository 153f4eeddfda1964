//! Every sentence of a whole report is read back and held against what stands in the same report.

use proptest::prelude::*;

use super::*;
use crate::base::Growth;
use crate::facts::Measure::{Active, Added, Deployed, Licenses, Removed};
use crate::report::words::tests::{NAMES, course, flows, reading, shares};
use crate::report::words::{Adds, Course, Flows, Measured, Shares, Spread, Standing, trend_words};
use crate::report::{Chart, Columns, Figure, Section, SectionKind, Series, Value};

const MONTHS: [&str; 6] = ["2026-05", "2026-06", "2026-07", "2026-08", "2026-09", "2026-10"];
const MARKETS: [&str; 4] = ["DE", "FR", "JP", "ZZ"];
const KEYS: [[&str; 4]; 4] = [["a", "b", "c", "d"], ["e", "f", "g", "h"], ["i", "j", "k", "l"], ["m", "n", "o", "p"]];

/// What one product has in one month: which measures are carried, and licenses by market.
type InMonth = ([bool; 4], [i64; 4]);

fn in_month() -> impl Strategy<Value = InMonth> {
    let carried =
        (prop::bool::weighted(0.93), prop::bool::weighted(0.9), prop::bool::weighted(0.9), prop::bool::weighted(0.5));
    let licenses = prop_oneof![3 => prop::array::uniform4(0_i64..4), 2 => prop::array::uniform4(0_i64..90_000)];
    (carried, licenses).prop_map(|((a, b, c, d), licenses)| ([a, b, c, d], licenses))
}

/// Invented facts: the report of them, and what is carried in it.
fn invented(products: &[Vec<InMonth>], full: &[bool]) -> (Report, Coverage) {
    let mut coverage = covered(&MONTHS, &[], &[]);
    let mut rows = Vec::new();
    for (at, text) in MONTHS.into_iter().enumerate() {
        let of = coverage.months.get_mut(&month(text)).unwrap();
        of.full = full[at];
        for (n, product) in products.iter().enumerate() {
            let ([licenses, deployed, active, flows], values) = product[at];
            let carried =
                [(Licenses, licenses), (Deployed, deployed), (Active, active), (Added, flows), (Removed, flows)];
            let carried = carried.into_iter().filter(|(_, carried)| *carried).map(|(measure, _)| measure);
            for measure in carried.clone() {
                if let Carried::Only(names) = &mut of.carried[measure as usize] {
                    names.insert(NAMES[n].into());
                }
            }
            for (place, value) in values.into_iter().enumerate() {
                let amount = |measure| match measure {
                    Licenses => value,
                    Deployed => value * 3 / 4,
                    Active => value / 2 + at as i64 % 2,
                    _ => value % 7,
                };
                let measures: Vec<(Measure, i64)> = carried.clone().map(|of| (of, amount(of))).collect();
                rows.push(row(text, KEYS[n][place], &measures).of(NAMES[n]).from(MARKETS[place]));
            }
        }
    }
    let role = role(&[]);
    let figures = figures(&rows, coverage.clone(), (&role, &Scope::Organization), range("2026-10", 6));
    (report_of(&figures, &role, &Scope::Organization), coverage)
}

/// What a report says of itself, with what is carried, from which its claims can be checked.
struct Held<'a> {
    report: &'a Report,
    coverage: &'a Coverage,
    open: Vec<Month>,
    current: Month,
}

impl Held<'_> {
    fn section(&self, kind: SectionKind) -> &Section {
        self.report.section(kind).unwrap()
    }

    fn names(&self) -> Vec<&str> {
        self.report.head.products.iter().map(|product| product.name.as_str()).collect()
    }

    /// Whether a product's level is known in a month.
    fn knows(&self, name: &str, month: Month, measure: Measure) -> bool {
        self.coverage.carries(month, name, measure)
    }

    fn pattern(&self, month: Month, measure: Measure) -> Vec<bool> {
        self.names().iter().map(|name| self.knows(name, month, measure)).collect()
    }

    fn lacking(&self) -> Vec<&str> {
        self.names().into_iter().filter(|name| !self.knows(name, self.current, Licenses)).collect()
    }

    fn check_kpis(&self) {
        for (kpi, measure) in self.report.kpis().zip([Licenses, Deployed, Active]) {
            let patterns: Vec<Vec<bool>> =
                self.report.head.range.months().map(|of| self.pattern(of, measure)).collect();
            let known: Vec<&Vec<bool>> = patterns.iter().filter(|pattern| pattern.contains(&true)).collect();
            let is_alike = known.windows(2).all(|pair| pair[0] == pair[1]);
            let first = self.report.head.range.first();
            let of = Course { first, values: &kpi.trend, open: &self.open, is_alike };
            course::check_level(kpi.alt.strip_suffix('.').unwrap(), &kpi.label, &of);
        }
    }

    fn check_reading(&self) {
        let summary = self.section(SectionKind::Summary);
        let kpis: Vec<_> = self.report.kpis().collect();
        let Some(Block::Reading { lead, rest }) = summary.blocks.get(1) else { panic!("no reading") };
        let cards =
            summary.blocks.iter().find_map(|block| if let Block::Cards(cards) = block { Some(cards) } else { None });
        let deployment = match cards.map(|cards| cards[0].figure) {
            Some(Figure::Ratio(ratio)) => ratio,
            _ => None,
        };
        let head = &self.report.head;
        let ends = head.compared.map(|compared| (compared.first, compared.last));
        let known =
            |name: &str, measure| ends.map(|(a, b)| (self.knows(name, a, measure), self.knows(name, b, measure)));
        let all_names = self.names();
        let any =
            |measure, of: fn((bool, bool)) -> bool| all_names.iter().any(|name| known(name, measure).is_some_and(of));
        let products = table_of(self.report, "products");
        let growth = products.columns.iter().position(|column| column.label == "Growth").unwrap();
        let growth_of =
            |cells: &[Value]| if let Value::Growth(growth) = cells[growth] { growth } else { Growth::Absent };
        let names: Vec<String> = products.rows.iter().map(|cells| cells[0].text()).collect();
        let of = Standing {
            compared: head.compared,
            licenses: kpis[0].current,
            without: kpis[0].coverage.clone(),
            growth: Measured { growth: kpis[0].growth, is_partial: any(Licenses, |(a, b)| b && !a) },
            deployment,
            deployment_is_of_all: !any(Deployed, |(_, b)| !b),
            active: Measured { growth: kpis[2].growth, is_partial: any(Active, |(a, b)| !(a && b)) },
            is_alike: all_names
                .iter()
                .all(|name| known(name, Licenses).map(|(a, b)| a && b) == known(name, Active).map(|(a, b)| a && b)),
            products: names
                .iter()
                .map(String::as_str)
                .zip(products.rows.iter().map(|cells| growth_of(cells)))
                .collect(),
        };
        reading::check_reading((lead, rest), &of);
    }

    fn check_adds(&self) {
        let section = self.section(SectionKind::LicenseAdds);
        let charts = columns(&section.blocks);
        for chart in &charts {
            let flows = Flows { months: &chart.months, added: &chart.above, removed: &chart.below, open: &self.open };
            flows::check_flows(&chart.alt, &chart.title, &flows);
        }
        let at = |month: Month| charts[0].months.iter().position(|of| *of == month);
        let in_month = |series: &[Series], month| -> Vec<Option<Quantity>> {
            series.iter().map(|series| at(month).and_then(|at| series.values[at])).collect()
        };
        let sum = |values: Vec<Option<Quantity>>| {
            values.iter().any(Option::is_some).then(|| values.into_iter().flatten().sum::<Quantity>())
        };
        let before = in_month(&charts[0].above, self.current.prev());
        let now = in_month(&charts[0].above, self.current);
        let is_comparable = [self.current, self.current.prev()].iter().all(|month| !self.open.contains(month))
            && at(self.current.prev()).is_some()
            && before.iter().zip(&now).all(|(before, now)| before.is_some() == now.is_some());
        let removed = sum(in_month(&charts[0].below, self.current));
        let before = sum(before).filter(|_| is_comparable);
        flows::check_adds(&section.lead, &Adds { month: self.current, added: sum(now), before, removed });
    }

    fn check_shares(&self) {
        let section = self.section(SectionKind::Distribution);
        let (month, lacking) = (self.current, self.lacking());
        if let Some(Block::Chart(Chart::Donut(donut))) = section.blocks.first() {
            let of = Shares { month, whole: donut.centre, slices: &donut.slices, lacking: &lacking };
            shares::check_shares(&donut.alt, &donut.title, &of);
        }
        let total = table_of(self.report, "products").total.as_ref().map(|total| quantity(&total.cells[1])).unwrap();
        let products = named(table_of(self.report, "products"));
        let products: Vec<(&str, Quantity)> = products.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        shares::check_largest(&section.lead, month, total, &products, &lacking);
        let places = named(table_of(self.report, "countries"));
        let places: Vec<(&str, Quantity)> =
            places.iter().map(|(name, value)| (name.as_str(), *value)).filter(|(name, _)| *name != "Unknown").collect();
        let lead = &self.section(SectionKind::Geography).lead;
        shares::check_spread(lead, &Spread { month, total, places: &places });
    }

    fn check_trends(&self) {
        let head = &self.report.head;
        let is_full = |month: &Month| head.compared.is_some_and(|of| of.first <= *month && *month <= of.last);
        let open: Vec<Month> = head.range.months().filter(|month| !is_full(month)).collect();
        let products = table_of(self.report, "products");
        let cells = products.rows.iter().flatten().chain(products.total.iter().flat_map(|total| &total.cells));
        for cell in cells {
            if let Value::Trend(values) = cell {
                let of = Course { first: head.range.first(), values, open: &open, is_alike: true };
                course::check_trend(&trend_words(head, values), &of);
            }
        }
    }
}

fn quantity(value: &Value) -> Option<Quantity> {
    if let Value::Quantity(quantity) = value { *quantity } else { panic!("no count: {value:?}") }
}

/// The rows of a table that have licenses, by name.
fn named(table: &Table) -> Vec<(String, Quantity)> {
    let rows = table.rows.iter().filter_map(|cells| Some((cells[0].text(), quantity(&cells[1])?)));
    rows.filter(|(_, value)| *value > Quantity::ZERO).collect()
}

/// The column charts of blocks, those of panels included.
fn columns(blocks: &[Block]) -> Vec<&Columns> {
    let mut found = Vec::new();
    for block in blocks {
        match block {
            Block::Chart(Chart::Columns(columns)) => found.push(columns),
            Block::Panels { panels, .. } => found.extend(panels.iter().flat_map(|panel| columns(&panel.blocks))),
            Block::OnPaper(blocks) => found.extend(columns(blocks)),
            _ => {}
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_sentence_of_a_report_is_borne_out_by_its_figures(
        products in prop::collection::vec(prop::collection::vec(in_month(), 6), 1..5),
        n_full in prop_oneof![2 => Just(6_usize), 2 => Just(5), 1 => 0_usize..6],
        is_first_full in prop::bool::weighted(0.9),
    ) {
        let full: Vec<bool> = (0..6).map(|at| at < n_full && (at > 0 || is_first_full)).collect();
        let (report, coverage) = invented(&products, &full);
        let current = report.head.compared.map_or(report.head.range.last(), |compared| compared.last);
        let open = report.head.range.months().filter(|month| !coverage.is_full(*month)).collect();
        let held = Held { report: &report, coverage: &coverage, open, current };
        held.check_kpis();
        held.check_reading();
        held.check_adds();
        held.check_shares();
        held.check_trends();
    }
}
