//! The displayed figures as CSV (RFC 4180, in UTF-8 with its mark), attached to the document: one line a figure.
//!
//! `section,block,row,column,month,value`: `value` is the plain number, shares and growth as parts of 1, or what the
//! page says in place of one, as `n/a` and `new`. Micro charts show a course and no figures: those of the key figures
//! are here, those of tables are not.

use std::borrow::Cow;

use crate::base::{Month, Quantity, Ratio, plain_text};
use crate::report::{Block, Card, Chart, Columns, Donut, Figure, Kpi, Report, Series, Table, Value};

const HEAD: [&str; 6] = ["section", "block", "row", "column", "month", "value"];

/// U+FEFF in UTF-8: without it Excel takes a file that is opened by a double click for one of its code page, and
/// names beyond ASCII become others.
const MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// What stands for a figure that the data does not carry.
const ABSENT: &str = "n/a";
/// What begins a formula.
const FORMULA: [char; 4] = ['=', '+', '-', '@'];
/// Decimals of shares and growth.
const RATIO_DECIMALS: usize = 6;

/// Writes the figures of a report.
pub(super) fn write(report: &Report) -> Result<Vec<u8>, csv::Error> {
    let mut lines = Lines { writer: csv::Writer::from_writer(MARK.to_vec()), section: "", month: String::new() };
    lines.writer.write_record(HEAD)?;
    if let Some(compared) = report.head.compared {
        lines.month = compared.last.to_string();
    }
    for section in &report.sections {
        lines.section = &section.title;
        for block in &section.blocks {
            lines.block(block, "", report)?;
        }
    }
    lines.writer.into_inner().map_err(|error| error.into_error().into())
}

struct Lines<'r> {
    writer: csv::Writer<Vec<u8>>,
    section: &'r str,
    /// The month of figures that name none.
    month: String,
}

/// Where a figure stands in its section.
#[derive(Clone, Copy)]
struct At<'a> {
    block: &'a str,
    row: &'a str,
    column: &'a str,
}

impl<'r> Lines<'r> {
    fn block(&mut self, block: &'r Block, panel: &str, report: &Report) -> Result<(), csv::Error> {
        match block {
            Block::Kpis(kpis) => kpis.iter().try_for_each(|kpi| self.kpi(kpi, report)),
            Block::Cards(cards) => cards.iter().try_for_each(|card| self.card(card)),
            Block::Table(table) => self.table(table, panel),
            Block::Chart(Chart::Columns(chart)) => self.columns(chart, panel),
            Block::Chart(Chart::Donut(chart)) => self.donut(chart),
            // The table of countries/regions has what the map shows.
            Block::Chart(Chart::Map(_)) => Ok(()),
            Block::Panels { panels, .. } => panels.iter().try_for_each(|panel| {
                panel.blocks.iter().try_for_each(|block| self.block(block, &panel.title, report))
            }),
            Block::OnPaper(blocks) => blocks.iter().try_for_each(|block| self.block(block, panel, report)),
            Block::Reading { .. }
            | Block::Heading(_)
            | Block::Text(_)
            | Block::Definitions(_)
            | Block::Choice(_)
            | Block::RawRows { .. } => Ok(()),
        }
    }

    fn kpi(&mut self, kpi: &Kpi, report: &Report) -> Result<(), csv::Error> {
        let at = At { block: &kpi.label, row: "", column: "Current" };
        self.value(at, &Value::Quantity(kpi.current))?;
        self.value(At { column: "Growth", ..at }, &Value::Growth(kpi.growth))?;
        for (month, value) in report.head.range.months().zip(&kpi.trend) {
            self.of_month(At { column: "Course", ..at }, month, *value)?;
        }
        Ok(())
    }

    fn card(&mut self, card: &Card) -> Result<(), csv::Error> {
        let value = match card.figure {
            Figure::Ratio(ratio) => Value::Ratio(ratio),
            Figure::Quantity(quantity) => Value::Quantity(quantity),
            Figure::Usd(usd) => Value::Usd(usd),
        };
        self.value(At { block: &card.label, row: "", column: &card.note }, &value)
    }

    fn table(&mut self, table: &Table, panel: &str) -> Result<(), csv::Error> {
        let block = if table.caption.is_empty() { panel } else { &table.caption };
        for cells in table.rows.iter().chain(table.total.as_ref().map(|total| &total.cells)) {
            let name = cells.first().map(Value::text).unwrap_or_default();
            for (column, value) in table.columns.iter().zip(cells).skip(1) {
                self.value(At { block, row: &name, column: &column.label }, value)?;
            }
        }
        Ok(())
    }

    fn columns(&mut self, chart: &Columns, panel: &str) -> Result<(), csv::Error> {
        let block = if chart.title.is_empty() { panel } else { &chart.title };
        for (column, all) in [("above the axis", &chart.above), ("below the axis", &chart.below)] {
            for Series { name, values, .. } in all {
                for (month, value) in chart.months.iter().zip(values) {
                    self.of_month(At { block, row: name, column }, *month, *value)?;
                }
            }
        }
        Ok(())
    }

    fn donut(&mut self, chart: &Donut) -> Result<(), csv::Error> {
        for slice in &chart.slices {
            let at = At { block: &chart.title, row: &slice.name, column: &chart.centre_label };
            self.value(at, &Value::Quantity(Some(slice.value)))?;
            self.value(At { column: "Share", ..at }, &Value::Ratio(Ratio::new(slice.value, chart.centre)))?;
        }
        Ok(())
    }

    fn of_month(&mut self, at: At<'_>, month: Month, value: Option<Quantity>) -> Result<(), csv::Error> {
        self.line(at, &month.to_string(), &plain(value))
    }

    fn value(&mut self, at: At<'_>, value: &Value) -> Result<(), csv::Error> {
        let plain = match value {
            Value::Quantity(quantity) | Value::Usd(quantity) => plain(*quantity),
            Value::Ratio(ratio) => ratio.map_or(ABSENT.to_owned(), |ratio| decimal(ratio.to_f64())),
            Value::Growth(growth) => growth.to_f64().map_or_else(|| growth.text(), decimal),
            Value::Text(_) | Value::Name { .. } | Value::Month(_) => harmless(&value.text()).into_owned(),
            Value::Trend(_) => return Ok(()),
        };
        let month = self.month.clone();
        self.line(at, &month, &plain)
    }

    fn line(&mut self, at: At<'_>, month: &str, value: &str) -> Result<(), csv::Error> {
        let [section, block, row, column] = [self.section, at.block, at.row, at.column].map(harmless);
        self.writer.write_record([&*section, &*block, &*row, &*column, month, value])
    }
}

fn plain(value: Option<Quantity>) -> String {
    value.map_or(ABSENT.to_owned(), |value| value.to_string())
}

fn decimal(value: f64) -> String {
    let text = format!("{value:.RATIO_DECIMALS$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A name that a spreadsheet does not take for a formula: what could begin one follows an apostrophe.
fn harmless(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && !text.starts_with(FORMULA) {
        return text.into();
    }
    let text = plain_text(text);
    if text.starts_with(FORMULA) { format!("'{text}").into() } else { text.into() }
}
