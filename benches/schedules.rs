//! What ten thousand schedules cost: what is due, the next occurrence of each, the metrics of a daemon, reading them
//! from a configuration; and a year of a hundred, hour by hour.
//!
//! Prints CPU times, medians where there are several; nothing is asserted. `cargo bench --bench schedules`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints, and stops where it cannot go on")]

use std::fmt::Write as _;

use chrono::{DateTime, Duration, Utc};
use cpu_time::ProcessTime;
use pressrun::clock::{Clock as _, ManualClock};
use pressrun::config::{self, Config, ScheduleSettings};
use pressrun::schedule::due;

/// As many as a configuration may have.
const N_SCHEDULES: usize = 10_000;
/// Of how many a year is gone through.
const N_OF_A_YEAR: usize = 100;
/// How often each measurement is repeated.
const N_MEASURED: usize = 11;
/// The window of a heartbeat, in seconds.
const WINDOW_SECS: i64 = 5;

/// A time at which many are due, and one at which none is.
const BUSY: &str = "2026-11-23T05:00:02Z";
const QUIET: &str = "2026-11-24T13:07:31Z";

const ZONES: [&str; 8] = [
    "Europe/Berlin",
    "Europe/Paris",
    "Europe/London",
    "America/New_York",
    "America/Los_Angeles",
    "Asia/Tokyo",
    "Australia/Sydney",
    "UTC",
];
const CALENDARS: [&str; 6] = ["france", "germany", "italy", "spain", "uk", "us"];
const ON: [&str; 8] = [
    "first business day on or after the 21st",
    "last business day on or before the 15th",
    "3rd business day",
    "last business day",
    "the 21st",
    "last day",
    "2nd Tuesday",
    "last Friday",
];
const CRON: [&str; 4] = ["0 6 22W * *", "30 5 * * MON-FRI", "0 6 1 1,4,7,10 *", "0 */4 L * *"];

/// A configuration of so many schedules: of five, one is an expression, one weekly, one quarterly, two are monthly.
fn written(n: usize) -> String {
    let mut text =
        "[facts]\ndatabase = \"facts.db\"\n[ledger]\ndatabase = \"ledger.db\"\n[archive]\nfolder = \"archive\"\n\
        [mail]\nfrom = \"r@example.com\"\ncontact = \"admin\"\noutbox = \"outbox\"\n"
            .to_owned();
    for n in 0..n {
        let (zone, calendar) = (ZONES[n / 5 % ZONES.len()], CALENDARS[n / 40 % CALENDARS.len()]);
        let (hour, minute) = (4 + n / 7 % 6, n / 11 % 12 * 5);
        write!(text, "[schedules.s{n:05}]\nzone = \"{zone}\"\n").unwrap();
        match n % 5 {
            0 => writeln!(text, "cron = \"{}\"", CRON[n / 5 % CRON.len()]),
            1 => writeln!(text, "every = \"week\"\non = \"Monday, Thursday\"\nat = [\"{hour:02}:{minute:02}\"]"),
            2 => writeln!(text, "every = \"quarter\"\non = \"{}\"\ncalendar = \"{calendar}\"", ON[n / 5 % ON.len()]),
            _ => writeln!(
                text,
                "on = \"{}\"\ncalendar = \"{calendar}\"\nat = [\"{hour:02}:{minute:02}\", \"18:00\"]",
                ON[n / 5 % ON.len()]
            ),
        }
        .unwrap();
    }
    text
}

/// The median of CPU milliseconds and the first of them, when nothing is in a cache, with what the work gave.
fn timed<T>(mut work: impl FnMut() -> T) -> (String, T) {
    let mut last = None;
    let mut times: Vec<f64> = (0..N_MEASURED)
        .map(|_| {
            let before = ProcessTime::now();
            last = Some(work());
            before.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    let first = times[0];
    times.sort_by(f64::total_cmp);
    (format!("{:9.1} {first:9.1}", times[times.len() / 2]), last.unwrap())
}

fn load(folder: &std::path::Path, n: usize) -> Config {
    let file = folder.join(format!("{n}.toml"));
    std::fs::write(&file, written(n)).unwrap();
    config::load(&file).unwrap()
}

/// How many occurrences came due in a window.
fn n_due(schedules: &[ScheduleSettings], since: DateTime<Utc>, now: DateTime<Utc>) -> usize {
    let of = |one: &ScheduleSettings| due(&one.timing, one.lateness(), since, now);
    schedules.iter().map(|one| of(one).due.len()).sum()
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pressrun.toml");
    let text = written(N_SCHEDULES);
    std::fs::write(&file, &text).unwrap();
    let (ms, config) = timed(|| config::load(&file).unwrap());
    println!(
        "{N_SCHEDULES} schedules, {} KB of TOML; medians of {N_MEASURED} and the first, CPU ms on one core",
        text.len() / 1000
    );
    println!("{ms}  load and check the configuration");
    for (name, at) in [("busy", BUSY), ("quiet", QUIET)] {
        let now: DateTime<Utc> = at.parse().unwrap();
        let (ms, n) = timed(|| n_due(&config.schedules, now - Duration::seconds(WINDOW_SECS), now));
        println!("{ms}  what is due in {WINDOW_SECS} s at a {name} time: {n}");
        let (ms, n) = timed(|| config.schedules.iter().filter(|one| one.timing.cadence.next_at(now).is_some()).count());
        println!("{ms}  the instant of the next occurrence of each: {n}");
        let (ms, n) =
            timed(|| config.schedules.iter().map(|one| one.timing.cadence.next_after(now, 1).len()).sum::<usize>());
        println!("{ms}  the same in words: {n}");
    }
    a_year(&load(folder.path(), N_OF_A_YEAR).schedules);
}

/// A year by the hour, as a daemon that looks once an hour would go through it.
fn a_year(schedules: &[ScheduleSettings]) {
    let start: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
    let clock = ManualClock::at(start);
    let before = ProcessTime::now();
    let mut n = 0;
    while clock.now() < start + Duration::days(365) {
        let since = clock.now();
        clock.advance(Duration::hours(1));
        n += n_due(schedules, since, clock.now());
    }
    println!("{:19.2}  s CPU: a year of {N_OF_A_YEAR} schedules by the hour: {n}", before.elapsed().as_secs_f64());
}
