//! From raw to checked: how the daemon is watched and stopped.

use std::net::SocketAddr;

use super::at::At;
use super::check::Check;
use super::raw::RawDaemon;
use super::settings::DaemonSettings;

/// Long enough to make and send the editions that are under way, short enough for a machine that shuts down.
const DRAIN_SECS: u32 = 60;

pub(super) fn settings(raw: Option<RawDaemon>, check: &mut Check<'_>) -> DaemonSettings {
    let (listen, drain_secs) = raw.map_or((None, None), |raw| (raw.listen, raw.drain_secs));
    DaemonSettings {
        listen: listen.and_then(|at| listen_at(&at, check)),
        drain_secs: drain_secs.map_or(DRAIN_SECS, At::into_inner),
    }
}

/// What is told there names schedules and asks for no password, so it stays on the machine.
fn listen_at(at: &At<String>, check: &mut Check<'_>) -> Option<SocketAddr> {
    let text = at.get();
    match text.parse::<SocketAddr>() {
        Ok(address) if address.port() == 0 => {
            check.wrong(at.span(), format!("`{text}` names no port"), "a port from 1 to 65535, as in `127.0.0.1:9464`");
            None
        }
        Ok(address) if !address.ip().is_loopback() => {
            let hint = "listen on `127.0.0.1` or `[::1]`, and put a proxy with authentication in front";
            check.wrong(at.span(), format!("`{text}` could be reached from other machines"), hint);
            None
        }
        Ok(address) => Some(address),
        Err(_) => {
            let hint = "a loopback address and a port, as in `127.0.0.1:9464` or `[::1]:9464`";
            check.wrong(at.span(), format!("`{text}` is not an address and a port"), hint);
            None
        }
    }
}
