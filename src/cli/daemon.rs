//! `daemon`: wakes, catches up, works, drains on SIGTERM.

use std::sync::Arc;

use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::daemon::{Daemon, Inbox, Timed};
use crate::facts::ingest::{Ingest, inbox};

use super::say::{Failure, Say};
use super::{WELL, compose, ingest, run};

pub(super) async fn daemon(config: &Config, say: &Say) -> Result<u8, Failure> {
    let press = compose::press(config).await?;
    let timed = config
        .schedules
        .iter()
        .map(|settings| Timed {
            schedule: settings.name.clone(),
            cadence: settings.cadence.clone(),
            period: settings.period,
            catch_up: settings.catch_up,
            deadline: Some(chrono::Duration::hours(settings.deadline_hours.into())),
        })
        .collect();
    let daemon =
        Daemon { press: press.clone(), orders: compose::orders(config).await?, timed, inbox: watched(config).await? };
    say.note(&format!("pressrun is awake; {} schedules. Stop it with SIGTERM.", config.schedules.len()));
    daemon.run().await?;
    run::close(press).await?;
    Ok(WELL)
}

/// Looks into the inbox folder, where the configuration names one and the facts are our own tables.
async fn watched(config: &Config) -> Result<Option<Inbox>, Failure> {
    let Some(folder) = config.facts.inbox.as_ref().map(|folder| folder.to_path_buf()) else { return Ok(None) };
    let facts = Arc::new(compose::tables(config).await?);
    let products = Arc::new(compose::products(config)?);
    let partner_from = config.facts.partner_from;
    std::fs::create_dir_all(&folder)?;
    Ok(Some(Arc::new(move || {
        let (facts, products, folder) = (Arc::clone(&facts), Arc::clone(&products), folder.clone());
        Box::pin(async move {
            let loader = Ingest::new(&facts, &products, partner_from);
            for (path, ingested) in inbox::sweep(&loader, &folder, SystemClock.now()).await {
                let (_, text) = ingest::told(&path, &ingested);
                match ingested {
                    Ok(_) => tracing::info!("{}", text.trim_end()),
                    Err(_) => tracing::warn!("{}", text.trim_end()),
                }
            }
        })
    })))
}
