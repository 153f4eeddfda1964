//! Leaving a held run out for good.

use chrono::{DateTime, Utc};
use sqlx::{Row as _, SqliteConnection};

use super::brake::release_brakes;
use super::edition::step as edition_step;
use super::hand::by_hand;
use super::plan::{move_there, read_run};
use super::release::planned_again;
use super::row::{edition_row, select_editions, state};
use super::step::{DeliveryChange, EditionChange, Step, move_delivery, move_edition};
use super::{DeliveryState, EditionState, Ledger, LedgerError, RunId, RunState, micros};

/// What leaving a run out ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct LeftOut {
    /// Editions that are never made, or never leave.
    pub n_editions: u64,
    /// Deliveries that are not tried any more.
    pub n_deliveries: u64,
}

impl Ledger {
    /// Leaves a held run out for good, in one transaction: whatever of it was not made or not sent never will be. What
    /// nobody can tell of stays uncertain.
    ///
    /// # Errors
    /// [`LedgerError::NotHeld`], [`LedgerError::UnderWay`] while something of it is made or handed over;
    /// then nothing is left out.
    pub async fn skip(&self, run: RunId, reason: &str, now: DateTime<Utc>) -> Result<LeftOut, LedgerError> {
        let (reason, at) = (by_hand(reason), micros(now));
        let mut tx = self.begin().await?;
        let row = read_run(&mut tx, run).await?;
        if row.state != RunState::Held {
            return Err(LedgerError::NotHeld { run: run.to_string(), state: row.state.word() });
        }
        if is_under_way(&mut tx, run).await? {
            return Err(LedgerError::UnderWay { run: run.to_string() });
        }
        move_there(&mut tx, &row, RunState::Skipped, &reason, now).await?;
        let mut left_out = LeftOut::default();
        let open =
            sqlx::query(select_editions!("WHERE e.run_id = $1 AND e.state IN ('planned', 'held') ORDER BY e.id"));
        for row in open.bind(run.0).fetch_all(&mut *tx).await? {
            let mut edition = edition_row(&row)?;
            if edition.state == EditionState::Held {
                let again = edition_step(&edition, edition.fence, EditionState::Planned, &reason, now, None);
                move_edition(&mut tx, &again, EditionChange::default()).await?;
                (edition.state, edition.fence) = (EditionState::Planned, edition.fence + 1);
            }
            let step = edition_step(&edition, edition.fence, EditionState::Skipped, &reason, now, None);
            left_out.n_editions += u64::from(move_edition(&mut tx, &step, EditionChange::default()).await?);
        }
        left_out.n_deliveries = skip_deliveries(&mut tx, run, &reason, at).await?;
        release_brakes(&mut tx, run, None, &format!("with its run, which is left out {reason}"), at).await?;
        tx.commit().await?;
        Ok(left_out)
    }
}

async fn is_under_way(conn: &mut SqliteConnection, run: RunId) -> Result<bool, LedgerError> {
    let under_way = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM edition WHERE run_id = $1 AND state = 'making')
             OR EXISTS (SELECT 1 FROM delivery WHERE run_id = $1 AND state = 'sending')",
    );
    Ok(under_way.bind(run.0).fetch_one(conn).await?)
}

/// Ends a run's deliveries, and those of other runs that wait for its editions: skipped, or failed where they were tried.
async fn skip_deliveries(conn: &mut SqliteConnection, run: RunId, reason: &str, at: i64) -> Result<u64, LedgerError> {
    // An uncertain one is tried again by an admin only.
    let paused = sqlx::query("UPDATE delivery SET next_at = NULL WHERE run_id = $1 AND state = 'uncertain'");
    paused.bind(run.0).execute(&mut *conn).await?;
    let open = sqlx::query(
        "SELECT d.id, d.fence, d.state FROM delivery d JOIN edition e ON e.id = d.edition_id
         WHERE d.state IN ('planned', 'retryable', 'held')
             AND (d.run_id = $1 OR (e.run_id = $1 AND e.state = 'skipped'))
         ORDER BY d.id",
    );
    let mut n = 0;
    for row in open.bind(run.0).fetch_all(&mut *conn).await? {
        let (id, mut fence): (i64, i64) = (row.try_get("id")?, row.try_get("fence")?);
        let (from, to) = match state(&row, "state")? {
            DeliveryState::Retryable => (DeliveryState::Retryable, DeliveryState::Failed),
            DeliveryState::Held => {
                move_delivery(conn, &planned_again(id, fence, reason, at), DeliveryChange::default()).await?;
                fence += 1;
                (DeliveryState::Planned, DeliveryState::Skipped)
            }
            from => (from, DeliveryState::Skipped),
        };
        let reason = format!("run {run} is left out {reason}");
        let step = Step { id: id.to_string(), from, to, fence, reason, at, worker: None };
        n += u64::from(move_delivery(conn, &step, DeliveryChange::default()).await?);
    }
    Ok(n)
}
