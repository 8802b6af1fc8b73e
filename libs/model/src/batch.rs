//! One OTLP message and where its spans lie, found and checked in one pass.

use crate::Refusals;
use crate::check::{DecodeError, Fault, Marks, Times, Walk};
use crate::otlp::*;
use crate::view::{ProcessView, SpanView};
use crate::wire::Cursor;
use bytes::Bytes;
use std::ops::Range;

/// A byte range of the batch.
pub(crate) type Piece = Range<u32>;

/// One span of a batch: 32 bytes.
#[derive(Debug, Clone)]
pub struct SpanEntry {
    /// Big-endian; never zero.
    pub trace_id: [u8; 16],
    /// The whole `spans` field inside the batch: tag, length and body.
    pub field: Range<u32>,
    /// Length of tag and length prefix.
    pub(crate) prefix: u16,
    pub(crate) marks: Marks,
    pub(crate) scope: u32,
}

impl SpanEntry {
    /// True without a parent.
    pub fn is_root(&self) -> bool {
        self.marks.has(Marks::ROOT)
    }

    /// True when Jaeger's debug flag (2) is set.
    pub fn is_debug(&self) -> bool {
        self.marks.has(Marks::DEBUG)
    }

    /// True when the span came in Jaeger's own model ([`crate::otlp::JAEGER_FLAGS`]).
    pub fn is_jaeger(&self) -> bool {
        self.marks.has(Marks::JAEGER)
    }

    /// Bytes of the span with its tag and length.
    pub fn size(&self) -> usize {
        self.field.len()
    }

    /// Bytes of the `Span` message alone.
    pub fn body_size(&self) -> usize {
        self.field.len() - usize::from(self.prefix)
    }
}

/// `resource` or `scope` and everything beside it that is not a list of children, as pieces of the batch in wire order.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    /// Index range into the piece table.
    pub pieces: Range<u32>,
    /// Index of the enclosing resource (scopes only).
    pub parent: u32,
}

/// An OTLP `TracesData` or `ExportTraceServiceRequest` (the same on the wire) and the index of its spans.
///
/// The index lists the sound spans only; those that were refused are counted in [`SpanBatch::refused`] and are in none of
/// the batch's outputs, though their bytes are still inside [`SpanBatch::bytes`]; so are those that [`SpanBatch::retain`] left out.
#[derive(Debug, Default)]
pub struct SpanBatch {
    bytes: Bytes,
    pub(crate) index: Index,
    /// [`SpanBatch::retain`] left something out.
    narrowed: bool,
}

/// Where everything lies: five small vectors, 32 bytes a span.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pub spans: Vec<SpanEntry>,
    pub scopes: Vec<Header>,
    pub resources: Vec<Header>,
    pub scope_pieces: Vec<Piece>,
    pub resource_pieces: Vec<Piece>,
    pub refused: Refusals,
    /// Strings that are not UTF-8.
    pub bad_strings: u32,
    /// Spans that do not end after they start.
    pub backward: u32,
    /// Resources with spans in which no service name was seen.
    pub nameless: u32,
    /// Between which times all spans lie.
    pub times: Times,
}

impl Index {
    /// Reads the message that starts at `from` and ends with `batch`.
    fn scan(&mut self, batch: &[u8], from: usize) -> Result<(), DecodeError> {
        if batch.len() > u32::MAX as usize {
            return Err(DecodeError::TooLong);
        }
        let mut walk = Walk::new(batch);
        let mut c = Cursor::new(&batch[from..]);
        while let Some(tag) = c.tag()? {
            match tag {
                traces_data::RESOURCE_SPANS => self.resource_spans(&mut walk, c.bytes()?)?,
                _ => c.skip(tag, traces_data::KNOWN)?,
            }
        }
        self.bad_strings += walk.bad_strings;
        self.backward += walk.backward;
        self.nameless += walk.nameless;
        self.times.widen(walk.times);
        Ok(())
    }

    fn resource_spans(&mut self, walk: &mut Walk, body: &[u8]) -> Result<(), Fault> {
        let parent = self.resources.len() as u32;
        let first_piece = self.resource_pieces.len() as u32;
        let (spans_before, mut named) = (self.spans.len(), None);
        let mut c = Cursor::new(body);
        loop {
            let start = body.len() - c.remaining();
            let Some(tag) = c.tag()? else { break };
            match tag {
                resource_spans::SCOPE_SPANS => {
                    self.scope_spans(walk, c.bytes()?, parent)?;
                    continue;
                }
                resource_spans::RESOURCE => walk.resource(c.bytes()?, &mut named)?,
                resource_spans::SCHEMA_URL => walk.text(c.bytes()?),
                _ => c.skip(tag, resource_spans::KNOWN)?,
            }
            let piece = walk.piece(body, start, body.len() - c.remaining());
            add_piece(&mut self.resource_pieces, first_piece, piece);
        }
        walk.nameless += u32::from(named != Some(true) && self.spans.len() > spans_before);
        self.resources.push(Header { pieces: first_piece..self.resource_pieces.len() as u32, parent });
        Ok(())
    }

    fn scope_spans(&mut self, walk: &mut Walk, body: &[u8], parent: u32) -> Result<(), Fault> {
        let scope = self.scopes.len() as u32;
        let first_piece = self.scope_pieces.len() as u32;
        let mut c = Cursor::new(body);
        loop {
            let start = body.len() - c.remaining();
            let Some(tag) = c.tag()? else { break };
            match tag {
                scope_spans::SPANS => {
                    let span = c.bytes()?;
                    let field = walk.piece(body, start, body.len() - c.remaining());
                    let prefix = (field.len() - span.len()) as u16;
                    match walk.span(span) {
                        Ok((trace_id, marks)) => self.spans.push(SpanEntry { trace_id, field, prefix, marks, scope }),
                        Err(why) => self.refused.add(why),
                    }
                    continue;
                }
                scope_spans::SCOPE => walk.scope(c.bytes()?)?,
                scope_spans::SCHEMA_URL => walk.text(c.bytes()?),
                _ => c.skip(tag, scope_spans::KNOWN)?,
            }
            let piece = walk.piece(body, start, body.len() - c.remaining());
            add_piece(&mut self.scope_pieces, first_piece, piece);
        }
        self.scopes.push(Header { pieces: first_piece..self.scope_pieces.len() as u32, parent });
        Ok(())
    }

    /// Takes back what a failed [`Index::scan`] added.
    fn truncate(&mut self, to: &Mark) {
        self.spans.truncate(to.spans);
        self.scopes.truncate(to.scopes);
        self.resources.truncate(to.resources);
        self.scope_pieces.truncate(to.scope_pieces);
        self.resource_pieces.truncate(to.resource_pieces);
        self.refused = to.refused;
    }

    fn mark(&self) -> Mark {
        Mark {
            spans: self.spans.len(),
            scopes: self.scopes.len(),
            resources: self.resources.len(),
            scope_pieces: self.scope_pieces.len(),
            resource_pieces: self.resource_pieces.len(),
            refused: self.refused,
        }
    }
}

struct Mark {
    spans: usize,
    scopes: usize,
    resources: usize,
    scope_pieces: usize,
    resource_pieces: usize,
    refused: Refusals,
}

impl SpanBatch {
    /// Finds and checks all spans. Never panics; allocates at most in proportion to the bytes.
    ///
    /// # Errors
    /// When the frame around the spans cannot be read. A span that cannot be read is only counted in [`SpanBatch::refused`].
    pub fn parse(bytes: impl Into<Bytes>) -> Result<Self, DecodeError> {
        let bytes = bytes.into();
        let mut index = Index::default();
        index.scan(&bytes, 0)?;
        Ok(Self { bytes, index, narrowed: false })
    }

    /// The whole message, refused spans included.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The sound spans, in wire order.
    pub fn spans(&self) -> &[SpanEntry] {
        &self.index.spans
    }

    /// Sound spans.
    pub fn len(&self) -> usize {
        self.index.spans.len()
    }

    /// True without a sound span.
    pub fn is_empty(&self) -> bool {
        self.index.spans.is_empty()
    }

    /// Spans that were left out, by reason.
    pub fn refused(&self) -> &Refusals {
        &self.index.refused
    }

    /// Strings that are not UTF-8; [`crate::repair`] replaces them.
    pub fn bad_strings(&self) -> u32 {
        self.index.bad_strings
    }

    /// Spans that do not end after they start; [`crate::repair`] mends them.
    pub fn backward_spans(&self) -> u32 {
        self.index.backward
    }

    /// Resources whose service name is absent, empty or not a string; [`crate::repair`] names them.
    pub fn nameless_resources(&self) -> u32 {
        self.index.nameless
    }

    /// Leaves out the spans that `keep` does not want: of the index only, which costs next to nothing. They stay in
    /// [`SpanBatch::bytes`], as refused spans do, and are in none of the batch's outputs.
    pub fn retain(&mut self, keep: impl FnMut(&SpanEntry) -> bool) {
        let before = self.index.spans.len();
        self.index.spans.retain(keep);
        self.narrowed |= self.index.spans.len() < before;
    }

    /// True when [`SpanBatch::bytes`] has no span but those of the index: none was refused, and none left out.
    pub fn is_whole(&self) -> bool {
        !self.narrowed && self.index.refused.total() == 0
    }

    pub(crate) fn from_parts(bytes: Bytes, index: Index) -> Self {
        Self { bytes, index, narrowed: false }
    }

    pub(crate) fn slice(&self, r: &Piece) -> &[u8] {
        &self.bytes[r.start as usize..r.end as usize]
    }

    /// A resource as Jaeger's process. Read it once per resource, not once per span.
    pub fn process(&self, resource: u32) -> ProcessView<'_> {
        ProcessView::read(self.resource_pieces(resource))
    }

    /// The service name of [`SpanBatch::process`], for counting.
    pub fn service(&self, resource: u32) -> &[u8] {
        ProcessView::read_service(self.resource_pieces(resource))
    }

    /// The bytes of a resource and what lies beside it, for telling equal resources apart from others.
    pub fn resource_pieces(&self, resource: u32) -> impl Iterator<Item = &[u8]> + Clone {
        let h = &self.index.resources[resource as usize];
        h.pieces.clone().map(|i| self.slice(&self.index.resource_pieces[i as usize]))
    }

    /// The number of a span's resource, for [`SpanBatch::process`].
    pub fn resource_of(&self, span: &SpanEntry) -> u32 {
        self.index.scopes[span.scope as usize].parent
    }

    /// The number of a span's scope: spans of one scope lie side by side.
    pub fn scope_of(&self, span: &SpanEntry) -> u32 {
        span.scope
    }

    /// The bytes of a scope and what lies beside it, as [`SpanBatch::resource_pieces`].
    pub fn scope_pieces(&self, scope: u32) -> impl Iterator<Item = &[u8]> + Clone {
        let h = &self.index.scopes[scope as usize];
        h.pieces.clone().map(|i| self.slice(&self.index.scope_pieces[i as usize]))
    }

    /// A borrowed view of one span.
    pub fn view(&self, span: &SpanEntry) -> SpanView<'_> {
        SpanView::read(self.span_body(span), self.scope_pieces(span.scope))
    }

    /// The bytes of the `Span` message.
    pub fn span_body(&self, span: &SpanEntry) -> &[u8] {
        &self.slice(&span.field)[usize::from(span.prefix)..]
    }
}

/// Puts several messages into one batch: one after the other they are again one `TracesData`.
#[derive(Debug, Default)]
pub struct BatchBuilder {
    bytes: Vec<u8>,
    index: Index,
}

impl BatchBuilder {
    /// Appends what `write` writes, a whole `TracesData`, and returns the numbers of its sound spans.
    ///
    /// # Errors
    /// As [`SpanBatch::parse`], or what `write` returned; the builder is then as before.
    pub fn push_with<E: From<DecodeError>>(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<Range<usize>, E> {
        let (from, mark) = (self.bytes.len(), self.index.mark());
        let pushed = write(&mut self.bytes).and_then(|()| Ok(self.index.scan(&self.bytes, from)?));
        if let Err(e) = pushed {
            self.bytes.truncate(from);
            self.index.truncate(&mark);
            return Err(e);
        }
        Ok(mark.spans..self.index.spans.len())
    }

    /// Appends a copy of a message.
    ///
    /// # Errors
    /// As [`SpanBatch::parse`]; the builder is then as before.
    pub fn push(&mut self, message: &[u8]) -> Result<Range<usize>, DecodeError> {
        self.push_with(|out| {
            out.extend_from_slice(message);
            Ok(())
        })
    }

    /// Bytes so far.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Sound spans so far.
    pub fn len(&self) -> usize {
        self.index.spans.len()
    }

    /// True without a sound span.
    pub fn is_empty(&self) -> bool {
        self.index.spans.is_empty()
    }

    /// Spans left out so far.
    pub fn refused(&self) -> &Refusals {
        &self.index.refused
    }

    /// The batch.
    pub fn finish(self) -> SpanBatch {
        SpanBatch { bytes: self.bytes.into(), index: self.index, narrowed: false }
    }
}

/// Appends a piece, joined to the one before when they touch.
fn add_piece(pieces: &mut Vec<Piece>, first: u32, p: Piece) {
    if pieces.len() as u32 > first
        && let Some(last) = pieces.last_mut()
        && last.end == p.start
    {
        last.end = p.end;
        return;
    }
    pieces.push(p);
}
