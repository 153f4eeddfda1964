//! Mails at the pace that a relay allows, and none while it is out of order.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::pipeline::{MAIL, Rates};

/// A desk with so many recipients.
async fn desk_with(n: usize) -> Desk {
    let mut desk = desk("2026-11-20T00:00:00Z", CatchUp::Latest).await;
    let mut order = Order::clone(&desk.daemon.rota.orders[SCHEDULE]);
    let first = order.recipients[0].clone();
    let another = |n| Recipient { address: format!("r{n:03}@example.com"), ..first.clone() };
    order.recipients = Arc::new((0..n).map(another).collect());
    desk.change(|rota| drop(rota.orders.insert(SCHEDULE.to_owned(), Arc::new(order))));
    desk.beat_at("2026-11-20T00:00:05Z").await;
    desk
}

impl Desk {
    async fn counts(&self) -> BTreeMap<DeliveryState, u64> {
        let ledger = &self.daemon.rota.press.ledger;
        ledger.counts(ledger.runs(1).await.unwrap()[0].id).await.unwrap().deliveries
    }

    async fn n_attempts(&self) -> u32 {
        let ledger = &self.daemon.rota.press.ledger;
        let of = DeliveriesOf::Run(ledger.runs(1).await.unwrap()[0].id);
        ledger.deliveries(&of).await.unwrap().rows.iter().map(|row| row.n_attempts).sum()
    }
}

fn allow(rota: &mut Rota, per_minute_max: Option<u32>, per_day_max: Option<u32>) {
    let rates = Rates { per_minute_max, per_day_max, at_once_max: 4 };
    rota.press.destinations = rota.press.destinations.clone().at(MAIL, rates);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_mails_go_out_in_a_day_than_the_relay_takes_and_the_rest_follow() {
    let mut desk = desk_with(25).await;
    desk.change(|rota| allow(rota, None, Some(10)));
    for (now, n) in [
        ("2026-11-22T06:00:00Z", 10),
        ("2026-11-22T23:00:00Z", 10),
        ("2026-11-23T05:58:00Z", 10),
        ("2026-11-23T06:00:00Z", 20),
        ("2026-11-24T06:00:00Z", 25),
    ] {
        desk.beat_at(now).await;
        assert_eq!(desk.mails(), n, "{now}");
    }
    assert_eq!(desk.runs().await, [("2026-10".to_owned(), RunState::Done)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_waits_in_place_for_the_next_minute() {
    let mut desk = desk_with(25).await;
    desk.change(|rota| allow(rota, Some(10), None));
    desk.clock.advance(at("2026-11-22T06:00:00Z") - desk.clock.now());
    desk.daemon.beat(Step::Steady).await.unwrap();
    let until = async |n| {
        while desk.mails() < n {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    for n in [10, 20, 25] {
        tokio::time::timeout(std::time::Duration::from_secs(30), until(n)).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        assert_eq!(desk.mails(), n);
        desk.clock.advance(Duration::seconds(60));
    }
    desk.daemon.hands.rest().await;
    assert_eq!(desk.runs().await, [("2026-10".to_owned(), RunState::Done)]);
}

/// A relay that is out of order, or in order.
struct Relay {
    is_down: std::sync::atomic::AtomicBool,
    n_tried: AtomicUsize,
}

impl Destination for Arc<Relay> {
    fn name(&self) -> String {
        "relay".to_owned()
    }

    fn deliver<'a>(&'a self, _: &'a Parcel) -> BoxFuture<'a, Handed> {
        self.n_tried.fetch_add(1, Ordering::SeqCst);
        let is_out_of_order = self.is_down.load(Ordering::SeqCst);
        let outcome = match is_out_of_order {
            true => Outcome::Retryable("no connection".to_owned()),
            false => Outcome::Delivered(Receipt("taken".to_owned())),
        };
        Box::pin(async move { Handed { is_out_of_order, ..outcome.into() } })
    }

    fn receipt<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Option<Receipt>> {
        Box::pin(async { None })
    }

    fn check(&self) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(async { Ok(String::new()) })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_relay_is_out_of_order_what_waits_keeps_its_attempts() {
    let mut desk = desk_with(50).await;
    let relay = Arc::new(Relay { is_down: true.into(), n_tried: AtomicUsize::new(0) });
    desk.change(|rota| rota.press.destinations = Destinations::mail(Arc::new(Arc::clone(&relay))));
    let mut now = at("2026-11-22T06:00:00Z");
    desk.beat_at(&now.to_rfc3339()).await;
    // Three in a row, and what was under way with them.
    let n_tried = relay.n_tried.load(Ordering::SeqCst);
    assert!((3..=6).contains(&n_tried), "{n_tried}");
    // For two hours it is looked at by one mail a quarter of an hour, at most.
    for _ in 0..240 {
        now += Duration::seconds(30);
        desk.beat_at(&now.to_rfc3339()).await;
    }
    let n_probes = relay.n_tried.load(Ordering::SeqCst) - n_tried;
    assert!((8..=12).contains(&n_probes), "{n_probes}");
    assert_eq!(desk.n_attempts().await as usize, n_tried + n_probes);
    assert_eq!(desk.counts().await.get(&DeliveryState::Failed), None, "{:?}", desk.counts().await);
    relay.is_down.store(false, Ordering::SeqCst);
    for _ in 0..40 {
        now += Duration::seconds(30);
        desk.beat_at(&now.to_rfc3339()).await;
    }
    assert_eq!(desk.counts().await, BTreeMap::from([(DeliveryState::Delivered, 50)]));
    assert_eq!(desk.runs().await, [("2026-10".to_owned(), RunState::Done)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_reaches_the_relay_says_nothing_about_it() {
    let mut desk = desk_with(50).await;
    let with = |desk: &mut Desk, change: &dyn Fn(&mut Order)| {
        let mut order = Order::clone(&desk.daemon.rota.orders[SCHEDULE]);
        change(&mut order);
        desk.change(|rota| drop(rota.orders.insert(SCHEDULE.to_owned(), Arc::new(order))));
    };
    // Every other mail is for a domain that is taken off the list once they are planned.
    with(&mut desk, &|order| {
        let other = |(n, mut one): (usize, Recipient)| {
            one.address = one.address.replace("example.com", if n % 2 == 0 { "gone.example" } else { "example.com" });
            one
        };
        order.recipients = Arc::new(order.recipients.iter().cloned().enumerate().map(other).collect());
    });
    desk.change(|rota| allow(rota, None, Some(0)));
    desk.beat_at("2026-11-22T06:00:00Z").await;
    assert_eq!(desk.counts().await, BTreeMap::from([(DeliveryState::Planned, 50)]));
    let relay = Arc::new(Relay { is_down: true.into(), n_tried: AtomicUsize::new(0) });
    with(&mut desk, &|order| order.brakes.allowed_domains = Some(["example.com".to_owned()].into()));
    desk.change(|rota| {
        let one_by_one = Rates { at_once_max: 1, ..Rates::default() };
        rota.press.destinations = Destinations::mail(Arc::new(Arc::clone(&relay))).at(MAIL, one_by_one);
    });
    // It is left alone after three in a row, whatever was refused between them; and what is refused by then is no probe
    // that came back well.
    for (now, n_tried, n_refused) in [("06:01:00", 3, 3), ("06:02:05", 3, 4), ("06:03:10", 4, 4), ("06:05:15", 4, 5)] {
        desk.beat_at(&format!("2026-11-22T{now}Z")).await;
        let tried_and_refused = (relay.n_tried.load(Ordering::SeqCst), desk.counts().await[&DeliveryState::Failed]);
        assert_eq!(tried_and_refused, (n_tried, n_refused), "{now}");
    }
}
