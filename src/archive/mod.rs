//! Puts packs and their manifests into an object store, once and for all, and proves that they are unchanged.
//!
//! A pack's files go first and its manifest last: what has a manifest is complete. Nothing is overwritten. An
//! object without a manifest belongs to nobody; a later try that finds one with other bytes takes the next folder.

mod content;
mod error;
mod manifest;
mod pack;
mod shelf;
mod store;
#[cfg(test)]
mod tests;

use std::path::Path as FilePath;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::path::Path;

pub use error::ArchiveError;
pub use manifest::{MANIFEST_NAME, Manifest, ManifestAudience, ManifestFile};
pub use pack::{Archived, Pack, PackFile, PackKey};
pub use shelf::Shelf;

use self::store::{Found, Store};
use crate::base::Digest;
use crate::report::Report;

/// How many folders of one edition may be tried: `1/`, `1.2/` … `1.100/`. Each stands for a crash.
const FOLDERS_MAX: u32 = 100;

/// The object that [`Archive::canary`] writes and removes.
const CANARY: &str = ".pressrun-canary";

/// The archive: an object store of packs.
#[derive(Clone, Debug)]
pub struct Archive {
    store: Store,
}

impl Archive {
    /// The archive in a folder, which is made if it is not there. What it writes is on the disk when it says so:
    /// files, their names and the folders made for them are synced.
    ///
    /// # Errors
    /// When the folder cannot be made or opened.
    pub fn folder(folder: &FilePath) -> Result<Archive, ArchiveError> {
        Ok(Archive { store: Store::folder(folder)? })
    }

    /// The archive in any store that can create without overwriting; `name` stands for it in messages.
    pub fn new(name: &str, store: Arc<dyn ObjectStore>) -> Archive {
        Archive { store: Store::new(name, store) }
    }

    /// Its name in messages: the folder, or what it was called.
    pub fn name(&self) -> &str {
        self.store.name()
    }

    /// Puts a pack: its files in the order of their names, then the manifest with their digests.
    ///
    /// The same pack again, after a crash at any point, ends with the same objects: what is missing is added,
    /// what is there is left as it is. `manifest.files` is filled in here.
    ///
    /// # Errors
    /// When a name cannot be a file's, when key and manifest disagree, when the edition is there already with
    /// other content, or when the store fails.
    pub async fn put(&self, key: &PackKey, files: &[PackFile], manifest: Manifest) -> Result<Archived, ArchiveError> {
        let files = pack::sorted(files)?;
        let manifest = manifest.of_files(key, &files)?;
        let bytes = manifest.to_bytes();
        for n in 1..=FOLDERS_MAX {
            let folder = key.folder(n)?;
            if self.fill(&folder, &files, &bytes).await? {
                return Ok(Archived { path: folder.to_string(), manifest_digest: Digest::of(&bytes) });
            }
        }
        Err(ArchiveError::Folders { path: key.folder(1)?.to_string(), n_folders: FOLDERS_MAX })
    }

    /// Completes a folder with this pack; false when other bytes stand in it.
    async fn fill(&self, folder: &Path, files: &[&PackFile], manifest: &[u8]) -> Result<bool, ArchiveError> {
        let manifest_path = pack::object(folder, MANIFEST_NAME)?;
        if let Some(there) = self.store.read(&manifest_path).await? {
            return if there == manifest { Ok(true) } else { Err(self.taken(folder)) };
        }
        // Looked through before anything is written, so that an orphan of another pack gets no file of ours.
        for (path, size) in self.store.list(Some(folder)).await? {
            let same_name = files.iter().find(|file| pack::object(folder, &file.name).is_ok_and(|own| own == path));
            let Some(file) = same_name.filter(|file| file.bytes.len() as u64 == size) else { return Ok(false) };
            if self.store.read(&path).await?.is_some_and(|there| there != file.bytes) {
                return Ok(false);
            }
        }
        for file in files {
            match self.store.create(&pack::object(folder, &file.name)?, file.bytes.clone()).await? {
                Found::Created | Found::Same => {}
                Found::Other => return Ok(false),
            }
        }
        match self.store.create(&manifest_path, manifest.to_vec().into()).await? {
            Found::Created | Found::Same => Ok(true),
            Found::Other => Err(self.taken(folder)),
        }
    }

    fn taken(&self, folder: &Path) -> ArchiveError {
        ArchiveError::Taken { archive: self.name().to_owned(), path: folder.to_string() }
    }

    /// The pack in a folder, every file checked against the manifest.
    ///
    /// # Errors
    /// When there is no manifest, when it cannot be read, or when a file is missing or differs; the file is named.
    pub async fn get(&self, path: &str) -> Result<Pack, ArchiveError> {
        self.read(path, |_| true).await
    }

    /// The report as values of the pack in a folder, checked against the manifest; no other file is read. None when it is
    /// not there or not readable.
    ///
    /// # Errors
    /// As [`Archive::get`].
    pub async fn report(&self, path: &str) -> Result<Option<Report>, ArchiveError> {
        Ok(self.read(path, |name| name == content::REPORT).await?.report())
    }

    /// The manifest of the pack in a folder; no other file is read.
    ///
    /// # Errors
    /// When it is not there or cannot be read.
    pub async fn manifest(&self, path: &str) -> Result<Manifest, ArchiveError> {
        Ok(self.read(path, |_| false).await?.manifest)
    }

    async fn read(&self, path: &str, is_wanted: impl Fn(&str) -> bool) -> Result<Pack, ArchiveError> {
        let folder = pack::parsed(path)?;
        let missing = |file: &str| ArchiveError::Missing { path: path.to_owned(), file: file.to_owned() };
        let bytes = self.store.read(&pack::object(&folder, MANIFEST_NAME)?).await?;
        let bytes = bytes.ok_or_else(|| missing(MANIFEST_NAME))?;
        let manifest = Manifest::from_bytes(path, &bytes)?;
        let mut files = Vec::with_capacity(manifest.files.len());
        for listed in manifest.files.iter().filter(|listed| is_wanted(&listed.name)) {
            // A manifest that was tampered with must not lead out of its folder.
            pack::check_name(&listed.name)?;
            let bytes = self.store.read(&pack::object(&folder, &listed.name)?).await?;
            let bytes = bytes.ok_or_else(|| missing(&listed.name))?;
            let found = Digest::of(&bytes);
            if found != listed.digest || bytes.len() as u64 != listed.n_bytes {
                return Err(ArchiveError::Differs {
                    path: path.to_owned(),
                    file: listed.name.clone(),
                    expected: listed.digest,
                    found,
                });
            }
            files.push(PackFile { name: listed.name.clone(), media_type: listed.media_type.clone(), bytes });
        }
        let manifest_digest = Digest::of(&bytes);
        Ok(Pack { path: path.to_owned(), manifest_digest, manifest, manifest_bytes: bytes, files })
    }

    /// The folders of all complete packs under a prefix (empty for all), sorted.
    ///
    /// # Errors
    /// When the store cannot be listed.
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>, ArchiveError> {
        let prefix = if prefix.is_empty() { None } else { Some(pack::parsed(prefix)?) };
        let ending = format!("/{MANIFEST_NAME}");
        let found = self.store.list(prefix.as_ref()).await?;
        let mut folders: Vec<String> =
            found.iter().filter_map(|(path, _)| path.as_ref().strip_suffix(&ending).map(str::to_owned)).collect();
        folders.sort();
        Ok(folders)
    }

    /// Writes an object, reads it back and removes it; for `check`.
    ///
    /// # Errors
    /// When any of that fails, with the place and what to do.
    pub async fn canary(&self) -> Result<(), ArchiveError> {
        let path = Path::from(CANARY);
        // One left by a crash, or by another process that checks at the same time, is ours to remove.
        self.store.remove(&path).await?;
        self.store.create(&path, bytes::Bytes::from_static(b"pressrun")).await?;
        self.store.read(&path).await?;
        self.store.remove(&path).await
    }
}
