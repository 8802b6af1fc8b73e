//! Where the text of the strategies is.

use crate::Error;
use std::fmt;
use std::time::Duration;

/// Jaeger's: how long a URL has to answer.
const TIMEOUT: Duration = Duration::from_secs(1);
/// A longer text is given up.
const LONGEST: usize = 16 << 20;
/// What a server that is not available is taken to say.
const NULL: &[u8] = b"null";

/// A file or a URL. Its text has no credentials.
pub(crate) enum Place {
    File(String),
    Url { http: reqwest::Client, url: reqwest::Url, name: String },
}

impl Place {
    /// As Jaeger: what has a scheme and a host is a URL, all else a path.
    pub fn new(text: &str) -> Result<Self, Error> {
        if !is_url(text) {
            return Ok(Self::File(text.to_owned()));
        }
        // What cannot be parsed cannot be shown either: it may have a password.
        let refused = |cause: String| Error::Unreadable { place: "at a URL".to_owned(), cause };
        let url = reqwest::Url::parse(text).map_err(|e| refused(e.to_string()))?;
        let name = without_credentials(&url);
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Error::Unreadable { place: name, cause: "is not a URL of http or https".to_owned() });
        }
        let http = reqwest::Client::builder().timeout(TIMEOUT).build().map_err(Error::Http)?;
        Ok(Self::Url { http, url, name })
    }

    /// The text that is there now.
    pub async fn read(&self) -> Result<Vec<u8>, Error> {
        let text = match self {
            Self::File(path) => file(path).await,
            Self::Url { http, url, .. } => download(http, url).await,
        };
        text.map_err(|cause| Error::Unreadable { place: self.to_string(), cause })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File(path) => path,
            Self::Url { name, .. } => name,
        })
    }
}

fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let of_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(of_scheme)
        && !rest.is_empty()
        && !rest.starts_with(['/', '?', '#'])
}

fn without_credentials(url: &reqwest::Url) -> String {
    let mut url = url.clone();
    // Neither can fail for a URL with a host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}

async fn file(path: &str) -> Result<Vec<u8>, String> {
    use tokio::io::AsyncReadExt;
    let file = tokio::fs::File::open(path).await.map_err(|e| e.to_string())?;
    let mut text = Vec::new();
    file.take(LONGEST as u64 + 1).read_to_end(&mut text).await.map_err(|e| e.to_string())?;
    if text.len() > LONGEST { Err(too_long()) } else { Ok(text) }
}

async fn download(http: &reqwest::Client, url: &reqwest::Url) -> Result<Vec<u8>, String> {
    let mut response = http.get(url.clone()).send().await.map_err(|e| cause(&e))?;
    let status = response.status();
    if status.as_u16() == 503 {
        return Ok(NULL.to_vec());
    }
    let mut text = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| cause(&e))? {
        text.extend_from_slice(&chunk);
        if text.len() > LONGEST {
            return Err(too_long());
        }
    }
    if status.as_u16() != 200 {
        let says = String::from_utf8_lossy(&text[..text.len().min(200)]).trim().to_owned();
        return Err(format!("the server answered {status}: {says}"));
    }
    Ok(text)
}

fn too_long() -> String {
    format!("is longer than {} MiB", LONGEST >> 20)
}

/// The last cause says what happened; those above name the URL with its credentials.
fn cause(e: &reqwest::Error) -> String {
    if e.is_timeout() {
        return format!("no answer within {} s", TIMEOUT.as_secs());
    }
    let last = std::iter::successors(Some(e as &dyn std::error::Error), |e| e.source()).last();
    last.map(ToString::to_string).unwrap_or_default()
}
