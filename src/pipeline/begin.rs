//! Begins a run: pins its data, and parts those whose data is full from those who wait.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{BurstRequest, DataSet, FactsError, Lacking};
use crate::ledger::{RunRow, RunState, Waits};
use crate::schedule::NotFull;

use super::order::{Order, Press};
use super::plan::{Plan, PlannedEdition, plan_pinned};
use super::run::{RunError, data_set, data_text, write_down};

/// How many partners are named in one line of what a run waits for; the others are counted there, and listed each with
/// what it lacks.
const NAMED_MAX: usize = 5;

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
    let is_late = row.deadline_at.is_some_and(|deadline_at| press.clock.now() > deadline_at);
    if row.state == RunState::Planned && is_late && !row.is_pinned() {
        let reason = "it did not start until its deadline";
        press.ledger.move_run(row.id, RunState::Missed, reason, press.clock.now()).await?;
        return Ok(Begun::NotYet);
    }
    let plan = match plan_of(press, order, row).await {
        Ok(plan) => plan,
        Err(RunError::Facts(error)) if is_late && row.state == RunState::Waiting => {
            return give_up(press, row, &error).await;
        }
        Err(RunError::Facts(FactsError::Empty)) if row.state != RunState::Running => {
            let waits = Waits { reason: "there are no facts yet".to_owned(), by_partner: BTreeMap::new() };
            press.ledger.wait(row.id, &waits, press.clock.now()).await?;
            return Ok(Begun::NotYet);
        }
        Err(error) => return Err(error),
    };
    // What an admin has released waits for nobody.
    let waits_at_all = order.not_full != NotFull::SendAtOnce && row.state != RunState::Running;
    let lacking = if waits_at_all { lacking(press, order, &plan).await? } else { Lacking::new() };
    let has_all = |edition: &PlannedEdition| !lacking.contains_key(&edition.audience.partner_id);
    let (full, late): (Vec<_>, Vec<_>) = plan.editions.iter().cloned().partition(has_all);
    if late.is_empty() || (is_late && order.not_full == NotFull::WaitThenSend) {
        return pin(press, order, row, &plan).await;
    }
    let waits = waits(&late, &lacking);
    let waiting = if full.is_empty() {
        press.ledger.wait(row.id, &waits, press.clock.now()).await?;
        row.clone()
    } else {
        press.ledger.plan_part(row, &waits, press.clock.now()).await?
    };
    if is_late && waiting.state != RunState::Held {
        let reason = format!("its deadline came before its data: {}", waits.reason);
        press.ledger.move_run(waiting.id, RunState::Held, &reason, press.clock.now()).await?;
    }
    if full.is_empty() {
        return Ok(Begun::NotYet);
    }
    pin(press, order, row, &Plan { editions: full, ..plan }).await
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
        let known: BTreeSet<_> = press.ledger.known_editions(&ids).await?;
        plan.editions.retain(|edition| !known.contains(&edition.id));
    }
    Ok(plan)
}

async fn pin(press: &Press, order: &Order, row: &RunRow, plan: &Plan) -> Result<Begun, RunError> {
    let pinned = press.ledger.pin_data(row.id, &data_text(&plan.data)).await?;
    let pinned: DataSet = data_set(row.id, &pinned)?;
    if pinned != plan.data {
        // Another process was quicker, and goes on with it.
        return Ok(Begun::NotYet);
    }
    write_down(press, order, row, plan).await?;
    Ok(Begun::Now)
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

/// Ends a run whose facts could not be read until its deadline.
async fn give_up(press: &Press, row: &RunRow, error: &FactsError) -> Result<Begun, RunError> {
    let reason = format!("its facts could not be read until its deadline: {error}");
    press.ledger.move_run(row.id, RunState::Missed, &reason, press.clock.now()).await?;
    Ok(Begun::NotYet)
}
