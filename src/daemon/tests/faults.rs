//! What becomes of each delivery at a relay that fails at any step of the conversation, over TLS with a login: a table,
//! kept beside this file, and the promises, held for every row of it.

use std::fmt::Write as _;

use futures::StreamExt as _;
use secrecy::SecretString;
use sqlx::Connection as _;

use super::*;
use crate::deliver::{Smtp, SmtpLogin, SmtpSettings, TlsMode};
use crate::pipeline::{MAIL, Rates};

use crate::deliver::relay::{At, Authority, Fault, Relay, Running};

/// The table as it was last looked at; `PRESSRUN_UPDATE=1` writes it anew.
const TABLE: &str = "src/daemon/tests/faults.txt";

/// How many cases are tried side by side.
const AT_ONCE: usize = 40;

/// Steps by their names, as they come in a conversation; at the first nobody listens.
const STEPS: [(&str, Option<At>); 11] = [
    ("connect", None),
    ("banner", Some(At::Connect)),
    ("EHLO", Some(At::Hello)),
    ("STARTTLS", Some(At::StartTls)),
    ("AUTH", Some(At::Auth)),
    ("MAIL", Some(At::Mail)),
    ("RCPT", Some(At::Recipient)),
    ("DATA", Some(At::Data)),
    ("mid-body", Some(At::Content)),
    ("the dot", Some(At::End)),
    ("after it is kept", Some(At::Kept)),
];

const FAULTS: [(&str, Fault); 7] = [
    ("421", Fault::Reply("421 4.3.2 closing")),
    ("451", Fault::Reply("451 4.3.0 later")),
    ("554", Fault::Reply("554 5.5.0 no")),
    ("nonsense", Fault::Reply("what?")),
    ("cut", Fault::Drop),
    ("silence", Fault::Silence),
    ("late", Fault::Late(300)),
];

/// One row of the table.
#[derive(Clone, Copy)]
struct Case {
    step: (&'static str, Option<At>),
    fault: (&'static str, Fault),
    /// How often the fault stands there; for ever when none.
    times: Option<usize>,
    n_recipients: usize,
    rule: UncertainRule,
}

/// Every step, fault, number of times and of recipients; under `resend` where a mail may have been taken.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (n, step) in STEPS.into_iter().enumerate() {
        for fault in FAULTS {
            // Nobody listens in one way only, and what is cut in mid-body is cut. A relay that keeps a mail and says no
            // cannot be told from one that does not.
            let is_possible = match step.0 {
                "connect" | "mid-body" => fault.0 == "cut",
                "after it is kept" => !matches!(fault.0, "421" | "451" | "554"),
                // As when it is kept.
                "the dot" => fault.0 != "late",
                _ => true,
            };
            if !is_possible {
                continue;
            }
            let rules = [UncertainRule::Hold, UncertainRule::Resend];
            for rule in rules.into_iter().take(if n < 7 { 1 } else { 2 }) {
                for (times, n_recipients) in [(Some(1), 1), (None, 1), (Some(1), 3), (None, 3)] {
                    // Each silence is waited out.
                    let is_long = fault.0 == "silence" && times.is_none() && n_recipients > 1;
                    if (step.1.is_some() || times.is_none()) && !is_long {
                        cases.push(Case { step, fault, times, n_recipients, rule });
                    }
                }
            }
        }
    }
    cases
}

/// A run whose edition is archived and whose mails, one or three, are planned.
async fn planned(n_recipients: usize) -> (Desk, Arc<Order>) {
    let mut desk = desk("2026-11-20T00:00:00Z", CatchUp::Latest).await;
    let mut order = Order::clone(&desk.daemon.rota.orders[SCHEDULE]);
    let first = order.recipients[0].clone();
    let another = |n| Recipient { address: format!("r{n}@example.com"), ..first.clone() };
    order.recipients = Arc::new((0..n_recipients).map(another).collect());
    let order = Arc::new(order);
    desk.change(|rota| {
        rota.orders.insert(SCHEDULE.to_owned(), Arc::clone(&order));
        let rates = Rates { per_day_max: Some(0), ..Rates::default() };
        rota.press.destinations = rota.press.destinations.clone().at(MAIL, rates);
    });
    desk.beat_at("2026-11-20T00:00:05Z").await;
    desk.beat_at("2026-11-22T06:00:00Z").await;
    assert_eq!(desk.runs().await, [("2026-10".to_owned(), RunState::Running)]);
    (desk, order)
}

/// The same when its databases are closed, so that what stands in their write-ahead logs is in the files.
async fn closed((desk, order): (Desk, Arc<Order>)) -> (tempfile::TempDir, Arc<Order>) {
    let Desk { folder, daemon, .. } = desk;
    drop(daemon);
    for name in ["facts.db", "ledger.db"] {
        let path = folder.path().join(name);
        while path.with_extension("db-wal").exists() {
            // Of connections that close at once each leaves the log to another; this one closes alone, at last.
            let last = sqlx::SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
            last.close().await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
    (folder, order)
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), &to).unwrap();
        }
    }
}

/// A relay that fails like that, and the destination that hands mails over to it.
async fn failing(case: &Case, folder: &Path) -> (Running, Smtp) {
    let authority = Authority::new();
    let faults = case.step.1.map(|at| (at, "", case.times.unwrap_or(usize::MAX), case.fault.1)).into_iter().collect();
    let (starttls, login) = (Some(authority.clone()), Some(("robot@example.com", "hunter2")));
    let relay = Relay { faults, starttls, login, ..Relay::default() }.start().await;
    let ca_file = folder.join("ca.pem");
    std::fs::write(&ca_file, &authority.ca_pem).unwrap();
    let (user, password) = ("robot@example.com".to_owned(), SecretString::from("hunter2"));
    let settings = SmtpSettings {
        host: "localhost".to_owned(),
        port: if case.step.1.is_some() { relay.address.port() } else { 1 },
        tls: TlsMode::Starttls,
        login: Some(SmtpLogin::Password { user, password }),
        ca_file: Some(ca_file),
        hello_name: Some("reports.example.com".to_owned()),
        // Long enough for a busy machine; silences are waited out, the content's ten times as long.
        timeout_secs: if case.fault.0 == "silence" { 2 } else { 20 },
        attachment_bytes_max: 25_000_000,
        connections_max: 1,
    };
    (relay, Smtp::new(settings).unwrap())
}

/// What a case came to: its row, and which promises it broke.
async fn tried(case: Case, (base, order): (&Path, &Arc<Order>)) -> (String, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    copy(base, folder.path());
    let (relay, smtp) = failing(&case, folder.path()).await;
    let clock = ManualClock::at(at("2026-11-22T06:00:05Z"));
    let facts = SqliteFacts::open(&folder.path().join("facts.db"), clock.now()).await.unwrap();
    let mut order = Order::clone(order);
    order.retries.rule = case.rule;
    let mut daemon = daemon(folder.path(), &clock, (facts, Arc::new(smtp)), Arc::new(order), CatchUp::Latest).await;
    // One at a time, so that the same case always ends the same.
    let rates = Rates { at_once_max: 1, ..Rates::default() };
    daemon.rota.press.destinations = daemon.rota.press.destinations.clone().at(MAIL, rates);
    let ledger = Arc::clone(&daemon.rota.press.ledger);
    let run = ledger.runs(1).await.unwrap().remove(0).id;
    for _ in 0..40 {
        daemon.beat(Step::Steady).await.unwrap();
        daemon.hands.rest().await;
        if ledger.run(run).await.unwrap().state.is_last() {
            break;
        }
        // Past every pause, and past the longest rest of a relay.
        clock.advance(Duration::minutes(16));
    }
    let rows = ledger.deliveries(&DeliveriesOf::Run(run)).await.unwrap().rows;
    let mut broken = Vec::new();
    let mut n_by_state = BTreeMap::<&str, usize>::new();
    let taken = relay.taken();
    for row in &rows {
        *n_by_state.entry(row.state.word()).or_default() += 1;
        let n_taken = taken.iter().filter(|mail| mail.to == [row.address.clone()]).count();
        if case.rule == UncertainRule::Hold && n_taken > 1 {
            broken.push(format!("{} got {n_taken} mails under hold", row.address));
        }
        let is_told = match row.state {
            DeliveryState::Delivered => n_taken > 0 && row.receipt.is_some(),
            DeliveryState::Failed => n_taken == 0 && !row.reason.is_empty(),
            DeliveryState::Uncertain => !row.reason.is_empty(),
            _ => false,
        };
        if !is_told {
            broken.push(format!("{} is {} with {n_taken} mails: {}", row.address, row.state, row.reason));
        }
        let ids: std::collections::BTreeSet<_> = taken
            .iter()
            .filter(|mail| mail.to == [row.address.clone()])
            .filter_map(|mail| mail.content.lines().find(|line| line.starts_with("Message-ID:")).map(str::to_owned))
            .collect();
        if ids.len() > 1 {
            broken.push(format!("{} got mails with {ids:?}", row.address));
        }
    }
    let states: Vec<String> = n_by_state.iter().map(|(state, n)| format!("{n} {state}")).collect();
    let n_attempts: u32 = rows.iter().map(|row| row.n_attempts).sum();
    let rule = if case.rule == UncertainRule::Hold { "hold" } else { "resend" };
    let times = case.times.map_or("always", |_| "once");
    let mut line = String::new();
    let (step, fault, n) = (case.step.0, case.fault.0, case.n_recipients);
    write!(
        line,
        "{step:16} {fault:8} {times:6} {n} {rule:6} {:28} {n_attempts:8} {:4}",
        states.join(", "),
        taken.len()
    )
    .unwrap();
    let broken = broken.into_iter().map(|what| format!("{line}: {what}")).collect();
    (line, broken)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_a_relay_does_at_whatever_step_every_delivery_ends_as_the_table_says() {
    let (one, three) = (planned(1).await, planned(3).await);
    let (one, three) = (closed(one).await, closed(three).await);
    let bases = [one, three];
    let bases = &bases;
    let mut cases: Vec<(usize, Case)> = cases().into_iter().enumerate().collect();
    // Those that wait longest begin first.
    cases.sort_by_key(|(_, case)| (case.fault.0 != "silence", case.times.is_some()));
    let tries = cases.into_iter().map(|(n, case)| async move {
        let (folder, order) = &bases[usize::from(case.n_recipients > 1)];
        (n, tried(case, (folder.path(), order)).await)
    });
    let tries: Vec<BoxFuture<'_, _>> = tries.map(|case| Box::pin(case) as _).collect();
    let tried: BTreeMap<usize, (String, Vec<String>)> =
        futures::stream::iter(tries).buffer_unordered(AT_ONCE).collect().await;
    let tried: Vec<(String, Vec<String>)> = tried.into_values().collect();
    let broken: Vec<&String> = tried.iter().flat_map(|(_, broken)| broken).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    let mut table =
        String::from("step             fault    times  n rule   deliveries                   attempts kept\n");
    tried.iter().for_each(|(line, _)| table.push_str(&format!("{}\n", line.trim_end())));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(TABLE);
    if std::env::var_os("PRESSRUN_UPDATE").is_some() {
        std::fs::write(&path, &table).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    let changed: Vec<_> = table.lines().filter(|line| !known.lines().any(|known| known == *line)).collect();
    assert!(table == known, "{} rows differ from {TABLE}:\n{}", changed.len(), changed.join("\n"));
}
