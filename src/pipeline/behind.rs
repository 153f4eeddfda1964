//! Whether the ledger is behind its archive: what was made, and perhaps sent, without its knowledge is held.

use std::collections::BTreeMap;

use crate::base::EditionId;

use super::make::key;
use super::order::{Order, Press};
use super::plan::{FIRST, Plan};
use super::run::RunError;

/// An edition that the archive has and the ledger has not. No crash leaves that behind, since an edition is a row
/// before its pack is put: the ledger is an older copy, or a new one.
const NEVER_MADE: &str = "the archive already has this edition, which this ledger never made: the ledger is behind its \
                          archive; it may have been sent";

/// An edition that the ledger had when it was restored. To whom it went after the backup is not known.
const SINCE_THE_BACKUP: &str = "the ledger was restored from a backup that is older than this delivery, but has its \
                                edition: it may have been sent since";

/// The editions of a plan that may have been sent without the ledger's knowledge, each with the reason why new
/// deliveries of it wait for an admin.
///
/// # Errors
/// When the archive cannot be listed or the ledger cannot be read: then nobody can tell.
pub(super) async fn doubts(press: &Press, order: &Order, plan: &Plan) -> Result<BTreeMap<EditionId, String>, RunError> {
    let Some(first) = plan.editions.first() else { return Ok(BTreeMap::new()) };
    let key = |edition: &super::PlannedEdition| key(order, plan.period, &edition.audience, FIRST);
    // The archive first: what another process files meanwhile has a row by the time the ledger is asked.
    let shelf = press.archive.shelf(&key(first)).await?;
    let mut archived = Vec::new();
    for edition in &plan.editions {
        if shelf.has(&key(edition))? {
            archived.push(edition.id);
        }
    }
    let known = press.ledger.planned_at(&archived).await?;
    let restored_at = press.ledger.restored_at().await?;
    let doubt = |id: &EditionId| match known.get(id) {
        None => Some(NEVER_MADE),
        Some(planned_at) => restored_at.filter(|restored_at| planned_at < restored_at).map(|_| SINCE_THE_BACKUP),
    };
    let doubts: BTreeMap<EditionId, String> =
        archived.iter().filter_map(|id| Some((*id, doubt(id)?.to_owned()))).collect();
    let n_never_made = archived.len() - known.len();
    if n_never_made > 0 {
        tracing::warn!(
            schedule = order.schedule,
            period = %plan.period,
            editions.never_made = n_never_made,
            "the archive has editions that this ledger never made: their mails are held until somebody releases them"
        );
    }
    Ok(doubts)
}
