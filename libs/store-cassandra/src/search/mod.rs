//! Searching: exactly, newest first, and no more than is needed.
//!
//! ```text
//! partitions of an index ─► postings ─► streams ─► candidates ─► traces, read and checked
//! ```
//!
//! - [`partition`]: reads one partition page by page, latest first.
//! - [`stream`]: the postings of one condition, from all the partitions that it needs.
//! - [`join`]: the traces that all chosen conditions name within a cell of each other.
//! - [`matching`]: whether one span of a trace meets all conditions at once.
//! - [`find`]: reads candidates until no later one can be among the newest.

mod find;
mod join;
mod matching;
mod partition;
mod stream;
