//! Calendar rules: on which day of each week, month, quarter or year something is due.

use std::fmt;
use std::sync::Arc;

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Weekday};
use serde::{Deserialize, Serialize};

use super::calendar::{Calendar, Nth, long, nth_weekday, parse};
use crate::base::Month;

/// How often a rule's day is sought.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Every {
    /// On each day.
    Day,
    /// In each week, which begins on Monday.
    Week,
    /// In each month.
    #[default]
    Month,
    /// In one month of each quarter.
    Quarter,
    /// In one month of each year.
    Year,
}

impl Every {
    /// How long one of it is.
    fn length(self) -> Length {
        match self {
            Every::Day => Length::Days(1),
            Every::Week => Length::Days(7),
            Every::Month => Length::Months(1),
            Every::Quarter => Length::Months(3),
            Every::Year => Length::Months(12),
        }
    }
}

/// How long what a rule seeks its days in is.
enum Length {
    Days(u64),
    Months(u32),
}

/// Which day of a week or month, or which days of all.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum On {
    /// `every day`.
    EveryDay,
    /// `every business day`.
    EveryBusinessDay,
    /// Weekdays of a week: `Monday, Thursday`.
    Weekdays(Vec<Weekday>),
    /// A day of a month: `the 21st`. A month without it is passed over.
    Day(u32),
    /// `last day`.
    LastDay,
    /// `2nd Tuesday`, `last Friday`. A month without a fifth one is passed over.
    Weekday(Nth, Weekday),
    /// `3rd business day`, `last business day`.
    BusinessDay(Nth),
    /// `first business day on or after the 21st`: it may lie in the next month.
    OnOrAfter(u32),
    /// `last business day on or before the 15th`: it may lie in the month before.
    OnOrBefore(u32),
}

/// A text that is no day of a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` {is_no}")]
pub struct OnError {
    text: String,
    is_no: &'static str,
    hint: &'static str,
}

impl OnError {
    /// What to write instead.
    pub fn hint(&self) -> &'static str {
        self.hint
    }
}

/// A rule: every so often, on a day, at some times of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rule {
    /// How often.
    pub every: Every,
    /// On which day.
    pub on: On,
    /// In which month of a quarter or year, 1 being its first.
    pub in_month: u32,
    /// The month that a year begins with, 1 being January: quarters and years are shifted by it.
    pub year_begins: u32,
    /// At which local times, in order.
    pub at: Vec<NaiveTime>,
    /// On which days nobody works.
    pub calendar: Arc<Calendar>,
    /// The calendar's name, for people; empty for the weekend alone.
    pub calendar_name: String,
}

/// The rule that stands where none is written: Partner Center closes a month by the 20th of the next one.
pub const ON_DEFAULT: On = On::OnOrAfter(21);

/// As many weeks or months are looked through for a day before it is said that there is none: a fifth Friday comes
/// within four months, a 29 February within eight years, a business day within the year that a calendar may be off.
const UNITS_SOUGHT_MAX: usize = 400;

/// As many months without the day are named at most: those of the time between two 29 Februaries are too many.
const PASSED_OVER_MAX: usize = 3;

impl Every {
    /// Reads a day of it.
    ///
    /// # Errors
    /// When the text is none, with a hint.
    pub fn on(self, text: &str) -> Result<On, OnError> {
        let lower = text.to_lowercase().replace(',', " ");
        let words: Vec<&str> = lower.split_whitespace().filter(|word| !matches!(*word, "the" | "on" | "and")).collect();
        let (found, is_no, hint) = match self {
            Every::Day => (
                days(&words),
                "is neither every day nor every business day",
                "certain weekdays go by `every = \"week\"`, as in `on = \"Monday, Thursday\"`",
            ),
            Every::Week => (weekdays(&words), "is no day of a week", "weekdays, as in `Monday` or `Monday, Thursday`"),
            Every::Month | Every::Quarter | Every::Year => (
                day_of_month(&words),
                "is no day of a month",
                "as in `first business day on or after the 21st`, `last business day`, `3rd business day`, `the 21st`, \
                 `last day`, `2nd Tuesday` or `last Friday`",
            ),
        };
        found.ok_or_else(|| OnError { text: text.to_owned(), is_no, hint })
    }
}

fn days(words: &[&str]) -> Option<On> {
    match words {
        ["every" | "each", "day"] => Some(On::EveryDay),
        ["every" | "each", "business", "day"] | ["business", "day" | "days"] => Some(On::EveryBusinessDay),
        _ => None,
    }
}

fn weekdays(words: &[&str]) -> Option<On> {
    let mut days: Vec<Weekday> = words.iter().map(|word| parse::weekday(word)).collect::<Option<_>>()?;
    days.sort_by_key(Weekday::num_days_from_monday);
    days.dedup();
    (!days.is_empty()).then_some(On::Weekdays(days))
}

fn day_of_month(words: &[&str]) -> Option<On> {
    let day = |word: &str| parse::ordinal(word).filter(|n| (1..=31).contains(n));
    match words {
        ["last", "day"] => Some(On::LastDay),
        ["first", "business", "day", "or", "after", word] => day(word).map(On::OnOrAfter),
        ["last", "business", "day", "or", "before", word] => day(word).map(On::OnOrBefore),
        // No month has more than 23.
        [word, "business", "day"] => parse::nth(word, 23).map(On::BusinessDay),
        ["day", word] | [word] if day(word).is_some() => day(word).map(On::Day),
        [word, weekday] => Some(On::Weekday(parse::nth(word, 5)?, parse::weekday(weekday)?)),
        _ => None,
    }
}

impl Rule {
    /// The first nominal local time after `local`; none where there is none for years.
    pub(super) fn after(&self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        // A day on or after the 31st may lie in the next unit.
        let mut unit = self.unit_of(local.date())?;
        unit = self.step(unit, -1)?;
        for _ in 0..UNITS_SOUGHT_MAX {
            if let Some(found) = self.times(unit).into_iter().find(|time| *time > local) {
                return Some(found);
            }
            unit = self.step(unit, 1)?;
        }
        None
    }

    /// The last nominal local time at or before `local`.
    pub(super) fn at_or_before(&self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        // A day on or before the 1st may lie in the unit before.
        let mut unit = self.unit_of(local.date())?;
        unit = self.step(unit, 1)?;
        for _ in 0..UNITS_SOUGHT_MAX {
            if let Some(found) = self.times(unit).into_iter().rev().find(|time| *time <= local) {
                return Some(found);
            }
            unit = self.step(unit, -1)?;
        }
        None
    }

    /// The first day of the week, or of the month in which the day is sought, at or before a day.
    fn unit_of(&self, day: NaiveDate) -> Option<NaiveDate> {
        let n_months = match self.every.length() {
            Length::Days(1) => return Some(day),
            Length::Days(_) => {
                return day.checked_sub_days(Days::new(u64::from(day.weekday().num_days_from_monday())));
            }
            Length::Months(n_months) => n_months,
        };
        let sought = (self.year_begins + self.in_month) as i32 - 2;
        let back = (day.month0() as i32 - sought).rem_euclid(n_months as i32);
        Some(Month::of(day).plus(-back).first_day())
    }

    fn step(&self, unit: NaiveDate, n: i32) -> Option<NaiveDate> {
        match self.every.length() {
            Length::Days(days) if n < 0 => unit.checked_sub_days(Days::new(days)),
            Length::Days(days) => unit.checked_add_days(Days::new(days)),
            Length::Months(n_months) => {
                let year = unit.year();
                // The calendar of months ends somewhere; nobody plans beyond.
                (2..9_998).contains(&year).then(|| Month::of(unit).plus(n * n_months as i32).first_day())
            }
        }
    }

    /// The nominal local times of a unit, in order.
    fn times(&self, unit: NaiveDate) -> Vec<NaiveDateTime> {
        self.days(unit).into_iter().flat_map(|day| self.at.iter().map(move |at| day.and_time(*at))).collect()
    }

    fn days(&self, unit: NaiveDate) -> Vec<NaiveDate> {
        match &self.on {
            On::EveryDay => vec![unit],
            On::EveryBusinessDay => Vec::from_iter(self.calendar.is_business_day(unit).then_some(unit)),
            On::Weekdays(days) => {
                let day =
                    |weekday: &Weekday| unit.checked_add_days(Days::new(u64::from(weekday.num_days_from_monday())));
                days.iter().filter_map(day).collect()
            }
            on => self.day_of_month(on, unit).into_iter().collect(),
        }
    }

    fn day_of_month(&self, on: &On, first: NaiveDate) -> Option<NaiveDate> {
        let calendar = &self.calendar;
        let last = Month::of(first).next().first_day().pred_opt()?;
        // The 31st of a shorter month is its last day, for rules that go on from there.
        let from = |day: u32| first.with_day(day).unwrap_or(last);
        match on {
            On::EveryDay | On::EveryBusinessDay | On::Weekdays(_) => None,
            On::Day(day) => first.with_day(*day),
            On::LastDay => Some(last),
            On::Weekday(nth, weekday) => nth_weekday(*nth, *weekday, first.year(), first.month()),
            On::BusinessDay(Nth::Last) => calendar.on_or_before(last).filter(|day| day.month() == first.month()),
            On::BusinessDay(Nth::Nth(n)) => {
                let of_month = first.iter_days().take_while(|day| day.month() == first.month());
                of_month.filter(|day| calendar.is_business_day(*day)).nth(*n as usize - 1)
            }
            On::OnOrAfter(day) => calendar.on_or_after(from(*day)),
            On::OnOrBefore(day) => calendar.on_or_before(from(*day)),
        }
    }

    /// The rule in words, and what moved the day: `first business day on or after the 21st: 21 November is a Saturday`.
    pub(super) fn why(&self, day: NaiveDate) -> String {
        let why = [self.shift(day), self.passed_over(day)];
        let why: Vec<String> = why.into_iter().flatten().collect();
        if why.is_empty() { self.to_string() } else { format!("{self}: {}", why.join("; ")) }
    }

    /// Which months right before the day's own have no such day: `June and July 2026 have no 5th Friday`.
    fn passed_over(&self, day: NaiveDate) -> Option<String> {
        if !matches!(self.every.length(), Length::Months(_)) {
            return None;
        }
        let mut unit = self.unit_of(day)?;
        let mut without = Vec::new();
        loop {
            unit = self.step(unit, -1)?;
            if !self.days(unit).is_empty() || without.len() == PASSED_OVER_MAX {
                break;
            }
            without.push(Month::of(unit).long());
        }
        without.reverse();
        let have = if without.len() == 1 { "has" } else { "have" };
        let on = self.on.to_string();
        let on = on.strip_prefix("the ").unwrap_or(&on);
        (!without.is_empty()).then(|| format!("{} {have} no {on}", without.join(" and ")))
    }

    /// Why the day is another than the rule's own.
    fn shift(&self, day: NaiveDate) -> Option<String> {
        let (On::OnOrAfter(n) | On::OnOrBefore(n)) = self.on else { return None };
        let is_after = matches!(self.on, On::OnOrAfter(_));
        // The day lies in the month that was asked, or has left it.
        let months = [Month::of(day), if is_after { Month::of(day).prev() } else { Month::of(day).next() }];
        let nominal = months.into_iter().find_map(|month| {
            let first = month.first_day();
            let nominal = first.with_day(n).or_else(|| month.next().first_day().pred_opt())?;
            (self.day_of_month(&self.on, first) == Some(day)).then_some(nominal)
        })?;
        let why = self.calendar.why_off(nominal)?;
        let day_is = |day: NaiveDate| format!("{} {}", day.day(), Month::of(day).name());
        Some(format!("{} is {why}, {} is {}", day_is(nominal), day_is(day), long(day.weekday())))
    }
}

/// `first business day on or after the 21st of each month at 06:00, calendar germany`.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shifted =
            if self.year_begins == 1 { String::new() } else { format!(" from {}", month_name(self.year_begins)) };
        let of = match self.every {
            Every::Day => String::new(),
            Every::Week => " of each week".to_owned(),
            Every::Month => " of each month".to_owned(),
            Every::Quarter => format!(" of month {} of each quarter{shifted}", self.in_month),
            Every::Year => format!(" of {} each year", month_name((self.year_begins + self.in_month - 2) % 12 + 1)),
        };
        let at: Vec<String> = self.at.iter().map(|at| at.format("%H:%M").to_string()).collect();
        write!(f, "{}{of} at {}", self.on, at.join(" and "))?;
        if self.calendar_name.is_empty() { Ok(()) } else { write!(f, ", calendar {}", self.calendar_name) }
    }
}

/// As it is written in the configuration.
impl fmt::Display for On {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let the = |n: u32| format!("{n}{}", parse::ending(n));
        let nth = |nth: Nth| match nth {
            Nth::Nth(n) => the(n),
            Nth::Last => "last".to_owned(),
        };
        match self {
            On::EveryDay => f.write_str("every day"),
            On::EveryBusinessDay => f.write_str("every business day"),
            On::Weekdays(days) => {
                let names: Vec<&str> = days.iter().map(|day| long(*day)).collect();
                f.write_str(&names.join(", "))
            }
            On::Day(day) => write!(f, "the {}", the(*day)),
            On::LastDay => f.write_str("last day"),
            On::Weekday(n, weekday) => write!(f, "{} {}", nth(*n), long(*weekday)),
            On::BusinessDay(n) => write!(f, "{} business day", nth(*n)),
            On::OnOrAfter(day) => write!(f, "first business day on or after the {}", the(*day)),
            On::OnOrBefore(day) => write!(f, "last business day on or before the {}", the(*day)),
        }
    }
}

fn month_name(number: u32) -> &'static str {
    u8::try_from(number)
        .ok()
        .and_then(|number| chrono::Month::try_from(number).ok())
        .map_or("January", |month| month.name())
}

#[cfg(test)]
mod tests;
