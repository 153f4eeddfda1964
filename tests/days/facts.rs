//! The facts of a day: so many products, countries and SKUs, that grow by so much.

use std::sync::Arc;

use pressrun::base::{Market, Month, Period, Quantity, Range};
use pressrun::facts::{Carried, Coverage, Export, Fact, Measure, Measures, MonthCoverage};

const PRODUCTS: [&str; 5] =
    ["Office 365", "Microsoft 365", "Dynamics 365", "Enterprise Mobility + Security", "Power BI"];
const CHANNELS: [&str; 4] = ["CSP", "EA", "CSP indirect", "Direct"];
const ATTACHED: [&str; 4] = ["CSP Tier 1", "Partner admin link", "CSP Tier 2", "CPOR"];
const SEGMENTS: [&str; 4] = ["SM&C Commercial", "Major Commercial", "SM&C Education", "Public Sector"];
const LOCATIONS: [&str; 4] = ["Redmond, US", "München, DE", "Singapore, SG", "São Paulo, BR"];

/// The countries that most licenses are in, for a start; the others follow by their codes.
const LARGE: &str = "JP BR FR IN DE US CA GB MX ZA AU IT ES NL SE SG CH PL KR TR AE CL NG ID NZ";

/// Every country and region, large ones first.
fn markets() -> Vec<Market> {
    let letters = || (b'A'..=b'Z').map(char::from);
    let codes = letters().flat_map(|first| letters().map(move |second| format!("{first}{second}")));
    let mut markets: Vec<Market> = LARGE.split(' ').map(|code| code.parse().unwrap()).collect();
    for code in codes {
        let market = code.parse::<Market>().ok().filter(|market| market.code() == code && *market != Market::UNKNOWN);
        markets.extend(market.filter(|market| !markets.contains(market)));
    }
    markets
}

/// What the facts of a day are like.
#[derive(Clone)]
pub struct Data {
    pub n_months: u32,
    pub n_products: usize,
    pub n_markets: usize,
    /// SKUs a product.
    pub n_skus: usize,
    /// What every count is multiplied by.
    pub scale: f64,
    /// The growth from the first month to the last, as a part of the first.
    pub growth: f64,
    /// Active licenses as a part of all.
    pub usage: f64,
    /// Whether one count is 0.469 and another 247,616,265.
    pub extremes: bool,
    /// The measures that the source does not carry.
    pub lacking: Vec<Measure>,
    /// How many of the last months are not full.
    pub n_open: u32,
    /// The partner's name, and names of locations and SKUs; the usual ones when there are none.
    pub names: Vec<String>,
}

impl Default for Data {
    fn default() -> Data {
        Data {
            n_months: 12,
            n_products: 5,
            n_markets: 60,
            n_skus: 4,
            scale: 1.0,
            growth: 0.0774,
            usage: 0.653,
            extremes: false,
            lacking: Vec::new(),
            n_open: 0,
            names: Vec::new(),
        }
    }
}

impl Data {
    pub fn range(&self) -> Range {
        Range::ending_with("2026-10".parse::<Period>().unwrap(), self.n_months)
    }

    pub fn partner(&self) -> String {
        self.names.first().cloned().unwrap_or_else(|| "Example Distribution".to_owned())
    }

    /// The range's months and the one before it, in which flows begin.
    fn months(&self) -> impl Iterator<Item = Month> {
        let range = self.range();
        std::iter::once(range.first().prev()).chain(range.months())
    }

    pub fn coverage(&self) -> Coverage {
        let of = |month: Month| {
            let full = month.plus(self.n_open as i32) <= self.range().last();
            let mut coverage = MonthCoverage { full, ..MonthCoverage::default() };
            for measure in Measure::ALL.into_iter().filter(|measure| !self.lacking.contains(measure)) {
                coverage.carried[measure as usize] = Carried::all();
            }
            (month, coverage)
        };
        let export = |month| Export {
            source: "SeatsSubscriptionsAndRevenue".to_owned(),
            month,
            exported_at: "2026-11-21T04:30:00Z".parse().unwrap(),
            load_no: Some(1),
        };
        Coverage {
            months: self.months().map(of).collect(),
            exports: self.months().map(export).collect(),
            left_out: Vec::new(),
        }
    }

    /// In the order in which a source hands them out: by month, then by key.
    pub fn facts(&self) -> Vec<Fact> {
        let markets = markets();
        let mut facts = Vec::new();
        for (t, month) in self.months().enumerate() {
            for p in 0..self.n_products {
                for s in 0..self.n_skus {
                    for m in (0..self.n_markets).filter(|m| m % self.n_skus == s || *m < 3) {
                        let market = if m == 9 { Market::UNKNOWN } else { markets[m % markets.len()] };
                        facts.push(self.fact((t, month), (p, s, m), market));
                    }
                }
            }
        }
        facts.sort_by(|a, b| (a.month, &a.license_key).cmp(&(b.month, &b.license_key)));
        facts
    }

    fn fact(&self, (t, month): (usize, Month), (p, s, m): (usize, usize, usize), market: Market) -> Fact {
        let n = p * 7 + s * 3 + m;
        let pick = |all: &[&str]| Some(Arc::from(all[n % all.len()]));
        let product = PRODUCTS.get(p).map_or_else(|| format!("Product {}", p + 1), |name| (*name).to_owned());
        let location = self.names.get(n % LOCATIONS.len()).map_or(LOCATIONS[n % LOCATIONS.len()], String::as_str);
        let sku = self.names.get(s).cloned().unwrap_or_else(|| format!("{product} Plan {}", s + 1));
        Fact {
            month,
            location_id: Some(format!("L{}", n % LOCATIONS.len()).into()),
            location_name: Some(location.into()),
            customer_id: Some(format!("tenant-{m}").into()),
            customer_name: Some(format!("Customer {m}").into()),
            customer_market: market,
            product: product.into(),
            sku_id: Some(format!("sku-{p}-{s}").into()),
            sku: Some(sku.into()),
            sales_channel: pick(&CHANNELS),
            attach_type: pick(&ATTACHED),
            segment: pick(&SEGMENTS),
            license_key: format!("{p:03}-{s:03}-{m:03}").into(),
            attach_rank: 0,
            measures: self.measures(t, (p, s, m)),
        }
    }

    fn measures(&self, t: usize, (p, s, m): (usize, usize, usize)) -> Measures {
        // Large products and countries first, as in life; months rise evenly from the first of the range.
        let base = 40_000.0 / ((p + 1) * (s + 2) * (m + 1)) as f64;
        let steps = f64::from(self.n_months.max(2) - 1);
        let at = |t: usize| {
            let course = 1.0 + self.growth * (t as f64 - 1.0) / steps;
            match (self.extremes, m) {
                (true, 0) if p == 0 => 247_616_265.0 * course / 1.0774,
                (true, _) if p == 4 => 0.469,
                _ => (base * course * self.scale).round().max(0.0),
            }
        };
        let (now, before) = (at(t), at(t.saturating_sub(1)));
        let wave = ((t * 5 + m * 3 + p) % 7) as f64 * base * 0.004 * self.scale;
        let quantity = |value: f64| Some(Quantity::from_millionths((value * 1e6).round() as i64));
        let mut measures = Measures::default();
        for (measure, value) in [
            (Measure::Licenses, now),
            (Measure::Deployed, (now * 0.784).floor()),
            (Measure::Active, (now * self.usage).floor()),
            (Measure::Added, ((now - before).max(0.0) + wave).floor()),
            (Measure::Removed, ((before - now).max(0.0) + wave * 0.4).floor()),
            (Measure::BilledRevenueUsd, now * 12.5),
        ] {
            if !self.lacking.contains(&measure) {
                measures.set(measure, quantity(value));
            }
        }
        measures
    }
}
