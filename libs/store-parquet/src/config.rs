//! The flags under `parquet.`; none of them is Jaeger's.

use serde::Deserialize;
use std::time::Duration;

/// Where spans are kept, how many of them, and for how long.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Config {
    /// A directory, for one process (embedded); or `s3://bucket/prefix`, `gs://…`, `az://…`, `file:///…`, for any number (shared).
    pub path: String,
    /// The log.
    pub wal: WalConfig,
    /// Spans of a block at most.
    pub block_spans: usize,
    /// Bytes of the spans' columns in memory at which a block is cut before it has all its spans.
    pub head_bytes: usize,
    /// Age of the oldest span in memory at which a block is cut; 0: an hour where there is a log, else 30 s.
    pub block_age: Duration,
    /// Blocks whose latest span started longer ago are deleted; 0 keeps all.
    pub retention: Duration,
    /// Bytes of all blocks at most, the oldest are deleted: a number, or `80%` of what they take and what is free beside them on
    /// the disk (embedded only); empty or 0: no bound.
    pub max_bytes: String,
    /// How often a process looks for blocks of others (shared).
    pub poll_interval: Duration,
    /// Bytes of sidecars and pages held in memory.
    pub cache_bytes: usize,
    /// Joining of small blocks.
    pub join: JoinConfig,
    /// Where `s3://` is.
    pub s3: S3Config,
}

/// The log.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct WalConfig {
    /// Its directory; empty: `wal` below the path when that is a directory, else no log.
    pub path: String,
    /// When a write is on the disk.
    pub sync: Sync,
    /// Time between two syncs with `interval`.
    pub sync_interval: Duration,
}

/// When a write is on the disk, and so when it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sync {
    /// Before it is answered; one sync serves all that wait. Nothing that was acknowledged is lost with the machine.
    Batch,
    /// At intervals: what was acknowledged since the last is lost with the machine, but not with the process.
    Interval,
    /// When the system likes.
    Off,
}

/// Joining of small blocks.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct JoinConfig {
    /// Off: blocks stay as they were cut.
    pub enabled: bool,
    /// Time between two looks for blocks to join or to delete.
    pub interval: Duration,
    /// Bytes read a second at most; 0: no bound.
    pub rate: u64,
}

/// Where `s3://` is. What is empty is looked for where Amazon's own tools look: `AWS_…` variables, a web identity, the machine's role.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct S3Config {
    /// `https://host:port` of a server that is not Amazon's; `http://` is taken too.
    pub endpoint: String,
    /// `us-east-1` when nothing names one.
    pub region: String,
    /// With [`S3Config::secret_key`].
    pub access_key: String,
    /// With [`S3Config::access_key`].
    pub secret_key: String,
    /// `https://bucket.host/key` instead of `https://host/bucket/key`.
    pub virtual_hosts: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            path: "skua-data".to_owned(),
            wal: WalConfig::default(),
            block_spans: 250_000,
            head_bytes: 96 << 20,
            block_age: Duration::ZERO,
            retention: Duration::from_secs(7 * 24 * 3600),
            max_bytes: "80%".to_owned(),
            poll_interval: Duration::from_secs(5),
            cache_bytes: 64 << 20,
            join: JoinConfig::default(),
            s3: S3Config::default(),
        }
    }
}

impl Default for WalConfig {
    fn default() -> Self {
        Self { path: String::new(), sync: Sync::Batch, sync_interval: Duration::from_millis(100) }
    }
}

impl Default for JoinConfig {
    fn default() -> Self {
        Self { enabled: true, interval: Duration::from_secs(60), rate: 8 << 20 }
    }
}
