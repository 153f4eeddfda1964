//! Claiming editions and writing down what became of them.

use chrono::{DateTime, Duration, Utc};
use sqlx::{Row as _, SqliteConnection};

use super::brake::{insert_brakes, insert_measures};
use super::row::{edition_row, select_editions};
use super::step::{DeliveryChange, EditionChange, Lease, Step, counted, move_delivery, move_edition};
use super::{CLAIMS_MAX, DeliveryState, EditionRow, EditionState, Ledger, LedgerError, RunId, micros};
use crate::base::Digest;
use crate::deliver::brakes::{Measure, Trip};

/// How often an edition is tried before it has failed.
pub const EDITION_ATTEMPTS_MAX: u32 = 3;

/// How often its worker may be gone before it was made: a machine that is restarted takes many with it, but one that
/// takes its worker down each time is not tried for ever.
pub const EDITION_BROKEN_OFF_MAX: u32 = 10;

/// An edition that this process is to make.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EditionClaim {
    /// Its row, as claimed.
    pub row: EditionRow,
    /// What a late worker no longer has.
    pub fence: i64,
    worker: i64,
}

/// What an edition measures, for the brakes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Measured {
    /// Its totals and the sizes of its files.
    pub measures: Vec<Measure>,
    /// The brakes that hold it.
    pub trips: Vec<Trip>,
}

/// What became of an edition that was claimed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EditionOutcome {
    /// Its pack is in the archive and passed the gate.
    Archived {
        /// Its folder.
        path: String,
        /// The digest of its manifest.
        manifest: Digest,
    },
    /// There is nothing to report.
    Skipped(String),
    /// The gate or a brake stopped it.
    Held(String),
    /// It may be tried again; after [`EDITION_ATTEMPTS_MAX`] tries it has failed.
    Retry(String),
    /// Nothing is wrong with it, but it could not be filed or looked at now: that try does not count.
    Back(String),
    /// It can't be made.
    Failed(String),
}

impl Ledger {
    /// Claims up to `n` (at most [`CLAIMS_MAX`]) planned editions, of one run or of all, in the order of partners; none of
    /// a held run.
    /// The claims are durable before this returns, and end `lease` from now.
    ///
    /// # Errors
    /// When the database can't be written; then nothing is claimed.
    pub async fn claim_editions(
        &self,
        run: Option<RunId>,
        n: usize,
        lease: Duration,
        now: DateTime<Utc>,
    ) -> Result<Vec<EditionClaim>, LedgerError> {
        let worker = self.worker_id(now).await?;
        let n = i64::try_from(n.min(CLAIMS_MAX)).unwrap_or_default();
        let query = match run {
            Some(run) => sqlx::query(select_editions!(
                "WHERE e.state = 'planned' AND e.run_id = $2 AND r.state <> 'held' ORDER BY e.partner_id, e.id LIMIT $1"
            ))
            .bind(n)
            .bind(run.0),
            None => sqlx::query(select_editions!(
                "WHERE e.state = 'planned' AND r.state <> 'held' ORDER BY e.run_id, e.partner_id, e.id LIMIT $1"
            ))
            .bind(n),
        };
        let mut tx = self.begin().await?;
        let mut claims = Vec::new();
        for row in query.fetch_all(&mut *tx).await? {
            let mut row = edition_row(&row)?;
            row.n_attempts += 1;
            let reason = format!("attempt {} by worker {worker}", row.n_attempts);
            let step = step(&row, row.fence, EditionState::Making, &reason, now, Some(worker));
            let lease = Some(Lease { worker, until: micros(now + lease) });
            let n_attempts = Some(i64::from(row.n_attempts));
            if move_edition(&mut tx, &step, EditionChange { lease, n_attempts, ..Default::default() }).await? {
                row.fence += 1;
                (row.state, row.reason, row.moved_at) = (EditionState::Making, reason, now);
                claims.push(EditionClaim { fence: row.fence, row, worker });
            }
        }
        tx.commit().await?;
        Ok(claims)
    }

    /// Has a claim end `lease` from now.
    ///
    /// # Errors
    /// [`LedgerError::LostClaim`] when it ended before and another moved the edition on.
    pub async fn renew_edition(
        &self,
        claim: &EditionClaim,
        lease: Duration,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let renewed =
            sqlx::query("UPDATE edition SET lease_until_at = $1 WHERE id = $2 AND state = 'making' AND fence = $3");
        let renewed = renewed.bind(micros(now + lease)).bind(claim.row.id.to_string()).bind(claim.fence);
        match renewed.execute(&self.write).await?.rows_affected() {
            0 => Err(LedgerError::LostClaim { row: "edition", id: claim.row.id.to_string() }),
            _ => Ok(()),
        }
    }

    /// Writes down what became of a claimed edition, and has its deliveries follow. Returns the state it is in.
    ///
    /// # Errors
    /// [`LedgerError::LostClaim`] when the claim ended before and another moved the edition on.
    pub async fn settle_edition(
        &self,
        claim: &EditionClaim,
        outcome: EditionOutcome,
        now: DateTime<Utc>,
    ) -> Result<EditionState, LedgerError> {
        self.settle_measured(claim, outcome, &Measured::default(), now).await
    }

    /// The same with what the edition measures, and the brakes that hold it if the outcome is that.
    ///
    /// # Errors
    /// As [`Ledger::settle_edition`].
    pub async fn settle_measured(
        &self,
        claim: &EditionClaim,
        outcome: EditionOutcome,
        measured: &Measured,
        now: DateTime<Utc>,
    ) -> Result<EditionState, LedgerError> {
        let mut tx = self.begin().await?;
        let state = settle(&mut tx, claim, outcome, now).await?;
        if let Some(state) = state {
            let (id, at) = (claim.row.id.to_string(), micros(now));
            insert_measures(&mut tx, &id, &measured.measures).await?;
            if state == EditionState::Held {
                insert_brakes(&mut tx, claim.row.run, Some(&id), &measured.trips, at).await?;
            }
        }
        tx.commit().await?;
        state.ok_or_else(|| LedgerError::LostClaim { row: "edition", id: claim.row.id.to_string() })
    }

    /// The same for many in one transaction, which costs hardly more than for one. Returns the state each is in;
    /// none where the claim was lost.
    ///
    /// # Errors
    /// When the database can't be written; then none is written down.
    pub async fn settle_editions(
        &self,
        settled: Vec<(EditionClaim, EditionOutcome)>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Option<EditionState>>, LedgerError> {
        let mut tx = self.begin().await?;
        let mut states = Vec::with_capacity(settled.len());
        for (claim, outcome) in settled {
            states.push(settle(&mut tx, &claim, outcome, now).await?);
        }
        tx.commit().await?;
        Ok(states)
    }
}

/// Moves a claimed edition as its outcome says; none when the claim was lost.
async fn settle(
    conn: &mut SqliteConnection,
    claim: &EditionClaim,
    outcome: EditionOutcome,
    now: DateTime<Utc>,
) -> Result<Option<EditionState>, LedgerError> {
    let mut change = EditionChange::default();
    let (to, reason) = match outcome {
        EditionOutcome::Archived { path, manifest } => {
            change.archived = Some((path, manifest));
            (EditionState::Archived, "archived, and passed the gate".to_owned())
        }
        EditionOutcome::Skipped(reason) => (EditionState::Skipped, reason),
        EditionOutcome::Held(reason) => (EditionState::Held, reason),
        EditionOutcome::Retry(reason) => again_or_failed(&claim.row, &reason),
        EditionOutcome::Back(reason) => {
            change.n_attempts = Some(i64::from(claim.row.n_attempts) - 1);
            (EditionState::Planned, reason)
        }
        EditionOutcome::Failed(reason) => (EditionState::Failed, reason),
    };
    let step = step(&claim.row, claim.fence, to, &reason, now, Some(claim.worker));
    if !move_edition(conn, &step, change).await? {
        return Ok(None);
    }
    close_deliveries(conn, &step.id, to, &reason, step.at).await?;
    Ok(Some(to))
}

/// Where an edition goes that was not made this time.
fn again_or_failed(row: &EditionRow, reason: &str) -> (EditionState, String) {
    let n_attempts = row.n_attempts.saturating_sub(row.n_broken_off);
    if n_attempts < EDITION_ATTEMPTS_MAX {
        return (EditionState::Planned, reason.to_owned());
    }
    (EditionState::Failed, format!("after {}: {reason}", counted(n_attempts, "attempt")))
}

/// The step of an edition from where its row says it is.
pub(super) fn step(
    row: &EditionRow,
    fence: i64,
    to: EditionState,
    reason: &str,
    now: DateTime<Utc>,
    worker: Option<i64>,
) -> Step<EditionState> {
    let (id, reason, at) = (row.id.to_string(), reason.to_owned(), micros(now));
    Step { id, from: row.state, to, fence, reason, at, worker }
}

/// Has an edition's planned deliveries follow it: ready when it is archived, skipped or held when there is no pack.
pub(super) async fn close_deliveries(
    conn: &mut SqliteConnection,
    edition: &str,
    state: EditionState,
    reason: &str,
    at: i64,
) -> Result<(), LedgerError> {
    let to = match state {
        EditionState::Archived => {
            let ready = sqlx::query("UPDATE delivery SET next_at = $1 WHERE edition_id = $2 AND state = 'planned'");
            ready.bind(at).bind(edition).execute(conn).await?;
            return Ok(());
        }
        EditionState::Skipped | EditionState::Failed => DeliveryState::Skipped,
        EditionState::Held => DeliveryState::Held,
        EditionState::Planned | EditionState::Making => return Ok(()),
    };
    let waiting = sqlx::query("SELECT id, fence FROM delivery WHERE edition_id = $1 AND state = 'planned'");
    for row in waiting.bind(edition).fetch_all(&mut *conn).await? {
        let (id, fence) = (row.try_get::<i64, _>("id")?.to_string(), row.try_get("fence")?);
        let reason = format!("its edition is {state}: {reason}");
        let step = Step { id, from: DeliveryState::Planned, to, fence, reason, at, worker: None };
        move_delivery(conn, &step, DeliveryChange::default()).await?;
    }
    Ok(())
}
