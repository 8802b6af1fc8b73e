//! Stores by their flags, each opened once.

use super::parquet::{self, Parquet};
use super::ready::{Closing, Ready, cassandra_ready, elasticsearch_ready, remote_ready};
use crate::process::{Failure, Process};
use skua_config::StorageType;
use skua_store::memory::{MemoryConfig, MemoryStore};
use skua_store_cassandra::CassandraStore;
use skua_store_elasticsearch::ElasticsearchStore;
use skua_store_remote::RemoteStore;
use std::sync::Arc;

/// The stores that were opened so far: what names one twice gets the same.
#[derive(Default)]
pub(super) struct Opened {
    elasticsearch: Option<Arc<ElasticsearchStore>>,
    cassandra: Option<Arc<CassandraStore>>,
    remote: Option<Arc<RemoteStore>>,
    parquet: Option<Parquet>,
    memory: Option<Arc<MemoryStore>>,
    pub ready: Vec<Ready>,
    pub closing: Closing,
}

impl Opened {
    /// Elasticsearch by the flags `es.*`; it may come up later.
    pub async fn elasticsearch(&mut self, process: &mut Process) -> Result<Arc<ElasticsearchStore>, Failure> {
        if let Some(store) = &self.elasticsearch {
            return Ok(store.clone());
        }
        let store = ElasticsearchStore::connect(process.loaded.section("es")?, &mut process.registry).await?;
        self.ready.push(elasticsearch_ready(&store));
        self.elasticsearch = Some(store.clone());
        Ok(store)
    }

    /// Cassandra or Scylla by the flags `cassandra.*`; it may come up later.
    pub fn cassandra(&mut self, process: &mut Process, kind: StorageType) -> Result<Arc<CassandraStore>, Failure> {
        if let Some(store) = &self.cassandra {
            return Ok(store.clone());
        }
        let store = CassandraStore::new(process.loaded.section("cassandra")?, kind.name(), "primary", &mut process.registry)?;
        self.ready.push(cassandra_ready(&store));
        self.cassandra = Some(store.clone());
        Ok(store)
    }

    /// A server by the flags `grpc-storage.*`; it may come up later.
    pub fn remote(&mut self, process: &mut Process) -> Result<Arc<RemoteStore>, Failure> {
        if let Some(store) = &self.remote {
            return Ok(store.clone());
        }
        let store = RemoteStore::new(&process.loaded.section("grpc-storage")?, "primary", &mut process.registry)?;
        self.ready.push(remote_ready(&store));
        self.remote = Some(store.clone());
        Ok(store)
    }

    /// Parquet by the flags `parquet.*`. A directory is taken or refused here; a bucket may come up later.
    pub fn parquet(&mut self, process: &mut Process) -> Result<Parquet, Failure> {
        if let Some(store) = &self.parquet {
            return Ok(store.clone());
        }
        let store = parquet::open(process, &mut self.ready)?;
        self.parquet = Some(store.clone());
        Ok(store)
    }

    pub fn memory(&mut self, process: &mut Process) -> Arc<MemoryStore> {
        let make = || {
            let store = Arc::new(MemoryStore::new(MemoryConfig {
                max_traces: process.loaded.get_u64("memory.max-traces"),
                max_bytes: process.loaded.get_u64("memory.max-bytes"),
            }));
            store.register(&mut process.registry);
            store
        };
        self.memory.get_or_insert_with(make).clone()
    }
}
