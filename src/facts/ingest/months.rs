//! Months as Partner Center's files write them.

use chrono::NaiveDate;

use super::BadValue;
use crate::base::Month;

/// The month of a cell: an ISO date or instant, or two numbers and a year of which the 1 is the day.
pub(super) fn month_of(cell: &str) -> Result<Month, BadValue> {
    let text = cell.trim();
    let (date, _time) = text.split_once([' ', 'T']).unwrap_or((text, ""));
    let parts: Vec<&str> = date.split(['-', '/', '.']).collect();
    let digits = |part: &&&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if parts.iter().filter(digits).count() != parts.len() {
        return Err(BadValue::NotAMonth);
    }
    let numbers: Vec<u32> = parts.iter().filter_map(|part| part.parse().ok()).collect();
    let month = match (&parts[..], &numbers[..]) {
        ([year, _], [of, month]) if year.len() == 4 && date.contains('-') => Some((*of, *month)),
        ([year, _, _], [of, month, day]) if year.len() == 4 => {
            let day = i32::try_from(*of).ok().and_then(|of| NaiveDate::from_ymd_opt(of, *month, *day));
            day.map(|_| (*of, *month))
        }
        ([first, second, year], [a, b, of]) if year.len() == 4 && first.len() <= 2 && second.len() <= 2 => {
            match (*a, *b) {
                (1, month) | (month, 1) if (1..=12).contains(&month) => Some((*of, month)),
                (1, _) | (_, 1) => None,
                _ => return Err(BadValue::NotAFirstDay),
            }
        }
        _ => None,
    };
    let (year, month) = month.ok_or(BadValue::NotAMonth)?;
    let month = i32::try_from(year).ok().and_then(|year| Month::new(year, month)).ok_or(BadValue::NotAMonth)?;
    if (2000..2100).contains(&month.year()) { Ok(month) } else { Err(BadValue::FarMonth) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_come_as_iso_or_as_a_first_day() {
        let check = |text: &str, expected: &str| {
            assert_eq!(month_of(text).map(|month| month.to_string()), Ok(expected.to_owned()), "{text}");
        };
        for text in [
            "2026-10",
            "2026-10-01",
            "2026-10-01T00:00:00Z",
            "2026-10-01 00:00:00.000",
            "2026/10/01",
            "10/1/2026",
            "1/10/2026",
            "01.10.2026",
            "10/01/2026 12:00:00 AM",
            " 10/1/2026 ",
        ] {
            check(text, "2026-10");
        }
        check("1/1/2026", "2026-01");
        check("12/1/2026", "2026-12");
        check("2026-01-31", "2026-01");
    }

    #[test]
    fn what_is_no_month_is_told_from_what_may_be_two() {
        for (text, reason) in [
            ("2026-13", BadValue::NotAMonth),
            ("2026-00-01", BadValue::NotAMonth),
            ("2026-02-30", BadValue::NotAMonth),
            ("13/1/2026", BadValue::NotAMonth),
            ("1/0/2026", BadValue::NotAMonth),
            ("10/2/2026", BadValue::NotAFirstDay),
            ("10/1/26", BadValue::NotAMonth),
            ("October 2026", BadValue::NotAMonth),
            ("202610", BadValue::NotAMonth),
            ("46296", BadValue::NotAMonth),
            ("", BadValue::NotAMonth),
            ("0001-01-01", BadValue::FarMonth),
            ("2126-10-01", BadValue::FarMonth),
        ] {
            assert_eq!(month_of(text), Err(reason), "{text}");
        }
    }
}
