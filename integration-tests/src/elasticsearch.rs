//! Elasticsearch: the shared ones, or one of a test's own; and what spans are in it.

use crate::ports::free_port;
use crate::query::{list, span_key, text};
use crate::servers::{ELASTICSEARCH_VARIABLE, ELASTICSEARCH8_VARIABLE, Ready, Server, shared};
use crate::spans::SpanKey;
use crate::{Context, Error, Result, ensure};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

const PAGE: usize = 10_000;
const MAX_PAGES: usize = 200;

/// An Elasticsearch node.
pub struct Elasticsearch {
    url: String,
    server: Option<Server>,
    http: Client,
}

impl Elasticsearch {
    /// The Elasticsearch 7 that all tests of a run share.
    pub fn shared() -> Result<Self> {
        Ok(Self::at(shared(ELASTICSEARCH_VARIABLE)?, None))
    }

    /// The Elasticsearch 8 that all tests of a run share.
    pub fn shared8() -> Result<Self> {
        Ok(Self::at(shared(ELASTICSEARCH8_VARIABLE)?, None))
    }

    /// Starts an Elasticsearch 7 of one's own.
    pub async fn start_private() -> Result<Self> {
        Self::start("elasticsearch", "ES").await
    }

    /// Starts an Elasticsearch 8 of one's own.
    pub async fn start_private8() -> Result<Self> {
        Self::start("elasticsearch8", "ES8").await
    }

    async fn start(recipe: &'static str, variables: &str) -> Result<Self> {
        let (port, transport) = (free_port()?, free_port()?);
        let url = format!("http://127.0.0.1:{port}");
        let env =
            vec![(format!("{variables}_PORT"), port.to_string()), (format!("{variables}_TRANSPORT_PORT"), transport.to_string())];
        let ready = Ready::Http(format!("{url}/_cluster/health?wait_for_status=yellow&timeout=1s"));
        let server = Server::start(recipe, &format!("{variables}_DATA"), env, ready).await?;
        Ok(Self::at(url, Some(server)))
    }

    fn at(url: String, server: Option<Server>) -> Self {
        Self { url, server, http: Client::new() }
    }

    /// Its address, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The private server, to stop and to start again.
    pub fn server(&mut self) -> Result<&mut Server> {
        self.server.as_mut().ok_or_else(|| Error::new("a test must not stop the shared Elasticsearch: start a private one"))
    }

    /// Sends a request and gives the answer's JSON; an HTTP error is an error.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        let what = format!("{method} {path}");
        let mut request = self.http.request(method, format!("{}{path}", self.url)).timeout(Duration::from_secs(60));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.context(&what)?;
        let status = answer.status();
        let text = answer.text().await.context(&what)?;
        ensure(status.is_success(), || format!("{what}: {status}: {text}"))?;
        serde_json::from_str(&text).context(format!("read the answer to {what}"))
    }

    /// The number of span documents under an index prefix, once all are searchable; 0 while there is no index.
    pub async fn count(&self, prefix: &str) -> Result<u64> {
        self.refresh(prefix).await?;
        let answer = self.call(Method::GET, &format!("/{prefix}-jaeger-span-*/_count"), None).await?;
        answer["count"].as_u64().ok_or_else(|| Error::new(format!("no count in {answer}")))
    }

    /// Every span document under an index prefix, once all are searchable.
    pub async fn spans(&self, prefix: &str) -> Result<StoredSpans> {
        self.refresh(prefix).await?;
        let body = json!({"size": PAGE, "sort": ["_doc"], "_source": ["traceID", "spanID"]});
        let mut page = self.call(Method::POST, &format!("/{prefix}-jaeger-span-*/_search?scroll=1m"), Some(body)).await?;
        let mut stored = StoredSpans::default();
        for _ in 0..MAX_PAGES {
            let scroll = text(&page, "_scroll_id").to_owned();
            let hits = list(&page["hits"]["hits"]);
            if hits.is_empty() {
                self.call(Method::DELETE, "/_search/scroll", Some(json!({"scroll_id": scroll}))).await?;
                return Ok(stored);
            }
            hits.iter().for_each(|hit| stored.add(&hit["_source"]));
            let next = json!({"scroll": "1m", "scroll_id": scroll});
            page = self.call(Method::POST, "/_search/scroll", Some(next)).await?;
        }
        Err(Error::new(format!("more than {} spans under {prefix}", PAGE * MAX_PAGES)))
    }

    async fn refresh(&self, prefix: &str) -> Result<()> {
        self.call(Method::POST, &format!("/{prefix}-jaeger-span-*/_refresh"), None).await.map(drop)
    }
}

/// The span documents of an index, by trace id and span id.
#[derive(Default)]
pub struct StoredSpans {
    counts: HashMap<SpanKey, u64>,
}

impl StoredSpans {
    fn add(&mut self, source: &Value) {
        *self.counts.entry(span_key(source)).or_default() += 1;
    }

    /// Number of documents.
    pub fn documents(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Fails unless each of `expected` is there exactly once, and nothing else.
    pub fn exactly(&self, expected: &HashSet<SpanKey>) -> Result<()> {
        let missing: Vec<_> = expected.iter().filter(|key| !self.counts.contains_key(key)).collect();
        let foreign: Vec<_> = self.counts.keys().filter(|key| !expected.contains(key)).collect();
        let repeated: Vec<_> = self.counts.iter().filter(|(_, count)| **count > 1).collect();
        ensure(missing.is_empty() && foreign.is_empty() && repeated.is_empty(), || {
            format!(
                "of {} spans, {} are missing {:?}, {} are stored more than once {:?}, {} are unknown {:?}",
                expected.len(),
                missing.len(),
                &missing[..missing.len().min(3)],
                repeated.len(),
                &repeated[..repeated.len().min(3)],
                foreign.len(),
                &foreign[..foreign.len().min(3)],
            )
        })
    }
}
