//! Where roll-ups and dependencies are.

use super::opened::Opened;
use crate::process::{Failure, Process};
use async_trait::async_trait;
use skua_config::{Component, Storage, StorageType};
use skua_rollup::flush::Stores as RollupStores;
use skua_rollup::read::{RollupReader, WithRollups};
use skua_store::dependencies::{DependencyLink, DependencyReader};
use skua_store::rollups::MemoryRollups;
use skua_store::{ErrorKind, StoreError};
use skua_store_cassandra::{CassandraDependencies, CassandraRollups};
use skua_store_elasticsearch::{ElasticsearchDependencies, ElasticsearchRollups};
use std::sync::Arc;

/// Bytes of roll-ups that are held in memory: some weeks of a few hundred operations.
const MOST_ROLLUPS: u64 = 64 << 20;

/// Who calls whom: what was counted on the way in, joined with what a job has counted where the storage has a place for that.
pub(super) async fn dependencies(
    process: &mut Process,
    opened: &mut Opened,
    storages: &Storage,
    rollups: Option<&RollupStores>,
) -> Result<Option<Arc<dyn DependencyReader>>, Failure> {
    let others: Arc<dyn DependencyReader> = match storages.dependency {
        Some(StorageType::Elasticsearch | StorageType::Opensearch) => {
            Arc::new(ElasticsearchDependencies::new(opened.elasticsearch(process).await?))
        }
        Some(kind @ (StorageType::Cassandra | StorageType::Scylla)) => {
            Arc::new(CassandraDependencies::new(opened.cassandra(process, kind)?))
        }
        Some(StorageType::Grpc) => return Ok(Some(opened.remote(process)?)),
        Some(StorageType::Parquet) if rollups.is_some() => Arc::new(Nobody),
        Some(StorageType::Parquet) => return Ok(Some(Arc::new(NotCounted))),
        // It counts what it holds when it is asked.
        Some(StorageType::Memory) => return Ok(Some(opened.memory(process))),
        Some(StorageType::Kafka | StorageType::Blackhole) | None => return Ok(None),
    };
    Ok(Some(match rollups {
        Some(rollups) => Arc::new(WithRollups { rollups: RollupReader::new(rollups.rollups.clone()), others }),
        None => others,
    }))
}

/// No job counts for this storage.
struct Nobody;

#[async_trait]
impl DependencyReader for Nobody {
    async fn dependencies(&self, _: u64, _: u64) -> Result<Vec<DependencyLink>, StoreError> {
        Ok(Vec::new())
    }
}

/// Roll-ups are off, or this process does not read them.
struct NotCounted;

#[async_trait]
impl DependencyReader for NotCounted {
    async fn dependencies(&self, _: u64, _: u64) -> Result<Vec<DependencyLink>, StoreError> {
        let why = "tell who calls whom: over parquet that is known from roll-ups alone, which all-in-one and query read with --rollup.enabled=true";
        Err(StoreError::new(ErrorKind::Unsupported, why))
    }
}

/// Where roll-ups are kept: with the dependencies. A collector that writes to Kafka leaves counting to the ingester.
pub(super) async fn rollups(
    process: &mut Process,
    opened: &mut Opened,
    storages: &Storage,
) -> Result<Option<RollupStores>, Failure> {
    let counts_or_reads = match process.loaded.component() {
        Component::Collector | Component::Ingester | Component::Query | Component::AllInOne => {
            process.loaded.get_bool("rollup.enabled")
        }
        Component::RollupRebuild => true,
        _ => false,
    };
    if !counts_or_reads {
        return Ok(None);
    }
    if storages.span.first() == Some(&StorageType::Kafka) {
        return Ok(None);
    }
    Ok(match storages.dependency {
        Some(StorageType::Elasticsearch | StorageType::Opensearch) => {
            let store = opened.elasticsearch(process).await?;
            let rollups = Arc::new(ElasticsearchRollups::new(store.clone()));
            Some(RollupStores { rollups, dependencies: Some(Arc::new(ElasticsearchDependencies::new(store))) })
        }
        Some(kind @ (StorageType::Cassandra | StorageType::Scylla)) => {
            let store = opened.cassandra(process, kind)?;
            let rollups = Arc::new(CassandraRollups::new(store.clone()));
            Some(RollupStores { rollups, dependencies: Some(Arc::new(CassandraDependencies::new(store))) })
        }
        Some(StorageType::Parquet) => {
            let rollups = opened.parquet(process)?.rollups;
            Some(RollupStores { rollups, dependencies: None })
        }
        // What memory holds, it counts itself when it is asked for dependencies.
        Some(StorageType::Memory) => {
            let rollups = Arc::new(MemoryRollups::new(MOST_ROLLUPS));
            rollups.register(&mut process.registry);
            Some(RollupStores { rollups, dependencies: None })
        }
        Some(other @ StorageType::Grpc) => {
            tracing::info!(storage = other.name(), "this storage keeps no roll-ups: who calls whom is asked of it");
            None
        }
        _ => None,
    })
}
