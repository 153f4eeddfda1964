//! The one door to a cell: every text, number, month and formula goes through here, and is made safe here.

use std::borrow::Cow;

use chrono::NaiveDate;
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Worksheet};

use crate::base::{Month, Quantity, plain_text};
use crate::render::RenderError;

use super::names::protected;

/// What stands before a text that is a formula's result, until the package takes it off: a character of private use.
pub(super) const TEXT_MARK: char = '\u{e000}';

/// What an absent value reads.
pub(super) const ABSENT: &str = "n/a";

/// The longest text of a cell, in UTF-16 units (Excel specifications and limits).
const TEXT_UTF16_MAX: usize = 32_767;

/// The longest alternative text of a picture or a chart, in UTF-16 units.
const ALT_UTF16_MAX: usize = 255;

/// Excel computes and shows 15 significant digits; a number with more is no longer the one we mean.
const DIGITS_MAX: u32 = 15;

/// The result that stands in a formula's cell for readers that do not calculate.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cached<'a> {
    /// A number.
    Number(f64),
    /// A quantity, exactly.
    Quantity(Quantity),
    /// The first day of a month.
    Month(Month),
    /// Words, whatever they read like; may be empty.
    Text(&'a str),
    /// `#N/A`: a point that charts and sparklines leave out.
    Gap,
}

/// Writes a text, which stays a text whatever it begins with.
///
/// Control characters are dropped, what is too long ends in `…`. The crate hands strings of the form `<r>…</r>` to the
/// file as markup, so these are written as rich strings, whose parts it does escape.
pub(super) fn put_text(sheet: &mut Worksheet, at: (u32, u16), text: &str, format: &Format) -> Result<(), RenderError> {
    let text = cell_text(text);
    let is_markup = text.starts_with("<r>") && text.ends_with("</r>");
    // The crate protects plain texts from being read as escapes, and runs it does not.
    let run = if is_markup { protected(&text) } else { Cow::Borrowed("") };
    let runs = [(&Format::default(), run.as_ref())];
    if is_markup {
        sheet.write_rich_string_with_format(at.0, at.1, &runs, format)?;
    } else {
        sheet.write_string_with_format(at.0, at.1, text.as_ref(), format)?;
    }
    Ok(())
}

/// Writes a number; one that is none (NaN, infinite) reads `n/a`.
pub(super) fn put_number(
    sheet: &mut Worksheet,
    at: (u32, u16),
    number: f64,
    format: &Format,
) -> Result<(), RenderError> {
    if !number.is_finite() {
        return put_text(sheet, at, ABSENT, format);
    }
    sheet.write_number_with_format(at.0, at.1, number, format)?;
    Ok(())
}

/// Writes a quantity as a number, or as text where Excel would round it.
pub(super) fn put_quantity(
    sheet: &mut Worksheet,
    at: (u32, u16),
    quantity: Quantity,
    format: &Format,
) -> Result<(), RenderError> {
    if is_exact(quantity) {
        put_number(sheet, at, quantity.to_f64(), format)
    } else {
        put_text(sheet, at, &quantity.grouped(), format)
    }
}

/// Writes a month as the date of its first day, or as text where Excel's calendar does not reach.
pub(super) fn put_month(
    sheet: &mut Worksheet,
    at: (u32, u16),
    month: Month,
    format: &Format,
) -> Result<(), RenderError> {
    let Some(serial) = serial(month) else { return put_text(sheet, at, &month.short(), format) };
    let date = ExcelDateTime::from_serial_datetime(serial)?;
    sheet.write_datetime_with_format(at.0, at.1, &date, format)?;
    Ok(())
}

/// Writes a formula of ours with its result; no formula ever holds a foreign text.
pub(super) fn put_formula(
    sheet: &mut Worksheet,
    at: (u32, u16),
    formula: &str,
    result: Cached<'_>,
    format: &Format,
) -> Result<(), RenderError> {
    let formula = Formula::new(formula).set_result(cached(result)?);
    sheet.write_formula_with_format(at.0, at.1, formula, format)?;
    Ok(())
}

/// A cached result as the crate takes it.
///
/// It writes a text that parses as a number as a number, `TRUE` as a truth value, `#N/A` as an error and an empty text
/// as 0. So every text gets a mark that makes it none of these, and the package takes it off again.
fn cached(result: Cached<'_>) -> Result<String, RenderError> {
    match result {
        Cached::Number(number) if number.is_finite() => Ok(number.to_string()),
        Cached::Number(number) => Err(RenderError::Workbook(format!("`{number}` cannot be a formula's result"))),
        Cached::Quantity(quantity) => Ok(quantity.to_string()),
        Cached::Month(month) => match serial(month) {
            Some(serial) => Ok(serial.to_string()),
            None => Ok(format!("{TEXT_MARK}{}", month.short())),
        },
        Cached::Text(text) => Ok(format!("{TEXT_MARK}{}", protected(&cell_text(text)))),
        Cached::Gap => Ok("#N/A".to_owned()),
    }
}

/// Whether Excel holds and shows a quantity as it is.
pub(super) fn is_exact(quantity: Quantity) -> bool {
    let mut millionths = quantity.millionths().unsigned_abs();
    while millionths >= 10_u64.pow(DIGITS_MAX) && millionths.is_multiple_of(10) {
        millionths /= 10;
    }
    millionths < 10_u64.pow(DIGITS_MAX)
}

/// How many decimals a quantity has, 0 to 6.
pub(super) fn n_decimals(quantity: Quantity) -> usize {
    let fraction = quantity.millionths().unsigned_abs() % 1_000_000;
    (0..6).find(|n| fraction.is_multiple_of(10_u64.pow(6 - n))).unwrap_or(6) as usize
}

/// The day number of a month's first day.
///
/// Excel counts from 1900 and believes in 29 February 1900; from March on it agrees with the calendar.
pub(super) fn serial(month: Month) -> Option<f64> {
    let epoch = NaiveDate::from_ymd_opt(1899, 12, 30)?;
    let days = month.first_day().signed_duration_since(epoch).num_days();
    (days > 60).then_some(days as f64)
}

/// A text as a cell can hold it.
pub(super) fn cell_text(text: &str) -> Cow<'_, str> {
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let plain = if is_plain { Cow::Borrowed(text) } else { Cow::Owned(plain_text(text)) };
    if plain.len() <= TEXT_UTF16_MAX {
        return plain;
    }
    Cow::Owned(cut(&plain, TEXT_UTF16_MAX))
}

/// An alternative text, without control characters and within Excel's limit.
///
/// It is cut between two clauses or words, since half a figure would be another figure.
pub(super) fn alt_text(text: &str) -> String {
    let plain = plain_text(text);
    let short = cut(&plain, ALT_UTF16_MAX);
    if short == plain {
        return plain;
    }
    let whole = short.rfind("; ").filter(|at| *at > short.len() / 2).or_else(|| short.rfind(' '));
    whole.map_or(short.clone(), |at| format!("{}…", &short[..at]))
}

/// A text cut visibly to so many UTF-16 units.
pub(super) fn cut(text: &str, utf16_max: usize) -> String {
    if text.encode_utf16().count() <= utf16_max {
        return text.to_owned();
    }
    let mut n = 0;
    let mut kept: String = text
        .chars()
        .take_while(|letter| {
            n += letter.len_utf16();
            n < utf16_max
        })
        .collect();
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternative_texts_are_cut_between_clauses_or_words_never_in_a_figure() {
        let figures = |n: usize, end: &str| format!("{}{end}", "1,830 added, ".repeat(n));
        assert_eq!(alt_text(&figures(19, "x")), figures(19, "x"));
        assert_eq!(alt_text(&figures(21, "")), format!("{}1,830…", figures(19, "")));
        assert_eq!(alt_text(&figures(15, &format!("last; {}", figures(9, "")))), figures(15, "last…"));
        assert_eq!(alt_text(&"長".repeat(300)).chars().count(), 255);
    }

    #[test]
    fn texts_are_made_safe_and_cut_visibly() {
        assert_eq!(cell_text("a\u{0}b\u{202e}c"), "abc");
        let long = "😀".repeat(20_000);
        let cut = cell_text(&long);
        assert!(cut.ends_with('…') && cut.encode_utf16().count() <= TEXT_UTF16_MAX);
        let fits = "x".repeat(TEXT_UTF16_MAX);
        assert_eq!(cell_text(&fits), fits);
        assert_eq!(cell_text(&"x".repeat(TEXT_UTF16_MAX + 1)).len(), TEXT_UTF16_MAX - 1 + '…'.len_utf8());
    }

    #[test]
    fn quantities_beyond_fifteen_digits_are_not_exact() {
        for (text, exact) in [
            ("0", true),
            ("9007199254.123456", false),
            ("1000000000000", true),
            ("123456789.123456", true),
            ("-1234567890.123456", false),
            ("1234567890.12345", true),
        ] {
            assert_eq!(is_exact(text.parse().unwrap()), exact, "{text}");
        }
    }

    #[test]
    fn decimals_are_counted() {
        for (text, n) in [("0", 0), ("7", 0), ("0.5", 1), ("-0.469", 3), ("1.000001", 6), ("100.10", 1)] {
            assert_eq!(n_decimals(text.parse().unwrap()), n, "{text}");
        }
    }

    #[test]
    fn months_are_excels_day_numbers() {
        // As LibreOffice's DATEVALUE gives them.
        for (text, days) in [("2026-10", 46_296.0), ("1900-03", 61.0), ("2000-01", 36_526.0)] {
            assert_eq!(serial(text.parse().unwrap()), Some(days), "{text}");
        }
        assert_eq!(serial("1900-02".parse().unwrap()), None);
        assert_eq!(serial("0001-01".parse().unwrap()), None);
    }

    #[test]
    fn a_result_is_a_number_or_a_marked_text() {
        assert_eq!(cached(Cached::Text("365")).unwrap(), format!("{TEXT_MARK}365"));
        assert_eq!(cached(Cached::Text("")).unwrap(), TEXT_MARK.to_string());
        assert_eq!(cached(Cached::Month("2026-10".parse().unwrap())).unwrap(), "46296");
        assert!(cached(Cached::Number(f64::NAN)).is_err());
        assert_eq!(cached(Cached::Number(-0.5)).unwrap(), "-0.5");
    }

    #[test]
    fn a_number_that_is_none_reads_n_a() {
        let mut book = rust_xlsxwriter::Workbook::new();
        let mut sheet = Worksheet::new();
        put_number(&mut sheet, (0, 0), f64::NAN, &Format::default()).unwrap();
        book.push_worksheet(sheet);
        let bytes = book.save_to_buffer().unwrap();
        let parts = crate::render::xlsx::tests::parts(&bytes);
        assert!(parts["xl/sharedStrings.xml"].contains("<t>n/a</t>"));
    }
}
