//! Whether a bucket can be reached and written, and keeps its promises.

use super::{Bucket, Versioned};
use bytes::Bytes;
use skua_store::{ErrorKind, StoreError};

impl Bucket {
    /// It can be reached and written. The first time also that it takes a conditional write only when the condition holds: some servers
    /// that speak S3 do not look, and several processes would write over each other there.
    ///
    /// # Errors
    /// `Unavailable` or `Overloaded`; `Unsupported` when conditional writes are not kept.
    pub async fn ready(&self) -> Result<(), StoreError> {
        self.inner.checked.get_or_try_init(|| self.check()).await?;
        self.put("ready", Bytes::from_static(b"Skua can write here.\n")).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        // Of no other process.
        let name = format!("ready-{:016x}", crate::random::number());
        let checked = self.check_with(&name).await;
        self.delete(&name).await?;
        checked
    }

    async fn check_with(&self, name: &str) -> Result<(), StoreError> {
        let write = async |was: Option<&Versioned>| self.replace(name, Bytes::from_static(b"?"), was).await;
        let first = write(None).await?;
        let second = write(first.as_ref()).await?;
        let why = if first.is_none() || second.is_none() {
            "it refuses writes whose condition holds"
        } else if write(None).await?.is_some() {
            "it overwrites an object that was to be written only if absent (If-None-Match: *)"
        } else if write(first.as_ref()).await?.is_some() {
            "it overwrites an object that was to be written only if unchanged (If-Match)"
        } else {
            return Ok(());
        };
        Err(self
            .doing("use", "")
            .error(ErrorKind::Unsupported, format!("{why}: several processes would lose each other's writes")))
    }
}
