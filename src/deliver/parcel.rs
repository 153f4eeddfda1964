//! What is handed over to one recipient.

use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::base::{Digest, EditionId};

/// An address with a name that may be empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mailbox {
    /// The name; may be empty.
    pub name: String,
    /// The address.
    pub address: String,
}

/// A file that goes with a mail.
#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its name.
    pub file_name: String,
    /// Its media type.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Bytes,
}

/// A mail for one recipient.
#[derive(Clone, PartialEq, Eq)]
pub struct Parcel {
    /// Fixed by the delivery; without angle brackets.
    pub message_id: String,
    /// The `Date` header: when the delivery was planned.
    pub date_at: DateTime<Utc>,
    /// Who sends it.
    pub from: Mailbox,
    /// Where answers go, if not to the sender.
    pub reply_to: Option<Mailbox>,
    /// The one recipient.
    pub to: Mailbox,
    /// The subject.
    pub subject: String,
    /// The body as text.
    pub text: String,
    /// The body as HTML.
    pub html: String,
    /// The files, in order.
    pub attachments: Vec<Attachment>,
}

/// The Message-ID of a delivery, without angle brackets: the same however often it is tried.
pub fn message_id(edition: EditionId, address: &str, domain: &str) -> String {
    let id = Digest::of_parts([edition.0.as_bytes().as_slice(), address.to_lowercase().as_bytes()]).to_string();
    format!("{}@{domain}", &id[..40])
}
