//! The configuration, checked.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::brakes::DigestSettings;
use super::secret::Secret;
use super::stores::StoreConfig;
use crate::audience::{Recipient, Roles};
use crate::base::Digest;
use crate::deliver::{Brakes, Mailbox};
use crate::facts::ingest::PartnerFrom;
use crate::ledger::UncertainRule;
use crate::render::email::MailTemplates;
use crate::render::{Format, Themes};
use crate::schedule::{CatchUp, Lateness, NotFull, Overlap, Timing};
use crate::sections::Template;

/// A path as it was written, and as it resolves from the configuration's folder, which it derefs to.
///
/// Serialized as written, so that the same configuration in two folders has one digest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilePath {
    written: String,
    resolved: PathBuf,
}

impl FilePath {
    /// A path that is written in a configuration in that folder.
    pub fn new(folder: &Path, written: &str) -> FilePath {
        FilePath { written: written.to_owned(), resolved: folder.join(written) }
    }

    /// As the configuration has it.
    pub fn written(&self) -> &str {
        &self.written
    }
}

impl Deref for FilePath {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.resolved
    }
}

impl AsRef<Path> for FilePath {
    fn as_ref(&self) -> &Path {
        &self.resolved
    }
}

impl Serialize for FilePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.written)
    }
}

/// The whole configuration, checked: every default filled in, every path resolved, every name known.
#[derive(Clone, Debug, Serialize)]
pub struct Config {
    /// The file it was read from.
    #[serde(skip)]
    pub file: PathBuf,
    /// The folder that its paths count from.
    #[serde(skip)]
    pub folder: PathBuf,
    /// Where the license facts come from.
    pub facts: FactsSettings,
    /// The SQLite file of the ledger.
    pub ledger: FilePath,
    /// The folder of the archive.
    pub archive: FilePath,
    /// Who sends, and through what.
    pub mail: MailSettings,
    /// Who is told by mail how runs ended; nobody when none.
    pub digests: Option<DigestSettings>,
    /// How the daemon is watched and stopped.
    pub daemon: DaemonSettings,
    /// What is in the report, and in which order.
    pub template: Arc<Template>,
    /// What each role may see.
    pub roles: Arc<Roles>,
    /// The mail's subject and bodies.
    pub mail_templates: Arc<MailTemplates>,
    /// The look of each partner.
    pub themes: Arc<Themes>,
    /// Who is to get something.
    pub recipients: RecipientsFrom,
    /// The stores that editions are put into, by name.
    pub stores: Vec<StoreConfig>,
    /// What is made and sent when, by name.
    pub schedules: Vec<ScheduleSettings>,
    /// Of everything above but secrets and the file's own place: the same configuration, the same digest.
    #[serde(skip)]
    pub digest: Digest,
}

/// Where the license facts come from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FactsSettings {
    /// Our own tables, or a view.
    pub from: FactsFrom,
    /// Which account is the partner.
    pub partner_from: PartnerFrom,
    /// The day of the next month from which on a month counts as full, 1 to 28.
    pub closing_day: u32,
    /// The folder that is watched for Partner Center's files.
    pub inbox: Option<FilePath>,
    /// The mapping of products to families, if it is not the shipped one.
    pub products: Option<OwnFile>,
}

/// Our own tables, or a view of the user's own.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FactsFrom {
    /// Our own tables in an SQLite file.
    Tables(FilePath),
    /// A view of the canonical relation.
    View {
        /// The SQLite file.
        database: FilePath,
        /// The view's name: letters, digits and `_`, with at most one dot; safe in SQL when quoted.
        name: String,
    },
}

/// A file of one's own that takes the place of a shipped one, as it was when the configuration was read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct OwnFile {
    /// Where it is.
    pub path: FilePath,
    /// What is in it.
    pub text: String,
}

/// Who sends, and through what.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct MailSettings {
    /// Who sends.
    #[serde(serialize_with = "as_mailbox")]
    pub from: Mailbox,
    /// Where answers go, if not to the sender.
    #[serde(serialize_with = "as_mailboxes")]
    pub reply_to: Option<Mailbox>,
    /// Whom to ask, as the report and the mail print it.
    pub contact: String,
    /// The domain of Message-IDs.
    pub message_id_domain: String,
    /// Where mails go.
    pub through: MailThrough,
    /// When a mail that was not taken is tried again.
    pub retries: RetrySettings,
}

/// Where mails go.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MailThrough {
    /// Into a folder, as `.eml` files.
    Outbox(FilePath),
    /// To an SMTP relay.
    Relay(Box<RelaySettings>),
}

/// The SMTP relay that takes the mails.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct RelaySettings {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// Who logs in, and where the password is; nobody logs in when none.
    pub login: Option<Login>,
    /// The certificate authorities that are trusted instead of the system's, as PEM.
    pub ca_file: Option<FilePath>,
    /// How long to wait for the relay to connect and to answer, in seconds.
    pub timeout_secs: u32,
    /// The most that one mail's attachments may have together, in bytes.
    pub attachment_bytes_max: u64,
    /// How many connections are open at once.
    pub connections_max: u32,
    /// How many mails it takes within a minute; any number when none.
    pub per_minute_max: Option<u32>,
    /// How many mails it takes within 24 hours; any number when none.
    pub per_day_max: Option<u32>,
}

/// Who logs in.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Login {
    /// The user.
    pub user: String,
    /// What it proves itself by.
    pub by: LoginBy,
}

/// What a user proves itself by.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoginBy {
    /// A password.
    Password(Secret),
    /// A token of OAuth 2.0's client credentials.
    Oauth(OauthSettings),
}

/// Who gives out tokens.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct OauthSettings {
    /// Where: an https address, or an http one on this machine.
    pub token_url: String,
    /// The application's id.
    pub client_id: String,
    /// Where the application's secret is.
    pub client_secret: Secret,
    /// What the token is for.
    pub scope: String,
}

/// How a connection is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tls {
    /// By STARTTLS, which is required.
    #[default]
    Starttls,
    /// From the first byte.
    Implicit,
    /// Not at all; to a loopback relay only.
    None,
}

/// When a mail that was not taken is tried again: the wait doubles from try to try.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct RetrySettings {
    /// How often a mail is tried, the first time included.
    pub attempts_max: u32,
    /// The wait after the first try, in seconds.
    pub backoff_secs_min: u32,
    /// The longest wait, in seconds; not below the first.
    pub backoff_secs_max: u32,
    /// How long after its first try a mail is given up, in hours.
    pub deadline_hours: u32,
}

/// How the daemon is watched and stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct DaemonSettings {
    /// The loopback address at which it tells health and metrics; nothing is opened when none.
    pub listen: Option<SocketAddr>,
    /// How long it may finish what is under way after it was told to stop, in seconds, 1 to 3600.
    pub drain_secs: u32,
}

/// Who is to get something.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct RecipientsFrom {
    /// Those of the configuration and of its CSV file, in their order; at most [`super::RECIPIENTS_MAX`].
    pub listed: Vec<Recipient>,
    /// A table or view of the facts database with further ones, read when a run is planned; its rows are checked
    /// by [`super::recipient`]. The name is letters, digits and `_`, with at most one dot.
    pub relation: Option<String>,
}

/// What is made and sent when.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ScheduleSettings {
    /// Its name: lower-case letters, digits, `-` and `_`.
    pub name: String,
    /// Which report, as in `product-licenses`.
    pub report: String,
    /// When it runs, and what an edition is about.
    pub timing: Timing,
    /// How many months an edition shows, 1 to 60.
    pub range_months: u32,
    /// Which files are made, in the order in which they are attached; never empty.
    pub formats: Vec<Format>,
    /// Of which partners.
    pub partners: Partners,
    /// For which roles only; for all when none.
    pub roles: Option<BTreeSet<String>>,
    /// Which stores get its editions, by name; each is one of the configuration's.
    pub stores: Vec<String>,
    /// What to do about occurrences that nobody was awake for.
    pub catch_up: CatchUp,
    /// How many of them run at most under [`CatchUp::All`].
    pub catch_up_max: u32,
    /// What to do about an occurrence while an earlier one still runs.
    pub overlap: Overlap,
    /// How many seconds after its instant a run starts at most.
    pub jitter_secs_max: u32,
    /// What to do about a partner whose data for the period is not full.
    pub not_full: NotFull,
    /// What an audience without figures gets.
    pub on_empty: OnEmpty,
    /// What to do about a mail of which nobody can tell whether it was taken.
    pub uncertain: UncertainRule,
    /// How long after its instant an occurrence may still run, in hours.
    pub deadline_hours: u32,
    /// What stops a run of it, or an edition, that is unlike the last one.
    pub brakes: Brakes,
}

impl ScheduleSettings {
    /// What it says about occurrences that are not seen at once.
    pub fn lateness(&self) -> Lateness {
        let deadline = chrono::Duration::hours(self.deadline_hours.into());
        Lateness { catch_up: self.catch_up, catch_up_max: self.catch_up_max, deadline }
    }
}

/// Which partners a schedule is for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Partners {
    /// Every partner of the data.
    All,
    /// These, by id; never empty.
    These(BTreeSet<String>),
}

impl Partners {
    /// Whether a partner is among them.
    pub fn includes(&self, partner_id: &str) -> bool {
        match self {
            Partners::All => true,
            Partners::These(ids) => ids.contains(partner_id),
        }
    }
}

/// What an audience without figures gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnEmpty {
    /// Nothing.
    #[default]
    Skip,
    /// A report that says so.
    Send,
}

fn as_mailbox<S: Serializer>(mailbox: &Mailbox, serializer: S) -> Result<S::Ok, S::Error> {
    (&mailbox.name, &mailbox.address).serialize(serializer)
}

fn as_mailboxes<S: Serializer>(mailbox: &Option<Mailbox>, serializer: S) -> Result<S::Ok, S::Error> {
    mailbox.as_ref().map(|mailbox| (&mailbox.name, &mailbox.address)).serialize(serializer)
}
