//! What the gate is told of a run, and what it is asked of a pack that was read back from the archive.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::archive::Pack;
use crate::audience::{Partner, Role, Withheld};
use crate::base::Market;
use crate::facts::{Coverage, DataSet, DirectoryEntry, Fact};
use crate::gate::{self, Book, BookError, BookWriter, Eyes, Own, Search};
use crate::render::Format;
use crate::sections::{self, RawField};

use super::make::{Edition, Of};
use super::order::{Order, Press};
use super::run::RunError;

/// Headings of billed revenue besides those of raw rows.
const REVENUE_HEADINGS: [&str; 1] = ["Revenue (USD)"];

/// Reads every id and name of a data set.
pub(super) async fn book(press: &Press, data: &DataSet) -> Result<Book, RunError> {
    let mut writer = BookWriter::default();
    let mut entries = press.facts.directory(data.clone());
    while let Some(batch) = entries.recv().await {
        for entry in &batch? {
            note(&mut writer, entry)?;
        }
    }
    // Thousands of names take a tenth of a second of a processor to be made ready.
    let book = tokio::task::spawn_blocking(move || writer.finish()).await;
    let book = book.map_err(|error| BookError::Unsearchable(error.to_string()))??;
    tracing::debug!(
        book.n_entries = book.n_entries(),
        book.n_left_out = book.n_left_out(),
        book.n_bytes = book.n_bytes(),
        "the gate knows the ids and names of the data"
    );
    Ok(book)
}

fn note(writer: &mut BookWriter, entry: &DirectoryEntry) -> Result<(), BookError> {
    let location = entry.location_id.as_deref();
    writer.partner(&entry.partner_id, entry.partner_name.as_deref())?;
    if let Some(id) = location {
        writer.location(&entry.partner_id, id, entry.location_name.as_deref())?;
    }
    if entry.customer_id.is_some() || entry.customer_name.is_some() {
        let (id, name) = (entry.customer_id.as_deref(), entry.customer_name.as_deref());
        writer.customer(&entry.partner_id, location, id, name)?;
    }
    Ok(())
}

/// What may stand in every file of an order: the words of its template, its roles, its mails and its fonts.
pub(super) fn own(order: &Order) -> Own {
    let mut phrases: Vec<String> = vec![order.contact.clone(), order.from.name.clone(), order.from.address.clone()];
    phrases.extend([&order.mail.subject, &order.mail.text, &order.mail.html].into_iter().cloned());
    let themes = std::iter::once(&order.themes.default).chain(order.themes.by_partner.values().map(|theme| &**theme));
    let fonts = themes.map(|theme| serde_json::to_value(&theme.fonts));
    let values = [serde_json::to_value(&order.template), serde_json::to_value(&order.roles)].into_iter().chain(fonts);
    values.flatten().for_each(|value| texts_of(value, &mut phrases));
    Own::of_run(phrases.iter().map(String::as_str))
}

fn texts_of(value: serde_json::Value, texts: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => texts.push(text),
        serde_json::Value::Array(items) => items.into_iter().for_each(|item| texts_of(item, texts)),
        serde_json::Value::Object(items) => items.into_iter().for_each(|(_, item)| texts_of(item, texts)),
        _ => {}
    }
}

/// What a partner's rows say of anything but locations and customers. Texts are shared among rows, and each is kept
/// once, by where it is.
#[derive(Default)]
pub(super) struct OwnTexts {
    texts: HashMap<usize, Arc<str>>,
    markets: BTreeSet<Market>,
}

impl OwnTexts {
    /// Keeps the texts of these rows.
    pub(super) fn read(&mut self, batch: &[Fact]) {
        for fact in batch {
            self.markets.insert(fact.customer_market);
            let texts = [&fact.sku, &fact.sales_channel, &fact.attach_type, &fact.segment];
            for text in texts.into_iter().flatten().chain([&fact.product]) {
                // It stays where it is for as long as it is kept here.
                self.texts.entry(text.as_ptr().addr()).or_insert_with(|| Arc::clone(text));
            }
        }
    }

    /// What may stand in the partner's files.
    pub(super) fn of(&self, run: &Own, coverage: &Coverage) -> Own {
        let sources = coverage.exports.iter().map(|export| export.source.as_str());
        let left_out = coverage.left_out.iter().map(String::as_str);
        let markets = self.markets.iter().map(|market| market.name());
        run.with(self.texts.values().map(|text| &**text).chain(sources).chain(left_out).chain(markets))
    }
}

/// What must not stand in the files of an edition.
pub(super) fn search(order: &Order, of: &Of, partner: &Partner, role: &Role, edition: &Edition) -> Search {
    let scope = &edition.audience.scope;
    let locations = partner.locations.iter().filter(|(id, _)| scope.covers(Some(id))).map(|(_, name)| name.clone());
    let is_withheld = |field: &RawField| field.needs().is_some_and(|what| !role.may_see(what));
    // A heading of one word, such as that of customers' names, stands elsewhere too.
    let headings =
        RawField::ALL.into_iter().filter(is_withheld).flat_map(|field| [field.column().label, field.key().to_owned()]);
    let revenue = REVENUE_HEADINGS.into_iter().filter(|_| !role.may_see(Withheld::Revenue)).map(str::to_owned);
    let eyes = Eyes {
        partner_id: partner.id.clone(),
        scope: scope.clone(),
        names: std::iter::once(partner.name.clone()).chain(locations).collect(),
        customer_names: role.may_see(Withheld::CustomerNames),
        customer_ids: sections::shows_rows(&order.template, role)
            && order.template.raw_columns.contains(&RawField::CustomerId),
        without_columns: headings.filter(|heading| heading.contains([' ', '_'])).chain(revenue).collect(),
    };
    Search::new(&of.book, eyes, of.own.clone())
}

/// Reads what leaves of an archived pack: its artifacts and its mail.
///
/// # Errors
/// With everything that the gate finds, in words that name nobody.
pub(super) fn inspect(pack: &Pack, search: &Search) -> Result<(), String> {
    let report = pack.report().ok_or("`report.json` is not readable")?;
    let mut findings = Vec::new();
    for file in &pack.files {
        let Some(format) = Format::ALL.into_iter().find(|format| format.media_type() == file.media_type) else {
            continue;
        };
        let kind = match format {
            Format::Pdf => gate::Kind::Pdf,
            Format::Xlsx => gate::Kind::Xlsx,
        };
        findings.extend(gate::inspect(&report, kind, &file.bytes, search).err().map(|error| error.to_string()));
    }
    let mail = pack.mail().ok_or("the mail is not readable")?;
    let of_mail = gate::inspect_mail(&mail.subject, &mail.text, &mail.html, search);
    findings.extend(of_mail.err().map(|error| error.to_string()));
    if findings.is_empty() { Ok(()) } else { Err(findings.join("; ")) }
}
