//! How fast a relay is given mails, and who logs in by a token, good and bad.

use super::super::{LoginBy, MailThrough, RelaySettings, SecretFrom};
use super::{FACTS, Folder, MAIL, STORES, check};

/// A configuration with a relay, whose keys stand from line 11 on.
fn with_relay(keys: &str) -> String {
    format!("{FACTS}{STORES}{}{keys}", MAIL.replace("outbox = \"outbox\"", "[mail.relay]"))
}

/// A relay with these keys ends in one error.
fn refuses(keys: &str, first_line: &str, hint: &str) {
    check(&[("pressrun.toml", &with_relay(keys))], &[(first_line, hint)]);
}

fn taken(keys: &str) -> RelaySettings {
    let config = Folder::with(&[("pressrun.toml", &with_relay(keys))]).load().unwrap();
    let MailThrough::Relay(relay) = config.mail.through else { panic!() };
    *relay
}

#[test]
fn exchange_online_is_given_what_it_takes_and_others_what_they_are_said_to_take() {
    let rates = |keys: &str| {
        let relay = taken(keys);
        (relay.per_minute_max, relay.per_day_max, relay.connections_max)
    };
    for host in ["smtp.office365.com", "SMTP.Office365.com", "smtp-mail.outlook.com"] {
        assert_eq!(rates(&format!("host = \"{host}\"\n")), (Some(30), Some(10_000), 3), "{host}");
    }
    for host in ["smtp.example.com", "notoffice365.com", "office365.com.example.net"] {
        assert_eq!(rates(&format!("host = \"{host}\"\n")), (None, None, 4), "{host}");
    }
    let own = "host = \"smtp.office365.com\"\nper_minute_max = 60\nconnections_max = 5\n";
    assert_eq!(rates(own), (Some(60), Some(10_000), 5));
    refuses(
        "host = \"h\"\nper_minute_max = 0\n",
        "`per_minute_max` must be from 1 to 1000000, not `0` at pressrun.toml:12:18",
        "how many mails it takes within a minute",
    );
}

#[test]
fn a_token_is_had_from_a_tenant_or_from_a_server_of_ones_own() {
    let login = |keys: &str| {
        let login =
            taken(&format!("host = \"h\"\nuser = \"u@example.com\"\n[mail.relay.oauth]\n{keys}")).login.unwrap();
        let LoginBy::Oauth(oauth) = login.by else { panic!() };
        assert_eq!(login.user, "u@example.com");
        oauth
    };
    let of_tenant = login("tenant = \"example.onmicrosoft.com\"\nclient_id = \"a\"\nclient_secret = { env = \"S\" }\n");
    assert_eq!(of_tenant.token_url, "https://login.microsoftonline.com/example.onmicrosoft.com/oauth2/v2.0/token");
    assert_eq!(of_tenant.scope, "https://outlook.office365.com/.default");
    assert_eq!(of_tenant.client_secret.from, SecretFrom::Env("S".to_owned()));
    let own = "token_url = \"http://127.0.0.1:8080/token\"\nclient_id = \"a\"\nclient_secret = { env = \"S\" }\nscope = \"mail\"";
    assert_eq!((login(own).token_url.as_str(), login(own).scope.as_str()), ("http://127.0.0.1:8080/token", "mail"));
}

#[test]
fn a_secret_goes_nowhere_in_the_clear() {
    let oauth = "user = \"u\"\nhost = \"h\"\n[mail.relay.oauth]\nclient_id = \"a\"\nclient_secret = { env = \"S\" }\n";
    for url in ["http://login.example.com/token", "http://127.0.0.1@example.com/", "ftp://localhost/", "https:///token"]
    {
        refuses(
            &format!("{oauth}token_url = \"{url}\"\n"),
            &format!("`{url}` is not a safe address for a secret at pressrun.toml:16:13"),
            "an `https://` address",
        );
    }
    refuses(
        &format!("{oauth}tenant = \"a/../b\"\n"),
        "`a/../b` is not a tenant at pressrun.toml:16:10",
        "its id or its domain, as in `example.onmicrosoft.com`",
    );
}

#[test]
fn half_a_login_is_refused() {
    let oauth = "tenant = \"t\"\nclient_id = \"a\"\nclient_secret = { env = \"S\" }\n";
    refuses(
        &format!("host = \"h\"\n[mail.relay.oauth]\n{oauth}"),
        "`oauth` without `user` at pressrun.toml:12:1",
        "add `user = \"…\"`: the mailbox that sends",
    );
    refuses(
        &format!("host = \"h\"\nuser = \"u\"\npassword = {{ env = \"P\" }}\n[mail.relay.oauth]\n{oauth}"),
        "`password` and `oauth` exclude each other at pressrun.toml:14:1",
        "keep one of the two",
    );
    refuses(
        "host = \"h\"\nuser = \"u\"\n[mail.relay.oauth]\nclient_id = \"a\"\nclient_secret = { env = \"S\" }\n",
        "`oauth` names neither a `tenant` nor a `token_url` at pressrun.toml:13:1",
        "add `tenant = \"example.onmicrosoft.com\"`, or a `token_url`",
    );
}
