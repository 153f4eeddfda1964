//! A ledger that was restored from a backup, and what is released by hand.

use std::collections::BTreeMap;

use super::*;

const RETRY: fn() -> Outcome = || Outcome::Retryable("451 later".to_owned());

/// The ledger of a desk as a backup has it, in a folder of its own and not opened yet.
async fn copied(desk: &Desk, now: DateTime<Utc>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    desk.ledger.back_up(&folder.path().join("ledger.db"), now).await.unwrap();
    folder
}

async fn restored(desk: &Desk, taken_at: DateTime<Utc>, now: DateTime<Utc>) -> Desk {
    let folder = copied(desk, taken_at).await;
    let ledger = Ledger::open(&folder.path().join("ledger.db"), now).await.unwrap();
    Desk { folder, ledger }
}

async fn meta(ledger: &Ledger, key: &str) -> Option<String> {
    let value = sqlx::query_scalar("SELECT value FROM meta WHERE key = $1").bind(key.to_owned());
    value.fetch_optional(&ledger.read).await.unwrap()
}

/// One delivery each: planned before its edition is made, retryable, sending, uncertain and to be sent again,
/// delivered, suppressed; by their addresses.
async fn desk_with_everything() -> Desk {
    let desk = Desk::new().await;
    let mut made = edition("1", &["r@x.test", "s@x.test", "u@x.test", "d@x.test", "p@x.test"]);
    made.recipients[4].suppressed = Some("a rule".to_owned());
    desk.run_with(&[made]).await;
    desk.archive_all().await;
    for claim in desk.ledger.claim_deliveries(None, 9, minutes(10), at(10), RELAY).await.unwrap() {
        let outcome = match claim.row.address.as_str() {
            "r@x.test" => RETRY(),
            "u@x.test" => Outcome::Uncertain("lost".to_owned()),
            "d@x.test" => delivered(),
            _ => continue,
        };
        desk.ledger.settle_as(&claim, &outcome, &RESEND, at(11)).await.unwrap();
    }
    desk.run_with(&[edition("2", &["w@x.test"])]).await;
    desk
}

async fn states(ledger: &Ledger) -> BTreeMap<String, DeliveryRow> {
    let mut by_address = BTreeMap::new();
    for run in ledger.runs(100).await.unwrap() {
        for row in ledger.deliveries(&DeliveriesOf::Run(run.id)).await.unwrap().rows {
            by_address.insert(row.address.clone(), row);
        }
    }
    by_address
}

#[tokio::test]
async fn what_was_open_in_a_backup_is_held_or_uncertain_when_it_is_restored() {
    use DeliveryState::{Delivered, Held, Planned, Retryable, Sending, Suppressed, Uncertain};
    let desk = desk_with_everything().await;
    let back = restored(&desk, at(30), at(9_000)).await;
    let rows = states(&back.ledger).await;
    let live = states(&desk.ledger).await;
    let reason = "the ledger was restored from a backup of 2026-11-23 06:00:30 UTC: it may have been sent since";
    for (address, before, after) in [
        ("w@x.test", Planned, Held),
        ("r@x.test", Retryable, Held),
        ("s@x.test", Sending, Uncertain),
        ("u@x.test", Uncertain, Uncertain),
        ("d@x.test", Delivered, Delivered),
        ("p@x.test", Suppressed, Suppressed),
    ] {
        let (row, id) = (&rows[address], rows[address].id.to_string());
        assert_eq!((live[address].state, row.state, row.next_at), (before, after, None), "{address}");
        let last = back.ledger.moves_of("delivery", &id).await.unwrap().rows.pop();
        if before != after {
            assert_eq!((row.reason.as_str(), row.moved_at), (reason, at(9_000)), "{address}");
            let last = last.unwrap();
            assert_eq!(
                (last.from.as_str(), last.to.as_str(), last.reason.as_str()),
                (before.word(), after.word(), reason)
            );
        }
    }
    let attempt = back.ledger.attempts(rows["s@x.test"].id).await.unwrap().pop().unwrap();
    assert_eq!((attempt.ended_at, attempt.outcome), (Some(at(9_000)), Some(Uncertain)));
    back.archive_all().await;
    assert_eq!(back.claim_one(at(99_000)).await, None, "nothing is sent by itself");
}

#[tokio::test]
async fn the_mark_is_in_the_copy_only_and_gives_way_when_that_is_opened() {
    let desk = desk_with_everything().await;
    let back = restored(&desk, at(30), at(40)).await;
    assert_eq!(meta(&desk.ledger, "backup_of").await, None);
    assert_eq!(meta(&back.ledger, "backup_of").await, None);
    assert_eq!(meta(&back.ledger, "restored_at").await, Some(micros(at(40)).to_string()));
    assert_eq!(back.ledger.restored_at().await.unwrap(), Some(at(40)));
    assert_eq!(desk.ledger.restored_at().await.unwrap(), None);
    // What is planned afterwards is a restored ledger's own.
    back.run_with(&[edition("3", &["n@x.test"])]).await;
    let again = back.another().await;
    assert_eq!(states(&again).await["n@x.test"].state, DeliveryState::Planned);
    assert_eq!(again.restored_at().await.unwrap(), Some(at(40)), "it is held once");
    // A backup of a restored ledger is one again.
    let third = restored(&back, at(50), at(60)).await;
    assert_eq!(states(&third.ledger).await["n@x.test"].state, DeliveryState::Held);
}

#[tokio::test]
async fn a_copy_is_one_file_is_proven_whole_and_overwrites_nothing() {
    let desk = desk_with_everything().await;
    let folder = copied(&desk, at(30)).await;
    let copy = folder.path().join("ledger.db");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(prove_copy(&copy).await.unwrap(), Vec::<String>::new());
    assert!(desk.ledger.back_up(&copy, at(31)).await.is_err(), "it is there");
    let nowhere = desk.ledger.back_up(&folder.path().join("no/such/ledger.db"), at(31)).await.unwrap_err();
    assert!(matches!(&nowhere, LedgerError::File { .. }) && nowhere.to_string().contains("no/such"), "{nowhere:?}");
    // The header counts free pages (sqlite.org/fileformat.html, 1.3.8) that are not there.
    let mut bytes = std::fs::read(&copy).unwrap();
    bytes[39] = 7;
    std::fs::write(&copy, &bytes).unwrap();
    let found = prove_copy(&copy).await.unwrap();
    assert!(found.len() == 1 && found[0].contains("should be 7"), "{found:?}");
    bytes.truncate(bytes.len() / 2);
    std::fs::write(&copy, bytes).unwrap();
    let found = prove_copy(&copy).await;
    assert!(found.as_ref().map_or(true, |found| !found.is_empty()), "{found:?}");
}

#[tokio::test]
async fn the_log_of_the_ledger_before_is_refused_beside_a_restored_one() {
    let desk = desk_with_everything().await;
    let folder = copied(&desk, at(30)).await;
    let (copy, log) = (folder.path().join("ledger.db"), folder.path().join("ledger.db-wal"));
    std::fs::copy(desk.folder.path().join("ledger.db-wal"), &log).unwrap();
    let before = std::fs::read(&copy).unwrap();
    let error = Ledger::open(&copy, at(40)).await.unwrap_err();
    assert!(matches!(&error, LedgerError::LogOfAnother { .. }) && error.hint().is_some(), "{error:?}");
    assert_eq!(std::fs::read(&copy).unwrap(), before);
    std::fs::remove_file(&log).unwrap();
    let ledger = Ledger::open(&copy, at(40)).await.unwrap();
    assert!(std::fs::metadata(&log).unwrap().len() > 0);
    // Its own log, as a crash leaves it, is no stranger.
    Ledger::open(&copy, at(50)).await.unwrap();
    drop(ledger);
}

#[tokio::test]
async fn a_delivery_born_held_stays_so_when_its_edition_is_archived_and_is_sent_once_released() {
    let desk = Desk::new().await;
    let mut new = edition("1", &["a@example.com", "b@example.com"]);
    new.recipients[0].held = Some("the archive has it".to_owned());
    let run = desk.run_with(&[new]).await;
    desk.archive_all().await;
    let sent = desk.claim_one(at(10)).await.unwrap();
    assert_eq!(sent.row.address, "b@example.com");
    desk.ledger.settle_as(&sent, &delivered(), &HOLD, at(11)).await.unwrap();
    assert_eq!(desk.claim_one(at(12)).await, None);
    assert_eq!(desk.ledger.finish_run(run, at(13)).await.unwrap(), RunState::Partial);
    let row = states(&desk.ledger).await.remove("a@example.com").unwrap();
    assert_eq!((row.state, row.reason.as_str()), (DeliveryState::Held, "the archive has it"));
    desk.ledger.release_delivery(row.id, "she has not got it", at(14)).await.unwrap();
    assert_eq!(desk.claim_one(at(15)).await.unwrap().row.id, row.id);
}

#[tokio::test]
async fn a_release_moves_on_everything_that_a_run_holds_and_names_what_it_leaves() {
    let desk = Desk::new().await;
    let held = |n: &str, address: &str| {
        let mut new = edition(n, &[address]);
        new.recipients[0].held = Some("why".to_owned());
        new
    };
    let editions = [
        edition("1", &["gate@x.test"]),
        held("2", "ready@x.test"),
        held("3", "early@x.test"),
        held("4", "none@x.test"),
    ];
    let run = desk.run_with(&editions).await;
    for claim in desk.ledger.claim_editions(None, 9, minutes(10), at(1)).await.unwrap() {
        let outcome = match claim.row.audience.partner_id.as_str() {
            "1" => EditionOutcome::Held("gate: odd".to_owned()),
            "2" => archived(),
            "3" => EditionOutcome::Retry("again".to_owned()),
            _ => EditionOutcome::Failed("no".to_owned()),
        };
        desk.ledger.settle_edition(&claim, outcome, at(2)).await.unwrap();
    }
    let later = desk.run_with(&[edition("1", &["late@x.test"])]).await;
    let told = desk.ledger.held().await.unwrap();
    assert_eq!(told.len(), 1, "the later run's delivery waits for an edition of the first: {told:?}");
    assert_eq!((told[0].run, told[0].n_editions, told[0].n_deliveries, told[0].n_reasons), (run, 1, 3, 2));
    let nothing = desk.ledger.release(later, "please", at(3)).await.unwrap();
    assert!(nothing.is_nothing() && nothing.waiting_for == BTreeMap::from([(run, 1)]), "{nothing:?}");
    let released = desk.ledger.release(run, "looked at", at(4)).await.unwrap();
    let expected = Released { n_editions: 1, n_deliveries: 4, n_without_pack: 1, ..Released::default() };
    assert_eq!(released, expected);
    assert_eq!(desk.ledger.held().await.unwrap(), []);
    assert!(desk.ledger.release(run, "again", at(5)).await.unwrap().is_nothing());
    let rows = states(&desk.ledger).await;
    assert_eq!(rows["none@x.test"].reason, "its edition is failed: no");
    let path = path_of(&desk.ledger, "delivery", rows["none@x.test"].id).await;
    assert_eq!(path, [("held".to_owned(), "planned".to_owned()), ("planned".to_owned(), "skipped".to_owned())]);
    assert_eq!(rows["ready@x.test"].next_at, Some(at(4)));
    assert_eq!((rows["early@x.test"].state, rows["early@x.test"].next_at), (DeliveryState::Planned, None));
    assert_eq!(rows["late@x.test"].reason, "by hand: looked at");
    desk.archive_all().await;
    assert_eq!(desk.ledger.claim_deliveries(None, 9, minutes(10), at(10), RELAY).await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_held_run_is_released_too_and_an_unknown_one_is_named() {
    let desk = Desk::new().await;
    let (run, _) = desk.ledger.plan_run(&new_run(Some(at(0))), at(0)).await.unwrap();
    desk.ledger.move_run(run.id, RunState::Waiting, "no data", at(1)).await.unwrap();
    desk.ledger.move_run(run.id, RunState::Held, "the data never came", at(2)).await.unwrap();
    let told = desk.ledger.held().await.unwrap();
    assert!(told[0].is_run_held && told[0].reason == "the data never came", "{told:?}");
    assert!(desk.ledger.release(run.id, "go on", at(3)).await.unwrap().was_run_held);
    assert_eq!(desk.ledger.run(run.id).await.unwrap().reason, "by hand: go on");
    assert!(matches!(desk.ledger.release(RunId(99), "x", at(3)).await, Err(LedgerError::NoSuch { .. })));
}
