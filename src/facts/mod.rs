//! License facts: reads a data set once and hands out one audience's facts at a time.

mod attach;
mod coverage;
mod fact;
pub mod ingest;
mod lacking;
mod products;
pub mod sample;
mod source;
mod sqlite;
mod visible;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use tokio::sync::mpsc;

pub use coverage::{Carried, Coverage, Export, MonthCoverage};
pub use fact::{Fact, Measure, Measures};
pub use lacking::{Lack, Lacking};
pub use products::{ProductMap, ProductMapError};
pub use sqlite::{FactsSummary, RecipientRow, SqliteFacts, SqliteView, UnmappedProduct, prove_copy, read_recipients};
pub use visible::{AudienceFacts, Visible};

use crate::audience::Partner;
use crate::base::{Digest, Month};

/// Where facts come from: reads a pinned data set, many partners a query, in partner order.
pub trait FactSource: Send + Sync {
    /// Pins what there is now, so that a run reads the same however often it restarts.
    ///
    /// # Errors
    /// When the database is missing, locked, of another version or empty.
    fn pin(&self, now: DateTime<Utc>) -> BoxFuture<'_, Result<DataSet, FactsError>>;

    /// The number of the newest load, by which it is seen cheaply that something came in; none for a source that has
    /// no loads.
    ///
    /// # Errors
    /// As [`FactSource::pin`], but for an empty one, which has 0.
    fn newest_load(&self) -> BoxFuture<'_, Result<Option<u64>, FactsError>>;

    /// What keeps these months of these partners from being full: a month is when each of its slices was exported on
    /// or after the closing day of the next month, and every source of the month before has one.
    ///
    /// # Errors
    /// As [`FactSource::pin`].
    fn lacking<'a>(&'a self, request: &'a BurstRequest) -> BoxFuture<'a, Result<Lacking, FactsError>>;

    /// The partners of a data set with their locations, in the order of their ids.
    ///
    /// # Errors
    /// As [`FactSource::pin`].
    fn partners<'a>(&'a self, data: &'a DataSet) -> BoxFuture<'a, Result<Vec<Partner>, FactsError>>;

    /// Streams who and what stands beside each partner of a data set: its names, its locations and its customers, each
    /// as its rows have it, in no order, perhaps more than once.
    ///
    /// It may know more than the data set, never less: names are looked for by it, nothing is shown. An error ends
    /// the stream.
    fn directory(&self, data: DataSet) -> mpsc::Receiver<Result<Vec<DirectoryEntry>, FactsError>>;

    /// Streams the facts of these partners, in the order of their ids.
    ///
    /// Each partner of the list is handed out exactly once, also one without facts. The reader waits while
    /// `BURST_PARTNERS_AHEAD` partners are unread. An error ends the stream.
    fn burst(&self, request: BurstRequest) -> mpsc::Receiver<Result<PartnerFacts, FactsError>>;
}

/// How many partners the reader is ahead of those who work.
pub const BURST_PARTNERS_AHEAD: usize = 4;

/// How many facts are handed over at once.
pub const BATCH_FACTS_MAX: usize = 1024;

/// How many entries of a directory are handed over at once.
pub const DIRECTORY_ENTRIES_A_BATCH_MAX: usize = 1024;

/// What one row says of a partner besides figures; what it does not say is none.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct DirectoryEntry {
    /// The partner.
    pub partner_id: String,
    /// Its name.
    pub partner_name: Option<String>,
    /// One of its location accounts.
    pub location_id: Option<String>,
    /// Its name.
    pub location_name: Option<String>,
    /// The tenant of a customer that it has at that location.
    pub customer_id: Option<String>,
    /// The customer's name: personal data.
    pub customer_name: Option<String>,
}

/// What a burst is to read.
#[derive(Clone, Debug)]
pub struct BurstRequest {
    /// From which data set.
    pub data: DataSet,
    /// Of which partners, by id.
    pub partner_ids: Vec<String>,
    /// From this month; ask one month before the range, since adds may be derived from it.
    pub first: Month,
    /// To this month.
    pub last: Month,
    /// The day of the next month from which on a month counts as full (1 to 28).
    pub closing_day: u32,
}

/// A pinned data set.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataSet {
    /// Of our own tables: for each slice, the newest load not above this number.
    Loads(u64),
    /// Of a view of the user's own: the digest of its rows, and the instant it was read, which stands for
    /// its export date.
    View {
        /// Of all rows, in their order.
        digest: Digest,
        /// When it was pinned.
        read_at: DateTime<Utc>,
    },
}

/// One partner's facts, and nothing of any other: a stream in the order month, license key, attach rank.
pub struct PartnerFacts {
    /// The partner.
    pub partner: Partner,
    /// Which measures the source carries, month by month.
    pub coverage: Coverage,
    /// Its facts in batches of at most [`BATCH_FACTS_MAX`].
    pub batches: mpsc::Receiver<Result<Vec<Fact>, FactsError>>,
}

/// What can go wrong with facts.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    /// The database is not there.
    #[error("no facts database at `{path}`")]
    Missing {
        /// Its path.
        path: String,
    },
    /// Another program holds it.
    #[error("facts database `{path}` is locked by another program")]
    Locked {
        /// Its path.
        path: String,
    },
    /// It cannot be opened or written to: its owner, its folder, or how it is mounted.
    #[error("facts database `{path}` cannot be opened or written to")]
    NotWritable {
        /// Its path.
        path: String,
    },
    /// The file is something else.
    #[error("`{path}` is no SQLite database")]
    NotADatabase {
        /// Its path.
        path: String,
    },
    /// A log lies beside a file that came out of a backup.
    #[error(
        "facts database `{path}` is a restored one, and `{log}` beside it belongs to the one before; hint: see that no \
         daemon runs, and remove the files in `-wal` and `-shm` beside it"
    )]
    LogOfAnother {
        /// Its path.
        path: String,
        /// The log.
        log: String,
    },
    /// The disk that a copy is to stand on is full.
    #[error("no space is left for a copy of the facts at `{path}`; hint: make room there, or name another place")]
    NoRoomForCopy {
        /// The copy.
        path: String,
    },
    /// It was made by a newer program.
    #[error("facts database `{path}` has version {found}, this program knows up to {known}")]
    Newer {
        /// Its path.
        path: String,
        /// The version it has.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The database has no such table or view.
    #[error("database `{path}` has no table or view `{view}`")]
    MissingView {
        /// The database.
        path: String,
        /// The table or view.
        view: String,
    },
    /// The user's view has other rows than those that were pinned.
    #[error("view `{view}` has changed since it was pinned: its rows have digest {found}, pinned was {pinned}")]
    Changed {
        /// The view.
        view: String,
        /// What was pinned.
        pinned: Digest,
        /// What is there now.
        found: Digest,
    },
    /// The user's view has not what a canonical relation must have.
    #[error("view `{view}` has no column `{column}`, which it must have")]
    MissingColumn {
        /// The view.
        view: String,
        /// The column.
        column: String,
    },
    /// A value of the user's view cannot be read.
    #[error("view `{view}`, column `{column}`: {reason}")]
    BadValue {
        /// The view.
        view: String,
        /// The column.
        column: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is nothing in it yet.
    #[error("there are no facts yet")]
    Empty,
    /// The database said no.
    #[error("facts database: {0}")]
    Database(#[from] sqlx::Error),
}
