//! What can be wrong with a file, and how to mend it.

use crate::facts::FactsError;

/// Why a file was not loaded. Nothing of it is in the database.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The file cannot be read.
    #[error("cannot read `{path}`: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// A gz or zip ends before its time, or is damaged.
    #[error("`{path}` is a damaged or truncated {packing}: {reason}")]
    Truncated {
        /// The file.
        path: String,
        /// `gz` or `zip`.
        packing: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A zip without a file in it, or with several.
    #[error("`{path}` holds {n_files} files, expected exactly one")]
    NotOneFile {
        /// The file.
        path: String,
        /// How many it holds.
        n_files: usize,
    },
    /// It is something else than a text file with columns.
    #[error("`{path}` is {what}, expected CSV or TSV")]
    OtherKind {
        /// The file.
        path: String,
        /// What it is, as in `an Excel workbook`.
        what: &'static str,
    },
    /// Its headers are none of a data set that is known.
    #[error("the columns of `{path}` are none of a known data set; nearest is {nearest}, of which it lacks {missing}")]
    UnknownDataSet {
        /// The file.
        path: String,
        /// The data set that has most of its columns.
        nearest: &'static str,
        /// The columns of that data set that are missing, each in backticks.
        missing: String,
    },
    /// It has the columns of two data sets alike.
    #[error("`{path}` may be {first} or {second}: the columns that tell them apart are missing")]
    Ambiguous {
        /// The file.
        path: String,
        /// One data set.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// A column is missing that its data set must have.
    #[error("`{path}` is {source_name}, but has no column {columns}")]
    MissingColumn {
        /// The file.
        path: String,
        /// The data set.
        source_name: &'static str,
        /// The missing columns, each in backticks.
        columns: String,
    },
    /// A row that has not as many cells as there are headers, or is not UTF-8.
    #[error("{reason} at {path}:{line}")]
    BadRow {
        /// The file.
        path: String,
        /// The line that the row begins on, from 1.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// A value that cannot be read.
    #[error("`{value}` in column `{column}` {reason} at {path}:{line}:{column_no}")]
    BadValue {
        /// The file.
        path: String,
        /// The line that the row begins on, from 1.
        line: u64,
        /// The number of the column, from 1.
        column_no: usize,
        /// The column, as the file spells it.
        column: String,
        /// The value.
        value: String,
        /// What is wrong with it.
        reason: BadValue,
    },
    /// Two rows that say the same of the same thing, attribution included.
    #[error("the row repeats the one on line {first_line}, attribution included, at {path}:{line}")]
    DuplicatedRow {
        /// The file.
        path: String,
        /// The line that the later row begins on.
        line: u64,
        /// The line that the earlier row begins on.
        first_line: u64,
    },
    /// Every row lacks the partner that reports are to be about.
    #[error("none of the {n_rows} rows of `{path}` has a value in column `{column}`")]
    NoPartner {
        /// The file.
        path: String,
        /// The column that names the partner.
        column: String,
        /// How many rows it has.
        n_rows: u64,
    },
    /// It is longer than a file may be.
    #[error("`{path}` has more than {rows_max} rows")]
    TooLong {
        /// The file.
        path: String,
        /// The bound.
        rows_max: u32,
    },
    /// Somebody was still writing it.
    #[error("`{path}` was written to while it was read")]
    StillWritten {
        /// The file.
        path: String,
    },
    /// The disk of the facts database is full.
    #[error("the disk of facts database `{database}` is full")]
    DiskFull {
        /// The database.
        database: String,
    },
    /// The facts database is locked or fails.
    #[error(transparent)]
    Facts(#[from] FactsError),
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadValue {
    /// Not a number that a count can be.
    #[error("is not a number")]
    NotANumber,
    /// Beyond what is counted in.
    #[error("is beyond 1,000,000,000,000")]
    TooLarge,
    /// A level below zero.
    #[error("is below 0, but is a level")]
    NegativeLevel,
    /// No such month.
    #[error("is not a month")]
    NotAMonth,
    /// Day and month cannot be told apart.
    #[error("is not the first day of a month, so that day and month cannot be told apart")]
    NotAFirstDay,
    /// Before Partner Center, or far from now.
    #[error("is not a month from 2000 to 2099")]
    FarMonth,
    /// Neither 0 nor 1.
    #[error("is neither 0 nor 1")]
    NotAFlag,
}

impl IngestError {
    /// Whether the file is to be mended, and would be refused again; else the machine or the database is in the way.
    pub fn is_of_the_file(&self) -> bool {
        !matches!(
            self,
            IngestError::Unreadable { .. }
                | IngestError::StillWritten { .. }
                | IngestError::DiskFull { .. }
                | IngestError::Facts(_)
        )
    }

    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            IngestError::Unreadable { .. } => "check that the file is there and may be read",
            IngestError::Truncated { .. } => "download it again; the download may have broken off",
            IngestError::NotOneFile { .. } => "unpack it, and ingest its files one by one",
            IngestError::OtherKind { .. } => {
                "download the report as CSV or TSV from the downloads hub; a workbook saved by Excel loses data"
            }
            IngestError::UnknownDataSet { .. } => {
                "download one of SeatsSubscriptionsAndRevenue, DynamicsUsage, PowerBIUsage, EMSUsage, OfficeUsage, \
                 ResellerPerformance with all its columns"
            }
            IngestError::Ambiguous { .. } => {
                "download it with all its columns: `RevSumDivisionName` tells DynamicsUsage, `PartnerHierarchy` \
                 PowerBIUsage"
            }
            IngestError::MissingColumn { .. } => "download it again with all its columns",
            IngestError::BadRow { .. } => {
                "the file may have been edited or cut off, or a quote is not closed; download it again"
            }
            IngestError::BadValue { reason: BadValue::NotAFirstDay, .. } => {
                "a month comes as `2026-10-01`, or as the first day of the month with the year last: `10/1/2026`"
            }
            IngestError::BadValue { .. } => "the file may have been edited or saved by Excel; download it again",
            IngestError::DuplicatedRow { .. } => {
                "files may have been joined; ingest each download by itself, with all its columns"
            }
            IngestError::NoPartner { .. } => {
                "`partner_from` may be the wrong one: `account` reads the partner global account, `reseller` the \
                 reseller"
            }
            IngestError::TooLong { .. } => "download fewer months at once",
            IngestError::StillWritten { .. } => "wait until it is complete, then ingest it again",
            IngestError::DiskFull { .. } => "free some space; nothing was loaded, so the file can be ingested again",
            IngestError::Facts(FactsError::Locked { .. }) => "another program writes to it; try again when it is done",
            IngestError::Facts(FactsError::NotWritable { .. }) => {
                "check who owns the file and its folder, and how they are mounted"
            }
            IngestError::Facts(FactsError::Newer { .. }) => "use the newer program that made it",
            IngestError::Facts(_) => "nothing was loaded, so the file can be ingested again",
        }
        .to_owned()
    }
}
