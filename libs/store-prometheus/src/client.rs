//! HTTP to the server: the only file that knows an HTTP client.

use crate::config::{Config, Tls};
use crate::meters::Meters;
use crate::token::Tokens;
use bytes::{Bytes, BytesMut};
use reqwest::header::{AUTHORIZATION, HOST, HeaderValue};
use reqwest::{Method, RequestBuilder, StatusCode, Url};
use skua_store::{ErrorKind, StoreError};
use std::collections::BTreeMap;
use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longer than Prometheus gives a query, so that its own answer arrives; `--query.timeout` is shorter.
const TIMEOUT: Duration = Duration::from_secs(150);
/// As Jaeger's.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// An answer longer than this is given up: it has a million points.
const LONGEST_ANSWER: usize = 32 << 20;

/// Sends requests to one server.
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    /// The `Host` header, when the URL does not have it.
    host: Option<HeaderValue>,
    /// Scheme, host and port, for messages.
    name: String,
    tokens: Tokens,
    meters: Meters,
}

/// An answer with any status.
pub(crate) struct Answer {
    pub status: StatusCode,
    pub body: Bytes,
}

impl Client {
    /// # Errors
    /// When the URL, a file of TLS or the token's file cannot be used.
    pub fn new(config: &Config, meters: Meters) -> Result<Self, StoreError> {
        let text = config.server_url.replace(' ', "");
        let invalid =
            |why: &dyn std::fmt::Display| StoreError::new(ErrorKind::Invalid, format!("prometheus.server-url: {text}: {why}"));
        let mut base = Url::parse(&text).map_err(|e| invalid(&e))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(invalid(&"is not a URL of http or https"));
        }
        base.set_path(&format!("{}/", base.path().trim_end_matches('/')));
        for (name, value) in pairs(&config.query.extra_query_params)? {
            base.query_pairs_mut().append_pair(&name, &value);
        }
        let authority = match (base.host_str(), base.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (Some(host), None) => host.to_owned(),
            (None, _) => return Err(invalid(&"has no host")),
        };
        let name = format!("{}://{authority}", base.scheme());
        let tls = &config.tls;
        let (mut host, mut resolver) = (None, None);
        if tls.enabled && !tls.server_name.is_empty() {
            // The client sends and checks the name in the URL; so the URL gets the name, and the name the server's address.
            let target = (base.host_str().unwrap_or_default().to_owned(), base.port_or_known_default().unwrap_or(443));
            host = HeaderValue::try_from(&authority).ok();
            base.set_host(Some(&tls.server_name)).map_err(|e| invalid(&e))?;
            resolver = Some(Arc::new(Always(target)));
        }
        let http = http(config.connect_timeout, tls, resolver)?;
        Ok(Self { http, base, host, name, tokens: Tokens::new(config)?, meters })
    }

    /// Asks by POST with a form, or, where a server does not take that, by GET. What is added to the URL is in the form too, as in
    /// Jaeger: proxies read the one or the other.
    ///
    /// # Errors
    /// When there is no answer, or one that is too long. Every status is an answer.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Result<Answer, StoreError> {
        let url = self.url(path, &[])?;
        let added: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let all: Vec<(&str, &str)> = form.iter().copied().chain(added.iter().map(|(n, v)| (n.as_str(), v.as_str()))).collect();
        let answer = self.send(self.http.request(Method::POST, url).form(&all)).await?;
        if matches!(answer.status, StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED) {
            return self.get(path, form).await;
        }
        Ok(answer)
    }

    /// Asks by GET; else as [`post`](Self::post).
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, StoreError> {
        self.send(self.http.request(Method::GET, self.url(path, query)?)).await
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Result<Url, StoreError> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path()));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    async fn send(&self, request: RequestBuilder) -> Result<Answer, StoreError> {
        let since = Instant::now();
        let answer = self.exchange(request).await;
        self.meters.count(since, answer.as_ref().is_ok_and(|a| a.status.is_success()));
        answer
    }

    async fn exchange(&self, mut request: RequestBuilder) -> Result<Answer, StoreError> {
        if let Some(token) = self.tokens.header().await {
            request = request.header(AUTHORIZATION, token);
        }
        if let Some(host) = &self.host {
            request = request.header(HOST, host.clone());
        }
        let mut response = request.send().await.map_err(|e| self.failed(e))?;
        let status = response.status();
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| self.failed(e))? {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                let message = format!(
                    "the answer of Prometheus at {} is longer than {} MiB; ask for fewer services, a shorter time or a longer step",
                    self.name,
                    LONGEST_ANSWER >> 20
                );
                return Err(StoreError::new(ErrorKind::Invalid, message));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, body: body.freeze() })
    }

    fn failed(&self, e: reqwest::Error) -> StoreError {
        let kind = if e.is_timeout() && !e.is_connect() { ErrorKind::Timeout } else { ErrorKind::Unavailable };
        let e = e.without_url();
        let cause = std::iter::successors(Some(&e as &dyn std::error::Error), |e| e.source()).last().map(ToString::to_string);
        let message = format!("cannot reach Prometheus at {}: {}", self.name, cause.unwrap_or_default());
        StoreError::new(kind, message).caused_by(e)
    }
}

/// `a=b,c=d`; of equal names the last counts.
fn pairs(text: &str) -> Result<BTreeMap<String, String>, StoreError> {
    let text = text.replace(' ', "");
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').filter(|(_, value)| !value.contains('='))?;
        Some((name.to_owned(), value.to_owned()))
    };
    let parts = text.split(',').filter(|_| !text.is_empty());
    parts.map(pair).collect::<Option<_>>().ok_or_else(|| {
        let message = format!("prometheus.query.extra-query-params: {text:?} is not of the form param1=value1,param2=value2");
        StoreError::new(ErrorKind::Invalid, message)
    })
}

/// Resolves every name to one host's addresses.
struct Always((String, u16));

impl reqwest::dns::Resolve for Always {
    fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let target = self.0.clone();
        Box::pin(async move {
            let found = tokio::task::spawn_blocking(move || target.to_socket_addrs()).await??;
            Ok(Box::new(found) as reqwest::dns::Addrs)
        })
    }
}

fn http(connect: Duration, tls: &Tls, resolver: Option<Arc<Always>>) -> Result<reqwest::Client, StoreError> {
    let mut builder = reqwest::Client::builder()
        .connect_timeout(if connect.is_zero() { TIMEOUT } else { connect })
        .timeout(TIMEOUT)
        .tcp_keepalive(KEEP_ALIVE)
        .tcp_nodelay(true)
        .user_agent(concat!("skua/", env!("CARGO_PKG_VERSION")));
    if let Some(resolver) = resolver {
        builder = builder.dns_resolver(resolver);
    }
    if tls.enabled {
        if !tls.ca.is_empty() {
            let invalid = |e: reqwest::Error| StoreError::new(ErrorKind::Invalid, format!("{}: {e}", tls.ca)).caused_by(e);
            builder = builder.tls_built_in_root_certs(false);
            for certificate in reqwest::Certificate::from_pem_bundle(&read(&tls.ca)?).map_err(invalid)? {
                builder = builder.add_root_certificate(certificate);
            }
        }
        if !tls.cert.is_empty() {
            let mut pem = read(&tls.cert)?;
            pem.push(b'\n');
            pem.extend(read(&tls.key)?);
            let invalid = |e: reqwest::Error| {
                StoreError::new(ErrorKind::Invalid, format!("{} and {}: {e}", tls.cert, tls.key)).caused_by(e)
            };
            builder = builder.identity(reqwest::Identity::from_pem(&pem).map_err(invalid)?);
        }
        builder = builder.danger_accept_invalid_certs(tls.skip_host_verify);
    }
    builder.build().map_err(|e| StoreError::new(ErrorKind::Invalid, format!("cannot set up HTTP: {e}")).caused_by(e))
}

fn read(path: &str) -> Result<Vec<u8>, StoreError> {
    std::fs::read(path).map_err(|e| StoreError::new(ErrorKind::Invalid, format!("{path}: {e}")).caused_by(e))
}
