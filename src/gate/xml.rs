//! The texts of XML and HTML parts: what stands between tags, and the values of attributes.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memmem};

use super::letters::{BLANK, ESCAPE, LETTER, STRANGE, kinds};
use super::search::{Looking, Texts, Unit};

/// The texts of parts, each with the number of its part: names of elements and attributes are none.
pub(super) struct Parts {
    texts: Texts,
    /// Points of charts, which may be a name of two letters.
    points: Texts,
}

impl Default for Parts {
    fn default() -> Parts {
        Parts { texts: Texts::new(Unit::Text), points: Texts::new(Unit::Field) }
    }
}

impl Parts {
    /// Keeps every text of the n-th part.
    pub(super) fn keep(&mut self, part: &[u8], n: usize) {
        let mut rest = part;
        let mut is_point = false;
        // Most tags follow one another.
        while let Some(at) = if rest.starts_with(b"<") { Some(0) } else { memchr(b'<', rest) } {
            let (text, tag) = rest.split_at(at);
            keep(text, if is_point { &mut self.points } else { &mut self.texts }, n);
            if let Some(comment) = tag.strip_prefix(b"<!--") {
                let (comment, after) = split_once(comment, b"-->").unwrap_or((comment, b""));
                keep(comment, &mut self.texts, n);
                rest = after;
                continue;
            }
            is_point = tag.starts_with(b"<c:v>") || tag.starts_with(b"<vt:lpstr>");
            rest = attributes(tag, &mut self.texts, n);
        }
        keep(rest, &mut self.texts, n);
    }

    /// Looks through what was kept; `place` says where the n-th part stands.
    pub(super) fn look_through(&self, looking: &mut Looking<'_>, place: &dyn Fn(usize) -> String) {
        looking.texts(&self.texts, place);
        looking.texts(&self.points, place);
    }
}

/// Keeps the values of a tag's attributes; what comes after the tag.
fn attributes<'a>(tag: &'a [u8], texts: &mut Texts, n: usize) -> &'a [u8] {
    let mut at = 0;
    while let Some(byte) = tag.get(at) {
        at += 1;
        match byte {
            b'>' => return &tag[at..],
            quote @ (b'"' | b'\'') => {
                let Some(end) = tag[at..].iter().position(|byte| byte == quote) else { break };
                keep(&tag[at..at + end], texts, n);
                at += end + 1;
            }
            _ => {}
        }
    }
    // It does not end: what is left is looked through as it is.
    keep(tag, texts, n);
    b""
}

/// Keeps what may hold a name or an id: most texts of a part are blanks, numbers and words of its own of a few letters.
fn keep(text: &[u8], texts: &mut Texts, n: usize) {
    let kinds = kinds(text);
    if text.len() < 2 || kinds & LETTER == 0 {
        return;
    }
    if kinds & (BLANK | ESCAPE | STRANGE) == 0
        && let Ok(text) = std::str::from_utf8(text)
    {
        return texts.push_normal(text, n);
    }
    let text = plain(text);
    if text.contains('&') {
        // Perhaps a header or footer of a sheet, whose codes stand between names.
        texts.push(&without_codes(&text), n);
    }
    texts.push(&text, n);
}

/// A text of a part without its escapes; what is not UTF-8 in it is replaced, since strangers may have written it.
pub(super) fn plain(text: &[u8]) -> Cow<'_, str> {
    match String::from_utf8_lossy(text) {
        Cow::Borrowed(text) => unescaped(text),
        Cow::Owned(text) => Cow::Owned(unescaped(&text).into_owned()),
    }
}

/// What stands before a mark and what behind it.
pub(super) fn split_once<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memmem::find(text, mark)?;
    Some((&text[..at], &text[at + mark.len()..]))
}

/// A text without XML's escapes (XML 1.0, 4.1 and 4.6) and without Excel's own (`_x005F_` before `_x0041_`).
pub(super) fn unescaped(text: &str) -> Cow<'_, str> {
    if memchr2(b'&', b'_', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        match after.split_once(';').and_then(|(name, after)| Some((entity(name)?, after))) {
            Some((letter, after)) => {
                plain.push(letter);
                rest = after;
            }
            None => {
                plain.push('&');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    if plain.contains("_x005F_") { Cow::Owned(plain.replace("_x005F_", "_")) } else { Cow::Owned(plain) }
}

/// The letter that a reference stands for.
fn entity(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "amp" => Some('&'),
        "nbsp" => Some(' '),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

/// Headers and footers without their codes, such as `&L` and `&8`; they write `&` twice.
fn without_codes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '&' if letters.next_if_eq(&'&').is_some() => plain.push('&'),
            '&' if letters.peek().is_some_and(char::is_ascii_digit) => {
                while letters.next_if(char::is_ascii_digit).is_some() {}
            }
            '&' => {
                letters.next();
                plain.push(' ');
            }
            letter => plain.push(letter),
        }
    }
    plain
}
