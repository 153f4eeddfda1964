//! The raw rows: one table a sheet, from a stream, as many sheets as it takes.

use rust_xlsxwriter::{Format, Table, TableColumn, TableStyle, Workbook, Worksheet};

use crate::base::Quantity;
use crate::render::RenderError;
use crate::report::{Cell, Head, RawColumn, RawKind, Rows, RowsError, Section};

use super::cell::{ABSENT, alt_text, n_decimals, put_month, put_quantity, put_text};
use super::look::{Look, Place};
use super::names::{Names, headings};
use super::plan::{FIRST, chars};
use super::sheet::{links, print_frame, subtitle};

/// Excel's rows a sheet.
const SHEET_ROWS_MAX: u64 = 1_048_576;

/// The row of the headings, below links, title, subtitle and lead.
const HEADER: u32 = 5;

/// How many rows a sheet takes below its headings.
const ROWS_A_SHEET_MAX: u64 = SHEET_ROWS_MAX - HEADER as u64 - 1;

/// From so many rows on, sheets go through a temporary file instead of memory.
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
    /// Writes the rows into as many sheets as there are names for.
    pub(super) fn sheets(
        &self,
        workbook: &mut Workbook,
        tables: &mut Names,
        rows: &dyn Rows,
    ) -> Result<Vec<Worksheet>, RenderError> {
        let n_rows = rows.n_rows();
        let formats = Formats::new(self.look, self.columns);
        let mut done: Vec<Worksheet> = Vec::new();
        let mut open = self.open(workbook, tables, 0, n_rows)?;
        let mut failed: Option<RenderError> = None;
        let (mut n, mut at) = (0_u64, HEADER);
        let replayed = rows.replay(&mut |cells| {
            let step = (|| {
                if u64::from(at - HEADER) == self.bounds.rows_a_sheet_max {
                    let next = self.open(workbook, tables, done.len() + 1, n_rows)?;
                    done.push(std::mem::replace(&mut open, next).close(self)?);
                    at = HEADER;
                }
                (n, at) = (n + 1, at + 1);
                open.row(cells, at, &formats)
            })();
            step.map_err(|error| {
                let broken = RowsError(error.to_string());
                failed = Some(error);
                broken
            })
        });
        match (failed, replayed) {
            (Some(error), _) => return Err(error),
            (None, Err(error)) => return Err(error.into()),
            (None, Ok(())) if n != n_rows => {
                return Err(RowsError(format!("`{n_rows}` were promised, `{n}` came")).into());
            }
            (None, Ok(())) => {}
        }
        done.push(open.close(self)?);
        Ok(done)
    }

    /// A sheet with everything above its rows, and its table laid out.
    fn open(&self, workbook: &mut Workbook, tables: &mut Names, n: usize, n_rows: u64) -> Result<Open, RenderError> {
        let in_place = n_rows > self.bounds.rows_in_memory_max;
        let mut sheet = if in_place { workbook.new_worksheet_with_constant_memory()? } else { Worksheet::new() };
        let name = self.names.get(n).ok_or_else(|| RowsError("more came than were promised".to_owned()))?;
        sheet.set_name(name)?;
        sheet.set_screen_gridlines(false);
        sheet.set_column_width(0, 2)?;
        sheet.set_freeze_panes(HEADER + 1, FIRST + 1)?;
        let look = self.look;
        for (column, raw) in (FIRST..).zip(self.columns) {
            // A cell without a format takes its column's, which is far cheaper than one a cell.
            let format = match raw.kind {
                RawKind::Text => look.text(Place::Raw),
                RawKind::Month => look.month(Place::Raw),
                RawKind::Quantity => look.quantity(Place::Raw, 0),
                RawKind::Usd => look.usd(Place::Raw),
            };
            sheet.set_column_format(column, &format)?;
        }
        links(&mut sheet, self.links, name, look)?;
        sheet.set_row_height(1, 34)?;
        put_text(&mut sheet, (1, FIRST), &self.section.title, &look.title(), in_place)?;
        put_text(&mut sheet, (2, FIRST), &subtitle(self.head), &look.subtitle(), in_place)?;
        put_text(&mut sheet, (3, FIRST), &self.section.lead, &look.note(), in_place)?;
        let first = n as u64 * self.bounds.rows_a_sheet_max;
        let here = (n_rows - first.min(n_rows)).min(self.bounds.rows_a_sheet_max);
        put_text(&mut sheet, (4, FIRST), &spoken(first, here, n_rows), &look.note(), in_place)?;
        let headings = headings(self.columns.iter().map(|column| column.label.as_str()));
        if here > 0 && !headings.is_empty() {
            let columns: Vec<TableColumn> =
                headings.iter().map(|heading| TableColumn::new().set_header(heading)).collect();
            let table = Table::new()
                .set_name(tables.table("raw_data"))
                .set_columns(&columns)
                .set_style(TableStyle::None)
                .set_alt_text(alt_text(&self.section.title));
            let last = HEADER + u32::try_from(here).unwrap_or(0);
            sheet.add_table(HEADER, FIRST, last, FIRST + width(&headings) - 1, &table)?;
        }
        for (column, (heading, raw)) in (FIRST..).zip(headings.iter().zip(self.columns)) {
            let is_right = matches!(raw.kind, RawKind::Quantity | RawKind::Usd);
            put_text(&mut sheet, (HEADER, column), heading, &look.header(is_right, here > 0), in_place)?;
        }
        sheet.set_row_height(HEADER, 30)?;
        let widths = headings.iter().map(|heading| (chars(heading) / 2 + 5).max(CHARS_MIN)).collect();
        Ok(Open { sheet, widths, n_looked_at: 0, in_place })
    }
}

fn width(headings: &[String]) -> u16 {
    u16::try_from(headings.len()).unwrap_or(u16::MAX / 4)
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

/// The formats of cells that do not take their column's, made once.
struct Formats {
    absent: Format,
    quantities: [Format; 7],
    kinds: Vec<RawKind>,
}

impl Formats {
    fn new(look: &Look, columns: &[RawColumn]) -> Formats {
        Formats {
            absent: look.absent(Place::Raw),
            quantities: std::array::from_fn(|n| look.quantity(Place::Raw, n)),
            kinds: columns.iter().map(|column| column.kind).collect(),
        }
    }
}

/// A sheet that rows are being written to.
struct Open {
    sheet: Worksheet,
    widths: Vec<u16>,
    n_looked_at: u64,
    in_place: bool,
}

impl Open {
    fn row(&mut self, cells: &[Cell<'_>], at: u32, formats: &Formats) -> Result<(), RenderError> {
        if cells.len() != formats.kinds.len() {
            let (came, wanted) = (cells.len(), formats.kinds.len());
            return Err(RowsError(format!("a row of `{came}` cells came, `{wanted}` were promised")).into());
        }
        if self.n_looked_at < ROWS_LOOKED_AT {
            self.look_at(cells);
        }
        for ((column, cell), kind) in (FIRST..).zip(cells).zip(&formats.kinds) {
            let (sheet, at) = (&mut self.sheet, (at, column));
            match cell {
                Cell::Absent => put_text(sheet, at, ABSENT, &formats.absent, self.in_place)?,
                Cell::Text(text) => put_text(sheet, at, text, None, self.in_place)?,
                Cell::Month(month) => put_month(sheet, at, *month, None)?,
                Cell::Quantity(quantity) => {
                    let n = n_decimals(*quantity);
                    let own = (n > 0 && *kind == RawKind::Quantity).then(|| &formats.quantities[n]);
                    put_quantity(sheet, at, *quantity, own)?;
                }
            }
        }
        Ok(())
    }

    fn look_at(&mut self, cells: &[Cell<'_>]) {
        self.n_looked_at += 1;
        for (width, cell) in self.widths.iter_mut().zip(cells) {
            let chars = match cell {
                Cell::Absent => 4,
                Cell::Text(text) => chars(text),
                Cell::Month(_) => 8,
                Cell::Quantity(quantity) => chars(&quantity.grouped()),
            };
            *width = (*width).max(chars.saturating_add(2).min(CHARS_MAX));
        }
    }

    fn close(mut self, raw: &Raw<'_>) -> Result<Worksheet, RenderError> {
        for (column, width) in (FIRST..).zip(&self.widths) {
            self.sheet.set_column_width(column, f64::from(*width))?;
        }
        self.sheet.set_landscape();
        self.sheet.set_repeat_rows(HEADER, HEADER)?;
        print_frame(&mut self.sheet, &raw.section.title, raw.head, raw.look);
        Ok(self.sheet)
    }
}
