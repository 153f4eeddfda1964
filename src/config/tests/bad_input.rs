//! Wrong configurations, each with the message that it gets.

use crate::render::Format;

use super::{FACTS, Folder, MAIL, STORES, check, smallest_and};

/// The smallest configuration and `more`, from its line 11 on, ends in one error.
fn refuses(more: &str, first_line: &str, hint: &str) {
    check(&[("pressrun.toml", &smallest_and(more))], &[(first_line, hint)]);
}

const SCHEDULE: &str = "[schedules.monthly]\ncron = \"0 6 22W * *\"\nzone = \"Europe/Berlin\"\n";

/// A schedule with `more`, from line 14 on, ends in one error.
fn refuses_schedule(more: &str, first_line: &str, hint: &str) {
    refuses(&format!("{SCHEDULE}{more}"), first_line, hint);
}

/// `[mail]` with a relay, whose keys stand from line 11 on, ends in one error.
fn refuses_relay(keys: &str, first_line: &str, hint: &str) {
    let mail = MAIL.replace("outbox = \"outbox\"", "[mail.relay]");
    check(&[("pressrun.toml", &format!("{FACTS}{STORES}{mail}{keys}"))], &[(first_line, hint)]);
}

/// A configuration whose `[facts]` has these keys from line 2 on ends in one error.
fn refuses_facts(keys: &str, first_line: &str, hint: &str) {
    check(&[("pressrun.toml", &format!("[facts]\n{keys}\n{STORES}{MAIL}"))], &[(first_line, hint)]);
}

#[test]
fn the_smallest_configuration_is_taken() {
    assert_eq!(Folder::with(&[("pressrun.toml", &smallest_and(""))]).errors(), []);
    assert_eq!(Folder::with(&[("pressrun.toml", &format!("\u{feff}{}", smallest_and(SCHEDULE)))]).errors(), []);
    assert_eq!(Folder::with(&[("pressrun.toml", &smallest_and(SCHEDULE).replace('\n', "\r\n"))]).errors(), []);
}

#[test]
fn formats_stand_in_the_order_in_which_they_are_attached() {
    let text = smallest_and(&format!("{SCHEDULE}formats = [\"xlsx\", \"pdf\"]\n"));
    let config = Folder::with(&[("pressrun.toml", &text)]).load().unwrap();
    assert_eq!(config.schedules[0].formats, [Format::Pdf, Format::Xlsx]);
}

#[test]
fn what_is_no_toml_is_refused() {
    refuses("x = \n", "string values must be quoted at pressrun.toml:11:5", "expected literal string");
    refuses("[theme\n", "unclosed table at pressrun.toml:11:7", "expected `]`");
    refuses(
        "[facts]\n",
        "duplicate key at pressrun.toml:11:2",
        "a key or table stands once; a list of tables is `[[recipient]]`",
    );
}

#[test]
fn unknown_keys_are_refused_with_what_was_meant() {
    refuses_schedule(
        "rnage_months = 3\n",
        "unknown key `rnage_months` in `[schedules.monthly]` at pressrun.toml:14:1",
        "did you mean `range_months`?",
    );
    refuses(
        "[colours]\nink = 1\n",
        "unknown key `colours` at pressrun.toml:11:2",
        "known keys: `archive`, `brakes`, `calendars`, `daemon`, `digest`, `facts`, `ledger`, `mail`, `recipient`, `recipients`, `schedules`, `stores`, `templates`, `theme`",
    );
    refuses(
        "[theme]\ncolour = \"red\"\n",
        "unknown key `colour` in `[theme]` at pressrun.toml:12:1",
        "known keys in `[theme]`: `accent`, `font`, `fonts`, `grey`, `ink`, `logo`, `paper`, `partners`, `products`",
    );
}

#[test]
fn values_of_another_kind_and_out_of_bounds_are_refused() {
    const RANGE: &str = "how many months an edition shows, ending with its period";
    for (line, first_line, hint) in [
        (
            "range_months = \"12\"",
            "`range_months` must be a whole number, not a text in quotes at pressrun.toml:14:16",
            RANGE,
        ),
        ("range_months = 0", "`range_months` must be from 1 to 60, not `0` at pressrun.toml:14:16", RANGE),
        ("range_months = 61", "`range_months` must be from 1 to 60, not `61` at pressrun.toml:14:16", RANGE),
        ("range_months = 0x3d", "`range_months` must be from 1 to 60, not `61` at pressrun.toml:14:16", RANGE),
        (
            "deadline_hours = 99999999999999999999999999999999999999999999",
            "`deadline_hours` must be from 1 to 2160 at pressrun.toml:14:18",
            "how long after its instant an occurrence may still run, in hours; then it is missed",
        ),
        ("on_empty = \"sned\"", "unknown value `sned` for `on_empty` at pressrun.toml:14:12", "did you mean `send`?"),
        (
            "period = \"week\"",
            "unknown value `week` for `period` at pressrun.toml:14:10",
            "known values: `month`, `quarter`, `year`",
        ),
        ("formats = [\"pfd\"]", "unknown value `pfd` for `formats` at pressrun.toml:14:12", "did you mean `pdf`?"),
        ("formats = []", "`formats` must not be empty at pressrun.toml:14:11", "leave it out for what is usual"),
        (
            "formats = \"pdf\"",
            "`formats` must be a list, not a text in quotes at pressrun.toml:14:11",
            "which files are made",
        ),
        ("formats = [\"pdf\", \"pdf\"]", "format `pdf` stands twice at pressrun.toml:14:19", "take one out"),
        ("partners = [\"*\", \"1\"]", "`*` already means every partner at pressrun.toml:14:13", "keep `*` or the ids"),
        ("partners = [\"1\", \"1\"]", "partner `1` stands twice at pressrun.toml:14:18", "take one out"),
        (
            "report = \"product-licences\"",
            "unknown report `product-licences` at pressrun.toml:14:10",
            "did you mean `product-licenses`?",
        ),
        (
            "roles = [\"report-veiwer\"]",
            "unknown role `report-veiwer` at pressrun.toml:14:10",
            "did you mean `report-viewer`?",
        ),
    ] {
        refuses_schedule(&format!("{line}\n"), first_line, hint);
    }
}

#[test]
fn schedules_have_a_name_and_a_zone() {
    refuses(
        "[schedules.monthly]\ncron = \"0 6 1 * *\"\n",
        "missing key `zone` in `[schedules.monthly]` at pressrun.toml:11:1",
        "add `zone = …`: the IANA time zone that its times are of",
    );
    for (zone, hint) in [
        ("Europe/Berlni", "did you mean `Europe/Berlin`?"),
        ("berlin", "did you mean `Europe/Berlin`?"),
        ("Mars", "an IANA zone, as in `Europe/Berlin` or `UTC`"),
    ] {
        let first_line = format!("unknown time zone `{zone}` at pressrun.toml:13:8");
        refuses(&SCHEDULE.replace("Europe/Berlin", zone), &first_line, hint);
    }
    refuses(
        &SCHEDULE.replace("monthly", "\"Month end/1\""),
        "`Month end/1` is not the name of a schedule at pressrun.toml:11:12",
        "at most 60 lower-case letters, digits, `-` and `_`, as in `monthly`",
    );
}

#[test]
fn a_cadence_that_cannot_be_is_refused_with_its_place() {
    refuses_times(&[
        (
            "cron = \"0 6 30 2 *\"",
            "cron expression `0 6 30 2 *` never comes due at pressrun.toml:13:8",
            "no month it names has such a day",
        ),
        (
            "cron = \"0 6 1 * *\"\non = \"last day\"",
            "`cron` and `on` exclude each other at pressrun.toml:13:8",
            "keep one of the two",
        ),
        (
            "on = \"the 32nd\"",
            "`the 32nd` is no day of a month at pressrun.toml:13:6",
            "as in `first business day on or after the 21st`",
        ),
        (
            "every = \"week\"",
            "a week has no day that stands for none at pressrun.toml:13:9",
            "add `on`, as in `on = \"Monday\"`",
        ),
        (
            "every = \"week\"\non = \"the 21st\"",
            "`the 21st` is no day of a week at pressrun.toml:14:6",
            "weekdays, as in `Monday`",
        ),
        (
            "every = \"year\"\nin_month = 2\non = \"the 30th\"",
            "`the 30th of February each year at 06:00` never comes due at pressrun.toml:15:6",
            "no month it speaks of has such a day",
        ),
        ("in_month = 2", "`in_month` needs `every = \"quarter\"` or `\"year\"` at pressrun.toml:13:12", "leave it out"),
        ("every = \"quarter\"\nin_month = 4", "a quarter has no month 4 at pressrun.toml:14:12", "leave it out"),
        ("at = [\"6:00\"]", "`6:00` is no time of day at pressrun.toml:13:7", "hours and minutes, as in `06:00`"),
        ("at = [\"06:00\", \"06:00\"]", "the time `06:00` stands twice at pressrun.toml:13:16", "take one out"),
    ]);
}

#[test]
fn bounds_and_calendars_that_cannot_be_are_refused_with_their_place() {
    refuses_times(&[
        ("calendar = \"germnay\"", "unknown calendar `germnay` at pressrun.toml:13:12", "did you mean `germany`?"),
        (
            "not_before = \"2026-02-30\"",
            "`2026-02-30` is no date at pressrun.toml:13:14",
            "year, month and day, as in `2026-01-31`",
        ),
        (
            "not_before = \"2026-02-01\"\nuntil = \"2026-01-31\"",
            "`until` 2026-01-31 is before `not_before` 2026-02-01 at pressrun.toml:14:9",
            "let it end after it begins",
        ),
        (
            "pause = [{ from = \"2026-02-01\", to = \"2026-01-01\" }]",
            "the pause ends on 2026-01-01, before it begins at pressrun.toml:13:38",
            "put the earlier day into `from`",
        ),
        (
            "[calendars.o]\nweekend = [\"caturday\"]",
            "`caturday` is no day of the week at pressrun.toml:14:12",
            "as in `[\"sat\", \"sun\"]`",
        ),
        (
            "[calendars.o]\ndays_off = [\"5th of May\"]",
            "`5th of May` is no day off at pressrun.toml:14:13",
            "a date as `2026-12-24`",
        ),
        (
            "[calendars.o]\ninclude = [\"o\"]",
            "calendar `o` includes itself at pressrun.toml:14:12",
            "take one `include` out",
        ),
        (
            "every = \"day\"\non = \"Monday\"",
            "`Monday` is neither every day nor every business day at pressrun.toml:14:6",
            "certain weekdays go by `every = \"week\"`",
        ),
        (
            "catch_up_max = 3",
            "`catch_up_max` needs `catch_up = \"all\"` at pressrun.toml:13:16",
            "leave one of the two out",
        ),
        ("[calendars.us]", "`us` is a ready-made calendar at pressrun.toml:13:12", "give yours another name"),
        (
            "[calendars.o]\nweekend = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]",
            "calendar `o` has no business day at pressrun.toml:13:12",
            "leave a weekday out of `weekend`",
        ),
    ]);
}

/// Refuses a schedule for what stands at its lines: each with a first line and the beginning of a hint.
fn refuses_times(cases: &[(&str, &str, &str)]) {
    for (lines, first_line, hint) in cases {
        let text = smallest_and(&format!("[schedules.monthly]\nzone = \"Europe/Berlin\"\n{lines}\n"));
        let found = Folder::with(&[("pressrun.toml", &text)]).errors();
        let [(line, said)] = &found[..] else { panic!("{lines}: {found:?}") };
        assert_eq!(line, *first_line);
        assert!(said.starts_with(hint), "{lines}: {said}");
    }
}

#[test]
fn calendars_that_include_one_another_in_a_circle_are_refused() {
    let text = smallest_and("[calendars.a]\ninclude = [\"b\", \"us\"]\n[calendars.b]\ninclude = [\"a\"]\n");
    let found = Folder::with(&[("pressrun.toml", &text)]).errors();
    let lines: Vec<&str> = found.iter().map(|(line, _)| line.as_str()).collect();
    assert_eq!(
        lines,
        ["calendar `b` includes itself at pressrun.toml:12:12", "calendar `a` includes itself at pressrun.toml:14:12",]
    );
}

#[test]
fn the_bound_on_schedules_is_said_when_it_is_reached() {
    let more: String =
        (0..=10_000).map(|n| format!("[schedules.s{n:05}]\ncron = \"0 6 1 * *\"\nzone = \"UTC\"\n")).collect();
    refuses(
        &more,
        "10001 schedules, at most 10000 may be at pressrun.toml:30011:12",
        "let one schedule serve several partners and roles",
    );
}

#[test]
fn facts_come_from_one_place() {
    refuses_facts(
        "",
        "`[facts]` names neither a `database` nor a `view` at pressrun.toml:1:1",
        "add `database = \"data/facts.db\"`, or `view` for a warehouse of your own",
    );
    refuses_facts(
        "database = \"a\"\nview = { database = \"b\", name = \"c\" }",
        "`database` and `view` exclude each other at pressrun.toml:3:8",
        "keep one of the two",
    );
    refuses_facts(
        "view = { database = \"b\", name = \"c; drop\" }",
        "`c; drop` is not the name of a view or table at pressrun.toml:2:33",
        "letters, digits and `_`, beginning with a letter, as in `license_facts`",
    );
    refuses_facts(
        "view = { database = \"b\", name = \"c\" }\ninbox = \"in\"",
        "`inbox` has no meaning beside `view` at pressrun.toml:3:9",
        "a view already says who the partner is, and nothing is ingested into it; take it out",
    );
    refuses_facts(
        "database = \"~/facts.db\"",
        "`~` is not resolved in `~/facts.db` at pressrun.toml:2:12",
        "write the whole path, or one from the configuration's folder",
    );
    refuses_facts(
        "database = \"./x/../ledger.db\"",
        "`ledger.database` is the same as `facts.database` at pressrun.toml:4:12",
        "give each a place of its own",
    );
    refuses_facts(
        "database = \"f\"\nproducts = \"families.toml\"",
        "cannot read `families.toml`: there is no such file at pressrun.toml:3:12",
        "paths in the configuration count from its own folder",
    );
}

#[test]
fn mail_goes_one_way_and_never_in_the_clear() {
    refuses(
        "[mail.relay]\nhost = \"h\"\n",
        "`outbox` and `relay` exclude each other at pressrun.toml:11:1",
        "keep one of the two",
    );
    refuses_relay(
        "host = \"smtp.example.com\"\ntls = \"none\"",
        "`tls = \"none\"` would send reports in the clear to `smtp.example.com` at pressrun.toml:12:7",
        "use `starttls` or `implicit`; `none` is for a relay on this machine",
    );
    refuses_relay(
        "host = \"smtp://example.com:587\"",
        "`smtp://example.com:587` is not the name or address of a host at pressrun.toml:11:8",
        "without `smtp://` and port, as in `smtp.example.com`",
    );
    refuses_relay(
        "host = \"h\"\nport = 0",
        "`port` must be from 1 to 65535, not `0` at pressrun.toml:12:8",
        "its port: 587 for `starttls`, 465 for `implicit`, 25 for `none` when left out",
    );
    refuses_relay(
        "host = \"h\"\nca_file = \"ca.pem\"",
        "there is no file `ca.pem` at pressrun.toml:12:11",
        "PEM, with the relay's authority",
    );
    for host in ["localhost", "127.0.0.1", "127.8.9.10", "[::1]", "::1"] {
        let mail = MAIL.replace("outbox = \"outbox\"", &format!("relay = {{ host = \"{host}\", tls = \"none\" }}"));
        assert_eq!(Folder::with(&[("pressrun.toml", &format!("{FACTS}{STORES}{mail}"))]).errors(), [], "{host}");
    }
}

#[test]
fn the_longest_wait_is_not_below_the_first() {
    refuses(
        "[mail.retries]\nbackoff_secs_min = 10\nbackoff_secs_max = 9\n",
        "`backoff_secs_max` is below `backoff_secs_min`, `9` and `10` at pressrun.toml:13:20",
        "make it 10 or more",
    );
    let more = smallest_and("[mail.retries]\nbackoff_secs_min = 7200\n");
    let retries = Folder::with(&[("pressrun.toml", &more)]).load().unwrap().mail.retries;
    assert_eq!((retries.backoff_secs_min, retries.backoff_secs_max), (7200, 7200));
}

#[test]
fn secrets_stand_by_reference_only() {
    let by_reference = "name where it is: `{ env = \"SMTP_PASSWORD\" }` or `{ file = \"smtp-password\" }`";
    refuses_relay(
        "host = \"h\"\nuser = \"u\"\npassword = \"geheim\"",
        "a secret must not stand in the configuration at pressrun.toml:13:12",
        by_reference,
    );
    refuses_relay(
        "host = \"h\"\nuser = \"u\"",
        "`user` without `password` at pressrun.toml:12:8",
        "add `password = { env = \"SMTP_PASSWORD\" }` or `{ file = \"smtp-password\" }`, or an `oauth` table",
    );
    refuses_relay(
        "host = \"h\"\nuser = \"u\"\npassword = { env = \"A\", file = \"b\" }",
        "`env` and `file` exclude each other at pressrun.toml:13:32",
        "keep one of the two",
    );
    let mail = MAIL.replace("outbox = \"outbox\"", "relay = { host = \"h\", user = \"u\", password = \"geheim\" }");
    let folder = Folder::with(&[("pressrun.toml", &format!("{FACTS}{STORES}{mail}"))]);
    let errors = folder.load().unwrap_err();
    for text in [errors.render(true), errors.render(false), errors.to_string(), format!("{errors:?}")] {
        assert!(!text.contains("geheim"), "{text}");
    }
}

#[test]
fn addresses_and_texts_are_checked() {
    let mail = |from: &str, to: &str| format!("{FACTS}{STORES}{}", MAIL.replace(from, to));
    let refuses = |from: &str, to: &str, first_line: &str, hint: &str| {
        check(&[("pressrun.toml", &mail(from, to))], &[(first_line, hint)]);
    };
    refuses(
        "Reports <r@example.com>",
        "Reports r@example",
        "`Reports r@example` is not a mail address at pressrun.toml:8:8",
        "write it as `reports@example.com` or `Reports <reports@example.com>`",
    );
    refuses(
        "\"admin\"",
        "\"admin\\r\\nBcc: x@example.com\"",
        "`contact` has the control character U+000D in it at pressrun.toml:9:11",
        "write it on one line, without tabs",
    );
    refuses(
        "\"admin\"",
        "\" \"",
        "`contact` must not be empty at pressrun.toml:9:11",
        "whom to ask, as the report and the mail print it",
    );
    refuses(
        "r@example.com",
        "r@bücher.example",
        "Message-IDs cannot end in `bücher.example`, the domain of `from` at pressrun.toml:8:8",
        "add `message_id_domain = \"example.com\"`",
    );
    refuses(
        "outbox =",
        "message_id_domain = \"a b\"\noutbox =",
        "`a b` is not a domain at pressrun.toml:10:21",
        "letters, digits, `-` and dots, as in `example.com`",
    );
}

#[test]
fn everything_is_reported_at_once_in_the_order_of_the_file() {
    let text = "[facts]\nclosing_day = 29\ndatabse = \"f\"\n[archive]\n[mail]\nfrom = \"x\"\n[schedules.a]\ncorn = 1\nzone = \"X\"\n";
    let found = Folder::with(&[("pressrun.toml", text)]).errors();
    let lines: Vec<&str> = found.iter().map(|(line, _)| line.as_str()).collect();
    assert_eq!(
        lines,
        [
            "missing section `[ledger]` at pressrun.toml:1:1",
            "`closing_day` must be from 1 to 28, not `29` at pressrun.toml:2:15",
            "unknown key `databse` in `[facts]` at pressrun.toml:3:1",
            "missing key `folder` in `[archive]` at pressrun.toml:4:1",
            "missing key `contact` in `[mail]` at pressrun.toml:5:1",
            "`x` is not a mail address at pressrun.toml:6:8",
            "unknown key `corn` in `[schedules.a]` at pressrun.toml:8:1",
            "unknown time zone `X` at pressrun.toml:9:8",
        ]
    );
}

#[test]
fn files_that_are_missing_huge_or_no_text_are_refused() {
    let folder = Folder::with(&[]);
    let hint = "name one with `--config FILE`, or write one with `pressrun init`".to_owned();
    assert_eq!(folder.errors(), [("cannot read `pressrun.toml`: there is no such file".to_owned(), hint)]);
    std::fs::write(folder.path("pressrun.toml"), b"# \xc3\xa4\nx = \"\xff\"").unwrap();
    assert_eq!(
        folder.errors(),
        [("the text is not UTF-8 at pressrun.toml:2:6".to_owned(), "save the file as UTF-8".to_owned())]
    );
    std::fs::write(folder.path("pressrun.toml"), "").unwrap();
    assert_eq!(folder.errors().len(), 4);
    std::fs::write(folder.path("pressrun.toml"), "[a.".repeat(100_000)).unwrap();
    assert!(!folder.errors().is_empty());
    std::fs::write(folder.path("pressrun.toml"), smallest_and(&format!("x = \"{}\"\n", "y".repeat(1_000_000))))
        .unwrap();
    assert!(folder.load().unwrap_err().render(true).len() < 2000);
}

#[test]
fn what_a_terminal_would_obey_is_never_printed() {
    let text = smallest_and(
        "\"\\u001b[2J\" = 1 # \u{1b}[2J\n[schedules.\"\\u009b2J\"]\ncron = \"\\u202e\"\nzone = \"\u{202e}\"\n",
    );
    for text in [text.replace("# \u{1b}", "#"), text] {
        let errors = Folder::with(&[("pressrun.toml", &text)]).load().unwrap_err();
        let printed = errors.render(false) + &errors.to_string();
        assert!(errors.n() >= 1 && !printed.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{printed:?}");
    }
}

#[test]
fn a_caret_view_shows_the_line_and_the_hint() {
    let text = smallest_and("[theme]\npaper = \"a5\"\n");
    let folder = Folder::with(&[("pressrun.toml", &text)]);
    let view = folder.load().unwrap_err().render(false).replace(&folder.path("").display().to_string(), "");
    assert_eq!(
        view,
        "  × unknown value `a5` for `paper` at pressrun.toml:12:9\n    ╭─[pressrun.toml:12:9]\n 11 │ [theme]\n \
         12 │ paper = \"a5\"\n    ·         ────\n    ╰────\n  hint: known values: `a4`, `letter`\n\n1 error\n"
    );
}
