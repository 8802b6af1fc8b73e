//! What a listener bounds.

use prometheus_client::metrics::counter::Counter;
use std::time::Duration;

/// Bounds of one HTTP listener. The times are those of Go's `http.Server`, on which Jaeger's flags
/// `….http-server.{idle-timeout,read-timeout,read-header-timeout}` are set.
#[derive(Debug, Clone)]
pub struct Limits {
    /// From the first byte of a request (of the first one: from the connect) to the end of its header. Zero: as long as
    /// `read_timeout`. Then the connection is closed without an answer.
    pub read_header_timeout: Duration,
    /// From the end of the header to the end of the body. Zero: no limit. Then the request is answered 408.
    pub read_timeout: Duration,
    /// From the end of an answer to the first byte of the next request. Zero: as long as `read_timeout`; if that is zero
    /// too, no limit of its own, but the connection idle longest is closed when another client waits for room.
    pub idle_timeout: Duration,
    /// More than one request on an HTTP/1 connection (`collector.zipkin.keep-alive`).
    pub keep_alive: bool,
    /// Connections open at a time. A further one is taken and waits until another ends.
    pub max_connections: usize,
    /// Connections that had to wait for room; a clone may be registered as a metric.
    pub waited: Counter,
}

impl Default for Limits {
    /// The defaults of Jaeger's flags, and 10,000 connections.
    fn default() -> Self {
        Self {
            read_header_timeout: Duration::from_secs(2),
            read_timeout: Duration::ZERO,
            idle_timeout: Duration::ZERO,
            keep_alive: true,
            max_connections: 10_000,
            waited: Counter::default(),
        }
    }
}

impl Limits {
    pub(super) fn header(&self) -> Option<Duration> {
        self.or_read_timeout(self.read_header_timeout)
    }

    pub(super) fn body(&self) -> Option<Duration> {
        self.or_read_timeout(self.read_timeout)
    }

    pub(super) fn idle(&self) -> Option<Duration> {
        self.or_read_timeout(self.idle_timeout)
    }

    fn or_read_timeout(&self, time: Duration) -> Option<Duration> {
        [time, self.read_timeout].into_iter().find(|t| !t.is_zero())
    }
}
