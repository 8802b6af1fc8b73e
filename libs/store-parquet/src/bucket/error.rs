//! What an object store's errors mean.

use object_store::Error;
use skua_store::{ErrorKind, StoreError};
use std::fmt::{self, Display};
use std::io;

/// Characters of a server's answer in an error at most.
const TEXT: usize = 400;

/// What was being done, for an error.
pub(super) struct Doing<'a> {
    pub verb: &'static str,
    /// Empty: nothing to name.
    pub name: &'a str,
    /// What the name is below; may be empty.
    pub base: &'a str,
    pub bucket: &'a str,
}

impl Display for Doing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.base.is_empty() || self.name.is_empty() { "" } else { "/" };
        let separator = if self.base.is_empty() && self.name.is_empty() { "" } else { " " };
        write!(f, "{}{separator}{}{slash}{} of {}", self.verb, self.base, self.name, self.bucket)
    }
}

impl Doing<'_> {
    pub fn damaged(&self, why: impl Display) -> StoreError {
        StoreError::new(ErrorKind::Internal, format!("{self}: {why}"))
    }

    pub fn error(&self, kind: ErrorKind, why: impl Display) -> StoreError {
        StoreError::new(kind, format!("{self}: {why}"))
    }
}

/// An object store's error.
pub(super) fn of(doing: &Doing<'_>, e: Error) -> StoreError {
    let (text, io) = (text(&e), cause(&e));
    if let Some(full) = io.and_then(full) {
        return doing.error(ErrorKind::Overloaded, full).caused_by(e);
    }
    if text.contains("NoSuchBucket") || text.contains("ContainerNotFound") || text.contains("bucket does not exist") {
        return doing.error(ErrorKind::Unavailable, format!("the bucket does not exist: {text}")).caused_by(e);
    }
    let (kind, why) = match (&e, status(&text)) {
        (Error::NotFound { .. }, _) => (ErrorKind::NotFound, "it is not there".to_owned()),
        (Error::PermissionDenied { .. } | Error::Unauthenticated { .. }, _) | (_, Some(401 | 403)) => {
            (ErrorKind::Unavailable, format!("access is denied: {text}"))
        }
        (_, Some(416)) => (ErrorKind::Internal, "it ends before a range of it does".to_owned()),
        (_, Some(429 | 503)) => (ErrorKind::Overloaded, text),
        _ if text.contains("SlowDown") => (ErrorKind::Overloaded, text),
        (Error::NotImplemented { .. } | Error::NotSupported { .. }, _) => (ErrorKind::Unsupported, text),
        (Error::InvalidPath { .. } | Error::JoinError { .. }, _) => (ErrorKind::Internal, text),
        _ => (ErrorKind::Unavailable, text),
    };
    doing.error(kind, why).caused_by(e)
}

/// A file's error.
pub(super) fn of_io(doing: &Doing<'_>, e: io::Error) -> StoreError {
    if let Some(full) = full(&e) {
        return doing.error(ErrorKind::Overloaded, full).caused_by(e);
    }
    let kind = match e.kind() {
        io::ErrorKind::NotFound => return doing.error(ErrorKind::NotFound, "it is not there").caused_by(e),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof => ErrorKind::Internal,
        _ => ErrorKind::Unavailable,
    };
    let why = e.to_string();
    doing.error(kind, why).caused_by(e)
}

fn full(e: &io::Error) -> Option<&'static str> {
    match e.kind() {
        io::ErrorKind::StorageFull => Some("the disk is full"),
        io::ErrorKind::QuotaExceeded => Some("the quota of the disk is used up"),
        _ => None,
    }
}

fn sources<'a>(e: &'a Error) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(std::error::Error::source(e), |e| e.source())
}

fn cause(e: &Error) -> Option<&io::Error> {
    sources(e).find_map(|e| e.downcast_ref())
}

/// On one line and not too long, with the cause of it all, as `connection refused`.
fn text(e: &Error) -> String {
    let mut text: String = e.to_string();
    if let Some(last) = sources(e).last().map(ToString::to_string).filter(|last| !text.contains(last)) {
        text.push_str(": ");
        text.push_str(&last);
    }
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if one_line.chars().count() <= TEXT {
        return one_line;
    }
    // What a server says is at the end, what was asked at the beginning.
    let mut cut: String = one_line.chars().take(TEXT).collect();
    cut.push('…');
    cut
}

/// The status of an answer: the library says it in words only.
fn status(text: &str) -> Option<u16> {
    let (_, after) = text.split_once("status code: ")?;
    after.get(..3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a caller can do about what a server answered.
    #[test]
    fn answers_have_a_kind() {
        let doing = Doing { verb: "read", name: "x", base: "archive", bucket: "s3://b/p" };
        let answer = |text: &str| Error::Generic { store: "S3", source: text.to_owned().into() };
        for (e, kind, text) in [
            (answer("non-2xx status code: 503 Service Unavailable: <Code>SlowDown</Code>"), ErrorKind::Overloaded, "SlowDown"),
            (answer("non-2xx status code: 429 Too Many Requests: "), ErrorKind::Overloaded, "429"),
            (answer("non-2xx status code: 500 Internal Server Error: "), ErrorKind::Unavailable, "500"),
            (answer("non-2xx status code: 403 Forbidden: no"), ErrorKind::Unavailable, "access is denied"),
            (
                Error::NotFound { path: "x".into(), source: "<Code>NoSuchBucket</Code>".into() },
                ErrorKind::Unavailable,
                "the bucket does not exist",
            ),
            (
                Error::NotFound { path: "x".into(), source: "<Code>NoSuchKey</Code>".into() },
                ErrorKind::NotFound,
                "it is not there",
            ),
            (
                Error::Generic { store: "disk", source: Box::new(io::Error::from_raw_os_error(28)) },
                ErrorKind::Overloaded,
                "the disk is full",
            ),
            (
                Error::Generic { store: "S3", source: Box::new(io::Error::from(io::ErrorKind::ConnectionRefused)) },
                ErrorKind::Unavailable,
                "refused",
            ),
        ] {
            let e = of(&doing, e);
            assert_eq!(e.kind, kind, "{e}");
            assert!(e.message.starts_with("read archive/x of s3://b/p: ") && e.message.contains(text), "{e}");
        }
        let long = of(&doing, answer(&"é\n ".repeat(5000)));
        assert!(long.message.chars().count() < TEXT + 100, "{}", long.message.len());
    }
}
