//! The store on a real Cassandra: the one that `SKUA_TEST_CASSANDRA` names (`make integration-test` starts it).
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test, which has to know where the server is"
)]

mod conformance;
mod exact;
mod given;
mod schema;
