//! From a cadence and an instant: which occurrences are due, which period each covers, and why. Pure.

mod cadence;
mod cron;
mod due;
mod local;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

pub use cadence::{Cadence, OCCURRENCES_MAX, Occurrence};
pub use cron::{Cron, CronError};
pub use due::{Due, DueList, DueWhat, ON_TIME_SECS_MAX, due};

use crate::base::{Month, Period};

/// What is done about occurrences that came due while nobody looked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CatchUp {
    /// The latest runs, those before it are recorded as missed.
    #[default]
    Latest,
    /// Every one of them runs.
    All,
    /// None of them runs; all are recorded as missed.
    None,
}

/// Which kind of period an occurrence is about: the last complete one before its local day.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PeriodKind {
    /// The calendar month before.
    #[default]
    Month,
    /// The calendar quarter before.
    Quarter,
    /// The calendar year before.
    Year,
}

impl PeriodKind {
    /// The last period of this kind that was complete when a day began.
    pub fn last_complete(self, day: NaiveDate) -> Period {
        let month = Month::of(day);
        match self {
            PeriodKind::Month => Period::month(month.prev()),
            PeriodKind::Quarter => Period::quarter_of(Period::quarter_of(month).first().prev()),
            PeriodKind::Year => Period::year_of(Period::year_of(month).first().prev()),
        }
    }
}

#[cfg(test)]
mod tests;
