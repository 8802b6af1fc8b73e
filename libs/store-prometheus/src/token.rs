//! The bearer token of a request: the caller's, or that of a file.

use crate::config::Config;
use parking_lot::Mutex;
use reqwest::header::HeaderValue;
use skua_store::{ErrorKind, StoreError, bearer};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How often a file is read again, as in Jaeger.
const RELOAD: Duration = Duration::from_secs(10);

/// Makes the `Authorization` header of each request.
pub(crate) struct Tokens {
    of_callers: bool,
    file: Option<TokenFile>,
}

/// When the file cannot be read any more, the last token stays.
struct TokenFile {
    path: PathBuf,
    last: Mutex<(Instant, HeaderValue)>,
}

impl Tokens {
    /// # Errors
    /// When there is a file and it cannot be read.
    pub fn new(config: &Config) -> Result<Self, StoreError> {
        let path = PathBuf::from(&config.token_file);
        let file = if config.token_file.is_empty() {
            None
        } else {
            let last = Mutex::new((Instant::now(), read(&path)?));
            Some(TokenFile { path, last })
        };
        Ok(Self { of_callers: config.token_override_from_context, file })
    }

    /// The header's value now; the caller's token goes first.
    pub async fn header(&self) -> Option<HeaderValue> {
        let caller = bearer::of_caller().filter(|_| self.of_callers);
        if let Some(value) = caller.and_then(|token| header(token.secret())) {
            return Some(value);
        }
        let file = self.file.as_ref()?;
        let stale = {
            let mut last = file.last.lock();
            let stale = last.0.elapsed() >= RELOAD;
            if stale {
                last.0 = Instant::now(); // one request reads the file, the others go on with the last token
            }
            stale
        };
        if stale {
            let path = file.path.clone();
            match tokio::task::spawn_blocking(move || read(&path)).await {
                Ok(Ok(value)) => file.last.lock().1 = value,
                Ok(Err(e)) => tracing::warn!(error = %e, "failed to reload the token for Prometheus, the last one stays"),
                Err(e) => tracing::warn!(error = %e, "failed to reload the token for Prometheus, the last one stays"),
            }
        }
        Some(file.last.lock().1.clone())
    }
}

fn header(token: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn read(path: &std::path::Path) -> Result<HeaderValue, StoreError> {
    let invalid = |why: String| StoreError::new(ErrorKind::Invalid, format!("prometheus.token-file: {}: {why}", path.display()));
    let token = std::fs::read_to_string(path).map_err(|e| invalid(e.to_string()).caused_by(e))?;
    header(token.trim_end_matches(['\r', '\n'])).ok_or_else(|| invalid("does not hold a text for a header".to_owned()))
}
