//! The rule of recurrence, and its occurrences.

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Tz;

use super::Cron;
use super::local::{Found, instant_of, local_of, overlap_at};

/// The most occurrences that are looked at in one go; a list that reaches it says so.
pub const OCCURRENCES_MAX: usize = 10_000;

/// The years in which occurrences are sought.
const YEARS: std::ops::RangeInclusive<i32> = 1..=4998;

/// The rule of recurrence, with its time zone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cadence {
    /// A cron expression in an IANA zone.
    ///
    /// A nominal local time comes due once: when it exists twice, the first time; when it does not exist, at the
    /// end of the gap. So an hourly expression leaves out the repeated hour in autumn.
    Cron {
        /// The expression.
        expression: Cron,
        /// The zone whose clock it speaks of.
        zone: Tz,
    },
}

/// One nominal instant of a cadence.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Occurrence {
    /// The instant.
    pub at: DateTime<Utc>,
    /// The local time and its offset, for people: `2026-03-29 03:00 +02:00`.
    pub local: String,
    /// The nominal local day, by which its period is found.
    pub local_on: NaiveDate,
    /// The rule that made it, and every shift: `0 6 22W * * in Europe/Berlin`.
    pub why: String,
}

/// An occurrence before it is put into words.
#[derive(Clone, Copy)]
pub(super) struct Bare {
    pub(super) at: DateTime<Utc>,
    nominal: NaiveDateTime,
    found: Found,
}

impl Cadence {
    /// The next `n` occurrences strictly after an instant (at most [`OCCURRENCES_MAX`]), in order.
    pub fn next_after(&self, after: DateTime<Utc>, n: usize) -> Vec<Occurrence> {
        self.after(after).take(n.min(OCCURRENCES_MAX)).map(|bare| self.in_words(bare)).collect()
    }

    /// The last occurrence at or before an instant.
    pub fn prev_at_or_before(&self, at: DateTime<Utc>) -> Option<Occurrence> {
        let Cadence::Cron { expression, zone } = self;
        let at = within_years(at);
        let local = local_of(*zone, at);
        // While the clock shows a time again, later local times have had their one instant already.
        let mut nominal = expression.at_or_before(local + overlap_at(*zone, local))?;
        loop {
            let (found_at, _) = instant_of(*zone, nominal);
            if found_at <= at {
                // Forwards again, so that several nominal times of one instant give the same words both ways.
                return self.next_after(found_at - Duration::seconds(1), 1).pop();
            }
            nominal = expression.at_or_before(nominal - Duration::seconds(1))?;
        }
    }

    /// All occurrences strictly after an instant, in order, without words.
    pub(super) fn after(&self, after: DateTime<Utc>) -> impl Iterator<Item = Bare> {
        let Cadence::Cron { expression, zone } = self;
        let after = within_years(after);
        let mut nominal = local_of(*zone, after);
        let mut last_at = after;
        std::iter::from_fn(move || {
            loop {
                nominal = expression.after(nominal).filter(|local| YEARS.contains(&local.year()))?;
                let (at, found) = instant_of(*zone, nominal);
                // Several nominal times in one gap share its end; times shown again lie before `after`.
                if at > last_at {
                    last_at = at;
                    return Some(Bare { at, nominal, found });
                }
            }
        })
    }

    /// The same with words.
    pub(super) fn in_words(&self, bare: Bare) -> Occurrence {
        let Cadence::Cron { expression, zone } = self;
        let local = bare.at.with_timezone(zone);
        let (nominal, real) = (bare.nominal, local.naive_local());
        let shift = match bare.found {
            Found::Once => String::new(),
            Found::Twice => format!("; {} comes twice on that day, the first counts", nominal.format("%H:%M")),
            Found::Never if nominal.date() == real.date() => {
                format!("; {} does not exist on that day, moved to {}", nominal.format("%H:%M"), real.format("%H:%M"))
            }
            Found::Never => {
                let (nominal, real) = (nominal.format("%Y-%m-%d %H:%M"), real.format("%Y-%m-%d %H:%M"));
                format!("; {nominal} does not exist, moved to {real}")
            }
        };
        Occurrence {
            at: bare.at,
            local: local.format("%Y-%m-%d %H:%M %:z").to_string(),
            local_on: nominal.date(),
            why: format!("{expression} in {zone}{shift}"),
        }
    }
}

/// The instant, or the nearest one whose neighbourhood every calendar operation can hold.
fn within_years(at: DateTime<Utc>) -> DateTime<Utc> {
    let bound =
        |year: i32| NaiveDate::from_ymd_opt(year, 7, 1).map(|day| day.and_time(chrono::NaiveTime::MIN).and_utc());
    match (bound(*YEARS.start()), bound(*YEARS.end())) {
        (Some(first), Some(last)) => at.clamp(first, last),
        _ => at,
    }
}
