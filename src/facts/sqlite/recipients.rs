//! Recipients from a relation in a facts database.

use std::path::Path;

use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};

use super::view_values::{column_names, text_of};
use super::{name_failure, read_only, require};
use crate::facts::FactsError;

/// One row of a relation of recipients, as it stands there; nothing of it is checked yet.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RecipientRow {
    /// Column `address`: the mail address.
    pub address: String,
    /// Column `name`: the person's name; empty where it is not known.
    pub name: String,
    /// Column `partner_id`: the partner's id, as in the facts.
    pub partner_id: String,
    /// Column `role`: the role's key, as in `report-viewer`.
    pub role: String,
    /// Column `locations`: ids of location accounts, parted by `;`; empty for the entire organization.
    pub locations: String,
    /// Column `language`: an IETF tag as in `en`; empty for the schedule's.
    pub language: String,
}

/// Reads a table or view of recipients, in the order of partner, address, role and locations.
///
/// It must have the columns `address`, `partner_id` and `role`; `name`, `locations` and `language` may be missing.
///
/// # Errors
/// When the database or the relation is missing or locked, or it lacks a column.
pub async fn read_recipients(path: &Path, relation: &str) -> Result<Vec<RecipientRow>, FactsError> {
    require(path)?;
    let options = read_only(path);
    let connection = SqliteConnection::connect_with(&options).await;
    let mut connection = connection.map_err(|error| name_failure(path, error))?;
    let found = column_names(&mut connection, path, relation).await?;
    let named = |column: &str| found.iter().find(|name| name.eq_ignore_ascii_case(column));
    for required in ["address", "partner_id", "role"] {
        if named(required).is_none() {
            return Err(FactsError::MissingColumn { view: relation.to_owned(), column: required.to_owned() });
        }
    }
    let columns: Vec<String> = ["address", "name", "partner_id", "role", "locations", "language"]
        .iter()
        .map(|column| named(column).map_or("NULL".to_owned(), |name| quoted(name)))
        .collect();
    let sql = format!("SELECT {} FROM {}", columns.join(", "), quoted(relation));
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut connection).await;
    let rows = rows.map_err(|error| name_failure(path, error))?;
    let cell = |row: &sqlx::sqlite::SqliteRow, n: usize| -> Result<String, FactsError> {
        Ok(text_of(row.try_get_raw(n)?).map(|text| text.trim().to_owned()).unwrap_or_default())
    };
    let read = rows.iter().map(|row| {
        Ok(RecipientRow {
            address: cell(row, 0)?,
            name: cell(row, 1)?,
            partner_id: cell(row, 2)?,
            role: cell(row, 3)?,
            locations: cell(row, 4)?,
            language: cell(row, 5)?,
        })
    });
    let mut recipients: Vec<RecipientRow> = read.collect::<Result<_, FactsError>>()?;
    recipients.sort_by(|a, b| place(a).cmp(&place(b)));
    Ok(recipients)
}

fn place(row: &RecipientRow) -> impl Ord + '_ {
    (&row.partner_id, &row.address, &row.role, &row.locations, &row.name, &row.language)
}

/// A name as SQL takes it, whatever is in it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn database(path: &Path, sql: &'static str) {
        let options = super::super::options(path).create_if_missing(true);
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    }

    #[tokio::test]
    async fn recipients_are_read_in_order_and_what_may_be_missing_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.db");
        database(
            &path,
            "CREATE TABLE \"people \"\"x\" (Partner_ID BIGINT, address TEXT, role TEXT, locations TEXT);
             INSERT INTO \"people \"\"x\" VALUES (7, ' b@example.com ', 'report-viewer', '1;2'),
                                                (7, 'a@example.com', 'executive-report-viewer', NULL)",
        )
        .await;
        let rows = read_recipients(&path, "people \"x").await.unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].address.as_str(), rows[0].locations.as_str()), ("a@example.com", ""));
        assert_eq!(
            rows[1],
            RecipientRow {
                address: "b@example.com".to_owned(),
                partner_id: "7".to_owned(),
                role: "report-viewer".to_owned(),
                locations: "1;2".to_owned(),
                ..RecipientRow::default()
            }
        );
    }

    #[tokio::test]
    async fn a_relation_that_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.db");
        let missing = read_recipients(&path, "people").await.unwrap_err();
        assert!(matches!(missing, FactsError::Missing { .. }), "{missing}");
        database(&path, "CREATE TABLE people (address TEXT, partner_id TEXT)").await;
        let column = read_recipients(&path, "people").await.unwrap_err();
        assert_eq!(column.to_string(), "view `people` has no column `role`, which it must have");
        let relation = read_recipients(&path, "persons").await.unwrap_err();
        assert!(relation.to_string().contains("`persons`"), "{relation}");
    }
}
