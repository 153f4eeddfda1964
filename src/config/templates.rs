//! The report's templates: shipped, or of the user's own where the folder has them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::at::At;
use super::raw::{RawRole, RawRoles, RawSection, RawTemplate};
use super::settings::FilePath;
use super::source::{self, Place, Source};
use super::{ConfigError, ConfigErrors, hint, keys, schema, shipped};
use crate::audience::{Role, Roles, Withheld};
use crate::render::email::MailTemplates;
use crate::report::SectionKind;
use crate::sections::{RawField, Template};

/// The one report there is.
pub const REPORT: &str = "product-licenses";

const EMAIL: &str = "product-licenses/email";
const TEMPLATE_FILES: [&str; 2] = ["report.toml", "roles.toml"];
const EMAIL_FILES: [&str; 3] = ["subject.txt", "body.txt", "body.html"];

/// A role's key is part of paths.
const ROLE_CHARS_MAX: usize = 40;
/// As much of a section's name as a message repeats.
const KIND_CHARS_MAX: usize = 40;

pub(super) struct Templates {
    pub template: Template,
    pub roles: Roles,
    pub mail_templates: MailTemplates,
}

/// Loads the templates of a folder, with the place that names it, or the shipped ones.
pub(super) fn load(own: Option<&(FilePath, Place)>, errors: &mut ConfigErrors) -> Option<Templates> {
    let own = match own {
        None => None,
        Some((folder, place)) if !folder.is_dir() => {
            let what = format!("there is no folder `{}`", folder.display());
            errors.add(ConfigError::new(what, place.clone(), "`pressrun init` writes one with the shipped templates"));
            return None;
        }
        Some((folder, place)) => {
            strangers(folder, place, errors);
            Some(folder)
        }
    };
    let mut file = |folder: &str, name: &str| own_text(own?, folder, name, errors);
    let [report, roles] = TEMPLATE_FILES.map(|name| file(REPORT, name));
    let [subject, text, html] = EMAIL_FILES.map(|name| file(EMAIL, name).map(|(_, text)| text));
    let [report, roles] = [(report, "report.toml", shipped::TEMPLATE), (roles, "roles.toml", shipped::ROLES)]
        .map(|(own, name, shipped)| own.unwrap_or_else(|| (format!("{name} (shipped)"), shipped.to_owned())));
    let template = template(&report.1, &Source::new(report.0, &report.1), errors);
    let roles = self::roles(&roles.1, &Source::new(roles.0, &roles.1), errors);
    let mail_templates = mail(subject, text, html, errors);
    Some(Templates { template: template?, roles: roles?, mail_templates: mail_templates? })
}

/// The mail's templates, each one's own or the shipped one, compiled so that a wrong one is told now.
fn mail(
    subject: Option<String>,
    text: Option<String>,
    html: Option<String>,
    errors: &mut ConfigErrors,
) -> Option<MailTemplates> {
    let shipped = MailTemplates::shipped();
    let (subject, text, html) =
        (subject.unwrap_or(shipped.subject), text.unwrap_or(shipped.text), html.unwrap_or(shipped.html));
    let parsed = MailTemplates::parse(subject, text, html).map_err(|error| {
        let hint = "the shipped templates, which `pressrun init` writes, use every name there is";
        errors.add(ConfigError::of_file(error.to_string(), hint));
    });
    parsed.ok()
}

/// The text of a file of the user's own with its name; none when it is not there.
fn own_text(own: &Path, folder: &str, name: &str, errors: &mut ConfigErrors) -> Option<(String, String)> {
    let path = own.join(folder).join(name);
    if !path.exists() {
        return None;
    }
    match source::read_text(&path) {
        Ok(text) => Some((path.display().to_string(), text)),
        Err(error) => {
            errors.add(error);
            None
        }
    }
}

/// Refuses a folder without templates, and files whose names are taken for templates by their author only: who
/// misspells `roles.toml` would unknowingly get the shipped roles.
fn strangers(own: &FilePath, place: &Place, errors: &mut ConfigErrors) {
    let mut any = false;
    for (folder, known) in [(REPORT, &TEMPLATE_FILES[..]), (EMAIL, &EMAIL_FILES[..])] {
        let Ok(entries) = std::fs::read_dir(own.join(folder)) else { continue };
        let mut names: Vec<String> =
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort_unstable();
        for name in names {
            if known.contains(&name.as_str()) {
                any = true;
                continue;
            }
            let ending = name.rsplit('.').next().unwrap_or_default();
            if !name.starts_with('.') && matches!(ending, "toml" | "txt" | "html") {
                let what =
                    format!("unknown template `{}`, named by `[templates]`", own.join(folder).join(&name).display());
                let hint = hint::for_unknown(&name, "templates", known.iter().copied());
                errors.add(ConfigError::new(what, place.clone(), hint));
            }
        }
    }
    if !any && errors.is_empty() {
        let what = format!("there is no template in `{}`", own.display());
        let hint = format!(
            "they are `{REPORT}/report.toml`, `{REPORT}/roles.toml` and `{EMAIL}/…`, as `pressrun init` writes them"
        );
        errors.add(ConfigError::new(what, place.clone(), hint));
    }
}

/// Checks a `report.toml`.
pub(super) fn template(text: &str, source: &Arc<Source>, errors: &mut ConfigErrors) -> Option<Template> {
    let raw = keys::read::<RawTemplate>(text, source, &schema::TEMPLATE, errors)?;
    let map = raw.sections.as_deref().is_none_or(|sections| has_map(sections, source, errors));
    let kinds: Option<Vec<At<String>>> =
        raw.sections.map(|sections| sections.into_iter().filter_map(|section| section.kind).collect());
    let known: Vec<(&str, SectionKind)> = SectionKind::ALL.iter().map(|kind| (kind.key(), *kind)).collect();
    let sections = kinds.map(|kinds| each_once(&kinds, ["section", "sections"], &known, source, errors));
    let known: Vec<(&str, RawField)> = RawField::ALL.iter().map(|field| (field.key(), *field)).collect();
    let raw_columns = raw.raw_columns.map(|columns| each_once(&columns, ["column", "columns"], &known, source, errors));
    Some(Template {
        name: REPORT.to_owned(),
        title: raw.title?.into_inner(),
        sections: sections?,
        map,
        raw_columns: raw_columns?,
    })
}

/// Whether the section of countries has its world map; no other section has one to turn on or off.
fn has_map(sections: &[RawSection], source: &Arc<Source>, errors: &mut ConfigErrors) -> bool {
    let geography = SectionKind::Geography.key();
    let mut has_map = true;
    for section in sections {
        let (Some(kind), Some(map)) = (&section.kind, &section.map) else { continue };
        if kind.get() == geography {
            has_map = *map.get();
        } else {
            let what = format!("section `{}` has no map", crate::base::short_name(kind.get(), KIND_CHARS_MAX));
            let hint = format!("take `map` out, or put it below `kind = \"{geography}\"`");
            errors.add(ConfigError::new(what, source.place(map.span()), hint));
        }
    }
    has_map
}

/// Checks a `roles.toml`.
pub(super) fn roles(text: &str, source: &Arc<Source>, errors: &mut ConfigErrors) -> Option<Roles> {
    let raw = keys::read::<RawRoles>(text, source, &schema::ROLES, errors)?;
    let mut ranks: BTreeMap<u32, String> = BTreeMap::new();
    let mut roles = Vec::new();
    for (key, raw) in raw.roles? {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if key.get().is_empty() || key.get().len() > ROLE_CHARS_MAX || !key.get().bytes().all(fits) {
            let what = format!("`{}` is not a role's key", crate::base::short_name(key.get(), ROLE_CHARS_MAX));
            let hint = format!("at most {ROLE_CHARS_MAX} lower-case letters, digits and `-`, as in `report-viewer`");
            errors.add(ConfigError::new(what, source.place(key.span()), hint));
        }
        if let Some(rank) = &raw.rank
            && let Some(other) = ranks.insert(*rank.get(), key.get().clone())
        {
            let what = format!("`{}` and `{other}` have the same rank `{}`", key.get(), rank.get());
            let hint = "of two roles of one person the higher rank counts: give each its own";
            errors.add(ConfigError::new(what, source.place(rank.span()), hint));
        }
        roles.extend(role(&key, raw, source, errors));
    }
    if roles.is_empty() && !errors.any_in(source) {
        let hint = "add one, as in `[roles.report-viewer]`";
        errors.add(ConfigError::new("there is no role", source.place(0..0), hint));
    }
    Some(Roles::new(roles))
}

fn role(key: &At<String>, raw: RawRole, source: &Arc<Source>, errors: &mut ConfigErrors) -> Option<Role> {
    let known: Vec<(&str, Withheld)> = Withheld::ALL.iter().map(|withheld| (withheld.key(), *withheld)).collect();
    let withhold = raw
        .withhold
        .map(|words| each_once(&words, ["thing to withhold", "things to withhold"], &known, source, errors));
    Some(Role {
        key: key.get().clone(),
        label: raw.label?.into_inner(),
        withhold: withhold?,
        organization_only: raw.organization_only.is_some_and(At::into_inner),
        rank: raw.rank?.into_inner(),
    })
}

/// Words that each name one of the known things, none of them twice.
fn each_once<T: Copy + PartialEq>(
    words: &[At<String>],
    [what, plural]: [&str; 2],
    known: &[(&str, T)],
    source: &Arc<Source>,
    errors: &mut ConfigErrors,
) -> Vec<T> {
    let mut found = Vec::new();
    for word in words {
        match known.iter().find(|(name, _)| name == word.get()) {
            Some((_, thing)) if found.contains(thing) => {
                let what = format!("{what} `{}` stands twice", word.get());
                errors.add(ConfigError::new(what, source.place(word.span()), "take one out"));
            }
            Some((_, thing)) => found.push(*thing),
            None => {
                let names = known.iter().map(|(name, _)| *name);
                let hint = hint::for_unknown(word.get(), plural, names);
                errors.add(ConfigError::new(
                    format!("unknown {what} `{}`", word.get()),
                    source.place(word.span()),
                    hint,
                ));
            }
        }
    }
    found
}
