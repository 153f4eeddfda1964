//! Days off as they are written: `2026-12-24`, `12-24`, `last Monday of May`, `Easter - 2`.

use std::str::FromStr;

use chrono::{NaiveDate, Weekday};

use super::{DayRule, Nth};

/// A text that is no day off.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no day off")]
pub struct DayOffError(String);

impl DayOffError {
    /// What to write instead.
    pub const HINT: &'static str = "a date as `2026-12-24`, a day of each year as `12-24`, `last Monday of May`, or days from Easter as `Easter - 2`";
}

impl FromStr for DayRule {
    type Err = DayOffError;

    fn from_str(text: &str) -> Result<DayRule, DayOffError> {
        let wrong = || DayOffError(text.to_owned());
        let words: Vec<String> = text.to_lowercase().split_whitespace().map(str::to_owned).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            [word, days @ ..] if word.starts_with("easter") => {
                days_of(&[&word["easter".len()..], &days.concat()].concat()).map(DayRule::Easter)
            }
            [nth_word, day, "of" | "in", month] => Some(DayRule::Weekday {
                nth: nth(nth_word, 5).ok_or_else(wrong)?,
                weekday: weekday(day).ok_or_else(wrong)?,
                month: self::month(month).ok_or_else(wrong)?,
            }),
            [date] if date.len() == 10 => date.parse().ok().map(DayRule::Once),
            [date] => date.split_once('-').and_then(|(month, day)| yearly(month, day)),
            _ => None,
        }
        .ok_or_else(wrong)
    }
}

/// `` for Easter itself, `+1`, `-2`.
fn days_of(text: &str) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    let days: i64 = text.strip_prefix('+').unwrap_or(text).parse().ok()?;
    (text.starts_with(['+', '-']) && days.abs() <= 300).then_some(days)
}

fn yearly(month: &str, day: &str) -> Option<DayRule> {
    let number = |text: &str| text.parse().ok().filter(|_| text.len() == 2);
    let (month, day) = (number(month)?, number(day)?);
    // A leap year has every day.
    NaiveDate::from_ymd_opt(2024, month, day).map(|_| DayRule::Yearly { month, day })
}

/// `first`, `1st`, `last`; none beyond `max`.
pub(in super::super) fn nth(word: &str, max: u32) -> Option<Nth> {
    const WORDS: [&str; 5] = ["first", "second", "third", "fourth", "fifth"];
    if word == "last" {
        return Some(Nth::Last);
    }
    let spelled = WORDS.iter().position(|spelled| *spelled == word).map(|n| n as u32 + 1);
    spelled.or_else(|| ordinal(word)).filter(|n| (1..=max).contains(n)).map(Nth::Nth)
}

/// `1st`, `22nd`, also `21` alone.
pub(in super::super) fn ordinal(word: &str) -> Option<u32> {
    let digits = word.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let n: u32 = digits.parse().ok()?;
    let ending = &word[digits.len()..];
    (ending.is_empty() || ending == self::ending(n)).then_some(n)
}

/// The ending of an ordinal: `st` of `21st`.
pub(in super::super) fn ending(n: u32) -> &'static str {
    match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    }
}

/// `monday`, `mon`, also `mondays`.
pub(in super::super) fn weekday(word: &str) -> Option<Weekday> {
    word.parse().or_else(|_| word.strip_suffix('s').unwrap_or(word).parse()).ok()
}

fn month(word: &str) -> Option<u32> {
    word.parse::<chrono::Month>().ok().map(|month| month.number_from_month())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_off_are_read_as_people_write_them() {
        for (text, rule) in [
            ("2026-12-24", DayRule::Once(NaiveDate::from_ymd_opt(2026, 12, 24).unwrap())),
            ("12-24", DayRule::Yearly { month: 12, day: 24 }),
            ("02-29", DayRule::Yearly { month: 2, day: 29 }),
            ("last Monday of May", DayRule::Weekday { nth: Nth::Last, weekday: Weekday::Mon, month: 5 }),
            ("3rd  mon in January", DayRule::Weekday { nth: Nth::Nth(3), weekday: Weekday::Mon, month: 1 }),
            ("fourth Thursday of November", DayRule::Weekday { nth: Nth::Nth(4), weekday: Weekday::Thu, month: 11 }),
            ("Easter", DayRule::Easter(0)),
            ("Easter + 39", DayRule::Easter(39)),
            ("easter-2", DayRule::Easter(-2)),
        ] {
            assert_eq!(text.parse::<DayRule>(), Ok(rule), "{text}");
        }
        for text in [
            "",
            "2026-02-30",
            "02-30",
            "2-3",
            "6th Monday of May",
            "last Monday",
            "Easter 2",
            "Easter + 400",
            "2nd day of May",
            "3st Monday of May",
        ] {
            assert!(text.parse::<DayRule>().is_err(), "{text}");
        }
    }
}
