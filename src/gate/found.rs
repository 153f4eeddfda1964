//! Finds what a book has in a text: names where a word begins, ids as whole tokens.

use std::collections::HashMap;

use aho_corasick::Anchored;
use aho_corasick::automaton::Automaton as _;
use aho_corasick::nfa::contiguous::NFA;

use super::book::{ID_CHARS_MIN, WITHIN_CHARS_MIN};
use super::letters::{DIGIT, LETTER, STRANGE, kind};

/// Something of a book in a text.
#[derive(Clone, Copy)]
pub(super) enum Found {
    /// The entry of a name, or of an id that is no plain token; where it begins and ends.
    Name(u32, usize, usize),
    /// The entry of an id, and where its token begins.
    Id(u32, usize),
}

impl Found {
    pub(super) fn entry(self) -> u32 {
        let (Found::Name(entry, ..) | Found::Id(entry, _)) = self;
        entry
    }
}

/// Finds names and ids in one pass over a text, word by word.
#[derive(Default)]
pub(super) struct Finder {
    within: Option<Within>,
    /// The entries of ids that are plain tokens, by the id in lower case.
    tokens: HashMap<Box<str>, u32>,
    /// Which lengths tokens have, a bit each; the last is for all that are longer.
    lengths: u64,
}

/// Finds names within texts, and ids that are no plain tokens.
///
/// They stand at the beginning of a word only, and few words begin as any of them does: where one may, the automaton is
/// walked from there until no name goes on so.
struct Within {
    automaton: NFA,
    /// The entry of each pattern.
    entries: Vec<u32>,
    heads: Heads,
}

impl Finder {
    /// Adds an id of letters, digits and `-`, at least one of them a digit, in lower case.
    pub(super) fn add_token(&mut self, id: &str, entry: u32) {
        self.tokens.insert(id.into(), entry);
        self.lengths |= length_bit(id);
    }

    /// Sets the texts of [`WITHIN_CHARS_MIN`] letters or more that are looked for in others, and their entries.
    pub(super) fn add_names(&mut self, texts: &[&str], entries: Vec<u32>) -> Result<(), String> {
        let automaton = NFA::builder().prefilter(false).build(texts).map_err(|error| error.to_string())?;
        let mut heads = Heads(vec![0; HEAD_BITS / 64]);
        texts.iter().for_each(|text| heads.insert(text.as_bytes()));
        self.within = Some(Within { automaton, entries, heads });
        Ok(())
    }

    /// How many bytes it takes, about.
    pub(super) fn n_bytes(&self) -> usize {
        let tokens: usize = self.tokens.keys().map(|key| key.len() + 32).sum();
        let within = |within: &Within| within.automaton.memory_usage() + within.entries.len() * 4 + HEAD_BITS / 8;
        tokens + self.within.as_ref().map_or(0, within)
    }

    /// Calls `found` with each that stands in a text: names as whole words, ids as tokens or parts of one that `-` joins.
    pub(super) fn find(&self, text: &str, found: &mut dyn FnMut(Found)) {
        if self.within.is_none() && self.tokens.is_empty() {
            return;
        }
        let bytes = text.as_bytes();
        // Where the token begins that is read, and what it has.
        let (mut at, mut start, mut kinds) = (0, 0, 0);
        while at < bytes.len() {
            if let Some(within) = &self.within
                && bytes.get(at..at + WITHIN_CHARS_MIN).is_some_and(|head| within.heads.has(head))
            {
                within.walk(text, at, found);
            }
            // No name begins within a word, nor at the sign right behind it.
            let n = loop {
                let (is_of_word, n) = letter_at(text, at);
                if !is_of_word {
                    break n;
                }
                kinds |= kind(bytes[at]);
                at += n;
            };
            if bytes.get(at) == Some(&b'-') {
                at += 1;
                continue;
            }
            if kinds & DIGIT != 0 && at - start >= ID_CHARS_MIN {
                self.look(&text[start..at], &mut |entry| found(Found::Id(entry, start)));
            }
            at += n;
            (start, kinds) = (at, 0);
        }
        if at > start && kinds & DIGIT != 0 && bytes.last() == Some(&b'-') {
            self.look(&text[start..], &mut |entry| found(Found::Id(entry, start)));
        }
    }

    fn look(&self, piece: &str, found: &mut dyn FnMut(u32)) {
        let token = piece.trim_matches('-');
        match self.token(token) {
            Some(entry) => found(entry),
            None if token.contains('-') => token.split('-').filter_map(|part| self.token(part)).for_each(found),
            None => {}
        }
    }

    fn token(&self, token: &str) -> Option<u32> {
        if self.lengths & length_bit(token) == 0 {
            return None;
        }
        match self.tokens.get(token) {
            None if token.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                self.tokens.get(token.to_ascii_lowercase().as_str()).copied()
            }
            entry => entry.copied(),
        }
    }
}

fn length_bit(id: &str) -> u64 {
    1 << id.len().min(63)
}

impl Within {
    fn walk(&self, text: &str, start: usize, found: &mut dyn FnMut(Found)) {
        let Ok(mut state) = self.automaton.start_state(Anchored::Yes) else { return };
        for (at, byte) in text.bytes().enumerate().skip(start) {
            state = self.automaton.next_state(Anchored::Yes, state, byte);
            if self.automaton.is_dead(state) {
                return;
            }
            let end = at + 1;
            if !self.automaton.is_match(state) || letter_at(text, end).0 {
                continue;
            }
            for n in 0..self.automaton.match_len(state) {
                let pattern = self.automaton.match_pattern(state, n);
                // The others end here too, but begin later.
                let is_from_start = self.automaton.pattern_len(pattern) == end - start;
                if let Some(entry) = self.entries.get(pattern.as_usize()).filter(|_| is_from_start) {
                    found(Found::Name(*entry, start, end));
                }
            }
        }
    }
}

/// Whether the letter at a place is one of a word, and how many bytes it has; none at the end.
#[inline]
fn letter_at(text: &str, at: usize) -> (bool, usize) {
    match text.as_bytes().get(at).map_or(0, |byte| kind(*byte)) {
        kind if kind & STRANGE == 0 => (kind & (LETTER | DIGIT) != 0, 1),
        _ => wide_letter_at(text, at),
    }
}

#[inline(never)]
fn wide_letter_at(text: &str, at: usize) -> (bool, usize) {
    let letter = text.get(at..).and_then(|rest| rest.chars().next());
    letter.map_or((false, 1), |letter| (letter.is_alphanumeric(), letter.len_utf8()))
}

/// How many bits tell how names begin.
const HEAD_BITS: usize = 1 << 16;

/// Which first bytes names have; a few more seem to be there.
struct Heads(Vec<u64>);

impl Heads {
    fn bit(head: &[u8]) -> usize {
        let word = head.iter().take(WITHIN_CHARS_MIN).fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
        // The upper half of a product with the golden ratio's fraction, as Fibonacci hashing has it.
        (word.wrapping_mul(0x9e37_79b1) >> 16) as usize
    }

    fn insert(&mut self, text: &[u8]) {
        let bit = Heads::bit(text);
        if let Some(word) = self.0.get_mut(bit / 64) {
            *word |= 1 << (bit % 64);
        }
    }

    fn has(&self, head: &[u8]) -> bool {
        let bit = Heads::bit(head);
        self.0.get(bit / 64).is_some_and(|word| word >> (bit % 64) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, wants: &[(u32, &str)]) {
        let mut finder = Finder::default();
        finder
            .add_names(&["Contoso", "Contoso Wien", "(Sub) Co", "Ärzte & Co", "Wien Mitte"], vec![0, 1, 2, 3, 4])
            .unwrap();
        finder.add_token("a1b2c3", 5);
        finder.add_token("12345678-9abc", 6);
        let mut is = Vec::new();
        finder.find(text, &mut |found| match found {
            Found::Name(entry, start, end) => is.push((entry, &text[start..end])),
            Found::Id(entry, start) => is.push((entry, &text[start..])),
        });
        assert_eq!(is, wants, "{text}");
    }

    #[test]
    fn names_are_found_where_a_word_begins_and_one_ends() {
        check("Contoso Wien Mitte", &[(0, "Contoso"), (1, "Contoso Wien"), (4, "Wien Mitte")]);
        check("Contoso, Wien; -Contoso", &[(0, "Contoso"), (0, "Contoso")]);
        check("xContoso, 1Contoso, äContoso, Contosoä, Contosos, Contos", &[]);
        check("a (Sub) Co (Sub) Co. a(Sub) Co", &[(2, "(Sub) Co"), (2, "(Sub) Co")]);
        check("·Ärzte & Co·", &[(3, "Ärzte & Co")]);
    }

    #[test]
    fn ids_are_found_as_tokens_and_as_parts_that_a_hyphen_joins() {
        check("a1b2c3", &[(5, "a1b2c3")]);
        check("{A1B2C3}", &[(5, "A1B2C3}")]);
        check("see -a1b2c3-", &[(5, "-a1b2c3-")]);
        check("x-a1b2c3-y", &[(5, "x-a1b2c3-y")]);
        check("12345678-9ABC-12345678-9abc", &[]);
        check("12345678-9ABC", &[(6, "12345678-9ABC")]);
        check("xa1b2c3 a1b2c3ä äa1b2c3 a1b2 c3", &[]);
    }
}
