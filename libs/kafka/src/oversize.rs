//! Messages that the broker called too large: alone, then halved, then to the dead letters.

use crate::client::send_error;
use crate::config::ProducerConfig;
use crate::dead_letter::{DeadLetter, DeadLetters};
use crate::delivery::{Delivery, Failures, Outgoing, Undelivered};
use crate::link::Link;
use crate::split::Plan;
use rdkafka::error::RDKafkaErrorCode;
use skua_model::{SpanBatch, SpanId, TraceId, partition};
use skua_store::{ErrorKind, RefusedSpan, StoreError};

/// The second part of a request's delivery.
pub(crate) struct Oversize<'a> {
    pub link: &'a Link,
    /// The plan that made the messages.
    pub plan: Plan,
    pub batch: &'a SpanBatch,
    pub config: &'a ProducerConfig,
    pub dead_letters: &'a DeadLetters,
}

impl Oversize<'_> {
    /// Delivers the spans of `returned`, messages of this batch that came back, and of `oversize`, spans that librdkafka itself
    /// did not take. Returns those that Kafka refuses; they are in the dead-letter topic.
    ///
    /// The broker's limit is on a record batch, in which librdkafka puts several messages: so each message is first sent
    /// again as it was, in a batch of its own, and only then halved.
    pub async fn deliver(&self, returned: Vec<Undelivered>, mut oversize: Vec<u32>) -> Result<Vec<RefusedSpan>, StoreError> {
        let mut groups = self.spans_of(returned)?;
        while !groups.is_empty() {
            let still = self.send_alone(groups).await?;
            groups = Vec::new();
            for mut first in still {
                let second = first.split_off(first.len() / 2);
                if first.is_empty() {
                    oversize.extend(second);
                } else {
                    groups.extend([first, second]);
                }
            }
        }
        oversize.sort_unstable();
        let mut refused = Vec::with_capacity(oversize.len());
        for span in oversize {
            refused.push(self.bury(span).await?);
        }
        Ok(refused)
    }

    /// Which spans of the batch the messages were made of: the plan makes the same messages again.
    fn spans_of(&self, mut returned: Vec<Undelivered>) -> Result<Vec<Vec<u32>>, StoreError> {
        let mut groups = Vec::with_capacity(returned.len());
        let Ok(()) = self.plan.messages(self.batch, |message| {
            let same = |u: &Undelivered| u.partition == message.partition as i32 && u.payload == message.payload;
            if let Some(at) = returned.iter().position(same) {
                returned.swap_remove(at);
                groups.push(message.spans.to_vec());
            }
            Ok::<_, std::convert::Infallible>(())
        });
        if !returned.is_empty() {
            return Err(StoreError::new(ErrorKind::Internal, "send to Kafka again: a message is not of this request"));
        }
        Ok(groups)
    }

    /// Sends each group as one message in a record batch of its own; returns those that are too large.
    async fn send_alone(&self, groups: Vec<Vec<u32>>) -> Result<Vec<Vec<u32>>, StoreError> {
        let producer = self.link.alone()?;
        let topic = self.config.topic.as_str();
        let (mut under_way, mut too_large, mut payload) = (Vec::new(), Vec::new(), Vec::new());
        for spans in groups {
            let trace_id = &self.batch.spans()[spans[0] as usize].trace_id;
            payload.clear();
            self.plan.encode(self.batch, &spans, &mut payload);
            let partition = partition::of_trace(trace_id, self.plan.partitions) as i32;
            let mut key = [0; 32];
            let key = self.plan.key(trace_id, &mut key);
            let delivery = Delivery::new(None);
            let message = Outgoing { topic, partition: Some(partition), key, payload: &payload, headers: None };
            match delivery.send(&producer, message) {
                Ok(()) => under_way.push((spans, delivery)),
                Err(RDKafkaErrorCode::MessageSizeTooLarge) => too_large.push(spans),
                Err(code) => return Err(send_error(topic, code)),
            }
        }
        for (spans, delivery) in under_way {
            match delivery.wait().await {
                Failures { other: Some(code), .. } => return Err(send_error(topic, code)),
                Failures { too_large: returned, .. } if !returned.is_empty() => too_large.push(spans),
                _ => {}
            }
        }
        Ok(too_large)
    }

    async fn bury(&self, span: u32) -> Result<RefusedSpan, StoreError> {
        let view = self.batch.view(&self.batch.spans()[span as usize]);
        let mut payload = Vec::new();
        self.plan.encode(self.batch, &[span], &mut payload);
        let detail = format!("{} bytes, the topic takes {}", payload.len(), self.link.max_payload);
        let mut key = [0; 32];
        let letter = DeadLetter {
            reason: "message-too-large",
            detail: &detail,
            topic: &self.config.topic,
            source: None,
            span: Some((TraceId(view.trace_id), SpanId(view.span_id))),
            key: self.plan.key(&view.trace_id, &mut key),
            payload: &payload,
        };
        self.dead_letters.send(letter).await?;
        Ok(RefusedSpan { span, reason: "too-large", detail })
    }
}
