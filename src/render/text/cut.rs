//! Cutting a font: its program with just the glyphs that a document shows, for the document to carry.

use rustybuzz::Face;
use rustybuzz::ttf_parser::{GlyphId, RawFace, Tag};
use subsetter::{GlyphRemapper, subset_with_variations};

/// A font program with some of a font's glyphs, numbered anew: glyph 0 first, then those asked for, in their order.
pub(crate) struct Program {
    /// A TrueType font without its character map, or bare CFF (ISO 32000-1, 9.9).
    pub(crate) bytes: Vec<u8>,
    pub(crate) is_cff: bool,
}

/// Cuts the font of an index out of a file; none where that cannot be done. A variable font is cut at its default.
pub(super) fn program(file: &[u8], index: u32, glyphs: impl IntoIterator<Item = u16>) -> Option<Program> {
    let mut remapper = GlyphRemapper::new();
    glyphs.into_iter().for_each(|glyph| _ = remapper.remap(glyph));
    let font = subset_with_variations(file, index, &[], &remapper).ok()?;
    let cff = RawFace::parse(&font, 0).ok()?.table(Tag::from_bytes(b"CFF ")).map(<[u8]>::to_vec);
    let is_cff = cff.is_some();
    Some(Program { bytes: cff.unwrap_or(font), is_cff })
}

/// How wide a glyph is by itself, in em.
pub(super) fn advance(face: &Face<'_>, glyph: u16) -> f32 {
    f32::from(face.glyph_hor_advance(GlyphId(glyph)).unwrap_or(0)) / face.units_per_em() as f32
}
