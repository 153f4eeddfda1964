//! Whole runs in which something leaks or breaks off: what the gate finds is held, told without a name, and never sent.

mod leave;

use std::path::Path;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use tokio::sync::mpsc;

use crate::archive::Archive;
use crate::audience::{Audience, Grant, Partner, Recipient, Scope};
use crate::base::{Digest, EditionId, Month};
use crate::clock::ManualClock;
use crate::config;
use crate::deliver::{Mailbox, Outbox};
use crate::facts::ingest::{Ingest, PartnerFrom};
use crate::facts::sample::{self, SampleSize};
use crate::facts::{
    BurstRequest, DataSet, DirectoryEntry, Fact, FactSource, FactsError, Lacking, PartnerFacts, ProductMap, SqliteFacts,
};
use crate::gate::BOOK_ENTRIES_MAX;
use crate::ledger::{EditionRow, EditionState, Ledger, NewDelivery, NewEdition, NewRun, Retries, RunId, RunState};
use crate::render::Format;
use crate::render::email::MailTemplates;
use crate::schedule::NotFull;

use super::*;

const NOW: &str = "2026-11-24T06:00:00Z";

/// What is wrong with facts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Nothing,
    /// A row of one partner stands among those of every other.
    Leak,
    /// Ids and names cannot be read.
    Locked,
    /// There are more of them than the gate looks for.
    Crowd,
}

/// Facts with which something is wrong.
struct Leaky {
    facts: SqliteFacts,
    /// Whose row leaks.
    of: String,
    trouble: Mutex<Trouble>,
}

impl FactSource for Leaky {
    fn pin(&self, now: DateTime<Utc>) -> BoxFuture<'_, Result<DataSet, FactsError>> {
        self.facts.pin(now)
    }

    fn newest_load(&self) -> BoxFuture<'_, Result<Option<u64>, FactsError>> {
        self.facts.newest_load()
    }

    fn lacking<'a>(&'a self, request: &'a BurstRequest) -> BoxFuture<'a, Result<Lacking, FactsError>> {
        self.facts.lacking(request)
    }

    fn partners<'a>(&'a self, data: &'a DataSet) -> BoxFuture<'a, Result<Vec<Partner>, FactsError>> {
        self.facts.partners(data)
    }

    fn directory(&self, data: DataSet) -> mpsc::Receiver<Result<Vec<DirectoryEntry>, FactsError>> {
        let batch = match *self.trouble.lock().unwrap() {
            Trouble::Nothing | Trouble::Leak => return self.facts.directory(data),
            Trouble::Locked => Err(FactsError::Locked { path: "warehouse.db".to_owned() }),
            Trouble::Crowd => Ok((0..=BOOK_ENTRIES_MAX).map(customer).collect()),
        };
        let (sender, receiver) = mpsc::channel(1);
        sender.try_send(batch).unwrap();
        receiver
    }

    fn burst(&self, request: BurstRequest) -> mpsc::Receiver<Result<PartnerFacts, FactsError>> {
        if *self.trouble.lock().unwrap() != Trouble::Leak {
            return self.facts.burst(request);
        }
        let (sender, receiver) = mpsc::channel(1);
        let (facts, of) = (self.facts.clone(), self.of.clone());
        tokio::spawn(async move {
            let of_other = BurstRequest { partner_ids: vec![of.clone()], ..request.clone() };
            let mut other = facts.burst(of_other).recv().await.unwrap().unwrap();
            // Of the range: the month before it stands in no row.
            let is_shown = |fact: &Fact| fact.month > request.first && fact.customer_name.is_some();
            let planted = loop {
                let batch = other.batches.recv().await.unwrap().unwrap();
                if let Some(fact) = batch.into_iter().find(is_shown) {
                    break fact;
                }
            };
            let mut partners = facts.burst(request);
            while let Some(one) = partners.recv().await {
                let mut one = one.unwrap();
                let (batches, with) = mpsc::channel(64);
                let mut batches_of_one = std::mem::replace(&mut one.batches, with);
                let mut planted = (one.partner.id != of).then(|| planted.clone());
                sender.send(Ok(one)).await.unwrap();
                while let Some(batch) = batches_of_one.recv().await {
                    let mut batch = batch.unwrap();
                    // Where the order of months and keys has a place for it.
                    let fits = |fact: &Fact, planted: &Fact| {
                        (fact.month, &fact.license_key) > (planted.month, &planted.license_key)
                    };
                    let place = planted.as_ref().and_then(|planted| batch.iter().position(|fact| fits(fact, planted)));
                    if let (Some(place), Some(planted)) = (place, place.and_then(|_| planted.take())) {
                        batch.insert(place, planted);
                    }
                    batches.send(Ok(batch)).await.unwrap();
                }
            }
        });
        receiver
    }
}

pub(super) struct Shop {
    folder: tempfile::TempDir,
    pub(super) press: Press,
    pub(super) order: Arc<Order>,
    leaky: Arc<Leaky>,
    partners: Vec<String>,
}

/// Three partners of the sample, with an executive and an agent each.
pub(super) async fn shop() -> Shop {
    let folder = tempfile::tempdir().unwrap();
    let now: DateTime<Utc> = NOW.parse().unwrap();
    let facts = SqliteFacts::open(&folder.path().join("facts.db"), now).await.unwrap();
    let size = SampleSize { n_partners: 3, ..SampleSize::new(Month::of(now.date_naive()), now) };
    let mut files = Vec::new();
    sample::write(&size, &mut |file| {
        files.push(folder.path().join(&file.name));
        std::fs::write(folder.path().join(&file.name), &file.bytes)
    })
    .unwrap();
    for path in &files {
        Ingest::new(&facts, &ProductMap::shipped(), PartnerFrom::Account).file(path, None, now, &|_| {}).await.unwrap();
    }
    let partners: Vec<String> = sample::partners(&size).into_iter().take(3).map(|partner| partner.id).collect();
    let trouble = Mutex::new(Trouble::Nothing);
    let leaky = Arc::new(Leaky { facts, of: partners[0].clone(), trouble });
    let press = Press {
        facts: leaky.clone(),
        ledger: Arc::new(Ledger::open(&folder.path().join("ledger.db"), now).await.unwrap()),
        archive: Arc::new(Archive::folder(&folder.path().join("archive")).unwrap()),
        destinations: Destinations::mail(Arc::new(Outbox::new(folder.path().join("outbox")))),
        clock: Arc::new(ManualClock::at(now)),
        stop: Stop::default(),
        makers: Makers::default(),
        past: None,
    };
    let order = Arc::new(order(folder.path(), &partners));
    Shop { folder, press, order, leaky, partners }
}

fn order(folder: &Path, partners: &[String]) -> Order {
    for (path, text) in config::shipped_files() {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let config = config::load(&folder.join("pressrun.toml")).unwrap();
    let roles = ["executive-report-viewer", "admin-agent"];
    let recipients = partners.iter().flat_map(|partner_id| {
        roles.map(|role| Recipient {
            address: format!("{role}.{partner_id}@example.com"),
            name: String::new(),
            partner_id: partner_id.clone(),
            grant: Grant { role: role.to_owned(), scope: Scope::Organization },
            language: "en".to_owned(),
        })
    });
    Order {
        not_full: NotFull::WaitThenSend,
        schedule: "monthly".to_owned(),
        template: config.template,
        roles: config.roles,
        themes: Arc::default(),
        mail: Arc::new(MailTemplates::shipped()),
        formats: Format::ALL.to_vec(),
        range_months: 12,
        closing_day: 20,
        send_empty: false,
        partners: None,
        only_roles: None,
        recipients: Arc::new(recipients.collect()),
        from: Mailbox { name: String::new(), address: "reports@example.com".to_owned() },
        reply_to: None,
        contact: "desk@example.com".to_owned(),
        message_id_domain: "example.com".to_owned(),
        retries: Retries::thrice(),
        stores: Vec::new(),
        brakes: crate::deliver::Brakes::default(),
        is_narrowed: false,
        config_digest: Digest::of(b"configuration"),
    }
}

/// One of many customers of a partner, whose name is a number and the quickest to be put down.
fn customer(n: usize) -> DirectoryEntry {
    DirectoryEntry {
        partner_id: "1000001".to_owned(),
        partner_name: None,
        location_id: None,
        location_name: None,
        customer_id: None,
        customer_name: Some(n.to_string()),
    }
}

/// The edition of one of many partners, with a mail to each of these.
pub(super) fn edition(n: usize, addresses: &[String]) -> NewEdition {
    let audience = Audience {
        partner_id: format!("{n:07}"),
        role: "report-viewer".to_owned(),
        scope: Scope::Organization,
        language: "en".to_owned(),
    };
    let period = "2026-10".parse().unwrap();
    let id = EditionId::of("monthly", period, &audience.key(), 1);
    let mail = |address: &String| NewDelivery {
        address: address.clone(),
        name: String::new(),
        message_id: crate::deliver::message_id(id, address, "example.com"),
        destination: MAIL.to_owned(),
        suppressed: None,
        held: None,
    };
    let recipients = addresses.iter().map(mail).collect();
    NewEdition { id, partner_name: format!("Partner {n}"), number: 1, period, recipients, audience }
}

/// A run of these editions.
pub(super) async fn planned(ledger: &Ledger, editions: &[NewEdition]) -> RunId {
    let now = NOW.parse().unwrap();
    let new = NewRun {
        schedule: "monthly".to_owned(),
        occurrence_at: None,
        period: "2026-10".parse().unwrap(),
        data: "{\"load_no\":7}".to_owned(),
        config_digest: String::new(),
        why: "by hand".to_owned(),
        start_at: None,
        deadline_at: None,
    };
    let run = ledger.plan_run(&new, now).await.unwrap().0.id;
    ledger.plan_editions(run, editions, &[], now).await.unwrap();
    run
}

impl Shop {
    fn trouble(&self, trouble: Trouble) {
        *self.leaky.trouble.lock().unwrap() = trouble;
    }

    /// The editions of a run, by partner and role.
    pub(super) async fn ran(&self) -> Vec<EditionRow> {
        let progress: Progress = Arc::new(|_| {});
        let ran = run(&self.press, &self.order, "2026-10".parse().unwrap(), &progress).await.unwrap();
        let mut rows = self.press.ledger.editions(ran.run.id).await.unwrap().rows;
        rows.sort_by(|a, b| a.audience.cmp(&b.audience));
        rows
    }

    fn n_mails(&self) -> usize {
        let mails = std::fs::read_dir(self.folder.path().join("outbox"));
        mails.map_or(0, |mails| mails.filter(|mail| mail.as_ref().unwrap().path().is_file()).count())
    }

    /// Every name in the data.
    async fn names(&self) -> Vec<String> {
        let mut entries = self.leaky.facts.directory(self.press.facts.pin(NOW.parse().unwrap()).await.unwrap());
        let mut names = Vec::new();
        while let Some(batch) = entries.recv().await {
            let of = |entry: DirectoryEntry| [entry.partner_name, entry.location_name, entry.customer_name];
            names.extend(batch.unwrap().into_iter().flat_map(of).flatten());
        }
        names
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_another_partner_among_the_facts_is_held_filed_and_not_sent_and_its_reason_names_nobody() {
    let shop = shop().await;
    shop.trouble(Trouble::Leak);
    let rows = shop.ran().await;
    assert_eq!(rows.len(), 6);
    let names = shop.names().await;
    for row in &rows {
        // Whoever sees no names has none in any file; the leak is in its figures only.
        let is_leak = row.audience.partner_id != shop.partners[0] && row.audience.role != "admin-agent";
        let expected = if is_leak { EditionState::Held } else { EditionState::Archived };
        assert_eq!(row.state, expected, "{:?}: {}", row.audience, row.reason);
        if is_leak {
            let sentence = format!("expected nothing of partner `{}`, found the ", shop.partners[0]);
            assert!(row.reason.contains(&sentence) && row.reason.contains("of `xl/worksheets/sheet"), "{}", row.reason);
            assert!(names.iter().all(|name| !row.reason.contains(name)), "{}", row.reason);
            let filed = row.reason.rsplit_once("; see ").unwrap().1;
            assert!(shop.press.archive.get(filed).await.is_ok(), "{}", row.reason);
        }
    }
    assert_eq!(shop.n_mails(), 4);
    // An admin may know better.
    for row in rows.iter().filter(|row| row.state == EditionState::Held) {
        shop.press.ledger.release_edition(row.id, "it is theirs", NOW.parse().unwrap()).await.unwrap();
    }
    let progress: Progress = Arc::new(|_| {});
    let run = shop.press.ledger.run(rows[0].run).await.unwrap();
    resume(&shop.press, &shop.order, &run, &progress).await.unwrap();
    assert_eq!(shop.n_mails(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_that_was_changed_in_the_archive_is_read_back_and_not_sent() {
    let mut shop = shop().await;
    let rows = shop.ran().await;
    assert!(rows.iter().all(|row| row.state == EditionState::Archived), "{rows:?}");
    assert_eq!(shop.n_mails(), 6);
    let pack = shop.folder.path().join("archive").join(rows[0].archive_path.as_ref().unwrap());
    let mail = pack.join("mail.html");
    let html = std::fs::read_to_string(&mail).unwrap();
    std::fs::write(&mail, html.replace("</html>", "<p>Somebody else</p></html>")).unwrap();
    // As if the program had been killed before it could write down what it had filed.
    let ledger = shop.folder.path().join("another.db");
    shop.press.ledger = Arc::new(Ledger::open(&ledger, NOW.parse().unwrap()).await.unwrap());
    let again = shop.ran().await;
    assert_eq!(again[0].state, EditionState::Failed);
    assert!(again[0].reason.contains("mail.html"), "{}", again[0].reason);
    assert!(again[1..].iter().all(|row| row.state == EditionState::Archived));
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_that_cannot_be_read_strand_no_edition_and_cost_none_a_try() {
    let shop = shop().await;
    shop.trouble(Trouble::Locked);
    let progress: Progress = Arc::new(|_| {});
    let ran = run(&shop.press, &shop.order, "2026-10".parse().unwrap(), &progress).await;
    assert!(matches!(ran, Err(RunError::Facts(FactsError::Locked { .. }))), "{ran:?}");
    let run = shop.press.ledger.runs(1).await.unwrap().remove(0);
    let rows = shop.press.ledger.editions(run.id).await.unwrap().rows;
    assert_eq!(rows.len(), 6);
    assert!(rows.iter().all(|row| (row.state, row.n_attempts) == (EditionState::Planned, 0)), "{rows:?}");
    shop.trouble(Trouble::Nothing);
    resume(&shop.press, &shop.order, &run, &progress).await.unwrap();
    assert_eq!(shop.n_mails(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_over_more_names_than_the_gate_looks_for_is_held_until_they_are_fewer_and_it_is_released() {
    let shop = shop().await;
    shop.trouble(Trouble::Crowd);
    let rows = shop.ran().await;
    assert!(rows.iter().all(|row| (row.state, row.n_attempts) == (EditionState::Planned, 0)), "{rows:?}");
    let run = shop.press.ledger.run(rows[0].run).await.unwrap();
    assert_eq!((run.state, shop.n_mails()), (RunState::Held, 0));
    let says = |words: &str| assert!(run.reason.contains(words), "{words}: {}", run.reason);
    ["brake `ids_and_names`", "more than 1000000 ids and names", "hint: "].into_iter().for_each(says);
    assert!(shop.press.ledger.open_runs().await.unwrap().is_empty(), "it is tried again and again");
    shop.trouble(Trouble::Nothing);
    shop.press.ledger.release(run.id, "anna: by region now", NOW.parse().unwrap()).await.unwrap();
    let run = shop.press.ledger.run(run.id).await.unwrap();
    let progress: Progress = Arc::new(|_| {});
    let ran = resume(&shop.press, &shop.order, &run, &progress).await.unwrap();
    assert_eq!((ran.run.state, shop.n_mails()), (RunState::Done, 6));
}
