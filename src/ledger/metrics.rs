//! What the daemon's metrics ask: counts of what is open, cheap enough for every few seconds of years.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::Row as _;

use super::query::by_state;
use super::row::instant;
use super::{DeliveryState, EditionState, Ledger, LedgerError, RunState, micros};

/// Every run, counted in the index by state.
pub(super) const RUNS: &str = "SELECT state, COUNT(*) AS n FROM run GROUP BY state";

pub(super) const LATE: &str = "SELECT COUNT(*) FROM run WHERE state = 'planned' AND occurrence_at < $1";

/// What waits has an index of its own, but for what is held: that is sought in its runs, which have not ended well.
pub(super) const EDITIONS: &str = "
    SELECT 'planned' AS state, COUNT(*) AS n FROM edition WHERE state = 'planned'
    UNION ALL SELECT 'making', COUNT(*) FROM edition WHERE state = 'making'
    UNION ALL SELECT 'held', COUNT(*) FROM run r CROSS JOIN edition e ON e.run_id = r.id AND e.state = 'held'
        WHERE r.state IN ('running', 'partial')";

/// A planned delivery has an instant, or an edition that waits as well.
pub(super) const DELIVERIES: &str = "
    SELECT 'planned' AS state, (SELECT COUNT(*) FROM delivery WHERE next_at IS NOT NULL AND state = 'planned')
        + (SELECT COUNT(*) FROM (SELECT id FROM edition WHERE state = 'planned'
                UNION ALL SELECT id FROM edition WHERE state = 'making'
                UNION ALL SELECT e.id FROM run r CROSS JOIN edition e ON e.run_id = r.id AND e.state = 'held'
                    WHERE r.state IN ('running', 'partial')) waiting
            CROSS JOIN delivery d ON d.edition_id = waiting.id AND d.state = 'planned' AND d.next_at IS NULL) AS n
    UNION ALL SELECT 'sending', COUNT(*) FROM delivery WHERE state = 'sending'
    UNION ALL SELECT 'retryable', COUNT(*) FROM delivery WHERE next_at IS NOT NULL AND state = 'retryable'
    UNION ALL SELECT 'uncertain', COUNT(*) FROM delivery WHERE state = 'uncertain'
    UNION ALL SELECT 'held', COUNT(*) FROM run r CROSS JOIN delivery d ON d.run_id = r.id AND d.state = 'held'
        WHERE r.state IN ('running', 'partial')";

/// Backwards from each schedule's latest occurrence to the first that was done, and its calls by hand.
pub(super) const LAST_DONE: &str = "
    SELECT schedule, MAX(moved_at) AS moved_at FROM (
        SELECT asked.value AS schedule, (SELECT r.moved_at FROM run r
            WHERE r.schedule = asked.value AND r.occurrence_at IS NOT NULL AND r.state = 'done'
            ORDER BY r.occurrence_at DESC LIMIT 1) AS moved_at FROM json_each($1) asked
        UNION ALL SELECT asked.value, (SELECT MAX(r.moved_at) FROM run r
            WHERE r.schedule = asked.value AND r.occurrence_at IS NULL AND r.state = 'done') FROM json_each($1) asked)
    WHERE moved_at IS NOT NULL GROUP BY schedule";

impl Ledger {
    /// Asks for something that every ledger has.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn answers(&self) -> Result<(), LedgerError> {
        sqlx::query("SELECT value FROM meta WHERE key = 'kind'").fetch_one(&self.read).await?;
        Ok(())
    }

    /// How many runs there are in each state; a state without a run is left out.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn n_runs(&self) -> Result<BTreeMap<RunState, u64>, LedgerError> {
        by_state(&sqlx::query(RUNS).fetch_all(&self.read).await?)
    }

    /// How many planned runs have an occurrence before an instant.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn n_planned_before(&self, at: DateTime<Utc>) -> Result<u64, LedgerError> {
        let row = sqlx::query(LATE).bind(micros(at)).fetch_one(&self.read).await?;
        Ok(row.try_get::<i64, _>(0)?.unsigned_abs())
    }

    /// How many editions wait or are under way: `planned`, `making`, `held`.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn n_waiting_editions(&self) -> Result<BTreeMap<EditionState, u64>, LedgerError> {
        by_state(&sqlx::query(EDITIONS).fetch_all(&self.read).await?)
    }

    /// How many deliveries wait or are under way: `planned`, `sending`, `retryable`, `uncertain`, `held`.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn n_waiting_deliveries(&self) -> Result<BTreeMap<DeliveryState, u64>, LedgerError> {
        by_state(&sqlx::query(DELIVERIES).fetch_all(&self.read).await?)
    }

    /// When the last run of each of these schedules was done; a schedule without one is left out.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn last_done(&self, schedules: &[&str]) -> Result<BTreeMap<String, DateTime<Utc>>, LedgerError> {
        let asked = serde_json::Value::from(schedules).to_string();
        let rows = sqlx::query(LAST_DONE).bind(asked).fetch_all(&self.read).await?;
        rows.iter().map(|row| Ok((row.try_get("schedule")?, instant(row, "run", "moved_at")?))).collect()
    }
}
