//! Stores as destinations: a folder, S3 or Azure Blob gets each edition's files, and its manifest last.
//!
//! Objects are created and never overwritten. After each creation, and whenever its answer was lost, the object is read
//! back: what is there with the same bytes was taken, what has other bytes is left alone and is an error. So nothing is
//! ever uncertain, and a hand-over that broke off is completed by the next.

mod open;
mod path;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{Attribute, Attributes, Error, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions};

pub use open::{StorePlace, StoreSettings};
pub use path::{PathTemplate, PathTemplateError, STORE_TEXT_CHARS, is_store_text};

use super::{Attachment, Destination, Handed, Outcome, Parcel, Receipt};
use crate::base::{Digest, header_text, short_name};
use crate::render::Format;

/// The most of a store's words that stand in a message: some answer with whole pages.
const WORDS_CHARS_MAX: usize = 400;

/// A store that gets the files of editions under names of a template.
#[derive(Debug)]
pub struct Store {
    name: String,
    place: Place,
    prefix: Option<String>,
    path: PathTemplate,
    formats: Option<Vec<Format>>,
    timeout: Duration,
}

#[derive(Debug)]
enum Place {
    /// Opened with each parcel, so that a disk that is away for a while stops nothing else.
    Folder(PathBuf),
    /// A client; nothing is asked before the first parcel.
    Remote(Arc<dyn ObjectStore>),
}

/// What stands where an object is to stand.
enum Found {
    Nothing,
    Same,
    Other,
}

impl Store {
    /// A store as it is configured; nothing is asked or written yet.
    ///
    /// # Errors
    /// In words, when the client cannot be made of these settings.
    pub fn new(settings: StoreSettings) -> Result<Store, String> {
        let timeout = Duration::from_secs(settings.timeout_secs);
        let (name, place, prefix) = open::place(settings.place, timeout)?;
        Ok(Store { name, place, prefix, path: settings.path, formats: settings.formats, timeout })
    }

    /// The files that this store gets, each with where it stands; the manifest last.
    fn objects(&self, parcel: &Parcel) -> Result<Vec<(Path, Attachment)>, String> {
        let wants = |file: &&Attachment| match &self.formats {
            None => true,
            Some(formats) => formats.iter().any(|format| format.media_type() == file.media_type),
        };
        let edition = parcel.edition.as_ref().ok_or("a store takes editions only")?;
        let files = parcel.attachments.iter().filter(wants).chain([&edition.manifest]);
        let named =
            |file: &Attachment| Ok((self.path.object(self.prefix.as_deref(), edition, &file.file_name)?, file.clone()));
        files.map(named).collect()
    }

    async fn put_all(&self, parcel: &Parcel) -> Result<Receipt, Outcome> {
        let objects = self.objects(parcel).map_err(|words| Outcome::Failed(format!("{}: {words}", self.name)))?;
        let store = self.open().await?;
        for (path, file) in &objects {
            self.put(&store, path, file).await?;
        }
        let receipt = objects.last().map(|(path, manifest)| {
            let n_files = objects.len() - 1;
            format!("{path} and {n_files} files; SHA-256 {}", Digest::of(&manifest.bytes))
        });
        Ok(Receipt(receipt.unwrap_or_default()))
    }

    /// Creates an object, and reads it back whatever the answer was.
    async fn put(&self, store: &Arc<dyn ObjectStore>, path: &Path, file: &Attachment) -> Result<(), Outcome> {
        let mut options = PutOptions::from(PutMode::Create);
        if let Place::Remote(_) = self.place {
            options.attributes = Attributes::from_iter([(Attribute::ContentType, file.media_type.clone())]);
        }
        let put = self.in_time(store.put_opts(path, file.bytes.clone().into(), options)).await;
        match (self.look(store, path, &file.bytes).await, put) {
            (Ok(Found::Same), Ok(_)) => Ok(()),
            (Ok(Found::Same), Err(_)) => self.keep(path).await,
            (Ok(Found::Other), _) => Err(Outcome::Failed(format!(
                "{}: `{path}` is there already with other content; hint: it was not overwritten, compare the two or \
                 move it away",
                self.name
            ))),
            (_, Err(error)) => Err(self.outcome(path.as_ref(), &error)),
            (Err(error), Ok(_)) => Err(self.outcome(path.as_ref(), &error)),
            (Ok(Found::Nothing), Ok(_)) => {
                Err(Outcome::Retryable(format!("{}: `{path}` was taken, and is not there", self.name)))
            }
        }
    }

    /// What stands at a path. An object of another size is another without being read.
    async fn look(&self, store: &Arc<dyn ObjectStore>, path: &Path, bytes: &Bytes) -> Result<Found, Error> {
        let read = async {
            let found = store.get(path).await?;
            if found.meta.size != bytes.len() as u64 {
                return Ok(Found::Other);
            }
            Ok(if Digest::of(&found.bytes().await?) == Digest::of(bytes) { Found::Same } else { Found::Other })
        };
        match self.in_time(read).await {
            Err(Error::NotFound { .. }) => Ok(Found::Nothing),
            looked => looked,
        }
    }

    /// A file that was found there is durable only when its folder is; whoever made it may not have come to that.
    async fn keep(&self, path: &Path) -> Result<(), Outcome> {
        let Place::Folder(root) = &self.place else { return Ok(()) };
        let folder = root.join(path.as_ref()).parent().map_or_else(|| root.clone(), FilePath::to_path_buf);
        let task = tokio::task::spawn_blocking(move || synced(&folder));
        let synced = task.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        synced.map_err(|error| Outcome::Retryable(format!("{}: `{path}`: {error}", self.name)))
    }

    async fn open(&self) -> Result<Arc<dyn ObjectStore>, Outcome> {
        let folder = match &self.place {
            Place::Remote(store) => return Ok(Arc::clone(store)),
            Place::Folder(folder) => folder.clone(),
        };
        let opening = async {
            let task = tokio::task::spawn_blocking(move || opened(&folder));
            task.await.map_err(|source| Error::JoinError { source })?
        };
        self.in_time(opening).await.map_err(|error| self.outcome("", &error))
    }

    /// The error of an answer that did not come in time is like any other of a moment.
    async fn in_time<T>(&self, asked: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let late = || {
            let source = format!("no answer within {} s", self.timeout.as_secs()).into();
            Error::Generic { store: "store", source }
        };
        tokio::time::timeout(self.timeout, asked).await.unwrap_or_else(|_| Err(late()))
    }

    /// Only what no admin of the store can mend is given up at once.
    fn outcome(&self, path: &str, error: &Error) -> Outcome {
        let at = if path.is_empty() { String::new() } else { format!(" `{path}`:") };
        let words = format!("{}:{at} {}", self.name, said(error));
        match error {
            Error::NotImplemented { .. } | Error::NotSupported { .. } | Error::InvalidPath { .. } => {
                Outcome::Failed(words)
            }
            _ => Outcome::Retryable(words),
        }
    }
}

impl Destination for Store {
    /// Nothing is ever uncertain here: what is handed over again is found there, or put.
    fn can_tell(&self) -> bool {
        true
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> BoxFuture<'a, Handed> {
        async move {
            let outcome = self.put_all(parcel).await.map_or_else(|outcome| outcome, Outcome::Delivered);
            // What may be tried again has failed by the store, not by the pack.
            Handed { is_out_of_order: matches!(outcome, Outcome::Retryable(_)), ..outcome.into() }
        }
        .boxed()
    }

    /// None: a Message-ID says nothing about where an edition stands. Handing it over again tells, and is harmless.
    fn receipt<'a>(&'a self, _message_id: &'a str) -> BoxFuture<'a, Option<Receipt>> {
        async { None }.boxed()
    }

    fn check(&self) -> BoxFuture<'_, Result<String, String>> {
        async move {
            let words = |outcome| match outcome {
                Outcome::Failed(words) | Outcome::Retryable(words) | Outcome::Uncertain(words) => words,
                Outcome::TooLarge { reason, .. } => reason,
                Outcome::Delivered(_) => String::new(),
            };
            let store = self.open().await.map_err(words)?;
            if let Place::Folder(folder) = &self.place {
                let folder = folder.clone();
                let task = tokio::task::spawn_blocking(move || tempfile::tempfile_in(folder).map(|_| ()));
                let tried = task.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
                return match tried {
                    Ok(()) => Ok("it can be written".to_owned()),
                    Err(error) => Err(format!("{error}; hint: let the user that pressrun runs as write there")),
                };
            }
            let prefix = self.prefix.as_deref().and_then(|prefix| Path::parse(prefix).ok());
            let first = async { store.list(prefix.as_ref()).next().await.transpose() };
            match self.in_time(first).await {
                Ok(_) => {
                    Ok("it answers and lets us list; nothing was written, since it might not be removed".to_owned())
                }
                Err(error) => Err(said(&error)),
            }
        }
        .boxed()
    }
}

fn opened(folder: &FilePath) -> Result<Arc<dyn ObjectStore>, Error> {
    let failed = |error: std::io::Error| Error::Generic { store: "folder", source: error.into() };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let local = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
    Ok(Arc::new(local))
}

fn synced(folder: &FilePath) -> std::io::Result<()> {
    // Windows opens no folder as a file, and needs no such sync.
    if cfg!(windows) { Ok(()) } else { std::fs::File::open(folder)?.sync_all() }
}

/// A store's error in one line, with what to do.
fn said(error: &Error) -> String {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        // Most say their cause themselves.
        let more = inner.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        cause = inner.source();
    }
    let hint = hint(error, &words);
    let words = short_name(&header_text(&words), WORDS_CHARS_MAX);
    match hint {
        "" => words,
        hint => format!("{words}; hint: {hint}"),
    }
}

/// The codes by which S3 and Azure say so where the client has no kind for it, as when a listing fails.
const REFUSED: [&str; 6] = [
    "AccessDenied",
    "AuthenticationFailed",
    "AuthorizationFailure",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "AccountIsDisabled",
];
const ABSENT: [&str; 2] = ["NoSuchBucket", "ContainerNotFound"];

fn hint(error: &Error, words: &str) -> &'static str {
    const KEY: &str = "see that the key is the right one, and let it create, read and list objects there";
    const CONTAINER: &str = "make the bucket or container; pressrun makes none";
    use std::io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        match inner.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
            Some(StorageFull | QuotaExceeded) => return "make room there",
            Some(PermissionDenied) => return "let the user that pressrun runs as write there",
            Some(ReadOnlyFilesystem) => return "mount it writable, or name another folder",
            _ => cause = inner.source(),
        }
    }
    match error {
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => KEY,
        Error::NotFound { .. } => CONTAINER,
        Error::NotImplemented { .. } | Error::NotSupported { .. } => "name a store that can create without overwriting",
        _ if ABSENT.iter().any(|code| words.contains(code)) => CONTAINER,
        _ if REFUSED.iter().any(|code| words.contains(code)) => KEY,
        _ => "",
    }
}
