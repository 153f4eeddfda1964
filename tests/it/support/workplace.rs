//! The program as its users start it, in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// A folder with a configuration in it, removed when it goes out of scope.
pub struct Workplace {
    pub dir: tempfile::TempDir,
}

/// The smallest configuration with these facts (the lines of `[facts]`) and recipients (whole tables).
pub fn configuration(facts: &str, recipients: &str) -> String {
    format!(
        r#"
[facts]
{facts}
[ledger]
database = "ledger.db"
[archive]
folder = "archive"
[mail]
from = "reports@example.com"
contact = "admin@example.com"
outbox = "outbox"
{recipients}
[schedules.monthly]
report = "product-licenses"
cron = "0 6 22W * *"
zone = "UTC"
"#
    )
}

/// How a call of the program ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ended {
    /// Its result as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Itself, after it ended with that exit code.
    #[track_caller]
    pub fn with(self, code: i32) -> Ended {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        self
    }
}

impl Workplace {
    /// An empty one.
    pub fn empty() -> Workplace {
        Workplace { dir: tempfile::tempdir().unwrap() }
    }

    /// Another folder with the same configuration, recipients and files, and nothing loaded.
    pub fn twin(&self) -> Workplace {
        let twin = Workplace::empty();
        for file in ["pressrun.toml", "recipients.csv"] {
            std::fs::copy(self.path(file), twin.path(file)).unwrap();
        }
        for file in self.files("partner-center") {
            let bytes = std::fs::read(self.path("partner-center").join(&file)).unwrap();
            twin.write(&format!("partner-center/{}", file.display()), bytes);
        }
        twin
    }

    /// One in which `demo` was run for so many partners.
    pub fn demo(n_partners: usize) -> Workplace {
        let place = Workplace::empty();
        place.run(&["demo", "--dir", place.text(), "--partners", &n_partners.to_string()]).with(0);
        place
    }

    /// One with the sample's files and recipients of so many partners, and nothing loaded.
    pub fn sample(n_partners: usize) -> Workplace {
        let place = Workplace::demo(n_partners);
        for folder in ["data", "archive", "outbox"] {
            std::fs::remove_dir_all(place.path(folder)).unwrap();
        }
        place
    }

    pub fn text(&self) -> &str {
        self.dir.path().to_str().unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file into it.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A call of the program with this folder's configuration.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pressrun"));
        command.args(args).env("PRESSRUN_CONFIG", self.path("pressrun.toml")).env_remove("PRESSRUN_LOG");
        command.current_dir(self.dir.path()).stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    pub fn run(&self, args: &[&str]) -> Ended {
        let Output { status, stdout, stderr } = self.command(args).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { code: status.code().unwrap_or(-1), out: text(stdout), err: text(stderr) }
    }

    /// Starts it and leaves it running.
    pub fn start(&self, args: &[&str]) -> Child {
        self.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Every file below a folder of it, by its path from there, in order; nothing when the folder is not there.
    pub fn files(&self, folder: &str) -> Vec<PathBuf> {
        let root = self.path(folder);
        let mut found = Vec::new();
        collect(&root, &root, &mut found);
        found.sort();
        found
    }

    /// The files of its partners, as the sample wrote them.
    pub fn sample_files(&self) -> Vec<String> {
        let folder = self.path("partner-center");
        self.files("partner-center").iter().map(|file| folder.join(file).to_str().unwrap().to_owned()).collect()
    }

    /// Loads the sample's files.
    pub fn ingest_sample(&self) {
        let files = self.sample_files();
        let mut args = vec!["ingest"];
        args.extend(files.iter().map(String::as_str));
        self.run(&args).with(0);
    }
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        match entry.file_type().unwrap().is_dir() {
            true => collect(root, &entry.path(), found),
            false => found.push(entry.path().strip_prefix(root).unwrap().to_owned()),
        }
    }
}
