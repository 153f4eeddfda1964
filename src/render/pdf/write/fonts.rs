//! The fonts of a document: which of their glyphs it shows, and how they are written (ISO 32000-1, 9.7).
//!
//! What is set in a carried main font is nearly always Latin: those glyphs are cut out of it once for all documents. A
//! document's other glyphs, of this font and of all others, are cut out for it alone, as a font of their own.

use std::fmt;
use std::sync::OnceLock;

use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Name, Rect, Ref, Str};

use super::WriteError;
use super::objects::{Deflater, Objects};
use crate::base::Digest;
use crate::render::text::{Direction, FontRef, FontSet, Program, Shaped, Weight, shape};

const SYSTEM_INFO: SystemInfo = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

/// What every report is nearly made of: the letters of ASCII and Western Europe, and the signs of our own words.
const LATIN: &str = concat!(
    " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_abcdefghijklmnopqrstuvwxyz|",
    "ÄÅÇÉÖØÜßàáâãäåæçèéêëíîïñóôõöøùúü·–—‘’“”…−€",
);

/// How tightly that is packed, once: of libdeflate's levels, the best.
const LEVEL: i32 = 12;

/// A glyph that a document may show.
struct Known {
    glyph: u16,
    /// Its own advance, in em.
    advance: f32,
    /// What it is read as.
    says: Box<str>,
}

/// Glyphs of a font, numbered anew from 1.
#[derive(Default)]
struct Glyphs {
    /// The new number of each glyph; 0 for those that are not among them.
    numbers: Vec<u16>,
    known: Vec<Known>,
}

impl Glyphs {
    fn find(&self, glyph: u16) -> Option<(u16, &Known)> {
        let number = self.numbers.get(usize::from(glyph)).copied().filter(|number| *number > 0)?;
        self.known.get(usize::from(number) - 1).map(|known| (number, known))
    }

    /// Adds all of a font that a text is drawn with, a glyph a letter.
    fn add_all(&mut self, font: &FontRef, shaped: &Shaped) {
        for glyph in shaped.runs.iter().filter(|run| run.font == *font).flat_map(|run| &run.glyphs) {
            let says = || shaped.text.get(glyph.start as usize..glyph.end as usize).unwrap_or_default().into();
            self.find_or_add(glyph.id, || Known { glyph: glyph.id, advance: font.advance(glyph.id), says: says() });
        }
    }

    fn find_or_add(&mut self, glyph: u16, known: impl FnOnce() -> Known) -> (u16, &Known) {
        let at = usize::from(glyph);
        if self.numbers.len() <= at {
            self.numbers.resize(at + 1, 0);
        }
        if self.numbers[at] == 0 {
            self.known.push(known());
            self.numbers[at] = self.known.len() as u16;
        }
        let number = self.numbers[at];
        (number, &self.known[usize::from(number) - 1])
    }
}

/// Glyphs and the program that draws them, ready to be written.
struct Cut {
    glyphs: Glyphs,
    name: String,
    /// Deflated.
    program: Vec<u8>,
    n_program_bytes: usize,
    is_cff: bool,
    /// What the glyphs are read as, deflated.
    to_unicode: Vec<u8>,
}

/// The glyphs of [`LATIN`] in a carried main font; none for all other fonts.
fn latin(font: &FontRef) -> Option<&'static Cut> {
    static CUTS: [OnceLock<Option<Cut>>; 3] = [const { OnceLock::new() }; 3];
    let weights = [Weight::Regular, Weight::SemiBold, Weight::Bold];
    let n = weights.iter().position(|weight| *font == FontRef::main(*weight))?;
    let cut = || {
        let mut glyphs = Glyphs::default();
        for letter in LATIN.chars() {
            // Signs stand higher beside capitals and figures.
            let is_sign = !letter.is_alphanumeric();
            let amid = ["H", "1"].into_iter().filter(|_| is_sign).map(|beside| format!("{beside}{letter}{beside}"));
            for text in std::iter::once(letter.to_string()).chain(amid) {
                glyphs.add_all(font, &shape(&text, weights[n], Direction::Ltr, &FontSet::default()));
            }
        }
        Cut::new(font, glyphs, &mut Deflater::new(LEVEL)).ok()
    };
    CUTS[n].get_or_init(cut).as_ref()
}

/// The name of a font in a page's resources.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place(usize);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "F{}", self.0)
    }
}

/// A font that a document uses.
struct Face {
    font: FontRef,
    latin: Option<&'static Cut>,
    is_latin_used: bool,
    /// What is cut for this document.
    own: Glyphs,
}

/// A glyph as it is shown.
pub(super) struct Shown {
    pub(super) place: Place,
    /// Its code.
    pub(super) number: u16,
    /// Its own advance, in em.
    pub(super) advance: f32,
    /// Whether it is read as what it stands for here.
    pub(super) is_read_so: bool,
}

impl Shown {
    fn of(place: Place, number: u16, known: &Known, says: &str) -> Shown {
        Shown { place, number, advance: known.advance, is_read_so: *known.says == *says }
    }
}

/// All fonts of a document.
#[derive(Default)]
pub(in crate::render::pdf) struct Fonts {
    faces: Vec<Face>,
    /// Whether glyph 0 was asked for, the sign for a missing one: an archive does not take it.
    lacks_glyph: bool,
}

impl Fonts {
    /// The index of a font.
    pub(super) fn face(&mut self, font: &FontRef) -> usize {
        self.faces.iter().position(|face| face.font == *font).unwrap_or_else(|| {
            let (font, latin) = (font.clone(), latin(font));
            self.faces.push(Face { font, latin, is_latin_used: false, own: Glyphs::default() });
            self.faces.len() - 1
        })
    }

    /// How to show a glyph of a font that stands for `says`.
    pub(super) fn show(&mut self, face: usize, glyph: u16, says: &str) -> Shown {
        self.lacks_glyph |= glyph == 0;
        let at = &mut self.faces[face];
        if let Some((number, known)) = at.latin.and_then(|cut| cut.glyphs.find(glyph)) {
            at.is_latin_used = true;
            return Shown::of(Place(2 * face), number, known, says);
        }
        let font = &at.font;
        let known = || Known { glyph, advance: font.advance(glyph), says: says.into() };
        let (number, known) = at.own.find_or_add(glyph, known);
        Shown::of(Place(2 * face + 1), number, known, says)
    }

    /// Writes all fonts; says by which name each is known.
    ///
    /// # Errors
    /// When a font's glyphs cannot be cut out of it, or a letter has none.
    pub(super) fn write(self, objects: &mut Objects) -> Result<Vec<(Place, Ref)>, WriteError> {
        if self.lacks_glyph {
            return Err(WriteError::NoGlyph);
        }
        let mut written = Vec::new();
        for (n, face) in self.faces.into_iter().enumerate() {
            if let Some(cut) = face.latin.filter(|_| face.is_latin_used) {
                written.push((Place(2 * n), cut.write(&face.font, objects)?));
            }
            if !face.own.known.is_empty() {
                let cut = Cut::new(&face.font, face.own, objects.deflater())?;
                written.push((Place(2 * n + 1), cut.write(&face.font, objects)?));
            }
        }
        Ok(written)
    }
}

impl Cut {
    fn new(font: &FontRef, glyphs: Glyphs, deflater: &mut Deflater) -> Result<Cut, WriteError> {
        let ids = glyphs.known.iter().map(|known| known.glyph);
        let Program { bytes, is_cff } = font.cut(ids).ok_or(WriteError::Font)?;
        let mut says = UnicodeCmap::<u16>::new(Name(b"Custom"), SYSTEM_INFO);
        for (n, known) in glyphs.known.iter().enumerate() {
            says.pair_with_multiple(n as u16 + 1, known.says.chars());
        }
        // The same font with other glyphs has another name (9.6.4).
        let digest = Digest::of(&bytes);
        let tag: String = digest.as_bytes().iter().take(6).map(|byte| char::from(b'A' + byte % 26)).collect();
        Ok(Cut {
            name: format!("{tag}+{}", font.post_script_name()),
            program: deflater.all(&bytes),
            n_program_bytes: bytes.len(),
            is_cff,
            to_unicode: deflater.all(&says.finish()),
            glyphs,
        })
    }

    /// Writes the font's objects; gives the number of the first.
    fn write(&self, font: &FontRef, objects: &mut Objects) -> Result<Ref, WriteError> {
        let [whole, cid, descriptor, program, to_unicode] = std::array::from_fn(|_| objects.reserve());
        objects.deflated(to_unicode, &self.to_unicode, |_| {});
        objects.deflated(program, &self.program, |stream| {
            if self.is_cff {
                stream.pair(Name(b"Subtype"), Name(b"CIDFontType0C"));
            } else {
                stream.pair(Name(b"Length1"), self.n_program_bytes as i32);
            }
        });
        let base_font = if self.is_cff { format!("{}-Identity-H", self.name) } else { self.name.clone() };
        objects
            .packed(whole)
            .type0_font(whole)
            .base_font(Name(base_font.as_bytes()))
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(cid)
            .to_unicode(to_unicode);

        let mut font_of_cids = objects.packed(cid).cid_font(cid);
        font_of_cids
            .subtype(if self.is_cff { CidFontType::Type0 } else { CidFontType::Type2 })
            .base_font(Name(self.name.as_bytes()))
            .system_info(SYSTEM_INFO)
            .font_descriptor(descriptor)
            .default_width(0.0);
        if !self.is_cff {
            font_of_cids.cid_to_gid_map_predefined(Name(b"Identity"));
        }
        let widths = self.glyphs.known.iter().map(|known| known.advance * 1000.0);
        font_of_cids.widths().consecutive(0, std::iter::once(font.advance(0) * 1000.0).chain(widths));
        drop(font_of_cids);
        self.describe(font, descriptor, program, objects).ok_or(WriteError::Font)?;
        Ok(whole)
    }

    /// The font's descriptor (9.8), in thousandths of an em.
    fn describe(&self, font: &FontRef, id: Ref, program: Ref, objects: &mut Objects) -> Option<()> {
        let face = font.face()?;
        let em = face.units_per_em() as f32;
        let part = |units: i16| f32::from(units) / em * 1000.0;
        let bounds = face.global_bounding_box();
        let mut flags = FontFlags::SYMBOLIC;
        flags.set(FontFlags::FIXED_PITCH, face.is_monospaced());
        flags.set(FontFlags::ITALIC, face.is_italic());
        let mut descriptor = objects.packed(id).font_descriptor(id);
        descriptor
            .name(Name(self.name.as_bytes()))
            .flags(flags)
            .bbox(Rect::new(part(bounds.x_min), part(bounds.y_min), part(bounds.x_max), part(bounds.y_max)))
            .italic_angle(face.italic_angle())
            .ascent(part(face.ascender()))
            .descent(part(face.descender()))
            .cap_height(part(face.capital_height().unwrap_or(face.ascender())))
            // As other writers reckon it: no font says how thick its stems are.
            .stem_v(10.0 + 0.244 * (f32::from(face.weight().to_number()) - 50.0));
        if self.is_cff {
            descriptor.font_file3(program);
        } else {
            descriptor.font_file2(program);
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use rustybuzz::ttf_parser::{GlyphId, OutlineBuilder};

    use super::*;

    /// How many segments a glyph is drawn with.
    #[derive(Default)]
    struct Segments(usize);

    impl OutlineBuilder for Segments {
        fn move_to(&mut self, _: f32, _: f32) {
            self.0 += 1;
        }
        fn line_to(&mut self, _: f32, _: f32) {
            self.0 += 1;
        }
        fn quad_to(&mut self, _: f32, _: f32, _: f32, _: f32) {
            self.0 += 1;
        }
        fn curve_to(&mut self, _: f32, _: f32, _: f32, _: f32, _: f32, _: f32) {
            self.0 += 1;
        }
        fn close(&mut self) {}
    }

    #[test]
    fn the_letters_of_reports_are_cut_once_and_are_drawn_as_in_the_whole_font() {
        for weight in [Weight::Regular, Weight::SemiBold, Weight::Bold] {
            let font = FontRef::main(weight);
            let cut = latin(&font).unwrap();
            let letters: Vec<char> = cut.glyphs.known.iter().flat_map(|known| known.says.chars()).collect();
            assert!(LATIN.chars().all(|letter| letters.contains(&letter)), "{weight:?}");
            assert!(std::ptr::eq(latin(&font).unwrap(), cut));

            let program = font.cut(cut.glyphs.known.iter().map(|known| known.glyph)).unwrap();
            let small = rustybuzz::ttf_parser::cff::Table::parse(&program.bytes).unwrap();
            for (n, known) in cut.glyphs.known.iter().enumerate() {
                let (mut whole, mut part) = (Segments::default(), Segments::default());
                font.face().unwrap().outline_glyph(GlyphId(known.glyph), &mut whole);
                _ = small.outline(GlyphId(n as u16 + 1), &mut part);
                assert_eq!(whole.0, part.0, "{}", known.says);
            }
        }
        assert!(latin(&FontRef::main(Weight::Bold)).unwrap().name.ends_with("+Inter-Bold"));
    }

    #[test]
    fn other_glyphs_are_cut_for_their_document() {
        let mut fonts = Fonts::default();
        let mut shown = |text: &str| -> Vec<String> {
            let shaped = shape(text, Weight::Regular, Direction::Auto, &FontSet::default());
            let all = shaped.runs.iter().flat_map(|run| {
                let face = fonts.face(&run.font);
                let says = |start: u32, end: u32| &shaped.text[start as usize..end as usize];
                let show =
                    |glyph: &crate::render::text::Glyph| fonts.show(face, glyph.id, says(glyph.start, glyph.end));
                run.glyphs.iter().map(show).map(|shown| shown.place.to_string()).collect::<Vec<_>>()
            });
            all.collect()
        };
        assert_eq!(shown("Zü"), ["F0", "F0"]);
        assert!(shown("A (B), Office 365 E3 + 1–2 = 3-4; 78%").iter().all(|place| place == "F0"));
        assert_eq!(shown("Łó"), ["F1", "F0"]);
        assert_eq!(shown("東"), ["F3"]);
        let mut objects = Objects::new();
        let written: Vec<String> =
            fonts.write(&mut objects).unwrap().iter().map(|(place, _)| place.to_string()).collect();
        assert_eq!(written, ["F0", "F1", "F3"]);
    }

    #[test]
    fn the_sign_for_a_missing_glyph_is_written_nowhere() {
        let mut fonts = Fonts::default();
        let face = fonts.face(&FontRef::main(Weight::Regular));
        fonts.show(face, 0, "x");
        assert!(matches!(fonts.write(&mut Objects::new()), Err(WriteError::NoGlyph)));
    }
}
