//! Held by a brake: claimed by nobody, released once, and what is compared with.

use super::*;
use crate::deliver::brakes::{Measure, MeasureKind, Trip};

fn trip(brake: &str) -> Trip {
    Trip { brake: brake.to_owned(), measured: "4 recipients".to_owned(), allowed: "at most 3".to_owned() }
}

impl Desk {
    /// A run by hand with these editions that is for so many recipients and held by these brakes.
    async fn held_run(&self, editions: &[NewEdition], trips: &[Trip]) -> RunRow {
        let beginning = Beginning { editions, n_recipients: Some(4), trips, ..Beginning::default() };
        self.ledger.plan_by_hand(&new_run(None), &beginning, at(0)).await.unwrap().0
    }

    async fn n_claimed(&self, now: i64) -> (usize, usize) {
        let editions = self.ledger.claim_editions(None, CLAIMS_MAX, minutes(10), at(now)).await.unwrap();
        for claim in &editions {
            self.ledger.settle_edition(claim, archived(), at(now)).await.unwrap();
        }
        let mails = self.ledger.claim_deliveries(None, CLAIMS_MAX, minutes(10), at(now), RELAY).await.unwrap();
        (editions.len(), mails.len())
    }
}

fn total(n: i64) -> Measured {
    let measure = Measure { kind: MeasureKind::Total, name: "licenses".to_owned(), amount: n };
    Measured { measures: vec![measure], trips: Vec::new() }
}

#[tokio::test]
async fn a_run_that_a_brake_holds_is_worked_on_by_nobody_until_somebody_releases_it_with_name_and_reason() {
    let desk = Desk::new().await;
    let run = desk.held_run(&[edition("1", &["a@example.com"])], &[trip("recipients_max")]).await;
    assert_eq!((run.state, run.reason.as_str()), (RunState::Held, trip("recipients_max").to_string().as_str()));
    assert_eq!(desk.n_claimed(1).await, (0, 0));
    assert!(desk.ledger.open_runs().await.unwrap().is_empty(), "nothing of it is to be gone on with");
    assert_eq!(desk.ledger.finish_run(run.id, at(2)).await.unwrap(), RunState::Held);
    let held = desk.ledger.brakes_of(run.id).await.unwrap();
    assert_eq!((held.len(), held[0].trip.clone(), held[0].released_at), (1, trip("recipients_max"), None));
    assert!(desk.ledger.released_brakes(run.id).await.unwrap().is_empty());

    assert!(desk.ledger.release(run.id, "anna: asked sales", at(3)).await.unwrap().was_run_held);
    let released = desk.ledger.brakes_of(run.id).await.unwrap().remove(0);
    assert_eq!((released.released_at, released.released.as_deref()), (Some(at(3)), Some("by hand: anna: asked sales")));
    assert!(desk.ledger.released_brakes(run.id).await.unwrap().contains("recipients_max"));
    assert_eq!(desk.ledger.open_runs().await.unwrap().len(), 1);
    assert_eq!(desk.n_claimed(4).await, (1, 1));
    let moves = desk.ledger.moves_of("run", &run.id.to_string()).await.unwrap().rows;
    assert!(moves.iter().any(|moved| moved.to == "running" && moved.reason.contains("anna")), "{moves:?}");
}

#[tokio::test]
async fn a_run_in_which_nothing_is_new_is_not_held() {
    let desk = Desk::new().await;
    let editions = [edition("1", &["a@example.com"])];
    desk.run_with(&editions).await;
    assert_eq!(desk.held_run(&editions, &[trip("recipients_max")]).await.state, RunState::Running);
}

#[tokio::test]
async fn a_run_that_is_held_half_way_sends_no_more_until_it_is_released() {
    let desk = Desk::new().await;
    let run = desk.run_with(&[edition("1", &["a@example.com"]), edition("2", &["b@example.com"])]).await;
    desk.archive_all().await;
    let sending = desk.claim_one(at(3)).await.unwrap();
    desk.ledger.hold_run(run, &[trip("held_editions")], at(4)).await.unwrap();
    desk.ledger.hold_run(run, &[trip("held_editions")], at(4)).await.unwrap();
    assert_eq!(desk.ledger.brakes_of(run).await.unwrap().len(), 1, "what is held is not held again");
    // What is under way ends as it does.
    desk.ledger.settle_as(&sending, &delivered(), &HOLD, at(5)).await.unwrap();
    assert!(desk.claim_one(at(6)).await.is_none());
    // Nor does it look as if something could: to look for what is not claimed would be a relay's only probe.
    assert!(!desk.ledger.has_ripe(run, RELAY, at(6)).await.unwrap());
    desk.ledger.release(run, "anna: right", at(7)).await.unwrap();
    assert!(desk.ledger.has_ripe(run, RELAY, at(8)).await.unwrap());
    assert!(desk.claim_one(at(8)).await.is_some());
}

#[tokio::test]
async fn a_run_that_waits_for_editions_of_a_held_one_is_held_with_them_and_ends() {
    let desk = Desk::new().await;
    let first = desk.held_run(&[edition("1", &["a@example.com"])], &[trip("recipients_max")]).await.id;
    let later = desk.run_with(&[edition("1", &["a@example.com", "b@example.com"])]).await;
    let mail = desk.ledger.deliveries(&DeliveriesOf::Run(later)).await.unwrap().rows.remove(0);
    assert_eq!(mail.state, DeliveryState::Held);
    assert_eq!(mail.reason, format!("its edition waits in run {first}, which is held"));
    assert_eq!(desk.ledger.finish_run(later, at(1)).await.unwrap(), RunState::Partial);
    let released = desk.ledger.release(later, "anna: now", at(2)).await.unwrap();
    assert_eq!((released.is_nothing(), released.waiting_for.get(&first)), (true, Some(&1)));
    desk.ledger.release(first, "anna: now", at(3)).await.unwrap();
    assert_eq!(desk.ledger.release(later, "anna: now", at(4)).await.unwrap().n_deliveries, 1);
    assert_eq!(desk.n_claimed(5).await, (1, 2));
}

#[tokio::test]
async fn the_last_run_that_was_sent_is_what_recipients_are_compared_with() {
    let desk = Desk::new().await;
    let sent = || desk.ledger.sent("monthly", None);
    let first = desk.held_run(&[edition("1", &["a@One.example"])], &[]).await.id;
    assert_eq!(sent().await.unwrap().n_recipients, None, "nothing of it was taken");
    desk.archive_all().await;
    let claim = desk.claim_one(at(3)).await.unwrap();
    desk.ledger.settle_as(&claim, &delivered(), &HOLD, at(4)).await.unwrap();
    let known = sent().await.unwrap();
    assert_eq!(
        (known.n_recipients, known.domains.into_iter().collect::<Vec<_>>()),
        (Some(4), vec!["one.example".to_owned()])
    );
    // A run for chosen partners is compared with none, nor is one with itself.
    desk.run_with(&[edition("2", &["b@two.example"])]).await;
    desk.archive_all().await;
    let claim = desk.claim_one(at(3)).await.unwrap();
    desk.ledger.settle_as(&claim, &delivered(), &HOLD, at(4)).await.unwrap();
    assert_eq!(sent().await.unwrap().n_recipients, Some(4));
    assert_eq!(desk.ledger.sent("monthly", Some(first)).await.unwrap().n_recipients, None);
    assert!(desk.ledger.sent("weekly", None).await.unwrap().domains.is_empty(), "each schedule for itself");
}

#[tokio::test]
async fn an_edition_is_compared_with_the_audiences_last_one_that_was_sent_about_an_earlier_period() {
    let desk = Desk::new().await;
    let about = |text: &str| -> NewEdition {
        let period = text.parse().unwrap();
        let new = edition("1", &[]);
        let id = EditionId::of("monthly", period, &new.audience.key(), 1);
        let to = edition("1", &["a@example.com"]).recipients;
        NewEdition { id, period, recipients: to, ..new }
    };
    for (n, text) in [(1, "2026-07"), (2, "2026-08"), (3, "2026-09"), (4, "2026-11"), (5, "2026-Q2")] {
        desk.run_with(&[about(text)]).await;
        let claim = desk.ledger.claim_editions(None, 1, minutes(10), at(1)).await.unwrap().remove(0);
        desk.ledger.settle_measured(&claim, archived(), &total(n), at(2)).await.unwrap();
        let claim = desk.claim_one(at(3)).await.unwrap();
        // September's was not taken.
        let outcome = if n == 3 { Outcome::Failed("550 no".to_owned()) } else { delivered() };
        desk.ledger.settle_as(&claim, &outcome, &HOLD, at(4)).await.unwrap();
    }
    let own = about("2026-10");
    let before = desk.ledger.measured_before("monthly", &own.audience, own.id, own.period).await.unwrap();
    assert_eq!(before, Some(("2026-08".parse().unwrap(), total(2).measures)));
    let first = about("2026-06");
    assert_eq!(desk.ledger.measured_before("monthly", &first.audience, first.id, first.period).await.unwrap(), None);
}

#[tokio::test]
async fn an_edition_that_brakes_hold_has_a_row_for_each_and_counts_once_until_it_is_released() {
    let desk = Desk::new().await;
    let run = desk.run_with(&[edition("1", &["a@example.com"]), edition("2", &[])]).await;
    let claims = desk.ledger.claim_editions(None, 1, minutes(10), at(1)).await.unwrap();
    let held =
        Measured { trips: vec![trip("totals_change_percent_max"), trip("files_change_percent_max")], ..total(1) };
    let outcome = EditionOutcome::Held("brake".to_owned());
    desk.ledger.settle_measured(&claims[0], outcome, &held, at(2)).await.unwrap();
    let looked = desk.ledger.looked(run).await.unwrap();
    assert_eq!(looked, Looked { n_made: 1, is_open: true, n_held: 1 });
    assert!(!looked.is_enough() && Looked { n_made: LOOKED_AT_FIRST, ..looked }.is_enough());
    assert_eq!(desk.ledger.brakes_of(run).await.unwrap().len(), 2);
    desk.ledger.release_edition(claims[0].row.id, "anna: so it is", at(3)).await.unwrap();
    assert!(desk.ledger.brakes_of(run).await.unwrap().iter().all(|row| row.released_at == Some(at(3))));
    assert!(desk.ledger.released_brakes(run).await.unwrap().is_empty(), "for the one edition, not for the run");
    assert_eq!(desk.ledger.looked(run).await.unwrap().n_held, 0);
}
