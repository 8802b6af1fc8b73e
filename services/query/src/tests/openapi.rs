//! The document that describes the API, beside what the API does.

use super::*;
use std::collections::{BTreeMap, BTreeSet};

async fn document(app: &Router, path: &str) -> Value {
    let got = get(app, path).await;
    assert_eq!((got.status, got.header("content-type")), (200, "application/json"));
    got.json()
}

/// A path without the names of its parameters.
fn shape(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// The routes as they stand in the source, but for those that stand for many.
fn routes() -> BTreeSet<String> {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let files = std::fs::read_dir(source).unwrap().map(|file| file.unwrap().path());
    let texts =
        files.filter(|path| path.extension().is_some_and(|e| e == "rs")).map(|path| std::fs::read_to_string(path).unwrap());
    let mut routes = BTreeSet::new();
    for text in texts {
        let squeezed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let found =
            squeezed.match_indices(".route(\"").map(|(at, start)| squeezed[at + start.len()..].split('"').next().unwrap());
        routes.extend(found.filter(|route| !route.contains("{*")).map(shape));
    }
    routes
}

/// Scenario: each path of the document, by each method. Guarantees: every route has its entry and every entry its route; a method
/// that the document does not name is 405. Until version 3 has routes of its own, its paths are only described.
#[tokio::test]
async fn paths_are_the_routes() {
    let app = app().await;
    let document = document(&app, "/api/openapi.json").await;
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    let routes = routes();
    let described: BTreeSet<String> = paths.keys().map(|path| shape(path)).collect();
    let version_3_is_there = routes.iter().any(|route| route.starts_with("/api/v3/"));
    let later = |path: &&String| !version_3_is_there && path.starts_with("/api/v3/");
    assert_eq!(described.iter().filter(|path| !later(path)).cloned().collect::<BTreeSet<_>>(), routes);
    for (path, item) in paths {
        let real = path.replace("{service}", "back").replace("{traceID}", "abc").replace("{trace_id}", "abc");
        for method in ["get", "post", "put", "delete", "patch"] {
            let got = send(&app, &method.to_ascii_uppercase(), &real).await;
            if item.get(method).is_some() {
                assert!(got.status != 405 && got.header("content-type").starts_with("application/json"), "{method} {path}");
            } else if !real.starts_with("/api/v3/") && real != "/api/transform" {
                assert_eq!(got.status, 405, "{method} {path}");
            }
        }
    }
}

/// The names that the functions of a file of `params` read.
fn names_read(source: &str) -> BTreeSet<String> {
    let source = source.split("#[cfg(test)]").next().unwrap();
    let calls = [".first(\"", ".all(\"", ".time(\"", ".parse(\""];
    let names = calls.iter().flat_map(|call| source.match_indices(call).map(|(at, call)| &source[at + call.len()..]));
    names.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

/// Names of the parameters in the query string, by path.
fn parameters(document: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let resolve = |parameter: &Value| match parameter["$ref"].as_str() {
        Some(pointer) => document.pointer(pointer.trim_start_matches('#')).unwrap().clone(),
        None => parameter.clone(),
    };
    let mut by_path = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let operation = item.as_object().unwrap().values().next().unwrap();
        let all = operation["parameters"].as_array().cloned().unwrap_or_default();
        let in_query = all.iter().map(resolve).filter(|p| p["in"] == "query");
        by_path.insert(path.clone(), in_query.map(|p| p["name"].as_str().unwrap().to_owned()).collect());
    }
    by_path
}

/// Guarantees: the parameters of version 1 in the document are those that the code reads, and no others.
#[tokio::test]
async fn parameters_are_those_that_are_read() {
    let document = document(&app().await, "/api/openapi.json").await;
    let parameters = parameters(&document);
    let described = |is_metrics: bool| {
        let paths = parameters.iter().filter(|(p, _)| !p.starts_with("/api/v3/") && p.starts_with("/api/metrics/") == is_metrics);
        paths.flat_map(|(_, names)| names.clone()).collect::<BTreeSet<_>>()
    };
    let mut version_1 = names_read(include_str!("../../../../libs/query/src/params.rs"));
    version_1.extend(names_read(include_str!("../../../../libs/query/src/params/graph.rs")));
    assert_eq!(described(false), version_1);
    let mut of_metrics = names_read(include_str!("../../../../libs/query/src/params/metrics.rs"));
    of_metrics.insert("prettyPrint".to_owned()); // read for all routes in one place
    assert_eq!(described(true), of_metrics);
}

/// Scenario: a wrong value for each parameter that is not a text. Guarantee: what the document says of its type is so.
#[tokio::test]
async fn types_are_checked() {
    let app = app().await;
    let document = document(&app, "/api/openapi.json").await;
    let mut checked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let Some(operation) = item.get("get").filter(|_| !path.starts_with("/api/v3/")) else { continue };
        for parameter in operation["parameters"].as_array().unwrap_or(&vec![]) {
            if !["integer", "number", "boolean"].iter().any(|t| parameter["schema"]["type"] == *t) {
                continue;
            }
            let (real, name) = (path.replace("{traceID}", "abc"), parameter["name"].as_str().unwrap());
            let got = get(&app, &format!("{real}?{name}=x&service=back&quantile=1")).await;
            assert_eq!(got.status, 400, "{path} {name}");
            checked += 1;
        }
    }
    assert!(checked > 20, "{checked}");
}

/// Guarantees: every reference within the document leads somewhere, and below a base path it says so.
#[tokio::test]
async fn the_document_is_sound() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|v| references(v, found));
            }
            Value::Array(items) => items.iter().for_each(|v| references(v, found)),
            _ => {}
        }
    }
    let root = document(&app().await, "/api/openapi.json").await;
    let mut found = Vec::new();
    references(&root, &mut found);
    assert!(found.len() > 50 && found.iter().all(|r| root.pointer(r.trim_start_matches('#')).is_some()), "{found:?}");
    assert_eq!(root["servers"], json!([{"url": "/"}]));
    let based = over(store().await, &config("/a/b", &[]));
    assert_eq!(document(&based, "/a/b/api/openapi.json").await["servers"], json!([{"url": "/a/b"}]));
}
