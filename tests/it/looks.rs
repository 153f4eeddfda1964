//! A look of one partner: in its PDF and its workbook, and in nobody else's.

use std::collections::BTreeMap;
use std::io::Read;

use crate::support::workplace::Workplace;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

/// An accent that is nobody's else.
const ACCENT: &str = "8a1538";

/// The partners of the sample, by id.
fn partners(place: &Workplace) -> Vec<String> {
    let csv = std::fs::read_to_string(place.path("recipients.csv")).unwrap();
    let mut lines = csv.lines();
    let column = lines.next().unwrap().split(',').position(|name| name == "partner_id").unwrap();
    let mut ids: Vec<String> = lines.map(|line| line.split(',').nth(column).unwrap().to_owned()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Adds a look to the configuration, with the files that it names.
fn dress(place: &Workplace, look: &str) {
    for (folder, file) in [
        ("logos", "plain.png"),
        ("fonts", "NotoSerif-Regular.ttf"),
        ("fonts", "NotoSerif-Bold.ttf"),
        ("fonts", "NotoSansArmenian-Regular.ttf"),
    ] {
        place.write(file, std::fs::read(format!("{FIXTURES}/{folder}/{file}")).unwrap());
    }
    let config = std::fs::read_to_string(place.path("pressrun.toml")).unwrap();
    place.write("pressrun.toml", format!("{config}\n{look}"));
}

fn look_of(partner: &str) -> String {
    format!(
        "[theme.partners.\"{partner}\"]\naccent = \"#{ACCENT}\"\nlogo = \"plain.png\"\nfonts = [\"NotoSansArmenian-Regular.ttf\"]\n\
         font = {{ regular = \"NotoSerif-Regular.ttf\", bold = \"NotoSerif-Bold.ttf\" }}\n"
    )
}

/// The bytes of every archived file, by its path.
fn archived(place: &Workplace) -> BTreeMap<String, Vec<u8>> {
    let bytes = |path: &std::path::PathBuf| std::fs::read(place.path("archive").join(path)).unwrap();
    place.files("archive").iter().map(|path| (path.to_str().unwrap().to_owned(), bytes(path))).collect()
}

/// All parts of a workbook as one text.
fn parts(workbook: &[u8]) -> String {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(workbook)).unwrap();
    let mut text = String::new();
    for n in 0..zip.len() {
        zip.by_index(n).unwrap().read_to_string(&mut text).unwrap();
    }
    text
}

/// Whether a PDF shows an image, and whether it is set in the partner's own family.
fn shown(pdf: &[u8]) -> (bool, bool) {
    let document = lopdf::Document::load_mem(pdf).unwrap();
    let images =
        document.get_pages().values().map(|page| document.get_page_images(*page).unwrap().len()).sum::<usize>();
    let named = |object: &lopdf::Object| {
        let name = object.as_dict().ok().and_then(|dict| dict.get(b"FontName").ok()?.as_name().ok());
        name.is_some_and(|name| name.ends_with(b"NotoSerif-Regular"))
    };
    (images > 0, document.objects.values().any(named))
}

#[test]
fn a_partners_look_reaches_its_own_files_and_no_other_partners() {
    let place = Workplace::sample(3);
    let partners = partners(&place);
    dress(&place, &look_of(&partners[1]));
    place.ingest_sample();
    let checked = place.run(&["check"]).with(0).out;
    assert!(!checked.contains("look"), "a look that is well has nothing said of it: {checked}");
    place.run(&["run", "monthly"]).with(0);
    let mut n_files = [0, 0];
    let mut digests: BTreeMap<bool, Vec<String>> = BTreeMap::new();
    for (path, bytes) in archived(&place) {
        let is_own = path.contains(&format!("/{}/", partners[1]));
        match path.rsplit('.').next().unwrap() {
            "pdf" => assert_eq!(shown(&bytes), (is_own, is_own), "{path}"),
            "xlsx" => assert_eq!(parts(&bytes).to_lowercase().contains(ACCENT), is_own, "{path}"),
            _ if path.ends_with("edition.json") => {
                let manifest: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
                let of = |key: &str| manifest[key].as_str().unwrap().to_owned();
                digests.entry(is_own).or_default().push(of("theme") + &of("fonts"));
                continue;
            }
            _ => continue,
        }
        n_files[usize::from(is_own)] += 1;
    }
    assert!(n_files.iter().all(|n| *n >= 2), "{n_files:?}");
    digests.values_mut().for_each(Vec::dedup);
    assert!(
        digests[&true].len() == 1 && digests[&false].len() == 1 && digests[&true] != digests[&false],
        "{digests:?}"
    );
}

#[test]
fn the_same_look_makes_the_same_bytes_in_another_folder() {
    let first = Workplace::sample(2);
    let look = look_of(&partners(&first)[0]);
    let second = first.twin();
    for place in [&first, &second] {
        dress(place, &look);
        place.ingest_sample();
        place.run(&["run", "monthly"]).with(0);
    }
    assert!(archived(&first) == archived(&second));
}

#[test]
fn a_look_of_a_partner_that_is_not_in_the_data_is_warned_of() {
    let place = Workplace::sample(1);
    dress(&place, "[theme.partners.\"no-such-partner\"]\naccent = \"#8a1538\"\n");
    place.ingest_sample();
    let checked = place.run(&["check"]).with(0).out;
    assert!(checked.contains("warning  looks whose partner is not in the data: no-such-partner\n"), "{checked}");
}

#[test]
fn a_look_that_cannot_be_used_is_told_with_its_place_and_a_hint() {
    let place = Workplace::sample(1);
    dress(&place, "[theme]\nlogo = \"logo.svg\"\n");
    place.write("logo.svg", "<svg/>");
    let ended = place.run(&["check"]).with(2);
    for words in ["logo.svg` is an SVG drawing at ", "pressrun.toml:", "save it as a PNG, 600 pixels wide"] {
        assert!(ended.err.contains(words), "{}", ended.err);
    }
}
