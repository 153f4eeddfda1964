//! The reading: the sentence that answers the executive's question, and what follows it.

use std::cmp::Ordering;

use crate::base::{Growth, Month, Quantity, Ratio};
use crate::report::Compared;

use super::{ended, least, list, share};

/// How many new products are named; more are counted.
const NEW_NAMED_MAX: usize = 2;

/// What the reading is made from.
#[derive(Clone, Debug)]
pub struct Standing<'a> {
    /// The two full months that growth compares.
    pub compared: Option<Compared>,
    /// The licenses in the last of them.
    pub licenses: Option<Quantity>,
    /// Which products that count leaves out, as in `without Power BI`; may be empty.
    pub without: String,
    /// How licenses grew.
    pub growth: Measured,
    /// What part of the licenses is assigned, of the products that tell both.
    pub deployment: Option<Ratio>,
    /// Whether all products that tell licenses tell what is assigned of them.
    pub deployment_is_of_all: bool,
    /// How active use grew.
    pub active: Measured,
    /// Whether the two growths are of the same products.
    pub is_alike: bool,
    /// Each product with the growth of its licenses.
    pub products: Vec<(&'a str, Growth)>,
}

/// A growth, and whether it leaves out products.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Measured {
    /// The growth, of the products that are known in both months.
    pub growth: Growth,
    /// Whether it is of fewer products than it seems to be.
    pub is_partial: bool,
}

/// `Licenses grew 7.74% to 173,682; 78% of them are assigned.` and `Active use grew 4.72%, slower than licenses.`
///
/// The second one may be empty.
pub fn reading(standing: &Standing<'_>) -> (String, String) {
    let Some(Compared { first, last }) = standing.compared else {
        return ("No month of this range is full yet.".to_owned(), String::new());
    };
    let Some(licenses) = standing.licenses else {
        return (format!("The data of {} has no license counts.", last.long()), String::new());
    };
    let subject = match standing.without.as_str() {
        "" => "Licenses".to_owned(),
        without => format!("Licenses ({without})"),
    };
    let stand = format!("{subject} stand at {} in {}", licenses.grouped(), last.long());
    let course = match standing.growth {
        Measured { growth: Growth::Absent, .. } | Measured { is_partial: true, .. } => stand,
        Measured { growth: Growth::New, .. } => {
            format!("{subject} are new: {} in {}, none in {}", licenses.grouped(), last.long(), first.long())
        }
        Measured { growth, .. } if growth.direction() == 0 => format!("{stand}, as in {}", first.long()),
        Measured { growth, .. } => format!("{subject} {} to {}", moved(growth), licenses.grouped()),
    };
    let lead = ended(&format!("{course}{}", assigned(standing)));
    let mut clauses = Vec::new();
    if standing.growth.is_partial {
        clauses.extend(change("licenses", standing.growth, first).map(Clause::Words));
    }
    clauses.extend(active(standing, first).map(Clause::Words));
    clauses.extend(fastest(&standing.products));
    (lead, sentence(clauses))
}

/// `; 78% of them are assigned`.
fn assigned(standing: &Standing<'_>) -> String {
    let Some(ratio) = standing.deployment else { return String::new() };
    let them = if standing.deployment_is_of_all { "them" } else { "those with known assignment" };
    match ratio.part().cmp(&ratio.whole()) {
        _ if ratio.part() == Quantity::ZERO => format!("; none of {them} are assigned"),
        Ordering::Less => format!("; {} of {them} are assigned", share(ratio, 0)),
        Ordering::Equal => format!("; all of {them} are assigned"),
        Ordering::Greater if standing.deployment_is_of_all => "; more are assigned than were sold".to_owned(),
        Ordering::Greater => format!("; of {them}, more are assigned than were sold"),
    }
}

/// `grew 7.74%`, `fell 5.70%`; of a change that is not zero.
fn moved(growth: Growth) -> String {
    let verb = if growth.direction() < 0 { "fell" } else { "grew" };
    format!("{verb} {}", size(growth))
}

/// `7.74%` without its sign, `by less than 0.01%` where rounding leaves nothing, `by more than 99.99%` where it
/// leaves nothing over.
fn size(growth: Growth) -> String {
    let text = growth.text();
    match (text.trim_start_matches(['+', '\u{2212}']), growth) {
        ("0.00%", _) => format!("by less than {}", least(2)),
        ("100.00%", Growth::Change { first, last }) if last < first && last > Quantity::ZERO => {
            "by more than 99.99%".to_owned()
        }
        (size, _) => size.to_owned(),
    }
}

/// `licenses grew 4.00%`, `… where known in both months`; nothing where it is not known.
fn change(name: &str, of: Measured, first: Month) -> Option<String> {
    let told = match of.growth {
        Growth::Absent => return None,
        Growth::New => format!("{name} {} new", if name.ends_with('s') { "are" } else { "is" }),
        growth if growth.direction() == 0 => {
            let (verb, pronoun) = if name.ends_with('s') { ("are", "they were") } else { ("is", "it was") };
            format!("{name} {verb} as {pronoun} in {}", first.long())
        }
        growth => format!("{name} {}", moved(growth)),
    };
    Some(format!("{told}{}", if of.is_partial { " where known in both months" } else { "" }))
}

/// How active use moved, beside licenses where both are known of the same products.
fn active(standing: &Standing<'_>, first: Month) -> Option<String> {
    let told = change("active use", standing.active, first)?;
    Some(format!("{told}{}", beside(standing)))
}

/// `, slower than licenses`; nothing where the two growths read alike.
fn beside(standing: &Standing<'_>) -> &'static str {
    let (active, licenses) = (standing.active.growth, standing.growth.growth);
    let are_changes = matches!((active, licenses), (Growth::Change { .. }, Growth::Change { .. }));
    if !standing.is_alike || !are_changes {
        return "";
    }
    let reads_alike = size(active) == size(licenses);
    match (active.direction(), licenses.direction(), compare(active, licenses)) {
        (1, -1, _) => " while licenses fell",
        (-1, 1, _) => " while licenses grew",
        _ if reads_alike => "",
        (1, 1, Ordering::Less) => ", slower than licenses",
        (1, 1, Ordering::Greater) => ", faster than licenses",
        (-1, -1, Ordering::Less) => ", more than licenses",
        (-1, -1, Ordering::Greater) => ", less than licenses",
        _ => "",
    }
}

/// Which products are new, and which of the others grew fastest where two or more can be compared and one leads.
fn fastest(products: &[(&str, Growth)]) -> Vec<Clause> {
    let new: Vec<&str> = products.iter().filter(|(_, growth)| *growth == Growth::New).map(|(name, _)| *name).collect();
    let are = if new.len() == 1 { "is" } else { "are" };
    let mut clauses = match new.len() {
        // Where everything is new, the first sentence has said it.
        n if n == products.len() || n == 0 => Vec::new(),
        n if n > NEW_NAMED_MAX => vec![Clause::Words(format!("{n} products are new"))],
        _ => vec![Clause::Named(format!("{} {are} new", list(&new)))],
    };
    let growths: Vec<(&str, Growth)> =
        products.iter().filter(|(_, growth)| matches!(growth, Growth::Change { .. })).copied().collect();
    let Some(&(name, growth)) = growths.iter().max_by(|(_, a), (_, b)| compare(*a, *b)) else { return clauses };
    let n_ties = growths.iter().filter(|(_, other)| compare(*other, growth).is_eq()).count();
    if growths.len() < 2 || n_ties > 1 || growth.direction() < 1 {
        return clauses;
    }
    let size = size(growth);
    let told = match size.strip_prefix("by ") {
        Some(size) => format!("{name} grew fastest: {size}"),
        None => format!("{name} grew fastest: +{size}"),
    };
    let others = match (new.is_empty(), growths.len() + new.len() == products.len()) {
        (true, true) => None,
        (false, true) => Some("of the others"),
        (true, false) => Some("of the products known in both months"),
        (false, false) => Some("of the others known in both months"),
    };
    clauses.push(match others {
        Some(others) => Clause::Words(format!("{others}, {told}")),
        None => Clause::Named(told),
    });
    clauses
}

/// Compares two changes exactly, by cross-multiplication; what is no change is the least.
fn compare(a: Growth, b: Growth) -> Ordering {
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

/// A part of a sentence.
enum Clause {
    /// It begins with a word of ours.
    Words(String),
    /// It begins with a name, which keeps its first letter as it is.
    Named(String),
}

/// One sentence of clauses, its first letter large; empty without clauses.
fn sentence(clauses: Vec<Clause>) -> String {
    let mut told = String::new();
    for clause in clauses {
        if !told.is_empty() {
            told.push_str("; ");
        }
        match clause {
            Clause::Words(words) if told.is_empty() => {
                let mut letters = words.chars();
                told.extend(letters.next().into_iter().flat_map(char::to_uppercase));
                told.push_str(letters.as_str());
            }
            Clause::Words(words) | Clause::Named(words) => told.push_str(&words),
        }
    }
    ended(&told)
}
