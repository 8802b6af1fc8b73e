//! The pages beside the API.

use super::*;
use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

/// The lines that the builds of Jaeger's UI of version 1 and of 2.20 have, and some that only look alike.
const INDEX: &str = r#"<!doctype html>
<head>
<base href="/" data-inject-target="BASE_URL"/>
<script>
      // JAEGER_CONFIG_JS
      // the line after it
      const DEFAULT_CONFIG = null;
      const JAEGER_CONFIG = DEFAULT_CONFIG;
      const JAEGER_CONFIG=DEFAULT_CONFIG;
      const JAEGER_STORAGE_CAPABILITIES  =  DEFAULT_STORAGE_CAPABILITIES;
      const JAEGER_BACKEND_CAPABILITIES = DEFAULT_BACKEND_CAPABILITIES;
      const JAEGER_VERSION = DEFAULT_VERSION;
      return JAEGER_CONFIG + JAEGER_VERSION;
</script>
"#;

fn build(index: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir_all(directory.path().join("static/media")).unwrap();
    fs::write(directory.path().join("index.html"), index).unwrap();
    fs::write(directory.path().join("static/index-x.js"), "0123456789".repeat(500)).unwrap();
    fs::write(directory.path().join("static/media/logo.svg"), "<svg/>").unwrap();
    fs::write(directory.path().join("secret.txt"), "secret").unwrap();
    directory
}

fn with_ui(base: &str, directory: &Path, settings: &Path) -> Config {
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    Config { static_files: text(directory), ui_config: text(settings), ..config(base, &[]) }
}

async fn page(config: &Config, path: &str) -> String {
    let got = get(&over(store().await, config), path).await;
    assert_eq!((got.status, got.header("content-type")), (200, "text/html; charset=utf-8"), "{path}");
    got.body
}

/// Scenario: no UI. Guarantees: a page at every path outside of the API, from which Kiali can cut the version and people go to the API.
#[tokio::test]
async fn the_built_in_page() {
    let app = app().await;
    let root = get(&app, "/").await;
    assert_eq!((root.status, root.header("content-type")), (200, "text/html; charset=utf-8"));
    for path in ["/search", "/trace/abc?uiFind=1", "/apis", "/static"] {
        assert_eq!(get(&app, path).await.body, root.body, "{path}");
    }
    let version = root.body.split("const JAEGER_VERSION = ").nth(1).unwrap().split(';').next().unwrap();
    assert_eq!(version, VERSION);
    assert!(root.body.contains("<base href=\"/\" />") && root.body.contains("href=\"api/services\""), "{}", root.body);
    let missing = get(&app, "/static/x.js").await;
    assert_eq!((missing.status, missing.body.as_str()), (404, "there is no /static/x.js\n"));
    let based = page(&config("/jaeger/x", &[]), "/jaeger/x/").await;
    assert!(based.contains("<base href=\"/jaeger/x/\" />"), "{based}");
}

/// Scenario: an unmodified index.html, with a configuration in JSON, in JavaScript and without. Guarantees: each line is edited as
/// Jaeger does, in the forms of both versions; others are not.
#[tokio::test]
async fn facts_are_put_into_the_page() {
    let directory = build(INDEX);
    let lines = async |settings: &Path| {
        let page = page(&with_ui("/", directory.path(), settings), "/search").await;
        page.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>()
    };
    let plain = lines(Path::new("")).await;
    assert_eq!(plain[2], r#"<base href="/" data-inject-target="BASE_URL"/>"#);
    assert_eq!(plain[4..7], ["// JAEGER_CONFIG_JS", "// the line after it", "const DEFAULT_CONFIG = null;"]);
    assert_eq!(plain[7], "const JAEGER_CONFIG = DEFAULT_CONFIG;");
    assert_eq!(plain[9], r#"const JAEGER_STORAGE_CAPABILITIES = {"archiveStorage":false};"#);
    assert_eq!(
        plain[10],
        r#"const JAEGER_BACKEND_CAPABILITIES = {"archiveStorage":false,"metricsStorage":false,"searchWithoutServiceName":true,"aiAssistant":false};"#
    );
    assert_eq!(plain[11], format!("const JAEGER_VERSION = {VERSION};"));
    assert_eq!(plain[12], "return JAEGER_CONFIG + JAEGER_VERSION;");

    let json = directory.path().join("ui.JSON");
    fs::write(&json, r#"{"z": [1, {"b": "</script>&\u2028", "a": null}], "a": {"$1": 1.5}}"#).unwrap();
    let with_json = lines(&json).await;
    let want = r#"const JAEGER_CONFIG = {"a":{"$1":1.5},"z":[1,{"a":null,"b":"\u003c/script\u003e\u0026\u2028"}]};"#;
    assert_eq!(with_json[7..9], [want, want]);
    assert_eq!(with_json[4], "// JAEGER_CONFIG_JS");

    let js = directory.path().join("ui.js");
    fs::write(&js, "\n// ours\nfunction  UIConfig( ) {\n  return {a: '$1'};\n}\n").unwrap();
    let with_js = lines(&js).await;
    assert_eq!(with_js[4..9], ["// ours", "function  UIConfig( ) {", "return {a: '$1'};", "}", "const DEFAULT_CONFIG = null;"]);
    assert_eq!(with_js[9], "const JAEGER_CONFIG = DEFAULT_CONFIG;");
}

/// Scenario: an archive. Guarantee: the UI offers it.
#[tokio::test]
async fn capabilities_are_those_of_the_stores() {
    let directory = build(INDEX);
    let config = with_ui("/", directory.path(), Path::new(""));
    let archive = Arc::new(MemoryStore::new(MemoryConfig::default()));
    let metrics: Option<Arc<dyn skua_store::span_metrics::MetricsReader>> = Some(Arc::new(super::metrics::Echo::default()));
    let archive = Some(Archive { reader: archive.clone(), writer: archive });
    let stores = Stores { archive, metrics, ..stores(Failing(None)) };
    let page = get(&serving(stores, &config).unwrap(), "/").await.body;
    assert!(page.contains(r#"STORAGE_CAPABILITIES = {"archiveStorage":true};"#), "{page}");
    assert!(page.contains(r#"{"archiveStorage":true,"metricsStorage":true,"searchWithoutServiceName":false,"#), "{page}");
}

/// Scenario: files that are missing, broken or of another kind. Guarantees: the start fails and names flag and file.
#[tokio::test]
async fn what_cannot_be_used_stops_the_start() {
    let directory = build(INDEX);
    let error = |directory: &Path, settings: &Path| {
        serving(stores(Failing(None)), &with_ui("/", directory, settings)).unwrap_err().to_string()
    };
    let missing = error(Path::new("/nowhere"), Path::new(""));
    assert!(missing.starts_with("--query.static-files: failed to read /nowhere/index.html: "), "{missing}");
    for (name, text, want) in [
        ("a.yaml", "", "failed to use FILE: its name must end in .json or .js"),
        ("json", "", "failed to use FILE: its name must end in .json or .js"),
        ("a.json", "[1]", "failed to read FILE as a JSON object: invalid type: sequence, expected a map at line 1 column 0"),
        ("b.json", "{", "failed to read FILE as a JSON object: EOF while parsing an object at line 1 column 1"),
        ("a.js", "functionUIConfig() {}", "failed to find function UIConfig() in FILE, which must define it"),
        ("b.js", "function UIConfig(x) {}", "failed to find function UIConfig() in FILE, which must define it"),
    ] {
        let file = directory.path().join(name);
        fs::write(&file, text).unwrap();
        let want = format!("--query.ui-config: {want}").replace("FILE", file.to_str().unwrap());
        assert_eq!(error(directory.path(), &file), want);
    }
}

/// Scenario: index.html and the configuration change, break, and are mended. Guarantees: the page follows; what is broken leaves it as
/// it was and is counted once.
#[tokio::test]
async fn changes_are_read() {
    let directory = build(INDEX);
    let settings = directory.path().join("ui.json");
    fs::write(&settings, r#"{"a":1}"#).unwrap();
    let config = with_ui("/", directory.path(), &settings);
    let (stores, mut registry) = (stores(Failing(None)), Registry::default());
    let ui = Ui::open(&config, &stores, VERSION, &mut registry).unwrap();
    let app = router(QueryService::new(stores, Duration::ZERO), &config, &ui).unwrap();
    let counted = || {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        let count = |result: &str| {
            let line =
                text.lines().find(|l| l.starts_with(&format!("skua_query_ui_reloads_total{{result=\"{result}\"}}"))).unwrap();
            line.rsplit(' ').next().unwrap().parse::<u32>().unwrap()
        };
        (count("ok"), count("err"))
    };
    let shows = async |text: &str| get(&app, "/").await.body.contains(text);
    assert!(shows("JAEGER_CONFIG = {\"a\":1};").await);
    ui.refresh();
    assert_eq!(counted(), (0, 0), "nothing has changed");
    fs::write(&settings, r#"{"a":2}"#).unwrap();
    assert!(shows("{\"a\":1};").await, "not before it is looked at");
    ui.refresh();
    assert!(shows("{\"a\":2};").await);
    fs::write(&settings, "{").unwrap();
    ui.refresh();
    ui.refresh();
    assert!(shows("{\"a\":2};").await);
    assert_eq!(counted(), (1, 1));
    fs::remove_file(&settings).unwrap();
    ui.refresh();
    assert_eq!((shows("{\"a\":2};").await, counted()), (true, (1, 2)), "another failure");
    fs::write(&settings, r#"{"a":2}"#).unwrap();
    ui.refresh();
    assert_eq!(counted(), (2, 2), "mended");
    fs::write(directory.path().join("index.html"), INDEX.replace("doctype", "DOCTYPE")).unwrap();
    ui.refresh();
    assert!(shows("<!DOCTYPE").await && shows("{\"a\":2};").await);
}

async fn file(app: &Router, path: &str, headers: &[(&str, &str)]) -> (Got, String) {
    let request = headers.iter().fold(Request::builder().uri(path), |r, (name, value)| r.header(*name, *value));
    let (got, body) = ask(app, request.body(Body::empty()).unwrap()).await;
    (got, String::from_utf8_lossy(&body).into_owned())
}

/// Scenario: files of a build, whole and in part, known and unknown, and paths that try to leave it. Guarantees: what browsers and
/// proxies need to keep a copy; nothing outside of `static`.
#[tokio::test]
async fn files_come_from_the_disk() {
    let directory = build(INDEX);
    let app = over(store().await, &with_ui("/", directory.path(), Path::new("")));
    let js = "/static/index-x.js";
    let (got, body) = file(&app, js, &[]).await;
    assert_eq!((got.status, got.header("content-type"), got.header("content-length")), (200, "text/javascript", "5000"));
    assert_eq!(body, fs::read_to_string(directory.path().join("static/index-x.js")).unwrap());
    let changed = fs::metadata(directory.path().join("static/index-x.js")).unwrap().modified().unwrap();
    assert!(changed > UNIX_EPOCH && got.header("last-modified").ends_with(" GMT"));
    let tag = got.header("etag").to_owned();
    assert!(tag.starts_with("W/\"") && tag.ends_with("-5000\""), "{tag}");

    let since = got.header("last-modified").to_owned();
    for (headers, status) in [
        (vec![("if-none-match", tag.as_str())], 304),
        (vec![("if-none-match", "\"other\", *")], 304),
        (vec![("if-none-match", "\"other\"")], 200),
        (vec![("if-none-match", "\"other\""), ("if-modified-since", &since)], 200),
        (vec![("if-modified-since", &since)], 304),
    ] {
        let (got, body) = file(&app, js, &headers).await;
        assert_eq!((got.status, body.len()), (status, if status == 200 { 5000 } else { 0 }), "{headers:?}");
    }
    let (part, body) = file(&app, js, &[("range", "bytes=5-9")]).await;
    assert_eq!((part.status, part.header("content-range"), body.as_str()), (206, "bytes 5-9/5000", "56789"));
    assert_eq!(part.header("etag"), tag);
    assert_eq!(file(&app, js, &[("range", "bytes=9000-")]).await.0.status, 416);
    assert_eq!(file(&app, js, &[("range", "bytes=5-9"), ("if-range", &tag)]).await.1.len(), 5000);

    let (packed, body) = file(&app, js, &[("accept-encoding", "gzip")]).await;
    assert_eq!((packed.header("content-encoding"), packed.header("etag"), body.len() < 1000), ("gzip", tag.as_str(), true));
    assert_eq!(file(&app, "/static/media/logo.svg", &[]).await.0.header("content-type"), "image/svg+xml");

    for path in [
        "/static/none.js",
        "/static/",
        "/static/media",
        "/static/../secret.txt",
        "/static/%2e%2e/secret.txt",
        "/static/..%2fsecret.txt",
    ] {
        let (got, body) = file(&app, path, &[("accept-encoding", "")]).await;
        assert_eq!((got.status, body), (404, format!("there is no {path}\n")), "{path}");
    }
    assert_eq!(get(&app, "/secret.txt").await.body, get(&app, "/").await.body, "a path of the UI as any other");
    assert_eq!(send(&app, "POST", js).await.status, 405);
    assert_eq!(send(&app, "HEAD", js).await.body, "");
}

/// Scenario: a base path. Guarantees: page and files lie below it; the base path itself leads to its slash; other paths have the page
/// too, as in Jaeger.
#[tokio::test]
async fn below_a_base_path() {
    let directory = build(INDEX);
    let config = Config { log_static_assets_access: true, ..with_ui("/jaeger/x", directory.path(), Path::new("")) };
    let app = over(store().await, &config);
    for path in ["/jaeger/x/", "/jaeger/x/search", "/jaeger", "/"] {
        let got = get(&app, path).await;
        assert!(got.status == 200 && got.body.contains(r#"<base href="/jaeger/x/" data-inject-target"#), "{path}: {}", got.body);
    }
    let got = get(&app, "/jaeger/x?a=b").await;
    assert_eq!((got.status, got.header("location")), (308, "/jaeger/x/?a=b"));
    assert_eq!(get(&app, "/jaeger/x/static/media/logo.svg").await.body, "<svg/>");
    assert_eq!(get(&app, "/jaeger/x/static/none").await.body, "there is no /jaeger/x/static/none\n");
    assert_eq!(get(&app, "/jaeger/x/api/services").await.status, 200);
}
