//! The ingester: reads Kafka, writes to the store, and only then commits the offset.
//!
//! A store that gathers spans for long takes them over first ([`SpanWriter::hand_over`]) and says later that it keeps them: the offset is committed then,
//! and nobody waits for it. When partitions leave and at a stop it is flushed.
//!
//! A message that cannot be decoded and a span that the store refuses for good go to the dead-letter topic. A store that is
//! away is waited for, for ever, without a commit. It keeps nothing: kill it, and another takes over from the last commit;
//! what is then written twice leaves the store as written once.

mod assemble;
mod config;
mod letters;
mod metrics;
mod rollups;
mod turns;
mod waiting;
mod work;

pub use config::{Config, WORKERS};
pub use metrics::IngesterMetrics;
pub use rollups::Rollups;

use skua_codec::InputEncoding;
use skua_kafka::{Chunk, DeadLetters};
use skua_pipeline::{Downsampling, Ledger};
use skua_store::SpanWriter;
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use turns::Turns;
use waiting::Waiting;

/// What an ingester works with.
pub struct Ingester {
    /// Where the spans go.
    pub writer: Arc<dyn SpanWriter>,
    /// Where what nobody can use goes.
    pub dead_letters: Arc<DeadLetters>,
    /// What a message's value is.
    pub encoding: InputEncoding,
    /// Leaves out whole traces; their offsets are committed like those of stored spans.
    pub downsampling: Option<Arc<Downsampling>>,
    /// Counts every span.
    pub ledger: Arc<Ledger>,
    /// Jaeger's counters.
    pub metrics: IngesterMetrics,
    /// Counts what passes.
    pub rollups: Option<Arc<Rollups>>,
}

/// What an ingester is told while it runs.
pub struct Signals {
    /// True while the source waits for what it has handed out.
    pub draining: watch::Receiver<bool>,
    /// The process is asked to stop: nothing more is gathered.
    pub stop: CancellationToken,
    /// There is no time left: what is not yet stored is left uncommitted, for the next ingester.
    pub give_up: CancellationToken,
}

impl Ingester {
    /// Works, on `workers` chunks at a time, until the source ends its channel, which it does when it is told to stop and has let go of its partitions, and
    /// the store has kept everything.
    pub async fn run(self, workers: usize, chunks: mpsc::Receiver<Chunk>, signals: Signals) {
        let Signals { draining, stop, give_up } = signals;
        let (ingester, chunks, turns) = (Arc::new(self), Arc::new(Mutex::new((0, chunks))), Arc::new(Turns::default()));
        let (waiting, stop) = (Arc::new(Waiting::new(give_up.clone())), stop.child_token());
        let (flushed, writer, stopping) = (waiting.clone(), ingester.writer.clone(), stop.clone());
        let flusher = tokio::spawn(async move { flushed.flush(&*writer, draining, stopping).await });
        let mut tasks = JoinSet::new();
        for _ in 0..workers {
            let (ingester, chunks, turns, waiting) = (ingester.clone(), chunks.clone(), turns.clone(), waiting.clone());
            let give_up = give_up.clone();
            tasks.spawn(async move {
                loop {
                    let mut line = chunks.lock().await;
                    let Some(chunk) = line.1.recv().await else { break };
                    let turn = turns.place(line.0);
                    line.0 += 1;
                    drop(line);
                    tokio::select! {
                        () = ingester.work(chunk, turn, &waiting) => {}
                        () = give_up.cancelled() => break,
                    }
                }
            });
        }
        while tasks.join_next().await.is_some() {}
        // The source may have ended by itself.
        stop.cancel();
        waiting.ended().await;
        flusher.abort();
    }
}
