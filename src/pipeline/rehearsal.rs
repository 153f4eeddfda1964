//! A rehearsal: a run with a ledger and an archive of its own, so that nothing of it counts, and with what really went
//! out before to look back at.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::base::{Digest, EditionId, Period};
use crate::deliver::NewDomain;
use crate::deliver::brakes::{Trip, on_held_editions};
use crate::ledger::{DeliveriesOf, DeliveryRow, EditionRow, Retries};

use super::brakes::brakes_on_plan;
use super::order::{Order, Press};
use super::plan::{Plan, PlannedEdition, plan};
use super::run::{Progress, Ran, RunError, run_plan};

/// So many of a run's editions, the same for the same seed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sample {
    /// How many.
    pub n_editions: usize,
    /// Which: another seed, others.
    pub seed: u64,
}

/// How a rehearsal went.
#[derive(Clone, Debug)]
pub struct Rehearsed {
    /// The run of its own ledger.
    pub ran: Ran,
    /// How many editions the run itself would have.
    pub n_editions: usize,
    /// What would hold the run itself; here it held nothing.
    pub trips: Vec<Trip>,
    /// The editions, in the order of partners and audiences.
    pub editions: Vec<RehearsedEdition>,
    /// Whether some rows are not listed, since there are too many.
    pub is_cut: bool,
}

/// An edition of a rehearsal.
#[derive(Clone, Debug)]
pub struct RehearsedEdition {
    /// Its row.
    pub row: EditionRow,
    /// Its folder in the rehearsal's archive: there is one if it is held, too.
    pub path: Option<String>,
    /// To whom it went, and how.
    pub deliveries: Vec<DeliveryRow>,
}

/// Runs an order about a period, or a sample of its editions, over a press whose ledger and archive are empty and whose
/// [`Press::past`] is the real one.
///
/// Brakes that look at an edition hold it here as they would; those that look at the whole run are told, and hold nothing:
/// no mail leaves for anybody but the destination of the rehearsal. Each mail is tried once.
///
/// # Errors
/// As [`super::run`].
pub async fn rehearse(
    press: &Press,
    order: &Order,
    period: Period,
    sample: Option<Sample>,
    progress: &Progress,
) -> Result<Rehearsed, RunError> {
    let mut plan = plan(press, order, period).await?;
    let mut trips = brakes_on_plan(&press.past().ledger, order, &plan, None).await?;
    let n_editions = plan.editions.len();
    if let Some(sample) = sample {
        sample.narrow(&mut plan);
    }
    let ran = run_plan(press, &Arc::new(tried_once(order)), plan, progress).await?;
    // A few of a sample say nothing about the run.
    if sample.is_none() {
        let looked = press.ledger.looked(ran.run.id).await?;
        trips.extend(on_held_editions(looked.n_held, looked.n_made));
    }
    let editions = press.ledger.editions(ran.run.id).await?;
    let deliveries = press.ledger.deliveries(&DeliveriesOf::Run(ran.run.id)).await?;
    let is_cut = editions.more || deliveries.more;
    let mut paths = paths(press).await?;
    let mut by_edition: HashMap<EditionId, Vec<DeliveryRow>> = HashMap::new();
    // The oldest first, which is the order of the plan.
    for row in deliveries.rows.into_iter().rev() {
        by_edition.entry(row.edition).or_default().push(row);
    }
    let edition = |row: EditionRow| RehearsedEdition {
        path: paths.remove(&row.id),
        deliveries: by_edition.remove(&row.id).unwrap_or_default(),
        row,
    };
    let editions = editions.rows.into_iter().map(edition).collect();
    Ok(Rehearsed { ran, n_editions, trips, editions, is_cut })
}

/// The same order without the brakes on a whole run, and with one try at each destination.
fn tried_once(order: &Order) -> Order {
    let once = |retries: &Retries| Retries { attempts_max: 1, ..*retries };
    let mut once_only = Order { retries: once(&order.retries), is_narrowed: true, ..order.clone() };
    once_only.stores.iter_mut().for_each(|store| store.retries = once(&store.retries));
    let brakes = &mut once_only.brakes;
    (brakes.recipients_max, brakes.recipients_change_percent_max) = (None, None);
    brakes.new_domain = NewDomain::Allow;
    once_only
}

/// Where each edition of the rehearsal is filed.
async fn paths(press: &Press) -> Result<BTreeMap<EditionId, String>, RunError> {
    let mut paths = BTreeMap::new();
    for path in press.archive.list("").await? {
        paths.insert(press.archive.manifest(&path).await?.edition, path);
    }
    Ok(paths)
}

impl Sample {
    /// Leaves so many of a plan's editions. Each kind of audience has one before any has two, so that a small sample shows
    /// every role.
    fn narrow(self, plan: &mut Plan) {
        let drawn = |edition: &PlannedEdition| {
            Digest::of_parts([self.seed.to_be_bytes().as_slice(), edition.id.0.as_bytes()]).to_string()
        };
        let mut order: Vec<(String, usize)> =
            plan.editions.iter().enumerate().map(|(n, edition)| (drawn(edition), n)).collect();
        order.sort();
        let mut n_of_kind: BTreeMap<(&str, bool, &str), usize> = BTreeMap::new();
        let mut ranked: Vec<(usize, usize)> = Vec::with_capacity(order.len());
        for (_, n) in order {
            let audience = &plan.editions[n].audience;
            let kind = (&*audience.role, audience.scope == crate::audience::Scope::Organization, &*audience.language);
            let rank = n_of_kind.entry(kind).or_default();
            ranked.push((*rank, n));
            *rank += 1;
        }
        // Stable, so within a rank it is as drawn.
        ranked.sort_by_key(|(rank, _)| *rank);
        let mut kept: Vec<usize> = ranked.into_iter().take(self.n_editions).map(|(_, n)| n).collect();
        kept.sort_unstable();
        plan.editions = kept.into_iter().map(|n| plan.editions[n].clone()).collect();
    }
}
