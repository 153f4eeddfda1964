//! `gaps`: is any occurrence without a row, or without an outcome.

use chrono::{DateTime, Duration, Utc};

use crate::clock::{Clock, SystemClock};
use crate::config::{Config, ScheduleSettings};
use crate::ledger::Ledger;
use crate::schedule::{OCCURRENCES_MAX, ON_TIME_SECS_MAX};

use super::say::{Failure, Say, columns};
use super::{FAILED, WELL, compose};

/// What is missing of one occurrence.
#[derive(serde::Serialize)]
struct Gap {
    schedule: String,
    at: DateTime<Utc>,
    /// `absent`, or the state of its open run.
    state: String,
    reason: String,
}

pub(super) async fn gaps(config: &Config, say: &Say) -> Result<u8, Failure> {
    let now = SystemClock.now();
    let ledger = compose::ledger(config).await?;
    let mut gaps = Vec::new();
    let mut notes = Vec::new();
    for settings in &config.schedules {
        match absent(&ledger, settings, now).await? {
            Some((more, is_cut)) => {
                gaps.extend(more);
                if is_cut {
                    notes.push(format!("{}: the first {OCCURRENCES_MAX} occurrences were looked at", settings.name));
                }
            }
            None => notes.push(format!("{}: no daemon has seen it yet", settings.name)),
        }
    }
    let open = ledger.gaps().await?;
    if open.more {
        notes.push("more runs are open".to_owned());
    }
    gaps.extend(open.rows.into_iter().filter_map(|run| {
        let (state, at) = (run.state.to_string(), run.occurrence_at?);
        Some(Gap { schedule: run.schedule, at, state, reason: run.reason })
    }));
    ledger.close(now).await?;
    gaps.sort_by(|a, b| (a.at, &a.schedule).cmp(&(b.at, &b.schedule)));
    say.result(&serde_json::json!({ "gaps": gaps, "notes": notes }), &text(&gaps, &notes));
    Ok(if gaps.is_empty() { WELL } else { FAILED })
}

/// The occurrences that should have a row and have none; none where nobody has looked yet.
async fn absent(
    ledger: &Ledger,
    settings: &ScheduleSettings,
    now: DateTime<Utc>,
) -> Result<Option<(Vec<Gap>, bool)>, Failure> {
    let Some(since) = ledger.looked_at_since(&settings.name).await? else { return Ok(None) };
    let there = ledger.occurrences_after(&settings.name, since).await?;
    let named = settings.cadence.next_after(since, OCCURRENCES_MAX);
    let is_cut = named.len() == OCCURRENCES_MAX && named.last().is_some_and(|last| last.at <= now);
    // A daemon may just be about to look.
    let due = named.into_iter().take_while(|one| one.at <= now - Duration::seconds(ON_TIME_SECS_MAX));
    let absent = due.filter(|one| there.binary_search(&one.at).is_err()).map(|one| Gap {
        schedule: settings.name.clone(),
        at: one.at,
        state: "absent".to_owned(),
        reason: one.why,
    });
    Ok(Some((absent.collect(), is_cut)))
}

fn text(gaps: &[Gap], notes: &[String]) -> String {
    let row = |gap: &Gap| {
        vec![
            gap.schedule.clone(),
            gap.at.format("%Y-%m-%d %H:%M UTC").to_string(),
            gap.state.clone(),
            gap.reason.clone(),
        ]
    };
    let mut text = match gaps.len() {
        0 => "Every occurrence that came due has a row with an outcome.\n".to_owned(),
        _ => columns(&gaps.iter().map(row).collect::<Vec<_>>()),
    };
    notes.iter().for_each(|note| text.push_str(&format!("{note}\n")));
    text
}
