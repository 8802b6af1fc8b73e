//! The envelope around traces, written as they come.

use crate::answer::Failed;
use skua_model::Span;
use skua_query::json::{self, ErrorItem, Indent, TraceWriter};
use skua_query::{Answers, Held, Item};
use std::vec;

/// Bytes of a chunk before it is sent.
const CHUNK: usize = 64 << 10;

/// An answer in pieces. Spans are given up as they are written.
pub(crate) struct TracesBody {
    answers: Answers,
    indent: Option<Indent>,
    writing: Option<Writing>,
    traces: usize,
    errors: Vec<ErrorItem>,
    begun: bool,
    done: bool,
}

struct Writing {
    spans: vec::IntoIter<Span>,
    writer: TraceWriter,
    /// Holds its room until the trace is written.
    _held: Held,
}

impl TracesBody {
    pub fn new(pretty: bool, answers: Answers) -> Self {
        let indent = pretty.then(Indent::default);
        Self { answers, indent, writing: None, traces: 0, errors: Vec::new(), begun: false, done: false }
    }

    /// The last piece was given.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// The next piece; `None` at the end.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        if self.done {
            return None;
        }
        let mut out = Vec::with_capacity(CHUNK + CHUNK / 4);
        if !self.begun {
            self.begun = true;
            json::put_head(&mut out);
            out.push(b'[');
        }
        while !self.done && out.len() < CHUNK {
            self.step(&mut out).await;
        }
        Some(match &mut self.indent {
            Some(indent) => {
                let mut indented = Vec::with_capacity(out.len() * 2);
                indent.add(&out, &mut indented);
                indented
            }
            None => out,
        })
    }

    /// Writes a span, or what comes between.
    async fn step(&mut self, out: &mut Vec<u8>) {
        if let Some(mut writing) = self.writing.take() {
            match writing.spans.next() {
                Some(span) => {
                    writing.writer.span(out, &span);
                    self.writing = Some(writing);
                }
                None => writing.writer.end(out),
            }
            return;
        }
        match self.answers.next().await {
            Some(Ok(Item::Trace(held))) => self.begin(out, held),
            Some(Ok(Item::Missing(id))) => {
                self.errors.push(ErrorItem { code: 0, msg: "trace not found".to_owned(), trace_id: Some(id) });
            }
            Some(Ok(Item::Partial(msg))) => self.errors.push(ErrorItem { msg, ..ErrorItem::default() }),
            // The status was sent; nothing follows it.
            Some(Err(e)) => self.errors.push(Failed::from(e).item()),
            None => {
                out.push(b']');
                json::put_tail(out, 0, &self.errors);
                self.done = true;
            }
        }
    }

    fn begin(&mut self, out: &mut Vec<u8>, mut held: Held) {
        if self.traces > 0 {
            out.push(b',');
        }
        self.traces += 1;
        let spans = std::mem::take(&mut held.trace.spans);
        let id = spans.first().map(|s| s.trace_id).unwrap_or_default();
        self.writing = Some(Writing { writer: TraceWriter::begin(out, id), spans: spans.into_iter(), _held: held });
    }
}
