//! What the program says: results to standard output, progress and errors to standard error.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::config::{ConfigError, ConfigErrors};
use crate::ledger::LedgerError;
use crate::pipeline;

use super::{FAILED, WRONG};

/// How the program talks: to people or to scripts.
#[derive(Debug)]
pub(super) struct Say {
    json: bool,
    terminal: bool,
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(super) enum Failure {
    /// The configuration is wrong.
    Config(ConfigErrors),
    /// The command is wrong: what, and what to do.
    Wrong(String, String),
    /// Something failed.
    Failed(anyhow::Error),
}

impl Failure {
    /// The command line asks for something that is not there.
    pub(super) fn wrong(what: impl Into<String>, hint: impl Into<String>) -> Failure {
        Failure::Wrong(what.into(), hint.into())
    }

    /// Something failed, in words.
    pub(super) fn failed(what: impl Into<String>) -> Failure {
        Failure::Failed(anyhow::Error::msg(what.into()))
    }
}

/// In one line, for logs.
impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Config(errors) => {
                let lines: Vec<String> = errors.iter().map(ConfigError::first_line).collect();
                f.write_str(&lines.join("; "))
            }
            Failure::Wrong(what, hint) => write!(f, "{what}; {hint}"),
            Failure::Failed(error) => write!(f, "{error:#}"),
        }
    }
}

impl From<ConfigErrors> for Failure {
    fn from(errors: ConfigErrors) -> Failure {
        Failure::Config(errors)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        let mut errors = ConfigErrors::default();
        errors.add(error);
        Failure::Config(errors)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Failure {
        Failure::Failed(error)
    }
}

macro_rules! from_stage {
    ($($error:ty),*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Failure {
                Failure::Failed(error.into())
            }
        }
    )*};
}
from_stage!(crate::facts::FactsError, LedgerError, crate::archive::ArchiveError, pipeline::RunError, std::io::Error);

impl Say {
    pub(super) fn new(json: bool) -> Say {
        Say { json, terminal: std::io::stderr().is_terminal() }
    }

    /// The result: as JSON for scripts, as text for people.
    pub(super) fn result(&self, value: &impl Serialize, text: &str) {
        let words = if self.json {
            serde_json::to_string_pretty(value).unwrap_or_else(|error| format!("\"{error}\""))
        } else {
            text.trim_end().to_owned()
        };
        // Nobody listens any more when this fails: the reader closed the pipe.
        let _ = writeln!(std::io::stdout(), "{words}");
    }

    /// A line about what is going on, for people only.
    pub(super) fn note(&self, line: &str) {
        if !self.json {
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }

    /// A bar for long work: drawn on a terminal, one plain line elsewhere.
    pub(super) fn bar(&self, n: u64, what: &str) -> ProgressBar {
        if !self.terminal || self.json {
            self.note(&format!("{what} …"));
            return ProgressBar::with_draw_target(Some(n), ProgressDrawTarget::hidden());
        }
        let bar = ProgressBar::new(n);
        let style = ProgressStyle::with_template("{msg:24} {wide_bar} {pos}/{len}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(what.to_owned());
        bar
    }

    /// Says what went wrong and gives the exit code for it.
    pub(super) fn failure(&self, failure: &Failure) -> ExitCode {
        let colour = self.terminal && std::env::var_os("NO_COLOR").is_none();
        let (text, lines, code) = match failure {
            Failure::Config(errors) => {
                let lines = errors.iter().map(|error| (error.first_line(), error.hint().to_owned())).collect();
                (errors.render(colour), lines, WRONG)
            }
            Failure::Wrong(what, hint) => {
                (format!("error: {what}\n{}", hint_line(hint)), vec![(what.clone(), hint.clone())], WRONG)
            }
            Failure::Failed(error) => {
                let what = format!("{error:#}");
                let hint = error.chain().find_map(pipeline::hint_of).unwrap_or_default();
                (format!("error: {what}\n{}", hint_line(hint)), vec![(what, hint.to_owned())], FAILED)
            }
        };
        if self.json {
            let errors: Vec<_> =
                lines.iter().map(|(what, hint)| serde_json::json!({ "error": what, "hint": hint })).collect();
            self.result(&serde_json::json!({ "errors": errors }), "");
        } else {
            let _ = writeln!(std::io::stderr(), "{}", text.trim_end());
        }
        ExitCode::from(code)
    }
}

fn hint_line(hint: &str) -> String {
    if hint.is_empty() { String::new() } else { format!("hint: {hint}") }
}

/// Logs warnings to standard error; `PRESSRUN_LOG` changes what (as in `info` or `pressrun::deliver=debug`).
pub(super) fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("PRESSRUN_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,sqlx=error,pressrun=info"));
    // A second subscriber in one process is refused; the first stays.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .try_init();
}

/// Lines of columns, each as wide as its widest cell.
pub(super) fn columns(rows: &[Vec<String>]) -> String {
    let n = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..n).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}", width = *width)).collect();
        format!("  {}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}
