//! The ledger's rows as values.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::state::{State, state_of};
use super::{DeliveryState, EditionState, LedgerError, RunState};
use crate::audience::Audience;
use crate::base::{Digest, EditionId, Period};
use crate::deliver::Receipt;

/// The number of a run, given by the database.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize)]
#[serde(transparent)]
pub struct RunId(pub i64);

/// The number of a delivery, given by the database.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize)]
#[serde(transparent)]
pub struct DeliveryId(pub i64);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A run: what was done about an occurrence, or about a call by hand.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct RunRow {
    /// Its number.
    pub id: RunId,
    /// The schedule's name.
    pub schedule: String,
    /// The occurrence; none when it was called by hand.
    pub occurrence_at: Option<DateTime<Utc>>,
    /// What it is about.
    pub period: Period,
    /// The pinned data set, as JSON of the facts' making.
    pub data: String,
    /// The digest of the configuration it was planned under.
    pub config_digest: String,
    /// Why it came to be.
    pub why: String,
    /// The run whose later part it is; none for a whole one and for a first part.
    pub of_run: Option<RunId>,
    /// 1 for a whole run or its first part.
    pub part: u32,
    /// When it may start; at once when none.
    pub start_at: Option<DateTime<Utc>>,
    /// Until when it may start, and wait for data; for ever when none.
    pub deadline_at: Option<DateTime<Utc>>,
    /// How far it is.
    pub state: RunState,
    /// Why it is there.
    pub reason: String,
    /// When it was written down.
    pub planned_at: DateTime<Utc>,
    /// When it last moved.
    pub moved_at: DateTime<Utc>,
    #[serde(skip)]
    pub(super) fence: i64,
}

/// An edition.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct EditionRow {
    /// Its id, printed as *Report ID*.
    pub id: EditionId,
    /// The run that planned it.
    pub run: RunId,
    /// That run's schedule.
    pub schedule: String,
    /// The partner's name when it was planned.
    pub partner_name: String,
    /// Who it is for.
    pub audience: Audience,
    /// Its number, 1 and higher.
    pub number: u32,
    /// What it is about.
    pub period: Period,
    /// How far it is.
    pub state: EditionState,
    /// Why it is there.
    pub reason: String,
    /// How often it was claimed since it was planned or released.
    pub n_attempts: u32,
    /// How often of these its worker was gone before it said how it went.
    pub n_broken_off: u32,
    /// Its folder in the archive, once it is there.
    pub archive_path: Option<String>,
    /// The digest of its manifest, once it is in the archive.
    pub manifest: Option<Digest>,
    /// When it was written down.
    pub planned_at: DateTime<Utc>,
    /// When it last moved.
    pub moved_at: DateTime<Utc>,
    /// When an admin released it after it was held, if one did.
    pub released_at: Option<DateTime<Utc>>,
    #[serde(skip)]
    pub(super) fence: i64,
}

/// A delivery: an edition to one recipient by one destination.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct DeliveryRow {
    /// Its number.
    pub id: DeliveryId,
    /// The edition.
    pub edition: EditionId,
    /// The run that planned it, which may be a later one than the edition's.
    pub run: RunId,
    /// That run's schedule.
    pub schedule: String,
    /// The edition's period.
    pub period: Period,
    /// The edition's audience.
    pub audience: Audience,
    /// The partner's name, as its edition was planned.
    pub partner_name: String,
    /// The recipient's address; a store's name.
    pub address: String,
    /// The recipient's name; may be empty.
    pub name: String,
    /// Fixed when it was planned; without angle brackets.
    pub message_id: String,
    /// The destination's name in the configuration.
    pub destination: String,
    /// How far it is.
    pub state: DeliveryState,
    /// Why it is there.
    pub reason: String,
    /// How often it was tried.
    pub n_attempts: u32,
    /// When it may be tried; none: not before its edition is archived, or somebody moves it.
    pub next_at: Option<DateTime<Utc>>,
    /// The proof of acceptance.
    pub receipt: Option<Receipt>,
    /// What of the edition did not go with the mail, and why; none when all did.
    pub note: Option<String>,
    /// How large the mail was that was refused as too large, in bytes as sent; the next is to be smaller.
    pub refused_bytes: Option<u64>,
    /// The edition's folder in the archive, once it is there.
    pub archive_path: Option<String>,
    /// When it was written down; the mail's `Date`.
    pub planned_at: DateTime<Utc>,
    /// When it last moved.
    pub moved_at: DateTime<Utc>,
    #[serde(skip)]
    pub(super) fence: i64,
}

/// One try of a delivery.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct AttemptRow {
    /// 1 and higher.
    pub attempt_no: u32,
    /// The worker that tried.
    pub worker_id: i64,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When its answer was written down; none while it is under way.
    pub ended_at: Option<DateTime<Utc>>,
    /// What became of it.
    pub outcome: Option<DeliveryState>,
    /// In whose words.
    pub reason: Option<String>,
    /// How far the conversation came, in the word of [`crate::deliver::Phase`]; none while it is under way, and where
    /// there is none.
    pub phase: Option<String>,
    /// What the other side answered last.
    pub answer: Option<String>,
}

/// Selects runs; what follows `FROM run r` is given.
macro_rules! select_runs {
    ($rest:literal) => {
        concat!(
            "SELECT r.id, r.schedule,
             COALESCE(r.occurrence_at, (SELECT f.occurrence_at FROM run f WHERE f.id = r.of_run)) AS occurrence_at,
             r.period, r.data, r.config_digest, r.why, r.of_run, r.part, r.start_at, r.deadline_at, r.state, r.reason,
             r.planned_at, r.moved_at, r.fence FROM run r ",
            $rest
        )
    };
}

/// Selects editions `e` with their run `r`.
macro_rules! select_editions {
    ($rest:literal) => {
        concat!(
            "SELECT e.id, e.run_id, r.schedule, e.partner_name, e.audience, e.number, e.period, e.state, e.reason,
             e.n_attempts, e.n_broken_off, e.archive_path, e.manifest, e.planned_at, e.moved_at, e.released_at, e.fence
             FROM edition e JOIN run r ON r.id = e.run_id ",
            $rest
        )
    };
}

/// Selects deliveries `d` with their edition `e` and run `r`.
macro_rules! select_deliveries {
    ($rest:literal) => {
        concat!(
            "SELECT d.id, d.edition_id, d.run_id, r.schedule, e.period, e.audience, e.partner_name, d.address, d.name,
             d.message_id, d.destination, d.state, d.reason, d.n_attempts, d.next_at, d.receipt, d.note, d.refused_bytes,
             e.archive_path, d.planned_at, d.moved_at, d.fence
             FROM delivery d JOIN edition e ON e.id = d.edition_id JOIN run r ON r.id = d.run_id ",
            $rest
        )
    };
}

pub(super) use {select_deliveries, select_editions, select_runs};

/// A run from a row of [`select_runs`].
pub(super) fn run_row(row: &SqliteRow) -> Result<RunRow, LedgerError> {
    Ok(RunRow {
        id: RunId(row.try_get("id")?),
        schedule: row.try_get("schedule")?,
        occurrence_at: optional_instant(row, "run", "occurrence_at")?,
        period: parsed(row, "run", "period")?,
        data: row.try_get("data")?,
        config_digest: row.try_get("config_digest")?,
        why: row.try_get("why")?,
        of_run: row.try_get::<Option<i64>, _>("of_run")?.map(RunId),
        part: count(row, "run", "part")?,
        start_at: optional_instant(row, "run", "start_at")?,
        deadline_at: optional_instant(row, "run", "deadline_at")?,
        state: state(row, "state")?,
        reason: row.try_get("reason")?,
        planned_at: instant(row, "run", "planned_at")?,
        moved_at: instant(row, "run", "moved_at")?,
        fence: row.try_get("fence")?,
    })
}

/// An edition from a row of [`select_editions`].
pub(super) fn edition_row(row: &SqliteRow) -> Result<EditionRow, LedgerError> {
    let manifest: Option<String> = row.try_get("manifest")?;
    let manifest = manifest.map(|text| text.parse().map_err(|_| corrupt("edition", "manifest", text))).transpose()?;
    Ok(EditionRow {
        id: EditionId(parsed(row, "edition", "id")?),
        run: RunId(row.try_get("run_id")?),
        schedule: row.try_get("schedule")?,
        partner_name: row.try_get("partner_name")?,
        audience: audience(row)?,
        number: count(row, "edition", "number")?,
        period: parsed(row, "edition", "period")?,
        state: state(row, "state")?,
        reason: row.try_get("reason")?,
        n_attempts: count(row, "edition", "n_attempts")?,
        n_broken_off: count(row, "edition", "n_broken_off")?,
        archive_path: row.try_get("archive_path")?,
        manifest,
        planned_at: instant(row, "edition", "planned_at")?,
        moved_at: instant(row, "edition", "moved_at")?,
        released_at: optional_instant(row, "edition", "released_at")?,
        fence: row.try_get("fence")?,
    })
}

/// A delivery from a row of [`select_deliveries`].
pub(super) fn delivery_row(row: &SqliteRow) -> Result<DeliveryRow, LedgerError> {
    Ok(DeliveryRow {
        id: DeliveryId(row.try_get("id")?),
        edition: EditionId(parsed(row, "delivery", "edition_id")?),
        run: RunId(row.try_get("run_id")?),
        schedule: row.try_get("schedule")?,
        period: parsed(row, "edition", "period")?,
        audience: audience(row)?,
        partner_name: row.try_get("partner_name")?,
        address: row.try_get("address")?,
        name: row.try_get("name")?,
        message_id: row.try_get("message_id")?,
        destination: row.try_get("destination")?,
        state: state(row, "state")?,
        reason: row.try_get("reason")?,
        n_attempts: count(row, "delivery", "n_attempts")?,
        next_at: optional_instant(row, "delivery", "next_at")?,
        receipt: row.try_get::<Option<String>, _>("receipt")?.map(Receipt),
        note: row.try_get("note")?,
        refused_bytes: row.try_get::<Option<i64>, _>("refused_bytes")?.map(i64::unsigned_abs),
        archive_path: row.try_get("archive_path")?,
        planned_at: instant(row, "delivery", "planned_at")?,
        moved_at: instant(row, "delivery", "moved_at")?,
        fence: row.try_get("fence")?,
    })
}

/// An attempt from a row of all its columns.
pub(super) fn attempt_row(row: &SqliteRow) -> Result<AttemptRow, LedgerError> {
    let outcome: Option<String> = row.try_get("outcome")?;
    let outcome = outcome.map(|word| state_of(&word).ok_or_else(|| corrupt("attempt", "outcome", word))).transpose()?;
    Ok(AttemptRow {
        attempt_no: count(row, "attempt", "attempt_no")?,
        worker_id: row.try_get("worker_id")?,
        started_at: instant(row, "attempt", "started_at")?,
        ended_at: optional_instant(row, "attempt", "ended_at")?,
        outcome,
        reason: row.try_get("reason")?,
        phase: row.try_get("phase")?,
        answer: row.try_get("answer")?,
    })
}

/// The state in a column.
pub(super) fn state<S: State>(row: &SqliteRow, column: &'static str) -> Result<S, LedgerError> {
    let word: String = row.try_get(column)?;
    state_of(&word).ok_or_else(|| corrupt(S::ROW, column, word))
}

/// The instant in a column.
pub(super) fn instant(
    row: &SqliteRow,
    table: &'static str,
    column: &'static str,
) -> Result<DateTime<Utc>, LedgerError> {
    at(row.try_get(column)?, table, column)
}

/// The instant in a column that may have none.
pub(super) fn optional_instant(
    row: &SqliteRow,
    table: &'static str,
    column: &'static str,
) -> Result<Option<DateTime<Utc>>, LedgerError> {
    row.try_get::<Option<i64>, _>(column)?.map(|micros| at(micros, table, column)).transpose()
}

fn at(micros: i64, table: &'static str, column: &'static str) -> Result<DateTime<Utc>, LedgerError> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| corrupt(table, column, micros.to_string()))
}

/// The value that a column's text stands for.
pub(super) fn parsed<T: FromStr>(row: &SqliteRow, table: &'static str, column: &'static str) -> Result<T, LedgerError> {
    let text: String = row.try_get(column)?;
    text.parse().map_err(|_| corrupt(table, column, text))
}

fn count(row: &SqliteRow, table: &'static str, column: &'static str) -> Result<u32, LedgerError> {
    let n: i64 = row.try_get(column)?;
    u32::try_from(n).map_err(|_| corrupt(table, column, n.to_string()))
}

/// An audience as it stands in a row.
pub(super) fn audience_text(audience: &Audience) -> String {
    // A struct of texts and a closed enum: serializing it cannot fail.
    serde_json::to_string(audience).unwrap_or_default()
}

fn audience(row: &SqliteRow) -> Result<Audience, LedgerError> {
    let text: String = row.try_get("audience")?;
    serde_json::from_str(&text).map_err(|_| corrupt("edition", "audience", text))
}

fn corrupt(row: &'static str, column: &'static str, value: String) -> LedgerError {
    LedgerError::Corrupt { row, column, value }
}
