//! What is written beside the spans so that they can be found: Jaeger's four index tables, with fewer rows.
//!
//! - [`layout`]: which rows there are, and what they promise a search.
//! - [`text`]: the text of a tag, and whether it is indexed.
//! - [`plan`]: makes the [`rows`] of a batch.

pub(crate) mod layout;
pub(crate) mod plan;
pub(crate) mod rows;
pub(crate) mod text;
