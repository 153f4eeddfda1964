//! What the daemon's metrics ask, held against a plain count of the tables.

use std::collections::BTreeMap;

use sqlx::Row as _;

use super::super::metrics::{DELIVERIES, EDITIONS, LAST_DONE, LATE, RUNS};
use super::super::query::by_state;
use super::super::reap::{ENDED_DELIVERIES, ENDED_EDITIONS};
use super::super::run::OPEN_RUNS;
use super::*;

/// The counts of what waits are those of the whole tables.
pub(super) async fn check_queues(ledger: &Ledger) {
    let plain = async |table: &'static str| {
        let count = match table {
            "edition" => {
                "SELECT state, COUNT(*) AS n FROM edition WHERE state IN ('planned', 'making', 'held') GROUP BY state"
            }
            _ => {
                "SELECT state, COUNT(*) AS n FROM delivery
                 WHERE state IN ('planned', 'sending', 'retryable', 'uncertain', 'held') GROUP BY state"
            }
        };
        sqlx::query(count).fetch_all(&ledger.read).await.unwrap()
    };
    let above_zero = |(_, n): &(_, u64)| *n > 0;
    let editions: BTreeMap<EditionState, u64> = by_state(&plain("edition").await).unwrap();
    let found = ledger.n_waiting_editions().await.unwrap();
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(found.into_iter().filter(|(_, n)| *n > 0).collect::<BTreeMap<_, _>>(), editions);
    let deliveries: BTreeMap<DeliveryState, u64> = by_state(&plain("delivery").await).unwrap();
    let found = ledger.n_waiting_deliveries().await.unwrap();
    assert_eq!(found.len(), 5, "{found:?}");
    assert_eq!(found.into_iter().filter(above_zero).collect::<BTreeMap<_, _>>(), deliveries);
}

async fn run_that_ends(ledger: &Ledger, schedule: &str, occurrence_at: Option<DateTime<Utc>>, to: RunState, secs: i64) {
    let new = NewRun { schedule: schedule.to_owned(), ..new_run(occurrence_at) };
    let (run, _) = ledger.plan_run(&new, at(0)).await.unwrap();
    match to {
        RunState::Planned => {}
        RunState::Done => {
            ledger.plan_editions(run.id, &[], &[], at(1)).await.unwrap();
            assert_eq!(ledger.finish_run(run.id, at(secs)).await.unwrap(), to);
        }
        _ => ledger.move_run(run.id, to, "so it is", at(secs)).await.unwrap(),
    }
}

#[tokio::test]
async fn runs_are_counted_by_state_and_late_ones_by_their_instant() {
    let desk = Desk::new().await;
    let ledger = &desk.ledger;
    ledger.answers().await.unwrap();
    assert_eq!((ledger.n_runs().await.unwrap(), ledger.n_planned_before(at(999)).await.unwrap()), ([].into(), 0));
    run_that_ends(ledger, "a", Some(at(0)), RunState::Planned, 0).await;
    run_that_ends(ledger, "b", Some(at(10)), RunState::Planned, 0).await;
    run_that_ends(ledger, "b", None, RunState::Planned, 0).await;
    run_that_ends(ledger, "c", Some(at(0)), RunState::Missed, 5).await;
    run_that_ends(ledger, "c", Some(at(1)), RunState::Done, 5).await;
    let expected = [(RunState::Planned, 3), (RunState::Done, 1), (RunState::Missed, 1)];
    assert_eq!(ledger.n_runs().await.unwrap(), expected.into());
    for (secs, n) in [(0, 0), (1, 1), (10, 1), (11, 2)] {
        assert_eq!(ledger.n_planned_before(at(secs)).await.unwrap(), n, "{secs}");
    }
}

#[tokio::test]
async fn the_last_done_run_of_a_schedule_is_found_behind_later_ones_and_among_calls_by_hand() {
    let desk = Desk::new().await;
    let ledger = &desk.ledger;
    run_that_ends(ledger, "a", Some(at(0)), RunState::Done, 20).await;
    run_that_ends(ledger, "a", Some(at(60)), RunState::Done, 80).await;
    run_that_ends(ledger, "a", Some(at(120)), RunState::Missed, 130).await;
    run_that_ends(ledger, "b", Some(at(0)), RunState::Done, 30).await;
    run_that_ends(ledger, "b", None, RunState::Done, 40).await;
    run_that_ends(ledger, "c", Some(at(0)), RunState::Missed, 50).await;
    run_that_ends(ledger, "d", Some(at(0)), RunState::Done, 60).await;
    let found = ledger.last_done(&["a", "b", "c", "it's \"not\" there"]).await.unwrap();
    assert_eq!(found, [("a".to_owned(), at(80)), ("b".to_owned(), at(40))].into());
    assert_eq!(ledger.last_done(&[]).await.unwrap(), [].into());
}

#[tokio::test]
async fn no_question_of_the_metrics_or_of_a_beat_looks_at_the_rows_of_past_years() {
    let desk = Desk::new().await;
    for question in [RUNS, LATE, EDITIONS, DELIVERIES, LAST_DONE, OPEN_RUNS, ENDED_EDITIONS, ENDED_DELIVERIES] {
        let plan = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {question}")));
        for row in plan.fetch_all(&desk.ledger.read).await.unwrap() {
            let step: String = row.try_get("detail").unwrap();
            // A partial index is read whole; the runs' states are the one index that is read whole and has every row.
            let is_short = ["USING COVERING INDEX edition_planned", "USING COVERING INDEX edition_making"]
                .into_iter()
                .chain(["USING INDEX edition_planned", "USING INDEX edition_making", "USING INDEX delivery_claimable"])
                .chain(["USING COVERING INDEX delivery_sending", "USING COVERING INDEX delivery_uncertain"])
                .chain([
                    "run USING COVERING INDEX run_by_state",
                    "SCAN CONSTANT ROW",
                    "SCAN asked",
                    "SCAN (",
                    "SCAN waiting",
                    "SCAN worker",
                    "USING INDEX delivery_sending",
                ])
                .any(|short| step.contains(short));
            assert!(!step.starts_with("SCAN") || is_short, "{step}\nin {question}");
        }
    }
}
