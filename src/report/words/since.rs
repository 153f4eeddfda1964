//! How a key figure changed since the edition that its reader got before.

use std::cmp::Ordering;

use crate::base::Month;
use crate::report::{Head, Kpi, Report};

/// `682 more than in your last edition: 173,000 in September 2026`; nothing where there is nothing to compare.
///
/// Without a full stop. A difference is said only of figures that count the same things: of figures that leave out
/// different products both editions' are told and none is subtracted. Of the same period the earlier revision is
/// named, since there the figure itself was another.
pub fn since(report: &Report, kpi: &Kpi, before: &Report) -> String {
    let Some(was) = before.kpis().find(|was| was.key == kpi.key) else { return String::new() };
    let (Some(head), Some(head_before)) = (current(&report.head), current(&before.head)) else { return String::new() };
    let edition = edition(&report.head, &before.head);
    let (now, then) = match (kpi.current, was.current) {
        (None, None) => return String::new(),
        (Some(_), None) => return format!("not known in {edition}"),
        (None, Some(then)) => return format!("{edition} said {} in {}", then.grouped(), head_before.long()),
        (Some(now), Some(then)) => (now, then),
    };
    let then_words = format!("{} in {}", then.grouped(), head_before.long());
    if kpi.coverage != was.coverage {
        return format!("{edition} said {then_words}, counted over different products");
    }
    match now.cmp(&then) {
        Ordering::Equal if head == head_before => format!("as in {edition}"),
        Ordering::Equal => format!("as in {edition}: {then_words}"),
        Ordering::Greater => format!("{} more than in {edition}: {then_words}", (now - then).grouped()),
        Ordering::Less => format!("{} fewer than in {edition}: {then_words}", (then - now).grouped()),
    }
}

/// The month that *current* means.
fn current(head: &Head) -> Option<Month> {
    head.compared.map(|compared| compared.last)
}

/// `your last edition`; of the same period `revision 1, which you got before`.
fn edition(head: &Head, before: &Head) -> String {
    if head.period == before.period {
        format!("revision {}, which you got before", before.revision)
    } else {
        "your last edition".to_owned()
    }
}
