//! `check`: everything that would go wrong at 02:00, now.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::archive::Archive;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, FactsFrom, MailThrough, ScheduleSettings};
use crate::deliver::Destination as _;
use crate::facts::{FactsError, SqliteView};
use crate::pipeline::{self, Order, Plan, Press};

use super::say::{Failure, Say};
use super::{FAILED, WELL, compose, relay, run};

/// What a relay takes a minute, where nothing else is known: Exchange Online's limit for one mailbox.
const MAILS_PER_MINUTE: u64 = 30;

/// How many names are listed before the rest is counted.
const NAMED_MAX: usize = 10;

/// One thing that was looked at.
#[derive(Serialize)]
struct Finding {
    level: Level,
    what: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Ok,
    Warning,
    Error,
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, level: Level, what: impl Into<String>) {
        self.0.push(Finding { level, what: what.into() });
    }

    /// Takes what was found, or says that it failed.
    fn take<T, E: std::fmt::Display>(&mut self, name: &str, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.add(Level::Error, format!("{name}: {error}"));
                None
            }
        }
    }
}

pub(super) async fn check(config: &Config, say: &Say) -> Result<u8, Failure> {
    let mut findings = Findings::default();
    findings.add(Level::Ok, format!("configuration `{}` is well-formed", config.file.display()));
    for settings in &config.schedules {
        cadence(settings, &mut findings);
    }
    facts(config, &mut findings).await;
    archive(config, &mut findings).await;
    relay(config, &mut findings).await;
    stores(config, &mut findings).await;
    if let Some(press) = findings.take("opening", compose::press(config).await.map_err(words)) {
        if let Some(orders) = findings.take("recipients", compose::orders(config).await.map_err(words)) {
            looks(config, &press, &mut findings).await;
            for settings in &config.schedules {
                if let Some(order) = orders.get(&settings.name) {
                    audiences(config, &press, settings, order, &mut findings).await;
                }
            }
        }
        run::close(press).await?;
    }
    let failed = findings.0.iter().any(|finding| finding.level == Level::Error);
    say.result(&findings.0, &text(&findings));
    Ok(if failed { FAILED } else { WELL })
}

fn text(findings: &Findings) -> String {
    let line = |finding: &Finding| {
        let mark = match finding.level {
            Level::Ok => "ok     ",
            Level::Warning => "warning",
            Level::Error => "ERROR  ",
        };
        format!("{mark}  {}\n", finding.what)
    };
    findings.0.iter().map(line).collect()
}

/// A failure in words, without its colours.
fn words(failure: Failure) -> String {
    match failure {
        Failure::Config(errors) => errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        Failure::Wrong(what, hint) if hint.is_empty() => what,
        Failure::Wrong(what, hint) => format!("{what}; hint: {hint}"),
        Failure::Failed(error) => format!("{error:#}"),
    }
}

fn cadence(settings: &ScheduleSettings, findings: &mut Findings) {
    let name = &settings.name;
    match settings.timing.cadence.next_after(SystemClock.now(), 1).first() {
        Some(next) => {
            let period = settings.timing.period.of(next.local_on);
            let text = format!("schedule `{name}` runs next at {} about {}; {}", next.local, period.long(), next.why);
            findings.add(Level::Ok, text);
        }
        None => findings.add(Level::Warning, format!("schedule `{name}` never runs again")),
    }
}

async fn facts(config: &Config, findings: &mut Findings) {
    match &config.facts.from {
        FactsFrom::Tables(path) => {
            let opened = compose::tables(config).await.map_err(words);
            let Some(facts) = findings.take(&format!("facts `{}`", path.display()), opened) else { return };
            let Some(summary) = findings.take("facts", facts.summary().await) else { return };
            if summary.n_rows == 0 {
                findings.add(Level::Warning, "the facts are empty: bring files in by `pressrun ingest FILE...`");
            } else {
                let months = summary.months.map_or(String::new(), |(first, last)| format!(", {first} to {last}"));
                findings.add(
                    Level::Ok,
                    format!(
                        "facts: {} partners, {} rows, {} loads{months}",
                        summary.n_partners, summary.n_rows, summary.n_loads
                    ),
                );
            }
            if summary.n_unmatched > 0 {
                let n = summary.n_unmatched;
                findings.add(Level::Warning, format!("facts: {n} usage rows belong to no known reseller"));
            }
            let Some(unmapped) = findings.take("facts", facts.unmapped_products().await) else { return };
            let names: Vec<String> = unmapped.iter().map(|product| format!("`{}`", product.product)).collect();
            if !names.is_empty() {
                findings.add(
                    Level::Warning,
                    format!("products that the mapping does not name stand for themselves: {}", named(&names)),
                );
            }
        }
        FactsFrom::View { database, name } => {
            let opened = SqliteView::open(database, name).await;
            let Some(view) = findings.take(&format!("facts view `{name}`"), opened) else { return };
            let missing = view.missing_columns().await;
            match missing.as_slice() {
                [] => findings.add(Level::Ok, format!("facts view `{name}` has every column")),
                missing => findings
                    .add(Level::Warning, format!("facts view `{name}` has no {}: shown as n/a", missing.join(", "))),
            }
        }
    }
}

async fn archive(config: &Config, findings: &mut Findings) {
    let opened = Archive::folder(&config.archive);
    let Some(archive) = findings.take("archive", opened) else { return };
    if findings.take("archive", archive.canary().await).is_some() {
        findings.add(Level::Ok, format!("archive `{}` can be written", config.archive.display()));
    }
}

async fn relay(config: &Config, findings: &mut Findings) {
    let Some(destination) = findings.take("mail", relay::destination(config).map_err(words)) else { return };
    let name = destination.name();
    if let Some(said) = findings.take(&format!("mail, {name}"), destination.check().await) {
        findings.add(Level::Ok, format!("mail, {name}: {said}"));
    }
}

/// The stores that schedules name, each asked beside the others: one that does not answer holds up none.
async fn stores(config: &Config, findings: &mut Findings) {
    let tried = compose::stores(config).map(|settings| async move {
        let said = match compose::store(settings) {
            Ok(store) => store.check().await.map(|said| (store.name(), said)),
            Err(failure) => Err(words(failure)),
        };
        (&settings.name, said)
    });
    for (name, said) in futures::future::join_all(tried).await {
        if let Some((place, said)) = findings.take(&format!("store `{name}`"), said) {
            findings.add(Level::Ok, format!("store `{name}`, {place}: {said}"));
        }
    }
    let unnamed = config.stores.iter().filter(|store| compose::stores(config).all(|named| named.name != store.name));
    for store in unnamed {
        findings.add(Level::Warning, format!("store `{}` is named by no schedule and gets nothing", store.name));
    }
}

/// How many editions each store gets by a plan.
fn packs(plan: &Plan) -> String {
    let mut packs = BTreeMap::<&str, usize>::new();
    for store in plan.editions.iter().flat_map(|edition| &edition.stores) {
        *packs.entry(store).or_default() += 1;
    }
    packs.iter().map(|(store, n)| format!("; {n} editions to {store}")).collect()
}

/// Partners that have a look of their own and are not in the data.
async fn looks(config: &Config, press: &Press, findings: &mut Findings) {
    let own = &config.themes.by_partner;
    if own.is_empty() {
        return;
    }
    let partners = match press.facts.pin(press.clock.now()).await {
        // That there is nothing yet was said with the facts.
        Err(FactsError::Empty) => return,
        Ok(data) => press.facts.partners(&data).await,
        Err(error) => Err(error),
    };
    let Some(partners) = findings.take("looks", partners) else { return };
    let known: BTreeSet<&str> = partners.iter().map(|partner| partner.id.as_str()).collect();
    let lost: Vec<String> = own.keys().filter(|id| !known.contains(id.as_str())).cloned().collect();
    if !lost.is_empty() {
        findings.add(Level::Warning, format!("looks whose partner is not in the data: {}", named(&lost)));
    }
}

/// Partners without recipients, recipients without partners, and how much a schedule will make and send.
async fn audiences(
    config: &Config,
    press: &Press,
    settings: &ScheduleSettings,
    order: &Order,
    findings: &mut Findings,
) {
    let now = SystemClock.now().with_timezone(&settings.timing.cadence.zone).date_naive();
    let planned = pipeline::plan(press, order, settings.timing.period.of(now)).await;
    // That there is nothing yet was said with the facts.
    let planned = match planned {
        Err(FactsError::Empty) => return,
        planned => planned,
    };
    let Some(plan) = findings.take(&format!("schedule `{}`", settings.name), planned) else { return };
    let trips = pipeline::brakes_on_plan(&press.ledger, order, &plan, None).await;
    for trip in findings.take("brakes", trips).unwrap_or_default() {
        findings.add(Level::Warning, format!("schedule `{}` would be held: {trip}", settings.name));
    }
    let refused = plan.editions.iter().flat_map(|edition| &edition.recipients);
    let mut refused: Vec<String> = refused
        .filter(|recipient| order.brakes.refusal(&recipient.address).is_some())
        .map(|recipient| recipient.address.clone())
        .collect();
    refused.dedup();
    if !refused.is_empty() {
        let what = format!("schedule `{}`: no mail to {}", settings.name, named(&refused));
        findings.add(Level::Warning, format!("{what}: their domains are not among `brakes.allowed_domains`"));
    }
    let Plan { editions, decisions, without_recipients, without_partner, .. } = &plan;
    let n_mails: usize = editions.iter().map(|edition| edition.recipients.len()).sum();
    let level = if editions.is_empty() { Level::Warning } else { Level::Ok };
    let sending = match &config.mail.through {
        MailThrough::Outbox(_) => "into a folder".to_owned(),
        MailThrough::Relay(_) => {
            let minutes = (n_mails as u64).div_ceil(MAILS_PER_MINUTE);
            format!("in about {}.{} hours at {MAILS_PER_MINUTE} mails a minute", minutes / 60, minutes % 60 * 10 / 60)
        }
    };
    findings.add(
        level,
        format!(
            "schedule `{}`: {} editions, {n_mails} mails, sent {sending}{}",
            settings.name,
            editions.len(),
            packs(&plan)
        ),
    );
    let partners: Vec<String> = without_recipients.iter().map(|partner| partner.id.clone()).collect();
    if !partners.is_empty() {
        findings.add(Level::Warning, format!("partners without a recipient: {}", named(&partners)));
    }
    let mut lost: Vec<String> = without_partner
        .iter()
        .map(|recipient| format!("{} (partner {})", recipient.address, recipient.partner_id))
        .collect();
    lost.dedup();
    if !lost.is_empty() {
        findings.add(Level::Warning, format!("recipients whose partner is not in the data: {}", named(&lost)));
    }
    for decision in decisions.iter().filter(|decision| decision.audience.is_none()).take(NAMED_MAX) {
        findings.add(
            Level::Warning,
            format!("{} gets nothing by one grant: {}", decision.recipient.address, decision.rule),
        );
    }
}

fn named(names: &[String]) -> String {
    let shown = names.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED_MAX) {
        0 => shown,
        n => format!("{shown} and {n} more"),
    }
}
