//! Flags of Elasticsearch and OpenSearch, which have the same.

use super::{Table, tls};
use crate::component::Component;
use crate::flag::Flag;
use crate::kind::Kind;
use crate::storage::StorageType::{Elasticsearch, Opensearch};

const SNIFFER: &str = "sniffing is not built; list the nodes in --es.server-urls or remove the flag";
const ADAPTIVE: &str = "adaptive sampling is not built yet";
const PRIORITY: &str = "priority of the index template (Elasticsearch 8 and later); misspelt as in Jaeger";
const FREQUENCY: &[&str] = &["day", "hour"];

pub(super) fn primary() -> Table {
    Table { title: "es", tiers: Component::WITH_STORAGE, storages: &[Elasticsearch, Opensearch], flags: flags("es") }
}

/// The second set, for archived traces. What is not set there is as for the others; `es.max-span-age` and
/// `es.bulk.max-retry-interval` have no counterpart.
pub(super) fn archive() -> Table {
    let mut rows = vec![Flag::new(
        "es-archive.enabled",
        Kind::Bool,
        "false",
        "keep archived traces in indices of their own (jaeger-span-archive, jaeger-service-archive), which query and all-in-one \
         write and read",
    )];
    for mut flag in flags("es-archive") {
        if ["es-archive.max-span-age", "es-archive.bulk.max-retry-interval"].contains(&flag.name.as_str()) {
            continue;
        }
        let primary = flag.name.replacen("es-archive", "es", 1);
        flag.help = match flag.name.as_str() {
            "es-archive.use-aliases" => {
                "read jaeger-span-archive-read and write jaeger-span-archive-write, which es-rollover looks \
                                         after, in place of jaeger-span-archive; unset = the value of --es.use-aliases"
                    .into()
            }
            _ => format!("as --{primary}, for the archive; unset = that value").into(),
        };
        rows.push(flag.or(primary));
    }
    Table { title: "es-archive", tiers: Component::WITH_STORAGE, storages: &[Elasticsearch, Opensearch], flags: rows }
}

fn flags(prefix: &str) -> Vec<Flag> {
    let mut flags = connection(prefix);
    flags.extend(tls::client(prefix));
    flags.extend(indices(prefix));
    flags.extend(documents(prefix));
    flags
}

fn connection(prefix: &str) -> Vec<Flag> {
    let name = |rest: &str| format!("{prefix}.{rest}");
    let reload = |rest: &str, file: &str| {
        Flag::new(name(rest), Kind::Duration, "10s", format!("how often {file} is looked at for changes; 0 = never"))
    };
    vec![
        Flag::new(name("server-urls"), Kind::List, "http://127.0.0.1:9200", "URLs of the nodes"),
        Flag::new(name("version"), Kind::Int { min: 0, max: 9 }, "0", "major version of the server; 0 = ask it"),
        Flag::new(name("username"), Kind::String, "", "user of basic authentication"),
        Flag::new(name("password"), Kind::String, "", "password of basic authentication").secret(),
        Flag::new(name("password-file"), Kind::String, "", "path of a file with the password, in place of --es.password"),
        reload("password-reload-interval", "the password file"),
        Flag::new(name("token-file"), Kind::String, "", "path of a file with a bearer token"),
        reload("bearer-token-reload-interval", "the token file"),
        Flag::new(name("bearer-token-propagation"), Kind::Bool, "false", "pass the caller's bearer token on")
            .not_yet("tokens are not handed on yet; use --es.token-file or remove the flag"),
        Flag::new(name("api-key-file"), Kind::String, "", "path of a file with an API key"),
        reload("api-key-reload-interval", "the API key file"),
        Flag::new(name("api-key-allow-from-context"), Kind::Bool, "false", "pass the caller's API key on")
            .not_yet("API keys are not handed on yet; use --es.api-key-file or remove the flag"),
        Flag::new(name("timeout"), Kind::Duration, "0s", "how long a request may take; 0 = no limit"),
        Flag::new(name("sniffer"), Kind::Bool, "false", "find the nodes by asking one").not_yet(SNIFFER),
        Flag::new(name("sniffer-tls-enabled"), Kind::Bool, "false", "use TLS when sniffing").not_yet(SNIFFER),
        Flag::new(name("disable-health-check"), Kind::Bool, "false", "do not look after the nodes in the background")
            .compat("there is no such check; a node that fails is left out for a while"),
        Flag::new(
            name("http-compression"),
            Kind::Bool,
            "true",
            "compress requests with gzip (in Jaeger 1.76 false has no effect; here it has)",
        ),
        Flag::new(name("send-get-body-as"), Kind::String, "", "method of searches that have a body")
            .compat("searches are sent with POST, which every server accepts"),
        Flag::new(name("log-level"), Kind::String, "error", "least severity that the client logs")
            .compat("--log-level rules all logs"),
    ]
}

fn indices(prefix: &str) -> Vec<Flag> {
    let name = |rest: &str| format!("{prefix}.{rest}");
    vec![
        Flag::new(name("index-prefix"), Kind::String, "", "start of index names: foo gives foo-jaeger-span-2026-01-31"),
        Flag::new(name("index-date-separator"), Kind::String, "-", "text between year, month and day in index names"),
        Flag::new(name("index-rollover-frequency-spans"), Kind::Choice(FREQUENCY), "day", "time that an index of spans holds"),
        Flag::new(
            name("index-rollover-frequency-services"),
            Kind::Choice(FREQUENCY),
            "day",
            "time that an index of services holds",
        ),
        Flag::new(
            name("index-rollover-frequency-adaptive-sampling"),
            Kind::Choice(FREQUENCY),
            "day",
            "time that an index of sampling holds",
        )
        .compat(ADAPTIVE),
        Flag::new(name("create-index-templates"), Kind::Bool, "true", "put the index templates at the start"),
        Flag::new(name("num-shards"), Kind::Int { min: 1, max: 1024 }, "5", "shards of a new index"),
        Flag::new(name("num-replicas"), Kind::Int { min: 0, max: 1024 }, "1", "replicas of a new index"),
        Flag::new(name("prioirity-span-template"), Kind::COUNT, "0", PRIORITY),
        Flag::new(name("prioirity-service-template"), Kind::COUNT, "0", PRIORITY),
        Flag::new(name("prioirity-dependencies-template"), Kind::COUNT, "0", PRIORITY),
        Flag::new(
            name("use-aliases"),
            Kind::Bool,
            "false",
            "read jaeger-span-read and write jaeger-span-write, which es-rollover looks after, in place of dated indices",
        ),
        Flag::new(
            name("use-ilm"),
            Kind::Bool,
            "false",
            "index life cycle management rolls the indices over; needs use-aliases=true and create-index-templates=false",
        ),
        Flag::new(name("remote-read-clusters"), Kind::List, "", "clusters that are searched too, by cross-cluster search")
            .not_yet("cross-cluster search is not built yet; remove the flag"),
    ]
}

fn documents(prefix: &str) -> Vec<Flag> {
    let name = |rest: &str| format!("{prefix}.{rest}");
    vec![
        Flag::new(
            name("max-span-age"),
            Kind::Duration,
            "72h",
            "how far back dated indices are searched for services, operations and traces by id",
        ),
        Flag::new(
            name("max-doc-count"),
            Kind::Int { min: 1, max: 1_000_000_000 },
            "10000",
            "documents a page of results and size of aggregations",
        ),
        Flag::new(
            name("service-cache-ttl"),
            Kind::Duration,
            "0s",
            "how long a written service and operation is not written again; 0 = 12h",
        ),
        Flag::new(name("adaptive-sampling.lookback"), Kind::Duration, "72h", "how far back adaptive sampling reads")
            .compat(ADAPTIVE),
        Flag::new(
            name("tags-as-fields.all"),
            Kind::Bool,
            "false",
            "store every tag in the object `tag`, so that Kibana can aggregate it",
        ),
        Flag::new(name("tags-as-fields.include"), Kind::List, "", "tags to store so"),
        Flag::new(name("tags-as-fields.config-file"), Kind::String, "", "path of a file with more such tags, one a line"),
        Flag::new(name("tags-as-fields.dot-replacement"), Kind::String, "@", "what a dot in their names becomes"),
        Flag::new(name("bulk.size"), Kind::Int { min: 1, max: 1 << 31 }, "5000000", "bytes at which a bulk request is sent"),
        Flag::new(
            name("bulk.actions"),
            Kind::Int { min: 1, max: 1_000_000 },
            "1000",
            "documents at which a bulk request is sent",
        ),
        Flag::new(name("bulk.flush-interval"), Kind::Duration, "200ms", "how long a document waits for a bulk request to fill"),
        Flag::new(name("bulk.workers"), Kind::Int { min: 1, max: 1024 }, "1", "bulk requests at a time"),
        Flag::new(
            name("bulk.max-retry-interval"),
            Kind::Duration,
            "30s",
            "longest pause between two tries of a bulk request; not a flag of Jaeger",
        ),
    ]
}
