//! One request's wait for all of its messages: a counter and one wake-up, however many messages there are.

use crate::client::{Producer, code};
use parking_lot::Mutex;
use rdkafka::Message as _;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::{DeliveryResult, OwnedHeaders};
use rdkafka::producer::BaseRecord;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

/// Waits for the acknowledgements of some messages.
pub(crate) struct Delivery {
    /// Messages not yet answered, plus one while messages are still being handed over.
    open: AtomicUsize,
    done: Notify,
    failures: Mutex<Failures>,
    /// Given back with the last acknowledgement, whoever waits for it.
    _room: Option<Room>,
}

/// What was not delivered.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    /// Messages that the broker called too large. It says so of a whole batch of them.
    pub too_large: Vec<Undelivered>,
    /// Another reason, the first one seen.
    pub other: Option<RDKafkaErrorCode>,
}

/// A message that came back.
#[derive(Debug)]
pub(crate) struct Undelivered {
    pub partition: i32,
    pub payload: Vec<u8>,
}

/// Bytes taken from a bound; they return when this is dropped.
pub(crate) struct Room {
    of: Arc<AtomicUsize>,
    bytes: usize,
}

impl Room {
    /// Takes `bytes`, unless more than `max` would then be taken. The first taker always gets its bytes.
    pub fn take(of: &Arc<AtomicUsize>, bytes: usize, max: usize) -> Option<Self> {
        let before = of.fetch_add(bytes, Ordering::Relaxed);
        let room = Self { of: of.clone(), bytes };
        (before == 0 || before.saturating_add(bytes) <= max).then_some(room)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.of.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A message on its way in.
pub(crate) struct Outgoing<'a> {
    pub topic: &'a str,
    /// `None`: librdkafka chooses.
    pub partition: Option<i32>,
    pub key: &'a [u8],
    pub payload: &'a [u8],
    pub headers: Option<OwnedHeaders>,
}

impl Delivery {
    pub fn new(room: Option<Room>) -> Arc<Self> {
        Arc::new(Self { open: AtomicUsize::new(1), done: Notify::new(), failures: Mutex::default(), _room: room })
    }

    /// Hands one message to librdkafka, which copies it.
    pub fn send(self: &Arc<Self>, producer: &Producer, message: Outgoing<'_>) -> Result<(), RDKafkaErrorCode> {
        self.open.fetch_add(1, Ordering::Relaxed);
        let record = BaseRecord {
            topic: message.topic,
            partition: message.partition,
            payload: Some(message.payload),
            key: (!message.key.is_empty()).then_some(message.key),
            timestamp: None,
            headers: message.headers,
            delivery_opaque: self.clone(),
        };
        producer.send(record).map_err(|(e, _)| {
            self.open.fetch_sub(1, Ordering::Relaxed);
            code(&e)
        })
    }

    /// librdkafka's answer about one message.
    pub fn answered(&self, result: &DeliveryResult<'_>) {
        if let Err((error, message)) = result {
            let mut failures = self.failures.lock();
            match code(error) {
                RDKafkaErrorCode::MessageSizeTooLarge => failures.too_large.push(Undelivered {
                    partition: message.partition(),
                    payload: message.payload().unwrap_or_default().to_vec(),
                }),
                other => failures.other = failures.other.or(Some(other)),
            }
        }
        self.close_one();
    }

    fn close_one(&self) {
        if self.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.done.notify_one();
        }
    }

    /// Returns when every message is answered. Call it once, after the last [`Delivery::send`].
    pub async fn wait(&self) -> Failures {
        self.close_one();
        while self.open.load(Ordering::Acquire) > 0 {
            self.done.notified().await;
        }
        std::mem::take(&mut *self.failures.lock())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_bounded_and_comes_back() {
        let taken = Arc::new(AtomicUsize::new(0));
        let first = Room::take(&taken, 200, 100);
        assert!(first.is_some(), "a request larger than the bound goes alone");
        assert!(Room::take(&taken, 1, 100).is_none());
        drop(first);
        let (a, b) = (Room::take(&taken, 60, 100), Room::take(&taken, 40, 100));
        assert!(a.is_some() && b.is_some() && Room::take(&taken, 1, 100).is_none());
        drop((a, b));
        assert_eq!(taken.load(Ordering::Relaxed), 0);
    }
}
