//! What a recipient got before, and what of an edition did not go with a mail.

use sqlx::Row as _;

use super::row::{audience_text, parsed};
use super::step::reason_text;
use super::{DeliveryClaim, DeliveryRow, Ledger, LedgerError, RunId};
use crate::base::Period;

/// How many of a recipient's last mails are looked through for the edition before.
const MAILS_MAX: i64 = 200;

/// An edition that a recipient got.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EarlierRow {
    /// What it was about.
    pub period: Period,
    /// Its number.
    pub number: u32,
    /// The mail's Message-ID, without angle brackets.
    pub message_id: String,
    /// Its folder in the archive.
    pub archive_path: String,
}

impl Ledger {
    /// The last edition that the recipient of a delivery, whose edition has this number, got for sure of the same
    /// schedule and audience: about an earlier period, or an earlier revision of the same. The delivery may be of another
    /// ledger.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn earlier(&self, delivery: &DeliveryRow, number: u32) -> Result<Option<EarlierRow>, LedgerError> {
        let rows = sqlx::query(
            "SELECT e.period, e.number, d.message_id, e.archive_path
             FROM delivery d JOIN edition e ON e.id = d.edition_id JOIN run r ON r.id = d.run_id
             WHERE d.address_key = $1 AND d.state = 'delivered' AND e.audience = $2 AND r.schedule = $3
                 AND e.archive_path IS NOT NULL
             ORDER BY d.id DESC LIMIT $4",
        );
        let rows = rows.bind(delivery.address.to_lowercase()).bind(audience_text(&delivery.audience));
        let mut last: Option<EarlierRow> = None;
        let rank = |of: Period, number: u32| (of.last(), of == delivery.period, number);
        let own = rank(delivery.period, number);
        for row in rows.bind(&delivery.schedule).bind(MAILS_MAX).fetch_all(&self.read).await? {
            let period: Period = parsed(&row, "edition", "period")?;
            let number = u32::try_from(row.try_get::<i64, _>("number")?).unwrap_or(u32::MAX);
            let is_later = last.as_ref().is_none_or(|last| rank(period, number) > rank(last.period, last.number));
            if rank(period, number) < own && is_later {
                last = Some(EarlierRow {
                    period,
                    number,
                    message_id: row.try_get("message_id")?,
                    archive_path: row.try_get("archive_path")?,
                });
            }
        }
        Ok(last)
    }

    /// Writes down what does not go with a mail that is about to be handed over, or that all does.
    ///
    /// # Errors
    /// [`LedgerError::LostClaim`] when the claim ended before and another moved the delivery on.
    pub async fn note_delivery(&self, claim: &DeliveryClaim, note: Option<&str>) -> Result<(), LedgerError> {
        if claim.row.note.as_deref() == note {
            return Ok(());
        }
        let noted = sqlx::query("UPDATE delivery SET note = $1 WHERE id = $2 AND state = 'sending' AND fence = $3");
        let noted = noted.bind(note.map(reason_text)).bind(claim.row.id.0).bind(claim.fence);
        match noted.execute(&self.write).await?.rows_affected() {
            0 => Err(LedgerError::LostClaim { row: "delivery", id: claim.row.id.to_string() }),
            _ => Ok(()),
        }
    }

    /// How many mails of a run went without something.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn n_noted(&self, run: RunId) -> Result<u64, LedgerError> {
        let n = sqlx::query_scalar("SELECT COUNT(*) FROM delivery WHERE run_id = $1 AND note IS NOT NULL");
        let n: i64 = n.bind(run.0).fetch_one(&self.read).await?;
        Ok(n.unsigned_abs())
    }
}
