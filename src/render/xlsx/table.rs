//! Tables: real ones, whose filters sort every column, with a total row that adds up or says why not.

use rust_xlsxwriter::{
    ConditionalFormatDataBar, ConditionalFormatDataBarAxisPosition, ConditionalFormatType, Format, Table as ExcelTable,
    TableColumn, TableFunction, TableStyle, Worksheet,
};

use crate::base::Quantity;
use crate::render::RenderError;
use crate::report::{ColumnKind, Slot, Table, Total, Value};

use super::cell::{
    ABSENT, Cached, alt_text, is_exact, n_decimals, put_formula, put_month, put_number, put_quantity, put_text,
};
use super::look::{Look, Place, colour};
use super::names::{has_escape, headings};
use super::plan::{FIRST, chars, is_right, n_lines};
use super::sheet::{ROW_POINTS, Shared, Sheet, lines_height};
use super::trend;

/// What a table is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Use {
    /// To be read, sorted and filtered.
    Read,
    /// The figures of the chart above it: not sorted, and an absent figure is a formula, since a chart would
    /// draw a text as 0.
    Chart,
}

/// Where a table's cells stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    /// The row of the headings.
    pub(super) header: u32,
    /// The last row of figures, without the total.
    pub(super) last: u32,
}

/// Writes a table below what stands there: headings, rows, total, note.
pub(super) fn put(
    sheet: &mut Sheet<'_>,
    shared: &mut Shared,
    table: &Table,
    purpose: Use,
) -> Result<Placed, RenderError> {
    if purpose == Use::Read && !table.caption.is_empty() {
        sheet.paragraph(FIRST, &table.caption, &sheet.look.wrapped_note(), 9.0)?;
    }
    let header = sheet.row;
    let has_filter = purpose == Use::Read && !table.rows.is_empty();
    let headings = headings(table.columns.iter().map(|column| column.label.as_str()));
    if table.rows.is_empty() || table.columns.is_empty() {
        put_empty(sheet, table, &headings)?;
        put_note(sheet, table)?;
        return Ok(Placed { header, last: header + 1 });
    }
    let last = header + u32::try_from(table.rows.len()).unwrap_or(u32::MAX / 2);
    let bottom = last + u32::from(table.total.is_some());
    let name = shared.names.table(&table.key);
    add_table(sheet, &name, table, &headings, (header, bottom), has_filter)?;
    put_headings(sheet, table, &headings, header, has_filter)?;
    for (row, at) in table.rows.iter().zip(header + 1..) {
        put_row(sheet, row, at, Place::Row, purpose)?;
    }
    if let Some(total) = &table.total {
        put_total(sheet, &name, table, total, bottom)?;
        if purpose == Use::Read {
            shared.ties.take(&sheet.name, &name, table, total);
        }
    }
    for (n, column) in table.columns.iter().enumerate() {
        match column.kind {
            ColumnKind::QuantityBar => bars(&mut sheet.sheet, sheet.look, (header + 1, last), column_of(n))?,
            ColumnKind::Trend => put_trends(sheet, shared, table, n, header + 1)?,
            _ => {}
        }
    }
    sheet.row = bottom + 1;
    sheet.repeat = (sheet.plan.n_tables == 1 && purpose == Use::Read).then_some(header);
    put_note(sheet, table)?;
    Ok(Placed { header, last })
}

fn column_of(n: usize) -> u16 {
    FIRST + u16::try_from(n).unwrap_or(u16::MAX / 4)
}

fn put_note(sheet: &mut Sheet<'_>, table: &Table) -> Result<(), RenderError> {
    if !table.note.is_empty() {
        sheet.gap(4.0)?;
        sheet.paragraph(FIRST, &table.note, &sheet.look.wrapped_note(), 9.0)?;
    }
    sheet.gap(12.0)
}

/// Headings, a line that says that there are no rows, and the total if there is one: Excel knows no empty table.
fn put_empty(sheet: &mut Sheet<'_>, table: &Table, headings: &[String]) -> Result<(), RenderError> {
    put_headings(sheet, table, headings, sheet.row, false)?;
    sheet.row += 1;
    sheet.line("No figures for these months", &sheet.look.note(), ROW_POINTS)?;
    if let Some(total) = &table.total {
        put_row(sheet, &total.cells, sheet.row, Place::Total, Use::Read)?;
        sheet.row += 1;
    }
    Ok(())
}

fn add_table(
    sheet: &mut Sheet<'_>,
    name: &str,
    table: &Table,
    headings: &[String],
    (header, bottom): (u32, u32),
    has_filter: bool,
) -> Result<(), RenderError> {
    let columns: Vec<TableColumn> = (0..)
        .zip(headings)
        .map(|(n, heading)| {
            let column = TableColumn::new().set_header(heading);
            match &table.total {
                Some(total) if sum(table, total, n).is_some() => column.set_total_function(TableFunction::Sum),
                Some(total) => match total.cells.get(n) {
                    Some(Value::Text(label) | Value::Name { name: label, .. })
                        if !(label.is_empty() || has_escape(label)) =>
                    {
                        column.set_total_label(alt_text(label))
                    }
                    _ => column,
                },
                None => column,
            }
        })
        .collect();
    let excel = ExcelTable::new()
        .set_name(name)
        .set_columns(&columns)
        .set_style(TableStyle::None)
        .set_autofilter(has_filter)
        .set_total_row(table.total.is_some())
        .set_alt_text(alt_text(&table.caption));
    let last = column_of(headings.len() - 1);
    sheet.sheet.add_table(header, FIRST, bottom, last, &excel)?;
    Ok(())
}

fn put_headings(
    sheet: &mut Sheet<'_>,
    table: &Table,
    headings: &[String],
    at: u32,
    has_filter: bool,
) -> Result<(), RenderError> {
    let mut n_lines_max = 1;
    for (n, (column, heading)) in table.columns.iter().zip(headings).enumerate() {
        let format = sheet.look.header(is_right(column), has_filter);
        put_text(&mut sheet.sheet, (at, column_of(n)), heading, &format)?;
        let room = sheet.plan.width(column_of(n)).saturating_sub(if has_filter { 3 } else { 0 });
        n_lines_max = n_lines_max.max(n_lines(heading, room));
    }
    sheet.sheet.set_row_height(at, f64::from(n_lines_max.min(8)) * 13.0 + 5.0)?;
    Ok(())
}

fn put_row(sheet: &mut Sheet<'_>, row: &[Value], at: u32, place: Place, purpose: Use) -> Result<(), RenderError> {
    let mut points = ROW_POINTS;
    for (n, value) in row.iter().enumerate() {
        let column = column_of(n);
        if let Value::Text(text) | Value::Name { name: text, .. } = value {
            let room = sheet.plan.width(column).saturating_sub(2);
            if chars(text) > room {
                points = points.max(lines_height(text, room, 11.0));
            }
        }
        put_value(&mut sheet.sheet, sheet.look, (at, column), value, (place, purpose))?;
    }
    if points > ROW_POINTS {
        sheet.sheet.set_row_height(at, points)?;
    }
    Ok(())
}

/// Writes one value; a trend is drawn once its hidden cells are written.
fn put_value(
    sheet: &mut Worksheet,
    look: &Look,
    at: (u32, u16),
    value: &Value,
    (place, purpose): (Place, Use),
) -> Result<(), RenderError> {
    let absent = |sheet: &mut Worksheet| match purpose {
        Use::Read => put_text(sheet, at, ABSENT, &look.absent(place)),
        Use::Chart => put_formula(sheet, at, "\"n/a\"", Cached::Text(ABSENT), &look.absent(place)),
    };
    match value {
        Value::Text(text) => put_text(sheet, at, text, &look.wrapped(look.text(place))),
        Value::Name { name, slot } => put_text(sheet, at, name, &look.wrapped(look.name(place, *slot))),
        Value::Quantity(Some(quantity)) => {
            put_quantity(sheet, at, *quantity, &look.quantity(place, n_decimals(*quantity)))
        }
        Value::Usd(Some(usd)) => put_quantity(sheet, at, *usd, &look.usd(place)),
        Value::Ratio(Some(ratio)) => put_number(sheet, at, ratio.to_f64(), &look.ratio(place)),
        Value::Quantity(None) | Value::Usd(None) | Value::Ratio(None) => absent(sheet),
        Value::Growth(growth) => match growth.to_f64() {
            Some(number) => put_number(sheet, at, number, &look.growth(place, *growth)),
            None if growth.direction() > 0 => put_text(sheet, at, &growth_words(*growth), &look.growth(place, *growth)),
            None => absent(sheet),
        },
        Value::Trend(_) => Ok(()),
        Value::Month(month) => put_month(sheet, at, *month, &look.month(place)),
    }
}

/// `▲ new`, or `n/a`.
pub(super) fn growth_words(growth: crate::base::Growth) -> String {
    if growth.direction() > 0 { format!("▲ {}", growth.text()) } else { growth.text() }
}

/// The sum of a column, if its total is to be one and is: then Excel may add it up itself.
pub(super) fn sum(table: &Table, total: &Total, n: usize) -> Option<Quantity> {
    let quantity = |value: &Value| match value {
        Value::Quantity(quantity) | Value::Usd(quantity) => *quantity,
        _ => None,
    };
    let stated = total.is_sum.then(|| total.cells.get(n).and_then(quantity)).flatten()?;
    let parts: Vec<Quantity> = table.rows.iter().filter_map(|row| row.get(n).and_then(quantity)).collect();
    let is_sum = parts.iter().copied().sum::<Quantity>() == stated && parts.iter().copied().all(is_exact);
    (is_sum && is_exact(stated)).then_some(stated)
}

fn put_total(sheet: &mut Sheet<'_>, name: &str, table: &Table, total: &Total, at: u32) -> Result<(), RenderError> {
    put_row(sheet, &total.cells, at, Place::Total, Use::Read)?;
    for (n, column) in headings(table.columns.iter().map(|column| column.label.as_str())).iter().enumerate() {
        let Some(stated) = sum(table, total, n) else { continue };
        let format = total_format(sheet.look, table, n, stated);
        let formula = format!("SUBTOTAL(109,{})", reference(name, column));
        put_formula(&mut sheet.sheet, (at, column_of(n)), &formula, Cached::Quantity(stated), &format)?;
    }
    Ok(())
}

/// A table's column in a formula.
pub(super) fn reference(table: &str, heading: &str) -> String {
    // These signs have a meaning in a reference to a table's column.
    let escaped = heading.replace('\'', "''").replace('#', "'#").replace('[', "'[").replace(']', "']");
    format!("{table}[{escaped}]")
}

/// A total is shown with as many decimals as any of its parts, since a filter changes it.
fn total_format(look: &Look, table: &Table, n: usize, stated: Quantity) -> Format {
    if matches!(table.columns.get(n).map(|column| column.kind), Some(ColumnKind::Usd)) {
        return look.usd(Place::Total);
    }
    let parts = table.rows.iter().filter_map(|row| match row.get(n) {
        Some(Value::Quantity(Some(quantity))) => Some(n_decimals(*quantity)),
        _ => None,
    });
    look.quantity(Place::Total, parts.chain([n_decimals(stated)]).max().unwrap_or(0))
}

/// Bars for the size of quantities, from 0.
pub(super) fn bars(
    sheet: &mut Worksheet,
    look: &Look,
    (first, last): (u32, u32),
    column: u16,
) -> Result<(), RenderError> {
    let bar = data_bar(look);
    sheet.add_conditional_format(first, column, last, column, &bar)?;
    Ok(())
}

/// A bar in a light accent, so that the figure on it stays readable.
pub(super) fn data_bar(look: &Look) -> ConditionalFormatDataBar {
    let light = colour(look.theme().colour(Slot::Accent).lighter(62));
    ConditionalFormatDataBar::new()
        .set_fill_color(light)
        .set_solid_fill(true)
        .set_border_off(true)
        .set_axis_position(ConditionalFormatDataBarAxisPosition::None)
        .set_minimum(ConditionalFormatType::Number, 0)
}

fn put_trends(
    sheet: &mut Sheet<'_>,
    shared: &mut Shared,
    table: &Table,
    n: usize,
    first: u32,
) -> Result<(), RenderError> {
    let before = table.columns.iter().take(n).enumerate().filter(|(_, column)| column.kind == ColumnKind::Trend);
    let skipped: usize = before.map(|(n, _)| trend::n_points(table, n) + 2).sum();
    let beside = sheet.plan.last() + 2 + u16::try_from(skipped).unwrap_or(0);
    let end = beside + u16::try_from(trend::n_points(table, n)).unwrap_or(0);
    sheet.hidden_to = sheet.hidden_to.max(Some(end));
    trend::put_trends(sheet, shared, table, n, first, beside)
}
