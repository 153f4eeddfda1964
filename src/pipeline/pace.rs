//! How fast a destination is given parcels: no faster than it allows, and not at all while it is out of order.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Duration, Utc};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::deliver::Handed;
use crate::ledger::{Claimed, DeliveryClaim, Ledger, LedgerError, Room, RunId};

/// How many hand-overs in a row fail for the destination's own sake before it is left alone.
const OUT_OF_ORDER_MAX: u32 = 3;

/// How long it is left alone at first, in seconds; twice as long after each look that finds it no better.
const REST_SECS_MIN: i64 = 60;

/// The longest that it is left alone, in seconds.
const REST_SECS_MAX: i64 = 900;

/// How long a claim holds, longer than any single hand-over may take.
pub(super) const LEASE_MINUTES: i64 = 30;

/// What a destination allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rates {
    /// How many parcels within any minute; any number when none.
    pub per_minute_max: Option<u32>,
    /// How many within any 24 hours; any number when none.
    pub per_day_max: Option<u32>,
    /// How many are handed over at the same time, 1 and higher.
    pub at_once_max: usize,
}

impl Default for Rates {
    fn default() -> Rates {
        Rates { per_minute_max: None, per_day_max: None, at_once_max: 4 }
    }
}

impl Default for Pace {
    fn default() -> Pace {
        Pace::new(Rates::default())
    }
}

/// What may be handed over now.
pub(super) enum Turn {
    /// These; none when nothing is ripe.
    Claimed(Vec<DeliveryClaim>),
    /// Nothing before that instant: as many went out as the destination allows.
    Full(DateTime<Utc>),
    /// Nothing before that instant: the destination is out of order.
    Resting,
}

/// The pace of one destination, for all runs that hand over to it.
///
/// What counts towards its rates is read from the ledger, so that it holds across restarts and beside calls by hand.
#[derive(Debug)]
pub struct Pace {
    rates: Rates,
    /// A place for each parcel that is handed over.
    places: Semaphore,
    breaker: Mutex<Breaker>,
    /// Held from looking at the breaker to claiming, so that two runs never probe at once.
    turn: tokio::sync::Mutex<()>,
}

impl Pace {
    /// The pace that a destination allows.
    pub fn new(rates: Rates) -> Pace {
        let places = Semaphore::new(rates.at_once_max.clamp(1, Semaphore::MAX_PERMITS));
        Pace { rates, places, breaker: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// Waits for a place among those who hand over at the same time; none when there are no places any more.
    pub(super) async fn place(&self) -> Option<SemaphorePermit<'_>> {
        self.places.acquire().await.ok()
    }

    /// Until when the destination is left alone, if it is and nobody tries it.
    pub(super) fn resting(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let rest = self.breaker();
        rest.rest.as_ref().filter(|rest| !rest.is_probing && now < rest.until).map(|rest| rest.until)
    }

    /// How many parcels are handed over at the same time.
    pub(super) fn at_once_max(&self) -> usize {
        self.rates.at_once_max.max(1)
    }

    /// Claims up to `n` ripe deliveries of a run, as far as there is room for them.
    pub(super) async fn claim(
        &self,
        ledger: &Ledger,
        (run, destination): (RunId, &str),
        n: usize,
        now: DateTime<Utc>,
    ) -> Result<Turn, LedgerError> {
        let _turn = self.turn.lock().await;
        if !ledger.has_ripe(run, destination, now).await? {
            return Ok(Turn::Claimed(Vec::new()));
        }
        let (n, is_probe) = match self.breaker().look(now) {
            Look::Open => return Ok(Turn::Resting),
            Look::Probe => (1, true),
            Look::Closed => (n, false),
        };
        let windows = [(Duration::minutes(1), self.rates.per_minute_max), (Duration::days(1), self.rates.per_day_max)];
        let windows: Vec<(Duration, u32)> =
            windows.into_iter().filter_map(|(window, max)| Some((window, max?))).collect();
        let room = Room { n, windows: &windows };
        let lease = Duration::minutes(LEASE_MINUTES);
        match ledger.claim_within(Some(run), room, lease, now, destination).await? {
            Claimed::Full(at) => Ok(Turn::Full(at)),
            Claimed::These(claims) => {
                if is_probe && !claims.is_empty() {
                    self.breaker().probe(now);
                }
                Ok(Turn::Claimed(claims))
            }
        }
    }

    /// Hears how a hand-over went. Returns until when the destination is left alone, if it is by now.
    pub(super) fn hear(&self, name: &str, handed: &Handed, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut breaker = self.breaker();
        let was_open = breaker.rest.is_some();
        breaker.hear(handed.is_out_of_order, now);
        let until = breaker.rest.as_ref().map(|rest| rest.until);
        match (was_open, until) {
            (false, Some(until)) => tracing::warn!(
                destination.name = name,
                "the destination failed {OUT_OF_ORDER_MAX} times in a row and is left alone until {until}, what waits for it keeps \
                 its attempts"
            ),
            (true, None) => tracing::info!(destination.name = name, "the destination is in order again"),
            _ => {}
        }
        until
    }

    fn breaker(&self) -> std::sync::MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A circuit breaker: closed while all is well, open after some failures in a row, and tried with a single parcel when
/// its rest is over.
#[derive(Default, Debug)]
struct Breaker {
    n_in_a_row: u32,
    rest: Option<Rest>,
}

#[derive(Debug)]
struct Rest {
    until: DateTime<Utc>,
    secs: i64,
    is_probing: bool,
}

enum Look {
    Closed,
    Open,
    Probe,
}

impl Breaker {
    fn look(&self, now: DateTime<Utc>) -> Look {
        let Some(rest) = &self.rest else { return Look::Closed };
        // A clock that was ahead leaves no rest longer than the longest.
        if now < rest.until && rest.until - now <= Duration::seconds(REST_SECS_MAX) {
            return Look::Open;
        }
        Look::Probe
    }

    /// Nobody else tries until the one that was claimed is heard of, or has been away for as long as the rest was.
    fn probe(&mut self, now: DateTime<Utc>) {
        if let Some(rest) = &mut self.rest {
            rest.until = now + Duration::seconds(rest.secs);
            rest.is_probing = true;
        }
    }

    fn hear(&mut self, is_out_of_order: bool, now: DateTime<Utc>) {
        if !is_out_of_order {
            *self = Breaker::default();
            return;
        }
        self.n_in_a_row += 1;
        let secs = match &self.rest {
            None if self.n_in_a_row >= OUT_OF_ORDER_MAX => REST_SECS_MIN,
            Some(rest) if rest.is_probing => (rest.secs * 2).min(REST_SECS_MAX),
            // One that was under way when the rest began.
            _ => return,
        };
        self.rest = Some(Rest { until: now + Duration::seconds(secs), secs, is_probing: false });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_226_400 + secs, 0).unwrap()
    }

    fn looks(breaker: &mut Breaker, secs: i64) -> &'static str {
        match breaker.look(at(secs)) {
            Look::Closed => "closed",
            Look::Open => "open",
            Look::Probe => {
                breaker.probe(at(secs));
                "probe"
            }
        }
    }

    #[test]
    fn a_destination_that_fails_in_a_row_is_left_alone_longer_and_longer() {
        let mut breaker = Breaker::default();
        for n in 0..2 {
            breaker.hear(true, at(n));
            assert_eq!(looks(&mut breaker, n), "closed");
        }
        breaker.hear(false, at(2));
        for n in 3..6 {
            assert_eq!(looks(&mut breaker, n), "closed", "a success counts from the start");
            breaker.hear(true, at(n));
        }
        // One that was under way makes it no longer.
        breaker.hear(true, at(6));
        let mut now = 5;
        for secs in [60, 120, 240, 480, 900, 900] {
            assert_eq!((looks(&mut breaker, now + secs - 1), looks(&mut breaker, now + secs)), ("open", "probe"));
            assert_eq!(looks(&mut breaker, now + secs), "open", "one at a time");
            now += secs;
            breaker.hear(true, at(now));
        }
        assert_eq!(looks(&mut breaker, now + 900), "probe");
        breaker.hear(false, at(now + 901));
        assert_eq!(looks(&mut breaker, now + 901), "closed");
    }

    #[tokio::test]
    async fn the_places_are_for_all_runs_together_and_who_waited_for_one_hears_that_the_destination_rests() {
        let pace = Pace::new(Rates { at_once_max: 2, ..Rates::default() });
        let (first, _second) = (pace.place().await, pace.place().await);
        let wait = std::time::Duration::from_millis(50);
        assert!(tokio::time::timeout(wait, pace.place()).await.is_err(), "a third place");
        drop(first);
        assert!(tokio::time::timeout(wait, pace.place()).await.is_ok());
        let down = crate::deliver::Outcome::Retryable("no connection".to_owned());
        let down = Handed { is_out_of_order: true, ..down.into() };
        assert_eq!([0, 1, 2].map(|secs| pace.hear("relay", &down, at(secs))), [None, None, Some(at(62))]);
        assert_eq!((pace.resting(at(61)), pace.resting(at(62))), (Some(at(62)), None));
        assert!(matches!(pace.breaker().look(at(62)), Look::Probe));
        pace.breaker().probe(at(62));
        assert_eq!(pace.resting(at(63)), None, "the one that tries it goes on");
    }

    #[test]
    fn a_probe_that_is_never_heard_of_and_a_clock_that_was_ahead_keep_nothing_closed() {
        let mut breaker = Breaker::default();
        (0..3).for_each(|_| breaker.hear(true, at(0)));
        assert_eq!(looks(&mut breaker, 60), "probe");
        assert_eq!((looks(&mut breaker, 119), looks(&mut breaker, 120)), ("open", "probe"));
        assert_eq!(looks(&mut breaker, -900), "probe", "the clock went back by a quarter of an hour and more");
    }
}
