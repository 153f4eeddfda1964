//! One connection to a relay, and how far each conversation came before it broke.
//!
//! lettre's own `send` hides that: a connection lost before RCPT and one lost after the content look the same,
//! and it awaits replies for ever. Here each step has its phase and its time limit.

use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Ehlo, Mail as MailFrom, Noop, Quit, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;

use super::{Mail, Phase, Size, Smtp, TlsMode};

/// Why a conversation ended without the relay's yes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Break {
    /// The relay said no.
    Refused {
        /// At what.
        phase: Phase,
        /// Its reply code, 400 to 599.
        code: u16,
        /// Its words.
        words: String,
    },
    /// No reply came that could be understood.
    Lost {
        /// At what.
        phase: Phase,
        /// Why, as far as is known.
        words: String,
    },
    /// The relay cannot take such a mail, by its own EHLO.
    Unfit(String),
    /// The relay takes no mail as large as this, by its own EHLO: its bytes, and the words.
    TooLarge(u64, String),
}

impl Break {
    pub(super) fn lost(phase: Phase, words: &str) -> Break {
        Break::Lost { phase, words: words.to_owned() }
    }

    /// Whether the relay had given up this connection before it heard of the mail.
    pub(super) fn is_dead_connection(&self) -> bool {
        match self {
            Break::Refused { phase, code, .. } => *phase == Phase::Sender && *code == 421,
            Break::Lost { phase, .. } => *phase == Phase::Sender,
            Break::Unfit(_) | Break::TooLarge(..) => false,
        }
    }

    /// Whether the relay did not let us in. A relay that says why (a challenge after a token) has lettre break off.
    pub(super) fn is_refused_login(&self) -> bool {
        match self {
            Break::Refused { phase, code, .. } => *phase == Phase::Login && *code >= 500,
            Break::Lost { phase, .. } => *phase == Phase::Login,
            Break::Unfit(_) | Break::TooLarge(..) => false,
        }
    }

    /// Whether the connection may be used for another mail; 421 says that the relay closes it (RFC 5321, 3.8).
    pub(super) fn leaves_connection(&self) -> bool {
        match self {
            Break::Refused { code, .. } => *code != 421,
            Break::Lost { .. } => false,
            Break::Unfit(_) | Break::TooLarge(..) => true,
        }
    }
}

/// Who logs in, by which mechanisms.
pub(super) struct Login {
    pub credentials: Credentials,
    pub mechanisms: &'static [Mechanism],
}

/// A connection on which mails can be sent: encrypted and logged in, as the settings ask.
pub(super) struct Session {
    connection: AsyncSmtpConnection,
    /// The largest mail the relay takes, in bytes as sent (RFC 1870), if it says.
    pub size_max: Option<u64>,
    says_size: bool,
}

impl Session {
    /// Connects, encrypts, reads the relay's bounds and logs in.
    pub(super) async fn open(relay: &Smtp, login: Option<Login>) -> Result<Session, Break> {
        let Smtp { settings, tls, reply_timeout, .. } = relay;
        let hello = settings.hello_name.clone().map_or_else(ClientId::default, ClientId::Domain);
        let host = settings.host.trim_start_matches('[').trim_end_matches(']');
        let implicit = tls.clone().filter(|_| settings.tls == TlsMode::Implicit);
        let (limit, server) = (*reply_timeout, (host, settings.port));
        // A name may have several addresses, and the first may answer nothing: each gets its part of the time.
        let connecting = AsyncSmtpConnection::connect_tokio1(server, Some(limit / 3), &hello, implicit, None);
        let mut connection = step(Phase::Connect, limit, connecting).await?;
        if let Some(tls) = tls.clone().filter(|_| settings.tls == TlsMode::Starttls) {
            if !connection.can_starttls() {
                return Err(Break::lost(Phase::Tls, "the relay does not offer STARTTLS, and nothing is sent in plain"));
            }
            step(Phase::Tls, limit, connection.starttls(tls, &hello)).await?;
        }
        // lettre drops SIZE from what it keeps of EHLO. Asked again before the login, it costs one round trip a
        // connection and cannot undo the login.
        let offers = step(Phase::Connect, limit, connection.command(Ehlo::new(hello))).await?;
        let (says_size, size_max) = size(&offers);
        relay.learn(Size::Known(size_max));
        if let Some(Login { credentials, mechanisms }) = login {
            step(Phase::Login, limit, connection.auth(mechanisms, &credentials)).await?;
        }
        Ok(Session { connection, size_max, says_size })
    }

    /// Sends one mail; the relay's reply when it took it.
    pub(super) async fn send(&mut self, relay: &Smtp, mail: &Mail) -> Result<String, Break> {
        let limit = relay.reply_timeout;
        let parameters = self.parameters(mail)?;
        let from = MailFrom::new(Some(mail.from.clone()), parameters);
        step(Phase::Sender, limit, self.connection.command(from)).await?;
        step(Phase::Recipient, limit, self.connection.command(Rcpt::new(mail.to.clone(), vec![]))).await?;
        let go_ahead = step(Phase::Data, limit, self.connection.command(Data)).await?;
        if !go_ahead.has_code(354) {
            return Err(Break::lost(Phase::Data, &format!("DATA was answered by {}", joined(&go_ahead))));
        }
        let taken = step(Phase::Content, relay.content_timeout, self.connection.message(&mail.bytes)).await?;
        if u16::from(taken.code()) / 100 != 2 {
            return Err(Break::lost(Phase::Content, &format!("the content was answered by {}", joined(&taken))));
        }
        Ok(joined(&taken))
    }

    /// What MAIL FROM has to say of the mail, if the relay can take it at all.
    fn parameters(&self, mail: &Mail) -> Result<Vec<MailParameter>, Break> {
        let n_bytes = mail.bytes.len();
        if let Some(size_max) = self.size_max.filter(|size_max| n_bytes as u64 > *size_max) {
            let words = format!("the mail has {n_bytes} bytes once encoded, and the relay takes at most {size_max}");
            return Err(Break::TooLarge(n_bytes as u64, words));
        }
        let offers = self.connection.server_info();
        let mut parameters = Vec::new();
        if self.says_size {
            parameters.push(MailParameter::Size(n_bytes));
        }
        let is_ascii = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
        if !is_ascii(&mail.from) || !is_ascii(&mail.to) {
            if !offers.supports_feature(Extension::SmtpUtfEight) {
                return Err(Break::Unfit(
                    "the address has letters beyond ASCII, and the relay does not offer SMTPUTF8".to_owned(),
                ));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !mail.bytes.is_ascii() {
            if !offers.supports_feature(Extension::EightBitMime) {
                return Err(Break::Unfit(
                    "the mail has letters beyond ASCII, and the relay does not offer 8BITMIME".to_owned(),
                ));
            }
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        Ok(parameters)
    }

    /// Makes the connection good for another mail after a refusal; false when it is not.
    pub(super) async fn reset(&mut self, relay: &Smtp) -> bool {
        step(Phase::Connect, relay.reply_timeout, self.connection.command(Rset)).await.is_ok()
    }

    /// Asks whether the relay is still there, and takes leave.
    pub(super) async fn leave(&mut self, relay: &Smtp) -> Result<(), Break> {
        step(Phase::Connect, relay.reply_timeout, self.connection.command(Noop)).await?;
        // Whether our leave was heard changes nothing.
        let _ = step(Phase::Connect, relay.reply_timeout, self.connection.command(Quit)).await;
        Ok(())
    }

    /// Whether it is encrypted.
    pub(super) fn is_encrypted(&self) -> bool {
        self.connection.is_encrypted()
    }
}

/// Whether EHLO's reply has SIZE, and the bound it states; 0 and nothing state none (RFC 1870, 4).
fn size(offers: &Response) -> (bool, Option<u64>) {
    let of_line = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let is_size = words.next().is_some_and(|word| word.eq_ignore_ascii_case("SIZE"));
        is_size.then(|| words.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0))
    };
    let found = offers.message().find_map(of_line);
    (found.is_some(), found.flatten())
}

/// One step of a conversation within its time limit.
async fn step<T>(
    phase: Phase,
    limit: Duration,
    reply: impl Future<Output = Result<T, lettre::transport::smtp::Error>>,
) -> Result<T, Break> {
    let Ok(reply) = tokio::time::timeout(limit, reply).await else {
        return Err(Break::Lost { phase, words: format!("no reply within {} s", limit.as_secs_f64()) });
    };
    reply.map_err(|error| {
        let source = std::error::Error::source(&error).map(ToString::to_string);
        let words = source.unwrap_or_else(|| error.to_string());
        match error.status() {
            Some(code) => Break::Refused { phase, code: u16::from(code), words },
            None => Break::Lost { phase: if error.is_tls() { phase.max(Phase::Tls) } else { phase }, words },
        }
    })
}

/// A reply's code and lines in one line.
fn joined(reply: &Response) -> String {
    let lines: Vec<&str> = reply.message().collect();
    format!("{} {}", u16::from(reply.code()), lines.join(" "))
}
