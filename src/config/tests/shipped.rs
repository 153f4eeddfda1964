//! The shipped files: example, reference, schema and templates.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::super::{
    Config, ConfigErrors, FactsFrom, FilePath, LoginBy, MailThrough, Partners, SecretFrom, Source, Tls, json_schema,
    keys, load, raw::RawConfig, schema, shipped_files,
};
use super::{FACTS, Folder, MAIL, STORES, root, smallest_and};
use crate::audience::{Scope, Withheld};
use crate::deliver::Mailbox;
use crate::render::Format;
use crate::report::SectionKind;
use crate::schedule::{Every, ON_DEFAULT, PeriodRule, Times};

fn reference() -> String {
    std::fs::read_to_string(root().join("config/reference.toml")).unwrap()
}

/// The reference with its alternatives switched on.
fn reference_with_everything() -> String {
    let switched = |line: &str| match line.strip_prefix('#') {
        Some(rest) if rest.starts_with(|first: char| first.is_ascii_lowercase() || first == '[') => rest.to_owned(),
        _ => line.to_owned(),
    };
    // A key stands once in a table: the first `password` is the second's example.
    let text = reference().replace("\npassword = { env", "\n# password = { env");
    text.lines().map(switched).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_reference_and_the_example_are_good_configurations() {
    for name in ["config/reference.toml", "config/example.toml"] {
        let config = load(&root().join(name)).unwrap_or_else(|errors| panic!("{}", errors.render(false)));
        let Times::Rule(rule) = &config.schedules[0].timing.cadence.times else { panic!("{:?}", config.schedules[0]) };
        assert_eq!((rule.every, &rule.on), (Every::Month, &ON_DEFAULT), "{name}");
    }
}

#[test]
fn the_reference_is_read_into_checked_settings() {
    let config = load(&root().join("config/reference.toml")).unwrap();
    assert_eq!(config.facts.from, FactsFrom::Tables(FilePath::new(&root().join("config"), "data/facts.db")));
    assert_eq!(config.ledger.as_ref(), root().join("config/data/ledger.db"));
    assert_eq!(config.mail.from, Mailbox { name: "Reports".to_owned(), address: "reports@example.com".to_owned() });
    let MailThrough::Relay(relay) = &config.mail.through else { panic!("{:?}", config.mail.through) };
    assert_eq!((relay.host.as_str(), relay.port, relay.tls), ("smtp.example.com", 587, Tls::Starttls));
    let login = relay.login.as_ref().unwrap();
    let LoginBy::Password(password) = &login.by else { panic!("{login:?}") };
    assert_eq!((login.user.as_str(), &password.from), ("reports", &SecretFrom::Env("SMTP_PASSWORD".to_owned())));
    assert!(password.place.to_string().contains("reference.toml:"));
    let [recipient] = config.recipients.listed.as_slice() else { panic!("{:?}", config.recipients) };
    assert_eq!((recipient.partner_id.as_str(), recipient.grant.role.as_str()), ("1234566", "report-viewer"));
    assert_eq!(recipient.grant.scope, Scope::Locations(["6104425".to_owned(), "6105399".to_owned()].into()));
    let [monthly] = config.schedules.as_slice() else { panic!("{:?}", config.schedules) };
    assert_eq!((monthly.name.as_str(), monthly.timing.cadence.zone), ("monthly", chrono_tz::Europe::Berlin));
    assert_eq!(
        (monthly.timing.period, monthly.range_months, &monthly.partners),
        (PeriodRule::default(), 12, &Partners::All)
    );
    assert_eq!(monthly.formats, [Format::Pdf, Format::Xlsx]);
}

#[test]
fn a_relation_and_a_view_of_ones_own_are_taken() {
    let facts = "[facts]\nview = { database = \"w.db\", name = \"dw.license_facts\" }\n";
    let text = format!("{facts}{STORES}{MAIL}[recipients]\nrelation = \"people\"\n");
    let config = Folder::with(&[("pressrun.toml", &text)]).load().unwrap();
    assert_eq!(config.recipients.relation.as_deref(), Some("people"));
    let FactsFrom::View { name, .. } = config.facts.from else { panic!("{:?}", config.facts) };
    assert_eq!(name, "dw.license_facts");
}

#[test]
fn the_reference_shows_the_defaults() {
    // These have no default: they are shown by an example.
    let reference = load(&root().join("config/reference.toml")).unwrap();
    let relay = MAIL.replace("outbox = \"outbox\"", "[mail.relay]\nhost = \"h\"");
    let bare = "[schedules.monthly]\nzone = \"Europe/Berlin\"\n";
    let bare = Folder::with(&[("pressrun.toml", &format!("{FACTS}{STORES}{relay}\n{bare}"))]).load().unwrap();
    let value = |config: &Config| serde_json::to_value(config).unwrap();
    let (reference, bare) = (value(&reference), value(&bare));
    for path in [
        "/facts/partner_from",
        "/facts/closing_day",
        "/mail/message_id_domain",
        "/mail/through/relay/port",
        "/mail/through/relay/tls",
        "/mail/through/relay/timeout_secs",
        "/mail/through/relay/attachment_bytes_max",
        "/mail/through/relay/connections_max",
        "/mail/retries",
        "/daemon/drain_secs",
        "/themes",
        "/schedules/0/report",
        "/schedules/0/timing/period",
        "/schedules/0/range_months",
        "/schedules/0/formats",
        "/schedules/0/partners",
        "/schedules/0/catch_up",
        "/schedules/0/catch_up_max",
        "/schedules/0/overlap",
        "/schedules/0/jitter_secs_max",
        "/schedules/0/not_full",
        "/schedules/0/on_empty",
        "/schedules/0/uncertain",
        "/schedules/0/deadline_hours",
    ] {
        assert!(reference.pointer(path).is_some(), "{path}");
        assert_eq!(reference.pointer(path), bare.pointer(path), "{path}");
    }
}

#[test]
fn the_alternatives_of_the_reference_are_keys_that_are_known() {
    let text = reference_with_everything();
    let mut errors = ConfigErrors::default();
    let source: Arc<Source> = Source::new("reference.toml", &text);
    assert!(keys::read::<RawConfig>(&text, &source, &schema::CONFIG, &mut errors).is_some());
    assert!(errors.is_empty(), "{errors}");
}

#[test]
fn every_key_that_the_schema_knows_is_in_the_reference() {
    // `env` and `file` exclude each other in one table: the one that is switched off is looked for as text.
    let text = reference_with_everything();
    let table = DeTable::parse(&text).unwrap();
    let mut shown = BTreeSet::new();
    collect_shown(table.get_ref(), "", &mut shown);
    assert!(reference().contains("\npassword = { env = "));
    shown.extend(["mail.relay.password.env", "mail.relay.oauth.client_secret.env"].map(str::to_owned));
    for other in ["stores.azure.key.env", "stores.s3.access_key.file"] {
        shown.insert(other.to_owned());
    }
    shown.insert("stores.s3.secret_key.file".to_owned());
    let mut known = BTreeSet::new();
    collect_known(&schema::CONFIG, &schema::CONFIG, "", &mut known);
    let missing: Vec<_> = known.difference(&shown).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(known.contains("mail.relay.password.file") && known.contains("schedules.cron"));
}

/// Keys by their paths; lists and the names of schedules stand for what is in them.
fn collect_shown(table: &DeTable<'_>, path: &str, shown: &mut BTreeSet<String>) {
    for (key, value) in table.iter() {
        let path = format!("{path}{}", key.get_ref());
        let inside = format!("{path}.");
        if ["calendars", "schedules", "stores", "theme.partners"].contains(&path.as_str()) {
            let named = value.get_ref().as_table().into_iter().flat_map(|named| named.values());
            named.filter_map(|of| of.get_ref().as_table()).for_each(|of| collect_shown(of, &inside, shown));
        }
        shown.insert(path);
        match value.get_ref() {
            DeValue::Table(table) => collect_shown(table, &inside, shown),
            DeValue::Array(items) => {
                for table in items.iter().filter_map(|item| item.get_ref().as_table()) {
                    collect_shown(table, &inside, shown);
                }
            }
            _ => {}
        }
    }
}

fn collect_known(root: &Value, schema: &Value, path: &str, known: &mut BTreeSet<String>) {
    let name = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/$defs/"));
    let schema = name.map_or(schema, |name| &root["$defs"][name]);
    for (key, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        known.insert(format!("{path}{key}"));
        collect_known(root, schema, &format!("{path}{key}."), known);
    }
    for inside in ["items", "additionalProperties"] {
        if let Some(schema) = schema.get(inside) {
            collect_known(root, schema, path, known);
        }
    }
}

#[test]
fn the_schema_file_is_current() {
    let path = root().join("config/pressrun.schema.json");
    if std::env::var_os("PRESSRUN_UPDATE").is_some_and(|value| value == "1") {
        std::fs::write(&path, json_schema()).unwrap();
    }
    let file = std::fs::read_to_string(path).unwrap();
    assert!(file == json_schema(), "run this test with PRESSRUN_UPDATE=1");
    assert!(!file.contains("\"null\""), "TOML has no null");
}

#[test]
fn what_init_writes_is_a_good_configuration_with_its_own_templates() {
    let folder = Folder::with(&shipped_files());
    let config = folder.load().unwrap_or_else(|errors| panic!("{}", errors.render(false)));
    std::fs::remove_dir_all(folder.path("report_templates/product-licenses/email")).ok();
    std::fs::remove_file(folder.path("report_templates/product-licenses/report.toml")).unwrap();
    assert_eq!(folder.load().unwrap().digest, config.digest, "a file that is taken out is the shipped one");
}

#[test]
fn the_shipped_roles_are_those_of_partner_center() {
    let config = Folder::with(&[("pressrun.toml", &smallest_and(""))]).load().unwrap();
    assert_eq!(config.template.sections, SectionKind::ALL);
    let names_and_revenue = vec![Withheld::Revenue, Withheld::CustomerNames];
    let everything = Withheld::ALL.to_vec();
    let expected = [
        ("account-admin", names_and_revenue.clone(), true),
        ("admin-agent", everything, false),
        ("executive-report-viewer", vec![], false),
        ("global-admin", names_and_revenue.clone(), true),
        ("report-viewer", names_and_revenue, false),
    ];
    let found: Vec<_> =
        config.roles.iter().map(|role| (role.key.as_str(), role.withhold.clone(), role.organization_only)).collect();
    assert_eq!(found, expected);
    let mut by_rank: Vec<_> = config.roles.iter().map(|role| (role.rank, role.withhold.len())).collect();
    by_rank.sort_unstable();
    assert!(by_rank.windows(2).all(|pair| pair[0].1 >= pair[1].1), "who ranks higher sees no less");
}

#[test]
fn the_digest_is_that_of_what_is_configured_wherever_it_lies() {
    let digest = |text: &str, roles: Option<&str>| {
        let mut files = vec![("pressrun.toml", text)];
        files.extend(roles.map(|roles| ("own/product-licenses/roles.toml", roles)));
        Folder::with(&files).load().unwrap().digest
    };
    let smallest = smallest_and("");
    assert_eq!(digest(&smallest, None), digest(&smallest_and("# a comment\n"), None));
    assert_eq!(digest(&smallest, None), digest(&smallest_and("[theme]\npaper = \"a4\"\n"), None));
    assert_ne!(digest(&smallest, None), digest(&smallest_and("[theme]\npaper = \"letter\"\n"), None));
    let own = smallest_and("[templates]\nfolder = \"own\"\n");
    let role = |rank: u32| format!("[roles.a]\nlabel = \"A\"\nwithhold = []\nrank = {rank}\n");
    assert_ne!(digest(&own, Some(&role(1))), digest(&own, Some(&role(2))));
}
