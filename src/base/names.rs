//! The one place that makes foreign names safe for file names, headers and plain lines of text.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::Digest;

/// The longest file name part we make, in characters; file systems end at 255 bytes.
const FILE_NAME_CHARS_MAX: usize = 60;

/// A name as part of a file name or object path: letters and digits of any script, `.`, `-` and `_`.
///
/// Whenever anything of the name was lost (a sign, case folded by no one, length), eight digits of its digest
/// follow, so that two names never share a file name. Never empty, never begins with a dot, and none of the
/// names that Windows reserves.
pub fn file_name(name: &str) -> String {
    let readable = readable_name(name);
    // File systems differ on case: only lower-case names keep their plain form.
    let unchanged = readable == name && !name.chars().any(char::is_uppercase);
    if unchanged && !is_reserved(name) {
        return readable;
    }
    let digest = Digest::of(name.as_bytes()).to_string();
    format!("{readable}~{}", &digest[..8])
}

/// A name as people read it in a file name, which something else in that file name tells from its like.
///
/// Letters and digits of any script, `.`, `-` and `_`; never empty, at most 60 characters and 120 bytes.
pub fn readable_name(name: &str) -> String {
    let mut kept = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            letter if letter.is_alphanumeric() => kept.push(letter),
            '-' | '_' | '.' => kept.push(letter),
            _ if kept.ends_with('-') => {}
            _ => kept.push('-'),
        }
    }
    let short: String = kept.trim_matches(['-', '.']).chars().take(FILE_NAME_CHARS_MAX).collect();
    // 60 characters of four bytes each would still pass 255 bytes once a suffix follows.
    let mut end = short.len().min(120);
    while !short.is_char_boundary(end) {
        end -= 1;
    }
    match short[..end].trim_end_matches(['-', '.']) {
        "" => "name".to_owned(),
        short => short.to_owned(),
    }
}

fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).to_ascii_lowercase();
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul")
        || (stem.len() == 4
            && (stem.starts_with("com") || stem.starts_with("lpt"))
            && stem.as_bytes()[3].is_ascii_digit())
}

/// UTF-8 with everything encoded but what stands for itself in any part of a URL (RFC 3986, 2.3) and in the parameter of a
/// header (RFC 2231, 7).
pub fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        match byte {
            byte if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) => encoded.push(char::from(byte)),
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// The longest ASCII name, in characters.
const ASCII_CHARS_MAX: usize = 120;

/// A file's name in ASCII, for programs that know no other: what has a Latin letter beneath keeps that, the rest goes.
///
/// Its ending stays. A name that is in ASCII and has no quotes is as it was.
pub fn ascii_name(name: &str) -> String {
    let name = header_text(name);
    let is_plain = |letter: char| (letter.is_ascii_graphic() || letter == ' ') && !matches!(letter, '"' | '\\' | '/');
    if !name.is_empty() && name.len() <= ASCII_CHARS_MAX && name.chars().all(is_plain) {
        return name;
    }
    let (stem, ending) = name.rsplit_once('.').unwrap_or((&name, ""));
    let parts = stem.split('_').map(ascii_part).filter(|part| !part.is_empty()).collect::<Vec<_>>();
    let stem: String = parts.join("_").chars().take(ASCII_CHARS_MAX).collect();
    let stem = if stem.is_empty() { "attachment" } else { &stem };
    match ascii_part(ending) {
        ending if ending.is_empty() => stem.to_owned(),
        ending => format!("{stem}.{}", ending.chars().take(ASCII_CHARS_MAX / 10).collect::<String>()),
    }
}

/// Letters, digits, dots and single hyphens.
fn ascii_part(part: &str) -> String {
    let mut kept = String::new();
    for letter in part.nfkd().filter(|letter| !is_combining_mark(*letter)) {
        match letter {
            letter if letter.is_ascii_alphanumeric() || letter == '.' => kept.push(letter),
            // Letters that Unicode does not take apart.
            'ß' => kept.push_str("ss"),
            'æ' => kept.push_str("ae"),
            'Æ' => kept.push_str("AE"),
            'œ' => kept.push_str("oe"),
            'Œ' => kept.push_str("OE"),
            'ø' => kept.push('o'),
            'Ø' => kept.push('O'),
            'đ' | 'ð' => kept.push('d'),
            'Đ' | 'Ð' => kept.push('D'),
            'ł' => kept.push('l'),
            'Ł' => kept.push('L'),
            'ħ' => kept.push('h'),
            'þ' => kept.push_str("th"),
            'Þ' => kept.push_str("Th"),
            'ı' => kept.push('i'),
            _ if kept.ends_with('-') => {}
            _ => kept.push('-'),
        }
    }
    kept.trim_matches(['-', '.']).to_owned()
}

/// A text for a mail header or one line of a log: control characters become blanks, runs of blanks one.
pub fn header_text(text: &str) -> String {
    let spaced: String = text.chars().map(|letter| if is_control(letter) { ' ' } else { letter }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text for a cell, a page or an XML attribute: line ends and tabs become blanks, other control characters and
/// direction overrides go.
///
/// XML 1.0 (2.2) has no place for most control characters, and an override would let a name reorder its line.
pub fn plain_text(text: &str) -> String {
    let spaced = text.chars().map(|letter| if matches!(letter, '\n' | '\r' | '\t') { ' ' } else { letter });
    spaced.filter(|letter| !is_control(*letter)).collect()
}

fn is_control(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}' | '\u{feff}')
}

/// A name shortened in its middle to at most `chars` characters (3 or more): `Contoso … Ltd`.
pub fn short_name(name: &str, chars: usize) -> String {
    let n = name.chars().count();
    if n <= chars.max(3) {
        return name.to_owned();
    }
    let kept = chars.max(3) - 1;
    let head: String = name.chars().take(kept.div_ceil(2)).collect();
    let tail: String = name.chars().skip(n - kept / 2).collect();
    format!("{}…{}", head.trim_end(), tail.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_safe_and_never_collide() {
        assert_eq!(file_name("monthly"), "monthly");
        assert_eq!(file_name("6104425"), "6104425");
        let hostile =
            ["../../etc/passwd", "a/b", "a\\b", "a:b", "a?b", "a b", "", ".", "..", "CON", "com1.txt", "A", "a~b"];
        let long = "長".repeat(200);
        let names: Vec<String> = hostile.iter().copied().chain([long.as_str(), "ä", "Ä"]).map(file_name).collect();
        for (n, name) in names.iter().enumerate() {
            assert!(!name.is_empty() && !name.starts_with('.') && name.len() <= 140, "{name}");
            assert!(!name.contains(['/', '\\', ':', '?', ' ', '\0']), "{name}");
            let folded = name.to_lowercase();
            assert!(names[..n].iter().all(|other| other.to_lowercase() != folded), "{name}");
        }
    }

    #[test]
    fn readable_names_are_safe_but_may_be_alike() {
        assert_eq!(readable_name("Ørskovik Digital A/S"), "Ørskovik-Digital-A-S");
        assert_eq!(readable_name("<r>x</r>"), "r-x-r");
        assert_eq!(readable_name("=\"../..\""), "name");
        assert!(readable_name(&"長".repeat(200)).len() <= 120);
    }

    #[test]
    fn every_name_has_a_twin_in_ascii_that_people_still_read() {
        for (name, twin) in [
            ("product-licenses_2026-10_Contoso_1.pdf", "product-licenses_2026-10_Contoso_1.pdf"),
            ("Report (final).pdf", "Report (final).pdf"),
            ("licenses_Größe-Ørskovik-Łódź_7.xlsx", "licenses_Grosse-Orskovik-Lodz_7.xlsx"),
            ("licenses_2026-10_شركة-الأمثلة_61.pdf", "licenses_2026-10_61.pdf"),
            ("ｆｕｌｌ.pdf", "full.pdf"),
            ("北京.pdf", "attachment.pdf"),
            ("北京", "attachment"),
            ("a\"b\r\nX-Evil: 1.pdf", "a-b-X-Evil-1.pdf"),
            ("../../etc/passwd", "attachment.etc-passwd"),
            ("", "attachment"),
        ] {
            assert_eq!(ascii_name(name), twin, "{name}");
        }
        assert!(ascii_name(&format!("{}.pdf", "ä".repeat(500))).len() <= 130);
    }

    #[test]
    fn header_text_is_one_line() {
        assert_eq!(header_text("a\r\nBcc: x@example.com\u{202e}b"), "a Bcc: x@example.com b");
    }

    #[test]
    fn names_are_shortened_in_their_middle() {
        assert_eq!(short_name("Example Distribution", 40), "Example Distribution");
        assert_eq!(short_name("abcdefghij", 5), "ab…ij");
        assert_eq!(short_name("日本語の長い名前", 5).chars().count(), 5);
    }
}
