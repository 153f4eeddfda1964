//! A watched folder: what is put there is loaded, and moved into `done` or `refused` beside it.

use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Duration, Utc};

use super::{Ingest, IngestError, Ingested, exported};

/// For how long a file must not have been written to before it is taken.
pub const QUIET_SECS: i64 = 5;

/// Endings of files that somebody is still writing.
const PARTIAL: [&str; 6] = ["part", "partial", "tmp", "crdownload", "download", "filepart"];

/// Loads every file of a folder that nobody writes any more, in the order of their export dates.
///
/// What was loaded (or was loaded before) moves to `done`; what is to be mended to `refused`, with the reason in
/// `<file>.reason.txt`. Where the database or the machine is in the way, the file stays for the next time. Nothing in
/// these folders is overwritten: a second file of a name gets a number after it.
pub async fn sweep(
    ingest: &Ingest,
    folder: &Path,
    now: DateTime<Utc>,
) -> Vec<(PathBuf, Result<Ingested, IngestError>)> {
    let files = match ready(folder, now).await {
        Ok(files) => files,
        Err(error) => return vec![(folder.to_owned(), Err(super::unreadable(folder, error.to_string())))],
    };
    let mut swept = Vec::with_capacity(files.len());
    for path in files {
        let result = ingest.file(&path, None, now, &|_| {}).await;
        let moved = match &result {
            Ok(_) => move_into(&folder.join("done"), &path, None).await,
            Err(error) if error.is_of_the_file() => {
                let reason = format!("{error}\nhint: {}\n", error.hint());
                move_into(&folder.join("refused"), &path, Some(&reason)).await
            }
            Err(_) => Ok(()),
        };
        let result = match moved {
            // It is loaded, and will be found loaded before when it is swept again.
            Err(error) if result.is_ok() => Err(super::unreadable(&path, format!("it cannot be moved: {error}"))),
            _ => result,
        };
        swept.push((path, result));
    }
    swept
}

/// The files to be taken: by export date, then by name.
async fn ready(folder: &Path, now: DateTime<Utc>) -> io::Result<Vec<PathBuf>> {
    let mut entries = tokio::fs::read_dir(folder).await?;
    let mut files = Vec::new();
    while let Some(entry) = entries.next_entry().await? {
        let path = entry.path();
        // What vanishes while the folder is listed was somebody's to take away.
        let Ok(metadata) = tokio::fs::metadata(&path).await else { continue };
        if !metadata.is_file() || is_partial(&path) {
            continue;
        }
        let modified_at: DateTime<Utc> = metadata.modified()?.into();
        if (now - modified_at).abs() < Duration::seconds(QUIET_SECS) {
            continue;
        }
        files.push((exported::exported_at(&path, None, modified_at, now).0, path));
    }
    files.sort();
    Ok(files.into_iter().map(|(_, path)| path).collect())
}

fn is_partial(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    name.starts_with(['.', '~']) || PARTIAL.contains(&ending.as_str())
}

/// Moves a file into a folder, under its name or with a number after it.
async fn move_into(folder: &Path, path: &Path, reason: Option<&str>) -> io::Result<()> {
    tokio::fs::create_dir_all(folder).await?;
    let name = path.file_name().unwrap_or_default();
    let target = claim(folder, name).await?;
    if let Some(reason) = reason {
        let mut told = target.as_os_str().to_owned();
        told.push(".reason.txt");
        tokio::fs::write(PathBuf::from(told), reason).await?;
    }
    tokio::fs::rename(path, &target).await
}

/// Makes an empty file of a name that is free, so that renaming onto it overwrites nothing of anyone else's.
async fn claim(folder: &Path, name: &std::ffi::OsStr) -> io::Result<PathBuf> {
    let mut n = 1_u64;
    loop {
        let mut free = name.to_owned();
        if n > 1 {
            free.push(format!(".{n}"));
        }
        let target = folder.join(free);
        match tokio::fs::OpenOptions::new().write(true).create_new(true).open(&target).await {
            Ok(_) => return Ok(target),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => n += 1,
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
