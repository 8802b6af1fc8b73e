//! The store: what it is made of, and getting the server ready.

use crate::bulk::Shape;
use crate::client::{Answer, Body, Client};
use crate::config::Config;
use crate::document::TagRules;
use crate::error;
use crate::index::{Indices, Role};
use crate::metrics::Metrics;
use crate::services::ServiceCache;
use crate::template::{Template, templates};
use bytes::Bytes;
use libdeflater::Compressor;
use parking_lot::Mutex;
use prometheus_client::registry::Registry;
use reqwest::Method;
use serde::Deserialize;
use skua_store::{ErrorKind, StoreError};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;
use tokio::sync::{OnceCell, Semaphore};

/// Writes and reads spans in Elasticsearch or OpenSearch.
pub struct ElasticsearchStore {
    pub(crate) client: Client,
    pub(crate) shape: Shape,
    pub(crate) metrics: Metrics,
    pub(crate) cache: ServiceCache,
    /// One for each bulk request that may be under way; a part is rendered only by who holds one, which bounds memory.
    pub(crate) permits: Semaphore,
    pub(crate) workers: usize,
    pub(crate) longest_pause: Duration,
    /// Bytes at which a part is full, by what the server said was too long.
    pub(crate) size: AtomicUsize,
    /// Those not in use, each with room for its output; none at all when requests are not compressed.
    pub(crate) compressors: Option<Mutex<Vec<Spare>>>,
    pub(crate) max_span_age: Duration,
    pub(crate) max_doc_count: u64,
    pub(crate) config: Config,
    ready: OnceCell<()>,
}

/// A compressor and room for its output.
pub(crate) type Spare = (Compressor, Vec<u8>);

#[derive(Deserialize)]
struct Root {
    version: Version,
    #[serde(default)]
    tagline: String,
}

#[derive(Deserialize)]
struct Version {
    number: String,
}

impl ElasticsearchStore {
    /// Prepares a store. The server need not be up: it is asked for its version, and given the index templates, before the
    /// first write, and again until that works.
    ///
    /// # Errors
    /// `Invalid` when the configuration contradicts itself or names a file that cannot be read.
    pub async fn connect(config: Config, registry: &mut Registry) -> Result<Arc<Self>, StoreError> {
        Self::open(config, Role::Primary, registry).await
    }

    /// The same for archived traces: they lie in `[prefix-]jaeger-span-archive`, which is never another index, or with
    /// [`Config::use_aliases`] behind `…-archive-read` and `…-archive-write`; they are found however old they are.
    ///
    /// # Errors
    /// As [`ElasticsearchStore::connect`].
    pub async fn archive(config: Config, registry: &mut Registry) -> Result<Arc<Self>, StoreError> {
        Self::open(config, Role::Archive, registry).await
    }

    async fn open(config: Config, role: Role, registry: &mut Registry) -> Result<Arc<Self>, StoreError> {
        let invalid = |text: &str| Err(StoreError::new(ErrorKind::Invalid, text));
        if config.use_ilm && !config.use_aliases {
            return invalid("es.use-ilm needs es.use-aliases");
        }
        if config.use_ilm && config.create_index_templates {
            return invalid("es.use-ilm needs es.create-index-templates=false: the templates come from es-rollover init");
        }
        let workers = config.bulk.workers.clamp(1, 1024) as usize;
        Ok(Arc::new(Self {
            client: Client::new(&config)?,
            shape: Shape {
                rules: TagRules::new(&config.tags_as_fields)?,
                spans: Indices::spans(&config, role),
                services: Indices::services(&config, role),
                size: config.bulk.size.clamp(1, 1 << 30) as usize,
                actions: config.bulk.actions.clamp(1, 1 << 20) as usize,
            },
            metrics: Metrics::register(registry, role),
            cache: ServiceCache::new(config.service_cache_ttl),
            permits: Semaphore::new(workers),
            workers,
            longest_pause: config.bulk.max_retry_interval,
            size: AtomicUsize::new(usize::MAX),
            compressors: config.http_compression.then(Mutex::default),
            max_span_age: config.max_span_age,
            max_doc_count: config.max_doc_count.max(1),
            config,
            ready: OnceCell::new(),
        }))
    }

    /// Asks the server for its version and puts the index templates, once; at once `Ok` after that.
    ///
    /// # Errors
    /// `Unavailable` and the like until it works; `Unsupported` for a server older than Elasticsearch 7.
    pub async fn ready(&self) -> Result<(), StoreError> {
        self.ready.get_or_try_init(|| self.prepare()).await.copied()
    }

    async fn prepare(&self) -> Result<(), StoreError> {
        let major = self.major().await?;
        if major < 7 {
            let message = format!("Elasticsearch {major} is not supported, 7 and later are");
            return Err(StoreError::new(ErrorKind::Unsupported, message));
        }
        if !self.config.create_index_templates {
            return Ok(());
        }
        for template in templates(&self.config, major) {
            self.put(&template).await?;
        }
        Ok(())
    }

    pub(crate) async fn put(&self, template: &Template) -> Result<(), StoreError> {
        let body = Body::Json(Bytes::from(template.body.to_string()));
        let doing = format!("put the index template {}", template.path);
        self.call(&doing, Method::PUT, &template.path, body).await.map(drop)
    }

    /// The configured version, else the server's; 7 for OpenSearch, which goes by that name in Jaeger.
    pub(crate) async fn major(&self) -> Result<u64, StoreError> {
        if self.config.version > 0 {
            return Ok(self.config.version as u64);
        }
        let doing = "ask for the version";
        let answer = self.call(doing, Method::GET, "", Body::Nothing).await?;
        let root: Root = serde_json::from_slice(&answer.body).map_err(|e| error::unreadable(doing, &answer.peer, e))?;
        let number = root.version.number;
        let major = if root.tagline.contains("OpenSearch") {
            7
        } else {
            number.split('.').next().and_then(|n| n.parse().ok()).ok_or_else(|| {
                StoreError::new(ErrorKind::Internal, format!("{doing}: Elasticsearch at {} says {number:?}", answer.peer))
            })?
        };
        tracing::info!(peer = answer.peer, version = number, treated_as = major, "Elasticsearch found");
        Ok(major)
    }

    /// Sends a request and takes every status but 2xx for an error.
    pub(crate) async fn call(&self, doing: &str, method: Method, path: &str, body: Body) -> Result<Answer, StoreError> {
        self.send(doing, method, path, body, 200).await
    }

    /// Takes one status beside 2xx for an answer.
    pub(crate) async fn send(
        &self,
        doing: &str,
        method: Method,
        path: &str,
        body: Body,
        fine: u16,
    ) -> Result<Answer, StoreError> {
        let answer = self.client.send(method, path, body).await.map_err(|mut e| {
            e.message = format!("{doing}: {}", e.message);
            e
        })?;
        if (200..300).contains(&answer.status) || answer.status == fine {
            return Ok(answer);
        }
        Err(error::of_status(doing, &answer.peer, answer.status, &answer.body, answer.retry_after))
    }
}
