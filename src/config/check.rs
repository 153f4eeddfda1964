//! From raw to checked: the whole, facts, and where things are kept.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::at::At;
use super::raw::{RawConfig, RawFacts, RawView};
use super::raw_store::RawStore;
use super::settings::{Config, FactsFrom, FactsSettings, FilePath, MailThrough, OwnFile};
use super::source::{self, Place, Source};
use super::{
    ConfigError, ConfigErrors, brakes, calendars, daemon, hint, keys, mail, recipients, schedules, schema, stores,
    templates, themes,
};
use crate::base::Digest;
use crate::deliver::Brakes;

/// What a check needs: where texts stand, and where to note what is wrong with them.
pub(super) struct Check<'a> {
    pub source: &'a Arc<Source>,
    pub folder: &'a Path,
    pub errors: &'a mut ConfigErrors,
    /// Whether the schema found nothing wrong: only then something that is not there was left out on purpose.
    pub whole: bool,
}

impl Check<'_> {
    /// Notes what is wrong at a span.
    pub(super) fn wrong(&mut self, span: Range<usize>, what: impl Into<String>, hint: impl Into<String>) {
        self.errors.add(ConfigError::new(what, self.source.place(span), hint));
    }

    pub(super) fn place(&self, span: Range<usize>) -> Place {
        self.source.place(span)
    }

    /// A path, resolved from the configuration's folder.
    pub(super) fn path(&mut self, written: &At<String>) -> FilePath {
        if written.get().starts_with("~/") || written.get() == "~" {
            let what = format!("`~` is not resolved in `{}`", written.get());
            self.wrong(written.span(), what, "write the whole path, or one from the configuration's folder");
        }
        FilePath::new(self.folder, written.get())
    }

    /// Says that two keys exclude each other, at the later of them; true when both are there.
    pub(super) fn both<A, B>(&mut self, a: (&str, &Option<At<A>>), b: (&str, &Option<At<B>>)) -> bool {
        let (Some(first), Some(second)) = (a.1, b.1) else { return false };
        let span = if first.span().start < second.span().start { second.span() } else { first.span() };
        let what = format!("`{}` and `{}` exclude each other", a.0, b.0);
        self.wrong(span, what, "keep one of the two");
        true
    }

    /// A name that reaches SQL: letters, digits and `_`, with a schema's name and a dot before it if need be.
    pub(super) fn sql_name(&mut self, name: &At<String>) -> Option<String> {
        let part = |part: &str| {
            part.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        let text = name.get();
        let fits = match text.split_once('.') {
            Some((schema, name)) => part(schema) && part(name),
            None => part(text),
        };
        if !fits {
            let what = format!("`{text}` is not the name of a view or table");
            self.wrong(name.span(), what, "letters, digits and `_`, beginning with a letter, as in `license_facts`");
        }
        fits.then(|| text.clone())
    }
}

/// Checks a configuration that was read from `path`.
pub(super) fn config(path: &Path, text: &str) -> Result<Config, ConfigErrors> {
    let mut errors = ConfigErrors::default();
    let source = Source::new(path.display().to_string(), text);
    let raw = keys::read::<RawConfig>(text, &source, &schema::CONFIG, &mut errors);
    let folder = path.parent().unwrap_or(Path::new(""));
    let whole = errors.is_empty();
    let mut check = Check { source: &source, folder, errors: &mut errors, whole };
    let made = raw.and_then(|raw| settings(raw, path, &mut check));
    errors.into_result()?;
    // Without an error everything is there.
    made.ok_or_else(|| ConfigError::of_file("the configuration cannot be used", hint::NONE).into())
}

fn settings(raw: RawConfig, path: &Path, check: &mut Check<'_>) -> Option<Config> {
    let facts = raw.facts.and_then(|raw| facts(&raw, check));
    let ledger = raw.ledger.and_then(|raw| raw.database).map(|at| (check.path(&at), at.span()));
    let archive = raw.archive.and_then(|raw| raw.folder).map(|at| (check.path(&at), at.span()));
    let mail = raw.mail.and_then(|raw| mail::settings(&raw, check));
    let daemon = daemon::settings(raw.daemon, check);
    let brakes = brakes::settings(raw.brakes, &Brakes::default(), check);
    let digests = brakes::digest(raw.digest, check);
    let own = raw.templates.and_then(|raw| raw.folder).map(|at| (check.path(&at), check.place(at.span())));
    let templates = templates::load(own.as_ref(), check.errors);
    let themes = themes::settings(raw.theme, check);
    let roles = templates.as_ref().map(|templates| &templates.roles);
    let recipients = recipients::settings(raw.recipients, raw.recipient, (roles, &brakes), check);
    let calendars = calendars::settings(raw.calendars, check);
    let names = raw.stores.keys().map(|name| name.get().clone()).collect();
    let places = places(&raw.stores, check);
    let stores = stores::settings(raw.stores, roles, mail.as_ref().map(|mail| mail.retries), check);
    let known = schedules::Stores { settings: &stores, names: &names };
    let schedules = schedules::settings(raw.schedules, roles, (&calendars, &known, &brakes), check);
    if let (Some(facts), Some(ledger), Some(archive), Some(mail)) = (&facts, &ledger, &archive, &mail) {
        let outbox = match &mail.through {
            MailThrough::Outbox(folder) => Some(folder),
            MailThrough::Relay(_) => None,
        };
        let database = match &facts.from {
            FactsFrom::Tables(database) | FactsFrom::View { database, .. } => database,
        };
        apart(&ledger.0, &[("facts.database", Some(database))], ("ledger.database", ledger.1.clone()), check);
        let folders = [("facts.inbox", facts.inbox.as_ref()), ("mail.outbox", outbox)];
        apart(&archive.0, &folders, ("archive.folder", archive.1.clone()), check);
        let folders = [&folders[..], &[("archive.folder", Some(&archive.0))]].concat();
        for (path, span) in &places {
            apart(path, &folders, ("folder", span.clone()), check);
        }
    }
    let templates = templates?;
    let mut config = Config {
        file: path.to_owned(),
        folder: check.folder.to_owned(),
        facts: facts?,
        ledger: ledger?.0,
        archive: archive?.0,
        mail: mail?,
        digests,
        daemon,
        template: Arc::new(templates.template),
        roles: Arc::new(templates.roles),
        mail_templates: Arc::new(templates.mail_templates),
        themes: Arc::new(themes),
        recipients,
        stores,
        schedules,
        digest: Digest::of(b""),
    };
    match serde_json::to_vec(&config) {
        Ok(bytes) => config.digest = Digest::of(&bytes),
        Err(error) => check.errors.add(ConfigError::of_file(format!("no digest: {error}"), hint::NONE)),
    }
    Some(config)
}

/// The folders of stores, with where each is named.
fn places(raw: &BTreeMap<At<String>, RawStore>, check: &mut Check<'_>) -> Vec<(FilePath, Range<usize>)> {
    let folders = raw.values().filter_map(|store| store.folder.as_ref());
    folders.map(|at| (FilePath::new(check.folder, at.get()), at.span())).collect()
}

fn facts(raw: &At<RawFacts>, check: &mut Check<'_>) -> Option<FactsSettings> {
    let span = raw.span();
    let raw = raw.get();
    check.both(("database", &raw.database), ("view", &raw.view));
    let from = match (&raw.database, &raw.view) {
        (Some(database), _) => Some(FactsFrom::Tables(check.path(database))),
        (None, Some(view)) => self::view(view.get(), check),
        (None, None) => {
            if check.whole {
                let hint = "add `database = \"data/facts.db\"`, or `view` for a warehouse of your own";
                check.wrong(span, "`[facts]` names neither a `database` nor a `view`", hint);
            }
            None
        }
    };
    if raw.view.is_some() && raw.database.is_none() {
        let hint = "a view already says who the partner is, and nothing is ingested into it; take it out";
        if let Some(inbox) = &raw.inbox {
            check.wrong(inbox.span(), "`inbox` has no meaning beside `view`", hint);
        }
        if let Some(partner_from) = &raw.partner_from {
            check.wrong(partner_from.span(), "`partner_from` has no meaning beside `view`", hint);
        }
    }
    let products = raw.products.as_ref().and_then(|at| own_file(at, check));
    Some(FactsSettings {
        from: from?,
        partner_from: raw.partner_from.as_ref().map(|at| *at.get()).unwrap_or_default(),
        closing_day: raw.closing_day.as_ref().map_or(20, |at| *at.get()),
        inbox: raw.inbox.as_ref().map(|at| check.path(at)),
        products,
    })
}

fn view(raw: &RawView, check: &mut Check<'_>) -> Option<FactsFrom> {
    let database = raw.database.as_ref().map(|at| check.path(at));
    let name = raw.name.as_ref().and_then(|name| check.sql_name(name));
    Some(FactsFrom::View { database: database?, name: name? })
}

fn own_file(at: &At<String>, check: &mut Check<'_>) -> Option<OwnFile> {
    let path = check.path(at);
    match source::read_text(&path) {
        Ok(text) => Some(OwnFile { path, text }),
        Err(error) => {
            check.wrong(at.span(), error.first_line(), error.hint());
            None
        }
    }
}

/// Two things kept in one place would overwrite each other.
fn apart(path: &FilePath, others: &[(&str, Option<&FilePath>)], named: (&str, Range<usize>), check: &mut Check<'_>) {
    for (name, other) in others {
        if other.is_some_and(|other| plain(other) == plain(path)) {
            let what = format!("`{}` is the same as `{name}`", named.0);
            check.wrong(named.1.clone(), what, "give each a place of its own");
        }
    }
}

/// A path without `.` and without the `x` of `x/..`, as far as that can be told without looking.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, part| {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            part => plain.push(part),
        }
        plain
    })
}
