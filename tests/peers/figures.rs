//! Every figure of every report against plain SQL over the raw files, which shares no code with the program.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use pressrun::base::{Growth, Market, Quantity};
use pressrun::facts::sample::{self, SampleSize};
use pressrun::report::{Block, Chart, Report, Table, Value};

use crate::pdf::pdftotext;
use crate::peer;
use crate::workplace::{Workplace, configuration};

type Json = serde_json::Value;

/// One edition: its report, its folder, and the oracle's answer for its partner and scope.
struct Edition {
    report: Report,
    folder: PathBuf,
    oracle: Json,
}

fn editions(place: &Workplace, partner_from: &str) -> Vec<Edition> {
    let archive = place.path("archive");
    let mut found = Vec::new();
    for file in place.files("archive").iter().filter(|path| path.ends_with("edition.json")) {
        let folder = archive.join(file).parent().unwrap().to_owned();
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        let manifest: Json = serde_json::from_str(&read("edition.json")).unwrap();
        found.push((serde_json::from_str::<Report>(&read("report.json")).unwrap(), folder, manifest));
    }
    let questions: Vec<Json> = found.iter().map(|(report, _, manifest)| question(report, manifest)).collect();
    let answers = ask(&place.path("partner-center"), partner_from, &questions);
    found.into_iter().zip(answers).map(|((report, folder, _), oracle)| Edition { report, folder, oracle }).collect()
}

fn question(report: &Report, manifest: &Json) -> Json {
    let scope = manifest["audience"]["scope"].as_str().unwrap();
    let locations = scope.strip_prefix("locations:").map(|ids| ids.split('+').collect::<Vec<_>>());
    serde_json::json!({
        "partner": report.head.partner_id, "locations": locations,
        "range": report.head.range.n_months(), "period": report.head.period,
    })
}

fn ask(files: &Path, partner_from: &str, questions: &[Json]) -> Vec<Json> {
    let oracle = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/oracle.py");
    let mut command = peer::command("python3");
    command.arg(oracle).arg("--batch").args(["--partner-from", partner_from]).arg("--files").arg(files);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let text: String = questions.iter().map(|question| format!("{question}\n")).collect();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let answers: Vec<Json> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), questions.len());
    answers
}

fn quantity(value: &Json) -> Option<Quantity> {
    value.as_str().map(|text| text.parse().unwrap())
}

fn tables(report: &Report) -> BTreeMap<&str, &Table> {
    fn collect<'a>(blocks: &'a [Block], found: &mut BTreeMap<&'a str, &'a Table>) {
        for block in blocks {
            match block {
                Block::Table(table) => {
                    found.insert(&table.key, table);
                }
                Block::Panels { panels, .. } => panels.iter().for_each(|panel| collect(&panel.blocks, found)),
                _ => {}
            }
        }
    }
    let mut found = BTreeMap::new();
    report.sections.iter().for_each(|section| collect(&section.blocks, &mut found));
    found
}

fn cell<'a>(table: &'a Table, row: &'a [Value], label: &str) -> &'a Value {
    let n = table.columns.iter().position(|column| column.label == label).unwrap_or_else(|| panic!("{label}"));
    &row[n]
}

fn held(value: &Value) -> Option<Quantity> {
    match value {
        Value::Quantity(quantity) | Value::Usd(quantity) => *quantity,
        other => panic!("{other:?} is no quantity"),
    }
}

impl Edition {
    /// At some locations a measure may be known of products only that they never have: the oracle, which asks for
    /// the partner's products, says 0 there, and the report, which asks for the audience's own, says n/a.
    #[track_caller]
    fn same(&self, what: &str, ours: Option<Quantity>, theirs: Option<Quantity>) {
        let is_part = self.report.head.scope != "Entire organization";
        if is_part && ours.is_none() && theirs == Some(Quantity::ZERO) {
            return;
        }
        assert_eq!(
            ours,
            theirs,
            "{what} of {} ({}), {}",
            self.report.head.partner_name,
            self.report.head.scope,
            self.folder.display()
        );
    }

    fn kpis_agree(&self) {
        let keys = [("licenses", "licenses"), ("deployed", "deployed"), ("active", "active")];
        for (kpi, (key, name)) in self.report.kpis().zip(keys) {
            assert_eq!(kpi.key, key);
            let theirs = &self.oracle["kpis"][name];
            self.same(name, kpi.current, quantity(&theirs["current"]));
            let growth = Growth::between(quantity(&theirs["growth_first"]), quantity(&theirs["growth_last"]));
            assert_eq!(kpi.growth.text(), growth.text(), "growth of {name}, {}", self.folder.display());
            for (month, ours) in self.report.head.range.months().zip(&kpi.trend) {
                self.same(&format!("{name} in {month}"), *ours, quantity(&theirs["months"][month.to_string()]));
            }
        }
    }

    fn products_agree(&self) {
        let table = tables(&self.report)["products"];
        let theirs = self.oracle["products"].as_object().unwrap();
        // A product without a row in the range has no line here, and nothing but zeros there.
        let is_here = |name: &str| table.rows.iter().any(|row| row[0].text() == name);
        for (name, values) in theirs.iter().filter(|(name, _)| !is_here(name)) {
            for key in ["licenses", "deployed", "active", "licenses_first"] {
                assert_eq!(quantity(&values[key]).unwrap_or_default(), Quantity::ZERO, "{key} of {name}");
            }
        }
        for row in &table.rows {
            let name = row[0].text();
            for (label, key) in [("Licenses", "licenses"), ("Deployed", "deployed"), ("Active", "active")] {
                self.same(&format!("{label} of {name}"), held(cell(table, row, label)), quantity(&theirs[&name][key]));
            }
            let growth =
                Growth::between(quantity(&theirs[&name]["licenses_first"]), quantity(&theirs[&name]["licenses"]));
            assert_eq!(cell(table, row, "Growth").text(), growth.text(), "growth of {name}");
        }
    }

    fn countries_agree(&self) {
        let table = tables(&self.report)["countries"];
        let mut theirs: BTreeMap<&str, [Quantity; 2]> = BTreeMap::new();
        for (spelled, values) in self.oracle["markets"].as_object().unwrap() {
            let name = spelled.parse::<Market>().unwrap().name();
            let sums = theirs.entry(name).or_default();
            for (sum, key) in sums.iter_mut().zip(["licenses", "active"]) {
                *sum += quantity(&values[key]).unwrap_or_default();
            }
        }
        theirs.retain(|_, sums| sums.iter().any(|sum| *sum != Quantity::ZERO));
        assert_eq!(table.rows.len(), theirs.len(), "{}", self.folder.display());
        for row in &table.rows {
            let name = row[0].text();
            let [licenses, active] = theirs[name.as_str()];
            self.same(&format!("licenses in {name}"), held(cell(table, row, "Current licenses")), Some(licenses));
            self.same(&format!("active in {name}"), held(cell(table, row, "Active licenses")), Some(active));
        }
    }

    fn adds_agree(&self) {
        let section = self.report.sections.iter().find(|section| section.title == "License adds").unwrap();
        let Some(Block::Chart(Chart::Columns(chart))) = section.blocks.first() else { panic!("no chart of adds") };
        for (series, key) in [(&chart.above, "added"), (&chart.below, "removed")] {
            for product in series.iter() {
                let theirs = &self.oracle["adds"][&product.name];
                for (month, ours) in chart.months.iter().zip(&product.values) {
                    let theirs = quantity(&theirs[month.to_string()][key]);
                    self.same(&format!("{key} of {} in {month}", product.name), *ours, theirs);
                }
            }
        }
        let table = tables(&self.report)["adds_by_sku"];
        for row in &table.rows {
            let theirs = &self.oracle["adds_by_sku"][row[1].text()][row[0].text()];
            for (column, key) in [(4, "added"), (5, "removed")] {
                let months =
                    theirs.as_object().unwrap_or_else(|| panic!("{row:?}, {}", self.folder.display())).values();
                let sum: Quantity = months.filter_map(|month| quantity(&month[key])).sum();
                self.same(&format!("{key} of {}", row[0].text()), held(&row[column]), Some(sum));
            }
        }
    }

    fn leaderboards_agree(&self) {
        for key in ["by_location", "by_attach_type", "by_sales_channel", "by_segment", "by_sku"] {
            let table = tables(&self.report)[key];
            let theirs = self.oracle[key].as_object().unwrap();
            let values = |value: &Json| [quantity(&value["first"]), quantity(&value["current"])];
            // A location stands under its name here and under its id there: compared as lists of figures.
            let mut theirs: Vec<_> = theirs.values().map(values).collect();
            theirs.retain(|values| values.iter().flatten().any(|value| *value != Quantity::ZERO));
            let mut current: Vec<_> = theirs.iter().map(|[_, current]| *current).collect();
            let mut ours: Vec<_> = table.rows.iter().map(|row| held(cell(table, row, "Licenses"))).collect();
            ours.sort();
            current.sort();
            assert_eq!(ours, current, "{key}, {}", self.folder.display());
            let mut growth: Vec<String> =
                theirs.iter().map(|[first, last]| Growth::between(*first, *last).text()).collect();
            let mut shown: Vec<String> = table.rows.iter().map(|row| cell(table, row, "Growth").text()).collect();
            growth.sort();
            shown.sort();
            assert_eq!(shown, growth, "growth {key}, {}", self.folder.display());
        }
    }

    fn revenue_agrees(&self) -> bool {
        let table = tables(&self.report)["products"];
        if !table.columns.iter().any(|column| column.label == "Revenue (USD)") {
            return false;
        }
        for row in &table.rows {
            let theirs = quantity(&self.oracle["billed_revenue_usd"]["products"][row[0].text()]);
            // A product that nobody was billed for has no line in the oracle's list.
            self.same("revenue", held(cell(table, row, "Revenue (USD)")), Some(theirs.unwrap_or_default()));
        }
        true
    }

    /// The oracle's key figures stand in the PDF as other programs read it.
    fn pdf_shows_the_figures(&self) {
        let file = std::fs::read_dir(&self.folder).unwrap().flatten().map(|entry| entry.path());
        let file = file.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "pdf")).unwrap();
        let text = pdftotext(&file).unwrap();
        for key in ["licenses", "deployed", "active"] {
            let figure = quantity(&self.oracle["kpis"][key]["current"]);
            let shown = figure.map_or("n/a".to_owned(), Quantity::grouped);
            assert!(text.contains(&shown), "{key} {shown} is not in {}:\n{text}", file.display());
        }
    }
}

fn all_agree(edition: &Edition) {
    let full: Vec<&str> =
        edition.oracle["full_months"].as_array().unwrap().iter().map(|m| m.as_str().unwrap()).collect();
    let compared = edition.report.head.compared.unwrap();
    assert_eq!(
        (compared.first.to_string().as_str(), compared.last.to_string().as_str()),
        (full[0], full[full.len() - 1])
    );
    edition.kpis_agree();
    edition.products_agree();
    edition.countries_agree();
    edition.adds_agree();
    edition.leaderboards_agree();
}

#[test]
fn every_figure_of_the_demo_is_what_plain_sql_over_its_files_gives() {
    let place = Workplace::demo(12);
    let editions = editions(&place, "account");
    assert!(editions.len() > 20, "{}", editions.len());
    let mut n_with_revenue = 0;
    for edition in &editions {
        all_agree(edition);
        n_with_revenue += usize::from(edition.revenue_agrees());
    }
    assert!((12..editions.len()).contains(&n_with_revenue), "{n_with_revenue}");
    // Every tenth is read in its PDF too: pdftotext takes its time.
    editions.iter().step_by(3).for_each(Edition::pdf_shows_the_figures);
}

const RESELLERS: &str = "database = \"facts.db\"\npartner_from = \"reseller\"";
const LISTED: &str = "[recipients]\ncsv = \"recipients.csv\"";

/// A distributor's files, loaded with usage first, so that nothing depends on the order.
fn distributor() -> Workplace {
    let place = Workplace::empty();
    place.write("pressrun.toml", configuration(RESELLERS, LISTED));
    place.write("recipients.csv", "address,name,partner_id,role,locations,language\n");
    let size = SampleSize::new("2026-11".parse().unwrap(), "2026-11-24T04:10:00Z".parse().unwrap());
    let mut files = Vec::new();
    sample::write_distributor(&size, &mut |file| {
        let path = place.write(&format!("partner-center/{}", file.name), &file.bytes);
        files.push(path.to_str().unwrap().to_owned());
        Ok(())
    })
    .unwrap();
    files.sort();
    let mut args = vec!["ingest"];
    args.extend(files.iter().map(String::as_str));
    place.run(&args).with(0);
    place
}

#[test]
fn a_distributor_s_resellers_have_the_figures_that_plain_sql_gives() {
    let place = distributor();
    let run = ["run", "monthly", "--period", "2026-10", "--json"];
    let resellers = place.run(&run).with(0).json()["partners_without_recipients"].clone();
    let resellers: Vec<&str> = resellers.as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    assert!(resellers.len() > 2, "{resellers:?}");
    let lines: String =
        resellers.iter().map(|id| format!("a@example.com,,{id},executive-report-viewer,,en\n")).collect();
    place.write("recipients.csv", format!("address,name,partner_id,role,locations,language\n{lines}"));
    place.run(&run).with(0);
    let editions = editions(&place, "reseller");
    assert!(editions.len() > 2, "{}", editions.len());
    for edition in &editions {
        edition.kpis_agree();
        edition.products_agree();
        edition.countries_agree();
        edition.adds_agree();
    }
}

#[test]
fn the_oracle_agrees_with_what_was_worked_out_by_hand() {
    let oracle = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/oracle.py");
    let output = peer::run("python3", [oracle.as_os_str(), "--self-test".as_ref()]);
    assert!(output.status.success(), "{}", peer::said(&output));
}
