//! What is sent, and what is made of answers; the suite that real servers pass is in `tests/real.rs`.

use super::*;
use crate::Config;
use prometheus_client::registry::Registry;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

/// 2026-01-25 07:00:00 UTC, in microseconds.
const AT: u64 = 1_769_324_400_000_000;
const RED: RollupKind = RollupKind::Red;

async fn rollups(server: &MockServer, config: Config) -> ElasticsearchRollups {
    let config = Config { server_urls: vec![server.uri()], version: 8, index_prefix: "foo".to_owned(), ..config };
    ElasticsearchRollups::new(ElasticsearchStore::connect(config, &mut Registry::default()).await.unwrap())
}

async fn on(server: &MockServer, verb: &str, at: &str, status: u16, body: &str) {
    let answer = ResponseTemplate::new(status).set_body_string(body);
    Mock::given(method(verb)).and(path(at)).respond_with(answer).mount(server).await;
}

/// Method, path and query of each request, and its body.
async fn requests(server: &MockServer) -> Vec<(String, String)> {
    let requests = server.received_requests().await.unwrap();
    let line = |r: &wiremock::Request| {
        let query = r.url.query().map(|q| format!("?{q}")).unwrap_or_default();
        let body = String::from_utf8(r.body.clone()).unwrap();
        (format!("{} {}{query}", r.method, r.url.path()), body)
    };
    requests.iter().map(line).collect()
}

/// Scenario: the first save, to a server that fails at first, and another. Guarantees: the template goes first, once, until it works;
/// aliases and the rollover of spans change no name; each write is on a condition.
#[tokio::test]
async fn saves_are_conditional() {
    let server = MockServer::start().await;
    let config = Config {
        use_aliases: true,
        index_rollover_frequency_spans: "hour".to_owned(),
        index_date_separator: ".".to_owned(),
        num_replicas: 2,
        ..Config::default()
    };
    let rollups = rollups(&server, config).await;
    let body = Bytes::from_static(b"\0\xff~");
    let e = rollups.save_rollup(RED, AT, body.clone(), None).await.unwrap_err();
    assert!(e.message.contains("_index_template/foo-skua-rollup"), "{e}");
    assert_eq!(requests(&server).await.len(), 1, "no document without its mapping");
    server.reset().await;
    on(&server, "PUT", "/_index_template/foo-skua-rollup", 200, "{}").await;
    on(&server, "PUT", "/foo-skua-rollup-2026.01.25/_create/red-1769324400", 201, "{}").await;
    on(&server, "PUT", "/foo-skua-rollup-2026.01.25/_doc/red-1769324400", 409, "{}").await;
    assert!(rollups.save_rollup(RED, AT, body.clone(), None).await.unwrap());
    assert!(!rollups.save_rollup(RED, AT, body, Some(Version(7, 3))).await.unwrap());
    let requests = requests(&server).await;
    let lines: Vec<&str> = requests.iter().map(|(line, _)| line.as_str()).collect();
    let want = [
        "PUT /_index_template/foo-skua-rollup",
        "PUT /foo-skua-rollup-2026.01.25/_create/red-1769324400",
        "PUT /foo-skua-rollup-2026.01.25/_doc/red-1769324400?if_seq_no=7&if_primary_term=3",
        "GET /foo-skua-rollup-2026.01.25/_doc/red-1769324400?_source_includes=save",
    ];
    assert_eq!(lines, want);
    let document: Value = serde_json::from_str(&requests[1].1).unwrap();
    assert_eq!(document["body"], "AP9+");
    let template: Value = serde_json::from_str(&requests[0].1).unwrap();
    let settings = json!({"index.number_of_shards": 1, "index.number_of_replicas": 2, "index.codec": "best_compression"});
    assert_eq!(template["template"], json!({"settings": settings, "mappings": {"enabled": false}}));
    assert_eq!(template["index_patterns"], json!(["foo-skua-rollup-*"]));
    let legacy = template::rollups(&Config::default(), 7);
    assert_eq!((legacy.path.as_str(), &legacy.body["index_patterns"]), ("_template/skua-rollup", &json!(["skua-rollup-*"])));
}

/// Scenario: a conflict, after which the document is another's, is not there, is this very one, or cannot be read. Guarantees: it was saved
/// when it is this one; an error when that is not known.
#[tokio::test]
async fn a_conflict_with_oneself_is_none() {
    const PATH: &str = "/foo-skua-rollup-2026-01-25/_doc/red-1769324400";
    let server = MockServer::start().await;
    let rollups = rollups(&server, Config { create_index_templates: false, ..Config::default() }).await;
    let sent = Arc::new(parking_lot::Mutex::new(String::new()));
    let save = async || rollups.save_rollup(RED, AT, Bytes::from_static(b"x"), Some(Version(1, 1))).await;
    for (status, own, saved) in [(200, false, Some(false)), (404, false, Some(false)), (200, true, Some(true)), (503, true, None)]
    {
        server.reset().await;
        let put = Arc::clone(&sent);
        let conflict = move |r: &wiremock::Request| {
            *put.lock() = String::from_utf8(r.body.clone()).unwrap();
            ResponseTemplate::new(409)
        };
        Mock::given(method("PUT")).and(path(PATH)).respond_with(conflict).mount(&server).await;
        let get = Arc::clone(&sent);
        let there = move |_: &wiremock::Request| {
            let source = if own { get.lock().clone() } else { r#"{"body":"eA=="}"#.to_owned() };
            ResponseTemplate::new(status).set_body_string(format!(r#"{{"found":true,"_source":{source}}}"#))
        };
        Mock::given(method("GET")).and(path(PATH)).respond_with(there).mount(&server).await;
        assert_eq!(save().await.ok(), saved, "{status} {own}");
    }
}

/// Scenario: a range of which one day has no index, one document is not there, and another's shard is away. Guarantees: what is not
/// there is left out, what cannot be read is an error.
#[tokio::test]
async fn what_is_not_there_is_no_error() {
    let server = MockServer::start().await;
    let rollups = rollups(&server, Config::default()).await;
    let midnight = AT / DAY_US * DAY_US;
    let (from, until) = (midnight - 600_000_000, midnight + 1_200_000_000);
    let gone =
        r#"{"_index":"i","_id":"1","error":{"root_cause":[],"type":"index_not_found_exception","reason":"no such index"}}"#;
    let absent = r#"{"_index":"i","_id":"2","found":false}"#;
    let there = r#"{"_index":"i","_id":"3","_version":1,"_seq_no":0,"_primary_term":1,"found":true,"_source":{"body":"AP9+"}}"#;
    on(&server, "POST", "/_mget", 200, &format!(r#"{{"docs":[{gone},{absent},{there}]}}"#)).await;
    let read = rollups.rollups(RED, from, until).await.unwrap();
    assert_eq!(read, [(midnight + 600_000_000, Bytes::from_static(b"\0\xff~"))]);
    let asked: Value = serde_json::from_str(&requests(&server).await[0].1).unwrap();
    assert_eq!(asked["docs"][0], json!({"_index": "foo-skua-rollup-2026-01-24", "_id": "red-1769298600"}));

    for (answer, why) in [
        (format!(r#"{{"docs":[{there},{absent}]}}"#), "answers 2 documents"),
        (there.replace("AP9+", "AP9"), "not base64"),
        (gone.replace("index_not_found", "no_shard_available_action"), "no_shard_available_action_exception"),
    ] {
        server.reset().await;
        let answer = if answer.contains("docs") { answer } else { format!(r#"{{"docs":[{there},{answer},{absent}]}}"#) };
        on(&server, "POST", "/_mget", 200, &answer).await;
        let e = rollups.rollups(RED, from, until).await.unwrap_err();
        assert!(e.message.contains(why), "{e}");
    }
    let e = rollups.rollups(RED, 0, midnight).await.unwrap_err();
    assert!(e.kind == ErrorKind::Invalid && e.message.contains("400 days"), "{e}");
    assert_eq!(rollups.rollups(RED, until, from).await.unwrap(), []);
    assert_eq!(rollups.rollup(RED, AT).await.unwrap(), None, "404");
}

/// Scenario: indices of roll-ups, and some that only look like them. Guarantees: days before the time go, no other index does.
#[tokio::test]
async fn whole_days_are_deleted() {
    let server = MockServer::start().await;
    let rollups = rollups(&server, Config::default()).await;
    let names = ["2026-01-22", "2026-01-23", "2026-01-24", "2026-01-25", "2026-01-22-old", "2026-01-2x", "kept", "2026-02-30"];
    let listed: serde_json::Map<String, Value> =
        names.iter().map(|name| (format!("foo-skua-rollup-{name}"), json!({}))).collect();
    on(&server, "GET", "/foo-skua-rollup-*/_settings/index.creation_date", 200, &Value::Object(listed).to_string()).await;
    on(&server, "DELETE", "/foo-skua-rollup-2026-01-22%2Cfoo-skua-rollup-2026-01-23", 200, "{}").await;
    // Some hours into the 24th.
    rollups.delete_rollups(AT - DAY_US).await.unwrap();
    assert_eq!(requests(&server).await.len(), 2);
    rollups.delete_rollups(AT - 9 * DAY_US).await.unwrap();
    assert_eq!(requests(&server).await.len(), 3, "nothing to delete");
}
