//! From raw to checked: who logs in at the relay, and by what.

use super::at::At;
use super::check::Check;
use super::raw::{RawOauth, RawRelay, RawSecret};
use super::secret::{Secret, SecretFrom};
use super::settings::{Login, LoginBy, OauthSettings};
use crate::deliver::is_loopback;

/// Where Microsoft Entra gives out tokens, before and after the tenant.
const ENTRA: (&str, &str) = ("https://login.microsoftonline.com/", "/oauth2/v2.0/token");
/// What a token is for, where nothing else is said: Exchange Online.
const EXCHANGE_ONLINE: &str = "https://outlook.office365.com/.default";

pub(super) fn login(raw: &RawRelay, check: &mut Check<'_>) -> Option<Login> {
    check.both(("password", &raw.password), ("oauth", &raw.oauth));
    let password = raw.password.as_ref().and_then(|at| secret(at, check));
    let oauth = raw.oauth.as_ref().and_then(|at| oauth(at, check));
    let user = match (&raw.user, &raw.password, &raw.oauth) {
        (Some(user), None, None) if check.whole => {
            let hint =
                "add `password = { env = \"SMTP_PASSWORD\" }` or `{ file = \"smtp-password\" }`, or an `oauth` table";
            check.wrong(user.span(), "`user` without `password`", hint);
            return None;
        }
        (None, Some(at), _) if check.whole => {
            check.wrong(at.span(), "`password` without `user`", "add `user = \"…\"`, or take the password out");
            return None;
        }
        (None, _, Some(at)) if check.whole => {
            check.wrong(at.span(), "`oauth` without `user`", "add `user = \"…\"`: the mailbox that sends");
            return None;
        }
        (user, _, _) => user.as_ref()?.get().clone(),
    };
    let by = password.map(LoginBy::Password).or(oauth.map(LoginBy::Oauth))?;
    Some(Login { user, by })
}

fn oauth(at: &At<RawOauth>, check: &mut Check<'_>) -> Option<OauthSettings> {
    let raw = at.get();
    check.both(("tenant", &raw.tenant), ("token_url", &raw.token_url));
    let token_url = match (&raw.tenant, &raw.token_url) {
        (Some(tenant), _) => {
            let is_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.');
            if !tenant.get().chars().all(is_name) {
                let what = format!("`{}` is not a tenant", tenant.get());
                check.wrong(tenant.span(), what, "its id or its domain, as in `example.onmicrosoft.com`");
            }
            Some(format!("{}{}{}", ENTRA.0, tenant.get(), ENTRA.1))
        }
        (None, Some(url)) => {
            if !is_safe(url.get()) {
                let what = format!("`{}` is not a safe address for a secret", url.get());
                check.wrong(url.span(), what, "an `https://` address");
            }
            Some(url.get().clone())
        }
        (None, None) => {
            if check.whole {
                let hint = "add `tenant = \"example.onmicrosoft.com\"`, or a `token_url`";
                check.wrong(at.span(), "`oauth` names neither a `tenant` nor a `token_url`", hint);
            }
            None
        }
    };
    let client_secret = raw.client_secret.as_ref().and_then(|at| secret(at, check));
    Some(OauthSettings {
        token_url: token_url?,
        client_id: raw.client_id.as_ref()?.get().clone(),
        client_secret: client_secret?,
        scope: raw.scope.as_ref().map_or(EXCHANGE_ONLINE, |at| at.get()).to_owned(),
    })
}

/// Whether a secret may be sent there: encrypted, or without leaving this machine.
fn is_safe(url: &str) -> bool {
    let host = |rest: &str| {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default().to_owned();
        let is_plain = !authority.is_empty() && !authority.contains('@');
        is_plain.then(|| authority.rsplit_once(':').map_or(authority.clone(), |(host, _)| host.to_owned()))
    };
    match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => host(rest).is_some(),
        (None, Some(rest)) => host(rest).is_some_and(|host| is_loopback(&host)),
        (None, None) => false,
    }
}

pub(super) fn secret(at: &At<RawSecret>, check: &mut Check<'_>) -> Option<Secret> {
    let raw = at.get();
    check.both(("env", &raw.env), ("file", &raw.file));
    let from = match (&raw.env, &raw.file) {
        (Some(name), _) if name.get().contains('=') => {
            // What is wrong may be a secret itself: it is not repeated.
            check.wrong(name.span(), "this is not the name of an environment variable", "as in `SMTP_PASSWORD`");
            return None;
        }
        (Some(name), _) => SecretFrom::Env(name.get().clone()),
        (None, Some(file)) => SecretFrom::File(check.path(file)),
        (None, None) => {
            if check.whole {
                let hint = "`{ env = \"SMTP_PASSWORD\" }` or `{ file = \"smtp-password\" }`";
                check.wrong(at.span(), "the secret names neither `env` nor `file`", hint);
            }
            return None;
        }
    };
    Some(Secret { from, place: check.place(at.span()) })
}
