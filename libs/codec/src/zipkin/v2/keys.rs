//! What a tag of a v2 span means.

/// The tags that describe a process: the resource attributes of OpenTelemetry's semantic conventions 1.15 that the collector's
/// Zipkin receiver (0.140, in Jaeger 1.76) moves to the resource, and three of OpenCensus. In order.
const RESOURCE: [&str; 86] = [
    "aws.ecs.cluster.arn",
    "aws.ecs.container.arn",
    "aws.ecs.launchtype",
    "aws.ecs.task.arn",
    "aws.ecs.task.family",
    "aws.ecs.task.revision",
    "aws.eks.cluster.arn",
    "aws.log.group.arns",
    "aws.log.group.names",
    "aws.log.stream.arns",
    "aws.log.stream.names",
    "cloud.account.id",
    "cloud.availability_zone",
    "cloud.platform",
    "cloud.provider",
    "cloud.region",
    "container.id",
    "container.image.name",
    "container.image.tag",
    "container.name",
    "container.runtime",
    "deployment.environment",
    "device.id",
    "device.manufacturer",
    "device.model.identifier",
    "device.model.name",
    "faas.id",
    "faas.instance",
    "faas.max_memory",
    "faas.name",
    "faas.version",
    "host.arch",
    "host.id",
    "host.image.id",
    "host.image.name",
    "host.image.version",
    "host.name",
    "host.type",
    "k8s.cluster.name",
    "k8s.container.name",
    "k8s.container.restart_count",
    "k8s.cronjob.name",
    "k8s.cronjob.uid",
    "k8s.daemonset.name",
    "k8s.daemonset.uid",
    "k8s.deployment.name",
    "k8s.deployment.uid",
    "k8s.job.name",
    "k8s.job.uid",
    "k8s.namespace.name",
    "k8s.node.name",
    "k8s.node.uid",
    "k8s.pod.name",
    "k8s.pod.uid",
    "k8s.replicaset.name",
    "k8s.replicaset.uid",
    "k8s.statefulset.name",
    "k8s.statefulset.uid",
    "opencensus.exporterversion",
    "opencensus.resourcetype",
    "opencensus.starttime",
    "os.description",
    "os.name",
    "os.type",
    "os.version",
    "process.command",
    "process.command_args",
    "process.command_line",
    "process.executable.name",
    "process.executable.path",
    "process.owner",
    "process.pid",
    "process.runtime.description",
    "process.runtime.name",
    "process.runtime.version",
    "service.instance.id",
    "service.name",
    "service.namespace",
    "service.version",
    "telemetry.auto.version",
    "telemetry.sdk.language",
    "telemetry.sdk.name",
    "telemetry.sdk.version",
    "webengine.description",
    "webengine.name",
    "webengine.version",
];

/// What becomes of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// An attribute.
    Plain,
    /// An attribute of the resource.
    Resource,
    /// `otlp.service.name.source`: the resource attribute that holds the service's name instead of `service.name`.
    ServiceSource,
    /// `otel.library.name`, the scope's name.
    Library,
    /// `otel.library.version`, the scope's version.
    LibraryVersion,
    /// `error`: the status, and an attribute unless `true`.
    Error,
    /// `otel.status_code`.
    StatusCode,
    /// `otel.status_description`: the status's message, if there is a code.
    StatusDescription,
    /// `span.kind`: `internal` is a kind; not an attribute unless the span has another kind.
    Kind,
    /// `w3c.tracestate`.
    TraceState,
    /// `otlp.link.N`, N from 0 to 127.
    Link(u8),
    /// An attribute unless the span's endpoints give another value.
    Endpoint(Given),
}

/// Attributes that are made of fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Given {
    HostIp,
    HostPort,
    PeerService,
    PeerIp,
    PeerPort,
    NoStart,
}

impl Given {
    pub fn key(self) -> &'static [u8] {
        match self {
            Self::HostIp => b"net.host.ip",
            Self::HostPort => b"net.host.port",
            Self::PeerService => b"peer.service",
            Self::PeerIp => b"net.peer.ip",
            Self::PeerPort => b"net.peer.port",
            Self::NoStart => b"otel.zipkin.absentField.startTime",
        }
    }
}

impl Meaning {
    /// Nearly all tags are plain, which their first bytes tell.
    #[inline]
    pub fn of(key: &[u8]) -> Self {
        match key {
            [b'e', b'r', ..] if key == b"error" => Self::Error,
            [b's', b'p', ..] if key == b"span.kind" => Self::Kind,
            [b'w', b'3', ..] if key == b"w3c.tracestate" => Self::TraceState,
            [b'o', b't', ..] => Self::of_otel(key),
            [b'n', b'e', ..] | [b'p', b'e', ..] => Self::of_endpoint(key),
            [b'a', b'w', ..]
            | [b'c', b'l', ..]
            | [b'c', b'o', b'n', ..]
            | [b'd', b'e', ..]
            | [b'f', b'a', ..]
            | [b'h', b'o', ..]
            | [b'k', b'8', ..]
            | [b'o', b's' | b'p', ..]
            | [b'p', b'r', ..]
            | [b's', b'e', ..]
            | [b't', b'e', ..]
            | [b'w', b'e', ..] => Self::of_resource(key),
            _ => Self::Plain,
        }
    }

    fn of_resource(key: &[u8]) -> Self {
        match RESOURCE.binary_search_by(|name| name.as_bytes().cmp(key)) {
            Ok(_) => Self::Resource,
            Err(_) => Self::Plain,
        }
    }

    fn of_otel(key: &[u8]) -> Self {
        match key {
            b"otel.library.name" => Self::Library,
            b"otel.library.version" => Self::LibraryVersion,
            b"otel.status_code" => Self::StatusCode,
            b"otel.status_description" => Self::StatusDescription,
            b"otel.zipkin.absentField.startTime" => Self::Endpoint(Given::NoStart),
            b"otlp.service.name.source" => Self::ServiceSource,
            _ => match key.strip_prefix(b"otlp.link.") {
                Some(b"0") => Self::Link(0),
                Some([first @ b'1'..=b'9', more @ ..]) if more.len() < 3 => more
                    .iter()
                    .try_fold(first - b'0', |n, d| d.is_ascii_digit().then(|| n.checked_mul(10)?.checked_add(d - b'0'))?)
                    .filter(|n| *n < 128)
                    .map_or(Self::Plain, Self::Link),
                _ => Self::Plain,
            },
        }
    }

    fn of_endpoint(key: &[u8]) -> Self {
        use Given::{HostIp, HostPort, PeerIp, PeerPort, PeerService};
        let given = [HostIp, HostPort, PeerService, PeerIp, PeerPort];
        given.into_iter().find(|g| g.key() == key).map_or(Self::Plain, Self::Endpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order_and_found() {
        assert!(RESOURCE.is_sorted());
        for key in RESOURCE {
            assert_eq!(Meaning::of(key.as_bytes()), Meaning::Resource, "{key}");
        }
    }

    #[test]
    fn links_have_numbers() {
        for (key, want) in [
            ("otlp.link.0", Meaning::Link(0)),
            ("otlp.link.9", Meaning::Link(9)),
            ("otlp.link.127", Meaning::Link(127)),
            ("otlp.link.128", Meaning::Plain),
            ("otlp.link.999", Meaning::Plain),
            ("otlp.link.01", Meaning::Plain),
            ("otlp.link.1x", Meaning::Plain),
            ("otlp.link.", Meaning::Plain),
        ] {
            assert_eq!(Meaning::of(key.as_bytes()), want, "{key}");
        }
    }
}
