//! Calendars: on which days nobody works.

mod national;
pub(super) mod parse;

use chrono::{Datelike, Days, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

pub use national::{NATIONAL, National};
pub use parse::DayOffError;

/// On which days nobody works.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Calendar {
    /// The days of each week.
    pub weekend: Vec<Weekday>,
    /// Other days.
    pub days_off: Vec<DayOff>,
}

/// The weekend alone.
impl Default for Calendar {
    fn default() -> Calendar {
        Calendar { weekend: vec![Weekday::Sat, Weekday::Sun], days_off: Vec::new() }
    }
}

/// A day on which nobody works, with a name for people.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DayOff {
    /// As in `Memorial Day`.
    pub name: String,
    /// When it is.
    pub on: DayRule,
    /// Where it goes when it falls on a weekend.
    pub moves: Moves,
}

/// When a day off is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DayRule {
    /// Once: `2026-12-24`.
    Once(NaiveDate),
    /// Each year: `12-24`. A 29 February is in leap years only.
    Yearly {
        /// 1 to 12.
        month: u32,
        /// 1 to 31.
        day: u32,
    },
    /// Each year: `last Monday of May`.
    Weekday {
        /// Which one.
        nth: Nth,
        /// Of which weekday.
        weekday: Weekday,
        /// 1 to 12.
        month: u32,
    },
    /// So many days after Easter Sunday of the western churches, or before: `Easter - 2`.
    Easter(i64),
}

/// Which of several in a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Nth {
    /// From the front, 1 being the first.
    Nth(u32),
    /// The last.
    Last,
}

/// Where a day off goes when it falls on a weekend.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moves {
    /// Nowhere: it is lost.
    #[default]
    Stays,
    /// From Saturday to Friday, from Sunday to Monday.
    Nearest,
    /// To the next day that is neither weekend nor another day off.
    Next,
}

impl Calendar {
    /// Whether people work on a day.
    pub fn is_business_day(&self, day: NaiveDate) -> bool {
        self.why_off(day).is_none()
    }

    /// Why nobody works on a day, as in `a Saturday` or `Memorial Day`; none where they do.
    pub fn why_off(&self, day: NaiveDate) -> Option<String> {
        if self.weekend.contains(&day.weekday()) {
            return Some(format!("a {}", long(day.weekday())));
        }
        // What moves may come over the turn of a year.
        (day.year() - 1..=day.year() + 1)
            .flat_map(|year| self.days_off.iter().map(move |off| (year, off)))
            .find(|(year, off)| self.observed(off, *year) == Some(day))
            .map(|(_, off)| off.name.clone())
    }

    /// The first business day on or after a day; none within a year.
    pub fn on_or_after(&self, day: NaiveDate) -> Option<NaiveDate> {
        day.iter_days().take(DAYS_SOUGHT_MAX).find(|day| self.is_business_day(*day))
    }

    /// The last business day on or before a day; none within a year.
    pub fn on_or_before(&self, day: NaiveDate) -> Option<NaiveDate> {
        (0..DAYS_SOUGHT_MAX as u64)
            .map_while(|n| day.checked_sub_days(Days::new(n)))
            .find(|day| self.is_business_day(*day))
    }

    /// The day of a year on which a day off is kept.
    fn observed(&self, off: &DayOff, year: i32) -> Option<NaiveDate> {
        let day = off.on.of_year(year)?;
        match off.moves {
            Moves::Stays => Some(day),
            Moves::Nearest => match day.weekday() {
                Weekday::Sat => day.pred_opt(),
                Weekday::Sun => day.succ_opt(),
                _ => Some(day),
            },
            Moves::Next => self.next_free(off, day, year),
        }
    }

    /// A weekend day's substitute: the first one that no other day off has.
    fn next_free(&self, off: &DayOff, day: NaiveDate, year: i32) -> Option<NaiveDate> {
        if !self.weekend.contains(&day.weekday()) {
            return Some(day);
        }
        let is_taken = |free: NaiveDate| {
            self.weekend.contains(&free.weekday())
                || self
                    .days_off
                    .iter()
                    .take_while(|other| *other != off)
                    .any(|other| self.observed(other, year) == Some(free))
                || self.days_off.iter().any(|other| other != off && other.on.of_year(year) == Some(free))
        };
        day.iter_days().take(DAYS_SOUGHT_MAX).find(|free| !is_taken(*free))
    }
}

/// Calendars that are off for longer are refused where they are written.
pub(super) const DAYS_SOUGHT_MAX: usize = 366;

impl DayRule {
    fn of_year(self, year: i32) -> Option<NaiveDate> {
        match self {
            DayRule::Once(day) => (day.year() == year).then_some(day),
            DayRule::Yearly { month, day } => NaiveDate::from_ymd_opt(year, month, day),
            DayRule::Weekday { nth, weekday, month } => nth_weekday(nth, weekday, year, month),
            DayRule::Easter(days) => {
                let easter = easter(year)?;
                let n = Days::new(days.unsigned_abs());
                if days < 0 { easter.checked_sub_days(n) } else { easter.checked_add_days(n) }
            }
        }
    }
}

/// The nth weekday of a month; none where the month has not so many.
pub(super) fn nth_weekday(nth: Nth, weekday: Weekday, year: i32, month: u32) -> Option<NaiveDate> {
    match nth {
        Nth::Nth(n) => NaiveDate::from_weekday_of_month_opt(year, month, weekday, u8::try_from(n).ok()?),
        Nth::Last => (1..=5).rev().find_map(|n| NaiveDate::from_weekday_of_month_opt(year, month, weekday, n)),
    }
}

/// Easter Sunday of the western churches in the Gregorian calendar (the algorithm of Meeus, Jones and Butcher,
/// *Astronomical Algorithms*, chapter 8).
fn easter(year: i32) -> Option<NaiveDate> {
    let (a, b, c) = (year.rem_euclid(19), year.div_euclid(100), year.rem_euclid(100));
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 19 * l) / 433;
    let n = (h + l - 7 * m + 90) / 25;
    let p = (h + l - 7 * m + 33 * n + 19) % 32;
    NaiveDate::from_ymd_opt(year, u32::try_from(n).ok()?, u32::try_from(p).ok()?)
}

/// A weekday for people.
pub(super) fn long(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Mon => "Monday",
        Weekday::Tue => "Tuesday",
        Weekday::Wed => "Wednesday",
        Weekday::Thu => "Thursday",
        Weekday::Fri => "Friday",
        Weekday::Sat => "Saturday",
        Weekday::Sun => "Sunday",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn easter_is_where_the_church_s_tables_have_it() {
        for text in ["1961-04-02", "2000-04-23", "2024-03-31", "2025-04-20", "2026-04-05", "2038-04-25", "2285-03-22"] {
            assert_eq!(easter(day(text).year()), Some(day(text)));
        }
    }

    #[test]
    fn a_day_off_on_a_weekend_goes_where_its_rule_sends_it() {
        let calendar = |moves| Calendar {
            days_off: [("Christmas Day", "12-25"), ("Boxing Day", "12-26")]
                .map(|(name, on)| DayOff { name: name.to_owned(), on: on.parse().unwrap(), moves })
                .to_vec(),
            ..Calendar::default()
        };
        let off = |moves, year: i32| -> Vec<String> {
            let calendar = calendar(moves);
            let weekdays = (20..=31).filter_map(|n| NaiveDate::from_ymd_opt(year, 12, n));
            let off =
                weekdays.filter(|day| !calendar.weekend.contains(&day.weekday()) && !calendar.is_business_day(*day));
            off.map(|day| day.format("%d").to_string()).collect()
        };
        // 25 December is a Saturday in 2027, a Sunday in 2033, a Friday in 2026.
        assert_eq!(off(Moves::Stays, 2027), Vec::<String>::new());
        assert_eq!(off(Moves::Nearest, 2027), ["24", "27"]);
        assert_eq!(off(Moves::Next, 2027), ["27", "28"]);
        assert_eq!(off(Moves::Next, 2033), ["26", "27"]);
        assert_eq!(off(Moves::Next, 2026), ["25", "28"]);
    }

    #[test]
    fn a_day_off_may_move_over_the_turn_of_the_year() {
        let new_year =
            DayOff { name: "New Year's Day".to_owned(), on: "01-01".parse().unwrap(), moves: Moves::Nearest };
        let calendar = Calendar { days_off: vec![new_year], ..Calendar::default() };
        assert_eq!(calendar.why_off(day("2027-12-31")).as_deref(), Some("New Year's Day"));
        assert_eq!(calendar.why_off(day("2026-11-21")).as_deref(), Some("a Saturday"));
        assert_eq!(calendar.on_or_after(day("2027-12-31")), Some(day("2028-01-03")));
        assert_eq!(calendar.on_or_before(day("2028-01-02")), Some(day("2027-12-30")));
    }

    #[test]
    fn a_calendar_without_a_business_day_has_none() {
        let week = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];
        let calendar = Calendar { weekend: week.to_vec(), days_off: Vec::new() };
        assert_eq!((calendar.on_or_after(day("2026-01-01")), calendar.on_or_before(day("2026-01-01"))), (None, None));
    }
}
