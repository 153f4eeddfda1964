//! A run from end to end: plan it, make its editions, file them, hand their mails over, close it.

use std::sync::Arc;

use crate::archive::ArchiveError;
use crate::base::Period;
use crate::facts::{DataSet, FactsError};
use crate::gate::BookError;
use crate::ledger::{Beginning, LedgerError, NewEdition, NewRun, Planned, RunId, RunRow, RunState};

use super::begin::{Begun, begin};
use super::behind::doubts;
use super::brakes::{brakes_on_plan, hold_without_book, may_leave};
use super::check;
use super::mail::{ask_uncertain, deliver_ready};
use super::make::Of;
use super::making::make_claimed;
use super::order::{Order, Press};
use super::plan::{Plan, PlannedEdition, plan};

/// How many editions are claimed at once.
const CLAIMS_MAX: usize = 64;

/// How long a claim of an edition holds, longer than the largest takes to make.
pub(super) const LEASE_MINUTES: i64 = 60;

/// How long the delivering side waits before it looks for newly archived editions again.
const LOOK_AGAIN_MILLIS: u64 = 50;

/// Told of each edition that is settled; for progress bars.
pub type Progress = Arc<dyn Fn(Step<'_>) + Send + Sync>;

/// A step of a run, for progress.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// So many editions are to be made.
    Planned(usize),
    /// An edition of this partner was settled.
    Settled(&'a str),
}

/// Why a run could not be planned or worked on; its rows stay as they are, and the next start goes on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The facts cannot be read.
    #[error(transparent)]
    Facts(#[from] FactsError),
    /// The ledger cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The archive cannot be looked through.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The ids and names of the data are more than the gate can look for.
    #[error(transparent)]
    Book(#[from] BookError),
    /// The pinned data set of a run that is resumed cannot be read from its row.
    #[error("run {run}: its data set `{data}` is not readable")]
    DataSet {
        /// The run.
        run: RunId,
        /// What stands in its row.
        data: String,
    },
}

/// What to do about an error of a run or of the ledger, where it does not say so itself.
pub fn hint_of(cause: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    // Its own words are the ledger's, which is not beneath it, then.
    let of_run = |error: &RunError| match error {
        RunError::Ledger(error) => error.hint(),
        _ => None,
    };
    cause.downcast_ref::<RunError>().and_then(of_run).or_else(|| cause.downcast_ref::<LedgerError>()?.hint())
}

/// How a run went.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Its row, as it ended.
    pub run: RunRow,
    /// What planning it added to the ledger and found there; none when it was resumed.
    pub planned: Option<Planned>,
    /// What was planned; none when it was resumed.
    pub plan: Option<Plan>,
}

/// Runs an order about a period by hand.
///
/// An edition or a delivery that an earlier run has is left as it is, so that running twice makes and sends
/// nothing twice.
///
/// # Errors
/// When facts or ledger fail; single editions and deliveries that fail are rows, not errors.
pub async fn run(press: &Press, order: &Arc<Order>, period: Period, progress: &Progress) -> Result<Ran, RunError> {
    run_plan(press, order, plan(press, order, period).await?, progress).await
}

/// Runs what was planned.
pub(super) async fn run_plan(
    press: &Press,
    order: &Arc<Order>,
    plan: Plan,
    progress: &Progress,
) -> Result<Ran, RunError> {
    let new = NewRun {
        schedule: order.schedule.clone(),
        occurrence_at: None,
        period: plan.period,
        data: data_text(&plan.data),
        config_digest: order.config_digest.to_string(),
        why: "by hand".to_owned(),
        start_at: None,
        deadline_at: None,
    };
    let editions = editions(press, order, &plan).await?;
    let exclusions = plan.exclusions(order);
    let beginning = Beginning {
        editions: &editions,
        exclusions: &exclusions,
        n_recipients: (!order.is_narrowed).then_some(plan.addresses.len() as u64),
        trips: &brakes_on_plan(&press.ledger, order, &plan, None).await?,
        ..Beginning::default()
    };
    let (row, planned) = press.ledger.plan_by_hand(&new, &beginning, press.clock.now()).await?;
    progress(Step::Planned(planned.n_new_editions as usize));
    let run = work(press, order, &row, progress).await?;
    Ok(Ran { run, planned: Some(planned), plan: Some(plan) })
}

/// Begins the run of an occurrence, or goes on with a run that an earlier process left open. One whose data is not full
/// waits.
///
/// A call by hand that broke off before its editions were written down is left out and says so: only the caller knew
/// its partners and roles.
///
/// # Errors
/// As [`run`].
pub async fn resume(press: &Press, order: &Arc<Order>, row: &RunRow, progress: &Progress) -> Result<Ran, RunError> {
    if row.state == RunState::Planned && row.occurrence_at.is_none() {
        let reason = "it broke off before it was planned; run it again";
        press.ledger.move_run(row.id, RunState::Skipped, reason, press.clock.now()).await?;
        return Ok(Ran { run: press.ledger.run(row.id).await?, planned: None, plan: None });
    }
    // One that an admin released before it ever had its editions is begun too; one that has ended has only work that was
    // released since.
    let is_begun = row.is_pinned() && !matches!(row.state, RunState::Planned | RunState::Waiting);
    if !is_begun && begin(press, order, row).await? == Begun::NotYet {
        return Ok(Ran { run: press.ledger.run(row.id).await?, planned: None, plan: None });
    }
    // With the data that it is pinned to by now.
    let row = press.ledger.run(row.id).await?;
    let run = work(press, order, &row, progress).await?;
    Ok(Ran { run, planned: None, plan: None })
}

/// The editions of a plan as the ledger takes them: held are the deliveries of those that may have been sent without its
/// knowledge.
pub(super) async fn editions(press: &Press, order: &Order, plan: &Plan) -> Result<Vec<NewEdition>, RunError> {
    let held = doubts(press, order, plan).await?;
    let row = |edition: &PlannedEdition| edition.row(order, plan.period, held.get(&edition.id));
    Ok(plan.editions.iter().map(row).collect())
}

pub(super) fn data_set(run: RunId, data: &str) -> Result<DataSet, RunError> {
    serde_json::from_str(data).map_err(|_| RunError::DataSet { run, data: data.to_owned() })
}

pub(super) fn data_text(data: &DataSet) -> String {
    // A closed enum of numbers, a digest and an instant: serializing it cannot fail.
    serde_json::to_string(data).unwrap_or_default()
}

/// Makes and delivers side by side until nothing is left, then closes the run.
async fn work(press: &Press, order: &Arc<Order>, row: &RunRow, progress: &Progress) -> Result<RunRow, RunError> {
    ask_uncertain(press, row.id).await?;
    let (made, is_made) = tokio::sync::watch::channel(false);
    let making = async {
        let result = make_all(press, order, row, progress).await;
        made.send_replace(true);
        result
    };
    let names = press.ledger.destinations(row.id).await?;
    let sides = names.iter().map(|name| deliver_beside(press, order, row.id, name, &is_made));
    // Each to its end: one that fails, or is slow, stops no other.
    let (made, delivered) = tokio::join!(making, futures::future::join_all(sides));
    made?;
    delivered.into_iter().collect::<Result<(), RunError>>()?;
    press.ledger.finish_run(row.id, press.clock.now()).await?;
    Ok(press.ledger.run(row.id).await?)
}

/// Hands over to one destination what is archived meanwhile, until everything is made.
async fn deliver_beside(
    press: &Press,
    order: &Arc<Order>,
    run: RunId,
    name: &str,
    is_made: &tokio::sync::watch::Receiver<bool>,
) -> Result<(), RunError> {
    let outlet = press.destinations.get(name);
    loop {
        // Read before looking: what is archived after this look is found by the next one.
        let last = *is_made.borrow();
        if may_leave(press, run).await? {
            deliver_ready(press, order, run, &outlet).await?;
        }
        if last {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(LOOK_AGAIN_MILLIS)).await;
    }
}

/// What the run's editions share.
async fn of(press: &Press, order: &Order, row: &RunRow) -> Result<Of, RunError> {
    let data = data_set(row.id, &row.data)?;
    let book = check::book(press, &data).await?;
    Ok(Of { period: row.period, data, pinned_at: row.planned_at, book, own: check::own(order) })
}

/// Claims and makes editions until none is left to claim. A run that only waits for mails to be tried again reads
/// no facts.
async fn make_all(press: &Press, order: &Arc<Order>, row: &RunRow, progress: &Progress) -> Result<(), RunError> {
    if !press.ledger.looked(row.id).await?.is_open {
        return Ok(());
    }
    // Before anything is claimed: what cannot be read costs no edition a try.
    let of = match of(press, order, row).await {
        Err(RunError::Book(error)) if hold_without_book(press, row.id, &error).await? => return Ok(()),
        of => of?,
    };
    while !press.stop.is_set() {
        let lease = chrono::Duration::minutes(LEASE_MINUTES);
        let claims = press.ledger.claim_editions(Some(row.id), CLAIMS_MAX, lease, press.clock.now()).await?;
        if claims.is_empty() {
            return Ok(());
        }
        make_claimed(press, order, &of, claims, progress).await?;
    }
    Ok(())
}
