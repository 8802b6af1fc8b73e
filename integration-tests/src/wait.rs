//! Waiting for a condition instead of for a time. Every wait ends.

use crate::{Error, Result};
use std::fmt::Display;
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up. No test asserts a time: this only bounds a test that would hang,
/// on a machine that may be busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(180);

const PAUSE: Duration = Duration::from_millis(50);

/// Calls `probe` every 50 ms until it gives a value, for at most `limit`. An error of the last call is part of the text
/// of the failure; `what` finishes the sentence "waited for …".
pub async fn until_within<T>(
    limit: Duration,
    what: impl Display,
    mut probe: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let end = Instant::now() + limit;
    loop {
        let last = match probe().await {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => None,
            Err(error) => Some(error),
        };
        if Instant::now() >= end {
            let last = last.map(|error| format!(": {error}")).unwrap_or_default();
            return Err(Error::new(format!("waited for {what}, in vain for {} s{last}", limit.as_secs())));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// [`until_within`] the usual [`PATIENCE`].
pub async fn until<T>(what: impl Display, probe: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    until_within(PATIENCE, what, probe).await
}

/// Watches, four times a second, that `probe` keeps holding for `time`: for "nothing happens meanwhile", which no
/// condition can end.
pub async fn holds_for(time: Duration, mut probe: impl AsyncFnMut() -> Result<()>) -> Result<()> {
    let end = Instant::now() + time;
    while Instant::now() < end {
        probe().await?;
        tokio::time::sleep(5 * PAUSE).await;
    }
    probe().await
}
