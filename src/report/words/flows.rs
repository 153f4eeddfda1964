//! What was added and removed: over a range, and in one month beside the one before.

use std::cmp::Ordering;

use crate::base::{Month, Quantity, Ratio};
use crate::report::Series;

use super::{ended, is_one, lacking, licenses, list, only_top, share, span, were};

/// What was added and removed month by month, each as series that are stacked.
#[derive(Clone, Copy, Debug)]
pub struct Flows<'a> {
    /// The months, in order.
    pub months: &'a [Month],
    /// What was added.
    pub added: &'a [Series],
    /// What was removed; values not negative.
    pub removed: &'a [Series],
    /// The months that are not full yet.
    pub open: &'a [Month],
}

/// `Office 365: 12,483 licenses were added and 4,429 removed from … to …; the most were added in July 2026 (1,830).`
pub fn flows(title: &str, flows: &Flows<'_>) -> String {
    let (Some(first), Some(last)) = (flows.months.first(), flows.months.last()) else {
        return ended(&format!("{title}: no data"));
    };
    let span = span(*first, *last);
    let (added, removed) = (Side::of(flows.months, flows.added), Side::of(flows.months, flows.removed));
    let Some(told) = both(added.sum, removed.sum) else {
        return ended(&format!("{title}: no data {span}"));
    };
    let mut clauses = vec![format!("{title}: {told} {span}")];
    let most: Vec<String> = [added.most("added"), removed.most("removed")].into_iter().flatten().collect();
    if !most.is_empty() {
        clauses.push(format!("the most were {}", most.join(" and ")));
    }
    clauses.extend(limits(flows, &added, &removed));
    ended(&clauses.join("; "))
}

/// What the sums leave out.
fn limits(flows: &Flows<'_>, added: &Side<'_>, removed: &Side<'_>) -> Vec<String> {
    let n_months = flows.months.len();
    let mut clauses = apart(added, removed, |side| {
        (side.sum.is_some() && !side.lacks.is_empty()).then(|| format!("no data for {}", list(&side.lacks)))
    });
    match (added.sum, removed.sum) {
        (Some(_), None) => clauses.push("the data does not tell what was removed".to_owned()),
        (None, Some(_)) => clauses.push("the data does not tell what was added".to_owned()),
        _ => {}
    }
    let is_known = |side: &Side<'_>| side.sum.is_some();
    clauses.extend(apart(added, removed, |side| lacking(side.n_absent, n_months).filter(|_| is_known(side))));
    if !added.is_alike || !removed.is_alike {
        clauses.push("not every month counts all products".to_owned());
    }
    let is_open = |(month, _): &&(Month, Quantity)| flows.open.contains(month);
    let open: Vec<Month> = added.by_month.iter().filter(is_open).map(|(month, _)| *month).collect();
    clauses.extend(match open.as_slice() {
        [] => None,
        [month] => Some(format!("{} is not full yet", month.long())),
        open => Some(format!("{} months are not full yet", open.len())),
    });
    clauses
}

/// What is said of both sides once, and otherwise of each apart; of a side that is not known at all nothing.
fn apart(added: &Side<'_>, removed: &Side<'_>, told: impl Fn(&Side<'_>) -> Option<String>) -> Vec<String> {
    let (of_added, of_removed) = (told(added), told(removed));
    if of_added == of_removed {
        return of_added.into_iter().collect();
    }
    let of = |words: Option<String>, verb: &str| words.map(|words| format!("{words} of what was {verb}"));
    [of(of_added, "added"), of(of_removed, "removed")].into_iter().flatten().collect()
}

/// The sums of all that is known of what was added and removed: `12,483 added, 4,429 removed`, or `n/a`.
pub fn sums(added: &[Series], removed: &[Series]) -> String {
    let known =
        |series: &[Series]| series.iter().flat_map(|series| series.values.clone()).flatten().collect::<Vec<_>>();
    let sum = |known: Vec<Quantity>| (!known.is_empty()).then(|| known.into_iter().sum::<Quantity>());
    let text = |sum: Option<Quantity>| sum.map_or("n/a".to_owned(), Quantity::grouped);
    match (sum(known(added)), sum(known(removed))) {
        (None, None) => "n/a".to_owned(),
        (added, removed) => format!("{} added, {} removed", text(added), text(removed)),
    }
}

/// Series that are stacked, as one.
struct Side<'a> {
    sum: Option<Quantity>,
    by_month: Vec<(Month, Quantity)>,
    n_absent: usize,
    /// Whether each month that is known sums the same series.
    is_alike: bool,
    /// The series of which nothing is known.
    lacks: Vec<&'a str>,
}

impl<'a> Side<'a> {
    fn of(months: &[Month], series: &'a [Series]) -> Side<'a> {
        let value = |series: &Series, n: usize| series.values.get(n).copied().flatten();
        let known = |n: usize| series.iter().map(move |series| value(series, n).is_some());
        let in_month = |n: usize| known(n).any(|is_known| is_known);
        let by_month: Vec<(Month, Quantity)> = (0..months.len())
            .filter(|n| in_month(*n))
            .map(|n| (months[n], series.iter().filter_map(|series| value(series, n)).sum()))
            .collect();
        let mut patterns = (0..months.len()).filter(|n| in_month(*n)).map(|n| known(n).collect::<Vec<_>>());
        let pattern = patterns.next();
        Side {
            sum: (!by_month.is_empty()).then(|| by_month.iter().map(|(_, value)| *value).sum()),
            n_absent: months.len() - by_month.len(),
            lacks: series
                .iter()
                .filter(|series| series.values.iter().all(Option::is_none))
                .map(|series| series.name.as_str())
                .collect(),
            is_alike: patterns.all(|other| Some(other) == pattern),
            by_month,
        }
    }

    /// `added in July 2026 (1,830)`: the month of the most, where one has it and all can be compared.
    fn most(&self, verb: &str) -> Option<String> {
        let (month, value) = only_top(&self.by_month, |value| value).filter(|_| self.is_alike)?;
        Some(format!("{verb} in {} ({})", month.long(), value.grouped()))
    }
}

/// `12,483 licenses were added and 4,429 removed`; nothing when neither is known.
fn both(added: Option<Quantity>, removed: Option<Quantity>) -> Option<String> {
    let of = |n: Quantity, verb: &str| format!("{} {} {verb}", licenses(n), were(n));
    match (added, removed) {
        (None, None) => None,
        (Some(added), None) => Some(of(added, "added")),
        (None, Some(removed)) => Some(of(removed, "removed")),
        (Some(Quantity::ZERO), Some(Quantity::ZERO)) => Some("no licenses were added or removed".to_owned()),
        (Some(added), Some(removed)) => {
            let verb = if is_one(added) == is_one(removed) { String::new() } else { format!("{} ", were(removed)) };
            Some(format!("{} and {} {verb}removed", of(added, "added"), none(removed)))
        }
    }
}

fn none(n: Quantity) -> String {
    if n == Quantity::ZERO { "none".to_owned() } else { n.grouped() }
}

/// What was added and removed in one month.
#[derive(Clone, Copy, Debug)]
pub struct Adds {
    /// The month.
    pub month: Month,
    /// What was added.
    pub added: Option<Quantity>,
    /// What was added in the month before; absent also where the two cannot be compared.
    pub before: Option<Quantity>,
    /// What was removed.
    pub removed: Option<Quantity>,
}

/// `1,895 licenses were added in October, 25.0% more than in September; 532 were removed (below the axis).`
pub fn adds(adds: &Adds) -> String {
    let month = adds.month.name();
    let Some(added) = adds.added else {
        let removed = adds.removed.map(|n| format!("; {} {} removed", licenses(n), were(n))).unwrap_or_default();
        return format!("The data of {} does not tell what was added{removed}.", adds.month.long());
    };
    let beside = adds.before.map_or(String::new(), |before| beside(added, before, adds.month.prev().name()));
    let removed = match adds.removed {
        Some(Quantity::ZERO) => "none were removed".to_owned(),
        Some(n) => format!("{} {} removed (below the axis)", n.grouped(), were(n)),
        None => "the data does not tell what was removed".to_owned(),
    };
    let told = licenses(added);
    let told = if added == Quantity::ZERO { "No licenses" } else { &told };
    format!("{told} {} added in {month}{beside}; {removed}.", were(added))
}

/// `, 25.0% more than in September`.
fn beside(added: Quantity, before: Quantity, month: &str) -> String {
    let by = |change: Quantity| Ratio::new(change, before).map_or(String::new(), |ratio| share(ratio, 1));
    match added.cmp(&before) {
        Ordering::Equal if added == Quantity::ZERO => format!(", as in {month}"),
        Ordering::Equal => format!(", as many as in {month}"),
        _ if before == Quantity::ZERO => format!(", after none in {month}"),
        _ if added == Quantity::ZERO => format!(", after {} in {month}", before.grouped()),
        Ordering::Greater => format!(", {} more than in {month}", by(added - before)),
        Ordering::Less => format!(", {} fewer than in {month}", by(before - added)),
    }
}
