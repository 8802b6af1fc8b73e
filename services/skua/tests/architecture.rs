//! Keeps the arrows of ARCHITECTURE.md: which room may use which.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Libraries by storey; an arrow may only point to a lower storey.
const STOREYS: &[&[&str]] = &[
    &["skua-model", "skua-proto"],
    &["skua-codec", "skua-store"],
    &["skua-rollup"],
    &[
        "skua-receive",
        "skua-pipeline",
        "skua-kafka",
        "skua-sampling",
        "skua-query",
        "skua-store-cassandra",
        "skua-store-elasticsearch",
        "skua-store-parquet",
        "skua-store-prometheus",
        "skua-store-remote",
    ],
    &["skua-agent", "skua-collector", "skua-ingester", "skua-query-service", "skua-remote-storage"],
    &["skua-all-in-one"],
    &["skua"],
];

/// The first storey of services.
const SERVICES: usize = 4;

/// For services alone.
const HOUSEKEEPING: &[&str] = &["skua-config", "skua-runtime"];

/// What `model` and `codec` must never name, however far down.
const NOT_PURE: &[&str] = &["tokio", "hyper", "axum", "tonic", "rdkafka", "reqwest", "elasticsearch", "mio", "socket2"];

fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = env!("CARGO");
    let out = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--no-deps", "--offline", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .expect("cargo metadata runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let metadata: Value = serde_json::from_slice(&out.stdout).expect("cargo metadata is JSON");
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let used = |p: &Value| {
        let all = p["dependencies"].as_array().cloned().unwrap_or_default();
        all.iter().filter(|d| d["kind"].is_null()).map(|d| text(&d["name"])).collect()
    };
    metadata["packages"].as_array().expect("packages").iter().map(|p| (text(&p["name"]), used(p))).collect()
}

fn storey(name: &str) -> Option<usize> {
    STOREYS.iter().position(|s| s.contains(&name))
}

/// Scenario: somebody adds a dependency. Guarantee: it does not point up, sideways, or out of the pure rooms.
#[test]
fn arrows_point_down() {
    let all = dependencies();
    for (from, used) in &all {
        let Some(from_storey) = storey(from) else { continue };
        for to in used {
            if let Some(to_storey) = storey(to) {
                assert!(to_storey < from_storey, "{from} must not depend on {to}: arrows point down only");
            }
            if HOUSEKEEPING.contains(&to.as_str()) {
                assert!(from_storey >= SERVICES, "{from} must not depend on {to}: it is for services alone");
            }
        }
    }
}

/// Guarantee: every library is in the picture, so that a new one has to be given its place.
#[test]
fn every_crate_has_a_place() {
    let outside = ["skua-integration-tests", "skua-bench"];
    for name in dependencies().keys() {
        let placed = storey(name).is_some() || HOUSEKEEPING.contains(&name.as_str()) || outside.contains(&name.as_str());
        assert!(placed, "{name} is not in the storeys of services/skua/tests/architecture.rs");
    }
}

/// Guarantee: `model` and `codec` do no input or output, `model` knows no format library.
#[test]
fn pure_rooms_stay_pure() {
    let all = dependencies();
    for room in ["skua-model", "skua-codec"] {
        for name in &all[room] {
            assert!(!NOT_PURE.contains(&name.as_str()), "{room} must not depend on {name}");
        }
    }
    assert!(!all["skua-model"].contains("serde_json"), "skua-model must not depend on serde_json");
}
