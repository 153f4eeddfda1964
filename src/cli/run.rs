//! `run`: a schedule now, by hand.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::base::Period;
use crate::clock::{Clock, Stopwatch, SystemClock};
use crate::config::Config;
use crate::ledger::{Counts, DeliveryState, EditionState, LedgerError, RunRow, RunState};
use crate::pipeline::{self, Order, Plan, Press, Progress, Ran, Step};

use super::rehearse::RehearseArgs;
use super::say::{Failure, Say, columns};
use super::{FAILED, WELL, compose, rehearse};

/// How often a run is looked at that a daemon works on as well.
const LOOK_MILLIS: u64 = 200;

/// How long it is waited for while nothing of it moves.
const STANDSTILL_SECS_MAX: u64 = 60;

#[derive(clap::Args, Debug)]
pub(super) struct RunArgs {
    /// The schedule's name
    schedule: String,
    /// What it is about, as in 2026-10, 2026-Q4 or 2026; else the last complete one
    #[arg(long)]
    period: Option<Period>,
    /// One partner only; may be given several times
    #[arg(long = "partner", value_name = "ID")]
    partners: Vec<String>,
    /// One role only; may be given several times
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// Tells what would be made and sent, and does nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    rehearse: RehearseArgs,
}

pub(super) async fn run(config: &Config, args: &RunArgs, say: &Say) -> Result<u8, Failure> {
    let settings = compose::schedule(config, &args.schedule)?;
    let press = compose::press(config).await?;
    let orders = compose::orders(config).await?;
    let order = orders.get(&settings.name).ok_or_else(|| Failure::failed("the schedule has no order"))?;
    let order = Arc::new(narrowed(order, args)?);
    let now = SystemClock.now();
    let period = args
        .period
        .unwrap_or_else(|| settings.timing.period.of(now.with_timezone(&settings.timing.cadence.zone).date_naive()));
    if args.dry_run {
        let plan = pipeline::plan(&press, &order, period).await.map_err(Failure::from)?;
        return dry_run(&press, &order, &plan, say).await;
    }
    if let Some(target) = args.rehearse.target() {
        return rehearse::rehearse(config, press, &order, period, (&target, &args.rehearse), say).await;
    }
    for (name, ran) in resume_all(&press, &orders, say).await? {
        say.note(&format!("Finished run {} of {name}, which an earlier start left open.", ran.run.id));
    }
    let progress = progress(say);
    let mut ran = pipeline::run(&press, &order, period, &progress).await?;
    ran.run = with_the_daemon(&press, ran.run).await?;
    let code = tell(&press, &ran, say).await?;
    pipeline::tell_rests(&press, compose::digest(config).as_ref()).await?;
    close(press).await?;
    Ok(code)
}

/// The order for the partners and roles that the command line names.
fn narrowed(order: &Order, args: &RunArgs) -> Result<Order, Failure> {
    let mut narrowed = order.clone();
    narrowed.is_narrowed = !args.partners.is_empty() || !args.roles.is_empty();
    if narrowed.is_narrowed {
        // Fewer recipients than the last run had are what is asked for.
        narrowed.brakes.recipients_change_percent_max = None;
    }
    if !args.partners.is_empty() {
        let asked: BTreeSet<String> = args.partners.iter().cloned().collect();
        if let Some(other) = asked.iter().find(|id| !order.covers(id)) {
            return Err(Failure::wrong(
                format!("schedule `{}` is not for partner `{other}`", order.schedule),
                "add it to the schedule's `partners`",
            ));
        }
        narrowed.partners = Some(asked);
    }
    for role in &args.roles {
        order.roles.get(role).map_err(|error| Failure::wrong(error.to_string(), "see `roles.toml`"))?;
    }
    if !args.roles.is_empty() {
        let roles = args.roles.iter().filter(|role| order.is_for(role)).cloned().collect();
        narrowed.only_roles = Some(roles);
    }
    Ok(narrowed)
}

/// Goes on with every run that an earlier start left open.
pub(super) async fn resume_all(
    press: &Press,
    orders: &std::collections::BTreeMap<String, Arc<Order>>,
    say: &Say,
) -> Result<Vec<(String, Ran)>, Failure> {
    let now = press.clock.now();
    press.ledger.reap(now).await?;
    let mut resumed = Vec::new();
    if press.ledger.daemon_pid()?.is_some() {
        // It goes on with them itself.
        return Ok(resumed);
    }
    for row in press.ledger.open_runs().await? {
        let Some(order) = orders.get(&row.schedule) else {
            say.note(&format!("Run {} is open, but there is no schedule `{}` any more.", row.id, row.schedule));
            continue;
        };
        press.ledger.resolve_uncertain(&row.schedule, &order.retries, now).await?;
        match pipeline::resume(press, order, &row, &progress(say)).await {
            Ok(ran) => resumed.push((row.schedule, ran)),
            // One that cannot be gone on with stops no other.
            Err(error) => say.note(&format!("Run {} could not be gone on with: {error}", row.id)),
        }
    }
    Ok(resumed)
}

/// Waits for what a daemon has taken over of a run, so that what is told is how it ended. What only waits to be tried
/// again is not waited for.
async fn with_the_daemon(press: &Press, mut run: RunRow) -> Result<RunRow, Failure> {
    use EditionState::{Making, Planned};
    let (mut last, mut since) = (Counts::default(), Stopwatch::start());
    while run.state == RunState::Running && press.ledger.daemon_pid()?.is_some() {
        let counts = press.ledger.counts(run.id).await?;
        let makes = [Planned, Making].iter().any(|state| counts.editions.contains_key(state));
        let sends =
            [DeliveryState::Planned, DeliveryState::Sending].iter().any(|state| counts.deliveries.contains_key(state));
        if counts != last {
            (last, since) = (counts, Stopwatch::start());
        }
        if (!makes && !sends) || since.elapsed().as_secs() > STANDSTILL_SECS_MAX {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(LOOK_MILLIS)).await;
        run = press.ledger.run(run.id).await?;
    }
    Ok(run)
}

/// A bar that counts the editions as they are settled.
pub(super) fn progress(say: &Say) -> Progress {
    let bar = say.bar(0, "Making editions");
    Arc::new(move |step| match step {
        Step::Planned(n) => bar.set_length(n as u64),
        Step::Settled(_) => bar.inc(1),
    })
}

/// Tells how a run went; the exit code says whether something failed.
pub(super) async fn tell(press: &Press, ran: &Ran, say: &Say) -> Result<u8, Failure> {
    let counts = press.ledger.counts(ran.run.id).await?;
    let text = summary(ran, &counts);
    let json = serde_json::json!({
        "run": ran.run, "counts": counts, "planned": ran.planned,
        "partners_without_recipients": ran.plan.as_ref().map(|plan| {
            plan.without_recipients.iter().map(|partner| &partner.id).collect::<Vec<_>>()
        }),
    });
    say.result(&json, &text);
    use DeliveryState::{Planned, Retryable, Sending, Uncertain};
    let is_open = |state: &DeliveryState| matches!(state, Planned | Sending | Retryable | Uncertain);
    let open = counts.deliveries.iter().any(|(state, n)| *n > 0 && is_open(state));
    let is_well = !matches!(ran.run.state, RunState::Partial | RunState::Held) && !open;
    Ok(if is_well { WELL } else { FAILED })
}

fn summary(ran: &Ran, counts: &Counts) -> String {
    let run = &ran.run;
    let mut lines =
        vec![format!("Run {} of {}, {}: {} ({})", run.id, run.schedule, run.period.long(), run.state, run.reason)];
    if let Some(planned) = &ran.planned {
        if planned.n_existing_editions > 0 {
            lines.push(format!(
                "  {} editions were made before and are left as they are; none is made or sent twice.",
                planned.n_existing_editions
            ));
        }
        if planned.n_new_editions + planned.n_existing_editions == 0 {
            lines.push("  Nobody is to get anything: no recipient has a grant at a partner of the data.".to_owned());
        }
    }
    if run.state == RunState::Held {
        lines.push(format!("  Nothing more of it leaves until you let it go: pressrun release {} --why TEXT", run.id));
    }
    let list = |what: &str, states: Vec<String>| {
        format!("  {what}: {}", if states.is_empty() { "none".to_owned() } else { states.join(", ") })
    };
    lines.push(list("editions", counts.editions.iter().map(|(state, n)| format!("{n} {state}")).collect()));
    lines.push(list("deliveries", counts.deliveries.iter().map(|(state, n)| format!("{n} {state}")).collect()));
    lines.join("\n")
}

async fn dry_run(press: &Press, order: &Order, plan: &Plan, say: &Say) -> Result<u8, Failure> {
    let mut rows = Vec::new();
    let mut list = Vec::new();
    for edition in &plan.editions {
        let state = match press.ledger.edition(edition.id).await {
            Ok(row) => row.state.to_string(),
            Err(LedgerError::NoSuch { .. }) => "new".to_owned(),
            Err(error) => return Err(error.into()),
        };
        let to: Vec<&str> = edition.recipients.iter().map(|recipient| recipient.address.as_str()).collect();
        rows.push(vec![
            edition.partner_name.chars().take(40).collect(),
            edition.audience.short(),
            state.clone(),
            to.iter().copied().chain(edition.stores.iter().map(String::as_str)).collect::<Vec<_>>().join(", "),
        ]);
        list.push(serde_json::json!({
            "edition": edition.id, "partner_id": edition.audience.partner_id, "audience": edition.audience,
            "state": state, "recipients": to, "stores": edition.stores,
        }));
    }
    let trips = pipeline::brakes_on_plan(&press.ledger, order, plan, None).await?;
    let formats: Vec<&str> = order.formats.iter().map(|format| format.extension()).collect();
    let mut text = format!(
        "{} of {} would make {} editions ({}), and nothing was done:\n{}",
        order.schedule,
        plan.period.long(),
        plan.editions.len(),
        formats.join(", "),
        columns(&rows)
    );
    for trip in &trips {
        text.push_str(&format!("  it would be held: {trip}\n"));
    }
    for partner in &plan.without_recipients {
        text.push_str(&format!("  {} ({}) has no recipient\n", partner.name, partner.id));
    }
    for recipient in &plan.without_partner {
        text.push_str(&format!("  {}: partner {} is not in the data\n", recipient.address, recipient.partner_id));
    }
    say.result(&serde_json::json!({ "period": plan.period, "editions": list, "brakes": trips }), &text);
    Ok(WELL)
}

/// Ends this process's part in the ledger in good order.
pub(super) async fn close(press: Press) -> Result<(), Failure> {
    let clock = Arc::clone(&press.clock);
    if let Some(ledger) = Arc::into_inner(press.ledger) {
        ledger.close(clock.now()).await?;
    }
    Ok(())
}
