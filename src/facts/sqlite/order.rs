//! The facts of one partner and month in the order that every source hands them out in.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::Quantity;
use crate::facts::source::Source;
use crate::facts::{Fact, Measure};

/// A fact with where it stands in its file: the last of what decides its place.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub fact: Fact,
    /// None in a view.
    pub source: Option<Source>,
    pub load_no: i64,
    pub row_no: i64,
}

/// Sorts one month's facts by license key, rank, and then by all that can differ.
///
/// The month's facts are ranked first, so that of a customer's workloads the largest comes first.
pub(super) fn ordered(facts: Vec<Placed>) -> Vec<Fact> {
    let (workloads, mut facts): (Vec<Placed>, Vec<Placed>) =
        facts.into_iter().partition(|placed| placed.source == Some(Source::Office));
    facts.extend(rank_workloads(workloads));
    facts.sort_by(|a, b| place(a).cmp(&place(b)));
    facts.into_iter().map(|placed| placed.fact).collect()
}

/// What decides the place of a fact within its month.
fn place(placed: &Placed) -> impl Ord + '_ {
    let fact = &placed.fact;
    (
        (&fact.license_key, fact.attach_rank),
        (&fact.location_id, &fact.product, &fact.sku, &fact.sku_id),
        (&fact.sales_channel, &fact.attach_type, &fact.segment, fact.customer_market, &fact.customer_id),
        (placed.source, placed.load_no, placed.row_no),
    )
}

/// How far apart two ranks of workload rows stand, so that every row of a customer finds its place between.
const WORKLOAD_STEP: i64 = 1_000_000;

/// Ranks the workload rows of a customer, so that the best-ranked row is the largest for each measure.
///
/// Seats and users of several workloads are never added. Where the same order is right for both measures a row
/// stays one fact; else its licenses and its active users become two, each ranked by its own size.
fn rank_workloads(rows: Vec<Placed>) -> Vec<Placed> {
    let mut customers: BTreeMap<Arc<str>, Vec<Placed>> = BTreeMap::new();
    for row in rows {
        customers.entry(row.fact.license_key.clone()).or_default().push(row);
    }
    customers.into_values().flat_map(rank_customer).collect()
}

fn rank_customer(mut rows: Vec<Placed>) -> Vec<Placed> {
    by_size(&mut rows, Measure::Licenses, Measure::Active);
    if same_order(&rows) {
        return numbered(rows);
    }
    let only = |measure: Measure| {
        let carries = |row: &&Placed| row.fact.measures.get(measure).is_some();
        let mut rows: Vec<Placed> = rows.iter().filter(carries).cloned().collect();
        for row in &mut rows {
            for other in Measure::ALL.into_iter().filter(|other| *other != measure) {
                row.fact.measures.set(other, None);
            }
        }
        by_size(&mut rows, measure, measure);
        numbered(rows)
    };
    [only(Measure::Licenses), only(Measure::Active)].concat()
}

/// Largest first within a rank; rows of one size by their place.
fn by_size(rows: &mut [Placed], first: Measure, then: Measure) {
    let size = |row: &Placed, measure| Reverse(row.fact.measures.get(measure));
    rows.sort_by(|a, b| {
        let key = |row: &Placed| (row.fact.attach_rank, size(row, first), size(row, then));
        key(a).cmp(&key(b)).then_with(|| place(a).cmp(&place(b)))
    });
}

/// Whether rows that stand by licenses stand by active users too.
fn same_order(rows: &[Placed]) -> bool {
    let mut last: Option<(i64, Quantity)> = None;
    for row in rows {
        let Some(active) = row.fact.measures.get(Measure::Active) else { continue };
        if last.is_some_and(|(rank, before)| rank == row.fact.attach_rank && before < active) {
            return false;
        }
        last = Some((row.fact.attach_rank, active));
    }
    true
}

fn numbered(mut rows: Vec<Placed>) -> Vec<Placed> {
    for (n, row) in (0..).zip(&mut rows) {
        row.fact.attach_rank = row.fact.attach_rank * WORKLOAD_STEP + n;
    }
    rows
}
