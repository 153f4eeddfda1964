//! Runs that are unlike the last one, what is done by hand, and who is told, from outside.

use serde_json::Value;

use crate::backups::by_relay;
use crate::support::smtp::{At, Fault, Relay};
use crate::support::workplace::{Ended, Workplace};

/// The configuration with something after it.
fn configure(place: &Workplace, more: &str) {
    let text = std::fs::read_to_string(place.path("pressrun.toml")).unwrap();
    place.write("pressrun.toml", format!("{text}\n{more}\n"));
}

/// The sample of so many partners, loaded, and a full period of it that is so many months back.
fn place(n_partners: usize) -> (Workplace, impl Fn(u32) -> String) {
    let place = Workplace::sample(n_partners);
    place.ingest_sample();
    let last = place.run(&["run", "monthly", "--dry-run", "--json"]).with(0).json()["period"].clone();
    let (year, month) = last.as_str().unwrap().split_once('-').unwrap();
    let months = year.parse::<u32>().unwrap() * 12 + month.parse::<u32>().unwrap() - 1;
    (place, move |back| format!("{}-{:02}", (months - back) / 12, (months - back) % 12 + 1))
}

fn newest(place: &Workplace) -> Value {
    place.run(&["status", "--json"]).with(0).json()["runs"][0].clone()
}

/// The mails in the outbox that are to the admin, and how many others there are.
fn mails(place: &Workplace) -> (Vec<String>, usize) {
    let read = |file| std::fs::read_to_string(place.path("outbox").join(file)).unwrap().replace("=\r\n", "");
    let all: Vec<String> = place.files("outbox").into_iter().map(read).collect();
    let (told, others): (Vec<String>, Vec<String>) =
        all.into_iter().partition(|mail| mail.contains("To: admin@pressrun.example"));
    (told, others.len())
}

fn run(place: &Workplace, period: &str) -> Ended {
    place.run(&["run", "monthly", "--period", period])
}

#[test]
fn totals_that_moved_hold_editions_and_when_many_are_held_the_run_until_it_is_released_and_the_admin_is_told() {
    let (place, period) = place(6);
    run(&place, &period(11)).with(0);
    let (_, sent) = mails(&place);
    configure(&place, "[brakes]\ntotals_change_percent_max = 1\n[digest]\nto = [\"admin@pressrun.example\"]");
    let held = run(&place, &period(0)).with(1).out;
    assert!(held.contains(": held (brake `held_editions`") && held.contains("pressrun release 2 --why TEXT"), "{held}");
    let (told, others) = mails(&place);
    assert_eq!((told.len(), others), (1, sent), "nothing left but the digest");
    assert!(told[0].contains("pressrun release 2 --why TEXT") && !told[0].contains("licenses"), "{}", told[0]);
    let newest = newest(&place);
    let brakes = newest["brakes"].as_array().unwrap();
    assert!(brakes.iter().any(|brake| brake["brake"] == "totals_change_percent_max" && brake["edition"].is_string()));
    assert!(brakes.iter().any(|brake| brake["brake"] == "held_editions" && brake["edition"].is_null()));
    assert_eq!(run(&place, &period(0)).code, 0, "another call of the same period sends nothing and passes by");
    assert_eq!(mails(&place).1, sent);

    let status = place.run(&["status", "--run", "2"]).with(0).out;
    assert!(status.contains("holds; pressrun release 2 --why TEXT"), "{status}");
    place.run(&["release", "2", "--why", "the year was good", "--by", "anna"]).with(0);
    run(&place, &period(1));
    let status = place.run(&["status", "--run", "2"]).with(0).out;
    assert!(status.contains("released") && status.contains("by hand: anna: the year was good"), "{status}");
    let first: Value = place.run(&["status", "--json", "--run", "2"]).with(0).json();
    assert_eq!(first["run"]["state"], "done", "{first}");
    assert!(place.run(&["release", "2", "--why", "again"]).with(1).out.contains("Nothing that run 2"));
}

#[test]
fn recipients_that_would_hold_a_run_are_told_by_check_due_and_a_dry_run() {
    let (place, period) = place(2);
    configure(&place, "[brakes]\nrecipients_max = 1");
    let words = "brake `recipients_max`";
    let check = place.run(&["check"]);
    assert!(check.out.contains(&format!("schedule `monthly` would be held: {words}")), "{}", check.out);
    let dry = place.run(&["run", "monthly", "--dry-run"]).with(0).out;
    assert!(dry.contains(&format!("it would be held: {words}")), "{dry}");
    let due = place.run(&["due"]).with(0).out;
    assert!(due.contains(&format!("Would be held, by what is known now: monthly: {words}")), "{due}");
    assert_eq!(place.run(&["due", "--json"]).with(0).json()[0]["brakes"][0]["brake"], "recipients_max");
    // And so it is: nothing is made and nothing sent.
    run(&place, &period(0)).with(1);
    assert!(place.files("archive").is_empty() && place.files("outbox").is_empty());
    let csv = std::fs::read_to_string(place.path("recipients.csv")).unwrap();
    let address = csv.lines().nth(1).unwrap().split(',').next().unwrap().to_owned();
    let why = place.run(&["why", &address]).with(0).out;
    assert!(why.contains("the run: brake `recipients_max`") && why.contains("pressrun release 1 --why TEXT"), "{why}");
    place.run(&["release", "1", "--why", "two are right"]).with(0);
    run(&place, &period(0));
    assert_eq!(newest(&place)["run"]["id"], 2);
    assert!(mails(&place).1 > 0 && place.run(&["status", "--json", "--run", "1"]).json()["run"]["state"] == "done");
}

#[test]
fn a_mail_that_nobody_can_tell_of_is_resent_or_settled_by_hand_with_who_and_why() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let faults = vec![(At::Kept, "", 2, Fault::Drop)];
    let relay = runtime.block_on(Relay { faults, ..Relay::default() }.start());
    let (place, period) = place(2);
    by_relay(&place, relay.address.port());
    run(&place, &period(0)).with(1);
    let uncertain = || -> Vec<i64> {
        let told = place.run(&["status", "--json", "--run", "1"]).with(0).json();
        let rows = told["deliveries"]["rows"].as_array().unwrap().iter();
        rows.filter(|row| row["state"] == "uncertain").map(|row| row["id"].as_i64().unwrap()).collect()
    };
    let ids = uncertain();
    assert_eq!(ids.len(), 2);
    let told = place.run(&["status"]).with(0).out;
    assert!(told.contains(&format!("pressrun settle {} --delivered", ids[0])), "{told}");

    let (first, second) = (ids[0].to_string(), ids[1].to_string());
    place.run(&["settle", &first]).with(2);
    let settled =
        place.run(&["settle", &first, &first, "--delivered", "--why", "she has it", "--by", "anna", "--json"]);
    let settled = settled.with(0).json();
    assert_eq!(settled["deliveries"].as_array().unwrap().len(), 1, "each once: {settled}");
    assert_eq!(settled["reason"], "anna: she has it");
    let again = place.run(&["settle", &first, "--failed"]).with(1).out;
    assert!(again.contains("is delivered and can't become failed") && again.contains("hint: it arrived"), "{again}");
    let none = place.run(&["resend", "4711", &second, "--json"]).with(1).json();
    assert_eq!(
        (none["deliveries"][0]["done"].clone(), none["deliveries"][1]["done"].clone()),
        (false.into(), true.into())
    );
    assert!(none["deliveries"][0]["hint"].as_str().unwrap().contains("pressrun status --run"));
    let n_taken = relay.taken().len();
    run(&place, &period(0));
    assert_eq!(relay.taken().len(), n_taken + 1, "with the next run, once");
    assert!(uncertain().is_empty());
}

#[test]
fn a_digest_that_nobody_can_tell_of_is_resent_or_settled_by_hand() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let faults = vec![(At::Kept, "admin@", 2, Fault::Drop)];
    let relay = runtime.block_on(Relay { faults, ..Relay::default() }.start());
    let (place, period) = place(1);
    by_relay(&place, relay.address.port());
    configure(&place, "[digest]\nto = [\"admin@pressrun.example\", \"admin@desk.example\"]");
    run(&place, &period(0)).with(0);
    let digests = || place.run(&["status", "--json"]).with(0).json()["digests"]["rows"].clone();
    let ids: Vec<String> = digests().as_array().unwrap().iter().map(|row| row["id"].to_string()).collect();
    let told = place.run(&["status"]).with(0).out;
    for id in &ids {
        assert!(told.contains(&format!("pressrun settle --digest {id} --delivered")), "{told}");
    }
    let [second, first] = &ids[..] else { panic!("{told}") };
    let settled = place.run(&["settle", "--digest", first, "--delivered", "--by", "anna", "--json"]).with(0).json();
    assert_eq!((&settled["deliveries"][0]["digest"], &settled["deliveries"][0]["done"]), (&1.into(), &true.into()));
    let again = place.run(&["settle", "--digest", first, "--failed"]).with(1).out;
    assert!(again.contains("digest `1` is delivered and can't become failed\nhint: it arrived"), "{again}");
    let none = place.run(&["resend", "--digest", "4711"]).with(1).out;
    assert!(none.contains("there is no digest `4711`") && none.contains("hint: `pressrun status` lists"), "{none}");
    place.run(&["resend", "--digest", second, "--why", "he has not"]).with(0);
    let n_taken = relay.taken().len();
    run(&place, &period(0));
    assert_eq!(digests(), serde_json::json!([]));
    let n_again = relay.taken()[n_taken..].iter().filter(|mail| mail.to[0].contains("admin@desk")).count();
    assert!(n_again >= 1, "{n_again}");
}

#[test]
fn status_lists_as_many_runs_as_are_asked_for_and_says_how_many_more_there_are() {
    let (place, period) = place(1);
    for back in 0..3 {
        run(&place, &period(back));
    }
    let told = place.run(&["status", "--runs", "2"]).with(0).out;
    assert!(told.contains("and 1 older runs: pressrun status --runs 3"), "{told}");
    let json = place.run(&["status", "--runs", "2", "--json"]).with(0).json();
    assert_eq!((json["runs"].as_array().unwrap().len(), json["n_older"].clone()), (2, 1.into()));
    assert_eq!(place.run(&["status", "--json"]).with(0).json()["n_older"], 0);
    place.run(&["status", "--runs", "0"]).with(2);
}

#[test]
fn a_held_run_is_left_out_for_good_by_hand() {
    let (place, period) = place(1);
    configure(&place, "[brakes]\nrecipients_max = 1");
    run(&place, &period(0)).with(1);
    let told = place.run(&["status"]).with(0).out;
    assert!(told.contains("pressrun release 1 --why TEXT, or pressrun skip 1 --why TEXT"), "{told}");
    place.run(&["skip", "1"]).with(2);
    let said = place.run(&["skip", "1", "--why", "the wrong list", "--by", "anna"]).with(0).out;
    assert!(said.contains("Run 1 is left out for good.") && said.contains("mails are not sent."), "{said}");
    let again = place.run(&["skip", "1", "--why", "again"]).with(1).err;
    assert!(again.contains("is skipped, and only one that is held can be left out\nhint: "), "{again}");
    let row = newest(&place)["run"].clone();
    assert_eq!((&row["state"], &row["reason"]), (&"skipped".into(), &"by hand: anna: the wrong list".into()));
    assert!(place.run(&["release", "1", "--why", "after all"]).with(1).out.contains("Nothing that run 1"));
    let text = std::fs::read_to_string(place.path("pressrun.toml")).unwrap().replace("recipients_max = 1", "");
    place.write("pressrun.toml", text);
    run(&place, &period(0)).with(0);
    assert!(place.files("archive").is_empty() && place.files("outbox").is_empty());
}

#[test]
fn a_release_needs_a_reason_and_names_the_user_of_the_machine_where_nobody_is_named() {
    let (place, period) = place(1);
    configure(&place, "[brakes]\nrecipients_max = 1");
    run(&place, &period(0)).with(1);
    place.run(&["release", "1"]).with(2);
    let empty = place.run(&["release", "1", "--why", " "]).with(2).err;
    assert!(empty.contains("the reason is empty") && empty.contains("hint:"), "{empty}");
    place.run(&["release", "1", "--why", "right", "--by", ""]).with(2);
    place.run(&["release", "77", "--why", "right"]).with(1);
    let released = place.run(&["release", "1", "--why", "right", "--json"]).with(0).json();
    let reason = released["reason"].as_str().unwrap();
    assert!(reason.ends_with(": right") && reason.len() > ": right".len(), "{reason}");
}
