//! Brings a facts database to the version of this program, after a copy of what it changes.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlitePool};

use super::{instant_text, name_failure};
use crate::facts::FactsError;

/// A migration: its version, its name, its SQL.
type Step = (i64, &'static str, &'static str);

/// Every migration, oldest first.
const STEPS: [Step; 2] = [
    (1, "facts", include_str!("../../../migrations/facts/0001_facts.sql")),
    (2, "reexported", include_str!("../../../migrations/facts/0002_reexported.sql")),
];

/// The version of this program.
#[cfg(test)]
pub(super) fn newest() -> i64 {
    STEPS.iter().map(|(version, _, _)| *version).max().unwrap_or(0)
}

/// The version that a database has; none when it was never migrated.
async fn found_version(pool: &SqlitePool) -> Result<Option<i64>, sqlx::Error> {
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations'")
            .fetch_one(pool)
            .await?;
    if tables == 0 {
        return Ok(None);
    }
    sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations").fetch_one(pool).await
}

/// Brings a database to the version of this program; what is changed is copied to `<file>.before-<version>` first.
///
/// A database of a newer program is refused before anything is changed.
pub(super) async fn migrate(pool: &SqlitePool, path: &Path, now: Option<DateTime<Utc>>) -> Result<(), FactsError> {
    migrate_by(pool, path, &STEPS, now).await
}

async fn migrate_by(
    pool: &SqlitePool,
    path: &Path,
    steps: &[Step],
    now: Option<DateTime<Utc>>,
) -> Result<(), FactsError> {
    let found = found_version(pool).await.map_err(|error| name_failure(path, error))?;
    let known = steps.iter().map(|(version, _, _)| *version).max().unwrap_or(0);
    match found {
        Some(found) if found > known => {
            return Err(FactsError::Newer { path: path.display().to_string(), found, known });
        }
        // Also then the migrator looks whether it is a database of ours.
        Some(found) if found == known => {}
        Some(_) => copy(pool, path, known).await.map_err(|error| name_failure(path, error))?,
        None => {}
    }
    let migrations = steps.iter().map(|(version, name, sql)| {
        Migration::new(*version, (*name).into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    let migrated = Migrator::with_migrations(migrations.collect()).run(pool).await;
    migrated.map_err(|error| name_failure(path, error.into()))?;
    if let Some(now) = now.filter(|_| found != Some(known)) {
        // The migrator lets the database tell the time; here nothing but the caller's clock does.
        sqlx::query("UPDATE _sqlx_migrations SET installed_on = ?1 WHERE version > ?2")
            .bind(instant_text(now))
            .bind(found.unwrap_or(0))
            .execute(pool)
            .await
            .map_err(|error| name_failure(path, error))?;
    }
    Ok(())
}

/// A consistent copy beside the file; one that an earlier try left is not overwritten.
async fn copy(pool: &SqlitePool, path: &Path, version: i64) -> Result<(), sqlx::Error> {
    let beside = |ending: String| -> PathBuf {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        name.into()
    };
    let mut copied = beside(format!(".before-{version}"));
    let mut n = 2;
    while copied.exists() {
        copied = beside(format!(".before-{version}.{n}"));
        n += 1;
    }
    let literal = copied.to_string_lossy().replace('\'', "''");
    sqlx::query(AssertSqlSafe(format!("VACUUM INTO '{literal}'"))).execute(pool).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::sqlite::options;

    const OLD: Step = (1, "old", "CREATE TABLE kept (n BIGINT); INSERT INTO kept VALUES (7);");
    const NEW: Step = (2, "new", "UPDATE kept SET n = 8;");

    async fn kept(path: &Path) -> i64 {
        let pool = SqlitePool::connect_with(options(path)).await.unwrap();
        sqlx::query_scalar("SELECT n FROM kept").fetch_one(&pool).await.unwrap()
    }

    #[tokio::test]
    async fn a_database_of_a_newer_program_is_refused_and_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("facts.db");
        let pool = SqlitePool::connect_with(options(&path).create_if_missing(true)).await.unwrap();
        migrate_by(&pool, &path, &[OLD, NEW, (9, "newer", "SELECT 1")], None).await.unwrap();
        let refused = migrate(&pool, &path, None).await;
        assert!(matches!(refused, Err(FactsError::Newer { found: 9, known: 2, .. })), "{refused:?}");
        let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_master WHERE name = 'facts'")
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(tables, 0);
    }

    #[tokio::test]
    async fn a_database_of_something_else_is_not_taken_for_ours() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.db");
        let pool = SqlitePool::connect_with(options(&path).create_if_missing(true)).await.unwrap();
        migrate_by(&pool, &path, &[OLD], None).await.unwrap();
        assert!(migrate(&pool, &path, None).await.is_err());
    }

    #[tokio::test]
    async fn what_a_migration_changes_is_copied_first_and_no_copy_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it's.db");
        let pool = SqlitePool::connect_with(options(&path).create_if_missing(true)).await.unwrap();
        migrate_by(&pool, &path, &[OLD], None).await.unwrap();
        assert!(!folder.path().join("it's.db.before-1").exists(), "a new database needs no copy");
        std::fs::write(folder.path().join("it's.db.before-2"), "mine").unwrap();
        migrate_by(&pool, &path, &[OLD, NEW], None).await.unwrap();
        assert_eq!(std::fs::read(folder.path().join("it's.db.before-2")).unwrap(), b"mine");
        assert_eq!((kept(&path).await, kept(&folder.path().join("it's.db.before-2.2")).await), (8, 7));
        migrate_by(&pool, &path, &[OLD, NEW], None).await.unwrap();
        assert!(!folder.path().join("it's.db.before-2.3").exists());
    }
}
