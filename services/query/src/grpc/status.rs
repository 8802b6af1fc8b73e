//! Errors of stores as gRPC has them.

use skua_codec::otlp;
use skua_store::{ErrorKind, StoreError};
use std::error::Error;
use tonic::{Code, Status};

/// The store's message goes to the caller, after `prefix`, its cause to the log. With when to come again, if the store said so.
pub(super) fn status(prefix: &str, e: StoreError) -> Status {
    let code = match e.kind {
        ErrorKind::NotFound => Code::NotFound,
        ErrorKind::Invalid => Code::InvalidArgument,
        ErrorKind::Unsupported => Code::Unimplemented,
        ErrorKind::Internal => Code::Internal,
        ErrorKind::Timeout => Code::DeadlineExceeded,
        ErrorKind::Unavailable => Code::Unavailable,
        ErrorKind::Overloaded => Code::ResourceExhausted,
    };
    if !matches!(code, Code::NotFound | Code::InvalidArgument) {
        tracing::error!(error = %e, cause = e.source().map(tracing::field::display), kind = ?e.kind, "a query failed");
    }
    let message = format!("{prefix}{}", e.message);
    match e.retry_after {
        None => Status::new(code, message),
        delay => {
            let details = otlp::status(code.into(), &message, delay);
            Status::with_details(code, message, details.into())
        }
    }
}
