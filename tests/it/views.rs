//! Facts from a view of the user's own, with nothing but the columns it must have.

use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::support::workplace::{Workplace, configuration};

const VIEW: &str = r#"view = { database = "warehouse.db", name = "license_facts" }"#;
const RECIPIENT: &str = r#"
[[recipient]]
address = "a@example.com"
partner = "P1"
role = "executive-report-viewer"
"#;

/// A folder whose facts are a view in a database that is not there yet.
fn place() -> Workplace {
    let place = Workplace::empty();
    place.write("pressrun.toml", configuration(VIEW, RECIPIENT));
    place
}

fn warehouse(place: &Workplace, sql: &'static str) {
    let path = place.path("warehouse.db");
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

#[test]
fn a_view_with_the_required_columns_only_makes_a_report_that_shows_the_rest_as_absent() {
    let place = place();
    warehouse(
        &place,
        "CREATE TABLE sold (day TEXT, partner TEXT, country TEXT, family TEXT, seats);
         INSERT INTO sold VALUES ('2026-08-01','P1','DE','Microsoft 365',10), ('2026-09-01','P1','Germany','Microsoft 365',12.5),
             ('2026-09-01','P1','FR','Power BI','3'), ('2026-09-01','P2','FR','Power BI',99);
         CREATE VIEW license_facts AS SELECT day AS month, partner AS partner_id, partner AS partner_name,
             country AS customer_market, family AS product, seats AS licenses FROM sold;",
    );
    let checked = place.run(&["check"]).with(0).out;
    assert!(checked.contains("deployed") && checked.contains("shown as n/a"), "{checked}");
    place.run(&["run", "monthly", "--period", "2026-09"]).with(0);
    let report = place.files("archive").into_iter().find(|path| path.ends_with("report.json")).unwrap();
    let report = std::fs::read_to_string(place.path("archive").join(report)).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let kpis = &report["sections"][0]["blocks"][0]["kpis"];
    assert_eq!(kpis[0]["current"], "15.5");
    assert_eq!(kpis[1]["current"], serde_json::Value::Null);
    assert_eq!(kpis[2]["current"], serde_json::Value::Null);
    assert_eq!(place.files("outbox").len(), 1);
}

#[test]
fn a_view_that_lacks_a_required_column_is_refused_by_name() {
    let place = place();
    warehouse(&place, "CREATE VIEW license_facts AS SELECT '2026-09-01' AS month, 'P1' AS partner_id, 1 AS licenses;");
    let ended = place.run(&["run", "monthly", "--period", "2026-09"]).with(1);
    assert!(ended.err.contains("`license_facts` has no column `"), "{}", ended.err);
    assert!(place.files("archive").is_empty());
}

#[test]
fn a_database_that_is_missing_is_named_and_not_made() {
    let place = place();
    let ended = place.run(&["run", "monthly"]).with(1);
    assert!(ended.err.contains("no facts database at"), "{}", ended.err);
    assert!(!place.path("warehouse.db").exists());
}
