//! What waits to be written, and who waits for it.

use super::fault::Fault;
use bytes::Bytes;
use parking_lot::{Condvar, Mutex};
use skua_store::{ErrorKind, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;
use tokio::sync::oneshot;

/// The answer about one record, or about a whole log that closes.
pub(super) type Answer = Result<(), Arc<Fault>>;

/// A record that is not written yet.
#[derive(Debug)]
pub(super) struct Entry {
    pub segment: u64,
    pub record: Bytes,
    pub answer: oneshot::Sender<Answer>,
}

/// Says when a record is kept.
#[derive(Debug)]
#[must_use = "a record is not kept before its ticket says so"]
pub(crate) struct Ticket(Waits);

#[derive(Debug)]
enum Waits {
    Told(Result<(), StoreError>),
    For(oneshot::Receiver<Answer>),
}

impl Ticket {
    /// One that needs no waiting.
    pub(super) fn told(result: Result<(), StoreError>) -> Self {
        Self(Waits::Told(result))
    }

    /// Waits until the record is kept: on the disk with `batch`, else written.
    ///
    /// # Errors
    /// When it was not written: nothing of it is in the log then, but for a disk that fails even to cut a file off; there it may be
    /// whole. [`ErrorKind::Overloaded`] when it may come again.
    pub async fn kept(self) -> Result<(), StoreError> {
        match self.0 {
            Waits::Told(result) => result,
            Waits::For(answer) => answer.await.map_err(|_| ended())?.map_err(|fault| fault.error()),
        }
    }
}

/// What whoever comes after the log's end is told.
pub(super) fn ended() -> StoreError {
    StoreError::new(ErrorKind::Unavailable, "keep spans in the log: it is closed")
}

/// How the thread is to end.
#[derive(Debug, Default)]
pub(super) enum Stop {
    #[default]
    No,
    /// When all is written.
    Close(oneshot::Sender<Answer>),
    /// As soon as it can, whatever waits.
    Abandon,
    /// It has ended or is about to.
    Ended,
}

/// Under the lock.
#[derive(Debug, Default)]
struct State {
    entries: Vec<Entry>,
    /// Of the next record.
    segment: u64,
    /// All segments up to this one are not needed any more.
    forget: u64,
    stop: Stop,
}

/// Between the log and its thread.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    wake: Condvar,
    /// Of all segments.
    pub bytes: AtomicU64,
    faulty: AtomicBool,
    fault: Mutex<Option<Arc<Fault>>>,
}

/// What the thread has to do next.
#[derive(Debug)]
pub(super) struct Round {
    pub entries: Vec<Entry>,
    pub forget: u64,
    pub stop: Stop,
}

impl Queue {
    /// Nothing waits; the next record goes to `segment`, those up to `forget` are gone.
    pub fn new(segment: u64, forget: u64) -> Self {
        Self {
            state: Mutex::new(State { segment, forget, ..State::default() }),
            wake: Condvar::new(),
            bytes: AtomicU64::new(0),
            faulty: AtomicBool::new(false),
            fault: Mutex::new(None),
        }
    }

    pub fn push(&self, record: Bytes) -> Ticket {
        let (answer, receiver) = oneshot::channel();
        let mut state = self.state.lock();
        if !matches!(state.stop, Stop::No) {
            return Ticket::told(Err(ended()));
        }
        let segment = state.segment;
        state.entries.push(Entry { segment, record, answer });
        drop(state);
        self.wake.notify_one();
        Ticket(Waits::For(receiver))
    }

    /// The segment that ended.
    pub fn roll(&self) -> u64 {
        let mut state = self.state.lock();
        state.segment += 1;
        state.segment - 1
    }

    pub fn forget(&self, through: u64) {
        let mut state = self.state.lock();
        state.forget = state.forget.max(through.min(state.segment - 1));
        drop(state);
        self.wake.notify_one();
    }

    /// Nothing is taken from now on; the answer comes when the thread is done. Nothing when it was told before.
    pub fn close(&self) -> Option<oneshot::Receiver<Answer>> {
        let (answer, receiver) = oneshot::channel();
        let mut state = self.state.lock();
        if !matches!(state.stop, Stop::No) {
            return None;
        }
        state.stop = Stop::Close(answer);
        drop(state);
        self.wake.notify_one();
        Some(receiver)
    }

    /// The thread ends without another write, unless it was told to close.
    pub fn abandon(&self) {
        let mut state = self.state.lock();
        if matches!(state.stop, Stop::No) {
            state.stop = Stop::Abandon;
        }
        drop(state);
        self.wake.notify_one();
    }

    /// Called by the thread when it ends, however: who waits is told.
    pub fn end(&self) {
        let mut state = self.state.lock();
        state.stop = Stop::Ended;
        let left = std::mem::take(&mut state.entries);
        drop(state);
        drop(left);
    }

    pub fn check(&self) -> Result<(), StoreError> {
        if self.faulty.load(Ordering::Acquire)
            && let Some(fault) = &*self.fault.lock()
        {
            return Err(fault.error());
        }
        if matches!(self.state.lock().stop, Stop::No) { Ok(()) } else { Err(ended()) }
    }

    /// What is wrong at present.
    pub fn fault(&self) -> Option<Arc<Fault>> {
        if self.faulty.load(Ordering::Acquire) { self.fault.lock().clone() } else { None }
    }

    pub fn set_fault(&self, fault: Option<Arc<Fault>>) {
        self.faulty.store(fault.is_some(), Ordering::Release);
        *self.fault.lock() = fault;
    }

    /// Waits until there is something to do, or until the time. `forgotten` is how far the thread has forgotten.
    pub fn take(&self, until: Option<Instant>, forgotten: u64) -> Round {
        let mut state = self.state.lock();
        while state.entries.is_empty() && state.forget <= forgotten && matches!(state.stop, Stop::No) {
            match until {
                None => self.wake.wait(&mut state),
                Some(at) => {
                    if self.wake.wait_until(&mut state, at).timed_out() {
                        break;
                    }
                }
            }
        }
        let stop = if matches!(state.stop, Stop::No) { Stop::No } else { std::mem::replace(&mut state.stop, Stop::Ended) };
        Round { entries: std::mem::take(&mut state.entries), forget: state.forget, stop }
    }
}
