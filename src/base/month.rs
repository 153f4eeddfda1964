//! A calendar month, which is the grain of all facts.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

/// A calendar month from 0001-01 to 9998-12, ordered in time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(i32);

/// A text that is no month.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a month, expected one like `2026-10`")]
pub struct MonthError(String);

const NAMES: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

impl Month {
    /// The month of a year (1 to 9998) and a month number (1 to 12), if there is one.
    pub fn new(year: i32, month: u32) -> Option<Month> {
        let month0 = i32::try_from(month).ok()? - 1;
        ((1..=9998).contains(&year) && (0..12).contains(&month0)).then_some(Month(year * 12 + month0))
    }

    /// The month that a day lies in; days outside 0001 to 9998 count as the nearest month.
    pub fn of(day: NaiveDate) -> Month {
        Month((day.year().clamp(1, 9998)) * 12 + day.month0() as i32)
    }

    /// The year, as in `2026`.
    pub fn year(self) -> i32 {
        self.0.div_euclid(12)
    }

    /// The number of the month, 1 to 12.
    pub fn number(self) -> u32 {
        self.0.rem_euclid(12) as u32 + 1
    }

    /// The month `n` months later, or earlier when `n` is negative.
    #[must_use]
    pub fn plus(self, n: i32) -> Month {
        Month((self.0 + n).clamp(12, 9998 * 12 + 11))
    }

    /// The month before.
    #[must_use]
    pub fn prev(self) -> Month {
        self.plus(-1)
    }

    /// The month after.
    #[must_use]
    pub fn next(self) -> Month {
        self.plus(1)
    }

    /// How many months `self` is after `earlier`; negative when it is before.
    pub fn since(self, earlier: Month) -> i32 {
        self.0 - earlier.0
    }

    /// Its first day.
    pub fn first_day(self) -> NaiveDate {
        NaiveDate::from_ymd_opt(self.year(), self.number(), 1).unwrap_or(NaiveDate::MIN)
    }

    /// Its last day.
    pub fn last_day(self) -> NaiveDate {
        let next = self.0 + 1;
        NaiveDate::from_ymd_opt(next.div_euclid(12), next.rem_euclid(12) as u32 + 1, 1)
            .and_then(|day| day.pred_opt())
            .unwrap_or(NaiveDate::MAX)
    }

    /// `October 2026`.
    pub fn long(self) -> String {
        format!("{} {}", self.name(), self.year())
    }

    /// `Oct 2026`.
    pub fn short(self) -> String {
        format!("{} {}", self.abbreviation(), self.year())
    }

    /// `October`.
    pub fn name(self) -> &'static str {
        NAMES[self.number() as usize - 1]
    }

    /// `Oct`.
    pub fn abbreviation(self) -> &'static str {
        &self.name()[..3]
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year(), self.number())
    }
}

impl fmt::Debug for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Month {
    type Err = MonthError;

    fn from_str(text: &str) -> Result<Month, MonthError> {
        let digits = |part: &str, n: usize| part.len() == n && part.bytes().all(|byte| byte.is_ascii_digit());
        text.split_once('-')
            .filter(|(year, month)| digits(year, 4) && digits(month, 2))
            .and_then(|(year, month)| Month::new(year.parse().ok()?, month.parse().ok()?))
            .ok_or_else(|| MonthError(text.to_owned()))
    }
}

impl Serialize for Month {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Month {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Month, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_read_counted_and_named() {
        let october: Month = "2026-10".parse().unwrap();
        assert_eq!(october.plus(3).to_string(), "2027-01");
        assert_eq!(october.since("2025-11".parse().unwrap()), 11);
        assert_eq!(october.long(), "October 2026");
        assert_eq!(october.short(), "Oct 2026");
        assert_eq!(october.last_day(), NaiveDate::from_ymd_opt(2026, 10, 31).unwrap());
        assert_eq!(Month::new(2024, 2).unwrap().last_day().day(), 29);
    }

    #[test]
    fn what_is_no_month_is_refused() {
        for text in ["2026-13", "2026-00", "26-10", "2026-1", "2026/10", "", "2026-10-01", "+026-10", "0000-01"] {
            assert!(text.parse::<Month>().is_err(), "{text}");
        }
    }
}
