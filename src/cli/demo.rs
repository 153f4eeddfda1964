//! `demo`: sample data, one schedule, one run, by the very way that real data takes.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use chrono::{DateTime, Datelike, Utc};

use crate::base::{Month, Period};
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Config};
use crate::deliver::Brakes;
use crate::facts::sample::{self, SampleSize};
use crate::pipeline::{self, Order};

use super::say::{Failure, Say};
use super::{compose, ingest, run};

/// How many months the sample has: the range of 12, the month before it, and one that is not full yet.
const N_MONTHS: usize = 14;

/// The day from which on Partner Center's month before is complete.
const CLOSING_DAY: u32 = 20;

pub(super) async fn demo(dir: &Path, n_partners: usize, say: &Say) -> Result<u8, Failure> {
    let now = SystemClock.now();
    let size = size(n_partners, now);
    std::fs::create_dir_all(dir).with_context(|| format!("`{}` cannot be made", dir.display()))?;
    let path = dir.join("pressrun.toml");
    if path.exists() && !is_ours(&path) {
        return Err(Failure::wrong(
            format!("`{}` is there already and is not the demo's", path.display()),
            "name another folder with `--dir`",
        ));
    }
    write_configuration(dir, &size)?;
    let config = config::load(&path)?;
    let files = write_files(dir, &size, say)?;
    let facts = compose::tables(&config).await?;
    ingest::load(&config, &facts, &files, None, say).await?.refused()?;
    let code = press(&config, &size, say).await?;
    say.note(&next_steps(dir, &path));
    Ok(code)
}

/// The newest month of the sample is the present one, so that one month is not full.
fn size(n_partners: usize, now: DateTime<Utc>) -> SampleSize {
    SampleSize { n_partners, n_months: N_MONTHS, last: Month::of(now.date_naive()), exported_at: now }
}

/// The newest month that is full at that instant.
fn last_full(now: DateTime<Utc>) -> Month {
    let month = Month::of(now.date_naive());
    if now.day() >= CLOSING_DAY { month.prev() } else { month.prev().prev() }
}

const HEAD: &str = "# The configuration of `pressrun demo`: sample data, mails into a folder.\n";

fn is_ours(path: &Path) -> bool {
    std::fs::read_to_string(path).is_ok_and(|text| text.starts_with(HEAD))
}

fn write_configuration(dir: &Path, size: &SampleSize) -> Result<(), Failure> {
    let toml = format!(
        r#"{HEAD}
[facts]
database = "data/facts.db"
closing_day = {CLOSING_DAY}

[ledger]
database = "data/ledger.db"

[archive]
folder = "archive"

[mail]
from = "Example Reports <reports@pressrun.example>"
contact = "Ask your Partner Center admin: admin@pressrun.example"
outbox = "outbox"

[recipients]
csv = "recipients.csv"

# On the first business day on or after the 21st at 06:00: by then the month is complete.
[schedules.monthly]
report = "product-licenses"
zone = "UTC"
"#
    );
    write(&dir.join("pressrun.toml"), toml.as_bytes())?;
    let mut csv = csv::Writer::from_writer(Vec::new());
    let record = |csv: &mut csv::Writer<Vec<u8>>, fields: [&str; 6]| csv.write_record(fields);
    record(&mut csv, ["address", "name", "partner_id", "role", "locations", "language"]).context("recipients")?;
    for partner in sample::partners(size) {
        for person in &partner.people {
            let locations = person.locations.join(";");
            let fields = [&*person.address, &*person.name, &*partner.id, &*person.role, &*locations, "en"];
            record(&mut csv, fields).context("recipients")?;
        }
    }
    let bytes = csv.into_inner().map_err(|error| Failure::failed(error.to_string()))?;
    write(&dir.join("recipients.csv"), &bytes)
}

/// Writes the sample as Partner Center's files; those of an earlier demo are replaced.
fn write_files(dir: &Path, size: &SampleSize, say: &Say) -> Result<Vec<PathBuf>, Failure> {
    let folder = dir.join("partner-center");
    let bar = say.bar(0, "Writing sample files");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| format!("`{}`", folder.display()))?;
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("`{}`", folder.display()))?;
    let mut files = Vec::new();
    sample::write(size, &mut |file| {
        let path = folder.join(&file.name);
        std::fs::File::create(&path)?.write_all(&file.bytes)?;
        files.push(path);
        bar.inc(1);
        Ok(())
    })
    .with_context(|| format!("`{}`", folder.display()))?;
    bar.finish_and_clear();
    Ok(files)
}

async fn press(config: &Config, size: &SampleSize, say: &Say) -> Result<u8, Failure> {
    let press = compose::press(config).await?;
    let orders = compose::orders(config).await?;
    let order = orders.get("monthly").ok_or_else(|| Failure::failed("the demo has no schedule"))?;
    run::resume_all(&press, &orders, say).await?;
    let period = Period::month(last_full(size.exported_at));
    let progress = run::progress(say);
    // A demo of more partners than the one before is no mistake.
    let order = Order { brakes: Brakes::off(), ..Order::clone(order) };
    let ran = pipeline::run(&press, &Arc::new(order), period, &progress).await?;
    let code = run::tell(&press, &ran, say).await?;
    run::close(press).await?;
    Ok(code)
}

fn next_steps(dir: &Path, path: &Path) -> String {
    let (dir, path) = (dir.display(), path.display());
    format!(
        "\nThe packs are in {dir}/archive, the mails in {dir}/outbox, the data they come from in {dir}/partner-center.\n\
         Try next:\n\
         \x20 pressrun --config {path} check\n\
         \x20 pressrun --config {path} due\n\
         \x20 pressrun --config {path} run monthly    # makes and sends nothing twice"
    )
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes).with_context(|| format!("`{}` cannot be written", path.display()))?;
    Ok(())
}
