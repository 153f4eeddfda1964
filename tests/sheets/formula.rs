//! What a formula speaks of: functions, sheets, cells, tables with their columns, defined names.

use super::area::{Area, Place};

/// What a formula speaks of.
#[derive(Default, Debug, PartialEq, Eq)]
pub struct Uses {
    /// Functions, in capitals.
    pub functions: Vec<String>,
    /// Sheets.
    pub sheets: Vec<String>,
    /// Tables, each with the columns that are spoken of.
    pub tables: Vec<(String, Vec<String>)>,
    /// Defined names.
    pub names: Vec<String>,
    /// The longest text in quotes, in UTF-16 units.
    pub text_utf16_max: usize,
}

/// Reads a formula.
///
/// # Errors
/// With a sentence, when it does not read as one, or when it speaks of another workbook or a lost reference.
pub fn uses(formula: &str) -> Result<Uses, String> {
    let letters: Vec<char> = formula.chars().collect();
    let mut read = Read { letters: &letters, at: 0, uses: Uses::default() };
    while let Some(letter) = read.peek() {
        match letter {
            '"' => {
                let text = read.quoted('"')?;
                read.uses.text_utf16_max = read.uses.text_utf16_max.max(text.encode_utf16().count());
            }
            '\'' => {
                let sheet = read.quoted('\'')?;
                if !read.passes('!') {
                    return Err(format!("`{sheet}` in quotes is no sheet"));
                }
                read.uses.sheets.push(sheet);
            }
            '[' => return Err("it speaks of another workbook, or of a column without its table".to_owned()),
            '#' => read.error()?,
            letter if letter.is_ascii_digit() || letter == '.' => read.number(),
            letter if is_word(letter) => read.word()?,
            _ => read.at += 1,
        }
    }
    Ok(read.uses)
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '.' | '$' | '\\')
}

struct Read<'a> {
    letters: &'a [char],
    at: usize,
    uses: Uses,
}

impl Read<'_> {
    fn peek(&self) -> Option<char> {
        self.letters.get(self.at).copied()
    }

    fn passes(&mut self, letter: char) -> bool {
        let is_there = self.peek() == Some(letter);
        self.at += usize::from(is_there);
        is_there
    }

    /// What stands in quotes, which are doubled within.
    fn quoted(&mut self, quote: char) -> Result<String, String> {
        let mut text = String::new();
        self.at += 1;
        while let Some(letter) = self.peek() {
            self.at += 1;
            if letter != quote {
                text.push(letter);
            } else if self.passes(quote) {
                text.push(quote);
            } else {
                return Ok(text);
            }
        }
        Err(format!("a {quote} is not closed"))
    }

    fn error(&mut self) -> Result<(), String> {
        let rest: String = self.letters[self.at..].iter().collect();
        let known = ["#N/A", "#DIV/0!", "#VALUE!", "#NUM!", "#NULL!"];
        let found = known.iter().find(|known| rest.starts_with(**known));
        self.at +=
            found.ok_or_else(|| format!("`{}` is a lost reference", rest.chars().take(8).collect::<String>()))?.len();
        Ok(())
    }

    /// A number, or a row in a reference like `5:7`.
    fn number(&mut self) {
        let mut before = ' ';
        while let Some(letter) = self.peek() {
            let is_exponent = matches!(letter, '+' | '-') && matches!(before, 'e' | 'E');
            if !(letter.is_ascii_digit() || matches!(letter, '.' | 'e' | 'E') || is_exponent) {
                break;
            }
            before = letter;
            self.at += 1;
        }
    }

    fn word(&mut self) -> Result<(), String> {
        let start = self.at;
        while self.peek().is_some_and(is_word) {
            self.at += 1;
        }
        let word: String = self.letters[start..self.at].iter().collect();
        let is_range = self.peek() == Some(':') || (start > 0 && self.letters[start - 1] == ':');
        let is_cell = Place::parse(&word).is_some() || (is_range && Area::parse(&format!("{word}:{word}")).is_some());
        match self.peek() {
            Some('(') => self.uses.functions.push(word.to_uppercase()),
            Some('!') => {
                self.at += 1;
                self.uses.sheets.push(word);
            }
            Some('[') => {
                let columns = self.columns()?;
                self.uses.tables.push((word, columns));
            }
            _ if is_cell || matches!(word.as_str(), "TRUE" | "FALSE") => {}
            _ => self.uses.names.push(word),
        }
        Ok(())
    }

    /// The columns within a table's brackets: `[Share]`, `[[#Headers],[Share]]`; `'` keeps a sign from its meaning.
    fn columns(&mut self) -> Result<Vec<String>, String> {
        let (mut columns, mut column, mut depth, mut has_inner) = (Vec::new(), String::new(), 0_u32, false);
        while let Some(letter) = self.peek() {
            self.at += 1;
            match letter {
                '\'' => {
                    column.extend(self.peek());
                    self.at += 1;
                }
                '[' => {
                    depth += 1;
                    has_inner |= depth > 1;
                    column.clear();
                }
                ']' => {
                    depth -= 1;
                    let is_between = depth == 0 && has_inner;
                    if !(column.is_empty() || is_between || column.starts_with('\u{0}')) {
                        columns.push(column.clone());
                    }
                    column.clear();
                    if depth == 0 {
                        return Ok(columns);
                    }
                }
                // Marked so that a column whose name begins with an escaped `#` stays a column.
                '#' => column.push('\u{0}'),
                letter => column.push(letter),
            }
        }
        Err("a [ is not closed".to_owned())
    }
}

#[test]
fn what_a_formula_speaks_of_is_found() {
    let read = |formula: &str| uses(formula).unwrap();
    let index = read(
        "IFERROR(INDEX(Lists!$C$2:$C$9,MATCH(SUBSTITUTE(B7,\"~\",\"a \"\"b\"\" LOG(\"),'License adds'!B:B,0)),1.5E-3)",
    );
    assert_eq!(index.functions, ["IFERROR", "INDEX", "MATCH", "SUBSTITUTE"]);
    assert_eq!(index.sheets, ["Lists", "License adds"]);
    assert_eq!((index.names.len(), index.text_utf16_max), (0, 10));
    let sum = read("SUBTOTAL(109,countries[Revenue '[USD'] '#1])+T[[#Totals],[a]:[b]]+T[#Data]+T[Added, 2: x]");
    let columns = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(sum.tables[0], ("countries".to_owned(), columns(&["Revenue [USD] #1"])));
    let of_t = [&["a", "b"][..], &[], &["Added, 2: x"]].map(|names| ("T".to_owned(), columns(names)));
    assert_eq!(sum.tables[1..], of_t);
    assert_eq!(read("Products&-$5:$7&A1&TRUE").names, ["Products"]);
    assert_eq!(read("'It''s'!A1").sheets, ["It's"]);
    assert_eq!(read("NA()=#N/A"), Uses { functions: vec!["NA".to_owned()], ..Uses::default() });
    for broken in ["SUM(#REF!)", "[1]Sheet1!A1", "\"open", "T[a", "'x'+1"] {
        assert!(uses(broken).is_err(), "{broken}");
    }
}
