//! Figures held against small fixtures worked out by hand.

mod absent;
mod choices;
mod figures;
mod map;
mod sentences;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::audience::{Partner, Role, Scope, Withheld};
use crate::base::{EditionId, Month, Period, Quantity, Range};
use crate::facts::{AudienceFacts, Carried, Coverage, Fact, Measure, Measures, MonthCoverage};
use crate::report::{Block, Report, Table};

use super::{Figures, RawField, Request, Tally, Template, report};

/// A fact with the few things that a test is about; the rest is the same everywhere.
#[derive(Clone)]
pub(super) struct Row {
    month: &'static str,
    key: &'static str,
    rank: i64,
    product: &'static str,
    sku: (Option<&'static str>, Option<&'static str>),
    location: &'static str,
    attach: &'static str,
    market: &'static str,
    measures: Vec<(Measure, i64)>,
}

pub(super) fn row(month: &'static str, key: &'static str, measures: &[(Measure, i64)]) -> Row {
    Row {
        month,
        key,
        rank: 0,
        product: "Microsoft 365",
        sku: (None, Some("Office 365 E3")),
        location: "L1",
        attach: "CSP Tier 1",
        market: "DE",
        measures: measures.to_vec(),
    }
}

impl Row {
    pub(super) fn of(mut self, product: &'static str) -> Row {
        self.product = product;
        self
    }
    pub(super) fn rank(mut self, rank: i64) -> Row {
        self.rank = rank;
        self
    }
    pub(super) fn at(mut self, location: &'static str) -> Row {
        self.location = location;
        self
    }
    pub(super) fn attached(mut self, attach: &'static str) -> Row {
        self.attach = attach;
        self
    }
    pub(super) fn from(mut self, market: &'static str) -> Row {
        self.market = market;
        self
    }
    pub(super) fn sku(mut self, id: Option<&'static str>, name: Option<&'static str>) -> Row {
        self.sku = (id, name);
        self
    }

    fn fact(&self) -> Fact {
        let mut measures = Measures::default();
        for (measure, value) in &self.measures {
            measures.set(*measure, Some(Quantity::whole(*value)));
        }
        Fact {
            month: month(self.month),
            location_id: Some(self.location.into()),
            location_name: Some(format!("City of {}", self.location).into()),
            customer_id: Some("tenant".into()),
            customer_name: Some("Grün & Söhne".into()),
            customer_market: self.market.parse().unwrap(),
            product: self.product.into(),
            sku_id: self.sku.0.map(Arc::from),
            sku: self.sku.1.map(Arc::from),
            sales_channel: Some("CSP".into()),
            attach_type: Some(self.attach.into()),
            segment: Some("SM&C Commercial".into()),
            license_key: self.key.into(),
            attach_rank: self.rank,
            measures,
        }
    }
}

pub(super) fn month(text: &str) -> Month {
    text.parse().unwrap()
}

/// What is carried in a test: these measures for every product, in these months, all full but the open ones.
pub(super) fn covered(months: &[&str], open: &[&str], measures: &[Measure]) -> Coverage {
    let of = |text: &&str| {
        let mut coverage = MonthCoverage { full: !open.contains(text), ..MonthCoverage::default() };
        for measure in measures {
            coverage.carried[*measure as usize] = Carried::all();
        }
        (month(text), coverage)
    };
    Coverage { months: months.iter().map(of).collect(), exports: Vec::new(), left_out: Vec::new() }
}

pub(super) fn role(withhold: &[Withheld]) -> Role {
    Role {
        key: "viewer".to_owned(),
        label: "Report viewer".to_owned(),
        withhold: withhold.to_vec(),
        organization_only: false,
        rank: 1,
    }
}

pub(super) fn locations(ids: &[&str]) -> Scope {
    Scope::Locations(ids.iter().map(|id| (*id).to_owned()).collect())
}

/// The figures of rows in any order, for a role and scope, over the range of so many months up to a period.
pub(super) fn figures(rows: &[Row], coverage: Coverage, seen_by: (&Role, &Scope), range: Range) -> Figures {
    let eyes = AudienceFacts::new(seen_by.0, seen_by.1);
    let mut tally = Tally::new(range, eyes.coverage(&coverage));
    let mut facts: Vec<Fact> = rows.iter().map(Row::fact).collect();
    facts.sort_by(|a, b| (a.month, &a.license_key, a.attach_rank).cmp(&(b.month, &b.license_key, b.attach_rank)));
    for fact in &facts {
        if let Some(visible) = eyes.see(fact) {
            tally.add(visible).unwrap();
        }
    }
    tally.finish()
}

pub(super) fn range(period: &str, n_months: u32) -> Range {
    Range::ending_with(period.parse::<Period>().unwrap(), n_months)
}

/// The template with everything in it.
pub(super) fn template() -> Template {
    Template {
        name: "product-licenses".to_owned(),
        title: "Product licenses".to_owned(),
        sections: crate::report::SectionKind::ALL.to_vec(),
        map: true,
        raw_columns: RawField::ALL.to_vec(),
    }
}

/// The whole report of some figures.
pub(super) fn report_of(figures: &Figures, role: &Role, scope: &Scope) -> Report {
    report_by(&template(), figures, role, scope)
}

/// The report of some figures that a template makes.
pub(super) fn report_by(template: &Template, figures: &Figures, role: &Role, scope: &Scope) -> Report {
    let partner = Partner {
        id: "1".to_owned(),
        name: "Example Distribution".to_owned(),
        locations: BTreeMap::from([("L1".to_owned(), "Redmond, US".to_owned())]),
    };
    let period = Period::month(figures.range.last());
    let request = Request {
        edition: EditionId::of("monthly", period, "audience", 1),
        revision: 1,
        correction: None,
        partner: &partner,
        role,
        scope,
        language: "en",
        period,
        range: figures.range,
        contact: "",
        data_at: chrono::DateTime::from_timestamp(1_795_000_000, 0).unwrap(),
    };
    report(template, &request, figures)
}

/// The text of a cell, by the first cell of its row (or `total`) and the label of its column.
pub(super) fn cell(report: &Report, table: &str, row: &str, column: &str) -> String {
    let table = table_of(report, table);
    let n = table.columns.iter().position(|of| of.label == column).expect(column);
    if row == "total" {
        return table.total.as_ref().unwrap().cells[n].text();
    }
    let row = table.rows.iter().find(|cells| cells[0].text() == row || cells[1].text() == row).expect(row);
    row[n].text()
}

pub(super) fn table_of<'a>(report: &'a Report, key: &str) -> &'a Table {
    fn find<'a>(blocks: &'a [Block], key: &str) -> Option<&'a Table> {
        blocks.iter().find_map(|block| match block {
            Block::Table(table) if table.key == key => Some(table),
            Block::OnPaper(blocks) => find(blocks, key),
            Block::Panels { panels, .. } => panels.iter().find_map(|panel| find(&panel.blocks, key)),
            _ => None,
        })
    }
    report.sections.iter().find_map(|section| find(&section.blocks, key)).expect(key)
}
