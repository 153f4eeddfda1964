//! The largest parts of a group of the reader's choice: a pie where they make up a whole, bars where they may overlap.

use rust_xlsxwriter::{
    Chart as ExcelChart, ChartDataLabel, ChartLine, ChartPoint, ChartType, Color, ConditionalFormatCell,
    ConditionalFormatCellRule, Format,
};

use crate::base::Quantity;
use crate::render::xlsx::cell::{ABSENT, Cached, put_formula, put_number, put_text};
use crate::render::xlsx::chart;
use crate::render::xlsx::lists::{Lists, escaped};
use crate::render::xlsx::look::{Place, colour, quantities};
use crate::render::xlsx::plan::FIRST;
use crate::render::xlsx::sheet::{ROW_POINTS, Shared, Sheet};
use crate::render::xlsx::table::growth_words;
use crate::render::{Colour, RenderError, Theme};
use crate::report::{GroupPart, PartChoice, PartGroup, Slot};

use super::{Selector, figure, labels, looked_up, put_drawn, put_headings, put_title, quantity_format, show_decimals};

/// Where value, share and growth of a part stand in the lists.
const VALUE: u16 = Lists::VALUES;
const SHARE: u16 = VALUE + 1;
const GROWTH: u16 = VALUE + 2;

/// Shares below 4 % have no label on their slice: they would lie upon each other.
const SHARES: &str = "[<0.04]\"\";0.0%";

/// How much lighter the n-th slice is than the first, in percent of white; the last stands for all others.
const LIGHTER: [u8; 5] = [0, 28, 48, 64, 78];

/// How many rows of 24 pixels the chart covers at least.
const N_ROWS_MIN: u32 = 9;

/// Title, selector and a gap.
const N_SELECTOR_ROWS: u32 = 4;

/// What is chosen from, and the name that all its names begin with.
struct Listed<'c> {
    choice: &'c PartChoice,
    name: String,
    groups: Vec<String>,
    /// The group that is shown before anything is chosen.
    group: &'c PartGroup,
    /// How many rows there are: as many as the group with most parts has.
    n_rows: usize,
}

/// Part, value and share, and growth where bars are drawn.
pub(super) fn n_columns(choice: &PartChoice) -> usize {
    if choice.is_whole { 3 } else { 4 }
}

pub(super) fn put(sheet: &mut Sheet<'_>, shared: &mut Shared, choice: &PartChoice) -> Result<(), RenderError> {
    let Some(listed) = list(shared, choice)? else { return Ok(()) };
    let n_chart_rows = N_ROWS_MIN.max(listed.n_rows as u32 + 2);
    put_title(sheet, &choice.title, N_SELECTOR_ROWS + n_chart_rows + listed.n_rows as u32 + 3)?;
    put_selector(sheet, shared, &listed)?;
    sheet.gap(6.0)?;
    let above = sheet.row;
    let right = FIRST + u16::try_from(n_columns(choice)).unwrap_or(0);
    let is_beside = sheet.plan.pixels_from(right) >= chart::WIDTH_MIN;
    if !is_beside {
        sheet.row += n_chart_rows;
    }
    let rows = put_figures(sheet, shared, &listed)?;
    put_total(sheet, shared, &listed)?;
    let drawn = draw(sheet, &listed, rows);
    let width_max = if choice.is_whole { chart::WIDTH_DONUT } else { chart::WIDTH_MAX };
    chart::insert(sheet, drawn, (above, if is_beside { right } else { FIRST }), n_chart_rows, width_max)?;
    sheet.row = sheet.row.max(above + n_chart_rows);
    sheet.gap(12.0)
}

/// Writes the groups and their parts into the lists.
fn list<'c>(shared: &mut Shared, choice: &'c PartChoice) -> Result<Option<Listed<'c>>, RenderError> {
    let n_rows = choice.groups.iter().map(|group| group.parts.len()).max().unwrap_or(0);
    let Some(group) = choice.groups.first().filter(|_| n_rows > 0) else { return Ok(None) };
    let name = shared.names.table(&choice.key);
    let groups = labels(choice.groups.iter().map(|group| group.name.as_str()));
    let lists = &mut shared.lists;
    let (mut rows, mut first) = (Vec::new(), 1);
    for (label, group) in groups.iter().zip(&choice.groups) {
        let row = lists.begin(&name, label)?;
        let n = group.parts.len() as i64;
        lists.put(row, Lists::VALUES, &[Some(Quantity::whole(first)), Some(Quantity::whole(n)), group.whole])?;
        if !group.note.is_empty() {
            put_text(&mut lists.sheet, (row, Lists::VALUES + 3), &group.note, &Format::default())?;
        }
        first += n;
        rows.push(row);
    }
    for (column, of) in [(Lists::NAMES, "groups"), (2, "firsts"), (3, "counts"), (4, "wholes"), (5, "notes")] {
        lists.name_rows(&format!("{name}_{of}"), &rows, column);
    }
    rows.clear();
    for (label, group) in groups.iter().zip(&choice.groups) {
        for part in &group.parts {
            let row = lists.begin(label, &looked_up(&part.name))?;
            lists.put(row, VALUE, &[part.value])?;
            put_rates(lists, row, part)?;
            rows.push(row);
        }
    }
    for (column, of) in [(Lists::NAMES, "parts"), (VALUE, "values"), (SHARE, "shares"), (GROWTH, "growths")] {
        lists.name_rows(&format!("{name}_{of}"), &rows, column);
    }
    Ok(Some(Listed { choice, name, groups, group, n_rows }))
}

/// Share and growth of a part.
fn put_rates(lists: &mut Lists, row: u32, part: &GroupPart) -> Result<(), RenderError> {
    let rates = [(SHARE, part.share.map(|share| share.to_f64())), (GROWTH, part.growth.to_f64())];
    for (column, rate) in rates {
        let words = if column == GROWTH { growth_words(part.growth) } else { ABSENT.to_owned() };
        match rate {
            Some(rate) => put_number(&mut lists.sheet, (row, column), rate, &Format::default())?,
            None => put_text(&mut lists.sheet, (row, column), &words, &Format::default())?,
        }
    }
    Ok(())
}

fn put_selector(sheet: &mut Sheet<'_>, shared: &mut Shared, listed: &Listed<'_>) -> Result<(), RenderError> {
    let Listed { choice, name, groups, group, .. } = listed;
    let words = sheet.look.selector("@");
    let (list, chosen) = (format!("={name}_groups"), format!("{name}_chosen_group"));
    let selector = Selector { label: &choice.group_label, list: &list, name: &chosen, format: words.clone() };
    let at = selector.put(sheet, shared)?;
    put_text(&mut sheet.sheet, at, groups.first().map_or("", String::as_str), &words)?;
    let found = format!("IFERROR(MATCH({},{name}_groups,0),1)", escaped(&chosen));
    for (of, formula, result) in [
        ("group", found, 1),
        ("first", format!("INDEX({name}_firsts,{name}_group)"), 1),
        ("count", format!("INDEX({name}_counts,{name}_group)"), group.parts.len()),
    ] {
        shared.lists.compute(&format!("{name}_{of}"), &formula, Cached::Number(result as f64))?;
    }
    Ok(())
}

/// A row a part; rows beyond the group's last are empty.
fn put_figures(sheet: &mut Sheet<'_>, shared: &mut Shared, listed: &Listed<'_>) -> Result<(u32, u32), RenderError> {
    let Listed { choice, name, group, groups, n_rows } = listed;
    let header =
        put_headings(sheet, &[&choice.part_label, &choice.value_label, "Share", "Growth"][..n_columns(choice)])?;
    if !choice.is_whole {
        // What the parts are follows the choice.
        let format = sheet.look.header(false, false);
        let first = groups.first().map_or("", String::as_str);
        put_formula(
            &mut sheet.sheet,
            (header, FIRST),
            &format!("INDEX({name}_groups,{name}_group)"),
            Cached::Text(first),
            &format,
        )?;
    }
    let formats = [
        sheet.look.wrapped(sheet.look.text(Place::Row)),
        quantity_format(sheet, Place::Row),
        sheet.look.ratio(Place::Row),
        sheet.look.growths(Place::Row),
    ];
    for n in 0..*n_rows {
        let row = sheet.row;
        sheet.sheet.set_row_height(row, ROW_POINTS)?;
        let part = group.parts.get(n);
        let part_name = part.map(|part| looked_up(&part.name)).unwrap_or_default();
        let words = part.map(|part| growth_words(part.growth)).unwrap_or_default();
        for ((of, format), column) in
            ["parts", "values", "shares", "growths"].iter().zip(&formats).zip(FIRST..).take(n_columns(choice))
        {
            let format = if column == FIRST && choice.is_whole { &marked(sheet, format, n) } else { format };
            let formula = format!("IF({n}<{name}_count,INDEX({name}_{of},{name}_first+{n}),\"\")");
            let result = part.map_or(Cached::Text(""), |part| result(part, of, (&part_name, &words)));
            put_drawn(sheet, shared, (row, column), &formula, result, format)?;
        }
        sheet.row += 1;
    }
    let last = sheet.row - 1;
    let right = FIRST + u16::try_from(n_columns(choice)).unwrap_or(1) - 1;
    shared.lists.name_on(&sheet.name, &format!("{name}_shown"), (header + 1, FIRST), (last, right));
    show_decimals(sheet, quantities_of(choice), (header + 1, FIRST + 1), (last + 1, FIRST + 1))?;
    if !choice.is_whole {
        colour_growths(sheet, (header + 1, last))?;
    }
    Ok((header, last))
}

/// Every figure of a choice.
pub(super) fn quantities_of(choice: &PartChoice) -> impl Iterator<Item = Quantity> {
    choice.groups.iter().flat_map(|group| group.parts.iter().filter_map(|part| part.value).chain(group.whole))
}

fn result<'a>(part: &GroupPart, of: &str, (name, growth): (&'a str, &'a str)) -> Cached<'a> {
    match of {
        "parts" => Cached::Text(name),
        "values" => figure(part.value),
        "shares" => part.share.map_or(Cached::Text(ABSENT), |share| Cached::Number(share.to_f64())),
        _ => part.growth.to_f64().map_or(Cached::Text(growth), Cached::Number),
    }
}

/// The n-th name with its slice's colour at its left.
fn marked(sheet: &Sheet<'_>, format: &Format, n: usize) -> Format {
    sheet.look.edged(format.clone(), shade(sheet.look.theme(), n))
}

/// The colour of the n-th slice.
fn shade(theme: &Theme, n: usize) -> Colour {
    theme.colour(Slot::Accent).lighter(LIGHTER[n % LIGHTER.len()])
}

/// Growth in the colour of its direction, which changes with the choice.
fn colour_growths(sheet: &mut Sheet<'_>, (first, last): (u32, u32)) -> Result<(), RenderError> {
    let theme = sheet.look.theme();
    for (rule, ink) in [
        (ConditionalFormatCellRule::Between(0.000_000_1, 1e15), theme.rise),
        (ConditionalFormatCellRule::LessThan(0.0), theme.fall),
    ] {
        let format = ConditionalFormatCell::new().set_rule(rule).set_format(Format::new().set_font_color(colour(ink)));
        sheet.sheet.add_conditional_format(first, FIRST + 3, last, FIRST + 3, &format)?;
    }
    Ok(())
}

/// The group's total, and what there is to say of it.
fn put_total(sheet: &mut Sheet<'_>, shared: &mut Shared, listed: &Listed<'_>) -> Result<(), RenderError> {
    let Listed { choice, name, group, .. } = listed;
    let (row, words, quantities) = (sheet.row, sheet.look.text(Place::Total), quantity_format(sheet, Place::Total));
    put_text(&mut sheet.sheet, (row, FIRST), "All", &words)?;
    let whole = format!("INDEX({name}_wholes,{name}_group)");
    put_formula(&mut sheet.sheet, (row, FIRST + 1), &whole, figure(group.whole), &quantities)?;
    for column in 2..n_columns(choice) {
        put_text(&mut sheet.sheet, (row, FIRST + column as u16), "", &words)?;
    }
    shared.lists.name_on(&sheet.name, &format!("{name}_total"), (row, FIRST), (row, FIRST + 1));
    sheet.row += 1;
    if choice.groups.iter().any(|group| !group.note.is_empty()) {
        let note = format!("INDEX({name}_notes,{name}_group)");
        let shown = format!("IF({note}=0,\"\",{note})");
        put_formula(&mut sheet.sheet, (sheet.row, FIRST), &shown, Cached::Text(&group.note), &sheet.look.note())?;
        sheet.row += 1;
    }
    Ok(())
}

fn draw(sheet: &Sheet<'_>, listed: &Listed<'_>, (header, last): (u32, u32)) -> ExcelChart {
    let Listed { choice, n_rows, .. } = listed;
    let theme = sheet.look.theme();
    let mut drawn = ExcelChart::new(if choice.is_whole { ChartType::Pie } else { ChartType::Bar });
    let series = drawn
        .add_series()
        .set_name((sheet.name.as_str(), header, FIRST + 1))
        .set_categories((sheet.name.as_str(), header + 1, FIRST, last, FIRST))
        .set_values((sheet.name.as_str(), header + 1, FIRST + 1, last, FIRST + 1));
    if choice.is_whole {
        let mut white = ChartLine::new();
        white.set_color(Color::White).set_width(1.5);
        let point = |n| ChartPoint::new().set_format(chart::filled(shade(theme, n)).set_border(&white));
        let points: Vec<ChartPoint> = (0..*n_rows).map(point).collect();
        let labels: Vec<ChartDataLabel> = (0..*n_rows)
            .map(|n| ChartDataLabel::new().set_font(&chart::font_on(theme, shade(theme, n))).to_custom())
            .collect();
        series
            .set_points(&points)
            .set_data_label(ChartDataLabel::new().show_percentage().set_num_format(SHARES))
            .set_custom_data_labels(&labels);
    } else {
        series.set_format(&mut chart::filled(theme.colour(Slot::Accent).lighter(25))).set_gap(40).set_data_label(
            ChartDataLabel::new().show_value().set_num_format(quantities(0)).set_font(&chart::font(theme.ink, 9)),
        );
        // The crate's x axis of bars is the one below them.
        drawn.y_axis().set_reverse().set_font(&chart::font(theme.ink, 9)).set_major_gridlines(false);
        drawn.x_axis().set_hidden(true).set_min(0).set_major_gridlines(false);
    }
    drawn.legend().set_hidden();
    chart::plain(&mut drawn, &choice.key, &choice.alt);
    drawn
}
