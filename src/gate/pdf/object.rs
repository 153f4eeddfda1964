//! The objects of a PDF (ISO 32000-2, 7.2 and 7.3).

use memchr::{memchr, memchr2, memchr3};

use super::string::Text;

/// How deep arrays and dictionaries may lie in one another.
const DEPTH_MAX: u32 = 64;

/// An object. What it holds is read when it is asked for: most numbers and texts never are.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Object<'a> {
    /// A number.
    Number(&'a [u8]),
    /// A name, its `#` escapes left as they are.
    Name(&'a [u8]),
    /// A string.
    Text(Text<'a>),
    /// An array.
    Array(Vec<Object<'a>>),
    /// A dictionary.
    Dict(Dict<'a>),
    /// A reference to the object with that number.
    Ref(u32),
    /// A keyword or an operator.
    Word(&'a [u8]),
}

/// A dictionary, in the file's order.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Dict<'a>(Vec<(&'a [u8], Object<'a>)>);

impl<'a> Dict<'a> {
    /// The value of a key.
    pub(super) fn get(&self, key: &[u8]) -> Option<&Object<'a>> {
        self.0.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// All values.
    pub(super) fn values(&self) -> impl Iterator<Item = &Object<'a>> {
        self.0.iter().map(|(_, value)| value)
    }

    /// The value of a key, if it is a whole number not below zero.
    pub(super) fn number(&self, key: &[u8]) -> Option<usize> {
        self.get(key).and_then(Object::index)
    }
}

impl Object<'_> {
    /// Itself as a number.
    pub(super) fn number(&self) -> Option<f64> {
        if let Object::Number(text) = self { number(text) } else { None }
    }

    /// Itself as a whole number not below zero.
    pub(super) fn index(&self) -> Option<usize> {
        self.number().filter(|number| *number >= 0.0 && number.fract() == 0.0).map(|number| number as usize)
    }

    pub(super) fn is_word(&self, word: &[u8]) -> bool {
        matches!(self, Object::Word(is) if *is == word)
    }

    pub(super) fn is_name(&self, name: &[u8]) -> bool {
        matches!(self, Object::Name(is) if *is == name)
    }
}

/// A number as it is written (7.3.3).
fn number(text: &[u8]) -> Option<f64> {
    /// Numbers of so few digits are exact, and so is the power of ten they are divided by.
    const DIGITS_MAX: usize = 15;
    const POWERS: [f64; DIGITS_MAX + 1] =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let (mut sum, mut n_digits, mut n_behind) = (0_u64, 0, None);
    for byte in digits {
        match byte {
            b'0'..=b'9' if n_digits < DIGITS_MAX => sum = sum * 10 + u64::from(byte - b'0'),
            b'.' if n_behind.is_none() => {
                n_behind = Some(0);
                continue;
            }
            _ => return std::str::from_utf8(text).ok()?.parse().ok(),
        }
        n_digits += 1;
        n_behind = n_behind.map(|n| n + 1);
    }
    let number = sum as f64 / POWERS.get(n_behind.unwrap_or(0))?;
    (n_digits > 0).then_some(if digits.len() == text.len() { number } else { -number })
}

/// The operands of an operator: no operator cares how its numbers stand among the others, and most have but numbers.
pub(super) struct Operands<'a> {
    has_numbers: bool,
    numbers: Vec<&'a [u8]>,
    pub(super) others: Vec<Object<'a>>,
}

impl Operands<'_> {
    /// With numbers or without: they say where text stands and how large it is, not what it is.
    pub(super) fn new(has_numbers: bool) -> Self {
        Operands { has_numbers, numbers: Vec::new(), others: Vec::new() }
    }

    fn clear(&mut self) {
        self.numbers.clear();
        self.others.clear();
    }

    /// The n-th number; 0 if there is none.
    pub(super) fn number(&self, n: usize) -> f64 {
        self.numbers.get(n).and_then(|text| number(text)).unwrap_or(0.0)
    }

    /// The six numbers of a matrix.
    pub(super) fn matrix(&self) -> Option<[f64; 6]> {
        (self.numbers.len() >= 6).then(|| std::array::from_fn(|n| self.number(n)))
    }
}

/// Whose codes a font's letters have, as each of our fonts says it (9.7.3): a customer may be called like that.
const CODES_OF: [&[u8]; 2] = [b"/Registry(Adobe)", b"/Ordering(Identity)"];

/// What a byte is to who parts objects (7.2.3).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Regular,
    Blank,
    Delimiter,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Regular; 256];
    let (blanks, delimiters) = (b"\0\t\n\x0c\r ", b"()<>[]{}/%");
    let mut n = 0;
    while n < blanks.len() {
        classes[blanks[n] as usize] = Class::Blank;
        n += 1;
    }
    n = 0;
    while n < delimiters.len() {
        classes[delimiters[n] as usize] = Class::Delimiter;
        n += 1;
    }
    classes
};

/// Reads objects one after the other.
#[derive(Clone, Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    /// Where the next one begins.
    pub(super) at: usize,
    /// Whether `12 0 R` is a reference; content streams have none.
    has_references: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Reader<'a> {
        Reader { bytes, at, has_references: true }
    }

    /// A reader of a content stream.
    pub(super) fn of_content(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, at: 0, has_references: false }
    }

    /// The next operator of a content stream that does not draw a path, with its operands. Arrays come item by item,
    /// since operators have one at most, and what is no object is passed over, as viewers do.
    pub(super) fn operator(&mut self, operands: &mut Operands<'a>) -> Option<&'a [u8]> {
        operands.clear();
        loop {
            self.skip_blanks();
            match self.bytes.get(self.at)? {
                b'[' | b']' => self.at += 1,
                b'0'..=b'9' | b'-' | b'.' if operands.has_numbers => operands.numbers.push(self.regular()),
                b'0'..=b'9' | b'-' | b'.' => self.skip_numbers(),
                // Most of a page is paths.
                b'm' | b'l' | b'c' | b'v' | b'y' | b'h' if self.is_blank(self.at + 1) => {
                    operands.clear();
                    self.at += 2;
                    self.skip_path();
                }
                b'A'..=b'Z' | b'a'..=b'z' => return Some(self.regular()),
                _ => match self.object(0) {
                    None => self.at += 1,
                    Some(Object::Word(operator)) => return Some(operator),
                    Some(Object::Number(number)) => operands.numbers.push(number),
                    Some(other) => operands.others.push(other),
                },
            }
        }
    }

    /// Passes over the numbers that follow one another.
    fn skip_numbers(&mut self) {
        let rest = &self.bytes[self.at..];
        let is_end = |byte: &u8| !matches!(byte, b'0'..=b'9' | b' ' | b'\n' | b'-' | b'.');
        self.at += rest.iter().position(is_end).unwrap_or(rest.len());
        if !self.is_blank(self.at - 1) {
            self.regular();
        }
    }

    /// Passes over the numbers and letters that a path goes on with, up to behind the last of these: whatever follows is
    /// read as ever.
    fn skip_path(&mut self) {
        let mut at = self.at;
        while let Some(byte) = self.bytes.get(at) {
            match byte {
                b'0'..=b'9' | b' ' | b'\n' | b'-' | b'.' => at += 1,
                b'm' | b'l' | b'c' | b'v' | b'y' | b'h' if self.is_blank(at - 1) && self.is_blank(at + 1) => {
                    at += 2;
                    self.at = at;
                }
                _ => return,
            }
        }
    }

    fn is_blank(&self, at: usize) -> bool {
        self.bytes.get(at).is_some_and(|byte| CLASSES[usize::from(*byte)] == Class::Blank)
    }

    /// The next object; none at the end, or where no object begins.
    pub(super) fn next(&mut self) -> Option<Object<'a>> {
        self.object(0)
    }

    fn object(&mut self, depth: u32) -> Option<Object<'a>> {
        self.skip_blanks();
        match *self.bytes.get(self.at)? {
            _ if depth > DEPTH_MAX => None,
            b'/' => {
                self.at += 1;
                Some(Object::Name(self.regular()))
            }
            b'(' => self.literal().map(Object::Text),
            b'<' if self.bytes.get(self.at + 1) == Some(&b'<') => {
                self.at += 2;
                self.dict(depth).map(Object::Dict)
            }
            b'<' => self.hexadecimal().map(Object::Text),
            b'[' => {
                self.at += 1;
                self.array(depth).map(Object::Array)
            }
            b'+' | b'-' | b'.' | b'0'..=b'9' => Some(self.number_or_reference()),
            b']' | b'>' | b')' | b'{' | b'}' => None,
            _ => Some(Object::Word(self.regular())),
        }
    }

    fn skip_blanks(&mut self) {
        while let Some(byte) = self.bytes.get(self.at) {
            match CLASSES[usize::from(*byte)] {
                Class::Blank => self.at += 1,
                Class::Delimiter if *byte == b'%' => {
                    let rest = &self.bytes[self.at..];
                    self.at += memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
                }
                _ => return,
            }
        }
    }

    fn regular(&mut self) -> &'a [u8] {
        let rest = &self.bytes[self.at..];
        let is_end = |byte: &u8| CLASSES[usize::from(*byte)] != Class::Regular;
        let n = rest.iter().position(is_end).unwrap_or(rest.len());
        self.at += n;
        &rest[..n]
    }

    fn number_or_reference(&mut self) -> Object<'a> {
        let first = Object::Number(self.regular());
        let mut ahead = self.clone();
        ahead.skip_blanks();
        if !self.has_references || !self.bytes.get(ahead.at).is_some_and(u8::is_ascii_digit) {
            return first;
        }
        let generation = ahead.regular();
        ahead.skip_blanks();
        let is_reference = generation.iter().all(u8::is_ascii_digit) && ahead.regular() == b"R";
        match first.index().and_then(|n| u32::try_from(n).ok()) {
            Some(number) if is_reference => {
                self.at = ahead.at;
                Object::Ref(number)
            }
            _ => first,
        }
    }

    fn array(&mut self, depth: u32) -> Option<Vec<Object<'a>>> {
        let mut items = Vec::new();
        loop {
            self.skip_blanks();
            if *self.bytes.get(self.at)? == b']' {
                self.at += 1;
                return Some(items);
            }
            items.push(self.object(depth + 1)?);
        }
    }

    fn dict(&mut self, depth: u32) -> Option<Dict<'a>> {
        let mut items = Vec::new();
        loop {
            self.skip_blanks();
            if self.bytes.get(self.at..self.at + 2)? == b">>" {
                self.at += 2;
                return Some(Dict(items));
            }
            let Object::Name(key) = self.object(depth + 1)? else { return None };
            items.push((key, self.object(depth + 1)?));
        }
    }

    fn hexadecimal(&mut self) -> Option<Text<'a>> {
        let rest = &self.bytes[self.at + 1..];
        let n = memchr(b'>', rest);
        self.at += n.map_or(rest.len(), |n| n + 1) + 1;
        Some(Text::Hexadecimal(&rest[..n?]))
    }

    fn literal(&mut self) -> Option<Text<'a>> {
        let start = self.at + 1;
        let mut depth = 0_u32;
        self.at = start;
        loop {
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            match byte {
                b'(' => depth += 1,
                b')' if depth == 0 => return Some(Text::Literal(&self.bytes[start..self.at - 1])),
                b')' => depth -= 1,
                b'\\' => self.at += 1,
                _ => {}
            }
        }
    }

    /// Calls `found` with each string there is from here on, whatever it belongs to.
    pub(super) fn texts(&mut self, found: &mut dyn FnMut(Text<'a>)) {
        while let Some(n) = self.bytes.get(self.at..).and_then(|rest| memchr3(b'(', b'<', b'%', rest)) {
            self.at += n;
            match self.bytes.get(self.at..self.at + 2) {
                Some(b"<<") => self.at += 2,
                Some([b'%', _]) => self.skip_blanks(),
                _ => match self.object(0) {
                    // What each font says of the codes of its letters.
                    Some(Object::Text(_)) if CODES_OF.iter().any(|says| self.bytes[..self.at].ends_with(says)) => {}
                    Some(Object::Text(text)) => found(text),
                    _ => self.at += 1,
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_read_as_the_standard_writes_them() {
        let source = br"<< /A 12 /B [1 0 R -.5 (a\(b\)\101\
c(d)) <414> /N#20x] % a comment
 /C << /D true >> >> BT";
        let mut reader = Reader::new(source, 0);
        let Some(Object::Dict(dict)) = reader.next() else { panic!("no dictionary") };
        assert_eq!(dict.number(b"A"), Some(12));
        let Some(Object::Array(items)) = dict.get(b"B") else { panic!("no array") };
        assert_eq!(items[..2], [Object::Ref(1), Object::Number(b"-.5")]);
        let texts: Vec<&[u8]> = vec![b"a(b)Ac(d)", &[0x41, 0x40]];
        for (item, text) in items[2..4].iter().zip(texts) {
            let Object::Text(is) = item else { panic!("no text") };
            assert_eq!(&*is.bytes(), text);
        }
        assert!(items[4].is_name(b"N#20x"));
        assert!(reader.next().unwrap().is_word(b"BT"));
        assert_eq!(reader.next(), None);
    }

    #[test]
    fn numbers_are_read_to_their_last_digit() {
        for text in ["0", "-.5", "4.", "203.76001", "-0.0000152587890625", "123456789012345.5", "+7", "1e3"] {
            assert_eq!(Object::Number(text.as_bytes()).number(), text.parse().ok(), "{text}");
        }
        for text in ["", "-", ".", "1.2.3", "--1", "1-"] {
            assert_eq!(Object::Number(text.as_bytes()).number(), None, "{text}");
        }
    }

    #[test]
    fn operators_come_with_their_operands_whatever_stands_between() {
        let source = b"1 2 m 3 4 l h\nS ) } /F1 9 Tf [(a) -20 <62>]TJ ] 5 6 Td 1 2 m 3 4 l 7 8 cm 1 2 l 6 c% 5 l\n/F2 8 8x Tf << /A";
        let all = |has_numbers| {
            let mut reader = Reader::of_content(source);
            let (mut operands, mut found) = (Operands::new(has_numbers), Vec::new());
            while let Some(operator) = reader.operator(&mut operands) {
                found.push((operator, operands.others.len(), operands.number(0)));
            }
            found
        };
        let (mut found, bare) = (all(true), all(false));
        let text = [(&b"S"[..], 0, 0.0), (b"Tf", 1, 9.0), (b"TJ", 2, -20.0), (b"Td", 0, 5.0)];
        assert_eq!(found, [&text[..], &[(b"cm", 0, 7.0), (b"c", 0, 6.0), (b"Tf", 1, 8.0)]].concat());
        found.iter_mut().for_each(|(.., number)| *number = 0.0);
        assert_eq!(bare, found);
    }

    #[test]
    fn strings_are_found_whatever_they_belong_to() {
        let source = b"<< /A (x) /B [<41> /C 1 0 R] >> % (no)\n (z) ] <4";
        let mut found = Vec::new();
        Reader::new(source, 0).texts(&mut |text| found.push(text.says()));
        assert_eq!(found, ["x", "A", "z"]);
        let font = b"/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/T(Adobe)/Registry(Contoso)";
        let mut found = Vec::new();
        Reader::new(font, 0).texts(&mut |text| found.push(text.says()));
        assert_eq!(found, ["Adobe", "Contoso"]);
    }

    #[test]
    fn what_is_broken_ends_the_reading() {
        for source in ["<< /A", "[1 2", "(a", "<41", "<< 1 2 >>", ")", &"[".repeat(1000)] {
            assert_eq!(Reader::new(source.as_bytes(), 0).next(), None, "{source}");
        }
    }
}
