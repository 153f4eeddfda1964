//! From a cadence and an instant: which occurrences are due, which period each covers, and why. Pure.

mod cadence;
mod calendar;
mod cron;
mod due;
mod local;
mod rule;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

pub use cadence::{Cadence, OCCURRENCES_MAX, Occurrence, Times};
pub use calendar::{Calendar, DayOff, DayOffError, DayRule, Moves, NATIONAL, National, Nth};
pub use cron::{Cron, CronError};
pub use due::{Due, DueList, DueWhat, Lateness, ON_TIME_SECS_MAX, due, start_at};
pub use rule::{Every, ON_DEFAULT, On, OnError, Rule};

use crate::base::{Month, Period};

/// What is done about occurrences that came due while nobody looked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CatchUp {
    /// The latest runs, those before it are recorded as missed.
    #[default]
    Latest,
    /// Every one of them runs, up to a bound.
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

/// What is done about an occurrence while an earlier one of the same schedule still runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Overlap {
    /// It runs when the earlier one has ended.
    #[default]
    Queue,
    /// It is left out, and recorded as skipped.
    Skip,
}

/// What is done about a partner whose data for the period is not full when an occurrence is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NotFull {
    /// The partner's editions wait, until the deadline at most, and are then sent as they are, marked preliminary.
    #[default]
    WaitThenSend,
    /// They wait, until the deadline at most, and are then held for an admin.
    WaitThenHold,
    /// They are sent at once as they are, marked preliminary.
    SendAtOnce,
}

/// When a schedule is due, and what each occurrence is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Timing {
    /// The rule of recurrence.
    pub cadence: Cadence,
    /// Which period an occurrence is about.
    pub period: PeriodRule,
}

/// Which period an occurrence is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PeriodRule {
    /// How long it is.
    pub kind: PeriodKind,
    /// The month that a year begins with, 1 being January: quarters and years are shifted by it.
    pub year_begins: u32,
    /// How many periods before the last complete one: 0 for that one itself.
    pub back: u32,
}

impl Default for PeriodRule {
    fn default() -> PeriodRule {
        PeriodRule { kind: PeriodKind::Month, year_begins: 1, back: 0 }
    }
}

impl PeriodRule {
    /// The period of a nominal local day: the last that was complete when the day began, or one before it.
    pub fn of(self, day: NaiveDate) -> Period {
        let n_months = match self.kind {
            PeriodKind::Month => 1,
            PeriodKind::Quarter => 3,
            PeriodKind::Year => 12,
        };
        let running = Period::of(Month::of(day), n_months, self.year_begins);
        (0..=self.back).fold(running, |period, _| period.prev())
    }
}

#[cfg(test)]
mod tests;
