//! Names that Excel wants unique without case: tables, their headings, sheets.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::base::plain_text;

use super::cell::cut;

/// The longest heading of a table, in UTF-16 units.
const HEADING_UTF16_MAX: usize = 255;

/// The names given so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    given: BTreeSet<String>,
    /// The names of tables that are spoken of before they are written, by their keys.
    promised: BTreeMap<String, String>,
}

impl Names {
    /// The name that the next table of a key will have.
    pub(super) fn promise(&mut self, key: &str) -> String {
        let name = self.promised.remove(key).unwrap_or_else(|| self.table(key));
        self.promised.insert(key.to_owned(), name.clone());
        name
    }

    /// A table's name from its key: letters, digits and `_`, never read as a cell or a number.
    pub(super) fn table(&mut self, key: &str) -> String {
        if let Some(name) = self.promised.remove(key) {
            return name;
        }
        let kept: String = key
            .chars()
            .map(|letter| if letter.is_ascii_alphanumeric() || letter == '_' { letter } else { '_' })
            .take(200)
            .collect();
        // Columns end at XFD: four letters at the front are never a cell's address.
        let is_word = kept.len() >= 4 && kept.bytes().take(4).all(|byte| byte.is_ascii_alphabetic());
        let name = if is_word { kept } else { format!("table_{kept}") };
        self.unique(&name, "_")
    }

    /// A heading, or a sheet's name.
    pub(super) fn words(&mut self, words: &str) -> String {
        self.unique(words, " ")
    }

    fn unique(&mut self, name: &str, between: &str) -> String {
        let mut unique = name.to_owned();
        let mut n = 1;
        while !self.given.insert(unique.to_lowercase()) {
            n += 1;
            unique = format!("{name}{between}{n}");
        }
        unique
    }
}

/// Whether readers would take a part of a text for an escape: `_x000D_` stands for a sign that XML has not (ECMA-376
/// Part 1, 22.9.2.19). The crate protects the texts of cells, and not those of tables and formulas.
pub(super) fn has_escape(text: &str) -> bool {
    text.match_indices("_x").any(|(at, _)| match text.as_bytes()[at + 2..] {
        [a, b, c, d, b'_', ..] => [a, b, c, d].iter().all(u8::is_ascii_hexdigit),
        _ => false,
    })
}

/// A text in which readers find no escape: the sign that would begin one is escaped itself.
pub(super) fn protected(text: &str) -> Cow<'_, str> {
    if !has_escape(text) {
        return Cow::Borrowed(text);
    }
    // One that begins no escape may be escaped too: it reads the same.
    Cow::Owned(text.replace("_x", "_x005F_x"))
}

/// Headings as a table can have them: one line each, none empty, all different without case. A straight quote becomes a
/// curved one, since the crate takes it for the begin of a text in formulas that name the column.
pub(super) fn headings<'a>(labels: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names = Names::default();
    labels
        .enumerate()
        .map(|(n, label)| {
            let plain = plain_text(label).replace('"', "”");
            let plain = if has_escape(&plain) { plain.replace("_x", "_ x") } else { plain };
            let plain = plain.trim();
            let words = if plain.is_empty() { format!("Column {}", n + 1) } else { cut(plain, HEADING_UTF16_MAX - 8) };
            names.words(&words)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_unique_without_case_and_never_empty() {
        let headings = headings(["Share", "share", " ", "SHARE", "a\u{1}b"].into_iter());
        assert_eq!(headings, ["Share", "share 2", "Column 3", "SHARE 3", "ab"]);
    }

    #[test]
    fn a_promised_name_is_kept_once() {
        let mut names = Names::default();
        assert_eq!((names.promise("products"), names.promise("products")), ("products".into(), "products".into()));
        assert_eq!((names.table("products"), names.table("products")), ("products".into(), "products_2".into()));
    }

    #[test]
    fn headings_hold_nothing_that_is_read_as_an_escape() {
        let headings = headings(["_x0041_", "a_x005F_x000d_", "_x00", "_x00ä_", "_xyz__"].into_iter());
        assert_eq!(protected("_x0041_ _xy_"), "_x005F_x0041_ _x005F_xy_");
        assert_eq!(headings, ["_ x0041_", "a_ x005F_ x000d_", "_x00", "_x00ä_", "_xyz__"]);
    }

    #[test]
    fn table_names_are_no_cells_and_unique() {
        let mut names = Names::default();
        assert_eq!(names.table("countries"), "countries");
        assert_eq!(names.table("countries"), "countries_2");
        assert_eq!(names.table("COUNTRIES"), "COUNTRIES_3");
        assert_eq!(names.table("a1"), "table_a1");
        assert_eq!(names.table("r"), "table_r");
        assert_eq!(names.table("by product!"), "table_by_product_");
    }
}
