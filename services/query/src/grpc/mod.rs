//! Jaeger's gRPC API (port 16685, and 16686 by content type): `jaeger.api_v2.QueryService` and `jaeger.api_v3.QueryService`, health
//! and reflection.
//!
//! What differs from Jaeger 1.76 on purpose: a store that is away, full, too slow or not able to is UNAVAILABLE,
//! RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED or UNIMPLEMENTED, not INTERNAL; an answer that is not complete says so in the trailer
//! `skua-partial`; lists are sorted; a search on Elasticsearch or Cassandra may leave its times out.

mod content_type;
mod health;
mod routes;
mod status;
mod streamed;
mod summary;
#[cfg(test)]
mod tests;
mod times;
mod unknown;
mod v2;
mod v3;

pub(crate) use content_type::layer;
pub(crate) use health::Health;
pub(crate) use routes::routes;
