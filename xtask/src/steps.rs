//! Steps: a program that is run, said, timed, and counted at the end.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use crate::Tree;

/// A program to run.
pub struct Step {
    name: &'static str,
    program: OsString,
    arguments: Vec<OsString>,
    variables: Vec<(String, OsString)>,
    folder: PathBuf,
    counts_tests: bool,
}

impl Step {
    /// A step that runs a program at the tree's root.
    pub fn new(tree: &Tree, name: &'static str, program: impl Into<OsString>) -> Step {
        Step {
            name,
            program: program.into(),
            arguments: Vec::new(),
            variables: Vec::new(),
            folder: tree.root.clone(),
            counts_tests: false,
        }
    }

    /// A step that runs the same cargo as runs this program.
    pub fn cargo(tree: &Tree, name: &'static str) -> Step {
        Step::new(tree, name, std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// With one argument more.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Step {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// With several arguments more.
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Step {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// With an environment variable.
    pub fn env(mut self, name: impl Into<String>, value: impl AsRef<OsStr>) -> Step {
        self.variables.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// In another folder than the root.
    pub fn folder(mut self, folder: PathBuf) -> Step {
        self.folder = folder;
        self
    }

    /// Reads the closing lines of cargo's test runner; the step fails when no test ran.
    pub fn counting_tests(mut self) -> Step {
        self.counts_tests = true;
        self
    }

    /// Runs it as a part of another step.
    ///
    /// # Errors
    /// With a sentence, when it did not start or did not end well.
    pub fn done(self) -> Result<(), String> {
        println!("   {}", self.shown());
        let status = self.start().and_then(|mut child| child.wait());
        let status = status.map_err(|error| format!("`{}` did not start: {error}", self.shown()))?;
        if status.success() { Ok(()) } else { Err(format!("`{}` failed: {status}", self.shown())) }
    }

    /// The command as one would type it.
    fn shown(&self) -> String {
        let program = PathBuf::from(&self.program);
        let program = program.file_name().unwrap_or(&self.program).to_string_lossy().into_owned();
        let arguments = self.arguments.iter().map(|argument| argument.to_string_lossy().into_owned());
        std::iter::once(program).chain(arguments).collect::<Vec<_>>().join(" ")
    }

    fn start(&self) -> std::io::Result<std::process::Child> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).current_dir(&self.folder).stdin(Stdio::null());
        // What `cargo run` says of this program would make build scripts that watch it run anew.
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_of_this_package(name)) {
            command.env_remove(name);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        if self.counts_tests {
            command.stdout(Stdio::piped());
        }
        command.spawn()
    }
}

/// Variables that cargo sets for the program it runs.
fn is_of_this_package(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name.starts_with("CARGO_BIN_")
}

/// Tests, as the runner's closing lines count them.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Tally {
    /// How many passed.
    pub n_passed: u64,
    /// How many failed.
    pub n_failed: u64,
}

/// How a step went.
struct Outcome {
    name: &'static str,
    seconds: f64,
    /// Why it failed, if it did.
    failure: Option<String>,
}

/// What has been run so far.
#[derive(Default)]
pub struct Log {
    outcomes: Vec<Outcome>,
    tally: Tally,
}

impl Log {
    /// Runs a step and keeps how it went; true when it went well.
    pub fn run(&mut self, step: Step) -> bool {
        println!("\n== {}: {}", step.name, step.shown());
        let (result, took) = timed(|| self.follow(&step));
        self.keep(step.name, took, result)
    }

    /// Does a piece of work of our own as a step; true when it went well.
    pub fn work(&mut self, name: &'static str, work: impl FnOnce() -> Result<(), String>) -> bool {
        println!("\n== {name}");
        let (result, took) = timed(work);
        self.keep(name, took, result)
    }

    /// Keeps a failure that no program reported.
    pub fn failed(&mut self, name: &'static str, why: &str) {
        self.keep(name, Duration::ZERO, Err(why.to_owned()));
    }

    fn keep(&mut self, name: &'static str, took: Duration, result: Result<(), String>) -> bool {
        let failure = result.err();
        let seconds = took.as_secs_f64();
        match &failure {
            None => println!("== {name}: ok in {seconds:.1} s"),
            Some(why) => println!("== {name}: FAILED in {seconds:.1} s: {why}"),
        }
        let is_well = failure.is_none();
        self.outcomes.push(Outcome { name, seconds, failure });
        is_well
    }

    fn follow(&mut self, step: &Step) -> Result<(), String> {
        let mut child = step.start().map_err(|error| format!("`{}` did not start: {error}", step.shown()))?;
        let mut tally = Tally::default();
        if let Some(output) = child.stdout.take() {
            tally = pass_on(BufReader::new(output));
        }
        let status = child.wait().map_err(|error| error.to_string())?;
        self.tally.n_passed += tally.n_passed;
        self.tally.n_failed += tally.n_failed;
        match status.code() {
            Some(0) if step.counts_tests && tally == Tally::default() => Err("no test ran".to_owned()),
            Some(0) => Ok(()),
            Some(code) => Err(format!("exit code {code}")),
            None => Err(status.to_string()),
        }
    }

    /// Prints the table of steps and, last, the count of tests; fails when anything did.
    pub fn close(self) -> ExitCode {
        println!("\n{:<14}{:>9}  outcome", "step", "seconds");
        for outcome in &self.outcomes {
            let verdict = outcome.failure.as_deref().map_or_else(|| "ok".to_owned(), |why| format!("FAILED: {why}"));
            println!("{:<14}{:>9.1}  {verdict}", outcome.name, outcome.seconds);
        }
        let total: f64 = self.outcomes.iter().map(|outcome| outcome.seconds).sum();
        let n_failed_steps = self.outcomes.iter().filter(|outcome| outcome.failure.is_some()).count();
        println!("{:<14}{total:>9.1}  {n_failed_steps} of {} steps failed", "all", self.outcomes.len());
        if self.tally != Tally::default() {
            println!("\n{} passed, {} failed", self.tally.n_passed, self.tally.n_failed);
        }
        if n_failed_steps == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

#[expect(clippy::disallowed_methods, reason = "times steps for the reader; nothing of it reaches the product")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

/// Prints a test runner's lines as they come and counts its closing ones.
fn pass_on(output: impl BufRead) -> Tally {
    let mut tally = Tally::default();
    for line in output.split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        if let Some(one) = closing_line(&line) {
            tally.n_passed += one.n_passed;
            tally.n_failed += one.n_failed;
        }
    }
    // A reader that went away is no reason to stop the checks.
    std::io::stdout().flush().ok();
    tally
}

/// `test result: ok. 3 passed; 1 failed; …`, as the standard test runner closes.
fn closing_line(line: &str) -> Option<Tally> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let count = |word: &str| {
        let part = counts.split(';').find(|part| part.trim().ends_with(word))?;
        part.split_whitespace().next()?.parse::<u64>().ok()
    };
    Some(Tally { n_passed: count("passed")?, n_failed: count("failed")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_counted_and_nothing_else_is() {
        let output = "running 4 tests\ntest a ... ok\n\
            test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.01s\n\
            said: test result: ok. 90 passed; 0 failed\n\
            test result: ok. 20 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s\n";
        assert_eq!(pass_on(output.as_bytes()), Tally { n_passed: 23, n_failed: 1 });
    }

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let tree = Tree { root: PathBuf::from("/"), peers: PathBuf::from("/peers") };
        let step = Step::new(&tree, "x", "/usr/bin/qpdf").arg("--check").args(["a.pdf", "b.pdf"]);
        assert_eq!(step.shown(), "qpdf --check a.pdf b.pdf");
    }
}
