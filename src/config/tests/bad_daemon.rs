//! `[daemon]`, good and bad.

use super::super::DaemonSettings;
use super::{Folder, check, smallest_and};

/// `[daemon]` with a line, the file's 12th, ends in one error.
fn refuses(line: &str, first_line: &str, hint: &str) {
    check(&[("pressrun.toml", &smallest_and(&format!("[daemon]\n{line}\n")))], &[(first_line, hint)]);
}

fn taken(more: &str) -> DaemonSettings {
    Folder::with(&[("pressrun.toml", &smallest_and(more))]).load().unwrap().daemon
}

#[test]
fn the_daemon_listens_on_the_loopback_only_where_it_is_told_to() {
    assert_eq!(taken(""), DaemonSettings { listen: None, drain_secs: 60 });
    for address in ["127.0.0.1:9464", "127.1.2.3:1", "[::1]:65535"] {
        let daemon = taken(&format!("[daemon]\nlisten = \"{address}\"\ndrain_secs = 3600\n"));
        assert_eq!(daemon, DaemonSettings { listen: Some(address.parse().unwrap()), drain_secs: 3600 });
    }
}

#[test]
fn an_address_that_others_reach_is_refused() {
    for address in ["0.0.0.0:9464", "[::]:9464", "192.168.1.2:9464", "[2001:db8::1]:9464", "[::ffff:10.0.0.1]:9464"] {
        refuses(
            &format!("listen = \"{address}\""),
            &format!("`{address}` could be reached from other machines at pressrun.toml:12:10"),
            "listen on `127.0.0.1` or `[::1]`, and put a proxy with authentication in front",
        );
    }
}

#[test]
fn what_is_no_address_and_port_is_refused() {
    for text in ["9464", "127.0.0.1", "localhost:9464", "127.0.0.1:65536", "http://127.0.0.1:9464", " 127.0.0.1:9464"] {
        refuses(
            &format!("listen = \"{text}\""),
            &format!("`{text}` is not an address and a port at pressrun.toml:12:10"),
            "a loopback address and a port, as in `127.0.0.1:9464` or `[::1]:9464`",
        );
    }
    refuses(
        "listen = \"127.0.0.1:0\"",
        "`127.0.0.1:0` names no port at pressrun.toml:12:10",
        "a port from 1 to 65535, as in `127.0.0.1:9464`",
    );
    refuses(
        "listen = 9464",
        "`listen` must be a text in quotes, not a whole number at pressrun.toml:12:10",
        "the loopback address and port at which it tells health and metrics; nothing is opened when left out",
    );
    refuses(
        "listen = \"\"",
        "`listen` must not be empty at pressrun.toml:12:10",
        "the loopback address and port at which it tells health and metrics; nothing is opened when left out",
    );
}

#[test]
fn draining_has_its_bounds() {
    for secs in ["0", "3601"] {
        refuses(
            &format!("drain_secs = {secs}"),
            &format!("`drain_secs` must be from 1 to 3600, not `{secs}` at pressrun.toml:12:14"),
            "how long it may finish what is under way after it was told to stop, in seconds",
        );
    }
    refuses(
        "drian_secs = 1",
        "unknown key `drian_secs` in `[daemon]` at pressrun.toml:12:1",
        "did you mean `drain_secs`?",
    );
}
