//! Reads a PDF back: its pages' text through the fonts' own maps, and where it stands.

mod file;
mod font;
mod hidden;
mod object;
mod string;
mod text;

use super::search::{Looking, Search};
use super::{Expected, ExpectedKpi, said};

use file::File;
use text::Run;

/// A KPI's figure and growth stand at most so far from where its label begins, in points.
const BESIDE_POINTS: (f64, f64, f64) = (-24.0, 120.0, 120.0);

/// A KPI's figure is set larger than its label by this much, which no table's figures are.
const FIGURE_LARGER: f64 = 1.25;

/// Two runs this close in height stand on one line.
const LINE_POINTS: f64 = 1.0;

/// Names longer than this may be shortened in their middle, to at least so many characters at each end.
const SHORTENED_CHARS_MIN: usize = 24;
const SHORTENED_END_CHARS_MIN: usize = 6;

/// What is not as expected; an error when the file cannot be read.
pub(super) fn inspect(expected: &Expected, bytes: &[u8], search: &Search) -> Result<Vec<String>, String> {
    let file = File::open(bytes)?;
    let mut pages: Vec<Page> = Vec::new();
    let mut open = Open { partner: true, period: true, kpis: expected.kpis.iter().collect() };
    let mut looking = Looking::new(search);
    let mut n_pages = 0;
    text::pages(&file, &mut |runs| {
        n_pages += 1;
        looking.runs(runs.iter().map(|run| run.text.as_str()), &|| format!("on page {n_pages}"));
        if !open.is_done() {
            let page = Page::new(runs);
            open.look_through(expected, &page);
            pages.push(page);
        }
        !open.is_done()
    })?;
    let mut findings = Vec::new();
    if open.partner {
        findings.push("expected the partner's name, found no such text".to_owned());
    }
    if open.period {
        findings.push(format!("expected the period `{}`, found no such text", expected.period));
    }
    findings.extend(open.kpis.iter().map(|kpi| wrong_kpi(kpi, &pages)));
    hidden::look_through(&file, &mut looking)?;
    findings.extend(looking.findings);
    Ok(findings)
}

/// What is still looked for.
struct Open<'a> {
    partner: bool,
    period: bool,
    kpis: Vec<&'a ExpectedKpi>,
}

impl Open<'_> {
    fn is_done(&self) -> bool {
        !self.partner && !self.period && self.kpis.is_empty()
    }

    fn look_through(&mut self, expected: &Expected, page: &Page) {
        self.partner = self.partner && !page.has_name(&expected.partner);
        self.period = self.period && page.places(&expected.period).next().is_none();
        self.kpis.retain(|kpi| !page.has_kpi(kpi));
    }
}

/// What is wrong with a KPI that stands on no page as it should.
fn wrong_kpi(kpi: &ExpectedKpi, pages: &[Page]) -> String {
    let (mut found, mut growth) = (Vec::new(), Vec::new());
    for page in pages {
        for label in page.places(&kpi.label).map(|run| &page.runs[run]) {
            for run in page.runs.iter().filter(|run| is_beside(label, run)) {
                let said = said(run.text.trim());
                if run.points >= label.points * FIGURE_LARGER {
                    found.push(said);
                } else if run.text.contains('%') {
                    growth.push(said);
                }
            }
        }
    }
    let wanted = format!("expected `{}` and `{}` beside `{}`", kpi.figure(), kpi.growth.text(), kpi.key);
    if !pages.iter().any(|page| page.places(&kpi.label).next().is_some()) {
        format!("{wanted}, found no such label")
    } else if found.is_empty() && growth.is_empty() {
        format!("{wanted}, found no figure")
    } else {
        found.truncate(2);
        found.extend(growth.into_iter().take(2));
        format!("{wanted}, found {}", found.join(" and "))
    }
}

fn is_beside(label: &Run, run: &Run) -> bool {
    let (left, right, height) = BESIDE_POINTS;
    (left..=right).contains(&(run.x - label.x)) && (run.y - label.y).abs() <= height
}

/// A page's text without blanks: each letter with the run it is of.
struct Page {
    runs: Vec<Run>,
    letters: Vec<(char, usize)>,
}

impl Page {
    fn new(runs: Vec<Run>) -> Page {
        let letters = runs.iter().enumerate().flat_map(|(n, run)| {
            run.text.chars().filter(|letter| !letter.is_whitespace()).map(move |letter| (letter, n))
        });
        let letters = letters.collect();
        Page { runs, letters }
    }

    /// The runs in which a text begins that stands on one line, as a whole: no letter or digit adjoins it.
    fn places<'a>(&'a self, text: &'a str) -> impl Iterator<Item = usize> + 'a {
        let wanted = squeezed(text);
        let n = wanted.len();
        (0..self.letters.len()).filter_map(move |start| {
            let found = self.letters.get(start..start + n)?;
            let run = found.first()?.1;
            let is_text = found.iter().zip(&wanted).all(|((letter, _), wanted)| letter == wanted);
            (is_text && self.is_one_line(found) && !self.adjoins(start, start + n)).then_some(run)
        })
    }

    fn is_one_line(&self, found: &[(char, usize)]) -> bool {
        found.windows(2).all(|pair| (self.runs[pair[0].1].y - self.runs[pair[1].1].y).abs() < LINE_POINTS)
    }

    /// Whether a letter or a part of a number stands right before or after, in the same run.
    fn adjoins(&self, start: usize, end: usize) -> bool {
        let sticks = |letter: char| letter.is_ascii_digit() || matches!(letter, '.' | ',');
        let before = start.checked_sub(1).and_then(|at| self.letters.get(at));
        let after = self.letters.get(end);
        let same = |other: Option<&(char, usize)>, inner: usize| {
            other.is_some_and(|(letter, run)| *run == self.letters[inner].1 && sticks(*letter))
        };
        let is_number = |at: usize| self.letters[at].0.is_ascii_digit();
        (is_number(start) && same(before, start)) || (is_number(end - 1) && same(after, end - 1))
    }

    /// Whether a KPI's label, figure and growth stand together.
    fn has_kpi(&self, kpi: &ExpectedKpi) -> bool {
        let (figure, growth) = (kpi.figure(), kpi.growth.text());
        self.places(&kpi.label).any(|label| {
            let label = &self.runs[label];
            let near = |text| self.places(text).map(|run| &self.runs[run]).filter(|run| is_beside(label, run));
            near(&figure).any(|run| run.points >= label.points * FIGURE_LARGER) && near(&growth).next().is_some()
        })
    }

    /// Whether a name stands here: as it is, shortened in its middle, or, if it is of a script that is set from
    /// right to left or in clusters, all its letters next to each other in any order.
    fn has_name(&self, name: &str) -> bool {
        let wanted = squeezed(name);
        let is_here = |(n, _): (usize, &(char, usize))| {
            self.letters
                .get(n..n + wanted.len())
                .is_some_and(|found| found.iter().zip(&wanted).all(|((letter, _), wanted)| letter == wanted))
        };
        self.letters.iter().enumerate().any(is_here)
            || (wanted.len() >= SHORTENED_CHARS_MIN && self.has_shortened(&wanted))
            || (!name.is_ascii() && self.has_letters(&wanted))
    }

    fn has_shortened(&self, wanted: &[char]) -> bool {
        let ellipses = self.letters.iter().enumerate().filter(|(_, (letter, _))| *letter == '…');
        ellipses.into_iter().any(|(at, _)| {
            let before: Vec<char> = self.letters[..at].iter().map(|(letter, _)| *letter).collect();
            let after: Vec<char> = self.letters[at + 1..].iter().map(|(letter, _)| *letter).collect();
            let ends = SHORTENED_END_CHARS_MIN..wanted.len();
            ends.clone().any(|n| before.ends_with(&wanted[..n]))
                && ends.clone().any(|n| after.starts_with(&wanted[wanted.len() - n..]))
        })
    }

    fn has_letters(&self, wanted: &[char]) -> bool {
        let mut counts = std::collections::HashMap::<char, i64>::new();
        wanted.iter().for_each(|letter| *counts.entry(*letter).or_default() += 1);
        let mut n_open = counts.len();
        for (at, (letter, _)) in self.letters.iter().enumerate() {
            for (letter, step) in
                [(Some(*letter), -1), (at.checked_sub(wanted.len()).map(|out| self.letters[out].0), 1)]
            {
                let Some(count) = letter.and_then(|letter| counts.get_mut(&letter)) else { continue };
                n_open += usize::from(*count == 0);
                *count += step;
                n_open -= usize::from(*count == 0);
            }
            if n_open == 0 {
                return true;
            }
        }
        false
    }
}

fn squeezed(text: &str) -> Vec<char> {
    text.chars().filter(|letter| !letter.is_whitespace()).collect()
}

#[cfg(test)]
mod tests;
