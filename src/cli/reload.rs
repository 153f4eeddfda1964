//! `reload`: has a running daemon read its configuration anew.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::ledger::Ledger;

use super::say::{Failure, Say};
use super::{WELL, compose};

/// How long the daemon's answer is awaited.
const ANSWER_SECS_MAX: u64 = 20;

/// How often it is looked for.
const LOOK_MILLIS: u64 = 100;

/// The configuration has been read by now: it is right, else there would have been an error.
pub(super) async fn reload(config: &Config, say: &Say) -> Result<u8, Failure> {
    let ledger = compose::ledger(config).await?;
    let pid = ledger.daemon_pid()?.and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    let Some(pid) = pid else {
        return Err(Failure::wrong("no daemon works on this ledger", "start one by `pressrun daemon`"));
    };
    let before = ledger.daemon_state().await?.map(|state| state.at);
    kill_process(pid, Signal::HUP)
        .map_err(|error| Failure::failed(format!("the daemon can't be signalled: {error}")))?;
    let answered = tokio::time::timeout(Duration::from_secs(ANSWER_SECS_MAX), answer(&ledger, before)).await;
    let state = answered.map_err(|_| Failure::failed("the daemon has not answered; see its log"))??;
    ledger.close(SystemClock.now()).await?;
    if let Some(refused) = state.refused {
        return Err(Failure::failed(format!("the daemon keeps its configuration: {refused}")));
    }
    if state.config_digest != config.digest.to_string() {
        return Err(Failure::wrong(
            "the daemon has read another configuration than this one",
            "name the file that it was started with by `--config`",
        ));
    }
    let text =
        format!("The daemon works by {} from now on; {} schedules.", config.file.display(), config.schedules.len());
    say.result(&serde_json::json!({ "config_digest": state.config_digest, "at": state.at }), &text);
    Ok(WELL)
}

/// Waits until the daemon has written down what became of the new configuration.
async fn answer(
    ledger: &Ledger,
    before: Option<chrono::DateTime<chrono::Utc>>,
) -> Result<crate::ledger::DaemonState, Failure> {
    loop {
        match ledger.daemon_state().await? {
            Some(state) if Some(state.at) != before => return Ok(state),
            _ => tokio::time::sleep(Duration::from_millis(LOOK_MILLIS)).await,
        }
    }
}
