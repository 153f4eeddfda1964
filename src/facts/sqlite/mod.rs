//! Facts in SQLite: our own tables, a view of the user's own, and recipients from a relation.

mod backup;
mod burst;
mod choice;
mod directory;
mod lacking;
mod migrate;
mod order;
mod queries;
mod recipients;
mod rows;
mod summary;
mod view;
mod view_burst;
mod view_values;

#[cfg(test)]
pub(super) mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use futures::future::BoxFuture;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Row, SqlitePool};
use tokio::sync::mpsc;

pub use backup::prove_copy;
pub(super) use choice::{RemarkKind, carried_bit};
pub use recipients::{RecipientRow, read_recipients};
pub use summary::{FactsSummary, UnmappedProduct};
pub use view::SqliteView;

use super::{
    BURST_PARTNERS_AHEAD, BurstRequest, DataSet, DirectoryEntry, FactSource, FactsError, Lacking, PartnerFacts,
};
use crate::audience::Partner;
use crate::base::Month;

/// How long a statement waits for another program's lock.
const LOCK_WAIT_SECS: u64 = 5;

/// How many connections read at once.
const CONNECTIONS_MAX: u32 = 8;

/// Our own tables: loads, their slices and facts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SqliteFacts {
    pool: SqlitePool,
    path: PathBuf,
}

impl SqliteFacts {
    /// Opens the database, makes it if it is not there, and brings it to this program's version.
    ///
    /// An older database is copied to `<file>.before-<version>` before it is changed. `now` is the instant that
    /// its version is recorded with.
    ///
    /// # Errors
    /// When it is locked, of a newer program, or not writable.
    pub async fn open(path: &Path, now: DateTime<Utc>) -> Result<SqliteFacts, FactsError> {
        // The file is made with larger pages: facts are read in long runs.
        let fresh = options(path).create_if_missing(true).page_size(8192);
        SqliteFacts::connect(path, fresh.journal_mode(SqliteJournalMode::Wal), Some(now)).await
    }

    /// Opens a database that must be there already, and brings it to this program's version.
    ///
    /// # Errors
    /// [`FactsError::Missing`] when it is not there, else as [`SqliteFacts::open`].
    pub async fn open_existing(path: &Path) -> Result<SqliteFacts, FactsError> {
        require(path)?;
        SqliteFacts::connect(path, options(path).journal_mode(SqliteJournalMode::Wal), None).await
    }

    async fn connect(
        path: &Path,
        options: SqliteConnectOptions,
        now: Option<DateTime<Utc>>,
    ) -> Result<SqliteFacts, FactsError> {
        backup::refuse_log_of_another(path)?;
        // As the ledger's: what looks after connections that age may never end (transact-rs/sqlx#3645).
        let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS_MAX).max_lifetime(None).idle_timeout(None);
        let pool = pool.connect_with(options).await;
        let pool = pool.map_err(|error| name_failure(path, error))?;
        migrate::migrate(&pool, path, now).await?;
        Ok(SqliteFacts { pool, path: path.to_owned() })
    }

    /// Where the database is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    fn failed(&self, error: sqlx::Error) -> FactsError {
        name_failure(&self.path, error)
    }

    async fn newest(&self) -> Result<u64, FactsError> {
        let newest: i64 = sqlx::query_scalar("SELECT load_no FROM load_counter")
            .fetch_one(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(u64::try_from(newest).unwrap_or_default())
    }

    async fn partners_of(&self, data: &DataSet) -> Result<Vec<Partner>, FactsError> {
        let load_no = load_no_of(data)?;
        let rows = sqlx::query(
            "SELECT s.partner_id, n.name FROM (SELECT DISTINCT partner_id FROM slices WHERE load_no <= ?1) AS s
             LEFT JOIN partner_names AS n ON n.partner_id = s.partner_id AND n.load_no <= ?1
             ORDER BY s.partner_id, n.month, n.load_no",
        )
        .bind(load_no)
        .fetch_all(&self.pool)
        .await
        .map_err(|error| self.failed(error))?;
        let locations = sqlx::query(
            "SELECT partner_id, location_id, name FROM location_names WHERE load_no <= ?1
             ORDER BY partner_id, month, load_no",
        )
        .bind(load_no)
        .fetch_all(&self.pool)
        .await
        .map_err(|error| self.failed(error))?;
        let mut partners: Vec<Partner> = Vec::new();
        for row in rows {
            named(&mut partners, row.try_get(0)?, row.try_get(1)?);
        }
        for row in locations {
            let id: &str = row.try_get(0)?;
            if let Ok(n) = partners.binary_search_by(|partner| partner.id.as_str().cmp(id)) {
                partners[n].locations.insert(row.try_get(1)?, row.try_get(2)?);
            }
        }
        Ok(partners)
    }
}

/// Adds a partner, or gives the one that was added last its newer name.
fn named(partners: &mut Vec<Partner>, id: String, name: Option<String>) {
    match partners.last_mut().filter(|last| last.id == id) {
        Some(last) => last.name = name.unwrap_or_else(|| last.name.clone()),
        None => partners.push(Partner {
            name: name.unwrap_or_else(|| id.clone()),
            id,
            locations: std::collections::BTreeMap::new(),
        }),
    }
}

impl FactSource for SqliteFacts {
    fn pin(&self, _: DateTime<Utc>) -> BoxFuture<'_, Result<DataSet, FactsError>> {
        Box::pin(async {
            match self.newest().await? {
                0 => Err(FactsError::Empty),
                newest => Ok(DataSet::Loads(newest)),
            }
        })
    }

    fn newest_load(&self) -> BoxFuture<'_, Result<Option<u64>, FactsError>> {
        Box::pin(async { self.newest().await.map(Some) })
    }

    fn lacking<'a>(&'a self, request: &'a BurstRequest) -> BoxFuture<'a, Result<Lacking, FactsError>> {
        Box::pin(lacking::of_tables(self, request))
    }

    fn partners<'a>(&'a self, data: &'a DataSet) -> BoxFuture<'a, Result<Vec<Partner>, FactsError>> {
        Box::pin(self.partners_of(data))
    }

    fn directory(&self, data: DataSet) -> mpsc::Receiver<Result<Vec<DirectoryEntry>, FactsError>> {
        let (sender, receiver) = mpsc::channel(directory::BATCHES_AHEAD);
        let facts = self.clone();
        tokio::spawn(async move { directory::of_tables(&facts, &data, &sender).await });
        receiver
    }

    fn burst(&self, request: BurstRequest) -> mpsc::Receiver<Result<PartnerFacts, FactsError>> {
        let (sender, receiver) = mpsc::channel(BURST_PARTNERS_AHEAD);
        let facts = self.clone();
        tokio::spawn(async move { burst::run(&facts, request, &sender).await });
        receiver
    }
}

/// The load number of a data set of our own tables.
fn load_no_of(data: &DataSet) -> Result<i64, FactsError> {
    match data {
        DataSet::Loads(load_no) => Ok(i64::try_from(*load_no).unwrap_or(i64::MAX)),
        DataSet::View { .. } => Err(other_kind("the data set is one of a view, not of our own tables")),
    }
}

fn other_kind(what: &str) -> FactsError {
    FactsError::Database(sqlx::Error::Protocol(what.to_owned()))
}

/// How every connection of ours is made.
pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(Duration::from_secs(LOCK_WAIT_SECS))
        // A run is pinned to a load number: once told, it must survive a power cut.
        .synchronous(SqliteSynchronous::Full)
        .pragma("temp_store", "memory")
        .row_buffer_size(1024)
}

/// A database of the user's own, which is never written to.
fn read_only(path: &Path) -> SqliteConnectOptions {
    options(path).read_only(true)
}

fn require(path: &Path) -> Result<(), FactsError> {
    match path.is_file() {
        true => Ok(()),
        false => Err(FactsError::Missing { path: path.display().to_string() }),
    }
}

/// Tells what a database failed by, where its caller can do something about it.
pub(super) fn name_failure(path: &Path, error: sqlx::Error) -> FactsError {
    let path = path.display().to_string();
    match primary_code(&error) {
        // SQLITE_BUSY and SQLITE_LOCKED
        Some(5 | 6) => FactsError::Locked { path },
        // SQLITE_PERM, SQLITE_READONLY and SQLITE_CANTOPEN
        Some(3 | 8 | 14) => FactsError::NotWritable { path },
        // SQLITE_NOTADB
        Some(26) => FactsError::NotADatabase { path },
        _ => FactsError::Database(error),
    }
}

/// SQLite's primary result code, as its list of result codes has them.
pub(super) fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let code = match error {
        sqlx::Error::Database(error) => error.code()?,
        sqlx::Error::Migrate(error) => match error.as_ref() {
            sqlx::migrate::MigrateError::Execute(error) => return primary_code(error),
            sqlx::migrate::MigrateError::ExecuteMigration(error, _) => return primary_code(error),
            _ => return None,
        },
        _ => return None,
    };
    // An extended code has its primary one in its lowest byte.
    code.parse::<i32>().ok().map(|code| code & 0xff)
}

/// A month as the tables have it: 202610.
pub(super) fn month_number(month: Month) -> i64 {
    i64::from(month.year()) * 100 + i64::from(month.number())
}

/// The month of such a number.
pub(super) fn month_of(number: i64) -> Option<Month> {
    Month::new(i32::try_from(number / 100).ok()?, u32::try_from(number % 100).ok()?)
}

/// An instant as the tables have it: RFC 3339 in UTC, to the second.
pub(super) fn instant_text(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The instant of such a text.
pub(super) fn instant_of(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|instant| instant.to_utc())
}
