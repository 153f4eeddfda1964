//! The same eight-page table report by krilla and by printpdf: CPU milliseconds, bytes, and whether two renders are equal.
//!
//! `cargo run --release -- FONT.ttf [FOLDER]`; with a folder the files are kept, to be shown to a validator.

mod by_krilla;
mod by_printpdf;
mod content;

use std::path::PathBuf;

/// Renders per library before its time is read, so that allocator and caches are warm.
const N_WARM_UP: u32 = 5;
/// Renders whose mean is printed.
const N_MEASURED: u32 = 60;

/// A candidate's name, the name of its file, and its renderer.
type Candidate<'a> = (&'static str, &'static str, Box<dyn Fn() -> Vec<u8> + 'a>);

fn main() {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let Some(font_path) = arguments.next() else {
        eprintln!("usage: krilla-vs-printpdf FONT.ttf [FOLDER]");
        std::process::exit(2);
    };
    let folder = arguments.next();
    let font = std::fs::read(&font_path).expect("the font can be read");
    let pages = content::pages();
    let krilla = by_krilla::Library::new(&font);
    let printpdf = by_printpdf::Library::new(&font);
    let candidates: [Candidate<'_>; 5] = [
        ("krilla, untagged", "krilla-untagged", Box::new(|| krilla.render(&pages, by_krilla::Kind::Untagged))),
        ("krilla, tagged", "krilla-tagged", Box::new(|| krilla.render(&pages, by_krilla::Kind::Tagged))),
        (
            "krilla, PDF/A-3a and PDF/UA-1",
            "krilla-3a-ua1",
            Box::new(|| krilla.render(&pages, by_krilla::Kind::Archival)),
        ),
        ("printpdf, untagged", "printpdf-untagged", Box::new(|| printpdf.render(&pages, false))),
        ("printpdf, PDF/A-2b asked for", "printpdf-2b", Box::new(|| printpdf.render(&pages, true))),
    ];
    println!("{:<32}{:>10}{:>10}  two renders", "", "CPU ms", "bytes");
    for (name, file_name, render) in candidates {
        let first = render();
        let equal = if render() == first { "equal" } else { "differ" };
        println!("{name:<32}{:>10.2}{:>10}  {equal}", cpu_ms(&*render), first.len());
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder).expect("the folder can be made");
            std::fs::write(folder.join(format!("{file_name}.pdf")), &first).expect("the file can be written");
        }
    }
}

/// Mean CPU milliseconds of one render on this thread.
fn cpu_ms(render: &dyn Fn() -> Vec<u8>) -> f64 {
    for _ in 0..N_WARM_UP {
        std::hint::black_box(render());
    }
    let before = cpu_ns();
    for _ in 0..N_MEASURED {
        std::hint::black_box(render());
    }
    (cpu_ns() - before) as f64 / f64::from(N_MEASURED) / 1e6
}

/// Nanoseconds this thread has spent on a processor, as Linux counts them.
fn cpu_ns() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux keeps scheduler statistics");
    stat.split_whitespace().next().and_then(|ns| ns.parse().ok()).expect("the first field is a number")
}
