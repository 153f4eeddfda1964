//! The book: every id and name of a run's data that a file may be looked through for, each with whose it is.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use super::found::Finder;
use super::search::normal;

/// As many ids and names a book has at most; 30,000 customers of 3,000 partners are some 70,000.
pub const BOOK_ENTRIES_MAX: usize = 1_000_000;

/// Names of fewer letters are looked for as whole cells only: they are in too many texts.
pub(super) const WITHIN_CHARS_MIN: usize = 4;

/// Names of fewer letters are not looked for.
const NAME_CHARS_MIN: usize = 2;

/// Ids of fewer signs are looked for as whole cells only, and not at all when they are numbers: figures look like them.
pub(super) const ID_CHARS_MIN: usize = 6;

/// How many holders of a name are looked at before another is put down: "Unknown" may have thousands.
const HOLDERS_LOOKED_AT_MAX: usize = 64;

/// A book cannot be made.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BookError {
    /// There are more ids and names than it has places for.
    #[error(
        "the data has more than {BOOK_ENTRIES_MAX} ids and names of partners, locations and customers, more than the gate \
         looks for; hint: let several views of fewer partners each be the facts of a configuration of its own"
    )]
    Full,
    /// They cannot be looked for at once.
    #[error("the ids and names of partners cannot be looked for: {0}")]
    Unsearchable(String),
}

/// What somebody is to the partner who has it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum What {
    Partner,
    Location,
    Customer,
}

/// Who has an id or a name: a partner, for itself, a location or a customer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Holder {
    /// The partner's place in [`Inner::ids`].
    pub(super) partner: u32,
    /// The location's, where there is one.
    pub(super) location: Option<u32>,
    pub(super) what: What,
}

/// An id or a name with all who have it.
pub(super) struct Entry {
    pub(super) text: Box<str>,
    pub(super) is_id: bool,
    pub(super) holders: Box<[Holder]>,
}

/// A book, made once for all files of a run. Cheap to clone.
#[derive(Clone, Default)]
pub struct Book(pub(super) Arc<Inner>);

#[derive(Default)]
pub(super) struct Inner {
    /// The ids of partners and locations.
    pub(super) ids: Vec<Box<str>>,
    pub(super) entries: Vec<Entry>,
    /// Finds those that are not short.
    pub(super) finder: Finder,
    /// Short names and ids, which stand for themselves only.
    pub(super) short: HashMap<Box<str>, u32>,
    n_left_out: usize,
}

impl Book {
    /// How many ids and names it has.
    pub fn n_entries(&self) -> usize {
        self.0.entries.len()
    }

    /// How many ids and names it was given that are not looked for: single letters, names without a letter, numbers of
    /// fewer than six digits.
    pub fn n_left_out(&self) -> usize {
        self.0.n_left_out
    }

    /// How many bytes it takes, about.
    pub fn n_bytes(&self) -> usize {
        let inner = &self.0;
        let texts: usize = inner.entries.iter().map(|entry| entry.text.len() + size_of_val(&*entry.holders)).sum();
        let keys: usize = inner.short.keys().map(|key| key.len() + 32).sum();
        texts + keys + inner.finder.n_bytes() + inner.entries.len() * size_of::<Entry>()
    }
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Book({} ids and names)", self.n_entries())
    }
}

/// A book that is being written.
pub struct BookWriter {
    n_entries_max: usize,
    places: HashMap<Box<str>, u32>,
    /// By whether it is an id, and what it is.
    holders: BTreeMap<(bool, Box<str>), Vec<Holder>>,
    left_out: std::collections::HashSet<Box<str>>,
}

impl Default for BookWriter {
    fn default() -> BookWriter {
        BookWriter::with_places(BOOK_ENTRIES_MAX)
    }
}

impl BookWriter {
    pub(super) fn with_places(n_entries_max: usize) -> BookWriter {
        BookWriter {
            n_entries_max,
            places: HashMap::new(),
            holders: BTreeMap::new(),
            left_out: std::collections::HashSet::new(),
        }
    }

    /// A partner, by its id and its name where it has one.
    ///
    /// # Errors
    /// [`BookError::Full`], as of all these.
    pub fn partner(&mut self, id: &str, name: Option<&str>) -> Result<(), BookError> {
        let holder = Holder { partner: self.place(id), location: None, what: What::Partner };
        self.put(Some(id), name, holder)
    }

    /// A location of a partner.
    ///
    /// # Errors
    /// As [`BookWriter::partner`].
    pub fn location(&mut self, partner_id: &str, id: &str, name: Option<&str>) -> Result<(), BookError> {
        let location = Some(self.place(id));
        let holder = Holder { partner: self.place(partner_id), location, what: What::Location };
        self.put(Some(id), name, holder)
    }

    /// A customer of a partner, at one of its locations.
    ///
    /// # Errors
    /// As [`BookWriter::partner`].
    pub fn customer(
        &mut self,
        partner_id: &str,
        location_id: Option<&str>,
        id: Option<&str>,
        name: Option<&str>,
    ) -> Result<(), BookError> {
        let location = location_id.map(|id| self.place(id));
        let holder = Holder { partner: self.place(partner_id), location, what: What::Customer };
        self.put(id, name, holder)
    }

    fn place(&mut self, id: &str) -> u32 {
        if let Some(place) = self.places.get(id) {
            return *place;
        }
        // Fewer than the entries, which are counted.
        let place = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        self.places.insert(id.into(), place);
        place
    }

    fn put(&mut self, id: Option<&str>, name: Option<&str>, holder: Holder) -> Result<(), BookError> {
        // Who has no name is called by its id.
        let name = name.filter(|name| id.is_none_or(|id| id != *name));
        for (is_id, text) in [(true, id), (false, name)] {
            let Some(text) = text.map(normal) else { continue };
            let text = text.trim();
            if text.is_empty() {
                continue;
            }
            // Ids are found whatever their case, so those that differ by it only are one.
            let is_found_in_texts = is_id && is_token(text) && text.chars().count() >= ID_CHARS_MIN;
            let text = if is_found_in_texts { Cow::Owned(text.to_lowercase()) } else { Cow::Borrowed(text) };
            let text = &*text;
            let key = (is_id, Box::from(text));
            if let Some(holders) = self.holders.get_mut(&key) {
                // Rows come by partner: what is there already is mostly near the end. The others go when it is made.
                if !holders.iter().rev().take(HOLDERS_LOOKED_AT_MAX).any(|there| *there == holder) {
                    holders.push(holder);
                }
                continue;
            }
            let is_new = is_looked_for(text, is_id) || !self.left_out.contains(text);
            if is_new && self.holders.len() + self.left_out.len() >= self.n_entries_max {
                return Err(BookError::Full);
            }
            if is_looked_for(text, is_id) {
                self.holders.insert(key, vec![holder]);
            } else {
                self.left_out.insert(text.into());
            }
        }
        Ok(())
    }

    /// The book.
    ///
    /// # Errors
    /// [`BookError::Unsearchable`].
    pub fn finish(self) -> Result<Book, BookError> {
        let mut ids = vec![Box::from(""); self.places.len()];
        for (id, place) in self.places {
            if let Some(at) = ids.get_mut(place as usize) {
                *at = id;
            }
        }
        let mut patterns = Vec::new();
        let mut inner = Inner { ids, n_left_out: self.left_out.len(), ..Inner::default() };
        for ((is_id, text), mut holders) in self.holders {
            holders.sort_unstable();
            holders.dedup();
            let n = u32::try_from(inner.entries.len()).unwrap_or(u32::MAX);
            let n_chars = text.chars().count();
            if n_chars < if is_id { ID_CHARS_MIN } else { WITHIN_CHARS_MIN } {
                inner.short.insert(text.clone(), n);
            } else if is_id && is_token(&text) {
                inner.finder.add_token(&text, n);
            } else {
                patterns.push(n);
            }
            inner.entries.push(Entry { text, is_id, holders: holders.into() });
        }
        if !patterns.is_empty() {
            let texts: Vec<&str> = patterns.iter().map(|n| &*inner.entries[*n as usize].text).collect();
            inner.finder.add_names(&texts, patterns.clone()).map_err(BookError::Unsearchable)?;
        }
        Ok(Book(Arc::new(inner)))
    }
}

fn is_looked_for(text: &str, is_id: bool) -> bool {
    let n_chars = text.chars().take(ID_CHARS_MIN).count();
    let has_letter = text.chars().any(char::is_alphabetic);
    if is_id { n_chars >= ID_CHARS_MIN || (has_letter && n_chars > 1) } else { has_letter && n_chars >= NAME_CHARS_MIN }
}

/// Whether an id is one token of letters, digits and `-`, at least one of them a digit.
fn is_token(id: &str) -> bool {
    id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && id.bytes().any(|byte| byte.is_ascii_digit())
        && !id.starts_with('-')
        && !id.ends_with('-')
}
