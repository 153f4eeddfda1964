//! PDF/A-3a and PDF/UA-1 as veraPDF sees them, and the attached figures as poppler does.
//!
//! veraPDF checks what a machine can: a file that passes all of that is not thereby accessible.

use std::path::{Path, PathBuf};

use pressrun::render::{Job, Pdf, Renderer};

use crate::days::{self, Day};
use crate::peer;

/// What veraPDF says of files, by both standards: a line for each, failures with their clauses.
///
/// # Errors
/// With its words, when any file fails.
fn verapdf(files: &[PathBuf]) -> Result<(), String> {
    let output = peer::command("pdf-standard").arg("3a,ua1").args(files).output().unwrap();
    if output.status.success() { Ok(()) } else { Err(peer::said(&output)) }
}

fn render(day: &Day) -> Vec<u8> {
    Pdf.render(Job { report: &day.report, rows: None, theme: &day.theme }).unwrap().bytes
}

fn saved(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(format!("{name}.pdf"));
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn every_file_passes_all_machine_checks_of_pdf_a_3a_and_pdf_ua_1() {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> = days::wanted().iter().map(|day| saved(folder.path(), day.name, &render(day))).collect();
    assert!(files.len() >= days::SHORT.len());
    assert_eq!(verapdf(&files), Ok(()));
}

#[test]
fn a_figure_without_words_and_a_file_without_its_metadata_fail() {
    let folder = tempfile::tempdir().unwrap();
    let good = render(&days::day("standard", days::Data { n_markets: 3, ..days::Data::default() }));
    let broken = |name: &str, what: &[u8], by: &[u8]| {
        let at = good.windows(what.len()).position(|window| window == what).unwrap();
        let mut bytes = good.clone();
        bytes[at..at + by.len()].copy_from_slice(by);
        verapdf(&[saved(folder.path(), name, &bytes)]).unwrap_err()
    };
    assert!(broken("no-language", b"/Lang", b"/Lank").contains("FAIL ua1"));
    assert!(broken("no-metadata", b"/Metadata", b"/Metadatb").contains("FAIL 3a"));
}

#[test]
fn the_figures_come_out_of_the_file_as_csv() {
    let folder = tempfile::tempdir().unwrap();
    let day = days::day("hostile", days::Data { names: vec!["=1+1".to_owned()], ..days::Data::default() });
    let file = saved(folder.path(), "page", &render(&day));
    let csv = folder.path().join("figures.csv");
    let arguments = [file.as_os_str(), "-save".as_ref(), "1".as_ref(), "-o".as_ref(), csv.as_os_str()];
    let output = peer::run("pdfdetach", arguments);
    assert!(output.status.success(), "{}", peer::said(&output));
    assert!(std::fs::read(&csv).unwrap().starts_with("\u{feff}section,".as_bytes()), "Excel tells UTF-8 by its mark");
    let mut reader = csv::Reader::from_path(&csv).unwrap();
    let lines: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(reader.headers().unwrap(), &["section", "block", "row", "column", "month", "value"][..]);
    let licenses = day.report.kpis().next().unwrap();
    let line = lines.iter().find(|line| &line[1] == "Licenses" && &line[3] == "Current").unwrap();
    assert_eq!(&line[5], licenses.current.unwrap().to_string());
    assert!(lines.iter().any(|line| &line[2] == "'=1+1"));
    assert!(lines.iter().all(|line| line.iter().take(4).all(|text| !text.starts_with(['=', '+', '-', '@']))));
}
