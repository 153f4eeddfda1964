//! What a partner's data for a period lacks.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};

use crate::base::Month;

/// Something that keeps a month of a partner from being full.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Lack {
    /// The month.
    pub month: Month,
    /// The source, as in `DynamicsUsage`; none where the month has nothing at all.
    pub source: Option<String>,
    /// When that was exported, which was too early; none where it is not there.
    pub exported_at: Option<DateTime<Utc>>,
}

/// What each partner lacks; one that lacks nothing is not in it.
pub type Lacking = BTreeMap<String, Vec<Lack>>;

/// `DynamicsUsage of October 2026 was exported on 2026-11-10, before it was closed`.
impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let month = self.month.long();
        match (&self.source, self.exported_at) {
            (None, _) => write!(f, "{month} is not there"),
            (Some(source), None) => write!(f, "{source} of {month} is not there"),
            (Some(source), Some(at)) => {
                write!(f, "{source} of {month} was exported on {}, before it was closed", at.format("%Y-%m-%d"))
            }
        }
    }
}
