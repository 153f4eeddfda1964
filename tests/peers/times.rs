//! Schedules held against others: clock changes against Python's zoneinfo, days off against PyPI's holidays.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use chrono::{DateTime, Datelike, NaiveDate, Utc, Weekday};
use chrono_tz::Tz;
use pressrun::schedule::{Cadence, Calendar, Every, NATIONAL, OCCURRENCES_MAX, Rule, Times};
use serde_json::{Value as Json, json};

use crate::peer;

/// Zones with something of their own: half an hour's summer time, changes at midnight, none at all, a day left out,
/// two hours at once, summer time that pauses for Ramadan.
const ZONES: [&str; 24] = [
    "Europe/Berlin",
    "Europe/London",
    "Europe/Lisbon",
    "Europe/Istanbul",
    "Europe/Moscow",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Tehran",
    "Asia/Kathmandu",
    "Asia/Tokyo",
    "Asia/Pyongyang",
    "Australia/Lord_Howe",
    "Australia/Adelaide",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Auckland",
    "America/New_York",
    "America/Santiago",
    "America/Havana",
    "America/Caracas",
    "America/St_Johns",
    "Antarctica/Troll",
];

/// Years to and fro, and times that changes are made at somewhere.
const YEARS: (i32, i32) = (2006, 2026);
const AT: [&str; 5] = ["00:00", "00:30", "01:30", "02:15", "02:45"];

/// The oracle's answers, one a question.
fn oracle(what: &str, questions: &[Json]) -> Vec<Json> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/times.py");
    let mut command = peer::command("python3");
    let packages = peer::python_packages();
    command.arg(script).arg(what).env("PYTHONPATH", packages).env("PYTHONTZPATH", "");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    questions.iter().for_each(|question| writeln!(input, "{question}").unwrap());
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", peer::said(&output));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn day(year: i32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, 1, 1).unwrap()
}

/// Every occurrence of a cadence whose nominal day is in the years.
fn instants(cadence: &Cadence) -> Vec<i64> {
    let mut found: Vec<i64> = Vec::new();
    let mut after: DateTime<Utc> = (day(YEARS.0) - chrono::Days::new(3)).and_time(chrono::NaiveTime::MIN).and_utc();
    loop {
        let next = cadence.next_after(after, OCCURRENCES_MAX);
        let Some(last) = next.last() else { return found };
        after = last.at;
        let in_years = next.iter().filter(|one| (YEARS.0..YEARS.1).contains(&one.local_on.year()));
        found.extend(in_years.map(|one| one.at.timestamp()));
        if after.year() > YEARS.1 {
            return found;
        }
    }
}

fn daily() -> Rule {
    Rule {
        every: Every::Day,
        on: pressrun::schedule::On::EveryDay,
        in_month: 1,
        year_begins: 1,
        at: AT.map(|at| at.parse().unwrap()).to_vec(),
        calendar: Arc::new(Calendar::default()),
        calendar_name: String::new(),
    }
}

#[test]
fn local_times_come_when_the_clocks_of_24_zones_show_them_through_20_years() {
    assert_eq!(chrono_tz::IANA_TZDB_VERSION, "2025b", "the oracle has the same release: see xtask/src/peers.rs");
    let question = |zone: &&str| json!({ "zone": zone, "from": day(YEARS.0), "to": day(YEARS.1), "at": AT });
    let questions: Vec<Json> = ZONES.iter().map(question).collect();
    for (zone, answer) in ZONES.iter().zip(oracle("instants", &questions)) {
        let theirs: Vec<i64> = serde_json::from_value(answer).unwrap();
        let zone: Tz = zone.parse().unwrap();
        for times in [Times::Rule(daily()), Times::Cron("0,15,30,45 0-2 * * *".parse().unwrap())] {
            let is_cron = matches!(times, Times::Cron(_));
            let ours = instants(&Cadence::new(times, zone));
            if is_cron {
                // The expression names these times and others.
                let missing = theirs.iter().find(|at| ours.binary_search(at).is_err());
                assert_eq!(missing, None, "{zone}");
                continue;
            }
            let differs = ours.iter().zip(&theirs).position(|(our, their)| our != their);
            let shown = differs.map(|n| (DateTime::from_timestamp(ours[n], 0), DateTime::from_timestamp(theirs[n], 0)));
            assert_eq!((shown, ours.len()), (None, theirs.len()), "{zone}");
            // Each of them at least once a day but where a day is left out or two share an instant.
            assert!(ours.len() > 7_300 * 4, "{zone}: {}", ours.len());
        }
    }
}

#[test]
fn offices_are_shut_on_the_days_that_another_list_has() {
    let countries = [("france", "FR"), ("germany", "DE"), ("italy", "IT"), ("spain", "ES"), ("uk", "GB"), ("us", "US")];
    let (from, to) = (2026, 2045);
    let question = |(name, code): &(&str, &str)| json!({ "country": code, "subdivision": (*name == "uk").then_some("ENG"), "from": from, "to": to });
    let questions: Vec<Json> = countries.iter().map(question).collect();
    for ((name, _), answer) in countries.iter().zip(oracle("holidays", &questions)) {
        let theirs: Vec<String> = serde_json::from_value(answer).unwrap();
        let calendar = NATIONAL.iter().find(|national| national.name == *name).unwrap().calendar();
        let days = day(from).iter_days().take_while(|day| day.year() <= to);
        let weekdays = days.filter(|day| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun));
        let ours: Vec<String> =
            weekdays.filter(|day| !calendar.is_business_day(*day)).map(|day| day.to_string()).collect();
        let only = |one: &[String], other: &[String]| -> Vec<String> {
            one.iter().filter(|day| !other.contains(day)).cloned().collect()
        };
        assert_eq!((only(&ours, &theirs), only(&theirs, &ours)), (Vec::new(), Vec::new()), "{name}");
        assert!(ours.len() > 20 * 4, "{name}");
    }
}
