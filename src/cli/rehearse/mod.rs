//! `run --rehearse`: everything of a run but its recipients. Mails go to one address or into a folder, a page shows what
//! was made, and nothing of it is known to the ledger afterwards.

mod page;
mod picture;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;

use crate::archive::Archive;
use crate::base::{Period, file_name};
use crate::config::{Config, MailThrough};
use crate::deliver::{Destination, Mailbox, Outbox, Rehearsal, Store, StorePlace, StoreSettings};
use crate::ledger::{DeliveryState, EditionState, Ledger, RunState};
use crate::pipeline::{self, Destinations, MAIL, Order, Past, Press, Rehearsed, Sample, store_name};

use super::run;
use super::say::{Failure, Say};
use super::{FAILED, WELL, compose, relay};

/// Who gets the mails that go into a folder: nobody, by RFC 2606.
const NOBODY: &str = "rehearsal@pressrun.invalid";

/// The folders of a rehearsal, beside its page.
const PACKS: &str = "packs";
const MAILS: &str = "mails";
const STORES: &str = "stores";

#[derive(clap::Args, Debug)]
pub(super) struct RehearseArgs {
    /// Makes everything and sends every mail to this address, or into this folder, with its recipient in a header;
    /// nothing counts as delivered
    #[arg(long = "rehearse", value_name = "ADDRESS|FOLDER", conflicts_with = "dry_run")]
    target: Option<String>,
    /// Rehearses so many editions, of every role first
    #[arg(long, value_name = "N", requires = "target")]
    sample: Option<NonZeroUsize>,
    /// Draws another sample
    #[arg(long, value_name = "NUMBER", requires = "sample", default_value_t = 0)]
    seed: u64,
    /// Where page and packs of a rehearsal go; else the folder of `--rehearse`, or `rehearsal_SCHEDULE_PERIOD` here
    #[arg(long, value_name = "FOLDER", requires = "target")]
    into: Option<PathBuf>,
}

impl RehearseArgs {
    /// Where to, if a rehearsal is asked for at all.
    pub(super) fn target(&self) -> Option<Target> {
        let text = self.target.as_deref()?;
        let is_address = text.parse::<lettre::Address>().is_ok() && !text.contains(['/', '\\']);
        Some(if is_address { Target::Address(text.to_owned()) } else { Target::Folder(PathBuf::from(text)) })
    }

    fn sample(&self) -> Option<Sample> {
        self.sample.map(|n| Sample { n_editions: n.get(), seed: self.seed })
    }
}

/// Where rehearsed mails go.
pub(super) enum Target {
    Address(String),
    Folder(PathBuf),
}

impl Target {
    /// In which folder the page and the packs stand.
    fn folder(&self, args: &RehearseArgs, order: &Order, period: Period) -> PathBuf {
        match (&args.into, self) {
            (Some(into), _) => into.clone(),
            (None, Target::Folder(folder)) => folder.clone(),
            (None, Target::Address(_)) => format!("rehearsal_{}_{period}", file_name(&order.schedule)).into(),
        }
    }

    fn mailbox(&self) -> Mailbox {
        let address = match self {
            Target::Address(address) => address.clone(),
            Target::Folder(_) => NOBODY.to_owned(),
        };
        Mailbox { name: String::new(), address }
    }

    /// What is behind the rehearsal: the relay, or files in its folder.
    fn behind(&self, config: &Config, folder: &Path) -> Result<Arc<dyn Destination>, Failure> {
        match (self, &config.mail.through) {
            (Target::Folder(_), _) => Ok(Arc::new(Outbox::new(folder.join(MAILS)))),
            (Target::Address(_), MailThrough::Relay(_)) => relay::destination(config),
            (Target::Address(address), MailThrough::Outbox(_)) => Err(Failure::wrong(
                format!("no relay is configured that would send to {address}: `mail.outbox` is a folder"),
                "name a folder after `--rehearse`, or give `[mail.relay]` in place of `outbox`",
            )),
        }
    }
}

/// Rehearses an order and writes the page.
pub(super) async fn rehearse(
    config: &Config,
    real: Press,
    order: &Order,
    period: Period,
    (target, args): (&Target, &RehearseArgs),
    say: &Say,
) -> Result<u8, Failure> {
    let folder = target.folder(args, order, period);
    let behind = target.behind(config, &folder)?;
    make_empty(&folder)?;
    let mark = real.clock.now().format("%Y%m%dT%H%M%S%3f").to_string().replace('.', "");
    let mails: Arc<dyn Destination> = Arc::new(Rehearsal::new(behind, target.mailbox(), &mark));
    let own = tempfile::tempdir().context("a folder for the rehearsal's ledger")?;
    let press = Press {
        ledger: Arc::new(Ledger::open(&own.path().join("ledger.db"), real.clock.now()).await?),
        archive: Arc::new(Archive::folder(&folder.join(PACKS))?),
        destinations: destinations(config, target, mails, &folder)?,
        past: Some(Past { ledger: Arc::clone(&real.ledger), archive: Arc::clone(&real.archive) }),
        ..real.clone()
    };
    let rehearsed = pipeline::rehearse(&press, order, period, args.sample(), &run::progress(say)).await;
    run::close(Press { past: None, ..press }).await?;
    run::close(real).await?;
    let rehearsed = rehearsed?;
    let page = page::write(&folder, &rehearsed, target, args.sample(), say).await?;
    Ok(tell(&rehearsed, target, &page, say))
}

/// The rehearsal in place of where mails go, and a folder in place of every store.
fn destinations(
    config: &Config,
    target: &Target,
    mails: Arc<dyn Destination>,
    folder: &Path,
) -> Result<Destinations, Failure> {
    let mut all = Destinations::mail(mails);
    if matches!(target, Target::Address(_)) {
        all = all.at(MAIL, relay::rates(config));
    }
    for store in compose::stores(config) {
        let settings = StoreSettings {
            place: StorePlace::Folder(folder.join(STORES).join(file_name(&store.name))),
            path: store.path.clone(),
            formats: store.formats.clone(),
            timeout_secs: store.timeout_secs.into(),
        };
        let in_folder =
            Store::new(settings).map_err(|words| Failure::failed(format!("stores.{}: {words}", store.name)))?;
        all = all.with(store_name(&store.name), Arc::new(in_folder));
    }
    Ok(all)
}

/// A folder for the user alone: what everybody gets stands in it. One with something in it is left as it is.
fn make_empty(folder: &Path) -> Result<(), Failure> {
    let cannot = || format!("`{}` cannot be made", folder.display());
    std::fs::create_dir_all(folder).with_context(cannot)?;
    match std::fs::read_dir(folder).with_context(cannot)?.next() {
        None => {
            #[cfg(unix)]
            {
                let for_the_owner = std::os::unix::fs::PermissionsExt::from_mode(0o700);
                std::fs::set_permissions(folder, for_the_owner).with_context(cannot)?;
            }
            Ok(())
        }
        Some(_) => Err(Failure::wrong(
            format!("`{}` has something in it already", folder.display()),
            "name another folder, or remove what an earlier rehearsal left there",
        )),
    }
}

/// Tells how it went; the exit code says whether something failed, was held, or would hold the run.
fn tell(rehearsed: &Rehearsed, target: &Target, page: &Path, say: &Say) -> u8 {
    let Rehearsed { ran, n_editions, trips, editions, .. } = rehearsed;
    let json = serde_json::json!({
        "run": ran.run, "page": page, "n_editions": n_editions, "trips": trips,
        "editions": editions.iter().map(|edition| serde_json::json!({
            "edition": edition.row, "path": edition.path, "deliveries": edition.deliveries,
        })).collect::<Vec<_>>(),
    });
    let (lines, is_well) = told(rehearsed, target);
    say.result(&json, &format!("{lines}\nLook at {}", page.display()));
    if is_well { WELL } else { FAILED }
}

/// How it went, in lines, and whether all is well.
fn told(rehearsed: &Rehearsed, target: &Target) -> (String, bool) {
    let Rehearsed { ran, n_editions, trips, editions, .. } = rehearsed;
    let deliveries = || editions.iter().flat_map(|edition| &edition.deliveries);
    let n_delivered = deliveries().filter(|row| row.state == DeliveryState::Delivered).count();
    let n_expected = deliveries().filter(|row| !is_none(row.state)).count();
    let to = match target {
        Target::Address(address) => address.clone(),
        Target::Folder(folder) => folder.display().to_string(),
    };
    let mut lines = vec![format!(
        "Rehearsed {} of {}: {} of {n_editions} editions, {n_delivered} of {n_expected} deliveries to {to}. Nothing of it \
         counts as delivered.",
        ran.run.schedule,
        ran.run.period.long(),
        editions.len(),
    )];
    lines.extend(trips.iter().map(|trip| format!("  the run would be held: {trip}")));
    if ran.run.state == RunState::Held {
        lines.push(format!("  nothing was made: {}", ran.run.reason));
    }
    let failed = editions.iter().filter(|edition| !is_well_made(edition.row.state));
    lines.extend(failed.map(|edition| {
        format!(
            "  {} {}: {} ({})",
            edition.row.partner_name,
            edition.row.audience.short(),
            edition.row.state,
            edition.row.reason
        )
    }));
    let all_made = editions.iter().all(|edition| is_well_made(edition.row.state));
    let is_well = all_made && n_delivered == n_expected && trips.is_empty() && ran.run.state == RunState::Done;
    (lines.join("\n"), is_well)
}

/// Whether a delivery is none by rule: nothing to report, or no mail wanted.
fn is_none(state: DeliveryState) -> bool {
    matches!(state, DeliveryState::Suppressed | DeliveryState::Skipped)
}

fn is_well_made(state: EditionState) -> bool {
    matches!(state, EditionState::Archived | EditionState::Skipped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::brakes::Trip;
    use crate::ledger::NewRun;
    use crate::pipeline::Ran;

    #[tokio::test]
    async fn a_rehearsal_that_made_nothing_says_why_and_is_not_well() {
        let folder = tempfile::tempdir().unwrap();
        let now = "2026-11-24T06:00:00Z".parse().unwrap();
        let ledger = Ledger::open(&folder.path().join("ledger.db"), now).await.unwrap();
        let new = NewRun {
            schedule: "monthly".to_owned(),
            occurrence_at: None,
            period: "2026-10".parse().unwrap(),
            data: String::new(),
            config_digest: String::new(),
            why: "by hand".to_owned(),
            start_at: None,
            deadline_at: None,
        };
        let run = ledger.plan_run(&new, now).await.unwrap().0.id;
        ledger.plan_editions(run, &[], &[], now).await.unwrap();
        let trip =
            Trip { brake: "ids_and_names".to_owned(), measured: "too many".to_owned(), allowed: "less".to_owned() };
        ledger.hold_run(run, &[trip], now).await.unwrap();
        let ran = Ran { run: ledger.run(run).await.unwrap(), planned: None, plan: None };
        let rehearsed = Rehearsed { ran, n_editions: 6, trips: Vec::new(), editions: Vec::new(), is_cut: false };
        let (lines, is_well) = told(&rehearsed, &Target::Folder("trial".into()));
        assert!(lines.contains("0 of 6 editions") && lines.contains("nothing was made: "), "{lines}");
        assert!(lines.contains("too many") && !is_well, "{lines}");
    }
}
