//! `why`: what somebody got, gets or does not get, and by which rule.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use crate::audience::{Decision, audiences};
use crate::base::Period;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, ScheduleSettings};
use crate::ledger::{
    AttemptRow, BrakeRow, DeliveriesOf, DeliveryRow, DeliveryState, ExclusionRow, Ledger, RunId, RunRow, RunState,
};
use crate::pipeline::{Order, store_name};

use super::say::{Failure, Say};
use super::{WELL, compose, status};

/// How many occurrences ahead a period is sought in.
const AHEAD_MAX: usize = 60;

/// What a store's name in the ledger begins with.
const STORE: &str = "store ";

pub(super) async fn why(config: &Config, who: &str, period: Option<Period>, say: &Say) -> Result<u8, Failure> {
    let orders = compose::orders(config).await?;
    let (_, decisions) = audiences(&compose::recipients(config).await?, &config.roles);
    let asked = |decision: &Decision| {
        let recipient = &decision.recipient;
        if who.contains('@') { recipient.address.eq_ignore_ascii_case(who) } else { recipient.partner_id == who }
    };
    let decisions: Vec<Decision> = decisions.into_iter().filter(asked).collect();
    let ledger = compose::ledger(config).await?;
    let past = past(&ledger, who, period).await?;
    let partners: Vec<&str> = decisions.iter().map(|decision| decision.recipient.partner_id.as_str()).collect();
    let runs = runs(&ledger, &orders, &partners, period).await?;
    ledger.close(SystemClock.now()).await?;

    let mut text = String::new();
    let mut ahead = Vec::new();
    let stored = stored(config, who, period);
    for (line, json) in &stored {
        text.push_str(line);
        ahead.push(json.clone());
    }
    if decisions.is_empty() && stored.is_empty() {
        text.push_str(&format!("{who} has no grant in the configuration, so nothing is sent.\n"));
    }
    for decision in &decisions {
        for settings in &config.schedules {
            let Some(order) = orders.get(&settings.name) else { continue };
            if let Some((line, json)) = next(settings, order, decision, period) {
                text.push_str(&line);
                ahead.push(json);
            }
        }
        if !orders.values().any(|order| order.covers(&decision.recipient.partner_id)) {
            let partner = &decision.recipient.partner_id;
            text.push_str(&format!("{}: no schedule is for partner {partner}\n", decision.recipient.address));
        }
    }
    past.tell(&mut text);
    for run in &runs {
        text.push_str(&format!("  {} {} run {}: {}: {}\n", run.period, run.schedule, run.id, run.state, run.reason));
    }
    let json = serde_json::json!({
        "grants": decisions, "ahead": ahead, "deliveries": past.deliveries, "exclusions": past.exclusions,
        "waiting": past.waiting, "brakes": past.brakes.values().flatten().collect::<Vec<_>>(), "runs": runs,
        "more": past.more,
    });
    say.result(&json, &text);
    Ok(WELL)
}

/// What the next occurrence of a schedule, or the one about a period, holds for a grant.
fn next(
    settings: &ScheduleSettings,
    order: &Arc<Order>,
    decision: &Decision,
    period: Option<Period>,
) -> Option<(String, serde_json::Value)> {
    let recipient = &decision.recipient;
    if !order.covers(&recipient.partner_id) {
        return None;
    }
    let n = if period.is_some() { AHEAD_MAX } else { 1 };
    let ahead = settings.timing.cadence.next_after(SystemClock.now(), n);
    let about = |day| settings.timing.period.of(day);
    let found = ahead.into_iter().find(|one| period.is_none_or(|period| about(one.local_on) == period))?;
    let to = format!("{} on partner {}", recipient.address, recipient.partner_id);
    let (gets, rule) = match &decision.audience {
        None => (false, decision.rule.clone()),
        Some(audience) if !order.is_for(&audience.role) => {
            (false, format!("the schedule is not for the role `{}`", audience.role))
        }
        Some(_) if order.brakes.refusal(&recipient.address).is_some() => {
            (false, order.brakes.refusal(&recipient.address).unwrap_or_default())
        }
        Some(audience) => (true, format!("{}, {}", audience.short(), decision.rule)),
    };
    let will = if gets { "will get" } else { "will not get" };
    let line =
        format!("{to}: {will} {} of {} on {}: {rule}\n", about(found.local_on).long(), settings.name, found.local);
    let json = serde_json::json!({
        "schedule": settings.name, "address": recipient.address, "partner_id": recipient.partner_id, "at": found.at,
        "period": about(found.local_on), "gets": gets, "rule": rule, "why_then": found.why,
    });
    Some((line, json))
}

/// What a store gets by the next occurrence of each schedule, or the one about a period, when a store is asked for.
fn stored(config: &Config, who: &str, period: Option<Period>) -> Vec<(String, serde_json::Value)> {
    let Some(store) = config.stores.iter().find(|store| store_name(&store.name) == who) else { return Vec::new() };
    let rule = match &store.role {
        Some(role) => format!("the editions of `{role}` over each whole partner"),
        None => "every edition that is made for a recipient".to_owned(),
    };
    let n = if period.is_some() { AHEAD_MAX } else { 1 };
    let of = config.schedules.iter().filter(|settings| settings.stores.contains(&store.name));
    let told = |settings: &ScheduleSettings| {
        let about = |day| settings.timing.period.of(day);
        let ahead = settings.timing.cadence.next_after(SystemClock.now(), n);
        let found = ahead.into_iter().find(|one| period.is_none_or(|period| about(one.local_on) == period))?;
        let period = about(found.local_on);
        let line = format!("{who}: will get {} of {} on {}: {rule}\n", period.long(), settings.name, found.local);
        let json = serde_json::json!({
            "schedule": settings.name, "store": store.name, "at": found.at, "period": period, "gets": true,
            "rule": rule, "why_then": found.why,
        });
        Some((line, json))
    };
    of.filter_map(told).collect()
}

/// What is recorded of somebody.
struct Past {
    deliveries: Vec<(DeliveryRow, Vec<AttemptRow>)>,
    exclusions: Vec<ExclusionRow>,
    waiting: Vec<(RunRow, String)>,
    /// What brakes held of the runs that planned these deliveries.
    brakes: BTreeMap<RunId, Vec<BrakeRow>>,
    more: bool,
}

async fn past(ledger: &Ledger, who: &str, period: Option<Period>) -> Result<Past, Failure> {
    let is_asked = |of: Period| period.is_none_or(|period| of == period);
    // A store's name stands for its address, and no partner's id has a blank in it.
    let of = match who.contains('@') || who.starts_with(STORE) {
        true => DeliveriesOf::Address(who.to_owned()),
        false => DeliveriesOf::Partner(who.to_owned()),
    };
    let page = ledger.deliveries(&of).await?;
    let mut deliveries = Vec::new();
    for row in page.rows.into_iter().filter(|row| is_asked(row.period)) {
        let attempts = ledger.attempts(row.id).await?;
        deliveries.push((row, attempts));
    }
    let mut brakes = BTreeMap::new();
    for (row, _) in &deliveries {
        let run = ledger.edition(row.edition).await?.run;
        for run in [row.run, run] {
            if let Entry::Vacant(place) = brakes.entry(run) {
                place.insert(ledger.brakes_of(run).await?);
            }
        }
    }
    let mut exclusions = ledger.exclusions(who).await?;
    exclusions.rows.retain(|row| is_asked(row.period));
    let mut waiting = ledger.waiting_for(who).await?;
    waiting.retain(|(run, _)| is_asked(run.period));
    Ok(Past { deliveries, exclusions: exclusions.rows, waiting, brakes, more: page.more || exclusions.more })
}

impl Past {
    fn tell(&self, text: &mut String) {
        if self.deliveries.is_empty() && self.exclusions.is_empty() && self.waiting.is_empty() {
            text.push_str("Nothing was planned for them so far.\n");
        }
        for (row, attempts) in &self.deliveries {
            text.push_str(&got(row, attempts));
            self.brakes_of(row).for_each(|brake| text.push_str(&format!("    {}\n", status::braked(brake))));
        }
        for row in &self.exclusions {
            let who = if row.address.is_empty() { &row.partner_id } else { &row.address };
            let run = format!("{} {} run {}", row.period, row.schedule, row.run);
            text.push_str(&format!("  {run}: nothing for {who}: {}\n", row.rule));
        }
        for (run, what) in &self.waiting {
            text.push_str(&format!("  {} {} run {}: waits: {what}\n", run.period, run.schedule, run.id));
        }
        if self.more {
            text.push_str("  and older ones\n");
        }
    }
}

impl Past {
    /// What held a delivery: its edition, or its run as a whole.
    fn brakes_of<'a>(&'a self, row: &'a DeliveryRow) -> impl Iterator<Item = &'a BrakeRow> {
        let is_of = |brake: &&BrakeRow| match brake.edition {
            Some(edition) => edition == row.edition,
            None => brake.run == row.run,
        };
        self.brakes.values().flatten().filter(is_of)
    }
}

fn got(row: &DeliveryRow, attempts: &[AttemptRow]) -> String {
    let path = row.archive_path.as_ref().map_or(String::new(), |path| format!("; {path}"));
    let mut text = format!(
        "  {} {} {}, mail {} to {}: {}: {} ({} tries){path}\n",
        row.period,
        row.schedule,
        row.audience.short(),
        row.id,
        row.address,
        row.state,
        row.reason,
        row.n_attempts
    );
    if let Some(note) = &row.note {
        text.push_str(&format!("    {note}\n"));
    }
    // A mail that went at once needs no list of tries.
    let is_plain = row.state == DeliveryState::Delivered && attempts.len() == 1;
    for attempt in attempts.iter().filter(|_| !is_plain) {
        let outcome = attempt.outcome.map_or("under way".to_owned(), |outcome| outcome.to_string());
        let reason = attempt.reason.as_deref().unwrap_or("no answer yet");
        let at = attempt.started_at.format("%Y-%m-%d %H:%M:%S UTC");
        text.push_str(&format!("    try {} at {at}: {outcome}: {reason}\n", attempt.attempt_no));
    }
    text
}

/// The runs for these partners that made nothing, about a period or of late: what keeps an edition from being there.
async fn runs(
    ledger: &Ledger,
    orders: &BTreeMap<String, Arc<Order>>,
    partners: &[&str],
    period: Option<Period>,
) -> Result<Vec<RunRow>, Failure> {
    /// Without a period the latest are looked at.
    const RUNS_MAX: usize = 200;
    let covers = |order: &Arc<Order>| partners.iter().any(|partner| order.covers(partner));
    let mut runs = match period {
        Some(period) => ledger.runs_about(period).await?,
        None => ledger.runs(RUNS_MAX).await?,
    };
    runs.retain(|run| !matches!(run.state, RunState::Done | RunState::Partial | RunState::Running));
    runs.retain(|run| orders.get(&run.schedule).is_some_and(covers));
    Ok(runs)
}
