//! Whether the sheets' totals tie with the data set's: each sum is computed anew from its sheet, beside the total of
//! the data, in which every license counts once.

use crate::base::Quantity;
use crate::render::RenderError;
use crate::report::{Block, ColumnKind, Kpi, Table, Total, Value};

use super::cell::{Cached, n_decimals, put_formula, put_quantity, put_text};
use super::look::Place;
use super::names::headings;
use super::plan::{FIRST, chars};
use super::sheet::{ROW_POINTS, Shared, Sheet};
use super::table::{reference, sum};

/// Half of the smallest part of a license that there is: sums of floating-point numbers are off by less.
const TOLERANCE: &str = "0.0000005";

/// Where the sum, the data's total and the verdict stand.
const ON_SHEET: u16 = FIRST + 4;
const IN_DATA: u16 = FIRST + 5;
const VERDICT: u16 = FIRST + 6;

/// The totals of the tables written so far.
#[derive(Debug, Default)]
pub(super) struct Ties(Vec<Tie>);

/// A total on a sheet.
#[derive(Debug)]
struct Tie {
    sheet: String,
    /// The table and its column, in words.
    of: String,
    /// The column in a formula; none where parts overlap and do not sum to the total.
    column: Option<String>,
    total: Quantity,
}

impl Ties {
    /// Keeps the totals of a table.
    pub(super) fn take(&mut self, sheet: &str, name: &str, table: &Table, total: &Total) {
        let headings = headings(table.columns.iter().map(|column| column.label.as_str()));
        let first = headings.first().cloned().unwrap_or_default();
        for ((n, heading), column) in headings.iter().enumerate().zip(&table.columns) {
            let counts = matches!(column.kind, ColumnKind::Quantity | ColumnKind::QuantityBar | ColumnKind::Usd);
            let Some(Value::Quantity(Some(stated)) | Value::Usd(Some(stated))) = total.cells.get(n) else { continue };
            if counts {
                let column = sum(table, total, n).map(|_| reference(name, heading));
                let of = format!("{heading} by {}", first.to_lowercase().replace("sku", "SKU"));
                self.0.push(Tie { sheet: sheet.to_owned(), of, column, total: *stated });
            }
        }
    }
}

/// What a key figure is the sum of: the column that is called as it is, in a table of the same section.
pub(super) fn kpi_formula(shared: &mut Shared, blocks: &[Block], kpi: &Kpi) -> Option<String> {
    let tables = blocks.iter().filter_map(|block| if let Block::Table(table) = block { Some(table) } else { None });
    let mut found = tables.filter_map(|table| {
        let n = table.columns.iter().position(|column| column.label.to_lowercase() == kpi.key)?;
        let stated = sum(table, table.total.as_ref()?, n)?;
        (Some(stated) == kpi.current).then_some((table, n))
    });
    let (table, n) = found.next()?;
    let headings = headings(table.columns.iter().map(|column| column.label.as_str()));
    Some(format!("SUM({})", reference(&shared.names.promise(&table.key), headings.get(n)?)))
}

/// Writes the comparison, with one line that says how it came out.
pub(super) fn put(sheet: &mut Sheet<'_>, shared: &Shared) -> Result<(), RenderError> {
    let ties = &shared.ties.0;
    let n_sums = ties.iter().filter(|tie| tie.column.is_some()).count();
    if n_sums == 0 {
        return Ok(());
    }
    let look = sheet.look;
    sheet.keep_together(ties.len() as u32 + 4);
    sheet.line("Do the sheets tie with the data?", &look.heading(), 26.0)?;
    let (said, header) = (sheet.row, sheet.row + 1);
    let verdicts = format!("{}:{}", verdict(header + 1), verdict(header + ties.len() as u32));
    let (good, bad) = ("ok: the sheets' totals tie with the data set's", "differs: see below which total does not tie");
    let formula = format!("IF(COUNTIF({verdicts},\"differs\")=0,\"{good}\",\"{bad}\")");
    sheet.paragraph(FIRST, good, &look.bold_paragraph(), 11.0)?;
    put_formula(&mut sheet.sheet, (said, FIRST), &formula, Cached::Text(good), &look.bold_paragraph())?;
    for (column, heading) in (FIRST..).zip(["Sheet", "Total", "", "", "On the sheet", "In the data", "Ties"]) {
        let is_right = [ON_SHEET, IN_DATA].contains(&column);
        put_text(&mut sheet.sheet, (header, column), heading, &look.header(is_right, false))?;
    }
    sheet.row = header + 1;
    // The headings of another table would stand above these figures on the next page.
    sheet.repeat = None;
    let widest = ties.iter().map(|tie| chars(&tie.total.grouped()) + 3).max().unwrap_or(0);
    for column in [ON_SHEET, IN_DATA] {
        sheet.sheet.set_column_width(column, f64::from(widest.max(sheet.plan.width(column))))?;
    }
    ties.iter().try_for_each(|tie| put_tie(sheet, tie))?;
    sheet.gap(12.0)
}

fn put_tie(sheet: &mut Sheet<'_>, tie: &Tie) -> Result<(), RenderError> {
    let (look, row) = (sheet.look, sheet.row);
    let (words, quantity) = (look.text(Place::Row), look.quantity(Place::Row, n_decimals(tie.total)));
    sheet.sheet.set_row_height(row, ROW_POINTS)?;
    put_text(&mut sheet.sheet, (row, FIRST), &tie.sheet, &words)?;
    put_text(&mut sheet.sheet, (row, FIRST + 1), &tie.of, &words)?;
    // The words run over the empty cells at their right.
    for column in FIRST + 2..ON_SHEET {
        sheet.sheet.write_blank(row, column, &words)?;
    }
    put_quantity(&mut sheet.sheet, (row, IN_DATA), tie.total, &quantity)?;
    let (at, verdict) = ((row, VERDICT), words.clone().set_indent(1));
    match &tie.column {
        Some(column) => {
            let on_sheet = Cached::Quantity(tie.total);
            put_formula(&mut sheet.sheet, (row, ON_SHEET), &format!("SUM({column})"), on_sheet, &quantity)?;
            let (left, right) = (cell(row, ON_SHEET), cell(row, IN_DATA));
            let formula = format!("IF(ABS({left}-{right})<{TOLERANCE},\"ok\",\"differs\")");
            put_formula(&mut sheet.sheet, at, &formula, Cached::Text("ok"), &verdict)?;
        }
        None => {
            put_text(&mut sheet.sheet, (row, ON_SHEET), "parts overlap", &look.absent(Place::Row))?;
            put_text(&mut sheet.sheet, at, "counted once", &verdict)?;
        }
    }
    sheet.row += 1;
    Ok(())
}

fn verdict(row: u32) -> String {
    cell(row, VERDICT)
}

fn cell(row: u32, column: u16) -> String {
    rust_xlsxwriter::utility::row_col_to_cell(row, column)
}
