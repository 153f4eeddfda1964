//! Ends the leases of dead workers, and those that ran out.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;

use super::delivery::{end_attempt, step as delivery_step};
use super::edition::{EDITION_BROKEN_OFF_MAX, close_deliveries, step as edition_step};
use super::row::{delivery_row, edition_row, select_deliveries, select_editions};
use super::step::{DeliveryChange, EditionChange, move_delivery, move_edition};
use super::{DeliveryState, EditionState, Ledger, LedgerError, RunId, micros};

/// Rows moved in one transaction.
const ROWS_PER_TRANSACTION: i64 = 500;

pub(super) const ENDED_EDITIONS: &str = select_editions!(
    "WHERE e.state = 'making' AND (e.lease_until_at <= $1
         OR e.worker_id IN (SELECT id FROM worker WHERE ended_at IS NOT NULL)) LIMIT $2"
);

pub(super) const ENDED_DELIVERIES: &str = select_deliveries!(
    "WHERE d.state = 'sending' AND (d.lease_until_at <= $1
         OR d.worker_id IN (SELECT id FROM worker WHERE ended_at IS NOT NULL)) LIMIT $2"
);

/// What [`Ledger::reap`] found.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Reaped {
    /// Workers that were found dead.
    pub dead_workers: Vec<i64>,
    /// Editions that are planned again.
    pub n_editions_planned: u64,
    /// Editions that have failed, as no attempts are left.
    pub n_editions_failed: u64,
    /// Deliveries of which nobody can tell whether they were taken.
    pub n_deliveries_uncertain: u64,
    /// The runs that planned these.
    pub uncertain_runs: BTreeSet<RunId>,
}

impl Reaped {
    /// Whether there was anything.
    pub fn is_empty(&self) -> bool {
        *self == Reaped::default()
    }
}

impl Ledger {
    /// Ends the leases of workers whose process is gone, and the leases that ran out: an edition in the making is
    /// planned again or has failed, a delivery under way becomes `uncertain`.
    ///
    /// # Errors
    /// When the database can't be written; what was moved so far is moved.
    pub async fn reap(&self, now: DateTime<Utc>) -> Result<Reaped, LedgerError> {
        let dead_workers = self.bury_dead_workers(now).await?;
        let mut reaped = Reaped { dead_workers, ..Reaped::default() };
        loop {
            let mut tx = self.begin().await?;
            let n =
                reap_editions(&mut tx, &mut reaped, now).await? + reap_deliveries(&mut tx, &mut reaped, now).await?;
            tx.commit().await?;
            if n == 0 {
                break;
            }
        }
        if !reaped.is_empty() {
            tracing::warn!(
                workers.dead = reaped.dead_workers.len(),
                editions.planned_again = reaped.n_editions_planned,
                editions.failed = reaped.n_editions_failed,
                deliveries.uncertain = reaped.n_deliveries_uncertain,
                "ended the leases of workers that are gone"
            );
        }
        Ok(reaped)
    }
}

async fn reap_editions(
    conn: &mut SqliteConnection,
    reaped: &mut Reaped,
    now: DateTime<Utc>,
) -> Result<usize, LedgerError> {
    let rows = sqlx::query(ENDED_EDITIONS).bind(micros(now)).bind(ROWS_PER_TRANSACTION).fetch_all(&mut *conn).await?;
    for row in &rows {
        let row = edition_row(row)?;
        let n_broken_off = row.n_broken_off + 1;
        let mut reason = "the worker's lease ended before it was made".to_owned();
        let to = if n_broken_off < EDITION_BROKEN_OFF_MAX { EditionState::Planned } else { EditionState::Failed };
        if to == EditionState::Failed {
            reason = format!("{n_broken_off} times {reason}");
        }
        let step = edition_step(&row, row.fence, to, &reason, now, None);
        let change = EditionChange { n_broken_off: Some(i64::from(n_broken_off)), ..Default::default() };
        if move_edition(conn, &step, change).await? {
            close_deliveries(conn, &step.id, to, &reason, step.at).await?;
            match to {
                EditionState::Failed => reaped.n_editions_failed += 1,
                _ => reaped.n_editions_planned += 1,
            }
        }
    }
    Ok(rows.len())
}

async fn reap_deliveries(
    conn: &mut SqliteConnection,
    reaped: &mut Reaped,
    now: DateTime<Utc>,
) -> Result<usize, LedgerError> {
    let rows = sqlx::query(ENDED_DELIVERIES).bind(micros(now)).bind(ROWS_PER_TRANSACTION).fetch_all(&mut *conn).await?;
    for row in &rows {
        let row = delivery_row(row)?;
        let reason = "the worker's lease ended before its answer was written down; it may have been taken";
        let step = delivery_step(&row, row.fence, DeliveryState::Uncertain, reason, now, None);
        if move_delivery(conn, &step, DeliveryChange::default()).await? {
            end_attempt(conn, row.id, row.n_attempts, &step).await?;
            reaped.n_deliveries_uncertain += 1;
            reaped.uncertain_runs.insert(row.run);
        }
    }
    Ok(rows.len())
}
