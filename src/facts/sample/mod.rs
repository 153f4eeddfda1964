//! Sample data: deterministic Partner Center files, to be ingested the way real ones are.
//!
//! Everything in it is invented but the SKUs, which are Microsoft's. Each partner has something that real
//! files have: rows attributed twice, zero-GUID subscriptions, unknown markets, prorated seats, churn.

mod columns;
mod mix;
mod names;
mod people;
mod rows;
mod sink;
mod sku;
#[cfg(test)]
mod tests;
mod usage_rows;
mod world;

use std::io;
use std::ops::Range;

use chrono::{DateTime, Utc};

pub use people::{SampleLocation, SamplePartner, SampleRecipient, distributor, partners};

use self::rows::Seller;
use self::sink::{Format, Sink};
use self::world::{Calendar, World};
use crate::base::Month;

/// The most partners a sample can have.
pub const PARTNERS_MAX: usize = 100_000;

/// The most months a sample can have.
pub const MONTHS_MAX: usize = 120;

/// About how many rows a file has at most; a partner is never split.
const ROWS_PER_FILE: usize = 100_000;

/// With more resellers than these a distributor's files hold a month each.
const RESELLERS_PER_FILE_MAX: usize = 2_000;

/// How large a sample is, and what its files say of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SampleSize {
    /// How many partners, up to [`PARTNERS_MAX`]; the first twelve are from 40 to 40,000 rows over 14 months,
    /// of those beyond half have 320 rows or fewer.
    pub n_partners: usize,
    /// How many months, 1 to [`MONTHS_MAX`].
    pub n_months: usize,
    /// The newest month, which is to be one that is not yet full.
    pub last: Month,
    /// When the files were exported. A month is full when that is on or after the 20th of the next.
    pub exported_at: DateTime<Utc>,
}

/// A file as Partner Center's downloads hub hands it out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SampleFile {
    /// Its name with the hub's generation timestamp: `EMSUsage_2026-11-21T04-10-00Z.zip`.
    pub name: String,
    /// CSV or TSV, plain, gz or zip.
    pub bytes: Vec<u8>,
    /// When it was exported; the same instant is in the name.
    pub exported_at: DateTime<Utc>,
}

impl SampleSize {
    /// Twelve partners and 14 months: a range of 12, the month before it, and one that is not full.
    pub fn new(last: Month, exported_at: DateTime<Utc>) -> SampleSize {
        SampleSize { n_partners: 12, n_months: 14, last, exported_at }
    }
}

/// Writes the files of accounts that sell themselves, each handed over as soon as it is complete.
///
/// A partner's rows of one data set are all in one file. One file at a time is in memory.
///
/// # Errors
/// When the size is beyond its bounds, or what `each` answers.
pub fn write(size: &SampleSize, each: &mut dyn FnMut(SampleFile) -> io::Result<()>) -> io::Result<()> {
    let parts = Parts { n_months: size.n_months.max(1), n_rows: ROWS_PER_FILE };
    write_sources(size, &ACCOUNT_SOURCES, None, parts, each)
}

/// Writes the files of one [`distributor`], whose resellers are the partners of the sample: each row is the
/// distributor's, `ResellerID` names the reseller, and ResellerPerformance is among the files.
///
/// # Errors
/// As [`write`].
pub fn write_distributor(size: &SampleSize, each: &mut dyn FnMut(SampleFile) -> io::Result<()>) -> io::Result<()> {
    // All rows of a month must stand in one file, since a later one would supersede the account's slice.
    let n_months = if size.n_partners > RESELLERS_PER_FILE_MAX { 1 } else { size.n_months.max(1) };
    let parts = Parts { n_months, n_rows: usize::MAX };
    write_sources(size, &DISTRIBUTOR_SOURCES, Some(&distributor()), parts, each)
}

/// How a data set is cut into files.
#[derive(Clone, Copy)]
struct Parts {
    n_months: usize,
    /// A file is closed after the partner with which it reaches so many rows.
    n_rows: usize,
}

const ACCOUNT_SOURCES: [Source; 5] = [Source::Seats, Source::Dynamics, Source::PowerBi, Source::Ems, Source::Office];

const DISTRIBUTOR_SOURCES: [Source; 6] =
    [Source::Seats, Source::Dynamics, Source::PowerBi, Source::Ems, Source::Office, Source::ResellerPerformance];

/// A data set of Partner Center's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Source {
    Seats,
    Dynamics,
    PowerBi,
    Ems,
    Office,
    ResellerPerformance,
}

impl Source {
    fn name(self) -> &'static str {
        match self {
            Source::Seats => "SeatsSubscriptionsAndRevenue",
            Source::Dynamics => "DynamicsUsage",
            Source::PowerBi => "PowerBIUsage",
            Source::Ems => "EMSUsage",
            Source::Office => "OfficeUsage",
            Source::ResellerPerformance => "ResellerPerformance",
        }
    }

    /// Each in another form, so that ingest meets all of them.
    fn format(self) -> Format {
        match self {
            Source::Seats => Format::CsvGz,
            Source::Dynamics => Format::CsvBomCrlf,
            Source::PowerBi => Format::Tsv,
            Source::Ems => Format::CsvZip,
            Source::Office => Format::Csv,
            Source::ResellerPerformance => Format::TsvGz,
        }
    }

    fn columns(self) -> &'static [&'static str] {
        match self {
            Source::Seats => &columns::SEATS,
            Source::Dynamics => &columns::DYNAMICS,
            Source::PowerBi => &columns::POWER_BI,
            Source::Ems => &columns::EMS,
            Source::Office => &columns::OFFICE,
            Source::ResellerPerformance => &columns::RESELLER,
        }
    }

    fn write(self, out: &mut Sink, seller: &Seller<'_>, months: &Range<usize>) -> io::Result<()> {
        match self {
            Source::Seats => rows::seats(out, seller, months),
            Source::Dynamics => usage_rows::dynamics(out, seller, months),
            Source::PowerBi => usage_rows::power_bi(out, seller, months),
            Source::Ems => usage_rows::ems(out, seller, months),
            Source::Office => usage_rows::office(out, seller, months),
            Source::ResellerPerformance => rows::reseller_performance(out, seller, months),
        }
    }
}

fn write_sources(
    size: &SampleSize,
    sources: &[Source],
    distributor: Option<&SamplePartner>,
    parts: Parts,
    each: &mut dyn FnMut(SampleFile) -> io::Result<()>,
) -> io::Result<()> {
    check(size)?;
    let calendar = Calendar::of(size);
    for source in sources {
        let mut n_parts = 0;
        for start in (0..size.n_months).step_by(parts.n_months) {
            let months = start..(start + parts.n_months).min(size.n_months);
            let mut next_partner = 0;
            while next_partner < size.n_partners || n_parts == 0 {
                n_parts += 1;
                let mut out = Sink::open(source.format(), &stem(*source, n_parts, size))?;
                out.record(source.columns())?;
                while next_partner < size.n_partners && out.n_rows() < parts.n_rows {
                    let world = World::of(next_partner, &calendar);
                    source.write(&mut out, &Seller { world: &world, distributor, calendar: &calendar }, &months)?;
                    next_partner += 1;
                }
                let (name, bytes) = out.finish()?;
                each(SampleFile { name, bytes, exported_at: size.exported_at })?;
            }
        }
    }
    Ok(())
}

fn check(size: &SampleSize) -> io::Result<()> {
    let refuse = |what: String| Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    if size.n_partners > PARTNERS_MAX {
        return refuse(format!("a sample has at most {PARTNERS_MAX} partners, not `{}`", size.n_partners));
    }
    if !(1..=MONTHS_MAX).contains(&size.n_months) {
        return refuse(format!("a sample has 1 to {MONTHS_MAX} months, not `{}`", size.n_months));
    }
    Ok(())
}

/// A file's name without its ending; the timestamp is the last thing in it, as the hub writes it.
fn stem(source: Source, part: usize, size: &SampleSize) -> String {
    let stamp = size.exported_at.format("%Y-%m-%dT%H-%M-%SZ");
    match part {
        1 => format!("{}_{stamp}", source.name()),
        _ => format!("{}_part-{part}_{stamp}", source.name()),
    }
}
