//! The bucket and the stores in it, by the flags `parquet.*`.

use crate::process::{Failure, Process};
use crate::storage::SamplingStores;
use crate::storage::ready::{Closing, Ready, until_ready};
use skua_query_service::Archive;
use skua_store::rollups::RollupStore;
use skua_store_parquet::{Bucket, Config, ParquetRollups, ParquetSampling, ParquetStore, Role};
use std::sync::Arc;

/// A directory or bucket, and what lies in it beside the spans.
#[derive(Clone)]
pub(crate) struct Parquet {
    config: Config,
    bucket: Bucket,
    pub rollups: Arc<dyn RollupStore>,
    pub sampling: SamplingStores,
}

/// Takes a directory for this process; a bucket may come up later.
///
/// # Errors
/// When another process has the directory, or the flags name no place.
pub(crate) fn open(process: &mut Process, ready: &mut Vec<Ready>) -> Result<Parquet, Failure> {
    let config: Config = process.loaded.section("parquet")?;
    let bucket = Bucket::open(&config.path, &config.s3).map_err(|error| format!("failed to use --parquet.path: {error}"))?;
    bucket.register(&mut process.registry);
    let asked = bucket.clone();
    ready.push(until_ready("the bucket of --parquet.path", move || {
        let bucket = asked.clone();
        async move { bucket.ready().await }
    }));
    let sampling = Arc::new(ParquetSampling::new(bucket.clone()));
    let sampling = SamplingStores { store: sampling.clone(), lease: sampling };
    let rollups = Arc::new(ParquetRollups::new(bucket.clone()));
    Ok(Parquet { config, bucket, rollups, sampling })
}

impl Parquet {
    /// The spans. What a log holds of them is there when this returns.
    pub async fn spans(&self, process: &mut Process, closing: &mut Closing) -> Result<Arc<ParquetStore>, Failure> {
        self.store(self.bucket.clone(), Role::Primary, process, closing).await
    }

    /// The same once more below it, without retention.
    pub async fn archive(&self, process: &mut Process, closing: &mut Closing) -> Result<Archive, Failure> {
        let store = self.store(self.bucket.below("archive"), Role::Archive, process, closing).await?;
        Ok(Archive { reader: store.clone(), writer: store })
    }

    async fn store(
        &self,
        bucket: Bucket,
        role: Role,
        process: &mut Process,
        closing: &mut Closing,
    ) -> Result<Arc<ParquetStore>, Failure> {
        let what = if role == Role::Archive { "the archive in Parquet" } else { "the store in Parquet" };
        let store = ParquetStore::open(self.config.clone(), bucket, role, &mut process.registry).await;
        let store = store.map_err(|error| format!("failed to open {what}, --parquet.path={}: {error}", self.config.path))?;
        let closed = store.clone();
        closing.add(what, async move { closed.close().await });
        Ok(store)
    }
}
