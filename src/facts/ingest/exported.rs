//! When a file was exported: files carry no date, so it is told, or read from the hub's file name, or guessed.

use std::path::Path;

use chrono::{DateTime, NaiveDate, NaiveDateTime, SubsecRound, Utc};

/// Where an export date comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExportedFrom {
    /// Whoever ingests it said so.
    Told,
    /// The UTC timestamp in the file's name.
    FileName,
    /// When the file was last written to.
    Modified,
}

/// The export date of a file, to the second, and where it comes from.
///
/// A timestamp in the name that lies in the future is none; a file written in the future counts as written now.
pub(super) fn exported_at(
    path: &Path,
    told: Option<DateTime<Utc>>,
    modified_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> (DateTime<Utc>, ExportedFrom) {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (instant, from) = match (told, stamp(&name).filter(|stamp| *stamp <= now)) {
        (Some(told), _) => (told, ExportedFrom::Told),
        (None, Some(stamp)) => (stamp, ExportedFrom::FileName),
        (None, None) => (modified_at.min(now), ExportedFrom::Modified),
    };
    (instant.trunc_subsecs(0), from)
}

/// The UTC timestamp in a file name: a date of eight digits, or with `-` or `_` between, and after one of
/// `T`, `_`, `-`, blank or nothing a time of six or four digits, or with `-`, `_`, `.` or `:` between. A date alone
/// stands for its first second. The last that fits counts.
fn stamp(name: &str) -> Option<DateTime<Utc>> {
    let bytes = name.as_bytes();
    let starts = (0..bytes.len()).filter(|n| *n == 0 || !bytes[n - 1].is_ascii_digit());
    starts.filter_map(|start| stamp_at(&bytes[start..])).next_back()
}

fn stamp_at(bytes: &[u8]) -> Option<DateTime<Utc>> {
    let (year, rest) = number(bytes, 4)?;
    let (month, rest) = number(between(rest, b"-_"), 2)?;
    let (day, rest) = number(between(rest, b"-_"), 2)?;
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day).filter(|_| year >= 2000)?;
    let midnight = date.and_hms_opt(0, 0, 0)?;
    let ends = |rest: &[u8]| rest.first().is_none_or(|byte| !byte.is_ascii_digit());
    match time_at(date, between(rest, b"T_- ")).filter(|(_, rest)| ends(rest)) {
        Some((instant, _)) => Some(instant.and_utc()),
        None => ends(rest).then(|| midnight.and_utc()),
    }
}

fn time_at(date: NaiveDate, bytes: &[u8]) -> Option<(NaiveDateTime, &[u8])> {
    let (hour, rest) = number(bytes, 2)?;
    let (minute, rest) = number(between(rest, b"-_.:"), 2)?;
    let (second, rest) = number(between(rest, b"-_.:"), 2).unwrap_or((0, rest));
    Some((date.and_hms_opt(hour, minute, second)?, rest))
}

fn number(bytes: &[u8], n_digits: usize) -> Option<(u32, &[u8])> {
    let (digits, rest) = bytes.split_at_checked(n_digits)?;
    let text = digits.iter().all(u8::is_ascii_digit).then_some(digits)?;
    Some((std::str::from_utf8(text).ok()?.parse().ok()?, rest))
}

/// What follows a sign, if one of these stands there.
fn between<'a>(bytes: &'a [u8], signs: &[u8]) -> &'a [u8] {
    match bytes {
        [first, rest @ ..] if signs.contains(first) => rest,
        _ => bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn timestamps_are_read_from_file_names() {
        for (name, expected) in [
            ("DynamicsUsage_20261121T060530Z.csv", Some("2026-11-21T06:05:30Z")),
            ("DynamicsUsage-2026-11-21T06-05-30Z.csv.gz", Some("2026-11-21T06:05:30Z")),
            ("EMSUsage_20261121060530.tsv", Some("2026-11-21T06:05:30Z")),
            ("EMSUsage_20261121_0605.tsv", Some("2026-11-21T06:05:00Z")),
            ("Seats 2026-11-21 06.05.30.csv", Some("2026-11-21T06:05:30Z")),
            ("Seats_2026_11_21.csv", Some("2026-11-21T00:00:00Z")),
            ("20261121.csv", Some("2026-11-21T00:00:00Z")),
            ("1234567_20261121.csv", Some("2026-11-21T00:00:00Z")),
            ("Seats_2026-10.csv", None),
            ("Seats_20261321.csv", None),
            ("Seats_20261121999.csv", None),
            ("6104425.csv", None),
            ("Office 365.csv", None),
            ("", None),
        ] {
            assert_eq!(stamp(name), expected.map(instant), "{name}");
        }
    }

    #[test]
    fn what_is_told_goes_before_the_name_and_the_name_before_the_file() {
        let (now, modified) = (instant("2026-11-25T00:00:00Z"), instant("2026-11-24T12:00:00.750Z"));
        let check = |name: &str, told: Option<&str>, expected: &str, from: ExportedFrom| {
            let found = exported_at(Path::new(name), told.map(instant), modified, now);
            assert_eq!(found, (instant(expected), from), "{name}");
        };
        check("a_20261121.csv", Some("2026-11-20T01:00:00Z"), "2026-11-20T01:00:00Z", ExportedFrom::Told);
        check("a_20261121.csv", None, "2026-11-21T00:00:00Z", ExportedFrom::FileName);
        check("a.csv", None, "2026-11-24T12:00:00Z", ExportedFrom::Modified);
        check("a_20270101.csv", None, "2026-11-24T12:00:00Z", ExportedFrom::Modified);
    }
}
