//! The OTLP around the spans: those side by side with the same resource and scope share a `ResourceSpans`.

use crate::frame::Frame;
use skua_model::wire::put_bytes;

/// An open `ResourceSpans` and in it an open `ScopeSpans`, and what they begin with.
#[derive(Default)]
pub(super) struct Groups {
    open: Option<(Frame, Frame)>,
    /// The content of the open group's `Resource`.
    resource: Vec<u8>,
    /// The content of its `InstrumentationScope`; empty when it has none.
    scope: Vec<u8>,
    /// The same of the next span.
    next: Header,
}

/// The contents of a `Resource` and of an `InstrumentationScope`.
#[derive(Default)]
pub(super) struct Header {
    pub resource: Vec<u8>,
    pub scope: Vec<u8>,
}

impl Groups {
    /// Afterwards a span can be written as field 2. `expected` is about how many bytes may come until the end.
    pub fn enter(&mut self, out: &mut Vec<u8>, expected: usize, write: impl FnOnce(&mut Header)) {
        self.next.resource.clear();
        self.next.scope.clear();
        write(&mut self.next);
        if self.open.is_some() && self.next.resource == self.resource && self.next.scope == self.scope {
            return;
        }
        self.close(out);
        std::mem::swap(&mut self.resource, &mut self.next.resource);
        std::mem::swap(&mut self.scope, &mut self.next.scope);
        let resource_spans = Frame::open(out, 1, expected);
        put_bytes(out, 1, &self.resource);
        let scope_spans = Frame::open(out, 2, expected);
        if !self.scope.is_empty() {
            put_bytes(out, 1, &self.scope);
        }
        self.open = Some((resource_spans, scope_spans));
    }

    /// A span without a trace, which the batch refuses and counts. Thrift has it in one byte: were it written whole, a request
    /// of zeros would become sixty times as long.
    pub fn put_empty(&self, out: &mut Vec<u8>) {
        put_bytes(out, 2, b"");
    }

    /// After the last span.
    pub fn close(&mut self, out: &mut Vec<u8>) {
        if let Some((resource_spans, scope_spans)) = self.open.take() {
            scope_spans.close(out);
            resource_spans.close(out);
        }
    }
}
