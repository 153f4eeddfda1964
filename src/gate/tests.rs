//! What is found in a text and what passes, by the rules at the head of the module.

use std::collections::BTreeSet;

use crate::audience::Scope;

use super::*;

/// Partner 1000001 with two locations and their customers, and partner 2000002 with its own.
fn book() -> Book {
    let mut book = BookWriter::default();
    let own = "1000001";
    book.partner(own, Some("Contoso Austria GmbH")).unwrap();
    book.location(own, "6104425", Some("Contoso Wien")).unwrap();
    book.location(own, "6105399", Some("Contoso Graz")).unwrap();
    book.customer(own, Some("6104425"), Some("c0ffee00-0000-4000-8000-000000000001"), Some("Blumen Müller")).unwrap();
    book.customer(own, Some("6105399"), Some("c0ffee00-0000-4000-8000-000000000002"), Some("Sägewerk Mur")).unwrap();
    book.customer(own, Some("6105399"), None, Some("Adatum Corporation")).unwrap();
    let other = "2000002";
    book.partner(other, Some("Adatum Corporation")).unwrap();
    book.partner("3000003", Some("Contoso")).unwrap();
    book.partner("4000004", Some("Open")).unwrap();
    book.location(other, "6200001", Some("Germany")).unwrap();
    let tenant = "DEADBEEF-0000-4000-8000-000000000003";
    book.customer(other, Some("6200001"), Some(tenant), Some("O'Brien & Daughters")).unwrap();
    book.customer(other, Some("6200001"), None, Some("Blumen Müller")).unwrap();
    book.customer(other, None, Some("AB-12"), Some("3M")).unwrap();
    book.customer(other, None, Some("55"), Some("Quartz")).unwrap();
    book.customer(other, None, Some("DE/0042 x"), Some("active  licenses")).unwrap();
    book.customer(other, None, None, Some("שלום עולם")).unwrap();
    book.finish().unwrap()
}

fn eyes() -> Eyes {
    Eyes {
        partner_id: "1000001".to_owned(),
        scope: Scope::Organization,
        names: vec!["Contoso Austria GmbH".to_owned()],
        customer_names: true,
        customer_ids: true,
        without_columns: Vec::new(),
    }
}

fn own() -> Own {
    Own::of_run(["Open invoices are not counted", "Licensing desk"]).with(["Germany", "Quartz Cloud E3"])
}

fn found_by(eyes: Eyes, texts: &[&str], unit: Unit) -> Vec<String> {
    let search = Search::new(&book(), eyes, own());
    let mut looking = Looking::new(&search);
    looking.units(texts.iter().copied(), unit, &|n| format!("in text {n}"));
    looking.findings.into_iter().collect()
}

/// What is found of a text that is a cell, a field and a sentence.
fn check(text: &str, wants: [&str; 3]) {
    for (unit, want) in [Unit::Cell, Unit::Field, Unit::Text].into_iter().zip(wants) {
        let found = found_by(eyes(), &[text], unit);
        match want {
            "" => assert!(found.is_empty(), "{text} as {unit:?}: {found:?}"),
            want => assert!(found.len() == 1 && found[0].contains(want), "{text} as {unit:?}: {found:?}"),
        }
    }
}

#[test]
fn ones_own_passes_and_what_others_have_is_found_with_its_partner() {
    for text in
        ["Contoso Austria GmbH", "for Contoso Wien, 6104425", "Blumen Müller", "c0ffee00-0000-4000-8000-000000000001"]
    {
        check(text, [""; 3]);
    }
    check("O'Brien & Daughters", ["partner `2000002`, found the name of its customer in text 0"; 3]);
    check("(O'Brien & Daughters)", ["`2000002`"; 3]);
    check("O'Brien & Daughters2, xO'Brien & Daughters", [""; 3]);
    check("{deadbeef-0000-4000-8000-000000000003}", ["found the id of its customer"; 3]);
    check("see 2000002-2026-10", ["partner `2000002`, found the id in"; 3]);
    check("O'Brien\u{a0}&  Daughters\u{200b}", ["`2000002`"; 3]);
}

#[test]
fn a_customer_who_is_a_partner_too_passes_where_it_is_a_customer() {
    check("Adatum Corporation", [""; 3]);
    let other = Eyes { partner_id: "3000003".to_owned(), ..eyes() };
    let found = found_by(other, &["Adatum Corporation"], Unit::Cell);
    assert_eq!(
        found,
        ["expected nothing of partner `1000001`, found the name of its customer, and of 1 more, in text 0"]
    );
}

#[test]
fn a_name_within_an_own_name_or_an_own_product_passes_there_only() {
    check("Contoso Austria GmbH · Product licenses", [""; 3]);
    check("Contoso", ["`3000003`"; 3]);
    check("Contoso Austria GmbH and Contoso", ["`3000003`"; 3]);
    check("12 of Quartz Cloud E3", [""; 3]);
    check("Quartz", ["`2000002`", "`2000002`", ""]);
}

#[test]
fn a_name_that_is_a_word_of_ours_passes_in_sentences_and_as_a_label_but_not_as_a_cell() {
    check(
        "Open",
        ["partner `4000004`, found the name"; 2].into_iter().chain([""]).collect::<Vec<_>>().try_into().unwrap(),
    );
    check("These are open. Open invoices", [""; 3]);
    check("Germany", [""; 3]);
    check("Active licenses, active licenses", [""; 3]);
    check("active licenses", [""; 3]);
}

#[test]
fn short_names_and_ids_are_found_as_whole_cells_and_figures_are_no_ids() {
    check("3M", ["`2000002`", "`2000002`", ""]);
    check("13M 3M2", [""; 3]);
    check("AB-12", ["`2000002`", "`2000002`", ""]);
    check("55", [""; 3]);
    check("2000002", ["`2000002`", "", ""]);
    check("2,000,002", [""; 3]);
    check("the id DE/0042 x", ["the id of its customer"; 3]);
    assert_eq!((book().n_left_out(), book().n_entries()), (1, 26));
}

#[test]
fn what_the_grant_may_not_see_is_found_as_its_own_partners() {
    let viewer = || Eyes { customer_names: false, customer_ids: false, ..eyes() };
    let found = found_by(viewer(), &["Sägewerk Mur"], Unit::Cell);
    assert_eq!(
        found,
        [
            "expected nothing that the grant may not see, found the name of a customer, which the role may not see, in text 0"
        ]
    );
    assert!(
        found_by(viewer(), &["c0ffee00-0000-4000-8000-000000000002"], Unit::Text)[0].contains("the id of a customer")
    );
    assert!(found_by(viewer(), &["Contoso Wien", "Contoso Graz 6105399"], Unit::Cell).is_empty());
    let some = Scope::Locations(BTreeSet::from(["6104425".to_owned()]));
    let local = || Eyes { scope: some.clone(), ..eyes() };
    assert!(found_by(local(), &["Blumen Müller", "Contoso Wien", "Contoso Austria GmbH"], Unit::Cell).is_empty());
    for text in ["Sägewerk Mur", "c0ffee00-0000-4000-8000-000000000002"] {
        assert!(
            found_by(local(), &[text], Unit::Cell)[0].contains("a customer outside the grant's locations"),
            "{text}"
        );
    }
    for text in ["Contoso Graz", "6105399"] {
        assert!(found_by(local(), &[text], Unit::Cell)[0].contains("a location outside the grant's"), "{text}");
    }
    let poor = Eyes { without_columns: vec!["Revenue (USD)".to_owned()], ..eyes() };
    let wants = ["expected no column `Revenue (USD)`, which the role may not see, found it in text 1"];
    assert_eq!(found_by(poor, &["Revenue (USD) is not shown", "Revenue (USD)"], Unit::Field), wants);
}

#[test]
fn a_page_is_looked_through_over_its_lines_and_against_the_writing() {
    let search = Search::new(&book(), eyes(), own());
    let on = |runs: &[&str]| {
        let mut looking = Looking::new(&search);
        looking.runs(runs.iter().copied(), &|| "on page 1".to_owned());
        looking.findings.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(on(&["Contoso", "Austria GmbH"]), Vec::<String>::new());
    assert_eq!(on(&["Contoso", "Graz", "Contoso Aus…GmbH", "…"]), Vec::<String>::new());
    assert_eq!(on(&["by O'Brien", "& Daughters"]).len(), 1);
    assert_eq!(on(&["Contoso", "Tulln"]).len(), 1);
    assert_eq!(on(&["Contoso…Tulln"]).len(), 1);
    assert_eq!(on(&[&"שלום עולם".chars().rev().collect::<String>()]).len(), 1);
}

#[test]
fn a_mail_is_looked_through_with_its_escapes_undone() {
    let search = Search::new(&book(), eyes(), own());
    assert_eq!(inspect_mail("Contoso Austria GmbH", "Dear reader,\n", "<p>Licenses</p>", &search), Ok(()));
    let error =
        |subject: &str, text: &str, html: &str| inspect_mail(subject, text, html, &search).unwrap_err().to_string();
    assert!(
        error("For Adatum, O'Brien & Daughters", "", "").ends_with("found the name of its customer in the subject")
    );
    assert!(error("", "a\nO'Brien & Daughters", "").ends_with("in line 2 of its text"));
    for html in [
        "<p>O&#x27;Brien &amp; Daughters</p>",
        "<img alt=\"O&#39;Brien &amp; Daughters\">",
        "<!-- O'Brien & Daughters -->",
    ] {
        assert!(error("", "", html).ends_with("in its HTML"), "{html}");
    }
}

#[test]
fn many_findings_are_counted_and_none_says_a_name() {
    let mut writer = BookWriter::default();
    let names: Vec<String> = (0..40).map(|n| format!("Secret Company {n}")).collect();
    names.iter().enumerate().for_each(|(n, name)| writer.partner(&format!("p{n}"), Some(name)).unwrap());
    let search = sample::search_of(writer, "Example");
    let error = inspect_mail("", &names.join("\n"), &names.join("<br>"), &search).unwrap_err();
    assert_eq!(error.findings.len(), FINDINGS_MAX + 1);
    assert!(error.to_string().ends_with("and 70 findings more") && !error.to_string().contains("Secret"), "{error}");
}

#[test]
fn a_book_is_full_at_its_bound_and_says_so() {
    let mut writer = BookWriter::with_places(4);
    for _ in 0..2 {
        writer.partner("1000001", Some("Contoso")).unwrap();
    }
    // What is left out is known too, and takes a place.
    writer.customer("1000001", None, Some("tenant-1"), Some("C")).unwrap();
    assert_eq!(writer.customer("1000001", None, Some("tenant-2"), None), Err(BookError::Full));
    assert!(BookError::Full.to_string().contains("more than 1000000 ids and names"));
}

#[test]
fn ids_that_differ_by_case_only_are_one_and_all_who_have_it_are_known() {
    let mut writer = BookWriter::default();
    // Whichever is sorted last.
    for (partner, upper, lower) in [("1000001", "TENANT-1", "tenant-2"), ("2000002", "TENANT-2", "tenant-1")] {
        writer.partner(partner, None).unwrap();
        writer.customer(partner, None, Some(upper), None).unwrap();
        writer.customer(partner, None, Some(lower), None).unwrap();
    }
    writer.customer("1000001", None, Some("TENANT-3"), None).unwrap();
    let book = writer.finish().unwrap();
    assert_eq!(book.n_entries(), 5);
    let found = |partner_id: &str, id: &str| {
        let search = Search::new(&book, Eyes { partner_id: partner_id.to_owned(), ..eyes() }, own());
        let mut looking = Looking::new(&search);
        looking.at(id, Unit::Text, &|| "here".to_owned());
        looking.findings.into_iter().collect::<Vec<_>>()
    };
    for id in ["TENANT-1", "tenant-1", "TENANT-2", "tenant-2"] {
        assert_eq!([found("1000001", id), found("2000002", id)], [Vec::<String>::new(), Vec::new()], "{id}");
        let of_others =
            "expected nothing of partner `1000001`, found the id of its customer, and of 1 more, here".to_owned();
        assert_eq!(found("3000003", id), [of_others], "{id}");
    }
    for id in ["TENANT-3", "tenant-3", "Tenant-3"] {
        assert_eq!(found("1000001", id), Vec::<String>::new(), "{id}");
        assert!(found("2000002", id)[0].contains("partner `1000001`, found the id of its customer"), "{id}");
    }
}
