//! Beats of the daemon under a clock that moves only when told to, over a real ledger, archive and outbox.

mod brakes;
mod faults;
mod hands;
mod killed;
mod letters;
mod pace;
mod stores;
mod waiting;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};

use super::*;
use crate::archive::Archive;
use crate::audience::{Grant, Recipient, Scope};
use crate::clock::{Clock, ManualClock};
use crate::config;
use crate::deliver::{Destination, Handed, Mailbox, Outbox, Outcome, Parcel, Receipt};
use crate::facts::ingest::{Ingest, PartnerFrom};
use crate::facts::sample::{self, SampleSize};
use crate::facts::{ProductMap, SqliteFacts};
use crate::ledger::{DeliveriesOf, DeliveryState, EraChange, Ledger, Retries, RunState, UncertainRule};
use crate::pipeline::{Destinations, Makers, Stop};
use crate::render::Format;
use crate::render::email::MailTemplates;
use crate::schedule::{Cadence, CatchUp, NotFull, PeriodRule, Times};

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
    let partners = ingest(folder.path(), &facts, 1, "2026-11-24T00:00:00Z").await;
    let order = Arc::new(order(folder.path(), &partners));
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
        destinations: Destinations::mail(destination),
        clock: Arc::new(clock.clone()),
        stop: Stop::default(),
        makers: Makers::default(),
        past: None,
    };
    let timed = Timed {
        schedule: SCHEDULE.to_owned(),
        timing: timing("0 6 22 * *"),
        late: Lateness { catch_up, catch_up_max: 12, deadline: Duration::hours(72) },
        overlap: Overlap::Queue,
        jitter_secs_max: 0,
    };
    let rota = Rota {
        press,
        orders: BTreeMap::from([(SCHEDULE.to_owned(), order)]),
        timed: vec![timed],
        inbox: None,
        digest: None,
        config_digest: Digest::of(b"configuration"),
    };
    let refused: Reload = Arc::new(|_| Box::pin(async { Err("no such file".to_owned()) }));
    Daemon::new(rota, refused, Ways { drain: std::time::Duration::from_secs(10), listen: None })
}

fn timing(cron: &str) -> Timing {
    let cadence = Cadence::new(Times::Cron(cron.parse().unwrap()), chrono_tz::UTC);
    Timing { cadence, period: PeriodRule::default() }
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

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> BoxFuture<'a, Handed> {
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

/// A destination that keeps nothing and cannot tell; it only answers.
struct Answers(Box<dyn Fn() -> BoxFuture<'static, Outcome> + Send + Sync>);

impl Answers {
    fn with<F: Future<Output = Outcome> + Send + 'static>(
        answer: impl Fn() -> F + Send + Sync + 'static,
    ) -> Arc<dyn Destination> {
        Arc::new(Answers(Box::new(move || Box::pin(answer()))))
    }
}

impl Destination for Answers {
    fn name(&self) -> String {
        "answers".to_owned()
    }

    fn deliver<'a>(&'a self, _: &'a Parcel) -> BoxFuture<'a, Handed> {
        let answer = (self.0)();
        Box::pin(async { answer.await.into() })
    }

    fn receipt<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Option<Receipt>> {
        Box::pin(async { None })
    }

    fn can_tell(&self) -> bool {
        false
    }

    fn check(&self) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(async { Ok(String::new()) })
    }
}

/// A daemon's process is gone, with its part in the ledger: what it had under way ends a moment after it.
async fn gone(killed: Daemon) {
    let ledger = Arc::downgrade(&killed.rota.press.ledger);
    drop(killed);
    while ledger.strong_count() > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

async fn states(desk: &Desk) -> Vec<DeliveryState> {
    let of = DeliveriesOf::Address("a@example.com".to_owned());
    let rows = desk.daemon.rota.press.ledger.deliveries(&of).await.unwrap().rows;
    rows.into_iter().map(|row| row.state).collect()
}

/// Ingests the first partners of the sample, exported at an instant, up to the month that was running then.
async fn ingest(folder: &Path, facts: &SqliteFacts, n_partners: usize, exported_at: &str) -> Vec<String> {
    let exported_at = at(exported_at);
    let last = crate::base::Month::of(exported_at.date_naive());
    let size = SampleSize { n_partners, ..SampleSize::new(last, exported_at) };
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
    sample::partners(&size).into_iter().take(n_partners).map(|partner| partner.id).collect()
}

/// With a recipient a partner: `a@example.com`, `b@example.com`, …
fn order(folder: &Path, partners: &[String]) -> Order {
    for (path, text) in config::shipped_files() {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let config = config::load(&folder.join("pressrun.toml")).unwrap();
    let mailbox = Mailbox { name: String::new(), address: "reports@example.com".to_owned() };
    let recipients = partners.iter().zip('a'..).map(|(partner_id, letter)| Recipient {
        address: format!("{letter}@example.com"),
        name: String::new(),
        partner_id: partner_id.clone(),
        grant: Grant { role: "report-viewer".to_owned(), scope: Scope::Organization },
        language: "en".to_owned(),
    });
    Order {
        not_full: NotFull::WaitThenSend,
        schedule: SCHEDULE.to_owned(),
        template: config.template,
        roles: config.roles,
        themes: Arc::default(),
        mail: Arc::new(MailTemplates::shipped()),
        formats: vec![Format::Pdf],
        range_months: 3,
        closing_day: 20,
        send_empty: false,
        partners: None,
        only_roles: None,
        recipients: Arc::new(recipients.collect()),
        from: mailbox,
        reply_to: None,
        contact: "admin".to_owned(),
        message_id_domain: "example.com".to_owned(),
        brakes: crate::deliver::Brakes::default(),
        is_narrowed: false,
        retries: Retries::thrice(),
        stores: Vec::new(),
        config_digest: Digest::of(b"configuration"),
    }
}

impl Desk {
    fn mails(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("outbox")).map_or(0, Iterator::count)
    }

    /// One beat, and what it takes up worked on to its end.
    async fn beat_at(&mut self, now: &str) {
        self.clock.advance(at(now) - self.clock.now());
        self.daemon.beat(Step::Steady).await.unwrap();
        self.daemon.hands.rest().await;
    }

    /// The daemon's part in the configuration is read anew.
    fn change(&mut self, change: impl FnOnce(&mut Rota)) {
        change(&mut self.daemon.rota);
        self.daemon.timetable = None;
    }

    /// Every run's period and state, the oldest first.
    async fn runs(&self) -> Vec<(String, RunState)> {
        let mut runs = self.daemon.rota.press.ledger.runs(100).await.unwrap();
        runs.reverse();
        runs.into_iter().map(|run| (run.period.to_string(), run.state)).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_occurrence_runs_once_however_often_the_heart_beats() {
    let mut desk = desk("2026-11-20T00:00:00Z", CatchUp::Latest).await;
    desk.beat_at("2026-11-22T05:59:59Z").await;
    assert_eq!((desk.runs().await, desk.mails()), (vec![], 0));
    for second in ["06:00:00", "06:00:05", "06:00:10"] {
        desk.beat_at(&format!("2026-11-22T{second}Z")).await;
        assert_eq!((desk.runs().await, desk.mails()), (vec![("2026-10".to_owned(), RunState::Done)], 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_long_sleep_the_latest_runs_and_the_others_are_recorded_as_missed() {
    let mut desk = desk("2026-08-01T00:00:00Z", CatchUp::Latest).await;
    desk.beat_at("2026-08-01T00:00:05Z").await;
    desk.beat_at("2026-11-22T09:00:00Z").await;
    let missed = |period: &str| (period.to_owned(), RunState::Missed);
    let expected =
        vec![missed("2026-07"), missed("2026-08"), missed("2026-09"), ("2026-10".to_owned(), RunState::Done)];
    assert_eq!((desk.runs().await, desk.mails()), (expected, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_seen_after_its_deadline_is_missed_with_a_reason() {
    let mut desk = desk("2026-11-20T00:00:00Z", CatchUp::Latest).await;
    desk.beat_at("2026-11-20T00:00:05Z").await;
    desk.beat_at("2026-11-25T06:00:01Z").await;
    assert_eq!((desk.runs().await, desk.mails()), (vec![("2026-10".to_owned(), RunState::Missed)], 0));
    assert!(desk.daemon.rota.press.ledger.runs(1).await.unwrap()[0].reason.contains("after its deadline"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_before_a_schedule_was_first_seen_is_due() {
    let mut desk = desk("2026-11-22T06:00:01Z", CatchUp::All).await;
    desk.beat_at("2026-11-22T07:00:00Z").await;
    assert_eq!(desk.runs().await, vec![]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cadence_stands_until_a_daemon_sees_another() {
    let mut desk = desk("2026-10-20T00:00:00Z", CatchUp::All).await;
    desk.beat_at("2026-10-20T00:00:05Z").await;
    // Edited while no daemon ran: what came due by then was the old cadence's, the new one's days count from its change.
    desk.change(|rota| rota.timed[0].timing = timing("0 6 * * *"));
    desk.beat_at("2026-10-24T12:00:00Z").await;
    let occurrences = async |desk: &Desk| {
        desk.daemon.rota.press.ledger.occurrences_after(SCHEDULE, at("2026-10-01T00:00:00Z")).await.unwrap()
    };
    assert_eq!(occurrences(&desk).await, [at("2026-10-22T06:00:00Z")]);
    assert_eq!(desk.runs().await, [("2026-09".to_owned(), RunState::Done)]);
    desk.beat_at("2026-10-26T07:00:00Z").await;
    assert_eq!(occurrences(&desk).await[1..], [at("2026-10-25T06:00:00Z"), at("2026-10-26T06:00:00Z")]);
    // A start that sees no change counts on from the last row.
    desk.change(|_| {});
    desk.beat_at("2026-10-27T07:00:00Z").await;
    assert_eq!(occurrences(&desk).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_schedule_that_is_gone_named_is_recorded_as_skipped() {
    let mut desk = desk("2026-10-20T00:00:00Z", CatchUp::All).await;
    desk.beat_at("2026-10-20T00:00:05Z").await;
    desk.change(|rota| rota.timed.clear());
    desk.beat_at("2026-11-23T00:00:00Z").await;
    let skipped = |period: &str| (period.to_owned(), RunState::Skipped);
    assert_eq!(desk.runs().await, [skipped("2026-09"), skipped("2026-10")]);
    let row = &desk.daemon.rota.press.ledger.runs(1).await.unwrap()[0];
    assert_eq!(row.reason, "the schedule is not in the configuration any more");
    let eras = desk.daemon.rota.press.ledger.eras().await.unwrap();
    assert_eq!(eras[0].until_at, Some(at("2026-11-23T00:00:00Z")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_era_in_an_earlier_program_s_words_goes_on() {
    let mut desk = desk("2026-10-20T00:00:00Z", CatchUp::All).await;
    let ledger = Arc::clone(&desk.daemon.rota.press.ledger);
    ledger
        .change_eras(&[(SCHEDULE.to_owned(), EraChange::Begins(timing("0 6 1 * *")))], at("2026-09-23T00:00:00Z"))
        .await
        .unwrap();
    let raw = sqlx::SqlitePool::connect(&format!("sqlite://{}", ledger.path().display())).await.unwrap();
    sqlx::query("UPDATE era SET timing = '{\"cron\":\"in other words\"}'").execute(&raw).await.unwrap();
    desk.beat_at("2026-10-22T07:00:00Z").await;
    assert_eq!(desk.runs().await, [("2026-09".to_owned(), RunState::Done)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_ahead_makes_nothing_run_twice_and_leaves_nothing_out() {
    let mut desk = desk("2026-09-20T00:00:00Z", CatchUp::Latest).await;
    desk.beat_at("2026-09-20T00:00:05Z").await;
    desk.beat_at("2026-11-22T07:00:00Z").await;
    let missed = |period: &str| (period.to_owned(), RunState::Missed);
    assert_eq!(desk.runs().await, [missed("2026-08"), missed("2026-09"), ("2026-10".to_owned(), RunState::Done)]);
    // Set right again: what was recorded ahead of its time is due at its time.
    desk.change(|_| {});
    desk.beat_at("2026-09-20T00:01:00Z").await;
    desk.beat_at("2026-09-22T06:00:00Z").await;
    assert_eq!(desk.runs().await[0], ("2026-08".to_owned(), RunState::Done));
    desk.beat_at("2026-10-22T06:00:00Z").await;
    desk.beat_at("2026-11-22T06:00:00Z").await;
    let done: Vec<_> = ["2026-08", "2026-09", "2026-10"].map(|period| (period.to_owned(), RunState::Done)).into();
    assert_eq!((desk.runs().await, desk.mails()), (done, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_occurrence_while_an_earlier_one_runs_waits_for_it_or_is_skipped() {
    for (overlap, last) in [(Overlap::Queue, RunState::Done), (Overlap::Skip, RunState::Skipped)] {
        let mut desk = desk("2026-09-20T00:00:00Z", CatchUp::Latest).await;
        desk.change(|rota| rota.timed[0].overlap = overlap);
        desk.beat_at("2026-09-20T00:00:05Z").await;
        let before = desk.daemon.rota.press.destinations.clone();
        let outbox = Outbox::new(desk.folder.path().join("outbox"));
        let silent = Arc::new(Silent { outbox, stores: false, can_tell: false });
        desk.daemon.rota.press.destinations = Destinations::mail(silent);
        for now in ["2026-09-22T06:00:00Z", "2026-10-22T06:00:00Z", "2026-10-22T06:00:05Z"] {
            desk.clock.advance(at(now) - desk.clock.now());
            desk.daemon.beat(Step::Steady).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        }
        let states: Vec<RunState> = desk.runs().await.into_iter().map(|(_, state)| state).collect();
        let second = if overlap == Overlap::Queue { RunState::Planned } else { RunState::Skipped };
        assert_eq!(states, [RunState::Running, second], "{overlap:?}");
        desk.daemon.hands.tasks.abort_all();
        desk.daemon.hands.rest().await;
        desk.daemon.rota.press.destinations = before;
        desk.beat_at("2026-10-22T07:00:00Z").await;
        desk.beat_at("2026-10-22T07:00:05Z").await;
        assert_eq!(desk.runs().await[1].1, last, "{overlap:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_starts_within_its_jitter_and_its_row_is_there_before() {
    let mut desk = desk("2026-11-20T00:00:00Z", CatchUp::Latest).await;
    desk.change(|rota| rota.timed[0].jitter_secs_max = 3_600);
    desk.beat_at("2026-11-20T00:00:05Z").await;
    desk.beat_at("2026-11-22T06:00:00Z").await;
    let row = desk.daemon.rota.press.ledger.runs(1).await.unwrap().remove(0);
    let start_at = row.start_at.unwrap();
    assert_eq!((row.state, desk.mails()), (RunState::Planned, 0));
    assert!(start_at > at("2026-11-22T06:00:00Z") && start_at <= at("2026-11-22T07:00:00Z"), "{start_at}");
    desk.beat_at(&start_at.to_rfc3339()).await;
    assert_eq!(desk.mails(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_schedule_that_is_gone_ends_with_a_reason() {
    let mut desk = desk("2026-11-20T00:00:00Z", CatchUp::Latest).await;
    desk.change(|rota| rota.timed[0].jitter_secs_max = 3_600);
    desk.beat_at("2026-11-20T00:00:05Z").await;
    desk.beat_at("2026-11-22T06:00:00Z").await;
    desk.change(|rota| {
        rota.timed.clear();
        rota.orders.clear();
    });
    desk.beat_at("2026-11-22T07:00:00Z").await;
    assert_eq!(desk.runs().await, [("2026-10".to_owned(), RunState::Skipped)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_a_row_with_a_reason_and_never_a_dead_daemon() {
    let mut desk = desk("2026-11-20T00:00:00Z", CatchUp::Latest).await;
    let panics = Destinations::mail(Answers::with(|| async { panic!("a bug") }));
    desk.change(|rota| rota.press.destinations = panics);
    desk.beat_at("2026-11-20T00:00:05Z").await;
    desk.beat_at("2026-11-22T06:00:00Z").await;
    // How far it came nobody can tell.
    assert_eq!(states(&desk).await, [DeliveryState::Uncertain]);
    assert_eq!(desk.runs().await, [("2026-10".to_owned(), RunState::Partial)]);
    desk.beat_at("2026-12-22T06:00:00Z").await;
    assert_eq!(desk.runs().await.len(), 2, "it goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_configuration_is_refused_and_the_one_before_stays() {
    let mut desk = desk("2026-11-20T00:00:00Z", CatchUp::Latest).await;
    desk.beat_at("2026-11-20T00:00:05Z").await;
    desk.daemon.reload(Step::Steady).await;
    let state = desk.daemon.rota.press.ledger.daemon_state().await.unwrap().unwrap();
    assert_eq!(state.refused.as_deref(), Some("no such file"));
    assert_eq!(state.config_digest, Digest::of(b"configuration").to_string());
    desk.beat_at("2026-11-22T06:00:00Z").await;
    assert_eq!(desk.mails(), 1);
}
