//! The product's mails through a real relay: Postfix takes them over STARTTLS and puts each into a folder.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::letter;
use crate::peer;
use crate::workplace::Workplace;

/// How long one look is away from the next, in milliseconds, and how often it is looked.
const LOOK_MS: u64 = 100;
const N_LOOKS_MAX: u32 = 600;

/// A running Postfix; it stops when dropped.
struct Postfix {
    folder: tempfile::TempDir,
    script: Child,
    port: u16,
}

impl Postfix {
    /// Starts one with these lines of `main.cf` beside what is needed, and waits until it greets.
    fn start(particular: &str) -> Postfix {
        let master = peer::path("postfix");
        let root = master.ancestors().nth(5).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
        let [ca, own, key] = certificates();
        write("ca.pem", ca);
        write("cert.pem", own);
        write("key.pem", key);
        write("main.cf", particular.to_owned());
        // Its users must find their way into what only ours may enter so far.
        open_to_all(folder.path());
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/postfix.sh");
        let mut command = as_root("sh");
        command.arg(script).arg(root).arg(folder.path()).args([port.to_string(), owner()]);
        let script = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        let mut postfix = Postfix { folder, script, port };
        let greets = postfix.wait(|postfix| postfix.greets());
        assert!(greets, "Postfix does not greet:\n{}", postfix.log());
        postfix
    }

    fn greets(&mut self) -> bool {
        let ended = self.script.try_wait().unwrap();
        assert!(ended.is_none(), "Postfix ended with {ended:?}:\n{}", self.log());
        let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)) else { return false };
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut code = [0; 4];
        stream.read_exact(&mut code).is_ok() && &code == b"220 "
    }

    fn wait(&mut self, mut is_so: impl FnMut(&mut Postfix) -> bool) -> bool {
        (0..N_LOOKS_MAX).any(|_| {
            std::thread::sleep(Duration::from_millis(LOOK_MS));
            is_so(self)
        })
    }

    /// The mails that it has delivered, once they are so many, and none of them twice.
    fn mails(&mut self, n: usize) -> Vec<Value> {
        let new = self.folder.path().join("mails/all/new");
        let files = || -> Vec<PathBuf> {
            let entries = std::fs::read_dir(&new).into_iter().flatten();
            entries.map(|entry| entry.unwrap().path()).collect()
        };
        // What it took is counted once none of it is left in its queue: a mail that came twice would still be there.
        let is_there = self.wait(|postfix| {
            let log = postfix.log();
            files().len() >= n && log.matches(": removed").count() == log.matches(": client=").count()
        });
        assert!(is_there, "{} of {n} mails were delivered:\n{}", files().len(), self.log());
        letter::read_files(files().into_iter())
    }

    fn log(&self) -> String {
        let read = as_root("cat").arg(self.folder.path().join("data/log")).stdin(Stdio::null()).output();
        read.map(|output| peer::said(&output)).unwrap_or_default()
    }

    /// Has the program send through it.
    fn configure(&self, place: &Workplace, more: &str) {
        std::fs::copy(self.folder.path().join("ca.pem"), place.path("ca.pem")).unwrap();
        let text = std::fs::read_to_string(place.path("pressrun.toml")).unwrap();
        let relay = format!(
            "[mail.relay]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"starttls\"\nca_file = \"ca.pem\"\n{more}\n",
            self.port
        );
        assert!(text.contains("outbox = \"outbox\"\n"), "{text}");
        place.write("pressrun.toml", text.replace("outbox = \"outbox\"\n", &relay));
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        as_root("kill").arg(self.script.id().to_string()).status().ok();
        self.script.wait().ok();
    }
}

/// A command as root, through sudo where we are not.
fn as_root(program: &str) -> Command {
    if owner() == NOBODY {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    // Without -n a machine without a terminal would wait for a password for ever.
    command.args(["-n", program]);
    command
}

/// Root may read what is anybody's.
const NOBODY: &str = "65534";

/// Whose the mails are: ours, but root's never, which Postfix would refuse.
fn owner() -> String {
    let output = Command::new("id").arg("-u").output().unwrap();
    match String::from_utf8(output.stdout).unwrap().trim() {
        "0" => NOBODY.to_owned(),
        user => user.to_owned(),
    }
}

fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A throw-away authority, a certificate of it for the loopback, and its key.
fn certificates() -> [String; 3] {
    let mut params = rcgen::CertificateParams::new(vec![]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca = rcgen::CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate().unwrap()).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let own = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &ca).unwrap();
    [ca.pem(), own.pem(), key.serialize_pem()]
}

/// The deliveries of the only run.
fn deliveries(place: &Workplace) -> Vec<Value> {
    place.run(&["status", "--json", "--run", "1"]).with(0).json()["deliveries"]["rows"].as_array().unwrap().clone()
}

fn of_state<'a>(rows: &'a [Value], state: &str) -> Vec<&'a Value> {
    rows.iter().filter(|row| row["state"] == state).collect()
}

/// The address that a mail came in for.
fn came_for(mail: &Value) -> String {
    mail["headers"]["x-original-to"].as_str().unwrap().to_owned()
}

fn sample() -> Workplace {
    let place = Workplace::sample(6);
    place.ingest_sample();
    place
}

#[test]
fn a_real_relay_gets_each_mail_of_the_demo_once_and_whole() {
    let (place, mut postfix) = (sample(), Postfix::start(""));
    postfix.configure(&place, "");
    place.run(&["check"]).with(0);
    place.run(&["run", "monthly"]).with(0);
    let rows = deliveries(&place);
    let delivered = of_state(&rows, "delivered");
    assert!(delivered.len() > 6, "{rows:?}");
    for row in &delivered {
        assert!(row["receipt"].as_str().unwrap().contains("2.0.0 Ok: queued as "), "{row}");
    }
    let mails = postfix.mails(delivered.len());
    mails.iter().for_each(letter::check);
    let got: BTreeSet<_> =
        mails.iter().map(|mail| (came_for(mail), mail["headers"]["message-id"].clone().to_string())).collect();
    let said: BTreeSet<_> = delivered
        .iter()
        .map(|row| {
            let id = Value::from(format!("<{}>", row["message_id"].as_str().unwrap()));
            (row["address"].as_str().unwrap().to_owned(), id.to_string())
        })
        .collect();
    assert_eq!((mails.len(), got), (delivered.len(), said));
}

#[test]
fn what_a_real_relay_refuses_stops_nobody_else() {
    let place = sample();
    let text = std::fs::read_to_string(place.path("recipients.csv")).unwrap();
    let mut addresses = text.lines().skip(1).map(|line| line.split(',').next().unwrap());
    let [unknown, greylisted] = [addresses.next().unwrap(), addresses.next().unwrap()];
    // Less than any PDF takes once it is encoded, and more than any body.
    let mut postfix = Postfix::start(&format!(
        "message_size_limit = 70000\nsmtpd_recipient_restrictions = check_recipient_access inline:{{ \
         {{ {unknown} = 550 5.1.1 no such user here }}, {{ {greylisted} = 451 4.7.1 greylisted }} }}, permit_mynetworks, reject\n"
    ));
    postfix.configure(&place, "");
    place.run(&["run", "monthly"]).with(1);
    let rows = deliveries(&place);
    let [refused, later, delivered] = ["failed", "retryable", "delivered"].map(|state| of_state(&rows, state));
    assert_eq!((refused.len(), later.len()), (1, 1), "{rows:?}");
    assert!(refused[0]["reason"].as_str().unwrap().contains("no such user here"), "{}", refused[0]);
    assert!(later[0]["reason"].as_str().unwrap().contains("greylisted"), "{}", later[0]);
    assert_eq!((refused[0]["address"].as_str(), later[0]["address"].as_str()), (Some(unknown), Some(greylisted)));
    assert!(delivered.len() > 4, "{rows:?}");
    assert!(delivered.iter().all(|row| row["note"].as_str().is_some_and(|note| note.contains("takes at most 70000"))));
    let mails = postfix.mails(delivered.len());
    let got: BTreeSet<String> = mails.iter().map(came_for).collect();
    assert_eq!((mails.len(), got.len()), (delivered.len(), delivered.len()));
    for mail in &mails {
        assert_eq!(mail["names"], serde_json::json!([]), "{mail}");
        assert!(mail["text"].as_str().unwrap().contains("Not attached, since the mail would be too large"), "{mail}");
    }
}
