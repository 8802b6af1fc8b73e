//! Who calls whom: the links between services that a job has counted, and where they are kept.
//!
//! All times are arguments, in microseconds since 1970. Stores tell times apart by the millisecond at least.

use crate::{ErrorKind, StoreError};
use async_trait::async_trait;

/// What [`DependencyLink::source`] reads as when it was written empty, as in Jaeger.
pub const DEFAULT_SOURCE: &str = "jaeger";

/// Revisions of a list are less than this.
pub const MOST_REVISIONS: u64 = 1 << 40;

/// Checks a revision for [`DependencyWriter::replace_dependencies`].
///
/// # Errors
/// `Invalid` when it is not less than [`MOST_REVISIONS`].
pub fn check_revision(revision: u64) -> Result<(), StoreError> {
    if revision < MOST_REVISIONS {
        return Ok(());
    }
    Err(StoreError::new(ErrorKind::Invalid, format!("write dependencies: the revision {revision} is not less than 2^40")))
}

/// Calls from one service to another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DependencyLink {
    /// The service that calls.
    pub parent: String,
    /// The service that is called.
    pub child: String,
    /// Calls seen; stores keep `i64::MAX` at most.
    pub call_count: u64,
    /// Who counted them. Written empty it reads as [`DEFAULT_SOURCE`].
    pub source: String,
}

/// Answers who calls whom.
#[async_trait]
pub trait DependencyReader: Send + Sync {
    /// All links written at a time `at` with `start <= at < end`, the lists of several times one after the other, in any order:
    /// a pair of services may come more than once, and its calls are to be added up. Empty when there is nothing.
    async fn dependencies(&self, start: u64, end: u64) -> Result<Vec<DependencyLink>, StoreError>;
}

/// Keeps who calls whom.
#[async_trait]
pub trait DependencyWriter: Send + Sync {
    /// Keeps the links that were counted up to the time `at`. Nothing is written for an empty list.
    ///
    /// A time has one list: writing the same `at` again replaces it, so that to write it again after an error is right.
    /// (Not where Elasticsearch's alias has moved on to another index in between: there the list is repeated.) Several who
    /// count for one store choose different milliseconds.
    async fn write_dependencies(&self, at: u64, links: &[DependencyLink]) -> Result<(), StoreError>;

    /// As [`write_dependencies`](Self::write_dependencies), but of several writers of the same `at` that with the highest `revision` stays,
    /// whichever comes last; the same revision, with the same links, may be written again. An empty list replaces too. A time that is
    /// written in this way is never given to [`write_dependencies`](Self::write_dependencies).
    ///
    /// `revision` is less than 2⁴⁰; a larger one is `Invalid`.
    ///
    /// By default refused: a store that cannot tell revisions apart.
    async fn replace_dependencies(&self, at: u64, revision: u64, links: &[DependencyLink]) -> Result<(), StoreError> {
        let _ = (at, revision, links);
        Err(StoreError::new(ErrorKind::Unsupported, "this storage cannot keep revisions of dependencies"))
    }
}
