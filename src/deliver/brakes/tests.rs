//! Each brake: where it takes hold, where it does not, and what the first run is spared.

use super::*;

fn addresses(domains: &[(&str, usize)]) -> BTreeSet<String> {
    let of_one = |(domain, n): &(&str, usize)| (0..*n).map(|i| format!("a{i}@{domain}")).collect::<Vec<_>>();
    domains.iter().flat_map(of_one).collect()
}

fn sent(n: u64, domains: &[&str]) -> Sent {
    Sent { n_recipients: Some(n), domains: domains.iter().map(|domain| (*domain).to_owned()).collect() }
}

fn keys(trips: &[Trip]) -> Vec<&str> {
    trips.iter().map(|trip| trip.brake.as_str()).collect()
}

fn total(name: &str, n: i64) -> Measure {
    Measure { kind: MeasureKind::Total, name: name.to_owned(), amount: n * 1_000_000 }
}

fn file(kib: i64) -> Measure {
    Measure { kind: MeasureKind::File, name: "pdf".to_owned(), amount: kib * 1024 }
}

#[test]
fn more_recipients_than_allowed_hold_a_run_and_just_as_many_do_not() {
    let brakes = Brakes { recipients_max: Some(3), ..Brakes::default() };
    let of = |n| brakes.on_recipients(&addresses(&[("a.example", n)]), "own.example", &Sent::default());
    assert_eq!(of(3), []);
    assert_eq!(of(4)[0].to_string(), "brake `recipients_max`: 4 recipients; allowed: at most 3");
    let off = Brakes { recipients_max: None, ..brakes };
    assert_eq!(off.on_recipients(&addresses(&[("a.example", 4)]), "own.example", &Sent::default()), []);
}

#[test]
fn a_number_of_recipients_unlike_the_last_holds_a_run_in_both_directions_but_not_at_the_bound() {
    let brakes = Brakes::default();
    let of =
        |n, last| keys(&brakes.on_recipients(&addresses(&[("a.example", n)]), "", &sent(last, &["a.example"]))).len();
    assert_eq!((of(30, 20), of(10, 20)), (0, 0), "half more and half less are allowed");
    assert_eq!((of(31, 20), of(9, 20)), (1, 1));
    assert_eq!(of(9, 9) + of(1, 9) + of(90, 9), 0, "nine are too few to compare with");
    assert_eq!(of(16, 10), 1, "ten are not");
    let first = brakes.on_recipients(&addresses(&[("a.example", 500)]), "", &Sent::default());
    assert_eq!(first, [], "the first run is compared with nothing");
    let trips = brakes.on_recipients(&addresses(&[("a.example", 31)]), "", &sent(20, &["a.example"]));
    assert!(trips[0].measured.contains("31 recipients after 20") && trips[0].measured.contains("+55.0 %"), "{trips:?}");
}

#[test]
fn a_new_domain_holds_a_run_unless_it_is_ones_own_or_allowed_or_the_run_is_the_first() {
    let brakes = Brakes::default();
    let (to, known) = (addresses(&[("a.example", 1), ("New.example", 1)]), sent(2, &["a.example"]));
    let trips = brakes.on_recipients(&to, "own.example", &known);
    assert_eq!(keys(&trips), ["new_domain"]);
    assert!(trips[0].measured.contains("`new.example`"), "{}", trips[0]);
    assert_eq!(brakes.on_recipients(&to, "new.example", &known), [], "the sender's own domain is not external");
    assert_eq!(brakes.on_recipients(&to, "own.example", &Sent::default()), [], "the first run");
    let allow = Brakes { new_domain: NewDomain::Allow, ..Brakes::default() };
    assert_eq!(allow.on_recipients(&to, "own.example", &known), []);
    let listed = ["a.example", "new.example"].map(str::to_owned).into();
    let listed = Brakes { allowed_domains: Some(listed), ..Brakes::default() };
    assert_eq!(listed.on_recipients(&to, "own.example", &known), [], "what is allowed by name is not new");
    let many: Vec<String> = (0..8).map(|n| format!("n{n}.example")).collect();
    let many: Vec<(&str, usize)> = many.iter().map(|domain| (domain.as_str(), 1)).collect();
    let trips = brakes.on_recipients(&addresses(&many), "own.example", &known);
    assert!(trips[0].measured.contains("and 3 more"), "what is cut is counted: {}", trips[0]);
}

#[test]
fn only_allowed_domains_get_mail_whatever_their_case() {
    let allowed = ["example.com", "*.example.org"].map(str::to_owned).into();
    let brakes = Brakes { allowed_domains: Some(allowed), ..Brakes::default() };
    for address in ["a@example.com", "a@EXAMPLE.com", "\"a@b\"@example.com", "a@x.example.org", "a@x.y.example.org"] {
        assert_eq!(brakes.refusal(address), None, "{address}");
    }
    for address in ["a@example.com.evil.example", "a@notexample.com", "a@example.org", "a@badexample.org"] {
        assert!(brakes.refusal(address).is_some(), "{address}");
    }
    assert_eq!(Brakes::default().refusal("a@anywhere.example"), None, "all are allowed where none is listed");
}

#[test]
fn a_total_that_moved_holds_an_edition_but_not_at_the_bound_nor_of_a_small_partner() {
    let brakes = Brakes::default();
    let of =
        |new, old| brakes.on_measures(&[total("licenses", new)], &[total("licenses", old)], "September 2026").len();
    assert_eq!((of(1500, 1000), of(500, 1000)), (0, 0), "half more and half less are allowed");
    assert_eq!((of(1501, 1000), of(499, 1000)), (1, 1));
    assert_eq!(of(0, 1000), 1, "nothing left");
    assert_eq!((of(99, 0), of(100, 0)), (0, 1), "from nothing");
    assert_eq!(of(109, 10), 0, "a small partner doubles easily");
    let other = brakes.on_measures(&[total("licenses", 9000)], &[total("active", 1)], "September 2026");
    assert_eq!(other, [], "what was not there before is not compared");
    assert_eq!(brakes.on_measures(&[total("licenses", 9000)], &[], ""), [], "the first edition");
    let trips = brakes.on_measures(&[total("licenses", 4990)], &[total("licenses", 10_000)], "September 2026");
    let said = "brake `totals_change_percent_max`: the total `licenses` is 4,990 after 10,000 in September 2026, \
                −50.1 %; allowed: ±50 %";
    assert_eq!(trips[0].to_string(), said);
    let off = Brakes { totals_change_percent_max: None, ..Brakes::default() };
    assert_eq!(off.on_measures(&[total("licenses", 1)], &[total("licenses", 9000)], ""), []);
}

#[test]
fn a_file_unlike_the_last_holds_an_edition_but_not_at_the_bound_nor_by_a_few_bytes() {
    let brakes = Brakes::default();
    let of = |new, old| keys(&brakes.on_measures(&[file(new)], &[file(old)], "September 2026")).len();
    assert_eq!((of(1750, 1000), of(250, 1000)), (0, 0));
    assert_eq!((of(1751, 1000), of(249, 1000)), (1, 1));
    assert_eq!((of(70, 7), of(71, 7)), (0, 1), "by less than 64 KiB");
    let off = Brakes { files_change_percent_max: None, ..Brakes::default() };
    assert_eq!(off.on_measures(&[file(1)], &[file(9000)], ""), []);
}

#[test]
fn many_held_editions_hold_the_run_and_a_few_do_not() {
    assert_eq!(on_held_editions(2, 2), None, "two are held themselves, and that is all");
    assert_eq!(on_held_editions(3, 15), None, "a fifth");
    assert!(on_held_editions(3, 14).is_some());
    assert_eq!(on_held_editions(0, 0), None);
}
