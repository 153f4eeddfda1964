//! What `status`, `gaps` and `why` ask.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection};

use super::delivery::read_delivery;
use super::hand::read_edition;
use super::plan::read_run;
use super::row::{
    attempt_row, delivery_row, edition_row, instant, parsed, run_row, select_deliveries, select_editions, select_runs,
    state,
};
use super::state::State;
use super::{
    AttemptRow, DeliveryId, DeliveryRow, DeliveryState, EditionRow, EditionState, Ledger, LedgerError, RunId, RunRow,
};
use crate::base::{EditionId, Period};

/// The most rows that one question answers with.
pub const ROWS_MAX: usize = 50_000;

/// The most uncertain deliveries that one question answers with: each is asked about at its destination.
pub const UNCERTAIN_ROWS_MAX: usize = 200;

/// Ids in one question, far below SQLite's 32,766 bound values.
const IDS_PER_QUERY: usize = 500;

/// The rows of an answer.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Page<T> {
    /// At most [`ROWS_MAX`] of them.
    pub rows: Vec<T>,
    /// Whether there are more.
    pub more: bool,
}

/// Whose deliveries are asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DeliveriesOf {
    /// Those that a run planned.
    Run(RunId),
    /// Those of a run of which somebody may want to know: failed, held, uncertain, or to be tried again.
    InTrouble(RunId),
    /// Those of an edition.
    Edition(EditionId),
    /// Those to an address, whatever its case.
    Address(String),
    /// Those of a partner's editions, by its id.
    Partner(String),
}

/// How many rows of a run are in which state.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Counts {
    /// Its editions.
    pub editions: BTreeMap<EditionState, u64>,
    /// Its deliveries.
    pub deliveries: BTreeMap<DeliveryState, u64>,
}

/// One move of a row, as it was written down.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct MoveRow {
    /// `run`, `edition`, `delivery` or `digest`.
    pub row: String,
    /// The row's id.
    pub id: String,
    /// Where it was.
    pub from: String,
    /// Where it went.
    pub to: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: DateTime<Utc>,
    /// The worker that moved it; none for the planner, the reaper and people.
    pub worker_id: Option<i64>,
}

/// Somebody who got nothing by a run, and why.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct ExclusionRow {
    /// The run.
    pub run: RunId,
    /// Its schedule.
    pub schedule: String,
    /// What it is about.
    pub period: Period,
    /// The partner.
    pub partner_id: String,
    /// The recipient's address; empty for the partner as a whole.
    pub address: String,
    /// The role that was granted.
    pub role: String,
    /// By which rule.
    pub rule: String,
}

impl Ledger {
    /// Who got nothing, the newest run first: an address, whatever its case, or a partner by its id.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn exclusions(&self, who: &str) -> Result<Page<ExclusionRow>, LedgerError> {
        let rows = sqlx::query(
            "SELECT x.run_id, r.schedule, r.period, x.partner_id, x.address, x.role, x.rule
             FROM exclusion x JOIN run r ON r.id = x.run_id
             WHERE x.address_key = $1 OR x.partner_id = $2 ORDER BY x.run_id DESC, x.partner_id, x.address LIMIT $3",
        );
        let rows = rows.bind(who.to_lowercase()).bind(who).bind(one_more()).fetch_all(&self.read).await?;
        page(rows, |row| {
            Ok(ExclusionRow {
                run: RunId(row.try_get("run_id")?),
                schedule: row.try_get("schedule")?,
                period: parsed(row, "run", "period")?,
                partner_id: row.try_get("partner_id")?,
                address: row.try_get("address")?,
                role: row.try_get("role")?,
                rule: row.try_get("rule")?,
            })
        })
    }

    /// The runs that wait for a partner's data, with what it lacks.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn waiting_for(&self, partner_id: &str) -> Result<Vec<(RunRow, String)>, LedgerError> {
        let rows = sqlx::query(
            "SELECT r.id, l.what FROM lack l JOIN run r ON r.id = l.run_id
             WHERE l.partner_id = $1 AND r.state = 'waiting' ORDER BY r.id",
        );
        let mut waiting = Vec::new();
        for row in rows.bind(partner_id).fetch_all(&self.read).await? {
            waiting.push((self.run(RunId(row.try_get("id")?)).await?, row.try_get("what")?));
        }
        Ok(waiting)
    }

    /// The latest runs, the newest first; at most `limit` and [`ROWS_MAX`].
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn runs(&self, limit: usize) -> Result<Vec<RunRow>, LedgerError> {
        let runs = sqlx::query(select_runs!("ORDER BY r.id DESC LIMIT $1"));
        let limit = i64::try_from(limit.min(ROWS_MAX)).unwrap_or_default();
        runs.bind(limit).fetch_all(&self.read).await?.iter().map(run_row).collect()
    }

    /// One delivery.
    ///
    /// # Errors
    /// [`LedgerError::NoSuch`] when there is none.
    pub async fn delivery(&self, id: DeliveryId) -> Result<DeliveryRow, LedgerError> {
        read_delivery(&mut *self.read.acquire().await?, id).await
    }

    /// The runs about a period, the newest first; at most [`ROWS_MAX`].
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn runs_about(&self, period: Period) -> Result<Vec<RunRow>, LedgerError> {
        let runs = sqlx::query(select_runs!("WHERE r.period = $1 ORDER BY r.id DESC LIMIT $2"));
        let runs = runs.bind(period.to_string()).bind(one_more());
        runs.fetch_all(&self.read).await?.iter().map(run_row).collect()
    }

    /// One run.
    ///
    /// # Errors
    /// [`LedgerError::NoSuch`] when there is none.
    pub async fn run(&self, run: RunId) -> Result<RunRow, LedgerError> {
        read_run(&mut *self.read.acquire().await?, run).await
    }

    /// One edition.
    ///
    /// # Errors
    /// [`LedgerError::NoSuch`] when there is none.
    pub async fn edition(&self, id: EditionId) -> Result<EditionRow, LedgerError> {
        read_edition(&mut *self.read.acquire().await?, id).await
    }

    /// The destinations that a run's deliveries go to, by name.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn destinations(&self, run: RunId) -> Result<Vec<String>, LedgerError> {
        let names = sqlx::query_scalar("SELECT DISTINCT destination FROM delivery WHERE run_id = $1 ORDER BY 1");
        Ok(names.bind(run.0).fetch_all(&self.read).await?)
    }

    /// Those of some editions that there are, and when each was planned.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn planned_at(&self, ids: &[EditionId]) -> Result<BTreeMap<EditionId, DateTime<Utc>>, LedgerError> {
        let mut planned = BTreeMap::new();
        for batch in ids.chunks(IDS_PER_QUERY) {
            let mut query = QueryBuilder::<Sqlite>::new("SELECT id, planned_at FROM edition WHERE id IN (");
            let mut bound = query.separated(", ");
            batch.iter().for_each(|id| {
                bound.push_bind(id.to_string());
            });
            query.push(")");
            for row in query.build().fetch_all(&self.read).await? {
                let id: String = row.try_get("id")?;
                let id = id.parse().map_err(|_| LedgerError::Corrupt { row: "edition", column: "id", value: id })?;
                planned.insert(EditionId(id), instant(&row, "edition", "planned_at")?);
            }
        }
        Ok(planned)
    }

    /// The editions that a run planned, in the order of partners.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn editions(&self, run: RunId) -> Result<Page<EditionRow>, LedgerError> {
        let editions =
            sqlx::query(select_editions!("WHERE e.run_id = $1 ORDER BY e.partner_id, e.audience, e.number LIMIT $2"));
        page(editions.bind(run.0).bind(one_more()).fetch_all(&self.read).await?, edition_row)
    }

    /// The editions of a partner, the newest first.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn editions_of_partner(&self, partner_id: &str) -> Result<Page<EditionRow>, LedgerError> {
        let editions = sqlx::query(select_editions!(
            "WHERE e.partner_id = $1 ORDER BY e.planned_at DESC, e.audience, e.number DESC LIMIT $2"
        ));
        page(editions.bind(partner_id).bind(one_more()).fetch_all(&self.read).await?, edition_row)
    }

    /// Deliveries, the newest first.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn deliveries(&self, of: &DeliveriesOf) -> Result<Page<DeliveryRow>, LedgerError> {
        let query = match of {
            DeliveriesOf::Run(run) => {
                sqlx::query(select_deliveries!("WHERE d.run_id = $1 ORDER BY d.id DESC LIMIT $2")).bind(run.0)
            }
            DeliveriesOf::InTrouble(run) => sqlx::query(select_deliveries!(
                "WHERE d.run_id = $1 AND d.state IN ('failed', 'held', 'uncertain', 'retryable')
                 ORDER BY d.id DESC LIMIT $2"
            ))
            .bind(run.0),
            DeliveriesOf::Edition(id) => {
                sqlx::query(select_deliveries!("WHERE d.edition_id = $1 ORDER BY d.id DESC LIMIT $2"))
                    .bind(id.to_string())
            }
            DeliveriesOf::Address(address) => {
                sqlx::query(select_deliveries!("WHERE d.address_key = $1 ORDER BY d.id DESC LIMIT $2"))
                    .bind(address.to_lowercase())
            }
            DeliveriesOf::Partner(id) => {
                sqlx::query(select_deliveries!("WHERE e.partner_id = $1 ORDER BY d.id DESC LIMIT $2")).bind(id.clone())
            }
        };
        page(query.bind(one_more()).fetch_all(&self.read).await?, delivery_row)
    }

    /// The uncertain deliveries of a run, in the order of their numbers, from the one after `after` on; at most
    /// [`UNCERTAIN_ROWS_MAX`].
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn uncertain(&self, run: RunId, after: Option<DeliveryId>) -> Result<Vec<DeliveryRow>, LedgerError> {
        let uncertain = sqlx::query(select_deliveries!(
            "WHERE d.run_id = $1 AND d.state = 'uncertain' AND d.id > $2 ORDER BY d.id LIMIT $3"
        ));
        let after = after.map_or(0, |id| id.0);
        let uncertain = uncertain.bind(run.0).bind(after).bind(UNCERTAIN_ROWS_MAX as i64);
        uncertain.fetch_all(&self.read).await?.iter().map(delivery_row).collect()
    }

    /// The tries of a delivery, in order.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn attempts(&self, delivery: DeliveryId) -> Result<Vec<AttemptRow>, LedgerError> {
        let attempts = sqlx::query(
            "SELECT attempt_no, worker_id, started_at, ended_at, outcome, reason, phase, answer FROM attempt
             WHERE delivery_id = $1 ORDER BY attempt_no",
        );
        attempts.bind(delivery.0).fetch_all(&self.read).await?.iter().map(attempt_row).collect()
    }

    /// How many editions and deliveries of a run are in which state.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn counts(&self, run: RunId) -> Result<Counts, LedgerError> {
        counts_of(&mut *self.read.acquire().await?, run).await
    }

    /// The occurrences that have no outcome yet, the oldest first.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn gaps(&self) -> Result<Page<RunRow>, LedgerError> {
        let gaps = sqlx::query(select_runs!(
            "WHERE (r.occurrence_at IS NOT NULL OR r.of_run IS NOT NULL) AND r.state NOT IN ('done', 'partial', 'missed', 'skipped')
             ORDER BY 3, r.id LIMIT $1"
        ));
        page(gaps.bind(one_more()).fetch_all(&self.read).await?, run_row)
    }

    /// Every move of a row (`run`, `edition`, `delivery` or `digest`, and its id), in order.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn moves_of(&self, row: &str, id: &str) -> Result<Page<MoveRow>, LedgerError> {
        let moves = sqlx::query(
            "SELECT row_kind, row_id, from_state, to_state, reason, at, worker_id FROM move
             WHERE row_kind = $1 AND row_id = $2 ORDER BY id LIMIT $3",
        );
        page(moves.bind(row).bind(id).bind(one_more()).fetch_all(&self.read).await?, move_row)
    }
}

/// The counts of a run's rows by state.
pub(super) async fn counts_of(conn: &mut SqliteConnection, run: RunId) -> Result<Counts, LedgerError> {
    let editions = sqlx::query("SELECT state, COUNT(*) AS n FROM edition WHERE run_id = $1 GROUP BY state");
    let editions = editions.bind(run.0).fetch_all(&mut *conn).await?;
    let deliveries = sqlx::query("SELECT state, COUNT(*) AS n FROM delivery WHERE run_id = $1 GROUP BY state");
    let deliveries = deliveries.bind(run.0).fetch_all(&mut *conn).await?;
    Ok(Counts { editions: by_state(&editions)?, deliveries: by_state(&deliveries)? })
}

/// Rows of `state` and `n` as a map.
pub(super) fn by_state<S: State + Ord>(rows: &[SqliteRow]) -> Result<BTreeMap<S, u64>, LedgerError> {
    rows.iter().map(|row| Ok((state(row, "state")?, row.try_get::<i64, _>("n")?.unsigned_abs()))).collect()
}

fn move_row(row: &SqliteRow) -> Result<MoveRow, LedgerError> {
    Ok(MoveRow {
        row: row.try_get("row_kind")?,
        id: row.try_get("row_id")?,
        from: row.try_get("from_state")?,
        to: row.try_get("to_state")?,
        reason: row.try_get("reason")?,
        at: instant(row, "move", "at")?,
        worker_id: row.try_get("worker_id")?,
    })
}

/// One row more than is given out, by which it is known whether there are more.
fn one_more() -> i64 {
    i64::try_from(ROWS_MAX + 1).unwrap_or(i64::MAX)
}

fn page<T>(
    mut rows: Vec<SqliteRow>,
    read: impl Fn(&SqliteRow) -> Result<T, LedgerError>,
) -> Result<Page<T>, LedgerError> {
    let more = rows.len() > ROWS_MAX;
    rows.truncate(ROWS_MAX);
    Ok(Page { rows: rows.iter().map(read).collect::<Result<_, _>>()?, more })
}
