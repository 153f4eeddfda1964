//! A daemon killed while it sends.

use super::*;

/// Mails in the outbox, and the states of the deliveries, after a start that was killed while it sent and another.
async fn after_a_kill_while_sending(stores: bool, can_tell: bool) -> (usize, Vec<DeliveryState>) {
    let mut desk = desk("2026-11-20T00:00:00Z", CatchUp::Latest).await;
    desk.beat_at("2026-11-20T00:00:05Z").await;
    let folder = desk.folder.path().to_owned();
    let order = Arc::clone(&desk.daemon.rota.orders[SCHEDULE]);
    let silent = |stores| Silent { outbox: Outbox::new(folder.join("outbox")), stores, can_tell };
    let start = async |destination: Arc<dyn Destination>| {
        let facts = SqliteFacts::open(&folder.join("facts.db"), desk.clock.now()).await.unwrap();
        daemon(&folder, &desk.clock, (facts, destination), Arc::clone(&order), CatchUp::Latest).await
    };
    desk.clock.advance(at("2026-11-22T06:00:00Z") - desk.clock.now());
    let mut killed = start(Arc::new(silent(stores))).await;
    let patience = std::time::Duration::from_secs(10);
    let sending = async {
        while states(&desk).await != [DeliveryState::Sending] {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        // The mail is stored, if it is, before the answer is awaited.
        while stores && desk.mails() == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    killed.beat(Step::Steady).await.unwrap();
    tokio::time::timeout(patience, sending).await.unwrap();
    killed.hands.tasks.shutdown().await;
    gone(killed).await;
    let next: Arc<dyn Destination> =
        if can_tell { Arc::new(Outbox::new(folder.join("outbox"))) } else { Arc::new(silent(true)) };
    // A destination that never answers is not to be asked again: that would be a second sending.
    let mut next = start(next).await;
    next.beat(Step::Steady).await.unwrap();
    tokio::time::timeout(patience, next.hands.rest()).await.unwrap();
    (desk.mails(), states(&desk).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_a_mail_is_sent_is_settled_by_looking_where_the_destination_can_tell() {
    let delivered = vec![DeliveryState::Delivered];
    assert_eq!(after_a_kill_while_sending(true, true).await, (1, delivered.clone()));
    assert_eq!(after_a_kill_while_sending(false, true).await, (1, delivered));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_a_mail_is_sent_stays_uncertain_under_hold_where_nobody_can_tell() {
    assert_eq!(after_a_kill_while_sending(false, false).await, (0, vec![DeliveryState::Uncertain]));
    assert_eq!(after_a_kill_while_sending(true, false).await, (1, vec![DeliveryState::Uncertain]));
}
