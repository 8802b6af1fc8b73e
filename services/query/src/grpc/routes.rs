//! All services, for any port.

use super::health::Health;
use super::unknown;
use super::v2::V2;
use super::v3::V3;
use axum::{Router, middleware};
use skua_proto::jaeger::{api_v2, api_v3};
use skua_query::QueryService;
use skua_receive::grpc::too_large_is_final;
use std::future::ready;
use tonic::codec::CompressionEncoding::{Gzip, Zstd};
use tonic::service::Routes;
use tonic_reflection::server::{Builder, Error};

/// What reflection lists, as Jaeger's does.
pub(super) const LISTED: [&str; 5] = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
    "jaeger.api_v2.QueryService",
    "jaeger.api_v3.QueryService",
];

/// The services, each at `/package.Service/`; requests of at most `max_message_size` bytes, before and after decompression.
///
/// # Errors
/// When a descriptor cannot be read.
pub(crate) fn routes(query: &QueryService, health: &Health, max_message_size: usize) -> Result<Router, Error> {
    let v2 = api_v2::query_service_server::QueryServiceServer::new(V2(query.clone()))
        .max_decoding_message_size(max_message_size)
        .accept_compressed(Gzip)
        .accept_compressed(Zstd);
    let v3 = api_v3::query_service_server::QueryServiceServer::new(V3(query.clone()))
        .max_decoding_message_size(max_message_size)
        .accept_compressed(Gzip)
        .accept_compressed(Zstd);
    let routes = Routes::new(v2)
        .add_service(v3)
        .add_service(health.server())
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?);
    let final_errors = middleware::map_response(|response| ready(too_large_is_final(response)));
    let unknown = middleware::from_fn(unknown::told);
    Ok(routes.prepare().into_axum_router().layer(unknown).layer(final_errors))
}

fn reflection() -> Builder<'static> {
    let files = [skua_proto::DESCRIPTORS, tonic_health::pb::FILE_DESCRIPTOR_SET];
    let files = files.into_iter().fold(Builder::configure(), Builder::register_encoded_file_descriptor_set);
    // Whichever version is asked, both are listed and described.
    let both = [tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET, tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET];
    let files = both.into_iter().fold(files, Builder::register_encoded_file_descriptor_set);
    LISTED.into_iter().fold(files, Builder::with_service_name)
}
