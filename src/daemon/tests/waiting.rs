//! Partners whose data for the period is not full when an occurrence is due.

use super::*;

/// Two partners with a recipient each, whose November was exported before it was closed; on 22 December.
pub(super) async fn two_partners(not_full: NotFull) -> (Desk, SqliteFacts) {
    let mut desk = desk("2026-12-20T00:00:00Z", CatchUp::Latest).await;
    let facts = SqliteFacts::open(&desk.folder.path().join("facts.db"), desk.clock.now()).await.unwrap();
    let partners = ingest(desk.folder.path(), &facts, 2, "2026-12-01T00:00:00Z").await;
    let order = Order { not_full, ..order(desk.folder.path(), &partners) };
    desk.change(|rota| drop(rota.orders.insert(SCHEDULE.to_owned(), Arc::new(order))));
    desk.beat_at("2026-12-20T00:00:05Z").await;
    (desk, facts)
}

/// The subjects of the mails, sorted.
fn subjects(desk: &Desk) -> Vec<String> {
    let mails = std::fs::read_dir(desk.folder.path().join("outbox")).into_iter().flatten();
    let subject = |mail: std::io::Result<std::fs::DirEntry>| {
        let text = std::fs::read_to_string(mail.unwrap().path()).unwrap();
        text.lines().find_map(|line| line.strip_prefix("Subject: ").map(str::to_owned)).unwrap()
    };
    let mut subjects: Vec<String> = mails.map(subject).collect();
    subjects.sort();
    subjects
}

async fn reasons(desk: &Desk) -> Vec<(RunState, String)> {
    let mut runs = desk.daemon.rota.press.ledger.runs(100).await.unwrap();
    runs.reverse();
    runs.into_iter().map(|run| (run.state, run.reason)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn partners_wait_for_their_own_data_and_for_nobody_else_s() {
    let (mut desk, facts) = two_partners(NotFull::WaitThenSend).await;
    desk.beat_at("2026-12-22T06:00:00Z").await;
    let told = reasons(&desk).await;
    assert_eq!((told[0].0, desk.mails()), (RunState::Waiting, 0));
    assert!(told[0].1.contains("waits for the data of 2 partners"), "{}", told[0].1);
    assert!(told[0].1.contains("of November 2026 was exported on 2026-12-01, before it was closed"), "{}", told[0].1);
    // Nothing came in: nothing is done.
    desk.beat_at("2026-12-22T06:00:05Z").await;
    assert_eq!(reasons(&desk).await, told);
    ingest(desk.folder.path(), &facts, 1, "2026-12-22T06:30:00Z").await;
    desk.beat_at("2026-12-22T06:35:00Z").await;
    let states: Vec<RunState> = reasons(&desk).await.into_iter().map(|(state, _)| state).collect();
    assert_eq!((states, desk.mails()), (vec![RunState::Done, RunState::Waiting], 1));
    let ledger = Arc::clone(&desk.daemon.rota.press.ledger);
    let part = ledger.runs(1).await.unwrap().remove(0);
    assert_eq!((part.part, part.occurrence_at), (2, Some(at("2026-12-22T06:00:00Z"))));
    assert_eq!(ledger.waits_of(part.id).await.unwrap().len(), 1);
    ingest(desk.folder.path(), &facts, 2, "2026-12-23T06:30:00Z").await;
    desk.beat_at("2026-12-23T06:35:00Z").await;
    let states: Vec<RunState> = reasons(&desk).await.into_iter().map(|(state, _)| state).collect();
    assert_eq!((states, desk.mails()), (vec![RunState::Done, RunState::Done], 2), "{:?}", reasons(&desk).await);
    assert!(subjects(&desk).iter().all(|subject| !subject.to_lowercase().contains("preliminary")));
    desk.beat_at("2026-12-26T06:35:00Z").await;
    assert_eq!(desk.mails(), 2, "nobody gets it twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_deadline_what_still_waits_is_sent_as_preliminary() {
    let (mut desk, facts) = two_partners(NotFull::WaitThenSend).await;
    ingest(desk.folder.path(), &facts, 1, "2026-12-22T05:30:00Z").await;
    desk.beat_at("2026-12-22T06:00:00Z").await;
    assert_eq!(desk.mails(), 1);
    desk.beat_at("2026-12-25T06:00:00Z").await;
    assert_eq!(desk.mails(), 1, "the deadline itself is not late");
    desk.beat_at("2026-12-25T06:00:05Z").await;
    let preliminary = subjects(&desk).iter().filter(|subject| subject.to_lowercase().contains("preliminary")).count();
    assert_eq!((desk.mails(), preliminary), (2, 1), "{:?}", subjects(&desk));
    assert_eq!(reasons(&desk).await.iter().filter(|(state, _)| *state == RunState::Done).count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_deadline_what_still_waits_is_held_until_an_admin_releases_it() {
    let (mut desk, facts) = two_partners(NotFull::WaitThenHold).await;
    ingest(desk.folder.path(), &facts, 1, "2026-12-22T05:30:00Z").await;
    desk.beat_at("2026-12-22T06:00:00Z").await;
    desk.beat_at("2026-12-25T06:00:05Z").await;
    let told = reasons(&desk).await;
    assert_eq!((told[0].0, told[1].0, desk.mails()), (RunState::Done, RunState::Held, 1));
    assert!(
        told[1].1.starts_with("its deadline came before its data: waits for the data of 1 partner"),
        "{}",
        told[1].1
    );
    let ledger = Arc::clone(&desk.daemon.rota.press.ledger);
    let part = ledger.runs(1).await.unwrap().remove(0);
    ledger.release(part.id, "good enough", desk.clock.now()).await.unwrap();
    desk.beat_at("2026-12-25T07:00:00Z").await;
    assert_eq!((desk.mails(), reasons(&desk).await[1].0), (2, RunState::Done));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_wait_and_are_held_together_when_nobody_s_data_comes() {
    let (mut desk, _) = two_partners(NotFull::WaitThenHold).await;
    desk.beat_at("2026-12-22T06:00:00Z").await;
    desk.beat_at("2026-12-25T06:00:05Z").await;
    let told = reasons(&desk).await;
    assert_eq!((told.len(), told[0].0, desk.mails()), (1, RunState::Held, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_want_to_wait_gets_it_at_once_as_preliminary() {
    let (mut desk, _) = two_partners(NotFull::SendAtOnce).await;
    desk.beat_at("2026-12-22T06:00:00Z").await;
    assert_eq!(desk.mails(), 2);
    assert!(
        subjects(&desk).iter().all(|subject| subject.to_lowercase().contains("preliminary")),
        "{:?}",
        subjects(&desk)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_set_of_the_month_before_that_is_missing_is_waited_for_and_told() {
    let (mut desk, facts) = two_partners(NotFull::WaitThenSend).await;
    ingest(desk.folder.path(), &facts, 2, "2026-12-22T05:30:00Z").await;
    let raw = sqlx::SqlitePool::connect(&format!("sqlite://{}", facts.path().display())).await.unwrap();
    sqlx::query("DELETE FROM slices WHERE source = 2 AND month = 202611").execute(&raw).await.unwrap();
    desk.beat_at("2026-12-22T06:00:00Z").await;
    let told = reasons(&desk).await;
    assert!(told[0].1.contains("DynamicsUsage of November 2026 is not there"), "{told:?}");
    desk.beat_at("2026-12-25T06:00:05Z").await;
    assert!(
        subjects(&desk).iter().all(|subject| subject.to_lowercase().contains("preliminary")),
        "{:?}",
        subjects(&desk)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_facts_an_occurrence_waits_and_is_missed_at_its_deadline() {
    let mut desk = desk("2026-11-20T00:00:00Z", CatchUp::Latest).await;
    let empty = SqliteFacts::open(&desk.folder.path().join("empty.db"), desk.clock.now()).await.unwrap();
    desk.change(|rota| rota.press.facts = Arc::new(empty));
    desk.beat_at("2026-11-20T00:00:05Z").await;
    desk.beat_at("2026-11-22T06:00:00Z").await;
    assert_eq!(reasons(&desk).await, [(RunState::Waiting, "there are no facts yet".to_owned())]);
    desk.beat_at("2026-11-25T06:00:05Z").await;
    let told = reasons(&desk).await;
    assert_eq!(told[0].0, RunState::Missed);
    assert!(told[0].1.contains("its deadline came, and there are no facts yet"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumped_ahead_sends_nothing_before_it_has_run_steadily() {
    let (mut desk, _) = two_partners(NotFull::WaitThenSend).await;
    desk.beat_at("2026-12-22T06:00:00Z").await;
    let told = reasons(&desk).await;
    desk.clock.advance(Duration::days(400));
    desk.daemon.beat(Step::Ahead).await.unwrap();
    desk.daemon.hands.rest().await;
    assert_eq!((reasons(&desk).await, desk.mails()), (told, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_configuration_wakes_who_waits() {
    let (mut desk, _) = two_partners(NotFull::WaitThenSend).await;
    desk.beat_at("2026-12-22T06:00:00Z").await;
    // Looked at and found as it was: from now on only news wakes it.
    desk.beat_at("2026-12-22T06:00:05Z").await;
    assert_eq!(desk.mails(), 0);
    let mut rota = desk.daemon.rota.clone();
    let order = Order { not_full: NotFull::SendAtOnce, ..Order::clone(&rota.orders[SCHEDULE]) };
    rota.orders.insert(SCHEDULE.to_owned(), Arc::new(order));
    desk.daemon.reload = Arc::new(move |_| {
        let rota = rota.clone();
        Box::pin(async move { Ok(rota) })
    });
    desk.daemon.reload(Step::Steady).await;
    desk.daemon.hands.rest().await;
    assert_eq!(desk.mails(), 2);
}
