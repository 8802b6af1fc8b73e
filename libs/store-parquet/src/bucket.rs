//! A directory or a bucket of an object store, as one thing: objects that never change, and objects that are replaced by
//! compare-and-swap.
//!
//! An object's name is relative, of parts between slashes: `blocks/0.parquet`.

mod error;
#[cfg(test)]
pub(crate) mod faults;
mod files;
mod metrics;
mod open;
mod ranges;
mod ready;
mod versioned;

pub use versioned::Versioned;

use bytes::Bytes;
use error::{Doing, of};
use files::Files;
use futures::stream::{self, StreamExt, TryStreamExt};
use metrics::Metrics;
use object_store::path::Path as Location;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutPayload, WriteMultipart};
use prometheus_client::registry::Registry;
use skua_store::{ErrorKind, StoreError};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes above which an object is sent in parts of [`PART`], [`PARTS`] at a time.
const WHOLE: usize = 16 << 20;
const PART: usize = 8 << 20;
const PARTS: usize = 4;
/// Requests of one [`Bucket::read`] at most, and the gap in bytes that is always read along.
const REQUESTS: usize = 4;
const GAP: u64 = 1 << 20;
/// Objects of a page of a listing.
const LISTED: u64 = 1000;

/// Where objects lie. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Bucket {
    inner: Arc<Inner>,
    /// What all names are below.
    base: Location,
    /// Of an embedded store: the directory that names are below.
    directory: Option<PathBuf>,
}

#[derive(Debug)]
struct Inner {
    store: Arc<dyn ObjectStore>,
    /// The same without retries: a conditional write that was tried twice does not know what its second answer means.
    once: Arc<dyn ObjectStore>,
    /// Of a plain path and of `file://`.
    files: Option<Files>,
    /// As it was given, for errors.
    name: String,
    metrics: Metrics,
    /// Conditional writes have been seen to work.
    checked: tokio::sync::OnceCell<()>,
    /// Held for the life of an embedded store.
    _lock: Option<std::fs::File>,
}

/// An object as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Relative to the bucket that was listed.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// When it was written, by the store's clock: milliseconds since 1970.
    pub modified_ms: u64,
}

impl Bucket {
    /// The same below a prefix, as `archive`. Names are then relative to that.
    pub fn below(&self, prefix: &str) -> Self {
        let base = self.base.parts().chain(Location::from(prefix).parts()).collect();
        Self { inner: self.inner.clone(), base, directory: self.directory.as_ref().map(|path| path.join(prefix)) }
    }

    /// The directory of an embedded store; `None` when it is a URL.
    pub fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// Objects are files of this machine: a plain path or `file://`.
    pub fn is_local(&self) -> bool {
        self.inner.files.is_some()
    }

    /// Shows `skua_parquet_requests_total{operation}`, `skua_parquet_request_errors_total{operation}` and
    /// `skua_parquet_request_bytes_total{direction}`, of this bucket and those below it together.
    pub fn register(&self, registry: &mut Registry) {
        self.inner.metrics.register(registry);
    }

    /// Requests so far, of this bucket and those below it together.
    pub fn requests(&self) -> u64 {
        self.inner.metrics.requests()
    }

    /// Writes an object that is never changed afterwards. When this returns it is there whole, and on the disk; on an error it may be
    /// there whole or not at all.
    ///
    /// # Errors
    /// `Unavailable`, or `Overloaded` when the disk is full or the store says that it is asked too much.
    pub async fn put(&self, name: &str, body: Bytes) -> Result<(), StoreError> {
        let (doing, location) = (self.doing("write", name), self.location(name)?);
        let bytes = body.len();
        let put = async {
            if bytes <= WHOLE || self.is_local() {
                return self.inner.store.put(&location, PutPayload::from(body)).await.map(drop);
            }
            let mut parts = WriteMultipart::new_with_chunk_size(self.inner.store.put_multipart(&location).await?, PART);
            let mut rest = body;
            while !rest.is_empty() {
                parts.wait_for_capacity(PARTS).await?;
                parts.put(rest.split_to(rest.len().min(PART)));
            }
            parts.finish().await.map(drop)
        };
        let put = put.await;
        let requests = if bytes <= WHOLE || self.is_local() { 1 } else { 2 + bytes.div_ceil(PART) as u64 };
        self.inner.metrics.count("put", requests, put.is_ok());
        if let Some(files) = &self.inner.files {
            files.written(&location);
        }
        put.map_err(|e| of(&doing, e))?;
        self.inner.metrics.sent(bytes);
        Ok(())
    }

    /// A whole object; `None` when it is not there.
    ///
    /// # Errors
    /// `Unavailable` or `Overloaded`.
    pub async fn get(&self, name: &str) -> Result<Option<Bytes>, StoreError> {
        let location = self.location(name)?;
        let got = async { self.inner.store.get(&location).await?.bytes().await }.await;
        self.found("get", &self.doing("read", name), got)
    }

    /// Ranges of an object, in any order; the answer has the order of the question. From an object store what lies near is read
    /// together, with 4 requests at most, of which the answers are slices: who keeps one for long copies it. Files are read in the calling thread.
    ///
    /// # Errors
    /// `NotFound` when the object is not there, `Internal` when it ends before a range does, `Unavailable` or `Overloaded`.
    pub async fn read(&self, name: &str, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, StoreError> {
        let (doing, location) = (self.doing("read", name), self.location(name)?);
        if let Some(files) = &self.inner.files {
            let read = files.read(&location, ranges);
            self.inner.metrics.count("read", 1, read.is_ok());
            let read = read.map_err(|e| error::of_io(&doing, e))?;
            self.inner.metrics.received(read.iter().map(Bytes::len).sum());
            return Ok(read);
        }
        let together = ranges::join(ranges, REQUESTS, GAP).ok_or_else(|| doing.damaged("a range that ends before it begins"))?;
        let read = together.iter().map(|range| async {
            let got = self.inner.store.get_range(&location, range.clone()).await;
            self.inner.metrics.count("read", 1, got.is_ok());
            let got = got.map_err(|e| of(&doing, e))?;
            self.inner.metrics.received(got.len());
            Ok::<_, StoreError>(got)
        });
        let read = futures::future::try_join_all(read).await?;
        ranges::cut(&together, &read, ranges).ok_or_else(|| doing.damaged("it ends before a range of it does"))
    }

    /// Deletes an object; it need not be there. Who has read from a file before can do so for a minute.
    ///
    /// # Errors
    /// `Unavailable` or `Overloaded`.
    pub async fn delete(&self, name: &str) -> Result<(), StoreError> {
        let location = self.location(name)?;
        let deleted = self.inner.store.delete(&location).await;
        if let Some(files) = &self.inner.files {
            files.deleted(&location);
        }
        self.found("delete", &self.doing("delete", name), deleted).map(drop)
    }

    /// Deletes objects, many with a request where the store can do that; they need not be there.
    ///
    /// # Errors
    /// `Unavailable` or `Overloaded`; any of them may be deleted then.
    pub async fn delete_all(&self, names: &[String]) -> Result<(), StoreError> {
        let locations = names.iter().map(|name| self.location(name)).collect::<Result<Vec<_>, _>>()?;
        let requests = if self.is_local() { names.len() as u64 } else { (names.len() as u64).div_ceil(LISTED) };
        let mut deleted = self.inner.store.delete_stream(stream::iter(locations.into_iter().map(Ok)).boxed());
        let mut outcome = Ok(());
        while let Some(one) = deleted.next().await {
            match one {
                Ok(_) | Err(Error::NotFound { .. }) => {}
                Err(e) => outcome = Err(of(&self.doing("delete objects", ""), e)),
            }
        }
        self.inner.metrics.count("delete", requests, outcome.is_ok());
        outcome
    }

    /// All objects below a prefix, which is whole parts of a name or empty; sorted by name.
    ///
    /// # Errors
    /// `Unavailable` or `Overloaded`.
    pub async fn list(&self, prefix: &str) -> Result<Vec<Object>, StoreError> {
        self.list_between(prefix, "", "\u{10ffff}").await
    }

    /// Those objects below a prefix whose name below it is greater than `after`, and not greater than `until`; sorted by name.
    ///
    /// # Errors
    /// `Unavailable` or `Overloaded`.
    pub async fn list_between(&self, prefix: &str, after: &str, until: &str) -> Result<Vec<Object>, StoreError> {
        let doing = self.doing("list", prefix);
        let below = self.below(prefix);
        let base = Some(&below.base).filter(|base| !base.as_ref().is_empty());
        let objects = match after {
            "" => self.inner.store.list(base),
            after => self.inner.store.list_with_offset(base, &below.location(after)?),
        };
        let short = |meta: object_store::ObjectMeta| {
            let name = below.name_of(&meta.location)?.to_owned();
            (name.as_str() > after).then_some(Object {
                name,
                bytes: meta.size,
                modified_ms: meta.last_modified.timestamp_millis().max(0) as u64,
            })
        };
        let within = |object: &Option<Object>| object.as_ref().is_none_or(|object| object.name.as_str() <= until);
        // Files come in any order.
        let ordered = !self.is_local();
        let mut objects = objects.map_ok(short);
        let (mut listed, mut outcome) = (Vec::new(), Ok(()));
        while let Some(next) = objects.next().await {
            match next {
                Ok(object) if within(&object) => listed.extend(object),
                Ok(_) if ordered => break,
                Ok(_) => {}
                Err(e) => {
                    outcome = Err(of(&doing, e));
                    break;
                }
            }
        }
        self.inner.metrics.count("list", 1 + listed.len() as u64 / LISTED, outcome.is_ok());
        outcome?;
        let whole = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        listed.iter_mut().for_each(|object| object.name.insert_str(0, &whole));
        listed.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(listed)
    }

    /// The next part of all names below a prefix where more parts follow it, each once; sorted.
    ///
    /// # Errors
    /// `Unavailable` or `Overloaded`.
    pub async fn folders(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let below = self.below(prefix);
        let listed = self.inner.store.list_with_delimiter(Some(&below.base)).await;
        self.inner.metrics.count("list", 1, listed.is_ok());
        let listed = listed.map_err(|e| of(&self.doing("list", prefix), e))?;
        let mut names: Vec<String> = listed.common_prefixes.iter().filter_map(|at| Some(below.name_of(at)?.to_owned())).collect();
        names.sort_unstable();
        Ok(names)
    }

    fn doing<'a>(&'a self, verb: &'static str, name: &'a str) -> Doing<'a> {
        Doing { verb, name, base: self.base.as_ref(), bucket: &self.inner.name }
    }

    fn location(&self, name: &str) -> Result<Location, StoreError> {
        let parsed = Location::parse(name).ok().filter(|parsed| !parsed.as_ref().is_empty());
        let parsed =
            parsed.ok_or_else(|| StoreError::new(ErrorKind::Internal, format!("use {name:?} as the name of an object")))?;
        Ok(self.base.parts().chain(parsed.parts()).collect())
    }

    /// What follows the base.
    fn name_of<'a>(&self, location: &'a Location) -> Option<&'a str> {
        let rest = location.as_ref().strip_prefix(self.base.as_ref())?;
        Some(rest.strip_prefix('/').unwrap_or(rest))
    }

    /// Counts a request, and tells what is not there from what cannot be reached.
    fn found<T: Size>(&self, operation: &'static str, doing: &Doing<'_>, got: Result<T, Error>) -> Result<Option<T>, StoreError> {
        match got {
            Ok(got) => {
                self.inner.metrics.count(operation, 1, true);
                self.inner.metrics.received(got.size());
                Ok(Some(got))
            }
            Err(e) => {
                let e = of(doing, e);
                let absent = e.kind == ErrorKind::NotFound;
                self.inner.metrics.count(operation, 1, absent);
                if absent { Ok(None) } else { Err(e) }
            }
        }
    }
}

/// Bytes that were received.
trait Size {
    fn size(&self) -> usize;
}

impl Size for Bytes {
    fn size(&self) -> usize {
        self.len()
    }
}

impl Size for () {
    fn size(&self) -> usize {
        0
    }
}

#[cfg(test)]
mod tests;
