//! The body of a request, whole and decompressed, within bounds.

use super::budget::{Budget, Share};
use ::http::{HeaderMap, StatusCode, header};
use axum::body::{Body, HttpBody};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use std::error::Error;
use std::io::{self, Read};
use std::time::Duration;

/// `max_body` where no flag says another: 20 MiB, as OpenTelemetry's receivers, and so Jaeger's, have it.
pub const DEFAULT_MAX_BODY: usize = 20 << 20;

/// Memory that a body of several frames may be given before its bytes have come.
const FIRST_BUFFER: usize = 128 << 10;

/// Bytes that are unpacked between two looks at the bounds.
const STEP: usize = 64 << 10;

/// The base-two logarithm of the largest window that zstd may ask for: 8 MiB (RFC 9659).
const ZSTD_WINDOW: u32 = 23;

/// How the stream of framed snappy begins (its framing format, 4.1).
const SNAPPY_FRAMED: &[u8] = b"\xff\x06\x00\x00sNaPpY";

/// The most that a byte of raw snappy unpacks to is 64/3; more is a lie about its length.
const SNAPPY_RATIO: usize = 32;

/// Bounds of one receiver of bodies.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// Bytes of one body, before and after decompression.
    pub max: usize,
    /// The flag that sets it, for the message.
    pub flag: &'static str,
    /// Bytes of all bodies.
    pub budget: Budget,
}

/// Why there is no body, to be told to the sender.
#[derive(Debug)]
pub struct Unreadable {
    /// 400, 408, 413, 415 or 503.
    pub status: StatusCode,
    /// For the sender.
    pub message: String,
    /// When it should be sent again.
    pub retry_after: Option<Duration>,
}

impl Unreadable {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), retry_after: None }
    }
}

impl Bounds {
    /// Reads all of it and unpacks what `Content-Encoding` says.
    ///
    /// # Errors
    /// When it is too large, cut off, late, packed in an unknown or a broken way, or when there is no room for it now.
    pub async fn read(&self, headers: &HeaderMap, body: Body) -> Result<Bytes, Unreadable> {
        let mut share = self.budget.share();
        let body = self.gather(body, &mut share).await?;
        self.unpack(headers, body, &mut share)
    }

    async fn gather(&self, mut body: Body, share: &mut Share<'_>) -> Result<Bytes, Unreadable> {
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if announced > self.max {
            return Err(self.too_large());
        }
        let (mut first, mut all) = (Bytes::new(), BytesMut::new());
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
            if first.len() + all.len() + data.len() > self.max {
                return Err(self.too_large());
            }
            self.take(share, data.len())?;
            if first.is_empty() && all.is_empty() {
                first = data; // mostly the only one, and so never copied
                continue;
            }
            if all.is_empty() {
                all.reserve(announced.min(FIRST_BUFFER).max(first.len() + data.len()));
                all.extend_from_slice(&std::mem::take(&mut first));
            }
            all.extend_from_slice(&data);
        }
        Ok(if all.is_empty() { first } else { all.freeze() })
    }

    fn unpack(&self, headers: &HeaderMap, body: Bytes, share: &mut Share<'_>) -> Result<Bytes, Unreadable> {
        let encoding = headers.get(header::CONTENT_ENCODING).map_or(Ok("identity"), |v| v.to_str()).unwrap_or("unreadable");
        let encoding = encoding.trim().to_ascii_lowercase();
        let damaged =
            |e: io::Error| Unreadable::new(StatusCode::BAD_REQUEST, format!("failed to decompress the {encoding} body: {e}"));
        let mut reader: Box<dyn Read + Send + '_> = match encoding.as_str() {
            "" | "identity" | "none" => return Ok(body),
            "gzip" | "x-gzip" => Box::new(flate2::read::MultiGzDecoder::new(&body[..])),
            "deflate" | "zlib" => Box::new(flate2::read::ZlibDecoder::new(&body[..])),
            "zstd" => {
                let mut decoder = zstd::Decoder::new(&body[..]).map_err(damaged)?;
                decoder.window_log_max(ZSTD_WINDOW).map_err(damaged)?;
                Box::new(decoder)
            }
            "snappy" if !body.starts_with(SNAPPY_FRAMED) => return self.unpack_raw_snappy(&body, share, damaged),
            "snappy" | "x-snappy-framed" => Box::new(snap::read::FrameDecoder::new(&body[..])),
            other => {
                let message = format!("unsupported Content-Encoding {other:?}: use gzip, zstd, deflate, snappy or none");
                return Err(Unreadable::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
            }
        };
        let mut out = Vec::with_capacity((body.len() * 3).min(self.max));
        loop {
            let n = reader.by_ref().take(STEP as u64).read_to_end(&mut out).map_err(damaged)?;
            if out.len() > self.max {
                return Err(self.too_large());
            }
            self.take(share, n)?;
            if n < STEP {
                return Ok(out.into());
            }
        }
    }

    /// Raw snappy says its length first.
    fn unpack_raw_snappy(
        &self,
        body: &[u8],
        share: &mut Share<'_>,
        damaged: impl Fn(io::Error) -> Unreadable,
    ) -> Result<Bytes, Unreadable> {
        let length = snap::raw::decompress_len(body).map_err(|e| damaged(e.into()))?;
        if length > self.max {
            return Err(self.too_large());
        }
        if length > body.len().saturating_mul(SNAPPY_RATIO) {
            return Err(damaged(io::Error::other("it is too short for the length that it tells")));
        }
        self.take(share, length)?;
        snap::raw::Decoder::new().decompress_vec(body).map(Into::into).map_err(|e| damaged(e.into()))
    }

    fn take(&self, share: &mut Share<'_>, bytes: usize) -> Result<(), Unreadable> {
        if share.take(bytes) {
            return Ok(());
        }
        Err(Unreadable {
            status: StatusCode::SERVICE_UNAVAILABLE,
            message: "too many bytes of requests are being received: send it again later".into(),
            retry_after: Some(super::answer::RETRY),
        })
    }

    fn too_large(&self) -> Unreadable {
        let message = format!("the request body is larger than {} bytes ({}): send smaller batches", self.max, self.flag);
        Unreadable::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    }
}

/// The connection failed, or the sender took too long.
fn broken(error: axum::Error) -> Unreadable {
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(e) = cause {
        if let Some(io) = e.downcast_ref::<io::Error>()
            && io.kind() == io::ErrorKind::TimedOut
        {
            return Unreadable::new(StatusCode::REQUEST_TIMEOUT, io.to_string());
        }
        cause = e.source();
    }
    Unreadable::new(StatusCode::BAD_REQUEST, format!("failed to read the request body: {error}"))
}
