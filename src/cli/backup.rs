//! `backup`: ledger and facts in one file, consistent, while a daemon works.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tempfile::{NamedTempFile, TempDir};

use crate::base::Digest;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, FactsFrom};
use crate::facts::{self, SqliteFacts};
use crate::ledger::{self, Ledger};

use super::say::{Failure, Say};
use super::{WELL, compose};

/// What a backup's name ends with, by which people and programs know how to unpack it.
const ENDING: &str = ".tar.zst";

/// What a backup is, beside the databases in it.
const ABOUT: &str = "backup.json";

/// The version of `backup.json`'s form.
const SCHEMA: u32 = 1;

/// zstd's default level: databases compress some four times at the speed of a disk.
const LEVEL: i32 = 3;

/// The longest `backup.json` that is read back.
const ABOUT_BYTES_MAX: u64 = 1 << 20;

/// What a backup is.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct About {
    schema: u32,
    taken_at: DateTime<Utc>,
    program: String,
    configuration: Digest,
    databases: Vec<Database>,
}

/// A database in it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Database {
    name: String,
    n_bytes: u64,
    sha256: Digest,
    /// The number of its newest migration.
    migration: i64,
}

pub(super) async fn backup(config: &Config, file: &Path, say: &Say) -> Result<u8, Failure> {
    let folder = check_place(file)?;
    if !config.ledger.exists() {
        return Err(Failure::wrong(
            format!("there is no ledger at `{}`", config.ledger.display()),
            "nothing was planned or sent under this configuration yet; is it the right one?",
        ));
    }
    // Only its owner may look into it: ledger and facts hold addresses and customers' names.
    let work = tempfile::Builder::new().prefix(".pressrun-backup-").permissions(owner_only()).tempdir_in(folder);
    let work = work.with_context(|| format!("the folder of `{}` cannot be written", file.display()))?;
    let no_backup = |error: anyhow::Error| error.context(format!("no backup was written to `{}`", file.display()));
    let open = Open { ledger: compose::ledger(config).await?, facts: tables(config).await? };
    let about = copy(config, open, &work, say).await.map_err(no_backup)?;
    say.note("Writing the backup …");
    let packed = pack(config, &work, &about).map_err(no_backup)?;
    say.note("Reading it back …");
    read_back(packed.path(), &work, &about).await.map_err(no_backup)?;
    let n_bytes = packed.path().metadata()?.len();
    put(packed, file, folder)?;
    let json = serde_json::json!({
        "file": file, "n_bytes": n_bytes, "backup": about, "read_back": true, "not_in_it": not_in_it(config),
    });
    say.result(&json, &text(config, file, n_bytes, &about));
    Ok(WELL)
}

/// The folder of a file that may be written, and is not there.
fn check_place(file: &Path) -> Result<&Path, Failure> {
    let named = file.display();
    if !file.file_name().is_some_and(|name| name.to_string_lossy().ends_with(ENDING)) {
        return Err(Failure::wrong(
            format!("`{named}` does not end with `{ENDING}`"),
            format!("a backup is a tar archive compressed by zstd: name it so, as in `pressrun{ENDING}`"),
        ));
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(Failure::wrong(format!("the folder of `{named}` does not exist"), "make it, or name another"));
    }
    // A link that leads nowhere is there, too.
    if file.symlink_metadata().is_ok() {
        return Err(is_there(file));
    }
    Ok(folder)
}

fn is_there(file: &Path) -> Failure {
    Failure::wrong(format!("`{}` is there already", file.display()), "name another file: no backup is overwritten")
}

/// What is copied.
struct Open {
    ledger: Ledger,
    facts: Option<SqliteFacts>,
}

/// Our own tables, if the facts are these and there are any.
async fn tables(config: &Config) -> Result<Option<SqliteFacts>, Failure> {
    match &config.facts.from {
        FactsFrom::Tables(path) if path.exists() => Ok(Some(compose::tables(config).await?)),
        _ => Ok(None),
    }
}

/// Copies the databases into the work folder.
///
/// The ledger first, then the facts: these only grow, so that every data set that a row of the ledger names is in the
/// copy. The other way round a run could be in the backup without its data.
async fn copy(config: &Config, open: Open, work: &TempDir, say: &Say) -> anyhow::Result<About> {
    say.note("Copying the ledger …");
    // Read before the copy begins: what is done from here on may be missing in it.
    let taken_at = SystemClock.now();
    let migration = open.ledger.back_up(&work.path().join("ledger.db"), taken_at).await?;
    open.ledger.close(SystemClock.now()).await?;
    let mut databases = vec![database(work, "ledger.db", migration)?];
    if let Some(facts) = open.facts {
        say.note("Copying the facts …");
        let migration = facts.back_up(&work.path().join("facts.db")).await?;
        databases.push(database(work, "facts.db", migration)?);
    }
    let program = concat!("pressrun ", env!("CARGO_PKG_VERSION")).to_owned();
    Ok(About { schema: SCHEMA, taken_at, program, configuration: config.digest, databases })
}

fn database(work: &TempDir, name: &str, migration: i64) -> Result<Database, std::io::Error> {
    let mut copy = File::open(work.path().join(name))?;
    let (sha256, n_bytes) = Digest::of_stream(&mut copy, &mut std::io::sink())?;
    Ok(Database { name: name.to_owned(), n_bytes, sha256, migration })
}

/// Packs the copies, which it removes, into one file in the work folder.
fn pack(config: &Config, work: &TempDir, about: &About) -> anyhow::Result<NamedTempFile> {
    let mut packed = NamedTempFile::new_in(work.path())?;
    let mut encoder = zstd::Encoder::new(packed.as_file_mut(), LEVEL)?;
    encoder.include_checksum(true)?;
    let mut archive = tar::Builder::new(encoder);
    let mut json = serde_json::to_vec_pretty(about)?;
    json.push(b'\n');
    let mut header = header(config, about, json.len() as u64)?;
    archive.append_data(&mut header, ABOUT, json.as_slice())?;
    for Database { name, n_bytes, .. } in &about.databases {
        let path = work.path().join(name);
        let mut header = self::header(config, about, *n_bytes)?;
        archive.append_data(&mut header, name, File::open(&path)?)?;
        // The copy that is read back takes its room.
        std::fs::remove_file(&path)?;
    }
    archive.into_inner()?.finish()?.sync_all()?;
    Ok(packed)
}

/// Who unpacks it as root gives the files to the owner of the ledger, and to nobody else.
fn header(config: &Config, about: &About, n_bytes: u64) -> anyhow::Result<tar::Header> {
    let mut header = tar::Header::new_gnu();
    header.set_metadata(&config.ledger.metadata()?);
    header.set_mode(0o600);
    header.set_size(n_bytes);
    header.set_mtime(about.taken_at.timestamp().unsigned_abs());
    Ok(header)
}

/// Unpacks it again, compares every digest and has the databases look through themselves.
async fn read_back(packed: &Path, work: &TempDir, about: &About) -> anyhow::Result<()> {
    let unpacked = tempfile::tempdir_in(work.path())?;
    let mut found: Option<About> = None;
    let mut databases = Vec::new();
    let mut archive = tar::Archive::new(zstd::Decoder::new(File::open(packed)?)?);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name = entry.path()?.to_string_lossy().into_owned();
        if name == ABOUT {
            found = Some(serde_json::from_reader(entry.take(ABOUT_BYTES_MAX))?);
            continue;
        }
        let known = about.databases.iter().find(|database| database.name == name);
        let known = known.with_context(|| format!("it has `{name}`, which was not put in"))?;
        let mut file = File::create_new(unpacked.path().join(&name))?;
        let (sha256, n_bytes) = Digest::of_stream(&mut entry, &mut file)?;
        databases.push(Database { name, n_bytes, sha256, migration: known.migration });
    }
    if found.as_ref() != Some(about) || databases != about.databases {
        anyhow::bail!("it reads back otherwise than it was written");
    }
    for Database { name, .. } in &about.databases {
        let path: PathBuf = unpacked.path().join(name);
        let wrong = match name.as_str() {
            "ledger.db" => ledger::prove_copy(&path).await?,
            _ => facts::prove_copy(&path).await?,
        };
        if let Some(wrong) = wrong.first() {
            anyhow::bail!("`{name}` is damaged: {wrong}");
        }
    }
    Ok(())
}

/// Gives it its name, unless another took that meanwhile.
fn put(packed: NamedTempFile, file: &Path, folder: &Path) -> Result<(), Failure> {
    let put = packed.persist_noclobber(file).map_err(|error| match error.error.kind() {
        std::io::ErrorKind::AlreadyExists => is_there(file),
        _ => Failure::failed(format!("`{}` cannot be written: {}", file.display(), error.error)),
    });
    put?;
    // Only Unix lets a folder be opened, to make the name last.
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn owner_only() -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::Permissions::from_mode(0o700)
}

fn not_in_it(config: &Config) -> String {
    let facts = match &config.facts.from {
        FactsFrom::View { database, name } => {
            format!("the facts, which are your view `{name}` in `{}`; ", database.display())
        }
        FactsFrom::Tables(path) if !path.exists() => "facts, of which there are none yet; ".to_owned(),
        FactsFrom::Tables(_) => String::new(),
    };
    format!("{facts}the archive, and the configuration with its templates")
}

fn text(config: &Config, file: &Path, n_bytes: u64, about: &About) -> String {
    let taken = about.taken_at.format("%Y-%m-%d %H:%M:%S UTC");
    let mut lines = vec![format!("Wrote {} ({n_bytes} bytes), a backup of {taken}.", file.display())];
    for Database { name, n_bytes, sha256, .. } in &about.databases {
        lines.push(format!("  {name}: {n_bytes} bytes, SHA-256 {sha256}"));
    }
    lines.push("It was read back: every digest is the same, and the databases are whole.".to_owned());
    lines.push(format!("Not in it: {}.", not_in_it(config)));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A configuration in a folder, with an empty ledger, and a work folder.
    async fn place() -> (TempDir, Config, TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pressrun.toml");
        std::fs::write(&path, include_str!("../../config/example.toml")).unwrap();
        let config = crate::config::load(&path).unwrap();
        compose::ledger(&config).await.unwrap();
        (dir, config, tempfile::tempdir().unwrap())
    }

    async fn copied(config: &Config, work: &TempDir) -> About {
        let open = Open { ledger: compose::ledger(config).await.unwrap(), facts: None };
        copy(config, open, work, &Say::new(true)).await.unwrap()
    }

    /// Packs what lies in the work folder, and reads it back as a backup of that.
    async fn check(config: &Config, work: &TempDir, packed: &About, read: &About) -> String {
        let packed = pack(config, work, packed).unwrap();
        read_back(packed.path(), work, read).await.map_or_else(|error| error.to_string(), |()| "whole".to_owned())
    }

    #[tokio::test]
    async fn what_reads_back_otherwise_or_is_damaged_is_no_backup() {
        let (_dir, config, work) = place().await;
        let about = copied(&config, &work).await;
        assert_eq!(check(&config, &work, &about, &about).await, "whole");

        let about = copied(&config, &work).await;
        let mut other = about.clone();
        other.databases[0].sha256 = Digest::of(b"other bytes");
        // Told by the digest of what was unpacked, and not by what `backup.json` says of it.
        assert_eq!(check(&config, &work, &other, &other).await, "it reads back otherwise than it was written");

        copied(&config, &work).await;
        let path = work.path().join("ledger.db");
        let mut bytes = std::fs::read(&path).unwrap();
        // The header counts free pages that are not there.
        bytes[39] = 7;
        std::fs::write(&path, bytes).unwrap();
        let mut damaged = about.clone();
        damaged.databases = vec![database(&work, "ledger.db", 2).unwrap()];
        let said = check(&config, &work, &damaged, &damaged).await;
        assert!(said.starts_with("`ledger.db` is damaged: ") && said.contains("should be 7"), "{said}");
    }
}
