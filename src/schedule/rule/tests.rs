//! Calendar rules: their days, their words, and that nothing is lost or doubled from wherever one looks.

use std::sync::Arc;

use chrono::{Duration, NaiveDate, NaiveDateTime, NaiveTime};
use proptest::prelude::*;

use super::*;
use crate::schedule::NATIONAL;

fn rule(every: Every, on: &str) -> Rule {
    Rule {
        every,
        on: every.on(on).unwrap(),
        in_month: 1,
        year_begins: 1,
        at: vec![NaiveTime::from_hms_opt(6, 0, 0).unwrap()],
        calendar: Arc::new(Calendar::default()),
        calendar_name: String::new(),
    }
}

fn national(name: &str) -> Arc<Calendar> {
    Arc::new(NATIONAL.iter().find(|national| national.name == name).unwrap().calendar())
}

fn local(text: &str) -> NaiveDateTime {
    text.parse().unwrap()
}

/// The days after a day.
fn days(rule: &Rule, after: &str, n: usize) -> Vec<String> {
    let mut at = after.parse::<NaiveDate>().unwrap().and_time(NaiveTime::MIN);
    let next = || {
        at = rule.after(at)?;
        Some(at.date().to_string())
    };
    std::iter::from_fn(next).take(n).collect()
}

#[test]
fn every_way_to_name_a_day_finds_it() {
    for (every, on, expected) in [
        (Every::Month, "first business day on or after the 21st", ["2026-11-23", "2026-12-21", "2027-01-21"]),
        (Every::Month, "the 21st", ["2026-11-21", "2026-12-21", "2027-01-21"]),
        (Every::Month, "day 31", ["2026-12-31", "2027-01-31", "2027-03-31"]),
        (Every::Month, "last day", ["2026-11-30", "2026-12-31", "2027-01-31"]),
        (Every::Month, "2nd Tuesday", ["2026-11-10", "2026-12-08", "2027-01-12"]),
        (Every::Month, "last fri", ["2026-11-27", "2026-12-25", "2027-01-29"]),
        (Every::Month, "fifth Friday", ["2027-01-29", "2027-04-30", "2027-07-30"]),
        (Every::Month, "3rd business day", ["2026-11-04", "2026-12-03", "2027-01-05"]),
        (Every::Month, "last business day", ["2026-11-30", "2026-12-31", "2027-01-29"]),
        (Every::Month, "last business day on or before the 1st", ["2026-12-01", "2027-01-01", "2027-02-01"]),
        (Every::Week, "Monday, and Thursdays", ["2026-11-02", "2026-11-05", "2026-11-09"]),
        (Every::Day, "every day", ["2026-11-01", "2026-11-02", "2026-11-03"]),
        (Every::Day, "each business day", ["2026-11-02", "2026-11-03", "2026-11-04"]),
        (Every::Quarter, "21", ["2027-01-21", "2027-04-21", "2027-07-21"]),
        (Every::Year, "first business day on or after the 21st", ["2027-01-21", "2028-01-21", "2029-01-22"]),
    ] {
        assert_eq!(days(&rule(every, on), "2026-11-01", 3), expected, "{on}");
    }
}

#[test]
fn quarters_and_years_begin_where_the_fiscal_year_does() {
    let fiscal = |every| Rule { year_begins: 4, in_month: 2, ..rule(every, "the 15th") };
    assert_eq!(days(&fiscal(Every::Year), "2026-01-01", 2), ["2026-05-15", "2027-05-15"]);
    let fiscal = Rule { year_begins: 2, ..fiscal(Every::Quarter) };
    assert_eq!(days(&fiscal, "2026-01-01", 4), ["2026-03-15", "2026-06-15", "2026-09-15", "2026-12-15"]);
}

#[test]
fn holidays_push_a_day_on_and_the_words_say_why() {
    let germany = Rule {
        calendar: national("germany"),
        calendar_name: "germany".to_owned(),
        ..rule(Every::Month, "first business day on or after the 25th")
    };
    assert_eq!(days(&germany, "2026-12-01", 1), ["2026-12-28"]);
    let why = |rule: &Rule, day: &str| rule.why(day.parse().unwrap());
    assert_eq!(
        why(&germany, "2026-12-28"),
        "first business day on or after the 25th of each month at 06:00, calendar germany: 25 December is \
         1. Weihnachtstag, 28 December is Monday"
    );
    let default = rule(Every::Month, "first business day on or after the 21st");
    assert_eq!(
        why(&default, "2026-11-23"),
        "first business day on or after the 21st of each month at 06:00: 21 November is a Saturday, 23 November is Monday"
    );
    assert_eq!(why(&default, "2026-12-21"), "first business day on or after the 21st of each month at 06:00");
    // A day that leaves its month is still that month's.
    let late = rule(Every::Month, "first business day on or after the 31st");
    assert_eq!(days(&late, "2026-10-20", 2), ["2026-11-02", "2026-11-30"]);
    assert!(why(&late, "2026-11-02").ends_with("31 October is a Saturday, 2 November is Monday"));
    let early = rule(Every::Month, "last business day on or before the 1st");
    assert!(why(&early, "2026-10-30").ends_with("1 November is a Sunday, 30 October is Friday"));
}

#[test]
fn several_times_of_a_day_come_in_their_order() {
    let times = ["06:00:00", "18:30:00"].map(|time| time.parse().unwrap()).to_vec();
    let rule = Rule { at: times, ..rule(Every::Week, "Mon") };
    assert_eq!(rule.after(local("2026-11-02T06:00:00")), Some(local("2026-11-02T18:30:00")));
    assert_eq!(rule.after(local("2026-11-02T18:30:00")), Some(local("2026-11-09T06:00:00")));
    assert_eq!(rule.at_or_before(local("2026-11-09T05:59:59")), Some(local("2026-11-02T18:30:00")));
    assert_eq!(rule.to_string(), "Monday of each week at 06:00 and 18:30");
}

#[test]
fn what_is_no_day_says_what_one_is() {
    for (every, on) in [
        (Every::Month, ""),
        (Every::Month, "32"),
        (Every::Month, "the 0th"),
        (Every::Month, "6th Friday"),
        (Every::Month, "first business day after the 21st"),
        (Every::Month, "21th"),
        (Every::Month, "Monday"),
        (Every::Week, "the 21st"),
        (Every::Week, ""),
        (Every::Day, "Monday"),
        (Every::Month, "every day"),
    ] {
        let error = every.on(on).unwrap_err();
        assert!(error.to_string().contains(&format!("`{on}`")) && error.hint().contains("as in"), "{error}");
    }
}

#[test]
fn a_day_is_written_as_it_was_read() {
    for (every, on) in [
        (Every::Month, "first business day on or after the 21st"),
        (Every::Month, "last business day on or before the 2nd"),
        (Every::Month, "the 3rd"),
        (Every::Month, "last day"),
        (Every::Month, "11th business day"),
        (Every::Month, "4th Wednesday"),
        (Every::Week, "Monday, Sunday"),
        (Every::Day, "every day"),
        (Every::Day, "every business day"),
    ] {
        assert_eq!(every.on(on).unwrap().to_string(), on);
    }
}

#[test]
fn a_rule_without_a_day_ends_and_does_not_hang() {
    let never = Rule { in_month: 2, ..rule(Every::Year, "the 30th") };
    assert_eq!(
        (never.after(local("2026-01-01T00:00:00")), never.at_or_before(local("2026-01-01T00:00:00"))),
        (None, None)
    );
    let leap = Rule { in_month: 2, ..rule(Every::Year, "the 29th") };
    assert_eq!(days(&leap, "2026-01-01", 2), ["2028-02-29", "2032-02-29"]);
    let week = [0, 1, 2, 3, 4, 5, 6].map(|n| Weekday::try_from(n).unwrap()).to_vec();
    let closed = Rule {
        calendar: Arc::new(Calendar { weekend: week, days_off: Vec::new() }),
        ..rule(Every::Month, "last business day")
    };
    assert_eq!(closed.after(local("2026-01-01T00:00:00")), None);
}

#[test]
fn every_business_day_leaves_out_the_days_off_of_a_calendar() {
    let daily = Rule { calendar: national("germany"), ..rule(Every::Day, "every business day") };
    assert_eq!(days(&daily, "2026-12-23", 4), ["2026-12-23", "2026-12-24", "2026-12-28", "2026-12-29"]);
    assert_eq!(daily.to_string(), "every business day at 06:00");
}

#[test]
fn months_that_are_passed_over_are_named() {
    let why = |on: &str, day: &str| {
        let rule = rule(Every::Month, on);
        let day: NaiveDate = day.parse().unwrap();
        assert!(rule.after(day.and_time(NaiveTime::MIN)).unwrap().date() == day, "{on} is not on {day}");
        rule.why(day)
    };
    assert_eq!(
        why("fifth Friday", "2026-10-30"),
        "5th Friday of each month at 06:00: August 2026 and September 2026 have no 5th Friday"
    );
    assert_eq!(why("the 31st", "2026-12-31"), "the 31st of each month at 06:00: November 2026 has no 31st");
    assert_eq!(why("the 31st", "2027-01-31"), "the 31st of each month at 06:00");
    assert_eq!(
        rule(Every::Day, "every business day").why("2026-11-02".parse().unwrap()),
        "every business day at 06:00"
    );
}

const RULES: [(Every, &str); 12] = [
    (Every::Day, "every day"),
    (Every::Day, "every business day"),
    (Every::Month, "first business day on or after the 21st"),
    (Every::Month, "first business day on or after the 31st"),
    (Every::Month, "last business day on or before the 1st"),
    (Every::Month, "the 31st"),
    (Every::Month, "fifth Friday"),
    (Every::Month, "last business day"),
    (Every::Month, "22nd business day"),
    (Every::Week, "Monday, Saturday"),
    (Every::Quarter, "last day"),
    (Every::Year, "last Thursday"),
];

proptest! {
    /// From every moment the same times are found, forwards and backwards, none twice and none left out.
    #[test]
    fn times_are_the_same_from_any_start(
        (n, country, year_begins, in_month) in (0..RULES.len(), 0..NATIONAL.len(), 1_u32..=12, 1_u32..=3),
        minute in 0_i64..20 * 366 * 24 * 60,
    ) {
        let (every, on) = RULES[n];
        let rule = Rule { calendar: Arc::new(NATIONAL[country].calendar()), year_begins, in_month, ..rule(every, on) };
        let start = local("2020-01-01T00:00:00") + Duration::minutes(minute);
        let first = rule.after(start).unwrap();
        prop_assert!(first > start);
        let before = rule.at_or_before(start).unwrap();
        prop_assert!(before <= start);
        prop_assert_eq!(rule.after(before), Some(first));
        let second = rule.after(first).unwrap();
        prop_assert!(second > first);
        prop_assert_eq!(rule.at_or_before(second - Duration::seconds(1)), Some(first));
        let between = first + (second - first) / 2;
        prop_assert_eq!((rule.at_or_before(between), rule.after(between)), (Some(first), Some(second)));
    }

    /// What a rule finds is what its words say, looked for day by day.
    #[test]
    fn a_day_on_or_after_another_is_the_first_that_nobody_is_off(
        (country, day, n) in (0..NATIONAL.len(), 1_u32..=28, 0_i64..240),
    ) {
        let calendar = NATIONAL[country].calendar();
        let on = format!("first business day on or after the {day}");
        let rule = Rule { calendar: Arc::new(calendar.clone()), ..rule(Every::Month, &on) };
        let nominal = Month::of("2026-01-15".parse().unwrap()).plus(n as i32).first_day().with_day(day).unwrap();
        let mut expected = nominal;
        while calendar.why_off(expected).is_some() {
            expected = expected.succ_opt().unwrap();
        }
        let found = rule.after(nominal.and_time(NaiveTime::MIN)).unwrap();
        prop_assert_eq!(found.date(), expected);
    }
}
