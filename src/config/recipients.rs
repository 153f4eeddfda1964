//! From raw to checked: who is to get something, listed in TOML or in a CSV file.

use std::ops::Range;
use std::sync::Arc;

use super::at::At;
use super::check::Check;
use super::raw::{RawRecipient, RawRecipients};
use super::settings::RecipientsFrom;
use super::source::{self, Source};
use super::{ConfigError, ConfigErrors, hint};
use crate::audience::{Grant, Recipient, Roles, RolesError, Scope};
use crate::deliver::Brakes;

/// How many recipients a configuration may name, its CSV file included.
pub const RECIPIENTS_MAX: usize = 100_000;

/// The columns of a CSV file or relation; those that must be there first.
const COLUMNS: [&str; 6] = ["address", "partner_id", "role", "name", "locations", "language"];
const N_REQUIRED: usize = 3;

/// Languages that the shipped texts are in.
const LANGUAGES: [&str; 1] = ["en"];

/// A recipient as a file or relation has it, unchecked. Blank `name`, `language` and no `locations` are usual.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RecipientRow<'a> {
    /// The mail address.
    pub address: &'a str,
    /// The person's name.
    pub name: &'a str,
    /// The partner's id.
    pub partner_id: &'a str,
    /// The role's key.
    pub role: &'a str,
    /// The ids of locations; none for the whole partner. In one text they are separated by `;`.
    pub locations: Option<Vec<&'a str>>,
    /// The language; `en` when blank.
    pub language: &'a str,
}

/// What is wrong with one column of a recipient's row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WrongRecipient {
    /// The column, as in `partner_id`.
    pub column: &'static str,
    /// What is wrong.
    pub what: String,
    /// What to do about it; may be empty.
    pub hint: String,
}

impl<'a> RecipientRow<'a> {
    /// Reads the text of a `locations` column: blank for the whole partner, else ids separated by `;`.
    pub fn split_locations(text: &'a str) -> Option<Vec<&'a str>> {
        (!text.trim().is_empty()).then(|| text.split(';').map(str::trim).filter(|id| !id.is_empty()).collect())
    }
}

/// Checks one recipient's row by the template's roles.
///
/// # Errors
/// Everything that is wrong with it, column by column.
pub fn recipient(row: &RecipientRow<'_>, roles: &Roles) -> Result<Recipient, Vec<WrongRecipient>> {
    let mut wrong = Vec::new();
    let mut add = |column, what: String, hint: String| wrong.push(WrongRecipient { column, what, hint });
    let shown = |text: &str| crate::base::short_name(&crate::base::header_text(text), 80);
    if row.address.parse::<lettre::Address>().is_err() {
        add("address", format!("`{}` is not a mail address", shown(row.address)), "as in `a@example.com`".to_owned());
    }
    if row.name.chars().any(char::is_control) {
        add("name", "the name has a control character in it".to_owned(), "write it on one line".to_owned());
    }
    if row.partner_id.is_empty() || row.partner_id == "*" || row.partner_id.chars().any(char::is_control) {
        let hint = "a recipient is named once for each partner, by the partner's id".to_owned();
        let what = match row.partner_id {
            "" => "the partner's id is missing".to_owned(),
            id => format!("`{}` is not a partner's id", shown(id)),
        };
        add("partner_id", what, hint);
    }
    let language = if row.language.is_empty() { LANGUAGES[0] } else { row.language };
    if !LANGUAGES.contains(&language) {
        let hint = hint::for_unknown(language, "languages", LANGUAGES);
        add("language", format!("unknown language `{}`", shown(language)), hint);
    }
    let scope = match &row.locations {
        None => Scope::Organization,
        Some(ids) => Scope::Locations(ids.iter().map(|id| (*id).to_owned()).collect()),
    };
    if let Scope::Locations(ids) = &scope
        && (ids.is_empty() || ids.iter().any(|id| id.is_empty() || id.chars().any(char::is_control)))
    {
        let hint = "leave it out, or blank, for the whole partner".to_owned();
        add("locations", "a location without an id".to_owned(), hint);
    }
    let grant = Grant { role: row.role.to_owned(), scope };
    match roles.of(&grant) {
        Ok(_) => {}
        Err(error @ RolesError::Unknown(_)) => {
            let hint = hint::for_unknown(row.role, "roles", roles.iter().map(|role| role.key.as_str()));
            let what = if row.role.is_empty() { "the role is missing".to_owned() } else { error.to_string() };
            add("role", crate::base::header_text(&what), hint);
        }
        Err(error @ RolesError::OrganizationOnly(_)) => {
            let hint = "leave the locations out, or give another role".to_owned();
            add("locations", error.to_string(), hint);
        }
    }
    let language = language.to_owned();
    let (address, name, partner_id) = (row.address.to_owned(), row.name.to_owned(), row.partner_id.to_owned());
    if wrong.is_empty() { Ok(Recipient { address, name, partner_id, grant, language }) } else { Err(wrong) }
}

pub(super) fn settings(
    from: Option<At<RawRecipients>>,
    listed: Vec<At<RawRecipient>>,
    (roles, brakes): (Option<&Roles>, &Brakes),
    check: &mut Check<'_>,
) -> RecipientsFrom {
    let mut of = RecipientsFrom::default();
    let Some(roles) = roles else { return of };
    if let Some(at) = listed.get(RECIPIENTS_MAX) {
        check.errors.add(too_many(check.source, at.span()));
        return of;
    }
    of.listed = listed.iter().filter_map(|raw| listed_recipient(raw, (roles, brakes), check)).collect();
    let Some(from) = from else { return of };
    let (span, from) = (from.span(), from.into_inner());
    check.both(("csv", &from.csv), ("relation", &from.relation));
    if from.csv.is_none() && from.relation.is_none() && check.whole {
        check.wrong(span, "`[recipients]` names neither a `csv` file nor a `relation`", "name one, or take it out");
    }
    of.relation = from.relation.as_ref().and_then(|at| check.sql_name(at));
    if let Some(at) = &from.csv {
        let path = check.path(at);
        match source::read_text(&path) {
            Ok(text) => {
                let source = Source::new(path.display().to_string(), &text);
                csv_recipients(&text, &source, (roles, brakes), &mut of.listed, check.errors);
            }
            Err(error) => check.wrong(at.span(), error.first_line(), error.hint()),
        }
    }
    of
}

fn listed_recipient(
    raw: &At<RawRecipient>,
    (roles, brakes): (&Roles, &Brakes),
    check: &mut Check<'_>,
) -> Option<Recipient> {
    let raw = raw.get();
    let blank = |at: &Option<At<String>>| at.as_ref().map_or_else(String::new, |at| at.get().clone());
    let (name, language) = (blank(&raw.name), blank(&raw.language));
    let (address, partner, role) = (raw.address.as_ref()?, raw.partner.as_ref()?, raw.role.as_ref()?);
    let row = RecipientRow {
        address: address.get(),
        name: &name,
        partner_id: partner.get(),
        role: role.get(),
        locations: raw.locations.as_ref().map(|ids| ids.iter().map(|id| id.get().as_str()).collect()),
        language: &language,
    };
    let span = |column: &str| match column {
        "address" => Some(address),
        "name" => raw.name.as_ref(),
        "partner_id" => Some(partner),
        "locations" => raw.locations.as_ref().and_then(|ids| ids.first()),
        "language" => raw.language.as_ref(),
        _ => Some(role),
    };
    let wrong = recipient(&row, roles).and_then(|found| allowed(found, brakes));
    for wrong in wrong.as_ref().err().into_iter().flatten() {
        check.wrong(span(wrong.column).unwrap_or(role).span(), wrong.what.clone(), wrong.hint.clone());
    }
    wrong.ok()
}

/// A recipient whose domain gets mail; one of a relation is not refused, but gets nothing when a run is planned.
fn allowed(found: Recipient, brakes: &Brakes) -> Result<Recipient, Vec<WrongRecipient>> {
    let Some(what) = brakes.refusal(&found.address) else { return Ok(found) };
    let what = format!("`{}` gets no mail: {what}", found.address);
    let hint = "correct the address, or add its domain there".to_owned();
    Err(vec![WrongRecipient { column: "address", what, hint }])
}

fn too_many(source: &Arc<Source>, span: Range<usize>) -> ConfigError {
    let what = format!("more than {RECIPIENTS_MAX} recipients");
    ConfigError::new(what, source.place(span), "give the others a configuration of their own")
}

/// Reads a CSV file (RFC 4180, with a header) and appends its recipients.
pub(super) fn csv_recipients(
    text: &str,
    source: &Arc<Source>,
    (roles, brakes): (&Roles, &Brakes),
    found: &mut Vec<Recipient>,
    errors: &mut ConfigErrors,
) {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut columns: Option<Vec<usize>> = None;
    for record in reader.records() {
        // The text is UTF-8 and rows may differ in length: the reader has nothing else to refuse.
        let Ok(record) = record else { continue };
        let start = record.position().map_or(0, |position| usize::try_from(position.byte()).unwrap_or(0));
        let Some(columns) = &columns else {
            let header = Header { record: &record, fields: field_spans(text, start), source };
            match header.columns(errors) {
                Some(known) => columns = Some(known),
                None => return,
            }
            continue;
        };
        if found.len() == RECIPIENTS_MAX {
            errors.add(too_many(source, field_spans(text, start)[0].clone()));
            return;
        }
        if record.len() != columns.len() {
            let what = format!("the row has {} fields, the header {}", record.len(), columns.len());
            let hint = "quote a field that has a comma in it: `\"Doe, Jane\"`";
            errors.add(ConfigError::new(what, source.place(field_spans(text, start)[0].clone()), hint));
            continue;
        }
        match recipient(&row(&record, columns), roles).and_then(|found| allowed(found, brakes)) {
            Ok(recipient) => found.push(recipient),
            Err(wrong) => {
                let fields = field_spans(text, start);
                for wrong in wrong {
                    let column = COLUMNS.iter().position(|name| *name == wrong.column);
                    let field = columns.iter().position(|of| Some(*of) == column).unwrap_or(0);
                    let span = fields.get(field).cloned().unwrap_or(start..start);
                    errors.add(ConfigError::new(wrong.what, source.place(span), wrong.hint));
                }
            }
        }
    }
    if columns.is_none() {
        errors.add(ConfigError::new("the file is empty", source.place(0..0), columns_hint()));
    }
}

/// The row of a record, whose fields are the columns of these numbers in [`COLUMNS`].
fn row<'a>(record: &'a csv::StringRecord, columns: &[usize]) -> RecipientRow<'a> {
    let mut fields = [""; COLUMNS.len()];
    for (field, column) in record.iter().zip(columns) {
        fields[*column] = field.trim();
    }
    let [address, partner_id, role, name, locations, language] = fields;
    RecipientRow { address, name, partner_id, role, locations: RecipientRow::split_locations(locations), language }
}

struct Header<'a> {
    record: &'a csv::StringRecord,
    fields: Vec<Range<usize>>,
    source: &'a Arc<Source>,
}

impl Header<'_> {
    /// Which column each field is; none when the header cannot be used. Unknown columns are refused, since who
    /// misspells `locations` would unknowingly grant the whole partner.
    fn columns(&self, errors: &mut ConfigErrors) -> Option<Vec<usize>> {
        let mut columns = Vec::new();
        let mut wrong = false;
        for (name, span) in self.record.iter().zip(&self.fields) {
            let name = name.trim().to_lowercase();
            let place = self.source.place(span.clone());
            match COLUMNS.iter().position(|known| *known == name) {
                Some(column) if columns.contains(&column) => {
                    wrong = true;
                    errors.add(ConfigError::new(format!("column `{name}` stands twice"), place, "take one out"));
                }
                Some(column) => columns.push(column),
                None => {
                    wrong = true;
                    let hint = if self.record.len() == 1 && name.contains([';', '\t']) {
                        "separate the columns by commas".to_owned()
                    } else {
                        hint::for_unknown(&name, "columns", COLUMNS)
                    };
                    let name = crate::base::short_name(&crate::base::header_text(&name), 60);
                    errors.add(ConfigError::new(format!("unknown column `{name}`"), place, hint));
                }
            }
        }
        for (column, name) in COLUMNS.iter().enumerate().take(N_REQUIRED) {
            if !wrong && !columns.contains(&column) {
                let place = self.source.place(self.fields.first().cloned().unwrap_or(0..0));
                errors.add(ConfigError::new(format!("missing column `{name}`"), place, columns_hint()));
            }
        }
        (!wrong && (0..N_REQUIRED).all(|column| columns.contains(&column))).then_some(columns)
    }
}

fn columns_hint() -> String {
    let (required, others) = COLUMNS.split_at(N_REQUIRED);
    format!("the first line names the columns: `{}` and, if wanted, `{}`", required.join("`, `"), others.join("`, `"))
}

/// Where the fields of the record at `start` stand in the text; never empty.
fn field_spans(text: &str, start: usize) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = start.min(bytes.len());
    // The reader's position is before the line ends that it passed over.
    while matches!(bytes.get(at), Some(b'\r' | b'\n')) {
        at += 1;
    }
    let mut spans = Vec::new();
    let (mut from, mut quoted) = (at, false);
    loop {
        match bytes.get(at) {
            Some(b'"') => quoted = !quoted,
            Some(b',') if !quoted => {
                spans.push(from..at);
                from = at + 1;
            }
            Some(b'\r' | b'\n') if !quoted => break,
            None => break,
            Some(_) => {}
        }
        at += 1;
    }
    spans.push(from..at);
    spans
}
