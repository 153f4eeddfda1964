//! Raw rows on their way: written once as they are read, replayed by each renderer, archived as they are.
//!
//! The spool *is* `rows.csv.zst`: RFC 4180 CSV in UTF-8 with a header line, compressed by zstd. Small ones stay in
//! memory, larger ones go to an unnamed temporary file, so that memory does not follow rows.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Mutex;

use tempfile::SpooledTempFile;

use crate::base::Quantity;
use crate::report::{Cell, RawColumn, RawKind, Rows, RowsError};

/// Above this many compressed bytes a spool goes to a file.
const MEMORY_BYTES_MAX: usize = 4 << 20;

/// zstd's default level: rows compress some twelve times at little cost.
const LEVEL: i32 = 3;

/// A spool that is being written.
pub(super) struct SpoolWriter {
    columns: Vec<RawColumn>,
    n_rows: u64,
    csv: csv::Writer<zstd::Encoder<'static, SpooledTempFile>>,
}

/// A finished spool: raw rows that can be replayed.
pub(super) struct Spool {
    columns: Vec<RawColumn>,
    n_rows: u64,
    /// One reader at a time moves through it.
    file: Mutex<SpooledTempFile>,
}

impl SpoolWriter {
    /// Begins a spool with its header line.
    pub(super) fn new(columns: Vec<RawColumn>) -> io::Result<SpoolWriter> {
        let file = SpooledTempFile::new(MEMORY_BYTES_MAX);
        let mut csv =
            csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(zstd::Encoder::new(file, LEVEL)?);
        csv.write_record(columns.iter().map(|column| &column.key))?;
        Ok(SpoolWriter { columns, n_rows: 0, csv })
    }

    /// Adds a row of one cell a column.
    pub(super) fn push(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        for cell in cells {
            match cell {
                Cell::Absent => self.csv.write_field("")?,
                // A text that is there but empty is told from one that is not by its quotes; see `unquoted`.
                Cell::Text(text) => self.csv.write_field(if text.is_empty() { EMPTY } else { text })?,
                Cell::Month(month) => self.csv.write_field(month.to_string())?,
                Cell::Quantity(quantity) => self.csv.write_field(quantity.to_string())?,
            }
        }
        self.csv.write_record(None::<&[u8]>)?;
        self.n_rows += 1;
        Ok(())
    }

    /// The finished spool.
    pub(super) fn finish(self) -> io::Result<Spool> {
        let encoder = self.csv.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
        let mut file = encoder.finish()?;
        file.flush()?;
        Ok(Spool { columns: self.columns, n_rows: self.n_rows, file: Mutex::new(file) })
    }
}

/// Stands for a text that is there but empty: a source that writes blanks means the same by both.
const EMPTY: &str = " ";

impl Spool {
    /// The compressed bytes, as they are archived.
    pub(super) fn bytes(&self) -> io::Result<Vec<u8>> {
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.seek(SeekFrom::Start(0))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl Rows for Spool {
    fn columns(&self) -> &[RawColumn] {
        &self.columns
    }

    fn n_rows(&self) -> u64 {
        self.n_rows
    }

    fn replay(&self, each: &mut dyn FnMut(&[Cell<'_>]) -> Result<(), RowsError>) -> Result<(), RowsError> {
        let broken = |error: &dyn std::fmt::Display| RowsError(error.to_string());
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.seek(SeekFrom::Start(0)).map_err(|error| broken(&error))?;
        let decoder = zstd::Decoder::new(&mut *file).map_err(|error| broken(&error))?;
        let mut csv = csv::Reader::from_reader(decoder);
        let mut record = csv::StringRecord::new();
        while csv.read_record(&mut record).map_err(|error| broken(&error))? {
            let cells: Vec<Cell<'_>> = self
                .columns
                .iter()
                .zip(&record)
                .map(|(column, text)| cell(column.kind, text))
                .collect::<Result<_, _>>()?;
            each(&cells)?;
        }
        Ok(())
    }
}

fn cell(kind: RawKind, text: &str) -> Result<Cell<'_>, RowsError> {
    let broken = |error: &dyn std::fmt::Display| RowsError(error.to_string());
    match (kind, text) {
        (_, "") => Ok(Cell::Absent),
        (RawKind::Text, EMPTY) => Ok(Cell::Text("")),
        (RawKind::Text, text) => Ok(Cell::Text(text)),
        (RawKind::Month, text) => text.parse().map(Cell::Month).map_err(|error| broken(&error)),
        (RawKind::Quantity | RawKind::Usd, text) => {
            text.parse::<Quantity>().map(Cell::Quantity).map_err(|error| broken(&error))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<RawColumn> {
        let column = |key: &str, kind| RawColumn { key: key.to_owned(), label: key.to_owned(), kind };
        vec![
            column("month", RawKind::Month),
            column("customer_name", RawKind::Text),
            column("licenses", RawKind::Quantity),
        ]
    }

    #[test]
    fn rows_come_back_as_they_went_in_as_often_as_asked() {
        let month = "2026-10".parse().unwrap();
        let names = ["Grün, \"Söhne\"\r\nKG", "", "=1+1", "日本"];
        let mut writer = SpoolWriter::new(columns()).unwrap();
        for name in names {
            writer.push(&[Cell::Month(month), Cell::Text(name), Cell::Quantity("-0.469".parse().unwrap())]).unwrap();
        }
        writer.push(&[Cell::Month(month), Cell::Absent, Cell::Absent]).unwrap();
        let spool = writer.finish().unwrap();
        for _ in 0..2 {
            let mut seen = Vec::new();
            spool
                .replay(&mut |cells| {
                    seen.push(format!("{cells:?}"));
                    Ok(())
                })
                .unwrap();
            assert_eq!(seen.len(), 5);
            for (name, row) in names.iter().zip(&seen) {
                assert_eq!(*row, format!("[Month(2026-10), Text({name:?}), Quantity(-0.469)]"));
            }
            assert_eq!(seen[4], "[Month(2026-10), Absent, Absent]");
        }
    }

    #[test]
    fn the_archived_bytes_are_plain_csv_and_the_same_each_time() {
        let bytes = || {
            let mut writer = SpoolWriter::new(columns()).unwrap();
            writer.push(&[Cell::Absent, Cell::Text("a,b"), Cell::Quantity(Quantity::whole(7))]).unwrap();
            writer.finish().unwrap().bytes().unwrap()
        };
        let text = String::from_utf8(zstd::decode_all(bytes().as_slice()).unwrap()).unwrap();
        assert_eq!(text, "month,customer_name,licenses\r\n,\"a,b\",7\r\n");
        assert_eq!(bytes(), bytes());
    }

    #[test]
    fn a_large_spool_does_not_stay_in_memory_and_reads_back() {
        let mut writer = SpoolWriter::new(columns()).unwrap();
        // Texts without repetition, so that the compressed bytes pass the bound.
        for n in 0..150_000_u64 {
            let name = crate::base::Digest::of(&n.to_be_bytes()).to_string();
            writer.push(&[Cell::Absent, Cell::Text(&name), Cell::Quantity(Quantity::whole(1))]).unwrap();
        }
        let spool = writer.finish().unwrap();
        assert!(spool.file.lock().unwrap().is_rolled());
        let mut n = 0;
        spool
            .replay(&mut |_| {
                n += 1;
                Ok(())
            })
            .unwrap();
        assert_eq!((n, spool.n_rows()), (150_000, 150_000));
    }
}
