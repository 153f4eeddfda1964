//! Postfix: Debian's package, unpacked below the build folder and not installed, so that no machine gets a mail server by
//! running tests, and none loses its own.

use std::path::{Path, PathBuf};

use crate::Tree;
use crate::peers::apt_get;
use crate::steps::Step;

/// Its master, below where it is unpacked.
const MASTER: &str = "usr/lib/postfix/sbin/master";

/// Where its master is.
pub fn master(tree: &Tree) -> PathBuf {
    folder(tree).join("root").join(MASTER)
}

fn folder(tree: &Tree) -> PathBuf {
    tree.peers.join("postfix")
}

/// Fetches the package, with those libraries that the machine has not, and unpacks them.
///
/// # Errors
/// With a sentence, when a step fails.
pub fn install(tree: &Tree) -> Result<(), String> {
    if master(tree).is_file() {
        println!("   Postfix: there");
        return Ok(());
    }
    let (debs, root) = (folder(tree).join("debs"), folder(tree).join("root"));
    std::fs::create_dir_all(debs.join("partial")).map_err(|error| format!("{}: {error}", debs.display()))?;
    apt_get(tree, &["update", "-q"])?;
    let archives = format!("Dir::Cache::archives={}", debs.display());
    let fetch = ["install", "--download-only", "-y", "--no-install-recommends", "-q", "-o", &archives, "postfix"];
    apt_get(tree, &fetch)?;
    for deb in packages(&debs)? {
        Step::new(tree, "set-up", "dpkg-deb").arg("-x").arg(deb).arg(&root).done()?;
    }
    if master(tree).is_file() { Ok(()) } else { Err(format!("Postfix was unpacked and has no {MASTER}")) }
}

fn packages(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let files = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    Ok(files.filter(|file| file.extension().is_some_and(|ending| ending == "deb")).collect())
}
