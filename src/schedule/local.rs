//! From a nominal local time to the instant that stands for it.

use chrono::{DateTime, Duration, LocalResult, NaiveDateTime, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};

/// How a nominal local time came to its instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Found {
    /// It exists once.
    Once,
    /// It exists twice, as clocks go back; the first counts.
    Twice,
    /// It does not exist, as clocks go forward; the gap's end stands for it.
    Never,
}

/// The one instant of a nominal local time. Never decreases as the local time increases, whatever the zone does.
pub(super) fn instant_of(zone: Tz, local: NaiveDateTime) -> (DateTime<Utc>, Found) {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) => (at.to_utc(), Found::Once),
        LocalResult::Ambiguous(one, other) => (one.min(other).to_utc(), Found::Twice),
        LocalResult::None => {
            let end = GapInfo::new(&local, &zone).and_then(|gap| gap.end);
            // Every gap has an end; if the zone's data did not say where, the text would be read as UTC.
            (end.map_or(local.and_utc(), |end| end.to_utc()), Found::Never)
        }
    }
}

/// The local time of an instant, of whole seconds.
pub(super) fn local_of(zone: Tz, at: DateTime<Utc>) -> NaiveDateTime {
    let local = at.with_timezone(&zone).naive_local();
    local - Duration::nanoseconds(i64::from(local.and_utc().timestamp_subsec_nanos()))
}

/// How much longer the local clock showed an instant's time the second time: zero unless it is shown twice.
pub(super) fn overlap_at(zone: Tz, local: NaiveDateTime) -> Duration {
    match zone.from_local_datetime(&local) {
        LocalResult::Ambiguous(one, other) => (other - one).abs(),
        LocalResult::Single(_) | LocalResult::None => Duration::zero(),
    }
}
