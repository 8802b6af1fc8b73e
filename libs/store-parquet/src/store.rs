//! The store: what comes in goes to the log and the head, heads become blocks, and questions are asked of all of them.

mod cut;
mod gather;
mod intake;
mod join;
mod maintain;
mod metrics;
mod read;
mod search;

use crate::block::{Block, Pages};
use crate::bucket::Bucket;
use crate::config::Config;
use crate::log::{self, Log, Replay};
use crate::manifest::Manifests;
use crate::search::Names;
use crate::sidecar::Filter;
use intake::State;
use metrics::StoreMetrics;
use parking_lot::{Mutex, RwLock};
use prometheus_client::registry::Registry;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use skua_store::{ErrorKind, StoreError};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;
use tokio::sync::{Mutex as AsyncMutex, Notify};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What a store is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Spans as they come; retired by age and by bytes.
    Primary,
    /// Traces that somebody wants kept.
    Archive,
}

/// Age at which a block is cut when nothing is set: with a log, and without.
const AGE_WITH_LOG: Duration = Duration::from_secs(3600);
const AGE_WITHOUT: Duration = Duration::from_secs(30);

/// Tries to read the manifest at start, and the pause between them.
const TRIES: u32 = 60;
const PAUSE: Duration = Duration::from_secs(1);

/// Times that a reader looks anew when a block is gone.
const CHASES: u32 = 5;
/// Reasons that a partial answer tells at most.
const MOST_REASONS: usize = 10;

/// Spans in Parquet: writes and reads them.
pub struct ParquetStore {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    config: Config,
    role: Role,
    bucket: Bucket,
    manifests: Manifests,
    log: Option<Log>,
    state: RwLock<State>,
    /// Something to cut may be there.
    wake: Notify,
    /// There may be room again, or a block more.
    room: Notify,
    blocks: Cache<String, Arc<Block>, Size>,
    pages: Arc<Pages>,
    /// Of blocks that were open once, whether they have a trace.
    filters: RwLock<HashMap<String, Filter>>,
    /// Blocks that are being written by this process, which no manifest names yet.
    writing: Mutex<HashSet<String>>,
    /// Blocks that could not be joined.
    unreadable: Mutex<HashSet<String>>,
    names: Mutex<Names>,
    /// One reads the names of blocks at a time.
    naming: AsyncMutex<()>,
    /// Head and join never take their memory at the same time.
    cutting: AsyncMutex<()>,
    /// This process has written: it takes part in joining and retention.
    writes: AtomicBool,
    /// When others' blocks were looked for last, milliseconds since 1970.
    refreshed: AtomicU64,
    /// When the store was opened, milliseconds since 1970.
    opened_ms: u64,
    metrics: StoreMetrics,
    stop: CancellationToken,
    tasks: TaskTracker,
}

#[derive(Clone)]
struct Size;

impl Weighter<String, Arc<Block>> for Size {
    fn weight(&self, id: &String, block: &Arc<Block>) -> u64 {
        (256 + id.len() + block.size()) as u64
    }
}

/// Where the log is, if there is one.
fn log_directory(config: &Config, bucket: &Bucket, role: Role) -> Option<PathBuf> {
    if config.wal.path.is_empty() {
        return Some(bucket.directory()?.join("wal"));
    }
    let path = PathBuf::from(&config.wal.path);
    Some(if role == Role::Archive { path.join("archive") } else { path })
}

impl ParquetStore {
    /// Opens the store in a bucket, and reads the log again: what was acknowledged before the process ended is there when this
    /// returns. Registers the metrics of a primary store.
    ///
    /// # Errors
    /// When the log or the manifest cannot be read. An object store need not be reachable when there is no log: see
    /// [`Bucket::ready`].
    pub async fn open(config: Config, bucket: Bucket, role: Role, registry: &mut Registry) -> Result<Arc<Self>, StoreError> {
        let options = log::Options::new(config.wal.sync, config.wal.sync_interval);
        let source = log_directory(&config, &bucket, role).map(|path| LogSource { files: directory_of(path), options });
        Self::open_with(config, bucket, role, registry, source).await
    }

    /// As [`ParquetStore::open`], with a log that lies anywhere.
    pub(crate) async fn open_with(
        config: Config,
        bucket: Bucket,
        role: Role,
        registry: &mut Registry,
        source: Option<LogSource>,
    ) -> Result<Arc<Self>, StoreError> {
        let manifests = Manifests::new(bucket.clone());
        read_manifest(&manifests, source.is_some()).await?;
        let (log, replay) = match source {
            None => (None, None),
            Some(source) => {
                let (log, replay) = open_log(source, &manifests).await?;
                (Some(log), Some(replay))
            }
        };
        let metrics = match role {
            Role::Primary => StoreMetrics::new(registry),
            Role::Archive => StoreMetrics::new(&mut Registry::default()),
        };
        // An archive is seldom read.
        let cache = if role == Role::Archive { config.cache_bytes / 8 } else { config.cache_bytes };
        let half = (cache / 2).max(1 << 20);
        let inner = Arc::new(Inner {
            state: RwLock::new(State::new(replay.is_some())),
            wake: Notify::new(),
            room: Notify::new(),
            blocks: Cache::with_weighter(crate::block::FEW, half as u64, Size),
            pages: Pages::new(half),
            filters: RwLock::default(),
            writing: Mutex::default(),
            unreadable: Mutex::default(),
            names: Mutex::default(),
            naming: AsyncMutex::default(),
            cutting: AsyncMutex::default(),
            writes: AtomicBool::new(false),
            refreshed: AtomicU64::new(0),
            opened_ms: now_ms(),
            metrics,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            config,
            role,
            bucket,
            manifests,
            log,
        });
        inner.tasks.spawn(inner.clone().cut_blocks());
        // From here on the tasks end with it.
        let store = Arc::new(Self { inner: inner.clone() });
        if let Some(replay) = replay {
            inner.replay(replay).await?;
        }
        inner.tasks.spawn(inner.clone().maintain());
        inner.show();
        Ok(store)
    }
}

/// Where a log lies, and how it is kept.
pub(crate) struct LogSource {
    /// Called once, where it may block.
    pub files: Box<dyn FnOnce() -> Result<Arc<dyn log::Files>, StoreError> + Send>,
    pub options: log::Options,
}

fn directory_of(path: PathBuf) -> Box<dyn FnOnce() -> Result<Arc<dyn log::Files>, StoreError> + Send> {
    let unusable = |path: &PathBuf, e| {
        let text = format!("failed to open the log's directory {}", path.display());
        StoreError::new(ErrorKind::Unavailable, text).caused_by(e)
    };
    Box::new(move || Ok(Arc::new(log::Dir::open(&path).map_err(|e| unusable(&path, e))?)))
}

/// Reads the manifest. A log cannot be read without it, so that it is tried again for a minute; else it may come later.
async fn read_manifest(manifests: &Manifests, needed: bool) -> Result<(), StoreError> {
    let mut tries = 0;
    while let Err(e) = manifests.refresh().await {
        tries += 1;
        if tries == TRIES || !e.is_retryable() {
            return Err(e);
        }
        if !needed {
            tracing::warn!(error = %e, "the manifest cannot be read yet");
            return Ok(());
        }
        tracing::warn!(error = %e, "the manifest cannot be read, and the log not without it; trying again");
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// Opens the log behind the segments that the manifest says are in blocks.
async fn open_log(source: LogSource, manifests: &Manifests) -> Result<(Log, Replay), StoreError> {
    let manifest = manifests.current();
    let open = move || {
        let files = (source.files)()?;
        let done = manifest.logs.get(&log::writer_id(&*files)?).copied().unwrap_or(0);
        Log::open(files, source.options, done)
    };
    tokio::task::spawn_blocking(open).await.map_err(panicked)?
}

/// A reader that looked anew too often.
fn chased() -> StoreError {
    StoreError::new(ErrorKind::Unavailable, "read spans: blocks are joined faster than they can be read")
}

/// A thread of ours that ended by itself.
fn panicked(e: tokio::task::JoinError) -> StoreError {
    StoreError::new(ErrorKind::Internal, "a task of the Parquet store ended by itself").caused_by(e)
}

/// Milliseconds since 1970.
fn now_ms() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |d| d.as_millis() as u64)
}

#[cfg(test)]
mod tests;
