//! The program at a time of the test's own: faketime moves the calendar of a process and lets it run faster.

use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use pressrun::clock::Stopwatch;

use crate::peer;
use crate::workplace::{Ended, Workplace};

/// How long something may take that always ends, in seconds of ours.
const WAIT_SECS_MAX: u64 = 60;
/// How long one look at something that is waited for is away from the next, in milliseconds of ours.
const LOOK_MS: u64 = 150;

/// How often faketime is asked for its library.
const ASKING_TRIES_MAX: usize = 20;

/// An instant, as RFC 3339 writes it.
pub fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A workplace whose programs live at a faked time, which passes between their lives, too.
pub struct Faked {
    pub place: Workplace,
    /// Before what its programs are put, if before something.
    pub within: Vec<String>,
    /// How many of its seconds pass in one of ours. The daemon's heart looks twice in a second of ours.
    speed: i32,
    from: DateTime<Utc>,
    since: Stopwatch,
}

impl Faked {
    /// The demo's data and recipients as they are at that instant, and nothing made of them.
    pub fn sample(at: DateTime<Utc>, n_partners: usize) -> Faked {
        let faked = Faked { place: Workplace::empty(), within: vec![], speed: 1, from: at, since: Stopwatch::start() };
        let dir = faked.place.text().to_owned();
        faked.run(&["demo", "--dir", &dir, "--partners", &n_partners.to_string()]).with(0);
        for folder in ["archive", "outbox"] {
            std::fs::remove_dir_all(faked.place.path(folder)).unwrap();
        }
        for file in faked.place.files("data").iter().filter(|file| file.to_str().unwrap().starts_with("ledger")) {
            std::fs::remove_file(faked.place.path("data").join(file)).unwrap();
        }
        faked
    }

    /// The same data in a folder of its own, at that instant and speed, with these tables in place of the demo's
    /// schedule.
    pub fn with(&self, at: DateTime<Utc>, speed: i32, schedules: &str) -> Faked {
        let copy = Workplace::empty();
        for file in self.place.files("data") {
            let name = format!("data/{}", file.display());
            copy.write(&name, std::fs::read(self.place.path(&name)).unwrap());
        }
        copy.write("recipients.csv", std::fs::read(self.place.path("recipients.csv")).unwrap());
        let text = std::fs::read_to_string(self.place.path("pressrun.toml")).unwrap();
        let (head, _) = text.split_once("[schedules.").unwrap();
        copy.write("pressrun.toml", format!("{head}{schedules}"));
        Faked { place: copy, within: vec![], speed, from: at, since: Stopwatch::start() }
    }

    /// What time it is there, in whole seconds: the next one, so that no process sees an earlier time than one before.
    pub fn now(&self) -> DateTime<Utc> {
        let passed = TimeDelta::from_std(self.since.elapsed()).unwrap() * self.speed;
        (self.from + passed).trunc_subsecs(0) + TimeDelta::seconds(1)
    }

    /// Lets the time pass on to that instant at once, if it has not come yet. No daemon may be running.
    pub fn sleep_until(&mut self, at: DateTime<Utc>) {
        self.from = self.now().max(at);
        self.since = Stopwatch::start();
    }

    /// Runs a command there to its end.
    pub fn run(&self, args: &[&str]) -> Ended {
        let Output { status, stdout, stderr } = self.command(args).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { code: status.code().unwrap_or(-1), out: text(stdout), err: text(stderr) }
    }

    /// Starts the daemon; what it logs goes to the end of `daemon.log`.
    pub fn daemon(&mut self) -> Daemon {
        self.sleep_until(self.now());
        Daemon(self.start(&mut self.command(&["daemon"])))
    }

    /// Starts a command of its own; what it says goes to the end of `daemon.log`.
    pub fn start(&self, command: &mut Command) -> Child {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.place.path("daemon.log")).unwrap();
        command.stdout(Stdio::null()).stderr(log).spawn().unwrap()
    }

    /// Waits until something is so; false when it is not for too long.
    pub fn wait(&self, mut is_so: impl FnMut(&Faked) -> bool) -> bool {
        let since = Stopwatch::start();
        while !is_so(self) {
            if since.elapsed() >= Duration::from_secs(WAIT_SECS_MAX) {
                return false;
            }
            std::thread::sleep(Duration::from_millis(LOOK_MS));
        }
        true
    }

    /// The last lines of what the daemons have logged.
    pub fn log(&self) -> String {
        let text = std::fs::read_to_string(self.place.path("daemon.log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// A call of the program that finds that time wherever it looks, but lets timers run as they are: with them faked,
    /// too, the program would wait for ever.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = before(&self.within, self.place.command(args));
        command.env("LD_PRELOAD", library()).env("TZ", "UTC").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        command.env("FAKETIME", format!("@{} x{}", self.now().format("%Y-%m-%d %H:%M:%S"), self.speed));
        command
    }
}

/// A program with others before it, each of which becomes the next.
fn before(others: &[String], program: Command) -> Command {
    let Some((first, more)) = others.split_first() else { return program };
    let mut command = Command::new(first);
    command.args(more).arg(program.get_program()).args(program.get_args()).stdin(Stdio::null());
    program.get_current_dir().map(|folder| command.current_dir(folder));
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// The library that faketime puts before a process. It is put there without faketime, which would stand between
/// the test and the process that the test kills.
fn library() -> &'static str {
    static LIBRARY: OnceLock<String> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        // It cannot begin under a number that an earlier process was killed with: what that shared lies there still.
        let ask = || peer::run("faketime", ["-m", "-f", "+0", "printenv", "LD_PRELOAD"]);
        let told = (0..ASKING_TRIES_MAX).map(|_| ask()).find(|told| told.status.success());
        let told = told.unwrap_or_else(|| panic!("{}", peer::said(&ask())));
        String::from_utf8(told.stdout).unwrap().trim().to_owned()
    })
}

/// A running daemon; it is killed when dropped.
pub struct Daemon(Child);

impl Daemon {
    /// Kills it where it stands.
    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Tells it to stop, waits until it has, and returns its exit code; none when it did not by itself.
    pub fn stop(mut self) -> Option<i32> {
        let told = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &self.0.id().to_string()]).status().unwrap();
        assert!(told.success(), "the daemon was gone before it was stopped");
        let since = Stopwatch::start();
        while since.elapsed() < Duration::from_secs(WAIT_SECS_MAX) {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(LOOK_MS));
        }
        None
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // One that has ended by itself needs no killing.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
