//! Shaping: a line of text → runs of glyphs in visual order.

use std::ops::Range;
use std::sync::OnceLock;

use rustybuzz::ttf_parser::Tag;
use rustybuzz::{Feature, UnicodeBuffer};
use unicode_bidi::{BidiClass, BidiInfo, Level, bidi_class};

use super::fonts::{self, FontRef, Weight};
use super::own::FontSet;
use super::{Direction, cut};
use crate::base::header_text;

/// A shaped line. Lengths are in em: times the size they are in points.
#[derive(Default)]
pub(crate) struct Shaped {
    /// What was shaped: the text that extraction gives back.
    pub(crate) text: Box<str>,
    /// Runs of one font each, from left to right.
    pub(crate) runs: Vec<Run>,
    /// The advance of all runs.
    pub(crate) width: f32,
    /// Whether it is not drawn in the order in which it is written: parts of it run from right to left.
    pub(crate) is_reordered: bool,
    /// How many characters no font has: each is drawn as U+FFFD.
    pub(crate) n_missing: u32,
}

impl std::fmt::Debug for Shaped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} of {} em", self.text, self.width)
    }
}

/// Glyphs of one font.
#[derive(Debug)]
pub(crate) struct Run {
    /// The font.
    pub(crate) font: FontRef,
    /// Its glyphs, from left to right.
    pub(crate) glyphs: Vec<Glyph>,
    /// Their advance.
    pub(crate) width: f32,
}

/// A placed glyph.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Glyph {
    /// Its number in the font.
    pub(crate) id: u16,
    /// The bytes of the cluster that it belongs to; all glyphs of a cluster name the same bytes.
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// How far behind it the next one begins.
    pub(crate) advance: f32,
    /// How far to the right of its place it stands, and how far above.
    pub(crate) x_offset: f32,
    pub(crate) y_offset: f32,
}

/// A piece of text in one font, or one that no font has.
struct Segment {
    bytes: Range<usize>,
    font: FontRef,
    is_missing: bool,
}

pub(super) fn shape(text: &str, weight: Weight, direction: Direction, set: &FontSet) -> Shaped {
    let text = if text.chars().any(is_foreign) { header_text(text) } else { text.to_owned() };
    let text = if text.chars().any(is_private) { text.replace(is_private, "\u{fffd}") } else { text };
    let (mut runs, mut is_reordered, mut n_missing) = (Vec::new(), false, 0);
    if let Some(run) = figures(&text, weight, set) {
        runs.push(run);
    } else {
        let chain = fonts::chain(set, weight, &text);
        for (bytes, is_rtl) in visual_runs(&text, direction) {
            let mut segments = segments(&text, bytes, &chain, weight);
            if is_rtl {
                is_reordered = true;
                segments.reverse();
            }
            for segment in segments {
                for (segment, run) in drawn(&text, segment, is_rtl, weight) {
                    n_missing += missing(&text, &segment);
                    runs.push(run);
                }
            }
        }
    }
    let width = runs.iter().map(|run| run.width).sum();
    Shaped { text: text.into(), runs, width, is_reordered, n_missing }
}

/// The runs of one direction, from left to right as they are seen (UAX 9).
fn visual_runs(text: &str, direction: Direction) -> Vec<(Range<usize>, bool)> {
    // No letter below U+0590 runs from right to left.
    if text.chars().all(|letter| letter < '\u{590}') {
        return vec![(0..text.len(), false)];
    }
    let level = match direction {
        Direction::Ltr => Some(Level::ltr()),
        Direction::Auto => None,
    };
    let info = BidiInfo::new(text, level);
    let mut visual = Vec::new();
    for paragraph in &info.paragraphs {
        let (levels, runs) = info.visual_runs(paragraph, paragraph.range.clone());
        visual.extend(runs.into_iter().map(|run| {
            let is_rtl = levels.get(run.start).is_some_and(|level| level.is_rtl());
            (run, is_rtl)
        }));
    }
    visual
}

/// Cuts a run where the font changes, in the order of the text. Marks stay with their letter, blanks with what
/// stands before them; where no font has a letter and its marks, each stands by itself.
fn segments(text: &str, bytes: Range<usize>, chain: &[FontRef], weight: Weight) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    let mut letters = text[bytes.clone()].char_indices().map(|(at, letter)| (bytes.start + at, letter)).peekable();
    while let Some((start, letter)) = letters.next() {
        let mut end = start + letter.len_utf8();
        while let Some(&(at, next)) = letters.peek() {
            if !is_mark(next) {
                break;
            }
            end = at + next.len_utf8();
            letters.next();
        }
        let cluster = &text[start..end];
        let before =
            segments.last().filter(|segment| !segment.is_missing && letter == ' ').map(|segment| &segment.font);
        match before.into_iter().chain(chain).find(|font| has_all(font, cluster)).cloned() {
            Some(font) => add(&mut segments, start..end, Some(font), weight),
            None => {
                for (at, letter) in cluster.char_indices() {
                    // What no font needs a glyph for goes with what stands before it.
                    let before = segments.last().filter(|_| is_ignorable(letter)).map(|segment| segment.font.clone());
                    let font = || chain.iter().find(|font| font.glyph(letter).is_some()).cloned();
                    add(&mut segments, start + at..start + at + letter.len_utf8(), before.or_else(font), weight);
                }
            }
        }
    }
    segments
}

fn has_all(font: &FontRef, cluster: &str) -> bool {
    cluster.chars().all(|letter| is_ignorable(letter) || font.glyph(letter).is_some())
}

/// Adds what stands in a font, or in none, to the segments.
fn add(segments: &mut Vec<Segment>, bytes: Range<usize>, font: Option<FontRef>, weight: Weight) {
    match (segments.last_mut(), font) {
        (Some(last), Some(font)) if last.font == font && !last.is_missing => last.bytes.end = bytes.end,
        (_, font) => segments.push(Segment {
            bytes,
            is_missing: font.is_none(),
            font: font.unwrap_or(FontRef::Carried(fonts::noto(weight))),
        }),
    }
}

/// Draws a segment. Where its font makes nothing of what it has letters for, it is drawn letter by letter, and such a
/// one replaced.
fn drawn(text: &str, segment: Segment, is_rtl: bool, weight: Weight) -> Vec<(Segment, Run)> {
    let is_whole = |run: &Run| run.glyphs.iter().all(|glyph| glyph.id != 0);
    let whole = run(text, &segment, is_rtl);
    if is_whole(&whole) {
        return vec![(segment, whole)];
    }
    let start = segment.bytes.start;
    let letters = text[segment.bytes.clone()].char_indices().filter(|(_, letter)| !is_mark(*letter));
    let mut starts: Vec<usize> = letters.map(|(at, _)| start + at).filter(|at| *at > start).collect();
    starts.insert(0, start);
    let ends = starts.iter().skip(1).copied().chain([segment.bytes.end]);
    let mut pieces: Vec<(Segment, Run)> = starts
        .iter()
        .zip(ends)
        .map(|(start, end)| {
            let letter = Segment { bytes: *start..end, font: segment.font.clone(), is_missing: false };
            let as_it_is = run(text, &letter, is_rtl);
            if is_whole(&as_it_is) {
                return (letter, as_it_is);
            }
            let letter = Segment { is_missing: true, font: FontRef::Carried(fonts::noto(weight)), ..letter };
            let replaced = run(text, &letter, is_rtl);
            (letter, replaced)
        })
        .collect();
    if is_rtl {
        pieces.reverse();
    }
    pieces
}

/// How many characters of a segment are replaced by the sign for a missing one.
fn missing(text: &str, segment: &Segment) -> u32 {
    let letters = text[segment.bytes.clone()].chars();
    letters.filter(|letter| segment.is_missing || *letter == '\u{fffd}').count() as u32
}

/// What means something in one font only; an archive has no place for it (ISO 19005-3, 6.2.11.7.3).
fn is_private(letter: char) -> bool {
    matches!(letter, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{ffffd}' | '\u{100000}'..='\u{10fffd}')
}

/// What has no place in a line: control characters, line ends, direction overrides.
fn is_foreign(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// What combines with the letter before it.
pub(super) fn is_mark(letter: char) -> bool {
    letter >= '\u{300}' && (bidi_class(letter) == BidiClass::NSM || is_ignorable(letter))
}

/// Joiners, direction marks and variation selectors: no font needs a glyph for them.
fn is_ignorable(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

fn run(text: &str, segment: &Segment, is_rtl: bool) -> Run {
    let font = segment.font.clone();
    let Some(face) = segment.font.face() else {
        return Run { font, glyphs: Vec::new(), width: 0.0 };
    };
    let em = face.units_per_em() as f32;
    let mut glyphs = if segment.is_missing {
        let id = segment.font.glyph('\u{fffd}').unwrap_or_default();
        let advance = cut::advance(face, id.0);
        let (start, end) = (segment.bytes.start as u32, segment.bytes.end as u32);
        vec![Glyph { id: id.0, start, end, advance, x_offset: 0.0, y_offset: 0.0 }]
    } else {
        shaped(&text[segment.bytes.clone()], face, is_rtl, em)
    };
    if !segment.is_missing {
        for glyph in &mut glyphs {
            glyph.start += segment.bytes.start as u32;
            glyph.end += segment.bytes.start as u32;
        }
    }
    let width = glyphs.iter().map(|glyph| glyph.advance).sum();
    Run { font, glyphs, width }
}

/// A glyph's own advance with its kerning in whole thousandths of an em: a PDF writes each in full.
fn advance(face: &rustybuzz::Face<'_>, glyph: u32, shaped: f32, em: f32) -> f32 {
    let own = u16::try_from(glyph).map_or(0.0, |glyph| cut::advance(face, glyph));
    own + ((shaped / em - own) * 1000.0).round() / 1000.0
}

fn shaped(text: &str, face: &rustybuzz::Face<'_>, is_rtl: bool, em: f32) -> Vec<Glyph> {
    let mut buffer = UnicodeBuffer::new();
    buffer.push_str(text);
    // A mark with a glyph of its own keeps its own bytes: extractors get along with that better than with a
    // cluster of several glyphs.
    buffer.set_cluster_level(rustybuzz::BufferClusterLevel::MonotoneCharacters);
    buffer.guess_segment_properties();
    buffer.set_direction(if is_rtl { rustybuzz::Direction::RightToLeft } else { rustybuzz::Direction::LeftToRight });
    let tabular = Feature::new(Tag::from_bytes(b"tnum"), 1, ..);
    let buffer = rustybuzz::shape(face, &[tabular], buffer);
    let infos = buffer.glyph_infos();
    let mut starts: Vec<u32> = infos.iter().map(|info| info.cluster).collect();
    starts.sort_unstable();
    starts.dedup();
    let end_of = |start: u32| {
        let next = starts.partition_point(|other| *other <= start);
        starts.get(next).copied().unwrap_or(text.len() as u32)
    };
    infos
        .iter()
        .zip(buffer.glyph_positions())
        .map(|(info, position)| Glyph {
            id: u16::try_from(info.glyph_id).unwrap_or(0),
            start: info.cluster,
            end: end_of(info.cluster),
            advance: advance(face, info.glyph_id, position.x_advance as f32, em),
            x_offset: position.x_offset as f32 / em,
            y_offset: position.y_offset as f32 / em,
        })
        .collect()
}

const FIGURES: &str = "0123456789,.%+\u{2212}";

/// Glyph and advance of each of [`FIGURES`]; glyph 0 where the font has none.
pub(super) type FigureTable = Vec<(u16, f32)>;

/// Figures without the shaper: most texts of a report are figures, no two alike, and in tabular figures every
/// sign stands by itself. None where the main family lacks one of the signs.
fn figures(text: &str, weight: Weight, set: &FontSet) -> Option<Run> {
    static TABLES: [OnceLock<FigureTable>; 3] = [const { OnceLock::new() }; 3];

    let place = |letter: char| match letter {
        '0'..='9' => Some(letter as usize - '0' as usize),
        ',' => Some(10),
        '.' => Some(11),
        '%' => Some(12),
        '+' => Some(13),
        '\u{2212}' => Some(14),
        _ => None,
    };
    if text.is_empty() || !text.chars().all(|letter| place(letter).is_some()) {
        return None;
    }
    let font = fonts::main(set, weight);
    let face = font.face()?;
    let em = face.units_per_em() as f32;
    let table = set.figures(weight).unwrap_or(&TABLES[weight as usize]).get_or_init(|| {
        let alone = |letter: char| shaped(letter.encode_utf8(&mut [0; 4]), face, false, em);
        FIGURES
            .chars()
            .map(|letter| alone(letter).first().map_or((0, 0.0), |glyph| (glyph.id, glyph.advance)))
            .collect()
    });
    let glyph = |(at, letter): (usize, char)| {
        let (id, advance) = table.get(place(letter)?).copied().filter(|(id, _)| *id != 0)?;
        let (start, end) = (at as u32, (at + letter.len_utf8()) as u32);
        Some(Glyph { id, start, end, advance, x_offset: 0.0, y_offset: 0.0 })
    };
    let glyphs: Vec<Glyph> = text.char_indices().map(glyph).collect::<Option<_>>()?;
    let width = glyphs.iter().map(|glyph| glyph.advance).sum();
    Some(Run { font, glyphs, width })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::text::fonts::FontId;

    fn shape(text: &str, weight: Weight, direction: Direction) -> Shaped {
        super::shape(text, weight, direction, &FontSet::default())
    }

    /// Fonts from left to right, and whether each cluster's bytes are named exactly once.
    fn check(text: &str, direction: Direction, fonts: &[FontId]) {
        let shaped = shape(text, Weight::Regular, direction);
        let fonts: Vec<FontRef> = fonts.iter().copied().map(FontRef::Carried).collect();
        assert_eq!(shaped.runs.iter().map(|run| run.font.clone()).collect::<Vec<_>>(), fonts, "{text}");
        let mut clusters: Vec<(u32, u32)> =
            shaped.runs.iter().flat_map(|run| &run.glyphs).map(|glyph| (glyph.start, glyph.end)).collect();
        clusters.sort_unstable();
        clusters.dedup();
        let joined: String = clusters.iter().map(|(start, end)| &shaped.text[*start as usize..*end as usize]).collect();
        assert_eq!(joined, *shaped.text, "{text}");
        assert!(text.is_empty() || shaped.width > 0.0);
    }

    #[test]
    fn every_script_finds_its_font_and_no_cluster_is_lost_or_doubled() {
        use FontId::*;
        for (text, fonts) in [
            ("Example Distribution", &[InterRegular][..]),
            ("Ελληνικά Кириллица", &[InterRegular]),
            ("שלום עולם", &[Hebrew]),
            ("مرحبا بالعالم", &[Arabic]),
            ("हिन्दी क्षेत्र", &[Devanagari]),
            ("ภาษาไทย น้ำ", &[Thai]),
            ("東京の会社", &[Japanese]),
            ("한국어 회사", &[Korean]),
            ("北京公司", &[Chinese]),
            ("東京, JP", &[Chinese, InterRegular]),
            ("e\u{301}\u{323}", &[InterRegular]),
            ("", &[]),
            ("1,234.50", &[InterRegular]),
            ("<r>x</r>", &[InterRegular]),
            ("a\u{10fffd}b", &[InterRegular, NotoRegular, InterRegular]),
        ] {
            check(text, Direction::Ltr, fonts);
        }
    }

    #[test]
    fn a_name_runs_as_its_first_letter_says_and_a_sentence_from_left_to_right() {
        use FontId::*;
        check("שלום Contoso", Direction::Auto, &[InterRegular, Hebrew]);
        check("שלום Contoso", Direction::Ltr, &[Hebrew, InterRegular]);
    }

    #[test]
    fn what_no_font_has_is_counted_and_what_is_private_is_not_kept() {
        let of = |text| {
            let shaped = shape(text, Weight::Regular, Direction::Auto);
            (shaped.text.to_string(), shaped.n_missing, shaped.is_reordered)
        };
        assert_eq!(of("Contoso"), ("Contoso".to_owned(), 0, false));
        assert_eq!(of("\u{13000}\u{13001} Ltd"), ("\u{13000}\u{13001} Ltd".to_owned(), 2, false));
        assert_eq!(of("a\u{e001}b\u{10fffd}"), ("a\u{fffd}b\u{fffd}".to_owned(), 2, false));
        assert_eq!(of("(שלום)"), ("(שלום)".to_owned(), 0, true));
    }

    #[test]
    fn a_mark_that_no_font_has_together_with_its_letter_stands_by_itself() {
        for (text, n_missing) in [
            ("x\u{1ab0}y", 0),
            ("ا\u{1ab0}", 0),
            ("क\u{301}", 0),
            ("a\u{20e0}", 1),
            ("ก\u{5b0}", 0),
            ("1\u{fe0f}\u{20e3}", 1),
        ] {
            let shaped = shape(text, Weight::Regular, Direction::Auto);
            let glyphs = || shaped.runs.iter().flat_map(|run| &run.glyphs);
            assert!(glyphs().all(|glyph| glyph.id != 0), "{text}: {:?}", shaped.runs);
            assert_eq!(shaped.n_missing, n_missing, "{text}");
        }
    }

    #[test]
    fn what_a_font_makes_nothing_of_is_replaced_letter_by_letter() {
        let text = "xe\u{301}東y";
        for (is_rtl, wants) in [(false, [0..4, 4..7, 7..8]), (true, [7..8, 4..7, 0..4])] {
            let font = FontRef::Carried(FontId::InterRegular);
            let pieces = drawn(text, Segment { bytes: 0..8, font, is_missing: false }, is_rtl, Weight::Regular);
            let mut joined: Vec<(Range<usize>, bool)> = Vec::new();
            for (segment, run) in &pieces {
                assert!(run.glyphs.iter().all(|glyph| glyph.id != 0));
                match joined.last_mut() {
                    Some((bytes, false)) if !segment.is_missing => {
                        *bytes = bytes.start.min(segment.bytes.start)..bytes.end.max(segment.bytes.end);
                    }
                    _ => joined.push((segment.bytes.clone(), segment.is_missing)),
                }
            }
            assert_eq!(joined, [(wants[0].clone(), false), (wants[1].clone(), true), (wants[2].clone(), false)]);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_drawn_with_the_sign_of_a_missing_glyph(text in ".{0,12}") {
            let shaped = shape(&text, Weight::Regular, Direction::Auto);
            proptest::prop_assert!(shaped.runs.iter().flat_map(|run| &run.glyphs).all(|glyph| glyph.id != 0));
        }
    }

    #[test]
    fn figures_are_tabular_and_control_characters_become_blanks() {
        let width = |text| shape(text, Weight::Bold, Direction::Ltr).width;
        assert!((width("1111") - width("8888")).abs() < 1e-6);
        assert!((width("1111 a") - width("8888 a")).abs() < 1e-6);
        assert_eq!(&*shape("a\u{0}b\nc\u{202e}d", Weight::Regular, Direction::Ltr).text, "a b c d");
    }
}
