//! Added and removed by month: of a group and a course in it, from a month to another.
//!
//! Row *i* shows month `MIN(from + i, to)`, so that the rows past the last month repeat it: on an axis of dates the
//! chart then really zooms. What repeats is white on white and counts in no total.

use rust_xlsxwriter::{
    Chart as ExcelChart, ChartAxisDateUnitType, ChartType, ConditionalFormatFormula, Format, utility,
};

use crate::base::Quantity;
use crate::render::RenderError;
use crate::render::xlsx::cell::{ABSENT, Cached, put_formula, put_month, put_text};
use crate::render::xlsx::chart::{self, Frame};
use crate::render::xlsx::lists::{Lists, escaped};
use crate::render::xlsx::look::{Place, colour};
use crate::render::xlsx::plan::FIRST;
use crate::render::xlsx::sheet::{ROW_POINTS, Shared, Sheet};
use crate::report::{FlowChoice, FlowCourse, Slot};

use super::{BESIDE, Selector, figure, labels, put_drawn, put_headings, put_title, quantity_format, show_decimals};

/// Title, four selectors and a gap.
const N_SELECTOR_ROWS: u32 = 7;

/// What is chosen from, and the name that all its names begin with.
struct Listed<'c> {
    choice: &'c FlowChoice,
    name: String,
    groups: Vec<String>,
    /// The first group's first course and its name: what is shown before anything is chosen.
    course: &'c FlowCourse,
    course_name: String,
}

pub(super) fn put(sheet: &mut Sheet<'_>, shared: &mut Shared, choice: &FlowChoice) -> Result<(), RenderError> {
    let Some(listed) = list(shared, choice)? else { return Ok(()) };
    put_title(sheet, &choice.title, N_SELECTOR_ROWS + chart::N_ROWS + choice.months.len() as u32 + 2)?;
    put_selectors(sheet, shared, &listed)?;
    sheet.gap(6.0)?;
    let above = sheet.row;
    sheet.row += chart::N_ROWS;
    let rows = put_figures(sheet, shared, &listed)?;
    put_total(sheet, shared, &listed)?;
    let drawn = draw(sheet, choice, rows);
    chart::insert(sheet, drawn, (above, FIRST), chart::N_ROWS, chart::WIDTH_MAX)?;
    sheet.gap(12.0)
}

/// Writes the groups, their courses and the months into the lists.
fn list<'c>(shared: &mut Shared, choice: &'c FlowChoice) -> Result<Option<Listed<'c>>, RenderError> {
    let Some(course) = choice.groups.first().and_then(|group| group.courses.first()) else { return Ok(None) };
    let name = shared.names.table(&choice.key);
    let groups = labels(choice.groups.iter().map(|group| group.name.as_str()));
    let lists = &mut shared.lists;
    let n_months = u16::try_from(choice.months.len()).unwrap_or(0);
    let (added, removed) = (Lists::VALUES, Lists::VALUES + n_months);
    let months = lists.begin(&name, "months")?;
    for (column, month) in (added..).zip(&choice.months) {
        put_month(&mut lists.sheet, (months, column), *month, &Format::new().set_num_format("mmm yyyy"))?;
    }
    lists.name(&format!("{name}_months"), (months, added), (months, removed - 1));
    let mut first_course = 1;
    let mut rows = Vec::new();
    for (label, group) in groups.iter().zip(&choice.groups) {
        let row = lists.begin(&name, label)?;
        let n = group.courses.len() as i64;
        lists.put(row, Lists::VALUES, &[Some(Quantity::whole(first_course)), Some(Quantity::whole(n))])?;
        first_course += n;
        rows.push(row);
    }
    lists.name_rows(&format!("{name}_groups"), &rows, Lists::NAMES);
    lists.name_rows(&format!("{name}_firsts"), &rows, Lists::VALUES);
    lists.name_rows(&format!("{name}_counts"), &rows, Lists::VALUES + 1);
    let mut course_name = None;
    let mut rows = Vec::new();
    for (label, group) in groups.iter().zip(&choice.groups) {
        let names = labels(group.courses.iter().map(|course| course.name.as_str()));
        for (course, of) in group.courses.iter().zip(names) {
            let row = lists.begin(label, &of)?;
            lists.put(row, added, &course.added)?;
            let below: Vec<Option<Quantity>> = course.removed.iter().map(|value| value.map(|value| -value)).collect();
            lists.put(row, removed, &below)?;
            rows.push(row);
            course_name.get_or_insert(of);
        }
    }
    lists.name_rows(&format!("{name}_courses"), &rows, Lists::NAMES);
    if let (Some(first), Some(last)) = (rows.first(), rows.last()) {
        lists.name(&format!("{name}_added"), (*first, added), (*last, removed - 1));
        lists.name(&format!("{name}_removed"), (*first, removed), (*last, removed + n_months - 1));
    }
    Ok(course_name.map(|course_name| Listed { choice, name, groups, course, course_name }))
}

/// Product, SKU, first and last month, and what follows from them in the lists.
fn put_selectors(sheet: &mut Sheet<'_>, shared: &mut Shared, listed: &Listed<'_>) -> Result<(), RenderError> {
    let Listed { choice, name, groups, course_name, .. } = listed;
    let (words, months) = (sheet.look.selector("@"), sheet.look.selector("mmm yyyy"));
    let selector = |label, list: &str, of: &str, format: &Format, sheet: &mut Sheet<'_>, shared: &mut Shared| {
        let (list, name) = (format!("={list}"), format!("{name}_chosen_{of}"));
        Selector { label, list: &list, name: &name, format: format.clone() }.put(sheet, shared)
    };
    let at = selector(&choice.group_label, &format!("{name}_groups"), "group", &words, sheet, shared)?;
    put_text(&mut sheet.sheet, at, groups.first().map_or("", String::as_str), &words)?;
    let of_group = courses(name);
    let at = selector(&choice.course_label, &of_group, "course", &words, sheet, shared)?;
    put_text(&mut sheet.sheet, at, course_name, &words)?;
    let found = format!("MATCH({},{of_group},0)", escaped(&format!("{name}_chosen_course")));
    // No foreign text stands in a formula.
    let lost = "\"Not in the list any more: all are shown\"";
    let note = sheet.look.note();
    put_formula(
        &mut sheet.sheet,
        (at.0, BESIDE),
        &format!("IF(ISNUMBER({found}),\"\",{lost})"),
        Cached::Text(""),
        &note,
    )?;
    let list_of_months = format!("{name}_months");
    for (label, of, month) in
        [("First month", "from", choice.months.first()), ("Last month", "to", choice.months.last())]
    {
        let at = selector(label, &list_of_months, of, &months, sheet, shared)?;
        if let Some(month) = month {
            put_month(&mut sheet.sheet, at, *month, &months)?;
        }
        if of == "to" {
            let late =
                format!("IF({name}_chosen_to<{name}_chosen_from,\"Before the first month: that one is shown\",\"\")");
            put_formula(&mut sheet.sheet, (at.0, BESIDE), &late, Cached::Text(""), &note)?;
        }
    }
    compute(shared, listed, &found)
}

/// The courses of the chosen group, as a range.
fn courses(name: &str) -> String {
    format!("INDEX({name}_courses,{name}_first):INDEX({name}_courses,{name}_first+{name}_count-1)")
}

/// Which rows and months of the lists are shown.
fn compute(shared: &mut Shared, listed: &Listed<'_>, found: &str) -> Result<(), RenderError> {
    let Listed { choice, name, .. } = listed;
    let n = choice.months.len();
    let n_courses = choice.groups.first().map_or(0, |group| group.courses.len());
    let group = escaped(&format!("{name}_chosen_group"));
    let last = format!("IFERROR(MATCH({name}_chosen_to,{name}_months,0),{n})");
    for (of, formula, result) in [
        ("group", format!("IFERROR(MATCH({group},{name}_groups,0),1)"), 1),
        ("first", format!("INDEX({name}_firsts,{name}_group)"), 1),
        ("count", format!("INDEX({name}_counts,{name}_group)"), n_courses),
        ("row", format!("{name}_first+IFERROR({found},1)-1"), 1),
        ("from", format!("IFERROR(MATCH({name}_chosen_from,{name}_months,0),1)"), 1),
        ("to", format!("MAX({name}_from,{last})"), n),
    ] {
        shared.lists.compute(&format!("{name}_{of}"), &formula, Cached::Number(result as f64))?;
    }
    Ok(())
}

/// A row a month; says which row has the headings and which is the last.
fn put_figures(sheet: &mut Sheet<'_>, shared: &mut Shared, listed: &Listed<'_>) -> Result<(u32, u32), RenderError> {
    let Listed { choice, name, course, .. } = listed;
    let header = put_headings(sheet, &["Month", "Added", "Removed"])?;
    let (months, numbers) = (sheet.look.month(Place::Row), quantity_format(sheet, Place::Row));
    for (n, month) in choice.months.iter().enumerate() {
        let row = sheet.row;
        sheet.sheet.set_row_height(row, ROW_POINTS)?;
        let at = format!("MIN({name}_from+{n},{name}_to)");
        put_drawn(sheet, shared, (row, FIRST), &format!("INDEX({name}_months,{at})"), Cached::Month(*month), &months)?;
        for (column, of, value) in
            [(1, "added", value(&course.added, n)), (2, "removed", value(&course.removed, n).map(|value| -value))]
        {
            let formula = format!("INDEX({name}_{of},{name}_row,{at})");
            put_drawn(sheet, shared, (row, FIRST + column), &formula, figure(value), &numbers)?;
        }
        sheet.row += 1;
    }
    let last = sheet.row - 1;
    shared.lists.name_on(&sheet.name, &format!("{name}_shown"), (header + 1, FIRST), (last, FIRST + 2));
    if last > header + 1 {
        hide_repeated(sheet, header + 2, last)?;
    }
    show_decimals(sheet, quantities(choice), (header + 1, FIRST + 1), (last + 1, FIRST + 2))?;
    Ok((header, last))
}

/// Every figure of a choice.
pub(super) fn quantities(choice: &FlowChoice) -> impl Iterator<Item = Quantity> {
    let courses = choice.groups.iter().flat_map(|group| &group.courses);
    courses.flat_map(|course| course.added.iter().chain(&course.removed)).flatten().copied()
}

/// Months that repeat the one above are white on white.
fn hide_repeated(sheet: &mut Sheet<'_>, first: u32, last: u32) -> Result<(), RenderError> {
    let cell = |row| format!("${}", utility::row_col_to_cell(row, FIRST));
    let white = Format::new().set_font_color(colour(crate::render::Colour(255, 255, 255)));
    let rule = ConditionalFormatFormula::new()
        .set_rule(format!("{}={}", cell(first), cell(first - 1)).as_str())
        .set_format(white);
    sheet.sheet.add_conditional_format(first, FIRST, last, FIRST + 2, &rule)?;
    Ok(())
}

/// The sums of the months shown, each once.
fn put_total(sheet: &mut Sheet<'_>, shared: &mut Shared, listed: &Listed<'_>) -> Result<(), RenderError> {
    let Listed { name, course, .. } = listed;
    let row = sheet.row;
    let (words, quantities) = (sheet.look.text(Place::Total), quantity_format(sheet, Place::Total));
    put_text(&mut sheet.sheet, (row, FIRST), "In all", &words)?;
    for (column, of, values, is_below) in [(1, "added", &course.added, false), (2, "removed", &course.removed, true)] {
        let known: Vec<Quantity> = values.iter().flatten().copied().collect();
        let sum: Quantity = known.iter().copied().sum();
        let sum = (!known.is_empty()).then_some(if is_below { -sum } else { sum });
        let range = format!("INDEX({name}_{of},{name}_row,{name}_from):INDEX({name}_{of},{name}_row,{name}_to)");
        let formula = format!("IF(COUNT({range})=0,\"{ABSENT}\",SUM({range}))");
        put_formula(&mut sheet.sheet, (row, FIRST + column), &formula, figure(sum), &quantities)?;
    }
    shared.lists.name_on(&sheet.name, &format!("{name}_total"), (row, FIRST), (row, FIRST + 2));
    sheet.row += 1;
    Ok(())
}

fn value(values: &[Option<Quantity>], n: usize) -> Option<Quantity> {
    values.get(n).copied().flatten()
}

fn draw(sheet: &Sheet<'_>, choice: &FlowChoice, (header, last): (u32, u32)) -> ExcelChart {
    let theme = sheet.look.theme();
    let accent = theme.colour(Slot::Accent);
    let mut drawn = ExcelChart::new(ChartType::ColumnStacked);
    for (column, fill) in [(FIRST + 1, accent), (FIRST + 2, accent.lighter(chart::BELOW_LIGHTER))] {
        drawn
            .add_series()
            .set_name((sheet.name.as_str(), header, column))
            .set_categories((sheet.name.as_str(), header + 1, FIRST, last, FIRST))
            .set_values((sheet.name.as_str(), header + 1, column, last, column))
            .set_format(&mut chart::filled(fill))
            .set_gap(45)
            .set_overlap(100);
    }
    let (key, alt, y_title) = (&choice.key, &choice.alt, &choice.y_title);
    chart::frame(&mut drawn, theme, &Frame { key, alt, x_title: "Months", y_title, has_legend: true });
    drawn.x_axis().set_date_axis(true).set_major_unit_date_type(ChartAxisDateUnitType::Months);
    drawn
}
