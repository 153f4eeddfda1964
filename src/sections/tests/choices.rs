//! What a living format lets its reader choose from is what paper shows, and more of it.

use super::*;
use crate::facts::Measure::{Added, Licenses, Removed};
use crate::report::{Chart, Choice, FlowChoice, PartChoice, SectionKind, Value};

const MONTHS: [&str; 3] = ["2026-08", "2026-09", "2026-10"];
const MARKETS: [&str; 7] = ["DE", "FR", "JP", "BR", "IN", "CA", "ZZ"];

/// Two products, fifteen SKUs, seven markets; one location shares a license with another.
fn sample() -> Report {
    const KEYS: [&str; 15] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o"];
    let mut rows = Vec::new();
    for (n, key) in KEYS.into_iter().enumerate() {
        for (t, month) in MONTHS.into_iter().enumerate() {
            let n = n as i64;
            let measures = [(Licenses, 100 + 10 * n + t as i64), (Added, n + t as i64), (Removed, n % 3)];
            let product = if n < 4 { "Power BI" } else { "Microsoft 365" };
            let row = row(month, key, &measures).of(product).sku(Some(key), Some(key)).from(MARKETS[n as usize % 7]);
            rows.push(row.clone());
            if n == 0 {
                rows.push(row.rank(1).at("L2").attached("CPOR"));
            }
        }
    }
    let role = role(&[]);
    let coverage = covered(&MONTHS, &[], &[Licenses, Added, Removed]);
    let figures = figures(&rows, coverage, (&role, &Scope::Organization), range("2026-10", 3));
    report_of(&figures, &role, &Scope::Organization)
}

fn choices(report: &Report, kind: SectionKind) -> Vec<Choice> {
    let blocks = &report.section(kind).unwrap().blocks;
    blocks
        .iter()
        .filter_map(|block| if let Block::Choice(choice) = block { Some(choice.clone()) } else { None })
        .collect()
}

fn flows(report: &Report) -> FlowChoice {
    let [Choice::Flows(choice)] = &choices(report, SectionKind::LicenseAdds)[..] else { panic!("one choice of flows") };
    choice.clone()
}

fn parts(report: &Report) -> [PartChoice; 2] {
    let [Choice::Parts(countries), Choice::Parts(dimensions)] = &choices(report, SectionKind::Distribution)[..] else {
        panic!("two choices of parts")
    };
    [countries.clone(), dimensions.clone()]
}

#[test]
fn every_product_and_sku_can_be_chosen_and_sums_to_what_the_chart_shows() {
    let report = sample();
    let choice = flows(&report);
    let names: Vec<(&str, usize)> = choice.groups.iter().map(|g| (g.name.as_str(), g.courses.len())).collect();
    assert_eq!(names, [("All products", 1), ("Microsoft 365", 12), ("Power BI", 5)]);
    let Block::Chart(Chart::Columns(chart)) = &report.section(SectionKind::LicenseAdds).unwrap().blocks[0] else {
        panic!("the chart of all products comes first")
    };
    for (group, (above, below)) in choice.groups[1..].iter().zip(chart.above.iter().zip(&chart.below)) {
        let (all, skus) = group.courses.split_first().unwrap();
        assert_eq!((&group.name, &all.added, &all.removed), (&above.name, &above.values, &below.values));
        for (t, month) in MONTHS.iter().enumerate() {
            let sum: Quantity = skus.iter().filter_map(|sku| sku.added[t]).sum();
            assert_eq!(Some(sum), all.added[t], "{} in {month}", group.name);
        }
    }
    let together = &choice.groups[0].courses[0];
    let sum: Quantity = choice.groups[1..].iter().filter_map(|group| group.courses[0].removed[2]).sum();
    assert_eq!(together.removed[2], Some(sum));
}

#[test]
fn a_product_of_choice_has_the_countries_that_paper_has_of_it() {
    let report = sample();
    let [countries, _] = parts(&report);
    assert!(countries.is_whole);
    for (n, group) in countries.groups.iter().enumerate() {
        let sum: Quantity = group.parts.iter().filter_map(|part| part.value).sum();
        assert_eq!(Some(sum), group.whole, "{}", group.name);
        let Some(n) = n.checked_sub(1) else { continue };
        let table = table_of(&report, &format!("product_{}_countries", n + 1));
        let chosen: Vec<[Value; 3]> = group
            .parts
            .iter()
            .map(|part| [Value::Text(part.name.clone()), Value::Quantity(part.value), Value::Ratio(part.share)])
            .collect();
        assert_eq!(table.rows, chosen, "{}", group.name);
    }
    assert_eq!(countries.groups[0].parts.len(), 5, "four countries and all others");
}

#[test]
fn a_dimension_of_choice_is_the_top_of_its_leaderboard_and_says_what_it_leaves_out() {
    let report = sample();
    let [_, dimensions] = parts(&report);
    let keys = ["by_location", "by_sales_channel", "by_sku", "by_attach_type", "by_segment"];
    for (group, key) in dimensions.groups.iter().zip(keys) {
        for (part, row) in group.parts.iter().zip(&table_of(&report, key).rows) {
            let shown = [
                Value::Text(part.name.clone()),
                Value::Quantity(part.value),
                Value::Ratio(part.share),
                Value::Growth(part.growth),
            ];
            assert_eq!(row[..4], shown, "{key}");
        }
    }
    let skus = &dimensions.groups[2];
    assert_eq!((skus.parts.len(), skus.note.as_str()), (12, "3 smaller ones are in the table below."));
    assert!(dimensions.groups[0].note.starts_with("Overlapping: one license can be held at several locations"));
    assert_eq!(dimensions.groups[4].note, "");
}

#[test]
fn where_there_is_nothing_there_is_nothing_to_choose() {
    let role = role(&[]);
    let figures = figures(&[], covered(&MONTHS, &[], &[Licenses]), (&role, &Scope::Organization), range("2026-10", 3));
    let report = report_of(&figures, &role, &Scope::Organization);
    for kind in [SectionKind::LicenseAdds, SectionKind::Distribution] {
        assert!(choices(&report, kind).is_empty());
    }
}
