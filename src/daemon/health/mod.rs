//! Tells over HTTP, on the loopback only, whether the daemon lives (`/healthz`), works (`/readyz`) and what it does
//! (`/metrics`).
//!
//! A connection answers one request within [`CONNECTION_SECS_MAX`], so that a client that says nothing keeps its place
//! for that long and no longer.

mod metrics;
mod pulse;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{DateTime, Utc};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};

use crate::clock::Clock;
use crate::ledger::{Ledger, LedgerError};

pub use metrics::{LATE_MINUTES, SCHEDULES_SHOWN_MAX};
pub use pulse::{BEAT_AGE_SECS_MAX, Pulse};

/// How many connections are open at once; further ones wait until one is closed.
pub const CONNECTIONS_MAX: usize = 16;
/// How long a connection may last, from its opening to the last byte of the answer.
pub const CONNECTION_SECS_MAX: u64 = 10;
/// The most that a request line and its headers may have together.
pub const HEADER_BYTES_MAX: usize = 8192;
/// How many headers a request may have.
pub const HEADERS_MAX: usize = 64;
/// How long the ledger may think about a question; shorter than a connection, so that the answer can say so.
const LEDGER_SECS_MAX: u64 = 5;
/// How long nothing is accepted after a failure, as when the process has too many files open.
const ACCEPT_AGAIN_MILLIS: u64 = 200;

/// The next occurrence of each schedule after an instant; one without any is left out.
pub type NextOf = Arc<dyn Fn(DateTime<Utc>) -> Vec<(String, DateTime<Utc>)> + Send + Sync>;

/// A server that runs; it stops when this is stopped or dropped.
#[derive(Debug)]
pub struct Health {
    listen: SocketAddr,
    task: JoinHandle<()>,
}

impl Health {
    /// The address and port at which it answers.
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// Closes the port and every connection.
    pub async fn stop(mut self) {
        self.task.abort();
        // That it was aborted is what is waited for.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Health {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What the answers are made of.
struct Told {
    pulse: Pulse,
    ledger: Arc<Ledger>,
    clock: Arc<dyn Clock>,
    next: NextOf,
}

/// Opens the port and answers until the handle is stopped.
///
/// # Errors
/// When the port cannot be opened, as when another program has it.
pub async fn serve(
    listen: SocketAddr,
    pulse: Pulse,
    ledger: Arc<Ledger>,
    clock: Arc<dyn Clock>,
    next: NextOf,
) -> anyhow::Result<Health> {
    const HINT: &str = "hint: end the program that has this port, or name another one as `listen` in `[daemon]`";
    let listener = TcpListener::bind(listen).await;
    let listener = listener
        .map_err(|error| anyhow::anyhow!("cannot listen on `{listen}`: {}\n{HINT}", error.kind()))
        .and_then(|listener| Ok((listener.local_addr().context("the port's own address")?, listener)));
    let (listen, listener) = listener?;
    let routes = routes(Told { pulse, ledger, clock, next });
    tracing::info!(health.listen = %listen, "health and metrics are told");
    let lasts = Duration::from_secs(CONNECTION_SECS_MAX);
    Ok(Health { listen, task: tokio::spawn(accept(listener, routes, lasts)) })
}

/// Whatever is not told here is not found, and only asked for by GET and HEAD.
fn routes(told: Told) -> Router {
    let routes = Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics::metrics));
    routes.with_state(Arc::new(told))
}

/// Accepts for ever connections that last so long at most; what is open is closed when the task is aborted.
async fn accept(listener: TcpListener, routes: Router, lasts: Duration) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut open = JoinSet::new();
    // Nobody closes the semaphore.
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        while open.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                let routes = routes.clone();
                open.spawn(async move {
                    answer(stream, routes, lasts).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!("a connection for health or metrics failed: {error}");
                tokio::time::sleep(Duration::from_millis(ACCEPT_AGAIN_MILLIS)).await;
            }
        }
    }
}

/// Answers one request. A client that leaves or is too slow is nobody's failure.
async fn answer(stream: TcpStream, routes: Router, lasts: Duration) {
    let connection = http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(HEADER_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
    if let Ok(Err(error)) = tokio::time::timeout(lasts, connection).await {
        tracing::debug!("a connection for health or metrics broke off: {error}");
    }
}

async fn healthz(State(told): State<Arc<Told>>) -> Response {
    verdict(told.pulse.why_dead(told.clock.now()).into_iter().collect())
}

async fn readyz(State(told): State<Arc<Told>>) -> Response {
    let mut why = told.pulse.why_not_ready();
    why.extend(in_time(told.ledger.answers()).await.err().map(|error| format!("the ledger does not answer: {error}")));
    verdict(why)
}

/// 200 without a reason against it, else 503 with all of them, a line each.
fn verdict(why: Vec<String>) -> Response {
    if why.is_empty() {
        text(StatusCode::OK, "text/plain; charset=utf-8", "ok\n".to_owned())
    } else {
        text(StatusCode::SERVICE_UNAVAILABLE, "text/plain; charset=utf-8", why.join("\n") + "\n")
    }
}

fn text(status: StatusCode, kind: &'static str, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")], body).into_response()
}

/// The ledger's answer, if it comes before the client has left.
async fn in_time<T>(question: impl Future<Output = Result<T, LedgerError>>) -> Result<T, String> {
    match tokio::time::timeout(Duration::from_secs(LEDGER_SECS_MAX), question).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("nothing within {LEDGER_SECS_MAX} s")),
    }
}
