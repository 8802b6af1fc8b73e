//! Whole command lines, and what the caller gets from a configuration.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use skua_config::{Command, Component, ConfigError, Loaded, Origin, StorageType, parse};

fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn run(argv: &str) -> Result<Command, ConfigError> {
    let argv: Vec<String> = argv.split_whitespace().map(str::to_owned).collect();
    parse(&argv, &environment(&[("SPAN_STORAGE_TYPE", "blackhole"), ("REPORTER_GRPC_HOST_PORT", "collector:14250")]))
}

fn loaded(argv: &str) -> Loaded {
    match run(argv) {
        Ok(Command::Run(loaded)) => loaded,
        other => panic!("{argv}: {other:?}"),
    }
}

/// Scenario: the names of programs and the subcommands. Guarantees: each means the component it says.
#[test]
fn components() {
    for component in Component::ALL {
        assert_eq!(loaded(&format!("skua {component}")).component(), *component);
        assert_eq!(loaded(&format!("/usr/bin/jaeger-{component} --log-level=debug")).component(), *component);
        assert_eq!(loaded(&format!("skua --log-level warn {component}")).component(), *component);
    }
    assert_eq!(Component::from_program_name("jaeger-operator"), None);
    assert_eq!(Component::from_program_name("collector"), None);
}

/// Scenario: a block named behind the command, beside flags, and by its flag. Guarantees: all mean the same, and no other component takes it.
#[test]
fn a_block_is_named_behind_its_command() {
    for argv in [
        "skua parquet inspect 17-ab",
        "skua parquet --parquet.path=x inspect --log-level=error 17-ab",
        "skua parquet inspect --block=17-ab",
    ] {
        let loaded = loaded(argv);
        assert_eq!((loaded.component(), loaded.get_string("block").as_str()), (Component::ParquetInspect, "17-ab"), "{argv}");
    }
    assert_eq!(loaded("skua parquet inspect").get_string("block"), "");
    assert_eq!(loaded("skua parquet export --service=a --format proto --from=1h").get_string("format"), "proto");
    assert!(run("skua parquet export 17-ab").is_err());
}

/// Scenario: each command, under both kinds of name and with words and flags in any order. Guarantees: understood.
#[test]
fn commands() {
    for argv in ["skua version", "skua collector version", "jaeger-query version", "skua --version"] {
        assert!(matches!(run(argv), Ok(Command::Version)), "{argv}");
    }
    for argv in ["skua docs flags", "skua docs", "jaeger-collector docs"] {
        assert!(matches!(run(argv), Ok(Command::Docs(text)) if text.starts_with("# Flags")), "{argv}");
    }
    for argv in ["skua config check query", "skua query config check --log-level=error", "skua config query check"] {
        assert!(matches!(run(argv), Ok(Command::ConfigCheck(loaded)) if loaded.component() == Component::Query), "{argv}");
    }
    for (argv, wanted) in [
        ("skua config print ingester", false),
        ("skua config print --origin ingester --log-level=error", true),
        ("skua config print ingester --origin", true),
        ("jaeger-ingester print-config", false),
    ] {
        let Ok(Command::ConfigPrint { loaded, origin }) = run(argv) else { panic!("{argv}") };
        assert_eq!((loaded.component(), origin), (Component::Ingester, wanted), "{argv}");
    }
    for (argv, wanted) in [
        ("jaeger-collector status", ":14269"),
        ("skua status query", ":16687"),
        ("skua status", ":14269"),
        ("skua ingester status --admin.http.host-port=h:1", "h:1"),
        ("skua query status --status.http.host-port=h:2", "h:2"),
    ] {
        assert!(matches!(run(argv), Ok(Command::Status { admin }) if admin == wanted), "{argv}");
    }
}

/// Scenario: the help of everything. Guarantees: a component's help lists the flags of its storage and of no other.
#[test]
fn help() {
    let text = |argv: &str| match run(argv) {
        Ok(Command::Help(text)) => text,
        other => panic!("{argv}: {other:?}"),
    };
    for argv in ["skua help", "skua --help", "skua -h"] {
        assert!(text(argv).contains("config print [--origin] <component>"), "{argv}");
    }
    for argv in ["jaeger-query env", "skua env"] {
        assert!(text(argv).contains("SPAN_STORAGE_TYPE"), "{argv}");
    }
    for argv in ["skua help collector", "skua collector --help", "jaeger-collector help", "jaeger-collector -h"] {
        let text = text(argv);
        assert!(text.contains("--collector.ack <choice>") && text.contains("[env: COLLECTOR_ACK]"), "{argv}");
        assert!(!text.contains("--es.") && !text.contains("--kafka.") && !text.contains("--query."), "{argv}");
    }
    let with_kafka = text("skua collector --span-storage.type=kafka --help");
    assert!(with_kafka.contains("--kafka.producer.brokers") && !with_kafka.contains("--kafka.consumer.brokers"));
    // Help is there even where a start would fail.
    let argv = ["skua", "collector", "--help"].map(str::to_owned);
    assert!(matches!(parse(&argv, &BTreeMap::new()), Ok(Command::Help(text)) if text.contains("SPAN_STORAGE_TYPE brings in")));
}

/// Scenario: the help of a small component. Guarantees: what a user sees changes only on purpose.
#[test]
fn help_of_the_ingester() {
    let Ok(Command::Help(text)) = run("skua ingester --help") else { panic!("no help") };
    insta::assert_snapshot!(text);
}

/// Scenario: command lines that say nothing that exists. Guarantees: exit code 64 and the nearest right word.
#[test]
fn wrong_commands() {
    for (argv, wanted) in [
        ("skua", "no component given; skua help lists them"),
        ("skua collecter", "unknown command \"collecter\"; did you mean \"collector\"?"),
        ("skua everything", "unknown command \"everything\"; skua help lists them"),
        ("skua config", "config wants print or check"),
        (
            "skua config print",
            "config print wants a component: agent, collector, ingester, query, all-in-one, remote-storage, cassandra-schema, rollup-rebuild, parquet-inspect, parquet-verify, parquet-export",
        ),
        ("skua cassandra", "cassandra wants schema"),
        ("skua parquet", "parquet wants inspect, verify or export"),
        ("skua parquet verify twice", "unexpected argument \"twice\""),
        ("skua parquet inspect one two", "unexpected argument \"one\""),
        (
            "skua parquet verify --parquet.wal.sync=off",
            "--parquet.wal.sync is a flag of collector and ingester and query and all-in-one and remote-storage and rollup-rebuild; this is the parquet-verify",
        ),
        ("skua query --format=json", "unknown flag --format; --help lists the flags"),
        ("skua cassandra shema", "cassandra wants schema"),
        ("skua cassandra schema twice", "unexpected argument \"twice\""),
        ("skua status cassandra-schema", "cassandra-schema has no port to ask for its status"),
        ("skua casandra schema", "unknown command \"casandra\"; did you mean \"cassandra\"?"),
        ("skua cassandra schema --keyspac=x", "unknown flag --keyspac; did you mean --keyspace?"),
        ("skua query --keyspac=x", "unknown flag --keyspac; --help lists the flags"),
        ("skua query --keyspace=x", "unknown flag --keyspace; --help lists the flags"),
        ("jaeger-query config lint", "unexpected argument \"lint\""),
        ("jaeger-query stray", "unexpected argument \"stray\""),
        ("skua query --origin", "--origin belongs to config print"),
        ("skua query --status.http.host-port=:1", "--status.http.host-port belongs to status"),
        ("skua query completion bash", "completion is not supported yet by this version"),
        ("skua config print collector --es.server-url=x", "unknown flag --es.server-url; did you mean --es.server-urls?"),
    ] {
        let error = run(argv).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.exit_code()), (wanted, 64), "{argv}");
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct EsConfig {
    server_urls: Vec<String>,
    password: String,
    index_prefix: Option<String>,
    num_shards: u32,
    timeout: Duration,
    http_compression: bool,
    bulk: Bulk,
    tls: Tls,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Bulk {
    size: u64,
    flush_interval: Duration,
}

#[derive(Debug, Deserialize)]
struct Tls {
    enabled: bool,
}

/// Scenario: a module reads its flags into a struct of its own. Guarantees: typed values of all sources.
#[test]
fn sections() {
    let argv = ["skua", "collector", "--es.bulk.size=7", "--es.timeout=1.5s", "--es.password=007"].map(str::to_owned);
    let env = environment(&[("SPAN_STORAGE_TYPE", "opensearch"), ("ES_SERVER_URLS", "http://a:1, http://b:2")]);
    let Ok(Command::Run(loaded)) = parse(&argv, &env) else { panic!("not a run") };
    let es: EsConfig = loaded.section("es").unwrap();
    assert_eq!(es.server_urls, ["http://a:1", "http://b:2"]);
    assert_eq!(es.password, "007");
    assert_eq!(es.index_prefix.as_deref(), Some(""));
    assert_eq!((es.num_shards, es.bulk.size), (5, 7));
    assert_eq!((es.timeout, es.bulk.flush_interval), (Duration::from_millis(1500), Duration::from_millis(200)));
    assert!(es.http_compression && !es.tls.enabled);
    assert_eq!(loaded.storage().span, [StorageType::Opensearch]);
    assert_eq!(loaded.storage().dependency, Some(StorageType::Opensearch));
    // Flags of a storage that is not used have their defaults.
    assert_eq!(loaded.get_string("kafka.producer.required-acks"), "all");
    let wrong = loaded.section::<Vec<String>>("es").unwrap_err();
    assert!(wrong.to_string().starts_with("failed to read the flags --es.*: "), "{wrong}");
}

/// Scenario: the storages of a collector. Guarantees: written all, dependencies from the first that can be read.
#[test]
fn storages() {
    let storage = |types: &str| {
        let argv = ["skua".to_owned(), "collector".to_owned(), format!("--span-storage.type={types}")];
        match parse(&argv, &environment(&[("SPAN_STORAGE_TYPE", "memory")])) {
            Ok(Command::Run(loaded)) => loaded.storage().clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(storage("Kafka, elasticsearch,kafka").span, [StorageType::Kafka, StorageType::Elasticsearch]);
    assert_eq!(storage("kafka").dependency, None);
    assert_eq!(storage("elasticsearch,kafka").dependency, Some(StorageType::Elasticsearch));
    let alone = loaded("skua all-in-one --dependency-storage.type=memory");
    assert_eq!((alone.storage().names().as_str(), alone.storage().dependency), ("blackhole", Some(StorageType::Memory)));
    assert_eq!(alone.get_u64("memory.max-bytes"), 268_435_456);
}

/// Scenario: `config print` of a collector with secrets and long values. Guarantees: one line a flag in the tables'
/// order, origins, and no password in it.
#[test]
fn printed() {
    let argv = "skua collector --span-storage.type=elasticsearch --es.password=hunter2 --es.server-urls=http://u:hunter3@a:1";
    let argv: Vec<String> = argv.split_whitespace().map(str::to_owned).collect();
    let Ok(Command::Run(loaded)) = parse(&argv, &environment(&[("ES_TIMEOUT", "90m"), ("ES_USERNAME", "007")])) else {
        panic!("not a run")
    };
    let text = loaded.print(true);
    assert!(!text.contains("hunter"), "{text}");
    let rows: Vec<String> = text.lines().map(|row| row.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for wanted in [
        "span-storage.type: elasticsearch # command line",
        "admin.http.host-port: \":14269\" # default",
        "es.server-urls: [\"http://u:***@a:1\"] # command line",
        "es.username: \"007\" # environment variable ES_USERNAME",
        "es.password: \"***\" # command line",
        "es.timeout: 1h30m # environment variable ES_TIMEOUT",
    ] {
        assert!(rows.contains(&wanted.to_owned()), "{wanted}\n{text}");
    }
    assert_eq!(loaded.print(false).lines().count(), rows.len());
    assert_eq!(loaded.origin_of("es.timeout"), Some(Origin::Environment("ES_TIMEOUT".to_owned())));
}

/// Scenario: what `config print` wrote is given back as a config file. Guarantees: it means the same.
#[test]
fn printed_is_a_config_file() {
    let directory = tempfile::tempdir().unwrap();
    let first = loaded("skua query --query.additional-headers=A:b --es.index-prefix=x --span-storage.type=elasticsearch");
    let path = directory.path().join("printed.yaml");
    let text: String =
        first.print(true).lines().filter(|row| !row.starts_with("config-file:")).map(|row| format!("{row}\n")).collect();
    std::fs::write(&path, text).unwrap();
    let argv = ["skua".to_owned(), "query".to_owned(), "--config-file".to_owned(), path.display().to_string()];
    let second = match parse(&argv, &BTreeMap::new()) {
        Ok(Command::Run(loaded)) => loaded,
        other => panic!("{other:?}"),
    };
    let rows = |loaded: &Loaded| {
        loaded.print(false).lines().filter(|row| !row.starts_with("config-file:")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(rows(&first), rows(&second));
}

/// Scenario: SPAN_STORAGE_TYPE is not set. Guarantees: Jaeger's defaults, but for all-in-one, which keeps spans on the disk.
#[test]
fn the_default_storage() {
    for (component, wanted) in [
        (Component::Collector, StorageType::Cassandra),
        (Component::Ingester, StorageType::Cassandra),
        (Component::Query, StorageType::Cassandra),
        (Component::AllInOne, StorageType::Parquet),
    ] {
        let loaded = skua_config::load(component, &[], &BTreeMap::new()).unwrap();
        assert_eq!(loaded.storage().span, [wanted], "{component}");
        assert_eq!(loaded.storage().dependency, Some(wanted), "{component}");
    }
    let adaptive = environment(&[("SAMPLING_CONFIG_TYPE", "adaptive"), ("SPAN_STORAGE_TYPE", "kafka,scylla")]);
    let loaded = skua_config::load(Component::Collector, &[], &adaptive).unwrap();
    assert_eq!(loaded.storage().sampling, Some(StorageType::Scylla));
}

/// Scenario: an all-in-one that was Jaeger's, with a flag of the memory and nothing else, from each source; then with a storage that is named.
/// Guarantees: it keeps spans in memory, as before, and says so; what is named counts.
#[test]
fn flags_of_the_memory_mean_memory() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c.yaml");
    std::fs::write(&path, "memory: {max-traces: 5}\n").unwrap();
    let (flag, file) = ("--memory.max-traces=5".to_owned(), format!("--config-file={}", path.display()));
    let none = BTreeMap::new();
    let variable = environment(&[("MEMORY_MAX_TRACES", "5")]);
    for (args, env) in [(vec![flag.clone()], &none), (vec![file.clone()], &none), (vec![], &variable)] {
        let loaded = skua_config::load(Component::AllInOne, &args, env).unwrap();
        assert_eq!((loaded.storage().names().as_str(), loaded.get_u64("memory.max-traces")), ("memory", 5), "{args:?}");
        assert_eq!((loaded.get_string("span-storage.type").as_str(), loaded.warnings().len()), ("memory", 0), "{args:?}");
        assert_eq!(loaded.origin_of("span-storage.type"), Some(Origin::Default));
    }
    let named = environment(&[("SPAN_STORAGE_TYPE", "parquet")]);
    let loaded = skua_config::load(Component::AllInOne, &[file], &named).unwrap();
    assert_eq!((loaded.storage().names().as_str(), loaded.warnings().len()), ("parquet", 1));
    let refused = skua_config::load(Component::AllInOne, &[flag], &named).unwrap_err();
    assert_eq!(refused.to_string(), "--memory.max-traces needs SPAN_STORAGE_TYPE=memory (it is parquet)");
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct CassandraConfig {
    servers: Vec<String>,
    keyspace: String,
    consistency: String,
    proto_version: u8,
    reconnect_interval: Duration,
    password: String,
    index: CassandraIndex,
    search: CassandraSearch,
    schema: CassandraSchema,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct CassandraIndex {
    tags: bool,
    tag_blacklist: Vec<String>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct CassandraSearch {
    max_traces_read: usize,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct CassandraSchema {
    #[serde(default)]
    create: bool,
    mode: String,
    datacenter: String,
    replication_factor: u32,
    trace_ttl: String,
    dependencies_ttl: String,
    compaction_window: String,
}

/// Scenario: an archive of which little is set, one flag to its default. Guarantees: what is set is the archive's own, all
/// else is the primary's, in a section, by the getters and in `config print`; no password is printed.
#[test]
fn the_archive_inherits() {
    let argv = "skua query --cassandra.servers=a,b --cassandra.consistency=local_quorum --cassandra.index.tags=false \
                --cassandra.index.tag-blacklist=x --cassandra.password=hunter2 --cassandra-archive.enabled \
                --cassandra-archive.keyspace=kept --cassandra-archive.index.tags=true --cassandra-archive.schema.trace-ttl=0 \
                --cassandra.search.max-traces-read=7";
    let argv: Vec<String> = argv.split_whitespace().map(str::to_owned).collect();
    let Ok(Command::Run(loaded)) = parse(&argv, &environment(&[("SPAN_STORAGE_TYPE", "scylla")])) else { panic!("not a run") };
    let primary: CassandraConfig = loaded.section("cassandra").unwrap();
    let archive: CassandraConfig = loaded.section_or("cassandra-archive", "cassandra").unwrap();
    assert_eq!((primary.keyspace.as_str(), archive.keyspace.as_str()), ("jaeger_dc1", "kept"));
    assert_eq!((primary.index.tags, archive.index.tags), (false, true));
    assert_eq!((primary.schema.trace_ttl.as_str(), archive.schema.trace_ttl.as_str()), ("172800", "0"));
    let mut same = archive;
    same.keyspace.clone_from(&primary.keyspace);
    same.index.tags = primary.index.tags;
    same.schema.trace_ttl.clone_from(&primary.schema.trace_ttl);
    assert_eq!(same, primary);
    assert_eq!(primary.consistency, "LOCAL_QUORUM");
    assert_eq!((primary.proto_version, primary.reconnect_interval), (4, Duration::from_secs(60)));
    assert_eq!(primary.search.max_traces_read, 7);

    assert_eq!(loaded.get_list("cassandra-archive.servers"), ["a", "b"]);
    assert_eq!(loaded.origin_of("cassandra-archive.servers"), Some(Origin::Default));
    let text = loaded.print(true);
    assert!(!text.contains("hunter"), "{text}");
    let rows: Vec<String> = text.lines().map(|row| row.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for wanted in [
        "cassandra-archive.servers: [a, b] # as cassandra.servers",
        "cassandra-archive.keyspace: kept # command line",
        "cassandra-archive.password: \"***\" # as cassandra.password",
    ] {
        assert!(rows.contains(&wanted.to_owned()), "{wanted}\n{text}");
    }
}

/// Scenario: the command that makes the schema, by each of its names, with create.sh's variables, Jaeger's flags and a
/// file of a tier. Guarantees: its own flags win over those that they fall back on; SPAN_STORAGE_TYPE does not matter.
#[test]
fn cassandra_schema() {
    let env = environment(&[
        ("SPAN_STORAGE_TYPE", "kafka"),
        ("MODE", "PROD"),
        ("DATACENTER", "dc1"),
        ("KEYSPACE", "jaeger_v1_dc1"),
        ("CQLSH_HOST", "db"),
        ("CQLSH_PORT", "9142"),
        ("TRACE_TTL", "48h"),
        ("CASSANDRA_USERNAME", "someone"),
        ("CASSANDRA_SCHEMA_REPLICATION_FACTOR", "3"),
        ("CASSANDRA_SCHEMA_MODE", "test"),
    ]);
    for argv in [
        &["skua", "cassandra", "schema", "--print"][..],
        &["skua", "--log-level", "warn", "cassandra", "--print", "schema"],
        &["skua", "cassandra-schema", "--print=true"],
        &["/usr/bin/jaeger-cassandra-schema", "--print"],
    ] {
        let argv: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
        let Ok(Command::Run(loaded)) = parse(&argv, &env) else { panic!("{argv:?}") };
        assert_eq!((loaded.component(), loaded.get_bool("print")), (Component::CassandraSchema, true), "{argv:?}");
        let schema: CassandraSchema = loaded.section("").unwrap();
        let wanted = CassandraSchema {
            create: false,
            mode: "prod".to_owned(),
            datacenter: "dc1".to_owned(),
            replication_factor: 3,
            trace_ttl: "48h".to_owned(),
            dependencies_ttl: "0".to_owned(),
            compaction_window: String::new(),
        };
        assert_eq!(schema, wanted, "{argv:?}");
        assert_eq!(loaded.get_string("keyspace"), "jaeger_v1_dc1");
        assert_eq!((loaded.get_list("cqlsh-host"), loaded.get_u64("cqlsh-port")), (vec!["db".to_owned()], 9142));
        assert_eq!(loaded.get_string("cassandra.username"), "someone");
        assert_eq!(loaded.warnings(), <[String; 0]>::default());
    }
    let argv = ["skua", "cassandra", "schema", "--cassandra.servers=a,b", "--cassandra.keyspace=k"].map(str::to_owned);
    let Ok(Command::Run(loaded)) = parse(&argv, &BTreeMap::new()) else { panic!("not a run") };
    assert_eq!(
        (loaded.get_list("cqlsh-host"), loaded.get_string("keyspace")),
        (vec!["a".to_owned(), "b".to_owned()], "k".to_owned())
    );
    assert_eq!((loaded.get_string("mode").as_str(), loaded.get_bool("print")), ("test", false));

    let Ok(Command::Help(text)) = run("skua cassandra schema --help") else { panic!("no help") };
    assert!(
        text.contains("Usage: skua cassandra schema") && text.contains("--print") && text.contains("[env: KEYSPACE]"),
        "{text}"
    );
    assert!(!text.contains("--admin.") && !text.contains("--cassandra.index") && !text.contains("brings in"), "{text}");
    let Ok(Command::Help(text)) = run("skua ingester --span-storage.type=cassandra --help") else { panic!("no help") };
    assert!(text.contains("--cassandra.servers") && !text.contains("--print") && !text.contains("--cqlsh-host"), "{text}");
}
