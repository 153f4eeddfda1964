//! Columns and cells of a relation of the user's own, whatever types they have.

use std::path::Path;

use sqlx::sqlite::{SqliteRow, SqliteValueRef};
use sqlx::{Decode, Row, Sqlite, SqliteConnection, TypeInfo, ValueRef};

use super::name_failure;
use crate::base::{Month, Quantity};
use crate::facts::FactsError;

/// The names of a relation's columns.
pub(super) async fn column_names(
    connection: &mut SqliteConnection,
    path: &Path,
    relation: &str,
) -> Result<Vec<String>, FactsError> {
    let names: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info(?1)")
        .bind(relation)
        .fetch_all(connection)
        .await
        .map_err(|error| name_failure(path, error))?;
    if names.is_empty() {
        let (path, view) = (path.display().to_string(), relation.to_owned());
        return Err(FactsError::MissingView { path, view });
    }
    Ok(names)
}

/// A cell as SQLite stores it.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Cell {
    Null,
    Whole(i64),
    Real(f64),
    Text(String),
    /// Bytes, or a text that is not UTF-8.
    Bytes(Vec<u8>),
}

impl Cell {
    pub fn of(value: SqliteValueRef<'_>) -> Cell {
        if value.is_null() {
            return Cell::Null;
        }
        let kind = value.type_info().name().to_owned();
        let bytes = |value: SqliteValueRef<'_>| <&[u8] as Decode<Sqlite>>::decode(value).unwrap_or_default().to_vec();
        match kind.as_str() {
            "INTEGER" => <i64 as Decode<Sqlite>>::decode(value).map_or(Cell::Null, Cell::Whole),
            "REAL" => <f64 as Decode<Sqlite>>::decode(value).map_or(Cell::Null, Cell::Real),
            "TEXT" => match String::from_utf8(bytes(value)) {
                Ok(text) => Cell::Text(text),
                Err(error) => Cell::Bytes(error.into_bytes()),
            },
            _ => Cell::Bytes(bytes(value)),
        }
    }

    /// A tag and the bytes that the digest of a view is made of.
    pub fn hashed(&self) -> (u8, Vec<u8>) {
        match self {
            Cell::Null => (0, Vec::new()),
            Cell::Whole(number) => (1, number.to_be_bytes().to_vec()),
            Cell::Real(number) => (2, number.to_bits().to_be_bytes().to_vec()),
            Cell::Text(text) => (3, text.as_bytes().to_vec()),
            Cell::Bytes(bytes) => (4, bytes.clone()),
        }
    }

    /// As text; none where there is none.
    pub fn text(&self) -> Option<String> {
        match self {
            Cell::Null => None,
            Cell::Whole(number) => Some(number.to_string()),
            Cell::Real(number) => Some(number.to_string()),
            Cell::Text(text) => Some(text.clone()),
            Cell::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        }
    }

    /// As text that says something: blank is none.
    pub fn filled(&self) -> Option<String> {
        self.text().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// As a count; a binary number is rounded to millionths, since it holds no decimals exactly.
    pub fn quantity(&self) -> Result<Option<Quantity>, String> {
        let text = match self {
            Cell::Null => return Ok(None),
            Cell::Real(number) => format!("{number:.6}"),
            cell => cell.text().unwrap_or_default(),
        };
        text.parse().map(Some).map_err(|error: crate::base::QuantityError| error.to_string())
    }

    /// As a month: an ISO date, instant or month.
    pub fn month(&self) -> Result<Month, String> {
        let text = self.text().unwrap_or_default();
        iso_month(&text).ok_or_else(|| format!("`{text}` is no ISO date like `2026-10-01`"))
    }
}

/// The month of `2026-10`, `2026-10-01` or `2026-10-01T00:00:00Z`.
pub(super) fn iso_month(text: &str) -> Option<Month> {
    let month = text.get(..7)?.parse().ok()?;
    let rest = text.get(7..)?;
    let day = rest.is_empty() || chrono::NaiveDate::parse_from_str(text.get(..10)?, "%Y-%m-%d").is_ok();
    let end = rest.get(3..).unwrap_or("");
    (day && (end.is_empty() || end.starts_with(['T', ' ']))).then_some(month)
}

/// A cell as text; none where there is none.
pub(super) fn text_of(value: SqliteValueRef<'_>) -> Option<String> {
    Cell::of(value).text()
}

/// The cells of a row.
pub(super) fn cells(row: &SqliteRow) -> Result<Vec<Cell>, sqlx::Error> {
    (0..row.len()).map(|n| Ok(Cell::of(row.try_get_raw(n)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_of_a_view_are_iso_dates_or_instants() {
        let october = Month::new(2026, 10);
        for (text, month) in [
            ("2026-10", october),
            ("2026-10-01", october),
            ("2026-10-01T00:00:00Z", october),
            ("2026-10-01 00:00:00", october),
            ("2026-13-01", None),
            ("2026-10-32", None),
            ("2026-10-01x", None),
            ("10/1/2026", None),
            ("202610", None),
            ("", None),
        ] {
            assert_eq!(iso_month(text), month, "{text}");
        }
    }

    #[test]
    fn counts_of_a_view_are_plain_numbers_or_decimal_text() {
        let check = |cell: Cell, expected: Option<&str>| {
            assert_eq!(cell.quantity().ok().flatten().map(|quantity| quantity.to_string()).as_deref(), expected);
        };
        check(Cell::Whole(12), Some("12"));
        check(Cell::Real(0.1 + 0.2), Some("0.3"));
        check(Cell::Text("55.45".to_owned()), Some("55.45"));
        check(Cell::Null, None);
        assert!(Cell::Text("12a".to_owned()).quantity().is_err());
        assert!(Cell::Real(f64::NAN).quantity().is_err());
    }
}
