//! Wrong recipients, in TOML and in CSV.

use super::super::recipients::csv_recipients;
use super::super::{ConfigErrors, RECIPIENTS_MAX, Source};
use super::{Folder, check, smallest_and};
use crate::audience::{Grant, Recipient, Scope};
use crate::deliver::Brakes;

const HEADER: &str = "address,name,partner_id,role,locations,language\n";

/// A CSV file ends in these errors.
fn refuses(csv: &str, expected: &[(&str, &str)]) {
    let toml = smallest_and("[recipients]\ncsv = \"people.csv\"\n");
    check(&[("pressrun.toml", &toml), ("people.csv", csv)], expected);
}

#[test]
fn recipients_of_a_csv_file_are_read_in_any_column_order() {
    let toml = smallest_and("[recipients]\ncsv = \"people.csv\"\n");
    let csv = "\u{feff}Role, partner_id ,address,locations,name\r\n\
               report-viewer,17,a@example.com,6104425; 6105399,\"Doe, \"\"Jane\"\"\"\r\n\
               \r\n\
               global-admin,18,b@example.com,,\n";
    let config = Folder::with(&[("pressrun.toml", &toml), ("people.csv", csv)]).load().unwrap();
    let [jane, admin] = config.recipients.listed.as_slice() else { panic!("{:?}", config.recipients) };
    assert_eq!((jane.address.as_str(), jane.name.as_str()), ("a@example.com", "Doe, \"Jane\""));
    assert_eq!((jane.partner_id.as_str(), jane.grant.role.as_str()), ("17", "report-viewer"));
    assert_eq!(jane.grant.scope, Scope::Locations(["6104425".to_owned(), "6105399".to_owned()].into()));
    assert_eq!((admin.grant.scope.clone(), admin.language.as_str()), (Scope::Organization, "en"));
}

#[test]
fn a_wrong_header_is_refused_before_any_row() {
    for (csv, first_line, hint) in [
        (
            "",
            "the file is empty at people.csv:1:1",
            "the first line names the columns: `address`, `partner_id`, `role` and, if wanted, `name`, `locations`, \
             `language`",
        ),
        (
            "address,partner_id\nx\n",
            "missing column `role` at people.csv:1:1",
            "the first line names the columns: `address`, `partner_id`, `role` and, if wanted, `name`, `locations`, \
             `language`",
        ),
        (
            "address,partner_id,role,location\nx\n",
            "unknown column `location` at people.csv:1:25",
            "did you mean `locations`?",
        ),
        ("address,partner_id,role,role\nx\n", "column `role` stands twice at people.csv:1:25", "take one out"),
        (
            "address;partner_id;role\nx\n",
            "unknown column `address;partner_id;role` at people.csv:1:1",
            "separate the columns by commas",
        ),
    ] {
        refuses(csv, &[(first_line, hint)]);
    }
}

#[test]
fn wrong_rows_are_named_by_line_and_column() {
    let csv = format!(
        "{HEADER}a@example.com,\"Ann\nBee\",17,report-viewer,,\n\
         no address,Ann,17,report-veiwer,,\n\
         b@example.com,Ann,,report-viewer,;,de\n\
         c@example.com,Doe, Jane,17,report-viewer,,\n\
         d@example.com,Dé,17,global-admin,6104425,\n"
    );
    let partner = "a recipient is named once for each partner, by the partner's id";
    refuses(
        &csv,
        &[
            ("the name has a control character in it at people.csv:2:15", "write it on one line"),
            ("`no address` is not a mail address at people.csv:4:1", "as in `a@example.com`"),
            ("unknown role `report-veiwer` at people.csv:4:19", "did you mean `report-viewer`?"),
            ("the partner's id is missing at people.csv:5:19", partner),
            ("a location without an id at people.csv:5:34", "leave it out, or blank, for the whole partner"),
            ("unknown language `de` at people.csv:5:36", "known languages: `en`"),
            (
                "the row has 7 fields, the header 6 at people.csv:6:1",
                "quote a field that has a comma in it: `\"Doe, Jane\"`",
            ),
            (
                "role `global-admin` is given for the entire organization only, not for locations at people.csv:7:34",
                "leave the locations out, or give another role",
            ),
        ],
    );
}

#[test]
fn rows_after_blank_lines_and_carriage_returns_are_still_found() {
    let csv = "address,partner_id,role\r\na@example.com,17,report-viewer\r\n\r\n\r\nb@example.com,17,boss\r\n";
    let roles =
        "known roles: `account-admin`, `admin-agent`, `executive-report-viewer`, `global-admin`, `report-viewer`";
    refuses(csv, &[("unknown role `boss` at people.csv:5:18", roles)]);
}

#[test]
fn recipients_in_toml_are_checked_by_the_same_rules() {
    let toml = smallest_and(
        "[[recipient]]\naddress = \"x\"\npartner = \"*\"\nrole = \"global-admin\"\nlocations = [\"7\"]\n\
         [[recipient]]\naddress = \"a@example.com\"\npartner = \"1\"\nrole = \"report-viewer\"\nlocations = []\n",
    );
    check(
        &[("pressrun.toml", &toml)],
        &[
            ("`x` is not a mail address at pressrun.toml:12:11", "as in `a@example.com`"),
            (
                "`*` is not a partner's id at pressrun.toml:13:11",
                "a recipient is named once for each partner, by the partner's id",
            ),
            (
                "role `global-admin` is given for the entire organization only, not for locations at pressrun.toml:15:14",
                "leave the locations out, or give another role",
            ),
            ("`locations` must not be empty at pressrun.toml:20:13", "leave it out for what is usual"),
        ],
    );
}

#[test]
fn recipients_come_from_one_place_besides_the_listed() {
    check(
        &[("pressrun.toml", &smallest_and("[recipients]\n"))],
        &[(
            "`[recipients]` names neither a `csv` file nor a `relation` at pressrun.toml:11:1",
            "name one, or take it out",
        )],
    );
    check(
        &[
            ("people.csv", "address,partner_id,role\n"),
            ("pressrun.toml", &smallest_and("[recipients]\nrelation = \"people\"\ncsv = \"people.csv\"\n")),
        ],
        &[("`csv` and `relation` exclude each other at pressrun.toml:13:7", "keep one of the two")],
    );
    check(
        &[("pressrun.toml", &smallest_and("[recipients]\ncsv = \"people.csv\"\n"))],
        &[(
            "cannot read `people.csv`: there is no such file at pressrun.toml:12:7",
            "paths in the configuration count from its own folder",
        )],
    );
}

#[test]
fn the_bound_on_recipients_is_said_when_it_is_reached() {
    let config = Folder::with(&[("pressrun.toml", &smallest_and(""))]).load().unwrap();
    let csv = "address,partner_id,role\na@example.com,1,report-viewer\nb@example.com,1,report-viewer\n";
    let (source, mut errors) = (Source::new("people.csv", csv), ConfigErrors::default());
    let one = Recipient {
        address: "c@example.com".to_owned(),
        name: String::new(),
        partner_id: "1".to_owned(),
        grant: Grant { role: "report-viewer".to_owned(), scope: Scope::Organization },
        language: "en".to_owned(),
    };
    let mut found = vec![one; RECIPIENTS_MAX - 1];
    csv_recipients(csv, &source, (&config.roles, &Brakes::default()), &mut found, &mut errors);
    assert_eq!(found.len(), RECIPIENTS_MAX);
    let lines: Vec<String> = errors.iter().map(|error| error.first_line()).collect();
    assert_eq!(lines, ["more than 100000 recipients at people.csv:3:1"]);
}

#[test]
fn more_errors_than_are_kept_are_counted() {
    let toml = smallest_and("[recipients]\ncsv = \"people.csv\"\n");
    let csv = HEADER.to_owned() + &"x,,17,report-viewer,,\n".repeat(60);
    let errors = Folder::with(&[("pressrun.toml", &toml), ("people.csv", &csv)]).load().unwrap_err();
    assert_eq!((errors.n(), errors.iter().count()), (60, 50));
    assert!(errors.render(false).ends_with("60 errors, 10 of them not shown\n"));
}
