//! The daemon from outside: one a ledger, its signals, and a configuration that changes under it.

use serde_json::Value;

use crate::backups::by_relay;
use crate::support::daemon::Daemon;
use crate::support::smtp::{At, Fault, Relay, Running};
use crate::support::workplace::Workplace;

/// The configuration with a line of the schedule in another's place.
fn configure(place: &Workplace, from: &str, to: &str) {
    let text = std::fs::read_to_string(place.path("pressrun.toml")).unwrap();
    assert!(text.contains(from), "{text}");
    place.write("pressrun.toml", text.replace(from, to));
}

fn zones_due(place: &Workplace) -> Vec<String> {
    let due = place.run(&["due", "--json"]).with(0).json();
    due.as_array().unwrap().iter().map(|one| one["at"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn one_daemon_works_on_a_ledger_and_stops_in_good_order() {
    let place = Workplace::demo(1);
    let daemon = Daemon::awake(&place);
    let second = place.run(&["daemon"]).with(1);
    assert!(
        second.err.contains("another daemon") || second.err.contains("one daemon works on a ledger"),
        "{}",
        second.err
    );
    assert_eq!(daemon.stop(), Some(0));
    assert!(place.run(&["gaps"]).with(0).out.contains("has a row with an outcome"));
    assert_eq!(Daemon::awake(&place).stop(), Some(0), "the lock ends with its process");
}

#[test]
fn a_daemon_takes_a_new_configuration_over_when_it_is_told_to() {
    let place = Workplace::demo(1);
    let daemon = Daemon::awake(&place);
    configure(&place, "zone = \"UTC\"", "zone = \"Asia/Tokyo\"\nat = [\"07:00\"]");
    let said = place.run(&["reload", "--json"]).with(0).json();
    let again = place.run(&["reload", "--json"]).with(0).json();
    assert_eq!(said["config_digest"], again["config_digest"]);
    assert!(zones_due(&place).iter().all(|at| at.ends_with("T22:00:00Z")));
    assert!(daemon.log().contains("the configuration was read anew"), "{}", daemon.log());
    // By hand, as a service manager does it.
    configure(&place, "07:00", "08:00");
    daemon.signal("HUP");
    daemon.until("to read its configuration", || daemon.log().matches("the configuration was read anew").count() == 3);
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn a_wrong_configuration_is_refused_with_its_place_and_the_daemon_goes_on() {
    let place = Workplace::demo(1);
    let daemon = Daemon::awake(&place);
    configure(&place, "zone = \"UTC\"", "zone = \"Mars/Olympus\"");
    let refused = place.run(&["reload"]).with(2);
    assert!(refused.err.contains("unknown time zone `Mars/Olympus`"), "{}", refused.err);
    assert!(!daemon.log().contains("Olympus"), "a wrong one does not even reach the daemon");
    daemon.signal("HUP");
    daemon.until("to refuse it", || daemon.log().contains("the configuration is wrong, and the one before stays"));
    assert!(daemon.log().contains("unknown time zone `Mars/Olympus` at "), "{}", daemon.log());
    configure(&place, "Mars/Olympus", "UTC");
    // Another ledger is another daemon's work.
    configure(&place, "data/ledger.db", "data/other.db");
    daemon.signal("HUP");
    daemon.until("to refuse it", || daemon.log().contains("`ledger` is another file now"));
    configure(&place, "data/other.db", "data/ledger.db");
    place.run(&["reload"]).with(0);
    assert!(place.run(&["status"]).with(0).err.contains("works by this configuration"));
    configure(&place, "zone = \"UTC\"", "zone = \"Asia/Tokyo\"");
    assert!(place.run(&["status"]).with(0).err.contains("by another configuration than this one. `pressrun reload`"));
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn reload_says_when_there_is_no_daemon_or_it_has_another_file() {
    let place = Workplace::demo(1);
    let nobody = place.run(&["reload"]).with(2);
    assert!(place.run(&["status"]).with(0).err.contains("No daemon works"));
    assert!(nobody.err.contains("no daemon works on this ledger") && nobody.err.contains("hint:"), "{}", nobody.err);
    let daemon = Daemon::awake(&place);
    let text = std::fs::read_to_string(place.path("pressrun.toml")).unwrap();
    let other = place.write("other.toml", text.replace("zone = \"UTC\"", "zone = \"Asia/Tokyo\""));
    let said = place.run(&["--config", other.to_str().unwrap(), "reload"]).with(2);
    assert!(said.err.contains("another configuration"), "{}", said.err);
    assert_eq!(daemon.stop(), Some(0));
}

/// A daemon that waits for a relay's answer which does not come.
fn stuck<'a>(place: &'a Workplace, relay: &Running, daemon: &str) -> Daemon<'a> {
    place.ingest_sample();
    by_relay(place, relay.address.port());
    let text = std::fs::read_to_string(place.path("pressrun.toml")).unwrap();
    let text = text.replace("zone = \"UTC\"", "zone = \"UTC\"\ncron = \"* * * * * *\"");
    place.write("pressrun.toml", format!("{text}\n[daemon]\n{daemon}\n"));
    let daemon = Daemon::awake(place);
    daemon.until("to send a mail", || {
        let runs = place.run(&["status", "--json"]).with(0).json()["runs"].clone();
        runs.as_array().unwrap().iter().any(|run| run["counts"]["deliveries"]["sending"].as_u64().is_some())
    });
    daemon
}

fn silent_relay(runtime: &tokio::runtime::Runtime) -> Running {
    let faults = vec![(At::Recipient, "", usize::MAX, Fault::Silence)];
    runtime.block_on(Relay { faults, ..Relay::default() }.start())
}

/// What was under way is told of when the daemon starts again: it may have gone out, and is not sent again.
fn is_told_of_at_the_next_start(place: &Workplace) {
    let daemon = Daemon::awake(place);
    daemon.until("to tell what was open", || {
        let runs = place.run(&["status", "--json"]).with(0).json()["runs"].clone();
        runs.as_array().unwrap().iter().any(|run| run["counts"]["deliveries"]["uncertain"].as_u64().is_some())
    });
}

#[test]
fn a_daemon_drains_for_a_bounded_time() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let relay = silent_relay(&runtime);
    let place = Workplace::sample(1);
    let daemon = stuck(&place, &relay, "drain_secs = 1");
    daemon.signal("TERM");
    daemon.until("to give its draining up", || daemon.log().contains("not all ended in time"));
    assert_eq!(daemon.ended(), Some(1));
    is_told_of_at_the_next_start(&place);
}

#[test]
fn a_second_signal_stops_a_daemon_where_it_stands() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let relay = silent_relay(&runtime);
    let place = Workplace::sample(1);
    let daemon = stuck(&place, &relay, "drain_secs = 3600");
    daemon.signal("TERM");
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(daemon.is_running(), "it lets the mail end that is under way");
    daemon.signal("TERM");
    assert_eq!(daemon.ended(), Some(143));
    is_told_of_at_the_next_start(&place);
}

#[test]
fn due_tells_for_how_many_and_why_tells_what_is_ahead() {
    let place = Workplace::demo(2);
    let due = place.run(&["due", "--json", "--zone", "Asia/Tokyo", "--next", "2"]).with(0).json();
    let first = &due[0];
    assert!(first["editions"].as_u64().unwrap() > 2 && first["recipients"].as_u64() >= first["editions"].as_u64());
    assert_eq!(first["reader"]["zone"], "Asia/Tokyo");
    assert!(first["local"].as_str().unwrap().ends_with("06:00 +00:00"));
    assert!(first["reader"]["local"].as_str().unwrap().ends_with("15:00 +09:00"));
    let period = due[1]["period"].as_str().unwrap();
    let csv = std::fs::read_to_string(place.path("recipients.csv")).unwrap();
    let address = csv.lines().nth(1).unwrap().split(',').next().unwrap();
    let ahead = place.run(&["why", address, "--period", period, "--json"]).with(0).json();
    assert_eq!(ahead["ahead"][0]["period"], Value::from(period), "{ahead}");
    assert_eq!((&ahead["ahead"][0]["gets"], &ahead["ahead"][0]["at"]), (&Value::from(true), &due[1]["at"]));
    assert_eq!(ahead["deliveries"], Value::Array(Vec::new()));
    // Without facts the times are told all the same.
    std::fs::remove_dir_all(place.path("data")).unwrap();
    let bare = place.run(&["due"]).with(0).out;
    assert!(bare.contains("n/a") && bare.contains("there are no facts yet"), "{bare}");
    assert!(!place.path("data/facts.db").exists(), "asking makes nothing");
}

#[test]
fn who_gets_nothing_is_told_from_a_row_also_when_the_configuration_has_changed() {
    let place = Workplace::demo(2);
    let csv = std::fs::read_to_string(place.path("recipients.csv")).unwrap();
    let mut lines = csv.lines();
    let (head, first) = (lines.next().unwrap(), lines.next().unwrap());
    let at = |name: &str| head.split(',').position(|column| column == name).unwrap();
    let with = |changes: &[(&str, &str)]| {
        let mut cells: Vec<String> = first.split(',').map(str::to_owned).collect();
        changes.iter().for_each(|(name, value)| cells[at(name)] = (*value).to_owned());
        cells.join(",")
    };
    let gone = with(&[("address", "gone@example.com"), ("partner_id", "999")]);
    let narrow = with(&[("role", "report-viewer")]);
    place.write("recipients.csv", format!("{csv}{gone}\n{narrow}\n"));
    place.run(&["run", "monthly", "--period", "2026-09"]).with(0);
    // The rows answer, whatever the recipients are now.
    place.write("recipients.csv", &csv);
    let told = place.run(&["why", "gone@example.com", "--period", "2026-09"]).with(0).out;
    assert!(
        told.contains("2026-09 monthly run 2: nothing for gone@example.com: the partner is not in the data"),
        "{told}"
    );
    let address = first.split(',').next().unwrap();
    let told = place.run(&["why", address, "--period", "2026-09", "--json"]).with(0).json();
    let rules: Vec<&str> =
        told["exclusions"].as_array().unwrap().iter().map(|row| row["rule"].as_str().unwrap()).collect();
    assert_eq!(rules.len(), 1, "{told}");
    assert_eq!(told["deliveries"].as_array().unwrap().len(), 1, "the wider role got it");
}
