//! What an error of the driver means to a caller.

use scylla::errors::{DbError, ExecutionError, NewSessionError, PrepareError, RequestAttemptError};
use skua_store::{ErrorKind, StoreError};
use std::fmt::Display;

/// The error of a request.
pub(crate) fn of_execution(doing: &str, e: ExecutionError) -> StoreError {
    let kind = match &e {
        ExecutionError::RequestTimeout(_) => ErrorKind::Timeout,
        ExecutionError::LastAttemptError(e) => of_attempt(e),
        ExecutionError::PrepareError(e) => of_preparing(e),
        ExecutionError::BadQuery(_) => ErrorKind::Internal,
        // No node of the pool can be used: it may come back.
        _ => ErrorKind::Unavailable,
    };
    failed(kind, doing, e)
}

/// The error of preparing a statement.
pub(crate) fn of_prepare(doing: &str, e: PrepareError) -> StoreError {
    failed(of_preparing(&e), doing, e)
}

/// The error of connecting. Wrong names and passwords too are for the operator to mend, while the process waits.
pub(crate) fn of_connect(servers: &str, e: NewSessionError) -> StoreError {
    failed(ErrorKind::Unavailable, &format!("connect to Cassandra at {servers}"), e)
}

/// The error of one page of many, or of the first.
pub(crate) fn of_paging(doing: &str, e: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    failed(ErrorKind::Unavailable, doing, e)
}

/// An answer that cannot be read.
pub(crate) fn unreadable(doing: &str, e: impl Display) -> StoreError {
    StoreError::new(ErrorKind::Internal, format!("{doing}: cannot read what Cassandra answered: {e}"))
}

fn failed(kind: ErrorKind, doing: &str, e: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::new(kind, format!("{doing}: {e}")).caused_by(e)
}

fn of_preparing(e: &PrepareError) -> ErrorKind {
    match e {
        PrepareError::AllAttemptsFailed { first_attempt } => of_attempt(first_attempt),
        _ => ErrorKind::Unavailable,
    }
}

fn of_attempt(e: &RequestAttemptError) -> ErrorKind {
    match e {
        RequestAttemptError::DbError(e, text) => of_server(e, text),
        RequestAttemptError::SerializationError(_) | RequestAttemptError::CqlRequestSerialization(_) => ErrorKind::Internal,
        _ => ErrorKind::Unavailable,
    }
}

fn of_server(e: &DbError, text: &str) -> ErrorKind {
    match e {
        DbError::Overloaded | DbError::RateLimitReached { .. } => ErrorKind::Overloaded,
        DbError::ReadTimeout { .. } | DbError::WriteTimeout { .. } => ErrorKind::Timeout,
        // A table or keyspace that was dropped is no fault of the spans.
        DbError::Invalid if text.contains("unconfigured table") || text.contains("does not exist") => ErrorKind::Unavailable,
        DbError::Invalid | DbError::SyntaxError => ErrorKind::Invalid,
        // A request that the server can never take.
        DbError::ServerError if text.contains("too large") => ErrorKind::Invalid,
        DbError::ProtocolError => ErrorKind::Internal,
        // Unavailable, IsBootstrapping, ReadFailure, WriteFailure, Unauthorized and what comes after them.
        _ => ErrorKind::Unavailable,
    }
}
