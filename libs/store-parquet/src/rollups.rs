//! Roll-ups in a bucket: an object for each kind and interval, `rollups/<kind>/<date>/<start in µs>`, replaced by compare-and-swap.

use crate::bucket::{Bucket, Versioned};
use crate::names::date;
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{StreamExt, TryStreamExt, iter};
use parking_lot::Mutex;
use skua_store::rollups::{INTERVAL, Rollup, RollupKind, RollupStore, Version, intervals};
use skua_store::{ErrorKind, StoreError};
use std::collections::VecDeque;

/// Microseconds.
const DAY: u64 = 86_400_000_000;
/// Days of one reading.
const MOST_DAYS: u64 = 400;
/// Objects read at a time, and days listed at a time.
const TOGETHER: usize = 16;
const DAYS_TOGETHER: usize = 4;
/// Intervals that are read without a look which of them there are.
const FEW: u64 = 16;
/// Objects that were read and may soon be replaced: by what the object store knows them.
const READ: usize = 64;

/// The roll-ups of a bucket.
#[derive(Debug)]
pub struct ParquetRollups {
    bucket: Bucket,
    /// Without their bodies; the oldest first.
    read: Mutex<VecDeque<(String, Versioned)>>,
}

impl ParquetRollups {
    /// Those of a bucket.
    pub fn new(bucket: Bucket) -> Self {
        Self { bucket, read: Mutex::default() }
    }

    /// What is replaced when it is still of this version.
    async fn known(&self, name: &str, version: Version) -> Result<Option<Versioned>, StoreError> {
        let known = self.read.lock().iter().rev().find(|(of, object)| of == name && version_of(object) == version).cloned();
        if let Some((_, object)) = known {
            return Ok(Some(object));
        }
        Ok(self.bucket.versioned(name).await?.filter(|object| version_of(object) == version))
    }

    fn remember(&self, name: String, object: Versioned) {
        let mut read = self.read.lock();
        read.retain(|(of, _)| *of != name);
        if read.len() >= READ {
            read.pop_front();
        }
        read.push_back((name, object.without_body()));
    }

    /// Which of a day's intervals there are, ascending.
    async fn of_day(&self, kind: RollupKind, day: u64, from: u64, until: u64) -> Result<Vec<u64>, StoreError> {
        let listed = self.bucket.list(&folder(kind, day)).await?;
        let starts = listed.iter().filter_map(|object| object.name.rsplit_once('/')?.1.parse().ok());
        Ok(starts.filter(|start| (from..until).contains(start)).collect())
    }
}

fn folder(kind: RollupKind, day: u64) -> String {
    format!("rollups/{}/{}", kind.name(), date(day))
}

fn name(kind: RollupKind, interval: u64) -> String {
    format!("{}/{interval:016}", folder(kind, interval / DAY))
}

fn version_of(object: &Versioned) -> Version {
    Version(object.revision, object.mark)
}

#[async_trait]
impl RollupStore for ParquetRollups {
    async fn rollup(&self, kind: RollupKind, interval: u64) -> Result<Option<Rollup>, StoreError> {
        let name = name(kind, interval);
        let Some(object) = self.bucket.versioned(&name).await? else { return Ok(None) };
        let rollup = Rollup { version: version_of(&object), body: object.body.clone() };
        self.remember(name, object);
        Ok(Some(rollup))
    }

    async fn save_rollup(&self, kind: RollupKind, interval: u64, body: Bytes, was: Option<Version>) -> Result<bool, StoreError> {
        let name = name(kind, interval);
        let was = match was {
            None => None,
            Some(version) => match self.known(&name, version).await? {
                None => return Ok(false),
                known => known,
            },
        };
        let saved = self.bucket.replace(&name, body, was.as_ref()).await?;
        let done = saved.is_some();
        saved.into_iter().for_each(|object| self.remember(name.clone(), object));
        Ok(done)
    }

    /// 400 days at most.
    async fn rollups(&self, kind: RollupKind, from: u64, until: u64) -> Result<Vec<(u64, Bytes)>, StoreError> {
        if until <= from {
            return Ok(Vec::new());
        }
        if until - from > MOST_DAYS * DAY {
            return Err(StoreError::new(ErrorKind::Invalid, format!("read roll-ups: more than {MOST_DAYS} days at once")));
        }
        let starts: Vec<u64> = if until - from <= FEW * INTERVAL {
            intervals(from, until).collect()
        } else {
            let days = iter(from / DAY..=(until - 1) / DAY).map(|day| self.of_day(kind, day, from, until));
            days.buffered(DAYS_TOGETHER).try_concat().await?
        };
        let bodies = iter(starts).map(async |start| {
            let object = self.bucket.versioned(&name(kind, start)).await?;
            // One that was deleted meanwhile is not there.
            Ok::<_, StoreError>(object.map(|object| (start, object.body)))
        });
        let bodies: Vec<Option<(u64, Bytes)>> = bodies.buffered(TOGETHER).try_collect().await?;
        Ok(bodies.into_iter().flatten().collect())
    }

    /// Whole days.
    async fn delete_rollups(&self, before: u64) -> Result<(), StoreError> {
        let end = date(before / DAY);
        for kind in RollupKind::ALL {
            let all = format!("rollups/{}", kind.name());
            for day in self.bucket.folders(&all).await?.into_iter().filter(|day| *day < end) {
                let names: Vec<String> = self.bucket.list(&format!("{all}/{day}")).await?.into_iter().map(|o| o.name).collect();
                self.bucket.delete_all(&names).await?;
                tracing::info!(kind = kind.name(), day, "roll-ups deleted");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::S3Config;
    use crate::bucket::faults::Faults;
    use object_store::memory::InMemory;
    use skua_store::conformance;
    use std::sync::Arc;

    #[tokio::test]
    async fn pass_the_suite() {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("own").display().to_string();
        let shared = format!("file://{}", dir.path().join("shared").display());
        let open = |path: &str| Bucket::open(path, &S3Config::default()).unwrap();
        for bucket in [open(&own), open(&shared), Bucket::over(Arc::new(InMemory::new())).below("archive")] {
            conformance::rollups::run(&ParquetRollups::new(bucket)).await;
        }
    }

    /// Scenario: one write in four fails, half of those after they took effect. Guarantees: savers and creators lose nothing.
    #[tokio::test(start_paused = true)]
    async fn pass_what_may_fail_while_writes_fail() {
        for seed in 0..10 {
            for case in ["savers", "creators"] {
                let store = Faults::of_writes(Arc::new(InMemory::new()), seed, 4);
                conformance::rollups::run_case(case, &ParquetRollups::new(Bucket::over(store))).await;
            }
        }
    }

    /// Scenario: what was read is replaced. Guarantees: two requests; and one that the object store has told nothing of is looked up.
    #[tokio::test]
    async fn a_save_costs_one_request() {
        let bucket = Bucket::over(Arc::new(InMemory::new()));
        let (rollups, other) = (ParquetRollups::new(bucket.clone()), ParquetRollups::new(bucket.clone()));
        assert!(rollups.save_rollup(RollupKind::Red, 0, Bytes::new(), None).await.unwrap());
        let before = bucket.requests();
        let version = rollups.rollup(RollupKind::Red, 0).await.unwrap().map(|rollup| rollup.version);
        assert!(rollups.save_rollup(RollupKind::Red, 0, Bytes::new(), version).await.unwrap());
        assert_eq!(bucket.requests() - before, 2);
        let version = rollups.rollup(RollupKind::Red, 0).await.unwrap().map(|rollup| rollup.version);
        assert!(other.save_rollup(RollupKind::Red, 0, Bytes::new(), version).await.unwrap());
        assert!(!rollups.save_rollup(RollupKind::Red, 0, Bytes::new(), version).await.unwrap());
    }
}
