//! `due`: what will run when, and why then.

use chrono_tz::Tz;

use crate::clock::{Clock, SystemClock};
use crate::config::Config;

use super::WELL;
use super::compose::schedule;
use super::say::{Failure, Say, columns};

pub(super) fn due(config: &Config, only: Option<&str>, n: usize, zone: Option<Tz>, say: &Say) -> Result<u8, Failure> {
    let now = SystemClock.now();
    let chosen = match only {
        Some(name) => vec![schedule(config, name)?],
        None => config.schedules.iter().collect(),
    };
    let mut list = Vec::new();
    let mut rows = Vec::new();
    for settings in chosen {
        for occurrence in settings.cadence.next_after(now, n) {
            let period = settings.period.of(occurrence.local_on);
            let shown = match zone {
                Some(zone) => occurrence.at.with_timezone(&zone).format("%Y-%m-%d %H:%M %:z").to_string(),
                None => occurrence.local.clone(),
            };
            rows.push(vec![settings.name.clone(), shown.clone(), period.long(), occurrence.why.clone()]);
            list.push(serde_json::json!({
                "schedule": settings.name, "at": occurrence.at, "local": shown,
                "period": period, "why": occurrence.why,
            }));
        }
    }
    let text = if rows.is_empty() { "Nothing will run.".to_owned() } else { columns(&rows) };
    say.result(&list, &text);
    Ok(WELL)
}
