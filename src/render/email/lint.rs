//! The HTML of mails held against what Outlook's Word engine knows, and against what phones and readers need.
//!
//! What that engine knows is listed by Microsoft in "Word 2007 HTML and CSS Rendering Capabilities in Outlook 2007"
//! (parts 1 and 2, MSDN aa338201 and aa338200), which holds for the classic Outlook for Windows up to today's.

use std::collections::BTreeMap;

use super::tests::{FILES, product, report, with_courses, written};
use super::*;
use crate::report::{Block, Report};

/// Elements that it knows and we use; those that lay out are tables only.
const ELEMENTS: [&str; 24] = [
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "table",
    "caption",
    "thead",
    "tbody",
    "tr",
    "td",
    "th",
    "p",
    "h1",
    "span",
    "strong",
    "br",
    "img",
    "xml",
    "o:officedocumentsettings",
    "o:allowpng",
    "o:pixelsperinch",
    "!doctype",
];

/// Properties that it knows.
const KNOWN: [&str; 26] = [
    "background-color",
    "border",
    "border-bottom",
    "border-collapse",
    "border-color",
    "border-top",
    "color",
    "display",
    "font-family",
    "font-size",
    "font-weight",
    "height",
    "line-height",
    "margin",
    "margin-top",
    "padding",
    "text-align",
    "text-decoration",
    "vertical-align",
    "white-space",
    "width",
    "mso-hide",
    "mso-line-height-rule",
    "font",
    "letter-spacing",
    "font-style",
];

/// Properties that it passes over without harm, and why we have them.
const PASSED_OVER: [(&str, &str); 8] = [
    ("max-width", "a table of 600 pixels stands around it for that engine"),
    ("max-height", "of the preheader, which `mso-hide` hides there"),
    ("overflow", "of the preheader, too"),
    ("overflow-wrap", "a long name widens its column there, as in every table of Word"),
    ("unicode-bidi", "the element's `dir` still turns its text"),
    ("font-variant-numeric", "figures of Segoe UI and Arial have one width anyway"),
    ("-webkit-text-size-adjust", "for phones"),
    ("mso-text-raise", "its own"),
];

/// One tag: its name, and its attributes.
struct Tag {
    name: String,
    attributes: BTreeMap<String, String>,
}

impl Tag {
    fn style(&self) -> Vec<(String, String)> {
        declarations(self.attributes.get("style").map_or("", String::as_str))
    }
}

fn declarations(style: &str) -> Vec<(String, String)> {
    let parts = style.split(';').filter_map(|one| one.split_once(':'));
    parts.map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_lowercase())).collect()
}

/// Every opening tag, those for Outlook only included.
fn tags(html: &str) -> Vec<Tag> {
    let html = html.replace("<!--[if mso]>", "").replace("<![endif]-->", "");
    assert!(!html.contains("<!--"), "no other comment");
    let opened = html.split('<').skip(1).filter(|text| !text.starts_with('/'));
    opened.map(|text| tag(text.split('>').next().unwrap())).collect()
}

fn tag(text: &str) -> Tag {
    let (name, mut rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let mut attributes = BTreeMap::new();
    while let Some((name, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"').expect("an attribute that ends");
        attributes.insert(name.trim().to_lowercase(), value.to_owned());
        rest = after;
    }
    Tag { name: name.trim_end_matches('/').to_lowercase(), attributes }
}

/// What is wrong with a mail's HTML.
fn faults(html: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let tags = tags(html);
    for tag in &tags {
        if !ELEMENTS.contains(&tag.name.as_str()) {
            faults.push(format!("<{}> is no element for mails", tag.name));
        }
        for (name, value) in tag.style() {
            faults.extend(of_declaration(&tag.name, &name, &value));
        }
        faults.extend(of_attributes(tag));
    }
    let sheets = html.split("<style>").skip(1).filter_map(|sheet| sheet.split_once("</style>"));
    for (sheet, _) in sheets {
        let inner = sheet.replace(" !important", "");
        let rules = inner.split('}').filter_map(|rule| rule.rsplit_once('{'));
        for (name, value) in rules.flat_map(|(_, body)| declarations(body)) {
            let is_scheme = name.contains("color-scheme");
            if !is_scheme {
                faults.extend(of_declaration("body", &name, &value));
            }
        }
    }
    faults.extend(of_whole(html, &tags));
    faults
}

fn of_declaration(element: &str, name: &str, value: &str) -> Option<String> {
    let is_known = KNOWN.contains(&name) || PASSED_OVER.iter().any(|(passed, _)| *passed == name);
    let size = (name == "font-size").then(|| value.trim_end_matches("px").parse::<u32>().unwrap_or(1));
    let wrong = match name {
        _ if !is_known => "is unknown to Outlook",
        // Word pads cells only.
        "padding" if !["td", "th", "caption", "body"].contains(&element) => "is known to Outlook on cells only",
        "display" if value != "none" => "lays out otherwise than by tables",
        _ if value.contains("rgba") || value.contains("var(") || value.contains("calc(") => {
            "has a value unknown to Outlook"
        }
        _ if value.contains("url(") => "loads something",
        // Rows that part others have no text.
        "font-size" if size.is_some_and(|size| size > 0 && size < 16) => "is below 16 px",
        _ => return None,
    };
    Some(format!("`{name}: {value}` on <{element}> {wrong}"))
}

fn of_attributes(tag: &Tag) -> Vec<String> {
    let has = |name: &str| tag.attributes.get(name).is_some_and(|value| !value.is_empty());
    let mut faults = Vec::new();
    let mut need = |is_there: bool, what: &str| {
        if !is_there {
            faults.push(format!("<{}> without {what}: {:?}", tag.name, tag.attributes));
        }
    };
    match tag.name.as_str() {
        "img" => {
            need(has("width") && has("height"), "width and height");
            need(has("alt"), "alternative text");
            need(tag.attributes.get("src").is_some_and(|src| src.starts_with("cid:")), "a picture of its own");
        }
        // A table of figures has headers; every other one is for layout and says so.
        "table" => {
            need(has("role") || tag.style().iter().any(|(name, _)| name == "border-collapse"), "`role=presentation`");
            need(has("cellpadding") && has("cellspacing") && has("border"), "cellpadding, cellspacing and border");
        }
        "th" => need(has("scope"), "scope"),
        "html" => need(has("lang"), "lang"),
        _ => {}
    }
    for banned in ["href", "background", "onclick", "onload", "srcset", "rowspan", "colspan"] {
        need(!tag.attributes.contains_key(banned), &format!("leaving `{banned}` out"));
    }
    faults
}

fn of_whole(html: &str, tags: &[Tag]) -> Vec<String> {
    let n_widths = html.matches("max-width:").count();
    let n_fallbacks = html.matches("<!--[if mso]><table role=\"presentation\" width=\"").count();
    let body = html.split("<body").nth(1).and_then(|rest| rest.split_once('>')).map_or("", |(_, rest)| rest.trim());
    let outside = html.replace("http://www.w3.org/1999/xhtml", "");
    let mut faults = Vec::new();
    for (is_well, what) in [
        (n_widths == n_fallbacks, "each `max-width` has a table for Outlook around it"),
        (body.starts_with("<p style=\"display:none"), "a preheader stands first"),
        (
            !body.starts_with("<p style=\"display:none;max-height:0;overflow:hidden;mso-hide:all\"></p>"),
            "it says something",
        ),
        (html.contains("@media (prefers-color-scheme: dark)"), "there is a dark look"),
        (html.contains("name=\"viewport\""), "phones are told the width"),
        (!outside.contains("http") && !outside.contains("@import"), "nothing is loaded from outside"),
        (tags.iter().filter(|tag| tag.name == "h1").count() == 1, "there is one heading"),
        (html.matches("<table").count() == html.matches("</table>").count(), "every table ends"),
    ] {
        if !is_well {
            faults.push(format!("not so: {what}"));
        }
    }
    faults
}

/// Reports that look unlike.
fn reports() -> Vec<Report> {
    let plain = with_courses("Example Distribution");
    let mut banners = with_courses(&"شركة الأمثلة ".repeat(20));
    banners.head.preliminary = Some("October 2026 is not full yet".into());
    banners.head.correction = Some("It replaces revision 1: late figures".into());
    let mut many = report("<i>Größe</i> & Söhne");
    let Some(Block::Table(table)) = many.sections[0].blocks.last_mut() else { panic!() };
    table.rows = (0..40).map(|n| product(&"Long".repeat(30), 40 - n, crate::base::Growth::New)).collect();
    table.note = "a note".into();
    let mut empty = report("");
    empty.sections.clear();
    vec![plain, banners, many, empty]
}

#[test]
fn outlook_gmail_and_phones_know_everything_in_the_shipped_mail() {
    let before = report("Example Distribution");
    for report in reports() {
        for n_attached in 0..=FILES.len() {
            let (attached, left_out) = FILES.split_at(n_attached);
            for (since, message_id) in [(None, None), (Some(&before), Some("1@reports.example"))] {
                let html = written(&report, &Letter { attached, left_out, since, message_id }).html;
                assert_eq!(faults(&html), Vec::<String>::new(), "{html}");
            }
        }
    }
}

#[test]
fn what_outlook_does_not_know_is_found() {
    let html = written(&with_courses("x"), &Letter { message_id: Some("1@x"), ..Letter::default() }).html;
    for (from, to) in [
        ("<p class", "<div class"),
        ("<p class", "<p onclick=\"x\" class"),
        ("padding:0 0 20px", "padding:0 0 20px;display:flex"),
        ("padding:0 0 20px", "padding:0 0 20px;border-radius:4px"),
        ("margin:2px 0 0", "padding:2px 0 0"),
        ("font-size:16px", "font-size:15px"),
        ("color:#1a2433", "color:rgba(0,0,0,0.5)"),
        ("color:#1a2433", "color:#1a2433;background-color:url(x)"),
        ("src=\"cid:", "src=\"https://example.com/"),
        (" alt=\"Licenses", " alt=\"\" title=\"Licenses"),
        (" width=\"240\"", ""),
        ("role=\"presentation\"", ""),
        ("<!--[if mso]><table", "<!--[if mso]><table role=\"none\""),
        (" lang=\"en\"", ""),
        ("<p style=\"display:none", "<p style=\"color:red"),
        ("prefers-color-scheme: dark", "prefers-color-scheme: light"),
        (" scope=\"row\"", ""),
        ("</h1>", "</h1><a href=\"https://example.com\">x</a>"),
    ] {
        assert!(html.contains(from), "{from}");
        assert!(!faults(&html.replacen(from, to, 1)).is_empty(), "{from} as {to}");
    }
}
