//! The months an edition is about, and the months it shows.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Month;

/// What an edition is about: a calendar month, quarter or year, or a quarter or year that begins with another month.
///
/// Written `2026-10`, `2026-Q4`, `2026`, or by its first and last month `2026-02--2026-04` (ISO 8601-1:2019, 5.5.2.3);
/// that text is its only form in files and databases.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    last: Month,
    n_months: i32,
}

/// A text that is no period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a period, expected a month like `2026-10`, a quarter like `2026-Q4`, a year like `2026`, or three or twelve months like `2026-02--2026-04`"
)]
pub struct PeriodError(String);

impl Period {
    /// The period of one month.
    pub fn month(month: Month) -> Period {
        Period { last: month, n_months: 1 }
    }

    /// The calendar quarter that a month lies in.
    pub fn quarter_of(month: Month) -> Period {
        let quarter = (month.number() as i32 - 1) / 3;
        Period { last: month.plus(quarter * 3 + 3 - month.number() as i32), n_months: 3 }
    }

    /// The calendar year that a month lies in.
    pub fn year_of(month: Month) -> Period {
        Period { last: month.plus(12 - month.number() as i32), n_months: 12 }
    }

    /// The quarter or year (`n_months` 3 or 12, else the month alone) that a month lies in, where years begin with the
    /// month of this number.
    pub fn of(month: Month, n_months: u32, year_begins: u32) -> Period {
        let n_months = if matches!(n_months, 3 | 12) { n_months as i32 } else { 1 };
        let into = (month.number() as i32 - year_begins as i32).rem_euclid(n_months);
        Period { last: month.plus(n_months - 1 - into), n_months }
    }

    /// The one before it, of the same length.
    pub fn prev(self) -> Period {
        Period { last: self.last.plus(-self.n_months), ..self }
    }

    /// Whether both are months, quarters or years.
    pub fn is_as_long_as(self, other: Period) -> bool {
        self.n_months == other.n_months
    }

    /// Whether it is a month, quarter or year of the calendar.
    fn is_of_calendar(self) -> bool {
        self.last.number() as i32 % self.n_months == 0 || self.n_months == 1
    }

    /// Its first month.
    pub fn first(self) -> Month {
        self.last.plus(1 - self.n_months)
    }

    /// Its last month.
    pub fn last(self) -> Month {
        self.last
    }

    /// `October 2026`, `Q4 2026`, `2026` or `Feb 2026 – Apr 2026`, for titles.
    pub fn long(self) -> String {
        match self.n_months {
            _ if !self.is_of_calendar() => format!("{} – {}", self.first().short(), self.last.short()),
            1 => self.last.long(),
            3 => format!("Q{} {}", self.last.number() / 3, self.last.year()),
            _ => self.last.year().to_string(),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.n_months {
            _ if !self.is_of_calendar() => write!(f, "{}--{}", self.first(), self.last),
            1 => self.last.fmt(f),
            3 => write!(f, "{:04}-Q{}", self.last.year(), self.last.number() / 3),
            _ => write!(f, "{:04}", self.last.year()),
        }
    }
}

impl fmt::Debug for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Period, PeriodError> {
        let wrong = || PeriodError(text.to_owned());
        if let Ok(month) = text.parse::<Month>() {
            return Ok(Period::month(month));
        }
        if let Some((first, last)) = text.split_once("--") {
            let (first, last): (Month, Month) =
                (first.parse().map_err(|_| wrong())?, last.parse().map_err(|_| wrong())?);
            let period = Period { last, n_months: last.since(first) + 1 };
            // What has a shorter text has no other.
            return if matches!(period.n_months, 3 | 12) && !period.is_of_calendar() {
                Ok(period)
            } else {
                Err(wrong())
            };
        }
        let year = |year: &str, month| {
            (year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| Month::new(year.parse().ok()?, month))
                .flatten()
        };
        match text.split_once("-Q") {
            Some((of, "1")) => year(of, 3).map(Period::quarter_of),
            Some((of, "2")) => year(of, 6).map(Period::quarter_of),
            Some((of, "3")) => year(of, 9).map(Period::quarter_of),
            Some((of, "4")) => year(of, 12).map(Period::quarter_of),
            Some(_) => None,
            None => year(text, 12).map(Period::year_of),
        }
        .ok_or_else(wrong)
    }
}

impl Serialize for Period {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Period, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The months an edition shows: `n_months` of them, ending with the period's last.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Range {
    first: Month,
    last: Month,
}

/// The longest range: five years.
pub const RANGE_MONTHS_MAX: u32 = 60;

impl Range {
    /// The range of `n_months` months (1 to 60, else the nearest of these) that ends with a period.
    pub fn ending_with(period: Period, n_months: u32) -> Range {
        let n = n_months.clamp(1, RANGE_MONTHS_MAX) as i32;
        Range { first: period.last().plus(1 - n), last: period.last() }
    }

    /// Its first month.
    pub fn first(self) -> Month {
        self.first
    }

    /// Its last month.
    pub fn last(self) -> Month {
        self.last
    }

    /// How many months it has.
    pub fn n_months(self) -> usize {
        usize::try_from(self.last.since(self.first) + 1).unwrap_or(0)
    }

    /// Its months, in order.
    pub fn months(self) -> impl DoubleEndedIterator<Item = Month> + Clone {
        let first = self.first;
        (0..self.n_months() as i32).map(move |n| first.plus(n))
    }

    /// Where a month stands in it, from 0; none when it is outside.
    pub fn index_of(self, month: Month) -> Option<usize> {
        (self.first..=self.last).contains(&month).then(|| month.since(self.first) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_read_back_as_they_were_written() {
        for (text, first, last, long) in [
            ("2026-10", "2026-10", "2026-10", "October 2026"),
            ("2026-Q4", "2026-10", "2026-12", "Q4 2026"),
            ("2026-Q1", "2026-01", "2026-03", "Q1 2026"),
            ("2026", "2026-01", "2026-12", "2026"),
            ("2026-02--2026-04", "2026-02", "2026-04", "Feb 2026 – Apr 2026"),
            ("2025-04--2026-03", "2025-04", "2026-03", "Apr 2025 – Mar 2026"),
        ] {
            let period: Period = text.parse().unwrap();
            assert_eq!(period.to_string(), text);
            assert_eq!((period.first().to_string(), period.last().to_string()), (first.into(), last.into()));
            assert_eq!(period.long(), long);
        }
        for text in [
            "2026-01--2026-12",
            "2026-04--2026-06",
            "2026-02--2026-05",
            "2026-04--2026-02",
            "--",
            "2026-Q5",
            "2026-Q0",
            "26",
            "2026-13",
            "",
            "2026-Q",
            "x",
        ] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }

    #[test]
    fn quarters_and_years_may_begin_with_any_month() {
        let month: Month = "2026-05".parse().unwrap();
        for (n_months, year_begins, expected) in [
            (3, 1, "2026-Q2"),
            (3, 4, "2026-Q2"),
            (3, 2, "2026-05--2026-07"),
            (3, 12, "2026-03--2026-05"),
            (12, 1, "2026"),
            (12, 4, "2026-04--2027-03"),
            (12, 6, "2025-06--2026-05"),
            (1, 7, "2026-05"),
        ] {
            let period = Period::of(month, n_months, year_begins);
            assert_eq!(period.to_string(), expected);
            assert_eq!(period.prev().last().next(), period.first());
        }
    }

    #[test]
    fn a_range_ends_with_its_period() {
        let range = Range::ending_with("2026-10".parse().unwrap(), 12);
        assert_eq!((range.first().to_string(), range.n_months()), ("2025-11".to_owned(), 12));
        assert_eq!(range.index_of("2026-01".parse().unwrap()), Some(2));
        assert_eq!(range.index_of("2026-11".parse().unwrap()), None);
        assert_eq!(range.months().next_back(), Some(range.last()));
    }
}
