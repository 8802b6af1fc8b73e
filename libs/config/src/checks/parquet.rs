//! Values of the store in Parquet that cannot work.

use super::sentence;
use crate::component::Component::{AllInOne, Collector, Ingester, Query, RemoteStorage};
use crate::loaded::Loaded;
use crate::source::Origin;
use crate::storage::StorageType;
use crate::tables::catalog;
use std::time::Duration;

/// Buckets, by the start of their URL, and what follows it.
const SCHEMES: [(&str, &str); 4] =
    [("s3", "s3://bucket/prefix"), ("gs", "gs://bucket/prefix"), ("az", "az://container/prefix"), ("file", "file:///directory")];
/// How long senders wait, who are answered when a block is in the bucket: OpenTelemetry's exporters give up after 10 s.
const PATIENCE: Duration = Duration::from_secs(5);

/// What stops a start.
pub(super) fn contradictions(loaded: &Loaded, problems: &mut Vec<String>) {
    let path = loaded.get_string("parquet.path");
    let mut wrong = |flag: &str, rest: String| problems.push(sentence(loaded, flag, &rest));
    match scheme(&path) {
        None if path.trim().is_empty() => wrong("parquet.path", " names no directory or bucket".to_owned()),
        None => embedded(loaded, &path, &mut wrong),
        Some((scheme, rest)) => match SCHEMES.iter().find(|(known, _)| *known == scheme) {
            Some((_, form)) if !names_a_place(scheme, rest) => wrong("parquet.path", format!(" wants {form}, not {path:?}")),
            Some(_) => shared(loaded, &mut wrong),
            None => {
                let known = SCHEMES.map(|(_, form)| form).join(", ");
                wrong("parquet.path", format!(" wants a directory, {known}, not {path:?}"));
            }
        },
    }
    let most = loaded.get_string("parquet.max-bytes");
    let (number, share) = most.strip_suffix('%').map_or((most.as_str(), false), |number| (number, true));
    let fits = match number.trim().parse::<u64>() {
        Ok(percent) if share => (1..=100).contains(&percent),
        Ok(_) => true,
        Err(_) => most.trim().is_empty(),
    };
    if !fits {
        wrong("parquet.max-bytes", format!(" wants a number of bytes or a share such as 80%, not {most:?}"));
    }
    for flag in ["parquet.poll-interval", "parquet.join.interval", "parquet.wal.sync-interval"] {
        if loaded.get_duration(flag).is_zero() {
            wrong(flag, " must be longer than 0".to_owned());
        }
    }
    let endpoint = loaded.get_string("parquet.s3.endpoint");
    if !endpoint.is_empty() && !endpoint.starts_with("http://") && !endpoint.starts_with("https://") {
        wrong("parquet.s3.endpoint", format!(" wants a URL such as https://minio:9000, not {endpoint:?}"));
    }
    for (one, other) in [("access-key", "secret-key"), ("secret-key", "access-key")] {
        let (one, other) = (format!("parquet.s3.{one}"), format!("parquet.s3.{other}"));
        if !loaded.get_string(&one).is_empty() && loaded.get_string(&other).is_empty() {
            wrong(&one, format!(" needs {other} beside it"));
        }
    }
}

/// What changes nothing although it is set.
pub(crate) fn idle_parquet(loaded: &Loaded) -> Vec<String> {
    let active = catalog().find("parquet.path").is_some_and(|(table, _)| table.is_active(loaded.component, &loaded.storage));
    let path = loaded.get_string("parquet.path");
    if !active || path.starts_with("s3://") {
        return Vec::new();
    }
    let set = catalog()
        .flags()
        .filter(|flag| flag.name.starts_with("parquet.s3.") && loaded.typed(flag) != flag.typed_default(loaded.component));
    set.map(|flag| loaded.origin(flag).sentence(&flag.name, " has no effect: it needs parquet.path=s3://bucket/prefix")).collect()
}

/// `s3` and `bucket/prefix` of `s3://bucket/prefix`; `None` for a directory.
fn scheme(path: &str) -> Option<(&str, &str)> {
    path.split_once("://")
}

fn names_a_place(scheme: &str, rest: &str) -> bool {
    match scheme {
        "file" => rest.len() > 1 && rest.starts_with('/'),
        _ => rest.split('/').next().is_some_and(|bucket| !bucket.trim().is_empty()),
    }
}

/// A directory: what one process holds in memory and in its log no other can see.
fn embedded(loaded: &Loaded, path: &str, wrong: &mut impl FnMut(&str, String)) {
    let component = loaded.component;
    if matches!(component, Collector | Ingester | Query) {
        wrong(
            "parquet.path",
            format!(
                "={path} is a directory, which belongs to one process, so a {component} cannot share it; use s3://bucket/prefix, \
                 gs://, az:// or file:///directory, all-in-one, or remote-storage with SPAN_STORAGE_TYPE=grpc here"
            ),
        );
    }
}

/// A bucket: who answers senders must not let them wait for a block.
fn shared(loaded: &Loaded, wrong: &mut impl FnMut(&str, String)) {
    let age = loaded.get_duration("parquet.block-age");
    let waits = loaded.get_string("parquet.wal.path").is_empty() && (age.is_zero() || age > PATIENCE);
    let writes = loaded.storage.span.contains(&StorageType::Parquet);
    if waits && writes && matches!(loaded.component, Collector | AllInOne | RemoteStorage) {
        wrong(
            "parquet.path",
            " is a bucket, and without a log senders are answered when their spans are in a block: set parquet.wal.path, a \
             directory of this process alone, or parquet.block-age to 5s or less, or send through Kafka"
                .to_owned(),
        );
    }
    let share = loaded.get_string("parquet.max-bytes").ends_with('%');
    if share && loaded.origin_of("parquet.max-bytes") != Some(Origin::Default) {
        wrong("parquet.max-bytes", " wants a number of bytes: a bucket has no size to take a share of".to_owned());
    }
}
