//! Spans in Cassandra 4 and 5 and in Scylla: Jaeger's schema and rows, so that a real Jaeger reads what is written here and the
//! reverse, with fewer rows and with searches that find all that they should.

mod config;
mod cql;
mod decode;
mod dependencies;
mod encode;
mod error;
mod index;
mod metrics;
mod names;
mod random;
mod reader;
mod rollups;
mod sampling;
mod schema;
mod search;
mod session;
mod statements;
mod store;
#[cfg(test)]
mod tests;
mod tls;
mod write;

pub use config::{Basic, Config, Index, SchemaConfig, Search, Tls};
pub use dependencies::CassandraDependencies;
pub use rollups::CassandraRollups;
pub use sampling::CassandraSampling;
pub use schema::Schema;
pub use store::CassandraStore;
