//! What must hold in every workbook and no validator checks: Excel repairs such a file, or shows something else in it
//! than another program does.
//!
//! Used by the product's tests from outside and by the tests against other programs.

pub mod area;
pub mod book;
mod cells;
mod charts;
mod formula;
mod package;
pub mod readers;
mod speech;
mod tables;
#[cfg(test)]
mod tests;
mod xml;

use std::io::{Cursor, Read, Write};

use book::Book;

/// What is wrong with a workbook, a sentence each.
pub fn findings(bytes: &[u8]) -> Vec<String> {
    let book = match Book::read(bytes) {
        Ok(book) => book,
        Err(why) => return vec![why],
    };
    let mut findings = book.findings.clone();
    for check in [cells::findings, tables::findings, speech::findings, charts::findings, package::findings] {
        check(&book, &mut findings);
    }
    findings
}

/// The same file with a text replaced once in a part.
pub fn tampered(bytes: &[u8], part: &str, from: &str, to: &str) -> Vec<u8> {
    let mut source = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut target = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..source.len() {
        let mut entry = source.by_index(index).unwrap();
        let name = entry.name().unwrap().into_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        if name == part {
            assert!(text.contains(from), "{part} has no `{from}`");
            text = text.replacen(from, to, 1);
        }
        target.start_file(&name, zip::write::SimpleFileOptions::default()).unwrap();
        target.write_all(text.as_bytes()).unwrap();
    }
    target.finish().unwrap().into_inner()
}
