//! How a part of a mail is to be shown, and under which name: in full for today's programs, in ASCII for all others.

use std::fmt::Write as _;

use lettre::message::header::{Header, HeaderName, HeaderValue};

use crate::base::{ascii_name, header_text, percent_encoded};

/// The longest name that stands in one piece once it is encoded, in characters: a line may have 998 (RFC 5322, 2.1.1).
/// Longer ones are parted (RFC 2231, 3), which fewer programs read.
const PIECE_CHARS_MAX: usize = 700;

/// `Content-Disposition` (RFC 2183).
#[derive(Clone)]
pub(super) struct Disposition(HeaderValue);

impl Disposition {
    /// `attachment` or `inline`, with a file's name.
    ///
    /// A name beyond ASCII stands there by RFC 2231, and before its twin: a program that knows both takes the first.
    pub(super) fn new(kind: &str, name: &str) -> Disposition {
        let name = header_text(name);
        let twin = ascii_name(&name);
        let mut text = kind.to_owned();
        if name != twin {
            let encoded = percent_encoded(&name);
            if encoded.len() <= PIECE_CHARS_MAX {
                let _ = write!(text, ";\r\n filename*=UTF-8''{encoded}");
            } else {
                let pieces = encoded.as_bytes().chunks(PIECE_CHARS_MAX);
                for (n, piece) in pieces.map(String::from_utf8_lossy).enumerate() {
                    let charset = if n == 0 { "UTF-8''" } else { "" };
                    let _ = write!(text, ";\r\n filename*{n}*={charset}{piece}");
                }
            }
        }
        let _ = write!(text, ";\r\n filename=\"{twin}\"");
        // Nothing in it comes from outside but what was encoded or made ASCII just now.
        Disposition(HeaderValue::dangerous_new_pre_encoded(Self::name(), text.replace("\r\n", ""), text))
    }
}

impl Header for Disposition {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Content-Disposition")
    }

    fn parse(_: &str) -> Result<Disposition, Box<dyn std::error::Error + Send + Sync>> {
        Err("a disposition is written only".into())
    }

    fn display(&self) -> HeaderValue {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str) -> String {
        let mut headers = lettre::message::header::Headers::new();
        headers.set(Disposition::new("attachment", name));
        headers.to_string()
    }

    #[test]
    fn a_plain_name_stands_once_and_a_long_one_in_pieces() {
        assert_eq!(text("a b.pdf"), "Content-Disposition: attachment;\r\n filename=\"a b.pdf\"\r\n");
        assert_eq!(
            text("ä\".pdf"),
            "Content-Disposition: attachment;\r\n filename*=UTF-8''%C3%A4%22.pdf;\r\n filename=\"a.pdf\"\r\n"
        );
        let long = text(&"北".repeat(400));
        assert!(long.lines().all(|line| line.len() < 998) && long.is_ascii());
        let pieces: String =
            (0..6).filter_map(|n| long.split(&format!("filename*{n}*=")).nth(1)?.lines().next()).collect();
        assert_eq!(pieces.replace(';', "").replace("UTF-8''", ""), "%E5%8C%97".repeat(400));
    }
}
