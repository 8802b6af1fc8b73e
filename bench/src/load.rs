//! A closed loop of senders: each sends a request, waits for its answer, and takes the next one.

mod client;

use bytes::{BufMut, Bytes, BytesMut};
use client::{Client, Verdict};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

pub use client::Protocol;

/// How to send.
#[derive(Debug, Clone)]
pub struct Plan {
    /// `host:port` of a plain-text receiver.
    pub target: String,
    /// What is spoken there.
    pub protocol: Protocol,
    /// Connections.
    pub conns: usize,
    /// Senders of a connection (HTTP/1.1 has one whatever is said here).
    pub streams_per_conn: usize,
    /// How often one request is sent before it counts as failed.
    pub attempts: u32,
}

/// What became of a load.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Spans of requests that were answered with success, less those of `rejected`.
    pub accepted: u64,
    /// Spans the receiver named in a partial success.
    pub rejected: u64,
    /// Spans of requests that were given up.
    pub failed: u64,
    /// Requests sent again after "busy" or a broken connection.
    pub retries: u64,
    /// Why requests were not accepted at once, and how often.
    pub reasons: BTreeMap<String, u64>,
    /// From a request's first sending to its success, in the order of arrival, retries included.
    pub latencies: Vec<Duration>,
    /// From the first request to the last answer.
    pub wall: Duration,
}

impl Outcome {
    fn add(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.rejected += other.rejected;
        self.failed += other.failed;
        self.retries += other.retries;
        self.latencies.extend(other.latencies);
        for (reason, n) in other.reasons {
            *self.reasons.entry(reason).or_default() += n;
        }
    }

    /// The latency that `share` (0 to 1) of the successful requests did not exceed.
    pub fn percentile(&self, share: f64) -> Duration {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let last = sorted.len().saturating_sub(1);
        sorted.get((last as f64 * share).round() as usize).copied().unwrap_or_default()
    }
}

/// Connected senders with everything encoded: nothing is left but to send.
pub struct Ready {
    clients: Vec<Client>,
    work: Arc<Work>,
}

struct Work {
    bodies: Vec<Bytes>,
    sizes: Vec<u32>,
    next: AtomicUsize,
    plan: Plan,
}

/// Connects all senders and puts the requests into their frames.
pub async fn prepare(plan: Plan, requests: Vec<Bytes>, sizes: Vec<u32>) -> std::io::Result<Ready> {
    let mut clients = Vec::new();
    for _ in 0..plan.conns.max(1) {
        let first = Client::connect(plan.protocol, &plan.target).await?;
        for _ in 1..plan.streams_per_conn.max(1) {
            clients.extend(first.share());
        }
        clients.push(first);
    }
    let bodies = if plan.protocol.is_grpc() { requests.into_iter().map(framed).collect() } else { requests };
    Ok(Ready { clients, work: Arc::new(Work { bodies, sizes, next: AtomicUsize::new(0), plan }) })
}

impl Ready {
    /// Number of senders.
    pub fn senders(&self) -> usize {
        self.clients.len()
    }

    /// Sends everything and waits for every answer.
    pub async fn run(self) -> Outcome {
        let started = Instant::now();
        let tasks: Vec<_> = self.clients.into_iter().map(|c| tokio::spawn(send_all(c, self.work.clone()))).collect();
        let mut all = Outcome::default();
        for task in tasks {
            match task.await {
                Ok(outcome) => all.add(outcome),
                Err(e) => *all.reasons.entry(format!("sender: {e}")).or_default() += 1,
            }
        }
        all.wall = started.elapsed();
        all
    }
}

/// One sender: takes requests until none is left.
async fn send_all(mut client: Client, work: Arc<Work>) -> Outcome {
    let mut outcome = Outcome::default();
    loop {
        let at = work.next.fetch_add(1, Ordering::Relaxed);
        let (Some(body), Some(spans)) = (work.bodies.get(at), work.sizes.get(at)) else { return outcome };
        send_one(&mut client, &work.plan, body, u64::from(*spans), &mut outcome).await;
    }
}

/// Sends one request until it is accepted, refused for good, or out of attempts.
async fn send_one(client: &mut Client, plan: &Plan, body: &Bytes, spans: u64, outcome: &mut Outcome) {
    let started = Instant::now();
    let mut pause = Duration::from_millis(20);
    for attempt in 1..=plan.attempts.max(1) {
        let verdict = client.send(body.clone()).await;
        let (reason, wait) = match verdict {
            Ok(Verdict::Accepted { rejected }) => {
                outcome.rejected += rejected.min(spans);
                outcome.accepted += spans - rejected.min(spans);
                outcome.latencies.push(started.elapsed());
                return;
            }
            Ok(Verdict::Refused(reason)) => {
                *outcome.reasons.entry(reason).or_default() += 1;
                break;
            }
            Ok(Verdict::Busy { reason, after }) => (reason, after),
            Err(e) => (format!("connection: {e}"), None),
        };
        *outcome.reasons.entry(reason).or_default() += 1;
        if attempt == plan.attempts {
            break;
        }
        outcome.retries += 1;
        tokio::time::sleep(wait.unwrap_or(pause).min(Duration::from_secs(5))).await;
        pause = (pause * 2).min(Duration::from_secs(1));
        if client.is_closed()
            && let Ok(new) = Client::connect(plan.protocol, &plan.target).await
        {
            *client = new;
        }
    }
    outcome.failed += spans;
}

/// A gRPC message: no compression, length, bytes.
fn framed(message: Bytes) -> Bytes {
    let mut frame = BytesMut::with_capacity(message.len() + 5);
    frame.put_u8(0);
    frame.put_u32(message.len() as u32);
    frame.extend_from_slice(&message);
    frame.freeze()
}

#[cfg(test)]
mod tests;
