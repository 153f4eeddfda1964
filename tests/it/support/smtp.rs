//! A relay for tests that fails as it is told to: at any step, for any recipient, with any words or none.
//!
//! It listens on loopback at a port of the system's choice, keeps what it took, and speaks STARTTLS, implicit TLS
//! and AUTH PLAIN with a throw-away certificate authority.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, crypto};

/// A step of the conversation, where a fault may stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum At {
    Connect,
    Hello,
    StartTls,
    Auth,
    Mail,
    /// RCPT TO.
    Recipient,
    /// The word DATA.
    Data,
    /// Somewhere within the content: it is not read to its end.
    Content,
    /// The end of the content: the mail is not kept.
    End,
    /// The end of the content: the mail is kept first.
    Kept,
    Reset,
}

/// What is done there instead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// This reply.
    Reply(&'static str),
    /// The connection is closed.
    Drop,
    /// Nothing is said any more; the connection stays.
    Silence,
    /// The usual reply, so many milliseconds late.
    Late(u64),
}

/// How a relay behaves; `..Relay::default()` is one that takes everything in plain.
#[derive(Clone, Default)]
pub struct Relay {
    /// Faults in the order in which they are looked for: the step, what a recipient's address must contain (empty
    /// for any), how often, and what is done.
    pub faults: Vec<(At, &'static str, usize, Fault)>,
    /// The bound stated by SIZE in EHLO.
    pub size: Option<u64>,
    /// Whether STARTTLS is offered, with that certificate.
    pub starttls: Option<Authority>,
    /// Whether TLS begins at once, with that certificate.
    pub implicit: Option<Authority>,
    /// Who must log in before a mail is taken: user, and password or token.
    pub login: Option<(&'static str, &'static str)>,
    /// By which mechanism.
    pub mechanism: Mechanism,
}

/// How a relay wants to be logged in at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mechanism {
    #[default]
    Plain,
    Login,
    /// With a word, as a challenge, on what is wrong with the token.
    Xoauth2,
}

/// A mail that was taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taken {
    pub from: String,
    pub to: Vec<String>,
    /// Its content with dots unstuffed.
    pub content: String,
    pub is_encrypted: bool,
}

/// A running relay; it ends with the test's runtime.
pub struct Running {
    pub address: SocketAddr,
    state: Arc<State>,
}

struct State {
    relay: Relay,
    faults: Mutex<Vec<(At, &'static str, usize, Fault)>>,
    taken: Mutex<Vec<Taken>>,
    commands: Mutex<Vec<String>>,
    n_connections: Mutex<usize>,
    /// The password or token that is good now.
    secret: Mutex<String>,
}

/// A certificate authority of one test, with a certificate for `localhost` and 127.0.0.1.
#[derive(Clone)]
pub struct Authority {
    /// The authority's certificate, for `ca_file`.
    pub ca_pem: String,
    acceptor: TlsAcceptor,
}

impl Authority {
    pub fn new() -> Authority {
        let mut params = rcgen::CertificateParams::new(vec![]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let ca = rcgen::CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate().unwrap()).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let own = rcgen::CertificateParams::new(names).unwrap().signed_by(&key, &ca).unwrap();
        let provider = Arc::new(crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        Authority { ca_pem: ca.pem(), acceptor: Arc::new(config).into() }
    }
}

impl Relay {
    /// One that takes everything in plain.
    pub async fn start(self) -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let state = Arc::new(State {
            faults: Mutex::new(self.faults.clone()),
            taken: Mutex::default(),
            commands: Mutex::default(),
            n_connections: Mutex::default(),
            secret: Mutex::new(self.login.map(|(_, secret)| secret.to_owned()).unwrap_or_default()),
            relay: self,
        });
        let running = Running { address: listener.local_addr().unwrap(), state: Arc::clone(&state) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *state.n_connections.lock().unwrap() += 1;
                let state = Arc::clone(&state);
                // A conversation that breaks off is what the tests are about.
                tokio::spawn(async move { state.accept(stream).await.ok() });
            }
        });
        running
    }
}

impl Running {
    /// The mails that were taken, in order.
    pub fn taken(&self) -> Vec<Taken> {
        self.state.taken.lock().unwrap().clone()
    }

    /// One fault more, from now on.
    pub fn add(&self, fault: (At, &'static str, usize, Fault)) {
        self.state.faults.lock().unwrap().push(fault);
    }

    /// Every command line that came, without the content.
    pub fn commands(&self) -> Vec<String> {
        self.state.commands.lock().unwrap().clone()
    }

    /// From now on only this password or token is good.
    pub fn change_secret(&self, secret: &str) {
        secret.clone_into(&mut self.state.secret.lock().unwrap());
    }

    pub fn n_connections(&self) -> usize {
        *self.state.n_connections.lock().unwrap()
    }
}

/// Either kind of connection.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

type Line = BufReader<Box<dyn Stream>>;

/// One conversation.
struct Talk {
    line: Line,
    is_encrypted: bool,
    is_logged_in: bool,
    from: String,
    to: Vec<String>,
}

/// Ends a conversation.
struct Over;

impl From<std::io::Error> for Over {
    fn from(_: std::io::Error) -> Over {
        Over
    }
}

impl State {
    async fn accept(self: Arc<State>, stream: TcpStream) -> Result<(), Over> {
        let (stream, is_encrypted): (Box<dyn Stream>, bool) = match &self.relay.implicit {
            Some(authority) => (Box::new(authority.acceptor.accept(stream).await?), true),
            None => (Box::new(stream), false),
        };
        let line = BufReader::new(stream);
        let mut talk = Talk { line, is_encrypted, is_logged_in: false, from: String::new(), to: vec![] };
        self.say(&mut talk, At::Connect, "220 relay.test ESMTP").await?;
        loop {
            let mut command = String::new();
            if talk.line.read_line(&mut command).await? == 0 {
                return Ok(());
            }
            let command = command.trim_end().to_owned();
            self.commands.lock().unwrap().push(command.clone());
            self.answer(&mut talk, &command).await?;
        }
    }

    async fn answer(&self, talk: &mut Talk, command: &str) -> Result<(), Over> {
        let verb = command.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => {
                let offers = self.offers(talk);
                self.say(talk, At::Hello, &offers).await
            }
            "STARTTLS" => self.start_tls(talk).await,
            "AUTH" => {
                talk.is_logged_in = self.is_login(talk, command).await?;
                let reply = if talk.is_logged_in { "235 2.7.0 welcome" } else { "535 5.7.8 no, robot@example.com" };
                self.say(talk, At::Auth, reply).await
            }
            "MAIL" if self.relay.login.is_some() && !talk.is_logged_in => {
                self.say(talk, At::Mail, "530 5.7.0 Authentication required").await
            }
            "MAIL" => {
                talk.from = bracketed(command);
                talk.to.clear();
                self.say(talk, At::Mail, "250 2.1.0 fine").await
            }
            "RCPT" => {
                talk.to.push(bracketed(command));
                self.say(talk, At::Recipient, "250 2.1.5 fine").await
            }
            "DATA" => self.content(talk).await,
            "RSET" => self.say(talk, At::Reset, "250 2.0.0 forgotten").await,
            "NOOP" => write(talk, "250 2.0.0 here").await,
            "QUIT" => {
                write(talk, "221 2.0.0 bye").await?;
                Err(Over)
            }
            _ => write(talk, "500 5.5.1 what?").await,
        }
    }

    fn offers(&self, talk: &Talk) -> String {
        let mut offers = vec!["relay.test".to_owned(), "8BITMIME".to_owned()];
        offers.extend(self.relay.size.map(|size| format!("SIZE {size}")));
        if self.relay.starttls.is_some() && !talk.is_encrypted {
            offers.push("STARTTLS".to_owned());
        } else if self.relay.login.is_some() {
            let mechanism = match self.relay.mechanism {
                Mechanism::Plain => "PLAIN",
                Mechanism::Login => "LOGIN",
                Mechanism::Xoauth2 => "XOAUTH2",
            };
            offers.push(format!("AUTH {mechanism}"));
        }
        let n = offers.len();
        let line = |(i, offer): (usize, &String)| format!("250{}{offer}", if i + 1 == n { ' ' } else { '-' });
        offers.iter().enumerate().map(line).collect::<Vec<_>>().join("\r\n")
    }

    /// Whether a login is good: `AUTH PLAIN <base64 of NUL user NUL password>` (RFC 4616), `AUTH LOGIN` with two
    /// questions, or `AUTH XOAUTH2 <base64 of user and bearer token>`; each compared in its encoded form.
    async fn is_login(&self, talk: &mut Talk, command: &str) -> Result<bool, Over> {
        let Some((user, _)) = self.relay.login else { return Ok(true) };
        let secret = self.secret.lock().unwrap().clone();
        match self.relay.mechanism {
            Mechanism::Plain => {
                let plain = format!("\0{user}\0{secret}");
                Ok(command.strip_prefix("AUTH PLAIN ").is_some_and(|given| given == base64(plain.as_bytes())))
            }
            Mechanism::Login => {
                let mut is_good = command == "AUTH LOGIN";
                for (question, answer) in [("Username:", user), ("Password:", &secret)] {
                    write(talk, &format!("334 {}", base64(question.as_bytes()))).await?;
                    let mut given = String::new();
                    talk.line.read_line(&mut given).await?;
                    is_good &= given.trim_end() == base64(answer.as_bytes());
                }
                Ok(is_good)
            }
            Mechanism::Xoauth2 => {
                let bearer = format!("user={user}\x01auth=Bearer {secret}\x01\x01");
                let is_good =
                    command.strip_prefix("AUTH XOAUTH2 ").is_some_and(|given| given == base64(bearer.as_bytes()));
                if !is_good {
                    write(talk, &format!("334 {}", base64(br#"{"status":"401"}"#))).await?;
                    talk.line.read_line(&mut String::new()).await?;
                }
                Ok(is_good)
            }
        }
    }

    async fn start_tls(&self, talk: &mut Talk) -> Result<(), Over> {
        let Some(authority) = &self.relay.starttls else { return write(talk, "502 5.5.1 no").await };
        self.say(talk, At::StartTls, "220 2.0.0 go ahead").await?;
        let plain: Box<dyn Stream> = Box::new(tokio::io::join(tokio::io::empty(), tokio::io::sink()));
        let line = std::mem::replace(&mut talk.line, BufReader::new(plain));
        talk.line = BufReader::new(Box::new(authority.acceptor.accept(line.into_inner()).await?));
        talk.is_encrypted = true;
        Ok(())
    }

    async fn content(&self, talk: &mut Talk) -> Result<(), Over> {
        match self.fault(talk, At::Data) {
            None => {}
            Some(Fault::Late(millis)) => tokio::time::sleep(std::time::Duration::from_millis(millis)).await,
            Some(fault) => return act(talk, fault).await,
        }
        write(talk, "354 go ahead").await?;
        if self.fault(talk, At::Content).is_some() {
            let mut part = String::new();
            talk.line.read_line(&mut part).await?;
            return Err(Over);
        }
        let mut content = String::new();
        loop {
            let mut line = String::new();
            if talk.line.read_line(&mut line).await? == 0 {
                return Err(Over);
            }
            if line == ".\r\n" {
                break;
            }
            content.push_str(line.strip_prefix('.').unwrap_or(&line));
        }
        if let Some(fault) = self.fault(talk, At::End) {
            return act(talk, fault).await;
        }
        let Talk { from, to, is_encrypted, .. } = talk;
        let taken = Taken { from: from.clone(), to: to.clone(), content, is_encrypted: *is_encrypted };
        let n = {
            let mut all = self.taken.lock().unwrap();
            all.push(taken);
            all.len()
        };
        self.say(talk, At::Kept, &format!("250 2.0.0 queued as {n:06}")).await
    }

    /// Says that, unless a fault stands there.
    async fn say(&self, talk: &mut Talk, at: At, reply: &str) -> Result<(), Over> {
        match self.fault(talk, at) {
            Some(Fault::Late(millis)) => {
                tokio::time::sleep(std::time::Duration::from_millis(millis)).await;
                write(talk, reply).await
            }
            Some(fault) => act(talk, fault).await,
            None => write(talk, reply).await,
        }
    }

    /// The fault at a step, counted down.
    fn fault(&self, talk: &Talk, at: At) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let found = faults.iter_mut().find(|(step, address, n, _)| {
            *step == at && *n > 0 && (address.is_empty() || talk.to.iter().any(|to| to.contains(address)))
        })?;
        found.2 -= 1;
        Some(found.3)
    }
}

async fn act(talk: &mut Talk, fault: Fault) -> Result<(), Over> {
    match fault {
        Fault::Reply(reply) => {
            write(talk, reply).await?;
            // RFC 5321 (3.8): whoever says 421 closes the connection.
            if reply.starts_with("421") { Err(Over) } else { Ok(()) }
        }
        Fault::Drop => Err(Over),
        Fault::Silence => std::future::pending().await,
        Fault::Late(_) => Ok(()),
    }
}

async fn write(talk: &mut Talk, reply: &str) -> Result<(), Over> {
    let stream = talk.line.get_mut();
    stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
    Ok(stream.flush().await?)
}

/// What stands in angle brackets.
fn bracketed(command: &str) -> String {
    let inner = command.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or_else(String::new, |(address, _)| address.to_owned())
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for n in 0..4 {
            let letter = LETTERS[(group >> (18 - 6 * n) & 63) as usize];
            text.push(if n <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}
