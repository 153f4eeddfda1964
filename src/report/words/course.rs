//! The course of a level over months: where it rose or fell, its extremes, and what is not known.

use crate::base::{Month, Quantity};
use crate::report::Head;

use super::{lacking, list, only_top, span};

/// Values over months that follow one another.
#[derive(Clone, Copy, Debug)]
pub struct Course<'a> {
    /// The month of the first value.
    pub first: Month,
    /// A value a month, absent where not known.
    pub values: &'a [Option<Quantity>],
    /// The months that are not full yet: their values are told, and compared with nothing.
    pub open: &'a [Month],
    /// Whether every value counts the same things; if not, none is compared with another.
    pub is_alike: bool,
}

/// `Licenses rose from 161,203 in November 2025 to 173,682 in October 2026, highest in October 2026`.
///
/// Without a full stop. `name` is in the plural.
pub fn level(name: &str, course: &Course<'_>) -> String {
    let shape = Shape::of(course);
    let Some((first, last)) = shape.ends else { return format!("{name}: no data") };
    if shape.n_absent == shape.n_months {
        return format!("{name}: no data {}", span(first, last));
    }
    let told = match shape.full.as_slice() {
        [] => format!("{name} {}", unfinished(&shape.open)),
        [(month, value)] => {
            let only = if shape.n_months == 1 { " (one month)" } else { "" };
            format!("{name} were {} in {}{only}", value.grouped(), month.long())
        }
        [(first, from), .., (last, to)] if !course.is_alike => format!(
            "{name} were {} in {} and {} in {}, counted over different products",
            from.grouped(),
            first.long(),
            to.grouped(),
            last.long()
        ),
        [(first, value), .., (last, _)] if shape.is_flat() => {
            format!("{name} stood at {} in {} {}", value.grouped(), shape.every(), span(*first, *last))
        }
        [from, .., to] => format!("{name} {}{}", moved(&shape, *from, *to), extremes(&shape, Month::long)),
    };
    let open = if shape.full.is_empty() { None } else { open_months(&shape.open) };
    let clauses = [Some(told), open, lacking(shape.n_absent, shape.n_months)];
    clauses.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// `161,203 to 173,682, highest in the last month`: a trend of a table in few words, over the months of its report.
pub fn trend_words(head: &Head, values: &[Option<Quantity>]) -> String {
    let full = |month: &Month| head.compared.is_some_and(|of| (of.first..=of.last).contains(month));
    let open: Vec<Month> = head.range.months().filter(|month| !full(month)).collect();
    brief(&Course { first: head.range.first(), values, open: &open, is_alike: true })
}

/// The course without its name, as short as a cell of a table.
pub(super) fn brief(course: &Course<'_>) -> String {
    let shape = Shape::of(course);
    let Some((first, last)) = shape.ends else { return "no data".to_owned() };
    if shape.n_absent == shape.n_months {
        return "no data".to_owned();
    }
    let name = |month: Month| match month {
        month if month == last => "the last month".to_owned(),
        month if month == first => "the first month".to_owned(),
        month => month.short(),
    };
    let told = match shape.full.as_slice() {
        [] => shape.open.iter().map(|(_, value)| value.grouped()).collect::<Vec<_>>().join(", "),
        [(month, value)] => format!("{} in {}", value.grouped(), month.short()),
        [(_, value), ..] if shape.is_flat() => format!("{} in {}", value.grouped(), shape.every()),
        [(_, from), .., (_, to)] => format!("{} to {}{}", from.grouped(), to.grouped(), extremes(&shape, name)),
    };
    let open = match shape.open.as_slice() {
        [] => None,
        [(month, _)] => Some(format!("{} not full yet", month.short())),
        open => Some(format!("{} months not full yet", open.len())),
    };
    let clauses = [Some(told), open, lacking(shape.n_absent, shape.n_months)];
    clauses.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// What of a course is known, apart from what is not full.
struct Shape {
    n_months: usize,
    n_absent: usize,
    /// The first and the last month, with or without data.
    ends: Option<(Month, Month)>,
    full: Vec<(Month, Quantity)>,
    open: Vec<(Month, Quantity)>,
}

impl Shape {
    fn of(course: &Course<'_>) -> Shape {
        let months = std::iter::successors(Some(course.first), |month| Some(month.next()));
        let known = months.clone().zip(course.values).filter_map(|(month, value)| Some((month, (*value)?)));
        let (open, full) = known.partition(|(month, _)| course.open.contains(month));
        Shape {
            n_months: course.values.len(),
            n_absent: course.values.iter().filter(|value| value.is_none()).count(),
            ends: months.take(course.values.len()).last().map(|last| (course.first, last)),
            full,
            open,
        }
    }

    fn is_flat(&self) -> bool {
        self.full.windows(2).all(|pair| pair[0].1 == pair[1].1)
    }

    /// What `every month` means where some are absent or not full.
    fn every(&self) -> &'static str {
        match (self.open.is_empty(), self.n_absent) {
            (true, 0) => "every month",
            (true, _) => "every month with data",
            (false, 0) => "every full month",
            (false, _) => "every full month with data",
        }
    }

    /// Said of the first or last full month where another one lies beyond it.
    fn note(&self, which: &str, beyond: impl Fn(Month) -> bool, is_end: bool) -> String {
        match (is_end, self.open.iter().any(|(month, _)| beyond(*month))) {
            (true, _) => String::new(),
            (false, true) => format!(", the {which} full month with data"),
            (false, false) => format!(", the {which} month with data"),
        }
    }
}

/// `rose from 5 in December 2025, the first month with data, to 7 in October 2026`; of a course that is not flat.
fn moved(shape: &Shape, (first, from): (Month, Quantity), (last, to): (Month, Quantity)) -> String {
    let (start, end) = shape.ends.unwrap_or((first, last));
    let before = shape.note("first", |month| month < first, first == start);
    let after = shape.note("last", |month| month > last, last == end);
    let (first, last) = (first.long(), last.long());
    if from == to {
        return format!("were {} both in {first}{before}{} in {last}{after}", from.grouped(), and(&before));
    }
    let verb = if to > from { "rose" } else { "fell" };
    let comma = if before.is_empty() { "" } else { "," };
    format!("{verb} from {} in {first}{before}{comma} to {} in {last}{after}", from.grouped(), to.grouped())
}

fn and(note: &str) -> &'static str {
    if note.is_empty() { " and" } else { ", and" }
}

/// `, highest in July 2026 (1,830) and lowest in March 2026 (3)`: extremes that no other full month shares.
///
/// Of a rise the highest and of a fall the lowest; the other one where it lies beyond both ends.
fn extremes(shape: &Shape, name: impl Fn(Month) -> String) -> String {
    let [(first, from), _, .., (last, to)] = shape.full.as_slice() else { return String::new() };
    let highest = only_top(&shape.full, |value| value).filter(|(_, value)| to > from || value > from.max(to));
    let lowest = only_top(&shape.full, |value| -value).filter(|(_, value)| to < from || value < from.min(to));
    let told = |word: &str, (month, value): (Month, Quantity)| {
        let figure = if month == *first || month == *last { String::new() } else { format!(" ({})", value.grouped()) };
        format!("{word} in {}{figure}", name(month))
    };
    let highest = highest.map(|extreme| told("highest", extreme));
    let lowest = lowest.map(|extreme| told("lowest", extreme));
    let both = if to < from { [lowest, highest] } else { [highest, lowest] };
    let both: Vec<String> = both.into_iter().flatten().collect();
    let both: Vec<&str> = both.iter().map(String::as_str).collect();
    if both.is_empty() { String::new() } else { format!(", {}", list(&both)) }
}

/// `stand at 900 in November 2026, which is not full yet`; of months of which none is full.
fn unfinished(open: &[(Month, Quantity)]) -> String {
    let at = |(month, value): &(Month, Quantity)| format!("{} in {}", value.grouped(), month.long());
    match open {
        [] => String::new(),
        [one] => format!("stand at {}, which is not full yet", at(one)),
        [first, .., last] => format!("were {} and {}; no month is full yet", at(first), at(last)),
    }
}

/// `November 2026 stands at 900 and is not full yet`.
fn open_months(open: &[(Month, Quantity)]) -> Option<String> {
    match open {
        [] => None,
        [(month, value)] => Some(format!("{} stands at {} and is not full yet", month.long(), value.grouped())),
        open => Some(format!("{} months are not full yet", open.len())),
    }
}
