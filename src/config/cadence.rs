//! From raw to checked: when a schedule runs.

use std::sync::Arc;

use chrono::{NaiveDate, NaiveTime};

use super::at::At;
use super::calendars::{self, Calendars};
use super::check::Check;
use super::hint;
use super::raw::{RawPause, RawSchedule};
use crate::schedule::{Cadence, Calendar, Cron, Every, ON_DEFAULT, On, Rule, Times};

/// When a schedule without times runs: early enough to be read in the morning.
const AT_DEFAULT: NaiveTime = match NaiveTime::from_hms_opt(6, 0, 0) {
    Some(at) => at,
    None => NaiveTime::MIN,
};

/// Any day: a rule or expression without a day after it for years has none at all.
const ANY_DAY: &str = "2000-01-01";

/// The cadence of a schedule, whose name stands at a span.
pub(super) fn cadence(
    name: &At<String>,
    raw: &RawSchedule,
    calendars: &Calendars,
    check: &mut Check<'_>,
) -> Option<Cadence> {
    let zone = raw.zone.as_ref().and_then(|at| zone(at, check));
    let times = match &raw.cron {
        Some(at) => {
            without_rule(at, raw, check);
            cron(at, check).map(Times::Cron)
        }
        None => rule(name, raw, calendars, check).map(Times::Rule),
    };
    let not_before = raw.not_before.as_ref().and_then(|at| date(at, check));
    let until = raw.until.as_ref().and_then(|at| date(at, check));
    if let (Some(from), Some(to), Some(at)) = (not_before, until, &raw.until)
        && to < from
    {
        check.wrong(at.span(), format!("`until` {to} is before `not_before` {from}"), "let it end after it begins");
    }
    let pauses = raw.pause.iter().flatten().filter_map(|raw| pause(raw, check)).collect();
    Some(Cadence { times: times?, zone: zone?, not_before, until, pauses })
}

fn cron(at: &At<String>, check: &mut Check<'_>) -> Option<Cron> {
    match at.get().parse::<Cron>() {
        Ok(cron) => Some(cron),
        Err(error) => {
            check.wrong(at.span(), error.to_string(), error.hint());
            None
        }
    }
}

/// Says which keys of a rule stand beside a cron expression.
fn without_rule(cron: &At<String>, raw: &RawSchedule, check: &mut Check<'_>) {
    let keys = [
        ("every", raw.every.is_some()),
        ("on", raw.on.is_some()),
        ("in_month", raw.in_month.is_some()),
        ("at", raw.at.is_some()),
        ("calendar", raw.calendar.is_some()),
    ];
    for (key, _) in keys.into_iter().filter(|(_, is_there)| *is_there) {
        check.wrong(cron.span(), format!("`cron` and `{key}` exclude each other"), "keep one of the two");
    }
}

fn rule(name: &At<String>, raw: &RawSchedule, calendars: &Calendars, check: &mut Check<'_>) -> Option<Rule> {
    let every = raw.every.as_ref().map_or(Every::Month, |at| *at.get());
    let on = match &raw.on {
        Some(at) => on(every, at, check)?,
        None if every == Every::Week => {
            let span = raw.every.as_ref().map_or(name.span(), At::span);
            check.wrong(span, "a week has no day that stands for none", "add `on`, as in `on = \"Monday\"`");
            return None;
        }
        None if every == Every::Day => On::EveryDay,
        None => ON_DEFAULT,
    };
    let in_month = in_month(every, raw, check);
    let (calendar, calendar_name) = calendar(raw, calendars, check)?;
    let year_begins = raw.year_begins.as_ref().map_or(1, |at| *at.get());
    let at = times(raw, check);
    if at.is_empty() {
        return None;
    }
    let rule = Rule { every, on, in_month, year_begins, at, calendar, calendar_name };
    let fires = ANY_DAY.parse::<NaiveDate>().is_ok_and(|day| Times::Rule(rule.clone()).fires_after(day));
    if !fires {
        let span = raw.on.as_ref().map_or(name.span(), At::span);
        check.wrong(span, format!("`{rule}` never comes due"), "no month it speaks of has such a day");
    }
    fires.then_some(rule)
}

fn on(every: Every, at: &At<String>, check: &mut Check<'_>) -> Option<On> {
    match every.on(at.get()) {
        Ok(on) => Some(on),
        Err(error) => {
            check.wrong(at.span(), error.to_string(), error.hint());
            None
        }
    }
}

fn in_month(every: Every, raw: &RawSchedule, check: &mut Check<'_>) -> u32 {
    let Some(at) = &raw.in_month else { return 1 };
    let n_months = match every {
        Every::Day | Every::Week | Every::Month => 0,
        Every::Quarter => 3,
        Every::Year => 12,
    };
    if *at.get() > n_months {
        let what = if n_months == 0 {
            "`in_month` needs `every = \"quarter\"` or `\"year\"`".to_owned()
        } else {
            format!("a quarter has no month {}", at.get())
        };
        check.wrong(at.span(), what, "leave it out, or say how often");
    }
    *at.get()
}

fn calendar(raw: &RawSchedule, calendars: &Calendars, check: &mut Check<'_>) -> Option<(Arc<Calendar>, String)> {
    let Some(at) = &raw.calendar else { return Some((Arc::new(Calendar::default()), String::new())) };
    match calendars.get(at.get()) {
        Some(calendar) => Some((calendar.clone(), at.get().clone())),
        None => {
            let ready = |name: &&str| crate::schedule::NATIONAL.iter().all(|national| national.name != *name);
            calendars::unknown(at, calendars.keys().map(String::as_str).filter(ready), check);
            None
        }
    }
}

/// The times of a day in their order.
fn times(raw: &RawSchedule, check: &mut Check<'_>) -> Vec<NaiveTime> {
    let Some(written) = &raw.at else { return vec![AT_DEFAULT] };
    let mut times: Vec<NaiveTime> = Vec::new();
    for at in written {
        match NaiveTime::parse_from_str(at.get(), "%H:%M") {
            Ok(time) if at.get().len() == 5 && !times.contains(&time) => times.push(time),
            Ok(_) if at.get().len() == 5 => {
                check.wrong(at.span(), format!("the time `{}` stands twice", at.get()), "take one out");
            }
            _ => {
                check.wrong(at.span(), format!("`{}` is no time of day", at.get()), "hours and minutes, as in `06:00`")
            }
        }
    }
    times.sort_unstable();
    times
}

fn pause(raw: &RawPause, check: &mut Check<'_>) -> Option<(NaiveDate, NaiveDate)> {
    let (from, to) = (raw.from.as_ref()?, raw.to.as_ref()?);
    let (first, last) = (date(from, check)?, date(to, check)?);
    if last < first {
        check.wrong(
            to.span(),
            format!("the pause ends on {last}, before it begins"),
            "put the earlier day into `from`",
        );
    }
    Some((first, last))
}

fn date(at: &At<String>, check: &mut Check<'_>) -> Option<NaiveDate> {
    let date = at.get().parse().ok().filter(|_| at.get().len() == 10);
    if date.is_none() {
        check.wrong(at.span(), format!("`{}` is no date", at.get()), "year, month and day, as in `2026-01-31`");
    }
    date
}

fn zone(at: &At<String>, check: &mut Check<'_>) -> Option<chrono_tz::Tz> {
    if let Ok(zone) = at.get().parse() {
        return Some(zone);
    }
    let names = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
    // `Berlin` alone is meant as often as it is mistyped.
    let city =
        names.clone().find(|name| name.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(at.get())));
    let hint = match city.or_else(|| hint::nearest(at.get(), names)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "an IANA zone, as in `Europe/Berlin` or `UTC`".to_owned(),
    };
    check.wrong(at.span(), format!("unknown time zone `{}`", at.get()), hint);
    None
}
