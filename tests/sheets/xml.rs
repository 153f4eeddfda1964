//! A part's XML as a tree: names without their prefixes, attributes and texts with their entities resolved.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

/// An element.
#[derive(Clone, Default, Debug)]
pub struct Element {
    /// Its name without a prefix.
    pub name: String,
    /// Its attributes, with their prefixes: `r:id` is another than `id`.
    attributes: Vec<(String, String)>,
    /// The elements in it.
    pub children: Vec<Element>,
    /// The text in it, without that of its children.
    pub text: String,
}

impl Element {
    /// Parses a part.
    ///
    /// # Errors
    /// With a sentence, when it is not well-formed.
    pub fn parse(text: &str) -> Result<Element, String> {
        let mut reader = Reader::from_str(text);
        let mut open = vec![Element::default()];
        loop {
            match reader.read_event().map_err(|error| error.to_string())? {
                Event::Start(start) => open.push(Element::of(&start)?),
                Event::Empty(start) => {
                    let element = Element::of(&start)?;
                    top(&mut open)?.children.push(element);
                }
                Event::End(_) => {
                    let done = open.pop().ok_or("an end without a start")?;
                    top(&mut open)?.children.push(done);
                }
                Event::Text(text) => top(&mut open)?.text.push_str(&text.xml10_content()),
                Event::CData(text) => top(&mut open)?.text.push_str(&text.xml10_content()),
                Event::GeneralRef(entity) => {
                    let letter = entity.resolve_char_ref().map_err(|error| error.to_string())?;
                    let known = quick_xml::escape::resolve_xml_entity(&entity.xml10_content()).map(str::to_owned);
                    let text = letter.map(String::from).or(known);
                    top(&mut open)?.text.push_str(&text.ok_or("an unknown entity")?);
                }
                Event::Eof => break,
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
        }
        let [root] = <[Element; 1]>::try_from(open).map_err(|_| "an element is left open")?;
        root.children.into_iter().next().ok_or_else(|| "it is empty".to_owned())
    }

    fn of(start: &BytesStart<'_>) -> Result<Element, String> {
        let attribute = |found: Result<quick_xml::events::attributes::Attribute<'_>, _>| {
            let found = found.map_err(|error: quick_xml::events::attributes::AttrError| error.to_string())?;
            let value = found.normalized_value(XmlVersion::Implicit1_0).map_err(|error| error.to_string())?;
            Ok((found.key.as_ref().to_owned(), value.into_owned()))
        };
        let attributes = start.attributes().map(attribute).collect::<Result<Vec<_>, String>>()?;
        Ok(Element { name: start.local_name().as_ref().to_owned(), attributes, ..Element::default() })
    }

    /// An attribute's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// An attribute's value as a number.
    pub fn number(&self, name: &str) -> Option<usize> {
        self.get(name)?.parse().ok()
    }

    /// The first child of a name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The children of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Everything of a name below it, in the order of the text.
    pub fn below<'a>(&'a self, name: &str) -> Vec<&'a Element> {
        let mut found = Vec::new();
        for child in &self.children {
            if child.name == name {
                found.push(child);
            }
            found.extend(child.below(name));
        }
        found
    }
}

fn top(open: &mut [Element]) -> Result<&mut Element, String> {
    open.last_mut().ok_or_else(|| "an end without a start".to_owned())
}

/// A text without the escapes that workbooks have for signs that XML has not: `_x000D_` (ECMA-376 Part 1, 22.9.2.19).
pub fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let code = rest.get(at + 2..at + 6).filter(|_| rest.as_bytes().get(at + 6) == Some(&b'_'));
        let letter = code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32);
        let n_bytes = if letter.is_some() { 7 } else { 2 };
        plain.push_str(&rest[..at]);
        match letter {
            Some(letter) => plain.push(letter),
            None => plain.push_str("_x"),
        }
        rest = &rest[at + n_bytes..];
    }
    plain + rest
}

#[test]
fn a_part_is_read_with_its_entities_and_escapes() {
    let text = r#"<?xml version="1.0"?><a:x r:id="q&quot;&#38;"><y/>one &lt;&#x41; two<y n="7"/></a:x>"#;
    let root = Element::parse(text).unwrap();
    assert_eq!((root.name.as_str(), root.get("r:id"), root.get("id")), ("x", Some("q\"&"), None));
    assert_eq!((root.text.as_str(), root.all("y").count()), ("one <A two", 2));
    assert_eq!(root.children[1].number("n"), Some(7));
    assert!(Element::parse("<a><b></a>").is_err() && Element::parse("<a>&x;</a>").is_err());
    for (text, plain) in [
        ("a_x000D_b", "a\rb"),
        ("_x005F_x0041_", "_x0041_"),
        ("_x00ä_", "_x00ä_"),
        ("_x", "_x"),
        ("_xD800_", "_xD800_"),
    ] {
        assert_eq!(unescaped(text), plain);
    }
}
