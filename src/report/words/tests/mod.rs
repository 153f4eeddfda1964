//! Every sentence is read back word by word and held against the figures it was written from.
//!
//! The readers know the whole grammar: a clause that none of them can check fails the test.

mod cases;
pub(crate) mod course;
pub(crate) mod flows;
pub(crate) mod reading;
pub(crate) mod shares;
mod since;

use proptest::prelude::*;

use super::*;
use crate::base::Growth;

/// A text that is read from its start.
pub(crate) struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Reader<'a> {
        Reader { text, rest: text }
    }

    /// Reads these words if they come next.
    pub(crate) fn eat(&mut self, words: &str) -> bool {
        let rest = self.rest.strip_prefix(words);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Reads these words, which must come next.
    pub(crate) fn expect(&mut self, words: &str) {
        assert!(self.eat(words), "expected `{words}` at `{}` of `{}`", self.rest, self.text);
    }

    /// Reads one of these words and says which.
    pub(crate) fn one_of<T: Copy>(&mut self, words: &[(&str, T)]) -> T {
        let found = words.iter().find(|(word, _)| self.eat(word));
        found.unwrap_or_else(|| panic!("nothing known at `{}` of `{}`", self.rest, self.text)).1
    }

    /// Reads `October 2026`.
    pub(crate) fn month(&mut self) -> Month {
        let (name, rest) = self.rest.split_once(' ').unwrap();
        let year: String = rest.chars().take_while(char::is_ascii_digit).collect();
        self.rest = &rest[year.len()..];
        let months = (1..=12).filter_map(|number| Month::new(year.parse().unwrap(), number));
        months.clone().find(|month| month.name() == name || month.abbreviation() == name).unwrap()
    }

    /// Reads a figure, which must be written as figures are.
    pub(crate) fn number(&mut self) -> Quantity {
        let n = self.rest.find(|letter: char| !letter.is_ascii_digit() && !",.".contains(letter));
        let digits = self.rest[..n.unwrap_or(self.rest.len())].trim_end_matches([',', '.']);
        let number: Quantity =
            digits.parse().unwrap_or_else(|_| panic!("no figure at `{}` of `{}`", self.rest, self.text));
        assert_eq!(number.grouped(), digits, "{}", self.text);
        self.rest = &self.rest[digits.len()..];
        number
    }

    /// Reads a whole number.
    pub(crate) fn count(&mut self) -> usize {
        usize::try_from(self.number().millionths() / 1_000_000).unwrap()
    }

    /// Reads a percentage, and holds it against a ratio with so many decimals.
    pub(crate) fn share(&mut self, part: Quantity, whole: Quantity, decimals: u32) {
        let (of_part, of_whole) = (i128::from(part.millionths()), i128::from(whole.millionths()));
        let (is_below, is_above) = (self.eat("less than "), self.eat("more than "));
        let (text, rest) = self.rest.split_once('%').unwrap_or_else(|| panic!("no share in `{}`", self.text));
        self.rest = rest;
        let (bound, scale) = (text.replace(['.', ','], "").parse::<i128>().unwrap(), 100 * 10_i128.pow(decimals));
        if is_below || is_above {
            assert_eq!(bound, if is_below { 1 } else { scale - 1 }, "{}", self.text);
            let holds = if is_below { of_part * scale < of_whole } else { of_part * scale > of_whole * (scale - 1) };
            assert!(holds && part != Quantity::ZERO && part != whole, "{}", self.text);
            return;
        }
        // Rounding to the nearest moves it by half a step at most.
        assert!((of_part * scale - bound * of_whole).abs() * 2 <= of_whole, "{part} of {whole}: {}", self.text);
        assert_eq!(bound == 0, part == Quantity::ZERO, "{}", self.text);
        assert_eq!(bound == scale, part == whole, "{}", self.text);
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn end(&self) {
        assert!(self.is_at_end(), "`{}` was not read of `{}`", self.rest, self.text);
    }
}

/// The first month of the invented courses.
pub(crate) fn start() -> Month {
    Month::new(2021, 11).unwrap()
}

/// Figures of one kind: few and near one another, so that ties come, or tiny, or huge.
pub(crate) fn figure() -> impl Strategy<Value = Quantity> {
    prop_oneof![
        4 => (0_i64..4).prop_map(Quantity::whole),
        2 => (0_i64..3).prop_map(Quantity::from_millionths),
        2 => (0_i64..2_000_000).prop_map(Quantity::whole),
        2 => (0_i64..5_000_000_000).prop_map(Quantity::from_millionths),
        1 => (4_999_999_990_i64..5_000_000_000).prop_map(Quantity::whole),
    ]
}

/// A figure a month or none.
pub(crate) fn values(n: usize) -> impl Strategy<Value = Vec<Option<Quantity>>> {
    let one = figure();
    prop_oneof![
        6 => prop::collection::vec(prop::option::weighted(0.85, figure()), n),
        2 => (one, prop::collection::vec(prop::bool::weighted(0.9), n))
            .prop_map(|(one, known)| known.into_iter().map(|known| known.then_some(one)).collect()),
        1 => Just(vec![None; n]),
    ]
}

/// The months that are not full: some at the end, seldom others.
pub(crate) fn open(n: usize) -> impl Strategy<Value = Vec<Month>> {
    let tail = prop_oneof![4 => Just(0_usize), 3 => Just(1), 1 => 0..=n];
    (tail, prop::collection::vec(prop::bool::weighted(0.05), n)).prop_map(move |(n_tail, others)| {
        (0..n).filter(|at| at + n_tail >= n || others[*at]).map(|at| start().plus(at as i32)).collect()
    })
}

/// Names that products may have.
pub(crate) const NAMES: [&str; 7] =
    ["Microsoft 365", "Open", "Contoso Inc.", "Backup, 5 TB; yearly 100%", "aPaaS", "Others", "شركة 24"];

/// The text with each name replaced by what a reader can tell: `<0>` for the first.
pub(crate) fn without_names(text: &str) -> String {
    let mut told = text.to_owned();
    for (n, name) in NAMES.iter().enumerate() {
        told = told.replace(name, &format!("<{n}>"));
    }
    told
}
