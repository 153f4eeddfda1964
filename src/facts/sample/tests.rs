//! Tests of the whole: what the files say, read back as anybody would.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{Cursor, Read};
use std::sync::LazyLock;

use csv::{ReaderBuilder, StringRecord};

use super::*;
use crate::base::Quantity;

/// A file read back.
struct Table {
    name: String,
    header: StringRecord,
    rows: Vec<StringRecord>,
}

impl Table {
    fn of(file: &SampleFile) -> Table {
        let mut text = String::new();
        if file.name.ends_with(".gz") {
            flate2::read::GzDecoder::new(&*file.bytes).read_to_string(&mut text).unwrap();
        } else if file.name.ends_with(".zip") {
            let mut archive = zip::ZipArchive::new(Cursor::new(&file.bytes)).unwrap();
            archive.by_index(0).unwrap().read_to_string(&mut text).unwrap();
        } else {
            text = String::from_utf8(file.bytes.clone()).unwrap();
        }
        let delimiter = if file.name.contains(".tsv") { b'\t' } else { b',' };
        let text = text.trim_start_matches('\u{feff}');
        let mut reader = ReaderBuilder::new().delimiter(delimiter).from_reader(text.as_bytes());
        let header = reader.headers().unwrap().clone();
        Table { name: file.name.clone(), header, rows: reader.records().map(Result::unwrap).collect() }
    }

    fn is(&self, source: &str) -> bool {
        self.name.starts_with(source)
    }

    fn column(&self, name: &str) -> usize {
        self.header.iter().position(|column| column == name).unwrap_or_else(|| panic!("{}: {name}", self.name))
    }

    /// The columns of these names, row by row.
    fn pick<'a, const N: usize>(&'a self, names: [&str; N]) -> impl Iterator<Item = [&'a str; N]> {
        let places = names.map(|name| self.column(name));
        self.rows.iter().map(move |row| places.map(|place| &row[place]))
    }
}

fn size(n_partners: usize) -> SampleSize {
    let exported_at = "2026-11-21T04:10:00Z".parse().unwrap();
    SampleSize { n_partners, ..SampleSize::new("2026-11".parse().unwrap(), exported_at) }
}

fn files(size: &SampleSize) -> Vec<SampleFile> {
    let mut files = Vec::new();
    write(size, &mut |file| {
        files.push(file);
        Ok(())
    })
    .unwrap();
    files
}

fn read(size: &SampleSize) -> Vec<Table> {
    files(size).iter().map(Table::of).collect()
}

/// The default sample, read once for all tests.
static DEFAULT: LazyLock<Vec<Table>> = LazyLock::new(|| read(&size(12)));

fn of<'a>(files: &'a [Table], source: &str) -> &'a Table {
    files.iter().find(|file| file.is(source)).unwrap()
}

fn quantity(text: &str) -> Quantity {
    text.parse().unwrap()
}

#[test]
fn the_same_size_makes_the_same_bytes() {
    let one = files(&size(4));
    assert_eq!(one, files(&size(4)));
    let names: Vec<&str> = one.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "SeatsSubscriptionsAndRevenue_2026-11-21T04-10-00Z.csv.gz",
            "DynamicsUsage_2026-11-21T04-10-00Z.csv",
            "PowerBIUsage_2026-11-21T04-10-00Z.tsv",
            "EMSUsage_2026-11-21T04-10-00Z.zip",
            "OfficeUsage_2026-11-21T04-10-00Z.csv",
        ]
    );
    // RFC 1952: bytes 4 to 8 are the time of making, which must not be in it.
    assert_eq!(one[0].bytes[4..8], [0; 4]);
    assert!(one[1].bytes.starts_with(b"\xEF\xBB\xBFPGAMpnID,") && one[1].bytes.ends_with(b"\r\n"));
}

#[test]
fn a_partner_is_the_same_however_many_there_are() {
    let rows = |n_partners| {
        let id = partners(&size(n_partners))[3].id.clone();
        of(&read(&size(n_partners)), "PowerBIUsage")
            .pick(["PGAMpnID", "SubscriptionId", "ActiveSeats"])
            .filter(|[partner, ..]| *partner == id)
            .map(|row| row.map(str::to_owned))
            .collect::<Vec<_>>()
    };
    assert!(!rows(4).is_empty());
    assert_eq!(rows(4), rows(9));
}

/// The column lists as Microsoft's data definitions of 08/11/2023 print them.
#[test]
fn each_header_is_the_documented_list() {
    let documented = [
        (
            "SeatsSubscriptionsAndRevenue",
            "PGAMpnID, SubscriptionId, SubscriptionStartDate, SubscriptionEndDate, SubscriptionState, Month, IsAutoRenew, CustomerName, CustomerTenantId, CustomerTpid, DUNSNumber, CustomerSegment, TopSegment, CustomerMarket, ReportingProductName, Product, RawProductName, ProductPartNumber, SKU, RevSumDivisionName, SolutionArea, MPNID, PartnerName, PartnerLocation, PartnerAttributionType, SalesChannel, IndustryName, VerticalName, EOU, PricingLevel, EnrollmentNumber, IsDuplicateRowForPGA, SubscriptionStartMonth, ResellerID, ResellerName, AvailableSeatsEOP, AvailableSeats, BilledRevenueUSD, AzureConsumedRevenueUSD, CPORRevenue, CPORPaidSeats, CPORActiveUsers",
        ),
        (
            "DynamicsUsage",
            "PGAMpnID, SubscriptionId, SubscriptionStartDate, SubscriptionEndDate, SubscriptionStatus, Month, RevSumDivisionName, RevSumCategoryName, SKU, SKUId, FreeVsPaidSKU, SalesModel, DetailedSalesModel, CustomerName, CustomerTenantId, CustomerTpid, CustomerSegment, CustomerMarket, IndustryName, VerticalName, EOU, MPNID, PartnerName, PartnerLocation, PartnerAttachType, AvailableSeats, AssignedSeats, ActiveSeats, DeploymentOpportunity, ActiveUsagePercent",
        ),
        (
            "PowerBIUsage",
            "PGAMpnID, SubscriptionId, SubscriptionStartDate, SubscriptionEndDate, SubscriptionStatus, Month, SKU, SKUId, FreeVsPaidSKU, SalesModel, DetailedSalesModel, CustomerName, CustomerTenantId, CustomerTpid, CustomerSegment, CustomerMarket, IndustryName, VerticalName, EOU, MPNId, PartnerName, PartnerLocation, PartnerAttachType, PartnerHierarchy, AvailableSeats, AssignedSeats, ActiveSeats, DeploymentOpportunity, ActiveUsagePercent",
        ),
        (
            "OfficeUsage",
            "PGAPartnerID, CustomerTenantId, CustomerTpid, WorkloadName, Month, PaidAvailableUnits, MonthlyActiveUsers, CustomerName, CustomerMarket, CustomerSegment, IndustryName, VerticalName, EOU, PartnerID, PartnerName, PartnerLocation, PartnerAttributionType, IsDuplicateRowForPGA",
        ),
        (
            "EMSUsage",
            "PGAMpnID, SubscriptionId, SubscriptionStartDate, SubscriptionEndDate, SubscriptionStatus, Month, SKU, SKUId, FreeVsPaidSKU, SalesModel, DetailedSalesModel, CustomerName, CustomerTenantId, CustomerTpid, CustomerSegment, CustomerMarket, IndustryName, VerticalName, EOU, MPNID, PartnerName, PartnerLocation, PartnerAttributionType, PartnerHierarchy, PaidAvailableUnits, MonthlyActiveUsers, AATPActiveUsage, MCASActiveUsage, AADPPaidAvailableUnits, IntunePaidAvailableUnits, AzipPaidAvailableUnits, AADPMonthlyActiveUsers, IntuneMonthlyActiveUsers, AzipMonthlyActiveUsers, MDM, MAM, SSPR",
        ),
        (
            "ResellerPerformance",
            "PGAMpnID, ResellerMpnID, ResellerName, ResellerMarket, IndirectProviderMpnID, IndirectProviderName, Month, Product, SubscriptionID, AvailableSeats, AssignedSeats, BilledRevenueUSD, CustomerName, CustomerTPid, CustomerSegment, CustomerMarket, ResellerStatus, IndustryName, VerticalName, EOU",
        ),
    ];
    let mut headers = HashMap::new();
    write_distributor(&size(1), &mut |file| {
        let file = Table::of(&file);
        let source = file.name.split('_').next().unwrap_or_default().to_owned();
        headers.insert(source, file.header.iter().collect::<Vec<_>>().join(", "));
        Ok(())
    })
    .unwrap();
    for (source, columns) in documented {
        assert_eq!(headers.get(source).map(String::as_str), Some(columns), "{source}");
    }
}

#[test]
fn the_twelve_partners_have_from_40_to_40_000_rows_over_14_months() {
    let (mut n_rows, mut months) = (BTreeMap::new(), BTreeSet::new());
    for file in DEFAULT.iter() {
        let id = if file.is("OfficeUsage") { "PGAPartnerID" } else { "PGAMpnID" };
        for [partner] in file.pick([id]) {
            *n_rows.entry(partner.to_owned()).or_insert(0) += 1;
        }
        if file.is("Seats") {
            months.extend(file.pick(["Month"]).map(|[month]| month.to_owned()));
        }
    }
    let mut sizes: Vec<i32> = n_rows.values().copied().collect();
    sizes.sort_unstable();
    assert_eq!(sizes.len(), 12);
    assert!((40..=64).contains(&sizes[0]) && (39_900..=40_000).contains(&sizes[11]), "{sizes:?}");
    // Each is about twice as large as the one before.
    assert!(sizes.windows(2).all(|pair| (11..=26).contains(&(pair[1] * 10 / pair[0]))), "{sizes:?}");
    assert_eq!((months.len(), months.first().map(String::as_str)), (14, Some("2025-10-01")));
}

#[test]
fn seat_differences_are_the_changes_of_seats_from_month_to_month() {
    let files = &*DEFAULT;
    let seats = of(files, "Seats");
    let mut levels: HashMap<[String; 4], BTreeMap<String, (Quantity, Quantity)>> = HashMap::new();
    for [customer, id, sku, location, month, level, change] in seats.pick([
        "CustomerTenantId",
        "SubscriptionId",
        "SKU",
        "MPNID",
        "Month",
        "AvailableSeatsEOP",
        "AvailableSeats",
    ]) {
        // A second attribution at the same location repeats the same figures.
        let key = [customer, id, sku, location].map(str::to_owned);
        let former = levels.entry(key).or_default().insert(month.to_owned(), (quantity(level), quantity(change)));
        assert!(former.is_none_or(|former| former == (quantity(level), quantity(change))), "{id} {month}");
        assert!(!quantity(level).is_negative());
    }
    let (mut n_steps, mut n_falls, mut n_starts, mut n_ends) = (0, 0, 0, 0);
    for months in levels.values() {
        let steps: Vec<_> = months.iter().collect();
        for pair in steps.windows(2) {
            let ((_, (before, _)), (month, (level, change))) = (pair[0], pair[1]);
            assert_eq!(*change, *level - *before, "{month}");
            n_steps += 1;
            n_falls += i32::from(change.is_negative());
            n_ends += i32::from(*level == Quantity::ZERO && *before != Quantity::ZERO);
        }
        // Who comes within the window comes with all seats added.
        if steps[0].0 != "2025-10-01" {
            assert_eq!(steps[0].1.0, steps[0].1.1);
            n_starts += 1;
        }
    }
    assert!(
        n_steps > 10_000 && n_falls > 500 && n_starts > 300 && n_ends > 100,
        "{n_steps} {n_falls} {n_starts} {n_ends}"
    );
}

/// Seats by subscription and month.
fn seats_by_key(seats: &Table) -> HashMap<[String; 4], Quantity> {
    let columns = ["CustomerTenantId", "SubscriptionId", "SKU", "Month", "AvailableSeatsEOP"];
    seats
        .pick(columns)
        .map(|[customer, id, sku, month, level]| ([customer, id, sku, &month[..7]].map(str::to_owned), quantity(level)))
        .collect()
}

#[test]
fn usage_agrees_with_seats_but_for_one_partner() {
    let files = &*DEFAULT;
    let levels = seats_by_key(of(files, "Seats"));
    let disagreeing = partners(&size(12))[11].id.clone();
    let (mut n_agreeing, mut n_other) = (0, 0);
    let columns = ["PGAMpnID", "CustomerTenantId", "SubscriptionId", "SKU", "Month"];
    for (source, measure) in
        [("DynamicsUsage", "AvailableSeats"), ("PowerBIUsage", "AvailableSeats"), ("EMSUsage", "PaidAvailableUnits")]
    {
        let file = of(files, source);
        for ([partner, customer, id, sku, month], [available]) in file.pick(columns).zip(file.pick([measure])) {
            let month = match month.split_once("/1/") {
                Some((number, year)) => format!("{year}-{number:0>2}"),
                None => month[..7].to_owned(),
            };
            let level = levels[&[customer.to_owned(), id.to_owned(), sku.to_owned(), month]];
            if quantity(available) == level {
                n_agreeing += 1;
            } else {
                assert_eq!(partner, disagreeing);
                n_other += 1;
            }
        }
    }
    assert!(n_agreeing > 10_000 && n_other > 10, "{n_agreeing} {n_other}");
}

#[test]
fn the_largest_workload_has_all_microsoft_365_seats_of_its_customer() {
    let files = &*DEFAULT;
    let mut seats: HashMap<[String; 2], Quantity> = HashMap::new();
    for [customer, month, product, level, flag] in
        of(files, "Seats").pick(["CustomerTenantId", "Month", "Product", "AvailableSeatsEOP", "IsDuplicateRowForPGA"])
    {
        if (product == "Microsoft 365" || product == "Office 365") && flag == "0" {
            *seats.entry([customer, month].map(str::to_owned)).or_default() += quantity(level);
        }
    }
    let mut largest: HashMap<[String; 2], Quantity> = HashMap::new();
    for [customer, month, units] in of(files, "OfficeUsage").pick(["CustomerTenantId", "Month", "PaidAvailableUnits"]) {
        let of_customer = largest.entry([customer, month].map(str::to_owned)).or_default();
        *of_customer = quantity(units).max(*of_customer);
    }
    assert!(seats.len() > 1_000);
    assert_eq!(seats, largest);
}

#[test]
fn everything_odd_that_real_files_have_is_there() {
    let files = &*DEFAULT;
    let seats = of(files, "Seats");
    let texts = |column| seats.pick([column]).map(|[text]| text).collect::<BTreeSet<&str>>();
    let customers = texts("CustomerName");
    for name in names::ODD {
        assert!(customers.contains(name), "{name}");
    }
    let markets = texts("CustomerMarket");
    assert!(names::MARKETS.iter().chain(&["UNKNOWN", "NULL", ""]).all(|market| markets.contains(market)));
    let ids = texts("SubscriptionId");
    assert!(ids.contains("00000000-0000-0000-0000-000000000000") && ids.contains(""));
    assert!(texts("AvailableSeatsEOP").iter().any(|level| level.contains('.')));
    assert!(texts("AvailableSeats").iter().any(|change| change.starts_with('-')));
    assert_eq!(texts("SalesChannel").len(), 5);
    assert_eq!(texts("CustomerSegment").len(), 5);
    assert_eq!(texts("PartnerAttributionType").len(), 9);
    assert!(texts("IndustryName").iter().any(|industry| industry.contains('\n')));
    assert_eq!(texts("SubscriptionState"), BTreeSet::from(["Active", "Churned"]));
    assert!(texts("Product").contains("Microsoft Azure"));
    let partners = texts("PartnerName");
    assert!(partners.contains("株式会社ケショルネ") && partners.contains("شركة فلمورا للحوسبة"));
    assert!(partners.iter().any(|name| name.starts_with('=')));
}

#[test]
fn a_license_attributed_twice_has_one_row_that_is_no_duplicate() {
    let files = &*DEFAULT;
    for (source, key) in [("Seats", "SubscriptionId"), ("OfficeUsage", "WorkloadName")] {
        let mut flags: HashMap<[&str; 4], Vec<&str>> = HashMap::new();
        let file = of(files, source);
        let sku = if source == "Seats" { "SKU" } else { "WorkloadName" };
        for [customer, id, sku, month, flag] in
            file.pick(["CustomerTenantId", key, sku, "Month", "IsDuplicateRowForPGA"])
        {
            flags.entry([customer, id, sku, month]).or_default().push(flag);
        }
        let n_twice = flags.values().filter(|flags| flags.len() == 2).count();
        assert!(n_twice * 20 > flags.len(), "{source}: {n_twice} of {}", flags.len());
        for (key, flags) in &flags {
            assert_eq!(flags.iter().filter(|flag| **flag == "0").count(), 1, "{key:?}");
        }
    }
}

#[test]
fn one_partner_lacks_a_usage_file_and_another_uses_more_than_it_sold() {
    let (files, partners) = (&*DEFAULT, partners(&size(12)));
    let (without, above) = (&partners[6].id, &partners[3].id);
    let sells = |[partner, product]: [&str; 2]| partner == without && product == "Dynamics 365";
    assert!(of(files, "Seats").pick(["PGAMpnID", "Product"]).any(sells));
    let of_partner = |id: &str| of(files, "DynamicsUsage").pick(["PGAMpnID"]).filter(|[one]| *one == id).count();
    assert_eq!(of_partner(without), 0);
    assert!(of_partner(above) > 0);
    let (mut available, mut active) = (Quantity::ZERO, Quantity::ZERO);
    for [partner, month, seats, used] in
        of(files, "PowerBIUsage").pick(["PGAMpnID", "Month", "AvailableSeats", "ActiveSeats"])
    {
        if partner == above && month == "10/1/2026" {
            available += quantity(seats);
            active += quantity(used);
        }
    }
    assert!(active > available && available > Quantity::ZERO, "{active:?} of {available:?}");
}

#[test]
fn a_distributor_sells_through_its_resellers() {
    let (size, mut sources) = (size(12), HashMap::new());
    write_distributor(&size, &mut |file| {
        let file = Table::of(&file);
        sources.insert(file.name.split('_').next().unwrap_or_default().to_owned(), file);
        Ok(())
    })
    .unwrap();
    let seats = &sources["SeatsSubscriptionsAndRevenue"];
    assert!(seats.pick(["PGAMpnID"]).all(|[id]| id == distributor().id));
    let ids: BTreeSet<String> = partners(&size).into_iter().map(|partner| partner.id).collect();
    let resellers: BTreeSet<&str> = seats.pick(["ResellerID"]).map(|[id]| id).collect();
    assert!(ids.iter().all(|id| resellers.contains(id.as_str())) && resellers.contains(""));
    let performance = &sources["ResellerPerformance"];
    assert!(performance.rows.len() > 10_000);
    assert!(performance.pick(["ResellerMpnID"]).all(|[id]| ids.contains(id)));
    let levels: HashMap<[&str; 2], &str> = seats
        .pick(["SubscriptionId", "Month", "AvailableSeatsEOP"])
        .map(|[id, month, level]| ([id, month], level))
        .collect();
    for [id, month, level] in performance.pick(["SubscriptionID", "Month", "AvailableSeats"]) {
        assert!(levels.contains_key(&[id, month]), "{id} {month}");
        assert!(!level.is_empty());
    }
}

#[test]
fn a_partner_stands_in_one_file_of_a_data_set_however_many_partners_there_are() {
    let mut seen: HashMap<(String, String), String> = HashMap::new();
    let parts = Parts { n_months: 2, n_rows: 5_000 };
    let small = SampleSize { n_months: 2, ..size(60) };
    write_sources(&small, &ACCOUNT_SOURCES, None, parts, &mut |file| {
        let file = Table::of(&file);
        let id = if file.is("OfficeUsage") { "PGAPartnerID" } else { "PGAMpnID" };
        let source = file.name.split('_').next().unwrap_or_default();
        for [partner] in file.pick([id]) {
            let former = seen.insert((source.to_owned(), partner.to_owned()), file.name.clone());
            assert!(former.is_none_or(|former| former == file.name), "{partner}");
        }
        Ok(())
    })
    .unwrap();
    let n_files = |source: &str| {
        seen.iter().filter(|((of, _), _)| of == source).map(|(_, name)| name).collect::<BTreeSet<_>>().len()
    };
    assert_eq!(n_files("EMSUsage"), 1);
    assert_eq!(n_files("SeatsSubscriptionsAndRevenue"), 2);
}

#[test]
fn sizes_out_of_bounds_are_refused() {
    for wrong in
        [size(PARTNERS_MAX + 1), SampleSize { n_months: 0, ..size(1) }, SampleSize { n_months: 121, ..size(1) }]
    {
        let error = write(&wrong, &mut |_| Ok(())).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
    assert_eq!(read(&size(0)).iter().map(|file| file.rows.len()).collect::<Vec<_>>(), [0; 5]);
}
