//! What a daemon costs: from its start until it is ready, while it idles, and a year of schedules written down.
//!
//! Prints figures; nothing is asserted. `cargo bench --bench daemon`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints, and stops where it cannot go on")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use cpu_time::ProcessTime;
use pressrun::archive::Archive;
use pressrun::base::Digest;
use pressrun::clock::{Clock as _, ManualClock, Stopwatch, SystemClock};
use pressrun::config::{self, ScheduleSettings};
use pressrun::daemon::{Rota, Timed, Timetable};
use pressrun::deliver::Outbox;
use pressrun::facts::SqliteFacts;
use pressrun::ledger::Ledger;
use pressrun::pipeline::{Destinations, Makers, Press, Stop};

const N_SCHEDULES: usize = 1_000;
const N_MONTHS: usize = 60;
/// Editions of each run of the five years, with a mail each.
const N_EDITIONS: usize = 5;
const N_STARTS: usize = 7;
const IDLE_SECS: u64 = 60;
const N_OF_A_YEAR: usize = 100;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pressrun.toml");
    std::fs::write(&file, configuration(N_SCHEDULES)).unwrap();
    runtime.block_on(five_years(folder.path()));
    let ledger_mb = std::fs::metadata(folder.path().join("ledger.db")).unwrap().len() / 1_000_000;
    println!(
        "{N_SCHEDULES} schedules, a ledger of {N_MONTHS} months with {} runs and {} mails ({ledger_mb} MB)",
        N_SCHEDULES * N_MONTHS,
        N_SCHEDULES * N_MONTHS * N_EDITIONS
    );
    let mut starts: Vec<(f64, f64)> = (0..N_STARTS).map(|_| start(&file, 0).0).collect();
    println!("  the first start, which writes the schedules down: {}", told(starts.remove(0)));
    starts.sort_by(|a, b| a.1.total_cmp(&b.1));
    println!("  a start until it is ready, median of {}: {}", starts.len(), told(starts[starts.len() / 2]));
    let (_, idle) = start(&file, IDLE_SECS);
    println!("  idle over {IDLE_SECS} s: {:.3} % CPU, {:.1} MB resident", idle.0, idle.1);
    runtime.block_on(a_year());
}

fn told((wall, cpu): (f64, f64)) -> String {
    format!("{wall:.0} ms, {cpu:.0} ms of CPU")
}

fn configuration(n: usize) -> String {
    let mut text =
        "[facts]\ndatabase = \"facts.db\"\n[ledger]\ndatabase = \"ledger.db\"\n[archive]\nfolder = \"archive\"\n\
        [mail]\nfrom = \"r@example.com\"\ncontact = \"admin\"\noutbox = \"outbox\"\n"
            .to_owned();
    for n in 0..n {
        let (hour, minute) = (n / 60 % 24, n % 60);
        writeln!(text, "[schedules.s{n:04}]\nzone = \"Europe/Berlin\"\ncalendar = \"germany\"").unwrap();
        writeln!(text, "at = [\"{hour:02}:{minute:02}\"]").unwrap();
    }
    text
}

/// Fills a ledger as five years of these schedules leave it.
async fn five_years(folder: &Path) {
    let path = folder.join("ledger.db");
    Ledger::open(&path, SystemClock.now()).await.unwrap().close(SystemClock.now()).await.unwrap();
    let pool = sqlx::SqlitePool::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    let numbers =
        |n: usize| format!("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {})", n - 1);
    let n_runs = N_SCHEDULES * N_MONTHS;
    let runs = format!(
        "{} INSERT INTO run (schedule, occurrence_at, period, data, config_digest, why, state, reason, planned_at, moved_at)
         SELECT printf('s%04d', i % {N_SCHEDULES}), 1600000000000000 + (i / {N_SCHEDULES}) * 2600000000000, '2025-01', '{{}}',
             'digest', 'first business day on or after the 21st', 'done', 'editions: 5 archived', 0, 0 FROM n",
        numbers(n_runs)
    );
    let editions = format!(
        "{} INSERT INTO edition (id, run_id, partner_id, partner_name, audience, number, period, state, reason, planned_at,
             moved_at) SELECT printf('%064x', i), i / {N_EDITIONS} + 1, 'p' || (i % 1000), 'A partner', '{{}}', 1, '2025-01',
             'archived', 'archived', 0, 0 FROM n",
        numbers(n_runs * N_EDITIONS)
    );
    let deliveries = format!(
        "{} INSERT INTO delivery (edition_id, run_id, address, address_key, name, message_id, destination, state, reason,
             planned_at, moved_at) SELECT printf('%064x', i), i / {N_EDITIONS} + 1, 'a' || (i % 1000) || '@example.com',
             'a' || (i % 1000) || '@example.com', '', i || '@example.com', 'mail', 'delivered', 'taken', 0, 0 FROM n",
        numbers(n_runs * N_EDITIONS)
    );
    for sql in [runs, editions, deliveries] {
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&pool).await.unwrap();
    }
    pool.close().await;
}

/// Starts a daemon: wall and CPU milliseconds until it says that it is ready, then its CPU in percent and its megabytes
/// while it idles.
fn start(file: &Path, idle_secs: u64) -> ((f64, f64), (f64, f64)) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("notify");
    let listening = UnixDatagram::bind(&socket).unwrap();
    let watch = Stopwatch::start();
    let mut daemon = Command::new(env!("CARGO_BIN_EXE_pressrun"));
    daemon.arg("--config").arg(file).arg("daemon").env("NOTIFY_SOCKET", &socket).env("PRESSRUN_LOG", "error");
    let mut daemon = daemon.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut said = [0; 256];
    loop {
        let n = listening.recv(&mut said).unwrap();
        if said[..n].starts_with(b"READY=1") {
            break;
        }
    }
    let ready = (watch.elapsed().as_secs_f64() * 1e3, cpu_ms(&daemon));
    let mut idle = (0.0, 0.0);
    if idle_secs > 0 {
        std::thread::sleep(Duration::from_secs(5));
        let before = cpu_ms(&daemon);
        std::thread::sleep(Duration::from_secs(idle_secs));
        idle = ((cpu_ms(&daemon) - before) / (idle_secs as f64 * 10.0), resident_mb(&daemon));
    }
    Command::new("kill").arg(daemon.id().to_string()).status().unwrap();
    daemon.wait().unwrap();
    (ready, idle)
}

/// CPU time of a process, in the milliseconds of the kernel's scheduler (proc(5), `schedstat` of its threads).
fn cpu_ms(process: &Child) -> f64 {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", process.id())).unwrap();
    let nanos = tasks.map(|task| {
        let text = std::fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap_or_default();
        text.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok()).unwrap_or_default()
    });
    nanos.sum::<f64>() / 1e6
}

fn resident_mb(process: &Child) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let kb = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    kb.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1e3
}

/// A year of schedules, looked at by the hour, with a row for each occurrence.
async fn a_year() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pressrun.toml");
    std::fs::write(&file, configuration(N_OF_A_YEAR)).unwrap();
    let config = config::load(&file).unwrap();
    let start: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
    let clock = ManualClock::at(start);
    let press = Press {
        facts: Arc::new(SqliteFacts::open(&folder.path().join("facts.db"), start).await.unwrap()),
        ledger: Arc::new(Ledger::open(&folder.path().join("ledger.db"), start).await.unwrap()),
        archive: Arc::new(Archive::folder(&folder.path().join("archive")).unwrap()),
        destinations: Destinations::mail(Arc::new(Outbox::new(folder.path().join("outbox")))),
        clock: Arc::new(clock.clone()),
        stop: Stop::default(),
        makers: Makers::default(),
        past: None,
    };
    let timed = |settings: &ScheduleSettings| Timed {
        schedule: settings.name.clone(),
        timing: settings.timing.clone(),
        late: settings.lateness(),
        overlap: settings.overlap,
        jitter_secs_max: settings.jitter_secs_max,
    };
    let rota = Rota {
        press,
        orders: BTreeMap::new(),
        timed: config.schedules.iter().map(timed).collect(),
        inbox: None,
        digest: None,
        config_digest: Digest::of(b"bench"),
    };
    let before = ProcessTime::now();
    let mut timetable = Timetable::open(&rota, clock.now()).await.unwrap();
    let mut n = 0;
    while clock.now() < start + chrono::Duration::days(365) {
        clock.advance(chrono::Duration::hours(1));
        n += timetable.look(&rota, clock.now()).await.unwrap();
    }
    println!(
        "  a year of {N_OF_A_YEAR} schedules by the hour, {n} rows: {:.2} s of CPU",
        before.elapsed().as_secs_f64()
    );
}
