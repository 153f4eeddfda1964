//! Charts with their titles and legends.

use super::block::{below, nothing, words};
use super::look::{BODY, SMALL, base_line, line_height};
use super::map;
use super::mark::{DOT_WIDTH, Mark, Piece, Role, Room, element};
use crate::base::Ratio;
use crate::render::chart::Picture;
use crate::render::text::{Direction, fit};
use crate::report::{Chart, Columns, Donut, Series, Slot};

/// The height of a chart across the page, and of one in a panel.
const TALL: f32 = 184.0;
const LOW: f32 = 70.0;
/// The diameter of a ring.
const RING: f32 = 126.0;
/// What series that share one grey are called.
const OTHERS: &str = "Others";
/// The widest a name in a legend gets.
const LEGEND_NAME_MAX: f32 = 190.0;

/// A chart of any kind.
pub(super) fn pieces<'r>(chart: &'r Chart, room: Room<'r>) -> Vec<Piece<'r>> {
    let (title, picture) = match chart {
        Chart::Columns(chart) => (&chart.title, Picture::Columns(chart)),
        Chart::Donut(chart) => (&chart.title, Picture::Donut(chart)),
        Chart::Map(chart) => (&chart.title, Picture::Map(chart)),
    };
    let mut all = Vec::new();
    if !title.is_empty() && title != room.title {
        let size = if room.is_panel { SMALL } else { BODY };
        all.extend(words(title, room.theme.semi_bold(size), 14.0, room).into_iter().map(Piece::glued));
    }
    if picture.is_empty() {
        all.push(nothing(room));
        return all;
    }
    match chart {
        Chart::Columns(chart) => columns(chart, picture, room, &mut all),
        Chart::Donut(chart) => donut(chart, picture, room, &mut all),
        Chart::Map(chart) => map::pieces(chart, picture, room, &mut all),
    }
    all
}

fn columns<'r>(chart: &'r Columns, picture: Picture<'r>, room: Room<'r>, all: &mut Vec<Piece<'r>>) {
    let names = names(chart);
    if names.len() > 1 {
        all.extend(below(10.0, legend(&names, room)).into_iter().map(Piece::glued));
    }
    let height = if room.is_panel { LOW } else { TALL };
    let mut piece = Piece::new(height).below(if room.is_panel { 4.0 } else { 10.0 });
    let alt = chart.alt.as_str().into();
    piece.marks.push(Mark::Picture { x: 0.0, y: 0.0, width: room.width, height, picture, alt });
    all.push(piece);
}

/// The names of a chart's colours, each once. Many series that share the grey of the others share its name too.
fn names(chart: &Columns) -> Vec<(&str, Slot)> {
    let all = || chart.above.iter().chain(&chart.below);
    let mut names: Vec<(&str, Slot)> = Vec::new();
    for series in all() {
        let shares = |other: &Series| other.slot == Slot::Others && other.name != series.name;
        let name = if series.slot == Slot::Others && all().any(shares) { OTHERS } else { series.name.as_str() };
        if names.iter().all(|(known, _)| *known != name) {
            names.push((name, series.slot));
        }
    }
    names
}

/// Dots and names, one after the other, in as many lines as they need.
fn legend<'r>(names: &[(&'r str, Slot)], room: Room<'r>) -> Vec<Piece<'r>> {
    let size = if room.is_panel { SMALL } else { BODY };
    let style = room.theme.quiet(size);
    let (mut lines, mut x) = (vec![Piece::new(line_height(size))], 0.0);
    for (name, slot) in names {
        let shaped = fit(name, style, Direction::Auto, LEGEND_NAME_MAX.min(room.width - DOT_WIDTH));
        let width = DOT_WIDTH + shaped.width * size;
        if x > 0.0 && x + width > room.width {
            lines.push(Piece::new(line_height(size)));
            x = 0.0;
        }
        if let Some(line) = lines.last_mut() {
            let y = base_line(size, line.height);
            line.dot(x, y, room.theme.colour(*slot));
            line.begin(Role::Item);
            line.begin(Role::Body);
            line.text(x + DOT_WIDTH, y, shaped, style);
            line.end();
            line.end();
        }
        x += width + 14.0;
    }
    element(Role::List, lines)
}

/// A ring, with its slices named at its right, or below it where there is no room.
fn donut<'r>(chart: &'r Donut, picture: Picture<'r>, room: Room<'r>, all: &mut Vec<Piece<'r>>) {
    let ring = RING.min(room.width);
    let is_beside = room.width >= ring + 130.0;
    let (x, width) = if is_beside { (ring + 20.0, (room.width - ring - 20.0).min(200.0)) } else { (0.0, room.width) };
    let step = line_height(BODY) + 1.0;
    let names = chart.slices.len() as f32 * step;
    let (top, height) =
        if is_beside { (((ring - names) / 2.0).max(0.0), ring.max(names)) } else { (ring + 8.0, ring + 8.0 + names) };
    let mut piece = Piece::new(height).below(10.0);
    let alt = chart.alt.as_str().into();
    piece.marks.push(Mark::Picture { x: 0.0, y: 0.0, width: ring, height: ring, picture, alt });
    piece.begin(Role::List);
    for (n, slice) in chart.slices.iter().enumerate() {
        let y = top + n as f32 * step + base_line(BODY, step);
        piece.dot(x, y, room.theme.colour(slice.slot));
        let share = Ratio::new(slice.value, chart.centre).map_or("n/a".to_owned(), |ratio| ratio.percent(1));
        let style = room.theme.regular(BODY);
        piece.begin(Role::Item);
        piece.begin(Role::Label);
        piece.name(x + DOT_WIDTH, y, &slice.name, style, width - DOT_WIDTH - style.width(&share) - 8.0);
        piece.end();
        piece.begin(Role::Body);
        piece.right(x + width, y, &share, style, width);
        piece.end();
        piece.end();
    }
    piece.end();
    all.push(piece);
}
