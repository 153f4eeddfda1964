//! The names of other partners, none of which may stand in a file.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};

/// Names shorter than this are not looked for: they are in too many words.
const NAME_CHARS_MIN: usize = 4;

/// The names of other partners, made ready once for many files: a distributor has thousands.
#[derive(Clone, Default)]
pub struct Others {
    found_by: Option<AhoCorasick>,
    names: Arc<[String]>,
    known: Arc<HashSet<String>>,
    /// Names that may stand in the file all the same.
    allowed: BTreeSet<Arc<str>>,
}

impl Others {
    /// These names, those shorter than four letters left out; none is allowed.
    ///
    /// # Errors
    /// When they are more than can be looked for at once, in words.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Others, String> {
        let long = |name: &&str| name.chars().count() >= NAME_CHARS_MIN;
        let names: Vec<String> = names.into_iter().map(str::trim).filter(long).map(str::to_owned).collect();
        if names.is_empty() {
            return Ok(Others::default());
        }
        let built = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&names);
        let known = Arc::new(names.iter().cloned().collect());
        let found_by = Some(built.map_err(|error| error.to_string())?);
        Ok(Others { found_by, names: names.into(), known, allowed: BTreeSet::new() })
    }

    /// Whether a name is one of them.
    pub fn knows(&self, name: &str) -> bool {
        self.known.contains(name)
    }

    /// The same, but for names that stand in the partner's own data: a reseller may be a customer too.
    #[must_use]
    pub fn but(&self, allowed: BTreeSet<Arc<str>>) -> Others {
        Others { allowed, ..self.clone() }
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.found_by.is_none()
    }

    /// Those that stand in a text as whole words, unless they are a part of `own`, the partner's own name.
    pub(super) fn found_in<'a>(&'a self, text: &'a str, own: &'a str) -> impl Iterator<Item = &'a str> {
        let matches = self.found_by.iter().flat_map(move |found_by| found_by.find_iter(text));
        matches.filter_map(move |found| {
            let (start, end) = (found.start(), found.end());
            let name = self.names.get(found.pattern().as_usize())?;
            let letter_before = text[..start].chars().next_back().is_some_and(char::is_alphanumeric);
            let letter_after = text[end..].chars().next().is_some_and(char::is_alphanumeric);
            let is_word = !letter_before && !letter_after;
            let is_allowed = self.allowed.contains(name.as_str());
            (is_word && !is_allowed && !is_within(text, start, name, own)).then_some(name.as_str())
        })
    }
}

/// Whether a name that stands at `start` is there as a part of the partner's own name.
fn is_within(text: &str, start: usize, name: &str, own: &str) -> bool {
    own.match_indices(name).any(|(offset, _)| {
        start.checked_sub(offset).is_some_and(|from| text.is_char_boundary(from) && text[from..].starts_with(own))
    })
}

impl fmt::Debug for Others {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Others({} names)", self.names.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_names_are_found_as_whole_words_outside_ones_own() {
        let others = Others::new(["Example", "Example East", "Abc", "Wien"]).unwrap();
        let found = |text: &'static str| others.found_in(text, "Example West GmbH").collect::<Vec<_>>();
        assert_eq!(found("Example West GmbH · Product licenses"), Vec::<&str>::new());
        assert_eq!(found("Example West GmbH, Example East"), ["Example East"]);
        assert_eq!(found("An Example"), ["Example"]);
        assert_eq!(found("Examples, Abc, Wiener"), Vec::<&str>::new());
        let but = others.but([Arc::from("Example")].into());
        assert_eq!(but.found_in("An Example, Wien", "").collect::<Vec<_>>(), ["Wien"]);
        assert!(others.knows("Wien") && !others.knows("Abc"));
        assert!(Others::new([]).unwrap().is_empty() && Others::new(["x"]).unwrap().is_empty());
    }
}
