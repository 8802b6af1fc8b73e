//! A topic, processes that read it, and a store.

use super::super::*;
use super::oracle::{BEGIN, Rows, Told};
use crate::document::{Document, Figures, LinkKey, SeriesKey};
use crate::flush::{Flusher, Stores, dependency_links};
use async_trait::async_trait;
use bytes::Bytes;
use prometheus_client::registry::Registry;
use skua_model::BatchBuilder;
use skua_model::wire::{put_bytes, put_message, put_uint};
use skua_store::dependencies::{DependencyLink, DependencyWriter};
use skua_store::rollups::{Rollup, RollupStore, Version};
use skua_store::{ErrorKind, StoreError};
use std::sync::Arc;

pub const WINDOW_MS: u64 = 80_000;

/// A store that breaks on command.
#[derive(Default)]
pub struct Store {
    documents: Mutex<BTreeMap<(RollupKind, u64), (u64, Bytes)>>,
    jaeger: Mutex<BTreeMap<u64, (u64, Vec<DependencyLink>)>>,
    /// Saves before every other fails.
    left: Mutex<usize>,
}

#[async_trait]
impl RollupStore for Store {
    async fn rollup(&self, kind: RollupKind, interval: u64) -> Result<Option<Rollup>, StoreError> {
        let found = self.documents.lock().get(&(kind, interval)).cloned();
        Ok(found.map(|(version, body)| Rollup { version: Version(version, 0), body }))
    }

    async fn save_rollup(&self, kind: RollupKind, interval: u64, body: Bytes, was: Option<Version>) -> Result<bool, StoreError> {
        let mut left = self.left.lock();
        *left = left.checked_sub(1).ok_or_else(|| StoreError::new(ErrorKind::Internal, "broken on command"))?;
        let mut documents = self.documents.lock();
        let version = documents.get(&(kind, interval)).map(|(version, _)| *version);
        let fits = version == was.map(|v| v.0);
        if fits {
            documents.insert((kind, interval), (version.unwrap_or(0) + 1, body));
        }
        Ok(fits)
    }

    async fn rollups(&self, _: RollupKind, _: u64, _: u64) -> Result<Vec<(u64, Bytes)>, StoreError> {
        unreachable!("not asked while counting")
    }

    async fn delete_rollups(&self, _: u64) -> Result<(), StoreError> {
        unreachable!("not asked while counting")
    }
}

#[async_trait]
impl DependencyWriter for Store {
    async fn write_dependencies(&self, _: u64, _: &[DependencyLink]) -> Result<(), StoreError> {
        unreachable!("not asked while counting")
    }

    async fn replace_dependencies(&self, at: u64, revision: u64, links: &[DependencyLink]) -> Result<(), StoreError> {
        let mut jaeger = self.jaeger.lock();
        let place = jaeger.entry(at).or_default();
        if revision >= place.0 {
            *place = (revision, links.to_vec());
        }
        Ok(())
    }
}

struct Record {
    clock: u64,
    spans: Vec<Told>,
}

/// A process: what it counts and how far it has read.
struct Process {
    counter: Counter,
    flusher: Flusher,
    partitions: Vec<usize>,
    assigned: std::cell::RefCell<BTreeMap<usize, u64>>,
}

pub struct World {
    store: Arc<Store>,
    registry: Registry,
    metrics: RollupMetrics,
    log: Vec<Vec<Record>>,
    committed: Vec<Position>,
    process: Option<Process>,
    /// One that reads some partitions of its own.
    other: Option<Process>,
    assignments: std::cell::Cell<u64>,
    pub window_bytes: usize,
    pub max_series: usize,
}

/// A `fixed64` field.
fn put_time(out: &mut Vec<u8>, number: u8, ns: u64) {
    out.push(number << 3 | 1);
    out.extend_from_slice(&ns.to_le_bytes());
}

pub fn batch(spans: &[Told]) -> SpanBatch {
    let mut builder = BatchBuilder::default();
    for s in spans {
        let mut bytes = Vec::new();
        let attribute = |out: &mut Vec<u8>, tag, key: &str, value: &str| {
            put_message(out, tag, |out| {
                put_bytes(out, 1, key.as_bytes());
                put_message(out, 2, |out| put_bytes(out, 1, value.as_bytes()));
            });
        };
        put_message(&mut bytes, 1, |out| {
            put_message(out, 1, |out| attribute(out, 1, "service.name", &format!("s{}", s.service)));
            put_message(out, 2, |out| {
                put_message(out, 2, |out| {
                    put_bytes(out, 1, &[s.trace + 1; 16]);
                    put_bytes(out, 2, &[s.id; 8]);
                    if s.parent != 0 {
                        put_bytes(out, 4, &[s.parent; 8]);
                    }
                    put_bytes(out, 5, format!("o{}", s.name).as_bytes());
                    put_uint(out, 6, s.kind.into());
                    put_time(out, 7, s.start() * 1000);
                    put_time(out, 8, (s.start() + s.duration_us) * 1000);
                    match s.peer {
                        Some("queue") => {
                            attribute(out, 9, "messaging.system", "kafka");
                            attribute(out, 9, "messaging.destination.name", "orders");
                        }
                        Some("database") => {
                            attribute(out, 9, "db.system", "postgresql");
                            attribute(out, 9, "db.name", "orders");
                            attribute(out, 9, "server.address", "10.0.0.2");
                        }
                        Some(_) => attribute(out, 9, "server.address", "10.0.0.1"),
                        None => {}
                    }
                    put_message(out, 15, |out| put_uint(out, 3, s.status.into()));
                });
            });
        });
        builder.push(&bytes).expect("OTLP");
    }
    let batch = builder.finish();
    assert_eq!(batch.len(), spans.len());
    batch
}

fn block<T>(task: impl Future<Output = T>) -> T {
    futures::executor::block_on(task)
}

impl World {
    pub fn new(partitions: usize) -> Self {
        let mut registry = Registry::default();
        let metrics = RollupMetrics::register(&mut registry);
        let store = Arc::new(Store::default());
        *store.left.lock() = usize::MAX;
        Self {
            store,
            registry,
            metrics,
            log: (0..partitions).map(|_| Vec::new()).collect(),
            committed: vec![Position::default(); partitions],
            process: None,
            other: None,
            assignments: std::cell::Cell::new(0),
            window_bytes: 1 << 30,
            max_series: 1000,
        }
    }

    /// How long the partition has been written to, in milliseconds.
    pub fn elapsed(&self, partition: usize) -> u64 {
        self.log[partition].last().map_or(0, |r| r.clock - BEGIN / 1000)
    }

    pub fn send(&mut self, partition: usize, later_ms: u64, spans: Vec<Told>) {
        let clock = BEGIN / 1000 + self.elapsed(partition) + later_ms;
        self.log[partition].push(Record { clock, spans });
    }

    fn start(&self, partitions: Vec<usize>) -> Process {
        let window = Duration::from_millis(WINDOW_MS);
        let options = Options { window, window_bytes: self.window_bytes, max_series: self.max_series };
        let counter = Counter::new(options, self.metrics.clone());
        let stores = self.stores();
        let process =
            Process { counter, flusher: Flusher::new(stores, self.metrics.clone()), partitions, assigned: Default::default() };
        process.partitions.iter().for_each(|p| self.begin(&process, *p));
        process
    }

    pub fn stores(&self) -> Stores {
        Stores { rollups: self.store.clone(), dependencies: Some(self.store.clone()) }
    }

    fn begin(&self, process: &Process, p: usize) {
        self.assignments.set(self.assignments.get() + 1);
        process.assigned.borrow_mut().insert(p, self.assignments.get());
        let until = self.log[p].len() as i64;
        process.counter.begin(p as i32, self.assignments.get(), format!("spans/{p}"), self.committed[p], until);
    }

    fn read(&self, process: &Process, most: usize) {
        for p in &process.partitions {
            let positions = process.counter.positions();
            let Some((_, next)) = positions.into_iter().find(|(of, _)| *of == *p as i32) else { continue };
            for (offset, record) in self.log[*p].iter().enumerate().skip(next as usize).take(most) {
                let batch = batch(&record.spans);
                let assignment = process.assigned.borrow()[p];
                let part =
                    Part { partition: *p as i32, assignment, offset: offset as i64, clock: record.clock, spans: 0..batch.len() };
                while let Err(needed) = process.counter.count(&batch, std::slice::from_ref(&part)) {
                    for (kind, interval) in needed {
                        block(process.flusher.learn(&process.counter, kind, interval)).expect("learned");
                    }
                }
            }
        }
    }

    fn ensure(&mut self) {
        if self.process.is_none() {
            let taken = self.other.as_ref().map(|o| o.partitions.clone()).unwrap_or_default();
            let partitions = (0..self.log.len()).filter(|p| !taken.contains(p)).collect();
            self.process = Some(self.start(partitions));
        }
    }

    pub fn read_some(&mut self) {
        self.read_up_to(3);
    }

    pub fn read_all(&mut self) {
        self.read_up_to(usize::MAX);
    }

    fn read_up_to(&mut self, most: usize) {
        self.ensure();
        for process in self.process.iter().chain(&self.other) {
            self.read(process, most);
        }
    }

    /// Saves with a store that breaks after so many documents; then the process is gone.
    pub fn save(&mut self, saves: usize) {
        self.ensure();
        let (process, other) = (self.process.take(), self.other.take());
        self.process = process.and_then(|p| self.save_of(p, saves));
        self.other = other.and_then(|p| self.save_of(p, saves));
    }

    fn save_of(&mut self, process: Process, saves: usize) -> Option<Process> {
        *self.store.left.lock() = saves;
        let snapshot = process.counter.take();
        let result = block(process.flusher.save(&snapshot));
        *self.store.left.lock() = usize::MAX;
        let lost = result.ok()?;
        for (p, position) in process.counter.saved(&snapshot) {
            if lost.contains(&p) {
                self.begin(&process, p as usize);
            } else {
                self.committed[p as usize] = position;
            }
        }
        Some(process)
    }

    pub fn die(&mut self, saves: usize) {
        self.save(saves);
        (self.process, self.other) = (None, None);
    }

    /// A partition goes to another process. The old one, if it does not know yet, counts and saves once more.
    pub fn move_on(&mut self, partition: usize, zombie: bool) {
        self.ensure();
        if self.other.is_some() {
            self.other = None;
            self.process = None;
            return;
        }
        let next = self.start(vec![partition]);
        let Some(mut old) = self.process.take() else { return };
        if zombie {
            let before = self.committed.clone();
            self.read(&next, 2);
            self.read(&old, usize::MAX);
            let Some(saved) = self.save_of(old, usize::MAX) else { return };
            old = saved;
            // Kafka does not take the commit of who has lost the partition.
            self.committed[partition] = before[partition];
        }
        old.counter.end(partition as i32);
        old.partitions.retain(|p| *p != partition);
        self.process = Some(old);
        self.other = Some(next);
    }

    /// Everything is read, the window passes, everything is saved.
    pub fn run_to_the_end(&mut self) {
        for _ in 0..3 {
            self.read_all();
            self.pass_window();
            self.save(usize::MAX);
        }
    }

    /// Nothing comes for longer than the window.
    pub fn pass_window(&mut self) {
        self.ensure();
        for process in self.process.iter().chain(&self.other) {
            for p in &process.partitions {
                process.counter.tick(*p as i32, BEGIN / 1000 + self.elapsed(*p) + 3 * WINDOW_MS);
            }
        }
    }

    fn rows<K: Key>(&self) -> Rows<K> {
        let mut rows: Rows<K> = Rows::new();
        for ((_, interval), (_, body)) in self.store.documents.lock().iter().filter(|((kind, _), _)| *kind == K::KIND) {
            let document = Document::<K>::decode(*interval, body).expect("a document");
            for (key, minutes) in document.rows {
                let plain = minutes.into_iter().map(|(minute, f)| (minute, Figures { exemplar: None, ..f }));
                rows.entry(key).or_default().extend(plain);
            }
        }
        rows
    }

    pub fn red(&self) -> Rows<SeriesKey> {
        self.rows()
    }

    pub fn links(&self) -> Rows<LinkKey> {
        self.rows()
    }

    /// What a Jaeger would show.
    pub fn jaeger(&self) -> Vec<DependencyLink> {
        self.store.jaeger.lock().values().flat_map(|(_, links)| links.clone()).collect()
    }

    pub fn links_of_jaeger(&self) -> Vec<DependencyLink> {
        let documents = self.store.documents.lock();
        let links = documents.iter().filter(|((kind, _), _)| *kind == RollupKind::Links);
        links.flat_map(|((_, at), (_, body))| dependency_links(&Document::decode(*at, body).expect("a document"))).collect()
    }

    /// What the process would show to Prometheus.
    pub fn exposition(&mut self) -> Exposition {
        self.ensure();
        self.process.as_ref().expect("a process").counter.exposition()
    }

    pub fn metrics(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).expect("text");
        text
    }

    pub fn window_bytes_now(&self) -> usize {
        self.process.as_ref().map_or(0, |p| p.counter.window_bytes())
    }
}
