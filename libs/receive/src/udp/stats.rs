//! What a port counts.

use super::kernel;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of one port, all since the start.
#[derive(Debug, Default)]
pub struct Stats {
    pub(super) queued: AtomicU64,
    pub(super) queue_full: AtomicU64,
    pub(super) too_long: AtomicU64,
    pub(super) read_errors: AtomicU64,
    pub(super) last_size: AtomicU64,
    pub(super) waiting: AtomicU64,
    kernel: Mutex<Kernel>,
}

#[derive(Debug, Default)]
struct Kernel {
    inodes: Vec<u64>,
    /// The sum that was read last: a closed socket is no longer listed.
    dropped: u64,
}

impl Stats {
    pub(super) fn new(inodes: Vec<u64>) -> Self {
        Self { kernel: Mutex::new(Kernel { inodes, dropped: 0 }), ..Self::default() }
    }

    pub(super) fn add(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Ordering::Relaxed);
    }

    /// Datagrams that were put into the queue.
    pub fn queued(&self) -> u64 {
        self.queued.load(Ordering::Relaxed)
    }

    /// Datagrams that were dropped because the queue was full.
    pub fn queue_full(&self) -> u64 {
        self.queue_full.load(Ordering::Relaxed)
    }

    /// Datagrams that were dropped because they were longer than [`super::Options::max_packet`].
    pub fn too_long(&self) -> u64 {
        self.too_long.load(Ordering::Relaxed)
    }

    /// Calls to the kernel that failed.
    pub fn read_errors(&self) -> u64 {
        self.read_errors.load(Ordering::Relaxed)
    }

    /// Bytes of the datagram that came last.
    pub fn last_size(&self) -> u64 {
        self.last_size.load(Ordering::Relaxed)
    }

    /// Datagrams that wait in the queue.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Datagrams that the kernel dropped because a socket's receive buffer was full (or a checksum wrong). Reads
    /// `/proc/net/udp`: for a scrape, not for every datagram.
    pub fn kernel_dropped(&self) -> u64 {
        let mut kernel = self.kernel.lock();
        if let Some(now) = kernel::dropped(&kernel.inodes) {
            kernel.dropped = kernel.dropped.max(now);
        }
        kernel.dropped
    }
}
