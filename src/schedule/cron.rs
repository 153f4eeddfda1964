//! Cron expressions of five fields, or of six with seconds.

use std::fmt;
use std::str::FromStr;

use chrono::{NaiveDate, NaiveDateTime};
use croner::parser::{CronParser, Seconds, Year};
use serde::{Deserialize, Serialize};

/// A cron expression of five fields (minute, hour, day of month, month, day of week), as in `0 6 22W * *`, or of six
/// with the second before them.
///
/// Beside lists, ranges and steps it takes names (`MON`, `JAN`), `L` (last), `W` (nearest weekday) and `FRI#2`.
/// Where both day fields are set, either of them suffices, as in every Unix cron.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cron {
    text: String,
    // Several hundred bytes: a bit a minute, hour and day.
    cron: Box<croner::Cron>,
}

/// A text that is no cron expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// It does not have five fields.
    #[error("cron expression `{expression}` has {n_fields} fields, expected 5, or 6 with seconds")]
    Fields {
        /// The whole text.
        expression: String,
        /// How many it has.
        n_fields: usize,
    },
    /// One of its fields is wrong.
    #[error("{field} `{value}` in cron expression `{expression}` is wrong: {reason}")]
    Field {
        /// The whole text.
        expression: String,
        /// Which field, as in `day of month`.
        field: &'static str,
        /// What stands there.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Its fields are right, but no day fits them, as on 30 February.
    #[error("cron expression `{expression}` never comes due")]
    Never {
        /// The whole text.
        expression: String,
    },
}

/// The fields in order, the first of which may be left out: name, and what may stand there.
const FIELDS: [(&str, &str); 6] = [
    ("second", "0 to 59, as in `0` or `*/10`"),
    ("minute", "0 to 59, as in `0`, `0,30` or `*/15`"),
    ("hour", "0 to 23, as in `6`, `2,14` or `8-18`"),
    ("day of month", "1 to 31, as in `21`, `22W` (the weekday nearest to the 22nd), `L` (the last) or `LW`"),
    ("month", "1 to 12 or JAN to DEC, as in `1,4,7,10`"),
    ("day of week", "0 to 7 or SUN to SAT, as in `MON-FRI`, `FRI#2` (the second) or `5L` (the last Friday)"),
];

/// Far more than one 400-year cycle of the calendar follows: an expression without a day in it has none.
const ANY_DAY: Option<NaiveDate> = NaiveDate::from_ymd_opt(2000, 1, 1);

impl CronError {
    /// What to write instead.
    pub fn hint(&self) -> String {
        match self {
            CronError::Fields { expression, .. } if expression.trim_start().starts_with('@') => {
                "nicknames are not taken; write the five fields, as in `0 6 1 * *`".to_owned()
            }
            CronError::Fields { .. } => {
                "write minute, hour, day of month, month and day of week, as in `0 6 22W * *`".to_owned()
            }
            CronError::Field { field, .. } => {
                let takes = FIELDS.iter().find(|(name, _)| name == field).map_or("", |(_, takes)| takes);
                format!("it takes {takes}")
            }
            CronError::Never { .. } => "no month it names has such a day".to_owned(),
        }
    }
}

impl Cron {
    /// The first nominal local time after `local`, which is of whole seconds; none after the year 4999.
    pub(super) fn after(&self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        self.cron.find_next_occurrence(&local, false).ok()
    }

    /// The last nominal local time at or before `local`; none before the year 1.
    pub(super) fn at_or_before(&self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        self.cron.find_previous_occurrence(&local, true).ok()
    }
}

impl FromStr for Cron {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Cron, CronError> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let expression = fields.join(" ");
        let Some(left_out) = FIELDS.len().checked_sub(fields.len()).filter(|n| *n <= 1) else {
            return Err(CronError::Fields { expression, n_fields: fields.len() });
        };
        for (n, (field, _)) in FIELDS.iter().skip(left_out).enumerate() {
            // Each field alone among stars, so that the message can name the one that is wrong.
            let mut alone = vec!["*"; fields.len()];
            alone[n] = fields[n];
            if let Err(reason) = parse(&alone.join(" ")) {
                return Err(CronError::Field { expression, field, value: fields[n].to_owned(), reason });
            }
        }
        let whole = |reason| CronError::Field {
            expression: expression.clone(),
            field: FIELDS[3].0,
            value: fields[3 - left_out].to_owned(),
            reason,
        };
        let cron = Cron { cron: Box::new(parse(&expression).map_err(whole)?), text: expression.clone() };
        let fires = ANY_DAY.and_then(|day| cron.after(day.and_time(chrono::NaiveTime::MIN)));
        fires.map(|_| cron).ok_or(CronError::Never { expression })
    }
}

impl TryFrom<String> for Cron {
    type Error = CronError;

    fn try_from(text: String) -> Result<Cron, CronError> {
        text.parse()
    }
}

impl From<Cron> for String {
    fn from(cron: Cron) -> String {
        cron.text
    }
}

/// As the expression is written in the configuration, with single blanks.
impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

fn parse(expression: &str) -> Result<croner::Cron, String> {
    if expression.contains('@') {
        return Err("`@` has no meaning here".to_owned());
    }
    let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
    parser.parse(expression).map_err(|error| {
        let said = error.to_string();
        let plain = said.trim_start_matches("Component error: ").trim_start_matches("Invalid pattern: ");
        let plain = plain.trim_end_matches('.');
        let mut letters = plain.chars();
        letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
    })
}
