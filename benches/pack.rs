//! What one pack costs, stage by stage, in CPU time on one core: facts, sections, workbook, PDF, archive, gate.
//!
//! Prints medians; nothing is asserted. `cargo bench --bench pack`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints, and stops where it cannot go on")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read as _};
use std::path::Path;

use chrono::{DateTime, Utc};
use cpu_time::ProcessTime;
use pressrun::archive::{Archive, Manifest, ManifestAudience, PackFile, PackKey};
use pressrun::audience::{Partner, Role, Scope};
use pressrun::base::{EditionId, Period, Range};
use pressrun::facts::ingest::{Ingest, PartnerFrom};
use pressrun::facts::sample::{self, SampleSize};
use pressrun::facts::{AudienceFacts, BurstRequest, DataSet, FactSource, ProductMap, SqliteFacts};
use pressrun::gate::{self, Book, BookWriter, Eyes, Kind, Own, Search};
use pressrun::render::{Artifact, Format, Job, Theme, fonts_digest};
use pressrun::report::{Cell, Report, RowsBuffer, SectionKind};
use pressrun::sections::{self, Figures, RawField, Request, Tally, Template};
use zip::ZipArchive;

/// How often each stage runs before it is measured: fonts are parsed and caches are warm.
const N_WARM: usize = 5;
/// How often it is measured.
const N_MEASURED: usize = 31;
/// The rows that the measured partner has about.
const N_ROWS: u64 = 2_000;

/// Other partners and their customers, whose ids and names the gate looks for.
const N_PARTNERS: u64 = 3_000;
const N_CUSTOMERS: u64 = 30_000;

/// What the machine of the hour is told by: a workbook's parts through zlib-rs and nothing else, 1.2 ms where the gate's
/// goal was set.
const INFLATED: &str = "xlsx, inflated only";

const PERIOD: &str = "2026-10";
const NOW: &str = "2026-11-24T06:00:00Z";

/// Runs a stage and keeps its CPU milliseconds.
struct Stages(BTreeMap<&'static str, Vec<f64>>);

impl Stages {
    fn time<T>(&mut self, name: &'static str, work: impl FnOnce() -> T) -> T {
        let before = ProcessTime::now();
        let result = work();
        self.0.entry(name).or_default().push(before.elapsed().as_secs_f64() * 1e3);
        result
    }

    fn median(&self, name: &str) -> f64 {
        let mut times: Vec<f64> = self.0[name].iter().skip(N_WARM).copied().collect();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    }
}

fn main() {
    // One thread, so that the process's CPU time is the stage's.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let now: DateTime<Utc> = NOW.parse().unwrap();
        let facts = SqliteFacts::open(&folder.path().join("facts.db"), now).await.unwrap();
        ingest(folder.path(), &facts, now).await;
        let data = facts.pin(DateTime::UNIX_EPOCH).await.unwrap();
        let partner = measured_partner(&facts, &data).await;
        let search = search(&facts, &data, &partner).await;
        let mut stages = Stages(BTreeMap::new());
        let mut sizes = BTreeMap::new();
        for n in 0..N_WARM + N_MEASURED {
            pack(folder.path(), &facts, &data, (&partner, &search), n, &mut stages, &mut sizes).await;
        }
        print(&stages, &sizes);
    });
}

async fn ingest(folder: &Path, facts: &SqliteFacts, now: DateTime<Utc>) {
    let size = SampleSize::new("2026-11".parse().unwrap(), now);
    let mut files = Vec::new();
    sample::write(&size, &mut |file| {
        let path = folder.join(&file.name);
        std::fs::write(&path, &file.bytes)?;
        files.push(path);
        Ok(())
    })
    .unwrap();
    let products = ProductMap::shipped();
    let ingest = Ingest::new(facts, &products, PartnerFrom::Account);
    for path in &files {
        ingest.file(path, None, now, &|_| {}).await.unwrap();
    }
}

fn request(data: &DataSet, partner_ids: Vec<String>, range: Range) -> BurstRequest {
    BurstRequest { data: data.clone(), partner_ids, first: range.first().prev(), last: range.last(), closing_day: 20 }
}

fn range() -> Range {
    Range::ending_with(PERIOD.parse::<Period>().unwrap(), 12)
}

/// The partner whose range has about as many rows as the figures of the design speak of.
async fn measured_partner(facts: &SqliteFacts, data: &DataSet) -> Partner {
    let ids = facts.partners(data).await.unwrap().into_iter().map(|partner| partner.id).collect();
    let mut partners = facts.burst(request(data, ids, range()));
    let mut best: Option<(u64, Partner)> = None;
    while let Some(facts) = partners.recv().await {
        let mut facts = facts.unwrap();
        let mut n: u64 = 0;
        while let Some(batch) = facts.batches.recv().await {
            n += batch.unwrap().len() as u64;
        }
        if best.as_ref().is_none_or(|(known, _)| n.abs_diff(N_ROWS) < known.abs_diff(N_ROWS)) {
            best = Some((n, facts.partner));
        }
    }
    let (n, partner) = best.unwrap();
    println!(
        "one pack of partner {} with {n} rows in 13 months; medians of {N_MEASURED}, CPU ms on one core",
        partner.id
    );
    partner
}

/// A search of the partner's files for what 3,000 other partners have.
async fn search(facts: &SqliteFacts, data: &DataSet, partner: &Partner) -> Search {
    let mut writer = BookWriter::default();
    let before = ProcessTime::now();
    let mut entries = facts.directory(data.clone());
    let mut texts = Vec::new();
    while let Some(batch) = entries.recv().await {
        for entry in batch.unwrap() {
            let location = entry.location_id.as_deref();
            writer.partner(&entry.partner_id, entry.partner_name.as_deref()).unwrap();
            if let Some(id) = location {
                writer.location(&entry.partner_id, id, entry.location_name.as_deref()).unwrap();
            }
            let (id, name) = (entry.customer_id.as_deref(), entry.customer_name.as_deref());
            writer.customer(&entry.partner_id, location, id, name).unwrap();
        }
    }
    println!("directory of the sample: {:.1} ms", before.elapsed().as_secs_f64() * 1e3);
    for n in 0..N_CUSTOMERS {
        let partner = format!("{}", 7_000_000 + n % N_PARTNERS);
        let tenant = format!("{:08x}-1c5e-4000-8000-{:012x}", n.wrapping_mul(0x9e37_79b1) & 0xffff_ffff, n * 7919);
        writer.partner(&partner, Some(&invented(n % N_PARTNERS + 1_000_003))).unwrap();
        writer.customer(&partner, None, Some(&tenant), Some(&invented(n))).unwrap();
    }
    let before = ProcessTime::now();
    let book: Book = writer.finish().unwrap();
    let (n, kb) = (book.n_entries(), book.n_bytes() / 1024);
    println!("a book of {n} ids and names: {:.1} ms, {kb} KB", before.elapsed().as_secs_f64() * 1e3);
    let mut partners = facts.burst(request(data, vec![partner.id.clone()], range()));
    let mut of_one = partners.recv().await.unwrap().unwrap();
    while let Some(batch) = of_one.batches.recv().await {
        for fact in batch.unwrap() {
            texts.extend([Some(fact.product), fact.sku, fact.sales_channel, fact.attach_type, fact.segment]);
            texts.push(Some(fact.customer_market.name().into()));
        }
    }
    let texts: BTreeSet<&str> = texts.iter().flatten().map(|text| &**text).collect();
    let own = Own::default().with(texts);
    let eyes = Eyes {
        partner_id: partner.id.clone(),
        scope: Scope::Organization,
        names: vec![partner.name.clone()],
        customer_names: true,
        customer_ids: true,
        without_columns: Vec::new(),
    };
    Search::new(&book, eyes, own)
}

/// A company's name of three invented words that no two numbers share.
fn invented(n: u64) -> String {
    const PARTS: [&str; 16] =
        ["ba", "cor", "den", "fi", "gal", "hu", "jor", "kel", "lam", "mi", "nor", "pe", "rin", "sol", "tu", "ver"];
    let word = |n: u64| {
        let part = |place: u64| PARTS[(n >> (4 * place)) as usize % PARTS.len()];
        let word = format!("{}{}{}", part(0), part(1), part(2));
        word[..1].to_uppercase() + &word[1..]
    };
    format!("{} {} {}", word(n), word(n >> 12), ["GmbH", "Ltd", "SA", "Inc"][(n % 4) as usize])
}

fn role() -> Role {
    Role {
        key: "executive".into(),
        label: "Executive report viewer".into(),
        withhold: vec![],
        organization_only: false,
        rank: 1,
    }
}

fn template() -> Template {
    Template {
        name: "product-licenses".into(),
        title: "Product licenses".into(),
        sections: SectionKind::ALL.to_vec(),
        map: true,
        raw_columns: RawField::ALL.to_vec(),
    }
}

/// Reads a partner's facts into figures and rows.
async fn read(facts: &SqliteFacts, data: &DataSet, partner: &Partner, stages: &mut Stages) -> (Figures, RowsBuffer) {
    let before = ProcessTime::now();
    let mut partners = facts.burst(request(data, vec![partner.id.clone()], range()));
    let mut of_one = partners.recv().await.unwrap().unwrap();
    let mut all = Vec::new();
    while let Some(batch) = of_one.batches.recv().await {
        all.extend(batch.unwrap());
    }
    stages.0.entry("facts").or_default().push(before.elapsed().as_secs_f64() * 1e3);
    stages.time("sections: one pass", || {
        let (role, template) = (role(), template());
        let eyes = AudienceFacts::new(&role, &Scope::Organization);
        let fields = sections::raw_fields(&template, &role, &of_one.coverage);
        let mut tally = Tally::new(range(), eyes.coverage(&of_one.coverage));
        let mut rows = RowsBuffer::new(fields.iter().map(|field| field.column()).collect());
        for fact in &all {
            let visible = eyes.see(fact).unwrap();
            if fact.month >= range().first() {
                let cells: Vec<Cell<'_>> = sections::raw_cells(&visible, &fields);
                rows.push(&cells);
            }
            tally.add(visible).unwrap();
        }
        (tally.finish(), rows)
    })
}

fn finished(figures: &Figures, partner: &Partner) -> Report {
    let period: Period = PERIOD.parse().unwrap();
    let request = Request {
        edition: EditionId::of("bench", period, &partner.id, 1),
        revision: 1,
        correction: None,
        partner,
        role: &role(),
        scope: &Scope::Organization,
        language: "en",
        period,
        range: range(),
        contact: "",
        data_at: NOW.parse().unwrap(),
    };
    sections::report(&template(), &request, figures)
}

async fn pack(
    folder: &Path,
    facts: &SqliteFacts,
    data: &DataSet,
    (partner, search): (&Partner, &Search),
    n: usize,
    stages: &mut Stages,
    sizes: &mut BTreeMap<&'static str, usize>,
) {
    let (figures, rows) = read(facts, data, partner, stages).await;
    let report = stages.time("sections: report", || finished(&figures, partner));
    let theme = Theme::default();
    let job = Job { report: &report, rows: Some(&rows), theme: &theme };
    let pdf = stages.time("pdf", || Artifact::of(job, Format::Pdf).unwrap());
    let xlsx = stages.time("xlsx", || Artifact::of(job, Format::Xlsx).unwrap());
    sizes.extend([("pdf", pdf.bytes.len()), ("xlsx", xlsx.bytes.len())]);
    let (seen, nothing) = (&report, &Search::default());
    for (pdf_stage, xlsx_stage, search) in
        [("gate: pdf, no book", "gate: xlsx, no book", nothing), ("gate: pdf", "gate: xlsx", search)]
    {
        stages.time(pdf_stage, || gate::inspect(seen, Kind::Pdf, &pdf.bytes, search).unwrap());
        stages.time(xlsx_stage, || gate::inspect(seen, Kind::Xlsx, &xlsx.bytes, search).unwrap());
    }
    stages.time(INFLATED, || inflate(&xlsx.bytes));
    let archive = Archive::folder(&folder.join("archive")).unwrap();
    let before = ProcessTime::now();
    let files = [PackFile::artifact(&pdf), PackFile::artifact(&xlsx), PackFile::report(&report).unwrap()];
    archive.put(&key(&report, n), &files, manifest(&report, n)).await.unwrap();
    stages.0.entry("archive").or_default().push(before.elapsed().as_secs_f64() * 1e3);
}

/// Inflates every part of a workbook, as its reader would.
fn inflate(bytes: &[u8]) {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut part = Vec::new();
    for n in 0..zip.len() {
        part.clear();
        zip.by_index(n).unwrap().read_to_end(&mut part).unwrap();
    }
}

fn key(report: &Report, n: usize) -> PackKey {
    PackKey {
        report: "product-licenses".into(),
        schedule: "bench".into(),
        period: report.head.period,
        partner_id: report.head.partner_id.clone(),
        audience: "executive.en".into(),
        number: n as u32 + 1,
    }
}

fn manifest(report: &Report, n: usize) -> Manifest {
    Manifest {
        schema: 1,
        edition: report.head.edition,
        revision: n as u32 + 1,
        supersedes: None,
        report: "product-licenses".into(),
        schedule: "bench".into(),
        period: report.head.period,
        partner_id: report.head.partner_id.clone(),
        audience: ManifestAudience { role: "executive".into(), scope: "organization".into(), language: "en".into() },
        data_set: serde_json::Value::Null,
        data_at: report.head.data_at,
        template: fonts_digest(&Theme::default()),
        theme: fonts_digest(&Theme::default()),
        fonts: fonts_digest(&Theme::default()),
        program: "bench".into(),
        files: Vec::new(),
    }
}

fn print(stages: &Stages, sizes: &BTreeMap<&'static str, usize>) {
    let mut sum = 0.0;
    for name in ["facts", "sections: one pass", "sections: report", "xlsx", "pdf", "archive", "gate: pdf", "gate: xlsx"]
    {
        let median = stages.median(name);
        sum += median;
        println!("{name:<20} {median:>8.2} ms");
    }
    println!("{:<20} {sum:>8.2} ms", "in all");
    for name in ["gate: pdf, no book", "gate: xlsx, no book", INFLATED] {
        println!("{name:<20} {:>8.2} ms", stages.median(name));
    }
    for (name, bytes) in sizes {
        println!("{name:<20} {bytes:>8} bytes");
    }
}
