//! Shares and growth, kept as what they are made of, so that nothing is rounded twice.

use serde::{Deserialize, Serialize};

use super::Quantity;
use super::quantity::grouped_digits;

/// A part of a whole: deployment = deployed / licenses, usage = active / licenses, a share of a total.
///
/// May exceed 1 and is never clamped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ratio {
    part: Quantity,
    whole: Quantity,
}

impl Ratio {
    /// The ratio of two quantities; none when the whole is zero or less, since that has no share.
    pub fn new(part: Quantity, whole: Quantity) -> Option<Ratio> {
        (whole > Quantity::ZERO).then_some(Ratio { part, whole })
    }

    /// The part.
    pub fn part(self) -> Quantity {
        self.part
    }

    /// The whole.
    pub fn whole(self) -> Quantity {
        self.whole
    }

    /// As a plain number, 0.784 for 78.4 %.
    pub fn to_f64(self) -> f64 {
        self.part.millionths() as f64 / self.whole.millionths() as f64
    }

    /// Whether it is above 1.
    pub fn exceeds_one(self) -> bool {
        self.part > self.whole
    }

    /// In percent with so many decimals, rounded half away from zero: `78.4%`.
    pub fn percent(self, decimals: u32) -> String {
        percent(self.part, self.whole, decimals)
    }
}

/// How a measure changed from the first full month of a range to the last.
///
/// The page this product implements names no formula for its "percentage growth"; ours is
/// (last − first) / first, as Partner Center's Subscriptions page compares full months.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Growth {
    /// From a first value (above zero, or both zero) to a last.
    Change {
        /// In the first full month.
        first: Quantity,
        /// In the last full month.
        last: Quantity,
    },
    /// Nothing in the first full month, something in the last.
    New,
    /// One of the two is not known, or there is one full month only.
    Absent,
}

impl Growth {
    /// The growth between two values, either of which may be absent.
    pub fn between(first: Option<Quantity>, last: Option<Quantity>) -> Growth {
        match (first, last) {
            (Some(Quantity::ZERO), Some(last)) if last != Quantity::ZERO => Growth::New,
            (Some(first), Some(last)) => Growth::Change { first, last },
            _ => Growth::Absent,
        }
    }

    /// Signed percent with two decimals (`+7.74%`, `−5.74%`, `0.00%`), `new` or `n/a`.
    pub fn text(self) -> String {
        match self {
            Growth::Change { first, last } if first == last => "0.00%".to_owned(),
            Growth::Change { first, last } => {
                let text = percent(last - first, first, 2);
                if last > first { format!("+{text}") } else { text }
            }
            Growth::New => "new".to_owned(),
            Growth::Absent => "n/a".to_owned(),
        }
    }

    /// As a plain number, 0.0774 for 7.74 %; none for `new` and `n/a`.
    pub fn to_f64(self) -> Option<f64> {
        match self {
            Growth::Change { first, last } if first == last => Some(0.0),
            Growth::Change { first, last } => Some((last - first).millionths() as f64 / first.millionths() as f64),
            Growth::New | Growth::Absent => None,
        }
    }

    /// Rise (1), fall (−1) or neither (0), by which ▲ and ▼ are chosen.
    pub fn direction(self) -> i8 {
        match self {
            Growth::Change { first, last } => last.cmp(&first) as i8,
            Growth::New => 1,
            Growth::Absent => 0,
        }
    }
}

/// `part / whole` in percent; the whole is not zero.
fn percent(part: Quantity, whole: Quantity, decimals: u32) -> String {
    let scale = 10_i128.pow(decimals.min(6));
    let (part, whole) = (i128::from(part.millionths()), i128::from(whole.millionths()).max(1));
    let scaled = part.abs() * 100 * scale;
    let rounded = (2 * scaled + whole) / (2 * whole);
    let sign = if part < 0 && rounded != 0 { "\u{2212}" } else { "" };
    let whole = grouped_digits(&(rounded / scale).to_string());
    match decimals {
        0 => format!("{sign}{whole}%"),
        _ => format!("{sign}{whole}.{:0width$}%", rounded % scale, width = decimals.min(6) as usize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(n: i64) -> Quantity {
        Quantity::whole(n)
    }

    #[test]
    fn growth_reads_as_the_page_shows_it() {
        let growth = |first, last| Growth::between(Some(whole(first)), Some(whole(last))).text();
        assert_eq!(growth(161_203, 173_682), "+7.74%");
        assert_eq!(growth(1000, 943), "−5.70%");
        assert_eq!(growth(1_000_000, 101_533_600), "+10,053.36%");
        assert_eq!(growth(1, 9_000_000_000_000), "+899,999,999,999,900.00%");
        assert_eq!(growth(5, 5), "0.00%");
        assert_eq!(growth(0, 0), "0.00%");
        assert_eq!(growth(0, 7), "new");
        assert_eq!(growth(7, 0), "−100.00%");
        assert_eq!(Growth::between(None, Some(whole(1))).text(), "n/a");
        assert_eq!(Growth::between(Some(whole(1)), None).text(), "n/a");
    }

    #[test]
    fn shares_round_half_away_from_zero_and_are_never_clamped() {
        let share = |part, of| Ratio::new(whole(part), whole(of)).map(|ratio| ratio.percent(1));
        assert_eq!(share(1, 2000).as_deref(), Some("0.1%"));
        assert_eq!(share(1, 2001).as_deref(), Some("0.0%"));
        assert_eq!(share(240, 100).as_deref(), Some("240.0%"));
        assert_eq!(share(1, 0), None);
        assert_eq!(share(2, 3).as_deref(), Some("66.7%"));
    }
}
