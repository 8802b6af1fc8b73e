//! Bodies: each encoding, each bound. The receivers read them in the same way, so one of them stands for all.

use super::*;
use crate::http::{Budget, Options, zipkin};
use futures::stream;

async fn post(options: &Options, intake: Arc<Told>, encoding: &str, body: Body) -> (StatusCode, HeaderMap, String) {
    let request = Request::post("/api/v2/spans").header("content-encoding", encoding).body(body).unwrap();
    let (parts, body) = zipkin::router(options, intake).oneshot(request).await.unwrap().into_parts();
    let text = body.collect().await.unwrap().to_bytes();
    (parts.status, parts.headers, String::from_utf8(text.into()).unwrap())
}

fn at_most(max_body: usize) -> Options {
    Options { max_body, ..Default::default() }
}

fn encoded(plain: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    zlib.write_all(plain).unwrap();
    let mut framed = snap::write::FrameEncoder::new(Vec::new());
    framed.write_all(plain).unwrap();
    let framed = framed.into_inner().unwrap();
    vec![
        ("", plain.to_vec()),
        ("gzip", gzip(plain)),
        ("deflate", zlib.finish().unwrap()),
        ("zstd", zstd::encode_all(plain, 1).unwrap()),
        ("snappy", snap::raw::Encoder::new().compress_vec(plain).unwrap()),
        ("snappy", framed.clone()),
        ("x-snappy-framed", framed),
    ]
}

/// Guarantee: what a client compressed comes out as it was, also over several steps of unpacking, up to the last byte allowed.
#[tokio::test]
async fn every_encoding_is_unpacked() {
    let plain: Vec<u8> = (0..200_000_u32).map(|i| (i / 7) as u8).collect();
    for (encoding, body) in encoded(&plain) {
        let all = takes_all();
        let (status, _, text) = post(&at_most(200_000), all.clone(), encoding, body.clone().into()).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{encoding}: {text}");
        assert!(all.given() == [(plain.clone().into(), Format::ZipkinV2Json)], "{encoding}");
        let (status, _, text) = post(&at_most(199_999), all, encoding, body.into()).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{encoding}");
        assert_eq!(
            text,
            "the request body is larger than 199999 bytes (collector.zipkin.max-request-body-size): send smaller batches\n"
        );
    }
}

/// Scenario: bytes that are not what the header says, and an encoding that nobody knows. Guarantee: 400 or 415, nothing handed on.
#[tokio::test]
async fn a_damaged_body_is_refused() {
    let all = takes_all();
    for encoding in ["gzip", "deflate", "zstd", "snappy", "x-snappy-framed"] {
        let (status, _, text) = post(&at_most(1000), all.clone(), encoding, "not compressed".into()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{encoding}");
        assert!(text.starts_with(&format!("failed to decompress the {encoding} body: ")), "{text}");
    }
    // 20 MiB in six bytes.
    let (status, _, text) = post(&at_most(32 << 20), all.clone(), "snappy", b"\x80\x80\x80\x0a\x00a"[..].into()).await;
    assert_eq!((status, text.contains("too short for the length")), (StatusCode::BAD_REQUEST, true), "{text}");
    // A frame whose window is 128 MiB (RFC 8878, 3.1.1.1.2).
    let (status, ..) = post(&at_most(32 << 20), all.clone(), "zstd", b"\x28\xb5\x2f\xfd\x00\x88\x01\x00\x00"[..].into()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, _, text) = post(&at_most(1000), all.clone(), "br", "".into()).await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(text, "unsupported Content-Encoding \"br\": use gzip, zstd, deflate, snappy or none\n");
    assert!(all.given().is_empty());
}

fn chunks(chunks: Vec<&'static [u8]>) -> Body {
    Body::from_stream(stream::iter(chunks.into_iter().map(Ok::<_, std::io::Error>)))
}

/// Scenario: a body in chunks, of no length told before. Guarantee: it is put together, and cut off where it exceeds the limit.
#[tokio::test]
async fn a_body_in_chunks_is_put_together() {
    let all = takes_all();
    let (status, ..) = post(&at_most(6), all.clone(), "", chunks(vec![b"ab", b"", b"cd", b"ef"])).await;
    assert_eq!((status, all.given()), (StatusCode::ACCEPTED, vec![("abcdef".into(), Format::ZipkinV2Json)]));
    let (status, ..) = post(&at_most(5), all.clone(), "", chunks(vec![b"ab", b"cd", b"ef"])).await;
    assert_eq!((status, all.given().len()), (StatusCode::PAYLOAD_TOO_LARGE, 1));
}

/// Scenario: bodies of other requests have taken most of what all may take. Guarantee: 503 with `Retry-After`; what a body took
/// is given back, whether it was handed on or not.
#[tokio::test]
async fn all_bodies_together_are_bounded() {
    let budget = Budget::new(10);
    let options = Options { budget: budget.clone(), ..Default::default() };
    let all = takes_all();
    for (body, encoding) in [(chunks(vec![b"123456", b"78901"]), ""), (gzip(&[0; 100]).into(), "gzip")] {
        let (status, headers, text) = post(&options, all.clone(), encoding, body).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(headers["retry-after"], "1");
        assert_eq!(text, "too many bytes of requests are being received: send it again later\n");
        assert_eq!(budget.left(), 10);
    }
    let (status, ..) = post(&options, all.clone(), "", "1234567890".into()).await;
    assert_eq!((status, all.given().len(), budget.left()), (StatusCode::ACCEPTED, 1, 10));
}
