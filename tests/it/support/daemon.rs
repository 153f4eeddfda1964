//! The daemon as a process of its own.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::workplace::Workplace;

/// A daemon that ends with the test, however that ends.
pub struct Daemon<'a> {
    place: &'a Workplace,
    child: Child,
}

impl<'a> Daemon<'a> {
    /// One that hears signals and has looked at its schedules.
    pub fn awake(place: &'a Workplace) -> Daemon<'a> {
        let log = std::fs::File::create(place.path("daemon.log")).unwrap();
        let child = place.command(&["daemon"]).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let daemon = Daemon { place, child };
        daemon.until("to hear signals", || daemon.log().contains("daemon is awake"));
        daemon.until("to look at its schedules", || {
            place.path("data/ledger.db").exists() && !place.run(&["gaps"]).out.contains("no daemon has seen it")
        });
        daemon
    }

    /// Waits for something, for ten seconds at most.
    #[track_caller]
    pub fn until(&self, what: &str, is: impl Fn() -> bool) {
        for _ in 0..200 {
            if is() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the daemon was waited for {what}: {}", self.log());
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.place.path("daemon.log")).unwrap_or_default()
    }

    pub fn signal(&self, signal: &str) {
        let killed = Command::new("kill").args([&format!("-{signal}"), &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
    }

    pub fn is_running(&self) -> bool {
        std::path::Path::new(&format!("/proc/{}/fd/0", self.child.id())).exists()
    }

    /// Ends it in good order; its exit code.
    pub fn stop(self) -> Option<i32> {
        self.signal("TERM");
        self.ended()
    }

    /// Waits until it has ended; its exit code.
    pub fn ended(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        // It has ended already where all went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
