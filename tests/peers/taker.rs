//! Who takes the daemon's mails: its outbox, or a relay that may keep one and not say so.

use std::collections::BTreeMap;

use tokio::runtime::{Builder, Runtime};

use crate::faked::Faked;
use crate::smtp::{At, Fault, Relay, Running};

/// How long it waits before it tries again, in seconds of its own time.
const BACKOFF_SECS: u32 = 5;

/// How often a mail was taken, by Message-ID and the address that it is to.
pub type Mails = BTreeMap<(String, String), usize>;

/// An outbox, or a relay that runs as long as this is held.
pub enum Taker {
    Outbox,
    Relay { running: Running, _runtime: Runtime },
}

impl Taker {
    /// A relay that hangs up on so many mails which it has kept, and then answers all.
    pub fn relay(n_lost: usize) -> Taker {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let faults = vec![(At::Kept, "", n_lost, Fault::Drop)];
        let running = runtime.block_on(Relay { faults, ..Relay::default() }.start());
        Taker::Relay { running, _runtime: runtime }
    }

    /// Writes it into the configuration, which has the outbox so far.
    pub fn configure(&self, faked: &Faked) {
        let Taker::Relay { running, .. } = self else { return };
        let path = faked.place.path("pressrun.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let relay = format!(
            "[mail.relay]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n\
             [mail.retries]\nbackoff_secs_min = {BACKOFF_SECS}\nbackoff_secs_max = {BACKOFF_SECS}\n",
            running.address.port()
        );
        assert!(text.contains("outbox = \"outbox\"\n"), "{text}");
        std::fs::write(&path, text.replace("outbox = \"outbox\"\n", &relay)).unwrap();
    }

    /// How many hand-overs it has seen begin.
    pub fn n_begun(&self, faked: &Faked) -> usize {
        match self {
            // A file appears under a name of its own before it gets that of its mail.
            Taker::Outbox => faked.place.files("outbox").len(),
            Taker::Relay { running, .. } => running.commands().iter().filter(|command| *command == "DATA").count(),
        }
    }

    /// What it has.
    pub fn mails(&self, faked: &Faked) -> Mails {
        let mut mails = Mails::new();
        match self {
            Taker::Outbox => {
                let files = faked.place.files("outbox").into_iter();
                for file in files.filter(|file| file.extension().is_some_and(|ending| ending == "eml")) {
                    let text = std::fs::read_to_string(faked.place.path("outbox").join(file)).unwrap();
                    *mails.entry((header(&text, "Message-ID:"), header(&text, "To:"))).or_default() += 1;
                }
            }
            Taker::Relay { running, .. } => {
                for mail in running.taken() {
                    let to = mail.to.join(" and ");
                    *mails.entry((header(&mail.content, "Message-ID:"), to)).or_default() += 1;
                }
            }
        }
        mails
    }
}

/// What stands in a header's angle brackets, or its last word where there are none.
fn header(text: &str, name: &str) -> String {
    let value = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    value.rsplit(['<', ' ']).next().unwrap_or_default().trim_end_matches('>').to_owned()
}
