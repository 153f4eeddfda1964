//! From raw to checked: the stores that editions are put into.

use std::collections::BTreeMap;

use serde::Serialize;

use super::at::At;
use super::check::Check;
use super::hint;
use super::login::secret;
use super::mail::retries;
use super::raw::RawRetries;
use super::raw_store::{RawAzure, RawS3, RawStore};
use super::schedules::formats;
use super::secret::Secret;
use super::settings::{FilePath, RetrySettings};
use crate::audience::Roles;
use crate::deliver::{PathTemplate, STORE_TEXT_CHARS, is_loopback, is_store_text};
use crate::render::Format;

/// How many stores a configuration may have.
pub const STORES_MAX: usize = 1_000;

/// A store's name is part of the ledger's rows.
const NAME_CHARS_MAX: usize = 60;

/// How long to wait for each answer, in seconds, when not said.
const TIMEOUT_SECS: u32 = 60;

/// A store that editions are put into.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct StoreConfig {
    /// Its name: lower-case letters, digits, `-` and `_`.
    pub name: String,
    /// Where it is.
    pub place: StoreAt,
    /// Where each file stands in it.
    pub path: PathTemplate,
    /// Which files it gets; all that a schedule makes when none.
    pub formats: Option<Vec<Format>>,
    /// The role whose editions over each whole partner it gets; whatever is made for recipients when none.
    pub role: Option<String>,
    /// How long to wait for each answer, in seconds.
    pub timeout_secs: u32,
    /// When a pack that was not taken is tried again.
    pub retries: RetrySettings,
}

/// Where a store is.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreAt {
    /// In a folder.
    Folder(FilePath),
    /// In a bucket of S3.
    S3 {
        /// Its name.
        bucket: String,
        /// Its region.
        region: String,
        /// Where the protocol is spoken, if not at AWS.
        endpoint: Option<String>,
        /// What every name begins with.
        prefix: Option<String>,
        /// Where the key's id is.
        access_key: Secret,
        /// Where the key is.
        secret_key: Secret,
    },
    /// In a container of Azure Blob Storage.
    Azure {
        /// The storage account.
        account: String,
        /// The container's name.
        container: String,
        /// Where the account is reached, if not at Azure.
        endpoint: Option<String>,
        /// What every name begins with.
        prefix: Option<String>,
        /// Where the account's key is.
        key: Secret,
    },
}

pub(super) fn settings(
    raw: BTreeMap<At<String>, RawStore>,
    roles: Option<&Roles>,
    mail: Option<RetrySettings>,
    check: &mut Check<'_>,
) -> Vec<StoreConfig> {
    if let Some((name, _)) = raw.iter().nth(STORES_MAX) {
        let what = format!("{} stores, at most {STORES_MAX} may be", raw.len());
        check.wrong(name.span(), what, "let one store serve several schedules: `path` keeps them apart");
    }
    raw.into_iter().filter_map(|(name, raw)| store(&name, &raw, (roles, mail), check)).collect()
}

fn store(
    name: &At<String>,
    raw: &RawStore,
    (roles, mail): (Option<&Roles>, Option<RetrySettings>),
    check: &mut Check<'_>,
) -> Option<StoreConfig> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    if name.get().is_empty() || name.get().len() > NAME_CHARS_MAX || !name.get().bytes().all(fits) {
        let what = format!("`{}` is not the name of a store", crate::base::short_name(name.get(), NAME_CHARS_MAX));
        let hint = format!("at most {NAME_CHARS_MAX} lower-case letters, digits, `-` and `_`, as in `finance`");
        check.wrong(name.span(), what, hint);
    }
    let place = place(name, raw, check);
    let path = path(raw.path.as_ref(), check);
    if let (Some(role), Some(roles)) = (&raw.role, roles)
        && roles.get(role.get()).is_err()
    {
        let hint = hint::for_unknown(role.get(), "roles", roles.iter().map(|role| role.key.as_str()));
        check.wrong(role.span(), format!("unknown role `{}`", role.get()), hint);
    }
    let formats = raw.formats.as_ref().map(|raw| formats(raw, check));
    let own = |raw: &At<RawRetries>, check: &mut Check<'_>| retries(raw.get(), check);
    let retries = raw.retries.as_ref().map(|raw| own(raw, check)).or(mail);
    Some(StoreConfig {
        name: name.get().clone(),
        place: place?,
        path: path?,
        formats,
        role: raw.role.as_ref().map(|role| role.get().clone()),
        timeout_secs: raw.timeout_secs.as_ref().map_or(TIMEOUT_SECS, |at| *at.get()),
        retries: retries?,
    })
}

fn place(name: &At<String>, raw: &RawStore, check: &mut Check<'_>) -> Option<StoreAt> {
    // Each pair is told once: of three the later two.
    if !check.both(("folder", &raw.folder), ("s3", &raw.s3)) && !check.both(("s3", &raw.s3), ("azure", &raw.azure)) {
        check.both(("folder", &raw.folder), ("azure", &raw.azure));
    }
    match (&raw.folder, &raw.s3, &raw.azure) {
        (Some(folder), _, _) => Some(StoreAt::Folder(check.path(folder))),
        (None, Some(raw), _) => s3(raw.get(), check),
        (None, None, Some(raw)) => azure(raw.get(), check),
        (None, None, None) => {
            if check.whole {
                let what = format!("store `{}` names neither a `folder` nor `s3` nor `azure`", name.get());
                check.wrong(name.span(), what, "add one of the three, as in `folder = \"shared/reports\"`");
            }
            None
        }
    }
}

fn s3(raw: &RawS3, check: &mut Check<'_>) -> Option<StoreAt> {
    let label = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    let hint = "3 to 63 lower-case letters, digits, `-` and dots, as in `example-reports`";
    let bucket = raw.bucket.as_ref().and_then(|at| named(at, "a bucket", label, hint, check));
    let hint = "lower-case letters, digits and `-`, as in `eu-central-1`";
    let region = raw.region.as_ref().and_then(|at| named(at, "a region", label, hint, check));
    let endpoint = raw.endpoint.as_ref().map(|at| endpoint(at, check));
    let prefix = raw.prefix.as_ref().map(|at| prefix(at, check));
    let access_key = raw.access_key.as_ref().and_then(|at| secret(at, check));
    let secret_key = raw.secret_key.as_ref().and_then(|at| secret(at, check));
    Some(StoreAt::S3 {
        bucket: bucket?,
        region: region?,
        endpoint,
        prefix,
        access_key: access_key?,
        secret_key: secret_key?,
    })
}

fn azure(raw: &RawAzure, check: &mut Check<'_>) -> Option<StoreAt> {
    let label = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let hint = "3 to 24 lower-case letters and digits, as in `examplereports`";
    let account = raw.account.as_ref().and_then(|at| named(at, "a storage account", label, hint, check));
    let hint = "3 to 63 lower-case letters, digits and `-`, as in `reports`";
    let label = |byte: u8| label(byte) || byte == b'-';
    let container = raw.container.as_ref().and_then(|at| named(at, "a container", label, hint, check));
    let endpoint = raw.endpoint.as_ref().map(|at| endpoint(at, check));
    let prefix = raw.prefix.as_ref().map(|at| prefix(at, check));
    let key = raw.key.as_ref().and_then(|at| secret(at, check));
    Some(StoreAt::Azure { account: account?, container: container?, endpoint, prefix, key: key? })
}

fn named(at: &At<String>, what: &str, fits: impl Fn(u8) -> bool, hint: &str, check: &mut Check<'_>) -> Option<String> {
    let ends = |text: &str| text.starts_with(['-', '.']) || text.ends_with(['-', '.']) || text.contains("..");
    if at.get().bytes().all(fits) && !ends(at.get()) {
        return Some(at.get().clone());
    }
    check.wrong(at.span(), format!("`{}` is not the name of {what}", at.get()), hint);
    None
}

/// An address that packs may be sent to: over TLS, or in the clear to this machine.
fn endpoint(at: &At<String>, check: &mut Check<'_>) -> String {
    let url = at.get();
    let (is_plain, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (false, rest),
        (None, Some(rest)) => (true, rest),
        (None, None) => {
            let what = format!("`{url}` is not the address of a store");
            check.wrong(at.span(), what, "with `https://`, as in `https://s3.example.com`");
            return url.clone();
        }
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    if host.is_empty() || rest.contains(|sign: char| matches!(sign, '@' | '?' | '#') || sign.is_whitespace()) {
        // What stands there may be a secret.
        let what = "the address of the store has no host, or more than host, port and path";
        check.wrong(at.span(), what, "as in `https://s3.example.com`; keys are named beside it");
    } else if is_plain && !is_loopback(host) {
        let what = format!("`{url}` would send reports in the clear");
        check.wrong(at.span(), what, "use `https://`; `http://` is for a store on this machine");
    }
    url.trim_end_matches('/').to_owned()
}

fn prefix(at: &At<String>, check: &mut Check<'_>) -> String {
    if !is_store_text(at.get()) {
        let what = format!("`{}` cannot be what names in a store begin with", at.get().escape_default());
        let hint = format!("letters, digits, `{STORE_TEXT_CHARS}`, and `/` between parts, as in `finance/reports`");
        check.wrong(at.span(), what, hint);
    }
    at.get().clone()
}

fn path(at: Option<&At<String>>, check: &mut Check<'_>) -> Option<PathTemplate> {
    let written = at.map_or(PathTemplate::DEFAULT, |at| at.get().as_str());
    match PathTemplate::parse(written) {
        Ok(path) => Some(path),
        Err(error) => {
            let at = at?;
            // Within the quotes, if the text stands between them as it is; else at the whole of it.
            let span = at.span();
            let is_plain = span.len() == written.len() + 2;
            let inner = span.start + 1 + error.at.start..span.start + 1 + error.at.end;
            check.wrong(if is_plain { inner } else { span }, error.what, error.hint);
            None
        }
    }
}
