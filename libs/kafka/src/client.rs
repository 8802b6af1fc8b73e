//! librdkafka's clients with our callbacks.

use crate::delivery::Delivery;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{ProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, ClientContext};
use skua_store::{ErrorKind, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// A producer whose thread answers [`Delivery`]s.
pub(crate) type Producer = ThreadedProducer<Acks>;

/// Callbacks of producers.
pub(crate) struct Acks;

impl ClientContext for Acks {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "kafka", %error, reason, "client error");
    }
}

impl ProducerContext for Acks {
    type DeliveryOpaque = Arc<Delivery>;

    fn delivery(&self, result: &DeliveryResult<'_>, delivery: Arc<Delivery>) {
        delivery.answered(result);
    }
}

/// librdkafka's log lines as ours. It repeats a broker's failure only every half minute.
pub(crate) fn log(level: RDKafkaLogLevel, facility: &str, line: &str) {
    use RDKafkaLogLevel::{Alert, Critical, Debug, Emerg, Error, Info, Notice, Warning};
    match level {
        Emerg | Alert | Critical | Error | Warning => tracing::warn!(target: "kafka", facility, "{line}"),
        Notice | Info => tracing::info!(target: "kafka", facility, "{line}"),
        Debug => tracing::debug!(target: "kafka", facility, "{line}"),
    }
}

/// A client, not yet connected.
pub(crate) fn create<C: ClientContext, T: FromClientConfigAndContext<C>>(
    conf: &ClientConfig,
    context: C,
) -> Result<T, StoreError> {
    conf.create_with_context(context)
        .map_err(|e| StoreError::new(ErrorKind::Invalid, format!("start a Kafka client: {e}")).caused_by(e))
}

/// The code inside librdkafka's error.
pub(crate) fn code(error: &KafkaError) -> RDKafkaErrorCode {
    error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail)
}

/// What a failed send means to the caller.
pub(crate) fn send_error(topic: &str, code: RDKafkaErrorCode) -> StoreError {
    match code {
        RDKafkaErrorCode::QueueFull => overloaded(topic),
        RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::InvalidMessageSize => {
            StoreError::new(ErrorKind::Invalid, format!("send to Kafka topic {topic}: {code}"))
        }
        _ => unavailable(format!("send to Kafka topic {topic}: {code}")),
    }
}

/// More bytes wait for Kafka than may.
pub(crate) fn overloaded(topic: &str) -> StoreError {
    let message = format!("send to Kafka topic {topic}: too many bytes wait for acknowledgement");
    StoreError { retry_after: Some(Duration::from_millis(500)), ..StoreError::new(ErrorKind::Overloaded, message) }
}

/// Kafka is away, or said that it cannot now.
pub(crate) fn unavailable(message: String) -> StoreError {
    StoreError { retry_after: Some(Duration::from_secs(1)), ..StoreError::new(ErrorKind::Unavailable, message) }
}
