//! From a path or URL to a bucket, without a word to any server.

use super::files::Files;
use super::{Bucket, Inner, Metrics};
use crate::S3Config;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Location;
use object_store::{BackoffConfig, ClientConfigKey, ObjectStore, RetryConfig};
use skua_store::{ErrorKind, StoreError};
use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A request, and all of its tries, end within half a minute.
const LIMITS: [(ClientConfigKey, &str); 2] = [(ClientConfigKey::ConnectTimeout, "5s"), (ClientConfigKey::Timeout, "20s")];
const RETRIES: Duration = Duration::from_secs(10);

impl Bucket {
    /// Opens a directory, which is made and locked for this process alone, or a URL: `s3://bucket/prefix`, `gs://…`, `az://…`,
    /// `file:///directory`, which any number of processes may share. Asks no server.
    ///
    /// # Errors
    /// `Invalid` when the path or the settings make no sense; `Unavailable` when the directory cannot be made or another process has it.
    pub fn open(path: &str, s3: &S3Config) -> Result<Self, StoreError> {
        let Some((scheme, rest)) = path.split_once("://") else { return directory(Path::new(path)) };
        let invalid = |why: &dyn std::fmt::Display| StoreError::new(ErrorKind::Invalid, format!("open {path}: {why}"));
        if scheme == "file" {
            let root = rest.starts_with('/').then(|| PathBuf::from(rest));
            let root =
                root.ok_or_else(|| invalid(&"after file:// the directory is named from the root on, as in file:///data"))?;
            return files(&root, true, path, None);
        }
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(invalid(&"it names no bucket"));
        }
        let base = Location::parse(prefix.trim_end_matches('/')).map_err(|e| invalid(&e))?;
        // The provider may have been chosen before: any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = |retries: usize| remote(scheme, bucket, s3, retries).map_err(|e| invalid(&e));
        Ok(Self {
            inner: Arc::new(Inner {
                store: client(6)?,
                once: client(0)?,
                files: None,
                name: format!("{scheme}://{bucket}"),
                metrics: Metrics::default(),
                checked: Default::default(),
                _lock: None,
            }),
            base,
            directory: None,
        })
    }

    /// The same for who only reads, beside the process that has the directory: nothing is made, locked or cleared away, and what is opened
    /// is not to be written.
    ///
    /// # Errors
    /// As [`Bucket::open`]; `NotFound` when the directory is not there.
    pub fn open_to_read(path: &str, s3: &S3Config) -> Result<Self, StoreError> {
        let root = match path.split_once("://") {
            None => Path::new(path),
            Some(("file", rest)) if rest.starts_with('/') => Path::new(rest),
            Some(_) => return Self::open(path, s3),
        };
        let unreadable = |e: std::io::Error| match e.kind() {
            std::io::ErrorKind::NotFound => StoreError::new(ErrorKind::NotFound, format!("open {}: {e}", root.display())),
            _ => unavailable(root, e),
        };
        let root = root.canonicalize().map_err(unreadable)?;
        over_files(Files::to_read(root.clone()), &root, path, None)
    }

    /// A bucket over any object store that has conditional writes.
    #[cfg(test)]
    pub(crate) fn over(store: Arc<dyn ObjectStore>) -> Self {
        let inner = Inner {
            once: store.clone(),
            store,
            files: None,
            name: "test://bucket".to_owned(),
            metrics: Metrics::default(),
            checked: Default::default(),
            _lock: None,
        };
        Self { inner: Arc::new(inner), base: Location::default(), directory: None }
    }
}

fn unavailable(path: &Path, why: impl std::fmt::Display) -> StoreError {
    StoreError::new(ErrorKind::Unavailable, format!("open {}: {why}", path.display()))
}

fn directory(path: &Path) -> Result<Bucket, StoreError> {
    if path.as_os_str().is_empty() {
        return Err(StoreError::new(ErrorKind::Invalid, "open a store of spans: its path is empty"));
    }
    fs::create_dir_all(path).map_err(|e| unavailable(path, e))?;
    let lock = lock(&path.join("lock")).map_err(|why| unavailable(path, why))?;
    files(path, false, &path.display().to_string(), Some(lock))
}

/// Held until it is dropped; the number of the process that has it is in it.
fn lock(path: &Path) -> Result<File, String> {
    let name = path.display();
    let file = File::options().create(true).truncate(false).read(true).write(true).open(path);
    let mut file = file.map_err(|e| format!("{name}: {e}"))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::Error(e)) => return Err(format!("{name}: {e}")),
        Err(TryLockError::WouldBlock) => {
            let mut owner = String::new();
            // Not there, or no text: then nobody is named.
            let _ = Read::take(&mut file, 32).read_to_string(&mut owner);
            let owner = owner.trim();
            let owner = if owner.is_empty() { String::new() } else { format!(" ({owner})") };
            return Err(format!("another process{owner} has locked {name}: a directory is for one process, a URL for several"));
        }
    }
    let write = |file: &mut File| {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    };
    write(&mut file).map_err(|e| format!("{name}: {e}"))?;
    Ok(file)
}

fn files(root: &Path, shared: bool, name: &str, lock: Option<File>) -> Result<Bucket, StoreError> {
    fs::create_dir_all(root).map_err(|e| unavailable(root, e))?;
    let root = root.canonicalize().map_err(|e| unavailable(root, e))?;
    let bucket = over_files(Files::new(root.clone(), shared), &root, name, lock)?;
    Ok(Bucket { directory: (!shared).then_some(root), ..bucket })
}

fn over_files(files: Files, root: &Path, name: &str, lock: Option<File>) -> Result<Bucket, StoreError> {
    let store = LocalFileSystem::new_with_prefix(root).map_err(|e| unavailable(root, e))?;
    let store: Arc<dyn ObjectStore> = Arc::new(store.with_fsync(true).with_automatic_cleanup(true));
    let inner = Inner {
        once: store.clone(),
        store,
        files: Some(files),
        name: name.to_owned(),
        metrics: Metrics::default(),
        checked: Default::default(),
        _lock: lock,
    };
    Ok(Bucket { inner: Arc::new(inner), base: Location::default(), directory: None })
}

fn remote(scheme: &str, bucket: &str, s3: &S3Config, retries: usize) -> Result<Arc<dyn ObjectStore>, String> {
    let retry = RetryConfig {
        backoff: BackoffConfig { init_backoff: Duration::from_millis(100), max_backoff: Duration::from_secs(3), base: 2.0 },
        max_retries: retries,
        retry_timeout: RETRIES,
    };
    let url = format!("{scheme}://{bucket}");
    let text = |e: object_store::Error| e.to_string();
    Ok(match scheme {
        "s3" => {
            let limited = |builder: AmazonS3Builder, (key, limit)| builder.with_config(AmazonS3ConfigKey::Client(key), limit);
            Arc::new(LIMITS.into_iter().fold(amazon(bucket, s3)?, limited).with_retry(retry).build().map_err(text)?)
        }
        "gs" => {
            let builder = GoogleCloudStorageBuilder::from_env().with_url(url).with_retry(retry);
            let limited =
                |builder: GoogleCloudStorageBuilder, (key, limit)| builder.with_config(GoogleConfigKey::Client(key), limit);
            Arc::new(LIMITS.into_iter().fold(builder, limited).build().map_err(text)?)
        }
        "az" => {
            let builder = MicrosoftAzureBuilder::from_env().with_url(url).with_retry(retry);
            let limited = |builder: MicrosoftAzureBuilder, (key, limit)| builder.with_config(AzureConfigKey::Client(key), limit);
            Arc::new(LIMITS.into_iter().fold(builder, limited).build().map_err(text)?)
        }
        _ => return Err(format!("{scheme}:// is not known: s3://, gs://, az:// and file:// are")),
    })
}

fn amazon(bucket: &str, s3: &S3Config) -> Result<AmazonS3Builder, String> {
    if s3.access_key.is_empty() != s3.secret_key.is_empty() {
        return Err("of --parquet.s3.access-key and --parquet.s3.secret-key one is missing".to_owned());
    }
    let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket).with_conditional_put(S3ConditionalPut::ETagMatch);
    if !s3.region.is_empty() {
        builder = builder.with_region(&s3.region);
    }
    if !s3.access_key.is_empty() {
        builder = builder.with_access_key_id(&s3.access_key).with_secret_access_key(&s3.secret_key);
    }
    let named = Some(s3.endpoint.clone()).filter(|endpoint| !endpoint.is_empty());
    let of_environment = |key| builder.get_config_value(&key);
    let endpoint =
        named.or_else(|| of_environment(AmazonS3ConfigKey::S3Endpoint)).or_else(|| of_environment(AmazonS3ConfigKey::Endpoint));
    if let Some(endpoint) = endpoint {
        let (scheme, host) = endpoint
            .split_once("://")
            .filter(|(scheme, host)| matches!(*scheme, "http" | "https") && !host.is_empty())
            .ok_or_else(|| format!("the endpoint {endpoint} is not https://host:port or http://host:port"))?;
        let host = host.trim_end_matches('/');
        let bucket = if s3.virtual_hosts { format!("{bucket}.") } else { String::new() };
        // The key that the library lets win over the other.
        builder = builder.with_config(AmazonS3ConfigKey::S3Endpoint, format!("{scheme}://{bucket}{host}"));
        builder = builder.with_allow_http(scheme == "http");
    }
    if s3.virtual_hosts {
        builder = builder.with_virtual_hosted_style_request(true);
    }
    Ok(builder)
}
