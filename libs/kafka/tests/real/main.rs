//! Against a real broker: `SKUA_TEST_KAFKA=host:port cargo test -p skua-kafka --test real`. Without it each test prints so and
//! passes.

#![expect(clippy::unwrap_used, reason = "these are tests, helpers included")]

mod broker;
mod consuming;
mod following;
mod producing;
#[path = "../../src/testing.rs"]
mod testing;
