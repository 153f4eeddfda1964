//! Who and what stands beside each partner: its names, its locations, its customers.

use futures::{StreamExt, TryStreamExt};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use tokio::sync::mpsc;

use super::recipients::quoted;
use super::view::SqliteView;
use super::view_values::{Cell, cells};
use super::{SqliteFacts, load_no_of, options, other_kind};
use crate::facts::{DIRECTORY_ENTRIES_A_BATCH_MAX, DataSet, DirectoryEntry, FactsError};

/// How many batches wait to be read.
pub(super) const BATCHES_AHEAD: usize = 4;

/// Where entries go.
pub(super) type Sender = mpsc::Sender<Result<Vec<DirectoryEntry>, FactsError>>;

/// Partners and locations under every name they ever had, in the order of [`DirectoryEntry`].
const NAMES: &str = "
    SELECT partner_id, name, NULL, NULL, NULL, NULL FROM partner_names
    UNION SELECT partner_id, NULL, NULL, NULL, NULL, NULL FROM slices
    UNION SELECT partner_id, NULL, location_id, name, NULL, NULL FROM location_names";

/// What lines say. They are not asked by load: which load a line came with is known from its facts only, and a line of
/// a later load is one more name to look for.
const LINES: &str = "
    SELECT DISTINCT partner_id, NULL, location_id, location_name, customer_id, customer_name FROM lines";

/// Usage stands under the account whose file it is, and belongs to the reseller that has its subscription.
const USAGE: &str = "
    SELECT DISTINCT own.partner_id, NULL, l.location_id, l.location_name, l.customer_id, l.customer_name
    FROM (SELECT DISTINCT account_id, subscription_id, line_no FROM usage_facts WHERE subscription_id <> '') AS u
    JOIN (SELECT DISTINCT partner_id, subscription_id FROM lines WHERE subscription_id <> '') AS own
        ON own.subscription_id = u.subscription_id
    JOIN lines AS l ON l.partner_id = u.account_id AND l.line_no = u.line_no";

/// Streams the directory of our own tables; a failure is the last thing that is sent.
pub(super) async fn of_tables(facts: &SqliteFacts, data: &DataSet, sender: &Sender) {
    let sent = async {
        load_no_of(data)?;
        let failed = |error| facts.failed(error);
        let mut connection = SqliteConnection::connect_with(&options(facts.path())).await.map_err(failed)?;
        for sql in [NAMES, LINES, USAGE] {
            if !stream(&mut connection, sql.to_owned(), sender).await.map_err(failed)? {
                break;
            }
        }
        Ok(())
    };
    told(sent.await, sender).await;
}

/// Streams the directory of a view; a failure is the last thing that is sent.
pub(super) async fn of_view(view: &SqliteView, data: &DataSet, sender: &Sender) {
    let sent = async {
        let DataSet::View { .. } = data else {
            return Err(other_kind("the data set is one of our own tables, not of a view"));
        };
        let columns = ["partner_id", "partner_name", "location_id", "location_name", "customer_id", "customer_name"];
        let columns = columns.map(|column| view.sql_of(column)).join(", ");
        let sql = format!("SELECT DISTINCT {columns} FROM {}", quoted(view.name()));
        let mut connection = view.connect().await?;
        stream(&mut connection, sql, sender).await.map_err(|error| view.failed(error))?;
        Ok(())
    };
    told(sent.await, sender).await;
}

async fn told(sent: Result<(), FactsError>, sender: &Sender) {
    if let Err(error) = sent {
        // When nobody reads any more there is nobody to tell.
        let _ = sender.send(Err(error)).await;
    }
}

/// Whether somebody still reads.
async fn stream(connection: &mut SqliteConnection, sql: String, sender: &Sender) -> Result<bool, sqlx::Error> {
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch(connection);
    let mut batches = rows.and_then(async |row| entry(&row)).try_chunks(DIRECTORY_ENTRIES_A_BATCH_MAX).boxed();
    while let Some(batch) = batches.next().await {
        let batch = batch.map_err(|error| error.1)?;
        if sender.send(Ok(batch)).await.is_err() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn entry(row: &SqliteRow) -> Result<DirectoryEntry, sqlx::Error> {
    let mut cells = cells(row)?.into_iter().map(|cell| Cell::filled(&cell));
    let mut next = || cells.next().flatten();
    Ok(DirectoryEntry {
        partner_id: next().unwrap_or_default(),
        partner_name: next(),
        location_id: next(),
        location_name: next(),
        customer_id: next(),
        customer_name: next(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{database, load, now};
    use super::*;
    use crate::facts::FactSource;
    use crate::facts::ingest::PartnerFrom;

    async fn directory(source: &dyn FactSource) -> Vec<DirectoryEntry> {
        let mut receiver = source.directory(source.pin(now()).await.unwrap());
        let mut all = Vec::new();
        while let Some(batch) = receiver.recv().await {
            all.extend(batch.unwrap());
        }
        all
    }

    fn customers(entries: &[DirectoryEntry], partner_id: &str) -> Vec<(String, String)> {
        let of = entries.iter().filter(|entry| entry.partner_id == partner_id);
        let mut found: Vec<(String, String)> =
            of.filter_map(|entry| Some((entry.customer_id.clone()?, entry.customer_name.clone()?))).collect();
        found.sort();
        found.dedup();
        found
    }

    #[tokio::test]
    async fn the_directory_of_our_tables_has_partners_locations_and_customers_of_every_load() {
        let (_folder, facts) = database().await;
        let files = [("precedence-seats.csv", "2026-11-21"), ("later-seats.csv", "2026-11-22")];
        load(&facts, PartnerFrom::Account, &files).await;
        let all = directory(&facts).await;
        let own: Vec<&DirectoryEntry> = all.iter().filter(|entry| entry.partner_id == "1234566").collect();
        assert_eq!(own.len(), all.len());
        let names = customers(&all, "1234566");
        for name in ["Blumen, Müller", "Blumen Müller KG"] {
            assert!(names.contains(&("c1".to_owned(), name.to_owned())), "{names:?}");
        }
        assert!(all.iter().any(|entry| entry.location_id.as_deref() == Some("6104425") && entry.customer_id.is_some()));
        assert!(all.iter().any(|entry| entry.customer_id.is_none() && entry.location_name.is_some()));
    }

    #[tokio::test]
    async fn usage_of_a_subscription_belongs_to_each_reseller_that_had_it() {
        let (_folder, facts) = database().await;
        let files = [("distributor-seats.csv", "2026-11-21"), ("distributor-dynamics.csv", "2026-11-21")];
        load(&facts, PartnerFrom::Reseller, &files).await;
        let all = directory(&facts).await;
        let is_usage = |entry: &&DirectoryEntry| entry.customer_id.is_some() && entry.customer_name.is_none();
        let mut of: Vec<&str> = all.iter().filter(is_usage).map(|entry| entry.partner_id.as_str()).collect();
        of.sort_unstable();
        of.dedup();
        assert_eq!(of, ["7000001", "7000002", "9000001"]);
        assert!(all.iter().any(|entry| entry.partner_name.as_deref() == Some("Dupont")));
    }

    #[tokio::test]
    async fn the_directory_of_a_view_has_what_its_columns_have_and_ids_of_any_type() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("warehouse.db");
        let options = options(&path).create_if_missing(true);
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        let sql = "CREATE TABLE v (month TEXT, partner_id BIGINT, customer_market TEXT, product TEXT, licenses REAL,
                       customer_id BIGINT, customer_name TEXT);
                   INSERT INTO v VALUES ('2026-10-01', 7, 'DE', 'Power BI', 1, 42, ' Blumen '),
                       ('2026-09-01', 7, 'DE', 'Power BI', 2, 42, ' Blumen '), ('2026-10-01', 8, 'DE', 'X', 1, NULL, '')";
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        let all = directory(&SqliteView::open(&path, "v").await.unwrap()).await;
        assert_eq!(all.len(), 2);
        assert_eq!(customers(&all, "7"), [("42".to_owned(), "Blumen".to_owned())]);
        let other = DataSet::Loads(1);
        let mut refused = SqliteView::open(&path, "v").await.unwrap().directory(other);
        assert!(refused.recv().await.unwrap().is_err() && refused.recv().await.is_none());
    }
}
