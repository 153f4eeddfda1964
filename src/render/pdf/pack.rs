//! Packs a document's objects: what is not a stream goes, deflated, into object streams (ISO 32000-1, 7.5.7), and the
//! cross-references become a stream of their own (7.5.8). A tagged document has a thousand small objects; packed
//! they take a fifth.
//!
//! It reads what this house's PDF writer writes, and nothing else: `N 0 obj`, a dictionary, perhaps a stream, `endobj`,
//! with a plain table of cross-references. What it cannot read is an error, never a guess.

use libdeflater::{CompressionLvl, Compressor};

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
    Free,
    At(usize),
    In { stream: usize, index: usize },
}

/// Packs a document.
///
/// # Errors
/// In words, when it is not written as expected.
pub(super) fn pack(document: &[u8]) -> Result<Vec<u8>, &'static str> {
    let table = Table::read(document).ok_or("the document's cross-references are not a plain table")?;
    let n_objects = table.offsets.len();
    let mut packed = Vec::with_capacity(document.len() / 2);
    let header = table.offsets.iter().flatten().min().ok_or("the document has no objects")?;
    packed.extend(&document[..*header]);
    let mut places = vec![Place::Free; n_objects];
    let mut loose: Vec<(usize, &[u8])> = Vec::new();
    let mut deflate = Deflate::new();
    for (number, whole, body) in table.objects(document) {
        let body = body.ok_or("an object of the document does not end")?;
        // The catalog and the document's information stay in sight of those who look for them without a parser.
        if body.ends_with(b"endstream") {
            places[number] = Place::At(packed.len());
            match plain_stream(body) {
                Some((entries, data)) => write_stream(&mut packed, number, entries, &deflate.all(data)?),
                None => packed.extend(whole),
            }
        } else if table.is_named(number) {
            places[number] = Place::At(packed.len());
            packed.extend(whole);
        } else {
            loose.push((number, body));
        }
    }
    for objects in loose.chunks(OBJECTS_MAX) {
        let stream = places.len();
        for (index, (number, _)) in objects.iter().enumerate() {
            places[*number] = Place::In { stream, index };
        }
        places.push(Place::At(packed.len()));
        write_objects(&mut packed, stream, objects, &mut deflate)?;
    }
    write_references(&mut packed, places, table.trailer, &mut deflate)?;
    Ok(packed)
}

/// The cross-references of a document, by object number, and the entries of its trailer.
struct Table<'a> {
    offsets: Vec<Option<usize>>,
    trailer: &'a [u8],
    start: usize,
}

impl<'a> Table<'a> {
    /// One section of twenty bytes a line (7.5.4), and the trailer without its brackets and size.
    fn read(document: &'a [u8]) -> Option<Table<'a>> {
        let tail = &document[document.len().saturating_sub(64)..];
        let start: usize = number(after(tail, b"startxref")?.trim_ascii_start())?;
        let rest = document.get(start..)?.strip_prefix(b"xref\n0 ")?;
        let n = number(rest)?;
        let lines = rest.get(rest.iter().position(|byte| *byte == b'\n')? + 1..)?;
        let line = |line: &[u8]| (line[17] == b'n').then(|| number(line)).flatten();
        let offsets = lines.get(..n * 20)?.chunks_exact(20).map(line).collect();
        let trailer = after(lines.get(n * 20..)?, b"trailer")?;
        let entries = after(trailer, b"<</Size ")?;
        let first = entries.iter().position(|byte| *byte == b'/')?;
        let end = find(entries, b">>\nstartxref")?;
        Some(Table { offsets, trailer: entries.get(first..end)?, start })
    }

    /// Whether the trailer leads to the object.
    fn is_named(&self, number: usize) -> bool {
        [b"/Root ".as_slice(), b"/Info "]
            .iter()
            .any(|key| after(self.trailer, key).and_then(self::number) == Some(number))
    }

    /// Number, bytes and body of each object, in the order in which they stand.
    fn objects<'t>(&'t self, document: &'a [u8]) -> impl Iterator<Item = (usize, &'a [u8], Option<&'a [u8]>)> + 't {
        let mut order: Vec<(usize, usize)> =
            self.offsets.iter().enumerate().filter_map(|(number, offset)| Some(((*offset)?, number))).collect();
        order.sort_unstable();
        (0..order.len()).map(move |n| {
            let (offset, number) = order[n];
            let end = order.get(n + 1).map_or(self.start, |(next, _)| *next);
            let whole = document.get(offset..end).unwrap_or_default();
            let body = whole.trim_ascii_end().strip_suffix(b"endobj").and_then(|body| after(body, b" obj"));
            (number, whole, body.map(<[u8]>::trim_ascii))
        })
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn after<'a>(bytes: &'a [u8], what: &[u8]) -> Option<&'a [u8]> {
    bytes.get(find(bytes, what)? + what.len()..)
}

/// The digits that bytes begin with.
fn number(bytes: &[u8]) -> Option<usize> {
    let n = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&bytes[..n]).ok()?.parse().ok()
}

/// A stream that is not packed yet: its entries but the length, and its data. Metadata stays in sight.
fn plain_stream(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = find(body, b">>\nstream\n")?;
    let dict = &body[..end];
    if find(dict, b"/Filter").is_some() || find(dict, b"/Metadata").is_some() {
        return None;
    }
    let rest = after(dict, b"<</Length ")?;
    let n = number(rest)?;
    let entries = rest.get(rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len())..)?;
    let start = end + b">>\nstream\n".len();
    Some((entries, body.get(start..start + n)?))
}

/// One deflater for all streams: to set one up costs more than to deflate a small page.
struct Deflate(Compressor);

impl Deflate {
    fn new() -> Deflate {
        Deflate(Compressor::new(CompressionLvl::new(LEVEL).unwrap_or_default()))
    }

    fn all(&mut self, bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
        let mut deflated = vec![0; self.0.zlib_compress_bound(bytes.len())];
        let n = self.0.zlib_compress(bytes, &mut deflated).map_err(|_| "a stream of the document does not deflate")?;
        deflated.truncate(n);
        Ok(deflated)
    }
}

fn write_stream(packed: &mut Vec<u8>, number: usize, entries: &[u8], data: &[u8]) {
    packed.extend(format!("{number} 0 obj\n<<").as_bytes());
    packed.extend(entries);
    packed.extend(format!("/Filter/FlateDecode/Length {}>>\nstream\n", data.len()).as_bytes());
    packed.extend(data);
    packed.extend(b"\nendstream\nendobj\n\n");
}

/// An object stream: numbers and offsets first, then the objects.
fn write_objects(
    packed: &mut Vec<u8>,
    number: usize,
    objects: &[(usize, &[u8])],
    deflate: &mut Deflate,
) -> Result<(), &'static str> {
    let (mut index, mut bodies) = (String::new(), Vec::new());
    for (number, body) in objects {
        index.push_str(&format!("{number} {} ", bodies.len()));
        bodies.extend(*body);
        bodies.push(b'\n');
    }
    let entries = format!("/Type/ObjStm/N {}/First {}", objects.len(), index.len());
    let mut data = index.into_bytes();
    data.append(&mut bodies);
    write_stream(packed, number, entries.as_bytes(), &deflate.all(&data)?);
    Ok(())
}

/// The stream of cross-references, which is the last object and has one of itself, and the end of the file.
fn write_references(
    packed: &mut Vec<u8>,
    mut places: Vec<Place>,
    trailer: &[u8],
    deflate: &mut Deflate,
) -> Result<(), &'static str> {
    let (start, own) = (packed.len(), places.len());
    places.push(Place::At(start));
    let mut rows = Vec::with_capacity(places.len() * (N_WIDTH + 1));
    let mut above = [0_u8; N_WIDTH];
    for place in &places {
        let (kind, first, second) = match *place {
            // An object 0 that is never used again (7.5.4).
            Place::Free => (0, 0, 65_535),
            Place::At(offset) => (1, offset, 0),
            Place::In { stream, index } => (2, stream, index),
        };
        let mut row = [0_u8; N_WIDTH];
        row[0] = kind;
        let (Ok(first), Ok(second)) = (u32::try_from(first), u16::try_from(second)) else {
            return Err("the document is too large for its cross-references");
        };
        row[1..5].copy_from_slice(&first.to_be_bytes());
        row[5..].copy_from_slice(&second.to_be_bytes());
        // PNG's filter of differences from the row above makes rows alike.
        rows.push(2);
        rows.extend(row.iter().zip(above).map(|(byte, above)| byte.wrapping_sub(above)));
        above = row;
    }
    let mut entries = format!(
        "/Type/XRef/Size {}/W[{} {} {}]/DecodeParms<</Predictor 12/Columns {N_WIDTH}>>",
        places.len(),
        WIDTHS[0],
        WIDTHS[1],
        WIDTHS[2]
    )
    .into_bytes();
    entries.extend(trailer);
    write_stream(packed, own, &entries, &deflate.all(&rows)?);
    packed.extend(format!("startxref\n{start}\n%%EOF\n").as_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn what_is_not_written_as_expected_is_an_error() {
        let objects = "%PDF-1.7\n\n1 0 obj\n<</Type/Catalog>>\nendobj\n\n";
        let table = "xref\n0 2\n0000000000 65535 f\r\n0000000010 00000 n\r\ntrailer\n<</Size 2/Root 1 0 R>>\n";
        let good = format!("{objects}{table}startxref\n{}\n%%EOF", objects.len()).into_bytes();
        let packed = pack(&good).unwrap();
        assert!(
            find(&packed, b"1 0 obj\n<</Type/Catalog>>").is_some() && find(&packed, b"/Type/XRef/Size 3").is_some()
        );
        for (what, by) in [(&b"xref\n0"[..], &b"xrxf\n0"[..]), (b"endobj", b"endxbj"), (b"<</Size", b"<</Sixe")] {
            let at = find(&good, what).unwrap();
            let mut bad = good.clone();
            bad[at..at + by.len()].copy_from_slice(by);
            assert!(pack(&bad).is_err(), "{}", String::from_utf8_lossy(what));
        }
        assert!(pack(b"").is_err());
    }

    /// Inflates the first stream after `mark`.
    fn stream(packed: &[u8], mark: &[u8]) -> Vec<u8> {
        let data = after(&packed[find(packed, mark).unwrap()..], b"stream\n").unwrap();
        let mut inflated = Vec::new();
        flate2::read::ZlibDecoder::new(data).read_to_end(&mut inflated).unwrap();
        inflated
    }

    #[test]
    fn every_object_stands_where_its_reference_says() {
        let bodies = ["<</Type/Catalog>>", "<</Length 3>>\nstream\nabc\nendstream", "[1 2]", "<</A 5 0 R>>", "null"];
        let mut document = "%PDF-1.7\n\n".to_owned();
        let mut table = format!("xref\n0 {}\n0000000000 65535 f\r\n", bodies.len() + 1);
        for (n, body) in bodies.iter().enumerate() {
            table += &format!("{:010} 00000 n\r\n", document.len());
            document += &format!("{} 0 obj\n{body}\nendobj\n\n", n + 1);
        }
        let start = document.len();
        document += &format!("{table}trailer\n<</Size 6/Root 1 0 R>>\nstartxref\n{start}\n%%EOF");
        let packed = pack(document.as_bytes()).unwrap();

        let mut above = [0_u8; N_WIDTH];
        let rows = stream(&packed, b"/Type/XRef");
        let places: Vec<(u8, usize, u8)> = rows
            .chunks_exact(N_WIDTH + 1)
            .map(|row| {
                above.iter_mut().zip(&row[1..]).for_each(|(byte, change)| *byte = byte.wrapping_add(*change));
                (above[0], u32::from_be_bytes(above[1..5].try_into().unwrap()) as usize, above[6])
            })
            .collect();
        let objects = stream(&packed, b"/Type/ObjStm");
        let first = number(after(&packed, b"/First ").unwrap()).unwrap();
        let heads: Vec<usize> = std::str::from_utf8(&objects[..first])
            .unwrap()
            .split_whitespace()
            .map(|head| head.parse().unwrap())
            .collect();
        assert_eq!((places.len(), places[0].0), (8, 0));
        for (n, (kind, place, index)) in places.iter().enumerate().skip(1) {
            match kind {
                1 => assert!(packed[*place..].starts_with(format!("{n} 0 obj\n").as_bytes()), "{n}"),
                2 => {
                    assert_eq!((*place, heads[2 * usize::from(*index)]), (6, n));
                    let body = &objects[first + heads[2 * usize::from(*index) + 1]..];
                    assert!(body.starts_with(bodies[n - 1].as_bytes()), "{n}");
                }
                other => panic!("{n} is of kind {other}"),
            }
        }
        assert_eq!(stream(&packed, b"2 0 obj"), b"abc");
        assert_eq!(places.iter().filter(|(kind, ..)| *kind == 2).count(), 3);
    }
}
