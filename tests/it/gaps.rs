//! `gaps`: every occurrence has a row with an outcome, or is named.

use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::support::daemon::Daemon;
use crate::support::workplace::Workplace;

/// Does something to the ledger that no program of ours would.
fn ledger(place: &Workplace, sql: &'static str) {
    let path = place.path("data/ledger.db");
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut connection =
            SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&path)).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

#[test]
fn an_occurrence_without_a_row_or_an_outcome_is_named() {
    let place = Workplace::demo(1);
    let said = place.run(&["gaps"]).with(0);
    assert!(
        said.out.contains("has a row with an outcome") && said.out.contains("no daemon has seen it"),
        "{}",
        said.out
    );
    Daemon::awake(&place).stop();
    // Seventy days ago a daemon looked at the schedule, and it has done nothing since.
    ledger(&place, "UPDATE era SET from_at = from_at - 70 * 86400 * 1000000");
    let said = place.run(&["gaps", "--json"]).with(1).json();
    let gaps = said["gaps"].as_array().unwrap();
    assert!(!gaps.is_empty() && gaps.len() <= 3, "{said}");
    assert!(gaps.iter().all(|gap| gap["state"] == "absent" && gap["schedule"] == "monthly"), "{said}");
    assert!(place.run(&["gaps"]).with(1).out.contains("first business day on or after the 21st"));
    // A schedule that is gone is held to account for its time.
    ledger(&place, "UPDATE era SET schedule = 'bygone', until_at = from_at + 40 * 86400 * 1000000");
    let said = place.run(&["gaps", "--json"]).with(1).json();
    let gaps = said["gaps"].as_array().unwrap();
    assert!((1..=2).contains(&gaps.len()) && gaps.iter().all(|gap| gap["schedule"] == "bygone"), "{said}");
}
