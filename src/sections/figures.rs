//! The summed figures of one audience, and what may be asked of them: 0 and *not known* are never mixed up.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use crate::base::{Growth, Market, Month, Quantity, Range, Ratio};
use crate::facts::{Coverage, Measure};
use crate::report::{Compared, Slot};

use super::course::{Course, Courses};
use super::flows::derivable;
use super::tally::{Dimension, SkuKey, Sums};

/// The product families whose colours are the same in every report; others take the next free ones by size.
const FIXED_SLOTS: [&str; 4] = ["Microsoft 365", "Dynamics 365", "Enterprise Mobility + Security", "Power BI"];

/// How many products have a colour of their own.
const SLOTS: usize = 6;

/// The summed figures of one audience.
#[derive(Debug)]
pub struct Figures {
    pub(super) range: Range,
    pub(super) coverage: Coverage,
    pub(super) compared: Option<Compared>,
    pub(super) products: Vec<Product>,
    pub(super) n_rows: u64,
    sums: Sums,
}

/// A product with its colour, in the order of current licenses.
#[derive(Clone, Debug)]
pub(super) struct Product {
    pub(super) name: Arc<str>,
    pub(super) slot: Slot,
}

/// A part of a dimension with its label and its sums.
pub(super) struct Part<'a> {
    pub(super) label: String,
    pub(super) product: Option<Arc<str>>,
    pub(super) course: &'a Course,
}

impl Figures {
    pub(super) fn new(range: Range, coverage: Coverage, n_rows: u64, mut sums: Sums) -> Figures {
        sums.skus = unified(&sums);
        let full = |month: &Month| coverage.is_full(*month);
        let first = range.months().find(full);
        let compared = first.zip(range.months().rev().find(full)).map(|(first, last)| Compared { first, last });
        let at = compared.map_or(range.last(), |compared| compared.last);
        let products = ordered_products(&sums, range, at);
        Figures { range, coverage, compared, products, n_rows, sums }
    }

    /// Whether there is nothing at all to report: no row in the range.
    pub fn is_empty(&self) -> bool {
        self.n_rows == 0
    }

    /// The newest export among what it draws on, if there is any.
    pub fn data_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        self.coverage.data_at()
    }

    /// The two full months that growth compares.
    pub fn compared(&self) -> Option<Compared> {
        self.compared
    }

    /// Whether a measure of a product is known in a month: carried, or derived from levels that are.
    pub(super) fn knows(&self, product: &str, month: Month, measure: Measure) -> bool {
        let derived = matches!(measure, Measure::Added | Measure::Removed) && derivable(&self.coverage, month, product);
        derived || self.coverage.carries(month, product, measure)
    }

    /// The products of which a measure is known in a month.
    fn knowing(&self, month: Month, measure: Measure) -> impl Iterator<Item = &Product> {
        self.products.iter().filter(move |product| self.knows(&product.name, month, measure))
    }

    /// The products of which a measure is not known in a month: what its total leaves out.
    pub(super) fn lacking(&self, month: Month, measure: Measure) -> Vec<&str> {
        let lacks = |product: &&Product| !self.knows(&product.name, month, measure);
        self.products.iter().filter(lacks).map(|product| &*product.name).collect()
    }

    /// One product's value.
    pub(super) fn product(&self, product: &str, month: Month, measure: Measure) -> Option<Quantity> {
        self.knows(product, month, measure).then(|| at(self.sums.product(product), self.range, month, measure))
    }

    /// The total over the products that carry the measure; absent when none does.
    pub(super) fn total(&self, month: Month, measure: Measure) -> Option<Quantity> {
        self.total_of(month, measure, |product| self.knows(product, month, measure))
    }

    fn total_of(&self, month: Month, measure: Measure, counts: impl Fn(&str) -> bool) -> Option<Quantity> {
        let counted: Vec<_> = self.products.iter().filter(|product| counts(&product.name)).collect();
        let sum = |product: &&Product| at(self.sums.product(&product.name), self.range, month, measure);
        (!counted.is_empty()).then(|| counted.iter().map(sum).sum())
    }

    /// The growth of the total, over the products that carry the measure in both months.
    pub(super) fn total_growth(&self, measure: Measure) -> Growth {
        let Some(Compared { first, last }) = self.compared.filter(|compared| compared.first != compared.last) else {
            return Growth::Absent;
        };
        let both = |product: &str| self.knows(product, first, measure) && self.knows(product, last, measure);
        Growth::between(self.total_of(first, measure, both), self.total_of(last, measure, both))
    }

    /// Whether the growth of the total leaves out products that the current count has.
    pub(super) fn growth_is_partial(&self, measure: Measure) -> bool {
        self.compared.is_some_and(|Compared { first, last }| {
            self.knowing(last, measure).any(|product| !self.knows(&product.name, first, measure))
        })
    }

    /// The growth of one product.
    pub(super) fn product_growth(&self, product: &str, measure: Measure) -> Growth {
        match self.compared {
            Some(Compared { first, last }) if first != last => {
                Growth::between(self.product(product, first, measure), self.product(product, last, measure))
            }
            _ => Growth::Absent,
        }
    }

    /// The growth of a part of a dimension; absent where the compared months know different products, since a
    /// part would then be compared with something else.
    pub(super) fn part_growth(&self, part: &Part<'_>, measure: Measure) -> Growth {
        let value = |month| self.of_product(part, month, measure);
        match self.compared {
            Some(Compared { first, last }) if first == last => Growth::Absent,
            Some(Compared { first, last }) if part.product.is_some() || self.knows_alike(first, last, measure) => {
                Growth::between(value(first), value(last))
            }
            _ => Growth::Absent,
        }
    }

    /// The months of the range that are not full.
    pub(super) fn open(&self) -> Vec<Month> {
        self.range.months().filter(|month| !self.coverage.is_full(*month)).collect()
    }

    /// Whether a measure is known of the same products in every month in which it is known at all.
    pub(super) fn is_alike(&self, measure: Measure) -> bool {
        let mut known = self.range.months().filter(|month| self.knowing(*month, measure).next().is_some());
        let first = known.next();
        known.all(|month| first.is_some_and(|first| self.knows_alike(first, month, measure)))
    }

    /// Whether the growths of the totals of two measures are of the same products.
    pub(super) fn grow_alike(&self, a: Measure, b: Measure) -> bool {
        self.compared.is_some_and(|Compared { first, last }| {
            let both =
                |product: &str, measure| self.knows(product, first, measure) && self.knows(product, last, measure);
            self.products.iter().all(|product| both(&product.name, a) == both(&product.name, b))
        })
    }

    /// Whether a measure is known of the same products in two months.
    pub(super) fn knows_alike(&self, a: Month, b: Month, measure: Measure) -> bool {
        self.products
            .iter()
            .all(|product| self.knows(&product.name, a, measure) == self.knows(&product.name, b, measure))
    }

    /// `part / whole` in a month over the products that carry both.
    pub(super) fn ratio(&self, month: Month, part: Measure, whole: Measure) -> Option<Ratio> {
        let both = |product: &str| self.knows(product, month, part) && self.knows(product, month, whole);
        Ratio::new(self.total_of(month, part, both)?, self.total_of(month, whole, both)?)
    }

    /// `whole − part` in a month over the products that carry both.
    pub(super) fn difference(&self, month: Month, whole: Measure, part: Measure) -> Option<Quantity> {
        let both = |product: &str| self.knows(product, month, part) && self.knows(product, month, whole);
        Some(self.total_of(month, whole, both)? - self.total_of(month, part, both)?)
    }

    /// A value a month of the range.
    pub(super) fn trend(&self, value: impl Fn(Month) -> Option<Quantity>) -> Vec<Option<Quantity>> {
        self.range.months().map(value).collect()
    }

    /// The value of a part of a dimension or of a market: known where the total is.
    pub(super) fn of(&self, course: &Course, month: Month, measure: Measure) -> Option<Quantity> {
        self.knowing(month, measure).next().map(|_| at(Some(course), self.range, month, measure))
    }

    /// The value of a SKU: known where its product's is.
    pub(super) fn of_product(&self, part: &Part<'_>, month: Month, measure: Measure) -> Option<Quantity> {
        match &part.product {
            Some(product) => {
                self.knows(product, month, measure).then(|| at(Some(part.course), self.range, month, measure))
            }
            None => self.of(part.course, month, measure),
        }
    }

    /// The markets that anything was counted in, in the order of their codes.
    pub(super) fn markets(&self) -> Vec<(Market, &Course)> {
        self.sums.markets.sorted().into_iter().map(|(market, course)| (*market, course)).collect()
    }

    /// A product's value in each market.
    pub(super) fn product_markets(&self, product: &str, month: Month, measure: Measure) -> Vec<(Market, Quantity)> {
        let of_product = self.sums.product_markets.sorted_where(|(of, _)| &**of == product);
        of_product
            .into_iter()
            .map(|((_, market), course)| (*market, at(Some(course), self.range, month, measure)))
            .collect()
    }

    /// The parts of a dimension with unique labels, in the order of their keys; without those never counted.
    pub(super) fn parts(&self, dimension: Dimension) -> Vec<Part<'_>> {
        let mut parts = match dimension {
            Dimension::Sku => self.skus(),
            _ => self.plain_parts(dimension),
        };
        parts.retain(|(_, part)| !part.course.is_zero());
        make_unique(&mut parts);
        parts.into_iter().map(|(_, part)| part).collect()
    }

    fn plain_parts(&self, dimension: Dimension) -> Vec<(String, Part<'_>)> {
        let Some(courses) = self.sums.parts.get(&dimension) else { return Vec::new() };
        let part = |(key, course)| {
            let key: &Option<Arc<str>> = key;
            let name = key.as_ref().and_then(|id| self.sums.location_names.get(id)).or(key.as_ref());
            let label = name.map_or("Not stated".to_owned(), |name| name.to_string());
            let id = key.as_ref().map_or(String::new(), |id| id.to_string());
            (id, Part { label, product: None, course })
        };
        courses.sorted().into_iter().map(part).collect()
    }

    fn skus(&self) -> Vec<(String, Part<'_>)> {
        let part = |(key, course): (&SkuKey, _)| {
            let name = key.sku_id.as_ref().and_then(|id| self.sums.sku_names.get(id)).or(key.sku.as_ref());
            let label = name.map_or("Not stated".to_owned(), |name| name.to_string());
            let id = key.sku_id.as_ref().map_or_else(|| key.product.to_string(), |id| id.to_string());
            (id, Part { label, product: Some(key.product.clone()), course })
        };
        self.sums.skus.sorted().into_iter().map(part).collect()
    }
}

fn at(course: Option<&Course>, range: Range, month: Month, measure: Measure) -> Quantity {
    let t = usize::try_from(month.since(range.first().prev()));
    t.ok().zip(course).map_or(Quantity::ZERO, |(t, course)| course.at(t, measure))
}

/// SKUs that a source names without a GUID take the GUID that another gives the same name in the same product,
/// if there is exactly one.
fn unified(sums: &Sums) -> Courses<SkuKey> {
    let mut by_name: HashMap<(Arc<str>, String), Option<Arc<str>>> = HashMap::new();
    for (key, _) in sums.skus.sorted() {
        let Some(id) = &key.sku_id else { continue };
        let Some(name) = sums.sku_names.get(id) else { continue };
        by_name
            .entry((key.product.clone(), name.to_lowercase()))
            .and_modify(|known| *known = None)
            .or_insert_with(|| Some(id.clone()));
    }
    sums.skus.rekeyed(|key| {
        let name = key.sku.as_ref().filter(|_| key.sku_id.is_none());
        let id = name.and_then(|name| by_name.get(&(key.product.clone(), name.to_lowercase())).cloned().flatten());
        match id {
            Some(id) => SkuKey { product: key.product.clone(), sku_id: Some(id), sku: None },
            None => key.clone(),
        }
    })
}

fn ordered_products(sums: &Sums, range: Range, at_month: Month) -> Vec<Product> {
    let size = |course: &Course| at(Some(course), range, at_month, Measure::Licenses);
    let mut sized: Vec<_> =
        sums.products.sorted().into_iter().map(|(name, course)| (name.clone(), size(course))).collect();
    sized.sort_by_key(|(name, size)| (Reverse(*size), name.clone()));
    let mut free = FIXED_SLOTS.len();
    let mut slot = |name: &str| {
        let fixed = FIXED_SLOTS.iter().position(|family| *family == name);
        let n = fixed.unwrap_or_else(|| {
            free += 1;
            free - 1
        });
        if n < SLOTS { Slot::Product(n as u8) } else { Slot::Others }
    };
    sized.into_iter().map(|(name, _)| Product { slot: slot(&name), name }).collect()
}

/// Labels that are the same without case get their id, so that no two rows read alike.
fn make_unique(parts: &mut [(String, Part<'_>)]) {
    let mut n_of: HashMap<String, usize> = HashMap::new();
    for (_, part) in parts.iter() {
        *n_of.entry(part.label.to_lowercase()).or_default() += 1;
    }
    for (id, part) in parts.iter_mut() {
        if n_of.get(&part.label.to_lowercase()).is_some_and(|n| *n > 1) && !id.is_empty() {
            let short: String = id.chars().take(36).collect();
            part.label = format!("{} ({short})", part.label);
        }
    }
}
