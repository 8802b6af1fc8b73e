//! Strategies from files and URLs: what is served, what is refused, and what follows a change.

mod properties;

use super::*;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Write;
use tempfile::NamedTempFile;
use wiremock::matchers::{any, header};
use wiremock::{Mock, MockServer, ResponseTemplate};

#[derive(Deserialize)]
struct Golden {
    good: Vec<File>,
    bad: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    name: String,
    text: String,
    #[serde(default)]
    answers: BTreeMap<String, String>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../../tests/golden/strategies.json")).unwrap()
}

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn options(place: &str) -> Options {
    Options { strategies_file: place.to_owned(), ..Options::default() }
}

async fn start(options: Options) -> Result<Arc<FileStrategies>, Error> {
    FileStrategies::start(options, &mut Registry::default(), CancellationToken::new()).await
}

async fn start_file(text: &str) -> Result<Arc<FileStrategies>, Error> {
    start(options(file(text).path().to_str().unwrap())).await
}

async fn refusal(place: &str) -> String {
    start(options(place)).await.err().unwrap().to_string()
}

fn rate(strategies: &FileStrategies, service: &str) -> f64 {
    strategies.strategy(service).probabilistic.unwrap()
}

/// The answers of a Jaeger 1.76 collector to the same files, byte for byte: every rule of merging, odd numbers, odd names, keys
/// in any case.
#[tokio::test]
async fn answers_are_jaegers() {
    let mut compared = 0;
    for file in golden().good {
        let strategies = start_file(&file.text).await.unwrap_or_else(|e| panic!("{}: {e}", file.name));
        for (service, want) in file.answers {
            assert_eq!(strategies.strategy(&service).to_json(), want, "{} {service:?}", file.name);
            compared += 1;
        }
    }
    assert!(compared > 200, "{compared}");
}

/// What ends Jaeger's start ends ours, with the place.
#[tokio::test]
async fn what_jaeger_refuses_is_refused() {
    for file in golden().bad {
        let e = start_file(&file.text).await.err().unwrap_or_else(|| panic!("{}", file.name)).to_string();
        assert!(e.contains(", line ") && e.contains(" column "), "{}: {e}", file.name);
    }
}

#[tokio::test]
async fn an_error_names_the_place() {
    let text = "{\n  \"default_strategy\": {\"type\": \"probabilistic\",\n    \"param\": \"0.5\"}\n}";
    let file = file(text);
    let path = file.path().to_str().unwrap();
    let want = format!("read the sampling strategies {path}, line 3 column 18: invalid type: string \"0.5\", expected f64");
    assert_eq!(refusal(path).await, want);
    let e = refusal("/nowhere/strategies.json").await;
    assert!(e.contains("/nowhere/strategies.json: No such file") && e.contains("--sampling.strategies-file"), "{e}");
    let e = refusal("ftp://me:secret@host/x").await;
    assert!(e.contains("ftp://host/x: is not a URL of http or https"), "{e}");
    let e = refusal("/").await;
    assert!(e.contains("strategies /: "), "{e}");
}

/// A misspelt type does not go unnoticed, nor does what an answer has no place for.
#[test]
fn warnings_name_what_is_wrong() {
    let text = r#"{"default_strategy": {"type": "const", "param": 1},
        "service_strategies": [{"service": "shop", "type": "ratelimiting", "param": 1e10, "operation_strategies":
            [{"operation": "buy", "type": "ratelimiting", "param": 2}, {"operation": "sell"}]}]}"#;
    let (table, warnings) = Table::merge(&Document::parse(text.as_bytes()).unwrap(), 0.25);
    assert_eq!(
        warnings,
        [
            r#"the default strategy has the type "const", which is neither probabilistic nor ratelimiting; its probability is 0.25"#,
            r#"service "shop" has a rate limit that does not fit 32 bits: 10000000000"#,
            r#"operation "buy" of service "shop" is left out: operations can be probabilistic only"#,
            r#"operation "sell" of service "shop" has the type "", which is neither probabilistic nor ratelimiting; its probability is 0.25"#,
        ]
    );
    assert_eq!(table.find("shop").rate_limiting, Some(i32::MAX));
    assert_eq!(table.find("other").probabilistic, Some(0.25));
}

#[tokio::test]
async fn without_a_file_all_have_the_default() {
    let strategies = start(Options { default_sampling_probability: 0.5, ..options("") }).await.unwrap();
    assert_eq!(
        strategies.strategy("x").to_json(),
        r#"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.5}}"#
    );
}

const HALF: &str = r#"{"default_strategy": {"type": "probabilistic", "param": 0.5}}"#;
const THIRD: &str = r#"{"default_strategy": {"type": "probabilistic", "param": 0.3}}"#;

/// Waits, in paused time, until the strategies are as wanted.
async fn until(want: impl Fn() -> bool) {
    tokio::time::timeout(Duration::from_secs(3600), async {
        while !want() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    })
    .await
    .expect("the change is taken up");
}

/// A change is taken up within the interval, a bad file and a missing one change nothing but a counter, and the stop ends it.
#[tokio::test(start_paused = true)]
async fn changes_are_followed_and_mistakes_are_not() {
    let file = file(HALF);
    let (mut registry, stop) = (Registry::default(), CancellationToken::new());
    let options = Options { reload_interval: Duration::from_secs(10), ..options(file.path().to_str().unwrap()) };
    let strategies = FileStrategies::start(options, &mut registry, stop.clone()).await.unwrap();
    let count = |outcome| strategies.reloads.get_or_create(&Reload { outcome }).get();
    assert_eq!(rate(&strategies, "x"), 0.5);
    std::fs::write(file.path(), THIRD).unwrap();
    until(|| rate(&strategies, "x") == 0.3).await;
    assert_eq!((count("changed"), count("failed")), (1, 0));
    std::fs::write(file.path(), "{").unwrap();
    until(|| count("failed") >= 2).await;
    assert_eq!(rate(&strategies, "x"), 0.3);
    let kept = file.path().with_extension("kept");
    std::fs::rename(file.path(), &kept).unwrap();
    let failed = count("failed");
    until(|| count("failed") >= failed + 2).await;
    assert_eq!(rate(&strategies, "x"), 0.3);
    std::fs::write(&kept, "null").unwrap();
    std::fs::rename(&kept, file.path()).unwrap();
    until(|| rate(&strategies, "x") == 0.001).await;
    assert_eq!(count("changed"), 2);
    stop.cancel();
    until(|| Arc::strong_count(&strategies) == 1).await;
}

async fn answering(status: u16, body: &str) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(status).set_body_string(body)).mount(&server).await;
    server
}

#[tokio::test]
async fn a_url_is_read() {
    let server = MockServer::start().await;
    let basic = header("authorization", "Basic bWU6c2VjcmV0");
    Mock::given(basic).respond_with(ResponseTemplate::new(200).set_body_string(HALF)).mount(&server).await;
    let url = server.uri().replace("http://", "http://me:secret@");
    assert_eq!(rate(&start(options(&url)).await.unwrap(), "x"), 0.5);
    let server = answering(404, "nothing here").await;
    let e = refusal(&server.uri().replace("http://", "http://me:secret@")).await;
    assert!(e.contains("the server answered 404 Not Found: nothing here") && !e.contains("secret"), "{e}");
    let e = refusal("http://me:secret@127.0.0.1:1/x").await;
    assert!(e.contains("http://127.0.0.1:1/x: ") && e.contains("refused") && !e.contains("secret"), "{e}");
    let server = answering(200, "<html>").await;
    let e = refusal(&server.uri()).await;
    assert!(e.contains(", line 1 column 1: "), "{e}");
}

/// 503 is as `null`, at the start and later. Unlike Jaeger we look again after such a start.
#[tokio::test]
async fn a_url_that_is_not_available_means_the_defaults() {
    let server = answering(503, "busy").await;
    let strategies = start(options(&server.uri())).await.unwrap();
    assert_eq!(rate(&strategies, "x"), 0.001);
    let place = Place::new(&server.uri()).unwrap();
    let mut reloader = Reloader { strategies: strategies.clone(), place, default: 0.001, last: Some(b"null".to_vec()) };
    assert!(!reloader.read().await.unwrap());
    server.reset().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_string(HALF)).mount(&server).await;
    assert!(reloader.read().await.unwrap());
    assert_eq!(rate(&strategies, "x"), 0.5);
    server.reset().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(503)).mount(&server).await;
    reloader.reload().await;
    assert_eq!(rate(&strategies, "x"), 0.001);
}

/// A server that does not answer holds nothing up for longer than a second, and changes nothing.
#[tokio::test]
async fn a_url_that_does_not_answer_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let e = refusal(&format!("http://{}/x", listener.local_addr().unwrap())).await;
    assert!(e.contains("no answer within 1 s"), "{e}");
}

#[test]
fn a_place_is_a_url_when_it_has_a_scheme_and_a_host() {
    for (text, url) in [
        ("http://host/x", true),
        ("https://host:1?x", true),
        ("http:///x", false),
        ("http:", false),
        ("/etc/a://b", false),
        ("C:\\x", false),
        ("file.json", false),
    ] {
        assert_eq!(matches!(Place::new(text).unwrap(), Place::Url { .. }), url, "{text}");
    }
}

/// A text without end is given up at the bound.
#[tokio::test]
async fn a_text_is_not_read_without_end() {
    let e = refusal("/dev/zero").await;
    assert!(e.contains("/dev/zero: is longer than 16 MiB"), "{e}");
}
