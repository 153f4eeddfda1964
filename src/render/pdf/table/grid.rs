//! The columns of a table: how wide each is and where it stands.

use super::size_of;
use crate::render::pdf::kpis::SIGN;
use crate::render::pdf::look::{BODY, SMALL};
use crate::render::pdf::mark::{DOT_WIDTH, Room};
use crate::render::text::{Direction, FontSet, Weight, shape};
use crate::report::{ColumnKind, Table, Value};

/// Where a column stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) x: f32,
    pub(super) width: f32,
    /// Whether its cells begin at its left edge.
    pub(super) is_left: bool,
    /// How much of it is a bar, from its left edge.
    pub(super) bar: f32,
}

/// A table's columns.
#[derive(Debug)]
pub(super) struct Grid {
    pub(super) columns: Vec<Place>,
    /// The size of its text.
    pub(super) size: f32,
    /// The column whose bars stand below the names, where there is no room beside the figures.
    pub(super) bar_below: Option<usize>,
    /// The largest quantity of each column: the length of a whole bar.
    pub(super) largest: Vec<f32>,
}

/// Below this width a table has its bars below the names.
const NARROW: f32 = 340.0;
/// The least that a column of names is given before anything else is made smaller.
const NAME_MIN: f32 = 60.0;
/// A name up to this width is worth narrower spaces.
const NAME_WHOLE_MAX: f32 = 170.0;
/// The least space between two columns in a panel.
const GAP_NARROW: f32 = 6.0;
/// A longer word of a label is broken.
const WORD_MAX: f32 = 80.0;
/// The least and the most of a micro chart.
const TREND_MIN: f32 = 34.0;
const TREND_MAX: f32 = 74.0;
/// The least and the most of a bar beside its figure.
const BAR_MIN: f32 = 36.0;
const BAR_MAX: f32 = 110.0;

/// How narrow a table can be before its figures or names suffer.
pub(in crate::render::pdf) fn width_min(table: &Table, fonts: &FontSet) -> f32 {
    let needs = needs(table, BODY, true, fonts);
    let names = table.columns.iter().filter(|column| is_name(column.kind)).count();
    let gaps = GAP_NARROW * table.columns.len().saturating_sub(1) as f32;
    let figures: f32 = needs.iter().filter(|need| !need.is_name).map(|need| need.cells.max(need.word)).sum();
    figures + gaps + NAME_MIN * names as f32
}

/// The space between columns: the widest that leaves long names whole.
fn gap(needs: &[Need], is_narrow: bool, width: f32) -> f32 {
    let asked: f32 = needs.iter().map(|need| need.cells.max(need.word).min(NAME_WHOLE_MAX)).sum();
    let n_gaps = needs.len().saturating_sub(1).max(1) as f32;
    let (least, most) = if is_narrow { (GAP_NARROW, 8.0) } else { (8.0, 14.0) };
    ((width - asked) / n_gaps).clamp(least, most)
}

fn is_name(kind: ColumnKind) -> bool {
    kind == ColumnKind::Text
}

/// What a column asks for.
struct Need {
    is_name: bool,
    is_trend: bool,
    /// Its widest cell.
    cells: f32,
    /// Its label in one line, and the label's longest word.
    label: f32,
    word: f32,
}

fn needs(table: &Table, size: f32, is_narrow: bool, fonts: &FontSet) -> Vec<Need> {
    let width = |text: &str| shape(text, Weight::Regular, Direction::Ltr, fonts).width * SMALL;
    let no_head = is_narrow && table.columns.len() <= 3;
    table
        .columns
        .iter()
        .enumerate()
        .map(|(n, column)| {
            let label_width = |text: &str| if no_head { 0.0 } else { width(text) };
            let rows = table.rows.iter().filter_map(|row| row.get(n)).map(|value| (value, Weight::Regular));
            let total =
                table.total.iter().filter_map(|total| total.cells.get(n)).map(|value| (value, Weight::SemiBold));
            let cells = match column.kind {
                ColumnKind::Trend if is_narrow => TREND_MIN,
                ColumnKind::Trend => 60.0,
                _ => {
                    rows.chain(total).map(|(value, weight)| cell_width(value, weight, size, fonts)).fold(0.0, f32::max)
                }
            };
            Need {
                is_name: is_name(column.kind),
                is_trend: column.kind == ColumnKind::Trend,
                cells,
                label: label_width(&column.label),
                word: column.label.split_whitespace().map(label_width).fold(0.0, f32::max).min(WORD_MAX),
            }
        })
        .collect()
}

fn cell_width(value: &Value, weight: Weight, size: f32, fonts: &FontSet) -> f32 {
    let text = |text: &str| (shape(text, weight, Direction::Auto, fonts).width * size).ceil();
    match value {
        Value::Text(name) => text(name),
        Value::Name { name, .. } => DOT_WIDTH + text(name),
        Value::Growth(growth) if growth.direction() != 0 => SIGN + 4.0 + text(&growth.text()),
        _ => text(&value.text()),
    }
}

impl Grid {
    pub(super) fn of(table: &Table, room: Room<'_>) -> Grid {
        let (is_narrow, fonts) = (room.width < NARROW, &room.theme.fonts);
        let bars: Vec<usize> =
            (0..table.columns.len()).filter(|n| table.columns[*n].kind == ColumnKind::QuantityBar).collect();
        let first_is_name = table.columns.first().is_some_and(|column| is_name(column.kind));
        let bar_below = bars.first().copied().filter(|_| is_narrow && first_is_name);
        let mut grid = Grid { columns: Vec::new(), size: BODY, bar_below, largest: largest(table) };
        let gaps = table.columns.len().saturating_sub(1) as f32;
        let mut needs = needs(table, BODY, is_narrow, fonts);
        let mut gap = gap(&needs, is_narrow, room.width);
        let names_min = NAME_MIN * needs.iter().filter(|need| need.is_name).count() as f32;
        let figures = |needs: &[Need]| -> f32 {
            needs.iter().filter(|need| !need.is_name).map(|need| need.cells.max(need.word)).sum()
        };
        if figures(&needs) + names_min + gaps * gap > room.width {
            gap = (room.width * 0.3 / gaps.max(1.0)).min(5.0);
            grid.size = SMALL;
            needs = self::needs(table, SMALL, true, fonts);
        }
        let left = room.width - figures(&needs) - gaps * gap;
        let beside: Vec<usize> = if is_narrow { Vec::new() } else { bars };
        let widths = widths(&needs, &beside, left, room.width - gaps * gap);
        let mut x = 0.0;
        for (n, (width, bar)) in widths.into_iter().enumerate() {
            let kind = table.columns[n].kind;
            let is_left = matches!(kind, ColumnKind::Text | ColumnKind::Trend);
            grid.columns.push(Place { x, width, is_left, bar });
            x += width + gap;
        }
        grid
    }
}

/// Width and bar of each column, out of what is left beside the figures.
fn widths(needs: &[Need], bars: &[usize], left: f32, whole: f32) -> Vec<(f32, f32)> {
    let n_names = needs.iter().filter(|need| need.is_name).count() as f32;
    if left < 30.0 * n_names {
        // So many or so large figures that names would vanish: the widest columns give way, nothing overlaps.
        let asked = needs.iter().map(|need| if need.is_name { NAME_MIN } else { need.cells.max(need.word) });
        return shared(&asked.collect::<Vec<f32>>(), whole).into_iter().map(|width| (width, 0.0)).collect();
    }
    // Names get what they ask for, the longest ones less when there is not enough.
    let asked = needs.iter().map(|need| if need.is_name { need.cells.max(need.label) } else { 0.0 });
    let reserved = BAR_MIN * bars.len() as f32;
    let names = shared(&asked.collect::<Vec<f32>>(), (left - reserved).max(30.0 * n_names));
    let mut rest = left - names.iter().sum::<f32>();
    let mut widths: Vec<(f32, f32)> = needs
        .iter()
        .zip(names)
        .map(|(need, name)| (if need.is_name { name } else { need.cells.max(need.word) }, 0.0))
        .collect();
    for n in bars {
        let bar = (rest / bars.len() as f32).clamp(0.0, BAR_MAX);
        if bar >= 16.0 {
            widths[*n].0 += bar;
            widths[*n].1 = bar - 8.0;
        }
    }
    rest -= bars.iter().map(|n| widths[*n].1 + 8.0).filter(|bar| *bar > 8.0).sum::<f32>();
    // A course says more the longer it is drawn.
    for (_, (width, _)) in needs.iter().zip(&mut widths).filter(|(need, _)| need.is_trend) {
        let more = (TREND_MAX - *width).clamp(0.0, rest.max(0.0) / 2.0);
        *width += more;
        rest -= more;
    }
    // Labels in one line where that is to be had.
    for (need, (width, _)) in needs.iter().zip(&mut widths) {
        let more = (need.label - *width).max(0.0);
        if more <= rest {
            *width += more;
            rest -= more;
        }
    }
    // What is still left is air: half of it for the names, the rest for all.
    let n_shares = needs.len() as f32 + n_names * 2.0;
    for (need, (width, _)) in needs.iter().zip(&mut widths) {
        *width += rest.max(0.0) / n_shares * if need.is_name { 3.0 } else { 1.0 };
    }
    widths
}

/// Divides a width: who asks for less than a fair share gets it, the others share what is left.
fn shared(asked: &[f32], width: f32) -> Vec<f32> {
    let mut order: Vec<usize> = (0..asked.len()).collect();
    order.sort_by(|one, other| asked[*one].total_cmp(&asked[*other]));
    let (mut shares, mut left) = (vec![0.0; asked.len()], width.max(0.0));
    for (at, n) in order.iter().enumerate() {
        shares[*n] = asked[*n].min(left / (order.len() - at) as f32);
        left -= shares[*n];
    }
    shares
}

fn largest(table: &Table) -> Vec<f32> {
    (0..table.columns.len()).map(|n| table.rows.iter().map(|row| size_of(row.get(n))).fold(0.0, f32::max)).collect()
}
