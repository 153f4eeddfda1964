//! Reports of good days and bad ones, made from facts by the product's own sections, and their raw rows: what the PDF
//! and the workbook are held against.
//!
//! Used by the product's tests from outside, by the tests against other programs and by the bench of the PDF. Nothing in here is random: the same day is
//! the same report, always.

mod facts;
pub mod hostile;

use std::collections::BTreeMap;

use chrono::DateTime;
use pressrun::audience::{Partner, Role, Scope};
use pressrun::base::{EditionId, Period};
use pressrun::facts::{AudienceFacts, Measure};
use pressrun::render::{Colour, FontFile, FontSet, Job, Logo, Paper, Renderer, Theme, Xlsx};
use pressrun::report::{Block, Report, Rows, RowsBuffer, SectionKind};
use pressrun::sections::{self, RawField, Request, Tally, Template};

pub use facts::Data;

/// A report, the first of the rows behind it, and the look it is printed in.
pub struct Day {
    pub name: &'static str,
    pub report: Report,
    pub rows: RowsBuffer,
    pub theme: Theme,
}

/// As many raw rows are kept: an ordinary partner's. More of the same would only take longer.
pub const ROWS_MAX: u64 = 2_000;

impl Day {
    /// The report as its workbook has it: it speaks of the rows that were kept.
    pub fn of_kept_rows(&self) -> Report {
        let mut report = self.report.clone();
        for block in report.sections.iter_mut().flat_map(|section| &mut section.blocks) {
            if let Block::RawRows { n_rows, .. } = block {
                *n_rows = self.rows.n_rows();
            }
        }
        report
    }

    /// Its workbook.
    pub fn workbook(&self) -> Vec<u8> {
        workbook(&self.of_kept_rows(), &self.rows, &self.theme)
    }
}

/// The workbook of a report and its rows.
pub fn workbook(report: &Report, rows: &dyn Rows, theme: &Theme) -> Vec<u8> {
    Xlsx.render(Job { report, rows: Some(rows), theme }).unwrap().bytes
}

/// The days of the usual test; the others are looked at in the long one.
pub const SHORT: [&str; 6] = ["standard", "letter", "no-rows", "arabic", "mixed", "own-look"];

/// The days of this run: all of them in the long one.
pub fn wanted() -> Vec<Day> {
    let is_long = std::env::var_os("PRESSRUN_LONG").is_some();
    all().into_iter().filter(|day| is_long || SHORT.contains(&day.name)).collect()
}

/// Every day.
pub fn all() -> Vec<Day> {
    let letter = Theme { paper: Paper::Letter, ..Theme::default() };
    let long = "Northern Provinces Holding and Distribution Company of the Kingdom and its Overseas Territories ";
    let word = "Donaudampfschifffahrtsgesellschaft".repeat(6);
    let standard = Data::default;
    let mut days = vec![
        day("standard", standard()),
        Day { theme: letter, ..day("letter", standard()) },
        day("no-rows", Data { n_products: 0, ..standard() }),
        day("one-month", Data { n_months: 1, ..standard() }),
        day("one-product", Data { n_products: 1, n_markets: 1, ..standard() }),
        day("forty-products", Data { n_products: 40, n_markets: 12, ..standard() }),
        day("two-hundred-countries", Data { n_markets: 200, ..standard() }),
        day("many", Data { n_markets: 200, n_products: 40, n_skus: 10, ..standard() }),
        day("all-zeros", Data { scale: 0.0, ..standard() }),
        day("growth-of-10053-percent", Data { growth: 100.5336, usage: 2.4, n_markets: 6, ..standard() }),
        day("tiny-and-huge", Data { extremes: true, n_markets: 8, ..standard() }),
        day("nothing-deployed-known", Data { lacking: vec![Measure::Deployed], ..standard() }),
        day("nothing-but-licenses-known", Data { lacking: Measure::ALL[1..].to_vec(), ..standard() }),
        day("more-removed-than-added", Data { growth: -0.9, ..standard() }),
        day("not-full-yet", Data { n_open: 1, ..standard() }),
        day("no-month-full", Data { n_open: 12, ..standard() }),
        named("names-of-200-characters", &[&long.repeat(3)[..200]]),
        named("one-word-without-a-break", &[&word[..200]]),
        named("arabic", &["شركة المثال للتوزيع (ABC) ش.م.م", "الفرع [الأول]"]),
        named("japanese", &["株式会社サンプル商事ホールディングス", "東京本社（第一営業部）"]),
        named("mixed", &["Ελλάδα Кириллица שלום 東京 हिन्दी ไทย 한국어", "e\u{301}\u{323} \u{13000} \u{e001} ∑ﬁ"]),
        named("hostile", &["<b>&amp;\"'=1+1\u{202e}\u{0}\u{7}\n(", "=HYPERLINK(\"http://example.com\")"]),
    ];
    days.push(Day {
        theme: own_look(), ..day("own-look", Data { names: vec!["Հայաստան".to_owned()], ..standard() })
    });
    let mut corrected = day("corrected", Data { n_open: 1, ..standard() });
    corrected.report.head.revision = 2;
    corrected.report.head.correction = Some("Corrected: revision 1 left out the licenses of one location.".to_owned());
    days.push(corrected);
    days
}

/// A partner's own colours, a logo of 4,000 pixels' width and a font for a script that the carried ones lack.
fn own_look() -> Theme {
    let fixture = |path: &str| std::fs::read(format!("{}/tests/fixtures/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let armenian = FontFile::new(fixture("fonts/NotoSansArmenian-Regular.ttf")).unwrap();
    Theme {
        accent: Colour(150, 30, 90),
        logo: Some(Logo::new(fixture("logos/wide.png")).unwrap()),
        fonts: FontSet::new(None, vec![armenian]),
        ..Theme::default()
    }
}

/// A day of other names: the first is the partner's, all are locations' and SKUs'.
fn named(name: &'static str, names: &[&str]) -> Day {
    day(name, Data { names: names.iter().map(|name| (*name).to_owned()).collect(), ..Data::default() })
}

/// The report of some data, as an executive sees it.
pub fn day(name: &'static str, data: Data) -> Day {
    let role = Role {
        key: "executive".to_owned(),
        label: "Executive report viewer".to_owned(),
        withhold: Vec::new(),
        organization_only: false,
        rank: 1,
    };
    let range = data.range();
    let template = Template {
        name: "product-licenses".to_owned(),
        title: "Product licenses".to_owned(),
        sections: SectionKind::ALL.to_vec(),
        raw_columns: RawField::ALL.to_vec(),
        map: true,
    };
    let eyes = AudienceFacts::new(&role, &Scope::Organization);
    let coverage = eyes.coverage(&data.coverage());
    let fields = sections::raw_fields(&template, &role, &coverage);
    let mut rows = RowsBuffer::new(fields.iter().map(|field| field.column()).collect());
    let mut tally = Tally::new(range, coverage);
    for fact in data.facts() {
        let Some(visible) = eyes.see(&fact) else { continue };
        if fact.month >= range.first() && rows.n_rows() < ROWS_MAX {
            rows.push(&sections::raw_cells(&visible, &fields));
        }
        tally.add(visible).unwrap();
    }
    let partner = Partner { id: "5417831".to_owned(), name: data.partner(), locations: BTreeMap::new() };
    let period = Period::month(range.last());
    let request = Request {
        edition: EditionId::of("monthly", period, name, 1),
        revision: 1,
        correction: None,
        partner: &partner,
        role: &role,
        scope: &Scope::Organization,
        language: "en",
        period,
        range,
        contact: "reports@example.com",
        data_at: DateTime::from_timestamp(1_795_000_000, 0).unwrap(),
    };
    Day { name, report: sections::report(&template, &request, &tally.finish()), rows, theme: Theme::default() }
}
