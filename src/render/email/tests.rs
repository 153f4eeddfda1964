//! Mails read as their readers do, hostile names included.

use chrono::DateTime;

use super::*;
use crate::base::{EditionId, Growth, Quantity, Range, Ratio};
use crate::report::{
    Block, Card, Column, ColumnKind, Compared, Figure, Head, Kpi, Section, SectionKind, Slot, Table, Total, Value,
};

pub(super) fn whole(n: i64) -> Quantity {
    Quantity::whole(n)
}

pub(super) fn grown(first: i64, last: i64) -> Growth {
    Growth::between(Some(whole(first)), Some(whole(last)))
}

fn kpi(label: &str, note: &str, current: Option<i64>, growth: Growth) -> Kpi {
    Kpi {
        key: label.to_lowercase(),
        label: label.into(),
        note: note.into(),
        current: current.map(whole),
        growth,
        growth_note: "since Nov 2025".into(),
        trend: vec![],
        trend_current: None,
        coverage: String::new(),
        alt: String::new(),
    }
}

pub(super) fn product(name: &str, licenses: i64, growth: Growth) -> Vec<Value> {
    vec![
        Value::Name { name: name.into(), slot: Slot::Product(0) },
        Value::Quantity(Some(whole(licenses))),
        Value::Ratio(Ratio::new(whole(licenses), whole(173_682))),
        Value::Growth(growth),
        Value::Trend(vec![]),
    ]
}

fn products() -> Table {
    Table {
        key: "products".into(),
        caption: "By product".into(),
        columns: vec![
            Column::new("Product", ColumnKind::Text),
            Column::new("Licenses", ColumnKind::QuantityBar),
            Column::new("Share", ColumnKind::Ratio),
            Column::new("Growth", ColumnKind::Growth),
            Column::new("12 months", ColumnKind::Trend),
        ],
        rows: vec![
            product("Microsoft 365", 137_818, grown(125_000, 137_818)),
            product("Dynamics 365", 15_464, grown(16_406, 15_464)),
            product("Enterprise Mobility + Security", 13_438, Growth::Absent),
            product("Power BI", 6_962, Growth::New),
        ],
        total: Some(Total { cells: product("All products", 173_682, grown(161_203, 173_682)), is_sum: true }),
        note: String::new(),
    }
}

pub(super) fn report(partner: &str) -> Report {
    let period = "2026-10".parse().unwrap();
    let head = Head {
        edition: EditionId::of("monthly", period, "1|executive|organization|en", 1),
        revision: 1,
        title: "Product licenses".into(),
        partner_id: "1".into(),
        partner_name: partner.into(),
        role: "Executive report viewer".into(),
        scope: "Entire organization".into(),
        language: "en".into(),
        period,
        range: Range::ending_with(period, 12),
        compared: Some(Compared { first: "2025-11".parse().unwrap(), last: "2026-10".parse().unwrap() }),
        preliminary: None,
        correction: None,
        data_at: DateTime::from_timestamp(1_795_226_400, 0).unwrap(),
        contact: "reports@example.com".into(),
        products: vec![],
    };
    let mut active = kpi("Active licenses", "any use in 30 days", None, Growth::Absent);
    active.coverage = "without Power BI, whose source carries no active users".into();
    let kpis = vec![
        kpi("Licenses", "sold or managed", Some(173_682), grown(161_203, 173_682)),
        kpi("Licenses deployed", "assigned to users", Some(136_134), grown(144_364, 136_134)),
        active,
    ];
    let card = |label: &str, figure, note: &str| Card { label: label.into(), figure, note: note.into() };
    let summary = Section {
        kind: SectionKind::Summary,
        title: "Summary".into(),
        lead: String::new(),
        blocks: vec![
            Block::Kpis(kpis),
            Block::Reading {
                lead: "Licenses grew 7.74% to 173,682; 78% of them are assigned.".into(),
                rest: "Power BI is new.".into(),
            },
            Block::Cards(vec![
                card("Deployment", Figure::Ratio(Ratio::new(whole(136_134), whole(173_682))), "deployed / licenses"),
                card("Usage", Figure::Ratio(None), "active / licenses"),
                card("Billed revenue", Figure::Usd(Some(whole(1_234_567))), "October 2026"),
            ]),
            Block::Heading("By product".into()),
            Block::Table(products()),
        ],
    };
    Report { head, sections: vec![summary] }
}

pub(super) const FILES: [(&str, u64); 2] =
    [("product-licenses_2026-10.pdf", 130_400), ("product-licenses_2026-10.xlsx", 2_449_000)];

fn mail(report: &Report) -> MailBody {
    written(report, &Letter { attached: &FILES, ..Letter::default() })
}

pub(super) fn written(report: &Report, letter: &Letter<'_>) -> MailBody {
    compose(report, &MailTemplates::shipped(), &Theme::default(), letter).unwrap()
}

#[test]
fn both_bodies_hold_every_figure_in_words() {
    let mail = mail(&report("Example Distribution"));
    assert_eq!(mail.subject, "Product licenses · October 2026 · Example Distribution");
    for needed in [
        "173,682",
        "+7.74%",
        "136,134",
        "−5.70%",
        "n/a",
        "since Nov 2025",
        "without Power BI, whose source carries no active users",
        "Licenses grew 7.74% to 173,682; 78% of them are assigned.",
        "78.4%",
        "US$ 1,234,567.00",
        "137,818",
        "+10.25%",
        "▼",
        "product-licenses_2026-10.pdf",
        "130 KB",
        "2.4 MB",
        "Executive report viewer",
        "Entire organization",
        "reports@example.com",
        "21 Nov 2026",
        "Revision 1",
        "12 months",
    ] {
        // A slash is escaped too, which every reader of HTML undoes.
        for body in [mail.text.clone(), mail.html.replace("&#x2f;", "/")] {
            assert!(body.contains(needed), "{needed} is missing in {body}");
        }
    }
    let id = EditionId::of("monthly", "2026-10".parse().unwrap(), "1|executive|organization|en", 1);
    assert!(mail.text.contains(&id.to_string()) && mail.html.contains(&id.to_string()));
}

#[test]
fn the_text_reads_like_a_letter() {
    let mail = mail(&report("Example Distribution"));
    let expected = "\
Product licenses
Example Distribution · October 2026 · 12 months

Licenses (sold or managed)
  173,682   ▲ +7.74% since Nov 2025

Licenses deployed (assigned to users)
  136,134   ▼ −5.70% since Nov 2025

Active licenses (any use in 30 days)
  n/a   n/a since Nov 2025
  without Power BI, whose source carries no active users

Licenses grew 7.74% to 173,682; 78% of them are assigned. Power BI is new.

Deployment: 78.4% (deployed / licenses)
Usage: n/a (active / licenses)
Billed revenue: US$ 1,234,567.00 (October 2026)

By product

- Microsoft 365: 137,818, ▲ +10.25%
- Dynamics 365: 15,464, ▼ −5.74%
- Enterprise Mobility + Security: 13,438, n/a
- Power BI: 6,962, ▲ new
= All products: 173,682, ▲ +7.74%

Attached

- product-licenses_2026-10.pdf (130 KB)
- product-licenses_2026-10.xlsx (2.4 MB)

";
    let head = &mail.text[..mail.text.find("--\n").unwrap()];
    assert_eq!(head, expected);
}

#[test]
fn banners_stand_in_subject_and_bodies() {
    let mut report = report("Example Distribution");
    report.head.preliminary = Some("Preliminary: October 2026 is not full yet".into());
    let preliminary = mail(&report);
    assert!(preliminary.text.contains("PRELIMINARY: October 2026"), "said once: {}", preliminary.text);
    assert!(preliminary.subject.starts_with("Preliminary: "), "{}", preliminary.subject);
    report.head.correction = Some("It replaces revision 1: late figures".into());
    report.head.revision = 2;
    let corrected = mail(&report);
    let expected = "Corrected: Product licenses · October 2026 · Example Distribution (preliminary)";
    assert_eq!(corrected.subject, expected);
    for body in [&corrected.text, &corrected.html] {
        assert!(body.contains("October 2026 is not full yet"), "{body}");
        assert!(body.contains("It replaces revision 1: late figures"), "{body}");
        assert!(body.contains("Revision 2"), "{body}");
    }
}

#[test]
fn foreign_names_stay_text() {
    let hostile = "<r>x</r> =1+1 \"شركة\"\r\nBcc: thief@example.com {{ 7 * 7 }}";
    let mail = mail(&report(hostile));
    assert!(!mail.subject.contains(['\r', '\n']), "{}", mail.subject);
    assert!(
        mail.html.contains("&lt;r&gt;x&lt;&#x2f;r&gt; =1+1 &quot;شركة&quot;") && !mail.html.contains("<r>"),
        "{}",
        mail.html
    );
    assert!(mail.text.contains("<r>x</r> =1+1 \"شركة\""), "{}", mail.text);
    assert!(!mail.text.contains('\r') && mail.html.contains("{{ 7 * 7 }}"));
}

#[test]
fn the_html_loads_nothing_and_means_nothing_by_pictures() {
    let html = mail(&report("Example Distribution")).html;
    for banned in ["<img", "<script", "<link", "url(", "src=", "@import", "href="] {
        assert!(!html.contains(banned), "{banned}");
    }
    for needed in ["<html lang=\"en\"", "role=\"presentation\"", "max-width:600px", "prefers-color-scheme: dark"] {
        assert!(html.contains(needed), "{needed}");
    }
    let sizes: Vec<u32> = html
        .split("font-size:")
        .skip(1)
        .filter_map(|rest| rest.split("px").next()?.parse().ok())
        .filter(|size| *size > 0)
        .collect();
    assert!(sizes.len() > 10 && sizes.iter().all(|size| *size >= 16), "{sizes:?}");
}

#[test]
fn many_products_are_counted_and_none_is_no_error() {
    let mut report = report("Example Distribution");
    let Some(Block::Table(table)) = report.sections[0].blocks.last_mut() else { panic!() };
    table.rows = (0..40).map(|n| product(&format!("Product {n}"), 40 - n, Growth::Absent)).collect();
    let mail = mail(&report);
    for body in [&mail.text, &mail.html] {
        assert!(body.contains("Product 11") && !body.contains("Product 12"), "{body}");
        assert!(body.contains("and 28 more in the attached files"), "{body}");
    }
    let alone = written(&report, &Letter::default());
    for body in [&alone.text, &alone.html] {
        assert!(body.contains("and 28 more in the report"), "{body}");
    }
    report.sections.clear();
    let bare = written(&report, &Letter::default());
    assert!(bare.text.contains("This edition has no key figures.") && !bare.text.contains("Attached"), "{}", bare.text);
}

#[test]
fn a_wrong_template_is_named_with_its_line() {
    let shipped = MailTemplates::shipped();
    let parse = |subject: &str, text: &str, html: &str| {
        MailTemplates::parse(subject.into(), text.into(), html.into()).map_err(|error| error.to_string())
    };
    assert_eq!(parse(&shipped.subject, &shipped.text, &shipped.html).unwrap(), shipped);
    for (subject, text, html, expected) in [
        ("{{ titel }}", "", "", "email/subject.txt:1: undefined value: `titel` is undefined"),
        ("x", "a\n{% if x", "", "email/body.txt:2: syntax error"),
        ("x", "", "a\n\n{{ kpis[0].colour }}", "email/body.html:3: undefined value"),
        ("x", "{% for kpi in kpis %}\n{{ kpi.lable }}{% endfor %}", "", "email/body.txt:2: undefined value"),
        ("x", "{% for x in products.rows %}{% endfor %}", "", "email/body.txt:1: "),
        ("{{ title | shout }}", "", "", "email/subject.txt:1: unknown filter"),
    ] {
        let error = parse(subject, text, html).unwrap_err();
        assert!(error.starts_with(&format!("mail template: {expected}")), "{error}");
    }
}

/// A report whose first key figure has a course.
pub(super) fn with_courses(partner: &str) -> Report {
    let mut report = report(partner);
    let Some(Block::Kpis(kpis)) = report.sections[0].blocks.first_mut() else { panic!() };
    for (n, kpi) in kpis.iter_mut().enumerate() {
        kpi.trend = (0..12).map(|month| (n != 2).then(|| whole(161_000 + 1_100 * month))).collect();
        kpi.trend_current = Some(11);
        kpi.alt = format!("{} rose from 161,203 in November 2025 to 173,682 in October 2026", kpi.label);
    }
    report
}

const MESSAGE_ID: &str = "0123456789abcdef@reports.example";

#[test]
fn key_figures_have_pictures_that_are_named_and_told() {
    let report = with_courses("Example Distribution");
    let mail = written(&report, &Letter { message_id: Some(MESSAGE_ID), ..Letter::default() });
    let ids: Vec<&str> = mail.pictures.iter().map(|picture| picture.content_id.as_str()).collect();
    // Of the third nothing is known, so there is nothing to draw.
    assert_eq!(ids, ["kpi-0.0123456789abcdef@reports.example", "kpi-1.0123456789abcdef@reports.example"]);
    for picture in &mail.pictures {
        assert!(mail.html.contains(&format!("src=\"cid:{}\" width=\"240\" height=\"40\" alt=\"", picture.content_id)));
        assert!(picture.bytes.starts_with(b"\x89PNG"));
    }
    for body in [&mail.text, &mail.html] {
        assert!(body.contains("Licenses deployed rose from 161,203 in November 2025"), "{body}");
    }
    assert_eq!(mail.html.matches("<img").count(), 2);
    assert_eq!(written(&report, &Letter::default()).pictures, [], "what is the same for all names no mail");
}

#[test]
fn a_template_that_shows_no_picture_gets_none() {
    let report = with_courses("Example Distribution");
    let shipped = MailTemplates::shipped();
    let own = MailTemplates { html: "<p>{{ title }}</p>".into(), ..shipped.clone() };
    let only = "{% for kpi in kpis[1:2] %}<img src='cid:{{ kpi.chart.cid }}'>{% endfor %}";
    let one = MailTemplates { html: only.into(), ..shipped };
    let letter = Letter { message_id: Some(MESSAGE_ID), ..Letter::default() };
    let pictures = |templates| compose(&report, templates, &Theme::default(), &letter).unwrap().pictures;
    assert_eq!(pictures(&own), []);
    assert_eq!(pictures(&one).iter().map(|one| one.file_name.as_str()).collect::<Vec<_>>(), ["chart-2.png"]);
}

#[test]
fn an_odd_message_id_breaks_out_of_nothing() {
    let report = with_courses("Example Distribution");
    let mail = written(&report, &Letter { message_id: Some("a\"><b>/%\r\n@x"), ..Letter::default() });
    assert_eq!(mail.pictures[0].content_id, "kpi-0.a---b-----@x");
    assert!(!mail.html.contains("<b>"));
}

#[test]
fn what_was_left_out_is_named_with_its_size_and_whom_to_ask() {
    let report = report("Example Distribution");
    let id = report.head.edition.to_string();
    for (attached, left_out, asked) in [
        (&FILES[..1], &FILES[1..], "To get it: reports@example.com"),
        (&FILES[..0], &FILES[..], "To get them: reports@example.com"),
    ] {
        let mail = written(&report, &Letter { attached, left_out, ..Letter::default() });
        for body in [&mail.text, &mail.html] {
            assert!(body.contains("Not attached, since the mail would be too large"), "{body}");
            assert!(
                body.contains(asked)
                    && body.contains("2.4 MB")
                    && body.contains(&id)
                    && body.contains("Name the Report ID "),
                "{body}"
            );
            assert_eq!(body.contains("\nAttached\n") || body.contains(">Attached<"), !attached.is_empty(), "{body}");
        }
    }
    assert!(!mail(&report).text.contains("Not attached"));
    let mut silent = report.clone();
    silent.head.contact = String::new();
    let mail = written(&silent, &Letter { left_out: &FILES, ..Letter::default() });
    assert!(mail.text.contains("To get them: ask who sends this"), "{}", mail.text);
}

#[test]
fn each_key_figure_says_how_it_changed_since_the_last_edition() {
    let now = report("Example Distribution");
    let mut before = now.clone();
    let period = "2026-09".parse().unwrap();
    (before.head.period, before.head.compared) =
        (period, Some(Compared { first: "2025-10".parse().unwrap(), last: "2026-09".parse().unwrap() }));
    let Some(Block::Kpis(kpis)) = before.sections[0].blocks.first_mut() else { panic!() };
    kpis[0].current = Some(whole(173_000));
    kpis.remove(1);
    let mail = written(&now, &Letter { since: Some(&before), ..Letter::default() });
    for body in [&mail.text, &mail.html] {
        assert!(body.contains("682 more than in your last edition: 173,000 in September 2026"), "{body}");
        assert_eq!(body.matches("your last edition").count(), 1, "{body}");
    }
}

#[test]
fn templates_written_for_the_first_edition_still_work() {
    // Every name that 0.1.0 had.
    let old = "{{ title }}{{ partner }}{{ role }}{{ scope }}{{ language }}{{ period }}{{ months }}{{ preliminary }}\
        {{ correction }}{{ revision }}{{ report_id }}{{ report_id_short }}{{ data_on }}{{ contact }}\
        {% for kpi in kpis %}{{ kpi.label }}{{ kpi.note }}{{ kpi.figure }}{{ kpi.growth }}{{ kpi.arrow }}\
        {{ kpi.direction }}{{ kpi.growth_note }}{{ kpi.coverage }}{% endfor %}\
        {% for reading in readings %}{{ reading.lead }}{{ reading.rest }}{% endfor %}\
        {% for card in cards %}{{ card.label }}{{ card.figure }}{{ card.note }}{% endfor %}\
        {% if products %}{{ products.caption }}{{ products.name_label }}{{ products.figure_label }}\
        {{ products.growth_label }}{{ products.n_more }}{{ products.note }}{{ products.total.name }}\
        {% for row in products.rows %}{{ row.name }}{{ row.figure }}{{ row.growth }}{{ row.arrow }}{{ row.direction }}\
        {{ row.is_total }}{% endfor %}{% endif %}\
        {% for attachment in attachments %}{{ attachment.name }}{{ attachment.size }}{% endfor %}";
    MailTemplates::parse(old.into(), old.into(), old.into()).unwrap();
}
