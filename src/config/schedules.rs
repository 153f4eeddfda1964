//! From raw to checked: what is made and sent when.

use std::collections::{BTreeMap, BTreeSet};

use super::at::At;
use super::brakes;
use super::cadence;
use super::calendars::Calendars;
use super::check::Check;
use super::hint;
use super::raw::RawSchedule;
use super::settings::{Partners, ScheduleSettings};
use super::stores::StoreConfig;
use super::templates::REPORT;
use crate::audience::Roles;
use crate::deliver::Brakes;
use crate::render::Format;
use crate::schedule::{CatchUp, PeriodRule, Timing};

/// How many schedules a configuration may have.
pub const SCHEDULES_MAX: usize = 10_000;

/// A schedule's name is part of paths and ids.
const NAME_CHARS_MAX: usize = 60;

/// Three days: a machine that was off over a long weekend still makes up for it.
const DEADLINE_HOURS: u32 = 72;

const RANGE_MONTHS: u32 = 12;

/// A year of months.
const CATCH_UP_MAX: u32 = 12;

pub(super) fn settings(
    raw: BTreeMap<At<String>, RawSchedule>,
    roles: Option<&Roles>,
    (calendars, stores, brakes): (&Calendars, &Stores<'_>, &Brakes),
    check: &mut Check<'_>,
) -> Vec<ScheduleSettings> {
    if let Some((name, _)) = raw.iter().nth(SCHEDULES_MAX) {
        let what = format!("{} schedules, at most {SCHEDULES_MAX} may be", raw.len());
        check.wrong(name.span(), what, "let one schedule serve several partners and roles");
    }
    let named = (calendars, stores, brakes);
    raw.into_iter().filter_map(|(name, raw)| schedule(&name, raw, (roles, named), check)).collect()
}

fn schedule(
    name: &At<String>,
    raw: RawSchedule,
    (roles, (calendars, stores, brakes)): (Option<&Roles>, (&Calendars, &Stores<'_>, &Brakes)),
    check: &mut Check<'_>,
) -> Option<ScheduleSettings> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    if name.get().is_empty() || name.get().len() > NAME_CHARS_MAX || !name.get().bytes().all(fits) {
        let what = format!("`{}` is not the name of a schedule", crate::base::short_name(name.get(), NAME_CHARS_MAX));
        let hint = format!("at most {NAME_CHARS_MAX} lower-case letters, digits, `-` and `_`, as in `monthly`");
        check.wrong(name.span(), what, hint);
    }
    if let Some(at) = raw.report.as_ref().filter(|at| at.get() != REPORT) {
        let hint = hint::for_unknown(at.get(), "reports", [REPORT]);
        check.wrong(at.span(), format!("unknown report `{}`", at.get()), hint);
    }
    let cadence = cadence::cadence(name, &raw, calendars, check);
    let period = PeriodRule {
        kind: raw.period.as_ref().map(|at| *at.get()).unwrap_or_default(),
        year_begins: raw.year_begins.as_ref().map_or(1, |at| *at.get()),
        back: raw.periods_back.as_ref().map_or(0, |at| *at.get()),
    };
    let catch_up_max = catch_up_max(&raw, check);
    let formats = raw.formats.map_or_else(|| Format::ALL.to_vec(), |raw| formats(&raw, check));
    let partners = raw.partners.map_or(Partners::All, |raw| partners(&raw, check));
    let for_roles = raw.roles.map(|raw| known_roles(&raw, roles, check));
    let stores = raw.stores.map_or_else(Vec::new, |raw| stores.named(&raw, for_roles.as_ref(), &formats, check));
    Some(ScheduleSettings {
        name: name.get().clone(),
        report: REPORT.to_owned(),
        timing: Timing { cadence: cadence?, period },
        range_months: raw.range_months.map_or(RANGE_MONTHS, At::into_inner),
        formats,
        partners,
        roles: for_roles,
        stores,
        catch_up_max,
        catch_up: raw.catch_up.map(At::into_inner).unwrap_or_default(),
        overlap: raw.overlap.map(At::into_inner).unwrap_or_default(),
        jitter_secs_max: raw.jitter_secs_max.map_or(0, At::into_inner),
        not_full: raw.not_full.map(At::into_inner).unwrap_or_default(),
        on_empty: raw.on_empty.map(At::into_inner).unwrap_or_default(),
        uncertain: raw.uncertain.map(At::into_inner).unwrap_or_default(),
        deadline_hours: raw.deadline_hours.map_or(DEADLINE_HOURS, At::into_inner),
        brakes: brakes::settings(raw.brakes, brakes, check),
    })
}

/// The stores that schedules may name: those that are right, and the names of all.
pub(super) struct Stores<'a> {
    pub settings: &'a [StoreConfig],
    pub names: &'a BTreeSet<String>,
}

impl Stores<'_> {
    /// The stores that a schedule names, each of which gets something of it.
    fn named(
        &self,
        raw: &[At<String>],
        roles: Option<&BTreeSet<String>>,
        formats: &[Format],
        check: &mut Check<'_>,
    ) -> Vec<String> {
        let names = once_each(raw, "store", check);
        for at in raw {
            let name = at.get();
            if !self.names.contains(name) {
                let hint = hint::for_unknown(name, "stores", self.names.iter().map(String::as_str));
                check.wrong(at.span(), format!("there is no `[stores.{name}]`"), hint);
                continue;
            }
            let Some(store) = self.settings.iter().find(|store| store.name == *name) else { continue };
            if let Some(role) = store.role.as_ref().filter(|role| roles.is_some_and(|roles| !roles.contains(*role))) {
                let what = format!("store `{name}` is for the role `{role}`, and the schedule is not");
                check.wrong(at.span(), what, format!("add `{role}` to the schedule's `roles`, or take the store out"));
            }
            if store.formats.as_ref().is_some_and(|wanted| !wanted.iter().any(|format| formats.contains(format))) {
                let what = format!("store `{name}` wants none of the files that the schedule makes");
                check.wrong(at.span(), what, "add one of them to the store's `formats`, or to the schedule's");
            }
        }
        names.into_iter().collect()
    }
}

fn catch_up_max(raw: &RawSchedule, check: &mut Check<'_>) -> u32 {
    let Some(at) = &raw.catch_up_max else { return CATCH_UP_MAX };
    if raw.catch_up.as_ref().is_none_or(|catch_up| *catch_up.get() != CatchUp::All) {
        check.wrong(at.span(), "`catch_up_max` needs `catch_up = \"all\"`", "leave one of the two out, or say `all`");
    }
    *at.get()
}

/// In the order in which they are attached, whatever the order in the file.
pub(super) fn formats(raw: &[At<Format>], check: &mut Check<'_>) -> Vec<Format> {
    let mut formats: Vec<Format> = Vec::new();
    for at in raw {
        if formats.contains(at.get()) {
            check.wrong(at.span(), format!("format `{}` stands twice", at.get().extension()), "take one out");
        } else {
            formats.push(*at.get());
        }
    }
    formats.sort_unstable();
    formats
}

fn partners(raw: &[At<String>], check: &mut Check<'_>) -> Partners {
    let ids = once_each(raw, "partner", check);
    let everybody = raw.iter().find(|at| at.get() == "*");
    match (everybody, raw) {
        (Some(_), [_]) => Partners::All,
        (Some(at), _) => {
            check.wrong(at.span(), "`*` already means every partner", "keep `*` or the ids");
            Partners::All
        }
        _ => Partners::These(ids),
    }
}

fn known_roles(raw: &[At<String>], roles: Option<&Roles>, check: &mut Check<'_>) -> BTreeSet<String> {
    let keys = once_each(raw, "role", check);
    let Some(roles) = roles else { return keys };
    for at in raw.iter().filter(|at| roles.get(at.get()).is_err()) {
        let hint = hint::for_unknown(at.get(), "roles", roles.iter().map(|role| role.key.as_str()));
        check.wrong(at.span(), format!("unknown role `{}`", at.get()), hint);
    }
    keys
}

fn once_each(raw: &[At<String>], what: &str, check: &mut Check<'_>) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    for at in raw {
        let word = at.get();
        if word.trim() != word || word.is_empty() {
            check.wrong(at.span(), format!("`{word}` is not a {what}: blank, or blanks around it"), hint::NONE);
        } else if !seen.insert(word.clone()) {
            check.wrong(at.span(), format!("{what} `{word}` stands twice"), "take one out");
        }
    }
    seen
}
