//! The statements that move a row from state to state: the only ones that write a state column.

use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteQueryResult;

use super::state::State;
use super::{DeliveryState, EditionState, LedgerError, RunState};
use crate::base::{Digest, header_text};

/// The longest reason kept, in characters; a longer one says that it was cut.
const REASON_CHARS_MAX: usize = 2_000;

/// What a digest is called among the rows.
const DIGEST: &str = "digest";

/// One move of one row.
pub(super) struct Step<S> {
    pub(super) id: String,
    pub(super) from: S,
    pub(super) to: S,
    /// The row's fence before the move; the move raises it by one.
    pub(super) fence: i64,
    pub(super) reason: String,
    pub(super) at: i64,
    /// The worker that moves it; none for the planner, the reaper and people.
    pub(super) worker: Option<i64>,
}

/// Who holds a row, and until when.
#[derive(Clone, Copy)]
pub(super) struct Lease {
    pub(super) worker: i64,
    pub(super) until: i64,
}

/// What changes in an edition beside its state.
#[derive(Default)]
pub(super) struct EditionChange {
    pub(super) lease: Option<Lease>,
    /// New count of attempts; none leaves it.
    pub(super) n_attempts: Option<i64>,
    /// New count of those that broke off; none leaves it.
    pub(super) n_broken_off: Option<i64>,
    pub(super) archived: Option<(String, Digest)>,
    pub(super) released_at: Option<i64>,
}

/// What changes in a delivery or a digest beside its state.
#[derive(Default)]
pub(super) struct DeliveryChange {
    pub(super) lease: Option<Lease>,
    /// New count of attempts; none leaves it.
    pub(super) n_attempts: Option<i64>,
    /// When it may be tried; none: not before somebody moves it.
    pub(super) next_at: Option<i64>,
    pub(super) receipt: Option<String>,
    /// How large the mail was that was refused as too large; none leaves what is there.
    pub(super) refused_bytes: Option<i64>,
}

/// Moves a run; false when it is no longer where the step begins.
pub(super) async fn move_run(conn: &mut SqliteConnection, step: &Step<RunState>) -> Result<bool, LedgerError> {
    let reason = allowed(RunState::ROW, step)?;
    let moved = sqlx::query(
        "UPDATE run SET state = $1, reason = $2, moved_at = $3, fence = fence + 1
         WHERE id = CAST($4 AS BIGINT) AND state = $5 AND fence = $6",
    );
    let moved = moved.bind(step.to.word()).bind(&reason).bind(step.at);
    let moved = moved.bind(&step.id).bind(step.from.word()).bind(step.fence).execute(&mut *conn).await?;
    written(conn, RunState::ROW, step, &reason, &moved).await
}

/// Moves an edition; false when it is no longer where the step begins.
pub(super) async fn move_edition(
    conn: &mut SqliteConnection,
    step: &Step<EditionState>,
    change: EditionChange,
) -> Result<bool, LedgerError> {
    let reason = allowed(EditionState::ROW, step)?;
    let (archive_path, manifest) = change.archived.unzip();
    let moved = sqlx::query(
        "UPDATE edition SET state = $1, reason = $2, moved_at = $3, fence = fence + 1, worker_id = $4,
             lease_until_at = $5, n_attempts = COALESCE($6, n_attempts), archive_path = COALESCE($7, archive_path),
             manifest = COALESCE($8, manifest), released_at = COALESCE($9, released_at),
             n_broken_off = COALESCE($10, n_broken_off)
         WHERE id = $11 AND state = $12 AND fence = $13",
    );
    let moved = moved.bind(step.to.word()).bind(&reason).bind(step.at);
    let moved = moved.bind(change.lease.map(|lease| lease.worker)).bind(change.lease.map(|lease| lease.until));
    let moved = moved.bind(change.n_attempts).bind(archive_path).bind(manifest.map(|digest| digest.to_string()));
    let moved =
        moved.bind(change.released_at).bind(change.n_broken_off).bind(&step.id).bind(step.from.word()).bind(step.fence);
    let moved = moved.execute(&mut *conn).await?;
    written(conn, EditionState::ROW, step, &reason, &moved).await
}

/// Moves a delivery; false when it is no longer where the step begins.
pub(super) async fn move_delivery(
    conn: &mut SqliteConnection,
    step: &Step<DeliveryState>,
    change: DeliveryChange,
) -> Result<bool, LedgerError> {
    let reason = allowed(DeliveryState::ROW, step)?;
    let moved = sqlx::query(
        "UPDATE delivery SET state = $1, reason = $2, moved_at = $3, fence = fence + 1, worker_id = $4,
             lease_until_at = $5, n_attempts = COALESCE($6, n_attempts), next_at = $7,
             receipt = COALESCE($8, receipt), refused_bytes = COALESCE($9, refused_bytes)
         WHERE id = CAST($10 AS BIGINT) AND state = $11 AND fence = $12",
    );
    let moved = moved.bind(step.to.word()).bind(&reason).bind(step.at);
    let moved = moved.bind(change.lease.map(|lease| lease.worker)).bind(change.lease.map(|lease| lease.until));
    let moved = moved.bind(change.n_attempts).bind(change.next_at).bind(change.receipt);
    let moved = moved.bind(change.refused_bytes);
    let moved = moved.bind(&step.id).bind(step.from.word()).bind(step.fence).execute(&mut *conn).await?;
    written(conn, DeliveryState::ROW, step, &reason, &moved).await
}

/// Moves a digest, which has the states of a delivery; false when it is no longer where the step begins.
pub(super) async fn move_digest(
    conn: &mut SqliteConnection,
    step: &Step<DeliveryState>,
    change: DeliveryChange,
) -> Result<bool, LedgerError> {
    let reason = allowed(DIGEST, step)?;
    let moved = sqlx::query(
        "UPDATE digest SET state = $1, reason = $2, moved_at = $3, fence = fence + 1, worker_id = $4,
             lease_until_at = $5, n_attempts = COALESCE($6, n_attempts), next_at = $7, receipt = COALESCE($8, receipt)
         WHERE id = CAST($9 AS BIGINT) AND state = $10 AND fence = $11",
    );
    let moved = moved.bind(step.to.word()).bind(&reason).bind(step.at);
    let moved = moved.bind(change.lease.map(|lease| lease.worker)).bind(change.lease.map(|lease| lease.until));
    let moved = moved.bind(change.n_attempts).bind(change.next_at).bind(change.receipt);
    let moved = moved.bind(&step.id).bind(step.from.word()).bind(step.fence).execute(&mut *conn).await?;
    written(conn, DIGEST, step, &reason, &moved).await
}

/// Refuses a move that is not in the table; else the reason as it is kept.
fn allowed<S: State>(row: &'static str, step: &Step<S>) -> Result<String, LedgerError> {
    if step.from.next().contains(&step.to) {
        return Ok(reason_text(&step.reason));
    }
    let (from, to) = (step.from.word(), step.to.word());
    Err(LedgerError::Move { row, id: step.id.clone(), from, to })
}

/// Writes a move down if it happened, and says whether it did.
async fn written<S: State>(
    conn: &mut SqliteConnection,
    row: &'static str,
    step: &Step<S>,
    reason: &str,
    moved: &SqliteQueryResult,
) -> Result<bool, LedgerError> {
    if moved.rows_affected() == 0 {
        return Ok(false);
    }
    let written = sqlx::query(
        "INSERT INTO move (row_kind, row_id, from_state, to_state, reason, at, worker_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    );
    let written = written.bind(row).bind(&step.id).bind(step.from.word()).bind(step.to.word());
    written.bind(reason).bind(step.at).bind(step.worker).execute(conn).await?;
    Ok(true)
}

/// So many of something, in words.
pub(super) fn counted(n: u32, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// A reason as the ledger keeps it: one line, bounded.
pub(super) fn reason_text(reason: &str) -> String {
    let line = header_text(reason);
    if line.chars().count() <= REASON_CHARS_MAX {
        return line;
    }
    let kept: String = line.chars().take(REASON_CHARS_MAX).collect();
    format!("{kept}… (cut at {REASON_CHARS_MAX} characters)")
}
