//! The answers over real connections, from a real ledger, under a clock that moves only when told to.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

use super::*;
use crate::clock::ManualClock;
use crate::ledger::{NewRun, RunState};

const START: &str = "2026-11-23T06:00:00Z";

struct Desk {
    folder: tempfile::TempDir,
    clock: ManualClock,
    ledger: Arc<Ledger>,
    pulse: Pulse,
    health: Health,
}

/// A server whose schedules are due after so many seconds each.
async fn desk(next: &'static [(&'static str, i64)]) -> Desk {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(START.parse().unwrap());
    let ledger = Arc::new(Ledger::open(&folder.path().join("ledger.db"), clock.now()).await.unwrap());
    let pulse = Pulse::default();
    let of = move |now: DateTime<Utc>| {
        next.iter().map(|(name, secs)| ((*name).to_owned(), now + chrono::Duration::seconds(*secs))).collect()
    };
    let any = "127.0.0.1:0".parse().unwrap();
    let health = serve(any, pulse.clone(), Arc::clone(&ledger), Arc::new(clock.clone()), Arc::new(of)).await.unwrap();
    Desk { folder, clock, ledger, pulse, health }
}

/// What a server answers to these bytes until it closes the connection.
async fn ask(listen: SocketAddr, request: String) -> String {
    let asked = tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(listen).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // A server that refuses early may close before everything is written.
        let _ = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8(answer).unwrap()
    });
    asked.await.unwrap()
}

impl Desk {
    /// Status and body of a request.
    async fn request(&self, method: &str, path: &str) -> (u16, String) {
        let answer = ask(self.health.listen(), format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    async fn get(&self, path: &str) -> (u16, String) {
        self.request("GET", path).await
    }

    fn later(&self, secs: i64) {
        self.clock.advance(chrono::Duration::seconds(secs));
    }

    /// Every sample of the metrics by its name and labels.
    async fn samples(&self) -> BTreeMap<String, f64> {
        let (status, body) = self.get("/metrics").await;
        assert_eq!(status, 200);
        let samples = body.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        });
        samples.collect()
    }

    /// Takes a table away, as a damaged file would.
    async fn break_ledger(&self) {
        use sqlx::{ConnectOptions as _, Executor as _};
        let file = sqlx::sqlite::SqliteConnectOptions::new().filename(self.folder.path().join("ledger.db"));
        let mut connection = file.connect().await.unwrap();
        connection.execute("ALTER TABLE meta RENAME TO gone; ALTER TABLE run RENAME TO gone_too;").await.unwrap();
    }
}

fn status(code: u16, body: &str) -> (u16, String) {
    (code, body.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_lives_while_its_heart_beat_less_than_thirty_seconds_ago() {
    let desk = desk(&[]).await;
    assert_eq!(desk.get("/healthz").await, status(503, "the heart has not beaten yet\n"));
    desk.pulse.beat(desk.clock.now());
    assert_eq!(desk.get("/healthz").await, status(200, "ok\n"));
    desk.later(29);
    assert_eq!(desk.get("/healthz").await, status(200, "ok\n"));
    desk.later(1);
    assert_eq!(desk.get("/healthz").await, status(503, "the last beat of the heart was 30 s ago\n"));
    desk.later(-3600);
    assert_eq!(desk.get("/healthz").await, status(503, "the last beat of the heart was -3570 s ago\n"));
    desk.pulse.beat(desk.clock.now());
    assert_eq!(desk.get("/healthz").await, status(200, "ok\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_is_ready_when_it_has_reconciled_does_not_drain_and_its_ledger_answers() {
    let desk = desk(&[]).await;
    assert_eq!(desk.get("/readyz").await, status(503, "what the last process left is not reconciled yet\n"));
    desk.pulse.ready();
    assert_eq!(desk.get("/readyz").await, status(200, "ok\n"));
    desk.break_ledger().await;
    let (code, why) = desk.get("/readyz").await;
    assert!(code == 503 && why.starts_with("the ledger does not answer: ") && why.lines().count() == 1, "{code} {why}");
    desk.pulse.draining();
    let (_, why) = desk.get("/readyz").await;
    assert!(why.starts_with("the daemon drains and begins nothing new\nthe ledger does not answer: "), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_else_is_there_and_nothing_is_taken() {
    let desk = desk(&[]).await;
    for path in ["/", "/healthz/", "/metrics/x", "/../etc/passwd", "/HEALTHZ"] {
        assert_eq!(desk.get(path).await, status(404, ""), "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"] {
        assert_eq!(desk.request(method, "/healthz").await, status(405, ""), "{method}");
    }
    desk.pulse.beat(desk.clock.now());
    assert_eq!(desk.request("HEAD", "/healthz").await, status(200, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_have_a_bound() {
    let desk = desk(&[]).await;
    desk.pulse.beat(desk.clock.now());
    let with = |headers: String| format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
    for (headers, code) in [
        (format!("X: {}\r\n", "x".repeat(HEADER_BYTES_MAX - 200)), "200"),
        (format!("X: {}\r\n", "x".repeat(HEADER_BYTES_MAX)), "431"),
        ("X: 1\r\n".repeat(HEADERS_MAX - 1), "200"),
        ("X: 1\r\n".repeat(HEADERS_MAX), "431"),
    ] {
        let answer = ask(desk.health.listen(), with(headers)).await;
        assert_eq!(answer.split(' ').nth(1), Some(code), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_connections_are_open_at_once_and_the_next_waits() {
    let desk = desk(&[]).await;
    desk.pulse.beat(desk.clock.now());
    let listen = desk.health.listen();
    let mut silent = Vec::new();
    for _ in 0..CONNECTIONS_MAX {
        silent.push(std::net::TcpStream::connect(listen).unwrap());
    }
    let mut waiting = Box::pin(desk.get("/healthz"));
    let patience = tokio::time::timeout(Duration::from_millis(300), &mut waiting).await;
    assert!(patience.is_err(), "{patience:?}");
    drop(silent.pop());
    assert_eq!(waiting.await, status(200, "ok\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_says_nothing_loses_its_connection() {
    let desk = desk(&[]).await;
    let told = Told {
        pulse: desk.pulse.clone(),
        ledger: Arc::clone(&desk.ledger),
        clock: Arc::new(desk.clock.clone()),
        next: Arc::new(|_| Vec::new()),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let listen = listener.local_addr().unwrap();
    let server = tokio::spawn(accept(listener, routes(told), Duration::from_millis(100)));
    for begun in ["", "GET /healthz HTTP/1.1\r\nHost: lo"] {
        let answer = tokio::time::timeout(Duration::from_secs(10), ask(listen, begun.to_owned())).await;
        assert_eq!(answer.as_deref(), Ok(""), "it still waits for `{begun}`");
    }
    server.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_said_and_one_that_was_stopped_is_free() {
    let desk = desk(&[]).await;
    let listen = desk.health.listen();
    let again = async || {
        let clock = Arc::new(desk.clock.clone());
        serve(listen, Pulse::default(), Arc::clone(&desk.ledger), clock, Arc::new(|_| Vec::new())).await
    };
    assert_eq!(
        again().await.unwrap_err().to_string(),
        format!(
            "cannot listen on `{listen}`: address in use\nhint: end the program that has this port, or name another \
             one as `listen` in `[daemon]`"
        )
    );
    let open = std::net::TcpStream::connect(listen).unwrap();
    tokio::time::timeout(Duration::from_secs(10), desk.health.stop()).await.unwrap();
    open.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    assert_eq!((&open).read(&mut [0]).unwrap_or_default(), 0, "a connection outlives the server");
    drop(open);
    let stopped_by_drop = again().await.unwrap();
    drop(stopped_by_drop);
    let mut n_tries = 0;
    while std::net::TcpListener::bind(listen).is_err() {
        n_tries += 1;
        assert!(n_tries < 100, "the port is still open");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn run(ledger: &Ledger, schedule: &str, occurrence: &str, to: Option<RunState>) {
    let new = NewRun {
        schedule: schedule.to_owned(),
        occurrence_at: Some(occurrence.parse().unwrap()),
        period: "2026-10".parse().unwrap(),
        data: String::new(),
        config_digest: String::new(),
        why: String::new(),
        start_at: None,
        deadline_at: None,
    };
    let at = "2026-11-23T05:59:00Z".parse().unwrap();
    let (run, _) = ledger.plan_run(&new, at).await.unwrap();
    match to {
        Some(RunState::Done) => {
            ledger.plan_editions(run.id, &[], &[], at).await.unwrap();
            ledger.finish_run(run.id, at).await.unwrap();
        }
        Some(to) => ledger.move_run(run.id, to, "so it is", at).await.unwrap(),
        None => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_are_the_ledger_s_counts_and_the_daemon_s_own() {
    let desk = desk(&[("yearly", 86_400), ("monthly", 90)]).await;
    run(&desk.ledger, "monthly", "2026-11-23T05:55:02Z", None).await;
    run(&desk.ledger, "monthly", "2026-11-23T05:55:03Z", None).await;
    run(&desk.ledger, "monthly", "2026-10-22T06:00:00Z", Some(RunState::Done)).await;
    run(&desk.ledger, "monthly", "2026-09-22T06:00:00Z", Some(RunState::Missed)).await;
    run(&desk.ledger, "gone", "2026-09-22T06:00:00Z", Some(RunState::Done)).await;
    assert!(!desk.samples().await.contains_key("pressrun_heart_beat_age_seconds"), "absent, not 0");
    desk.pulse.beat(desk.clock.now());
    desk.later(3);
    for secs in [0, 5, 301] {
        desk.pulse.run_ended(chrono::Duration::seconds(secs));
    }
    let samples = desk.samples().await;
    let last_done = "2026-11-23T05:59:00Z".parse::<DateTime<Utc>>().unwrap().timestamp() as f64;
    for (name, value) in [
        ("pressrun_build_info{version=\"0.1.0\"}", 1.0),
        ("pressrun_heart_beat_age_seconds", 3.0),
        ("pressrun_ledger_answers", 1.0),
        ("pressrun_runs_open{state=\"planned\"}", 2.0),
        ("pressrun_runs_open{state=\"held\"}", 0.0),
        ("pressrun_runs_ended_total{outcome=\"done\"}", 2.0),
        ("pressrun_runs_ended_total{outcome=\"missed\"}", 1.0),
        ("pressrun_runs_ended_total{outcome=\"partial\"}", 0.0),
        ("pressrun_occurrences_late", 1.0),
        ("pressrun_editions_open{state=\"making\"}", 0.0),
        ("pressrun_deliveries_open{state=\"uncertain\"}", 0.0),
        ("pressrun_schedules", 2.0),
        ("pressrun_next_occurrence_seconds{schedule=\"monthly\"}", 90.0),
        ("pressrun_next_occurrence_seconds{schedule=\"yearly\"}", 86_400.0),
        ("pressrun_last_done_timestamp_seconds{schedule=\"monthly\"}", last_done),
        ("pressrun_run_duration_seconds_count", 3.0),
        ("pressrun_run_duration_seconds_sum", 306.0),
        ("pressrun_run_duration_seconds_bucket{le=\"5\"}", 2.0),
        ("pressrun_run_duration_seconds_bucket{le=\"+Inf\"}", 3.0),
    ] {
        assert_eq!(samples.get(name), Some(&value), "{name} in {samples:#?}");
    }
    assert!(!samples.keys().any(|name| name.contains("gone")), "a schedule that is no more is not told");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_does_not_answer_is_said_and_its_figures_are_left_out() {
    let desk = desk(&[("monthly", 90)]).await;
    desk.break_ledger().await;
    let samples = desk.samples().await;
    assert_eq!(samples.get("pressrun_ledger_answers"), Some(&0.0));
    assert_eq!(samples.get("pressrun_next_occurrence_seconds{schedule=\"monthly\"}"), Some(&90.0));
    assert!(!samples.keys().any(|name| name.contains("runs_") || name.contains("_open")), "{samples:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_very_many_schedules_the_nearest_are_told() {
    let desk = desk(&[]).await;
    let many = |now: DateTime<Utc>| -> Vec<(String, DateTime<Utc>)> {
        (0..=1000).rev().map(|n| (format!("s{n}"), now + chrono::Duration::seconds(n))).collect()
    };
    let any = "127.0.0.1:0".parse().unwrap();
    let clock = Arc::new(desk.clock.clone());
    let health = serve(any, desk.pulse.clone(), Arc::clone(&desk.ledger), clock, Arc::new(many)).await.unwrap();
    let desk = Desk { health, ..desk };
    let samples = desk.samples().await;
    assert_eq!(samples["pressrun_schedules"], 1001.0);
    let shown = samples.keys().filter(|name| name.starts_with("pressrun_next_occurrence_seconds")).count();
    assert_eq!(shown, SCHEDULES_SHOWN_MAX);
    assert!(samples.contains_key("pressrun_next_occurrence_seconds{schedule=\"s999\"}"));
    assert!(!samples.contains_key("pressrun_next_occurrence_seconds{schedule=\"s1000\"}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_are_those_of_the_document() {
    let desk = desk(&[("monthly", 90)]).await;
    run(&desk.ledger, "monthly", "2026-10-22T06:00:00Z", Some(RunState::Done)).await;
    desk.pulse.beat(desk.clock.now());
    let (_, body) = desk.get("/metrics").await;
    let typed = |line: &str| Some(line.strip_prefix("# TYPE ")?.split(' ').next()?.to_owned());
    let told: Vec<String> = body.lines().filter_map(typed).collect();
    let in_table = |line: &str| Some(line.strip_prefix("| `pressrun_")?.split('`').next()?.to_owned());
    let document = include_str!("../../../docs/operating.md");
    let documented: Vec<String> =
        document.lines().filter_map(in_table).map(|name| format!("pressrun_{name}")).collect();
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    assert_eq!(sorted(told), sorted(documented));
}
