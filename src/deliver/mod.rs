//! Hands one parcel over, once, and says how it went.

pub mod brakes;
mod disposition;
#[cfg(test)]
pub(crate) mod failing;
mod handed;
mod http;
mod loopback;
mod mime;
mod outbox;
mod parcel;
mod rehearsal;
#[cfg(test)]
#[path = "../../tests/it/support/smtp.rs"]
pub(crate) mod relay;
mod smtp;
mod store;

use futures::future::BoxFuture;

pub use brakes::{Brakes, NewDomain};
pub use handed::{Handed, Phase};
pub use loopback::is_loopback;
pub use mime::encoded_bytes;
pub use outbox::Outbox;
pub use parcel::{Attachment, Inline, MailList, Mailbox, Parcel, ParcelEdition, mail_list, message_id};
pub use rehearsal::Rehearsal;
pub use smtp::{OauthSettings, Smtp, SmtpLogin, SmtpSettings, SmtpSettingsError, TlsMode};
pub use store::{PathTemplate, PathTemplateError, STORE_TEXT_CHARS, Store, StorePlace, StoreSettings, is_store_text};

/// Where parcels go. One parcel is for one recipient.
pub trait Destination: Send + Sync {
    /// Its name in messages, without secrets: `relay smtp.example.com:587`.
    fn name(&self) -> String;

    /// Hands a parcel over. Never panics, and never says `Failed` or `Retryable` when the parcel may have
    /// been taken: that is `Uncertain`.
    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> BoxFuture<'a, Handed>;

    /// Whether a parcel was already taken, where that can be known (a folder can tell, a relay cannot).
    fn receipt<'a>(&'a self, message_id: &'a str) -> BoxFuture<'a, Option<Receipt>>;

    /// Whether [`Destination::receipt`] tells for certain: what it has no receipt of was not taken.
    fn can_tell(&self) -> bool {
        false
    }

    /// How large a mail it takes; asks once where it does not know yet.
    fn bytes_max(&self) -> BoxFuture<'_, BytesMax> {
        Box::pin(std::future::ready(BytesMax::default()))
    }

    /// Connects, logs in and leaves again, without handing anything over; for `check`.
    ///
    /// # Errors
    /// In words, with what to do.
    fn check(&self) -> BoxFuture<'_, Result<String, String>>;
}

/// How large a mail may be; no bound where there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BytesMax {
    /// A whole mail, in bytes as sent.
    pub mail: Option<u64>,
    /// Its attachments together, in bytes before they are encoded.
    pub attachments: Option<u64>,
}

/// How a hand-over went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It was taken; here is the proof.
    Delivered(Receipt),
    /// It was not taken, and may be tried again.
    Retryable(String),
    /// It was not taken since it is too large; a smaller one may be.
    TooLarge {
        /// How large it was, in bytes as sent.
        n_bytes: u64,
        /// In whose words.
        reason: String,
    },
    /// It was not taken and never will be.
    Failed(String),
    /// It may have been taken; nobody can tell.
    Uncertain(String),
}

/// The proof of acceptance: the relay's last words, or the file's path.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Receipt(pub String);
