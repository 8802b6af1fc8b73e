//! What adaptive sampling keeps, in a bucket: an object for each insertion of throughput, which goes after a day, and one with the latest
//! probabilities. Rates are not kept: nobody reads them.

use crate::bucket::{Bucket, Versioned};
use crate::lease::Leases;
use crate::random;
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{StreamExt, TryStreamExt, iter};
use parking_lot::Mutex;
use prost::Message;
use skua_store::sampling::{ByOperation, Lease, SamplingStore, Throughput};
use skua_store::{ErrorKind, StoreError};
use std::time::Duration;

const THROUGHPUT: &str = "sampling/throughput";
const PROBABILITIES: &str = "sampling/probabilities";
/// Microseconds: for how long insertions are kept, and how often a process looks for older ones.
const KEPT: u64 = 86_400_000_000;
const CLEANED: u64 = 3_600_000_000;
/// Times have 16 digits in names: until the year 2286.
const LATEST: u64 = 9_999_999_999_999_999;
/// Objects read at a time.
const TOGETHER: usize = 16;
/// How often another may be faster.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(20);

/// Adaptive sampling's part of a bucket, and its leases.
#[derive(Debug)]
pub struct ParquetSampling {
    bucket: Bucket,
    leases: Leases,
    /// When older insertions were last looked for, microseconds since 1970.
    cleaned: Mutex<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Insertion {
    #[prost(message, repeated, tag = "1")]
    items: Vec<Item>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Item {
    #[prost(string, tag = "1")]
    service: String,
    #[prost(string, tag = "2")]
    operation: String,
    #[prost(uint64, tag = "3")]
    count: u64,
    #[prost(string, repeated, tag = "4")]
    probabilities: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Latest {
    /// Microseconds since 1970.
    #[prost(uint64, tag = "1")]
    at: u64,
    #[prost(message, repeated, tag = "2")]
    items: Vec<Probability>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Probability {
    #[prost(string, tag = "1")]
    service: String,
    #[prost(string, tag = "2")]
    operation: String,
    #[prost(double, tag = "3")]
    value: f64,
}

impl ParquetSampling {
    /// That of a bucket.
    pub fn new(bucket: Bucket) -> Self {
        Self { leases: Leases::new(bucket.clone()), bucket, cleaned: Mutex::default() }
    }

    async fn read<M: Message + Default>(&self, name: &str) -> Result<Option<M>, StoreError> {
        let Some(body) = self.bucket.get(name).await? else { return Ok(None) };
        M::decode(body).map(Some).map_err(|e| damaged(name, &e))
    }

    /// Deletes old insertions once an hour. What fails is tried again an hour later.
    async fn clean(&self, now: u64) {
        {
            let mut cleaned = self.cleaned.lock();
            if now < cleaned.saturating_add(CLEANED) {
                return;
            }
            *cleaned = now;
        }
        let deleted = async {
            let old = self.bucket.list_between(THROUGHPUT, "", &after(now.saturating_sub(KEPT))).await?;
            let names: Vec<String> = old.into_iter().map(|object| object.name).collect();
            self.bucket.delete_all(&names).await
        };
        if let Err(error) = deleted.await {
            tracing::warn!(%error, "failed to delete old throughput of adaptive sampling");
        }
    }
}

/// A name below [`THROUGHPUT`] that is greater than those of this time, and smaller than those of any later.
fn after(time: u64) -> String {
    // Names go on with hexadecimal digits.
    format!("{:016}-g", time.min(LATEST))
}

fn damaged(name: &str, e: &dyn std::fmt::Display) -> StoreError {
    StoreError::new(ErrorKind::Internal, format!("read {name}: {e}"))
}

fn probabilities(object: &Versioned) -> Result<Latest, StoreError> {
    Latest::decode(object.body.clone()).map_err(|e| damaged(PROBABILITIES, &e))
}

#[async_trait]
impl SamplingStore for ParquetSampling {
    async fn insert_throughput(&self, at: u64, throughput: &[Throughput]) -> Result<(), StoreError> {
        if throughput.is_empty() {
            return Ok(());
        }
        let item = |one: &Throughput| Item {
            service: one.service.clone(),
            operation: one.operation.clone(),
            count: one.count,
            probabilities: one.probabilities.iter().cloned().collect(),
        };
        let insertion = Insertion { items: throughput.iter().map(item).collect() };
        let name = format!("{THROUGHPUT}/{:016}-{:016x}", at.min(LATEST), random::number());
        self.bucket.put(&name, insertion.encode_to_vec().into()).await?;
        self.clean(at).await;
        Ok(())
    }

    async fn throughput(&self, from: u64, until: u64) -> Result<Vec<Throughput>, StoreError> {
        if until <= from {
            return Ok(Vec::new());
        }
        let listed = self.bucket.list_between(THROUGHPUT, &after(from), &after(until)).await?;
        let read = iter(listed).map(async |object| self.read::<Insertion>(&object.name).await);
        let read: Vec<Option<Insertion>> = read.buffered(TOGETHER).try_collect().await?;
        let items = read.into_iter().flatten().flat_map(|insertion| insertion.items);
        let throughput = |item: Item| Throughput {
            service: item.service,
            operation: item.operation,
            count: item.count,
            probabilities: item.probabilities.into_iter().collect(),
        };
        Ok(items.map(throughput).collect())
    }

    async fn insert_probabilities_and_qps(
        &self,
        at: u64,
        _host: &str,
        probabilities_of: &ByOperation,
        _qps: &ByOperation,
    ) -> Result<(), StoreError> {
        let items = probabilities_of.iter().flat_map(|(service, operations)| {
            let one = |(operation, value): (&String, &f64)| Probability {
                service: service.clone(),
                operation: operation.clone(),
                value: *value,
            };
            operations.iter().map(one)
        });
        let body = Bytes::from(Latest { at, items: items.collect() }.encode_to_vec());
        for again in 0..TRIES {
            let was = self.bucket.versioned(PROBABILITIES).await?;
            // Those that cannot be read are worth nothing.
            if was.as_ref().and_then(|was| probabilities(was).ok()).is_some_and(|latest| latest.at > at) {
                return Ok(());
            }
            if self.bucket.replace(PROBABILITIES, body.clone(), was.as_ref()).await?.is_some() {
                return Ok(());
            }
            tokio::time::sleep(random::jittered(PAUSE * (again + 1))).await;
        }
        let why = format!("replace {PROBABILITIES}: {TRIES} times another was faster");
        Err(StoreError::new(ErrorKind::Unavailable, why))
    }

    async fn latest_probabilities(&self) -> Result<ByOperation, StoreError> {
        let Some(object) = self.bucket.versioned(PROBABILITIES).await? else { return Ok(ByOperation::new()) };
        let mut all = ByOperation::new();
        for item in probabilities(&object)?.items {
            all.entry(item.service).or_default().insert(item.operation, item.value);
        }
        Ok(all)
    }
}

#[async_trait]
impl Lease for ParquetSampling {
    async fn acquire(&self, resource: &str, owner: &str, ttl: Duration, now: u64) -> Result<bool, StoreError> {
        self.leases.acquire(resource, owner, ttl, now).await
    }

    async fn forfeit(&self, resource: &str, owner: &str) -> Result<bool, StoreError> {
        self.leases.forfeit(resource, owner).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::S3Config;
    use object_store::memory::InMemory;
    use skua_store::conformance;
    use std::sync::Arc;

    #[tokio::test]
    async fn passes_the_suite() {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("own").display().to_string();
        let shared = format!("file://{}", dir.path().join("shared").display());
        let open = |path: &str| Bucket::open(path, &S3Config::default()).unwrap();
        for bucket in [open(&own), open(&shared), Bucket::over(Arc::new(InMemory::new())).below("archive")] {
            let store = ParquetSampling::new(bucket);
            conformance::sampling::run(&store, &store, &|| Box::pin(async {})).await;
        }
    }

    /// Scenario: a collector inserts for two days. Guarantees: what is older than a day goes, what is younger stays, within an hour.
    #[tokio::test]
    async fn old_throughput_goes() {
        let bucket = Bucket::over(Arc::new(InMemory::new()));
        let store = ParquetSampling::new(bucket.clone());
        let begin = 1_764_000_000_000_000;
        for minute in 0..2 * 24 * 60 {
            let one = Throughput { service: "s".to_owned(), operation: "o".to_owned(), count: minute, ..Throughput::default() };
            store.insert_throughput(begin + minute * 60_000_000, &[one]).await.unwrap();
        }
        let kept = bucket.list(THROUGHPUT).await.unwrap().len();
        assert!((24 * 60..=25 * 60).contains(&kept), "{kept}");
        let last = begin + 2 * KEPT;
        assert_eq!(store.throughput(last - KEPT, last).await.unwrap().len(), 24 * 60 - 1);
    }
}
