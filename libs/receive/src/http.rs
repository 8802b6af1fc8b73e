//! OTLP over HTTP (4318): `POST /v1/traces`, protobuf and JSON, gzip, deflate and zstd. Connections are kept alive.

use crate::{Accepted, Format, Intake, Rejection, RejectionKind};
use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use skua_codec::otlp;
use std::io::Read;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// What the receiver is asked to bound.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Bytes of one request's body, before and after decompression (`collector.otlp.http.max-request-body-size`).
    pub max_body: usize,
    /// Which web pages may send (`collector.otlp.http.cors.*`).
    pub cors: Cors,
}

/// What browsers are told about pages of other origins.
#[derive(Debug, Clone, Default)]
pub struct Cors {
    /// `*` means any; a `*` inside an origin stands for any text, as in `https://*.example.com`. Empty: none.
    pub allowed_origins: Vec<String>,
    /// Request headers beside those that the protocol itself needs; `*` means any.
    pub allowed_headers: Vec<String>,
}

impl Cors {
    fn layer(&self) -> CorsLayer {
        let origins = self.allowed_origins.clone();
        let allowed = move |origin: &HeaderValue, _: &_| {
            let origin = origin.to_str().unwrap_or_default().to_ascii_lowercase();
            origins.iter().any(|allowed| matches(&allowed.to_ascii_lowercase(), &origin))
        };
        let headers = if self.allowed_headers.iter().any(|h| h == "*") {
            AllowHeaders::mirror_request()
        } else {
            let usual = [header::ACCEPT, header::CONTENT_TYPE, header::CONTENT_ENCODING, header::ORIGIN];
            let more = self.allowed_headers.iter().filter_map(|h| h.parse::<HeaderName>().ok());
            AllowHeaders::list(usual.into_iter().chain(more))
        };
        CorsLayer::new()
            .allow_origin(AllowOrigin::predicate(allowed))
            .allow_methods([Method::POST])
            .allow_headers(headers)
            .allow_credentials(true)
    }
}

/// One `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        Some((head, tail)) => text.len() >= head.len() + tail.len() && text.starts_with(head) && text.ends_with(tail),
        None => pattern == text,
    }
}

#[derive(Clone)]
struct Shared {
    intake: Arc<dyn Intake>,
    max_body: usize,
}

/// Serves until `stop`; then finishes what is under way.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    options: &Options,
    intake: Arc<dyn Intake>,
    stop: CancellationToken,
) -> std::io::Result<()> {
    axum::serve(listener, router(options, intake)).with_graceful_shutdown(stop.cancelled_owned()).await
}

/// The routes alone, for tests.
pub fn router(options: &Options, intake: Arc<dyn Intake>) -> Router {
    let router = Router::new().route("/v1/traces", post(traces)).with_state(Shared { intake, max_body: options.max_body });
    if options.cors.allowed_origins.is_empty() { router } else { router.layer(options.cors.layer()) }
}

async fn traces(State(shared): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let format = match format(&parts.headers) {
        Some(format) => format,
        None => return unsupported_type(),
    };
    let body = match read(&parts.headers, body, shared.max_body).await {
        Ok(body) => body,
        Err((status, message)) => return failure(format, status, 3, &message, None),
    };
    match shared.intake.accept(body, format).await {
        Ok(accepted) => success(format, &accepted),
        Err(rejection) => refusal(format, &rejection),
    }
}

/// By the media type alone; parameters such as `charset` do not matter.
fn format(headers: &HeaderMap) -> Option<Format> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let media = value.split(';').next().unwrap_or_default().trim();
    if media.eq_ignore_ascii_case(PROTOBUF) {
        Some(Format::OtlpProto)
    } else if media.eq_ignore_ascii_case(JSON) {
        Some(Format::OtlpJson)
    } else {
        None
    }
}

fn unsupported_type() -> Response {
    let text = format!("415 unsupported media type, supported: [{JSON}, {PROTOBUF}]");
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, [(header::CONTENT_TYPE, "text/plain")], text).into_response()
}

/// The whole body, decompressed, each bounded by `max`.
async fn read(headers: &HeaderMap, body: Body, max: usize) -> Result<Bytes, (StatusCode, String)> {
    let too_large = || {
        let limit = "collector.otlp.http.max-request-body-size";
        (StatusCode::PAYLOAD_TOO_LARGE, format!("the request body is larger than {max} bytes ({limit}): send smaller batches"))
    };
    let body = match Limited::new(body, max).collect().await {
        Ok(body) => body.to_bytes(),
        Err(e) if e.downcast_ref::<http_body_util::LengthLimitError>().is_some() => return Err(too_large()),
        Err(e) => return Err((StatusCode::BAD_REQUEST, format!("failed to read the request body: {e}"))),
    };
    let encoding = headers.get(header::CONTENT_ENCODING).map_or(Ok("identity"), HeaderValue::to_str).unwrap_or("unreadable");
    let reader: Box<dyn Read + Send + '_> = match encoding.trim().to_ascii_lowercase().as_str() {
        "" | "identity" | "none" => return Ok(body),
        "gzip" | "x-gzip" => Box::new(flate2::read::MultiGzDecoder::new(&body[..])),
        "deflate" | "zlib" => Box::new(flate2::read::ZlibDecoder::new(&body[..])),
        "zstd" => Box::new(zstd::Decoder::new(&body[..]).map_err(|e| (StatusCode::BAD_REQUEST, format!("zstd: {e}")))?),
        other => {
            let message = format!("unsupported Content-Encoding {other:?}: use gzip, zstd, deflate or none");
            return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
    };
    let mut out = Vec::with_capacity((body.len() * 3).min(max));
    let read = reader.take(max as u64 + 1).read_to_end(&mut out);
    match read {
        Ok(_) if out.len() > max => Err(too_large()),
        Ok(_) => Ok(out.into()),
        Err(e) => Err((StatusCode::BAD_REQUEST, format!("failed to decompress the {encoding} body: {e}"))),
    }
}

fn success(format: Format, accepted: &Accepted) -> Response {
    let body = match format {
        Format::OtlpJson => otlp::export_response_json(accepted.refused, &accepted.why),
        _ => otlp::export_response(accepted.refused, &accepted.why),
    };
    (StatusCode::OK, [(header::CONTENT_TYPE, media(format))], body).into_response()
}

fn media(format: Format) -> &'static str {
    if format == Format::OtlpJson { JSON } else { PROTOBUF }
}

fn refusal(format: Format, rejection: &Rejection) -> Response {
    let status = match rejection.kind {
        RejectionKind::Invalid => StatusCode::BAD_REQUEST,
        RejectionKind::Full | RejectionKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    };
    failure(format, status, rejection.grpc_code(), &rejection.message, rejection.retry_after)
}

/// A `google.rpc.Status` in the request's own encoding.
fn failure(format: Format, status: StatusCode, code: i32, message: &str, retry: Option<std::time::Duration>) -> Response {
    let body = match format {
        Format::OtlpJson => otlp::status_json(code, message, retry),
        _ => otlp::status(code, message, retry),
    };
    let mut response = (status, [(header::CONTENT_TYPE, media(format))], body).into_response();
    if let Some(retry) = retry {
        // Whole seconds only (RFC 9110, 10.2.3): at least one.
        let seconds = retry.as_secs() + u64::from(retry.subsec_nanos() > 0);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    }
    response
}
