//! Writes down what is known already and would be lost, for as long as it takes until the ledger can be written.

use std::future::Future;
use std::time::Duration;

use crate::clock::Stopwatch;
use crate::ledger::LedgerError;

use super::pace::LEASE_MINUTES;

/// How long that is at most, in seconds: as long as the claim of a delivery holds.
const WAIT_SECS_MAX: u64 = 60 * LEASE_MINUTES as u64;

/// How far the tries are apart, in milliseconds.
const AGAIN_MILLIS: u64 = 500;

/// Calls until the ledger takes it, while what keeps it from that may pass: a disk that is full.
///
/// # Errors
/// With anything else, at once; with what did not pass, when it has waited for too long.
pub(super) async fn patiently<T, F>(mut write: impl FnMut() -> F) -> Result<T, LedgerError>
where
    F: Future<Output = Result<T, LedgerError>>,
{
    let since = Stopwatch::start();
    let mut is_told = false;
    loop {
        let error = match write().await {
            Err(error) if error.is_passing() && since.elapsed().as_secs() < WAIT_SECS_MAX => error,
            written => return written,
        };
        if !is_told {
            tracing::error!("what was done cannot be written down yet, and is kept until it can: {}", told(&error));
            is_told = true;
        }
        tokio::time::sleep(Duration::from_millis(AGAIN_MILLIS)).await;
    }
}

fn told(error: &LedgerError) -> String {
    let hint = error.hint().map(|hint| format!("; hint: {hint}"));
    format!("{error}{}", hint.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_known_waits_for_room_and_for_nothing_else() {
        let mut answers = vec![Ok(7), Err(LedgerError::DiskFull)];
        assert_eq!(patiently(|| std::future::ready(answers.pop().unwrap())).await.unwrap(), 7);
        assert!(answers.is_empty());
        let lost = || LedgerError::LostClaim { row: "delivery", id: "1".to_owned() };
        let mut answers = vec![Ok(7), Err(lost())];
        assert!(patiently(|| std::future::ready(answers.pop().unwrap())).await.unwrap_err().is_lost_claim());
    }
}
