//! `init`: a configuration and the shipped templates, to be edited.

use std::io::Write;
use std::path::Path;

use anyhow::Context;

use crate::config::shipped_files;

use super::WELL;
use super::say::{Failure, Say};

pub(super) fn init(dir: &Path, say: &Say) -> Result<u8, Failure> {
    let files = shipped_files();
    // Nothing is written when anything would be overwritten: what an admin edited is his.
    if let Some((path, _)) = files.iter().find(|(path, _)| dir.join(path).exists()) {
        return Err(Failure::wrong(
            format!("`{}` is there already", dir.join(path).display()),
            "name another folder, or move it away",
        ));
    }
    let mut written = Vec::new();
    for (path, text) in &files {
        let path = dir.join(path);
        write(&path, text).with_context(|| format!("`{}` cannot be written", path.display()))?;
        written.push(path.display().to_string());
    }
    let config = dir.join("pressrun.toml");
    let text = format!(
        "Wrote {} files to {}.\nNext: edit {}, then\n  pressrun --config {} check",
        written.len(),
        dir.display(),
        config.display(),
        config.display()
    );
    say.result(&serde_json::json!({ "files": written }), &text);
    Ok(WELL)
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::File::create_new(path)?.write_all(text.as_bytes())
}
