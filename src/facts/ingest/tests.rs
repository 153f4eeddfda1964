//! Files as they come, and files as they should not.

use std::io::Write as _;
use std::path::PathBuf;

use sqlx::Connection as _;

use super::*;
use crate::facts::FactSource as _;
use crate::facts::sqlite::FactsSummary;
use crate::facts::sqlite::tests::{burst, database, fixture, instant, now};

const HEADERS: &str = "PGAMpnID,SubscriptionId,Month,CustomerMarket,Product,AvailableSeatsEOP,AvailableSeats";

/// A file of a folder with some bytes in it.
fn written(folder: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

async fn ingest(facts: &SqliteFacts, path: &Path) -> Result<Ingested, IngestError> {
    let ingest = Ingest::new(facts, &ProductMap::shipped(), PartnerFrom::Account);
    ingest.file(path, Some(instant("2026-11-21T06:00:00Z")), now(), &|_| {}).await
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut packed = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        packed.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        packed.write_all(bytes).unwrap();
    }
    packed.finish().unwrap().into_inner()
}

/// What is told of bytes that are refused; nothing of them may be loaded.
async fn refused(name: &str, bytes: &[u8]) -> String {
    let (folder, facts) = database().await;
    let path = written(&folder, name, bytes);
    let error = ingest(&facts, &path).await.unwrap_err();
    assert!(error.is_of_the_file(), "{error}");
    assert!(!error.hint().is_empty());
    assert_eq!(facts.summary().await.unwrap(), FactsSummary::default(), "{name}: nothing is half loaded");
    assert!(matches!(facts.pin(now()).await, Err(FactsError::Empty)));
    error.to_string().replace(&format!("{}/", folder.path().display()), "")
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_its_place() {
    let row = |cells: &str| format!("{HEADERS}\n1,S0,2026-10-01,DE,Power BI,1,0\n{cells}\n");
    for (cells, told) in [
        ("1,S1,2026-10-01,DE,Power BI,1O,0", "`1O` in column `AvailableSeatsEOP` is not a number at f.csv:3:6"),
        ("1,S1,2026-13,DE,Power BI,1,0", "`2026-13` in column `Month` is not a month at f.csv:3:3"),
        (
            "1,S1,10/2/2026,DE,Power BI,1,0",
            "`10/2/2026` in column `Month` is not the first day of a month, so that day and month cannot be told \
             apart at f.csv:3:3",
        ),
        ("1,S1,,DE,Power BI,1,0", "`` in column `Month` is not a month at f.csv:3:3"),
        (
            "1,S1,2026-10-01,DE,Power BI,-1,0",
            "`-1` in column `AvailableSeatsEOP` is below 0, but is a level at f.csv:3:6",
        ),
        ("1,S1,2026-10-01,DE,Power BI,1,1e9", "`1e9` in column `AvailableSeats` is not a number at f.csv:3:7"),
        ("1,S0,2026-10-01,DE,Power BI,7,0", "the row repeats the one on line 2, attribution included, at f.csv:3"),
        ("1,S1,2026-10-01,DE,Power BI,1", "the row has 6 columns, the headers have 7 at f.csv:3"),
        ("1,\"S1,2026-10-01,DE,Power BI,1,0", "the row has 2 columns, the headers have 7 at f.csv:3"),
    ] {
        assert_eq!(refused("f.csv", row(cells).as_bytes()).await, told);
    }
    let latin1 = [row("").trim_end().as_bytes(), b"\n1,S\xe4,2026-10-01,DE,Power BI,1,0\n"].concat();
    assert_eq!(refused("f.csv", &latin1).await, "column `SubscriptionId` is not UTF-8 at f.csv:3");
    let nobodys = format!("{HEADERS}\nUNKNOWN,S1,2026-10-01,DE,Power BI,1,0\n,S2,2026-10-01,DE,Power BI,1,0\n");
    assert_eq!(
        refused("f.csv", nobodys.as_bytes()).await,
        "none of the 2 rows of `f.csv` has a value in column `PGAMpnID`"
    );
}

#[tokio::test]
async fn what_is_no_such_file_is_told_what_it_is() {
    let csv = std::fs::read(fixture("precedence-seats.csv")).unwrap();
    let packed = gz(&csv);
    for (name, bytes, told) in [
        ("f.csv", b"".to_vec(), "`f.csv` is empty, expected CSV or TSV"),
        ("f.csv", b"%PDF-1.7\n".to_vec(), "`f.csv` is a PDF, expected CSV or TSV"),
        ("f.csv", b"<!DOCTYPE html>".to_vec(), "`f.csv` is a web page or XML, expected CSV or TSV"),
        ("f.csv", b"\xff\xfeP\0G\0".to_vec(), "`f.csv` is a text in UTF-16, expected CSV or TSV"),
        ("f.gz", gz(b"{}"), "`f.gz` is JSON, expected CSV or TSV"),
        (
            "f.xlsx",
            zip(&[("[Content_Types].xml", b""), ("xl/a.xml", b"")]),
            "`f.xlsx` is an Excel workbook, expected CSV or TSV",
        ),
        ("f.zip", zip(&[("a.csv", b"1"), ("b.csv", b"2")]), "`f.zip` holds 2 files, expected exactly one"),
        ("f.zip", zip(&[]), "`f.zip` holds 0 files, expected exactly one"),
    ] {
        assert_eq!(refused(name, &bytes).await, told);
    }
    let truncated = refused("f.gz", &packed[..packed.len() - 20]).await;
    assert!(truncated.starts_with("`f.gz` is a damaged or truncated gz"), "{truncated}");
    let zipped = zip(&[("a.csv", &csv)]);
    let truncated = refused("f.zip", &zipped[..zipped.len() - 30]).await;
    assert!(truncated.starts_with("`f.zip` is a damaged or truncated zip"), "{truncated}");
    let unknown = refused("f.csv", b"a,b\n1,2\n").await;
    assert!(unknown.starts_with("the columns of `f.csv` are none of a known data set"), "{unknown}");
    // A quote that is never closed must not fill the memory.
    let endless = [format!("{HEADERS}\n1,\"").into_bytes(), vec![b'x'; 6 * 1024 * 1024]].concat();
    let endless = refused("f.gz", &gz(&endless)).await;
    assert!(endless.starts_with("a row is longer than 4194304 bytes at f.gz:"), "{endless}");
}

#[tokio::test]
async fn a_file_is_the_same_however_it_is_packed_and_written() {
    let plain = std::fs::read_to_string(fixture("precedence-seats.csv")).unwrap();
    let tsv = {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(plain.as_bytes());
        let mut writer = csv::WriterBuilder::new().delimiter(b'\t').from_writer(Vec::new());
        reader.records().for_each(|record| writer.write_record(&record.unwrap()).unwrap());
        writer.into_inner().unwrap()
    };
    let quoted = plain.replace("Contoso", "\"Contoso\nof two lines\"");
    let (folder, facts) = database().await;
    ingest(&facts, &fixture("precedence-seats.csv")).await.unwrap();
    let expected = burst(&facts, facts.pin(now()).await.unwrap(), &["1234566"]).await.remove(0).facts;
    drop(folder);
    for (name, bytes) in [
        ("bom.csv", [b"\xef\xbb\xbf", plain.as_bytes()].concat()),
        ("crlf.csv", plain.replace('\n', "\r\n").into_bytes()),
        ("f.tsv", tsv),
        ("f.csv.gz", gz(plain.as_bytes())),
        ("two-members.gz", [gz(&plain.as_bytes()[..300]), gz(&plain.as_bytes()[300..])].concat()),
        ("f.zip", zip(&[("folder/", b""), ("folder/f.csv", plain.as_bytes()), ("__MACOSX/f.csv", b"x")])),
        ("no-end.csv", plain.trim_end().as_bytes().to_vec()),
        ("blank-end.csv", format!("{plain}\n\n").into_bytes()),
        ("two-lines.csv", quoted.into_bytes()),
    ] {
        let (folder, facts) = database().await;
        let path = written(&folder, name, &bytes);
        let ingested = ingest(&facts, &path).await.unwrap();
        let Ingested::Loaded(load) = ingested else { panic!("{name}: {ingested:?}") };
        assert_eq!((load.n_rows, load.n_left_out, load.n_slices, load.load_no), (4, 1, 2, 1), "{name}");
        let handed = burst(&facts, facts.pin(now()).await.unwrap(), &["1234566"]).await.remove(0);
        assert_eq!(handed.facts, expected, "{name}");
        let partner = if name == "two-lines.csv" { "Contoso\nof two lines" } else { "Contoso" };
        assert_eq!(handed.partner.name, partner, "{name}");
    }
}

#[tokio::test]
async fn the_same_content_again_is_a_no_op_that_says_so() {
    let (folder, facts) = database().await;
    ingest(&facts, &fixture("markets.csv")).await.unwrap();
    let packed = written(&folder, "other-name.gz", &gz(&std::fs::read(fixture("markets.csv")).unwrap()));
    assert_eq!(ingest(&facts, &packed).await.unwrap(), Ingested::AlreadyLoaded { load_no: 1 });
    assert_eq!(facts.summary().await.unwrap().newest_load_no, 1);
    // The number that the no-op took was given back.
    ingest(&facts, &fixture("zero-guid.csv")).await.unwrap();
    assert_eq!(facts.pin(now()).await.unwrap(), crate::facts::DataSet::Loads(2));
}

#[tokio::test]
async fn the_same_content_exported_on_a_later_day_is_loaded_again_and_closes_its_months() {
    let (folder, facts) = database().await;
    let bytes = std::fs::read(fixture("markets.csv")).unwrap();
    let ingests = Ingest::new(&facts, &ProductMap::shipped(), PartnerFrom::Account);
    let exported = async |day: &str| {
        let path = written(&folder, &format!("seats_{day}.csv"), &bytes);
        ingests.file(&path, None, now(), &|_| {}).await.unwrap()
    };
    assert!(matches!(exported("20261102T060000Z").await, Ingested::Loaded(_)));
    let full = async || {
        let data = facts.pin(now()).await.unwrap();
        burst(&facts, data, &["1234566"]).await.remove(0).coverage.is_full("2026-10".parse().unwrap())
    };
    assert!(!full().await);
    assert_eq!(exported("20261102T180000Z").await, Ingested::AlreadyLoaded { load_no: 1 }, "the same day");
    // A file's own date is that of a copy.
    let copy = written(&folder, "copy.csv", &bytes);
    let copied = ingests.file(&copy, None, now(), &|_| {}).await.unwrap();
    assert_eq!(copied, Ingested::AlreadyLoaded { load_no: 1 });
    assert!(!full().await);
    assert!(matches!(exported("20261121T060000Z").await, Ingested::Loaded(_)));
    assert!(full().await);
    assert_eq!(exported("20261102T060000Z").await, Ingested::AlreadyLoaded { load_no: 2 }, "an older one stays older");
}

#[tokio::test]
async fn a_load_says_what_is_worth_knowing() {
    let (folder, facts) = database().await;
    let rows = format!(
        "{HEADERS},Copilot\n1,S1,2026-10-01,Atlantis,Viva,0.12345678,0,x\n1,S2,2026-10-01,DE,Azure,1,0,x\n,S3,2026-10-01,DE,EMS,1,0,x\n"
    );
    let path = written(&folder, "seats_20261121T060000Z.csv", rows.as_bytes());
    let ingests = Ingest::new(&facts, &ProductMap::shipped(), PartnerFrom::Account);
    let n_bytes = std::sync::atomic::AtomicU64::new(0);
    let progress = |n| n_bytes.store(n, std::sync::atomic::Ordering::Relaxed);
    let Ingested::Loaded(load) = ingests.file(&path, None, now(), &progress).await.unwrap() else { panic!() };
    assert_eq!(n_bytes.into_inner(), rows.len() as u64);
    assert_eq!((load.n_rows, load.n_left_out, load.unknown_columns), (1, 2, vec!["Copilot".to_owned()]));
    assert_eq!((load.exported_at, load.exported_from), (instant("2026-11-21T06:00:00Z"), ExportedFrom::FileName));
    assert_eq!(
        load.notes,
        [
            "left out: 1 row of Azure, which has no licenses",
            "not read: the country of 1 row, `Atlantis`, which is shown as Unknown",
            "left out: 1 row without a partner",
            "1 values of column `AvailableSeatsEOP` were finer than a millionth and were rounded",
            "1 rows of product `Viva`, which the product map does not name",
        ]
    );
    let blank = written(&folder, "blank.csv", HEADERS.as_bytes());
    let Ingested::Loaded(load) = ingest(&facts, &blank).await.unwrap() else { panic!() };
    assert!(load.notes[0].starts_with("the file has no rows"), "{:?}", load.notes);
    let older = written(&folder, "older.csv", format!("{HEADERS}\n1,S1,2026-10-01,DE,Viva,2,0\n").as_bytes());
    let told = Some(instant("2026-11-01T00:00:00Z"));
    let Ingested::Loaded(load) = ingests.file(&older, told, now(), &|_| {}).await.unwrap() else { panic!() };
    assert_eq!(load.notes[1], "1 slices were loaded before from a later export; this older one stands now");
}

#[tokio::test]
async fn a_locked_database_says_so_and_takes_the_file_later() {
    let (_folder, facts) = database().await;
    let mut other = SqliteConnection::connect_with(&sqlite::options(facts.path())).await.unwrap();
    let held = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let error = ingest(&facts, &fixture("markets.csv")).await.unwrap_err();
    assert!(matches!(error, IngestError::Facts(FactsError::Locked { .. })), "{error}");
    assert!(!error.is_of_the_file());
    // Who only reads is not kept waiting.
    let reading = SqliteFacts::open_existing(facts.path()).await.unwrap();
    assert_eq!(reading.summary().await.unwrap(), FactsSummary::default());
    held.rollback().await.unwrap();
    assert!(matches!(ingest(&facts, &fixture("markets.csv")).await.unwrap(), Ingested::Loaded(_)));
}

#[tokio::test]
async fn a_full_database_loads_nothing_and_says_so() {
    let (folder, facts) = database().await;
    let mut rows = HEADERS.to_owned();
    for n in 0..40_000 {
        rows.push_str(&format!("\n1,S{n},2026-10-01,DE,Power BI,{n},0"));
    }
    let path = written(&folder, "many.csv", rows.as_bytes());
    // SQLite's own bound stands for a full disk: both are SQLITE_FULL.
    let ingest = Ingest::new(&facts, &ProductMap::shipped(), PartnerFrom::Account).with_pages_max(100);
    let error = ingest.file(&path, None, now(), &|_| {}).await.unwrap_err();
    assert!(matches!(error, IngestError::DiskFull { .. }), "{error}");
    assert_eq!(facts.summary().await.unwrap(), FactsSummary::default());
}

#[tokio::test]
async fn a_file_that_is_not_there_is_nobodys_fault() {
    let (folder, facts) = database().await;
    let error = ingest(&facts, &folder.path().join("missing.csv")).await.unwrap_err();
    assert!(matches!(error, IngestError::Unreadable { .. }) && !error.is_of_the_file(), "{error}");
    let error = ingest(&facts, folder.path()).await.unwrap_err();
    assert!(error.to_string().contains("it is a folder"), "{error}");
}
