//! What the codes of a font stand for: its ToUnicode map (ISO 32000-2, 9.10.3).

use std::collections::HashMap;

use super::object::{Object, Reader};
use super::string::{Text, utf16};

/// The widest range of codes that is read.
const RANGE_MAX: u32 = 65_536;

/// Codes below this have a place each.
const TABLE_CODES_MAX: u32 = 65_536;

/// A font as far as its text is concerned.
#[derive(Clone, Debug, Default)]
pub(super) struct Font {
    /// By the code, what stands for one letter; NUL for all else.
    letters: Vec<char>,
    /// What stands for several letters, and large codes.
    others: HashMap<u32, String>,
    /// How many bytes a code has.
    n_bytes: usize,
}

impl Font {
    /// Reads a ToUnicode map.
    pub(super) fn new(cmap: &[u8]) -> Font {
        let mut font = Font { n_bytes: 2, ..Font::default() };
        let mut reader = Reader::new(cmap, 0);
        while let Some(object) = reader.next() {
            if object.is_word(b"begincodespacerange") {
                if let Some(Object::Text(code)) = reader.next() {
                    font.n_bytes = code.bytes().len().clamp(1, 4);
                }
            } else if object.is_word(b"beginbfchar") {
                while let (Some(Object::Text(code)), Some(Object::Text(text))) = (reader.next(), reader.next()) {
                    font.put(number(&code.bytes()), &text.bytes());
                    if ahead(&reader, b"endbfchar") {
                        break;
                    }
                }
            } else if object.is_word(b"beginbfrange") {
                while let (Some(Object::Text(first)), Some(Object::Text(last)), Some(texts)) =
                    (reader.next(), reader.next(), reader.next())
                {
                    font.range(first, last, &texts);
                    if ahead(&reader, b"endbfrange") {
                        break;
                    }
                }
            }
        }
        font
    }

    fn range(&mut self, first: Text<'_>, last: Text<'_>, texts: &Object<'_>) {
        let codes = number(&first.bytes())..=number(&last.bytes());
        for (n, code) in codes.take(RANGE_MAX as usize).enumerate() {
            match texts {
                Object::Text(text) => {
                    let mut text = text.bytes().into_owned();
                    // The last byte counts up; a range never runs over it (9.10.3).
                    if let Some(byte) = text.last_mut() {
                        *byte = byte.wrapping_add(n as u8);
                    }
                    self.put(code, &text);
                }
                Object::Array(texts) => match texts.get(n) {
                    Some(Object::Text(text)) => self.put(code, &text.bytes()),
                    _ => return,
                },
                _ => return,
            }
        }
    }

    fn put(&mut self, code: u32, text: &[u8]) {
        let text = utf16(text);
        let mut letters = text.chars();
        let letter = letters.next().filter(|_| letters.next().is_none() && code < TABLE_CODES_MAX).unwrap_or('\0');
        if code < TABLE_CODES_MAX {
            let at = code as usize;
            self.letters.resize(self.letters.len().max(at + 1), '\0');
            self.letters[at] = letter;
        }
        if letter == '\0' {
            self.others.insert(code, text);
        }
    }

    /// The text of a shown string; a code that stands for nothing is U+FFFD.
    pub(super) fn text(&self, codes: &[u8], text: &mut String) {
        for code in codes.chunks(self.n_bytes).map(number) {
            match self.letters.get(code as usize) {
                None | Some('\0') => text.push_str(self.others.get(&code).map_or("\u{fffd}", String::as_str)),
                Some(letter) => text.push(*letter),
            }
        }
    }
}

fn ahead(reader: &Reader<'_>, word: &[u8]) -> bool {
    reader.clone().next().is_none_or(|object| object.is_word(word))
}

fn number(code: &[u8]) -> u32 {
    code.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte))
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
    }
}
