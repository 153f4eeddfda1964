//! How a run goes on and ends.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use sqlx::{Row as _, SqliteConnection};

use super::plan::{move_there, read_run};
use super::query::{Counts, counts_of};
use super::row::{run_row, select_runs};
use super::step::reason_text;
use super::{DeliveryState, EditionState, Ledger, LedgerError, RunId, RunRow, RunState};

/// Those with something open; of a held run nothing is. One question an index, and the runs by their ids: the rows of past years are not looked at.
pub(super) const OPEN_RUNS: &str = select_runs!(
    "WHERE r.state <> 'held' AND r.id IN (SELECT id FROM run WHERE state IN ('planned', 'waiting', 'running')
         UNION SELECT run_id FROM edition WHERE state IN ('planned', 'making')
         UNION SELECT run_id FROM delivery WHERE next_at IS NOT NULL
         UNION SELECT run_id FROM delivery WHERE state = 'sending')
     ORDER BY r.id"
);

impl Ledger {
    /// Moves a run on as the planner decides: to `waiting`, `held`, `missed`, `skipped` or `running`.
    ///
    /// # Errors
    /// [`LedgerError::Move`] when it may not go there from where it is; `done` and `partial` are
    /// [`Ledger::finish_run`]'s.
    pub async fn move_run(
        &self,
        run: RunId,
        to: RunState,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let mut tx = self.begin().await?;
        let row = read_run(&mut tx, run).await?;
        let is_over = matches!(to, RunState::Done | RunState::Partial);
        if is_over || row.state == RunState::Held {
            // What a held run becomes is an admin's to say, and when a run is over is counted, not said.
            return Err(LedgerError::Move { row: "run", id: run.to_string(), from: row.state.word(), to: to.word() });
        }
        move_there(&mut tx, &row, to, reason, now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Has a run wait, and writes down what for; one that waits already has its words renewed.
    ///
    /// # Errors
    /// [`LedgerError::Move`] when it may not wait any more.
    pub async fn wait(&self, run: RunId, waits: &Waits, now: DateTime<Utc>) -> Result<(), LedgerError> {
        let mut tx = self.begin().await?;
        let row = read_run(&mut tx, run).await?;
        wait_there(&mut tx, &row, waits, now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// What a run waits for, or waited for last, by partner.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn waits_of(&self, run: RunId) -> Result<BTreeMap<String, String>, LedgerError> {
        let rows = sqlx::query("SELECT partner_id, what FROM lack WHERE run_id = $1").bind(run.0);
        let rows = rows.fetch_all(&self.read).await?;
        rows.iter().map(|row| Ok((row.try_get("partner_id")?, row.try_get("what")?))).collect()
    }

    /// Ends a running run when none of its editions and deliveries is open: `done`, or `partial` with the counts of
    /// what failed, is held or is uncertain. Returns the state it is in.
    ///
    /// # Errors
    /// When there is no such run or the database can't be written.
    pub async fn finish_run(&self, run: RunId, now: DateTime<Utc>) -> Result<RunState, LedgerError> {
        let mut tx = self.begin().await?;
        let row = read_run(&mut tx, run).await?;
        if row.state != RunState::Running || is_open(&mut tx, run).await? {
            return Ok(row.state);
        }
        let (to, reason) = verdict(&counts_of(&mut tx, run).await?);
        move_there(&mut tx, &row, to, &reason, now).await?;
        tx.commit().await?;
        Ok(to)
    }

    /// The runs to go on with after a start: planned, waiting, running, or with work that an admin released.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn open_runs(&self) -> Result<Vec<RunRow>, LedgerError> {
        sqlx::query(OPEN_RUNS).fetch_all(&self.read).await?.iter().map(run_row).collect()
    }
}

/// What a run waits for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Waits {
    /// In one line.
    pub reason: String,
    /// What each partner lacks.
    pub by_partner: BTreeMap<String, String>,
}

impl Waits {
    /// Why it is held when its time to wait is over.
    pub fn too_late(&self) -> String {
        format!("its deadline came before its data: {}", self.reason)
    }
}

/// Has a run wait, in a transaction of the caller's.
pub(super) async fn wait_there(
    conn: &mut SqliteConnection,
    row: &RunRow,
    waits: &Waits,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    if row.state == RunState::Waiting {
        let renewed = sqlx::query("UPDATE run SET reason = $1 WHERE id = $2");
        renewed.bind(reason_text(&waits.reason)).bind(row.id.0).execute(&mut *conn).await?;
    } else {
        move_there(conn, row, RunState::Waiting, &waits.reason, now).await?;
    }
    sqlx::query("DELETE FROM lack WHERE run_id = $1").bind(row.id.0).execute(&mut *conn).await?;
    for (partner_id, what) in &waits.by_partner {
        let lack = sqlx::query("INSERT INTO lack (run_id, partner_id, what) VALUES ($1, $2, $3)");
        lack.bind(row.id.0).bind(partner_id).bind(reason_text(what)).execute(&mut *conn).await?;
    }
    Ok(())
}

/// Whether anything of a run is still to be done by itself: an edition to make, a delivery to try or under way.
async fn is_open(conn: &mut SqliteConnection, run: RunId) -> Result<bool, LedgerError> {
    // A delivery without a time is not open in itself: its edition is, or somebody must move it.
    let open = sqlx::query(
        "SELECT EXISTS (SELECT 1 FROM edition WHERE run_id = $1 AND state IN ('planned', 'making'))
             OR EXISTS (SELECT 1 FROM delivery WHERE run_id = $1 AND (state = 'sending' OR next_at IS NOT NULL))
             OR EXISTS (SELECT 1 FROM delivery d JOIN edition e ON e.id = d.edition_id
                        WHERE d.run_id = $1 AND d.state = 'planned' AND e.state IN ('planned', 'making'))",
    );
    Ok(open.bind(run.0).fetch_one(conn).await?.try_get::<i64, _>(0)? != 0)
}

/// How a run with these counts, none of them open, ended.
fn verdict(counts: &Counts) -> (RunState, String) {
    let editions = |state| counts.editions.get(&state).copied().unwrap_or_default();
    let deliveries = |state| counts.deliveries.get(&state).copied().unwrap_or_default();
    let is_done = [EditionState::Failed, EditionState::Held].iter().all(|state| editions(*state) == 0)
        && [DeliveryState::Failed, DeliveryState::Uncertain, DeliveryState::Held]
            .iter()
            .all(|state| deliveries(*state) == 0);
    let mut reason = String::new();
    tell(&mut reason, "editions", EditionState::ALL.iter().map(|state| (state.word(), editions(*state))));
    tell(&mut reason, "deliveries", DeliveryState::ALL.iter().map(|state| (state.word(), deliveries(*state))));
    if reason.is_empty() {
        reason.push_str("nothing was to be made or sent that is not there already");
    }
    (if is_done { RunState::Done } else { RunState::Partial }, reason)
}

/// Appends the counts above zero: `editions: 11 archived, 1 failed`.
fn tell(reason: &mut String, what: &str, counts: impl Iterator<Item = (&'static str, u64)>) {
    let told: Vec<String> = counts.filter(|(_, n)| *n > 0).map(|(word, n)| format!("{n} {word}")).collect();
    if !told.is_empty() {
        let between = if reason.is_empty() { "" } else { "; " };
        let _ = write!(reason, "{between}{what}: {}", told.join(", "));
    }
}

impl RunRow {
    /// Whether its data set is pinned.
    pub fn is_pinned(&self) -> bool {
        !self.data.is_empty()
    }

    /// The instant it is counted from: its occurrence, or when it was called by hand.
    pub fn due_at(&self) -> DateTime<Utc> {
        self.occurrence_at.unwrap_or(self.planned_at)
    }
}
