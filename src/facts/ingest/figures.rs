//! Figures as Partner Center's files write them, in millionths.

use super::BadValue;
use crate::base::{Quantity, QuantityError};

/// A figure: none when the cell is blank or NULL, with whether it was finer than a millionth and was rounded.
pub(super) fn figure(cell: &str) -> Result<Option<(i64, bool)>, BadValue> {
    let text = cell.trim();
    if let Some(whole) = short_whole(text) {
        return Ok(Some((whole * 1_000_000, false)));
    }
    if text.is_empty() || text.eq_ignore_ascii_case("null") {
        return Ok(None);
    }
    match text.parse::<Quantity>() {
        Ok(quantity) => Ok(Some((quantity.millionths(), false))),
        Err(QuantityError::TooFine(_)) => rounded(text).map(|millionths| Some((millionths, true))),
        Err(QuantityError::TooLarge(_)) => Err(BadValue::TooLarge),
        Err(QuantityError::NotANumber(_)) => Err(BadValue::NotANumber),
    }
}

/// A whole number of few digits, which nearly every figure is.
fn short_whole(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if !(1..=9).contains(&bytes.len()) || !bytes.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(bytes.iter().fold(0, |whole, digit| whole * 10 + i64::from(digit - b'0')))
}

/// A number with more than six decimals, rounded half away from zero.
fn rounded(text: &str) -> Result<i64, BadValue> {
    let (whole, fraction) = text.split_once('.').ok_or(BadValue::NotANumber)?;
    let (kept, rest) = fraction.split_at_checked(6).ok_or(BadValue::NotANumber)?;
    let millionths = format!("{whole}.{kept}").parse::<Quantity>().map_err(|_| BadValue::NotANumber)?.millionths();
    let up = i64::from(rest.as_bytes().first().is_some_and(|digit| *digit >= b'5'));
    Ok(if whole.trim_start().starts_with('-') { millionths - up } else { millionths + up })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_exact_to_the_millionth() {
        for (cell, millionths, is_rounded) in [
            ("12", 12_000_000, false),
            ("999999999", 999_999_999_000_000, false),
            ("1234567890", 1_234_567_890_000_000, false),
            ("0.469", 469_000, false),
            ("-7", -7_000_000, false),
            ("10,185.5", 10_185_500_000, false),
            ("1.2345675", 1_234_568, true),
            ("-1.2345675", -1_234_568, true),
            ("-0.0000004", 0, true),
            ("1.23456749", 1_234_567, true),
        ] {
            assert_eq!(figure(cell), Ok(Some((millionths, is_rounded))), "{cell}");
        }
        assert_eq!((figure(" "), figure("NULL")), (Ok(None), Ok(None)));
        for (cell, reason) in [
            ("12a", BadValue::NotANumber),
            ("1e3", BadValue::NotANumber),
            ("UNKNOWN", BadValue::NotANumber),
            ("1.2345678x", BadValue::NotANumber),
            ("9999999999999", BadValue::TooLarge),
        ] {
            assert_eq!(figure(cell), Err(reason), "{cell}");
        }
    }
}
