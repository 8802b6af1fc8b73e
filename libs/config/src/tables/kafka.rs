//! Flags of both ends of Kafka.

use super::{Table, tls};
use crate::component::Component::{Collector, Ingester};
use crate::flag::Flag;
use crate::kind::Kind;
use crate::storage::StorageType::Kafka;

const PROTOCOL: &str = "the client agrees on versions with the broker";
const ENCODINGS: &[&str] = &["protobuf", "json", "otlp-proto", "otlp-json"];
const CONSUMER_ENCODINGS: &[&str] =
    &["protobuf", "json", "otlp-proto", "otlp-json", "zipkin-thrift", "zipkin-proto", "zipkin-json"];

pub(super) fn producer() -> Table {
    let mut flags = brokers("kafka.producer");
    flags.extend([
        Flag::new("kafka.producer.topic", Kind::String, "jaeger-spans", "topic that spans are produced to"),
        Flag::new(
            "kafka.producer.dead-letter-topic",
            Kind::String,
            "jaeger-spans-dead-letter",
            "topic for spans that the broker will never accept on the first, with the reason; not a flag of Jaeger",
        ),
        Flag::new(
            "kafka.producer.encoding",
            Kind::Choice(ENCODINGS),
            "protobuf",
            "form of a message; the otlp ones are not in Jaeger",
        ),
        Flag::new("kafka.producer.protocol-version", Kind::String, "", "version of the broker").compat(PROTOCOL),
        Flag::new(
            "kafka.producer.required-acks",
            Kind::Choice(&["noack", "local", "all"]),
            "all",
            "replicas that must have a span before it counts as accepted (Jaeger's default is local); with local or noack \
             the producer is not idempotent and a failing broker may lose or repeat spans",
        ),
        Flag::new(
            "kafka.producer.compression",
            Kind::Choice(&["none", "gzip", "snappy", "lz4", "zstd"]),
            "none",
            "compression of batches",
        ),
        Flag::new(
            "kafka.producer.compression-level",
            Kind::Int { min: -131_072, max: 22 },
            "0",
            "gzip 1 to 9, lz4 1 to 17, zstd -131072 to 22; 0 = the compression's default",
        ),
        Flag::new("kafka.producer.batch-linger", Kind::Duration, "0s", "how long a batch waits for more spans"),
        Flag::new(
            "kafka.producer.batch-size",
            Kind::COUNT,
            "0",
            "bytes at which a batch is sent without waiting; 0 = the client's default",
        ),
        Flag::new("kafka.producer.batch-min-messages", Kind::COUNT, "0", "messages at which a batch is sent without waiting")
            .compat("the client has no such threshold; use batch-linger and batch-size"),
        Flag::new("kafka.producer.batch-max-messages", Kind::COUNT, "0", "most messages in a batch; 0 = the client's default"),
        Flag::new(
            "kafka.producer.max-message-bytes",
            Kind::Int { min: 1000, max: 1_000_000_000 },
            "1000000",
            "largest message in bytes",
        ),
    ]);
    flags.extend(authentication("kafka.producer"));
    Table { title: "kafka.producer", tiers: &[Collector], storages: &[Kafka], flags }
}

pub(super) fn consumer() -> Table {
    let mut flags = brokers("kafka.consumer");
    flags.extend([
        Flag::new("kafka.consumer.topic", Kind::String, "jaeger-spans", "topic that spans are read from"),
        Flag::new("kafka.consumer.group-id", Kind::String, "jaeger-ingester", "consumer group that shares the partitions"),
        Flag::new(
            "kafka.consumer.client-id",
            Kind::String,
            "jaeger-ingester",
            "name of this client in the broker's logs and quotas",
        ),
        Flag::new("kafka.consumer.encoding", Kind::Choice(CONSUMER_ENCODINGS), "protobuf", "form of a message"),
        Flag::new("kafka.consumer.protocol-version", Kind::String, "", "version of the broker").compat(PROTOCOL),
        Flag::new("kafka.consumer.rack-id", Kind::String, "", "rack of this client, so that it reads from the nearest replica"),
        Flag::new(
            "kafka.consumer.initial-offset",
            Kind::Choice(&["earliest", "latest"]),
            "earliest",
            "where a group without committed offsets starts (Jaeger starts at the latest); not a flag of Jaeger",
        ),
        Flag::new(
            "kafka.consumer.fetch-max-message-bytes",
            Kind::Int { min: 1, max: 1_000_000_000 },
            "1048576",
            "most bytes that are fetched from a partition at once",
        ),
    ]);
    flags.extend(authentication("kafka.consumer"));
    Table { title: "kafka.consumer", tiers: &[Ingester], storages: &[], flags }
}

fn brokers(prefix: &str) -> Vec<Flag> {
    vec![Flag::new(format!("{prefix}.brokers"), Kind::List, "127.0.0.1:9092", "brokers to ask first, host:port")]
}

fn authentication(prefix: &str) -> Vec<Flag> {
    const WITHOUT: &str = "Kerberos is not supported yet";
    let name = |rest: &str| format!("{prefix}.{rest}");
    let mut flags = vec![
        Flag::new(
            name("authentication"),
            Kind::Choice(&["none", "kerberos", "tls", "plaintext"]),
            "none",
            "how this client proves who it is; plaintext = SASL with a password",
        )
        .not_yet_values(&[("kerberos", "Kerberos is not supported yet; use plaintext (SASL SCRAM) or tls")]),
        Flag::new(name("plaintext.username"), Kind::String, "", "user of SASL"),
        Flag::new(name("plaintext.password"), Kind::String, "", "password of SASL").secret(),
        Flag::new(
            name("plaintext.mechanism"),
            Kind::Choice(&["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]),
            "PLAIN",
            "mechanism of SASL",
        ),
        Flag::new(name("kerberos.service-name"), Kind::String, "kafka", "service name of the brokers").compat(WITHOUT),
        Flag::new(name("kerberos.realm"), Kind::String, "", "realm").compat(WITHOUT),
        Flag::new(name("kerberos.username"), Kind::String, "", "principal").compat(WITHOUT),
        Flag::new(name("kerberos.password"), Kind::String, "", "password of the principal").secret().compat(WITHOUT),
        Flag::new(name("kerberos.config-file"), Kind::String, "/etc/krb5.conf", "path of krb5.conf").compat(WITHOUT),
        Flag::new(name("kerberos.use-keytab"), Kind::Bool, "false", "use the keytab and not the password").compat(WITHOUT),
        Flag::new(name("kerberos.keytab-file"), Kind::String, "/etc/security/kafka.keytab", "path of the keytab").compat(WITHOUT),
        Flag::new(name("kerberos.disable-fast-negotiation"), Kind::Bool, "false", "do not use PA-FX-FAST").compat(WITHOUT),
    ];
    flags.extend(tls::client(prefix));
    flags
}
