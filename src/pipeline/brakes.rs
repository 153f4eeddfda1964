//! Looks at a run and its editions by the schedule's brakes.

use crate::deliver::brakes::{GATE, Measure, MeasureKind, Trip, domain_of, on_held_editions};
use crate::gate::BookError;
use crate::ledger::{EditionOutcome, Ledger, LedgerError, Looked, Measured, RunId, RunState};
use crate::render::{Artifact, Format};
use crate::report::Report;

use super::make::Draft;
use super::order::{Order, Press};
use super::plan::Plan;

/// What would hold a run of this plan: known before anything is made. A brake that was released for the run holds it no
/// more.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn brakes_on_plan(
    ledger: &Ledger,
    order: &Order,
    plan: &Plan,
    run: Option<RunId>,
) -> Result<Vec<Trip>, LedgerError> {
    let sent = ledger.sent(&order.schedule, run).await?;
    let own_domain = domain_of(&order.from.address).unwrap_or_default();
    let mut trips = order.brakes.on_recipients(&plan.addresses, &own_domain, &sent);
    if let (Some(run), false) = (run, trips.is_empty()) {
        let released = ledger.released_brakes(run).await?;
        trips.retain(|trip| !released.contains(&trip.brake));
    }
    Ok(trips)
}

/// Whether mails of a run may leave by now: enough of its editions were made, and not too many of them are held. If they
/// are, the run is held.
pub(super) async fn may_leave(press: &Press, run: RunId) -> Result<bool, LedgerError> {
    let looked = press.ledger.looked(run).await?;
    // Of the first few a few say nothing about the run.
    Ok(looked.is_enough() && !is_held(press, run, looked).await?)
}

/// Holds a run of whose editions many are held, as soon as one more is: its mails may be leaving for long.
pub(super) async fn look_again(press: &Press, run: RunId) -> Result<(), LedgerError> {
    let looked = press.ledger.looked(run).await?;
    if looked.is_enough() {
        is_held(press, run, looked).await?;
    }
    Ok(())
}

async fn is_held(press: &Press, run: RunId, looked: Looked) -> Result<bool, LedgerError> {
    // A rehearsal tells what would hold the run, and goes on.
    if press.past.is_some() {
        return Ok(false);
    }
    if let Some(trip) = on_held_editions(looked.n_held, looked.n_made)
        && !press.ledger.released_brakes(run).await?.contains(&trip.brake)
    {
        press.ledger.hold_run(run, &[trip], press.clock.now()).await?;
        return Ok(true);
    }
    Ok(false)
}

/// Holds a run of whose data the gate can look for no ids and names: nothing of it can be looked through. False when it
/// has ended before, and has only work that was released since: such a run is held no more.
pub(super) async fn hold_without_book(press: &Press, run: RunId, error: &BookError) -> Result<bool, LedgerError> {
    let (brake, allowed) = (GATE.to_owned(), "what the gate can look for".to_owned());
    let trip = Trip { brake, measured: error.to_string(), allowed };
    press.ledger.hold_run(run, &[trip], press.clock.now()).await?;
    Ok(press.ledger.run(run).await?.state == RunState::Held)
}

/// What an edition measures.
pub(super) fn measures(report: &Report, artifacts: &[Artifact]) -> Vec<Measure> {
    let total = |key: &str, amount| Measure { kind: MeasureKind::Total, name: key.to_owned(), amount };
    let totals = report.kpis().filter_map(|kpi| Some(total(&kpi.key, kpi.current?.millionths())));
    let file = |format: Format, bytes: usize| Measure {
        kind: MeasureKind::File,
        name: format.extension().to_owned(),
        amount: i64::try_from(bytes).unwrap_or(i64::MAX),
    };
    totals.chain(artifacts.iter().map(|artifact| file(artifact.format, artifact.bytes.len()))).collect()
}

/// What holds an edition that was made, beside what it measures. One whose run was released though many of its editions
/// were held is held no more.
pub(super) async fn measured(press: &Press, order: &Order, run: RunId, draft: &Draft) -> Result<Measured, LedgerError> {
    let (audience, own) = (&draft.audience, draft.manifest.edition);
    let before = press.past().ledger.measured_before(&order.schedule, audience, own, draft.manifest.period).await?;
    let mut trips = match before {
        Some((last, before)) => order.brakes.on_measures(&draft.measures, &before, &last.long()),
        None => Vec::new(),
    };
    if !trips.is_empty() && press.ledger.released_brakes(run).await?.contains(crate::deliver::brakes::MANY_HELD) {
        trips.clear();
    }
    Ok(Measured { measures: draft.measures.clone(), trips })
}

/// The outcome of a filed edition that brakes hold: they are told beside what the gate found.
pub(super) fn held(outcome: EditionOutcome, measured: &Measured) -> EditionOutcome {
    let told = crate::deliver::brakes::told(&measured.trips);
    match outcome {
        EditionOutcome::Archived { path, .. } if !told.is_empty() => {
            EditionOutcome::Held(format!("{told}; see {path}"))
        }
        EditionOutcome::Held(finding) if !told.is_empty() => EditionOutcome::Held(format!("{finding}; {told}")),
        outcome => outcome,
    }
}
