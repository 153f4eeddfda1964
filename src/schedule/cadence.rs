//! The rule of recurrence, and its occurrences.

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::local::{Found, instant_of, local_of, overlap_at};
use super::{Cron, Rule};

/// The most occurrences that are looked at in one go; a list that reaches it says so.
pub const OCCURRENCES_MAX: usize = 10_000;

/// The years in which occurrences are sought.
const YEARS: std::ops::RangeInclusive<i32> = 1..=4998;

/// The rule of recurrence, with its time zone and its bounds.
///
/// A nominal local time comes due once: when it exists twice, the first time; when it does not exist, at the end of
/// the gap. So an hourly expression leaves out the repeated hour in autumn.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Cadence {
    /// Which local times.
    pub times: Times,
    /// The zone whose clock they are of.
    #[serde(serialize_with = "zone_name", deserialize_with = "zone_of")]
    pub zone: Tz,
    /// Nothing is due on nominal days before this one.
    pub not_before: Option<NaiveDate>,
    /// Nothing is due on nominal days after this one.
    pub until: Option<NaiveDate>,
    /// Nothing is due on nominal days from one to the other, both included.
    pub pauses: Vec<(NaiveDate, NaiveDate)>,
}

/// Which local times a cadence names.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Times {
    /// Those of a cron expression.
    Cron(Cron),
    /// Those of a calendar rule.
    Rule(Rule),
}

impl Times {
    fn after(&self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        match self {
            Times::Cron(cron) => cron.after(local),
            Times::Rule(rule) => rule.after(local),
        }
    }

    fn at_or_before(&self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        match self {
            Times::Cron(cron) => cron.at_or_before(local),
            Times::Rule(rule) => rule.at_or_before(local),
        }
    }

    /// Whether any time comes after the beginning of a day.
    pub fn fires_after(&self, day: NaiveDate) -> bool {
        self.after(day.and_time(NaiveTime::MIN)).is_some()
    }

    /// What names a time, and what shifted its day.
    fn why(&self, day: NaiveDate) -> String {
        match self {
            Times::Cron(cron) => cron.to_string(),
            Times::Rule(rule) => rule.why(day),
        }
    }
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
    /// Of some times in a zone, without bounds.
    pub fn new(times: Times, zone: Tz) -> Cadence {
        Cadence { times, zone, not_before: None, until: None, pauses: Vec::new() }
    }

    /// The first nominal local time after another that its bounds let through.
    fn nominal_after(&self, mut local: NaiveDateTime) -> Option<NaiveDateTime> {
        if let Some(start) =
            self.not_before.and_then(|day| day.and_time(NaiveTime::MIN).checked_sub_signed(Duration::seconds(1)))
        {
            local = local.max(start);
        }
        loop {
            local = self.times.after(local)?;
            let day = local.date();
            if self.until.is_some_and(|until| day > until) {
                return None;
            }
            let Some((_, end)) = self.pauses.iter().find(|(from, to)| (*from..=*to).contains(&day)) else {
                return Some(local);
            };
            // The last second of a pause, so that the next time is sought behind it.
            local = local.max(end.succ_opt()?.and_time(NaiveTime::MIN) - Duration::seconds(1));
        }
    }

    /// The last nominal local time at or before another that its bounds let through.
    fn nominal_at_or_before(&self, mut local: NaiveDateTime) -> Option<NaiveDateTime> {
        let end_of = |day: NaiveDate| Some(day.succ_opt()?.and_time(NaiveTime::MIN) - Duration::seconds(1));
        if let Some(end) = self.until.and_then(end_of) {
            local = local.min(end);
        }
        loop {
            local = self.times.at_or_before(local)?;
            let day = local.date();
            if self.not_before.is_some_and(|not_before| day < not_before) {
                return None;
            }
            let Some((from, _)) = self.pauses.iter().find(|(from, to)| (*from..=*to).contains(&day)) else {
                return Some(local);
            };
            local = from.and_time(NaiveTime::MIN) - Duration::seconds(1);
        }
    }

    /// The next `n` occurrences strictly after an instant (at most [`OCCURRENCES_MAX`]), in order.
    pub fn next_after(&self, after: DateTime<Utc>, n: usize) -> Vec<Occurrence> {
        self.after(after).take(n.min(OCCURRENCES_MAX)).map(|bare| self.in_words(bare)).collect()
    }

    /// The instant of the next occurrence strictly after another, without words.
    pub fn next_at(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.after(after).next().map(|bare| bare.at)
    }

    /// The last occurrence at or before an instant.
    pub fn prev_at_or_before(&self, at: DateTime<Utc>) -> Option<Occurrence> {
        let (zone, at) = (self.zone, within_years(at));
        let local = local_of(zone, at);
        // While the clock shows a time again, later local times have had their one instant already.
        let mut nominal = self.nominal_at_or_before(local + overlap_at(zone, local))?;
        loop {
            let (found_at, _) = instant_of(zone, nominal);
            if found_at <= at {
                // Forwards again, so that several nominal times of one instant give the same words both ways.
                return self.next_after(found_at - Duration::seconds(1), 1).pop();
            }
            nominal = self.nominal_at_or_before(nominal - Duration::seconds(1))?;
        }
    }

    /// All occurrences strictly after an instant, in order, without words.
    pub(super) fn after(&self, after: DateTime<Utc>) -> impl Iterator<Item = Bare> {
        let (zone, after) = (self.zone, within_years(after));
        let mut nominal = local_of(zone, after);
        let mut last_at = after;
        std::iter::from_fn(move || {
            loop {
                nominal = self.nominal_after(nominal).filter(|local| YEARS.contains(&local.year()))?;
                let (at, found) = instant_of(zone, nominal);
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
        let zone = self.zone;
        let local = bare.at.with_timezone(&zone);
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
            why: format!("{} in {zone}{shift}", self.times.why(nominal.date())),
        }
    }
}

/// The instant, or the nearest one whose neighbourhood every calendar operation can hold.
fn within_years(at: DateTime<Utc>) -> DateTime<Utc> {
    let bound = |year: i32| NaiveDate::from_ymd_opt(year, 7, 1).map(|day| day.and_time(NaiveTime::MIN).and_utc());
    match (bound(*YEARS.start()), bound(*YEARS.end())) {
        (Some(first), Some(last)) => at.clamp(first, last),
        _ => at,
    }
}

fn zone_name<S: Serializer>(zone: &Tz, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(zone.name())
}

fn zone_of<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tz, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}
