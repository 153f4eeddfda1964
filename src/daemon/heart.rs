//! The heartbeat: one tick in UTC, by tokio-cron-scheduler, and the signals that end it.
//!
//! The crate keeps a zone as the offset of the moment a job was added, forgets ticks it missed and takes no lock,
//! so it tells when to look, never what is due.

use anyhow::Context;
use tokio::sync::{mpsc, watch};
use tokio_cron_scheduler::{Job, JobScheduler};

use crate::pipeline::Stop;

/// How often the daemon looks, in seconds.
pub const HEARTBEAT_SECS: u32 = 5;

/// A running heart.
pub(super) struct Heart {
    scheduler: JobScheduler,
    beats: mpsc::Receiver<()>,
    stopped: watch::Receiver<bool>,
}

/// Starts the heart. SIGTERM or SIGINT stops it and sets `stop` at once, so that a run under way claims nothing new.
pub(super) async fn start(stop: Stop) -> anyhow::Result<Heart> {
    let (send, beats) = mpsc::channel(1);
    let scheduler = JobScheduler::new().await.context("the heart cannot start")?;
    let tick = Job::new_async(format!("*/{HEARTBEAT_SECS} * * * * *"), move |_, _| {
        // A beat while another is being worked on is dropped: the next look finds all that is due.
        let _ = send.try_send(());
        Box::pin(async {})
    });
    scheduler.add(tick.context("the heart's tick")?).await.context("the heart's tick")?;
    scheduler.start().await.context("the heart cannot start")?;
    let mut end = EndSignals::new()?;
    let (tell, stopped) = watch::channel(false);
    tokio::spawn(async move {
        end.any().await;
        stop.set();
        // Nobody listens once the daemon has drained.
        let _ = tell.send(true);
    });
    Ok(Heart { scheduler, beats, stopped })
}

impl Heart {
    /// Waits for the next beat; false when the daemon is to stop.
    pub(super) async fn beat(&mut self) -> bool {
        tokio::select! {
            beat = self.beats.recv() => beat.is_some(),
            _ = self.stopped.changed() => false,
        }
    }

    /// Ends it.
    pub(super) async fn stop(&mut self) {
        if let Err(error) = self.scheduler.shutdown().await {
            tracing::warn!("the heart did not stop cleanly: {error}");
        }
    }
}

/// SIGTERM and SIGINT.
struct EndSignals {
    term: tokio::signal::unix::Signal,
    int: tokio::signal::unix::Signal,
}

impl EndSignals {
    fn new() -> anyhow::Result<EndSignals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(EndSignals {
            term: signal(SignalKind::terminate()).context("SIGTERM")?,
            int: signal(SignalKind::interrupt()).context("SIGINT")?,
        })
    }

    async fn any(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}
