//! Mails as a catcher sees them: an SMTP server that keeps what it is given and tells it over HTTP.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::{Message, SmtpTransport, Transport};
use serde_json::Value;

use crate::peer;

/// How long one look at a starting catcher waits, in milliseconds.
const LOOK_MS: u64 = 100;
/// How often it is looked at before it counts as dead.
const N_LOOKS_MAX: u32 = 300;

/// A running catcher; it stops when dropped.
pub struct Maildev {
    server: Child,
    /// The port that takes mails on the loopback.
    pub smtp_port: u16,
    /// The port that tells what was taken.
    pub web_port: u16,
}

impl Maildev {
    /// Starts one on two free ports and waits until both answer.
    ///
    /// # Panics
    /// When it is missing or doesn't answer.
    pub fn start() -> Maildev {
        let (smtp_port, web_port) = free_ports();
        let mut command = peer::command("maildev");
        command.args(["--smtp", &smtp_port.to_string(), "--web", &web_port.to_string()]);
        command.args(["--ip", "127.0.0.1", "--web-ip", "127.0.0.1", "--silent"]);
        let server = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let maildev = Maildev { server, smtp_port, web_port };
        for port in [smtp_port, web_port] {
            let answers = (0..N_LOOKS_MAX).any(|_| {
                std::thread::sleep(Duration::from_millis(LOOK_MS));
                TcpStream::connect(loopback(port)).is_ok()
            });
            assert!(answers, "maildev does not answer on port {port}");
        }
        maildev
    }

    /// The mails taken so far, as the catcher describes them: `subject`, `from`, `to`, `text`, `attachments` and more.
    ///
    /// # Errors
    /// When it doesn't answer with a list.
    pub fn emails(&self) -> Result<Vec<Value>, String> {
        let body = get(self.web_port, "/api/email")?;
        let answer: Value = serde_json::from_str(&body).map_err(|error| format!("{error}: {body}"))?;
        let list = answer.as_array().or_else(|| answer["emails"].as_array());
        list.cloned().ok_or(body)
    }
}

impl Drop for Maildev {
    fn drop(&mut self) {
        // One that has ended by itself needs no stopping.
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// Two ports that were free a moment ago, held together so that they differ.
fn free_ports() -> (u16, u16) {
    let [one, other] = [0, 0].map(|any| TcpListener::bind(loopback(any)).unwrap());
    (one.local_addr().unwrap().port(), other.local_addr().unwrap().port())
}

/// The body of a page, in plain HTTP/1.0 so that it comes whole and unchunked.
fn get(port: u16, path: &str) -> Result<String, String> {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(loopback(port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = ask().map_err(|error| error.to_string())?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| answer.clone())?;
    if head.lines().next().is_some_and(|line| line.ends_with(" 200 OK")) { Ok(body.to_owned()) } else { Err(answer) }
}

fn transport(port: u16) -> SmtpTransport {
    SmtpTransport::builder_dangerous("127.0.0.1").port(port).timeout(Some(Duration::from_secs(10))).build()
}

fn mail() -> Message {
    let builder = Message::builder().from("reports@example.com".parse().unwrap());
    let builder = builder.to("executive@example.com".parse().unwrap()).subject("Product licenses, October 2026");
    builder.header(ContentType::TEXT_PLAIN).body("Licenses 48,210".to_owned()).unwrap()
}

#[test]
fn the_catcher_tells_what_was_sent_and_nothing_before() {
    let maildev = Maildev::start();
    assert_eq!(maildev.emails(), Ok(Vec::new()));
    transport(maildev.smtp_port).send(&mail()).unwrap();
    let taken = maildev.emails().unwrap();
    assert_eq!(taken.len(), 1, "{taken:?}");
    assert_eq!(taken[0]["subject"], "Product licenses, October 2026");
    assert!(taken[0].to_string().contains("executive@example.com"), "{taken:?}");
    assert!(!taken[0].to_string().contains("auditor@example.com"), "{taken:?}");
}

#[test]
fn a_catcher_that_was_stopped_takes_and_tells_nothing() {
    let maildev = Maildev::start();
    let (smtp_port, web_port) = (maildev.smtp_port, maildev.web_port);
    drop(maildev);
    assert!(transport(smtp_port).send(&mail()).is_err());
    assert!(get(web_port, "/api/email").is_err());
}
