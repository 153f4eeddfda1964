//! A held run that is left out for good.

use super::*;
use crate::deliver::brakes::Trip;

fn trip() -> Trip {
    Trip { brake: "recipients_max".to_owned(), measured: "4".to_owned(), allowed: "3".to_owned() }
}

/// A run with a delivery in each state, held half way: its editions are archived, held and planned.
async fn held_half_way(desk: &Desk) -> RunId {
    let mut first = edition("1", &["d@x.test", "r@x.test", "u@x.test", "p@x.test", "s@x.test"]);
    first.recipients[4].suppressed = Some("a rule".to_owned());
    let run = desk.run_with(&[first, edition("2", &["h@x.test"]), edition("3", &["w@x.test"])]).await;
    let [one, two] = &desk.ledger.claim_editions(None, 2, minutes(10), at(1)).await.unwrap()[..] else { panic!() };
    desk.ledger.settle_edition(one, archived(), at(2)).await.unwrap();
    desk.ledger.settle_edition(two, EditionOutcome::Held("gate".to_owned()), at(2)).await.unwrap();
    for claim in desk.ledger.claim_deliveries(None, 3, minutes(10), at(3), RELAY).await.unwrap() {
        let outcome = match claim.row.address.as_str() {
            "d@x.test" => delivered(),
            "r@x.test" => Outcome::Retryable("451 later".to_owned()),
            _ => Outcome::Uncertain("lost".to_owned()),
        };
        desk.ledger.settle_as(&claim, &outcome, &RESEND, at(4)).await.unwrap();
    }
    desk.ledger.hold_run(run, &[trip()], at(5)).await.unwrap();
    run
}

#[tokio::test]
async fn whatever_of_a_run_is_open_ends_with_it_and_what_nobody_can_tell_of_waits_for_an_admin() {
    let desk = Desk::new().await;
    let run = held_half_way(&desk).await;
    // Another run waits for one of its editions.
    let other = desk.run_with(&[edition("3", &["o@x.test"])]).await;
    desk.ledger.finish_run(other, at(6)).await.unwrap();
    let left_out = desk.ledger.skip(run, "anna: the wrong list", at(7)).await.unwrap();
    assert_eq!(left_out, LeftOut { n_editions: 2, n_deliveries: 5 });
    let row = desk.ledger.run(run).await.unwrap();
    assert_eq!((row.state, row.reason.as_str()), (RunState::Skipped, "by hand: anna: the wrong list"));
    let editions = desk.ledger.editions(run).await.unwrap().rows;
    let ended: Vec<_> = editions.iter().map(|edition| edition.state).collect();
    assert_eq!(ended, [EditionState::Archived, EditionState::Skipped, EditionState::Skipped]);
    for (run, address, state) in [
        (run, "d@x.test", DeliveryState::Delivered),
        (run, "r@x.test", DeliveryState::Failed),
        (run, "u@x.test", DeliveryState::Uncertain),
        (run, "p@x.test", DeliveryState::Skipped),
        (run, "s@x.test", DeliveryState::Suppressed),
        (run, "h@x.test", DeliveryState::Skipped),
        (run, "w@x.test", DeliveryState::Skipped),
        (other, "o@x.test", DeliveryState::Skipped),
    ] {
        let rows = desk.ledger.deliveries(&DeliveriesOf::Run(run)).await.unwrap().rows;
        let row = rows.into_iter().find(|row| row.address == address).unwrap();
        assert_eq!((row.state, row.next_at), (state, None), "{address}");
        if matches!(state, DeliveryState::Skipped | DeliveryState::Failed) {
            assert!(row.reason.ends_with("is left out by hand: anna: the wrong list"), "{}", row.reason);
        }
    }
    // Nothing goes on by itself, under no rule; an admin may send again what is uncertain.
    desk.ledger.resolve_uncertain("monthly", &RESEND, at(8)).await.unwrap();
    assert!(desk.ledger.open_runs().await.unwrap().is_empty() && desk.claim_one(at(9_000)).await.is_none());
    assert!(desk.ledger.held().await.unwrap().is_empty());
    let rows = desk.ledger.deliveries(&DeliveriesOf::Run(run)).await.unwrap().rows;
    let uncertain = rows.iter().find(|row| row.state == DeliveryState::Uncertain).unwrap().id;
    desk.ledger.resend(uncertain, "bert: she has not", at(10)).await.unwrap();
    assert_eq!(desk.claim_one(at(11)).await.unwrap().row.id, uncertain);
}

#[tokio::test]
async fn a_run_that_is_not_held_or_of_which_something_is_under_way_is_not_left_out() {
    let desk = Desk::new().await;
    let run = desk.run_with(&[edition("1", &["a@x.test"]), edition("2", &[])]).await;
    let skip = async |now| desk.ledger.skip(run, "anna: no", at(now)).await;
    assert!(matches!(skip(1).await, Err(LedgerError::NotHeld { state: "running", .. })));
    let claim = desk.ledger.claim_editions(None, 1, minutes(10), at(2)).await.unwrap().remove(0);
    desk.ledger.hold_run(run, &[trip()], at(3)).await.unwrap();
    assert!(matches!(skip(4).await, Err(LedgerError::UnderWay { .. })), "an edition is being made");
    desk.ledger.settle_edition(&claim, archived(), at(5)).await.unwrap();
    desk.ledger.release(run, "anna: yes", at(6)).await.unwrap();
    let claim = desk.claim_one(at(7)).await.unwrap();
    desk.ledger.hold_run(run, &[trip()], at(8)).await.unwrap();
    assert!(matches!(skip(9).await, Err(LedgerError::UnderWay { .. })), "a mail is being handed over");
    desk.ledger.settle_as(&claim, &delivered(), &HOLD, at(10)).await.unwrap();
    skip(11).await.unwrap();
    assert!(matches!(skip(12).await, Err(LedgerError::NotHeld { state: "skipped", .. })));
}

#[tokio::test]
async fn a_brake_of_a_part_that_was_left_out_holds_the_later_ones() {
    let desk = Desk::new().await;
    let run = desk.run_with(&[edition("1", &["a@x.test"])]).await;
    desk.ledger.hold_run(run, &[trip()], at(1)).await.unwrap();
    desk.ledger.skip(run, "anna: the wrong list", at(2)).await.unwrap();
    assert!(desk.ledger.released_brakes(run).await.unwrap().is_empty());
    let brake = desk.ledger.brakes_of(run).await.unwrap().remove(0);
    assert_eq!(brake.released_at, Some(at(2)), "it holds nothing any more");
}
