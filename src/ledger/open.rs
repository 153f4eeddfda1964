//! Opening a ledger: made if it is not there, copied and migrated if it is old, refused if it is newer or another's.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqlSafeStr as _, SqliteConnection};
use tokio::sync::OnceCell;

use super::error::primary_code;
use super::lock::{beside, try_lock};
use super::{Ledger, LedgerError, micros};

/// How long a statement, or the opening, waits for another program's lock.
const BUSY_SECS_MAX: u64 = 30;

/// How many may read at once in one process.
const READERS_MAX: u32 = 4;

/// The first bytes of every SQLite file (sqlite.org/fileformat.html, 1.3).
const SQLITE_MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Every migration, in order, by its number and name.
pub(super) const MIGRATIONS: [(i64, &str, &str); 6] = [
    (1, "ledger", include_str!("../../migrations/ledger/0001_ledger.sql")),
    (2, "since", include_str!("../../migrations/ledger/0002_since.sql")),
    (3, "time", include_str!("../../migrations/ledger/0003_time.sql")),
    (4, "phase", include_str!("../../migrations/ledger/0004_phase.sql")),
    (5, "mail", include_str!("../../migrations/ledger/0005_mail.sql")),
    (7, "brakes", include_str!("../../migrations/ledger/0007_brakes.sql")),
];

impl Ledger {
    /// Opens the ledger in a file. One that is not there is made; an older one is brought up to date, after a copy
    /// of it was put beside it as `<file>.before-<number of the migration>`.
    ///
    /// # Errors
    /// When its folder is missing, it is no ledger, is of a newer program, is locked, or can't be written.
    pub async fn open(path: &Path, now: DateTime<Utc>) -> Result<Ledger, LedgerError> {
        let busy = Duration::from_secs(BUSY_SECS_MAX);
        Ledger::open_with(path, &migrator(), busy, now).await
    }

    /// The same with other migrations and another patience.
    pub(super) async fn open_with(
        path: &Path,
        migrator: &Migrator,
        busy: Duration,
        now: DateTime<Utc>,
    ) -> Result<Ledger, LedgerError> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(LedgerError::NoFolder(folder.to_owned()));
        }
        let is_new = is_new(path)?;
        refuse_log_of_another(path)?;
        let opening = wait_for_opening(path, busy).await?;
        if !is_new {
            copy_before_migration(path, migrator, busy).await?;
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .foreign_keys(true)
            .busy_timeout(busy)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .disable_statement_logging();
        let pool = |n| {
            let pool = SqlitePoolOptions::new().max_connections(n).acquire_timeout(busy * 2);
            // Nothing may age: what looks after that in sqlx 0.9.0 may count its idle connections below none, and then never
            // ends, nor does the program (transact-rs/sqlx#3645).
            let pool = pool.max_lifetime(None).idle_timeout(None);
            pool.after_release(|conn, _| Box::pin(is_at_rest(conn)))
        };
        let write = pool(1).connect_with(options.clone()).await.map_err(|error| cannot_open(path, error))?;
        let migrated = migrator.run(&write).await;
        migrated.map_err(|source| LedgerError::Migrate { path: path.to_owned(), source: Box::new(source) })?;
        let made = sqlx::query("INSERT INTO meta (key, value) VALUES ('made_at', $1) ON CONFLICT (key) DO NOTHING");
        made.bind(micros(now).to_string()).execute(&write).await?;
        let read = pool(READERS_MAX).connect_with(options).await?;
        let ledger = Ledger { path: path.to_owned(), write, read, worker: OnceCell::new() };
        // Before anybody else opens it: nothing may be claimed of a restored ledger first.
        ledger.hold_if_restored(now).await?;
        drop(opening);
        Ok(ledger)
    }
}

/// Whether a connection can be used again. A full disk has SQLite end a transaction by itself, and sqlx then takes the
/// connection to be in it for ever and begins no other on it.
async fn is_at_rest(conn: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // After what was still to be rolled back.
    conn.ping().await?;
    Ok(!conn.is_in_transaction())
}

/// The migrations as sqlx runs them.
pub(super) fn migrator() -> Migrator {
    let known = MIGRATIONS.map(|(number, name, sql)| {
        Migration::new(number, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(known.to_vec())
}

/// Whether there is nothing in the file yet; refuses what is no SQLite file.
fn is_new(path: &Path) -> Result<bool, LedgerError> {
    let failed = |source| LedgerError::File { path: path.to_owned(), source };
    let mut file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(failed(error)),
    };
    let mut head = Vec::new();
    file.by_ref().take(SQLITE_MAGIC.len() as u64).read_to_end(&mut head).map_err(failed)?;
    match head.as_slice() {
        [] => Ok(true),
        head if head == SQLITE_MAGIC => Ok(false),
        _ => Err(LedgerError::NotADatabase(path.to_owned())),
    }
}

/// A file out of a backup keeps no log; one that lies beside it is that of the ledger before, and SQLite would write
/// its pages over the restored ones.
fn refuse_log_of_another(path: &Path) -> Result<(), LedgerError> {
    /// Where the header says how changes are kept: 1 is a journal, 2 a log (sqlite.org/fileformat.html, 1.3.3).
    const KEPT_AT: usize = 18;
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let log = PathBuf::from(log);
    if std::fs::metadata(&log).map_or(0, |meta| meta.len()) == 0 {
        return Ok(());
    }
    let failed = |source| LedgerError::File { path: path.to_owned(), source };
    let file = match std::fs::File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        file => file.map_err(failed)?,
    };
    let mut head = Vec::new();
    file.take(KEPT_AT as u64 + 1).read_to_end(&mut head).map_err(failed)?;
    match head.get(KEPT_AT) {
        Some(1) => Err(LedgerError::LogOfAnother { path: path.to_owned(), log }),
        _ => Ok(()),
    }
}

/// Opens one process at a time, so that no two migrate or copy.
async fn wait_for_opening(path: &Path, busy: Duration) -> Result<std::fs::File, LedgerError> {
    const PAUSE: Duration = Duration::from_millis(50);
    let lock = beside(path, "opening");
    for _ in 0..=busy.as_millis() / PAUSE.as_millis() {
        if let Some(file) = try_lock(&lock)? {
            return Ok(file);
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(LedgerError::Locked)
}

/// Looks at what is there without changing it, and copies it if a migration is going to.
async fn copy_before_migration(path: &Path, migrator: &Migrator, busy: Duration) -> Result<(), LedgerError> {
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(busy).disable_statement_logging();
    let mut conn = options.connect().await.map_err(|error| cannot_open(path, error))?;
    let found = version_of(&mut conn, path).await;
    let copied = match found {
        Ok(Some(found)) => copy_if_older(&mut conn, path, migrator, found).await,
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    conn.close().await?;
    copied
}

/// The version of a ledger; none of a database without tables, which is about to become one.
async fn version_of(conn: &mut SqliteConnection, path: &Path) -> Result<Option<i64>, LedgerError> {
    let tables = sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')");
    let tables: Vec<String> = tables.fetch_all(&mut *conn).await.map_err(|error| cannot_open(path, error))?;
    if tables.iter().all(|table| table == "_sqlx_migrations") {
        return Ok(None);
    }
    let not_ours = || LedgerError::NotALedger(path.to_owned());
    if !["_sqlx_migrations", "meta"].iter().all(|ours| tables.iter().any(|table| table == ours)) {
        return Err(not_ours());
    }
    let kind = sqlx::query_scalar("SELECT value FROM meta WHERE key = 'kind'").fetch_optional(&mut *conn).await;
    let kind: Option<String> = kind.map_err(|_| not_ours())?;
    if kind.as_deref() != Some("pressrun ledger") {
        return Err(not_ours());
    }
    Ok(Some(sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations").fetch_one(conn).await?))
}

async fn copy_if_older(
    conn: &mut SqliteConnection,
    path: &Path,
    migrator: &Migrator,
    found: i64,
) -> Result<(), LedgerError> {
    let known = migrator.iter().map(|migration| migration.version).max().unwrap_or_default();
    if found > known {
        return Err(LedgerError::Newer { path: path.to_owned(), found, known });
    }
    let Some(next) = migrator.iter().map(|migration| migration.version).filter(|version| *version > found).min() else {
        return Ok(());
    };
    let copy = beside(path, &format!("before-{next}"));
    let part = beside(&copy, "part");
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| LedgerError::File { path, source }
    };
    if part.exists() {
        std::fs::remove_file(&part).map_err(failed(&part))?;
    }
    let target = part.to_str().ok_or_else(|| failed(&part)(std::io::ErrorKind::InvalidFilename.into()))?;
    sqlx::query("VACUUM INTO $1").bind(target).execute(conn).await?;
    std::fs::File::open(&part).and_then(|file| file.sync_all()).map_err(failed(&part))?;
    // A copy of an earlier try gives way: the ledger is still as it was before this migration, and may have more.
    std::fs::rename(&part, &copy).map_err(failed(&copy))?;
    sync_folder(&copy).map_err(failed(&copy))?;
    tracing::info!(ledger.version = found, ledger.copy = %copy.display(), "copied the ledger before a migration");
    Ok(())
}

/// Makes a rename last. Only Unix lets a folder be opened for that.
fn sync_folder(file: &Path) -> std::io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder: PathBuf = folder.map_or_else(|| PathBuf::from("."), Path::to_owned);
    if cfg!(unix) { std::fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

fn cannot_open(path: &Path, error: sqlx::Error) -> LedgerError {
    match primary_code(&error) {
        // 26: the header is right, the rest is not.
        Some(26) => LedgerError::NotADatabase(path.to_owned()),
        // 14 and 8: can't open, read-only.
        Some(14 | 8) => {
            let source = std::io::Error::other(error.to_string());
            LedgerError::File { path: path.to_owned(), source }
        }
        _ => error.into(),
    }
}
