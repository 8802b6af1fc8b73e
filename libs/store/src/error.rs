//! One error for all stores: a kind to act on and a source to read.

use std::time::Duration;

/// What a caller can do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The store cannot be reached or is not ready. The same call may succeed later.
    Unavailable,
    /// The store or a bound of ours is full. The same call may succeed later, and should come later.
    Overloaded,
    /// The call took longer than it may. It may or may not have had an effect.
    Timeout,
    /// The store cannot do what was asked, now or later: the message says why.
    Unsupported,
    /// The request is wrong, or the store refused it for good.
    Invalid,
    /// The trace is not there.
    NotFound,
    /// A bug, or data that we cannot read.
    Internal,
}

/// A failed call to a store.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    /// What to do about it.
    pub kind: ErrorKind,
    /// Finishes "failed to …"; names the peer.
    pub message: String,
    /// How long a caller should wait before it tries again, when the store said so.
    pub retry_after: Option<Duration>,
    /// The cause.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StoreError {
    /// An error without a cause.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: None, source: None }
    }

    /// The same error with its cause.
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// True when the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, ErrorKind::Unavailable | ErrorKind::Overloaded | ErrorKind::Timeout)
    }
}
