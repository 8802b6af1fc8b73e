//! Each flag of each table by each source.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::io::Write;

use skua_config::{Component, Flag, Kind, Loaded, Origin, Status, StorageType, Table, load, tables};

/// A value that is not the default of any component, as a person writes it, and whether TOML writes it without quotes.
fn other_value(flag: &Flag) -> (String, bool) {
    let default = flag.common_default();
    match flag.kind {
        Kind::Bool => ((default != "true").to_string(), true),
        Kind::Int { min, max } => {
            let default: i64 = default.parse().unwrap();
            let value = if default < max { default + 1 } else { min };
            (value.to_string(), true)
        }
        Kind::Float => ("0.25".to_owned(), true),
        Kind::Duration => ("1h23m4.5s".to_owned(), false),
        Kind::HostPort => ("127.0.0.1:45678".to_owned(), false),
        Kind::List => ("http://one:1,http://two:2".to_owned(), false),
        Kind::Lines => ("X-One: 1".to_owned(), false),
        Kind::Choice(words) => {
            let refused = match flag.status {
                Status::NotYetValues(values) => values.iter().map(|(value, _)| *value).collect(),
                _ => vec![],
            };
            let word = words.iter().find(|word| **word != default && !word.is_empty() && !refused.contains(word));
            ((*word.or(words.last()).unwrap()).to_owned(), false)
        }
        // Text that looks like a number must stay text.
        Kind::String if flag.name == "span-storage.type" => ("blackhole".to_owned(), false),
        Kind::String if flag.name == "dependency-storage.type" => ("blackhole".to_owned(), false),
        Kind::String if flag.name == "metrics-http-route" || flag.name == "query.base-path" => ("/007".to_owned(), false),
        Kind::String if flag.name == "query.ui-config" => ("007.json".to_owned(), false),
        Kind::String if flag.name == "prometheus.server-url" => ("http://007".to_owned(), false),
        Kind::String if flag.name == "prometheus.query.extra-query-params" => ("007=1,a=b".to_owned(), false),
        Kind::String if flag.name == "prometheus.query.namespace" => ("n007".to_owned(), false),
        Kind::String if flag.name == "parquet.path" => ("file:///007".to_owned(), false),
        Kind::String if flag.name == "parquet.s3.endpoint" => ("http://007".to_owned(), false),
        Kind::String if flag.name.ends_with("compaction-window") => ("90m".to_owned(), false),
        Kind::String => ("007".to_owned(), false),
    }
}

/// What a flag needs beside it to be allowed.
fn companions(flag: &Flag) -> Vec<(String, &'static str)> {
    let mut beside = Vec::new();
    if let Some((prefix, rest)) = flag.name.split_once(".tls.")
        && rest != "enabled"
    {
        beside.push((format!("{prefix}.tls.enabled"), "true"));
    }
    if flag.name.starts_with("sampling.") && ADAPTIVE.contains(&flag.name.trim_start_matches("sampling.")) {
        beside.push(("sampling-config.type".to_owned(), "adaptive"));
        beside.push(("sampling-storage.type".to_owned(), "memory"));
    }
    if flag.name == "sampling-config.type" {
        beside.push(("sampling-storage.type".to_owned(), "memory"));
    }
    for archive in ["cassandra-archive", "es-archive"] {
        let enabled = format!("{archive}.enabled");
        if flag.name.starts_with(&format!("{archive}.")) && flag.name != enabled {
            beside.push((enabled, "true"));
        }
    }
    if flag.name == "grpc-storage-archive.enabled" {
        beside.push(("grpc-storage-archive.server".to_owned(), "archive:17271"));
    }
    if flag.name == "mode" || flag.name == "cassandra.schema.mode" {
        beside.push(("cassandra.schema.datacenter".to_owned(), "dc1"));
    }
    if let Some(group) = flag.name.strip_suffix(".use-ilm") {
        beside.push((format!("{group}.use-aliases"), "true"));
        beside.push((format!("{group}.create-index-templates"), "false"));
    }
    if flag.name.starts_with("parquet.") {
        // What every component can have.
        if flag.name != "parquet.path" {
            beside.push(("parquet.path".to_owned(), "s3://007"));
        }
        if flag.name != "parquet.wal.path" {
            beside.push(("parquet.wal.path".to_owned(), "log"));
        }
    }
    for (one, other) in [("access-key", "secret-key"), ("secret-key", "access-key")] {
        if flag.name == format!("parquet.s3.{one}") {
            beside.push((format!("parquet.s3.{other}"), "007"));
        }
    }
    if flag.name == "kafka.producer.compression-level" {
        beside.push(("kafka.producer.compression".to_owned(), "gzip"));
    }
    beside
}

/// Flags that only adaptive sampling has.
const ADAPTIVE: &[&str] = &[
    "target-samples-per-second",
    "delta-tolerance",
    "buckets-for-calculation",
    "calculation-interval",
    "aggregation-buckets",
    "delay",
    "initial-sampling-probability",
    "min-sampling-probability",
    "min-samples-per-second",
    "leader-lease-refresh-interval",
    "follower-lease-refresh-interval",
];

fn storage_for(table: &Table, component: Component) -> &'static str {
    match table.storages.first() {
        Some(storage) => storage.name(),
        None if component == Component::AllInOne => "memory",
        None => "blackhole",
    }
}

struct Given {
    args: Vec<String>,
    env: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Source {
    CommandLine,
    Environment,
    NestedYaml,
    DottedYaml,
    Json,
    Toml,
}

const SOURCES: [Source; 6] =
    [Source::CommandLine, Source::Environment, Source::NestedYaml, Source::DottedYaml, Source::Json, Source::Toml];

/// `a.b.c: value` as nested YAML.
fn nested(name: &str, value: &str) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    let mut text = String::new();
    for (depth, part) in parts.iter().enumerate() {
        text.push_str(&format!("{}{part}:{}", "  ".repeat(depth), if depth + 1 == parts.len() { " " } else { "\n" }));
    }
    format!("{text}{value}\n")
}

fn give(source: Source, flag: &Flag, value: &str, bare: bool, base: &Given, directory: &std::path::Path) -> (Given, Origin) {
    let mut given = Given { args: base.args.clone(), env: base.env.clone() };
    // TOML and JSON have quotes around text; YAML goes without where it can.
    let quoted = if bare { value.to_owned() } else { format!("{value:?}") };
    let (extension, text) = match source {
        Source::CommandLine => {
            given.args.push(format!("--{}={value}", flag.name));
            return (given, Origin::CommandLine);
        }
        Source::Environment => {
            given.env.insert(flag.env_name(), value.to_owned());
            return (given, Origin::Environment(flag.env_name()));
        }
        Source::NestedYaml => ("yaml", nested(&flag.name, if value.contains(": ") { &quoted } else { value })),
        Source::DottedYaml => ("yml", format!("{}: {quoted}\n", flag.name.to_uppercase())),
        Source::Json => ("json", format!("{{\"{}\": {quoted}}}\n", flag.name)),
        Source::Toml => ("toml", format!("{} = {quoted}\n", flag.name)),
    };
    let path = directory.join(format!("config.{extension}"));
    std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
    let path = path.to_str().unwrap().to_owned();
    given.args.push(format!("--config-file={path}"));
    let line = if source == Source::NestedYaml { text.lines().count() } else { 1 };
    (given, Origin::File { path, line })
}

fn shown(loaded: &Loaded, flag: &Flag) -> String {
    let name = &flag.name;
    match flag.kind {
        Kind::Bool => loaded.get_bool(name).to_string(),
        Kind::Int { .. } => loaded.get_i64(name).to_string(),
        Kind::Float => loaded.get_f64(name).to_string(),
        Kind::Duration => {
            let nanos = loaded.get_duration(name).as_nanos();
            assert_eq!(nanos, 4_984_500_000_000, "{name}");
            "1h23m4.5s".to_owned()
        }
        Kind::String | Kind::HostPort | Kind::Choice(_) => loaded.get_string(name),
        Kind::List | Kind::Lines => loaded.get_list(name).join(","),
    }
}

/// Scenario: every flag of every table, for every component that has it, is given another value than its default by the
/// command line, by its variable and in YAML (nested, dotted and in capitals), JSON and TOML.
/// Guarantees: it has that value and that origin; or, if it is not there yet, an error that names source and flag.
#[test]
fn every_flag_by_every_source() {
    let directory = tempfile::tempdir().unwrap();
    let mut tried = 0;
    for table in tables() {
        for component in table.tiers.iter().copied() {
            for flag in table.flags.iter().filter(|flag| flag.name != "config-file") {
                let (value, bare) = other_value(flag);
                for source in SOURCES {
                    tried += 1;
                    try_flag(table, component, flag, (&value, bare), source, directory.path());
                }
            }
        }
    }
    assert!(tried > 4500, "only {tried}");
}

fn try_flag(
    table: &Table,
    component: Component,
    flag: &Flag,
    (value, bare): (&str, bool),
    source: Source,
    directory: &std::path::Path,
) {
    let mut base = Given { args: vec![], env: BTreeMap::new() };
    if flag.name != "span-storage.type" {
        base.env.insert("SPAN_STORAGE_TYPE".to_owned(), storage_for(table, component).to_owned());
    }
    if table.title == "prometheus" {
        base.env.insert("METRICS_STORAGE_TYPE".to_owned(), "prometheus".to_owned());
    }
    if table.title.starts_with("grpc-storage") && flag.name != "grpc-storage.server" {
        base.env.insert("GRPC_STORAGE_SERVER".to_owned(), "storage:17271".to_owned());
    }
    if component == Component::Agent && flag.name != "reporter.grpc.host-port" {
        base.env.insert("REPORTER_GRPC_HOST_PORT".to_owned(), "collector:14250".to_owned());
    }
    if !matches!(flag.status, Status::NotYet(_)) {
        let has = |name: &str| tables().iter().any(|t| t.tiers.contains(&component) && t.flags.iter().any(|f| f.name == name));
        let beside = companions(flag).into_iter().filter(|(name, _)| has(name));
        base.args.extend(beside.map(|(name, value)| format!("--{name}={value}")));
    }
    let (given, origin) = give(source, flag, value, bare, &base, directory);
    let context = format!("{component} {} {source:?}", flag.name);
    let result = load(component, &given.args, &given.env);
    let refused = match flag.status {
        Status::NotYet(why) => Some(why),
        Status::NotYetValues(values) => values.iter().find(|(word, _)| *word == value).map(|(_, why)| *why),
        Status::Works | Status::Compat(_) => None,
    };
    if let Some(why) = refused {
        let message = result.expect_err(&context).to_string();
        let wanted = match &origin {
            Origin::CommandLine => format!("--{}: {why}", flag.name),
            origin => format!("{origin}: {}: {why}", flag.name),
        };
        assert_eq!(message, wanted, "{context}");
        return;
    }
    let loaded = result.unwrap_or_else(|error| panic!("{context}: {error}"));
    assert_eq!(shown(&loaded, flag), value, "{context}");
    assert_eq!(loaded.origin_of(&flag.name), Some(origin.clone()), "{context}");
    let printed = loaded.print(true);
    let row = printed.lines().find(|row| row.starts_with(&format!("{}: ", flag.name))).expect(&context);
    assert!(row.ends_with(&format!("# {origin}")), "{context}: {row}");
    assert_eq!(row.contains("\"***\""), flag.secret, "{context}: {row}");
    let idle = loaded.warnings().iter().any(|warning| warning.contains(&format!("{} has no effect", flag.name)));
    assert_eq!(idle, matches!(flag.status, Status::Compat(_)), "{context}: {:?}", loaded.warnings());
}

/// Scenario: one flag in all four sources at once, then with the strongest taken away one by one.
/// Guarantees: command line over environment over file over default; an empty variable counts as unset.
#[test]
fn the_stronger_source_wins() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c.yaml");
    std::fs::write(&path, "memory: {max-traces: 3}\n").unwrap();
    let file = format!("--config-file={}", path.display());
    let cli = "--memory.max-traces=1".to_owned();
    let env = |value: &str| BTreeMap::from([("MEMORY_MAX_TRACES".to_owned(), value.to_owned())]);
    let max = |args: &[&String], env| {
        let args: Vec<String> = args.iter().copied().cloned().collect();
        load(Component::AllInOne, &args, &env).unwrap().get_u64("memory.max-traces")
    };
    assert_eq!(max(&[&file, &cli], env("2")), 1);
    assert_eq!(max(&[&file], env("2")), 2);
    assert_eq!(max(&[&file], env("")), 3);
    assert_eq!(max(&[], env("")), 0);
}

/// Scenario: a lone command line with a separate value, repeated flags, and booleans with and without a value.
/// Guarantees: as pflag reads them.
#[test]
fn command_line_forms() {
    let args = |args: &[&str]| args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>();
    let given = args(&[
        "--memory.max-traces",
        "5",
        "--memory.max-traces",
        "6",
        "--collector.enable-span-size-metrics",
        "--collector.otlp.enabled=false",
        "--query.additional-headers",
        "A: b, c",
        "--query.additional-headers=D: e",
        "--downsampling.hashsalt",
        "-dash",
    ]);
    let loaded = load(Component::AllInOne, &given, &BTreeMap::new()).unwrap();
    assert_eq!(loaded.get_u64("memory.max-traces"), 6);
    assert!(loaded.get_bool("collector.enable-span-size-metrics"));
    assert!(!loaded.get_bool("collector.otlp.enabled"));
    assert_eq!(loaded.get_list("query.additional-headers"), ["A: b, c", "D: e"]);
    assert_eq!(loaded.get_string("downsampling.hashsalt"), "-dash");
    assert_eq!(loaded.storage().span, [StorageType::Memory]);
}
