//! Who works on open runs: several at once, so that a slow relay of one stops no other.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use anyhow::Context;
use chrono::{DateTime, Duration, Utc};
use tokio::task::JoinSet;

use super::{Pulse, Rota, told};
use crate::ledger::{RunId, RunRow, RunState};
use crate::pipeline;

/// How many runs are worked on at once. Most of them wait for a relay: who makes editions is bounded for all together.
const RUNS_AT_ONCE_MAX: usize = 32;

/// How long a waiting run is left alone when a source cannot tell that something came in, and at most one that broke off
/// often.
const LOOK_AGAIN_MINUTES: i64 = 10;

/// How many of these may be runs that have begun before.
const GOING_ON_MAX: usize = 24;

/// How often working on a run may fail before it is left alone for a minute, and for twice as long each time after that.
const BROKEN_MAX: u32 = 3;

/// The runs that are worked on.
pub(super) struct Hands {
    /// Each ends with what failed, if something did.
    pub(super) tasks: JoinSet<Option<String>>,
    busy: HashMap<tokio::task::Id, RunId>,
    /// Those that ended since the last beat.
    resting: HashSet<RunId>,
    /// How often in a row working on a run failed or broke off.
    broken: HashMap<RunId, u32>,
    /// Runs of which a mail has just become uncertain: the rule and the destination may know what to do about it, also
    /// when the run has ended.
    pub(super) unsettled: BTreeSet<RunId>,
    /// Since when those that broke off too often are left alone.
    left_alone: HashMap<RunId, DateTime<Utc>>,
    /// What each waiting run was last looked at with.
    waiting: HashMap<RunId, Looked>,
    /// Told how long runs took.
    pulse: Pulse,
    /// What was last said of a run that cannot be worked on, so that it is said once.
    said: HashMap<RunId, String>,
}

struct Looked {
    newest_load: Option<u64>,
    at: DateTime<Utc>,
}

impl Hands {
    /// Idle ones.
    pub(super) fn new(pulse: Pulse) -> Hands {
        Hands {
            tasks: JoinSet::new(),
            busy: HashMap::new(),
            resting: HashSet::new(),
            broken: HashMap::new(),
            unsettled: BTreeSet::new(),
            left_alone: HashMap::new(),
            waiting: HashMap::new(),
            pulse,
            said: HashMap::new(),
        }
    }

    /// At a beat: runs that rested are looked at again, and open runs whose time has come are taken up.
    pub(super) async fn beat(&mut self, rota: &Rota, now: DateTime<Utc>) -> anyhow::Result<()> {
        self.resting.clear();
        self.take_up(rota, now).await
    }

    /// What was known by an earlier configuration, or by a clock that was wrong, counts no more.
    pub(super) fn look_anew(&mut self) {
        self.waiting.clear();
        self.broken.clear();
        self.left_alone.clear();
    }

    /// Takes up open runs whose time has come: left by a crash, newly due, released by an admin, waiting for data that
    /// may be there now, or for a retry.
    pub(super) async fn take_up(&mut self, rota: &Rota, now: DateTime<Utc>) -> anyhow::Result<()> {
        self.clear_ended();
        if self.tasks.len() >= RUNS_AT_ONCE_MAX || rota.press.stop.is_set() {
            return Ok(());
        }
        let mut open = rota.press.ledger.open_runs().await.context("the open runs")?;
        for id in std::mem::take(&mut self.unsettled) {
            if open.iter().all(|row| row.id != id) {
                open.push(rota.press.ledger.run(id).await.context("a run with a mail that is uncertain")?);
            }
        }
        let ids: HashSet<RunId> = open.iter().map(|row| row.id).collect();
        self.waiting.retain(|id, _| ids.contains(id));
        self.broken.retain(|id, _| ids.contains(id));
        self.left_alone.retain(|id, _| ids.contains(id));
        self.said.retain(|id, _| ids.contains(id));
        let newest_load = match open.iter().any(|row| row.state == RunState::Waiting) {
            true => rota.press.facts.newest_load().await.unwrap_or_default(),
            false => None,
        };
        let busy: HashSet<RunId> = self.busy.values().copied().collect();
        let n_going_on = open.iter().filter(|row| busy.contains(&row.id) && row.state == RunState::Running).count();
        let mut places = GOING_ON_MAX.saturating_sub(n_going_on);
        for row in open.iter().filter(|row| !busy.contains(&row.id)) {
            if self.tasks.len() >= RUNS_AT_ONCE_MAX {
                break;
            }
            // Runs that go on, which may be many when a relay is down, leave places to those that begin.
            let is_going_on = row.state == RunState::Running;
            if self.resting.contains(&row.id) || (is_going_on && places == 0) {
                continue;
            }
            if self.is_time(row, &open, newest_load, now) {
                places -= usize::from(is_going_on);
                self.take(rota, row).await;
            }
        }
        Ok(())
    }

    /// Whether something can be done about a run now.
    fn is_time(&mut self, row: &RunRow, open: &[RunRow], newest_load: Option<u64>, now: DateTime<Utc>) -> bool {
        if let Some(n_more) = self.broken.get(&row.id).and_then(|n| n.checked_sub(BROKEN_MAX)) {
            let minutes = (1_i64 << n_more.min(4)).min(LOOK_AGAIN_MINUTES);
            let left_at = *self.left_alone.entry(row.id).or_insert(now);
            if now - left_at < Duration::minutes(minutes) {
                return false;
            }
            self.left_alone.remove(&row.id);
        }
        match row.state {
            RunState::Planned => {
                let is_before = |other: &RunRow| {
                    let is_open = matches!(other.state, RunState::Planned | RunState::Running);
                    other.schedule == row.schedule && other.occurrence_at.is_some() && is_open && other.id < row.id
                };
                let is_by_hand = row.occurrence_at.is_none();
                is_by_hand || (row.start_at.is_none_or(|start_at| start_at <= now) && !open.iter().any(is_before))
            }
            RunState::Waiting => {
                let is_late = row.deadline_at.is_some_and(|deadline_at| deadline_at < now);
                let is_news = self.waiting.get(&row.id).is_none_or(|looked| {
                    let is_old = newest_load.is_none() && now - looked.at >= Duration::minutes(LOOK_AGAIN_MINUTES);
                    looked.newest_load != newest_load || is_old
                });
                if is_late || is_news {
                    self.waiting.insert(row.id, Looked { newest_load, at: now });
                }
                is_late || is_news
            }
            _ => true,
        }
    }

    async fn take(&mut self, rota: &Rota, row: &RunRow) {
        let Some(order) = rota.orders.get(&row.schedule) else {
            return self.leave(rota, row).await;
        };
        let (press, order, row) = (rota.press.clone(), Arc::clone(order), row.clone());
        let (id, pulse) = (row.id, self.pulse.clone());
        let task = self.tasks.spawn(async move {
            let worked = async {
                press.ledger.resolve_uncertain(&row.schedule, &order.retries, press.clock.now()).await?;
                pipeline::resume(&press, &order, &row, &quiet()).await
            };
            match worked.await {
                Ok(ran) if ran.run.state != row.state => {
                    if ran.run.state.is_last() {
                        pulse.run_ended(ran.run.moved_at - row.planned_at);
                    }
                    tracing::info!(run.id = %id, run.state = %ran.run.state, "a run moved on: {}", ran.run.reason);
                    None
                }
                Ok(_) => None,
                Err(error) => Some(told(error.into())),
            }
        });
        self.busy.insert(task.id(), id);
    }

    /// Ends what was planned for a schedule that is not in the configuration any more. What has begun stays open: nobody
    /// knows how to go on with it.
    async fn leave(&mut self, rota: &Rota, row: &RunRow) {
        let reason = "the schedule is not in the configuration any more";
        let to = match row.state {
            RunState::Planned => RunState::Skipped,
            RunState::Waiting => RunState::Missed,
            _ => return self.say(row.id, format!("{reason}; put it back, and the run goes on")),
        };
        if let Err(error) = rota.press.ledger.move_run(row.id, to, reason, rota.press.clock.now()).await {
            self.say(row.id, error.to_string());
        }
    }

    /// Waits until one of the runs that are worked on ends; for ever when there is none.
    pub(super) async fn one_ended(&mut self) {
        match self.tasks.join_next_with_id().await {
            Some(ended) => self.ended(ended),
            None => std::future::pending().await,
        }
    }

    /// Waits until all have ended.
    pub(super) async fn rest(&mut self) {
        while let Some(ended) = self.tasks.join_next_with_id().await {
            self.ended(ended);
        }
    }

    fn clear_ended(&mut self) {
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.ended(ended);
        }
    }

    fn ended(&mut self, ended: Result<(tokio::task::Id, Option<String>), tokio::task::JoinError>) {
        let (task, failure) = match ended {
            Ok((task, failure)) => (task, failure),
            Err(error) => (error.id(), Some(format!("it broke off: {error}"))),
        };
        let Some(run) = self.busy.remove(&task) else { return };
        // Not again before the next beat: what could be done about it now is done.
        self.resting.insert(run);
        match failure {
            Some(failure) => {
                // What a panic left claimed ends with its lease.
                *self.broken.entry(run).or_default() += 1;
                self.waiting.remove(&run);
                self.say(run, failure);
            }
            None => {
                self.broken.remove(&run);
                self.said.remove(&run);
            }
        }
    }

    fn say(&mut self, run: RunId, what: String) {
        if self.said.get(&run) != Some(&what) {
            tracing::error!(run.id = %run, "working on a run failed: {what}");
            self.said.insert(run, what);
        }
    }
}

fn quiet() -> pipeline::Progress {
    Arc::new(|_| {})
}
