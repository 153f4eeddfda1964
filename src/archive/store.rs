//! The object store beneath the archive: create without overwriting, read, remove; errors with their kind.

use std::io::ErrorKind;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt as _;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions};

use super::ArchiveError;

/// An object store with its name in messages.
#[derive(Clone, Debug)]
pub(super) struct Store {
    name: String,
    inner: Arc<dyn ObjectStore>,
    /// The folder that it is in, if it is in one.
    folder: Option<PathBuf>,
}

/// What a creation found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Found {
    /// Nothing: the object is there now.
    Created,
    /// The same bytes.
    Same,
    /// Other bytes, which were left as they are.
    Other,
}

impl Store {
    pub(super) fn new(name: &str, inner: Arc<dyn ObjectStore>) -> Store {
        Store { name: name.to_owned(), inner, folder: None }
    }

    /// A folder whose every file, and every folder made for it, is synced before a creation returns.
    pub(super) fn folder(folder: &FilePath) -> Result<Store, ArchiveError> {
        let name = folder.display().to_string();
        let made = std::fs::create_dir_all(folder);
        made.map_err(|error| by_kind(&name, "", error.kind(), error.to_string()))?;
        let local = LocalFileSystem::new_with_prefix(folder);
        let local = local.map_err(|error| error_of(&name, "", &error))?.with_fsync(true);
        Ok(Store { folder: Some(folder.to_owned()), ..Store::new(&name, Arc::new(local)) })
    }

    /// A folder that was there and is away, as with the disk that it is on, is not made anew, and is not an empty one.
    fn check_there(&self) -> Result<(), ArchiveError> {
        match &self.folder {
            Some(folder) if !folder.is_dir() => Err(ArchiveError::Away { archive: self.name.clone() }),
            _ => Ok(()),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Creates an object, or finds out what stands in its place.
    pub(super) async fn create(&self, path: &Path, bytes: Bytes) -> Result<Found, ArchiveError> {
        self.check_there()?;
        let options = PutOptions::from(PutMode::Create);
        match self.inner.put_opts(path, bytes.clone().into(), options).await {
            Ok(_) => Ok(Found::Created),
            Err(Error::AlreadyExists { .. }) => {
                let there = self.read(path).await?;
                Ok(if there.is_some_and(|there| there == bytes) { Found::Same } else { Found::Other })
            }
            Err(error) => Err(self.error(path.as_ref(), error)),
        }
    }

    /// An object's bytes; none when there is no such object.
    pub(super) async fn read(&self, path: &Path) -> Result<Option<Bytes>, ArchiveError> {
        let read = async { self.inner.get(path).await?.bytes().await };
        match read.await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::NotFound { .. }) => self.check_there().map(|()| None),
            Err(error) => Err(self.error(path.as_ref(), error)),
        }
    }

    /// Removes an object, if it is there.
    pub(super) async fn remove(&self, path: &Path) -> Result<(), ArchiveError> {
        match self.inner.delete(path).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.error(path.as_ref(), error)),
        }
    }

    /// Every object under a prefix with its size in bytes, sorted by path.
    pub(super) async fn list(&self, prefix: Option<&Path>) -> Result<Vec<(Path, u64)>, ArchiveError> {
        self.check_there()?;
        let listed: Result<Vec<_>, _> =
            self.inner.list(prefix).map_ok(|object| (object.location, object.size)).try_collect().await;
        let mut listed = listed.map_err(|error| self.error(prefix.map_or("", AsRef::as_ref), error))?;
        listed.sort();
        Ok(listed)
    }

    pub(super) fn error(&self, path: &str, error: Error) -> ArchiveError {
        // Whatever it says of a place in it, where it is not there at all.
        self.check_there().err().unwrap_or_else(|| error_of(&self.name, path, &error))
    }
}

/// The store's error by the kind of the input or output error beneath it, if there is one.
fn error_of(archive: &str, path: &str, error: &Error) -> ArchiveError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            return by_kind(archive, path, io.kind(), io.to_string());
        }
        cause = inner.source();
    }
    match error {
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            by_kind(archive, path, ErrorKind::PermissionDenied, error.to_string())
        }
        _ => by_kind(archive, path, ErrorKind::Other, error.to_string()),
    }
}

fn by_kind(archive: &str, path: &str, kind: ErrorKind, words: String) -> ArchiveError {
    let (archive, path) = (archive.to_owned(), path.to_owned());
    match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => ArchiveError::Full { archive, path, words },
        ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::NotADirectory
        | ErrorKind::AlreadyExists => ArchiveError::Unwritable { archive, path, words },
        _ => ArchiveError::Store { archive, path, words },
    }
}
