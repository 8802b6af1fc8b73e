//! Why bytes are not Zipkin spans.

use super::json::JsonError;
use crate::thrift::Malformed;
use skua_model::wire::WireError;

/// Why a request or message is refused. Nothing of it was then written. The text names the span, the field and the problem.
#[derive(Debug, thiserror::Error)]
pub enum ZipkinError {
    /// The list around the spans.
    #[error("failed to read the list of Zipkin spans: {problem}")]
    List {
        /// What is wrong with it.
        #[source]
        problem: Problem,
    },
    /// One of the spans.
    #[error("failed to read span {index} of the list of Zipkin spans: {field}: {problem}")]
    Span {
        /// Counted from 0.
        index: usize,
        /// Zipkin's name, for example `localEndpoint.port`.
        field: &'static str,
        /// What is wrong there.
        #[source]
        problem: Problem,
    },
}

/// What is wrong with a field.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Not JSON, or a value of another type.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// Not protobuf, or a field of another type.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// Not Thrift.
    #[error(transparent)]
    Thrift(#[from] Malformed),
    /// A value that does not mean anything.
    #[error("{0}")]
    Value(String),
}

/// What is wrong with a span, before its place in the list is known.
#[derive(Debug)]
pub(super) struct Fault {
    pub field: &'static str,
    pub problem: Problem,
}

impl Fault {
    /// With the start of the text that is wrong.
    #[cold]
    pub fn value(field: &'static str, text: &[u8], what: &str) -> Self {
        let shown: String = String::from_utf8_lossy(text).chars().take(64).collect();
        Self { field, problem: Problem::Value(format!("{shown:?} is not {what}")) }
    }

    /// In words.
    #[cold]
    pub fn text(field: &'static str, problem: impl Into<String>) -> Self {
        Self { field, problem: Problem::Value(problem.into()) }
    }

    /// Says which span it was.
    pub fn of_span(self, index: usize) -> ZipkinError {
        ZipkinError::Span { index, field: self.field, problem: self.problem }
    }
}

/// Says which field it was.
pub(super) fn at<E: Into<Problem>>(field: &'static str) -> impl Fn(E) -> Fault {
    move |e| Fault { field, problem: e.into() }
}

/// Of the list itself.
pub(super) fn of_list(e: impl Into<Problem>) -> ZipkinError {
    ZipkinError::List { problem: e.into() }
}
