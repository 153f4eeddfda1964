//! The hidden sheet of lists: what micro charts, selectors and the figures behind them are looked up in.

use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError, utility};

use crate::base::Quantity;
use crate::render::RenderError;

use super::cell::{ABSENT, Cached, put_formula, put_quantity, put_text};

/// The hidden sheet's name.
pub(super) const LISTS: &str = "Lists";

/// The hidden sheet, filled from top to bottom. The first column says what a row is of, the second is its name.
pub(super) struct Lists {
    pub(super) sheet: Worksheet,
    row: u32,
    /// Names of ranges, with what they stand for.
    names: Vec<(String, String)>,
}

impl Lists {
    /// The column of names, and the first of values.
    pub(super) const NAMES: u16 = 1;
    pub(super) const VALUES: u16 = 2;

    pub(super) fn new() -> Result<Lists, RenderError> {
        let mut sheet = Worksheet::new();
        sheet.set_name(LISTS)?;
        sheet.set_hidden(true);
        Ok(Lists { sheet, row: 0, names: Vec::new() })
    }

    /// Begins a row and says which.
    pub(super) fn begin(&mut self, of: &str, name: &str) -> Result<u32, RenderError> {
        let (row, plain) = (self.row, Format::default());
        put_text(&mut self.sheet, (row, 0), of, &plain)?;
        put_text(&mut self.sheet, (row, Lists::NAMES), name, &plain)?;
        self.row += 1;
        Ok(row)
    }

    /// Adds the course of a micro chart and says in which row; an absent point is `#N/A`, which micro charts leave
    /// out where a text would be 0.
    pub(super) fn add(&mut self, of: &str, name: &str, values: &[Option<Quantity>]) -> Result<u32, RenderError> {
        let row = self.begin(of, name)?;
        for (column, value) in (Lists::VALUES..).zip(values) {
            put_point(&mut self.sheet, (row, column), *value)?;
        }
        Ok(row)
    }

    /// Writes figures to be shown from a column on; an absent one reads as it does everywhere.
    pub(super) fn put(&mut self, row: u32, first: u16, values: &[Option<Quantity>]) -> Result<(), RenderError> {
        let plain = Format::default();
        for (column, value) in (first..).zip(values) {
            match value {
                Some(value) => put_quantity(&mut self.sheet, (row, column), *value, &plain)?,
                None => put_text(&mut self.sheet, (row, column), ABSENT, &plain)?,
            }
        }
        Ok(())
    }

    /// Adds a formula in a row of its own, under a name.
    pub(super) fn compute(&mut self, name: &str, formula: &str, result: Cached<'_>) -> Result<(), RenderError> {
        let row = self.begin("computed", name)?;
        put_formula(&mut self.sheet, (row, Lists::VALUES), formula, result, &Format::default())?;
        self.name(name, (row, Lists::VALUES), (row, Lists::VALUES));
        Ok(())
    }

    /// Names a range of this sheet.
    pub(super) fn name(&mut self, name: &str, from: (u32, u16), to: (u32, u16)) {
        self.name_on(LISTS, name, from, to);
    }

    /// Names a column of rows that stand one below the other; nothing when there are none.
    pub(super) fn name_rows(&mut self, name: &str, rows: &[u32], column: u16) {
        if let (Some(first), Some(last)) = (rows.first(), rows.last()) {
            self.name(name, (*first, column), (*last, column));
        }
    }

    /// Names a range of any sheet.
    pub(super) fn name_on(&mut self, sheet: &str, name: &str, from: (u32, u16), to: (u32, u16)) {
        let quoted = sheet.replace('\'', "''");
        let cell = |at: (u32, u16)| utility::row_col_to_cell_absolute(at.0, at.1);
        let range = if from == to { cell(from) } else { format!("{}:{}", cell(from), cell(to)) };
        self.names.push((name.to_owned(), format!("='{quoted}'!{range}")));
    }

    /// Puts the sheet and its names into the workbook, if anything stands in it.
    pub(super) fn finish(self, workbook: &mut Workbook) -> Result<(), XlsxError> {
        if self.row > 0 {
            workbook.push_worksheet(self.sheet);
        }
        self.names.iter().try_for_each(|(name, range)| workbook.define_name(name, range).map(|_| ()))
    }
}

/// Writes a point of a course.
pub(super) fn put_point(sheet: &mut Worksheet, at: (u32, u16), value: Option<Quantity>) -> Result<(), RenderError> {
    let plain = Format::default();
    match value {
        Some(value) => put_quantity(sheet, at, value, &plain),
        None => put_formula(sheet, at, "NA()", Cached::Gap, &plain),
    }
}

/// What MATCH looks a cell's text up by: it reads `*`, `?` and `~` as wildcards.
pub(super) fn escaped(cell: &str) -> String {
    ["~", "*", "?"].iter().fold(cell.to_owned(), |text, sign| format!("SUBSTITUTE({text},\"{sign}\",\"~{sign}\")"))
}
