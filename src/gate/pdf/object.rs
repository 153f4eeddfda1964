//! The objects of a PDF (ISO 32000-2, 7.2 and 7.3).

/// How deep arrays and dictionaries may lie in one another.
const DEPTH_MAX: u32 = 64;

/// An object.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Object {
    /// A number.
    Number(f64),
    /// A name, its `#` escapes left as they are.
    Name(Vec<u8>),
    /// A string, decoded.
    Text(Vec<u8>),
    /// An array.
    Array(Vec<Object>),
    /// A dictionary.
    Dict(Dict),
    /// A reference to the object with that number.
    Ref(u32),
    /// A keyword or an operator.
    Word(Vec<u8>),
}

/// A dictionary, in the file's order.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Dict(Vec<(Vec<u8>, Object)>);

impl Dict {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Object> {
        self.0.iter().find(|(name, _)| name == key.as_bytes()).map(|(_, value)| value)
    }

    /// All values.
    pub(super) fn values(&self) -> impl Iterator<Item = &Object> {
        self.0.iter().map(|(_, value)| value)
    }

    /// The value of a key, if it is a whole number not below zero.
    pub(super) fn number(&self, key: &str) -> Option<usize> {
        self.get(key).and_then(Object::index)
    }
}

impl Object {
    /// Itself as a whole number not below zero.
    pub(super) fn index(&self) -> Option<usize> {
        match self {
            Object::Number(number) if *number >= 0.0 && number.fract() == 0.0 => Some(*number as usize),
            _ => None,
        }
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self, Object::Word(is) if is == word.as_bytes())
    }

    pub(super) fn is_name(&self, name: &str) -> bool {
        matches!(self, Object::Name(is) if is == name.as_bytes())
    }
}

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

    /// The next object; none at the end, or where no object begins.
    pub(super) fn next(&mut self) -> Option<Object> {
        self.object(0)
    }

    fn object(&mut self, depth: u32) -> Option<Object> {
        self.skip_blanks();
        match *self.bytes.get(self.at)? {
            _ if depth > DEPTH_MAX => None,
            b'/' => {
                self.at += 1;
                Some(Object::Name(self.regular().to_vec()))
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
            b'+' | b'-' | b'.' | b'0'..=b'9' => self.number_or_reference(),
            b']' | b'>' | b')' | b'{' | b'}' => None,
            _ => Some(Object::Word(self.regular().to_vec())),
        }
    }

    fn skip_blanks(&mut self) {
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                0 | b'\t' | b'\n' | 12 | b'\r' | b' ' => self.at += 1,
                b'%' => {
                    let rest = &self.bytes[self.at..];
                    self.at += rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
                }
                _ => return,
            }
        }
    }

    fn regular(&mut self) -> &'a [u8] {
        let rest = &self.bytes[self.at..];
        let ends = |byte: &u8| {
            matches!(byte, 0 | b'\t' | b'\n' | 12 | b'\r' | b' ' | b'(' | b')' | b'<' | b'>' | b'[' | b']')
                || matches!(byte, b'{' | b'}' | b'/' | b'%')
        };
        let n = rest.iter().position(ends).unwrap_or(rest.len());
        self.at += n;
        &rest[..n]
    }

    fn number(&mut self) -> Option<f64> {
        let text = self.regular();
        let digits = if text.first() == Some(&b'-') { &text[1..] } else { text };
        // Most numbers are short and whole; the rest take the long way.
        if (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit) {
            let number = f64::from(digits.iter().fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0')));
            return Some(if digits.len() == text.len() { number } else { -number });
        }
        std::str::from_utf8(text).ok()?.parse().ok()
    }

    fn number_or_reference(&mut self) -> Option<Object> {
        let first = self.number()?;
        let whole = Object::Number(first).index().and_then(|n| u32::try_from(n).ok());
        if let Some(number) = whole.filter(|_| self.has_references) {
            let mut ahead = self.clone();
            ahead.skip_blanks();
            let generation = ahead.regular();
            if !generation.is_empty() && generation.iter().all(u8::is_ascii_digit) {
                ahead.skip_blanks();
                if ahead.regular() == b"R" {
                    self.at = ahead.at;
                    return Some(Object::Ref(number));
                }
            }
        }
        Some(Object::Number(first))
    }

    fn array(&mut self, depth: u32) -> Option<Vec<Object>> {
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

    fn dict(&mut self, depth: u32) -> Option<Dict> {
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

    fn hexadecimal(&mut self) -> Option<Vec<u8>> {
        self.at += 1;
        let rest = &self.bytes[self.at..];
        let n = rest.iter().position(|byte| *byte == b'>')?;
        self.at += n + 1;
        let digits = rest[..n].iter().filter_map(|byte| char::from(*byte).to_digit(16)).map(|digit| digit as u8);
        let digits: Vec<u8> = digits.collect();
        Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or(0)).collect())
    }

    fn literal(&mut self) -> Option<Vec<u8>> {
        self.at += 1;
        let (mut text, mut depth) = (Vec::new(), 0_u32);
        loop {
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            match byte {
                b'(' => depth += 1,
                b')' if depth == 0 => return Some(text),
                b')' => depth -= 1,
                b'\\' => {
                    self.escaped(&mut text)?;
                    continue;
                }
                _ => {}
            }
            text.push(byte);
        }
    }

    /// What follows a backslash in a literal string (7.3.4.2).
    fn escaped(&mut self, text: &mut Vec<u8>) -> Option<()> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        match byte {
            b'n' => text.push(b'\n'),
            b'r' => text.push(b'\r'),
            b't' => text.push(b'\t'),
            b'b' => text.push(8),
            b'f' => text.push(12),
            b'\n' => {}
            b'\r' => self.at += usize::from(self.bytes.get(self.at) == Some(&b'\n')),
            b'0'..=b'7' => {
                let mut code = u32::from(byte - b'0');
                for _ in 0..2 {
                    let Some(digit @ b'0'..=b'7') = self.bytes.get(self.at) else { break };
                    code = code * 8 + u32::from(digit - b'0');
                    self.at += 1;
                }
                text.push(code as u8);
            }
            other => text.push(other),
        }
        Some(())
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
        assert_eq!(dict.number("A"), Some(12));
        let Some(Object::Array(items)) = dict.get("B") else { panic!("no array") };
        assert_eq!(items[..2], [Object::Ref(1), Object::Number(-0.5)]);
        assert_eq!(items[2], Object::Text(b"a(b)Ac(d)".to_vec()));
        assert_eq!(items[3], Object::Text(vec![0x41, 0x40]));
        assert!(items[4].is_name("N#20x"));
        assert!(reader.next().unwrap().is_word("BT"));
        assert_eq!(reader.next(), None);
    }

    #[test]
    fn what_is_broken_ends_the_reading() {
        for source in ["<< /A", "[1 2", "(a", "<41", "<< 1 2 >>", ")", &"[".repeat(1000)] {
            assert_eq!(Reader::new(source.as_bytes(), 0).next(), None, "{source}");
        }
    }
}
