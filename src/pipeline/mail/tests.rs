//! What is written down first when several hand-overs end at once.

use std::sync::atomic::Ordering;

use super::super::tests::shop;
use super::super::{MAIL, Rates};
use super::*;
use crate::deliver::Receipt;

#[tokio::test(flavor = "multi_thread")]
async fn what_went_out_is_written_down_though_what_is_given_back_cannot_be() {
    let mut shop = shop().await;
    shop.leaky.leaks.store(false, Ordering::Relaxed);
    // The relay takes nothing, so that all mails stay planned.
    let closed = Rates { per_day_max: Some(0), ..Rates::default() };
    shop.press.destinations = shop.press.destinations.at(MAIL, closed);
    let run = shop.ran().await[0].run;
    let (ledger, now) = (&shop.press.ledger, shop.press.clock.now());
    let raw = sqlx::SqlitePool::connect(&format!("sqlite://{}", ledger.path().display())).await.unwrap();
    let refusal = "CREATE TRIGGER refusal BEFORE UPDATE ON delivery WHEN NEW.state = 'retryable'
         BEGIN SELECT RAISE(ABORT, 'disk full'); END";
    sqlx::query(refusal).execute(&raw).await.unwrap();

    let claims = ledger.claim_deliveries(Some(run), 2, chrono::Duration::minutes(30), now, MAIL).await.unwrap();
    let taken = Outcome::Delivered(Receipt("taken".to_owned()));
    let (mut tasks, mut by_task) = (JoinSet::new(), HashMap::new());
    for (claim, sent) in claims.iter().zip([Sent::Back(now), Sent::Asked(taken.into())]) {
        let task = tasks.spawn(async move { sent });
        by_task.insert(task.id(), claim.clone());
        // Both have ended before one is looked at.
        while !task.is_finished() {
            tokio::task::yield_now().await;
        }
    }
    let outlet = shop.press.destinations.get(MAIL);
    let (press, order, queue) = (&shop.press, &shop.order, VecDeque::new());
    let mut sending = Sending { press, order, outlet: &outlet, queue, tasks, claims: by_task };
    assert!(sending.settle_next().await.is_err());
    let mut states = Vec::new();
    for claim in claims {
        states.push(ledger.delivery(claim.row.id).await.unwrap().state);
    }
    assert_eq!(states, [DeliveryState::Sending, DeliveryState::Delivered]);
}
