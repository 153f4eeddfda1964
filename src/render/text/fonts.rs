//! The fonts that the binary carries, parsed once, and which of them and of a theme's own has a character.

use std::sync::OnceLock;

use rustybuzz::ttf_parser::{GlyphId, name_id};

use super::cut::{self, Program};
use super::own::{FontFile, FontSet};
use crate::base::Digest;

/// How heavy a text is. Only the main family and Noto Sans come in more than one weight.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Weight {
    /// For reading.
    Regular,
    /// For labels and first sentences.
    SemiBold,
    /// For large figures and titles.
    Bold,
}

/// One of the carried fonts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum FontId {
    InterRegular,
    InterSemiBold,
    InterBold,
    NotoRegular,
    NotoBold,
    Arabic,
    Hebrew,
    Devanagari,
    Thai,
    Japanese,
    Korean,
    Chinese,
}

static CJK: &[u8] = include_bytes!("../../../fonts/NotoSansCJK-Regular.ttc");

/// The bytes and the index of each font, in the order of [`FontId`]; the three of CJK share one file.
static FILES: [(&[u8], u32); 12] = [
    (include_bytes!("../../../fonts/Inter-Regular.otf"), 0),
    (include_bytes!("../../../fonts/Inter-SemiBold.otf"), 0),
    (include_bytes!("../../../fonts/Inter-Bold.otf"), 0),
    (include_bytes!("../../../fonts/NotoSans-Regular.ttf"), 0),
    (include_bytes!("../../../fonts/NotoSans-Bold.ttf"), 0),
    (include_bytes!("../../../fonts/NotoSansArabic-Regular.ttf"), 0),
    (include_bytes!("../../../fonts/NotoSansHebrew-Regular.ttf"), 0),
    (include_bytes!("../../../fonts/NotoSansDevanagari-Regular.ttf"), 0),
    (include_bytes!("../../../fonts/NotoSansThai-Regular.ttf"), 0),
    (CJK, 0),
    (CJK, 1),
    (CJK, 2),
];

static PARSED: [OnceLock<Option<rustybuzz::Face<'static>>>; 12] = [const { OnceLock::new() }; 12];

/// The longest name of a font that is told on (OpenType, *name*, 6).
const NAME_CHARS_MAX: usize = 63;

/// The font of a run: a carried one or one of the configuration's own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum FontRef {
    Carried(FontId),
    Own(FontFile),
}

/// The digest of the carried fonts.
pub(super) fn digest() -> Digest {
    static DIGEST: OnceLock<Digest> = OnceLock::new();
    *DIGEST.get_or_init(|| Digest::of_parts(FILES.iter().filter(|(_, index)| *index == 0).map(|(bytes, _)| *bytes)))
}

impl FontRef {
    /// The font of our own words in a weight, unless a theme has its own.
    pub(crate) fn main(weight: Weight) -> FontRef {
        FontRef::Carried(inter(weight))
    }

    /// Parsed; none if a carried file is broken, which a test rules out.
    pub(crate) fn face(&self) -> Option<&rustybuzz::Face<'_>> {
        match self {
            FontRef::Carried(id) => id.face(),
            FontRef::Own(file) => Some(file.face()),
        }
    }

    /// Its program with just some of its glyphs; none where they cannot be cut out.
    pub(crate) fn cut(&self, glyphs: impl IntoIterator<Item = u16>) -> Option<Program> {
        let (bytes, index) = match self {
            FontRef::Carried(id) => FILES[*id as usize],
            FontRef::Own(file) => (file.bytes(), 0),
        };
        cut::program(bytes, index, glyphs)
    }

    /// How wide a glyph is by itself, in em.
    pub(crate) fn advance(&self, glyph: u16) -> f32 {
        self.face().map_or(0.0, |face| cut::advance(face, glyph))
    }

    /// Its name for other programs (OpenType, *name*, 6), without what has no place in such a name.
    pub(crate) fn post_script_name(&self) -> String {
        let names = self.face().map(|face| face.names());
        let name = names.and_then(|names| {
            let is_it = |name: &rustybuzz::ttf_parser::name::Name<'_>| name.name_id == name_id::POST_SCRIPT_NAME;
            names.into_iter().filter(is_it).find_map(|name| name.to_string())
        });
        let is_allowed = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '-';
        let name: String = name.unwrap_or_default().chars().filter(is_allowed).take(NAME_CHARS_MAX).collect();
        if name.is_empty() { "Unnamed".to_owned() } else { name }
    }

    /// The glyph of a character, if the font has one.
    pub(super) fn glyph(&self, letter: char) -> Option<GlyphId> {
        self.face()?.glyph_index(letter).filter(|glyph| glyph.0 != 0)
    }
}

impl FontId {
    /// Parsed; none if its file is broken, which a test rules out.
    fn face(self) -> Option<&'static rustybuzz::Face<'static>> {
        let n = self as usize;
        let (bytes, index) = FILES[n];
        PARSED[n].get_or_init(|| rustybuzz::Face::from_slice(bytes, index)).as_ref()
    }
}

/// The main family in a weight, the font of everything that it has a glyph for: Inter, or the set's own.
pub(super) fn main(set: &FontSet, weight: Weight) -> FontRef {
    set.main_of(weight).map_or(FontRef::Carried(inter(weight)), |file| FontRef::Own(file.clone()))
}

fn inter(weight: Weight) -> FontId {
    match weight {
        Weight::Regular => FontId::InterRegular,
        Weight::SemiBold => FontId::InterSemiBold,
        Weight::Bold => FontId::InterBold,
    }
}

/// Noto Sans in a weight: it has the sign for a missing character, Inter has not.
pub(super) fn noto(weight: Weight) -> FontId {
    if weight == Weight::Regular { FontId::NotoRegular } else { FontId::NotoBold }
}

/// The fonts to be tried in turn for a text: the main family, what the binary carries, the set's further ones.
///
/// Chinese, Japanese and Korean share code points and differ in their shapes: a text with kana is Japanese, one
/// with Hangul is Korean, any other is drawn as Chinese.
pub(super) fn chain(set: &FontSet, weight: Weight, text: &str) -> Vec<FontRef> {
    let has = |first: char, last: char| text.chars().any(|letter| (first..=last).contains(&letter));
    let cjk = if has('\u{3040}', '\u{30ff}') {
        FontId::Japanese
    } else if has('\u{1100}', '\u{11ff}') || has('\u{ac00}', '\u{d7af}') {
        FontId::Korean
    } else {
        FontId::Chinese
    };
    let scripts = [FontId::Arabic, FontId::Hebrew, FontId::Devanagari, FontId::Thai, cjk];
    let carried = [inter(weight), noto(weight)].into_iter().chain(scripts).map(FontRef::Carried);
    let own = |file: &FontFile| FontRef::Own(file.clone());
    let main = set.main_of(weight).map(own);
    main.into_iter().chain(carried).chain(set.more().iter().map(own)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_carried_font_parses_and_has_what_it_is_carried_for() {
        for (font, letter) in [
            (FontId::InterRegular, '−'),
            (FontId::InterSemiBold, 'Ж'),
            (FontId::InterBold, 'Ω'),
            (FontId::NotoRegular, 'ἄ'),
            (FontId::NotoBold, 'ἄ'),
            (FontId::Arabic, 'ع'),
            (FontId::Hebrew, 'ש'),
            (FontId::Devanagari, 'क'),
            (FontId::Thai, 'ก'),
            (FontId::Japanese, 'の'),
            (FontId::Korean, '한'),
            (FontId::Chinese, '汉'),
        ] {
            assert!(FontRef::Carried(font).glyph(letter).is_some(), "{font:?}");
        }
        for font in [FontId::NotoRegular, FontId::NotoBold] {
            assert!(FontRef::Carried(font).glyph('\u{fffd}').is_some(), "no sign for a missing character");
        }
    }
}
