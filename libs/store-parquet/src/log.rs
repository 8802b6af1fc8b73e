//! The log: what was taken and is not in a block yet. `DESIGN.md` draws its bytes.
//!
//! Records are queued by whoever takes spans, and one thread writes all that is queued at once, syncs it, and tells all who wait.

mod dir;
mod fault;
mod files;
mod id;
mod probe;
mod queue;
mod record;
mod replay;
mod search;
mod segment;
#[cfg(test)]
pub(crate) mod sim;
mod writer;

#[allow(unused_imports, reason = "the store that uses it is being built")]
pub(crate) use dir::Dir;
#[allow(unused_imports, reason = "the store that uses it is being built")]
pub(crate) use files::{File, Files};
#[allow(unused_imports, reason = "the store that uses it is being built")]
pub(crate) use id::writer as writer_id;
pub(crate) use queue::Ticket;
pub(crate) use record::MOST_RECORD;
#[allow(unused_imports, reason = "the store that uses it is being built")]
pub(crate) use replay::{Replay, Replayed};

use crate::config::Sync;
use bytes::Bytes;
use fault::refused;
use parking_lot::Mutex;
use queue::Queue;
use record::Name;
use skua_store::{ErrorKind, StoreError};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use writer::Writer;

/// How a log is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    /// When a record counts as kept.
    pub sync: Sync,
    /// Time between two syncs with [`Sync::Interval`].
    pub interval: Duration,
    /// Time between two looks at a disk that is full or failing.
    pub probe: Duration,
}

impl Options {
    /// A look each second.
    pub fn new(sync: Sync, interval: Duration) -> Self {
        Self { sync, interval, probe: Duration::from_secs(1) }
    }
}

/// A log that is being written. When it is dropped without [`Log::close`], what is queued is lost and who waits for it is told.
#[derive(Debug)]
pub(crate) struct Log {
    queue: Arc<Queue>,
    thread: Mutex<Option<JoinHandle<()>>>,
    writer: String,
}

impl Log {
    /// Opens the log in a directory: removes segments up to `done`, gives the records of the others, and begins a new segment. It blocks.
    ///
    /// Records may be queued before all of the earlier ones are read; nothing may be [forgotten](Self::forget) before.
    ///
    /// # Errors
    /// When the directory cannot be read or written.
    pub fn open(files: Arc<dyn Files>, options: Options, done: u64) -> Result<(Self, Replay), StoreError> {
        let writer = id::writer(&*files)?;
        let place = files.place();
        let sync = options.sync != Sync::Off;
        let names = files.list().map_err(|e| refused(format!("list {place}"), &e))?;
        let (old, all): (Vec<Name>, Vec<Name>) = names.iter().filter_map(|n| Name::parse(n)).partition(|n| n.segment <= done);
        let unfinished = names.into_iter().filter(|n| n == id::UNFINISHED || n == probe::NAME);
        for name in old.iter().map(Name::to_string).chain(unfinished) {
            if let Err(e) = files.remove(&name) {
                tracing::warn!("failed to remove {place}/{name}, which is not needed any more: {e}");
            }
        }
        if sync {
            files.sync_dir().map_err(|e| refused(format!("sync {place}"), &e))?;
        }
        let mut lens = BTreeMap::new();
        for name in all {
            let len = files.open(&name.to_string()).and_then(|f| f.len());
            lens.insert(name, len.map_err(|e| refused(format!("open {place}/{name}"), &e))?);
        }
        let last = lens.last_key_value().map_or(done, |(name, _)| name.segment);
        let Some(next) = last.checked_add(1) else {
            let message = format!("open the log in {place}: there is no segment after {last}");
            return Err(StoreError::new(ErrorKind::Internal, message));
        };
        let replay = Replay::new(Arc::clone(&files), lens.keys().copied().collect::<VecDeque<_>>(), sync);
        let queue = Arc::new(Queue::new(next, done));
        let thread = Writer::new(files, options, Arc::clone(&queue), lens, done);
        let thread = thread::Builder::new().name("skua-log".to_owned()).spawn(move || thread.run());
        let thread = thread.map_err(|e| refused("start the log's thread".to_owned(), &e))?;
        Ok((Self { queue, thread: Mutex::new(Some(thread)), writer }, replay))
    }

    /// Which log it is: 16 hex digits, by which the manifest names it.
    pub fn writer(&self) -> &str {
        &self.writer
    }

    /// Puts a record, 1 to [`MOST_RECORD`] bytes, at the end of the present segment's queue; the order of calls is the order in the log.
    /// It does not block and does no input or output. The queue has no bound of its own: who calls bounds the bytes that wait for tickets.
    pub fn enqueue(&self, record: Bytes) -> Ticket {
        match record.len() {
            0 => Ticket::told(Ok(())),
            1..=MOST_RECORD => self.queue.push(record),
            len => {
                let message = format!("keep spans in the log: {len} bytes are more than the {MOST_RECORD} that it takes at once");
                Ticket::told(Err(StoreError::new(ErrorKind::Invalid, message)))
            }
        }
    }

    /// Ends the present segment and begins the next; returns the number of the one that ended. Does not block.
    pub fn roll(&self) -> u64 {
        self.queue.roll()
    }

    /// Removes all ended segments up to this one, soon: their spans are in blocks. Does not block.
    pub fn forget(&self, through: u64) {
        self.queue.forget(through);
    }

    /// Whether a record would be taken.
    ///
    /// # Errors
    /// [`ErrorKind::Overloaded`] while the disk is full or failing, which is looked at each second; [`ErrorKind::Unavailable`] after the end.
    pub fn check(&self) -> Result<(), StoreError> {
        self.queue.check()
    }

    /// Writes all that is queued, syncs it, and takes nothing more.
    ///
    /// # Errors
    /// When the disk is full or failing; each ticket tells of its own record.
    pub async fn close(&self) -> Result<(), StoreError> {
        match self.queue.close() {
            Some(answer) => answer.await.map_err(|_| queue::ended())?.map_err(|fault| fault.error()),
            None => Ok(()),
        }
    }

    /// Bytes of all segments.
    pub fn bytes(&self) -> u64 {
        self.queue.bytes.load(Ordering::Relaxed)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.queue.abandon();
        if let Some(thread) = self.thread.lock().take()
            && thread.join().is_err()
        {
            tracing::error!("the log's thread has panicked");
        }
    }
}

#[cfg(test)]
mod tests;
