//! The store on a real Cassandra: `SKUA_TEST_CASSANDRA=host:port cargo test -p skua-store-cassandra --test real`; `make integration-test`
//! starts one. Without it each test says so and ends.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test, which has to know where the server is"
)]

mod conformance;
mod exact;
mod given;
mod rollups;
mod schema;
