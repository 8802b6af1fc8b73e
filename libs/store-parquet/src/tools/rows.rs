//! Whether the rows of a block are what its sidecar promises.

use super::assemble::assemble;
use super::verify::Findings;
use crate::block::{Block, PageRows};
use crate::columns::{Field, Rows as _};
use crate::rebuild::Rebuilder;
use crate::sidecar::{About, Runs, tag_hash, trace_hash};
use skua_model::{Process, ProcessView, Span, SpanBatch, SpanView, Tag, Value};
use skua_store::StoreError;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What is known of the rows before.
pub(super) struct RowChecks<'b> {
    block: &'b Block,
    rebuilder: Rebuilder,
    ids: Vec<[u8; 16]>,
    /// First start of the trace, trace, start and span of the last row.
    last: Option<(i64, [u8; 16], i64, [u8; 8])>,
    /// Service, operation and kind as the sidecar lists them.
    operations: HashSet<(&'b str, &'b str, &'b str)>,
    /// Codes of resources that were looked at.
    resources: HashSet<u32>,
}

impl<'b> RowChecks<'b> {
    pub fn new(block: &'b Block) -> Self {
        let about = &block.sidecar.about;
        let of = |service: &'b crate::sidecar::Service| {
            service.operations.iter().map(move |o| (service.name.as_str(), o.name.as_str(), o.kind.as_str()))
        };
        let operations = about.services.iter().flat_map(of).collect();
        let ids = Vec::with_capacity(about.spans as usize);
        Self { block, rebuilder: Rebuilder::new(), ids, last: None, operations, resources: HashSet::new() }
    }

    /// The rows of the next page, all columns loaded.
    pub fn page(&mut self, page: usize, rows: &PageRows, findings: &mut Findings) -> Result<(), StoreError> {
        let about = &self.block.sidecar.about;
        let count = about.rows_of(page).len();
        self.bounds(page, rows, count, findings);
        for row in 0..count {
            self.row(rows, row, findings);
        }
        let message = assemble(rows, &(0..count).collect::<Vec<_>>(), &mut self.rebuilder)?;
        match SpanBatch::parse(message) {
            Ok(batch) if batch.len() == count && batch.bad_strings() == 0 => self.spans(&batch, findings),
            Ok(batch) => findings.add(format!(
                "page {page}: of {count} spans {} are sound OTLP, with {} strings that are no UTF-8",
                batch.len(),
                batch.bad_strings()
            )),
            Err(e) => findings.add(format!("page {page}: its spans are no OTLP: {e}")),
        }
        Ok(())
    }

    fn bounds(&self, page: usize, rows: &PageRows, count: usize, findings: &mut Findings) {
        let about = &self.block.sidecar.about;
        let starts = || (0..count).map(|row| rows.start(row));
        let found = (starts().min(), starts().max(), (0..count).map(|row| rows.duration(row)).max());
        let told = (about.start_min[page], about.start_max[page], about.duration_max[page]);
        if found != (Some(told.0), Some(told.1), Some(told.2)) {
            findings.add(format!("page {page}: its bounds of start and duration are {found:?}, the sidecar says {told:?}"));
        }
    }

    fn row(&mut self, rows: &PageRows, row: usize, findings: &mut Findings) {
        let about = &self.block.sidecar.about;
        let (id, start, span) = (rows.trace_id(row), rows.start(row), rows.span_id(row));
        let first = self.last.filter(|(_, last, ..)| *last == id).map_or(start, |(first, ..)| first);
        let place = (first, id, start, span);
        if self.last.is_some_and(|last| last > place) {
            findings.add(format!("row {}: it is not in its place by start, trace and span", self.ids.len()));
        }
        if self.last.is_none_or(|(_, last, ..)| last != id) && !self.block.sidecar.traces.contains(trace_hash(&id)) {
            findings.add(format!("row {}: the filter does not have its trace", self.ids.len()));
        }
        self.last = Some(place);
        self.ids.push(id);
        rest_keys(rows.rest(row), about, findings);
        let resource = rows.code(Field::Resource, row);
        // Of a column without a dictionary codes are those of a page.
        if self.resources.len() < 10_000 && self.resources.insert(resource) {
            let process = ProcessView::of(rows.value(Field::Resource, resource));
            if let Some(kv) = process.attributes().iter().find(|kv| !about.may_resource_have(kv.key)) {
                let key = String::from_utf8_lossy(kv.key);
                findings.add(format!("the key {key:?} of a resource is not in the sidecar's list"));
            }
        }
    }

    /// Tags and names of a page's spans.
    fn spans(&self, batch: &SpanBatch, findings: &mut Findings) {
        let mut processes: HashMap<u32, Arc<Process>> = HashMap::new();
        for entry in batch.spans() {
            let number = batch.resource_of(entry);
            let process = processes.entry(number).or_insert_with(|| {
                let process = Process::from_view(&batch.process(number));
                process.tags.iter().for_each(|tag| self.tag(tag, findings));
                Arc::new(process)
            });
            let span = Span::from_view(&batch.view(entry), process.clone());
            span.tags.iter().chain(span.logs.iter().flat_map(|log| &log.fields)).for_each(|tag| self.tag(tag, findings));
            let kind = match span.tags.iter().find(|tag| tag.key == "span.kind").map(|tag| &tag.value) {
                Some(Value::String(kind)) => kind,
                _ => "",
            };
            if !self.operations.contains(&(span.process.service_name.as_str(), span.operation_name.as_str(), kind)) {
                let (service, operation) = (&span.process.service_name, &span.operation_name);
                findings.add(format!("the sidecar lists no operation {operation:?} of kind {kind:?} of {service:?}"));
            }
        }
    }

    fn tag(&self, tag: &Tag, findings: &mut Findings) {
        if !self.block.sidecar.tags.contains(tag_hash(tag.key.as_bytes(), tag.value.as_text().as_bytes())) {
            findings.add(format!("the filter does not have the tag {:?}={:?}", tag.key, tag.value.as_text()));
        }
    }

    /// After the last page.
    pub fn finish(self, findings: &mut Findings) {
        if Runs::of(self.ids.into_iter()) != self.block.sidecar.runs {
            findings.add("the sidecar's list of traces is not that of the rows");
        }
    }
}

fn rest_keys(rest: &[u8], about: &About, findings: &mut Findings) {
    if rest.is_empty() {
        return;
    }
    let mut key = |key: &[u8]| {
        if !about.may_rest_have(key) {
            let key = String::from_utf8_lossy(key);
            findings.add(format!("the key {key:?} of what has no column is not in the sidecar's list"));
        }
    };
    let view = SpanView::of(rest, b"");
    view.attributes().for_each(|kv| key(kv.key));
    view.events().for_each(|event| event.for_each_field(|name, _| key(name)));
}
