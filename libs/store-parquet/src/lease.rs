//! Leases in a bucket: an object each, replaced by compare-and-swap.

use crate::bucket::{Bucket, Versioned};
use crate::names::escaped;
use crate::random::jittered;
use async_trait::async_trait;
use bytes::Bytes;
use prost::Message as _;
use skua_store::sampling::Lease;
use skua_store::{ErrorKind, StoreError};
use std::time::Duration;

/// How often another may be faster.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(20);

/// The leases of a bucket: `leases/<resource>`. They compare the owners' clocks.
#[derive(Debug, Clone)]
pub struct Leases {
    bucket: Bucket,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Held {
    /// Empty: nobody.
    #[prost(string, tag = "1")]
    owner: String,
    /// Microseconds since 1970.
    #[prost(uint64, tag = "2")]
    expires: u64,
}

impl Leases {
    /// Those of a bucket.
    pub fn new(bucket: Bucket) -> Self {
        Self { bucket }
    }

    /// Replaces a lease by what `change` makes of it; false when that is `None`.
    async fn change(&self, resource: &str, change: impl Fn(Held) -> Option<Held> + Send) -> Result<bool, StoreError> {
        let name = format!("leases/{}", escaped(resource));
        for again in 0..TRIES {
            let was = self.bucket.versioned(&name).await?;
            let Some(held) = change(was.as_ref().map(held).unwrap_or_default()) else { return Ok(false) };
            if self.bucket.replace(&name, Bytes::from(held.encode_to_vec()), was.as_ref()).await?.is_some() {
                return Ok(true);
            }
            tokio::time::sleep(jittered(PAUSE * (again + 1))).await;
        }
        Err(StoreError::new(ErrorKind::Unavailable, format!("take the lease {resource}: {TRIES} times another was faster")))
    }
}

/// One that cannot be read is nobody's, as no owner could keep it.
fn held(object: &Versioned) -> Held {
    Held::decode(object.body.clone()).unwrap_or_default()
}

#[async_trait]
impl Lease for Leases {
    async fn acquire(&self, resource: &str, owner: &str, ttl: Duration, now: u64) -> Result<bool, StoreError> {
        let ttl = u64::try_from(ttl.as_micros()).unwrap_or(u64::MAX);
        let acquired = |held: Held| {
            let free = held.owner.is_empty() || held.owner == owner || now >= held.expires;
            free.then(|| Held { owner: owner.to_owned(), expires: now.saturating_add(ttl) })
        };
        self.change(resource, acquired).await
    }

    async fn forfeit(&self, resource: &str, owner: &str) -> Result<bool, StoreError> {
        self.change(resource, |held| (held.owner == owner).then(Held::default)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::memory::InMemory;
    use std::sync::Arc;

    /// Scenario: a lease of this name was damaged. Guarantees: somebody can take it, and then has it.
    #[tokio::test]
    async fn a_damaged_lease_is_free() {
        let bucket = Bucket::over(Arc::new(InMemory::new()));
        let leases = Leases::new(bucket.clone());
        bucket.replace("leases/a=2fb", Bytes::from_static(b"\xff\xff\xff"), None).await.unwrap().unwrap();
        let second = Duration::from_secs(1);
        assert!(leases.acquire("a/b", "one", second, 5).await.unwrap());
        assert!(!leases.acquire("a/b", "two", second, 6).await.unwrap());
        assert_eq!(bucket.list("leases").await.unwrap().len(), 1);
    }
}
