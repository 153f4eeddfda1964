//! Wakes, catches up, works, drains: what is due is computed from the ledger at each beat of the heart.

mod heart;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use chrono::{DateTime, Duration, Utc};
use futures::future::BoxFuture;

use crate::ledger::{NewRun, RunState};
use crate::pipeline::{self, Order, Press, Progress};
use crate::schedule::{Cadence, CatchUp, Due, DueWhat, PeriodRule, due};

pub use heart::HEARTBEAT_SECS;

/// What the daemon works with.
pub struct Daemon {
    /// Everything outside that a run touches.
    pub press: Press,
    /// What each schedule orders.
    pub orders: BTreeMap<String, Arc<Order>>,
    /// When each schedule runs.
    pub timed: Vec<Timed>,
    /// Looks into the inbox folder, if one is watched.
    pub inbox: Option<Inbox>,
}

/// Brings what lies in the inbox into the facts.
pub type Inbox = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// When a schedule runs.
#[derive(Clone, Debug)]
pub struct Timed {
    /// The schedule's name.
    pub schedule: String,
    /// Its rule of recurrence.
    pub cadence: Cadence,
    /// What its editions are about.
    pub period: PeriodRule,
    /// What is done about occurrences that nobody was awake for.
    pub catch_up: CatchUp,
    /// How long after its instant an occurrence may still start.
    pub deadline: Option<Duration>,
}

impl Daemon {
    /// Works until it is told to stop (SIGTERM or SIGINT), then drains: what is claimed is finished, nothing new is.
    ///
    /// # Errors
    /// When another daemon has the ledger, or the heart cannot beat. A beat that fails is logged, and the next
    /// one goes on.
    pub async fn run(self) -> anyhow::Result<()> {
        let lock = self.press.ledger.daemon_lock().context("one daemon works on a ledger")?;
        let mut heart = heart::start(self.press.stop.clone()).await?;
        tracing::info!(schedules.n = self.timed.len(), "daemon is awake");
        loop {
            if let Err(error) = self.beat().await {
                tracing::error!("a beat failed: {error:#}");
            }
            if self.press.stop.is_set() || !heart.beat().await {
                break;
            }
        }
        heart.stop().await;
        drop(lock);
        tracing::info!("daemon has drained");
        Ok(())
    }

    /// One beat: the inbox, what is due, and what is still open.
    ///
    /// # Errors
    /// When the ledger cannot be read or written. One schedule's failure does not stop another's.
    pub async fn beat(&self) -> anyhow::Result<()> {
        if let Some(inbox) = &self.inbox {
            inbox().await;
        }
        self.press.ledger.reap(self.press.clock.now()).await?;
        for timed in &self.timed {
            if let Err(error) = self.catch_up(timed).await {
                tracing::error!(schedule = timed.schedule, "a schedule failed: {error:#}");
            }
        }
        self.go_on().await
    }

    /// Runs or records every occurrence of a schedule that came due.
    async fn catch_up(&self, timed: &Timed) -> anyhow::Result<()> {
        let Some(order) = self.orders.get(&timed.schedule) else { return Ok(()) };
        loop {
            let now = self.press.clock.now();
            let cadence = serde_json::to_string(&timed.cadence)?;
            let since = self.press.ledger.since(&timed.schedule, &cadence, now).await?;
            let last = self.press.ledger.last_occurrence(&timed.schedule).await?;
            let since = last.map_or(since, |last| last.max(since));
            let list = due(&timed.cadence, timed.period, timed.catch_up, since, now, timed.deadline);
            for due in &list.due {
                if self.press.stop.is_set() {
                    return Ok(());
                }
                self.act(order, due, now).await?;
            }
            if !list.more {
                return Ok(());
            }
        }
    }

    async fn act(&self, order: &Arc<Order>, due: &Due, now: DateTime<Utc>) -> anyhow::Result<()> {
        match &due.what {
            DueWhat::Missed { reason } => {
                let new = NewRun {
                    schedule: order.schedule.clone(),
                    occurrence_at: Some(due.at),
                    period: due.period,
                    data: String::new(),
                    config_digest: order.config_digest.to_string(),
                    why: due.why.clone(),
                };
                self.press.ledger.record_occurrence(&new, RunState::Missed, reason, now).await?;
                tracing::warn!(schedule = order.schedule, at = %due.at, "an occurrence was missed: {reason}");
            }
            DueWhat::Run => {
                tracing::info!(schedule = order.schedule, at = %due.at, period = %due.period, "an occurrence runs");
                let ran = pipeline::run(&self.press, order, (due.period, Some(due.at)), &due.why, &quiet()).await?;
                tracing::info!(run.id = %ran.run.id, run.state = %ran.run.state, "a run ended or waits for a retry");
            }
        }
        Ok(())
    }

    /// Goes on with runs that are open: left by a crash, released by an admin, or waiting for a retry.
    async fn go_on(&self) -> anyhow::Result<()> {
        let now = self.press.clock.now();
        for row in self.press.ledger.open_runs().await? {
            if self.press.stop.is_set() {
                return Ok(());
            }
            let Some(order) = self.orders.get(&row.schedule) else {
                tracing::warn!(run.id = %row.id, "a run is open, but its schedule is not in the configuration any more");
                continue;
            };
            self.press.ledger.resolve_uncertain(&row.schedule, &order.retries, now).await?;
            if let Err(error) = pipeline::resume(&self.press, order, &row, &quiet()).await {
                tracing::error!(run.id = %row.id, "going on with a run failed: {error:#}");
            }
        }
        Ok(())
    }
}

fn quiet() -> Progress {
    Arc::new(|_| {})
}
