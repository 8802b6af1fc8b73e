//! What an answer or its absence means to a caller.

use serde::Deserialize;
use skua_store::{ErrorKind, StoreError};
use std::time::Duration;

/// `error` of an answer: an object, in rare cases a text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Reported {
    /// The usual form.
    Cause(Cause),
    /// Proxies and very old nodes.
    Text(String),
}

/// A cause and what lies under it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Cause {
    /// For example `mapper_parsing_exception`.
    #[serde(rename = "type")]
    pub kind: String,
    /// For a person.
    pub reason: Option<String>,
    caused_by: Option<Box<Cause>>,
    root_cause: Vec<Cause>,
    failed_shards: Vec<FailedShard>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct FailedShard {
    reason: Cause,
}

impl Cause {
    /// The types and reasons from the top to the bottom that say something, for one line.
    pub fn explain(&self) -> String {
        let mut texts = Vec::<String>::new();
        let mut next = Some(self.failed_shards.first().map(|f| &f.reason).or(self.root_cause.first()).unwrap_or(self));
        while let Some(cause) = next {
            let reason = cause.reason.as_deref().unwrap_or_default();
            let text = if reason.is_empty() { cause.kind.clone() } else { format!("{}: {reason}", cause.kind) };
            if !texts.contains(&text) {
                texts.push(text);
            }
            next = cause.caused_by.as_deref();
        }
        texts.join("; ")
    }
}

#[derive(Deserialize)]
struct ErrorBody {
    error: Reported,
}

/// What the body of a failed answer says, in one line of bounded length.
pub(crate) fn explain(body: &[u8]) -> String {
    let text = match serde_json::from_slice::<ErrorBody>(body) {
        Ok(ErrorBody { error: Reported::Cause(cause) }) => cause.explain(),
        Ok(ErrorBody { error: Reported::Text(text) }) => text,
        Err(_) => String::from_utf8_lossy(&body[..body.len().min(400)]).trim().to_owned(),
    };
    shorten(text)
}

/// Cuts a text that is too long for a log line.
pub(crate) fn shorten(mut text: String) -> String {
    const LONGEST: usize = 1000;
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

/// The error of a whole request that was answered with `status`.
pub(crate) fn of_status(doing: &str, peer: &str, status: u16, body: &[u8], retry_after: Option<Duration>) -> StoreError {
    let kind = match status {
        429 => ErrorKind::Overloaded,
        // Wrong credentials and disk floods are for the operator to mend; no span is at fault.
        401 | 403 | 404 | 502 | 503 => ErrorKind::Unavailable,
        408 | 504 => ErrorKind::Timeout,
        400 | 405..=499 => ErrorKind::Invalid,
        _ => ErrorKind::Unavailable,
    };
    let mut e = StoreError::new(kind, format!("{doing}: Elasticsearch at {peer} answered {status}: {}", explain(body)));
    e.retry_after = retry_after;
    e
}

/// The error of an answer that cannot be read.
pub(crate) fn unreadable(doing: &str, peer: &str, source: serde_json::Error) -> StoreError {
    StoreError::new(ErrorKind::Internal, format!("{doing}: cannot read the answer of Elasticsearch at {peer}: {source}"))
        .caused_by(source)
}
