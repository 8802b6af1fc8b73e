//! The store in Parquet in a bucket of a test's own, and what spans are in it, as `skua parquet export` prints them.

use crate::query::{list, text};
use crate::servers::Server;
use crate::skua::run;
use crate::store::{Store, StoredSpans};
use crate::{Context, Error, Result, S3, SpanKey};
use serde_json::Value;
use std::collections::HashSet;

/// A bucket on the S3 that all tests share.
pub struct ParquetBucket {
    s3: S3,
    bucket: String,
}

impl ParquetBucket {
    /// Makes a bucket.
    pub async fn make(name: &str) -> Result<Self> {
        let s3 = S3::shared()?;
        let bucket = s3.bucket(name).await?;
        Ok(Self { s3, bucket })
    }

    /// The flags that name the place of this name in the bucket.
    pub fn place(&self, name: &str) -> Vec<String> {
        vec![
            format!("--parquet.path=s3://{}/{name}", self.bucket),
            format!("--parquet.s3.endpoint={}", self.s3.url()),
            "--parquet.s3.access-key=test".to_owned(),
            "--parquet.s3.secret-key=test".to_owned(),
        ]
    }

    /// All spans, each once however many blocks it is in.
    async fn distinct(&self, name: &str) -> Result<HashSet<(SpanKey, String)>> {
        let words = ["parquet", "export"].map(str::to_owned);
        let printed = match run(&[&words[..], &self.place(name)].concat()).await {
            Err(e) if e.to_string().contains("there is no manifest") => String::new(),
            printed => printed?,
        };
        let mut spans = HashSet::new();
        for line in printed.lines() {
            let data: Value = serde_json::from_str(line).context("read what skua parquet export prints")?;
            for resource in list(&data["resourceSpans"]) {
                for span in list(&resource["scopeSpans"]).iter().flat_map(|scope| list(&scope["spans"])) {
                    let key = SpanKey { trace: text(span, "traceId").to_owned(), span: text(span, "spanId").to_owned() };
                    spans.insert((key, format!("{}{span}", resource["resource"])));
                }
            }
        }
        Ok(spans)
    }
}

impl Store for ParquetBucket {
    fn storage_type(&self) -> &'static str {
        "parquet"
    }

    fn flags(&self, name: &str) -> Vec<String> {
        let soon = ["--parquet.block-age=500ms", "--parquet.poll-interval=200ms", "--parquet.join.interval=1s"];
        self.place(name).into_iter().chain(soon.map(str::to_owned)).collect()
    }

    fn server(&mut self) -> Result<&mut Server> {
        Err(Error::new("a test must not stop the shared S3"))
    }

    async fn count(&self, name: &str) -> Result<u64> {
        Ok(self.distinct(name).await?.len() as u64)
    }

    async fn spans(&self, name: &str) -> Result<StoredSpans> {
        let mut stored = StoredSpans::default();
        self.distinct(name).await?.into_iter().for_each(|(key, _)| stored.add(key));
        Ok(stored)
    }
}
