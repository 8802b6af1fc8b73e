//! The graph of services, from roll-ups.

use crate::QueryService;
use skua_rollup::read::{Graph, GraphQuery};
use skua_store::StoreError;

impl QueryService {
    /// Who calls whom, how often and how well; `None` where no roll-ups are kept.
    ///
    /// # Errors
    /// As [`RollupReader::graph`](skua_rollup::read::RollupReader::graph).
    pub async fn graph(&self, query: &GraphQuery) -> Result<Option<Graph>, StoreError> {
        let Some(rollups) = &self.stores.rollups else { return Ok(None) };
        let pass = self.gate.enter().await?;
        pass.in_time(rollups.graph(query)).await.map(Some)
    }
}
