//! `due`: what will run when, why then, and for how many.

use chrono_tz::Tz;

use crate::audience::Partner;
use crate::base::Period;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, ScheduleSettings};
use crate::deliver::brakes::Trip;
use crate::facts::{DataSet, FactsError};
use crate::ledger::Ledger;
use crate::pipeline::{Order, brakes_on_plan, plan_over};

use super::WELL;
use super::compose;
use super::say::{Failure, Say, columns};

/// How an instant is shown.
const SHOWN: &str = "%Y-%m-%d %H:%M %:z";

/// For whom a schedule is, by the data there is now.
struct Reach {
    n_editions: usize,
    n_recipients: usize,
    /// What would hold it.
    brakes: Vec<Trip>,
}

pub(super) async fn due(
    config: &Config,
    only: Option<&str>,
    n: usize,
    zone: Option<Tz>,
    say: &Say,
) -> Result<u8, Failure> {
    let now = SystemClock.now();
    let chosen: Vec<&ScheduleSettings> = match only {
        Some(name) => vec![compose::schedule(config, name)?],
        None => config.schedules.iter().collect(),
    };
    let reader = zone.unwrap_or_else(readers_zone);
    let partners = partners(config).await?;
    let orders = compose::orders(config).await?;
    let ledger = if config.ledger.is_file() { Some(compose::ledger(config).await?) } else { None };
    let mut held = Vec::new();
    let mut list = Vec::new();
    let elsewhere = format!("in {reader}");
    let head = ["schedule", "due", &elsewhere, "about", "editions", "recipients", "stores", "why then"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for settings in chosen {
        let period_of = |day| settings.timing.period.of(day);
        let reach = match partners.as_ref().zip(orders.get(&settings.name)) {
            Some((known, order)) => Some(reach(ledger.as_ref(), order, period_of(now.date_naive()), known).await?),
            None => None,
        };
        let reach = reach.as_ref();
        held.extend(reach.iter().flat_map(|reach| &reach.brakes).map(|trip| format!("{}: {trip}", settings.name)));
        for occurrence in settings.timing.cadence.next_after(now, n) {
            let period = period_of(occurrence.local_on);
            let shown = occurrence.at.with_timezone(&reader).format(SHOWN).to_string();
            let count = |n: fn(&Reach) -> usize| reach.map_or("n/a".to_owned(), |reach| n(reach).to_string());
            rows.push(vec![
                settings.name.clone(),
                occurrence.local.clone(),
                shown.clone(),
                period.long(),
                count(|reach| reach.n_editions),
                count(|reach| reach.n_recipients),
                settings.stores.join(", "),
                occurrence.why.clone(),
            ]);
            list.push(serde_json::json!({
                "schedule": settings.name, "at": occurrence.at, "local": occurrence.local,
                "reader": { "zone": reader.name(), "local": shown }, "period": period, "why": occurrence.why,
                "editions": reach.map(|reach| reach.n_editions),
                "recipients": reach.map(|reach| reach.n_recipients), "stores": settings.stores,
                "brakes": reach.map(|reach| &reach.brakes),
            }));
        }
    }
    leave_out_needless(&mut rows);
    let mut text = if list.is_empty() { "Nothing will run.\n".to_owned() } else { columns(&rows) };
    held.iter().for_each(|held| text.push_str(&format!("Would be held, by what is known now: {held}\n")));
    if let Some(ledger) = ledger {
        ledger.close(SystemClock.now()).await?;
    }
    if partners.is_none() && !list.is_empty() {
        text.push_str("How many editions and recipients is not known: there are no facts yet.\n");
    }
    say.result(&list, &text);
    Ok(WELL)
}

/// Takes out the columns that tell nothing: of stores where there are none, and of a reader's clock that is the
/// schedules' own.
fn leave_out_needless(rows: &mut [Vec<String>]) {
    if rows.iter().skip(1).all(|row| row[6].is_empty()) {
        rows.iter_mut().for_each(|row| drop(row.remove(6)));
    }
    if rows.iter().skip(1).all(|row| row[1] == row[2]) {
        rows.iter_mut().for_each(|row| drop(row.remove(2)));
    }
}

/// For whom a schedule is, and what would hold it.
async fn reach(
    ledger: Option<&Ledger>,
    order: &Order,
    period: Period,
    (data, partners): &(DataSet, Vec<Partner>),
) -> Result<Reach, Failure> {
    let plan = plan_over(order, period, data.clone(), partners.clone());
    let n_recipients = plan.editions.iter().map(|edition| edition.recipients.len()).sum();
    let brakes = match ledger {
        Some(ledger) => brakes_on_plan(ledger, order, &plan, None).await?,
        None => Vec::new(),
    };
    Ok(Reach { n_editions: plan.editions.len(), n_recipients, brakes })
}

/// The zone that this machine's user lives in, as the environment or the system has it.
fn readers_zone() -> Tz {
    let named = std::env::var("TZ").ok().and_then(|name| name.trim_start_matches(':').parse().ok());
    let of_system = || iana_time_zone::get_timezone().ok()?.parse().ok();
    named.or_else(of_system).unwrap_or(Tz::UTC)
}

/// The partners of the data there is now; none while there is none.
async fn partners(config: &Config) -> Result<Option<(DataSet, Vec<Partner>)>, Failure> {
    if !compose::has_facts(config) {
        return Ok(None);
    }
    let facts = compose::facts(config).await?;
    match facts.pin(SystemClock.now()).await {
        Ok(data) => {
            let partners = facts.partners(&data).await?;
            Ok(Some((data, partners)))
        }
        Err(FactsError::Empty) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
