//! `release`: lets go on what is held of a run.

use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::ledger::{Released, RunId};

use super::say::{Failure, Say};
use super::{FAILED, WELL, compose};

pub(super) async fn release(config: &Config, run: i64, reason: &str, say: &Say) -> Result<u8, Failure> {
    if reason.trim().is_empty() {
        return Err(Failure::wrong("the reason is empty", "say why in a few words: it is kept with what is released"));
    }
    let now = SystemClock.now();
    let ledger = compose::ledger(config).await?;
    let released = ledger.release(RunId(run), reason, now).await?;
    ledger.close(now).await?;
    say.result(&serde_json::json!({ "run": run, "released": released }), &text(run, &released));
    Ok(if released.is_nothing() { FAILED } else { WELL })
}

fn text(run: i64, released: &Released) -> String {
    let mut lines = Vec::new();
    if released.was_run_held {
        lines.push(format!("Run {run} goes on."));
    }
    for (n, what) in [
        (released.n_editions, "editions are made again"),
        (released.n_deliveries, "deliveries are made once their edition is archived"),
        (
            released.n_without_pack,
            "deliveries have nothing to bring, since their edition has no files: they are skipped now",
        ),
    ] {
        if n > 0 {
            lines.push(format!("{n} {what}."));
        }
    }
    if released.is_nothing() {
        lines.push(format!("Nothing that run {run} could let go was held."));
    } else {
        lines.push("The daemon does it at its next beat; without one, the next `pressrun run`.".to_owned());
    }
    for (other, n) in &released.waiting_for {
        lines.push(format!(
            "{n} deliveries wait for editions that run {other} holds: pressrun release {other} --reason TEXT"
        ));
    }
    lines.join("\n")
}
