//! Beats of the daemon under a clock that moves only when told to, over a real ledger, archive and outbox.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};

use super::*;
use crate::archive::Archive;
use crate::audience::{Grant, Recipient, Scope};
use crate::base::Digest;
use crate::clock::{Clock, ManualClock};
use crate::config;
use crate::deliver::{Destination, Mailbox, Outbox, Outcome, Parcel, Receipt};
use crate::facts::ingest::{Ingest, PartnerFrom};
use crate::facts::sample::{self, SampleSize};
use crate::facts::{ProductMap, SqliteFacts};
use crate::ledger::{DeliveriesOf, DeliveryState, Ledger, Retries, RunState, UncertainRule};
use crate::pipeline::Stop;
use crate::render::Format;
use crate::render::email::MailTemplates;

const SCHEDULE: &str = "monthly";

struct Desk {
    folder: tempfile::TempDir,
    clock: ManualClock,
    daemon: Daemon,
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A partner of the sample with one recipient, a monthly schedule at 06:00 on the 22nd, and the clock at an instant.
async fn desk(now: &str, catch_up: CatchUp) -> Desk {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(at(now));
    let facts = SqliteFacts::open(&folder.path().join("facts.db"), clock.now()).await.unwrap();
    let partner = ingest(folder.path(), &facts).await;
    let order = Arc::new(order(folder.path(), partner));
    let outbox = Arc::new(Outbox::new(folder.path().join("outbox")));
    let daemon = daemon(folder.path(), &clock, (facts, outbox), order, catch_up).await;
    Desk { folder, clock, daemon }
}

/// A daemon as a process of its own starts one: with its own part in the ledger.
async fn daemon(
    folder: &Path,
    clock: &ManualClock,
    (facts, destination): (SqliteFacts, Arc<dyn Destination>),
    order: Arc<Order>,
    catch_up: CatchUp,
) -> Daemon {
    let press = Press {
        facts: Arc::new(facts),
        ledger: Arc::new(Ledger::open(&folder.join("ledger.db"), clock.now()).await.unwrap()),
        archive: Arc::new(Archive::folder(&folder.join("archive")).unwrap()),
        destination,
        clock: Arc::new(clock.clone()),
        stop: Stop::default(),
    };
    let timed = Timed {
        schedule: SCHEDULE.to_owned(),
        cadence: Cadence::new(crate::schedule::Times::Cron("0 6 22 * *".parse().unwrap()), chrono_tz::UTC),
        period: PeriodRule::default(),
        catch_up,
        deadline: Some(Duration::hours(72)),
    };
    Daemon { press, orders: BTreeMap::from([(SCHEDULE.to_owned(), order)]), timed: vec![timed], inbox: None }
}

/// An outbox that never answers, as if the program were killed while it waits; it has stored the mail or not.
struct Silent {
    outbox: Outbox,
    stores: bool,
    can_tell: bool,
}

impl Destination for Silent {
    fn name(&self) -> String {
        "silent".to_owned()
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            if self.stores {
                self.outbox.deliver(parcel).await;
            }
            std::future::pending().await
        })
    }

    fn receipt<'a>(&'a self, message_id: &'a str) -> BoxFuture<'a, Option<Receipt>> {
        self.outbox.receipt(message_id)
    }

    fn can_tell(&self) -> bool {
        self.can_tell
    }

    fn check(&self) -> BoxFuture<'_, Result<String, String>> {
        self.outbox.check()
    }
}

/// Mails in the outbox, and the states of the deliveries, after a start that was killed while it sent and another.
async fn after_a_kill_while_sending(stores: bool, can_tell: bool) -> (usize, Vec<DeliveryState>) {
    let desk = desk("2026-11-20T00:00:00Z", CatchUp::Latest).await;
    desk.beat_at("2026-11-20T00:00:05Z").await;
    let folder = desk.folder.path().to_owned();
    let order = Arc::clone(&desk.daemon.orders[SCHEDULE]);
    let silent = |stores| Silent { outbox: Outbox::new(folder.join("outbox")), stores, can_tell };
    let start = async |destination: Arc<dyn Destination>| {
        let facts = SqliteFacts::open(&folder.join("facts.db"), desk.clock.now()).await.unwrap();
        daemon(&folder, &desk.clock, (facts, destination), Arc::clone(&order), CatchUp::Latest).await
    };
    desk.clock.advance(at("2026-11-22T06:00:00Z") - desk.clock.now());
    let killed = start(Arc::new(silent(stores))).await;
    let patience = std::time::Duration::from_secs(10);
    let sending = async {
        while states(&desk).await != [DeliveryState::Sending] {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        // The mail is stored, if it is, before the answer is awaited.
        while stores && desk.mails() == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        _ = killed.beat() => panic!("a destination that never answers has answered"),
        sent = tokio::time::timeout(patience, sending) => sent.unwrap(),
    }
    drop(killed);
    let next: Arc<dyn Destination> =
        if can_tell { Arc::new(Outbox::new(folder.join("outbox"))) } else { Arc::new(silent(true)) };
    // A destination that never answers is not to be asked again: that would be a second sending.
    tokio::time::timeout(patience, start(next).await.beat()).await.unwrap().unwrap();
    (desk.mails(), states(&desk).await)
}

async fn states(desk: &Desk) -> Vec<DeliveryState> {
    let of = DeliveriesOf::Address("a@example.com".to_owned());
    let rows = desk.daemon.press.ledger.deliveries(&of).await.unwrap().rows;
    rows.into_iter().map(|row| row.state).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_a_mail_is_sent_is_settled_by_looking_where_the_destination_can_tell() {
    let delivered = vec![DeliveryState::Delivered];
    assert_eq!(after_a_kill_while_sending(true, true).await, (1, delivered.clone()));
    assert_eq!(after_a_kill_while_sending(false, true).await, (1, delivered));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_a_mail_is_sent_stays_uncertain_under_hold_where_nobody_can_tell() {
    assert_eq!(after_a_kill_while_sending(false, false).await, (0, vec![DeliveryState::Uncertain]));
    assert_eq!(after_a_kill_while_sending(true, false).await, (1, vec![DeliveryState::Uncertain]));
}

async fn ingest(folder: &Path, facts: &SqliteFacts) -> String {
    let exported_at = at("2026-11-24T00:00:00Z");
    let size = SampleSize { n_partners: 1, ..SampleSize::new("2026-11".parse().unwrap(), exported_at) };
    let mut files = Vec::new();
    sample::write(&size, &mut |file| {
        files.push(folder.join(&file.name));
        std::fs::write(folder.join(&file.name), &file.bytes)
    })
    .unwrap();
    let ingest = Ingest::new(facts, &ProductMap::shipped(), PartnerFrom::Account);
    for path in &files {
        ingest.file(path, None, exported_at, &|_| {}).await.unwrap();
    }
    sample::partners(&size)[0].id.clone()
}

fn order(folder: &Path, partner_id: String) -> Order {
    for (path, text) in config::shipped_files() {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let config = config::load(&folder.join("pressrun.toml")).unwrap();
    let mailbox = Mailbox { name: String::new(), address: "reports@example.com".to_owned() };
    Order {
        schedule: SCHEDULE.to_owned(),
        template: config.template,
        roles: config.roles,
        themes: Arc::default(),
        mail: MailTemplates::shipped(),
        formats: vec![Format::Pdf],
        range_months: 3,
        closing_day: 20,
        send_empty: false,
        partners: None,
        only_roles: None,
        recipients: vec![Recipient {
            address: "a@example.com".to_owned(),
            name: String::new(),
            partner_id,
            grant: Grant { role: "report-viewer".to_owned(), scope: Scope::Organization },
            language: "en".to_owned(),
        }],
        from: mailbox,
        reply_to: None,
        contact: "admin".to_owned(),
        message_id_domain: "example.com".to_owned(),
        retries: Retries { attempts_max: 3, backoff_secs_min: 60, backoff_secs_max: 60, rule: UncertainRule::Hold },
        config_digest: Digest::of(b"configuration"),
    }
}

impl Desk {
    fn mails(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("outbox")).map_or(0, Iterator::count)
    }

    async fn beat_at(&self, now: &str) {
        self.clock.advance(at(now) - self.clock.now());
        self.daemon.beat().await.unwrap();
    }

    /// Every run's period and state, the oldest first.
    async fn runs(&self) -> Vec<(String, RunState)> {
        let mut runs = self.daemon.press.ledger.runs(100).await.unwrap();
        runs.reverse();
        runs.into_iter().map(|run| (run.period.to_string(), run.state)).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_occurrence_runs_once_however_often_the_heart_beats() {
    let desk = desk("2026-11-20T00:00:00Z", CatchUp::Latest).await;
    desk.beat_at("2026-11-22T05:59:59Z").await;
    assert_eq!((desk.runs().await, desk.mails()), (vec![], 0));
    for second in ["06:00:00", "06:00:05", "06:00:10"] {
        desk.beat_at(&format!("2026-11-22T{second}Z")).await;
        assert_eq!((desk.runs().await, desk.mails()), (vec![("2026-10".to_owned(), RunState::Done)], 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_long_sleep_the_latest_runs_and_the_others_are_recorded_as_missed() {
    let desk = desk("2026-08-01T00:00:00Z", CatchUp::Latest).await;
    desk.beat_at("2026-08-01T00:00:05Z").await;
    desk.beat_at("2026-11-22T09:00:00Z").await;
    let missed = |period: &str| (period.to_owned(), RunState::Missed);
    let expected =
        vec![missed("2026-07"), missed("2026-08"), missed("2026-09"), ("2026-10".to_owned(), RunState::Done)];
    assert_eq!((desk.runs().await, desk.mails()), (expected, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_seen_after_its_deadline_is_missed_with_a_reason() {
    let desk = desk("2026-11-20T00:00:00Z", CatchUp::Latest).await;
    desk.beat_at("2026-11-20T00:00:05Z").await;
    desk.beat_at("2026-11-25T06:00:01Z").await;
    assert_eq!((desk.runs().await, desk.mails()), (vec![("2026-10".to_owned(), RunState::Missed)], 0));
    assert!(desk.daemon.press.ledger.runs(1).await.unwrap()[0].reason.contains("after its deadline"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_before_a_schedule_was_first_seen_is_due() {
    let desk = desk("2026-11-22T06:00:01Z", CatchUp::All).await;
    desk.beat_at("2026-11-22T07:00:00Z").await;
    assert_eq!(desk.runs().await, vec![]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_cadence_is_due_from_its_change_on_and_the_past_stays_as_it_was() {
    let mut desk = desk("2026-10-20T00:00:00Z", CatchUp::All).await;
    desk.beat_at("2026-10-20T00:00:05Z").await;
    desk.beat_at("2026-10-22T06:00:00Z").await;
    let before = desk.runs().await;
    assert_eq!(before.len(), 1);
    // Daily from now on: the days since the last run were never this cadence's.
    desk.daemon.timed[0].cadence.times = crate::schedule::Times::Cron("0 6 * * *".parse().unwrap());
    desk.beat_at("2026-11-10T12:00:00Z").await;
    assert_eq!(desk.runs().await, before);
    desk.beat_at("2026-11-12T07:00:00Z").await;
    let occurrences = desk.daemon.press.ledger.occurrences_after(SCHEDULE, at("2026-10-22T06:00:00Z")).await.unwrap();
    assert_eq!(occurrences, [at("2026-11-11T06:00:00Z"), at("2026-11-12T06:00:00Z")]);
}
