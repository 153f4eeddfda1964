//! Who is alive: locks on files beside the ledger, which the system takes back when a process ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use sqlx::{Row as _, SqliteConnection};

use super::{Ledger, LedgerError, micros};

/// How often the daemon's lock is tried.
const ASKING_TRIES_MAX: u32 = 5;

/// The one daemon's hold on a ledger; it ends with this value, or with the process.
#[derive(Debug)]
pub struct DaemonLock {
    _file: File,
}

/// By which configuration a daemon works.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct DaemonState {
    /// The configuration's digest.
    pub config_digest: String,
    /// When it was last told to read it.
    pub at: DateTime<Utc>,
    /// What was wrong with a newer configuration, which was not taken over.
    pub refused: Option<String>,
}

/// This process among those that claim.
pub(super) struct Worker {
    id: i64,
    path: PathBuf,
    _file: File,
}

impl Worker {
    pub(super) fn id(&self) -> i64 {
        self.id
    }

    /// Removes the lock's file; numbers are never given again, so nobody misses it.
    pub(super) fn remove_file(&self) {
        // A file that stays behind is an unlocked one of an ended worker, which nobody asks about.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Ledger {
    /// Makes this process the one daemon of the ledger for as long as the lock is kept.
    ///
    /// # Errors
    /// [`LedgerError::DaemonRuns`] when there is one already.
    pub fn daemon_lock(&self) -> Result<DaemonLock, LedgerError> {
        match self.try_daemon_lock()? {
            Some(mut file) => {
                let failed = |source| LedgerError::File { path: beside(&self.path, "daemon"), source };
                file.set_len(0).map_err(failed)?;
                file.write_all(std::process::id().to_string().as_bytes()).map_err(failed)?;
                Ok(DaemonLock { _file: file })
            }
            None => Err(LedgerError::DaemonRuns(self.path.clone())),
        }
    }

    /// The process of the daemon that works on the ledger; none when none does.
    ///
    /// # Errors
    /// When its lock can't be looked at.
    pub fn daemon_pid(&self) -> Result<Option<u32>, LedgerError> {
        let path = beside(&self.path, "daemon");
        let failed = |source| LedgerError::File { path: path.clone(), source };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        // Shared, so that two that ask do not take each other for a daemon.
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(std::fs::read_to_string(&path).map_err(failed)?.trim().parse().ok()),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// The daemon's lock. One who only asks for the daemon holds it for a moment: that is waited for.
    fn try_daemon_lock(&self) -> Result<Option<File>, LedgerError> {
        for _ in 0..ASKING_TRIES_MAX {
            let locked = try_lock(&beside(&self.path, "daemon"))?;
            if locked.is_some() {
                return Ok(locked);
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Ok(None)
    }

    /// Writes down by which configuration the daemon works.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn set_daemon_state(&self, state: &DaemonState) -> Result<(), LedgerError> {
        let set = sqlx::query(
            "INSERT INTO meta (key, value) VALUES ('daemon', $1) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        );
        set.bind(serde_json::to_string(state).unwrap_or_default()).execute(&self.write).await?;
        Ok(())
    }

    /// By which configuration the daemon works, or the last one did.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn daemon_state(&self) -> Result<Option<DaemonState>, LedgerError> {
        let value = sqlx::query_scalar("SELECT value FROM meta WHERE key = 'daemon'");
        let value: Option<String> = value.fetch_optional(&self.read).await?;
        Ok(value.and_then(|value| serde_json::from_str(&value).ok()))
    }

    /// The number of this process as a worker; the first call takes the next number and locks its file.
    pub(super) async fn worker_id(&self, now: DateTime<Utc>) -> Result<i64, LedgerError> {
        let worker = self.worker.get_or_try_init(|| async {
            let mut tx = self.begin().await?;
            let id = sqlx::query("UPDATE counter SET last = last + 1 WHERE name = 'worker' RETURNING last");
            let id: i64 = id.fetch_one(&mut *tx).await?.try_get(0)?;
            let path = worker_path(&self.path, id);
            // Locked before the row can be seen: else another would take the lock and think this one dead.
            let file = try_lock(&path)?.ok_or(LedgerError::Locked)?;
            let row = sqlx::query("INSERT INTO worker (id, started_at) VALUES ($1, $2)").bind(id).bind(micros(now));
            row.execute(&mut *tx).await?;
            tx.commit().await?;
            Ok::<_, LedgerError>(Worker { id, path, _file: file })
        });
        Ok(worker.await?.id)
    }

    /// Finds the workers that are dead, and writes it down.
    pub(super) async fn bury_dead_workers(&self, now: DateTime<Utc>) -> Result<Vec<i64>, LedgerError> {
        let own = self.worker.get().map(Worker::id);
        let alive = sqlx::query_scalar("SELECT id FROM worker WHERE ended_at IS NULL ORDER BY id");
        let alive: Vec<i64> = alive.fetch_all(&self.read).await?;
        let mut dead = Vec::new();
        for id in alive.into_iter().filter(|id| Some(*id) != own) {
            let path = worker_path(&self.path, id);
            // A file that is gone is that of a ledger brought here from elsewhere: its process is not here.
            let gone = !path.exists();
            let lock = if gone { None } else { try_lock(&path)? };
            if gone || lock.is_some() {
                let mut tx = self.begin().await?;
                mark_ended(&mut tx, id, micros(now)).await?;
                tx.commit().await?;
                let _ = std::fs::remove_file(&path);
                dead.push(id);
            }
        }
        Ok(dead)
    }
}

/// Writes down that a worker is no more; what it held is up for the reaper.
pub(super) async fn mark_ended(conn: &mut SqliteConnection, id: i64, at: i64) -> Result<(), LedgerError> {
    let ended = sqlx::query("UPDATE worker SET ended_at = $1 WHERE id = $2 AND ended_at IS NULL");
    ended.bind(at).bind(id).execute(conn).await?;
    Ok(())
}

/// The lock on a file, which is made if need be; none when another holds it.
pub(super) fn try_lock(path: &Path) -> Result<Option<File>, LedgerError> {
    let failed = |source| LedgerError::File { path: path.to_owned(), source };
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// A file beside the ledger: its name, a dot, and a suffix.
pub(super) fn beside(ledger: &Path, suffix: &str) -> PathBuf {
    let mut name = ledger.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

fn worker_path(ledger: &Path, id: i64) -> PathBuf {
    beside(ledger, &format!("worker-{id}"))
}
