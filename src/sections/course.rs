//! Sums by key, month and measure.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

use crate::base::Quantity;
use crate::facts::Measure;

/// A sum a month and measure. Index 0 is the month before the range, 1 the range's first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Course(Vec<[Quantity; Measure::N]>);

impl Course {
    pub(super) fn at(&self, t: usize, measure: Measure) -> Quantity {
        self.0.get(t).map_or(Quantity::ZERO, |sums| sums[measure as usize])
    }

    /// Whether anything but zero was counted in it.
    pub(super) fn is_zero(&self) -> bool {
        self.0.iter().flatten().all(|sum| *sum == Quantity::ZERO)
    }

    fn merge(&mut self, other: &Course) {
        for (sums, more) in self.0.iter_mut().zip(&other.0) {
            for (sum, more) in sums.iter_mut().zip(more) {
                *sum += *more;
            }
        }
    }
}

/// Courses by key.
#[derive(Clone, Debug)]
pub(super) struct Courses<K> {
    n_months: usize,
    by_key: HashMap<K, Course>,
}

impl<K: Hash + Eq + Clone + Ord> Courses<K> {
    pub(super) fn new(n_months: usize) -> Courses<K> {
        Courses { n_months, by_key: HashMap::new() }
    }

    pub(super) fn add(&mut self, key: &K, t: usize, measure: Measure, value: Quantity) {
        if let Some(course) = self.by_key.get_mut(key) {
            course.0[t][measure as usize] += value;
            return;
        }
        let mut course = Course(vec![[Quantity::ZERO; Measure::N]; self.n_months]);
        course.0[t][measure as usize] += value;
        self.by_key.insert(key.clone(), course);
    }

    pub(super) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&Course>
    where
        K: Borrow<Q>,
    {
        self.by_key.get(key)
    }

    /// All of them, in the order of their keys, so that nothing depends on a hash.
    pub(super) fn sorted(&self) -> Vec<(&K, &Course)> {
        self.sorted_where(|_| true)
    }

    /// Those whose key fits, in the order of their keys.
    pub(super) fn sorted_where(&self, fits: impl Fn(&K) -> bool) -> Vec<(&K, &Course)> {
        let mut all: Vec<_> = self.by_key.iter().filter(|(key, _)| fits(key)).collect();
        all.sort_by_key(|(a, _)| *a);
        all
    }

    /// The same sums under other keys; those that come to share a key are added up.
    pub(super) fn rekeyed(&self, rekey: impl Fn(&K) -> K) -> Courses<K> {
        let mut merged = Courses::new(self.n_months);
        for (key, course) in self.sorted() {
            merged
                .by_key
                .entry(rekey(key))
                .and_modify(|into: &mut Course| into.merge(course))
                .or_insert_with(|| course.clone());
        }
        merged
    }
}
