//! Breaking texts into lines, and shortening names to a width.

use std::sync::Arc;

use super::shape::is_mark;
use super::{Direction, FontSet, Shaped, Weight, shape};
use crate::base::short_name;
use crate::render::Colour;

/// How a text looks.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Style<'t> {
    /// How heavy it is.
    pub(crate) weight: Weight,
    /// Its size in points.
    pub(crate) size: f32,
    /// Its colour.
    pub(crate) colour: Colour,
    /// What it is set in.
    pub(crate) fonts: &'t FontSet,
}

impl Style<'_> {
    /// Shapes one line of text.
    pub(crate) fn shape(self, text: &str, direction: Direction) -> Arc<Shaped> {
        shape(text, self.weight, direction, self.fonts)
    }

    /// The width of a line of our own words in this style, in points.
    pub(crate) fn width(self, text: &str) -> f32 {
        self.shape(text, Direction::Ltr).width * self.size
    }
}

/// A stretch of a paragraph in one style.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span<'a> {
    pub(crate) text: &'a str,
    pub(crate) style: Style<'a>,
}

/// A line of a paragraph: its parts, each with where it begins, its size and its colour.
///
/// A blank at which the paragraph was broken stands at the line's end: it is not seen, and words do not run into each
/// other when the text is read or copied.
#[derive(Debug, Default)]
pub(crate) struct Line {
    pub(crate) parts: Vec<(f32, Arc<Shaped>, f32, Colour)>,
    /// How wide it is without such a blank, in points.
    pub(crate) width: f32,
}

/// The least that stays together: a word, or one ideograph.
struct Unit<'a> {
    text: &'a str,
    style: Style<'a>,
    follows_blank: bool,
}

/// Breaks a paragraph into lines no wider than `width` points: between words and ideographs, and inside a word
/// only if the word alone is too wide.
pub(crate) fn wrap(spans: &[Span<'_>], width: f32) -> Vec<Line> {
    let mut lines = vec![LineBuilder::default()];
    for unit in units(spans) {
        let unit_width = unit.style.width(unit.text);
        let blank = if unit.follows_blank { unit.style.width(" ") } else { 0.0 };
        let Some(line) = lines.last_mut() else { continue };
        if line.is_empty() || line.width + blank + unit_width <= width {
            let blank = if line.is_empty() { 0.0 } else { blank };
            if unit_width <= width {
                line.push(&unit, blank, unit_width);
                continue;
            }
        }
        if !line.is_empty() {
            line.ends_at_blank = unit.follows_blank;
            lines.push(LineBuilder::default());
        }
        let mut rest = unit.text;
        while unit.style.width(rest) > width {
            let (head, tail) = rest.split_at(prefix_that_fits(rest, unit.style, width));
            if let Some(line) = lines.last_mut() {
                line.push(&Unit { text: head, ..unit }, 0.0, unit.style.width(head));
            }
            lines.push(LineBuilder::default());
            rest = tail;
        }
        if let Some(line) = lines.last_mut().filter(|_| !rest.is_empty()) {
            line.push(&Unit { text: rest, ..unit }, 0.0, unit.style.width(rest));
        }
    }
    lines.into_iter().filter(|line| !line.is_empty()).map(LineBuilder::line).collect()
}

#[derive(Default)]
struct LineBuilder<'t> {
    parts: Vec<(f32, String, Style<'t>)>,
    width: f32,
    ends_at_blank: bool,
}

impl<'t> LineBuilder<'t> {
    fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    fn push(&mut self, unit: &Unit<'t>, blank: f32, width: f32) {
        match self.parts.last_mut() {
            Some((_, text, style)) if *style == unit.style => {
                if blank > 0.0 {
                    text.push(' ');
                }
                text.push_str(unit.text);
            }
            // The blank goes with the part before it, so that extraction finds it.
            Some((_, text, _)) => {
                if blank > 0.0 {
                    text.push(' ');
                }
                self.parts.push((self.width + blank, unit.text.to_owned(), unit.style));
            }
            None => self.parts.push((0.0, unit.text.to_owned(), unit.style)),
        }
        self.width += blank + width;
    }

    fn line(mut self) -> Line {
        if let Some((_, text, _)) = self.parts.last_mut().filter(|_| self.ends_at_blank) {
            text.push(' ');
        }
        let shaped = |(x, text, style): (f32, String, Style<'t>)| {
            (x, style.shape(&text, Direction::Ltr), style.size, style.colour)
        };
        Line { parts: self.parts.into_iter().map(shaped).collect(), width: self.width }
    }
}

fn units<'a>(spans: &[Span<'a>]) -> Vec<Unit<'a>> {
    let mut units = Vec::new();
    let mut follows_blank = false;
    for span in spans {
        let mut start = 0;
        let mut before: Option<char> = None;
        let mut cut = |start: usize, end: usize, follows_blank: &mut bool| {
            if start < end {
                units.push(Unit { text: &span.text[start..end], style: span.style, follows_blank: *follows_blank });
                *follows_blank = false;
            }
        };
        for (at, letter) in span.text.char_indices() {
            // U+00A0 and U+202F are blanks that do not break.
            let is_blank = letter.is_whitespace() && !matches!(letter, '\u{a0}' | '\u{202f}');
            if is_blank {
                cut(start, at, &mut follows_blank);
                start = at + letter.len_utf8();
                follows_blank = true;
                before = None;
                continue;
            }
            let breaks = before.is_some_and(|before| breaks_between(before, letter));
            if breaks {
                cut(start, at, &mut follows_blank);
                start = at;
            }
            before = Some(letter);
        }
        cut(start, span.text.len(), &mut follows_blank);
    }
    units
}

/// Whether a line may break between two letters that no blank divides: beside an ideograph, not before a mark or
/// a closing sign.
fn breaks_between(before: char, letter: char) -> bool {
    let is_ideograph = |letter: char| matches!(letter, '\u{2e80}'..='\u{2fff}' | '\u{3040}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}');
    (is_ideograph(before) || is_ideograph(letter))
        && !is_mark(letter)
        && !matches!(letter, '、' | '。' | '，' | '）' | '」' | ',' | '.' | ')' | ';' | ':' | 'ー')
        && !matches!(before, '（' | '「' | '(')
}

/// How many bytes of a word fit, never none, never cutting a mark from its letter.
fn prefix_that_fits(word: &str, style: Style<'_>, width: f32) -> usize {
    let ends: Vec<usize> =
        word.char_indices().skip(1).filter(|(_, letter)| !is_mark(*letter)).map(|(at, _)| at).collect();
    let n = ends.partition_point(|end| style.width(&word[..*end]) <= width);
    ends.get(n.saturating_sub(1)).copied().unwrap_or(word.len())
}

/// A name in one line, shortened in its middle until it is no wider than `width` points; where not even three
/// letters have room, a mark that something stands here, or nothing.
pub(crate) fn fit(text: &str, style: Style<'_>, direction: Direction, width: f32) -> Arc<Shaped> {
    let whole = style.shape(text, direction);
    if whole.width * style.size <= width {
        return whole;
    }
    let short = |chars: usize| style.shape(&short_name(&whole.text, chars), direction);
    let (mut fits, mut fails) = (3, whole.text.chars().count());
    while fits + 1 < fails {
        let middle = (fits + fails) / 2;
        if short(middle).width * style.size <= width { fits = middle } else { fails = middle }
    }
    [short(fits), style.shape("…", direction)]
        .into_iter()
        .find(|short| short.width * style.size <= width)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(fonts: &FontSet) -> Style<'_> {
        Style { weight: Weight::Regular, size: 10.0, colour: Colour(0, 0, 0), fonts }
    }

    fn lines(text: &str, width: f32) -> Vec<String> {
        let fonts = FontSet::default();
        let lines = wrap(&[Span { text, style: style(&fonts) }], width);
        for line in &lines {
            let end =
                |(x, shaped, ..): &(f32, Arc<Shaped>, f32, Colour)| x + style(&fonts).width(shaped.text.trim_end());
            let end = line.parts.iter().map(end).fold(0.0, f32::max);
            assert!(end <= width + 0.5 && (end - line.width).abs() < 0.1, "{end} of {width}: {line:?}");
        }
        lines.iter().map(|line| line.parts.iter().map(|(_, shaped, ..)| &*shaped.text).collect()).collect()
    }

    #[test]
    fn no_line_is_wider_than_its_column_and_no_letter_is_lost() {
        let word = "Donaudampfschifffahrtsgesellschaft".repeat(6);
        for text in
            ["a b c", "Licenses grew by 7.74% to 173,682", &word, "日本語の長い名前がここにあります。", "", "  "]
        {
            for width in [30.0, 80.0, 400.0] {
                let squeezed = |text: &str| text.split_whitespace().collect::<String>();
                assert_eq!(squeezed(&lines(text, width).join("")), squeezed(text), "{text} in {width}");
            }
        }
        assert_eq!(lines("one two", 1000.0), ["one two"]);
        // What is read or copied has its blanks where the lines break, and none where no blank was.
        assert_eq!(lines("one two", 20.0), ["one ", "two"]);
        assert_eq!(lines("東京", 12.0), ["東", "京"]);
    }

    #[test]
    fn names_are_shortened_in_their_middle_until_they_fit() {
        let name = format!("Start {} End", "x".repeat(200));
        let fonts = FontSet::default();
        let style = style(&fonts);
        let short = fit(&name, style, Direction::Auto, 80.0);
        assert!(short.width * style.size <= 80.0);
        assert!(short.text.starts_with("Start") && short.text.ends_with("End") && short.text.contains('…'));
        assert_eq!(&*fit("Kort", style, Direction::Auto, 80.0).text, "Kort");
    }
}
