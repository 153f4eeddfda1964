//! The sheets of raw rows: one table a sheet, as many sheets as the rows take. The rows themselves are put in later.

use rust_xlsxwriter::{Table, TableColumn, TableStyle, Worksheet};

use crate::base::Quantity;
use crate::render::RenderError;
use crate::report::{Cell, Head, RawColumn, RawKind, Rows, RowsError, Section};

use super::cell::{alt_text, put_text};
use super::look::{Look, Place};
use super::names::{Names, headings};
use super::package::{N_DECIMALS, RawSheet};
use super::plan::{FIRST, chars};
use super::sheet::{links, print_frame, subtitle};

/// Excel's rows a sheet.
const SHEET_ROWS_MAX: u64 = 1_048_576;

/// The row of the headings, below links, title, subtitle and lead.
const HEADER: u32 = 5;

/// How many rows a sheet takes below its headings.
const ROWS_A_SHEET_MAX: u64 = SHEET_ROWS_MAX - HEADER as u64 - 1;

/// More rows than these are streamed into the file instead of held in memory.
const ROWS_IN_MEMORY_MAX: u64 = 50_000;

/// As many rows decide how wide the columns are.
const ROWS_LOOKED_AT: u64 = 200;
const CHARS_MAX: u16 = 42;
const CHARS_MIN: u16 = 9;

/// How many rows stand on one sheet, and how many are kept in memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) rows_a_sheet_max: u64,
    pub(super) rows_in_memory_max: u64,
}

impl Bounds {
    /// Those of Excel and of this program.
    pub(super) const EXCEL: Bounds =
        Bounds { rows_a_sheet_max: ROWS_A_SHEET_MAX, rows_in_memory_max: ROWS_IN_MEMORY_MAX };

    /// How many sheets so many rows take; one even when there are none.
    pub(super) fn n_sheets(self, n_rows: u64) -> usize {
        usize::try_from(n_rows.div_ceil(self.rows_a_sheet_max).max(1)).unwrap_or(usize::MAX)
    }
}

/// What the sheets of raw rows have in common.
pub(super) struct Raw<'a> {
    pub(super) section: &'a Section,
    pub(super) head: &'a Head,
    pub(super) look: &'a Look,
    pub(super) columns: &'a [RawColumn],
    /// The names of the sheets for the rows, one each.
    pub(super) names: &'a [String],
    /// The names of all sheets, to link to.
    pub(super) links: &'a [String],
    pub(super) bounds: Bounds,
}

impl Raw<'_> {
    /// As many sheets as there are names for, without their rows: these are written into the file that the crate makes.
    pub(super) fn sheets(
        &self,
        tables: &mut Names,
        rows: &dyn Rows,
    ) -> Result<Vec<(Worksheet, RawSheet)>, RenderError> {
        let headings = headings(self.columns.iter().map(|column| column.label.as_str()));
        let widths = widths(&headings, rows)?;
        (0..self.names.len()).map(|n| self.sheet(tables, n, rows.n_rows(), (&headings, &widths))).collect()
    }

    /// A sheet with everything around its rows.
    fn sheet(
        &self,
        tables: &mut Names,
        n: usize,
        n_rows: u64,
        (headings, widths): (&[String], &[u16]),
    ) -> Result<(Worksheet, RawSheet), RenderError> {
        let (mut sheet, look, name) = (Worksheet::new(), self.look, &self.names[n]);
        sheet.set_name(name)?;
        sheet.set_screen_gridlines(false);
        sheet.set_column_width(0, 2)?;
        sheet.set_freeze_panes(HEADER + 1, FIRST + 1)?;
        for (column, width) in (FIRST..).zip(widths) {
            sheet.set_column_width(column, f64::from(*width))?;
        }
        links(&mut sheet, self.links, name, look)?;
        sheet.set_row_height(1, 34)?;
        put_text(&mut sheet, (1, FIRST), &self.section.title, &look.title())?;
        put_text(&mut sheet, (2, FIRST), &subtitle(self.head), &look.subtitle())?;
        put_text(&mut sheet, (3, FIRST), &self.section.lead, &look.note())?;
        let first = n as u64 * self.bounds.rows_a_sheet_max;
        let here = (n_rows - first.min(n_rows)).min(self.bounds.rows_a_sheet_max);
        put_text(&mut sheet, (4, FIRST), &spoken(first, here, n_rows), &look.note())?;
        let mut raw = RawSheet {
            table: String::new(),
            header: HEADER,
            n_rows: if headings.is_empty() { 0 } else { u32::try_from(here).unwrap_or(0) },
            kinds: self.columns.iter().map(|column| column.kind).collect(),
        };
        if raw.n_rows > 0 {
            raw.table = tables.table("raw_data");
            self.lay_out(&mut sheet, &raw.table, headings)?;
        }
        for (column, (heading, raw)) in (FIRST..).zip(headings.iter().zip(self.columns)) {
            let is_right = matches!(raw.kind, RawKind::Quantity | RawKind::Usd);
            put_text(&mut sheet, (HEADER, column), heading, &look.header(is_right, here > 0))?;
        }
        sheet.set_row_height(HEADER, 30)?;
        sheet.set_landscape();
        sheet.set_repeat_rows(HEADER, HEADER)?;
        print_frame(&mut sheet, &self.section.title, self.head, look);
        Ok((sheet, raw))
    }

    /// The table over one row, and in that row a cell for each style that rows need: each column's, then those of
    /// quantities with decimals, then that of what is absent.
    fn lay_out(&self, sheet: &mut Worksheet, table: &str, headings: &[String]) -> Result<(), RenderError> {
        let look = self.look;
        let columns: Vec<TableColumn> = headings.iter().map(|heading| TableColumn::new().set_header(heading)).collect();
        let excel = Table::new()
            .set_name(table)
            .set_columns(&columns)
            .set_style(TableStyle::None)
            .set_alt_text(alt_text(&self.section.title));
        let right = FIRST + u16::try_from(headings.len()).unwrap_or(u16::MAX / 4) - 1;
        sheet.add_table(HEADER, FIRST, HEADER + 1, right, &excel)?;
        let own = self.columns.iter().map(|column| match column.kind {
            RawKind::Text => look.text(Place::Raw),
            RawKind::Month => look.month(Place::Raw),
            RawKind::Quantity => look.quantity(Place::Raw, 0),
            RawKind::Usd => look.usd(Place::Raw),
        });
        let decimals = (1..=N_DECIMALS).map(|n| look.quantity(Place::Raw, n));
        for (column, format) in (FIRST..).zip(own.chain(decimals).chain([look.absent(Place::Raw)])) {
            sheet.write_blank(HEADER + 1, column, &format)?;
        }
        Ok(())
    }
}

/// How wide columns are by their headings and the first rows.
fn widths(headings: &[String], rows: &dyn Rows) -> Result<Vec<u16>, RenderError> {
    let mut widths: Vec<u16> = headings.iter().map(|heading| (chars(heading) / 2 + 5).max(CHARS_MIN)).collect();
    let mut n = 0;
    let looked = rows.replay(&mut |cells| {
        if n == ROWS_LOOKED_AT {
            return Err(RowsError("enough was seen".to_owned()));
        }
        n += 1;
        for (width, cell) in widths.iter_mut().zip(cells) {
            let chars = match cell {
                Cell::Absent => 4,
                Cell::Text(text) => chars(text),
                Cell::Month(_) => 8,
                Cell::Quantity(quantity) => chars(&quantity.grouped()),
            };
            *width = (*width).max(chars.saturating_add(2).min(CHARS_MAX));
        }
        Ok(())
    });
    match looked {
        Err(error) if n < ROWS_LOOKED_AT => Err(error.into()),
        _ => Ok(widths),
    }
}

/// Which rows stand on a sheet, in words.
fn spoken(first: u64, here: u64, n_rows: u64) -> String {
    let count = |n: u64| Quantity::whole(i64::try_from(n).unwrap_or(i64::MAX)).grouped();
    match here {
        0 => "No rows".to_owned(),
        1 if n_rows == 1 => "1 row".to_owned(),
        _ if here == n_rows => format!("{} rows", count(n_rows)),
        _ => {
            format!("Rows {} to {} of {}; a sheet holds no more", count(first + 1), count(first + here), count(n_rows))
        }
    }
}
