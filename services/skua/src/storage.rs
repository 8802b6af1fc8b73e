//! `SPAN_STORAGE_TYPE`: which writers and which reader a tier has.

use crate::process::{Failure, Process};
use crate::sampling;
use async_trait::async_trait;
use skua_config::{Component, StorageType};
use skua_kafka::{KafkaWriter, ProducerConfig};
use skua_model::SpanBatch;
use skua_query_service::Archive;
use skua_rollup::flush::Stores as RollupStores;
use skua_rollup::read::{RollupReader, WithRollups};
use skua_store::dependencies::DependencyReader;
use skua_store::fan_out::FanOut;
use skua_store::memory::{MemoryConfig, MemoryStore};
use skua_store::metrics::{Metered, ReaderMetrics};
use skua_store::rollups::MemoryRollups;
use skua_store::sampling::{Lease, MemorySampling, SamplingStore};
use skua_store::span_metrics::MetricsReader;
use skua_store::{SpanReader, SpanWriter, StoreError, Written};
use skua_store_cassandra::{CassandraDependencies, CassandraRollups, CassandraSampling, CassandraStore};
use skua_store_elasticsearch::{ElasticsearchDependencies, ElasticsearchRollups, ElasticsearchSampling, ElasticsearchStore};
use skua_store_remote::RemoteStore;
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

/// Bytes of roll-ups that are held in memory: some weeks of a few hundred operations.
const MOST_ROLLUPS: u64 = 64 << 20;

/// The pipeline's bound: what stops senders is meant to be this, not librdkafka's queue.
fn collector_room(process: &Process) -> Result<usize, Failure> {
    Ok(process.loaded.section::<skua_collector::Config>("collector")?.options().max_in_flight_bytes)
}

type Ready = Pin<Box<dyn Future<Output = ()> + Send>>;

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
        let rollups = rollups.map(|r| (RollupReader::new(r.rollups.clone()), r.dependencies.is_some()));
        let dependencies = match &rollups {
            // A storage that keeps both.
            Some((rollups, true)) => Arc::new(WithRollups { rollups: rollups.clone(), others: dependencies }),
            _ => dependencies,
        };
        let rollups = rollups.map(|(reader, _)| Arc::new(reader));
        let metrics = rollups.clone().map(|reader| reader as Arc<dyn MetricsReader>);
        Ok(skua_query_service::Stores { spans, dependencies, archive, metrics, rollups })
    }
}

/// The stores that were opened so far: what names one twice gets the same.
#[derive(Default)]
struct Opened {
    elasticsearch: Option<Arc<ElasticsearchStore>>,
    cassandra: Option<Arc<CassandraStore>>,
    remote: Option<Arc<RemoteStore>>,
    memory: Option<Arc<MemoryStore>>,
    ready: Vec<Ready>,
}

impl Opened {
    /// Elasticsearch by the flags `es.*`; it may come up later.
    async fn elasticsearch(&mut self, process: &mut Process) -> Result<Arc<ElasticsearchStore>, Failure> {
        if let Some(store) = &self.elasticsearch {
            return Ok(store.clone());
        }
        let store = ElasticsearchStore::connect(process.loaded.section("es")?, &mut process.registry).await?;
        self.ready.push(elasticsearch_ready(&store));
        self.elasticsearch = Some(store.clone());
        Ok(store)
    }

    /// Cassandra or Scylla by the flags `cassandra.*`; it may come up later.
    fn cassandra(&mut self, process: &mut Process, kind: StorageType) -> Result<Arc<CassandraStore>, Failure> {
        if let Some(store) = &self.cassandra {
            return Ok(store.clone());
        }
        let store = CassandraStore::new(process.loaded.section("cassandra")?, kind.name(), "primary", &mut process.registry)?;
        self.ready.push(cassandra_ready(&store));
        self.cassandra = Some(store.clone());
        Ok(store)
    }

    /// A server by the flags `grpc-storage.*`; it may come up later.
    fn remote(&mut self, process: &mut Process) -> Result<Arc<RemoteStore>, Failure> {
        if let Some(store) = &self.remote {
            return Ok(store.clone());
        }
        let store = RemoteStore::new(&process.loaded.section("grpc-storage")?, "primary", &mut process.registry)?;
        self.ready.push(remote_ready(&store));
        self.remote = Some(store.clone());
        Ok(store)
    }

    fn memory(&mut self, process: &mut Process) -> Arc<MemoryStore> {
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

/// Opens the storages of the configuration; none of them has to be up.
pub(crate) async fn open(process: &mut Process) -> Result<Stores, Failure> {
    let mut writers: Vec<Arc<dyn SpanWriter>> = Vec::new();
    let mut reader: Option<(StorageType, &str, Arc<dyn SpanReader>)> = None;
    let mut opened = Opened::default();
    let storages = process.loaded.storage().clone();
    for (i, storage) in storages.span.into_iter().enumerate() {
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
            archive(process, &mut opened, *storage).await?
        }
        _ => None,
    };
    let reader = reader.map(|(_, kind, store)| metered(process, store, kind, archive.as_ref()));
    let (reader, archive) = match reader {
        Some((reader, archive)) => (Some(reader), archive),
        None => (None, None),
    };
    let dependencies: Option<Arc<dyn DependencyReader>> = match storages.dependency {
        Some(StorageType::Elasticsearch | StorageType::Opensearch) => {
            Some(Arc::new(ElasticsearchDependencies::new(opened.elasticsearch(process).await?)))
        }
        Some(kind @ (StorageType::Cassandra | StorageType::Scylla)) => {
            Some(Arc::new(CassandraDependencies::new(opened.cassandra(process, kind)?)))
        }
        Some(StorageType::Grpc) => Some(opened.remote(process)?),
        Some(StorageType::Memory) => Some(opened.memory(process)),
        Some(StorageType::Kafka | StorageType::Blackhole) | None => None,
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
        Some(other) => return Err(format!("SAMPLING_STORAGE_TYPE: {other} cannot keep what adaptive sampling counts").into()),
    };
    let rollups = rollups(process, &mut opened).await?;
    let ready = opened.ready;
    let ready = Box::pin(async move {
        for one in ready {
            one.await;
        }
    });
    Ok(Stores { writer: FanOut::of(writers), reader, dependencies, archive, sampling, rollups, ready })
}

/// Where roll-ups are kept: with the dependencies. A collector that writes to Kafka leaves counting to the ingester.
async fn rollups(process: &mut Process, opened: &mut Opened) -> Result<Option<RollupStores>, Failure> {
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
    let storages = process.loaded.storage().clone();
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

/// Where traces are archived: other indices of Elasticsearch, a second keyspace of Cassandra, a second remote storage, or a part
/// of the memory.
async fn archive(process: &mut Process, opened: &mut Opened, primary: StorageType) -> Result<Option<Archive>, Failure> {
    match primary {
        StorageType::Cassandra | StorageType::Scylla if process.loaded.get_bool("cassandra-archive.enabled") => {
            let config = process.loaded.section_or("cassandra-archive", "cassandra")?;
            let store = CassandraStore::new(config, primary.name(), "archive", &mut process.registry)?;
            opened.ready.push(cassandra_ready(&store));
            Ok(Some(Archive { reader: store.clone(), writer: store }))
        }
        StorageType::Elasticsearch | StorageType::Opensearch if process.loaded.get_bool("es-archive.enabled") => {
            let config = process.loaded.section_or("es-archive", "es")?;
            let store = ElasticsearchStore::archive(config, &mut process.registry).await?;
            opened.ready.push(elasticsearch_ready(&store));
            Ok(Some(Archive { reader: store.clone(), writer: store }))
        }
        StorageType::Memory => {
            let store = Arc::new(MemoryStore::archive_of(&opened.memory(process)));
            store.register(&mut process.registry);
            Ok(Some(Archive { reader: store.clone(), writer: store }))
        }
        StorageType::Grpc if process.loaded.get_bool("grpc-storage-archive.enabled") => {
            let store = RemoteStore::new(&process.loaded.section("grpc-storage-archive")?, "archive", &mut process.registry)?;
            opened.ready.push(remote_ready(&store));
            Ok(Some(Archive { reader: store.clone(), writer: store }))
        }
        _ => Ok(None),
    }
}

/// Counts what is asked of the primary and of the archive.
fn metered(
    process: &mut Process,
    primary: Arc<dyn SpanReader>,
    kind: &str,
    archive: Option<&Archive>,
) -> (Arc<dyn SpanReader>, Option<Archive>) {
    let metrics = ReaderMetrics::register(&mut process.registry);
    let counted = |reader, role| Arc::new(Metered::with(reader, &metrics, kind, role));
    let archive = archive.map(|a| Archive { reader: counted(a.reader.clone(), "archive"), writer: a.writer.clone() });
    (counted(primary, "primary"), archive)
}

fn elasticsearch_ready(store: &Arc<ElasticsearchStore>) -> Ready {
    let store = store.clone();
    until_ready("Elasticsearch", move || {
        let store = store.clone();
        async move { store.ready().await }
    })
}

fn cassandra_ready(store: &Arc<CassandraStore>) -> Ready {
    let store = store.clone();
    until_ready("Cassandra", move || {
        let store = store.clone();
        async move { store.ready().await }
    })
}

fn remote_ready(store: &Arc<RemoteStore>) -> Ready {
    let store = store.clone();
    until_ready("the remote storage", move || {
        let store = store.clone();
        async move { store.ready().await }
    })
}

/// Asks again and again; the log says each new reason once, and a reason that stays every half minute.
fn until_ready<F>(what: &'static str, ready: impl Fn() -> F + Send + 'static) -> Ready
where
    F: Future<Output = Result<(), StoreError>> + Send,
{
    Box::pin(async move {
        let (mut said, mut quiet) = (String::new(), 0);
        while let Err(e) = ready().await {
            if said != e.message || quiet >= 60 {
                tracing::warn!(error = %e, "{what} is not ready; trying again");
                (said, quiet) = (e.message, 0);
            }
            quiet += 1;
            tokio::time::sleep(PAUSE).await;
        }
    })
}

/// `SPAN_STORAGE_TYPE=blackhole`: takes everything and keeps nothing, for measuring what comes before it.
struct Blackhole;

#[async_trait]
impl SpanWriter for Blackhole {
    async fn write(&self, batch: &SpanBatch) -> Result<Written, StoreError> {
        Ok(Written::all(batch))
    }
}
