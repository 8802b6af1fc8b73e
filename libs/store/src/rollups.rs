//! Roll-ups: what was counted while the spans streamed by, in documents whose inside a store does not know.
//!
//! A document belongs to an interval, named by its start in microseconds since 1970. Several processes replace the same one, each
//! by what it read and changed: a store takes a document only from who has seen the last.

mod memory;

pub use memory::MemoryRollups;

use crate::StoreError;
use async_trait::async_trait;
use bytes::Bytes;

/// Microseconds of an interval; intervals start at multiples of it since 1970, so that the names of all in a time are known.
pub const INTERVAL: u64 = 600_000_000;

/// The starts of the intervals that begin at `from` or later and before `until`, ascending; in microseconds since 1970.
pub fn intervals(from: u64, until: u64) -> impl DoubleEndedIterator<Item = u64> + Send {
    (from.div_ceil(INTERVAL)..until.div_ceil(INTERVAL)).map(|number| number * INTERVAL)
}

/// What a document tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RollupKind {
    /// Requests, errors and durations.
    Red,
    /// Who calls whom.
    Links,
}

impl RollupKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Red, Self::Links];

    /// In keys and document ids: `red` or `links`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::Links => "links",
        }
    }
}

/// What a store tells documents of the same interval apart by; it means something to that store alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(pub u64, pub u64);

/// A document as it was when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollup {
    /// To replace it by.
    pub version: Version,
    /// What was saved.
    pub body: Bytes,
}

/// Keeps roll-ups. An interval is named by its start, a multiple of [`INTERVAL`].
#[async_trait]
pub trait RollupStore: Send + Sync {
    /// The document of an interval; `None` when there is none. Every save that ended before the call is seen.
    async fn rollup(&self, kind: RollupKind, interval: u64) -> Result<Option<Rollup>, StoreError>;

    /// Saves the document of an interval if the one there is still of the version `was`; with `None` if there is none yet. False,
    /// and nothing changed, if it is not: read it again. Of several that save over the same version one succeeds.
    ///
    /// An error means that it may or may not have been saved; read it again to know.
    async fn save_rollup(&self, kind: RollupKind, interval: u64, body: Bytes, was: Option<Version>) -> Result<bool, StoreError>;

    /// The documents of the intervals that start at `from` or later and before `until`, ascending. Every save that ended before the
    /// call is seen.
    async fn rollups(&self, kind: RollupKind, from: u64, until: u64) -> Result<Vec<(u64, Bytes)>, StoreError>;

    /// Deletes documents of intervals that start before this time; where a store keeps a day's together, those of whole days
    /// (UTC) before it. Nobody saves to them any more.
    async fn delete_rollups(&self, before: u64) -> Result<(), StoreError>;
}
