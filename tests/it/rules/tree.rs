//! The files of the source tree, read once.

use std::collections::BTreeSet;
use std::path::Path;

use super::code;

/// Folders that hold no source of ours.
const PASSED_OVER: [&str; 3] = ["target", ".git", "node_modules"];
/// Endings of files that people write as text; lock files are cargo's.
const WRITTEN: [&str; 10] = ["rs", "md", "toml", "sql", "html", "txt", "j2", "sh", "ftl", "yml"];

/// A file and what a compiler would see of it.
pub struct SourceFile {
    /// Its path from the root, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
    /// For Rust: the text with comments and the insides of strings blanked out; else empty.
    pub code: String,
}

/// The source tree.
pub struct Tree {
    /// Every written file, in the order of their paths.
    pub files: Vec<SourceFile>,
    /// The paths that are compiled for tests only.
    pub test_only: BTreeSet<String>,
}

impl Tree {
    /// Reads the whole tree of the package.
    pub fn read() -> Tree {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        walk(root, "", &mut files);
        files.sort_by(|one, other| one.path.cmp(&other.path));
        let test_only = test_only(&files);
        Tree { files, test_only }
    }

    /// Every Rust file.
    pub fn rust(&self) -> impl Iterator<Item = &SourceFile> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }

    /// Every Rust file of the library and its binary.
    pub fn library(&self) -> impl Iterator<Item = &SourceFile> {
        self.rust().filter(|file| file.path.starts_with("src/"))
    }

    /// The text of one file.
    pub fn text(&self, path: &str) -> &str {
        let file = self.files.iter().find(|file| file.path == path);
        &file.unwrap_or_else(|| panic!("{path} is missing")).text
    }
}

/// Fails with every finding on a line of its own.
pub fn report(what: &str, findings: impl Iterator<Item = String>) {
    let findings: Vec<String> = findings.collect();
    assert!(findings.is_empty(), "{what}:\n  {}", findings.join("\n  "));
}

fn walk(folder: &Path, path: &str, files: &mut Vec<SourceFile>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
        let is_written = WRITTEN.iter().any(|ending| name.ends_with(&format!(".{ending}"))) || path == ".ci/run";
        if entry.file_type().unwrap().is_dir() {
            if !PASSED_OVER.contains(&name.as_str()) {
                walk(&entry.path(), &path, files);
            }
        } else if is_written {
            // Fixtures may be in any encoding: what is no UTF-8 was not written as source.
            let Ok(text) = std::fs::read_to_string(entry.path()) else { continue };
            let code = if name.ends_with(".rs") { code::only(&text) } else { String::new() };
            files.push(SourceFile { path, text, code });
        }
    }
}

/// Files of modules that are declared under `#[cfg(test)]`, and those below them.
fn test_only(files: &[SourceFile]) -> BTreeSet<String> {
    let declared: Vec<String> = files
        .iter()
        .flat_map(|file| {
            let folder = code::module_folder(&file.path);
            code::test_modules(&file.code).into_iter().map(move |name| format!("{folder}/{name}"))
        })
        .collect();
    let is_below = |path: &str| {
        declared.iter().any(|module| path == format!("{module}.rs") || path.starts_with(&format!("{module}/")))
    };
    files.iter().map(|file| file.path.clone()).filter(|path| is_below(path)).collect()
}
