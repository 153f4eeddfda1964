//! A pack: an edition's files together, and where they stand.

use std::collections::BTreeSet;

use bytes::Bytes;
use object_store::path::{Path, PathPart};

use super::{ArchiveError, MANIFEST_NAME, Manifest};
use crate::base::{Digest, Period, file_name};

/// Which edition a pack is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PackKey {
    /// The report's name, as in `product-licenses`.
    pub report: String,
    /// The schedule's name.
    pub schedule: String,
    /// What it is about.
    pub period: Period,
    /// The partner's id; its name may change, and so has no place in a path.
    pub partner_id: String,
    /// The audience without its partner, as in `report-viewer.en`.
    pub audience: String,
    /// The edition's number: 1, and higher as it is corrected or made again.
    pub number: u32,
}

/// A file of a pack.
#[derive(Clone, PartialEq, Eq)]
pub struct PackFile {
    /// Its name in the pack's folder; at most 200 bytes, without `/`.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Bytes,
}

/// Where a pack stands, and what proves it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Archived {
    /// Its folder, from the archive's root, without a slash at its end.
    pub path: String,
    /// The digest of its manifest.
    pub manifest_digest: Digest,
}

/// A pack read back, every file as it was archived.
#[derive(Clone, PartialEq, Debug)]
pub struct Pack {
    /// Its folder.
    pub path: String,
    /// The digest of its manifest.
    pub manifest_digest: Digest,
    /// Its manifest.
    pub manifest: Manifest,
    /// The same as it stands in the archive, byte for byte.
    pub manifest_bytes: Bytes,
    /// Its files, in the manifest's order.
    pub files: Vec<PackFile>,
}

impl PackKey {
    /// The folder of the n-th try: `…/1`, and `…/1.2`, `…/1.3` where orphans stand in those before.
    pub(super) fn folder(&self, n: u32) -> Result<Path, ArchiveError> {
        let [partner, audience] = [&self.partner_id, &self.audience].map(|part| file_name(part));
        let last = if n == 1 { self.number.to_string() } else { format!("{}.{n}", self.number) };
        parsed(&format!("{}/{partner}/{audience}/{last}", shelf(self)))
    }
}

/// The folder of all packs of a key's report, schedule and period.
pub(super) fn shelf(key: &PackKey) -> String {
    [&key.report, &key.schedule, &key.period.to_string()].map(|part| file_name(part)).join("/")
}

/// A path as it is written, without percent-encoding: what people see in a folder is what a manifest says.
pub(super) fn parsed(path: &str) -> Result<Path, ArchiveError> {
    let wrong = || ArchiveError::Path(path.to_owned());
    let parsed = Path::parse(path).map_err(|_| wrong())?;
    if parsed.is_root() { Err(wrong()) } else { Ok(parsed) }
}

/// The path of a file in a pack's folder.
pub(super) fn object(folder: &Path, name: &str) -> Result<Path, ArchiveError> {
    let part = PathPart::parse(name).map_err(|_| ArchiveError::Name(name.to_owned()))?;
    Ok(folder.clone().join(part))
}

/// The files in the order of their names, each with a name of its own that every store can hold.
pub(super) fn sorted(files: &[PackFile]) -> Result<Vec<&PackFile>, ArchiveError> {
    let mut names = BTreeSet::new();
    for file in files {
        check_name(&file.name)?;
        // Some file systems take two names that differ in case only for one.
        if !names.insert(file.name.to_lowercase()) {
            return Err(ArchiveError::Name(file.name.clone()));
        }
    }
    let mut files: Vec<&PackFile> = files.iter().collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// Whether a name is one plain path segment, not hidden and not the manifest's.
pub(super) fn check_name(name: &str) -> Result<(), ArchiveError> {
    let is_odd = |letter: char| letter.is_control() || matches!(letter, '/' | '\\' | ':' | '#' | '%');
    let fits = !name.is_empty() && name.len() <= 200 && !name.starts_with('.') && !name.contains(is_odd);
    if fits && !name.eq_ignore_ascii_case(MANIFEST_NAME) { Ok(()) } else { Err(ArchiveError::Name(name.to_owned())) }
}
