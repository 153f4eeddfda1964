//! What is written down first when several hand-overs end at once, and which mails their destination is asked about.

use futures::FutureExt as _;

use super::super::tests::{Shop, edition, planned, shop};
use super::super::{Destinations, MAIL, Rates};
use super::*;
use crate::base::Digest;
use crate::deliver::brakes::Trip;
use crate::deliver::{Destination, Receipt};
use crate::ledger::{DeliveriesOf, DeliveryState, EditionOutcome, UNCERTAIN_ROWS_MAX};

#[tokio::test(flavor = "multi_thread")]
async fn what_went_out_is_written_down_though_what_is_given_back_cannot_be() {
    let mut shop = shop().await;
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

/// A run of which so many mails are uncertain.
async fn uncertain(shop: &Shop, n: usize) -> RunId {
    let (ledger, now) = (&shop.press.ledger, shop.press.clock.now());
    let addresses: Vec<String> = (0..n).map(|n| format!("r{n}@example.com")).collect();
    let run = planned(ledger, &[edition(0, &addresses)]).await;
    let lease = chrono::Duration::minutes(30);
    let claim = ledger.claim_editions(Some(run), 1, lease, now).await.unwrap().remove(0);
    let archived = EditionOutcome::Archived { path: "p".to_owned(), manifest: Digest::of(b"m") };
    ledger.settle_edition(&claim, archived, now).await.unwrap();
    let claims = ledger.claim_deliveries(Some(run), n, lease, now, MAIL).await.unwrap();
    let lost = |claim| (claim, Outcome::Uncertain("lost".to_owned()).into());
    let settled: Vec<_> = claims.into_iter().map(lost).collect();
    ledger.settle_deliveries(&settled, &shop.order.retries, now).await.unwrap();
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_can_tell_is_asked_about_every_uncertain_mail_of_a_run() {
    let shop = shop().await;
    let n = UNCERTAIN_ROWS_MAX + 10;
    let run = uncertain(&shop, n).await;
    ask_uncertain(&shop.press, run).await.unwrap();
    let (ledger, now) = (&shop.press.ledger, shop.press.clock.now());
    let rows = ledger.deliveries(&DeliveriesOf::Run(run)).await.unwrap().rows;
    let n_sent_again = rows.iter().filter(|row| row.next_at == Some(now)).count();
    assert_eq!((rows.len(), n_sent_again), (n, n), "the outbox has got none of them");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_run_that_is_left_out_what_its_destination_has_is_delivered_and_nothing_else_goes_out() {
    let mut shop = shop().await;
    let run = uncertain(&shop, 2).await;
    let (ledger, now) = (Arc::clone(&shop.press.ledger), shop.press.clock.now());
    let trip = Trip { brake: "recipients_max".to_owned(), measured: "2".to_owned(), allowed: "1".to_owned() };
    ledger.hold_run(run, &[trip], now).await.unwrap();
    ledger.skip(run, "anna: the wrong list", now).await.unwrap();
    let rows = ledger.deliveries(&DeliveriesOf::Run(run)).await.unwrap().rows;
    shop.press.destinations = Destinations::mail(Arc::new(Knows(rows[0].message_id.clone())));
    ask_uncertain(&shop.press, run).await.unwrap();
    let after = ledger.deliveries(&DeliveriesOf::Run(run)).await.unwrap().rows;
    let states: Vec<_> = after.iter().map(|row| (row.state, row.next_at)).collect();
    assert_eq!(states, [(DeliveryState::Delivered, None), (DeliveryState::Uncertain, None)]);
}

/// A destination that can tell that it has one mail.
struct Knows(String);

impl Destination for Knows {
    fn name(&self) -> String {
        "knows".to_owned()
    }

    fn deliver<'a>(&'a self, _: &'a Parcel) -> BoxFuture<'a, Handed> {
        async { unreachable!("nothing is handed over") }.boxed()
    }

    fn receipt<'a>(&'a self, message_id: &'a str) -> BoxFuture<'a, Option<Receipt>> {
        async move { (message_id == self.0).then(|| Receipt("there".to_owned())) }.boxed()
    }

    fn can_tell(&self) -> bool {
        true
    }

    fn check(&self) -> BoxFuture<'_, Result<String, String>> {
        async { Ok(String::new()) }.boxed()
    }
}
