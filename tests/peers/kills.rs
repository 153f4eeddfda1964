//! The daemon killed at random moments around what is due, until the promises have held over many lives.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::draw::Draw;
use crate::faked::{Faked, instant};
use crate::taker::Taker;
use crate::told::{Told, recipients};

/// How many seeds are tried, and how many when there is time.
const N_SEEDS: u64 = 20;
const N_SEEDS_LONG: u64 = 200;
/// How many are tried side by side.
const N_THREADS: usize = 3;
/// How much faster than ours the daemons' time passes.
const SPEED: i32 = 10;
/// The minutes after the first in which something is due.
const N_MINUTES: i64 = 14;

/// One for each rule about what was missed; all leave at `hold` what nobody can tell.
const SCHEDULES: &str = r#"
[schedules.all]
cron = "0-13 6 20 11 *"
zone = "UTC"
catch_up = "all"
catch_up_max = 1000
formats = ["pdf"]
range_months = 3
[schedules.latest]
cron = "0-13/2 6 20 11 *"
zone = "UTC"
catch_up = "latest"
formats = ["pdf"]
range_months = 3
[schedules.none]
cron = "1-13/2 6 20 11 *"
zone = "UTC"
catch_up = "none"
formats = ["pdf"]
range_months = 3
"#;

/// What a schedule names, without asking the program.
fn named(schedule: &str) -> Vec<DateTime<Utc>> {
    let is_named = |minute: &i64| match schedule {
        "latest" => minute % 2 == 0,
        "none" => minute % 2 == 1,
        _ => true,
    };
    (0..N_MINUTES).filter(is_named).map(minute).collect()
}

fn minute(n: i64) -> DateTime<Utc> {
    instant("2026-11-20T06:00:00Z") + TimeDelta::minutes(n)
}

fn seconds(draw: &mut Draw, below: usize) -> TimeDelta {
    TimeDelta::seconds(draw.below(below) as i64)
}

/// Lets a daemon live: for some seconds of its time, or until it has begun to send one to three mails; and a moment
/// more.
fn live_and_be_killed(faked: &mut Faked, taker: &Taker, draw: &mut Draw) {
    let n_before = taker.n_begun(faked);
    let (n_sent_max, secs_max) = match draw.below(3) {
        0 => (usize::MAX, 8),
        1 => (usize::MAX, 20),
        _ => (1 + draw.below(3), 30),
    };
    let moment = Duration::from_millis(draw.below(20) as u64);
    let life = TimeDelta::milliseconds(draw.below(secs_max * 1000) as i64);
    let until = faked.now() + life;
    let daemon = faked.daemon();
    while faked.now() < until && taker.n_begun(faked).saturating_sub(n_before) < n_sent_max {
        std::thread::sleep(Duration::from_millis(2));
    }
    std::thread::sleep(moment);
    daemon.kill();
}

/// The next life begins a few seconds before a minute, or anywhere; some time after the last, or long after.
fn sleep_between(faked: &mut Faked, draw: &mut Draw) {
    let passed = if draw.below(5) == 0 { TimeDelta::minutes(6) } else { seconds(draw, 150) };
    let mut at = faked.now() + passed;
    if draw.below(3) > 0 {
        let to_the_minute = 60 - at.timestamp().rem_euclid(60);
        at += TimeDelta::seconds(to_the_minute) - seconds(draw, 7);
    }
    faked.sleep_until(at);
}

/// The first life: until the daemon is known to have looked, and a moment more. Returns by when it has.
fn first_life(faked: &mut Faked, draw: &mut Draw) -> DateTime<Utc> {
    let daemon = faked.daemon();
    let is_seen = faked.wait(|faked| {
        let gaps = faked.run(&["gaps", "--json"]);
        gaps.code != 0 || !gaps.out.contains("no daemon has seen it")
    });
    assert!(is_seen, "the daemon never looked:\n{}", faked.log());
    let seen_by = faked.now();
    std::thread::sleep(Duration::from_millis(draw.below(800) as u64));
    daemon.kill();
    seen_by
}

/// One seed's lives, the last of which is long enough, and what is told then. Every second one sends through a relay.
fn lives(sample: &Faked, seed: u64) -> Told {
    let mut draw = Draw(seed);
    let mut faked = sample.with(minute(-1) + seconds(&mut draw, 45), SPEED, SCHEDULES);
    let taker = if seed.is_multiple_of(2) { Taker::Outbox } else { Taker::relay(draw.below(3)) };
    taker.configure(&faked);
    let seen_by = first_life(&mut faked, &mut draw);
    while faked.now() < minute(N_MINUTES) {
        live_and_be_killed(&mut faked, &taker, &mut draw);
        sleep_between(&mut faked, &mut draw);
    }
    // By then no row may be absent on the ground that a daemon is just about to look.
    faked.sleep_until(minute(N_MINUTES + 6));
    let daemon = faked.daemon();
    // What never settles is told below, by name.
    faked.wait(|faked| faked.run(&["gaps"]).code == 0);
    let code = daemon.stop();
    let mut told = Told::by(&faked, taker.mails(&faked));
    if code != Some(0) {
        told.broken.push(format!("the last daemon ended with {code:?}"));
    }
    judge(&mut told, seen_by, &recipients(&faked));
    if !told.broken.is_empty() {
        told.broken.push(faked.log());
    }
    told
}

/// Every minute that a schedule names has a row, and every recipient a delivery.
fn judge(told: &mut Told, seen_by: DateTime<Utc>, everybody: &[String]) {
    for schedule in ["all", "latest", "none"] {
        let named = named(schedule);
        let must: Vec<_> = named.iter().copied().filter(|at| *at > seen_by).collect();
        told.expect_rows(schedule, &must, &named);
        // Where every occurrence was missed nobody is to get anything.
        if told.rows.iter().any(|row| row.schedule == schedule && row.state != "missed") {
            told.expect_recipients(schedule, everybody);
        }
    }
    let given_up = told.rows.iter().filter(|row| row.schedule == "all" && matches!(&*row.state, "missed" | "skipped"));
    let given_up: Vec<_> = given_up.map(|row| format!("`all` has {} as {}", row.at, row.state)).collect();
    told.broken.extend(given_up);
}

/// What all seeds came to.
#[derive(Default)]
struct Sum {
    failures: Vec<String>,
    states: BTreeSet<String>,
    n_tried_again: usize,
    /// How many deliveries ended in which state.
    n_by_end: BTreeMap<String, usize>,
}

impl Sum {
    fn add(&mut self, seed: u64, told: std::thread::Result<Told>) {
        let Ok(told) = told else {
            return self.failures.push(format!("seed {seed} broke off, see above"));
        };
        self.states.extend(told.rows.into_iter().map(|row| row.state));
        self.n_tried_again += told.n_tried_again;
        told.deliveries.into_iter().for_each(|row| *self.n_by_end.entry(row.state).or_default() += 1);
        self.failures.extend(told.broken.into_iter().map(|what| format!("seed {seed}: {what}")));
    }
}

/// One seed, where it is asked for, or as many as there is time for.
fn seeds() -> std::ops::Range<u64> {
    if let Ok(seed) = std::env::var("PRESSRUN_SEED") {
        let seed = seed.parse().unwrap();
        return seed..seed + 1;
    }
    0..if std::env::var_os("PRESSRUN_LONG").is_some() { N_SEEDS_LONG } else { N_SEEDS }
}

#[test]
fn a_daemon_killed_at_any_moment_forgets_no_occurrence_and_sends_no_mail_twice() {
    let sample = Faked::sample(instant("2026-11-20T05:00:00Z"), 1);
    let seeds = seeds();
    let is_one = seeds.end - seeds.start == 1;
    let (seeds, sum) = (Mutex::new(seeds), Mutex::new(Sum::default()));
    let work = || {
        loop {
            // What one seed shows is to be looked at before others are tried.
            let is_failed = !sum.lock().unwrap().failures.is_empty();
            let Some(seed) = seeds.lock().unwrap().next().filter(|_| !is_failed) else { return };
            let told = std::panic::catch_unwind(AssertUnwindSafe(|| lives(&sample, seed)));
            sum.lock().unwrap().add(seed, told);
        }
    };
    std::thread::scope(|scope| (0..N_THREADS).for_each(|_| drop(scope.spawn(work))));
    let Sum { failures, states, n_tried_again, n_by_end } = sum.into_inner().unwrap();
    assert!(failures.is_empty(), "{}\nagain: PRESSRUN_SEED=N with one of these", failures.join("\n"));
    // Over many seeds, what it is about must have happened.
    let n = |end: &str| n_by_end.get(end).copied().unwrap_or_default();
    let n_all: usize = n_by_end.values().sum();
    let is_hit = n_tried_again > 0 && n("uncertain") > 0 && n("delivered") > n_all / 2;
    let is_whole = is_hit && states.contains("done") && states.contains("missed");
    assert!(is_one || is_whole, "{n_by_end:?}, runs {states:?}, {n_tried_again} tried again");
}
