//! Finding the traces of which a span matches, newest first and exactly, in heads and blocks.
//!
//! Conditions are looked up in dictionaries once, and rows are then tested by their codes. Pages are taken in the order of their latest
//! start, over all blocks, and looking ends when no page can hold a newer match than those found: there are no index rows.

mod names;
mod newest;
mod plan;
mod test;
mod wanted;

pub(crate) use names::Names;
pub(crate) use newest::{Candidate, Newest, Searched, search_blocks};
pub(crate) use plan::Question;
pub(crate) use test::head_matches;
