//! The bodies of bulk requests, rendered from a batch in one pass.

use crate::document::{TagRules, put_process, put_span};
use crate::index::Indices;
use crate::services::{self, ServiceCache, ServiceKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use foldhash::{HashMap, HashSet};
use skua_model::SpanBatch;
use skua_model::json::put_string;
use std::io::Write;
use std::ops::Range;
use twox_hash::XxHash3_128;

const HOUR_NS: u64 = 3_600_000_000_000;
/// Characters of a document's `_id`.
const ID_LEN: usize = 24;

/// A bulk request's body and what each of its documents is.
#[derive(Debug)]
pub(crate) struct Part {
    pub body: Bytes,
    pub items: Vec<Item>,
}

/// One action line and its document.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// Where both lie in the body.
    pub bytes: Range<u32>,
    pub of: Of,
}

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// A span, by its number in the batch.
    Span(u32),
    /// A pair of service and operation.
    Service(ServiceKey),
}

impl Part {
    /// The same documents as two requests, or `None` for a single one.
    pub fn halves(&self) -> Option<(Part, Part)> {
        let (a, b) = self.items.split_at(self.items.len() / 2);
        (!a.is_empty()).then(|| (self.pick(a), self.pick(b)))
    }

    /// Some of the documents as a request of their own.
    pub fn pick(&self, items: &[Item]) -> Part {
        let mut body = Vec::with_capacity(items.iter().map(|i| i.bytes.len()).sum());
        let pick = |item: &Item| {
            let start = body.len() as u32;
            body.extend_from_slice(&self.body[item.bytes.start as usize..item.bytes.end as usize]);
            Item { bytes: start..body.len() as u32, of: item.of }
        };
        let items = items.iter().map(pick).collect();
        Part { body: body.into(), items }
    }
}

/// What stays the same from batch to batch.
pub(crate) struct Shape {
    pub rules: TagRules,
    pub spans: Indices,
    pub services: Indices,
    /// Bytes at which a part is full.
    pub size: usize,
    /// Documents of a part.
    pub actions: usize,
}

/// Renders the parts of one batch, one at a time.
pub(crate) struct Parts<'a> {
    batch: &'a SpanBatch,
    shape: &'a Shape,
    cache: &'a ServiceCache,
    /// The next span.
    next: usize,
    /// Number in `processes` of each resource of the batch that was met, by the resource's number.
    by_resource: HashMap<u32, usize>,
    /// The same by the hash of the resource's bytes: a batch is many messages, each with its copy of a resource.
    by_bytes: HashMap<u128, usize>,
    processes: Vec<Process>,
    /// Pairs of service and operation met in this batch.
    met: HashSet<ServiceKey>,
    names: Names,
    /// Bytes of body for one byte of span, as seen so far.
    growth: f32,
}

struct Process {
    json: Vec<u8>,
    service: Vec<u8>,
    seed: u64,
}

/// Index names of the spans that start within one hour.
#[derive(Default)]
struct Names {
    hour: Option<u64>,
    /// `{"create":{"_index":"…","_id":"`
    create: Vec<u8>,
    service_index: String,
    service_seed: u64,
}

impl<'a> Parts<'a> {
    pub fn new(batch: &'a SpanBatch, shape: &'a Shape, cache: &'a ServiceCache) -> Self {
        Self {
            batch,
            shape,
            cache,
            next: 0,
            by_resource: HashMap::default(),
            by_bytes: HashMap::default(),
            processes: Vec::new(),
            met: HashSet::default(),
            names: Names::default(),
            growth: 6.0,
        }
    }

    /// True when every span was in a part.
    pub fn is_done(&self) -> bool {
        self.next >= self.batch.len()
    }

    /// The next part, until every span was in one. It is full at `size` bytes, if the shape's size is not less.
    pub fn next_part(&mut self, size: usize) -> Option<Part> {
        let size = size.min(self.shape.size);
        let spans = &self.batch.spans()[self.next..];
        if spans.is_empty() {
            return None;
        }
        let count = spans.len().min(self.shape.actions);
        let source: usize = spans[..count].iter().map(|s| s.size()).sum();
        let expected = (source as f32 * self.growth) as usize + 4096;
        let mut body = Vec::with_capacity(expected.min(size + (64 << 10)));
        let mut items = Vec::with_capacity(count + 8);
        let mut read = 0;
        while let Some(span) = self.batch.spans().get(self.next) {
            read += span.size();
            self.put(&mut body, &mut items);
            self.next += 1;
            if body.len() >= size || items.len() >= self.shape.actions {
                break;
            }
        }
        self.growth = body.len() as f32 / read.max(1) as f32 * 1.1;
        Some(Part { body: body.into(), items })
    }

    /// Appends the next span and, when it is new, its pair of service and operation.
    fn put(&mut self, body: &mut Vec<u8>, items: &mut Vec<Item>) {
        let entry = &self.batch.spans()[self.next];
        let process = self.process(self.batch.resource_of(entry));
        let span = self.batch.view(entry);
        if self.names.hour != Some(span.start / HOUR_NS) {
            self.names = Names::of(span.start / HOUR_NS, self.shape);
        }
        let process = &self.processes[process];
        let key = services::key(self.names.service_seed, process.seed, span.name);
        if self.met.insert(key) && !self.cache.knows(key) {
            let start = body.len() as u32;
            put_service(body, &self.names.service_index, &process.service, span.name);
            items.push(Item { bytes: start..body.len() as u32, of: Of::Service(key) });
        }
        let start = body.len();
        body.extend_from_slice(&self.names.create);
        let id_at = body.len();
        body.extend_from_slice(&[b'-'; ID_LEN]);
        body.extend_from_slice(b"\"}}\n");
        let document = body.len();
        put_span(body, &span, &process.json, &self.shape.rules);
        let id = document_id(span.start, &body[document..]);
        body[id_at..id_at + ID_LEN].copy_from_slice(&id);
        body.push(b'\n');
        items.push(Item { bytes: start as u32..body.len() as u32, of: Of::Span(self.next as u32) });
    }

    /// The number of a resource's process, rendered when its bytes are new.
    fn process(&mut self, resource: u32) -> usize {
        if let Some(known) = self.by_resource.get(&resource) {
            return *known;
        }
        let pieces = self.batch.resource_pieces(resource);
        let hash =
            pieces.fold(0, |h: u128, piece| XxHash3_128::oneshot_with_seed((h >> 64 ^ h) as u64, piece) ^ h.rotate_left(1));
        let number = *self.by_bytes.entry(hash).or_insert_with(|| {
            let view = self.batch.process(resource);
            let mut json = Vec::with_capacity(1024);
            put_process(&mut json, &view, &self.shape.rules);
            self.processes.push(Process { json, service: view.service.to_vec(), seed: services::seed(view.service) });
            self.processes.len() - 1
        });
        self.by_resource.insert(resource, number);
        number
    }
}

impl Names {
    fn of(hour: u64, shape: &Shape) -> Self {
        let mut create = b"{\"create\":{\"_index\":".to_vec();
        put_string(&mut create, shape.spans.to_write(hour).as_bytes());
        create.extend_from_slice(b",\"_id\":\"");
        let service_index = shape.services.to_write(hour);
        let service_seed = services::seed(service_index.as_bytes());
        Self { hour: Some(hour), create, service_index, service_seed }
    }
}

fn put_service(out: &mut Vec<u8>, index: &str, service: &[u8], operation: &[u8]) {
    out.extend_from_slice(b"{\"index\":{\"_index\":");
    put_string(out, index.as_bytes());
    let _ = write!(out, ",\"_id\":\"{:x}\"}}}}\n{{\"serviceName\":", services::id(service, operation));
    put_string(out, service);
    out.extend_from_slice(b",\"operationName\":");
    put_string(out, operation);
    out.extend_from_slice(b"}\n");
}

/// The same for the same document, so that a replay finds it stored; another for another, so that the client and server
/// spans that share an id in Zipkin both stay. 6 bytes of start time in milliseconds and 12 of hash, as base64 for URLs:
/// Elasticsearch keeps such an id as its 18 bytes, and looks up ids that grow with time in few of its segments.
fn document_id(start_ns: u64, document: &[u8]) -> [u8; ID_LEN] {
    let mut id = [0; 18];
    id[..6].copy_from_slice(&(start_ns / 1_000_000).to_be_bytes()[2..]);
    id[6..].copy_from_slice(&XxHash3_128::oneshot(document).to_be_bytes()[..12]);
    let mut text = [b'A'; ID_LEN];
    // 18 bytes always make 24 characters.
    let written = URL_SAFE_NO_PAD.encode_slice(id, &mut text);
    debug_assert_eq!(written, Ok(ID_LEN));
    text
}
