//! The world as lines and rings, from the data file beside this one.
//!
//! Its shapes are those of Natural Earth (public domain), projected and thinned by `cargo xtask map`, so that
//! nothing is projected here.

use std::sync::LazyLock;

use crate::base::Market;

/// A point in the map's own units, from its upper left corner.
pub(super) type Spot = (i32, i32);

/// The world.
#[derive(Debug, Default)]
pub(super) struct World {
    /// Width and height.
    pub(super) size: Spot,
    /// Where each market is, in the order of their codes.
    pub(super) places: Vec<Place>,
    /// Land without its holes.
    pub(super) rings: Vec<Ring>,
    /// The lines between two markets.
    pub(super) borders: Vec<Vec<Spot>>,
}

/// Where a market is.
#[derive(Debug)]
pub(super) struct Place {
    /// Which one.
    pub(super) market: Market,
    /// The middle of its largest part.
    pub(super) at: Spot,
    /// Its area in square units.
    pub(super) area: i32,
}

/// A part of a market's land.
#[derive(Debug)]
pub(super) struct Ring {
    /// Whose it is; nobody's where it is in dispute.
    pub(super) market: Option<Market>,
    /// Its corners, the first not repeated.
    pub(super) corners: Vec<Spot>,
    /// Whether it fills a hole of another's land: it must be drawn later.
    pub(super) is_enclave: bool,
}

/// The world that ships.
pub(super) static WORLD: LazyLock<World> = LazyLock::new(|| read(include_str!("world.txt")));

/// Reads the data file, whose head says what its lines are. What makes no sense is passed over.
fn read(text: &str) -> World {
    let mut world = World::default();
    let mut lines: Vec<(Vec<Spot>, u8)> = Vec::new();
    let mut market = None;
    let mut holes: Vec<Ring> = Vec::new();
    for line in text.lines() {
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        match kind {
            "size" => world.size = pairs(rest).next().unwrap_or_default(),
            "l" => {
                let steps = pairs(rest).scan((0, 0), |at, step| {
                    *at = (at.0 + step.0, at.1 + step.1);
                    Some(*at)
                });
                lines.push((steps.collect(), 0));
            }
            "m" => {
                let (code, rest) = rest.split_once(' ').unwrap_or((rest, ""));
                market = code.parse().ok().filter(|market| *market != Market::UNKNOWN);
                let mut numbers = numbers(rest);
                if let (Some(market), Some(x), Some(y), Some(area)) =
                    (market, numbers.next(), numbers.next(), numbers.next())
                {
                    world.places.push(Place { market, at: (x, y), area });
                }
            }
            "r" => {
                let ring = Ring { market, corners: corners(rest, &mut lines), is_enclave: false };
                let is_hole = doubled_area(&ring.corners) < 0;
                if is_hole { holes.push(ring) } else { world.rings.push(ring) }
            }
            _ => {}
        }
    }
    for ring in &mut world.rings {
        // A hole and what fills it are the same line in both directions.
        let fills = |hole: &Ring| ring.corners.iter().all(|corner| hole.corners.contains(corner));
        ring.is_enclave = holes.iter().any(fills);
    }
    world.borders = lines.into_iter().filter(|(_, n_uses)| *n_uses > 1).map(|(line, _)| line).collect();
    world
}

fn numbers(text: &str) -> impl Iterator<Item = i32> {
    text.split(' ').filter_map(|word| word.parse().ok())
}

fn pairs(text: &str) -> impl Iterator<Item = Spot> {
    let mut numbers = numbers(text);
    std::iter::from_fn(move || Some((numbers.next()?, numbers.next()?)))
}

/// The corners of a ring of lines, counted from 1 and running backwards where negative.
fn corners(text: &str, lines: &mut [(Vec<Spot>, u8)]) -> Vec<Spot> {
    let mut corners = Vec::new();
    for number in numbers(text) {
        let Some((line, n_uses)) = lines.get_mut((number.unsigned_abs() as usize).wrapping_sub(1)) else { continue };
        *n_uses = n_uses.saturating_add(1);
        let n = line.len().saturating_sub(1);
        if number > 0 {
            corners.extend(&line[..n]);
        } else {
            corners.extend(line.iter().rev().take(n));
        }
    }
    corners
}

/// Twice the area of a ring, negative where it turns the other way.
fn doubled_area(corners: &[Spot]) -> i64 {
    let next = corners.iter().cycle().skip(1);
    let cross =
        |((x, y), (to_x, to_y)): (&Spot, &Spot)| i64::from(*x) * i64::from(*to_y) - i64::from(*to_x) * i64::from(*y);
    corners.iter().zip(next).map(cross).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_market_has_a_place_on_the_map_and_every_place_is_a_markets() {
        let text = include_str!("world.txt");
        let world = &*WORLD;
        let codes: Vec<&str> =
            text.lines().filter_map(|line| line.strip_prefix("m ")).filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(world.places.len(), codes.iter().filter(|code| **code != "--").count(), "a code nobody knows");
        for country in celes::Country::get_countries() {
            let place = world.places.iter().find(|place| place.market.code() == country.alpha2);
            let (x, y) = place.unwrap_or_else(|| panic!("{} has no place", country.alpha2)).at;
            assert!(x > 0 && x < world.size.0 && y > 0 && y < world.size.1, "{}: {x} {y}", country.alpha2);
        }
        assert_eq!(world.places.len(), celes::Country::get_countries().len(), "a market twice");
    }

    #[test]
    fn the_data_file_is_read_to_its_last_number_and_stays_on_its_ground() {
        let text = include_str!("world.txt");
        let n_bytes = text.len();
        assert!(n_bytes <= 40_000, "{n_bytes}");
        let mut n_lines = 0;
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let words: Vec<&str> = line.split(' ').collect();
            let from = if words[0] == "m" { 2 } else { 1 };
            assert!(words.len() > from && words[from..].iter().all(|word| word.parse::<i32>().is_ok()), "{line}");
            n_lines += usize::from(words[0] == "l");
            let is_known =
                |word: &&str| word.parse::<i32>().is_ok_and(|n| (1..=n_lines).contains(&(n.unsigned_abs() as usize)));
            assert!(words[0] != "r" || words[1..].iter().all(is_known), "{line}");
        }
        let world = &*WORLD;
        let corners = world.rings.iter().flat_map(|ring| &ring.corners).chain(world.borders.iter().flatten());
        for (x, y) in corners {
            assert!((0..=world.size.0).contains(x) && (0..=world.size.1).contains(y), "{x} {y}");
        }
        assert!(world.rings.iter().all(|ring| ring.corners.len() >= 3));
    }

    #[test]
    fn countries_lie_where_they_lie_and_are_as_large_as_they_are() {
        let place = |code: &str| WORLD.places.iter().find(|place| place.market.code() == code).unwrap();
        let is_west = |one: &str, other: &str| place(one).at.0 < place(other).at.0;
        let is_north = |one: &str, other: &str| place(one).at.1 < place(other).at.1;
        assert!(is_west("US", "GB") && is_west("GB", "DE") && is_west("DE", "IN") && is_west("IN", "JP"));
        assert!(is_north("CA", "US") && is_north("US", "BR") && is_north("NO", "ZA") && is_north("JP", "AU"));
        assert!(is_west("TH", "ID") && is_west("JP", "FJ") && is_west("FJ", "WS") && is_west("PF", "US"));
        let enclaves: Vec<_> = WORLD.rings.iter().filter(|ring| ring.is_enclave).map(|ring| ring.market).collect();
        assert_eq!(enclaves, [Some(place("LS").market)]);
        // 357,600 and 9,984,670 square kilometres, on a map that is true to areas.
        let part = f64::from(place("DE").area) / f64::from(place("CA").area);
        assert!((part - 0.0358).abs() < 0.002, "{part}");
    }
}
