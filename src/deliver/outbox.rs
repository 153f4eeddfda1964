//! A folder of `.eml` files: mails for those who have no relay yet, and for trying things out.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::{Destination, Handed, Outcome, Parcel, Receipt, mime};
use crate::base::{Digest, file_name};

/// Puts each mail into a folder as one `.eml` file, readable by its owner only.
///
/// A file is complete or not there: it is written under another name, synced, and then named. None is ever
/// overwritten; the same mail again is found to be there already.
#[derive(Clone, Debug)]
pub struct Outbox {
    folder: PathBuf,
}

impl Outbox {
    /// The outbox in that folder, which is made when the first mail comes.
    pub fn new(folder: impl Into<PathBuf>) -> Outbox {
        Outbox { folder: folder.into() }
    }

    /// Where a parcel's file stands: day, recipient, and what its Message-ID is found by.
    fn path(&self, parcel: &Parcel) -> PathBuf {
        let day = parcel.date_at.format("%Y-%m-%d");
        let recipient = parcel.rehearsed_for.as_ref().unwrap_or(&parcel.to);
        self.folder.join(format!("{day}_{}{}", file_name(&recipient.address), ending(&parcel.message_id)))
    }
}

impl Destination for Outbox {
    fn can_tell(&self) -> bool {
        true
    }

    fn name(&self) -> String {
        format!("outbox {}", self.folder.display())
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> BoxFuture<'a, Handed> {
        async move {
            let mail = match mime::mail(parcel) {
                Ok(mail) => mail,
                Err(words) => return Outcome::Failed(words).into(),
            };
            let path = self.path(parcel);
            let task = tokio::task::spawn_blocking(move || put(&path, &mail.bytes));
            // A task that died may have named the file or not, but a second try tells by its bytes.
            let broken = |error| Outcome::Retryable(format!("writing the mail broke off: {error}"));
            let outcome = task.await.unwrap_or_else(broken);
            // A folder that cannot be written takes no other mail either.
            Handed { is_out_of_order: matches!(outcome, Outcome::Retryable(_)), ..outcome.into() }
        }
        .boxed()
    }

    fn receipt<'a>(&'a self, message_id: &'a str) -> BoxFuture<'a, Option<Receipt>> {
        let (folder, ending) = (self.folder.clone(), ending(message_id));
        async move {
            let task = tokio::task::spawn_blocking(move || find(&folder, &ending));
            task.await.ok().flatten().map(|path| receipt(&path))
        }
        .boxed()
    }

    fn check(&self) -> BoxFuture<'_, Result<String, String>> {
        let folder = self.folder.clone();
        async move {
            let task = tokio::task::spawn_blocking(move || {
                let tried = written(&folder, b"pressrun").and_then(tempfile::NamedTempFile::close);
                tried.map(|()| format!("{} can be written", folder.display())).map_err(|error| words(&folder, &error))
            });
            task.await.unwrap_or_else(|error| Err(format!("trying the outbox broke off: {error}")))
        }
        .boxed()
    }
}

/// How the name of a mail's file ends: 16 digits of its Message-ID's digest.
fn ending(message_id: &str) -> String {
    format!("_{}.eml", &Digest::of(message_id.as_bytes()).to_string()[..16])
}

fn receipt(path: &Path) -> Receipt {
    Receipt(path.display().to_string())
}

/// The file whose name ends like that; the first by name, if somebody copied one.
fn find(folder: &Path, ending: &str) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    paths.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(ending))).min()
}

fn put(path: &Path, bytes: &[u8]) -> Outcome {
    let folder = path.parent().unwrap_or(Path::new("."));
    let retry = |error: &std::io::Error| Outcome::Retryable(words(folder, error));
    let file = match written(folder, bytes) {
        Ok(file) => file,
        Err(error) => return retry(&error),
    };
    match file.persist_noclobber(path) {
        Ok(_) => {}
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => match std::fs::read(path) {
            Ok(there) if there == bytes => {}
            Ok(_) => {
                return Outcome::Failed(format!(
                    "{} is there already with other content; hint: it was not overwritten, compare the two or move it away",
                    path.display()
                ));
            }
            Err(error) => return retry(&error),
        },
        Err(error) => return retry(&error.error),
    }
    // The name is durable only when its folder is; that holds for a name found there, too.
    match synced(folder) {
        Ok(()) => Outcome::Delivered(receipt(path)),
        Err(error) => retry(&error),
    }
}

/// A synced file without its final name, in the folder it will stand in.
fn written(folder: &Path, bytes: &[u8]) -> std::io::Result<tempfile::NamedTempFile> {
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(".mail-").suffix(".part").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn synced(folder: &Path) -> std::io::Result<()> {
    // Windows opens no folder as a file, and needs no such sync.
    if cfg!(windows) { Ok(()) } else { std::fs::File::open(folder)?.sync_all() }
}

fn words(folder: &Path, error: &std::io::Error) -> String {
    let hint = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room on that disk",
        ErrorKind::PermissionDenied => "let the user that pressrun runs as write there",
        ErrorKind::ReadOnlyFilesystem => "mount it writable, or name another folder",
        _ => "see that the path is a folder that can be written",
    };
    format!("outbox {} cannot be written: {error}; hint: {hint}", folder.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::mime::tests::parcel;

    fn files(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn a_mail_is_put_once_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let outbox = Outbox::new(folder.path().join("deep/er"));
        let parcel = parcel("cfo@example.com");
        assert_eq!(outbox.receipt(&parcel.message_id).await, None);
        let first = outbox.deliver(&parcel).await.outcome;
        let Outcome::Delivered(receipt) = &first else { panic!("{first:?}") };
        assert_eq!(std::fs::read(&receipt.0).unwrap(), mime::mail(&parcel).unwrap().bytes);
        assert_eq!(outbox.deliver(&parcel).await.outcome, first);
        assert_eq!(outbox.receipt(&parcel.message_id).await.as_ref(), Some(receipt));
        assert_eq!(outbox.receipt("other@reports.example").await, None);
        let names = files(&folder.path().join("deep/er"));
        assert_eq!(names.len(), 1, "{names:?}");
        assert!(names[0].starts_with("2026-11-21_cfo-example.com~") && names[0].ends_with(".eml"), "{names:?}");
    }

    #[tokio::test]
    async fn a_mail_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let outbox = Outbox::new(folder.path());
        let mut parcel = parcel("cfo@example.com");
        let Outcome::Delivered(receipt) = outbox.deliver(&parcel).await.outcome else { panic!() };
        let before = std::fs::read(&receipt.0).unwrap();
        parcel.text.push('!');
        let outcome = outbox.deliver(&parcel).await.outcome;
        assert!(matches!(&outcome, Outcome::Failed(words) if words.contains("other content")), "{outcome:?}");
        assert_eq!(std::fs::read(&receipt.0).unwrap(), before);
        assert_eq!(files(folder.path()).len(), 1, "no half-written file stays");
    }

    #[tokio::test]
    async fn recipients_whose_addresses_look_alike_get_their_own_files() {
        let folder = tempfile::tempdir().unwrap();
        let outbox = Outbox::new(folder.path());
        for address in ["a/b@example.com", "a?b@example.com", "A?B@example.com"] {
            let outcome = outbox.deliver(&parcel(address)).await.outcome;
            assert!(matches!(outcome, Outcome::Delivered(_)), "{outcome:?}");
        }
        assert_eq!(files(folder.path()).len(), 3);
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_is_tried_again_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, b"").unwrap();
        let outbox = Outbox::new(&file);
        let outcome = outbox.deliver(&parcel("cfo@example.com")).await.outcome;
        let Outcome::Retryable(words) = outcome else { panic!("{outcome:?}") };
        assert!(words.contains(&file.display().to_string()) && words.contains("hint:"), "{words}");
        assert!(outbox.check().await.unwrap_err().contains("hint:"));
        assert!(Outbox::new(folder.path()).check().await.is_ok());
        assert_eq!(files(folder.path()), ["file"], "the check leaves nothing behind");
    }

    #[tokio::test]
    async fn a_full_disk_is_tried_again() {
        let full = std::io::Error::from(ErrorKind::StorageFull);
        assert!(words(Path::new("/mails"), &full).ends_with("hint: make room on that disk"));
    }
}
