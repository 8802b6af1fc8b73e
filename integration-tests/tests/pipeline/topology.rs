//! The topology of `deploy/compose/kafka-elasticsearch.yaml` for real: two collectors, two ingesters and two query services, and nginx
//! with the files of `deploy/nginx` in front.

use skua_integration_tests::nginx::Queries;
use skua_integration_tests::otlp::Answer;
use skua_integration_tests::query::span_keys;
use skua_integration_tests::{
    Context, Elasticsearch, Encoding, Error, Kafka, Nginx, Pipeline, Query, Result, Sender, Spans, ensure, wait,
};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

const BATCH: u64 = 20;
/// Acknowledged before and after each end.
const SPANS: u64 = 2_000;
/// Answered before and after each end.
const ANSWERS: u64 = 30;
/// Between two requests of a client, so that the store keeps up; none while a process ends, so that it has requests in its hands.
const REST: Duration = Duration::from_millis(20);

/// Before the second attempt: what OTLP's exporters wait at first, and what `Retry-After` asks for.
const BACK_OFF: Duration = Duration::from_secs(1);

/// How a process ends.
#[derive(Debug, Clone, Copy)]
enum End {
    /// SIGKILL.
    Killed,
    /// SIGTERM, as when a new version is rolled out.
    Stopped,
}

/// Scenario: eight clients send through nginx by gRPC and HTTP, four others search; a collector ends, and then a query service. Guarantee:
/// no request fails that is not answered when it is sent once more, each acknowledged span is in the store once, and is found.
async fn one_of_each_goes(end: End) -> Result<()> {
    let elasticsearch = Elasticsearch::shared()?;
    let pipeline = Pipeline::new("topology", Encoding::OtlpProto, 4, &Kafka::shared()?, &elasticsearch).await?;
    let (first_collector, collector) = (pipeline.collector().await?, pipeline.collector().await?);
    let ingesters = [pipeline.ingester().await?, pipeline.ingester().await?];
    let ((first_query, _), (query, _)) = (pipeline.query().await?, pipeline.query().await?);
    let gone = [first_collector.ports().otlp_grpc, first_collector.ports().otlp_http, first_query.ports().query_http];
    let services = [
        ("collector-1", first_collector.ports()),
        ("collector-2", collector.ports()),
        ("query-1", first_query.ports()),
        ("query-2", query.ports()),
    ];
    let nginx = Nginx::start(Queries::AtTheRoot, &services).await?;

    let clients = Rc::new(Clients::new(Spans::new("topology")));
    let (grpc, http) = (Sender::grpc(nginx.port(4317)?)?, Sender::http(nginx.port(4318)?));
    let tasks = tokio::task::LocalSet::new();
    let mut handles = Vec::new();
    for sender in [grpc, http].iter().cycle().take(8) {
        handles.push(tasks.spawn_local(clients.clone().send(sender.clone())));
    }
    let front = nginx.port(16686)?;
    let first = clients.spans.key(0).trace;
    tasks
        .run_until(async {
            clients.until_acknowledged(SPANS).await?;
            let query = Query::new(front);
            query.complete_trace(&first, 10).await?;
            wait::until("the operations to be listed", async || {
                Ok((query.operations(clients.spans.service()).await?.len() == 10).then_some(()))
            })
            .await?;
            for _ in 0..4 {
                handles.push(tasks.spawn_local(clients.clone().ask(Query::new(front))));
            }
            clients.until_answered(ANSWERS).await?;
            for mut skua in [first_collector, first_query] {
                clients.rest.set(Duration::ZERO);
                clients.until_acknowledged(SPANS / 2).await?;
                match end {
                    // On a thread of its own: the clients go on meanwhile.
                    End::Killed => tokio::task::spawn_blocking(move || skua.kill9()).await??,
                    End::Stopped => skua.terminate_cleanly().await?,
                }
                clients.until_acknowledged(SPANS).await?;
                clients.rest.set(REST);
                clients.until_answered(ANSWERS).await?;
            }
            clients.stop.set(true);
            for handle in handles {
                handle.await??;
            }
            Ok::<_, Error>(())
        })
        .await?;
    eprintln!("{end:?}: what a second attempt hid: {:#?}", clients.hidden.borrow());

    let log = nginx.output()?;
    for port in gone {
        let tried = log.lines().any(|line| line.contains("[error]") && line.contains(&format!("//127.0.0.1:{port}")));
        assert!(tried, "nginx has not noticed that nobody is at {port}:\n{log}");
    }

    let sent = clients.next.get() * BATCH;
    pipeline.stored_exactly(&elasticsearch, &clients.spans, 0..sent).await?;
    let through_nginx = Query::new(front);
    for number in (0..sent).step_by(sent as usize / 20) {
        let key = clients.spans.key(number);
        let keys = span_keys(&through_nginx.complete_trace(&key.trace, 10).await?);
        assert!(keys.len() == 10 && keys.contains(&key), "{number}: {keys:?}");
    }
    let ledger = collector.settled_ledger().await?;
    ledger.is_all_stored(ledger.received)?;
    let mut ingested = 0;
    for ingester in &ingesters {
        let ledger = ingester.settled_ledger().await?;
        ledger.is_all_stored(ledger.received)?;
        ingested += ledger.received;
    }
    assert!(ingested >= sent, "{ingested} of {sent}");
    assert_eq!(pipeline.dead_letters.count().await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_collector_and_a_query_service_are_killed_under_load() -> Result<()> {
    one_of_each_goes(End::Killed).await
}

#[tokio::test]
async fn a_collector_and_a_query_service_are_stopped_under_load() -> Result<()> {
    one_of_each_goes(End::Stopped).await
}

/// What all clients share.
struct Clients {
    spans: Spans,
    /// The number of the next batch.
    next: Cell<u64>,
    acknowledged: Cell<u64>,
    answered: Cell<u64>,
    rest: Cell<Duration>,
    stop: Cell<bool>,
    /// Failures of a first attempt.
    hidden: RefCell<Vec<String>>,
}

impl Clients {
    fn new(spans: Spans) -> Self {
        let (next, acknowledged, answered) = (Cell::new(0), Cell::new(0), Cell::new(0));
        Self { spans, next, acknowledged, answered, rest: Cell::new(REST), stop: Cell::new(false), hidden: RefCell::default() }
    }

    /// Sends batch after batch until it is stopped.
    async fn send(self: Rc<Self>, sender: Sender) -> Result<()> {
        while !self.stop.get() {
            let number = self.next.get();
            self.next.set(number + 1);
            let request = self.spans.request(number * BATCH..(number + 1) * BATCH);
            let what = format!("batch {number} over {sender}");
            let send = async || match sender.send(&request).await {
                Answer::Accepted => Ok(()),
                other => Err(Error::new(format!("{other:?}"))),
            };
            self.with_one_retry(&what, send).await?;
            self.acknowledged.set(self.acknowledged.get() + BATCH);
            tokio::time::sleep(self.rest.get()).await;
        }
        Ok(())
    }

    /// Asks as a person does, with all the UI's kinds of requests in turn, until it is stopped.
    async fn ask(self: Rc<Self>, query: Query) -> Result<()> {
        let service = self.spans.service();
        let trace = format!("/api/traces/{}", self.spans.key(0).trace);
        let search = [("service", service), ("limit", "5"), ("tags", r#"{"cached":"true"}"#)];
        let requests: [(&str, &[(&str, &str)]); 4] =
            [("/api/services", &[]), ("/api/operations", &search[..1]), ("/api/traces", &search), (&trace, &[])];
        for (path, parameters) in requests.iter().cycle().take_while(|_| !self.stop.get()) {
            let ask = async || {
                let (status, answer) = query.get(path, parameters).await?;
                let found = answer["data"].as_array().is_some_and(|list| !list.is_empty());
                ensure(status == 200 && found && answer["errors"].is_null(), || format!("{status}: {answer}"))
            };
            self.with_one_retry(path, ask).await?;
            self.answered.set(self.answered.get() + 1);
            tokio::time::sleep(self.rest.get()).await;
        }
        Ok(())
    }

    /// The retry policy of one.
    async fn with_one_retry(&self, what: &str, mut attempt: impl AsyncFnMut() -> Result<()>) -> Result<()> {
        let Err(first) = attempt().await else { return Ok(()) };
        self.hidden.borrow_mut().push(format!("{what}: {first}"));
        tokio::time::sleep(BACK_OFF).await;
        let second = attempt().await;
        if second.is_err() {
            self.stop.set(true); // the scenario need not wait for the others
        }
        second.context(format!("{what} once more, after {first}"))
    }

    async fn until_acknowledged(&self, more: u64) -> Result<()> {
        self.until("spans to be acknowledged", &self.acknowledged, more).await
    }

    async fn until_answered(&self, more: u64) -> Result<()> {
        self.until("requests to be answered", &self.answered, more).await
    }

    async fn until(&self, what: &str, count: &Cell<u64>, more: u64) -> Result<()> {
        let goal = count.get() + more;
        wait::until(format!("{more} more {what}"), async || Ok((count.get() >= goal || self.stop.get()).then_some(()))).await
    }
}
