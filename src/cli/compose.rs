//! Composes what a run needs from the checked configuration: the one place where settings become things.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;

use crate::archive::Archive;
use crate::audience::Recipient;
use crate::clock::{Clock, SystemClock};
use crate::config::{
    self, Config, FactsFrom, OnEmpty, Partners, RetrySettings, ScheduleSettings, StoreAt, StoreConfig,
};
use crate::deliver::{Store, StorePlace, StoreSettings};
use crate::facts::{FactSource, ProductMap, SqliteFacts, SqliteView, read_recipients};
use crate::ledger::{Ledger, Retries, UncertainRule};
use crate::pipeline::{Destinations, DigestOrder, MAIL, Makers, Order, OrderStore, Press, Stop, store_name};

use super::relay;
use super::say::Failure;

/// Reads the configuration that the command line, the environment or the usual places name.
pub(super) fn load(explicit: Option<&Path>) -> Result<Config, Failure> {
    let env = std::env::var_os("PRESSRUN_CONFIG").map(PathBuf::from);
    let path = config::find(explicit, env.as_deref())?;
    Ok(config::load(&path)?)
}

/// Opens everything that a run touches; what is missing is made, but for a view's database.
pub(super) async fn press(config: &Config) -> Result<Press, Failure> {
    press_over(config, Arc::new(ledger(config).await?), Stop::default()).await
}

/// The same over a ledger that is open.
pub(super) async fn press_over(config: &Config, ledger: Arc<Ledger>, stop: Stop) -> Result<Press, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    Ok(Press {
        facts: facts(config).await?,
        ledger,
        archive: Arc::new(Archive::folder(&config.archive)?),
        destinations: destinations(config)?,
        clock,
        stop,
        makers: Makers::default(),
        past: None,
    })
}

pub(super) async fn ledger(config: &Config) -> Result<Ledger, Failure> {
    make_folder_of(&config.ledger)?;
    Ok(Ledger::open(&config.ledger, SystemClock.now()).await?)
}

/// Where facts come from.
pub(super) async fn facts(config: &Config) -> Result<Arc<dyn FactSource>, Failure> {
    Ok(match &config.facts.from {
        FactsFrom::Tables(_) => Arc::new(tables(config).await?),
        FactsFrom::View { database, name } => Arc::new(SqliteView::open(database, name).await?),
    })
}

/// Whether there is a facts database at all; none is made by asking.
pub(super) fn has_facts(config: &Config) -> bool {
    match &config.facts.from {
        FactsFrom::Tables(path) => path.is_file(),
        FactsFrom::View { .. } => true,
    }
}

/// Our own tables; an error when the configuration names a view instead.
pub(super) async fn tables(config: &Config) -> Result<SqliteFacts, Failure> {
    let FactsFrom::Tables(path) = &config.facts.from else {
        return Err(Failure::wrong(
            "the facts come from a view of your own, into which nothing is ingested",
            "name `database` under `[facts]` instead of `view`",
        ));
    };
    make_folder_of(path)?;
    Ok(SqliteFacts::open(path, SystemClock.now()).await?)
}

/// The mapping of products to families: one's own, or the shipped one.
pub(super) fn products(config: &Config) -> Result<ProductMap, Failure> {
    match &config.facts.products {
        Some(own) => {
            Ok(ProductMap::parse(&own.text).with_context(|| format!("products mapping `{}`", own.path.display()))?)
        }
        None => Ok(ProductMap::shipped()),
    }
}

/// Where mails go, and every store that a schedule names.
fn destinations(config: &Config) -> Result<Destinations, Failure> {
    let mut all = Destinations::mail(relay::destination(config)?).at(MAIL, relay::rates(config));
    for store in stores(config) {
        all = all.with(store_name(&store.name), Arc::new(self::store(store)?));
    }
    Ok(all)
}

/// The stores that some schedule names.
pub(super) fn stores(config: &Config) -> impl Iterator<Item = &StoreConfig> {
    let is_named = |store: &&StoreConfig| config.schedules.iter().any(|one| one.stores.contains(&store.name));
    config.stores.iter().filter(is_named)
}

/// A store, without asking it anything.
pub(super) fn store(settings: &StoreConfig) -> Result<Store, Failure> {
    let place = match &settings.place {
        StoreAt::Folder(folder) => StorePlace::Folder(folder.to_path_buf()),
        StoreAt::S3 { bucket, region, endpoint, prefix, access_key, secret_key } => StorePlace::S3 {
            bucket: bucket.clone(),
            region: region.clone(),
            endpoint: endpoint.clone(),
            prefix: prefix.clone(),
            access_key: access_key.read()?,
            secret_key: secret_key.read()?,
        },
        StoreAt::Azure { account, container, endpoint, prefix, key } => StorePlace::Azure {
            account: account.clone(),
            container: container.clone(),
            endpoint: endpoint.clone(),
            prefix: prefix.clone(),
            key: key.read()?,
        },
    };
    let (path, formats, timeout_secs) = (settings.path.clone(), settings.formats.clone(), settings.timeout_secs.into());
    Store::new(StoreSettings { place, path, formats, timeout_secs })
        .map_err(|words| Failure::failed(format!("stores.{}: {words}", settings.name)))
}

/// All recipients: those of the configuration, and those of the facts database.
pub(super) async fn recipients(config: &Config) -> Result<Vec<Recipient>, Failure> {
    let mut all = config.recipients.listed.clone();
    let Some(relation) = &config.recipients.relation else { return Ok(all) };
    let database = match &config.facts.from {
        FactsFrom::Tables(path) => path,
        FactsFrom::View { database, .. } => database,
    };
    for (n, row) in read_recipients(database, relation).await?.iter().enumerate() {
        let raw = config::RecipientRow {
            address: &row.address,
            name: &row.name,
            partner_id: &row.partner_id,
            role: &row.role,
            locations: config::RecipientRow::split_locations(&row.locations),
            language: &row.language,
        };
        let wrong = |wrong: Vec<config::WrongRecipient>| {
            let words: Vec<&str> = wrong.iter().map(|wrong| wrong.what.as_str()).collect();
            Failure::wrong(format!("relation `{relation}`, row {}: {}", n + 1, words.join("; ")), "mend the row")
        };
        all.push(config::recipient(&raw, &config.roles).map_err(wrong)?);
    }
    Ok(all)
}

/// The orders of every schedule, by name.
pub(super) async fn orders(config: &Config) -> Result<BTreeMap<String, Arc<Order>>, Failure> {
    let recipients = Arc::new(recipients(config).await?);
    let orders = config
        .schedules
        .iter()
        .map(|settings| (settings.name.clone(), Arc::new(order(config, settings, Arc::clone(&recipients)))));
    Ok(orders.collect())
}

fn order(config: &Config, settings: &ScheduleSettings, recipients: Arc<Vec<Recipient>>) -> Order {
    Order {
        schedule: settings.name.clone(),
        template: Arc::clone(&config.template),
        roles: Arc::clone(&config.roles),
        themes: Arc::clone(&config.themes),
        mail: Arc::clone(&config.mail_templates),
        formats: settings.formats.clone(),
        range_months: settings.range_months,
        closing_day: config.facts.closing_day,
        not_full: settings.not_full,
        send_empty: settings.on_empty == OnEmpty::Send,
        partners: match &settings.partners {
            Partners::All => None,
            Partners::These(ids) => Some(ids.clone()),
        },
        only_roles: settings.roles.clone(),
        recipients,
        from: config.mail.from.clone(),
        reply_to: config.mail.reply_to.clone(),
        contact: config.mail.contact.clone(),
        message_id_domain: config.mail.message_id_domain.clone(),
        brakes: settings.brakes.clone(),
        is_narrowed: false,
        retries: retries(&config.mail.retries, settings.uncertain),
        stores: config
            .stores
            .iter()
            .filter(|store| settings.stores.contains(&store.name))
            .map(|store| OrderStore {
                name: store_name(&store.name),
                role: store.role.clone(),
                retries: retries(&store.retries, settings.uncertain),
            })
            .collect(),
        config_digest: config.digest,
    }
}

fn retries(retries: &RetrySettings, rule: UncertainRule) -> Retries {
    Retries {
        attempts_max: retries.attempts_max,
        backoff_secs_min: retries.backoff_secs_min.into(),
        backoff_secs_max: retries.backoff_secs_max.into(),
        deadline_hours: retries.deadline_hours,
        rule,
    }
}

/// To whom digests go, if to anybody.
pub(super) fn digest(config: &Config) -> Option<DigestOrder> {
    let settings = config.digests.as_ref()?;
    Some(DigestOrder {
        to: settings.to.clone(),
        when: settings.when,
        from: config.mail.from.clone(),
        reply_to: config.mail.reply_to.clone(),
        message_id_domain: config.mail.message_id_domain.clone(),
        retries: retries(&config.mail.retries, UncertainRule::Hold),
    })
}

/// The schedule of a name.
pub(super) fn schedule<'a>(config: &'a Config, name: &str) -> Result<&'a ScheduleSettings, Failure> {
    config.schedules.iter().find(|settings| settings.name == name).ok_or_else(|| {
        let names: Vec<&str> = config.schedules.iter().map(|settings| settings.name.as_str()).collect();
        Failure::wrong(format!("no schedule `{name}`"), format!("there is {}", names.join(", ")))
    })
}

fn make_folder_of(path: &Path) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.map_or(Ok(()), std::fs::create_dir_all).with_context(|| format!("the folder of `{}`", path.display()))?;
    Ok(())
}
