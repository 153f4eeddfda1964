//! A run that is unlike the last one is held, told to the admin, and released once.

use super::*;
use crate::deliver::{Brakes, NewDomain};
use crate::ledger::DigestWhen;
use crate::pipeline::{DigestOrder, tell_rests};

/// A partner whose November ran, and who has a recipient at a new domain since; on 22 December.
async fn with_a_new_domain() -> Desk {
    let mut desk = desk("2026-11-20T00:00:00Z", CatchUp::Latest).await;
    desk.beat_at("2026-11-20T00:00:05Z").await;
    desk.beat_at("2026-11-22T06:00:00Z").await;
    assert_eq!(desk.mails(), 1);
    desk.order(|order| {
        let mut recipients = order.recipients.to_vec();
        recipients.push(Recipient { address: "b@new.example".to_owned(), ..recipients[0].clone() });
        (order.recipients, order.not_full) = (Arc::new(recipients), NotFull::SendAtOnce);
    });
    desk
}

fn digest(when: DigestWhen) -> Option<Arc<DigestOrder>> {
    Some(Arc::new(DigestOrder {
        to: vec!["admin@example.com".to_owned()],
        when,
        from: Mailbox { name: String::new(), address: "reports@example.com".to_owned() },
        reply_to: None,
        message_id_domain: "example.com".to_owned(),
        retries: Retries::thrice(),
    }))
}

impl Desk {
    fn order(&mut self, change: impl FnOnce(&mut Order)) {
        let mut order = Order::clone(&self.daemon.rota.orders[SCHEDULE]);
        change(&mut order);
        self.change(|rota| drop(rota.orders.insert(SCHEDULE.to_owned(), Arc::new(order))));
    }

    /// A beat, and what it tells the admin.
    async fn beat_and_tell_at(&mut self, now: &str) {
        self.beat_at(now).await;
        if let Some(telling) = self.daemon.telling.take() {
            telling.await.unwrap();
        }
    }

    /// The mails to the admin, in the order of their subjects.
    fn digests(&self) -> Vec<String> {
        let mails = std::fs::read_dir(self.folder.path().join("outbox")).into_iter().flatten();
        let mails = mails.map(|mail| std::fs::read_to_string(mail.unwrap().path()).unwrap().replace("=\r\n", ""));
        let mut digests: Vec<String> = mails.filter(|text| text.contains("To: admin@example.com")).collect();
        digests.sort();
        digests
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_to_a_new_domain_is_held_and_after_its_release_neither_it_nor_the_next_is() {
    let mut desk = with_a_new_domain().await;
    desk.beat_at("2026-12-22T06:00:00Z").await;
    desk.beat_at("2026-12-22T06:00:05Z").await;
    assert_eq!((desk.runs().await[1].1, desk.mails()), (RunState::Held, 1), "nobody got anything");
    let ledger = Arc::clone(&desk.daemon.rota.press.ledger);
    let run = ledger.runs(1).await.unwrap().remove(0);
    assert!(run.reason.contains("brake `new_domain`") && run.reason.contains("`new.example`"), "{}", run.reason);
    ledger.release(run.id, "anna: she is new", desk.clock.now()).await.unwrap();
    desk.beat_at("2026-12-22T06:00:10Z").await;
    assert_eq!((desk.runs().await[1].1, desk.mails()), (RunState::Done, 3));
    desk.beat_at("2027-01-22T06:00:00Z").await;
    assert_eq!((desk.runs().await[2].1, desk.mails()), (RunState::Done, 5), "the domain is known now");
}

#[tokio::test(flavor = "multi_thread")]
async fn brakes_that_are_off_hold_nothing() {
    let mut desk = with_a_new_domain().await;
    desk.order(|order| order.brakes.new_domain = NewDomain::Allow);
    desk.beat_at("2026-12-22T06:00:00Z").await;
    assert_eq!((desk.runs().await[1].1, desk.mails()), (RunState::Done, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_outside_the_allowed_domains_gets_mail_not_even_by_a_release() {
    let mut desk = with_a_new_domain().await;
    let allowed_domains = Some(["example.com".to_owned()].into());
    desk.order(|order| order.brakes = Brakes { allowed_domains, ..Brakes::default() });
    desk.beat_at("2026-12-22T06:00:00Z").await;
    assert_eq!((desk.runs().await[1].1, desk.mails()), (RunState::Done, 2));
    let ledger = Arc::clone(&desk.daemon.rota.press.ledger);
    let run = ledger.runs(1).await.unwrap()[0].id;
    assert!(ledger.release(run, "anna: all", desk.clock.now()).await.unwrap().is_nothing());
    let mails = ledger.deliveries(&DeliveriesOf::Run(run)).await.unwrap().rows;
    let refused = mails.iter().find(|mail| mail.address == "b@new.example").unwrap();
    assert_eq!(refused.state, DeliveryState::Suppressed);
    assert!(refused.reason.contains("`new.example` is not among `brakes.allowed_domains`"), "{}", refused.reason);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_was_planned_before_its_domain_was_taken_off_the_list_is_not_sent() {
    let mut desk = with_a_new_domain().await;
    desk.beat_at("2026-12-22T06:00:00Z").await;
    let ledger = Arc::clone(&desk.daemon.rota.press.ledger);
    let run = ledger.runs(1).await.unwrap()[0].id;
    desk.order(|order| order.brakes.allowed_domains = Some(["example.com".to_owned()].into()));
    ledger.release(run, "anna: all", desk.clock.now()).await.unwrap();
    desk.beat_at("2026-12-22T06:00:05Z").await;
    assert_eq!((desk.runs().await[1].1, desk.mails()), (RunState::Partial, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_admin_is_told_once_of_each_rest_what_ran_what_is_held_and_what_to_do() {
    let mut desk = with_a_new_domain().await;
    desk.change(|rota| rota.digest = digest(DigestWhen::Always));
    for second in ["06:00:00", "06:00:30", "06:01:00", "06:01:05", "06:02:05"] {
        desk.beat_and_tell_at(&format!("2026-12-22T{second}Z")).await;
    }
    let told = desk.digests();
    let about = |text: &str| told.iter().filter(|mail| mail.contains(text)).count();
    // November rested before there was somebody to tell, but was not passed over by a daemon yet.
    assert_eq!((told.len(), about("is held"), about("is done")), (2, 1, 1), "{told:#?}");
    let held = told.iter().find(|mail| mail.contains("is held")).unwrap();
    for words in [
        "Run 2 of monthly, November 2026: held",
        "`new_domain`",
        "pressrun release 2 --why TEXT",
        "pressrun skip 2 --why TEXT",
    ] {
        assert!(held.contains(words), "{words}: {held}");
    }
    let ledger = Arc::clone(&desk.daemon.rota.press.ledger);
    ledger.release(ledger.runs(1).await.unwrap()[0].id, "anna: new", desk.clock.now()).await.unwrap();
    for second in ["06:05:00", "06:06:00", "06:07:00"] {
        desk.beat_and_tell_at(&format!("2026-12-22T{second}Z")).await;
    }
    assert_eq!(desk.digests().len(), 3, "the run is done, which is news");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_of_problems_is_silent_when_all_is_well_and_of_what_was_passed_over() {
    let mut desk = with_a_new_domain().await;
    desk.beat_and_tell_at("2026-11-22T06:05:00Z").await;
    desk.change(|rota| rota.digest = digest(DigestWhen::Problems));
    desk.order(|order| order.brakes.new_domain = NewDomain::Allow);
    desk.beat_at("2026-12-22T06:00:00Z").await;
    desk.beat_and_tell_at("2026-12-22T06:02:00Z").await;
    assert_eq!(desk.digests().len(), 0);
    desk.order(|order| order.brakes.recipients_max = Some(1));
    desk.beat_at("2027-01-22T06:00:00Z").await;
    desk.beat_and_tell_at("2027-01-22T06:02:00Z").await;
    assert_eq!(desk.digests().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brake_that_was_released_for_one_part_of_a_run_holds_no_later_part() {
    let (mut desk, facts) = waiting::two_partners(NotFull::WaitThenSend).await;
    desk.order(|order| order.brakes.recipients_max = Some(1));
    ingest(desk.folder.path(), &facts, 1, "2026-12-22T05:30:00Z").await;
    desk.beat_at("2026-12-22T06:00:00Z").await;
    let states = |runs: Vec<(String, RunState)>| runs.into_iter().map(|(_, state)| state).collect::<Vec<_>>();
    assert_eq!((states(desk.runs().await), desk.mails()), (vec![RunState::Held, RunState::Waiting], 0));
    let ledger = Arc::clone(&desk.daemon.rota.press.ledger);
    let first = ledger.runs(2).await.unwrap()[1].id;
    ledger.release(first, "anna: two are right", desk.clock.now()).await.unwrap();
    ingest(desk.folder.path(), &facts, 2, "2026-12-23T06:30:00Z").await;
    desk.beat_at("2026-12-23T06:35:00Z").await;
    assert_eq!((states(desk.runs().await), desk.mails()), (vec![RunState::Done, RunState::Done], 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_between_two_digests_leaves_the_second_planned() {
    let mut desk = with_a_new_domain().await;
    let stop = desk.daemon.rota.press.stop.clone();
    let stopping = Answers::with(move || {
        stop.set();
        async { Outcome::Delivered(Receipt("taken".to_owned())) }
    });
    let mut order = DigestOrder::clone(&digest(DigestWhen::Always).unwrap());
    order.to.push("another@example.com".to_owned());
    desk.change(|rota| rota.press.destinations = Destinations::mail(stopping));
    let press = &desk.daemon.rota.press;
    tell_rests(press, Some(&order)).await.unwrap();
    let left = press.ledger.digests_not_delivered().await.unwrap().rows;
    let left: Vec<_> = left.iter().map(|row| (row.address.as_str(), row.state)).collect();
    assert_eq!(left, [("another@example.com", DeliveryState::Planned)]);
}
