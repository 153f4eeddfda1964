//! The atlas as it comes: TopoJSON, whose lines are shared by the shapes at both of their sides.

use super::json::Json;
use super::markets;

/// A point of the atlas's own grid.
pub type Spot = (i64, i64);

/// Where the map is cut: the middle of the Bering Strait, so that no continent is.
const CUT_LONGITUDE: f64 = -169.0;

/// A part of a market's land: an outer ring and its holes, none of which repeats its first point.
pub struct Part {
    /// Its market, by its alpha-2.
    pub market: &'static str,
    /// The rings.
    pub rings: Vec<Vec<Spot>>,
}

/// The atlas: parts on a grid of degrees.
pub struct Atlas {
    /// What there is.
    pub parts: Vec<Part>,
    scale: (f64, f64),
    offset: (f64, f64),
}

impl Atlas {
    /// Reads a `countries-*.json`.
    pub fn parse(text: &str) -> Result<Atlas, String> {
        let json = Json::parse(text)?;
        let pair = |name| -> Result<(f64, f64), String> {
            match json.get("transform")?.get(name)?.list()? {
                [x, y] => Ok((x.number()?, y.number()?)),
                _ => Err(format!("`{name}` is no pair")),
            }
        };
        let mut atlas = Atlas { parts: Vec::new(), scale: pair("scale")?, offset: pair("translate")? };
        let lines: Vec<Vec<Spot>> = json.get("arcs")?.list()?.iter().map(line).collect::<Result<_, _>>()?;
        for shape in json.get("objects")?.get("countries")?.get("geometries")?.list()? {
            let numeric = shape.get("id").and_then(Json::text).ok();
            let market = markets::of(numeric, shape.get("properties")?.get("name")?.text()?)?;
            let arcs = shape.get("arcs")?.list()?;
            match shape.get("type")?.text()? {
                "Polygon" => atlas.add(market, arcs, &lines)?,
                _ => arcs.iter().try_for_each(|part| atlas.add(market, part.list()?, &lines))?,
            }
        }
        Ok(atlas)
    }

    /// Longitude and latitude of a point, in degrees.
    pub fn degrees(&self, (x, y): Spot) -> (f64, f64) {
        (x as f64 * self.scale.0 + self.offset.0, y as f64 * self.scale.1 + self.offset.1)
    }

    fn add(&mut self, market: &'static str, rings: &[Json], lines: &[Vec<Spot>]) -> Result<(), String> {
        let mut rings: Vec<Vec<Spot>> =
            rings.iter().map(|ring| Ok(joined(&ring.whole()?, lines))).collect::<Result<_, String>>()?;
        let around = (360.0 / self.scale.0).round() as i64;
        rings.iter_mut().for_each(|ring| unwrap(ring, around));
        let Some(outer) = rings.first().filter(|outer| outer.len() > 2) else { return Ok(()) };
        let n = outer.len() as i64;
        let middle = (outer.iter().map(|at| at.0).sum::<i64>() / n, outer.iter().map(|at| at.1).sum::<i64>() / n);
        let (longitude, latitude) = self.degrees(middle);
        let turn = if longitude < CUT_LONGITUDE {
            around
        } else if longitude > CUT_LONGITUDE + 360.0 {
            -around
        } else {
            0
        };
        rings.iter_mut().flatten().for_each(|at| at.0 += turn);
        // Antarctica would take a fifth of the page for a handful of licenses.
        if market != "AQ" {
            self.parts.push(Part { market: markets::of_part(market, (longitude, latitude)), rings });
        }
        Ok(())
    }
}

/// A line's points, which are written as steps.
fn line(json: &Json) -> Result<Vec<Spot>, String> {
    let mut at = (0, 0);
    let step = |step: &Json| match step.whole()?.as_slice() {
        [x, y] => {
            at = (at.0 + x, at.1 + y);
            Ok(at)
        }
        _ => Err("a point without two numbers".to_owned()),
    };
    json.list()?.iter().map(step).collect()
}

/// The points of a ring of lines; `!n` is line `n` backwards, and each line begins where the one before it ended.
fn joined(ring: &[i64], lines: &[Vec<Spot>]) -> Vec<Spot> {
    let mut points: Vec<Spot> = Vec::new();
    for n in ring {
        let mut line = lines[n.max(&!n).unsigned_abs() as usize].clone();
        if *n < 0 {
            line.reverse();
        }
        line.pop();
        points.extend(line);
    }
    points.dedup();
    points
}

/// Lets a ring run on beyond the 180th meridian instead of jumping to the other end of the map.
fn unwrap(ring: &mut [Spot], around: i64) {
    for n in 1..ring.len() {
        let step = ring[n].0 - ring[n - 1].0;
        ring[n].0 -= (step as f64 / around as f64).round() as i64 * around;
    }
}
