//! What a ledger says after daemons have worked, and where it and the mails that were taken break the promises.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::faked::{Faked, instant};
use crate::taker::Mails;

/// The states of a run in which something is still to come by itself.
const OPEN_RUN: [&str; 3] = ["planned", "waiting", "running"];
/// The same of a delivery.
const OPEN_DELIVERY: [&str; 3] = ["planned", "sending", "retryable"];

/// What is done about a mail of which nobody can tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// It waits.
    Hold,
    /// It is sent again, and not given up as long as it has attempts left.
    Resend,
}

/// An occurrence's row.
pub struct Row {
    pub schedule: String,
    pub at: DateTime<Utc>,
    pub state: String,
}

/// A delivery's row.
pub struct Delivery {
    pub schedule: String,
    pub address: String,
    pub edition: String,
    pub message_id: String,
    pub state: String,
    pub reason: String,
}

/// All that is told.
pub struct Told {
    pub rows: Vec<Row>,
    pub deliveries: Vec<Delivery>,
    /// How many editions and deliveries were tried more than once.
    pub n_tried_again: usize,
    /// What breaks a promise, a sentence each.
    pub broken: Vec<String>,
}

impl Told {
    /// Asks the program, of which nothing else may be running, and holds it against what was taken.
    pub fn by(faked: &Faked, mails: Mails) -> Told {
        Told::under(Rule::Hold, faked, mails)
    }

    /// The same where that is done about mails of which nobody can tell.
    pub fn under(rule: Rule, faked: &Faked, mails: Mails) -> Told {
        let mut told = Told { rows: vec![], deliveries: vec![], n_tried_again: 0, broken: vec![] };
        let gaps = faked.run(&["gaps", "--json"]);
        if gaps.code != 0 {
            told.broken.push(format!("`gaps` ends with {}: {}{}", gaps.code, gaps.out, gaps.err));
        }
        // The list of runs is cut, so each is asked for; the newest has the highest id.
        let newest = faked.run(&["status", "--json"]).with(0).json()["runs"].clone();
        let id_max = newest.as_array().unwrap().iter().filter_map(|run| run["run"]["id"].as_i64()).max().unwrap_or(0);
        for id in 1..=id_max {
            told.read(&faked.run(&["status", "--json", "--run", &id.to_string()]).with(0).json());
        }
        told.judge_rows();
        told.judge_mails(rule, mails);
        told
    }

    fn read(&mut self, told: &Value) {
        let run = &told["run"];
        if OPEN_RUN.contains(&word(run, "state").as_str()) || word(run, "reason").is_empty() {
            self.broken.push(format!("a run has no outcome: {run}"));
        }
        if let Some(at) = run["occurrence_at"].as_str() {
            self.rows.push(Row { schedule: word(run, "schedule"), at: instant(at), state: word(run, "state") });
        }
        for list in ["editions", "deliveries"] {
            assert_eq!(told[list]["more"], false, "{told}");
            let rows = told[list]["rows"].as_array().unwrap();
            self.n_tried_again += rows.iter().filter(|row| row["n_attempts"].as_i64() > Some(1)).count();
        }
        self.deliveries.extend(told["deliveries"]["rows"].as_array().unwrap().iter().map(|row| Delivery {
            schedule: word(row, "schedule"),
            address: word(row, "address"),
            edition: word(row, "edition"),
            message_id: word(row, "message_id"),
            state: word(row, "state"),
            reason: word(row, "reason"),
        }));
    }

    /// An occurrence has one row.
    fn judge_rows(&mut self) {
        let mut seen = BTreeSet::new();
        let twice = self.rows.iter().filter(|row| !seen.insert((&row.schedule, row.at)));
        self.broken.extend(twice.map(|row| format!("{} has two rows for {}", row.schedule, row.at)));
    }

    /// What is said to be delivered was taken, under `hold` once; what is not says why; and nothing else was taken.
    fn judge_mails(&mut self, rule: Rule, mut unsaid: Mails) {
        let mut seen = BTreeSet::new();
        for delivery in &self.deliveries {
            let Delivery { schedule, address, edition, message_id, state, reason } = delivery;
            let n = unsaid.remove(&(message_id.clone(), address.clone())).unwrap_or(0);
            let whose = format!("{schedule}'s mail to {address} ({state}: {reason})");
            if !seen.insert((edition, address)) {
                self.broken.push(format!("{whose} has two rows"));
            }
            if OPEN_DELIVERY.contains(&state.as_str()) || reason.is_empty() {
                self.broken.push(format!("{whose} has no outcome"));
            }
            let is_fine = match (rule, state.as_str()) {
                (Rule::Hold, "delivered") => n == 1,
                (Rule::Hold, "uncertain") => n <= 1,
                (Rule::Resend, "delivered") => n >= 1,
                (Rule::Resend, "uncertain") => false,
                _ => n == 0,
            };
            if !is_fine {
                self.broken.push(format!("{whose} was taken {n} times"));
            }
        }
        self.broken.extend(unsaid.into_keys().map(|(id, to)| format!("no row knows of the mail <{id}> to {to}")));
    }

    /// Holds the rows of a schedule against what must and may have one, both in order.
    pub fn expect_rows(&mut self, schedule: &str, must: &[DateTime<Utc>], may: &[DateTime<Utc>]) {
        let there: BTreeSet<_> = self.rows.iter().filter(|row| row.schedule == schedule).map(|row| row.at).collect();
        let absent = must.iter().filter(|at| !there.contains(at));
        let absent: Vec<String> = absent.map(|at| format!("{schedule} has no row for {at}")).collect();
        let stray = there.iter().filter(|at| !must.contains(at) && !may.contains(at));
        self.broken.extend(stray.map(|at| format!("{schedule} has a row for {at}, which it does not name")));
        self.broken.extend(absent);
    }

    /// Holds a schedule's deliveries against the recipients: each has one, as all its occurrences are about one period.
    pub fn expect_recipients(&mut self, schedule: &str, recipients: &[String]) {
        let rows = self.deliveries.iter().filter(|row| row.schedule == schedule);
        let mut there: Vec<&str> = rows.map(|row| row.address.as_str()).collect();
        there.sort_unstable();
        if there != recipients {
            self.broken.push(format!("{schedule} has deliveries to {there:?}, not to {recipients:?}"));
        }
    }

    /// How many deliveries are in a state.
    pub fn n_deliveries(&self, state: &str) -> usize {
        self.deliveries.iter().filter(|row| row.state == state).count()
    }
}

/// The addresses of the recipients, in order; the sample gives nobody two grants.
pub fn recipients(faked: &Faked) -> Vec<String> {
    let text = std::fs::read_to_string(faked.place.path("recipients.csv")).unwrap();
    let mut addresses: Vec<String> =
        text.lines().skip(1).map(|line| line.split(',').next().unwrap_or_default().to_owned()).collect();
    addresses.sort();
    addresses
}

fn word(row: &Value, key: &str) -> String {
    row[key].as_str().unwrap_or_else(|| panic!("`{key}` is missing: {row}")).to_owned()
}
