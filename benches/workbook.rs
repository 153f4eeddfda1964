//! What a workbook costs, in CPU time on one core: the standard one, and how it grows with its raw rows, up to a
//! million in a file; and how that stands to XlsxWriter, the usual writer of workbooks from Python.
//!
//! Prints medians; nothing is asserted. `cargo bench --bench workbook`, or with a word to measure only what is named
//! so: `standard`, `levels`, `50,000`, `1,000,000`, `XlsxWriter`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints, and stops where it cannot go on")]

#[expect(dead_code, reason = "the tests use the rest of it")]
#[path = "../tests/days/mod.rs"]
mod days;

use std::fs::File;
use std::hint::black_box;
use std::io::{BufWriter, Cursor, Read, Write};
use std::path::Path;
use std::process::Command;

use cpu_time::ProcessTime;
use days::{Data, Day, day};
use libdeflater::{CompressionLvl, Compressor};
use pressrun::base::{Month, Quantity};
use pressrun::render::{Job, Renderer, Xlsx};
use pressrun::report::{Block, Cell, RawColumn, RawKind, Rows, RowsError};

const N_WARM: usize = 5;
const N_MEASURED: usize = 101;

/// The raw rows of the standard workbook, of a large one, and of one as large as Excel takes.
const N_STANDARD: u64 = 2_000;
const N_LARGE: u64 = 50_000;
const N_MILLION: u64 = 1_000_000;

/// What a process is told that writes a million rows and says what it took; and the same where every row has a text
/// of its own.
const CHILD: &str = "--write-a-million-to";
const CHILD_UNIQUE: &str = "--write-a-million-unique-to";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [argument, path, ..] = &arguments[..]
        && [CHILD, CHILD_UNIQUE].contains(&argument.as_str())
    {
        return child(Path::new(path), argument == CHILD_UNIQUE);
    }
    let word = arguments.iter().find(|word| !word.starts_with('-'));
    let wanted = |name: &str| word.is_none_or(|word| name.contains(word.as_str()));
    if wanted("standard") {
        standard();
    }
    if wanted("levels") {
        levels();
    }
    if wanted("50,000") {
        let large = Made::of(N_LARGE);
        let (ms, bytes) = measured(&with_rows(&large), &large, 11);
        println!("{ms:>9.2} ms {:>11} bytes  50,000 raw rows", bytes.len());
    }
    let folder = tempfile::tempdir().unwrap();
    let million = wanted("1,000,000") || wanted("XlsxWriter");
    let own_secs = if million { one_million(folder.path()) } else { 0.0 };
    if wanted("XlsxWriter") {
        ratio(folder.path(), own_secs);
    }
}

/// The standard workbook, and what its raw rows take of it.
fn standard() {
    let (none, rows) = (Made::of(0), Made::of(N_STANDARD));
    let (without_ms, without) = measured(&with_rows(&none), &none, N_MEASURED);
    let (ms, bytes) = measured(&with_rows(&rows), &rows, N_MEASURED);
    println!("{ms:>9.2} ms {:>11} bytes  standard, {N_STANDARD} raw rows of {} columns", bytes.len(), columns().len());
    println!("{without_ms:>9.2} ms {:>11} bytes  standard without raw rows", without.len());
}

/// What the standard workbook's deflate takes of it, by how hard it tries.
fn levels() {
    let rows = Made::of(N_STANDARD);
    let (_, bytes) = measured(&with_rows(&rows), &rows, 1);
    let parts = parts(&bytes);
    println!("the standard workbook's parts, deflated once more by libdeflate:");
    for level in 1..=7 {
        let mut compressor = Compressor::new(CompressionLvl::new(level).unwrap());
        let mut n_bytes = 0;
        let ms = median(N_MEASURED, || {
            n_bytes = parts.iter().map(|part| deflated_length(&mut compressor, part)).sum();
        });
        println!("{ms:>9.2} ms {n_bytes:>11} bytes  level {level}");
    }
}

fn deflated_length(compressor: &mut Compressor, part: &[u8]) -> usize {
    let mut room = vec![0; compressor.deflate_compress_bound(part.len())];
    compressor.deflate_compress(part, &mut room).unwrap()
}

fn parts(workbook: &[u8]) -> Vec<Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(workbook)).unwrap();
    let mut parts = Vec::new();
    for n in 0..archive.len() {
        let mut bytes = Vec::new();
        archive.by_index(n).unwrap().read_to_end(&mut bytes).unwrap();
        parts.push(bytes);
    }
    parts
}

/// A million rows, by processes of their own, so that the peak of their memory is theirs.
fn one_million(folder: &Path) -> f64 {
    println!("1,000,000 raw rows into a file:");
    let [secs, made_secs, peak_mb, bytes] = by_child(folder, CHILD);
    println!(
        "{secs:>9.2} s  {bytes:>11} bytes  {peak_mb:.1} MB resident at most; {made_secs:.2} s to make the rows up"
    );
    let [unique_secs, _, peak_mb, bytes] = by_child(folder, CHILD_UNIQUE);
    println!(
        "{unique_secs:>9.2} s  {bytes:>11} bytes  {peak_mb:.1} MB resident at most; a text of its own in each row"
    );
    secs
}

fn by_child(folder: &Path, argument: &str) -> [f64; 4] {
    let path = folder.join("million.xlsx");
    let said = Command::new(std::env::current_exe().unwrap()).arg(argument).arg(&path).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let said = String::from_utf8(said.stdout).unwrap();
    let mut figures = said.split_whitespace().map(|figure| figure.parse::<f64>().unwrap());
    let bytes = std::fs::metadata(&path).unwrap().len() as f64;
    [figures.next().unwrap(), figures.next().unwrap(), figures.next().unwrap(), bytes]
}

fn child(path: &Path, is_unique: bool) {
    let rows = Made { is_unique, ..Made::of(N_MILLION) };
    let day = with_rows(&rows);
    let before = ProcessTime::now();
    rows.replay(&mut |cells| {
        black_box(cells);
        Ok(())
    })
    .unwrap();
    let made_secs = before.elapsed().as_secs_f64();
    let before = ProcessTime::now();
    let out = BufWriter::new(File::create(path).unwrap());
    Xlsx.write(Job { report: &day.report, rows: Some(&rows), theme: &day.theme }, out).unwrap();
    println!("{} {made_secs} {}", before.elapsed().as_secs_f64(), peak_mb());
}

/// The same rows through XlsxWriter, if it is there.
fn ratio(folder: &Path, own_secs: f64) {
    let is_there = Command::new("python3").args(["-c", "import xlsxwriter"]).output();
    if !is_there.is_ok_and(|said| said.status.success()) {
        println!("XlsxWriter is not installed: pip install xlsxwriter");
        return;
    }
    let path = folder.join("rows.tsv");
    write_tsv(&Made::of(N_MILLION), &path);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/xlsxwriter_ratio.py");
    let said = Command::new("python3").arg(script).arg(&path).arg(folder.join("other.xlsx")).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let said = String::from_utf8(said.stdout).unwrap();
    print!("{said}");
    let secs: f64 = said.split_whitespace().next().unwrap().parse().unwrap();
    println!("{:>9.1} times as long as ours", secs / own_secs);
}

/// A line a row: months and figures as numbers, what is absent as nothing.
fn write_tsv(rows: &Made, path: &Path) {
    let mut out = BufWriter::new(File::create(path).unwrap());
    rows.replay(&mut |cells| {
        for (n, cell) in cells.iter().enumerate() {
            let end = if n + 1 == cells.len() { "\n" } else { "\t" };
            match cell {
                Cell::Absent => write!(out, "{end}"),
                Cell::Text(text) => write!(out, "{text}{end}"),
                Cell::Month(month) => write!(out, "{month}{end}"),
                Cell::Quantity(quantity) => write!(out, "{quantity}{end}"),
            }
            .unwrap();
        }
        Ok(())
    })
    .unwrap();
    out.flush().unwrap();
}

/// The standard day, with these raw rows in the place of its own.
fn with_rows(rows: &Made) -> Day {
    let mut day = day("standard", Data::default());
    for block in day.report.sections.iter_mut().flat_map(|section| &mut section.blocks) {
        if let Block::RawRows { columns: shown, n_rows } = block {
            (*shown, *n_rows) = (columns(), rows.n_rows);
        }
    }
    day
}

/// A workbook's CPU milliseconds and its bytes.
fn measured(day: &Day, rows: &Made, n: usize) -> (f64, Vec<u8>) {
    let job = Job { report: &day.report, rows: Some(rows), theme: &day.theme };
    let mut bytes = Vec::new();
    let ms = median(n, || bytes = Xlsx.render(job).unwrap().bytes);
    (ms, bytes)
}

fn median(n: usize, mut work: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..N_WARM + n)
        .map(|_| {
            let before = ProcessTime::now();
            work();
            before.elapsed().as_secs_f64() * 1e3
        })
        .skip(N_WARM)
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The most that was ever resident, from Linux's own account; 0 where there is none.
fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// Rows made up as they are asked for: a year of months, some rows a customer in each, a customer for every fifty
/// rows, always the same ones.
struct Made {
    n_rows: u64,
    /// Whether each row is another customer's.
    is_unique: bool,
}

impl Made {
    fn of(n_rows: u64) -> Made {
        Made { n_rows, is_unique: false }
    }
}

fn columns() -> Vec<RawColumn> {
    let kinds = [
        ("Month", RawKind::Month),
        ("Partner location", RawKind::Text),
        ("Customer tenant ID", RawKind::Text),
        ("Customer", RawKind::Text),
        ("Country/region", RawKind::Text),
        ("Product", RawKind::Text),
        ("SKU", RawKind::Text),
        ("Sales channel", RawKind::Text),
        ("Segment", RawKind::Text),
        ("Licenses", RawKind::Quantity),
        ("Licenses deployed", RawKind::Quantity),
        ("Active licenses", RawKind::Quantity),
        ("Licenses added", RawKind::Quantity),
        ("Billed revenue (USD)", RawKind::Usd),
    ];
    let column =
        |(label, kind): (&str, RawKind)| RawColumn { key: label.to_lowercase(), label: label.to_owned(), kind };
    kinds.into_iter().map(column).collect()
}

impl Rows for Made {
    fn columns(&self) -> &[RawColumn] {
        &[]
    }

    fn n_rows(&self) -> u64 {
        self.n_rows
    }

    fn replay(&self, each: &mut dyn FnMut(&[Cell<'_>]) -> Result<(), RowsError>) -> Result<(), RowsError> {
        let n_customers = (self.n_rows / 50).max(1);
        let customers: Vec<(String, String)> = (0..n_customers).map(|n| customer(n, mixed(n))).collect();
        let first: Month = "2025-11".parse().unwrap();
        // As in life: each month has the same licenses, whose product, SKU and channel stay what they were.
        let n_licenses = self.n_rows.div_ceil(12).max(1);
        for n in 0..self.n_rows {
            let (license, dice) = (n % n_licenses, mixed(n % n_licenses));
            let at = license / 4 % n_customers;
            let own = self.is_unique.then(|| customer(n, mixed(n)));
            let (tenant, name) = own.as_ref().unwrap_or(&customers[at as usize]);
            let of = |words: &'static [&'static str], dice: u64| Cell::Text(words[dice as usize % words.len()]);
            let (product, month) = (dice >> 8, n / n_licenses);
            let licenses = 1 + dice % 480 + month * (dice >> 4 & 3);
            let price = 4 + (product % 5 * 8 + (dice >> 16) % 8) * 3;
            let prorated = if dice.is_multiple_of(10) { dice % 1_000 * 1_000 } else { 0 };
            let quantity =
                |n: u64, of_one: u64| Cell::Quantity(Quantity::from_millionths((n * 1_000_000 + of_one) as i64));
            each(&[
                Cell::Month(first.plus((n * 12 / self.n_rows) as i32)),
                of(&["Berlin", "Wien", "Zürich", "Salzburg", "Leipzig"], at / 7),
                Cell::Text(tenant),
                Cell::Text(name),
                of(&["Germany", "Austria", "Switzerland", "France", "Italy", "Poland", "Czechia"], at),
                of(
                    &["Microsoft 365", "Dynamics 365", "Enterprise Mobility + Security", "Power BI", "Windows 365"],
                    product,
                ),
                of(&["E3", "E5", "Business Premium", "F3", "Business Standard", "Plan 1", "Plan 2", "Pro"], dice >> 16),
                of(&["CSP", "EA", "MCA-E"], dice >> 24),
                of(&["SMB", "Corporate", "Enterprise", "Public sector"], at / 3),
                quantity(licenses, prorated),
                // Not every source knows what is assigned.
                if product.is_multiple_of(5) {
                    Cell::Absent
                } else {
                    quantity(licenses * (dice >> 32 & 0x7f) / 128, 0)
                },
                quantity(licenses * (dice >> 40 & 0x7f) / 128, 0),
                quantity(if month == 0 { 0 } else { dice >> 4 & 3 }, 0),
                quantity(licenses * price, 0),
            ])?;
        }
        Ok(())
    }
}

fn customer(n: u64, dice: u64) -> (String, String) {
    let kinds = ["Bakery", "Logistics", "Insurance", "Hospital", "Machine tools", "Städtische Werke", "School"];
    let tenant = format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        dice >> 32,
        dice >> 16 & 0xffff,
        dice >> 4 & 0xfff,
        n & 0xfff,
        dice & 0xffff_ffff_ffff
    );
    (tenant, format!("Example {} {n}", kinds[dice as usize % kinds.len()]))
}

/// A number that looks like chance and is always the same (splitmix64).
fn mixed(n: u64) -> u64 {
    let n = (n.wrapping_add(1)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ n >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ n >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ n >> 31
}
