//! `SPAN_STORAGE_TYPE`: which writers and which reader a tier has.

mod archive;
mod opened;
mod parquet;
mod ready;
mod rollups;

use crate::process::{Failure, Process};
use crate::sampling;
use async_trait::async_trait;
use opened::Opened;
use ready::{Closing, Ready};
use skua_config::{Component, StorageType};
use skua_kafka::{KafkaWriter, ProducerConfig};
use skua_model::SpanBatch;
use skua_query_service::Archive;
use skua_rollup::flush::Stores as RollupStores;
use skua_rollup::read::RollupReader;
use skua_store::dependencies::DependencyReader;
use skua_store::fan_out::FanOut;
use skua_store::sampling::{Lease, MemorySampling, SamplingStore};
use skua_store::span_metrics::MetricsReader;
use skua_store::{SpanReader, SpanWriter, StoreError, Written};
use skua_store_cassandra::CassandraSampling;
use skua_store_elasticsearch::ElasticsearchSampling;
use std::sync::Arc;

/// A tier's stores. What the tier does not need is not opened.
pub(crate) struct Stores {
    /// Writes to all storages.
    pub writer: Arc<dyn SpanWriter>,
    /// Reads the first; `None` when it cannot be read.
    pub reader: Option<Arc<dyn SpanReader>>,
    /// Who calls whom; `None` when no storage can say.
    pub dependencies: Option<Arc<dyn DependencyReader>>,
    /// Where traces can be put to stay.
    pub archive: Option<Archive>,
    /// Where collectors meet for adaptive sampling.
    pub sampling: Option<SamplingStores>,
    /// Where roll-ups are kept; `None` when they are off or the storage cannot keep them.
    pub rollups: Option<RollupStores>,
    /// Ends when every store can be used.
    pub ready: Ready,
    /// To be done last.
    pub closing: Closing,
}

/// `SAMPLING_STORAGE_TYPE`.
#[derive(Clone)]
pub(crate) struct SamplingStores {
    pub store: Arc<dyn SamplingStore>,
    pub lease: Arc<dyn Lease>,
}

/// Room in librdkafka for each byte of room in the pipeline: Jaeger's encodings are longer than OTLP.
const KAFKA_ROOM: usize = 3;

/// The pipeline's bound: what stops senders is meant to be this, not librdkafka's queue.
fn collector_room(process: &Process) -> Result<usize, Failure> {
    Ok(process.loaded.section::<skua_collector::Config>("collector")?.options().max_in_flight_bytes)
}

impl Stores {
    /// What the query tier reads.
    ///
    /// # Errors
    /// When the first storage cannot be read.
    pub(crate) fn to_query(
        reader: Option<Arc<dyn SpanReader>>,
        dependencies: Option<Arc<dyn DependencyReader>>,
        archive: Option<Archive>,
        rollups: Option<&RollupStores>,
    ) -> Result<skua_query_service::Stores, Failure> {
        let spans = reader.ok_or("the first SPAN_STORAGE_TYPE cannot be read")?;
        let dependencies = dependencies.ok_or("no storage can be asked for dependencies; see DEPENDENCY_STORAGE_TYPE")?;
        let rollups = rollups.map(|r| Arc::new(RollupReader::new(r.rollups.clone())));
        let metrics = rollups.clone().map(|reader| reader as Arc<dyn MetricsReader>);
        Ok(skua_query_service::Stores { spans, dependencies, archive, metrics, rollups })
    }
}

/// Opens the storages of the configuration; none of them has to be up.
pub(crate) async fn open(process: &mut Process) -> Result<Stores, Failure> {
    let mut writers: Vec<Arc<dyn SpanWriter>> = Vec::new();
    let mut reader: Option<(StorageType, &str, Arc<dyn SpanReader>)> = None;
    let mut opened = Opened::default();
    let mut storages = process.loaded.storage().clone();
    if storages.uses(StorageType::Parquet) && !parquet::is_possible(&process.loaded)? {
        storages.replace(StorageType::Parquet, StorageType::Memory);
    }
    for (i, storage) in storages.span.iter().copied().enumerate() {
        let mut read_by = None;
        match storage {
            StorageType::Kafka => {
                let mut config: ProducerConfig = process.loaded.section("kafka.producer")?;
                config.max_in_flight_bytes = KAFKA_ROOM * collector_room(process)?;
                let writer = KafkaWriter::start(config, &mut process.registry)?;
                writers.push(writer.clone());
                opened.ready.push(Box::pin(async move { writer.ready().await }));
            }
            StorageType::Elasticsearch | StorageType::Opensearch => {
                let store = opened.elasticsearch(process).await?;
                writers.push(store.clone());
                read_by = Some((storage, "elasticsearch", store as Arc<dyn SpanReader>));
            }
            StorageType::Cassandra | StorageType::Scylla => {
                let store = opened.cassandra(process, storage)?;
                writers.push(store.clone());
                read_by = Some((storage, storage.name(), store as Arc<dyn SpanReader>));
            }
            StorageType::Grpc => {
                let store = opened.remote(process)?;
                writers.push(store.clone());
                read_by = Some((storage, "grpc", store as Arc<dyn SpanReader>));
            }
            StorageType::Parquet => {
                let store = opened.parquet(process)?.spans(process, &mut opened.closing).await?;
                writers.push(store.clone());
                read_by = Some((storage, "parquet", store as Arc<dyn SpanReader>));
            }
            StorageType::Memory => {
                let store = opened.memory(process);
                writers.push(store.clone());
                read_by = Some((storage, "memory", store as Arc<dyn SpanReader>));
            }
            StorageType::Blackhole => writers.push(Arc::new(Blackhole)),
        }
        if i == 0 {
            reader = read_by;
        }
    }
    let archive = match &reader {
        Some((storage, ..)) if matches!(process.loaded.component(), Component::Query | Component::AllInOne) => {
            archive::archive(process, &mut opened, *storage).await?
        }
        _ => None,
    };
    let reader = reader.map(|(_, kind, store)| archive::metered(process, store, kind, archive.as_ref()));
    let (reader, archive) = match reader {
        Some((reader, archive)) => (Some(reader), archive),
        None => (None, None),
    };
    let sampling = match storages.sampling {
        None => None,
        Some(StorageType::Memory) => {
            let memory = Arc::new(MemorySampling::new(sampling::options(process).insertions()));
            Some(SamplingStores { store: memory.clone(), lease: memory })
        }
        Some(StorageType::Elasticsearch | StorageType::Opensearch) => {
            let sampling = Arc::new(ElasticsearchSampling::new(opened.elasticsearch(process).await?));
            Some(SamplingStores { store: sampling.clone(), lease: sampling })
        }
        Some(kind @ (StorageType::Cassandra | StorageType::Scylla)) => {
            let sampling = Arc::new(CassandraSampling::new(opened.cassandra(process, kind)?));
            Some(SamplingStores { store: sampling.clone(), lease: sampling })
        }
        Some(StorageType::Parquet) => Some(opened.parquet(process)?.sampling),
        Some(other) => return Err(format!("SAMPLING_STORAGE_TYPE: {other} cannot keep what adaptive sampling counts").into()),
    };
    let rollups = rollups::rollups(process, &mut opened, &storages).await?;
    let dependencies = rollups::dependencies(process, &mut opened, &storages, rollups.as_ref()).await?;
    let Opened { ready, closing, .. } = opened;
    let ready = Box::pin(async move {
        for one in ready {
            one.await;
        }
    });
    Ok(Stores { writer: FanOut::of(writers), reader, dependencies, archive, sampling, rollups, ready, closing })
}

/// `SPAN_STORAGE_TYPE=blackhole`: takes everything and keeps nothing, for measuring what comes before it.
struct Blackhole;

#[async_trait]
impl SpanWriter for Blackhole {
    async fn write(&self, batch: &SpanBatch) -> Result<Written, StoreError> {
        Ok(Written::all(batch))
    }
}
