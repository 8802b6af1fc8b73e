//! The `Authorization` header, from the configuration or from files that change while we run.

use crate::config::Config;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use reqwest::header::HeaderValue;
use skua_store::{ErrorKind, StoreError};
use std::time::{Duration, Instant};

/// Makes the header of each request.
pub(crate) enum Auth {
    /// None.
    Nobody,
    /// Always the same.
    Fixed(HeaderValue),
    /// A secret in a file.
    File(Box<FromFile>),
}

/// A secret in a file that is read again from time to time. When it cannot be read, the last one stays.
pub(crate) struct FromFile {
    path: String,
    scheme: Scheme,
    every: Duration,
    last: Mutex<(Instant, HeaderValue)>,
}

enum Scheme {
    Basic { username: String },
    Token(&'static str),
}

impl Auth {
    /// An API key goes before a token, a token before a password, as in Jaeger.
    pub fn new(c: &Config) -> Result<Self, StoreError> {
        if !c.api_key_file.is_empty() {
            return Self::file(&c.api_key_file, Scheme::Token("ApiKey"), c.api_key_reload_interval);
        }
        if !c.token_file.is_empty() {
            return Self::file(&c.token_file, Scheme::Token("Bearer"), c.bearer_token_reload_interval);
        }
        if !c.password.is_empty() && !c.password_file.is_empty() {
            return Err(StoreError::new(ErrorKind::Invalid, "es.password and es.password-file exclude each other"));
        }
        if c.username.is_empty() {
            return Ok(Self::Nobody);
        }
        let basic = Scheme::Basic { username: c.username.clone() };
        if !c.password_file.is_empty() {
            return Self::file(&c.password_file, basic, c.password_reload_interval);
        }
        Ok(Self::Fixed(
            basic
                .header(&c.password)
                .ok_or_else(|| StoreError::new(ErrorKind::Invalid, "es.username and es.password cannot be put into a header"))?,
        ))
    }

    fn file(path: &str, scheme: Scheme, every: Duration) -> Result<Self, StoreError> {
        let header = read(path, &scheme)?;
        let last = Mutex::new((Instant::now(), header));
        Ok(Self::File(Box::new(FromFile { path: path.to_owned(), scheme, every, last })))
    }

    /// The header's value now.
    pub fn header(&self) -> Option<HeaderValue> {
        match self {
            Self::Nobody => None,
            Self::Fixed(value) => Some(value.clone()),
            Self::File(file) => Some(file.header()),
        }
    }
}

impl FromFile {
    fn header(&self) -> HeaderValue {
        let mut last = self.last.lock();
        if !self.every.is_zero() && last.0.elapsed() >= self.every {
            last.0 = Instant::now();
            match read(&self.path, &self.scheme) {
                Ok(header) => last.1 = header,
                Err(e) => tracing::warn!(error = %e.message, "failed to reload a secret for Elasticsearch, the last one stays"),
            }
        }
        last.1.clone()
    }
}

impl Scheme {
    fn header(&self, secret: &str) -> Option<HeaderValue> {
        let text = match self {
            Self::Basic { username } => format!("Basic {}", STANDARD.encode(format!("{username}:{secret}"))),
            Self::Token(scheme) => format!("{scheme} {secret}"),
        };
        let mut value = HeaderValue::try_from(text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

fn read(path: &str, scheme: &Scheme) -> Result<HeaderValue, StoreError> {
    let invalid = |why: String| StoreError::new(ErrorKind::Invalid, format!("{path}: {why}"));
    let secret = std::fs::read_to_string(path).map_err(|e| invalid(e.to_string()).caused_by(e))?;
    let secret = secret.trim_end_matches(['\r', '\n']);
    scheme.header(secret).ok_or_else(|| invalid("does not hold a text for a header".to_owned()))
}
