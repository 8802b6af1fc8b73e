//! Traces of the spans that come: a server may send a trace in several messages, and Jaeger's clients take a trace whose spans do not
//! lie side by side for several; here they are one.

use bytes::Bytes;
use skua_model::{Process, Refusals, Span, SpanBatch, Trace, TraceId};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

/// What has come so far.
pub(crate) struct Traces {
    /// In the order in which their first spans came.
    traces: Vec<Trace>,
    places: HashMap<TraceId, usize>,
    refused: Refusals,
    bytes: usize,
    max_bytes: usize,
}

impl Traces {
    /// Takes answers of `max_bytes` at most.
    pub fn new(max_bytes: usize) -> Self {
        Self { traces: Vec::new(), places: HashMap::new(), refused: Refusals::default(), bytes: 0, max_bytes }
    }

    /// Counts a message as it came; breaks off when that is more than may come.
    pub fn room(&mut self, message: &Bytes) -> ControlFlow<()> {
        self.bytes += message.len();
        if self.is_cut() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// More has come than may come; what did not fit is left out.
    pub fn is_cut(&self) -> bool {
        self.bytes > self.max_bytes
    }

    /// Spans that came and are not sound: nothing can be done with them.
    pub fn refused(&self) -> &Refusals {
        &self.refused
    }

    /// Adds a message's spans.
    pub fn add(&mut self, batch: &SpanBatch) {
        batch.refused().iter().for_each(|(why, n)| self.refused.add_many(why, n as u32));
        let mut current = (u32::MAX, Arc::default());
        for entry in batch.spans() {
            let resource = batch.resource_of(entry);
            if current.0 != resource {
                current = (resource, Arc::new(Process::from_view(&batch.process(resource))));
            }
            let id = TraceId(entry.trace_id);
            let place = *self.places.entry(id).or_insert(self.traces.len());
            if place == self.traces.len() {
                self.traces.push(Trace::default());
            }
            self.traces[place].spans.push(Span::from_view(&batch.view(entry), Arc::clone(&current.1)));
        }
    }

    /// Spans in order of start.
    pub fn finish(mut self) -> Vec<Trace> {
        self.traces.iter_mut().for_each(|trace| trace.spans.sort_by_key(|s| (s.start_time, s.span_id)));
        self.traces
    }
}
