//! What is absent is never 0.

use super::*;
use crate::facts::Measure::{Active, Deployed, Licenses};

/// Deployed only of Power BI, active of all but Dynamics 365, in both months.
fn partly() -> Coverage {
    let mut coverage = covered(&["2026-09", "2026-10"], &[], &[Licenses]);
    for month in coverage.months.values_mut() {
        month.carried[Deployed as usize] = Carried::Only([Arc::from("Power BI")].into());
        month.carried[Active as usize] = Carried::AllBut([Arc::from("Dynamics 365")].into());
    }
    coverage
}

fn rows() -> Vec<Row> {
    vec![
        row("2026-09", "a", &[(Licenses, 100), (Active, 40)]),
        row("2026-10", "a", &[(Licenses, 100), (Active, 50)]),
        row("2026-10", "b", &[(Licenses, 50), (Deployed, 40), (Active, 60)]).of("Power BI"),
        row("2026-10", "c", &[(Licenses, 850)]).of("Dynamics 365"),
    ]
}

#[test]
fn absent_measures_are_shown_as_such_and_ratios_use_what_carries_both() {
    let role = role(&[]);
    let figures = figures(&rows(), partly(), (&role, &Scope::Organization), range("2026-10", 2));
    let report = report_of(&figures, &role, &Scope::Organization);
    let of = |row, column| cell(&report, "products", row, column);
    assert_eq!(of("Microsoft 365", "Deployed"), "n/a");
    assert_eq!(of("Dynamics 365", "Active"), "n/a");
    assert_eq!(of("Dynamics 365", "Usage"), "n/a");
    assert_eq!(of("Power BI", "Usage"), "120.0%");
    assert_eq!(
        (of("total", "Licenses"), of("total", "Deployed"), of("total", "Active")),
        ("1,000".into(), "40".into(), "110".into())
    );
    // 110 active of the 150 licenses of those products that tell both.
    assert_eq!(of("total", "Usage"), "73.3%");
    assert_eq!(
        figures.ratio(month("2026-10"), Deployed, Licenses).map(|ratio| ratio.percent(1)),
        Some("80.0%".to_owned())
    );
    assert_eq!(figures.difference(month("2026-10"), Licenses, Deployed), Some(Quantity::whole(10)));
    let coverage: Vec<&str> = report.kpis().map(|kpi| kpi.coverage.as_str()).collect();
    assert_eq!(coverage, ["", "without Dynamics 365 and Microsoft 365", "without Dynamics 365"]);
}

#[test]
fn a_product_without_rows_in_a_loaded_month_is_zero_there() {
    let role = role(&[]);
    let figures = figures(&rows(), partly(), (&role, &Scope::Organization), range("2026-10", 2));
    assert_eq!(figures.product("Power BI", month("2026-09"), Licenses), Some(Quantity::ZERO));
    assert_eq!(figures.product("Power BI", month("2026-08"), Licenses), None);
}

#[test]
fn growth_of_a_total_compares_the_products_that_both_months_know() {
    // Active use of Power BI is known from October on only: it must not look like growth.
    let mut coverage = partly();
    coverage.months.get_mut(&month("2026-09")).unwrap().carried[Active as usize] =
        Carried::Only([Arc::from("Microsoft 365")].into());
    let role = role(&[]);
    let figures = figures(&rows(), coverage, (&role, &Scope::Organization), range("2026-10", 2));
    assert_eq!(figures.total(month("2026-10"), Active), Some(Quantity::whole(110)));
    assert_eq!(figures.total_growth(Active).text(), "+25.00%");
    let report = report_of(&figures, &role, &Scope::Organization);
    let active = report.kpis().nth(2).unwrap();
    assert_eq!(active.growth_note, "since Sep 2026, where both are known");
}

#[test]
fn nothing_at_all_makes_a_report_that_says_so() {
    let role = role(&[]);
    let figures = figures(&[], Coverage::default(), (&role, &Scope::Organization), range("2026-10", 12));
    assert!(figures.is_empty());
    let report = report_of(&figures, &role, &Scope::Organization);
    assert!(report.kpis().all(|kpi| kpi.current.is_none() && kpi.growth.text() == "n/a"));
    let banner = report.head.preliminary.unwrap();
    assert!(banner.contains("not in the data yet") && banner.contains("no month of the range is full"), "{banner}");
}

#[test]
fn one_full_month_has_no_growth() {
    let role = role(&[]);
    let coverage = covered(&["2026-10"], &[], &[Licenses]);
    let rows = [row("2026-10", "a", &[(Licenses, 5)])];
    let figures = figures(&rows, coverage, (&role, &Scope::Organization), range("2026-10", 1));
    let report = report_of(&figures, &role, &Scope::Organization);
    assert_eq!(cell(&report, "products", "total", "Growth"), "n/a");
    assert_eq!(cell(&report, "products", "total", "Deployed"), "n/a");
    assert_eq!(report.head.preliminary, None);
}
