//! What a document says besides its pages: titles, bookmarks, alt texts, metadata, attached files.

use super::file::File;
use super::font::text_string;
use super::object::Object;

/// Calls `look` with each text and with where it stands.
pub(super) fn texts(file: &File<'_>, look: &mut dyn FnMut(&str, &str)) -> Result<(), String> {
    for number in file.numbers() {
        let Some(object) = file.object(number) else { continue };
        strings(&object, &mut |text| look(&text_string(text), "its titles, bookmarks or alt texts"));
        let Object::Dict(dict) = &object else { continue };
        let of = |kind: &str| dict.get("Type").is_some_and(|name| name.is_name(kind));
        let place = match () {
            () if of("EmbeddedFile") => "an attached file",
            () if of("Metadata") => "its metadata",
            () => continue,
        };
        let (_, data) = file.stream(number)?;
        look(&String::from_utf8_lossy(&data), place);
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
