//! Where mails go and how fast, from the configuration.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;

use super::say::Failure;
use crate::config::{Config, Login, LoginBy, MailThrough, RelaySettings, Tls};
use crate::deliver::{self, Destination, Outbox, Smtp, SmtpLogin, SmtpSettings, TlsMode};
use crate::pipeline::Rates;

/// Where mails go.
pub(super) fn destination(config: &Config) -> Result<Arc<dyn Destination>, Failure> {
    Ok(match &config.mail.through {
        MailThrough::Outbox(folder) => Arc::new(Outbox::new(folder.as_ref() as &Path)),
        MailThrough::Relay(relay) => Arc::new(Smtp::new(relay_settings(relay)?).context("mail.relay")?),
    })
}

/// What the relay allows.
pub(super) fn rates(config: &Config) -> Rates {
    let MailThrough::Relay(relay) = &config.mail.through else { return Rates::default() };
    Rates {
        per_minute_max: relay.per_minute_max,
        per_day_max: relay.per_day_max,
        at_once_max: relay.connections_max as usize,
    }
}

fn smtp_login(login: &Login) -> Result<SmtpLogin, Failure> {
    let user = login.user.clone();
    Ok(match &login.by {
        LoginBy::Password(password) => SmtpLogin::Password { user, password: password.read()? },
        LoginBy::Oauth(oauth) => {
            let from = deliver::OauthSettings {
                token_url: oauth.token_url.clone(),
                client_id: oauth.client_id.clone(),
                client_secret: oauth.client_secret.read()?,
                scope: oauth.scope.clone(),
            };
            SmtpLogin::Oauth { user, from }
        }
    })
}

fn relay_settings(relay: &RelaySettings) -> Result<SmtpSettings, Failure> {
    Ok(SmtpSettings {
        host: relay.host.clone(),
        port: relay.port,
        tls: match relay.tls {
            Tls::Starttls => TlsMode::Starttls,
            Tls::Implicit => TlsMode::Implicit,
            Tls::None => TlsMode::None,
        },
        login: relay.login.as_ref().map(smtp_login).transpose()?,
        ca_file: relay.ca_file.as_ref().map(|path| path.to_path_buf()),
        hello_name: None,
        timeout_secs: relay.timeout_secs.into(),
        attachment_bytes_max: relay.attachment_bytes_max,
        connections_max: relay.connections_max as usize,
    })
}
