//! A Prometheus of a test's own, that scrapes what the test says.

use crate::ports::free_port;
use crate::query::list;
use crate::servers::{Ready, Server};
use crate::{Context, Result, ensure, wait};
use serde_json::Value;
use std::time::Duration;

/// A running Prometheus. It scrapes each second and stops when it is dropped.
pub struct Prometheus {
    url: String,
    server: Server,
    http: reqwest::Client,
}

impl Prometheus {
    /// Starts one that scrapes `/metrics` of each `host:port`, and waits until it has scraped all of them.
    pub async fn start(targets: &[String]) -> Result<Self> {
        Self::start_at("/metrics", targets).await
    }

    /// As [`start`](Self::start), for another path.
    pub async fn start_at(path: &str, targets: &[String]) -> Result<Self> {
        let port = free_port()?;
        let url = format!("http://127.0.0.1:{port}");
        let env = [
            ("PROMETHEUS_PORT", port.to_string()),
            ("PROMETHEUS_TARGETS", targets.join(" ")),
            ("PROMETHEUS_PATH", path.to_owned()),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value)).to_vec();
        let server = Server::start("prometheus", "PROMETHEUS_DATA", env, Ready::Http(format!("{url}/-/ready"))).await?;
        let prometheus = Self { url, server, http: reqwest::Client::new() };
        prometheus.until("sum(up)", |up| up == targets.len() as f64).await?;
        Ok(prometheus)
    }

    /// Its address, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Each value that an expression has now.
    pub async fn values(&self, promql: &str) -> Result<Vec<f64>> {
        let data = self.ask("query", &[("query", promql)]).await?;
        let value = |series: &Value| series["value"][1].as_str().and_then(|text| text.parse().ok());
        Ok(list(&data["result"]).iter().filter_map(value).collect())
    }

    /// The exemplars of a metric between two times in seconds since 1970: labels and value.
    pub async fn exemplars(&self, metric: &str, start: u64, end: u64) -> Result<Vec<(Value, f64)>> {
        let (start, end) = (start.to_string(), end.to_string());
        let data = self.ask("query_exemplars", &[("query", metric), ("start", &start), ("end", &end)]).await?;
        let all = list(&data).iter().flat_map(|series| list(&series["exemplars"]));
        let one = |exemplar: &Value| Some((exemplar["labels"].clone(), exemplar["value"].as_str()?.parse().ok()?));
        Ok(all.filter_map(one).collect())
    }

    /// `data` of an answer.
    async fn ask(&self, what: &str, parameters: &[(&str, &str)]) -> Result<Value> {
        let request = self.http.get(format!("{}/api/v1/{what}", self.url)).query(parameters);
        let answer =
            request.timeout(Duration::from_secs(30)).send().await.context(format!("ask Prometheus for {parameters:?}"))?;
        let (status, text) = (answer.status(), answer.text().await?);
        ensure(status.is_success(), || format!("Prometheus, asked for {parameters:?}: {status}: {text}"))?;
        let mut answer: Value =
            serde_json::from_str(&text).context(format!("read the answer of Prometheus to {parameters:?}"))?;
        Ok(answer["data"].take())
    }

    /// Waits until an expression has one value, of which `holds` is true.
    pub async fn until(&self, promql: &str, holds: impl Fn(f64) -> bool) -> Result<f64> {
        wait::until(format!("{promql} in Prometheus"), async || match self.values(promql).await?[..] {
            [value] if holds(value) => Ok(Some(value)),
            ref others => ensure(false, || format!("it is {others:?}")).map(|()| None),
        })
        .await
    }

    /// Stops it, as an operator does.
    pub async fn stop(&mut self) -> Result<()> {
        self.server.stop().await
    }
}
