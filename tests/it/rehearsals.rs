//! Rehearsals from outside: all that a run makes, for one address or folder, and nothing of it counts.

use std::collections::BTreeSet;

use pressrun::base::{Month, percent_encoded};
use serde_json::Value;

use crate::backups::by_relay;
use crate::support::smtp::Relay;
use crate::support::workplace::Workplace;

const TRAP: &str = "trap@example.org";

/// The sample of so many partners, loaded.
fn place(n_partners: usize) -> Workplace {
    let place = Workplace::sample(n_partners);
    place.ingest_sample();
    place
}

fn header(mail: &str, name: &str) -> String {
    let (headers, _) = mail.split_once("\r\n\r\n").unwrap();
    let unfolded = headers.replace("\r\n ", " ");
    let line = unfolded.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    line.unwrap_or_else(|| panic!("no `{name}` in {headers}")).to_owned()
}

fn addresses(place: &Workplace) -> BTreeSet<String> {
    let text = std::fs::read_to_string(place.path("recipients.csv")).unwrap();
    text.lines().skip(1).map(|line| line.split(',').next().unwrap().to_owned()).collect()
}

/// The mails of a folder.
fn mails(place: &Workplace, folder: &str) -> Vec<String> {
    let read = |file| std::fs::read_to_string(place.path(folder).join(file)).unwrap();
    place.files(folder).into_iter().map(read).collect()
}

/// The bytes of every PDF and workbook below a folder, in an order of their own.
fn files(place: &Workplace, folder: &str) -> BTreeSet<Vec<u8>> {
    let files = place.files(folder).into_iter();
    let files = files.filter(|file| file.extension().is_some_and(|ending| ending == "pdf" || ending == "xlsx"));
    files.map(|file| std::fs::read(place.path(folder).join(file)).unwrap()).collect()
}

/// The roles of a rehearsal's editions, an edition each.
fn roles(told: &Value) -> Vec<String> {
    let editions = told["editions"].as_array().unwrap().iter();
    editions.map(|edition| edition["edition"]["audience"]["role"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_rehearsal_into_a_folder_makes_what_the_run_makes_and_counts_for_nothing() {
    let place = place(4);
    let told = place.run(&["run", "monthly", "--rehearse", "trial"]).with(0).out;
    assert!(told.contains("Nothing of it counts as delivered") && told.contains("trial/index.html"), "{told}");
    assert_eq!(place.run(&["status", "--json"]).with(0).json()["runs"], Value::Array(vec![]));
    assert!(place.files("archive").is_empty() && place.files("outbox").is_empty());
    let rehearsed = mails(&place, "trial/mails");
    for mail in &rehearsed {
        assert_eq!(header(mail, "To"), "rehearsal@pressrun.invalid");
        assert!(header(mail, "Subject").starts_with("[Rehearsal] "));
    }
    // Everybody who gets one then, gets it now; the files are the same, byte for byte.
    place.run(&["run", "monthly"]).with(0);
    let real: BTreeSet<String> = mails(&place, "outbox").iter().map(|mail| header(mail, "To")).collect();
    let named: BTreeSet<String> = rehearsed.iter().map(|mail| header(mail, "X-Pressrun-Rehearsed-For")).collect();
    assert_eq!(rehearsed.len(), real.len());
    let plain = |all: BTreeSet<String>| -> BTreeSet<String> {
        all.iter().map(|to| to.rsplit(['<', ' ']).next().unwrap().trim_end_matches('>').to_owned()).collect()
    };
    assert_eq!(plain(named), plain(real));
    let filed = files(&place, "archive");
    assert!(filed.len() > 8 && filed == files(&place, "trial/packs"));
    judge_page(&place, filed.len() / 2);
}

/// The page shows each edition with its first page, its files and whom it would go to.
fn judge_page(place: &Workplace, n_made: usize) {
    // A slash is one of the signs that are escaped.
    let page = std::fs::read_to_string(place.path("trial/index.html")).unwrap().replace("&#x2f;", "/");
    assert!(addresses(place).iter().all(|address| page.contains(address.as_str())), "{page}");
    let pictures = place.files("trial/first-pages");
    assert_eq!((pictures.len(), page.matches("<img ").count()), (n_made, n_made));
    for file in pictures {
        assert!(page.contains(&format!("src=\"first-pages/{}\"", file.display())), "{}", file.display());
        let png = std::fs::read(place.path("trial/first-pages").join(file)).unwrap();
        // A page's width and height (PNG, 11.2.1), and more than a blank one takes.
        let side = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
        assert!(png.starts_with(b"\x89PNG") && (side(16), side(20)) == (595, 841) && png.len() > 30_000);
    }
    // Every file is linked.
    for file in ["packs", "mails"].iter().flat_map(|folder| place.files(&format!("trial/{folder}"))) {
        let link = file.iter().map(|part| percent_encoded(part.to_str().unwrap())).collect::<Vec<_>>().join("/");
        assert!(page.contains(&format!("/{link}\"")), "{link}");
    }
}

#[test]
fn a_rehearsal_by_the_relay_is_for_one_address_only_and_its_mails_are_none_of_the_runs() {
    let place = place(3);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let relay = runtime.block_on(Relay::default().start());
    by_relay(&place, relay.address.port());
    place.run(&["run", "monthly", "--rehearse", TRAP, "--into", "trial"]).with(0);
    let rehearsed = relay.taken();
    assert!(rehearsed.len() > 3 && rehearsed.iter().all(|mail| mail.to == [TRAP]), "{} mails", rehearsed.len());
    let named: BTreeSet<String> =
        rehearsed.iter().map(|mail| header(&mail.content, "X-Pressrun-Rehearsed-For")).collect();
    assert_eq!(named.len(), rehearsed.len());
    place.run(&["run", "monthly"]).with(0);
    let real = relay.taken().split_off(rehearsed.len());
    assert_eq!(real.len(), rehearsed.len());
    assert!(real.iter().all(|mail| !mail.content.contains("Rehears")));
    let ids: BTreeSet<String> = real.iter().chain(&rehearsed).map(|mail| header(&mail.content, "Message-ID")).collect();
    assert_eq!(ids.len(), real.len() + rehearsed.len());
    assert!(place.files("trial/packs").len() > 8 && place.path("trial/index.html").is_file());
}

#[test]
fn a_rehearsal_into_a_folder_waits_for_no_relay() {
    let place = place(3);
    // Nobody listens there.
    by_relay(&place, 9);
    let text = std::fs::read_to_string(place.path("pressrun.toml")).unwrap();
    place.write("pressrun.toml", text.replace("[mail.retries]", "per_minute_max = 1\nper_day_max = 2\n[mail.retries]"));
    place.run(&["run", "monthly", "--rehearse", "trial"]).with(0);
    assert!(mails(&place, "trial/mails").len() > 3);
}

#[test]
fn a_rehearsal_says_what_changed_since_what_really_went_out() {
    let place = place(2);
    let last = place.run(&["run", "monthly", "--dry-run", "--json"]).with(0).json()["period"].clone();
    let last: Month = last.as_str().unwrap().parse().unwrap();
    place.run(&["run", "monthly", "--period", &last.prev().to_string()]).with(0);
    place.run(&["run", "monthly", "--rehearse", "trial"]).with(0);
    let text = |mail: &String| mail.replace("=\r\n", "");
    let rehearsed = mails(&place, "trial/mails");
    assert!(!rehearsed.is_empty());
    assert!(rehearsed.iter().map(text).all(|mail| mail.contains("your last edition")), "{}", text(&rehearsed[0]));
}

#[test]
fn a_sample_has_every_role_first_and_is_the_same_for_the_same_seed() {
    let place = place(6);
    let all = place.run(&["run", "monthly", "--rehearse", "all", "--json"]).with(0).json();
    let kinds: BTreeSet<String> = roles(&all).into_iter().collect();
    let sampled = |into: &str, n: usize, seed: &str| {
        let n = n.to_string();
        let args = ["run", "monthly", "--rehearse", into, "--sample", &n, "--seed", seed, "--json"];
        let told = place.run(&args).with(0).json();
        assert_eq!(told["n_editions"], all["editions"].as_array().unwrap().len());
        let editions = told["editions"].as_array().unwrap().iter();
        let ids: Vec<String> = editions.map(|one| one["edition"]["id"].as_str().unwrap().to_owned()).collect();
        (ids, roles(&told))
    };
    let (first, of_each) = sampled("1", kinds.len(), "1");
    assert_eq!(of_each.iter().cloned().collect::<BTreeSet<_>>(), kinds, "one of each role");
    assert_eq!(sampled("2", kinds.len(), "1").0, first);
    assert_ne!(sampled("3", kinds.len(), "2").0, first);
    assert_eq!(sampled("4", 1000, "3").0.len(), all["editions"].as_array().unwrap().len());
}

#[test]
fn what_would_hold_a_run_is_told_by_its_rehearsal_and_holds_nothing_there() {
    let place = place(2);
    std::fs::create_dir(place.path("trial")).unwrap();
    let text = std::fs::read_to_string(place.path("pressrun.toml")).unwrap();
    place.write("pressrun.toml", format!("{text}\n[brakes]\nrecipients_max = 1\n"));
    let told = place.run(&["run", "monthly", "--rehearse", "trial"]).with(1).out;
    assert!(told.contains("the run would be held: brake `recipients_max`"), "{told}");
    assert!(mails(&place, "trial/mails").len() > 1);
    let page = std::fs::read_to_string(place.path("trial/index.html")).unwrap();
    assert!(page.contains("The run itself would be held") && page.contains("recipients_max"), "{page}");
    // What others must not read, though the folder was there, and with the page in another one.
    let args = ["run", "monthly", "--rehearse", "mails-to", "--into", "into"];
    place.run(&args).with(1);
    assert!(!place.path("mails-to").exists() && mails(&place, "into/mails").len() > 1);
    for folder in ["trial", "into"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(place.path(folder)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{folder}");
    }
}

#[test]
fn editions_that_are_held_stop_no_other_of_a_rehearsal_and_the_run_is_said_to_be_held() {
    let place = place(4);
    let plan = place.run(&["run", "monthly", "--dry-run", "--json"]).with(0).json();
    let last: Month = plan["period"].as_str().unwrap().parse().unwrap();
    let earlier = (0..11).fold(last, |month, _| month.prev()).to_string();
    let partners = plan["editions"].as_array().unwrap().iter().map(|edition| edition["partner_id"].as_str().unwrap());
    let partners: BTreeSet<&str> = partners.collect();
    // One of them has nothing to be compared with.
    let narrow = partners.into_iter().skip(1).flat_map(|partner| ["--partner", partner]);
    let args: Vec<&str> = ["run", "monthly", "--period", &earlier].into_iter().chain(narrow).collect();
    place.run(&args).with(0);
    let text = std::fs::read_to_string(place.path("pressrun.toml")).unwrap();
    place.write("pressrun.toml", format!("{text}\n[brakes]\ntotals_change_percent_max = 1\n"));
    let told = place.run(&["run", "monthly", "--rehearse", "trial", "--json"]).with(1).json();
    let of = |state: &str| {
        let editions = told["editions"].as_array().unwrap().iter();
        editions.filter(|edition| edition["edition"]["state"] == state).count()
    };
    assert!(of("held") >= 3 && of("archived") > 0, "{told}");
    assert_eq!(of("planned") + of("making"), 0, "{told}");
    assert!(told["trips"].as_array().unwrap().iter().any(|trip| trip["brake"] == "held_editions"), "{told}");
    assert!(!mails(&place, "trial/mails").is_empty());
}

#[test]
fn a_rehearsal_that_cannot_be_is_refused_before_anything_is_made() {
    let place = place(1);
    let told = place.run(&["run", "monthly", "--rehearse", TRAP]).with(2).err;
    assert!(told.contains("no relay is configured") && told.contains("hint: name a folder"), "{told}");
    place.write("full/of.txt", "something");
    let told = place.run(&["run", "monthly", "--rehearse", "full"]).with(2).err;
    assert!(told.contains("`full` has something in it already"), "{told}");
    assert_eq!(place.files("full").len(), 1);
    for wrong in [&["--sample", "3"][..], &["--rehearse", "x", "--dry-run"], &["--rehearse", "x", "--seed", "3"]] {
        place.run(&[&["run", "monthly"], wrong].concat()).with(2);
    }
    assert!(!place.path("x").exists() && place.files("archive").is_empty());
}
