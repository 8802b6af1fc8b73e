//! `skua ingester`.

use crate::process::{Failure, Process};
use crate::rollups;
use crate::storage::{self, Stores};
use skua_ingester::{Config, Ingester, IngesterMetrics, Signals, WORKERS};
use skua_kafka::{ConsumerConfig, DeadLetters, Follower, KafkaSource, Limits};
use skua_pipeline::Ledger;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

pub(crate) async fn run(mut process: Process) -> Result<(), Failure> {
    let Stores { writer, rollups, ready, closing, .. } = storage::open(&mut process).await?;
    let config: Config = process.loaded.section("ingester")?;
    let mut consumer: ConsumerConfig = process.loaded.section("kafka.consumer")?;
    consumer.dead_letter_topic = config.dead_letter_topic.clone();
    let rollups = rollups::of_topic(&mut process, rollups, &consumer.topic);
    let ingester = Ingester {
        writer,
        dead_letters: Arc::new(DeadLetters::of_consumer(&consumer)?),
        encoding: consumer.encoding()?,
        downsampling: crate::collector::downsampling(&mut process),
        ledger: Ledger::new("ingester", &mut process.registry),
        metrics: IngesterMetrics::new(&mut process.registry),
        rollups: rollups.clone(),
    };
    let drain = process.drain_timeout();
    let limits = Limits { max_in_flight_bytes: config.max_in_flight_bytes, drain, ..Limits::default() };
    let follower = rollups.clone().map(|r| r as Arc<dyn Follower>);
    let (source, chunks) = KafkaSource::start_with(consumer, limits, follower, &mut process.registry)?;
    if let Some(rollups) = &rollups {
        rollups.follow(source.progress());
        tokio::spawn(rollups.clone().run(process.loaded.get_duration("rollup.flush-interval"), process.stop.clone()));
    }
    let admin = process.serve_admin(Arc::new(|| {}))?;
    process.when_ready(ready);

    // Asked to stop: read no more, finish what is under way, commit, leave the group. The workers see the end of the channel.
    let (stop, give_up) = (process.stop.clone(), CancellationToken::new());
    let signals = Signals { draining: source.draining(), stop: stop.clone(), give_up: give_up.clone() };
    let late = give_up;
    let stopping = tokio::spawn(async move {
        stop.cancelled().await;
        // What is counted from here on, the next ingester counts.
        if let Some(rollups) = rollups
            && tokio::time::timeout(drain / 2, rollups.save()).await.is_err()
        {
            tracing::warn!("what was counted could not be saved in time; the next ingester counts it again");
        }
        if !source.stop().await {
            tracing::warn!("not all spans under way could be stored in time; the next ingester reads them again");
        }
        late.cancel();
    });
    ingester.run(WORKERS, chunks, signals).await;
    let ended = if process.stop.is_cancelled() { Ok(()) } else { Err("the Kafka consumer ended by itself".into()) };
    process.stop.cancel();
    let _ = stopping.await;
    closing.closed().await;
    admin.cancel();
    ended
}
