//! Fonts of the configuration's own: what a font file must be, and the fonts that a theme is set in.
//!
//! A font keeps its bytes and is parsed once, when the configuration is read; what is shaped with it shares it.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustybuzz::Face;
use rustybuzz::ttf_parser::{Permissions, Tag};
use serde::{Serialize, Serializer};
use yoke::{Yoke, Yokeable};

use super::cut;
use super::fonts::{self, Weight};
use super::shape::FigureTable;
use crate::base::Digest;

/// The largest font file that is taken: 24 MiB, enough for one with all of Chinese, Japanese and Korean.
pub const FONT_BYTES_MAX: u64 = 24 << 20;

/// The tables of coloured glyphs (OpenType, *Tables related to color fonts*; AAT).
const COLOUR_TABLES: [&str; 4] = ["COLR", "CBDT", "sbix", "SVG "];

/// How many glyphs are tried when a font is read.
const N_GLYPHS_TRIED: u16 = 256;

/// A face that borrows its bytes.
#[derive(Yokeable)]
struct Parsed<'a>(Face<'a>);

struct Own {
    face: Yoke<Parsed<'static>, Arc<[u8]>>,
    digest: Digest,
}

/// A font file of the configuration's own, parsed and known to be usable in a PDF. Cheap to clone.
#[derive(Clone)]
pub struct FontFile(Arc<Own>);

/// Why a file is no font that a PDF can be set in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FontError {
    /// A font packed for the web.
    #[error("is a web font (WOFF)")]
    Woff,
    /// No font at all, or a broken one.
    #[error("is not a TrueType or OpenType font, or is broken")]
    Unreadable,
    /// Its maker forbids that it is embedded, or embedded in part (OpenType, OS/2 `fsType`).
    #[error("may not be embedded: its `fsType` says {0}")]
    Forbidden(&'static str),
    /// Its glyphs are pictures in colours of their own, of which a PDF would show at most the outlines.
    #[error("is a font of coloured glyphs (`{0}`)")]
    Coloured(&'static str),
    /// It is read, and cannot be embedded.
    #[error("cannot be embedded in a PDF")]
    NotEmbeddable,
}

impl FontError {
    /// What to do about it.
    pub fn hint(self) -> &'static str {
        match self {
            FontError::Woff => "take the font's `.ttf` or `.otf` file",
            FontError::Unreadable => "a `.ttf` or `.otf` file, as its maker delivers it",
            FontError::Forbidden(_) => {
                "take a font whose licence lets PDFs carry it, as the SIL Open Font License does"
            }
            FontError::Coloured(_) => "take a font of plain glyphs, as Noto Emoji is",
            FontError::NotEmbeddable => "take another file of the font, or save it again with a font editor",
        }
    }
}

impl FontFile {
    /// Parses a font file; of a collection its first font, of a variable font its default weight.
    ///
    /// # Errors
    /// When it is no font, must not be embedded, or cannot be.
    pub fn new(bytes: Vec<u8>) -> Result<FontFile, FontError> {
        if bytes.starts_with(b"wOFF") || bytes.starts_with(b"wOF2") {
            return Err(FontError::Woff);
        }
        if !is_whole(&bytes) {
            return Err(FontError::Unreadable);
        }
        let digest = Digest::of(&bytes);
        let face = Yoke::<Parsed<'static>, Arc<[u8]>>::try_attach_to_cart(Arc::from(bytes), |bytes| {
            Face::from_slice(bytes, 0).map(Parsed).ok_or(FontError::Unreadable)
        })?;
        let file = FontFile(Arc::new(Own { face, digest }));
        let tables = file.face().tables();
        if tables.cmap.is_none() || (tables.glyf.is_none() && tables.cff.is_none() && tables.cff2.is_none()) {
            return Err(FontError::Unreadable);
        }
        let has = |table: &&&str| file.face().raw_face().table(Tag::from_bytes_lossy(table.as_bytes())).is_some();
        if let Some(table) = COLOUR_TABLES.iter().find(has) {
            return Err(FontError::Coloured(table.trim()));
        }
        file.may_be_embedded()?;
        file.can_be_embedded()?;
        Ok(file)
    }

    /// For shaping.
    pub(super) fn face(&self) -> &Face<'_> {
        &self.0.face.get().0
    }

    /// The whole file.
    pub(super) fn bytes(&self) -> &[u8] {
        self.0.face.backing_cart()
    }

    /// The digest of its bytes.
    pub fn digest(&self) -> Digest {
        self.0.digest
    }

    /// Whether it has the digits 0 to 9, without which no report is set in it.
    pub fn has_digits(&self) -> bool {
        ('0'..='9').all(|digit| self.face().glyph_index(digit).is_some_and(|glyph| glyph.0 != 0))
    }

    /// What its maker permits (OpenType, OS/2 `fsType`); a font that says nothing permits everything.
    fn may_be_embedded(&self) -> Result<(), FontError> {
        let Some(os2) = self.face().tables().os2 else { return Ok(()) };
        if os2.permissions() == Some(Permissions::Restricted) {
            return Err(FontError::Forbidden("restricted license embedding"));
        }
        if !os2.is_subsetting_allowed() {
            return Err(FontError::Forbidden("no subsetting, and a PDF carries only the letters it shows"));
        }
        if !os2.is_outline_embedding_allowed() {
            return Err(FontError::Forbidden("bitmap embedding only"));
        }
        Ok(())
    }

    /// Cuts out its first glyphs.
    fn can_be_embedded(&self) -> Result<(), FontError> {
        let n_glyphs = self.face().number_of_glyphs().min(N_GLYPHS_TRIED);
        cut::program(self.bytes(), 0, 1..n_glyphs).map(|_| ()).ok_or(FontError::NotEmbeddable)
    }
}

/// Whether every table that the font's directory names lies in the file (OpenType, *Organization of an OpenType
/// Font*): parsers pass over those that a broken copy has cut off.
fn is_whole(bytes: &[u8]) -> bool {
    let number = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize);
    let start = if bytes.starts_with(b"ttcf") { number(12) } else { Some(0) };
    let Some((start, n_tables)) = start.and_then(|start| Some((start, number(start + 2)? & 0xffff))) else {
        return false;
    };
    let ends = |n: usize| {
        let entry = start + 12 + n * 16;
        number(entry + 8)?.checked_add(number(entry + 12)?)
    };
    (0..n_tables).all(|n| ends(n).is_some_and(|end| end <= bytes.len()))
}

impl PartialEq for FontFile {
    fn eq(&self, other: &FontFile) -> bool {
        self.0.digest == other.0.digest
    }
}

impl Eq for FontFile {}

impl fmt::Debug for FontFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "font {}", self.0.digest.spoken())
    }
}

impl Serialize for FontFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.digest.serialize(serializer)
    }
}

/// The fonts that a theme is set in: those that the binary carries, as the configuration changes them.
#[derive(Clone, Default)]
pub struct FontSet(Option<Arc<Set>>);

struct Set {
    main: Option<[FontFile; 3]>,
    more: Vec<FontFile>,
    /// Of the set's own fonts.
    digest: Digest,
    /// The digest in hexadecimal: what tells the set's shaped texts from another's.
    key: String,
    figures: [OnceLock<FigureTable>; 3],
}

impl FontSet {
    /// A set with another main family (regular, semi-bold, bold) and with further fonts, tried in their order for
    /// what the carried ones lack.
    pub fn new(main: Option<[FontFile; 3]>, more: Vec<FontFile>) -> FontSet {
        if main.is_none() && more.is_empty() {
            return FontSet::default();
        }
        let digests =
            |fonts: &[FontFile]| Digest::of_parts(fonts.iter().map(|font| font.0.digest.as_bytes().as_slice()));
        let parts = [digests(main.as_ref().map_or(&[], |main| main.as_slice())), digests(&more)];
        let digest = Digest::of_parts(parts.iter().map(|part| part.as_bytes().as_slice()));
        FontSet(Some(Arc::new(Set { main, more, digest, key: digest.to_string(), figures: Default::default() })))
    }

    /// Whether it is the carried fonts and no others.
    pub fn is_carried(&self) -> bool {
        self.0.is_none()
    }

    /// The main family, if it is not the carried one.
    pub fn main(&self) -> Option<&[FontFile; 3]> {
        self.0.as_ref()?.main.as_ref()
    }

    /// The further fonts.
    pub fn more(&self) -> &[FontFile] {
        self.0.as_ref().map_or(&[], |set| &set.more)
    }

    /// The digest of all its fonts, which an edition's manifest names: other fonts make other bytes.
    pub fn digest(&self) -> Digest {
        let carried = fonts::digest();
        match &self.0 {
            None => carried,
            Some(set) => Digest::of_parts([carried.as_bytes().as_slice(), set.digest.as_bytes()]),
        }
    }

    /// What tells its shaped texts from another set's; none for the carried fonts.
    pub(super) fn key(&self) -> Option<&str> {
        self.0.as_ref().map(|set| set.key.as_str())
    }

    /// The main family's own font of a weight.
    pub(super) fn main_of(&self, weight: Weight) -> Option<&FontFile> {
        self.main().map(|main| &main[weight as usize])
    }

    /// Where the set keeps the figures of its own main family.
    pub(super) fn figures(&self, weight: Weight) -> Option<&OnceLock<FigureTable>> {
        self.0.as_ref().filter(|set| set.main.is_some()).map(|set| &set.figures[weight as usize])
    }
}

impl PartialEq for FontSet {
    fn eq(&self, other: &FontSet) -> bool {
        self.key() == other.key()
    }
}

impl Eq for FontSet {}

impl fmt::Debug for FontSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FontSet").field("main", &self.main()).field("more", &self.more()).finish()
    }
}

impl Serialize for FontSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.main(), self.more()).serialize(serializer)
    }
}
