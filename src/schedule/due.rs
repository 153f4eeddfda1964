//! Which occurrences came due since the last look, and what is to be done about each.

use chrono::{DateTime, Duration, Utc};

use super::cadence::Bare;
use super::{Cadence, CatchUp, OCCURRENCES_MAX, Occurrence, PeriodRule};
use crate::base::Period;

/// How late an occurrence may be seen and still count as on time under [`CatchUp::None`].
pub const ON_TIME_SECS_MAX: i64 = 300;

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

/// Every occurrence in (`since`, `now`], each with what is to be done about it.
///
/// `since` is the last occurrence that has a row, or when the schedule was first seen. `deadline` is how long
/// after its instant an occurrence may still start.
pub fn due(
    cadence: &Cadence,
    period: PeriodRule,
    catch_up: CatchUp,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
    deadline: Option<Duration>,
) -> DueList {
    let mut found: Vec<Bare> =
        cadence.after(since).take_while(|bare| bare.at <= now).take(OCCURRENCES_MAX + 1).collect();
    let more = found.len() > OCCURRENCES_MAX;
    found.truncate(OCCURRENCES_MAX);
    // What lies beyond the bound is later still: none of these is the latest then.
    let latest = found.last().map(|bare| bare.at).filter(|_| !more);
    let due = found.into_iter().map(|bare| {
        let Occurrence { at, local_on, why, .. } = cadence.in_words(bare);
        let what = decide(at, latest == Some(at), catch_up, now, deadline);
        Due { at, period: period.of(local_on), what, why }
    });
    DueList { due: due.collect(), more }
}

fn decide(
    at: DateTime<Utc>,
    is_latest: bool,
    catch_up: CatchUp,
    now: DateTime<Utc>,
    deadline: Option<Duration>,
) -> DueWhat {
    let missed = |reason: String| DueWhat::Missed { reason };
    let deadline_at = deadline.and_then(|deadline| at.checked_add_signed(deadline));
    if let Some(deadline_at) = deadline_at.filter(|deadline_at| *deadline_at < now) {
        return missed(format!("seen after its deadline, {}", deadline_at.format("%Y-%m-%d %H:%M:%S UTC")));
    }
    match catch_up {
        CatchUp::Latest if !is_latest => missed("a later one was due too, and catch-up is `latest`".to_owned()),
        CatchUp::None if now - at > Duration::seconds(ON_TIME_SECS_MAX) => {
            missed(format!("seen {} late, and catch-up is `none`", spoken(now - at)))
        }
        CatchUp::Latest | CatchUp::All | CatchUp::None => DueWhat::Run,
    }
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
