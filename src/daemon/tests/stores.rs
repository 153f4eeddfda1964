//! Stores beside the mail: each destination on its own, editions that are made for a store, kills, stores that are gone.

use super::*;
use crate::deliver::{PathTemplate, Store, StorePlace, StoreSettings};
use crate::pipeline::{OrderStore, store_name};

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

fn folder_store(folder: &Path) -> Arc<dyn Destination> {
    let place = StorePlace::Folder(folder.join("store"));
    let path = PathTemplate::parse(PathTemplate::DEFAULT).unwrap();
    Arc::new(Store::new(StoreSettings { place, path, formats: None, timeout_secs: 10 }).unwrap())
}

fn order_store(name: &str, role: Option<&str>) -> OrderStore {
    let retries = Retries { attempts_max: 2, ..Retries::thrice() };
    OrderStore { name: store_name(name), role: role.map(str::to_owned), retries }
}

fn outbox(desk: &Desk) -> Arc<dyn Destination> {
    Arc::new(Outbox::new(desk.folder.path().join("outbox")))
}

/// A desk whose schedule puts its editions into stores, too.
async fn desk_with(stores: &[OrderStore]) -> Desk {
    let mut desk = desk("2026-11-20T00:00:00Z", CatchUp::Latest).await;
    let order = Order { stores: stores.to_vec(), ..Order::clone(&desk.daemon.rota.orders[SCHEDULE]) };
    desk.change(|rota| drop(rota.orders.insert(SCHEDULE.to_owned(), Arc::new(order))));
    desk.beat_at("2026-11-20T00:00:05Z").await;
    desk
}

/// What became of what went to a store: state and reason.
async fn of_store(desk: &Desk, name: &str) -> Vec<(DeliveryState, String)> {
    let of = DeliveriesOf::Address(store_name(name));
    let rows = desk.daemon.rota.press.ledger.deliveries(&of).await.unwrap().rows;
    rows.into_iter().map(|row| (row.state, row.reason)).collect()
}

/// The manifests in the store's folder, by their paths.
fn manifests(folder: &Path) -> Vec<String> {
    let (mut found, mut open) = (Vec::new(), vec![folder.join("store")]);
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).into_iter().flatten() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false if path.ends_with("edition.json") => found.push(path.display().to_string()),
                false => {}
            }
        }
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_never_answers_holds_up_no_other() {
    let stuck = || Answers::with(std::future::pending::<Outcome>);
    for is_mail_stuck in [false, true] {
        let mut desk = desk_with(&[order_store("finance", None), order_store("lake", None)]).await;
        let folder = desk.folder.path().to_owned();
        let (mail, lake) = if is_mail_stuck { (stuck(), folder_store(&folder)) } else { (outbox(&desk), stuck()) };
        let all = Destinations::mail(mail).with(store_name("lake"), lake).with(store_name("finance"), stuck());
        desk.change(|rota| rota.press.destinations = all);
        desk.clock.advance(at("2026-11-22T06:00:00Z") - desk.clock.now());
        desk.daemon.beat(Step::Steady).await.unwrap();
        let arrived = async {
            while desk.mails() + manifests(&folder).len() == 0 {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, arrived).await.unwrap();
        assert_eq!((desk.mails(), manifests(&folder).len()), if is_mail_stuck { (0, 1) } else { (1, 0) });
        desk.daemon.hands.tasks.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_gets_the_editions_of_its_role_though_nobody_else_does() {
    let stores = [order_store("all", None), order_store("finance", Some("executive-report-viewer"))];
    let mut desk = desk_with(&stores).await;
    let order = Order::clone(&desk.daemon.rota.orders[SCHEDULE]);
    let folder = desk.folder.path().to_owned();
    let all = Destinations::mail(outbox(&desk))
        .with(store_name("finance"), folder_store(&folder))
        .with(store_name("all"), Answers::with(|| async { Outcome::Delivered(Receipt("taken".to_owned())) }));
    desk.change(|rota| rota.press.destinations = all);
    desk.beat_at("2026-11-22T06:00:00Z").await;
    assert_eq!((desk.runs().await[0].1, desk.mails()), (RunState::Done, 1));
    let [manifest] = &manifests(&folder)[..] else { panic!("{:?}", manifests(&folder)) };
    assert!(manifest.ends_with("/executive-report-viewer.en/1/edition.json"), "{manifest}");
    assert_eq!(of_store(&desk, "finance").await.len(), 1);
    // The recipient's edition only: what is made for the other store is nothing to this one.
    assert_eq!(of_store(&desk, "all").await.len(), 1);
    // Without a recipient the one that names no role gets nothing, and the other goes on.
    let order = Order { recipients: Arc::default(), ..order };
    desk.change(|rota| drop(rota.orders.insert(SCHEDULE.to_owned(), Arc::new(order))));
    desk.beat_at("2026-12-22T06:00:00Z").await;
    desk.beat_at("2026-12-25T07:00:00Z").await;
    assert_eq!(desk.runs().await[1].1, RunState::Done);
    assert_eq!((desk.mails(), manifests(&folder).len(), of_store(&desk, "all").await.len()), (1, 2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_a_pack_is_put_is_settled_by_putting_it_again() {
    for puts in [false, true] {
        let mut desk = desk_with(&[order_store("finance", None)]).await;
        let folder = desk.folder.path().to_owned();
        let order = Arc::clone(&desk.daemon.rota.orders[SCHEDULE]);
        desk.clock.advance(at("2026-11-22T06:00:00Z") - desk.clock.now());
        let start = async |store: Arc<dyn Destination>| {
            let facts = SqliteFacts::open(&folder.join("facts.db"), desk.clock.now()).await.unwrap();
            let parts = (facts, outbox(&desk));
            let mut started = daemon(&folder, &desk.clock, parts, Arc::clone(&order), CatchUp::Latest).await;
            let destinations = started.rota.press.destinations.clone().with(store_name("finance"), store);
            started.rota.press.destinations = destinations;
            started
        };
        let mut killed = start(Arc::new(PutsAndHangs { store: folder_store(&folder), puts })).await;
        killed.beat(Step::Steady).await.unwrap();
        let sending = async {
            while of_store(&desk, "finance").await.first().is_none_or(|row| row.0 != DeliveryState::Sending)
                || (puts && manifests(&folder).is_empty())
            {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, sending).await.unwrap();
        killed.hands.tasks.shutdown().await;
        gone(killed).await;
        let mut next = start(folder_store(&folder)).await;
        next.beat(Step::Steady).await.unwrap();
        tokio::time::timeout(PATIENCE, next.hands.rest()).await.unwrap();
        assert_eq!(of_store(&desk, "finance").await[0].0, DeliveryState::Delivered, "{puts}");
        assert_eq!((manifests(&folder).len(), desk.mails()), (1, 1));
        desk.daemon.hands.tasks.shutdown().await;
    }
}

/// A store that never answers, whether it has put the pack or not.
struct PutsAndHangs {
    store: Arc<dyn Destination>,
    puts: bool,
}

impl Destination for PutsAndHangs {
    fn name(&self) -> String {
        self.store.name()
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> BoxFuture<'a, Handed> {
        Box::pin(async move {
            if self.puts {
                self.store.deliver(parcel).await;
            }
            std::future::pending().await
        })
    }

    fn receipt<'a>(&'a self, message_id: &'a str) -> BoxFuture<'a, Option<Receipt>> {
        self.store.receipt(message_id)
    }

    fn can_tell(&self) -> bool {
        self.store.can_tell()
    }

    fn check(&self) -> BoxFuture<'_, Result<String, String>> {
        self.store.check()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_down_is_tried_as_often_as_it_says_and_its_run_says_so() {
    let mut desk = desk_with(&[order_store("finance", None)]).await;
    let down = Answers::with(|| async { Outcome::Retryable("no route".to_owned()) });
    let all = Destinations::mail(outbox(&desk)).with(store_name("finance"), down);
    desk.change(|rota| rota.press.destinations = all);
    desk.beat_at("2026-11-22T06:00:00Z").await;
    assert_eq!((of_store(&desk, "finance").await[0].0, desk.mails()), (DeliveryState::Retryable, 1));
    desk.beat_at("2026-11-22T06:02:00Z").await;
    let failed = (DeliveryState::Failed, "after 2 attempts: no route".to_owned());
    assert_eq!(of_store(&desk, "finance").await, [failed], "by the store's retries, not the mail's three");
    assert_eq!(desk.runs().await[0].1, RunState::Partial);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_store_that_is_gone_is_told_with_its_reason() {
    let mut desk = desk_with(&[order_store("finance", None)]).await;
    let mail_only = Destinations::mail(outbox(&desk));
    desk.change(|rota| rota.press.destinations = mail_only);
    desk.beat_at("2026-11-22T06:00:00Z").await;
    let rows = of_store(&desk, "finance").await;
    assert_eq!((rows[0].0, desk.mails()), (DeliveryState::Retryable, 1));
    assert!(rows[0].1.contains("names `store finance` any more; hint:"), "{rows:?}");
    let folder = desk.folder.path().to_owned();
    let back = desk.daemon.rota.press.destinations.clone().with(store_name("finance"), folder_store(&folder));
    desk.change(|rota| rota.press.destinations = back);
    desk.beat_at("2026-11-22T06:02:00Z").await;
    assert_eq!((of_store(&desk, "finance").await[0].0, manifests(&folder).len()), (DeliveryState::Delivered, 1));
}
