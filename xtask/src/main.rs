//! `cargo xtask test | bench | gallery | schema | map`: what is run beside the product. Standard library only, so
//! that it builds at once.

mod check;
mod map;
mod peers;
mod postfix;
mod steps;
mod verapdf;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use steps::{Log, Step};

const USAGE: &str = "\
usage: cargo xtask test [--long] [--only NAME]...   every check, with all its set-up
       cargo xtask bench                            the benches, with their figures
       cargo xtask gallery                          every page and sheet of good days and bad ones, as
                                                    pictures to look at
       cargo xtask schema                           writes config/pressrun.schema.json anew
       cargo xtask map COUNTRIES                    writes the world of the Geography section anew, from the
                                                    countries-50m.json of the npm package world-atlas 2.0.2";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["test", options @ ..] => match check::Options::parse(options) {
            Ok(options) => check::run(&Tree::here(), &options),
            Err(message) => wrong(&message),
        },
        ["bench"] => bench(&Tree::here()),
        ["gallery"] => gallery(&Tree::here()),
        ["schema"] => schema(&Tree::here()),
        ["map", countries] => map(&Tree::here(), Path::new(countries)),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        [] => wrong("no task named"),
        [task, ..] => wrong(&format!("unknown task `{task}`, or a word too many after it")),
    }
}

fn wrong(message: &str) -> ExitCode {
    eprintln!("{message}\n{USAGE}");
    ExitCode::from(2)
}

/// The source tree and where what is built goes.
pub struct Tree {
    /// The folder of the workspace's `Cargo.toml`.
    pub root: PathBuf,
    /// Where peers are installed: below the build folder, so that they are kept and cleaned with it.
    pub peers: PathBuf,
}

impl Tree {
    fn here() -> Tree {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.parent().unwrap_or(manifest).to_path_buf();
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
        Tree { peers: target.join("peers"), root }
    }

    /// The names of the targets under `tests/` or `benches/`: `NAME.rs` or `NAME/main.rs`.
    pub fn targets(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.root.join(folder)).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.filter_map(|entry| target_name(&entry.path())).collect();
        names.sort();
        names
    }
}

fn target_name(path: &Path) -> Option<String> {
    let is_target = path.extension().is_some_and(|ending| ending == "rs") || path.join("main.rs").is_file();
    is_target.then(|| path.file_stem()?.to_str().map(str::to_owned)).flatten()
}

fn bench(tree: &Tree) -> ExitCode {
    let mut log = Log::default();
    run_benches(tree, &mut log);
    log.close()
}

/// Draws the pages that the snapshots are of, and the sheets of the workbooks.
fn gallery(tree: &Tree) -> ExitCode {
    let mut log = Log::default();
    let folder = tree.peers.with_file_name("gallery");
    log.work("set-up", || peers::install(tree));
    let step = Step::cargo(tree, "gallery").args(["test", "--test", "peers", "gallery"]);
    let step = peers::Peers::find(tree).tell(step).env("PRESSRUN_LONG", "1").env("PRESSRUN_GALLERY", &folder);
    log.run(step.counting_tests());
    println!("   the pages are in {}", folder.display());
    log.close()
}

/// Runs every bench there is, in a release build.
fn run_benches(tree: &Tree, log: &mut Log) {
    let names = tree.targets("benches");
    if names.is_empty() {
        log.failed("benches", "there is none under benches/");
        return;
    }
    let step = Step::cargo(tree, "benches").arg("bench");
    log.run(names.iter().fold(step, |step, name| step.arg("--bench").arg(name)));
}

fn schema(tree: &Tree) -> ExitCode {
    let mut log = Log::default();
    let file = tree.root.join("config/pressrun.schema.json");
    let step = Step::cargo(tree, "schema").arg("test").arg("--lib").arg("--test").arg("it").arg("schema");
    log.run(step.env("PRESSRUN_UPDATE", "1").counting_tests());
    if !file.is_file() {
        log.failed("schema", "config/pressrun.schema.json was not written");
    }
    log.close()
}

fn map(tree: &Tree, countries: &Path) -> ExitCode {
    let mut log = Log::default();
    let text = std::fs::read_to_string(countries).map_err(|error| format!("{}: {error}", countries.display()));
    let written = text.and_then(|text| map::of(&text)).and_then(|world| {
        std::fs::write(tree.root.join("src/render/chart/world.txt"), world).map_err(|error| error.to_string())
    });
    if let Err(message) = written {
        log.failed("map", &message);
    }
    log.close()
}
