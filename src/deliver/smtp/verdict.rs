//! What the end of a conversation means for a delivery, and the words for it.

use super::session::{Break, Session};
use super::{Handed, Mail, Outcome, Phase, Receipt, Smtp, TlsMode};
use crate::base::{header_text, short_name};

/// The longest reply we pass on, in characters.
const REPLY_CHARS_MAX: usize = 300;

/// A mail that was taken; the proof is the relay's own words, without our addresses.
pub(super) fn taken(reply: &str, mail: &Mail) -> Handed {
    let (from, to) = (mail.from.to_string().to_lowercase(), mail.to.to_string().to_lowercase());
    let is_ours = |word: &str| {
        let word = word.to_lowercase();
        word.contains(&from) || word.contains(&to)
    };
    let answer = one_line(reply, is_ours);
    let outcome = Outcome::Delivered(Receipt(answer.clone()));
    Handed { outcome, phase: Some(Phase::Content), answer: Some(answer), is_out_of_order: false }
}

/// What the end of a conversation without a yes means.
pub(super) fn not_taken(relay: &str, broken: Break, n_bytes: u64) -> Handed {
    let (phase, answer) = match &broken {
        Break::Unfit(_) | Break::TooLarge(..) => (None, None),
        Break::Lost { phase, .. } => (Some(*phase), None),
        Break::Refused { phase, code, words } => (Some(*phase), Some(masked(&format!("{code} {words}")))),
    };
    Handed { phase, answer, is_out_of_order: is_out_of_order(&broken), outcome: outcome(relay, broken, n_bytes) }
}

/// Whether the relay itself is out of order, or will not have us: it has not even heard of the mail, or closes its
/// service (421: RFC 5321, 3.8).
fn is_out_of_order(broken: &Break) -> bool {
    match broken {
        Break::Unfit(_) | Break::TooLarge(..) => false,
        Break::Lost { phase, .. } => *phase < Phase::Recipient,
        Break::Refused { phase, code, .. } => *phase < Phase::Sender || *code == 421 || is_login(*code),
    }
}

/// What the end of a conversation means for the delivery.
///
/// Only what was refused for the mail's own sake is failed. What an admin can mend at the relay (a login, TLS, a
/// sender that must log in first) is retried: once mended, the mail goes out without further ado.
///
/// A mail that is too large may be sent smaller. 552 says that, or that the mailbox is full (RFC 5321, 4.2.3): an
/// enhanced code tells which (RFC 3463, 3.3 and 3.4). Without one it is taken for too large, since of a full mailbox the
/// smaller mail is told the same.
fn outcome(relay: &str, broken: Break, n_bytes: u64) -> Outcome {
    let words = words(relay, &broken);
    match broken {
        Break::Unfit(_) => Outcome::Failed(words),
        Break::TooLarge(n_bytes, _) => Outcome::TooLarge { n_bytes, reason: words },
        Break::Refused { phase, code, words: said } if is_too_large(phase, code, &said) => {
            Outcome::TooLarge { n_bytes, reason: words }
        }
        Break::Lost { phase: Phase::Content, .. } => Outcome::Uncertain(words),
        Break::Lost { .. } => Outcome::Retryable(words),
        Break::Refused { phase, code, .. } if phase < Phase::Sender || is_login(code) || code < 500 => {
            Outcome::Retryable(words)
        }
        Break::Refused { .. } => Outcome::Failed(words),
    }
}

/// Why there is no yes, with what to do where that is known; without addresses.
pub(super) fn words(relay: &str, broken: &Break) -> String {
    match broken {
        Break::Unfit(words) | Break::TooLarge(_, words) => format!("{relay}: {words}"),
        Break::Lost { phase, words } => {
            let (what, hint) = lost(*phase);
            format!("{relay}: {what}: {}{hint}", masked(words))
        }
        Break::Refused { phase, code, words } => {
            let (what, hint) = refused(*phase, *code);
            format!("{relay}: {what}: {code} {}{hint}", masked(words))
        }
    }
}

fn lost(phase: Phase) -> (&'static str, &'static str) {
    match phase {
        Phase::Connect => ("no connection", "; hint: check host, port and firewall"),
        Phase::Tls => ("no safe connection", "; hint: check `tls`, and `ca_file` if the relay has a CA of its own"),
        Phase::Login => ("the login broke off", "; hint: check what logins the relay offers"),
        Phase::Sender => ("lost at MAIL FROM, nothing was sent", ""),
        Phase::Recipient => ("lost at RCPT TO, nothing was sent", ""),
        Phase::Data => ("lost at DATA, nothing was sent", ""),
        Phase::Content => ("lost after the content went out, the relay may have taken it", ""),
    }
}

fn refused(phase: Phase, code: u16) -> (&'static str, &'static str) {
    match (phase, code) {
        (Phase::Login, _) => ("the relay refused the login", "; hint: check `user` and its `password` or `oauth`"),
        (_, code) if is_login(code) => ("the relay wants a login or TLS first", "; hint: check `user` and `tls`"),
        (Phase::Connect, _) => ("the relay refused us", "; hint: ask its admin whether this machine may send"),
        (Phase::Tls, _) => ("the relay refused STARTTLS", "; hint: check `tls`"),
        (_, 552) => ("the relay finds the mail too large, or the mailbox full", ""),
        (Phase::Sender, _) => ("the relay refused the sender", ""),
        (Phase::Recipient, _) => ("the relay refused the recipient", ""),
        (Phase::Data | Phase::Content, _) => ("the relay refused the mail", ""),
    }
}

/// Whether a reply says that the mail is too large.
fn is_too_large(phase: Phase, code: u16, words: &str) -> bool {
    let enhanced = words.split_ascii_whitespace().next().unwrap_or_default();
    match enhanced {
        "5.3.4" | "5.2.3" => code >= 500,
        _ => code == 552 && enhanced != "5.2.2" && phase != Phase::Recipient,
    }
}

/// Reply codes that ask for a login or encryption first (RFC 4954, 6; RFC 3207, 4).
fn is_login(code: u16) -> bool {
    matches!(code, 530 | 534 | 535 | 538)
}

/// A relay's words on one line, every address masked: they go to logs and to `status`.
fn masked(words: &str) -> String {
    one_line(words, |word| word.contains('@'))
}

fn one_line(words: &str, is_address: impl Fn(&str) -> bool) -> String {
    let words = header_text(words);
    let kept: Vec<&str> = words.split(' ').map(|word| if is_address(word) { "(address)" } else { word }).collect();
    short_name(&kept.join(" "), REPLY_CHARS_MAX)
}

/// What `check` says of a relay that let us in.
pub(super) fn greeting(relay: &Smtp, session: &Session) -> String {
    let settings = &relay.settings;
    let tls = match settings.tls {
        TlsMode::None => "in plain on this machine",
        _ if session.is_encrypted() => "over TLS",
        _ => "without TLS",
    };
    let login = if settings.login.is_some() { ", logged in" } else { ", without a login" };
    let size = session.size_max.map_or_else(
        || ", no bound on mails stated".to_owned(),
        |size_max| {
            // Base64 makes four bytes of three, and two of line end for each 76: 1.37 in all.
            let encoded = settings.attachment_bytes_max.saturating_mul(137) / 100;
            let warning = if encoded > size_max {
                format!(", less than `attachment_bytes_max` comes to once encoded ({encoded} bytes)")
            } else {
                String::new()
            };
            format!(", takes mails up to {size_max} bytes{warning}")
        },
    );
    format!("connected {tls}{login}{size}")
}
