//! Waiting for stores: at start until they can be used, at a stop until they have let go.

use skua_store::StoreError;
use skua_store_cassandra::CassandraStore;
use skua_store_elasticsearch::ElasticsearchStore;
use skua_store_remote::RemoteStore;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// Pause between tries to reach a store at start.
const PAUSE: Duration = Duration::from_millis(500);

/// A store that is away must not hold up a stop.
const LAST: Duration = Duration::from_secs(5);

pub(crate) type Ready = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What stores have to do before the process ends, once nobody writes or reads any more.
#[derive(Default)]
#[must_use = "what a store still holds is kept by it"]
pub(crate) struct Closing(Vec<(&'static str, Close)>);

type Close = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send>>;

impl Closing {
    /// One thing more, done after those before it.
    pub(super) fn add(&mut self, what: &'static str, close: impl Future<Output = Result<(), StoreError>> + Send + 'static) {
        self.0.push((what, Box::pin(close)));
    }

    /// Does it, within some seconds: nothing that was acknowledged depends on it.
    pub(crate) async fn closed(self) {
        for (what, close) in self.0 {
            match tokio::time::timeout(LAST, close).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "failed to close {what}"),
                Err(_) => tracing::warn!("{what} was not closed in time"),
            }
        }
    }
}

pub(super) fn elasticsearch_ready(store: &Arc<ElasticsearchStore>) -> Ready {
    let store = store.clone();
    until_ready("Elasticsearch", move || {
        let store = store.clone();
        async move { store.ready().await }
    })
}

pub(super) fn cassandra_ready(store: &Arc<CassandraStore>) -> Ready {
    let store = store.clone();
    until_ready("Cassandra", move || {
        let store = store.clone();
        async move { store.ready().await }
    })
}

pub(super) fn remote_ready(store: &Arc<RemoteStore>) -> Ready {
    let store = store.clone();
    until_ready("the remote storage", move || {
        let store = store.clone();
        async move { store.ready().await }
    })
}

/// Asks again and again; the log says each new reason once, and a reason that stays every half minute.
pub(super) fn until_ready<F>(what: &'static str, ready: impl Fn() -> F + Send + 'static) -> Ready
where
    F: Future<Output = Result<(), StoreError>> + Send,
{
    Box::pin(async move {
        let (mut said, mut quiet) = (String::new(), 0);
        while let Err(e) = ready().await {
            if said != e.message || quiet >= 60 {
                tracing::warn!(error = %e, "{what} is not ready; trying again");
                (said, quiet) = (e.message, 0);
            }
            quiet += 1;
            tokio::time::sleep(PAUSE).await;
        }
    })
}
