//! Secrets stand in the environment or in files, never in the configuration; they are read when needed.

use std::ffi::OsString;

use secrecy::SecretString;
use serde::Serialize;

use super::settings::FilePath;
use super::source::{self, Place};
use super::{ConfigError, hint};

/// The largest secret: 64 KiB; a larger file is another one than was meant.
const SECRET_BYTES_MAX: u64 = 64 << 10;

/// Where a secret is. Neither it nor its digest is ever written anywhere.
#[derive(Clone, Debug, Serialize)]
pub struct Secret {
    /// In the environment or in a file.
    pub from: SecretFrom,
    /// Where the configuration names it.
    #[serde(skip)]
    pub place: Place,
}

/// In the environment or in a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretFrom {
    /// In an environment variable of that name.
    Env(String),
    /// In a file, whose last line end does not count.
    File(FilePath),
}

impl PartialEq for Secret {
    fn eq(&self, other: &Secret) -> bool {
        self.from == other.from
    }
}

impl Secret {
    /// Reads it.
    ///
    /// # Errors
    /// When the variable is not set, or the file is missing, unreadable, empty or open to everybody.
    pub fn read(&self) -> Result<SecretString, ConfigError> {
        self.read_with(|name| std::env::var_os(name))
    }

    fn read_with(&self, env: impl Fn(&str) -> Option<OsString>) -> Result<SecretString, ConfigError> {
        let wrong = |what: String, hint: &str| Err(ConfigError::new(what, self.place.clone(), hint));
        let text = match &self.from {
            SecretFrom::Env(name) => match env(name).map(OsString::into_string) {
                None => return wrong(format!("environment variable `{name}` is not set"), "set it for pressrun only"),
                Some(Err(_)) => return wrong(format!("environment variable `{name}` is not UTF-8"), hint::NONE),
                Some(Ok(text)) => text,
            },
            SecretFrom::File(path) => self.read_file(path)?,
        };
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.is_empty() {
            return wrong("the secret is empty".to_owned(), hint::NONE);
        }
        Ok(SecretString::from(text.to_owned()))
    }

    fn read_file(&self, path: &FilePath) -> Result<String, ConfigError> {
        let name = path.display();
        let wrong = |what: String, hint: String| ConfigError::new(what, self.place.clone(), hint);
        let unreadable = |error: std::io::Error| {
            let hint = match error.kind() {
                std::io::ErrorKind::NotFound => "paths in the configuration count from its own folder".to_owned(),
                _ => format!("let the user who runs pressrun, and nobody else, read `{name}`"),
            };
            wrong(format!("cannot read the secret in `{name}`: {}", source::reason(&error)), hint)
        };
        let about = std::fs::metadata(path).map_err(unreadable)?;
        if is_open_to_everybody(&about) {
            let hint = format!("run `chmod o= {name}`; for a mounted secret set its mode to 0440 or 0400");
            return Err(wrong(format!("the secret in `{name}` is open to everybody on this machine"), hint));
        }
        let bytes = source::read_bytes(path, SECRET_BYTES_MAX).map_err(unreadable)?.ok_or_else(|| {
            let what = format!("`{name}` has more than {SECRET_BYTES_MAX} bytes, too many for a secret");
            wrong(what, "is it the right file?".to_owned())
        })?;
        String::from_utf8(bytes).map_err(|_| wrong(format!("the secret in `{name}` is not UTF-8"), String::new()))
    }
}

#[cfg(unix)]
fn is_open_to_everybody(about: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    about.permissions().mode() & 0o007 != 0
}

#[cfg(not(unix))]
fn is_open_to_everybody(_about: &std::fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::super::source::Source;
    use super::*;

    fn secret(from: SecretFrom) -> Secret {
        Secret { from, place: Source::new("pressrun.toml", "password = { }").place(11..14) }
    }

    fn check(from: SecretFrom, env: Option<&str>, expected: Result<&str, &str>) {
        let read = secret(from).read_with(|_| env.map(OsString::from));
        match expected {
            Ok(text) => assert_eq!(read.unwrap().expose_secret(), text),
            Err(message) => assert_eq!(read.unwrap_err().to_string(), message),
        }
    }

    #[test]
    fn secrets_come_from_the_environment() {
        let env = || SecretFrom::Env("P".to_owned());
        check(env(), Some("geheim"), Ok("geheim"));
        let unset = "environment variable `P` is not set at pressrun.toml:1:12\nhint: set it for pressrun only";
        check(env(), None, Err(unset));
        check(env(), Some(""), Err("the secret is empty at pressrun.toml:1:12"));
        assert!(!format!("{:?}", secret(env()).read_with(|_| Some("geheim".into()))).contains("geheim"));
    }

    #[cfg(unix)]
    #[test]
    fn secret_files_must_be_there_and_closed_to_others() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let file = || SecretFrom::File(FilePath::new(dir.path(), "p"));
        let path = dir.path().join("p");
        let name = path.display();
        let missing = format!(
            "cannot read the secret in `{name}`: there is no such file at pressrun.toml:1:12\n\
             hint: paths in the configuration count from its own folder"
        );
        check(file(), None, Err(&missing));
        std::fs::write(&path, "geheim\r\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let open = format!(
            "the secret in `{name}` is open to everybody on this machine at pressrun.toml:1:12\n\
             hint: run `chmod o= {name}`; for a mounted secret set its mode to 0440 or 0400"
        );
        check(file(), None, Err(&open));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        check(file(), None, Ok("geheim"));
        std::fs::write(&path, "\n").unwrap();
        check(file(), None, Err("the secret is empty at pressrun.toml:1:12"));
    }
}
