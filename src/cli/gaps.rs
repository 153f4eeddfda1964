//! `gaps`: is any occurrence without a row, or without an outcome.

use chrono::{DateTime, Duration, Utc};

use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::ledger::{Era, Ledger};
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
    let eras = ledger.eras().await?;
    // Schedules that are gone and cadences that were changed are held to account as well, each for its time.
    for era in &eras {
        gaps.extend(absent(&ledger, era, now, &mut notes).await?);
    }
    let seen = |name: &str| eras.iter().any(|era| era.schedule == name && era.until_at.is_none());
    let unseen = config.schedules.iter().filter(|settings| !seen(&settings.name));
    notes.extend(unseen.map(|settings| format!("{}: no daemon has seen it yet", settings.name)));
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

/// The occurrences of a schedule's era that should have a row and have none.
async fn absent(ledger: &Ledger, era: &Era, now: DateTime<Utc>, notes: &mut Vec<String>) -> Result<Vec<Gap>, Failure> {
    let name = &era.schedule;
    let Some(timing) = &era.timing else {
        notes.push(format!("{name}: what it was due by was written down by an earlier program, and is not looked at"));
        return Ok(Vec::new());
    };
    // A daemon may just be about to look.
    let looked_at = now - Duration::seconds(ON_TIME_SECS_MAX);
    let until = era.until_at.map_or(looked_at, |until_at| until_at.min(looked_at));
    let there = ledger.occurrences_after(name, era.from_at).await?;
    let named = timing.cadence.next_after(era.from_at, OCCURRENCES_MAX);
    if named.len() == OCCURRENCES_MAX && named.last().is_some_and(|last| last.at <= until) {
        notes.push(format!("{name}: the first {OCCURRENCES_MAX} occurrences were looked at"));
    }
    let due = named.into_iter().take_while(|one| one.at <= until);
    let absent = due.filter(|one| there.binary_search(&one.at).is_err()).map(|one| Gap {
        schedule: name.clone(),
        at: one.at,
        state: "absent".to_owned(),
        reason: one.why,
    });
    Ok(absent.collect())
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
