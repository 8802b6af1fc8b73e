//! `SPAN_STORAGE_TYPE`: which writers and which reader a tier has.

use crate::process::{Failure, Process};
use crate::sampling;
use async_trait::async_trait;
use skua_config::StorageType;
use skua_kafka::{KafkaWriter, ProducerConfig};
use skua_model::SpanBatch;
use skua_store::fan_out::FanOut;
use skua_store::memory::{MemoryConfig, MemoryStore};
use skua_store::metrics::Metered;
use skua_store::sampling::{Lease, MemorySampling, SamplingStore};
use skua_store::{SpanReader, SpanWriter, StoreError, Written};
use skua_store_elasticsearch::{ElasticsearchSampling, ElasticsearchStore};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// A tier's stores. What the tier does not need is not opened.
pub(crate) struct Stores {
    /// Writes to all storages.
    pub writer: Arc<dyn SpanWriter>,
    /// Reads the first; `None` when it cannot be read.
    pub reader: Option<Arc<dyn SpanReader>>,
    /// Where collectors meet for adaptive sampling.
    pub sampling: Option<SamplingStores>,
    /// Ends when every store can be used.
    pub ready: Ready,
}

/// `SAMPLING_STORAGE_TYPE`.
pub(crate) struct SamplingStores {
    pub store: Arc<dyn SamplingStore>,
    pub lease: Arc<dyn Lease>,
}

/// Pause between tries to reach a store at start.
const PAUSE: Duration = Duration::from_millis(500);

/// Room in librdkafka for each byte of room in the pipeline: Jaeger's encodings are longer than OTLP.
const KAFKA_ROOM: usize = 3;

/// The pipeline's bound: what stops senders is meant to be this, not librdkafka's queue.
fn collector_room(process: &Process) -> Result<usize, Failure> {
    Ok(process.loaded.section::<skua_collector::Config>("collector")?.options().max_in_flight_bytes)
}

type Ready = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Opens the storages of the configuration; none of them has to be up.
pub(crate) async fn open(process: &mut Process) -> Result<Stores, Failure> {
    let mut writers: Vec<Arc<dyn SpanWriter>> = Vec::new();
    let mut reader: Option<Arc<dyn SpanReader>> = None;
    let mut ready: Vec<Ready> = Vec::new();
    let mut elasticsearch = None;
    let storages = process.loaded.storage().clone();
    for (i, storage) in storages.span.into_iter().enumerate() {
        let mut read_by = None;
        match storage {
            StorageType::Kafka => {
                let mut config: ProducerConfig = process.loaded.section("kafka.producer")?;
                config.max_in_flight_bytes = KAFKA_ROOM * collector_room(process)?;
                let writer = KafkaWriter::start(config, &mut process.registry)?;
                writers.push(writer.clone());
                ready.push(Box::pin(async move { writer.ready().await }));
            }
            StorageType::Elasticsearch | StorageType::Opensearch => {
                let store = connect(process, &mut ready).await?;
                elasticsearch = Some(store.clone());
                writers.push(store.clone());
                read_by = Some(("elasticsearch", store as Arc<dyn SpanReader>));
            }
            StorageType::Memory => {
                let store = Arc::new(MemoryStore::new(MemoryConfig {
                    max_traces: process.loaded.get_u64("memory.max-traces"),
                    max_bytes: process.loaded.get_u64("memory.max-bytes"),
                }));
                store.register(&mut process.registry);
                writers.push(store.clone());
                read_by = Some(("memory", store as Arc<dyn SpanReader>));
            }
            StorageType::Blackhole => writers.push(Arc::new(Blackhole)),
        }
        if let (0, Some((kind, store))) = (i, read_by) {
            reader = Some(Metered::new(store, kind, &mut process.registry));
        }
    }
    let sampling = match storages.sampling {
        None => None,
        Some(StorageType::Memory) => {
            let memory = Arc::new(MemorySampling::new(sampling::options(process).insertions()));
            Some(SamplingStores { store: memory.clone(), lease: memory })
        }
        Some(StorageType::Elasticsearch | StorageType::Opensearch) => {
            let store = match elasticsearch {
                Some(store) => store,
                None => connect(process, &mut ready).await?,
            };
            let sampling = Arc::new(ElasticsearchSampling::new(store));
            Some(SamplingStores { store: sampling.clone(), lease: sampling })
        }
        Some(other) => return Err(format!("SAMPLING_STORAGE_TYPE: {other} cannot keep what adaptive sampling counts").into()),
    };
    let ready = Box::pin(async move {
        for one in ready {
            one.await;
        }
    });
    Ok(Stores { writer: FanOut::of(writers), reader, sampling, ready })
}

/// Elasticsearch by the flags `es.*`; it may come up later.
async fn connect(process: &mut Process, ready: &mut Vec<Ready>) -> Result<Arc<ElasticsearchStore>, Failure> {
    let store = ElasticsearchStore::connect(process.loaded.section("es")?, &mut process.registry).await?;
    let waiting = store.clone();
    ready.push(Box::pin(async move {
        while let Err(e) = waiting.ready().await {
            tracing::warn!(error = %e, "Elasticsearch is not ready; trying again");
            tokio::time::sleep(PAUSE).await;
        }
    }));
    Ok(store)
}

/// `SPAN_STORAGE_TYPE=blackhole`: takes everything and keeps nothing, for measuring what comes before it.
struct Blackhole;

#[async_trait]
impl SpanWriter for Blackhole {
    async fn write(&self, batch: &SpanBatch) -> Result<Written, StoreError> {
        Ok(Written::all(batch))
    }
}
