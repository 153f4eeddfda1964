//! From raw to checked: on which days nobody works.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::Weekday;

use super::at::At;
use super::check::Check;
use super::hint;
use super::raw::RawCalendar;
use crate::schedule::{Calendar, DayOff, DayOffError, Moves, NATIONAL};

/// The calendars that schedules may name: those of the configuration and the ready-made ones.
pub(super) type Calendars = BTreeMap<String, Arc<Calendar>>;

/// How deep calendars may include one another; deeper is a circle.
const DEPTH_MAX: usize = 8;

pub(super) fn settings(raw: BTreeMap<At<String>, RawCalendar>, check: &mut Check<'_>) -> Calendars {
    let ready: BTreeMap<&str, Vec<DayOff>> =
        NATIONAL.iter().map(|national| (national.name, national.days_off())).collect();
    for name in raw.keys().filter(|name| ready.contains_key(name.get().as_str())) {
        let what = format!("`{}` is a ready-made calendar", name.get());
        check.wrong(name.span(), what, "give yours another name, and `include` this one in it");
    }
    let own: BTreeMap<String, Own> =
        raw.into_iter().map(|(name, raw)| (name.get().clone(), own(&name, raw, check))).collect();
    let mut calendars: Calendars =
        NATIONAL.iter().map(|national| (national.name.to_owned(), Arc::new(national.calendar()))).collect();
    for (name, calendar) in &own {
        let days_off = days_off(name, &own, &ready, (calendar, DEPTH_MAX), check);
        let whole = Calendar { weekend: calendar.weekend.clone(), days_off };
        if whole.on_or_after(chrono::NaiveDate::default()).is_none() {
            check.wrong(
                calendar.span.clone(),
                format!("calendar `{name}` has no business day"),
                "leave a weekday out of `weekend`",
            );
        }
        calendars.insert(name.clone(), Arc::new(whole));
    }
    calendars
}

/// A calendar before what it includes is looked up.
struct Own {
    span: std::ops::Range<usize>,
    weekend: Vec<Weekday>,
    days_off: Vec<DayOff>,
    include: Vec<At<String>>,
}

fn own(name: &At<String>, raw: RawCalendar, check: &mut Check<'_>) -> Own {
    let weekend = match raw.weekend {
        Some(days) => days.iter().filter_map(|at| weekday(at, check)).collect(),
        None => Calendar::default().weekend,
    };
    let days_off = raw.days_off.unwrap_or_default();
    let days_off = days_off.iter().filter_map(|at| day_off(at, check)).collect();
    Own { span: name.span(), weekend, days_off, include: raw.include.unwrap_or_default() }
}

fn weekday(at: &At<String>, check: &mut Check<'_>) -> Option<Weekday> {
    let day = at.get().parse().ok();
    if day.is_none() {
        check.wrong(at.span(), format!("`{}` is no day of the week", at.get()), "as in `[\"sat\", \"sun\"]`");
    }
    day
}

fn day_off(at: &At<String>, check: &mut Check<'_>) -> Option<DayOff> {
    match at.get().parse() {
        Ok(on) => Some(DayOff { name: at.get().clone(), on, moves: Moves::Stays }),
        Err(error) => {
            let error: DayOffError = error;
            check.wrong(at.span(), error.to_string(), DayOffError::HINT);
            None
        }
    }
}

/// A calendar's own days off and those of what it includes.
fn days_off(
    name: &str,
    own: &BTreeMap<String, Own>,
    ready: &BTreeMap<&str, Vec<DayOff>>,
    (calendar, depth): (&Own, usize),
    check: &mut Check<'_>,
) -> Vec<DayOff> {
    let mut days = calendar.days_off.clone();
    for at in &calendar.include {
        match (ready.get(at.get().as_str()), own.get(at.get())) {
            (Some(of_country), _) => days.extend(of_country.iter().cloned()),
            (None, Some(_)) if depth == 0 || at.get() == name => {
                check.wrong(at.span(), format!("calendar `{}` includes itself", at.get()), "take one `include` out");
                return days;
            }
            (None, Some(other)) => days.extend(days_off(name, own, ready, (other, depth - 1), check)),
            (None, None) => unknown(at, own.keys().map(String::as_str), check),
        }
    }
    days
}

/// Says that there is no such calendar.
pub(super) fn unknown<'a>(at: &At<String>, own: impl Iterator<Item = &'a str>, check: &mut Check<'_>) {
    let names: Vec<&str> = own.chain(NATIONAL.iter().map(|national| national.name)).collect();
    check.wrong(at.span(), format!("unknown calendar `{}`", at.get()), hint::for_unknown(at.get(), "calendars", names));
}
