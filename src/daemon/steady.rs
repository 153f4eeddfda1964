//! Whether the wall clock runs as time does: it jumps when it is set, and when a machine sleeps.

use chrono::{DateTime, Duration, Utc};

use crate::clock::Stopwatch;

/// By how much the wall clock may run ahead or behind between two beats.
const JUMP_SECS_MAX: i64 = 300;

/// How long a clock that has jumped ahead must run steadily before anything is planned by it: one that was set wrongly is
/// set right again within this time.
const STEADY_SECS_MIN: u64 = 60;

/// What the clock did since the last beat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// It ran as time does.
    Steady,
    /// It jumped ahead not long ago: nothing is to be planned yet.
    Ahead,
    /// It jumped back: what is recorded for the time after now is not due yet.
    Back,
}

/// Watches the wall clock by the one that only counts.
#[derive(Debug)]
pub(super) struct Steady {
    last_at: DateTime<Utc>,
    since_last: Stopwatch,
    jumped: Option<Stopwatch>,
}

impl Steady {
    pub(super) fn begin(now: DateTime<Utc>) -> Steady {
        Steady { last_at: now, since_last: Stopwatch::start(), jumped: None }
    }

    /// At a beat: what the clock did since the last one.
    pub(super) fn step(&mut self, now: DateTime<Utc>) -> Step {
        let elapsed = Duration::from_std(self.since_last.elapsed()).unwrap_or(Duration::MAX);
        let jump = (now - self.last_at) - elapsed;
        self.last_at = now;
        self.since_last = Stopwatch::start();
        if jump.num_seconds() > JUMP_SECS_MAX {
            tracing::warn!(
                jump.secs = jump.num_seconds(),
                "the clock jumped ahead; nothing is planned until it has run steadily"
            );
            self.jumped = Some(Stopwatch::start());
        } else if jump.num_seconds() < -JUMP_SECS_MAX {
            tracing::warn!(
                jump.secs = jump.num_seconds(),
                "the clock jumped back; what has its row runs no second time"
            );
            self.jumped = None;
            return Step::Back;
        }
        match self.jumped {
            Some(jumped) if jumped.elapsed().as_secs() < STEADY_SECS_MIN => Step::Ahead,
            _ => {
                self.jumped = None;
                Step::Steady
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumps_ahead_is_waited_for_and_one_that_jumps_back_is_told() {
        let start: DateTime<Utc> = "2026-11-22T05:00:00Z".parse().unwrap();
        let mut steady = Steady::begin(start);
        assert_eq!(steady.step(start + Duration::seconds(60)), Step::Steady, "a minute is no jump");
        assert_eq!(steady.step(start + Duration::days(365)), Step::Ahead);
        assert_eq!(steady.step(start + Duration::days(365)), Step::Ahead, "it has not run steadily for long");
        assert_eq!(steady.step(start), Step::Back);
        assert_eq!(steady.step(start), Step::Steady);
    }
}
