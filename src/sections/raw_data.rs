//! Raw data: the rows behind the report, as the grant may see them.

use std::sync::Arc;

use crate::audience::{Role, Withheld};
use crate::facts::{Coverage, Measure, Visible};
use crate::report::{Block, Cell, RawColumn, Section, SectionKind};

use super::Context;
use super::template::{RawField, Template};

/// The columns of the raw rows that a role may see and the source carries.
pub fn raw_fields(template: &Template, role: &Role, coverage: &Coverage) -> Vec<RawField> {
    let carried = |measure: Measure| {
        let carried =
            |month: &crate::facts::MonthCoverage| month.carried[measure as usize] != crate::facts::Carried::nothing();
        coverage.months.values().any(carried)
    };
    let kept =
        |field: &RawField| field.needs().is_none_or(|what| role.may_see(what)) && field.measure().is_none_or(carried);
    template.raw_columns.iter().copied().filter(kept).collect()
}

/// The cells of one raw row, in the order of the fields.
pub fn raw_cells<'a>(fact: &'a Visible, fields: &[RawField]) -> Vec<Cell<'a>> {
    let fact = fact.fact();
    let text = |text: &'a Option<Arc<str>>| text.as_deref().map_or(Cell::Absent, Cell::Text);
    let cell = |field: &RawField| match field {
        RawField::Month => Cell::Month(fact.month),
        RawField::LocationId => text(&fact.location_id),
        RawField::LocationName => text(&fact.location_name),
        RawField::CustomerId => text(&fact.customer_id),
        RawField::CustomerName => text(&fact.customer_name),
        RawField::CustomerMarket => Cell::Text(fact.customer_market.name()),
        RawField::Product => Cell::Text(&fact.product),
        RawField::SkuId => text(&fact.sku_id),
        RawField::Sku => text(&fact.sku),
        RawField::SalesChannel => text(&fact.sales_channel),
        RawField::AttachType => text(&fact.attach_type),
        RawField::Segment => text(&fact.segment),
        RawField::Licenses
        | RawField::Deployed
        | RawField::Active
        | RawField::Added
        | RawField::Removed
        | RawField::BilledRevenueUsd => {
            let value = field.measure().and_then(|measure| fact.measures.get(measure));
            value.map_or(Cell::Absent, Cell::Quantity)
        }
    };
    fields.iter().map(cell).collect()
}

/// Whether a role's report has raw rows: it may see them and the template has the section.
pub fn shows_rows(template: &Template, role: &Role) -> bool {
    role.may_see(Withheld::RawRows) && template.sections.contains(&SectionKind::RawData)
}

impl RawField {
    /// The measure that stands in it, if one does.
    pub fn measure(self) -> Option<Measure> {
        match self {
            RawField::Licenses => Some(Measure::Licenses),
            RawField::Deployed => Some(Measure::Deployed),
            RawField::Active => Some(Measure::Active),
            RawField::Added => Some(Measure::Added),
            RawField::Removed => Some(Measure::Removed),
            RawField::BilledRevenueUsd => Some(Measure::BilledRevenueUsd),
            _ => None,
        }
    }
}

/// The section; none when the grant may not see raw rows.
pub(super) fn section(context: &Context<'_>) -> Option<Section> {
    if !shows_rows(context.template, context.role) {
        return None;
    }
    let columns: Vec<RawColumn> = raw_fields(context.template, context.role, &context.figures.coverage)
        .into_iter()
        .map(RawField::column)
        .collect();
    Some(Section {
        kind: SectionKind::RawData,
        title: "Raw data".to_owned(),
        lead: "The rows behind this report. One license may have several rows; totals count it once.".to_owned(),
        blocks: vec![Block::RawRows { columns, n_rows: context.figures.n_rows }],
    })
}
