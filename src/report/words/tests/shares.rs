//! Shares: the ring, the largest product, the spread over countries.

use super::*;
use crate::report::{Slice, Slot};

/// Reads the words of a ring.
pub(crate) fn check_shares(text: &str, title: &str, of: &Shares<'_>) {
    let mut reader = Reader::new(text);
    reader.expect(&format!("{title} in "));
    assert_eq!(reader.month(), of.month);
    reader.expect(" (");
    assert_eq!(reader.number(), of.whole);
    reader.expect(" in all): ");
    for (n, slice) in of.slices.iter().enumerate() {
        reader.expect(&format!("{}{} ", if n == 0 { "" } else { ", " }, slice.name));
        reader.share(slice.value, of.whole, 1);
    }
    check_lacking(&mut reader, of.lacking);
}

/// `; no data for …` where there is none, and the end.
fn check_lacking(reader: &mut Reader<'_>, lacking: &[&str]) {
    if let [.., last] = lacking {
        reader.expect(&format!("; no data for {}", list(lacking)));
        assert_eq!(reader.eat("."), !last.ends_with('.'));
    } else {
        reader.expect(".");
    }
    reader.end();
}

/// Reads the lead of the distribution.
pub(crate) fn check_largest(
    text: &str,
    month: Month,
    total: Option<Quantity>,
    products: &[(&str, Quantity)],
    lacking: &[&str],
) {
    let mut reader = Reader::new(text);
    let Some(total) = total else {
        return assert_eq!(text, format!("The data of {} has no license counts.", month.long()));
    };
    let Some((name, value)) = products.first().filter(|_| total > Quantity::ZERO) else {
        reader.expect(&format!("There are no current licenses in {}", month.long()));
        return check_lacking(&mut reader, lacking);
    };
    if *value == total {
        let counted = if lacking.is_empty() { "" } else { " counted" };
        reader.expect(&format!("All licenses{counted} in {} are of {name}", month.long()));
        if lacking.is_empty() && name.ends_with('.') {
            return reader.end();
        }
    } else {
        reader.expect(&format!("{name} makes up "));
        reader.share(*value, total, 1);
        let all = if lacking.is_empty() { "all licenses" } else { "the licenses counted" };
        reader.expect(&format!(" of {all} in {}", month.long()));
    }
    check_lacking(&mut reader, lacking);
}

/// Reads the lead of the geography.
pub(crate) fn check_spread(text: &str, of: &Spread<'_>) {
    let Some(total) = of.total else {
        return assert_eq!(text, format!("The data of {} has no license counts.", of.month.long()));
    };
    if total == Quantity::ZERO {
        return assert_eq!(text, format!("There are no current licenses in {}.", of.month.long()));
    }
    match of.places {
        [] => return assert_eq!(text, "The country/region of all licenses is not known."),
        [(name, licenses)] => {
            let known = if *licenses == total { "" } else { " whose country/region is known" };
            return assert_eq!(text, format!("All licenses{known} are in {name}."));
        }
        _ => {}
    }
    let mut reader = Reader::new(text);
    reader.expect("Licenses are in ");
    assert_eq!(reader.count(), of.places.len());
    reader.expect(" countries/regions");
    let most = of.places.iter().map(|(_, licenses)| *licenses).max().unwrap();
    let leaders: Vec<&str> =
        of.places.iter().filter(|(_, licenses)| *licenses == most).map(|(name, _)| *name).collect();
    assert_eq!(reader.eat("; "), leaders.len() <= 3, "{text}");
    if leaders.len() <= 3 {
        reader.expect(&list(&leaders));
        reader.expect(if leaders.len() == 1 { " has the most, " } else { " have the most, " });
        reader.share(most, total, 1);
        reader.expect(if leaders.len() == 1 { " of them" } else { " of them each" });
    }
    reader.expect(".");
    reader.end();
}

/// Up to so many values with their names.
fn named() -> impl Strategy<Value = Vec<(&'static str, Quantity)>> {
    prop::collection::vec(figure(), 0..NAMES.len()).prop_map(|values| {
        let mut named: Vec<_> = NAMES.into_iter().zip(values).filter(|(_, value)| *value > Quantity::ZERO).collect();
        named.sort_by_key(|(_, value)| std::cmp::Reverse(*value));
        named
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn shares_are_those_of_the_figures(parts in named(), n_lacking in 0_usize..3, rest in figure()) {
        let month = start();
        let lacking = &["Contoso Inc.", "Open"][..n_lacking.min(2)];
        let total: Quantity = parts.iter().map(|(_, value)| *value).sum();
        let slices: Vec<Slice> = parts
            .iter()
            .map(|(name, value)| Slice { name: (*name).to_owned(), slot: Slot::Others, value: *value })
            .collect();
        if !slices.is_empty() {
            let of = Shares { month, whole: total, slices: &slices, lacking };
            check_shares(&shares("Licenses by product", &of), "Licenses by product", &of);
        }
        let total = (n_lacking != 2 || !parts.is_empty()).then_some(total);
        check_largest(&largest(month, total, &parts, lacking), month, total, &parts, lacking);
        let places: Vec<(&str, Quantity)> = ["Germany", "France", "Japan", "India", "Chad", "Peru", "Fiji"]
            .into_iter()
            .zip(parts.iter().map(|(_, value)| *value))
            .collect();
        let of = Spread { month, total: total.map(|total| total + rest), places: &places };
        check_spread(&spread(&of), &of);
    }
}
