//! The data sets of Partner Center that speak of licenses, and which of them is believed for what.

use super::Measure;

/// A data set of Partner Center's downloads hub.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Source {
    /// Subscription details: seats, their differences, revenue; of every product.
    Seats,
    /// Dynamics 365 license usage.
    Dynamics,
    /// Power BI license usage.
    PowerBi,
    /// Enterprise Mobility license usage.
    Ems,
    /// Office 365 license usage: a row per customer and workload.
    Office,
    /// Reseller performance: seats, assigned seats, revenue; of every product.
    Reseller,
}

impl Source {
    /// Every source, in the order in which they are listed.
    pub const ALL: [Source; 6] =
        [Source::Seats, Source::Dynamics, Source::PowerBi, Source::Ems, Source::Office, Source::Reseller];

    /// Its name in Partner Center's programmatic access.
    pub fn name(self) -> &'static str {
        match self {
            Source::Seats => "SeatsSubscriptionsAndRevenue",
            Source::Dynamics => "DynamicsUsage",
            Source::PowerBi => "PowerBIUsage",
            Source::Ems => "EMSUsage",
            Source::Office => "OfficeUsage",
            Source::Reseller => "ResellerPerformance",
        }
    }

    /// Its number in the tables, as `sources` in the migrations lists it; never reused.
    pub fn number(self) -> i64 {
        match self {
            Source::Seats => 1,
            Source::Dynamics => 2,
            Source::PowerBi => 3,
            Source::Ems => 4,
            Source::Office => 5,
            Source::Reseller => 6,
        }
    }

    /// The source with a number.
    pub fn of_number(number: i64) -> Option<Source> {
        Source::ALL.into_iter().find(|source| source.number() == number)
    }

    /// The one product family it speaks of, by the name that the product map is asked with; none for all.
    pub fn only_product(self) -> Option<&'static str> {
        match self {
            Source::Seats | Source::Reseller => None,
            Source::Dynamics => Some("Dynamics 365"),
            Source::PowerBi => Some("Power BI"),
            Source::Ems => Some("Enterprise Mobility + Security"),
            Source::Office => Some("Microsoft 365"),
        }
    }

    /// Who is believed for a measure: the first of these with a slice that carries it for the product.
    pub fn precedence(measure: Measure) -> &'static [Source] {
        match measure {
            Measure::Licenses => {
                &[Source::Seats, Source::Dynamics, Source::PowerBi, Source::Ems, Source::Office, Source::Reseller]
            }
            Measure::Deployed => &[Source::Dynamics, Source::PowerBi, Source::Reseller],
            Measure::Active => &[Source::Dynamics, Source::PowerBi, Source::Ems, Source::Office],
            Measure::Added | Measure::Removed => &[Source::Seats],
            Measure::BilledRevenueUsd => &[Source::Seats, Source::Reseller],
        }
    }
}
