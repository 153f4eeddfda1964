//! A copy of the ledger for a backup, taken while others write, and the proof that a copy is whole.

use std::path::Path;

use chrono::{DateTime, Utc};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::error::primary_code;
use super::restore::BACKUP_OF;
use super::{Ledger, LedgerError, micros};

impl Ledger {
    /// Writes a consistent copy of the ledger into a file that is not there, and marks the copy as a backup of `now`:
    /// who opens it knows that it was restored. Returns the number of its newest migration.
    ///
    /// # Errors
    /// When the file is there, or can't be written.
    pub async fn back_up(&self, copy: &Path, now: DateTime<Utc>) -> Result<i64, LedgerError> {
        let failed = |error| cannot_copy(copy, error);
        let target = copy.to_str().ok_or_else(|| file_error(copy, std::io::ErrorKind::InvalidFilename.into()))?;
        sqlx::query("VACUUM INTO $1").bind(target).execute(&self.read).await.map_err(failed)?;
        let mut conn = open_copy(copy, false).await.map_err(failed)?;
        let version = mark(&mut conn, now).await.map_err(failed)?;
        conn.close().await.map_err(failed)?;
        Ok(version)
    }
}

async fn mark(conn: &mut SqliteConnection, now: DateTime<Utc>) -> Result<i64, sqlx::Error> {
    let mark = sqlx::query(
        "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    );
    mark.bind(BACKUP_OF).bind(micros(now).to_string()).execute(&mut *conn).await?;
    sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations").fetch_one(conn).await
}

/// Has the database look through all of a copy, and says what it finds wrong; nothing when it is whole.
///
/// # Errors
/// When the file can't be read.
pub async fn prove_copy(copy: &Path) -> Result<Vec<String>, LedgerError> {
    let failed = |error| cannot_copy(copy, error);
    let mut conn = open_copy(copy, true).await.map_err(failed)?;
    let said: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check").fetch_all(&mut conn).await.map_err(failed)?;
    conn.close().await.map_err(failed)?;
    Ok(said.into_iter().filter(|line| line != "ok").collect())
}

/// Opens a copy without a log beside it: one file is all there is of it.
async fn open_copy(copy: &Path, read_only: bool) -> Result<SqliteConnection, sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(copy).read_only(read_only).disable_statement_logging();
    let options = if read_only { options } else { options.journal_mode(SqliteJournalMode::Delete) };
    options.connect().await
}

fn file_error(copy: &Path, source: std::io::Error) -> LedgerError {
    LedgerError::File { path: copy.to_owned(), source }
}

/// It is the copy's place that has no room, not the ledger's.
fn cannot_copy(copy: &Path, error: sqlx::Error) -> LedgerError {
    match primary_code(&error) {
        // 13 and 14: full, can't open.
        Some(13) => LedgerError::NoRoomForCopy(copy.to_owned()),
        Some(14) => file_error(copy, std::io::Error::other(error.to_string())),
        _ => error.into(),
    }
}
