//! What a PDF costs, in CPU time on one core: the standard report, and how it grows with countries, products and SKUs;
//! and how much memory stays resident over thousands of documents.
//!
//! Prints medians; nothing is asserted. `cargo bench --bench pdf`, or with a word to measure only days that are named so.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints, and stops where it cannot go on")]

#[expect(dead_code, reason = "the tests use the rest of it")]
#[path = "../tests/days/mod.rs"]
mod days;

use cpu_time::ProcessTime;
use days::{Data, Day, day};
use pressrun::render::{Job, Pdf, Renderer};
use pressrun::report::Block;

/// Fonts are parsed and texts shaped before anything is measured, by reports of other partners.
const N_WARM: usize = 5;
const N_MEASURED: usize = 101;
const N_DOCUMENTS: usize = 5_000;

/// The report that the design speaks of.
const DESIGNS: &str = "the design's: 60 countries, 6 charts and the map";

fn main() {
    let word = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let standard = Data::default;
    let days = [
        (DESIGNS, standard()),
        ("standard: 60 countries, 5 products, 20 SKUs", standard()),
        ("standard, with a location in Japanese", Data { names: vec!["東京支店".to_owned()], ..standard() }),
        ("120 countries", Data { n_markets: 120, ..standard() }),
        ("200 countries", Data { n_markets: 200, ..standard() }),
        ("200 countries, 20 products, 200 SKUs", Data { n_markets: 200, n_products: 20, n_skus: 10, ..standard() }),
        ("200 countries, 40 products, 400 SKUs", Data { n_markets: 200, n_products: 40, n_skus: 10, ..standard() }),
        ("no rows", Data { n_products: 0, ..standard() }),
    ];
    for (name, data) in
        days.into_iter().filter(|(name, _)| word.as_ref().is_none_or(|word| name.contains(word.as_str())))
    {
        let day = day(name, data);
        measure(&if name == DESIGNS { without_sku_charts(day) } else { day });
    }
    if word.is_none() {
        memory();
    }
}

/// As the design counts a standard report's charts: all products, five products, and the map.
fn without_sku_charts(mut day: Day) -> Day {
    for section in &mut day.report.sections {
        section.blocks.retain(|block| !matches!(block, Block::OnPaper(_)));
    }
    day
}

fn render(day: &Day) -> Vec<u8> {
    Pdf.render(Job { report: &day.report, rows: None, theme: &day.theme }).unwrap().bytes
}

fn measure(day: &Day) {
    let mut times = Vec::new();
    let mut bytes = Vec::new();
    for _ in 0..N_WARM + N_MEASURED {
        let before = ProcessTime::now();
        bytes = render(day);
        times.push(before.elapsed().as_secs_f64() * 1e3);
    }
    let mut times = times.split_off(N_WARM);
    times.sort_by(f64::total_cmp);
    println!("{:>7.2} ms {:>9} bytes  {}", times[times.len() / 2], bytes.len(), day.name);
}

/// Documents of partners whose names and figures are all different, so that no cache is kept small by chance.
fn memory() {
    println!("resident memory after so many documents:");
    for n in 0..=N_DOCUMENTS {
        if n % 1_000 == 0 {
            println!("{n:>7} documents {:>6.1} MB", resident_mb());
        }
        let names = (0..6).map(|name| format!("Partner {n} Name {name}")).collect();
        let data = Data { n_markets: 20, n_months: 3, scale: 1.0 + n as f64 / 100.0, names, ..Data::default() };
        render(&day("memory", data));
    }
}

/// From Linux's own account; 0 where there is none.
fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}
