//! What is in the report and in which order: the template's own settings.

use serde::{Deserialize, Serialize};

use crate::audience::Withheld;
use crate::report::{RawColumn, RawKind, SectionKind};

/// A report's template, checked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Template {
    /// The report's name in paths, as in `product-licenses`.
    pub name: String,
    /// The title on the page, as in `Product licenses`.
    pub title: String,
    /// Its sections in order, each at most once, never empty.
    pub sections: Vec<SectionKind>,
    /// Whether the section of countries has its world map.
    pub map: bool,
    /// The columns of the raw rows in order, each at most once.
    pub raw_columns: Vec<RawField>,
}

/// A column that raw rows may have: those of the canonical relation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RawField {
    /// The month.
    Month,
    /// The partner's location account.
    LocationId,
    /// Its name.
    LocationName,
    /// The customer's tenant.
    CustomerId,
    /// The customer's name.
    CustomerName,
    /// Where the customer is.
    CustomerMarket,
    /// The product family.
    Product,
    /// The SKU's GUID.
    SkuId,
    /// The SKU, service or workload.
    Sku,
    /// The sales channel.
    SalesChannel,
    /// How the partner is attached.
    AttachType,
    /// The customer's segment.
    Segment,
    /// Licenses.
    Licenses,
    /// Licenses deployed.
    Deployed,
    /// Active licenses.
    Active,
    /// Licenses added.
    Added,
    /// Licenses removed.
    Removed,
    /// Billed revenue.
    BilledRevenueUsd,
}

impl RawField {
    /// Every column, in the order of the canonical relation.
    pub const ALL: [RawField; 18] = [
        RawField::Month,
        RawField::LocationId,
        RawField::LocationName,
        RawField::CustomerId,
        RawField::CustomerName,
        RawField::CustomerMarket,
        RawField::Product,
        RawField::SkuId,
        RawField::Sku,
        RawField::SalesChannel,
        RawField::AttachType,
        RawField::Segment,
        RawField::Licenses,
        RawField::Deployed,
        RawField::Active,
        RawField::Added,
        RawField::Removed,
        RawField::BilledRevenueUsd,
    ];

    /// Its name in the canonical relation and in templates.
    pub fn key(self) -> &'static str {
        self.named().0
    }

    /// The column as the report shows it.
    pub fn column(self) -> RawColumn {
        let (key, label, kind) = self.named();
        RawColumn { key: key.to_owned(), label: label.to_owned(), kind }
    }

    /// What must not be withheld from a grant for it to see the column.
    pub fn needs(self) -> Option<Withheld> {
        match self {
            RawField::CustomerName => Some(Withheld::CustomerNames),
            RawField::BilledRevenueUsd => Some(Withheld::Revenue),
            _ => None,
        }
    }

    fn named(self) -> (&'static str, &'static str, RawKind) {
        match self {
            RawField::Month => ("month", "Month", RawKind::Month),
            RawField::LocationId => ("location_id", "Location ID", RawKind::Text),
            RawField::LocationName => ("location_name", "Partner location", RawKind::Text),
            RawField::CustomerId => ("customer_id", "Customer tenant ID", RawKind::Text),
            RawField::CustomerName => ("customer_name", "Customer", RawKind::Text),
            RawField::CustomerMarket => ("customer_market", "Country/region", RawKind::Text),
            RawField::Product => ("product", "Product", RawKind::Text),
            RawField::SkuId => ("sku_id", "SKU ID", RawKind::Text),
            RawField::Sku => ("sku", "SKU", RawKind::Text),
            RawField::SalesChannel => ("sales_channel", "Sales channel", RawKind::Text),
            RawField::AttachType => ("attach_type", "Attach type", RawKind::Text),
            RawField::Segment => ("segment", "Segment", RawKind::Text),
            RawField::Licenses => ("licenses", "Licenses", RawKind::Quantity),
            RawField::Deployed => ("deployed", "Licenses deployed", RawKind::Quantity),
            RawField::Active => ("active", "Active licenses", RawKind::Quantity),
            RawField::Added => ("added", "Licenses added", RawKind::Quantity),
            RawField::Removed => ("removed", "Licenses removed", RawKind::Quantity),
            RawField::BilledRevenueUsd => ("billed_revenue_usd", "Billed revenue (USD)", RawKind::Usd),
        }
    }
}
