//! A whole agent in the test's process: real datagrams on loopback, real collectors over gRPC.

mod collectors;
mod given;
mod losses;
mod sampling;
mod sending;
mod thrift;
mod tls;
