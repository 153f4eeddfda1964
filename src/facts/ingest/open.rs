//! Opens a file whatever it is packed in, and says what it is when it is no text with columns.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::Path;
use std::rc::Rc;

use flate2::read::MultiGzDecoder;
use sha2::Digest as _;

use super::IngestError;
use crate::base::Digest;

/// The most that one row may take; more is a quote that was never closed.
const ROW_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A row that does not end within [`ROW_BYTES_MAX`].
#[derive(Debug, thiserror::Error)]
#[error("a row is longer than {ROW_BYTES_MAX} bytes")]
pub(super) struct RowTooLong;

/// How much is read at once.
const CHUNK_BYTES: usize = 256 * 1024;

/// What was read of a file so far, shared with whoever reads through it.
#[derive(Clone, Default)]
pub(super) struct Watch(Rc<Watched>);

#[derive(Default)]
struct Watched {
    hasher: RefCell<sha2::Sha256>,
    /// Of the packed file, for progress.
    n_bytes: Cell<u64>,
    /// Of the content, since a row was last complete.
    n_row_bytes: Cell<u64>,
}

impl Watch {
    /// How much of the file, packed as it is, was read.
    pub fn n_bytes(&self) -> u64 {
        self.0.n_bytes.get()
    }

    /// A row is complete.
    pub fn row_done(&self) {
        self.0.n_row_bytes.set(0);
    }

    /// The digest of the content, once it was read to its end.
    pub fn digest(&self) -> Option<Digest> {
        let hex: String = self.0.hasher.borrow().clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        hex.parse().ok()
    }
}

/// Counts what is read of the packed file.
struct Packed(File, Watch);

impl Read for Packed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.0.read(buffer)?;
        self.1.0.n_bytes.set(self.1.n_bytes() + n as u64);
        Ok(n)
    }
}

impl Seek for Packed {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

/// Hashes the content, and ends a row that never ends.
struct Content<R>(R, Watch);

impl<R: Read> Read for Content<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.0.read(buffer)?;
        let watched = &self.1.0;
        watched.hasher.borrow_mut().update(&buffer[..n]);
        watched.n_row_bytes.set(watched.n_row_bytes.get() + n as u64);
        if watched.n_row_bytes.get() > ROW_BYTES_MAX + CHUNK_BYTES as u64 {
            return Err(io::Error::other(RowTooLong));
        }
        Ok(n)
    }
}

/// Opens a file and hands its content to `read`, unpacked and without a byte order mark.
pub(super) fn with_content<T>(
    path: &Path,
    watch: &Watch,
    read: impl FnOnce(&mut dyn BufRead) -> Result<T, IngestError>,
) -> Result<T, IngestError> {
    let shown = path.display().to_string();
    let unreadable = |error: io::Error| IngestError::Unreadable { path: shown.clone(), reason: error.to_string() };
    let mut file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_dir() {
        return Err(IngestError::Unreadable { path: shown, reason: "it is a folder".to_owned() });
    }
    let mut magic = Vec::with_capacity(4);
    file.by_ref().take(4).read_to_end(&mut magic).map_err(unreadable)?;
    file.rewind().map_err(unreadable)?;
    let packed = Packed(file, watch.clone());
    if magic.starts_with(&[0x1f, 0x8b]) {
        return content(
            &shown,
            Some("gz"),
            MultiGzDecoder::new(BufReader::with_capacity(CHUNK_BYTES, packed)),
            watch,
            read,
        );
    }
    if magic.starts_with(b"PK") {
        return zipped(&shown, packed, watch, read);
    }
    content(&shown, None, packed, watch, read)
}

fn zipped<T>(
    path: &str,
    packed: Packed,
    watch: &Watch,
    read: impl FnOnce(&mut dyn BufRead) -> Result<T, IngestError>,
) -> Result<T, IngestError> {
    let damaged = |error: zip::result::ZipError| IngestError::Truncated {
        path: path.to_owned(),
        packing: "zip",
        reason: error.to_string(),
    };
    let mut archive = zip::ZipArchive::new(BufReader::with_capacity(CHUNK_BYTES, packed)).map_err(damaged)?;
    let names: Result<Vec<String>, _> = archive.file_names().map(|name| name.map(|name| name.into_owned())).collect();
    let names = names.map_err(damaged)?;
    if names.iter().any(|name| name == "[Content_Types].xml") {
        return Err(IngestError::OtherKind { path: path.to_owned(), what: "an Excel workbook" });
    }
    // macOS adds a folder of its own to what it packs.
    let is_file = |name: &&String| !name.ends_with('/') && !name.starts_with("__MACOSX/");
    let files: Vec<&String> = names.iter().filter(is_file).collect();
    let [name] = files[..] else {
        return Err(IngestError::NotOneFile { path: path.to_owned(), n_files: files.len() });
    };
    let file = archive.by_name(name).map_err(damaged)?;
    content(path, Some("zip"), file, watch, read)
}

fn content<T>(
    path: &str,
    packing: Option<&'static str>,
    from: impl Read,
    watch: &Watch,
    read: impl FnOnce(&mut dyn BufRead) -> Result<T, IngestError>,
) -> Result<T, IngestError> {
    let mut reader = BufReader::with_capacity(CHUNK_BYTES, Content(from, watch.clone()));
    let begin = reader.fill_buf().map_err(|error| broken(path, packing, &error))?;
    if let Some(what) = other_kind(begin) {
        return Err(IngestError::OtherKind { path: path.to_owned(), what });
    }
    if begin.starts_with(&[0xef, 0xbb, 0xbf]) {
        reader.consume(3);
    }
    read(&mut reader).map_err(|error| match (error, packing) {
        (IngestError::Unreadable { path, reason }, Some(packing)) => IngestError::Truncated { path, packing, reason },
        (error, _) => error,
    })
}

/// A failure to read on: of a packed file, that it is damaged.
pub(super) fn broken(path: &str, packing: Option<&'static str>, error: &io::Error) -> IngestError {
    let (path, reason) = (path.to_owned(), error.to_string());
    match packing {
        Some(packing) => IngestError::Truncated { path, packing, reason },
        None => IngestError::Unreadable { path, reason },
    }
}

/// What a file is, by its first bytes, when it is not a text with columns.
fn other_kind(begin: &[u8]) -> Option<&'static str> {
    let text = begin.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(begin);
    let first = text.trim_ascii_start();
    let magic: [(&[u8], &str); 10] = [
        (b"%PDF", "a PDF"),
        (&[0xd0, 0xcf, 0x11, 0xe0], "an old Excel workbook"),
        (&[0xff, 0xfe], "a text in UTF-16"),
        (&[0xfe, 0xff], "a text in UTF-16"),
        (b"PK\x03\x04", "a zip in another file"),
        (&[0x1f, 0x8b], "a gz in another file"),
        (b"SQLite format 3", "a database"),
        (b"{", "JSON"),
        (b"[", "JSON"),
        (b"<", "a web page or XML"),
    ];
    if first.is_empty() {
        return Some("empty");
    }
    let known = magic.iter().find(|(magic, _)| first.starts_with(magic)).map(|(_, what)| *what);
    known.or_else(|| begin.iter().take(1024).any(|byte| *byte == 0).then_some("a binary file"))
}
