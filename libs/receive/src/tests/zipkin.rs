use super::*;
use crate::http::Cors;
use crate::http::{Options, zipkin};

/// Guarantee: path and media type choose the format as in Jaeger, to the letter.
#[tokio::test]
async fn path_and_media_type_choose_the_format() {
    for (path, media, format) in [
        ("/api/v1/spans", "application/json", Format::ZipkinV1Json),
        ("/api/v1/spans", "application/x-thrift", Format::ZipkinV1Thrift),
        ("/api/v1/spans", "application/x-thrift; charset=utf-8", Format::ZipkinV1Json),
        ("/api/v1/spans", "application/x-protobuf", Format::ZipkinV1Json),
        ("/proxy/api/v1/spans/", "application/x-thrift", Format::ZipkinV1Thrift),
        ("/api/v2/spans", "application/json", Format::ZipkinV2Json),
        ("/api/v2/spans", "application/x-protobuf", Format::ZipkinV2Proto),
        ("/api/v2/spans", "application/x-thrift", Format::ZipkinV2Json),
        ("/", "", Format::ZipkinV2Json),
    ] {
        for method in ["POST", "PUT"] {
            let all = takes_all();
            let router = zipkin::router(&Options::default(), all.clone());
            let (status, _, body) = send(router, method, path, &[("content-type", media)], b"spans".to_vec()).await;
            assert_eq!((status.as_u16(), &body[..]), (202, &b""[..]));
            assert_eq!(all.given(), [("spans".into(), format)], "{path} {media}");
        }
    }
}

/// Scenario: a reporter sends over a socket, plain and compressed. Guarantee: 202 without a body.
#[tokio::test]
async fn spans_are_accepted() {
    let all = takes_all();
    let intake = all.clone();
    let server = Running::start(async |listener, stop| zipkin::serve(listener, &Options::default(), intake, stop).await).await;
    for (encoding, body) in [("identity", b"[]".to_vec()), ("gzip", gzip(b"[]"))] {
        let request = client().post(server.url("/api/v2/spans")).header("content-encoding", encoding).body(body);
        let answer = request.send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (202, ""));
    }
    assert_eq!(all.given(), vec![(Bytes::from("[]"), Format::ZipkinV2Json); 2]);
    server.end().await.unwrap();
}

/// Scenario: a reporter sends far more than is allowed, with and without saying how much. Guarantee: it learns why it is refused.
#[tokio::test]
async fn who_sends_too_much_is_told() {
    let all = takes_all();
    let (intake, options) = (all.clone(), Options { max_body: 1 << 20, ..Default::default() });
    let serve = async move |listener, stop| zipkin::serve(listener, &options, intake, stop).await;
    let server = Running::start(serve).await;
    let pieces = futures::stream::iter((0..512).map(|_| Ok::<_, std::io::Error>(vec![0_u8; 16 << 10])));
    for body in [vec![0; 8 << 20].into(), reqwest::Body::wrap_stream(pieces)] {
        let answer = client().post(server.url("/api/v2/spans")).body(body).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 413);
        let text =
            "the request body is larger than 1048576 bytes (collector.zipkin.max-request-body-size): send smaller batches\n";
        assert_eq!(answer.text().await.unwrap(), text);
    }
    assert!(all.given().is_empty());
    server.end().await.unwrap();
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let empty = "unexpected end of JSON input";
    let router = zipkin::router(&Options::default(), told(Err(invalid(empty))));
    let (status, _, body) = send(router, "GET", "/anything", &[], vec![]).await;
    assert_eq!((status.as_u16(), &body[..]), (400, format!("{empty}\n").as_bytes()));
    let router = zipkin::router(&Options { max_body: 10, ..Default::default() }, takes_all());
    let (status, _, body) = send(router, "POST", "/api/v2/spans", &[], vec![0; 11]).await;
    let text = "the request body is larger than 10 bytes (collector.zipkin.max-request-body-size): send smaller batches\n";
    assert_eq!((status.as_u16(), &body[..]), (413, text.as_bytes()));
    let router = zipkin::router(&Options::default(), told(Err(full())));
    let (status, headers, body) = send(router, "POST", "/api/v2/spans", &[], b"[]".to_vec()).await;
    assert_eq!((status.as_u16(), &body[..]), (503, &b"too many spans wait\n"[..]));
    assert_eq!(headers["retry-after"], "2");
}

/// Scenario: browsers ask before they send. Guarantee: pages of allowed origins may, and the question is not taken for spans.
#[tokio::test]
async fn browsers_of_allowed_origins_may_send() {
    let all = takes_all();
    let cors = Cors { allowed_origins: vec!["http://shop".into()], allowed_headers: vec!["x-b3-traceid".into()] };
    let router = zipkin::router(&Options { cors, ..Default::default() }, all.clone());
    for (origin, allowed) in [("http://shop", true), ("http://evil", false)] {
        let ask = [("origin", origin), ("access-control-request-method", "POST")];
        let (status, answer, _) = send(router.clone(), "OPTIONS", "/api/v2/spans", &ask, vec![]).await;
        assert_eq!(status.as_u16(), 200);
        let told = answer.get("access-control-allow-origin").map(|v| v.to_str().unwrap());
        assert_eq!(told, allowed.then_some(origin));
        assert!(answer["access-control-allow-headers"].to_str().unwrap().contains("x-b3-traceid"));
    }
    assert!(all.given().is_empty());
    let (status, answer, _) = send(router, "POST", "/api/v2/spans", &[("origin", "http://shop")], b"[]".to_vec()).await;
    assert_eq!((status.as_u16(), &answer["access-control-allow-origin"]), (202, &"http://shop".parse().unwrap()));
}
