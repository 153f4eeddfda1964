//! License facts → figures, as the template and the grant allow. Pure.

mod about;
mod course;
mod distribution;
mod figures;
mod flows;
mod geography;
mod license_adds;
mod map;
mod raw_data;
mod summary;
mod tally;
mod template;
#[cfg(test)]
mod tests;

pub use figures::Figures;
pub use raw_data::{raw_cells, raw_fields, shows_rows};
pub use tally::{OutOfOrder, Tally};
pub use template::{RawField, Template};

use chrono::{DateTime, Utc};

use crate::audience::{Partner, Role, Scope, Withheld};
use crate::base::{EditionId, Month, Period, Range};
use crate::facts::{Carried, Measure};
use crate::report::{Head, Report, Section, SectionKind, Series};

/// What a report is made for; its figures come beside it.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The edition's id.
    pub edition: EditionId,
    /// Its number.
    pub revision: u32,
    /// Said in the banner when it corrects an earlier revision.
    pub correction: Option<&'a str>,
    /// The partner.
    pub partner: &'a Partner,
    /// The role that sees it.
    pub role: &'a Role,
    /// What part of the partner it covers.
    pub scope: &'a Scope,
    /// The language, an IETF tag.
    pub language: &'a str,
    /// What it is about.
    pub period: Period,
    /// The months it shows.
    pub range: Range,
    /// Who sends it and whom to ask; may be empty.
    pub contact: &'a str,
    /// The instant that stands for the data's date when no slice has one: the run's own pinned instant.
    pub data_at: DateTime<Utc>,
}

/// What every section is made from.
struct Context<'a> {
    template: &'a Template,
    request: &'a Request<'a>,
    figures: &'a Figures,
    title: &'a str,
    role: &'a Role,
    scope: &'a Scope,
}

impl Context<'_> {
    /// The month that *current* means; the period's last when no month is full.
    fn current(&self) -> Month {
        self.figures.compared.map_or(self.figures.range.last(), |compared| compared.last)
    }

    /// Whether revenue is shown: the role may see it and the data carries it.
    fn shows_revenue(&self) -> bool {
        let carried = |month: &crate::facts::MonthCoverage| {
            month.carried[Measure::BilledRevenueUsd as usize] != Carried::nothing()
        };
        self.role.may_see(Withheld::Revenue) && self.figures.coverage.months.values().any(carried)
    }
}

/// The finished report of one audience.
pub fn report(template: &Template, request: &Request<'_>, figures: &Figures) -> Report {
    let context =
        Context { template, request, figures, title: &template.title, role: request.role, scope: request.scope };
    let sections = template.sections.iter().filter_map(|kind| section(*kind, &context)).collect();
    Report { head: head(&context), sections }
}

fn section(kind: SectionKind, context: &Context<'_>) -> Option<Section> {
    match kind {
        SectionKind::Summary => Some(summary::section(context)),
        SectionKind::Geography => Some(geography::section(context)),
        SectionKind::LicenseAdds => Some(license_adds::section(context)),
        SectionKind::Distribution => Some(distribution::section(context)),
        SectionKind::RawData => raw_data::section(context),
        SectionKind::About => Some(about::section(context)),
    }
}

fn head(context: &Context<'_>) -> Head {
    let Context { request, figures, role, scope, .. } = *context;
    let product =
        |product: &figures::Product| Series { name: product.name.to_string(), slot: product.slot, values: Vec::new() };
    Head {
        edition: request.edition,
        revision: request.revision,
        title: context.title.to_owned(),
        partner_id: request.partner.id.clone(),
        partner_name: request.partner.name.clone(),
        role: role.label.clone(),
        scope: scope.label(request.partner),
        language: request.language.to_owned(),
        period: request.period,
        range: request.range,
        compared: figures.compared,
        preliminary: preliminary(context),
        correction: request.correction.map(str::to_owned),
        data_at: figures.data_at().unwrap_or(request.data_at),
        contact: request.contact.to_owned(),
        products: figures.products.iter().map(product).collect(),
    }
}

/// The banner's sentence when the period itself is not full: which months were compared instead, or which source of the
/// month before is missing.
fn preliminary(context: &Context<'_>) -> Option<String> {
    let figures = context.figures;
    let last = figures.range.last();
    if figures.coverage.is_full(last) {
        let gone = figures.coverage.sources_gone(last);
        let is = if gone.len() == 1 { "is" } else { "are" };
        let gone = Vec::from_iter(gone).join(" and ");
        return (!gone.is_empty()).then(|| format!("Preliminary: {gone} of {} {is} not in the data yet.", last.long()));
    }
    let missing = if figures.coverage.months.contains_key(&last) { "not full yet" } else { "not in the data yet" };
    let compared = match figures.compared {
        Some(compared) if compared.first != compared.last => {
            format!("figures compare {} with {}", compared.last.long(), compared.first.long())
        }
        Some(compared) => format!("figures are of {}", compared.last.long()),
        None => "no month of the range is full, so there are no current figures".to_owned(),
    };
    Some(format!("Preliminary: {} is {missing}; {compared}.", last.long()))
}
