//! `ingest`: Partner Center's files into the facts.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::facts::SqliteFacts;
use crate::facts::ingest::{Ingest, IngestError, Ingested, Load};

use super::say::{Failure, Say};
use super::{FAILED, WELL, compose};

pub(super) async fn ingest(
    config: &Config,
    files: &[PathBuf],
    exported_at: Option<DateTime<Utc>>,
    say: &Say,
) -> Result<u8, Failure> {
    let facts = compose::tables(config).await?;
    let outcome = load(config, &facts, files, exported_at, say).await?;
    say.result(&outcome.json, &outcome.text);
    Ok(if outcome.n_refused > 0 { FAILED } else { WELL })
}

/// How the files went.
pub(super) struct Outcome {
    json: Vec<serde_json::Value>,
    text: String,
    n_refused: usize,
}

impl Outcome {
    /// An error that tells which files were refused, if any was.
    pub(super) fn refused(&self) -> Result<(), Failure> {
        if self.n_refused == 0 { Ok(()) } else { Err(Failure::failed(self.text.trim_end())) }
    }
}

/// Loads files one after another; one that is refused does not stop the next.
pub(super) async fn load(
    config: &Config,
    facts: &SqliteFacts,
    files: &[PathBuf],
    exported_at: Option<DateTime<Utc>>,
    say: &Say,
) -> Result<Outcome, Failure> {
    let products = compose::products(config)?;
    let ingest = Ingest::new(facts, &products, config.facts.partner_from);
    let bar = say.bar(total_bytes(files), "Reading files");
    let mut outcome = Outcome { json: Vec::new(), text: String::new(), n_refused: 0 };
    let mut before = 0;
    for path in files {
        let progress = |bytes: u64| bar.set_position(before + bytes);
        let ingested = ingest.file(path, exported_at, SystemClock.now(), &progress).await;
        before += size(path);
        bar.set_position(before);
        outcome.n_refused += usize::from(ingested.is_err());
        let (json, text) = told(path, &ingested);
        outcome.json.push(json);
        outcome.text.push_str(&text);
    }
    bar.finish_and_clear();
    Ok(outcome)
}

/// What became of one file, for scripts and for people.
pub(super) fn told(path: &Path, ingested: &Result<Ingested, IngestError>) -> (serde_json::Value, String) {
    let file = path.display().to_string();
    match ingested {
        Ok(Ingested::Loaded(load)) => {
            let mut text = format!(
                "{file}: load {} of {}, {} rows, {} slices\n",
                load.load_no, load.source, load.n_rows, load.n_slices
            );
            if load.n_left_out > 0 {
                text.push_str(&format!("  {} rows of products that are no licenses were left out\n", load.n_left_out));
            }
            if !load.unknown_columns.is_empty() {
                text.push_str(&format!("  unknown columns, passed over: {}\n", load.unknown_columns.join(", ")));
            }
            for note in &load.notes {
                text.push_str(&format!("  {note}\n"));
            }
            (loaded(&file, load), text)
        }
        Ok(Ingested::AlreadyLoaded { load_no }) => (
            serde_json::json!({ "file": file, "already_loaded": load_no }),
            format!("{file}: loaded before, as load {load_no}; nothing was done\n"),
        ),
        Err(error) => {
            let error = error.to_string();
            (serde_json::json!({ "file": file, "error": error }), format!("{file}: refused: {error}\n"))
        }
    }
}

fn loaded(file: &str, load: &Load) -> serde_json::Value {
    serde_json::json!({
        "file": file, "load_no": load.load_no, "source": load.source, "exported_at": load.exported_at,
        "n_rows": load.n_rows, "n_left_out": load.n_left_out, "n_slices": load.n_slices,
        "unknown_columns": load.unknown_columns, "notes": load.notes,
    })
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |data| data.len())
}

fn total_bytes(files: &[PathBuf]) -> u64 {
    files.iter().map(|path| size(path)).sum()
}
