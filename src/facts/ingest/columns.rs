//! The columns of the data sets, under every name that Microsoft's pages give them, and how the sets are told apart.
//!
//! Names are compared folded: without case and signs. The lists follow Partner Center's data definitions of
//! 08/11/2023, with the spellings of its older and newer pages.

use super::{IngestError, PartnerFrom};
use crate::facts::Measure;
use crate::facts::source::Source;

/// What is read of a row.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Field {
    Account,
    Reseller,
    ResellerName,
    Location,
    LocationName,
    PartnerName,
    Month,
    Subscription,
    Customer,
    CustomerTop,
    CustomerName,
    Market,
    Segment,
    Product,
    ProductInReports,
    Sku,
    SkuId,
    Workload,
    Channel,
    AttachType,
    IsDuplicate,
    Licenses,
    Deployed,
    Active,
    Difference,
    Revenue,
}

impl Field {
    /// How many there are.
    pub const N: usize = Field::Revenue as usize + 1;

    /// Every field, in the order of their numbers.
    pub const ALL: [Field; Field::N] = [
        Field::Account,
        Field::Reseller,
        Field::ResellerName,
        Field::Location,
        Field::LocationName,
        Field::PartnerName,
        Field::Month,
        Field::Subscription,
        Field::Customer,
        Field::CustomerTop,
        Field::CustomerName,
        Field::Market,
        Field::Segment,
        Field::Product,
        Field::ProductInReports,
        Field::Sku,
        Field::SkuId,
        Field::Workload,
        Field::Channel,
        Field::AttachType,
        Field::IsDuplicate,
        Field::Licenses,
        Field::Deployed,
        Field::Active,
        Field::Difference,
        Field::Revenue,
    ];

    /// Whether it is a figure; all else says of what the figures are.
    pub fn is_figure(self) -> bool {
        matches!(self, Field::Licenses | Field::Deployed | Field::Active | Field::Difference | Field::Revenue)
    }

    /// Its names in a data set, folded, the one that is preferred first; none when the set has no such column.
    fn names(self, source: Source) -> &'static [&'static str] {
        use Source::{Dynamics, Ems, Office, PowerBi, Reseller, Seats};
        match (self, source) {
            (Field::Account, _) => &["pgampnid", "pgapartnerid", "pgaid"],
            (Field::Reseller, Seats) => &["resellerid", "resellermpnid", "resellerpartnerid"],
            (Field::Reseller, Reseller) => &["resellermpnid", "resellerid", "resellerpartnerid"],
            (Field::ResellerName, Seats | Reseller) => &["resellername"],
            (Field::Location, Seats | Dynamics | PowerBi | Ems | Office) => {
                &["mpnid", "partnerid", "partnerlocationid"]
            }
            (Field::LocationName, Seats | Dynamics | PowerBi | Ems | Office) => &["partnerlocation"],
            (Field::PartnerName, Seats | Dynamics | PowerBi | Ems | Office) => &["partnername"],
            (Field::Month, _) => &["month"],
            (Field::Subscription, Seats | Dynamics | PowerBi | Ems | Reseller) => {
                &["subscriptionid", "subscriptionguid"]
            }
            (Field::Customer, Seats | Dynamics | PowerBi | Ems | Office) => &["customertenantid"],
            (Field::CustomerTop, _) => &["customertpid"],
            (Field::CustomerName, _) => &["customername"],
            (Field::Market, _) => &["customermarket"],
            (Field::Segment, _) => &["customersegment"],
            (Field::Product, Seats | Reseller) => &["product"],
            (Field::ProductInReports, Seats) => &["reportingproductname"],
            (Field::Sku, Seats | Dynamics | PowerBi | Ems) => &["sku", "skuname"],
            (Field::SkuId, Dynamics | PowerBi | Ems) => &["skuid"],
            (Field::Workload, Office) => &["workloadname"],
            (Field::Channel, Seats) => &["saleschannel", "salesmodel"],
            (Field::Channel, Dynamics | PowerBi | Ems) => &["salesmodel", "saleschannel"],
            (Field::AttachType, Seats | Dynamics | PowerBi | Ems | Office) => {
                &["partnerattributiontype", "partnerattachtype", "partnerassociationtype"]
            }
            (Field::IsDuplicate, Seats | Office) => &["isduplicaterowforpga"],
            (Field::Licenses, Seats) => &["availableseatseop"],
            (Field::Licenses, Dynamics | PowerBi | Reseller) => &["availableseats"],
            (Field::Licenses, Ems | Office) => &["paidavailableunits"],
            (Field::Deployed, Dynamics | PowerBi | Reseller) => &["assignedseats"],
            (Field::Active, Dynamics | PowerBi) => &["activeseats"],
            (Field::Active, Ems | Office) => &["monthlyactiveusers"],
            (Field::Difference, Seats) => &["availableseats"],
            (Field::Revenue, Seats | Reseller) => &["billedrevenueusd", "revenueusd"],
            _ => &[],
        }
    }
}

/// Figures that are known and not read; two rows that differ in them only are the same row.
const OTHER_FIGURES: [&str; 18] = [
    "deploymentopportunity",
    "activeusagepercent",
    "azureconsumedrevenueusd",
    "cporrevenue",
    "cporpaidseats",
    "cporactiveusers",
    "aatpactiveusage",
    "mcasactiveusage",
    "aadppaidavailableunits",
    "intunepaidavailableunits",
    "azippaidavailableunits",
    "aadpmonthlyactiveusers",
    "intunemonthlyactiveusers",
    "azipmonthlyactiveusers",
    "mdm",
    "mam",
    "sspr",
    "cporrevenueusd",
];

/// Columns that are known and not read.
const PASSED_OVER: [&str; 34] = [
    "subscriptionstartdate",
    "subscriptionenddate",
    "subscriptionstatus",
    "subscriptionstate",
    "subscriptionstartmonth",
    "isautorenew",
    "revsumdivisionname",
    "revsumcategoryname",
    "freevspaidsku",
    "detailedsalesmodel",
    "industryname",
    "verticalname",
    "eou",
    "partnerhierarchy",
    "dunsnumber",
    "topsegment",
    "rawproductname",
    "productpartnumber",
    "solutionarea",
    "pricinglevel",
    "enrollmentnumber",
    "enrollmentid",
    "resellermarket",
    "resellerstatus",
    "resellerid",
    "resellername",
    "indirectprovidermpnid",
    "indirectprovidername",
    "indirectproviderid",
    "saleschannel",
    "salesmodel",
    "customertpid",
    "partnerid",
    "mpnid",
];

/// What a data set is told by: all of the first, none of the second.
fn told_by(source: Source) -> (&'static [&'static str], &'static [&'static str]) {
    match source {
        Source::Seats => (&["availableseatseop"], &[]),
        Source::Dynamics => (&["availableseats", "activeseats"], &["partnerhierarchy", "availableseatseop"]),
        Source::PowerBi => {
            (&["availableseats", "activeseats"], &["revsumdivisionname", "revsumcategoryname", "availableseatseop"])
        }
        Source::Ems => (&["paidavailableunits", "monthlyactiveusers", "subscriptionid"], &["workloadname"]),
        Source::Office => (&["paidavailableunits", "monthlyactiveusers", "workloadname", "month"], &["subscriptionid"]),
        Source::Reseller => (&["availableseats", "resellermpnid"], &["availableseatseop", "activeseats"]),
    }
}

/// Where each field stands in a file, and what its other columns are.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    pub source: Source,
    /// The headers as the file spells them.
    pub headers: Vec<String>,
    places: [Option<usize>; Field::N],
    /// A bit per measure that the file has a column for.
    pub carried: i64,
    /// Columns that nobody knows, in their order.
    pub unknown: Vec<String>,
    /// The columns that say what a line is of: dimensions that are read, by place.
    pub line_columns: Vec<usize>,
    /// The other columns that are no figures, by place.
    pub more_columns: Vec<usize>,
}

impl Columns {
    /// Reads the headers of a file.
    pub fn read(path: &str, headers: &[&str], partner_from: PartnerFrom) -> Result<Columns, IngestError> {
        let folded: Vec<String> = headers.iter().map(|header| fold(header)).collect();
        let source = data_set(path, &folded, partner_from)?;
        let place = |name: &str| folded.iter().position(|header| header == name);
        let places = Field::ALL.map(|field| field.names(source).iter().find_map(|name| place(name)));
        let missing = missing(source, partner_from, &places);
        if !missing.is_empty() {
            let (source_name, columns) = (source.name(), missing.join(", "));
            return Err(IngestError::MissingColumn { path: path.to_owned(), source_name, columns });
        }
        let known = |name: &str| OTHER_FIGURES.contains(&name) || PASSED_OVER.contains(&name);
        let read = |n: usize| Field::ALL.into_iter().find(|field| places[*field as usize] == Some(n));
        let named = |n: &usize| !folded[*n].is_empty();
        let unknown = (0..folded.len()).filter(named).filter(|n| read(*n).is_none() && !known(&folded[*n]));
        let is_line = |n: &usize| read(*n).is_some_and(|field| !field.is_figure() && field != Field::Month);
        let is_more = |n: &usize| read(*n).is_none() && !OTHER_FIGURES.contains(&folded[*n].as_str());
        Ok(Columns {
            source,
            headers: headers.iter().map(|header| (*header).trim().to_owned()).collect(),
            carried: carried(&places),
            unknown: unknown.map(|n| headers[n].trim().to_owned()).collect(),
            line_columns: (0..folded.len()).filter(is_line).collect(),
            more_columns: (0..folded.len()).filter(is_more).collect(),
            places,
        })
    }

    /// Where a field stands, from 0; none when the file has no such column.
    pub fn place(&self, field: Field) -> Option<usize> {
        self.places[field as usize]
    }

    /// The file's own name of a field.
    pub fn header(&self, field: Field) -> &str {
        self.place(field).and_then(|n| self.headers.get(n)).map_or("", String::as_str)
    }
}

fn carried(places: &[Option<usize>; Field::N]) -> i64 {
    let bits = [
        (Field::Licenses, Measure::Licenses),
        (Field::Deployed, Measure::Deployed),
        (Field::Active, Measure::Active),
        (Field::Difference, Measure::Added),
        (Field::Difference, Measure::Removed),
        (Field::Revenue, Measure::BilledRevenueUsd),
    ];
    let carried = bits.iter().filter(|(field, _)| places[*field as usize].is_some());
    carried.map(|(_, measure)| crate::facts::sqlite::carried_bit(*measure)).sum()
}

/// Lower case letters and digits of a header: `PGA_MpnID` → `pgampnid`.
fn fold(header: &str) -> String {
    header.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn data_set(path: &str, folded: &[String], partner_from: PartnerFrom) -> Result<Source, IngestError> {
    let has = |name: &&str| folded.iter().any(|header| header == name);
    let fits = |source: &Source| {
        let (all, none) = told_by(*source);
        all.iter().all(has) && !none.iter().any(has)
    };
    let fitting: Vec<Source> = Source::ALL.into_iter().filter(fits).collect();
    match fitting[..] {
        [source] => Ok(source),
        [first, second, ..] => {
            Err(IngestError::Ambiguous { path: path.to_owned(), first: first.name(), second: second.name() })
        }
        [] => Err(unknown(path, folded, partner_from)),
    }
}

/// Names the data set that has most of a file's columns, and what is missing of it.
fn unknown(path: &str, folded: &[String], partner_from: PartnerFrom) -> IngestError {
    let places = |source: Source| {
        Field::ALL.map(|field| {
            let place = |name: &&str| folded.iter().position(|header| header == name);
            field.names(source).iter().find_map(place)
        })
    };
    let share = |source: &Source| {
        let columns = Field::ALL.into_iter().filter(|field| !field.names(*source).is_empty()).count().max(1);
        places(*source).iter().flatten().count() * 1000 / columns
    };
    let mut nearest = Source::Seats;
    for source in Source::ALL {
        if share(&source) > share(&nearest) {
            nearest = source;
        }
    }
    let mut missing = missing(nearest, partner_from, &places(nearest));
    let (all, _) = told_by(nearest);
    for name in all.iter().filter(|name| !folded.iter().any(|header| header == *name)) {
        let shown = format!("`{}`", shown(name));
        if !missing.contains(&shown) {
            missing.push(shown);
        }
    }
    if missing.is_empty() {
        // It has all that is needed and something that this set never has.
        missing.push("nothing, but it has columns of another".to_owned());
    }
    IngestError::UnknownDataSet { path: path.to_owned(), nearest: nearest.name(), missing: missing.join(", ") }
}

/// The columns that a data set must have, each in backticks, that are not there.
fn missing(source: Source, partner_from: PartnerFrom, places: &[Option<usize>; Field::N]) -> Vec<String> {
    let mut required = vec![Field::Month, Field::Market, Field::Licenses];
    required.push(match (partner_from, source) {
        (PartnerFrom::Reseller, Source::Seats | Source::Reseller) => Field::Reseller,
        _ => Field::Account,
    });
    required.extend(match source {
        Source::Seats | Source::Reseller => [Field::Subscription, Field::Product],
        Source::Office => [Field::Customer, Field::Workload],
        Source::Dynamics | Source::PowerBi | Source::Ems => [Field::Subscription, Field::Active],
    });
    let lacking = required.into_iter().filter(|field| places[*field as usize].is_none());
    lacking.filter_map(|field| field.names(source).first()).map(|name| format!("`{}`", shown(name))).collect()
}

/// A folded name as the data definitions spell it.
fn shown(folded: &str) -> &str {
    const SPELLED: [&str; 16] = [
        "PGAMpnID",
        "ResellerID",
        "ResellerMpnID",
        "Month",
        "CustomerMarket",
        "AvailableSeatsEOP",
        "AvailableSeats",
        "PaidAvailableUnits",
        "SubscriptionId",
        "Product",
        "CustomerTenantId",
        "WorkloadName",
        "ActiveSeats",
        "MonthlyActiveUsers",
        "AssignedSeats",
        "PartnerHierarchy",
    ];
    SPELLED.into_iter().find(|name| name.to_lowercase() == folded).unwrap_or(folded)
}

#[cfg(test)]
mod tests;
