//! How many rows a second are loaded, and read back, in CPU time of all threads. `cargo bench --bench ingest`.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

use pressrun::clock::{Clock, Stopwatch, SystemClock};
use pressrun::facts::SqliteFacts;
use pressrun::facts::ingest::{Ingest, PartnerFrom};
use pressrun::facts::{BurstRequest, FactSource, ProductMap};

const N_MONTHS: u32 = 14;

/// Columns as the hub gives them, in the order of the data definitions.
const HEADERS: &str = "PGAMpnID,SubscriptionId,SubscriptionStartDate,SubscriptionEndDate,SubscriptionState,Month,\
IsAutoRenew,CustomerName,CustomerTenantId,CustomerTpid,DUNSNumber,CustomerSegment,TopSegment,CustomerMarket,\
ReportingProductName,Product,RawProductName,ProductPartNumber,SKU,RevSumDivisionName,SolutionArea,MPNID,PartnerName,\
PartnerLocation,PartnerAttributionType,SalesChannel,IndustryName,VerticalName,EOU,PricingLevel,EnrollmentNumber,\
IsDuplicateRowForPGA,SubscriptionStartMonth,ResellerID,ResellerName,AvailableSeatsEOP,AvailableSeats,BilledRevenueUSD,\
AzureConsumedRevenueUSD,CPORRevenue,CPORPaidSeats,CPORActiveUsers";

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        measure("40 partners, 14 months", 40, N_MONTHS, 500_000).await?;
        measure("40 partners, one month: every line is new", 40, 1, 200_000).await
    })
}

async fn measure(what: &str, n_partners: u32, n_months: u32, n_rows: u32) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("seats.csv");
    let n_bytes = write(&file, n_partners, n_months, n_rows)?;
    let now = SystemClock.now();
    let facts = SqliteFacts::open(&folder.path().join("facts.db"), now).await?;
    let ingest = Ingest::new(&facts, &ProductMap::shipped(), PartnerFrom::Account);
    let (cpu, wall) = (cpu_secs()?, Stopwatch::start());
    ingest.file(&file, Some(now), now, &|_| {}).await?;
    print(what, "ingest", n_rows, cpu_secs()? - cpu, wall);
    println!("  {n_bytes} bytes of CSV, {} bytes of database", std::fs::metadata(facts.path())?.len());
    let data = facts.pin(chrono::DateTime::UNIX_EPOCH).await?;
    let partner_ids = facts.partners(&data).await?.into_iter().map(|partner| partner.id).collect();
    let (first, last) = ("2025-01".parse()?, "2026-12".parse()?);
    let (cpu, wall) = (cpu_secs()?, Stopwatch::start());
    let mut partners = facts.burst(BurstRequest { data, partner_ids, first, last, closing_day: 20 });
    let mut n_read = 0;
    while let Some(partner) = partners.recv().await {
        let mut partner = partner?;
        while let Some(batch) = partner.batches.recv().await {
            n_read += batch?.len();
        }
    }
    print(what, "read back", u32::try_from(n_read)?, cpu_secs()? - cpu, wall);
    Ok(())
}

fn print(what: &str, stage: &str, n_rows: u32, cpu: f64, wall: Stopwatch) {
    let wall = wall.elapsed().as_secs_f64();
    let rows = f64::from(n_rows);
    println!(
        "{what}: {stage} {n_rows} rows, {:.0} rows/s of CPU ({cpu:.2} s), {:.0} rows/s of wall",
        rows / cpu,
        rows / wall
    );
}

/// User and system time of this process, of which Linux counts 100 a second.
fn cpu_secs() -> Result<f64, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(')').next().unwrap_or("");
    let field = |n: usize| after_name.split_whitespace().nth(n).and_then(|text| text.parse::<f64>().ok());
    Ok((field(11).ok_or("no user time")? + field(12).ok_or("no system time")?) / 100.0)
}

fn write(path: &Path, n_partners: u32, n_months: u32, n_rows: u32) -> Result<usize, Box<dyn Error>> {
    let mut text = String::with_capacity(n_rows as usize * 420);
    text.push_str(HEADERS);
    for n in 0..n_rows {
        let (month, subscription) = (n % n_months, n / n_months);
        let (year, number) = (2025 + month / 12, month % 12 + 1);
        let (partner, customer, seats) = (subscription % n_partners, subscription / 3, n % 977);
        write!(
            text,
            "\n{pga},{subscription:08x}-4d2b-4c1e-9f00-0123456789ab,2024-03-01,2027-02-28,Active,{year}-{number:02}-01,\
             Yes,\"Customer {customer}, Ltd\",{customer:08x}-77aa-4c1e-9f00-0123456789ab,{customer},,SMC Commercial,\
             Commercial,Germany,Microsoft 365,Microsoft 365,Microsoft 365 E3,CFQ7TTC0LF8R,Microsoft 365 E3,Office,\
             Modern Work,{location},Example Partner {partner},\"DE, Cologne\",CSP Tier 1,CSP,Retail,Retailers,\
             SMC Commercial,Level A,{customer},0,2024-03-01,,,{seats},{change},{revenue}.25,0,0,0,0",
            pga = 1_000_000 + partner,
            location = 6_000_000 + partner,
            change = i64::from(seats % 7) - 3,
            revenue = seats * 30,
        )?;
    }
    std::fs::write(path, &text)?;
    Ok(text.len())
}
