//! Of a store in Parquet.

use super::message;
use skua_config::{Component, load};
use std::collections::BTreeMap;

/// Scenario: a store in Parquet that cannot work: a place that is none, values without sense, a directory that would be shared, senders that would
/// wait for a block. Guarantees: the message names the flag and what is right.
#[test]
fn what_cannot_work() {
    let env = &[("SPAN_STORAGE_TYPE", "parquet")];
    let bucket = "--parquet.path=s3://spans";
    let waits = "--parquet.path is a bucket, and without a log senders are answered when their spans are in a block: set parquet.wal.path, a \
                 directory of this process alone, or parquet.block-age to 5s or less, or send through Kafka";
    for (component, args, wanted) in [
        (Component::AllInOne, &["--parquet.path="][..], "--parquet.path names no directory or bucket"),
        (
            Component::AllInOne,
            &["--parquet.path=http://spans/x"],
            "--parquet.path wants a directory, s3://bucket/prefix, gs://bucket/prefix, az://container/prefix, file:///directory, \
             not \"http://spans/x\"",
        ),
        (Component::Query, &["--parquet.path=s3:///x"], "--parquet.path wants s3://bucket/prefix, not \"s3:///x\""),
        (Component::Query, &["--parquet.path=file://x"], "--parquet.path wants file:///directory, not \"file://x\""),
        (
            Component::Query,
            &[],
            "parquet.path=skua-data is a directory, which belongs to one process, so a query cannot share it; use \
             s3://bucket/prefix, gs://, az:// or file:///directory, all-in-one, or remote-storage with SPAN_STORAGE_TYPE=grpc here",
        ),
        (Component::Collector, &[bucket], waits),
        (Component::AllInOne, &[bucket, "--parquet.block-age=1m"], waits),
        (
            Component::Query,
            &[bucket, "--parquet.max-bytes=50%"],
            "--parquet.max-bytes wants a number of bytes: a bucket has no size to take a share of",
        ),
        (
            Component::AllInOne,
            &["--parquet.max-bytes=120%"],
            "--parquet.max-bytes wants a number of bytes or a share such as 80%, not \"120%\"",
        ),
        (
            Component::AllInOne,
            &["--parquet.max-bytes=10GB"],
            "--parquet.max-bytes wants a number of bytes or a share such as 80%, not \"10GB\"",
        ),
        (
            Component::AllInOne,
            &["--parquet.block-spans=10"],
            "--parquet.block-spans wants an integer between 1000 and 4000000, not \"10\"",
        ),
        (
            Component::AllInOne,
            &["--parquet.wal.sync=never"],
            "--parquet.wal.sync wants one of batch, interval, off, not \"never\"",
        ),
        (Component::AllInOne, &["--parquet.join.interval=0"], "--parquet.join.interval must be longer than 0"),
        (
            Component::Query,
            &[bucket, "--parquet.s3.endpoint=minio:9000"],
            "--parquet.s3.endpoint wants a URL such as https://minio:9000, not \"minio:9000\"",
        ),
        (
            Component::Ingester,
            &[bucket, "--parquet.s3.access-key=a"],
            "--parquet.s3.access-key needs parquet.s3.secret-key beside it",
        ),
        (
            Component::Ingester,
            &[bucket, "--parquet.s3.secret-key=a"],
            "--parquet.s3.secret-key needs parquet.s3.access-key beside it",
        ),
    ] {
        assert_eq!(message(component, env, args, None), wanted, "{component} {args:?}");
    }
}

/// Scenario: stores in Parquet that work. Guarantees: they start; what changes nothing is a warning.
#[test]
fn what_works() {
    let env = BTreeMap::from([("SPAN_STORAGE_TYPE".to_owned(), "parquet".to_owned())]);
    let none: &[&str] = &[];
    for (component, args, warnings) in [
        (Component::AllInOne, none, none),
        (Component::RemoteStorage, &["--parquet.path=/data"], none),
        (Component::AllInOne, &["--parquet.path=gs://spans", "--parquet.block-age=2s", "--parquet.max-bytes=0"], none),
        (Component::Collector, &["--parquet.path=file:///data/spans", "--parquet.wal.path=/data/log"], none),
        (
            Component::Ingester,
            &["--parquet.path=s3://spans/prod", "--parquet.s3.endpoint=https://a", "--parquet.max-bytes=1000"],
            none,
        ),
        (
            Component::Query,
            &["--parquet.path=az://spans", "--parquet.s3.region=eu"],
            &["--parquet.s3.region has no effect: it needs parquet.path=s3://bucket/prefix"],
        ),
    ] {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let loaded = load(component, &args, &env).unwrap_or_else(|error| panic!("{args:?}: {error}"));
        assert_eq!(loaded.warnings(), warnings, "{args:?}");
    }
}
