//! The fonts that the binary carries, parsed once, and which of them has a character.

use std::sync::OnceLock;

use rustybuzz::ttf_parser::GlyphId;

use crate::base::Digest;

/// How heavy a text is. Only Inter and Noto Sans come in more than one weight.
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

/// A font, parsed for shaping and for the PDF.
pub(crate) struct Font {
    /// For shaping.
    pub(super) face: rustybuzz::Face<'static>,
    /// For the PDF.
    pub(crate) pdf: krilla::text::Font,
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

static PARSED: [OnceLock<Option<Font>>; 12] = [const { OnceLock::new() }; 12];

/// The digest of the carried fonts, which an edition's manifest names: other fonts make other bytes.
pub(crate) fn digest() -> Digest {
    static DIGEST: OnceLock<Digest> = OnceLock::new();
    *DIGEST.get_or_init(|| Digest::of_parts(FILES.iter().filter(|(_, index)| *index == 0).map(|(bytes, _)| *bytes)))
}

impl FontId {
    /// The font; none if its file is broken, which a test rules out.
    pub(crate) fn font(self) -> Option<&'static Font> {
        let n = self as usize;
        let parse = || {
            let (bytes, index) = FILES[n];
            let face = rustybuzz::Face::from_slice(bytes, index)?;
            let pdf = krilla::text::Font::new(bytes.into(), index)?;
            Some(Font { face, pdf })
        };
        PARSED[n].get_or_init(parse).as_ref()
    }

    /// The glyph of a character, if the font has one.
    pub(super) fn glyph(self, letter: char) -> Option<GlyphId> {
        self.font()?.face.glyph_index(letter).filter(|glyph| glyph.0 != 0)
    }
}

/// Inter in a weight: the font of everything that it has a glyph for.
pub(super) fn inter(weight: Weight) -> FontId {
    match weight {
        Weight::Regular => FontId::InterRegular,
        Weight::SemiBold => FontId::InterSemiBold,
        Weight::Bold => FontId::InterBold,
    }
}

/// The fonts to be tried in turn for a text.
///
/// Chinese, Japanese and Korean share code points and differ in their shapes: a text with kana is Japanese, one
/// with Hangul is Korean, any other is drawn as Chinese.
pub(super) fn chain(weight: Weight, text: &str) -> [FontId; 7] {
    let has = |first: char, last: char| text.chars().any(|letter| (first..=last).contains(&letter));
    let cjk = if has('\u{3040}', '\u{30ff}') {
        FontId::Japanese
    } else if has('\u{1100}', '\u{11ff}') || has('\u{ac00}', '\u{d7af}') {
        FontId::Korean
    } else {
        FontId::Chinese
    };
    let noto = if weight == Weight::Regular { FontId::NotoRegular } else { FontId::NotoBold };
    [inter(weight), noto, FontId::Arabic, FontId::Hebrew, FontId::Devanagari, FontId::Thai, cjk]
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
            assert!(font.glyph(letter).is_some(), "{font:?}");
        }
        for font in [FontId::NotoRegular, FontId::NotoBold] {
            assert!(font.glyph('\u{fffd}').is_some(), "no sign for a missing character");
        }
    }
}
