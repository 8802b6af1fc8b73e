//! A load as Kafka messages: what the collector would produce, made beforehand.

use crate::Failure;
use crate::spans::Load;
use skua_codec::jaeger::encode::{put_process, put_span};
use skua_model::{SpanBatch, partition, regroup};
use std::str::FromStr;

/// `--kafka.producer.encoding`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// One `TracesData` for each request and partition.
    OtlpProto,
    /// One `jaeger.api_v2.Span` for each span, keyed by its trace id.
    Protobuf,
}

impl FromStr for Encoding {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        match s {
            "otlp-proto" => Ok(Self::OtlpProto),
            "protobuf" => Ok(Self::Protobuf),
            _ => Err(format!("unknown encoding {s:?}, use otlp-proto or protobuf")),
        }
    }
}

/// One message.
#[derive(Debug)]
pub struct Message {
    /// Where it goes.
    pub partition: i32,
    /// Empty, or the trace id.
    pub key: Vec<u8>,
    /// The encoded spans.
    pub value: Vec<u8>,
}

/// Kafka's default limit of a message, less some room for its header.
const MAX_BYTES: usize = 1_000_000;

/// The messages of each request.
pub fn encode(load: Load, encoding: Encoding, partitions: u32) -> Result<Vec<Vec<Message>>, Failure> {
    let messages = |request| {
        let batch = SpanBatch::parse(request)?;
        Ok(match encoding {
            Encoding::OtlpProto => sliced(&batch, partitions),
            Encoding::Protobuf => one_by_one(&batch, partitions),
        })
    };
    load.requests.into_iter().map(messages).collect()
}

fn sliced(batch: &SpanBatch, partitions: u32) -> Vec<Message> {
    let groups = regroup(batch, partitions, MAX_BYTES);
    let message = |(partition, value, _): (u32, &[u8], u32)| Message {
        partition: partition as i32,
        key: Vec::new(),
        value: value.to_vec(),
    };
    groups.iter().map(message).collect()
}

fn one_by_one(batch: &SpanBatch, partitions: u32) -> Vec<Message> {
    let (mut messages, mut process, mut resource) = (Vec::with_capacity(batch.len()), Vec::new(), None);
    for span in batch.spans() {
        if resource != Some(batch.resource_of(span)) {
            resource = Some(batch.resource_of(span));
            process.clear();
            put_process(&mut process, &batch.process(batch.resource_of(span)));
        }
        let (mut hex, mut value) = ([0; 32], Vec::new());
        let length = partition::trace_hex(&span.trace_id, &mut hex);
        put_span(&mut value, &batch.view(span), &process);
        let partition = partition::sarama(&hex[..length], partitions) as i32;
        messages.push(Message { partition, key: hex[..length].to_vec(), value });
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spans::{Config, generate};

    #[test]
    fn no_span_is_lost_between_the_request_and_its_messages() {
        let load = generate(&Config::new(1000, 200));
        let sliced = encode(load.clone(), Encoding::OtlpProto, 3).unwrap();
        assert_eq!(sliced.iter().map(Vec::len).sum::<usize>(), 15, "five requests, three partitions");
        let count = |m: &Message| SpanBatch::parse(m.value.clone()).unwrap().len();
        assert_eq!(sliced.iter().flatten().map(count).sum::<usize>(), 1000);
        let single = encode(load, Encoding::Protobuf, 3).unwrap();
        assert_eq!(single.iter().map(Vec::len).sum::<usize>(), 1000);
        assert!(single.iter().flatten().all(|m| m.key.len() == 32 && (0..3).contains(&m.partition)));
    }
}
