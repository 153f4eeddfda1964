//! Sentences as people read them, among them the awkward ones.

use super::*;
use crate::report::{Compared, Series, Slot};

fn quantities(texts: &[&str]) -> Vec<Option<Quantity>> {
    texts.iter().map(|text| text.parse().ok()).collect()
}

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

/// Values up to October 2026, the months that are not full, the sentence, and the few words for a table.
#[test]
fn levels_read_as_sentences() {
    type Case = (&'static [&'static str], &'static [&'static str], &'static str, &'static str);
    let cases: [Case; 10] = [
        (
            &["161203", "160000", "173682"],
            &[],
            "rose from 161,203 in August 2026 to 173,682 in October 2026, highest in October 2026 and lowest in \
             September 2026 (160,000)",
            "161,203 to 173,682, highest in the last month and lowest in Sep 2026 (160,000)",
        ),
        (&["9", "3", "3", "5"], &[], "fell from 9 in July 2026 to 5 in October 2026", "9 to 5"),
        (
            &["1200", "1200"],
            &[],
            "stood at 1,200 in every month from September 2026 to October 2026",
            "1,200 in every month",
        ),
        (&["1200"], &[], "were 1,200 in October 2026 (one month)", "1,200 in Oct 2026"),
        (
            &["", "0.469"],
            &[],
            "were 0.469 in October 2026; no data for 1 of 2 months",
            "0.469 in Oct 2026; no data for 1 of 2 months",
        ),
        (
            &["", "5", "8", "7", ""],
            &[],
            "rose from 5 in July 2026, the first month with data, to 7 in September 2026, the last month with data, \
             highest in August 2026 (8); no data for 2 of 5 months",
            "5 to 7, highest in Aug 2026 (8); no data for 2 of 5 months",
        ),
        (
            &["200", "170", "900"],
            &["2026-10"],
            "fell from 200 in August 2026 to 170 in September 2026, the last full month with data; October 2026 stands \
             at 900 and is not full yet",
            "200 to 170; Oct 2026 not full yet",
        ),
        (
            &["7", "2", "7"],
            &[],
            "were 7 both in August 2026 and in October 2026, lowest in September 2026 (2)",
            "7 to 7, lowest in Sep 2026 (2)",
        ),
        (&["5"], &["2026-10"], "stand at 5 in October 2026, which is not full yet", "5; Oct 2026 not full yet"),
        (&["0", "0"], &[], "stood at 0 in every month from September 2026 to October 2026", "0 in every month"),
    ];
    for (values, open, long, short) in cases {
        let values = quantities(values);
        let open: Vec<Month> = open.iter().map(|text| month(text)).collect();
        let first = month("2026-10").plus(1 - values.len() as i32);
        let course = Course { first, values: &values, open: &open, is_alike: true };
        assert_eq!(level("Licenses", &course), format!("Licenses {long}"));
        assert_eq!(super::super::course::brief(&course), short);
    }
    let none = [None, None];
    let course = Course { first: month("2026-09"), values: &none, open: &[], is_alike: true };
    assert_eq!(level("Licenses", &course), "Licenses: no data from September 2026 to October 2026");
}

#[test]
fn totals_over_different_products_are_not_compared() {
    let values = quantities(&["40", "110"]);
    let course = Course { first: month("2026-09"), values: &values, open: &[], is_alike: false };
    assert_eq!(
        level("Active licenses", &course),
        "Active licenses were 40 in September 2026 and 110 in October 2026, counted over different products"
    );
}

#[test]
fn flows_read_as_sentences() {
    type Case = (&'static [&'static str], &'static [&'static str], &'static str);
    let cases: [Case; 7] = [
        (
            &["1000", "1830"],
            &["5", "4"],
            "2,830 licenses were added and 9 removed from September 2026 to October 2026; the most were added in October \
             2026 (1,830) and removed in September 2026 (5).",
        ),
        (&["1"], &["0.469"], "1 license was added and 0.469 were removed in October 2026."),
        (&["1"], &["1"], "1 license was added and 1 removed in October 2026."),
        (&["0"], &["1"], "no licenses were added and 1 was removed in October 2026."),
        (&["0", "0"], &["0", "0"], "no licenses were added or removed from September 2026 to October 2026."),
        (
            &["", "7"],
            &["", ""],
            "7 licenses were added from September 2026 to October 2026; the data does not tell what was removed; no data \
             for 1 of 2 months of what was added.",
        ),
        (&[""], &[""], "no data in October 2026."),
    ];
    let series =
        |values: &[&str]| vec![Series { name: "x".to_owned(), slot: Slot::Product(0), values: quantities(values) }];
    for (added, removed, expected) in cases {
        let last = month("2026-10");
        let months: Vec<Month> = (1..=added.len() as i32).map(|n| last.plus(n - added.len() as i32)).collect();
        let (added, removed) = (series(added), series(removed));
        let of = Flows { months: &months, added: &added, removed: &removed, open: &[] };
        assert_eq!(flows("Contoso Inc.", &of), format!("Contoso Inc.: {expected}"));
    }
}

#[test]
fn a_months_adds_read_as_a_sentence() {
    let cases = [
        (
            ("1895", "1516", "532"),
            "1,895 licenses were added in October, 25.0% more than in September; 532 were removed (below the axis).",
        ),
        (
            ("1", "2", "1"),
            "1 license was added in October, 50.0% fewer than in September; 1 was removed (below the axis).",
        ),
        (("0", "0", "0"), "No licenses were added in October, as in September; none were removed."),
        (
            ("0", "12", ""),
            "No licenses were added in October, after 12 in September; the data does not tell what was removed.",
        ),
        (
            ("3", "0", "2"),
            "3 licenses were added in October, after none in September; 2 were removed (below the axis).",
        ),
        (
            ("100001", "100000", "0"),
            "100,001 licenses were added in October, less than 0.1% more than in September; none were removed.",
        ),
        (("7", "", "0.5"), "7 licenses were added in October; 0.5 were removed (below the axis)."),
        (("", "7", "1"), "The data of October 2026 does not tell what was added; 1 license was removed."),
    ];
    for ((added, before, removed), expected) in cases {
        let of = |text: &str| text.parse().ok();
        let told = adds(&Adds { month: month("2026-10"), added: of(added), before: of(before), removed: of(removed) });
        assert_eq!(told, expected);
    }
}

#[test]
fn names_are_left_as_they_are() {
    let one = Quantity::whole(1);
    let october = month("2026-10");
    assert_eq!(
        largest(october, Some(one), &[("Contoso Inc.", one)], &[]),
        "All licenses in October 2026 are of Contoso Inc."
    );
    assert_eq!(
        largest(october, Some(Quantity::whole(2)), &[("aPaaS", one)], &["Open"]),
        "aPaaS makes up 50.0% of the licenses counted in October 2026; no data for Open."
    );
    assert_eq!(list(&[]), "");
    assert_eq!(list(&["A"]), "A");
    assert_eq!(list(&["A", "B"]), "A and B");
    assert_eq!(list(&["A", "B", "C"]), "A, B and C");
}

#[test]
fn shares_that_rounding_would_hide_are_told() {
    let ratio = |part: i64, whole: i64| Ratio::new(Quantity::whole(part), Quantity::whole(whole)).unwrap();
    assert_eq!(share(ratio(57, 100), 1), "57.0%");
    assert_eq!(share(ratio(1, 100_000), 1), "less than 0.1%");
    assert_eq!(share(ratio(99_999, 100_000), 1), "more than 99.9%");
    assert_eq!(share(ratio(999, 1_000), 0), "more than 99%");
    assert_eq!(share(ratio(0, 5), 1), "0.0%");
    assert_eq!(share(ratio(5, 5), 0), "100%");
}

#[test]
fn a_reading_that_begins_with_a_name_keeps_its_letter() {
    let count = |n| Some(Quantity::whole(n));
    let of = |products| Standing {
        compared: Some(Compared { first: month("2025-11"), last: month("2026-10") }),
        licenses: count(250),
        without: String::new(),
        growth: Measured { growth: Growth::between(count(200), count(250)), is_partial: false },
        deployment: Ratio::new(Quantity::whole(300), Quantity::whole(250)),
        deployment_is_of_all: true,
        active: Measured { growth: Growth::Absent, is_partial: true },
        is_alike: false,
        products,
    };
    let lead = "Licenses grew 25.00% to 250; more are assigned than were sold.";
    let new = of(vec![("Open", Growth::between(count(200), count(240))), ("aPaaS", Growth::New)]);
    assert_eq!(reading(&new), (lead.to_owned(), "aPaaS is new.".to_owned()));
    let fell = Growth::between(count(5), count(4));
    let all = of(vec![("iX", Growth::between(count(200), count(240))), ("Contoso Inc.", Growth::New), ("Open", fell)]);
    assert_eq!(reading(&all).1, "Contoso Inc. is new; of the others, iX grew fastest: +20.00%.");
    let old = of(vec![("iX", Growth::between(count(200), count(240))), ("Open", fell)]);
    assert_eq!(reading(&old).1, "iX grew fastest: +20.00%.");
    let partly = of(vec![("Open", fell), ("iX", Growth::between(count(200), count(240))), ("x", Growth::Absent)]);
    assert_eq!(reading(&partly).1, "Of the products known in both months, iX grew fastest: +20.00%.");
}

#[test]
fn growth_that_rounding_would_hide_is_told() {
    let of = |first, last| {
        let (first, last) = (Quantity::whole(first), Quantity::whole(last));
        let standing = Standing {
            compared: Some(Compared { first: month("2025-11"), last: month("2026-10") }),
            licenses: Some(last),
            without: "without Contoso Inc.".to_owned(),
            growth: Measured { growth: Growth::between(Some(first), Some(last)), is_partial: false },
            deployment: None,
            deployment_is_of_all: true,
            active: Measured { growth: Growth::Absent, is_partial: false },
            is_alike: true,
            products: Vec::new(),
        };
        reading(&standing).0
    };
    assert_eq!(of(10_000_000, 9_999_999), "Licenses (without Contoso Inc.) fell by less than 0.01% to 9,999,999.");
    assert_eq!(of(10_000_000, 1), "Licenses (without Contoso Inc.) fell by more than 99.99% to 1.");
    assert_eq!(of(10, 0), "Licenses (without Contoso Inc.) fell 100.00% to 0.");
    assert_eq!(of(0, 0), "Licenses (without Contoso Inc.) stand at 0 in October 2026, as in November 2025.");
}

#[test]
fn places_that_share_the_most_share_the_sentence() {
    let count = Quantity::whole;
    let of = |places: &[(&str, Quantity)], total| {
        spread(&Spread { month: month("2026-10"), total: Some(count(total)), places })
    };
    assert_eq!(
        of(&[("Germany", count(4)), ("Japan", count(4)), ("Chad", count(1))], 16),
        "Licenses are in 3 countries/regions; Germany and Japan have the most, 25.0% of them each."
    );
    assert_eq!(of(&[("Germany", count(4))], 4), "All licenses are in Germany.");
    assert_eq!(of(&[("Germany", count(4))], 5), "All licenses whose country/region is known are in Germany.");
    assert_eq!(of(&[], 5), "The country/region of all licenses is not known.");
    assert_eq!(of(&[], 0), "There are no current licenses in October 2026.");
}

#[test]
fn sums_beside_a_heading_tell_what_is_absent() {
    let series =
        |values: &[&str]| vec![Series { name: "x".to_owned(), slot: Slot::Product(0), values: quantities(values) }];
    assert_eq!(sums(&series(&["12000", "", "483"]), &series(&["4429", "", ""])), "12,483 added, 4,429 removed");
    assert_eq!(sums(&series(&["1"]), &series(&[""])), "1 added, n/a removed");
    assert_eq!(sums(&series(&[""]), &series(&[""])), "n/a");
}
