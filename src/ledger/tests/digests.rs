//! Digests: planned once for each rest of a run, never sent twice.

use super::*;

fn digest(address: &str) -> NewDigest {
    NewDigest {
        address: address.to_owned(),
        message_id: "d1@example.com".to_owned(),
        subject: "pressrun".to_owned(),
        text: "text".to_owned(),
        html: "html".to_owned(),
    }
}

impl Desk {
    /// A run that is done.
    async fn rested(&self) -> RunId {
        let run = self.run_with(&[]).await;
        assert_eq!(self.ledger.finish_run(run, at(1)).await.unwrap(), RunState::Done);
        run
    }

    async fn digests(&self, ledger: &Ledger, now: i64) -> Vec<DigestClaim> {
        ledger.claim_digests(minutes(10), at(now)).await.unwrap()
    }
}

#[tokio::test]
async fn a_rest_is_told_once_however_often_it_is_planned() {
    let desk = Desk::new().await;
    let run = desk.rested().await;
    let rests = desk.ledger.untold().await.unwrap();
    assert_eq!(rests.iter().map(|rest| rest.run.id).collect::<Vec<_>>(), [run]);
    let new = [digest("a@example.com"), digest("b@example.com")];
    assert!(desk.ledger.plan_digests(&rests, &[], &new, at(2)).await.unwrap());
    assert!(!desk.ledger.plan_digests(&rests, &[], &new, at(2)).await.unwrap(), "another process, as late");
    assert!(desk.ledger.untold().await.unwrap().is_empty());
    // One at a time: what is claimed and never tried nobody can tell of.
    for n in [1, 1, 0] {
        assert_eq!(desk.digests(&desk.ledger, 3).await.len(), n);
    }
}

#[tokio::test]
async fn a_run_that_comes_to_rest_again_is_told_again() {
    let desk = Desk::new().await;
    let run = desk.run_with(&[]).await;
    let trip = crate::deliver::brakes::Trip { brake: "b".to_owned(), measured: String::new(), allowed: String::new() };
    desk.ledger.hold_run(run, &[trip], at(1)).await.unwrap();
    let held = desk.ledger.untold().await.unwrap();
    desk.ledger.plan_digests(&held, &[], &[digest("a@example.com")], at(2)).await.unwrap();
    desk.ledger.release(run, "anna: now", at(3)).await.unwrap();
    assert!(desk.ledger.untold().await.unwrap().is_empty(), "it does not rest");
    desk.ledger.finish_run(run, at(4)).await.unwrap();
    assert_eq!(desk.ledger.untold().await.unwrap()[0].run.state, RunState::Done);
}

#[tokio::test]
async fn what_is_passed_over_is_told_by_no_later_digest() {
    let desk = Desk::new().await;
    desk.rested().await;
    let rests = desk.ledger.untold().await.unwrap();
    assert!(desk.ledger.plan_digests(&[], &rests, &[], at(2)).await.unwrap());
    assert!(desk.ledger.untold().await.unwrap().is_empty());
    assert!(desk.digests(&desk.ledger, 3).await.is_empty());
}

#[tokio::test]
async fn a_kill_between_planning_and_sending_a_digest_sends_one() {
    let desk = Desk::new().await;
    desk.rested().await;
    let rests = desk.ledger.untold().await.unwrap();
    desk.ledger.plan_digests(&rests, &[], &[digest("a@example.com")], at(2)).await.unwrap();
    // The next process plans what it finds untold, and sends what is planned.
    let next = desk.another().await;
    assert!(next.untold().await.unwrap().is_empty());
    let claims = desk.digests(&next, 3).await;
    assert_eq!(claims.len(), 1);
    next.settle_digest(&claims[0], &delivered(), &HOLD, at(4)).await.unwrap();
    assert!(desk.digests(&next, 5).await.is_empty() && desk.digests(&desk.ledger, 5).await.is_empty());
    assert!(next.digests_not_delivered().await.unwrap().rows.is_empty());
}

#[tokio::test]
async fn a_digest_whose_worker_was_killed_while_it_sent_is_uncertain_and_never_sent_again() {
    let desk = Desk::new().await;
    desk.rested().await;
    let rests = desk.ledger.untold().await.unwrap();
    desk.ledger.plan_digests(&rests, &[], &[digest("a@example.com")], at(2)).await.unwrap();
    let claim = desk.digests(&desk.ledger, 3).await.remove(0);
    let later = 3 + minutes(10).num_seconds();
    assert!(desk.digests(&desk.ledger, later - 1).await.is_empty());
    assert!(desk.digests(&desk.ledger, later).await.is_empty());
    let told = desk.ledger.digests_not_delivered().await.unwrap().rows;
    assert_eq!(told[0].state, DeliveryState::Uncertain);
    let late = desk.ledger.settle_digest(&claim, &delivered(), &HOLD, at(later + 1)).await;
    assert!(late.unwrap_err().is_lost_claim());
    assert_eq!(path_of(&desk.ledger, "digest", claim.id.0).await.len(), 2);
}

#[tokio::test]
async fn a_digest_that_is_not_taken_is_tried_again_after_the_backoff_until_its_attempts_run_out() {
    let desk = Desk::new().await;
    desk.rested().await;
    let rests = desk.ledger.untold().await.unwrap();
    desk.ledger.plan_digests(&rests, &[], &[digest("a@example.com")], at(2)).await.unwrap();
    let mut now = 3;
    for attempt_no in 1..=HOLD.attempts_max {
        let claim = desk.digests(&desk.ledger, now).await.remove(0);
        assert_eq!(claim.attempt_no, attempt_no);
        let busy = Outcome::Retryable("451 busy".to_owned());
        desk.ledger.settle_digest(&claim, &busy, &HOLD, at(now)).await.unwrap();
        assert!(desk.digests(&desk.ledger, now).await.is_empty());
        now += HOLD.backoff(attempt_no).num_seconds();
    }
    assert!(desk.digests(&desk.ledger, now).await.is_empty());
    assert_eq!(desk.ledger.digests_not_delivered().await.unwrap().rows[0].state, DeliveryState::Failed);
}

#[tokio::test]
async fn digests_that_were_put_off_by_a_clock_that_was_ahead_are_brought_forward() {
    let desk = Desk::new().await;
    desk.rested().await;
    let rests = desk.ledger.untold().await.unwrap();
    desk.ledger.plan_digests(&rests, &[], &[digest("a@example.com")], at(2)).await.unwrap();
    let claim = desk.digests(&desk.ledger, 90_000).await.remove(0);
    let busy = Outcome::Retryable("451 busy".to_owned());
    desk.ledger.settle_digest(&claim, &busy, &HOLD, at(90_000)).await.unwrap();
    desk.ledger.bring_forward(Duration::seconds(150), at(90_000)).await.unwrap();
    assert!(desk.digests(&desk.ledger, 90_000).await.is_empty(), "its pause is no longer than the longest");
    desk.ledger.bring_forward(Duration::seconds(150), at(500)).await.unwrap();
    assert_eq!(desk.digests(&desk.ledger, 500).await.len(), 1);
}

/// A digest that is uncertain, by its number.
async fn uncertain(desk: &Desk) -> DigestId {
    desk.rested().await;
    let rests = desk.ledger.untold().await.unwrap();
    desk.ledger.plan_digests(&rests, &[], &[digest("a@example.com")], at(2)).await.unwrap();
    let claim = desk.digests(&desk.ledger, 3).await.remove(0);
    let (id, ledger) = (claim.id, &desk.ledger);
    assert!(ledger.resend_digest(id, "anna: under way", at(3)).await.is_err());
    assert!(ledger.settle_digest_by_hand(id, Settled::Failed, "anna: under way", at(3)).await.is_err());
    ledger.settle_digest(&claim, &Outcome::Uncertain("lost".to_owned()), &HOLD, at(4)).await.unwrap();
    assert!(desk.digests(ledger, 9_000).await.is_empty(), "never by itself");
    id
}

#[tokio::test]
async fn an_uncertain_digest_is_settled_by_hand_or_sent_again() {
    for (found, state) in [(Settled::Delivered, DeliveryState::Delivered), (Settled::Failed, DeliveryState::Failed)] {
        let desk = Desk::new().await;
        let id = uncertain(&desk).await;
        desk.ledger.settle_digest_by_hand(id, found, "anna: asked him", at(5)).await.unwrap();
        let row = desk.ledger.digest(id).await.unwrap();
        assert_eq!((row.state, row.reason.as_str()), (state, "by hand: anna: asked him"));
        assert!(desk.ledger.settle_digest_by_hand(id, found, "anna: again", at(6)).await.is_err());
        assert!(desk.ledger.resend_digest(id, "anna: again", at(6)).await.is_err(), "settled is settled");
    }
    let desk = Desk::new().await;
    let id = uncertain(&desk).await;
    desk.ledger.resend_digest(id, "anna: he has not", at(5)).await.unwrap();
    let claim = desk.digests(&desk.ledger, 5).await.remove(0);
    assert_eq!((claim.id, claim.attempt_no, claim.mail.message_id.as_str()), (id, 2, "d1@example.com"));
    let row = desk.ledger.digest(id).await.unwrap();
    assert!(row.reason.ends_with("though one may have been taken"), "{}", row.reason);
    assert!(matches!(
        desk.ledger.resend_digest(DigestId(77), "anna: which", at(6)).await,
        Err(LedgerError::NoSuch { row: "digest", .. })
    ));
}

#[tokio::test]
async fn a_digest_that_a_restored_ledger_holds_is_sent_by_hand_only() {
    let desk = Desk::new().await;
    let asked = uncertain(&desk).await;
    desk.ledger.resend_digest(asked, "anna: again", at(5)).await.unwrap();
    desk.rested().await;
    let rests = desk.ledger.untold().await.unwrap();
    desk.ledger.plan_digests(&rests, &[], &[digest("b@example.com")], at(6)).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    desk.ledger.back_up(&path, at(7)).await.unwrap();
    let back = Ledger::open(&path, at(8)).await.unwrap();
    assert!(desk.digests(&back, 9_000).await.is_empty(), "both may have been sent since");
    let held = back.digests_not_delivered().await.unwrap().rows.remove(0);
    assert_eq!((held.address.as_str(), held.state), ("b@example.com", DeliveryState::Held));
    back.resend_digest(held.id, "anna: he has not", at(10)).await.unwrap();
    let claims = desk.digests(&back, 11).await;
    assert_eq!(claims.iter().map(|claim| claim.id).collect::<Vec<_>>(), [held.id]);
}
