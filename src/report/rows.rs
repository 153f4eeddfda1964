//! The raw rows behind a report: a stream that can be replayed, so that memory follows figures, not rows.

use serde::{Deserialize, Serialize};

use crate::base::{Month, Quantity};

/// A column of the raw rows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RawColumn {
    /// Its name in the canonical relation, as in `customer_market`.
    pub key: String,
    /// Its heading, as in `Customer country/region`.
    pub label: String,
    /// What stands in it.
    pub kind: RawKind,
}

/// What stands in a raw column.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RawKind {
    /// Words.
    Text,
    /// A month.
    Month,
    /// Licenses.
    Quantity,
    /// US dollars.
    Usd,
}

/// A cell of a raw row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cell<'a> {
    /// The source does not carry it.
    Absent,
    /// Words.
    Text(&'a str),
    /// A month.
    Month(Month),
    /// Licenses or US dollars, as the column says.
    Quantity(Quantity),
}

/// The rows could not be read, or whoever asked for them gave up.
#[derive(Debug, thiserror::Error)]
#[error("the raw rows broke off: {0}")]
pub struct RowsError(pub String);

/// Raw rows that can be replayed any number of times, always the same.
pub trait Rows: Send + Sync {
    /// Their columns.
    fn columns(&self) -> &[RawColumn];

    /// How many there are.
    fn n_rows(&self) -> u64;

    /// Hands out each row in order, one cell a column.
    ///
    /// # Errors
    /// When they cannot be read, or with the first error of `each`.
    fn replay(&self, each: &mut dyn FnMut(&[Cell<'_>]) -> Result<(), RowsError>) -> Result<(), RowsError>;
}

/// Raw rows held in memory; for small reports and for tests.
#[derive(Clone, Debug, Default)]
pub struct RowsBuffer {
    columns: Vec<RawColumn>,
    rows: Vec<Vec<Option<Held>>>,
}

#[derive(Clone, Debug)]
enum Held {
    Text(String),
    Month(Month),
    Quantity(Quantity),
}

impl RowsBuffer {
    /// No rows yet, of these columns.
    pub fn new(columns: Vec<RawColumn>) -> RowsBuffer {
        RowsBuffer { columns, rows: Vec::new() }
    }

    /// Adds a row of one cell a column.
    pub fn push(&mut self, cells: &[Cell<'_>]) {
        let held = |cell: &Cell<'_>| match *cell {
            Cell::Absent => None,
            Cell::Text(text) => Some(Held::Text(text.to_owned())),
            Cell::Month(month) => Some(Held::Month(month)),
            Cell::Quantity(quantity) => Some(Held::Quantity(quantity)),
        };
        self.rows.push(cells.iter().map(held).collect());
    }
}

impl Rows for RowsBuffer {
    fn columns(&self) -> &[RawColumn] {
        &self.columns
    }

    fn n_rows(&self) -> u64 {
        self.rows.len() as u64
    }

    fn replay(&self, each: &mut dyn FnMut(&[Cell<'_>]) -> Result<(), RowsError>) -> Result<(), RowsError> {
        self.rows.iter().try_for_each(|row| {
            let cells: Vec<Cell<'_>> = row
                .iter()
                .map(|held| match held {
                    None => Cell::Absent,
                    Some(Held::Text(text)) => Cell::Text(text),
                    Some(Held::Month(month)) => Cell::Month(*month),
                    Some(Held::Quantity(quantity)) => Cell::Quantity(*quantity),
                })
                .collect();
            each(&cells)
        })
    }
}
