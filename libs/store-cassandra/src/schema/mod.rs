//! Jaeger's schema v004: what it is, how it is made, and what a keyspace has of it.
//!
//! One description of the tables serves both: [`create`] writes it as CQL, [`detect`] compares it with a keyspace. v004 differs from
//! v003 in options of tables alone; v001 has other tables for operations and dependencies, which are read and written too.

mod create;
mod detect;
mod tables;
#[cfg(test)]
mod tests;

pub use create::Schema;
pub(crate) use create::check_keyspace;
pub(crate) use detect::{Dependencies, Found, OperationNames, detect, has_rollups};
