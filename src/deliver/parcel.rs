//! What is handed over to one recipient.

use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::base::{Digest, EditionId, Period};

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

/// A picture that the HTML shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Inline {
    /// By which the HTML names it, as in `cid:…`; without angle brackets.
    pub content_id: String,
    /// Its name, for programs that list it.
    pub file_name: String,
    /// Its media type.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Bytes,
}

/// What the mails of one schedule are told by: rules of mail programs sort by it (RFC 2919).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MailList {
    /// For people: the report and its schedule.
    pub name: String,
    /// For programs: as in `monthly.pressrun.example.com`, always the same.
    pub id: String,
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
    /// In a rehearsal: who would get it, for a header.
    pub rehearsed_for: Option<Mailbox>,
    /// What it is one of; no header without.
    pub list: Option<MailList>,
    /// The Message-ID of the mail that it follows on, without angle brackets: the same period's earlier revision.
    pub references: Option<String>,
    /// The subject.
    pub subject: String,
    /// The body as text.
    pub text: String,
    /// The body as HTML.
    pub html: String,
    /// The pictures that the HTML shows.
    pub inline: Vec<Inline>,
    /// The files, in order.
    pub attachments: Vec<Attachment>,
    /// Which edition they are, for destinations that file them under names; none for what is no edition.
    pub edition: Option<ParcelEdition>,
}

/// The edition that a parcel brings: what a store's names are made of, and its manifest.
#[derive(Clone, PartialEq, Eq)]
pub struct ParcelEdition {
    /// Its id, printed as *Report ID*.
    pub id: EditionId,
    /// The schedule's name.
    pub schedule: String,
    /// What it is about.
    pub period: Period,
    /// The partner's id.
    pub partner_id: String,
    /// The partner's name.
    pub partner_name: String,
    /// The role's key, as in `report-viewer`.
    pub role: String,
    /// The audience without its partner, as in `report-viewer.en`.
    pub audience: String,
    /// Its number.
    pub revision: u32,
    /// The manifest's name and bytes, as they are archived.
    pub manifest: Attachment,
}

/// The Message-ID of a delivery, without angle brackets: the same however often it is tried.
pub fn message_id(edition: EditionId, address: &str, domain: &str) -> String {
    let id = Digest::of_parts([edition.0.as_bytes().as_slice(), address.to_lowercase().as_bytes()]).to_string();
    format!("{}@{domain}", &id[..40])
}

/// The longest part of a list's id that a schedule's name makes, in characters (RFC 1035, 2.3.4 has 63).
const LABEL_CHARS_MAX: usize = 40;

/// What the mails of a schedule are told by, under the domain of Message-IDs.
pub fn mail_list(title: &str, schedule: &str, domain: &str) -> MailList {
    let safe = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
    let label: String = schedule.chars().map(safe).take(LABEL_CHARS_MAX).collect();
    let label = label.trim_matches('-');
    // Two schedules whose names differ in what a label cannot hold are two lists.
    let label = match label == schedule && !label.is_empty() {
        true => label.to_owned(),
        false => format!("{label}-{}", &Digest::of(schedule.as_bytes()).to_string()[..8]),
    };
    let id = format!("{}.pressrun.{domain}", label.trim_start_matches('-'));
    MailList { name: format!("{title} {schedule}"), id }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_schedule_is_a_list_of_its_own_with_a_name_that_programs_can_hold() {
        let list = mail_list("Product licenses", "monthly", "example.com");
        assert_eq!(
            (list.name.as_str(), list.id.as_str()),
            ("Product licenses monthly", "monthly.pressrun.example.com")
        );
        let odd = ["Monthly", "monthly ", "größe", "", "-", "北京", "a\r\nBcc: x@y", &"long".repeat(50), "a.b", "a b"];
        let ids: std::collections::BTreeSet<String> =
            odd.iter().map(|name| mail_list("x", name, "example.com").id).collect();
        assert_eq!(ids.len(), odd.len());
        for id in ids {
            assert!(id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte)));
            assert!(!id.starts_with(['.', '-']) && id.split('.').all(|label| (1..=63).contains(&label.len())), "{id}");
        }
    }
}
