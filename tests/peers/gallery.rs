//! Snapshots of the PDF's good days and bad ones: the text as it is laid out, the structure as it is read, and a small
//! picture of the first pages.
//!
//! `PRESSRUN_UPDATE=1` writes them anew: look at what `cargo xtask gallery` draws before you keep them.

use std::path::{Path, PathBuf};

use pressrun::render::{Job, Pdf, Renderer};

use crate::days::{self, Day};
use crate::peer;

/// Dots an inch of the small pictures and of those to look at.
const SMALL_DPI: &str = "16";
const LARGE_DPI: &str = "80";
/// How many pages of a day have a small picture.
const N_PICTURED: &str = "4";
/// How far a dot's grey may be off before it counts, of 255, and how many such dots a picture may have.
const GREY_TOLERANCE: u8 = 24;
const DOTS_OFF_MAX_PER_MILLE: usize = 4;

fn snapshots() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/snapshots")
}

fn run(program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = peer::run(program, arguments);
    assert!(output.status.success(), "{}", peer::said(&output));
    output.stdout
}

/// A picture in greys, as a PGM has it (netpbm, `P5`).
#[derive(PartialEq, Eq)]
struct Greys {
    size: (usize, usize),
    dots: Vec<u8>,
}

impl Greys {
    fn of(pgm: &[u8]) -> Greys {
        let mut fields = pgm.splitn(4, |byte| byte.is_ascii_whitespace());
        let mut number = || -> usize { std::str::from_utf8(fields.next().unwrap()).unwrap().parse().unwrap_or(0) };
        let (_, width, height) = (number(), number(), number());
        let dots = pgm[pgm.len() - width * height..].to_vec();
        Greys { size: (width, height), dots }
    }

    /// How many dots of a thousand differ so much that one would see it.
    fn off(&self, other: &Greys) -> usize {
        if self.size != other.size {
            return 1000;
        }
        let differs = |(one, other): &(&u8, &u8)| one.abs_diff(**other) > GREY_TOLERANCE;
        self.dots.iter().zip(&other.dots).filter(differs).count() * 1000 / self.dots.len()
    }
}

/// The first pages one below the other, packed.
fn picture(file: &str, folder: &Path) -> Vec<u8> {
    let stem = folder.join("small").display().to_string();
    run("pdftoppm", &["-r", SMALL_DPI, "-gray", "-l", N_PICTURED, file, &stem]);
    let mut pages: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.retain(|path| path.extension().is_some_and(|ending| ending == "pgm"));
    pages.sort();
    let greys: Vec<Greys> = pages.iter().map(|path| Greys::of(&std::fs::read(path).unwrap())).collect();
    let (width, height) = (greys[0].size.0, greys.iter().map(|page| page.size.1).sum::<usize>());
    let mut pgm = format!("P5 {width} {height} 255\n").into_bytes();
    greys.iter().for_each(|page| pgm.extend(&page.dots));
    pages.iter().for_each(|path| std::fs::remove_file(path).unwrap());
    pgm
}

/// What is wrong with a day's snapshots, one line each.
fn compare(day: &Day) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.pdf");
    std::fs::write(&path, Pdf.render(Job { report: &day.report, rows: None, theme: &day.theme }).unwrap().bytes)
        .unwrap();
    let file = path.display().to_string();
    if let Some(gallery) = std::env::var_os("PRESSRUN_GALLERY") {
        std::fs::create_dir_all(&gallery).unwrap();
        let stem = Path::new(&gallery).join(day.name).display().to_string();
        run("pdftoppm", &["-r", LARGE_DPI, "-png", &file, &stem]);
        std::fs::copy(&path, format!("{stem}.pdf")).unwrap();
    }
    let text = run("pdftotext", &["-layout", &file, "-"]);
    let tree = run("pdfinfo", &["-struct-text", &file]);
    let kept = |ending: &str| snapshots().join(format!("{}.{ending}", day.name));
    if std::env::var_os("PRESSRUN_UPDATE").is_some() {
        std::fs::create_dir_all(snapshots()).unwrap();
        for (ending, made) in
            [("txt", &text), ("tree.zst", &packed(&tree)), ("pgm.zst", &packed(&picture(&file, folder.path())))]
        {
            std::fs::write(kept(ending), made).unwrap();
        }
    }
    let read = |ending: &str| std::fs::read(kept(ending)).unwrap_or_default();
    let mut wrong = Vec::new();
    for (what, made, kept) in [("text", &text, read("txt")), ("structure", &tree, unpacked(&read("tree.zst")))] {
        wrong.extend(first_difference(made, &kept).map(|line| format!("{}, {what}: {line}", day.name)));
    }
    let kept = unpacked(&read("pgm.zst"));
    let off = if kept.is_empty() { 1000 } else { Greys::of(&picture(&file, folder.path())).off(&Greys::of(&kept)) };
    if off > DOTS_OFF_MAX_PER_MILLE {
        wrong.push(format!("{}, picture: {off} of 1000 dots differ", day.name));
    }
    wrong
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 19).unwrap()
}

fn unpacked(bytes: &[u8]) -> Vec<u8> {
    zstd::decode_all(bytes).unwrap_or_default()
}

fn first_difference(made: &[u8], kept: &[u8]) -> Option<String> {
    let (made, kept) = (String::from_utf8_lossy(made), String::from_utf8_lossy(kept));
    let mut lines = made.lines().zip(kept.lines()).enumerate();
    let differs = lines.find(|(_, (made, kept))| made != kept);
    match differs {
        Some((n, (made, kept))) => Some(format!("line {} is\n  {made}\nand was\n  {kept}", n + 1)),
        None if made.lines().count() != kept.lines().count() => Some("it ends elsewhere".to_owned()),
        None => None,
    }
}

#[test]
fn each_day_looks_and_reads_as_it_did() {
    let days: Vec<Day> = days::wanted();
    let half = days.len().div_ceil(2);
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let compared = |days| scope.spawn(move || <[Day]>::iter(days).flat_map(compare).collect::<Vec<String>>());
        let halves: Vec<_> = days.chunks(half).map(compared).collect();
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{}\nlook at `cargo xtask gallery`, then PRESSRUN_UPDATE=1 keeps them", wrong.join("\n"));
}

#[test]
fn a_snapshot_of_another_day_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let pictured = |n_markets: usize| {
        let day = days::day("standard", days::Data { n_markets, n_products: 2, ..days::Data::default() });
        let path = folder.path().join("page.pdf");
        let bytes = Pdf.render(Job { report: &day.report, rows: None, theme: &day.theme }).unwrap().bytes;
        std::fs::write(&path, bytes).unwrap();
        Greys::of(&picture(&path.display().to_string(), folder.path()))
    };
    let (one, other) = (pictured(6), pictured(9));
    assert!(one.off(&one) == 0 && one.off(&other) > DOTS_OFF_MAX_PER_MILLE, "{}", one.off(&other));
    assert!(first_difference(b"a\nb", b"a\nc").is_some() && first_difference(b"a", b"a\nb").is_some());
    assert_eq!(first_difference(b"a\nb", b"a\nb"), None);
}
