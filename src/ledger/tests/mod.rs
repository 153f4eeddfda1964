//! One ledger in a temporary folder, and what the tests plan in it.

mod brakes;
mod claims;
mod digests;
mod files;
mod hands;
mod life;
mod mail;
mod metrics;
mod model;
mod restored;
mod skips;
mod states;

use std::path::PathBuf;

use chrono::{DateTime, Duration, Utc};

use super::*;
use crate::audience::{Audience, Scope};
use crate::base::{Digest, EditionId, Period};
use crate::deliver::{Handed, Outcome, Phase, Receipt};
use crate::schedule::{Cadence, PeriodRule, Times, Timing};

pub(super) const RELAY: &str = "relay";

pub(super) const HOLD: Retries = Retries {
    attempts_max: 3,
    backoff_secs_min: 60,
    backoff_secs_max: 150,
    deadline_hours: 48,
    rule: UncertainRule::Hold,
};
pub(super) const RESEND: Retries = Retries { rule: UncertainRule::Resend, ..HOLD };

/// So many seconds after 2026-11-23 06:00 UTC.
pub(super) fn at(secs: i64) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-11-23T06:00:00Z").unwrap().to_utc() + Duration::seconds(secs)
}

pub(super) fn minutes(n: i64) -> Duration {
    Duration::minutes(n)
}

/// A ledger whose folder lasts as long as this value.
pub(super) struct Desk {
    pub(super) folder: tempfile::TempDir,
    pub(super) ledger: Ledger,
}

impl Desk {
    pub(super) async fn new() -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("ledger.db"), at(0)).await.unwrap();
        Desk { folder, ledger }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("ledger.db")
    }

    pub(super) async fn another(&self) -> Ledger {
        Ledger::open(&self.path(), at(0)).await.unwrap()
    }

    /// A run of `monthly`, by hand, with these editions.
    pub(super) async fn run_with(&self, editions: &[NewEdition]) -> RunId {
        let (run, _) = self.ledger.plan_run(&new_run(None), at(0)).await.unwrap();
        self.ledger.plan_editions(run.id, editions, &[], at(0)).await.unwrap();
        run.id
    }

    /// The one delivery of a fresh edition that is archived, claimed.
    pub(super) async fn sending(&self) -> DeliveryClaim {
        self.run_with(&[edition("1", &["a@example.com"])]).await;
        self.archive_all().await;
        self.claim_one(at(10)).await.unwrap()
    }

    pub(super) async fn claim_one(&self, now: DateTime<Utc>) -> Option<DeliveryClaim> {
        self.ledger.claim_deliveries(None, 1, minutes(10), now, RELAY).await.unwrap().pop()
    }

    pub(super) async fn archive_all(&self) {
        for claim in self.ledger.claim_editions(None, CLAIMS_MAX, minutes(10), at(1)).await.unwrap() {
            self.ledger.settle_edition(&claim, archived(), at(2)).await.unwrap();
        }
    }

    pub(super) async fn delivery(&self, id: DeliveryId) -> DeliveryRow {
        delivery::read_delivery(&mut self.ledger.read.acquire().await.unwrap(), id).await.unwrap()
    }
}

impl Ledger {
    /// Claims as many, whatever the destination allows.
    pub(crate) async fn claim_deliveries(
        &self,
        run: Option<RunId>,
        n: usize,
        lease: Duration,
        now: DateTime<Utc>,
        destination: &str,
    ) -> Result<Vec<DeliveryClaim>, LedgerError> {
        match self.claim_within(run, Room { n, windows: &[] }, lease, now, destination).await? {
            Claimed::These(claims) => Ok(claims),
            Claimed::Full(at) => panic!("full until {at} without a bound"),
        }
    }
}

pub(super) fn archived() -> EditionOutcome {
    EditionOutcome::Archived { path: "monthly/2026-10/1".to_owned(), manifest: Digest::of(b"manifest") }
}

pub(super) fn delivered() -> Outcome {
    Outcome::Delivered(Receipt("250 queued as 42".to_owned()))
}

pub(super) fn new_run(occurrence_at: Option<DateTime<Utc>>) -> NewRun {
    NewRun {
        schedule: "monthly".to_owned(),
        occurrence_at,
        period: period(),
        data: "{\"load_no\":7}".to_owned(),
        config_digest: "c0ffee".to_owned(),
        why: "0 6 22W * * in UTC".to_owned(),
        start_at: None,
        deadline_at: None,
    }
}

impl Retries {
    /// Three tries, a minute apart; what is uncertain waits.
    pub(crate) fn thrice() -> Retries {
        Retries { backoff_secs_max: 60, ..HOLD }
    }
}

impl Ledger {
    /// Settles a delivery of whose conversation nothing is known.
    pub(super) async fn settle_as(
        &self,
        claim: &DeliveryClaim,
        outcome: &Outcome,
        retries: &Retries,
        now: DateTime<Utc>,
    ) -> Result<DeliveryState, LedgerError> {
        let settled = [(claim.clone(), outcome.clone().into())];
        let state = self.settle_deliveries(&settled, retries, now).await?.remove(0);
        state.ok_or_else(|| LedgerError::LostClaim { row: "delivery", id: claim.row.id.to_string() })
    }

    /// Writes a run down, or finds the one of that schedule and occurrence; true when it is new. A call by hand
    /// always makes a new one.
    pub(crate) async fn plan_run(&self, new: &NewRun, now: DateTime<Utc>) -> Result<(RunRow, bool), LedgerError> {
        let mut tx = self.begin().await?;
        let planned = plan::insert_run(&mut tx, new, RunState::Planned, "planned", now).await?;
        tx.commit().await?;
        Ok(planned)
    }

    /// Begins a run with these editions and nothing else.
    pub(crate) async fn plan_editions(
        &self,
        run: RunId,
        editions: &[NewEdition],
        exclusions: &[NewExclusion],
        now: DateTime<Utc>,
    ) -> Result<Planned, LedgerError> {
        self.begin_run(run, &Beginning { editions, exclusions, ..Beginning::default() }, now).await
    }
}

/// The 21st of each month at 06:00.
pub(super) fn timing() -> Timing {
    let cadence = Cadence::new(Times::Cron("0 6 21 * *".parse().unwrap()), chrono_tz::UTC);
    Timing { cadence, period: PeriodRule::default() }
}

pub(super) fn period() -> Period {
    "2026-10".parse().unwrap()
}

/// The first edition of a partner for its report viewers, to these addresses.
pub(super) fn edition(partner_id: &str, addresses: &[&str]) -> NewEdition {
    let audience = Audience {
        partner_id: partner_id.to_owned(),
        role: "report-viewer".to_owned(),
        scope: Scope::Organization,
        language: "en".to_owned(),
    };
    let id = EditionId::of("monthly", period(), &audience.key(), 1);
    let recipients = addresses.iter().map(|address| NewDelivery {
        address: (*address).to_owned(),
        name: "A Reader".to_owned(),
        message_id: crate::deliver::message_id(id, address, "example.com"),
        destination: RELAY.to_owned(),
        suppressed: None,
        held: None,
    });
    NewEdition {
        id,
        partner_name: format!("Partner {partner_id}"),
        number: 1,
        period: period(),
        recipients: recipients.collect(),
        audience,
    }
}

/// The states that a row went through, in order.
pub(super) async fn path_of(ledger: &Ledger, row: &str, id: impl ToString) -> Vec<(String, String)> {
    let moves = ledger.moves_of(row, &id.to_string()).await.unwrap();
    moves.rows.into_iter().map(|moved| (moved.from, moved.to)).collect()
}
