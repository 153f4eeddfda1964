//! What an admin says of a relay.

use std::path::PathBuf;

use lettre::transport::smtp::client::{Certificate, TlsParameters};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::oauth::OauthSettings;
use crate::deliver::is_loopback;

/// How the connection to a relay is encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TlsMode {
    /// Begun in plain and encrypted by STARTTLS before anything is said (port 587); a relay without it is refused.
    #[default]
    Starttls,
    /// Encrypted from the first byte (port 465).
    Implicit,
    /// Not at all: for a relay on this very machine only.
    None,
}

/// Who logs in at a relay, and by what.
#[derive(Clone)]
pub enum SmtpLogin {
    /// A user by a password: PLAIN, or else LOGIN.
    Password {
        /// The user.
        user: String,
        /// The password.
        password: SecretString,
    },
    /// A user by a token: XOAUTH2.
    Oauth {
        /// The user: the mailbox that sends.
        user: String,
        /// Who gives the token out.
        from: OauthSettings,
    },
}

/// What an admin says of a relay. Its `Debug` shows neither user nor password.
#[derive(Clone)]
pub struct SmtpSettings {
    /// The relay's name or IP address; its certificate must be for it.
    pub host: String,
    /// Its port: 587, 465 or, on this machine, 25.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: TlsMode,
    /// Who logs in, if the relay wants that.
    pub login: Option<SmtpLogin>,
    /// A PEM file of certificate authorities trusted beside the machine's own.
    pub ca_file: Option<PathBuf>,
    /// What we call ourselves in EHLO; the machine's name if not given.
    pub hello_name: Option<String>,
    /// How long one reply is awaited, in seconds; the reply to a mail's content ten times that.
    pub timeout_secs: u64,
    /// How much the attachments of one mail may have together, in bytes, before they are encoded.
    pub attachment_bytes_max: u64,
    /// How many connections may stand at once.
    pub connections_max: usize,
}

/// Settings that make no safe relay.
#[derive(Debug, thiserror::Error)]
pub enum SmtpSettingsError {
    /// TLS is off and the relay is elsewhere.
    #[error(
        "`tls = \"none\"` is for a relay on this machine only, and `{0}` is not; hint: use `starttls` or `implicit`"
    )]
    PlainBeyondLoopback(String),
    /// No host.
    #[error("`host` is empty; hint: name the relay, as in `smtp.example.com`")]
    NoHost,
    /// The CA file cannot be read.
    #[error("ca_file `{path}` cannot be read: {source}")]
    CaUnreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The CA file holds no certificate.
    #[error("ca_file `{0}` holds no certificate; hint: it must be PEM, with `-----BEGIN CERTIFICATE-----`")]
    CaWithoutCertificate(PathBuf),
    /// The TLS library refused.
    #[error("TLS for `{host}` cannot be set up: {words}")]
    Tls {
        /// The relay.
        host: String,
        /// What the library says.
        words: String,
    },
    /// A bound of zero.
    #[error("`{0}` is 0, and must be 1 or more")]
    ZeroBound(&'static str),
    /// A name for EHLO that would not be one word.
    #[error("`hello_name` must be a host name, as in `reports.example.com`")]
    HelloName,
}

impl SmtpSettings {
    /// Checks them, and prepares TLS where it is wanted.
    pub(super) fn checked(&self) -> Result<Option<TlsParameters>, SmtpSettingsError> {
        if self.host.trim().is_empty() {
            return Err(SmtpSettingsError::NoHost);
        }
        if self.timeout_secs == 0 {
            return Err(SmtpSettingsError::ZeroBound("timeout_secs"));
        }
        if self.connections_max == 0 {
            return Err(SmtpSettingsError::ZeroBound("connections_max"));
        }
        let is_word = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
        if self.hello_name.as_deref().is_some_and(|name| !is_word(name)) {
            return Err(SmtpSettingsError::HelloName);
        }
        match self.tls {
            TlsMode::None if is_loopback(&self.host) => Ok(None),
            TlsMode::None => Err(SmtpSettingsError::PlainBeyondLoopback(self.host.clone())),
            TlsMode::Starttls | TlsMode::Implicit => self.tls_parameters().map(Some),
        }
    }

    fn tls_parameters(&self) -> Result<TlsParameters, SmtpSettingsError> {
        let refused = |error: lettre::transport::smtp::Error| SmtpSettingsError::Tls {
            host: self.host.clone(),
            words: error.to_string(),
        };
        let mut builder = TlsParameters::builder(self.host.clone());
        if let Some(path) = &self.ca_file {
            let unreadable = |source| SmtpSettingsError::CaUnreadable { path: path.clone(), source };
            let pem = std::fs::read(path).map_err(unreadable)?;
            // lettre takes a file without any certificate for an empty list of them.
            if !String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----") {
                return Err(SmtpSettingsError::CaWithoutCertificate(path.clone()));
            }
            builder = builder.add_root_certificate(Certificate::from_pem(&pem).map_err(refused)?);
        }
        builder.build_rustls().map_err(refused)
    }
}

impl std::fmt::Debug for SmtpSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmtpSettings")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("tls", &self.tls)
            .field("logs_in", &self.login.is_some())
            .field("ca_file", &self.ca_file)
            .field("hello_name", &self.hello_name)
            .field("timeout_secs", &self.timeout_secs)
            .field("attachment_bytes_max", &self.attachment_bytes_max)
            .field("connections_max", &self.connections_max)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::Smtp;

    fn settings() -> SmtpSettings {
        SmtpSettings {
            host: "127.0.0.1".into(),
            port: 25,
            tls: TlsMode::None,
            login: None,
            ca_file: None,
            hello_name: None,
            timeout_secs: 60,
            attachment_bytes_max: 25_000_000,
            connections_max: 2,
        }
    }

    #[test]
    fn without_tls_only_this_machine_is_a_relay() {
        for host in ["127.0.0.1", "localhost", "LOCALHOST", "::1", "[::1]", "127.8.8.8"] {
            assert!(Smtp::new(SmtpSettings { host: host.into(), ..settings() }).is_ok(), "{host}");
        }
        for host in ["smtp.example.com", "10.0.0.1", "localhost.example.com", "127.0.0.1.example.com", "0.0.0.0"] {
            let error = Smtp::new(SmtpSettings { host: host.into(), ..settings() }).unwrap_err();
            assert!(matches!(error, SmtpSettingsError::PlainBeyondLoopback(_)), "{host}: {error}");
        }
    }

    #[test]
    fn what_makes_no_relay_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "nothing").unwrap();
        let starttls = SmtpSettings { tls: TlsMode::Starttls, ..settings() };
        for (settings, words) in [
            (SmtpSettings { host: " ".into(), ..settings() }, "`host` is empty"),
            (SmtpSettings { timeout_secs: 0, ..settings() }, "`timeout_secs` is 0"),
            (SmtpSettings { connections_max: 0, ..settings() }, "`connections_max` is 0"),
            (SmtpSettings { hello_name: Some("a\r\nQUIT".into()), ..settings() }, "`hello_name` must be a host name"),
            (SmtpSettings { ca_file: Some(empty), ..starttls.clone() }, "holds no certificate"),
            (SmtpSettings { ca_file: Some(folder.path().join("none.pem")), ..starttls }, "cannot be read"),
        ] {
            let error = Smtp::new(settings).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn neither_user_nor_password_is_ever_printed() {
        let (user, password) = ("robot@example.com".to_owned(), SecretString::from("hunter2"));
        let settings = SmtpSettings { login: Some(SmtpLogin::Password { user, password }), ..settings() };
        let printed = format!("{settings:?} {:?}", Smtp::new(settings.clone()).unwrap());
        assert!(!printed.contains("hunter2") && !printed.contains("robot"), "{printed}");
    }
}
