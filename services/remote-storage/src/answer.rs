//! From a store's errors to gRPC's.

use skua_store::{ErrorKind, StoreError};
use std::time::Duration;
use tonic::{Code, Status};

/// When a client should come again, if the store did not say.
const RETRY: Duration = Duration::from_secs(1);

/// What a client is told.
pub(crate) fn status(e: &StoreError) -> Status {
    let code = match e.kind {
        ErrorKind::Unavailable => Code::Unavailable,
        ErrorKind::Overloaded => Code::ResourceExhausted,
        ErrorKind::Timeout => Code::DeadlineExceeded,
        // UNIMPLEMENTED is what a server says that does not have the method at all.
        ErrorKind::Unsupported => Code::FailedPrecondition,
        ErrorKind::Invalid => Code::InvalidArgument,
        ErrorKind::NotFound => Code::NotFound,
        ErrorKind::Internal => Code::Internal,
    };
    if !e.is_retryable() {
        return Status::new(code, &e.message);
    }
    let details = skua_codec::otlp::status(code as i32, &e.message, Some(e.retry_after.unwrap_or(RETRY)));
    Status::with_details(code, &e.message, details.into())
}

/// A request that cannot be read.
pub(crate) fn unreadable(message: &str, e: &impl std::fmt::Display) -> Status {
    Status::invalid_argument(format!("failed to read {message}: {e}"))
}
