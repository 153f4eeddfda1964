//! The command line: one file a command.

mod backup;
mod check;
mod compose;
mod daemon;
mod demo;
mod due;
mod gaps;
mod hand;
mod ingest;
mod init;
mod rehearse;
mod relay;
mod reload;
mod run;
mod say;
mod status;
mod why;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::base::Period;
use say::{Failure, Say};

/// All well.
const WELL: u8 = 0;
/// Something failed and was named.
const FAILED: u8 = 1;
/// The command or the configuration is wrong.
const WRONG: u8 = 2;

/// Prints Partner Center's Product Licenses report as a workbook and a PDF, on a schedule, mails it and files it.
#[derive(Parser, Debug)]
#[command(name = "pressrun", version, arg_required_else_help = true)]
struct Args {
    /// The configuration; else `PRESSRUN_CONFIG`, `pressrun.toml` here, `/etc/pressrun/pressrun.toml`
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Prints the result as JSON, for scripts
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Writes a configuration and the shipped templates, to be edited
    Init {
        /// Where to
        #[arg(default_value = ".")]
        dir: PathBuf,
    },
    /// Makes sample data and runs one schedule over it: packs and mails in DIR
    Demo {
        /// Where to
        #[arg(long, default_value = "pressrun-demo")]
        dir: PathBuf,
        /// How many partners the sample has
        #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        partners: u32,
    },
    /// Brings Partner Center's files into the facts
    Ingest {
        /// CSV or TSV files, also as gz or zip
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// When Partner Center exported them, as in 2026-11-21T04:10:00Z; else by their names or dates
        #[arg(long, value_name = "INSTANT")]
        exported_at: Option<chrono::DateTime<chrono::Utc>>,
    },
    /// Looks now for everything that would go wrong at 02:00
    Check,
    /// Tells what will run when, and why then
    Due {
        /// One schedule only
        schedule: Option<String>,
        /// How many occurrences of each
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1000))]
        next: u16,
        /// The reader's time zone, shown beside the schedule's; else that of this machine
        #[arg(long)]
        zone: Option<chrono_tz::Tz>,
    },
    /// Runs a schedule now, by hand
    Run(run::RunArgs),
    /// Wakes, catches up, works, drains on SIGTERM, reads its configuration anew on SIGHUP
    Daemon,
    /// Has the running daemon read its configuration anew; a wrong one is refused
    Reload,
    /// Tells what ran, what is open, what failed
    Status {
        /// One run in full
        #[arg(long, value_name = "ID")]
        run: Option<i64>,
        /// How many of the latest runs are listed
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=50_000), conflicts_with = "run")]
        runs: u32,
    },
    /// Lets go on what is held of a run: the run, its editions, its mails
    Release(hand::HeldArgs),
    /// Leaves a held run out for good: what of it was not made or not sent never will be
    Skip(hand::HeldArgs),
    /// Has mails sent again of which nobody can tell whether they arrived, and tries others at once that wait for it
    Resend(hand::ResendArgs),
    /// Says of mails what you found out: they arrived, or they did not and are given up
    Settle(hand::SettleArgs),
    /// Writes ledger and facts into one file, consistent, while a daemon works
    Backup {
        /// A file that is not there yet, with the ending `.tar.zst`
        file: PathBuf,
    },
    /// Tells whether any occurrence is without a row or an outcome; ends with 1 if one is
    Gaps,
    /// Tells what somebody got, gets or does not get, and by which rule
    Why {
        /// A mail address, a partner's id, or a store as in "store finance"
        who: String,
        /// One period only
        #[arg(long)]
        period: Option<Period>,
    },
}

/// Runs the program by its command line.
pub fn main() -> ExitCode {
    let args = Args::parse();
    let say = Say::new(args.json);
    say::start_log();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return say.failure(&Failure::failed(format!("the program's threads cannot start: {error}"))),
    };
    match runtime.block_on(dispatch(&args, &say)) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => say.failure(&failure),
    }
}

async fn dispatch(args: &Args, say: &Say) -> Result<u8, Failure> {
    let config = || compose::load(args.config.as_deref());
    match &args.command {
        Command::Init { dir } => init::init(dir, say),
        Command::Demo { dir, partners } => demo::demo(dir, *partners as usize, say).await,
        Command::Ingest { files, exported_at } => ingest::ingest(&config()?, files, *exported_at, say).await,
        Command::Check => check::check(&config()?, say).await,
        Command::Due { schedule, next, zone } => {
            due::due(&config()?, schedule.as_deref(), (*next).into(), *zone, say).await
        }
        Command::Run(args) => run::run(&config()?, args, say).await,
        Command::Daemon => daemon::daemon(&config()?, say).await,
        Command::Reload => reload::reload(&config()?, say).await,
        Command::Status { run, runs } => status::status(&config()?, *run, *runs as usize, say).await,
        Command::Release(args) => hand::release(&config()?, args, say).await,
        Command::Skip(args) => hand::skip(&config()?, args, say).await,
        Command::Resend(args) => hand::resend(&config()?, args, say).await,
        Command::Settle(args) => hand::settle(&config()?, args, say).await,
        Command::Backup { file } => backup::backup(&config()?, file, say).await,
        Command::Gaps => gaps::gaps(&config()?, say).await,
        Command::Why { who, period } => why::why(&config()?, who, *period, say).await,
    }
}
