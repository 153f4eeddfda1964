//! Selectors: the reader chooses in a framed cell, and figures and chart follow by formulas.
//!
//! No macro, and only functions that Excel 2007 and LibreOffice have; nothing volatile. What is chosen from stands in
//! the hidden sheet of lists, under names that begin with the choice's own: `…_chosen_group` is a selector's cell,
//! `…_shown` what follows it, `…_total` what stands below that.

mod flows;
mod parts;
#[cfg(test)]
mod tests;

use rust_xlsxwriter::{ConditionalFormatFormula, DataValidation, Format, Formula, utility};

use crate::base::{Quantity, plain_text};
use crate::render::RenderError;
use crate::report::Choice;

use super::cell::{ABSENT, Cached, cut, is_exact, n_decimals, put_formula, put_text};
use super::look::{Place, quantities};
use super::names::{Names, has_escape};
use super::plan::{FIRST, chars};
use super::sheet::{Shared, Sheet};

/// The longest name that can be chosen, in UTF-16 units: a name is looked up with its wildcards escaped, and Excel
/// looks up 255 at most.
const NAME_UTF16_MAX: usize = 120;

/// A selector is as wide as so many columns.
const SELECTOR_COLUMNS: u16 = 3;
const SELECTOR_POINTS: f64 = 21.0;

/// Writes a choice: its selectors, its chart, and the figures that the chart draws.
pub(super) fn put(sheet: &mut Sheet<'_>, shared: &mut Shared, choice: &Choice) -> Result<(), RenderError> {
    match choice {
        Choice::Flows(choice) => flows::put(sheet, shared, choice),
        Choice::Parts(choice) => parts::put(sheet, shared, choice),
    }
}

/// The names that may come to stand in the first column.
pub(super) fn names(choice: &Choice) -> Box<dyn Iterator<Item = &str> + '_> {
    match choice {
        Choice::Flows(choice) => Box::new(std::iter::once(choice.course_label.as_str())),
        Choice::Parts(choice) => {
            Box::new(choice.groups.iter().flat_map(|group| &group.parts).map(|part| part.name.as_str()))
        }
    }
}

/// How many characters the columns after the first need.
pub(super) fn widths(choice: &Choice) -> impl Iterator<Item = u16> {
    let n = match choice {
        Choice::Flows(_) => 2,
        Choice::Parts(choice) => parts::n_columns(choice) - 1,
    };
    // The largest is written whole, the most exact with all its decimals: no figure takes more than both together.
    let largest = quantities_of(choice).max_by_key(|value| value.abs());
    let n_decimals = quantities_of(choice).map(n_decimals).max().unwrap_or(0);
    let digits = largest.map_or(0, |value| chars(&value.abs().grouped()));
    let decimals = if n_decimals > 0 { n_decimals as u16 + 1 } else { 0 };
    std::iter::repeat_n((digits + decimals + 4).max(14), n)
}

/// Every figure that may come to be shown.
fn quantities_of(choice: &Choice) -> Box<dyn Iterator<Item = Quantity> + '_> {
    match choice {
        Choice::Flows(choice) => Box::new(flows::quantities(choice)),
        Choice::Parts(choice) => Box::new(parts::quantities_of(choice)),
    }
}

/// Names as they can be chosen: none empty, none too long, no two the same without case.
fn labels<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut given = Names::default();
    names.map(|name| given.words(&cut(&looked_up(name), NAME_UTF16_MAX))).collect()
}

/// A name as a formula looks it up: an empty cell would be 0, blanks at its ends get lost on the way, and what reads
/// like an escape is read in two ways.
fn looked_up(name: &str) -> String {
    let plain = plain_text(name);
    let words = if has_escape(&plain) { plain.replace("_x", "_ x") } else { plain };
    match words.trim() {
        "" => "Not stated".to_owned(),
        words => words.to_owned(),
    }
}

/// A heading and how to use the rows that stand below it.
fn put_title(sheet: &mut Sheet<'_>, title: &str, n_rows: u32) -> Result<(), RenderError> {
    sheet.keep_together(n_rows);
    sheet.line(title, &sheet.look.heading(), 26.0)?;
    sheet.line("Choose in the framed cells: chart and figures follow.", &sheet.look.note(), 16.0)
}

/// A selector: a label, a framed cell with a list, and room at its right.
struct Selector<'a> {
    label: &'a str,
    /// The formula of what can be chosen.
    list: &'a str,
    /// The name of its cell.
    name: &'a str,
    format: Format,
}

impl Selector<'_> {
    /// Writes it without a value and says where that goes.
    fn put(&self, sheet: &mut Sheet<'_>, shared: &mut Shared) -> Result<(u32, u16), RenderError> {
        let (row, at) = (sheet.row, FIRST + 1);
        sheet.sheet.set_row_height(row, SELECTOR_POINTS)?;
        put_text(&mut sheet.sheet, (row, FIRST), self.label, &sheet.look.selector_label())?;
        sheet.sheet.merge_range(row, at, row, at + SELECTOR_COLUMNS - 1, "", &self.format)?;
        let list = DataValidation::new()
            .allow_list_formula(Formula::new(self.list))
            .set_error_title("Not in the list")?
            .set_error_message("Choose one of the list: press the arrow at the cell's right.")?;
        sheet.sheet.add_data_validation(row, at, row, at, &list)?;
        shared.lists.name_on(&sheet.name, self.name, (row, at), (row, at));
        sheet.row += 1;
        Ok((row, at))
    }
}

/// The column of what is said beside a selector.
const BESIDE: u16 = FIRST + 1 + SELECTOR_COLUMNS;

/// A figure as a formula's result.
fn figure(value: Option<Quantity>) -> Cached<'static> {
    value.filter(|value| is_exact(*value)).map_or(Cached::Text(ABSENT), Cached::Quantity)
}

/// Writes a formula whose result a chart draws.
fn put_drawn(
    sheet: &mut Sheet<'_>,
    shared: &mut Shared,
    at: (u32, u16),
    formula: &str,
    result: Cached<'_>,
    format: &Format,
) -> Result<(), RenderError> {
    shared.points.keep(&sheet.name, at, result);
    put_formula(&mut sheet.sheet, at, formula, result, format)
}

/// Shows decimals in a range where there are any: what stands there changes with the choice.
fn show_decimals(
    sheet: &mut Sheet<'_>,
    values: impl Iterator<Item = Quantity>,
    from: (u32, u16),
    to: (u32, u16),
) -> Result<(), RenderError> {
    let Some(n) = values.map(n_decimals).max().filter(|n| *n > 0) else { return Ok(()) };
    let cell = utility::row_col_to_cell(from.0, from.1);
    let rule = ConditionalFormatFormula::new()
        .set_rule(format!("IF(ISNUMBER({cell}),{cell}<>ROUND({cell},0),FALSE)").as_str())
        .set_format(Format::new().set_num_format(quantities(n)));
    sheet.sheet.add_conditional_format(from.0, from.1, to.0, to.1, &rule)?;
    Ok(())
}

/// The headings above figures.
fn put_headings(sheet: &mut Sheet<'_>, headings: &[&str]) -> Result<u32, RenderError> {
    let row = sheet.row;
    for (n, heading) in headings.iter().enumerate() {
        let format = sheet.look.header(n > 0, false);
        put_text(&mut sheet.sheet, (row, FIRST + n as u16), heading, &format)?;
    }
    sheet.sheet.set_row_height(row, 18)?;
    sheet.row += 1;
    Ok(row)
}

/// The format of figures of a choice.
fn quantity_format(sheet: &Sheet<'_>, place: Place) -> Format {
    sheet.look.quantity(place, 0)
}
