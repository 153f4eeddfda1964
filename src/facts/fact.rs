//! One row of the canonical relation.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::{Market, Month, Quantity};

/// Something that is measured. Levels stand at month's end, flows happen in the month.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Licenses sold or managed; a level.
    Licenses,
    /// Licenses assigned to users; a level.
    Deployed,
    /// Licenses with any use in 30 days; a level.
    Active,
    /// Licenses added in the month; a flow.
    Added,
    /// Licenses removed in the month, not negative; a flow.
    Removed,
    /// Billed revenue in US dollars; a flow.
    BilledRevenueUsd,
}

impl Measure {
    /// How many there are.
    pub const N: usize = 6;

    /// Every measure, in the order of [`Measures`].
    pub const ALL: [Measure; Measure::N] = [
        Measure::Licenses,
        Measure::Deployed,
        Measure::Active,
        Measure::Added,
        Measure::Removed,
        Measure::BilledRevenueUsd,
    ];

    /// Its column in the canonical relation.
    pub fn column(self) -> &'static str {
        match self {
            Measure::Licenses => "licenses",
            Measure::Deployed => "deployed",
            Measure::Active => "active",
            Measure::Added => "added",
            Measure::Removed => "removed",
            Measure::BilledRevenueUsd => "billed_revenue_usd",
        }
    }
}

/// The measures of a fact, each absent where the row does not carry it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Measures([Option<Quantity>; Measure::N]);

impl Measures {
    /// The value of a measure.
    pub fn get(&self, measure: Measure) -> Option<Quantity> {
        self.0[measure as usize]
    }

    /// Sets the value of a measure.
    pub fn set(&mut self, measure: Measure, value: Option<Quantity>) {
        self.0[measure as usize] = value;
    }
}

/// One row of the canonical relation, of a partner who is known from where it stands.
///
/// Texts are shared, since few of them differ. What is `None` is not carried by the source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fact {
    /// The month.
    pub month: Month,
    /// The partner's location account.
    pub location_id: Option<Arc<str>>,
    /// Its name.
    pub location_name: Option<Arc<str>>,
    /// The customer's tenant, a GUID.
    pub customer_id: Option<Arc<str>>,
    /// The customer's name: personal data.
    pub customer_name: Option<Arc<str>>,
    /// Where the customer is.
    pub customer_market: Market,
    /// The product family.
    pub product: Arc<str>,
    /// The SKU's GUID, where the source has one.
    pub sku_id: Option<Arc<str>>,
    /// The SKU, or the service or workload where the source has no SKU.
    pub sku: Option<Arc<str>>,
    /// The sales channel.
    pub sales_channel: Option<Arc<str>>,
    /// How the partner is attached to the license.
    pub attach_type: Option<Arc<str>>,
    /// The customer's segment.
    pub segment: Option<Arc<str>>,
    /// What one license row is the same as another by.
    pub license_key: Arc<str>,
    /// Which of several rows for one key counts: the lowest.
    pub attach_rank: i64,
    /// What it carries.
    pub measures: Measures,
}
