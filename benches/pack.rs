//! What one pack costs, stage by stage, in CPU time on one core: facts, sections, workbook, PDF, archive, gate.
//!
//! Prints medians; nothing is asserted. `cargo bench --bench pack`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints, and stops where it cannot go on")]

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, Utc};
use cpu_time::ProcessTime;
use pressrun::archive::{Archive, Manifest, ManifestAudience, PackFile, PackKey};
use pressrun::audience::{Partner, Role, Scope};
use pressrun::base::{EditionId, Period, Range};
use pressrun::facts::ingest::{Ingest, PartnerFrom};
use pressrun::facts::sample::{self, SampleSize};
use pressrun::facts::{AudienceFacts, BurstRequest, DataSet, FactSource, ProductMap, SqliteFacts};
use pressrun::gate::{self, Kind, Others};
use pressrun::render::{Artifact, Format, Job, Theme, fonts_digest};
use pressrun::report::{Cell, Report, RowsBuffer, SectionKind};
use pressrun::sections::{self, Figures, RawField, Request, Tally, Template};

/// How often each stage runs before it is measured: fonts are parsed and caches are warm.
const N_WARM: usize = 5;
/// How often it is measured.
const N_MEASURED: usize = 31;
/// The rows that the measured partner has about.
const N_ROWS: u64 = 2_000;

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
        let mut stages = Stages(BTreeMap::new());
        let mut sizes = BTreeMap::new();
        for n in 0..N_WARM + N_MEASURED {
            pack(folder.path(), &facts, &data, &partner, n, &mut stages, &mut sizes).await;
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
    partner: &Partner,
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
    stages.time("gate: pdf", || {
        gate::inspect(&report, Kind::Pdf, &pdf.file_name, &pdf.bytes, &Others::default()).unwrap()
    });
    stages.time("gate: xlsx", || {
        gate::inspect(&report, Kind::Xlsx, &xlsx.file_name, &xlsx.bytes, &Others::default()).unwrap()
    });
    let archive = Archive::folder(&folder.join("archive")).unwrap();
    let before = ProcessTime::now();
    let files = [PackFile::artifact(&pdf), PackFile::artifact(&xlsx), PackFile::report(&report).unwrap()];
    archive.put(&key(&report, n), &files, manifest(&report, n)).await.unwrap();
    stages.0.entry("archive").or_default().push(before.elapsed().as_secs_f64() * 1e3);
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
    for (name, bytes) in sizes {
        println!("{name:<20} {bytes:>8} bytes");
    }
}
