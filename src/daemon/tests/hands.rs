//! Runs that are worked on while the heart beats: leases, rests, wrong clocks, facts that cannot be read.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc;

use super::*;
use crate::audience::Partner;
use crate::facts::{BurstRequest, DataSet, DirectoryEntry, FactSource, FactsError, Lacking, PartnerFacts};

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_told_as_uncertain_by_now_does_not_go_out_any_more() {
    let mut desk = desk("2026-11-20T00:00:00Z", CatchUp::Latest).await;
    let ledger = Arc::clone(&desk.daemon.rota.press.ledger);
    let n_begun = Arc::new(AtomicUsize::new(0));
    // It takes a mail only after half an hour, in which the heart has beaten.
    let (clock, counted) = (desk.clock.clone(), Arc::clone(&n_begun));
    let slow = Answers::with(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        let (clock, ledger) = (clock.clone(), Arc::clone(&ledger));
        async move {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            clock.advance(Duration::minutes(31));
            ledger.reap(clock.now()).await.unwrap();
            Outcome::Delivered(Receipt("taken".to_owned()))
        }
    });
    let mut order = Order::clone(&desk.daemon.rota.orders[SCHEDULE]);
    let first = order.recipients[0].clone();
    let another = |letter| Recipient { address: format!("{letter}@example.com"), ..first.clone() };
    order.recipients = Arc::new(('a'..='h').map(another).collect());
    desk.change(|rota| {
        rota.press.destinations = Destinations::mail(slow);
        rota.orders.insert(SCHEDULE.to_owned(), Arc::new(order));
    });
    desk.beat_at("2026-11-20T00:00:05Z").await;
    desk.beat_at("2026-11-22T06:00:00Z").await;
    let n_begun = n_begun.load(Ordering::SeqCst);
    assert!((1..8).contains(&n_begun), "{n_begun} of 8 were handed over");
    let of = DeliveriesOf::Run(desk.daemon.rota.press.ledger.runs(1).await.unwrap()[0].id);
    let rows = desk.daemon.rota.press.ledger.deliveries(&of).await.unwrap().rows;
    let uncertain = rows.iter().filter(|row| row.state == DeliveryState::Uncertain).count();
    assert!(uncertain >= 8 - n_begun && rows.len() == 8, "{uncertain} of {}", rows.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_which_nothing_can_be_done_now_rests_until_the_next_beat() {
    let mut desk = desk("2026-11-20T00:00:00Z", CatchUp::Latest).await;
    let later = Destinations::mail(Answers::with(|| async { Outcome::Retryable("later".to_owned()) }));
    desk.change(|rota| rota.press.destinations = later);
    desk.beat_at("2026-11-20T00:00:05Z").await;
    desk.beat_at("2026-11-22T06:00:00Z").await;
    assert_eq!(states(&desk).await, [DeliveryState::Retryable]);
    let (rota, now) = (desk.daemon.rota.clone(), desk.clock.now());
    desk.daemon.hands.take_up(&rota, now).await.unwrap();
    assert!(desk.daemon.hands.tasks.is_empty(), "it is taken up again and again");
    desk.daemon.hands.beat(&rota, now).await.unwrap();
    assert_eq!(desk.daemon.hands.tasks.len(), 1);
    desk.daemon.hands.rest().await;
}

/// Facts that another program holds.
struct Locked;

impl FactSource for Locked {
    fn pin(&self, _: DateTime<Utc>) -> BoxFuture<'_, Result<DataSet, FactsError>> {
        Box::pin(async { Err(FactsError::Locked { path: "warehouse.db".to_owned() }) })
    }

    fn newest_load(&self) -> BoxFuture<'_, Result<Option<u64>, FactsError>> {
        Box::pin(async { Ok(None) })
    }

    fn lacking<'a>(&'a self, _: &'a BurstRequest) -> BoxFuture<'a, Result<Lacking, FactsError>> {
        Box::pin(async { Ok(Lacking::new()) })
    }

    fn partners<'a>(&'a self, _: &'a DataSet) -> BoxFuture<'a, Result<Vec<Partner>, FactsError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn directory(&self, _: DataSet) -> mpsc::Receiver<Result<Vec<DirectoryEntry>, FactsError>> {
        mpsc::channel(1).1
    }

    fn burst(&self, _: BurstRequest) -> mpsc::Receiver<Result<PartnerFacts, FactsError>> {
        mpsc::channel(1).1
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_that_cannot_be_read_at_the_deadline_are_tried_a_while_longer() {
    let mut desk = desk("2026-11-20T00:00:00Z", CatchUp::Latest).await;
    let facts = Arc::clone(&desk.daemon.rota.press.facts);
    desk.change(|rota| rota.press.facts = Arc::new(Locked));
    desk.beat_at("2026-11-20T00:00:05Z").await;
    desk.beat_at("2026-11-22T06:00:00Z").await;
    let reason = desk.daemon.rota.press.ledger.runs(1).await.unwrap().remove(0).reason;
    assert_eq!(reason, "its facts cannot be read: facts database `warehouse.db` is locked by another program");
    desk.beat_at("2026-11-25T06:00:05Z").await;
    assert_eq!(desk.runs().await, [("2026-10".to_owned(), RunState::Waiting)]);
    desk.change(|rota| rota.press.facts = facts);
    desk.beat_at("2026-11-25T06:30:00Z").await;
    assert_eq!((desk.runs().await, desk.mails()), (vec![("2026-10".to_owned(), RunState::Done)], 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_that_cannot_be_read_for_long_end_an_occurrence_as_missed() {
    let mut desk = desk("2026-11-20T00:00:00Z", CatchUp::Latest).await;
    desk.change(|rota| rota.press.facts = Arc::new(Locked));
    desk.beat_at("2026-11-20T00:00:05Z").await;
    desk.beat_at("2026-11-22T06:00:00Z").await;
    desk.beat_at("2026-11-25T07:00:05Z").await;
    assert_eq!(desk.runs().await, [("2026-10".to_owned(), RunState::Missed)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_fails_again_and_again_is_left_alone_a_little_longer_each_time_and_goes_on_soon() {
    let mut desk = desk("2026-11-20T00:00:00Z", CatchUp::Latest).await;
    desk.beat_at("2026-11-20T00:00:05Z").await;
    let path = desk.daemon.rota.press.ledger.path().display().to_string();
    let raw = sqlx::SqlitePool::connect(&format!("sqlite://{path}")).await.unwrap();
    let refuse = async || {
        let refusal = "CREATE TRIGGER refusal BEFORE INSERT ON edition BEGIN SELECT RAISE(ABORT, 'disk full'); END";
        sqlx::query(refusal).execute(&raw).await.unwrap();
    };
    let allow = async || assert!(sqlx::query("DROP TRIGGER refusal").execute(&raw).await.is_ok());
    refuse().await;
    // It fails three times and is left alone for a minute.
    for secs in ["00", "05", "10", "15"] {
        desk.beat_at(&format!("2026-11-22T06:00:{secs}Z")).await;
    }
    allow().await;
    desk.beat_at("2026-11-22T06:01:10Z").await;
    assert_eq!(desk.mails(), 0, "it is tried too early");
    // Then it fails once more, and is left alone for two.
    refuse().await;
    desk.beat_at("2026-11-22T06:01:15Z").await;
    desk.beat_at("2026-11-22T06:01:20Z").await;
    allow().await;
    desk.beat_at("2026-11-22T06:03:15Z").await;
    assert_eq!(desk.mails(), 0, "it is tried too early");
    desk.beat_at("2026-11-22T06:03:20Z").await;
    assert_eq!((desk.runs().await, desk.mails()), (vec![("2026-10".to_owned(), RunState::Done)], 1));
}
