//! The months an edition is about, and the months it shows.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Month;

/// What an edition is about: a calendar month, quarter or year.
///
/// Written `2026-10`, `2026-Q4` or `2026`; that text is its only form in files and databases.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    last: Month,
    n_months: i32,
}

/// A text that is no period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a period, expected a month like `2026-10`, a quarter like `2026-Q4` or a year like `2026`")]
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

    /// Its first month.
    pub fn first(self) -> Month {
        self.last.plus(1 - self.n_months)
    }

    /// Its last month.
    pub fn last(self) -> Month {
        self.last
    }

    /// `October 2026`, `Q4 2026` or `2026`, for titles.
    pub fn long(self) -> String {
        match self.n_months {
            1 => self.last.long(),
            3 => format!("Q{} {}", self.last.number() / 3, self.last.year()),
            _ => self.last.year().to_string(),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.n_months {
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
        ] {
            let period: Period = text.parse().unwrap();
            assert_eq!(period.to_string(), text);
            assert_eq!((period.first().to_string(), period.last().to_string()), (first.into(), last.into()));
            assert_eq!(period.long(), long);
        }
        for text in ["2026-Q5", "2026-Q0", "26", "2026-13", "", "2026-Q", "x"] {
            assert!(text.parse::<Period>().is_err(), "{text}");
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
