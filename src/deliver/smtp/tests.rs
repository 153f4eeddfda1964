//! The relay at its worst: refusals, drops at each phase, silence, TLS and logins.

use std::sync::Arc;

use secrecy::SecretString;

use super::*;
use crate::deliver::mime::tests::parcel;

use crate::deliver::relay::{At, Authority, Fault, Mechanism, Relay, Running};

const TO: &str = "cfo@example.com";

fn settings(relay: &Running) -> SmtpSettings {
    SmtpSettings {
        host: relay.address.ip().to_string(),
        port: relay.address.port(),
        tls: TlsMode::None,
        login: None,
        ca_file: None,
        hello_name: Some("reports.example.com".into()),
        timeout_secs: 20,
        attachment_bytes_max: 1_000_000,
        connections_max: 2,
    }
}

fn plain(relay: &Running) -> Smtp {
    Smtp::new(settings(relay)).unwrap()
}

/// A faulty relay and a client that waits a moment only.
async fn faulty(at: At, fault: Fault) -> (Running, Smtp) {
    let relay = Relay { faults: vec![(at, "", usize::MAX, fault)], ..Relay::default() }.start().await;
    let mut smtp = plain(&relay);
    if fault == Fault::Silence {
        (smtp.reply_timeout, smtp.content_timeout) = (Duration::from_secs(2), Duration::from_secs(3));
    }
    (relay, smtp)
}

fn kind(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered(_) => "delivered",
        Outcome::Retryable(_) => "retryable",
        Outcome::TooLarge { .. } => "too large",
        Outcome::Failed(_) => "failed",
        Outcome::Uncertain(_) => "uncertain",
    }
}

#[tokio::test]
async fn a_mail_arrives_as_it_was_built_with_the_relays_words_as_its_receipt() {
    let relay = Relay::default().start().await;
    let parcel = parcel(TO);
    let outcome = plain(&relay).deliver(&parcel).await.outcome;
    assert_eq!(outcome, Outcome::Delivered(Receipt("250 2.0.0 queued as 000001".into())));
    let taken = relay.taken();
    assert_eq!((taken[0].from.as_str(), taken[0].to.as_slice()), ("reports@example.com", &[TO.to_owned()][..]));
    assert!(relay.commands().contains(&"EHLO reports.example.com".to_owned()));
    // What lies in the folder of an outbox is what a relay gets, but for the empty line before the last dot.
    let built = String::from_utf8(mime::mail(&parcel).unwrap().bytes).unwrap();
    assert_eq!(taken[0].content.trim_end(), built.trim_end());
}

#[tokio::test]
async fn every_refusal_and_every_loss_has_its_outcome() {
    use Fault::{Drop, Reply, Silence};
    let cases = [
        (At::Connect, Reply("554 5.7.1 no"), "retryable", "refused us"),
        (At::Connect, Drop, "retryable", "no connection"),
        (At::Connect, Silence, "retryable", "no reply within 2 s"),
        (At::Hello, Drop, "retryable", "no connection"),
        (At::Mail, Reply("451 4.3.0 later"), "retryable", "refused the sender: 451"),
        (At::Mail, Reply("550 5.7.1 not you"), "failed", "refused the sender: 550"),
        (At::Mail, Reply("530 5.7.0 log in"), "retryable", "wants a login or TLS first"),
        (At::Mail, Drop, "retryable", "nothing was sent"),
        (At::Mail, Silence, "retryable", "nothing was sent"),
        (At::Recipient, Reply("550 5.1.1 <cfo@example.com> unknown"), "failed", "550 5.1.1 (address) unknown"),
        (At::Recipient, Reply("451 4.7.1 greylisted"), "retryable", "451"),
        (At::Recipient, Reply("421 4.3.2 closing"), "retryable", "421"),
        (At::Recipient, Drop, "retryable", "nothing was sent"),
        (At::Recipient, Silence, "retryable", "nothing was sent"),
        (At::Data, Reply("554 5.5.1 no"), "failed", "refused the mail: 554"),
        (At::Data, Reply("451 4.3.0 later"), "retryable", "451"),
        (At::Data, Reply("250 hm"), "retryable", "answered by 250"),
        (At::Data, Drop, "retryable", "nothing was sent"),
        (At::Data, Silence, "retryable", "nothing was sent"),
        (At::Content, Drop, "uncertain", "may have taken it"),
        (At::Mail, Reply("552 5.3.4 too big"), "too large", "too large"),
        (At::Mail, Reply("523 5.2.3 bounds"), "too large", "523"),
        (At::Mail, Reply("552 5.2.2 over quota"), "failed", "mailbox full"),
        (At::Recipient, Reply("552 no room"), "failed", "mailbox full"),
        (At::Recipient, Reply("552 5.3.4 too big"), "too large", "too large"),
        (At::End, Reply("552 5.3.4 too big"), "too large", "too large"),
        (At::End, Reply("552 too much"), "too large", "too large"),
        (At::End, Reply("552 5.2.2 full"), "failed", "mailbox full"),
        (At::End, Reply("452 5.3.4 later"), "retryable", "452"),
        (At::End, Reply("451 4.3.0 later"), "retryable", "451"),
        (At::End, Reply("421 4.3.2 closing"), "retryable", "421"),
        (At::End, Reply("gibberish"), "uncertain", "may have taken it"),
        (At::End, Reply("354 more"), "uncertain", "answered by 354"),
        (At::End, Drop, "uncertain", "may have taken it"),
        (At::Kept, Drop, "uncertain", "may have taken it"),
        (At::Kept, Silence, "uncertain", "no reply within 3 s"),
    ];
    // All at once, since some wait for a reply that never comes.
    futures::future::join_all(cases.map(check)).await;
}

/// Delivers to a relay that fails like that, and compares the kind of outcome and some of its words.
async fn check((at, fault, expected, words): (At, Fault, &str, &str)) {
    let (relay, smtp) = faulty(at, fault).await;
    let outcome = smtp.deliver(&parcel(TO)).await.outcome;
    assert_eq!(kind(&outcome), expected, "{at:?} {fault:?}: {outcome:?}");
    let said = match &outcome {
        Outcome::Retryable(said) | Outcome::Failed(said) | Outcome::Uncertain(said) => said,
        Outcome::TooLarge { reason, n_bytes } => {
            assert_eq!(*n_bytes, mime::encoded_bytes(&parcel(TO)).unwrap());
            reason
        }
        Outcome::Delivered(_) => panic!("{outcome:?}"),
    };
    assert!(said.contains(words), "{at:?} {fault:?}: {said}");
    assert!(said.starts_with("relay 127.0.0.1:") && !said.contains('@') && !said.contains('\n'), "{said}");
    assert_eq!(relay.taken().len(), usize::from(at == At::Kept), "{at:?} {fault:?}");
}

#[tokio::test]
async fn a_relay_that_is_not_there_is_tried_again() {
    let relay = Relay::default().start().await;
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    drop(taken);
    let smtp = Smtp::new(SmtpSettings { port, ..settings(&relay) }).unwrap();
    let outcome = smtp.deliver(&parcel(TO)).await.outcome;
    assert!(matches!(&outcome, Outcome::Retryable(words) if words.contains("check host, port")), "{outcome:?}");
    assert!(smtp.check().await.is_err());
}

#[tokio::test]
async fn one_refused_recipient_stops_no_other() {
    let faults = vec![(At::Recipient, "bad@", usize::MAX, Fault::Reply("550 5.1.1 unknown"))];
    let relay = Relay { faults, ..Relay::default() }.start().await;
    let smtp = plain(&relay);
    let mut kinds = Vec::new();
    for to in ["one@example.com", "bad@example.com", "two@example.com"] {
        kinds.push(kind(&smtp.deliver(&parcel(to)).await.outcome));
    }
    assert_eq!(kinds, ["delivered", "failed", "delivered"]);
    let to: Vec<_> = relay.taken().into_iter().flat_map(|taken| taken.to).collect();
    assert_eq!(to, ["one@example.com", "two@example.com"]);
    assert_eq!(relay.n_connections(), 1, "a refusal leaves the connection good");
}

#[tokio::test]
async fn a_kept_connection_that_died_is_replaced_without_a_word() {
    let faults = vec![(At::Reset, "", 1, Fault::Drop), (At::Recipient, "bad@", 1, Fault::Reply("550 5.1.1 no"))];
    let relay = Relay { faults, ..Relay::default() }.start().await;
    let smtp = plain(&relay);
    assert_eq!(kind(&smtp.deliver(&parcel("bad@example.com")).await.outcome), "failed");
    assert_eq!(kind(&smtp.deliver(&parcel(TO)).await.outcome), "delivered");
    assert_eq!(relay.n_connections(), 2);
    for fault in [Fault::Drop, Fault::Reply("421 4.4.2 idle too long")] {
        let relay = Relay::default().start().await;
        let smtp = plain(&relay);
        assert_eq!(kind(&smtp.deliver(&parcel(TO)).await.outcome), "delivered");
        relay.add((At::Mail, "", 1, fault));
        assert_eq!(kind(&smtp.deliver(&parcel(TO)).await.outcome), "delivered", "{fault:?}");
        assert_eq!((relay.taken().len(), relay.n_connections()), (2, 2));
    }
}

#[tokio::test]
async fn never_more_connections_than_allowed() {
    let relay = Relay::default().start().await;
    let smtp = Arc::new(plain(&relay));
    let mails = (0..12).map(|n| {
        let smtp = Arc::clone(&smtp);
        async move { kind(&smtp.deliver(&parcel(&format!("r{n}@example.com"))).await.outcome) }
    });
    let kinds = futures::future::join_all(mails).await;
    assert!(kinds.iter().all(|kind| *kind == "delivered"), "{kinds:?}");
    assert_eq!((relay.taken().len(), relay.n_connections()), (12, 2));
}

#[tokio::test]
async fn what_is_too_large_is_never_sent() {
    let n_bytes = mime::encoded_bytes(&parcel(TO)).unwrap();
    let relay = Relay { size: Some(900), ..Relay::default() }.start().await;
    let outcome = plain(&relay).deliver(&parcel(TO)).await.outcome;
    let Outcome::TooLarge { n_bytes: told, reason } = &outcome else { panic!("{outcome:?}") };
    assert!(*told == n_bytes && reason.contains("takes at most 900"), "{outcome:?}");
    let smtp = Smtp::new(SmtpSettings { attachment_bytes_max: 18, ..settings(&relay) }).unwrap();
    // 11 bytes of PDF and 8 of CSV.
    let outcome = smtp.deliver(&parcel(TO)).await.outcome;
    let Outcome::TooLarge { n_bytes: told, reason } = &outcome else { panic!("{outcome:?}") };
    assert!(*told == n_bytes && reason.contains("have 19 bytes"), "{outcome:?}");
    assert!(!relay.commands().iter().any(|command| command.starts_with("MAIL")));
    let relay = Relay { size: Some(1_000_000), ..Relay::default() }.start().await;
    assert_eq!(kind(&plain(&relay).deliver(&parcel(TO)).await.outcome), "delivered");
    let mail = format!("MAIL FROM:<reports@example.com> SIZE={n_bytes}");
    assert!(relay.commands().contains(&mail), "{:?}", relay.commands());
}

#[tokio::test]
async fn a_relay_is_asked_once_how_large_a_mail_may_be_and_that_connection_serves_the_next_mail() {
    let relay = Relay { size: Some(5_000), ..Relay::default() }.start().await;
    let smtp = Arc::new(plain(&relay));
    let asked = (0..5).map(|_| {
        let smtp = Arc::clone(&smtp);
        async move { smtp.bytes_max().await }
    });
    let told = BytesMax { mail: Some(5_000), attachments: Some(1_000_000) };
    assert_eq!(futures::future::join_all(asked).await, [told; 5]);
    assert_eq!(kind(&smtp.deliver(&parcel(TO)).await.outcome), "delivered");
    assert_eq!(relay.n_connections(), 1);
    let silent = Relay::default().start().await;
    assert_eq!(plain(&silent).bytes_max().await.mail, None, "it states no bound");
}

#[tokio::test]
async fn a_relay_that_is_not_there_is_not_asked_for_each_mail() {
    let faults = vec![(At::Connect, "", 1, Fault::Reply("554 5.7.1 no"))];
    let relay = Relay { faults, size: Some(5_000), ..Relay::default() }.start().await;
    let smtp = plain(&relay);
    assert_eq!([smtp.bytes_max().await.mail, smtp.bytes_max().await.mail], [None, None]);
    assert_eq!(relay.n_connections(), 1);
    assert_eq!(kind(&smtp.deliver(&parcel(TO)).await.outcome), "delivered");
    assert_eq!(smtp.bytes_max().await.mail, Some(5_000), "the mail's own connection tells");
}

#[tokio::test]
async fn an_address_beyond_ascii_needs_a_relay_that_takes_it() {
    let relay = Relay::default().start().await;
    let outcome = plain(&relay).deliver(&parcel("größe@example.com")).await.outcome;
    assert!(matches!(&outcome, Outcome::Failed(words) if words.contains("SMTPUTF8")), "{outcome:?}");
    assert!(relay.taken().is_empty());
}

/// Settings that trust the authority; the folder holds its file.
fn trusting(relay: &Running, authority: &Authority, tls: TlsMode) -> (SmtpSettings, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, &authority.ca_pem).unwrap();
    let (user, password) = ("robot@example.com".into(), SecretString::from("hunter2"));
    let login = Some(SmtpLogin::Password { user, password });
    (SmtpSettings { host: "localhost".into(), tls, ca_file: Some(ca_file), login, ..settings(relay) }, folder)
}

#[tokio::test]
async fn mails_go_over_tls_after_a_login() {
    let authority = Authority::new();
    let login = Some(("robot@example.com", "hunter2"));
    for tls in [TlsMode::Starttls, TlsMode::Implicit] {
        let own = |mode| (tls == mode).then(|| authority.clone());
        let (starttls, implicit) = (own(TlsMode::Starttls), own(TlsMode::Implicit));
        let relay = Relay { starttls, implicit, login, size: Some(9_000_000), ..Relay::default() }.start().await;
        let (settings, _folder) = trusting(&relay, &authority, tls);
        let smtp = Smtp::new(settings).unwrap();
        let words = smtp.check().await.unwrap();
        assert_eq!(words, "connected over TLS, logged in, takes mails up to 9000000 bytes");
        assert!(relay.taken().is_empty(), "a check sends nothing");
        let outcome = smtp.deliver(&parcel(TO)).await.outcome;
        assert_eq!(kind(&outcome), "delivered", "{outcome:?}");
        assert!(relay.taken()[0].is_encrypted);
    }
}

#[tokio::test]
async fn a_wrong_password_is_said_and_may_be_mended() {
    let authority = Authority::new();
    let (starttls, login) = (Some(authority.clone()), Some(("robot@example.com", "other")));
    let relay = Relay { starttls, login, ..Relay::default() }.start().await;
    let (settings, _folder) = trusting(&relay, &authority, TlsMode::Starttls);
    let smtp = Smtp::new(settings).unwrap();
    let outcome = smtp.deliver(&parcel(TO)).await.outcome;
    let Outcome::Retryable(words) = &outcome else { panic!("{outcome:?}") };
    assert!(words.contains("refused the login: 535 5.7.8 no, (address); hint: check `user`"), "{words}");
    assert_eq!(smtp.check().await.unwrap_err(), *words);
    assert!(!words.contains("robot") && !words.contains("hunter2"));
}

#[tokio::test]
async fn nothing_is_sent_in_plain_or_to_an_unknown_certificate() {
    let authority = Authority::new();
    let without = Relay::default().start().await;
    let stranger = Relay { starttls: Some(Authority::new()), ..Relay::default() }.start().await;
    let refusing = Relay {
        starttls: Some(authority.clone()),
        faults: vec![(At::StartTls, "", 9, Fault::Reply("454 4.7.0 not now"))],
        ..Relay::default()
    };
    let refusing = refusing.start().await;
    for (relay, words) in
        [(&without, "does not offer STARTTLS"), (&stranger, "no safe connection"), (&refusing, "refused STARTTLS: 454")]
    {
        let (settings, _folder) = trusting(relay, &authority, TlsMode::Starttls);
        let outcome = Smtp::new(settings).unwrap().deliver(&parcel(TO)).await.outcome;
        assert!(matches!(&outcome, Outcome::Retryable(said) if said.contains(words)), "{words}: {outcome:?}");
        assert!(relay.taken().is_empty());
        assert!(!relay.commands().iter().any(|command| command.starts_with("AUTH")), "no password in plain");
    }
}

#[tokio::test]
async fn how_far_a_hand_over_came_and_what_the_relay_answered_is_told() {
    use Fault::{Drop, Reply};
    let cases = [
        (At::Connect, Reply("554 5.7.1 no"), Some(Phase::Connect), Some("554 5.7.1 no"), true),
        (At::Hello, Drop, Some(Phase::Connect), None, true),
        (At::Mail, Drop, Some(Phase::Sender), None, true),
        (At::Mail, Reply("550 5.7.1 not you"), Some(Phase::Sender), Some("550 5.7.1 not you"), false),
        (At::Mail, Reply("530 5.7.0 log in"), Some(Phase::Sender), Some("530 5.7.0 log in"), true),
        (
            At::Recipient,
            Reply("550 5.1.1 <cfo@example.com> unknown"),
            Some(Phase::Recipient),
            Some("550 5.1.1 (address) unknown"),
            false,
        ),
        (At::Recipient, Reply("421 4.3.2 closing"), Some(Phase::Recipient), Some("421 4.3.2 closing"), true),
        (At::Recipient, Drop, Some(Phase::Recipient), None, false),
        (At::Data, Drop, Some(Phase::Data), None, false),
        (At::Kept, Drop, Some(Phase::Content), None, false),
        (At::Reset, Drop, Some(Phase::Content), Some("250 2.0.0 queued as 000001"), false),
    ];
    for (at, fault, phase, answer, is_out_of_order) in cases {
        let (_relay, smtp) = faulty(at, fault).await;
        let handed = smtp.deliver(&parcel(TO)).await;
        let told = (handed.phase, handed.answer.as_deref(), handed.is_out_of_order);
        assert_eq!(told, (phase, answer, is_out_of_order), "{at:?} {fault:?}");
    }
}

#[tokio::test]
async fn a_relay_that_offers_login_only_is_logged_in_at() {
    let authority = Authority::new();
    let (starttls, login) = (Some(authority.clone()), Some(("robot@example.com", "hunter2")));
    let relay = Relay { starttls, login, mechanism: Mechanism::Login, ..Relay::default() }.start().await;
    let (settings, _folder) = trusting(&relay, &authority, TlsMode::Starttls);
    assert_eq!(kind(&Smtp::new(settings).unwrap().deliver(&parcel(TO)).await.outcome), "delivered");
}

/// A token server that answers each request in turn, the last answer from then on; and what it was asked.
async fn token_server(answers: &[(u16, &str)]) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/tenant/token", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (forms, mut answers): (_, Vec<(u16, String)>) =
        (Arc::clone(&asked), answers.iter().rev().map(|(code, body)| (*code, (*body).to_owned())).collect());
    let answer = move |form: String| {
        forms.lock().unwrap().push(form);
        let (code, body) = if answers.len() > 1 { answers.pop().unwrap() } else { answers[0].clone() };
        (axum::http::StatusCode::from_u16(code).unwrap(), body)
    };
    let answer = Arc::new(Mutex::new(answer));
    let route = axum::routing::post(move |form: String| async move { (answer.lock().unwrap())(form) });
    let app = axum::Router::new().route("/tenant/token", route);
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (url, asked)
}

fn by_token(settings: SmtpSettings, token_url: &str) -> Smtp {
    let from = OauthSettings {
        token_url: token_url.to_owned(),
        client_id: "app".into(),
        client_secret: SecretString::from("s3cret&"),
        scope: "https://outlook.office365.com/.default".into(),
    };
    Smtp::new(SmtpSettings { login: Some(SmtpLogin::Oauth { user: "robot@example.com".into(), from }), ..settings })
        .unwrap()
}

/// A relay that wants that token, and the settings to reach it.
async fn xoauth2(token: &'static str) -> (Running, SmtpSettings, tempfile::TempDir) {
    let authority = Authority::new();
    let (starttls, login) = (Some(authority.clone()), Some(("robot@example.com", token)));
    let relay = Relay { starttls, login, mechanism: Mechanism::Xoauth2, ..Relay::default() }.start().await;
    let (settings, folder) = trusting(&relay, &authority, TlsMode::Starttls);
    (relay, settings, folder)
}

#[tokio::test]
async fn a_token_is_fetched_once_kept_and_fetched_anew_when_it_is_refused() {
    let (relay, settings, _folder) = xoauth2("one").await;
    let (url, asked) = token_server(&[
        (200, r#"{"access_token":"one","expires_in":3600}"#),
        (200, r#"{"access_token":"two","expires_in":3600}"#),
    ])
    .await;
    let smtp = by_token(settings, &url);
    for _ in 0..2 {
        let outcome = smtp.deliver(&parcel(TO)).await.outcome;
        assert_eq!(kind(&outcome), "delivered", "{outcome:?}");
        smtp.idle.lock().unwrap().clear();
    }
    let form = "grant_type=client_credentials&client_id=app&client_secret=s3cret%26&scope=https%3A%2F%2Foutlook.office365.com%2F.default";
    assert_eq!(*asked.lock().unwrap(), [form]);
    // It is revoked: one login fails, and the next is made with a new token.
    relay.change_secret("two");
    assert_eq!(kind(&smtp.deliver(&parcel(TO)).await.outcome), "delivered");
    assert_eq!((asked.lock().unwrap().len(), relay.taken().len(), relay.n_connections()), (2, 3, 4));
    // A new one that is refused too is not fetched again and again.
    smtp.idle.lock().unwrap().clear();
    relay.change_secret("three");
    let handed = smtp.deliver(&parcel(TO)).await;
    assert_eq!((kind(&handed.outcome), handed.phase), ("retryable", Some(Phase::Login)), "{handed:?}");
    assert!(handed.is_out_of_order && asked.lock().unwrap().len() == 3);
}

#[tokio::test]
async fn a_token_that_ends_soon_is_not_kept() {
    let (_relay, settings, _folder) = xoauth2("one").await;
    let (url, asked) = token_server(&[(200, r#"{"access_token":"one","expires_in":60}"#)]).await;
    let smtp = by_token(settings, &url);
    for n in 1..3 {
        assert_eq!(kind(&smtp.deliver(&parcel(TO)).await.outcome), "delivered");
        smtp.idle.lock().unwrap().clear();
        assert_eq!(asked.lock().unwrap().len(), n);
    }
}

#[tokio::test]
async fn a_token_server_that_gives_none_is_named_with_its_words_and_no_secret() {
    let (_relay, settings, _folder) = xoauth2("one").await;
    let refusal =
        r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret\r\nprovided"}"#;
    let large = " ".repeat(70_000);
    for (code, body, words) in [
        (
            401,
            refusal,
            "answered 401 invalid_client: AADSTS7000215: Invalid client secret provided; hint: check `tenant`",
        ),
        (200, "{}", "answered 200; hint"),
        (200, r#"{"access_token":""}"#, "answered 200; hint"),
        (500, "<html>", "answered 500; hint"),
        (200, &large, "more than 65536 bytes"),
    ] {
        let (url, _) = token_server(&[(code, body)]).await;
        let handed = by_token(settings.clone(), &url).deliver(&parcel(TO)).await;
        let Outcome::Retryable(said) = &handed.outcome else { panic!("{handed:?}") };
        assert!(said.contains("no token") && said.contains(words) && !said.contains("s3cret"), "{said}");
        assert!(handed.is_out_of_order && handed.phase == Some(Phase::Login));
    }
    let handed = by_token(settings, "http://127.0.0.1:1/token").deliver(&parcel(TO)).await;
    assert!(matches!(&handed.outcome, Outcome::Retryable(said) if said.contains("cannot be reached")), "{handed:?}");
}
