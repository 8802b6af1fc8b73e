//! Traces as OTLP, in messages that every client takes.

use crate::chunks::{BYTES, SPANS};
use prost::Message;
use skua_model::Trace;
use skua_proto::otlp::trace::v1::TracesData;
use skua_query::otlp::traces_data;

/// One trace as `TracesData`, made when they are asked for: one message, unless it would be too long.
pub(crate) struct Pieces {
    /// What is left, the next part last.
    left: Vec<Trace>,
}

impl Pieces {
    pub fn new(trace: Trace) -> Self {
        Self { left: vec![trace] }
    }

    /// Puts the spans after the first `keep` of a part aside.
    fn cut(&mut self, part: &mut Trace, keep: usize) {
        let rest = Trace { spans: part.spans.split_off(keep) };
        self.left.push(rest);
    }
}

impl Iterator for Pieces {
    type Item = TracesData;

    fn next(&mut self) -> Option<TracesData> {
        let mut part = self.left.pop().filter(|part| !part.spans.is_empty())?;
        if part.spans.len() > SPANS {
            self.cut(&mut part, SPANS);
        }
        loop {
            let data = traces_data(&part);
            if part.spans.len() == 1 || data.encoded_len() <= BYTES {
                return Some(data);
            }
            let half = part.spans.len() / 2;
            self.cut(&mut part, half);
        }
    }
}
