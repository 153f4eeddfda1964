//! What a reader chooses from where a format is alive: the figures behind every choice. On paper small multiples
//! stand in its place ([`super::Block::OnPaper`]).

use serde::{Deserialize, Serialize};

use crate::base::{Growth, Month, Quantity, Ratio};

/// A choice with the figures behind it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// Of a group, a course in it, and the months shown: what was added and removed.
    Flows(FlowChoice),
    /// Of a group: its largest parts.
    Parts(PartChoice),
}

/// Added and removed month by month: by group, as in product, and by course in it, as in SKU.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FlowChoice {
    /// Its stable name, unique in the report: lower-case letters, digits and `_`.
    pub key: String,
    /// Its title.
    pub title: String,
    /// What its chart shows before anything is chosen, in words with figures.
    pub alt: String,
    /// What a group is, as in `Product`.
    pub group_label: String,
    /// What a course is, as in `SKU or service`.
    pub course_label: String,
    /// The axis at the left, as in `Licenses added`.
    pub y_title: String,
    /// The months, in order.
    pub months: Vec<Month>,
    /// The groups; the first is all of them together, and shown before anything is chosen.
    pub groups: Vec<FlowGroup>,
}

/// A group of courses.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FlowGroup {
    /// Its name, as in a product's.
    pub name: String,
    /// Its courses; the first is all of them together.
    pub courses: Vec<FlowCourse>,
}

/// What was added and removed month by month.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FlowCourse {
    /// Its name, as in a SKU's.
    pub name: String,
    /// A value a month, not negative; absent where not known.
    pub added: Vec<Option<Quantity>>,
    /// A value a month, not negative; absent where not known.
    pub removed: Vec<Option<Quantity>>,
}

/// The largest parts of a group, as in countries/regions of a product, or SKUs of all licenses.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PartChoice {
    /// Its stable name, unique in the report: lower-case letters, digits and `_`.
    pub key: String,
    /// Its title.
    pub title: String,
    /// What its chart shows before anything is chosen, in words with figures.
    pub alt: String,
    /// What a group is, as in `Product`.
    pub group_label: String,
    /// What a part is, as in `Country/region`.
    pub part_label: String,
    /// What is counted, as in `Licenses`.
    pub value_label: String,
    /// Whether the parts make up a whole, and are drawn as a pie; else they are drawn as bars, and may overlap.
    pub is_whole: bool,
    /// The groups; the first is shown before anything is chosen.
    pub groups: Vec<PartGroup>,
}

/// A group and its largest parts.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PartGroup {
    /// Its name, as in a product's.
    pub name: String,
    /// Its total: of all its parts, each license counted once.
    pub whole: Option<Quantity>,
    /// Its parts, largest first.
    pub parts: Vec<GroupPart>,
    /// Said below it, as in why its parts sum to more than the total; may be empty.
    pub note: String,
}

/// A part of a group.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct GroupPart {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Option<Quantity>,
    /// Its share of the group's total.
    pub share: Option<Ratio>,
    /// Its growth; not shown where the parts make up a pie.
    pub growth: Growth,
}
