//! Cadences across clock changes, and what is due after a pause.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use proptest::prelude::*;

use super::*;

fn cron(expression: &str, zone: &str) -> Cadence {
    Cadence::new(Times::Cron(expression.parse().unwrap()), zone.parse().unwrap())
}

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

/// The instants after `after` must be these; each is also the one found backwards from itself.
fn check(expression: &str, zone: &str, after: &str, expected: &[&str]) {
    let cadence = cron(expression, zone);
    let found = cadence.next_after(at(after), expected.len());
    let instants: Vec<_> = found.iter().map(|occurrence| occurrence.at).collect();
    assert_eq!(instants, expected.iter().map(|text| at(text)).collect::<Vec<_>>(), "{expression} in {zone}");
    for occurrence in found {
        assert_eq!(cadence.prev_at_or_before(occurrence.at).as_ref(), Some(&occurrence), "{expression} in {zone}");
    }
}

#[test]
fn a_local_time_keeps_its_hour_across_both_changes() {
    // London is UTC+1 from 2026-03-29 01:00 UTC to 2026-10-25 01:00 UTC.
    check("0 18 28,29 3 *", "Europe/London", "2026-03-01T00:00:00Z", &["2026-03-28T18:00:00Z", "2026-03-29T17:00:00Z"]);
    check(
        "0 18 24,25 10 *",
        "Europe/London",
        "2026-10-01T00:00:00Z",
        &["2026-10-24T17:00:00Z", "2026-10-25T18:00:00Z"],
    );
    check("0 6 22W * *", "UTC", "2026-07-31T00:00:00Z", &["2026-08-21T06:00:00Z", "2026-09-22T06:00:00Z"]);
}

#[test]
fn a_time_in_the_gap_moves_to_its_end() {
    check("30 1 * * *", "Europe/London", "2026-03-28T12:00:00Z", &["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]);
    // New York's gap is 02:00 to 03:00 EST, ending 2026-03-08 07:00 UTC.
    check(
        "*/20 2 * * *",
        "America/New_York",
        "2026-03-08T00:00:00Z",
        &["2026-03-08T07:00:00Z", "2026-03-09T06:00:00Z"],
    );
    // Lord Howe moves by half an hour: 02:00 (+10:30) becomes 02:30 (+11:00) on 2026-10-04.
    check(
        "15 2 * * *",
        "Australia/Lord_Howe",
        "2026-10-03T12:00:00Z",
        &["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"],
    );
    // Apia left out the whole of 2011-12-30: after 29 December 24:00 (−10) came 31 December 00:00 (+14).
    check("0 6 30 12 *", "Pacific/Apia", "2011-12-01T00:00:00Z", &["2011-12-30T10:00:00Z", "2012-12-29T16:00:00Z"]);
    let moved = cron("0 6 30 12 *", "Pacific/Apia").next_after(at("2011-12-01T00:00:00Z"), 1).remove(0);
    assert_eq!(moved.why, "0 6 30 12 * in Pacific/Apia; 2011-12-30 06:00 does not exist, moved to 2011-12-31 00:00");
    let moved = cron("30 1 * * *", "Europe/London").next_after(at("2026-03-28T12:00:00Z"), 1).remove(0);
    assert_eq!(moved.why, "30 1 * * * in Europe/London; 01:30 does not exist on that day, moved to 02:00");
    assert_eq!(moved.local, "2026-03-29 02:00 +01:00");
}

#[test]
fn a_time_that_comes_twice_is_due_once() {
    check("30 1,14 * * *", "Europe/London", "2026-10-24T23:00:00Z", &["2026-10-25T00:30:00Z", "2026-10-25T14:30:00Z"]);
    // Seen between the two 01:30: it was due already.
    check("30 1,14 * * *", "Europe/London", "2026-10-25T01:10:00Z", &["2026-10-25T14:30:00Z"]);
    check("30 2,14 * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", &["2026-10-25T00:30:00Z", "2026-10-25T13:30:00Z"]);
    check("0 * * * *", "America/New_York", "2026-11-01T04:30:00Z", &["2026-11-01T05:00:00Z", "2026-11-01T07:00:00Z"]);
    // Lord Howe goes back from 02:00 (+11) to 01:30 (+10:30) on 2026-04-05.
    check(
        "45 1 * * *",
        "Australia/Lord_Howe",
        "2026-04-04T12:00:00Z",
        &["2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"],
    );
    let before = cron("30 1,14 * * *", "Europe/London").prev_at_or_before(at("2026-10-25T01:10:00Z")).unwrap();
    assert_eq!(before.at, at("2026-10-25T00:30:00Z"));
    assert!(before.why.ends_with("; 01:30 comes twice on that day, the first counts"), "{}", before.why);
}

#[test]
fn wrong_expressions_name_the_field_and_say_what_it_takes() {
    for (text, message, hint) in [
        ("0 0 0 6 22W * *", "has 7 fields, expected 5, or 6 with seconds", "minute, hour"),
        ("60 0 6 22W * *", "second `60`", "0 to 59"),
        ("0 0 24 22W * *", "hour `24`", "0 to 23"),
        ("0 6 * *", "has 4 fields, expected 5", "minute, hour, day of month"),
        ("", "has 0 fields", "minute, hour"),
        ("@monthly", "has 1 fields", "nicknames"),
        ("60 6 * * *", "minute `60`", "0 to 59"),
        ("0 24 * * *", "hour `24`", "0 to 23"),
        ("0 6 32 * *", "day of month `32`", "1 to 31"),
        ("0 6 L-3 * *", "day of month `L-3`", "`LW`"),
        ("0 6 1 13 *", "month `13`", "JAN to DEC"),
        ("0 6 * * 8", "day of week `8`", "SUN to SAT"),
        ("0 6 * * @daily", "day of week `@daily`", "SUN to SAT"),
        ("a 6 * * *", "minute `a`", "0 to 59"),
        ("0 6 30 2 *", "never comes due", "no month"),
    ] {
        let error = text.parse::<Cron>().unwrap_err();
        assert!(error.to_string().contains(message), "{text}: {error}");
        assert!(error.hint().contains(hint), "{text}: {}", error.hint());
        assert!(!error.to_string().ends_with('.'), "{error}");
    }
    assert_eq!("  0  6 22w * *".parse::<Cron>().unwrap().to_string(), "0 6 22w * *");
}

#[test]
fn the_period_is_the_last_complete_one_before_the_local_day() {
    let of = |kind, day| PeriodRule { kind, ..PeriodRule::default() }.of(day);
    for (day, month, quarter, year) in [
        ("2026-11-21", "2026-10", "2026-Q3", "2025"),
        ("2026-01-01", "2025-12", "2025-Q4", "2025"),
        ("2026-12-31", "2026-11", "2026-Q3", "2025"),
    ] {
        let day: NaiveDate = day.parse().unwrap();
        assert_eq!(of(PeriodKind::Month, day).to_string(), month);
        assert_eq!(of(PeriodKind::Quarter, day).to_string(), quarter);
        assert_eq!(of(PeriodKind::Year, day).to_string(), year);
    }
    let day: NaiveDate = "2026-05-02".parse().unwrap();
    let fiscal = PeriodRule { kind: PeriodKind::Year, year_begins: 4, back: 0 };
    assert_eq!(fiscal.of(day).to_string(), "2025-04--2026-03");
    assert_eq!(PeriodRule { back: 1, ..PeriodRule::default() }.of(day).to_string(), "2026-03");
    // 1 November 00:30 in Auckland is still October in UTC; the local day counts.
    let list = due(
        &timing(cron("30 0 1 * *", "Pacific/Auckland")),
        late(CatchUp::Latest, None),
        at("2026-10-15T00:00:00Z"),
        at("2026-10-31T12:00:00Z"),
    );
    assert_eq!((list.due[0].at, list.due[0].period.to_string()), (at("2026-10-31T11:30:00Z"), "2026-10".to_owned()));
}

fn timing(cadence: Cadence) -> Timing {
    Timing { cadence, period: PeriodRule::default() }
}

fn late(catch_up: CatchUp, deadline: Option<Duration>) -> Lateness {
    Lateness { catch_up, catch_up_max: 2, deadline: deadline.unwrap_or(Duration::days(9_999)) }
}

/// What is done about the 21st of August, September and October, seen at an instant of October.
fn caught_up(catch_up: CatchUp, now: &str, deadline: Option<Duration>) -> Vec<bool> {
    let list = due(&timing(cron("0 6 21 * *", "UTC")), late(catch_up, deadline), at("2026-07-21T06:00:00Z"), at(now));
    assert!(!list.more);
    list.due.into_iter().map(|due| due.what == DueWhat::Run).collect()
}

#[test]
fn every_occurrence_since_the_last_look_is_run_or_missed() {
    let (late, on_time) = ("2026-10-22T06:00:00Z", "2026-10-21T06:00:20Z");
    assert_eq!(caught_up(CatchUp::Latest, late, None), [false, false, true]);
    assert_eq!(caught_up(CatchUp::All, late, None), [false, true, true], "two at most");
    assert_eq!(caught_up(CatchUp::None, late, None), [false, false, false]);
    assert_eq!(caught_up(CatchUp::None, on_time, None), [false, false, true]);
    assert_eq!(caught_up(CatchUp::Latest, late, Some(Duration::hours(3))), [false, false, false]);
    assert_eq!(caught_up(CatchUp::All, late, Some(Duration::days(40))), [false, true, true]);
    assert_eq!(caught_up(CatchUp::All, "2026-07-01T00:00:00Z", None), Vec::<bool>::new());
    // Both ends: the last planned one is not due again, one at this very instant is.
    assert_eq!(caught_up(CatchUp::All, "2026-08-21T06:00:00Z", None), [true]);
}

#[test]
fn a_list_that_reaches_its_bound_says_so_and_goes_on_from_there() {
    let timing = timing(cron("* * * * *", "UTC"));
    let (since, now) = (at("2026-01-01T00:00:00Z"), at("2026-01-08T00:00:00Z"));
    let first = due(&timing, late(CatchUp::Latest, None), since, now);
    assert_eq!((first.due.len(), first.more), (OCCURRENCES_MAX, true));
    assert!(first.due.iter().all(|due| due.what != DueWhat::Run));
    let rest = due(&timing, late(CatchUp::Latest, None), first.due[OCCURRENCES_MAX - 1].at, now);
    assert_eq!((rest.due.len(), rest.more), (7 * 24 * 60 - OCCURRENCES_MAX, false));
    assert_eq!(rest.due.last().map(|due| (due.at, &due.what)), Some((now, &DueWhat::Run)));
}

#[test]
fn of_a_list_beyond_its_bound_the_newest_run_all_the_same() {
    let timing = timing(cron("* * * * *", "UTC"));
    let (since, now) = (at("2026-01-01T00:00:00Z"), at("2026-01-08T00:00:00Z"));
    let late = Lateness { catch_up_max: 7 * 24 * 60 - 9_999, ..late(CatchUp::All, None) };
    let first = due(&timing, late, since, now);
    // One too many for all but the first of the list's last two.
    let run: Vec<bool> = first.due[9_998..].iter().map(|due| due.what == DueWhat::Run).collect();
    assert_eq!((run, first.more), (vec![false, true], true));
    assert!(due(&timing, late, first.due[9_999].at, now).due.iter().all(|due| due.what == DueWhat::Run));
}

#[test]
fn a_start_is_spread_evenly_and_the_same_each_time() {
    let occurrence = at("2026-11-23T06:00:00Z");
    let starts: Vec<i64> =
        (0..1_000).map(|n| (start_at(&format!("s{n}"), occurrence, 599) - occurrence).num_seconds()).collect();
    assert!(starts.iter().all(|secs| (0..=599).contains(secs)));
    for tenth in 0..10 {
        let n = starts.iter().filter(|secs| **secs / 60 == tenth).count();
        assert!((60..140).contains(&n), "{n} of 1,000 start in minute {tenth} of ten");
    }
    assert_eq!(start_at("s1", occurrence, 599), start_at("s1", occurrence, 599));
    assert_eq!(start_at("s1", occurrence, 0), occurrence);
}

#[test]
fn a_timing_is_read_as_it_was_written_down() {
    let rule = Rule {
        every: Every::Quarter,
        on: Every::Quarter.on("first business day on or after the 21st").unwrap(),
        in_month: 1,
        year_begins: 4,
        at: vec!["06:30:00".parse().unwrap()],
        calendar: std::sync::Arc::new(NATIONAL[0].calendar()),
        calendar_name: NATIONAL[0].name.to_owned(),
    };
    let cadence = Cadence {
        not_before: "2026-01-01".parse().ok(),
        pauses: vec![("2026-07-01".parse().unwrap(), "2026-07-31".parse().unwrap())],
        ..Cadence::new(Times::Rule(rule), chrono_tz::Europe::Paris)
    };
    for cadence in [cadence, cron("30 0 6 22W * *", "Pacific/Apia")] {
        let timing = timing(cadence);
        let text = serde_json::to_string(&timing).unwrap();
        assert_eq!(serde_json::from_str::<Timing>(&text).unwrap(), timing, "{text}");
    }
    assert!(serde_json::from_str::<Timing>("{\"cron\":\"0 6 21 * *\",\"zone\":\"UTC\"}").is_err());
}

#[test]
fn instants_beyond_the_calendar_give_nothing_and_do_not_panic() {
    let cadence = cron("0 6 * * *", "Pacific/Apia");
    assert!(cadence.next_after(DateTime::<Utc>::MAX_UTC, 3).len() <= 3);
    assert_eq!(cadence.next_after(DateTime::<Utc>::MIN_UTC, 3).len(), 3);
    assert!(cadence.prev_at_or_before(DateTime::<Utc>::MAX_UTC).is_some());
    cadence.prev_at_or_before(DateTime::<Utc>::MIN_UTC);
}

const ZONES: [&str; 6] =
    ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "UTC", "America/Sao_Paulo"];
const EXPRESSIONS: [&str; 11] = [
    "30 2,14 * * *",
    "*/15 * * * *",
    "0 6 22W * *",
    "0 0 L * *",
    "30 1 * * SUN",
    "15 0-3 * 3,4,10,11,12 *",
    "0 0 29 2 *",
    "59 23 31 12 *",
    "0 0 1 * FRI#2",
    "*/20 30 0-3 * * *",
    "15 0 6 22W * *",
];

proptest! {
    #[test]
    fn occurrences_strictly_increase_and_are_found_from_both_sides(
        zone in 0..ZONES.len(),
        expression in 0..EXPRESSIONS.len(),
        second in 1_293_840_000_i64..1_861_920_000,
    ) {
        let cadence = cron(EXPRESSIONS[expression], ZONES[zone]);
        let after = DateTime::from_timestamp(second, 500_000_000).unwrap();
        let next = cadence.next_after(after, 12);
        prop_assert_eq!(next.len(), 12);
        prop_assert!(next[0].at > after);
        for pair in next.windows(2) {
            prop_assert!(pair[0].at < pair[1].at);
            // Between two occurrences, and at each of them, the earlier is the last and the later the next.
            let between = pair[1].at - Duration::seconds(1);
            prop_assert_eq!(cadence.prev_at_or_before(between), Some(pair[0].clone()));
            prop_assert_eq!(cadence.prev_at_or_before(pair[0].at), Some(pair[0].clone()));
            prop_assert_eq!(cadence.next_after(pair[0].at, 1).pop(), Some(pair[1].clone()));
        }
        let before = cadence.prev_at_or_before(after).unwrap();
        prop_assert!(before.at <= after);
        prop_assert_eq!(cadence.next_after(before.at, 1).pop(), Some(next[0].clone()));
    }
}
