//! The configuration's `[mail]` as it stands in the file, with the place of each value.

use schemars::JsonSchema;
use serde::Deserialize;

use super::at::At;
use super::settings::Tls;

/// Who sends, and through what: an outbox folder or a relay.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMail {
    /// Who sends, as in `Reports <reports@example.com>`.
    #[schemars(required, length(min = 1))]
    pub from: Option<At<String>>,
    /// Where answers go, if not to `from`.
    #[schemars(length(min = 1))]
    pub reply_to: Option<At<String>>,
    /// Whom to ask, as the report and the mail print it.
    #[schemars(required, length(min = 1))]
    pub contact: Option<At<String>>,
    /// The domain of Message-IDs; that of `from` when left out.
    #[schemars(length(min = 1))]
    pub message_id_domain: Option<At<String>>,
    /// A folder for `.eml` files, instead of a relay.
    #[schemars(length(min = 1))]
    pub outbox: Option<At<String>>,
    /// The SMTP relay, instead of an outbox.
    pub relay: Option<At<RawRelay>>,
    /// When a mail that was not taken is tried again.
    pub retries: Option<At<RawRetries>>,
}

/// The SMTP relay that takes the mails.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRelay {
    /// Its name or address.
    #[schemars(required, length(min = 1))]
    pub host: Option<At<String>>,
    /// Its port: 587 for `starttls`, 465 for `implicit`, 25 for `none` when left out.
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<At<u16>>,
    /// How the connection is protected: `starttls`, `implicit`, or `none` to a loopback relay.
    pub tls: Option<At<Tls>>,
    /// Who logs in.
    #[schemars(length(min = 1))]
    pub user: Option<At<String>>,
    /// Where the password is: in the environment or in a file, never here.
    pub password: Option<At<RawSecret>>,
    /// Who gives out the token that `user` logs in with (XOAUTH2), instead of a password.
    pub oauth: Option<At<RawOauth>>,
    /// A file with the certificate authorities that are trusted instead of the system's, as PEM.
    #[schemars(length(min = 1))]
    pub ca_file: Option<At<String>>,
    /// How long to wait for the relay to connect and to answer, in seconds.
    #[schemars(range(min = 1, max = 600))]
    pub timeout_secs: Option<At<u32>>,
    /// The most that one mail's attachments may have together, in bytes.
    #[schemars(range(min = 1, max = 1_073_741_824))]
    pub attachment_bytes_max: Option<At<u64>>,
    /// How many connections are open at once.
    #[schemars(range(min = 1, max = 64))]
    pub connections_max: Option<At<u32>>,
    /// How many mails it takes within a minute.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub per_minute_max: Option<At<u32>>,
    /// How many mails it takes within 24 hours.
    #[schemars(range(min = 1, max = 100_000_000))]
    pub per_day_max: Option<At<u32>>,
}

/// Who gives out the token that logs in: OAuth 2.0's client credentials (RFC 6749, 4.4).
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOauth {
    /// The Microsoft Entra tenant, its id or domain; instead of `token_url`.
    #[schemars(length(min = 1))]
    pub tenant: Option<At<String>>,
    /// Where tokens are given out; instead of `tenant`.
    #[schemars(length(min = 1))]
    pub token_url: Option<At<String>>,
    /// The application's id.
    #[schemars(required, length(min = 1))]
    pub client_id: Option<At<String>>,
    /// Where the application's secret is: in the environment or in a file, never here.
    #[schemars(required)]
    pub client_secret: Option<At<RawSecret>>,
    /// What the token is for; Exchange Online when left out.
    #[schemars(length(min = 1))]
    pub scope: Option<At<String>>,
}

/// Where a secret is: in an environment variable or in a file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend(
    "x-refusal" = "a secret must not stand in the configuration",
    "x-hint" = "name where it is: `{ env = \"SMTP_PASSWORD\" }` or `{ file = \"smtp-password\" }`"
))]
pub(super) struct RawSecret {
    /// The environment variable that holds it.
    #[schemars(length(min = 1))]
    pub env: Option<At<String>>,
    /// The file that holds it, which others may not read; a line end at its end does not count.
    #[schemars(length(min = 1))]
    pub file: Option<At<String>>,
}

/// When a mail that was not taken is tried again: the wait doubles from try to try, between two bounds.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRetries {
    /// How often a mail is tried, the first time included.
    #[schemars(range(min = 1, max = 100))]
    pub attempts_max: Option<At<u32>>,
    /// The wait after the first try, in seconds.
    #[schemars(range(min = 1, max = 86_400))]
    pub backoff_secs_min: Option<At<u32>>,
    /// The longest wait, in seconds.
    #[schemars(range(min = 1, max = 604_800))]
    pub backoff_secs_max: Option<At<u32>>,
    /// How long after its first try a mail is given up, in hours.
    #[schemars(range(min = 1, max = 720))]
    pub deadline_hours: Option<At<u32>>,
}
