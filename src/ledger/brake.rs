//! What brakes compare with, and what they held.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection};

use super::plan::{move_there, read_run};
use super::row::{audience_text, instant, optional_instant, parsed};
use super::step::{DeliveryChange, Step, move_delivery, reason_text};
use super::{DeliveryState, Ledger, LedgerError, RunId, RunRow, RunState, micros};
use crate::audience::Audience;
use crate::base::{EditionId, Period};
use crate::deliver::brakes::{Measure, MeasureKind, Sent, Trip, domain_of, told};

/// How many of an audience's editions are looked through for the last one that was sent.
const EDITIONS_SOUGHT_MAX: i64 = 500;

/// How many editions are made before the first mail of a run may leave, so that a run that goes wrong is seen to.
pub const LOOKED_AT_FIRST: u64 = 20;

/// A hold by a brake.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct BrakeRow {
    /// The run.
    pub run: RunId,
    /// The one edition that is held; none for the run as a whole.
    pub edition: Option<EditionId>,
    /// Which brake, what was measured, what is allowed.
    #[serde(flatten)]
    pub trip: Trip,
    /// When it took hold.
    pub held_at: DateTime<Utc>,
    /// When it was released; none while it holds.
    pub released_at: Option<DateTime<Utc>>,
    /// By whom, and why.
    pub released: Option<String>,
}

/// How far the editions of a run are made, as the brakes see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Looked {
    /// How many are settled.
    pub n_made: u64,
    /// Whether more are to be made.
    pub is_open: bool,
    /// How many of those that are settled a brake holds.
    pub n_held: u64,
}

impl Looked {
    /// Whether enough was made for mails to leave.
    pub fn is_enough(self) -> bool {
        !self.is_open || self.n_made >= LOOKED_AT_FIRST
    }
}

/// A run with its other parts: by the first one's id.
const ROOT_AND_PARTS: &str = "(SELECT p.id FROM run p JOIN run own ON own.id = $1
     WHERE p.id = COALESCE(own.of_run, own.id) OR p.of_run = COALESCE(own.of_run, own.id))";

impl Ledger {
    /// To whom a schedule was sent: how many recipients its last run had, other than the given one and its parts, and
    /// the domains that mails were taken for.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn sent(&self, schedule: &str, but: Option<RunId>) -> Result<Sent, LedgerError> {
        let last: Option<i64> = sqlx::query_scalar(
            "SELECT c.n_recipients FROM reach c JOIN run r ON r.id = c.run_id
             WHERE r.schedule = $1
                 AND ($2 IS NULL OR COALESCE(r.of_run, r.id) <> (SELECT COALESCE(of_run, id) FROM run WHERE id = $2))
                 AND EXISTS (SELECT 1 FROM delivery d WHERE d.run_id = r.id AND d.state = 'delivered')
             ORDER BY r.id DESC LIMIT 1",
        )
        .bind(schedule)
        .bind(but.map(|run| run.0))
        .fetch_optional(&self.read)
        .await?;
        // Run by run through the index that has only what was delivered.
        let addresses = sqlx::query(
            "SELECT DISTINCT d.address_key FROM run r CROSS JOIN delivery d
             WHERE r.schedule = $1 AND d.run_id = r.id AND d.state = 'delivered'",
        );
        let mut domains = BTreeSet::new();
        for row in addresses.bind(schedule).fetch_all(&self.read).await? {
            domains.extend(domain_of(row.try_get("address_key")?));
        }
        Ok(Sent { n_recipients: last.map(i64::unsigned_abs), domains })
    }

    /// What the last edition of an audience measured that was sent, about a period of the same length that is not after
    /// this one, and its period; none when there is none.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn measured_before(
        &self,
        schedule: &str,
        audience: &Audience,
        own: EditionId,
        period: Period,
    ) -> Result<Option<(Period, Vec<Measure>)>, LedgerError> {
        let sent = sqlx::query(
            "SELECT e.id, e.period FROM edition e JOIN run r ON r.id = e.run_id
             WHERE e.partner_id = $1 AND e.audience = $2 AND r.schedule = $3 AND e.id <> $4 AND e.state = 'archived'
                 AND EXISTS (SELECT 1 FROM delivery d WHERE d.edition_id = e.id AND d.state = 'delivered')
             ORDER BY e.planned_at DESC, e.number DESC LIMIT $5",
        );
        let sent = sent.bind(&audience.partner_id).bind(audience_text(audience)).bind(schedule).bind(own.to_string());
        let mut last: Option<(Period, String)> = None;
        for row in sent.bind(EDITIONS_SOUGHT_MAX).fetch_all(&self.read).await? {
            let of: Period = parsed(&row, "edition", "period")?;
            let is_like = of.is_as_long_as(period) && of <= period;
            if is_like && last.as_ref().is_none_or(|(last, _)| of > *last) {
                last = Some((of, row.try_get("id")?));
            }
        }
        let Some((of, id)) = last else { return Ok(None) };
        let rows = sqlx::query("SELECT kind, name, amount FROM measure WHERE edition_id = $1 ORDER BY kind, name");
        let rows = rows.bind(id).fetch_all(&self.read).await?;
        Ok(Some((of, rows.iter().map(measure).collect::<Result<_, _>>()?)))
    }

    /// The holds by brakes of a run, in the order in which they took hold.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn brakes_of(&self, run: RunId) -> Result<Vec<BrakeRow>, LedgerError> {
        let rows = sqlx::query(
            "SELECT run_id, edition_id, brake, measured, allowed, held_at, released_at, released FROM brake
             WHERE run_id = $1 ORDER BY id",
        );
        rows.bind(run.0).fetch_all(&self.read).await?.iter().map(brake_row).collect()
    }

    /// The brakes of a run and its other parts that were released for the run as a whole: these hold it no more. Those
    /// of a part that was left out were not found to be right.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn released_brakes(&self, run: RunId) -> Result<BTreeSet<String>, LedgerError> {
        let sql = format!(
            "SELECT DISTINCT brake FROM brake
             WHERE run_id IN {ROOT_AND_PARTS} AND edition_id IS NULL AND released_at IS NOT NULL
                 AND run_id NOT IN (SELECT id FROM run WHERE state = 'skipped')"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(run.0).fetch_all(&self.read).await?;
        rows.iter().map(|row| Ok(row.try_get("brake")?)).collect()
    }

    /// How far the editions of a run are made; `n_made` counts to no more than there are, and no further than needed when
    /// none is held.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn looked(&self, run: RunId) -> Result<Looked, LedgerError> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM brake WHERE run_id = $1 AND edition_id IS NOT NULL AND released_at IS NULL)
                 AS n_held,
                 EXISTS (SELECT 1 FROM edition WHERE run_id = $1 AND state IN ('planned', 'making')) AS is_open",
        );
        let row = row.bind(run.0).fetch_one(&self.read).await?;
        let n_rows: i64 = row.try_get("n_held")?;
        // An edition may be held by several brakes: they are counted exactly only where there are any.
        let limit = if n_rows == 0 { LOOKED_AT_FIRST as i64 } else { i64::MAX };
        let counted = sqlx::query(
            "SELECT COUNT(*) AS n_made, COALESCE(SUM(is_held), 0) AS n_held FROM (
                 SELECT EXISTS (SELECT 1 FROM brake b WHERE b.edition_id = e.id AND b.run_id = $1
                     AND b.released_at IS NULL) AS is_held
                 FROM edition e WHERE e.run_id = $1 AND e.state IN ('archived', 'held', 'skipped', 'failed') LIMIT $2)",
        );
        let counted = counted.bind(run.0).bind(limit).fetch_one(&self.read).await?;
        Ok(Looked {
            n_made: counted.try_get::<i64, _>("n_made")?.unsigned_abs(),
            is_open: row.try_get::<i64, _>("is_open")? != 0,
            n_held: counted.try_get::<i64, _>("n_held")?.unsigned_abs(),
        })
    }

    /// Holds a running run by brakes: nothing more of it is made or sent until somebody releases it.
    ///
    /// # Errors
    /// When the database can't be written; a run that runs no more stays as it is.
    pub async fn hold_run(&self, run: RunId, trips: &[Trip], now: DateTime<Utc>) -> Result<(), LedgerError> {
        let mut tx = self.begin().await?;
        let row = read_run(&mut tx, run).await?;
        if row.state == RunState::Running {
            hold_there(&mut tx, &row, trips, now).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// Holds a running run, with a row for each brake. Mails of other runs that wait for its editions are held with it, by
/// their own runs, so that these can end.
pub(super) async fn hold_there(
    conn: &mut SqliteConnection,
    row: &RunRow,
    trips: &[Trip],
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    move_there(conn, row, RunState::Held, &told(trips), now).await?;
    insert_brakes(conn, row.id, None, trips, micros(now)).await?;
    hold_waiting(conn, "e.run_id = $1 AND d.run_id <> $1", row.id, micros(now)).await
}

/// Holds the mails of a run that wait for editions of a held one.
pub(super) async fn follow_held_runs(conn: &mut SqliteConnection, run: RunId, at: i64) -> Result<(), LedgerError> {
    hold_waiting(conn, "d.run_id = $1 AND e.run_id <> $1", run, at).await
}

async fn hold_waiting(conn: &mut SqliteConnection, which: &str, run: RunId, at: i64) -> Result<(), LedgerError> {
    let sql = format!(
        "SELECT d.id, d.fence, r.id AS holder FROM delivery d JOIN edition e ON e.id = d.edition_id
             JOIN run r ON r.id = e.run_id
         WHERE {which} AND d.state = 'planned' AND e.state IN ('planned', 'making') AND r.state = 'held'"
    );
    for row in sqlx::query(sqlx::AssertSqlSafe(sql)).bind(run.0).fetch_all(&mut *conn).await? {
        let (id, fence) = (row.try_get::<i64, _>("id")?.to_string(), row.try_get("fence")?);
        let reason = format!("its edition waits in run {}, which is held", row.try_get::<i64, _>("holder")?);
        let (from, to) = (DeliveryState::Planned, DeliveryState::Held);
        let step = Step { id, from, to, fence, reason, at, worker: None };
        move_delivery(conn, &step, DeliveryChange::default()).await?;
    }
    Ok(())
}

/// Writes down what brakes hold: a run, or one edition of it.
pub(super) async fn insert_brakes(
    conn: &mut SqliteConnection,
    run: RunId,
    edition: Option<&str>,
    trips: &[Trip],
    at: i64,
) -> Result<(), LedgerError> {
    for trip in trips {
        let insert = sqlx::query(
            "INSERT INTO brake (run_id, edition_id, brake, measured, allowed, held_at) VALUES ($1, $2, $3, $4, $5, $6)",
        );
        let insert = insert.bind(run.0).bind(edition).bind(&trip.brake);
        let insert = insert.bind(reason_text(&trip.measured)).bind(reason_text(&trip.allowed)).bind(at);
        insert.execute(&mut *conn).await?;
    }
    Ok(())
}

/// Writes down that what brakes hold of a run, or of one edition, is released, by whom and why.
pub(super) async fn release_brakes(
    conn: &mut SqliteConnection,
    run: RunId,
    edition: Option<&str>,
    reason: &str,
    at: i64,
) -> Result<(), LedgerError> {
    let released = sqlx::query(
        "UPDATE brake SET released_at = $1, released = $2
         WHERE run_id = $3 AND released_at IS NULL AND ($4 IS NULL OR edition_id = $4)",
    );
    released.bind(at).bind(reason_text(reason)).bind(run.0).bind(edition).execute(conn).await?;
    Ok(())
}

/// Writes down how many recipients a run is for.
pub(super) async fn insert_reach(conn: &mut SqliteConnection, run: RunId, n: u64) -> Result<(), LedgerError> {
    let n = i64::try_from(n).unwrap_or(i64::MAX);
    let insert =
        sqlx::query("INSERT INTO reach (run_id, n_recipients) VALUES ($1, $2) ON CONFLICT (run_id) DO NOTHING");
    insert.bind(run.0).bind(n).execute(conn).await?;
    Ok(())
}

/// Writes down what an edition measures; one that is made again measures anew.
pub(super) async fn insert_measures(
    conn: &mut SqliteConnection,
    edition: &str,
    measures: &[Measure],
) -> Result<(), LedgerError> {
    if measures.is_empty() {
        return Ok(());
    }
    let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO measure (edition_id, kind, name, amount) ");
    query.push_values(measures, |mut row, measure| {
        row.push_bind(edition.to_owned()).push_bind(measure.kind.word());
        row.push_bind(measure.name.clone()).push_bind(measure.amount);
    });
    query.push(" ON CONFLICT (edition_id, kind, name) DO UPDATE SET amount = excluded.amount");
    query.build().execute(conn).await?;
    Ok(())
}

fn measure(row: &SqliteRow) -> Result<Measure, LedgerError> {
    let word: String = row.try_get("kind")?;
    let kind = MeasureKind::of(&word);
    let kind = kind.ok_or(LedgerError::Corrupt { row: "measure", column: "kind", value: word })?;
    Ok(Measure { kind, name: row.try_get("name")?, amount: row.try_get("amount")? })
}

fn brake_row(row: &SqliteRow) -> Result<BrakeRow, LedgerError> {
    let edition: Option<String> = row.try_get("edition_id")?;
    let corrupt = |value| LedgerError::Corrupt { row: "brake", column: "edition_id", value };
    let edition = edition.map(|id| id.parse().map(EditionId).map_err(|_| corrupt(id))).transpose()?;
    let (brake, measured, allowed) = (row.try_get("brake")?, row.try_get("measured")?, row.try_get("allowed")?);
    Ok(BrakeRow {
        run: RunId(row.try_get("run_id")?),
        edition,
        trip: Trip { brake, measured, allowed },
        held_at: instant(row, "brake", "held_at")?,
        released_at: optional_instant(row, "brake", "released_at")?,
        released: row.try_get("released")?,
    })
}
