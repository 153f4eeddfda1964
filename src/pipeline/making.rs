//! Makes claimed editions, files them, has them looked through, and writes down what became of each.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::task::{Id, JoinError, JoinSet};

use crate::archive::ArchiveError;
use crate::facts::{BurstRequest, PartnerFacts};
use crate::ledger::{EditionClaim, EditionOutcome, LedgerError, Measured};

use super::brakes::{held, look_again, measured};
use super::check;
use super::make::{Draft, Edition, Made, MakeError, Of, make};
use super::order::{Order, Press};
use super::patience::patiently;
use super::run::{LEASE_MINUTES, Progress, RunError, Step};

/// Makes the claimed editions: one reader ahead, as many makers as there are cores, archive and ledger behind.
///
/// # Errors
/// When the ledger or the archive fails: after what was under way has ended, and with the rest given back.
pub(super) async fn make_claimed(
    press: &Press,
    order: &Arc<Order>,
    of: &Of,
    claims: Vec<EditionClaim>,
    progress: &Progress,
) -> Result<(), RunError> {
    let mut by_partner: BTreeMap<String, Vec<EditionClaim>> = BTreeMap::new();
    for claim in claims {
        by_partner.entry(claim.row.audience.partner_id.clone()).or_default().push(claim);
    }
    let range = order.range(of.period);
    let mut partners = press.facts.burst(BurstRequest {
        data: of.data.clone(),
        partner_ids: by_partner.keys().cloned().collect(),
        first: range.first().prev(),
        last: range.last(),
        closing_day: order.closing_day,
    });
    let mut under_way =
        UnderWay { press, order, of, progress, tasks: JoinSet::new(), making: HashMap::new(), failed: None };
    let mut broken = None;
    while let Some(facts) = partners.recv().await {
        let facts = match facts {
            Ok(facts) => facts,
            Err(error) => {
                broken = Some(error.to_string());
                break;
            }
        };
        let Ok(permit) = Arc::clone(&press.makers.0).acquire_owned().await else { break };
        under_way.clear_ended().await?;
        if under_way.failed.is_some() {
            break;
        }
        let Some(claims) = by_partner.remove(&facts.partner.id) else { continue };
        under_way.begin(facts, still_ours(press, claims).await?, permit);
    }
    under_way.rest().await?;
    let outcome = match &under_way.failed {
        Some(error) => EditionOutcome::Back(error.to_string()),
        None => EditionOutcome::Retry(broken.unwrap_or_else(|| "its partner's facts were not handed out".to_owned())),
    };
    let left: Vec<EditionClaim> = by_partner.into_values().flatten().collect();
    settle_all(press, &left, &outcome, progress).await?;
    under_way.failed.map_or(Ok(()), Err)
}

/// The editions that are being made, a partner's at a time each.
struct UnderWay<'a> {
    press: &'a Press,
    order: &'a Arc<Order>,
    of: &'a Of,
    progress: &'a Progress,
    tasks: JoinSet<Result<(), RunError>>,
    making: HashMap<Id, Vec<EditionClaim>>,
    /// What first kept one of them from filing or writing down, which keeps all of them from it.
    failed: Option<RunError>,
}

impl UnderWay<'_> {
    fn begin(&mut self, facts: PartnerFacts, claims: Vec<EditionClaim>, permit: tokio::sync::OwnedSemaphorePermit) {
        let (press, order, of) = (self.press.clone(), Arc::clone(self.order), self.of.clone());
        let (ours, progress) = (claims.clone(), Arc::clone(self.progress));
        let task = self.tasks.spawn(async move {
            let settled = make_partner(&press, &order, &of, facts, ours, &progress).await;
            drop(permit);
            settled
        });
        self.making.insert(task.id(), claims);
    }

    async fn clear_ended(&mut self) -> Result<(), LedgerError> {
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.ended(ended).await?;
        }
        Ok(())
    }

    /// Waits until all have ended.
    async fn rest(&mut self) -> Result<(), LedgerError> {
        while let Some(ended) = self.tasks.join_next_with_id().await {
            self.ended(ended).await?;
        }
        Ok(())
    }

    async fn ended(&mut self, ended: Result<(Id, Result<(), RunError>), JoinError>) -> Result<(), LedgerError> {
        match ended {
            Ok((_, Ok(()))) => Ok(()),
            Ok((_, Err(error))) => {
                self.failed.get_or_insert(error);
                Ok(())
            }
            Err(error) => {
                // What it had settled before it broke off stays as it is.
                let outcome = EditionOutcome::Retry(format!("making it broke off: {error}"));
                let claims = self.making.remove(&error.id()).unwrap_or_default();
                settle_all(self.press, &claims, &outcome, self.progress).await
            }
        }
    }
}

/// The claims that have waited for a place, renewed; one whose lease ended meanwhile is another's.
async fn still_ours(press: &Press, claims: Vec<EditionClaim>) -> Result<Vec<EditionClaim>, LedgerError> {
    let (now, lease) = (press.clock.now(), chrono::Duration::minutes(LEASE_MINUTES));
    let mut ours = Vec::with_capacity(claims.len());
    for claim in claims {
        if now - claim.row.moved_at > lease / 10 {
            match patiently(|| press.ledger.renew_edition(&claim, lease, now)).await {
                Err(error) if error.is_lost_claim() => continue,
                renewed => renewed?,
            }
        }
        ours.push(claim);
    }
    Ok(ours)
}

/// Makes one partner's editions on a thread that may block, then files and settles each. Those that cannot be filed now
/// are given back.
async fn make_partner(
    press: &Press,
    order: &Arc<Order>,
    of: &Of,
    facts: PartnerFacts,
    claims: Vec<EditionClaim>,
    progress: &Progress,
) -> Result<(), RunError> {
    let editions: Vec<Edition> = claims
        .iter()
        .map(|claim| Edition { id: claim.row.id, audience: claim.row.audience.clone(), number: claim.row.number })
        .collect();
    let task = (Arc::clone(order), of.clone());
    let made = tokio::task::spawn_blocking(move || make(&task.0, &task.1, facts, &editions)).await;
    let made = match made {
        Ok(Ok(made)) => made,
        Ok(Err(error)) => return Ok(settle_all(press, &claims, &retry(&error), progress).await?),
        Err(error) => {
            let outcome = EditionOutcome::Retry(format!("making it broke off: {error}"));
            return Ok(settle_all(press, &claims, &outcome, progress).await?);
        }
    };
    for (n, (claim, made)) in claims.iter().zip(made).enumerate() {
        let filed = match made {
            Ok(Made::Empty) => {
                Ok((EditionOutcome::Skipped("there is nothing to report".to_owned()), Measured::default()))
            }
            Ok(Made::Pack(draft)) => file_measured(press, order, claim, *draft).await,
            Err(error) => Ok((retry(&error), Measured::default())),
        };
        match filed {
            Ok((outcome, measured)) => settle_measured(press, claim, outcome, &measured, progress).await?,
            Err(error) => {
                settle_all(press, &claims[n..], &EditionOutcome::Back(error.to_string()), progress).await?;
                return Err(error);
            }
        }
    }
    Ok(())
}

fn retry(error: &MakeError) -> EditionOutcome {
    match error {
        // The configuration must change first.
        MakeError::Role(error) => EditionOutcome::Failed(error.to_string()),
        error => EditionOutcome::Retry(error.to_string()),
    }
}

/// Files a pack and looks at it by the brakes. One that an admin has released is held by none.
async fn file_measured(
    press: &Press,
    order: &Order,
    claim: &EditionClaim,
    draft: Draft,
) -> Result<(EditionOutcome, Measured), RunError> {
    let is_released = claim.row.released_at.is_some();
    let mut measured = measured(press, order, claim.row.run, &draft).await?;
    if is_released {
        measured.trips.clear();
    }
    let outcome = file(press, draft, is_released).await?;
    Ok((held(outcome, &measured), measured))
}

/// Files a pack, reads it back as it was filed, and has the gate look through it: what it holds stays filed, as the
/// evidence of why it was held. One that an admin has released may leave whatever the gate finds.
///
/// A complete pack of the same edition that an earlier program filed before it could say so is taken over: what is in
/// the archive is never overwritten.
///
/// # Errors
/// When the archive is away or full.
async fn file(press: &Press, draft: Draft, is_released: bool) -> Result<EditionOutcome, ArchiveError> {
    let (path, is_taken_over) = match press.archive.put(&draft.key, &draft.files, draft.manifest).await {
        Ok(archived) => (archived.path, false),
        Err(ArchiveError::Taken { path, .. }) => (path, true),
        Err(error) if error.is_transient() => return Err(error),
        Err(error) => return Ok(EditionOutcome::Failed(error.to_string())),
    };
    let pack = match press.archive.get(&path).await {
        Ok(pack) => pack,
        // It was there a moment ago.
        Err(error @ ArchiveError::Missing { .. }) => return Err(error),
        Err(error) if error.is_transient() => return Err(error),
        Err(error) => return Ok(EditionOutcome::Failed(error.to_string())),
    };
    let (manifest, search) = (pack.manifest_digest, draft.search);
    let looked = tokio::task::spawn_blocking(move || check::inspect(&pack, &search)).await;
    Ok(match looked {
        Ok(Ok(())) => EditionOutcome::Archived { path, manifest },
        Ok(Err(finding)) if is_released && !is_taken_over => {
            tracing::warn!(path, finding, "an edition that an admin has released leaves despite what the gate found");
            EditionOutcome::Archived { path, manifest }
        }
        Ok(Err(finding)) => EditionOutcome::Held(format!("gate: {finding}; see {path}")),
        Err(error) => EditionOutcome::Retry(format!("looking through it broke off: {error}")),
    })
}

async fn settle_all(
    press: &Press,
    claims: &[EditionClaim],
    outcome: &EditionOutcome,
    progress: &Progress,
) -> Result<(), LedgerError> {
    for claim in claims {
        settle_measured(press, claim, outcome.clone(), &Measured::default(), progress).await?;
    }
    Ok(())
}

async fn settle_measured(
    press: &Press,
    claim: &EditionClaim,
    outcome: EditionOutcome,
    measured: &Measured,
    progress: &Progress,
) -> Result<(), LedgerError> {
    let now = press.clock.now();
    let settled = patiently(|| press.ledger.settle_measured(claim, outcome.clone(), measured, now)).await;
    progress(Step::Settled(&claim.row.partner_name));
    if !measured.trips.is_empty() {
        patiently(|| look_again(press, claim.row.run)).await?;
    }
    match settled {
        // Somebody else has the row by now; what it says stands.
        Err(error) if error.is_lost_claim() => Ok(()),
        settled => settled.map(|_| ()),
    }
}
