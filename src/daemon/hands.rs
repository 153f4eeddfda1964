//! Who works on open runs: several at once, so that a slow relay of one stops no other.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context;
use chrono::{DateTime, Duration, Utc};
use tokio::task::JoinSet;

use super::{Pulse, Rota};
use crate::ledger::{RunId, RunRow, RunState};
use crate::pipeline;

/// How many runs are worked on at once. Most of them wait for a relay: who makes editions is bounded for all together.
const RUNS_AT_ONCE_MAX: usize = 32;

/// How long a waiting run is left alone when a source cannot tell that something came in, and one that broke off often.
const LOOK_AGAIN_MINUTES: i64 = 10;

/// How often working on a run may break off before it is left alone for a while.
const BROKEN_MAX: u32 = 3;

/// The runs that are worked on.
pub(super) struct Hands {
    /// Each ends with what failed, if something did.
    pub(super) tasks: JoinSet<Option<String>>,
    busy: HashMap<tokio::task::Id, RunId>,
    /// How often working on a run broke off.
    broken: HashMap<RunId, u32>,
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
            broken: HashMap::new(),
            left_alone: HashMap::new(),
            waiting: HashMap::new(),
            pulse,
            said: HashMap::new(),
        }
    }

    /// Takes up open runs whose time has come: left by a crash, newly due, released by an admin, waiting for data that
    /// may be there now, or for a retry.
    pub(super) async fn take_up(&mut self, rota: &Rota, now: DateTime<Utc>) -> anyhow::Result<()> {
        self.clear_ended();
        if self.tasks.len() >= RUNS_AT_ONCE_MAX || rota.press.stop.is_set() {
            return Ok(());
        }
        let open = rota.press.ledger.open_runs().await.context("the open runs")?;
        let is_open = |id: &RunId| open.iter().any(|row| row.id == *id);
        self.waiting.retain(|id, _| is_open(id));
        self.broken.retain(|id, _| is_open(id));
        self.left_alone.retain(|id, _| is_open(id));
        self.said.retain(|id, _| is_open(id));
        let newest_load = match open.iter().any(|row| row.state == RunState::Waiting) {
            true => rota.press.facts.newest_load().await.unwrap_or_default(),
            false => None,
        };
        for row in &open {
            if self.tasks.len() >= RUNS_AT_ONCE_MAX {
                break;
            }
            if !self.busy.values().any(|busy| *busy == row.id) && self.is_time(row, &open, newest_load, now) {
                self.take(rota, row).await?;
            }
        }
        Ok(())
    }

    /// Whether something can be done about a run now.
    fn is_time(&mut self, row: &RunRow, open: &[RunRow], newest_load: Option<u64>, now: DateTime<Utc>) -> bool {
        if self.broken.get(&row.id).is_some_and(|n| *n >= BROKEN_MAX) {
            let left_at = *self.left_alone.entry(row.id).or_insert(now);
            if now - left_at < Duration::minutes(LOOK_AGAIN_MINUTES) {
                return false;
            }
            self.broken.remove(&row.id);
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
                    looked.newest_load != newest_load || is_old || looked.at > now
                });
                if is_late || is_news {
                    self.waiting.insert(row.id, Looked { newest_load, at: now });
                }
                is_late || is_news
            }
            _ => true,
        }
    }

    async fn take(&mut self, rota: &Rota, row: &RunRow) -> anyhow::Result<()> {
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
                Err(error) => Some(format!("{:#}", anyhow::Error::from(error))),
            }
        });
        self.busy.insert(task.id(), id);
        Ok(())
    }

    /// Ends what was planned for a schedule that is not in the configuration any more. What has begun stays open: nobody
    /// knows how to go on with it.
    async fn leave(&mut self, rota: &Rota, row: &RunRow) -> anyhow::Result<()> {
        let reason = "the schedule is not in the configuration any more";
        let to = match row.state {
            RunState::Planned => RunState::Skipped,
            RunState::Waiting => RunState::Missed,
            _ => {
                self.say(row.id, reason.to_owned());
                return Ok(());
            }
        };
        let ledger = &rota.press.ledger;
        ledger.move_run(row.id, to, reason, rota.press.clock.now()).await.context("a run without a schedule")
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
        let (task, failure, broke) = match ended {
            Ok((task, failure)) => (task, failure, 0),
            Err(error) => (error.id(), Some(format!("it broke off: {error}")), 1),
        };
        let Some(run) = self.busy.remove(&task) else { return };
        match failure {
            Some(failure) => self.say(run, failure),
            None => drop(self.said.remove(&run)),
        }
        // What a panic left claimed ends with its lease.
        *self.broken.entry(run).or_default() += broke;
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
