//! `DependencyReader`.

use crate::answer::status;
use crate::query::{latest, since_1970};
use skua_proto::jaeger::storage::v2;
use skua_store::DependencyReader;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// The service.
pub(crate) struct Dependencies(pub Arc<dyn DependencyReader>);

#[tonic::async_trait]
impl v2::dependency_reader_server::DependencyReader for Dependencies {
    async fn get_dependencies(
        &self,
        request: Request<v2::GetDependenciesRequest>,
    ) -> Result<Response<v2::GetDependenciesResponse>, Status> {
        let v2::GetDependenciesRequest { start_time, end_time } = request.into_inner();
        let start = start_time.map_or(0, |t| since_1970(&t));
        let links = self.0.dependencies(start, latest(end_time)).await.map_err(|e| status(&e))?;
        let link = |l: skua_store::DependencyLink| v2::Dependency {
            parent: l.parent,
            child: l.child,
            call_count: l.call_count,
            source: l.source,
        };
        Ok(Response::new(v2::GetDependenciesResponse { dependencies: links.into_iter().map(link).collect() }))
    }
}
