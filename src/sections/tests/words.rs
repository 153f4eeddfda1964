//! Sentences claim what the figures bear out, and no more.

use super::*;
use crate::facts::Measure::{Active, Deployed, Licenses};

const KEYS: [&str; 4] = ["a", "b", "c", "d"];
const PRODUCTS: [&str; 4] = ["Microsoft 365", "Power BI", "Dynamics 365", "Own product"];

/// The reading of products with (first, last) licenses, all with `active` and `deployed` of the first product.
fn read(licenses: &[(i64, i64)], active: (i64, i64), deployed: Option<i64>) -> String {
    let mut rows = Vec::new();
    for (n, (first, last)) in licenses.iter().enumerate() {
        let mut now = vec![(Licenses, *last), (Active, if n == 0 { active.1 } else { 0 })];
        now.extend(deployed.filter(|_| n == 0).map(|deployed| (Deployed, deployed)));
        rows.push(
            row("2026-09", KEYS[n], &[(Licenses, *first), (Active, if n == 0 { active.0 } else { 0 })]).of(PRODUCTS[n]),
        );
        rows.push(row("2026-10", KEYS[n], &now).of(PRODUCTS[n]));
    }
    let measures = if deployed.is_some() { vec![Licenses, Active, Deployed] } else { vec![Licenses, Active] };
    let coverage = covered(&["2026-09", "2026-10"], &[], &measures);
    let role = role(&[]);
    let figures = figures(&rows, coverage, (&role, &Scope::Organization), range("2026-10", 2));
    reading(&report_of(&figures, &role, &Scope::Organization))
}

#[test]
fn the_reading_says_what_the_figures_say() {
    type Case = (&'static [(i64, i64)], (i64, i64), Option<i64>, &'static str);
    let cases: [Case; 8] = [
        (
            &[(100, 110)],
            (50, 52),
            Some(88),
            "Licenses grew 10.00% to 110; 80% of them are assigned. Active use grew 4.00%, slower than licenses.",
        ),
        (&[(100, 90)], (50, 40), None, "Licenses fell 10.00% to 90. Active use fell 20.00%, more than licenses."),
        (
            &[(100, 100)],
            (50, 50),
            None,
            "Licenses stand at 100 in October 2026, as in September 2026. Active use is as it was in September 2026.",
        ),
        (
            &[(0, 5)],
            (0, 0),
            None,
            "Licenses are new: 5 in October 2026, none in September 2026. Active use is as it was in September 2026.",
        ),
        (&[(100, 90)], (50, 60), None, "Licenses fell 10.00% to 90. Active use grew 20.00% while licenses fell."),
        (
            &[(100, 110), (10, 20)],
            (1, 1),
            None,
            "Licenses grew 18.18% to 130. Active use is as it was in September 2026; Power BI grew fastest: +100.00%.",
        ),
        (
            &[(100, 110), (10, 11)],
            (1, 1),
            None,
            "Licenses grew 10.00% to 121. Active use is as it was in September 2026.",
        ),
        (
            &[(10_000_000, 10_000_001)],
            (1, 1),
            None,
            "Licenses grew by less than 0.01% to 10,000,001. Active use is as it was in September 2026.",
        ),
    ];
    for (licenses, active, deployed, expected) in cases {
        assert_eq!(read(licenses, active, deployed), expected);
    }
}

/// Both sentences of a report's reading.
fn reading(report: &Report) -> String {
    let told = report.sections.iter().flat_map(|section| &section.blocks).find_map(|block| match block {
        Block::Reading { lead, rest } => Some(format!("{lead} {rest}").trim().to_owned()),
        _ => None,
    });
    told.unwrap()
}
