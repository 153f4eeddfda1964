//! The rows of SeatsSubscriptionsAndRevenue and ResellerPerformance.

use std::io;
use std::ops::Range;

use super::columns;
use super::people::SamplePartner;
use super::sink::Sink;
use super::sku::Family;
use super::world::{Attribution, Calendar, Customer, Subscription, World};

/// Who sells what: the account that files speak of is the partner itself, or its distributor.
pub(super) struct Seller<'a> {
    pub(super) world: &'a World,
    pub(super) distributor: Option<&'a SamplePartner>,
    pub(super) calendar: &'a Calendar,
}

impl Seller<'_> {
    /// The account whose files these are.
    pub(super) fn account(&self) -> &SamplePartner {
        self.distributor.unwrap_or(&self.world.partner)
    }

    /// The account's location of an attribution: its id and its name.
    pub(super) fn location(&self, attribution: &Attribution) -> (&str, &str) {
        let locations = &self.account().locations;
        let location = &locations[attribution.location % locations.len()];
        (&location.id, &location.name)
    }

    /// The id and name of the reseller of a subscription; blank when the account sells it itself.
    fn reseller(&self, subscription: &Subscription) -> (&str, &str) {
        if self.distributor.is_none() || subscription.is_direct {
            return ("", "");
        }
        (&self.world.partner.id, &self.world.partner.name)
    }
}

/// Rows of SeatsSubscriptionsAndRevenue: a subscription's seats month by month, once per attribution.
pub(super) fn seats(out: &mut Sink, seller: &Seller<'_>, months: &Range<usize>) -> io::Result<()> {
    for customer in &seller.world.customers {
        for subscription in &customer.subscriptions {
            for (attribution, is_duplicate) in customer.attributions(subscription.is_twice) {
                seats_of(out, seller, customer, subscription, (attribution, is_duplicate), months)?;
            }
        }
    }
    Ok(())
}

fn seats_of(
    out: &mut Sink,
    seller: &Seller<'_>,
    customer: &Customer,
    subscription: &Subscription,
    (attribution, is_duplicate): (&Attribution, bool),
    months: &Range<usize>,
) -> io::Result<()> {
    let (sku, account) = (subscription.sku, seller.account());
    let (location_id, location_name) = seller.location(attribution);
    let (reseller_id, reseller_name) = seller.reseller(subscription);
    let (started_on, ends_on) = (subscription.started_on.to_string(), subscription.ends_on.to_string());
    let raw_product = sku.name.to_uppercase();
    let start_month = format!("{}-01", &started_on[..7]);
    let is_azure = sku.family == Family::Azure;
    for month in subscription.months(months) {
        let level = subscription.level(month).unwrap_or_default();
        let row: [&str; columns::SEATS.len()] = [
            &account.id,
            &subscription.id,
            &started_on,
            &ends_on,
            if subscription.ends_in(month) { "Churned" } else { "Active" },
            &seller.calendar.months[month].first_day().to_string(),
            if subscription.auto_renews { "Yes" } else { "No" },
            &customer.name,
            &customer.tenant,
            &customer.tpid,
            &customer.duns,
            customer.segment.0,
            customer.segment.1,
            customer.market,
            sku.name,
            sku.product(),
            &raw_product,
            sku.part_number,
            sku.name,
            division(sku.family),
            area(sku.family),
            location_id,
            &account.name,
            location_name,
            attribution.attach,
            if seller.distributor.is_some() { "CSP indirect" } else { subscription.channel.0 },
            customer.industry.0,
            customer.industry.1,
            customer.segment.2,
            "A",
            "",
            if is_duplicate { "1" } else { "0" },
            &start_month,
            reseller_id,
            reseller_name,
            &decimal(level),
            &decimal(subscription.change(month).unwrap_or_default()),
            &decimal(level * sku.price_usd),
            if is_azure { "1250.75" } else { "0" },
            "",
            "",
            "",
        ];
        out.record(&row)?;
    }
    Ok(())
}

/// Rows of ResellerPerformance: what a reseller sold through its provider, once per subscription.
pub(super) fn reseller_performance(out: &mut Sink, seller: &Seller<'_>, months: &Range<usize>) -> io::Result<()> {
    for customer in &seller.world.customers {
        // It names no SKU, so that rows without a subscription could not be told apart.
        let known = |subscription: &&Subscription| !subscription.is_direct && subscription.has_id();
        for subscription in customer.subscriptions.iter().filter(known) {
            reseller_performance_of(out, seller, customer, subscription, months)?;
        }
    }
    Ok(())
}

fn reseller_performance_of(
    out: &mut Sink,
    seller: &Seller<'_>,
    customer: &Customer,
    subscription: &Subscription,
    months: &Range<usize>,
) -> io::Result<()> {
    let (account, reseller) = (seller.account(), &seller.world.partner);
    let market = reseller.locations.first().and_then(|location| location.name.rsplit(", ").next()).unwrap_or_default();
    for month in subscription.months(months) {
        let Some(usage) = seller.world.usage(subscription, seller.calendar, month) else { continue };
        let level = subscription.level(month).unwrap_or_default();
        let row: [&str; columns::RESELLER.len()] = [
            &account.id,
            &reseller.id,
            &reseller.name,
            market,
            &account.id,
            &account.name,
            &seller.calendar.months[month].first_day().to_string(),
            subscription.sku.product(),
            &subscription.id,
            &decimal(level),
            &decimal(usage.assigned),
            &decimal(level * subscription.sku.price_usd),
            &customer.name,
            &customer.tpid,
            customer.segment.0,
            customer.market,
            "Active",
            customer.industry.0,
            customer.industry.1,
            customer.segment.2,
        ];
        out.record(&row)?;
    }
    Ok(())
}

/// `RevSumDivisionName` of a family.
pub(super) fn division(family: Family) -> &'static str {
    match family {
        Family::M365 => "O365 Commercial",
        Family::Ems => "Enterprise Mobility",
        Family::Dynamics => "Dynamics Cloud",
        Family::PowerBi => "Power Platform",
        Family::Azure => "Azure",
    }
}

fn area(family: Family) -> &'static str {
    match family {
        Family::M365 => "Modern Work",
        Family::Ems => "Security",
        Family::Dynamics | Family::PowerBi => "Business Applications",
        Family::Azure => "Azure Infrastructure",
    }
}

/// Thousandths as Partner Center writes them: `0.469`, `55.45`, `-12`, without a zero at the end.
pub(super) fn decimal(thousandths: i64) -> String {
    let (sign, size) = (if thousandths < 0 { "-" } else { "" }, thousandths.unsigned_abs());
    let (whole, part) = (size / 1000, size % 1000);
    match part {
        0 => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{part:03}").trim_end_matches('0').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_have_no_zero_at_their_end() {
        for (thousandths, text) in
            [(469, "0.469"), (55_450, "55.45"), (10_185_500, "10185.5"), (0, "0"), (-12_000, "-12"), (-30, "-0.03")]
        {
            assert_eq!(decimal(thousandths), text);
        }
    }
}
