//! What Jaeger's clients lost before it came to us, by the counters that they send along.

use crate::metrics::ClientCounters;
use parking_lot::Mutex;
use skua_codec::thrift::ClientReport;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// A client that was not heard of for this long is forgotten (Jaeger 1.67).
const FORGET_AFTER: Duration = Duration::from_secs(60 * 60);

/// How often silent clients are looked for (Jaeger 1.67).
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(15 * 60);

/// Clients that are remembered; reports of further ones are only counted as received. In Jaeger there is no bound.
const MAX_CLIENTS: usize = 10_000;

/// Bytes of a `client-uuid`; it is 36 long. Longer ones are no uuids and are not remembered.
const MAX_UUID: usize = 128;

/// The last report of each client, by its `client-uuid`.
#[derive(Debug)]
pub(crate) struct ClientStats {
    clients: Mutex<HashMap<String, Last>>,
    counters: ClientCounters,
}

#[derive(Debug)]
struct Last {
    heard: Instant,
    seq_no: i64,
    full_queue: i64,
    too_large: i64,
    failed: i64,
}

impl ClientStats {
    pub fn new(counters: ClientCounters) -> Self {
        Self { clients: Mutex::default(), counters }
    }

    /// Counts what came to the counters since the client's report before. The first report counts nothing: the client may have
    /// run for long. Reports that come late say nothing new.
    pub fn see(&self, report: ClientReport) {
        self.counters.batches_received.inc();
        let now = Instant::now();
        let mut clients = self.clients.lock();
        if let Some(last) = clients.get_mut(&report.client_uuid) {
            if last.seq_no < report.seq_no {
                last.advance(&report, now, &self.counters);
            }
        } else if clients.len() < MAX_CLIENTS && report.client_uuid.len() <= MAX_UUID {
            let last = Last {
                heard: now,
                seq_no: report.seq_no,
                full_queue: report.full_queue_dropped_spans,
                too_large: report.too_large_dropped_spans,
                failed: report.failed_to_emit_spans,
            };
            clients.insert(report.client_uuid, last);
            self.counters.connected.set(clients.len() as i64);
        }
    }

    /// Forgets silent clients.
    pub fn expire(&self) {
        let now = Instant::now();
        let mut clients = self.clients.lock();
        clients.retain(|_, last| now.duration_since(last.heard) <= FORGET_AFTER);
        self.counters.connected.set(clients.len() as i64);
    }
}

impl Last {
    fn advance(&mut self, report: &ClientReport, now: Instant, counters: &ClientCounters) {
        counters.batches_sent.inc_by(report.seq_no.abs_diff(self.seq_no));
        self.heard = now;
        self.seq_no = report.seq_no;
        // A report without counters has zeros: they never fall.
        for (counter, last, now) in [
            (&counters.full_queue, &mut self.full_queue, report.full_queue_dropped_spans),
            (&counters.too_large, &mut self.too_large, report.too_large_dropped_spans),
            (&counters.failed, &mut self.failed, report.failed_to_emit_spans),
        ] {
            if now > *last {
                counter.inc_by(now.abs_diff(*last));
                *last = now;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::ClientCounters;

    fn report(client: &str, seq_no: i64, [full, large, failed]: [i64; 3]) -> ClientReport {
        ClientReport {
            client_uuid: client.into(),
            seq_no,
            full_queue_dropped_spans: full,
            too_large_dropped_spans: large,
            failed_to_emit_spans: failed,
        }
    }

    fn counted(c: &ClientCounters) -> [u64; 5] {
        [&c.batches_received, &c.batches_sent, &c.full_queue, &c.too_large, &c.failed].map(|c| c.get())
    }

    /// Scenario: a client that ran before we did, whose reports come in disorder, once without counters.
    /// Guarantee: only what is new is counted, and every batch as received.
    #[tokio::test(start_paused = true)]
    async fn only_what_is_new_counts() {
        let counters = ClientCounters::default();
        let stats = ClientStats::new(counters.clone());
        stats.see(report("a", 100, [50, 5, 1]));
        assert_eq!(counted(&counters), [1, 0, 0, 0, 0]);
        stats.see(report("a", 103, [52, 5, 2]));
        assert_eq!(counted(&counters), [2, 3, 2, 0, 1]);
        stats.see(report("a", 102, [99, 99, 99]));
        assert_eq!(counted(&counters), [3, 3, 2, 0, 1]);
        stats.see(report("a", 104, [0, 0, 0]));
        stats.see(report("a", 105, [53, 5, 2]));
        assert_eq!(counted(&counters), [5, 5, 3, 0, 1]);
        stats.see(report("b", 7, [1, 1, 1]));
        assert_eq!((counted(&counters)[1], counters.connected.get()), (5, 2));
    }

    /// Scenario: a client falls silent. Guarantee: after an hour it is forgotten, and begins anew when it comes again.
    #[tokio::test(start_paused = true)]
    async fn silent_clients_are_forgotten() {
        let counters = ClientCounters::default();
        let stats = ClientStats::new(counters.clone());
        stats.see(report("a", 1, [0; 3]));
        tokio::time::advance(FORGET_AFTER / 2).await;
        stats.see(report("b", 1, [0; 3]));
        tokio::time::advance(FORGET_AFTER / 2 + Duration::from_secs(1)).await;
        stats.expire();
        assert_eq!(counters.connected.get(), 1);
        stats.see(report("a", 9, [9; 3]));
        stats.see(report("b", 2, [0; 3]));
        assert_eq!((counted(&counters), counters.connected.get()), ([4, 1, 0, 0, 0], 2));
    }

    /// Scenario: a sender invents clients. Guarantee: memory is bounded.
    #[tokio::test]
    async fn clients_are_bounded() {
        let counters = ClientCounters::default();
        let stats = ClientStats::new(counters.clone());
        stats.see(report(&"x".repeat(MAX_UUID + 1), 1, [0; 3]));
        assert_eq!(counters.connected.get(), 0);
        (0..MAX_CLIENTS + 5).for_each(|i| stats.see(report(&i.to_string(), 1, [0; 3])));
        assert_eq!(counters.connected.get(), MAX_CLIENTS as i64);
    }
}
