//! Whether a connection has requests under way: told by its service, asked by its socket.

use futures::task::AtomicWaker;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::task::Context;

/// What goes on on one connection. The streams of an HTTP/2 connection are tasks of their own.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    under_way: AtomicUsize,
    begun: AtomicU64,
    http2: AtomicBool,
    reader: AtomicWaker,
}

impl Activity {
    /// A request begins; it ends when the guard is dropped.
    pub fn begin(self: &Arc<Self>) -> UnderWay {
        self.begun.fetch_add(1, Relaxed);
        self.under_way.fetch_add(1, SeqCst);
        UnderWay(self.clone())
    }

    pub fn is_busy(&self) -> bool {
        self.under_way.load(SeqCst) > 0
    }

    /// Requests that have begun so far.
    pub fn begun(&self) -> u64 {
        self.begun.load(Relaxed)
    }

    pub fn is_http2(&self) -> bool {
        self.http2.load(Relaxed)
    }

    pub fn set_http2(&self) {
        self.http2.store(true, Relaxed);
    }

    /// The reader of the connection wants to know when the last request ends.
    pub fn wake_when_idle(&self, cx: &Context<'_>) {
        self.reader.register(cx.waker());
    }
}

/// A request that is under way.
#[derive(Debug)]
pub(crate) struct UnderWay(Arc<Activity>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        // hyper does not read again after an answer: it has done so before, and waits to be woken by the peer.
        if self.0.under_way.fetch_sub(1, SeqCst) == 1 {
            self.0.reader.wake();
        }
    }
}
