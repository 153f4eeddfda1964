//! Hands the mails of archived editions over: what was archived is what is sent.

use std::collections::BTreeMap;

use futures::StreamExt;
use futures::future::BoxFuture;

use crate::archive::{ArchiveError, Pack};
use crate::deliver::{Attachment, Mailbox, Outcome, Parcel};
use crate::ledger::{DeliveriesOf, DeliveryClaim, DeliveryState, LedgerError, RunId};
use crate::render::Format;

use super::order::{Order, Press};
use super::plan::DESTINATION;

/// How many deliveries are claimed at once: one durable commit for all of them. Few, since of those that a kill leaves
/// untried nobody can tell either.
const CLAIMS_MAX: usize = 16;

/// How many mails are handed over at the same time.
const AT_ONCE_MAX: usize = 4;

/// How long a claim holds, longer than any single hand-over may take.
const LEASE_MINUTES: i64 = 30;

/// Hands over every delivery of a run that is ready, until none is.
///
/// # Errors
/// When the ledger cannot be written; what was claimed then becomes `uncertain` when its lease ends.
pub(super) async fn deliver_ready(press: &Press, order: &Order, run: RunId) -> Result<(), LedgerError> {
    while !press.stop.is_set() {
        let (lease, now) = (chrono::Duration::minutes(LEASE_MINUTES), press.clock.now());
        let claims = press.ledger.claim_deliveries(Some(run), CLAIMS_MAX, lease, now, DESTINATION).await?;
        if claims.is_empty() {
            return Ok(());
        }
        // The files of one edition are read once for all who get it, and verified against its manifest.
        let mut packs = BTreeMap::new();
        for claim in &claims {
            if !packs.contains_key(&claim.archive_path) {
                packs.insert(claim.archive_path.clone(), press.archive.get(&claim.archive_path).await);
            }
        }
        // Boxed one by one: behind a closure the compiler cannot tell that they may change threads.
        let mut sends: Vec<BoxFuture<'_, Result<(), LedgerError>>> = Vec::with_capacity(claims.len());
        for (claim, pack) in claims.iter().filter_map(|claim| Some((claim, packs.get(&claim.archive_path)?))) {
            sends.push(Box::pin(send(press, order, claim, pack.as_ref())));
        }
        let mut sends = futures::stream::iter(sends).buffer_unordered(AT_ONCE_MAX);
        while let Some(settled) = sends.next().await {
            settled?;
        }
    }
    Ok(())
}

/// Asks the destination about a run's uncertain deliveries, where it can tell: what it has is delivered, what it has
/// not is handed over again. Nothing is guessed of a destination that cannot tell.
///
/// # Errors
/// When the ledger cannot be read or written.
pub(super) async fn ask_uncertain(press: &Press, run: RunId) -> Result<(), LedgerError> {
    if !press.destination.can_tell()
        || !press.ledger.counts(run).await?.deliveries.contains_key(&DeliveryState::Uncertain)
    {
        return Ok(());
    }
    let rows = press.ledger.deliveries(&DeliveriesOf::Run(run)).await?.rows;
    for row in rows.iter().filter(|row| row.state == DeliveryState::Uncertain) {
        let now = press.clock.now();
        match press.destination.receipt(&row.message_id).await {
            Some(receipt) => press.ledger.settle_uncertain_by_receipt(row.id, &receipt, now).await?,
            None => press.ledger.resend(row.id, "the destination has not got it", now).await?,
        }
    }
    Ok(())
}

async fn send(
    press: &Press,
    order: &Order,
    claim: &DeliveryClaim,
    pack: Result<&Pack, &ArchiveError>,
) -> Result<(), LedgerError> {
    let (lease, now) = (chrono::Duration::minutes(LEASE_MINUTES), press.clock.now());
    if now - claim.row.moved_at > lease / 10 {
        match press.ledger.renew_delivery(claim, lease, now).await {
            // It has waited for too long, and is told as uncertain by now: it must not go out any more.
            Err(error) if error.is_lost_claim() => return Ok(()),
            renewed => renewed?,
        }
    }
    let outcome = match pack.map_err(ToString::to_string).and_then(|pack| parcel(order, claim, pack)) {
        Ok(parcel) => hand_over(press, claim, &parcel).await,
        Err(reason) => Outcome::Failed(format!("its files cannot be sent: {reason}")),
    };
    match press.ledger.settle_delivery(claim, &outcome, &order.retries, press.clock.now()).await {
        // Somebody else has the row by now; what it says stands.
        Err(error) if error.is_lost_claim() => {
            tracing::warn!(delivery.id = %claim.row.id, "a delivery's claim was lost before it was settled");
            Ok(())
        }
        settled => settled.map(|_| ()),
    }
}

/// Asks first whether an earlier try was taken, where that can be known.
async fn hand_over(press: &Press, claim: &DeliveryClaim, parcel: &Parcel) -> Outcome {
    if claim.attempt_no > 1
        && let Some(receipt) = press.destination.receipt(&claim.row.message_id).await
    {
        return Outcome::Delivered(receipt);
    }
    press.destination.deliver(parcel).await
}

fn parcel(order: &Order, claim: &DeliveryClaim, pack: &Pack) -> Result<Parcel, String> {
    let mail = pack.mail().ok_or("the archived mail is not readable")?;
    let attached = Format::ALL.iter().flat_map(|format| {
        pack.files.iter().filter(|file| file.media_type == format.media_type()).map(|file| Attachment {
            file_name: file.name.clone(),
            media_type: file.media_type.clone(),
            bytes: file.bytes.clone(),
        })
    });
    Ok(Parcel {
        message_id: claim.row.message_id.clone(),
        date_at: claim.row.planned_at,
        from: order.from.clone(),
        reply_to: order.reply_to.clone(),
        to: Mailbox { name: claim.row.name.clone(), address: claim.row.address.clone() },
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        attachments: attached.collect(),
    })
}
