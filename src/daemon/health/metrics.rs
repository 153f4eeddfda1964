//! `/metrics`: the ledger's counts as they are when asked, in the text format of Prometheus, 0.0.4.
//!
//! Labels carry states and names of schedules, never an address, a partner or a customer.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Duration, Utc};
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::{Told, in_time, text};
use crate::ledger::{DeliveryState, EditionState, LedgerError, RunState};

/// A planned run counts as late so many minutes after its instant.
pub const LATE_MINUTES: i64 = 5;
/// How many schedules are told one by one, those that are due next; how many there are is told as well.
pub const SCHEDULES_SHOWN_MAX: usize = 1_000;

/// The states in which a run is open.
const OPEN: [RunState; 4] = [RunState::Planned, RunState::Waiting, RunState::Running, RunState::Held];
/// The states in which a run has ended.
const ENDED: [RunState; 4] = [RunState::Done, RunState::Partial, RunState::Missed, RunState::Skipped];

type Labels = Vec<(&'static str, String)>;
type Secs = Gauge<f64, AtomicU64>;

/// What the ledger was asked.
struct Counts {
    runs: BTreeMap<RunState, u64>,
    n_late: u64,
    editions: BTreeMap<EditionState, u64>,
    deliveries: BTreeMap<DeliveryState, u64>,
    last_done: BTreeMap<String, DateTime<Utc>>,
}

pub(super) async fn metrics(State(told): State<Arc<Told>>) -> Response {
    let now = told.clock.now();
    let next = next_of(&told, now).await;
    let shown: Vec<&str> = next.iter().take(SCHEDULES_SHOWN_MAX).map(|(schedule, _)| schedule.as_str()).collect();
    let counts = in_time(ask(&told, &shown, now)).await;
    if let Err(error) = &counts {
        tracing::warn!("the ledger does not answer for the metrics: {error}");
    }
    let mut registry = Registry::with_prefix("pressrun");
    of_the_daemon(&mut registry, &told, now);
    of_schedules(&mut registry, &next, now);
    let answers: Gauge = Gauge::default();
    answers.set(i64::from(counts.is_ok()));
    registry.register(
        "ledger_answers",
        "Whether the ledger answered; its figures are left out where it did not",
        answers,
    );
    if let Ok(counts) = &counts {
        of_the_ledger(&mut registry, counts);
    }
    let mut body = String::new();
    match prometheus_text::encode(&mut body, &registry) {
        Ok(()) => text(StatusCode::OK, prometheus_text::CONTENT_TYPE, body),
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8", "no metrics\n".to_owned()),
    }
}

/// The next occurrence of each schedule, the nearest first. Thousands of cadences take their time, so not on a thread
/// that others wait for.
async fn next_of(told: &Told, now: DateTime<Utc>) -> Vec<(String, DateTime<Utc>)> {
    let next = Arc::clone(&told.next);
    let mut next = tokio::task::spawn_blocking(move || next(now)).await.unwrap_or_default();
    next.sort_by(|(a, at), (b, other)| (at, a).cmp(&(other, b)));
    next
}

async fn ask(told: &Told, schedules: &[&str], now: DateTime<Utc>) -> Result<Counts, LedgerError> {
    let ledger = &told.ledger;
    Ok(Counts {
        runs: ledger.n_runs().await?,
        n_late: ledger.n_planned_before(now - Duration::minutes(LATE_MINUTES)).await?,
        editions: ledger.n_waiting_editions().await?,
        deliveries: ledger.n_waiting_deliveries().await?,
        last_done: ledger.last_done(schedules).await?,
    })
}

fn of_the_daemon(registry: &mut Registry, told: &Told, now: DateTime<Utc>) {
    let version = vec![("version", env!("CARGO_PKG_VERSION"))];
    registry.register("build", "The program that answers", Info::new(version));
    // Before the first beat there is no age: absent, not 0.
    if let Some(age) = told.pulse.beat_age(now) {
        let help = "Time since the last beat of the daemon's heart";
        registry.register_with_unit("heart_beat_age", help, Unit::Seconds, secs(age));
    }
    let help = "Time from planning a run to its end, for runs that ended in this process";
    registry.register_with_unit("run_duration", help, Unit::Seconds, told.pulse.run_secs());
}

fn of_schedules(registry: &mut Registry, next: &[(String, DateTime<Utc>)], now: DateTime<Utc>) {
    let n: Gauge = Gauge::default();
    n.set(i64::try_from(next.len()).unwrap_or(i64::MAX));
    registry.register(
        "schedules",
        "Schedules that will come due again; at most the 1000 nearest are told one by one",
        n,
    );
    let until = Family::<Labels, Secs>::default();
    for (schedule, at) in next.iter().take(SCHEDULES_SHOWN_MAX) {
        until.get_or_create(&vec![("schedule", schedule.clone())]).set((*at - now).as_seconds_f64());
    }
    let help = "Time until the next occurrence of a schedule";
    registry.register_with_unit("next_occurrence", help, Unit::Seconds, until);
}

fn of_the_ledger(registry: &mut Registry, counts: &Counts) {
    let zero = |states: &[RunState]| -> Vec<(RunState, u64)> {
        states.iter().map(|state| (*state, counts.runs.get(state).copied().unwrap_or_default())).collect()
    };
    registry.register("runs_open", "Runs that have not ended, by state", by_state(zero(&OPEN)));
    let ended = Family::<Labels, Counter>::default();
    for (state, n) in zero(&ENDED) {
        ended.get_or_create(&vec![("outcome", state.to_string())]).inc_by(n);
    }
    registry.register("runs_ended", "Runs that have ended since the ledger was made, by outcome", ended);
    let late: Gauge = Gauge::default();
    late.set(i64::try_from(counts.n_late).unwrap_or(i64::MAX));
    registry.register("occurrences_late", "Planned runs whose instant is more than 5 minutes ago", late);
    registry.register(
        "editions_open",
        "Editions that wait or are being made, by state",
        by_state(counts.editions.clone()),
    );
    let help = "Deliveries that wait or are being sent, by state";
    registry.register("deliveries_open", help, by_state(counts.deliveries.clone()));
    let done = Family::<Labels, Secs>::default();
    for (schedule, at) in &counts.last_done {
        done.get_or_create(&vec![("schedule", schedule.clone())]).set((*at - DateTime::UNIX_EPOCH).as_seconds_f64());
    }
    let help = "When the last run of a schedule was done, in Unix time";
    registry.register_with_unit("last_done_timestamp", help, Unit::Seconds, done);
}

fn by_state<S: Display>(counts: impl IntoIterator<Item = (S, u64)>) -> Family<Labels, Gauge> {
    let family = Family::<Labels, Gauge>::default();
    for (state, n) in counts {
        family.get_or_create(&vec![("state", state.to_string())]).set(i64::try_from(n).unwrap_or(i64::MAX));
    }
    family
}

fn secs(duration: Duration) -> Secs {
    let gauge = Secs::default();
    gauge.set(duration.as_seconds_f64());
    gauge
}
