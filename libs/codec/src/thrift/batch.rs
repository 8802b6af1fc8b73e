//! `jaeger.Batch`: the process first, as all clients write it, then its spans straight as OTLP.

use super::error::{at, require};
use super::reader::{Reader, Type};
use super::tag::{self, List};
use super::{ClientReport, ThriftError, span};
use crate::jaeger::span::Resource;
use skua_model::AnyValue;

/// What a batch has beside spans.
pub(super) struct Batch {
    pub spans: usize,
    pub client: Option<ClientReport>,
}

/// A `Process`, its tags checked but not yet written.
struct Process<'a, R> {
    service: &'a [u8],
    tags: List<R>,
    /// Value of the first tag `client-uuid`, if that is a text.
    client_uuid: &'a [u8],
}

/// Reads a batch and appends one `ResourceSpans`, or nothing when it has no spans. With an error `out` is to be truncated.
pub(super) fn put<'a, R: Reader<'a>>(r: &mut R, format_tag: Option<&str>, out: &mut Vec<u8>) -> Result<Batch, ThriftError> {
    let from = out.len();
    let (mut process, mut spans, mut seq_no, mut stats) = (None, None, None, Stats::default());
    let (mut count, mut written, mut last) = (0, false, 0);
    while let Some(field) = r.field(&mut last).map_err(at("Batch"))? {
        match (field.id, field.kind) {
            (1, Type::Struct) => {
                process = Some(Process::read(r)?);
                written = false;
            }
            (2, Type::List) => {
                let again = spans.is_some();
                spans = Some(r.clone());
                // Spans before their process, or more than once, wait for the end; else a process could be written many times.
                written = match &process {
                    Some(process) if !again => {
                        count = process.put_with(r, format_tag, out)?;
                        true
                    }
                    _ => {
                        List::pass(r).map_err(at("Batch.spans"))?;
                        false
                    }
                };
            }
            (3, Type::I64) => seq_no = Some(r.i64().map_err(at("Batch.seqNo"))?),
            (4, Type::Struct) => stats = Stats::read(r)?,
            _ => r.skip(&field).map_err(at("Batch"))?,
        }
    }
    let process = process.ok_or(ThriftError::Missing("Batch.process"))?;
    let mut spans = spans.ok_or(ThriftError::Missing("Batch.spans"))?;
    if !written {
        out.truncate(from);
        count = process.put_with(&mut spans, format_tag, out)?;
    }
    let client = seq_no.and_then(|seq_no| process.client(seq_no, &stats));
    Ok(Batch { spans: count, client })
}

impl<'a, R: Reader<'a>> Process<'a, R> {
    fn read(r: &mut R) -> Result<Self, ThriftError> {
        let (mut service, mut tags, mut seen, mut last) = (&b""[..], List::default(), 0, 0);
        while let Some(field) = r.field(&mut last).map_err(at("Process"))? {
            match (field.id, field.kind) {
                (1, Type::Binary) => {
                    service = r.binary().map_err(at("Process.serviceName"))?;
                    seen |= 1 << 1;
                }
                (2, Type::List) => tags = List::pass(r).map_err(at("Process.tags"))?,
                _ => r.skip(&field).map_err(at("Process"))?,
            }
        }
        require(seen, &[(1, "Process.serviceName")])?;
        let mut client_uuid = None;
        for tag in tags.read(tag::read) {
            if let (b"client-uuid", value) = tag? {
                client_uuid.get_or_insert(if let AnyValue::String(s) = value { s } else { b"" });
            }
        }
        Ok(Self { service, tags, client_uuid: client_uuid.unwrap_or_default() })
    }

    /// Reads a list of spans and writes it under this process; says how many there were.
    fn put_with(&self, r: &mut R, format_tag: Option<&str>, out: &mut Vec<u8>) -> Result<usize, ThriftError> {
        let left = r.remaining();
        let count = r.structs().map_err(at("Batch.spans"))?;
        if count == 0 {
            return Ok(0);
        }
        let resource = Resource::open(out, self.service, self.tags.len, left);
        for tag in self.tags.read(tag::read) {
            let (key, value) = tag?;
            Resource::put_tag(out, key, value);
        }
        let group = resource.spans(out, left);
        for index in 0..count {
            span::put(r, format_tag, out).map_err(|e| ThriftError::InBatch { index, source: Box::new(e) })?;
        }
        group.close(out);
        Ok(count)
    }

    /// The client's own counters, when it says who it is.
    fn client(&self, seq_no: i64, stats: &Stats) -> Option<ClientReport> {
        (!self.client_uuid.is_empty()).then(|| ClientReport {
            client_uuid: String::from_utf8_lossy(self.client_uuid).into_owned(),
            seq_no,
            full_queue_dropped_spans: stats.full_queue,
            too_large_dropped_spans: stats.too_large,
            failed_to_emit_spans: stats.failed,
        })
    }
}

/// `ClientStats`.
#[derive(Default)]
struct Stats {
    full_queue: i64,
    too_large: i64,
    failed: i64,
}

impl Stats {
    fn read<'a, R: Reader<'a>>(r: &mut R) -> Result<Self, ThriftError> {
        let (mut stats, mut seen, mut last) = (Self::default(), 0, 0);
        while let Some(field) = r.field(&mut last).map_err(at("ClientStats"))? {
            match (field.id, field.kind) {
                (1, Type::I64) => stats.full_queue = r.i64().map_err(at("ClientStats.fullQueueDroppedSpans"))?,
                (2, Type::I64) => stats.too_large = r.i64().map_err(at("ClientStats.tooLargeDroppedSpans"))?,
                (3, Type::I64) => stats.failed = r.i64().map_err(at("ClientStats.failedToEmitSpans"))?,
                _ => {
                    r.skip(&field).map_err(at("ClientStats"))?;
                    continue;
                }
            }
            seen |= 1_u32 << field.id;
        }
        let required = [
            (1, "ClientStats.fullQueueDroppedSpans"),
            (2, "ClientStats.tooLargeDroppedSpans"),
            (3, "ClientStats.failedToEmitSpans"),
        ];
        require(seen, &required)?;
        Ok(stats)
    }
}
