//! What a source carries: the difference between 0 and *not known*.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Measure;
use crate::base::Month;

/// For which products a measure is carried in one month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Carried {
    /// For these only.
    Only(BTreeSet<Arc<str>>),
    /// For all but these; a product without a row is 0.
    AllBut(BTreeSet<Arc<str>>),
}

impl Default for Carried {
    fn default() -> Carried {
        Carried::Only(BTreeSet::new())
    }
}

impl Carried {
    /// For no product.
    pub fn nothing() -> Carried {
        Carried::default()
    }

    /// For every product.
    pub fn all() -> Carried {
        Carried::AllBut(BTreeSet::new())
    }

    /// Whether it is carried for a product.
    pub fn includes(&self, product: &str) -> bool {
        match self {
            Carried::Only(products) => products.contains(product),
            Carried::AllBut(products) => !products.contains(product),
        }
    }
}

/// What is carried in one month.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MonthCoverage {
    /// Whether every slice of the month was exported on or after the closing day of the next month.
    pub full: bool,
    /// For which products each measure is carried, in the order of [`Measure::ALL`].
    pub carried: [Carried; Measure::N],
}

/// A slice that a report draws on: which source, for which month, exported when.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Export {
    /// The source's name, as in `SeatsSubscriptionsAndRevenue`.
    pub source: String,
    /// The month.
    pub month: Month,
    /// When Partner Center exported it.
    pub exported_at: DateTime<Utc>,
    /// The load it came with; none for a view.
    pub load_no: Option<u64>,
}

/// What a source carries for one partner, month by month. A month that is not in it has no slice.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Coverage {
    /// By month.
    pub months: BTreeMap<Month, MonthCoverage>,
    /// The slices it rests on.
    pub exports: Vec<Export>,
    /// What was left out and counted, in words with figures: `12 rows of Azure`, `3 rows without a reseller`.
    pub left_out: Vec<String>,
}

impl Coverage {
    /// Whether a measure is carried for a product in a month.
    pub fn carries(&self, month: Month, product: &str, measure: Measure) -> bool {
        self.months.get(&month).is_some_and(|of| of.carried[measure as usize].includes(product))
    }

    /// Whether a month is full.
    pub fn is_full(&self, month: Month) -> bool {
        self.months.get(&month).is_some_and(|of| of.full)
    }

    /// The sources that the month before has and this one has not, by name.
    pub fn sources_gone(&self, month: Month) -> BTreeSet<&str> {
        let of = |month| -> BTreeSet<&str> {
            let exports = self.exports.iter().filter(|export| export.month == month);
            exports.map(|export| export.source.as_str()).collect()
        };
        &of(month.prev()) - &of(month)
    }

    /// The newest export date, if there is any.
    pub fn data_at(&self) -> Option<DateTime<Utc>> {
        self.exports.iter().map(|export| export.exported_at).max()
    }
}
