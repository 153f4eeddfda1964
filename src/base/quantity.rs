//! Exact decimal quantities: Partner Center prorates licenses, so counts are not whole.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An exact decimal with six places, held in millionths: licenses, or US dollars.
///
/// Serialized as decimal text (`"10185.5"`), so that no reader rounds it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Quantity(i64);

/// A text that is no quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// Not digits with at most one point.
    #[error("`{0}` is not a number")]
    NotANumber(String),
    /// More than six decimals that are not zero.
    #[error("`{0}` has more than 6 decimals")]
    TooFine(String),
    /// Beyond plus or minus 1,000,000,000,000.
    #[error("`{0}` is beyond 1,000,000,000,000")]
    TooLarge(String),
}

const ONE: i64 = 1_000_000;
const WHOLE_MAX: i64 = 1_000_000_000_000;

impl Quantity {
    /// Nothing.
    pub const ZERO: Quantity = Quantity(0);

    /// A quantity of so many millionths.
    pub const fn from_millionths(millionths: i64) -> Quantity {
        Quantity(millionths)
    }

    /// A whole quantity, saturating beyond 9 million million.
    pub const fn whole(n: i64) -> Quantity {
        Quantity(n.saturating_mul(ONE))
    }

    /// Its millionths.
    pub const fn millionths(self) -> i64 {
        self.0
    }

    /// The nearest binary number, for cells and charts; exact below 2^53 millionths.
    pub fn to_f64(self) -> f64 {
        // Division by a power of ten is correctly rounded, multiplication by its inverse is not.
        self.0 as f64 / ONE as f64
    }

    /// Its size without its sign.
    #[must_use]
    pub fn abs(self) -> Quantity {
        Quantity(self.0.saturating_abs())
    }

    /// Whether it is below zero.
    pub fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Grouped for people, with as many decimals as it has: `10,185.5`, `−24`.
    pub fn grouped(self) -> String {
        let sign = if self.0 < 0 { "\u{2212}" } else { "" };
        let whole = grouped_digits(&(self.0 / ONE).unsigned_abs().to_string());
        format!("{sign}{whole}{}", self.decimals())
    }

    /// Grouped and rounded half away from zero to so many decimals (0 to 6), always showing them: `1,234.50`.
    pub fn rounded(self, decimals: u32) -> String {
        let step = 10_i64.pow(6 - decimals.min(6));
        let half = if self.0 < 0 { -step / 2 } else { step / 2 };
        let rounded = Quantity(self.0.saturating_add(half) / step * step);
        let text = Quantity(rounded.0 / ONE * ONE).grouped();
        let sign = if rounded.0 < 0 && !text.starts_with('\u{2212}') { "\u{2212}" } else { "" };
        if decimals == 0 {
            return text;
        }
        let fraction = format!("{:06}", (rounded.0 % ONE).unsigned_abs());
        format!("{sign}{text}.{}", &fraction[..decimals.min(6) as usize])
    }

    fn decimals(self) -> String {
        match (self.0 % ONE).unsigned_abs() {
            0 => String::new(),
            fraction => format!(".{fraction:06}").trim_end_matches('0').to_owned(),
        }
    }
}

/// Plain decimal text for machines: `10185.5`, `-24`.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{}{}", (self.0 / ONE).unsigned_abs(), self.decimals())
    }
}

impl fmt::Debug for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads `12`, `-0.469`, `10185.50`, `1,234`, `1e3` is refused; blanks around it are passed over.
impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Quantity, QuantityError> {
        let not_a_number = || QuantityError::NotANumber(text.to_owned());
        let trimmed = text.trim();
        let (negative, digits) = match trimmed.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let whole = ungrouped(whole).ok_or_else(not_a_number)?;
        if !fraction.bytes().all(|byte| byte.is_ascii_digit()) || (whole.is_empty() && fraction.is_empty()) {
            return Err(not_a_number());
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > 6 {
            return Err(QuantityError::TooFine(text.to_owned()));
        }
        let whole = if whole.is_empty() { Ok(0) } else { whole.parse::<i64>() };
        let whole = whole.ok().filter(|n| *n <= WHOLE_MAX).ok_or_else(|| QuantityError::TooLarge(text.to_owned()))?;
        let millionths = whole * ONE + format!("{fraction:0<6}").parse::<i64>().map_err(|_| not_a_number())?;
        Ok(Quantity(if negative { -millionths } else { millionths }))
    }
}

/// Digits with a comma between thousands.
pub(super) fn grouped_digits(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1,234` without its commas, if they stand where thousands do.
fn ungrouped(whole: &str) -> Option<String> {
    let mut groups = whole.split(',');
    let head = groups.next()?;
    let grouped = whole.contains(',');
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let head_fits = digits(head) && (!grouped || (1..=3).contains(&head.len()));
    (head_fits && groups.all(|group| group.len() == 3 && digits(group))).then(|| whole.replace(',', ""))
}

impl Add for Quantity {
    type Output = Quantity;
    fn add(self, other: Quantity) -> Quantity {
        Quantity(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Quantity {
    fn add_assign(&mut self, other: Quantity) {
        *self = *self + other;
    }
}

impl Sub for Quantity {
    type Output = Quantity;
    fn sub(self, other: Quantity) -> Quantity {
        Quantity(self.0.saturating_sub(other.0))
    }
}

impl Neg for Quantity {
    type Output = Quantity;
    fn neg(self) -> Quantity {
        Quantity(self.0.saturating_neg())
    }
}

impl Sum for Quantity {
    fn sum<I: Iterator<Item = Quantity>>(quantities: I) -> Quantity {
        quantities.fold(Quantity::ZERO, Add::add)
    }
}

impl Serialize for Quantity {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Quantity, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_exactly() {
        for (text, millionths) in [
            ("0.469", 469_000),
            ("10185.5", 10_185_500_000),
            ("247,616,265", 247_616_265_000_000),
            ("-24", -24_000_000),
            (" 7 ", 7_000_000),
            ("55.4500000", 55_450_000),
            (".5", 500_000),
            ("5.", 5_000_000),
            ("+3", 3_000_000),
        ] {
            assert_eq!(text.parse::<Quantity>().map(Quantity::millionths), Ok(millionths), "{text}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in ["", "12a", "1e3", "1.2.3", "--1", "1,23", ",123", "1,234567", "NaN", "inf", ".", "0x1"] {
            assert!(matches!(text.parse::<Quantity>(), Err(QuantityError::NotANumber(_))), "{text}");
        }
        assert!(matches!("0.1234567".parse::<Quantity>(), Err(QuantityError::TooFine(_))));
        assert!(matches!("1000000000001".parse::<Quantity>(), Err(QuantityError::TooLarge(_))));
        assert!(matches!("99999999999999999999".parse::<Quantity>(), Err(QuantityError::TooLarge(_))));
    }

    #[test]
    fn quantities_are_shown_for_people_and_for_machines() {
        let quantity = |text: &str| text.parse::<Quantity>().unwrap();
        assert_eq!(quantity("10185.5").grouped(), "10,185.5");
        assert_eq!(quantity("-0.469").grouped(), "−0.469");
        assert_eq!(quantity("-0.469").to_string(), "-0.469");
        assert_eq!(quantity("1234567").grouped(), "1,234,567");
        assert_eq!(quantity("1234.567").rounded(2), "1,234.57");
        assert_eq!(quantity("-0.5").rounded(0), "−1");
        assert_eq!(quantity("-0.25").rounded(1), "−0.3");
        assert_eq!(quantity("999.995").rounded(2), "1,000.00");
        assert_eq!(quantity("-0.004").rounded(2), "0.00");
    }
}
