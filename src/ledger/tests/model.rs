//! Random operations, in any order and by two workers: only allowed moves happen, and the promises hold.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Op {
    Plan(u8),
    ClaimEditions(usize),
    SettleEdition(u8),
    ClaimDeliveries(usize),
    SettleDelivery(u8),
    Late(u8),
    Wait,
    Kill,
    Resolve,
    Resend(u8),
    Release(u8),
    Finish,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => any::<u8>().prop_map(Op::Plan),
        4 => (1_usize..4).prop_map(Op::ClaimEditions),
        6 => any::<u8>().prop_map(Op::SettleEdition),
        6 => (1_usize..4).prop_map(Op::ClaimDeliveries),
        8 => any::<u8>().prop_map(Op::SettleDelivery),
        1 => any::<u8>().prop_map(Op::Late),
        2 => Just(Op::Wait),
        1 => Just(Op::Kill),
        1 => Just(Op::Resolve),
        1 => any::<u8>().prop_map(Op::Resend),
        2 => any::<u8>().prop_map(Op::Release),
        1 => Just(Op::Finish),
    ]
}

/// The model: who holds what, what was handed over, and what a relay may have taken.
struct World {
    desk: Desk,
    worker: Option<Ledger>,
    secs: i64,
    editions: Vec<EditionClaim>,
    deliveries: Vec<DeliveryClaim>,
    stale: Vec<DeliveryClaim>,
    delivered: BTreeSet<DeliveryId>,
    n_claims: BTreeMap<DeliveryId, u32>,
}

impl World {
    async fn step(&mut self, op: Op) {
        self.secs += 1;
        let now = at(self.secs);
        match op {
            Op::Plan(n) => {
                let partner = (n % 4).to_string();
                let mut new = edition(&partner, &["a@example.com", "b@example.com"]);
                new.recipients[1].suppressed = (n % 3 == 0).then(|| "a rule".to_owned());
                new.recipients[0].held = (n % 5 == 0).then(|| "the archive has it".to_owned());
                self.desk.run_with(&[new]).await;
            }
            Op::ClaimEditions(n) => {
                let claims = self.worker().await.claim_editions(None, n, minutes(5), now).await.unwrap();
                self.editions.extend(claims);
            }
            Op::SettleEdition(n) => self.settle_edition(n).await,
            Op::ClaimDeliveries(n) => {
                for claim in self.worker().await.claim_deliveries(None, n, minutes(5), now, RELAY).await.unwrap() {
                    assert!(!self.delivered.contains(&claim.row.id), "a delivered one is sent again");
                    let n_claims = self.n_claims.entry(claim.row.id).or_default();
                    *n_claims += 1;
                    assert_eq!(claim.attempt_no, *n_claims, "every claim is an attempt");
                    self.deliveries.push(claim);
                }
            }
            Op::SettleDelivery(n) => self.settle_delivery(n).await,
            Op::Late(n) if !self.stale.is_empty() => {
                let claim = &self.stale[usize::from(n) % self.stale.len()];
                let late = self.desk.ledger.settle_as(claim, &delivered(), &RESEND, now).await;
                assert!(late.unwrap_err().is_lost_claim(), "a late worker wrote");
            }
            Op::Wait => self.lose_all(600).await,
            Op::Kill => {
                self.worker = None;
                self.lose_all(1).await;
            }
            Op::Resolve => {
                self.desk.ledger.resolve_uncertain("monthly", &RESEND, now).await.unwrap();
            }
            Op::Resend(n) => {
                let id = DeliveryId(i64::from(n % 8) + 1);
                let _ = self.desk.ledger.resend(id, "asked for", now).await;
                let _ = self.desk.ledger.settle(DeliveryId(i64::from(n % 5) + 1), Settled::Failed, "gone", now).await;
            }
            Op::Release(n) => {
                let id = edition(&(n % 4).to_string(), &[]).id;
                let _ = self.desk.ledger.release_edition(id, "looked at", now).await;
                let _ = self.desk.ledger.release_delivery(DeliveryId(i64::from(n % 8) + 1), "asked for", now).await;
            }
            Op::Finish => {
                for run in self.desk.ledger.runs(100).await.unwrap() {
                    self.desk.ledger.finish_run(run.id, now).await.unwrap();
                }
            }
            Op::Late(_) => {}
        }
    }

    async fn worker(&mut self) -> &Ledger {
        if self.worker.is_none() {
            self.worker = Some(self.desk.another().await);
        }
        self.worker.as_ref().unwrap()
    }

    async fn settle_edition(&mut self, n: u8) {
        let Some(claim) = self.editions.pop() else { return };
        let why = || "so it is".to_owned();
        let outcome = match n % 8 {
            0 => EditionOutcome::Skipped(why()),
            1 => EditionOutcome::Held(why()),
            2 => EditionOutcome::Retry(why()),
            3 => EditionOutcome::Failed(why()),
            _ => archived(),
        };
        self.desk.ledger.settle_edition(&claim, outcome, at(self.secs)).await.unwrap();
    }

    async fn settle_delivery(&mut self, n: u8) {
        let Some(claim) = self.deliveries.pop() else { return };
        let why = || "so it is".to_owned();
        let outcome = match n % 6 {
            0 => Outcome::Retryable(why()),
            1 => Outcome::Uncertain(why()),
            2 => Outcome::Failed(why()),
            _ => delivered(),
        };
        let rule = if n.is_multiple_of(2) { HOLD } else { RESEND };
        let state = self.desk.ledger.settle_as(&claim, &outcome, &rule, at(self.secs)).await.unwrap();
        if state == DeliveryState::Delivered {
            self.delivered.insert(claim.row.id);
        }
        self.stale.push(claim);
    }

    /// Time passes or the worker dies: what is reaped is exactly what was held.
    async fn lose_all(&mut self, secs: i64) {
        self.secs += secs;
        let reaped = self.desk.ledger.reap(at(self.secs)).await.unwrap();
        let n_editions = reaped.n_editions_planned + reaped.n_editions_failed;
        assert_eq!(n_editions, self.editions.len() as u64);
        assert_eq!(reaped.n_deliveries_uncertain, self.deliveries.len() as u64);
        self.editions.clear();
        self.stale.append(&mut self.deliveries);
    }

    /// Every row's moves are allowed, begin where the last ended, and end where the row is.
    async fn check(&self) {
        let allowed: BTreeSet<_> = moves().into_iter().collect();
        let ledger = &self.desk.ledger;
        for run in ledger.runs(1_000).await.unwrap() {
            check_row(ledger, &allowed, "run", run.id.to_string(), run.state.word(), "planned").await;
            for row in ledger.editions(run.id).await.unwrap().rows {
                check_row(ledger, &allowed, "edition", row.id.to_string(), row.state.word(), "planned").await;
                assert_eq!(row.state == EditionState::Archived, row.archive_path.is_some());
            }
            for row in ledger.deliveries(&DeliveriesOf::Run(run.id)).await.unwrap().rows {
                let moved = ledger.moves_of("delivery", &row.id.to_string()).await.unwrap();
                let first = moved.rows.first().map_or(row.state.word().to_owned(), |moved| moved.from.clone());
                assert!(["planned", "suppressed", "held"].contains(&first.as_str()), "{first}");
                check_row(ledger, &allowed, "delivery", row.id.to_string(), row.state.word(), &first).await;
                let n_attempts = ledger.attempts(row.id).await.unwrap().len();
                assert_eq!(n_attempts, usize::try_from(row.n_attempts).unwrap());
                assert_eq!(self.n_claims.get(&row.id).copied().unwrap_or_default(), row.n_attempts);
                let is_waiting = !row.state.is_last() && row.state != DeliveryState::Sending;
                assert!(row.next_at.is_none() || is_waiting, "{} would be tried again", row.state);
            }
        }
    }
}

async fn check_row(
    ledger: &Ledger,
    allowed: &BTreeSet<(&str, &str, &str)>,
    row: &'static str,
    id: String,
    state: &str,
    first: &str,
) {
    let mut here = first.to_owned();
    for (from, to) in path_of(ledger, row, &id).await {
        assert_eq!(from, here, "{row} {id}");
        assert!(allowed.contains(&(row, from.as_str(), to.as_str())), "{row} {id}: {from} to {to}");
        here = to;
    }
    assert_eq!(here, state, "{row} {id}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn whatever_happens_only_allowed_moves_are_made(ops in prop::collection::vec(op(), 10..50)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World {
                desk: Desk::new().await,
                worker: None,
                secs: 10,
                editions: Vec::new(),
                deliveries: Vec::new(),
                stale: Vec::new(),
                delivered: BTreeSet::new(),
                n_claims: BTreeMap::new(),
            };
            for op in ops {
                world.step(op).await;
            }
            world.check().await;
            metrics::check_queues(&world.desk.ledger).await;
        });
    }
}
