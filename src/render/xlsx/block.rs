//! The blocks of a section, in reading order, whatever the section.

use crate::render::RenderError;
use crate::report::{Block, Card, Figure, Kpi, Panel};

use super::cell::{ABSENT, Cached, n_decimals, put_formula, put_number, put_quantity, put_text};
use super::look::Place;
use super::plan::FIRST;
use super::sheet::{ROW_POINTS, Shared, Sheet};
use super::table::{self, Use, data_bar, growth_words};
use super::{chart, choice, ties};

use rust_xlsxwriter::ConditionalFormatType;

/// The heights of a KPI's two rows in points, and of its micro chart in pixels.
const KPI_POINTS: (f64, f64) = (32.0, 20.0);
const MICRO_PIXELS: (u32, u32) = (300, 60);

/// Writes blocks below what stands there. Raw rows have sheets of their own and are passed over.
pub(super) fn put_all(sheet: &mut Sheet<'_>, shared: &mut Shared, blocks: &[Block]) -> Result<(), RenderError> {
    blocks.iter().try_for_each(|block| put(sheet, shared, block, blocks))
}

/// Writes a block, `all` being those it stands among.
fn put(sheet: &mut Sheet<'_>, shared: &mut Shared, block: &Block, all: &[Block]) -> Result<(), RenderError> {
    let look = sheet.look;
    match block {
        Block::Kpis(kpis) => {
            for kpi in kpis {
                let formula = ties::kpi_formula(shared, all, kpi);
                put_kpi(sheet, shared, kpi, formula.as_deref())?;
                sheet.gap(6.0)?;
            }
            sheet.gap(6.0)
        }
        Block::Reading { lead, rest } => {
            for (text, format) in [(lead, look.bold_paragraph()), (rest, look.paragraph())] {
                if !text.is_empty() {
                    sheet.paragraph(FIRST, text, &format, 11.0)?;
                }
            }
            sheet.gap(9.0)
        }
        Block::Cards(cards) => {
            cards.iter().try_for_each(|card| put_card(sheet, card))?;
            sheet.gap(12.0)
        }
        Block::Heading(text) => sheet.line(text, &look.heading(), 26.0),
        Block::Text(text) => sheet.paragraph(FIRST, text, &look.paragraph(), 11.0),
        Block::Definitions(terms) => {
            for (term, meaning) in terms {
                put_definition(sheet, term, meaning)?;
            }
            sheet.gap(9.0)
        }
        Block::Table(table) => table::put(sheet, shared, table, Use::Read).map(|_| ()),
        Block::Chart(chart) => chart::put(sheet, shared, chart),
        Block::Choice(choice) => choice::put(sheet, shared, choice),
        // The reader chooses instead.
        Block::OnPaper(_) => Ok(()),
        // One below the other: a filter hides whole rows, and with them what stands beside its table.
        Block::Panels { panels, .. } => panels.iter().try_for_each(|panel| put_panel(sheet, shared, panel)),
        Block::RawRows { .. } => Ok(()),
    }
}

/// Label, figure and growth in one row, what they mean in the next, the course beside both.
fn put_kpi(sheet: &mut Sheet<'_>, shared: &mut Shared, kpi: &Kpi, formula: Option<&str>) -> Result<(), RenderError> {
    let (look, top) = (sheet.look, sheet.row);
    let below = top + 1;
    for column in FIRST..=sheet.plan.last() {
        sheet.sheet.write_blank(top, column, &look.ground(true))?;
        sheet.sheet.write_blank(below, column, &look.ground(false))?;
    }
    sheet.sheet.set_row_height(top, KPI_POINTS.0)?;
    sheet.sheet.set_row_height(below, KPI_POINTS.1)?;
    put_text(&mut sheet.sheet, (top, FIRST), &kpi.label, &look.kpi_label())?;
    let figure = look.kpi_figure(kpi.current);
    match kpi.current {
        Some(current) if let Some(formula) = formula => {
            put_formula(&mut sheet.sheet, (top, FIRST + 1), formula, Cached::Quantity(current), &figure)?;
        }
        Some(current) => put_quantity(&mut sheet.sheet, (top, FIRST + 1), current, &figure)?,
        None => put_text(&mut sheet.sheet, (top, FIRST + 1), ABSENT, &figure)?,
    }
    let growth = look.kpi_growth(kpi.growth);
    match kpi.growth.to_f64() {
        Some(number) => put_number(&mut sheet.sheet, (top, FIRST + 2), number, &growth)?,
        None => put_text(&mut sheet.sheet, (top, FIRST + 2), &growth_words(kpi.growth), &growth)?,
    }
    put_text(&mut sheet.sheet, (below, FIRST), &kpi.note, &look.kpi_note(false))?;
    put_text(&mut sheet.sheet, (below, FIRST + 2), &kpi.growth_note, &look.kpi_note(true))?;
    chart::put_micro(sheet, shared, kpi, (top, FIRST + 3), MICRO_PIXELS)?;
    sheet.row = below + 1;
    if !kpi.coverage.is_empty() {
        sheet.paragraph(FIRST, &kpi.coverage, &look.kpi_note(false).set_text_wrap(), 9.0)?;
    }
    Ok(())
}

/// Label, figure, and what it is made of; a bar behind a ratio, as long as the whole at 100 % and above.
fn put_card(sheet: &mut Sheet<'_>, card: &Card) -> Result<(), RenderError> {
    let (look, row, at) = (sheet.look, sheet.row, (sheet.row, FIRST + 1));
    for column in FIRST..=sheet.plan.last() {
        sheet.sheet.write_blank(row, column, &look.text(Place::Row))?;
    }
    sheet.sheet.set_row_height(row, 22)?;
    put_text(&mut sheet.sheet, (row, FIRST), &card.label, &look.text(Place::Row))?;
    match card.figure {
        Figure::Ratio(Some(ratio)) => {
            put_number(&mut sheet.sheet, at, ratio.to_f64(), &look.ratio(Place::Row).set_bold())?;
            let bar = data_bar(look).set_maximum(ConditionalFormatType::Number, 1);
            sheet.sheet.add_conditional_format(row, FIRST + 1, row, FIRST + 1, &bar)?;
        }
        Figure::Quantity(Some(quantity)) => {
            let format = look.quantity(Place::Row, n_decimals(quantity)).set_bold();
            put_quantity(&mut sheet.sheet, at, quantity, &format)?;
        }
        Figure::Usd(Some(usd)) => put_quantity(&mut sheet.sheet, at, usd, &look.usd(Place::Row).set_bold())?,
        Figure::Ratio(None) | Figure::Quantity(None) | Figure::Usd(None) => {
            put_text(&mut sheet.sheet, at, ABSENT, &look.absent(Place::Row))?;
        }
    }
    put_text(&mut sheet.sheet, (row, FIRST + 2), &card.note, &look.card_note())?;
    sheet.row += 1;
    Ok(())
}

fn put_definition(sheet: &mut Sheet<'_>, term: &str, meaning: &str) -> Result<(), RenderError> {
    let row = sheet.row;
    sheet.paragraph(FIRST + 1, meaning, &sheet.look.paragraph(), 11.0)?;
    put_text(&mut sheet.sheet, (row, FIRST), term, &sheet.look.bold_paragraph())
}

fn put_panel(sheet: &mut Sheet<'_>, shared: &mut Shared, panel: &Panel) -> Result<(), RenderError> {
    let look = sheet.look;
    sheet.line(&panel.title, &look.panel(panel.slot), ROW_POINTS)?;
    if !panel.note.is_empty() {
        sheet.paragraph(FIRST, &panel.note, &look.wrapped_note(), 9.0)?;
    }
    put_all(sheet, shared, &panel.blocks)?;
    if !panel.footnote.is_empty() {
        sheet.paragraph(FIRST, &panel.footnote, &look.wrapped_note(), 9.0)?;
    }
    sheet.gap(6.0)
}
