//! What a document says besides its pages: titles, bookmarks, alt texts, metadata, attached files.

use super::file::File;
use super::font::text_string;
use super::object::Object;
use crate::gate::search::Unit;
use crate::gate::xml::unescaped;

/// Calls `look` with each text, what it is, and where it stands.
pub(super) fn texts(file: &File<'_>, look: &mut dyn FnMut(&str, Unit, &str)) -> Result<(), String> {
    for number in file.numbers() {
        let Some(object) = file.object(number) else { continue };
        strings(&object, &mut |text| look(&text_string(text), Unit::Text, "its titles, bookmarks or alt texts"));
        let Object::Dict(dict) = &object else { continue };
        let of = |kind: &str| dict.get("Type").is_some_and(|name| name.is_name(kind));
        if of("EmbeddedFile") {
            fields(&file.stream(number)?.1, &mut |text| look(text, Unit::Field, "an attached file"))?;
        } else if of("Metadata") {
            look(&unescaped(&String::from_utf8_lossy(&file.stream(number)?.1)), Unit::Text, "its metadata");
        }
    }
    Ok(())
}

/// Each field of an attached CSV file as it was before it was quoted: a name may hold commas and quotes.
fn fields(csv: &[u8], found: &mut dyn FnMut(&str)) -> Result<(), String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(csv);
    for record in reader.byte_records() {
        let record = record.map_err(|error| format!("its attached file is not CSV: {error}"))?;
        record.iter().for_each(|field| found(&String::from_utf8_lossy(field)));
    }
    Ok(())
}

fn strings(object: &Object, found: &mut dyn FnMut(&[u8])) {
    match object {
        Object::Text(text) => found(text),
        Object::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Object::Dict(dict) => dict.values().for_each(|value| strings(value, found)),
        Object::Number(_) | Object::Name(_) | Object::Ref(_) | Object::Word(_) => {}
    }
}
