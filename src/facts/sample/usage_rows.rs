//! The rows of the four usage data sets.

use std::io;
use std::ops::Range;

use super::columns;
use super::rows::{Seller, decimal, division};
use super::sink::Sink;
use super::sku::Family;
use super::world::{Attribution, Customer, Subscription, Usage};

/// What a usage row is made of.
struct Row<'a> {
    seller: &'a Seller<'a>,
    customer: &'a Customer,
    subscription: &'a Subscription,
    attribution: &'a Attribution,
    usage: Usage,
    started_on: &'a str,
    ends_on: &'a str,
    /// Whether it is the last row of a subscription that ended.
    is_end: bool,
}

/// Rows of DynamicsUsage; its months are instants.
pub(super) fn dynamics(out: &mut Sink, seller: &Seller<'_>, months: &Range<usize>) -> io::Result<()> {
    each_row(seller, Family::Dynamics, months, &mut |row, month| {
        out.record(&dynamics_row(
            row,
            &format!("{}T00:00:00Z", seller.calendar.months[month].first_day()),
            &Seats::of(row),
        ))
    })
}

fn dynamics_row<'a>(row: &'a Row<'_>, month: &'a str, seats: &'a Seats) -> [&'a str; columns::DYNAMICS.len()] {
    let (sku, customer, account) = (row.subscription.sku, row.customer, row.seller.account());
    let (location_id, location_name) = row.seller.location(row.attribution);
    [
        &account.id,
        &row.subscription.id,
        row.started_on,
        row.ends_on,
        if row.is_end { "Inactive" } else { "Active" },
        month,
        division(sku.family),
        "Dynamics 365",
        sku.name,
        sku.guid,
        "Paid",
        row.subscription.channel.0,
        row.subscription.channel.1,
        &customer.name,
        &customer.tenant,
        &customer.tpid,
        customer.segment.0,
        customer.market,
        customer.industry.0,
        customer.industry.1,
        customer.segment.2,
        location_id,
        &account.name,
        location_name,
        row.attribution.attach,
        &seats.available,
        &seats.assigned,
        &seats.active,
        &seats.opportunity,
        &seats.active_percent,
    ]
}

/// Rows of PowerBIUsage; its months are written the American way.
pub(super) fn power_bi(out: &mut Sink, seller: &Seller<'_>, months: &Range<usize>) -> io::Result<()> {
    each_row(seller, Family::PowerBi, months, &mut |row, month| {
        out.record(&power_bi_row(row, &american(seller, month), &Seats::of(row)))
    })
}

fn power_bi_row<'a>(row: &'a Row<'_>, month: &'a str, seats: &'a Seats) -> [&'a str; columns::POWER_BI.len()] {
    let (sku, customer, account) = (row.subscription.sku, row.customer, row.seller.account());
    let (location_id, location_name) = row.seller.location(row.attribution);
    [
        &account.id,
        &row.subscription.id,
        row.started_on,
        row.ends_on,
        if row.is_end { "Inactive" } else { "Active" },
        month,
        sku.name,
        sku.guid,
        "Paid",
        row.subscription.channel.0,
        row.subscription.channel.1,
        &customer.name,
        &customer.tenant,
        &customer.tpid,
        customer.segment.0,
        customer.market,
        customer.industry.0,
        customer.industry.1,
        customer.segment.2,
        location_id,
        &account.name,
        location_name,
        row.attribution.attach,
        "Location",
        &seats.available,
        &seats.assigned,
        &seats.active,
        &seats.opportunity,
        &seats.active_percent,
    ]
}

/// Rows of EMSUsage; its months are instants without a zone.
pub(super) fn ems(out: &mut Sink, seller: &Seller<'_>, months: &Range<usize>) -> io::Result<()> {
    each_row(seller, Family::Ems, months, &mut |row, month| {
        out.record(&ems_row(
            row,
            &format!("{}T00:00:00", seller.calendar.months[month].first_day()),
            &Services::of(row),
        ))
    })
}

fn ems_row<'a>(row: &'a Row<'_>, month: &'a str, services: &'a Services) -> [&'a str; columns::EMS.len()] {
    let (sku, customer, account) = (row.subscription.sku, row.customer, row.seller.account());
    let (location_id, location_name) = row.seller.location(row.attribution);
    [
        &account.id,
        &row.subscription.id,
        row.started_on,
        row.ends_on,
        if row.is_end { "Closed" } else { "Active" },
        month,
        sku.name,
        sku.guid,
        "Paid",
        row.subscription.channel.0,
        row.subscription.channel.1,
        &customer.name,
        &customer.tenant,
        &customer.tpid,
        customer.segment.0,
        customer.market,
        customer.industry.0,
        customer.industry.1,
        customer.segment.2,
        location_id,
        &account.name,
        location_name,
        row.attribution.attach,
        "Location",
        &services.available,
        &services.active,
        "0",
        "0",
        &services.available,
        &services.available,
        &services.available,
        &services.active,
        &services.half,
        &services.third,
        &services.half,
        &services.third,
        &services.third,
    ]
}

/// Rows of OfficeUsage: one per customer, workload and attribution, without SKU and subscription.
pub(super) fn office(out: &mut Sink, seller: &Seller<'_>, months: &Range<usize>) -> io::Result<()> {
    for customer in &seller.world.customers {
        for (attribution, is_duplicate) in customer.attributions(true) {
            for month in months.clone() {
                let Some(seats) = customer.m365_seats(month) else { continue };
                for workload in 0..customer.n_workloads {
                    let (available, active) = customer.workload(workload, seats, seller.calendar, month);
                    let workload = ["Exchange Online", "Teams", "Skype for Business"][workload];
                    let month = seller.calendar.months[month].first_day().to_string();
                    let units = (decimal(available), decimal(active));
                    let flag = if is_duplicate { "1" } else { "0" };
                    out.record(&office_row(seller, customer, attribution, &month, workload, &units, flag))?;
                }
            }
        }
    }
    Ok(())
}

fn office_row<'a>(
    seller: &'a Seller<'_>,
    customer: &'a Customer,
    attribution: &'a Attribution,
    month: &'a str,
    workload: &'a str,
    units: &'a (String, String),
    is_duplicate: &'a str,
) -> [&'a str; columns::OFFICE.len()] {
    let account = seller.account();
    let (location_id, location_name) = seller.location(attribution);
    [
        &account.id,
        &customer.tenant,
        &customer.tpid,
        workload,
        month,
        &units.0,
        &units.1,
        &customer.name,
        customer.market,
        customer.segment.0,
        customer.industry.0,
        customer.industry.1,
        customer.segment.2,
        location_id,
        &account.name,
        location_name,
        attribution.attach,
        is_duplicate,
    ]
}

fn each_row(
    seller: &Seller<'_>,
    family: Family,
    months: &Range<usize>,
    write: &mut dyn FnMut(&Row<'_>, usize) -> io::Result<()>,
) -> io::Result<()> {
    let world = seller.world;
    for customer in &world.customers {
        for subscription in customer.subscriptions.iter().filter(|one| world.usage_of(one) == Some(family)) {
            let (started_on, ends_on) = (subscription.started_on.to_string(), subscription.ends_on.to_string());
            let (started_on, ends_on) = (started_on.as_str(), ends_on.as_str());
            for (attribution, _) in customer.attributions(subscription.is_twice) {
                for month in subscription.months(months) {
                    let Some(usage) = world.usage(subscription, seller.calendar, month) else { continue };
                    let is_end = subscription.ends_in(month);
                    write(
                        &Row { seller, customer, subscription, attribution, usage, started_on, ends_on, is_end },
                        month,
                    )?;
                }
            }
        }
    }
    Ok(())
}

/// The measures of DynamicsUsage and PowerBIUsage.
struct Seats {
    available: String,
    assigned: String,
    active: String,
    opportunity: String,
    active_percent: String,
}

impl Seats {
    fn of(row: &Row<'_>) -> Seats {
        let Usage { available, assigned, active } = row.usage;
        // In hundredths of a percent, rounded to the nearest.
        let percent = if available == 0 { 0 } else { (active * 10_000 + available / 2) / available };
        Seats {
            available: decimal(available),
            assigned: decimal(assigned),
            active: decimal(active),
            opportunity: decimal((available - assigned).max(0)),
            active_percent: decimal(percent * 10),
        }
    }
}

/// The measures of EMSUsage.
struct Services {
    available: String,
    active: String,
    half: String,
    third: String,
}

impl Services {
    fn of(row: &Row<'_>) -> Services {
        let Usage { available, active, .. } = row.usage;
        let share = |n: i64| decimal(active / (1000 * n) * 1000);
        Services { available: decimal(available), active: decimal(active), half: share(2), third: share(3) }
    }
}

fn american(seller: &Seller<'_>, month: usize) -> String {
    let month = seller.calendar.months[month];
    format!("{}/1/{}", month.number(), month.year())
}
