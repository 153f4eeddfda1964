//! `cargo xtask map countries-50m.json`: the world of the Geography section, small enough to be drawn on a page.
//!
//! The atlas is Natural Earth's (public domain), as the npm package `world-atlas` 2.0.2 (ISC) has it in TopoJSON.

mod atlas;
mod json;
mod lines;
mod markets;
mod shape;

use std::collections::BTreeMap;

use atlas::{Atlas, Spot};
use lines::Land;
use shape::Point;

/// The map's width in its own units: as a page's 515 points have tenths.
const WIDTH: f64 = 5150.0;
/// Room at every side for the dot of a small market at the very edge.
const MARGIN: f64 = 25.0;
/// What is left out: corners of less than this, in square units. More of them stay where a market is small, fewer
/// along the coasts of the Arctic.
const CORNER_AREA_MIN: f64 = 225.0;
const CORNER_AREA_MIN_SMALL: f64 = 120.0;
const CORNER_AREA_MIN_ARCTIC: f64 = 330.0;
/// What a small market is, in square units: up to some 500,000 square kilometres.
const SMALL_AREA_MAX: f64 = 12_500.0;
/// The units above this are the Arctic: some 67 degrees north.
const ARCTIC_Y: f64 = 230.0;
/// Islands of less than this, in square units, are left out.
const ISLAND_AREA_MIN: f64 = 190.0;

const HEAD: &str = "\
# The world in the Equal Earth projection, in whole units from the upper left corner. Written by `cargo xtask map`.
# From Natural Earth 4.1 (public domain), as in countries-50m.json of world-atlas 2.0.2 (ISC).
# size WIDTH HEIGHT
# l X Y DX DY ...        a line: its first point and the steps to the others; the first is line 1
# m CODE X Y AREA        a market, where it is, and how many square units it has; `--` is land of no market
# r LINE -LINE ...       a ring of it: lines forwards, or backwards where negative; holes turn the other way
";

/// The data file of an atlas.
pub fn of(text: &str) -> Result<String, String> {
    let atlas = Atlas::parse(text)?;
    let land = Land::of(&atlas.parts);
    let flat = |at: &Spot| shape::equal_earth(atlas.degrees(*at));
    let lines: Vec<Vec<Point>> = land.lines.iter().map(|line| line.iter().map(flat).collect()).collect();
    let mut middles = middles(&land, &lines);
    for market in markets::all() {
        if let Some((longitude, latitude)) = markets::place(market) {
            let turn = if longitude < -169.0 { 360.0 } else { 0.0 };
            let area = middles.get(market).map_or(0.0, |(_, area)| *area);
            middles.insert(market, (shape::equal_earth((longitude + turn, latitude)), area));
        }
    }
    if let Some(market) = markets::all().find(|market| !middles.contains_key(market)) {
        return Err(format!("nothing says where `{market}` is"));
    }
    let points = || lines.iter().flatten().chain(middles.values().map(|(at, _)| at));
    let [left, right] = bounds(points().map(|at| at.0));
    let [top, bottom] = bounds(points().map(|at| at.1));
    let scale = (WIDTH - 2.0 * MARGIN) / (right - left);
    let unit = |at: &Point| ((at.0 - left) * scale + MARGIN, (at.1 - top) * scale + MARGIN);
    let lines: Vec<Vec<Point>> = lines.iter().map(|line| line.iter().map(unit).collect()).collect();
    let height = (bottom - top) * scale + 2.0 * MARGIN;
    let mut out = format!("{HEAD}size {WIDTH} {height:.0}\n");
    let is_small = |market: &str| middles.get(market).is_some_and(|(_, area)| area * scale * scale < SMALL_AREA_MAX);
    let lines = thinned(&lines, &land, is_small);
    lines.iter().flatten().for_each(|line| write_line(&mut out, line));
    let numbers = numbered(&lines);
    for (market, (at, area)) in &middles {
        let (x, y) = unit(at);
        out.push_str(&format!("m {market} {x:.0} {y:.0} {:.0}\n", area * scale * scale));
        write_rings(&mut out, land.rings.get(market).map_or(&[], Vec::as_slice), &lines, &numbers);
    }
    Ok(out)
}

/// Where each market with land is, and how large: the middle of its largest ring, the area of all.
fn middles(land: &Land, lines: &[Vec<Point>]) -> BTreeMap<&'static str, (Point, f64)> {
    let of = |rings: &Vec<Vec<(usize, bool)>>| {
        let rings: Vec<Vec<Point>> = rings.iter().map(|ring| points(ring, lines)).collect();
        let area = rings.iter().map(|ring| shape::doubled_area(ring)).sum::<f64>().abs() / 2.0;
        let size = |ring: &&Vec<Point>| shape::doubled_area(ring).abs();
        let largest = rings.iter().max_by(|a, b| size(a).total_cmp(&size(b)));
        largest.map(|ring| (shape::middle(ring), area))
    };
    land.rings.iter().filter_map(|(market, rings)| Some((*market, of(rings)?))).collect()
}

/// A ring's points, the first not repeated.
fn points(ring: &[(usize, bool)], lines: &[Vec<Point>]) -> Vec<Point> {
    let mut points = Vec::new();
    for (n, forwards) in ring {
        let mut line = lines[*n].clone();
        if !forwards {
            line.reverse();
        }
        line.pop();
        points.extend(line);
    }
    points
}

fn bounds(values: impl Iterator<Item = f64>) -> [f64; 2] {
    values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| [low.min(value), high.max(value)])
}

/// The lines as they are kept: thinned, in whole units. A small island, or a line of one point, is none.
fn thinned(lines: &[Vec<Point>], land: &Land, is_small: impl Fn(&str) -> bool) -> Vec<Option<Vec<Spot>>> {
    let is_ring = |n: usize| land.rings.values().flatten().any(|ring| ring.len() == 1 && ring[0].0 == n);
    let small: Vec<usize> = land
        .rings
        .iter()
        .filter(|(market, _)| is_small(market))
        .flat_map(|(_, rings)| rings.iter().flatten().map(|(n, _)| *n))
        .collect();
    let thin = |(n, line): (usize, &Vec<Point>)| {
        let (area_min, n_min) = if is_ring(n) { (ISLAND_AREA_MIN, 4) } else { (0.0, 2) };
        let corner_min = if small.contains(&n) { CORNER_AREA_MIN_SMALL } else { CORNER_AREA_MIN };
        let thinned = shape::simplified(line, |at| if at.1 < ARCTIC_Y { CORNER_AREA_MIN_ARCTIC } else { corner_min });
        let mut whole: Vec<Spot> = thinned.iter().map(|(x, y)| (x.round() as i64, y.round() as i64)).collect();
        whole.dedup();
        (shape::doubled_area(line).abs() / 2.0 >= area_min && whole.len() >= n_min).then_some(whole)
    };
    lines.iter().enumerate().map(thin).collect()
}

/// A kept line's number in the file, counted from 1, beside its place in the atlas.
fn numbered(lines: &[Option<Vec<Spot>>]) -> Vec<Option<usize>> {
    let mut n = 0;
    let number = |line: &Option<Vec<Spot>>| {
        n += usize::from(line.is_some());
        line.is_some().then_some(n)
    };
    lines.iter().map(number).collect()
}

fn write_line(out: &mut String, line: &[Spot]) {
    out.push('l');
    let mut before = (0, 0);
    for at in line {
        out.push_str(&format!(" {} {}", at.0 - before.0, at.1 - before.1));
        before = *at;
    }
    out.push('\n');
}

/// Writes a market's rings of kept lines.
fn write_rings(out: &mut String, rings: &[Vec<(usize, bool)>], lines: &[Option<Vec<Spot>>], numbers: &[Option<usize>]) {
    for ring in rings {
        let n_corners: usize = ring.iter().filter_map(|(n, _)| Some(lines[*n].as_ref()?.len() - 1)).sum();
        // Of the smallest markets nothing is left but an edge: their dots stand for them.
        if n_corners < 3 {
            continue;
        }
        out.push('r');
        for (n, forwards) in ring {
            if let Some(number) = numbers[*n] {
                out.push_str(&format!(" {}{number}", if *forwards { "" } else { "-" }));
            }
        }
        out.push('\n');
    }
}
