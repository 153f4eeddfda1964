//! A parcel as the bytes of a mail: the same parcel, the same bytes.

use std::time::SystemTime;

use lettre::Address;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Body, Mailbox, Message, MultiPart, SinglePart};

use super::Parcel;
use crate::base::{Digest, header_text};

/// A mail as a relay or a folder takes it.
pub(super) struct Mail {
    /// The envelope's sender.
    pub from: Address,
    /// The envelope's one recipient.
    pub to: Address,
    /// Headers and body, lines ended by CR LF.
    pub bytes: Vec<u8>,
}

/// Builds the mail of a parcel; the error is in words, without the address.
pub(super) fn mail(parcel: &Parcel) -> Result<Mail, String> {
    let from = mailbox("sender", &parcel.from)?;
    let to = mailbox("recipient", &parcel.to)?;
    let id = safe_id(&parcel.message_id)?;
    let (from_address, to_address) = (from.email.clone(), to.email.clone());
    let mut builder = Message::builder()
        .message_id(Some(format!("<{id}>")))
        .date(SystemTime::from(parcel.date_at))
        .from(from)
        .to(to)
        .subject(header_text(&parcel.subject))
        // RFC 3834: keeps out-of-office notes from answering a machine.
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()));
    if let Some(reply_to) = &parcel.reply_to {
        builder = builder.reply_to(mailbox("reply-to", reply_to)?);
    }
    let message = builder.multipart(body(parcel)?).map_err(|error| format!("the mail cannot be built: {error}"))?;
    Ok(Mail { from: from_address, to: to_address, bytes: message.formatted() })
}

/// Text and HTML as alternatives, then the attachments in order.
fn body(parcel: &Parcel) -> Result<MultiPart, String> {
    // lettre draws boundaries at random; ours come from the Message-ID, so that the bytes repeat.
    let boundary = |kind: &str| {
        let digest = Digest::of_parts([kind.as_bytes(), parcel.message_id.as_bytes()]).to_string();
        format!("pressrun-{kind}-{}", &digest[..32])
    };
    let alternative = MultiPart::alternative()
        .boundary(boundary("alternative"))
        .singlepart(SinglePart::plain(parcel.text.clone()))
        .singlepart(SinglePart::html(parcel.html.clone()));
    let mut mixed = MultiPart::mixed().boundary(boundary("mixed")).multipart(alternative);
    for attachment in &parcel.attachments {
        let name = header_text(&attachment.file_name);
        let content_type = ContentType::parse(&attachment.media_type)
            .map_err(|_| format!("`{}` is no media type", header_text(&attachment.media_type)))?;
        // Base64 even for plain text: an attachment's bytes must arrive as they are, line ends included.
        let content = Body::new_with_encoding(attachment.bytes.to_vec(), ContentTransferEncoding::Base64)
            .map_err(|_| format!("attachment `{name}` cannot be encoded"))?;
        mixed = mixed.singlepart(Attachment::new(name).body(content, content_type));
    }
    Ok(mixed)
}

fn mailbox(whose: &str, mailbox: &super::Mailbox) -> Result<Mailbox, String> {
    let address = mailbox.address.trim().parse::<Address>();
    // The address itself stays out of the words: they reach logs.
    let address = address.map_err(|error| format!("the {whose} has no valid mail address: {error}"))?;
    let name = header_text(&mailbox.name);
    Ok(Mailbox::new((!name.is_empty()).then_some(name), address))
}

/// A Message-ID that cannot end its header or its angle brackets.
fn safe_id(id: &str) -> Result<&str, String> {
    let allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>');
    if !id.is_empty() && id.bytes().all(allowed) {
        Ok(id)
    } else {
        Err(format!("`{}` is no Message-ID", header_text(id)))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::deliver;

    /// A parcel with two attachments and a name in two scripts.
    pub(in crate::deliver) fn parcel(to: &str) -> Parcel {
        let mailbox = |name: &str, address: &str| deliver::Mailbox { name: name.into(), address: address.into() };
        let attachment = |name: &str, kind: &str, bytes: &'static [u8]| deliver::Attachment {
            file_name: name.into(),
            media_type: kind.into(),
            bytes: bytes.into(),
        };
        Parcel {
            message_id: "0123456789abcdef0123456789abcdef01234567@reports.example".into(),
            date_at: chrono::DateTime::from_timestamp(1_795_226_400, 0).unwrap(),
            from: mailbox("Berichte Größe", "reports@example.com"),
            reply_to: Some(mailbox("", "help@example.com")),
            to: mailbox("سارة", to),
            subject: "Product licenses · October 2026".into(),
            text: "Licenses 173,682 ▲ +7.74%\n.\nline\n".into(),
            html: "<p>Licenses 173,682</p>".into(),
            attachments: vec![
                attachment("Größe 北京.pdf", "application/pdf", b"%PDF-1.7\n\xff\x00"),
                attachment("rows.csv", "text/csv", b"a,b\n1,2\n"),
            ],
        }
    }

    fn text(parcel: &Parcel) -> String {
        String::from_utf8(mail(parcel).unwrap().bytes).unwrap()
    }

    #[test]
    fn the_same_parcel_gives_the_same_ascii_bytes() {
        let parcel = parcel("cfo@example.com");
        let bytes = mail(&parcel).unwrap().bytes;
        assert_eq!(bytes, mail(&parcel).unwrap().bytes);
        assert!(bytes.is_ascii());
        let text = text(&parcel);
        assert!(text.contains("Message-ID: <0123456789abcdef0123456789abcdef01234567@reports.example>\r\n"), "{text}");
        // 1,795,226,400 seconds after the epoch, by `date -u -R -d @1795226400`.
        assert!(text.contains("Date: Sat, 21 Nov 2026 02:00:00 +0000\r\n"), "{text}");
        assert!(text.contains("Auto-Submitted: auto-generated\r\n"));
    }

    #[test]
    fn attachments_follow_the_body_in_order_and_byte_for_byte() {
        let text = text(&parcel("cfo@example.com"));
        let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what} in {text}"));
        let order = ["text/plain", "text/html", "application/pdf", "text/csv"].map(at);
        assert!(order.is_sorted(), "{order:?}");
        // By `printf 'a,b\n1,2\n' | base64` and `printf '%%PDF-1.7\n\xff\x00' | base64`.
        assert!(text.contains("YSxiCjEsMgo="), "{text}");
        assert!(text.contains("JVBERi0xLjcK/wA="), "{text}");
    }

    #[test]
    fn foreign_text_never_adds_a_header() {
        let mut hostile = parcel("cfo@example.com");
        hostile.subject = "a\r\nBcc: thief@example.com\r\n\r\nbody".into();
        hostile.to.name = "x\r\nBcc: thief@example.com".into();
        hostile.attachments[0].file_name = "a\"b\r\nX-Evil: 1.pdf".into();
        let text = text(&hostile);
        assert!(!text.lines().any(|line| line.starts_with("Bcc:") || line.starts_with("X-Evil:")), "{text}");
        let mut broken = parcel("cfo@example.com");
        broken.message_id = "a>\r\nBcc: x".into();
        assert!(mail(&broken).is_err());
    }

    #[test]
    fn a_broken_address_is_named_without_being_shown() {
        for address in ["", "nobody", "a@b\r\nBcc: c@d.example", "a b@example.com"] {
            let error = mail(&parcel(address)).err().unwrap();
            assert!(error.contains("recipient has no valid mail address"), "{error}");
            assert!(address.is_empty() || !error.contains(address), "{error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_name_breaks_a_mail(name in ".{0,300}", subject in ".{0,300}", file in "\\PC{0,300}", body in "(?s).{0,300}") {
            let mut parcel = parcel("cfo@example.com");
            (parcel.to.name, parcel.subject, parcel.text) = (name, subject, body);
            parcel.attachments[0].file_name = file;
            let bytes = mail(&parcel).unwrap().bytes;
            proptest::prop_assert!(bytes.is_ascii());
            let text = String::from_utf8(bytes).unwrap();
            let head = text.split("\r\n\r\n").next().unwrap();
            let names: Vec<&str> = head.lines().filter(|line| !line.starts_with([' ', '\t'])).collect();
            let expected = [
                "Message-ID:", "Date:", "From:", "To:", "Subject:", "Auto-Submitted:", "Reply-To:",
                "MIME-Version:", "Content-Type:",
            ];
            let fits = names.len() == expected.len() && names.iter().zip(expected).all(|(line, name)| line.starts_with(name));
            proptest::prop_assert!(fits, "{}", head);
            // RFC 5322 (2.1.1).
            proptest::prop_assert!(text.lines().all(|line| line.len() <= 998));
        }
    }
}
