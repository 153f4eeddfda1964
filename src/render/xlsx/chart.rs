//! Native charts, each over a small table that stands below it; micro charts over the hidden lists.

use std::borrow::Cow;

use rust_xlsxwriter::{
    Chart as ExcelChart, ChartAxisLabelPosition, ChartDataLabel, ChartEmptyCells, ChartFont, ChartFormat,
    ChartLegendPosition, ChartLine, ChartPoint, ChartSolidFill, ChartType, Color, ObjectMovement,
};

use crate::base::{Quantity, Ratio, plain_text};
use crate::render::{Colour, RenderError, Theme};
use crate::report::{Chart, Column, ColumnKind, Columns, Donut, Kpi, Series, Slot, Table, Total, Value};

use super::cell::alt_text;
use super::lists::{LISTS, Lists};
use super::look::{colour, quantities};
use super::plan::FIRST;
use super::sheet::{ROW_POINTS, Shared, Sheet};
use super::table::{self, Use};

/// How much lighter what stands below the axis is, in percent of white.
pub(super) const BELOW_LIGHTER: u8 = 60;

/// The size of charts in pixels, and how many rows of 24 pixels they cover.
pub(super) const WIDTH_MAX: u32 = 940;
pub(super) const WIDTH_MIN: u32 = 400;
pub(super) const WIDTH_DONUT: u32 = 520;
pub(super) const N_ROWS: u32 = 13;
const N_ROWS_DONUT: u32 = 11;
const PIXELS_A_ROW: u32 = 24;

/// A slice below this share has no label: they would lie upon each other.
const LABEL_SHARE_MIN: f64 = 0.04;

/// The figures of a chart as a table; none for a map, which Excel draws only where it may ask a server for shapes:
/// the table of countries with its bars stands in its place.
pub(super) fn data(chart: &Chart) -> Option<Table> {
    match chart {
        Chart::Columns(columns) => Some(columns_data(&folded(columns))),
        Chart::Donut(donut) => Some(donut_data(donut)),
        Chart::Map(_) => None,
    }
}

/// Writes a chart: its title, the drawing, its figures.
pub(super) fn put(sheet: &mut Sheet<'_>, shared: &mut Shared, chart: &Chart) -> Result<(), RenderError> {
    let Some(table) = data(chart) else { return Ok(()) };
    let (title, has_points, n_rows) = match chart {
        Chart::Columns(columns) => (&columns.title, has_points(columns), N_ROWS),
        Chart::Donut(donut) => (&donut.title, !donut.slices.is_empty(), N_ROWS_DONUT),
        Chart::Map(map) => (&map.title, false, 0),
    };
    if !title.is_empty() {
        sheet.line(title, &sheet.look.panel(None), ROW_POINTS)?;
    }
    let at = sheet.row;
    // A chart's figures have no filters, so what stands beside them cannot be hidden by them.
    let right = FIRST + u16::try_from(table.columns.len()).unwrap_or(u16::MAX / 4);
    let beside = sheet.plan.pixels_from(right) >= WIDTH_MIN;
    if has_points && !beside {
        sheet.row += n_rows;
    }
    let placed = table::put(sheet, shared, &table, Use::Chart)?;
    if has_points {
        let rows = (placed.header, placed.last);
        let drawn = match chart {
            Chart::Columns(columns) => draw_columns(sheet, &folded(columns), rows),
            Chart::Donut(donut) => draw_donut(sheet, donut, rows),
            Chart::Map(_) => return Ok(()),
        };
        let width_max = if matches!(chart, Chart::Donut(_)) { WIDTH_DONUT } else { WIDTH_MAX };
        insert(sheet, drawn, (at, if beside { right } else { FIRST }), n_rows, width_max)?;
        sheet.row = sheet.row.max(at + n_rows);
    }
    Ok(())
}

/// Places a chart over so many rows, from a column to the sheet's last; away from the figures at its left.
pub(super) fn insert(
    sheet: &mut Sheet<'_>,
    mut drawn: ExcelChart,
    (row, column): (u32, u16),
    n_rows: u32,
    width_max: u32,
) -> Result<(), RenderError> {
    let offset = if column > FIRST { 24 } else { 0 };
    drawn.set_width((sheet.plan.pixels_from(column) - offset).min(width_max));
    drawn.set_height(n_rows * PIXELS_A_ROW - 10);
    sheet.sheet.insert_chart_with_offset(row, column, &drawn, offset, 4)?;
    Ok(())
}

fn has_points(columns: &Columns) -> bool {
    let n_series = columns.above.len() + columns.below.len();
    n_series > 0 && !columns.months.is_empty()
}

/// A chart whose series of one grey, if there are several, are one: they cannot be told apart there, and a column for
/// each would make a sheet that no paper holds.
fn folded(columns: &Columns) -> Cow<'_, Columns> {
    let is_other = |series: &&Series| series.slot == Slot::Others;
    if columns.above.iter().filter(is_other).count() < 2 {
        return Cow::Borrowed(columns);
    }
    let fold = |series: &[Series]| {
        let (others, own): (Vec<&Series>, Vec<&Series>) = series.iter().partition(is_other);
        let sum = |n| {
            let known: Vec<Quantity> = others.iter().filter_map(|series| *series.values.get(n)?).collect();
            (!known.is_empty()).then(|| known.into_iter().sum())
        };
        let values = (0..columns.months.len()).map(sum).collect();
        let others = Series { name: "Others".to_owned(), slot: Slot::Others, values };
        own.into_iter().cloned().chain([others]).collect()
    };
    Cow::Owned(Columns { above: fold(&columns.above), below: fold(&columns.below), ..columns.clone() })
}

/// A row a month; what is stacked downwards is negative.
fn columns_data(columns: &Columns) -> Table {
    let heading = |series: &Series| Column::new(&series.name, ColumnKind::Quantity);
    let below = |series: &Series| Column::new(&format!("{}, removed", series.name), ColumnKind::Quantity);
    let months = Column::new("Month", ColumnKind::Month);
    let value = |series: &Series, n: usize| series.values.get(n).copied().flatten();
    let rows = columns.months.iter().enumerate().map(|(n, month)| {
        let above = columns.above.iter().map(|series| Value::Quantity(value(series, n)));
        let below = columns.below.iter().map(|series| Value::Quantity(value(series, n).map(|value| -value)));
        [Value::Month(*month)].into_iter().chain(above).chain(below).collect()
    });
    Table {
        key: columns.key.clone(),
        caption: columns.alt.clone(),
        columns: [months]
            .into_iter()
            .chain(columns.above.iter().map(heading))
            .chain(columns.below.iter().map(below))
            .collect(),
        rows: rows.collect(),
        total: None,
        note: String::new(),
    }
}

/// A row a slice, and the figure in the middle as the total.
fn donut_data(donut: &Donut) -> Table {
    let share = |value: Quantity| Value::Ratio(Ratio::new(value, donut.centre));
    let row = |name: Value, value: Quantity| vec![name, Value::Quantity(Some(value)), share(value)];
    let columns =
        [("Part", ColumnKind::Text), (&donut.centre_label, ColumnKind::Quantity), ("Share", ColumnKind::Ratio)];
    Table {
        key: donut.key.clone(),
        caption: donut.alt.clone(),
        columns: columns.into_iter().map(|(label, kind)| Column::new(label, kind)).collect(),
        rows: donut
            .slices
            .iter()
            .map(|slice| row(Value::Name { name: slice.name.clone(), slot: slice.slot }, slice.value))
            .collect(),
        total: Some(Total { cells: row(Value::Text("Total".to_owned()), donut.centre), is_sum: true }),
        note: String::new(),
    }
}

fn draw_columns(sheet: &Sheet<'_>, columns: &Columns, (header, last): (u32, u32)) -> ExcelChart {
    let theme = sheet.look.theme();
    let mut chart = ExcelChart::new(ChartType::ColumnStacked);
    let n_above = columns.above.len();
    for (n, series) in columns.above.iter().chain(&columns.below).enumerate() {
        let fill = theme.colour(series.slot);
        let fill = if n < n_above { fill } else { fill.lighter(BELOW_LIGHTER) };
        let column = FIRST + 1 + u16::try_from(n).unwrap_or(0);
        chart
            .add_series()
            .set_name((sheet.name.as_str(), header, column))
            .set_categories((sheet.name.as_str(), header + 1, FIRST, last, FIRST))
            .set_values((sheet.name.as_str(), header + 1, column, last, column))
            .set_format(&mut filled(fill))
            .set_gap(45)
            .set_overlap(100)
            .delete_from_legend(n >= n_above && n_above > 0);
    }
    let has_legend = columns.above.len().max(columns.below.len()) > 1;
    let Columns { key, alt, x_title, y_title, .. } = columns;
    frame(&mut chart, theme, &Frame { key, alt, x_title, y_title, has_legend });
    chart
}

/// What a chart over months has around it.
pub(super) struct Frame<'a> {
    pub(super) key: &'a str,
    pub(super) alt: &'a str,
    pub(super) x_title: &'a str,
    pub(super) y_title: &'a str,
    pub(super) has_legend: bool,
}

/// Axes, gridlines, legend and alternative text.
pub(super) fn frame(chart: &mut ExcelChart, theme: &Theme, frame: &Frame<'_>) {
    let font = font(theme.grey, 9);
    let mut line = ChartLine::new();
    line.set_color(colour(theme.line)).set_width(0.75);
    let mut ink = ChartLine::new();
    ink.set_color(colour(theme.ink)).set_width(0.75);
    chart
        .x_axis()
        .set_text_axis(true)
        .set_num_format("mmm yyyy")
        .set_label_position(ChartAxisLabelPosition::Low)
        .set_font(&font)
        .set_format(ChartFormat::new().set_line(&ink))
        .set_name(words(frame.x_title).as_str())
        .set_name_font(&font);
    chart
        .y_axis()
        .set_num_format(quantities(0))
        .set_font(&font)
        .set_major_gridlines(true)
        .set_major_gridlines_line(&line)
        .set_format(ChartFormat::new().set_no_line())
        .set_name(words(frame.y_title).as_str())
        .set_name_font(&font);
    plain(chart, frame.key, frame.alt);
    if frame.has_legend {
        chart.legend().set_position(ChartLegendPosition::Top).set_font(&font);
    } else {
        chart.legend().set_hidden();
    }
}

/// No title and no border; a name and an alternative text.
pub(super) fn plain(chart: &mut ExcelChart, key: &str, alt: &str) {
    chart.title().set_hidden();
    chart.chart_area().set_format(ChartFormat::new().set_no_border());
    chart.show_empty_cells_as(ChartEmptyCells::Gaps);
    chart.set_object_movement(ObjectMovement::MoveButDontSizeWithCells);
    chart.set_name(key).set_alt_text(alt_text(alt));
}

fn draw_donut(sheet: &Sheet<'_>, donut: &Donut, (header, last): (u32, u32)) -> ExcelChart {
    let theme = sheet.look.theme();
    let mut chart = ExcelChart::new(ChartType::Doughnut);
    let mut white = ChartLine::new();
    white.set_color(Color::White).set_width(1.5);
    let points: Vec<ChartPoint> = donut
        .slices
        .iter()
        .map(|slice| ChartPoint::new().set_format(filled(theme.colour(slice.slot)).set_border(&white)))
        .collect();
    let labels: Vec<ChartDataLabel> =
        donut.slices.iter().map(|slice| label(theme, donut, slice.value, slice.slot)).collect();
    chart
        .add_series()
        .set_name((sheet.name.as_str(), header, FIRST + 1))
        .set_categories((sheet.name.as_str(), header + 1, FIRST, last, FIRST))
        .set_values((sheet.name.as_str(), header + 1, FIRST + 1, last, FIRST + 1))
        .set_points(&points)
        .set_data_label(ChartDataLabel::new().show_percentage().set_num_format("0.0%"))
        .set_custom_data_labels(&labels);
    chart.set_hole_size(58);
    chart.title().set_hidden();
    chart.legend().set_position(ChartLegendPosition::Right).set_font(&font(theme.ink, 10));
    chart.chart_area().set_format(ChartFormat::new().set_no_border());
    chart.set_object_movement(ObjectMovement::MoveButDontSizeWithCells);
    chart.set_name(&donut.key).set_alt_text(alt_text(&donut.alt));
    chart
}

/// A slice's share on its slice, in the colour that can be read there.
fn label(theme: &Theme, donut: &Donut, value: Quantity, slot: Slot) -> ChartDataLabel {
    let share = Ratio::new(value, donut.centre).map_or(0.0, Ratio::to_f64);
    if share < LABEL_SHARE_MIN {
        return ChartDataLabel::new().set_hidden().to_custom();
    }
    ChartDataLabel::new().set_font(&font_on(theme, theme.colour(slot))).to_custom()
}

/// The font of a label on a ground, in the colour that can be read there.
pub(super) fn font_on(theme: &Theme, ground: Colour) -> ChartFont {
    // Luma of ITU-R BT.601 tells dark grounds from light ones well enough.
    let luma = 299 * u32::from(ground.0) + 587 * u32::from(ground.1) + 114 * u32::from(ground.2);
    font(if luma < 128_000 { Colour(255, 255, 255) } else { theme.ink }, 9)
}

/// A KPI's course as small columns, the current month in full colour.
pub(super) fn put_micro(
    sheet: &mut Sheet<'_>,
    shared: &mut Shared,
    kpi: &Kpi,
    at: (u32, u16),
    (width, height): (u32, u32),
) -> Result<(), RenderError> {
    if kpi.trend.iter().all(Option::is_none) {
        return Ok(());
    }
    let row = shared.lists.add("KPI", &kpi.label, &kpi.trend)?;
    let theme = sheet.look.theme();
    let accent = theme.colour(Slot::Accent);
    let points: Vec<ChartPoint> = (0..kpi.trend.len())
        .map(|n| {
            ChartPoint::new().set_format(&mut filled(if kpi.trend_current == Some(n) {
                accent
            } else {
                accent.lighter(55)
            }))
        })
        .collect();
    let last = Lists::VALUES + u16::try_from(kpi.trend.len()).unwrap_or(1) - 1;
    let mut chart = ExcelChart::new(ChartType::Column);
    chart
        .add_series()
        .set_name((LISTS, row, Lists::NAMES))
        .set_values((LISTS, row, Lists::VALUES, row, last))
        .set_format(&mut filled(accent.lighter(55)))
        .set_points(&points)
        .set_gap(35);
    chart.title().set_hidden();
    chart.legend().set_hidden();
    chart.x_axis().set_hidden(true);
    chart.y_axis().set_hidden(true).set_min(0).set_major_gridlines(false);
    chart.chart_area().set_format(ChartFormat::new().set_no_border().set_no_fill());
    chart.plot_area().set_format(ChartFormat::new().set_no_border().set_no_fill());
    chart.set_object_movement(ObjectMovement::MoveButDontSizeWithCells);
    chart.set_name(format!("{} by month", kpi.key)).set_alt_text(alt_text(&kpi.alt));
    chart.set_width(width).set_height(height);
    sheet.sheet.insert_chart_with_offset(at.0, at.1, &chart, 12, 5)?;
    Ok(())
}

pub(super) fn filled(fill: Colour) -> ChartFormat {
    let mut format = ChartFormat::new();
    format.set_solid_fill(ChartSolidFill::new().set_color(colour(fill))).set_no_border();
    format
}

pub(super) fn font(ink: Colour, points: u32) -> ChartFont {
    let mut font = ChartFont::new();
    font.set_color(colour(ink)).set_size(points).unset_bold();
    font
}

/// Words for an axis; the crate reads what begins with `=` as a reference.
fn words(text: &str) -> String {
    plain_text(text).trim_start_matches('=').to_owned()
}
