//! Adds and removals derived from levels, where the source does not carry them.
//!
//! The page this product implements defines no *license add*; ours, without a source's own figure, is the
//! positive part of a license key's change from one month's level to the next, and the negative part is removed.

use std::collections::HashMap;
use std::sync::Arc;

use crate::base::{Month, Quantity, Range};
use crate::facts::{Coverage, Fact, Measure};

use super::tally::Sums;

/// The levels of the month that is being read and of the one before.
#[derive(Debug, Default)]
pub(super) struct Flows {
    month: Option<Month>,
    before: HashMap<Arc<str>, (Quantity, Fact)>,
    now: HashMap<Arc<str>, (Quantity, Fact)>,
}

/// Whether adds and removals of a product must and can be derived in a month.
pub(super) fn derivable(coverage: &Coverage, month: Month, product: &str) -> bool {
    !coverage.carries(month, product, Measure::Added)
        && coverage.carries(month, product, Measure::Licenses)
        && coverage.carries(month.prev(), product, Measure::Licenses)
}

impl Flows {
    /// Takes the level of one license key in one month; months come in order.
    pub(super) fn level(&mut self, fact: &Fact, level: Quantity, coverage: &Coverage, range: Range, sums: &mut Sums) {
        if self.month != Some(fact.month) {
            self.turn(Some(fact.month), coverage, range, sums);
        }
        let next = fact.month.next();
        if derivable(coverage, fact.month, &fact.product) || derivable(coverage, next, &fact.product) {
            self.now.insert(fact.license_key.clone(), (level, fact.clone()));
        }
    }

    /// Derives what the last months still hold, once every fact was added.
    pub(super) fn finish(&mut self, coverage: &Coverage, range: Range, sums: &mut Sums) {
        self.turn(None, coverage, range, sums);
    }

    /// Closes the month that was read, and every month without a row up to `to`.
    fn turn(&mut self, to: Option<Month>, coverage: &Coverage, range: Range, sums: &mut Sums) {
        let Some(mut month) = self.month else {
            self.month = to;
            return;
        };
        let end = to.unwrap_or(range.last().next());
        while month < end {
            self.close(month, coverage, range, sums);
            month = month.next();
        }
        self.month = Some(month);
    }

    fn close(&mut self, month: Month, coverage: &Coverage, range: Range, sums: &mut Sums) {
        if let Some(t) = range.index_of(month).map(|index| index + 1) {
            let mut gone: Vec<_> = self.before.iter().filter(|(key, _)| !self.now.contains_key(*key)).collect();
            gone.sort_by_key(|(a, _)| *a);
            for (_, (level, fact)) in gone {
                count(fact, month, -*level, t, coverage, sums);
            }
            let mut here: Vec<_> = self.now.iter().collect();
            here.sort_by_key(|(a, _)| *a);
            for (key, (level, fact)) in here {
                let before = self.before.get(key).map_or(Quantity::ZERO, |(level, _)| *level);
                count(fact, month, *level - before, t, coverage, sums);
            }
        }
        self.before = std::mem::take(&mut self.now);
    }
}

fn count(fact: &Fact, month: Month, change: Quantity, t: usize, coverage: &Coverage, sums: &mut Sums) {
    if change == Quantity::ZERO || !derivable(coverage, month, &fact.product) {
        return;
    }
    let (measure, value) =
        if change.is_negative() { (Measure::Removed, change.abs()) } else { (Measure::Added, change) };
    sums.products.add(&fact.product, t, measure, value);
    sums.count_sku(fact, t, measure, value);
}
