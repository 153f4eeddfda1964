//! What a document says besides its pages: titles, bookmarks, alt texts, metadata, attached files.

use super::file::File;
use super::object::{Object, Reader};
use super::string::Text;
use crate::gate::letters::{LETTER, kinds};
use crate::gate::search::{Looking, Texts, Unit};
use crate::gate::xml;

/// Looks through each text that stands on no page.
pub(super) fn look_through(file: &File<'_>, looking: &mut Looking<'_>) -> Result<(), String> {
    let mut said = Texts::new(Unit::Text);
    let mut keep = |text: Text<'_>| said.push(&text.says(), 0);
    for packed in file.packed() {
        Reader::new(packed, 0).texts(&mut keep);
    }
    for number in file.numbers() {
        let Some(object) = file.object(number) else { continue };
        texts(&object, &mut keep);
        let Object::Dict(dict) = &object else { continue };
        let of = |kind: &[u8]| dict.get(b"Type").is_some_and(|name| name.is_name(kind));
        if of(b"EmbeddedFile") {
            let fields = fields(&file.stream(number)?.1)?;
            looking.texts(&fields, &|_| "in an attached file".to_owned());
        } else if of(b"Metadata") {
            looking.at(&xml::plain(&file.stream(number)?.1), Unit::Text, &|| "in its metadata".to_owned());
        }
    }
    looking.texts(&said, &|_| "in its titles, bookmarks or alt texts".to_owned());
    Ok(())
}

/// Each field of an attached CSV file as it was before it was quoted: a name may hold commas and quotes.
fn fields(csv: &[u8]) -> Result<Texts, String> {
    let mut fields = Texts::new(Unit::Field);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(csv);
    let (mut record, mut above) = (csv::ByteRecord::new(), csv::ByteRecord::new());
    while reader.read_byte_record(&mut record).map_err(|error| format!("its attached file is not CSV: {error}"))? {
        // Most are figures, or say what the line above says.
        for (n, field) in record.iter().enumerate().filter(|(_, field)| kinds(field) & LETTER != 0) {
            if above.get(n) != Some(field) {
                fields.push(&String::from_utf8_lossy(field), 0);
            }
        }
        std::mem::swap(&mut record, &mut above);
    }
    Ok(fields)
}

fn texts(object: &Object<'_>, found: &mut dyn FnMut(Text<'_>)) {
    match object {
        Object::Text(text) => found(*text),
        Object::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Object::Dict(dict) => dict.values().for_each(|value| texts(value, found)),
        Object::Number(_) | Object::Name(_) | Object::Ref(_) | Object::Word(_) => {}
    }
}
