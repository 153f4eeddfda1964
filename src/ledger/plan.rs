//! Writing down what is to be done, before anything is done.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection};

use super::brake::{follow_held_runs, hold_there, insert_reach};
use super::edition::close_deliveries;
use super::row::{audience_text, run_row, select_runs, state};
use super::run::{Waits, wait_there};
use super::step::{Step, move_run, reason_text};
use super::{DeliveryState, EditionState, Ledger, LedgerError, RunId, RunRow, RunState, micros};
use crate::audience::Audience;
use crate::base::{EditionId, Period};
use crate::deliver::brakes::Trip;

/// The most editions that one call plans.
pub const EDITIONS_MAX: usize = 200_000;

/// The most recipients of one edition.
pub const RECIPIENTS_MAX: usize = 10_000;

/// Rows in one INSERT, far below SQLite's 32,766 bound values.
const ROWS_PER_INSERT: usize = 500;

/// A run to be planned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewRun {
    /// The schedule's name.
    pub schedule: String,
    /// The occurrence; none for a call by hand.
    pub occurrence_at: Option<DateTime<Utc>>,
    /// What it is about.
    pub period: Period,
    /// The pinned data set, as JSON of the facts' making; empty while there is none.
    pub data: String,
    /// The digest of the configuration.
    pub config_digest: String,
    /// Why it came to be.
    pub why: String,
    /// When it may start; at once when none.
    pub start_at: Option<DateTime<Utc>>,
    /// Until when it may start, and wait for data; for ever when none.
    pub deadline_at: Option<DateTime<Utc>>,
}

/// Somebody who gets nothing by a run, and why.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize)]
pub struct NewExclusion {
    /// The partner.
    pub partner_id: String,
    /// The recipient's address; empty for the partner as a whole.
    pub address: String,
    /// The role that was granted; empty for the partner as a whole.
    pub role: String,
    /// By which rule.
    pub rule: String,
}

/// An edition to be planned, with those who are to get it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewEdition {
    /// Its id.
    pub id: EditionId,
    /// The partner's name.
    pub partner_name: String,
    /// Who it is for; names the partner.
    pub audience: Audience,
    /// Its number, 1 and higher.
    pub number: u32,
    /// What it is about.
    pub period: Period,
    /// Who gets it, at most [`RECIPIENTS_MAX`].
    pub recipients: Vec<NewDelivery>,
}

/// What a run begins with.
#[derive(Clone, Debug, Default)]
pub struct Beginning<'a> {
    /// The data set that it is pinned to, if it is to be.
    pub data: Option<&'a str>,
    /// What it leaves to a further part, which waits for it.
    pub later: Option<&'a Waits>,
    /// Whether that part is held at once, since its time to wait is over.
    pub is_later_held: bool,
    /// What is to be made, and who gets it.
    pub editions: &'a [NewEdition],
    /// Who gets nothing.
    pub exclusions: &'a [NewExclusion],
    /// How many recipients it is for with all its parts, if it is for all of its schedule's.
    pub n_recipients: Option<u64>,
    /// The brakes that hold it if there is anything new in it.
    pub trips: &'a [Trip],
}

/// A delivery to be planned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewDelivery {
    /// The recipient's address.
    pub address: String,
    /// The recipient's name; may be empty.
    pub name: String,
    /// Its Message-ID, without angle brackets.
    pub message_id: String,
    /// The destination's name in the configuration.
    pub destination: String,
    /// Why nothing is sent to them, if nothing is.
    pub suppressed: Option<String>,
    /// Why it waits for an admin, if it does.
    pub held: Option<String>,
}

/// What a call of [`Ledger::plan_editions`] wrote down, and what was there already.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Planned {
    /// Editions written down.
    pub n_new_editions: u64,
    /// Editions that were there and were left as they are.
    pub n_existing_editions: u64,
    /// Deliveries written down.
    pub n_new_deliveries: u64,
    /// Deliveries that were there and were left as they are.
    pub n_existing_deliveries: u64,
    /// The states of the editions that were there: failed and skipped ones are not planned again.
    pub existing: BTreeMap<EditionState, u64>,
}

impl Ledger {
    /// Writes occurrences down, all at once: each is to run, or is missed or skipped for a reason. One that has a row
    /// keeps it, but for one that was recorded by a clock that was ahead and did not run: it is planned again. Returns
    /// those that are new or planned again.
    ///
    /// # Errors
    /// When an outcome is another, or the database can't be written; then nothing is.
    pub async fn plan_occurrences(
        &self,
        occurrences: &[(NewRun, Option<(RunState, String)>)],
        now: DateTime<Utc>,
    ) -> Result<Vec<RunRow>, LedgerError> {
        let mut tx = self.begin().await?;
        let mut planned = Vec::new();
        for (new, outcome) in occurrences {
            let (row, is_new) = insert_run(&mut tx, new, RunState::Planned, "planned", now).await?;
            match outcome {
                Some((state, reason)) if is_new => move_there(&mut tx, &row, *state, reason, now).await?,
                None if row.state == RunState::Missed && row.planned_at > now => {
                    let reason = "it was recorded by a clock that was ahead, before it was due";
                    move_there(&mut tx, &row, RunState::Planned, reason, now).await?;
                }
                None if is_new => {}
                _ => continue,
            }
            planned.push(read_run(&mut tx, row.id).await?);
        }
        tx.commit().await?;
        Ok(planned)
    }

    /// Writes a call by hand down with what it begins with, all at once.
    ///
    /// # Errors
    /// As [`Ledger::begin_run`].
    pub async fn plan_by_hand(
        &self,
        new: &NewRun,
        beginning: &Beginning<'_>,
        now: DateTime<Utc>,
    ) -> Result<(RunRow, Planned), LedgerError> {
        check_bounds(beginning.editions)?;
        let mut tx = self.begin().await?;
        let (row, _) = insert_run(&mut tx, new, RunState::Planned, "planned", now).await?;
        let planned = begin_there(&mut tx, &row, beginning, now).await?;
        let row = read_run(&mut tx, row.id).await?;
        tx.commit().await?;
        Ok((row, planned))
    }

    /// Pins a run's data, writes down what it leaves to a later part, its editions and deliveries and who gets nothing
    /// by it, and moves it to `running`: all in one transaction.
    ///
    /// An edition or a delivery that is there already, from this run or another, is left as it is: this is what
    /// makes the same period, run twice, make and send nothing twice.
    ///
    /// # Errors
    /// When there are too many, the run is over or pinned to other data, or the database can't be written; then nothing
    /// is written.
    pub async fn begin_run(
        &self,
        run: RunId,
        beginning: &Beginning<'_>,
        now: DateTime<Utc>,
    ) -> Result<Planned, LedgerError> {
        check_bounds(beginning.editions)?;
        let mut tx = self.begin().await?;
        let row = read_run(&mut tx, run).await?;
        let planned = begin_there(&mut tx, &row, beginning, now).await?;
        tx.commit().await?;
        Ok(planned)
    }
}

async fn begin_there(
    conn: &mut SqliteConnection,
    row: &RunRow,
    beginning: &Beginning<'_>,
    now: DateTime<Utc>,
) -> Result<Planned, LedgerError> {
    let Beginning { editions, exclusions, .. } = *beginning;
    if let Some(data) = beginning.data {
        pin(conn, row, data).await?;
    }
    if let Some(waits) = beginning.later {
        insert_part(conn, row, waits, beginning.is_later_held, now).await?;
    }
    match row.state {
        RunState::Running => {}
        RunState::Held => {
            // Only an admin's release lets a held run go on.
            let (from, to) = (row.state.word(), RunState::Running.word());
            return Err(LedgerError::Move { row: "run", id: row.id.to_string(), from, to });
        }
        _ => move_there(conn, row, RunState::Running, "its editions are planned", now).await?,
    }
    let mut planned = Planned::default();
    for batch in editions.chunks(ROWS_PER_INSERT) {
        count_existing(conn, batch, &mut planned.existing).await?;
        planned.n_new_editions += insert_editions(conn, row.id, batch, now).await?;
    }
    let deliveries: Vec<(&EditionId, &NewDelivery)> = editions
        .iter()
        .flat_map(|edition| edition.recipients.iter().map(move |delivery| (&edition.id, delivery)))
        .collect();
    for batch in deliveries.chunks(ROWS_PER_INSERT) {
        planned.n_new_deliveries += insert_deliveries(conn, row.id, batch, now).await?;
    }
    for batch in exclusions.chunks(ROWS_PER_INSERT) {
        insert_exclusions(conn, row.id, batch).await?;
    }
    follow_their_editions(conn, row.id, now).await?;
    planned.n_existing_editions = editions.len() as u64 - planned.n_new_editions;
    planned.n_existing_deliveries = deliveries.len() as u64 - planned.n_new_deliveries;
    if let Some(n) = beginning.n_recipients {
        insert_reach(conn, row.id, n).await?;
    }
    let is_anything_new = planned.n_new_editions + planned.n_new_deliveries > 0;
    if !beginning.trips.is_empty() && is_anything_new {
        let row = read_run(conn, row.id).await?;
        hold_there(conn, &row, beginning.trips, now).await?;
    }
    Ok(planned)
}

/// Pins a run that has no data yet; one that has must have this.
async fn pin(conn: &mut SqliteConnection, row: &RunRow, data: &str) -> Result<(), LedgerError> {
    if row.is_pinned() && row.data != data {
        return Err(LedgerError::LostClaim { row: "run", id: row.id.to_string() });
    }
    sqlx::query("UPDATE run SET data = $1 WHERE id = $2").bind(data).bind(row.id.0).execute(conn).await?;
    Ok(())
}

/// Writes a further part of a run down, which waits or is held; one that is there already stays as it is.
async fn insert_part(
    conn: &mut SqliteConnection,
    row: &RunRow,
    waits: &Waits,
    is_held: bool,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let insert = sqlx::query(
        "INSERT INTO run (schedule, period, data, config_digest, why, state, reason, planned_at, moved_at, of_run,
             part, start_at, deadline_at)
         SELECT schedule, period, '', config_digest, why, 'planned', 'planned', $1, $1, COALESCE(of_run, id),
             part + 1, start_at, deadline_at FROM run WHERE id = $2
         ON CONFLICT (of_run, part) WHERE of_run IS NOT NULL DO NOTHING RETURNING id",
    );
    let part = insert.bind(micros(now)).bind(row.id.0).fetch_optional(&mut *conn).await?;
    let Some(part) = part else { return Ok(()) };
    let part = read_run(conn, RunId(part.try_get("id")?)).await?;
    wait_there(conn, &part, waits, now).await?;
    if is_held {
        let part = read_run(conn, part.id).await?;
        move_there(conn, &part, RunState::Held, &waits.too_late(), now).await?;
    }
    Ok(())
}

fn check_bounds(editions: &[NewEdition]) -> Result<(), LedgerError> {
    if editions.len() > EDITIONS_MAX {
        return Err(LedgerError::TooMany { what: "editions", n: editions.len(), max: EDITIONS_MAX });
    }
    match editions.iter().map(|edition| edition.recipients.len()).max() {
        Some(n) if n > RECIPIENTS_MAX => {
            Err(LedgerError::TooMany { what: "recipients of one edition", n, max: RECIPIENTS_MAX })
        }
        _ => Ok(()),
    }
}

/// The row of a run.
pub(super) async fn read_run(conn: &mut SqliteConnection, run: RunId) -> Result<RunRow, LedgerError> {
    let row = sqlx::query(select_runs!("WHERE r.id = $1")).bind(run.0).fetch_optional(conn).await?;
    run_row(&row.ok_or_else(|| LedgerError::NoSuch { row: "run", id: run.to_string() })?)
}

/// Moves a run from where its row says it is.
pub(super) async fn move_there(
    conn: &mut SqliteConnection,
    row: &RunRow,
    to: RunState,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let (id, reason, at) = (row.id.to_string(), reason.to_owned(), micros(now));
    let step = Step { id, from: row.state, to, fence: row.fence, reason, at, worker: None };
    if move_run(conn, &step).await? {
        return Ok(());
    }
    Err(LedgerError::LostClaim { row: "run", id: step.id })
}

/// Writes a run down, or finds the one of that schedule and occurrence; true when it is new.
pub(super) async fn insert_run(
    conn: &mut SqliteConnection,
    new: &NewRun,
    state: RunState,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(RunRow, bool), LedgerError> {
    let insert = sqlx::query(
        "INSERT INTO run (schedule, occurrence_at, period, data, config_digest, why, state, reason, planned_at,
             moved_at, start_at, deadline_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11)
         ON CONFLICT (schedule, occurrence_at) DO NOTHING RETURNING id",
    );
    let insert = insert.bind(&new.schedule).bind(new.occurrence_at.map(micros)).bind(new.period.to_string());
    let insert = insert.bind(&new.data).bind(&new.config_digest).bind(reason_text(&new.why));
    let insert = insert.bind(state.word()).bind(reason).bind(micros(now));
    let insert = insert.bind(new.start_at.map(micros)).bind(new.deadline_at.map(micros));
    if let Some(row) = insert.fetch_optional(&mut *conn).await? {
        return Ok((read_run(conn, RunId(row.try_get("id")?)).await?, true));
    }
    let found = sqlx::query(select_runs!("WHERE r.schedule = $1 AND r.occurrence_at = $2"));
    let found = found.bind(&new.schedule).bind(new.occurrence_at.map(micros)).fetch_one(conn).await?;
    Ok((run_row(&found)?, false))
}

async fn count_existing(
    conn: &mut SqliteConnection,
    batch: &[NewEdition],
    existing: &mut BTreeMap<EditionState, u64>,
) -> Result<(), LedgerError> {
    let mut query = QueryBuilder::<Sqlite>::new("SELECT state, COUNT(*) AS n FROM edition WHERE id IN (");
    let mut ids = query.separated(", ");
    for edition in batch {
        ids.push_bind(edition.id.to_string());
    }
    query.push(") GROUP BY state");
    for row in query.build().fetch_all(conn).await? {
        let n: i64 = row.try_get("n")?;
        *existing.entry(state(&row, "state")?).or_default() += n.unsigned_abs();
    }
    Ok(())
}

async fn insert_editions(
    conn: &mut SqliteConnection,
    run: RunId,
    batch: &[NewEdition],
    now: DateTime<Utc>,
) -> Result<u64, LedgerError> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "INSERT INTO edition (id, run_id, partner_id, partner_name, audience, number, period, state, reason,
             planned_at, moved_at) ",
    );
    query.push_values(batch, |mut row, edition| {
        let audience = audience_text(&edition.audience);
        row.push_bind(edition.id.to_string()).push_bind(run.0).push_bind(edition.audience.partner_id.clone());
        row.push_bind(edition.partner_name.clone()).push_bind(audience).push_bind(i64::from(edition.number));
        row.push_bind(edition.period.to_string()).push_bind(EditionState::Planned.word()).push_bind("planned");
        row.push_bind(micros(now)).push_bind(micros(now));
    });
    query.push(" ON CONFLICT (id) DO NOTHING");
    Ok(query.build().execute(conn).await?.rows_affected())
}

async fn insert_deliveries(
    conn: &mut SqliteConnection,
    run: RunId,
    batch: &[(&EditionId, &NewDelivery)],
    now: DateTime<Utc>,
) -> Result<u64, LedgerError> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "INSERT INTO delivery (edition_id, run_id, address, address_key, name, message_id, destination, state, reason,
             planned_at, moved_at) ",
    );
    query.push_values(batch, |mut row, (edition, delivery)| {
        let (state, reason) = match (&delivery.suppressed, &delivery.held) {
            (Some(reason), _) => (DeliveryState::Suppressed, reason_text(reason)),
            (None, Some(reason)) => (DeliveryState::Held, reason_text(reason)),
            (None, None) => (DeliveryState::Planned, "planned".to_owned()),
        };
        row.push_bind(edition.to_string()).push_bind(run.0).push_bind(delivery.address.clone());
        row.push_bind(delivery.address.to_lowercase()).push_bind(delivery.name.clone());
        row.push_bind(delivery.message_id.clone()).push_bind(delivery.destination.clone());
        row.push_bind(state.word()).push_bind(reason).push_bind(micros(now)).push_bind(micros(now));
    });
    query.push(" ON CONFLICT (edition_id, address_key) DO NOTHING");
    Ok(query.build().execute(conn).await?.rows_affected())
}

async fn insert_exclusions(conn: &mut SqliteConnection, run: RunId, batch: &[NewExclusion]) -> Result<(), LedgerError> {
    let mut query =
        QueryBuilder::<Sqlite>::new("INSERT INTO exclusion (run_id, partner_id, address, address_key, role, rule) ");
    query.push_values(batch, |mut row, exclusion| {
        row.push_bind(run.0).push_bind(exclusion.partner_id.clone()).push_bind(exclusion.address.clone());
        row.push_bind(exclusion.address.to_lowercase()).push_bind(exclusion.role.clone());
        row.push_bind(reason_text(&exclusion.rule));
    });
    query.push(" ON CONFLICT (run_id, partner_id, address_key, role) DO NOTHING");
    query.build().execute(conn).await?;
    Ok(())
}

/// Deliveries planned for editions that had ended before: ready where there is a pack, else as their edition.
async fn follow_their_editions(conn: &mut SqliteConnection, run: RunId, now: DateTime<Utc>) -> Result<(), LedgerError> {
    let ready = sqlx::query(
        "UPDATE delivery SET next_at = $1 WHERE run_id = $2 AND state = 'planned' AND next_at IS NULL
             AND edition_id IN (SELECT id FROM edition WHERE state = 'archived')",
    );
    ready.bind(micros(now)).bind(run.0).execute(&mut *conn).await?;
    let ended = sqlx::query(
        "SELECT DISTINCT e.id, e.state, e.reason FROM delivery d JOIN edition e ON e.id = d.edition_id
         WHERE d.run_id = $1 AND d.state = 'planned' AND e.state IN ('skipped', 'failed', 'held')",
    );
    for row in ended.bind(run.0).fetch_all(&mut *conn).await? {
        let (edition, reason): (String, String) = (row.try_get("id")?, row.try_get("reason")?);
        close_deliveries(conn, &edition, state(&row, "state")?, &reason, micros(now)).await?;
    }
    follow_held_runs(conn, run, micros(now)).await
}
