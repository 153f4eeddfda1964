//! Re-opens rendered files and says whether they may leave: are the figures of the KPIs, the partner and the
//! period in them as the report has them, and nothing of another partner.
//!
//! It reads the files as a stranger would and shares no code with what wrote them.

mod others;
mod pdf;
mod xlsx;

use crate::base::{Growth, Quantity, plain_text};
use crate::report::Report;

pub use others::Others;

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
    /// The file's name.
    pub file_name: String,
    /// What was expected and what was found, in words.
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
        let said = self.findings.iter().map(|finding| format!("`{}`: {}", finding.file_name, finding.what));
        said.collect::<Vec<_>>().join("; ")
    }
}

/// Reads a rendered file back and compares it with its report.
///
/// Every KPI's figure and growth must stand beside its label, the partner's name and the period must be there,
/// and none of the `others`.
///
/// # Errors
/// With everything that is not so; also when the file cannot be opened at all.
pub fn inspect(report: &Report, kind: Kind, file_name: &str, bytes: &[u8], others: &Others) -> Result<(), GateError> {
    let expected = Expected::of(report);
    let whats = match kind {
        Kind::Pdf => pdf::inspect(&expected, bytes, others),
        Kind::Xlsx => xlsx::inspect(&expected, bytes, others),
    };
    let whats =
        whats.unwrap_or_else(|broken| vec![format!("expected a file that opens, found one that does not: {broken}")]);
    if whats.is_empty() {
        return Ok(());
    }
    let finding = |what| Finding { file_name: file_name.to_owned(), what };
    Err(GateError { findings: whats.into_iter().map(finding).collect() })
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
    label: String,
    current: Option<Quantity>,
    growth: Growth,
}

impl Expected {
    fn of(report: &Report) -> Expected {
        let kpi = |kpi: &crate::report::Kpi| ExpectedKpi {
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
mod sample {
    //! The least report that the gate has something to say about.

    use super::*;
    use crate::base::{EditionId, Period, Range};
    use crate::report::{Block, Head, Kpi, Section, SectionKind};

    pub(super) fn quantity(text: &str) -> Quantity {
        text.parse().unwrap()
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
