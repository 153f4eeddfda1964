//! A PDF's cross-references and streams (ISO 32000-2, 7.5 and 7.4.4): object streams
//! are inflated when a file is opened, objects are read when they are asked for.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;

use memchr::memmem;

use super::object::{Dict, Object, Reader};
use crate::gate::inflate::Inflater;

/// As much is inflated of one file; our largest has a few megabytes.
const INFLATED_BYTES_MAX: usize = 256 << 20;

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
    first: usize,
    starts: Vec<usize>,
}

/// An opened file.
pub(super) struct File<'a> {
    bytes: &'a [u8],
    /// By the number of the object.
    places: Vec<(u32, Place)>,
    trailer: Dict<'a>,
    packed: BTreeMap<u32, Packed>,
    inflating: RefCell<Inflating>,
}

/// What inflates streams, and how many bytes they may still become.
struct Inflating {
    inflater: Inflater,
    bytes_left: usize,
}

impl<'a> File<'a> {
    /// Opens a file by its last cross-references.
    pub(super) fn open(bytes: &'a [u8]) -> Result<File<'a>, String> {
        if !bytes.starts_with(b"%PDF-") {
            return Err("it does not begin as a PDF does".to_owned());
        }
        let tail = bytes.len().saturating_sub(TAIL_BYTES);
        let mark = memmem::rfind(&bytes[tail..], b"startxref").ok_or("it breaks off")?;
        let start =
            Reader::new(bytes, tail + mark + 9).next().and_then(|start| start.index()).ok_or("it breaks off")?;
        let mut file = File {
            bytes,
            places: Vec::new(),
            trailer: Dict::default(),
            packed: BTreeMap::new(),
            inflating: RefCell::new(Inflating { inflater: Inflater::default(), bytes_left: INFLATED_BYTES_MAX }),
        };
        let mut next = Some(start);
        for n in 0..UPDATES_MAX {
            let Some(at) = next else { break };
            let dict = file.cross_references(at)?;
            next = dict.number(b"Prev");
            if n == 0 {
                file.trailer = dict;
            }
        }
        if file.trailer.get(b"Encrypt").is_some() {
            return Err("it is encrypted".to_owned());
        }
        file.unpack()?;
        Ok(file)
    }

    /// The trailer's dictionary.
    pub(super) fn trailer(&self) -> &Dict<'a> {
        &self.trailer
    }

    /// Reads one section of cross-references; what a later one said of an object stands.
    fn cross_references(&mut self, at: usize) -> Result<Dict<'a>, String> {
        let mut reader = Reader::new(self.bytes, at);
        let mut places = Vec::new();
        let broken = || "its cross-references are broken".to_owned();
        if !reader.next().ok_or_else(broken)?.is_word(b"xref") {
            return self.cross_reference_stream(at);
        }
        loop {
            let first = reader.next().ok_or_else(broken)?;
            if first.is_word(b"trailer") {
                break;
            }
            let first = first.index().ok_or_else(broken)?;
            let n = reader.next().and_then(|n| n.index()).ok_or_else(broken)?;
            for number in first..first.saturating_add(n) {
                let offset = reader.next().and_then(|offset| offset.index()).ok_or_else(broken)?;
                reader.next().ok_or_else(broken)?;
                let is_used = reader.next().ok_or_else(broken)?.is_word(b"n");
                if is_used {
                    let number = u32::try_from(number).map_err(|_| broken())?;
                    places.push((number, Place::At(offset)));
                }
            }
        }
        self.add(places);
        match reader.next() {
            Some(Object::Dict(dict)) => Ok(dict),
            _ => Err(broken()),
        }
    }

    fn cross_reference_stream(&mut self, at: usize) -> Result<Dict<'a>, String> {
        let broken = || "its cross-references are broken".to_owned();
        let (object, raw) = self.indirect(at, None).ok_or_else(broken)?;
        let (Object::Dict(dict), Some(raw)) = (object, raw) else { return Err(broken()) };
        let data = self.decoded(&dict, raw)?;
        let numbers = |key: &[u8]| match dict.get(key) {
            Some(Object::Array(items)) => items.iter().map(Object::index).collect::<Option<Vec<usize>>>(),
            _ => None,
        };
        let widths = numbers(b"W").filter(|widths| widths.len() == 3).ok_or_else(broken)?;
        let size = dict.number(b"Size").ok_or_else(broken)?;
        let index = numbers(b"Index").unwrap_or_else(|| vec![0, size]);
        let ranges = index.chunks_exact(2).flat_map(|pair| pair[0]..pair[0].saturating_add(pair[1]));
        let width = widths.iter().fold(0_usize, |sum, width| sum.saturating_add(*width));
        let mut places = Vec::new();
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
            places.push((number, place));
        }
        self.add(places);
        Ok(dict)
    }

    /// Adds the places of a section; of those of one number the first stands.
    fn add(&mut self, places: Vec<(u32, Place)>) {
        self.places.extend(places);
        self.places.sort_by_key(|(number, _)| *number);
        self.places.dedup_by_key(|(number, _)| *number);
    }

    /// Inflates the object streams (7.5.7).
    fn unpack(&mut self) -> Result<(), String> {
        let mut packed = BTreeMap::new();
        for (_, place) in &self.places {
            let Place::In(stream, _) = place else { continue };
            if packed.contains_key(stream) {
                continue;
            }
            let (dict, data) = self.stream(*stream)?;
            let read = || {
                let first = dict.number(b"First")?;
                // Pairs of a number and an offset.
                let head = data.get(..first)?.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
                let n = dict.number(b"N")?;
                let offsets = head.skip(1).step_by(2).take(n);
                let start = |offset| first.checked_add(Object::Number(offset).index()?);
                let starts = offsets.map(start).collect::<Option<Vec<usize>>>()?;
                (starts.len() == n).then_some((first, starts))
            };
            let (first, starts) = read().ok_or_else(|| format!("its stream `{stream}` is broken"))?;
            packed.insert(*stream, Packed { data: data.into_owned(), first, starts });
        }
        self.packed = packed;
        Ok(())
    }

    fn place(&self, number: u32) -> Option<Place> {
        let at = self.places.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        self.places.get(at).map(|(_, place)| *place)
    }

    /// The object at a byte, and the stream behind it.
    fn indirect(&self, at: usize, number: Option<u32>) -> Option<(Object<'a>, Option<&'a [u8]>)> {
        let mut reader = Reader::new(self.bytes, at);
        let is = reader.next()?.index()?;
        reader.next()?.index()?;
        let is_meant = number.is_none_or(|number| number as usize == is);
        if !is_meant || !reader.next()?.is_word(b"obj") {
            return None;
        }
        let object = reader.next()?;
        let Object::Dict(dict) = &object else { return Some((object, None)) };
        if !reader.next().is_some_and(|word| word.is_word(b"stream")) {
            return Some((object, None));
        }
        let mut start = reader.at;
        start += usize::from(self.bytes.get(start) == Some(&b'\r'));
        start += usize::from(self.bytes.get(start) == Some(&b'\n'));
        let length = match dict.get(b"Length")? {
            Object::Ref(number) => self.object(*number)?.index()?,
            length => length.index()?,
        };
        let raw = self.bytes.get(start..start.checked_add(length)?)?;
        Some((object, Some(raw)))
    }

    /// The numbers of all objects that stand in no object stream.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        self.places.iter().filter(|(_, place)| matches!(place, Place::At(_))).map(|(number, _)| *number)
    }

    /// What each object stream has of objects, whether or not anything refers to them.
    pub(super) fn packed(&self) -> impl Iterator<Item = &[u8]> {
        self.packed.values().filter_map(|packed| packed.data.get(packed.first..))
    }

    /// The object with a number.
    pub(super) fn object(&self, number: u32) -> Option<Object<'_>> {
        match self.place(number)? {
            Place::At(at) => self.indirect(at, Some(number)).map(|(object, _)| object),
            Place::In(stream, n) => {
                let packed = self.packed.get(&stream)?;
                Reader::new(&packed.data, *packed.starts.get(n)?).next()
            }
        }
    }

    /// An object, or what a reference to it leads to.
    pub(super) fn resolved<'s>(&'s self, object: &Object<'s>) -> Option<Object<'s>> {
        let Object::Ref(number) = object else { return Some(object.clone()) };
        let mut number = *number;
        for _ in 0..UPDATES_MAX {
            match self.object(number)? {
                Object::Ref(next) => number = next,
                object => return Some(object),
            }
        }
        None
    }

    /// What a key of a dictionary leads to.
    pub(super) fn entry<'s>(&'s self, dict: &Dict<'s>, key: &[u8]) -> Option<Object<'s>> {
        self.resolved(dict.get(key)?)
    }

    /// The dictionary that a key leads to.
    pub(super) fn dict<'s>(&'s self, dict: &Dict<'s>, key: &[u8]) -> Option<Dict<'s>> {
        if let Object::Dict(dict) = self.entry(dict, key)? { Some(dict) } else { None }
    }

    /// The decoded data of the stream with a number, and its dictionary.
    pub(super) fn stream(&self, number: u32) -> Result<(Dict<'a>, Cow<'a, [u8]>), String> {
        let broken = || format!("its stream `{number}` is broken");
        let Some(Place::At(at)) = self.place(number) else { return Err(broken()) };
        match self.indirect(at, Some(number)) {
            Some((Object::Dict(dict), Some(raw))) => {
                let data = self.decoded(&dict, raw)?;
                Ok((dict, data))
            }
            _ => Err(broken()),
        }
    }

    fn decoded(&self, dict: &Dict<'a>, raw: &'a [u8]) -> Result<Cow<'a, [u8]>, String> {
        let filters = match self.entry(dict, b"Filter") {
            None => Vec::new(),
            Some(Object::Array(filters)) => filters,
            Some(filter) => vec![filter],
        };
        let mut data = Cow::Borrowed(raw);
        for filter in filters {
            if !filter.is_name(b"FlateDecode") {
                return Err(format!("its filter `{filter:?}` is not one we write"));
            }
            data = Cow::Owned(self.inflating.borrow_mut().inflated(&data)?);
        }
        match self.dict(dict, b"DecodeParms") {
            Some(parms) if parms.number(b"Predictor").unwrap_or(1) >= 10 => unpredicted(&data, &parms).map(Cow::Owned),
            Some(parms) if parms.number(b"Predictor").unwrap_or(1) != 1 => {
                Err("its predictor is not one we know".to_owned())
            }
            _ => Ok(data),
        }
    }
}

impl Inflating {
    fn inflated(&mut self, data: &[u8]) -> Result<Vec<u8>, String> {
        let inflated = self.inflater.zlib(data, self.bytes_left);
        let inflated = inflated.map_err(|error| format!("a stream does not inflate: {error}"))?.to_vec();
        self.bytes_left -= inflated.len();
        Ok(inflated)
    }
}

/// Undoes PNG's filters of rows (PNG, 9.2) on rows of bytes.
fn unpredicted(data: &[u8], parms: &Dict<'_>) -> Result<Vec<u8>, String> {
    let n = parms.number(b"Columns").unwrap_or(1);
    let mut rows: Vec<u8> = Vec::with_capacity(data.len());
    for row in data.chunks_exact(n.saturating_add(1)) {
        for at in 1..=n {
            let left = if at > 1 { rows[rows.len() - 1] } else { 0 };
            let above = if rows.len() >= n { rows[rows.len() - n] } else { 0 };
            let guess = match row[0] {
                0 => 0,
                1 => left,
                2 => above,
                3 => u8::midpoint(left, above),
                _ => return Err("its predictor is not one we know".to_owned()),
            };
            rows.push(row[at].wrapping_add(guess));
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(parms: &str, data: &[u8], wants: &[u8]) {
        let Some(Object::Dict(parms)) = Reader::new(parms.as_bytes(), 0).next() else { panic!("no dictionary") };
        assert_eq!(unpredicted(data, &parms).unwrap(), wants);
    }

    #[test]
    fn predicted_rows_are_read_and_their_width_takes_no_room() {
        check("<</Columns 2>>", &[0, 1, 2, 1, 3, 4, 2, 5, 6, 3, 1, 1], &[1, 2, 3, 7, 8, 13, 5, 10]);
        check("<</Columns 18446744073709551615>>", &[0, 1, 2], &[]);
    }
}
