//! `status`: what ran, what is open, what failed.

use crate::config::Config;
use crate::ledger::{
    BrakeRow, Counts, DeliveriesOf, DeliveryRow, DeliveryState, EditionState, HeldRun, Ledger, ROWS_MAX, RunId, RunRow,
    RunState,
};

use crate::pipeline::MAIL;

use super::say::{Failure, Say, columns};
use super::{WELL, compose};

/// How many open mails of a run are listed among all runs.
const OPEN_MAX: usize = 10;

pub(super) async fn status(config: &Config, run: Option<i64>, n_runs: usize, say: &Say) -> Result<u8, Failure> {
    let ledger = compose::ledger(config).await?;
    match run {
        Some(id) => one(&ledger, RunId(id), say).await?,
        None => {
            let daemon = of_daemon(&ledger, config).await?;
            all(&ledger, n_runs, &daemon, say).await?;
            say.note(&daemon);
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

async fn all(ledger: &Ledger, n: usize, daemon: &str, say: &Say) -> Result<(), Failure> {
    let runs = ledger.runs(n).await?;
    let n_older = ledger.n_runs().await?.values().sum::<u64>().saturating_sub(runs.len() as u64);
    let held = ledger.held().await?;
    let mut rows =
        vec![["run", "schedule", "period", "state", "editions", "deliveries", "planned"].map(str::to_owned).to_vec()];
    let (mut list, mut open, mut noted) = (Vec::new(), String::new(), String::new());
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
        let brakes = ledger.brakes_of(run.id).await?;
        open.push_str(&open_mails(ledger, run.id, &counts).await?);
        list.push(
            serde_json::json!({ "run": run, "counts": counts, "held": held, "brakes": brakes, "n_noted": n_noted }),
        );
    }
    let mut text = if runs.is_empty() { "Nothing ran yet.\n".to_owned() } else { columns(&rows) };
    if n_older > 0 {
        let all = runs.len() as u64 + n_older;
        text.push_str(&format!("  and {n_older} older runs: pressrun status --runs {all}\n"));
    }
    // What waits or did not run says why at once.
    let tells = |run: &&RunRow| matches!(run.state, RunState::Waiting | RunState::Held | RunState::Missed);
    for run in runs.iter().filter(tells) {
        let until = run.deadline_at.filter(|_| run.state == RunState::Waiting);
        let until = until.map_or(String::new(), |until| format!(", until {}", until.format("%Y-%m-%d %H:%M UTC")));
        text.push_str(&format!("Run {} is {}{until}: {}\n", run.id, run.state, run.reason));
    }
    held.iter().for_each(|held| text.push_str(&holds(held)));
    text.push_str(&noted);
    text.push_str(&open);
    let digests = ledger.digests_not_delivered().await?;
    for digest in &digests.rows {
        let (id, to, state, reason) = (digest.id.0, &digest.address, digest.state, &digest.reason);
        text.push_str(&format!("Digest {id} to {to} is {state}: {reason}\n"));
        match digest.state {
            DeliveryState::Uncertain => text.push_str(&format!(
                "    pressrun settle --digest {id} --delivered, or --failed, or pressrun resend --digest {id}\n"
            )),
            DeliveryState::Held => text.push_str(&format!("    pressrun resend --digest {id}\n")),
            _ => {}
        }
    }
    if digests.more {
        text.push_str("  and older digests that did not arrive\n");
    }
    let json = serde_json::json!({
        "runs": list, "n_older": n_older, "held": held, "digests": digests, "daemon": daemon,
    });
    say.result(&json, &text);
    Ok(())
}

/// The mails of a run of which somebody should know: nobody can tell whether they arrived, or they are tried again.
async fn open_mails(ledger: &Ledger, run: RunId, counts: &Counts) -> Result<String, Failure> {
    use DeliveryState::{Retryable, Uncertain};
    let n: u64 = [Retryable, Uncertain].iter().filter_map(|state| counts.deliveries.get(state)).sum();
    if n == 0 {
        return Ok(String::new());
    }
    let rows = ledger.deliveries(&DeliveriesOf::InTrouble(run)).await?.rows;
    let open = rows.iter().filter(|row| matches!(row.state, Retryable | Uncertain)).take(OPEN_MAX);
    let mut text: String = open.map(|row| format!("  run {run}, {}", mail(row))).collect();
    if n > OPEN_MAX as u64 {
        text.push_str(&format!("  and {} more: pressrun status --run {run}\n", n - OPEN_MAX as u64));
    }
    Ok(text)
}

/// A mail that is not delivered: its number, why, and what can be done.
fn mail(row: &DeliveryRow) -> String {
    let (id, to, state, reason) = (row.id, &row.address, row.state, &row.reason);
    let next = match (row.state, row.next_at) {
        (DeliveryState::Retryable, Some(at)) => format!("; tried again at {}", at.format("%Y-%m-%d %H:%M UTC")),
        (DeliveryState::Uncertain, None) => {
            format!("\n    pressrun settle {id} --delivered, or --failed, or pressrun resend {id}")
        }
        _ => String::new(),
    };
    let what = if row.destination == MAIL { "mail" } else { "pack" };
    format!("{what} {id} to {to}: {state}: {reason}{next}\n")
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
    let or_skip = if held.is_run_held { format!(", or pressrun skip {run} --why TEXT") } else { String::new() };
    format!("  run {run} holds {what}: {}{more}\n    pressrun release {run} --why TEXT{or_skip}\n", held.reason)
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

/// A hold by a brake, and whether it still holds.
pub(super) fn braked(row: &BrakeRow) -> String {
    let what = row.edition.map_or("the run".to_owned(), |id| format!("edition {}", &id.to_string()[..12]));
    let until = match (row.released_at, &row.released) {
        (Some(at), Some(by)) => format!("released {} {by}", at.format("%Y-%m-%d %H:%M UTC")),
        _ => format!("holds; pressrun release {} --why TEXT", row.run),
    };
    format!("{what}: {}: {until}", row.trip)
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
    if run.state == RunState::Held {
        text.push_str(&format!(
            "  to let it go: pressrun release {id} --why TEXT; to leave it out: pressrun skip {id} --why TEXT\n"
        ));
    }
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
        text.push_str(&format!("  {}", mail(delivery)));
    }
    for delivery in &deliveries.rows {
        if let Some(note) = &delivery.note {
            text.push_str(&format!("  mail to {}: {note}\n", delivery.address));
        }
    }
    let brakes = ledger.brakes_of(id).await?;
    for brake in &brakes {
        text.push_str(&format!("  {}\n", braked(brake)));
    }
    if editions.more || deliveries.more {
        text.push_str(&format!("  and more than the {ROWS_MAX} that are read of each\n"));
    }
    let json = serde_json::json!({
        "run": run, "counts": counts, "waits": waits, "editions": editions, "deliveries": deliveries,
        "brakes": brakes,
    });
    say.result(&json, &text);
    Ok(())
}
