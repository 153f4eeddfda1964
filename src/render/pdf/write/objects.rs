//! Numbered objects → the bytes of a file (ISO 32000-1, 7.5).
//!
//! What is no stream goes, deflated, into object streams (7.5.7), and the cross-references are a stream of their own
//! (7.5.8). A tagged document has a thousand small objects; packed they take a fifth.

use libdeflater::{CompressionLvl, Compressor};
use pdf_writer::{Chunk, Filter, Name, Ref, Settings, Str, Stream};

use super::WriteError;

/// What each file begins with: its version, and a comment that says that it is not text (ISO 19005-3, 6.1.2).
const HEADER: &[u8] = b"%PDF-1.7\n%\x80\x80\x80\x80\n";
/// How many objects one stream holds: a reader inflates it whole to reach one of them.
const OBJECTS_MAX: usize = 200;
/// Of libdeflate's twelve: level 3 takes an eighth of a document's time more for an eighteenth of the bytes less.
const LEVEL: i32 = 1;
/// Bytes of the three fields of a cross-reference: kind, place, index.
const WIDTHS: [usize; 3] = [1, 4, 2];
const N_WIDTH: usize = WIDTHS[0] + WIDTHS[1] + WIDTHS[2];

/// Where an object is, as its cross-reference says.
#[derive(Clone, Copy)]
enum Place {
    /// Nowhere: its number was never used.
    Free,
    At(usize),
    In {
        stream: Ref,
        index: usize,
    },
}

/// The objects of a document.
pub(super) struct Objects {
    places: Vec<Place>,
    /// Streams, and what stays in sight of those who look for it without a parser.
    open: Chunk,
    /// What goes into object streams, each with where it begins.
    packed: Chunk,
    starts: Vec<(Ref, usize)>,
    deflater: Deflater,
}

impl Objects {
    pub(super) fn new() -> Objects {
        let chunk = |capacity| Chunk::with_settings_and_capacity(Settings { pretty: false }, capacity);
        Objects {
            // An object 0 that is never used (7.5.4).
            places: vec![Place::Free],
            open: chunk(1 << 17),
            packed: chunk(1 << 17),
            starts: Vec::new(),
            deflater: Deflater::new(LEVEL),
        }
    }

    /// A number for an object that is written later.
    pub(super) fn reserve(&mut self) -> Ref {
        self.places.push(Place::Free);
        Ref::new(self.places.len() as i32 - 1)
    }

    /// Where to write an object that is no stream, and only it.
    pub(super) fn packed(&mut self, id: Ref) -> &mut Chunk {
        self.starts.push((id, self.packed.len()));
        &mut self.packed
    }

    /// Where to write a stream, or an object that stays in sight, and only it.
    pub(super) fn open(&mut self, id: Ref) -> &mut Chunk {
        self.places[id.get() as usize] = Place::At(HEADER.len() + self.open.len());
        &mut self.open
    }

    /// Writes a stream that is deflated here; `entries` adds to its dictionary.
    pub(super) fn stream(&mut self, id: Ref, data: &[u8], entries: impl FnOnce(&mut Stream<'_>)) {
        let deflated = self.deflater.all(data);
        self.deflated(id, &deflated, entries);
    }

    /// Writes a stream that is deflated already.
    pub(super) fn deflated(&mut self, id: Ref, data: &[u8], entries: impl FnOnce(&mut Stream<'_>)) {
        let mut stream = self.open(id).stream(id, data);
        stream.filter(Filter::FlateDecode);
        entries(&mut stream);
    }

    /// For what is deflated outside.
    pub(super) fn deflater(&mut self) -> &mut Deflater {
        &mut self.deflater
    }

    /// The file. `identity` names the document (14.4).
    ///
    /// # Errors
    /// When it is too large for its cross-references.
    pub(super) fn finish(mut self, root: Ref, info: Ref, identity: &[u8]) -> Result<Vec<u8>, WriteError> {
        let starts = std::mem::take(&mut self.starts);
        let ends = starts.iter().skip(1).map(|(_, start)| *start).chain([self.packed.len()]);
        let objects: Vec<(Ref, usize, usize)> =
            starts.iter().zip(ends).map(|((id, at), end)| (*id, *at, end)).collect();
        for objects in objects.chunks(OBJECTS_MAX) {
            self.object_stream(objects);
        }
        self.references(root, info, identity)
    }

    /// An object stream: numbers and offsets first, then the objects.
    fn object_stream(&mut self, objects: &[(Ref, usize, usize)]) {
        let stream = self.reserve();
        let (mut index, mut bodies) = (String::new(), Vec::new());
        for (n, (id, start, end)) in objects.iter().enumerate() {
            self.places[id.get() as usize] = Place::In { stream, index: n };
            index.push_str(&format!("{id} {} ", bodies.len(), id = id.get()));
            bodies.extend_from_slice(body(&self.packed.as_bytes()[*start..*end]));
            bodies.push(b'\n');
        }
        let (n, first) = (objects.len() as i32, index.len() as i32);
        let mut data = index.into_bytes();
        data.append(&mut bodies);
        self.stream(stream, &data, |stream| {
            stream.pair(Name(b"Type"), Name(b"ObjStm")).pair(Name(b"N"), n).pair(Name(b"First"), first);
        });
    }

    /// The stream of cross-references, which is the last object and has one of itself, and the end of the file.
    fn references(mut self, root: Ref, info: Ref, identity: &[u8]) -> Result<Vec<u8>, WriteError> {
        let own = self.reserve();
        let start = HEADER.len() + self.open.len();
        self.places[own.get() as usize] = Place::At(start);
        let mut rows = Vec::with_capacity(self.places.len() * (N_WIDTH + 1));
        let mut above = [0_u8; N_WIDTH];
        for place in &self.places {
            let (kind, first, second) = match *place {
                Place::Free => (0, 0, 65_535),
                Place::At(offset) => (1, offset, 0),
                Place::In { stream, index } => (2, stream.get() as usize, index),
            };
            let (Ok(first), Ok(second)) = (u32::try_from(first), u16::try_from(second)) else {
                return Err(WriteError::TooLarge);
            };
            let mut row = [0_u8; N_WIDTH];
            row[0] = kind;
            row[1..5].copy_from_slice(&first.to_be_bytes());
            row[5..].copy_from_slice(&second.to_be_bytes());
            // PNG's filter of differences from the row above makes rows alike.
            rows.push(2);
            rows.extend(row.iter().zip(above).map(|(byte, above)| byte.wrapping_sub(above)));
            above = row;
        }
        let n_objects = self.places.len() as i32;
        self.stream(own, &rows, |stream| {
            stream.pair(Name(b"Type"), Name(b"XRef")).pair(Name(b"Size"), n_objects);
            stream.insert(Name(b"W")).array().items(WIDTHS.map(|width| width as i32));
            stream.decode_parms().predictor(pdf_writer::types::Predictor::PngUp).columns(N_WIDTH as i32);
            stream.pair(Name(b"Root"), root).pair(Name(b"Info"), info);
            stream.insert(Name(b"ID")).array().items([Str(identity), Str(identity)]);
        });
        let mut file = Vec::with_capacity(HEADER.len() + self.open.len() + 32);
        file.extend_from_slice(HEADER);
        file.extend_from_slice(self.open.as_bytes());
        file.extend_from_slice(format!("startxref\n{start}\n%%EOF\n").as_bytes());
        Ok(file)
    }
}

/// An object without its number and its end.
fn body(object: &[u8]) -> &[u8] {
    let head = object.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    object[head..].strip_suffix(b"\nendobj\n").unwrap_or(&object[head..])
}

/// One deflater for all streams: to set one up costs more than to deflate a small page.
pub(super) struct Deflater(Compressor);

impl Deflater {
    /// Of libdeflate's levels, 1 to 12.
    pub(super) fn new(level: i32) -> Deflater {
        Deflater(Compressor::new(CompressionLvl::new(level).unwrap_or_default()))
    }

    /// The bytes as a zlib stream.
    pub(super) fn all(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut deflated = vec![0; self.0.zlib_compress_bound(bytes.len())];
        // There is always room: the bound says how much is needed at most.
        let n = self.0.zlib_compress(bytes, &mut deflated).unwrap_or(0);
        deflated.truncate(n);
        deflated
    }
}

#[cfg(test)]
mod tests {
    use lopdf::xref::XrefEntry;
    use lopdf::{Document, Object};

    use super::*;

    #[test]
    fn every_object_is_found_where_its_reference_says() {
        let mut objects = Objects::new();
        let [root, info, unused, stream] = std::array::from_fn(|_| objects.reserve());
        let many: Vec<Ref> = (0..2 * OBJECTS_MAX + 1).map(|_| objects.reserve()).collect();
        for id in many.iter().rev() {
            objects.packed(*id).indirect(*id).array().items([id.get(), 7]);
        }
        objects.stream(stream, b"abc", |stream| _ = stream.pair(Name(b"Kind"), 3));
        objects.open(info).indirect(info).dict().pair(Name(b"Title"), Str(b"T"));
        objects.open(root).indirect(root).dict().pair(Name(b"Type"), Name(b"Catalog")).pair(Name(b"Pages"), unused);
        let file = objects.finish(root, info, b"(id)").unwrap();
        assert!(file.starts_with(HEADER) && file.ends_with(b"%%EOF\n"));

        let read = Document::load_mem(&file).unwrap();
        let number = |id: &Ref| (id.get() as u32, 0);
        for id in &many {
            let items = read.get_object(number(id)).unwrap().as_array().unwrap();
            assert_eq!(items[..], [Object::Integer(id.get().into()), Object::Integer(7)]);
            let Some(XrefEntry::Compressed { container, index }) = read.reference_table.get(number(id).0) else {
                panic!("{id:?} is not packed")
            };
            let stream = read.get_object((*container, 0)).unwrap().as_stream().unwrap();
            let heads = stream.decompressed_content().unwrap();
            let numbers: Vec<&str> = std::str::from_utf8(&heads).unwrap().split_whitespace().step_by(2).collect();
            assert_eq!(numbers[usize::from(*index)], id.get().to_string());
        }
        let data = read.get_object(number(&stream)).unwrap().as_stream().unwrap();
        assert_eq!(
            (data.decompressed_content().unwrap().as_slice(), data.dict.get(b"Kind").unwrap()),
            (&b"abc"[..], &Object::Integer(3))
        );
        assert!(read.get_object(number(&unused)).is_err());
        assert_eq!(read.trailer.get(b"Root").unwrap().as_reference().unwrap(), number(&root));
        let identity = read.trailer.get(b"ID").unwrap().as_array().unwrap();
        assert!(identity.iter().all(|id| id.as_str().unwrap() == b"(id)"));
    }

    #[test]
    fn streams_are_deflated_whatever_they_hold() {
        let mut deflater = Deflater::new(LEVEL);
        let noise: Vec<u8> = (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for bytes in [&b""[..], b"a", &noise] {
            let mut inflated = Vec::new();
            std::io::Read::read_to_end(&mut flate2::read::ZlibDecoder::new(&*deflater.all(bytes)), &mut inflated)
                .unwrap();
            assert!(inflated == bytes);
        }
    }
}
