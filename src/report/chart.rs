//! Charts of a report: what is drawn, not how. Micro charts are [`super::Value::Trend`].

use serde::{Deserialize, Serialize};

use super::Slot;
use crate::base::{Market, Month, Quantity};

/// A chart.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Chart {
    /// Columns over months.
    Columns(Columns),
    /// A ring of shares.
    Donut(Donut),
    /// The world, its countries/regions shaded by their values.
    Map(Map),
}

/// Stacked columns over months: `above` grows up from the axis, `below` down from it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Columns {
    /// Its stable name, unique in the report: lower-case letters, digits and `_`.
    pub key: String,
    /// Its title.
    pub title: String,
    /// What it shows, in words with figures, for screen readers.
    pub alt: String,
    /// The axis below, as in `Months`.
    pub x_title: String,
    /// The axis at the left, as in `Licenses added`.
    pub y_title: String,
    /// The months, in order.
    pub months: Vec<Month>,
    /// What is stacked upwards; values not negative, absent ones leave a gap.
    pub above: Vec<Series>,
    /// What is stacked downwards, in lighter colours; values not negative.
    pub below: Vec<Series>,
}

/// A named course of values.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Series {
    /// Its name, as in a product's.
    pub name: String,
    /// Its colour.
    pub slot: Slot,
    /// A value a month; empty where only name and colour matter.
    pub values: Vec<Option<Quantity>>,
}

/// A ring of shares.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Donut {
    /// Its stable name, unique in the report: lower-case letters, digits and `_`.
    pub key: String,
    /// Its title.
    pub title: String,
    /// What it shows, in words with figures, for screen readers.
    pub alt: String,
    /// The label in its middle, as in `Licenses`.
    pub centre_label: String,
    /// The figure in its middle: the slices' sum.
    pub centre: Quantity,
    /// The slices, largest first.
    pub slices: Vec<Slice>,
}

/// A slice of a ring.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Slice {
    /// Its name.
    pub name: String,
    /// Its colour.
    pub slot: Slot,
    /// Its value, not negative.
    pub value: Quantity,
}

/// The world, its countries/regions shaded by their values.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Map {
    /// Its stable name, unique in the report: lower-case letters, digits and `_`.
    pub key: String,
    /// Its title.
    pub title: String,
    /// What it shows, in words with figures, for screen readers.
    pub alt: String,
    /// What is counted, as in `Current licenses`.
    pub value_label: String,
    /// The known markets with a value above zero, largest first.
    pub values: Vec<(Market, Quantity)>,
    /// The classes that are told apart by shade, least first; every value is in one.
    pub classes: Vec<MapClass>,
    /// The count without a known market, which stands nowhere on the map.
    pub unknown: Quantity,
}

/// A class of values.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MapClass {
    /// Its range in words, as in `100–999`.
    pub label: String,
    /// Its values are below this; none for the last.
    pub below: Option<Quantity>,
}

impl Map {
    /// The class of a value, counted from the least.
    pub fn class_of(&self, value: Quantity) -> Option<usize> {
        self.classes.iter().position(|class| class.below.is_none_or(|below| value < below))
    }
}
