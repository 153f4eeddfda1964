//! What was planned, made and sent: the database of runs, editions, deliveries and attempts, which is also the queue.
//!
//! Workers claim rows under a lease and a fence. A worker that dies loses its leases, and the fence keeps a late
//! one from writing. Every move of a row is in the one table of [`moves`], is checked in the statement that makes
//! it, and is written down with its reason.

mod backup;
mod brake;
mod delivery;
mod digest;
mod earlier;
mod edition;
mod era;
mod error;
mod hand;
mod lock;
mod metrics;
mod open;
mod plan;
mod query;
mod reap;
mod release;
mod restore;
mod row;
mod run;
mod skip;
mod state;
mod step;

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use sqlx::sqlite::{Sqlite, SqlitePool};
use tokio::sync::OnceCell;

pub use backup::prove_copy;
pub use brake::{BrakeRow, LOOKED_AT_FIRST, Looked};
pub use delivery::{Claimed, DeliveryClaim, Retries, Room, UncertainRule};
pub use digest::{DigestClaim, DigestId, DigestRow, DigestWhen, NewDigest, Rest};
pub use earlier::EarlierRow;
pub use edition::{EDITION_ATTEMPTS_MAX, EDITION_BROKEN_OFF_MAX, EditionClaim, EditionOutcome, Measured};
pub use era::{Era, EraChange};
pub use error::LedgerError;
pub use hand::Settled;
pub use lock::{DaemonLock, DaemonState};
pub use plan::{Beginning, EDITIONS_MAX, NewDelivery, NewEdition, NewExclusion, NewRun, Planned, RECIPIENTS_MAX};
pub use query::{Counts, DeliveriesOf, ExclusionRow, MoveRow, Page, ROWS_MAX, UNCERTAIN_ROWS_MAX};
pub use reap::Reaped;
pub use release::{HeldRun, Released};
pub use row::{AttemptRow, DeliveryId, DeliveryRow, EditionRow, RunId, RunRow};
pub use run::Waits;
pub use skip::LeftOut;
pub use state::{DeliveryState, EditionState, RunState, moves};

use lock::Worker;

/// The most rows that one claim takes.
pub const CLAIMS_MAX: usize = 500;

/// The ledger in one SQLite file. Cheap to share behind an `Arc`; any number of processes may open the same file.
pub struct Ledger {
    path: PathBuf,
    /// One connection: writers of one process wait for each other here, not in the database.
    write: SqlitePool,
    read: SqlitePool,
    worker: OnceCell<Worker>,
}

impl Ledger {
    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Ends this process's part in it in good order; without this the next process finds it dead and reaps it.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn close(self, now: DateTime<Utc>) -> Result<(), LedgerError> {
        if let Some(worker) = self.worker.get() {
            let mut tx = self.begin().await?;
            lock::mark_ended(&mut tx, worker.id(), micros(now)).await?;
            tx.commit().await?;
            worker.remove_file();
        }
        self.read.close().await;
        self.write.close().await;
        Ok(())
    }

    /// A transaction that may write from its first statement on, so that what it read stays true until it commits.
    async fn begin(&self) -> Result<sqlx::Transaction<'static, Sqlite>, LedgerError> {
        Ok(self.write.begin_with("BEGIN IMMEDIATE").await?)
    }
}

/// Never shows a connection.
impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").field("path", &self.path).finish_non_exhaustive()
    }
}

/// An instant as the database holds it: whole microseconds since 1970-01-01 UTC.
fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

#[cfg(test)]
mod tests;
