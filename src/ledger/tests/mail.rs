//! What a recipient got before, what was left out of a mail, and mails that were too large.

use super::*;

/// An edition of the same audience about a period, with a number.
fn of(period: &str, number: u32, addresses: &[&str]) -> NewEdition {
    let period: Period = period.parse().unwrap();
    let plain = edition("1", addresses);
    let id = EditionId::of("monthly", period, &plain.audience.key(), number);
    let recipients = plain
        .recipients
        .into_iter()
        .map(|new| NewDelivery { message_id: crate::deliver::message_id(id, &new.address, "example.com"), ..new });
    NewEdition { id, period, number, recipients: recipients.collect(), ..plain }
}

/// Plans these editions, archives them, and has every mail delivered but those to `b@`, which fail.
async fn delivered_all(desk: &Desk, editions: &[NewEdition]) {
    desk.run_with(editions).await;
    desk.archive_all().await;
    while let Some(claim) = desk.claim_one(at(10)).await {
        let failed = Outcome::Failed("550 unknown".to_owned());
        let outcome = if claim.row.address.starts_with("b@") { failed } else { delivered() };
        desk.ledger.settle_as(&claim, &outcome, &HOLD, at(11)).await.unwrap();
    }
}

/// The period and number that stood before a delivery.
async fn before(desk: &Desk, period: &str, number: u32, address: &str) -> Option<(String, u32)> {
    let all = desk.ledger.deliveries(&DeliveriesOf::Address(address.to_owned())).await.unwrap().rows;
    let id = of(period, number, &[]).id;
    let row = all.into_iter().find(|row| row.edition == id).unwrap();
    let found = desk.ledger.earlier(&row, number).await.unwrap()?;
    assert_eq!(
        found.message_id,
        crate::deliver::message_id(of(&found.period.to_string(), found.number, &[]).id, address, "example.com")
    );
    Some((found.period.to_string(), found.number))
}

#[tokio::test]
async fn the_edition_before_is_of_an_earlier_period_or_revision_and_was_delivered() {
    let desk = Desk::new().await;
    let both = ["a@example.com", "b@example.com"];
    // The later period first, as when an old one is run by hand.
    let editions = [("2026-10", 1), ("2026-09", 1), ("2026-08", 1), ("2026-10", 2), ("2026-09", 2)];
    for (period, number) in editions {
        delivered_all(&desk, &[of(period, number, &both)]).await;
    }
    let some = |period: &str, number| Some((period.to_owned(), number));
    assert_eq!(before(&desk, "2026-08", 1, "a@example.com").await, None);
    assert_eq!(before(&desk, "2026-09", 1, "a@example.com").await, some("2026-08", 1));
    assert_eq!(before(&desk, "2026-09", 2, "a@example.com").await, some("2026-09", 1));
    assert_eq!(before(&desk, "2026-10", 1, "a@example.com").await, some("2026-09", 2));
    assert_eq!(before(&desk, "2026-10", 2, "a@example.com").await, some("2026-10", 1));
    assert_eq!(before(&desk, "2026-10", 2, "b@example.com").await, None, "nothing was delivered to b");
}

#[tokio::test]
async fn another_audience_partner_or_schedule_is_not_the_edition_before() {
    let desk = Desk::new().await;
    let mut other_role = of("2026-09", 1, &["a@example.com"]);
    other_role.audience.role = "executive".to_owned();
    other_role.id = EditionId::of("monthly", other_role.period, "other role", 1);
    let mut other_partner = of("2026-09", 1, &["a@example.com"]);
    other_partner.audience.partner_id = "2".to_owned();
    other_partner.id = EditionId::of("monthly", other_partner.period, "other partner", 1);
    delivered_all(&desk, &[other_role, other_partner]).await;
    let weekly = NewRun { schedule: "weekly".to_owned(), ..new_run(None) };
    let (weekly, _) = desk.ledger.plan_run(&weekly, at(0)).await.unwrap();
    let mut other_schedule = of("2026-09", 1, &["a@example.com"]);
    other_schedule.id = EditionId::of("weekly", other_schedule.period, "other schedule", 1);
    desk.ledger.plan_editions(weekly.id, &[other_schedule], &[], at(0)).await.unwrap();
    delivered_all(&desk, &[of("2026-10", 1, &["a@example.com"])]).await;
    assert_eq!(before(&desk, "2026-10", 1, "a@example.com").await, None);
}

#[tokio::test]
async fn what_is_left_out_of_a_mail_stands_in_its_row_until_it_goes_with_one() {
    let desk = Desk::new().await;
    let claim = desk.sending().await;
    let note = async || desk.delivery(claim.row.id).await.note;
    desk.ledger.note_delivery(&claim, Some("without `a.xlsx`:\r\ntoo large")).await.unwrap();
    assert_eq!(note().await.as_deref(), Some("without `a.xlsx`: too large"));
    assert_eq!(desk.ledger.n_noted(claim.row.run).await.unwrap(), 1);
    desk.ledger.settle_as(&claim, &Outcome::Retryable("later".to_owned()), &HOLD, at(20)).await.unwrap();
    assert!(note().await.is_some(), "a step leaves it");
    assert!(desk.ledger.note_delivery(&claim, Some("late")).await.unwrap_err().is_lost_claim());
    let again = desk.claim_one(at(200)).await.unwrap();
    assert!(desk.ledger.note_delivery(&claim, Some("late")).await.unwrap_err().is_lost_claim());
    desk.ledger.note_delivery(&again, None).await.unwrap();
    assert_eq!((note().await, desk.ledger.n_noted(claim.row.run).await.unwrap()), (None, 0));
}

#[tokio::test]
async fn a_mail_that_was_too_large_is_tried_at_once_and_its_size_is_kept() {
    let desk = Desk::new().await;
    let mut claim = desk.sending().await;
    // However many tries there are: each time it is another mail.
    for n_bytes in [5_000, 3_000, 2_000, 1_000] {
        let outcome = Outcome::TooLarge { n_bytes, reason: "552 5.3.4 too big".to_owned() };
        let state = desk.ledger.settle_as(&claim, &outcome, &HOLD, at(20)).await.unwrap();
        assert_eq!(state, DeliveryState::Retryable);
        assert!(desk.delivery(claim.row.id).await.reason.ends_with("too big; a smaller mail is tried next"));
        claim = desk.claim_one(at(20)).await.expect("without a pause");
        assert_eq!(claim.row.refused_bytes, Some(n_bytes));
    }
    assert_eq!(claim.attempt_no, 5);
}

#[tokio::test]
async fn one_mail_in_trouble_is_not_lost_among_more_than_are_read_of_a_run() {
    let desk = Desk::new().await;
    let addresses: Vec<String> = (0..=ROWS_MAX).map(|n| format!("r{n}@x.test")).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let editions = addresses.chunks(10_000).enumerate().map(|(n, addresses)| edition(&n.to_string(), addresses));
    let run = desk.run_with(&editions.collect::<Vec<_>>()).await;
    desk.archive_all().await;
    let claim = desk.claim_one(at(3)).await.unwrap();
    desk.ledger.settle_as(&claim, &Outcome::Failed("no such mailbox".to_owned()), &HOLD, at(4)).await.unwrap();
    let read = desk.ledger.deliveries(&DeliveriesOf::Run(run)).await.unwrap();
    assert!(read.more && read.rows.iter().all(|row| row.id != claim.row.id));
    let in_trouble = desk.ledger.deliveries(&DeliveriesOf::InTrouble(run)).await.unwrap();
    assert_eq!(in_trouble.rows.iter().map(|row| row.id).collect::<Vec<_>>(), [claim.row.id]);
}
