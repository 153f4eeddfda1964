//! Brakes: what stops a run, or an edition of it, that is unlike the last one, before it leaves.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The fewest recipients that the last run must have had for a change of their number to mean anything.
pub const RECIPIENTS_COMPARED_MIN: u64 = 10;

/// A total that moved by less than this is not held, in millionths: a hundred licenses or US dollars.
const TOTAL_CHANGE_MIN: i64 = 100 * 1_000_000;

/// A file whose size moved by less than this is not held, in bytes.
const FILE_CHANGE_MIN: i64 = 64 * 1024;

/// The fewest held editions that hold the whole run.
const HELD_EDITIONS_MIN: u64 = 3;

/// How many percent of the editions made so far must be held to hold the whole run.
const HELD_EDITIONS_PERCENT_MIN: u64 = 20;

/// How many new domains are named before the rest is counted.
const NAMED_MAX: usize = 5;

/// The brake of a run of whose editions many are held.
pub const MANY_HELD: &str = "held_editions";

/// The brake of a run of whose data the gate cannot look for all ids and names.
pub const GATE: &str = "ids_and_names";

/// Which brakes a schedule has; none of a kind where it is switched off.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Brakes {
    /// The domains that mails may go to, in lower case; `*.example.com` for those below one. All when none.
    pub allowed_domains: Option<BTreeSet<String>>,
    /// The most recipients of a run.
    pub recipients_max: Option<u32>,
    /// By how many percent their number may differ from that of the last run that was sent.
    pub recipients_change_percent_max: Option<u32>,
    /// What is done about a domain that no earlier run was sent to.
    pub new_domain: NewDomain,
    /// By how many percent a total of an edition may differ from that of the audience's last one.
    pub totals_change_percent_max: Option<u32>,
    /// By how many percent the size of a file may differ from that of the audience's last one.
    pub files_change_percent_max: Option<u32>,
}

impl Default for Brakes {
    fn default() -> Brakes {
        Brakes {
            allowed_domains: None,
            recipients_max: Some(10_000),
            recipients_change_percent_max: Some(50),
            new_domain: NewDomain::Hold,
            totals_change_percent_max: Some(50),
            files_change_percent_max: Some(75),
        }
    }
}

/// What is done about a run with a domain that no earlier run of the schedule was sent to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NewDomain {
    /// It is held.
    #[default]
    Hold,
    /// It goes on.
    Allow,
}

/// A brake that took hold: which, of what, and what would have passed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Trip {
    /// Its key in the configuration, [`MANY_HELD`] or [`GATE`].
    pub brake: String,
    /// What was measured, in words.
    pub measured: String,
    /// What is allowed, in words.
    pub allowed: String,
}

impl std::fmt::Display for Trip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "brake `{}`: {}; allowed: {}", self.brake, self.measured, self.allowed)
    }
}

/// Several brakes in one line.
pub fn told(trips: &[Trip]) -> String {
    trips.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What is known of whom a schedule was sent to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sent {
    /// How many recipients the last run had that was sent; none when there was none.
    pub n_recipients: Option<u64>,
    /// The domains that mails were taken for; empty when none was.
    pub domains: BTreeSet<String>,
}

/// One thing that is measured of an edition.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Measure {
    /// Of which kind.
    pub kind: MeasureKind,
    /// Its name: a key figure's key, a format's extension.
    pub name: String,
    /// Millionths of a total, bytes of a file.
    pub amount: i64,
}

/// What can be measured of an edition.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MeasureKind {
    /// A key figure's current count.
    Total,
    /// A file's size.
    File,
}

impl MeasureKind {
    /// Its word in the ledger.
    pub fn word(self) -> &'static str {
        match self {
            MeasureKind::Total => "total",
            MeasureKind::File => "file",
        }
    }

    /// The kind of a word, if it is one.
    pub fn of(word: &str) -> Option<MeasureKind> {
        [MeasureKind::Total, MeasureKind::File].into_iter().find(|kind| kind.word() == word)
    }
}

/// The domain of an address, in lower case; none when it has no `@`.
pub fn domain_of(address: &str) -> Option<String> {
    let (_, domain) = address.rsplit_once('@')?;
    Some(domain.trim_end_matches('.').to_lowercase())
}

impl Brakes {
    /// None at all.
    pub fn off() -> Brakes {
        Brakes {
            allowed_domains: None,
            recipients_max: None,
            recipients_change_percent_max: None,
            new_domain: NewDomain::Allow,
            totals_change_percent_max: None,
            files_change_percent_max: None,
        }
    }

    /// Why no mail may go to an address, if none may.
    pub fn refusal(&self, address: &str) -> Option<String> {
        let allowed = self.allowed_domains.as_ref()?;
        let domain = domain_of(address)?;
        let below = |parent: &str| domain.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.'));
        let is_allowed =
            allowed.contains(&domain) || allowed.iter().filter_map(|entry| entry.strip_prefix("*.")).any(below);
        (!is_allowed).then(|| format!("the domain `{domain}` is not among `brakes.allowed_domains`"))
    }

    /// What a run to these addresses, in lower case, would be held by. Its own domain is never new, nor is one that is
    /// allowed by name; the first run of a schedule has nothing to be compared with.
    pub fn on_recipients(&self, addresses: &BTreeSet<String>, own_domain: &str, sent: &Sent) -> Vec<Trip> {
        let n = addresses.len() as u64;
        let mut trips = Vec::new();
        if let Some(max) = self.recipients_max.filter(|max| n > u64::from(*max)) {
            trips.push(trip("recipients_max", format!("{n} recipients"), format!("at most {max}")));
        }
        let last = sent.n_recipients.filter(|last| *last >= RECIPIENTS_COMPARED_MIN);
        if let (Some(max), Some(last)) = (self.recipients_change_percent_max, last)
            && let Some(change) = change(n as i64, last as i64, max)
        {
            let measured = format!("{n} recipients after {last} by the last run that was sent, {change}");
            trips.push(trip("recipients_change_percent_max", measured, format!("±{max} %")));
        }
        if self.new_domain == NewDomain::Hold && self.allowed_domains.is_none() && !sent.domains.is_empty() {
            let domains: BTreeSet<String> = addresses.iter().filter_map(|address| domain_of(address)).collect();
            let is_new = |domain: &&String| *domain != own_domain && !sent.domains.contains(*domain);
            let new: Vec<&String> = domains.iter().filter(is_new).collect();
            if !new.is_empty() {
                let named: Vec<String> = new.iter().take(NAMED_MAX).map(|domain| format!("`{domain}`")).collect();
                let more = new.len().saturating_sub(NAMED_MAX);
                let more = if more == 0 { String::new() } else { format!(" and {more} more") };
                let measured = format!("mails to {}{more}, where no earlier run was sent to", named.join(", "));
                trips.push(trip("new_domain", measured, "domains that the schedule was sent to before".to_owned()));
            }
        }
        trips
    }

    /// What an edition that measures this is held by, held against its audience's last one that was sent, which was
    /// about `last`. What only one of them has is not compared.
    pub fn on_measures(&self, now: &[Measure], before: &[Measure], last: &str) -> Vec<Trip> {
        let mut trips = Vec::new();
        for measure in now {
            let same = |other: &&Measure| other.kind == measure.kind && other.name == measure.name;
            let Some(other) = before.iter().find(same) else { continue };
            let (key, max, least) = match measure.kind {
                MeasureKind::Total => ("totals_change_percent_max", self.totals_change_percent_max, TOTAL_CHANGE_MIN),
                MeasureKind::File => ("files_change_percent_max", self.files_change_percent_max, FILE_CHANGE_MIN),
            };
            let Some(max) = max else { continue };
            if measure.amount.saturating_sub(other.amount).saturating_abs() < least {
                continue;
            }
            if let Some(change) = change(measure.amount, other.amount, max) {
                let (new, old) = (amount(measure), amount(other));
                let what = match measure.kind {
                    MeasureKind::Total => format!("the total `{}`", measure.name),
                    MeasureKind::File => format!("the {} file", measure.name),
                };
                trips.push(trip(key, format!("{what} is {new} after {old} in {last}, {change}"), format!("±{max} %")));
            }
        }
        trips
    }
}

/// Whether so many held editions of those that were made hold the whole run: then it is not the partners that changed.
pub fn on_held_editions(n_held: u64, n_made: u64) -> Option<Trip> {
    if n_held < HELD_EDITIONS_MIN || n_held * 100 <= n_made * HELD_EDITIONS_PERCENT_MIN {
        return None;
    }
    let measured = format!("brakes hold {n_held} of the first {n_made} editions");
    Some(trip(MANY_HELD, measured, format!("fewer than {HELD_EDITIONS_MIN}, or {HELD_EDITIONS_PERCENT_MIN} %")))
}

fn trip(brake: &str, measured: String, allowed: String) -> Trip {
    Trip { brake: brake.to_owned(), measured, allowed }
}

/// By how many percent something moved, in words, when that is more than may be. The tenth is rounded up, so that what
/// is told is always above what is allowed.
fn change(new: i64, old: i64, percent_max: u32) -> Option<String> {
    let (moved, old) = (i128::from(new) - i128::from(old), i128::from(old).abs());
    if moved.abs() * 100 <= old * i128::from(percent_max) {
        return None;
    }
    let sign = if moved < 0 { '−' } else { '+' };
    if old == 0 {
        return Some("from nothing".to_owned());
    }
    let tenths = (moved.abs() * 1000 + old - 1) / old;
    Some(format!("{sign}{}.{} %", tenths / 10, tenths % 10))
}

fn amount(measure: &Measure) -> String {
    match measure.kind {
        MeasureKind::Total => crate::base::Quantity::from_millionths(measure.amount).grouped(),
        MeasureKind::File => format!("{} KiB", measure.amount.saturating_add(1023) / 1024),
    }
}

#[cfg(test)]
mod tests;
