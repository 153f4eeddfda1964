//! When the mails of a run may leave, and what holds it: enough of its editions were looked at, and not too many are held.

use super::super::brakes::{hold_without_book, may_leave};
use super::*;
use crate::deliver::brakes::Trip;
use crate::gate::BookError;
use crate::ledger::{EditionOutcome, Measured};

/// A run of so many editions, of which so many are made, the first of them held by a brake; whether its mails may leave,
/// and its state after that was asked.
async fn asked(shop: &Shop, [n_editions, n_made, n_held]: [usize; 3]) -> (bool, RunState) {
    let (ledger, now) = (&shop.press.ledger, shop.press.clock.now());
    let editions: Vec<NewEdition> = (0..n_editions).map(|n| edition(n, &[])).collect();
    let run = planned(ledger, &editions).await;
    let claims = ledger.claim_editions(Some(run), n_made, chrono::Duration::minutes(60), now).await.unwrap();
    assert_eq!(claims.len(), n_made);
    let trip = Trip { brake: "size_change".to_owned(), measured: "twice".to_owned(), allowed: "half".to_owned() };
    for (n, claim) in claims.iter().enumerate() {
        let (trips, outcome) = match n < n_held {
            true => (vec![trip.clone()], EditionOutcome::Held(trip.to_string())),
            false => (Vec::new(), EditionOutcome::Skipped("there is nothing to report".to_owned())),
        };
        let measured = Measured { measures: Vec::new(), trips };
        ledger.settle_measured(claim, outcome, &measured, now).await.unwrap();
    }
    let may = may_leave(&shop.press, run).await.unwrap();
    (may, ledger.run(run).await.unwrap().state)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_mail_leaves_and_no_run_is_held_before_twenty_editions_were_looked_at_or_all() {
    let mut shop = shop().await;
    for (case, may, state) in [
        ([25, 3, 3], false, RunState::Running),
        ([25, 19, 0], false, RunState::Running),
        ([25, 20, 0], true, RunState::Running),
        ([25, 20, 4], true, RunState::Running),
        ([25, 20, 5], false, RunState::Held),
        ([4, 3, 0], false, RunState::Running),
        ([4, 4, 2], true, RunState::Running),
        ([4, 4, 3], false, RunState::Held),
    ] {
        let own = shop.folder.path().join(format!("{case:?}.db"));
        shop.press.ledger = Arc::new(Ledger::open(&own, shop.press.clock.now()).await.unwrap());
        assert_eq!(asked(&shop, case).await, (may, state), "editions, made, held: {case:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_has_ended_is_not_held_by_too_many_names_and_says_so() {
    let shop = shop().await;
    let (ledger, now) = (&shop.press.ledger, shop.press.clock.now());
    for (ends, is_held, state) in [(false, true, RunState::Held), (true, false, RunState::Done)] {
        let run = planned(ledger, &[]).await;
        if ends {
            ledger.finish_run(run, now).await.unwrap();
        }
        assert_eq!(hold_without_book(&shop.press, run, &BookError::Full).await.unwrap(), is_held);
        assert_eq!(ledger.run(run).await.unwrap().state, state);
    }
}
