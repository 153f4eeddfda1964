//! Which cadence a schedule had from when to when, and which of its occurrences have a row.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::Row as _;

use super::row::{instant, optional_instant};
use super::{Ledger, LedgerError, micros};
use crate::schedule::Timing;

/// A time in which a schedule had one cadence.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Era {
    /// The schedule's name.
    pub schedule: String,
    /// Nothing before this is due.
    pub from_at: DateTime<Utc>,
    /// When it ended; none while it is in force.
    pub until_at: Option<DateTime<Utc>>,
    /// When it was due; none when a program wrote it down that said it otherwise.
    pub timing: Option<Timing>,
}

/// What becomes of a schedule's era.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EraChange {
    /// It begins: nobody has seen the schedule before, or its cadence is another now and the era before ends here.
    Begins(Timing),
    /// It goes on, in words that this program reads.
    Reads(Timing),
    /// It ends: the schedule is gone.
    Ends,
}

impl Ledger {
    /// Every era, by schedule and in order.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn eras(&self) -> Result<Vec<Era>, LedgerError> {
        let rows = sqlx::query("SELECT schedule, from_at, until_at, timing FROM era ORDER BY schedule, from_at");
        let era = |row: &sqlx::sqlite::SqliteRow| {
            let timing: String = row.try_get("timing")?;
            Ok(Era {
                schedule: row.try_get("schedule")?,
                from_at: instant(row, "era", "from_at")?,
                until_at: optional_instant(row, "era", "until_at")?,
                timing: serde_json::from_str(&timing).ok(),
            })
        };
        rows.fetch_all(&self.read).await?.iter().map(era).collect()
    }

    /// Writes down what became of the eras of these schedules, all at once.
    ///
    /// # Errors
    /// When the database can't be written; then nothing is.
    pub async fn change_eras(&self, changes: &[(String, EraChange)], now: DateTime<Utc>) -> Result<(), LedgerError> {
        let mut tx = self.begin().await?;
        for (schedule, change) in changes {
            let end = "UPDATE era SET until_at = $1 WHERE schedule = $2 AND until_at IS NULL";
            if !matches!(change, EraChange::Reads(_)) {
                sqlx::query(end).bind(micros(now)).bind(schedule).execute(&mut *tx).await?;
            }
            let (sql, timing) = match change {
                // Two changes within one microsecond: the later one counts.
                EraChange::Begins(timing) => (
                    "INSERT INTO era (schedule, from_at, timing) VALUES ($1, $2, $3) ON CONFLICT (schedule, from_at)
                     DO UPDATE SET timing = excluded.timing, until_at = NULL",
                    timing,
                ),
                EraChange::Reads(timing) => {
                    ("UPDATE era SET timing = $3 WHERE schedule = $1 AND until_at IS NULL AND from_at <= $2", timing)
                }
                EraChange::Ends => continue,
            };
            let timing = serde_json::to_string(timing).unwrap_or_default();
            sqlx::query(sql).bind(schedule).bind(micros(now)).bind(timing).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// The latest occurrence at or before an instant that has a row, of each schedule.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn last_occurrences(&self, now: DateTime<Utc>) -> Result<BTreeMap<String, DateTime<Utc>>, LedgerError> {
        let rows = sqlx::query(
            "SELECT schedule, MAX(occurrence_at) AS last_at FROM run WHERE occurrence_at <= $1 GROUP BY schedule",
        );
        let rows = rows.bind(micros(now)).fetch_all(&self.read).await?;
        rows.iter().map(|row| Ok((row.try_get("schedule")?, instant(row, "run", "last_at")?))).collect()
    }

    /// The occurrences of a schedule after an instant that have a row, in order.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn occurrences_after(
        &self,
        schedule: &str,
        after: DateTime<Utc>,
    ) -> Result<Vec<DateTime<Utc>>, LedgerError> {
        let rows = sqlx::query(
            "SELECT occurrence_at FROM run WHERE schedule = $1 AND occurrence_at > $2 ORDER BY occurrence_at",
        );
        let rows = rows.bind(schedule).bind(micros(after)).fetch_all(&self.read).await?;
        rows.iter().map(|row| instant(row, "run", "occurrence_at")).collect()
    }
}
