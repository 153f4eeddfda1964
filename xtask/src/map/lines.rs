//! Rings cut into lines wherever more than two meet, so that neighbours share each line between them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::atlas::{Part, Spot};

/// Land as rings of lines.
#[derive(Default)]
pub struct Land {
    /// The lines, each once.
    pub lines: Vec<Vec<Spot>>,
    /// Each market's rings: lines with whether they run forwards.
    pub rings: BTreeMap<&'static str, Vec<Vec<(usize, bool)>>>,
}

impl Land {
    /// Joins a market's parts where they touch, and cuts all rings into lines.
    pub fn of(parts: &[Part]) -> Land {
        let mut rings: BTreeMap<&'static str, Vec<Vec<Spot>>> = BTreeMap::new();
        for part in parts {
            rings.entry(part.market).or_default().extend(part.rings.iter().cloned());
        }
        for rings in rings.values_mut() {
            *rings = merged(rings);
        }
        let mut ends_at: HashMap<Spot, BTreeSet<Spot>> = HashMap::new();
        for (from, to) in rings.values().flatten().flat_map(|ring| edges(ring)) {
            ends_at.entry(from).or_default().insert(to);
            ends_at.entry(to).or_default().insert(from);
        }
        let mut land = Land::default();
        let mut known = HashMap::new();
        for (market, rings) in &rings {
            for ring in rings {
                let ring = land.cut(ring, &|at| ends_at.get(at).is_some_and(|ends| ends.len() > 2), &mut known);
                land.rings.entry(market).or_default().push(ring);
            }
        }
        land
    }

    fn cut(
        &mut self,
        ring: &[Spot],
        is_end: &dyn Fn(&Spot) -> bool,
        known: &mut HashMap<Vec<Spot>, usize>,
    ) -> Vec<(usize, bool)> {
        // A ring without any end begins at its least point, so that a hole and what fills it are one line.
        let least = || ring.iter().enumerate().min_by_key(|(_, at)| **at).map_or(0, |(n, _)| n);
        let start = ring.iter().position(is_end).unwrap_or_else(least);
        let mut around: Vec<Spot> = ring[start..].iter().chain(&ring[..=start]).copied().collect();
        let mut lines = Vec::new();
        while around.len() > 1 {
            let end = around[1..].iter().position(is_end).map_or(around.len() - 1, |n| n + 1);
            let rest = around[end..].to_vec();
            around.truncate(end + 1);
            let backwards: Vec<Spot> = around.iter().rev().copied().collect();
            let forwards = around <= backwards;
            let line = if forwards { around } else { backwards };
            let n = *known.entry(line).or_insert_with_key(|line| {
                self.lines.push(line.clone());
                self.lines.len() - 1
            });
            lines.push((n, forwards));
            around = rest;
        }
        lines
    }
}

fn edges(ring: &[Spot]) -> impl Iterator<Item = (Spot, Spot)> {
    ring.iter().copied().zip(ring.iter().copied().cycle().skip(1))
}

/// One market's rings without the edges that two of them share.
fn merged(rings: &[Vec<Spot>]) -> Vec<Vec<Spot>> {
    let all: BTreeSet<(Spot, Spot)> = rings.iter().flat_map(|ring| edges(ring)).collect();
    let mut next: BTreeMap<Spot, Vec<Spot>> = BTreeMap::new();
    for (from, to) in &all {
        if from != to && !all.contains(&(*to, *from)) {
            next.entry(*from).or_default().push(*to);
        }
    }
    let mut merged = Vec::new();
    while let Some((start, _)) = next.iter().find(|(_, ends)| !ends.is_empty()) {
        let (start, mut ring) = (*start, Vec::new());
        let mut at = start;
        while let Some(to) = next.get_mut(&at).and_then(Vec::pop) {
            ring.push(at);
            at = to;
            if at == start {
                break;
            }
        }
        next.retain(|_, ends| !ends.is_empty());
        merged.push(ring);
    }
    merged
}
