//! What is due, and a row for each occurrence before anything is done about it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{Rota, Timed};
use crate::base::Period;
use crate::ledger::{Era, EraChange, LedgerError, NewRun, RunState};
use crate::schedule::{CatchUp, Due, DueWhat, Lateness, Overlap, Timing, due, start_at};

/// When each schedule is due next.
pub struct Timetable {
    entries: Vec<Entry>,
}

struct Entry {
    timed: Timed,
    /// Everything up to here has its row.
    since: DateTime<Utc>,
    next_at: Option<DateTime<Utc>>,
}

/// An occurrence to be written down, and its outcome where it does not run.
type Planned = (NewRun, Option<(RunState, String)>);

impl Timetable {
    /// Reconciles the ledger with the schedules as they are now: a new one begins, a changed one has what its old cadence
    /// named until now recorded by it and begins anew, of one that is gone what came due until now is recorded as
    /// skipped.
    ///
    /// # Errors
    /// When the ledger cannot be read or written.
    pub async fn open(rota: &Rota, now: DateTime<Utc>) -> Result<Timetable, LedgerError> {
        let ledger = &rota.press.ledger;
        let eras = ledger.eras().await?;
        let mut in_force: BTreeMap<&str, &Era> = BTreeMap::new();
        in_force.extend(eras.iter().filter(|era| era.until_at.is_none()).map(|era| (era.schedule.as_str(), era)));
        let last = ledger.last_occurrences(now).await?;
        let since = |era: &Era| last.get(&era.schedule).map_or(era.from_at, |last| era.from_at.max(*last));
        let mut changes = Vec::new();
        let mut planned = Vec::new();
        let mut entries = Vec::new();
        for timed in &rota.timed {
            let (change, since) = match in_force.remove(timed.schedule.as_str()) {
                None => (Some(EraChange::Begins(timed.timing.clone())), now),
                // A clock that was ahead wrote it down.
                Some(era) if era.from_at > now => (Some(EraChange::Begins(timed.timing.clone())), now),
                Some(era) => match &era.timing {
                    Some(timing) if *timing == timed.timing => (None, since(era)),
                    None => (Some(EraChange::Reads(timed.timing.clone())), since(era)),
                    Some(before) => {
                        planned.extend(came_due(rota, timed, before, since(era), now));
                        (Some(EraChange::Begins(timed.timing.clone())), now)
                    }
                },
            };
            changes.extend(change.map(|change| (timed.schedule.clone(), change)));
            entries.push(Entry::new(timed.clone(), since));
        }
        for era in in_force.into_values() {
            changes.push((era.schedule.clone(), EraChange::Ends));
            planned.extend(left_behind(rota, era, since(era), now));
        }
        write_down(rota, &planned, now).await?;
        if !changes.is_empty() {
            ledger.change_eras(&changes, now).await?;
        }
        Ok(Timetable { entries })
    }

    /// Writes down what came due since the last look; returns how many are new.
    ///
    /// # Errors
    /// When the ledger cannot be read or written; the next look finds the same.
    pub async fn look(&mut self, rota: &Rota, now: DateTime<Utc>) -> Result<usize, LedgerError> {
        let mut planned = Vec::new();
        let mut seen = Vec::new();
        for (n, entry) in self.entries.iter().enumerate() {
            if entry.next_at.is_some_and(|next_at| next_at <= now) {
                let came_due = came_due(rota, &entry.timed, &entry.timed.timing, entry.since, now);
                seen.extend(came_due.last().and_then(|(new, _)| new.occurrence_at).map(|last_at| (n, last_at)));
                planned.extend(came_due);
            }
        }
        let n_new = write_down(rota, &planned, now).await?;
        for (n, last_at) in seen {
            let entry = &mut self.entries[n];
            *entry = Entry::new(entry.timed.clone(), last_at);
        }
        Ok(n_new)
    }
}

impl Entry {
    fn new(timed: Timed, since: DateTime<Utc>) -> Entry {
        let next_at = timed.timing.cadence.next_at(since);
        Entry { timed, since, next_at }
    }
}

/// What a timing named since an instant, each with what is to be done about it.
fn came_due(rota: &Rota, timed: &Timed, timing: &Timing, since: DateTime<Utc>, now: DateTime<Utc>) -> Vec<Planned> {
    let planned = |Due { at, period, what, why }: Due| {
        let outcome = match what {
            DueWhat::Run => None,
            DueWhat::Missed { reason } => Some((RunState::Missed, reason)),
        };
        let new = NewRun {
            start_at: Some(start_at(&timed.schedule, at, timed.jitter_secs_max)),
            deadline_at: at.checked_add_signed(timed.late.deadline),
            ..new_run(rota, &timed.schedule, at, period, why)
        };
        (new, outcome)
    };
    all_due(timing, timed.late, since, now).map(planned).collect()
}

/// What a schedule that is gone named until it was seen to be gone.
fn left_behind(rota: &Rota, era: &Era, since: DateTime<Utc>, now: DateTime<Utc>) -> Vec<Planned> {
    let Some(timing) = &era.timing else { return Vec::new() };
    let late = Lateness { catch_up: CatchUp::None, catch_up_max: 1, deadline: chrono::Duration::MAX };
    let planned = |Due { at, period, why, .. }: Due| {
        let reason = "the schedule is not in the configuration any more".to_owned();
        (new_run(rota, &era.schedule, at, period, why), Some((RunState::Skipped, reason)))
    };
    all_due(timing, late, since, now).map(planned).collect()
}

/// Everything that came due, list by list.
fn all_due(timing: &Timing, late: Lateness, since: DateTime<Utc>, now: DateTime<Utc>) -> impl Iterator<Item = Due> {
    let mut next = Some(since);
    let lists = std::iter::from_fn(move || {
        let list = due(timing, late, next?, now);
        next = list.due.last().map(|due| due.at).filter(|_| list.more);
        Some(list.due)
    });
    lists.flatten()
}

fn new_run(rota: &Rota, schedule: &str, at: DateTime<Utc>, period: Period, why: String) -> NewRun {
    NewRun {
        schedule: schedule.to_owned(),
        occurrence_at: Some(at),
        period,
        data: String::new(),
        config_digest: rota.config_digest.to_string(),
        why,
        start_at: None,
        deadline_at: None,
    }
}

async fn write_down(rota: &Rota, planned: &[Planned], now: DateTime<Utc>) -> Result<usize, LedgerError> {
    if planned.is_empty() {
        return Ok(0);
    }
    let planned = without_overlap(rota, planned.to_vec()).await?;
    let rows = rota.press.ledger.plan_occurrences(&planned, now).await?;
    for row in &rows {
        let at = row.occurrence_at.unwrap_or(row.planned_at);
        match row.state {
            RunState::Planned => {
                tracing::info!(schedule = row.schedule, run.id = %row.id, at = %at, period = %row.period, "an occurrence is due");
            }
            state => {
                tracing::warn!(schedule = row.schedule, run.id = %row.id, at = %at, "an occurrence is {state}: {}", row.reason);
            }
        }
    }
    Ok(rows.len())
}

/// Leaves out what comes due while an earlier run of a schedule that skips then is open.
async fn without_overlap(rota: &Rota, mut planned: Vec<Planned>) -> Result<Vec<Planned>, LedgerError> {
    let skips = |timed: &&Timed| timed.overlap == Overlap::Skip;
    let skipping: BTreeSet<&str> = rota.timed.iter().filter(skips).map(|timed| timed.schedule.as_str()).collect();
    if planned.iter().all(|(new, outcome)| outcome.is_some() || !skipping.contains(new.schedule.as_str())) {
        return Ok(planned);
    }
    let open = rota.press.ledger.open_runs().await?;
    let runs = open.iter().filter(|row| row.occurrence_at.is_some());
    let runs = runs.filter(|row| matches!(row.state, RunState::Planned | RunState::Running));
    let running: BTreeMap<&str, _> = runs.map(|row| (row.schedule.as_str(), row.id)).collect();
    for (new, outcome) in planned.iter_mut().filter(|(new, _)| skipping.contains(new.schedule.as_str())) {
        if let (None, Some(run)) = (&outcome, running.get(new.schedule.as_str())) {
            *outcome = Some((RunState::Skipped, format!("run {run} still runs, and `overlap` is `skip`")));
        }
    }
    Ok(planned)
}
