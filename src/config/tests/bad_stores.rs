//! Stores that are wrong, each with the message that it gets, and what schedules say of stores.

use super::super::{SecretFrom, StoreAt};
use super::{Folder, check, smallest_and};
use crate::deliver::PathTemplate;

/// A store with these keys, from line 12 on, ends in one error.
fn refuses(keys: &str, first_line: &str, hint: &str) {
    let text = smallest_and(&format!("[stores.finance]\n{keys}\n"));
    check(&[("pressrun.toml", &text)], &[(first_line, hint)]);
}

/// A folder store named by a schedule, whose further keys stand from line 18 on, ends in one error.
fn refuses_schedule(store: &str, schedule: &str, first_line: &str, hint: &str) {
    let text = smallest_and(&format!(
        "[stores.finance]\nfolder = \"f\"\n{store}\n[schedules.monthly]\nzone = \"UTC\"\nreport = \
         \"product-licenses\"\n\n{schedule}\n"
    ));
    check(&[("pressrun.toml", &text)], &[(first_line, hint)]);
}

const S3: &str = "access_key = { env = \"A\" }, secret_key = { env = \"S\" }";

fn s3(keys: &str) -> String {
    format!("s3 = {{ {S3}, {keys} }}")
}

fn azure(keys: &str) -> String {
    format!("azure = {{ key = {{ env = \"K\" }}, {keys} }}")
}

#[test]
fn a_store_is_in_exactly_one_place() {
    refuses(
        "timeout_secs = 5",
        "store `finance` names neither a `folder` nor `s3` nor `azure` at pressrun.toml:11:9",
        "add one of the three, as in `folder = \"shared/reports\"`",
    );
    refuses(
        &format!("folder = \"f\"\n{}", s3("bucket = \"abc\", region = \"eu\"")),
        "`folder` and `s3` exclude each other at pressrun.toml:13:6",
        "keep one of the two",
    );
    refuses(
        &format!("folder = \"f\"\n{}", azure("account = \"abc\", container = \"def\"")),
        "`folder` and `azure` exclude each other at pressrun.toml:13:9",
        "keep one of the two",
    );
}

#[test]
fn a_path_is_refused_at_the_place_where_it_is_wrong() {
    refuses(
        "folder = \"f\"\npath = \"{edition}/{flie}\"",
        "unknown field `{flie}` at pressrun.toml:13:19",
        "known fields: `{schedule}`, `{period}`, `{partner_id}`, `{partner}`, `{role}`, `{audience}`, `{revision}`, \
         `{edition}`, `{file}`",
    );
    refuses(
        "folder = \"f\"\npath = \"{schedule}/{period}/{partner}/{audience}/{revision}/{file}\"",
        "`{partner_id}` is missing in `{schedule}/{period}/{partner}/{audience}/{revision}/{file}` at \
         pressrun.toml:13:9",
        "two editions would meet at one name; name {schedule}, {period}, {partner_id}, {audience}, {revision}, or \
         `{edition}`, the report's id",
    );
    // An escape in the text shifts what follows: then the whole of it is shown.
    refuses(
        "folder = \"f\"\npath = \"\\u0061/{edition}/{flie}\"",
        "unknown field `{flie}` at pressrun.toml:13:8",
        "known fields: `{schedule}`, `{period}`, `{partner_id}`, `{partner}`, `{role}`, `{audience}`, `{revision}`, \
         `{edition}`, `{file}`",
    );
}

#[test]
fn reports_leave_in_the_clear_to_this_machine_only() {
    for (endpoint, what, hint) in [
        (
            "http://s3.example.com",
            "`http://s3.example.com` would send reports in the clear",
            "use `https://`; `http://` is for a store on this machine",
        ),
        (
            "http://127.0.0.1.example.com:9000",
            "`http://127.0.0.1.example.com:9000` would send reports in the clear",
            "use `https://`; `http://` is for a store on this machine",
        ),
        (
            "s3.example.com",
            "`s3.example.com` is not the address of a store",
            "with `https://`, as in `https://s3.example.com`",
        ),
        (
            "https://user:geheim@s3.example.com",
            "the address of the store has no host, or more than host, port and path",
            "as in `https://s3.example.com`; keys are named beside it",
        ),
        (
            "http://127.0.0.1@example.com",
            "the address of the store has no host, or more than host, port and path",
            "as in `https://s3.example.com`; keys are named beside it",
        ),
    ] {
        let keys = s3(&format!("bucket = \"abc\", region = \"eu\", endpoint = \"{endpoint}\""));
        refuses(&keys, &format!("{what} at pressrun.toml:12:106"), hint);
    }
    for endpoint in ["http://127.0.0.1:9000", "http://localhost", "http://[::1]:9000/", "https://s3.example.com:9000/x"]
    {
        let keys = s3(&format!("bucket = \"abc\", region = \"eu\", endpoint = \"{endpoint}\""));
        let text = smallest_and(&format!("[stores.finance]\n{keys}\n"));
        assert_eq!(Folder::with(&[("pressrun.toml", &text)]).errors(), [], "{endpoint}");
    }
}

#[test]
fn names_and_prefixes_are_those_that_stores_take() {
    refuses(
        &s3("region = \"eu\", bucket = \"Reports\""),
        "`Reports` is not the name of a bucket at pressrun.toml:12:88",
        "3 to 63 lower-case letters, digits, `-` and dots, as in `example-reports`",
    );
    refuses(
        &azure("container = \"a/b\", account = \"abc\""),
        "`a/b` is not the name of a container at pressrun.toml:12:44",
        "3 to 63 lower-case letters, digits and `-`, as in `reports`",
    );
    refuses(
        &azure("container = \"abc\", account = \"abc\", prefix = \"../x\""),
        "`../x` cannot be what names in a store begin with at pressrun.toml:12:77",
        "letters, digits, `-_.+=,@`, and `/` between parts, as in `finance/reports`",
    );
    refuses(
        "folder = \"f\"\nrole = \"boss\"",
        "unknown role `boss` at pressrun.toml:13:8",
        "known roles: `account-admin`, `admin-agent`, `executive-report-viewer`, `global-admin`, `report-viewer`",
    );
    let text = smallest_and("[stores.Finance]\nfolder = \"f\"\n");
    check(
        &[("pressrun.toml", &text)],
        &[(
            "`Finance` is not the name of a store at pressrun.toml:11:9",
            "at most 60 lower-case letters, digits, `-` and `_`, as in `finance`",
        )],
    );
}

#[test]
fn a_store_has_a_place_of_its_own() {
    refuses(
        "folder = \"archive\"",
        "`folder` is the same as `archive.folder` at pressrun.toml:12:10",
        "give each a place of its own",
    );
    refuses(
        "folder = \"x/../outbox\"",
        "`folder` is the same as `mail.outbox` at pressrun.toml:12:10",
        "give each a place of its own",
    );
}

#[test]
fn a_schedule_names_stores_that_are_there_and_get_something() {
    refuses_schedule(
        "",
        "stores = [\"finanec\"]",
        "there is no `[stores.finanec]` at pressrun.toml:18:11",
        "did you mean `finance`?",
    );
    refuses_schedule(
        "",
        "stores = [\"finance\", \"finance\"]",
        "store `finance` stands twice at pressrun.toml:18:22",
        "take one out",
    );
    refuses_schedule(
        "role = \"report-viewer\"",
        "stores = [\"finance\"]\nroles = [\"executive-report-viewer\"]",
        "store `finance` is for the role `report-viewer`, and the schedule is not at pressrun.toml:18:11",
        "add `report-viewer` to the schedule's `roles`, or take the store out",
    );
    refuses_schedule(
        "formats = [\"xlsx\"]",
        "stores = [\"finance\"]\nformats = [\"pdf\"]",
        "store `finance` wants none of the files that the schedule makes at pressrun.toml:18:11",
        "add one of them to the store's `formats`, or to the schedule's",
    );
}

#[test]
fn what_a_store_leaves_out_has_its_default() {
    let retries = "[mail.retries]\nattempts_max = 7\n";
    let store = format!("{retries}[stores.lake]\n{}\n", s3("bucket = \"abc\", region = \"eu\""));
    let config = Folder::with(&[("pressrun.toml", &smallest_and(&store))]).load().unwrap();
    let [lake] = config.stores.as_slice() else { panic!("{:?}", config.stores) };
    assert_eq!((lake.name.as_str(), lake.path.written(), lake.timeout_secs), ("lake", PathTemplate::DEFAULT, 60));
    assert_eq!((&lake.role, &lake.formats, lake.retries.attempts_max), (&None, &None, 7));
    let StoreAt::S3 { access_key, endpoint, .. } = &lake.place else { panic!("{:?}", lake.place) };
    assert_eq!((&access_key.from, endpoint), (&SecretFrom::Env("A".to_owned()), &None));
    let secret = "s3 = { bucket = \"abc\", region = \"eu\", access_key = \"geheim\", secret_key = { env = \"S\" } }";
    let errors = Folder::with(&[("pressrun.toml", &smallest_and(&format!("[stores.lake]\n{secret}\n")))]).errors();
    assert!(errors.len() == 1 && errors[0].0.starts_with("a secret must not stand"), "{errors:?}");
    assert!(!format!("{errors:?}").contains("geheim"));
}
