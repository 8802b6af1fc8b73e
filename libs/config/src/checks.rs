//! Values that contradict each other.

mod archive;
mod cassandra;
mod parquet;
mod prometheus;

use crate::loaded::Loaded;
use crate::source::Origin;
use crate::storage::StorageType;
use crate::tables::catalog;

pub(crate) use archive::idle_archives;
pub(crate) use parquet::idle_parquet;

/// The rules of Jaeger about two flags at a time; one sentence a breach.
pub(crate) fn contradictions(loaded: &Loaded) -> Vec<String> {
    let mut problems = Vec::new();
    let has = |flag: &str| catalog().find(flag).is_some_and(|(table, _)| table.is_active(loaded.component, &loaded.storage));
    if has("metrics-http-route") && !loaded.get_string("metrics-http-route").starts_with('/') {
        problems.push(sentence(loaded, "metrics-http-route", " must start with /"));
    }
    for address in ["admin.http.host-port", "query.http-server.host-port"] {
        if has(address) && loaded.get_string(address).is_empty() {
            problems.push(sentence(loaded, address, " wants an address such as :16686, not \"\""));
        }
    }
    if has("query.base-path") {
        query(loaded, &mut problems);
    }
    if has("prometheus.server-url") {
        prometheus::contradictions(loaded, &mut problems);
    }
    if loaded.storage.uses(StorageType::Elasticsearch) || loaded.storage.uses(StorageType::Opensearch) {
        elasticsearch(loaded, &mut problems);
    }
    if loaded.storage.uses(StorageType::Cassandra) || loaded.storage.uses(StorageType::Scylla) {
        cassandra::contradictions(loaded, &mut problems);
    }
    if loaded.storage.uses(StorageType::Grpc) {
        grpc_storage(loaded, &mut problems);
    }
    if loaded.storage.uses(StorageType::Parquet) {
        parquet::contradictions(loaded, &mut problems);
    }
    for prefix in ["kafka.producer", "kafka.consumer"] {
        if has(&format!("{prefix}.brokers")) {
            kafka(loaded, prefix, &mut problems);
        }
    }
    if has("reporter.grpc.host-port") {
        agent(loaded, &mut problems);
    }
    if has("downsampling.ratio") && !(0.0..=1.0).contains(&loaded.get_f64("downsampling.ratio")) {
        problems.push(sentence(loaded, "downsampling.ratio", " must be between 0 and 1"));
    }
    if has("sampling.strategies-file") {
        sampling(loaded, &mut problems);
    }
    if has("rollup.window") {
        longer_than_0(loaded, &["rollup.window", "rollup.flush-interval"], &mut problems);
    }
    problems
}

/// Flags of adaptive sampling that are set although strategies come from a file, and the reverse.
pub(crate) fn idle_sampling(loaded: &Loaded) -> Vec<String> {
    if !catalog().find("sampling.delay").is_some_and(|(table, _)| table.is_active(loaded.component, &loaded.storage)) {
        return Vec::new();
    }
    let adaptive = loaded.get_string("sampling-config.type") == "adaptive";
    let (idle, wanted) = if adaptive { ("sampling", "file") } else { ("sampling (adaptive)", "adaptive") };
    let flags = catalog().tables.iter().filter(|table| table.title == idle).flat_map(|table| &table.flags);
    let set = flags.filter(|flag| loaded.origin(flag) != Origin::Default);
    set.map(|flag| loaded.origin(flag).sentence(&flag.name, &format!(" has no effect: it needs SAMPLING_CONFIG_TYPE={wanted}")))
        .collect()
}

fn agent(loaded: &Loaded, problems: &mut Vec<String>) {
    if loaded.get_string("reporter.grpc.host-port").trim().is_empty() {
        problems.push(sentence(loaded, "reporter.grpc.host-port", " names no collector, such as collector:14250"));
    }
    if !loaded.get_bool("reporter.grpc.tls.enabled") {
        unused_tls(loaded, "reporter.grpc", "reporter.grpc.tls.enabled=true", problems);
    }
}

fn sampling(loaded: &Loaded, problems: &mut Vec<String>) {
    if loaded.get_string("sampling-config.type") == "adaptive" && loaded.storage.sampling.is_none() {
        let rest = format!(
            "=adaptive needs a storage where collectors meet, and SPAN_STORAGE_TYPE is {}; set SAMPLING_STORAGE_TYPE to memory, \
             elasticsearch, opensearch, cassandra, scylla or parquet",
            loaded.storage.names()
        );
        problems.push(sentence(loaded, "sampling-config.type", &rest));
    }
    let probabilities = ["default-sampling-probability", "initial-sampling-probability", "min-sampling-probability"];
    for flag in probabilities.map(|name| format!("sampling.{name}")) {
        if !(0.0..=1.0).contains(&loaded.get_f64(&flag)) {
            problems.push(sentence(loaded, &flag, " must be between 0 and 1"));
        }
    }
    let intervals = ["calculation-interval", "leader-lease-refresh-interval", "follower-lease-refresh-interval"];
    longer_than_0(loaded, &intervals.map(|name| format!("sampling.{name}")), problems);
    for flag in ["buckets-for-calculation", "aggregation-buckets"] {
        let flag = format!("sampling.{flag}");
        if loaded.get_u64(&flag) == 0 {
            problems.push(sentence(loaded, &flag, " must be at least 1"));
        }
    }
}

fn longer_than_0(loaded: &Loaded, flags: &[impl AsRef<str>], problems: &mut Vec<String>) {
    for flag in flags.iter().map(AsRef::as_ref).filter(|flag| loaded.get_duration(flag).is_zero()) {
        problems.push(sentence(loaded, flag, " must be longer than 0"));
    }
}

fn sentence(loaded: &Loaded, flag: &str, rest: &str) -> String {
    loaded.origin_of(flag).map_or_else(String::new, |origin| origin.sentence(flag, rest))
}

fn query(loaded: &Loaded, problems: &mut Vec<String>) {
    let ui_config = loaded.get_string("query.ui-config");
    let extension = std::path::Path::new(&ui_config).extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    if !ui_config.is_empty() && !matches!(extension.as_deref(), Some("json" | "js")) {
        problems.push(sentence(loaded, "query.ui-config", &format!(" wants a file .json or .js, not {ui_config:?}")));
    }
    let takes_tokens =
        |storage: &StorageType| matches!(storage, StorageType::Elasticsearch | StorageType::Opensearch | StorageType::Grpc);
    let deaf = loaded.storage.span.first().filter(|storage| takes_tokens(storage));
    if let Some(storage) = deaf.filter(|_| loaded.get_bool("query.bearer-token-propagation")) {
        let rest = format!(": tokens are not handed on to {storage} yet; give it credentials of its own or remove the flag");
        problems.push(sentence(loaded, "query.bearer-token-propagation", &rest));
    }
    let base = loaded.get_string("query.base-path");
    if !base.starts_with('/') || (base.len() > 1 && base.ends_with('/')) {
        problems.push(sentence(loaded, "query.base-path", &format!(" must start and not end with /, not {base:?}")));
    }
    let http = loaded.get_string("query.http-server.host-port");
    if http == loaded.get_string("query.grpc-server.host-port") {
        let rest = format!(" and query.grpc-server.host-port must differ (both are {http:?})");
        problems.push(sentence(loaded, "query.http-server.host-port", &rest));
    }
}

/// An archive that is off is not looked at.
fn elasticsearch(loaded: &Loaded, problems: &mut Vec<String>) {
    let archive = loaded.get_bool("es-archive.enabled").then_some("es-archive");
    for prefix in ["es"].into_iter().chain(archive) {
        let name = |rest: &str| format!("{prefix}.{rest}");
        let urls = name("server-urls");
        if loaded.get_list(&urls).is_empty() {
            problems.push(decisive(loaded, &urls, " names no server"));
        }
        for url in loaded.get_list(&urls) {
            if !url.starts_with("http://") && !url.starts_with("https://") {
                let rest = format!(" wants URLs such as http://127.0.0.1:9200, not {url:?}");
                problems.push(decisive(loaded, &urls, &rest));
            }
        }
        let (ilm, aliases, templates) = (name("use-ilm"), name("use-aliases"), name("create-index-templates"));
        if loaded.get_bool(&ilm) && (!loaded.get_bool(&aliases) || loaded.get_bool(&templates)) {
            let (aliases, templates) = (decisive_name(loaded, &aliases), decisive_name(loaded, &templates));
            problems.push(decisive(loaded, &ilm, &format!(" needs {aliases}=true and {templates}=false")));
        }
        if !loaded.get_bool(&name("tls.enabled")) {
            unused_tls(loaded, prefix, &format!("{prefix}.tls.enabled=true"), problems);
        }
    }
    // What the archive has from the others is said once.
    let mut seen = std::collections::HashSet::new();
    problems.retain(|problem| seen.insert(problem.clone()));
}

/// A sentence about the flag that has the value: the one that this one falls back on, if it is not set itself.
fn decisive(loaded: &Loaded, flag: &str, rest: &str) -> String {
    sentence(loaded, decisive_name(loaded, flag), rest)
}

fn decisive_name<'a>(loaded: &Loaded, flag: &'a str) -> &'a str {
    catalog().find(flag).map_or(flag, |(_, row)| loaded.decisive(row).name.as_str())
}

/// An archive that is off is not looked at, but for TLS.
fn grpc_storage(loaded: &Loaded, problems: &mut Vec<String>) {
    for prefix in ["grpc-storage", "grpc-storage-archive"] {
        let server = format!("{prefix}.server");
        let wanted = prefix == "grpc-storage" || loaded.get_bool("grpc-storage-archive.enabled");
        if wanted && loaded.get_string(&server).trim().is_empty() {
            problems.push(sentence(loaded, &server, " names no server, such as storage:17271"));
        }
        if !loaded.get_bool(&format!("{prefix}.tls.enabled")) {
            unused_tls(loaded, prefix, &format!("{prefix}.tls.enabled=true"), problems);
        }
    }
}

fn kafka(loaded: &Loaded, prefix: &str, problems: &mut Vec<String>) {
    let brokers = format!("{prefix}.brokers");
    if loaded.get_list(&brokers).is_empty() {
        problems.push(sentence(loaded, &brokers, " names no broker"));
    }
    let by_tls = loaded.get_string(&format!("{prefix}.authentication")) == "tls";
    if !by_tls && !loaded.get_bool(&format!("{prefix}.tls.enabled")) {
        unused_tls(loaded, prefix, &format!("{prefix}.tls.enabled=true or {prefix}.authentication=tls"), problems);
    }
    if prefix == "kafka.producer" {
        compression_level(loaded, problems);
    }
}

/// Files of a TLS that is off are a mistake, as in Jaeger: whoever set them thinks that the connection is encrypted.
fn unused_tls(loaded: &Loaded, prefix: &str, remedy: &str, problems: &mut Vec<String>) {
    // An archive may do without what it would have from the others.
    let own = |flag: &str| catalog().find(flag).is_some_and(|(_, row)| loaded.decisive(row).name == row.name);
    for rest in ["ca", "cert", "key", "server-name"] {
        let flag = format!("{prefix}.tls.{rest}");
        if own(&flag) && !loaded.get_string(&flag).is_empty() {
            problems.push(sentence(loaded, &flag, &format!(" needs {remedy}")));
        }
    }
    let skip = format!("{prefix}.tls.skip-host-verify");
    if own(&skip) && loaded.get_bool(&skip) {
        problems.push(sentence(loaded, &skip, &format!(" needs {remedy}")));
    }
}

/// Jaeger's ranges, which are those of its Kafka client.
fn compression_level(loaded: &Loaded, problems: &mut Vec<String>) {
    let level = loaded.get_i64("kafka.producer.compression-level");
    let compression = loaded.get_string("kafka.producer.compression");
    let range = match compression.as_str() {
        "gzip" => 1..=9,
        "lz4" => 1..=17,
        "zstd" => -131_072..=22,
        _ => 0..=0,
    };
    if level != 0 && !range.contains(&level) {
        let rest = if range == (0..=0) {
            format!(" must be 0, since kafka.producer.compression={compression} has no levels")
        } else {
            let (from, to) = range.into_inner();
            format!(" must be between {from} and {to} for kafka.producer.compression={compression}, or 0, not {level}")
        };
        problems.push(sentence(loaded, "kafka.producer.compression-level", &rest));
    }
}
