//! What the codes of a font stand for: its ToUnicode map (ISO 32000-2, 9.10.3).

use std::collections::HashMap;

use super::object::{Object, Reader};

/// The widest range of codes that is read.
const RANGE_MAX: u32 = 65_536;

/// A font as far as its text is concerned.
#[derive(Clone, Debug, Default)]
pub(super) struct Font {
    texts: HashMap<u32, String>,
    /// How many bytes a code has.
    n_bytes: usize,
}

impl Font {
    /// Reads a ToUnicode map.
    pub(super) fn new(cmap: &[u8]) -> Font {
        let mut font = Font { texts: HashMap::new(), n_bytes: 2 };
        let mut reader = Reader::new(cmap, 0);
        while let Some(object) = reader.next() {
            if object.is_word("begincodespacerange") {
                if let Some(Object::Text(code)) = reader.next() {
                    font.n_bytes = code.len().clamp(1, 4);
                }
            } else if object.is_word("beginbfchar") {
                while let (Some(Object::Text(code)), Some(Object::Text(text))) = (reader.next(), reader.next()) {
                    font.texts.insert(number(&code), utf16(&text));
                    if ahead(&reader, "endbfchar") {
                        break;
                    }
                }
            } else if object.is_word("beginbfrange") {
                while let (Some(Object::Text(first)), Some(Object::Text(last)), Some(texts)) =
                    (reader.next(), reader.next(), reader.next())
                {
                    font.range(number(&first), number(&last), &texts);
                    if ahead(&reader, "endbfrange") {
                        break;
                    }
                }
            }
        }
        font
    }

    fn range(&mut self, first: u32, last: u32, texts: &Object) {
        for (n, code) in (first..=last).take(RANGE_MAX as usize).enumerate() {
            let text = match texts {
                Object::Text(text) => {
                    let mut text = text.clone();
                    // The last byte counts up; a range never runs over it (9.10.3).
                    if let Some(byte) = text.last_mut() {
                        *byte = byte.wrapping_add(n as u8);
                    }
                    utf16(&text)
                }
                Object::Array(texts) => match texts.get(n) {
                    Some(Object::Text(text)) => utf16(text),
                    _ => return,
                },
                _ => return,
            };
            self.texts.insert(code, text);
        }
    }

    /// The text of a shown string; a code that stands for nothing is U+FFFD.
    pub(super) fn text(&self, codes: &[u8], text: &mut String) {
        for code in codes.chunks(self.n_bytes) {
            text.push_str(self.texts.get(&number(code)).map_or("\u{fffd}", String::as_str));
        }
    }
}

fn ahead(reader: &Reader<'_>, word: &str) -> bool {
    reader.clone().next().is_none_or(|object| object.is_word(word))
}

fn number(code: &[u8]) -> u32 {
    code.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

/// A text in UTF-16, as maps have it.
fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    char::decode_utf16(units).map(|letter| letter.unwrap_or('\u{fffd}')).collect()
}

/// A text string of a document: UTF-16 or UTF-8 with its mark, else bytes (7.9.2.2).
pub(super) fn text_string(bytes: &[u8]) -> String {
    match bytes {
        [0xfe, 0xff, rest @ ..] => utf16(rest),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_mapped_by_characters_and_ranges() {
        let cmap = b"1 begincodespacerange <0000> <ffff> endcodespacerange
            2 beginbfchar <0001> <0041> <0002> <00660069> endbfchar
            2 beginbfrange <0010> <0012> <0030> <0020> <0021> [<2212> <d83dde00>] endbfrange";
        let font = Font::new(cmap);
        let mut text = String::new();
        font.text(&[0, 1, 0, 2, 0, 0x11, 0, 0x20, 0, 0x21, 9, 9], &mut text);
        assert_eq!(text, "Afi1−😀\u{fffd}");
        assert_eq!(text_string(&[0xfe, 0xff, 0x20, 0x14]), "—");
    }
}
