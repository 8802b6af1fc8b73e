//! The store on a server that speaks S3: `SKUA_TEST_S3=http://host:port cargo test -p skua-store-parquet --test real`;
//! `make integration-test` starts one. Without it each test says so and ends.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test, which has to know where the server is"
)]

mod bucket;
#[path = "../../src/bucket/tests/cases.rs"]
mod cases;
mod conformance;
mod given;
mod spans;

use skua_store_parquet::Bucket;
