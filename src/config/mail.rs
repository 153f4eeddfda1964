//! From raw to checked: who sends, and through what.

use std::net::IpAddr;

use super::at::At;
use super::check::Check;
use super::login::login;
use super::raw::{RawMail, RawRelay, RawRetries};
use super::settings::{MailSettings, MailThrough, RelaySettings, RetrySettings, Tls};
use crate::deliver::{Mailbox, is_loopback};

/// How long to wait for a relay's connection and for its answer, in seconds, when not said.
const TIMEOUT_SECS: u32 = 60;
/// Exchange Online takes 25 MB after base64 (× 1.37) unless its admin allows more: 18 MiB fit.
const ATTACHMENT_BYTES_MAX: u64 = 18 << 20;
/// Few relays like more connections from one sender.
const CONNECTIONS_MAX: u32 = 4;
/// What Exchange Online takes from one mailbox (its sending limits): messages a minute, recipients a day, and
/// connections at once.
const EXCHANGE_ONLINE: (u32, u32, u32) = (30, 10_000, 3);
/// With waits of 1, 2, 4 … minutes, 12 tries span about six hours: a relay's usual bad night. Four days span a long
/// weekend on which a relay is down and its mails keep their tries.
const RETRIES: RetrySettings =
    RetrySettings { attempts_max: 12, backoff_secs_min: 60, backoff_secs_max: 3600, deadline_hours: 96 };

pub(super) fn settings(raw: &At<RawMail>, check: &mut Check<'_>) -> Option<MailSettings> {
    let span = raw.span();
    let raw = raw.get();
    let from = raw.from.as_ref().and_then(|at| mailbox(at, check));
    let reply_to = raw.reply_to.as_ref().and_then(|at| mailbox(at, check));
    let message_id_domain = message_id_domain(raw, from.as_ref(), check);
    check.both(("outbox", &raw.outbox), ("relay", &raw.relay));
    let through = match (&raw.outbox, &raw.relay) {
        (Some(outbox), _) => Some(MailThrough::Outbox(check.path(outbox))),
        (None, Some(raw)) => relay(raw, check).map(|relay| MailThrough::Relay(Box::new(relay))),
        (None, None) => {
            if check.whole {
                let hint = "add `outbox = \"outbox\"` for .eml files in a folder, or a `[mail.relay]`";
                check.wrong(span, "`[mail]` names neither an `outbox` nor a `relay`", hint);
            }
            None
        }
    };
    let retries = raw.retries.as_ref().map_or(RETRIES, |raw| retries(raw.get(), check));
    Some(MailSettings {
        from: from?,
        reply_to,
        contact: raw.contact.as_ref()?.get().clone(),
        message_id_domain: message_id_domain?,
        through: through?,
        retries,
    })
}

fn mailbox(at: &At<String>, check: &mut Check<'_>) -> Option<Mailbox> {
    match at.get().parse::<lettre::message::Mailbox>() {
        Ok(mailbox) => Some(Mailbox { name: mailbox.name.unwrap_or_default(), address: mailbox.email.to_string() }),
        Err(_) => {
            let what = format!("`{}` is not a mail address", at.get());
            check.wrong(at.span(), what, "write it as `reports@example.com` or `Reports <reports@example.com>`");
            None
        }
    }
}

/// The domain of Message-IDs (RFC 5322, 3.6.4): dots, letters, digits and `-`.
fn message_id_domain(raw: &RawMail, from: Option<&Mailbox>, check: &mut Check<'_>) -> Option<String> {
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let fits = |domain: &str| domain.split('.').all(label) && domain.len() <= 253;
    match (&raw.message_id_domain, &raw.from) {
        (Some(at), _) if !fits(at.get()) => {
            let what = format!("`{}` is not a domain", at.get());
            check.wrong(at.span(), what, "letters, digits, `-` and dots, as in `example.com`");
            None
        }
        (Some(at), _) => Some(at.get().clone()),
        (None, Some(at)) => {
            let domain = from?.address.rsplit('@').next().unwrap_or_default().to_owned();
            if fits(&domain) {
                return Some(domain);
            }
            let what = format!("Message-IDs cannot end in `{domain}`, the domain of `from`");
            check.wrong(at.span(), what, "add `message_id_domain = \"example.com\"`");
            None
        }
        (None, None) => None,
    }
}

fn relay(raw: &At<RawRelay>, check: &mut Check<'_>) -> Option<RelaySettings> {
    let raw = raw.get();
    let tls = raw.tls.as_ref().map(|at| *at.get()).unwrap_or_default();
    if let (Some(host), Tls::None) = (&raw.host, tls)
        && !is_loopback(host.get())
    {
        let span = raw.tls.as_ref().map_or(host.span(), At::span);
        let what = format!("`tls = \"none\"` would send reports in the clear to `{}`", host.get());
        check.wrong(span, what, "use `starttls` or `implicit`; `none` is for a relay on this machine");
    }
    if let Some(host) = raw.host.as_ref().filter(|host| !is_host(host.get())) {
        let what = format!("`{}` is not the name or address of a host", host.get());
        check.wrong(host.span(), what, "without `smtp://` and port, as in `smtp.example.com`");
    }
    let ca_file = raw.ca_file.as_ref().map(|at| (check.path(at), at.span()));
    if let Some((path, span)) = ca_file.as_ref().filter(|(path, _)| !path.is_file()) {
        check.wrong(span.clone(), format!("there is no file `{}`", path.display()), "PEM, with the relay's authority");
    }
    let usual_port = match tls {
        Tls::Starttls => 587,
        Tls::Implicit => 465,
        Tls::None => 25,
    };
    let host = raw.host.as_ref().map(|at| at.get().to_ascii_lowercase()).unwrap_or_default();
    let exchange_online = is_exchange_online(&host).then_some(EXCHANGE_ONLINE);
    let usual_connections = exchange_online.map_or(CONNECTIONS_MAX, |(_, _, connections)| connections);
    let number = |raw: &Option<At<u32>>| raw.as_ref().map(|at| *at.get());
    Some(RelaySettings {
        login: login(raw, check),
        per_minute_max: number(&raw.per_minute_max).or(exchange_online.map(|(a_minute, _, _)| a_minute)),
        per_day_max: number(&raw.per_day_max).or(exchange_online.map(|(_, a_day, _)| a_day)),
        host: raw.host.as_ref()?.get().clone(),
        port: raw.port.as_ref().map_or(usual_port, |at| *at.get()),
        tls,
        ca_file: ca_file.map(|(path, _)| path),
        timeout_secs: raw.timeout_secs.as_ref().map_or(TIMEOUT_SECS, |at| *at.get()),
        attachment_bytes_max: raw.attachment_bytes_max.as_ref().map_or(ATTACHMENT_BYTES_MAX, |at| *at.get()),
        connections_max: number(&raw.connections_max).unwrap_or(usual_connections),
    })
}

pub(super) fn retries(raw: &RawRetries, check: &mut Check<'_>) -> RetrySettings {
    let min = raw.backoff_secs_min.as_ref().map_or(RETRIES.backoff_secs_min, |at| *at.get());
    let max = raw.backoff_secs_max.as_ref().map_or(RETRIES.backoff_secs_max.max(min), |at| *at.get());
    if let Some(at) = raw.backoff_secs_max.as_ref().filter(|_| max < min) {
        let what = format!("`backoff_secs_max` is below `backoff_secs_min`, `{max}` and `{min}`");
        check.wrong(at.span(), what, format!("make it {min} or more"));
    }
    let attempts_max = raw.attempts_max.as_ref().map_or(RETRIES.attempts_max, |at| *at.get());
    let deadline_hours = raw.deadline_hours.as_ref().map_or(RETRIES.deadline_hours, |at| *at.get());
    RetrySettings { attempts_max, backoff_secs_min: min, backoff_secs_max: max, deadline_hours }
}

/// Whether a host is one of Exchange Online's.
fn is_exchange_online(host: &str) -> bool {
    ["office365.com", "outlook.com", "outlook.office.com"]
        .iter()
        .any(|domain| host.strip_suffix(domain).is_some_and(|before| before.is_empty() || before.ends_with('.')))
}

fn is_host(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>().is_ok()
        || host.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '.' | '_'))
}
