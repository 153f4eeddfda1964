//! The digest: tells the admin by mail how runs ended, and what to do. Planned once for each rest of a run, in the ledger.

mod words;

use std::collections::BTreeMap;

use chrono::Duration;

use crate::base::Digest;
use crate::deliver::{Mailbox, Parcel};
use crate::ledger::{
    Counts, DeliveriesOf, DeliveryRow, DeliveryState, DigestClaim, DigestWhen, EditionRow, EditionState, LedgerError,
    NewDigest, Rest, Retries, RunId, RunState,
};

use super::destinations::MAIL;
use super::order::Press;

/// How many runs a digest tells one by one before the rest is counted.
const RUNS_MAX: usize = 20;

/// How many editions, and how many mails, it names of each of these.
const NAMED_MAX: usize = 20;

/// How long a claim of a digest holds, longer than handing one over may take.
const LEASE_MINUTES: i64 = 30;

/// To whom digests go, and from whom.
#[derive(Clone, Debug)]
pub struct DigestOrder {
    /// The addresses, each once.
    pub to: Vec<String>,
    /// After which runs.
    pub when: DigestWhen,
    /// Who sends.
    pub from: Mailbox,
    /// Where answers go, if not to the sender.
    pub reply_to: Option<Mailbox>,
    /// The domain of Message-IDs.
    pub message_id_domain: String,
    /// When one that was not taken is tried again.
    pub retries: Retries,
}

/// A run that is told, with what went wrong in it.
struct Told {
    rest: Rest,
    counts: Counts,
    /// At most [`NAMED_MAX`], and how many there are.
    editions: (Vec<EditionRow>, usize),
    deliveries: (Vec<DeliveryRow>, usize),
    /// The brakes that hold it as a whole.
    brakes: Vec<String>,
    /// Later parts of it that wait for data.
    n_waiting: usize,
}

/// Tells the runs that came to rest since the last time, and hands the digests over that are due. Without an order the
/// rests are passed over for good: what is configured later begins with later runs.
///
/// # Errors
/// When the ledger cannot be read or written; what was planned is sent the next time.
pub async fn tell_rests(press: &Press, order: Option<&DigestOrder>) -> Result<(), LedgerError> {
    loop {
        let rests = press.ledger.untold().await?;
        // When another process was quicker it tells them.
        if rests.is_empty() || !plan(press, order, rests).await? {
            break;
        }
    }
    let Some(order) = order else { return Ok(()) };
    // One at a time, so that of what a stop or a kill leaves untried somebody can tell.
    while !press.stop.is_set() {
        let claims = press.ledger.claim_digests(Duration::minutes(LEASE_MINUTES), press.clock.now()).await?;
        let Some(claim) = claims.first() else { break };
        send(press, order, claim).await?;
    }
    Ok(())
}

/// Plans digests about rests; false when some of them moved on or were told meanwhile.
async fn plan(press: &Press, order: Option<&DigestOrder>, rests: Vec<Rest>) -> Result<bool, LedgerError> {
    let now = press.clock.now();
    let Some(order) = order else {
        return press.ledger.plan_digests(&[], &rests, &[], now).await;
    };
    let waiting = waiting(press).await?;
    let (mut told, mut passed_over) = (Vec::new(), Vec::new());
    for rest in rests {
        let n_waiting = waiting.get(&rest.run.of_run.unwrap_or(rest.run.id)).copied().unwrap_or_default();
        let one = read(press, rest, n_waiting).await?;
        match order.when == DigestWhen::Always || one.is_problem() {
            true => told.push(one),
            false => passed_over.push(one.rest),
        }
    }
    let digests: Vec<NewDigest> = match told.is_empty() {
        true => Vec::new(),
        false => order.to.iter().map(|address| new_digest(order, address, &told)).collect(),
    };
    let told: Vec<Rest> = told.into_iter().map(|one| one.rest).collect();
    press.ledger.plan_digests(&told, &passed_over, &digests, now).await
}

/// How many later parts of runs wait for data, by the first part.
async fn waiting(press: &Press) -> Result<BTreeMap<RunId, usize>, LedgerError> {
    let mut waiting = BTreeMap::new();
    for run in press.ledger.gaps().await?.rows.iter().filter(|run| run.state == RunState::Waiting) {
        if let Some(first) = run.of_run {
            *waiting.entry(first).or_default() += 1;
        }
    }
    Ok(waiting)
}

async fn read(press: &Press, rest: Rest, n_waiting: usize) -> Result<Told, LedgerError> {
    let id = rest.run.id;
    let counts = press.ledger.counts(id).await?;
    let (mut editions, mut deliveries) = ((Vec::new(), 0), (Vec::new(), 0));
    let is_bad = |state: &EditionState| matches!(state, EditionState::Held | EditionState::Failed);
    if counts.editions.keys().any(is_bad) {
        let rows = press.ledger.editions(id).await?.rows;
        editions = bounded(rows.into_iter().filter(|row| is_bad(&row.state)));
    }
    let is_bad = |state: &DeliveryState| {
        use DeliveryState::{Failed, Held, Uncertain};
        matches!(state, Failed | Held | Uncertain)
    };
    if counts.deliveries.keys().any(is_bad) {
        let rows = press.ledger.deliveries(&DeliveriesOf::InTrouble(id)).await?.rows;
        // Those of a held edition go on with it.
        let held: Vec<_> = editions.0.iter().map(|edition: &EditionRow| edition.id).collect();
        let is_told = |row: &DeliveryRow| is_bad(&row.state) && !held.contains(&row.edition);
        deliveries = bounded(rows.into_iter().filter(is_told));
    }
    let brakes = press.ledger.brakes_of(id).await?;
    let brakes = brakes.into_iter().filter(|row| row.edition.is_none() && row.released_at.is_none());
    Ok(Told { rest, counts, editions, deliveries, brakes: brakes.map(|row| row.trip.brake).collect(), n_waiting })
}

fn bounded<T>(rows: impl Iterator<Item = T>) -> (Vec<T>, usize) {
    let mut all: Vec<T> = rows.collect();
    let n = all.len();
    all.truncate(NAMED_MAX);
    (all, n)
}

impl Told {
    /// Whether somebody should do something.
    fn is_problem(&self) -> bool {
        use RunState::{Done, Skipped};
        !matches!(self.rest.run.state, Done | Skipped)
    }
}

fn new_digest(order: &DigestOrder, address: &str, told: &[Told]) -> NewDigest {
    let rests: Vec<String> =
        told.iter().map(|one| format!("{} {} {}", one.rest.run.id, one.rest.no(), one.rest.run.state)).collect();
    let id = Digest::of_parts([b"digest".as_slice(), rests.join("\n").as_bytes(), address.to_lowercase().as_bytes()]);
    let words = words::of(told);
    NewDigest {
        address: address.to_owned(),
        message_id: format!("{}@{}", &id.to_string()[..40], order.message_id_domain),
        subject: words.subject,
        text: words.text,
        html: words.html,
    }
}

/// Hands a digest over.
async fn send(press: &Press, order: &DigestOrder, claim: &DigestClaim) -> Result<(), LedgerError> {
    let parcel = Parcel {
        message_id: claim.mail.message_id.clone(),
        date_at: claim.planned_at,
        from: order.from.clone(),
        reply_to: order.reply_to.clone(),
        to: Mailbox { name: String::new(), address: claim.mail.address.clone() },
        rehearsed_for: None,
        subject: claim.mail.subject.clone(),
        text: claim.mail.text.clone(),
        html: claim.mail.html.clone(),
        attachments: Vec::new(),
        list: None,
        references: None,
        inline: Vec::new(),
        edition: None,
    };
    let outcome = press.destinations.get(MAIL).destination.deliver(&parcel).await.outcome;
    match press.ledger.settle_digest(claim, &outcome, &order.retries, press.clock.now()).await {
        // Its lease ended: what its row says stands.
        Err(error) if error.is_lost_claim() => Ok(()),
        Ok(state) if state != DeliveryState::Delivered => {
            tracing::warn!(digest.id = claim.id.0, digest.state = %state, "a digest did not arrive; see `pressrun status`");
            Ok(())
        }
        settled => settled.map(|_| ()),
    }
}
