//! Which slices stand, which source is believed for what, and what that makes of the coverage.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};

use crate::base::Month;
use crate::facts::source::Source;
use crate::facts::{Carried, Coverage, Export, Measure, MonthCoverage};

/// A slice that stands: the newest load, not above the pinned number, of a source for a partner and month.
#[derive(Clone, Debug)]
pub(super) struct Slice {
    pub source: Source,
    pub load_no: u64,
    pub exported_at: DateTime<Utc>,
    /// A bit per measure that its file has a column for.
    pub carried: i64,
    /// The one family it speaks of; none for all.
    pub product: Option<Arc<str>>,
    /// Where the partner is a reseller: whose file it came in; else empty.
    pub account_id: Arc<str>,
    pub n_rows: u64,
}

impl Slice {
    fn carries(&self, measure: Measure) -> bool {
        self.carried & carried_bit(measure) != 0
    }

    fn speaks_of(&self, product: &str) -> bool {
        self.product.as_deref().is_none_or(|only| only == product)
    }
}

/// A measure's bit in what a slice carries.
pub(in crate::facts) fn carried_bit(measure: Measure) -> i64 {
    1 << (measure as u32)
}

/// The slices of one partner that stand, by month.
pub(super) type Slices = BTreeMap<Month, Vec<Slice>>;

/// The source that is believed for a measure of a product in a month of these slices.
pub(super) fn believed(slices: &[Slice], measure: Measure, product: &str) -> Option<Source> {
    Source::precedence(measure).iter().copied().find(|source| {
        let of_it = |slice: &&Slice| slice.source == *source;
        slices.iter().filter(of_it).any(|slice| slice.carries(measure) && slice.speaks_of(product))
    })
}

/// What is carried in a month of these slices.
fn carried(slices: &[Slice], measure: Measure) -> Carried {
    let mut only = BTreeSet::new();
    for slice in slices {
        if !Source::precedence(measure).contains(&slice.source) || !slice.carries(measure) {
            continue;
        }
        match &slice.product {
            Some(product) => only.insert(product.clone()),
            None => return Carried::all(),
        };
    }
    Carried::Only(only)
}

/// Whether a month whose slices were exported then is full: each on or after the closing day of the next month.
pub(super) fn is_full(month: Month, closing_day: u32, mut exported_at: impl Iterator<Item = DateTime<Utc>>) -> bool {
    let next = month.next();
    let closing_on = NaiveDate::from_ymd_opt(next.year(), next.number(), closing_day.clamp(1, 28));
    exported_at.all(|instant| closing_on.is_some_and(|day| instant.date_naive() >= day))
}

/// The coverage that slices make, with what was left out of them in words.
pub(super) fn coverage(slices: &Slices, closing_day: u32, remarks: &[Remark]) -> Coverage {
    let months = slices.iter().map(|(month, of)| {
        let full = is_full(*month, closing_day, of.iter().map(|slice| slice.exported_at));
        (*month, MonthCoverage { full, carried: Measure::ALL.map(|measure| carried(of, measure)) })
    });
    let exports = slices.iter().flat_map(|(month, of)| {
        of.iter().map(|slice| Export {
            source: slice.source.name().to_owned(),
            month: *month,
            exported_at: slice.exported_at,
            load_no: Some(slice.load_no),
        })
    });
    let mut exports: Vec<Export> = exports.collect();
    exports.sort();
    exports.dedup();
    Coverage { months: months.collect(), exports, left_out: left_out(slices, remarks) }
}

/// Something that was left out of a slice or could not be read, counted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Remark {
    pub month: Month,
    pub source: i64,
    pub load_no: u64,
    pub kind: RemarkKind,
    pub what: String,
    pub n_rows: u64,
}

/// Why a row is remarked upon.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(in crate::facts) enum RemarkKind {
    /// It is of a product that has no licenses; it was left out.
    LeftOutProduct,
    /// Its country has a name that nobody knows; it stands under Unknown.
    UnreadMarket,
    /// It has no partner; it was left out.
    NoPartner,
}

impl RemarkKind {
    const ALL: [RemarkKind; 3] = [RemarkKind::LeftOutProduct, RemarkKind::UnreadMarket, RemarkKind::NoPartner];

    /// As the tables have it.
    pub fn key(self) -> &'static str {
        match self {
            RemarkKind::LeftOutProduct => "left-out-product",
            RemarkKind::UnreadMarket => "unread-market",
            RemarkKind::NoPartner => "no-partner",
        }
    }

    pub(super) fn of_key(key: &str) -> Option<RemarkKind> {
        RemarkKind::ALL.into_iter().find(|kind| kind.key() == key)
    }

    /// In words, with the figure: `12 rows of Microsoft Azure`.
    pub fn words(self, what: &str, n_rows: u64) -> String {
        let rows = if n_rows == 1 { "1 row".to_owned() } else { format!("{n_rows} rows") };
        match self {
            RemarkKind::LeftOutProduct => format!("{rows} of {what}"),
            RemarkKind::UnreadMarket => format!("the country of {rows}, `{what}`, which is shown as Unknown"),
            RemarkKind::NoPartner => format!("{rows} without a partner"),
        }
    }

    /// What the one who loads it is told.
    pub fn note(self, what: &str, n_rows: u64) -> String {
        let words = self.words(what, n_rows);
        match self {
            RemarkKind::LeftOutProduct => format!("left out: {words}, which has no licenses"),
            RemarkKind::UnreadMarket => format!("not read: {words}"),
            RemarkKind::NoPartner => format!("left out: {words}"),
        }
    }
}

/// What the report says of how workloads count, where they do.
const WORKLOADS: &str = "OfficeUsage has a row per workload; workloads are never added: of each customer the \
                         largest stands";

fn left_out(slices: &Slices, remarks: &[Remark]) -> Vec<String> {
    let mut counted: BTreeMap<(RemarkKind, &str), u64> = BTreeMap::new();
    for remark in remarks {
        let stands = |slice: &Slice| slice.source.number() == remark.source && slice.load_no == remark.load_no;
        if slices.get(&remark.month).is_some_and(|of| of.iter().any(stands)) {
            *counted.entry((remark.kind, &remark.what)).or_default() += remark.n_rows;
        }
    }
    let mut words: Vec<String> = counted.into_iter().map(|((kind, what), n)| kind.words(what, n)).collect();
    if slices.values().flatten().any(|slice| slice.source == Source::Office && slice.n_rows > 0) {
        words.push(WORKLOADS.to_owned());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(source: Source, measures: &[Measure]) -> Slice {
        Slice {
            source,
            load_no: 1,
            exported_at: instant("2026-11-20T00:00:00Z"),
            carried: measures.iter().map(|measure| carried_bit(*measure)).sum(),
            product: source.only_product().map(Arc::from),
            account_id: "".into(),
            n_rows: 1,
        }
    }

    fn instant(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn precedence_is_per_measure_and_product() {
        let all = Measure::ALL;
        let slices = [
            slice(Source::Reseller, &[Measure::Licenses, Measure::Deployed, Measure::BilledRevenueUsd]),
            slice(Source::Dynamics, &[Measure::Licenses, Measure::Deployed, Measure::Active]),
            slice(Source::Ems, &[Measure::Licenses, Measure::Active]),
        ];
        let check = |slices: &[Slice], product: &str, expected: [Option<Source>; 6]| {
            assert_eq!(all.map(|measure| believed(slices, measure, product)), expected, "{product}");
        };
        let (reseller, dynamics, ems, seats) =
            (Some(Source::Reseller), Some(Source::Dynamics), Some(Source::Ems), Some(Source::Seats));
        check(&slices, "Dynamics 365", [dynamics, dynamics, dynamics, None, None, reseller]);
        check(&slices, "Enterprise Mobility + Security", [ems, reseller, ems, None, None, reseller]);
        check(&slices, "Windows 365", [reseller, reseller, None, None, None, reseller]);
        // An export without the revenue column leaves revenue to the next in order.
        let seen = [Measure::Licenses, Measure::Added, Measure::Removed];
        let with_seats: Vec<Slice> = slices.into_iter().chain([slice(Source::Seats, &seen)]).collect();
        check(&with_seats, "Dynamics 365", [seats, dynamics, dynamics, seats, seats, reseller]);
    }

    #[test]
    fn a_month_is_full_when_each_slice_was_exported_on_the_closing_day_or_later() {
        let october = Month::new(2026, 10).unwrap();
        let december = Month::new(2026, 12).unwrap();
        for (month, exported_at, full) in [
            (october, vec!["2026-11-20T00:00:00Z"], true),
            (october, vec!["2026-11-19T23:59:59Z"], false),
            (october, vec!["2026-11-25T00:00:00Z", "2026-11-19T00:00:00Z"], false),
            (december, vec!["2026-12-25T00:00:00Z"], false),
            (december, vec!["2027-01-20T08:00:00Z"], true),
        ] {
            assert_eq!(is_full(month, 20, exported_at.iter().map(|text| instant(text))), full, "{exported_at:?}");
        }
    }
}
