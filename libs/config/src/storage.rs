//! Which stores a component writes and reads.

use std::fmt;

use crate::component::Component;
use crate::suggest::nearest;

/// A kind of storage that this version knows how to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StorageType {
    /// Produce to Kafka; an ingester stores the spans. Cannot be read.
    Kafka,
    /// Elasticsearch 7, 8 and 9.
    Elasticsearch,
    /// OpenSearch 1, 2 and 3; has the flags of Elasticsearch.
    Opensearch,
    /// Cassandra 4 and 5.
    Cassandra,
    /// ScyllaDB; has the flags of Cassandra.
    Scylla,
    /// A server that speaks Jaeger's storage API over gRPC.
    Grpc,
    /// In Parquet, in a directory or a bucket.
    Parquet,
    /// In the memory of this process.
    Memory,
    /// Thrown away.
    Blackhole,
}

impl StorageType {
    /// Every supported type.
    pub const ALL: &'static [Self] = &[
        Self::Kafka,
        Self::Elasticsearch,
        Self::Opensearch,
        Self::Cassandra,
        Self::Scylla,
        Self::Grpc,
        Self::Parquet,
        Self::Memory,
        Self::Blackhole,
    ];

    /// The value in `SPAN_STORAGE_TYPE`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::Elasticsearch => "elasticsearch",
            Self::Opensearch => "opensearch",
            Self::Cassandra => "cassandra",
            Self::Scylla => "scylla",
            Self::Grpc => "grpc",
            Self::Parquet => "parquet",
            Self::Memory => "memory",
            Self::Blackhole => "blackhole",
        }
    }

    /// Whether collectors can meet there for adaptive sampling.
    pub(crate) fn can_sample(self) -> bool {
        matches!(self, Self::Memory | Self::Elasticsearch | Self::Opensearch | Self::Cassandra | Self::Scylla | Self::Parquet)
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|storage| storage.name() == name)
    }
}

impl fmt::Display for StorageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A kind of storage of RED metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricsType {
    /// Whatever speaks Prometheus' HTTP API.
    Prometheus,
}

/// What a user of Jaeger's embedded store is told.
const BADGER: &str = "the files of badger cannot be read; Skua's own embedded store takes its place: set SPAN_STORAGE_TYPE=parquet and \
                      --parquet.path to a new directory";

/// Two names of one driver and the group of its flags.
const TWINS: &[(StorageType, StorageType, &str)] =
    &[(StorageType::Elasticsearch, StorageType::Opensearch, "es"), (StorageType::Cassandra, StorageType::Scylla, "cassandra")];

/// The stores of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    /// Written all, read from the first; empty for the agent alone. From `SPAN_STORAGE_TYPE`, whose default is Jaeger's:
    /// cassandra, but in all-in-one, where it is parquet, or memory when a flag of it is set.
    pub span: Vec<StorageType>,
    /// Where dependencies are read from: `DEPENDENCY_STORAGE_TYPE`, else the first span storage.
    /// `None` only if that is Kafka, which cannot be read.
    pub dependency: Option<StorageType>,
    /// Where collectors meet for adaptive sampling: `SAMPLING_STORAGE_TYPE`, else the first span storage that can.
    /// `None` without adaptive sampling, or if none can.
    pub sampling: Option<StorageType>,
    /// What RED metrics are read from: `METRICS_STORAGE_TYPE`; always `None` but for query and all-in-one.
    pub metrics: Option<MetricsType>,
}

impl Storage {
    /// Whether flags of this storage exist for the component.
    #[must_use]
    pub fn uses(&self, storage: StorageType) -> bool {
        self.span.contains(&storage) || self.dependency == Some(storage) || self.sampling == Some(storage)
    }

    /// Uses another storage in the place of one.
    pub fn replace(&mut self, storage: StorageType, by: StorageType) {
        let all = self.span.iter_mut().chain(&mut self.dependency).chain(&mut self.sampling);
        all.filter(|one| **one == storage).for_each(|one| *one = by);
    }

    /// The span storages as in `SPAN_STORAGE_TYPE`.
    #[must_use]
    pub fn names(&self) -> String {
        self.span.iter().map(|storage| storage.name()).collect::<Vec<_>>().join(",")
    }
}

impl Storage {
    /// Of a component that neither writes nor reads any store.
    pub(crate) const fn none() -> Self {
        Self { span: Vec::new(), dependency: None, sampling: None, metrics: None }
    }

    /// Of the command that makes the schema of Cassandra, whatever `SPAN_STORAGE_TYPE` says.
    pub(crate) fn of_cassandra_schema() -> Self {
        Self { span: vec![StorageType::Cassandra], ..Self::none() }
    }

    /// Of the commands that look into a store in Parquet, whatever `SPAN_STORAGE_TYPE` says.
    pub(crate) fn of_parquet() -> Self {
        Self { span: vec![StorageType::Parquet], ..Self::none() }
    }
}

/// What a component can use, for messages.
fn supported(component: Component) -> String {
    let names = StorageType::ALL.iter().filter(|storage| **storage != StorageType::Kafka || component == Component::Collector);
    names.map(|storage| storage.name()).collect::<Vec<_>>().join(", ")
}

/// Reads one storage type; the error is a sentence without its source.
pub(crate) fn read_one(name: &str, component: Component) -> Result<StorageType, String> {
    let name = name.trim().to_ascii_lowercase();
    match StorageType::from_name(&name) {
        Some(StorageType::Kafka) if component == Component::Ingester => {
            Err(format!("the ingester reads Kafka and cannot write to it; set the store it writes to: {}", supported(component)))
        }
        Some(StorageType::Kafka) if component != Component::Collector => Err(format!(
            "spans cannot be read back from kafka, so {component} cannot use it; supported are {}",
            supported(component)
        )),
        Some(storage) => Ok(storage),
        None if name == "badger" => Err(BADGER.to_owned()),
        None => {
            let known = StorageType::ALL.iter().map(|storage| storage.name());
            Err(match nearest(&name, known) {
                Some(near) => format!("unknown storage type {name:?}; did you mean {near:?}?"),
                None => format!("unknown storage type {name:?}; supported are {}", supported(component)),
            })
        }
    }
}

/// Reads `SPAN_STORAGE_TYPE`; names given twice count once.
pub(crate) fn read_list(text: &str, component: Component) -> Result<Vec<StorageType>, String> {
    let mut storages = Vec::new();
    for name in text.split(',').filter(|name| !name.trim().is_empty()) {
        let storage = read_one(name, component)?;
        if !storages.contains(&storage) {
            storages.push(storage);
        }
    }
    for (one, other, flags) in TWINS {
        if storages.contains(one) && storages.contains(other) {
            return Err(format!("{one} and {other} share the flags --{flags}.*, so each span would be written twice; name one"));
        }
    }
    if storages.is_empty() {
        return Err(format!("names no storage; supported are {}", supported(component)));
    }
    Ok(storages)
}
