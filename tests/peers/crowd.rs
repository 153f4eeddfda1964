//! Two hundred recipients at a few partners, and one schedule.

use chrono::TimeDelta;

use crate::faked::{Faked, instant};

/// How many recipients there are.
pub const N_RECIPIENTS: usize = 200;

/// When it is due, once a year.
pub const DUE_AT: &str = "2026-11-24T06:00:00Z";

const SCHEDULE: &str = r#"
[schedules.all]
cron = "0 6 24 11 *"
zone = "UTC"
formats = ["pdf"]
range_months = 3
"#;

/// The sample's data with so many recipients: each grant of its own recipients goes to many, under addresses of their
/// own.
pub fn sample(n_partners: usize) -> Faked {
    let sample = Faked::sample(instant("2026-11-24T05:00:00Z"), n_partners);
    let path = sample.place.path("recipients.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, rows) = text.split_once('\n').unwrap();
    let mut crowd = format!("{head}\n");
    for (n, row) in rows.lines().cycle().take(N_RECIPIENTS).enumerate() {
        let (_, of_address) = row.split_once('@').unwrap();
        crowd.push_str(&format!("reader-{n:03}@{of_address}\n"));
    }
    std::fs::write(path, crowd).unwrap();
    sample
}

/// A copy of it in which nothing was made yet, so long after it is due, with these lines after its schedule's.
pub fn with(sample: &Faked, after: TimeDelta, more: &str) -> Faked {
    sample.with(instant(DUE_AT) + after, 1, &format!("{SCHEDULE}{more}"))
}

/// Whether a run has its editions, and whether all that have are over.
pub fn how_far(faked: &Faked) -> (bool, bool) {
    let told = faked.run(&["status", "--json"]).with(0).json();
    let states: Vec<&str> =
        told["runs"].as_array().unwrap().iter().filter_map(|run| run["run"]["state"].as_str()).collect();
    // One that broke off before it was written down is skipped.
    let is_begun = states.iter().any(|state| *state != "skipped");
    (is_begun, is_begun && states.iter().all(|state| !matches!(*state, "planned" | "waiting" | "running")))
}
