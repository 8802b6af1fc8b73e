//! What the source hands out: some records, and the duty to say that they are done.

use crate::rebalance::Shared;
use bytes::Bytes;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// One Kafka message of a chunk.
#[derive(Debug, Clone)]
pub struct Record {
    /// Its partition.
    pub partition: i32,
    /// Its offset in the partition.
    pub offset: i64,
    /// Its time, in milliseconds since 1970; 0 if it has none.
    pub time: u64,
    /// It was stored before the partition came: it is there for a [`Follower`](crate::Follower) alone.
    pub again: bool,
    key: Range<u32>,
    payload: Range<u32>,
}

/// Records of one or several partitions, in the order of each partition.
///
/// Call [`Chunk::ack`] when every record is stored or in the dead-letter topic. Only then may its offsets be committed. A chunk
/// that is dropped instead is read again.
#[derive(Debug)]
pub struct Chunk {
    records: Vec<Record>,
    bytes: Bytes,
    ticket: Ticket,
}

impl Chunk {
    /// The records.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// A record's value; empty if it had none.
    pub fn payload(&self, record: &Record) -> &[u8] {
        &self.bytes[record.payload.start as usize..record.payload.end as usize]
    }

    /// A record's value without a copy. It keeps the whole chunk's bytes alive.
    pub fn payload_bytes(&self, record: &Record) -> Bytes {
        self.bytes.slice(record.payload.start as usize..record.payload.end as usize)
    }

    /// A record's key; empty if it had none.
    pub fn key(&self, record: &Record) -> &[u8] {
        &self.bytes[record.key.start as usize..record.key.end as usize]
    }

    /// Bytes of all keys and values.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The topic all records come from.
    pub fn topic(&self) -> &str {
        &self.ticket.shared.topic
    }

    /// The assignment that a partition's records came with; `None` if the partition has gone since, or came again.
    pub fn assignment(&self, partition: i32) -> Option<u64> {
        let with = self.ticket.parts.iter().find(|p| p.0 == partition)?.2;
        self.ticket.shared.offsets.lock().assignment(partition).filter(|now| *now == with)
    }

    /// All records are stored or dead-lettered: their offsets may be committed once those before them may.
    pub fn ack(self) {
        self.hand_over().ack();
    }

    /// Somebody else holds the records now and will say when they are stored: their bytes are freed, and count no more for
    /// [`Limits::max_in_flight_bytes`](crate::Limits::max_in_flight_bytes).
    pub fn hand_over(mut self) -> HandedOver {
        self.ticket.release();
        HandedOver(self.ticket)
    }
}

/// What is left of a [`Chunk`] whose records somebody else holds: some hundred bytes. Dropped instead of acknowledged, its records are read again.
#[derive(Debug)]
pub struct HandedOver(Ticket);

impl HandedOver {
    /// As [`Chunk::ack`].
    pub fn ack(mut self) {
        self.0.done = true;
    }
}

/// A chunk's claim on the bound and on the offsets.
#[derive(Debug)]
struct Ticket {
    shared: Arc<Shared>,
    chunk: u64,
    /// Partition, epoch and assignment.
    parts: Vec<(i32, u64, u64)>,
    /// Of the bound; 0 once they are given back.
    bytes: usize,
    done: bool,
}

impl Ticket {
    /// Gives the bytes back to the bound.
    fn release(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        // With the lock, so that whoever waits for room does not miss it.
        let _offsets = self.shared.offsets.lock();
        self.shared.in_flight.fetch_sub(bytes, Ordering::Relaxed);
        self.shared.changed.notify_all();
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut offsets = self.shared.offsets.lock();
        for (partition, epoch, _) in &self.parts {
            if self.done {
                offsets.done(*partition, *epoch, self.chunk);
            } else {
                offsets.give_up(*partition, *epoch);
            }
        }
        self.shared.in_flight.fetch_sub(self.bytes, Ordering::Relaxed);
        drop(offsets);
        self.shared.changed.notify_all();
    }
}

/// The chunk that is being filled.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    records: Vec<Record>,
    bytes: Vec<u8>,
    parts: Vec<Part>,
    /// When the first record came.
    pub since: Option<Instant>,
    chunks: u64,
}

#[derive(Debug)]
struct Part {
    partition: i32,
    first: i64,
    end: i64,
    records: u64,
}

impl Builder {
    /// Adds one message.
    pub fn push(&mut self, (partition, offset): (i32, i64), time: u64, again: bool, key: &[u8], payload: &[u8]) {
        let at = self.bytes.len() as u32;
        self.bytes.extend_from_slice(key);
        let middle = self.bytes.len() as u32;
        self.bytes.extend_from_slice(payload);
        self.records.push(Record { partition, offset, time, again, key: at..middle, payload: middle..self.bytes.len() as u32 });
        match self.parts.iter_mut().rev().find(|p| p.partition == partition) {
            Some(part) => {
                part.end = offset + 1;
                part.records += 1;
            }
            None => self.parts.push(Part { partition, first: offset, end: offset + 1, records: 1 }),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub fn records(&self) -> usize {
        self.records.len()
    }

    /// Takes out what belongs to these partitions: somebody will read it again.
    pub fn forget(&mut self, of: impl Fn(i32) -> bool) {
        self.records.retain(|r| !of(r.partition));
        self.parts.retain(|p| !of(p.partition));
    }

    /// What was collected, as a chunk whose offsets are under way.
    pub fn cut(&mut self, shared: &Arc<Shared>) -> Chunk {
        self.since = None;
        self.chunks += 1;
        let (records, bytes, parts) = self.take();
        let size = bytes.capacity() + records.capacity() * size_of::<Record>();
        let mut offsets = shared.offsets.lock();
        let begin = |p: &Part| {
            let epoch = offsets.begin(p.partition, self.chunks, p.first, p.end)?;
            Some((p.partition, epoch, offsets.assignment(p.partition)?))
        };
        let begun = parts.iter().filter_map(begin).collect();
        drop(offsets);
        shared.in_flight.fetch_add(size, Ordering::Relaxed);
        for p in &parts {
            shared.metrics.read(p.partition, p.records, p.end - 1);
        }
        let ticket = Ticket { shared: shared.clone(), chunk: self.chunks, parts: begun, bytes: size, done: false };
        Chunk { records, bytes: bytes.into(), ticket }
    }

    /// Empties the builder and gives it room for as much again.
    fn take(&mut self) -> (Vec<Record>, Vec<u8>, Vec<Part>) {
        let records = Vec::with_capacity(self.records.len());
        let bytes = Vec::with_capacity(self.bytes.len() + self.bytes.len() / 8);
        let parts = Vec::with_capacity(self.parts.len());
        (
            std::mem::replace(&mut self.records, records),
            std::mem::replace(&mut self.bytes, bytes),
            std::mem::replace(&mut self.parts, parts),
        )
    }
}
