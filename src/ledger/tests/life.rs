//! A run from plan to end.

use super::*;

#[tokio::test]
async fn a_run_goes_from_plan_to_done() {
    let desk = Desk::new().await;
    let ledger = &desk.ledger;
    let (run, is_new) = ledger.plan_run(&new_run(Some(at(0))), at(1)).await.unwrap();
    assert!(is_new && run.state == RunState::Planned && run.due_at() == at(0));
    let mut editions = [edition("1", &["a@example.com", "b@example.com"]), edition("2", &["c@example.com"])];
    editions[1].recipients[0].suppressed = Some("left the company".to_owned());
    let planned = ledger.plan_editions(run.id, &editions, &[], at(2)).await.unwrap();
    assert_eq!((planned.n_new_editions, planned.n_new_deliveries), (2, 3));
    assert!(desk.claim_one(at(3)).await.is_none(), "nothing is sent before it is archived");
    assert_eq!(ledger.finish_run(run.id, at(3)).await.unwrap(), RunState::Running);

    let claims = ledger.claim_editions(Some(run.id), 10, minutes(10), at(4)).await.unwrap();
    let partners: Vec<_> = claims.iter().map(|claim| claim.row.audience.partner_id.as_str()).collect();
    assert_eq!(partners, ["1", "2"], "in the order of partners");
    assert_eq!(claims[0].row.audience, editions[0].audience);
    for claim in &claims {
        ledger.settle_edition(claim, archived(), at(5)).await.unwrap();
    }
    let row = ledger.edition(editions[0].id).await.unwrap();
    assert_eq!((row.state, row.archive_path.as_deref()), (EditionState::Archived, Some("monthly/2026-10/1")));
    assert_eq!(row.manifest, Some(Digest::of(b"manifest")));

    let sent = ledger.claim_deliveries(None, 10, minutes(10), at(6), RELAY).await.unwrap();
    assert_eq!(sent.len(), 2, "the suppressed one is not claimed");
    assert_eq!(ledger.finish_run(run.id, at(6)).await.unwrap(), RunState::Running);
    for claim in &sent {
        assert_eq!((claim.attempt_no, claim.row.planned_at), (1, at(2)));
        assert_eq!(claim.archive_path, "monthly/2026-10/1");
        ledger.settle_as(claim, &delivered(), &HOLD, at(7)).await.unwrap();
    }
    assert_eq!(ledger.finish_run(run.id, at(8)).await.unwrap(), RunState::Done);
    let row = ledger.run(run.id).await.unwrap();
    assert_eq!(row.reason, "editions: 2 archived; deliveries: 2 delivered, 1 suppressed");
    assert!(ledger.open_runs().await.unwrap().is_empty() && ledger.gaps().await.unwrap().rows.is_empty());
    let first = desk.delivery(sent[0].row.id).await;
    assert_eq!(first.receipt, Some(Receipt("250 queued as 42".to_owned())));
    let steps = path_of(ledger, "delivery", first.id).await;
    assert_eq!(steps, [("planned".into(), "sending".into()), ("sending".into(), "delivered".into())]);
}

#[tokio::test]
async fn the_same_plan_twice_makes_and_sends_nothing_twice() {
    let desk = Desk::new().await;
    let editions = [edition("1", &["a@example.com", "b@example.com"]), edition("2", &["c@example.com"])];
    desk.run_with(&editions).await;
    desk.archive_all().await;
    while let Some(claim) = desk.claim_one(at(10)).await {
        desk.ledger.settle_as(&claim, &delivered(), &HOLD, at(11)).await.unwrap();
    }
    let (again, is_new) = desk.ledger.plan_run(&new_run(None), at(20)).await.unwrap();
    assert!(is_new, "a call by hand is a run of its own");
    let planned = desk.ledger.plan_editions(again.id, &editions, &[], at(20)).await.unwrap();
    assert_eq!((planned.n_new_editions, planned.n_existing_editions), (0, 2));
    assert_eq!((planned.n_new_deliveries, planned.n_existing_deliveries), (0, 3));
    assert_eq!(planned.existing.get(&EditionState::Archived), Some(&2));
    assert!(desk.ledger.claim_editions(None, 10, minutes(1), at(21)).await.unwrap().is_empty());
    assert!(desk.claim_one(at(21)).await.is_none());
    assert_eq!(desk.ledger.finish_run(again.id, at(22)).await.unwrap(), RunState::Done);
    assert_eq!(
        desk.ledger.run(again.id).await.unwrap().reason,
        "nothing was to be made or sent that is not there already"
    );

    // The same address in other letters is the same recipient; a new one gets the edition that is there.
    let (third, _) = desk.ledger.plan_run(&new_run(None), at(30)).await.unwrap();
    let more = [edition("1", &["A@Example.com", "new@example.com"])];
    let planned = desk.ledger.plan_editions(third.id, &more, &[], at(30)).await.unwrap();
    assert_eq!((planned.n_new_deliveries, planned.n_existing_deliveries), (1, 1));
    let claim = desk.claim_one(at(31)).await.unwrap();
    assert_eq!((claim.row.address.as_str(), claim.row.run), ("new@example.com", third.id));
    assert_eq!(desk.ledger.finish_run(third.id, at(32)).await.unwrap(), RunState::Running);
}

/// An occurrence of `monthly` with its outcome, planned at an instant; whether it is new.
async fn occurs(desk: &Desk, at_secs: i64, outcome: Option<(RunState, &str)>, now: i64) -> Result<bool, LedgerError> {
    let outcome = outcome.map(|(state, reason)| (state, reason.to_owned()));
    let planned = desk.ledger.plan_occurrences(&[(new_run(Some(at(at_secs))), outcome)], at(now)).await?;
    Ok(!planned.is_empty())
}

#[tokio::test]
async fn an_occurrence_is_one_row_whatever_is_said_of_it_later() {
    let desk = Desk::new().await;
    let ledger = &desk.ledger;
    assert!(ledger.last_occurrences(at(1_000)).await.unwrap().is_empty());
    assert!(occurs(&desk, 100, None, 101).await.unwrap());
    assert!(!occurs(&desk, 100, None, 102).await.unwrap());
    let missed = Some((RunState::Missed, "late"));
    assert!(!occurs(&desk, 100, missed, 103).await.unwrap(), "a row is never overwritten");
    assert!(occurs(&desk, 200, missed, 203).await.unwrap());
    let states: Vec<_> = ledger.runs(9).await.unwrap().into_iter().map(|run| (run.state, run.reason)).collect();
    assert_eq!(states, [(RunState::Missed, "late".to_owned()), (RunState::Planned, "planned".to_owned())]);
    assert!(matches!(occurs(&desk, 300, Some((RunState::Done, "no")), 303).await, Err(LedgerError::Move { .. })));
    let last = |now| async move { ledger.last_occurrences(at(now)).await.unwrap().get("monthly").copied() };
    assert_eq!(last(1_000).await, Some(at(200)), "and the refused one left no row");
    assert_eq!(last(150).await, Some(at(100)), "what is still to come does not count");
    ledger.plan_run(&NewRun { schedule: "weekly".to_owned(), ..new_run(Some(at(400))) }, at(401)).await.unwrap();
    assert_eq!(last(1_000).await, Some(at(200)));
    let gaps: Vec<_> = ledger.gaps().await.unwrap().rows.into_iter().map(|row| row.occurrence_at).collect();
    assert_eq!(gaps, [Some(at(100)), Some(at(400))]);
    assert_eq!(ledger.runs(1).await.unwrap()[0].schedule, "weekly");
    assert_eq!(ledger.occurrences_after("monthly", at(100)).await.unwrap(), [at(200)]);
}

#[tokio::test]
async fn what_a_clock_that_was_ahead_recorded_as_missed_is_planned_again_when_it_is_due() {
    let desk = Desk::new().await;
    occurs(&desk, 500, Some((RunState::Missed, "a later one was due too")), 9_000).await.unwrap();
    assert!(occurs(&desk, 500, None, 501).await.unwrap());
    let run = &desk.ledger.runs(1).await.unwrap()[0];
    assert_eq!(run.state, RunState::Planned, "{}", run.reason);
    // What was missed at its time stays so.
    occurs(&desk, 600, Some((RunState::Missed, "late")), 700).await.unwrap();
    assert!(!occurs(&desk, 600, None, 701).await.unwrap());
}

#[tokio::test]
async fn an_era_begins_with_each_cadence_and_ends_with_the_next_or_with_its_schedule() {
    let desk = Desk::new().await;
    let ledger = &desk.ledger;
    let second = Timing { period: PeriodRule { back: 1, ..PeriodRule::default() }, ..timing() };
    let first = timing();
    let change = async |now, change| ledger.change_eras(&[("monthly".to_owned(), change)], at(now)).await.unwrap();
    change(5, EraChange::Begins(first.clone())).await;
    change(500, EraChange::Begins(second.clone())).await;
    change(600, EraChange::Ends).await;
    let eras = ledger.eras().await.unwrap();
    let told: Vec<_> = eras.into_iter().map(|era| (era.from_at, era.until_at, era.timing)).collect();
    assert_eq!(told, [(at(5), Some(at(500)), Some(first.clone())), (at(500), Some(at(600)), Some(second))]);
    change(700, EraChange::Begins(first.clone())).await;
    change(700, EraChange::Reads(first.clone())).await;
    let last = ledger.eras().await.unwrap().pop().unwrap();
    assert_eq!((last.from_at, last.until_at, last.timing), (at(700), None, Some(first)));
}

#[tokio::test]
async fn a_part_of_a_run_waits_with_what_each_partner_lacks_and_stands_once() {
    let desk = Desk::new().await;
    let ledger = &desk.ledger;
    let (run, _) = ledger.plan_run(&new_run(Some(at(100))), at(101)).await.unwrap();
    let waits =
        |what: &str| Waits { reason: format!("waits: {what}"), by_partner: [("7".to_owned(), what.to_owned())].into() };
    let begin = async |what: &str, is_later_held| {
        let beginning = Beginning { later: Some(&waits(what)), is_later_held, ..Beginning::default() };
        ledger.begin_run(run.id, &beginning, at(102)).await.unwrap();
    };
    begin("October", false).await;
    // Once more, as after a failure: the part that is there stays as it is.
    begin("November", true).await;
    let part = ledger.runs(1).await.unwrap().remove(0);
    assert_eq!((part.state, part.occurrence_at, part.part), (RunState::Waiting, Some(at(100)), 2));
    assert_eq!((part.of_run, part.reason.as_str()), (Some(run.id), "waits: October"));
    ledger.wait(part.id, &waits("December"), at(103)).await.unwrap();
    assert_eq!(ledger.waits_of(part.id).await.unwrap()["7"], "December");
    assert_eq!(ledger.waiting_for("7").await.unwrap()[0].0.id, part.id);
    let gaps: Vec<_> = ledger.gaps().await.unwrap().rows.into_iter().map(|row| row.id).collect();
    assert_eq!(gaps, [run.id, part.id], "an open part is a gap");
    // A part of a part that comes too late is held at once.
    let held = Beginning { later: Some(&waits("January")), is_later_held: true, ..Beginning::default() };
    ledger.begin_run(part.id, &held, at(104)).await.unwrap();
    let last = ledger.runs(1).await.unwrap().remove(0);
    assert_eq!((last.state, last.part, last.of_run), (RunState::Held, 3, Some(run.id)));
    assert_eq!(last.reason, "its deadline came before its data: waits: January");
}

#[tokio::test]
async fn what_cannot_begin_leaves_nothing_behind() {
    let desk = Desk::new().await;
    let (run, _) = desk.ledger.plan_run(&new_run(Some(at(100))), at(101)).await.unwrap();
    desk.ledger.move_run(run.id, RunState::Missed, "too late", at(102)).await.unwrap();
    let waits = Waits { reason: "waits".to_owned(), ..Waits::default() };
    let editions = [edition("1", &["a@example.com"])];
    let beginning = Beginning { later: Some(&waits), editions: &editions, ..Beginning::default() };
    assert!(matches!(desk.ledger.begin_run(run.id, &beginning, at(103)).await, Err(LedgerError::Move { .. })));
    assert_eq!(desk.ledger.runs(9).await.unwrap().len(), 1, "no part without its run");
    assert!(desk.ledger.editions(run.id).await.unwrap().rows.is_empty());
}

#[tokio::test]
async fn mails_that_were_put_off_by_a_clock_that_was_ahead_are_brought_forward() {
    let desk = Desk::new().await;
    desk.run_with(&[edition("1", &["a@example.com"])]).await;
    desk.archive_all().await;
    let claim = desk.claim_one(at(90_000)).await.unwrap();
    desk.ledger.settle_as(&claim, &Outcome::Retryable("later".to_owned()), &HOLD, at(90_000)).await.unwrap();
    assert_eq!(desk.ledger.bring_forward(Duration::seconds(150), at(90_000)).await.unwrap(), 0);
    assert_eq!(desk.ledger.bring_forward(Duration::seconds(150), at(500)).await.unwrap(), 1);
    assert!(desk.claim_one(at(500)).await.is_some());
}

#[tokio::test]
async fn who_got_nothing_is_a_row_with_its_rule() {
    let desk = Desk::new().await;
    let (run, _) = desk.ledger.plan_run(&new_run(Some(at(100))), at(101)).await.unwrap();
    let excluded = |address: &str| NewExclusion {
        partner_id: "7".to_owned(),
        address: address.to_owned(),
        role: "report-viewer".to_owned(),
        rule: "a rule".to_owned(),
    };
    for _ in 0..2 {
        desk.ledger.plan_editions(run.id, &[], &[excluded("A@example.com"), excluded("")], at(102)).await.unwrap();
    }
    let of = async |who: &str| desk.ledger.exclusions(who).await.unwrap().rows;
    assert_eq!(of("a@EXAMPLE.com").await.iter().map(|row| row.address.as_str()).collect::<Vec<_>>(), ["A@example.com"]);
    assert_eq!(of("7").await.len(), 2);
    assert!(of("b@example.com").await.is_empty());
}

#[tokio::test]
async fn what_has_no_pack_is_not_sent_and_the_run_says_so() {
    let desk = Desk::new().await;
    let names = ["1", "2", "3"];
    let run = desk.run_with(&names.map(|name| edition(name, &[&format!("{name}@example.com")]))).await;
    let claims = desk.ledger.claim_editions(None, 3, minutes(1), at(1)).await.unwrap();
    let outcomes = [
        EditionOutcome::Skipped("no licenses".to_owned()),
        EditionOutcome::Held("the gate read 12, not 13".to_owned()),
        EditionOutcome::Failed("the font is missing".to_owned()),
    ];
    for (claim, outcome) in claims.iter().zip(outcomes) {
        desk.ledger.settle_edition(claim, outcome, at(2)).await.unwrap();
    }
    assert!(desk.claim_one(at(3)).await.is_none());
    assert_eq!(desk.ledger.finish_run(run, at(3)).await.unwrap(), RunState::Partial);
    let reason = desk.ledger.run(run).await.unwrap().reason;
    assert_eq!(reason, "editions: 1 held, 1 skipped, 1 failed; deliveries: 2 skipped, 1 held");
    let page = desk.ledger.deliveries(&DeliveriesOf::Address("1@EXAMPLE.com".to_owned())).await.unwrap();
    assert_eq!(page.rows[0].reason, "its edition is skipped: no licenses");

    let released = desk.ledger.release_delivery(page.rows[0].id, "send it", at(4)).await.unwrap_err();
    assert_eq!(released.to_string(), "delivery `1` has nothing to send: its edition is skipped");

    // Planned again, the three are left as they are, and a new recipient follows them.
    let (again, _) = desk.ledger.plan_run(&new_run(None), at(10)).await.unwrap();
    let planned =
        desk.ledger.plan_editions(again.id, &[edition("3", &["new@example.com"])], &[], at(10)).await.unwrap();
    assert_eq!(planned.existing.get(&EditionState::Failed), Some(&1));
    assert_eq!(desk.ledger.counts(again.id).await.unwrap().deliveries.get(&DeliveryState::Skipped), Some(&1));
}

#[tokio::test]
async fn more_than_the_bounds_is_refused_whole() {
    let desk = Desk::new().await;
    let (run, _) = desk.ledger.plan_run(&new_run(None), at(0)).await.unwrap();
    let mut big = edition("1", &["a@example.com"]);
    big.recipients = vec![big.recipients[0].clone(); RECIPIENTS_MAX + 1];
    let refused = desk.ledger.plan_editions(run.id, &[edition("2", &[]), big], &[], at(1)).await.unwrap_err();
    assert_eq!(refused.to_string(), "10001 recipients of one edition are more than the ledger takes at once, 10000");
    assert!(desk.ledger.editions(run.id).await.unwrap().rows.is_empty());
    assert!(desk.ledger.plan_editions(RunId(77), &[], &[], at(1)).await.is_err());
}

#[tokio::test]
async fn more_editions_than_one_statement_takes_are_planned_whole() {
    let desk = Desk::new().await;
    let names: Vec<String> = (0..1_203).map(|n| format!("{n:05}")).collect();
    let editions: Vec<_> = names.iter().map(|name| edition(name, &["a@example.com", "b@example.com"])).collect();
    let run = desk.run_with(&editions).await;
    let counts = desk.ledger.counts(run).await.unwrap();
    assert_eq!(counts.editions.get(&EditionState::Planned), Some(&1_203));
    assert_eq!(counts.deliveries.get(&DeliveryState::Planned), Some(&2_406));
    let of_one = desk.ledger.deliveries(&DeliveriesOf::Partner("00007".to_owned())).await.unwrap();
    assert_eq!((of_one.rows.len(), of_one.more), (2, false));
    let of_one = desk.ledger.deliveries(&DeliveriesOf::Edition(editions[7].id)).await.unwrap();
    assert_eq!(of_one.rows.len(), 2);
    assert_eq!(desk.ledger.deliveries(&DeliveriesOf::Run(run)).await.unwrap().rows.len(), 2_406);
    assert_eq!(desk.ledger.editions_of_partner("00007").await.unwrap().rows.len(), 1);
}
