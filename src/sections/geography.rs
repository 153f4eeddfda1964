//! Geographical spread of licenses: current and active licenses by customer market.

use std::cmp::Reverse;

use crate::base::{Market, Month, Quantity, Ratio};
use crate::facts::Measure;
use crate::report::words::{self, Spread};
use crate::report::{Block, Card, Chart, Column, ColumnKind, Figure, Section, SectionKind, Table, Total, Value};

use super::Context;
use super::course::Course;
use super::map;

pub(super) fn section(context: &Context<'_>) -> Section {
    let figures = context.figures;
    let month = context.current();
    let mut markets: Vec<(Market, &Course)> = figures.markets();
    markets.retain(|(_, course)| {
        let value = |measure| figures.of(course, month, measure).unwrap_or(Quantity::ZERO);
        value(Measure::Licenses) != Quantity::ZERO || value(Measure::Active) != Quantity::ZERO
    });
    markets.sort_by_key(|(market, course)| {
        (Reverse(figures.of(course, month, Measure::Licenses)), market.name(), *market)
    });
    let known = markets.iter().filter(|(market, _)| *market != Market::UNKNOWN).count();
    let unknown = markets.iter().find(|(market, _)| *market == Market::UNKNOWN);
    let unknown = unknown.and_then(|(_, course)| figures.of(course, month, Measure::Licenses));
    let cards = vec![
        Card {
            label: "Number of countries/regions".to_owned(),
            figure: Figure::Quantity(Some(Quantity::whole(known as i64))),
            note: "with current or active licenses".to_owned(),
        },
        Card {
            label: "Unknown country/region".to_owned(),
            figure: Figure::Quantity(Some(unknown.unwrap_or(Quantity::ZERO))),
            note: "licenses whose customer has none in the data".to_owned(),
        },
    ];
    let mut blocks = vec![Block::Cards(cards)];
    if context.template.map {
        let licenses =
            |(market, course): &(Market, &Course)| Some((*market, figures.of(course, month, Measure::Licenses)?));
        let licenses: Vec<(Market, Quantity)> = markets.iter().filter_map(licenses).collect();
        blocks.extend(map::map(month, &licenses).map(|map| Block::Chart(Chart::Map(map))));
    }
    blocks.push(Block::Table(countries(context, month, &markets)));
    Section {
        kind: SectionKind::Geography,
        title: "Geographical spread of licenses".to_owned(),
        lead: lead(context, month, &markets),
        blocks,
    }
}

fn lead(context: &Context<'_>, month: Month, markets: &[(Market, &Course)]) -> String {
    let figures = context.figures;
    let licenses = |course| figures.of(course, month, Measure::Licenses).unwrap_or(Quantity::ZERO);
    let known = markets.iter().filter(|(market, _)| *market != Market::UNKNOWN);
    let places: Vec<(&str, Quantity)> = known
        .map(|(market, course)| (market.name(), licenses(*course)))
        .filter(|(_, licenses)| *licenses > Quantity::ZERO)
        .collect();
    words::spread(&Spread { month, total: figures.total(month, Measure::Licenses), places: &places })
}

/// Country/region · Current licenses · share · Active licenses · share, and revenue where it may be seen.
fn countries(context: &Context<'_>, month: Month, markets: &[(Market, &Course)]) -> Table {
    let figures = context.figures;
    let revenue = context.shows_revenue();
    let total = |measure| figures.total(month, measure);
    let (licenses, active) = (total(Measure::Licenses), total(Measure::Active));
    let share = |part: Option<Quantity>, whole: Option<Quantity>| {
        Value::Ratio(part.zip(whole).and_then(|(part, whole)| Ratio::new(part, whole)))
    };
    let cells = |name: String, value: &dyn Fn(Measure) -> Option<Quantity>| {
        let mut cells = vec![
            Value::Text(name),
            Value::Quantity(value(Measure::Licenses)),
            share(value(Measure::Licenses), licenses),
            Value::Quantity(value(Measure::Active)),
            share(value(Measure::Active), active),
        ];
        if revenue {
            cells.push(Value::Usd(value(Measure::BilledRevenueUsd)));
        }
        cells
    };
    let mut columns = vec![
        Column::new("Country/region", ColumnKind::Text),
        Column::new("Current licenses", ColumnKind::QuantityBar),
        Column::new("Share of licenses", ColumnKind::Ratio),
        Column::new("Active licenses", ColumnKind::Quantity),
        Column::new("Share of active", ColumnKind::Ratio),
    ];
    if revenue {
        columns.push(Column::new("Revenue (USD)", ColumnKind::Usd));
    }
    let row = |(market, course): &(Market, &Course)| {
        cells(market.name().to_owned(), &|measure| figures.of(course, month, measure))
    };
    Table {
        key: "countries".to_owned(),
        caption: format!("Current and active licenses by customer country/region, {}", month.long()),
        columns,
        rows: markets.iter().map(row).collect(),
        total: Some(Total { cells: cells("All countries/regions".to_owned(), &total), is_sum: true }),
        note: "Current licenses include those that are not assigned.".to_owned(),
    }
}
