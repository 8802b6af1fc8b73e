//! Making the rows of a batch: each span is looked at once, each partition has its rows side by side.

use super::layout::{self, BUCKETS, CELL, OPERATION_KEY, SERVICE_KEY};
use super::rows::{NONE, Name, Partition, Plan, Row, Table};
use super::text::{TagFilter, is_indexable, put_text};
use crate::cql::{put, put_i32, put_i64, put_with};
use crate::encode::{self, put_process};
use foldhash::{HashMap, HashSet};
use skua_model::{AnyValue, SpanBatch, SpanView, for_each_tag};
use skua_store::RefusedSpan;
use twox_hash::XxHash3_128;

/// Jaeger's flag of spans that are not to be indexed by tags and duration.
const FIREHOSE: u32 = 8;

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
