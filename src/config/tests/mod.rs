//! Configurations, good and bad, through one door.

mod bad_brakes;
mod bad_daemon;
mod bad_input;
mod bad_recipients;
mod bad_relay;
mod bad_stores;
mod bad_templates;
mod bad_theme;
mod shipped;

use std::path::{Path, PathBuf};

use super::{Config, ConfigErrors, load};

/// A folder with a `pressrun.toml` and what it names.
struct Folder(tempfile::TempDir);

impl Folder {
    /// Files by their paths, each with its text.
    fn with(files: &[(&str, &str)]) -> Folder {
        let folder = Folder(tempfile::tempdir().unwrap());
        for (path, text) in files {
            let path = folder.path(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn load(&self) -> Result<Config, ConfigErrors> {
        load(&self.path("pressrun.toml"))
    }

    /// What is wrong with it: first line and hint of each error, with the folder's own path left out.
    fn errors(&self) -> Vec<(String, String)> {
        let errors = self.load().map_or_else(|errors| errors, |_| ConfigErrors::default());
        let own = format!("{}/", self.0.path().display());
        errors.iter().map(|error| (error.first_line().replace(&own, ""), error.hint().replace(&own, ""))).collect()
    }
}

/// Files in a folder end in these errors, each a first line and a hint, and in no others.
fn check(files: &[(&str, &str)], expected: &[(&str, &str)]) {
    let found = Folder::with(files).errors();
    let found: Vec<(&str, &str)> = found.iter().map(|(line, hint)| (line.as_str(), hint.as_str())).collect();
    assert_eq!(found, expected, "\nin {}", files.last().map_or("", |(_, text)| text));
}

/// The smallest configuration, each part on its own so that a test can do without it.
const FACTS: &str = "[facts]\ndatabase = \"facts.db\"\n";
const STORES: &str = "[ledger]\ndatabase = \"ledger.db\"\n[archive]\nfolder = \"archive\"\n";
const MAIL: &str = "[mail]\nfrom = \"Reports <r@example.com>\"\ncontact = \"admin\"\noutbox = \"outbox\"\n";

/// The smallest configuration, 10 lines, with something after it.
fn smallest_and(more: &str) -> String {
    format!("{FACTS}{STORES}{MAIL}{more}")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
