//! What a digest says: how runs ended, what is open, what failed and what to do. It names partners and recipients, never
//! customers or figures.

use std::collections::BTreeMap;

use super::{RUNS_MAX, Told};
use crate::base::{header_text, short_name};
use crate::ledger::{DeliveryRow, DeliveryState, EditionRow, EditionState, RunState};

/// How much of a relay's answer is repeated, in characters.
const ANSWER_CHARS_MAX: usize = 200;

/// A digest's subject and bodies.
pub(super) struct Words {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
}

/// A line of a digest.
enum Line {
    /// Begins a run.
    Head(String),
    /// Says something.
    Said(String),
    /// A command that does something about it.
    Command(String),
}

pub(super) fn of(told: &[Told]) -> Words {
    let lines: Vec<Line> = told.iter().take(RUNS_MAX).flat_map(run).chain(cut(told)).collect();
    Words { subject: subject(told), text: text(&lines), html: html(&lines) }
}

fn subject(told: &[Told]) -> String {
    if let [one] = told {
        let run = &one.rest.run;
        return format!("pressrun: {} about {} is {}", run.schedule, run.period.long(), run.state);
    }
    let mut by_state: BTreeMap<RunState, usize> = BTreeMap::new();
    told.iter().for_each(|one| *by_state.entry(one.rest.run.state).or_default() += 1);
    let counts: Vec<String> = by_state.iter().map(|(state, n)| format!("{n} {state}")).collect();
    format!("pressrun: {} runs ended: {}", told.len(), counts.join(", "))
}

fn cut(told: &[Told]) -> Option<Line> {
    let more = told.len().saturating_sub(RUNS_MAX);
    (more > 0).then(|| Line::Head(format!("And {more} more runs: pressrun status --runs {}", told.len())))
}

fn run(one: &Told) -> Vec<Line> {
    let run = &one.rest.run;
    let mut lines =
        vec![Line::Head(format!("Run {} of {}, {}: {}", run.id, run.schedule, run.period.long(), run.state))];
    let count = |what: &str, counts: Vec<String>| {
        Line::Said(format!("{what}: {}", if counts.is_empty() { "none".to_owned() } else { counts.join(", ") }))
    };
    lines.push(count("Editions", one.counts.editions.iter().map(|(state, n)| format!("{n} {state}")).collect()));
    lines.push(count("Mails", one.counts.deliveries.iter().map(|(state, n)| format!("{n} {state}")).collect()));
    if one.n_waiting > 0 {
        lines.push(Line::Said(
            "Open: partners whose data is not full are waited for, and come in a later part.".to_owned(),
        ));
    }
    match run.state {
        RunState::Held if one.brakes.is_empty() => lines.push(Line::Said("Its data did not come in time.".to_owned())),
        RunState::Held => {
            let brakes: Vec<String> = one.brakes.iter().map(|brake| format!("`{brake}`")).collect();
            lines.push(Line::Said(format!("Nothing more of it leaves: held by {}.", brakes.join(", "))));
        }
        RunState::Missed => {
            lines.push(Line::Said("It did not run in time. To run it now:".to_owned()));
            lines.push(Line::Command(format!("pressrun run {} --period {}", run.schedule, run.period)));
        }
        _ => {}
    }
    lines.extend(one.editions.0.iter().map(|row| Line::Said(edition(row))));
    lines.extend(more(one.editions.1, one.editions.0.len(), "editions"));
    lines.extend(one.deliveries.0.iter().map(|row| Line::Said(delivery(row))));
    lines.extend(more(one.deliveries.1, one.deliveries.0.len(), "mails"));
    lines.extend(what_to_do(one));
    lines
}

fn more(n: usize, n_named: usize, what: &str) -> Option<Line> {
    (n > n_named).then(|| Line::Said(format!("and {} more {what}", n - n_named)))
}

/// What keeps an edition, without the figures that a brake or the gate names.
fn edition(row: &EditionRow) -> String {
    let by = match row.reason.split(['`', ':']).next().map(str::trim) {
        Some("brake") => {
            let mut keys: Vec<String> = Vec::new();
            for part in row.reason.split("brake `").skip(1) {
                let key = format!("`{}`", part.split('`').next().unwrap_or_default());
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
            format!(" by the brake {}", keys.join(", "))
        }
        Some("gate") => " by the gate".to_owned(),
        _ => String::new(),
    };
    format!("{} ({}), {}: {}{by}", row.partner_name, row.audience.partner_id, row.audience.role, row.state)
}

fn delivery(row: &DeliveryRow) -> String {
    let answer = short_name(&header_text(&row.reason), ANSWER_CHARS_MAX);
    format!("Mail {} to {}: {}: {answer}", row.id, row.address, row.state)
}

fn what_to_do(one: &Told) -> Vec<Line> {
    let run = &one.rest.run;
    let editions = |state| one.counts.editions.contains_key(&state);
    let deliveries = |state| one.counts.deliveries.contains_key(&state);
    let mut lines = Vec::new();
    let mut say = |what: &str, command: String| {
        lines.push(Line::Said(what.to_owned()));
        lines.push(Line::Command(command));
    };
    let is_held = run.state == RunState::Held || editions(EditionState::Held) || deliveries(DeliveryState::Held);
    if is_held || editions(EditionState::Failed) {
        say("Why, in full:", format!("pressrun status --run {}", run.id));
    }
    if is_held {
        say("To let go on what is held:", format!("pressrun release {} --why TEXT", run.id));
    }
    if run.state == RunState::Held {
        say("Or to leave the run out for good:", format!("pressrun skip {} --why TEXT", run.id));
    }
    if deliveries(DeliveryState::Uncertain) {
        let listed = one.deliveries.0.iter().find(|row| row.state == DeliveryState::Uncertain);
        let id = listed.map_or("DELIVERY".to_owned(), |row| row.id.to_string());
        say(
            "Of an uncertain mail nobody can tell whether it arrived. Ask, and say so:",
            format!("pressrun settle {id} --delivered --why TEXT"),
        );
        say("Or send it again, with the same Message-ID:", format!("pressrun resend {id} --why TEXT"));
    }
    if deliveries(DeliveryState::Failed) {
        say(
            "A mail that failed is not tried again. Mend its address, and run the period again: only who got nothing does:",
            format!("pressrun run {} --period {}", run.schedule, run.period),
        );
    }
    lines
}

fn text(lines: &[Line]) -> String {
    let mut text = String::new();
    for line in lines {
        match line {
            Line::Head(words) if text.is_empty() => text.push_str(&format!("{words}\n")),
            Line::Head(words) => text.push_str(&format!("\n{words}\n")),
            Line::Said(words) => text.push_str(&format!("  {words}\n")),
            Line::Command(words) => text.push_str(&format!("    {words}\n")),
        }
    }
    text
}

fn html(lines: &[Line]) -> String {
    let mut body = String::new();
    for line in lines {
        body.push_str(&match line {
            Line::Head(words) => format!("<h2 style=\"font-size:18px;margin:24px 0 8px\">{}</h2>\n", escaped(words)),
            Line::Said(words) => format!("<p style=\"margin:4px 0\">{}</p>\n", escaped(words)),
            Line::Command(words) => format!("<p style=\"margin:4px 0 4px 24px\"><code>{}</code></p>\n", escaped(words)),
        });
    }
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>pressrun</title></head>\n\
         <body style=\"font:16px/1.5 sans-serif;max-width:720px\">\n{body}</body>\n</html>\n"
    )
}

fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
