//! What a gRPC status means to a caller.

use skua_codec::otlp::retry_info;
use skua_store::{ErrorKind, StoreError};
use std::error::Error as _;
use std::time::Duration;
use tonic::{Code, Status};

/// The longest pause, whatever a server asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The error of a call to `method` of `server`.
pub(crate) fn of(status: &Status, method: &str, server: &str) -> StoreError {
    let mut cause = status.message().to_owned();
    let mut source = status.source();
    let broken = source.is_some() || is_of_the_connection(status);
    while let Some(e) = source {
        cause = e.to_string(); // the innermost is the telling one
        source = e.source();
    }
    let kind = if is_late(status) {
        ErrorKind::Timeout
    } else if broken {
        ErrorKind::Unavailable
    } else {
        kind(status)
    };
    if kind == ErrorKind::NotFound {
        return StoreError::new(kind, "trace not found");
    }
    let code = if broken { "no answer".to_owned() } else { format!("{:?}", status.code()) };
    let retry_after = retry_info(status.details()).ok().flatten().map(|t| t.min(LONGEST_PAUSE));
    let message = format!("{method} of the remote storage {server}: {code}: {cause}");
    StoreError { retry_after, ..StoreError::new(kind, message).caused_by(status.clone()) }
}

/// True of the error of a call whose method the server does not have.
pub(crate) fn is_unknown_method(e: &StoreError) -> bool {
    let status = e.source.as_ref().and_then(|source| source.downcast_ref::<Status>());
    status.is_some_and(|status| status.code() == Code::Unimplemented)
}

/// What tonic answers when the time is over that the caller gave: here, or in a server that is built on it.
fn is_late(status: &Status) -> bool {
    status.message() == "Timeout expired"
}

/// tonic's own words for a connection that broke.
fn is_of_the_connection(status: &Status) -> bool {
    ["h2 protocol error", "transport error"].iter().any(|start| status.message().starts_with(start))
}

fn kind(status: &Status) -> ErrorKind {
    match status.code() {
        Code::NotFound => ErrorKind::NotFound,
        Code::InvalidArgument | Code::OutOfRange | Code::AlreadyExists => ErrorKind::Invalid,
        Code::ResourceExhausted if is_too_long(status.message()) => ErrorKind::Invalid,
        Code::ResourceExhausted => ErrorKind::Overloaded,
        Code::DeadlineExceeded => ErrorKind::Timeout,
        Code::Unimplemented | Code::FailedPrecondition => ErrorKind::Unsupported,
        Code::Internal | Code::DataLoss => ErrorKind::Internal,
        // Jaeger's servers answer UNKNOWN to whatever went wrong in their store; wrong credentials are for the operator to mend, while
        // the process waits.
        Code::Ok | Code::Unavailable | Code::Cancelled | Code::Aborted | Code::Unknown => ErrorKind::Unavailable,
        Code::PermissionDenied | Code::Unauthenticated => ErrorKind::Unavailable,
    }
}

/// A message that is too long stays so. The words are those of Go's server and of tonic.
fn is_too_long(message: &str) -> bool {
    message.contains("larger than max") || message.contains("length too large")
}

/// No answer in time.
pub(crate) fn late(method: &str, server: &str, patience: Duration) -> StoreError {
    StoreError::new(ErrorKind::Timeout, format!("{method} of the remote storage {server}: no answer within {patience:?}"))
}

/// An answer that cannot be read.
pub(crate) fn unreadable(method: &str, server: &str, e: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    let message = format!("{method} of the remote storage {server}: cannot read the answer: {e}");
    StoreError::new(ErrorKind::Internal, message).caused_by(e)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: each code, with the words that servers use. Guarantee: what can help later may be tried again, nothing else.
    #[test]
    fn codes_have_kinds() {
        use ErrorKind::*;
        for (code, message, want) in [
            (Code::Unavailable, "down", Unavailable),
            (Code::Unknown, "cassandra: no hosts available", Unavailable),
            (Code::Unauthenticated, "missing tenant header", Unavailable),
            (Code::PermissionDenied, "unknown tenant", Unavailable),
            (Code::Cancelled, "", Unavailable),
            (Code::Aborted, "", Unavailable),
            (Code::ResourceExhausted, "too many spans wait", Overloaded),
            (Code::ResourceExhausted, "grpc: received message larger than max (5 vs. 4)", Invalid),
            (Code::ResourceExhausted, "Error, decoded message length too large: found 5 bytes, the limit is: 4 bytes", Invalid),
            (Code::DeadlineExceeded, "", Timeout),
            (Code::NotFound, "trace not found", NotFound),
            (Code::InvalidArgument, "", Invalid),
            (Code::FailedPrecondition, "a search needs a service", Unsupported),
            (Code::Cancelled, "Timeout expired", Timeout),
            (Code::OutOfRange, "", Invalid),
            (Code::Unimplemented, "unknown service", Unsupported),
            (Code::Internal, "grpc: failed to unmarshal", Internal),
            (Code::Internal, "h2 protocol error: broken pipe", Unavailable),
            (Code::DataLoss, "", Internal),
        ] {
            let error = of(&Status::new(code, message), "GetTrace", "there:1");
            assert_eq!(error.kind, want, "{code:?} {message}");
            let says = error.message.starts_with("GetTrace of the remote storage there:1: ") && error.message.ends_with(message);
            assert!(says || want == NotFound, "{error}");
        }
    }

    /// Scenario: a server that says when to come again. Guarantee: the caller hears it, but no wish for an hour.
    #[test]
    fn a_servers_wish_is_read() {
        for (wish, want) in [(None, None), (Some(1), Some(1)), (Some(3600), Some(60))] {
            let details = skua_codec::otlp::status(8, "full", wish.map(Duration::from_secs));
            let status = Status::with_details(Code::ResourceExhausted, "full", details.into());
            assert_eq!(of(&status, "Export", "x").retry_after, want.map(Duration::from_secs));
        }
    }
}
