//! `/api/skua/v1/graph`, with and without roll-ups.

use super::*;
use skua_query::RollupReader;
use skua_rollup::document::{Connection, Document, Exemplar, Figures, LinkKey, MINUTE, interval_of};
use skua_rollup::read::WithRollups;
use skua_store::rollups::{Rollup, RollupKind, RollupStore, Version};

/// The document of one interval.
struct OneInterval(u64, bytes::Bytes);

#[async_trait]
impl RollupStore for OneInterval {
    async fn rollup(&self, kind: RollupKind, interval: u64) -> Result<Option<Rollup>, StoreError> {
        let found = (kind, interval) == (RollupKind::Links, self.0);
        Ok(found.then(|| Rollup { version: Version(1, 0), body: self.1.clone() }))
    }

    /// Others have always saved before.
    async fn save_rollup(&self, _: RollupKind, _: u64, _: bytes::Bytes, _: Option<Version>) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn rollups(&self, kind: RollupKind, from: u64, until: u64) -> Result<Vec<(u64, bytes::Bytes)>, StoreError> {
        let found = kind == RollupKind::Links && (from..until).contains(&self.0);
        Ok(found.then(|| (self.0, self.1.clone())).into_iter().collect())
    }

    async fn delete_rollups(&self, _: u64) -> Result<(), StoreError> {
        Ok(())
    }
}

/// In this minute and the next `web` calls `a/b`, which calls `back` and a database.
pub(super) fn rollups(minute: u64) -> Arc<RollupReader> {
    let mut document = Document::default();
    for (parent, child, connection, at, durations, errors) in [
        ("web", "a/b", Connection::Call, minute, [2_000_u64; 60].as_slice(), 3),
        ("web", "a/b", Connection::Call, minute + MINUTE, &[8_000; 30], 0),
        ("a/b", "back", Connection::Messaging, minute, &[500; 12], 0),
        ("a/b", "postgres <main>", Connection::Database, minute, &[1_000; 40], 40),
    ] {
        let key = LinkKey { parent: parent.to_owned(), child: child.to_owned(), connection };
        let exemplar = Exemplar { trace_id: [0xab; 16], span_id: [7; 8], start: at + 5, duration: durations[0] };
        let mut figures = Figures { errors, exemplar: (child == "a/b").then_some(exemplar), ..Figures::default() };
        durations.iter().for_each(|d| figures.latency.record(*d));
        document.add(&key, at, &figures);
    }
    let interval = interval_of(minute);
    Arc::new(RollupReader::new(Arc::new(OneInterval(interval, document.encode(interval).unwrap()))))
}

/// Guarantees: a wrong parameter is told of first, as for metrics; then that there are no roll-ups.
#[tokio::test]
async fn without_roll_ups() {
    let app = app().await;
    let refused = "the graph of services is made of roll-ups, which are switched off or not kept by this storage";
    expect_error(&app, "/api/skua/v1/graph", 501, refused).await;
    let depth = "unable to parse param 'depth': strconv.ParseInt: parsing \"x\": invalid syntax";
    expect_error(&app, "/api/skua/v1/graph?depth=x", 400, depth).await;
    expect_error(&app, "/api/skua/v1/graphs", 404, "there is no /api/skua/v1/graphs").await;
}

/// Scenario: calls of a moment ago. Guarantees: the answer without parameters is of the last day; its fields are those that the
/// document of the API describes.
#[tokio::test]
async fn the_last_day() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as u64;
    let minute = interval_of(now) - 10 * MINUTE;
    let app = serving(Stores { rollups: Some(rollups(minute)), ..stores(store().await) }, &config("/", &[])).unwrap();
    let got = get(&app, "/api/skua/v1/graph").await.json();
    assert_eq!((&got["total"], &got["errors"]), (&json!(3), &Value::Null));
    let data = &got["data"];
    assert!(data["end"].as_u64().unwrap() >= now && data["start"].as_u64().unwrap() > now - 86_400_000_000, "{data}");
    let document = get(&app, "/api/openapi.json").await.json();
    for (what, schema) in [(data, "Graph"), (&data["nodes"][0], "GraphNode"), (&data["edges"][2], "GraphEdge")] {
        let described = &document["components"]["schemas"][schema];
        let names = |v: &Value| {
            let mut names: Vec<String> = v.as_object().unwrap().keys().cloned().collect();
            names.sort();
            names
        };
        assert_eq!(names(what), names(&described["properties"]), "{schema}");
        assert_eq!(described["required"].as_array().unwrap().len(), names(what).len(), "{schema}");
    }
    let edge = &document["components"]["schemas"]["GraphEdge"]["properties"];
    for part in ["latency", "exemplar"] {
        let fields = data["edges"][2][part].as_object().unwrap();
        assert!(fields.keys().eq(edge[part]["properties"].as_object().unwrap().keys()), "{part}: {fields:?}");
    }
}

/// Scenario: a job has written links of the day on which we counted, two of which we have too. Guarantees: `/api/dependencies` adds up both,
/// none twice, and finds those of a service.
#[tokio::test]
async fn dependencies_beside_a_job() {
    const DAY: u64 = 86_400_000_000;
    let table = MemoryStore::new(MemoryConfig::default());
    let link = |parent: &str, child: &str, call_count, source: &str| {
        let (parent, child, source) = (parent.to_owned(), child.to_owned(), source.to_owned());
        DependencyLink { parent, child, call_count, source }
    };
    let theirs = [link("web", "a/b", 1000, ""), link("web", "cdn", 7, "spark"), link("a/b", "back", 12, "skua")];
    table.write_dependencies(9 * DAY, &theirs).await.unwrap();
    let stores = stores(table);
    let rollups = rollups(9 * DAY + 600 * MINUTE);
    let joined = WithRollups { rollups: (*rollups).clone(), others: stores.dependencies.clone() };
    let app = serving(Stores { dependencies: Arc::new(joined), ..stores }, &config("/", &[])).unwrap();
    let ask = async |service: &str| {
        let path = format!("/api/dependencies?endTs={}&lookback=86400000&service={service}", 10 * DAY / 1000);
        get(&app, &path).await.json()["data"].clone()
    };
    let link = |parent: &str, child: &str, calls: u64| json!({"parent": parent, "child": child, "callCount": calls});
    let all = [link("a/b", "back", 12), link("a/b", "postgres <main>", 40), link("web", "a/b", 90), link("web", "cdn", 7)];
    assert_eq!(ask("").await, json!(all));
    assert_eq!(ask("back").await, json!(all[..1]));
    assert_eq!(ask("web").await, json!(all[2..]));
}
