//! The world with its markets shaded by their values: one hue, dark where there is much.

use std::f32::consts::TAU;

use plotters::element::{PathElement, Polygon};
use plotters::prelude::DrawingBackend;

use super::world::{Ring, Spot, WORLD, World};
use super::{Area, Drawn, filled, stroke, units};
use crate::base::Market;
use crate::render::{Colour, Theme};
use crate::report::Map;

/// The lines between countries, and the ring around a dot, in points.
const BORDER: f32 = 0.4;
const DOT_RING: f32 = 0.5;
/// The radius of the dot of a market that is too small to be seen, in points.
const DOT: f32 = 1.8;
/// A circle of this size is not told from one; its four curves would take twice the room.
const DOT_CORNERS: usize = 12;
/// The least area that is seen, in square units of the world: some 10,000 square kilometres.
const SEEN_MIN: i32 = 250;
/// How often dots that lie on each other are moved apart; the Caribbean is free of overlaps after twenty.
const MOVES: usize = 24;
/// The ends of the shades, which are cut into as many steps as there are classes: how much of white, and of black,
/// is in the accent, in percent. Two classes are thus not as far apart as the first and the last of five.
const PALE: f32 = 82.0;
const DARK: f32 = 78.0;

const WHITE: Colour = Colour(255, 255, 255);

/// The map's height at a width.
pub(crate) fn height(width: f32) -> f32 {
    let (across, down) = WORLD.size;
    width * down as f32 / across.max(1) as f32
}

/// The colour of the n-th of so many classes, counted from the least: even steps from pale to dark, so that grey
/// print tells them apart.
pub(crate) fn shade(n: usize, n_classes: usize, theme: &Theme) -> Colour {
    let mixed = PALE - (PALE + DARK) * (n as f32 + 0.5) / n_classes.max(1) as f32;
    if mixed >= 0.0 { theme.accent.lighter(mixed as u8) } else { darker(theme.accent, -mixed) }
}

/// The colour of land without a value.
pub(crate) fn bare(theme: &Theme) -> Colour {
    theme.line.lighter(35)
}

fn darker(colour: Colour, percent: f32) -> Colour {
    let mix = |part: u8| (f32::from(part) * (100.0 - percent) / 100.0) as u8;
    Colour(mix(colour.0), mix(colour.1), mix(colour.2))
}

pub(super) fn draw<DB: DrawingBackend>(area: &Area<DB>, chart: &Map, theme: &Theme) -> Drawn<DB> {
    let (width, height) = area.dim_in_pixel();
    let world = &*WORLD;
    let scale = (width as f32 / world.size.0 as f32).min(height as f32 / world.size.1 as f32);
    let left = (width as f32 - world.size.0 as f32 * scale) / 2.0;
    let at = |(x, y): &Spot| ((left + *x as f32 * scale).round() as i32, (*y as f32 * scale).round() as i32);
    let mut classes: Vec<(Market, usize)> =
        chart.values.iter().filter_map(|(market, value)| Some((*market, chart.class_of(*value)?))).collect();
    classes.sort_unstable();
    let class_of = |market: Market| {
        let at = classes.binary_search_by_key(&market, |(market, _)| *market).ok()?;
        Some(classes[at].1)
    };
    let shade_of = |class: usize| shade(class, chart.classes.len(), theme);
    let mut land: Vec<(&Ring, Option<usize>)> =
        world.rings.iter().map(|ring| (ring, ring.market.and_then(class_of))).collect();
    // A backend may paint what follows each other in one colour as one.
    land.sort_by_key(|(ring, class)| (ring.is_enclave, *class));
    for (ring, class) in land {
        let colour = class.map_or_else(|| bare(theme), shade_of);
        area.draw(&Polygon::new(ring.corners.iter().map(at).collect::<Vec<_>>(), filled(colour)))?;
    }
    for border in &world.borders {
        area.draw(&PathElement::new(border.iter().map(at).collect::<Vec<_>>(), stroke(WHITE, BORDER)))?;
    }
    dots(area, &shaded(world, class_of, at), shade_of)
}

/// The markets with a value that are too small to be seen, with the class of each.
fn shaded(
    world: &World,
    class_of: impl Fn(Market) -> Option<usize>,
    at: impl Fn(&Spot) -> (i32, i32),
) -> Vec<((i32, i32), usize)> {
    let small = world.places.iter().filter(|place| place.area < SEEN_MIN);
    small.filter_map(|place| Some((at(&place.at), class_of(place.market)?))).collect()
}

/// Dots with a thin white ring, moved apart where they lie on each other.
fn dots<DB: DrawingBackend>(
    area: &Area<DB>,
    all: &[((i32, i32), usize)],
    shade_of: impl Fn(usize) -> Colour,
) -> Drawn<DB> {
    let (width, height) = area.dim_in_pixel();
    let mut spots: Vec<(f32, f32)> = all.iter().map(|((x, y), _)| (*x as f32, *y as f32)).collect();
    let room = units(DOT + DOT_RING) as f32;
    move_apart(&mut spots, units(2.0 * DOT + DOT_RING) as f32, room, (width as f32 - room, height as f32 - room));
    let round = |(x, y): (f32, f32)| -> Vec<(i32, i32)> {
        let corner = |n: usize| {
            let (sin, cos) = (n as f32 * TAU / DOT_CORNERS as f32).sin_cos();
            let radius = units(DOT) as f32 + units(DOT_RING) as f32 / 2.0;
            ((x + radius * cos).round() as i32, (y + radius * sin).round() as i32)
        };
        (0..=DOT_CORNERS).map(corner).collect()
    };
    let mut rounds: Vec<(usize, Vec<(i32, i32)>)> =
        all.iter().zip(spots).map(|((_, class), spot)| (*class, round(spot))).collect();
    rounds.sort_by_key(|(class, _)| *class);
    for (class, corners) in &rounds {
        area.draw(&Polygon::new(corners.clone(), filled(shade_of(*class))))?;
    }
    // The rings have the corners of the dots: what is written twice takes little room in a file.
    rounds.into_iter().try_for_each(|(_, corners)| area.draw(&PathElement::new(corners, stroke(WHITE, DOT_RING))))
}

/// Moves spots that are nearer to each other than `apart` away from each other, within the picture.
fn move_apart(spots: &mut [(f32, f32)], apart: f32, low: f32, (right, bottom): (f32, f32)) {
    for _ in 0..MOVES {
        let mut moved = false;
        for n in 1..spots.len() {
            for m in 0..n {
                let (dx, dy) = (spots[n].0 - spots[m].0, spots[n].1 - spots[m].1);
                let distance = dx.hypot(dy);
                if distance + 0.5 >= apart {
                    continue;
                }
                moved = true;
                // Two on the same spot part sideways.
                let (dx, dy) = if distance > 0.01 { (dx / distance, dy / distance) } else { (1.0, 0.0) };
                let step = (apart - distance) / 2.0;
                for (spot, sign) in [(n, 1.0), (m, -1.0)] {
                    let (x, y) = spots[spot];
                    spots[spot] = (
                        (x + sign * dx * step).clamp(low, right.max(low)),
                        (y + sign * dy * step).clamp(low, bottom.max(low)),
                    );
                }
            }
        }
        if !moved {
            break;
        }
    }
}
