//! The forms in which Partner Center's files reach us.

use std::io::{self, Cursor, Write};

use csv::{Terminator, Writer, WriterBuilder};
use flate2::Compression;
use flate2::write::GzEncoder;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// A file's form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Format {
    Csv,
    /// As Excel writes it: a byte order mark first, lines ended by CR and LF.
    CsvBomCrlf,
    CsvGz,
    CsvZip,
    Tsv,
    TsvGz,
}

/// A file that is being written.
pub(super) struct Sink {
    name: String,
    writer: Writer<Packed>,
    n_records: usize,
}

/// Bytes on their way into a file, compressed as they come.
enum Packed {
    Plain(Vec<u8>),
    Gz(Box<GzEncoder<Vec<u8>>>),
    Zip(Box<ZipWriter<Cursor<Vec<u8>>>>),
}

impl Sink {
    /// Opens a file of this name, to which the form's ending is added.
    pub(super) fn open(format: Format, stem: &str) -> io::Result<Sink> {
        let (ending, delimiter, packed) = match format {
            Format::Csv => ("csv", b',', Packed::Plain(Vec::new())),
            Format::CsvBomCrlf => ("csv", b',', Packed::Plain("\u{feff}".into())),
            Format::CsvGz => ("csv.gz", b',', gz()),
            Format::CsvZip => ("zip", b',', zipped(stem)?),
            Format::Tsv => ("tsv", b'\t', Packed::Plain(Vec::new())),
            Format::TsvGz => ("tsv.gz", b'\t', gz()),
        };
        let terminator = if format == Format::CsvBomCrlf { Terminator::CRLF } else { Terminator::Any(b'\n') };
        let writer = WriterBuilder::new().delimiter(delimiter).terminator(terminator).from_writer(packed);
        Ok(Sink { name: format!("{stem}.{ending}"), writer, n_records: 0 })
    }

    /// Writes a record.
    pub(super) fn record(&mut self, fields: &[&str]) -> io::Result<()> {
        self.n_records += 1;
        self.writer.write_record(fields).map_err(io::Error::from)
    }

    /// How many rows there are below the header.
    pub(super) fn n_rows(&self) -> usize {
        self.n_records.saturating_sub(1)
    }

    /// Closes the file: its name and its bytes.
    pub(super) fn finish(self) -> io::Result<(String, Vec<u8>)> {
        let bytes = match self.writer.into_inner().map_err(|error| io::Error::other(error.to_string()))? {
            Packed::Plain(bytes) => bytes,
            Packed::Gz(encoder) => encoder.finish()?,
            Packed::Zip(archive) => archive.finish()?.into_inner(),
        };
        Ok((self.name, bytes))
    }
}

/// Without a time and a name in its header, so that the same rows make the same bytes.
fn gz() -> Packed {
    Packed::Gz(Box::new(GzEncoder::new(Vec::new(), Compression::fast())))
}

fn zipped(stem: &str) -> io::Result<Packed> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(1))
        .last_modified_time(DateTime::default());
    archive.start_file(format!("{stem}.csv"), options)?;
    Ok(Packed::Zip(Box::new(archive)))
}

impl Write for Packed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Packed::Plain(to) => to.write(bytes),
            Packed::Gz(to) => to.write(bytes),
            Packed::Zip(to) => to.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
