//! A run for two hundred recipients killed at every fail point and at random moments, until it is over: everybody has
//! one mail, or a row that says why not.

use std::collections::{BTreeMap, VecDeque};
use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use chrono::TimeDelta;
use pressrun::clock::Stopwatch;

use crate::crowd::{self, how_far};
use crate::draw::Draw;
use crate::fail_points::{self, Kind, Point, Whole};
use crate::faked::Faked;
use crate::taker::Taker;
use crate::told::{Rule, Told, recipients};

/// How many kills there are, and how many when there is time.
const N_KILLS: usize = 20;
const N_KILLS_LONG: usize = 300;
/// How many partners there are.
const N_PARTNERS: usize = 6;
/// How often one run is killed: an edition whose worker is gone for the tenth time is given up.
const LIVES_MAX: usize = 8;
/// How long a process may live that always ends, in seconds.
const LIFE_SECS_MAX: u64 = 60;
/// The longest life that ends at a random moment, in milliseconds.
const MOMENT_MS_MAX: usize = 4_000;

/// Nothing is due by itself for a year.
const LATE: TimeDelta = TimeDelta::seconds(1);

/// How runs are made and sent.
struct Mode {
    name: &'static str,
    is_relay: bool,
    rule: Rule,
    /// Whether a daemon goes on with what was begun by hand.
    is_daemon: bool,
    kinds: &'static [&'static Kind],
}

const INTO_THE_OUTBOX: [&Kind; 7] = [
    &fail_points::FILE_NAMED,
    &fail_points::FILE_WRITTEN,
    &fail_points::FILE_SYNCED,
    &fail_points::LEDGER_WRITTEN,
    &fail_points::OUTBOX_SYNCED,
    &fail_points::MAIL_NAMED,
    &fail_points::LEDGER_SYNCED,
];
const TO_THE_RELAY: [&Kind; 7] = [
    &fail_points::FILE_SYNCED,
    &fail_points::FILE_NAMED,
    &fail_points::FILE_WRITTEN,
    &fail_points::LEDGER_SYNCED,
    &fail_points::RELAY_CALLED,
    &fail_points::RELAY_TOLD,
    &fail_points::LEDGER_WRITTEN,
];

const MODES: [Mode; 3] = [
    Mode { name: "outbox", is_relay: false, rule: Rule::Hold, is_daemon: true, kinds: &INTO_THE_OUTBOX },
    Mode { name: "hold", is_relay: true, rule: Rule::Hold, is_daemon: false, kinds: &TO_THE_RELAY },
    Mode { name: "resend", is_relay: true, rule: Rule::Resend, is_daemon: true, kinds: &TO_THE_RELAY },
];

/// How a life ends, if the run is not over before.
#[derive(Clone, Debug)]
enum Death {
    At(Point),
    /// After so many milliseconds.
    After(usize),
}

impl Death {
    /// The same, earlier.
    fn sooner(&mut self) {
        match self {
            Death::At(point) => point.nth = point.nth.div_ceil(2),
            Death::After(ms) => *ms /= 2,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Death::At(point) => point.kind.name,
            Death::After(_) => "a random moment",
        }
    }
}

/// The deaths in one mode: of every kind near its begin, its middle and its end, and then whatever is drawn.
fn deaths(mode: &Mode, whole: &Whole, n: usize, draw: &mut Draw) -> VecDeque<Death> {
    let mut deaths = VecDeque::new();
    for round in 0..3 {
        for (i, kind) in mode.kinds.iter().enumerate() {
            let percent = [5, 50, 90][(i + round) % 3];
            deaths.push_back(Death::At(whole.point(kind, percent)));
            if i == 3 {
                deaths.push_back(Death::After(draw.below(MOMENT_MS_MAX)));
            }
        }
    }
    while deaths.len() < n {
        deaths.push_back(match draw.below(4) {
            0 => Death::After(draw.below(MOMENT_MS_MAX)),
            _ => Death::At(whole.point(mode.kinds[draw.below(mode.kinds.len())], draw.below(101))),
        });
    }
    deaths.truncate(n);
    deaths
}

/// A workplace in that mode.
fn open(sample: &Faked, mode: &Mode) -> (Faked, Taker) {
    let rule = if mode.rule == Rule::Resend { "uncertain = \"resend\"\n" } else { "" };
    // A kill costs all that were claimed an attempt.
    let retries = "[mail.retries]\nattempts_max = 100\nbackoff_secs_min = 1\nbackoff_secs_max = 1\n";
    let (faked, taker) = match mode.is_relay {
        true => (crowd::with(sample, LATE, rule), Taker::relay(0)),
        false => (crowd::with(sample, LATE, &format!("{rule}{retries}")), Taker::Outbox),
    };
    taker.configure(&faked);
    let path = faked.place.path("pressrun.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, text.replace("[mail.retries]\nbackoff", "[mail.retries]\nattempts_max = 100\nbackoff"))
        .unwrap();
    (faked, taker)
}

const BY_HAND: [&str; 2] = ["run", "all"];

/// One life; whether it was killed before the run was over.
fn live(faked: &Faked, whole: &Whole, is_daemon: bool, death: &Death) -> bool {
    let args: &[&str] = if is_daemon { &["daemon"] } else { &BY_HAND };
    let (mut command, ms_max) = match death {
        Death::At(point) => (whole.killed_at(faked, args, point), usize::MAX),
        Death::After(ms) => (faked.command(args), *ms),
    };
    let mut child = faked.start(&mut command);
    let since = Stopwatch::start();
    let mut n_looks = 0;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.signal() == Some(9);
        }
        let lived = since.elapsed();
        let is_time = lived.as_millis() as usize >= ms_max;
        n_looks += 1;
        let is_over = is_daemon && (is_time || n_looks % 100 == 0) && how_far(faked).1;
        if is_time || is_over || lived.as_secs() >= LIFE_SECS_MAX {
            child.kill().unwrap();
            child.wait().unwrap();
            assert!(lived.as_secs() < LIFE_SECS_MAX, "it does not end: {death:?}\n{}", faked.log());
            return !is_over;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What all runs came to.
#[derive(Default)]
struct Sum {
    /// How many kills hit, by what they hit.
    n_hits: BTreeMap<&'static str, usize>,
    /// How many deliveries ended in which state.
    n_by_end: BTreeMap<String, usize>,
    n_tried_again: usize,
    broken: Vec<String>,
}

/// One run, killed until it is over or nothing of that is left to be done, and then gone on with to its end.
fn lives(sample: &Faked, mode: &Mode, whole: &Whole, deaths: &mut VecDeque<Death>, sum: &mut Sum) {
    let (mut faked, taker) = open(sample, mode);
    let mut died = Vec::new();
    for _ in 0..LIVES_MAX {
        let Some(death) = deaths.front_mut() else { break };
        let is_daemon = mode.is_daemon && how_far(&faked).0;
        if !live(&faked, whole, is_daemon, death) {
            death.sooner();
            break;
        }
        *sum.n_hits.entry(death.name()).or_default() += 1;
        died.extend(deaths.pop_front());
    }
    if mode.is_daemon && how_far(&faked) == (true, false) {
        let daemon = faked.daemon();
        // What never ends is told below, by name.
        faked.wait(|faked| how_far(faked).1);
        assert_eq!(daemon.stop(), Some(0), "{}", faked.log());
    }
    // The first goes on where there is no daemon; another finds nothing to do.
    let goes_on = faked.run(&BY_HAND);
    let mails = taker.mails(&faked);
    let again = faked.run(&BY_HAND);
    let mut told = Told::under(mode.rule, &faked, mails.clone());
    told.expect_recipients("all", &recipients(&faked));
    if taker.mails(&faked) != mails {
        told.broken.push("a run that was over sent again".to_owned());
    }
    // An outbox can tell what it has, and under `resend` nothing waits for anybody.
    let may_wait = mode.is_relay && mode.rule == Rule::Hold;
    if told.n_deliveries("failed") > 0 || (told.n_deliveries("uncertain") > 0 && !may_wait) {
        told.broken.push(format!("what can be told was not found out: {}", again.out));
    }
    if !told.broken.is_empty() {
        told.broken.truncate(20);
        let story = format!("{}: {died:?}\n{}{}\n{}", mode.name, goes_on.out, again.out, faked.log());
        sum.broken.extend(told.broken.into_iter().chain([story]));
    }
    sum.n_tried_again += told.n_tried_again;
    told.deliveries.into_iter().for_each(|row| *sum.n_by_end.entry(row.state).or_default() += 1);
}

/// All kills of a mode.
fn check(sample: &Faked, mode: &Mode, n_kills: usize) -> Sum {
    let (recorded, taker) = open(sample, mode);
    let whole = Whole::record(&recorded, &BY_HAND, mode.kinds);
    drop(taker);
    let mut draw = Draw(n_kills as u64);
    let mut deaths = deaths(mode, &whole, n_kills, &mut draw);
    let mut sum = Sum::default();
    while !deaths.is_empty() && sum.broken.is_empty() {
        lives(sample, mode, &whole, &mut deaths, &mut sum);
    }
    sum
}

#[test]
fn whoever_is_to_get_a_mail_has_one_or_a_row_that_says_why_not_wherever_the_run_is_killed() {
    let is_long = std::env::var_os("PRESSRUN_LONG").is_some();
    let n_kills = if is_long { N_KILLS_LONG } else { N_KILLS };
    let sample = crowd::sample(N_PARTNERS);
    let share = |i: usize| n_kills / MODES.len() + usize::from(i < n_kills % MODES.len());
    let sums: Vec<Sum> = std::thread::scope(|scope| {
        let sample = &sample;
        let all: Vec<_> =
            MODES.iter().enumerate().map(|(i, mode)| scope.spawn(move || check(sample, mode, share(i)))).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    for (mode, sum) in MODES.iter().zip(&sums) {
        assert!(sum.broken.is_empty(), "{}", sum.broken.join("\n"));
        println!("{}: {:?} {:?}, {} tried again", mode.name, sum.n_hits, sum.n_by_end, sum.n_tried_again);
    }
    // What it is about must have happened: so many kills, at least one of every kind, and where nobody can tell.
    let n_hits: usize = sums.iter().flat_map(|sum| sum.n_hits.values()).sum();
    assert_eq!(n_hits, n_kills);
    for kind in MODES.iter().flat_map(|mode| mode.kinds) {
        assert!(sums.iter().any(|sum| sum.n_hits.contains_key(kind.name)), "no kill as {}", kind.name);
    }
    assert!(sums[1].n_by_end.get("uncertain").is_some_and(|n| *n > 0), "{:?}", sums[1].n_by_end);
    assert!(sums.iter().all(|sum| sum.n_tried_again > 0 && sum.n_by_end.contains_key("delivered")));
}
