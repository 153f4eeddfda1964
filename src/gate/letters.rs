//! What kinds of bytes a text has, told in one look: most texts are looked at no further.

/// A letter in ASCII, or a byte of anything beyond it.
pub(super) const LETTER: u8 = 1;
/// A blank.
pub(super) const BLANK: u8 = 2;
/// A byte that escapes of XML or of Excel begin with.
pub(super) const ESCAPE: u8 = 4;
/// A control character, or a byte of anything beyond ASCII.
pub(super) const STRANGE: u8 = 8;
/// A digit.
pub(super) const DIGIT: u8 = 16;

const KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            b'A'..=b'Z' | b'a'..=b'z' => LETTER,
            b'0'..=b'9' => DIGIT,
            128.. => LETTER | STRANGE,
            b' ' => BLANK,
            0..b' ' | 127 => STRANGE,
            b'&' | b'_' => ESCAPE,
            _ => 0,
        };
        byte += 1;
    }
    kinds
};

/// The kind of a byte.
#[inline]
pub(super) fn kind(byte: u8) -> u8 {
    KINDS[usize::from(byte)]
}

/// The kinds of bytes that a text has.
#[inline]
pub(super) fn kinds(text: &[u8]) -> u8 {
    text.iter().fold(0, |kinds, byte| kinds | kind(*byte))
}
