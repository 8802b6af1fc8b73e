//! An object store of which some requests fail, before or after they took effect.

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::path::Path;
use object_store::*;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Fails one request in `one_in`, of the same ones for the same seed.
#[derive(Debug)]
pub(crate) struct Faults {
    store: Arc<dyn ObjectStore>,
    state: Mutex<u64>,
    one_in: AtomicU64,
    /// Larger objects find no room.
    room: AtomicU64,
    reads: bool,
    conditions: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    No,
    Before,
    After,
}

fn lost() -> Error {
    Error::Generic { store: "faults", source: "the connection was lost".into() }
}

impl Faults {
    pub fn new(store: Arc<dyn ObjectStore>, seed: u64, one_in: u64) -> Arc<Self> {
        Arc::new(Self {
            store,
            state: Mutex::new(seed),
            one_in: one_in.into(),
            room: u64::MAX.into(),
            reads: true,
            conditions: true,
        })
    }

    /// As [`Faults::new`], but what only reads never fails.
    pub fn of_writes(store: Arc<dyn ObjectStore>, seed: u64, one_in: u64) -> Arc<Self> {
        Arc::new(Self {
            store,
            state: Mutex::new(seed),
            one_in: one_in.into(),
            room: u64::MAX.into(),
            reads: false,
            conditions: true,
        })
    }

    /// Fails nothing, and does not look at the conditions of writes.
    pub fn careless(store: Arc<dyn ObjectStore>) -> Arc<Self> {
        Arc::new(Self {
            store,
            state: Mutex::new(0),
            one_in: u64::MAX.into(),
            room: u64::MAX.into(),
            reads: false,
            conditions: false,
        })
    }

    /// From now on one request in so many fails; `u64::MAX`: none.
    pub fn set_one_in(&self, one_in: u64) {
        self.one_in.store(one_in, Ordering::Relaxed);
    }

    /// From now on objects of more bytes are not written: the disk is full.
    pub fn set_room(&self, bytes: u64) {
        self.room.store(bytes, Ordering::Relaxed);
    }

    fn next(&self) -> Fault {
        let one_in = self.one_in.load(Ordering::Relaxed);
        let mut state = self.state.lock();
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let number = *state >> 33;
        match (number % one_in, number / one_in % 2) {
            (0, 0) => Fault::Before,
            (0, _) => Fault::After,
            _ => Fault::No,
        }
    }

    async fn perhaps<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let fault = self.next();
        if fault == Fault::Before {
            return Err(lost());
        }
        let done = work.await;
        if fault == Fault::After { Err(lost()) } else { done }
    }
}

impl std::fmt::Display for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Faults({})", self.store)
    }
}

#[async_trait]
impl ObjectStore for Faults {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        if payload.content_length() as u64 > self.room.load(Ordering::Relaxed) {
            let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
            return Err(Error::Generic { store: "faults", source: full.into() });
        }
        let options = if self.conditions { options } else { PutOptions { mode: PutMode::Overwrite, ..options } };
        self.perhaps(self.store.put_opts(location, payload, options)).await
    }

    async fn put_multipart_opts(&self, location: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.perhaps(self.store.put_multipart_opts(location, options)).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let got = self.store.get_opts(location, options);
        if self.reads { self.perhaps(got).await } else { got.await }
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        match self.next() {
            Fault::No => self.store.delete_stream(locations),
            Fault::Before => stream::iter([Err(lost())]).boxed(),
            Fault::After => self.store.delete_stream(locations).chain(stream::iter([Err(lost())])).boxed(),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match if self.reads { self.next() } else { Fault::No } {
            Fault::No => self.store.list(prefix),
            _ => self.store.list(prefix).take(3).chain(stream::iter([Err(lost())])).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let listed = self.store.list_with_delimiter(prefix);
        if self.reads { self.perhaps(listed).await } else { listed.await }
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.perhaps(self.store.copy_opts(from, to, options)).await
    }
}
