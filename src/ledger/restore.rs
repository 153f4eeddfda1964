//! What a ledger does that was restored from a backup: what was open then may have been sent since, so it is held.

use chrono::{DateTime, Utc};
use sqlx::{Row as _, SqliteConnection};

use super::delivery::end_attempt;
use super::step::{DeliveryChange, Step, move_delivery};
use super::{DeliveryId, DeliveryState, Ledger, LedgerError, micros};

/// The mark of a copy in a backup: when it was taken.
pub(super) const BACKUP_OF: &str = "backup_of";

/// When a restored ledger was first opened; it takes the place of the mark.
const RESTORED_AT: &str = "restored_at";

/// What was open when the backup was taken.
#[derive(Default)]
struct Doubtful {
    n_held: u64,
    n_uncertain: u64,
    n_paused: u64,
}

impl Ledger {
    /// When this ledger was restored from a backup, the last time; none when it never was.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn restored_at(&self) -> Result<Option<DateTime<Utc>>, LedgerError> {
        self.meta_instant(RESTORED_AT).await
    }

    /// Holds what was open in a ledger that comes from a backup; does nothing about any other.
    pub(super) async fn hold_if_restored(&self, now: DateTime<Utc>) -> Result<(), LedgerError> {
        let Some(taken_at) = self.meta_instant(BACKUP_OF).await? else { return Ok(()) };
        let taken = taken_at.format("%Y-%m-%d %H:%M:%S UTC");
        let reason = format!("the ledger was restored from a backup of {taken}: it may have been sent since");
        // All or nothing: the mark goes with the last move.
        let mut tx = self.begin().await?;
        let doubtful = hold_open(&mut tx, &reason, micros(now)).await?;
        sqlx::query("DELETE FROM meta WHERE key = $1").bind(BACKUP_OF).execute(&mut *tx).await?;
        let restored = sqlx::query(
            "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        );
        restored.bind(RESTORED_AT).bind(micros(now).to_string()).execute(&mut *tx).await?;
        tx.commit().await?;
        tracing::warn!(
            deliveries.held = doubtful.n_held,
            deliveries.uncertain = doubtful.n_uncertain,
            deliveries.uncertain_paused = doubtful.n_paused,
            "the ledger was restored from a backup of {taken}: what was open then may have been sent since, and is \
             held until somebody releases it"
        );
        Ok(())
    }

    async fn meta_instant(&self, key: &'static str) -> Result<Option<DateTime<Utc>>, LedgerError> {
        let value = sqlx::query_scalar("SELECT value FROM meta WHERE key = $1").bind(key);
        let Some(value): Option<String> = value.fetch_optional(&self.read).await? else { return Ok(None) };
        let instant = value.parse().ok().and_then(DateTime::from_timestamp_micros);
        instant.map(Some).ok_or(LedgerError::Corrupt { row: "meta", column: key, value })
    }
}

/// Moves every open delivery to where only an admin, or the rule for uncertain ones, moves it on.
async fn hold_open(conn: &mut SqliteConnection, reason: &str, at: i64) -> Result<Doubtful, LedgerError> {
    let mut doubtful = Doubtful::default();
    let paused = sqlx::query("UPDATE delivery SET next_at = NULL WHERE state = 'uncertain' AND next_at IS NOT NULL");
    doubtful.n_paused = paused.execute(&mut *conn).await?.rows_affected();
    let open = sqlx::query(
        "SELECT id, state, fence, n_attempts FROM delivery WHERE state IN ('planned', 'retryable', 'sending')
         ORDER BY id",
    );
    for row in open.fetch_all(&mut *conn).await? {
        let (id, fence): (i64, i64) = (row.try_get("id")?, row.try_get("fence")?);
        let from = super::row::state(&row, "state")?;
        let to = match from {
            DeliveryState::Sending => DeliveryState::Uncertain,
            _ => DeliveryState::Held,
        };
        let step = Step { id: id.to_string(), from, to, fence, reason: reason.to_owned(), at, worker: None };
        if !move_delivery(conn, &step, DeliveryChange::default()).await? {
            continue;
        }
        if to == DeliveryState::Held {
            doubtful.n_held += 1;
        } else {
            let attempt_no: i64 = row.try_get("n_attempts")?;
            end_attempt(conn, DeliveryId(id), u32::try_from(attempt_no).unwrap_or(u32::MAX), &step).await?;
            doubtful.n_uncertain += 1;
        }
    }
    super::digest::hold_digests(conn, reason, at).await?;
    Ok(doubtful)
}
