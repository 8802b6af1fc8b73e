//! Scenarios on the whole pipeline: the real binary beside real Kafka, Elasticsearch and Cassandra.
//!
//! One file a promise. All are in one test program, so that they compile once and run side by side. `make test` runs
//! them; without the servers that it starts they fail and say so.

mod adaptive;
mod cassandra;
mod config;
mod crash;
mod deploy;
mod duckdb;
mod elasticsearch;
mod example;
mod front;
mod grpc_query;
mod harness;
mod kafka_zipkin;
mod outage;
mod overload;
mod parquet;
mod poison;
mod prometheus;
mod rebalance;
mod remote;
mod rollups;
mod sdk;
mod single;
mod span_metrics;
mod topology;
