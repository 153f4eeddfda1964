//! The mail of one delivery: written from the archived figures for its recipient, and no larger than what is taken.

use std::sync::Arc;

use crate::archive::{MANIFEST_NAME, Pack, PackFile};
use crate::deliver::{Attachment, BytesMax, Inline, Mailbox, Outcome, Parcel, ParcelEdition, encoded_bytes, mail_list};
use crate::ledger::{DeliveryClaim, EarlierRow};
use crate::render::Format;
use crate::render::email::{Letter, MailBody, compose};
use crate::report::Report;

use super::destinations::{MAIL, Outlet};
use super::order::{Order, Past, Press};

/// What a mail has beside its parts' bodies, at most, in bytes: its own headers, and those of each part.
const HEAD_BYTES_MAX: u64 = 8_000;
const PART_HEAD_BYTES_MAX: u64 = 2_000;

/// An archived pack with what all who get it share, read once.
pub(super) struct Opened {
    pack: Pack,
    /// None when it is not readable.
    report: Option<Report>,
    /// The earlier edition's report that was read last, by its folder: mostly that of all who get the pack.
    before: tokio::sync::Mutex<Option<(String, Arc<Report>)>>,
}

impl Opened {
    pub(super) fn new(pack: Pack) -> Opened {
        Opened { report: pack.report(), pack, before: tokio::sync::Mutex::default() }
    }
}

/// A claimed delivery's mail, or what becomes of the delivery without one.
///
/// Where all its files are too much, the workbook is left out, and then the PDF: the mail and the delivery's row say so.
pub(super) async fn parcel(
    press: &Press,
    order: &Order,
    claim: &DeliveryClaim,
    opened: &Opened,
    outlet: &Outlet,
) -> Result<Parcel, Outcome> {
    let pack = &opened.pack;
    if outlet.name != MAIL {
        return Ok(of_store(order, claim, pack));
    }
    let unfit = |reason: &str| Outcome::Failed(format!("its files cannot be sent: {reason}"));
    let report = opened.report.as_ref().ok_or_else(|| unfit("`report.json` is not readable"))?;
    let past = press.past();
    let earlier = earlier(&past, claim, pack.manifest.revision).await;
    let since = match &earlier {
        Some(earlier) => before(&past, claim, earlier, opened).await,
        None => None,
    };
    let mail = Mail { order, claim, pack, report, earlier: earlier.as_ref(), since: since.as_deref() };
    let bounds = Bounds { of: outlet.destination.bytes_max().await, refused: claim.row.refused_bytes };
    let files: Vec<&PackFile> = Format::ALL.iter().flat_map(|format| of_format(pack, *format)).collect();
    let (parcel, note) = mail.within(&files, &bounds, &outlet.destination.name())?;
    if note == claim.row.note {
        return Ok(parcel);
    }
    match press.ledger.note_delivery(claim, note.as_deref()).await {
        Ok(()) => Ok(parcel),
        // Nothing went out: who has the claim by now, or the next try, sends it.
        Err(error) => Err(Outcome::Retryable(format!("what was left out could not be written down: {error}"))),
    }
}

fn of_format(pack: &Pack, format: Format) -> impl Iterator<Item = &PackFile> {
    pack.files.iter().filter(move |file| file.media_type == format.media_type())
}

/// What the recipient got before; without it the mail says nothing of it.
async fn earlier(past: &Past, claim: &DeliveryClaim, number: u32) -> Option<EarlierRow> {
    let found = past.ledger.earlier(&claim.row, number).await;
    found.unwrap_or_else(|error| {
        tracing::warn!(delivery.id = %claim.row.id, %error, "what a recipient got before could not be looked up");
        None
    })
}

/// The figures of what the recipient got before; that it is gone or spoilt stops no mail.
async fn before(past: &Past, claim: &DeliveryClaim, earlier: &EarlierRow, opened: &Opened) -> Option<Arc<Report>> {
    let mut last = opened.before.lock().await;
    if let Some((path, report)) = last.as_ref()
        && *path == earlier.archive_path
    {
        return Some(Arc::clone(report));
    }
    let read = past.archive.report(&earlier.archive_path).await;
    let report = Arc::new(read.unwrap_or_else(|error| {
        tracing::warn!(delivery.id = %claim.row.id, %error, "the edition that a recipient got before is not readable");
        None
    })?);
    *last = Some((earlier.archive_path.clone(), Arc::clone(&report)));
    Some(report)
}

/// How large a mail may be.
struct Bounds {
    of: BytesMax,
    /// How large one was that was refused.
    refused: Option<u64>,
}

/// What the mail of a delivery is written from.
struct Mail<'a> {
    order: &'a Order,
    claim: &'a DeliveryClaim,
    pack: &'a Pack,
    report: &'a Report,
    earlier: Option<&'a EarlierRow>,
    since: Option<&'a Report>,
}

impl Mail<'_> {
    /// The mail with as many of the files as fit, and what is written down of those that do not.
    fn within(
        &self,
        files: &[&PackFile],
        bounds: &Bounds,
        destination: &str,
    ) -> Result<(Parcel, Option<String>), Outcome> {
        let is_pdf = |file: &&&PackFile| file.media_type == Format::Pdf.media_type();
        let pdfs: Vec<&PackFile> = files.iter().filter(is_pdf).copied().collect();
        let mut choices = vec![files.to_vec(), pdfs, Vec::new()];
        choices.dedup_by_key(|choice| choice.len());
        let mut too_much = String::new();
        for attached in &choices {
            let left_out: Vec<&PackFile> =
                files.iter().filter(|file| attached.iter().all(|one| one.name != file.name)).copied().collect();
            match self.fitting(attached, &left_out, bounds, destination)? {
                Ok(parcel) => return Ok((parcel, noted(&left_out, &too_much))),
                Err(words) => too_much = words,
            }
        }
        Err(Outcome::Failed(format!(
            "even without a file {too_much}; hint: ask the relay's admin for more, or shorten the mail's templates"
        )))
    }

    /// The mail with some of the files, or why it is too large.
    fn fitting(
        &self,
        attached: &[&PackFile],
        left_out: &[&PackFile],
        bounds: &Bounds,
        destination: &str,
    ) -> Result<Result<Parcel, String>, Outcome> {
        let n_bytes: u64 = attached.iter().map(|file| file.bytes.len() as u64).sum();
        if let Some(bound) = bounds.of.attachments.filter(|bound| n_bytes > *bound) {
            return Ok(Err(format!(
                "the files would have {n_bytes} bytes, more than `attachment_bytes_max` = {bound}"
            )));
        }
        // What is refused by its files alone needs no writing.
        if let Some(words) = bounds.refuses(n_bytes.div_ceil(3) * 4, destination) {
            return Ok(Err(words));
        }
        let parcel = self.written(attached, left_out)?;
        if bounds.refuses(at_most(&parcel), destination).is_none() {
            return Ok(Ok(parcel));
        }
        let n_bytes = encoded_bytes(&parcel).map_err(Outcome::Failed)?;
        Ok(bounds.refuses(n_bytes, destination).map_or(Ok(parcel), Err))
    }

    fn written(&self, attached: &[&PackFile], left_out: &[&PackFile]) -> Result<Parcel, Outcome> {
        let Mail { order, claim, pack, report, earlier, since } = *self;
        let (going, staying) = (named(attached), named(left_out));
        let message_id = Some(claim.row.message_id.as_str());
        let letter = Letter { attached: &going, left_out: &staying, since, message_id };
        let theme = order.themes.of(&report.head.partner_id);
        // A template is mended by an admin, and the mail goes out then.
        let mail =
            compose(report, &order.mail, theme, &letter).map_err(|error| Outcome::Retryable(error.to_string()))?;
        let MailBody { subject, text, html, pictures } = mail;
        let revised = earlier.filter(|earlier| earlier.period == claim.row.period);
        Ok(Parcel {
            message_id: claim.row.message_id.clone(),
            date_at: claim.row.planned_at,
            from: order.from.clone(),
            reply_to: order.reply_to.clone(),
            to: Mailbox { name: claim.row.name.clone(), address: claim.row.address.clone() },
            rehearsed_for: None,
            list: Some(mail_list(&report.head.title, &order.schedule, &order.message_id_domain)),
            references: revised.map(|earlier| earlier.message_id.clone()),
            subject,
            text,
            html,
            inline: pictures
                .into_iter()
                .map(|picture| Inline {
                    content_id: picture.content_id,
                    file_name: picture.file_name,
                    media_type: "image/png".to_owned(),
                    bytes: picture.bytes,
                })
                .collect(),
            attachments: attached.iter().map(|file| attachment(file)).collect(),
            edition: Some(edition(claim, pack)),
        })
    }
}

/// The edition as a store takes it: its files, and no mail.
fn of_store(order: &Order, claim: &DeliveryClaim, pack: &Pack) -> Parcel {
    let files = Format::ALL.iter().flat_map(|format| of_format(pack, *format));
    Parcel {
        message_id: claim.row.message_id.clone(),
        date_at: claim.row.planned_at,
        from: order.from.clone(),
        reply_to: None,
        to: Mailbox { name: claim.row.name.clone(), address: claim.row.address.clone() },
        rehearsed_for: None,
        list: None,
        references: None,
        subject: String::new(),
        text: String::new(),
        html: String::new(),
        inline: Vec::new(),
        attachments: files.map(attachment).collect(),
        edition: Some(edition(claim, pack)),
    }
}

fn edition(claim: &DeliveryClaim, pack: &Pack) -> ParcelEdition {
    let audience = &claim.row.audience;
    ParcelEdition {
        id: claim.row.edition,
        schedule: pack.manifest.schedule.clone(),
        period: pack.manifest.period,
        partner_id: audience.partner_id.clone(),
        partner_name: claim.row.partner_name.clone(),
        role: audience.role.clone(),
        audience: audience.short(),
        revision: pack.manifest.revision,
        manifest: Attachment {
            file_name: MANIFEST_NAME.to_owned(),
            media_type: "application/json".to_owned(),
            bytes: pack.manifest_bytes.clone(),
        },
    }
}

impl Bounds {
    /// Why a mail of so many bytes as sent is too large.
    fn refuses(&self, n_bytes: u64, destination: &str) -> Option<String> {
        if let Some(bound) = self.of.mail.filter(|bound| n_bytes > *bound) {
            return Some(format!(
                "the mail would have {n_bytes} bytes or more, and {destination} takes at most {bound}"
            ));
        }
        let refused = self.refused.filter(|refused| n_bytes >= *refused)?;
        Some(format!("{destination} refused a mail of {refused} bytes as too large"))
    }
}

/// More bytes than a mail can have once it is encoded.
fn at_most(parcel: &Parcel) -> u64 {
    // Quoted-printable makes three bytes of one, and a line end of three for each 76.
    let bodies = (parcel.text.len() + parcel.html.len()) as u64 * 4;
    let files = parcel.attachments.iter().map(|file| &file.bytes).chain(parcel.inline.iter().map(|file| &file.bytes));
    let files: u64 = files.map(|bytes| bytes.len() as u64 * 138 / 100 + PART_HEAD_BYTES_MAX).sum();
    bodies + files + HEAD_BYTES_MAX
}

fn named<'a>(files: &[&'a PackFile]) -> Vec<(&'a str, u64)> {
    files.iter().map(|file| (file.name.as_str(), file.bytes.len() as u64)).collect()
}

fn attachment(file: &PackFile) -> Attachment {
    Attachment { file_name: file.name.clone(), media_type: file.media_type.clone(), bytes: file.bytes.clone() }
}

/// What is written down of files that did not go with a mail.
fn noted(left_out: &[&PackFile], why: &str) -> Option<String> {
    let names: Vec<String> = left_out.iter().map(|file| format!("`{}`", file.name)).collect();
    (!names.is_empty()).then(|| format!("without {}: {why}", names.join(" and ")))
}
