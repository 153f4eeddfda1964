//! `backup` while a daemon runs, what a restored ledger sends by itself (nothing), and `release`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::support::daemon::Daemon;
use crate::support::smtp::{At, Fault, Relay};
use crate::support::workplace::{Workplace, configuration};

/// The files of a backup with their modes.
fn unpack(place: &Workplace, file: &str) -> BTreeMap<String, (Vec<u8>, u32)> {
    let file = std::fs::File::open(place.path(file)).unwrap();
    let mut archive = tar::Archive::new(zstd::Decoder::new(file).unwrap());
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_str().unwrap().to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (name, (bytes, entry.header().mode().unwrap()))
    });
    entries.collect()
}

/// Puts the databases of a backup in the place of those there, as the README says.
fn restore(place: &Workplace, file: &str) {
    std::fs::remove_dir_all(place.path("data")).unwrap();
    for (name, (bytes, _)) in unpack(place, file) {
        place.write(&format!("data/{name}"), bytes);
    }
}

/// The outbox's mails, which are taken away as a user's program would.
fn collect_mails(place: &Workplace) -> Vec<PathBuf> {
    let mails = place.files("outbox");
    mails.iter().for_each(|file| std::fs::remove_file(place.path("outbox").join(file)).unwrap());
    mails
}

/// What lies in the workplace itself, hidden or not.
fn names(place: &Workplace) -> BTreeSet<std::ffi::OsString> {
    std::fs::read_dir(place.dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect()
}

fn status(place: &Workplace) -> Vec<Value> {
    place.run(&["status", "--json"]).with(0).json()["runs"].as_array().unwrap().clone()
}

#[test]
fn a_backup_taken_beside_a_daemon_is_restored_and_what_was_sent_since_is_sent_again_only_by_hand() {
    let place = Workplace::sample(2);
    place.ingest_sample();
    let daemon = Daemon::awake(&place);
    let said = place.run(&["backup", "b.tar.zst", "--json"]).with(0).json();
    assert!(said["read_back"] == true && said["backup"]["databases"][1]["name"] == "facts.db", "{said}");
    assert_eq!(daemon.stop(), Some(0));
    let mode = std::fs::metadata(place.path("b.tar.zst")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let inside = unpack(&place, "b.tar.zst");
    assert_eq!(inside.keys().collect::<Vec<_>>(), ["backup.json", "facts.db", "ledger.db"]);
    assert!(inside.values().all(|(_, mode)| *mode == 0o600));
    let about: Value = serde_json::from_slice(&inside["backup.json"].0).unwrap();
    assert_eq!(about, said["backup"]);

    place.run(&["run", "monthly"]).with(0);
    let sent = collect_mails(&place);
    assert!(sent.len() > 2);
    restore(&place, "b.tar.zst");
    let log = place.write("data/ledger.db-wal", "of the ledger before");
    let refused = place.run(&["status"]).with(1).err;
    assert!(refused.contains("ledger.db-wal` beside it") && refused.contains("hint: see that no daemon"), "{refused}");
    std::fs::remove_file(log).unwrap();
    // The archive has the editions, and the ledger of before has not: they are made and held.
    let ran = place.run(&["run", "monthly"]).with(1);
    assert!(ran.err.contains("the archive has editions that this ledger never made"), "{}", ran.err);
    assert_eq!(place.files("outbox"), Vec::<PathBuf>::new());
    let told = place.run(&["status"]).with(0).out;
    assert!(told.contains("the ledger is behind its archive; it may have been sent"), "{told}");
    assert!(told.contains("pressrun release 1 --why TEXT"), "{told}");
    assert_eq!(status(&place)[0]["held"]["n_deliveries"], sent.len());
    assert_eq!(status(&place)[0]["counts"]["editions"]["archived"], sent.len());

    let released = place.run(&["release", "1", "--why", "asked them", "--json"]).with(0).json();
    assert_eq!(released["released"]["n_deliveries"], sent.len());
    assert!(place.run(&["status"]).with(0).out.lines().all(|line| !line.contains("pressrun release")));
    place.run(&["run", "monthly"]).with(0);
    assert_eq!(collect_mails(&place), sent);
    let nothing = place.run(&["release", "1", "--why", "again"]).with(1);
    assert!(nothing.out.contains("Nothing that run 1 could let go was held"), "{}", nothing.out);
    place.run(&["run", "monthly"]).with(0);
    assert_eq!(collect_mails(&place), Vec::<PathBuf>::new());
}

/// Has a workplace's mails go through a relay at that port, and be tried again after a second.
pub(crate) fn by_relay(place: &Workplace, port: u16) {
    let text = std::fs::read_to_string(place.path("pressrun.toml")).unwrap();
    let before = text.split("[mail.relay]").next().unwrap().replace("outbox = \"outbox\"\n", "");
    let relay = format!(
        "[mail.relay]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n[mail.retries]\nbackoff_secs_min = 1\n"
    );
    place.write("pressrun.toml", before + &relay);
}

#[test]
fn mails_that_were_to_be_tried_again_at_the_time_of_the_backup_are_held_when_it_is_restored() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let faults = vec![(At::Recipient, "", usize::MAX, Fault::Reply("451 4.7.1 greylisted"))];
    let refusing = runtime.block_on(Relay { faults, ..Relay::default() }.start());
    let relay = runtime.block_on(Relay::default().start());
    let place = Workplace::sample(1);
    place.ingest_sample();
    by_relay(&place, refusing.address.port());
    place.run(&["run", "monthly"]).with(1);
    let n = status(&place)[0]["counts"]["deliveries"]["retryable"].as_u64().unwrap() as usize;
    assert!(n > 0 && refusing.taken().is_empty());
    place.run(&["backup", "b.tar.zst"]).with(0);

    // Sent after the backup, which knows nothing of it.
    by_relay(&place, relay.address.port());
    std::thread::sleep(Duration::from_millis(1_100));
    place.run(&["run", "monthly"]).with(0);
    assert_eq!(relay.taken().len(), n);

    restore(&place, "b.tar.zst");
    let told = place.run(&["status"]).with(0);
    assert!(told.err.contains("the ledger was restored from a backup of 2"), "{}", told.err);
    assert!(told.out.contains(": it may have been sent since"), "{}", told.out);
    place.run(&["run", "monthly"]).with(0);
    let daemon = Daemon::awake(&place);
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(daemon.stop(), Some(0));
    assert_eq!(relay.taken().len(), n, "sent by itself");
    assert_eq!(status(&place).last().unwrap()["held"]["n_deliveries"], n);

    place.run(&["release", "1", "--why", "they have not got it"]).with(0);
    place.run(&["run", "monthly"]).with(0);
    let sent: Vec<_> = relay.taken().into_iter().map(|mail| mail.to).collect();
    let mut again = sent[n..].to_vec();
    again.sort();
    let mut first = sent[..n].to_vec();
    first.sort();
    assert_eq!(again, first);
    let why = place.run(&["why", &first[0][0]]).with(0).out;
    assert!(why.contains("delivered"), "{why}");
}

#[test]
fn someone_who_is_new_to_an_edition_from_before_the_restoring_waits_for_a_release() {
    let place = Workplace::sample(1);
    place.ingest_sample();
    let all = std::fs::read_to_string(place.path("recipients.csv")).unwrap();
    place.run(&["run", "monthly"]).with(0);
    place.run(&["backup", "b.tar.zst"]).with(0);
    // A colleague with the same grant gets the edition that is there.
    let last = all.lines().last().unwrap();
    let (address, grant) = last.split_once(',').unwrap();
    place.write("recipients.csv", format!("{all}colleague@pressrun.example,{grant}\n"));
    collect_mails(&place);
    place.run(&["run", "monthly"]).with(0);
    assert_eq!(collect_mails(&place).len(), 1, "beside {address}");
    restore(&place, "b.tar.zst");
    place.run(&["run", "monthly"]).with(1);
    assert_eq!(collect_mails(&place), Vec::<PathBuf>::new());
    let told = place.run(&["why", "colleague@pressrun.example"]).with(0).out;
    assert!(told.contains("held: the ledger was restored from a backup that is older"), "{told}");
}

#[test]
fn a_file_that_cannot_be_a_backup_is_refused_and_nothing_is_left_behind() {
    let place = Workplace::demo(1);
    place.write("there.tar.zst", "mine");
    let before = names(&place);
    for (file, code, said) in [
        ("there.tar.zst", 2, "`there.tar.zst` is there already"),
        ("no/such/b.tar.zst", 2, "the folder of `no/such/b.tar.zst` does not exist"),
        ("b.zip", 2, "`b.zip` does not end with `.tar.zst`"),
    ] {
        let ended = place.run(&["backup", file]).with(code);
        assert!(ended.err.contains(said) && ended.err.contains("hint: "), "{}", ended.err);
    }
    // No room, told by a bound on the size of files: SIGXFSZ is ignored, so that a write fails as on a full disk.
    let full = "trap '' XFSZ; ulimit -f 100; exec \"$0\" backup b.tar.zst";
    let mut command = Command::new("sh");
    command.args(["-c", full, env!("CARGO_BIN_EXE_pressrun")]).current_dir(place.dir.path());
    let ended = command.env("PRESSRUN_CONFIG", place.path("pressrun.toml")).output().unwrap();
    let err = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.code() == Some(1) && err.contains("no backup was written to `b.tar.zst`"), "{err}");
    assert_eq!(names(&place), before);
    assert_eq!(std::fs::read(place.path("there.tar.zst")).unwrap(), b"mine");
}

#[test]
fn a_ledger_that_is_not_there_is_not_made_and_a_view_stays_with_its_owner() {
    let place = Workplace::empty();
    let view = r#"view = { database = "warehouse.db", name = "license_facts" }"#;
    let recipient = "[[recipient]]\naddress = \"a@example.com\"\npartner = \"P1\"\nrole = \"report-viewer\"\n";
    place.write("pressrun.toml", configuration(view, recipient));
    let ended = place.run(&["backup", "b.tar.zst"]).with(2);
    assert!(ended.err.contains("there is no ledger at"), "{}", ended.err);
    assert_eq!(place.files(".").len(), 1);
    place.run(&["status"]).with(0);
    let said = place.run(&["backup", "b.tar.zst"]).with(0);
    assert!(said.out.contains("Not in it: the facts, which are your view `license_facts` in"), "{}", said.out);
    assert_eq!(unpack(&place, "b.tar.zst").into_keys().collect::<Vec<_>>(), ["backup.json", "ledger.db"]);
}
