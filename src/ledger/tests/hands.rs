//! What an admin does by hand.

use super::*;

#[tokio::test]
async fn a_held_edition_is_made_again_and_its_deliveries_follow() {
    let desk = Desk::new().await;
    let new = edition("1", &["a@example.com"]);
    let run = desk.run_with(std::slice::from_ref(&new)).await;
    assert!(desk.ledger.release_edition(new.id, "too soon", at(1)).await.is_err(), "it is not held");
    let claim = desk.ledger.claim_editions(None, 1, minutes(1), at(1)).await.unwrap().remove(0);
    assert_eq!(claim.row.released_at, None);
    desk.ledger.settle_edition(&claim, EditionOutcome::Held("gate".to_owned()), at(2)).await.unwrap();
    assert_eq!(desk.ledger.finish_run(run, at(3)).await.unwrap(), RunState::Partial);
    assert!(desk.ledger.open_runs().await.unwrap().is_empty());
    desk.ledger.release_edition(new.id, "checked by eye", at(4)).await.unwrap();
    assert_eq!(desk.ledger.open_runs().await.unwrap()[0].id, run, "there is work again");
    let claim = desk.ledger.claim_editions(Some(run), 1, minutes(1), at(5)).await.unwrap().remove(0);
    assert_eq!((claim.row.released_at, claim.row.n_attempts), (Some(at(4)), 1));
    desk.ledger.settle_edition(&claim, archived(), at(6)).await.unwrap();
    assert!(desk.claim_one(at(7)).await.is_some());
}

#[tokio::test]
async fn a_suppressed_delivery_is_sent_once_released() {
    let desk = Desk::new().await;
    let mut new = edition("1", &["a@example.com"]);
    new.recipients[0].suppressed = Some("on leave".to_owned());
    let run = desk.run_with(&[new]).await;
    let id = desk.ledger.deliveries(&DeliveriesOf::Run(run)).await.unwrap().rows[0].id;
    desk.archive_all().await;
    assert!(desk.claim_one(at(10)).await.is_none());
    desk.ledger.release_delivery(id, "back again", at(11)).await.unwrap();
    let claim = desk.claim_one(at(12)).await.unwrap();
    assert!(desk.ledger.release_delivery(id, "twice", at(13)).await.is_err(), "it is under way");
    desk.ledger.settle_as(&claim, &delivered(), &HOLD, at(14)).await.unwrap();
    let moves = desk.ledger.moves_of("delivery", &id.to_string()).await.unwrap();
    assert_eq!(moves.rows[0].reason, "by hand: back again");
    assert_eq!((moves.rows[0].worker_id, moves.rows[1].worker_id.is_some()), (None, true));
}

#[tokio::test]
async fn an_uncertain_delivery_is_settled_by_hand_by_receipt_or_sent_again() {
    let lost = Outcome::Uncertain("lost".to_owned());
    for how in ["delivered", "failed", "receipt", "resend"] {
        let desk = Desk::new().await;
        let claim = desk.sending().await;
        let id = claim.row.id;
        let receipt = Receipt("outbox/1.eml".to_owned());
        assert!(desk.ledger.settle(id, Settled::Failed, "under way", at(20)).await.is_err());
        assert!(desk.ledger.settle_uncertain_by_receipt(id, &receipt, at(20)).await.is_err());
        assert!(desk.ledger.resend(id, "under way", at(20)).await.is_err());
        desk.ledger.settle_as(&claim, &lost, &HOLD, at(21)).await.unwrap();
        match how {
            "delivered" => desk.ledger.settle(id, Settled::Delivered, "she has it", at(22)).await.unwrap(),
            "failed" => desk.ledger.settle(id, Settled::Failed, "she left", at(22)).await.unwrap(),
            "receipt" => desk.ledger.settle_uncertain_by_receipt(id, &receipt, at(22)).await.unwrap(),
            _ => desk.ledger.resend(id, "she has not", at(22)).await.unwrap(),
        }
        let row = desk.delivery(id).await;
        match how {
            "failed" => assert_eq!(row.state, DeliveryState::Failed),
            "resend" => assert_eq!(desk.claim_one(at(23)).await.unwrap().row.message_id, row.message_id),
            _ => assert_eq!(row.state, DeliveryState::Delivered),
        }
        assert_eq!(row.receipt, (how == "receipt").then_some(receipt));
        if how != "resend" {
            assert!(desk.ledger.settle(id, Settled::Failed, "again", at(30)).await.is_err(), "settled is settled");
        }
    }
}

#[tokio::test]
async fn reasons_are_one_line_and_bounded() {
    let desk = Desk::new().await;
    let claim = desk.sending().await;
    let long = format!("550 no\r\nsuch user {}", "x".repeat(5_000));
    desk.ledger.settle_as(&claim, &Outcome::Failed(long), &HOLD, at(20)).await.unwrap();
    let reason = desk.delivery(claim.row.id).await.reason;
    assert!(reason.starts_with("550 no such user xxx") && reason.ends_with("… (cut at 2000 characters)"));
    assert!(reason.chars().count() < 2_050);
}
