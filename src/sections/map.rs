//! The world map of current licenses: its classes and its words.

use crate::base::{Market, Month, Quantity};
use crate::report::{Map, MapClass};

/// More shades than this are not told apart.
const CLASSES_MAX: usize = 5;
/// Powers of ten make the most readable classes, where they make at least so many limits.
const POWERS_MIN: usize = 3;
/// How many markets the map's words name.
const NAMED: usize = 5;

/// The map of each market's current licenses, largest first; none where no known market has any.
pub(super) fn map(month: Month, licenses: &[(Market, Quantity)]) -> Option<Map> {
    let is_unknown = |market: Market| market == Market::UNKNOWN;
    let values: Vec<(Market, Quantity)> =
        licenses.iter().filter(|(market, value)| !is_unknown(*market) && *value > Quantity::ZERO).copied().collect();
    let unknown = licenses.iter().filter(|(market, _)| is_unknown(*market)).map(|(_, value)| *value).sum();
    let sizes: Vec<Quantity> = values.iter().map(|(_, value)| *value).collect();
    (!values.is_empty()).then(|| Map {
        key: "world".to_owned(),
        title: "Current licenses by country/region".to_owned(),
        alt: alt(month, &values, unknown),
        value_label: "Current licenses".to_owned(),
        classes: classes(&sizes),
        values,
        unknown,
    })
}

/// What the map shows, for who does not see it.
fn alt(month: Month, values: &[(Market, Quantity)], unknown: Quantity) -> String {
    let named: Vec<String> =
        values.iter().take(NAMED).map(|(market, value)| format!("{} {}", market.name(), value.grouped())).collect();
    let n = values.len();
    let in_all = if n == 1 { "1 country/region".to_owned() } else { format!("{n} countries/regions") };
    let without = match unknown {
        Quantity::ZERO => String::new(),
        unknown => format!(", and {} without one", unknown.grouped()),
    };
    let month = month.long();
    let named = named.join(", ");
    format!("Map of current licenses by customer country/region, {month}: {named}; {in_all} in all{without}.")
}

/// Classes of values above zero, least first, each with at least one value in it.
fn classes(values: &[Quantity]) -> Vec<MapClass> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let (Some(least), Some(most)) = (sorted.first().copied(), sorted.last().copied()) else { return Vec::new() };
    let limits = limits(&sorted);
    if limits.is_empty() {
        let label =
            if least == most { least.grouped() } else { format!("{}\u{2013}{}", least.grouped(), most.grouped()) };
        return vec![MapClass { label, below: None }];
    }
    let is_whole = sorted.iter().all(|value| value.millionths() % Quantity::whole(1).millionths() == 0);
    let ends = limits.iter().copied().map(Some).chain([None]);
    let begins = [None].into_iter().chain(limits.iter().copied().map(Some));
    begins.zip(ends).map(|(from, below)| MapClass { label: label(from, below, is_whole), below }).collect()
}

/// `1–99`, `100–999`, `1,000 and more` of whole values. Others may lie between 99 and 100, so they read `under 100`,
/// `100 to under 1,000`.
fn label(from: Option<Quantity>, below: Option<Quantity>, is_whole: bool) -> String {
    let one = Quantity::whole(1);
    match (from, below) {
        (from, None) => format!("{} and more", from.unwrap_or(one).grouped()),
        (from, Some(below)) if is_whole => {
            let (first, last) = (from.unwrap_or(one), below - one);
            if first == last { first.grouped() } else { format!("{}\u{2013}{}", first.grouped(), last.grouped()) }
        }
        (None, Some(below)) => format!("under {}", below.grouped()),
        (Some(from), Some(below)) => format!("{} to under {}", from.grouped(), below.grouped()),
    }
}

/// Round limits between the classes of sorted values: powers of ten where these are enough, of a hundred or more
/// where they are too many, else steps of 1, 2 and 5 with as many values on both sides as can be.
fn limits(sorted: &[Quantity]) -> Vec<Quantity> {
    let every = |n: i32| separating(sorted, |power, digit| digit == 1 && power % n == 0);
    let powers = every(1);
    if powers.len() >= CLASSES_MAX {
        let coarser = (2..).map(every).find(|limits| limits.len() < CLASSES_MAX);
        return coarser.unwrap_or_default();
    }
    if powers.len() >= POWERS_MIN {
        return powers;
    }
    let mut limits = separating(sorted, |_, _| true);
    while limits.len() >= CLASSES_MAX {
        let n_below =
            |n: usize| limits.get(n).map_or(sorted.len(), |limit| sorted.partition_point(|value| value < limit));
        // The classes at both sides of a limit become one: the smallest such class.
        let joined = |n: &usize| n_below(n + 1) - n.checked_sub(1).map_or(0, n_below);
        match (0..limits.len()).min_by_key(joined) {
            Some(n) => limits.remove(n),
            None => break,
        };
    }
    limits
}

/// The limits of 1, 2 and 5 times a power of ten that are wanted and have values on both sides before the next one.
fn separating(sorted: &[Quantity], is_wanted: impl Fn(i32, i64) -> bool) -> Vec<Quantity> {
    // From a millionth, the least quantity, to beyond the largest.
    let powers = (0..19_u32).filter_map(|n| Some((n as i32 - 6, 10_i64.checked_pow(n)?)));
    let round = powers.flat_map(|(power, unit)| [1, 2, 5].map(|digit| (power, digit, unit.checked_mul(digit))));
    let wanted = round.filter(|(power, digit, _)| is_wanted(*power, *digit));
    let mut limits: Vec<Quantity> = wanted.filter_map(|(_, _, limit)| limit).map(Quantity::from_millionths).collect();
    let n_below = |limit: &Quantity| sorted.partition_point(|value| value < limit);
    let mut next = sorted.len();
    limits.reverse();
    limits.retain(|limit| {
        let n = n_below(limit);
        let separates = n > 0 && n < next;
        next = n;
        separates
    });
    limits.reverse();
    limits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn quantity(text: &str) -> Quantity {
        text.parse().unwrap()
    }

    fn labels(values: &[&str]) -> Vec<String> {
        let values: Vec<Quantity> = values.iter().map(|text| quantity(text)).collect();
        classes(&values).into_iter().map(|class| class.label).collect()
    }

    #[test]
    fn classes_are_round_and_few_whatever_the_values() {
        for (values, expected) in [
            (&["45120"][..], &["45,120"][..]),
            (&["7", "7", "7"], &["7"]),
            (&["45120", "45130"], &["45,120–45,130"]),
            (&["0.469"], &["0.469"]),
            (&["1", "2"], &["1", "2 and more"]),
            (&["1", "60", "700", "8000"], &["1–9", "10–99", "100–999", "1,000 and more"]),
            (&["0.469", "60", "700", "8000"], &["under 10", "10 to under 100", "100 to under 1,000", "1,000 and more"]),
            (
                &["1", "9", "10", "99", "100", "1000", "10000"],
                &["1–9", "10–99", "100–999", "1,000–9,999", "10,000 and more"],
            ),
            (&["1000", "1999", "2000", "4999", "5000"], &["1–1,999", "2,000–4,999", "5,000 and more"]),
            // What no value lies in is no class.
            (&["3", "40000"], &["1–19,999", "20,000 and more"]),
            (&["0.1", "0.25"], &["under 0.2", "0.2 and more"]),
            (&["0.000001", "1000000000000"], &["under 1,000,000,000,000", "1,000,000,000,000 and more"]),
        ] {
            assert_eq!(labels(values), expected, "{values:?}");
        }
        let wide: Vec<String> = (0..9).map(|n| (247_616_265_i64 / 10_i64.pow(n)).to_string()).collect();
        let wide: Vec<&str> = wide.iter().map(String::as_str).collect();
        assert_eq!(
            labels(&wide),
            ["1–99", "100–9,999", "10,000–999,999", "1,000,000–99,999,999", "100,000,000 and more"]
        );
    }

    proptest! {
        #[test]
        fn every_value_is_in_exactly_one_class_and_no_class_is_empty(
            values in prop::collection::vec((1_i64..1000, 0_u32..15), 1..200)
        ) {
            let values: Vec<Quantity> =
                values.into_iter().map(|(digits, power)| Quantity::from_millionths(digits * 10_i64.pow(power))).collect();
            let sum: Quantity = values.iter().copied().sum();
            let unknown = quantity("12.5");
            let markets = celes::Country::get_countries();
            let mut licenses: Vec<(Market, Quantity)> =
                markets.iter().map(|country| country.alpha2.parse().unwrap()).zip(values.iter().copied()).collect();
            licenses.push((Market::UNKNOWN, unknown));
            licenses.push(("AQ".parse().unwrap(), Quantity::ZERO));
            let map = map("2026-10".parse().unwrap(), &licenses).unwrap();
            prop_assert_eq!(map.values.iter().map(|(_, value)| *value).sum::<Quantity>(), sum);
            prop_assert_eq!(map.unknown, unknown);
            prop_assert!(map.classes.len() <= CLASSES_MAX);
            let mut n_in = vec![0; map.classes.len()];
            for value in &values {
                n_in[map.class_of(*value).unwrap()] += 1;
            }
            prop_assert!(n_in.iter().all(|n| *n > 0), "{:?} {:?}", n_in, map.classes);
            prop_assert!(map.classes.is_sorted_by_key(|class| class.below.unwrap_or(Quantity::from_millionths(i64::MAX))));
            prop_assert_eq!(map.classes.iter().filter(|class| class.below.is_none()).count(), 1);
        }
    }

    #[test]
    fn the_words_name_the_largest_and_count_all() {
        let month: Month = "2026-10".parse().unwrap();
        let licenses = |all: &[(&str, i64)]| -> Vec<(Market, Quantity)> {
            all.iter().map(|(code, n)| (code.parse().unwrap(), Quantity::whole(*n))).collect()
        };
        let of = |all: &[(&str, i64)]| map(month, &licenses(all)).map(|map| map.alt);
        let many =
            [("JP", 45_120), ("DE", 39_002), ("ZZ", 1234), ("FR", 12), ("IT", 5), ("ES", 4), ("PT", 3), ("NO", 0)];
        assert_eq!(
            of(&many).unwrap(),
            "Map of current licenses by customer country/region, October 2026: Japan 45,120, Germany 39,002, France 12, \
             Italy 5, Spain 4; 6 countries/regions in all, and 1,234 without one."
        );
        assert_eq!(
            of(&[("DE", 1)]).unwrap(),
            "Map of current licenses by customer country/region, October 2026: Germany 1; 1 country/region in all."
        );
        assert_eq!(of(&[("ZZ", 5), ("DE", 0), ("FR", -3)]), None, "an empty world says nothing");
    }
}
