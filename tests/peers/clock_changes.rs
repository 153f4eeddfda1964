//! The daemon over the hours in which clocks are changed: a time that does not exist, a time that comes twice.

use chrono::TimeDelta;

use crate::faked::{Faked, instant};
use crate::taker::Taker;
use crate::told::{Told, recipients};

/// How much faster than ours its time passes.
const SPEED: i32 = 30;
/// How long before an instant a daemon is started, in seconds of its time.
const BEFORE_SECS: i64 = 10;

/// A change of clocks, and a time of the day on which it is.
struct Change {
    zone: &'static str,
    local: &'static str,
    /// When the daemon is awake, a start each.
    awake_at: &'static [&'static str],
    /// Which of these the occurrence is.
    runs_at: &'static str,
}

/// The day by both ways of writing it, and a witness: a schedule whose rows show that the daemon has looked since.
fn schedules(change: &Change) -> String {
    let Change { zone, local, .. } = change;
    let (hour, minute) = local.split_once(':').unwrap();
    format!(
        r#"
[schedules.by-cron]
cron = "{minute} {hour} * * *"
zone = "{zone}"
not_full = "send-at-once"
[schedules.by-rule]
every = "week"
on = "Sunday"
at = ["{local}"]
zone = "{zone}"
not_full = "send-at-once"
[schedules.witness]
cron = "1,16,31,46 * * * *"
zone = "UTC"
not_full = "send-at-once"
"#
    )
}

fn check(change: &Change) {
    let (first, runs_at) = (instant(change.awake_at[0]), instant(change.runs_at));
    let sample = Faked::sample(first - TimeDelta::hours(12), 1);
    let mut faked = sample.with(first - TimeDelta::seconds(BEFORE_SECS), SPEED, &schedules(change));
    for at in change.awake_at.iter().map(|at| instant(at)) {
        faked.sleep_until(at - TimeDelta::seconds(BEFORE_SECS));
        let daemon = faked.daemon();
        let witnessed = format!("{:?}", at + TimeDelta::minutes(1)).replace("+00:00", "Z");
        let is_settled = faked.wait(|faked| {
            let status = faked.run(&["status", "--json"]).with(0).json()["runs"].clone();
            let mut runs = status.as_array().unwrap().iter().map(|run| &run["run"]);
            runs.any(|run| run["schedule"] == "witness" && run["occurrence_at"] == *witnessed)
                && faked.run(&["gaps"]).code == 0
        });
        assert!(is_settled, "no witness of {at}, or not settled:\n{}", faked.log());
        assert_eq!(daemon.stop(), Some(0), "{}", faked.log());
    }
    let mut told = Told::by(&faked, Taker::Outbox.mails(&faked));
    let everybody = recipients(&faked);
    for schedule in ["by-cron", "by-rule"] {
        told.expect_rows(schedule, &[runs_at], &[]);
        told.expect_recipients(schedule, &everybody);
    }
    assert!(told.broken.is_empty(), "{} {}: {:#?}\n{}", change.zone, change.local, told.broken, faked.log());
    let rows = told.rows.iter().filter(|row| row.schedule != "witness");
    assert!(rows.clone().count() == 2 && rows.clone().all(|row| row.state == "done"), "{}", faked.log());
    assert_eq!(told.n_deliveries("delivered"), told.deliveries.len(), "{}", faked.log());
}

#[test]
fn a_time_that_does_not_exist_in_berlin_runs_at_the_first_that_does() {
    // Clocks go from 02:00 to 03:00 at 01:00 UTC. An hour on, 03:30 is what 02:30 would be without the change.
    check(&Change {
        zone: "Europe/Berlin",
        local: "02:30",
        awake_at: &["2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"],
        runs_at: "2026-03-29T01:00:00Z",
    });
}

#[test]
fn a_time_that_comes_twice_in_berlin_runs_once_the_first_time() {
    // Clocks go from 03:00 back to 02:00 at 01:00 UTC.
    check(&Change {
        zone: "Europe/Berlin",
        local: "02:30",
        awake_at: &["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"],
        runs_at: "2026-10-25T00:30:00Z",
    });
}

#[test]
fn a_time_that_does_not_exist_on_lord_howe_island_runs_at_the_first_that_does() {
    // Clocks go by half an hour, from 02:00 to 02:30, at 15:30 UTC of the day before.
    check(&Change {
        zone: "Australia/Lord_Howe",
        local: "02:15",
        awake_at: &["2026-10-03T15:15:00Z", "2026-10-03T15:30:00Z", "2026-10-03T15:45:00Z"],
        runs_at: "2026-10-03T15:30:00Z",
    });
}

#[test]
fn a_time_that_comes_twice_on_lord_howe_island_runs_once_the_first_time() {
    // From 02:00 back to 01:30, at 15:00 UTC of the day before.
    check(&Change {
        zone: "Australia/Lord_Howe",
        local: "01:45",
        awake_at: &["2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z"],
        runs_at: "2026-04-04T14:45:00Z",
    });
}
