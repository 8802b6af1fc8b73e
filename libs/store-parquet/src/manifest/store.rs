//! The manifest of a bucket, and its copy in memory.

use super::Manifest;
use crate::Bucket;
use crate::bucket::Versioned;
use crate::random::jittered;
use parking_lot::Mutex;
use skua_store::{ErrorKind, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const NAME: &str = "manifest";
/// How long a change is tried.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The manifest of a bucket, as it was last seen.
#[derive(Debug)]
pub struct Manifests {
    bucket: Bucket,
    seen: Mutex<Seen>,
    /// Changes of this process wait for each other here and not at the object store.
    changing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone)]
struct Seen {
    /// As it lies there, without its body; `None`: there is none yet.
    object: Option<Versioned>,
    manifest: Arc<Manifest>,
}

impl Seen {
    fn revision(&self) -> u64 {
        self.object.as_ref().map_or(0, |object| object.revision)
    }
}

impl Manifests {
    /// Nothing is read before the first [`Manifests::refresh`].
    pub fn new(bucket: Bucket) -> Self {
        let seen = Seen { object: None, manifest: Arc::default() };
        Self { bucket, seen: Mutex::new(seen), changing: tokio::sync::Mutex::new(()) }
    }

    /// Reads the manifest; a bucket that has none is empty.
    ///
    /// # Errors
    /// `Internal` when it is damaged, `Unavailable` or `Overloaded`.
    pub async fn open(bucket: Bucket) -> Result<Self, StoreError> {
        let manifests = Self::new(bucket);
        manifests.refresh().await?;
        Ok(manifests)
    }

    /// As it was last seen.
    pub fn current(&self) -> Arc<Manifest> {
        self.seen.lock().manifest.clone()
    }

    /// Whether there is one: somebody has written blocks.
    pub fn exists(&self) -> bool {
        self.seen.lock().object.is_some()
    }

    /// Looks for a newer one: true when there was one. Costs a request without a body when there is none.
    ///
    /// # Errors
    /// As [`Manifests::open`]; also when it was there and is not there any more.
    pub async fn refresh(&self) -> Result<bool, StoreError> {
        let known = self.seen.lock().object.clone();
        let newer = match &known {
            None => self.bucket.versioned(NAME).await?,
            Some(known) => match self.bucket.changed(NAME, known).await {
                Err(e) if e.kind == ErrorKind::NotFound => return Err(StoreError { kind: ErrorKind::Unavailable, ..e }),
                newer => newer?,
            },
        };
        let Some(newer) = newer else { return Ok(false) };
        if known.as_ref().is_some_and(|known| newer.revision <= known.revision) {
            let known = known.map_or(0, |known| known.revision);
            let why =
                format!("read the manifest: it went from revision {known} to {}: somebody else wrote it anew", newer.revision);
            return Err(StoreError::new(ErrorKind::Unavailable, why));
        }
        let unreadable = |e| StoreError::new(ErrorKind::Internal, format!("read the manifest, revision {}: {e}", newer.revision));
        let manifest = Manifest::decode_file(&newer.body).map_err(unreadable)?;
        Ok(self.see(newer, Arc::new(manifest)))
    }

    /// Never goes back to an older one.
    fn see(&self, object: Versioned, manifest: Arc<Manifest>) -> bool {
        let mut seen = self.seen.lock();
        let newer = object.revision > seen.revision();
        if newer {
            *seen = Seen { object: Some(object.without_body()), manifest };
        }
        newer
    }

    /// Replaces the manifest by what `change` makes of it, and gives what is then there. `change` is called again when another process
    /// was faster or when an answer was lost: it says `None` when nothing is to be changed, as for a block that is there already.
    ///
    /// # Errors
    /// `Unavailable` when it did not succeed within half a minute, after which the change may have been made or not; `Internal` when
    /// the manifest is damaged.
    pub async fn update(&self, change: impl Fn(&Manifest) -> Option<Manifest>) -> Result<Arc<Manifest>, StoreError> {
        let _only = self.changing.lock().await;
        let (until, mut pause) = (Instant::now() + PATIENCE, PAUSE);
        loop {
            let seen = self.seen.lock().clone();
            let Some(changed) = change(&seen.manifest) else { return Ok(seen.manifest) };
            let body = changed.encode_file();
            let body = body.map_err(|e| StoreError::new(ErrorKind::Internal, format!("compress the manifest: {e}")))?;
            let mut why = match self.bucket.replace(NAME, body, seen.object.as_ref()).await {
                Ok(Some(object)) => {
                    let manifest = Arc::new(changed);
                    self.see(object, manifest.clone());
                    return Ok(manifest);
                }
                Ok(None) => "others were always faster".to_owned(),
                Err(e) if e.is_retryable() => e.message,
                Err(e) => return Err(e),
            };
            match self.refresh().await {
                Err(e) if !e.is_retryable() => return Err(e),
                // Looked for again after the next try.
                Err(e) => why = e.message,
                Ok(_) => {}
            }
            if Instant::now() > until {
                return Err(StoreError::new(ErrorKind::Unavailable, format!("change the manifest within {PATIENCE:?}: {why}")));
            }
            tokio::time::sleep(jittered(pause)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}
