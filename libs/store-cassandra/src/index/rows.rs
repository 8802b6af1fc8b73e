//! The rows of a batch: each span is looked at once, each partition has its rows side by side.

use super::layout::{self, BUCKETS, CELL, OPERATION_KEY, SERVICE_KEY};
use super::text::{TagFilter, is_indexable, put_text};
use crate::cql::{put, put_i32, put_i64, put_with};
use crate::encode::{self, put_process};
use foldhash::{HashMap, HashSet};
use skua_model::{AnyValue, SpanBatch, SpanView, for_each_tag};
use skua_store::RefusedSpan;
use std::ops::Range;
use twox_hash::XxHash3_128;

/// The tables that a batch is written to, names apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Table {
    Traces,
    ServiceName,
    ServiceOperation,
    Duration,
    Tag,
}

/// Jaeger's flag of spans that are not to be indexed by tags and duration.
const FIREHOSE: u32 = 8;

/// Rows of one partition. Most have one row: so keys and rows of all lie side by side in the [`Plan`].
pub(crate) struct Partition {
    pub table: Table,
    /// Where the cells of its key lie.
    key: Range<u32>,
    /// The row that was added last.
    last: u32,
    rows: u32,
    /// The trace of the last row: its number in the batch.
    trace: u32,
}

/// 24 bytes.
#[derive(Clone, Copy)]
struct Row {
    /// Microseconds since 1970.
    start: u64,
    /// Span id in `tag_index`, microseconds in `duration_index`.
    extra: i64,
    /// The number of the trace.
    trace: u32,
    /// The row of the same partition that was added before.
    before: u32,
}

/// No row.
pub(crate) const NONE: u32 = u32::MAX;

/// Encoded rows: the values of one statement each.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub cells: Vec<u8>,
    /// Where each row ends.
    pub ends: Vec<u32>,
}

impl Rows {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The values of a row.
    pub fn row(&self, i: usize) -> &[u8] {
        let from = i.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.cells[from..self.ends[i] as usize]
    }

    /// What was appended to the cells is a row.
    pub fn end_row(&mut self) {
        self.ends.push(self.cells.len() as u32);
    }

    /// Some of the rows, by their numbers.
    pub fn pick(&self, rows: impl Iterator<Item = usize>) -> Self {
        let mut picked = Self::default();
        for i in rows {
            picked.cells.extend_from_slice(self.row(i));
            picked.end_row();
        }
        picked
    }
}

/// A name that has to be in its table: `service`, or `service`, kind and operation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub service: Vec<u8>,
    /// `None` for the service itself.
    pub operation: Option<(&'static str, Vec<u8>)>,
}

/// All that a batch becomes. Rows of `traces`, which are long, are written when they are sent: see [`Plan::spans`].
#[derive(Default)]
pub(crate) struct Plan {
    /// The spans with a row in `traces`, a trace after the other.
    pub spans: Vec<u32>,
    /// For each trace the number of its last span in [`Plan::spans`] and one.
    pub trace_ends: Vec<usize>,
    /// By the number of a resource: its cell in those rows.
    pub processes: HashMap<u32, Vec<u8>>,
    pub partitions: Vec<Partition>,
    keys: Vec<u8>,
    rows: Vec<Row>,
    /// By the number of a trace.
    ids: Vec<[u8; 16]>,
    pub names: Vec<Name>,
    pub refused: Vec<RefusedSpan>,
    /// Tags, operations of which nothing can be indexed because they are too long.
    pub skipped: u64,
}

impl Partition {
    /// Rows of it.
    pub fn len(&self) -> usize {
        self.rows as usize
    }

    /// Bytes of the values of all its rows, about.
    pub fn size(&self) -> usize {
        self.len() * (self.key.len() + 44)
    }

    /// The row to begin with.
    pub fn first(&self) -> u32 {
        self.last
    }
}

impl Plan {
    /// Appends some of a partition's rows as values of statements, and returns where the next begin, or [`NONE`].
    pub fn put(&self, partition: &Partition, out: &mut Rows, from: u32, most: usize) -> u32 {
        let (mut next, cells) = (from, &mut out.cells);
        for _ in 0..most {
            let Some(row) = self.rows.get(next as usize) else { break };
            cells.extend_from_slice(&self.keys[partition.key.start as usize..partition.key.end as usize]);
            if partition.table == Table::Duration {
                put_i64(cells, row.extra);
            }
            put_i64(cells, row.start as i64);
            put(cells, &self.ids[row.trace as usize]);
            if partition.table == Table::Tag {
                put_i64(cells, row.extra);
            }
            out.ends.push(cells.len() as u32);
            next = row.before;
        }
        next
    }
}

/// What the spans of one resource have in common.
#[derive(Default)]
struct Resource<'a> {
    service: &'a [u8],
    /// Partitions of the process tags.
    partitions: Vec<usize>,
}

/// A batch on its way to rows.
struct Planner<'a, 'f> {
    batch: &'a SpanBatch,
    filter: &'f TagFilter,
    plan: Plan,
    resources: HashMap<u32, Resource<'a>>,
    places: HashMap<u128, u32>,
    /// Hashes of the names in the plan.
    named: HashSet<u64>,
    scratch: Vec<u8>,
    /// The number of the trace.
    trace: u32,
}

/// Makes the rows of a batch.
pub(crate) fn plan(batch: &SpanBatch, filter: &TagFilter) -> Plan {
    let mut planner = Planner {
        batch,
        filter,
        plan: Plan::default(),
        resources: HashMap::default(),
        places: HashMap::default(),
        named: HashSet::default(),
        scratch: Vec::new(),
        trace: 0,
    };
    let spans = batch.spans();
    let mut order: Vec<u32> = (0..spans.len() as u32).collect();
    order.sort_by_key(|i| spans[*i as usize].trace_id);
    for of_trace in order.chunk_by(|a, b| spans[*a as usize].trace_id == spans[*b as usize].trace_id) {
        planner.trace(of_trace);
    }
    planner.plan.refused.sort_unstable_by_key(|r| r.span);
    planner.plan
}

impl<'a> Planner<'a, '_> {
    /// The spans of a trace, latest first: each then finds the row that may stand for it.
    fn trace(&mut self, spans: &[u32]) {
        self.trace = self.plan.ids.len() as u32;
        self.plan.ids.push(self.batch.spans()[spans[0] as usize].trace_id);
        let mut views: Vec<(u32, SpanView<'a>)> =
            spans.iter().map(|i| (*i, self.batch.view(&self.batch.spans()[*i as usize]))).collect();
        views.sort_by_key(|(_, view)| std::cmp::Reverse(view.start));
        for (i, view) in &views {
            self.span(*i, view);
        }
        self.plan.trace_ends.push(self.plan.spans.len());
    }

    fn span(&mut self, i: u32, view: &SpanView<'a>) {
        let number = self.batch.resource_of(&self.batch.spans()[i as usize]);
        let known = self.resources.get_mut(&number).map(std::mem::take);
        let resource = known.unwrap_or_else(|| self.resource(number));
        self.span_of(i, view, &resource);
        self.resources.insert(number, resource);
    }

    fn resource(&mut self, number: u32) -> Resource<'a> {
        let view = self.batch.process(number);
        let mut resource = Resource { service: view.service, partitions: Vec::new() };
        put_process(self.plan.processes.entry(number).or_default(), &view);
        if self.filter.process_tags {
            for kv in view.attributes() {
                if let Some(partition) = self.tag_partition(resource.service, kv.key, kv.value) {
                    resource.partitions.push(partition);
                }
            }
        }
        resource
    }

    fn span_of(&mut self, i: u32, view: &SpanView<'a>, resource: &Resource<'a>) {
        let (service, operation) = (resource.service, view.name);
        if service.len() > layout::LONGEST_KEY {
            let detail = format!("a service name of {} bytes is longer than a key of Cassandra", service.len());
            self.plan.refused.push(RefusedSpan { span: i, reason: "too-large", detail });
            return;
        }
        self.plan.spans.push(i);

        let extra = i64::from_be_bytes(view.span_id);
        let row = Row { start: encode::start(view), extra, trace: self.trace, before: NONE };
        let indexed = view.jaeger_flags.unwrap_or(0) & FIREHOSE == 0;
        let kind = self.tags(view, resource, row, indexed);
        self.by_service(service, row, view.trace_id);
        let fits = service.len() + operation.len() <= layout::LONGEST_KEY;
        if fits {
            self.by_operation(service, operation, row);
            self.names(service, Some((kind, operation)));
        } else {
            self.plan.skipped += 1;
        }
        self.names(service, None);
        if indexed {
            let bucket = layout::duration_bucket(view.start);
            let row = Row { extra: (view.duration() / 1000) as i64, ..row };
            self.by_duration(service, b"", bucket, row);
            if fits && !operation.is_empty() {
                self.by_duration(service, operation, bucket, row);
            }
        }
    }

    /// Indexes the tags of the process, of the span and of its logs; returns the kind for `operation_names_v2`.
    fn tags(&mut self, view: &SpanView<'a>, resource: &Resource<'a>, row: Row, indexed: bool) -> &'static str {
        let mut kind = None;
        if indexed {
            for partition in &resource.partitions {
                self.add(*partition, row);
            }
        }
        let tags = indexed && self.filter.tags;
        for_each_tag(view, |key, value| {
            if kind.is_none() && key == b"span.kind" {
                kind = Some(known_kind(value));
            }
            if tags && let Some(partition) = self.tag_partition(resource.service, key, value) {
                self.add(partition, row);
            }
        });
        if indexed && self.filter.logs {
            for event in view.events() {
                event.for_each_field(|key, value| {
                    if let Some(partition) = self.tag_partition(resource.service, key, value) {
                        self.add(partition, row);
                    }
                });
            }
        }
        kind.unwrap_or("")
    }

    /// Jaeger chooses the bucket by `span_hash`; a reader asks all of them.
    fn by_service(&mut self, service: &[u8], row: Row, trace: [u8; 16]) {
        let bucket = i32::from(trace[15]) % BUCKETS;
        let ours = self.hour_partition(service, SERVICE_KEY, row.start, None);
        if self.add(ours, row) {
            let partition = self.partition(Table::ServiceName, |out| {
                put(out, service);
                put_i32(out, bucket);
            });
            self.push(partition, row);
        }
    }

    fn by_operation(&mut self, service: &[u8], operation: &[u8], row: Row) {
        let ours = self.hour_partition(service, OPERATION_KEY, row.start, Some(operation));
        if self.add(ours, row) {
            let partition = self.partition(Table::ServiceOperation, |out| {
                put(out, service);
                put(out, operation);
            });
            self.push(partition, row);
        }
    }

    fn by_duration(&mut self, service: &[u8], operation: &[u8], bucket: i64, row: Row) {
        let partition = self.partition(Table::Duration, |out| {
            put(out, service);
            put(out, operation);
            put_i64(out, bucket);
        });
        if !self.add(partition, row) {
            let shared = &mut self.plan.rows[self.plan.partitions[partition].last as usize];
            shared.extra = shared.extra.max(row.extra);
        }
    }

    fn names(&mut self, service: &[u8], operation: Option<(&'static str, &[u8])>) {
        self.scratch.clear();
        put(&mut self.scratch, service);
        if let Some((kind, operation)) = operation {
            put(&mut self.scratch, kind.as_bytes());
            put(&mut self.scratch, operation);
        }
        if self.named.insert(XxHash3_128::oneshot(&self.scratch) as u64) {
            let operation = operation.map(|(kind, name)| (kind, name.to_vec()));
            self.plan.names.push(Name { service: service.to_vec(), operation });
        }
    }

    /// The partition of a tag, unless it is not indexed.
    fn tag_partition(&mut self, service: &[u8], key: &[u8], value: AnyValue<'_>) -> Option<usize> {
        if !self.filter.takes(key) {
            return None;
        }
        let mut indexable = true;
        let partition = self.partition_if(Table::Tag, |out| {
            put(out, service);
            put(out, key);
            let at = out.len() + 4;
            put_with(out, |out| put_text(out, value));
            indexable = is_indexable(key, &out[at..]);
            indexable
        });
        self.plan.skipped += u64::from(!indexable);
        partition
    }

    fn hour_partition(&mut self, service: &[u8], key: &[u8], start: u64, operation: Option<&[u8]>) -> usize {
        self.partition(Table::Tag, |out| {
            put(out, service);
            put(out, key);
            put_with(out, |out| layout::put_hour_value(out, layout::hour(start), operation));
        })
    }

    fn partition(&mut self, table: Table, key: impl FnOnce(&mut Vec<u8>)) -> usize {
        let write = |out: &mut Vec<u8>| {
            key(out);
            true
        };
        self.partition_if(table, write).unwrap_or_default()
    }

    /// The number of the partition with the key that is written, if `key` says that there is one.
    fn partition_if(&mut self, table: Table, key: impl FnOnce(&mut Vec<u8>) -> bool) -> Option<usize> {
        self.scratch.clear();
        if !key(&mut self.scratch) {
            return None;
        }
        let id = XxHash3_128::oneshot_with_seed(table as u64, &self.scratch);
        let plan = &mut self.plan;
        let place = self.places.entry(id).or_insert_with(|| {
            let from = plan.keys.len() as u32;
            plan.keys.extend_from_slice(&self.scratch);
            let key = from..plan.keys.len() as u32;
            plan.partitions.push(Partition { table, key, last: NONE, rows: 0, trace: NONE });
            plan.partitions.len() as u32 - 1
        });
        Some(*place as usize)
    }

    /// Adds a row, unless the trace's last row in the partition may stand for it. Spans come latest first.
    fn add(&mut self, partition: usize, row: Row) -> bool {
        let p = &self.plan.partitions[partition];
        let near = |last: &Row| last.start.saturating_sub(row.start) <= CELL;
        let shared = p.trace == self.trace && self.plan.rows.get(p.last as usize).is_some_and(near);
        if !shared {
            self.push(partition, row);
        }
        !shared
    }

    fn push(&mut self, partition: usize, row: Row) {
        let p = &mut self.plan.partitions[partition];
        self.plan.rows.push(Row { before: p.last, ..row });
        (p.last, p.trace) = (self.plan.rows.len() as u32 - 1, self.trace);
        p.rows += 1;
    }
}

/// Jaeger's five kinds; everything else is none.
fn known_kind(value: AnyValue<'_>) -> &'static str {
    let AnyValue::String(text) = value else { return "" };
    (1..=5).filter_map(skua_model::kind_text).find(|kind| kind.as_bytes() == text).unwrap_or("")
}
