//! The values that stand in a table's cells.

use serde::{Deserialize, Serialize};

use crate::base::{Growth, Month, Quantity, Ratio};

/// The colour that stands for something, the same on every page and in every format.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Slot {
    /// The n-th product, from 0 to 5.
    Product(u8),
    /// Every product from the seventh on, and all that is summed as *Others*.
    Others,
    /// The house's one accent: figures that stand for no product.
    Accent,
}

/// A value of a cell. Absent values are shown as `n/a`, never as 0 and never empty.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// Words.
    Text(String),
    /// A name with the colour it stands for.
    Name {
        /// The name.
        name: String,
        /// Its colour.
        slot: Slot,
    },
    /// Licenses.
    Quantity(Option<Quantity>),
    /// US dollars.
    Usd(Option<Quantity>),
    /// A ratio, shown in percent with one decimal.
    Ratio(Option<Ratio>),
    /// Growth, shown in percent with two decimals.
    Growth(Growth),
    /// A course over the months of the range, for a micro chart.
    Trend(Vec<Option<Quantity>>),
    /// A month.
    Month(Month),
}

impl Value {
    /// As people read it: `10,185.5`, `57.0%`, `+7.74%`, `n/a`; a trend has no text.
    pub fn text(&self) -> String {
        const ABSENT: &str = "n/a";
        match self {
            Value::Text(text) => text.clone(),
            Value::Name { name, .. } => name.clone(),
            Value::Quantity(quantity) => quantity.map_or(ABSENT.to_owned(), Quantity::grouped),
            Value::Usd(usd) => usd.map_or(ABSENT.to_owned(), |usd| usd.rounded(2)),
            Value::Ratio(ratio) => ratio.map_or(ABSENT.to_owned(), |ratio| ratio.percent(1)),
            Value::Growth(growth) => growth.text(),
            Value::Trend(_) => String::new(),
            Value::Month(month) => month.short(),
        }
    }
}
