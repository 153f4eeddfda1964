//! Looks through the texts of one edition's files for what is not its audience's.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::fmt;

use crate::audience::Scope;

use super::book::{Book, Entry, Holder, ID_CHARS_MIN, What};
use super::found::Found;
use super::letters::{BLANK, LETTER, STRANGE, kinds};
use super::own::Own;

/// Whose files are looked through, and what may stand in them.
#[derive(Clone, Debug)]
pub struct Eyes {
    /// The partner.
    pub partner_id: String,
    /// Which part of it.
    pub scope: Scope,
    /// The partner's name and those of its locations in that part, which a page may shorten in their middle.
    pub names: Vec<String>,
    /// Whether names of the partner's own customers may be there.
    pub customer_names: bool,
    /// Whether ids of the partner's own customers may be there.
    pub customer_ids: bool,
    /// Headings of columns that must not be there.
    pub without_columns: Vec<String>,
}

/// A search, made once an edition.
#[derive(Clone)]
pub struct Search {
    book: Book,
    eyes: Eyes,
    own: Own,
}

/// What a text is, which says what counts as whole and what may be a figure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unit {
    /// A text in a cell of a workbook: never a figure.
    Cell,
    /// A field of a CSV file, or a point of a chart: a figure or a text.
    Field,
    /// Anything else: a sentence, a title, an attribute.
    Text,
}

impl Search {
    /// A search for what is in a book and not for these eyes.
    pub fn new(book: &Book, eyes: Eyes, own: Own) -> Search {
        Search { book: book.clone(), eyes, own }
    }

    fn allows(&self, entry: &Entry) -> bool {
        entry.holders.iter().any(|holder| self.is_seen(*holder, entry.is_id))
    }

    fn is_seen(&self, holder: Holder, is_id: bool) -> bool {
        let is_in_scope = || self.eyes.scope.covers(holder.location.map(|place| self.id(place)));
        self.id(holder.partner) == self.eyes.partner_id
            && match holder.what {
                What::Partner => true,
                What::Location => is_in_scope(),
                What::Customer if is_id => self.eyes.customer_ids && is_in_scope(),
                What::Customer => self.eyes.customer_names && is_in_scope(),
            }
    }

    fn id(&self, place: u32) -> &str {
        self.book.0.ids.get(place as usize).map_or("", |id| id)
    }

    /// What a finding says of an entry: whose it is, never what it is called.
    fn says(&self, entry: &Entry) -> String {
        let own = entry.holders.iter().find(|holder| self.id(holder.partner) == self.eyes.partner_id);
        let sign = if entry.is_id { "id" } else { "name" };
        if let Some(own) = own {
            let what = match own.what {
                What::Customer if entry.is_id && self.eyes.customer_ids => "customer outside the grant's locations",
                What::Customer if !entry.is_id && self.eyes.customer_names => "customer outside the grant's locations",
                What::Customer => "customer, which the role may not see",
                What::Partner | What::Location => "location outside the grant's",
            };
            return format!("expected nothing that the grant may not see, found the {sign} of a {what},");
        }
        let Some(holder) = entry.holders.first() else { return String::new() };
        let of = match holder.what {
            What::Partner => "",
            What::Location => " of its location",
            What::Customer => " of its customer",
        };
        let others = match entry.holders.iter().map(|holder| holder.partner).collect::<BTreeSet<u32>>().len() {
            0 | 1 => String::new(),
            n => format!(", and of {} more,", n - 1),
        };
        format!("expected nothing of partner `{}`, found the {sign}{of}{others}", self.id(holder.partner))
    }
}

impl Default for Search {
    /// One that looks for nothing.
    fn default() -> Search {
        let eyes = Eyes {
            partner_id: String::new(),
            scope: Scope::Organization,
            names: Vec::new(),
            customer_names: true,
            customer_ids: true,
            without_columns: Vec::new(),
        };
        Search { book: Book::default(), eyes, own: Own::default() }
    }
}

impl fmt::Debug for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Search({:?} for {})", self.book, self.eyes.partner_id)
    }
}

/// What is known of an entry once it was come across.
#[derive(Clone, Copy)]
enum Verdict {
    Allowed,
    Strange { is_label: bool, is_said: bool },
}

/// Texts that are looked through at once, as they are compared: starting anew for each takes longer than most of them.
pub(super) struct Texts {
    unit: Unit,
    /// Parted by line ends, which no text has once it is normal.
    all: String,
    /// Where each begins, and its number.
    starts: Vec<(usize, usize)>,
}

impl Texts {
    pub(super) fn new(unit: Unit) -> Texts {
        Texts { unit, all: String::new(), starts: Vec::new() }
    }

    /// Puts a text to the others, if it can be anybody's; `n` is what its place is asked for by.
    pub(super) fn push(&mut self, text: &str, n: usize) {
        let text = normal(text);
        let text = text.trim();
        // A field of digits alone is a figure; only cells tell ids from figures.
        if text.len() >= 2 && (self.unit == Unit::Cell || kinds(text.as_bytes()) & LETTER != 0) {
            self.push_normal(text, n);
        }
    }

    /// Puts a text to the others that is normal and can be anybody's.
    pub(super) fn push_normal(&mut self, text: &str, n: usize) {
        self.starts.push((self.all.len(), n));
        self.all.push_str(text);
        self.all.push('\n');
    }
}

/// A search through one file.
pub(super) struct Looking<'a> {
    search: &'a Search,
    verdicts: HashMap<u32, Verdict>,
    /// What was found, as a sentence with its place.
    pub(super) findings: BTreeSet<String>,
}

impl<'a> Looking<'a> {
    pub(super) fn new(search: &'a Search) -> Looking<'a> {
        Looking { search, verdicts: HashMap::new(), findings: BTreeSet::new() }
    }

    /// Looks through a text that stands at a place.
    pub(super) fn at(&mut self, text: &str, unit: Unit, place: &dyn Fn() -> String) {
        self.units(std::iter::once(text), unit, &|_| place());
    }

    /// Looks through many texts at once; `place` says where the n-th of them stands.
    pub(super) fn units<'t>(
        &mut self,
        units: impl IntoIterator<Item = &'t str>,
        unit: Unit,
        place: &dyn Fn(usize) -> String,
    ) {
        let mut texts = Texts::new(unit);
        for (n, text) in units.into_iter().enumerate() {
            texts.push(text, n);
        }
        self.texts(&texts, place);
    }

    /// Looks through texts that were put together; `place` says where the one of a number stands.
    pub(super) fn texts(&mut self, texts: &Texts, place: &dyn Fn(usize) -> String) {
        let all = texts.all.as_str();
        if texts.unit != Unit::Text {
            for (text, (_, n)) in all.lines().zip(&texts.starts) {
                self.short(text, &|| place(*n));
                self.columns(text, &|| place(*n));
            }
        }
        let bytes = all.as_bytes();
        let is_whole = |start: usize, end: usize| {
            texts.unit != Unit::Text
                && (start == 0 || bytes.get(start - 1) == Some(&b'\n'))
                && bytes.get(end).is_none_or(|byte| *byte == b'\n')
        };
        let place = |at: usize| {
            let n = texts.starts.partition_point(|(start, _)| *start <= at);
            place(n.checked_sub(1).and_then(|n| texts.starts.get(n)).map_or(0, |(_, n)| *n))
        };
        self.through(all, &is_whole, &place);
    }

    /// Looks through the runs of a page, each of which may be a text of its own or a part of one.
    pub(super) fn runs<'r>(&mut self, runs: impl IntoIterator<Item = &'r str>, place: &dyn Fn() -> String) {
        // Where runs begin and end, in the page's order.
        let (mut page, mut bounds) = (String::new(), Vec::new());
        for run in runs {
            let run = normal(run);
            let run = run.trim();
            if run.is_empty() {
                continue;
            }
            if !page.is_empty() {
                page.push(' ');
            }
            bounds.push((page.len(), page.len() + run.len()));
            page.push_str(run);
            self.short(run, place);
            self.columns(run, place);
            if !run.is_ascii() && run.chars().any(is_right_to_left) {
                // Shapers hand such text out as it is drawn, last letter first.
                self.at(&run.chars().rev().collect::<String>(), Unit::Field, place);
            }
        }
        self.through(&page, &|start, end| bounds.binary_search(&(start, end)).is_ok(), &|_| place());
    }

    fn short(&mut self, text: &str, place: &dyn Fn() -> String) {
        if text.chars().nth(ID_CHARS_MIN - 1).is_some() {
            return;
        }
        if let Some(n) = self.search.book.0.short.get(text)
            && let Verdict::Strange { is_label: false, .. } = self.verdict(*n)
        {
            self.found(*n, place);
        }
    }

    fn columns(&mut self, text: &str, place: &dyn Fn() -> String) {
        if self.search.eyes.without_columns.iter().any(|column| column == text) {
            let what = format!("expected no column `{text}`, which the role may not see, found it {}", place());
            self.findings.insert(what);
        }
    }

    /// Names within a text, as whole words: those of others that are no part of an own one. Ids, wherever they stand.
    fn through(&mut self, text: &str, is_whole: &dyn Fn(usize, usize) -> bool, place: &dyn Fn(usize) -> String) {
        let search = self.search;
        let (mut own, mut strange) = (Vec::new(), Vec::new());
        search.book.0.finder.find(text, &mut |found| match (self.verdict(found.entry()), found) {
            (Verdict::Allowed, Found::Name(_, start, end)) => own.push((start, end)),
            (Verdict::Strange { is_label: true, .. }, Found::Name(..)) => {}
            (Verdict::Strange { is_said: true, .. }, Found::Name(_, start, end)) if !is_whole(start, end) => {}
            (Verdict::Strange { .. }, Found::Name(n, start, end)) => strange.push((start, end, n)),
            (Verdict::Strange { .. }, Found::Id(n, start)) => self.found(n, &|| place(start)),
            (Verdict::Allowed, Found::Id(..)) => {}
        });
        // A name within a longer one is told by that.
        own.extend(strange.iter().map(|(start, end, _)| (*start, *end)));
        own.sort_unstable_by_key(|(_, end)| *end);
        let longest = own.iter().map(|(start, end)| end - start).max().unwrap_or(0);
        for (start, end, n) in strange {
            let from = own.partition_point(|own| own.1 < end);
            let near = own[from..].iter().take_while(|own| own.1 <= end + longest);
            let is_covered = near.into_iter().any(|own| own.0 <= start && own.1 - own.0 > end - start)
                || search.own.covers(text, start, &text[start..end])
                || self.is_shortened(text, start, end);
            if !is_covered {
                self.found(n, &|| place(start));
            }
        }
    }

    /// Whether a place is within an own text that was shortened in its middle.
    fn is_shortened(&self, text: &str, start: usize, end: usize) -> bool {
        const NEAR_BYTES: usize = 200;
        let mut from = start.saturating_sub(NEAR_BYTES);
        while !text.is_char_boundary(from) {
            from -= 1;
        }
        let mut to = (end + NEAR_BYTES).min(text.len());
        while !text.is_char_boundary(to) {
            to += 1;
        }
        let near = &text[from..to];
        near.match_indices('…').any(|(at, dots)| {
            let (before, after) = (&near[..at], &near[at + dots.len()..]);
            let is_before = from + at >= end;
            self.search.own.texts().chain(self.search.eyes.names.iter().map(String::as_str)).any(|own| {
                // As much of its head as stands before the dots, and of its tail as stands behind.
                let head = own.char_indices().map(|(n, _)| n).filter(|n| before.ends_with(&own[..*n])).max();
                let tail = own.char_indices().map(|(n, _)| n).filter(|n| after.starts_with(&own[*n..])).min();
                let (Some(head), Some(tail)) = (head, tail) else { return false };
                if head == 0 || tail >= own.len() {
                    return false;
                }
                if is_before { from + at - head <= start } else { from + at + dots.len() + own.len() - tail >= end }
            })
        })
    }

    fn verdict(&mut self, n: u32) -> Verdict {
        if let Some(verdict) = self.verdicts.get(&n) {
            return *verdict;
        }
        let search = self.search;
        let verdict = match search.book.0.entries.get(n as usize) {
            Some(entry) if !search.allows(entry) => Verdict::Strange {
                is_label: !entry.is_id && search.own.is_label(&entry.text),
                is_said: !entry.is_id && search.own.says(&entry.text),
            },
            _ => Verdict::Allowed,
        };
        self.verdicts.insert(n, verdict);
        verdict
    }

    fn found(&mut self, n: u32, place: &dyn Fn() -> String) {
        if let Some(entry) = self.search.book.0.entries.get(n as usize) {
            self.findings.insert(format!("{} {}", self.search.says(entry), place()));
        }
    }
}

/// Hebrew, Arabic and what is written like them, with their forms of presentation.
fn is_right_to_left(letter: char) -> bool {
    matches!(letter, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}')
}

/// A text as it is compared: no control characters, one blank where several or other ones stand.
pub(super) fn normal(text: &str) -> Cow<'_, str> {
    let kinds = kinds(text.as_bytes());
    let is_plain = kinds & STRANGE == 0 && (kinds & BLANK == 0 || !text.as_bytes().windows(2).any(|two| two == b"  "));
    if is_plain {
        return Cow::Borrowed(text);
    }
    let plain = crate::base::plain_text(text);
    Cow::Owned(plain.split_whitespace().collect::<Vec<_>>().join(" "))
}
