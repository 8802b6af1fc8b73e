//! Who calls whom, in Jaeger's documents: `{"timestamp":…,"dependencies":[{"parent":…,"child":…,"callCount":…}]}`, one for each
//! time, in `jaeger-dependencies-<date>` by that time. A real Jaeger reads them, and the reverse.
//!
//! A document has its time in milliseconds for `_id`, so that writing it again replaces it. Who counted is written only when
//! that is not Jaeger's default, which Jaeger's documents leave out.

use crate::client::Body;
use crate::index::{HOUR_US, Indices, rfc3339};
use crate::pages::{LONGEST_PAGE, Wanted};
use crate::reader::{LONGEST_URL, escaped};
use crate::store::ElasticsearchStore;
use crate::template;
use async_trait::async_trait;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use skua_model::json::{Commas, put_html_safe, put_int};
use skua_store::StoreError;
use skua_store::dependencies::{DEFAULT_SOURCE, DependencyLink, DependencyReader, DependencyWriter, check_revision};
use std::sync::Arc;
use tokio::sync::OnceCell;

/// Documents of a page: each may hold thousands of links.
const PAGE: u64 = 1000;

/// The links between services in an Elasticsearch or OpenSearch.
pub struct ElasticsearchDependencies {
    store: Arc<ElasticsearchStore>,
    indices: Indices,
    ready: OnceCell<()>,
}

impl ElasticsearchDependencies {
    /// Uses the connection and the configuration of a store. The server need not be up: it is given the index template before
    /// the first write, and again until that works.
    pub fn new(store: Arc<ElasticsearchStore>) -> Self {
        Self { indices: Indices::dependencies(&store.config), store, ready: OnceCell::new() }
    }

    /// `condition` is a query of the URL; the status `fine` is no error.
    async fn put(&self, at: u64, condition: &str, fine: u16, links: &[DependencyLink]) -> Result<(), StoreError> {
        self.ready.get_or_try_init(|| self.prepare()).await?;
        let path = format!("{}/_doc/{}{condition}", escaped(&self.indices.to_write(at / HOUR_US)), at / 1000);
        let body = Body::Json(document(at, links).into());
        self.store.send("write dependencies", Method::PUT, &path, body, fine).await.map(drop)
    }

    async fn prepare(&self) -> Result<(), StoreError> {
        if !self.store.config.create_index_templates {
            return Ok(());
        }
        let major = self.store.major().await?;
        self.store.put(&template::dependencies(&self.store.config, major)).await
    }
}

#[async_trait]
impl DependencyWriter for ElasticsearchDependencies {
    async fn write_dependencies(&self, at: u64, links: &[DependencyLink]) -> Result<(), StoreError> {
        if links.is_empty() {
            return Ok(());
        }
        self.put(at, "", 200, links).await
    }

    /// The server compares the revisions: they are the document's versions. Where the alias moves on to another index while a time is
    /// being counted, the list of that time is there twice.
    async fn replace_dependencies(&self, at: u64, revision: u64, links: &[DependencyLink]) -> Result<(), StoreError> {
        check_revision(revision)?;
        // 409: a newer one is there.
        self.put(at, &format!("?version_type=external_gte&version={revision}"), 409, links).await
    }
}

#[async_trait]
impl DependencyReader for ElasticsearchDependencies {
    async fn dependencies(&self, start: u64, end: u64) -> Result<Vec<DependencyLink>, StoreError> {
        if end <= start {
            return Ok(Vec::new());
        }
        let indices = self.indices.to_read(start, end, LONGEST_URL);
        // The server's dates have milliseconds: so have the borders, and a document is on one side of each.
        let range = json!({"gte": start / 1000, "lt": end / 1000, "format": "epoch_millis"});
        let wanted = Wanted {
            doing: "read dependencies",
            path: format!("{}/_search?ignore_unavailable=true", escaped(&indices.join(","))),
            filter: json!([{"range": {"timestamp": range}}]),
            size: self.store.max_doc_count.min(PAGE).min(LONGEST_PAGE),
            read,
        };
        self.store.all(&wanted).await
    }
}

/// As Go writes it; `at` is in microseconds since 1970.
fn document(at: u64, links: &[DependencyLink]) -> Vec<u8> {
    let mut out = format!("{{\"timestamp\":\"{}\",\"dependencies\":[", rfc3339(at)).into_bytes();
    let mut list = Commas::default();
    for link in links {
        list.next(&mut out);
        out.extend_from_slice(b"{\"parent\":");
        put_html_safe(&mut out, link.parent.as_bytes());
        out.extend_from_slice(b",\"child\":");
        put_html_safe(&mut out, link.child.as_bytes());
        out.extend_from_slice(b",\"callCount\":");
        put_int(&mut out, link.call_count.min(i64::MAX as u64));
        if !link.source.is_empty() && link.source != DEFAULT_SOURCE {
            out.extend_from_slice(b",\"source\":");
            put_html_safe(&mut out, link.source.as_bytes());
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    out
}

#[derive(Deserialize)]
struct Document {
    /// `null` when a Jaeger had none.
    dependencies: Option<Vec<Link>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Link {
    parent: String,
    child: String,
    call_count: u64,
    #[serde(default)]
    source: String,
}

fn read(source: &str, all: &mut Vec<DependencyLink>) -> Result<(), serde_json::Error> {
    let document: Document = serde_json::from_str(source)?;
    all.extend(document.dependencies.into_iter().flatten().map(|l| DependencyLink {
        parent: l.parent,
        child: l.child,
        call_count: l.call_count,
        source: if l.source.is_empty() { DEFAULT_SOURCE.to_owned() } else { l.source },
    }));
    Ok(())
}

#[cfg(test)]
mod tests;
