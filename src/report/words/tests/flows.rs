//! Flows: what was added and removed over a range and in a month.

use super::course::check_span;
use super::*;
use crate::report::{Series, Slot};

/// Values by month of series that are stacked: absent where none of them is known.
fn stacked(series: &[Series], n: usize) -> Vec<Option<Quantity>> {
    let at = |n: usize| series.iter().filter_map(move |series| series.values[n]);
    (0..n).map(|n| at(n).next().map(|_| at(n).sum())).collect()
}

fn total(stacked: &[Option<Quantity>]) -> Option<Quantity> {
    let known: Vec<Quantity> = stacked.iter().flatten().copied().collect();
    (!known.is_empty()).then(|| known.into_iter().sum())
}

/// Whether all months that are known count the same series.
fn counts_alike(series: &[Series], n: usize) -> bool {
    let pattern = |n: usize| series.iter().map(|series| series.values[n].is_some()).collect::<Vec<_>>();
    let known: Vec<Vec<bool>> = (0..n).map(pattern).filter(|pattern| pattern.contains(&true)).collect();
    known.windows(2).all(|pair| pair[0] == pair[1])
}

/// `no licenses were`, `1 license was`, `0.469 licenses were`.
fn read_licenses(reader: &mut Reader<'_>) -> Quantity {
    if reader.eat("no licenses were ") || reader.eat("No licenses were ") {
        return Quantity::ZERO;
    }
    let n = reader.number();
    let is_one = n == Quantity::whole(1);
    reader.expect(if is_one { " license was " } else { " licenses were " });
    assert_ne!(n, Quantity::ZERO);
    n
}

/// Reads the sentence of flows and holds each of its claims against the series.
pub(crate) fn check_flows(text: &str, title: &str, flows: &Flows<'_>) {
    let n = flows.months.len();
    let (added, removed) = (stacked(flows.added, n), stacked(flows.removed, n));
    let mut reader = Reader::new(text);
    reader.expect(&format!("{title}: "));
    if reader.eat("no data") {
        assert_eq!((total(&added), total(&removed)), (None, None), "{text}");
        check_span(&mut reader, flows.months[0], flows.months[n - 1]);
        return reader.expect(".");
    }
    check_sums(&mut reader, text, total(&added), total(&removed));
    check_span(&mut reader, flows.months[0], flows.months[n - 1]);
    if reader.eat("; the most were ") {
        let most = |reader: &mut Reader<'_>, by_month: &[Option<Quantity>], series: &[Series]| {
            let month = reader.month();
            reader.expect(" (");
            let at = flows.months.iter().position(|of| *of == month).unwrap();
            let value = reader.number();
            reader.expect(")");
            assert_eq!(by_month[at], Some(value), "{text}");
            let others = by_month.iter().enumerate().filter(|(of, _)| *of != at).filter_map(|(_, value)| *value);
            assert!(others.clone().count() > 0 && others.clone().all(|other| other < value), "{text}");
            assert!(counts_alike(series, n), "{text}");
        };
        let both = reader.eat("added in ");
        if both {
            most(&mut reader, &added, flows.added);
        }
        if reader.eat(if both { " and removed in " } else { "removed in " }) {
            most(&mut reader, &removed, flows.removed);
        }
    }
    check_limits(&mut reader, text, flows, (&added, &removed));
    reader.eat(".");
    reader.end();
}

fn check_sums(reader: &mut Reader<'_>, text: &str, added: Option<Quantity>, removed: Option<Quantity>) {
    if reader.eat("no licenses were added or removed") {
        return assert_eq!((added, removed), (Some(Quantity::ZERO), Some(Quantity::ZERO)), "{text}");
    }
    let first = read_licenses(reader);
    if reader.eat("removed") {
        return assert_eq!((added, removed), (None, Some(first)), "{text}");
    }
    reader.expect("added");
    assert_eq!(added, Some(first), "{text}");
    if !reader.eat(" and ") {
        return assert_eq!(removed, None, "{text}");
    }
    let second = if reader.eat("none") { Quantity::ZERO } else { reader.number() };
    let verb = reader.one_of(&[(" were", 2), (" was", 1), ("", 0)]);
    let is_one = |n: Quantity| n == Quantity::whole(1);
    let of = |n: Quantity| if is_one(n) { 1 } else { 2 };
    assert_eq!(if verb == 0 { of(first) } else { verb }, of(second), "{text}");
    reader.expect(" removed");
    assert_eq!(removed, Some(second), "{text}");
}

fn check_limits(
    reader: &mut Reader<'_>,
    text: &str,
    flows: &Flows<'_>,
    (added, removed): (&[Option<Quantity>], &[Option<Quantity>]),
) {
    let n = added.len();
    let n_absent = |stacked: &[Option<Quantity>]| stacked.iter().filter(|value| value.is_none()).count();
    let is_known = [total(added).is_some(), total(removed).is_some()];
    let of_both = |told: [String; 2], reader: &mut Reader<'_>| {
        if told[0] == told[1] {
            return reader.expect(&told[0]);
        }
        for (told, of) in told.iter().zip(["added", "removed"]).filter(|(told, _)| !told.is_empty()) {
            reader.expect(&format!("{told} of what was {of}"));
        }
    };
    let lacks = [flows.added, flows.removed].map(|series| {
        let names = series.iter().filter(|series| series.values.iter().all(Option::is_none));
        list(&names.map(|series| series.name.as_str()).collect::<Vec<_>>())
    });
    let told = |at: usize| {
        if is_known[at] && !lacks[at].is_empty() { format!("; no data for {}", lacks[at]) } else { String::new() }
    };
    of_both([0, 1].map(told), reader);
    assert_eq!(reader.eat("; the data does not tell what was removed"), !is_known[1], "{text}");
    assert_eq!(reader.eat("; the data does not tell what was added"), !is_known[0], "{text}");
    let n_absent = [n_absent(added), n_absent(removed)];
    let told = |at: usize| match n_absent[at] {
        n_absent if n_absent > 0 && is_known[at] => format!("; no data for {n_absent} of {n} months"),
        _ => String::new(),
    };
    of_both([0, 1].map(told), reader);
    let is_alike = counts_alike(flows.added, n) && counts_alike(flows.removed, n);
    assert_eq!(reader.eat("; not every month counts all products"), !is_alike, "{text}");
    let open: Vec<Month> =
        (0..n).filter(|n| added[*n].is_some()).map(|n| flows.months[n]).filter(|of| flows.open.contains(of)).collect();
    match open.as_slice() {
        [] => {}
        [month] => reader.expect(&format!("; {} is not full yet", month.long())),
        open => reader.expect(&format!("; {} months are not full yet", open.len())),
    }
}

/// Reads the lead of a month's adds.
pub(crate) fn check_adds(text: &str, of: &Adds) {
    let mut reader = Reader::new(text);
    if reader.eat("The data of ") {
        assert_eq!((reader.month(), of.added), (of.month, None), "{text}");
        reader.expect(" does not tell what was added");
        if reader.eat("; ") {
            assert_eq!(of.removed, Some(read_licenses(&mut reader)), "{text}");
            reader.expect("removed");
        }
        reader.expect(".");
        return reader.end();
    }
    let added = read_licenses(&mut reader);
    assert_eq!(of.added, Some(added), "{text}");
    reader.expect(&format!("added in {}", of.month.name()));
    let before = of.month.prev().name();
    if reader.eat(", ") {
        let value = of.before.unwrap();
        if reader.eat("as many as") || reader.eat("as") {
            assert_eq!(added, value, "{text}");
        } else if reader.eat("after none") {
            assert!(value == Quantity::ZERO && added > value, "{text}");
        } else if reader.eat("after ") {
            assert_eq!((reader.number(), added), (value, Quantity::ZERO), "{text}");
        } else {
            let change = if added > value { added - value } else { value - added };
            reader.share(change, value, 1);
            assert_eq!(reader.one_of(&[(" more than", true), (" fewer than", false)]), added > value, "{text}");
            assert_ne!(added, value, "{text}");
        }
        reader.expect(&format!(" in {before}"));
    } else {
        assert_eq!(of.before, None, "{text}");
    }
    reader.expect("; ");
    match of.removed {
        None => reader.expect("the data does not tell what was removed"),
        Some(Quantity::ZERO) => reader.expect("none were removed"),
        Some(removed) => {
            assert_eq!(reader.number(), removed, "{text}");
            reader.expect(if removed == Quantity::whole(1) { " was" } else { " were" });
            reader.expect(" removed (below the axis)");
        }
    }
    reader.expect(".");
    reader.end();
}

/// So many series over the same months.
fn series(n_series: usize, n: usize) -> impl Strategy<Value = Vec<Series>> {
    prop::collection::vec(values(n), n_series).prop_map(|all| {
        let named = all.into_iter().enumerate();
        named.map(|(at, values)| Series { name: NAMES[at].to_owned(), slot: Slot::Product(at as u8), values }).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn flows_say_only_what_their_series_bear_out(
        (n, added, removed, open) in (1_usize..=3, prop_oneof![1_usize..=4, 1_usize..=60])
            .prop_flat_map(|(of, n)| (Just(n), series(of, n), series(of, n), open(n))),
    ) {
        let months: Vec<Month> = (0..n).map(|at| start().plus(at as i32)).collect();
        let of = Flows { months: &months, added: &added, removed: &removed, open: &open };
        check_flows(&flows("Open", &of), "Open", &of);
    }

    #[test]
    fn a_months_adds_say_only_what_the_figures_bear_out(
        added in prop::option::weighted(0.9, figure()),
        before in prop::option::weighted(0.9, figure()),
        removed in prop::option::weighted(0.9, figure()),
    ) {
        let of = Adds { month: start(), added, before, removed };
        check_adds(&adds(&of), &of);
    }
}
