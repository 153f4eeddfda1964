//! Totals, shares, growth, flows, scopes and leaderboards.

use super::*;
use crate::facts::Measure::{Active, Added, BilledRevenueUsd, Deployed, Licenses, Removed};
use crate::report::SectionKind;

const LEVELS: [Measure; 3] = [Licenses, Deployed, Active];
const SEATS: [Measure; 3] = [Licenses, Added, Removed];

#[test]
fn a_key_with_several_rows_counts_once_by_its_best_rank_for_each_measure() {
    // Subscription a: the PAL row (rank 0) carries licenses only, the CSP row (rank 3) carries all.
    let rows = [
        row("2026-10", "a", &[(Licenses, 10)]).rank(0).attached("PAL"),
        row("2026-10", "a", &[(Licenses, 99), (Active, 4)]).rank(3),
        row("2026-10", "b", &[(Licenses, 5), (Active, 1)]),
    ];
    let coverage = covered(&["2026-10"], &[], &LEVELS);
    let role = role(&[]);
    let figures = figures(&rows, coverage, (&role, &Scope::Organization), range("2026-10", 1));
    let report = report_of(&figures, &role, &Scope::Organization);
    assert_eq!(cell(&report, "products", "total", "Licenses"), "15");
    assert_eq!(cell(&report, "products", "total", "Active"), "5");
    // Each attach type counts the key once by its own best row, so that the parts overlap.
    assert_eq!(cell(&report, "by_attach_type", "PAL", "Licenses"), "10");
    assert_eq!(cell(&report, "by_attach_type", "CSP Tier 1", "Licenses"), "104");
    let table = table_of(&report, "by_attach_type");
    assert!(!table.total.as_ref().unwrap().is_sum);
}

#[test]
fn overlapping_parts_say_why_they_sum_to_more() {
    let rows = [
        row("2026-10", "a", &[(Licenses, 10)]).rank(0).attached("PAL"),
        row("2026-10", "a", &[(Licenses, 10)]).rank(3),
    ];
    let role = role(&[]);
    let coverage = covered(&["2026-10"], &[], &LEVELS);
    let figures = figures(&rows, coverage, (&role, &Scope::Organization), range("2026-10", 1));
    let report = report_of(&figures, &role, &Scope::Organization);
    let distribution = report.section(SectionKind::Distribution).unwrap();
    let footnotes: Vec<&str> = distribution
        .blocks
        .iter()
        .filter_map(|block| if let Block::Panels { panels, .. } = block { Some(panels) } else { None })
        .flatten()
        .filter(|panel| !panel.footnote.is_empty())
        .map(|panel| panel.title.as_str())
        .collect();
    assert_eq!(footnotes, ["Attach type"]);
}

#[test]
fn a_scope_is_cut_before_rows_are_de_duplicated() {
    // At L2 the key's only row is the one that ranks behind L1's: it counts there.
    let rows = [
        row("2026-10", "a", &[(Licenses, 10)]).rank(0).at("L1"),
        row("2026-10", "a", &[(Licenses, 8)]).rank(1).at("L2"),
        row("2026-10", "b", &[(Licenses, 3)]).at("L2"),
    ];
    let role = role(&[]);
    let total = |scope: &Scope| {
        let figures = figures(&rows, covered(&["2026-10"], &[], &LEVELS), (&role, scope), range("2026-10", 1));
        cell(&report_of(&figures, &role, scope), "products", "total", "Licenses")
    };
    assert_eq!(total(&Scope::Organization), "13");
    assert_eq!(total(&locations(&["L1"])), "10");
    assert_eq!(total(&locations(&["L2"])), "11");
    assert_eq!(total(&locations(&["L1", "L2"])), "13");
}

#[test]
fn growth_compares_the_last_full_month_with_the_first() {
    // November is not full: October is current, and August (not in the data) is not the first full month.
    let rows = [
        row("2026-09", "a", &[(Licenses, 200)]),
        row("2026-10", "a", &[(Licenses, 150)]),
        row("2026-11", "a", &[(Licenses, 900)]),
        row("2026-10", "b", &[(Licenses, 20)]).of("Power BI"),
    ];
    let role = role(&[]);
    let coverage = covered(&["2026-09", "2026-10", "2026-11"], &["2026-11"], &LEVELS);
    let figures = figures(&rows, coverage, (&role, &Scope::Organization), range("2026-11", 4));
    let report = report_of(&figures, &role, &Scope::Organization);
    assert_eq!(cell(&report, "products", "Microsoft 365", "Growth"), "−25.00%");
    assert_eq!(cell(&report, "products", "Power BI", "Growth"), "new");
    assert_eq!(cell(&report, "products", "total", "Growth"), "−15.00%");
    assert_eq!(cell(&report, "products", "Power BI", "Share"), "11.8%");
    let preliminary = report.head.preliminary.clone().unwrap();
    assert_eq!(
        preliminary,
        "Preliminary: November 2026 is not full yet; figures compare October 2026 with September 2026."
    );
    let kpi = report.kpis().next().unwrap();
    assert_eq!((kpi.growth_note.as_str(), kpi.trend_current), ("since Sep 2026", Some(2)));
    let trend: Vec<_> = kpi.trend.iter().map(|value| value.map(|value| value.to_string())).collect();
    assert_eq!(trend, [None, Some("200".to_owned()), Some("170".to_owned()), Some("900".to_owned())]);
}

#[test]
fn adds_come_from_the_source_once_a_key() {
    let rows = [
        row("2026-09", "a", &[(Licenses, 10), (Added, 10), (Removed, 0)]),
        row("2026-10", "a", &[(Licenses, 7), (Added, 0), (Removed, 3)]).rank(0),
        row("2026-10", "a", &[(Licenses, 7), (Added, 0), (Removed, 3)]).rank(5).attached("CSP Tier 2"),
        row("2026-10", "b", &[(Licenses, 4), (Added, 4), (Removed, 0)])
            .of("Power BI")
            .sku(Some("f8a1"), Some("Power BI Pro")),
    ];
    let role = role(&[]);
    let coverage = covered(&["2026-09", "2026-10"], &[], &SEATS);
    let figures = figures(&rows, coverage, (&role, &Scope::Organization), range("2026-10", 2));
    let report = report_of(&figures, &role, &Scope::Organization);
    let of = |row, column| cell(&report, "adds_by_sku", row, column);
    assert_eq!((of("total", "Added Oct 2026"), of("total", "Removed Oct 2026")), ("4".to_owned(), "3".to_owned()));
    assert_eq!((of("total", "Added, 2 months"), of("total", "Removed, 2 months")), ("14".to_owned(), "3".to_owned()));
    assert_eq!(of("Power BI Pro", "Added Oct 2026"), "4");
    assert_eq!(of("Office 365 E3", "Removed Oct 2026"), "3");
    let adds = report.section(SectionKind::LicenseAdds).unwrap();
    assert_eq!(
        adds.lead,
        "4 licenses were added in October, 60.0% fewer than in September; 3 were removed (below the axis)."
    );
}

#[test]
fn adds_are_derived_from_levels_where_the_source_has_none_also_in_the_first_month() {
    let rows = [
        // The month before the range: a starts at 10, gone has 6 and ends.
        row("2026-08", "a", &[(Licenses, 10)]),
        row("2026-08", "gone", &[(Licenses, 6)]),
        row("2026-09", "a", &[(Licenses, 15)]),
        row("2026-10", "a", &[(Licenses, 12)]),
        row("2026-10", "new", &[(Licenses, 2)]).rank(0),
        row("2026-10", "new", &[(Licenses, 90)]).rank(1),
    ];
    let role = role(&[]);
    let coverage = covered(&["2026-08", "2026-09", "2026-10"], &[], &LEVELS);
    let figures = figures(&rows, coverage, (&role, &Scope::Organization), range("2026-10", 2));
    let at = |text, measure| figures.total(month(text), measure).map(|value| value.to_string());
    assert_eq!((at("2026-09", Added).as_deref(), at("2026-09", Removed).as_deref()), (Some("5"), Some("6")));
    assert_eq!((at("2026-10", Added).as_deref(), at("2026-10", Removed).as_deref()), (Some("2"), Some("3")));
}

#[test]
fn without_the_month_before_derived_adds_of_the_first_month_are_absent() {
    let rows = [row("2026-09", "a", &[(Licenses, 15)]), row("2026-10", "a", &[(Licenses, 12)])];
    let role = role(&[]);
    let coverage = covered(&["2026-09", "2026-10"], &[], &LEVELS);
    let figures = figures(&rows, coverage, (&role, &Scope::Organization), range("2026-10", 2));
    assert_eq!(figures.total(month("2026-09"), Added), None);
    assert_eq!(figures.total(month("2026-10"), Removed), Some(Quantity::whole(3)));
}

#[test]
fn a_breakdown_names_the_top_four_markets_and_others() {
    let markets = ["DE", "FR", "JP", "BR", "IN", "CA", "ZZ"];
    let keys = ["a", "b", "c", "d", "e", "f", "g"];
    let rows: Vec<Row> = (0..7)
        .map(|n| row("2026-10", keys[n], &[(Licenses, 70 - 10 * n as i64), (Active, 1)]).from(markets[n]))
        .collect();
    let role = role(&[]);
    let coverage = covered(&["2026-10"], &[], &LEVELS);
    let figures = figures(&rows, coverage, (&role, &Scope::Organization), range("2026-10", 1));
    let report = report_of(&figures, &role, &Scope::Organization);
    let breakdown = table_of(&report, "product_1_countries");
    let names: Vec<String> = breakdown.rows.iter().map(|row| row[0].text()).collect();
    assert_eq!(names, ["Germany", "France", "Japan", "Brazil", "Others"]);
    assert_eq!(breakdown.rows[4][1].text(), "60");
    assert_eq!(breakdown.rows[4][2].text(), "21.4%");
    // Six countries and one unknown; 280 licenses in all.
    assert_eq!(cell(&report, "countries", "total", "Current licenses"), "280");
    assert_eq!(cell(&report, "countries", "Unknown", "Current licenses"), "10");
    assert_eq!(cell(&report, "countries", "Germany", "Share of licenses"), "25.0%");
    assert_eq!(cell(&report, "countries", "France", "Share of active"), "14.3%");
    let geography = report.section(SectionKind::Geography).unwrap();
    assert_eq!(geography.lead, "Licenses are in 6 countries/regions; Germany has the most, 25.0% of them.");
}

#[test]
fn a_sku_without_a_guid_joins_the_only_guid_of_its_name() {
    let rows = [
        row("2026-09", "a", &[(Licenses, 10)]).sku(Some("6fd2"), Some("OFFICE 365 ENTERPRISE E3")),
        row("2026-10", "a", &[(Active, 4)]).sku(Some("6fd2"), Some("Office 365 E3")),
        row("2026-10", "b", &[(Licenses, 5)]).sku(None, Some("office 365 e3")),
        row("2026-10", "c", &[(Licenses, 2)]).sku(Some("cdd2"), Some("Apps for Business")),
        row("2026-10", "d", &[(Licenses, 3)]).sku(Some("b214"), Some("Apps for Business")),
    ];
    let role = role(&[]);
    let coverage = covered(&["2026-09", "2026-10"], &[], &LEVELS);
    let figures = figures(&rows, coverage, (&role, &Scope::Organization), range("2026-10", 2));
    let report = report_of(&figures, &role, &Scope::Organization);
    let skus: Vec<(String, String)> =
        table_of(&report, "by_sku").rows.iter().map(|row| (row[0].text(), row[1].text())).collect();
    let expected = [("Office 365 E3", "5"), ("Apps for Business (b214)", "3"), ("Apps for Business (cdd2)", "2")];
    assert_eq!(skus, expected.map(|(name, licenses)| (name.to_owned(), licenses.to_owned())));
}

#[test]
fn a_viewer_sees_neither_revenue_nor_names_nor_rows_withheld() {
    let rows = [row("2026-10", "a", &[(Licenses, 10), (BilledRevenueUsd, 777)])];
    let coverage = || covered(&["2026-10"], &[], &[Licenses, BilledRevenueUsd]);
    let json = |role: &Role| {
        let figures = figures(&rows, coverage(), (role, &Scope::Organization), range("2026-10", 1));
        serde_json::to_string(&report_of(&figures, role, &Scope::Organization)).unwrap()
    };
    let all = json(&role(&[]));
    assert!(all.contains("777") && all.contains("billed_revenue_usd") && all.contains("customer_name"));
    let viewer = json(&role(&[Withheld::Revenue, Withheld::CustomerNames]));
    assert!(!viewer.contains("777") && !viewer.contains("billed_revenue_usd") && !viewer.contains("customer_name"));
    assert!(viewer.contains("Billed revenue: not shown for Report viewer; ask your Global admin."));
    assert!(!json(&role(&[Withheld::RawRows])).contains("raw-rows"));
}

#[test]
fn facts_out_of_order_are_refused() {
    let eyes = AudienceFacts::new(&role(&[]), &Scope::Organization);
    let mut tally = Tally::new(range("2026-10", 1), Coverage::default());
    tally.add(eyes.see(&row("2026-10", "b", &[]).fact()).unwrap()).unwrap();
    assert!(tally.add(eyes.see(&row("2026-10", "a", &[]).fact()).unwrap()).is_err());
}

#[test]
fn the_largest_adds_have_charts_on_paper_in_their_order_and_products_colours() {
    let rows: Vec<Row> = (0_i64..12)
        .flat_map(|n| {
            let key: &'static str =
                ["k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8", "k9", "ka", "kb"][n as usize];
            let measures = [(Licenses, 100), (Added, 10 + n), (Removed, 1)];
            let product = if n == 11 { "Power BI" } else { "Microsoft 365" };
            ["2026-09", "2026-10"].map(|month| row(month, key, &measures).of(product).sku(Some(key), Some(key)))
        })
        .collect();
    let coverage = covered(&["2026-09", "2026-10"], &[], &[Licenses, Added, Removed]);
    let role = role(&[]);
    let report = report_of(
        &figures(&rows, coverage, (&role, &Scope::Organization), range("2026-10", 2)),
        &role,
        &Scope::Organization,
    );
    let section = report.section(SectionKind::LicenseAdds).unwrap();
    let mut on_paper = section.blocks.iter().rev().filter_map(|block| match block {
        Block::OnPaper(blocks) => blocks.first(),
        _ => None,
    });
    // The charts of products come before them.
    let Some(Block::Panels { panels, .. }) = on_paper.next() else { panic!("{section:?}") };
    let titles: Vec<&str> = panels.iter().map(|panel| panel.title.as_str()).collect();
    assert_eq!(titles, ["kb", "ka", "k9", "k8", "k7", "k6", "k5", "k4", "k3"]);
    assert_eq!(panels[0].note, "42 added, 2 removed");
    let slot =
        |name: &str| report.head.products.iter().find(|product| product.name == name).map(|product| product.slot);
    assert_eq!((panels[0].slot, panels[1].slot), (slot("Power BI"), slot("Microsoft 365")));
}
