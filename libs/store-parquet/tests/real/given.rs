//! A server, and buckets of our own on it.

use skua_store_parquet::{Bucket, S3Config};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, UNIX_EPOCH};

/// The server as `http://host:port`; a test without one says so and ends.
pub fn server() -> Option<String> {
    let server = std::env::var("SKUA_TEST_S3").ok();
    if server.is_none() {
        println!("skipped: SKUA_TEST_S3 is not set");
    }
    server
}

/// The settings for a server that takes any key.
pub fn config(server: &str) -> S3Config {
    S3Config { endpoint: server.to_owned(), access_key: "test".to_owned(), secret_key: "test".to_owned(), ..S3Config::default() }
}

/// The name of a bucket that no other test uses; it is made.
pub async fn made(server: &str, name: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let millis = UNIX_EPOCH.elapsed().map_or(0, |now| now.as_millis());
    let bucket = format!("{name}-{millis:x}-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let made = reqwest::Client::new().put(format!("{server}/{bucket}")).timeout(Duration::from_secs(60)).send().await.unwrap();
    assert!(made.status().is_success(), "{bucket}: {}", made.status());
    bucket
}

/// An empty bucket, below a prefix.
pub async fn bucket(server: &str, name: &str) -> Bucket {
    let bucket = made(server, name).await;
    Bucket::open(&format!("s3://{bucket}/a/prefix"), &config(server)).unwrap()
}
