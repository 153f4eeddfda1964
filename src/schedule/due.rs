//! Which occurrences came due since the last look, and what is to be done about each.

use chrono::{DateTime, Duration, Utc};

use super::cadence::Bare;
use super::{CatchUp, OCCURRENCES_MAX, Occurrence, Timing};
use crate::base::{Digest, Period};

/// How late an occurrence may be seen and still count as on time under [`CatchUp::None`].
pub const ON_TIME_SECS_MAX: i64 = 300;

/// What a schedule says about occurrences that are not seen at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lateness {
    /// What is done about those that came due while nobody looked.
    pub catch_up: CatchUp,
    /// How many of them run at most under [`CatchUp::All`], the newest ones.
    pub catch_up_max: u32,
    /// How long after its instant an occurrence may still start.
    pub deadline: Duration,
}

/// An occurrence that came due.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Due {
    /// Its nominal instant.
    pub at: DateTime<Utc>,
    /// The period it is about.
    pub period: Period,
    /// What is to be done about it.
    pub what: DueWhat,
    /// The rule that made it, and every shift.
    pub why: String,
}

/// What is to be done about an occurrence.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DueWhat {
    /// It is to run.
    Run,
    /// It is to be recorded as missed.
    Missed {
        /// Why it does not run.
        reason: String,
    },
}

/// What came due, the oldest first; nothing between `since` and `now` is left out.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct DueList {
    /// The occurrences, at most [`OCCURRENCES_MAX`].
    pub due: Vec<Due>,
    /// Whether more are due: record these, then ask again from the last one's instant.
    pub more: bool,
}

/// Every occurrence in (`since`, `now`], each with what is to be done about it. `since` is the last occurrence that has
/// a row, or when the schedule was first seen.
pub fn due(timing: &Timing, late: Lateness, since: DateTime<Utc>, now: DateTime<Utc>) -> DueList {
    let cadence = &timing.cadence;
    let mut found: Vec<Bare> =
        cadence.after(since).take_while(|bare| bare.at <= now).take(OCCURRENCES_MAX + 1).collect();
    let more = found.len() > OCCURRENCES_MAX;
    found.truncate(OCCURRENCES_MAX);
    let oldest_at = oldest_that_runs(timing, late, &found, more, now);
    let due = found.into_iter().map(|bare| {
        let Occurrence { at, local_on, why, .. } = cadence.in_words(bare);
        let what = decide(at, oldest_at, late, now);
        Due { at, period: timing.period.of(local_on), what, why }
    });
    DueList { due: due.collect(), more }
}

/// The instant of the oldest one that runs: only so many of the newest up to now do.
fn oldest_that_runs(
    timing: &Timing,
    late: Lateness,
    found: &[Bare],
    more: bool,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let n = match late.catch_up {
        CatchUp::Latest => 1,
        CatchUp::All => late.catch_up_max as usize,
        CatchUp::None => return None,
    };
    if !more {
        return found.get(found.len().saturating_sub(n)).map(|bare| bare.at);
    }
    // The newest ones lie beyond the list.
    let newest_first = std::iter::successors(timing.cadence.prev_at_or_before(now), |later| {
        timing.cadence.prev_at_or_before(later.at - Duration::seconds(1))
    });
    newest_first.take(n).last().map(|occurrence| occurrence.at)
}

fn decide(at: DateTime<Utc>, oldest_at: Option<DateTime<Utc>>, late: Lateness, now: DateTime<Utc>) -> DueWhat {
    let missed = |reason: String| DueWhat::Missed { reason };
    let deadline_at = at.checked_add_signed(late.deadline);
    if let Some(deadline_at) = deadline_at.filter(|deadline_at| *deadline_at < now) {
        return missed(format!("seen after its deadline, {}", deadline_at.format("%Y-%m-%d %H:%M:%S UTC")));
    }
    let is_older = oldest_at.is_some_and(|oldest_at| at < oldest_at);
    match late.catch_up {
        CatchUp::Latest if is_older => missed("a later one was due too, and catch-up is `latest`".to_owned()),
        CatchUp::All if is_older => {
            missed(format!("{} later ones were due too, and no more are caught up with", late.catch_up_max))
        }
        CatchUp::None if now - at > Duration::seconds(ON_TIME_SECS_MAX) => {
            missed(format!("seen {} late, and catch-up is `none`", spoken(now - at)))
        }
        CatchUp::Latest | CatchUp::All | CatchUp::None => DueWhat::Run,
    }
}

/// When an occurrence starts: its instant, and up to so much later, so that many schedules of one instant do not all
/// begin at once. The same occurrence always starts at the same time.
pub fn start_at(schedule: &str, at: DateTime<Utc>, jitter_secs_max: u32) -> DateTime<Utc> {
    let digest = Digest::of(format!("{schedule} {}", at.timestamp()).as_bytes());
    let seed = digest.to_string().bytes().fold(0_u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
    at + Duration::seconds((seed % (u64::from(jitter_secs_max) + 1)) as i64)
}

/// A length of time in its largest whole unit: `7 minutes`.
fn spoken(length: Duration) -> String {
    let (n, unit) = match (length.num_days(), length.num_hours(), length.num_minutes()) {
        (0, 0, minutes) => (minutes, "minute"),
        (0, hours, _) => (hours, "hour"),
        (days, ..) => (days, "day"),
    };
    format!("{n} {unit}{}", if n == 1 { "" } else { "s" })
}
