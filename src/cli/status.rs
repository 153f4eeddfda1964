//! `status`: what ran, what is open, what failed.

use crate::config::Config;
use crate::ledger::{Counts, DeliveriesOf, DeliveryState, EditionState, HeldRun, Ledger, RunId, RunRow, RunState};

use crate::pipeline::MAIL;

use super::say::{Failure, Say, columns};
use super::{WELL, compose};

/// How many runs are listed.
const RUNS_MAX: usize = 20;

pub(super) async fn status(config: &Config, run: Option<i64>, say: &Say) -> Result<u8, Failure> {
    let ledger = compose::ledger(config).await?;
    match run {
        Some(id) => one(&ledger, RunId(id), say).await?,
        None => {
            all(&ledger, say).await?;
            say.note(&of_daemon(&ledger, config).await?);
        }
    }
    ledger.close(crate::clock::Clock::now(&crate::clock::SystemClock)).await?;
    Ok(WELL)
}

/// Whether a daemon works, and by which configuration.
async fn of_daemon(ledger: &Ledger, config: &Config) -> Result<String, Failure> {
    let Some(pid) = ledger.daemon_pid()? else {
        return Ok("No daemon works on this ledger.".to_owned());
    };
    let daemon = format!("The daemon, process {pid}, works");
    Ok(match ledger.daemon_state().await? {
        Some(state) if state.config_digest == config.digest.to_string() => format!("{daemon} by this configuration."),
        Some(state) => {
            let why = state.refused.map_or(String::new(), |refused| format!("; it refused a newer one: {refused}"));
            format!(
                "{daemon} by another configuration than this one{why}. `pressrun reload` has it take this one over."
            )
        }
        None => format!("{daemon}."),
    })
}

async fn all(ledger: &Ledger, say: &Say) -> Result<(), Failure> {
    let runs = ledger.runs(RUNS_MAX).await?;
    let held = ledger.held().await?;
    let mut rows =
        vec![["run", "schedule", "period", "state", "editions", "deliveries", "planned"].map(str::to_owned).to_vec()];
    let (mut list, mut noted) = (Vec::new(), String::new());
    for run in &runs {
        let counts = ledger.counts(run.id).await?;
        rows.push(row(run, &counts));
        let held = held.iter().find(|held| held.run == run.id);
        let n_noted = ledger.n_noted(run.id).await?;
        if n_noted > 0 {
            noted.push_str(&format!(
                "  run {id}: {n_noted} mails went without a file: pressrun status --run {id}\n",
                id = run.id
            ));
        }
        list.push(serde_json::json!({ "run": run, "counts": counts, "held": held, "n_noted": n_noted }));
    }
    let mut text = match runs.len() {
        0 => "Nothing ran yet.\n".to_owned(),
        RUNS_MAX => format!("{}  (the latest {RUNS_MAX} runs)\n", columns(&rows)),
        _ => columns(&rows),
    };
    // What waits or did not run says why at once.
    let tells = |run: &&RunRow| matches!(run.state, RunState::Waiting | RunState::Held | RunState::Missed);
    for run in runs.iter().filter(tells) {
        let until = run.deadline_at.filter(|_| run.state == RunState::Waiting);
        let until = until.map_or(String::new(), |until| format!(", until {}", until.format("%Y-%m-%d %H:%M UTC")));
        text.push_str(&format!("Run {} is {}{until}: {}\n", run.id, run.state, run.reason));
    }
    held.iter().for_each(|held| text.push_str(&holds(held)));
    text.push_str(&noted);
    say.result(&list, &text);
    Ok(())
}

/// What a run holds, why, and what lets it go.
fn holds(held: &HeldRun) -> String {
    let run = held.run;
    let counts = [(held.n_editions, "editions"), (held.n_deliveries, "deliveries")];
    let counts = counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}"));
    let what: Vec<String> = held.is_run_held.then(|| "itself".to_owned()).into_iter().chain(counts).collect();
    let more = match held.n_reasons {
        0 | 1 => String::new(),
        n => format!(" (and {} other reasons: pressrun status --run {run})", n - 1),
    };
    let what = what.join(", ");
    format!("  run {run} holds {what}: {}{more}\n    pressrun release {run} --reason TEXT\n", held.reason)
}

fn row(run: &RunRow, counts: &Counts) -> Vec<String> {
    let editions = counts.editions.iter().map(|(state, n)| format!("{n} {state}")).collect::<Vec<_>>();
    let deliveries = counts.deliveries.iter().map(|(state, n)| format!("{n} {state}")).collect::<Vec<_>>();
    vec![
        run.id.to_string(),
        run.schedule.clone(),
        run.period.to_string(),
        run.state.to_string(),
        editions.join(", "),
        deliveries.join(", "),
        run.planned_at.format("%Y-%m-%d %H:%M UTC").to_string(),
    ]
}

async fn one(ledger: &Ledger, id: RunId, say: &Say) -> Result<(), Failure> {
    let run = ledger.run(id).await?;
    let counts = ledger.counts(id).await?;
    let editions = ledger.editions(id).await?;
    let deliveries = ledger.deliveries(&DeliveriesOf::Run(id)).await?;
    let mut text = columns(&[row(&run, &counts)]) + &format!("  {}; {}\n", run.why, run.reason);
    if let Some(first) = run.of_run {
        text.push_str(&format!("  part {} of run {first}\n", run.part));
    }
    let waits = ledger.waits_of(id).await?;
    if run.state == RunState::Waiting {
        waits.iter().for_each(|(partner, what)| text.push_str(&format!("  waits for {partner}: {what}\n")));
    }
    // What went well is counted; what did not is told with its reason.
    for edition in editions.rows.iter().filter(|edition| edition.state != EditionState::Archived) {
        text.push_str(&format!(
            "  {} {}: {}: {}\n",
            edition.partner_name,
            edition.audience.short(),
            edition.state,
            edition.reason
        ));
    }
    for delivery in deliveries.rows.iter().filter(|delivery| delivery.state != DeliveryState::Delivered) {
        let what = if delivery.destination == MAIL { "mail" } else { "pack" };
        text.push_str(&format!("  {what} to {}: {}: {}\n", delivery.address, delivery.state, delivery.reason));
    }
    for delivery in &deliveries.rows {
        if let Some(note) = &delivery.note {
            text.push_str(&format!("  mail to {}: {note}\n", delivery.address));
        }
    }
    if editions.more || deliveries.more {
        text.push_str("  and more\n");
    }
    let json = serde_json::json!({
        "run": run, "counts": counts, "waits": waits, "editions": editions, "deliveries": deliveries,
    });
    say.result(&json, &text);
    Ok(())
}
