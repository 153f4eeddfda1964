//! The metrics of a daemon as Prometheus's own Python package reads them.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::peer;
use crate::workplace::Workplace;

/// Prints each family's type, help and number of samples, and fails at what is no metric.
const READ: &str = "
import json, sys
from prometheus_client.parser import text_string_to_metric_families as read
families = list(read(sys.stdin.read()))
print(json.dumps({family.name: [family.type, family.documentation, len(family.samples)] for family in families}))
";

/// Ends the daemon with the test, however that ends.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").filter(|(head, _)| head.starts_with("HTTP/1.1 200 ")).map(|(_, body)| body.to_owned())
}

#[test]
fn prometheus_reads_the_metrics_of_a_daemon() {
    let place = Workplace::demo(1);
    let port = free_port();
    let configuration = std::fs::read_to_string(place.path("pressrun.toml")).unwrap();
    place.write("pressrun.toml", format!("{configuration}\n[daemon]\nlisten = \"127.0.0.1:{port}\"\n"));
    let daemon = Daemon(place.start(&["daemon"]));
    let mut n_tries = 0;
    while get(port, "/readyz").is_none() {
        n_tries += 1;
        assert!(n_tries < 600, "the daemon does not become ready");
        std::thread::sleep(Duration::from_millis(50));
    }
    let text = get(port, "/metrics").unwrap();
    drop(daemon);
    let families = read(&text);
    for (name, kind, n_samples) in [
        ("pressrun_build_info", "gauge", 1),
        ("pressrun_heart_beat_age_seconds", "gauge", 1),
        ("pressrun_ledger_answers", "gauge", 1),
        ("pressrun_runs_open", "gauge", 4),
        ("pressrun_runs_ended", "counter", 4),
        ("pressrun_run_duration_seconds", "histogram", 13),
        ("pressrun_occurrences_late", "gauge", 1),
        ("pressrun_editions_open", "gauge", 3),
        ("pressrun_deliveries_open", "gauge", 5),
        ("pressrun_schedules", "gauge", 1),
        ("pressrun_next_occurrence_seconds", "gauge", 1),
        ("pressrun_last_done_timestamp_seconds", "gauge", 1),
    ] {
        let (found, help, n) = families.get(name).unwrap_or_else(|| panic!("no {name} in {families:?}"));
        assert_eq!((found.as_str(), *n), (kind, n_samples), "{name}");
        assert!(!help.is_empty(), "{name}");
    }
    assert_eq!(families.len(), 12, "{families:?}");
    for line in std::fs::read_to_string(place.path("recipients.csv")).unwrap().lines().skip(1) {
        let address = line.split(',').next().unwrap();
        assert!(!text.contains(address), "{address} is told");
    }
}

/// Type, help and number of samples of each family.
fn read(text: &str) -> BTreeMap<String, (String, String, usize)> {
    let mut python = peer::command("python3");
    python.args(["-c", READ]).env("PYTHONPATH", peer::python_packages()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut python = python.spawn().unwrap();
    python.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "{text}");
    serde_json::from_slice(&output.stdout).unwrap()
}
