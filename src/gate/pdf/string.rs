//! The strings of a PDF (ISO 32000-2, 7.3.4 and 7.9.2.2).

use std::borrow::Cow;

/// A string as it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Text<'a> {
    /// What stands between its brackets.
    Literal(&'a [u8]),
    /// Its digits.
    Hexadecimal(&'a [u8]),
}

impl<'a> Text<'a> {
    /// The bytes that it stands for.
    pub(super) fn bytes(self) -> Cow<'a, [u8]> {
        match self {
            Text::Literal(source) if !source.contains(&b'\\') => Cow::Borrowed(source),
            _ => {
                let mut bytes = Vec::new();
                self.append_to(&mut bytes);
                Cow::Owned(bytes)
            }
        }
    }

    /// Puts the bytes that it stands for to others.
    pub(super) fn append_to(self, bytes: &mut Vec<u8>) {
        match self {
            Text::Literal(source) => literal(source, bytes),
            Text::Hexadecimal(digits) => {
                let mut digits = digits.iter().filter_map(|byte| char::from(*byte).to_digit(16));
                while let Some(digit) = digits.next() {
                    bytes.push((digit << 4 | digits.next().unwrap_or(0)) as u8);
                }
            }
        }
    }

    /// What it says as a text of the document: in UTF-16 or UTF-8 with a mark, else a byte a letter (7.9.2.2).
    pub(super) fn says(self) -> Cow<'a, str> {
        let bytes = self.bytes();
        match &*bytes {
            [0xfe, 0xff, rest @ ..] => utf16(rest).into(),
            [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned().into(),
            bytes if !bytes.is_ascii() => bytes.iter().map(|byte| char::from(*byte)).collect(),
            _ => match bytes {
                Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
                Cow::Owned(bytes) => String::from_utf8_lossy(&bytes).into_owned().into(),
            },
        }
    }
}

/// A literal string without its escapes (7.3.4.2).
fn literal(source: &[u8], bytes: &mut Vec<u8>) {
    let mut rest = source;
    loop {
        rest = match rest {
            [b'\\', digits @ ..] if digits.first().is_some_and(is_octal) => {
                let n = digits.iter().take(3).take_while(|digit| is_octal(digit)).count();
                bytes.push(digits[..n].iter().fold(0_u32, |code, digit| code * 8 + u32::from(digit - b'0')) as u8);
                &digits[n..]
            }
            [b'\\', b'\n', rest @ ..] | [b'\\', b'\r', b'\n', rest @ ..] | [b'\\', b'\r', rest @ ..] => rest,
            [b'\\', letter, rest @ ..] => {
                bytes.push(match letter {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 8,
                    b'f' => 12,
                    letter => *letter,
                });
                rest
            }
            [byte, rest @ ..] => {
                bytes.push(*byte);
                rest
            }
            [] => return,
        }
    }
}

fn is_octal(byte: &u8) -> bool {
    matches!(byte, b'0'..=b'7')
}

/// A text in UTF-16, as maps of fonts have it too.
pub(super) fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    char::decode_utf16(units).map(|letter| letter.unwrap_or('\u{fffd}')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_read_as_the_standard_writes_them() {
        let check = |text: Text<'_>, wants: &[u8]| assert_eq!(&*text.bytes(), wants, "{text:?}");
        check(Text::Literal(b"a (b) c"), b"a (b) c");
        check(Text::Literal(b"\\(\\101\\0053\\7\\\r\n\\\n\\n\\z\\\\"), b"(A\x053\x07\nz\\");
        check(Text::Hexadecimal(b"4 1\n4"), b"A@");
        assert_eq!(Text::Literal(b"\\376\\377 \\024").says(), "—");
        assert_eq!(Text::Hexadecimal(b"efbbbfc3a4").says(), "ä");
        assert_eq!(Text::Literal(b"\\344").says(), "ä");
    }
}
