//! Brakes and digests: defaults, how they are switched off, what is refused.

use super::{Folder, check, smallest_and};
use crate::deliver::{Brakes, NewDomain};
use crate::ledger::DigestWhen;

/// The smallest configuration and this end in these errors.
fn refuses(added: &str, expected: &[(&str, &str)]) {
    check(&[("pressrun.toml", &smallest_and(added))], expected);
}

#[test]
fn brakes_have_defaults_that_zero_switches_off_and_a_schedule_may_have_its_own() {
    let load = |added: &str| Folder::with(&[("pressrun.toml", &smallest_and(added))]).load().unwrap();
    let plain = load("[schedules.plain]\nzone = \"UTC\"\n");
    assert_eq!((&plain.schedules[0].brakes, &plain.digests), (&Brakes::default(), &None));
    let added = "[brakes]\nrecipients_max = 0\ntotals_change_percent_max = 0\nfiles_change_percent_max = 10\n\
                 recipients_change_percent_max = 0\nnew_domain = \"allow\"\n\
                 [schedules.plain]\nzone = \"UTC\"\n[schedules.other]\nzone = \"UTC\"\n[schedules.other.brakes]\nrecipients_max = 7\n\
                 allowed_domains = [\"Example.COM\"]\n";
    let config = load(added);
    let brakes = |name: &str| config.schedules.iter().find(|settings| settings.name == name).unwrap().brakes.clone();
    let expected = Brakes {
        allowed_domains: None,
        recipients_max: None,
        recipients_change_percent_max: None,
        new_domain: NewDomain::Allow,
        totals_change_percent_max: None,
        files_change_percent_max: Some(10),
    };
    assert_eq!(brakes("plain"), expected);
    let allowed_domains = Some(["example.com".to_owned()].into());
    assert_eq!(brakes("other"), Brakes { recipients_max: Some(7), allowed_domains, ..expected });
}

#[test]
fn a_recipient_whose_domain_is_not_allowed_is_refused_where_it_stands() {
    let toml = smallest_and(
        "[brakes]\nallowed_domains = [\"allowed.example\"]\n[recipients]\ncsv = \"people.csv\"\n\
         [[recipient]]\naddress = \"a@allowed.example\"\npartner = \"1\"\nrole = \"report-viewer\"\n\
         [[recipient]]\naddress = \"b@Else.example\"\npartner = \"1\"\nrole = \"report-viewer\"\n",
    );
    let line = 1 + toml.lines().position(|line| line.contains("Else.example")).unwrap();
    let csv = "address,partner_id,role\nc@ALLOWED.example,1,report-viewer\nd@other.example,1,report-viewer\n";
    let of = |domain: &str| format!("the domain `{domain}` is not among `brakes.allowed_domains`");
    let first = format!("`b@Else.example` gets no mail: {} at pressrun.toml:{line}:11", of("else.example"));
    let second = format!("`d@other.example` gets no mail: {} at people.csv:3:1", of("other.example"));
    let hint = "correct the address, or add its domain there";
    check(&[("pressrun.toml", &toml), ("people.csv", csv)], &[(&first, hint), (&second, hint)]);
}

#[test]
fn what_is_no_domain_and_no_address_is_refused() {
    let toml = smallest_and("[brakes]\nallowed_domains = [\"a@b.example\", \"*\", \"c.example\", \"C.example\"]\n");
    let line = 1 + toml.lines().position(|line| line.contains("allowed_domains")).unwrap();
    let domain = "a domain as in `example.com`, or `*.example.com` for those below it";
    check(
        &[("pressrun.toml", &toml)],
        &[
            (&format!("`a@b.example` is not a domain at pressrun.toml:{line}:20"), domain),
            (&format!("`*` is not a domain at pressrun.toml:{line}:35"), domain),
            (&format!("the domain `C.example` stands twice at pressrun.toml:{line}:53"), "take one out"),
        ],
    );
    let toml = smallest_and("[digest]\nto = [\"a@b.example\", \"nobody\", \"A@b.example\"]\n");
    let line = 1 + toml.lines().position(|line| line.starts_with("to = ")).unwrap();
    check(
        &[("pressrun.toml", &toml)],
        &[
            (&format!("`nobody` is not a mail address at pressrun.toml:{line}:22"), "as in `admin@example.com`"),
            (&format!("the address `A@b.example` stands twice at pressrun.toml:{line}:32"), "take one out"),
        ],
    );
}

#[test]
fn a_digest_goes_to_its_addresses_after_each_run_unless_only_problems_are_wanted() {
    let load = |added: &str| Folder::with(&[("pressrun.toml", &smallest_and(added))]).load().unwrap().digests.unwrap();
    let always = load("[digest]\nto = [\"a@b.example\"]\n");
    assert_eq!((always.to, always.when), (vec!["a@b.example".to_owned()], DigestWhen::Always));
    assert_eq!(load("[digest]\nto = [\"a@b.example\"]\nwhen = \"problems\"\n").when, DigestWhen::Problems);
    let line = 1 + smallest_and("").lines().count();
    refuses(
        "[digest]\nwhen = \"always\"\n",
        &[(&format!("missing key `to` in `[digest]` at pressrun.toml:{line}:1"), "add `to = …`: the addresses")],
    );
}
