//! The package: what parts name exists, sheets have names that Excel takes, links lead somewhere.

use std::collections::BTreeSet;

use super::area::Area;
use super::book::{Book, Sheet};
use super::formula;
use super::xml::Element;

/// The longest name of a sheet in UTF-16 units, and how many links a sheet may have.
const NAME_UTF16_MAX: usize = 31;
const LINKS_MAX: usize = 65_530;

pub fn findings(book: &Book, findings: &mut Vec<String>) {
    names(book, findings);
    types(book, findings);
    for path in &book.paths {
        related(book, path, findings);
    }
    for sheet in &book.sheets {
        links(book, sheet, findings);
    }
}

fn names(book: &Book, findings: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for name in book.sheets.iter().map(|sheet| sheet.name.as_str()) {
        let is_long = name.encode_utf16().count() > NAME_UTF16_MAX || name.is_empty();
        let is_refused =
            name.contains(['[', ']', ':', '*', '?', '/', '\\']) || name.starts_with('\'') || name.ends_with('\'');
        // Excel keeps this one for its own list of changes.
        if is_long || is_refused || name.eq_ignore_ascii_case("history") {
            findings.push(format!("`{name}` is no name of a sheet"));
        }
        if !seen.insert(name.to_lowercase()) {
            findings.push(format!("two sheets are named `{name}`"));
        }
    }
    let mut seen = BTreeSet::new();
    for (name, sheet, _) in &book.names {
        if !seen.insert((name.to_lowercase(), *sheet)) {
            findings.push(format!("the name `{name}` is defined twice"));
        }
    }
}

/// Every part has a content type, and every content type its part.
fn types(book: &Book, findings: &mut Vec<String>) {
    let Some(types) = book.parts.get("[Content_Types].xml") else {
        return findings.push("no content types".to_owned());
    };
    let of = |kind: &'static str, name: &'static str| -> BTreeSet<&str> {
        types.all(kind).filter_map(|element| element.get(name)).map(|value| value.trim_start_matches('/')).collect()
    };
    let (endings, parts) = (of("Default", "Extension"), of("Override", "PartName"));
    for path in book.paths.iter().filter(|path| *path != "[Content_Types].xml") {
        let ending = path.rsplit('.').next().unwrap_or_default();
        if !parts.contains(path.as_str()) && !endings.contains(ending) {
            findings.push(format!("{path} has no content type"));
        }
    }
    for part in parts.iter().filter(|part| !book.paths.iter().any(|path| path == *part)) {
        findings.push(format!("{part} has a content type and is missing"));
    }
}

/// The relations that a part's elements name are listed, and what is listed is there.
fn related(book: &Book, path: &str, findings: &mut Vec<String>) {
    let relations = book.relations(path);
    for relation in relations.iter().filter(|relation| !relation.is_outside && !book.paths.contains(&relation.target)) {
        findings.push(format!("{path}: {} is missing", relation.target));
    }
    let listed: BTreeSet<&str> = relations.iter().map(|relation| relation.id.as_str()).collect();
    let Some(root) = book.parts.get(path) else { return };
    for id in named(root).into_iter().filter(|id| !listed.contains(id)) {
        findings.push(format!("{path}: there is no relation `{id}`"));
    }
}

fn named(element: &Element) -> Vec<&str> {
    let own = element.get("r:id").or(element.get("r:embed"));
    own.into_iter().chain(element.children.iter().flat_map(named)).collect()
}

fn links(book: &Book, sheet: &Sheet, findings: &mut Vec<String>) {
    let root = book.parts.get(&sheet.path);
    let links: Vec<&Element> = root.map(|root| root.below("hyperlink")).unwrap_or_default();
    if links.len() > LINKS_MAX {
        findings.push(format!("{}: {} links", sheet.name, links.len()));
    }
    for link in links {
        let at = format!("{}: the link in {}", sheet.name, link.get("ref").unwrap_or_default());
        if link.get("ref").and_then(Area::parse).is_none_or(|area| sheet.cell(area.from).is_none()) {
            findings.push(format!("{at} has no cell"));
        }
        let Some(to) = link.get("location") else { continue };
        let uses = formula::uses(to).unwrap_or_default();
        let is_there = |sheet: &String| book.named(sheet).is_some();
        if !(uses.sheets.iter().any(is_there) || book.names.iter().any(|(name, _, _)| name == to)) {
            findings.push(format!("{at} leads to `{to}`, which is not there"));
        }
    }
}
