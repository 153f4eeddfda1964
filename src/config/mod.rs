//! `pressrun.toml` → checked settings; whatever is doubtful is refused with file, line, column and a hint.
//!
//! A file is read into raw values with their spans (`raw`), checked by its schema (`keys`), then by sense (`check`
//! and its neighbours). All errors are gathered, so that a file is mended in one go.

mod at;
mod brakes;
mod cadence;
mod calendars;
mod check;
mod daemon;
mod error;
mod find;
mod hint;
mod keys;
mod login;
mod mail;
mod raw;
mod raw_mail;
mod raw_store;
mod recipients;
mod schedules;
mod schema;
mod secret;
mod settings;
mod shipped;
mod source;
mod stores;
mod templates;
#[cfg(test)]
mod tests;
mod themes;

use std::path::Path;

pub use brakes::DigestSettings;
pub use error::{ConfigError, ConfigErrors, ERRORS_MAX};
pub use find::find;
pub use recipients::{RECIPIENTS_MAX, RecipientRow, WrongRecipient, recipient};
pub use schedules::SCHEDULES_MAX;
pub use schema::json_schema;
pub use secret::{Secret, SecretFrom};
pub use settings::{
    Config, DaemonSettings, FactsFrom, FactsSettings, FilePath, Login, LoginBy, MailSettings, MailThrough,
    OauthSettings, OnEmpty, OwnFile, Partners, RecipientsFrom, RelaySettings, RetrySettings, ScheduleSettings, Tls,
};
pub use shipped::shipped_files;
pub use source::{FILE_BYTES_MAX, Place, Source, read_text};
pub use stores::{STORES_MAX, StoreAt, StoreConfig};
pub use templates::REPORT;
pub use themes::PARTNER_THEMES_MAX;

/// Reads a configuration with everything that it names but secrets and databases: templates, recipients, mappings.
///
/// # Errors
/// Everything that is wrong with it, up to [`ERRORS_MAX`] and the rest counted.
pub fn load(path: &Path) -> Result<Config, ConfigErrors> {
    let text = read_text(path)
        .map_err(|error| error.or_hint("name one with `--config FILE`, or write one with `pressrun init`"))?;
    check::config(path, &text)
}
