//! PDF files as qpdf and poppler see them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use krilla::Document;
use krilla::geom::{PathBuilder, Rect};
use krilla::page::PageSettings;

use crate::peer;

/// Whether qpdf finds the file's structure sound.
///
/// # Errors
/// With qpdf's words.
pub fn qpdf_check(path: &Path) -> Result<(), String> {
    let output = peer::run("qpdf", [OsStr::new("--check"), path.as_os_str()]);
    if output.status.success() { Ok(()) } else { Err(peer::said(&output)) }
}

/// The file's text, its lines laid out as on the page.
///
/// # Errors
/// With pdftotext's words.
pub fn pdftotext(path: &Path) -> Result<String, String> {
    let output = peer::run("pdftotext", [OsStr::new("-layout"), path.as_os_str(), OsStr::new("-")]);
    if output.status.success() { Ok(peer::said(&output)) } else { Err(peer::said(&output)) }
}

/// A page with a rectangle on it.
fn drawn() -> Vec<u8> {
    let mut document = Document::new();
    let mut page = document.start_page_with(PageSettings::from_wh(200.0, 100.0).unwrap());
    let mut surface = page.surface();
    let mut path = PathBuilder::new();
    path.push_rect(Rect::from_xywh(20.0, 20.0, 160.0, 60.0).unwrap());
    surface.draw_path(&path.finish().unwrap());
    surface.finish();
    page.finish();
    document.finish().unwrap()
}

/// A page with one line of text, written by hand after ISO 32000-1, 7.5.
fn written(text: &str) -> Vec<u8> {
    let content = format!("BT /F1 24 Tf 20 40 Td ({text}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 100] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut file = "%PDF-1.4\n".to_owned();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (index, object) in objects.iter().enumerate() {
        table += &format!("{:010} 00000 n \n", file.len());
        file += &format!("{} 0 obj\n{object}\nendobj\n", index + 1);
    }
    let (start, n_objects) = (file.len(), objects.len() + 1);
    file += &format!("{table}trailer\n<< /Size {n_objects} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n");
    file.into_bytes()
}

fn saved(folder: &tempfile::TempDir, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join("page.pdf");
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn qpdf_passes_a_sound_file_and_fails_one_cut_short() {
    let folder = tempfile::tempdir().unwrap();
    let whole = drawn();
    assert_eq!(qpdf_check(&saved(&folder, &whole)), Ok(()));
    let cut = &whole[..whole.len() / 2];
    assert!(qpdf_check(&saved(&folder, cut)).is_err_and(|said| !said.is_empty()));
}

#[test]
fn pdftotext_finds_the_words_of_a_page_and_fails_on_another_kind_of_file() {
    let folder = tempfile::tempdir().unwrap();
    let page = saved(&folder, &written("Licenses 48,210"));
    assert_eq!(qpdf_check(&page), Ok(()));
    let text = pdftotext(&page).unwrap();
    assert!(text.contains("Licenses 48,210"), "{text}");
    assert!(!text.contains("48,211"), "{text}");
    assert!(pdftotext(&saved(&folder, b"month;licenses\n")).is_err());
}
