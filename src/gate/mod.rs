//! Re-opens filed artifacts and says whether they may leave: are the figures of the KPIs, the partner and the period in
//! them as the report has them, and does nothing stand in them that is not for their audience.
//!
//! It reads the files as a stranger would and shares no code with what wrote them. Each part of a file is inflated once,
//! and looked through for every id and name of the run's [`Book`] at once. The rules:
//!
//! - **Whose.** An id or a name may stand where one of those who have it is the audience's partner: itself, a location
//!   in the grant's scope, or a customer there, if the role sees customers' names (their ids: if it sees the raw rows'
//!   column). All else in the book is strange: other partners', and the partner's own that the grant may not see. A name
//!   that several have is strange only to those who do not.
//! - **Whole.** In a cell, a chart's point, a run of a page or a field of a CSV file, a name of two letters or more is
//!   found when it is all that stands there. It passes when it is a label of ours as a whole: a heading, a country, a
//!   product or SKU of the partner's own rows.
//! - **Within.** A name of four letters or more is found within any text too, as whole words: in sentences, titles, alt
//!   texts, headers, footers, properties, attachments, mails. It passes when texts of ours say it ("Open"), and where it stands as a part of a longer text that may be there: the audience's own partner, location, customer or SKU.
//! - **Ids** of six signs or more are found anywhere as whole tokens, in either case; shorter ones as whole texts, if they
//!   have a letter. Digits alone are looked for where they are no figure: in workbooks' texts and within longer texts.
//! - **Columns** that the role may not see are found by their headings.
//!
//! Not found are names without a letter, a name that a page breaks within a word, and pictures of names.
//!
//! A finding says which partner's, what, and where. It never says a name: findings are stored and logged.

mod book;
mod cells;
mod found;
mod inflate;
mod letters;
mod own;
mod pdf;
mod search;
mod xlsx;
mod xml;

use crate::base::{Growth, Quantity, plain_text};
use crate::report::Report;

use search::{Looking, Unit};

pub use book::{BOOK_ENTRIES_MAX, Book, BookError, BookWriter};
pub use own::Own;
pub use search::{Eyes, Search};

/// Which kind of file is inspected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A PDF.
    Pdf,
    /// An Excel workbook.
    Xlsx,
}

/// Something in a file that is not as it must be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Which file: its kind, since its name says the partner's.
    pub file: String,
    /// What was expected and what was found, in words, never with anybody's name.
    pub what: String,
}

/// A file may not leave.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}", self.words())]
pub struct GateError {
    /// Everything that was found; never empty.
    pub findings: Vec<Finding>,
}

impl GateError {
    fn words(&self) -> String {
        let said = self.findings.iter().map(|finding| format!("{}: {}", finding.file, finding.what));
        said.collect::<Vec<_>>().join("; ")
    }
}

/// How many findings of a file are told; the others are counted.
const FINDINGS_MAX: usize = 10;

/// Reads an artifact back and compares it with its report.
///
/// Every KPI's figure and growth must stand beside its label, the partner's name and the period must be there, and
/// nothing that the search is for.
///
/// # Errors
/// With what is not so; also when the file cannot be opened at all.
pub fn inspect(report: &Report, kind: Kind, bytes: &[u8], search: &Search) -> Result<(), GateError> {
    let expected = Expected::of(report);
    let (file, whats) = match kind {
        Kind::Pdf => ("the PDF", pdf::inspect(&expected, bytes, search)),
        Kind::Xlsx => ("the workbook", xlsx::inspect(&expected, bytes, search)),
    };
    let whats =
        whats.unwrap_or_else(|broken| vec![format!("expected a file that opens, found one that does not: {broken}")]);
    told(file, whats)
}

/// Looks through the subject and the bodies of a mail.
///
/// # Errors
/// With what stands there and is not for its audience.
pub fn inspect_mail(subject: &str, text: &str, html: &str, search: &Search) -> Result<(), GateError> {
    let mut looking = Looking::new(search);
    looking.at(subject, Unit::Text, &|| "in the subject".to_owned());
    // Lines are wrapped by nobody: what a sentence says stands on one.
    looking.units(text.lines(), Unit::Text, &|n| format!("in line {} of its text", n + 1));
    let mut parts = xml::Parts::default();
    parts.keep(html.as_bytes(), 0);
    parts.look_through(&mut looking, &|_| "in its HTML".to_owned());
    told("the mail", looking.findings.into_iter().collect())
}

fn told(file: &str, mut whats: Vec<String>) -> Result<(), GateError> {
    if whats.is_empty() {
        return Ok(());
    }
    if let Some(n) = whats.len().checked_sub(FINDINGS_MAX).filter(|n| *n > 0) {
        whats.truncate(FINDINGS_MAX);
        whats.push(format!("and {n} findings more"));
    }
    let finding = |what| Finding { file: file.to_owned(), what };
    Err(GateError { findings: whats.into_iter().map(finding).collect() })
}

/// A text that was found where a figure should stand; one that is none may be a name, and is not repeated.
fn said(text: &str) -> String {
    let is_figure = |letter: char| letter.is_ascii_digit() || " .,%+-\u{2212}▲▼US$−".contains(letter);
    if text.chars().all(is_figure) || matches!(text, "n/a" | "new") { format!("`{text}`") } else { "a text".to_owned() }
}

/// What must stand in a file of a report.
#[derive(Clone, Debug)]
struct Expected {
    partner: String,
    period: String,
    kpis: Vec<ExpectedKpi>,
}

/// What must stand in a file about a KPI.
#[derive(Clone, Debug)]
struct ExpectedKpi {
    /// What findings call it: a label might be planted.
    key: String,
    label: String,
    current: Option<Quantity>,
    growth: Growth,
}

impl Expected {
    fn of(report: &Report) -> Expected {
        let kpi = |kpi: &crate::report::Kpi| ExpectedKpi {
            key: kpi.key.clone(),
            label: plain_text(&kpi.label),
            current: kpi.current,
            growth: kpi.growth,
        };
        Expected {
            partner: plain_text(&report.head.partner_name),
            period: report.head.period.long(),
            kpis: report.kpis().map(kpi).collect(),
        }
    }
}

impl ExpectedKpi {
    /// The figure as people read it.
    fn figure(&self) -> String {
        self.current.map_or("n/a".to_owned(), Quantity::grouped)
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod sample {
    //! The least report that the gate has something to say about.

    use super::*;
    use crate::base::{EditionId, Period, Range};
    use crate::report::{Block, Head, Kpi, Section, SectionKind};

    pub(super) fn quantity(text: &str) -> Quantity {
        text.parse().unwrap()
    }

    /// A search in the files of partner `1` by this name, for partners `p0`, `p1` … by the other names.
    pub(super) fn search(partner_name: &str, others: &[&str]) -> Search {
        let mut book = BookWriter::default();
        book.partner("1", Some(partner_name)).unwrap();
        for (n, name) in others.iter().enumerate() {
            book.partner(&format!("p{n}"), Some(name)).unwrap();
        }
        search_of(book, partner_name)
    }

    /// A search in the files of partner `1` by this name.
    pub(super) fn search_of(book: BookWriter, partner_name: &str) -> Search {
        let eyes = Eyes {
            partner_id: "1".to_owned(),
            scope: crate::audience::Scope::Organization,
            names: vec![partner_name.to_owned()],
            customer_names: true,
            customer_ids: true,
            without_columns: Vec::new(),
        };
        Search::new(&book.finish().unwrap(), eyes, Own::default())
    }

    pub(super) fn report(partner_name: &str) -> Report {
        let period: Period = "2026-10".parse().unwrap();
        let kpi = |label: &str, first: Option<&str>, last: Option<&str>| Kpi {
            key: label.to_lowercase(),
            label: label.to_owned(),
            note: "a note".to_owned(),
            current: last.map(quantity),
            growth: Growth::between(first.map(quantity), last.map(quantity)),
            growth_note: String::new(),
            trend: vec![first.map(quantity), last.map(quantity)],
            trend_current: Some(1),
            coverage: String::new(),
            alt: String::new(),
        };
        let kpis = vec![
            kpi("Licenses", Some("161203"), Some("173682")),
            kpi("Licenses deployed", Some("0"), Some("136134.5")),
            kpi("Active licenses", Some("118000"), None),
        ];
        Report {
            head: Head {
                edition: EditionId::of("monthly", period, "a", 1),
                revision: 1,
                title: "Product licenses".to_owned(),
                partner_id: "1".to_owned(),
                partner_name: partner_name.to_owned(),
                role: "Report viewer".to_owned(),
                scope: "Entire organization".to_owned(),
                language: "en".to_owned(),
                period,
                range: Range::ending_with(period, 12),
                compared: None,
                preliminary: None,
                correction: None,
                data_at: chrono::DateTime::from_timestamp(1_795_240_800, 0).unwrap(),
                contact: "Licensing desk".to_owned(),
                products: Vec::new(),
            },
            sections: vec![Section {
                kind: SectionKind::Summary,
                title: "Product licenses".to_owned(),
                lead: String::new(),
                blocks: vec![Block::Kpis(kpis)],
            }],
        }
    }
}
