//! Where archived traces are, and what counts the calls to readers.

use super::opened::Opened;
use super::ready::{cassandra_ready, elasticsearch_ready, remote_ready};
use crate::process::{Failure, Process};
use skua_config::StorageType;
use skua_query_service::Archive;
use skua_store::SpanReader;
use skua_store::memory::MemoryStore;
use skua_store::metrics::{Metered, ReaderMetrics};
use skua_store_cassandra::CassandraStore;
use skua_store_elasticsearch::ElasticsearchStore;
use skua_store_remote::RemoteStore;
use std::sync::Arc;

/// Where traces are archived: other indices of Elasticsearch, a second keyspace of Cassandra, a second remote storage, beside
/// the other blocks of Parquet, or a part of the memory.
pub(super) async fn archive(
    process: &mut Process,
    opened: &mut Opened,
    primary: StorageType,
) -> Result<Option<Archive>, Failure> {
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
        StorageType::Parquet => opened.parquet(process)?.archive(process, &mut opened.closing).await.map(Some),
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
pub(super) fn metered(
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
