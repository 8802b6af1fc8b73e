//! The query tier's HTTP API, as a browser uses it.

use crate::{Context, Error, Result, SpanKey, ensure, wait};
use serde_json::Value;
use std::time::Duration;

/// A client of one query tier.
pub struct Query {
    base: String,
    http: reqwest::Client,
}

impl Query {
    /// The query tier on a port of 127.0.0.1.
    pub fn new(port: u16) -> Self {
        Self::below(port, "")
    }

    /// The query tier on a port of 127.0.0.1, below a path that begins with a slash and does not end with one.
    pub fn below(port: u16, base_path: &str) -> Self {
        Self { base: format!("http://127.0.0.1:{port}{base_path}"), http: reqwest::Client::new() }
    }

    /// GETs a path and gives the status and the JSON of the answer.
    pub async fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Result<(u16, Value)> {
        let request = self.http.get(format!("{}{path}", self.base)).query(parameters).timeout(Duration::from_secs(60));
        let answer = request.send().await.context(format!("GET {path}"))?;
        let status = answer.status().as_u16();
        let text = answer.text().await.context(format!("GET {path}"))?;
        let json = serde_json::from_str(&text).context(format!("read the answer to GET {path} ({status}: {text})"))?;
        Ok((status, json))
    }

    /// POSTs nothing to a path, which must answer 200.
    pub async fn post(&self, path: &str) -> Result<()> {
        let request = self.http.post(format!("{}{path}", self.base)).timeout(Duration::from_secs(60));
        let answer = request.send().await.context(format!("POST {path}"))?;
        let status = answer.status().as_u16();
        let text = answer.text().await.context(format!("POST {path}"))?;
        ensure(status == 200, || format!("POST {path}: {status}: {text}"))
    }

    /// GETs a path that must answer 200, and gives the `data` of the envelope.
    pub async fn data(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Value> {
        let (status, mut json) = self.get(path, parameters).await?;
        ensure(status == 200, || format!("GET {path}: {status}: {json}"))?;
        Ok(json["data"].take())
    }

    /// One trace, or `None` when there is none of this id.
    pub async fn trace(&self, id: &str) -> Result<Option<Value>> {
        let (status, mut json) = self.get(&format!("/api/traces/{id}"), &[]).await?;
        match status {
            200 => Ok(Some(json["data"][0].take())),
            404 => Ok(None),
            _ => Err(Error::new(format!("trace {id}: {status}: {json}"))),
        }
    }

    /// A trace, once it has at least `spans` spans.
    pub async fn complete_trace(&self, id: &str, spans: usize) -> Result<Value> {
        wait::until(format!("{spans} spans of trace {id}"), async || {
            let trace = self.trace(id).await?.ok_or_else(|| Error::new("not found"))?;
            let found = list(&trace["spans"]).len();
            ensure(found >= spans, || format!("{found} spans"))?;
            Ok(Some(trace))
        })
        .await
    }

    /// The traces that a search finds.
    pub async fn find(&self, parameters: &[(&str, &str)]) -> Result<Vec<Value>> {
        Ok(list(&self.data("/api/traces", parameters).await?).to_vec())
    }

    /// The names of all services.
    pub async fn services(&self) -> Result<Vec<String>> {
        let data = self.data("/api/services", &[]).await?;
        Ok(list(&data).iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
    }

    /// The operations of a service.
    pub async fn operations(&self, service: &str) -> Result<Vec<String>> {
        let data = self.data("/api/operations", &[("service", service)]).await?;
        Ok(list(&data).iter().filter_map(|operation| operation["name"].as_str().map(str::to_owned)).collect())
    }
}

/// The elements of a JSON list; none when it is no list.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A field of a JSON object that is a text; empty when it is none.
pub fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().unwrap_or_default()
}

/// The name of a span: of its JSON in an answer, in Elasticsearch, or of a client.
pub fn span_key(span: &Value) -> SpanKey {
    SpanKey { trace: text(span, "traceID").to_owned(), span: text(span, "spanID").to_owned() }
}

/// The names of all spans of a trace, sorted; a span that is there twice is there twice.
pub fn span_keys(trace: &Value) -> Vec<SpanKey> {
    let mut keys: Vec<_> = list(&trace["spans"]).iter().map(span_key).collect();
    keys.sort();
    keys
}

/// The tag of this key in a list of `{key, type, value}`, as `(type, value)`.
pub fn tag<'a>(tags: &'a Value, key: &str) -> Option<(&'a str, &'a Value)> {
    list(tags).iter().find(|tag| tag["key"] == key).map(|tag| (text(tag, "type"), &tag["value"]))
}
