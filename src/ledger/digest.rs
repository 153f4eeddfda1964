//! Digests: mails about runs that came to rest, planned once for each rest and sent under the rule of deliveries.

use chrono::{DateTime, Duration, Utc};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::delivery::attempt_text;
use super::row::{instant, run_row, select_runs, state};
use super::step::{DeliveryChange, Lease, Step, counted, move_digest, reason_text};
use super::{DeliveryState, Ledger, LedgerError, Page, Retries, RunId, RunRow, micros};
use crate::deliver::{Outcome, Receipt};

/// The most rests that are told in one go.
const AT_ONCE_MAX: i64 = 500;

/// How many digests that did not arrive are listed.
const LISTED_MAX: i64 = 20;

/// The number of a digest, given by the database.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize)]
#[serde(transparent)]
pub struct DigestId(pub i64);

/// A run that came to rest, and has not been told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rest {
    /// Its row.
    pub run: RunRow,
}

impl Rest {
    /// Which of the run's rests it is: one that is released comes to rest again.
    pub fn no(&self) -> i64 {
        self.run.fence
    }
}

/// After which runs a digest is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DigestWhen {
    /// After each.
    #[default]
    Always,
    /// After those that are not done, or left out on purpose.
    Problems,
}

/// A digest to be planned for one address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewDigest {
    /// The address.
    pub address: String,
    /// Its Message-ID, without angle brackets.
    pub message_id: String,
    /// The subject.
    pub subject: String,
    /// The body as text.
    pub text: String,
    /// The body as HTML.
    pub html: String,
}

/// A digest that this process is to hand over now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DigestClaim {
    /// Its number.
    pub id: DigestId,
    /// What is handed over.
    pub mail: NewDigest,
    /// The mail's date.
    pub planned_at: DateTime<Utc>,
    /// 1 for the first try.
    pub attempt_no: u32,
    fence: i64,
    worker: i64,
}

/// A digest that did not arrive, or not yet.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct DigestRow {
    /// Its number.
    pub id: DigestId,
    /// The address.
    pub address: String,
    /// The subject.
    pub subject: String,
    /// How far it is.
    pub state: DeliveryState,
    /// Why it is there.
    pub reason: String,
    /// When it was written down.
    pub planned_at: DateTime<Utc>,
}

impl Ledger {
    /// The runs that came to rest and were not told since, the oldest first.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn untold(&self) -> Result<Vec<Rest>, LedgerError> {
        let rows = sqlx::query(select_runs!(
            "WHERE r.told_fence <> r.fence AND r.state IN ('done', 'partial', 'held', 'missed', 'skipped')
             ORDER BY r.id LIMIT $1"
        ));
        let rows = rows.bind(AT_ONCE_MAX).fetch_all(&self.read).await?;
        rows.iter().map(|row| Ok(Rest { run: run_row(row)? })).collect()
    }

    /// Plans digests about rests, and passes others over for good: all at once, so that no rest is told twice. False,
    /// and nothing planned, when one of them moved on or was told meanwhile.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn plan_digests(
        &self,
        told: &[Rest],
        passed_over: &[Rest],
        digests: &[NewDigest],
        now: DateTime<Utc>,
    ) -> Result<bool, LedgerError> {
        let mut tx = self.begin().await?;
        for Rest { run } in told.iter().chain(passed_over) {
            let marked =
                sqlx::query("UPDATE run SET told_fence = fence WHERE id = $1 AND fence = $2 AND told_fence <> fence");
            if marked.bind(run.id.0).bind(run.fence).execute(&mut *tx).await?.rows_affected() == 0 {
                return Ok(false);
            }
        }
        for digest in digests {
            let insert = sqlx::query(
                "INSERT INTO digest (address, message_id, subject, body_text, body_html, state, reason, next_at,
                     planned_at, moved_at)
                 VALUES ($1, $2, $3, $4, $5, 'planned', 'planned', $6, $6, $6) RETURNING id",
            );
            let insert = insert.bind(&digest.address).bind(&digest.message_id).bind(&digest.subject);
            let insert = insert.bind(&digest.text).bind(&digest.html).bind(micros(now));
            let id: i64 = insert.fetch_one(&mut *tx).await?.try_get("id")?;
            for Rest { run } in told {
                let rest = sqlx::query(
                    "INSERT INTO digest_rest (address_key, run_id, rest_no, digest_id) VALUES ($1, $2, $3, $4)",
                );
                let rest = rest.bind(digest.address.to_lowercase()).bind(run.id.0).bind(run.fence).bind(id);
                rest.execute(&mut *tx).await?;
            }
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Claims the digests whose time has come. `sending` is durable before this returns; one whose worker is gone, or
    /// whose lease ended, is uncertain from now on.
    ///
    /// # Errors
    /// When the database can't be written; then nothing is claimed.
    pub async fn claim_digests(&self, lease: Duration, now: DateTime<Utc>) -> Result<Vec<DigestClaim>, LedgerError> {
        let ripe: i64 = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM digest WHERE state IN ('planned', 'retryable', 'uncertain') AND next_at <= $1)
                 OR EXISTS (SELECT 1 FROM digest WHERE state = 'sending')",
        )
        .bind(micros(now))
        .fetch_one(&self.read)
        .await?;
        if ripe == 0 {
            return Ok(Vec::new());
        }
        let worker = self.worker_id(now).await?;
        let mut tx = self.begin().await?;
        end_leases(&mut tx, micros(now)).await?;
        let ripe = sqlx::query(
            "SELECT id, address, message_id, subject, body_text, body_html, state, n_attempts, planned_at, fence
             FROM digest WHERE state IN ('planned', 'retryable', 'uncertain') AND next_at <= $1
             ORDER BY next_at, id LIMIT 1",
        );
        let mut claims = Vec::new();
        for row in ripe.bind(micros(now)).fetch_all(&mut *tx).await? {
            let mut claim = claim(&row, worker)?;
            let mut step = step(&row, DeliveryState::Sending, "", micros(now))?;
            (step.worker, step.reason) = (Some(worker), attempt_text(claim.attempt_no, worker, step.from));
            let lease = Some(Lease { worker, until: micros(now + lease) });
            let n_attempts = Some(i64::from(claim.attempt_no));
            if move_digest(&mut tx, &step, DeliveryChange { lease, n_attempts, ..Default::default() }).await? {
                claim.fence += 1;
                claims.push(claim);
            }
        }
        tx.commit().await?;
        Ok(claims)
    }

    /// Writes down how handing a digest over went. What nobody can tell stays uncertain: it is never sent twice by
    /// itself.
    ///
    /// # Errors
    /// [`LedgerError::LostClaim`] when the claim ended before.
    pub async fn settle_digest(
        &self,
        claim: &DigestClaim,
        outcome: &Outcome,
        retries: &Retries,
        now: DateTime<Utc>,
    ) -> Result<DeliveryState, LedgerError> {
        let is_last = claim.attempt_no >= retries.attempts_max;
        let (to, reason) = match outcome {
            Outcome::Delivered(_) => (DeliveryState::Delivered, "taken".to_owned()),
            Outcome::Failed(reason) | Outcome::TooLarge { reason, .. } => (DeliveryState::Failed, reason.clone()),
            Outcome::Retryable(reason) if is_last => {
                (DeliveryState::Failed, format!("after {}: {reason}", counted(claim.attempt_no, "attempt")))
            }
            Outcome::Retryable(reason) => (DeliveryState::Retryable, reason.clone()),
            Outcome::Uncertain(reason) => (DeliveryState::Uncertain, reason.clone()),
        };
        let next_at = (to == DeliveryState::Retryable).then(|| micros(now + retries.backoff(claim.attempt_no)));
        let receipt =
            if let Outcome::Delivered(Receipt(receipt)) = outcome { Some(reason_text(receipt)) } else { None };
        let (id, from) = (claim.id.0.to_string(), DeliveryState::Sending);
        let step = Step { id, from, to, fence: claim.fence, reason, at: micros(now), worker: Some(claim.worker) };
        let mut tx = self.begin().await?;
        if !move_digest(&mut tx, &step, DeliveryChange { next_at, receipt, ..Default::default() }).await? {
            return Err(LedgerError::LostClaim { row: "digest", id: step.id });
        }
        tx.commit().await?;
        Ok(to)
    }

    /// The digests that did not arrive, or not yet, the newest first.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn digests_not_delivered(&self) -> Result<Page<DigestRow>, LedgerError> {
        let rows = sqlx::query(
            "SELECT id, address, subject, state, reason, planned_at FROM digest WHERE state <> 'delivered'
             ORDER BY id DESC LIMIT $1",
        );
        let mut rows = rows.bind(LISTED_MAX + 1).fetch_all(&self.read).await?;
        let more = rows.len() as i64 > LISTED_MAX;
        rows.truncate(usize::try_from(LISTED_MAX).unwrap_or_default());
        Ok(Page { rows: rows.iter().map(digest_row).collect::<Result<_, _>>()?, more })
    }

    /// One digest.
    ///
    /// # Errors
    /// [`LedgerError::NoSuch`], or when the database can't be read.
    pub async fn digest(&self, id: DigestId) -> Result<DigestRow, LedgerError> {
        let row = sqlx::query("SELECT id, address, subject, state, reason, planned_at FROM digest WHERE id = $1");
        let row = row.bind(id.0).fetch_optional(&self.read).await?;
        digest_row(&row.ok_or_else(|| no_such(id))?)
    }

    /// The runs that a digest tells.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn told_by(&self, digest: DigestId) -> Result<Vec<RunId>, LedgerError> {
        let rows = sqlx::query("SELECT run_id FROM digest_rest WHERE digest_id = $1 ORDER BY run_id").bind(digest.0);
        rows.fetch_all(&self.read).await?.iter().map(|row| Ok(RunId(row.try_get("run_id")?))).collect()
    }
}

/// What was open in a restored ledger may have been sent since: it is held, or uncertain.
pub(super) async fn hold_digests(conn: &mut SqliteConnection, reason: &str, at: i64) -> Result<(), LedgerError> {
    sqlx::query("UPDATE digest SET next_at = NULL WHERE state = 'uncertain'").execute(&mut *conn).await?;
    let open = sqlx::query("SELECT id, state, fence FROM digest WHERE state IN ('planned', 'retryable', 'sending')");
    for row in open.fetch_all(&mut *conn).await? {
        let from: DeliveryState = state(&row, "state")?;
        let to = if from == DeliveryState::Sending { DeliveryState::Uncertain } else { DeliveryState::Held };
        move_digest(conn, &step(&row, to, reason, at)?, DeliveryChange::default()).await?;
    }
    Ok(())
}

async fn end_leases(conn: &mut SqliteConnection, at: i64) -> Result<(), LedgerError> {
    let ended = sqlx::query(
        "SELECT id, state, fence FROM digest WHERE state = 'sending' AND (lease_until_at <= $1
             OR worker_id IN (SELECT id FROM worker WHERE ended_at IS NOT NULL))",
    );
    for row in ended.bind(at).fetch_all(&mut *conn).await? {
        let reason = "the worker's lease ended before its answer was written down; it may have been taken";
        move_digest(conn, &step(&row, DeliveryState::Uncertain, reason, at)?, DeliveryChange::default()).await?;
    }
    Ok(())
}

/// The step of a digest by an admin, from where it is.
pub(super) async fn step_by_hand(
    conn: &mut SqliteConnection,
    id: DigestId,
    to: DeliveryState,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<Step<DeliveryState>, LedgerError> {
    let row = sqlx::query("SELECT id, state, fence FROM digest WHERE id = $1").bind(id.0).fetch_optional(conn).await?;
    step(&row.ok_or_else(|| no_such(id))?, to, reason, micros(now))
}

fn no_such(id: DigestId) -> LedgerError {
    LedgerError::NoSuch { row: "digest", id: id.0.to_string() }
}

/// The step of a digest without a worker.
fn step(row: &SqliteRow, to: DeliveryState, reason: &str, at: i64) -> Result<Step<DeliveryState>, LedgerError> {
    let id: i64 = row.try_get("id")?;
    let (from, fence) = (state(row, "state")?, row.try_get("fence")?);
    Ok(Step { id: id.to_string(), from, to, fence, reason: reason.to_owned(), at, worker: None })
}

fn claim(row: &SqliteRow, worker: i64) -> Result<DigestClaim, LedgerError> {
    let n_attempts: i64 = row.try_get("n_attempts")?;
    Ok(DigestClaim {
        id: DigestId(row.try_get("id")?),
        mail: NewDigest {
            address: row.try_get("address")?,
            message_id: row.try_get("message_id")?,
            subject: row.try_get("subject")?,
            text: row.try_get("body_text")?,
            html: row.try_get("body_html")?,
        },
        planned_at: instant(row, "digest", "planned_at")?,
        attempt_no: u32::try_from(n_attempts).unwrap_or(u32::MAX).saturating_add(1),
        fence: row.try_get("fence")?,
        worker,
    })
}

fn digest_row(row: &SqliteRow) -> Result<DigestRow, LedgerError> {
    Ok(DigestRow {
        id: DigestId(row.try_get("id")?),
        address: row.try_get("address")?,
        subject: row.try_get("subject")?,
        state: state(row, "state")?,
        reason: row.try_get("reason")?,
        planned_at: instant(row, "digest", "planned_at")?,
    })
}
