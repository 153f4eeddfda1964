//! Brings Partner Center's own files into the facts: whole or not at all.

mod columns;
mod error;
mod exported;
mod figures;
mod gathered;
pub mod inbox;
mod line;
mod months;
mod open;
mod read;
#[cfg(test)]
mod tests;
mod write;

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::{Connection, SqliteConnection};
use tokio::sync::mpsc;

pub use error::{BadValue, IngestError};
pub use exported::ExportedFrom;

use super::sqlite::{self, SqliteFacts};
use super::{FactsError, ProductMap};
use read::{Part, Tail};
use write::{Load as Writing, signed};

/// Which account of a file's rows reports are to be about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PartnerFrom {
    /// The partner global account (`PGAMpnID`).
    #[default]
    Account,
    /// The reseller (`ResellerID`, `ResellerMpnID`), for distributors; usage is joined to it by subscription.
    Reseller,
}

impl PartnerFrom {
    fn key(self) -> &'static str {
        match self {
            PartnerFrom::Account => "account",
            PartnerFrom::Reseller => "reseller",
        }
    }
}

/// What became of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ingested {
    /// It was loaded.
    Loaded(Load),
    /// The same content was loaded before; nothing was done.
    AlreadyLoaded {
        /// With which load.
        load_no: u64,
    },
}

/// What a load brought.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Load {
    /// Its number.
    pub load_no: u64,
    /// The data set's name, as in `SeatsSubscriptionsAndRevenue`.
    pub source: &'static str,
    /// When it was exported.
    pub exported_at: DateTime<Utc>,
    /// Where that is known from.
    pub exported_from: ExportedFrom,
    /// Rows that were loaded.
    pub n_rows: u64,
    /// Rows that were left out: of products without licenses, or without a partner.
    pub n_left_out: u64,
    /// Slices that it brought: one a partner and month.
    pub n_slices: u64,
    /// Columns that nobody knows; they were passed over.
    pub unknown_columns: Vec<String>,
    /// What else is worth knowing, in words with figures.
    pub notes: Vec<String>,
}

/// Loads files into a facts database.
#[derive(Clone, Debug)]
pub struct Ingest {
    facts: SqliteFacts,
    products: Arc<ProductMap>,
    partner_from: PartnerFrom,
    /// The most pages that the database may grow to; set in tests only.
    pages_max: Option<u32>,
}

/// How much of a file may wait to be written, in chunks.
const CHUNKS_AHEAD: usize = 2;

impl Ingest {
    /// Into this database, by this product map, with partners from this account.
    pub fn new(facts: &SqliteFacts, products: &ProductMap, partner_from: PartnerFrom) -> Ingest {
        Ingest { facts: facts.clone(), products: Arc::new(products.clone()), partner_from, pages_max: None }
    }

    /// With a database that can grow to so many pages only: what a full disk is like.
    #[cfg(test)]
    fn with_pages_max(self, pages_max: u32) -> Ingest {
        Ingest { pages_max: Some(pages_max), ..self }
    }

    /// Loads one file, whole or not at all; the same content again is a no-op.
    ///
    /// `exported_at` goes before what the file's name or date say. `progress` is told how many bytes of the file,
    /// packed as it is, were read.
    ///
    /// # Errors
    /// When the file cannot be read as one of the known data sets, or the database not be written to.
    pub async fn file(
        &self,
        path: &Path,
        exported_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Ingested, IngestError> {
        let before = Stamp::of(path).await?;
        let exported = exported::exported_at(path, exported_at, before.modified_at, now);
        let (sender, parts) = mpsc::channel(CHUNKS_AHEAD);
        let (file, products, partner_from) = (path.to_owned(), self.products.clone(), self.partner_from);
        let reading = tokio::task::spawn_blocking(move || read::read_file(&file, &products, partner_from, &sender));
        let mut connection = self.connect().await?;
        let mut writing = connection.begin_with("BEGIN IMMEDIATE").await.map_err(|error| self.failed(error))?;
        let written = self.parts(&mut writing, parts, progress).await;
        let read = reading.await;
        // A failure to write ends the reading too: it is the one to tell.
        let load = written?;
        let tail = read.map_err(|error| unreadable(path, error.to_string()))??;
        let load = load.ok_or_else(|| unreadable(path, "it was not read".to_owned()))?;
        if Stamp::of(path).await? != before {
            return Err(IngestError::StillWritten { path: path.display().to_string() });
        }
        let ingested = self.finish(&mut writing, load, tail, path, exported, now).await?;
        if let Ingested::Loaded(_) = ingested {
            writing.commit().await.map_err(|error| self.failed(error))?;
            // What cannot be checkpointed now, since somebody reads, is later.
            let _ = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await;
        }
        Ok(ingested)
    }

    async fn connect(&self) -> Result<SqliteConnection, IngestError> {
        // Room for the pages that a load touches, so that each is written once.
        let mut options = sqlite::options(self.facts.path()).pragma("cache_size", "-131072");
        if let Some(pages_max) = self.pages_max {
            options = options.pragma("max_page_count", pages_max.to_string());
        }
        SqliteConnection::connect_with(&options).await.map_err(|error| self.failed(error))
    }

    async fn parts(
        &self,
        connection: &mut SqliteConnection,
        mut parts: mpsc::Receiver<Part>,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Option<Writing>, IngestError> {
        let mut load = None;
        while let Some(part) = parts.recv().await {
            match (part, &mut load) {
                (Part::Head(head), load) => {
                    let begun = Writing::begin(connection, head).await;
                    *load = Some(begun.map_err(|error| self.failed(error))?);
                }
                (Part::Chunk(chunk), Some(load)) => {
                    let n_bytes = chunk.n_bytes;
                    load.chunk(connection, chunk).await.map_err(|error| self.failed(error))?;
                    progress(n_bytes);
                }
                (Part::Chunk(_), None) => {}
            }
        }
        Ok(load)
    }

    async fn finish(
        &self,
        connection: &mut SqliteConnection,
        load: Writing,
        tail: Tail,
        path: &Path,
        (exported_at, exported_from): (DateTime<Utc>, ExportedFrom),
        now: DateTime<Utc>,
    ) -> Result<Ingested, IngestError> {
        let failed = |error| self.failed(error);
        if let Some(load_no) =
            self.loaded_before(connection, &tail, exported_at, exported_from).await.map_err(failed)?
        {
            return Ok(Ingested::AlreadyLoaded { load_no });
        }
        let source = load.head().source;
        let product = source.only_product().map(|only| self.products.family(only).unwrap_or(only)).unwrap_or("");
        load.finish(connection, &tail.gathered, product, exported_at).await.map_err(failed)?;
        let (n_rows, n_all) = (tail.gathered.n_kept(), tail.gathered.n_rows);
        let file_name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        sqlx::query("INSERT INTO loads VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
            .bind(load.load_no())
            .bind(source.number())
            .bind(file_name)
            .bind(tail.digest.to_string())
            .bind(self.partner_from.key())
            .bind(sqlite::instant_text(exported_at))
            .bind(sqlite::instant_text(now))
            .bind(signed(n_rows))
            .bind(signed(n_all.saturating_sub(n_rows)))
            .execute(&mut *connection)
            .await
            .map_err(failed)?;
        let n_older = older_slices(connection, load.load_no()).await.map_err(failed)?;
        Ok(Ingested::Loaded(Load {
            load_no: u64::try_from(load.load_no()).unwrap_or(0),
            source: source.name(),
            exported_at,
            exported_from,
            n_rows,
            n_left_out: n_all.saturating_sub(n_rows),
            n_slices: tail.gathered.slices.len() as u64,
            notes: notes(&tail, n_older, load.head().waits_for_reseller),
            unknown_columns: tail.unknown_columns,
        }))
    }

    /// The load that had the same content, unless this one was exported on a later day: then it says of its months that
    /// they are still so. A file's own date is no proof of that, since copies have later ones.
    async fn loaded_before(
        &self,
        connection: &mut SqliteConnection,
        tail: &Tail,
        exported_at: DateTime<Utc>,
        exported_from: ExportedFrom,
    ) -> Result<Option<u64>, sqlx::Error> {
        let since = match exported_from {
            ExportedFrom::Modified => String::new(),
            ExportedFrom::Told | ExportedFrom::FileName => exported_at.date_naive().to_string(),
        };
        // Instants are texts that sort, and begin with their day.
        let load_no: Option<i64> = sqlx::query_scalar(
            "SELECT max(load_no) FROM loads WHERE digest = ? AND partner_from = ? AND exported_at >= ?",
        )
        .bind(tail.digest.to_string())
        .bind(self.partner_from.key())
        .bind(since)
        .fetch_one(connection)
        .await?;
        Ok(load_no.and_then(|load_no| u64::try_from(load_no).ok()))
    }

    /// Tells a full disk from other failures.
    fn failed(&self, error: sqlx::Error) -> IngestError {
        match sqlite::primary_code(&error) {
            // SQLITE_FULL
            Some(13) => IngestError::DiskFull { database: self.facts.path().display().to_string() },
            _ => IngestError::Facts(sqlite::name_failure(self.facts.path(), error)),
        }
    }
}

/// How many slices of a load were loaded before from a later export.
async fn older_slices(connection: &mut SqliteConnection, load_no: i64) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT count(*) FROM slices AS s WHERE s.load_no = ?1 AND EXISTS (
             SELECT 1 FROM slices AS e WHERE e.partner_id = s.partner_id AND e.month = s.month
               AND e.source = s.source AND e.load_no < ?1 AND e.exported_at > s.exported_at)",
    )
    .bind(load_no)
    .fetch_one(connection)
    .await
}

/// What is worth knowing about a load.
fn notes(tail: &Tail, n_older: i64, waits_for_reseller: bool) -> Vec<String> {
    let gathered = &tail.gathered;
    let mut counted: std::collections::BTreeMap<(sqlite::RemarkKind, &str), u64> = std::collections::BTreeMap::new();
    for ((_, _, kind, what), n_rows) in &gathered.remarks {
        *counted.entry((*kind, what)).or_default() += n_rows;
    }
    let mut notes: Vec<String> = counted.into_iter().map(|((kind, what), n)| kind.note(what, n)).collect();
    if gathered.n_rows == 0 {
        notes.push(
            "the file has no rows: Partner Center gives a blank file for a month that it has not filled yet".to_owned(),
        );
    }
    for (column, n) in &gathered.rounded {
        notes.push(format!("{n} values of column `{column}` were finer than a millionth and were rounded"));
    }
    for (product, n) in &gathered.unmapped {
        notes.push(format!("{n} rows of product `{product}`, which the product map does not name"));
    }
    if n_older > 0 {
        notes.push(format!("{n_older} slices were loaded before from a later export; this older one stands now"));
    }
    if waits_for_reseller && gathered.n_rows > 0 {
        notes.push("its rows are shown with the reseller that has their subscription in the same month".to_owned());
    }
    notes
}

/// What tells whether a file was written to.
#[derive(PartialEq, Eq)]
struct Stamp {
    n_bytes: u64,
    modified_at: DateTime<Utc>,
}

impl Stamp {
    async fn of(path: &Path) -> Result<Stamp, IngestError> {
        let failed = |error: std::io::Error| unreadable(path, error.to_string());
        let metadata = tokio::fs::metadata(path).await.map_err(failed)?;
        Ok(Stamp { n_bytes: metadata.len(), modified_at: metadata.modified().map_err(failed)?.into() })
    }
}

fn unreadable(path: &Path, reason: String) -> IngestError {
    IngestError::Unreadable { path: path.display().to_string(), reason }
}

impl From<sqlx::Error> for IngestError {
    fn from(error: sqlx::Error) -> IngestError {
        IngestError::Facts(FactsError::Database(error))
    }
}
