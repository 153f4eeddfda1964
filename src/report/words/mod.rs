//! Sentences written from figures: every lead, reading and alternative text comes from here.
//!
//! Nothing is claimed that the figures do not bear out: what cannot be compared, a tie and a month that is not full
//! are said as such or left out. Names are printed as they come; none is given a capital or thought to end without
//! a full stop.

mod course;
mod flows;
mod reading;
mod shares;
mod since;
#[cfg(test)]
pub(crate) mod tests;

pub use course::{Course, level, trend_words};
pub use flows::{Adds, Flows, adds, flows, sums};
pub use reading::{Measured, Standing, reading};
pub use shares::{Shares, Spread, largest, shares, spread};
pub use since::since;

use crate::base::{Month, Quantity, Ratio};

/// `Dynamics 365`, `Dynamics 365 and Power BI`, `A, B and C`.
pub fn list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}

/// `1 country/region`, `3 countries/regions`.
pub fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", Quantity::whole(i64::try_from(n).unwrap_or(i64::MAX)).grouped(), if n == 1 { one } else { many })
}

/// A sentence with its full stop; a name at its end may have brought one.
pub fn ended(text: &str) -> String {
    let is_ended = text.is_empty() || text.ends_with(['.', '!', '?', '…']);
    format!("{text}{}", if is_ended { "" } else { "." })
}

/// `no licenses`, `1 license`, `0.469 licenses`.
fn licenses(n: Quantity) -> String {
    match n {
        Quantity::ZERO => "no licenses".to_owned(),
        n if is_one(n) => "1 license".to_owned(),
        n => format!("{} licenses", n.grouped()),
    }
}

fn is_one(n: Quantity) -> bool {
    n == Quantity::whole(1)
}

/// The verb of a count: `1 was`, `0.469 were`, `none were`.
fn were(n: Quantity) -> &'static str {
    if is_one(n) { "was" } else { "were" }
}

/// `57.0%`; `less than 0.1%` and `more than 99.9%` where rounding would make none or all of a part.
fn share(ratio: Ratio, decimals: u32) -> String {
    let (none, all) = (percent(0, decimals), percent(STEPS, decimals));
    match ratio.percent(decimals) {
        text if text == none && ratio.part() > Quantity::ZERO => format!("less than {}", least(decimals)),
        text if text == all && ratio.part() < ratio.whole() => {
            format!("more than {}", percent(STEPS - step(decimals), decimals))
        }
        text => text,
    }
}

/// The smallest percentage that so many decimals can show: `1%`, `0.1%`, `0.01%`.
fn least(decimals: u32) -> String {
    percent(step(decimals), decimals)
}

/// A whole in steps of a millionth of a percent.
const STEPS: i64 = 100_000_000;

fn step(decimals: u32) -> i64 {
    1_000_000 / 10_i64.pow(decimals.min(6))
}

fn percent(steps: i64, decimals: u32) -> String {
    let ratio = Ratio::new(Quantity::from_millionths(steps), Quantity::from_millionths(STEPS));
    ratio.map_or(String::new(), |ratio| ratio.percent(decimals))
}

/// `in October 2026`, `from November 2025 to October 2026`.
fn span(first: Month, last: Month) -> String {
    if first == last { format!("in {}", first.long()) } else { format!("from {} to {}", first.long(), last.long()) }
}

/// `no data for 2 of 12 months`; nothing when there is data for all.
fn lacking(n_absent: usize, n_months: usize) -> Option<String> {
    (n_absent > 0).then(|| format!("no data for {n_absent} of {}", counted(n_months, "month", "months")))
}

/// The month of the one value above all others, in order of `rank`; none when two share it or there is one only.
fn only_top(values: &[(Month, Quantity)], rank: impl Fn(Quantity) -> Quantity) -> Option<(Month, Quantity)> {
    let &top = values.iter().max_by_key(|(_, value)| rank(*value))?;
    let n_ties = values.iter().filter(|(_, value)| *value == top.1).count();
    (n_ties == 1 && values.len() > 1).then_some(top)
}
