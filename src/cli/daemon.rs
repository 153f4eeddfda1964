//! `daemon`: wakes, catches up, works, drains on SIGTERM, reads its configuration anew on SIGHUP.

use std::path::Path;
use std::sync::Arc;

use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::daemon::{Daemon, Drained, Inbox, Reload, Rota, Timed, Ways};
use crate::facts::ingest::{Ingest, inbox};
use crate::pipeline::Press;

use super::say::{Failure, Say};
use super::{FAILED, WELL, compose, ingest, run};

pub(super) async fn daemon(config: &Config, say: &Say) -> Result<u8, Failure> {
    let press = compose::press(config).await?;
    let rota = rota(config, press.clone()).await?;
    let drain = std::time::Duration::from_secs(config.daemon.drain_secs.into());
    let daemon = Daemon::new(rota, reload(config), Ways { drain, listen: config.daemon.listen });
    say.note(&format!("pressrun is awake; {} schedules. Stop it with SIGTERM.", config.schedules.len()));
    if daemon.run().await? == Drained::InPart {
        // What is under way would be waited for otherwise.
        std::process::exit(FAILED.into());
    }
    run::close(press).await?;
    Ok(WELL)
}

async fn rota(config: &Config, press: Press) -> Result<Rota, Failure> {
    let timed = config.schedules.iter().map(|settings| Timed {
        schedule: settings.name.clone(),
        timing: settings.timing.clone(),
        late: settings.lateness(),
        overlap: settings.overlap,
        jitter_secs_max: settings.jitter_secs_max,
    });
    Ok(Rota {
        press,
        orders: compose::orders(config).await?,
        timed: timed.collect(),
        inbox: watched(config).await?,
        digest: compose::digest(config).map(Arc::new),
        config_digest: config.digest,
    })
}

/// Reads the file that the daemon was started with. The ledger stays the one that it has.
fn reload(config: &Config) -> Reload {
    let (file, ledger) = (config.file.clone(), config.ledger.to_path_buf());
    Arc::new(move |press| {
        let (file, ledger) = (file.clone(), ledger.clone());
        Box::pin(async move { anew(&file, &ledger, press).await.map_err(|failure| failure.to_string()) })
    })
}

async fn anew(file: &Path, ledger: &Path, press: Press) -> Result<Rota, Failure> {
    let config = compose::load(Some(file))?;
    if *config.ledger != *ledger {
        return Err(Failure::wrong("`ledger` is another file now", "stop the daemon and start it again"));
    }
    let press = compose::press_over(&config, press.ledger, press.stop).await?;
    rota(&config, press).await
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
