//! What a grant may not see is in none of its files: searched in the unzipped workbook, in the PDF's own text, in the
//! archived values and rows, and in the mail.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::pdf::pdftotext;
use crate::workplace::Workplace;

/// Everything that can be read in the files of one edition, as one text.
fn all_text(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("pdf") => text += &pdftotext(&path).unwrap(),
            Some("xlsx") => text += &unzipped(&path),
            Some("zst") => {
                text += &String::from_utf8(zstd::decode_all(&*std::fs::read(&path).unwrap()).unwrap()).unwrap()
            }
            _ => text += &std::fs::read_to_string(&path).unwrap(),
        }
        text += &path.display().to_string();
    }
    text
}

fn unzipped(path: &Path) -> String {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let mut text = String::new();
    for n in 0..archive.len() {
        let mut bytes = Vec::new();
        archive.by_index(n).unwrap().read_to_end(&mut bytes).unwrap();
        text += &String::from_utf8_lossy(&bytes);
    }
    text
}

/// The values of a column in an edition's archived rows.
fn column(folder: &Path, name: &str) -> BTreeSet<String> {
    let bytes = zstd::decode_all(&*std::fs::read(folder.join("rows.csv.zst")).unwrap()).unwrap();
    let mut csv = csv::Reader::from_reader(bytes.as_slice());
    let n = csv.headers().unwrap().iter().position(|header| header == name).unwrap_or_else(|| panic!("no {name}"));
    // Short and plain texts may stand in a file for other reasons.
    let told = |record: csv::StringRecord| record[n].to_owned();
    csv.records().map(|record| told(record.unwrap())).filter(|text| text.chars().count() >= 8).collect()
}

/// The folders of a partner's editions by audience.
fn editions(place: &Workplace) -> Vec<PathBuf> {
    let archive = place.path("archive");
    let manifests = place.files("archive").into_iter().filter(|path| path.ends_with("edition.json"));
    manifests.map(|path| archive.join(path).parent().unwrap().to_owned()).collect()
}

fn audience(folder: &Path) -> String {
    folder.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned()
}

fn partner(folder: &Path) -> &Path {
    folder.parent().unwrap().parent().unwrap()
}

#[test]
fn no_audience_s_files_hold_what_its_grant_may_not_see() {
    let place = Workplace::demo(4);
    let editions = editions(&place);
    let (mut n_viewers, mut n_scoped) = (0, 0);
    for executive in editions.iter().filter(|folder| audience(folder).starts_with("executive-report-viewer")) {
        let customers = column(executive, "customer_name");
        assert!(!customers.is_empty(), "{}", executive.display());
        let seen = all_text(executive);
        assert!(customers.iter().any(|name| seen.contains(name.as_str())) && seen.contains("Revenue (USD)"));
        let locations = column(executive, "location_name");
        for folder in editions.iter().filter(|folder| partner(folder) == partner(executive) && *folder != executive) {
            let text = all_text(folder);
            let audience = audience(folder);
            n_viewers += 1;
            for name in &customers {
                assert!(!text.contains(name.as_str()), "{audience} sees the customer `{name}`: {}", folder.display());
            }
            assert!(!text.contains("Revenue (USD)") && !text.contains("billed_revenue_usd"), "{audience} sees revenue");
            if audience.matches('.').count() == 2 {
                n_scoped += 1;
                let own = column(folder, "location_name");
                for other in locations.difference(&own) {
                    assert!(!text.contains(other.as_str()), "{audience} sees the location `{other}`");
                }
            }
        }
    }
    assert!(n_viewers >= 3 && n_scoped >= 1, "{n_viewers}, {n_scoped}");
}

#[test]
fn no_file_names_another_partner() {
    let place = Workplace::demo(4);
    let editions = editions(&place);
    let name = |folder: &Path| {
        let report = std::fs::read_to_string(folder.join("report.json")).unwrap();
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        report["head"]["partner_name"].as_str().unwrap().to_owned()
    };
    let names: BTreeSet<String> = editions.iter().map(|folder| name(folder)).collect();
    assert!(names.len() > 2);
    for folder in &editions {
        let (own, text) = (name(folder), all_text(folder));
        for other in names.iter().filter(|other| **other != own) {
            assert!(!text.contains(other.as_str()), "{own}'s files name {other}");
        }
    }
}
