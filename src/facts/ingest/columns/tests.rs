//! Which columns a file has, and which data set they make it.

use super::*;

/// The columns of each data set as Partner Center's data definitions list them.
const LISTS: [(Source, &str); 6] = [
    (
        Source::Dynamics,
        "PGAMpnID,SubscriptionId,SubscriptionStartDate,SubscriptionEndDate,SubscriptionStatus,Month,RevSumDivisionName,\
         RevSumCategoryName,SKU,SKUId,FreeVsPaidSKU,SalesModel,DetailedSalesModel,CustomerName,CustomerTenantId,\
         CustomerTpid,CustomerSegment,CustomerMarket,IndustryName,VerticalName,EOU,MPNID,PartnerName,PartnerLocation,\
         PartnerAttachType,AvailableSeats,AssignedSeats,ActiveSeats,DeploymentOpportunity,ActiveUsagePercent",
    ),
    (
        Source::PowerBi,
        "PGAMpnID,SubscriptionId,SubscriptionStartDate,SubscriptionEndDate,SubscriptionStatus,Month,SKU,SKUId,\
         FreeVsPaidSKU,SalesModel,DetailedSalesModel,CustomerName,CustomerTenantId,CustomerTpid,CustomerSegment,\
         CustomerMarket,IndustryName,VerticalName,EOU,MPNId,PartnerName,PartnerLocation,PartnerAttachType,\
         PartnerHierarchy,AvailableSeats,AssignedSeats,ActiveSeats,DeploymentOpportunity,ActiveUsagePercent",
    ),
    (
        Source::Office,
        "PGAPartnerID,CustomerTenantId,CustomerTpid,WorkloadName,Month,PaidAvailableUnits,MonthlyActiveUsers,\
         CustomerName,CustomerMarket,CustomerSegment,IndustryName,VerticalName,EOU,PartnerID,PartnerName,\
         PartnerLocation,PartnerAttributionType,IsDuplicateRowForPGA",
    ),
    (
        Source::Ems,
        "PGAMpnID,SubscriptionId,SubscriptionStartDate,SubscriptionEndDate,SubscriptionStatus,Month,SKU,SKUId,\
         FreeVsPaidSKU,SalesModel,DetailedSalesModel,CustomerName,CustomerTenantId,CustomerTpid,CustomerSegment,\
         CustomerMarket,IndustryName,VerticalName,EOU,MPNID,PartnerName,PartnerLocation,PartnerAttributionType,\
         PartnerHierarchy,PaidAvailableUnits,MonthlyActiveUsers,AATPActiveUsage,MCASActiveUsage,\
         AADPPaidAvailableUnits,IntunePaidAvailableUnits,AzipPaidAvailableUnits,AADPMonthlyActiveUsers,\
         IntuneMonthlyActiveUsers,AzipMonthlyActiveUsers,MDM,MAM,SSPR",
    ),
    (
        Source::Seats,
        "PGAMpnID,SubscriptionId,SubscriptionStartDate,SubscriptionEndDate,SubscriptionState,Month,IsAutoRenew,\
         CustomerName,CustomerTenantId,CustomerTpid,DUNSNumber,CustomerSegment,TopSegment,CustomerMarket,\
         ReportingProductName,Product,RawProductName,ProductPartNumber,SKU,RevSumDivisionName,SolutionArea,MPNID,\
         PartnerName,PartnerLocation,PartnerAttributionType,SalesChannel,IndustryName,VerticalName,EOU,PricingLevel,\
         EnrollmentNumber,IsDuplicateRowForPGA,SubscriptionStartMonth,ResellerID,ResellerName,AvailableSeatsEOP,\
         AvailableSeats,BilledRevenueUSD,AzureConsumedRevenueUSD,CPORRevenue,CPORPaidSeats,CPORActiveUsers",
    ),
    (
        Source::Reseller,
        "PGAMpnID,ResellerMpnID,ResellerName,ResellerMarket,IndirectProviderMpnID,IndirectProviderName,Month,Product,\
         SubscriptionID,AvailableSeats,AssignedSeats,BilledRevenueUSD,CustomerName,CustomerTPid,CustomerSegment,\
         CustomerMarket,ResellerStatus,IndustryName,VerticalName,EOU",
    ),
];

fn read(headers: &[&str]) -> Result<Columns, IngestError> {
    Columns::read("f.csv", headers, PartnerFrom::Account)
}

#[test]
fn each_data_set_is_told_by_its_documented_columns_and_none_of_them_is_unknown() {
    for (source, list) in LISTS {
        let headers: Vec<&str> = list.split(',').collect();
        let columns = read(&headers).unwrap();
        assert_eq!((columns.source, columns.unknown), (source, Vec::<String>::new()));
        assert!(Columns::read("f.csv", &headers, PartnerFrom::Reseller).is_ok(), "{source:?}");
    }
}

#[test]
fn order_case_and_aliases_do_not_matter_and_unknown_columns_are_named() {
    for (source, list) in LISTS {
        let list = list.to_uppercase().replace("PARTNERATTACHTYPE", "PartnerAssociationType").replace("PGAM", "PGA_M");
        let mut headers: Vec<&str> = list.split(',').collect();
        headers.reverse();
        headers.insert(3, "Copilot Seats");
        let columns = read(&headers).unwrap();
        assert_eq!((columns.source, columns.unknown.clone()), (source, vec!["Copilot Seats".to_owned()]));
        assert_eq!(columns.place(Field::Account).map(|n| headers[n].starts_with("PGA")), Some(true), "{source:?}");
    }
}

#[test]
fn a_file_without_a_needed_column_says_which() {
    let seats: Vec<&str> = LISTS[4].1.split(',').filter(|name| !["Month", "Product"].contains(name)).collect();
    let error = read(&seats).unwrap_err();
    assert_eq!(error.to_string(), "`f.csv` is SeatsSubscriptionsAndRevenue, but has no column `Month`, `Product`");
}

#[test]
fn usage_without_the_telling_columns_is_not_guessed() {
    let headers: Vec<&str> = LISTS[1].1.split(',').filter(|name| *name != "PartnerHierarchy").collect();
    let error = read(&headers).unwrap_err();
    assert!(matches!(error, IngestError::Ambiguous { first: "DynamicsUsage", second: "PowerBIUsage", .. }), "{error}");
}

#[test]
fn other_reports_of_the_hub_are_refused_with_the_nearest_data_set() {
    let cpor = "CustomerTenantId,CustomerName,WorkloadName,MonthlyActiveUsers,PaidAvailableUnits,ClaimId,MpnId,\
                DateAssociated,PartnerAttributionType,Date";
    let error = read(&cpor.split(',').collect::<Vec<_>>()).unwrap_err().to_string();
    assert!(error.contains("nearest is OfficeUsage, of which it lacks `Month`, `CustomerMarket`"), "{error}");
    let error = read(&["a", "b"]).unwrap_err();
    assert!(matches!(error, IngestError::UnknownDataSet { .. }), "{error}");
}

#[test]
fn a_measure_is_carried_when_the_file_has_its_column() {
    let bits = |measures: &[Measure]| measures.iter().map(|m| crate::facts::sqlite::carried_bit(*m)).sum::<i64>();
    let headers: Vec<&str> = LISTS[4].1.split(',').filter(|name| *name != "BilledRevenueUSD").collect();
    let carried = [Measure::Licenses, Measure::Added, Measure::Removed];
    assert_eq!(read(&headers).unwrap().carried, bits(&carried));
    let headers: Vec<&str> = LISTS[3].1.split(',').collect();
    assert_eq!(read(&headers).unwrap().carried, bits(&[Measure::Licenses, Measure::Active]));
}
