//! From raw to checked: what stops a run that is unlike the last one, and who is told how runs ended.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::at::At;
use super::check::Check;
use crate::deliver::{Brakes, NewDomain};
use crate::ledger::DigestWhen;

/// How many addresses digests may go to.
const TO_MAX: usize = 20;

/// What stops a run, or an edition of it, that is unlike the last one. 0 switches a brake with a number off.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBrakes {
    /// The domains that mails may go to, as in `example.com`, and `*.example.com` for those below it; all when left out.
    #[schemars(length(min = 1))]
    pub allowed_domains: Option<At<Vec<At<String>>>>,
    /// The most recipients of a run; 0 for any number.
    #[schemars(range(max = 1_000_000))]
    pub recipients_max: Option<At<u32>>,
    /// By how many percent their number may differ from that of the last run that was sent; 0 for any number.
    #[schemars(range(max = 100_000))]
    pub recipients_change_percent_max: Option<At<u32>>,
    /// What is done about a run to a domain that no earlier run of the schedule was sent to: `hold` or `allow`.
    pub new_domain: Option<At<NewDomain>>,
    /// By how many percent a total may differ from that of the audience's last edition; 0 for any number.
    #[schemars(range(max = 100_000))]
    pub totals_change_percent_max: Option<At<u32>>,
    /// By how many percent the size of a file may differ from that of the audience's last edition; 0 for any number.
    #[schemars(range(max = 100_000))]
    pub files_change_percent_max: Option<At<u32>>,
}

/// Who is told by mail how runs ended, and what to do.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDigest {
    /// The addresses.
    #[schemars(required, length(min = 1))]
    pub to: Option<At<Vec<At<String>>>>,
    /// After which runs: `always`, or `problems` for those that are not done.
    pub when: Option<At<DigestWhen>>,
}

/// Who is told by mail how runs ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DigestSettings {
    /// The addresses, each once.
    pub to: Vec<String>,
    /// After which runs.
    pub when: DigestWhen,
}

/// What is left out is as in `base`.
pub(super) fn settings(raw: Option<RawBrakes>, base: &Brakes, check: &mut Check<'_>) -> Brakes {
    let Some(raw) = raw else { return base.clone() };
    let limit = |raw: Option<At<u32>>, base: Option<u32>| match raw.map(At::into_inner) {
        None => base,
        Some(0) => None,
        max => max,
    };
    Brakes {
        allowed_domains: match raw.allowed_domains {
            Some(raw) => Some(domains(raw.get(), check)),
            None => base.allowed_domains.clone(),
        },
        recipients_max: limit(raw.recipients_max, base.recipients_max),
        recipients_change_percent_max: limit(raw.recipients_change_percent_max, base.recipients_change_percent_max),
        new_domain: raw.new_domain.map_or(base.new_domain, At::into_inner),
        totals_change_percent_max: limit(raw.totals_change_percent_max, base.totals_change_percent_max),
        files_change_percent_max: limit(raw.files_change_percent_max, base.files_change_percent_max),
    }
}

fn domains(raw: &[At<String>], check: &mut Check<'_>) -> BTreeSet<String> {
    let mut domains = BTreeSet::new();
    for at in raw {
        let domain = at.get().to_lowercase();
        let plain = domain.strip_prefix("*.").unwrap_or(&domain);
        // A domain that mail can go to is one that an address can have.
        if plain.starts_with('[') || format!("a@{plain}").parse::<lettre::Address>().is_err() {
            let hint = "a domain as in `example.com`, or `*.example.com` for those below it";
            check.wrong(at.span(), format!("`{}` is not a domain", at.get()), hint);
        } else if !domains.insert(domain) {
            check.wrong(at.span(), format!("the domain `{}` stands twice", at.get()), "take one out");
        }
    }
    domains
}

/// Where digests go; nowhere when nothing is said.
pub(super) fn digest(raw: Option<RawDigest>, check: &mut Check<'_>) -> Option<DigestSettings> {
    let raw = raw?;
    let at = raw.to?;
    let mut to: Vec<String> = Vec::new();
    for address in at.get() {
        let text = address.get();
        if text.parse::<lettre::Address>().is_err() {
            check.wrong(address.span(), format!("`{text}` is not a mail address"), "as in `admin@example.com`");
        } else if to.iter().any(|known| known.eq_ignore_ascii_case(text)) {
            check.wrong(address.span(), format!("the address `{text}` stands twice"), "take one out");
        } else {
            to.push(text.clone());
        }
    }
    if to.len() > TO_MAX {
        check.wrong(
            at.span(),
            format!("{} addresses, at most {TO_MAX} may be", to.len()),
            "name a mailing list instead",
        );
    }
    Some(DigestSettings { to, when: raw.when.map(At::into_inner).unwrap_or_default() })
}
