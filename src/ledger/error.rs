//! What can go wrong with the ledger.

use std::path::PathBuf;

/// The ledger could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The folder it is to stand in is not there.
    #[error("the ledger's folder `{}` does not exist", .0.display())]
    NoFolder(PathBuf),
    /// The file is no SQLite database.
    #[error("`{}` is not a database", .0.display())]
    NotADatabase(PathBuf),
    /// The file is a database of something else.
    #[error("`{}` is a database, but not a ledger", .0.display())]
    NotALedger(PathBuf),
    /// The ledger was written by a newer program.
    #[error("the ledger `{}` is of version {found}, this program knows versions up to {known}", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version this program knows.
        known: i64,
    },
    /// A log lies beside a file that came out of a backup.
    #[error("the ledger `{}` is a restored one, and `{}` beside it belongs to the one before", .path.display(), .log.display())]
    LogOfAnother {
        /// The file.
        path: PathBuf,
        /// The log.
        log: PathBuf,
    },
    /// A migration did not go through; the ledger is as it was before it.
    #[error("the ledger `{}` could not be brought up to date: {source}", .path.display())]
    Migrate {
        /// The file.
        path: PathBuf,
        /// What the database said.
        source: Box<sqlx::migrate::MigrateError>,
    },
    /// Another program keeps it locked.
    #[error("the ledger is locked by another program")]
    Locked,
    /// A daemon works on it already.
    #[error("a daemon works on the ledger `{}` already", .0.display())]
    DaemonRuns(PathBuf),
    /// The disk is full.
    #[error("no space is left for the ledger")]
    DiskFull,
    /// The disk that a copy is to stand on is full.
    #[error("no space is left for a copy of the ledger at `{}`", .0.display())]
    NoRoomForCopy(PathBuf),
    /// The file or its folder can't be read or written.
    #[error("the ledger's file `{}` can't be used: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database refused a statement.
    #[error("the ledger's database: {0}")]
    Database(sqlx::Error),
    /// A row holds what this program never writes.
    #[error("the ledger's {row} row holds `{value}` as its {column}")]
    Corrupt {
        /// The table.
        row: &'static str,
        /// The column.
        column: &'static str,
        /// What stands there.
        value: String,
    },
    /// There is no such row.
    #[error("there is no {row} `{id}` in the ledger")]
    NoSuch {
        /// The table.
        row: &'static str,
        /// The id asked for.
        id: String,
    },
    /// The row is not in a state from which it may go there.
    #[error("{row} `{id}` is {from} and can't become {to}")]
    Move {
        /// The table.
        row: &'static str,
        /// Its id.
        id: String,
        /// The state it is in.
        from: &'static str,
        /// The state asked for.
        to: &'static str,
    },
    /// A run that is to be left out is not held.
    #[error("run `{run}` is {state}, and only one that is held can be left out")]
    NotHeld {
        /// Its number.
        run: String,
        /// The state it is in.
        state: &'static str,
    },
    /// Something of a run that is to be left out is made or handed over now.
    #[error("something of run `{run}` is under way")]
    UnderWay {
        /// Its number.
        run: String,
    },
    /// A delivery whose edition ended without a pack.
    #[error("delivery `{id}` has nothing to send: its edition is {edition}")]
    NoPack {
        /// Its id.
        id: String,
        /// The state its edition is in.
        edition: &'static str,
    },
    /// The claim was lost: its lease ended and the row was moved by another.
    #[error("the claim on {row} `{id}` was lost; its lease ended and another moved it on")]
    LostClaim {
        /// The table.
        row: &'static str,
        /// Its id.
        id: String,
    },
    /// More was given than the ledger takes in one go.
    #[error("{n} {what} are more than the ledger takes at once, {max}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many were given.
        n: usize,
        /// How many it takes.
        max: usize,
    },
}

impl LedgerError {
    /// Whether the caller lost its claim, and so has nothing more to do about the row.
    pub fn is_lost_claim(&self) -> bool {
        matches!(self, LedgerError::LostClaim { .. })
    }

    /// Whether the same call may succeed by itself, or as soon as somebody has made room.
    pub fn is_passing(&self) -> bool {
        let code = match self {
            LedgerError::Database(error) => primary_code(error),
            _ => None,
        };
        // 10 and 14: the system did not read, write or open it, as on a disk that is away for a moment.
        matches!(self, LedgerError::DiskFull | LedgerError::Locked) || matches!(code, Some(10 | 14))
    }

    /// What to do about it, where that can be said.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            LedgerError::NoFolder(_) => "make the folder, or correct the path in the configuration",
            LedgerError::NotADatabase(_) | LedgerError::NotALedger(_) => {
                "point the configuration to another file; a ledger that is not there is made"
            }
            LedgerError::Newer { .. } => "use the newer program, or restore the copy made before it",
            LedgerError::Locked => "wait for the other program, or see who holds the file open",
            LedgerError::DaemonRuns(_) => "stop the other daemon first; commands may run beside it",
            LedgerError::DiskFull => "make space; nothing was half written",
            LedgerError::NoRoomForCopy(_) => "make room there, or name another place",
            LedgerError::LogOfAnother { .. } => {
                "see that no daemon runs, and remove the files in `-wal` and `-shm` beside it"
            }
            LedgerError::NoPack { .. } => "make the edition again under the next number; it has deliveries of its own",
            LedgerError::NotHeld { .. } => "`pressrun status` names the runs that are held",
            LedgerError::UnderWay { .. } => "ask again in a while; what a killed program left ends with the next start",
            LedgerError::File { .. } => "see who owns the file and its folder",
            _ => return None,
        })
    }
}

/// By SQLite's result codes (sqlite.org/rescode.html): 5 busy, 6 locked, 13 full.
impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> LedgerError {
        match (primary_code(&error), &error) {
            (Some(5 | 6), _) | (_, sqlx::Error::PoolTimedOut) => LedgerError::Locked,
            (Some(13), _) => LedgerError::DiskFull,
            _ => LedgerError::Database(error),
        }
    }
}

/// SQLite's primary result code of an error that came from the database.
pub(super) fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let code = error.as_database_error().and_then(|error| error.code())?;
    code.parse::<u32>().ok().map(|code| code & 0xff)
}
