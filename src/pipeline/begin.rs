//! Begins a run: pins its data, and parts those whose data is full from those who wait.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Duration;

use crate::facts::{BurstRequest, FactsError, Lacking};
use crate::ledger::{Beginning, RunRow, RunState, Waits};
use crate::schedule::NotFull;

use super::brakes::brakes_on_plan;
use super::order::{Order, Press};
use super::plan::{Plan, PlannedEdition, plan_pinned};
use super::run::{RunError, data_set, data_text, editions};

/// How many partners are named in one line of what a run waits for; the others are counted there, and listed each with
/// what it lacks.
const NAMED_MAX: usize = 5;

/// How long after its deadline a run's facts are tried that cannot be read.
const UNREADABLE_MINUTES_MAX: i64 = 60;

/// Whether a run has its editions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Begun {
    /// It has, and they can be made.
    Now,
    /// It waits, is held, or is over.
    NotYet,
}

/// Pins a run's data and writes its editions down. Partners whose data is not full are left to a later part of the run,
/// which waits for them; when that are all of them, the run itself waits.
pub(super) async fn begin(press: &Press, order: &Order, row: &RunRow) -> Result<Begun, RunError> {
    let now = press.clock.now();
    let late_by = row.deadline_at.map_or(Duration::MIN, |deadline_at| now - deadline_at);
    let is_late = late_by > Duration::zero();
    if row.state == RunState::Planned && is_late && !row.is_pinned() {
        press.ledger.move_run(row.id, RunState::Missed, "it did not start until its deadline", now).await?;
        return Ok(Begun::NotYet);
    }
    let plan = match plan_of(press, order, row).await {
        Ok(plan) => plan,
        Err(RunError::Facts(error)) if row.state != RunState::Running => {
            let is_empty = matches!(error, FactsError::Empty);
            return without_facts(press, row, &error, is_empty, late_by).await;
        }
        Err(error) => return Err(error),
    };
    // What an admin has released waits for nobody.
    let waits_at_all = order.not_full != NotFull::SendAtOnce && row.state != RunState::Running;
    let lacking = if waits_at_all { lacking(press, order, &plan).await? } else { Lacking::new() };
    let has_all = |edition: &PlannedEdition| !lacking.contains_key(&edition.audience.partner_id);
    let (full, late): (Vec<_>, Vec<_>) = plan.editions.iter().cloned().partition(has_all);
    if late.is_empty() || (is_late && order.not_full == NotFull::WaitThenSend) {
        return write_down(press, order, row, &plan, None, false).await;
    }
    let waits = waits(&late, &lacking);
    if !full.is_empty() {
        return write_down(press, order, row, &Plan { editions: full, ..plan }, Some(&waits), is_late).await;
    }
    press.ledger.wait(row.id, &waits, now).await?;
    if is_late {
        press.ledger.move_run(row.id, RunState::Held, &waits.too_late(), now).await?;
    }
    Ok(Begun::NotYet)
}

/// The plan over the run's own data, or over what there is now. A later part leaves out what the ones before have.
async fn plan_of(press: &Press, order: &Order, row: &RunRow) -> Result<Plan, RunError> {
    let data = match row.is_pinned() {
        true => data_set(row.id, &row.data)?,
        false => press.facts.pin(press.clock.now()).await?,
    };
    let mut plan = plan_pinned(press, order, row.period, data).await?;
    if row.of_run.is_some() {
        let ids: Vec<_> = plan.editions.iter().map(|edition| edition.id).collect();
        let known = press.ledger.planned_at(&ids).await?;
        plan.editions.retain(|edition| !known.contains_key(&edition.id));
    }
    Ok(plan)
}

/// Writes everything that a run begins with down at once, with the part that waits.
async fn write_down(
    press: &Press,
    order: &Order,
    row: &RunRow,
    plan: &Plan,
    later: Option<&Waits>,
    is_later_held: bool,
) -> Result<Begun, RunError> {
    let editions = editions(press, order, plan).await?;
    // A later part of a run leaves out nobody but those that the first one did.
    let exclusions = if row.of_run.is_none() { plan.exclusions(order) } else { Vec::new() };
    let data = data_text(&plan.data);
    let beginning = Beginning {
        data: Some(&data),
        later,
        is_later_held,
        editions: &editions,
        exclusions: &exclusions,
        n_recipients: Some(plan.addresses.len() as u64),
        trips: &brakes_on_plan(&press.ledger, order, plan, Some(row.id)).await?,
    };
    match press.ledger.begin_run(row.id, &beginning, press.clock.now()).await {
        // Another process was quicker, over other data, and goes on with it.
        Err(error) if error.is_lost_claim() => Ok(Begun::NotYet),
        begun => Ok(begun.map(|_| Begun::Now)?),
    }
}

async fn lacking(press: &Press, order: &Order, plan: &Plan) -> Result<Lacking, FactsError> {
    let ids: BTreeSet<&str> = plan.editions.iter().map(|edition| edition.audience.partner_id.as_str()).collect();
    press
        .facts
        .lacking(&BurstRequest {
            data: plan.data.clone(),
            partner_ids: ids.into_iter().map(str::to_owned).collect(),
            first: plan.period.first(),
            last: plan.period.last(),
            closing_day: order.closing_day,
        })
        .await
}

fn waits(late: &[PlannedEdition], lacking: &Lacking) -> Waits {
    let names: BTreeMap<&str, &str> =
        late.iter().map(|edition| (edition.audience.partner_id.as_str(), edition.partner_name.as_str())).collect();
    let lack = |id: &str| -> String {
        let lacks = lacking.get(id).into_iter().flatten();
        lacks.map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    let mut named: Vec<String> =
        names.iter().take(NAMED_MAX).map(|(id, name)| format!("{name} ({id}): {}", lack(id))).collect();
    if names.len() > NAMED_MAX {
        named.push(format!("and {} more", names.len() - NAMED_MAX));
    }
    let partners = if names.len() == 1 { "partner" } else { "partners" };
    let reason = format!("waits for the data of {} {partners}: {}", names.len(), named.join(", "));
    Waits { reason, by_partner: names.keys().map(|id| ((*id).to_owned(), lack(id))).collect() }
}

/// Has a run wait for facts, or ends it when its deadline has come. Facts that are there and cannot be read may be so for
/// a moment: they are tried for a while longer.
async fn without_facts(
    press: &Press,
    row: &RunRow,
    error: &FactsError,
    is_empty: bool,
    late_by: Duration,
) -> Result<Begun, RunError> {
    let patience = if is_empty { Duration::zero() } else { Duration::minutes(UNREADABLE_MINUTES_MAX) };
    let now = press.clock.now();
    let reason = if is_empty { error.to_string() } else { format!("its facts cannot be read: {error}") };
    if late_by > patience && row.state == RunState::Waiting {
        let reason = format!("its deadline came, and {reason}");
        press.ledger.move_run(row.id, RunState::Missed, &reason, now).await?;
    } else {
        press.ledger.wait(row.id, &Waits { reason, by_partner: BTreeMap::new() }, now).await?;
    }
    Ok(Begun::NotYet)
}
