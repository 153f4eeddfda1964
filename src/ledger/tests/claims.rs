//! Claims: disjoint, fenced, reaped.

use std::collections::BTreeSet;
use std::sync::Arc;

use sqlx::{ConnectOptions as _, Row as _};

use super::*;

#[tokio::test]
async fn sending_is_on_disk_before_the_claim_returns() {
    let desk = Desk::new().await;
    let claim = desk.sending().await;
    // Another connection of another pool sees it; and the ledger's own connections flush at each commit.
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(desk.path());
    let mut other = options.connect().await.unwrap();
    let seen = sqlx::query(
        "SELECT d.state, a.attempt_no, a.ended_at FROM delivery d JOIN attempt a ON a.delivery_id = d.id
         WHERE d.id = $1",
    );
    let row = seen.bind(claim.row.id.0).fetch_one(&mut other).await.unwrap();
    assert_eq!((row.get::<String, _>(0), row.get::<i64, _>(1)), ("sending".to_owned(), 1));
    assert_eq!(row.get::<Option<i64>, _>(2), None);
    let flush: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&desk.ledger.write).await.unwrap();
    assert_eq!(flush, 2, "FULL");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_ledgers_that_claim_at_once_get_different_rows() {
    let desk = Desk::new().await;
    let names: Vec<String> = (0..120).map(|n| format!("{n:03}")).collect();
    let editions: Vec<_> = names.iter().map(|name| edition(name, &["a@example.com"])).collect();
    desk.run_with(&editions).await;
    let ledgers = [Arc::new(desk.another().await), Arc::new(desk.another().await)];
    let tasks: Vec<_> = (0..6)
        .map(|n| {
            let ledger = Arc::clone(&ledgers[n % 2]);
            tokio::spawn(async move {
                let mut got = Vec::new();
                loop {
                    let claims = ledger.claim_editions(None, 3, minutes(10), at(1)).await.unwrap();
                    if claims.is_empty() {
                        return got;
                    }
                    for claim in claims {
                        got.push(claim.row.id);
                        ledger.settle_edition(&claim, archived(), at(2)).await.unwrap();
                    }
                }
            })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.unwrap());
    }
    assert_eq!(all.len(), 120);
    assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), 120, "no row was claimed twice");
}

#[tokio::test]
async fn a_killed_worker_is_reaped_by_the_next_start() {
    let desk = Desk::new().await;
    let run = desk.run_with(&[edition("1", &["a@example.com"]), edition("2", &["b@example.com"])]).await;
    let killed = desk.another().await;
    let claims = killed.claim_editions(None, 2, minutes(60), at(1)).await.unwrap();
    killed.settle_edition(&claims[0], archived(), at(2)).await.unwrap();
    let sent = killed.claim_deliveries(None, 5, minutes(60), at(3), RELAY).await.unwrap();
    assert_eq!(sent.len(), 1);
    assert!(desk.ledger.reap(at(4)).await.unwrap().is_empty(), "it lives, and its leases last");
    drop(killed);

    let next = desk.another().await;
    assert_eq!(next.open_runs().await.unwrap().len(), 1);
    let reaped = next.reap(at(5)).await.unwrap();
    assert_eq!((reaped.n_editions_planned, reaped.n_deliveries_uncertain), (1, 1), "long before the leases end");
    assert_eq!(reaped.dead_workers.len(), 1);
    assert!(next.reap(at(5)).await.unwrap().is_empty());
    let claim = next.claim_editions(Some(run), 5, minutes(1), at(6)).await.unwrap().pop().unwrap();
    assert_eq!((claim.row.id, claim.row.n_attempts), (claims[1].row.id, 2));
    let attempts = next.attempts(sent[0].row.id).await.unwrap();
    assert_eq!((attempts[0].outcome, attempts[0].ended_at), (Some(DeliveryState::Uncertain), Some(at(5))));
    assert!(next.claim_deliveries(None, 5, minutes(1), at(9999), RELAY).await.unwrap().is_empty(), "nobody guesses");
}

#[tokio::test]
async fn a_worker_that_closes_is_not_found_dead_but_its_claims_are_freed() {
    let desk = Desk::new().await;
    desk.run_with(&[edition("1", &[])]).await;
    let other = desk.another().await;
    other.claim_editions(None, 1, minutes(60), at(1)).await.unwrap();
    other.close(at(2)).await.unwrap();
    let reaped = desk.ledger.reap(at(3)).await.unwrap();
    assert_eq!((reaped.dead_workers.len(), reaped.n_editions_planned), (0, 1));
    let left: Vec<_> = std::fs::read_dir(desk.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("worker"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn the_fence_keeps_a_late_worker_from_writing() {
    let desk = Desk::new().await;
    desk.run_with(&[edition("1", &["a@example.com"])]).await;
    let slow = desk.ledger.claim_editions(None, 1, minutes(1), at(0)).await.unwrap().remove(0);
    desk.ledger.renew_edition(&slow, minutes(2), at(30)).await.unwrap();
    assert!(desk.ledger.reap(at(100)).await.unwrap().is_empty(), "it was renewed");
    assert_eq!(desk.ledger.reap(at(150)).await.unwrap().n_editions_planned, 1);
    let quick = desk.ledger.claim_editions(None, 1, minutes(1), at(151)).await.unwrap().remove(0);
    let late = desk.ledger.settle_edition(&slow, EditionOutcome::Failed("late".to_owned()), at(152)).await;
    assert!(late.unwrap_err().is_lost_claim());
    assert!(desk.ledger.renew_edition(&slow, minutes(1), at(152)).await.unwrap_err().is_lost_claim());
    desk.ledger.settle_edition(&quick, archived(), at(153)).await.unwrap();
    assert!(desk.ledger.settle_edition(&quick, archived(), at(154)).await.unwrap_err().is_lost_claim(), "once only");
    let steps = path_of(&desk.ledger, "edition", slow.row.id).await;
    assert_eq!(steps.len(), 4, "planned, making, planned, making, archived: {steps:?}");

    let slow = desk.ledger.claim_deliveries(None, 1, minutes(1), at(160), RELAY).await.unwrap().remove(0);
    desk.ledger.reap(at(300)).await.unwrap();
    assert!(desk.ledger.renew_delivery(&slow, minutes(1), at(301)).await.unwrap_err().is_lost_claim());
    let late = desk.ledger.settle_as(&slow, &delivered(), &HOLD, at(301)).await;
    assert!(late.unwrap_err().is_lost_claim());
    assert_eq!(desk.delivery(slow.row.id).await.state, DeliveryState::Uncertain);
    // Nor when another is sending it by now: the state alone would let it.
    desk.ledger.resend(slow.row.id, "asked for", at(302)).await.unwrap();
    let quick = desk.claim_one(at(303)).await.unwrap();
    let late = desk.ledger.settle_as(&slow, &delivered(), &HOLD, at(304)).await;
    assert!(late.unwrap_err().is_lost_claim());
    desk.ledger.settle_as(&quick, &delivered(), &HOLD, at(305)).await.unwrap();
}

#[tokio::test]
async fn an_edition_fails_after_its_attempts() {
    let desk = Desk::new().await;
    let run = desk.run_with(&[edition("1", &["a@example.com"])]).await;
    for n in 1..=i64::from(EDITION_ATTEMPTS_MAX) {
        let claim = desk.ledger.claim_editions(None, 1, minutes(1), at(n)).await.unwrap().remove(0);
        let state = desk.ledger.settle_edition(&claim, EditionOutcome::Retry("disk full".to_owned()), at(n)).await;
        let is_last = n == i64::from(EDITION_ATTEMPTS_MAX);
        assert_eq!(state.unwrap(), if is_last { EditionState::Failed } else { EditionState::Planned });
    }
    let row = desk.ledger.editions(run).await.unwrap().rows.remove(0);
    assert_eq!(row.reason, "after 3 attempts: disk full");
    assert_eq!(desk.ledger.finish_run(run, at(9)).await.unwrap(), RunState::Partial);
}

#[tokio::test]
async fn an_edition_outlives_its_workers_up_to_a_bound_and_their_ends_are_no_attempts_of_its_own() {
    let desk = Desk::new().await;
    let run = desk.run_with(&[edition("1", &["a@example.com"])]).await;
    let claim =
        async |at_secs: i64| desk.ledger.claim_editions(None, 1, minutes(1), at(at_secs)).await.unwrap().remove(0);
    let state = async || desk.ledger.editions(run).await.unwrap().rows.remove(0).state;
    for n in 1..i64::from(EDITION_BROKEN_OFF_MAX) {
        claim(n * 100).await;
        desk.ledger.reap(at(n * 100 + 60)).await.unwrap();
        assert_eq!(state().await, EditionState::Planned, "{n}");
    }
    // Two errors of its own are not three.
    for n in [2_000, 2_001] {
        let claim = claim(n).await;
        desk.ledger.settle_edition(&claim, EditionOutcome::Retry("disk full".to_owned()), at(n)).await.unwrap();
    }
    assert_eq!(state().await, EditionState::Planned);
    claim(3_000).await;
    assert_eq!(desk.ledger.reap(at(3_060)).await.unwrap().n_editions_failed, 1);
    let row = desk.ledger.editions(run).await.unwrap().rows.remove(0);
    assert_eq!(row.reason, "10 times the worker's lease ended before it was made");
    assert_eq!(desk.ledger.finish_run(run, at(3_061)).await.unwrap(), RunState::Partial);
}

#[tokio::test]
async fn a_delivery_is_tried_again_after_growing_pauses_until_its_attempts_run_out() {
    let desk = Desk::new().await;
    let mut claim = desk.sending().await;
    let refused = Outcome::Retryable("451 try later".to_owned());
    let mut now = 100;
    // 60 s, then 120 s; a third pause would be cut to 150 s.
    for pause in [60, 120] {
        let state = desk.ledger.settle_as(&claim, &refused, &HOLD, at(now)).await.unwrap();
        assert_eq!(state, DeliveryState::Retryable);
        // Up to a quarter sooner, so that not all come back together.
        assert!(desk.claim_one(at(now + pause * 3 / 4 - 1)).await.is_none());
        now += pause;
        claim = desk.claim_one(at(now)).await.unwrap();
    }
    let state = desk.ledger.settle_as(&claim, &refused, &HOLD, at(now)).await.unwrap();
    assert_eq!(state, DeliveryState::Failed);
    let row = desk.delivery(claim.row.id).await;
    assert_eq!((row.reason.as_str(), row.n_attempts), ("after 3 attempts: 451 try later", 3));
    assert_eq!(row.message_id, claim.row.message_id);
    assert_eq!(HOLD.backoff(3), Duration::seconds(150));
    assert_eq!(HOLD.backoff(200), Duration::seconds(150));
    assert_eq!(desk.ledger.attempts(row.id).await.unwrap().len(), 3);
}

#[tokio::test]
async fn an_uncertain_delivery_follows_the_rule_of_its_schedule() {
    let lost = Outcome::Uncertain("the connection was lost after DATA".to_owned());
    for (rule, is_sent_again) in [(HOLD, false), (RESEND, true)] {
        let desk = Desk::new().await;
        let claim = desk.sending().await;
        let state = desk.ledger.settle_as(&claim, &lost, &rule, at(100)).await.unwrap();
        assert_eq!(state, DeliveryState::Uncertain);
        let again = desk.claim_one(at(100_000)).await;
        assert_eq!(again.is_some(), is_sent_again, "{rule:?}");
        if let Some(again) = again {
            assert_eq!((again.row.message_id, again.attempt_no), (claim.row.message_id, 2));
        }
    }
    // The same when the lease ran out instead: the rule is applied by whoever knows the schedule.
    for (rule, schedule, n) in [(HOLD, "monthly", 0), (RESEND, "weekly", 0), (RESEND, "monthly", 1)] {
        let desk = Desk::new().await;
        desk.sending().await;
        desk.ledger.reap(at(5000)).await.unwrap();
        assert_eq!(desk.ledger.resolve_uncertain(schedule, &rule, at(5001)).await.unwrap(), n, "{rule:?}");
        assert_eq!(desk.claim_one(at(5002)).await.is_some(), n == 1);
    }
}

#[tokio::test]
async fn resending_ends_with_the_attempts() {
    let desk = Desk::new().await;
    desk.sending().await;
    let mut n_sent = 1;
    for hour in 1..10 {
        desk.ledger.reap(at(hour * 3600)).await.unwrap();
        desk.ledger.resolve_uncertain("monthly", &RESEND, at(hour * 3600)).await.unwrap();
        n_sent += u32::from(desk.claim_one(at(hour * 3600)).await.is_some());
    }
    assert_eq!(n_sent, RESEND.attempts_max);
}

#[tokio::test]
async fn a_destination_gets_its_own_deliveries_only() {
    let desk = Desk::new().await;
    desk.run_with(&[edition("1", &["a@example.com"])]).await;
    desk.archive_all().await;
    assert!(desk.ledger.claim_deliveries(None, 9, minutes(1), at(10), "outbox").await.unwrap().is_empty());
    assert_eq!(desk.ledger.claim_deliveries(None, 9, minutes(1), at(10), RELAY).await.unwrap().len(), 1);
}

#[tokio::test]
async fn many_are_settled_at_once_and_a_lost_claim_spoils_none_of_the_others() {
    let desk = Desk::new().await;
    desk.run_with(&["1", "2", "3"].map(|name| edition(name, &["a@example.com"]))).await;
    let lost = desk.ledger.claim_editions(None, 1, minutes(1), at(0)).await.unwrap().remove(0);
    desk.ledger.reap(at(100)).await.unwrap();
    let claims = desk.ledger.claim_editions(None, 3, minutes(1), at(101)).await.unwrap();
    let settled: Vec<_> = std::iter::once(lost).chain(claims).map(|claim| (claim, archived())).collect();
    let is = Some(EditionState::Archived);
    assert_eq!(desk.ledger.settle_editions(settled, at(102)).await.unwrap(), [None, is, is, is]);
    let mut sent: Vec<_> = desk.ledger.claim_deliveries(None, 3, minutes(1), at(103), RELAY).await.unwrap();
    sent.push(sent[0].clone());
    let settled: Vec<_> = sent.into_iter().map(|claim| (claim, delivered().into())).collect();
    let is = Some(DeliveryState::Delivered);
    assert_eq!(desk.ledger.settle_deliveries(&settled, &HOLD, at(104)).await.unwrap(), [is, is, is, None]);
}

#[tokio::test]
async fn what_is_put_back_keeps_its_attempts_and_what_is_known_of_it() {
    let desk = Desk::new().await;
    let claim = desk.sending().await;
    desk.ledger.put_back(std::slice::from_ref(&claim), "the relay is down", at(600), at(20)).await.unwrap();
    let row = desk.delivery(claim.row.id).await;
    assert_eq!((row.state, row.n_attempts, row.reason.as_str()), (DeliveryState::Retryable, 0, "the relay is down"));
    assert!(desk.ledger.attempts(row.id).await.unwrap().is_empty());
    assert!(desk.claim_one(at(599)).await.is_none());
    // One that may have been taken is not known better for having been put back.
    let claim = desk.claim_one(at(600)).await.unwrap();
    assert_eq!(claim.attempt_no, 1);
    let lost = Outcome::Uncertain("lost".to_owned());
    desk.ledger.settle_as(&claim, &lost, &RESEND, at(601)).await.unwrap();
    let claim = desk.claim_one(at(700)).await.unwrap();
    desk.ledger.put_back(std::slice::from_ref(&claim), "told to stop", at(710), at(701)).await.unwrap();
    let row = desk.delivery(claim.row.id).await;
    assert_eq!((row.state, row.n_attempts), (DeliveryState::Uncertain, 1));
    // A claim that was lost is put back by nobody.
    let claim = desk.claim_one(at(710)).await.unwrap();
    desk.ledger.reap(at(5_000)).await.unwrap();
    desk.ledger.put_back(&[claim], "told to stop", at(5_001), at(5_001)).await.unwrap();
    assert_eq!(desk.ledger.attempts(row.id).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_delivery_is_given_up_at_its_deadline_and_says_so() {
    let desk = Desk::new().await;
    let retries = Retries { attempts_max: 100, deadline_hours: 1, ..HOLD };
    let refused = Outcome::Retryable("451 try later".to_owned());
    let mut claim = desk.sending().await;
    // First tried at 10 s: what would be tried after 3,610 s is not.
    for (now, state) in [(3_400, DeliveryState::Retryable), (3_590, DeliveryState::Failed)] {
        assert_eq!(desk.ledger.settle_as(&claim, &refused, &retries, at(now)).await.unwrap(), state, "{now}");
        if let Some(next) = desk.claim_one(at(now + 150)).await {
            claim = next;
        }
    }
    let row = desk.delivery(claim.row.id).await;
    assert_eq!(row.reason, "after 2 attempts within 1 hour: 451 try later");
    let once = Retries { attempts_max: 1, ..HOLD };
    desk.run_with(&[edition("2", &["a@example.com"])]).await;
    desk.archive_all().await;
    let claim = desk.claim_one(at(9_000)).await.unwrap();
    desk.ledger.settle_as(&claim, &refused, &once, at(9_001)).await.unwrap();
    assert_eq!(desk.delivery(claim.row.id).await.reason, "after 1 attempt: 451 try later");
}

#[tokio::test]
async fn attempts_that_the_relay_heard_of_count_towards_what_it_allows() {
    let desk = Desk::new().await;
    desk.run_with(&["1", "2", "3"].map(|name| edition(name, &["a@example.com"]))).await;
    desk.archive_all().await;
    let mut claims = desk.ledger.claim_deliveries(None, 2, minutes(10), at(100), RELAY).await.unwrap();
    let count_at = async |destination, since, now| {
        let mut conn = desk.ledger.read.acquire().await.unwrap();
        delivery::n_attempts_since(&mut conn, destination, at(since), at(now)).await.unwrap()
    };
    let count = async |since, now| count_at(RELAY, since, now).await;
    assert_eq!(count(99, 100).await, (2, Some(at(100))));
    assert_eq!((count(100, 110).await, count(0, 99).await), ((0, None), (0, None)));
    assert_eq!(count_at("another", 0, 110).await.0, 0);
    let refused: Handed = Outcome::Retryable("no".to_owned()).into();
    for (phase, n) in [(Phase::Login, 1), (Phase::Sender, 1)] {
        let handed = Handed { phase: Some(phase), answer: Some("535 no".to_owned()), ..refused.clone() };
        let claim = claims.pop().unwrap();
        desk.ledger.settle_deliveries(&[(claim.clone(), handed)], &HOLD, at(101)).await.unwrap();
        assert_eq!(count(0, 110).await.0, n, "{phase:?}");
        let attempt = desk.ledger.attempts(claim.row.id).await.unwrap().remove(0);
        assert_eq!((attempt.phase.as_deref(), attempt.answer.as_deref()), (Some(phase.word()), Some("535 no")));
    }
}

#[tokio::test]
async fn processes_side_by_side_claim_no_more_than_the_destination_allows() {
    let desk = Desk::new().await;
    desk.run_with(&["1", "2", "3", "4", "5", "6", "7"].map(|name| edition(name, &["a@example.com"]))).await;
    desk.archive_all().await;
    let another = desk.another().await;
    let windows = [(Duration::minutes(1), 5), (Duration::days(1), 6)];
    let n = async |ledger: &Ledger, now| {
        let room = Room { n: 3, windows: &windows };
        match ledger.claim_within(None, room, minutes(10), at(now), RELAY).await.unwrap() {
            Claimed::These(claims) => Ok(claims.len()),
            Claimed::Full(until) => Err(until),
        }
    };
    assert_eq!((n(&desk.ledger, 10).await, n(&another, 20).await), (Ok(3), Ok(2)));
    assert_eq!(n(&desk.ledger, 19).await, Err(at(70)), "one that read its clock before and waited for its turn");
    assert_eq!(n(&another, 69).await, Err(at(70)), "the first of them began a minute before");
    assert_eq!(n(&desk.ledger, 70).await, Ok(1), "of a day's six the last");
    assert_eq!(n(&another, 200).await, Err(at(10 + 24 * 3600)));
}

#[tokio::test]
async fn an_edition_that_could_not_be_filed_is_planned_again_and_loses_no_try() {
    let desk = Desk::new().await;
    desk.run_with(&[edition("1", &["a@example.com"])]).await;
    for n in 0..i64::from(2 * EDITION_ATTEMPTS_MAX) {
        let claims = desk.ledger.claim_editions(None, 1, minutes(10), at(n)).await.unwrap();
        let back = EditionOutcome::Back("the archive is away".to_owned());
        assert_eq!(desk.ledger.settle_edition(&claims[0], back, at(n)).await.unwrap(), EditionState::Planned);
        let row = desk.ledger.edition(claims[0].row.id).await.unwrap();
        assert_eq!((row.n_attempts, row.reason.as_str()), (0, "the archive is away"));
    }
}
