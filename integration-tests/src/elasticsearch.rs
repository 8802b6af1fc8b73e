//! Elasticsearch: the shared ones, or one of a test's own; and what spans are in it.

use crate::ports::free_port;
use crate::query::{list, span_key, text};
use crate::servers::{ELASTICSEARCH_VARIABLE, ELASTICSEARCH8_VARIABLE, Ready, Server, shared};
use crate::store::{Store, StoredSpans};
use crate::{Context, Error, Result, ensure};
use reqwest::{Client, Method};
use serde_json::{Value, json};
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

    async fn refresh(&self, prefix: &str) -> Result<()> {
        self.call(Method::POST, &format!("/{prefix}-jaeger-span-*/_refresh"), None).await.map(drop)
    }
}

impl Store for Elasticsearch {
    fn storage_type(&self) -> &'static str {
        "elasticsearch"
    }

    fn flags(&self, name: &str) -> Vec<String> {
        vec![format!("--es.server-urls={}", self.url), format!("--es.index-prefix={name}"), "--es.num-replicas=0".to_owned()]
    }

    fn server(&mut self) -> Result<&mut Server> {
        self.server.as_mut().ok_or_else(|| Error::new("a test must not stop the shared Elasticsearch: start a private one"))
    }

    /// 0 while there is no index.
    async fn count(&self, name: &str) -> Result<u64> {
        self.refresh(name).await?;
        let answer = self.call(Method::GET, &format!("/{name}-jaeger-span-*/_count"), None).await?;
        answer["count"].as_u64().ok_or_else(|| Error::new(format!("no count in {answer}")))
    }

    async fn spans(&self, name: &str) -> Result<StoredSpans> {
        self.refresh(name).await?;
        let body = json!({"size": PAGE, "sort": ["_doc"], "_source": ["traceID", "spanID"]});
        let mut page = self.call(Method::POST, &format!("/{name}-jaeger-span-*/_search?scroll=1m"), Some(body)).await?;
        let mut stored = StoredSpans::default();
        for _ in 0..MAX_PAGES {
            let scroll = text(&page, "_scroll_id").to_owned();
            let hits = list(&page["hits"]["hits"]);
            if hits.is_empty() {
                self.call(Method::DELETE, "/_search/scroll", Some(json!({"scroll_id": scroll}))).await?;
                return Ok(stored);
            }
            hits.iter().for_each(|hit| stored.add(span_key(&hit["_source"])));
            let next = json!({"scroll": "1m", "scroll_id": scroll});
            page = self.call(Method::POST, "/_search/scroll", Some(next)).await?;
        }
        Err(Error::new(format!("more than {} spans under {name}", PAGE * MAX_PAGES)))
    }
}
