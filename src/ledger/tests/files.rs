//! The ledger's file: made, copied before it changes, refused when newer.

use std::time::Duration as StdDuration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{ConnectOptions as _, Connection as _, SqlSafeStr as _};

use super::*;

fn migration(number: i64, name: &'static str, sql: &'static str) -> Migration {
    Migration::new(number, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
}

/// This program's migrations and one of a newer program.
fn newer() -> Migrator {
    let mut all: Vec<_> = open::MIGRATIONS.iter().map(|(number, name, sql)| migration(*number, name, sql)).collect();
    all.push(migration(9001, "tomorrow", "ALTER TABLE run ADD COLUMN colour TEXT; DELETE FROM era;"));
    Migrator::with_migrations(all)
}

async fn open_newer(desk: &Desk) -> Result<Ledger, LedgerError> {
    Ledger::open_with(&desk.path(), &newer(), StdDuration::from_secs(5), at(0)).await
}

#[tokio::test]
async fn a_migration_copies_the_ledger_first_and_an_older_program_refuses_the_newer_one() {
    let desk = Desk::new().await;
    desk.ledger.change_eras(&[("monthly".to_owned(), EraChange::Begins(timing()))], at(5)).await.unwrap();
    let copy = desk.folder.path().join("ledger.db.before-9001");
    assert!(!copy.exists());
    let newer = open_newer(&desk).await.unwrap();
    assert!(newer.eras().await.unwrap().is_empty(), "the migration changed it");
    let error = Ledger::open(&desk.path(), at(0)).await.unwrap_err();
    let known = open::MIGRATIONS.last().unwrap().0;
    assert!(matches!(error, LedgerError::Newer { found: 9001, known: k, .. } if k == known), "{error}");
    assert!(error.hint().is_some());
    // The copy is a whole ledger of before.
    let before = Ledger::open(&copy, at(0)).await.unwrap();
    assert_eq!(before.eras().await.unwrap()[0].from_at, at(5));
    std::fs::remove_file(&copy).unwrap();
    open_newer(&desk).await.unwrap();
    assert!(!copy.exists(), "nothing to migrate, nothing to copy");
}

#[test]
fn every_migration_file_is_known_and_in_order() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/ledger");
    let mut files: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    let known: Vec<String> =
        open::MIGRATIONS.iter().map(|(number, name, _)| format!("{number:04}_{name}.sql")).collect();
    assert_eq!(files, known);
}

#[tokio::test]
async fn what_is_no_ledger_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let missing = Ledger::open(&path("no/such/ledger.db"), at(0)).await.unwrap_err();
    assert!(matches!(&missing, LedgerError::NoFolder(_)) && missing.to_string().contains("no/such"), "{missing}");

    std::fs::write(path("notes.txt"), "not a database, but long enough to have a header").unwrap();
    std::fs::write(path("torn.db"), b"SQLite format 3\0 and then rubbish".repeat(200)).unwrap();
    for name in ["notes.txt", "torn.db"] {
        let before = std::fs::read(path(name)).unwrap();
        let error = Ledger::open(&path(name), at(0)).await.unwrap_err();
        assert!(matches!(&error, LedgerError::NotADatabase(_)), "{name}: {error:?}");
        assert_eq!(std::fs::read(path(name)).unwrap(), before, "{name}");
    }
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path("facts.db")).create_if_missing(true);
    let mut other = options.connect().await.unwrap();
    sqlx::query("CREATE TABLE license_facts (month TEXT)").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    let before = std::fs::read(path("facts.db")).unwrap();
    assert!(matches!(Ledger::open(&path("facts.db"), at(0)).await, Err(LedgerError::NotALedger(_))));
    assert_eq!(std::fs::read(path("facts.db")).unwrap(), before);
    assert!(matches!(Ledger::open(folder.path(), at(0)).await, Err(LedgerError::File { .. })), "a folder");

    std::fs::write(path("empty.db"), "").unwrap();
    Ledger::open(&path("empty.db"), at(0)).await.unwrap();
}

#[tokio::test]
async fn a_locked_ledger_says_so() {
    let desk = Desk::new().await;
    let mut tx = desk.ledger.begin().await.unwrap();
    sqlx::query("UPDATE counter SET last = last").execute(&mut *tx).await.unwrap();
    let patience = StdDuration::from_millis(200);
    let error = Ledger::open_with(&desk.path(), &open::migrator(), patience, at(0)).await.unwrap_err();
    assert!(matches!(error, LedgerError::Locked), "{error:?}");
}

#[tokio::test]
async fn only_one_daemon_works_on_a_ledger() {
    let desk = Desk::new().await;
    let other = desk.another().await;
    let lock = desk.ledger.daemon_lock().unwrap();
    let error = other.daemon_lock().unwrap_err();
    assert!(matches!(error, LedgerError::DaemonRuns(_)) && error.hint().is_some());
    drop(lock);
    other.daemon_lock().unwrap();
}

#[tokio::test]
async fn many_may_open_a_new_ledger_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let opened = futures::future::join_all((0..6).map(|_| Ledger::open(&path, at(0)))).await;
    let mut ids = Vec::new();
    for ledger in &opened {
        ids.push(ledger.as_ref().unwrap().worker_id(at(0)).await.unwrap());
    }
    ids.sort_unstable();
    assert_eq!(ids, [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn a_ledger_of_before_keeps_since_when_its_schedules_are_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    let (number, name, sql) = open::MIGRATIONS[0];
    let first = Migrator::with_migrations(vec![migration(number, name, sql)]);
    let old = Ledger::open_with(&path, &first, StdDuration::from_secs(5), at(0)).await.unwrap();
    let insert = "INSERT INTO schedule (name, first_seen_at) VALUES ('monthly', 1795413607000000)";
    sqlx::query(insert).execute(&old.write).await.unwrap();
    old.close(at(1)).await.unwrap();
    let ledger = Ledger::open(&path, at(2)).await.unwrap();
    let era = ledger.eras().await.unwrap().pop().unwrap();
    assert_eq!((era.schedule.as_str(), era.from_at, era.until_at, era.timing), ("monthly", at(7), None, None));
    ledger.change_eras(&[("monthly".to_owned(), EraChange::Reads(timing()))], at(50)).await.unwrap();
    let era = ledger.eras().await.unwrap().pop().unwrap();
    assert_eq!((era.from_at, era.timing), (at(7), Some(timing())));
}

#[tokio::test]
async fn a_ledger_can_be_written_again_after_sqlite_has_ended_a_transaction_as_a_full_disk_has_it() {
    let desk = Desk::new().await;
    let ends = "CREATE TEMP TRIGGER full BEFORE INSERT ON edition BEGIN SELECT RAISE(ROLLBACK, 'full'); END";
    sqlx::query(ends).execute(&desk.ledger.write).await.unwrap();
    let (run, _) = desk.ledger.plan_run(&new_run(None), at(0)).await.unwrap();
    let editions = [edition("1", &["a@example.com"])];
    let full = desk.ledger.plan_editions(run.id, &editions, &[], at(1)).await.unwrap_err();
    assert!(full.to_string().contains("full"), "{full}");
    // The trigger ends with its connection.
    desk.ledger.plan_editions(run.id, &editions, &[], at(2)).await.unwrap();
    assert_eq!(desk.ledger.counts(run.id).await.unwrap().editions[&EditionState::Planned], 1);
}

#[tokio::test]
async fn no_connection_ages_so_that_nothing_looks_after_them_for_ever() {
    let desk = Desk::new().await;
    for pool in [&desk.ledger.read, &desk.ledger.write] {
        let options = pool.options();
        let ages = (options.get_max_lifetime(), options.get_idle_timeout(), options.get_min_connections());
        assert_eq!(ages, (None, None, 0));
    }
}
