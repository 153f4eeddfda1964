//! Folders as stores from outside: what each command tells of them.

use crate::support::workplace::Workplace;

/// The demo's configuration with a store of this name, folder and further keys.
fn with_store(place: &Workplace, keys: &str) {
    let toml = std::fs::read_to_string(place.path("pressrun.toml")).unwrap();
    let more = format!("stores = [\"finance\"]\n[stores.finance]\nfolder = \"shared\"\n{keys}\n");
    place.write("pressrun.toml", toml + &more);
}

#[test]
fn a_store_gets_what_was_made_before_and_each_command_tells_of_it() {
    let place = Workplace::demo(2);
    let period =
        place.run(&["status", "--json"]).with(0).json()["runs"][0]["run"]["period"].as_str().unwrap().to_owned();
    with_store(&place, "role = \"executive-report-viewer\"");
    let check = place.run(&["check"]).with(0);
    assert!(check.out.contains("store `finance`, folder ") && check.out.contains("it can be written"), "{}", check.out);
    assert!(check.out.contains("; 2 editions to store finance"), "{}", check.out);
    assert!(place.files("shared").is_empty(), "the check leaves nothing behind");
    let due = place.run(&["due", "--json"]).with(0).json();
    assert_eq!(due[0]["stores"], serde_json::json!(["finance"]));
    let args = ["run", "monthly", "--period", &period];
    let dry = place.run(&[&args[..], &["--dry-run"]].concat()).with(0);
    assert!(dry.out.contains("store finance"), "{}", dry.out);
    let mails = place.files("outbox").len();
    place.run(&args).with(0);
    assert_eq!(place.files("outbox").len(), mails, "no mail goes out twice");
    let shared = place.files("shared");
    let of = |ending: &str| shared.iter().filter(|path| path.to_str().unwrap().ends_with(ending)).count();
    assert_eq!((of(".pdf"), of(".xlsx"), of("edition.json"), shared.len()), (2, 2, 2, 6), "{shared:?}");
    for file in &shared {
        let archived = place.path("archive/product-licenses").join(file);
        assert_eq!(std::fs::read(place.path("shared").join(file)).unwrap(), std::fs::read(archived).unwrap());
    }
    let why = place.run(&["why", "store finance"]).with(0);
    assert!(
        why.out.contains("store finance: will get ") && why.out.contains("to store finance: delivered"),
        "{}",
        why.out
    );
}

#[test]
fn a_store_with_other_bytes_fails_by_name_and_keeps_them() {
    let place = Workplace::demo(1);
    let period =
        place.run(&["status", "--json"]).with(0).json()["runs"][0]["run"]["period"].as_str().unwrap().to_owned();
    with_store(&place, "role = \"executive-report-viewer\"\npath = \"{edition}/{file}\"");
    let dry = place.run(&["run", "monthly", "--period", &period, "--dry-run", "--json"]).with(0).json();
    let editions = dry["editions"].as_array().unwrap();
    let of_store = |edition: &&serde_json::Value| edition["stores"] == serde_json::json!(["store finance"]);
    let id = editions.iter().find(of_store).unwrap()["edition"].as_str().unwrap().to_owned();
    let theirs = place.write(&format!("shared/{id}/edition.json"), "theirs");
    let ended = place.run(&["run", "monthly", "--period", &period]).with(1);
    assert_eq!(std::fs::read_to_string(theirs).unwrap(), "theirs");
    let run = place.run(&["status", "--json"]).with(0).json()["runs"][0]["run"]["id"].to_string();
    let status = place.run(&["status", "--run", &run]).with(0);
    let failed = format!(" to store finance: failed: folder {}: `{id}/edition.json`", place.path("shared").display());
    assert!(status.out.contains(&failed), "{}{}", ended.out, status.out);
}
