//! Clients and servers in one process, over gRPC on 127.0.0.1.
#![allow(clippy::unwrap_used, reason = "a test")]

mod conformance;
mod errors;
mod given;
mod reading;
mod services;
mod tls;
mod writing;
