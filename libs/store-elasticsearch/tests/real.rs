//! Against real servers: `SKUA_TEST_ELASTICSEARCH` and `SKUA_TEST_ELASTICSEARCH8` are their URLs. Without them these tests
//! only say so. Each test has an index prefix of its own, and deletes what it made.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

use prometheus_client::registry::Registry;
use skua_store::conformance::Abilities;
use skua_store::dependencies::DependencyReader;
use skua_store::sampling::SamplingStore;
use skua_store::{ErrorKind, SpanReader, SpanWriter, TraceQuery};
use skua_store_elasticsearch::{Config, ElasticsearchDependencies, ElasticsearchSampling, ElasticsearchStore};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

mod given;
mod rollups;
use given::{batch, now_ns, span};

/// A server and a prefix that nobody else has.
struct Server {
    url: String,
    prefix: String,
    http: reqwest::Client,
}

fn servers() -> Vec<Server> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let mut servers = Vec::new();
    for variable in ["SKUA_TEST_ELASTICSEARCH", "SKUA_TEST_ELASTICSEARCH8"] {
        #[expect(clippy::disallowed_methods, reason = "tests find their servers by it")]
        match std::env::var(variable) {
            Ok(url) => {
                let id = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
                let prefix = format!("t{id:x}{}", NEXT.fetch_add(1, Ordering::Relaxed));
                servers.push(Server { url, prefix, http: reqwest::Client::new() });
            }
            Err(_) => println!("skipped: {variable} is not set"),
        }
    }
    servers
}

impl Server {
    fn config(&self) -> Config {
        Config {
            server_urls: vec![self.url.clone()],
            index_prefix: self.prefix.clone(),
            num_shards: 2,
            num_replicas: 0,
            ..Config::default()
        }
    }

    async fn store(&self, config: Config) -> Arc<ElasticsearchStore> {
        ElasticsearchStore::connect(config, &mut Registry::default()).await.unwrap()
    }

    async fn call(&self, method: reqwest::Method, path: &str, body: Option<&str>) -> serde_json::Value {
        let mut request = self.http.request(method, format!("{}/{path}", self.url));
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_owned());
        }
        request.send().await.unwrap().json().await.unwrap()
    }

    async fn settle(&self) {
        self.call(reqwest::Method::POST, &format!("{}-*/_refresh", self.prefix), None).await;
    }

    async fn count(&self, of: &str) -> u64 {
        self.settle().await;
        self.call(reqwest::Method::GET, &format!("{}-jaeger-{of}-*/_count", self.prefix), None).await["count"].as_u64().unwrap()
    }

    async fn clean(&self) {
        self.call(reqwest::Method::DELETE, &format!("{}-*", self.prefix), None).await;
        for kind in ["_template", "_index_template"] {
            for name in ["jaeger-span", "jaeger-service", "jaeger-sampling", "jaeger-dependencies", "skua-rollup"] {
                self.call(reqwest::Method::DELETE, &format!("{kind}/{}-{name}", self.prefix), None).await;
            }
        }
    }
}

fn query(service: &str) -> TraceQuery {
    TraceQuery {
        service: service.to_owned(),
        operation: String::new(),
        tags: Vec::new(),
        start_min: now_ns() / 1000 - 3_600_000_000,
        start_max: now_ns() / 1000 + 3_600_000_000,
        duration_min: 0,
        duration_max: 0,
        limit: 20,
    }
}

/// What a server lacks of what other stores can: Jaeger's documents and mapping have no place for warnings, and none to look for
/// long values.
const ABILITIES: Abilities =
    Abilities { warnings: false, long_values: false, any_service: true, patterns: true, repeated_keys: true };

async fn conforms(change: impl Fn(&mut Config), without: &[&str]) {
    for server in servers() {
        let mut config = server.config();
        change(&mut config);
        let store = server.store(config).await;
        let server = &server;
        for case in skua_store::conformance::CASES.iter().filter(|case| !without.contains(case)) {
            skua_store::conformance::run_case(case, ABILITIES, &*store, &*store, &|| Box::pin(server.settle())).await;
        }
        server.clean().await;
    }
}

#[tokio::test]
async fn passes_the_suite_of_all_stores() {
    conforms(|_| {}, &[]).await;
}

/// With pages of 1000 documents, of which the suite writes 3000, and with one page for all.
#[tokio::test]
async fn sampling_passes_the_suite_of_all_stores() {
    for max_doc_count in [10_000, 1000] {
        for server in servers() {
            let config = Config { max_doc_count, ..server.config() };
            let sampling = ElasticsearchSampling::new(server.store(config).await);
            let server = &server;
            skua_store::conformance::sampling::run(&sampling, &sampling, &|| Box::pin(server.settle())).await;
            server.clean().await;
        }
    }
}

/// What a Jaeger has written, into indices that its own template made, is read; and the reverse is word for word the same.
#[tokio::test]
async fn sampling_reads_what_a_jaeger_wrote() {
    for server in servers() {
        let config = Config { create_index_templates: false, ..server.config() };
        let sampling = ElasticsearchSampling::new(server.store(config).await);
        let now = now_ns() / 1_000_000;
        let day = civil(now / 86_400_000);
        let index = format!("{}-jaeger-sampling-{day}", server.prefix);
        let time = format!("{day}T00:00:00.001Z");
        for body in [
            format!(
                r#"{{"timestamp":"{time}","throughputs":{{"Service":"s.x","Operation":"o","Count":3,"Probabilities":{{"0.001000":{{}}}}}}}}"#
            ),
            format!(
                r#"{{"timestamp":"{time}","throughputs":{{"Service":"s.x","Operation":"o","Count":0,"Probabilities":null}}}}"#
            ),
            format!(
                r#"{{"timestamp":"{time}","probabilitiesandqps":{{"Hostname":"h","Probabilities":{{"s.x":{{"o":0.25}}}},"QPS":{{"s.x":{{"o":2}}}}}}}}"#
            ),
        ] {
            server.call(reqwest::Method::POST, &format!("{index}/_doc"), Some(&body)).await;
        }
        server.settle().await;
        let midnight = now / 86_400_000 * 86_400_000 * 1000;
        let mut read = sampling.throughput(midnight, midnight + 1000).await.unwrap();
        read.sort_unstable();
        assert_eq!(read.iter().map(|t| (t.count, t.probabilities.len())).collect::<Vec<_>>(), [(0, 0), (3, 1)]);
        assert_eq!(sampling.latest_probabilities().await.unwrap()["s.x"]["o"], 0.25);
        server.clean().await;
    }
}

/// With pages of 10 documents, of which the suite reads a hundred, and with one page for all.
#[tokio::test]
async fn dependencies_pass_the_suite_of_all_stores() {
    for max_doc_count in [10_000, 10] {
        for server in servers() {
            let config = Config { max_doc_count, ..server.config() };
            let dependencies = ElasticsearchDependencies::new(server.store(config).await);
            let server = &server;
            skua_store::conformance::dependencies::run(&dependencies, &dependencies, &|| Box::pin(server.settle())).await;
            server.clean().await;
        }
    }
}

/// One index for all times, that an alias names.
#[tokio::test]
async fn dependencies_behind_aliases_pass_the_suite() {
    for server in servers() {
        let config = Config { use_aliases: true, ..server.config() };
        let dependencies = ElasticsearchDependencies::new(server.store(config).await);
        let base = format!("{}-jaeger-dependencies", server.prefix);
        let aliases = format!(r#"{{"aliases":{{"{base}-read":{{}},"{base}-write":{{}}}}}}"#);
        server.call(reqwest::Method::PUT, &format!("{base}-000001"), Some(&aliases)).await;
        let server = &server;
        skua_store::conformance::dependencies::run(&dependencies, &dependencies, &|| Box::pin(server.settle())).await;
        server.clean().await;
    }
}

/// What a Jaeger or its Spark job has written, without a template, is read.
#[tokio::test]
async fn dependencies_of_a_jaeger_are_read() {
    for server in servers() {
        let config = Config { create_index_templates: false, ..server.config() };
        let dependencies = ElasticsearchDependencies::new(server.store(config).await);
        let midnight = now_ns() / 1000 / 86_400_000_000 * 86_400_000_000;
        let day = civil(midnight / 86_400_000_000);
        let index = format!("{}-jaeger-dependencies-{day}", server.prefix);
        for body in [
            format!(r#"{{"timestamp":"{day}T00:00:00.123456789Z","dependencies":[{{"parent":"a","child":"b","callCount":3}}]}}"#),
            format!(r#"{{"timestamp":"{day}T00:00:00Z","dependencies":null}}"#),
        ] {
            server.call(reqwest::Method::POST, &format!("{index}/_doc"), Some(&body)).await;
        }
        server.settle().await;
        let read = dependencies.dependencies(midnight, midnight + 1_000_000).await.unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!((read[0].parent.as_str(), read[0].call_count, read[0].source.as_str()), ("a", 3, "jaeger"));
        assert_eq!(dependencies.dependencies(midnight, midnight + 123_000).await.unwrap(), []);
        server.clean().await;
    }
}

/// The date of a number of days since 1970.
fn civil(days: u64) -> String {
    let (y, m, d) = skua_model::json::civil_from_days(days as i64);
    format!("{y:04}-{m:02}-{d:02}")
}

/// A field has no type: 2.0 comes back as 2, as in Jaeger.
#[tokio::test]
async fn passes_the_suite_with_tags_as_fields() {
    conforms(|c| c.tags_as_fields.all = true, &["typed-tags"]).await;
}

#[tokio::test]
async fn passes_the_suite_with_small_parts_and_pages() {
    let small = |c: &mut Config| {
        c.max_doc_count = 7;
        c.bulk.size = 3000;
        c.bulk.workers = 3;
        c.http_compression = false;
        c.index_rollover_frequency_spans = "hour".to_owned();
        c.index_date_separator = ".".to_owned();
    };
    conforms(small, &["large-trace"]).await;
}

#[tokio::test]
async fn aliases_are_written_and_read() {
    for server in servers() {
        let mut config = server.config();
        config.use_aliases = true;
        let store = server.store(config).await;
        store.ready().await.unwrap();
        for name in ["span", "service"] {
            let base = format!("{}-jaeger-{name}", server.prefix);
            let aliases = format!(r#"{{"aliases":{{"{base}-read":{{}},"{base}-write":{{}}}}}}"#);
            server.call(reqwest::Method::PUT, &format!("{base}-000001"), Some(&aliases)).await;
        }
        let written = batch("alias", vec![span(1, 1, "op")]);
        store.write(&written).await.unwrap();
        server.settle().await;
        assert_eq!(store.services().await.unwrap(), ["alias"]);
        assert_eq!(store.find(&query("alias")).await.unwrap().traces.len(), 1);
        assert_eq!(store.trace(skua_model::TraceId(written.spans()[0].trace_id)).await.unwrap().spans.len(), 1);
        server.clean().await;
    }
}

/// An archive in its one index and behind aliases of its own, beside the indices of the others. What is in it is found by its id however
/// old it is, and is nobody else's.
#[tokio::test]
async fn an_archive_passes_cases_of_the_suite() {
    for use_aliases in [false, true] {
        for server in servers() {
            let config = Config { use_aliases, ..server.config() };
            let store = ElasticsearchStore::archive(config, &mut Registry::default()).await.unwrap();
            store.ready().await.unwrap();
            for name in ["span", "service"].iter().filter(|_| use_aliases) {
                let base = format!("{}-jaeger-{name}-archive", server.prefix);
                let aliases = format!(r#"{{"aliases":{{"{base}-read":{{}},"{base}-write":{{}}}}}}"#);
                server.call(reqwest::Method::PUT, &format!("{base}-000001"), Some(&aliases)).await;
            }
            let here = &server;
            // What the names of indices matter for.
            for case in ["services", "operations", "trace-by-id", "not-found", "duplicates", "search-time", "search-any-service"]
            {
                skua_store::conformance::run_case(case, ABILITIES, &*store, &*store, &|| Box::pin(here.settle())).await;
            }
            let year = 365 * 86_400_000_000_000;
            let mut old = span(1, 1, "old");
            old.start_time_unix_nano -= year;
            old.end_time_unix_nano -= year;
            let old = batch("old", vec![old]);
            store.write(&old).await.unwrap();
            server.settle().await;
            let id = skua_model::TraceId(old.spans()[0].trace_id);
            assert_eq!(store.trace(id).await.unwrap().spans.len(), 1);
            let others = server.store(server.config()).await;
            assert_eq!(others.trace(id).await.unwrap_err().kind, ErrorKind::NotFound);
            server.clean().await;
        }
    }
}

/// A replay, in whole or in part, and by another process, adds nothing.
#[tokio::test]
async fn a_replay_changes_nothing() {
    for server in servers() {
        let spans: Vec<_> = (1..=500).map(|i| span(i / 10, i, &format!("op{}", i % 7))).collect();
        let all = batch("replay", spans.clone());
        let half = batch("replay", spans[100..300].to_vec());
        let store = server.store(server.config()).await;
        assert_eq!(store.write(&all).await.unwrap().stored, 500);
        assert_eq!(store.write(&half).await.unwrap().stored, 200);
        let other = server.store(server.config()).await;
        assert_eq!(other.write(&all).await.unwrap().stored, 500);
        assert_eq!((server.count("span").await, server.count("service").await), (500, 7));
        server.clean().await;
    }
}

/// More nested objects than the index takes: the one span is refused with the server's reason, the others stay.
#[tokio::test]
async fn a_span_that_does_not_fit_the_mapping_is_refused() {
    for server in servers() {
        let store = server.store(server.config()).await;
        let mut monster = span(2, 2, "monster");
        monster.attributes = (0..10_100).map(|i| given::text(&format!("k{i}"), "v")).collect();
        let written = store.write(&batch("limits", vec![span(1, 1, "a"), monster, span(3, 3, "b")])).await.unwrap();
        assert_eq!(written.stored, 2);
        assert_eq!((written.refused[0].span, written.refused[0].reason), (1, "mapping"), "{}", written.refused[0].detail);
        assert!(written.refused[0].detail.contains("nested"), "{}", written.refused[0].detail);
        assert_eq!(server.count("span").await, 2);
        server.clean().await;
    }
}

/// What a tag value means is a regular expression over the whole value; a wrong one is the caller's mistake.
#[tokio::test]
async fn tag_values_are_regular_expressions() {
    for server in servers() {
        let store = server.store(server.config()).await;
        let mut s = span(1, 1, "op");
        s.attributes = vec![given::text("url", "http://a.b/c?d"), given::text("code", "E42")];
        store.write(&batch("regex", vec![s])).await.unwrap();
        server.settle().await;
        let found = async |key: &str, value: &str| {
            let q = TraceQuery { tags: vec![(key.to_owned(), value.to_owned())], ..query("regex") };
            store.find(&q).await.map(|f| f.traces.len())
        };
        assert_eq!(found("code", "E[0-9]+").await.unwrap(), 1);
        assert_eq!(found("code", "E4").await.unwrap(), 0);
        assert_eq!(found("url", "http://a.b/c?d").await.unwrap(), 0);
        assert_eq!(found("url", r"http://a.b/c\?d").await.unwrap(), 1);
        let e = found("code", "E[0-9").await.unwrap_err();
        assert_eq!(e.kind, ErrorKind::Invalid, "{e}");
        assert!(e.message.contains("expected ']'"), "{e}");
        server.clean().await;
    }
}

/// The first search of a new installation, without a single index.
#[tokio::test]
async fn nothing_is_there_at_first() {
    for server in servers() {
        let store = server.store(server.config()).await;
        assert!(store.services().await.unwrap().is_empty());
        assert!(store.operations("x", "").await.unwrap().is_empty());
        assert_eq!(store.find(&query("x")).await.unwrap(), skua_store::Found::default());
        let dependencies = ElasticsearchDependencies::new(Arc::clone(&store));
        assert_eq!(dependencies.dependencies(0, now_ns() / 1000).await.unwrap(), []);
        assert_eq!(store.trace(skua_model::TraceId([7; 16])).await.unwrap_err().kind, ErrorKind::NotFound);
        server.clean().await;
    }
}
