//! Workbooks as openpyxl reads them.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::sheets::area::Place;
use crate::sheets::book::Value;
use crate::sheets::readers::Cells;
use crate::{office, peer};

/// What openpyxl reads in a file: results, and the same with formulas in place of their results.
pub struct Read {
    pub results: Cells,
    pub formulas: Cells,
}

/// Reads files, one after the other by one Python.
pub fn read(files: &[PathBuf]) -> Vec<Read> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/cells.py");
    let package = peer::path("openpyxl");
    let folder = package.parent().and_then(Path::parent).unwrap();
    let output = peer::command("python3").arg(script).args(files).env("PYTHONPATH", folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let read: Vec<Read> = lines
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).unwrap())
        .map(|line| Read { results: cells(&line["results"]), formulas: cells(&line["formulas"]) })
        .collect();
    assert_eq!(read.len(), files.len());
    read
}

fn cells(sheets: &Json) -> Cells {
    let sheets = sheets.as_object().unwrap().iter().map(|(name, cells)| {
        let placed = cells.as_array().unwrap().iter().map(|cell| {
            let at = |n: usize| u32::try_from(cell[n].as_u64().unwrap()).unwrap();
            (Place { row: at(0), column: at(1) }, value(&cell[2], cell[3].as_str().unwrap()))
        });
        (name.clone(), placed.collect())
    });
    sheets.collect()
}

fn value(held: &Json, kind: &str) -> Value {
    match held {
        Json::String(text) if kind == "e" => Value::Error(text.clone()),
        other => office::value(other),
    }
}
