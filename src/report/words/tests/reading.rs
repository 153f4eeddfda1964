//! The reading: growth of the whole, what is assigned, active use beside licenses, and the fastest product.

use super::*;
use crate::report::Compared;

/// What is known of a product in the first and the last month.
#[derive(Clone, Copy, Debug)]
struct Known {
    licenses: (Option<Quantity>, Option<Quantity>),
    active: (Option<Quantity>, Option<Quantity>),
    deployed: Option<Quantity>,
}

type Ends = (Option<Quantity>, Option<Quantity>);

/// Sums over the products that are known in both months.
fn both(ends: impl Iterator<Item = Ends>) -> Ends {
    let known: Vec<(Quantity, Quantity)> = ends.filter_map(|(first, last)| first.zip(last)).collect();
    let sum = |of: fn(&(Quantity, Quantity)) -> Quantity| known.iter().map(of).sum();
    if known.is_empty() { (None, None) } else { (Some(sum(|ends| ends.0)), Some(sum(|ends| ends.1))) }
}

fn growth((first, last): Ends) -> Growth {
    Growth::between(first, last)
}

fn standing(products: &[Known]) -> Standing<'static> {
    let compared = Some(Compared { first: start(), last: start().plus(11) });
    let last: Vec<Quantity> = products.iter().filter_map(|of| of.licenses.1).collect();
    let lacking: Vec<&str> =
        NAMES.into_iter().zip(products).filter(|(_, of)| of.licenses.1.is_none()).map(|(name, _)| name).collect();
    let is_new = |ends: &Ends| ends.1.is_some() && ends.0.is_none();
    let assigned = both(products.iter().map(|of| (of.deployed, of.licenses.1)));
    let pattern = |ends: Ends| ends.0.is_some() && ends.1.is_some();
    Standing {
        compared,
        licenses: (!last.is_empty()).then(|| last.iter().copied().sum()),
        without: if lacking.is_empty() { String::new() } else { format!("without {}", list(&lacking)) },
        growth: Measured {
            growth: growth(both(products.iter().map(|of| of.licenses))),
            is_partial: products.iter().any(|of| is_new(&of.licenses)),
        },
        deployment: assigned.0.zip(assigned.1).and_then(|(part, whole)| Ratio::new(part, whole)),
        deployment_is_of_all: products.iter().all(|of| of.deployed.is_some()),
        active: Measured {
            growth: growth(both(products.iter().map(|of| of.active))),
            is_partial: products.iter().any(|of| of.active.1.is_none() || is_new(&of.active)),
        },
        is_alike: products.iter().all(|of| pattern(of.licenses) == pattern(of.active)),
        products: NAMES.into_iter().zip(products.iter().map(|of| growth(of.licenses))).collect(),
    }
}

/// The ends of a growth as `last / first`, none where it has none.
fn ends(growth: Growth) -> Option<(Quantity, Quantity)> {
    if let Growth::Change { first, last } = growth { Some((first, last)) } else { None }
}

/// Whether `a` grew more than `b`, by `last / first`; equal when both are nothing.
fn exceeds(a: Growth, b: Growth) -> bool {
    let (a, b) = (ends(a).unwrap(), ends(b).unwrap());
    let wide = |n: Quantity| i128::from(n.millionths());
    // Nothing to nothing is no growth: as one to one.
    let (a, b) =
        [a, b].map(|(first, last)| if first == Quantity::ZERO { (1, 1) } else { (wide(first), wide(last)) }).into();
    a.1 * b.0 > b.1 * a.0
}

/// Reads `7.74%`, `by less than 0.01%` or `by more than 99.99%` after a verb.
fn read_size(reader: &mut Reader<'_>, growth: Growth) {
    let (first, last) = ends(growth).unwrap();
    let change = if last > first { last - first } else { first - last };
    reader.eat("by ");
    reader.share_of_change(change, first, last == Quantity::ZERO || last >= first);
}

impl Reader<'_> {
    /// As a share, but a rise may be of exactly the whole and more.
    fn share_of_change(&mut self, change: Quantity, first: Quantity, may_be_whole: bool) {
        if may_be_whole && !self.rest.starts_with("less") {
            let (text, rest) = self.rest.split_once('%').unwrap();
            let exact = Ratio::new(change, first).unwrap().percent(2);
            assert_eq!(format!("{text}%"), exact, "{}", self.text);
            self.rest = rest;
        } else {
            self.share(change, first, 2);
        }
    }
}

/// Reads `grew 7.74%` and holds verb and size against the growth.
fn read_move(reader: &mut Reader<'_>, text: &str, growth: Growth) {
    let (first, last) = ends(growth).unwrap_or_else(|| panic!("no growth: {text}"));
    let is_rise = reader.one_of(&[("grew ", true), ("fell ", false)]);
    assert!(if is_rise { last > first } else { last < first }, "{text}");
    read_size(reader, growth);
}

/// Reads both sentences, names replaced by their numbers, and holds them against what they were written from.
pub(crate) fn check_reading((lead, rest): (&str, &str), of: &Standing<'_>) {
    let Some(Compared { first, last }) = of.compared else {
        return assert_eq!((lead, rest), ("No month of this range is full yet.", ""));
    };
    let Some(licenses) = of.licenses else {
        let none = format!("The data of {} has no license counts.", last.long());
        return assert_eq!((lead, rest), (none.as_str(), ""));
    };
    let mut reader = Reader::new(lead);
    reader.expect("Licenses ");
    if !of.without.is_empty() {
        reader.expect(&format!("({}) ", of.without));
    }
    if reader.eat("stand at ") {
        assert_eq!(reader.number(), licenses);
        reader.expect(" in ");
        assert_eq!(reader.month(), last);
        if reader.eat(", as in ") {
            assert_eq!(reader.month(), first);
            assert_eq!(ends(of.growth.growth), Some((licenses, licenses)), "{lead}");
        } else {
            assert!(of.growth.is_partial || of.growth.growth == Growth::Absent, "{lead}");
        }
    } else if reader.eat("are new: ") {
        assert_eq!((reader.number(), of.growth), (licenses, Measured { growth: Growth::New, is_partial: false }));
        reader.expect(&format!(" in {}, none in {}", last.long(), first.long()));
    } else {
        assert!(!of.growth.is_partial, "{lead}");
        read_move(&mut reader, lead, of.growth.growth);
        reader.expect(" to ");
        assert_eq!(reader.number(), licenses);
        assert_eq!(ends(of.growth.growth).unwrap().1, licenses, "{lead}");
    }
    check_assigned(&mut reader, lead, of);
    reader.expect(".");
    reader.end();
    check_rest(rest, of, first);
}

fn check_assigned(reader: &mut Reader<'_>, lead: &str, of: &Standing<'_>) {
    assert_eq!(reader.eat("; "), of.deployment.is_some(), "{lead}");
    let Some(ratio) = of.deployment else { return };
    let them = if of.deployment_is_of_all { "them" } else { "those with known assignment" };
    if ratio.exceeds_one() {
        let of_those = if of.deployment_is_of_all { String::new() } else { format!("of {them}, ") };
        return reader.expect(&format!("{of_those}more are assigned than were sold"));
    }
    if reader.eat("none") {
        assert_eq!(ratio.part(), Quantity::ZERO, "{lead}");
    } else if reader.eat("all") {
        assert_eq!(ratio.part(), ratio.whole(), "{lead}");
    } else {
        reader.share(ratio.part(), ratio.whole(), 0);
    }
    reader.expect(&format!(" of {them} are assigned"));
}

/// Reads the second sentence clause by clause.
fn check_rest(rest: &str, of: &Standing<'_>, first: Month) {
    let told = without_names(rest);
    let mut told = told.strip_suffix('.').unwrap_or(&told);
    if told.is_empty() {
        return;
    }
    // The first letter of a sentence of ours is large.
    let small = told.chars().next().map(|letter| letter.to_lowercase().to_string()).unwrap() + &told[1..];
    told = if told.starts_with('<') { told } else { &small };
    let (mut has_active, mut has_fastest) = (false, false);
    for clause in told.split("; ") {
        let mut reader = Reader::new(clause);
        if reader.eat("licenses ") {
            assert!(of.growth.is_partial, "{clause}");
            check_change(&mut reader, clause, of.growth, first);
        } else if reader.eat("active use ") {
            has_active = true;
            check_change(&mut reader, clause, of.active, first);
            check_beside(&mut reader, clause, of);
        } else if clause.ends_with(" new") {
            check_new(&mut reader, clause, of);
        } else {
            has_fastest = true;
            check_fastest(&mut reader, clause, of);
        }
        reader.end();
    }
    assert_eq!(has_active, of.active.growth != Growth::Absent, "{rest}");
    assert_eq!(has_fastest, leader(of).is_some(), "{rest}");
}

fn check_change(reader: &mut Reader<'_>, clause: &str, of: Measured, first: Month) {
    if reader.eat("are new") || reader.eat("is new") {
        assert_eq!(of.growth, Growth::New, "{clause}");
    } else if reader.eat("is as it was in ") || reader.eat("are as they were in ") {
        assert_eq!(reader.month(), first, "{clause}");
        let (first, last) = ends(of.growth).unwrap();
        assert_eq!(first, last, "{clause}");
    } else {
        read_move(reader, clause, of.growth);
    }
    assert_eq!(reader.eat(" where known in both months"), of.is_partial, "{clause}");
}

fn check_beside(reader: &mut Reader<'_>, clause: &str, of: &Standing<'_>) {
    if reader.is_at_end() {
        return;
    }
    assert!(of.is_alike, "{clause}");
    let (active, licenses) = (of.active.growth, of.growth.growth);
    let (moved, beside) = (active.direction(), licenses.direction());
    let holds = reader.one_of(&[
        (", slower than licenses", moved == 1 && beside == 1 && exceeds(licenses, active)),
        (", faster than licenses", moved == 1 && beside == 1 && exceeds(active, licenses)),
        (", more than licenses", moved == -1 && beside == -1 && exceeds(licenses, active)),
        (", less than licenses", moved == -1 && beside == -1 && exceeds(active, licenses)),
        (" while licenses fell", moved == 1 && beside == -1),
        (" while licenses grew", moved == -1 && beside == 1),
    ]);
    assert!(holds, "{clause}");
}

fn check_new(reader: &mut Reader<'_>, clause: &str, of: &Standing<'_>) {
    let new: Vec<String> =
        of.products.iter().filter(|(_, growth)| *growth == Growth::New).map(|(name, _)| without_names(name)).collect();
    let names: Vec<&str> = new.iter().map(String::as_str).collect();
    if !reader.eat(&list(&names)) {
        assert_eq!(reader.count(), new.len(), "{clause}");
        reader.expect(" products");
    }
    reader.expect(if new.len() == 1 { " is new" } else { " are new" });
}

/// The one product that grew more than every other that can be compared.
fn leader<'a>(of: &Standing<'a>) -> Option<(&'a str, Growth)> {
    let known: Vec<(&str, Growth)> =
        of.products.iter().filter(|(_, growth)| ends(*growth).is_some()).copied().collect();
    let leads = |(name, growth): &(&str, Growth)| {
        let (first, last) = ends(*growth).unwrap();
        last > first && known.iter().all(|(other, than)| other == name || exceeds(*growth, *than))
    };
    known.iter().filter(|_| known.len() > 1).find(|of| leads(of)).copied()
}

fn check_fastest(reader: &mut Reader<'_>, clause: &str, of: &Standing<'_>) {
    let has = |growth: Growth| of.products.iter().any(|(_, other)| *other == growth);
    let told = reader.one_of(&[
        ("of the others known in both months, ", (true, true)),
        ("of the others, ", (true, false)),
        ("of the products known in both months, ", (false, true)),
        ("", (false, false)),
    ]);
    assert_eq!(told, (has(Growth::New), has(Growth::Absent)), "{clause}");
    let (name, growth) = leader(of).unwrap_or_else(|| panic!("nothing leads: {clause}"));
    reader.expect(&format!("{} grew fastest: ", without_names(name)));
    reader.eat("+");
    read_size(reader, growth);
}

fn known() -> impl Strategy<Value = Known> {
    let of = || prop::option::weighted(0.9, figure());
    (of(), of(), of(), of(), of()).prop_map(|(a, b, c, d, deployed)| Known {
        licenses: (a, b),
        active: (c, d),
        deployed,
    })
}

/// All known, with figures near one another.
fn near() -> impl Strategy<Value = Known> {
    let of = || (1_i64..200).prop_map(|n| Some(Quantity::whole(n)));
    (of(), of(), of(), of(), of()).prop_map(|(a, b, c, d, deployed)| Known {
        licenses: (a, b),
        active: (c, d),
        deployed,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn the_reading_says_only_what_the_figures_bear_out(
        products in prop_oneof![prop::collection::vec(known(), 1..7), prop::collection::vec(near(), 1..7)],
    ) {
        let of = standing(&products);
        let (lead, rest) = reading(&of);
        check_reading((&lead, &rest), &of);
    }
}
