//! Words written from figures: nothing is claimed that the figures do not bear out.

use crate::base::{Growth, Quantity};
use crate::facts::Measure;

use super::figures::Figures;

/// The reading of the summary: the sentence that answers the executive's question, and what follows it.
pub(super) fn reading(figures: &Figures) -> (String, String) {
    let Some(compared) = figures.compared else {
        return ("No month of this range is full yet.".to_owned(), String::new());
    };
    let Some(licenses) = figures.total(compared.last, Measure::Licenses) else {
        return (format!("The data of {} has no license counts.", compared.last.long()), String::new());
    };
    let course = match figures.total_growth(Measure::Licenses) {
        Growth::Absent => format!("Licenses stand at {} in {}", licenses.grouped(), compared.last.long()),
        Growth::New => {
            format!(
                "Licenses are new: {} in {}, none in {}",
                licenses.grouped(),
                compared.last.long(),
                compared.first.long()
            )
        }
        growth if growth.direction() == 0 => format!("Licenses did not change: {}", licenses.grouped()),
        growth => format!("Licenses {} to {}", moved(growth), licenses.grouped()),
    };
    let deployment = figures.ratio(compared.last, Measure::Deployed, Measure::Licenses);
    let assigned = deployment.map(|ratio| {
        let lacking = figures.lacking(compared.last, Measure::Deployed);
        let of = if lacking.is_empty() { "of them".to_owned() } else { "of those with known assignment".to_owned() };
        format!("; {} {of} are assigned", ratio.percent(0))
    });
    let lead = format!("{course}{}.", assigned.unwrap_or_default());
    let rest: Vec<String> = [active(figures), fastest(figures)].into_iter().flatten().collect();
    (lead, sentence(&rest))
}

/// `grew 7.74%`, `fell 5.70%`; of a change that is not zero.
fn moved(growth: Growth) -> String {
    let verb = if growth.direction() < 0 { "fell" } else { "grew" };
    format!("{verb} {}", size(growth))
}

/// `7.74%` without its sign, `by less than 0.01%` where rounding leaves nothing.
fn size(growth: Growth) -> String {
    match growth.text().trim_start_matches(['+', '\u{2212}']) {
        "0.00%" => "by less than 0.01%".to_owned(),
        size => size.to_owned(),
    }
}

/// How active use moved, beside licenses where both are known.
fn active(figures: &Figures) -> Option<String> {
    let growth @ Growth::Change { .. } = figures.total_growth(Measure::Active) else { return None };
    let size = size(growth);
    let beside = match figures.total_growth(Measure::Licenses) {
        licenses @ Growth::Change { .. } => match (growth.direction(), compare(growth, licenses)) {
            (1, std::cmp::Ordering::Less) if licenses.direction() == 1 => ", slower than licenses",
            (1, std::cmp::Ordering::Greater) if licenses.direction() == 1 => ", faster than licenses",
            (-1, std::cmp::Ordering::Less) if licenses.direction() == -1 => ", more than licenses",
            (-1, std::cmp::Ordering::Greater) if licenses.direction() == -1 => ", less than licenses",
            (1, _) if licenses.direction() == -1 => " while licenses fell",
            (-1, _) if licenses.direction() == 1 => " while licenses grew",
            _ => "",
        },
        _ => "",
    };
    match growth.direction() {
        1 => Some(format!("active use grew {size}{beside}")),
        -1 => Some(format!("active use fell {size}{beside}")),
        _ => Some("active use did not change".to_owned()),
    }
}

/// The product that grew fastest, where at least two products have a growth and one has grown.
fn fastest(figures: &Figures) -> Option<String> {
    let growths: Vec<_> = figures
        .products
        .iter()
        .map(|product| (&product.name, figures.product_growth(&product.name, Measure::Licenses)))
        .filter(|(_, growth)| matches!(growth, Growth::Change { .. }))
        .collect();
    let &(name, growth) = growths.iter().max_by(|(_, a), (_, b)| compare(*a, *b))?;
    let ties = growths.iter().filter(|(_, other)| compare(*other, growth).is_eq()).count();
    (growths.len() > 1 && ties == 1 && growth.direction() == 1)
        .then(|| format!("{name} grew fastest: {}", growth.text()))
}

/// Compares two changes exactly, by cross-multiplication; what is no change is the least.
fn compare(a: Growth, b: Growth) -> std::cmp::Ordering {
    let parts = |growth| match growth {
        Growth::Change { first, last } if first > Quantity::ZERO => {
            Some((i128::from((last - first).millionths()), i128::from(first.millionths())))
        }
        Growth::Change { .. } => Some((0, 1)),
        Growth::New | Growth::Absent => None,
    };
    match (parts(a), parts(b)) {
        (Some((a, of_a)), Some((b, of_b))) => (a * of_b).cmp(&(b * of_a)),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// One sentence of clauses, with its first letter large; empty without clauses.
fn sentence(clauses: &[String]) -> String {
    let joined = clauses.join("; ");
    let mut letters = joined.chars();
    letters.next().map_or(String::new(), |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

/// `Dynamics 365`, `Dynamics 365 and Power BI`, `A, B and C`.
pub(super) fn list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}

/// `1 country/region`, `3 countries/regions`.
pub(super) fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", Quantity::whole(n as i64).grouped(), if n == 1 { one } else { many })
}
