//! Workbooks as Microsoft's validator and LibreOffice see them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rust_xlsxwriter::{Formula, Workbook};
use serde_json::Value;

use crate::sheets::tampered;
use crate::{pdf, peer};

/// Whether Microsoft's Open XML validator finds nothing wrong with the file, as of Microsoft 365.
///
/// # Errors
/// With the validator's list of errors.
pub fn ooxml_validate(path: &Path) -> Result<(), String> {
    let options = ["--officeVersion", "Microsoft365"].map(OsStr::new);
    let output = peer::run("ooxml-validator", [path.as_os_str()].into_iter().chain(options));
    let verdict: Value = serde_json::from_slice(&output.stdout).map_err(|_| peer::said(&output))?;
    if verdict["ok"] == Value::Bool(true) { Ok(()) } else { Err(verdict["errors"].to_string()) }
}

/// Converts a file by LibreOffice and says where the result is.
///
/// Each call has a profile of its own, since two LibreOffices can't share one.
///
/// # Errors
/// With LibreOffice's words when no file comes of it.
pub fn libreoffice_convert(path: &Path, format: &str, folder: &Path) -> Result<PathBuf, String> {
    let profile = tempfile::tempdir().unwrap();
    let output = peer::command("soffice")
        .arg(format!("-env:UserInstallation=file://{}", profile.path().display()))
        .args(["--headless", "--norestore", "--convert-to", format, "--outdir"])
        .args([folder, path])
        .output()
        .unwrap();
    let ending = format.split(':').next().unwrap_or(format);
    let made = folder.join(path.with_extension(ending).file_name().unwrap());
    // LibreOffice ends well even when it could not load the file.
    if made.is_file() { Ok(made) } else { Err(peer::said(&output)) }
}

/// A workbook of one sheet: a label and the sum of two figures with its cached result: LibreOffice doesn't compute Excel's files anew.
fn workbook() -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.write_string(0, 0, "Licenses").unwrap();
    sheet.write_number(1, 0, 40_000).unwrap();
    sheet.write_number(2, 0, 8_210).unwrap();
    sheet.write_formula(3, 0, Formula::new("=SUM(A2:A3)").set_result("48210")).unwrap();
    workbook.save_to_buffer().unwrap()
}

fn saved(folder: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn the_validator_passes_a_sound_workbook_and_names_the_element_that_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = workbook();
    assert_eq!(ooxml_validate(&saved(&folder, "sound.xlsx", &bytes)), Ok(()));
    let broken = tampered(&bytes, "xl/worksheets/sheet1.xml", "<sheetData>", "<sheetDate/><sheetData>");
    let errors = ooxml_validate(&saved(&folder, "broken.xlsx", &broken)).unwrap_err();
    assert!(errors.contains("sheetDate"), "{errors}");
}

#[test]
fn libreoffice_opens_a_workbook_and_refuses_a_damaged_one() {
    let folder = tempfile::tempdir().unwrap();
    let out = tempfile::tempdir().unwrap();
    let sound = saved(&folder, "sound.xlsx", &workbook());
    let csv = libreoffice_convert(&sound, "csv", out.path()).unwrap();
    assert_eq!(std::fs::read_to_string(csv).unwrap(), "Licenses\n40000\n8210\n48210\n");
    let paper = libreoffice_convert(&sound, "pdf", out.path()).unwrap();
    let text = pdf::pdftotext(&paper).unwrap();
    assert!(text.contains("48210"), "{text}");
    let cut = &workbook()[..900];
    let damaged = saved(&folder, "damaged.xlsx", cut);
    assert!(libreoffice_convert(&damaged, "pdf", out.path()).is_err());
}
