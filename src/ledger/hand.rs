//! What an admin does by hand; each is written down with the reason given.

use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;

use super::delivery::{read_delivery, step as delivery_step};
use super::digest::step_by_hand;
use super::release::release_held;
use super::row::{EditionRow, edition_row, select_editions};
use super::step::{DeliveryChange, Step, move_delivery, move_digest, reason_text};
use super::{DeliveryId, DeliveryState, DigestId, EditionState, Ledger, LedgerError, micros};
use crate::base::EditionId;

/// What an admin found out about a delivery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Settled {
    /// It arrived.
    Delivered,
    /// It did not, and is not to be sent.
    Failed,
}

impl Ledger {
    /// Has a held edition made again, with all its attempts, and its held deliveries planned again. That it was
    /// released stays on its row, for the gate to know.
    ///
    /// # Errors
    /// [`LedgerError::Move`] when it is not held.
    pub async fn release_edition(&self, id: EditionId, reason: &str, now: DateTime<Utc>) -> Result<(), LedgerError> {
        let mut tx = self.begin().await?;
        let row = read_edition(&mut tx, id).await?;
        if row.state != EditionState::Held {
            let (from, to) = (row.state.word(), EditionState::Planned.word());
            return Err(LedgerError::Move { row: "edition", id: id.to_string(), from, to });
        }
        release_held(&mut tx, &row, &by_hand(reason), now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Has a suppressed, skipped or held delivery planned again. It is sent once its edition is archived.
    ///
    /// # Errors
    /// [`LedgerError::Move`] when it is none of these, [`LedgerError::NoPack`] when its edition was skipped or has
    /// failed.
    pub async fn release_delivery(&self, id: DeliveryId, reason: &str, now: DateTime<Utc>) -> Result<(), LedgerError> {
        let mut tx = self.begin().await?;
        let row = read_delivery(&mut tx, id).await?;
        let edition = read_edition(&mut tx, row.edition).await?.state;
        if matches!(edition, EditionState::Skipped | EditionState::Failed) {
            return Err(LedgerError::NoPack { id: id.to_string(), edition: edition.word() });
        }
        let step = delivery_step(&row, row.fence, DeliveryState::Planned, &by_hand(reason), now, None);
        let next_at = row.archive_path.is_some().then_some(step.at);
        move_delivery(&mut tx, &step, DeliveryChange { next_at, ..Default::default() }).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Has an uncertain delivery sent again, with the same Message-ID, or a retryable one at once.
    ///
    /// # Errors
    /// [`LedgerError::Move`] when it is neither.
    pub async fn resend(&self, id: DeliveryId, reason: &str, now: DateTime<Utc>) -> Result<(), LedgerError> {
        let asked = sqlx::query(
            "UPDATE delivery SET next_at = $1, reason = $2 WHERE id = $3 AND state IN ('uncertain', 'retryable')",
        );
        let asked = asked.bind(micros(now)).bind(reason_text(&by_hand(reason))).bind(id.0);
        if asked.execute(&self.write).await?.rows_affected() > 0 {
            return Ok(());
        }
        let row = read_delivery(&mut *self.read.acquire().await?, id).await?;
        let (from, to) = (row.state.word(), DeliveryState::Sending.word());
        Err(LedgerError::Move { row: "delivery", id: id.to_string(), from, to })
    }

    /// Settles an uncertain delivery as somebody found out; or gives a retryable one up.
    ///
    /// # Errors
    /// [`LedgerError::Move`] when it is neither, or a retryable one is said to have arrived.
    pub async fn settle(
        &self,
        id: DeliveryId,
        found: Settled,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let mut tx = self.begin().await?;
        let row = read_delivery(&mut tx, id).await?;
        let step = delivery_step(&row, row.fence, found.state(), &by_hand(reason), now, None);
        if row.state == DeliveryState::Sending {
            // It is under way: its answer is about to be written down, or its lease to end.
            return Err(no_move("delivery", step));
        }
        move_delivery(&mut tx, &step, DeliveryChange::default()).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Digests by hand, as deliveries.
impl Ledger {
    /// Has an uncertain digest sent again, with the same Message-ID, a retryable one at once, or a held one after all.
    ///
    /// # Errors
    /// [`LedgerError::Move`] when it is none of these.
    pub async fn resend_digest(&self, id: DigestId, reason: &str, now: DateTime<Utc>) -> Result<(), LedgerError> {
        let mut tx = self.begin().await?;
        let mut step = step_by_hand(&mut tx, id, DeliveryState::Planned, &by_hand(reason), now).await?;
        match step.from {
            DeliveryState::Held => {
                let next_at = Some(step.at);
                move_digest(&mut tx, &step, DeliveryChange { next_at, ..Default::default() }).await?;
            }
            DeliveryState::Uncertain | DeliveryState::Retryable => {
                let asked = sqlx::query("UPDATE digest SET next_at = $1, reason = $2 WHERE id = $3");
                asked.bind(step.at).bind(reason_text(&step.reason)).bind(id.0).execute(&mut *tx).await?;
            }
            _ => {
                step.to = DeliveryState::Sending;
                return Err(no_move("digest", step));
            }
        }
        tx.commit().await?;
        Ok(())
    }

    /// Settles an uncertain digest as somebody found out; or gives a retryable one up.
    ///
    /// # Errors
    /// [`LedgerError::Move`] when it is neither, or a retryable one is said to have arrived.
    pub async fn settle_digest_by_hand(
        &self,
        id: DigestId,
        found: Settled,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let mut tx = self.begin().await?;
        let step = step_by_hand(&mut tx, id, found.state(), &by_hand(reason), now).await?;
        if step.from == DeliveryState::Sending {
            return Err(no_move("digest", step));
        }
        move_digest(&mut tx, &step, DeliveryChange::default()).await?;
        tx.commit().await?;
        Ok(())
    }
}

impl Settled {
    fn state(self) -> DeliveryState {
        match self {
            Settled::Delivered => DeliveryState::Delivered,
            Settled::Failed => DeliveryState::Failed,
        }
    }
}

/// A row is not where it could go there by hand.
fn no_move(row: &'static str, step: Step<DeliveryState>) -> LedgerError {
    LedgerError::Move { row, id: step.id, from: step.from.word(), to: step.to.word() }
}

/// The row of an edition.
pub(super) async fn read_edition(conn: &mut SqliteConnection, id: EditionId) -> Result<EditionRow, LedgerError> {
    let row = sqlx::query(select_editions!("WHERE e.id = $1")).bind(id.to_string()).fetch_optional(conn).await?;
    edition_row(&row.ok_or_else(|| LedgerError::NoSuch { row: "edition", id: id.to_string() })?)
}

/// The reason of what somebody did by hand.
pub(super) fn by_hand(reason: &str) -> String {
    format!("by hand: {reason}")
}
