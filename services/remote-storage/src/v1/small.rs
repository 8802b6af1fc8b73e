//! What this server can, and who calls whom.

use crate::answer::status;
use crate::query::{latest, since_1970};
use skua_proto::jaeger::api_v2::DependencyLink;
use skua_proto::jaeger::storage::v1;
use skua_store::DependencyReader;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// `PluginCapabilities`. There is no archive behind the same connection, as in Jaeger 1.76: it has a connection of its own.
pub(crate) struct Capabilities;

#[tonic::async_trait]
impl v1::plugin_capabilities_server::PluginCapabilities for Capabilities {
    async fn capabilities(&self, _: Request<v1::CapabilitiesRequest>) -> Result<Response<v1::CapabilitiesResponse>, Status> {
        Ok(Response::new(v1::CapabilitiesResponse { streaming_span_writer: true, ..v1::CapabilitiesResponse::default() }))
    }
}

/// `DependenciesReaderPlugin`.
pub(crate) struct Dependencies(pub Arc<dyn DependencyReader>);

#[tonic::async_trait]
impl v1::dependencies_reader_plugin_server::DependenciesReaderPlugin for Dependencies {
    async fn get_dependencies(
        &self,
        request: Request<v1::GetDependenciesRequest>,
    ) -> Result<Response<v1::GetDependenciesResponse>, Status> {
        let v1::GetDependenciesRequest { start_time, end_time } = request.into_inner();
        let start = start_time.map_or(0, |t| since_1970(&t));
        let links = self.0.dependencies(start, latest(end_time)).await.map_err(|e| status(&e))?;
        let link = |l: skua_store::DependencyLink| DependencyLink {
            parent: l.parent,
            child: l.child,
            call_count: l.call_count,
            source: l.source,
        };
        Ok(Response::new(v1::GetDependenciesResponse { dependencies: links.into_iter().map(link).collect() }))
    }
}
