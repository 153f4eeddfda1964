//! Tables of a report.

use serde::{Deserialize, Serialize};

use super::Value;

/// A table: every row has one value a column.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Table {
    /// Its stable name, unique in the report: lower-case letters, digits and `_`, as in `countries`.
    pub key: String,
    /// What it shows, for its caption and for screen readers.
    pub caption: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, sorted as they are to be read.
    pub rows: Vec<Vec<Value>>,
    /// The row below, if it has one.
    pub total: Option<Total>,
    /// Said below it, as in why parts sum to more than the total; may be empty.
    pub note: String,
}

/// A column of a table.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Column {
    /// Its heading, unique in the table without case.
    pub label: String,
    /// What stands in it.
    pub kind: ColumnKind,
}

impl Column {
    /// A column with that heading.
    pub fn new(label: &str, kind: ColumnKind) -> Column {
        Column { label: label.to_owned(), kind }
    }
}

/// What stands in a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColumnKind {
    /// Words or names, left-aligned.
    Text,
    /// Licenses.
    Quantity,
    /// Licenses with a bar for their size.
    QuantityBar,
    /// US dollars.
    Usd,
    /// A share or another ratio.
    Ratio,
    /// Growth.
    Growth,
    /// A micro chart.
    Trend,
    /// A month.
    Month,
}

/// The row below a table.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Total {
    /// One value a column.
    pub cells: Vec<Value>,
    /// Whether each quantity is the sum of what stands above it; false when parts overlap and the total is
    /// de-duplicated, or when shares and growth only can be had of the whole.
    pub is_sum: bool,
}
