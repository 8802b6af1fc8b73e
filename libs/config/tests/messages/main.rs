//! Each wrong configuration and the message of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod parquet;

use std::collections::BTreeMap;

use skua_config::{Component, load};

/// Loads with `SPAN_STORAGE_TYPE` and other variables, arguments, and a config file whose name (its extension tells the
/// format) and text are given; the path in the message becomes the bare name.
fn message(component: Component, env: &[(&str, &str)], args: &[&str], file: Option<(&str, &str)>) -> String {
    let directory = tempfile::tempdir().unwrap();
    let env: BTreeMap<String, String> = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    if let Some((name, text)) = file {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        args.push(format!("--config-file={}", path.display()));
    }
    match load(component, &args, &env) {
        Ok(loaded) => panic!("no error: {:?}", loaded.warnings()),
        Err(error) => {
            assert_eq!(error.exit_code(), 64);
            error.to_string().replace(&format!("{}/", directory.path().display()), "")
        }
    }
}

const ES: &[(&str, &str)] = &[("SPAN_STORAGE_TYPE", "elasticsearch")];
const CASSANDRA: &[(&str, &str)] = &[("SPAN_STORAGE_TYPE", "cassandra")];
const KAFKA: &[(&str, &str)] = &[("SPAN_STORAGE_TYPE", "kafka")];
const GRPC: &[(&str, &str)] = &[("SPAN_STORAGE_TYPE", "grpc")];

/// Scenario: a wrong command line. Guarantees: the message names the flag and what is right.
#[test]
fn on_the_command_line() {
    let say = |args: &[&str]| message(Component::Collector, ES, args, None);
    for (args, wanted) in [
        (&["--es.server-url=x"][..], "unknown flag --es.server-url; did you mean --es.server-urls?"),
        (&["--server-urls=x"], "unknown flag --server-urls; did you mean --es.server-urls?"),
        (&["-es.server-urls=x"], "unknown flag -es.server-urls; did you mean --es.server-urls?"),
        (&["--qqq"], "unknown flag --qqq; --help lists the flags"),
        (&["--es.num-shards=five"], "--es.num-shards wants an integer, not \"five\""),
        (&["--es.num-shards", "-1"], "--es.num-shards wants an integer between 1 and 1024, not \"-1\""),
        (&["--es.timeout=5"], "--es.timeout wants a duration such as 200ms or 1h30m, not \"5\""),
        (&["--es.timeout="], "--es.timeout wants a duration such as 200ms or 1h30m, not \"\""),
        (&["--es.use-aliases=yes"], "--es.use-aliases wants true or false, not \"yes\""),
        (&["--es.use-aliases", "true"], "unexpected argument \"true\"; a boolean flag is set with =, as in --flag=true"),
        (&["--collector.ack=later"], "--collector.ack wants one of stored, queued, not \"later\""),
        (&["--downsampling.ratio=half"], "--downsampling.ratio wants a number, not \"half\""),
        (
            &["--collector.otlp.grpc.host-port=somewhere"],
            "--collector.otlp.grpc.host-port wants an address such as :4317 or 127.0.0.1:4317, not \"somewhere\"",
        ),
        (&["--es.username"], "--es.username wants a value"),
        (&["--es.username", "--es.password=x"], "--es.username wants a value, but --es.password follows"),
        (&["stray"], "unexpected argument \"stray\""),
        (&["--help"], "unexpected argument \"--help\""),
    ] {
        assert_eq!(say(args), wanted, "{args:?}");
    }
}

/// Scenario: flags of another tier or storage on the command line. Guarantees: the message says what they need.
#[test]
fn of_another_tier_or_storage() {
    let none: &[(&str, &str)] = &[];
    for (component, env, arg, wanted) in [
        (
            Component::AllInOne,
            none,
            "--es.server-urls=http://a:1",
            "--es.server-urls needs SPAN_STORAGE_TYPE=elasticsearch (it is parquet)",
        ),
        (
            Component::Collector,
            ES,
            "--memory.max-traces=5",
            "--memory.max-traces needs SPAN_STORAGE_TYPE=memory (it is elasticsearch)",
        ),
        (
            Component::Collector,
            ES,
            "--ingester.parallelism=5",
            "--ingester.parallelism is a flag of ingester; this is the collector",
        ),
        (
            Component::Query,
            ES,
            "--collector.num-workers=5",
            "--collector.num-workers is a flag of collector and all-in-one; this is the query",
        ),
        (
            Component::Query,
            ES,
            "--cassandra.servers=a",
            "--cassandra.servers needs SPAN_STORAGE_TYPE=cassandra (it is elasticsearch)",
        ),
        (
            Component::Query,
            ES,
            "--badger.ephemeral=false",
            "--badger.ephemeral is a flag of Badger, which Skua does not have: use SPAN_STORAGE_TYPE=memory for what was true, \
             SPAN_STORAGE_TYPE=parquet and --parquet.path for what was false",
        ),
        (
            Component::AllInOne,
            none,
            "--badger.directory-value=/data",
            "--badger.directory-value is a flag of Badger, whose files Skua cannot read: use SPAN_STORAGE_TYPE=parquet and --parquet.path",
        ),
        (
            Component::AllInOne,
            none,
            "--badger.span-store-ttl=72h",
            "--badger.span-store-ttl is a flag of Badger, which Skua does not have: use SPAN_STORAGE_TYPE=parquet and --parquet.retention",
        ),
        (
            Component::CassandraSchema,
            none,
            "--cassandra.index.tags=false",
            "--cassandra.index.tags is a flag of collector and ingester and query and all-in-one and remote-storage and rollup-rebuild; this is the \
             cassandra-schema",
        ),
        (Component::Query, ES, "--prometheus.server-url=a", "--prometheus.server-url needs METRICS_STORAGE_TYPE=prometheus"),
    ] {
        assert_eq!(message(component, env, &[arg], None), wanted);
    }
}

/// Scenario: a wrong variable. Guarantees: the message names the variable and the flag.
#[test]
fn in_the_environment() {
    let say = |name, value| message(Component::AllInOne, &[ES[0], (name, value)], &[], None);
    assert_eq!(say("ES_NUM_SHARDS", "five"), "environment variable ES_NUM_SHARDS: es.num-shards wants an integer, not \"five\"");
    assert_eq!(
        say("COLLECTOR_OTLP_HTTP_TLS_ENABLED", "true"),
        "environment variable COLLECTOR_OTLP_HTTP_TLS_ENABLED: collector.otlp.http.tls.enabled: TLS on servers is not \
         supported yet; terminate TLS in front (nginx) or remove the flag"
    );
    assert_eq!(
        say("CONFIG_FILE", "/nowhere/x.yaml"),
        "config file /nowhere/x.yaml: failed to read: No such file or directory (os error 2)"
    );
}

/// Scenario: a wrong config file. Guarantees: the message names file, line and key, and the nearest right key.
#[test]
fn in_a_file() {
    let say = |name, text| message(Component::Collector, ES, &[], Some((name, text)));
    for (name, text, wanted) in [
        (
            "x.yaml",
            "collector:\n  otlp:\n    grpc:\n      hostport: :1\n",
            "config file x.yaml:4: unknown key \"collector.otlp.grpc.hostport\"; did you mean \"collector.otlp.grpc.host-port\"?",
        ),
        ("x.yaml", "es.qqq: 1\n", "config file x.yaml:1: unknown key \"es.qqq\""),
        ("x.yaml", "es.numshards:\n", "config file x.yaml:1: unknown key \"es.numshards\"; did you mean \"es.num-shards\"?"),
        ("x.yaml", "es: 5\n", "config file x.yaml:1: \"es\" is a group of keys, not a key with a value"),
        ("x.yaml", "es:\n  num-shards: five\n", "config file x.yaml:2: es.num-shards wants an integer, not five"),
        ("x.yaml", "es:\n  num-shards: 'five'\n", "config file x.yaml:2: es.num-shards wants an integer, not \"five\""),
        ("x.yaml", "es.num-shards: [1, 2]\n", "config file x.yaml:1: es.num-shards wants an integer, not a list"),
        ("x.yaml", "es.server-urls: [[a]]\n", "config file x.yaml:1: es.server-urls wants a value, not a group or nested lists"),
        ("x.yaml", "es:\n  timeout: 1s\n\nes.timeout: 2s\n", "config file x.yaml:4: key \"es.timeout\" is already on line 2"),
        ("x.yaml", "config-file: y.yaml\n", "config file x.yaml:1: config-file cannot be set in a config file"),
        ("x.yaml", "- a\n- b\n", "config file x.yaml:1: wants keys and values"),
        ("x.yaml", "a: 1\n<<: {b: 1}\n", "config file x.yaml:2: merge keys (<<) are not supported"),
        ("x.toml", "\n[es]\ntimeout = 5\n", "config file x.toml:3: es.timeout wants a duration such as 200ms or 1h30m, not 5"),
        (
            "x.toml",
            "es.timeout = \"1s\"\n\"es.timeout\" = \"2s\"\n",
            "config file x.toml:2: key \"es.timeout\" is already on line 1",
        ),
        (
            "x.toml",
            "[es]\nnumshards = 5\n",
            "config file x.toml:2: unknown key \"es.numshards\"; did you mean \"es.num-shards\"?",
        ),
        ("x.json", "{\n\"es\": {\"num-shards\": \"x\"}}", "config file x.json:2: es.num-shards wants an integer, not \"x\""),
        ("x.hcl", "a = 1\n", "config file x.hcl: the extension must be .yaml, .yml, .json or .toml to tell its format"),
        ("x", "a = 1\n", "config file x: the extension must be .yaml, .yml, .json or .toml to tell its format"),
    ] {
        assert_eq!(say(name, text), wanted, "{text}");
    }
    for (name, text, start) in [
        ("x.yaml", "es:\n  timeout: 'open\n", "config file x.yaml:"),
        ("x.yaml", "es:\n\ttimeout: 1s\n", "config file x.yaml:2: "),
        ("x.toml", "[es]\ntimeout = = 1\n", "config file x.toml:2: "),
        ("x.toml", "[es]\na = 1\na = 2\n", "config file x.toml:3: "),
        ("x.json", "{\n\"es\": }", "config file x.json:2: "),
    ] {
        let message = say(name, text);
        assert!(message.starts_with(start) && !message.contains('\n'), "{message:?}");
    }
}

/// Scenario: several mistakes in several sources. Guarantees: all are named at once, in the order of the sources.
#[test]
fn all_mistakes_at_once() {
    let env = &[ES[0], ("ES_NUM_SHARDS", "five")];
    let message = message(Component::Collector, env, &["--es.timeout=5"], Some(("x.yaml", "es: {nmu-shards: 1, version: x}\n")));
    assert_eq!(
        message,
        "config file x.yaml:1: unknown key \"es.nmu-shards\"; did you mean \"es.num-shards\"?\n\
         config file x.yaml:1: es.version wants an integer, not x\n\
         environment variable ES_NUM_SHARDS: es.num-shards wants an integer, not \"five\"\n\
         --es.timeout wants a duration such as 200ms or 1h30m, not \"5\""
    );
}

/// Scenario: storages that do not exist, are not there yet or make no sense. Guarantees: the message names what is supported.
#[test]
fn storages() {
    let say = |component, value: &str| message(component, &[("SPAN_STORAGE_TYPE", value)], &[], None);
    let variable = "environment variable SPAN_STORAGE_TYPE: span-storage.type: ";
    for (component, value, wanted) in [
        (
            Component::Collector,
            "badger",
            "the files of badger cannot be read; Skua's own embedded store takes its place: set SPAN_STORAGE_TYPE=parquet and \
             --parquet.path to a new directory",
        ),
        (Component::Collector, "elasticsearhc", "unknown storage type \"elasticsearhc\"; did you mean \"elasticsearch\"?"),
        (
            Component::Query,
            "elasticsearch,kafka",
            "spans cannot be read back from kafka, so query cannot use it; supported are elasticsearch, opensearch, cassandra, \
             scylla, grpc, parquet, memory, blackhole",
        ),
        (
            Component::Ingester,
            "kafka",
            "the ingester reads Kafka and cannot write to it; set the store it writes to: elasticsearch, opensearch, \
             cassandra, scylla, grpc, parquet, memory, blackhole",
        ),
        (
            Component::Query,
            "elasticsearch,opensearch",
            "elasticsearch and opensearch share the flags --es.*, so each span would be written twice; name one",
        ),
        (
            Component::Collector,
            "scylla,kafka,cassandra",
            "cassandra and scylla share the flags --cassandra.*, so each span would be written twice; name one",
        ),
        (
            Component::Query,
            ",",
            "names no storage; supported are elasticsearch, opensearch, cassandra, scylla, grpc, parquet, memory, blackhole",
        ),
    ] {
        assert_eq!(say(component, value), format!("{variable}{wanted}"));
    }
    assert_eq!(
        message(Component::Query, ES, &["--span-storage.type=badger"], None),
        "--span-storage.type: the files of badger cannot be read; Skua's own embedded store takes its place: set \
         SPAN_STORAGE_TYPE=parquet and --parquet.path to a new directory"
    );
    assert_eq!(
        message(Component::Query, ES, &[], Some(("x.yaml", "dependency-storage.type: kafka\n"))),
        "config file x.yaml:1: dependency-storage.type: spans cannot be read back from kafka, so query cannot use it; \
         supported are elasticsearch, opensearch, cassandra, scylla, grpc, parquet, memory, blackhole"
    );
    assert_eq!(
        message(Component::Query, &[ES[0], ("METRICS_STORAGE_TYPE", "thanos")], &[], None),
        "environment variable METRICS_STORAGE_TYPE: metrics-storage.type wants one of prometheus, not \"thanos\""
    );
}

/// Scenario: values that contradict each other. Guarantees: the message names the flag, its source and the remedy.
#[test]
fn contradictions() {
    for (component, env, args, wanted) in [
        (Component::Query, GRPC, &[][..], "grpc-storage.server names no server, such as storage:17271"),
        (
            Component::Query,
            GRPC,
            &["--grpc-storage.server=a:1", "--grpc-storage-archive.enabled"],
            "grpc-storage-archive.server names no server, such as storage:17271",
        ),
        (
            Component::RemoteStorage,
            GRPC,
            &["--grpc-storage.server=a:1", "--grpc-storage-archive.tls.ca=a.pem"],
            "--grpc-storage-archive.tls.ca needs grpc-storage-archive.tls.enabled=true",
        ),
        (Component::Agent, ES, &["--log-level=info"][..], "reporter.grpc.host-port names no collector, such as collector:14250"),
        (
            Component::Collector,
            KAFKA,
            &["--sampling-config.type=adaptive"],
            "--sampling-config.type=adaptive needs a storage where collectors meet, and SPAN_STORAGE_TYPE is kafka; set \
             SAMPLING_STORAGE_TYPE to memory, elasticsearch, opensearch, cassandra, scylla or parquet",
        ),
        (Component::Collector, ES, &["--downsampling.ratio=2"], "--downsampling.ratio must be between 0 and 1"),
        (Component::Ingester, ES, &["--rollup.flush-interval=0"], "--rollup.flush-interval must be longer than 0"),
        (Component::AllInOne, ES, &["--rollup.window=0"], "--rollup.window must be longer than 0"),
        (Component::Query, ES, &["--es.tls.ca=/ca.pem"], "--es.tls.ca needs es.tls.enabled=true"),
        (
            Component::Collector,
            KAFKA,
            &["--kafka.producer.tls.skip-host-verify"],
            "--kafka.producer.tls.skip-host-verify needs kafka.producer.tls.enabled=true or kafka.producer.authentication=tls",
        ),
        (Component::Query, ES, &["--es.use-ilm"], "--es.use-ilm needs es.use-aliases=true and es.create-index-templates=false"),
        (
            Component::Query,
            ES,
            &["--es-archive.enabled", "--es-archive.use-ilm", "--es-archive.create-index-templates=false"],
            "--es-archive.use-ilm needs es.use-aliases=true and es-archive.create-index-templates=false",
        ),
        (
            Component::Query,
            ES,
            &["--es-archive.enabled", "--es-archive.server-urls=es:9200"],
            "--es-archive.server-urls wants URLs such as http://127.0.0.1:9200, not \"es:9200\"",
        ),
        (Component::Query, ES, &["--query.ui-config=ui.yaml"], "--query.ui-config wants a file .json or .js, not \"ui.yaml\""),
        (
            Component::Query,
            ES,
            &["--es.server-urls=es:9200"],
            "--es.server-urls wants URLs such as http://127.0.0.1:9200, not \"es:9200\"",
        ),
        (Component::Query, ES, &["--es.server-urls="], "--es.server-urls names no server"),
        (
            Component::Query,
            ES,
            &["--query.base-path=jaeger/"],
            "--query.base-path must start and not end with /, not \"jaeger/\"",
        ),
        (
            Component::Query,
            ES,
            &["--query.http-server.host-port=:16685"],
            "--query.http-server.host-port and query.grpc-server.host-port must differ (both are \":16685\")",
        ),
        (Component::Query, ES, &["--admin.http.host-port="], "--admin.http.host-port wants an address such as :16686, not \"\""),
        (Component::Query, ES, &["--metrics-http-route=metrics"], "--metrics-http-route must start with /"),
        (Component::Collector, KAFKA, &["--kafka.producer.brokers="], "--kafka.producer.brokers names no broker"),
        (
            Component::Collector,
            KAFKA,
            &["--kafka.producer.compression-level=3"],
            "--kafka.producer.compression-level must be 0, since kafka.producer.compression=none has no levels",
        ),
        (
            Component::Collector,
            KAFKA,
            &["--kafka.producer.compression-level=12", "--kafka.producer.compression=gzip"],
            "--kafka.producer.compression-level must be between 1 and 9 for kafka.producer.compression=gzip, or 0, not 12",
        ),
        (
            Component::Collector,
            KAFKA,
            &["--kafka.producer.authentication=kerberos"],
            "--kafka.producer.authentication: Kerberos is not supported yet; use plaintext (SASL SCRAM) or tls",
        ),
    ] {
        assert_eq!(message(component, env, args, None), wanted, "{args:?}");
    }
}

/// Scenario: wrong values of Prometheus, and of handing tokens on. Guarantees: the message names the flag and what is right.
#[test]
fn prometheus() {
    let env = &[("SPAN_STORAGE_TYPE", "cassandra"), ("METRICS_STORAGE_TYPE", "prometheus")];
    for (arg, wanted) in [
        ("--prometheus.query.duration-unit=us", "--prometheus.query.duration-unit wants one of ms, s, not \"us\""),
        (
            "--prometheus.server-url=localhost:9090",
            "--prometheus.server-url wants a URL such as http://127.0.0.1:9090, not \"localhost:9090\"",
        ),
        (
            "--prometheus.query.extra-query-params=a=b, c",
            "--prometheus.query.extra-query-params wants pairs such as param1=value1,param2=value2, not \"a=b,c\"",
        ),
        (
            "--prometheus.query.namespace=a{b}",
            "--prometheus.query.namespace wants letters, digits, underscores and colons, not \"a{b}\"",
        ),
        ("--prometheus.tls.ca=/ca.pem", "--prometheus.tls.ca needs prometheus.tls.enabled=true"),
    ] {
        assert_eq!(message(Component::Query, env, &[arg], None), wanted);
    }
    for (env, storage) in [(ES, "elasticsearch"), (&[GRPC[0], ("GRPC_STORAGE_SERVER", "a:1")], "grpc")] {
        assert_eq!(
            message(Component::Query, env, &["--query.bearer-token-propagation"], None),
            format!(
                "--query.bearer-token-propagation: tokens are not handed on to {storage} yet; give it credentials of its own or \
                 remove the flag"
            )
        );
    }
    let wanted = "--prometheus.server-url is a flag of query and all-in-one; this is the collector";
    assert_eq!(message(Component::Collector, env, &["--prometheus.server-url=http://a:1"], None), wanted);
}

/// Scenario: one file for all tiers. Guarantees: what is another tier's or another storage's is a warning, not an error.
#[test]
fn a_shared_file_warns() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.yaml");
    let text = "query.base-path: /x\nmemory.max-traces: five\nbadger: {ephemeral: no}\ncassandra: {servers: a}\nes.num-shards: 2\n\
                es.log-level: info\n";
    std::fs::write(&path, text).unwrap();
    let args = [format!("--config-file={}", path.display())];
    let env = BTreeMap::from([("SPAN_STORAGE_TYPE".to_owned(), "elasticsearch".to_owned())]);
    let loaded = load(Component::Collector, &args, &env).unwrap();
    let file = format!("config file {}", path.display());
    assert_eq!(
        loaded.warnings(),
        [
            format!(
                "{file}:3: badger.ephemeral is ignored: it is a flag of Badger, which Skua does not have: use \
                 SPAN_STORAGE_TYPE=memory for what was true, SPAN_STORAGE_TYPE=parquet and --parquet.path for what was false"
            ),
            format!("{file}:1: query.base-path is ignored: it is a flag of query and all-in-one; this is the collector"),
            format!("{file}:4: cassandra.servers is ignored: it needs SPAN_STORAGE_TYPE=cassandra (it is elasticsearch)"),
            format!("{file}:2: memory.max-traces is ignored: it needs SPAN_STORAGE_TYPE=memory (it is elasticsearch)"),
            format!("{file}:6: es.log-level has no effect: --log-level rules all logs"),
        ]
    );
}

/// Scenario: wrong values of Cassandra, of its archive, and of the command that makes the schema. Guarantees: the message
/// names the flag that has the value, once, and the remedy.
#[test]
fn cassandra() {
    let protocol = "version 4 is spoken, which Cassandra since 2.2 and every Scylla know; set 4 or remove the flag";
    let protocol = format!("--cassandra.proto-version: {protocol}");
    let archive = "--cassandra-archive.enabled";
    for (args, wanted) in [
        (&["--cassandra.servers="][..], "--cassandra.servers names no server"),
        (&["--cassandra.port=0"], "--cassandra.port wants an integer between 1 and 65535, not \"0\""),
        (&["--cassandra.keyspace=a-b"], "--cassandra.keyspace wants letters, digits and underscores, not \"a-b\""),
        (&["--cassandra.proto-version=5", archive], &protocol),
        (
            &["--cassandra.consistency=MOST"],
            "--cassandra.consistency wants one of ANY, ONE, TWO, THREE, QUORUM, ALL, LOCAL_QUORUM, EACH_QUORUM, LOCAL_ONE, not \
             \"MOST\"",
        ),
        (&["--cassandra.tls.ca=/ca.pem", archive], "--cassandra.tls.ca needs cassandra.tls.enabled=true"),
        (
            &["--cassandra.index.tag-blacklist=a", "--cassandra-archive.index.tag-whitelist=b", archive],
            "--cassandra.index.tag-blacklist and cassandra-archive.index.tag-whitelist exclude each other; set one of them",
        ),
        (
            &["--cassandra.schema.create", "--cassandra.schema.mode=prod"],
            "--cassandra.schema.mode=prod needs cassandra.schema.datacenter",
        ),
        (
            &["--cassandra.schema.trace-ttl=2d", archive],
            "--cassandra.schema.trace-ttl wants seconds or a duration such as 48h, of whole seconds and at most 20 years, not \"2d\"",
        ),
        (
            &["--cassandra.schema.compaction-window=30"],
            "--cassandra.schema.compaction-window wants minutes, hours or days such as 30m, 2h or 1d, not \"30\"",
        ),
        (&["--mode=prod"], "unknown flag --mode; --help lists the flags"),
    ] {
        assert_eq!(message(Component::Query, CASSANDRA, args, None), wanted, "{args:?}");
    }
    assert_eq!(
        message(Component::Query, CASSANDRA, &[], Some(("x.yaml", "keyspace: x\n"))),
        "config file x.yaml:1: unknown key \"keyspace\""
    );
    for (env, args, wanted) in [
        (("MODE", "prod"), &[][..], "environment variable MODE: mode=prod needs datacenter"),
        (
            ("CASSANDRA_SCHEMA_MODE", "prod"),
            &[],
            "environment variable CASSANDRA_SCHEMA_MODE: cassandra.schema.mode=prod needs datacenter",
        ),
        (("MODE", "dev"), &[], "environment variable MODE: mode wants one of test, prod, not \"dev\""),
        (("SPAN_STORAGE_TYPE", "none"), &["--keyspac=x"], "unknown flag --keyspac; did you mean --keyspace?"),
        (("KEYSPACE", ""), &["--keyspace=x;y"], "--keyspace wants letters, digits and underscores, not \"x;y\""),
    ] {
        assert_eq!(message(Component::CassandraSchema, &[env], args, None), wanted, "{env:?} {args:?}");
    }
}

/// Scenario: an archive that is off but has flags, and one without a keyspace of its own. Guarantees: a warning.
#[test]
fn an_archive_that_is_none_warns() {
    let warnings = |args: &[&str]| {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        load(Component::Query, &args, &BTreeMap::new()).unwrap().warnings().to_vec()
    };
    assert_eq!(
        warnings(&["--cassandra-archive.keyspace=kept"]),
        ["--cassandra-archive.keyspace has no effect: it needs cassandra-archive.enabled=true"]
    );
    assert_eq!(
        warnings(&["--cassandra-archive.enabled"]),
        ["the keyspace of the archive, cassandra-archive.keyspace, is jaeger_dc1 too: archived traces expire there with the \
          others; set another"]
    );
    let elasticsearch = BTreeMap::from([("SPAN_STORAGE_TYPE".to_owned(), "elasticsearch".to_owned())]);
    let es = |args: &[&str]| {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        load(Component::Query, &args, &elasticsearch).unwrap().warnings().to_vec()
    };
    let none = "--es-archive.index-prefix has no effect: it needs es-archive.enabled=true";
    assert_eq!(es(&["--es-archive.index-prefix=kept"]), [none]);
    let unused = es(&["--es.log-level=debug"]);
    assert!(unused.len() == 1 && unused[0].starts_with("--es.log-level has no effect"), "said once: {unused:?}");
    assert_eq!(es(&["--es-archive.enabled", "--es-archive.index-prefix=kept"]), <[String; 0]>::default());
    for other in ["--cassandra-archive.keyspace=kept", "--cassandra-archive.servers=elsewhere"] {
        assert_eq!(warnings(&["--cassandra-archive.enabled", other]), <[String; 0]>::default());
    }
}
