//! Claiming deliveries, writing down how each went, and what becomes of those that nobody can tell.

use chrono::{DateTime, Duration, Utc};
use sqlx::SqliteConnection;

use super::row::{delivery_row, select_deliveries};
use super::step::{DeliveryChange, Lease, Step, counted, move_delivery, reason_text};
use super::{CLAIMS_MAX, DeliveryId, DeliveryRow, DeliveryState, Ledger, LedgerError, RunId, micros};
use crate::base::Digest;
use crate::deliver::{Handed, Outcome, Phase, Receipt};

/// What becomes of a delivery of which nobody can tell whether it was taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UncertainRule {
    /// It waits for an admin: never sent twice.
    #[default]
    Hold,
    /// It is sent again with the same Message-ID: perhaps sent twice.
    Resend,
}

/// How often a delivery is tried, and how far apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retries {
    /// The most tries, 1 and higher.
    pub attempts_max: u32,
    /// The pause after the first try, in seconds; it doubles with each.
    pub backoff_secs_min: u64,
    /// The longest pause, in seconds.
    pub backoff_secs_max: u64,
    /// How long after its first try one is given up, in hours.
    pub deadline_hours: u32,
    /// What becomes of an uncertain one.
    pub rule: UncertainRule,
}

impl Retries {
    /// The pause after that many tries: the least one doubled with each, up to the longest.
    pub fn backoff(&self, n_attempts: u32) -> Duration {
        let doubled = 1_u64.checked_shl(n_attempts.saturating_sub(1)).unwrap_or(u64::MAX);
        let secs = self.backoff_secs_min.saturating_mul(doubled).min(self.backoff_secs_max);
        // A century is for ever, and keeps the calendar's sums in bounds.
        Duration::seconds(i64::try_from(secs).unwrap_or(i64::MAX).min(100 * 366 * 86_400))
    }

    /// The pause of one delivery: up to a quarter shorter, each in its own way, so that what a relay refused together
    /// does not come back together.
    fn pause(&self, message_id: &str, n_attempts: u32) -> Duration {
        let digest = Digest::of_parts([message_id.as_bytes(), &n_attempts.to_be_bytes()]);
        let part = i32::from(digest.as_bytes()[0]);
        let backoff = self.backoff(n_attempts);
        backoff - backoff / (4 * 256) * part
    }
}

/// A delivery that this process is to hand over now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeliveryClaim {
    /// Its row, as claimed; `planned_at` is the mail's date.
    pub row: DeliveryRow,
    /// The edition's folder in the archive.
    pub archive_path: String,
    /// 1 for the first try.
    pub attempt_no: u32,
    /// What a late worker no longer has.
    pub fence: i64,
    /// Where it was before it was claimed.
    was: DeliveryState,
    worker: i64,
}

/// How long a claim waits at most for its turn to write, in seconds. Attempts that are later than that are of a clock that
/// was ahead.
const WAITED_SECS_MAX: i64 = 60;

/// How many deliveries may be claimed.
#[derive(Clone, Copy, Debug)]
pub struct Room<'a> {
    /// At once; never more than [`CLAIMS_MAX`].
    pub n: usize,
    /// How many may have begun within each of these times before now.
    pub windows: &'a [(Duration, u32)],
}

/// What was claimed.
#[derive(Debug)]
pub enum Claimed {
    /// These; none when nothing is ripe.
    These(Vec<DeliveryClaim>),
    /// Nothing before that instant: as many began as may.
    Full(DateTime<Utc>),
}

impl Ledger {
    /// Claims deliveries of a destination, and of one run if it is named, whose edition is archived and whose time has
    /// come, the longest waiting first.
    ///
    /// `sending` and a row for the attempt are durable before this returns: not a byte may go out before. What the
    /// destination allows is counted in the same transaction, so that processes side by side never pass it.
    ///
    /// # Errors
    /// When the database can't be written; then nothing is claimed.
    pub async fn claim_within(
        &self,
        run: Option<RunId>,
        room: Room<'_>,
        lease: Duration,
        now: DateTime<Utc>,
        destination: &str,
    ) -> Result<Claimed, LedgerError> {
        let worker = self.worker_id(now).await?;
        let mut n = room.n.min(CLAIMS_MAX) as u64;
        let ripe = sqlx::query(select_deliveries!(
            "WHERE d.destination = $1 AND d.next_at IS NOT NULL AND d.next_at <= $2 AND e.state = 'archived' AND r.state <> 'held'
             AND d.state IN ('planned', 'retryable', 'uncertain') AND ($4 IS NULL OR d.run_id = $4)
             ORDER BY d.next_at, d.id LIMIT $3"
        ));
        let mut tx = self.begin().await?;
        // Another may have claimed since `now` was read.
        let until = now + Duration::seconds(WAITED_SECS_MAX);
        for (window, max) in room.windows {
            let (n_begun, first_at) = n_attempts_since(&mut tx, destination, now - *window, until).await?;
            let left = u64::from(*max).saturating_sub(n_begun);
            if left == 0 {
                return Ok(Claimed::Full(first_at.unwrap_or(now) + *window));
            }
            n = n.min(left);
        }
        let mut claims = Vec::new();
        let n = i64::try_from(n).unwrap_or_default();
        let ripe = ripe.bind(destination).bind(micros(now)).bind(n).bind(run.map(|run| run.0));
        for row in ripe.fetch_all(&mut *tx).await? {
            let row = delivery_row(&row)?;
            if let Some(claim) = claim(&mut tx, row, worker, micros(now + lease), now).await? {
                claims.push(claim);
            }
        }
        tx.commit().await?;
        Ok(Claimed::These(claims))
    }

    /// Has a claim end `lease` from now.
    ///
    /// # Errors
    /// [`LedgerError::LostClaim`] when it ended before and another moved the delivery on.
    pub async fn renew_delivery(
        &self,
        claim: &DeliveryClaim,
        lease: Duration,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let renewed =
            sqlx::query("UPDATE delivery SET lease_until_at = $1 WHERE id = $2 AND state = 'sending' AND fence = $3");
        let renewed = renewed.bind(micros(now + lease)).bind(claim.row.id.0).bind(claim.fence);
        match renewed.execute(&self.write).await?.rows_affected() {
            0 => Err(LedgerError::LostClaim { row: "delivery", id: claim.row.id.to_string() }),
            _ => Ok(()),
        }
    }

    /// Writes down how hand-overs went, many in one transaction, which costs hardly more than one. Returns the state each
    /// delivery is in; none where its claim ended before and another moved it on.
    ///
    /// # Errors
    /// When the database can't be written; then none is written down.
    pub async fn settle_deliveries(
        &self,
        settled: &[(DeliveryClaim, Handed)],
        retries: &Retries,
        now: DateTime<Utc>,
    ) -> Result<Vec<Option<DeliveryState>>, LedgerError> {
        let mut tx = self.begin().await?;
        let mut states = Vec::with_capacity(settled.len());
        for (claim, handed) in settled {
            states.push(settle(&mut tx, claim, handed, retries, now).await?);
        }
        tx.commit().await?;
        Ok(states)
    }

    /// Gives claims back of which not a byte went out: they may be claimed again at `until`, and the attempt does not
    /// count. One whose claim was lost is left as it is.
    ///
    /// # Errors
    /// When the database can't be written; then all stay claimed until their leases end.
    pub async fn put_back(
        &self,
        claims: &[DeliveryClaim],
        reason: &str,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let mut tx = self.begin().await?;
        for claim in claims {
            // Of one that may have been taken before, nobody can tell still.
            let to = match claim.was {
                DeliveryState::Uncertain => DeliveryState::Uncertain,
                _ => DeliveryState::Retryable,
            };
            let step = step(&claim.row, claim.fence, to, reason, now, Some(claim.worker));
            let n_attempts = Some(i64::from(claim.attempt_no) - 1);
            let change = DeliveryChange { n_attempts, next_at: Some(micros(until)), ..Default::default() };
            if move_delivery(&mut tx, &step, change).await? {
                let untried = sqlx::query("DELETE FROM attempt WHERE delivery_id = $1 AND attempt_no = $2");
                untried.bind(claim.row.id.0).bind(i64::from(claim.attempt_no)).execute(&mut *tx).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }

    /// Whether a delivery of a run could be claimed now.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn has_ripe(&self, run: RunId, destination: &str, now: DateTime<Utc>) -> Result<bool, LedgerError> {
        let ripe = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM delivery d JOIN edition e ON e.id = d.edition_id JOIN run r ON r.id = d.run_id
             WHERE d.run_id = $3 AND r.state <> 'held' AND d.destination = $1 AND d.next_at IS NOT NULL AND d.next_at <= $2
                 AND e.state = 'archived' AND d.state IN ('planned', 'retryable', 'uncertain'))",
        );
        Ok(ripe.bind(destination).bind(micros(now)).bind(run.0).fetch_one(&self.read).await?)
    }

    /// Applies a schedule's rule to its uncertain deliveries: under `resend` those with attempts left may be sent
    /// again, but for those of runs that were left out; under `hold` all stay. Returns how many may be sent again.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn resolve_uncertain(
        &self,
        schedule: &str,
        retries: &Retries,
        now: DateTime<Utc>,
    ) -> Result<u64, LedgerError> {
        if retries.rule == UncertainRule::Hold {
            return Ok(0);
        }
        let ripe = sqlx::query(
            "UPDATE delivery SET next_at = $1 WHERE state = 'uncertain' AND next_at IS NULL AND n_attempts < $2
                 AND run_id IN (SELECT id FROM run WHERE schedule = $3 AND state <> 'skipped')",
        );
        let ripe = ripe.bind(micros(now)).bind(i64::from(retries.attempts_max)).bind(schedule);
        Ok(ripe.execute(&self.write).await?.rows_affected())
    }

    /// Has deliveries that a clock which was ahead put off until long after its time tried now: beyond `longest` from now
    /// nothing is put off. Returns how many.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn bring_forward(&self, longest: Duration, now: DateTime<Utc>) -> Result<u64, LedgerError> {
        let ahead = sqlx::query("UPDATE delivery SET next_at = $1 WHERE next_at IS NOT NULL AND next_at > $2");
        let ahead = ahead.bind(micros(now)).bind(micros(now + longest));
        let n = ahead.execute(&self.write).await?.rows_affected();
        let digests = sqlx::query("UPDATE digest SET next_at = $1 WHERE next_at > $2");
        digests.bind(micros(now)).bind(micros(now + longest)).execute(&self.write).await?;
        Ok(n)
    }

    /// Settles an uncertain delivery of which the destination now has the proof.
    ///
    /// # Errors
    /// [`LedgerError::Move`] when it is not uncertain.
    pub async fn settle_uncertain_by_receipt(
        &self,
        delivery: DeliveryId,
        receipt: &Receipt,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let mut tx = self.begin().await?;
        let row = read_delivery(&mut tx, delivery).await?;
        if row.state != DeliveryState::Uncertain {
            let (from, to) = (row.state.word(), DeliveryState::Delivered.word());
            return Err(LedgerError::Move { row: "delivery", id: delivery.to_string(), from, to });
        }
        let step = step(&row, row.fence, DeliveryState::Delivered, "the destination has it", now, None);
        let change = DeliveryChange { receipt: Some(reason_text(&receipt.0)), ..Default::default() };
        move_delivery(&mut tx, &step, change).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// How many attempts of a destination began after `since` and no later than `now`, and when the first of them did.
/// Those that came no further than the login do not count: the relay heard of no mail.
pub(super) async fn n_attempts_since(
    conn: &mut SqliteConnection,
    destination: &str,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(u64, Option<DateTime<Utc>>), LedgerError> {
    let counted = sqlx::query_as(
        "SELECT COUNT(*), MIN(a.started_at) FROM attempt a JOIN delivery d ON d.id = a.delivery_id
         WHERE a.started_at > $1 AND a.started_at <= $2 AND d.destination = $3
             AND (a.phase IS NULL OR a.phase NOT IN ('connect', 'tls', 'login'))",
    );
    let counted = counted.bind(micros(since)).bind(micros(now)).bind(destination);
    let (n, first): (i64, Option<i64>) = counted.fetch_one(conn).await?;
    Ok((n.unsigned_abs(), first.and_then(DateTime::from_timestamp_micros)))
}

/// Moves a claimed delivery as its outcome says; none when the claim was lost.
async fn settle(
    conn: &mut SqliteConnection,
    claim: &DeliveryClaim,
    handed: &Handed,
    retries: &Retries,
    now: DateTime<Utc>,
) -> Result<Option<DeliveryState>, LedgerError> {
    let again_at = now + retries.pause(&claim.row.message_id, claim.attempt_no);
    let given_up = given_up(conn, claim, retries, again_at).await?;
    let mut change = DeliveryChange::default();
    let (to, reason) = match &handed.outcome {
        Outcome::Delivered(Receipt(receipt)) => {
            change.receipt = Some(reason_text(receipt));
            (DeliveryState::Delivered, "taken".to_owned())
        }
        Outcome::Failed(reason) => (DeliveryState::Failed, reason.clone()),
        Outcome::TooLarge { n_bytes, reason } => {
            // At once, and however often it was tried: the relay answers, and what is tried next is another mail. It is
            // smaller each time, and there is none smaller than the body alone.
            (change.next_at, change.refused_bytes) = (Some(micros(now)), i64::try_from(*n_bytes).ok());
            (DeliveryState::Retryable, format!("{reason}; a smaller mail is tried next"))
        }
        Outcome::Retryable(reason) => match given_up {
            Some(why) => (DeliveryState::Failed, format!("{why}: {reason}")),
            None => {
                change.next_at = Some(micros(again_at));
                (DeliveryState::Retryable, reason.clone())
            }
        },
        Outcome::Uncertain(reason) => {
            let is_sent_again = retries.rule == UncertainRule::Resend && given_up.is_none();
            change.next_at = is_sent_again.then_some(micros(again_at));
            (DeliveryState::Uncertain, reason.clone())
        }
    };
    let step = step(&claim.row, claim.fence, to, &reason, now, Some(claim.worker));
    if !move_delivery(conn, &step, change).await? {
        return Ok(None);
    }
    end_attempt(conn, claim.row.id, claim.attempt_no, &step).await?;
    let come = sqlx::query("UPDATE attempt SET phase = $1, answer = $2 WHERE delivery_id = $3 AND attempt_no = $4");
    let come = come.bind(handed.phase.map(Phase::word)).bind(handed.answer.as_deref().map(reason_text));
    come.bind(claim.row.id.0).bind(i64::from(claim.attempt_no)).execute(conn).await?;
    Ok(Some(to))
}

/// Why a delivery that was not taken is not tried at that instant again; none when it is.
async fn given_up(
    conn: &mut SqliteConnection,
    claim: &DeliveryClaim,
    retries: &Retries,
    again_at: DateTime<Utc>,
) -> Result<Option<String>, LedgerError> {
    let n = claim.attempt_no;
    if n >= retries.attempts_max {
        return Ok(Some(format!("after {}", counted(n, "attempt"))));
    }
    let first = sqlx::query_scalar("SELECT MIN(started_at) FROM attempt WHERE delivery_id = $1");
    let first_at: Option<i64> = first.bind(claim.row.id.0).fetch_one(conn).await?;
    let hours = retries.deadline_hours;
    let last_at = first_at.and_then(DateTime::from_timestamp_micros).map(|at| at + Duration::hours(hours.into()));
    let tried = || format!("after {} within {}", counted(n, "attempt"), counted(hours, "hour"));
    Ok(last_at.filter(|last_at| again_at > *last_at).map(|_| tried()))
}

/// The row of a delivery.
pub(super) async fn read_delivery(conn: &mut SqliteConnection, id: DeliveryId) -> Result<DeliveryRow, LedgerError> {
    let row = sqlx::query(select_deliveries!("WHERE d.id = $1")).bind(id.0).fetch_optional(conn).await?;
    delivery_row(&row.ok_or_else(|| LedgerError::NoSuch { row: "delivery", id: id.to_string() })?)
}

/// The step of a delivery from where its row says it is.
pub(super) fn step(
    row: &DeliveryRow,
    fence: i64,
    to: DeliveryState,
    reason: &str,
    now: DateTime<Utc>,
    worker: Option<i64>,
) -> Step<DeliveryState> {
    let (id, reason, at) = (row.id.to_string(), reason.to_owned(), micros(now));
    Step { id, from: row.state, to, fence, reason, at, worker }
}

/// Writes down how an attempt ended: as its delivery's step says.
pub(super) async fn end_attempt(
    conn: &mut SqliteConnection,
    delivery: DeliveryId,
    attempt_no: u32,
    step: &Step<DeliveryState>,
) -> Result<(), LedgerError> {
    let ended = sqlx::query(
        "UPDATE attempt SET ended_at = $1, outcome = $2, reason = $3 WHERE delivery_id = $4 AND attempt_no = $5",
    );
    let ended = ended.bind(step.at).bind(step.to.word()).bind(reason_text(&step.reason));
    ended.bind(delivery.0).bind(i64::from(attempt_no)).execute(conn).await?;
    Ok(())
}

/// Why a delivery or a digest that was in that state is under way.
pub(super) fn attempt_text(attempt_no: u32, worker: i64, was: DeliveryState) -> String {
    let despite = if was == DeliveryState::Uncertain { ", though one may have been taken" } else { "" };
    format!("attempt {attempt_no} by worker {worker}{despite}")
}

async fn claim(
    conn: &mut SqliteConnection,
    mut row: DeliveryRow,
    worker: i64,
    until: i64,
    now: DateTime<Utc>,
) -> Result<Option<DeliveryClaim>, LedgerError> {
    let attempt_no = row.n_attempts + 1;
    let reason = attempt_text(attempt_no, worker, row.state);
    let step = step(&row, row.fence, DeliveryState::Sending, &reason, now, Some(worker));
    let lease = Some(Lease { worker, until });
    let change = DeliveryChange { lease, n_attempts: Some(i64::from(attempt_no)), ..Default::default() };
    if !move_delivery(conn, &step, change).await? {
        return Ok(None);
    }
    let attempt =
        sqlx::query("INSERT INTO attempt (delivery_id, attempt_no, worker_id, started_at) VALUES ($1, $2, $3, $4)");
    let attempt = attempt.bind(row.id.0).bind(i64::from(attempt_no)).bind(worker).bind(micros(now));
    attempt.execute(conn).await?;
    row.fence += 1;
    let was = row.state;
    (row.state, row.reason, row.moved_at) = (DeliveryState::Sending, reason, now);
    (row.n_attempts, row.next_at) = (attempt_no, None);
    let archive_path = row.archive_path.clone().unwrap_or_default();
    Ok(Some(DeliveryClaim { archive_path, attempt_no, fence: row.fence, was, row, worker }))
}
