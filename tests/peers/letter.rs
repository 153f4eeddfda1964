//! The product's mails as Python's `email` reads them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;

use crate::peer;
use crate::workplace::Workplace;

/// Every mail of an outbox, read.
fn read(place: &Workplace) -> Vec<Value> {
    read_files(place.files("outbox").into_iter().map(|file| place.path("outbox").join(file)))
}

/// Mails, read.
pub fn read_files(files: impl Iterator<Item = PathBuf>) -> Vec<Value> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/letter.py");
    let output = peer::command("python3").arg(script).args(files).output().unwrap();
    assert!(output.status.success(), "{}", peer::said(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|one| one.as_str().unwrap_or_default()).collect()
}

/// What must hold in every mail that has all its files.
pub fn check(mail: &Value) {
    assert_eq!(mail["defects"], serde_json::json!([]), "{mail}");
    let headers = &mail["headers"];
    assert_eq!(headers["auto-submitted"], "auto-generated");
    assert!(
        headers["list-id"].as_str().unwrap().starts_with("Product licenses monthly <monthly.pressrun."),
        "{headers}"
    );
    let shown: BTreeSet<String> = texts(&mail["shown"]).into_iter().map(|id| format!("<{id}>")).collect();
    let pictures = mail["pictures"].as_object().unwrap();
    assert_eq!(shown, pictures.keys().cloned().collect(), "each picture that is named is there, and no other");
    assert!(!shown.is_empty(), "{mail}");
    for picture in pictures.values() {
        assert_eq!((&picture[0], &picture[1]), (&"image/png".into(), &"inline".into()));
        assert!((100..4_000).contains(&picture[2].as_u64().unwrap()), "{picture}");
    }
    let html = [vec!["multipart/related", "text/html"], vec!["image/png"; pictures.len()]].concat();
    let pdf_and_workbook = ["application/pdf", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"];
    let expected = serde_json::json!([
        "multipart/mixed",
        ["multipart/alternative", "text/plain", html],
        pdf_and_workbook[0],
        pdf_and_workbook[1]
    ]);
    assert_eq!(mail["structure"], expected);
    let names = mail["names"].as_array().unwrap();
    for (n, (name, plain)) in names.iter().zip(mail["plain_names"].as_array().unwrap()).enumerate() {
        let full = name[0].as_str().unwrap();
        assert!(full.starts_with("product-licenses_") && full.ends_with([".pdf", ".xlsx"][n]), "{full}");
        assert_eq!(name[1], pdf_and_workbook[n]);
        let [twin, named] = [0, 1].map(|at| plain[at].as_str().unwrap());
        assert!(twin.is_ascii() && twin == named && (twin == full || !full.is_ascii()), "{twin} {named} {full}");
        assert!(mail["text"].as_str().unwrap().contains(full) && mail["html"].as_str().unwrap().contains(full));
    }
}

#[test]
fn python_reads_names_headers_and_pictures_as_they_are_meant() {
    let place = Workplace::demo(8);
    let first = read(&place);
    assert!(first.len() > 8, "{} mails", first.len());
    first.iter().for_each(check);
    let is_beyond = |mail: &&Value| !mail["names"][0][0].as_str().unwrap().is_ascii();
    assert!(first.iter().filter(is_beyond).count() > 0, "no name beyond ASCII was tried");
    assert!(first.iter().all(|mail| !mail["text"].as_str().unwrap().contains("last edition")));
    // The month after is told against this one.
    let run = place.run(&["status", "--json"]).with(0).json()["runs"][0]["run"].clone();
    std::fs::remove_dir_all(place.path("outbox")).unwrap();
    place.run(&["run", "monthly", "--period", &next(run["period"].as_str().unwrap())]).with(0);
    let second = read(&place);
    second.iter().for_each(check);
    assert!(second.len() > 8, "{} mails", second.len());
    let told = second.iter().filter(|mail| mail["text"].as_str().unwrap().contains(" your last edition"));
    assert_eq!(told.count(), second.len());
}

/// `2026-11` after `2026-10`.
fn next(period: &str) -> String {
    let month: pressrun::base::Month = period.parse().unwrap();
    month.next().to_string()
}
