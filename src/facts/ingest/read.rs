//! Reads a file from its first byte to its last, and hands its rows on in chunks.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::io::BufRead;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use csv::{ByteRecord, ReaderBuilder};
use tokio::sync::mpsc;

use super::columns::{Columns, Field};
use super::figures::figure;
use super::gathered::{Gathered, Row};
use super::line::{Line, Reading, Said};
use super::months::month_of;
use super::open::{RowTooLong, Watch, with_content};
use super::{BadValue, IngestError, PartnerFrom};
use crate::base::{Digest, Month};
use crate::facts::ProductMap;
use crate::facts::source::Source;

/// How many rows a file may have.
const FILE_ROWS_MAX: u32 = 20_000_000;

/// How many rows are handed on at once.
const CHUNK_ROWS: usize = 65_536;

/// What is handed on while a file is read.
pub(super) enum Part {
    /// What the file is, before any row.
    Head(Head),
    /// Some rows.
    Chunk(Chunk),
}

/// What a file is.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub source: Source,
    pub carried: i64,
    /// Whether its rows wait for their reseller.
    pub waits_for_reseller: bool,
}

/// Some rows, with the lines and owners that come up in them first.
#[derive(Default)]
pub(super) struct Chunk {
    pub owners: Vec<Arc<str>>,
    /// Each with its owner's place.
    pub lines: Vec<(u32, Line)>,
    pub rows: Vec<Row>,
    /// How much of the file, packed as it is, was read.
    pub n_bytes: u64,
}

/// All that is known of a file once it was read.
pub(super) struct Tail {
    pub digest: Digest,
    pub unknown_columns: Vec<String>,
    pub gathered: Gathered,
}

/// Reads a file; blocks, so it runs on a thread of its own.
pub(super) fn read_file(
    path: &Path,
    products: &ProductMap,
    partner_from: PartnerFrom,
    out: &mpsc::Sender<Part>,
) -> Result<Tail, IngestError> {
    let watch = Watch::default();
    let shown = path.display().to_string();
    with_content(path, &watch, |content| {
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter(content, &shown)?)
            .has_headers(false)
            .flexible(true)
            .from_reader(content);
        let mut record = ByteRecord::new();
        read_record(&mut reader, &mut record, &shown, &watch)?;
        let headers: Option<Vec<&str>> = record.iter().map(|cell| std::str::from_utf8(cell).ok()).collect();
        let headers = headers.ok_or_else(|| bad_row(&shown, 1, "the headers are not UTF-8".to_owned()))?;
        let columns = Columns::read(&shown, &headers, partner_from)?;
        let reading = Reading { columns: &columns, products, partner_from };
        let head =
            Head { source: columns.source, carried: columns.carried, waits_for_reseller: reading.waits_for_reseller() };
        send(out, Part::Head(head), &shown)?;
        let mut rows = Rows::new(reading, &shown);
        while read_record(&mut reader, &mut record, &shown, &watch)? {
            rows.add(&record)?;
            if rows.chunk.rows.len() >= CHUNK_ROWS {
                send(out, Part::Chunk(rows.take_chunk(&watch)), &shown)?;
            }
        }
        send(out, Part::Chunk(rows.take_chunk(&watch)), &shown)?;
        let gathered = rows.finish()?;
        let digest = watch.digest().unwrap_or_else(|| Digest::of(&[]));
        Ok(Tail { digest, unknown_columns: columns.unknown.clone(), gathered })
    })
}

/// Comma or tab: the one that the first line has more of.
fn delimiter(content: &mut dyn BufRead, path: &str) -> Result<u8, IngestError> {
    let begin = content.fill_buf().map_err(|error| super::open::broken(path, None, &error))?;
    let line = begin.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |sign: u8| line.iter().filter(|byte| **byte == sign).count();
    Ok(if count(b'\t') > count(b',') { b'\t' } else { b',' })
}

/// Reads the next row; false at the end.
fn read_record<R: std::io::Read>(
    reader: &mut csv::Reader<R>,
    record: &mut ByteRecord,
    path: &str,
    watch: &Watch,
) -> Result<bool, IngestError> {
    let read = reader.read_byte_record(record);
    watch.row_done();
    read.map_err(|error| {
        let reason = error.to_string();
        match error.into_kind() {
            csv::ErrorKind::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<RowTooLong>()) => {
                bad_row(path, record.position().map_or(0, csv::Position::line), error.to_string())
            }
            csv::ErrorKind::Io(error) => super::open::broken(path, None, &error),
            _ => bad_row(path, record.position().map_or(0, csv::Position::line), reason),
        }
    })
}

fn bad_row(path: &str, line: u64, reason: String) -> IngestError {
    IngestError::BadRow { path: path.to_owned(), line, reason }
}

/// Hands a part on; fails when the other end has given up, which then has the reason.
fn send(out: &mpsc::Sender<Part>, part: Part, path: &str) -> Result<(), IngestError> {
    let gone = |_| IngestError::Unreadable { path: path.to_owned(), reason: "loading was given up".to_owned() };
    out.blocking_send(part).map_err(gone)
}

/// Sixteen bytes of a digest.
type Key = [u8; 16];

/// Takes eight bytes of a digest as they are: they are as even as any hash of them would be.
#[derive(Default)]
struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk::<8>() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

type ByKey<T> = HashMap<Key, T, BuildHasherDefault<DigestHasher>>;

/// What was read so far.
struct Rows<'a> {
    reading: Reading<'a>,
    path: &'a str,
    /// What lines say, by the digest of their cells.
    said: ByKey<Rc<(u32, Said)>>,
    /// The line of the file on which a row stood that said just this.
    seen: ByKey<u32>,
    months: HashMap<Vec<u8>, Month>,
    owners: HashMap<Arc<str>, u32>,
    /// Cells that are about to be digested; kept, since a row has many.
    cells: Vec<u8>,
    chunk: Chunk,
    gathered: Gathered,
}

/// The owner's place of rows that have none.
pub(super) const NOBODY: u32 = u32::MAX;

impl<'a> Rows<'a> {
    fn new(reading: Reading<'a>, path: &'a str) -> Rows<'a> {
        Rows {
            reading,
            path,
            said: ByKey::default(),
            seen: ByKey::default(),
            months: HashMap::new(),
            owners: HashMap::new(),
            cells: Vec::new(),
            chunk: Chunk::default(),
            gathered: Gathered::default(),
        }
    }

    fn take_chunk(&mut self, watch: &Watch) -> Chunk {
        let chunk = std::mem::take(&mut self.chunk);
        Chunk { n_bytes: watch.n_bytes(), ..chunk }
    }

    fn add(&mut self, record: &ByteRecord) -> Result<(), IngestError> {
        let columns = self.reading.columns;
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != columns.headers.len() {
            // A blank line at the end is none of the data.
            if record.len() == 1 && record.get(0).is_some_and(|cell| cell.trim_ascii().is_empty()) {
                return Ok(());
            }
            let (n, of) = (record.len(), columns.headers.len());
            return Err(bad_row(self.path, line, format!("the row has {n} columns, the headers have {of}")));
        }
        if self.gathered.n_rows >= u64::from(FILE_ROWS_MAX) {
            return Err(IngestError::TooLong { path: self.path.to_owned(), rows_max: FILE_ROWS_MAX });
        }
        self.gathered.n_rows += 1;
        let month = self.month(record, line)?;
        let said = self.said(record, month, line)?;
        let figures = self.figures(record, line)?;
        let (owner, said) = (said.0, &said.1);
        self.gathered.count(owner, month, said);
        if let (Some(of), true) = (&said.line, owner != NOBODY) {
            let row_no = i64::try_from(self.gathered.n_rows).unwrap_or(i64::MAX);
            let subscription = of.subscription_id.clone().filter(|_| self.reading.waits_for_reseller());
            self.chunk.rows.push(Row { owner, month, row_no, line_no: of.line_no, subscription, figures });
        }
        Ok(())
    }

    fn month(&mut self, record: &ByteRecord, line: u64) -> Result<Month, IngestError> {
        let Some(place) = self.reading.columns.place(Field::Month) else {
            return Err(bad_row(self.path, line, "the row has no month".to_owned()));
        };
        if let Some(month) = self.months.get(&record[place]) {
            return Ok(*month);
        }
        let text = self.text(record, place, line)?;
        let month = month_of(text).map_err(|reason| self.bad_value(record, place, line, reason))?;
        self.months.insert(record[place].to_vec(), month);
        Ok(month)
    }

    /// What a row says; refuses one that says the same as an earlier row of the month.
    fn said(&mut self, record: &ByteRecord, month: Month, line: u64) -> Result<Rc<(u32, Said)>, IngestError> {
        let columns = self.reading.columns;
        self.cells.clear();
        add_cells(&mut self.cells, record, &columns.line_columns);
        let key = first_half(&self.cells);
        self.cells.clear();
        self.cells.extend_from_slice(&key);
        self.cells.extend_from_slice(&[month.number() as u8]);
        self.cells.extend_from_slice(&month.year().to_le_bytes());
        add_cells(&mut self.cells, record, &columns.more_columns);
        let row = first_half(&self.cells);
        if let Some(first_line) = self.seen.insert(row, u32::try_from(line).unwrap_or(u32::MAX)) {
            let (path, first_line) = (self.path.to_owned(), u64::from(first_line));
            return Err(IngestError::DuplicatedRow { path, line, first_line });
        }
        if let Some(said) = self.said.get(&key) {
            return Ok(said.clone());
        }
        for place in &columns.line_columns {
            self.text(record, *place, line)?;
        }
        let said = self.reading.say(|place| std::str::from_utf8(&record[place]).unwrap_or(""));
        let said =
            said.map_err(|(field, reason)| self.bad_value(record, columns.place(field).unwrap_or(0), line, reason))?;
        let owner = said.owner.clone().map_or(NOBODY, |owner| self.owner(owner));
        if let (Some(line), true) = (&said.line, owner != NOBODY) {
            self.chunk.lines.push((owner, line.clone()));
        }
        let said = Rc::new((owner, said));
        self.said.insert(key, said.clone());
        Ok(said)
    }

    fn owner(&mut self, id: Arc<str>) -> u32 {
        if let Some(place) = self.owners.get(&id) {
            return *place;
        }
        let place = u32::try_from(self.owners.len()).unwrap_or(NOBODY);
        self.chunk.owners.push(id.clone());
        self.gathered.owners.push(id.clone());
        self.owners.insert(id, place);
        place
    }

    fn figures(&mut self, record: &ByteRecord, line: u64) -> Result<[Option<i64>; 6], IngestError> {
        let licenses = self.figure(record, Field::Licenses, line)?;
        let deployed = self.figure(record, Field::Deployed, line)?;
        let active = self.figure(record, Field::Active, line)?;
        // The difference is signed: what it adds and what it removes are two measures.
        let difference = self.figure(record, Field::Difference, line)?;
        let revenue = self.figure(record, Field::Revenue, line)?;
        let (added, removed) = (difference.map(|n| n.max(0)), difference.map(|n| (-n).max(0)));
        Ok([licenses, deployed, active, added, removed, revenue])
    }

    fn figure(&mut self, record: &ByteRecord, field: Field, line: u64) -> Result<Option<i64>, IngestError> {
        let Some(place) = self.reading.columns.place(field) else { return Ok(None) };
        let read = figure(self.text(record, place, line)?);
        let Some((millionths, is_rounded)) = read.map_err(|reason| self.bad_value(record, place, line, reason))? else {
            return Ok(None);
        };
        let is_level = matches!(field, Field::Licenses | Field::Deployed | Field::Active);
        if is_level && millionths < 0 {
            return Err(self.bad_value(record, place, line, BadValue::NegativeLevel));
        }
        if is_rounded {
            *self.gathered.rounded.entry(self.reading.columns.header(field).to_owned()).or_default() += 1;
        }
        Ok(Some(millionths))
    }

    fn text<'r>(&self, record: &'r ByteRecord, place: usize, line: u64) -> Result<&'r str, IngestError> {
        let name = || self.reading.columns.headers.get(place).map_or("", String::as_str);
        std::str::from_utf8(&record[place])
            .map_err(|_| bad_row(self.path, line, format!("column `{}` is not UTF-8", name())))
    }

    fn bad_value(&self, record: &ByteRecord, place: usize, line: u64, reason: BadValue) -> IngestError {
        IngestError::BadValue {
            path: self.path.to_owned(),
            line,
            column_no: place + 1,
            column: self.reading.columns.headers.get(place).cloned().unwrap_or_default(),
            value: crate::base::short_name(&String::from_utf8_lossy(&record[place]), 60),
            reason,
        }
    }

    fn finish(self) -> Result<Gathered, IngestError> {
        let (n_rows, n_nobodys) = (self.gathered.n_rows, self.gathered.n_nobodys());
        if n_rows > 0 && n_rows == n_nobodys {
            let column = self.reading.columns.header(self.reading.owner_field()).to_owned();
            return Err(IngestError::NoPartner { path: self.path.to_owned(), column, n_rows });
        }
        Ok(self.gathered)
    }
}

/// Adds cells so that no two rows of different cells give the same bytes.
fn add_cells(bytes: &mut Vec<u8>, record: &ByteRecord, places: &[usize]) {
    for place in places {
        let cell = &record[*place];
        // A row ends within four million bytes, so that its cells' lengths fit.
        bytes.extend_from_slice(&(cell.len() as u32).to_le_bytes());
        bytes.extend_from_slice(cell);
    }
}

fn first_half(bytes: &[u8]) -> Key {
    let mut key = [0; 16];
    key.copy_from_slice(&Digest::of(bytes).as_bytes()[..16]);
    key
}
