//! The world map stands where the template wants it, and counts what the table counts.

use super::*;
use crate::facts::Measure::Licenses;
use crate::report::{Chart, Map, SectionKind};

/// The map of October's licenses, with its place among the section's blocks.
fn map_of(rows: &[Row], has_map: bool) -> Option<(usize, Map)> {
    let role = role(&[]);
    let coverage = covered(&["2026-10"], &[], &[Licenses]);
    let figures = figures(rows, coverage, (&role, &Scope::Organization), range("2026-10", 1));
    let template = Template { map: has_map, ..template() };
    let report = report_by(&template, &figures, &role, &Scope::Organization);
    let blocks = &report.section(SectionKind::Geography).unwrap().blocks;
    assert!(matches!(blocks[0], Block::Cards(_)) && matches!(blocks[blocks.len() - 1], Block::Table(_)));
    blocks.iter().enumerate().find_map(|(n, block)| match block {
        Block::Chart(Chart::Map(map)) => Some((n, map.clone())),
        _ => None,
    })
}

#[test]
fn the_map_stands_between_cards_and_table_unless_the_template_leaves_it_out() {
    let rows = [
        row("2026-10", "a", &[(Licenses, 30)]),
        row("2026-10", "b", &[(Licenses, 500)]).from("JP"),
        row("2026-10", "c", &[(Licenses, 7)]).from("ZZ"),
        row("2026-10", "d", &[(Licenses, 12)]),
    ];
    let (at, map) = map_of(&rows, true).unwrap();
    let values: Vec<String> = map.values.iter().map(|(market, value)| format!("{market} {value}")).collect();
    let labels: Vec<&str> = map.classes.iter().map(|class| class.label.as_str()).collect();
    assert_eq!((at, values.join(", ").as_str(), map.unknown), (1, "JP 500, DE 42", Quantity::whole(7)));
    assert_eq!(labels, ["1–499", "500 and more"]);
    assert_eq!(map_of(&rows, false), None);
}

#[test]
fn a_world_without_licenses_is_no_map() {
    assert_eq!(map_of(&[row("2026-10", "a", &[(Licenses, 7)]).from("ZZ")], true), None);
    assert_eq!(map_of(&[], true), None);
}
