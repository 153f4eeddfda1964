//! Tells systemd how the daemon is (sd_notify(3)); says nothing where no `NOTIFY_SOCKET` is named.
//!
//! A message that cannot be sent is logged and nothing more: the daemon's work does not depend on who watches it.

use sd_notify::NotifyState;

/// The start is done: what waits for this service may go on. Also ends a reload.
pub fn ready() {
    tell("ready", &[NotifyState::Ready]);
}

/// The configuration is read anew; [`ready`] follows. It carries the monotonic time, by which systemd tells this
/// reload from an earlier one.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell("reloading", &[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!("systemd is not told that the daemon is reloading: {error}"),
    }
}

/// The daemon drains and ends.
pub fn stopping() {
    tell("stopping", &[NotifyState::Stopping]);
}

/// The heart beats. Without this for as long as `WatchdogSec=` says systemd kills the daemon and starts it anew.
pub fn watchdog() {
    tell("alive", &[NotifyState::Watchdog]);
}

fn tell(what: &str, states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!("systemd is not told that the daemon is {what}: {error}");
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;
    use std::process::Command;
    use std::time::Duration;

    /// Set in the child only: a test cannot change its own environment without unsafe code.
    const IS_CHILD: &str = "PRESSRUN_TEST_NOTIFIES";
    const NAME: &str = "daemon::notify::tests::systemd_is_told_by_datagrams_and_nobody_is_told_without_a_socket";

    /// This test once more in a process of its own, which tells everything.
    fn child(socket: Option<&std::path::Path>) {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", NAME]).env(IS_CHILD, "1").env_remove("NOTIFY_SOCKET");
        child.envs(socket.map(|path| ("NOTIFY_SOCKET", path)));
        let output = child.output().unwrap();
        assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{output:?}");
    }

    #[test]
    fn systemd_is_told_by_datagrams_and_nobody_is_told_without_a_socket() {
        if std::env::var_os(IS_CHILD).is_some() {
            super::ready();
            super::watchdog();
            super::reloading();
            super::stopping();
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        child(Some(&path));
        let next = || {
            let mut datagram = [0; 1000];
            let n = socket.recv(&mut datagram).unwrap();
            String::from_utf8(datagram[..n].to_vec()).unwrap()
        };
        assert_eq!((next().as_str(), next().as_str()), ("READY=1\n", "WATCHDOG=1\n"));
        let reloading = next();
        let micros = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
        assert!(micros.trim_end().parse::<u64>().unwrap() > 0, "{reloading}");
        assert_eq!(next(), "STOPPING=1\n");
        child(None);
        child(Some(&folder.path().join("nobody")));
        socket.set_nonblocking(true).unwrap();
        assert!(socket.recv(&mut [0; 1000]).is_err(), "somebody is told without a socket");
    }
}
