//! What the daemon says about itself as it works, for whoever asks from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use chrono::{DateTime, Duration, Utc};
use prometheus_client::metrics::histogram::Histogram;

/// A heart whose last beat is as old as this is dead, in seconds; it beats every five.
pub const BEAT_AGE_SECS_MAX: i64 = 30;

/// From a run that found everything there already to a night of a large partner centre, in seconds.
const RUN_SECS: [f64; 10] = [1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0];

/// What stands for an instant before the first beat.
const NEVER: i64 = i64::MIN;

/// The daemon's pulse; clones are the same one.
#[derive(Clone, Debug)]
pub struct Pulse(Arc<Signs>);

#[derive(Debug)]
struct Signs {
    /// In microseconds since 1970-01-01 UTC.
    beat_at: AtomicI64,
    is_ready: AtomicBool,
    is_draining: AtomicBool,
    run_secs: Histogram,
}

impl Default for Pulse {
    fn default() -> Pulse {
        Pulse(Arc::new(Signs {
            beat_at: AtomicI64::new(NEVER),
            is_ready: AtomicBool::new(false),
            is_draining: AtomicBool::new(false),
            run_secs: Histogram::new(RUN_SECS),
        }))
    }
}

impl Pulse {
    /// The heart beats.
    pub fn beat(&self, now: DateTime<Utc>) {
        self.0.beat_at.store(now.timestamp_micros(), Ordering::Release);
    }

    /// What the last process left is reconciled. True the first time.
    pub fn ready(&self) -> bool {
        !self.0.is_ready.swap(true, Ordering::AcqRel)
    }

    /// It was told to stop and begins nothing new.
    pub fn draining(&self) {
        self.0.is_draining.store(true, Ordering::Release);
    }

    /// A run ended that long after it was planned.
    pub fn run_ended(&self, duration: Duration) {
        self.0.run_secs.observe(duration.as_seconds_f64().max(0.0));
    }

    /// How long ago the heart beat last; none before its first beat. Negative when the clock was set back since.
    pub fn beat_age(&self, now: DateTime<Utc>) -> Option<Duration> {
        let beat_at = self.0.beat_at.load(Ordering::Acquire);
        (beat_at != NEVER).then(|| Duration::microseconds(now.timestamp_micros().saturating_sub(beat_at)))
    }

    /// Why the daemon counts as dead; none while it lives.
    pub(super) fn why_dead(&self, now: DateTime<Utc>) -> Option<String> {
        let Some(age) = self.beat_age(now) else { return Some("the heart has not beaten yet".to_owned()) };
        // A beat in the future tells as little: it would hide for hours that none follows.
        let is_dead = age.abs() >= Duration::seconds(BEAT_AGE_SECS_MAX);
        is_dead.then(|| format!("the last beat of the heart was {} s ago", age.num_seconds()))
    }

    /// Why the daemon does not take on work; empty when it does.
    pub(super) fn why_not_ready(&self) -> Vec<String> {
        let why = [
            (!self.0.is_ready.load(Ordering::Acquire), "what the last process left is not reconciled yet"),
            (self.0.is_draining.load(Ordering::Acquire), "the daemon drains and begins nothing new"),
        ];
        why.into_iter().filter(|(is_so, _)| *is_so).map(|(_, why)| why.to_owned()).collect()
    }

    /// How long runs took, in seconds.
    pub(super) fn run_secs(&self) -> Histogram {
        self.0.run_secs.clone()
    }
}
