//! A PDF's cross-references and streams (ISO 32000-2, 7.5 and 7.4.4): objects are read when they are asked for.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::Read;
use std::rc::Rc;

use flate2::read::ZlibDecoder;

use super::object::{Dict, Object, Reader};

/// As much is inflated of one file; our largest has a few megabytes.
const INFLATED_BYTES_MAX: u64 = 256 << 20;

/// How many updates may follow one another, and references lead to references.
const UPDATES_MAX: usize = 32;

/// The `startxref` stands in the last so many bytes.
const TAIL_BYTES: usize = 1024;

/// Where an object stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// At a byte of the file.
    At(usize),
    /// The n-th in an object stream.
    In(u32, usize),
}

/// An object stream, inflated, and where each of its objects begins.
struct Packed {
    data: Vec<u8>,
    starts: Vec<usize>,
}

/// An opened file.
pub(super) struct File<'a> {
    bytes: &'a [u8],
    places: BTreeMap<u32, Place>,
    trailer: Dict,
    inflated: RefCell<BTreeMap<u32, Rc<Packed>>>,
    budget: Cell<u64>,
}

impl<'a> File<'a> {
    /// Opens a file by its last cross-references.
    pub(super) fn open(bytes: &'a [u8]) -> Result<File<'a>, String> {
        if !bytes.starts_with(b"%PDF-") {
            return Err("it does not begin as a PDF does".to_owned());
        }
        let tail = bytes.len().saturating_sub(TAIL_BYTES);
        let mark = bytes[tail..].windows(9).rposition(|window| window == b"startxref").ok_or("it breaks off")?;
        let start =
            Reader::new(bytes, tail + mark + 9).next().and_then(|start| start.index()).ok_or("it breaks off")?;
        let mut file = File {
            bytes,
            places: BTreeMap::new(),
            trailer: Dict::default(),
            inflated: RefCell::default(),
            budget: Cell::new(INFLATED_BYTES_MAX),
        };
        let mut next = Some(start);
        for n in 0..UPDATES_MAX {
            let Some(at) = next else { break };
            let dict = file.cross_references(at)?;
            next = dict.number("Prev");
            if n == 0 {
                file.trailer = dict;
            }
        }
        if file.trailer.get("Encrypt").is_some() {
            return Err("it is encrypted".to_owned());
        }
        Ok(file)
    }

    /// The trailer's dictionary.
    pub(super) fn trailer(&self) -> &Dict {
        &self.trailer
    }

    /// Reads one section of cross-references; what a later one said of an object stands.
    fn cross_references(&mut self, at: usize) -> Result<Dict, String> {
        let mut reader = Reader::new(self.bytes, at);
        let broken = || "its cross-references are broken".to_owned();
        if !reader.next().ok_or_else(broken)?.is_word("xref") {
            return self.cross_reference_stream(at);
        }
        loop {
            let first = reader.next().ok_or_else(broken)?;
            if first.is_word("trailer") {
                break;
            }
            let first = first.index().ok_or_else(broken)?;
            let n = reader.next().and_then(|n| n.index()).ok_or_else(broken)?;
            for number in first..first.saturating_add(n) {
                let offset = reader.next().and_then(|offset| offset.index()).ok_or_else(broken)?;
                reader.next().ok_or_else(broken)?;
                let is_used = reader.next().ok_or_else(broken)?.is_word("n");
                if is_used {
                    let number = u32::try_from(number).map_err(|_| broken())?;
                    self.places.entry(number).or_insert(Place::At(offset));
                }
            }
        }
        match reader.next() {
            Some(Object::Dict(dict)) => Ok(dict),
            _ => Err(broken()),
        }
    }

    fn cross_reference_stream(&mut self, at: usize) -> Result<Dict, String> {
        let broken = || "its cross-references are broken".to_owned();
        let (object, raw) = self.indirect(at, None).ok_or_else(broken)?;
        let (Object::Dict(dict), Some(raw)) = (object, raw) else { return Err(broken()) };
        let data = self.decoded(&dict, raw)?;
        let numbers = |key: &str| match dict.get(key) {
            Some(Object::Array(items)) => items.iter().map(Object::index).collect::<Option<Vec<usize>>>(),
            _ => None,
        };
        let widths = numbers("W").filter(|widths| widths.len() == 3).ok_or_else(broken)?;
        let size = dict.number("Size").ok_or_else(broken)?;
        let index = numbers("Index").unwrap_or_else(|| vec![0, size]);
        let ranges = index.chunks_exact(2).flat_map(|pair| pair[0]..pair[0].saturating_add(pair[1]));
        let width: usize = widths.iter().sum();
        for (number, entry) in ranges.zip(data.chunks_exact(width.max(1))) {
            let number = u32::try_from(number).map_err(|_| broken())?;
            let field = |n: usize| {
                let start: usize = widths[..n].iter().sum();
                entry[start..start + widths[n]].iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte))
            };
            let place = match if widths[0] == 0 { 1 } else { field(0) } {
                1 => Place::At(field(1)),
                2 => Place::In(u32::try_from(field(1)).map_err(|_| broken())?, field(2)),
                _ => continue,
            };
            self.places.entry(number).or_insert(place);
        }
        Ok(dict)
    }

    /// The object at a byte, and the stream behind it.
    fn indirect(&self, at: usize, number: Option<u32>) -> Option<(Object, Option<&'a [u8]>)> {
        let mut reader = Reader::new(self.bytes, at);
        let is = reader.next()?.index()?;
        reader.next()?.index()?;
        let is_meant = number.is_none_or(|number| number as usize == is);
        if !is_meant || !reader.next()?.is_word("obj") {
            return None;
        }
        let object = reader.next()?;
        let Object::Dict(dict) = &object else { return Some((object, None)) };
        if !reader.next().is_some_and(|word| word.is_word("stream")) {
            return Some((object, None));
        }
        let mut start = reader.at;
        start += usize::from(self.bytes.get(start) == Some(&b'\r'));
        start += usize::from(self.bytes.get(start) == Some(&b'\n'));
        let length = match dict.get("Length")? {
            Object::Ref(number) => self.object(*number)?.index()?,
            length => length.index()?,
        };
        let raw = self.bytes.get(start..start.checked_add(length)?)?;
        Some((object, Some(raw)))
    }

    /// The numbers of all objects.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        self.places.keys().copied()
    }

    /// The object with a number.
    pub(super) fn object(&self, number: u32) -> Option<Object> {
        match *self.places.get(&number)? {
            Place::At(at) => self.indirect(at, Some(number)).map(|(object, _)| object),
            Place::In(stream, n) => self.packed(stream, n),
        }
    }

    /// The n-th object in an object stream (7.5.7).
    fn packed(&self, stream: u32, n: usize) -> Option<Object> {
        let Some(Place::At(at)) = self.places.get(&stream) else { return None };
        let (Object::Dict(dict), Some(raw)) = self.indirect(*at, Some(stream))? else { return None };
        let known = self.inflated.borrow().get(&stream).cloned();
        let packed = match known {
            Some(packed) => packed,
            None => {
                let data = self.decoded(&dict, raw).ok()?;
                let first = dict.number("First")?;
                let mut reader = Reader::new(&data, 0);
                let mut starts = Vec::new();
                // Pairs of a number and an offset; read once, since whoever asks for one object asks for all.
                for _ in 0..dict.number("N")?.min(data.len()) {
                    reader.next()?;
                    starts.push(first.checked_add(reader.next()?.index()?)?);
                }
                let packed = Rc::new(Packed { data, starts });
                self.inflated.borrow_mut().insert(stream, Rc::clone(&packed));
                packed
            }
        };
        Reader::new(&packed.data, *packed.starts.get(n)?).next()
    }

    /// An object, or what a reference to it leads to.
    pub(super) fn resolved(&self, object: &Object) -> Option<Object> {
        let mut object = object.clone();
        for _ in 0..UPDATES_MAX {
            let Object::Ref(number) = object else { return Some(object) };
            object = self.object(number)?;
        }
        None
    }

    /// What a key of a dictionary leads to.
    pub(super) fn entry(&self, dict: &Dict, key: &str) -> Option<Object> {
        self.resolved(dict.get(key)?)
    }

    /// The dictionary that a key leads to.
    pub(super) fn dict(&self, dict: &Dict, key: &str) -> Option<Dict> {
        if let Object::Dict(dict) = self.entry(dict, key)? { Some(dict) } else { None }
    }

    /// The decoded data of the stream with a number, and its dictionary.
    pub(super) fn stream(&self, number: u32) -> Result<(Dict, Vec<u8>), String> {
        let broken = || format!("its stream `{number}` is broken");
        let Some(Place::At(at)) = self.places.get(&number) else { return Err(broken()) };
        match self.indirect(*at, Some(number)) {
            Some((Object::Dict(dict), Some(raw))) => {
                let data = self.decoded(&dict, raw)?;
                Ok((dict, data))
            }
            _ => Err(broken()),
        }
    }

    fn decoded(&self, dict: &Dict, raw: &[u8]) -> Result<Vec<u8>, String> {
        let filters = match self.entry(dict, "Filter") {
            None => Vec::new(),
            Some(Object::Array(filters)) => filters,
            Some(filter) => vec![filter],
        };
        let mut data = raw.to_vec();
        for filter in filters {
            if !filter.is_name("FlateDecode") {
                return Err(format!("its filter `{filter:?}` is not one we write"));
            }
            let mut inflated = Vec::with_capacity(data.len() * 4);
            let left = self.budget.get();
            let read = ZlibDecoder::new(data.as_slice()).take(left).read_to_end(&mut inflated);
            read.map_err(|error| format!("a stream does not inflate: {error}"))?;
            self.budget.set(left.saturating_sub(inflated.len() as u64));
            data = inflated;
        }
        match self.dict(dict, "DecodeParms") {
            Some(parms) if parms.number("Predictor").unwrap_or(1) >= 10 => unpredicted(&data, &parms),
            Some(parms) if parms.number("Predictor").unwrap_or(1) != 1 => {
                Err("its predictor is not one we know".to_owned())
            }
            _ => Ok(data),
        }
    }
}

/// Undoes PNG's filters of rows (PNG, 9.2) on rows of bytes.
fn unpredicted(data: &[u8], parms: &Dict) -> Result<Vec<u8>, String> {
    let n = parms.number("Columns").unwrap_or(1);
    let mut rows: Vec<u8> = Vec::with_capacity(data.len());
    let mut above = vec![0_u8; n];
    for row in data.chunks_exact(n + 1) {
        let mut this = row[1..].to_vec();
        for at in 0..n {
            let left = if at > 0 { this[at - 1] } else { 0 };
            let guess = match row[0] {
                0 => 0,
                1 => left,
                2 => above[at],
                3 => u8::midpoint(left, above[at]),
                _ => return Err("its predictor is not one we know".to_owned()),
            };
            this[at] = this[at].wrapping_add(guess);
        }
        rows.extend_from_slice(&this);
        above = this;
    }
    Ok(rows)
}
