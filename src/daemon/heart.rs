//! The heartbeat: one tick in UTC, by tokio-cron-scheduler, and the signals.
//!
//! The crate keeps a zone as the offset of the moment a job was added, forgets ticks it missed and takes no lock,
//! so it tells when to look, never what is due.

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio_cron_scheduler::{Job, JobScheduler};

use super::Pulse;
use crate::pipeline::Stop;

/// How often the daemon looks, in seconds.
pub const HEARTBEAT_SECS: u32 = 5;

/// The exit code of a daemon that was told twice to stop: 128 and the number of SIGTERM.
const STOPPED_AT_ONCE: i32 = 143;

/// What the heart tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Event {
    /// Look what is due.
    Beat,
    /// The configuration is to be read anew (SIGHUP).
    Reload,
    /// Begin nothing new (SIGTERM, SIGINT).
    Stop,
}

/// A running heart.
pub(super) struct Heart {
    scheduler: JobScheduler,
    beats: mpsc::Receiver<()>,
    signals: mpsc::Receiver<Event>,
}

/// Starts the heart. SIGTERM or SIGINT sets `stop` at once, so that a run under way claims nothing new; a second one ends
/// the process where it stands.
pub(super) async fn start(stop: Stop, pulse: Pulse) -> anyhow::Result<Heart> {
    let (send, beats) = mpsc::channel(1);
    let scheduler = JobScheduler::new().await.context("the heart cannot start")?;
    let tick = Job::new_async(format!("*/{HEARTBEAT_SECS} * * * * *"), move |_, _| {
        // A beat while another is being worked on is dropped: the next look finds all that is due.
        let _ = send.try_send(());
        Box::pin(async {})
    });
    scheduler.add(tick.context("the heart's tick")?).await.context("the heart's tick")?;
    scheduler.start().await.context("the heart cannot start")?;
    let mut ends = (Signals::of(SignalKind::terminate())?, Signals::of(SignalKind::interrupt())?);
    let mut hangup = Signals::of(SignalKind::hangup())?;
    let (tell, signals) = mpsc::channel(8);
    tokio::spawn(async move {
        loop {
            let event = tokio::select! {
                () = ends.0.next() => Event::Stop,
                () = ends.1.next() => Event::Stop,
                () = hangup.next() => Event::Reload,
            };
            if event == Event::Stop && stop.is_set() {
                tracing::warn!("told a second time to stop: what is under way is left as it is, to be gone on with");
                std::process::exit(STOPPED_AT_ONCE);
            }
            if event == Event::Stop {
                stop.set();
                pulse.draining();
            }
            // Nobody listens once the daemon has drained.
            let _ = tell.send(event).await;
        }
    });
    Ok(Heart { scheduler, beats, signals })
}

impl Heart {
    /// Waits for what comes next; signals first.
    pub(super) async fn next(&mut self) -> Event {
        tokio::select! {
            biased;
            signal = self.signals.recv() => signal.unwrap_or(Event::Stop),
            beat = self.beats.recv() => if beat.is_some() { Event::Beat } else { Event::Stop },
        }
    }

    /// Ends it; a second signal still ends the process.
    pub(super) async fn stop(&mut self) {
        if let Err(error) = self.scheduler.shutdown().await {
            tracing::warn!("the heart did not stop cleanly: {error}");
        }
    }
}

/// A kind of signal.
struct Signals(Signal);

impl Signals {
    fn of(kind: SignalKind) -> anyhow::Result<Signals> {
        signal(kind).map(Signals).context("the signals")
    }

    /// Waits for the next one; for ever once there can be none.
    async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}
