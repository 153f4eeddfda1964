//! Places on sheets: cells and rectangles, as formulas and parts write them.

use std::fmt;

/// Excel's last row and column, from 0.
const LAST: Place = Place { row: 1_048_575, column: 16_383 };

/// A cell's place, from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place {
    pub row: u32,
    pub column: u32,
}

impl Place {
    /// From `B7` or `$B$7`; none when it is no cell of a sheet.
    pub fn parse(text: &str) -> Option<Place> {
        let text = text.strip_prefix('$').unwrap_or(text);
        let n_letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (letters, digits) = text.split_at(n_letters);
        let digits = digits.strip_prefix('$').unwrap_or(digits);
        let is_plain = (1..=3).contains(&n_letters) && digits.bytes().all(|byte| byte.is_ascii_digit());
        let row = digits.parse::<u32>().ok().filter(|_| is_plain)?.checked_sub(1)?;
        let place = Place { row, column: column(letters)? };
        (place.row <= LAST.row && place.column <= LAST.column).then_some(place)
    }
}

/// A column from its letters, from 0.
fn column(letters: &str) -> Option<u32> {
    let letters = letters.strip_prefix('$').unwrap_or(letters).to_ascii_uppercase();
    let is_column = (1..=3).contains(&letters.len()) && letters.bytes().all(|byte| byte.is_ascii_uppercase());
    is_column.then(|| letters.bytes().fold(0, |sum, letter| sum * 26 + u32::from(letter - b'A') + 1) - 1)
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut letters = Vec::new();
        let mut n = self.column + 1;
        while n > 0 {
            letters.insert(0, char::from(b'A' + ((n - 1) % 26) as u8));
            n = (n - 1) / 26;
        }
        write!(out, "{}{}", letters.iter().collect::<String>(), self.row + 1)
    }
}

/// A rectangle of cells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Area {
    pub from: Place,
    pub to: Place,
}

impl Area {
    /// From `B7`, `B7:C9`, `$1:$1` or `B:C`.
    pub fn parse(text: &str) -> Option<Area> {
        let (from, to) = text.split_once(':').unwrap_or((text, text));
        if let (Some(from), Some(to)) = (Place::parse(from), Place::parse(to)) {
            return (from.row <= to.row && from.column <= to.column).then_some(Area { from, to });
        }
        let row = |text: &str| text.trim_start_matches('$').parse::<u32>().ok()?.checked_sub(1);
        let whole = text.contains(':');
        if let (Some(first), Some(last), true) = (row(from), row(to), whole) {
            return Some(Area { from: Place { row: first, column: 0 }, to: Place { row: last, column: LAST.column } });
        }
        let (first, last) = (column(from)?, column(to)?);
        whole.then_some(Area { from: Place { row: 0, column: first }, to: Place { row: LAST.row, column: last } })
    }

    pub fn contains(self, place: Place) -> bool {
        (self.from.row..=self.to.row).contains(&place.row)
            && (self.from.column..=self.to.column).contains(&place.column)
    }

    pub fn overlaps(self, other: Area) -> bool {
        let apart = self.to.row < other.from.row
            || other.to.row < self.from.row
            || self.to.column < other.from.column
            || other.to.column < self.from.column;
        !apart
    }

    /// Its places, row by row.
    pub fn places(self) -> impl Iterator<Item = Place> {
        let columns = self.from.column..=self.to.column;
        (self.from.row..=self.to.row).flat_map(move |row| columns.clone().map(move |column| Place { row, column }))
    }
}

impl fmt::Display for Area {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.from, self.to)
    }
}

#[test]
fn places_and_areas_are_read_as_excel_writes_them() {
    for (text, there) in [("A1", true), ("$XFD$1048576", true), ("XFE1", false), ("A0", false), ("A1048577", false)] {
        assert_eq!(Place::parse(text).is_some(), there, "{text}");
    }
    for text in ["A1", "Z9", "AA10", "XFD1048576"] {
        assert_eq!(Place::parse(text).unwrap().to_string(), text);
    }
    let area = Area::parse("B2:C4").unwrap();
    assert_eq!((area.places().count(), area.to_string().as_str()), (6, "B2:C4"));
    assert!(area.overlaps(Area::parse("$4:$4").unwrap()) && area.overlaps(Area::parse("C:C").unwrap()));
    assert!(!area.overlaps(Area::parse("D1:D9").unwrap()) && Area::parse("C4:B2").is_none());
    assert!(Area::parse("Products").is_none() && Area::parse("12").is_none());
}
