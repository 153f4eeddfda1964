//! A parcel as the bytes of a mail: the same parcel, the same bytes.

use std::time::SystemTime;

use lettre::Address;
use lettre::message::header::{ContentId, ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, Message, MultiPart, SinglePart};

use super::disposition::Disposition;
use super::{MailList, Parcel};
use crate::base::{Digest, ascii_name, header_text};

/// The header of a rehearsed mail that names who would get it.
const REHEARSED_FOR: &str = "X-Pressrun-Rehearsed-For";

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
    if let Some(recipient) = &parcel.rehearsed_for {
        let value = mailbox("recipient", recipient)?.to_string();
        builder = builder.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(REHEARSED_FOR), value));
    }
    if let Some(list) = &parcel.list {
        builder = builder.raw_header(list_id(list)?);
    }
    if let Some(earlier) = &parcel.references {
        builder = builder.references(format!("<{}>", safe_id(earlier)?));
    }
    if let Some(reply_to) = &parcel.reply_to {
        builder = builder.reply_to(mailbox("reply-to", reply_to)?);
    }
    let message = builder.multipart(body(parcel)?).map_err(|error| format!("the mail cannot be built: {error}"))?;
    Ok(Mail { from: from_address, to: to_address, bytes: message.formatted() })
}

/// How many bytes a parcel's mail has as it is sent, or why it cannot be built.
///
/// # Errors
/// In words, without the address.
pub fn encoded_bytes(parcel: &Parcel) -> Result<u64, String> {
    Ok(mail(parcel)?.bytes.len() as u64)
}

/// Text and HTML as alternatives, the HTML with its pictures, then the attachments in order.
fn body(parcel: &Parcel) -> Result<MultiPart, String> {
    // lettre draws boundaries at random; ours come from the Message-ID, so that the bytes repeat.
    let boundary = |kind: &str| {
        let digest = Digest::of_parts([kind.as_bytes(), parcel.message_id.as_bytes()]).to_string();
        format!("pressrun-{kind}-{}", &digest[..32])
    };
    let alternative = MultiPart::alternative().boundary(boundary("alternative"));
    let alternative = alternative.singlepart(SinglePart::plain(parcel.text.clone()));
    let html = SinglePart::html(parcel.html.clone());
    let alternative = if parcel.inline.is_empty() {
        alternative.singlepart(html)
    } else {
        // The pictures stand with the HTML only, where every program finds them; RFC 2387 (3.1) wants the type named.
        let kind = format!("multipart/related; boundary=\"{}\"; type=\"text/html\"", boundary("related"));
        let mut related = MultiPart::builder().header(content_type(&kind)?).singlepart(html);
        for picture in &parcel.inline {
            let id = ContentId::from(format!("<{}>", safe_id(&picture.content_id)?));
            let part = SinglePart::builder().header(id);
            let file = (picture.file_name.as_str(), picture.media_type.as_str(), &picture.bytes);
            related = related.singlepart(encoded(part, "inline", file)?);
        }
        alternative.multipart(related)
    };
    let mut mixed = MultiPart::mixed().boundary(boundary("mixed")).multipart(alternative);
    for attachment in &parcel.attachments {
        let file = (attachment.file_name.as_str(), attachment.media_type.as_str(), &attachment.bytes);
        mixed = mixed.singlepart(encoded(SinglePart::builder(), "attachment", file)?);
    }
    Ok(mixed)
}

/// A file as a part, given by name, media type and bytes.
///
/// In Base64 even if it is plain text: its bytes must arrive as they are, line ends included.
fn encoded(
    part: lettre::message::SinglePartBuilder,
    kind: &str,
    (name, media_type, bytes): (&str, &str, &bytes::Bytes),
) -> Result<SinglePart, String> {
    let name = header_text(name);
    let content = Body::new_with_encoding(bytes.to_vec(), ContentTransferEncoding::Base64)
        .map_err(|_| format!("attachment `{name}` cannot be encoded"))?;
    content_type(media_type)?;
    // `name` is not of today, but what some programs show; they know ASCII only.
    let named = content_type(&format!("{media_type}; name=\"{}\"", ascii_name(&name)))?;
    Ok(part.header(named).header(Disposition::new(kind, &name)).body(content))
}

fn content_type(text: &str) -> Result<ContentType, String> {
    ContentType::parse(text).map_err(|_| format!("`{}` is no media type", header_text(text)))
}

/// `Product licenses monthly <monthly.pressrun.example.com>` (RFC 2919).
fn list_id(list: &MailList) -> Result<HeaderValue, String> {
    let id = safe_id(&list.id)?;
    // Signs would end the name, or need quotes that some programs show.
    let name = list.name.chars().map(|letter| if letter.is_alphanumeric() || letter == '-' { letter } else { ' ' });
    let text = header_text(&format!("{} <{id}>", name.collect::<String>()));
    Ok(HeaderValue::new(HeaderName::new_from_ascii_str("List-Id"), text))
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
    use crate::base::EditionId;
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
            rehearsed_for: None,
            list: Some(deliver::mail_list("Product licenses: Größe", "monthly", "reports.example")),
            references: Some("fedcba9876543210fedcba9876543210fedcba98@reports.example".into()),
            subject: "Product licenses · October 2026".into(),
            text: "Licenses 173,682 ▲ +7.74%\n.\nline\n".into(),
            html: "<p>Licenses 173,682 <img src=\"cid:kpi-0.0123@reports.example\"></p>".into(),
            inline: vec![deliver::Inline {
                content_id: "kpi-0.0123@reports.example".into(),
                file_name: "chart-1.png".into(),
                media_type: "image/png".into(),
                bytes: b"\x89PNG"[..].into(),
            }],
            attachments: vec![
                attachment("Größe 北京.pdf", "application/pdf", b"%PDF-1.7\n\xff\x00"),
                attachment("rows.csv", "text/csv", b"a,b\n1,2\n"),
            ],
            edition: Some(deliver::ParcelEdition {
                id: EditionId(Digest::of(b"edition")),
                schedule: "monthly".into(),
                period: "2026-10".parse().unwrap(),
                partner_id: "1234566".into(),
                partner_name: "Größe GmbH".into(),
                role: "report-viewer".into(),
                audience: "report-viewer.en".into(),
                revision: 1,
                manifest: attachment("edition.json", "application/json", b"{}\n"),
            }),
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
        let order =
            ["text/plain", "multipart/related", "text/html;", "image/png", "application/pdf", "text/csv"].map(at);
        assert!(order.is_sorted(), "{order:?}");
        // By `printf 'a,b\n1,2\n' | base64` and `printf '%%PDF-1.7\n\xff\x00' | base64`.
        assert!(text.contains("YSxiCjEsMgo="), "{text}");
        assert!(text.contains("JVBERi0xLjcK/wA="), "{text}");
    }

    #[test]
    fn a_picture_stands_with_the_html_and_is_named_by_it() {
        let with = text(&parcel("cfo@example.com"));
        let folded = with.replace("\r\n ", " ");
        for needed in [
            "; boundary=\"pressrun-related-",
            "; type=\"text/html\"",
            "Content-ID: <kpi-0.0123@reports.example>\r\n",
            "Content-Disposition: inline; filename=\"chart-1.png\"\r\n",
        ] {
            assert!(folded.contains(needed), "{needed} in {folded}");
        }
        let without = text(&Parcel { inline: vec![], ..parcel("cfo@example.com") });
        assert!(!without.contains("multipart/related") && !without.contains("Content-ID"), "{without}");
        let mut broken = parcel("cfo@example.com");
        broken.inline[0].content_id = "a>\r\nBcc: x".into();
        assert!(mail(&broken).is_err());
    }

    #[test]
    fn a_name_beyond_ascii_has_a_twin_for_programs_that_know_no_other() {
        let folded = text(&parcel("cfo@example.com")).replace("\r\n ", " ");
        for needed in [
            "Content-Type: application/pdf; name=\"Grosse.pdf\"\r\n",
            "Content-Disposition: attachment; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%E5%8C%97%E4%BA%AC.pdf; \
             filename=\"Grosse.pdf\"\r\n",
            "Content-Disposition: attachment; filename=\"rows.csv\"\r\n",
        ] {
            assert!(folded.contains(needed), "{needed} in {folded}");
        }
    }

    #[test]
    fn mails_of_one_schedule_are_told_by_their_list_and_follow_on_the_earlier_revision() {
        let text = text(&parcel("cfo@example.com")).replace("\r\n ", " ");
        let line = |name: &str| text.lines().find(|line| line.starts_with(name)).map(str::to_owned).unwrap_or_default();
        assert!(line("List-Id: ").ends_with(" <monthly.pressrun.reports.example>"), "{text}");
        assert_eq!(line("References: "), "References: <fedcba9876543210fedcba9876543210fedcba98@reports.example>");
        let plain = Parcel { list: None, references: None, ..parcel("cfo@example.com") };
        let plain = String::from_utf8(mail(&plain).unwrap().bytes).unwrap();
        assert!(!plain.contains("List-Id") && !plain.contains("References"), "{plain}");
        let evil = Parcel { references: Some("a>\r\nBcc: x".into()), ..parcel("cfo@example.com") };
        assert!(mail(&evil).is_err());
    }

    #[test]
    fn the_bytes_of_a_mail_are_counted_as_they_are_sent() {
        let mut parcel = parcel("cfo@example.com");
        assert_eq!(encoded_bytes(&parcel).unwrap(), mail(&parcel).unwrap().bytes.len() as u64);
        let before = encoded_bytes(&parcel).unwrap();
        parcel.attachments[0].bytes = vec![0; 57 * 1_000 + 11].into();
        // Base64 makes lines of 76 of 57 bytes, and two bytes of line end.
        assert!(encoded_bytes(&parcel).unwrap() - before >= 77_900, "{}", encoded_bytes(&parcel).unwrap() - before);
    }

    #[test]
    fn foreign_text_never_adds_a_header() {
        let mut hostile = parcel("cfo@example.com");
        hostile.subject = "a\r\nBcc: thief@example.com\r\n\r\nbody".into();
        hostile.to.name = "x\r\nBcc: thief@example.com".into();
        hostile.attachments[0].file_name = "a\"b\r\nX-Evil: 1.pdf".into();
        hostile.inline[0].file_name = "a\"b\r\nX-Evil: 1.png".into();
        hostile.list = Some(deliver::mail_list("x>\r\nX-Evil: 1", "y\r\nX-Evil: 2", "reports.example"));
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
            parcel.attachments[0].file_name.clone_from(&file);
            parcel.inline[0].file_name.clone_from(&file);
            parcel.list = Some(deliver::mail_list(&parcel.to.name, &file, "reports.example"));
            let bytes = mail(&parcel).unwrap().bytes;
            proptest::prop_assert!(bytes.is_ascii());
            let text = String::from_utf8(bytes).unwrap();
            let head = text.split("\r\n\r\n").next().unwrap();
            let names: Vec<&str> = head.lines().filter(|line| !line.starts_with([' ', '\t'])).collect();
            let expected = [
                "Message-ID:", "Date:", "From:", "To:", "Subject:", "Auto-Submitted:", "List-Id:", "References:",
                "Reply-To:", "MIME-Version:", "Content-Type:",
            ];
            let fits = names.len() == expected.len() && names.iter().zip(expected).all(|(line, name)| line.starts_with(name));
            proptest::prop_assert!(fits, "{}", head);
            // RFC 5322 (2.1.1).
            proptest::prop_assert!(text.lines().all(|line| line.len() <= 998));
        }
    }
}
