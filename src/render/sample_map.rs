//! Worlds for the tests of the renderers: one market or all of them.

use crate::base::{Market, Quantity};
use crate::report::{Map, MapClass};

/// A map of so many markets, each with fewer licenses than the one before it; `n` of the five classes are used.
pub(crate) fn map(n_markets: usize) -> Map {
    // The large ones first, then the rest of the alphabet, most of which are dots.
    let large = ["JP", "DE", "BR", "FR", "IN", "CA", "US", "BA", "SG", "MT", "LU", "BH", "HK", "MU", "BB", "GD"];
    let rest = celes::Country::get_countries().map(|country| country.alpha2);
    let rest = rest.iter().copied().filter(|code| !large.contains(code));
    let codes = large.into_iter().chain(rest).take(n_markets);
    let values: Vec<(Market, Quantity)> =
        codes.enumerate().map(|(n, code)| (code.parse().unwrap(), Quantity::whole(40_000 / (n as i64 + 1)))).collect();
    let limits =
        [("1–199", Some(200)), ("200–999", Some(1000)), ("1,000–9,999", Some(10_000)), ("10,000 and more", None)];
    Map {
        key: "world".to_owned(),
        title: "Current licenses by country/region".to_owned(),
        alt: format!("Map of current licenses; {n_markets} countries/regions in all."),
        value_label: "Current licenses".to_owned(),
        values,
        classes: limits
            .into_iter()
            .map(|(label, below)| MapClass { label: label.to_owned(), below: below.map(Quantity::whole) })
            .collect(),
        unknown: Quantity::whole(1234),
    }
}
