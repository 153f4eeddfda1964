//! Releasing what is held of a run, and which runs hold something.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::brake::release_brakes;
use super::edition::step as edition_step;
use super::hand::by_hand;
use super::plan::{move_there, read_run};
use super::row::{EditionRow, edition_row, select_editions, state};
use super::step::{DeliveryChange, EditionChange, Step, move_delivery, move_edition};
use super::{DeliveryState, EditionState, Ledger, LedgerError, RunId, RunState, micros};

/// What a release moved on.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Released {
    /// Whether the run itself was held.
    pub was_run_held: bool,
    /// Editions that are made again.
    pub n_editions: u64,
    /// Deliveries that are sent once their edition is archived.
    pub n_deliveries: u64,
    /// Deliveries that are skipped now: their edition ended without a pack.
    pub n_without_pack: u64,
    /// Deliveries that stay held, by the run that holds their edition.
    pub waiting_for: BTreeMap<RunId, u64>,
}

/// A run of which something is held that its release moves on.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct HeldRun {
    /// The run.
    pub run: RunId,
    /// Whether the run itself is held.
    pub is_run_held: bool,
    /// Its held editions.
    pub n_editions: u64,
    /// Its held deliveries, but for those of held editions.
    pub n_deliveries: u64,
    /// Why, or the first of several reasons in the order of their words.
    pub reason: String,
    /// How many different reasons there are.
    pub n_reasons: u64,
}

impl Released {
    /// Whether nothing was moved on.
    pub fn is_nothing(&self) -> bool {
        !self.was_run_held && self.n_editions + self.n_deliveries + self.n_without_pack == 0
    }
}

impl Ledger {
    /// Releases everything that is held of a run in one transaction: the run itself, its editions, its deliveries.
    ///
    /// # Errors
    /// When there is no such run, or the database can't be written; then nothing is released.
    pub async fn release(&self, run: RunId, reason: &str, now: DateTime<Utc>) -> Result<Released, LedgerError> {
        let reason = by_hand(reason);
        let mut released = Released::default();
        let mut tx = self.begin().await?;
        let row = read_run(&mut tx, run).await?;
        if row.state == RunState::Held {
            move_there(&mut tx, &row, RunState::Running, &reason, now).await?;
            released.was_run_held = true;
        }
        let held = sqlx::query(select_editions!("WHERE e.run_id = $1 AND e.state = 'held' ORDER BY e.id"));
        for row in held.bind(run.0).fetch_all(&mut *tx).await? {
            released.n_deliveries += release_held(&mut tx, &edition_row(&row)?, &reason, now).await?;
            released.n_editions += 1;
        }
        release_deliveries(&mut tx, run, &reason, micros(now), &mut released).await?;
        release_brakes(&mut tx, run, None, &reason, micros(now)).await?;
        tx.commit().await?;
        Ok(released)
    }

    /// Every run of which something is held, the newest first.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn held(&self) -> Result<Vec<HeldRun>, LedgerError> {
        // Run by run through the indexes by run and state: no index has what is held of all runs.
        let held = sqlx::query(
            "SELECT run_id, SUM(kind = 'run') AS is_run_held, SUM(kind = 'edition') AS n_editions,
                 SUM(kind = 'delivery') AS n_deliveries, MIN(reason) AS reason, COUNT(DISTINCT reason) AS n_reasons
             FROM (SELECT id AS run_id, 'run' AS kind, reason FROM run WHERE state = 'held'
                 UNION ALL SELECT r.id, 'edition', e.reason FROM run r CROSS JOIN edition e
                     WHERE e.run_id = r.id AND e.state = 'held'
                 UNION ALL SELECT r.id, 'delivery', d.reason FROM run r CROSS JOIN delivery d
                     JOIN edition e ON e.id = d.edition_id
                     WHERE d.run_id = r.id AND d.state = 'held' AND e.state <> 'held')
             GROUP BY run_id ORDER BY run_id DESC",
        );
        held.fetch_all(&self.read).await?.iter().map(held_run).collect()
    }
}

fn held_run(row: &SqliteRow) -> Result<HeldRun, LedgerError> {
    let count = |column| row.try_get::<i64, _>(column).map(i64::unsigned_abs);
    Ok(HeldRun {
        run: RunId(row.try_get("run_id")?),
        is_run_held: count("is_run_held")? > 0,
        n_editions: count("n_editions")?,
        n_deliveries: count("n_deliveries")?,
        reason: row.try_get("reason")?,
        n_reasons: count("n_reasons")?,
    })
}

/// Has a held edition made again, with all its attempts, and its held deliveries planned again; how many those are.
pub(super) async fn release_held(
    conn: &mut SqliteConnection,
    edition: &EditionRow,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<u64, LedgerError> {
    let step = edition_step(edition, edition.fence, EditionState::Planned, reason, now, None);
    let change =
        EditionChange { n_attempts: Some(0), n_broken_off: Some(0), released_at: Some(step.at), ..Default::default() };
    move_edition(conn, &step, change).await?;
    let held = sqlx::query("SELECT id, fence FROM delivery WHERE edition_id = $1 AND state = 'held'");
    let mut n = 0;
    for row in held.bind(&step.id).fetch_all(&mut *conn).await? {
        let held = planned_again(row.try_get("id")?, row.try_get("fence")?, reason, step.at);
        n += u64::from(move_delivery(conn, &held, DeliveryChange::default()).await?);
    }
    release_brakes(conn, edition.run, Some(&step.id), reason, step.at).await?;
    Ok(n)
}

/// Moves a run's held deliveries on: to be sent, or to `skipped` where there is nothing to send.
async fn release_deliveries(
    conn: &mut SqliteConnection,
    run: RunId,
    reason: &str,
    at: i64,
    released: &mut Released,
) -> Result<(), LedgerError> {
    let held = sqlx::query(
        "SELECT d.id, d.fence, e.run_id AS of_run, e.state, e.reason, e.archive_path IS NOT NULL AS is_ready,
             r.state = 'held' AND e.state IN ('planned', 'making') AS is_run_held
         FROM delivery d JOIN edition e ON e.id = d.edition_id JOIN run r ON r.id = e.run_id WHERE d.run_id = $1 AND d.state = 'held' ORDER BY d.id",
    );
    for row in held.bind(run.0).fetch_all(&mut *conn).await? {
        let edition: EditionState = state(&row, "state")?;
        if edition == EditionState::Held || row.try_get::<bool, _>("is_run_held")? {
            *released.waiting_for.entry(RunId(row.try_get("of_run")?)).or_default() += 1;
            continue;
        }
        let fence: i64 = row.try_get("fence")?;
        let step = planned_again(row.try_get("id")?, fence, reason, at);
        let next_at = row.try_get::<bool, _>("is_ready")?.then_some(at);
        if !move_delivery(conn, &step, DeliveryChange { next_at, ..Default::default() }).await? {
            continue;
        }
        if matches!(edition, EditionState::Skipped | EditionState::Failed) {
            let reason = format!("its edition is {edition}: {}", row.try_get::<String, _>("reason")?);
            let (from, to) = (DeliveryState::Planned, DeliveryState::Skipped);
            let skipped = Step { from, to, fence: fence + 1, reason, ..step };
            move_delivery(conn, &skipped, DeliveryChange::default()).await?;
            released.n_without_pack += 1;
        } else {
            released.n_deliveries += 1;
        }
    }
    Ok(())
}

pub(super) fn planned_again(id: i64, fence: i64, reason: &str, at: i64) -> Step<DeliveryState> {
    let (from, to) = (DeliveryState::Held, DeliveryState::Planned);
    Step { id: id.to_string(), from, to, fence, reason: reason.to_owned(), at, worker: None }
}
