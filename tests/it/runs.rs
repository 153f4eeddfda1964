//! Whole runs from outside: twice, killed, side by side, and over a view of one's own.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::support::workplace::Workplace;

/// The newest run as `status` tells it.
fn newest(place: &Workplace) -> Value {
    place.run(&["status", "--json"]).with(0).json()["runs"][0].clone()
}

/// The period of the demo's run.
fn period(place: &Workplace) -> String {
    newest(place)["run"]["period"].as_str().unwrap().to_owned()
}

/// How many mails each address has in the outbox.
fn mails(place: &Workplace) -> BTreeMap<String, usize> {
    let mut by_address = BTreeMap::new();
    for file in place.files("outbox") {
        let text = std::fs::read_to_string(place.path("outbox").join(&file)).unwrap();
        let to = text.lines().find(|line| line.starts_with("To: ")).unwrap();
        let address = to.rsplit(['<', ' ']).next().unwrap().trim_end_matches('>').to_owned();
        *by_address.entry(address).or_default() += 1;
    }
    by_address
}

/// How many recipients have nothing to be told: their edition was skipped, with its reason in the ledger.
fn skipped(place: &Workplace) -> usize {
    let runs = place.run(&["status", "--json"]).with(0).json()["runs"].clone();
    let of = |run: &Value| run["counts"]["deliveries"]["skipped"].as_u64().unwrap_or(0) as usize;
    runs.as_array().unwrap().iter().map(of).sum()
}

fn recipients(place: &Workplace) -> usize {
    std::fs::read_to_string(place.path("recipients.csv")).unwrap().lines().count() - 1
}

#[test]
fn the_demo_files_a_pack_for_each_audience_and_a_mail_for_each_recipient() {
    let place = Workplace::demo(4);
    let archived = place.files("archive");
    let of = |ending: &str| archived.iter().filter(|path| path.to_str().unwrap().ends_with(ending)).count();
    let editions = of("edition.json");
    assert!(editions > 4, "{archived:?}");
    assert_eq!((of(".pdf"), of(".xlsx"), of("report.json")), (editions, editions, editions));
    assert_eq!(mails(&place).values().sum::<usize>() + skipped(&place), recipients(&place));
    assert_eq!(newest(&place)["run"]["state"], "done");
}

#[test]
fn running_the_same_period_again_makes_and_sends_nothing_twice_and_says_so() {
    let place = Workplace::demo(3);
    let (archived, mailed) = (place.files("archive"), place.files("outbox"));
    let again = place.run(&["run", "monthly", "--period", &period(&place)]).with(0);
    assert!(again.out.contains("none is made or sent twice"), "{}", again.out);
    assert_eq!((place.files("archive"), place.files("outbox")), (archived, mailed));
}

#[test]
fn a_run_that_was_killed_is_finished_by_the_next_start_with_one_mail_for_each_recipient() {
    let place = Workplace::sample(6);
    place.ingest_sample();
    let args = ["run", "monthly"];
    // Killed after the first and the fourth pack stands, wherever the program is then; an edition has three tries.
    for n in [1, 4] {
        let mut child = place.start(&args);
        let manifests = || place.files("archive").iter().filter(|path| path.ends_with("edition.json")).count();
        for _ in 0..2_000 {
            if manifests() >= n || child.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    place.run(&args).with(0);
    let mails = mails(&place);
    assert_eq!(mails.values().sum::<usize>() + skipped(&place), recipients(&place));
    assert!(mails.values().all(|n| *n <= 3), "{mails:?}");
    for run in place.run(&["status", "--json"]).with(0).json()["runs"].as_array().unwrap() {
        assert_eq!(run["run"]["state"], "done", "{run}");
    }
    // No partial file is left in the archive or the outbox.
    for folder in ["archive", "outbox"] {
        let left: Vec<_> =
            place.files(folder).into_iter().filter(|path| path.to_str().unwrap().contains("tmp")).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn two_processes_make_the_same_bytes() {
    let first = Workplace::sample(3);
    let second = first.twin();
    for place in [&first, &second] {
        place.ingest_sample();
        place.run(&["run", "monthly"]).with(0);
    }
    let archived = first.files("archive");
    assert!(archived.len() > 10);
    assert_eq!(archived, second.files("archive"));
    for file in archived {
        let bytes = |place: &Workplace| std::fs::read(place.path("archive").join(&file)).unwrap();
        assert!(bytes(&first) == bytes(&second), "{} differs", file.display());
    }
}

#[test]
fn a_dry_run_tells_everything_and_does_nothing() {
    let place = Workplace::sample(2);
    place.ingest_sample();
    let dry = place.run(&["run", "monthly", "--dry-run", "--json"]).with(0).json();
    let editions = dry["editions"].as_array().unwrap();
    let n: usize = editions.iter().map(|edition| edition["recipients"].as_array().unwrap().len()).sum();
    assert_eq!(n, recipients(&place));
    assert!(editions.iter().all(|edition| edition["state"] == "new"));
    assert!(place.files("outbox").is_empty());
    assert_eq!(place.run(&["status", "--json"]).with(0).json()["runs"], Value::Array(Vec::new()));
}

#[test]
fn why_tells_what_somebody_gets_and_by_which_rule() {
    let place = Workplace::demo(2);
    let csv = std::fs::read_to_string(place.path("recipients.csv")).unwrap();
    let address = csv.lines().nth(1).unwrap().split(',').next().unwrap().to_owned();
    let told = place.run(&["why", &address]).with(0).out;
    assert!(told.contains("will get") && told.contains("granted `") && told.contains("delivered"), "{told}");
    let nobody = place.run(&["why", "nobody@example.com"]).with(0).out;
    assert!(nobody.contains("has no grant"), "{nobody}");
}
