//! Flags of the store in Parquet; none of them is Jaeger's. Their section is `skua_store_parquet::Config`.

use super::Table;
use crate::component::Component;
use crate::component::Component::{
    AllInOne, Collector, Ingester, ParquetExport, ParquetInspect, ParquetVerify, Query, RemoteStorage, RollupRebuild,
};
use crate::flag::Flag;
use crate::kind::Kind;
use crate::storage::StorageType::Parquet;

/// A size in bytes from a mebibyte to a tebibyte.
const BYTES: Kind = Kind::Int { min: 1 << 20, max: 1 << 40 };

/// Where it is: all that the commands that look into it need.
pub(super) fn place() -> Table {
    let tiers =
        &[Collector, Ingester, Query, AllInOne, RemoteStorage, RollupRebuild, ParquetInspect, ParquetVerify, ParquetExport];
    let mut flags = vec![path()];
    flags.extend(bucket());
    Table { title: "parquet", tiers, storages: &[Parquet], flags }
}

/// What is kept there, and how it gets there.
pub(super) fn parquet() -> Table {
    let mut flags = bounds();
    flags.extend(blocks());
    flags.extend(log());
    Table { title: "parquet (blocks and log)", tiers: Component::WITH_STORAGE, storages: &[Parquet], flags }
}

/// Of `skua parquet inspect` alone.
pub(super) fn inspect() -> Table {
    let flags = vec![Flag::new(
        "block",
        Kind::String,
        "",
        "block that is described, by its id or the beginning of it; empty = all in short",
    )];
    Table { title: "parquet inspect", tiers: &[ParquetInspect], storages: &[], flags }
}

/// Of `skua parquet export` alone.
pub(super) fn export() -> Table {
    let flags = vec![
        Flag::new("service", Kind::String, "", "service whose spans are printed; empty = all"),
        Flag::new("trace", Kind::String, "", "id of the trace whose spans are printed, in hexadecimal; empty = all"),
        Flag::new(
            "format",
            Kind::Choice(&["json", "proto"]),
            "json",
            "json = a line for each message, TracesData in OTLP's JSON; proto = its length, 4 bytes, big-endian, and the message in protobuf, as the \
             OpenTelemetry collector's file exporter writes them",
        ),
    ];
    Table { title: "parquet export", tiers: &[ParquetExport], storages: &[], flags }
}

fn path() -> Flag {
    Flag::new(
        "parquet.path",
        Kind::String,
        "skua-data",
        "where spans are kept: a directory, which belongs to one all-in-one or remote-storage (embedded), or s3://bucket/prefix, \
             gs://bucket/prefix, az://container/prefix or file:///directory, for any number of processes (shared)",
    )
}

/// How much and for how long.
fn bounds() -> Vec<Flag> {
    vec![
        Flag::new(
            "parquet.retention",
            Kind::Duration,
            "168h",
            "blocks whose latest span started longer ago are deleted; 0 = never; archived traces stay",
        ),
        Flag::new(
            "parquet.max-bytes",
            Kind::String,
            "80%",
            "bytes of all blocks, the oldest are deleted: a number, or (embedded) a share such as 80% of what they take and what is \
             free beside them on the disk; empty or 0 = no limit; a share that is not set is no limit in a shared bucket",
        ),
    ]
}

/// What is held in memory, and when it becomes a block.
fn blocks() -> Vec<Flag> {
    vec![
        Flag::new("parquet.block-spans", Kind::Int { min: 1000, max: 4_000_000 }, "250000", "spans in a block"),
        Flag::new(
            "parquet.head-bytes",
            BYTES,
            "100663296",
            "bytes of spans in memory at which a block is written before it has all its spans",
        ),
        Flag::new(
            "parquet.block-age",
            Kind::Duration,
            "0s",
            "age of the oldest span in memory at which a block is written; others see spans of a shared bucket then; 0 = 1h with a \
             log, else 30s",
        ),
        Flag::new(
            "parquet.poll-interval",
            Kind::Duration,
            "5s",
            "how often a process looks for blocks that others have written (shared)",
        ),
        Flag::new(
            "parquet.cache-bytes",
            BYTES,
            "67108864",
            "bytes of what was read of blocks that are held in memory for searches",
        ),
        Flag::new(
            "parquet.join.enabled",
            Kind::Bool,
            "true",
            "join small blocks; of all processes on a bucket one at a time does",
        ),
        Flag::new("parquet.join.interval", Kind::Duration, "1m", "time between two looks for blocks to join or to delete"),
        Flag::new("parquet.join.rate", Kind::COUNT, "8388608", "bytes that joining reads in a second; 0 = no limit"),
    ]
}

/// What a process writes before it answers.
fn log() -> Vec<Flag> {
    vec![
        Flag::new(
            "parquet.wal.path",
            Kind::String,
            "",
            "directory of the log of what is not yet in a block, on a disk of this process alone; empty = wal below a directory \
             (embedded), or no log (shared): then spans are acknowledged when their block is in the bucket",
        ),
        Flag::new(
            "parquet.wal.sync",
            Kind::Choice(&["batch", "interval", "off"]),
            "batch",
            "when a write is on the disk: batch = before it is acknowledged; interval = every parquet.wal.sync-interval; off = \
             when the system likes",
        ),
        Flag::new(
            "parquet.wal.sync-interval",
            Kind::Duration,
            "100ms",
            "what is acknowledged and can be lost with the machine, at most, with parquet.wal.sync=interval",
        ),
    ]
}

/// Where s3:// is. The others have variables of their own for credentials.
fn bucket() -> Vec<Flag> {
    vec![
        Flag::new(
            "parquet.s3.endpoint",
            Kind::String,
            "",
            "URL of a server of s3:// other than Amazon's, such as https://minio:9000; empty = Amazon's",
        ),
        Flag::new("parquet.s3.region", Kind::String, "", "region of s3://; empty = AWS_REGION, else us-east-1"),
        Flag::new(
            "parquet.s3.access-key",
            Kind::String,
            "",
            "key id of s3://; empty = AWS_ACCESS_KEY_ID, a web identity or the machine's role",
        ),
        Flag::new("parquet.s3.secret-key", Kind::String, "", "secret of parquet.s3.access-key").secret(),
        Flag::new(
            "parquet.s3.virtual-hosts",
            Kind::Bool,
            "false",
            "ask https://bucket.host/key instead of https://host/bucket/key",
        ),
    ]
}
