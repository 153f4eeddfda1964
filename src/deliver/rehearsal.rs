//! A destination that stands before another and gives it every mail for one address: nobody else gets any.

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::{BytesMax, Destination, Handed, Mailbox, Parcel, Receipt};

/// What the subject of every rehearsed mail begins with.
const MARK: &str = "[Rehearsal] ";

/// Gives all mails to one address, each with its recipient in a header, a marked subject and a Message-ID of this
/// rehearsal's own: a program that keeps one of two mails with the same id must not keep the rehearsed one of these.
pub struct Rehearsal {
    behind: Arc<dyn Destination>,
    to: Mailbox,
    mark: String,
}

impl Rehearsal {
    /// Mails to that address, through another destination; `mark` tells this rehearsal's Message-IDs from others', in
    /// letters and digits.
    pub fn new(behind: Arc<dyn Destination>, to: Mailbox, mark: &str) -> Rehearsal {
        Rehearsal { behind, to, mark: mark.to_owned() }
    }

    fn message_id(&self, own: &str) -> String {
        format!("rehearsal-{}-{own}", self.mark)
    }

    fn rehearsed(&self, parcel: &Parcel) -> Parcel {
        Parcel {
            message_id: self.message_id(&parcel.message_id),
            subject: format!("{MARK}{}", parcel.subject),
            rehearsed_for: Some(parcel.to.clone()),
            to: self.to.clone(),
            ..parcel.clone()
        }
    }
}

impl Destination for Rehearsal {
    fn name(&self) -> String {
        self.behind.name()
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> BoxFuture<'a, Handed> {
        async move { self.behind.deliver(&self.rehearsed(parcel)).await }.boxed()
    }

    fn receipt<'a>(&'a self, message_id: &'a str) -> BoxFuture<'a, Option<Receipt>> {
        async move { self.behind.receipt(&self.message_id(message_id)).await }.boxed()
    }

    fn can_tell(&self) -> bool {
        self.behind.can_tell()
    }

    fn bytes_max(&self) -> BoxFuture<'_, BytesMax> {
        self.behind.bytes_max()
    }

    fn check(&self) -> BoxFuture<'_, Result<String, String>> {
        self.behind.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::mime::tests::parcel;
    use crate::deliver::{Outbox, Outcome};

    #[tokio::test]
    async fn a_rehearsed_mail_is_for_one_address_and_names_its_recipient_in_a_header() {
        let folder = tempfile::tempdir().unwrap();
        let trap = Mailbox { name: String::new(), address: "trap@example.org".to_owned() };
        let rehearsal = Rehearsal::new(Arc::new(Outbox::new(folder.path())), trap, "20261121T060000");
        let real = parcel("cfo@example.com");
        let Outcome::Delivered(receipt) = rehearsal.deliver(&real).await.outcome else { panic!() };
        let mail = std::fs::read_to_string(&receipt.0).unwrap();
        let (headers, _) = mail.split_once("\r\n\r\n").unwrap();
        let value = |name: &str| {
            let line = headers.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{headers}"));
            line.trim().to_owned()
        };
        assert_eq!(value("To:"), "trap@example.org");
        assert!(value("X-Pressrun-Rehearsed-For:").ends_with("<cfo@example.com>"), "{headers}");
        assert!(value("Subject:").starts_with("[Rehearsal] "), "{headers}");
        assert_eq!(value("Message-ID:"), format!("<rehearsal-20261121T060000-{}>", real.message_id));
        assert_eq!(headers.matches("cfo@example.com").count(), 1, "{headers}");
        // Another rehearsal of the same mail is another mail; this one knows its own.
        assert_eq!(rehearsal.receipt(&real.message_id).await, Some(receipt));
        assert_eq!(Outbox::new(folder.path()).receipt(&real.message_id).await, None);
    }

    #[tokio::test]
    async fn a_recipients_name_ends_no_header() {
        let trap = Mailbox { name: String::new(), address: "trap@example.org".to_owned() };
        let folder = tempfile::tempdir().unwrap();
        let rehearsal = Rehearsal::new(Arc::new(Outbox::new(folder.path())), trap, "1");
        let mut hostile = parcel("cfo@example.com");
        hostile.to.name = "Größe, \"x\"\r\nBcc: all@example.com".to_owned();
        let Outcome::Delivered(receipt) = rehearsal.deliver(&hostile).await.outcome else { panic!() };
        let mail = std::fs::read_to_string(&receipt.0).unwrap();
        let (headers, _) = mail.split_once("\r\n\r\n").unwrap();
        assert!(headers.lines().all(|line| !line.starts_with("Bcc")), "{headers}");
        assert!(headers.contains("<cfo@example.com>"), "{headers}");
    }
}
