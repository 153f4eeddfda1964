//! The texts of an XML or HTML part: what stands between tags, and the values of attributes.

use std::borrow::Cow;

use super::search::{Looking, Unit};

/// Looks through every text of a part: names of elements and attributes are none.
pub(super) fn look_through(part: &str, looking: &mut Looking<'_>, place: &dyn Fn() -> String) {
    let (mut texts, mut points) = (Vec::new(), Vec::new());
    let mut rest = part;
    // What is open: points of charts are fields, which may be a name of two letters.
    let mut is_point = false;
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        keep(text, if is_point { &mut points } else { &mut texts });
        if let Some(comment) = tag.strip_prefix("<!--") {
            let (comment, after) = comment.split_once("-->").unwrap_or((comment, ""));
            keep(comment, &mut texts);
            rest = after;
            continue;
        }
        is_point = tag.starts_with("<c:v>") || tag.starts_with("<vt:lpstr>");
        rest = attributes(tag, &mut texts);
    }
    keep(rest, &mut texts);
    looking.units(texts.iter().map(Cow::as_ref), Unit::Text, &|_| place());
    looking.units(points.iter().map(Cow::as_ref), Unit::Field, &|_| place());
}

/// Keeps the values of a tag's attributes; what comes after the tag.
fn attributes<'a>(tag: &'a str, texts: &mut Vec<Cow<'a, str>>) -> &'a str {
    let bytes = tag.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'>' => return &tag[at..],
            quote @ (b'"' | b'\'') => {
                let Some(n) = tag[at..].find(char::from(*quote)) else { break };
                keep(&tag[at..at + n], texts);
                at += n + 1;
            }
            _ => {}
        }
    }
    // It does not end: what is left is looked through as it is.
    keep(tag, texts);
    ""
}

/// Keeps what may hold a name or an id: most texts of a part are blanks, numbers and words of its own of a few letters.
fn keep<'a>(text: &'a str, texts: &mut Vec<Cow<'a, str>>) {
    if text.len() < 2 || !text.bytes().any(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii()) {
        return;
    }
    let text = unescaped(text);
    if text.contains('&') {
        // Perhaps a header or footer of a sheet, whose codes stand between names.
        texts.push(without_codes(&text).into());
    }
    texts.push(text);
}

/// A text without XML's escapes (XML 1.0, 4.1 and 4.6) and without Excel's own (`_x005F_` before `_x0041_`).
pub(super) fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '_']) {
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
