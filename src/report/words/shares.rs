//! Parts of a whole: the ring of products, the largest of them, and the spread over countries.

use crate::base::{Month, Quantity, Ratio};
use crate::report::Slice;

use super::{counted, ended, list, share};

/// What is not zero of a whole in a month.
#[derive(Clone, Copy, Debug)]
pub struct Shares<'a> {
    /// The month.
    pub month: Month,
    /// The whole.
    pub whole: Quantity,
    /// Its parts.
    pub slices: &'a [Slice],
    /// The names of what the whole leaves out, since the data has none of it.
    pub lacking: &'a [&'a str],
}

/// `Licenses by product in October 2026 (173,682 in all): Office 365 57.0%, Microsoft 365 22.3%, Power BI 20.7%.`
pub fn shares(title: &str, shares: &Shares<'_>) -> String {
    let parts: Vec<String> = shares
        .slices
        .iter()
        .filter_map(|slice| Some(format!("{} {}", slice.name, share(Ratio::new(slice.value, shares.whole)?, 1))))
        .collect();
    let without =
        if shares.lacking.is_empty() { String::new() } else { format!("; no data for {}", list(shares.lacking)) };
    let parts = if parts.is_empty() { "no shares".to_owned() } else { parts.join(", ") };
    ended(&format!("{title} in {} ({} in all): {parts}{without}", shares.month.long(), shares.whole.grouped()))
}

/// `Office 365 makes up 57.0% of all licenses in October 2026.`
///
/// `lacking` names what the total leaves out; `products` are those with licenses, the largest first.
pub fn largest(month: Month, total: Option<Quantity>, products: &[(&str, Quantity)], lacking: &[&str]) -> String {
    let Some(total) = total else { return no_counts(month) };
    let month = month.long();
    let top = products.first().and_then(|(name, value)| Some((name, Ratio::new(*value, total)?)));
    let without = if lacking.is_empty() { String::new() } else { format!("; no data for {}", list(lacking)) };
    ended(&match top {
        Some((name, ratio)) if ratio.part() == ratio.whole() && lacking.is_empty() => {
            format!("All licenses in {month} are of {name}")
        }
        Some((name, ratio)) if ratio.part() == ratio.whole() => {
            format!("All licenses counted in {month} are of {name}{without}")
        }
        Some((name, ratio)) => {
            let all = if lacking.is_empty() { "all licenses" } else { "the licenses counted" };
            format!("{name} makes up {} of {all} in {month}{without}", share(ratio, 1))
        }
        None => format!("There are no current licenses in {month}{without}"),
    })
}

/// Where the licenses of a month are.
#[derive(Clone, Copy, Debug)]
pub struct Spread<'a> {
    /// The month.
    pub month: Month,
    /// All licenses.
    pub total: Option<Quantity>,
    /// The countries and regions that have licenses, with how many.
    pub places: &'a [(&'a str, Quantity)],
}

/// `Licenses are in 60 countries/regions; Germany has the most, 25.0% of them.`
pub fn spread(spread: &Spread<'_>) -> String {
    let Some(total) = spread.total else { return no_counts(spread.month) };
    let places = spread.places;
    let most = places.iter().map(|(_, licenses)| *licenses).max().unwrap_or(Quantity::ZERO);
    let top: Vec<&str> = places.iter().filter(|(_, licenses)| *licenses == most).map(|(name, _)| *name).collect();
    ended(&match (places, Ratio::new(most, total)) {
        (_, None) => format!("There are no current licenses in {}", spread.month.long()),
        ([], _) => "The country/region of all licenses is not known".to_owned(),
        ([(name, licenses)], _) if *licenses == total => format!("All licenses are in {name}"),
        ([(name, _)], _) => format!("All licenses whose country/region is known are in {name}"),
        (_, Some(ratio)) => {
            let n = counted(places.len(), "country/region", "countries/regions");
            let share = share(ratio, 1);
            match top.as_slice() {
                [name] => format!("Licenses are in {n}; {name} has the most, {share} of them"),
                [_, _] | [_, _, _] => {
                    format!("Licenses are in {n}; {} have the most, {share} of them each", list(&top))
                }
                _ => format!("Licenses are in {n}"),
            }
        }
    })
}

fn no_counts(month: Month) -> String {
    format!("The data of {} has no license counts.", month.long())
}
