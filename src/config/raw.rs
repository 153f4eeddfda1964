//! `pressrun.toml` as it is written. What is required by the schema is still optional here, so that everything
//! else is checked even where something is missing; `keys` has reported it by then.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

pub(super) use super::raw_mail::{RawMail, RawOauth, RawRelay, RawRetries, RawSecret};

use super::at::At;
use super::brakes::{RawBrakes, RawDigest};
use super::raw_store::RawStore;
use super::settings::OnEmpty;
use crate::facts::ingest::PartnerFrom;
use crate::ledger::UncertainRule;
use crate::render::{Format, Paper};
use crate::schedule::{CatchUp, Every, NotFull, Overlap, PeriodKind};

/// The configuration of pressrun. Paths count from its own folder.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "pressrun.toml")]
pub(super) struct RawConfig {
    /// Where the license facts come from.
    #[schemars(required)]
    pub facts: Option<At<RawFacts>>,
    /// What was planned, made and sent.
    #[schemars(required)]
    pub ledger: Option<RawLedger>,
    /// Where editions are kept.
    #[schemars(required)]
    pub archive: Option<RawArchive>,
    /// Who sends, and through what.
    #[schemars(required)]
    pub mail: Option<At<RawMail>>,
    /// What stops a run, or an edition of it, that is unlike the last one.
    pub brakes: Option<RawBrakes>,
    /// Who is told by mail how runs ended, and what to do.
    pub digest: Option<RawDigest>,
    /// How the daemon is watched and stopped.
    pub daemon: Option<RawDaemon>,
    /// Templates of one's own instead of the shipped ones.
    pub templates: Option<RawTemplates>,
    /// The look.
    pub theme: Option<RawTheme>,
    /// Where recipients come from, besides those listed here.
    pub recipients: Option<At<RawRecipients>>,
    /// Recipients, each with one grant at one partner.
    #[serde(default)]
    pub recipient: Vec<At<RawRecipient>>,
    /// Which days are no business days, by name.
    #[serde(default)]
    pub calendars: BTreeMap<At<String>, RawCalendar>,
    /// Stores that editions are put into, by name.
    #[serde(default)]
    pub stores: BTreeMap<At<String>, RawStore>,
    /// What is made and sent when, by name.
    #[serde(default)]
    pub schedules: BTreeMap<At<String>, RawSchedule>,
}

/// Where the license facts come from: tables of our own, or a view of the user's own.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFacts {
    /// The SQLite file that `pressrun ingest` fills.
    #[schemars(length(min = 1))]
    pub database: Option<At<String>>,
    /// A view over a warehouse of one's own, instead of `database`.
    pub view: Option<At<RawView>>,
    /// Which account is the partner: `account` (the partner global account) or `reseller`, for distributors.
    pub partner_from: Option<At<PartnerFrom>>,
    /// The day of the next month from which on a month counts as full.
    #[schemars(range(min = 1, max = 28))]
    pub closing_day: Option<At<u32>>,
    /// A folder that is watched for Partner Center's files.
    #[schemars(length(min = 1))]
    pub inbox: Option<At<String>>,
    /// A mapping of products to families of one's own.
    #[schemars(length(min = 1))]
    pub products: Option<At<String>>,
}

/// A view of the canonical relation in an SQLite file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawView {
    /// The SQLite file.
    #[schemars(required, length(min = 1))]
    pub database: Option<At<String>>,
    /// The name of the view or table in it.
    #[schemars(required, length(min = 1))]
    pub name: Option<At<String>>,
}

/// What was planned, made and sent.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLedger {
    /// The SQLite file; made when it is not there.
    #[schemars(required, length(min = 1))]
    pub database: Option<At<String>>,
}

/// Where editions are kept.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawArchive {
    /// The folder; made when it is not there.
    #[schemars(required, length(min = 1))]
    pub folder: Option<At<String>>,
}

/// How the daemon is watched and stopped.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDaemon {
    /// The loopback address and port at which it tells health and metrics; nothing is opened when left out.
    #[schemars(length(min = 1))]
    pub listen: Option<At<String>>,
    /// How long it may finish what is under way after it was told to stop, in seconds.
    #[schemars(range(min = 1, max = 3600))]
    pub drain_secs: Option<At<u32>>,
}

/// Templates of one's own.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTemplates {
    /// The folder, laid out as `pressrun init` writes it; a file that is not in it is the shipped one.
    #[schemars(required, length(min = 1))]
    pub folder: Option<At<String>>,
}

/// The look of every partner's files.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTheme {
    /// The paper of the PDF: `a4` or `letter`.
    pub paper: Option<At<Paper>>,
    /// Words and figures, as in `#1a2433`.
    #[schemars(length(min = 1))]
    pub ink: Option<At<String>>,
    /// Second words: labels, notes, axes.
    #[schemars(length(min = 1))]
    pub grey: Option<At<String>>,
    /// The one accent: bars, courses and the rules above key figures.
    #[schemars(length(min = 1))]
    pub accent: Option<At<String>>,
    /// The six colours of products, the largest product's first.
    #[schemars(length(min = 1))]
    pub products: Option<At<Vec<At<String>>>>,
    /// An image beside the title of a PDF's first page: a PNG or JPEG file.
    #[schemars(length(min = 1))]
    pub logo: Option<At<String>>,
    /// What a PDF is set in, instead of Inter.
    pub font: Option<RawFont>,
    /// Further font files, tried in their order for characters that the carried fonts lack.
    #[schemars(length(min = 1))]
    pub fonts: Option<At<Vec<At<String>>>>,
    /// The looks of partners that have their own, by the partner's id; what one leaves out is as above.
    #[serde(default)]
    pub partners: BTreeMap<At<String>, RawLook>,
}

/// The look of one partner's files.
// Its keys are written out twice: serde can flatten a struct into another or refuse unknown keys, and not both.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLook {
    /// Words and figures, as in `#1a2433`.
    #[schemars(length(min = 1))]
    pub ink: Option<At<String>>,
    /// Second words: labels, notes, axes.
    #[schemars(length(min = 1))]
    pub grey: Option<At<String>>,
    /// The one accent: bars, courses and the rules above key figures.
    #[schemars(length(min = 1))]
    pub accent: Option<At<String>>,
    /// The six colours of products, the largest product's first.
    #[schemars(length(min = 1))]
    pub products: Option<At<Vec<At<String>>>>,
    /// An image beside the title of a PDF's first page: a PNG or JPEG file.
    #[schemars(length(min = 1))]
    pub logo: Option<At<String>>,
    /// What a PDF is set in, instead of Inter.
    pub font: Option<RawFont>,
    /// Further font files, tried in their order for characters that the carried fonts lack.
    #[schemars(length(min = 1))]
    pub fonts: Option<At<Vec<At<String>>>>,
}

/// A family of fonts: TrueType or OpenType files of three weights.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFont {
    /// The file of what is read.
    #[schemars(required, length(min = 1))]
    pub regular: Option<At<String>>,
    /// The file of labels and first sentences; the bold one when left out.
    #[schemars(length(min = 1))]
    pub semi_bold: Option<At<String>>,
    /// The file of titles and large figures; the semi-bold or else the regular one when left out.
    #[schemars(length(min = 1))]
    pub bold: Option<At<String>>,
}

/// Where recipients come from, besides those listed as `[[recipient]]`: one of the two.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRecipients {
    /// A CSV file with the columns `address`, `partner_id`, `role` and, if wanted, `name`, `locations`, `language`.
    #[schemars(length(min = 1))]
    pub csv: Option<At<String>>,
    /// A table or view of the facts database with the same columns.
    #[schemars(length(min = 1))]
    pub relation: Option<At<String>>,
}

/// A recipient with one grant at one partner.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRecipient {
    /// The mail address.
    #[schemars(required, length(min = 1))]
    pub address: Option<At<String>>,
    /// The person's name.
    pub name: Option<At<String>>,
    /// The partner's id.
    #[schemars(required, length(min = 1))]
    pub partner: Option<At<String>>,
    /// The role's key, one of the template's `roles.toml`.
    #[schemars(required, length(min = 1))]
    pub role: Option<At<String>>,
    /// The ids of the location accounts that are covered; the whole partner when left out.
    #[schemars(length(min = 1))]
    pub locations: Option<Vec<At<String>>>,
    /// The language, as in `en`.
    #[schemars(length(min = 1))]
    pub language: Option<At<String>>,
}

/// What is made and sent when.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSchedule {
    /// Which report.
    #[schemars(length(min = 1))]
    pub report: Option<At<String>>,
    /// When it runs, as a cron expression of five fields: minute, hour, day of month, month, day of week, or of six with
    /// the second before them; instead of `on`.
    #[schemars(length(min = 1))]
    pub cron: Option<At<String>>,
    /// How often a day is sought: each `day`, `week`, `month`, `quarter` or `year`.
    pub every: Option<At<Every>>,
    /// On which day of it, as in `first business day on or after the 21st`, of a week as in `Monday, Thursday`, of each
    /// day as in `every business day`.
    #[schemars(length(min = 1))]
    pub on: Option<At<String>>,
    /// In which month of a quarter or year, 1 being its first.
    #[schemars(range(min = 1, max = 12))]
    pub in_month: Option<At<u32>>,
    /// The month that years begin with, 1 being January: quarters and years are shifted by it.
    #[schemars(range(min = 1, max = 12))]
    pub year_begins: Option<At<u32>>,
    /// At which local times, as in `06:00`.
    #[schemars(length(min = 1))]
    pub at: Option<Vec<At<String>>>,
    /// Which days are no business days: a calendar of `[calendars]`, or a ready-made one.
    #[schemars(length(min = 1))]
    pub calendar: Option<At<String>>,
    /// The first day on which it may run, as in `2026-01-01`.
    pub not_before: Option<At<String>>,
    /// The last day on which it may run.
    pub until: Option<At<String>>,
    /// From when to when it does not run, first and last day included.
    pub pause: Option<Vec<RawPause>>,
    /// The IANA time zone that its times are of.
    #[schemars(required, length(min = 1))]
    pub zone: Option<At<String>>,
    /// What an edition is about: the last `month`, `quarter` or `year` that ended before it runs.
    pub period: Option<At<PeriodKind>>,
    /// How many periods before that one.
    #[schemars(range(max = 60))]
    pub periods_back: Option<At<u32>>,
    /// How many months an edition shows, ending with its period.
    #[schemars(range(min = 1, max = 60))]
    pub range_months: Option<At<u32>>,
    /// Which files are made.
    #[schemars(length(min = 1))]
    pub formats: Option<Vec<At<Format>>>,
    /// Of which partners, by id; `"*"` for all.
    #[schemars(length(min = 1))]
    pub partners: Option<Vec<At<String>>>,
    /// For which roles only; for all when left out.
    #[schemars(length(min = 1))]
    pub roles: Option<Vec<At<String>>>,
    /// Which stores of `[stores]` get its editions.
    #[schemars(length(min = 1))]
    pub stores: Option<Vec<At<String>>>,
    /// What to do about occurrences that nobody was awake for.
    pub catch_up: Option<At<CatchUp>>,
    /// How many of them run at most when `catch_up` is `all`, the newest ones.
    #[schemars(range(min = 1, max = 1000))]
    pub catch_up_max: Option<At<u32>>,
    /// What to do about an occurrence while an earlier one still runs.
    pub overlap: Option<At<Overlap>>,
    /// How many seconds after its instant a run starts at most, for many schedules of one instant.
    #[schemars(range(max = 3600))]
    pub jitter_secs_max: Option<At<u32>>,
    /// What to do about a partner whose data for the period is not full when an occurrence is due.
    pub not_full: Option<At<NotFull>>,
    /// What an audience without figures gets.
    pub on_empty: Option<At<OnEmpty>>,
    /// What to do about a mail of which nobody can tell whether it was taken.
    pub uncertain: Option<At<UncertainRule>>,
    /// How long after its instant an occurrence may still run, in hours; then it is missed.
    #[schemars(range(min = 1, max = 2160))]
    pub deadline_hours: Option<At<u32>>,
    /// Brakes of its own; what is left out is as in `[brakes]`.
    pub brakes: Option<RawBrakes>,
}

/// Days on which a schedule does not run.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPause {
    /// The first day, as in `2026-07-01`.
    #[schemars(required)]
    pub from: Option<At<String>>,
    /// The last day.
    #[schemars(required)]
    pub to: Option<At<String>>,
}

/// A calendar: which days are no business days.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCalendar {
    /// The days of each week, as in `sat`.
    pub weekend: Option<Vec<At<String>>>,
    /// Other days: `2026-12-24`, `12-24` for each year, `last Monday of May`, `Easter - 2`.
    pub days_off: Option<Vec<At<String>>>,
    /// Calendars whose days off are days off here too: others of `[calendars]`, or ready-made ones.
    pub include: Option<Vec<At<String>>>,
}

/// A report's template: its title, its sections in order, its raw columns.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "report.toml")]
pub(super) struct RawTemplate {
    /// The title on the page.
    #[schemars(required, length(min = 1))]
    pub title: Option<At<String>>,
    /// The columns of the raw rows, in order.
    #[schemars(required, length(min = 1))]
    pub raw_columns: Option<Vec<At<String>>>,
    /// The sections, in order.
    #[schemars(required, length(min = 1))]
    pub sections: Option<Vec<RawSection>>,
}

/// A section of the report.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSection {
    /// Which one.
    #[schemars(required, length(min = 1))]
    pub kind: Option<At<String>>,
    /// Whether `geography` has its world map; `true` if left out.
    pub map: Option<At<bool>>,
}

/// The roles of a report, by key.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "roles.toml")]
pub(super) struct RawRoles {
    /// The roles, by key.
    #[schemars(required)]
    pub roles: Option<BTreeMap<At<String>, RawRole>>,
}

/// A role: what it may not see, and how wide it is.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRole {
    /// Its label on the page.
    #[schemars(required, length(min = 1))]
    pub label: Option<At<String>>,
    /// What it may not see; an empty list for a role that sees everything.
    #[schemars(required)]
    pub withhold: Option<Vec<At<String>>>,
    /// Whether it is given for the whole partner only, not for locations.
    pub organization_only: Option<At<bool>>,
    /// Of two roles of one person at the same scope the one with the higher rank counts; each rank once.
    #[schemars(required, range(min = 0, max = 1000))]
    pub rank: Option<At<u32>>,
}
