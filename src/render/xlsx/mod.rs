//! The workbook: a sheet a section, native charts, real tables, no macros.
//!
//! Facts and traps of the format and of the crate that writes it are named where they matter; every cell goes
//! through `cell`.

mod block;
mod cell;
mod chart;
mod look;
mod names;
mod plan;
mod raw;
#[cfg(test)]
mod sample;
mod sheet;
mod table;
#[cfg(test)]
mod tests;
mod trend;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, XlsxError};

use super::{Format, Job, RenderError, Rendered, Renderer};
use crate::base::plain_text;
use crate::report::{Block, Head, RawColumn, Report, Section, SectionKind};

use look::Look;
use names::Names;
use plan::Plan;
use raw::{Bounds, Raw};
use sheet::{Shared, Sheet};
use trend::Lists;

/// How hard deflate tries. Measured on a report with 2,000 raw rows (instructions, bytes): level 6 286 million and
/// 163 KB, level 4 262 million and 165 KB, level 3 258 million and 185 KB.
const LEVEL: u8 = 4;

/// The same where raw rows are most of the file, and deflate most of the time.
const LEVEL_LARGE: u8 = 2;

/// The renderer of Excel workbooks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Xlsx;

impl Renderer for Xlsx {
    fn format(&self) -> Format {
        Format::Xlsx
    }

    fn render(&self, job: Job<'_>) -> Result<Rendered, RenderError> {
        Ok(Rendered { bytes: bounded(job, Bounds::EXCEL)?, n_replaced: 0 })
    }
}

/// The workbook, with raw rows within these bounds.
fn bounded(job: Job<'_>, bounds: Bounds) -> Result<Vec<u8>, RenderError> {
    let look = Look::new(job.theme);
    let head = &job.report.head;
    let mut workbook = Workbook::new();
    workbook.set_properties(&properties(head)?);
    let is_large = job.rows.is_some_and(|rows| rows.n_rows() > bounds.rows_in_memory_max);
    workbook.set_zip_compression_level(if is_large { LEVEL_LARGE } else { LEVEL });
    let mut shared = Shared { lists: Lists::new()?, names: Names::default() };
    let named = sheet_names(job.report, bounds);
    let links: Vec<String> = named.iter().filter_map(|names| names.first().cloned()).collect();
    for (section, names) in job.report.sections.iter().zip(&named) {
        if let Some(columns) = raw_columns(section) {
            let raw = Raw { section, head, look: &look, columns, names, links: &links, bounds };
            let Some(rows) = job.rows else {
                return Err(RenderError::Workbook("raw rows are to be shown, but none were given".to_owned()));
            };
            for sheet in raw.sheets(&mut workbook, &mut shared.names, rows)? {
                workbook.push_worksheet(sheet);
            }
        } else if let Some(name) = names.first() {
            let mut sheet = Sheet::new(name, Plan::of(section), &look)?;
            sheet.head(&links, &section.title, &section.lead, head)?;
            block::put_all(&mut sheet, &mut shared, &section.blocks)?;
            workbook.push_worksheet(sheet.finish(&section.title, head)?);
        }
    }
    if let Some(lists) = shared.lists.finish() {
        workbook.push_worksheet(lists);
    }
    Ok(workbook.save_to_buffer()?)
}

impl From<XlsxError> for RenderError {
    fn from(error: XlsxError) -> RenderError {
        RenderError::Workbook(error.to_string())
    }
}

/// The columns of the raw rows, if a section shows any.
fn raw_columns(section: &Section) -> Option<&[RawColumn]> {
    section
        .blocks
        .iter()
        .find_map(|block| if let Block::RawRows { columns, .. } = block { Some(columns.as_slice()) } else { None })
}

/// The names of each section's sheets: one, or as many as its raw rows take.
fn sheet_names(report: &Report, bounds: Bounds) -> Vec<Vec<String>> {
    let mut names = Names::default();
    names.words(trend::LISTS);
    let n_rows = report.n_rows().unwrap_or(0);
    report
        .sections
        .iter()
        .map(|section| {
            let n = if raw_columns(section).is_some() { bounds.n_sheets(n_rows) } else { 1 };
            (0..n).map(|_| names.words(people_call(section.kind))).collect()
        })
        .collect()
}

/// The name of a section's sheet; short, so that all tabs are seen at once.
fn people_call(kind: SectionKind) -> &'static str {
    match kind {
        SectionKind::Summary => "Summary",
        SectionKind::Geography => "Geography",
        SectionKind::LicenseAdds => "License adds",
        SectionKind::Distribution => "Distribution",
        SectionKind::RawData => "Raw data",
        SectionKind::About => "About",
    }
}

/// What a file manager and a search index show; the creation date is the data's, so that bytes repeat.
fn properties(head: &Head) -> Result<DocProperties, RenderError> {
    let created = ExcelDateTime::from_timestamp(head.data_at.timestamp())?;
    let text = |text: &str| cell::cut(&plain_text(text), 255);
    Ok(DocProperties::new()
        .set_title(text(&format!("{} · {} · {}", head.partner_name, head.title, head.period.long())))
        .set_subject(text(&format!("{} for {}, {}", head.title, head.role, head.scope)))
        .set_author(text(&head.contact))
        .set_keywords(text(&format!("Report ID {}", head.edition)))
        .set_comment(text(&format!("Revision {}, data of {}", head.revision, head.data_at.format("%-d %b %Y"))))
        .set_creation_datetime(&created)
        .set_custom_property("Report ID", head.edition.to_string().as_str())
        .set_custom_property("Revision", i32::try_from(head.revision).unwrap_or(i32::MAX)))
}
