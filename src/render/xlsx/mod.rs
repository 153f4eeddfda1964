//! The workbook: a sheet a section, native charts, real tables, no macros.
//!
//! Facts and traps of the format and of the crate that writes it are named where they matter; every cell goes
//! through `cell`.

mod block;
mod cell;
mod chart;
mod choice;
mod lists;
mod look;
mod names;
mod package;
mod plan;
mod raw;
#[cfg(test)]
mod sample;
mod sheet;
mod table;
#[cfg(test)]
mod tests;
mod ties;
mod trend;

use std::io::{Cursor, Seek, Write};

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, Worksheet, XlsxError};

use super::{Format, Job, RenderError, Rendered, Renderer};
use crate::base::plain_text;
use crate::report::{Block, Head, RawColumn, Report, Section, SectionKind};

use lists::Lists;
use look::Look;
use names::Names;
use package::{Additions, Points, RawSheet};
use plan::Plan;
use raw::{Bounds, Raw};
use sheet::{Shared, Sheet};
use ties::Ties;

/// The renderer of Excel workbooks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Xlsx;

impl Xlsx {
    /// Writes the workbook into a file or into memory; many raw rows go through without being held.
    ///
    /// # Errors
    /// As [`Renderer::render`], and when it cannot be written.
    pub fn write<W: Write + Seek>(self, job: Job<'_>, out: W) -> Result<W, RenderError> {
        bounded(job, Bounds::EXCEL, out)
    }
}

impl Renderer for Xlsx {
    fn format(&self) -> Format {
        Format::Xlsx
    }

    fn render(&self, job: Job<'_>) -> Result<Rendered, RenderError> {
        let bytes = self.write(job, Cursor::new(Vec::new()))?.into_inner();
        Ok(Rendered { bytes, n_replaced: 0 })
    }
}

/// The workbook, with raw rows within these bounds.
fn bounded<W: Write + Seek>(job: Job<'_>, bounds: Bounds, out: W) -> Result<W, RenderError> {
    let look = Look::new(job.theme);
    let named = sheet_names(job.report, bounds);
    let mut shared =
        Shared { lists: Lists::new()?, names: Names::default(), points: Points::default(), ties: Ties::default() };
    let sheets = sheets(job, bounds, &look, &named, &mut shared)?;
    let mut workbook = Workbook::new();
    workbook.set_properties(&properties(&job.report.head)?);
    workbook.set_zip_compression_level(package::LEVEL_OF_CRATE);
    let mut raw = Vec::new();
    for (number, (sheet, rows)) in (1..).zip(sheets) {
        workbook.push_worksheet(sheet);
        raw.extend(rows.map(|rows| (number, rows)));
    }
    shared.lists.finish(&mut workbook)?;
    let is_streamed = job.rows.is_some_and(|rows| rows.n_rows() > bounds.rows_in_memory_max);
    let additions = Additions { points: shared.points, raw, rows: job.rows, is_streamed };
    package::write(&workbook.save_to_buffer()?, &additions, out)
}

/// Every section's sheets in the report's order, those of raw rows without them.
fn sheets(
    job: Job<'_>,
    bounds: Bounds,
    look: &Look,
    named: &[Vec<String>],
    shared: &mut Shared,
) -> Result<Vec<(Worksheet, Option<RawSheet>)>, RenderError> {
    let Job { report, rows, .. } = job;
    let head = &report.head;
    let links: Vec<String> = named.iter().filter_map(|names| names.first().cloned()).collect();
    let mut sheets: Vec<Vec<(Worksheet, Option<RawSheet>)>> = named.iter().map(|_| Vec::new()).collect();
    // What is said about the file comes last, since it counts up the totals of all other sheets.
    let is_about = |n: &usize| report.sections[*n].kind == SectionKind::About;
    let (about, others): (Vec<usize>, Vec<usize>) = (0..named.len()).partition(is_about);
    for n in others.into_iter().chain(about) {
        let (section, names) = (&report.sections[n], &named[n]);
        if let Some(columns) = raw_columns(section) {
            let raw = Raw { section, head, look, columns, names, links: &links, bounds };
            let Some(rows) = rows else {
                return Err(RenderError::Workbook("raw rows are to be shown, but none were given".to_owned()));
            };
            let made = raw.sheets(&mut shared.names, rows)?;
            sheets[n] = made.into_iter().map(|(sheet, raw)| (sheet, Some(raw))).collect();
        } else if let Some(name) = names.first() {
            let mut sheet = Sheet::new(name, Plan::of(section), look)?;
            sheet.head(&links, &section.title, &section.lead, head)?;
            block::put_all(&mut sheet, shared, &section.blocks)?;
            if is_about(&n) {
                ties::put(&mut sheet, shared)?;
            }
            sheets[n].push((sheet.finish(&section.title, head)?, None));
        }
    }
    Ok(sheets.into_iter().flatten().collect())
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
    names.words(lists::LISTS);
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
