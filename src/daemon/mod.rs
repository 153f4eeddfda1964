//! Wakes, catches up, works, drains: what is due is computed from the ledger, and has a row before anything is done.

mod hands;
pub mod health;
mod heart;
pub mod notify;
mod steady;
#[cfg(test)]
mod tests;
mod timetable;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Context;
use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use tokio::task::JoinHandle;

use crate::base::Digest;
use crate::ledger::DaemonState;
use crate::pipeline::{DigestOrder, Order, Press, hint_of, tell_rests};
use crate::schedule::{Lateness, Overlap, Timing};

use hands::Hands;
use heart::Event;
use notify::{Message, Notifier};
use steady::{Steady, Step};

pub use health::Pulse;
pub use heart::HEARTBEAT_SECS;
pub use timetable::Timetable;

/// How far digests are apart, in seconds: many schedules that end together are told in one mail.
const TELL_AGAIN_SECS_MIN: i64 = 60;

/// What the daemon works by: a configuration, composed.
#[derive(Clone)]
pub struct Rota {
    /// Everything outside that a run touches.
    pub press: Press,
    /// What each schedule orders.
    pub orders: BTreeMap<String, Arc<Order>>,
    /// When each schedule runs.
    pub timed: Vec<Timed>,
    /// Looks into the inbox folder, if one is watched.
    pub inbox: Option<Inbox>,
    /// Who is told how runs ended, if anybody is.
    pub digest: Option<Arc<DigestOrder>>,
    /// The digest of the configuration.
    pub config_digest: Digest,
}

/// Brings what lies in the inbox into the facts.
pub type Inbox = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// Reads the configuration anew and composes it over the same ledger; else says what is wrong with it.
pub type Reload = Arc<dyn Fn(Press) -> BoxFuture<'static, Result<Rota, String>> + Send + Sync>;

/// When a schedule runs.
#[derive(Clone, Debug)]
pub struct Timed {
    /// The schedule's name.
    pub schedule: String,
    /// When it is due, and what each occurrence is about.
    pub timing: Timing,
    /// What is done about occurrences that are not seen at once.
    pub late: Lateness,
    /// What is done about one while an earlier one still runs.
    pub overlap: Overlap,
    /// How many seconds after its instant a run starts at most.
    pub jitter_secs_max: u32,
}

/// The daemon.
pub struct Daemon {
    rota: Rota,
    reload: Reload,
    ways: Ways,
    pulse: Pulse,
    /// When each schedule runs, as health and metrics ask for it.
    timed: Arc<RwLock<Vec<Timed>>>,
    /// None until the ledger is reconciled with the schedules.
    timetable: Option<Timetable>,
    hands: Hands,
    sweeping: Option<JoinHandle<()>>,
    /// Digests under way, and when they were last looked for.
    telling: Option<JoinHandle<()>>,
    told_at: Option<DateTime<Utc>>,
}

/// How a daemon is watched and stopped; a reload does not change it.
#[derive(Clone, Copy, Debug)]
pub struct Ways {
    /// How long what is under way may take to end.
    pub drain: std::time::Duration,
    /// Where health and metrics are told; nowhere when none.
    pub listen: Option<SocketAddr>,
}

/// How a daemon ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Drained {
    /// What was under way is finished.
    Wholly,
    /// Its time to drain ran out: what is open is gone on with by the next start.
    InPart,
}

impl Daemon {
    /// A daemon that has not begun.
    pub fn new(rota: Rota, reload: Reload, ways: Ways) -> Daemon {
        let pulse = Pulse::default();
        let timed = Arc::new(RwLock::new(rota.timed.clone()));
        let hands = Hands::new(pulse.clone());
        Daemon {
            rota,
            reload,
            ways,
            pulse,
            timed,
            timetable: None,
            hands,
            sweeping: None,
            telling: None,
            told_at: None,
        }
    }

    /// Works until it is told to stop (SIGTERM or SIGINT), then drains: what is claimed is finished, nothing new is.
    /// SIGHUP has it read its configuration anew; a wrong one is refused, and the one before stays.
    ///
    /// # Errors
    /// When another daemon has the ledger, or the heart cannot beat. A beat that fails is logged, and the next
    /// one goes on.
    pub async fn run(mut self) -> anyhow::Result<Drained> {
        let lock = self.rota.press.ledger.daemon_lock().context("one daemon works on a ledger")?;
        let notifier = Notifier::start();
        let health = self.tell_health().await?;
        let mut heart = heart::start(self.rota.press.stop.clone(), self.pulse.clone()).await?;
        self.tell(None).await?;
        tracing::info!(schedules.n = self.rota.timed.len(), config.digest = %self.rota.config_digest, "daemon is awake");
        let mut steady = Steady::begin(self.rota.press.clock.now());
        let mut step = Step::Steady;
        let mut event = Event::Beat;
        while event != Event::Stop && !self.rota.press.stop.is_set() {
            match event {
                Event::Stop => {}
                Event::Reload => {
                    notifier.say(Message::Reloading);
                    self.reload(step).await;
                    notifier.say(Message::Ready);
                }
                Event::Beat => {
                    step = steady.step(self.rota.press.clock.now());
                    let beat = self.beat(step).await;
                    if beat.is_ok() && self.pulse.ready() {
                        notifier.say(Message::Ready);
                    }
                    log(beat);
                }
            }
            self.pulse.beat(self.rota.press.clock.now());
            notifier.say(Message::Watchdog);
            event = self.next(&mut heart, step).await;
        }
        notifier.say(Message::Stopping);
        let drained = self.drain().await;
        heart.stop().await;
        notifier.finish();
        drop((health, lock));
        Ok(drained)
    }

    /// Opens the port of health and metrics, if there is to be one.
    async fn tell_health(&self) -> anyhow::Result<Option<health::Health>> {
        let Some(listen) = self.ways.listen else { return Ok(None) };
        let timed = Arc::clone(&self.timed);
        let next_of = move |now| {
            let timed = timed.read().unwrap_or_else(PoisonError::into_inner);
            let next = |timed: &Timed| Some((timed.schedule.clone(), timed.timing.cadence.next_at(now)?));
            timed.iter().filter_map(next).collect()
        };
        let (ledger, clock) = (Arc::clone(&self.rota.press.ledger), Arc::clone(&self.rota.press.clock));
        health::serve(listen, self.pulse.clone(), ledger, clock, Arc::new(next_of)).await.map(Some)
    }

    /// What comes next: a beat or a signal. The place of a run that ends meanwhile is given to another.
    async fn next(&mut self, heart: &mut heart::Heart, step: Step) -> Event {
        loop {
            tokio::select! {
                event = heart.next() => return event,
                () = self.hands.one_ended() => {
                    if step != Step::Ahead {
                        let now = self.rota.press.clock.now();
                        log(self.hands.take_up(&self.rota, now).await);
                    }
                }
            }
        }
    }

    /// One beat: the inbox, what is due, and what is open; what it takes up goes on after it. By a clock that has just
    /// jumped ahead nothing is done but the inbox.
    ///
    /// # Errors
    /// When the ledger cannot be read or written.
    async fn beat(&mut self, step: Step) -> anyhow::Result<()> {
        self.sweep();
        if step == Step::Ahead {
            return Ok(());
        }
        let now = self.rota.press.clock.now();
        if step == Step::Back {
            self.timetable = None;
            self.hands.look_anew();
            let backoffs = self.rota.orders.values().map(|order| order.backoff_secs_max());
            let longest = chrono::Duration::seconds(backoffs.max().unwrap_or_default() as i64);
            self.rota.press.ledger.bring_forward(longest, now).await.context("mails that were put off")?;
        }
        let reaped = self.rota.press.ledger.reap(now).await?;
        self.hands.unsettled.extend(reaped.uncertain_runs);
        let mut timetable = match self.timetable.take() {
            Some(timetable) => timetable,
            None => Timetable::open(&self.rota, now).await.context("the schedules")?,
        };
        let looked = timetable.look(&self.rota, now).await;
        self.timetable = Some(timetable);
        looked.context("what is due")?;
        self.hands.beat(&self.rota, now).await?;
        self.tell_rests(now);
        Ok(())
    }

    /// Has the admin told of the runs that came to rest: those of some time in one mail, beside all other work.
    fn tell_rests(&mut self, now: DateTime<Utc>) {
        let is_soon = self.told_at.is_some_and(|told_at| (now - told_at).num_seconds().abs() < TELL_AGAIN_SECS_MIN);
        if is_soon || self.telling.as_ref().is_some_and(|telling| !telling.is_finished()) {
            return;
        }
        self.told_at = Some(now);
        let (press, digest) = (self.rota.press.clone(), self.rota.digest.clone());
        self.telling = Some(tokio::spawn(async move {
            if let Err(error) = tell_rests(&press, digest.as_deref()).await {
                tracing::error!("the digest failed: {error}");
            }
        }));
    }

    /// Looks into the inbox, unless the last look is still at work.
    fn sweep(&mut self) {
        if self.sweeping.as_ref().is_none_or(JoinHandle::is_finished) {
            self.sweeping = self.rota.inbox.as_ref().map(|inbox| tokio::spawn(inbox()));
        }
    }

    /// Takes a new configuration over if it is right; says once what is wrong with it if it is not.
    async fn reload(&mut self, step: Step) {
        match (self.reload)(self.rota.press.clone()).await {
            Ok(rota) => {
                self.timed.write().unwrap_or_else(PoisonError::into_inner).clone_from(&rota.timed);
                self.rota = rota;
                self.timetable = None;
                self.hands.look_anew();
                log(self.beat(step).await);
                log(self.tell(None).await);
                tracing::info!(
                    schedules.n = self.rota.timed.len(),
                    config.digest = %self.rota.config_digest,
                    "the configuration was read anew"
                );
            }
            Err(wrong) => {
                tracing::error!("the configuration is wrong, and the one before stays: {wrong}");
                log(self.tell(Some(wrong)).await);
            }
        }
    }

    /// Tells other commands by which configuration this daemon works, and what was wrong with a newer one.
    async fn tell(&self, refused: Option<String>) -> anyhow::Result<()> {
        let state = DaemonState {
            config_digest: self.rota.config_digest.to_string(),
            at: self.rota.press.clock.now(),
            refused,
        };
        self.rota.press.ledger.set_daemon_state(&state).await.context("the daemon's state")
    }

    /// Lets what is under way end, within a bound.
    async fn drain(&mut self) -> Drained {
        self.rota.press.stop.set();
        let telling = self.telling.take();
        let all = async {
            self.hands.rest().await;
            if let Some(telling) = telling {
                // What a panic left claimed ends with its lease.
                let _ = telling.await;
            }
        };
        match tokio::time::timeout(self.ways.drain, all).await {
            Ok(()) => {
                tracing::info!("daemon has drained");
                Drained::Wholly
            }
            Err(_) => {
                tracing::warn!(
                    drain.secs = self.ways.drain.as_secs(),
                    "not all ended in time; the next start goes on with it"
                );
                Drained::InPart
            }
        }
    }
}

fn log(done: anyhow::Result<()>) {
    if let Err(error) = done {
        tracing::error!("a beat failed: {}", told(error));
    }
}

/// What failed, and what to do about it.
fn told(error: anyhow::Error) -> String {
    let hint = error.chain().find_map(hint_of).map(|hint| format!("; hint: {hint}"));
    format!("{error:#}{}", hint.unwrap_or_default())
}
