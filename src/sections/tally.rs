//! One pass over an audience's facts: de-duplicates them and sums them up. Memory follows figures, not rows.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::base::{Market, Month, Quantity, Range};
use crate::facts::{Coverage, Fact, Measure, Visible};

use super::course::{Course, Courses};
use super::figures::Figures;
use super::flows::Flows;

/// One of the dimensions that licenses are distributed by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Dimension {
    /// Partner location; parts may overlap.
    Location,
    /// Sales channel.
    SalesChannel,
    /// SKU, service or workload.
    Sku,
    /// How the partner is attached; parts may overlap.
    AttachType,
    /// The customer's segment.
    Segment,
}

impl Dimension {
    pub(super) const ALL: [Dimension; 5] =
        [Dimension::Location, Dimension::SalesChannel, Dimension::Sku, Dimension::AttachType, Dimension::Segment];

    /// Whether one license may be in several of its parts.
    pub(super) fn overlaps(self) -> bool {
        matches!(self, Dimension::Location | Dimension::AttachType)
    }
}

/// A SKU within its product: by GUID where the source has one, else by name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct SkuKey {
    pub(super) product: Arc<str>,
    pub(super) sku_id: Option<Arc<str>>,
    pub(super) sku: Option<Arc<str>>,
}

/// A fact that came out of the order month, license key, attach rank: its source is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("facts came out of order at {month}: `{after}` after `{before}`")]
pub struct OutOfOrder {
    /// The month of the later fact.
    month: Month,
    before: String,
    after: String,
}

/// Sums up facts as they come, in the order month, license key, attach rank.
#[derive(Debug)]
pub struct Tally {
    range: Range,
    coverage: Coverage,
    group: Vec<Visible>,
    n_rows: u64,
    flows: Flows,
    pub(super) sums: Sums,
}

/// What was summed: a course a product, market, SKU and part of a dimension.
#[derive(Debug)]
pub(super) struct Sums {
    pub(super) products: Courses<Arc<str>>,
    pub(super) markets: Courses<Market>,
    pub(super) product_markets: Courses<(Arc<str>, Market)>,
    pub(super) skus: Courses<SkuKey>,
    pub(super) parts: BTreeMap<Dimension, Courses<Option<Arc<str>>>>,
    /// The total of overlapping dimensions: every key counted once.
    pub(super) location_names: HashMap<Arc<str>, Arc<str>>,
    pub(super) sku_names: HashMap<Arc<str>, Arc<str>>,
}

impl Sums {
    fn new(n_months: usize) -> Sums {
        let parts = [Dimension::Location, Dimension::SalesChannel, Dimension::AttachType, Dimension::Segment];
        Sums {
            products: Courses::new(n_months),
            markets: Courses::new(n_months),
            product_markets: Courses::new(n_months),
            skus: Courses::new(n_months),
            parts: parts.into_iter().map(|dimension| (dimension, Courses::new(n_months))).collect(),
            location_names: HashMap::new(),
            sku_names: HashMap::new(),
        }
    }

    /// Counts one measure of the row that stands for its license key.
    fn count(&mut self, fact: &Fact, t: usize, measure: Measure, value: Quantity) {
        self.products.add(&fact.product, t, measure, value);
        self.markets.add(&fact.customer_market, t, measure, value);
        self.product_markets.add(&(fact.product.clone(), fact.customer_market), t, measure, value);
        self.count_sku(fact, t, measure, value);
        self.count_part(Dimension::SalesChannel, &fact.sales_channel, t, measure, value);
        self.count_part(Dimension::Segment, &fact.segment, t, measure, value);
    }

    pub(super) fn count_sku(&mut self, fact: &Fact, t: usize, measure: Measure, value: Quantity) {
        let key = SkuKey { product: fact.product.clone(), sku_id: fact.sku_id.clone(), sku: fact.sku.clone() };
        // A GUID is the key; the name beside it may change from load to load.
        let key = if key.sku_id.is_some() { SkuKey { sku: None, ..key } } else { key };
        self.skus.add(&key, t, measure, value);
    }

    fn count_part(&mut self, of: Dimension, part: &Option<Arc<str>>, t: usize, measure: Measure, value: Quantity) {
        if let Some(courses) = self.parts.get_mut(&of) {
            courses.add(part, t, measure, value);
        }
    }

    /// Remembers names by their ids; facts come in the order of months, so the newest name stays.
    fn name(&mut self, fact: &Fact) {
        if let (Some(id), Some(name)) = (&fact.location_id, &fact.location_name) {
            self.location_names.insert(id.clone(), name.clone());
        }
        if let (Some(id), Some(name)) = (&fact.sku_id, &fact.sku) {
            self.sku_names.insert(id.clone(), name.clone());
        }
    }
}

impl Tally {
    /// Nothing summed yet, of a range and what is carried in it and in the month before it.
    pub fn new(range: Range, coverage: Coverage) -> Tally {
        // One month more, at its front: adds of the first month may be derived from the levels of the one before.
        let n_months = range.n_months() + 1;
        Tally { range, coverage, group: Vec::new(), n_rows: 0, flows: Flows::default(), sums: Sums::new(n_months) }
    }

    /// Adds a fact; those outside the range and the month before it are passed over.
    ///
    /// # Errors
    /// When it belongs before the one that came last.
    pub fn add(&mut self, fact: Visible) -> Result<(), OutOfOrder> {
        let new = fact.fact();
        if new.month < self.range.first().prev() || new.month > self.range.last() {
            return Ok(());
        }
        if let Some(last) = self.group.last().map(Visible::fact) {
            let (before, after) = ((last.month, &last.license_key), (new.month, &new.license_key));
            if before > after || (before == after && last.attach_rank > new.attach_rank) {
                let (before, after) = (last.license_key.to_string(), new.license_key.to_string());
                return Err(OutOfOrder { month: new.month, before, after });
            }
            if before != after {
                self.close_group();
            }
        }
        if self.range.index_of(new.month).is_some() {
            self.n_rows += 1;
        }
        self.group.push(fact);
        Ok(())
    }

    /// The figures, once every fact was added.
    pub fn finish(mut self) -> Figures {
        self.close_group();
        self.flows.finish(&self.coverage, self.range, &mut self.sums);
        Figures::new(self.range, self.coverage, self.n_rows, self.sums)
    }

    /// Counts the rows of one license key in one month: for each measure the best-ranked row that carries it.
    fn close_group(&mut self) {
        let group = std::mem::take(&mut self.group);
        let Some(first) = group.first().map(Visible::fact) else { return };
        let Ok(t) = usize::try_from(first.month.since(self.range.first().prev())) else { return };
        for measure in Measure::ALL {
            let carried = group.iter().map(Visible::fact).filter_map(|fact| Some((fact, fact.measures.get(measure)?)));
            if let Some((fact, value)) = carried.clone().next() {
                self.sums.count(fact, t, measure, value);
                if measure == Measure::Licenses {
                    self.flows.level(fact, value, &self.coverage, self.range, &mut self.sums);
                }
            }
            count_overlapping(&mut self.sums, Dimension::Location, carried.clone(), t, measure, |f| &f.location_id);
            count_overlapping(&mut self.sums, Dimension::AttachType, carried, t, measure, |f| &f.attach_type);
        }
        group.iter().for_each(|fact| self.sums.name(fact.fact()));
        // The allocation is kept for the next group.
        self.group = group;
        self.group.clear();
    }
}

/// Counts a key once in each part of a dimension that it is in, by the best-ranked row of that part.
fn count_overlapping<'a>(
    sums: &mut Sums,
    of: Dimension,
    carried: impl Iterator<Item = (&'a Fact, Quantity)>,
    t: usize,
    measure: Measure,
    part: impl Fn(&'a Fact) -> &'a Option<Arc<str>>,
) {
    let mut seen: Vec<&'a Option<Arc<str>>> = Vec::new();
    for (fact, value) in carried {
        let part = part(fact);
        if !seen.contains(&part) {
            seen.push(part);
            sums.count_part(of, part, t, measure, value);
        }
    }
}

impl Sums {
    /// The course of a product, if any of its rows was counted.
    pub(super) fn product(&self, product: &str) -> Option<&Course> {
        self.products.get(product)
    }
}
