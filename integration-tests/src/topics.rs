//! What is on a Kafka topic, seen by a client that is not Skua's.

use crate::{Context, Error, Result, wait};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message as _};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{Offset, TopicPartitionList};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const TIMEOUT: Duration = Duration::from_secs(30);

/// A topic, and the broker it is on.
#[derive(Clone)]
pub struct Topic {
    brokers: String,
    name: String,
    partitions: i32,
}

/// A message read back.
#[derive(Debug, Clone)]
pub struct Message {
    /// Where it is.
    pub partition: i32,
    /// Where it is in its partition.
    pub offset: i64,
    /// Its key; empty when it has none.
    pub key: Vec<u8>,
    /// Its value; empty when it has none.
    pub payload: Vec<u8>,
    /// Its headers, as text.
    pub headers: BTreeMap<String, String>,
}

impl Topic {
    /// Makes a topic with this number of partitions, trying again while the broker is still starting.
    pub async fn create(brokers: &str, name: &str, partitions: i32) -> Result<Self> {
        let topic = Self { brokers: brokers.to_owned(), name: name.to_owned(), partitions };
        let admin: AdminClient<DefaultClientContext> = topic.config().create()?;
        let options = AdminOptions::new().operation_timeout(Some(TIMEOUT));
        wait::until(format!("topic {name} to be made"), async || {
            let new = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
            let results = admin.create_topics([&new], &options).await?;
            for result in results {
                result.map_err(|(name, code)| Error::new(format!("{name}: {code}")))?;
            }
            Ok(Some(()))
        })
        .await?;
        Ok(topic)
    }

    /// Waits until a topic exists that somebody else makes.
    pub async fn find(brokers: &str, name: &str) -> Result<Self> {
        let topic = Self { brokers: brokers.to_owned(), name: name.to_owned(), partitions: 0 };
        let partitions = wait::until(format!("topic {name} to exist"), async || {
            let topic = topic.clone();
            let found = blocking(move || {
                let consumer: BaseConsumer = topic.config().create()?;
                // Asked for all topics, not for this one: the broker would make it.
                let metadata = consumer.fetch_metadata(None, TIMEOUT)?;
                let found = metadata.topics().iter().find(|found| found.name() == topic.name);
                Ok(found.map(|found| found.partitions().len() as i32).filter(|count| *count > 0))
            });
            found.await
        });
        Ok(Self { partitions: partitions.await?, ..topic })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its number of partitions.
    pub fn partitions(&self) -> i32 {
        self.partitions
    }

    /// The offset after the last message of each partition.
    pub async fn ends(&self) -> Result<Vec<i64>> {
        Ok(self.watermarks().await?.into_iter().map(|(_, end)| end).collect())
    }

    /// The number of messages.
    pub async fn count(&self) -> Result<u64> {
        Ok(self.watermarks().await?.into_iter().map(|(start, end)| (end - start) as u64).sum())
    }

    /// The offset of each partition that a consumer group has committed; 0 where it has committed none.
    pub async fn committed(&self, group: &str) -> Result<Vec<i64>> {
        let (topic, group) = (self.clone(), group.to_owned());
        blocking(move || {
            let consumer: BaseConsumer = topic.config().set("group.id", &group).create()?;
            let offsets = consumer.committed_offsets(topic.list(Offset::Invalid)?, TIMEOUT)?;
            let offset = |partition| match offsets.find_partition(&topic.name, partition).map(|found| found.offset()) {
                Some(Offset::Offset(offset)) => offset,
                _ => 0,
            };
            Ok((0..topic.partitions).map(offset).collect())
        })
        .await
        .context("read the committed offsets")
    }

    /// Waits until a group has committed all that is on the topic.
    pub async fn until_committed(&self, group: &str) -> Result<()> {
        wait::until(format!("{group} to commit all of {}", self.name), async || {
            let (ends, committed) = (self.ends().await?, self.committed(group).await?);
            if ends == committed { Ok(Some(())) } else { Err(Error::new(format!("{committed:?} of {ends:?}"))) }
        })
        .await
    }

    /// Writes a message as it is, and gives its partition and offset.
    pub async fn produce(&self, partition: i32, key: &[u8], payload: &[u8]) -> Result<(i32, i64)> {
        let producer: FutureProducer = self.config().create()?;
        let record = FutureRecord::to(&self.name).partition(partition).key(key).payload(payload);
        let sent = producer.send(record, TIMEOUT).await;
        sent.map(|delivery| (delivery.partition, delivery.offset)).map_err(|(error, _)| error).context("write a message")
    }

    /// Reads all messages, from the first of each partition to the last that is there now.
    pub async fn read_all(&self) -> Result<Vec<Message>> {
        let (topic, ends) = (self.clone(), self.watermarks().await?);
        blocking(move || {
            let mut missing: i64 = ends.iter().map(|(start, end)| end - start).sum();
            let consumer: BaseConsumer = topic.config().set("group.id", "skua-test-reader").create()?;
            consumer.assign(&topic.list(Offset::Beginning)?)?;
            let (mut messages, end) = (Vec::new(), Instant::now() + wait::PATIENCE);
            while missing > 0 {
                if Instant::now() > end {
                    return Err(Error::new(format!("{missing} messages did not come")));
                }
                let Some(message) = consumer.poll(Duration::from_millis(200)).transpose()? else { continue };
                if message.offset() < ends[message.partition() as usize].1 {
                    messages.push(Message::from(&message));
                    missing -= 1;
                }
            }
            Ok(messages)
        })
        .await
        .context(format!("read {}", self.name))
    }

    async fn watermarks(&self) -> Result<Vec<(i64, i64)>> {
        let topic = self.clone();
        blocking(move || {
            let consumer: BaseConsumer = topic.config().create()?;
            let fetch = |partition| Ok(consumer.fetch_watermarks(&topic.name, partition, TIMEOUT)?);
            (0..topic.partitions).map(fetch).collect()
        })
        .await
        .context(format!("find the ends of {}", self.name))
    }

    fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers).set("enable.auto.commit", "false");
        config
    }

    fn list(&self, offset: Offset) -> Result<TopicPartitionList> {
        let mut list = TopicPartitionList::new();
        for partition in 0..self.partitions {
            list.add_partition_offset(&self.name, partition, offset)?;
        }
        Ok(list)
    }
}

impl From<&rdkafka::message::BorrowedMessage<'_>> for Message {
    fn from(message: &rdkafka::message::BorrowedMessage<'_>) -> Self {
        let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
        let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
        Self {
            partition: message.partition(),
            offset: message.offset(),
            key: message.key().unwrap_or_default().to_vec(),
            payload: message.payload().unwrap_or_default().to_vec(),
            headers: headers.map(|header| (header.key.to_owned(), text(header.value))).collect(),
        }
    }
}

/// librdkafka's consumer calls block their thread.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await?
}
