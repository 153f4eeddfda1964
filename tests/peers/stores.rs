//! Packs in stores as other programs keep them: azurite for Azure Blob Storage, moto for S3.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use pressrun::base::Digest;
use pressrun::deliver::{
    Attachment, Destination, Mailbox, Outcome, Parcel, ParcelEdition, PathTemplate, Store, StorePlace, StoreSettings,
};

use crate::peer;
use crate::workplace::Workplace;

/// How long one look at a starting server waits, in milliseconds, and how often it is looked at.
const LOOK_MS: u64 = 100;
const N_LOOKS_MAX: u32 = 1200;

const CONTAINER: &str = "reports";
/// Of an account that exists only while a test runs.
const ACCOUNT: &str = "pressrun";
const KEY: &str = "cHJlc3NydW4tdGVzdHMta2V5LW5vLXNlY3JldA==";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Moto,
    Azurite,
}

/// A running server with an empty container; it stops when dropped.
struct Server {
    kind: Kind,
    port: u16,
    child: Child,
    _data: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended by itself needs no stopping.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind(loopback(0)).unwrap().local_addr().unwrap().port()
}

impl Server {
    fn start(kind: Kind, port: u16) -> Server {
        let data = tempfile::tempdir().unwrap();
        let mut command = match kind {
            Kind::Moto => moto(port),
            Kind::Azurite => azurite(port, data.path()),
        };
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Server { kind, port, child, _data: data };
        let answers = (0..N_LOOKS_MAX).any(|_| {
            std::thread::sleep(Duration::from_millis(LOOK_MS));
            TcpStream::connect(loopback(port)).is_ok()
        });
        assert!(answers, "{kind:?} does not answer on port {port}");
        server.ask(&["make"]);
        server
    }

    fn ask(&self, args: &[&str]) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/stores.py");
        let kind = if self.kind == Kind::Moto { "s3" } else { "azure" };
        let mut command = peer::command("python3");
        command.arg(script).args([args[0], kind, &endpoint(self.kind, self.port), CONTAINER]).args(&args[1..]);
        let output = command.env("AZURE_KEY", KEY).output().unwrap();
        assert!(output.status.success(), "{}", peer::said(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What stands there, by name with the digest of its bytes.
    fn objects(&self) -> BTreeMap<String, String> {
        serde_json::from_str(&self.ask(&["list"])).unwrap()
    }

    fn names(&self) -> Vec<String> {
        self.objects().into_keys().collect()
    }
}

fn moto(port: u16) -> Command {
    let module = peer::path("moto");
    let mut command = peer::command("python3");
    command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()]);
    command.env("PYTHONPATH", module.ancestors().nth(2).unwrap());
    command
}

fn azurite(port: u16, data: &Path) -> Command {
    let mut command = peer::command("azurite-blob");
    command.args(["--silent", "--skipApiVersionCheck", "--blobHost", "127.0.0.1", "--blobPort", &port.to_string()]);
    command.arg("--location").arg(data).env("AZURITE_ACCOUNTS", format!("{ACCOUNT}:{KEY}"));
    command
}

fn endpoint(kind: Kind, port: u16) -> String {
    match kind {
        Kind::Moto => format!("http://127.0.0.1:{port}"),
        Kind::Azurite => format!("http://127.0.0.1:{port}/{ACCOUNT}"),
    }
}

fn store(kind: Kind, port: u16) -> Store {
    let secret = |text: &str| text.to_owned().into();
    let (endpoint, prefix) = (Some(endpoint(kind, port)), Some("licenses/eu".to_owned()));
    let place = match kind {
        Kind::Moto => StorePlace::S3 {
            bucket: CONTAINER.to_owned(),
            region: "us-east-1".to_owned(),
            endpoint,
            prefix,
            access_key: secret("id"),
            secret_key: secret("key"),
        },
        Kind::Azurite => StorePlace::Azure {
            account: ACCOUNT.to_owned(),
            container: CONTAINER.to_owned(),
            endpoint,
            prefix,
            key: secret(KEY),
        },
    };
    let path = PathTemplate::parse("{period}/{edition}/{file}").unwrap();
    Store::new(StoreSettings { place, path, formats: None, timeout_secs: 30 }).unwrap()
}

fn parcel() -> Parcel {
    let file = |name: &str, media_type: &str, bytes: &'static [u8]| Attachment {
        file_name: name.to_owned(),
        media_type: media_type.to_owned(),
        bytes: bytes.into(),
    };
    let mailbox = || Mailbox { name: String::new(), address: "store finance".to_owned() };
    Parcel {
        message_id: "1@example.com".to_owned(),
        date_at: chrono::DateTime::from_timestamp(1_795_226_400, 0).unwrap(),
        from: mailbox(),
        reply_to: None,
        to: mailbox(),
        rehearsed_for: None,
        list: None,
        references: None,
        inline: Vec::new(),
        subject: String::new(),
        text: String::new(),
        html: String::new(),
        attachments: vec![
            file("Größe 北京.pdf", "application/pdf", b"%PDF-1.7\n\xff\x00"),
            file("a.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK"),
        ],
        edition: Some(ParcelEdition {
            id: pressrun::base::EditionId(Digest::of(b"edition")),
            schedule: "monthly".to_owned(),
            period: "2026-10".parse().unwrap(),
            partner_id: "1234566".to_owned(),
            partner_name: "Größe".to_owned(),
            role: "report-viewer".to_owned(),
            audience: "report-viewer.en".to_owned(),
            revision: 1,
            manifest: file("edition.json", "application/json", b"{}\n"),
        }),
    }
}

fn deliver(store: &Store, parcel: &Parcel) -> Outcome {
    tokio::runtime::Runtime::new().unwrap().block_on(store.deliver(parcel)).outcome
}

/// Twice, with other bytes, after a stop in the middle, and while it is down.
fn check_store(kind: Kind) {
    let port = free_port();
    let (store, parcel) = (store(kind, port), parcel());
    let down = deliver(&store, &parcel);
    assert!(matches!(down, Outcome::Retryable(_)), "{down:?}");
    let server = Server::start(kind, port);
    let checked = tokio::runtime::Runtime::new().unwrap().block_on(store.check()).unwrap();
    assert!(checked.contains("nothing was written") && server.names().is_empty(), "{checked}");
    let folder = format!("licenses/eu/2026-10/{}", parcel.edition.as_ref().unwrap().id);
    // One object is there, as if a try had been stopped after it.
    let manifest = format!("{folder}/edition.json");
    server.ask(&["put", &format!("{folder}/a.xlsx"), "PK"]);
    let first = deliver(&store, &parcel);
    assert!(matches!(first, Outcome::Delivered(_)), "{first:?}");
    let objects = server.objects();
    assert_eq!(objects.len(), 3, "{objects:?}");
    assert_eq!(objects[&manifest], Digest::of(b"{}\n").to_string());
    let pdf = objects.iter().find(|(name, _)| name.ends_with(".pdf")).unwrap();
    assert!(pdf.0.contains("/Größe-北京~"), "{pdf:?}");
    assert_eq!(*pdf.1, Digest::of(b"%PDF-1.7\n\xff\x00").to_string());
    assert_eq!(deliver(&store, &parcel), first, "the same again is done");
    let mut other = parcel.clone();
    other.edition.as_mut().unwrap().manifest.bytes = "{ }\n".into();
    let refused = deliver(&store, &other);
    let Outcome::Failed(words) = refused else { panic!("{refused:?}") };
    assert!(words.contains(&format!("`{manifest}` is there already with other content")), "{words}");
    other.edition.as_mut().unwrap().manifest.bytes = "[]\n".into();
    assert!(matches!(deliver(&store, &other), Outcome::Failed(_)), "of the same size");
    assert_eq!(server.objects(), objects, "nothing was overwritten");
}

#[test]
fn moto_keeps_a_pack_once_and_for_all() {
    check_store(Kind::Moto);
}

#[test]
fn azurite_keeps_a_pack_once_and_for_all() {
    check_store(Kind::Azurite);
}

#[test]
fn a_container_that_is_not_there_and_a_wrong_key_are_told_with_what_to_do() {
    let server = Server::start(Kind::Azurite, free_port());
    let settings = |container: &str, key: &str| StoreSettings {
        place: StorePlace::Azure {
            account: ACCOUNT.to_owned(),
            container: container.to_owned(),
            endpoint: Some(endpoint(server.kind, server.port)),
            prefix: None,
            key: key.to_owned().into(),
        },
        path: PathTemplate::parse("{edition}/{file}").unwrap(),
        formats: None,
        timeout_secs: 30,
    };
    for (container, key, hint) in
        [("other", KEY, "make the bucket or container"), (CONTAINER, "b3RoZXI=", "see that the key is the right one")]
    {
        let store = Store::new(settings(container, key)).unwrap();
        let outcome = deliver(&store, &parcel());
        let Outcome::Retryable(words) = outcome else { panic!("{outcome:?}") };
        assert!(words.contains(hint) && !words.contains(key), "{words}");
        let checked = tokio::runtime::Runtime::new().unwrap().block_on(store.check()).unwrap_err();
        assert!(checked.contains(hint), "{checked}");
    }
}

/// The demo with both stores, whose ports are given.
fn place_with_stores(s3_port: u16, azure_port: u16) -> Workplace {
    let place = Workplace::demo(2);
    let toml = std::fs::read_to_string(place.path("pressrun.toml")).unwrap();
    let (s3, azure) = (endpoint(Kind::Moto, s3_port), endpoint(Kind::Azurite, azure_port));
    let retries = "retries = { backoff_secs_min = 1, backoff_secs_max = 1 }";
    let stores = format!(
        "stores = [\"lake\", \"blob\"]\n\
         [stores.lake]\ns3 = {{ bucket = \"{CONTAINER}\", region = \"us-east-1\", endpoint = \"{s3}\", \
         access_key = {{ env = \"S3_ID\" }}, secret_key = {{ env = \"S3_KEY\" }} }}\n{retries}\n\
         [stores.blob]\nazure = {{ account = \"{ACCOUNT}\", container = \"{CONTAINER}\", endpoint = \"{azure}\", \
         prefix = \"licenses\", key = {{ file = \"azure-key\" }} }}\n{retries}\n"
    );
    place.write("pressrun.toml", toml + &stores);
    let key = place.write("azure-key", KEY);
    std::fs::set_permissions(key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    place
}

fn run(place: &Workplace, args: &[&str], code: i32) -> String {
    let output = place.command(args).env("S3_ID", "id").env("S3_KEY", "geheim").output().unwrap();
    let text = peer::said(&output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(!text.contains("geheim") && !text.contains(KEY), "{text}");
    text
}

#[test]
fn both_stores_get_the_packs_of_a_run_once_the_second_of_them_is_up() {
    let (s3_port, azure_port) = (free_port(), free_port());
    let place = place_with_stores(s3_port, azure_port);
    let status = place.run(&["status", "--json"]).with(0).json();
    let period = status["runs"][0]["run"]["period"].as_str().unwrap().to_owned();
    let s3 = Server::start(Kind::Moto, s3_port);
    let checked = run(&place, &["check"], 1);
    assert!(checked.contains("store `lake`, S3 bucket reports: it answers"), "{checked}");
    assert!(checked.contains("ERROR    store `blob`"), "{checked}");
    // One of them is down: the other gets everything, and what is open says so.
    run(&place, &["run", "monthly", "--period", &period], 1);
    let archived: BTreeMap<String, String> = archived(&place);
    assert!(archived.len() > 6);
    assert_eq!(s3.objects(), archived);
    let azure = Server::start(Kind::Azurite, azure_port);
    std::thread::sleep(Duration::from_millis(1_100));
    run(&place, &["run", "monthly", "--period", &period], 0);
    let prefixed = archived.iter().map(|(name, sum)| (format!("licenses/{name}"), sum.clone())).collect();
    assert_eq!(azure.objects(), prefixed);
    assert_eq!(s3.objects(), archived);
}

/// The archive's artifacts and manifests, by the names that they have below `path`'s default.
fn archived(place: &Workplace) -> BTreeMap<String, String> {
    let files = place.files("archive/product-licenses").into_iter();
    let wanted = files.filter(|file| {
        let name = file.to_str().unwrap();
        name.ends_with(".pdf") || name.ends_with(".xlsx") || name.ends_with("edition.json")
    });
    let sum = |file: &Path| Digest::of(&std::fs::read(place.path("archive/product-licenses").join(file)).unwrap());
    wanted.map(|file| (file.to_str().unwrap().to_owned(), sum(&file).to_string())).collect()
}
