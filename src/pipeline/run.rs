//! A run from end to end: plan it, make its editions, file them, hand their mails over, close it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::archive::ArchiveError;
use crate::base::{Digest, Period};
use crate::facts::{BurstRequest, DataSet, FactsError, PartnerFacts};
use crate::gate::{BookError, Search};
use crate::ledger::{
    Beginning, EditionClaim, EditionOutcome, LedgerError, Measured, NewEdition, NewRun, Planned, RunId, RunRow,
    RunState,
};

use super::begin::{Begun, begin};
use super::behind::doubts;
use super::brakes::{brakes_on_plan, held, hold_without_book, look_again, may_leave, measured};
use super::check;
use super::mail::{ask_uncertain, deliver_ready};
use super::make::{Draft, Edition, Made, MakeError, Of, make};
use super::order::{Order, Press};
use super::plan::{Plan, PlannedEdition, plan};

/// How many editions are claimed at once.
const CLAIMS_MAX: usize = 64;

/// How long a claim of an edition holds, longer than the largest takes to make.
const LEASE_MINUTES: i64 = 60;

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
    delivered.into_iter().collect::<Result<(), LedgerError>>()?;
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
) -> Result<(), LedgerError> {
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

/// Makes the claimed editions: one reader ahead, as many makers as there are cores, archive and ledger behind.
async fn make_claimed(
    press: &Press,
    order: &Arc<Order>,
    of: &Of,
    claims: Vec<EditionClaim>,
    progress: &Progress,
) -> Result<(), RunError> {
    let mut by_partner: BTreeMap<String, Vec<EditionClaim>> = BTreeMap::new();
    for claim in claims {
        by_partner.entry(claim.row.audience.partner_id.clone()).or_default().push(claim);
    }
    let range = order.range(of.period);
    let mut partners = press.facts.burst(BurstRequest {
        data: of.data.clone(),
        partner_ids: by_partner.keys().cloned().collect(),
        first: range.first().prev(),
        last: range.last(),
        closing_day: order.closing_day,
    });
    let mut tasks = JoinSet::new();
    let mut making = HashMap::new();
    let mut broken = None;
    while let Some(facts) = partners.recv().await {
        let facts = match facts {
            Ok(facts) => facts,
            Err(error) => {
                broken = Some(error.to_string());
                break;
            }
        };
        let Some(claims) = by_partner.remove(&facts.partner.id) else { continue };
        let Ok(permit) = Arc::clone(&press.makers.0).acquire_owned().await else { break };
        let claims = still_ours(press, claims).await?;
        let task = (press.clone(), Arc::clone(order), of.clone(), claims.clone(), Arc::clone(progress));
        let task = tasks.spawn(async move {
            let (press, order, of, claims, progress) = task;
            let settled = make_partner(&press, &order, &of, facts, claims, &progress).await;
            drop(permit);
            settled
        });
        making.insert(task.id(), claims);
    }
    while let Some(joined) = tasks.join_next_with_id().await {
        match joined {
            Ok((_, settled)) => settled?,
            Err(error) => {
                // What it had settled before it broke off stays as it is.
                let outcome = EditionOutcome::Retry(format!("making it broke off: {error}"));
                settle_all(press, &making.remove(&error.id()).unwrap_or_default(), &outcome, progress).await?;
            }
        }
    }
    let reason = broken.unwrap_or_else(|| "its partner's facts were not handed out".to_owned());
    for claim in by_partner.into_values().flatten() {
        settle(press, &claim, EditionOutcome::Retry(reason.clone()), progress).await?;
    }
    Ok(())
}

/// The claims that have waited for a place, renewed; one whose lease ended meanwhile is another's.
async fn still_ours(press: &Press, claims: Vec<EditionClaim>) -> Result<Vec<EditionClaim>, LedgerError> {
    let (now, lease) = (press.clock.now(), chrono::Duration::minutes(LEASE_MINUTES));
    let mut ours = Vec::with_capacity(claims.len());
    for claim in claims {
        if now - claim.row.moved_at > lease / 10 {
            match press.ledger.renew_edition(&claim, lease, now).await {
                Err(error) if error.is_lost_claim() => continue,
                renewed => renewed?,
            }
        }
        ours.push(claim);
    }
    Ok(ours)
}

/// Makes one partner's editions on a thread that may block, then files and settles each.
async fn make_partner(
    press: &Press,
    order: &Arc<Order>,
    of: &Of,
    facts: PartnerFacts,
    claims: Vec<EditionClaim>,
    progress: &Progress,
) -> Result<(), LedgerError> {
    let editions: Vec<Edition> = claims
        .iter()
        .map(|claim| Edition { id: claim.row.id, audience: claim.row.audience.clone(), number: claim.row.number })
        .collect();
    let task = (Arc::clone(order), of.clone());
    let made = tokio::task::spawn_blocking(move || make(&task.0, &task.1, facts, &editions)).await;
    let made = match made {
        Ok(Ok(made)) => made,
        Ok(Err(error)) => return settle_all(press, &claims, &retry(&error), progress).await,
        Err(error) => {
            let outcome = EditionOutcome::Retry(format!("making it broke off: {error}"));
            return settle_all(press, &claims, &outcome, progress).await;
        }
    };
    for (claim, made) in claims.iter().zip(made) {
        let (outcome, measured) = match made {
            Ok(Made::Empty) => (EditionOutcome::Skipped("there is nothing to report".to_owned()), Measured::default()),
            Ok(Made::Pack(draft)) => file_measured(press, order, claim, *draft).await?,
            Err(error) => (retry(&error), Measured::default()),
        };
        settle_measured(press, claim, outcome, &measured, progress).await?;
    }
    Ok(())
}

fn retry(error: &MakeError) -> EditionOutcome {
    match error {
        // The configuration must change first.
        MakeError::Role(error) => EditionOutcome::Failed(error.to_string()),
        error => EditionOutcome::Retry(error.to_string()),
    }
}

/// Files a pack and looks at it by the brakes. One that an admin has released is held by none.
async fn file_measured(
    press: &Press,
    order: &Order,
    claim: &EditionClaim,
    draft: Draft,
) -> Result<(EditionOutcome, Measured), LedgerError> {
    let is_released = claim.row.released_at.is_some();
    let mut measured = measured(press, order, claim.row.run, &draft).await?;
    if is_released {
        measured.trips.clear();
    }
    let outcome = file(press, draft, is_released).await;
    Ok((held(outcome, &measured), measured))
}

/// Files a pack, reads it back as it was filed, and has the gate look through it: what it holds stays filed, as the
/// evidence of why it was held. One that an admin has released may leave whatever the gate finds.
///
/// A complete pack of the same edition that an earlier program filed before it could say so is taken over: what is in
/// the archive is never overwritten.
async fn file(press: &Press, draft: Draft, is_released: bool) -> EditionOutcome {
    let (path, is_taken_over) = match press.archive.put(&draft.key, &draft.files, draft.manifest).await {
        Ok(archived) => (archived.path, false),
        Err(ArchiveError::Taken { path, .. }) => (path, true),
        Err(error) => return not_filed(&error),
    };
    match looked_through(press, &path, draft.search).await {
        Ok((manifest, Ok(()))) => EditionOutcome::Archived { path, manifest },
        Ok((manifest, Err(finding))) if is_released && !is_taken_over => {
            tracing::warn!(path, finding, "an edition that an admin has released leaves despite what the gate found");
            EditionOutcome::Archived { path, manifest }
        }
        Ok((_, Err(finding))) => EditionOutcome::Held(format!("gate: {finding}; see {path}")),
        Err(outcome) => outcome,
    }
}

/// The digest of a filed pack's manifest, and what the gate finds in its files as the archive hands them out.
async fn looked_through(
    press: &Press,
    path: &str,
    search: Search,
) -> Result<(Digest, Result<(), String>), EditionOutcome> {
    let pack = press.archive.get(path).await.map_err(|error| not_filed(&error))?;
    let looked = tokio::task::spawn_blocking(move || (pack.manifest_digest, check::inspect(&pack, &search))).await;
    looked.map_err(|error| EditionOutcome::Retry(format!("looking through it broke off: {error}")))
}

fn not_filed(error: &ArchiveError) -> EditionOutcome {
    match error.is_transient() {
        true => EditionOutcome::Retry(error.to_string()),
        false => EditionOutcome::Failed(error.to_string()),
    }
}

async fn settle_all(
    press: &Press,
    claims: &[EditionClaim],
    outcome: &EditionOutcome,
    progress: &Progress,
) -> Result<(), LedgerError> {
    for claim in claims {
        settle(press, claim, outcome.clone(), progress).await?;
    }
    Ok(())
}

async fn settle(
    press: &Press,
    claim: &EditionClaim,
    outcome: EditionOutcome,
    progress: &Progress,
) -> Result<(), LedgerError> {
    settle_measured(press, claim, outcome, &Measured::default(), progress).await
}

async fn settle_measured(
    press: &Press,
    claim: &EditionClaim,
    outcome: EditionOutcome,
    measured: &Measured,
    progress: &Progress,
) -> Result<(), LedgerError> {
    let settled = press.ledger.settle_measured(claim, outcome, measured, press.clock.now()).await;
    progress(Step::Settled(&claim.row.partner_name));
    if !measured.trips.is_empty() {
        look_again(press, claim.row.run).await?;
    }
    match settled {
        // Somebody else has the row by now; what it says stands.
        Err(error) if error.is_lost_claim() => Ok(()),
        settled => settled.map(|_| ()),
    }
}
