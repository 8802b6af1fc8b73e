//! Index templates, as Jaeger 1.76 puts them.

use crate::config::Config;
use crate::index::prefixed;
use serde_json::{Map, Value, json};

/// Name and path of a template, and its body.
#[derive(Debug)]
pub(crate) struct Template {
    /// Without a leading slash.
    pub path: String,
    pub body: Value,
}

/// The templates of spans and services for a server of this major version.
pub(crate) fn templates(c: &Config, major: u64) -> [Template; 2] {
    let spans = mappings(span_fields());
    let services = mappings(json!({"serviceName": keyword(), "operationName": keyword()}));
    [
        template(c, major, "jaeger-span", c.prioirity_span_template, true, spans),
        template(c, major, "jaeger-service", c.prioirity_service_template, true, services),
    ]
}

/// The template of who calls whom: the mapping is left to the server, as in Jaeger. Its name has the prefix, as es-rollover gives
/// it; what Jaeger itself puts has not, so that two installations of one cluster put one template.
pub(crate) fn dependencies(c: &Config, major: u64) -> Template {
    template(c, major, "jaeger-dependencies", c.prioirity_dependencies_template, true, json!({}))
}

/// The template of adaptive sampling.
///
/// Jaeger's leaves the mapping to the server, which then makes a field of each service, operation and probability, until it has
/// a thousand of them and refuses what follows. Here those are kept but not looked into. The documents are the same.
pub(crate) fn sampling(c: &Config, major: u64) -> Template {
    let kept = || json!({"type": "object", "enabled": false});
    let mappings = json!({"properties": {
        "timestamp": {"type": "date"},
        "throughputs": {"properties": {
            "Service": keyword(),
            "Operation": keyword(),
            "Count": {"type": "long"},
            "Probabilities": kept(),
        }},
        "probabilitiesandqps": {"properties": {"Hostname": keyword(), "Probabilities": kept(), "QPS": kept()}},
    }});
    template(c, major, "jaeger-sampling", 0, false, mappings)
}

/// The template of roll-ups, which is not one of Jaeger's: documents are kept and not looked into. They are many to a shard, and read
/// by id.
pub(crate) fn rollups(c: &Config, major: u64) -> Template {
    let name = prefixed(&c.index_prefix, "skua-rollup");
    let settings = json!({
        "index.number_of_shards": 1,
        "index.number_of_replicas": c.num_replicas,
        "index.codec": "best_compression",
    });
    let mappings = json!({"enabled": false});
    let patterns = json!([format!("{name}-*")]);
    if major >= 8 {
        let inner = json!({"settings": settings, "mappings": mappings});
        // Above catch-alls, which a cluster may have for logs.
        let body = json!({"priority": 500, "index_patterns": patterns, "template": inner});
        return Template { path: format!("_index_template/{name}"), body };
    }
    let body = json!({"index_patterns": patterns, "settings": settings, "mappings": mappings});
    Template { path: format!("_template/{name}"), body }
}

/// Composable from Elasticsearch 8 on, where the old kind is gone; below, and on OpenSearch, the old kind. Only its pattern has
/// a star in front.
fn template(c: &Config, major: u64, name: &str, priority: u64, cache: bool, mappings: Value) -> Template {
    let name = prefixed(&c.index_prefix, name);
    let settings = json!({
        "index.number_of_shards": c.num_shards,
        "index.number_of_replicas": c.num_replicas,
        "index.mapping.nested_fields.limit": 50,
        "index.requests.cache.enable": cache,
    });
    if major >= 8 {
        let inner = json!({"settings": settings, "mappings": mappings});
        let body = json!({"priority": priority, "index_patterns": format!("{name}-*"), "template": inner});
        return Template { path: format!("_index_template/{name}"), body };
    }
    let body = json!({"index_patterns": format!("*{name}-*"), "settings": settings, "mappings": mappings});
    Template { path: format!("_template/{name}"), body }
}

/// The two dynamic templates are those of tags that became fields; services have them too, for no reason.
fn mappings(properties: Value) -> Value {
    let tags = |name: &str, path: &str| {
        let mut named = Map::new();
        named.insert(name.to_owned(), json!({"mapping": keyword(), "path_match": path}));
        Value::Object(named)
    };
    json!({
        "dynamic_templates": [tags("span_tags_map", "tag.*"), tags("process_tags_map", "process.tag.*")],
        "properties": properties,
    })
}

/// Longer values are kept but cannot be searched.
fn keyword() -> Value {
    json!({"type": "keyword", "ignore_above": 256})
}

fn nested(properties: Value) -> Value {
    json!({"type": "nested", "dynamic": false, "properties": properties})
}

fn tags() -> Value {
    nested(json!({"key": keyword(), "value": keyword(), "type": keyword()}))
}

fn span_fields() -> Value {
    json!({
        "traceID": keyword(),
        "parentSpanID": keyword(),
        "spanID": keyword(),
        "operationName": keyword(),
        "startTime": {"type": "long"},
        "startTimeMillis": {"type": "date", "format": "epoch_millis"},
        "duration": {"type": "long"},
        "flags": {"type": "integer"},
        "logs": nested(json!({"timestamp": {"type": "long"}, "fields": tags()})),
        "process": {"properties": {"serviceName": keyword(), "tag": {"type": "object"}, "tags": tags()}},
        "references": nested(json!({"refType": keyword(), "traceID": keyword(), "spanID": keyword()})),
        "tag": {"type": "object"},
        "tags": tags(),
    })
}
