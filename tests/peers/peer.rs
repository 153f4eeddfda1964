//! Finding and running the other programs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Where a peer is.
///
/// # Panics
/// When it is neither where its variable says nor on the path.
pub fn path(name: &str) -> PathBuf {
    find(name).unwrap_or_else(|| panic!("{name} is missing: `cargo xtask test` installs it"))
}

/// A command that runs a peer.
///
/// # Panics
/// As [`path`].
pub fn command(name: &str) -> Command {
    let path = path(name);
    let mut command = match interpreter(name) {
        Some(interpreter) => {
            let mut command = command(interpreter);
            command.arg(&path);
            command
        }
        None => Command::new(&path),
    };
    command.stdin(Stdio::null());
    command
}

/// What a peer says to some arguments, whether it ends well or not.
pub fn run<A: AsRef<OsStr>>(name: &str, arguments: impl IntoIterator<Item = A>) -> Output {
    command(name).args(arguments).output().unwrap_or_else(|error| panic!("{name} does not start: {error}"))
}

/// Both streams of a program that failed, as one text.
pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What runs a peer that is a script. npm's want a Node newer than the machine's own may be.
fn interpreter(name: &str) -> Option<&'static str> {
    match name {
        "ooxml-validator" | "maildev" | "azurite-blob" => Some("node"),
        "pdf-standard" => Some("sh"),
        _ => None,
    }
}

/// Where `PRESSRUN_PEER_NAME` says, or else on the path.
fn find(name: &str) -> Option<PathBuf> {
    let variable = format!("PRESSRUN_PEER_{}", name.replace('-', "_").to_uppercase());
    let told = std::env::var_os(variable).map(PathBuf::from);
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let mut on_path = std::env::split_paths(&folders).map(|folder| folder.join(name));
    told.filter(|path| path.is_file()).or_else(|| on_path.find(|path| path.is_file()))
}

/// The folder of the Python packages that the set-up has installed.
///
/// # Panics
/// When there is none.
pub fn python_packages() -> PathBuf {
    let openpyxl = find("openpyxl").unwrap_or_else(|| panic!("openpyxl is missing: `cargo xtask test` installs it"));
    openpyxl.ancestors().nth(2).map(Path::to_owned).unwrap_or_default()
}

#[test]
#[should_panic(expected = "`cargo xtask test` installs it")]
fn a_peer_that_is_missing_fails_its_test_and_says_what_to_do() {
    command("no-such-peer");
}
