//! The few calls to Elasticsearch that a benchmark makes, on one HTTP/1.1 connection.

use crate::Failure;
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

/// One connection to one server, plain text.
pub struct Elastic {
    host: String,
    sender: http1::SendRequest<Full<Bytes>>,
}

impl Elastic {
    /// Connects to `http://host:port`.
    pub async fn connect(url: &str) -> Result<Self, Failure> {
        let host = url.strip_prefix("http://").ok_or("the server's address must begin with http://")?;
        let host = host.trim_end_matches('/').to_owned();
        let stream = TcpStream::connect(&host).await.map_err(|e| format!("failed to connect to {host}: {e}"))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { host, sender })
    }

    /// Sends one request and reads the whole answer.
    pub async fn send(&mut self, method: Method, path: &str, body: Bytes, gzip: bool) -> Result<(StatusCode, Bytes), Failure> {
        let mut request = Request::builder().method(method).uri(path).header("host", &self.host);
        if !body.is_empty() {
            let bulk = path.contains("_bulk");
            request = request.header("content-type", if bulk { "application/x-ndjson" } else { "application/json" });
        }
        if gzip {
            request = request.header("content-encoding", "gzip");
        }
        self.sender.ready().await?;
        let (parts, body) = self.sender.send_request(request.body(Full::new(body))?).await?.into_parts();
        Ok((parts.status, body.collect().await?.to_bytes()))
    }

    /// Sends JSON and reads JSON; an error when the status is not 2xx.
    pub async fn json(&mut self, method: Method, path: &str, body: &Value) -> Result<Value, Failure> {
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let (status, answer) = self.send(method, path, body, false).await?;
        if !status.is_success() {
            return Err(format!("{path}: {status}: {}", String::from_utf8_lossy(&answer)).into());
        }
        Ok(serde_json::from_slice(&answer)?)
    }

    /// Documents of an index pattern that can be found right now; 0 while there is no such index.
    pub async fn count(&mut self, pattern: &str) -> Result<u64, Failure> {
        self.json(Method::POST, &format!("/{pattern}/_refresh?ignore_unavailable=true"), &Value::Null).await?;
        let answer = self.json(Method::GET, &format!("/{pattern}/_count?ignore_unavailable=true"), &Value::Null).await?;
        answer["count"].as_u64().ok_or_else(|| "the answer to _count has no number".into())
    }

    /// Different values of a keyword field, counted exactly: a page of a composite aggregation at a time.
    pub async fn distinct(&mut self, pattern: &str, field: &str) -> Result<u64, Failure> {
        const PAGE: usize = 10_000;
        let (mut all, mut after) = (0, Value::Null);
        loop {
            let mut composite = json!({ "size": PAGE, "sources": [{ "value": { "terms": { "field": field } } }] });
            if !after.is_null() {
                composite["after"] = after;
            }
            let query = json!({ "size": 0, "track_total_hits": false, "aggs": { "pages": { "composite": composite } } });
            let answer = self.json(Method::POST, &format!("/{pattern}/_search?ignore_unavailable=true"), &query).await?;
            let pages = &answer["aggregations"]["pages"];
            let found = pages["buckets"].as_array().map_or(0, Vec::len);
            all += found as u64;
            after = pages["after_key"].clone();
            if found < PAGE || after.is_null() {
                return Ok(all);
            }
        }
    }
}
