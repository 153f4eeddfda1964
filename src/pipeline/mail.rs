//! Hands the mails of archived editions over.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use tokio::task::JoinSet;

use crate::archive::ArchiveError;
use crate::deliver::{Handed, Outcome, Parcel};
use crate::ledger::{DeliveryClaim, LedgerError, RunId, RunState};

use super::destinations::Outlet;
use super::order::{Order, Press};
use super::pace::{LEASE_MINUTES, Turn};
use super::parcel::{Opened, parcel};
use super::patience::patiently;
use super::run::RunError;

#[cfg(test)]
mod tests;

/// How many deliveries are claimed at once: one durable commit for all of them. Few, since of those that a kill leaves
/// untried nobody can tell either.
const CLAIMS_MAX: usize = 16;

/// How long a run waits in place for a destination that took as many as it allows, in seconds; for longer it rests, and
/// is taken up again.
const WAIT_SECS_MAX: i64 = 60;

/// How often it looks whether it is to stop meanwhile, in milliseconds.
const LOOK_MILLIS: u64 = 200;

/// Why what was claimed is given back.
const RESTING: &str = "not handed over, the destination is out of order";

/// A pack, or why it cannot be read.
type Read = Arc<Result<Opened, ArchiveError>>;

/// What became of a claimed delivery.
enum Sent {
    /// The destination was asked.
    Asked(Handed),
    /// It was not, since there is nothing to hand over, or nobody can tell.
    Unasked(Outcome),
    /// It waited for its place until the destination was left alone, until that instant.
    Back(DateTime<Utc>),
    /// Its claim was lost before it was handed over: it must not go out any more.
    Lost,
}

/// Hands over every delivery of a run to one destination that is ready, until none is, or the destination takes no more
/// for now.
///
/// # Errors
/// When the ledger cannot be written, or the archive cannot be read: after what was under way has ended. What could not
/// be written down for long becomes `uncertain` when its lease ends.
pub(super) async fn deliver_ready(
    press: &Press,
    order: &Arc<Order>,
    run: RunId,
    outlet: &Outlet,
) -> Result<(), RunError> {
    let (queue, tasks, claims) = (VecDeque::new(), JoinSet::new(), HashMap::new());
    let mut sending = Sending { press, order, outlet, queue, tasks, claims };
    let (mut is_over, mut failed) = (false, None);
    while !is_over || !sending.is_idle() {
        if press.stop.is_set() {
            is_over = true;
            sending.put_back("told to stop before it was handed over", press.clock.now()).await?;
        } else if !is_over && sending.queue.is_empty() {
            let now = press.clock.now();
            match sending.claim(run, now).await {
                Ok(Turn::Claimed(claims)) if !claims.is_empty() => failed = sending.enqueue(claims, now).await.err(),
                Ok(Turn::Full(at)) if (at - now).num_seconds() <= WAIT_SECS_MAX && sending.is_idle() => {
                    tokio::time::sleep(std::time::Duration::from_millis(LOOK_MILLIS)).await;
                }
                Ok(Turn::Full(at)) if (at - now).num_seconds() <= WAIT_SECS_MAX => {}
                Ok(_) => is_over = true,
                Err(error) => failed = Some(error.into()),
            }
            is_over |= failed.is_some();
        }
        sending.begin();
        sending.settle_next().await?;
    }
    failed.map_or(Ok(()), Err)
}

/// The hand-overs of a run that are under way.
struct Sending<'a> {
    press: &'a Press,
    order: &'a Arc<Order>,
    outlet: &'a Outlet,
    /// Claimed, and not begun.
    queue: VecDeque<(DeliveryClaim, Read)>,
    tasks: JoinSet<Sent>,
    claims: HashMap<tokio::task::Id, DeliveryClaim>,
}

impl Sending<'_> {
    fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.tasks.is_empty()
    }

    async fn claim(&self, run: RunId, now: DateTime<Utc>) -> Result<Turn, LedgerError> {
        self.outlet.pace.claim(&self.press.ledger, (run, &self.outlet.name), CLAIMS_MAX, now).await
    }

    /// Reads the files of the claimed deliveries, once for all who get an edition; each is verified against its manifest.
    /// While the archive is away nothing is wrong with any of them: they are given back.
    async fn enqueue(&mut self, claims: Vec<DeliveryClaim>, now: DateTime<Utc>) -> Result<(), RunError> {
        let mut packs: BTreeMap<&str, Read> = BTreeMap::new();
        for claim in &claims {
            let path = claim.archive_path.as_str();
            if packs.contains_key(path) {
                continue;
            }
            match self.press.archive.get(path).await {
                Err(error) if error.is_transient() => {
                    let reason = format!("not handed over, its files cannot be read: {error}");
                    patiently(|| self.press.ledger.put_back(&claims, &reason, now, now)).await?;
                    return Err(error.into());
                }
                read => packs.insert(path, Arc::new(read.map(Opened::new))),
            };
        }
        let with_pack = |claim: &DeliveryClaim| Some((claim.clone(), Arc::clone(packs.get(&*claim.archive_path)?)));
        self.queue.extend(claims.iter().filter_map(with_pack));
        Ok(())
    }

    /// Begins as many as may be under way at once.
    fn begin(&mut self) {
        while self.tasks.len() < self.outlet.pace.at_once_max() {
            let Some((claim, pack)) = self.queue.pop_front() else { return };
            let (press, order, outlet) = (self.press.clone(), Arc::clone(self.order), self.outlet.clone());
            let ours = claim.clone();
            // Boxed: behind an async block the compiler cannot tell that it may change threads.
            let task: BoxFuture<'static, Sent> =
                Box::pin(async move { send(&press, &order, &ours, &pack, &outlet).await });
            self.claims.insert(self.tasks.spawn(task).id(), claim);
        }
    }

    /// Waits for one that ends, and writes it down with those that ended meanwhile.
    async fn settle_next(&mut self) -> Result<(), LedgerError> {
        let Some(ended) = self.tasks.join_next_with_id().await else { return Ok(()) };
        let now = self.press.clock.now();
        let (mut resting_until, mut settled, mut back) = (None, Vec::new(), Vec::new());
        let mut next = Some(ended);
        while let Some(ended) = next {
            let (id, sent) = match ended {
                Ok((id, sent)) => (id, sent),
                // How far it came nobody can tell.
                Err(error) => {
                    (error.id(), Sent::Unasked(Outcome::Uncertain(format!("handing it over broke off: {error}"))))
                }
            };
            match (self.claims.remove(&id), sent) {
                (Some(claim), Sent::Asked(handed)) => {
                    resting_until = self.outlet.pace.hear(&self.outlet.name, &handed, now);
                    settled.push((claim, handed));
                }
                (Some(claim), Sent::Unasked(outcome)) => settled.push((claim, outcome.into())),
                (Some(claim), Sent::Back(until)) => back.push((claim, until)),
                (_, Sent::Lost) | (None, _) => {}
            }
            next = self.tasks.try_join_next_with_id();
        }
        let retries = self.order.retries_at(&self.outlet.name);
        let states = patiently(|| self.press.ledger.settle_deliveries(&settled, retries, now)).await?;
        for ((claim, _), _) in settled.iter().zip(states).filter(|(_, state)| state.is_none()) {
            // Somebody else has the row by now; what it says stands.
            tracing::warn!(delivery.id = %claim.row.id, "a delivery's claim was lost before it was settled");
        }
        // After what went out, which must not be lost to an error here.
        for (claim, until) in back {
            let claims = [claim];
            patiently(|| self.press.ledger.put_back(&claims, RESTING, until, now)).await?;
        }
        match resting_until {
            Some(until) => self.put_back(RESTING, until).await,
            None => Ok(()),
        }
    }

    /// Gives back what was claimed and not begun.
    async fn put_back(&mut self, reason: &str, until: DateTime<Utc>) -> Result<(), LedgerError> {
        let claims: Vec<DeliveryClaim> = self.queue.drain(..).map(|(claim, _)| claim).collect();
        if claims.is_empty() {
            return Ok(());
        }
        let now = self.press.clock.now();
        patiently(|| self.press.ledger.put_back(&claims, reason, until, now)).await
    }
}

/// Asks the destination about a run's uncertain deliveries, where it can tell: what it has is delivered, what it has
/// not is handed over again, unless the run was left out. Nothing is guessed of a destination that cannot tell.
///
/// # Errors
/// When the ledger cannot be read or written.
pub(super) async fn ask_uncertain(press: &Press, run: RunId) -> Result<(), LedgerError> {
    let is_left_out = press.ledger.run(run).await?.state == RunState::Skipped;
    let mut after = None;
    loop {
        let rows = press.ledger.uncertain(run, after).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = Some(last.id);
        for row in rows {
            let now = press.clock.now();
            let destination = press.destinations.get(&row.destination).destination;
            if !destination.can_tell() {
                continue;
            }
            match destination.receipt(&row.message_id).await {
                Some(receipt) => press.ledger.settle_uncertain_by_receipt(row.id, &receipt, now).await?,
                None if is_left_out => {}
                None => press.ledger.resend(row.id, "the destination has not got it", now).await?,
            }
        }
    }
}

async fn send(press: &Press, order: &Order, claim: &DeliveryClaim, pack: &Read, outlet: &Outlet) -> Sent {
    // Of all runs together no more than the destination takes at once: what waits for its place may lose its claim.
    let _place = outlet.pace.place().await;
    let (lease, now) = (chrono::Duration::minutes(LEASE_MINUTES), press.clock.now());
    if let Some(until) = outlet.pace.resting(now) {
        return Sent::Back(until);
    }
    if now - claim.row.moved_at > lease / 10 {
        match press.ledger.renew_delivery(claim, lease, now).await {
            Ok(()) => {}
            // It has waited for too long, and is told as uncertain by now.
            Err(error) if error.is_lost_claim() => return Sent::Lost,
            Err(error) => return Sent::Unasked(Outcome::Retryable(format!("its claim cannot be renewed: {error}"))),
        }
    }
    // The list of domains may be another than when the mail was planned.
    if let Some(reason) = order.brakes.refusal(&claim.row.address) {
        return Sent::Unasked(Outcome::Failed(format!("it cannot be sent: {reason}")));
    }
    let pack = match pack.as_ref() {
        Ok(pack) => pack,
        // A disk that is not mounted leaves an empty folder in its place.
        Err(error @ ArchiveError::Missing { .. }) => {
            return Sent::Unasked(Outcome::Retryable(format!("its files cannot be read: {error}")));
        }
        Err(error) => return Sent::Unasked(Outcome::Failed(format!("its files cannot be sent: {error}"))),
    };
    match parcel(press, order, claim, pack, outlet).await {
        Ok(parcel) => Sent::Asked(hand_over(outlet, claim, &parcel).await),
        Err(outcome) => Sent::Unasked(outcome),
    }
}

/// Asks first whether an earlier try was taken, where that can be known.
async fn hand_over(outlet: &Outlet, claim: &DeliveryClaim, parcel: &Parcel) -> Handed {
    if claim.attempt_no > 1
        && let Some(receipt) = outlet.destination.receipt(&claim.row.message_id).await
    {
        return Outcome::Delivered(receipt).into();
    }
    outlet.destination.deliver(parcel).await
}
