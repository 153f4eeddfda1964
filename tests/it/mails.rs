//! Mails for a relay that takes little, from outside: what they hold, and what an admin is told.

use crate::backups::by_relay;
use crate::support::smtp::Relay;
use crate::support::workplace::Workplace;

#[test]
fn a_relay_that_takes_little_gets_less_and_the_admin_is_told() {
    let place = Workplace::sample(2);
    place.ingest_sample();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // Less than any PDF has once it is encoded, and more than any body.
    let size = 70_000;
    let relay = runtime.block_on(Relay { size: Some(size), ..Relay::default() }.start());
    by_relay(&place, relay.address.port());
    place.run(&["run", "monthly"]).with(0);
    let mails = relay.taken();
    assert!(mails.len() > 2, "{} mails", mails.len());
    for mail in &mails {
        assert!(mail.content.len() as u64 <= size, "{} bytes", mail.content.len());
        assert!(mail.content.contains("Not attached, since the mail would be too large"), "{}", mail.content);
        assert!(!mail.content.contains("Content-Disposition: attachment"), "{}", mail.content);
    }
    let listed = place.run(&["status"]).with(0).out;
    let told = format!("{} mails went without a file: pressrun status --run ", mails.len());
    assert!(listed.contains(&told), "{listed}");
    let run = place.run(&["status", "--json"]).with(0).json()["runs"][0].clone();
    assert_eq!(run["n_noted"], mails.len());
    let id = run["run"]["id"].to_string();
    let one = place.run(&["status", "--run", &id]).with(0).out;
    assert!(one.contains(": without `product-licenses_") && one.contains(" takes at most 70000"), "{one}");
    let rows = place.run(&["status", "--run", &id, "--json"]).with(0).json()["deliveries"]["rows"].clone();
    let rows = rows.as_array().unwrap().iter().filter(|row| row["state"] == "delivered");
    let noted = rows.filter(|row| row["note"].as_str().is_some_and(|note| note.contains(".pdf` and `")));
    assert_eq!(noted.count(), mails.len());
    let why = place.run(&["why", &mails[0].to[0]]).with(0).out;
    assert!(why.contains("    without `product-licenses_"), "{why}");
}
