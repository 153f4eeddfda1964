//! Mails through a relay by SMTP: one envelope per recipient, and an honest word on how each went.

mod oauth;
mod session;
mod settings;
#[cfg(test)]
mod tests;
mod verdict;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::TlsParameters;
use secrecy::ExposeSecret as _;
use tokio::sync::Semaphore;

pub use oauth::OauthSettings;
pub use settings::{SmtpLogin, SmtpSettings, SmtpSettingsError, TlsMode};

use self::oauth::Tokens;
use self::session::{Break, Login, Session};
use super::mime::{self, Mail};
use super::{BytesMax, Destination, Handed, Outcome, Parcel, Phase, Receipt};

/// A relay that takes mails by SMTP.
///
/// Connections are kept for the next mail, at most as many as the settings allow; a mail waits for a free one.
pub struct Smtp {
    settings: SmtpSettings,
    tls: Option<TlsParameters>,
    /// How long one reply is awaited.
    reply_timeout: Duration,
    /// How long a mail's content and the reply to it may take.
    content_timeout: Duration,
    connections: Semaphore,
    idle: Mutex<Vec<Session>>,
    /// Where a user that logs in by a token has it from.
    tokens: Option<Tokens>,
    size: Mutex<Size>,
    /// So that it is asked once, however many mails want to know.
    asking: tokio::sync::Mutex<()>,
}

/// What is known of the largest mail that a relay takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Size {
    /// It was not asked yet.
    #[default]
    Unknown,
    /// It did not answer; the next mail's own connection tells.
    Unanswered,
    /// What the last connection said; none when it states no bound.
    Known(Option<u64>),
}

/// RFC 5321 (4.5.3.2) has five minutes for a command's reply and ten for the content's, after which a relay
/// may still have taken the mail: the content is given this many times as long as a reply.
const CONTENT_TIMEOUT_FACTOR: u32 = 10;

impl Smtp {
    /// A relay by its settings; nothing is connected yet.
    ///
    /// # Errors
    /// When TLS is off for a relay that is not on this machine, when a user stands without a password, when the
    /// CA file is not one, or when a bound is zero.
    pub fn new(settings: SmtpSettings) -> Result<Smtp, SmtpSettingsError> {
        let tls = settings.checked()?;
        let reply_timeout = Duration::from_secs(settings.timeout_secs);
        let tokens = match &settings.login {
            Some(SmtpLogin::Oauth { from, .. }) => Some(Tokens::new(from.clone(), reply_timeout)?),
            Some(SmtpLogin::Password { .. }) | None => None,
        };
        Ok(Smtp {
            tls,
            tokens,
            reply_timeout,
            content_timeout: reply_timeout.saturating_mul(CONTENT_TIMEOUT_FACTOR),
            connections: Semaphore::new(settings.connections_max.min(Semaphore::MAX_PERMITS)),
            idle: Mutex::default(),
            size: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
            settings,
        })
    }

    async fn hand_over(&self, parcel: &Parcel) -> Handed {
        let mail = match mime::mail(parcel) {
            Ok(mail) => mail,
            Err(words) => return Outcome::Failed(words).into(),
        };
        let n_bytes: u64 = parcel.attachments.iter().map(|attachment| attachment.bytes.len() as u64).sum();
        let bound = self.settings.attachment_bytes_max;
        if n_bytes > bound {
            let reason = format!("the attachments have {n_bytes} bytes, more than `attachment_bytes_max` = {bound}");
            return Outcome::TooLarge { n_bytes: mail.bytes.len() as u64, reason }.into();
        }
        let Ok(_place) = self.connections.acquire().await else {
            return Outcome::Retryable("the relay's connections are closed".to_owned()).into();
        };
        match self.send(&mail).await {
            Ok(reply) => verdict::taken(&reply, &mail),
            Err(broken) => verdict::not_taken(&self.name(), broken, mail.bytes.len() as u64),
        }
    }

    /// The largest mail that the relay takes, by its last connection. Connects if there was none yet; the connection is
    /// kept for the next mail.
    async fn size(&self) -> Option<u64> {
        let _asking = self.asking.lock().await;
        if self.known() == Size::Unknown
            && let Ok(_place) = self.connections.acquire().await
        {
            match self.open().await {
                Ok(session) => self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session),
                Err(_) => self.learn(Size::Unanswered),
            }
        }
        match self.known() {
            Size::Known(size) => size,
            Size::Unknown | Size::Unanswered => None,
        }
    }

    fn known(&self) -> Size {
        *self.size.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn learn(&self, size: Size) {
        *self.size.lock().unwrap_or_else(PoisonError::into_inner) = size;
    }

    /// Sends over a kept connection if there is one, else over a new one.
    async fn send(&self, mail: &Mail) -> Result<String, Break> {
        if let Some(kept) = self.kept() {
            match self.send_over(kept, mail).await {
                // Relays close idle connections; the mail has not been heard of yet, so a new one is safe.
                Err(broken) if broken.is_dead_connection() => {}
                sent => return sent,
            }
        }
        self.send_over(self.open().await?, mail).await
    }

    /// Opens a connection and logs in: by a token that is kept, or else, once, by a new one.
    async fn open(&self) -> Result<Session, Break> {
        let Some(SmtpLogin::Oauth { user, .. }) = &self.settings.login else {
            return Session::open(self, self.password()).await;
        };
        let Some(tokens) = &self.tokens else { return Session::open(self, None).await };
        let token = tokens.token().await?;
        match Session::open(self, Some(token.login(user))).await {
            Err(broken) if broken.is_refused_login() && token.was_kept => {
                tokens.forget(&token).await;
                Session::open(self, Some(tokens.token().await?.login(user))).await
            }
            opened => opened,
        }
    }

    fn password(&self) -> Option<Login> {
        match &self.settings.login {
            Some(SmtpLogin::Password { user, password }) => {
                let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
                Some(Login { credentials, mechanisms: DEFAULT_MECHANISMS })
            }
            Some(SmtpLogin::Oauth { .. }) | None => None,
        }
    }

    /// Sends over a connection, and keeps it if it is still good.
    async fn send_over(&self, mut session: Session, mail: &Mail) -> Result<String, Break> {
        let sent = session.send(self, mail).await;
        let is_good = match &sent {
            Ok(_) => true,
            Err(broken) => broken.leaves_connection() && session.reset(self).await,
        };
        if is_good {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
        }
        sent
    }

    fn kept(&self) -> Option<Session> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

impl Destination for Smtp {
    fn name(&self) -> String {
        format!("relay {}:{}", self.settings.host, self.settings.port)
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> BoxFuture<'a, Handed> {
        self.hand_over(parcel).boxed()
    }

    fn receipt<'a>(&'a self, _message_id: &'a str) -> BoxFuture<'a, Option<Receipt>> {
        // SMTP has no way to ask a relay for a mail it took.
        async { None }.boxed()
    }

    fn bytes_max(&self) -> BoxFuture<'_, BytesMax> {
        async { BytesMax { mail: self.size().await, attachments: Some(self.settings.attachment_bytes_max) } }.boxed()
    }

    fn check(&self) -> BoxFuture<'_, Result<String, String>> {
        async move {
            let tried = async {
                let mut session = self.open().await?;
                session.leave(self).await?;
                Ok(session)
            };
            let session = tried.await.map_err(|broken| verdict::words(&self.name(), &broken))?;
            Ok(verdict::greeting(self, &session))
        }
        .boxed()
    }
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Smtp").field("settings", &self.settings).finish_non_exhaustive()
    }
}
