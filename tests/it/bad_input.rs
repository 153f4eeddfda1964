//! Bad input from outside: each ends in a message that says what, where and how to mend it, in the right exit code.

use std::path::PathBuf;

use crate::support::workplace::Workplace;

const HEADER: &str = "PGAPartnerID,CustomerTenantId,CustomerTpid,WorkloadName,Month,PaidAvailableUnits,MonthlyActiveUsers,\
CustomerName,CustomerMarket,CustomerSegment,IndustryName,VerticalName,EOU,PartnerID,PartnerName,PartnerLocation,\
PartnerAttributionType,IsDuplicateRowForPGA";

fn line(month: &str, units: &str) -> String {
    format!("1,aaaa,1,Teams,{month},{units},3,Kunde,Germany,SMB,x,y,z,11,Partner,Berlin,CSP Tier 1,0")
}

fn place() -> Workplace {
    let place = Workplace::empty();
    place.run(&["init", place.text()]).with(0);
    place
}

fn file(place: &Workplace, lines: &[String]) -> PathBuf {
    place.write("OfficeUsage_2026-11-21T04-10-00Z.csv", format!("{HEADER}\n{}\n", lines.join("\n")))
}

#[test]
fn wrong_files_are_refused_whole_with_what_and_where() {
    let good = line("2026-10-01", "5");
    let cases: [(&str, Vec<String>, &[&str]); 5] = [
        ("a letter in a count", vec![good.clone(), line("2026-09-01", "5x")], &["5x", "PaidAvailableUnits", ":3"]),
        ("a month that is none", vec![line("2026-13-01", "5")], &["2026-13", "Month", ":2"]),
        ("a negative level", vec![line("2026-10-01", "-5")], &["-5", "PaidAvailableUnits", ":2"]),
        ("a row twice", vec![good.clone(), good.clone()], &[":3"]),
        ("too few columns", vec![good.clone(), "1,2".to_owned()], &[":3"]),
    ];
    for (what, lines, words) in cases {
        let place = place();
        let path = file(&place, &lines);
        let ended = place.run(&["ingest", path.to_str().unwrap()]).with(1);
        for word in words {
            assert!(ended.out.contains(word), "{what}: `{word}` is not in {}", ended.out);
        }
        // Nothing half-loaded: the facts are as empty as before.
        let checked = place.run(&["check"]);
        assert!(checked.out.contains("the facts are empty"), "{what}: {}", checked.out);
    }
}

#[test]
fn files_of_another_kind_are_told_from_partner_center_s() {
    let place = place();
    for (name, bytes) in [
        ("report.pdf", b"%PDF-1.7\n".to_vec()),
        ("people.csv", b"name,age\nA,3\n".to_vec()),
        ("cut.csv.gz", vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b]),
        ("empty.csv", Vec::new()),
    ] {
        let path = place.write(name, bytes);
        let ended = place.run(&["ingest", path.to_str().unwrap()]).with(1);
        assert!(ended.out.contains("refused: ") && ended.out.contains(name), "{name}: {}", ended.out);
    }
    let ended = place.run(&["ingest", "nowhere.csv"]).with(1);
    assert!(ended.out.contains("nowhere.csv"), "{}", ended.out);
}

#[test]
fn the_same_file_twice_is_a_no_op_that_says_so() {
    let place = place();
    let path = file(&place, &[line("2026-10-01", "5")]);
    place.run(&["ingest", path.to_str().unwrap()]).with(0);
    let again = place.run(&["ingest", path.to_str().unwrap()]).with(0);
    assert!(again.out.contains("loaded before, as load 1; nothing was done"), "{}", again.out);
}

#[test]
fn a_wrong_configuration_ends_with_2_and_its_place_and_hint() {
    let place = place();
    let path = place.path("pressrun.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("zone =", "zoen =", 1)).unwrap();
    let ended = place.run(&["check"]).with(2);
    assert!(ended.err.contains("zoen") && ended.err.contains("did you mean `zone`"), "{}", ended.err);
    let json = place.run(&["check", "--json"]).with(2).json();
    assert!(json["errors"][0]["error"].as_str().unwrap().contains("pressrun.toml:"), "{json}");
}

#[test]
fn a_wrong_command_ends_with_2_and_names_what_there_is() {
    let place = place();
    let ended = place.run(&["run", "weekly"]).with(2);
    assert!(ended.err.contains("no schedule `weekly`") && ended.err.contains("monthly"), "{}", ended.err);
    place.run(&["run", "monthly", "--period", "2026-13"]).with(2);
    let ended = place.run(&["init", place.text()]).with(2);
    assert!(ended.err.contains("is there already"), "{}", ended.err);
}
