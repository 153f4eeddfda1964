//! How fast mails go out: a run of one edition to very many recipients, beside a bare loop of lettre's own transport, both
//! to a sink on this machine.
//!
//! Prints figures; nothing is asserted. `cargo bench --bench mails`; `PRESSRUN_MAILS=N` for another number than 10,000.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints, and stops where it cannot go on")]

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Attachment, MultiPart, SinglePart};
use lettre::{Message, SmtpTransport, Transport as _};
use pressrun::clock::Stopwatch;

fn main() {
    let n: usize = std::env::var("PRESSRUN_MAILS").ok().and_then(|n| n.parse().ok()).unwrap_or(10_000);
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::start();
    let place = folder.path().join("demo");
    pressrun(&place, &["demo", "--dir", place.to_str().unwrap(), "--partners", "1"]);
    let files = attachments(&place.join("archive"));
    let n_bytes: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    println!("{n} mails with {} KB of files each, to a sink on this machine", n_bytes / 1_000);
    let (ours, cpu, resident) = run(&place, n, &sink);
    println!("  a run: {:.0} mails/s, {cpu:.2} ms of CPU a mail, {resident:.0} MB resident at most", ours);
    let bare = lettre_loop(n, &files, &sink);
    println!("  a bare loop of lettre, one connection: {bare:.0} mails/s");
    println!("  ratio: {:.2}", ours / bare);
}

/// Takes every mail and counts them.
struct Sink {
    port: u16,
    n_taken: Arc<AtomicU64>,
}

impl Sink {
    fn start() -> Sink {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let sink = Sink { port: listener.local_addr().unwrap().port(), n_taken: Arc::default() };
        let n_taken = Arc::clone(&sink.n_taken);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let n_taken = Arc::clone(&n_taken);
                std::thread::spawn(move || take_all(&stream, &n_taken));
            }
        });
        sink
    }
}

/// One conversation, until it breaks off.
fn take_all(stream: &TcpStream, n_taken: &AtomicU64) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut say = stream;
    let mut read = BufReader::with_capacity(1 << 16, stream);
    say.write_all(b"220 sink\r\n").ok()?;
    let mut line = String::new();
    loop {
        line.clear();
        if read.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => say.write_all(b"250-sink\r\n250-8BITMIME\r\n250 SIZE 100000000\r\n").ok()?,
            "DATA" => {
                say.write_all(b"354 go\r\n").ok()?;
                content(&mut read)?;
                let n = n_taken.fetch_add(1, Ordering::Relaxed);
                say.write_all(format!("250 queued as {n}\r\n").as_bytes()).ok()?;
            }
            "QUIT" => return say.write_all(b"221 bye\r\n").ok(),
            _ => say.write_all(b"250 ok\r\n").ok()?,
        }
    }
}

/// Reads up to the dot that stands alone.
fn content(read: &mut BufReader<&TcpStream>) -> Option<()> {
    let (mut tail, mut chunk) = (Vec::new(), [0; 1 << 16]);
    loop {
        let n = read.read(&mut chunk).ok().filter(|n| *n > 0)?;
        tail.extend_from_slice(&chunk[n.saturating_sub(5)..n]);
        tail.drain(..tail.len().saturating_sub(5));
        if tail == b"\r\n.\r\n" {
            return Some(());
        }
    }
}

fn command(place: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pressrun"));
    command.args(args).current_dir(place.parent().unwrap()).env("PRESSRUN_LOG", "error").stdout(Stdio::null());
    command
}

fn pressrun(place: &Path, args: &[&str]) {
    assert!(command(place, args).status().unwrap().success(), "{args:?}");
}

/// The PDF and the workbook of the demo's edition that has most.
fn attachments(archive: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    collect(archive, &mut all);
    let largest = |ending: &str| {
        let of_kind = all.iter().filter(|path| path.to_string_lossy().ends_with(ending));
        of_kind.max_by_key(|path| path.metadata().unwrap().len()).unwrap()
    };
    let read =
        |path: &PathBuf| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap());
    vec![read(largest(".pdf")), read(largest(".xlsx"))]
}

fn collect(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() { collect(&entry.path(), all) } else { all.push(entry.path()) }
    }
}

/// A run of one edition to so many recipients: mails a second, milliseconds of CPU a mail, and megabytes at most.
fn run(place: &Path, n: usize, sink: &Sink) -> (f64, f64, f64) {
    let file = place.join("pressrun.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let relay = format!("[mail.relay]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n", sink.port);
    let text: String =
        text.lines().map(|line| if line.starts_with("outbox") { relay.clone() } else { format!("{line}\n") }).collect();
    std::fs::write(&file, format!("{text}\n[brakes]\nrecipients_max = 0\nrecipients_change_percent_max = 0\n"))
        .unwrap();
    let csv = std::fs::read_to_string(place.join("recipients.csv")).unwrap();
    let (head, row) = csv.split_once('\n').unwrap();
    let columns: Vec<&str> = row.lines().next().unwrap().split(',').collect();
    let mut many = format!("{head}\n");
    for n in 0..n {
        writeln!(many, "r{n}@example.com,{}", columns[1..].join(",")).unwrap();
    }
    std::fs::write(place.join("recipients.csv"), many).unwrap();
    for folder in ["archive", "outbox"] {
        std::fs::remove_dir_all(place.join(folder)).ok();
    }
    for name in std::fs::read_dir(place.join("data")).unwrap().flatten() {
        if name.file_name().to_string_lossy().starts_with("ledger") {
            std::fs::remove_file(name.path()).unwrap();
        }
    }
    let (before, watch) = (sink.n_taken.load(Ordering::Relaxed), Stopwatch::start());
    let mut child = command(place, &["--config", file.to_str().unwrap(), "run", "monthly"]).spawn().unwrap();
    let (mut resident, mut cpu) = (0_f64, 0_f64);
    while child.try_wait().unwrap().is_none() {
        resident = resident.max(resident_mb(&child));
        cpu = cpu.max(cpu_ms(&child));
        std::thread::sleep(Duration::from_millis(100));
    }
    let taken = sink.n_taken.load(Ordering::Relaxed) - before;
    assert_eq!(taken, n as u64, "each was taken once");
    (n as f64 / watch.elapsed().as_secs_f64(), cpu / n as f64, resident)
}

/// CPU time of a process that may have ended, in milliseconds (proc(5), `schedstat` of its threads).
fn cpu_ms(process: &Child) -> f64 {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{}/task", process.id())) else { return 0.0 };
    let nanos = tasks.flatten().map(|task| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        text.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok()).unwrap_or_default()
    });
    nanos.sum::<f64>() / 1e6
}

fn resident_mb(process: &Child) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap_or_default();
    let kb = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    kb.and_then(|kb| kb.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or_default() / 1e3
}

/// Mails a second of a loop that builds and sends one mail after another.
fn lettre_loop(n: usize, files: &[(String, Vec<u8>)], sink: &Sink) -> f64 {
    let transport = SmtpTransport::builder_dangerous("127.0.0.1").port(sink.port).build();
    let watch = Stopwatch::start();
    for n in 0..n {
        let alternative =
            MultiPart::alternative_plain_html("Licenses 173,682".to_owned(), "<p>Licenses</p>".repeat(500));
        let mut body = MultiPart::mixed().multipart(alternative);
        for (name, bytes) in files {
            let kind = ContentType::parse("application/octet-stream").unwrap();
            let part: SinglePart = Attachment::new(name.clone()).body(bytes.clone(), kind);
            body = body.singlepart(part);
        }
        let message = Message::builder()
            .from("reports@example.com".parse().unwrap())
            .to(format!("r{n}@example.com").parse().unwrap())
            .subject("Product licenses")
            .multipart(body)
            .unwrap();
        transport.send(&message).unwrap();
    }
    n as f64 / watch.elapsed().as_secs_f64()
}
