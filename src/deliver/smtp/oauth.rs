//! Tokens that log in at a relay: OAuth 2.0's client credentials (RFC 6749, 4.4), kept until they end or are refused.

use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use reqwest::Client;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;

use super::session::{Break, Login};
use super::{Phase, SmtpSettingsError};
use crate::base::header_text;
use crate::clock::Stopwatch;
use crate::deliver::http;

/// The longest answer of a token server that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// How long before its end a token is not used any more, in seconds.
const SPARE_SECS: u64 = 60;

/// How long a token lasts whose server does not say, in seconds.
const LASTS_SECS: u64 = 600;

/// Who gives out tokens, to whom.
#[derive(Clone)]
pub struct OauthSettings {
    /// Where: an https address, or an http one on this machine.
    pub token_url: String,
    /// The application's id.
    pub client_id: String,
    /// The application's secret.
    pub client_secret: SecretString,
    /// What the token is for.
    pub scope: String,
}

/// Gets tokens and keeps the last one.
pub(super) struct Tokens {
    from: OauthSettings,
    client: Client,
    limit: Duration,
    kept: Mutex<Option<Kept>>,
}

struct Kept {
    token: SecretString,
    since: Stopwatch,
    lasts: Duration,
}

/// A token to log in with.
pub(super) struct Token {
    secret: SecretString,
    /// Whether it was given out before, and may have been revoked since.
    pub(super) was_kept: bool,
}

impl Token {
    /// It, as a user logs in with it.
    pub(super) fn login(&self, user: &str) -> Login {
        let credentials = Credentials::new(user.to_owned(), self.secret.expose_secret().to_owned());
        Login { credentials, mechanisms: &[Mechanism::Xoauth2] }
    }
}

/// What a token server answers (RFC 6749, 5.1 and 5.2).
#[derive(serde::Deserialize, Default)]
#[serde(default)]
struct Answer {
    access_token: Option<String>,
    expires_in: Option<u64>,
    error: Option<String>,
    error_description: Option<String>,
}

impl Tokens {
    /// Nothing is fetched yet.
    pub(super) fn new(from: OauthSettings, limit: Duration) -> Result<Tokens, SmtpSettingsError> {
        let client = http::client(from.token_url.starts_with("http://"), limit);
        let client = client.map_err(|words| SmtpSettingsError::Tls { host: from.token_url.clone(), words })?;
        Ok(Tokens { from, client, limit, kept: Mutex::default() })
    }

    /// The token that is kept while it lasts, or else a new one; one caller fetches it for all.
    pub(super) async fn token(&self) -> Result<Token, Break> {
        let mut kept = self.kept.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| kept.since.elapsed() < kept.lasts) {
            return Ok(Token { secret: kept.token.clone(), was_kept: true });
        }
        let answer = self.fetch().await.map_err(|words| Break::lost(Phase::Login, &format!("no token: {words}")))?;
        let lasts = answer.expires_in.unwrap_or(LASTS_SECS).saturating_sub(SPARE_SECS);
        let token = SecretString::from(answer.access_token.unwrap_or_default());
        *kept = Some(Kept { token: token.clone(), since: Stopwatch::start(), lasts: Duration::from_secs(lasts) });
        Ok(Token { secret: token, was_kept: false })
    }

    /// Keeps a token no more that a relay refused, unless another has taken its place.
    pub(super) async fn forget(&self, token: &Token) {
        let mut kept = self.kept.lock().await;
        kept.take_if(|kept| kept.token.expose_secret() == token.secret.expose_secret());
    }

    /// A new one; the error is in words, without secrets.
    async fn fetch(&self) -> Result<Answer, String> {
        let OauthSettings { token_url, client_id, client_secret, scope } = &self.from;
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client_id),
            ("client_secret", client_secret.expose_secret()),
            ("scope", scope),
        ];
        let mut response = self.client.post(token_url).form(&form).send().await.map_err(|error| self.words(error))?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.words(error))? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(format!("`{token_url}` answers with more than {ANSWER_BYTES_MAX} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        let answer: Answer = serde_json::from_slice(&body).unwrap_or_default();
        let has_token = answer.access_token.as_ref().is_some_and(|token| !token.is_empty());
        if status.is_success() && has_token {
            return Ok(answer);
        }
        let said: Vec<String> =
            [answer.error, answer.error_description].into_iter().flatten().map(|words| header_text(&words)).collect();
        let said = if said.is_empty() { String::new() } else { format!(" {}", said.join(": ")) };
        Err(format!(
            "`{token_url}` answered {}{said}; hint: check `tenant`, `client_id` and `client_secret`",
            status.as_u16()
        ))
    }

    fn words(&self, error: reqwest::Error) -> String {
        if error.is_timeout() {
            return format!("`{}` did not answer within {} s", self.from.token_url, self.limit.as_secs_f64());
        }
        // The innermost cause says most: reqwest's own words are of the request.
        let mut cause: &dyn std::error::Error = &error.without_url();
        let mut words = cause.to_string();
        while let Some(next) = cause.source() {
            cause = next;
            words = cause.to_string();
        }
        format!("`{}` cannot be reached: {words}", self.from.token_url)
    }
}

impl std::fmt::Debug for OauthSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OauthSettings")
            .field("token_url", &self.token_url)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
