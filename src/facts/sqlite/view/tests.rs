//! A view of the user's own, with all columns and with few.

use super::*;
use crate::facts::sqlite::options;
use crate::facts::sqlite::tests::{Handed, burst, now};

/// A database of the user's own.
async fn own(sql: &'static str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("warehouse.db");
    let options = options(&path).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    (folder, path)
}

async fn all(view: &SqliteView, ids: &[&str]) -> Vec<Handed> {
    burst(view, view.pin(now()).await.unwrap(), ids).await
}

const BARE: &str = "
    CREATE TABLE sold (mo TEXT, pid BIGINT, country TEXT, family TEXT, n REAL);
    INSERT INTO sold VALUES
        ('2026-10-01', 7, 'Germany', 'Power BI', 12.25), ('2026-10-01', 7, 'Germany', 'Power BI', 12.25),
        ('2026-09-01', 7, 'Atlantis', 'Power BI', 10), ('2026-07-01', 7, 'DE', 'Power BI', 9),
        ('2026-10-01', 8, 'FR', 'Dynamics 365', 3);
    CREATE VIEW bare AS SELECT mo AS Month, pid AS PARTNER_ID, country AS customer_market, family AS product,
        n AS licenses FROM sold";

#[tokio::test]
async fn a_view_with_only_the_required_columns_is_a_source() {
    let (_folder, path) = own(BARE).await;
    let view = SqliteView::open(&path, "bare").await.unwrap();
    assert_eq!(view.missing_columns().await.len(), COLUMNS.len() - REQUIRED.len());
    let handed = all(&view, &["8", "7", "9"]).await;
    let lines: Vec<Vec<String>> = handed.iter().map(Handed::lines).collect();
    // Two rows that say the same are two rows: nothing tells that they are one license.
    let key = |market: &str, product: &str, n: u32| {
        format!("row:[\"\",\"\",\"\",\"\",\"{market}\",\"{product}\",\"\",\"\",\"\",\"\",\"\"]|{n}")
    };
    assert_eq!(
        lines[0],
        [
            format!("2026-09 {} 6 | 10 - - - - -", key("Atlantis", "Power BI", 1)),
            format!("2026-10 {} 6 | 12.25 - - - - -", key("Germany", "Power BI", 1)),
            format!("2026-10 {} 6 | 12.25 - - - - -", key("Germany", "Power BI", 2)),
        ]
    );
    assert_eq!((lines[1].len(), lines[2].len(), handed[2].partner.name.as_str()), (1, 0, "9"));
    let coverage = &handed[0].coverage;
    let october = "2026-10".parse().unwrap();
    assert!(coverage.carries(october, "Power BI", Measure::Licenses));
    assert!(!coverage.carries(october, "Power BI", Measure::Deployed));
    assert!(coverage.is_full(october), "read on 25 November");
    assert_eq!(coverage.left_out, ["the country of 1 row, `Atlantis`, which is shown as Unknown"]);
    assert_eq!(coverage.exports[0].load_no, None);
    let partners = view.partners(&view.pin(now()).await.unwrap()).await.unwrap();
    assert_eq!(partners.iter().map(|partner| partner.id.as_str()).collect::<Vec<_>>(), ["7", "8"]);
}

#[tokio::test]
async fn a_view_with_all_columns_is_read_as_it_says() {
    let (_folder, path) = own("
        CREATE TABLE license_facts (month TEXT, partner_id TEXT, partner_name TEXT, location_id TEXT,
            location_name TEXT, customer_id TEXT, customer_name TEXT, customer_market TEXT, product TEXT, sku_id TEXT,
            sku TEXT, sales_channel TEXT, attach_type TEXT, segment TEXT, license_key TEXT, attach_rank INT,
            licenses TEXT, deployed INT, active INT, added INT, removed INT, billed_revenue_usd TEXT);
        INSERT INTO license_facts VALUES
            ('2026-10-01T00:00:00Z', '7', 'Krämer', '71', 'Köln', 'c1', 'Blumen', 'DE', 'Power BI', 'k1', 'Pro',
             'CSP', 'CSP Tier 2', 'SMC', 'a', 2, '12.5', 10, NULL, 1, 0, '-3.25'),
            ('2026-10-01', '7', 'Krämer GmbH', '71', 'Köln-Deutz', 'c1', 'Blumen', 'DE', 'Power BI', 'k1', 'Pro',
             'CSP', 'CSP Tier 1', 'SMC', 'a', 1, '12.5', 10, NULL, 1, 0, NULL),
            ('2026-09-01', '7', 'Old', '72', NULL, 'c2', NULL, 'DE', 'Dynamics 365', NULL, 'Sales',
             NULL, 'DPOR', NULL, NULL, NULL, '1', NULL, 4, NULL, NULL, NULL),
            ('2026-10-01', '7', NULL, '72', NULL, 'c2', NULL, 'DE', 'Dynamics 365', NULL, 'Sales',
             NULL, 'DPOR', NULL, NULL, NULL, '2', NULL, 4, NULL, NULL, NULL)")
    .await;
    let view = SqliteView::open(&path, "license_facts").await.unwrap();
    assert!(view.missing_columns().await.is_empty());
    let handed = all(&view, &["7"]).await.remove(0);
    assert_eq!(
        handed.lines(),
        [
            "2026-09 customer:[\"c2\",\"Sales\"] 2 | 1 - 4 - - -",
            "2026-10 a 1 | 12.5 10 - 1 0 -",
            "2026-10 a 2 | 12.5 10 - 1 0 -3.25",
            "2026-10 customer:[\"c2\",\"Sales\"] 2 | 2 - 4 - - -",
        ]
    );
    // A product that never has a value of a measure in a month does not carry it.
    let october = "2026-10".parse().unwrap();
    assert!(!handed.coverage.carries(october, "Power BI", Measure::Active));
    assert!(handed.coverage.carries(october, "Dynamics 365", Measure::Active));
    assert!(!handed.coverage.carries(october, "Dynamics 365", Measure::Added));
    assert_eq!(handed.partner.locations["72"], "72");
}

#[tokio::test]
async fn a_view_that_changed_since_it_was_pinned_is_not_read() {
    let (_folder, path) = own(BARE).await;
    let view = SqliteView::open(&path, "bare").await.unwrap();
    let pinned = view.pin(now()).await.unwrap();
    let later = SqliteView::open(&path, "bare").await.unwrap();
    let again = burst(&later, pinned.clone(), &["8"]).await;
    assert_eq!(again[0].coverage.data_at(), Some(now()), "a restart reads what was pinned, with its date");
    let mut connection = SqliteConnection::connect_with(&options(&path)).await.unwrap();
    sqlx::query("UPDATE sold SET n = 4 WHERE pid = 8").execute(&mut connection).await.unwrap();
    let mut receiver = view.burst(BurstRequest {
        data: pinned,
        partner_ids: vec!["7".to_owned()],
        first: "2026-09".parse().unwrap(),
        last: "2026-10".parse().unwrap(),
        closing_day: 20,
    });
    let refused = receiver.recv().await.unwrap();
    assert!(matches!(refused, Err(FactsError::Changed { .. })));
    assert!(receiver.recv().await.is_none());
}

#[tokio::test]
async fn a_view_that_cannot_be_a_source_says_why() {
    let check = async |sql: &'static str, told: &str| {
        let (_folder, path) = own(sql).await;
        let error = match SqliteView::open(&path, "v").await {
            Err(error) => error,
            Ok(view) => match view.pin(now()).await {
                Err(error) => error,
                Ok(data) => {
                    let mut receiver = view.burst(BurstRequest {
                        data,
                        partner_ids: vec!["7".to_owned()],
                        first: "2026-09".parse().unwrap(),
                        last: "2026-10".parse().unwrap(),
                        closing_day: 20,
                    });
                    let mut partner = receiver.recv().await.unwrap().unwrap();
                    partner.batches.recv().await.unwrap().unwrap_err()
                }
            },
        };
        assert_eq!(error.to_string().replace(&path.display().to_string(), "f.db"), told);
    };
    check("CREATE TABLE other (n)", "database `f.db` has no table or view `v`").await;
    check(
        "CREATE TABLE v (month, partner_id, customer_market, product)",
        "view `v` has no column `licenses`, which it must have",
    )
    .await;
    check("CREATE TABLE v (month, partner_id, customer_market, product, licenses)", "there are no facts yet").await;
    check(
        "CREATE TABLE v AS SELECT '10/1/2026' month, '7' partner_id, 'DE' customer_market, 'P' product, 1 licenses",
        "view `v`, column `month`: `10/1/2026` is no ISO date like `2026-10-01`",
    )
    .await;
    check(
        "CREATE TABLE v AS SELECT '2026-10-01' month, ' ' partner_id, 'DE' customer_market, 'P' product, 1 licenses",
        "view `v`, column `partner_id`: a row has no partner",
    )
    .await;
    check(
        "CREATE TABLE v AS SELECT '2026-10-01' month, '7' partner_id, 'DE' customer_market, 'P' product, '1x' licenses",
        "view `v`, column `licenses`: `1x` is not a number",
    )
    .await;
    check(
        "CREATE TABLE v AS SELECT '2026-10-01' month, '7' partner_id, 'DE' customer_market, 'P' product, -1 licenses",
        "view `v`, column `licenses`: -1 is below 0",
    )
    .await;
}
