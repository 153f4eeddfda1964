//! The ledger's disk full and the archive gone in the middle of a run for two hundred recipients: nothing goes out twice,
//! nothing is lost, and it goes on by itself when they are back.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use chrono::TimeDelta;
use serde_json::Value;

use crate::crowd::{self, how_far};
use crate::faked::{Daemon, Faked, instant};
use crate::smtp::{At, Fault};
use crate::taker::Taker;
use crate::told::{Told, recipients};

const N_PARTNERS: usize = 6;
/// How many mails were taken before something goes wrong with those that follow.
const N_BEFORE: usize = 30;
/// How many may be on their way then: as many as are claimed at once, and as are handed over at the same time.
const ON_THEIR_WAY_MAX: usize = 16 + 4;
/// How late the relay answers, in milliseconds, so that there is a middle.
const LATE_MS: u64 = 20;
/// How large the ledger's disk is: room for all of it, and not much more.
const DISK: &str = "16m";

/// So long before it is due that a daemon is up by then on the slowest machine.
const EARLY: TimeDelta = TimeDelta::minutes(-5);

fn relay(faked: &Faked) -> Taker {
    let taker = Taker::relay(0);
    if let Taker::Relay { running, .. } = &taker {
        running.add((At::Kept, "", usize::MAX, Fault::Late(LATE_MS)));
    }
    taker.configure(faked);
    taker
}

fn n_taken(taker: &Taker, faked: &Faked) -> usize {
    taker.mails(faked).values().sum()
}

/// Waits for that, or tells what the program said.
#[track_caller]
fn wait(faked: &Faked, what: &str, is_so: impl FnMut(&Faked) -> bool) {
    assert!(faked.wait(is_so), "{what}: it never came\n{}", faked.log());
}

/// What is done with the run that is due: by a daemon, or by hand.
enum Hand {
    Daemon(Daemon),
    Call(Child),
}

const BY_HAND: [&str; 2] = ["run", "all"];

/// Lets a daemon see the schedule: what comes due from then on is run, however late the next one is up.
fn see(faked: &mut Faked) {
    let daemon = faked.daemon();
    wait(faked, "a look", |faked| {
        let gaps = faked.run(&["gaps", "--json"]);
        gaps.code == 0 && !gaps.out.contains("no daemon has seen it")
    });
    assert_eq!(daemon.stop(), Some(0), "{}", faked.log());
}

impl Hand {
    fn begin(faked: &mut Faked, is_daemon: bool) -> Hand {
        match is_daemon {
            true => {
                see(faked);
                faked.sleep_until(instant(crowd::DUE_AT));
                Hand::Daemon(faked.daemon())
            }
            false => Hand::Call(faked.start(&mut faked.command(&BY_HAND))),
        }
    }

    /// Its exit code: a daemon is told to stop, a call is waited for.
    fn end(self) -> Option<i32> {
        match self {
            Hand::Daemon(daemon) => daemon.stop(),
            Hand::Call(mut child) => child.wait().unwrap().code(),
        }
    }
}

/// Everybody has the mail, or the edition had nothing to report; nothing is left for an admin.
fn judge(faked: &Faked, taker: &Taker) {
    let mut told = Told::by(faked, taker.mails(faked));
    told.expect_recipients("all", &recipients(faked));
    for state in ["uncertain", "failed"] {
        let n = told.n_deliveries(state);
        if n > 0 {
            told.broken.push(format!("{n} deliveries are {state}"));
        }
    }
    assert!(told.broken.is_empty(), "{}\n{}", told.broken.join("\n"), faked.log());
    assert!(told.n_deliveries("delivered") > crowd::N_RECIPIENTS / 2);
}

/// A small disk for the ledger, which programs see that are put into its namespace. It is gone when dropped.
struct Disk {
    holder: Child,
    folder: PathBuf,
}

impl Disk {
    fn mount(faked: &mut Faked) -> Disk {
        let folder = faked.place.path("disk");
        std::fs::create_dir(&folder).unwrap();
        // The one who holds it ends with this process, too, by the end of its input.
        let held = format!("mount -t tmpfs -o size={DISK} none disk && echo there && exec cat");
        let mut holder = Command::new("unshare");
        holder.args(["--map-root-user", "--mount", "sh", "-c", &held]).current_dir(faked.place.dir.path());
        let mut holder = holder.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(holder.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said, "there\n", "no disk of its own: this needs root, or user namespaces that are allowed");
        let target = format!("--target={}", holder.id());
        let enter = ["nsenter", &target, "--user", "--mount", "--preserve-credentials", "--wd"];
        faked.within = enter.map(str::to_owned).to_vec();
        let path = faked.place.path("pressrun.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("data/ledger.db", "disk/ledger.db")).unwrap();
        // Another process's root is another way to the same files.
        let folder = PathBuf::from(format!("/proc/{}/root{}", holder.id(), folder.display()));
        Disk { holder, folder }
    }

    /// Writes a file into it until it takes no more.
    fn fill(&self) {
        let mut ballast = std::fs::File::create(self.folder.join("ballast")).unwrap();
        for n_bytes in [65_536, 512, 1] {
            while ballast.write_all(&vec![0; n_bytes]).is_ok() {}
        }
    }

    fn make_room(&self) {
        std::fs::remove_file(self.folder.join("ballast")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.holder.kill().ok();
        self.holder.wait().ok();
    }
}

/// The disk is full from the thirtieth mail on, until there is room again.
fn check_full_disk(is_daemon: bool) {
    let mut faked = crowd::with(&crowd::sample(N_PARTNERS), EARLY, "");
    let disk = Disk::mount(&mut faked);
    let taker = relay(&faked);
    let hand = Hand::begin(&mut faked, is_daemon);
    wait(&faked, "the thirtieth mail", |faked| n_taken(&taker, faked) >= N_BEFORE);
    disk.fill();
    let n_at_most = n_taken(&taker, &faked) + ON_THEIR_WAY_MAX;
    let says = |faked: &Faked| faked.log().contains("no space is left for the ledger; hint: make space");
    wait(&faked, "what is wrong and what to do", says);
    // Long enough for some beats of the daemon.
    std::thread::sleep(std::time::Duration::from_secs(6));
    let n_meanwhile = n_taken(&taker, &faked);
    assert!(n_meanwhile <= n_at_most, "{n_meanwhile} went out, of which no row could be written");
    let n_lines = faked.log().lines().filter(|line| line.contains("no space is left")).count();
    assert!(n_lines <= 10, "it tries without a pause\n{}", faked.log());
    if !is_daemon {
        // One that begins now says so, too, and is over.
        let late = faked.run(&BY_HAND).with(1);
        assert!(late.err.contains("no space is left for the ledger\nhint: make space"), "{}", late.err);
    }
    disk.make_room();
    match hand {
        Hand::Daemon(_) => {
            wait(&faked, "the end of the run", |faked| how_far(faked).1);
            assert_eq!(hand.end(), Some(0), "{}", faked.log());
        }
        // What it had to write down waited for room; what it was about to claim ends it, if that came first.
        Hand::Call(_) => match hand.end() {
            Some(1) => assert!(faked.log().contains("error: no space is left for the ledger"), "{}", faked.log()),
            code => assert_eq!(code, Some(0), "{}", faked.log()),
        },
    }
    faked.run(&BY_HAND).with(0);
    assert!(how_far(&faked).1, "the next call goes on with what was left\n{}", faked.log());
    judge(&faked, &taker);
}

#[test]
fn a_daemon_whose_disk_is_full_goes_on_when_there_is_room_and_sends_nothing_twice() {
    check_full_disk(true);
}

#[test]
fn a_run_by_hand_whose_disk_is_full_goes_on_when_there_is_room_and_sends_nothing_twice() {
    check_full_disk(false);
}

/// The rows of a run's list whose reason contains that.
fn n_with(faked: &Faked, list: &str, reason: &str) -> usize {
    let runs = faked.run(&["status", "--json"]).with(0).json()["runs"].clone();
    let ids = runs.as_array().unwrap().iter().map(|run| run["run"]["id"].to_string());
    let is_it = |row: &&Value| row["reason"].as_str().unwrap().contains(reason);
    let n_of = |id: String| {
        let told = faked.run(&["status", "--json", "--run", &id]).with(0).json();
        told[list]["rows"].as_array().unwrap().iter().filter(is_it).count()
    };
    ids.map(n_of).sum()
}

/// What is in the archive's place meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Instead {
    /// A file, so that no folder can be made there.
    File,
    Folder,
}

/// Takes the archive away, waits until rows of that list say so, and brings it back. Nothing goes out meanwhile but what
/// was on its way.
fn away(faked: &Faked, taker: &Taker, instead: Instead, (list, reason): (&str, &str)) {
    let (archive, gone) = (faked.place.path("archive"), faked.place.path("gone"));
    std::fs::rename(&archive, &gone).unwrap();
    match instead {
        Instead::File => std::fs::write(&archive, b"").unwrap(),
        Instead::Folder => std::fs::create_dir(&archive).unwrap(),
    }
    let n_at_most = n_taken(taker, faked) + ON_THEIR_WAY_MAX;
    wait(faked, reason, |faked| n_with(faked, list, reason) > 0);
    assert!(n_taken(taker, faked) <= n_at_most, "mails went out whose files could not be read\n{}", faked.log());
    match instead {
        Instead::File => std::fs::remove_file(&archive).unwrap(),
        // Nothing was put into it: else it could not be removed.
        Instead::Folder => std::fs::remove_dir(&archive).unwrap(),
    }
    std::fs::rename(&gone, &archive).unwrap();
}

fn n_packs(faked: &Faked) -> usize {
    faked.place.files("archive").iter().filter(|file| file.ends_with("edition.json")).count()
}

/// The archive is away once while packs are filed and once while mails are sent.
fn check_archive(is_daemon: bool) {
    let mut faked = crowd::with(&crowd::sample(N_PARTNERS), EARLY, "");
    let taker = relay(&faked);
    let mut hand = Hand::begin(&mut faked, is_daemon);
    // A call by hand ends, and another goes on with what it left.
    let next = |faked: &mut Faked, hand: Hand| match hand {
        Hand::Daemon(_) => hand,
        Hand::Call(_) => {
            assert_eq!(hand.end(), Some(1), "{}", faked.log());
            Hand::begin(faked, false)
        }
    };
    wait(&faked, "a pack", |faked| n_packs(faked) >= 2);
    away(&faked, &taker, Instead::File, ("editions", "the folder is away; hint: bring it back"));
    let says = |faked: &Faked| faked.log().contains("the folder is away; hint: bring it back");
    wait(&faked, "what is wrong and what to do", says);
    hand = next(&mut faked, hand);
    wait(&faked, "the thirtieth mail", |faked| n_taken(&taker, faked) >= N_BEFORE);
    away(&faked, &taker, Instead::File, ("deliveries", "its files cannot be read: archive"));
    hand = next(&mut faked, hand);
    wait(&faked, "the end of the run", |faked| how_far(faked).1);
    assert_eq!(hand.end(), Some(0), "{}", faked.log());
    faked.run(&BY_HAND).with(0);
    judge(&faked, &taker);
}

#[test]
fn a_daemon_whose_archive_is_away_goes_on_when_it_is_back_and_sends_nothing_twice() {
    check_archive(true);
}

#[test]
fn a_run_by_hand_whose_archive_is_away_is_gone_on_with_when_it_is_back_and_sends_nothing_twice() {
    check_archive(false);
}

#[test]
fn an_empty_archive_in_the_place_of_the_one_that_was_sends_nothing_and_loses_nothing() {
    let mut faked = crowd::with(&crowd::sample(N_PARTNERS), EARLY, "");
    let taker = relay(&faked);
    let hand = Hand::begin(&mut faked, false);
    wait(&faked, "the thirtieth mail", |faked| n_taken(&taker, faked) >= N_BEFORE);
    away(&faked, &taker, Instead::Folder, ("deliveries", "`edition.json` is missing"));
    // What could not be read is tried again later.
    assert_eq!(hand.end(), Some(1), "{}", faked.log());
    faked.sleep_until(faked.now() + TimeDelta::minutes(1));
    faked.run(&BY_HAND).with(0);
    judge(&faked, &taker);
}
