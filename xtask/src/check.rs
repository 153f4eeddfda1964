//! `cargo xtask test`: formatting, lints, licences, tests, and the tests against other programs.

use std::process::ExitCode;

use crate::peers::{self, Peers};
use crate::steps::{Log, Step};
use crate::{Tree, run_benches};

/// The steps that `--only` may name, in the order in which they run.
const STEPS: [&str; 7] = ["format", "clippy", "set-up", "licences", "tests", "doc", "peers"];
/// The steps that run with `--long` only, after the others.
const LONG_STEPS: [&str; 2] = ["decisions", "benches"];

/// What the command line asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    is_long: bool,
    only: Vec<String>,
}

impl Options {
    /// From the words after `test`.
    ///
    /// # Errors
    /// With a sentence, when a word is unknown.
    pub fn parse(words: &[&str]) -> Result<Options, String> {
        let mut options = Options::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--long" => options.is_long = true,
                "--only" => options.only.push(step_name(words.next().copied())?),
                other => return Err(format!("unknown option `{other}`")),
            }
        }
        Ok(options)
    }

    /// Whether a step was asked for: by name, or by naming none.
    fn wants(&self, name: &str) -> bool {
        match self.only.as_slice() {
            [] => self.is_long || !LONG_STEPS.contains(&name),
            only => only.iter().any(|wanted| wanted == name),
        }
    }
}

fn step_name(word: Option<&str>) -> Result<String, String> {
    let known = || STEPS.iter().chain(&LONG_STEPS);
    let names = || known().copied().collect::<Vec<_>>().join(", ");
    match word {
        Some(word) if known().any(|name| *name == word) => Ok(word.to_owned()),
        Some(word) => Err(format!("unknown step `{word}`: one of {}", names())),
        None => Err(format!("`--only` wants a step: one of {}", names())),
    }
}

/// Runs what was asked for; every step runs, whatever an earlier one said.
pub fn run(tree: &Tree, options: &Options) -> ExitCode {
    let mut log = Log::default();
    if options.wants("format") {
        log.run(Step::cargo(tree, "format").args(["fmt", "--all", "--check"]));
    }
    if options.wants("clippy") {
        let step = Step::cargo(tree, "clippy").args(["clippy", "--workspace", "--all-targets"]);
        log.run(step.args(["--", "-D", "warnings"]));
    }
    if ["set-up", "licences", "peers"].iter().any(|step| options.wants(step)) {
        log.work("set-up", || peers::install(tree));
    }
    let found = Peers::find(tree);
    if options.wants("licences") {
        licences(tree, &found, &mut log);
    }
    if options.wants("tests") {
        tests(tree, options, &mut log);
    }
    if options.wants("doc") {
        log.run(Step::cargo(tree, "doc").args(["test", "--workspace", "--doc"]));
    }
    if options.wants("peers") {
        let step = Step::cargo(tree, "peers").args(["test", "--no-fail-fast", "--test", "peers"]);
        log.run(long(found.tell(step), options).counting_tests());
    }
    if options.wants("decisions") {
        decisions(tree, &mut log);
    }
    if options.wants("benches") {
        run_benches(tree, &mut log);
    }
    log.close()
}

/// Licences, bans and sources; known vulnerabilities need a database that not every machine can fetch.
fn licences(tree: &Tree, found: &Peers, log: &mut Log) {
    let Some(cargo_deny) = found.path("cargo-deny") else {
        return log.failed("licences", "cargo-deny is missing: see set-up, or `cargo install --locked cargo-deny`");
    };
    log.run(Step::new(tree, "licences", cargo_deny).args(["check", "licenses", "bans", "sources"]));
    println!("   known vulnerabilities: `cargo deny check advisories`, where the RustSec database can be fetched");
}

/// Every test that needs no other program: all targets but `peers`.
fn tests(tree: &Tree, options: &Options, log: &mut Log) {
    let mut step = Step::cargo(tree, "tests").args(["test", "--workspace", "--no-fail-fast", "--lib", "--bins"]);
    for name in tree.targets("tests").iter().filter(|name| *name != "peers") {
        step = step.arg("--test").arg(name);
    }
    log.run(long(step, options).counting_tests());
}

/// The programs that repeat a decision's measurement still build against what they measured.
fn decisions(tree: &Tree, log: &mut Log) {
    let folder = tree.root.join("docs/adr");
    let projects = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    for project in projects.filter(|path| path.join("Cargo.toml").is_file()) {
        log.run(Step::cargo(tree, "decisions").args(["check", "--locked"]).folder(project));
    }
}

/// Tells tests whether the long matrices are wanted.
fn long(step: Step, options: &Options) -> Step {
    if options.is_long { step.env("PRESSRUN_LONG", "1") } else { step }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_unknown_words_refused() {
        let read = |words: &[&str]| Options::parse(words);
        assert_eq!(read(&[]), Ok(Options::default()));
        let both = Options { is_long: true, only: vec!["clippy".to_owned()] };
        assert_eq!(read(&["--only", "clippy", "--long"]), Ok(both));
        assert!(read(&["--only"]).is_err());
        assert!(read(&["--only", "lint"]).is_err_and(|message| message.contains("clippy")));
        assert!(read(&["--fast"]).is_err());
    }

    #[test]
    fn long_steps_run_when_asked_for_and_only_then() {
        let wants = |words: &[&str], step: &str| Options::parse(words).is_ok_and(|options| options.wants(step));
        assert!(wants(&[], "peers") && !wants(&[], "benches"));
        assert!(wants(&["--long"], "peers") && wants(&["--long"], "benches"));
        assert!(wants(&["--only", "benches"], "benches") && !wants(&["--only", "benches"], "peers"));
    }
}
