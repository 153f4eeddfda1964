//! The table of states.

use super::*;

/// DESIGN's table, by hand: row, state, and every state it goes to.
const TABLE: [(&str, &str, &[&str]); 17] = [
    ("run", "planned", &["running", "waiting", "missed", "skipped"]),
    ("run", "waiting", &["running", "held", "missed"]),
    ("run", "running", &["done", "partial", "held"]),
    ("run", "held", &["running", "skipped"]),
    ("run", "missed", &["planned"]),
    ("edition", "planned", &["making", "skipped"]),
    ("edition", "making", &["archived", "skipped", "held", "planned", "failed"]),
    ("edition", "held", &["planned"]),
    ("delivery", "planned", &["sending", "skipped", "held"]),
    ("delivery", "sending", &["delivered", "retryable", "failed", "uncertain"]),
    ("delivery", "retryable", &["sending", "failed", "held"]),
    ("delivery", "uncertain", &["sending", "delivered", "failed"]),
    ("delivery", "suppressed", &["planned"]),
    ("delivery", "skipped", &["planned"]),
    ("delivery", "held", &["planned"]),
    ("delivery", "delivered", &[]),
    ("delivery", "failed", &[]),
];

#[test]
fn the_moves_are_those_of_the_design() {
    let mut expected: Vec<_> =
        TABLE.iter().flat_map(|(row, from, to)| to.iter().map(move |to| (*row, *from, *to))).collect();
    let mut found = moves();
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn no_state_becomes_itself_and_the_last_ones_become_nothing() {
    for from in DeliveryState::ALL {
        assert!(!from.may_become(*from), "{from}");
        assert_eq!(from.is_last(), DeliveryState::ALL.iter().all(|to| !from.may_become(*to)), "{from}");
    }
    assert!(DeliveryState::Delivered.is_last() && DeliveryState::Failed.is_last());
    assert!(!DeliveryState::Delivered.may_become(DeliveryState::Sending), "nothing delivered is sent again");
    assert_eq!(serde_json::to_string(&DeliveryState::Retryable).unwrap(), "\"retryable\"");
}

#[tokio::test]
async fn a_run_goes_only_where_the_table_lets_it() {
    let desk = Desk::new().await;
    let unpinned = NewRun { data: String::new(), ..new_run(Some(at(0))) };
    let (run, _) = desk.ledger.plan_run(&unpinned, at(0)).await.unwrap();
    let to_held = desk.ledger.move_run(run.id, RunState::Held, "why not", at(1)).await;
    assert_eq!(to_held.unwrap_err().to_string(), "run `1` is planned and can't become held");
    desk.ledger.move_run(run.id, RunState::Waiting, "2026-10 is not loaded", at(1)).await.unwrap();
    desk.ledger.move_run(run.id, RunState::Held, "deadline", at(2)).await.unwrap();
    assert!(desk.ledger.move_run(run.id, RunState::Running, "the planner may not", at(3)).await.is_err());
    assert!(desk.ledger.plan_editions(run.id, &[], &[], at(3)).await.is_err(), "nor by planning its editions");
    desk.ledger.release(run.id, "the data are good enough", at(3)).await.unwrap();
    let pinned = Beginning { data: Some("{\"load_no\":8}"), ..Beginning::default() };
    desk.ledger.begin_run(run.id, &pinned, at(3)).await.unwrap();
    let other = Beginning { data: Some("{\"load_no\":9}"), ..Beginning::default() };
    assert!(desk.ledger.begin_run(run.id, &other, at(3)).await.unwrap_err().is_lost_claim());
    assert!(desk.ledger.move_run(run.id, RunState::Done, "says who", at(4)).await.is_err());
    let row = desk.ledger.run(run.id).await.unwrap();
    assert_eq!((row.state, row.reason.as_str()), (RunState::Running, "by hand: the data are good enough"));
    assert_eq!(row.data, "{\"load_no\":8}", "a run keeps the data that it has");
    assert_eq!(row.moved_at, at(3));
    assert!(matches!(desk.ledger.run(RunId(99)).await, Err(LedgerError::NoSuch { row: "run", .. })));
}
