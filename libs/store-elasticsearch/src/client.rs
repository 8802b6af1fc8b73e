//! HTTP to the nodes: the only file that knows an HTTP client.
//!
//! This is reqwest itself and not the crate `elasticsearch`, whose `Transport` is a layer on the same reqwest: it compiles
//! 100 000 generated lines for the dozen addresses used here, cannot be given the name that a certificate must have
//! (`es.tls.server-name`) beside basic authentication, and goes on asking a node that does not answer.

use crate::auth::Auth;
use crate::config::{Config, Tls};
use bytes::{Bytes, BytesMut};
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Url};
use skua_store::{ErrorKind, StoreError};
use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Longer than Elasticsearch's own minute for a shard that is away, so that its answer arrives.
const TIMEOUT: Duration = Duration::from_secs(90);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a node that could not be reached is passed over while others are there.
const REST: Duration = Duration::from_secs(10);
/// An answer longer than this is given up.
const LONGEST_ANSWER: usize = 512 << 20;

/// Sends requests to the nodes in turn.
pub(crate) struct Client {
    nodes: Vec<Node>,
    next: AtomicUsize,
    started: Instant,
    auth: Auth,
    timeout: Duration,
}

struct Node {
    http: reqwest::Client,
    base: Url,
    /// The `Host` header, when the URL does not have it.
    host: Option<HeaderValue>,
    /// Without credentials, for messages.
    name: String,
    /// Milliseconds since `Client::started` until which the node is passed over.
    resting: AtomicU64,
}

/// What a request carries.
#[derive(Clone)]
pub(crate) enum Body {
    Nothing,
    Json(Bytes),
    /// Lines of JSON.
    Lines(Bytes),
    /// Lines of JSON, compressed with gzip.
    GzipLines(Bytes),
}

/// An answer with any status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub body: Bytes,
    /// Seconds of the header `Retry-After`.
    pub retry_after: Option<Duration>,
    /// Which node answered.
    pub peer: String,
}

impl Client {
    pub fn new(config: &Config) -> Result<Self, StoreError> {
        let shared = if server_name(&config.tls).is_none() { Some(http(&config.tls, None)?) } else { None };
        let nodes = config.server_urls.iter().map(|url| Node::new(url.trim(), &config.tls, shared.as_ref()));
        let nodes = nodes.collect::<Result<Vec<_>, _>>()?;
        if nodes.is_empty() {
            return Err(StoreError::new(ErrorKind::Invalid, "es.server-urls is empty"));
        }
        Ok(Self {
            nodes,
            next: AtomicUsize::new(0),
            started: Instant::now(),
            auth: Auth::new(config)?,
            timeout: if config.timeout.is_zero() { TIMEOUT } else { config.timeout },
        })
    }

    /// Sends one request to one node. `path` has no leading slash and may have a query.
    ///
    /// # Errors
    /// When there is no answer: `Unavailable` or `Timeout`. Every status is an answer.
    pub async fn send(&self, method: Method, path: &str, body: Body) -> Result<Answer, StoreError> {
        let node = self.pick();
        let url = node.base.join(path).map_err(|e| StoreError::new(ErrorKind::Internal, format!("{path}: {e}")).caused_by(e))?;
        let mut request = node.http.request(method, url).timeout(self.timeout);
        if let Some(value) = self.auth.header() {
            request = request.header(AUTHORIZATION, value);
        }
        if let Some(host) = &node.host {
            request = request.header(HOST, host.clone());
        }
        request = match body {
            Body::Nothing => request,
            Body::Json(b) => request.header(CONTENT_TYPE, "application/json").body(b),
            Body::Lines(b) => request.header(CONTENT_TYPE, "application/x-ndjson").body(b),
            Body::GzipLines(b) => request.header(CONTENT_TYPE, "application/x-ndjson").header(CONTENT_ENCODING, "gzip").body(b),
        };
        let failed = |e: reqwest::Error| self.failed(node, e);
        let mut response = request.send().await.map_err(failed)?;
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|v| v.to_str().ok()?.trim().parse().ok());
        let status = response.status().as_u16();
        let first = response.chunk().await.map_err(failed)?.unwrap_or_default();
        let body = match response.chunk().await.map_err(failed)? {
            None => first,
            Some(second) => {
                let mut all = BytesMut::with_capacity(response.content_length().unwrap_or(0).clamp(1 << 16, 1 << 26) as usize);
                all.extend_from_slice(&first);
                all.extend_from_slice(&second);
                while let Some(chunk) = response.chunk().await.map_err(failed)? {
                    if all.len() + chunk.len() > LONGEST_ANSWER {
                        let message = format!("the answer of Elasticsearch at {} is longer than 512 MiB", node.name);
                        return Err(StoreError::new(ErrorKind::Overloaded, message));
                    }
                    all.extend_from_slice(&chunk);
                }
                all.freeze()
            }
        };
        Ok(Answer { status, body, retry_after: retry_after.map(Duration::from_secs), peer: node.name.clone() })
    }

    /// The next node that is not resting, or simply the next.
    fn pick(&self) -> &Node {
        let now = self.started.elapsed().as_millis() as u64;
        let from = self.next.fetch_add(1, Relaxed);
        let in_turn = (0..self.nodes.len()).map(|i| &self.nodes[from.wrapping_add(i) % self.nodes.len()]);
        in_turn.clone().find(|n| n.resting.load(Relaxed) <= now).unwrap_or(&self.nodes[from % self.nodes.len()])
    }

    fn failed(&self, node: &Node, e: reqwest::Error) -> StoreError {
        let kind = if e.is_timeout() && !e.is_connect() { ErrorKind::Timeout } else { ErrorKind::Unavailable };
        node.resting.store((self.started.elapsed() + REST).as_millis() as u64, Relaxed);
        let e = e.without_url();
        let cause = std::iter::successors(Some(&e as &dyn std::error::Error), |e| e.source()).last().map(ToString::to_string);
        let message = format!("cannot reach Elasticsearch at {}: {}", node.name, cause.unwrap_or_default());
        StoreError::new(kind, message).caused_by(e)
    }
}

impl Node {
    fn new(text: &str, tls: &Tls, shared: Option<&reqwest::Client>) -> Result<Self, StoreError> {
        let invalid = |why: &dyn std::fmt::Display| StoreError::new(ErrorKind::Invalid, format!("es.server-urls: {text}: {why}"));
        let mut base = Url::parse(text).map_err(|e| invalid(&e))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(invalid(&"is not a URL of http or https"));
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let authority = match (base.host_str(), base.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (Some(host), None) => host.to_owned(),
            (None, _) => return Err(invalid(&"has no host")),
        };
        let mut host = None;
        let http = match (shared, server_name(tls)) {
            (Some(shared), _) => shared.clone(),
            (None, None) => http(tls, None)?,
            // The client sends and checks the name in the URL; so the URL gets the name, and the name the node's address.
            (None, Some(server_name)) => {
                let target = (base.host_str().unwrap_or_default().to_owned(), base.port_or_known_default().unwrap_or(443));
                host = HeaderValue::try_from(&authority).ok();
                base.set_host(Some(server_name)).map_err(|e| invalid(&e))?;
                http(tls, Some(Arc::new(Always(target))))?
            }
        };
        Ok(Self { http, base, host, name: authority, resting: AtomicU64::new(0) })
    }
}

fn server_name(tls: &Tls) -> Option<&str> {
    (tls.enabled && !tls.server_name.is_empty()).then_some(tls.server_name.as_str())
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

fn http(tls: &Tls, resolver: Option<Arc<Always>>) -> Result<reqwest::Client, StoreError> {
    let mut builder = reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .redirect(reqwest::redirect::Policy::none())
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
