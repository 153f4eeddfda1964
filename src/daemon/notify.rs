//! Tells systemd how the daemon is (sd_notify(3)); says nothing where no `NOTIFY_SOCKET` is named.
//!
//! A message that cannot be sent is logged and nothing more: the daemon's work does not depend on who watches it. So a
//! thread of its own sends, since a watcher that does not read makes the sender wait.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use sd_notify::NotifyState;

/// How many messages may wait for the watcher; more are left out.
const WAITING_MAX: usize = 16;

/// How long the last messages are waited for at the end.
const LAST_SECS_MAX: u64 = 1;

/// What systemd is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Message {
    /// The start is done: what waits for this service may go on. Also ends a reload.
    Ready,
    /// The configuration is read anew; [`Message::Ready`] follows. It carries the monotonic time, by which systemd tells
    /// this reload from an earlier one.
    Reloading,
    /// The daemon drains and ends.
    Stopping,
    /// The heart beats. Without this for as long as `WatchdogSec=` says systemd kills the daemon and starts it anew.
    Watchdog,
}

/// The way to systemd, if there is one.
#[derive(Debug)]
pub struct Notifier(Option<(SyncSender<Message>, Receiver<()>)>);

impl Notifier {
    /// Starts the thread that tells, where there is somebody to tell.
    pub fn start() -> Notifier {
        if std::env::var_os("NOTIFY_SOCKET").is_none() {
            return Notifier(None);
        }
        let (messages, to_tell) = sync_channel(WAITING_MAX);
        let (done, is_done) = sync_channel(0);
        std::thread::spawn(move || {
            to_tell.iter().for_each(tell);
            // Its end is the message: nobody may wait for it.
            drop(done);
        });
        Notifier(Some((messages, is_done)))
    }

    /// Tells something, without waiting for who is told.
    pub fn say(&self, message: Message) {
        if let Some((messages, _)) = &self.0
            && messages.try_send(message).is_err()
        {
            tracing::debug!("systemd does not listen: it is not told that the daemon is {message:?}");
        }
    }

    /// Sees to it that the last message goes out, within a second.
    pub fn finish(self) {
        if let Some((messages, is_done)) = self.0 {
            drop(messages);
            let _ = is_done.recv_timeout(Duration::from_secs(LAST_SECS_MAX));
        }
    }
}

fn tell(message: Message) {
    let told = match message {
        Message::Ready => sd_notify::notify(&[NotifyState::Ready]),
        Message::Stopping => sd_notify::notify(&[NotifyState::Stopping]),
        Message::Watchdog => sd_notify::notify(&[NotifyState::Watchdog]),
        Message::Reloading => {
            NotifyState::monotonic_usec_now().and_then(|now| sd_notify::notify(&[NotifyState::Reloading, now]))
        }
    };
    if let Err(error) = told {
        tracing::warn!("systemd is not told that the daemon is {message:?}: {error}");
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;
    use std::process::Command;
    use std::time::Duration;

    use super::{Message, Notifier};

    /// Set in the child only: a test cannot change its own environment without unsafe code.
    const IS_CHILD: &str = "PRESSRUN_TEST_NOTIFIES";
    const TOLD: &str = "systemd_is_told_by_datagrams_and_nobody_is_told_without_a_socket";

    /// A test once more in a process of its own, which tells.
    fn child(test: &str, socket: Option<&std::path::Path>) {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child
            .args(["--exact", &format!("daemon::notify::tests::{test}")])
            .env(IS_CHILD, "1")
            .env_remove("NOTIFY_SOCKET");
        child.envs(socket.map(|path| ("NOTIFY_SOCKET", path)));
        let output = child.output().unwrap();
        assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{output:?}");
    }

    #[test]
    fn systemd_is_told_by_datagrams_and_nobody_is_told_without_a_socket() {
        if std::env::var_os(IS_CHILD).is_some() {
            let notifier = Notifier::start();
            for message in [Message::Ready, Message::Watchdog, Message::Reloading, Message::Stopping] {
                notifier.say(message);
            }
            notifier.finish();
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        child(TOLD, Some(&path));
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
        child(TOLD, None);
        child(TOLD, Some(&folder.path().join("nobody")));
        socket.set_nonblocking(true).unwrap();
        assert!(socket.recv(&mut [0; 1000]).is_err(), "somebody is told without a socket");
    }

    #[test]
    fn a_watcher_that_does_not_read_holds_nobody_up() {
        if std::env::var_os(IS_CHILD).is_some() {
            let notifier = Notifier::start();
            (0..10_000).for_each(|_| notifier.say(Message::Watchdog));
            notifier.finish();
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let _silent = UnixDatagram::bind(&path).unwrap();
        child("a_watcher_that_does_not_read_holds_nobody_up", Some(&path));
    }
}
