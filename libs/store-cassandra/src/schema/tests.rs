//! Parameters and statements.

use super::Schema;
use crate::config::SchemaConfig;

fn schema(change: impl Fn(&mut SchemaConfig)) -> Result<String, String> {
    let mut config = SchemaConfig::default();
    change(&mut config);
    Schema::new("ks", &config).map(|schema| schema.script()).map_err(|e| e.message)
}

/// As `create.sh` of Jaeger 1.76 makes them.
#[test]
fn parameters_are_those_of_create_sh() {
    let test = schema(|_| {}).unwrap();
    assert!(test.contains("{'class': 'SimpleStrategy', 'replication_factor': '1'}"), "{test}");
    assert!(test.contains("'compaction_window_size': '96', 'compaction_window_unit': 'MINUTES'"), "{test}");
    assert_eq!(test.matches("default_time_to_live = 172800").count(), 7, "{test}");
    assert_eq!(test.matches("default_time_to_live = 0").count(), 1, "dependencies are kept for ever: {test}");
    let prod = schema(|c| {
        c.mode = "prod".to_owned();
        c.datacenter = "dc1".to_owned();
        c.trace_ttl = "7d".to_owned();
        c.dependencies_ttl = "30d12h".to_owned();
        c.compaction_window = "2h".to_owned();
    });
    let prod = prod.unwrap();
    assert!(prod.contains("{'class': 'NetworkTopologyStrategy', 'dc1': '2'}"), "{prod}");
    assert!(prod.contains("'compaction_window_size': '2', 'compaction_window_unit': 'HOURS'"), "{prod}");
    assert!(prod.contains("default_time_to_live = 604800") && prod.contains("default_time_to_live = 2635200"), "{prod}");
    for (ttl, window) in [("90061", "'51'"), ("1799", "'1'"), ("59", "'1'"), ("0", "'1', 'compaction_window_unit': 'DAYS'")] {
        let script = schema(|c| c.trace_ttl = ttl.to_owned()).unwrap();
        assert!(script.contains(&format!("'compaction_window_size': {window}")), "{ttl}: {script}");
    }
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let refused = |change: &dyn Fn(&mut SchemaConfig)| schema(change).unwrap_err();
    assert!(refused(&|c| c.mode = "prod".to_owned()).contains("mode prod needs a datacenter"));
    assert!(refused(&|c| c.mode = "dev".to_owned()).contains("mode=dev"));
    for ttl in ["x", "-1", "5w", "21y", "99999999999999999999", "1h30", "1000000d"] {
        assert!(refused(&|c| c.trace_ttl = ttl.to_owned()).contains(&format!("trace-ttl={ttl}")), "{ttl}");
    }
    for window in ["0m", "h", "5", "1w"] {
        assert!(
            refused(&|c| c.compaction_window = window.to_owned()).contains(&format!("compaction-window={window}")),
            "{window}"
        );
    }
    assert!(Schema::new("a-b", &SchemaConfig::default()).is_err() && Schema::new("", &SchemaConfig::default()).is_err());
    let prod = |c: &mut SchemaConfig| (c.mode, c.datacenter) = ("prod".to_owned(), "d'c".to_owned());
    assert!(refused(&prod).contains("d'c"));
}

/// The whole of it, so that a change is seen.
#[test]
fn the_script_is_jaegers_v004_and_a_table_of_ours() {
    let script = schema(|_| {}).unwrap();
    let tables: Vec<&str> = script.lines().filter_map(|l| l.strip_prefix("CREATE TABLE IF NOT EXISTS ks.")).collect();
    assert_eq!(
        tables,
        [
            "traces (",
            "service_names (",
            "operation_names_v2 (",
            "service_operation_index (",
            "service_name_index (",
            "duration_index (",
            "tag_index (",
            "dependencies_v2 (",
            "operation_throughput (",
            "sampling_probabilities (",
            "leases (",
            "skua_rollups (",
        ]
    );
    for key in [
        "PRIMARY KEY ((trace_id), span_id, span_hash)",
        "PRIMARY KEY ((service_name, operation_name), start_time)",
        "PRIMARY KEY ((service_name, bucket), start_time)",
        "PRIMARY KEY ((service_name, operation_name, bucket), duration, start_time, trace_id)",
        "PRIMARY KEY ((service_name, tag_key, tag_value), start_time, trace_id, span_id)",
        "PRIMARY KEY ((ts_bucket), ts)",
        "CLUSTERING ORDER BY (duration DESC, start_time DESC)",
        "PRIMARY KEY ((kind, day), interval)",
    ] {
        assert!(script.contains(key), "{key}");
    }
    assert_eq!(script.matches("CREATE TYPE").count(), 5);
}
