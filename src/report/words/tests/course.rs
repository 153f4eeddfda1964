//! Courses of levels: what rose, fell, stood, was highest or is not known.

use super::*;

/// Reads the sentence of a level and holds each of its claims against the values.
pub(crate) fn check_level(text: &str, name: &str, course: &Course<'_>) {
    let n = course.values.len();
    let month = |at: usize| course.first.plus(at as i32);
    let n_absent = course.values.iter().filter(|value| value.is_none()).count();
    let known: Vec<(Month, Quantity)> = (0..n).filter_map(|at| Some((month(at), course.values[at]?))).collect();
    let (open, full): (Vec<_>, Vec<_>) = known.iter().partition(|(month, _)| course.open.contains(month));
    let mut reader = Reader::new(text);
    reader.expect(name);
    if reader.eat(": no data") {
        assert_eq!(n_absent, n, "{text}");
        return check_span(&mut reader, month(0), month(n - 1));
    }
    let value = |month: Month| known.iter().find(|(of, _)| *of == month).unwrap().1;
    let figure_in = |reader: &mut Reader<'_>, (of, expected): (Month, Quantity)| {
        assert_eq!(reader.number(), expected, "{text}");
        reader.expect(" in ");
        assert_eq!((reader.month(), value(of)), (of, expected), "{text}");
    };
    match full.as_slice() {
        [] if open.len() == 1 => {
            reader.expect(" stand at ");
            figure_in(&mut reader, open[0]);
            reader.expect(", which is not full yet");
        }
        [] => {
            reader.expect(" were ");
            figure_in(&mut reader, open[0]);
            reader.expect(" and ");
            figure_in(&mut reader, open[open.len() - 1]);
            reader.expect("; no month is full yet");
        }
        [only] => {
            reader.expect(" were ");
            figure_in(&mut reader, *only);
            assert_eq!(reader.eat(" (one month)"), n == 1, "{text}");
        }
        [first, .., last] if !course.is_alike => {
            reader.expect(" were ");
            figure_in(&mut reader, *first);
            reader.expect(" and ");
            figure_in(&mut reader, *last);
            reader.expect(", counted over different products");
        }
        _ => check_course(&mut reader, text, course, &full, open.is_empty()),
    }
    let n_open = if full.is_empty() { 0 } else { open.len() };
    if n_open == 1 {
        reader.expect("; ");
        assert_eq!(reader.month(), open[0].0);
        reader.expect(" stands at ");
        assert_eq!(reader.number(), open[0].1);
        reader.expect(" and is not full yet");
    } else if n_open > 1 {
        reader.expect("; ");
        assert_eq!(reader.count(), n_open);
        reader.expect(" months are not full yet");
    }
    check_absent(&mut reader, n_absent, n);
    reader.end();
}

/// `; no data for 2 of 12 months`, exactly where there are such.
pub(crate) fn check_absent(reader: &mut Reader<'_>, n_absent: usize, n: usize) {
    if n_absent > 0 && n_absent < n {
        reader.expect("; no data for ");
        assert_eq!(reader.count(), n_absent);
        reader.expect(" of ");
        assert_eq!(reader.count(), n);
        reader.expect(" months");
    }
}

/// ` in October 2026`, ` from … to …`.
pub(crate) fn check_span(reader: &mut Reader<'_>, first: Month, last: Month) {
    if first == last {
        reader.expect(" in ");
    } else {
        reader.expect(" from ");
        assert_eq!(reader.month(), first);
        reader.expect(" to ");
    }
    assert_eq!(reader.month(), last);
}

/// What was said of two full months or more.
fn check_course(reader: &mut Reader<'_>, text: &str, course: &Course<'_>, full: &[(Month, Quantity)], no_open: bool) {
    let (first, last) = (full[0], full[full.len() - 1]);
    let end = course.first.plus(course.values.len() as i32 - 1);
    if reader.eat(" stood at ") {
        assert!(full.iter().all(|(_, value)| *value == first.1), "{text}");
        assert_eq!(reader.number(), first.1);
        reader.expect(" in every ");
        assert_eq!(reader.eat("full "), !no_open, "{text}");
        reader.expect("month");
        assert_eq!(reader.eat(" with data"), course.values.contains(&None), "{text}");
        return check_span(reader, first.0, last.0);
    }
    assert!(full.iter().any(|(_, value)| *value != first.1), "{text}");
    let verb = reader.one_of(&[(" rose from ", 1), (" fell from ", -1), (" were ", 0)]);
    assert_eq!(last.1.cmp(&first.1) as i32, verb, "{text}");
    let note = |reader: &mut Reader<'_>, which: &str, is_end: bool| {
        let told = reader.eat(&format!(", the {which} month with data"))
            || reader.eat(&format!(", the {which} full month with data"));
        assert_eq!(told, !is_end, "{text}");
        told
    };
    assert_eq!(reader.number(), first.1, "{text}");
    reader.expect(if verb == 0 { " both in " } else { " in " });
    assert_eq!(reader.month(), first.0, "{text}");
    if note(reader, "first", first.0 == course.first) {
        reader.expect(",");
    }
    if verb == 0 {
        reader.expect(" and in ");
    } else {
        reader.expect(" to ");
        assert_eq!(reader.number(), last.1, "{text}");
        reader.expect(" in ");
    }
    assert_eq!(reader.month(), last.0, "{text}");
    note(reader, "last", last.0 == end);
    check_extremes(reader, text, full, verb);
}

/// `, highest in July 2026 (1,830)`: each is alone at its end, and what must be told is told.
fn check_extremes(reader: &mut Reader<'_>, text: &str, full: &[(Month, Quantity)], verb: i32) {
    let mut told = Vec::new();
    while reader.eat(if told.is_empty() { ", " } else { " and " }) {
        let is_highest = reader.one_of(&[("highest in ", true), ("lowest in ", false)]);
        let month = reader.month();
        let value = full.iter().find(|(of, _)| *of == month).unwrap().1;
        let others = full.iter().filter(|(of, _)| *of != month);
        let is_beyond = |other: Quantity| if is_highest { other < value } else { other > value };
        assert!(others.clone().count() > 1 && others.clone().all(|(_, other)| is_beyond(*other)), "{text}");
        if reader.eat(" (") {
            assert_eq!(reader.number(), value, "{text}");
            reader.expect(")");
        }
        told.push(is_highest);
    }
    let is_alone = |value: Quantity| full.iter().filter(|(_, other)| *other == value).count() == 1;
    let values = full.iter().map(|(_, value)| *value);
    let (highest, lowest) = (values.clone().max().unwrap(), values.min().unwrap());
    if full.len() > 2 {
        assert!(verb < 1 || told.contains(&true) == is_alone(highest), "{text}");
        assert!(verb > -1 || told.contains(&false) == is_alone(lowest), "{text}");
    }
}

/// Reads the few words of a trend, over the same claims.
pub(crate) fn check_trend(text: &str, course: &Course<'_>) {
    let n = course.values.len();
    let known: Vec<(Month, Quantity)> =
        (0..n).filter_map(|at| Some((course.first.plus(at as i32), course.values[at]?))).collect();
    let (open, full): (Vec<(Month, Quantity)>, Vec<_>) =
        known.iter().partition(|(month, _)| course.open.contains(month));
    if known.is_empty() {
        return assert_eq!(text, "no data");
    }
    let mut reader = Reader::new(text);
    let values = if full.is_empty() { &open } else { &full };
    let is_flat = full.iter().all(|(_, value)| *value == values[0].1);
    assert_eq!(reader.number(), values[0].1, "{text}");
    if full.len() == 1 {
        reader.expect(" in ");
        assert_eq!(reader.month(), full[0].0);
    } else if full.is_empty() {
        for (_, value) in &open[1..] {
            reader.expect(", ");
            assert_eq!(reader.number(), *value, "{text}");
        }
    } else if is_flat {
        reader.expect(" in every ");
        assert_eq!(reader.eat("full "), !open.is_empty(), "{text}");
        reader.expect("month");
        assert_eq!(reader.eat(" with data"), course.values.contains(&None), "{text}");
    } else {
        reader.expect(" to ");
        assert_eq!(reader.number(), full[full.len() - 1].1, "{text}");
        check_trend_extremes(&mut reader, text, course, &full);
    }
    if open.len() == 1 {
        reader.expect("; ");
        assert_eq!(reader.month(), open[0].0);
        reader.expect(" not full yet");
    } else if open.len() > 1 {
        reader.expect("; ");
        assert_eq!(reader.count(), open.len());
        reader.expect(" months not full yet");
    }
    check_absent(&mut reader, n - known.len(), n);
    reader.end();
}

fn check_trend_extremes(reader: &mut Reader<'_>, text: &str, course: &Course<'_>, full: &[(Month, Quantity)]) {
    let mut n_told = 0;
    while reader.eat(if n_told == 0 { ", " } else { " and " }) {
        n_told += 1;
        let is_highest = reader.one_of(&[("highest in ", true), ("lowest in ", false)]);
        let month = if reader.eat("the last month") {
            course.first.plus(course.values.len() as i32 - 1)
        } else if reader.eat("the first month") {
            course.first
        } else {
            reader.month()
        };
        let value = full.iter().find(|(of, _)| *of == month).unwrap().1;
        let is_beyond = |other: Quantity| if is_highest { other < value } else { other > value };
        assert!(full.iter().all(|(of, other)| *of == month || is_beyond(*other)), "{text}");
        if reader.eat(" (") {
            assert_eq!(reader.number(), value, "{text}");
            reader.expect(")");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn a_level_says_only_what_its_values_bear_out(
        (values, open) in (1_usize..=60).prop_flat_map(|n| (values(n), open(n))),
        is_alike in prop::bool::weighted(0.85),
    ) {
        let course = Course { first: start(), values: &values, open: &open, is_alike };
        check_level(&level("Licenses", &course), "Licenses", &course);
    }

    #[test]
    fn short_courses_too((values, open) in (1_usize..=4).prop_flat_map(|n| (values(n), open(n)))) {
        let course = Course { first: start(), values: &values, open: &open, is_alike: true };
        check_level(&level("Licenses", &course), "Licenses", &course);
        check_trend(&super::super::course::brief(&course), &course);
    }

    #[test]
    fn a_trend_says_only_what_its_values_bear_out(
        (values, open) in (1_usize..=60).prop_flat_map(|n| (values(n), open(n))),
    ) {
        let course = Course { first: start(), values: &values, open: &open, is_alike: true };
        check_trend(&super::super::course::brief(&course), &course);
    }
}
