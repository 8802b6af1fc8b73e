//! From waiting datagrams to a reported batch.

use crate::client_stats::ClientStats;
use crate::reporter::{Came, Reporter};
use prometheus_client::metrics::counter::Counter;
use skua_codec::thrift::{self, Method, Protocol, ThriftError};
use skua_model::{BatchBuilder, DecodeError, SpanBatch};
use skua_receive::udp::{Packets, Queue};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Room that is reserved before datagrams are taken: what the largest taking decodes to. What it does not need is given back.
const RESERVE: usize = 512 << 10;

/// Room that a batch takes at least: 512 of them may be on their way. With the default of 8 MiB, that is, and when collectors are
/// slow more datagrams then go into each batch.
const LEAST: usize = 16 << 10;

/// What the workers of one port share.
pub(crate) struct Work {
    pub protocol: Protocol,
    pub queue: Arc<Queue>,
    /// Bytes of decoded spans of all ports.
    pub room: Arc<Semaphore>,
    pub max_waiting_bytes: usize,
    pub reporter: Arc<dyn Reporter>,
    pub clients: Arc<ClientStats>,
    pub handler_errors: Counter,
    pub complaints: Complaints,
    /// Batches on their way.
    pub reports: TaskTracker,
    /// Gives up the batches on their way.
    pub end: CancellationToken,
}

/// Why a datagram is not a batch.
#[derive(Debug, thiserror::Error)]
enum DatagramError {
    #[error(transparent)]
    Thrift(#[from] ThriftError),
    #[error(transparent)]
    Otlp(#[from] DecodeError),
}

impl Work {
    /// Takes, decodes and has reported, until the queue is closed and empty. A report is not waited for: how many may be on
    /// their way is bounded by their bytes, so that a collector's pause is bridged by memory and not by the number of workers.
    pub async fn run(self: Arc<Self>) {
        while self.queue.ready().await {
            // Room comes before the taking: what there is no room for waits as bytes in the queue, which is bounded.
            let Ok(room) = self.room.clone().acquire_many_owned(self.reserve()).await else { return };
            let Some(packets) = self.queue.take() else { continue };
            let (batch, came) = self.decode(&packets);
            self.queue.give_back(packets);
            let room = shrink(room, batch.bytes().len().max(LEAST));
            let (reporter, end) = (self.reporter.clone(), self.end.clone());
            self.reports.spawn(async move {
                let _room = room;
                end.run_until_cancelled(reporter.report(batch, came)).await;
            });
        }
    }

    /// Returns when the fate of all spans is known, after all [`Work::run`] have ended.
    pub async fn reported(&self) {
        self.reports.close();
        self.reports.wait().await;
    }

    fn reserve(&self) -> u32 {
        u32::try_from(RESERVE.min(self.max_waiting_bytes)).unwrap_or(u32::MAX)
    }

    fn decode(&self, packets: &Packets) -> (SpanBatch, Came) {
        let (mut builder, mut came) = (BatchBuilder::default(), Came::default());
        let tag = self.reporter.format_tag();
        for (packet, sender) in packets.iter() {
            let mut datagram = None;
            let pushed = builder.push_with(|out| -> Result<(), DatagramError> {
                datagram = Some(thrift::datagram(self.protocol, packet, tag, out)?);
                Ok(())
            });
            match (pushed, datagram) {
                (Ok(_), Some(datagram)) => {
                    let tally = match datagram.method {
                        Method::EmitBatch => &mut came.jaeger,
                        Method::EmitZipkinBatch => &mut came.zipkin,
                    };
                    tally.datagrams += 1;
                    tally.spans += datagram.spans as u64;
                    if let Some(report) = datagram.client {
                        self.clients.see(report);
                    }
                }
                (Err(e), _) => self.complain(sender, packet.len(), &e),
                (Ok(_), None) => {}
            }
        }
        (builder.finish(), came)
    }

    fn complain(&self, sender: SocketAddr, bytes: usize, e: &DatagramError) {
        self.handler_errors.inc();
        if let Some(count) = self.complaints.due() {
            tracing::warn!(%sender, bytes, error = %e, count, "failed to read datagrams; this is the last of them");
        }
    }
}

fn shrink(mut room: OwnedSemaphorePermit, to: usize) -> OwnedSemaphorePermit {
    let surplus = room.num_permits().saturating_sub(to);
    drop(room.split(surplus));
    room
}

/// Lets through one log line a second.
#[derive(Debug)]
pub(crate) struct Complaints {
    started: Instant,
    second: AtomicU64,
    count: AtomicU64,
}

impl Default for Complaints {
    fn default() -> Self {
        Self { started: Instant::now(), second: AtomicU64::new(0), count: AtomicU64::new(0) }
    }
}

impl Complaints {
    /// How many there were since the last line; `None` when there was a line in this second.
    pub fn due(&self) -> Option<u64> {
        let now = self.started.elapsed().as_secs() + 1;
        let count = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        if self.second.swap(now, Ordering::Relaxed) == now {
            return None;
        }
        self.count.fetch_sub(count, Ordering::Relaxed);
        Some(count)
    }
}
