//! Datagrams between the sockets and those who decode them: bounded, without an allocation for each.

use super::inbox::Datagram;
use super::{Options, Stats};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Under load, time from one [`Queue::take`] to the next: the datagrams of a few milliseconds travel together, which costs a
/// collector and us one request instead of hundreds. A datagram that comes after a longer silence is taken at once.
const GATHER: Duration = Duration::from_millis(5);

/// Buffers that are kept for later datagrams.
const SPARE: usize = 2;

/// Some datagrams in one buffer.
#[derive(Debug, Default)]
pub struct Packets {
    bytes: Vec<u8>,
    /// End in `bytes`, and who sent it.
    ends: Vec<(u32, SocketAddr)>,
}

impl Packets {
    /// Datagrams and their senders, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], SocketAddr)> {
        let mut from = 0;
        self.ends.iter().map(move |(end, sender)| {
            let packet = &self.bytes[from..*end as usize];
            from = *end as usize;
            (packet, *sender)
        })
    }

    /// Datagrams.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True without a datagram.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes of all datagrams.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }
}

/// The datagrams of one port that wait. Any number of workers may take from it.
#[derive(Debug)]
pub struct Queue {
    state: Mutex<State>,
    arrived: Notify,
    stats: Arc<Stats>,
    packets: usize,
    bytes: usize,
    take: Take,
}

/// What one taking takes at most.
#[derive(Debug, Clone, Copy)]
struct Take {
    bytes: usize,
    packets: usize,
}

#[derive(Debug)]
struct State {
    /// All but the last are full.
    waiting: VecDeque<Packets>,
    spare: Vec<Packets>,
    packets: usize,
    bytes: usize,
    closed: bool,
    taken: Option<Instant>,
}

enum Look {
    Ready,
    /// More may come until then.
    Gathering(Instant),
    Empty,
    Over,
}

impl Queue {
    pub(super) fn new(options: &Options, stats: Arc<Stats>) -> Self {
        let state = State { waiting: VecDeque::new(), spare: Vec::new(), packets: 0, bytes: 0, closed: false, taken: None };
        let Options { queue_packets, queue_bytes, take_bytes, .. } = *options;
        // A quarter of the queue, so that small datagrams do not fill it while they gather.
        let take = Take { bytes: take_bytes.min(u32::MAX as usize / 2), packets: (queue_packets / 4).max(1) };
        Self { state: Mutex::new(state), arrived: Notify::new(), stats, packets: queue_packets, bytes: queue_bytes, take }
    }

    /// Appends datagrams, as far as there is room.
    pub(super) fn push(&self, datagrams: &mut dyn Iterator<Item = Datagram<'_>>) {
        let (mut queued, mut full, mut too_long, mut last_size, mut wake) = (0, 0, 0, None, false);
        let mut state = self.state.lock();
        for d in datagrams {
            last_size = Some(d.bytes.len() as u64);
            if d.cut {
                too_long += 1;
            } else if state.packets >= self.packets || state.bytes + d.bytes.len() > self.bytes {
                full += 1;
            } else {
                wake |= state.append(&d, self.take);
                queued += 1;
            }
        }
        let waiting = state.packets as u64;
        drop(state);
        Stats::add(&self.stats.queued, queued);
        Stats::add(&self.stats.queue_full, full);
        Stats::add(&self.stats.too_long, too_long);
        self.stats.waiting.store(waiting, std::sync::atomic::Ordering::Relaxed);
        if let Some(size) = last_size {
            self.stats.last_size.store(size, std::sync::atomic::Ordering::Relaxed);
        }
        if wake {
            self.arrived.notify_one();
        }
    }

    /// Returns when datagrams wait that [`Queue::take`] should take now; false when no more will ever come.
    pub async fn ready(&self) -> bool {
        loop {
            let arrived = self.arrived.notified();
            match self.look() {
                Look::Ready => return true,
                Look::Over => return false,
                Look::Empty => arrived.await,
                Look::Gathering(until) => drop(tokio::time::timeout_at(until, arrived).await),
            }
        }
    }

    fn look(&self) -> Look {
        let state = self.state.lock();
        match (state.packets, state.closed) {
            (0, true) => return Look::Over,
            (0, false) => return Look::Empty,
            (_, true) => return Look::Ready,
            _ => {}
        }
        let until = state.taken.map(|taken| taken + GATHER).filter(|until| *until > Instant::now());
        match until {
            Some(until) if state.waiting.len() == 1 => Look::Gathering(until),
            _ => Look::Ready,
        }
    }

    /// What waits, up to about [`Options::take_bytes`], at least one datagram. `None` when nothing waits any more.
    pub fn take(&self) -> Option<Packets> {
        let mut state = self.state.lock();
        let packets = state.waiting.pop_front()?;
        state.packets -= packets.len();
        state.bytes -= packets.size();
        state.taken = Some(Instant::now());
        let (left, waiting) = (!state.waiting.is_empty(), state.packets as u64);
        drop(state);
        self.stats.waiting.store(waiting, std::sync::atomic::Ordering::Relaxed);
        if left {
            self.arrived.notify_one();
        }
        Some(packets)
    }

    /// Takes a buffer back, to be used again.
    pub fn give_back(&self, mut packets: Packets) {
        packets.bytes.clear();
        packets.ends.clear();
        let mut state = self.state.lock();
        if state.spare.len() < SPARE && packets.bytes.capacity() <= 2 * self.take.bytes {
            state.spare.push(packets);
        }
    }

    /// No more datagrams will come.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.arrived.notify_waiters();
    }
}

impl State {
    /// True when somebody should look: the queue was empty, or another buffer is full.
    fn append(&mut self, d: &Datagram<'_>, take: Take) -> bool {
        let fits = |last: &Packets| last.size() + d.bytes.len() <= take.bytes && last.len() < take.packets;
        let fits = self.waiting.back().is_some_and(fits);
        if !fits {
            let fresh = self.spare.pop().unwrap_or_else(|| Packets { bytes: Vec::with_capacity(take.bytes), ends: Vec::new() });
            self.waiting.push_back(fresh);
        }
        if let Some(last) = self.waiting.back_mut() {
            last.bytes.extend_from_slice(d.bytes);
            last.ends.push((last.bytes.len() as u32, d.sender));
        }
        self.packets += 1;
        self.bytes += d.bytes.len();
        !fits
    }
}
