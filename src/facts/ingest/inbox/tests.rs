//! The watched folder: what is done, refused, and left alone.

use super::*;
use crate::facts::ProductMap;
use crate::facts::ingest::PartnerFrom;
use crate::facts::sqlite::tests::{database, fixture};

/// A folder with these files in it, and an instant at which nobody has written them for a while.
async fn inbox(files: &[(&str, &[u8])]) -> (tempfile::TempDir, DateTime<Utc>) {
    let folder = tempfile::tempdir().unwrap();
    let mut written_at = DateTime::<Utc>::MIN_UTC;
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        written_at = written_at.max(std::fs::metadata(&path).unwrap().modified().unwrap().into());
    }
    (folder, written_at + Duration::seconds(QUIET_SECS))
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn files_move_to_done_or_refused_and_what_is_still_written_stays() {
    let good = std::fs::read(fixture("markets.csv")).unwrap();
    let (_database, facts) = database().await;
    let ingest = Ingest::new(&facts, &ProductMap::shipped(), PartnerFrom::Account);
    let files = [("a.csv", &good[..]), ("b.csv", b"a,b\n"), ("c.csv.part", &good), (".hidden.csv", &good)];
    let (folder, now) = inbox(&files).await;
    let early = sweep(&ingest, folder.path(), now - Duration::seconds(1)).await;
    assert!(early.is_empty(), "written less than five seconds ago");
    let swept = sweep(&ingest, folder.path(), now).await;
    let told: Vec<bool> = swept.iter().map(|(_, result)| result.is_ok()).collect();
    assert_eq!(told, [true, false]);
    assert_eq!(names(folder.path()), [".hidden.csv", "c.csv.part"]);
    assert_eq!(names(&folder.path().join("done")), ["a.csv"]);
    assert_eq!(names(&folder.path().join("refused")), ["b.csv", "b.csv.reason.txt"]);
    let reason = std::fs::read_to_string(folder.path().join("refused/b.csv.reason.txt")).unwrap();
    assert!(reason.contains("none of a known data set") && reason.contains("\nhint: download one of"), "{reason}");
}

#[tokio::test]
async fn nothing_in_done_and_refused_is_overwritten() {
    let good = std::fs::read(fixture("markets.csv")).unwrap();
    let (_database, facts) = database().await;
    let ingest = Ingest::new(&facts, &ProductMap::shipped(), PartnerFrom::Account);
    let (folder, now) = inbox(&[("a.csv", &good), ("b.csv", b"a,b\n")]).await;
    for kept in ["done/a.csv", "refused/b.csv"] {
        std::fs::create_dir_all(folder.path().join(kept).parent().unwrap()).unwrap();
        std::fs::write(folder.path().join(kept), "kept").unwrap();
    }
    sweep(&ingest, folder.path(), now).await;
    assert_eq!(names(&folder.path().join("done")), ["a.csv", "a.csv.2"]);
    assert_eq!(names(&folder.path().join("refused")), ["b.csv", "b.csv.2", "b.csv.2.reason.txt"]);
    assert_eq!(std::fs::read(folder.path().join("done/a.csv")).unwrap(), b"kept");
    assert_eq!(std::fs::read(folder.path().join("done/a.csv.2")).unwrap(), good);
}

#[tokio::test]
async fn the_later_export_is_loaded_last_and_stands() {
    let headers = "PGAMpnID,SubscriptionId,Month,CustomerMarket,Product,AvailableSeatsEOP";
    let file = |n: u32| format!("{headers}\n1,S1,2026-10-01,DE,Power BI,{n}\n").into_bytes();
    let (_database, facts) = database().await;
    let ingest = Ingest::new(&facts, &ProductMap::shipped(), PartnerFrom::Account);
    let (folder, now) = inbox(&[("a_20261121.csv", &file(2)), ("b_20261101.csv", &file(1))]).await;
    let swept = sweep(&ingest, folder.path(), now.max(crate::facts::sqlite::tests::now())).await;
    let order: Vec<&str> = swept.iter().map(|(path, _)| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(order, ["b_20261101.csv", "a_20261121.csv"]);
}

#[tokio::test]
async fn a_missing_inbox_is_told() {
    let (database, facts) = database().await;
    let ingest = Ingest::new(&facts, &ProductMap::shipped(), PartnerFrom::Account);
    let swept = sweep(&ingest, &database.path().join("missing"), crate::facts::sqlite::tests::now()).await;
    assert!(matches!(swept[..], [(_, Err(IngestError::Unreadable { .. }))]), "{swept:?}");
}
