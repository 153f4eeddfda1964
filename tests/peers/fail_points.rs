//! Fail points without a line in the product: whatever is durable and whatever is handed over is a system call, and
//! strace kills the process at the one that is chosen, before it is done.

use std::collections::BTreeMap;
use std::process::Command;

use crate::faked::Faked;
use crate::peer;

/// A kind of fail points.
#[derive(PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Kind {
    pub name: &'static str,
    syscall: &'static str,
    at: At,
}

/// Which of the calls are meant, by the file that they are about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum At {
    Ledger,
    Archive,
    Outbox,
    Anywhere,
}

pub const LEDGER_WRITTEN: Kind = Kind { name: "a page of the ledger is written", syscall: "pwrite64", at: At::Ledger };
pub const LEDGER_SYNCED: Kind = Kind { name: "the ledger is synced", syscall: "fsync", at: At::Ledger };
pub const FILE_WRITTEN: Kind = Kind { name: "a file of a pack is written", syscall: "write", at: At::Archive };
pub const FILE_SYNCED: Kind = Kind { name: "a file or folder of a pack is synced", syscall: "fsync", at: At::Archive };
pub const FILE_NAMED: Kind = Kind { name: "a file of a pack is named", syscall: "linkat", at: At::Anywhere };
pub const MAIL_NAMED: Kind = Kind { name: "a mail in the outbox is named", syscall: "renameat2", at: At::Anywhere };
pub const OUTBOX_SYNCED: Kind = Kind { name: "the outbox is synced", syscall: "fsync", at: At::Outbox };
pub const RELAY_CALLED: Kind = Kind { name: "the relay is called", syscall: "connect", at: At::Anywhere };
pub const RELAY_TOLD: Kind = Kind { name: "the relay is told something", syscall: "sendto", at: At::Anywhere };

/// Where a process is killed: as one of its threads makes the nth call of a kind, from 1. strace counts for each thread.
#[derive(Clone, Debug)]
pub struct Point {
    pub kind: &'static Kind,
    pub nth: usize,
}

/// What a whole run does, as it was once recorded.
pub struct Whole {
    /// Every path in the archive that it writes to, from the workplace.
    archive: Vec<String>,
    /// How often the busiest thread makes the calls of a kind.
    n_max: BTreeMap<&'static str, usize>,
}

impl Whole {
    /// Records a run by hand in that place.
    pub fn record(faked: &Faked, args: &[&str], kinds: &[&'static Kind]) -> Whole {
        let calls: Vec<&str> = kinds.iter().map(|kind| kind.syscall).collect();
        let options = ["-e".to_owned(), format!("trace={}", calls.join(","))];
        let recorded = strace(faked, args, &options).output().unwrap();
        assert!(recorded.status.success(), "{}", peer::said(&recorded));
        let text = std::fs::read_to_string(faked.place.path("trace")).unwrap();
        let mut n: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for line in text.lines() {
            let (thread, call) = line.split_once(' ').unwrap_or_default();
            for kind in kinds.iter().filter(|kind| kind.is_meant(call.trim_start())) {
                *n.entry((kind.name, thread)).or_default() += 1;
            }
        }
        let mut n_max = BTreeMap::new();
        for ((kind, _), n) in n {
            let most: &mut usize = n_max.entry(kind).or_default();
            *most = n.max(*most);
        }
        Whole { archive: written(&text, faked.place.text()), n_max }
    }

    /// The point of a kind that lies so many percent into the run.
    pub fn point(&self, kind: &'static Kind, percent: usize) -> Point {
        let n_max = self.n_max.get(kind.name).copied().unwrap_or_default();
        assert!(n_max > 0, "a whole run makes no call of `{}`", kind.name);
        Point { kind, nth: (n_max * percent / 100).clamp(1, n_max) }
    }

    /// A call of the program that is killed there.
    pub fn killed_at(&self, faked: &Faked, args: &[&str], point: &Point) -> Command {
        let Kind { syscall, at, .. } = point.kind;
        // With strace standing aside: the process that is started is the program's own.
        let mut options = vec!["-D".to_owned(), "-e".to_owned(), format!("trace={syscall}")];
        options.extend(["-e".to_owned(), format!("inject={syscall}:signal=KILL:when={}", point.nth)]);
        let mut only = |path: &str| options.extend(["-P".to_owned(), format!("{}/{path}", faked.place.text())]);
        match at {
            At::Ledger => only("data/ledger.db-wal"),
            At::Archive => self.archive.iter().for_each(|path| only(path)),
            At::Outbox => only("outbox"),
            At::Anywhere => {}
        }
        strace(faked, args, &options)
    }
}

impl Kind {
    /// Whether a line of a trace begins a call of the kind.
    fn is_meant(&self, call: &str) -> bool {
        let Some(call) = call.strip_prefix(self.syscall).and_then(|rest| rest.strip_prefix('(')) else { return false };
        match self.at {
            At::Ledger => call.contains("/data/ledger.db-wal>"),
            At::Archive => call.contains("/archive"),
            At::Outbox => call.contains("/outbox>"),
            At::Anywhere => true,
        }
    }
}

/// The paths below the archive, and its own, that are open while they are written or synced.
fn written(trace: &str, place: &str) -> Vec<String> {
    let opened = trace.lines().filter_map(|line| line.split_once('<')?.1.split_once('>'));
    let ours = opened.filter_map(|(path, _)| path.strip_prefix(place)?.strip_prefix('/'));
    let mut paths: Vec<String> = ours.filter(|path| path.starts_with("archive")).map(str::to_owned).collect();
    paths.sort();
    paths.dedup();
    paths
}

/// The program under strace; not with `--seccomp-bpf`, by which no signal comes.
fn strace(faked: &Faked, args: &[&str], options: &[String]) -> Command {
    let program = faked.command(args);
    let mut command = peer::command("strace");
    command.args(["-f", "-qq", "-y", "-o"]).arg(faked.place.path("trace")).args(options);
    for (name, value) in program.get_envs() {
        // For the program only: strace lives at our time.
        let value = value.map(|value| format!("={}", value.to_str().unwrap())).unwrap_or_default();
        command.args(["-E".to_owned(), format!("{}{value}", name.to_str().unwrap())]);
    }
    command.arg(program.get_program()).args(program.get_args());
    command.current_dir(program.get_current_dir().unwrap());
    command
}
