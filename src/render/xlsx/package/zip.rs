//! The file around the parts: a plain ZIP archive (PKWARE APPNOTE 6.3.10), sizes and checksums in the local headers.
//!
//! Every entry has the same date, so that bytes repeat. Nothing here is ZIP64: what would need it is refused, since
//! not every reader of workbooks knows it.

use std::io::{Seek, SeekFrom, Write};

use flate2::{Compress, Compression, FlushCompress, Status};
use libdeflater::{CompressionLvl, Compressor, Crc, crc32};

use crate::render::RenderError;

/// 1 January 1980, 00:00: the first date of MS-DOS (APPNOTE 4.4.6).
const DATE: u16 = 0x21;
/// What a reader must know to read an entry: deflate (APPNOTE 4.4.3).
const VERSION: u16 = 20;
/// The length of a local header without its name (APPNOTE 4.3.7), and where its checksum stands.
const LOCAL_BYTES: u32 = 30;
const CHECKSUM_AT: u64 = 14;

/// So much is deflated at once where content is streamed.
const PIECE_BYTES: usize = 64 * 1024;

/// Writes an archive, entry by entry.
pub(super) struct Zip<W> {
    out: W,
    /// Where the next entry begins.
    at: u64,
    entries: Vec<Entry>,
    /// The entry that comes piece by piece.
    open: Option<Open>,
    compressor: Compressor,
    /// Kept from entry to entry.
    deflated: Vec<u8>,
}

/// An entry as the directory at the end lists it.
struct Entry {
    name: String,
    at: u32,
    sizes: Sizes,
}

/// An entry that was begun.
struct Open {
    entry: Entry,
    encoder: Compress,
    checksum: Crc,
}

/// What an entry holds.
#[derive(Clone, Copy, Default)]
struct Sizes {
    checksum: u32,
    deflated: u32,
    inflated: u32,
}

impl<W: Write + Seek> Zip<W> {
    /// An archive without entries, whose entries are deflated at a level of libdeflate's.
    pub(super) fn new(out: W, level: i32) -> Zip<W> {
        let level = CompressionLvl::new(level).unwrap_or_default();
        Zip { out, at: 0, entries: Vec::new(), open: None, compressor: Compressor::new(level), deflated: Vec::new() }
    }

    /// Adds an entry at once.
    pub(super) fn put(&mut self, name: &str, content: &[u8]) -> Result<(), RenderError> {
        self.deflated.resize(self.compressor.deflate_compress_bound(content.len()), 0);
        let written = self.compressor.deflate_compress(content, &mut self.deflated);
        let n = written.map_err(|error| RenderError::Workbook(format!("deflating `{name}` failed: {error:?}")))?;
        let sizes =
            Sizes { checksum: crc32(content), deflated: size(n as u64)?, inflated: size(content.len() as u64)? };
        let entry = Entry { name: name.to_owned(), at: size(self.at)?, sizes };
        self.out.write_all(&local(&entry))?;
        self.out.write_all(&self.deflated[..n])?;
        self.end(entry);
        Ok(())
    }

    /// Begins an entry whose content comes piece by piece; it is deflated by zlib-rs, which streams.
    pub(super) fn begin(&mut self, name: &str, level: u32) -> Result<(), RenderError> {
        let entry = Entry { name: name.to_owned(), at: size(self.at)?, sizes: Sizes::default() };
        self.out.write_all(&local(&entry))?;
        let encoder = Compress::new(Compression::new(level), false);
        self.open = Some(Open { entry, encoder, checksum: Crc::new() });
        Ok(())
    }

    /// Adds a piece to the entry that was begun.
    pub(super) fn add(&mut self, piece: &[u8]) -> Result<(), RenderError> {
        if let Some(open) = &mut self.open {
            open.checksum.update(piece);
            // Said now, not after gigabytes more.
            size(open.encoder.total_in() + piece.len() as u64)?;
        }
        self.deflate(piece, FlushCompress::None)
    }

    /// Ends the entry that was begun, and says in its header what it holds.
    pub(super) fn end_begun(&mut self) -> Result<(), RenderError> {
        self.deflate(&[], FlushCompress::Finish)?;
        let Some(Open { mut entry, encoder, checksum }) = self.open.take() else { return Ok(()) };
        let (inflated, deflated) = (size(encoder.total_in())?, size(encoder.total_out())?);
        entry.sizes = Sizes { checksum: checksum.sum(), deflated, inflated };
        let end = self.out.stream_position()?;
        // The archive may begin anywhere in what it is written to.
        let written = u64::from(LOCAL_BYTES) + entry.name.len() as u64 + u64::from(deflated);
        self.out.seek(SeekFrom::Start(end - written + CHECKSUM_AT))?;
        self.out.write_all(&entry.sizes.bytes())?;
        self.out.seek(SeekFrom::Start(end))?;
        self.end(entry);
        Ok(())
    }

    fn deflate(&mut self, mut piece: &[u8], flush: FlushCompress) -> Result<(), RenderError> {
        let Some(open) = &mut self.open else { return Ok(()) };
        self.deflated.resize(PIECE_BYTES, 0);
        loop {
            let (before_in, before_out) = (open.encoder.total_in(), open.encoder.total_out());
            let status = open.encoder.compress(piece, &mut self.deflated, flush);
            let status = status.map_err(|error| RenderError::Workbook(format!("deflating failed: {error}")))?;
            let n_in = (open.encoder.total_in() - before_in) as usize;
            let n_out = (open.encoder.total_out() - before_out) as usize;
            self.out.write_all(&self.deflated[..n_out])?;
            piece = piece.get(n_in..).unwrap_or_default();
            let is_done = match flush {
                FlushCompress::Finish => status == Status::StreamEnd,
                _ => piece.is_empty() && n_out < PIECE_BYTES,
            };
            if is_done {
                return Ok(());
            }
        }
    }

    fn end(&mut self, entry: Entry) {
        self.at += u64::from(LOCAL_BYTES) + entry.name.len() as u64 + u64::from(entry.sizes.deflated);
        self.entries.push(entry);
    }

    /// Writes the directory (APPNOTE 4.3.12, 4.3.16), which ends the archive.
    pub(super) fn finish(mut self) -> Result<W, RenderError> {
        let mut directory = Vec::new();
        for entry in &self.entries {
            directory.extend(0x0201_4b50_u32.to_le_bytes());
            directory.extend(VERSION.to_le_bytes());
            directory.extend(head(entry));
            // No comment, on the first disk, no attributes.
            directory.extend([0; 12]);
            directory.extend(entry.at.to_le_bytes());
            directory.extend(entry.name.as_bytes());
        }
        let n = u16::try_from(self.entries.len()).map_err(|_| too_large())?;
        let length = size(directory.len() as u64)?;
        directory.extend(0x0605_4b50_u32.to_le_bytes());
        directory.extend([0; 4]);
        directory.extend([n, n].map(u16::to_le_bytes).concat());
        directory.extend([length, size(self.at)?].map(u32::to_le_bytes).concat());
        directory.extend([0; 2]);
        self.out.write_all(&directory)?;
        self.out.flush()?;
        Ok(self.out)
    }
}

impl Sizes {
    fn bytes(self) -> Vec<u8> {
        [self.checksum, self.deflated, self.inflated].map(u32::to_le_bytes).concat()
    }
}

/// A local header (APPNOTE 4.3.7).
fn local(entry: &Entry) -> Vec<u8> {
    let mut header = 0x0403_4b50_u32.to_le_bytes().to_vec();
    header.extend(head(entry));
    header.extend([0; 2]);
    header.truncate(LOCAL_BYTES as usize);
    header.extend(entry.name.as_bytes());
    header
}

/// What local header and directory have in common: from the version that is needed to the length of the name.
fn head(entry: &Entry) -> Vec<u8> {
    let name = entry.name.len() as u16;
    // No flags, deflate, midnight.
    let fields = [VERSION, 0, 8, 0, DATE];
    [fields.map(u16::to_le_bytes).concat(), entry.sizes.bytes(), name.to_le_bytes().to_vec()].concat()
}

fn size(n: u64) -> Result<u32, RenderError> {
    u32::try_from(n).map_err(|_| too_large())
}

fn too_large() -> RenderError {
    RenderError::Workbook("a part of the workbook would exceed 4 GiB, which not every reader opens".to_owned())
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use super::*;

    fn archive() -> Vec<u8> {
        let mut zip = Zip::new(Cursor::new(Vec::new()), 4);
        zip.put("a.xml", b"<a/>").unwrap();
        zip.begin("xl/b.xml", 2).unwrap();
        (0..10_000).for_each(|n| zip.add(format!("{n},").as_bytes()).unwrap());
        zip.end_begun().unwrap();
        zip.put("empty.xml", b"").unwrap();
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn another_reader_finds_every_entry_whole_and_plain() {
        let bytes = archive();
        let mut zip = zip::ZipArchive::new(Cursor::new(&bytes)).unwrap();
        let mut read = Vec::new();
        for n in 0..zip.len() {
            let mut entry = zip.by_index(n).unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            let at = entry.header_start() as usize;
            let local = &bytes[at..at + LOCAL_BYTES as usize];
            assert_eq!(local[6..8], [0, 0], "no flags: sizes stand in the header");
            assert_eq!(local[18..22], (entry.compressed_size() as u32).to_le_bytes());
            assert_eq!(local[22..26], (entry.size() as u32).to_le_bytes());
            read.push((entry.name().unwrap().into_owned(), text));
        }
        let numbers: String = (0..10_000).map(|n| format!("{n},")).collect();
        let expected = [("a.xml", "<a/>".to_owned()), ("xl/b.xml", numbers), ("empty.xml", String::new())];
        assert_eq!(read, expected.map(|(name, text)| (name.to_owned(), text)));
        assert_eq!(bytes, archive());
    }

    #[test]
    fn what_four_bytes_cannot_count_is_refused() {
        assert!(size(u64::from(u32::MAX)).is_ok());
        assert!(size(u64::from(u32::MAX) + 1).is_err());
    }
}
