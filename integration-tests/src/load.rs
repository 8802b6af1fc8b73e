//! Sending many spans: all at once, or in the background until a scenario has happened.

use crate::{Answer, Error, Result, Sender, Spans};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Sends the spans of `range` in requests of `batch` spans, in order; fails unless the collector acknowledges each at once.
pub async fn send_all(sender: &Sender, spans: &Spans, range: Range<u64>, batch: u64) -> Result<()> {
    for start in range.clone().step_by(batch as usize) {
        let end = (start + batch).min(range.end);
        match sender.send(&spans.request(start..end)).await {
            Answer::Accepted => {}
            other => return Err(Error::new(format!("spans {start}..{end} were not accepted: {other:?}"))),
        }
    }
    Ok(())
}

/// A background sender. It sends batch after batch until it is stopped, or has sent its most.
pub struct Load {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    task: JoinHandle<Result<u64>>,
}

impl Load {
    /// Starts sending spans 0, 1, 2 … in requests of `batch`, at most `most` spans, with a short rest after each request so
    /// that the load lasts. Fails at the first request that is not acknowledged.
    pub fn start(sender: Sender, spans: Spans, batch: u64, most: u64) -> Self {
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, count) = (stop.clone(), sent.clone());
        let task = tokio::spawn(async move {
            let mut next = 0;
            while next < most && !stopped.load(Ordering::Relaxed) {
                send_all(&sender, &spans, next..next + batch, batch).await?;
                next += batch;
                count.store(next, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Ok(next)
        });
        Self { stop, sent, task }
    }

    /// The number of spans acknowledged so far.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Whether it is still sending: false once it is at its most, or has failed.
    pub fn is_running(&self) -> bool {
        !self.task.is_finished()
    }

    /// Stops sending and gives the number of spans that were acknowledged: those of `0..number`.
    pub async fn stop(self) -> Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await?
    }
}
