//! A copy of our own tables for a backup, taken while others load, and the proof that a copy is whole.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use sqlx::{ConnectOptions as _, Connection as _};

use super::{SqliteFacts, name_failure, options, primary_code};
use crate::facts::FactsError;

impl SqliteFacts {
    /// Writes a consistent copy of the facts into a file that is not there. Returns the number of its newest
    /// migration.
    ///
    /// # Errors
    /// When the file is there, or can't be written.
    pub async fn back_up(&self, copy: &Path) -> Result<i64, FactsError> {
        let failed = |error| match primary_code(&error) {
            // SQLITE_FULL
            Some(13) => FactsError::NoRoomForCopy { path: copy.display().to_string() },
            _ => name_failure(copy, error),
        };
        let target = copy.to_string_lossy();
        sqlx::query("VACUUM INTO ?1").bind(target.as_ref()).execute(&self.pool).await.map_err(failed)?;
        let version = sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations");
        version.fetch_one(&self.pool).await.map_err(|error| self.failed(error))
    }
}

/// A file out of a backup keeps no log; one that lies beside it is that of the database before, and SQLite would write
/// its pages over the restored ones.
pub(super) fn refuse_log_of_another(path: &Path) -> Result<(), FactsError> {
    /// Where the header says how changes are kept: 1 is a journal, 2 a log (sqlite.org/fileformat.html, 1.3.3).
    const KEPT_AT: usize = 18;
    let log = format!("{}-wal", path.display());
    if std::fs::metadata(&log).map_or(0, |meta| meta.len()) == 0 {
        return Ok(());
    }
    let mut head = [0; KEPT_AT + 1];
    // What can't be read is told by who opens it next.
    let is_read = File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok();
    if is_read && head[KEPT_AT] == 1 {
        return Err(FactsError::LogOfAnother { path: path.display().to_string(), log });
    }
    Ok(())
}

/// Has the database look through all of a copy, and says what it finds wrong; nothing when it is whole.
///
/// # Errors
/// When the file can't be read.
pub async fn prove_copy(copy: &Path) -> Result<Vec<String>, FactsError> {
    let failed = |error| name_failure(copy, error);
    let mut conn = options(copy).read_only(true).connect().await.map_err(failed)?;
    let said: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check").fetch_all(&mut conn).await.map_err(failed)?;
    conn.close().await.map_err(failed)?;
    Ok(said.into_iter().filter(|line| line != "ok").collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::sqlite::migrate::newest;

    #[tokio::test]
    async fn a_copy_of_the_facts_is_one_whole_file_and_damage_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let (path, copy) = (folder.path().join("facts.db"), folder.path().join("copied/facts.db"));
        let facts = SqliteFacts::open(&path, chrono::DateTime::UNIX_EPOCH).await.unwrap();
        assert!(matches!(facts.back_up(&copy).await, Err(FactsError::NotWritable { .. })), "there is no such folder");
        std::fs::create_dir(folder.path().join("copied")).unwrap();
        assert_eq!(facts.back_up(&copy).await.unwrap(), newest());
        assert!(facts.back_up(&copy).await.is_err(), "it is there");
        assert_eq!(prove_copy(&copy).await.unwrap(), Vec::<String>::new());
        assert_eq!(std::fs::read_dir(folder.path().join("copied")).unwrap().count(), 1);
        std::fs::copy(folder.path().join("facts.db-wal"), folder.path().join("copied/facts.db-wal")).unwrap();
        let refused = SqliteFacts::open(&copy, chrono::DateTime::UNIX_EPOCH).await;
        assert!(matches!(refused, Err(FactsError::LogOfAnother { .. })), "{refused:?}");
        std::fs::remove_file(folder.path().join("copied/facts.db-wal")).unwrap();
        let whole = std::fs::read(&copy).unwrap();
        let mut n_found = 0;
        for page in (8192..whole.len()).step_by(8192) {
            let mut damaged = whole.clone();
            damaged[page..page + 4].fill(0x5a);
            std::fs::write(&copy, damaged).unwrap();
            // Some damage keeps the database from being opened at all.
            n_found += prove_copy(&copy).await.map_or(0, |found| {
                assert!(!found.is_empty(), "page at {page}");
                1
            });
        }
        assert!(n_found > 0);
    }
}
